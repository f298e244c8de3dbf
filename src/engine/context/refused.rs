//! What follows where a request is throttled, or its token refused: the whole run waits, gets another token or
//! ends, or else the referral alone pays for it ([`blame`](crate::pace::blame)).

use std::time::Duration;

use super::{AfterFailure, Context};
use crate::domain::exchange::Failure;
use crate::engine::event::Event;
use crate::engine::in_flight::Flight;
use crate::engine::request_state::RequestState;
use crate::engine::service::Api;
use crate::engine::stop::Reason;
use crate::pace::MAX_PAUSE;
use crate::pace::blame::{MAX_THROTTLES, ThrottleScope, TokenRefusal};
use crate::pace::circuit::Purpose;
use crate::pace::retry::{AfterPause, Decision, MAX_TRIES, back_off};

/// What to do where another token is no better.
const REFUSED_ANEW: &str = "a new one was refused as well: see whether it is for this service, and whether its \
                            user may still sign in";

impl AfterFailure {
    /// The same where the run is stopped. What may have been applied is looked at all the same.
    fn stopped(self) -> Self {
        if self == Self::ReadBack { self } else { Self::Stopped }
    }
}

/// A throttled answer.
#[derive(Debug)]
pub(super) struct Throttle {
    /// What `Retry-After` asks for, uncapped.
    asked: Option<Duration>,
    /// What follows once it is over.
    then: AfterFailure,
}

impl<A: Api> Context<'_, A> {
    /// Whether an answer is a throttle: it says so, or it is a 503 as others get it for load.
    pub(super) fn throttle(
        &self,
        decision: Decision,
        failure: &Failure,
        request_state: &RequestState<'_>,
    ) -> Option<Throttle> {
        let then = match decision {
            Decision::Pause { asked, then: AfterPause::Again } => {
                return Some(Throttle { asked, then: AfterFailure::AgainFreely });
            }
            Decision::Pause { asked, then: AfterPause::ReadBack } => {
                return Some(Throttle { asked, then: AfterFailure::ReadBack });
            }
            Decision::ReadBack => AfterFailure::ReadBack,
            Decision::Again { .. } | Decision::GiveUp => AfterFailure::AgainFreely,
            _ => return None,
        };
        let (_, left) = request_state.turn.filter(|_| failure.status() == Some(503))?;
        if self.pace.blame().is_load(request_state.referral, left) {
            return Some(Throttle { asked: None, then });
        }
        // What others meet tells it from an outage.
        request_state.slot.leave();
        None
    }

    /// What everybody is throttled for costs the request nothing, and makes all wait. What a referral is
    /// throttled for alone costs it a try, and makes nobody else wait.
    pub(super) async fn throttled(
        &self,
        throttle: Throttle,
        failure: &Failure,
        request_state: &mut RequestState<'_>,
    ) -> AfterFailure {
        self.counts.throttled.add();
        self.pace.circuit().inconclusive(request_state.permit);
        request_state.renewals = 0;
        let whose = self.pace.blame().throttled(request_state.about());
        // Those who wait go first: what becomes of them tells whose it was.
        request_state.slot.leave();
        if whose == ThrottleScope::Referral {
            if let Some((before, pauses)) = request_state.pauses.take() {
                self.pace.roll_back(before, pauses);
            }
            return self.throttled_alone(throttle, failure, request_state).await;
        }
        request_state.tries -= 1;
        self.slots.refused(request_state.among);
        self.pause(throttle, whose == ThrottleScope::Endless, request_state)
    }

    fn pause(
        &self,
        throttle: Throttle,
        is_endless: bool,
        request_state: &mut RequestState<'_>,
    ) -> AfterFailure {
        let Throttle { asked, then } = throttle;
        let (turn, _) = request_state.turn.expect("what was throttled had its turn");
        // Also where the run is stopped: what is still to be settled must not be asked for in the pause.
        let before = self.pace.checkpoint();
        let pause = self.pace.throttled(turn, asked);
        request_state.pauses.get_or_insert((before, 0)).1 += before.pauses_until(self.pace.checkpoint());
        if is_endless || pause.in_a_row > MAX_THROTTLES {
            self.stop.now(Reason::Throttled);
        }
        if self.stop.is_set() {
            return then.stopped();
        }
        let capped = asked.is_some_and(|asked| asked > pause.length);
        self.tell(Event::Paused { length: pause.length, capped });
        then
    }

    async fn throttled_alone(
        &self,
        throttle: Throttle,
        failure: &Failure,
        request_state: &RequestState<'_>,
    ) -> AfterFailure {
        let Throttle { asked, then } = throttle;
        if then != AfterFailure::ReadBack && request_state.tries >= MAX_TRIES {
            return AfterFailure::GiveUp;
        }
        self.tell(Event::Retry(failure.message().to_owned()));
        let asked = asked.filter(|asked| !asked.is_zero()).map(|asked| asked.min(MAX_PAUSE));
        tokio::select! {
            biased;
            () = self.stop.wait() => then.stopped(),
            () = tokio::time::sleep(asked.unwrap_or_else(|| back_off(request_state.tries))) => then,
        }
    }

    /// One refresh serves all workers. Where the token is a new one that was never taken so far, another would
    /// be no better: the request goes out with it once more. Refused again, it waits for what others meet, or
    /// where none is left the list: a token that is taken for them is good, and the refusal the referral's own.
    /// Where it is refused for others too, or there never were any, the run ends.
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
        let wrong = blame.token_refused(request_state.referral, sent_with.0);
        let (is_first, was_taken) = (request_state.renewals == 1, self.api.was_taken(sent_with));
        if request_state.slot.is_alone()
            && !(is_first && self.api.can_renew())
            && self.list_takes_token(request_state).await
        {
            return AfterFailure::Refused;
        }
        let is_hopeless = wrong == TokenRefusal::Several
            || request_state.slot.is_alone()
            || request_state.renewals > MAX_TRIES;
        let renewed = match self.api.can_renew() {
            true if is_first && was_taken => self.api.renew(sent_with).await,
            true if is_first => Ok(()),
            // It had come to its end meanwhile.
            true if wrong == TokenRefusal::Several && was_taken && request_state.renewals <= MAX_TRIES => {
                self.api.renew(sent_with).await
            }
            true if is_hopeless => Err(failure.clone()),
            false if is_hopeless => self.api.renew(sent_with).await,
            _ => return self.let_others_go(failure, request_state).await,
        };
        match renewed {
            Ok(()) => AfterFailure::AgainFreely,
            Err(Failure::NoToken { message }) => self.end(Reason::Token(message)),
            Err(failure) => self.end(Reason::Token(failure.wording().say(format!("; {REFUSED_ANEW}")))),
        }
    }

    /// Whether the token that a referral was refused with is good enough for the list, where any was good
    /// enough for others before.
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
            // It is no more than a look.
            Err(_) => self.pace.circuit().inconclusive(look.permit),
        }
        self.pace.blame().is_refused_alone(request_state.referral)
    }

    /// Waits a while at the end of the line, at no cost.
    async fn let_others_go(&self, failure: &Failure, request_state: &RequestState<'_>) -> AfterFailure {
        request_state.slot.leave();
        if self.wait(back_off(request_state.renewals), failure.message(), request_state).await {
            AfterFailure::AgainFreely
        } else {
            AfterFailure::Stopped
        }
    }
}
