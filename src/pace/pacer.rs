//! The pace of a run: gives each request its turn, once the gate is open and the rate allows it.

use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::blame::Blame;
use super::circuit::Circuit;
use super::controller::{BorneRate, Controller, RateCheckpoint, Turn};
use super::gate::Gate;
use super::limiter::Limiter;
use super::meter::{ClockReading, Meter};
use super::rate::{self, Pacing};
use super::retry;
use crate::domain::limit_signal::LimitSignal;

/// The longest pause that is taken, whatever the service asks for. A longer one is most likely a mistake, and
/// if it isn't, the next answer asks for it again.
pub const MAX_PAUSE: Duration = Duration::from_secs(600);

/// The longest pause that is taken because an answer foretells it. If it is too short, a refusal says so.
pub const MAX_FORETOLD: Duration = Duration::from_secs(60);

/// The number of pauses in a row for which the service is believed that they can be as short as it says.
const BELIEVED_IN_A_ROW: u32 = 2;

/// What the shortest pause grows to from then on, as it does where nothing is said. A quota of a minute is waited for
/// with ten refusals or so, and no longer than this beyond its end.
const NOT_SO_SHORT: Duration = Duration::from_secs(10);

/// The pace of a run, which all workers share: every request, read or write, waits here for its turn.
#[derive(Debug)]
pub struct Pace {
    /// The queue of requests, whose head holds the lock. tokio's mutex is fair: it goes to the tasks in the
    /// order in which they asked for it, which governor alone doesn't see to.
    queue: Mutex<Limiter>,
    controller: StdMutex<Controller>,
    /// Wakes the head of the queue where the rate has changed, since its wait may be shorter now.
    changed: Notify,
    gate: Arc<Gate>,
    circuit: Circuit,
    blame: Blame,
    meter: Meter,
    begun: Instant,
}

/// A pause of the whole run after a throttled answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// How long it lasts, which may be less than the service asked for.
    pub length: Duration,
    /// How many pauses there were since a request was let through, this one included. Requests that were in
    /// flight together are throttled together, which counts as one pause.
    pub in_a_row: u32,
}

/// How long requests waited, by reason, in wall time: two workers that wait at once count once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WaitTimes {
    /// Time in which at least one request waited for the rate limit, and for nothing else.
    pub waiting_for_rate: Duration,
    /// Time in which the gate was shut because the service had asked for a pause.
    pub paused_by_server: Duration,
    /// Time in which the circuit breaker was open, and the gate not shut. Requests of a purpose that it
    /// doesn't hold back may have waited for the rate meanwhile.
    pub held_back: Duration,
}

/// The rate that the controller uses at present.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoundRate {
    /// Requests a second.
    pub per_second: f64,
    /// Whether the service has throttled; if it hasn't, it may accept a higher rate.
    pub throttled: bool,
}

/// What the next request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// Nothing.
    Nothing,
    /// The rate limit.
    Rate,
    /// The end of a pause that the service asked for.
    Server {
        /// When it ends.
        until: Instant,
    },
    /// The time of the circuit breaker's next probe.
    Probe {
        /// When it comes.
        at: Instant,
    },
    /// The answer to a probe of the circuit breaker that is in flight.
    Answer,
}

impl Pace {
    /// Returns the pace of a run that has made no request yet.
    pub fn new(pacing: Pacing) -> Self {
        let controller = match pacing {
            Pacing::Fixed(rate) => Controller::up_to(rate.interval()),
            Pacing::Auto => Controller::seeking(rate::SHORTEST),
        };
        let gate = Arc::new(Gate::default());
        Self {
            queue: Mutex::new(Limiter::new(controller.interval())),
            controller: StdMutex::new(controller),
            changed: Notify::new(),
            circuit: Circuit::behind(Arc::clone(&gate)),
            blame: Blame::default(),
            gate,
            meter: Meter::default(),
            begun: Instant::now(),
        }
    }

    /// Waits for the gate, then for the rate; the request may be sent when this returns.
    ///
    /// Dropping the future uses up no turn. The caller reports the answer with [`Self::answered`] or
    /// [`Self::throttled`]; a request without an answer is not reported.
    pub async fn turn(&self) -> Turn {
        let asked = Instant::now();
        let mut limiter = self.queue.lock().await;
        let mut waiting = None;
        loop {
            self.gate.wait_until_open().await;
            // Time in which the gate was shut doesn't count as waiting for the rate.
            let asked = self.gate.opening().map_or(asked, |opening| asked.max(opening));
            let interval = self.controller().interval();
            match limiter.take(asked, interval) {
                Ok(due) => return self.controller().granted(self.since_begun(), asked < due),
                Err(free_at) => {
                    if waiting.is_none() {
                        waiting = Some(RateWait::begin(self));
                        self.controller().waits();
                    }
                    // The gate may be shut during this sleep, so it is checked again before the turn is taken.
                    tokio::select! {
                        () = sleep_until(free_at) => {}
                        () = self.changed.notified() => {}
                    }
                }
            }
        }
    }

    /// Records that a request was let through: it was answered, and not with a throttle.
    pub fn answered(&self, turn: Turn) {
        self.adapt(|controller, now| controller.answered(now, turn));
    }

    /// Records that a request was throttled: shuts the gate, and lowers the rate. Pauses that overlap last
    /// until the latest of their ends.
    ///
    /// `asked` is the value of `Retry-After`. Where there was none, or zero, which would let a throttled
    /// run go on at full speed, the pause grows with the throttles in a row: 1 s, 2 s, 4 s … 60 s. It is
    /// capped at [`MAX_PAUSE`]. After `BELIEVED_IN_A_ROW` pauses that were too short, the shortest grows in the same
    /// way, up to `NOT_SO_SHORT`.
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

    /// Heeds what an answer says of how much may be asked for: goes at the rate that the service says it grants, and
    /// waits, for no longer than `MAX_FORETOLD`, where nothing more is granted before.
    pub fn heed(&self, turn: Turn, signal: LimitSignal) {
        self.adapt(|controller, now| {
            if let Some(rate) = signal.rate() {
                controller.aim_at(now, rate);
            }
            let wait = signal.wait().map(|wait| wait.min(MAX_FORETOLD));
            if let Some(wait) = wait.filter(|_| controller.believes_pause(turn)) {
                debug!(seconds = wait.as_secs(), "limit used up");
                controller.foretold(now, turn, wait);
                self.gate.shut(self.begun + now, self.begun + now + wait);
            }
        });
    }

    /// Goes on with a rate that an earlier run bore. A run that was throttled itself does so only where it would be
    /// faster than that run's limit.
    pub fn begin_at(&self, borne: BorneRate) {
        self.adapt(|controller, now| controller.begin_at(now, borne));
    }

    /// Returns the rate that this run bore, where it sustained one.
    pub fn borne(&self) -> Option<BorneRate> {
        self.controller().borne()
    }

    /// Returns the controller's state, for [`Self::roll_back`].
    pub fn checkpoint(&self) -> RateCheckpoint {
        self.controller().checkpoint()
    }

    /// Takes back the effect on the rate of pauses that turned out to concern one referral alone. Does nothing
    /// where there were other pauses since the checkpoint.
    pub fn roll_back(&self, before: RateCheckpoint, pauses: u32) {
        self.adapt(|controller, now| controller.roll_back(now, before, pauses));
    }

    /// Returns the circuit breaker of the run, which a request asks before its turn and once more after it.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// Returns what is known of which refusals concern the whole run.
    pub fn blame(&self) -> &Blame {
        &self.blame
    }

    /// Returns the present rate.
    pub fn found_rate(&self) -> FoundRate {
        let controller = self.controller();
        FoundRate { per_second: controller.rate(), throttled: controller.was_throttled() }
    }

    /// Waits until the service asks for a pause; returns at once during one.
    pub async fn wait_for_pause(&self) {
        self.gate.wait_until_shut().await;
    }

    /// Returns how long the gate has been shut in all, because the service had asked for pauses.
    pub fn paused_for(&self) -> Duration {
        self.gate.shut_for(Instant::now())
    }

    /// Returns whether a pause is under way that the service asked for.
    pub fn is_paused(&self) -> bool {
        self.gate.shut_until(Instant::now()).is_some()
    }

    /// Returns the time spent waiting so far.
    pub fn wait_times(&self) -> WaitTimes {
        let now = self.clock_reading();
        WaitTimes {
            waiting_for_rate: self.meter.total(now),
            paused_by_server: now.shut,
            held_back: self.circuit.open_for(),
        }
    }

    /// Returns what the next request waits for, for the progress display.
    pub fn wait_reason(&self) -> WaitReason {
        match (self.gate.shut_until(Instant::now()), self.circuit.next_probe()) {
            (Some(until), _) => WaitReason::Server { until },
            (None, Some(at)) => WaitReason::Probe { at },
            (None, None) if self.circuit.is_probing() => WaitReason::Answer,
            (None, None) if self.meter.is_running() => WaitReason::Rate,
            (None, None) => WaitReason::Nothing,
        }
    }

    /// Updates the controller, and wakes the head of the queue where that changed the rate.
    fn adapt<R>(&self, update: impl FnOnce(&mut Controller, Duration) -> R) -> R {
        let mut controller = self.controller();
        let before = controller.interval();
        let result = update(&mut controller, self.since_begun());
        if controller.interval() != before {
            debug!(per_second = controller.rate(), "rate changed");
            self.changed.notify_one();
        }
        result
    }

    fn since_begun(&self) -> Duration {
        self.begun.elapsed()
    }

    fn clock_reading(&self) -> ClockReading {
        let at = Instant::now();
        ClockReading { at, shut: self.gate.shut_for(at) }
    }

    /// A poisoned lock is taken all the same: the rate of a controller that panicked is unreliable, but never
    /// above the user's.
    fn controller(&self) -> MutexGuard<'_, Controller> {
        self.controller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the length of the pause after a throttle.
fn length(asked: Option<Duration>, in_a_row: u32) -> Duration {
    match asked {
        Some(asked) if !asked.is_zero() => {
            let too_short = in_a_row.saturating_sub(BELIEVED_IN_A_ROW);
            let least = if too_short > 0 {
                retry::default_pause(too_short).min(NOT_SO_SHORT)
            } else {
                Duration::ZERO
            };
            asked.clamp(least, MAX_PAUSE)
        }
        _ => retry::default_pause(in_a_row),
    }
}

/// Runs the meter while the head of the queue waits, and stops it also where the wait is cancelled.
struct RateWait<'a>(&'a Pace);

impl<'a> RateWait<'a> {
    fn begin(pace: &'a Pace) -> Self {
        pace.meter.start(pace.clock_reading());
        Self(pace)
    }
}

impl Drop for RateWait<'_> {
    fn drop(&mut self) {
        self.0.meter.stop(self.0.clock_reading());
    }
}

#[cfg(test)]
mod tests;
