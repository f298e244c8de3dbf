//! Whether an answer is believed that says yes and shows nothing.

use std::sync::atomic::{AtomicBool, Ordering};

/// What a process knows of 204s.
///
/// Every PATCH asks to be shown the referral, so a 204 shows nothing, and anything that stands before the
/// service can say it. It is believed once another one was read back and the referral carried its change. Once
/// one turned out untrue, none is believed any more: whoever says both can't be told apart.
#[derive(Debug, Default)]
pub(super) struct Trust {
    confirmed: AtomicBool,
    broken: AtomicBool,
}

impl Trust {
    /// Whether a 204 is believed.
    pub(super) fn is_given(&self) -> bool {
        self.confirmed.load(Ordering::Relaxed) && !self.broken.load(Ordering::Relaxed)
    }

    /// One was read back, and its change was there.
    pub(super) fn confirm(&self) {
        self.confirmed.store(true, Ordering::Relaxed);
    }

    /// One was read back, and its change was not there.
    pub(super) fn break_for_good(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_back_decides() {
        for (read_back, given) in [
            (&[][..], false),
            (&[true], true),
            (&[true, true], true),
            (&[false], false),
            (&[false, true], false),
            (&[true, false], false),
            (&[true, false, true], false),
        ] {
            let trust = Trust::default();
            for is_there in read_back {
                if *is_there { trust.confirm() } else { trust.break_for_good() }
            }
            assert_eq!(trust.is_given(), given, "{read_back:?}");
        }
    }
}
