//! The circuit breaker: after a streak of failures of one kind it holds requests back for a while, then lets
//! one through as a probe, and closes when the probe is answered.
//!
//! A failure of one referral says nothing of the service. So failures are counted by the purpose of the
//! request and by their kind, and the circuit opens only after a number of them in a row that concern several
//! referrals. While it is open, a failure is not charged to its request as a try: an outage that ends in time
//! leaves no row failed.
//!
//! | purpose, and how it fails | failures in a row | referrals | held back | pauses before a probe |
//! |---|---|---|---|---|
//! | any, unreachable, where the service was reached before | 5 | 1 | all | 5, 10 and 20 s |
//! | read back what is in doubt, unanswered | 5 | 4 | reading back and changes | 5, 10 and 20 s |
//! | fetch, unanswered | 10 | 4 | fetches | 5, 10 and 20 s |
//! | change, unanswered | 10 | 4 | changes | 5, 10 and 20 s |
//! | change, forbidden | 25 | 1 | changes | 5 s |
//!
//! "Unanswered" is a time-out, an incomplete answer, or a server error. The number of referrals is four
//! because that is the default concurrency: the circuit is to open before any row has spent all its tries.
//! Reading back has the lowest limit, because a row whose doubt cannot be settled stays in doubt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::gate::Gate;
use super::meter::{ClockReading, Meter};
use crate::domain::referral::ReferralId;

/// The purpose of a request. The circuit breaker counts the failures of each purpose separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A GET for a plan.
    Fetch,
    /// A PATCH.
    Change,
    /// A GET that finds out whether a PATCH was applied.
    ReadBack,
}

/// The kind of a failure that may concern the service as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection could be made, so nothing was sent.
    Unreachable,
    /// A time-out, an incomplete answer, or a server error.
    Unanswered,
    /// A change was forbidden: the user lacks a role, or a policy excludes them.
    Forbidden,
}

/// The circuit breaker's permission to send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// The circuit is closed for this request.
    Free,
    /// The circuit is open, and this request is its only probe. The number tells it from an earlier probe
    /// that became void before it was sent, because the circuit is now open for another cause.
    Probe(u64),
}

/// What a failure does to the circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerEffect {
    /// The circuit stays closed for such requests.
    Nothing,
    /// The circuit was open already; the failure is not charged to the request.
    Held,
    /// The circuit opened, or stays open after a failed probe, for this time until the next probe. The
    /// failure is not charged to the request.
    Opened(Duration),
    /// The last probe failed: the run has to end.
    GivenUp,
}

/// When the circuit opens for a cause, and for how long.
struct Limit {
    /// The number of failures in a row that opens it.
    in_a_row: u32,
    /// The least number of referrals that these failures concern.
    referrals: usize,
    /// The time before each probe.
    pauses: &'static [Duration],
}

/// The time before each probe, 35 seconds in all; after that the run ends.
const PAUSES: &[Duration] = &[Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];

/// The time before the only probe of changes that are forbidden. Waiting rarely helps there: the probe only
/// tells a short disturbance from a policy.
const ONE_PAUSE: &[Duration] = &[Duration::from_secs(5)];

const fn limit(purpose: Purpose, failure: FailureKind) -> Limit {
    match (failure, purpose) {
        (FailureKind::Unreachable, _) => Limit { in_a_row: 5, referrals: 1, pauses: PAUSES },
        (FailureKind::Unanswered, Purpose::ReadBack) => Limit { in_a_row: 5, referrals: 4, pauses: PAUSES },
        (FailureKind::Unanswered, _) => Limit { in_a_row: 10, referrals: 4, pauses: PAUSES },
        (FailureKind::Forbidden, _) => Limit { in_a_row: 25, referrals: 1, pauses: ONE_PAUSE },
    }
}

/// The circuit breaker of a run. It is closed at first.
#[derive(Debug, Default)]
pub struct Circuit {
    breaker: Mutex<Breaker>,
    /// Wakes the waiting tasks where it was opened or closed, or where another probe may be sent.
    changed: Notify,
    /// Measures how long it is open.
    meter: Meter,
    /// The gate of the run: while that is shut, waiting is not the circuit breaker's doing.
    gate: Arc<Gate>,
}

/// The state of the circuit breaker.
#[derive(Debug, Default)]
struct Breaker {
    /// Whether the service ever answered. One that was never reached is not waited for: most likely its
    /// address is wrong.
    answered: bool,
    streaks: Vec<Streak>,
    open: Option<Open>,
    /// The number of the last probe.
    probes: u64,
}

/// Failures in a row of one cause.
#[derive(Debug)]
struct Streak {
    cause: Cause,
    count: u32,
    /// The referrals they concern, no more than the limit asks for. `None` stands for list pages.
    referrals: Vec<Option<ReferralId>>,
}

/// A purpose and a kind of failure, which together open the circuit.
#[derive(Debug, Clone, Copy)]
struct Cause {
    purpose: Purpose,
    failure: FailureKind,
}

impl Cause {
    /// Returns whether failures of both causes count in one streak. Where the service is unreachable, the
    /// purpose makes no difference.
    fn is_like(self, other: Self) -> bool {
        self.failure == other.failure
            && (self.failure == FailureKind::Unreachable || self.purpose == other.purpose)
    }

    /// Returns whether an answer to a request of this purpose shows that the cause is gone.
    fn is_over_for(self, purpose: Purpose) -> bool {
        self.failure == FailureKind::Unreachable || self.purpose == purpose
    }

    /// Returns whether requests of this purpose are held back.
    fn holds(self, purpose: Purpose) -> bool {
        // Where nothing can be read back, a change whose answer gets lost would stay in doubt. So no change
        // is sent either.
        self.is_over_for(purpose) || (self.purpose, purpose) == (Purpose::ReadBack, Purpose::Change)
    }
}

/// An open circuit.
#[derive(Debug)]
struct Open {
    cause: Cause,
    /// The number of probes that failed.
    failed: usize,
    probe: Probe,
}

/// The probe of an open circuit. There is one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// The next probe may be sent at this time.
    Due(Instant),
    /// The probe of this number has its permit, and no answer yet.
    UnderWay(u64),
}

impl Circuit {
    /// Returns a closed circuit of a run with this gate.
    pub(super) fn behind(gate: Arc<Gate>) -> Self {
        Self { gate, ..Self::default() }
    }

    /// Returns how long the circuit has been open in all, pauses that the service asked for not counted.
    /// Requests of another purpose may have gone on meanwhile.
    pub fn open_for(&self) -> Duration {
        self.meter.total(self.clock_reading())
    }

    fn clock_reading(&self) -> ClockReading {
        let at = Instant::now();
        ClockReading { at, shut: self.gate.shut_for(at) }
    }

    /// Waits until a request of this purpose may be sent.
    pub async fn permit(&self, purpose: Purpose) -> Permit {
        loop {
            // Created before the state is checked, so that a change in between is not missed.
            let changed = self.changed.notified();
            let next = match self.breaker().ask(purpose, Instant::now()) {
                Ok(permit) => return permit,
                Err(next) => next,
            };
            match next {
                Some(next) => sleep_until(next).await,
                None => changed.await,
            }
        }
    }

    /// Returns whether a permit is still good, after whatever else its request had to wait for.
    pub fn admits(&self, purpose: Purpose, permit: Permit) -> bool {
        !self.breaker().open.as_ref().is_some_and(|open| open.cause.holds(purpose) && !open.waits_for(permit))
    }

    /// Waits until requests of this purpose are held back; returns at once where they are.
    pub async fn wait_until_held(&self, purpose: Purpose) {
        loop {
            let changed = self.changed.notified();
            if !self.admits(purpose, Permit::Free) {
                return;
            }
            changed.await;
        }
    }

    /// Returns when the next probe is sent, where the circuit is open and no probe is in flight.
    pub fn next_probe(&self) -> Option<Instant> {
        match self.breaker().open.as_ref()?.probe {
            Probe::Due(next) => Some(next),
            Probe::UnderWay(_) => None,
        }
    }

    /// Returns whether the circuit is open and a probe is in flight.
    pub fn is_probing(&self) -> bool {
        self.breaker().open.as_ref().is_some_and(|open| matches!(open.probe, Probe::UnderWay(_)))
    }

    /// Records an answer that shows the service at work: a success, or a refusal that concerns the referral.
    /// Returns whether that closed the circuit.
    pub fn answered(&self, purpose: Purpose) -> bool {
        let mut breaker = self.breaker();
        let closed = breaker.answered(purpose);
        if closed {
            self.meter.stop(self.clock_reading());
            drop(breaker);
            self.changed.notify_waiters();
        }
        closed
    }

    /// Records that a request ended in a way that says nothing of the service: it was throttled, not sent, or
    /// its token was refused. Where it was the probe, another request becomes the probe.
    pub fn inconclusive(&self, permit: Permit) {
        if let Some(open) = self.breaker().open.as_mut().filter(|open| open.waits_for(permit)) {
            open.probe = Probe::Due(Instant::now());
            self.changed.notify_waiters();
        }
    }

    /// Records a failure. `referral` is `None` for a list page.
    pub fn failed(
        &self,
        purpose: Purpose,
        failure: FailureKind,
        referral: Option<ReferralId>,
        permit: Permit,
    ) -> BreakerEffect {
        let mut breaker = self.breaker();
        let follows = breaker.failed(Cause { purpose, failure }, referral, permit, Instant::now());
        if breaker.open.is_some() && !self.meter.is_running() {
            self.meter.start(self.clock_reading());
        }
        drop(breaker);
        if follows != BreakerEffect::Nothing {
            self.changed.notify_waiters();
        }
        follows
    }

    /// Every change above leaves the state whole, so a poisoned lock holds nothing wrong.
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Breaker {
    /// Returns a permit, or else the time at which to ask again; `Err(None)` where that is unknown, and the
    /// request waits until the state changes.
    fn ask(&mut self, purpose: Purpose, now: Instant) -> Result<Permit, Option<Instant>> {
        let Some(open) = self.open.as_mut().filter(|open| open.cause.holds(purpose)) else {
            return Ok(Permit::Free);
        };
        if !open.cause.is_over_for(purpose) {
            return Err(None);
        }
        match open.probe {
            Probe::Due(next) if next <= now => {
                self.probes += 1;
                open.probe = Probe::UnderWay(self.probes);
                Ok(Permit::Probe(self.probes))
            }
            Probe::Due(next) => Err(Some(next)),
            Probe::UnderWay(_) => Err(None),
        }
    }

    fn answered(&mut self, purpose: Purpose) -> bool {
        self.answered = true;
        self.streaks.retain(|streak| !streak.cause.is_over_for(purpose));
        self.open.take_if(|open| open.cause.is_over_for(purpose)).is_some()
    }

    fn failed(
        &mut self,
        cause: Cause,
        referral: Option<ReferralId>,
        permit: Permit,
        now: Instant,
    ) -> BreakerEffect {
        let Limit { in_a_row, referrals, pauses } = limit(cause.purpose, cause.failure);
        if let Some(open) = &mut self.open {
            return open.failed(cause, permit, now);
        }
        if cause.failure == FailureKind::Unreachable && !self.answered {
            return BreakerEffect::Nothing;
        }
        let at = self.streaks.iter().position(|streak| streak.cause.is_like(cause)).unwrap_or_else(|| {
            self.streaks.push(Streak { cause, count: 0, referrals: Vec::new() });
            self.streaks.len() - 1
        });
        let streak = &mut self.streaks[at];
        streak.count += 1;
        if streak.referrals.len() < referrals && !streak.referrals.contains(&referral) {
            streak.referrals.push(referral);
        }
        if streak.count < in_a_row || streak.referrals.len() < referrals {
            return BreakerEffect::Nothing;
        }
        // Streaks are not counted while the circuit is open; all begin again once it closes.
        self.streaks.clear();
        self.open = Some(Open { cause, failed: 0, probe: Probe::Due(now + pauses[0]) });
        BreakerEffect::Opened(pauses[0])
    }
}

impl Open {
    /// Returns whether this is the permit of the probe that is under way.
    fn waits_for(&self, permit: Permit) -> bool {
        matches!((self.probe, permit), (Probe::UnderWay(out), Permit::Probe(number)) if out == number)
    }

    fn failed(&mut self, cause: Cause, permit: Permit, now: Instant) -> BreakerEffect {
        if !self.waits_for(permit) {
            let is_worse = cause.purpose == Purpose::ReadBack && cause.failure != FailureKind::Forbidden;
            if is_worse && !self.cause.holds(cause.purpose) {
                // Changes that were sent can't be settled either. That is worse than what opened the circuit,
                // so from now on it is what the probes test.
                self.cause = cause;
                if matches!(self.probe, Probe::UnderWay(_)) {
                    self.probe = Probe::Due(now);
                }
            }
            // The request had been sent before the circuit opened.
            return if self.cause.holds(cause.purpose) {
                BreakerEffect::Held
            } else {
                BreakerEffect::Nothing
            };
        }
        self.failed += 1;
        let pauses = limit(self.cause.purpose, self.cause.failure).pauses;
        match pauses.get(self.failed) {
            // Any failure of a probe counts, also one of another kind.
            Some(pause) => {
                self.probe = Probe::Due(now + *pause);
                BreakerEffect::Opened(*pause)
            }
            None => BreakerEffect::GivenUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::JoinSet;

    use super::FailureKind::{Forbidden, Unanswered, Unreachable};
    use super::Purpose::{Change, Fetch, ReadBack};
    use super::*;

    const CAUSES: [(Purpose, FailureKind); 7] = [
        (Fetch, Unreachable),
        (Change, Unreachable),
        (ReadBack, Unreachable),
        (Fetch, Unanswered),
        (Change, Unanswered),
        (ReadBack, Unanswered),
        (Change, Forbidden),
    ];

    fn referral(number: usize) -> Option<ReferralId> {
        Some(format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap())
    }

    /// Returns the circuit of a service that has answered once.
    fn circuit() -> Circuit {
        let circuit = Circuit::default();
        assert!(!circuit.answered(Fetch));
        circuit
    }

    /// Lets requests for a number of referrals in turn fail until that opens the circuit. Returns how many
    /// failures that took, `None` where a hundred don't open it.
    fn open(circuit: &Circuit, purpose: Purpose, failure: FailureKind, referrals: usize) -> Option<usize> {
        (1..=100).find(|number| {
            match circuit.failed(purpose, failure, referral(number % referrals), Permit::Free) {
                BreakerEffect::Nothing => false,
                BreakerEffect::Opened(pause) => pause == PAUSES[0],
                other => panic!("{other:?}"),
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn it_takes_some_failures_and_some_referrals() {
        let mut table = String::new();
        for (purpose, failure) in CAUSES {
            let opened: Vec<_> = (1..=6)
                .map(|referrals| open(&circuit(), purpose, failure, referrals))
                .map(|opened| opened.map_or("-".to_owned(), |count| count.to_string()))
                .collect();
            table += &format!("{purpose:?} {failure:?}: {}\n", opened.join(" "));
        }
        assert_eq!(
            table,
            "Fetch Unreachable: 5 5 5 5 5 5\n\
             Change Unreachable: 5 5 5 5 5 5\n\
             ReadBack Unreachable: 5 5 5 5 5 5\n\
             Fetch Unanswered: - - - 10 10 10\n\
             Change Unanswered: - - - 10 10 10\n\
             ReadBack Unanswered: - - - 5 5 5\n\
             Change Forbidden: 25 25 25 25 25 25\n"
        );
    }

    /// A service that was never reached is not waited for.
    #[tokio::test(start_paused = true)]
    async fn a_service_that_was_never_reached_opens_nothing() {
        for purpose in [Fetch, Change, ReadBack] {
            assert_eq!(open(&Circuit::default(), purpose, Unreachable, 9), None);
        }
        assert!(open(&Circuit::default(), Fetch, Unanswered, 9).is_some(), "something is there");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_one_sort_say_nothing_of_another() {
        let circuit = circuit();
        for number in 0..9 {
            for (purpose, failure) in [(Change, Unanswered), (Change, Forbidden), (Fetch, Unanswered)] {
                let follows = circuit.failed(purpose, failure, referral(number), Permit::Free);
                assert_eq!(follows, BreakerEffect::Nothing, "{number} {purpose:?} {failure:?}");
            }
        }
        assert_eq!(
            circuit.failed(Fetch, Unanswered, None, Permit::Free),
            BreakerEffect::Opened(PAUSES[0]),
            "a list page counts, too"
        );
    }

    /// One failure less than it takes, an answer, and as many failures again. There is a column for each
    /// purpose that is answered.
    #[tokio::test(start_paused = true)]
    async fn an_answer_begins_the_row_anew() {
        let mut table = String::new();
        for (purpose, failure) in CAUSES {
            let enough = open(&circuit(), purpose, failure, 9).unwrap();
            let opened = [Fetch, Change, ReadBack].map(|answered| {
                let circuit = circuit();
                let fail = |number| circuit.failed(purpose, failure, referral(number), Permit::Free);
                for number in 1..enough {
                    assert_eq!(fail(number), BreakerEffect::Nothing);
                }
                assert!(!circuit.answered(answered));
                (enough..2 * enough - 1).find(|number| fail(*number) != BreakerEffect::Nothing).is_some()
            });
            table += &format!("{purpose:?} {failure:?}: {opened:?}\n");
        }
        assert_eq!(
            table,
            "Fetch Unreachable: [false, false, false]\n\
             Change Unreachable: [false, false, false]\n\
             ReadBack Unreachable: [false, false, false]\n\
             Fetch Unanswered: [false, true, true]\n\
             Change Unanswered: [true, false, true]\n\
             ReadBack Unanswered: [true, true, false]\n\
             Change Forbidden: [true, false, true]\n"
        );
    }

    /// What becomes of requests of each purpose while the circuit is open, and whether their answer closes
    /// it.
    #[tokio::test(start_paused = true)]
    async fn it_holds_what_would_fail_too() {
        let mut table = String::new();
        for (purpose, failure) in CAUSES {
            let asked = [Fetch, Change, ReadBack].map(|asking| {
                let circuit = circuit();
                open(&circuit, purpose, failure, 9).unwrap();
                let free = circuit.admits(asking, Permit::Free);
                let before = circuit.breaker().ask(asking, Instant::now());
                let after = circuit.breaker().ask(asking, Instant::now() + PAUSES[0]);
                let closes = if circuit.answered(asking) { ", closes" } else { "" };
                match (free, before, after) {
                    (true, Ok(Permit::Free), Ok(Permit::Free)) => format!("free{closes}"),
                    (false, Err(Some(_)), Ok(Permit::Probe(1))) => format!("probe{closes}"),
                    (false, Err(None), Err(None)) => format!("held{closes}"),
                    other => panic!("{other:?}"),
                }
            });
            table += &format!("{purpose:?} {failure:?}: {}\n", asked.join(" | "));
        }
        assert_eq!(
            table,
            "Fetch Unreachable: probe, closes | probe, closes | probe, closes\n\
             Change Unreachable: probe, closes | probe, closes | probe, closes\n\
             ReadBack Unreachable: probe, closes | probe, closes | probe, closes\n\
             Fetch Unanswered: probe, closes | free | free\n\
             Change Unanswered: free | probe, closes | free\n\
             ReadBack Unanswered: free | held | probe, closes\n\
             Change Forbidden: free | probe, closes | free\n"
        );
    }

    /// Lets `count` workers read back, and logs when each got its permit and whether it was the probe's.
    async fn workers(circuit: &Arc<Circuit>, count: usize, fails: fn(usize) -> bool) -> Vec<(u64, bool)> {
        let (start, log) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (circuit, log) = (Arc::clone(circuit), Arc::clone(&log));
            tasks.spawn(async move {
                loop {
                    let permit = circuit.permit(ReadBack).await;
                    let turn = {
                        let mut log = log.lock().unwrap();
                        log.push((start.elapsed().as_secs(), permit != Permit::Free));
                        log.len()
                    };
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if !fails(turn) {
                        circuit.answered(ReadBack);
                        return;
                    }
                    match circuit.failed(ReadBack, Unanswered, referral(number), permit) {
                        BreakerEffect::GivenUp => return,
                        BreakerEffect::Opened(_) => {}
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
        // A worker that waits for a probe's answer waits for ever where the probe's worker gave up.
        let _ = tokio::time::timeout(Duration::from_secs(3600), tasks.join_all()).await;
        Arc::into_inner(log).map_or_else(Vec::new, |log| log.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn one_asks_before_all_go_on() {
        let circuit = Arc::new(circuit());
        open(&circuit, ReadBack, Unanswered, 9).unwrap();
        let let_pass = workers(&circuit, 4, |turn| turn <= 2).await;
        // A probe after each pause, each of which takes a second; then all that are left.
        assert_eq!(let_pass, [(5, true), (16, true), (37, true), (38, false), (38, false), (38, false)]);
        assert_eq!(circuit.next_probe(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_asks_for_ever() {
        for (purpose, failure) in CAUSES {
            let circuit = circuit();
            open(&circuit, purpose, failure, 9).unwrap();
            let pauses = limit(purpose, failure).pauses;
            for (number, pause) in pauses.iter().enumerate() {
                assert_eq!(circuit.next_probe(), Some(Instant::now() + *pause));
                let permit = circuit.permit(purpose).await;
                assert_eq!((permit, circuit.next_probe()), (Permit::Probe(number as u64 + 1), None));
                let follows = circuit.failed(purpose, failure, None, permit);
                let next = pauses
                    .get(number + 1)
                    .map_or(BreakerEffect::GivenUp, |pause| BreakerEffect::Opened(*pause));
                assert_eq!(follows, next, "{purpose:?} {failure:?}");
            }
            circuit.wait_until_held(purpose).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_on_its_way_counts_for_nothing() {
        let circuit = circuit();
        open(&circuit, ReadBack, Unanswered, 9).unwrap();
        for number in 0..100 {
            let fail = |purpose| circuit.failed(purpose, Unanswered, referral(number), Permit::Free);
            assert_eq!(
                [fail(ReadBack), fail(Change), fail(Fetch)],
                [BreakerEffect::Held, BreakerEffect::Held, BreakerEffect::Nothing]
            );
        }
        assert_eq!(circuit.permit(ReadBack).await, Permit::Probe(1));
        assert!(circuit.answered(ReadBack));
        assert!(circuit.admits(Change, Permit::Free));
    }

    /// Where what was sent can't be read back either, reading back has to work again before any change is
    /// sent.
    #[tokio::test(start_paused = true)]
    async fn changes_that_cannot_be_settled_are_worse_than_changes_that_fail() {
        for (purpose, failure) in [(Change, Unanswered), (Change, Forbidden), (Fetch, Unanswered)] {
            let circuit = circuit();
            open(&circuit, purpose, failure, 9).unwrap();
            assert_eq!(circuit.permit(ReadBack).await, Permit::Free);
            let follows = circuit.failed(ReadBack, Unanswered, referral(1), Permit::Free);
            assert_eq!(follows, BreakerEffect::Held, "it costs no try");
            assert!(!circuit.admits(Change, Permit::Free) && !circuit.admits(ReadBack, Permit::Free));
            assert_eq!(circuit.permit(ReadBack).await, Permit::Probe(1));
            assert!(circuit.answered(ReadBack) && circuit.admits(Change, Permit::Free));
        }
    }

    /// From the failure that opens it to the answer that closes it, probes included; a pause that the service
    /// asks for is not counted.
    #[tokio::test(start_paused = true)]
    async fn the_time_that_it_is_open_is_known() {
        let gate = Arc::new(Gate::default());
        let circuit = Circuit::behind(Arc::clone(&gate));
        circuit.answered(Change);
        let open_for = || circuit.open_for().as_secs();
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(open_for(), 0);
        for (probes, pause, wanted) in [(1, 0, 5 + 2), (2, 0, 5 + 10 + 2), (1, 60, 5 + 2)] {
            let before = open_for();
            open(&circuit, Change, Unanswered, 9).unwrap();
            for probe in 1..=probes {
                let permit = circuit.permit(Change).await;
                if probe < probes {
                    circuit.failed(Change, Unanswered, None, permit);
                }
            }
            if pause > 0 {
                let now = Instant::now();
                gate.shut(now, now + Duration::from_secs(pause));
                tokio::time::advance(Duration::from_secs(pause)).await;
            }
            // The probe takes a while to be answered.
            tokio::time::advance(Duration::from_secs(2)).await;
            assert_eq!(open_for() - before, wanted, "still open");
            assert!(circuit.answered(Change));
            tokio::time::advance(Duration::from_secs(100)).await;
            assert_eq!(open_for() - before, wanted, "{probes} probes, a pause of {pause} s");
        }
    }

    /// A probe that has not been sent yet when a worse cause is found is not sent beside that cause's probe.
    #[tokio::test(start_paused = true)]
    async fn what_is_worse_makes_a_probe_void() {
        let circuit = circuit();
        open(&circuit, Change, Unanswered, 9).unwrap();
        let change = circuit.permit(Change).await;
        assert!(circuit.admits(Change, change));
        assert_eq!(circuit.failed(ReadBack, Unanswered, referral(1), Permit::Free), BreakerEffect::Held);
        assert!(!circuit.admits(Change, change));
        circuit.inconclusive(change);
        let reading = circuit.permit(ReadBack).await;
        assert_eq!((change, reading), (Permit::Probe(1), Permit::Probe(2)));
        // Should it have left already, it says nothing of the other.
        assert_eq!(circuit.failed(Change, Unanswered, referral(2), change), BreakerEffect::Held);
        circuit.inconclusive(change);
        assert_eq!(circuit.breaker().ask(ReadBack, Instant::now()), Err(None), "one is on its way");
        assert_eq!(
            circuit.failed(ReadBack, Unanswered, referral(1), reading),
            BreakerEffect::Opened(PAUSES[1])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_throttled_leaves_its_place_to_another() {
        let circuit = circuit();
        open(&circuit, Change, Forbidden, 9).unwrap();
        let permit = circuit.permit(Change).await;
        circuit.inconclusive(permit);
        assert_eq!(circuit.permit(Change).await, Permit::Probe(2));
        circuit.inconclusive(Permit::Free);
        assert_eq!(circuit.breaker().ask(Change, Instant::now()), Err(None), "one is on its way");
    }
}
