//! Whether a typed cell of a workbook can stand for what its column is for.
//!
//! A spreadsheet that takes an id or a reference for a number has changed it already: zeros in front are gone,
//! and so are digits beyond the fifteenth. What is left looks sound, so it is refused for its type.

use super::row::RowBuilder;
use super::value_target::ValueTarget;
use crate::domain::excerpt::{beginning, excerpt};
use crate::domain::fields::{Field, Kind, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::rules::Rule;
use crate::domain::sheet_cell::{CellType, lost_digits};

/// What to do with a number or a date that should be text.
const AS_TEXT: &str = "format the column as text in the spreadsheet, and enter the value again";

/// Adds the finding for a cell whose type its target can't have, and returns whether there is one.
pub(super) fn refuse_unfit(
    row: &mut RowBuilder<'_>,
    place: Location,
    target: &ValueTarget,
    (kind, text): (CellType, &str),
) -> bool {
    let name = name_of(target);
    let (message, hint) = match kind {
        _ if matches!(target, ValueTarget::Guards | ValueTarget::Ignored | ValueTarget::LeftAlone) => {
            return false;
        }
        CellType::Text => return false,
        CellType::Formula => (
            format!("{name}: the cell holds a formula that was never computed"),
            "open the workbook in the spreadsheet program and save it, or write the value in place of the formula",
        ),
        CellType::Time if is_no_day(text) => (
            format!(
                "{name}: the cell shows the number {} as a date, and there is no such day",
                beginning(text)
            ),
            "format the cell as what it is, and enter the value again",
        ),
        CellType::Time => (
            format!("{name}: the cell holds a time without a day"),
            "format the cell as what it is, and enter the value again",
        ),
        CellType::Number if is_reference(target) => (
            format!(
                "{name}: {} is a number in the workbook: zeros in front and digits beyond the fifteenth are gone",
                excerpt(text)
            ),
            AS_TEXT,
        ),
        CellType::Date | CellType::Boolean if is_reference(target) => (
            format!("{name}: {} is {} in the workbook: what was typed is gone", excerpt(text), kind.name()),
            AS_TEXT,
        ),
        CellType::Number if is_date(target) => (
            format!("{name}: {} is a number in the workbook, and no date", excerpt(text)),
            "format the cell as a date in the spreadsheet",
        ),
        CellType::Number if lost_digits(text) => (
            format!(
                "{name}: {} has more digits than the fifteen that a workbook keeps of a number: the last ones may be \
                 others than were typed",
                excerpt(text)
            ),
            AS_TEXT,
        ),
        CellType::Number | CellType::Date | CellType::Boolean => return false,
    };
    let names_referral = matches!(target, ValueTarget::Id | ValueTarget::Key | ValueTarget::Identifier);
    let rule = if names_referral { Rule::Id } else { Rule::Type };
    if rule == Rule::Id {
        row.excuse_id();
    }
    row.add_finding(Finding::deny(rule, place, message).hint(hint));
    true
}

/// Returns whether a target takes a text of which every character counts, zeros in front too.
fn is_reference(target: &ValueTarget) -> bool {
    match target {
        ValueTarget::Id | ValueTarget::Key | ValueTarget::Identifier | ValueTarget::ETag => true,
        ValueTarget::Set(Path::Known(field)) => {
            matches!(field, Field::ExternalReferenceId | Field::CampaignId)
        }
        _ => false,
    }
}

/// Whether a number of days is none of a day, nor of a time: it lies before or behind all days, or is the 29th of
/// February 1900, which spreadsheets count and the calendar lacks.
fn is_no_day(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|days| days < 0.0 || (60.0..61.0).contains(&days) || days >= 2_958_466.0)
}

fn is_date(target: &ValueTarget) -> bool {
    matches!(target, ValueTarget::Set(path) if path.kind() == Kind::DateTime)
}

/// Returns what a target is called in a message.
fn name_of(target: &ValueTarget) -> &str {
    match target {
        ValueTarget::Id => "id",
        ValueTarget::Key | ValueTarget::Identifier => "the key",
        ValueTarget::ETag => "eTag",
        ValueTarget::Status => "status",
        ValueTarget::Substatus => "substatus",
        ValueTarget::Set(path) => path.pointer().as_str(),
        ValueTarget::AddMembers(field) | ValueTarget::Append(field) => field.pointer().as_str(),
        ValueTarget::ReadOnly(pointer) | ValueTarget::Unconfirmed(pointer) => pointer.as_str(),
        ValueTarget::Portal(_) | ValueTarget::Guards | ValueTarget::Ignored | ValueTarget::LeftAlone => {
            "the column"
        }
    }
}
