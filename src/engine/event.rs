//! Events of a run, for the progress display and the diagnostics.

use std::time::Duration;

use tracing::{debug, info, trace};

use crate::domain::outcome::Outcome;

/// An event that is shown to the user while requests are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The number of referrals fetched so far, while planning.
    Looked(u64),
    /// An item has its outcome.
    Settled(Outcome),
    /// The number of items that were answered with a yes alone, and wait to be confirmed.
    Unconfirmed(u64),
    /// A request will be repeated, for this reason.
    Retry(String),
    /// A request was answered by asking to slow down.
    Throttled {
        /// Whether that concerns its referral alone, and no other request waits for it.
        is_alone: bool,
    },
    /// All requests pause because the service throttles them.
    Paused {
        /// The length of the pause.
        length: Duration,
        /// Whether the service asked for a longer pause than the program takes.
        capped: bool,
    },
    /// The circuit breaker opened: requests failed in a row, and are held back until a probe is answered.
    Held {
        /// How they failed.
        why: String,
        /// The time until the next probe.
        pause: Duration,
    },
    /// The circuit breaker closed: a request was answered, and those held back go on.
    Released,
    /// Nothing in flight has come to an end for a while.
    Quiet {
        /// The length of that time.
        time: Duration,
        /// What is under way.
        under_way: String,
    },
}

impl Event {
    /// Records the event in the diagnostics, without any text that may come from the service.
    pub(super) fn note(&self) {
        match self {
            Self::Looked(referrals) => debug!(referrals, "referrals fetched"),
            Self::Settled(outcome) => debug!(outcome = outcome.name(), "item settled"),
            Self::Unconfirmed(items) => trace!(items, "answered, to be confirmed"),
            Self::Retry(_) => info!("request will be repeated after a delay"),
            Self::Throttled { is_alone } => debug!(is_alone, "request throttled"),
            Self::Paused { length, capped } => {
                info!(
                    milliseconds = milliseconds(*length),
                    capped, "all requests pause, since the service throttles them"
                );
            }
            Self::Held { pause, .. } => {
                info!(
                    milliseconds = milliseconds(*pause),
                    "circuit breaker opened: requests are held back until a probe is answered"
                );
            }
            Self::Released => info!("circuit breaker closed: requests go on"),
            Self::Quiet { time, .. } => {
                info!(milliseconds = milliseconds(*time), "nothing in flight came to an end")
            }
        }
    }
}

/// A duration as diagnostics tell it.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
