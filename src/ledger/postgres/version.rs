//! The number of the format.

/// The format of shared ledgers that this program makes and works with.
pub(super) const FORMAT: i32 = 1;
