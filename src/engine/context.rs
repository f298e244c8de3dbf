//! What all workers of a run share, and how one of them makes a request.

mod refused;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use super::event::Event;
use super::in_flight::{Flight, Flights};
use super::outage::{description, failure_kind, stop_reason};
use super::request_counts::{Counter, RequestCounts};
use super::request_state::RequestState;
use super::service::Api;
use super::slots::{Slot, Slots};
use super::stop::{Reason, Stop};
use crate::api::{Page, PageLink};
use crate::domain::exchange::{Failure, Reply};
use crate::domain::item::Item;
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;
use crate::pace::circuit::{BreakerEffect, Permit, Purpose};
use crate::pace::retry::{Decision, StopReason, back_off, decide};
use crate::pace::{Pace, Turn};

/// What to do where a policy challenges the token.
const CLAIMS: &str = "a conditional-access policy wants another sign-in (insufficient_claims): sign in again, \
                      and carry on with a token that has the claims that are asked for";

/// What all workers of a run share.
pub struct Context<'a, A> {
    /// The service.
    pub api: &'a A,
    /// Whose turn it is.
    pub pace: &'a Pace,
    /// Whether to go on.
    pub stop: &'a Stop,
    /// The wall clock.
    pub clock: fn() -> Timestamp,
    /// Who may have a request in flight.
    pub slots: Slots,
    /// How long one of them may take.
    pub timeout: Duration,
    /// What is in flight.
    pub flights: Flights,
    /// Who is told what happens.
    pub observe: &'a (dyn Fn(Event) + Sync),
    /// What is counted.
    pub counts: Arc<RequestCounts>,
    /// Makes an item again for a referral that somebody else changed, where the user wants that.
    pub rebase: Option<&'a Rebase<'a>>,
}

/// Makes an item for a referral as it stands now, or says why that may not be sent.
pub type Rebase<'a> = dyn Fn(&Item, &Snapshot<'_>) -> Result<Item, String> + Sync + 'a;

/// What a worker does after a failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterFailure {
    /// The same request again; it was not applied, and what had to be waited for is over.
    Again,
    /// The same request again at no cost: the run as a whole was paused, or has another token.
    AgainFreely,
    /// Find out whether it was applied.
    ReadBack,
    /// Somebody else changed the referral.
    Conflict,
    /// The service said no.
    Refused,
    /// Enough tries; known not to be applied.
    GiveUp,
    /// The run ends.
    Stopped,
}

impl<A: Api> Context<'_, A> {
    /// Waits for a place, the circuit, the gate and the rate. `false` where the run is stopped first; else the
    /// attempt is charged.
    pub async fn turn(&self, request_state: &mut RequestState<'_>) -> bool {
        let stopped = async {
            self.stop.wait().await;
            // What settles something in flight is worth its turn still, but not a pause of minutes.
            if request_state.is_through_stop() {
                tokio::select! {
                    () = self.pace.wait_for_pause() => {}
                    () = self.pace.circuit().wait_until_held(request_state.purpose) => {}
                }
            }
        };
        let granted = tokio::select! {
            biased;
            () = stopped => None,
            granted = self.granted(request_state) => Some(granted),
        };
        request_state.tries += u32::from(granted.is_some());
        request_state.token = Some(self.api.generation());
        request_state.among = self.flights.requests() + 1;
        (request_state.turn, request_state.permit) = granted
            .map_or((None, Permit::Free), |(turn, permit)| {
                (Some((turn, self.pace.blame().departs())), permit)
            });
        granted.is_some()
    }

    /// Tells those who watch what happens, and the diagnostics.
    pub fn tell(&self, event: Event) {
        event.note();
        (self.observe)(event);
    }

    /// Waits for a place for a life that begins. `false` where the run is stopped first.
    pub async fn begin(&self, slot: &Slot) -> bool {
        tokio::select! {
            biased;
            () = self.stop.wait() => false,
            () = slot.take() => true,
        }
    }

    async fn granted(&self, request_state: &RequestState<'_>) -> (Turn, Permit) {
        let purpose = request_state.purpose;
        loop {
            // Who is held back has no use for a place, and whoever may ask for all could be waiting for one.
            if !self.pace.circuit().admits(purpose, Permit::Free) {
                request_state.slot.leave();
            }
            let permit = self.pace.circuit().permit(purpose).await;
            request_state.slot.take().await;
            // Not with a turn in hand: fetching a token may take longer than a pause does to come.
            if !self.api.has_token() {
                let _under_way = self.flights.begin(Flight::Token);
                self.api.fetch_token().await;
            }
            let turn = self.pace.turn().await;
            // It may have been opened while this one waited for its turn, or the token come to its end.
            if self.may_leave(purpose, permit) {
                return (turn, permit);
            }
            self.pace.circuit().inconclusive(permit);
        }
    }

    /// Whether nothing has come between a request and its turn.
    fn may_leave(&self, purpose: Purpose, permit: Permit) -> bool {
        !self.pace.is_paused() && self.pace.circuit().admits(purpose, permit) && self.api.has_token()
    }

    /// Watches over what is in flight, and stops the run where nothing of it will come to an end. Never ends
    /// else.
    pub async fn watch(&self) {
        let warn = |time, under_way: &str| {
            self.tell(Event::Quiet { time, under_way: under_way.to_owned() });
        };
        let under_way = self.flights.watch(self.timeout, warn).await;
        self.stop.now(Reason::Stalled(under_way));
    }

    /// Whether what had its turn, and waited for something else since, may still go out. Where the gate was
    /// shut meanwhile, the circuit opened, or the token came to its end, it waits for another turn, so that
    /// those that were held back don't leave all at once.
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

    /// Counts a PATCH that goes out; `again` where it repeats an earlier one.
    pub fn count_patch(&self, again: bool) {
        self.counts.patch.add();
        if again {
            self.counts.retried.add();
        }
    }

    /// Notes that a request did what it was to do.
    pub fn answered(&self, request_state: &RequestState<'_>) {
        self.let_through(request_state);
        self.token_taken(request_state);
        self.report_success_to_circuit(request_state);
    }

    /// Notes that an answer was no throttle.
    fn let_through(&self, request_state: &RequestState<'_>) {
        if let Some((turn, left)) = request_state.turn {
            self.pace.answered(turn);
            self.slots.let_through(request_state.among);
            self.pace.blame().let_through(request_state.about(), left);
        }
    }

    /// Notes that an answer had nothing to say against the token.
    fn token_taken(&self, request_state: &RequestState<'_>) {
        if let (Some((_, left)), Some(token)) = (request_state.turn, request_state.token) {
            self.pace.blame().token_taken(request_state.referral, token.0, left);
        }
    }

    /// Nothing more is asked for a referral.
    pub fn forget(&self, referral: ReferralId) {
        self.pace.blame().forget(referral);
    }

    /// Notes that the service does its work for requests of this sort, whatever it says of the referral.
    fn report_success_to_circuit(&self, request_state: &RequestState<'_>) {
        if self.pace.circuit().answered(request_state.purpose) {
            self.tell(Event::Released);
        }
    }

    /// Decides what follows from a failure, and waits as long as that takes.
    pub async fn after(&self, failure: &Failure, request_state: &mut RequestState<'_>) -> AfterFailure {
        let decision = decide(request_state.operation(), failure, request_state.tries);
        info!(
            status = failure.status(),
            failure = failure.kind(),
            tries = request_state.tries,
            ?decision,
            "a request failed"
        );
        if let Some(throttle) = self.throttle(decision, failure, request_state) {
            return self.throttled(throttle, failure, request_state).await;
        }
        request_state.pauses = None;
        let held = self.report_to_circuit(failure, request_state);
        // What the service as a whole is to blame for costs no try.
        request_state.tries -= u32::from(held);
        let decision = decide(request_state.operation(), failure, request_state.tries);
        // A server in trouble says nothing of how much it bears.
        if failure.status().is_some_and(|status| status < 500) {
            self.let_through(request_state);
        }
        if decision != Decision::Renew {
            // The token was good enough for another answer: the next one that expires is a new matter.
            request_state.renewals = 0;
            if failure.status().is_some_and(|status| status < 500) {
                self.token_taken(request_state);
            }
        }
        match decision {
            Decision::Pause { .. } => unreachable!("a pause is a throttle"),
            // The circuit is waited for instead.
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
            Decision::Stop(StopReason::NoToken) => self.end(Reason::NoToken(failure.wording())),
            Decision::Stop(StopReason::MfaRequired) => {
                let why = failure.wording().say("; sign in again with multi-factor authentication");
                self.end(Reason::Token(why))
            }
            // What the service says beside it may hold the challenge itself.
            Decision::Stop(StopReason::ClaimsRequired) => self.end(Reason::Token(CLAIMS.into())),
        }
    }

    /// Waits before a request that was not applied is sent again. `false` where the run is stopped first.
    pub async fn back_off(&self, why: &str, request_state: &RequestState<'_>) -> bool {
        self.wait(back_off(request_state.tries), why, request_state).await
    }

    /// Waits before a referral is read back for the `nth` time after the first. `false` where the run is stopped
    /// first.
    pub async fn look_later(&self, why: &str, nth: u32, request_state: &RequestState<'_>) -> bool {
        self.wait(back_off(nth), why, request_state).await
    }

    async fn wait(&self, time: Duration, why: &str, request_state: &RequestState<'_>) -> bool {
        self.tell(Event::Retry(why.to_owned()));
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

    /// Tells the circuit of a failure. Whether it is the service's as a whole, and all of its kind are held
    /// back. The run ends where that was tried and helped nothing.
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

    fn end(&self, reason: Reason) -> AfterFailure {
        self.stop.now(reason);
        AfterFailure::Stopped
    }

    /// Reads one referral once it has a place, repeating what may be repeated.
    ///
    /// # Errors
    /// The last failure, or `None` where the run was stopped first.
    pub async fn read(&self, id: ReferralId) -> Result<Reply, Option<Failure>> {
        let slot = self.slots.slot();
        if !self.begin(&slot).await {
            return Err(None);
        }
        let read = self.get(id, RequestState::new(Purpose::Fetch, Some(id), &slot)).await;
        self.forget(id);
        read
    }

    /// Reads one referral to settle what is in flight, also when the run has been stopped.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_to_settle(&self, id: ReferralId, slot: &Slot) -> Result<Reply, Option<Failure>> {
        self.get(id, RequestState::new(Purpose::ReadBack, Some(id), slot)).await
    }

    async fn get(&self, id: ReferralId, request_state: RequestState<'_>) -> Result<Reply, Option<Failure>> {
        let request = async || {
            let _under_way = self.flights.begin(Flight::Get(id));
            self.api.get(id).await
        };
        self.repeat(&self.counts.get, request_state, request).await
    }

    /// Reads a page of the list, repeating what may be repeated.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn page(&self, link: Option<&PageLink>) -> Result<Page, Option<Failure>> {
        let slot = self.slots.slot();
        let request_state = RequestState::new(Purpose::Fetch, None, &slot);
        let request = async || {
            let _under_way = self.flights.begin(Flight::List);
            self.api.list(link).await
        };
        self.repeat(&self.counts.list, request_state, request).await
    }

    async fn repeat<T>(
        &self,
        counter: &Counter,
        mut request_state: RequestState<'_>,
        request: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<T, Option<Failure>> {
        let mut again = false;
        loop {
            if !self.turn(&mut request_state).await {
                return Err(None);
            }
            counter.add();
            if std::mem::replace(&mut again, true) {
                self.counts.retried.add();
            }
            match request().await {
                Ok(answer) => {
                    self.answered(&request_state);
                    return Ok(answer);
                }
                Err(failure) => self.read_again(failure, &mut request_state).await?,
            }
        }
    }

    /// Waits before a GET is repeated; answers with the failure where it isn't to be.
    async fn read_again(
        &self,
        failure: Failure,
        request_state: &mut RequestState<'_>,
    ) -> Result<(), Option<Failure>> {
        match self.after(&failure, request_state).await {
            AfterFailure::Again | AfterFailure::AgainFreely => Ok(()),
            AfterFailure::Stopped => Err(None),
            AfterFailure::ReadBack
            | AfterFailure::Conflict
            | AfterFailure::Refused
            | AfterFailure::GiveUp => Err(Some(failure)),
        }
    }
}

#[cfg(test)]
mod tests;
