//! Stopping: the first reason counts, everybody hears of it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::sync::Notify;

/// Why a run ends before everything is done. `resume` carries on after each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The user, or the system, said so.
    Interrupted,
    /// So many rows were refused or failed.
    TooManyErrors(u64),
    /// The time the user set has come.
    Deadline(Timestamp),
    /// There is no token to send.
    NoToken(String),
    /// The service won't take the token, and there is no other.
    Token(String),
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

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => out.write_str("interrupted"),
            Self::TooManyErrors(count) => {
                let rows = if *count == 1 { "row was" } else { "rows were" };
                write!(out, "{count} {rows} refused or failed, and --max-errors allows no more")
            }
            Self::Deadline(time) => write!(out, "the time set by --finish-by has come: {time}"),
            Self::NoToken(why) => write!(out, "there is no token to send: {why}"),
            Self::Token(why) => write!(out, "the service does not take the token: {why}"),
            Self::Forbidden(why) => write!(out, "one request after another was forbidden: {why}"),
            Self::Throttled => out.write_str("the service answers nothing but: slow down"),
            Self::Unreadable(why) => write!(out, "nothing can be read back to settle what was sent: {why}"),
            Self::Unanswered(why) => write!(out, "the service gives no good answer any more: {why}"),
            Self::Stalled(what) => write!(out, "nothing that is waited for comes to an end: {what}"),
            Self::NothingThere => out.write_str("neither the list nor any referral was found"),
            Self::Unreachable(why) => write!(out, "the service cannot be reached: {why}"),
            Self::Ledger(why) => write!(out, "the run's ledger cannot be written: {why}"),
        }
    }
}

/// A handle by which anybody stops a run, and everybody hears of it.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    reason: OnceLock<Reason>,
    /// Tells those who wait in the order in which they began to.
    told: Notify,
}

impl Stop {
    /// Stops the run, unless it is stopped already.
    pub fn now(&self, reason: Reason) {
        if self.0.reason.set(reason).is_ok() {
            self.0.told.notify_waiters();
        }
    }

    /// Why it is stopped; `None` while it is not.
    pub fn reason(&self) -> Option<Reason> {
        self.0.reason.get().cloned()
    }

    /// Whether it is stopped.
    pub fn is_set(&self) -> bool {
        self.0.reason.get().is_some()
    }

    /// Waits until it is stopped.
    pub async fn wait(&self) {
        // Made before the look at the reason, so that nothing is missed in between.
        let told = self.0.told.notified();
        if !self.is_set() {
            told.await;
        }
    }
}
