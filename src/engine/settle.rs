//! What a referral that was read back says about an item in doubt. Pure.

use crate::domain::item::Item;
use crate::domain::referral::Snapshot;

/// What reading back says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It carries our change.
    Applied,
    /// It is as it was: send again.
    NotApplied,
    /// It is neither: somebody else changed it.
    Conflict,
    /// It doesn't carry our change, and nothing tells whether sending again would overwrite somebody
    /// else's, or add an element twice.
    CannotTell,
}

/// Compares an item in doubt with the referral as it stands now.
///
/// The eTag decides where there is one: if it is the one that was sent, nothing was applied, and
/// sending again is safe even if the first request is still on its way, since only one of the two
/// can match. Without one, the values themselves are all there is; where nobody looked at them
/// beforehand, not even those.
pub fn weigh(item: &Item, now: &Snapshot<'_>) -> Reading {
    if let (Some(sent), Some(current)) = (&item.etag, now.etag())
        && sent == current
    {
        return Reading::NotApplied;
    }
    if item.is_carried_by(now) {
        return Reading::Applied;
    }
    let moved = item.etag.is_some() && now.etag().is_some();
    if moved || item.is_overtaken_in(now) {
        Reading::Conflict
    } else if item.is_untouched_in(now) && item.is_repeatable() {
        Reading::NotApplied
    } else {
        Reading::CannotTell
    }
}
