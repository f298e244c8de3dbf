//! When a request may go out, and what a failed one leads to.
//!
//! | part | what it owns |
//! |---|---|
//! | [`Pacing`], [`Rate`] | how fast to go, as the user writes it |
//! | `controller` | how fast to go, from what was let through and what was not: pure |
//! | `gate` | the pause that the server asked for, one for the whole run |
//! | [`blame`] | whether a refusal is everybody's, or one referral's own: pure |
//! | [`circuit`] | the pause that the run takes by itself where one request after another fails |
//! | `limiter` | the rate limit, on tokio's clock |
//! | `meter` | the time that went into waiting for the rate, or into being held back |
//! | [`width`] | how many at a time, where their number is refused: pure |
//! | [`retry`] | what follows from a failure: a pure decision |
//!
//! What always holds: turns come in the order in which they were asked for, nobody's turn comes while
//! the gate is shut, reads and writes share one rate, because the service counts them together, and no
//! rate is higher than the user's.

pub mod blame;
pub mod circuit;
mod controller;
mod gate;
mod limiter;
mod meter;
mod rate;
pub mod retry;
pub mod width;

use std::sync::{Arc, Mutex as Plain, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until};

use blame::Blame;
use circuit::Circuit;
use controller::Controller;
pub use controller::{Before, Turn};
use gate::Gate;
use limiter::Limiter;
use meter::{Mark, Meter};
pub use rate::{Pacing, Rate, RateError};

/// The longest pause that is taken at the server's word. A longer one is most likely a mistake, and the
/// next answer will ask again.
pub const MAX_PAUSE: Duration = Duration::from_secs(600);

/// The pace of a run. All workers share one; every request, read or write, asks it for its turn.
#[derive(Debug)]
pub struct Pace {
    /// tokio's mutex hands itself on in the order of asking, which governor alone does not: whoever
    /// holds it is the head of the queue.
    queue: Mutex<Limiter>,
    controller: Plain<Controller>,
    /// The rate is another one: the head of the queue need not wait as long as it thought.
    changed: Notify,
    gate: Arc<Gate>,
    circuit: Circuit,
    blame: Blame,
    meter: Meter,
    begun: Instant,
}

/// A pause that the server asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// How long it lasts, which may be less than was asked for.
    pub length: Duration,
    /// How many there were without a request let through between them, this one included. Requests
    /// that were in flight together are throttled together, which is one pause.
    pub in_a_row: u32,
}

/// The time in which requests waited: wall time, so two workers that wait at once count once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waits {
    /// At least one request waited for the rate limit, and for nothing else.
    pub waiting_for_rate: Duration,
    /// The gate was shut because the server had asked for it.
    pub paused_by_server: Duration,
    /// The circuit was open, and the gate not shut. Requests that aren't held back may wait for the rate
    /// meanwhile.
    pub held_back: Duration,
}

/// The rate that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Requests a second.
    pub per_second: f64,
    /// Whether the service has throttled: else it may bear more.
    pub throttled: bool,
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
    /// The time at which the service is asked again, after one request failed after another.
    Probe {
        /// When it comes.
        at: Instant,
    },
    /// What the service answers to the one request that asks.
    Answer,
}

impl Pace {
    /// The pace of a run that has made no request yet.
    pub fn new(pacing: Pacing) -> Self {
        let controller = match pacing {
            Pacing::Fixed(rate) => Controller::up_to(rate.interval()),
            Pacing::Auto => Controller::seeking(rate::SHORTEST),
        };
        let gate = Arc::new(Gate::default());
        Self {
            queue: Mutex::new(Limiter::new(controller.interval())),
            controller: Plain::new(controller),
            changed: Notify::new(),
            circuit: Circuit::behind(Arc::clone(&gate)),
            blame: Blame::default(),
            gate,
            meter: Meter::default(),
            begun: Instant::now(),
        }
    }

    /// Waits for the gate, then for the rate; the request may go out when this returns. A caller that
    /// stops waiting takes nobody's turn. What becomes of the request is to be said with
    /// [`Self::answered`] or [`Self::throttled`]; of one that got no answer there is nothing to say.
    pub async fn turn(&self) -> Turn {
        let asked = Instant::now();
        let mut limiter = self.queue.lock().await;
        let mut waiting = None;
        loop {
            self.gate.passed().await;
            // What the gate held back, the rate did not.
            let asked = self.gate.opening().map_or(asked, |opening| asked.max(opening));
            let interval = self.controller().interval();
            match limiter.take(asked, interval) {
                Ok(due) => return self.controller().granted(self.since_begun(), asked < due),
                Err(free_at) => {
                    waiting.get_or_insert_with(|| RateWait::begin(self));
                    // The gate may be shut while this sleeps, so it is asked again before the turn is
                    // taken.
                    tokio::select! {
                        () = sleep_until(free_at) => {}
                        () = self.changed.notified() => {}
                    }
                }
            }
        }
    }

    /// A request was let through: it was answered, and not with a throttle.
    pub fn answered(&self, turn: Turn) {
        self.adapt(|controller, now| controller.answered(now, turn));
    }

    /// A request was throttled: nobody's turn comes before the pause is over, and the rate is lowered.
    /// Pauses that overlap last until the latest of their ends.
    ///
    /// `asked` is what `Retry-After` said. Where it said nothing, or zero, which would let a throttled
    /// run go on at full speed, the pause grows with the throttles in a row: 1 s, 2 s, 4 s … 60 s. It is
    /// [`MAX_PAUSE`] where more was asked.
    pub fn throttled(&self, turn: Turn, asked: Option<Duration>) -> Pause {
        self.adapt(|controller, now| {
            let in_a_row = controller.in_a_row_with(turn);
            let length = length(asked, in_a_row);
            controller.throttled(now, turn, length);
            let now = self.begun + now;
            self.gate.shut(now, now + length);
            Pause { length, in_a_row }
        })
    }

    /// How fast it goes, to be gone back to where a throttle turns out to be one referral's own.
    pub fn before(&self) -> Before {
        self.controller().before()
    }

    /// So many pauses since then were one referral's own. Unless there were others, the rate is what it was.
    pub fn forgive(&self, before: Before, pauses: u32) {
        self.adapt(|controller, now| controller.forgive(now, before, pauses));
    }

    /// The circuit breaker of the run, which is asked before a turn and after it.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// What is known of whose fault a refusal is.
    pub fn blame(&self) -> &Blame {
        &self.blame
    }

    /// The rate at present.
    pub fn found(&self) -> Found {
        let controller = self.controller();
        Found { per_second: controller.rate(), throttled: controller.was_throttled() }
    }

    /// Waits until the server asks for a pause, or not at all where one is under way.
    pub async fn paused(&self) {
        self.gate.is_shut().await;
    }

    /// Whether a pause is under way that the server asked for.
    pub fn is_paused(&self) -> bool {
        self.gate.shut_until(Instant::now()).is_some()
    }

    /// The time spent waiting so far.
    pub fn figures(&self) -> Waits {
        let now = self.mark();
        Waits {
            waiting_for_rate: self.meter.total(now),
            paused_by_server: now.shut,
            held_back: self.circuit.open_for(),
        }
    }

    /// What the next request waits for, to be shown.
    pub fn state(&self) -> Waiting {
        match (self.gate.shut_until(Instant::now()), self.circuit.next_probe()) {
            (Some(until), _) => Waiting::Server { until },
            (None, Some(at)) => Waiting::Probe { at },
            (None, None) if self.circuit.is_asking() => Waiting::Answer,
            (None, None) if self.meter.is_running() => Waiting::Rate,
            (None, None) => Waiting::Nothing,
        }
    }

    /// Tells the controller something, and whoever waits that the rate is another one.
    fn adapt<R>(&self, tell: impl FnOnce(&mut Controller, Duration) -> R) -> R {
        let mut controller = self.controller();
        let before = controller.interval();
        let told = tell(&mut controller, self.since_begun());
        if controller.interval() != before {
            self.changed.notify_one();
        }
        told
    }

    fn since_begun(&self) -> Duration {
        self.begun.elapsed()
    }

    fn mark(&self) -> Mark {
        let at = Instant::now();
        Mark { at, shut: self.gate.shut_for(at) }
    }

    /// A controller that panicked has no rate to rely on, but one that is never above the user's.
    fn controller(&self) -> MutexGuard<'_, Controller> {
        self.controller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pause that is taken.
fn length(asked: Option<Duration>, in_a_row: u32) -> Duration {
    match asked {
        Some(asked) if !asked.is_zero() => asked.min(MAX_PAUSE),
        _ => retry::default_pause(in_a_row),
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
            let waits = Waits {
                waiting_for_rate: start.elapsed(),
                paused_by_server: Duration::ZERO,
                ..Waits::default()
            };
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
        for (rate, turns) in [
            ("100000/s", 100_000_u32),
            ("20000/s", 20_000),
            ("1000/s", 1_000),
            ("400/s", 400),
            ("300/s", 300),
            ("130/s", 130),
        ] {
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
        let turn = pace.turn().await;
        let (log, tasks) = workers(&pace, start, 3);
        sleep(ms(600)).await;
        assert_eq!(pace.state(), Waiting::Rate);
        assert_eq!(pace.throttled(turn, Some(s(10))), Pause { length: s(10), in_a_row: 1 });
        assert_eq!(pace.state(), Waiting::Server { until: start + ms(10_600) });
        tasks.join_all().await;
        // The rate is half of what it was.
        assert_eq!(*log.lock().unwrap(), [(0, 500), (1, 10_600), (2, 11_600)]);
        assert_eq!(
            pace.figures(),
            Waits { waiting_for_rate: ms(1_600), paused_by_server: s(10), ..Waits::default() }
        );
        assert_eq!(pace.state(), Waiting::Nothing);
    }

    #[tokio::test(start_paused = true)]
    async fn overlapping_pauses_end_with_the_latest() {
        let (pace, start) = (pace("100/s"), Instant::now());
        let turn = pace.turn().await;
        assert_eq!(pace.throttled(turn, Some(s(10))).length, s(10));
        advance(s(4)).await;
        assert_eq!(pace.throttled(turn, Some(s(2))).length, s(2), "ends earlier: nothing changes");
        let (log, tasks) = workers(&pace, start, 2);
        sleep(s(4)).await;
        assert_eq!(pace.throttled(turn, Some(s(5))).length, s(5), "ends later: the gate stays shut");
        assert_eq!(pace.figures().paused_by_server, s(8), "what is over by now");
        tasks.join_all().await;
        assert_eq!(*log.lock().unwrap(), [(0, 13_000), (1, 13_020)], "one episode halves the rate once");
        assert_eq!(
            pace.figures(),
            Waits { waiting_for_rate: ms(20), paused_by_server: s(13), ..Waits::default() }
        );
        advance(s(100)).await;
        assert_eq!(pace.throttled(turn, Some(s(1))).length, s(1));
        advance(s(100)).await;
        assert_eq!(pace.figures().paused_by_server, s(14), "the time between two pauses is none");
    }

    #[test]
    fn pauses_are_capped_and_grow_by_themselves() {
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
            assert_eq!(length(asked, in_a_row), taken, "{asked:?} {in_a_row}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_are_taken_and_counted_until_something_is_let_through() {
        let (pace, mut at) = (pace("1000/s"), Instant::now());
        for (asked, length, in_a_row) in [
            (Some(Duration::MAX), MAX_PAUSE, 1),
            (None, s(2), 2),
            (Some(Duration::ZERO), s(4), 3),
            (Some(s(7)), s(7), 4),
            (None, s(16), 5),
        ] {
            let turn = pace.turn().await;
            assert_eq!(at.elapsed(), Duration::ZERO, "nobody waits for longer than the pause");
            assert_eq!(pace.throttled(turn, asked), Pause { length, in_a_row });
            at = Instant::now() + length;
            sleep(length).await;
        }
        let turn = pace.turn().await;
        pace.answered(turn);
        let turn = pace.turn().await;
        assert_eq!(pace.throttled(turn, None), Pause { length: s(1), in_a_row: 1 });
    }

    /// As many workers as there are, each of which is throttled whenever it is its turn.
    #[tokio::test(start_paused = true)]
    async fn a_storm_is_not_fed() {
        let (pace, start) = (pace("1000/s"), Instant::now());
        let mut tasks = tokio::task::JoinSet::new();
        let log: Arc<Plain<Vec<u64>>> = Arc::default();
        for _ in 0..32 {
            let (pace, log) = (Arc::clone(&pace), Arc::clone(&log));
            tasks.spawn(async move {
                loop {
                    let turn = pace.turn().await;
                    log.lock().unwrap().push(start.elapsed().as_secs());
                    sleep(ms(200)).await;
                    pace.throttled(turn, None);
                }
            });
        }
        sleep(s(600)).await;
        tasks.shutdown().await;
        let mut log = log.lock().unwrap().clone();
        let all = log.len();
        log.dedup();
        // After two pauses, one request between pauses that grow: how it begins, and then every minute.
        assert_eq!(log[..7], [0, 1, 3, 7, 15, 32, 64]);
        assert_eq!((log[7], log.len(), all), (124, 15, 15 + 2 * 31));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fixed_rate_is_lowered_and_comes_back() {
        let (pace, start) = (pace("2/s"), Instant::now());
        let mut rates = Vec::new();
        for number in 0_u32.. {
            let turn = pace.turn().await;
            let now = start.elapsed().as_secs();
            if number == 40 {
                pace.throttled(turn, Some(s(5)));
            } else {
                pace.answered(turn);
            }
            let rate = pace.controller().rate();
            if rates.last().is_none_or(|(_, last)| *last != rate) {
                rates.push((now, rate));
            }
            if now > 3600 {
                break;
            }
        }
        assert_eq!(rates.first(), Some(&(0, 2.0)));
        assert!(rates.iter().all(|(_, rate)| *rate <= 2.0), "never above what was asked for: {rates:?}");
        assert!((1.0..1.99).contains(&rates[1].1), "{rates:?}");
        let (back, rate) = *rates.last().unwrap();
        assert!(rate == 2.0 && back < 700, "{rates:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lower_rate_is_kept_and_a_higher_one_wakes_who_waits() {
        let (pace, start) = (pace("1/s"), Instant::now());
        let turn = pace.turn().await;
        pace.throttled(turn, Some(s(10)));
        let again = pace.turn().await;
        pace.throttled(again, Some(s(10)));
        let probe = pace.turn().await;
        assert_eq!(start.elapsed(), s(20));
        let (log, tasks) = workers(&pace, start, 2);
        sleep(ms(100)).await;
        pace.answered(probe);
        tasks.join_all().await;
        assert_eq!(*log.lock().unwrap(), [(0, 22_000), (1, 24_000)]);
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
