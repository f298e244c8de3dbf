//! Tells what a failure says of the service as a whole, and words it for the user. Pure.

use super::stop::StopReason;
use crate::domain::exchange::Failure;
use crate::pace::circuit::{FailureKind, Purpose};
use crate::pace::retry::Decision;

/// Returns the kind of a failure that may concern the service as a whole; `None` where it concerns the
/// referral alone, or is handled elsewhere.
pub(super) fn failure_kind(decision: Decision, failure: &Failure, purpose: Purpose) -> Option<FailureKind> {
    match decision {
        Decision::Again { .. } | Decision::GiveUp => match failure {
            Failure::NotSent { .. } => Some(FailureKind::Unreachable),
            // 423: this referral is locked, which says nothing of others.
            Failure::Answered(refusal) if refusal.status == 423 => None,
            _ => Some(FailureKind::Unanswered),
        },
        Decision::ReadBack => Some(FailureKind::Unanswered),
        // It is normal that a user may not read some referrals; that change after change is forbidden is not.
        Decision::Refused if purpose == Purpose::Change && failure.status() == Some(403) => {
            Some(FailureKind::Forbidden)
        }
        _ => None,
    }
}

/// Returns the message for a referral that is given up for an answer of its own: had other requests got the
/// same answer, the run would have waited or stopped. `None` where the answer is no such one.
pub(super) fn own_failure(failure: &Failure) -> Option<String> {
    let (status, message) = (failure.status()?, failure.message());
    match status {
        401 => {
            Some(format!("HTTP 401 for this referral alone: the same token is taken for others ({message})"))
        }
        429 | 503 | 509 => Some(format!(
            "HTTP {status} for this referral alone, again and again, while others are let through ({message})"
        )),
        _ => None,
    }
}

/// Describes how requests fail in a row.
pub(super) fn description(failure_kind: FailureKind, purpose: Purpose, failure: &Failure) -> String {
    let what = match (failure_kind, purpose) {
        (FailureKind::Unreachable, _) => "the service cannot be reached any more",
        (FailureKind::Unanswered, Purpose::Change) => "one change after another gets no good answer",
        (FailureKind::Unanswered, _) => "one request after another gets no good answer",
        (FailureKind::Forbidden, _) => "one change after another is forbidden",
    };
    match failure.status() {
        Some(status) if !failure.message().starts_with("HTTP") => {
            format!("{what} (HTTP {status}: {})", failure.message())
        }
        _ => format!("{what} ({})", failure.message()),
    }
}

/// Returns the reason to stop for a run whose requests go on failing.
pub(super) fn stop_reason(failure_kind: FailureKind, purpose: Purpose, failure: &Failure) -> StopReason {
    let message = failure.message().to_owned();
    match (failure_kind, purpose) {
        (FailureKind::Unreachable, _) => StopReason::Unreachable(message),
        (FailureKind::Unanswered, Purpose::ReadBack) => StopReason::Unreadable(message),
        (FailureKind::Unanswered, _) => StopReason::Unanswered(message),
        (FailureKind::Forbidden, _) => StopReason::Forbidden(message),
    }
}
