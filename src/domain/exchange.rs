//! Requests and their results: the types that `api`, `pace` and `engine` share.

use std::time::Duration;

use uuid::Uuid;

use super::referral::{ETag, ReferralId};
use super::wording::Wording;

/// A change whose intent is on disk. `ledger::Ticket` is the only implementation; the client's `patch` takes
/// nothing else, and takes it by value, so each intent is sent once at most.
pub trait Journaled {
    /// Returns the referral that is addressed.
    fn id(&self) -> ReferralId;
    /// Returns the version that the change may be applied to; sent as `If-Match`.
    fn etag(&self) -> Option<&ETag>;
    /// Returns the JSON Patch document.
    fn document(&self) -> &str;
    /// Returns the GUID of the change, the same for every attempt at it.
    fn request_id(&self) -> Uuid;
    /// Returns the GUID of this attempt alone.
    fn client_request_id(&self) -> Uuid;
}

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status: 200 or 204 from the service; a proxy may answer with any other 2xx.
    pub status: u16,
    /// The body, empty where there is none: a referral, a list page, or anything else.
    pub body: String,
    /// The `ETag` header, if there is one.
    pub etag: Option<ETag>,
    /// The `client-request-id` that was sent.
    pub client_request_id: Uuid,
}

/// A failed request, by what it says about whether a change was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It never left this machine, so nothing was applied.
    NotSent {
        /// What went wrong, for people.
        message: String,
    },
    /// It may have arrived, and the answer was lost (timeout, reset, incomplete answer): the change is in doubt.
    NoAnswer {
        /// What went wrong, for people.
        message: String,
    },
    /// The service, or a proxy before it, answered with an error status.
    Answered(Refusal),
    /// It was not sent, since there is no token, or no new one can be obtained.
    NoToken {
        /// What went wrong, for people; never any part of a token.
        message: Wording,
        /// How somebody has to sign in again, where that brings one.
        needs_sign_in: Option<NeededSignIn>,
    },
}

/// How somebody has to sign in, so that there is a token again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeededSignIn {
    /// In any way.
    Any,
    /// With a browser on this machine, as a policy does not let codes sign in.
    Browser,
}

/// An answer with a status other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The innermost error code of the body, if it has one.
    pub code: Option<String>,
    /// All error codes of the body, from the outermost to the innermost.
    pub codes: Vec<String>,
    /// The body's message, or a description of the body.
    pub message: String,
    /// The pause that `Retry-After` asks for, uncapped.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// Returns the HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(refusal) => Some(refusal.status),
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::NoToken { .. } => None,
        }
    }

    /// Returns the sort of failure, for diagnostics: a word that holds no text of the service.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotSent { .. } => "not sent",
            Self::NoAnswer { .. } => "no answer",
            Self::NoToken { .. } => "no token",
            Self::Answered(_) => "refusal",
        }
    }

    /// Returns a stable word to group by: the error code of the service where there is one.
    pub fn code(&self) -> String {
        match self {
            Self::NotSent { .. } => "not-sent".to_owned(),
            Self::NoAnswer { .. } => "no-answer".to_owned(),
            Self::NoToken { .. } => "no-token".to_owned(),
            Self::Answered(refusal) => {
                refusal.code.clone().unwrap_or_else(|| format!("http-{}", refusal.status))
            }
        }
    }

    /// Returns how somebody has to sign in again, where that would help.
    pub fn needs_sign_in(&self) -> Option<NeededSignIn> {
        match self {
            Self::NoToken { needs_sign_in, .. } => *needs_sign_in,
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::Answered(_) => None,
        }
    }

    /// Returns the message, with the settings that would help.
    pub fn wording(&self) -> Wording {
        match self {
            Self::NoToken { message, .. } => message.clone(),
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::Answered(_) => self.message().into(),
        }
    }

    /// Returns the message, with settings by their names.
    pub fn message(&self) -> &str {
        match self {
            Self::NotSent { message } | Self::NoAnswer { message } => message,
            Self::NoToken { message, .. } => message.as_str(),
            Self::Answered(refusal) => &refusal.message,
        }
    }
}

/// The operation of a request. What follows from a failure depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// A GET, which can be repeated at will.
    Read,
    /// A PATCH, which is never repeated blindly.
    Write,
}
