//! Times in the service's notation.

use jiff::fmt::temporal::Pieces;
use jiff::{SignedDuration, Timestamp};

/// Writes a time in the service's notation: UTC, with seven decimals of a second.
pub(super) fn wire_time(time: Timestamp) -> String {
    format!("{time:.7}")
}

/// Converts a time with an offset, up to the end of the year 9999, to the same notation; `None` where the
/// text is no such time.
pub(super) fn in_utc(text: &str) -> Option<String> {
    let pieces = Pieces::parse(text.contains('T').then_some(text)?).ok()?;
    let offset = pieces.to_numeric_offset()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    let utc = local.checked_sub(SignedDuration::from_secs(offset.seconds().into())).ok()?;
    Some(format!("{utc:.7}Z"))
}
