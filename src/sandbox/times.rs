//! Times as the service writes them.

use jiff::fmt::temporal::Pieces;
use jiff::{SignedDuration, Timestamp};

/// A time as the service writes it: UTC, with seven digits of a second.
pub(super) fn wire_time(time: Timestamp) -> String {
    format!("{time:.7}")
}

/// The same of a time that a request gives with its offset, up to the end of the year 9999; `None` where it is
/// none.
pub(super) fn in_utc(text: &str) -> Option<String> {
    let pieces = Pieces::parse(text.contains('T').then_some(text)?).ok()?;
    let offset = pieces.to_numeric_offset()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    let utc = local.checked_sub(SignedDuration::from_secs(offset.seconds().into())).ok()?;
    Some(format!("{utc:.7}Z"))
}
