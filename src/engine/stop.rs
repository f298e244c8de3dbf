//! Stopping a run early: every part of it holds the same handle, and the first reason counts.
//!
//! A run stops in two stages. Once it is stopped, nothing new begins, and what is in flight is awaited. Once
//! it is left, because the user won't wait, what is in flight is dropped and stays in doubt in the ledger.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::info;

use crate::domain::exchange::{Failure, NeededSignIn};
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// The reason why a run ends before everything is done. `resume` carries on after each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The user or the system interrupted it.
    Interrupted,
    /// This number of rows was refused, failed or partly applied, which is more than the user allows.
    TooManyErrors(u64),
    /// The deadline that the user set has passed.
    Deadline(Timestamp),
    /// No token can be obtained.
    NoToken(Wording),
    /// The service refuses the token, and there is no other.
    Token {
        /// Why.
        why: Wording,
        /// How somebody has to sign in again, where that would help.
        sign_in: Option<NeededSignIn>,
    },
    /// The sign-in that was kept brings no token any more: somebody has to sign in again.
    SignIn {
        /// Why.
        why: Wording,
        /// How.
        sign_in: NeededSignIn,
    },
    /// Changes were forbidden in a row.
    Forbidden(String),
    /// A wave doesn't stand, or the user doesn't want the next one.
    Wave(String),
    /// The service throttles every request.
    Throttled,
    /// Referrals in doubt can't be read back any more.
    Unreadable(String),
    /// Requests go unanswered, or are answered with server errors.
    Unanswered(String),
    /// No request in flight finished within the stall timeout; lists them.
    Stalled(String),
    /// The service knows neither the list nor any of the referrals.
    NothingThere,
    /// No connection to the service can be made.
    Unreachable(String),
    /// The ledger can't be read or written, so nothing may be sent.
    Ledger(String),
}

impl StopReason {
    /// Returns its name for the diagnostics, without any text that may come from the service.
    fn name(&self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::TooManyErrors(_) => "too many errors",
            Self::Deadline(_) => "deadline",
            Self::NoToken(_) => "no token",
            Self::Token { .. } => "token refused",
            Self::SignIn { .. } => "sign-in over",
            Self::Forbidden(_) => "forbidden",
            Self::Wave(_) => "wave",
            Self::Throttled => "throttled",
            Self::Unreadable(_) => "unreadable",
            Self::Unanswered(_) => "unanswered",
            Self::Stalled(_) => "stalled",
            Self::NothingThere => "nothing there",
            Self::Unreachable(_) => "unreachable",
            Self::Ledger(_) => "ledger",
        }
    }

    /// Returns the reason where no token can be had: `otherwise`, unless somebody has to sign in again.
    pub(super) fn without_token(failure: &Failure, otherwise: fn(Wording) -> Self) -> Self {
        match failure {
            Failure::NoToken { message, needs_sign_in: Some(sign_in) } => {
                Self::SignIn { why: message.clone(), sign_in: *sign_in }
            }
            failure => otherwise(failure.wording()),
        }
    }

    /// Returns the reason where the service refuses the token, and no other sign-in is known to help.
    pub(super) fn refused(why: Wording) -> Self {
        Self::Token { why, sign_in: None }
    }

    /// Returns the reason where the service refuses the token, and takes that of another sign-in.
    pub(super) fn refused_until_sign_in(why: Wording) -> Self {
        Self::Token { why, sign_in: Some(NeededSignIn::Any) }
    }

    /// Returns how somebody has to sign in again before the run can go on, where that is what it takes.
    pub fn needs_sign_in(&self) -> Option<NeededSignIn> {
        match self {
            Self::Token { sign_in, .. } => *sign_in,
            Self::SignIn { sign_in, .. } => Some(*sign_in),
            _ => None,
        }
    }

    /// Describes the reason to the user.
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
            Self::Token { why, .. } => Wording::from("the service does not take the token: ").append(why),
            Self::SignIn { why, .. } => Wording::from("somebody has to sign in again: ").append(why),
            Self::Forbidden(why) => format!("one request after another was forbidden: {why}").into(),
            Self::Wave(why) => why.as_str().into(),
            Self::Throttled => "the service throttles every request".into(),
            Self::Unreadable(why) => {
                format!("nothing can be read back to settle what was sent: {why}").into()
            }
            Self::Unanswered(why) => format!("the service gives no good answer any more: {why}").into(),
            Self::Stalled(what) => format!("nothing in flight comes to an end: {what}").into(),
            Self::NothingThere => "neither the list nor any referral was found".into(),
            Self::Unreachable(why) => format!("the service cannot be reached: {why}").into(),
            Self::Ledger(why) => format!("the run's ledger cannot be written: {why}").into(),
        }
    }
}

/// How far stopping has come. It never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopStage {
    /// The run goes on.
    Going,
    /// Nothing new begins, and what is in flight is awaited.
    Stopping,
    /// What is in flight isn't awaited either, and stays in doubt in the ledger.
    Leaving,
}

/// A handle that stops a run; clones are handles on the same run.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<StopSignals>);

/// What all handles of a run share.
#[derive(Debug, Default)]
struct StopSignals {
    stopped: Once<StopReason>,
    left: Once<()>,
}

impl Stop {
    /// Records in the diagnostics why the run stops, if it does. Signals arrive on a thread that records none.
    pub fn note(&self) {
        if let Some(reason) = self.reason() {
            info!(reason = reason.name(), "stopped");
        }
    }

    /// Stops the run. Where it is stopped already, the first reason stays.
    pub fn now(&self, reason: StopReason) {
        self.0.stopped.happen(reason);
    }

    /// Stops the run where it isn't stopped yet, and drops what is in flight.
    pub fn leave(&self) {
        self.now(StopReason::Interrupted);
        self.0.left.happen(());
    }

    /// Returns how far stopping has come.
    pub fn stage(&self) -> StopStage {
        match (self.0.stopped.get(), self.0.left.get()) {
            (_, Some(())) => StopStage::Leaving,
            (Some(_), None) => StopStage::Stopping,
            (None, None) => StopStage::Going,
        }
    }

    /// Returns why the run is stopped; `None` while it is not.
    pub fn reason(&self) -> Option<StopReason> {
        self.0.stopped.get().cloned()
    }

    /// Returns whether the run is stopped.
    pub fn is_set(&self) -> bool {
        self.stage() != StopStage::Going
    }

    /// Returns whether the user or the system wants the program to end.
    pub fn is_interrupted(&self) -> bool {
        self.stage() == StopStage::Leaving || self.reason() == Some(StopReason::Interrupted)
    }

    /// Waits until the run is stopped.
    pub async fn wait(&self) {
        self.0.stopped.wait().await;
    }

    /// Waits until what is in flight is no longer awaited.
    pub async fn left(&self) {
        self.0.left.wait().await;
    }
}

/// A value that is set once, and that any number of tasks can wait for.
#[derive(Debug)]
struct Once<T> {
    what: OnceLock<T>,
    /// Wakes the waiting tasks, in the order in which they began to wait.
    happened: Notify,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { what: OnceLock::new(), happened: Notify::new() }
    }
}

impl<T> Once<T> {
    /// Sets the value, unless it is set already.
    fn happen(&self, what: T) {
        if self.what.set(what).is_ok() {
            self.happened.notify_waiters();
        }
    }

    fn get(&self) -> Option<&T> {
        self.what.get()
    }

    async fn wait(&self) {
        // Created before the value is checked, so that a change in between is not missed.
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
        stop.now(StopReason::Throttled);
        stop.now(StopReason::Interrupted);
        assert_eq!(heard(), (StopStage::Stopping, Some(StopReason::Throttled), Some(()), None));
        assert!(!stop.is_interrupted());
        stop.leave();
        stop.now(StopReason::NothingThere);
        assert!(stop.is_interrupted());
        assert_eq!(heard(), (StopStage::Leaving, Some(StopReason::Throttled), Some(()), Some(())));
    }

    #[test]
    fn whoever_leaves_has_stopped() {
        let stop = Stop::default();
        let mut waiting = Box::pin(stop.wait());
        assert_eq!(waiting.as_mut().now_or_never(), None);
        stop.leave();
        assert_eq!(waiting.now_or_never(), Some(()));
        assert_eq!(stop.reason(), Some(StopReason::Interrupted));
    }
}
