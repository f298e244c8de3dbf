//! The time after which nothing is sent, which the user sets, by the wall clock.
//!
//! Timers use another clock, which stands still while the machine is suspended and doesn't follow when the
//! wall clock is set. So the wall clock is read again and again while the run goes on, and once more before
//! each request is sent.

use std::time::Duration;

use jiff::Timestamp;

use super::stop::{Stop, StopReason};

/// The longest time between two readings of the wall clock.
const LOOK: Duration = Duration::from_secs(1);

/// The deadline of a run, where it has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    time: Option<Timestamp>,
    clock: fn() -> Timestamp,
}

impl Deadline {
    /// Returns the deadline of a run that sends nothing after `time`; `None` is no deadline. `clock` is the
    /// wall clock.
    pub(super) fn new(time: Option<Timestamp>, clock: fn() -> Timestamp) -> Self {
        Self { time, clock }
    }

    /// Returns whether the deadline has passed, and stops the run where it has.
    pub(super) fn has_come(self, stop: &Stop) -> bool {
        let come = self.time.filter(|_| self.left().is_some_and(|left| left.is_zero()));
        if let Some(time) = come {
            stop.now(StopReason::Deadline(time));
        }
        come.is_some()
    }

    /// Stops the run at the deadline. Without one, this never completes.
    pub(super) async fn wait(self, stop: &Stop) {
        // Checked before the first sleep: even a sleep of no length would let a request be sent first.
        while !self.has_come(stop) {
            match self.left() {
                Some(left) => tokio::time::sleep(left.min(LOOK)).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Returns the time left by the wall clock, zero after the deadline; `None` where there is no deadline.
    fn left(self) -> Option<Duration> {
        let left = self.time?.duration_since((self.clock)());
        Some(Duration::try_from(left).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::{Instant, sleep};

    use super::*;

    thread_local! {
        /// What the wall clock shows, in seconds.
        static WALL: Cell<i64> = const { Cell::new(0) };
    }

    fn wall() -> Timestamp {
        Timestamp::from_second(WALL.get()).unwrap()
    }

    /// When the run is stopped by tokio's clock, in seconds, where the wall clock is set or jumps: to what it
    /// shows at which second of tokio's.
    async fn stopped_at(deadline: i64, shows: &[(u64, i64)]) -> u64 {
        let stop = Stop::default();
        WALL.set(0);
        let begun = Instant::now();
        let walls = async {
            let mut shows = shows.iter().peekable();
            for second in 1.. {
                sleep(Duration::from_secs(1)).await;
                let set = shows.next_if(|(at, _)| *at == second).map(|(_, wall)| *wall);
                WALL.set(set.unwrap_or(WALL.get() + 1));
            }
        };
        let time = Timestamp::from_second(deadline).unwrap();
        tokio::select! {
            biased;
            () = walls => {}
            () = Deadline::new(Some(time), wall).wait(&stop) => {}
        }
        assert_eq!(stop.reason(), Some(StopReason::Deadline(time)));
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn the_wall_clock_counts() {
        for (what, deadline, shows, wanted) in [
            ("a clock that goes as it should", 100, &[][..], 100),
            ("a time that is past", -5, &[], 0),
            ("a machine that slept for an hour", 3_700, &[(10, 3_610)], 100),
            ("a machine that slept past the time", 100, &[(10, 3_610)], 10),
            ("a clock that was set back", 100, &[(50, 20)], 130),
            ("a clock that was set forward, then back", 100, &[(10, 90), (15, 15)], 100),
        ] {
            let at = stopped_at(deadline, shows).await;
            assert!(at.abs_diff(wanted) <= 1, "{what}: stopped after {at} s, not {wanted}");
        }
    }

    #[test]
    fn what_is_about_to_leave_looks_at_the_clock_itself() {
        let (stop, time) = (Stop::default(), Timestamp::from_second(10).unwrap());
        let deadline = Deadline::new(Some(time), wall);
        for (wall, come) in [(9, false), (10, true), (11, true)] {
            WALL.set(wall);
            assert_eq!(deadline.has_come(&stop), come);
            assert_eq!(stop.is_set(), come);
        }
        assert!(!Deadline::new(None, wall).has_come(&Stop::default()));
    }
}
