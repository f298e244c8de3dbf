//! The pace of a run: whose turn it is, and when.

use std::sync::{Arc, Mutex as Plain, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::blame::Blame;
use super::circuit::Circuit;
use super::controller::{Before, Controller, Turn};
use super::gate::Gate;
use super::limiter::Limiter;
use super::meter::{Mark, Meter};
use super::rate::{self, Pacing};
use super::retry;

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
            debug!(per_second = controller.rate(), "the rate is another one");
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
mod tests;
