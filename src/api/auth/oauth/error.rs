//! What can go wrong with a sign-in.

use std::time::Duration;

use super::claims::ClaimsChallenge;
use super::id_token::IdTokenError;
use super::refusal::SignInRefusal;

/// The reason why a sign-in, or its renewal, did not succeed. It holds no token, code or secret.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignInError {
    /// The service refused.
    #[error("{0}")]
    Refused(Box<SignInRefusal>),
    /// No connection could be made, so nothing was sent.
    #[error("the sign-in service cannot be reached: {message}")]
    Unreachable {
        /// What went wrong, for people.
        message: String,
        /// Whether it was the encryption: often a proxy that opens it, whose certificate this machine doesn't know.
        is_tls: bool,
    },
    /// It was sent, and the answer was lost.
    #[error("the sign-in service gave no answer: {message}")]
    NoAnswer {
        /// What went wrong, for people.
        message: String,
    },
    /// The service, or a proxy before it, is busy or broken, and says nothing of the sign-in.
    #[error("the sign-in service is not available: HTTP {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// The pause that it asks for.
        retry_after: Option<Duration>,
    },
    /// It answered something that no sign-in service answers.
    #[error("what answered is no sign-in service: {0}")]
    BadAnswer(String),
    /// Tokens came with an id token that must not be accepted.
    #[error("the sign-in service answered with {0}")]
    IdToken(#[from] IdTokenError),
    /// The tokens are another tenant's.
    #[error("the sign-in service gave tokens of another tenant: {asked} was asked for, and {came} came")]
    OtherTenant {
        /// The tenant that was asked for, or that somebody signed in to.
        asked: String,
        /// The id of the one that came.
        came: String,
    },
    /// The browser never came back.
    #[error("no browser came back with a sign-in within {} minutes", .0.as_secs() / 60)]
    NobodyCame(Duration),
    /// Nobody entered the device code while it was good.
    #[error("nobody signed in with the device code before it expired")]
    CodeExpired,
    /// No port of this machine can be listened on.
    #[error("no port of this machine can be listened on for the browser: {0}")]
    NoPort(String),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoChance(String),
}

impl SignInError {
    /// Returns whether the sign-in that was kept is over, so that somebody has to sign in again.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_over(),
            Self::OtherTenant { .. } => true,
            _ => false,
        }
    }

    /// Returns whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_transient(),
            Self::Unreachable { is_tls, .. } => !is_tls,
            Self::NoAnswer { .. } | Self::Unavailable { .. } => true,
            Self::BadAnswer(_)
            | Self::IdToken(_)
            | Self::OtherTenant { .. }
            | Self::NobodyCame(_)
            | Self::CodeExpired
            | Self::NoPort(_)
            | Self::NoChance(_) => false,
        }
    }

    /// Returns what a policy demands of the next sign-in.
    pub fn claims(&self) -> Option<&ClaimsChallenge> {
        match self {
            Self::Refused(refusal) => refusal.claims.as_ref(),
            _ => None,
        }
    }

    /// Returns the pause that the service asked for.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
