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
    /// It is as it was, and yet the request may still be on its way; sending again could add an
    /// element twice, and nothing would stop it.
    CannotTell,
}

/// Compares an item in doubt with the referral as it stands now.
///
/// The eTag decides where there is one: if it is the one that was sent, nothing was applied, and
/// sending again is safe even if the first request is still on its way, since only one of the two
/// can match. Without one, the values themselves are all there is.
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
    match (moved, item.is_untouched_in(now)) {
        (true, _) | (false, false) => Reading::Conflict,
        (false, true) if item.is_repeatable() => Reading::NotApplied,
        (false, true) => Reading::CannotTell,
    }
}
