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
    /// It is known not to be written, for a reason that may pass.
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

#[cfg(test)]
mod tests {
    use super::*;

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
