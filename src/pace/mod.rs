//! When a request may go out, and what a failed one leads to.
//!
//! | part | what it owns |
//! |---|---|
//! | [`Rate`] | requests in a second or minute, as the user writes it |
//! | `gate` | the pause that the server asked for, one for the whole run |
//! | `limiter` | the rate limit, on tokio's clock |
//! | `meter` | the time that went into waiting for the rate |
//! | [`retry`] | what follows from a failure: a pure decision |
//!
//! What always holds: turns come in the order in which they were asked for, nobody's turn comes while
//! the gate is shut, and reads and writes share one rate, because the service counts them together.

mod gate;
mod limiter;
mod meter;
mod rate;
pub mod retry;

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use gate::Gate;
use limiter::Limiter;
use meter::{Mark, Meter};
pub use rate::{Rate, RateError};

/// The longest pause that is taken at the server's word. A longer one is most likely a mistake, and the
/// next answer will ask again.
pub const MAX_PAUSE: Duration = Duration::from_secs(600);

/// The pace of a run. All workers share one; every request, read or write, asks it for its turn.
#[derive(Debug)]
pub struct Pace {
    /// tokio's mutex hands itself on in the order of asking, which governor alone does not: whoever
    /// holds it is the head of the queue.
    queue: Mutex<Limiter>,
    gate: Gate,
    meter: Meter,
}

/// The time in which requests waited: wall time, so two workers that wait at once count once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waits {
    /// At least one request waited for the rate limit, and for nothing else.
    pub waiting_for_rate: Duration,
    /// The gate was shut because the server had asked for it.
    pub paused_by_server: Duration,
}

/// What the next request waits for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Nothing.
    Nothing,
    /// The rate limit.
    Rate,
    /// The end of a pause that the server asked for.
    Server {
        /// When it ends.
        until: Instant,
    },
}

impl Pace {
    /// The pace of a run that has made no request yet.
    pub fn new(rate: Rate) -> Self {
        Self { queue: Mutex::new(Limiter::new(rate)), gate: Gate::default(), meter: Meter::default() }
    }

    /// Waits for the gate, then for the rate; the request may go out when this returns. A caller that
    /// stops waiting takes nobody's turn.
    pub async fn turn(&self) {
        let limiter = self.queue.lock().await;
        let mut waiting = None;
        loop {
            self.gate.passed().await;
            let Err(free_at) = limiter.take() else { return };
            waiting.get_or_insert_with(|| RateWait::begin(self));
            // The gate may be shut while this sleeps, so it is asked again before the turn is taken.
            sleep_until(free_at).await;
        }
    }

    /// The server asked for a pause: nobody's turn comes before it is over. Pauses that overlap last
    /// until the latest of their ends.
    ///
    /// `asked` is what `Retry-After` said. Where it said nothing, or zero, which would let a throttled
    /// run go on at full speed, the pause grows with `throttles_in_a_row`: 1 s, 2 s, 4 s … 60 s.
    /// Returns the pause that is taken, which is [`MAX_PAUSE`] where more was asked.
    pub fn pause(&self, asked: Option<Duration>, throttles_in_a_row: u32) -> Duration {
        let taken = match asked {
            Some(asked) if !asked.is_zero() => asked.min(MAX_PAUSE),
            _ => retry::default_pause(throttles_in_a_row),
        };
        let now = Instant::now();
        self.gate.shut(now, now + taken);
        taken
    }

    /// The time spent waiting so far.
    pub fn figures(&self) -> Waits {
        let now = self.mark();
        Waits { waiting_for_rate: self.meter.total(now), paused_by_server: now.shut }
    }

    /// What the next request waits for, to be shown.
    pub fn state(&self) -> Waiting {
        match self.gate.shut_until(Instant::now()) {
            Some(until) => Waiting::Server { until },
            None if self.meter.is_running() => Waiting::Rate,
            None => Waiting::Nothing,
        }
    }

    fn mark(&self) -> Mark {
        let at = Instant::now();
        Mark { at, shut: self.gate.shut_for(at) }
    }
}

/// Keeps the meter running while the head of the queue waits, also where it is dropped waiting.
struct RateWait<'a>(&'a Pace);

impl<'a> RateWait<'a> {
    fn begin(pace: &'a Pace) -> Self {
        pace.meter.start(pace.mark());
        Self(pace)
    }
}

impl Drop for RateWait<'_> {
    fn drop(&mut self) {
        self.0.meter.stop(self.0.mark());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex as Plain};

    use tokio::time::{advance, sleep};

    use super::*;

    /// Who had a turn, and how many milliseconds after the beginning.
    type Log = Arc<Plain<Vec<(usize, u128)>>>;

    fn pace(rate: &str) -> Arc<Pace> {
        Arc::new(Pace::new(rate.parse().unwrap()))
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Lets so many workers ask for a turn each, in order, and notes who got it when.
    fn workers(pace: &Arc<Pace>, start: Instant, count: usize) -> (Log, tokio::task::JoinSet<()>) {
        let log = Log::default();
        let mut tasks = tokio::task::JoinSet::new();
        for worker in 0..count {
            let (pace, log) = (Arc::clone(pace), Arc::clone(&log));
            tasks.spawn(async move {
                pace.turn().await;
                log.lock().unwrap().push((worker, start.elapsed().as_millis()));
            });
        }
        (log, tasks)
    }

    #[tokio::test(start_paused = true)]
    async fn turns_come_at_their_rate_and_in_order() {
        for (rate, interval) in [("2/s", 500), ("1/m", 60_000), ("120/m", 500), ("100/s", 10)] {
            let (pace, start) = (pace(rate), Instant::now());
            let (log, tasks) = workers(&pace, start, 50);
            tasks.join_all().await;
            let wanted: Vec<_> = (0..50).map(|worker| (worker, worker as u128 * interval)).collect();
            assert_eq!(*log.lock().unwrap(), wanted, "{rate}");
            let waits = Waits { waiting_for_rate: start.elapsed(), paused_by_server: Duration::ZERO };
            assert_eq!(pace.figures(), waits, "{rate}: wall time, not the sum over the workers");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_is_not_saved_up() {
        let (pace, start) = (pace("2/s"), Instant::now());
        pace.turn().await;
        advance(s(60)).await;
        for _ in 0..3 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed(), s(61));
        assert_eq!(pace.figures().waiting_for_rate, s(1));
    }

    #[tokio::test(start_paused = true)]
    async fn high_rates_are_kept_although_timers_are_coarse() {
        for (rate, turns) in [("100000/s", 100_000_u32), ("1000/s", 1_000), ("20000/s", 20_000)] {
            let (pace, start) = (pace(rate), Instant::now());
            for _ in 0..turns {
                pace.turn().await;
            }
            let taken = start.elapsed();
            assert!(ms(990) <= taken && taken <= ms(1001), "{rate}: {taken:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_back() {
        let (pace, start) = (pace("2/s"), Instant::now());
        let (log, tasks) = workers(&pace, start, 4);
        sleep(ms(600)).await;
        assert_eq!(pace.state(), Waiting::Rate);
        assert_eq!(pace.pause(Some(s(10)), 1), s(10));
        assert_eq!(pace.state(), Waiting::Server { until: start + ms(10_600) });
        tasks.join_all().await;
        assert_eq!(*log.lock().unwrap(), [(0, 0), (1, 500), (2, 10_600), (3, 11_100)]);
        assert_eq!(pace.figures(), Waits { waiting_for_rate: ms(1_100), paused_by_server: s(10) });
        assert_eq!(pace.state(), Waiting::Nothing);
    }

    #[tokio::test(start_paused = true)]
    async fn overlapping_pauses_end_with_the_latest() {
        let (pace, start) = (pace("100/s"), Instant::now());
        assert_eq!(pace.pause(Some(s(10)), 1), s(10));
        advance(s(4)).await;
        assert_eq!(pace.pause(Some(s(2)), 2), s(2), "ends earlier: nothing changes");
        let (log, tasks) = workers(&pace, start, 2);
        sleep(s(4)).await;
        assert_eq!(pace.pause(Some(s(5)), 3), s(5), "ends later: the gate stays shut");
        assert_eq!(pace.figures().paused_by_server, s(8), "what is over by now");
        tasks.join_all().await;
        assert_eq!(*log.lock().unwrap(), [(0, 13_000), (1, 13_010)]);
        assert_eq!(pace.figures(), Waits { waiting_for_rate: ms(10), paused_by_server: s(13) });
        advance(s(100)).await;
        assert_eq!(pace.pause(Some(s(1)), 1), s(1));
        advance(s(100)).await;
        assert_eq!(pace.figures().paused_by_server, s(14), "the time between two pauses is none");
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_are_capped_and_grow_by_themselves() {
        for (asked, in_a_row, taken) in [
            (Some(s(7)), 1, s(7)),
            (Some(ms(1)), 9, ms(1)),
            (Some(MAX_PAUSE), 1, MAX_PAUSE),
            (Some(s(601)), 1, MAX_PAUSE),
            (Some(Duration::MAX), 1, MAX_PAUSE),
            (None, 0, s(1)),
            (None, 1, s(1)),
            (None, 2, s(2)),
            (None, 6, s(32)),
            (None, 7, s(60)),
            (None, u32::MAX, s(60)),
            (Some(Duration::ZERO), 3, s(4)),
        ] {
            let (pace, start) = (pace("1000/s"), Instant::now());
            assert_eq!(pace.pause(asked, in_a_row), taken, "{asked:?} {in_a_row}");
            pace.turn().await;
            assert_eq!(start.elapsed(), taken, "{asked:?} {in_a_row}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_takes_nobodys_turn() {
        let (pace, start) = (pace("2/s"), Instant::now());
        pace.turn().await;
        tokio::time::timeout(ms(200), pace.turn()).await.unwrap_err();
        assert_eq!(pace.state(), Waiting::Nothing);
        assert_eq!(pace.figures().waiting_for_rate, ms(200));
        pace.turn().await;
        assert_eq!(start.elapsed(), ms(500));
        assert_eq!(pace.figures().waiting_for_rate, ms(500));
    }
}
