//! The header of a file of Partner Center's own: what each column is for.

use std::borrow::Cow;

use ::csv::ByteRecord;

use super::super::base_row::ReadAs;
use super::super::context::InputContext;
use super::super::error::{Problem, Unusable};
use super::super::header::{self, Column};
use super::super::name_hints::leave_alone;
use super::super::names::NameResolver;
use super::super::value_target::ValueTarget;
use super::super::watch::RecordSpan;
use super::columns::{self, GoesTo, Naming, PortalColumn, PortalTarget, TABLE};
use super::recognise::PortalFile;
use crate::domain::aliases::folded;
use crate::domain::change::Counterpart;
use crate::domain::excerpt::excerpt;
use crate::domain::fields::{Field, Path};
use crate::domain::likeness::likeness;
use crate::domain::pointer::Pointer;
use crate::domain::wording::Wording;

/// The similarity from which on an unknown column is taken for a mistyped known one. Names of columns share many
/// words, so it is higher than for fields.
const CLOSE: f64 = 0.8;

/// A header of such a file.
pub(in super::super) struct PortalHeader {
    pub columns: Vec<Column>,
    /// What a user may not expect.
    pub notes: Vec<String>,
}

/// Resolves the cells of the header to columns. `names` are their texts.
///
/// # Errors
/// Everything that is wrong with the header: a column is nearly one of the file's, a name stands twice, no column
/// holds the id; or that the file holds no referrals that could be changed.
pub(in super::super) fn resolve(
    context: &InputContext<'_>,
    file: PortalFile,
    (cells, mark): (&ByteRecord, RecordSpan),
    names: &[Cow<'_, str>],
) -> Result<PortalHeader, Unusable> {
    if let Some(refused) = refused(context, file, mark.line) {
        return Err(refused.into());
    }
    let resolver = NameResolver::new(context.options);
    let (mut problems, mut columns, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (at, name) in names.iter().enumerate() {
        let target = match target(&resolver, name) {
            Target::Known(target) => Some(target),
            Target::Nameless => None,
            Target::Unknown => {
                unknown.push(excerpt(name));
                Some(ValueTarget::LeftAlone)
            }
            Target::Nearly(known) => {
                let message = format!("unknown column {}", excerpt(name));
                let problem = context.problem(mark.line, at + 1, message);
                let hint = format!("did you mean {}? – else ", known.quoted());
                problems.push(problem.hint(Wording::from(hint).append(&leave_alone(name))));
                continue;
            }
        };
        columns.push((at, Column { name: name.clone().into_owned(), target, twin: None }));
    }
    problems.extend(header::find_twins(context, mark.line, &mut columns));
    let has_id = columns.iter().any(|(_, column)| column.target == Some(ValueTarget::Id));
    problems.extend(if has_id { None } else { header::missing_id(context, mark.line, cells, &resolver) });
    if let Some(unusable) = Unusable::of(problems) {
        return Err(unusable);
    }
    let from = match context.options.read_as {
        ReadAs::ChangesOf(_) => "the file that it was made from",
        ReadAs::Changes | ReadAs::Base | ReadAs::Ids => "the referrals as they stand",
    };
    let mut notes = vec![format!(
        "a file of Partner Center's {}: what differs from {from} is a change, and empty cells leave alone",
        file.what()
    )];
    if !unknown.is_empty() {
        notes.push(format!("unknown in such a file, and changing nothing: {}", unknown.join(", ")));
    }
    Ok(PortalHeader { columns: columns.into_iter().map(|(_, column)| column).collect(), notes })
}

/// Returns the columns of a file in another language, which the user mapped to fields: those of which the file has
/// values of its own are read as in English.
pub(in super::super) fn as_in_english(columns: Vec<Column>) -> Vec<Column> {
    let own = |target: ValueTarget| match target {
        ValueTarget::Status => ValueTarget::Portal(PortalTarget::Status),
        ValueTarget::Substatus => ValueTarget::Portal(PortalTarget::Substatus),
        ValueTarget::Set(Path::Known(field)) => match field {
            Field::SalesStage => ValueTarget::Portal(PortalTarget::SalesStage),
            Field::ClosingDateTime => ValueTarget::Portal(PortalTarget::CloseDate),
            Field::ShareConsent => ValueTarget::Portal(PortalTarget::Share),
            Field::StatusReason => ValueTarget::Portal(PortalTarget::Reason),
            field => ValueTarget::Set(Path::Known(field)),
        },
        target => target,
    };
    columns.into_iter().map(|column| Column { target: column.target.map(own), ..column }).collect()
}

/// Returns why a file can't be used, if it is one that changes no referrals.
fn refused(context: &InputContext<'_>, file: PortalFile, line: u64) -> Option<Problem> {
    let (message, hint) = match file {
        PortalFile::CoSell | PortalFile::Leads => return None,
        PortalFile::Registrations => (
            "the file holds Partner Center's deal registrations, which are no referrals",
            "download the co-sell deals or the leads in place of it: their file has Deal Name and Partner Referral \
             Status",
        ),
        PortalFile::Insights => (
            "the file is a download of Partner Center's Insights, which names referrals and changes none",
            "it is a list of ids: put its column Referral ID into a change file, beside the columns to change; or \
             download the co-sell deals, whose file has Partner Referral Status",
        ),
    };
    Some(context.problem(line, 1, message).hint(hint))
}

/// What a name means in a header of such a file.
enum Target {
    Known(ValueTarget),
    Nameless,
    Unknown,
    /// It is nearly this one.
    Nearly(&'static PortalColumn),
}

/// Returns what a name means. One that the user keeps out of the change wins, then the file's own columns, then the
/// names that any change file may have.
fn target(names: &NameResolver<'_>, name: &str) -> Target {
    let plain = names.resolve(name);
    if let Ok(target @ (ValueTarget::LeftAlone | ValueTarget::Ignored)) = plain {
        return Target::Known(target);
    }
    if name.trim().is_empty() {
        return Target::Nameless;
    }
    if let Some((column, number)) = columns::find(name) {
        return Target::Known(known(names, column.goes_to, number));
    }
    match plain {
        Ok(ValueTarget::ReadOnly(_) | ValueTarget::Unconfirmed(_)) | Err(_) if names.is_order(name) => {
            Target::Known(ValueTarget::LeftAlone)
        }
        Ok(ValueTarget::ReadOnly(_) | ValueTarget::Unconfirmed(_)) | Err(_) => {
            nearly(name).map_or(Target::Unknown, Target::Nearly)
        }
        Ok(target) => Target::Known(target),
    }
}

/// Returns what a column of the table is for.
fn known(names: &NameResolver<'_>, goes_to: GoesTo, number: u8) -> ValueTarget {
    let meaning = |pointer: &Pointer| names.meaning(pointer).unwrap_or(ValueTarget::LeftAlone);
    match goes_to {
        GoesTo::Id => ValueTarget::Id,
        GoesTo::Field(field) => meaning(field.pointer()),
        GoesTo::Own(target) => ValueTarget::Portal(target),
        GoesTo::Name => {
            let name = Pointer::parse("/name").expect("a name behind a slash is a pointer");
            match meaning(&name) {
                target @ ValueTarget::Set(_) => target,
                _ => ValueTarget::Portal(PortalTarget::Shown("Deal Name", Counterpart::Text("/name"))),
            }
        }
        GoesTo::Solutions => ValueTarget::Portal(PortalTarget::Solution(number)),
        GoesTo::Team => ValueTarget::Portal(PortalTarget::TeamMember(number)),
        GoesTo::Nothing => ValueTarget::LeftAlone,
    }
}

/// Returns the column of the table that a name was probably meant to be.
fn nearly(name: &str) -> Option<&'static PortalColumn> {
    let typed = folded(name);
    let stem = typed.trim_end_matches(|c: char| c.is_ascii_digit());
    let compared = TABLE.iter().filter(|column| column.naming != Naming::Beginning).map(|column| {
        let typed = if column.naming == Naming::Numbered { stem } else { typed.as_str() };
        (likeness(typed, &folded(column.name)), column)
    });
    let close = compared.filter(|(likeness, _)| *likeness >= CLOSE);
    close.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, column)| column)
}
