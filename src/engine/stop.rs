//! Stopping: the first reason counts, everybody hears of it. Leaving comes after that, for those who won't
//! wait for what is in flight.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::info;

use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// Why a run ends before everything is done. `resume` carries on after each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The user, or the system, said so.
    Interrupted,
    /// So many rows were refused, failed or taken in part.
    TooManyErrors(u64),
    /// The time the user set has come.
    Deadline(Timestamp),
    /// There is no token to send.
    NoToken(Wording),
    /// The service won't take the token, and there is no other.
    Token(Wording),
    /// One refusal for want of permission after another.
    Forbidden(String),
    /// The service does nothing but throttle.
    Throttled,
    /// Nothing can be read back any more to settle what was sent.
    Unreadable(String),
    /// The service gives no good answer any more.
    Unanswered(String),
    /// Nothing that is in flight comes to its end: this is.
    Stalled(String),
    /// The service has neither the list nor any of the referrals.
    NothingThere,
    /// Nothing answers any more.
    Unreachable(String),
    /// The ledger can't be written, so nothing may be sent.
    Ledger(String),
}

impl Reason {
    /// Its name, without what a service may have said.
    fn name(&self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::TooManyErrors(_) => "too many errors",
            Self::Deadline(_) => "deadline",
            Self::NoToken(_) => "no token",
            Self::Token(_) => "token refused",
            Self::Forbidden(_) => "forbidden",
            Self::Throttled => "throttled",
            Self::Unreadable(_) => "unreadable",
            Self::Unanswered(_) => "unanswered",
            Self::Stalled(_) => "stalled",
            Self::NothingThere => "nothing there",
            Self::Unreachable(_) => "unreachable",
            Self::Ledger(_) => "ledger",
        }
    }

    /// What stopped the run, for people.
    pub fn wording(&self) -> Wording {
        match self {
            Self::Interrupted => "interrupted".into(),
            Self::TooManyErrors(count) => {
                let rows = if *count == 1 { "row was" } else { "rows were" };
                let refused = format!("{count} {rows} refused, failed or taken in part, and ");
                Wording::from(refused).name(Setting::MaxErrors).say(" allows no more")
            }
            Self::Deadline(time) => {
                let time = format!(" has come: {time}");
                Wording::from("the time set by ").name(Setting::FinishBy).say(time)
            }
            Self::NoToken(why) => Wording::from("there is no token to send: ").append(why),
            Self::Token(why) => Wording::from("the service does not take the token: ").append(why),
            Self::Forbidden(why) => format!("one request after another was forbidden: {why}").into(),
            Self::Throttled => "the service answers nothing but: slow down".into(),
            Self::Unreadable(why) => {
                format!("nothing can be read back to settle what was sent: {why}").into()
            }
            Self::Unanswered(why) => format!("the service gives no good answer any more: {why}").into(),
            Self::Stalled(what) => format!("nothing that is waited for comes to an end: {what}").into(),
            Self::NothingThere => "neither the list nor any referral was found".into(),
            Self::Unreachable(why) => format!("the service cannot be reached: {why}").into(),
            Self::Ledger(why) => format!("the run's ledger cannot be written: {why}").into(),
        }
    }
}

/// How far a run is on its way out. It never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopStage {
    /// It goes on.
    Going,
    /// Nothing new begins, and what is in flight is awaited.
    Stopping,
    /// What is in flight isn't awaited either: it stands in the ledger, in doubt.
    Leaving,
}

/// A handle by which anybody stops a run, and everybody hears of it.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<StopSignals>);

#[derive(Debug, Default)]
struct StopSignals {
    stopped: Once<Reason>,
    left: Once<()>,
}

impl Stop {
    /// Stops the run, unless it is stopped already.
    pub fn now(&self, reason: Reason) {
        info!(reason = reason.name(), "the run is to stop");
        self.0.stopped.happen(reason);
    }

    /// Stops the run, if it isn't yet, and ends the wait for what is in flight.
    pub fn leave(&self) {
        self.now(Reason::Interrupted);
        self.0.left.happen(());
    }

    /// How far it is on its way out.
    pub fn stage(&self) -> StopStage {
        match (self.0.stopped.get(), self.0.left.get()) {
            (_, Some(())) => StopStage::Leaving,
            (Some(_), None) => StopStage::Stopping,
            (None, None) => StopStage::Going,
        }
    }

    /// Why it is stopped; `None` while it is not.
    pub fn reason(&self) -> Option<Reason> {
        self.0.stopped.get().cloned()
    }

    /// Whether it is stopped.
    pub fn is_set(&self) -> bool {
        self.stage() != StopStage::Going
    }

    /// Waits until it is stopped.
    pub async fn wait(&self) {
        self.0.stopped.wait().await;
    }

    /// Waits until what is in flight is to be awaited no longer.
    pub async fn left(&self) {
        self.0.left.wait().await;
    }
}

/// Something that happens once, and that anybody can wait for.
#[derive(Debug)]
struct Once<T> {
    what: OnceLock<T>,
    /// Tells those who wait in the order in which they began to.
    happened: Notify,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { what: OnceLock::new(), happened: Notify::new() }
    }
}

impl<T> Once<T> {
    /// It happens, unless it has happened already.
    fn happen(&self, what: T) {
        if self.what.set(what).is_ok() {
            self.happened.notify_waiters();
        }
    }

    fn get(&self) -> Option<&T> {
        self.what.get()
    }

    async fn wait(&self) {
        // Made before the look at what happened, so that nothing is missed in between.
        let happened = self.happened.notified();
        if self.get().is_none() {
            happened.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn the_stages_follow_each_other_and_the_first_reason_counts() {
        let stop = Stop::default();
        let heard = || (stop.stage(), stop.reason(), stop.wait().now_or_never(), stop.left().now_or_never());
        assert_eq!(heard(), (StopStage::Going, None, None, None));
        stop.now(Reason::Throttled);
        stop.now(Reason::Interrupted);
        assert_eq!(heard(), (StopStage::Stopping, Some(Reason::Throttled), Some(()), None));
        stop.leave();
        stop.now(Reason::NothingThere);
        assert_eq!(heard(), (StopStage::Leaving, Some(Reason::Throttled), Some(()), Some(())));
    }

    #[test]
    fn whoever_leaves_has_stopped() {
        let stop = Stop::default();
        let mut waiting = Box::pin(stop.wait());
        assert_eq!(waiting.as_mut().now_or_never(), None);
        stop.leave();
        assert_eq!(waiting.now_or_never(), Some(()));
        assert_eq!(stop.reason(), Some(Reason::Interrupted));
    }
}
