//! Judges what is left to do for an item that has no outcome yet. Pure.

use crate::domain::attempt::AttemptResult;

/// The next step for an item without an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// Send the item's document: none of its attempts has written anything.
    Send,
    /// Read the referral back before anything is sent: the item was sent and may have been written.
    Settle,
    /// Confirm by any look at the referral, be it on a list page, that the item was written, as the service says:
    /// nothing is sent before.
    Confirm,
    /// Read the referral back, and never send the same document again: it was refused as one for another
    /// version.
    Recheck,
}

/// What is known of the last attempt at an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastAttempt {
    /// No attempt was made.
    Never,
    /// The attempt has no result on record.
    Open,
    /// The attempt has this result on record.
    Ended(AttemptResult),
    /// Unknown: the log that may have held the attempt is lost.
    Lost,
}

/// Returns what is known of an item's last attempt.
///
/// `on_record` is the number and the result of the last attempt on record; attempts with numbers after
/// `lost_after` may be missing. A refusal for another version counts even where later attempts may be
/// missing, since it forbids sending the same document again.
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

/// Returns the next step for an item, judged from its last attempt.
///
/// The last attempt decides, since nothing is sent for an item while an earlier attempt is in doubt. An
/// attempt that was applied but has no outcome, because the process died between the two records, is read
/// back like one in doubt; so is one that may have been made.
pub(super) fn due(last: LastAttempt) -> Due {
    use AttemptResult::{
        Answered, Applied, Contradicted, InDoubt, Mismatched, NotApplied, Refused, Throttled,
    };
    match last {
        LastAttempt::Never | LastAttempt::Ended(Refused | NotApplied | Throttled) => Due::Send,
        LastAttempt::Ended(Answered) => Due::Confirm,
        LastAttempt::Ended(Mismatched | Contradicted) => Due::Recheck,
        LastAttempt::Open | LastAttempt::Ended(Applied | InDoubt) | LastAttempt::Lost => Due::Settle,
    }
}

/// Whether an attempt may have reached the service, or may still reach it.
///
/// An attempt that never left this machine, or was answered with a refusal, can't. An attempt that was read
/// back and not found may still be applied later.
pub(super) fn may_arrive(result: Option<AttemptResult>, has_code: bool) -> bool {
    use AttemptResult::{
        Answered, Applied, Contradicted, InDoubt, Mismatched, NotApplied, Refused, Throttled,
    };
    match result {
        Some(Refused | Mismatched | Throttled) => false,
        Some(NotApplied) => !has_code,
        None | Some(Answered | Applied | Contradicted | InDoubt) => true,
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
            (Some(AttemptResult::Answered), true, true),
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
            (LastAttempt::Ended(AttemptResult::Answered), Due::Confirm),
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
            (Some((7, Some(AttemptResult::Answered))), Some(7), LastAttempt::Lost),
            (Some((7, Some(refused))), Some(7), LastAttempt::Ended(refused)),
        ] {
            assert_eq!(last(on_record, lost_after), wanted, "{on_record:?} {lost_after:?}");
        }
    }
}
