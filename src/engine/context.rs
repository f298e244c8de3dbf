//! What all workers of a run share, and how one of them makes a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::flights::{Flight, Flights};
use super::outage::{reason, trouble, why};
use super::service::Api;
use super::stop::{Reason, Stop};
use crate::api::{Generation, Page, PageLink};
use crate::domain::account::Figures;
use crate::domain::exchange::{Failure, Operation, Reply};
use crate::domain::item::Item;
use crate::domain::outcome::Outcome;
use crate::domain::referral::{ReferralId, Snapshot};
use crate::pace::circuit::{Follows, Pass, Purpose};
use crate::pace::retry::{Decision, StopReason, back_off, decide};
use crate::pace::{Pace, Turn};

/// Throttles in a row, without one success between them, that stop a run.
const MOST_THROTTLES: u32 = 50;

/// What to do where a policy challenges the token.
const CLAIMS: &str = "a conditional-access policy wants another sign-in (insufficient_claims): sign in again, \
                      and carry on with a token that has the claims that are asked for";

/// What to do where another token is no better.
const REFUSED_ANEW: &str = "a new one was refused as well: see whether it is for this service, and whether its \
                            user may still sign in";

/// Something that people may want to see happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// So many referrals have been looked at in all, while planning.
    Looked(u64),
    /// An item has its outcome.
    Settled(Outcome),
    /// A request is made again, for this reason.
    Retry(String),
    /// The server asked for a pause of this length; whether it asked for more than is waited.
    Paused {
        /// How long every worker waits.
        length: Duration,
        /// Whether the server had asked for longer than the cap.
        capped: bool,
    },
    /// One request failed after another: after so long one more is made before all go on.
    Held {
        /// What they fail with.
        why: String,
        /// How long it is until then.
        pause: Duration,
    },
    /// What was held goes on: that one request was answered.
    Released,
    /// Nothing has come to an end for a while.
    Quiet {
        /// For how long.
        time: Duration,
        /// What is under way.
        under_way: String,
    },
}

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
    /// Requests in flight at most.
    pub concurrency: usize,
    /// How long one of them may take.
    pub timeout: Duration,
    /// What is in flight.
    pub flights: Flights,
    /// Who is told what happens.
    pub observe: &'a (dyn Fn(Event) + Sync),
    /// What is counted.
    pub tally: Arc<Tally>,
    /// Makes an item again for a referral that somebody else changed, where the user wants that.
    pub rebase: Option<&'a Rebase<'a>>,
}

/// Makes an item for a referral as it stands now, or says why that may not be sent.
pub type Rebase<'a> = dyn Fn(&Item, &Snapshot<'_>) -> Result<Item, String> + Sync + 'a;

/// Counts of requests, shared by all workers.
#[derive(Debug, Default)]
pub struct Tally {
    get: AtomicU64,
    list: AtomicU64,
    patch: AtomicU64,
    throttled: AtomicU64,
    retried: AtomicU64,
}

impl Tally {
    /// The counts so far. Times and tokens are counted elsewhere and are zero here.
    pub fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            get: read(&self.get),
            list: read(&self.list),
            patch: read(&self.patch),
            throttled: read(&self.throttled),
            retried: read(&self.retried),
            ..Figures::default()
        }
    }
}

/// What a worker does after a failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
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

/// What has been spent on one request so far.
#[derive(Debug)]
pub struct Effort {
    /// Attempts charged to it.
    pub tries: u32,
    renewals: u32,
    purpose: Purpose,
    /// What it is about; a list page is about no referral.
    referral: Option<ReferralId>,
    /// What it went out with last.
    turn: Option<Turn>,
    pass: Pass,
    token: Option<Generation>,
}

impl Effort {
    /// Nothing yet.
    pub fn new(purpose: Purpose, referral: Option<ReferralId>) -> Self {
        Self { tries: 0, renewals: 0, purpose, referral, turn: None, pass: Pass::Free, token: None }
    }

    fn operation(&self) -> Operation {
        match self.purpose {
            Purpose::Look | Purpose::ReadBack => Operation::Read,
            Purpose::Change => Operation::Write,
        }
    }

    /// Whether it is made also when the run stops, because it settles something in flight.
    fn is_through_stop(&self) -> bool {
        self.purpose == Purpose::ReadBack
    }
}

impl<A: Api> Context<'_, A> {
    /// Waits for the circuit, the gate and the rate. `false` where the run is stopped first; else the
    /// attempt is charged.
    pub async fn turn(&self, effort: &mut Effort) -> bool {
        let stopped = async {
            self.stop.wait().await;
            // What settles something in flight is worth its turn still, but not a pause of minutes.
            if effort.is_through_stop() {
                tokio::select! {
                    () = self.pace.paused() => {}
                    () = self.pace.circuit().held(effort.purpose) => {}
                }
            }
        };
        let granted = tokio::select! {
            biased;
            () = stopped => None,
            granted = self.granted(effort.purpose) => Some(granted),
        };
        effort.tries += u32::from(granted.is_some());
        effort.token = Some(self.api.generation());
        (effort.turn, effort.pass) = granted.map_or((None, Pass::Free), |(turn, pass)| (Some(turn), pass));
        granted.is_some()
    }

    async fn granted(&self, purpose: Purpose) -> (Turn, Pass) {
        loop {
            let pass = self.pace.circuit().pass(purpose).await;
            // Not with a turn in hand: fetching a token may take longer than a pause does to come.
            if !self.api.has_token() {
                let _under_way = self.flights.begin(Flight::Token);
                self.api.fetch_token().await;
            }
            let turn = self.pace.turn().await;
            // It may have been opened while this one waited for its turn, or the token come to its end.
            if self.may_leave(purpose, pass) {
                return (turn, pass);
            }
            self.pace.circuit().came_to_nothing(pass);
        }
    }

    /// Whether nothing has come between a request and its turn.
    fn may_leave(&self, purpose: Purpose, pass: Pass) -> bool {
        !self.pace.is_paused() && self.pace.circuit().admits(purpose, pass) && self.api.has_token()
    }

    /// Watches over what is in flight, and stops the run where nothing of it will come to an end. Never ends
    /// else.
    pub async fn watch(&self) {
        let warn = |time, under_way: &str| {
            (self.observe)(Event::Quiet { time, under_way: under_way.to_owned() });
        };
        let under_way = self.flights.watch(self.timeout, warn).await;
        self.stop.now(Reason::Stalled(under_way));
    }

    /// Whether what had its turn, and waited for something else since, may still go out. Where the gate was
    /// shut meanwhile, the circuit opened, or the token came to its end, it waits for another turn, so that
    /// those that were held back don't leave all at once.
    pub async fn keep_turn(&self, effort: &mut Effort) -> bool {
        if self.stop.is_set() {
            return false;
        }
        if self.may_leave(effort.purpose, effort.pass) {
            return true;
        }
        self.pace.circuit().came_to_nothing(effort.pass);
        effort.tries -= 1;
        self.turn(effort).await
    }

    /// Counts a PATCH that goes out; `again` where it repeats an earlier one.
    pub fn count_patch(&self, again: bool) {
        count(&self.tally.patch);
        if again {
            count(&self.tally.retried);
        }
    }

    /// Notes that a request did what it was to do.
    pub fn answered(&self, effort: &Effort) {
        self.let_through(effort);
        self.is_well(effort);
    }

    /// Notes that an answer was no throttle.
    fn let_through(&self, effort: &Effort) {
        if let Some(turn) = effort.turn {
            self.pace.answered(turn);
        }
    }

    /// Notes that the service does its work for requests of this sort, whatever it says of the referral.
    fn is_well(&self, effort: &Effort) {
        if self.pace.circuit().answered(effort.purpose) {
            (self.observe)(Event::Released);
        }
    }

    /// Decides what follows from a failure, and waits as long as that takes.
    pub async fn after(&self, failure: &Failure, effort: &mut Effort) -> Next {
        let held = self.is_held(failure, effort);
        // What the service as a whole is to blame for costs no try.
        effort.tries -= u32::from(held);
        let decision = decide(effort.operation(), failure, effort.tries);
        if decision != Decision::Renew {
            // The token was good enough for another answer: the next one that expires is a new matter.
            effort.renewals = 0;
        }
        // A server in trouble says nothing of how much it bears.
        if !matches!(decision, Decision::Pause { .. }) && failure.status().is_some_and(|status| status < 500)
        {
            self.let_through(effort);
        }
        match decision {
            Decision::Pause { asked } => {
                effort.tries -= 1;
                self.pause(asked, effort)
            }
            // The circuit is waited for instead.
            Decision::Again { .. } if held => Next::Again,
            Decision::Again { after } => {
                if self.wait(after, failure.message(), effort).await {
                    Next::Again
                } else {
                    Next::Stopped
                }
            }
            Decision::ReadBack => Next::ReadBack,
            Decision::Conflict => Next::Conflict,
            Decision::Refused => Next::Refused,
            Decision::GiveUp => Next::GiveUp,
            Decision::Renew => {
                effort.tries -= 1;
                self.renew(failure, effort).await
            }
            Decision::Stop(StopReason::NoToken) => self.end(Reason::NoToken(failure.message().to_owned())),
            Decision::Stop(StopReason::MfaRequired) => self.end(Reason::Token(format!(
                "{}; sign in again with multi-factor authentication",
                failure.message()
            ))),
            // What the service says beside it may hold the challenge itself.
            Decision::Stop(StopReason::ClaimsRequired) => self.end(Reason::Token(CLAIMS.to_owned())),
        }
    }

    /// Waits before a request that was not applied is sent again. `false` where the run is stopped first.
    pub async fn back_off(&self, why: &str, effort: &Effort) -> bool {
        self.wait(back_off(effort.tries), why, effort).await
    }

    async fn wait(&self, time: Duration, why: &str, effort: &Effort) -> bool {
        (self.observe)(Event::Retry(why.to_owned()));
        if effort.is_through_stop() {
            tokio::time::sleep(time).await;
            return true;
        }
        tokio::select! {
            biased;
            () = self.stop.wait() => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    fn pause(&self, asked: Option<Duration>, effort: &Effort) -> Next {
        count(&self.tally.throttled);
        let turn = effort.turn.expect("what was throttled had its turn");
        // Also where the run is stopped: what is still to be settled must not be asked for in the pause.
        let pause = self.pace.throttled(turn, asked);
        if self.stop.is_set() {
            return Next::Stopped;
        }
        if pause.in_a_row > MOST_THROTTLES {
            return self.end(Reason::Throttled);
        }
        let capped = asked.is_some_and(|asked| asked > pause.length);
        (self.observe)(Event::Paused { length: pause.length, capped });
        Next::AgainFreely
    }

    /// Tells the circuit of a failure. Whether it is the service's as a whole, and all of its kind are held
    /// back. The run ends where that was tried and helped nothing.
    fn is_held(&self, failure: &Failure, effort: &Effort) -> bool {
        let Effort { purpose, referral, pass, .. } = *effort;
        let trouble = match decide(effort.operation(), failure, effort.tries) {
            Decision::Pause { .. } | Decision::Renew | Decision::Stop(_) => {
                self.pace.circuit().came_to_nothing(pass);
                return false;
            }
            decision => trouble(decision, failure, purpose),
        };
        let Some(trouble) = trouble else {
            self.is_well(effort);
            return false;
        };
        match self.pace.circuit().failed(purpose, trouble, referral, pass) {
            Follows::Nothing => return false,
            Follows::Held => {}
            Follows::Opened(pause) => {
                (self.observe)(Event::Held { why: why(trouble, purpose, failure), pause });
            }
            Follows::GivenUp => self.stop.now(reason(trouble, purpose, failure)),
        }
        true
    }

    /// One refresh serves all workers; a request that is refused twice in a row stops the run. Where the token
    /// is a new one that was never taken so far, another would be no better: the request goes out with it once
    /// more.
    async fn renew(&self, failure: &Failure, effort: &mut Effort) -> Next {
        effort.renewals += 1;
        let sent_with = effort.token.unwrap_or_else(|| self.api.generation());
        let renewed = match effort.renewals {
            1 if self.api.was_taken(sent_with) => self.api.renew(sent_with).await,
            1 => Ok(()),
            _ => Err(failure.clone()),
        };
        match renewed {
            Ok(()) => Next::AgainFreely,
            Err(Failure::NoToken { message }) => self.end(Reason::Token(message)),
            Err(failure) => self.end(Reason::Token(format!("{}; {REFUSED_ANEW}", failure.message()))),
        }
    }

    fn end(&self, reason: Reason) -> Next {
        self.stop.now(reason);
        Next::Stopped
    }

    /// Reads one referral, repeating what may be repeated.
    ///
    /// # Errors
    /// The last failure, or `None` where the run was stopped first.
    pub async fn read(&self, id: ReferralId) -> Result<Reply, Option<Failure>> {
        self.get(id, Purpose::Look).await
    }

    /// Reads one referral to settle what is in flight, also when the run has been stopped.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_to_settle(&self, id: ReferralId) -> Result<Reply, Option<Failure>> {
        self.get(id, Purpose::ReadBack).await
    }

    async fn get(&self, id: ReferralId, purpose: Purpose) -> Result<Reply, Option<Failure>> {
        let effort = Effort::new(purpose, Some(id));
        let request = async || {
            let _under_way = self.flights.begin(Flight::Get(id));
            self.api.get(id).await
        };
        self.repeat(&self.tally.get, effort, request).await
    }

    /// Reads a page of the list, repeating what may be repeated.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn page(&self, link: Option<&PageLink>) -> Result<Page, Option<Failure>> {
        let effort = Effort::new(Purpose::Look, None);
        let request = async || {
            let _under_way = self.flights.begin(Flight::List);
            self.api.list(link).await
        };
        self.repeat(&self.tally.list, effort, request).await
    }

    async fn repeat<T>(
        &self,
        counter: &AtomicU64,
        mut effort: Effort,
        request: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<T, Option<Failure>> {
        let mut again = false;
        loop {
            if !self.turn(&mut effort).await {
                return Err(None);
            }
            count(counter);
            if std::mem::replace(&mut again, true) {
                count(&self.tally.retried);
            }
            match request().await {
                Ok(answer) => {
                    self.answered(&effort);
                    return Ok(answer);
                }
                Err(failure) => self.read_again(failure, &mut effort).await?,
            }
        }
    }

    /// Waits before a GET is repeated; answers with the failure where it isn't to be.
    async fn read_again(&self, failure: Failure, effort: &mut Effort) -> Result<(), Option<Failure>> {
        match self.after(&failure, effort).await {
            Next::Again | Next::AgainFreely => Ok(()),
            Next::Stopped => Err(None),
            Next::ReadBack | Next::Conflict | Next::Refused | Next::GiveUp => Err(Some(failure)),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
