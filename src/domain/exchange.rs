//! What crosses the wire, and what is concluded from it: the words that `api`, `pace` and `engine`
//! share.

use std::time::Duration;

use uuid::Uuid;

use super::referral::{ETag, ReferralId};
use super::wording::Wording;

/// A change whose intent is on disk. `ledger::Ticket` is the only one; the client's `patch` takes
/// nothing else, and takes it by value.
pub trait Journaled {
    /// The referral that is addressed.
    fn id(&self) -> ReferralId;
    /// The version it may be applied to; sent as `If-Match`.
    fn etag(&self) -> Option<&ETag>;
    /// The JSON Patch document.
    fn document(&self) -> &str;
    /// The same for every attempt at this change.
    fn request_id(&self) -> Uuid;
    /// Of this attempt alone.
    fn client_request_id(&self) -> Uuid;
}

/// An answer that says yes.
#[derive(Debug, Clone)]
pub struct Reply {
    /// 200 or 204, or whatever else of the 200s a proxy invented.
    pub status: u16,
    /// The body; empty where there is none. A referral, a page, or anything else.
    pub body: String,
    /// The `ETag` header, where there is one.
    pub etag: Option<ETag>,
    /// The `client-request-id` that was sent.
    pub client_request_id: Uuid,
}

/// Where a failed request left the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It never left this machine: nothing was applied.
    NotSent {
        /// What went wrong, for people.
        message: String,
    },
    /// It may have arrived: time-out, reset, half an answer. In doubt.
    NoAnswer {
        /// What went wrong, for people.
        message: String,
    },
    /// The service, or something before it, answered that it did not work.
    Answered(Refusal),
    /// There is no token to send, or none can be had any more.
    NoToken {
        /// What went wrong, for people; never any part of a token.
        message: Wording,
    },
}

/// An answer with a status other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The deepest error code of the body, where it has one.
    pub code: Option<String>,
    /// Every code of the body from the outermost to the deepest.
    pub codes: Vec<String>,
    /// The body's message, or a description of the body.
    pub message: String,
    /// What `Retry-After` asks for, uncapped.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(refusal) => Some(refusal.status),
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::NoToken { .. } => None,
        }
    }

    /// Which sort of failure it is, in a word that holds nothing a service said.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotSent { .. } => "not sent",
            Self::NoAnswer { .. } => "no answer",
            Self::NoToken { .. } => "no token",
            Self::Answered(_) => "refusal",
        }
    }

    /// A stable word to group by.
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

    /// For people, with the settings that would help.
    pub fn wording(&self) -> Wording {
        match self {
            Self::NoToken { message } => message.clone(),
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::Answered(_) => self.message().into(),
        }
    }

    /// For people, with settings by their names.
    pub fn message(&self) -> &str {
        match self {
            Self::NotSent { message } | Self::NoAnswer { message } => message,
            Self::NoToken { message } => message.as_str(),
            Self::Answered(refusal) => &refusal.message,
        }
    }
}

/// What a request does; a failure means other things for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// A GET, which can be repeated at will.
    Read,
    /// A PATCH, which is never repeated blindly.
    Write,
}
