//! Decides what follows from a failed request, by the table in docs/api-facts.md, "Status codes". Pure.
//!
//! What always holds: a write that may have been applied is never sent again before the referral was read
//! back, and a throttled answer is not charged to the row.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::domain::exchange::{Failure, Operation, Refusal};

/// The number of tries after which a request is given up. Throttled answers don't count.
pub const MAX_TRIES: u32 = 5;

/// The delays before the second and every later try of one request.
const BACK_OFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(Duration::from_secs(30))
    .without_max_times();

/// The pauses of the whole run where the service asks for one and doesn't say how long.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_secs(60))
    .without_max_times();

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Throttled: the whole run waits. It doesn't count as a try.
    Pause {
        /// The value of `Retry-After`, uncapped.
        asked: Option<Duration>,
        /// What follows for this request then.
        then: AfterPause,
    },
    /// Send this request again: it is a read, or known not to be applied.
    Again {
        /// How long to wait first.
        after: Duration,
    },
    /// In doubt: read the referral back and compare before anything else.
    ReadBack,
    /// The referral has another version than the request is bound to.
    Conflict,
    /// The service refused the request, and would refuse it again.
    Refused,
    /// Give the request up: it was tried [`MAX_TRIES`] times, and is known not to be applied.
    GiveUp,
    /// The token was refused: get a new one, once for the whole run, then send again. The caller stops the
    /// run where the new token is refused too.
    Renew,
    /// No request of this run can succeed.
    Stop(TokenProblem),
}

/// What follows for a throttled request once the pause is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterPause {
    /// Send it again: it is known not to be applied.
    Again,
    /// Read the referral back first: the request may have been applied.
    ReadBack,
}

/// What is wrong with the token, so that no request of a run can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenProblem {
    /// The token was issued without multi-factor authentication (error code 900421).
    MfaRequired,
    /// A conditional-access policy asks for claims that the token lacks (error code
    /// `insufficient_claims`): it wants another sign-in.
    ClaimsRequired,
    /// No token can be obtained.
    NoToken,
}

/// Decides what follows from a failure. `tries` is how often the request was sent, this time included.
pub fn decide(operation: Operation, failure: &Failure, tries: u32) -> Decision {
    match failure {
        Failure::NoToken { .. } => Decision::Stop(TokenProblem::NoToken),
        Failure::NotSent { .. } => again(tries),
        Failure::NoAnswer { .. } => in_doubt(operation, tries),
        Failure::Answered(refusal) => answered(operation, refusal, tries),
    }
}

/// Returns how long to wait before the next try of a request that was sent `tries` times. It is used where
/// reading back showed that the request was not applied.
pub fn back_off(tries: u32) -> Duration {
    if tries == 0 { Duration::ZERO } else { delay(BACK_OFF, tries) }
}

/// Returns the pause of a run after a number of throttles in a row without `Retry-After`.
pub(super) fn default_pause(throttles_in_a_row: u32) -> Duration {
    delay(PAUSES, throttles_in_a_row)
}

fn answered(operation: Operation, refusal: &Refusal, tries: u32) -> Decision {
    if let Some(reason) = lacks(refusal) {
        return Decision::Stop(reason);
    }
    if operation == Operation::Write && is_conflict(refusal) {
        return Decision::Conflict;
    }
    match (refusal.status, refusal.retry_after) {
        (401, _) => Decision::Renew,
        (423, _) => again(tries),
        (429 | 509, asked) => Decision::Pause { asked, then: AfterPause::Again },
        // A proxy may say when to come back after the service behind it has applied the change.
        (503, Some(asked)) => Decision::Pause { asked: Some(asked), then: after_pause(operation) },
        (408, _) => in_doubt(operation, tries),
        (300..=499, _) => Decision::Refused,
        // A server error, or a status that HTTP doesn't define: neither rules out that the change was made.
        _ => in_doubt(operation, tries),
    }
}

/// Returns what the token lacks, where an answer says so that leaves no doubt that nothing was applied.
/// Another token of the same source would lack it too, so none is fetched.
fn lacks(refusal: &Refusal) -> Option<TokenProblem> {
    let reason = if has_code(refusal, &["900421"]) {
        TokenProblem::MfaRequired
    } else if has_code(refusal, &["insufficient_claims"]) {
        TokenProblem::ClaimsRequired
    } else {
        return None;
    };
    is_no(refusal).then_some(reason)
}

/// Returns whether a write was refused for the version of its referral. A read names no version, so it is
/// never in conflict. A code counts only where the status leaves no doubt that nothing was applied.
fn is_conflict(refusal: &Refusal) -> bool {
    matches!(refusal.status, 409 | 412)
        || is_no(refusal) && has_code(refusal, &["preconditionFailed", "resourceModified", "99918"])
        || matches!(refusal.status, 400 | 422) && has_code(refusal, &["2055"])
}

/// Returns whether the status by itself says that nothing was applied.
fn is_no(refusal: &Refusal) -> bool {
    matches!(refusal.status, 400..=499) && refusal.status != 408
}

fn has_code(refusal: &Refusal, wanted: &[&str]) -> bool {
    refusal.codes.iter().any(|code| wanted.iter().any(|wanted| code.eq_ignore_ascii_case(wanted)))
}

fn after_pause(operation: Operation) -> AfterPause {
    match operation {
        Operation::Read => AfterPause::Again,
        Operation::Write => AfterPause::ReadBack,
    }
}

fn in_doubt(operation: Operation, tries: u32) -> Decision {
    match operation {
        Operation::Read => again(tries),
        Operation::Write => Decision::ReadBack,
    }
}

fn again(tries: u32) -> Decision {
    if tries < MAX_TRIES { Decision::Again { after: delay(BACK_OFF, tries) } } else { Decision::GiveUp }
}

/// Returns the `nth` delay of a series, counted from 1.
fn delay(delays: ExponentialBuilder, nth: u32) -> Duration {
    /// The number of doublings after which every series here has reached its cap.
    const ENOUGH: u32 = 16;
    let skipped = nth.saturating_sub(1).min(ENOUGH);
    delays.build().nth(skipped as usize).expect("a series without a limit of its own never ends")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::domain::exchange::NeededSignIn;

    fn refusal(status: u16, codes: &[&str], retry_after: Option<Duration>) -> Failure {
        let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
        let code = codes.last().cloned();
        Failure::Answered(Refusal { status, code, codes, message: String::new(), retry_after })
    }

    fn word(decision: Decision) -> String {
        match decision {
            Decision::Pause { asked, then } => {
                let asked = asked.map_or(String::new(), |asked| format!(" {asked:?}"));
                let then = if then == AfterPause::ReadBack { ", read back" } else { "" };
                format!("pause{asked}{then}")
            }
            Decision::Again { after } => format!("again {after:?}"),
            Decision::ReadBack => "read back".to_owned(),
            Decision::Conflict => "conflict".to_owned(),
            Decision::Refused => "refused".to_owned(),
            Decision::GiveUp => "give up".to_owned(),
            Decision::Renew => "renew".to_owned(),
            Decision::Stop(reason) => format!("stop {reason:?}"),
        }
    }

    /// Returns the decisions of tries 1 to 6, equal neighbours once.
    fn over_tries(operation: Operation, failure: &Failure) -> String {
        let mut words: Vec<String> = (1..=6).map(|tries| word(decide(operation, failure, tries))).collect();
        words.dedup();
        words.join(", ")
    }

    /// Returns the decisions of every status, one line for neighbours that have the same. Where
    /// `Retry-After: 7` makes a difference, that follows behind a bar.
    fn table(operation: Operation) -> String {
        let line = |status: u16| {
            let without = over_tries(operation, &refusal(status, &[], None));
            let with = over_tries(operation, &refusal(status, &[], Some(Duration::from_secs(7))));
            if with == without { without } else { format!("{without} | {with}") }
        };
        let mut table = String::new();
        let mut first = 100;
        for status in 100..=599 {
            if status == 599 || line(status + 1) != line(first) {
                let range = if first == status { format!("{first}") } else { format!("{first}-{status}") };
                writeln!(table, "{range:<8}{}", line(first)).unwrap();
                first = status + 1;
            }
        }
        table
    }

    #[track_caller]
    fn check_table(operation: Operation, wanted: &str) {
        let got = table(operation);
        assert_eq!(got.trim_end(), wanted.trim(), "\n{got}");
    }

    #[test]
    fn what_follows_from_every_status_of_a_write() {
        check_table(
            Operation::Write,
            "
100-299 read back
300-400 refused
401     renew
402-407 refused
408     read back
409     conflict
410-411 refused
412     conflict
413-422 refused
423     again 500ms, again 1s, again 2s, again 4s, give up
424-428 refused
429     pause | pause 7s
430-499 refused
500-502 read back
503     read back | pause 7s, read back
504-508 read back
509     pause | pause 7s
510-599 read back
",
        );
    }

    #[test]
    fn what_follows_from_every_status_of_a_read() {
        check_table(
            Operation::Read,
            "
100-299 again 500ms, again 1s, again 2s, again 4s, give up
300-400 refused
401     renew
402-407 refused
408     again 500ms, again 1s, again 2s, again 4s, give up
409-422 refused
423     again 500ms, again 1s, again 2s, again 4s, give up
424-428 refused
429     pause | pause 7s
430-499 refused
500-502 again 500ms, again 1s, again 2s, again 4s, give up
503     again 500ms, again 1s, again 2s, again 4s, give up | pause 7s
504-508 again 500ms, again 1s, again 2s, again 4s, give up
509     pause | pause 7s
510-599 again 500ms, again 1s, again 2s, again 4s, give up
",
        );
    }

    #[test]
    fn what_follows_without_an_answer() {
        let message = String::new;
        let tries = "again 500ms, again 1s, again 2s, again 4s, give up";
        for (failure, write, read) in [
            (Failure::NotSent { message: message() }, tries, tries),
            (Failure::NoAnswer { message: message() }, "read back", tries),
            (
                Failure::NoToken { message: message().into(), needs_sign_in: Some(NeededSignIn::Any) },
                "stop NoToken",
                "stop NoToken",
            ),
        ] {
            assert_eq!(over_tries(Operation::Write, &failure), write, "{failure:?}");
            assert_eq!(over_tries(Operation::Read, &failure), read, "{failure:?}");
        }
    }

    #[test]
    fn codes_count_wherever_they_stand() {
        use Decision::{Conflict, ReadBack, Refused, Renew, Stop};
        use TokenProblem::{ClaimsRequired, MfaRequired};
        let again = Decision::Again { after: Duration::from_millis(500) };
        for (status, codes, write, read) in [
            (400, &["badRequest", "2055"][..], Conflict, Refused),
            (422, &["2055", "other"], Conflict, Refused),
            (404, &["2055"], Refused, Refused),
            (400, &["20550"], Refused, Refused),
            (400, &["badRequest", "99918"], Conflict, Refused),
            (400, &["preconditionFailed"], Conflict, Refused),
            (400, &["PreconditionFailed", "x"], Conflict, Refused),
            (403, &["resourceModified"], Conflict, Refused),
            (409, &["whatever"], Conflict, Refused),
            (401, &["unauthorized"], Renew, Renew),
            (401, &["unauthorized", "900421"], Stop(MfaRequired), Stop(MfaRequired)),
            (403, &["900421"], Stop(MfaRequired), Stop(MfaRequired)),
            (400, &["900421"], Stop(MfaRequired), Stop(MfaRequired)),
            (409, &["900421", "insufficient_claims"], Stop(MfaRequired), Stop(MfaRequired)),
            (401, &["insufficient_claims"], Stop(ClaimsRequired), Stop(ClaimsRequired)),
            (403, &["Insufficient_Claims", "x"], Stop(ClaimsRequired), Stop(ClaimsRequired)),
            (403, &["forbidden", "x", "insufficient_claims"], Stop(ClaimsRequired), Stop(ClaimsRequired)),
            (403, &["insufficient_scope"], Refused, Refused),
            // It could have been done all the same.
            (500, &["resourceModified"], ReadBack, again),
            (502, &["preconditionFailed", "99918"], ReadBack, again),
            (503, &["resourceModified"], ReadBack, again),
            (408, &["preconditionFailed"], ReadBack, again),
            (300, &["resourceModified"], Refused, Refused),
            (502, &["900421"], ReadBack, again),
            (408, &["insufficient_claims"], ReadBack, again),
        ] {
            let failure = refusal(status, codes, None);
            assert_eq!(decide(Operation::Write, &failure, 1), write, "write {status} {codes:?}");
            assert_eq!(decide(Operation::Read, &failure, 1), read, "read {status} {codes:?}");
        }
    }

    #[test]
    fn delays_double_up_to_their_cap() {
        let seconds = |series, nths: &[u32]| -> Vec<f64> {
            nths.iter().map(|nth| delay(series, *nth).as_secs_f64()).collect()
        };
        let nths = [0, 1, 2, 3, 6, 7, 8, 100, u32::MAX];
        assert_eq!(seconds(BACK_OFF, &nths), [0.5, 0.5, 1.0, 2.0, 16.0, 30.0, 30.0, 30.0, 30.0]);
        assert_eq!(seconds(PAUSES, &nths), [1.0, 1.0, 2.0, 4.0, 32.0, 60.0, 60.0, 60.0, 60.0]);
    }
}
