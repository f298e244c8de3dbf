//! What is left to do for an item that has no outcome yet. Pure.

use serde::{Deserialize, Serialize};

/// What one attempt led to, as far as sending again is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptResult {
    /// The service said that it was written.
    Applied,
    /// The service said no; nothing was written.
    Refused,
    /// The service said that the referral has another version than was sent. Nothing was written by this attempt.
    Mismatched,
    /// The same, and a look showed the very version that was sent: what became of it nobody knows.
    Contradicted,
    /// It is not written, for a reason that may pass. Its code says who said so; without a code, it was read
    /// back and not found.
    NotApplied,
    /// The service said: slow down. Nothing was written.
    Throttled,
    /// It may have been written.
    InDoubt,
}

/// What is due for an item without an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// Its document can be sent: nothing of it was written so far.
    Send,
    /// It was sent and may have been written: the referral is read back before anything is sent.
    Settle,
    /// It was refused as one for another version: the referral is read back, and the same is never sent again.
    Recheck,
}

/// What is known of the last attempt at an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastAttempt {
    /// There was none.
    Never,
    /// It has no result on record.
    Open,
    /// It has this one.
    Ended(AttemptResult),
    /// Nothing: the log is lost that may have told of it.
    Lost,
}

/// What is known of an item's last attempt: from the number and the result of the last on record, and the
/// number after which attempts may be missing. That it was refused as one for another version forbids to send the
/// same again, whatever may be missing.
pub(super) fn last(on_record: Option<(i64, Option<AttemptResult>)>, lost_after: Option<i64>) -> LastAttempt {
    let number = on_record.map_or(0, |(number, _)| number);
    match on_record {
        Some((_, Some(result @ (AttemptResult::Mismatched | AttemptResult::Contradicted)))) => {
            LastAttempt::Ended(result)
        }
        _ if lost_after.is_some_and(|after| number <= after) => LastAttempt::Lost,
        None => LastAttempt::Never,
        Some((_, None)) => LastAttempt::Open,
        Some((_, Some(result))) => LastAttempt::Ended(result),
    }
}

/// What comes next, from the last of an item's attempts.
///
/// The last one decides, since nothing is sent for an item while an earlier attempt is in doubt. An
/// attempt that was applied and has no outcome, because the process died between the two, is read
/// back like one in doubt, and so is one that may have been made.
pub(super) fn due(last: LastAttempt) -> Due {
    use AttemptResult::{Applied, Contradicted, InDoubt, Mismatched, NotApplied, Refused, Throttled};
    match last {
        LastAttempt::Never | LastAttempt::Ended(Refused | NotApplied | Throttled) => Due::Send,
        LastAttempt::Ended(Mismatched | Contradicted) => Due::Recheck,
        LastAttempt::Open | LastAttempt::Ended(Applied | InDoubt) | LastAttempt::Lost => Due::Settle,
    }
}

/// Whether an attempt may have been made, or may be yet. What never left, or was answered with a no, is not.
/// That it was read back and not found says nothing of what is still on its way.
pub(super) fn may_arrive(result: Option<AttemptResult>, has_code: bool) -> bool {
    use AttemptResult::{Applied, Contradicted, InDoubt, Mismatched, NotApplied, Refused, Throttled};
    match result {
        Some(Refused | Mismatched | Throttled) => false,
        Some(NotApplied) => !has_code,
        None | Some(Applied | Contradicted | InDoubt) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_said_no_to_may_arrive() {
        for (result, without_code, with_code) in [
            (None, true, true),
            (Some(AttemptResult::Applied), true, true),
            (Some(AttemptResult::InDoubt), true, true),
            (Some(AttemptResult::NotApplied), true, false),
            (Some(AttemptResult::Contradicted), true, true),
            (Some(AttemptResult::Refused), false, false),
            (Some(AttemptResult::Mismatched), false, false),
            (Some(AttemptResult::Throttled), false, false),
        ] {
            let got = (may_arrive(result, false), may_arrive(result, true));
            assert_eq!(got, (without_code, with_code), "{result:?}");
        }
    }

    #[test]
    fn the_last_attempt_says_what_comes_next() {
        for (last, wanted) in [
            (LastAttempt::Never, Due::Send),
            (LastAttempt::Open, Due::Settle),
            (LastAttempt::Ended(AttemptResult::Applied), Due::Settle),
            (LastAttempt::Ended(AttemptResult::Refused), Due::Send),
            (LastAttempt::Ended(AttemptResult::NotApplied), Due::Send),
            (LastAttempt::Ended(AttemptResult::Throttled), Due::Send),
            (LastAttempt::Ended(AttemptResult::InDoubt), Due::Settle),
            (LastAttempt::Ended(AttemptResult::Mismatched), Due::Recheck),
            (LastAttempt::Ended(AttemptResult::Contradicted), Due::Recheck),
            (LastAttempt::Lost, Due::Settle),
        ] {
            assert_eq!(due(last), wanted, "{last:?}");
        }
    }

    #[test]
    fn what_was_on_record_before_the_loss_says_nothing_of_the_last() {
        let throttled = Some(AttemptResult::Throttled);
        let refused = AttemptResult::Mismatched;
        for (on_record, lost_after, wanted) in [
            (None, None, LastAttempt::Never),
            (None, Some(0), LastAttempt::Lost),
            (None, Some(7), LastAttempt::Lost),
            (Some((7, None)), None, LastAttempt::Open),
            (Some((7, None)), Some(6), LastAttempt::Open),
            (Some((7, None)), Some(7), LastAttempt::Lost),
            (Some((7, throttled)), None, LastAttempt::Ended(AttemptResult::Throttled)),
            (Some((7, throttled)), Some(6), LastAttempt::Ended(AttemptResult::Throttled)),
            (Some((7, throttled)), Some(7), LastAttempt::Lost),
            (Some((7, throttled)), Some(i64::MAX), LastAttempt::Lost),
            (Some((7, Some(refused))), Some(7), LastAttempt::Ended(refused)),
        ] {
            assert_eq!(last(on_record, lost_after), wanted, "{on_record:?} {lost_after:?}");
        }
    }
}
