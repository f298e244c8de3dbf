//! What happens while requests are made, for those who show it.

use std::time::Duration;

use tracing::{debug, info};

use crate::domain::outcome::Outcome;

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

impl Event {
    /// Notes it among the diagnostics: without the words that a service may have put into it.
    pub(super) fn note(&self) {
        match self {
            Self::Looked(referrals) => debug!(referrals, "looked at"),
            Self::Settled(outcome) => debug!(outcome = outcome.name(), "settled"),
            Self::Retry(_) => info!("made again after a while"),
            Self::Paused { length, capped } => {
                info!(seconds = length.as_secs_f64(), capped, "every request pauses, as the service asks");
            }
            Self::Held { pause, .. } => {
                info!(
                    seconds = pause.as_secs_f64(),
                    "every request is held back, since one after another failed"
                );
            }
            Self::Released => info!("requests go on, since one was answered"),
            Self::Quiet { time, .. } => info!(seconds = time.as_secs_f64(), "nothing came to an end"),
        }
    }
}
