//! How a row closes its referral.

use crate::domain::account::FullRow;
use crate::domain::fields::{Field, Path};
use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::status::Status;

/// Returns the change that a row makes to a field.
pub(super) fn change(row: &FullRow, field: Field) -> Option<&Change> {
    row.change.as_ref()?.changes.iter().find(|change| change.path == Path::Known(field))
}

/// Returns the text that a row leaves in a field that it changes; `None` where it leaves none.
pub(super) fn left(row: &FullRow, field: Field) -> Option<String> {
    change(row, field).and_then(|change| json::string(&change.after)).map(|text| text.into_owned())
}

/// Returns how a row closes its referral, as the page's script tells it: the substatus that it sets with the status
/// `Closed`. A row that doesn't, or that leaves the substatus as it is, is not found there.
pub(super) fn closing(row: &FullRow) -> Option<String> {
    let closes = left(row, Field::Status).is_some_and(|status| status == Status::Closed.name());
    left(row, Field::Substatus).filter(|substatus| closes && !substatus.is_empty())
}
