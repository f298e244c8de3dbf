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
    /// It is not written, for a reason that may pass. Its code says who said so; without a code, it was read
    /// back and not found.
    NotApplied,
    /// The service said: slow down. Nothing was written.
    Throttled,
    /// It may have been written.
    InDoubt,
}

/// What an item without an outcome needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Next {
    /// Its document can be sent: nothing of it was written so far.
    Send,
    /// It was sent and may have been written: the referral is read back before anything is sent.
    Settle,
}

/// What comes next, from the last of an item's attempts: `None` where there was none, `Some(None)`
/// where it has no result on record.
///
/// The last one decides, since nothing is sent for an item while an earlier attempt is in doubt. An
/// attempt that was applied and has no outcome, because the process died between the two, is read
/// back like one in doubt.
pub(super) fn next(last: Option<Option<AttemptResult>>) -> Next {
    use AttemptResult::{Applied, InDoubt, NotApplied, Refused, Throttled};
    match last {
        None | Some(Some(Refused | NotApplied | Throttled)) => Next::Send,
        Some(None | Some(Applied | InDoubt)) => Next::Settle,
    }
}

/// Whether an attempt may have been made, or may be yet. What never left, or was answered with a no, is not.
/// That it was read back and not found says nothing of what is still on its way.
pub(super) fn may_arrive(result: Option<AttemptResult>, has_code: bool) -> bool {
    use AttemptResult::{Applied, InDoubt, NotApplied, Refused, Throttled};
    match result {
        Some(Refused | Throttled) => false,
        Some(NotApplied) => !has_code,
        None | Some(Applied | InDoubt) => true,
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
            (Some(AttemptResult::Refused), false, false),
            (Some(AttemptResult::Throttled), false, false),
        ] {
            let got = (may_arrive(result, false), may_arrive(result, true));
            assert_eq!(got, (without_code, with_code), "{result:?}");
        }
    }

    #[test]
    fn the_last_attempt_says_what_comes_next() {
        for (last, wanted) in [
            (None, Next::Send),
            (Some(None), Next::Settle),
            (Some(Some(AttemptResult::Applied)), Next::Settle),
            (Some(Some(AttemptResult::Refused)), Next::Send),
            (Some(Some(AttemptResult::NotApplied)), Next::Send),
            (Some(Some(AttemptResult::Throttled)), Next::Send),
            (Some(Some(AttemptResult::InDoubt)), Next::Settle),
        ] {
            assert_eq!(next(last), wanted, "{last:?}");
        }
    }
}
