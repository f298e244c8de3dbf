//! What all workers of a run share, and how a worker makes a request: it waits for its turn, and acts on what
//! follows from a failure.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use super::event::Event;
use super::in_flight::{Flight, Flights};
use super::outage::{description, failure_kind, stop_reason};
use super::request_counts::RequestCounts;
use super::request_state::RequestState;
use super::service::Api;
use super::slots::{Slot, Slots};
use super::stop::{Stop, StopReason};
use crate::domain::exchange::Failure;
use crate::domain::item::Item;
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;
use crate::domain::step::Waits;
use crate::pace::circuit::{BreakerEffect, Permit, Purpose};
use crate::pace::retry::{Decision, TokenProblem, back_off, decide};
use crate::pace::{Pace, Turn};

mod lap;
mod reads;
mod refused;

use lap::Lap;

/// What all workers of a run share.
pub struct Context<'a, A> {
    /// The service.
    pub api: &'a A,
    /// Gives each request its turn.
    pub pace: &'a Pace,
    /// Stops the run.
    pub stop: &'a Stop,
    /// Returns the time by the wall clock.
    pub clock: fn() -> Timestamp,
    /// The places for requests in flight.
    pub slots: Slots,
    /// The timeout of each request.
    pub timeout: Duration,
    /// The operations in flight.
    pub flights: Flights,
    /// Receives every event.
    pub observe: &'a (dyn Fn(Event) + Sync),
    /// The number of requests made.
    pub counts: Arc<RequestCounts>,
    /// Makes an item anew for a referral that another user changed; `None` where the user doesn't want that.
    pub rebase: Option<&'a Rebase<'a>>,
}

/// Makes an item anew for the referral as it is now, or says why that may not be sent.
pub type Rebase<'a> = dyn Fn(&Item, &Snapshot<'_>) -> Result<Item, String> + Sync + 'a;

/// What a worker does after a failed request, once everything has been waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterFailure {
    /// Send the same request again: it was not applied. The failed try is charged to it.
    Again,
    /// Send the same request again without charging the failed try: the run was paused, or has another token.
    AgainUncharged,
    /// Read the referral back, to find out whether the request was applied.
    ReadBack,
    /// The referral has another version: another user changed it, or an earlier attempt did.
    Conflict,
    /// The service refused the request.
    Refused,
    /// The request was tried often enough, and is known not to be applied.
    GiveUp,
    /// The run is stopped.
    Stopped,
}

impl<A: Api> Context<'_, A> {
    /// Waits until a request may be sent: for the circuit breaker, a place, a token, the gate and the rate.
    /// Returns `true` and charges the try; `false` where the run is stopped first.
    pub async fn turn(&self, request_state: &mut RequestState<'_>) -> bool {
        let stopped = async {
            self.stop.wait().await;
            // A request that settles an item in doubt is still sent after a stop. It waits for its turn, but
            // not for a pause, which may last minutes: `resume` can settle the item later.
            if request_state.is_through_stop() {
                tokio::select! {
                    () = self.pace.wait_for_pause() => {}
                    () = self.pace.circuit().wait_until_held(request_state.purpose) => {}
                }
            }
        };
        // Biased, so that a run that was stopped sends nothing more where a turn is free at the same time.
        let granted = tokio::select! {
            biased;
            () = stopped => None,
            granted = self.granted(request_state) => Some(granted),
        };
        let granted = granted.map(|(turn, permit, waits)| {
            request_state.waits.add(waits);
            (turn, permit)
        });
        request_state.tries += u32::from(granted.is_some());
        request_state.token = Some(self.api.generation());
        request_state.among = self.flights.requests() + 1;
        (request_state.turn, request_state.permit) = granted
            .map_or((None, Permit::Free), |(turn, permit)| {
                (Some((turn, self.pace.blame().record_sent())), permit)
            });
        granted.is_some()
    }

    /// Reports an event to the observer and to the diagnostics.
    pub fn tell(&self, event: Event) {
        event.note();
        (self.observe)(event);
    }

    /// Waits for the first place of a task. Returns `false` where the run is stopped first.
    pub async fn begin(&self, slot: &Slot) -> bool {
        tokio::select! {
            biased;
            () = self.stop.wait() => false,
            () = slot.take() => true,
        }
    }

    /// Waits until a request may be sent, however long that takes. Returns what was waited for, too.
    async fn granted(&self, request_state: &RequestState<'_>) -> (Turn, Permit, Waits) {
        let purpose = request_state.purpose;
        let mut waits = Waits::default();
        loop {
            // A request that is held back doesn't need its place, and the probe that would end that may be
            // waiting for one.
            if !self.pace.circuit().admits(purpose, Permit::Free) {
                request_state.slot.leave();
            }
            let lap = Lap::begin(self.pace);
            let permit = self.pace.circuit().permit(purpose).await;
            lap.end(&mut waits, |waits| &mut waits.held_back);
            request_state.slot.take().await;
            // Fetched before the turn is taken: that may take so long that a pause begins meanwhile.
            if !self.api.has_token() {
                let _under_way = self.flights.begin(Flight::Token);
                self.api.fetch_token().await;
            }
            let lap = Lap::begin(self.pace);
            let turn = self.pace.turn().await;
            lap.end(&mut waits, |waits| &mut waits.rate);
            // While this request waited for its turn, the circuit may have opened or the token expired.
            if self.may_leave(purpose, permit) {
                return (turn, permit, waits);
            }
            self.pace.circuit().inconclusive(permit);
        }
    }

    /// Returns whether a request that has its turn may be sent: no pause has begun, its permit is still good,
    /// and there is a token.
    fn may_leave(&self, purpose: Purpose, permit: Permit) -> bool {
        !self.pace.is_paused() && self.pace.circuit().admits(purpose, permit) && self.api.has_token()
    }

    /// Watches what is in flight, and stops the run where none of it can be expected to end. Completes only
    /// then.
    pub async fn watch(&self) {
        let warn = |time, under_way: &str| {
            self.tell(Event::Quiet { time, under_way: under_way.to_owned() });
        };
        let under_way = self.flights.watch(self.timeout, warn).await;
        self.stop.now(StopReason::Stalled(under_way));
    }

    /// Returns whether a request may still be sent that had its turn and has waited for something else since,
    /// such as for its intent to be on disk. Where the gate was shut meanwhile, the circuit opened, or the
    /// token expired, it waits for another turn, so that the requests held back are not sent all at once.
    pub async fn keep_turn(&self, request_state: &mut RequestState<'_>) -> bool {
        if self.stop.is_set() {
            return false;
        }
        if self.may_leave(request_state.purpose, request_state.permit) {
            return true;
        }
        self.pace.circuit().inconclusive(request_state.permit);
        request_state.tries -= 1;
        self.turn(request_state).await
    }

    /// Counts a PATCH that is sent; `again` says whether it repeats an earlier one.
    pub fn count_patch(&self, again: bool) {
        self.counts.patch.add();
        if again {
            self.counts.retried.add();
        }
    }

    /// Records that a request succeeded.
    pub fn answered(&self, request_state: &RequestState<'_>) {
        self.let_through(request_state);
        self.token_taken(request_state);
        self.report_success_to_circuit(request_state);
    }

    /// Records that an answer was no throttle.
    fn let_through(&self, request_state: &RequestState<'_>) {
        if let Some((turn, left)) = request_state.turn {
            self.pace.answered(turn);
            if let Some(signal) = self.api.take_limits() {
                self.pace.heed(turn, signal);
            }
            self.slots.let_through(request_state.among);
            self.pace.blame().let_through(request_state.subject(), left);
        }
    }

    /// Records that the service accepted the token of a request.
    fn token_taken(&self, request_state: &RequestState<'_>) {
        if let (Some((_, left)), Some(token)) = (request_state.turn, request_state.token) {
            self.pace.blame().token_taken(request_state.referral, token.0, left);
        }
    }

    /// Drops what is known of a referral for which no more requests are made.
    pub fn forget(&self, referral: ReferralId) {
        self.pace.blame().forget(referral);
    }

    /// Records that the service answers requests of this purpose, whatever it says of the referral, and
    /// closes the circuit where that was what it waited for.
    fn report_success_to_circuit(&self, request_state: &RequestState<'_>) {
        if self.pace.circuit().answered(request_state.purpose) {
            self.tell(Event::Released);
        }
    }

    /// Decides what follows from a failure, and waits where it has to be waited.
    pub async fn after(&self, failure: &Failure, request_state: &mut RequestState<'_>) -> AfterFailure {
        let decision = decide(request_state.operation(), failure, request_state.tries);
        info!(
            status = failure.status(),
            failure = failure.kind(),
            tries = request_state.tries,
            ?decision,
            "request failed"
        );
        if let Some(throttle) = self.throttle(decision, failure, request_state) {
            return self.throttled(throttle, failure, request_state).await;
        }
        request_state.pauses = None;
        let held = self.report_to_circuit(failure, request_state);
        // A failure that the circuit breaker attributes to the service is not charged to the request.
        request_state.tries -= u32::from(held);
        let decision = decide(request_state.operation(), failure, request_state.tries);
        // A server error says nothing of which rate the service accepts.
        if failure.status().is_some_and(|status| status < 500) {
            self.let_through(request_state);
        }
        if decision != Decision::Renew {
            // The token was accepted, so a later refusal is of another token and counts anew.
            request_state.renewals = 0;
            if failure.status().is_some_and(|status| status < 500) {
                self.token_taken(request_state);
            }
        }
        match decision {
            Decision::Pause { .. } => unreachable!("a pause is a throttle"),
            // The circuit breaker sets the pause instead.
            Decision::Again { .. } if held => AfterFailure::Again,
            Decision::Again { after } => {
                if self.wait(after, failure.message(), request_state).await {
                    AfterFailure::Again
                } else {
                    AfterFailure::Stopped
                }
            }
            Decision::ReadBack => AfterFailure::ReadBack,
            Decision::Conflict => AfterFailure::Conflict,
            Decision::Refused => AfterFailure::Refused,
            Decision::GiveUp => AfterFailure::GiveUp,
            Decision::Renew => {
                request_state.tries -= 1;
                self.renew(failure, request_state).await
            }
            Decision::Stop(TokenProblem::NoToken) => {
                self.end(StopReason::without_token(failure, StopReason::NoToken))
            }
            Decision::Stop(TokenProblem::MfaRequired) => {
                let why = failure.wording().say("; sign in again with multi-factor authentication");
                self.end(StopReason::refused_until_sign_in(why))
            }
            Decision::Stop(TokenProblem::ClaimsRequired) => self.satisfy(request_state).await,
        }
    }

    /// Waits before a request that was not applied is sent again. Returns `false` where the run is stopped
    /// first.
    pub async fn back_off(&self, why: &str, request_state: &mut RequestState<'_>) -> bool {
        self.wait(back_off(request_state.tries), why, request_state).await
    }

    /// Waits before a referral is read back for the `nth` time after the first. Returns `false` where the run
    /// is stopped first.
    pub async fn wait_to_read_back(&self, why: &str, nth: u32, request_state: &mut RequestState<'_>) -> bool {
        self.wait(back_off(nth), why, request_state).await
    }

    async fn wait(&self, time: Duration, why: &str, request_state: &mut RequestState<'_>) -> bool {
        self.tell(Event::Retry(why.to_owned()));
        request_state.waits.back_off += time;
        if request_state.is_through_stop() {
            tokio::time::sleep(time).await;
            return true;
        }
        tokio::select! {
            biased;
            () = self.stop.wait() => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    /// Reports a failure to the circuit breaker. Returns whether the breaker attributes it to the service, so
    /// that it isn't charged to the request. Stops the run where the last probe failed.
    fn report_to_circuit(&self, failure: &Failure, request_state: &RequestState<'_>) -> bool {
        let RequestState { purpose, referral, permit, .. } = *request_state;
        let failure_kind = match decide(request_state.operation(), failure, request_state.tries) {
            Decision::Renew | Decision::Stop(_) => {
                self.pace.circuit().inconclusive(permit);
                return false;
            }
            decision => failure_kind(decision, failure, purpose),
        };
        let Some(failure_kind) = failure_kind else {
            self.report_success_to_circuit(request_state);
            return false;
        };
        match self.pace.circuit().failed(purpose, failure_kind, referral, permit) {
            BreakerEffect::Nothing => return false,
            BreakerEffect::Held => {}
            BreakerEffect::Opened(pause) => {
                self.tell(Event::Held { why: description(failure_kind, purpose, failure), pause });
            }
            BreakerEffect::GivenUp => self.stop.now(stop_reason(failure_kind, purpose, failure)),
        }
        true
    }

    fn end(&self, reason: StopReason) -> AfterFailure {
        self.stop.now(reason);
        AfterFailure::Stopped
    }
}

#[cfg(test)]
mod tests;
