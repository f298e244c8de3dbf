//! What happened to an item while it was carried out, in words: results of attempts, what followed, looks and waits.

use std::time::Duration;

use crate::domain::attempt::{AttemptAnswer, AttemptResult};
use crate::domain::characters::visible;
use crate::domain::referral::ETag;
use crate::domain::step::{Found, Look, NextMove, Waits};

/// Returns what an attempt came to, as in `answered 429 (http-429): throttled, nothing was written`. What is on record of
/// an attempt is that it was written; whether that was in part (`is_partial`) only the outcome tells.
pub(super) fn answered(answer: &AttemptAnswer, is_partial: bool) -> String {
    let AttemptAnswer { result, status, code, .. } = answer;
    let code = code.as_ref().filter(|code| status.is_none_or(|status| **code != format!("http-{status}")));
    let code = code.map(|code| format!(" ({})", visible(code))).unwrap_or_default();
    let how = match status {
        Some(status) => format!("answered {status}{code}"),
        None => format!("not answered{code}"),
    };
    format!("{how}: {}", came_to(*result, is_partial))
}

fn came_to(result: AttemptResult, is_partial: bool) -> &'static str {
    match result {
        AttemptResult::Applied if is_partial => "it was taken in part",
        AttemptResult::Applied => "it was written",
        AttemptResult::Refused => "refused, nothing was written",
        AttemptResult::Mismatched => "the referral has another version, nothing was written",
        AttemptResult::Contradicted => {
            "refused for its version, and yet the referral was found at that one: it may have been written"
        }
        AttemptResult::NotApplied => "it was not written",
        AttemptResult::Throttled => "throttled, nothing was written",
        AttemptResult::InDoubt => "it may have been written",
        AttemptResult::Answered => "a yes that does not show the referral, to be confirmed by a look at it",
    }
}

/// Returns what followed from a failure.
pub(super) fn then(next: NextMove) -> &'static str {
    match next {
        NextMove::SendAgain => "to be sent again",
        NextMove::SendAfterPause => "to be sent again, once the service takes requests again",
        NextMove::SendWithToken => "to be sent again with a token that is taken",
        NextMove::ReadBack | NextMove::Recheck => "the referral is looked at before anything else",
        NextMove::EndRefused => "nothing more is sent",
        NextMove::GiveUp => "given up",
        NextMove::Stop => "the run was stopped",
    }
}

/// Returns what a look showed, as in `the referral is as it was planned from, at "v1" (200)`.
pub(super) fn looked(look: &Look) -> String {
    let found = match look.found {
        Found::Applied => "the referral carries the change",
        Found::Partial => "the referral carries some of the change",
        Found::NotApplied => "the referral is as it was planned from",
        Found::Contradictory => "the referral carries some of the change at the very version that was sent",
        Found::Conflict => "the referral is neither as planned from nor as wanted",
        Found::CannotTell => "the referral does not carry the change, and nothing tells why",
        Found::SomethingElse => "the answer holds something other than the referral",
        Found::Unreadable => "the referral could not be read",
    };
    let version = look.etag.as_ref().map(|etag| format!(", at {}", etag.as_str())).unwrap_or_default();
    let status = look.status.map(|status| format!(" ({status})")).unwrap_or_default();
    let again = if look.again { "; too early to tell, looked again" } else { "" };
    format!("{found}{version}{status}{again}")
}

/// Returns the version that a change was made anew for, as in `from "v1" to "v2"`.
pub(super) fn rebased(from: Option<&ETag>, to: Option<&ETag>) -> String {
    let version = |etag: Option<&ETag>| etag.map_or("no version", ETag::as_str).to_owned();
    format!("made anew for the version that the referral has now: from {} to {}", version(from), version(to))
}

/// Returns what was waited for, as in ` after 1.5 s for the rate and 500 ms of back-off`; empty where it was nothing.
pub(super) fn after(waits: &Waits) -> String {
    let reasons = [
        (waits.rate, "for the rate"),
        (waits.pause, "for a pause that the service asked for"),
        (waits.held_back, "held back, since requests failed in a row"),
        (waits.back_off, "of back-off"),
    ];
    let waited = reasons.into_iter().filter(|(time, _)| *time >= Duration::from_millis(1));
    let parts: Vec<String> = waited.map(|(time, why)| format!("{} {why}", length(time))).collect();
    match parts.split_last() {
        None => String::new(),
        Some((last, [])) => format!(" after {last}"),
        Some((last, others)) => format!(" after {} and {last}", others.join(", ")),
    }
}

/// Returns a length of time: `250 ms`, `1.5 s`, `75.0 s`.
fn length(time: Duration) -> String {
    match time.as_millis() {
        short @ ..1_000 => format!("{short} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_an_attempt_came_to() {
        use AttemptResult::{Applied, InDoubt, Mismatched, NotApplied, Throttled};
        for (result, status, code, wanted) in [
            (Applied, Some(200), None, "answered 200: it was written"),
            (Throttled, Some(429), Some("http-429"), "answered 429: throttled, nothing was written"),
            (
                Mismatched,
                Some(412),
                Some("preconditionFailed"),
                "answered 412 (preconditionFailed): the referral has another version, nothing was written",
            ),
            (
                AttemptResult::Answered,
                Some(204),
                None,
                "answered 204: a yes that does not show the referral, to be confirmed by a look at it",
            ),
            (InDoubt, None, Some("no-answer"), "not answered (no-answer): it may have been written"),
            (NotApplied, None, Some("a\u{1b}b"), "not answered (a\u{fffd}b): it was not written"),
        ] {
            let (code, at) = (code.map(ToOwned::to_owned), jiff::Timestamp::UNIX_EPOCH);
            let answer = AttemptAnswer { result, status, code, at };
            assert_eq!(answered(&answer, false), wanted);
            let in_part = wanted.replace("200: it was written", "200: it was taken in part");
            assert_eq!(answered(&answer, true), in_part);
        }
    }

    #[test]
    fn what_a_look_showed() {
        let etag = |text| Some(ETag::from_input(text).unwrap());
        let look = |found, etag, status, again| Look {
            found,
            etag,
            status,
            client_request_id: Some(Uuid::nil()),
            again,
            waits: Waits::default(),
        };
        for (look, wanted) in [
            (
                look(Found::NotApplied, etag("v1"), Some(200), true),
                "the referral is as it was planned from, at \"v1\" (200); too early to tell, looked again",
            ),
            (look(Found::Applied, etag("v2"), None, false), "the referral carries the change, at \"v2\""),
            (look(Found::Unreadable, None, Some(503), false), "the referral could not be read (503)"),
        ] {
            assert_eq!(looked(&look), wanted);
        }
        let wanted = "made anew for the version that the referral has now: from \"v1\" to no version";
        assert_eq!(rebased(etag("v1").as_ref(), None), wanted);
    }

    #[test]
    fn what_was_waited_for() {
        let ms = Duration::from_millis;
        let none = Waits::default();
        for (waits, wanted) in [
            (none, ""),
            (Waits { rate: Duration::from_micros(900), ..none }, ""),
            (Waits { rate: ms(1), ..none }, " after 1 ms for the rate"),
            (
                Waits { rate: ms(1_540), pause: ms(60_000), back_off: ms(999), ..none },
                " after 1.5 s for the rate, 60.0 s for a pause that the service asked for and 999 ms of back-off",
            ),
            (
                Waits { held_back: ms(2_000), ..none },
                " after 2.0 s held back, since requests failed in a row",
            ),
        ] {
            assert_eq!(after(&waits), wanted);
        }
    }
}
