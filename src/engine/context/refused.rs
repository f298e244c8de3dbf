//! What follows where a request is throttled, or its token refused.
//!
//! Either the whole run waits, fetches another token or stops, or the referral alone pays for it;
//! [`blame`](crate::pace::blame) tells which.

use std::time::Duration;

use super::{AfterFailure, Context};
use crate::domain::exchange::Failure;
use crate::engine::event::Event;
use crate::engine::in_flight::Flight;
use crate::engine::request_state::RequestState;
use crate::engine::service::Api;
use crate::engine::stop::StopReason;
use crate::pace::MAX_PAUSE;
use crate::pace::blame::{MAX_THROTTLES, ThrottleScope, TokenRefusal};
use crate::pace::circuit::Purpose;
use crate::pace::retry::{AfterPause, Decision, MAX_TRIES, back_off};

/// The message where a conditional-access policy asks for claims that the token lacks.
const CLAIMS: &str = "a conditional-access policy wants another sign-in (insufficient_claims): sign in again, \
                      and carry on with a token that has the claims that are asked for";
/// The end of the message where a new token was refused too.
const REFUSED_ANEW: &str = "a new one was refused as well: see whether it is for this service, and whether its \
                            user may still sign in";

impl AfterFailure {
    /// Returns what is done where the run is stopped meanwhile: a request that may have been applied is read
    /// back all the same.
    fn stopped(self) -> Self {
        if self == Self::ReadBack { self } else { Self::Stopped }
    }
}

/// A throttled answer.
#[derive(Debug)]
pub(super) struct Throttle {
    /// The value of `Retry-After`, uncapped.
    asked: Option<Duration>,
    /// What the request does once the pause is over.
    then: AfterFailure,
}

impl<A: Api> Context<'_, A> {
    /// Returns the throttle that an answer is: one that says so, or a 503 without `Retry-After` that
    /// [`Blame::is_load`](crate::pace::blame::Blame::is_load) takes for one. `None` where it is another
    /// failure.
    pub(super) fn throttle(
        &self,
        decision: Decision,
        failure: &Failure,
        request_state: &RequestState<'_>,
    ) -> Option<Throttle> {
        let then = match decision {
            Decision::Pause { asked, then: AfterPause::Again } => {
                return Some(Throttle { asked, then: AfterFailure::AgainUncharged });
            }
            Decision::Pause { asked, then: AfterPause::ReadBack } => {
                return Some(Throttle { asked, then: AfterFailure::ReadBack });
            }
            Decision::ReadBack => AfterFailure::ReadBack,
            Decision::Again { .. } | Decision::GiveUp => AfterFailure::AgainUncharged,
            _ => return None,
        };
        let (_, left) = request_state.turn.filter(|_| failure.status() == Some(503))?;
        if self.pace.blame().is_load(request_state.referral, left) {
            return Some(Throttle { asked: None, then });
        }
        // How other requests are answered tells a throttle from an outage, so they go first.
        request_state.slot.leave();
        None
    }

    /// Acts on a throttle. One that concerns the run makes all requests wait, and isn't charged to the
    /// request. One that concerns the referral alone is charged as a try, and makes no other request wait.
    pub(super) async fn throttled(
        &self,
        throttle: Throttle,
        failure: &Failure,
        request_state: &mut RequestState<'_>,
    ) -> AfterFailure {
        self.counts.throttled.add();
        self.pace.circuit().inconclusive(request_state.permit);
        request_state.renewals = 0;
        let scope = self.pace.blame().throttled(request_state.subject());
        self.tell(Event::Throttled { is_alone: scope == ThrottleScope::Referral });
        // Waiting tasks go first: how their requests are answered tells what the throttle concerned.
        request_state.slot.leave();
        if scope == ThrottleScope::Referral {
            if let Some((before, pauses)) = request_state.pauses.take() {
                self.pace.roll_back(before, pauses);
            }
            return self.throttled_alone(throttle, failure, request_state).await;
        }
        request_state.tries -= 1;
        self.slots.refused(request_state.among);
        self.pause(throttle, scope == ThrottleScope::Endless, request_state)
    }

    /// Pauses the whole run.
    fn pause(
        &self,
        throttle: Throttle,
        is_endless: bool,
        request_state: &mut RequestState<'_>,
    ) -> AfterFailure {
        let Throttle { asked, then } = throttle;
        let (turn, _) = request_state.turn.expect("what was throttled had its turn");
        // The gate is shut also where the run is stopped: items in doubt must not be read back during the
        // pause.
        let before = self.pace.checkpoint();
        let pause = self.pace.throttled(turn, asked);
        request_state.pauses.get_or_insert((before, 0)).1 += before.pauses_until(self.pace.checkpoint());
        if is_endless || pause.in_a_row > MAX_THROTTLES {
            self.stop.now(StopReason::Throttled);
        }
        if self.stop.is_set() {
            return then.stopped();
        }
        let capped = asked.is_some_and(|asked| asked > pause.length);
        self.tell(Event::Paused { length: pause.length, capped });
        then
    }

    /// Lets one referral wait for its own throttle, and gives it up after [`MAX_TRIES`].
    async fn throttled_alone(
        &self,
        throttle: Throttle,
        failure: &Failure,
        request_state: &mut RequestState<'_>,
    ) -> AfterFailure {
        let Throttle { asked, then } = throttle;
        if then != AfterFailure::ReadBack && request_state.tries >= MAX_TRIES {
            return AfterFailure::GiveUp;
        }
        self.tell(Event::Retry(failure.message().to_owned()));
        let asked = asked.filter(|asked| !asked.is_zero()).map(|asked| asked.min(MAX_PAUSE));
        let time = asked.unwrap_or_else(|| back_off(request_state.tries));
        let waits = &mut request_state.waits;
        *(if asked.is_some() { &mut waits.pause } else { &mut waits.back_off }) += time;
        tokio::select! {
            biased;
            () = self.stop.wait() => then.stopped(),
            () = tokio::time::sleep(time) => then,
        }
    }

    /// Acts on a refused token. One new token serves all workers.
    ///
    /// Where the refused token is a new one that the service never accepted so far, fetching another would
    /// not help: the request is sent with it once more. Where it is refused again, the request lets others go
    /// first, or where there are none left tries the list. A token that is accepted for those is good, and
    /// the refusal concerns this referral alone. Where it is refused for others too, or there never were any,
    /// the run stops.
    pub(super) async fn renew(
        &self,
        failure: &Failure,
        request_state: &mut RequestState<'_>,
    ) -> AfterFailure {
        let blame = self.pace.blame();
        if blame.is_refused_alone(request_state.referral) {
            return AfterFailure::Refused;
        }
        request_state.renewals += 1;
        let sent_with = request_state.token.unwrap_or_else(|| self.api.generation());
        let refusal = blame.token_refused(request_state.referral, sent_with.0);
        let (is_first, was_taken) = (request_state.renewals == 1, self.api.was_taken(sent_with));
        if request_state.slot.is_alone()
            && !(is_first && self.api.can_renew())
            && self.list_takes_token(request_state).await
        {
            return AfterFailure::Refused;
        }
        let is_hopeless = refusal == TokenRefusal::Several
            || request_state.slot.is_alone()
            || request_state.renewals > MAX_TRIES;
        let renewed = match self.api.can_renew() {
            true if is_first && was_taken => self.api.renew(sent_with).await,
            true if is_first => Ok(()),
            // A token that was accepted before has expired meanwhile, so another one may help.
            true if refusal == TokenRefusal::Several && was_taken && request_state.renewals <= MAX_TRIES => {
                self.api.renew(sent_with).await
            }
            true if is_hopeless => Err(failure.clone()),
            false if is_hopeless => self.api.renew(sent_with).await,
            _ => return self.let_others_go(failure, request_state).await,
        };
        match renewed {
            Ok(()) => AfterFailure::AgainUncharged,
            Err(failure @ Failure::NoToken { .. }) => {
                self.end(StopReason::without_token(&failure, StopReason::refused))
            }
            Err(failure) => self.end(StopReason::refused(failure.wording().say(format!("; {REFUSED_ANEW}")))),
        }
    }

    /// Acts on a policy that asks for claims which the token lacks: a token that has them is fetched once, where the
    /// source can be asked for it.
    pub(super) async fn satisfy(&self, request_state: &RequestState<'_>) -> AfterFailure {
        let sent_with = request_state.token.unwrap_or_else(|| self.api.generation());
        // A service that takes turns at what it wants of a token gets no more of them than of tries.
        let satisfied =
            if request_state.tries < MAX_TRIES { self.api.satisfy(sent_with).await } else { Ok(false) };
        match satisfied {
            Ok(true) => AfterFailure::Again,
            // The service's own message is left out: it may hold the challenge, which is meant for a sign-in.
            Ok(false) => self.end(StopReason::refused_until_sign_in(CLAIMS.into())),
            Err(failure) => self.end(StopReason::without_token(&failure, StopReason::refused)),
        }
    }

    /// Returns whether the token that was refused for a referral is accepted for the list. The list is asked
    /// only where a token was accepted for other requests before.
    async fn list_takes_token(&self, request_state: &RequestState<'_>) -> bool {
        if request_state.referral.is_none() || !self.pace.blame().was_taken_for_others(request_state.referral)
        {
            return false;
        }
        let mut look = RequestState::new(Purpose::Fetch, None, request_state.slot);
        if !self.turn(&mut look).await {
            return false;
        }
        self.counts.list.add();
        let answer = {
            let _under_way = self.flights.begin(Flight::List);
            self.api.list(None).await
        };
        match answer.as_ref().map_err(Failure::status) {
            Ok(_) => self.answered(&look),
            Err(Some(status)) if status < 500 && !matches!(status, 401 | 429) => self.token_taken(&look),
            // This request was only a test: whatever else it meets is left to the next real request.
            Err(_) => self.pace.circuit().inconclusive(look.permit),
        }
        self.pace.blame().is_refused_alone(request_state.referral)
    }

    /// Waits at the end of the queue, without charging a try.
    async fn let_others_go(&self, failure: &Failure, request_state: &mut RequestState<'_>) -> AfterFailure {
        request_state.slot.leave();
        if self.wait(back_off(request_state.renewals), failure.message(), request_state).await {
            AfterFailure::AgainUncharged
        } else {
            AfterFailure::Stopped
        }
    }
}
