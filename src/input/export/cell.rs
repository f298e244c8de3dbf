//! One cell of a referral.

use super::column::{Column, Content};
use super::read_back::says;
use crate::domain::cell_text::{CellText, TableForm};
use crate::domain::fields::{self, Field, Kind, Path};
use crate::domain::formula::comes_back;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::referral::ETag;
use crate::domain::sheet_cell::SheetCell;
use crate::domain::snapshot::{Presence, Snapshot, Unseen};
use crate::domain::status::Standing;
use crate::input::options::Options;
use crate::input::value_target::ValueTarget;

/// A cell of a change file that is made from a referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportCell {
    /// What the referral has there, or what every cell of the column holds.
    Text(CellText),
    /// What the referral has there, which a reader ignores.
    Shown(CellText),
    /// Nothing: what the referral has there was not seen.
    Unseen,
    /// Nothing: what the referral has there can't be said in a cell, or would be read as something else.
    Unsaid,
}

impl ExportCell {
    /// Returns the cell of a column, in a file of this form.
    pub(super) fn of(
        column: &Column,
        referral: &Snapshot<'_>,
        (options, form): (&Options, TableForm),
    ) -> Self {
        match Self::of_any_form(column, referral, (options, form)) {
            Self::Text(text) | Self::Shown(text) if !text.fits(form) => Self::Unsaid,
            cell => cell,
        }
    }

    fn of_any_form(column: &Column, referral: &Snapshot<'_>, (options, form): (&Options, TableForm)) -> Self {
        if let Some(text) = &column.filled {
            return Self::guarded(text.clone());
        }
        match &column.content {
            Content::Target(target) => Self::of_target(target, referral, (options, form)),
            Content::Shown(pointer) => match shown(pointer, referral) {
                Ok(text) => Self::Shown(text),
                // Names of deals and customers go along where lists show them; nothing is read for them.
                Err(Unseen) if !column.is_named => Self::Shown(CellText::Empty),
                Err(Unseen) => Self::Unseen,
            },
            Content::Stage => stage(referral).map_or(Self::Unseen, Self::Shown),
        }
    }

    fn of_target(
        target: &ValueTarget,
        referral: &Snapshot<'_>,
        (options, form): (&Options, TableForm),
    ) -> Self {
        match target {
            ValueTarget::Id => Self::Text(CellText::Plain(referral.id().to_string())),
            ValueTarget::ETag => etag(referral),
            ValueTarget::Status => word(referral, |status, _| status),
            ValueTarget::Substatus => word(referral, |_, substatus| substatus),
            ValueTarget::Set(path) => value(path, referral, (options, form)),
            // These are for what is to be added.
            ValueTarget::AddMembers(_) | ValueTarget::Append(_) => Self::Text(CellText::Empty),
            ValueTarget::Key
            | ValueTarget::Identifier
            | ValueTarget::ReadOnly(_)
            | ValueTarget::Unconfirmed(_)
            | ValueTarget::Portal(_)
            | ValueTarget::Guards
            | ValueTarget::Ignored
            | ValueTarget::LeftAlone => Self::Unsaid,
        }
    }

    /// Returns a cell of this text, unless the guard against formulas couldn't be told from the text itself.
    fn guarded(text: CellText) -> Self {
        match &text {
            CellText::Text(plain) if !comes_back(plain) => Self::Unsaid,
            _ => Self::Text(text),
        }
    }
}

/// Returns the cell of a field.
fn value(path: &Path, referral: &Snapshot<'_>, (options, form): (&Options, TableForm)) -> ExportCell {
    let raw = match referral.at(path) {
        Presence::Value(raw) => raw,
        Presence::Null | Presence::Absent => return ExportCell::Text(CellText::Empty),
        Presence::Unseen => return ExportCell::Unseen,
    };
    let Some(text) = CellText::of(path.kind(), raw) else { return ExportCell::Unsaid };
    // What is read is the list as a spreadsheet may show it; a text has its guards taken away again.
    let read = match (&text, form) {
        (CellText::Text(text), _) => SheetCell::text(text),
        (_, TableForm::Workbook) => text.typed(),
        (_, TableForm::Csv) => SheetCell::text(text.defused()),
    };
    if text != CellText::Empty && !says(options, referral.id(), path, &read, raw) {
        return ExportCell::Unsaid;
    }
    ExportCell::guarded(text)
}

/// Returns the cell of the version, which a reader has to take for the same.
fn etag(referral: &Snapshot<'_>) -> ExportCell {
    let Some(etag) = referral.etag() else {
        return if referral.is_whole() { ExportCell::Text(CellText::Empty) } else { ExportCell::Unseen };
    };
    if ETag::from_input(etag.as_str()).as_ref() != Ok(etag) {
        return ExportCell::Unsaid;
    }
    ExportCell::guarded(CellText::Text(etag.as_str().to_owned()))
}

/// Returns the cell of status or substatus. Both are told or neither: one alone would imply the other.
fn word(referral: &Snapshot<'_>, of: fn(&'static str, &'static str) -> &'static str) -> ExportCell {
    match referral.standing() {
        Err(Unseen) => ExportCell::Unseen,
        Ok(Standing::Known(stage)) => {
            ExportCell::Text(CellText::Plain(of(stage.status().name(), stage.substatus()).to_owned()))
        }
        Ok(Standing::Partly(..) | Standing::Other(..)) => ExportCell::Unsaid,
    }
}

/// Returns what people are shown of a member: a text as it is, anything else as JSON.
fn shown(pointer: &Pointer, referral: &Snapshot<'_>) -> Result<CellText, Unseen> {
    let kind = fields::unconfirmed_kind(pointer.as_str()).unwrap_or(Kind::Text);
    Ok(match referral.find(pointer, kind).known()? {
        Some(raw) => match json::string(raw) {
            Some(text) if text.is_empty() => CellText::Empty,
            Some(text) => CellText::Text(on_one_line(&text)),
            None => CellText::Json(on_one_line(raw.get())),
        },
        None => CellText::Empty,
    })
}

/// Returns status and substatus as they are, in one word.
fn stage(referral: &Snapshot<'_>) -> Result<CellText, Unseen> {
    let text = |field: Field| {
        let raw = referral.at(&Path::Known(field)).known()?;
        Ok(raw.and_then(json::string).unwrap_or_default().into_owned())
    };
    Ok(match (text(Field::Status)?, text(Field::Substatus)?) {
        (status, substatus) if status.is_empty() && substatus.is_empty() => CellText::Empty,
        (status, substatus) => CellText::Text(on_one_line(&format!("{status}/{substatus}"))),
    })
}

/// Returns a text for people, of bounded length and without line breaks: behind one a reader might find a row.
fn on_one_line(text: &str) -> String {
    const LONGEST: usize = 1_000;
    text.split(['\r', '\n'])
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(LONGEST)
        .collect()
}
