//! What the header of a table is: that of a change file, or of a file of Partner Center's own.

use std::borrow::Cow;

use ::csv::ByteRecord;
use encoding_rs::WINDOWS_1252;

use super::base_row::ReadAs;
use super::context::InputContext;
use super::error::Unusable;
use super::header::{self, Column};
use super::names::NameResolver;
use super::portal::{self, PortalHeader};
use super::watch::RecordSpan;
use crate::domain::format::Format;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// The columns of a table, by its header.
pub(super) struct Heading {
    pub columns: Vec<Column>,
    /// Whether the file is one of Partner Center's own.
    pub is_portal: bool,
    /// What a user may not expect.
    pub notes: Vec<String>,
}

/// Why the first record of a table is no header that can be used.
pub(super) enum NoHeading {
    /// It is none of Partner Center's, and it may be no header at all.
    Unknown(Unusable),
    /// It is one of Partner Center's.
    Portal(Unusable),
}

/// Resolves the cells of the header to columns. A header that is a change file's is taken for one, unless the user
/// says otherwise.
///
/// # Errors
/// Everything that is wrong with the header.
pub(super) fn resolve(
    context: &InputContext<'_>,
    cells: &ByteRecord,
    mark: RecordSpan,
) -> Result<Heading, NoHeading> {
    let is_base = matches!(context.options.read_as, ReadAs::Base);
    let is_said = context.options.format == Some(Format::PortalCsv);
    let plain = match header::resolve(context, cells, mark, false) {
        // Of a list of ids it doesn't matter whose file it is.
        Err(unusable) if matches!(context.options.read_as, ReadAs::Ids) => {
            return Err(NoHeading::Unknown(unusable));
        }
        Ok(columns) if !is_said => return Ok(Heading { columns, is_portal: false, notes: Vec::new() }),
        plain => plain,
    };
    let names: Vec<Cow<'_, str>> = cells.iter().map(text).collect();
    let Some(file) = portal::recognise(&names) else {
        let resolver = NameResolver::new(context.options);
        return match plain {
            // The user says what the columns of a file in another language mean; its cells are written as in English.
            Ok(columns) if names.iter().any(|name| resolver.is_mapped(name)) => {
                let columns = portal::as_in_english(columns);
                Ok(Heading { columns, is_portal: true, notes: Vec::new() })
            }
            // Nothing of a base is a mistake but what it means for a file that was made from it.
            Err(_) if is_base => match header::resolve(context, cells, mark, true) {
                Ok(columns) => Ok(Heading { columns, is_portal: false, notes: Vec::new() }),
                Err(unusable) => Err(NoHeading::Unknown(unusable)),
            },
            Err(unusable) if !is_said => Err(NoHeading::Unknown(or_foreign(context, mark, &names, unusable))),
            _ => Err(NoHeading::Portal(unrecognised(context, mark))),
        };
    };
    if context.options.matching.is_some() {
        let problem =
            context.problem(mark.line, 1, "a file of Partner Center's names its referrals by their ids");
        let hint = Wording::from("leave out ").name(Setting::Match);
        return Err(NoHeading::Portal(problem.hint(hint).into()));
    }
    let PortalHeader { columns, notes } =
        portal::resolve(context, file, (cells, mark), &names).map_err(NoHeading::Portal)?;
    Ok(Heading { columns, is_portal: true, notes })
}

/// Adds to what is wrong with a header that no name of it is known: then it may be one in another language, or of
/// another program. Where there are few names, each of them is told anyway.
fn or_foreign(
    context: &InputContext<'_>,
    mark: RecordSpan,
    names: &[Cow<'_, str>],
    unusable: Unusable,
) -> Unusable {
    const FEW: usize = 4;
    let resolver = NameResolver::new(context.options);
    let is_known = |name: &Cow<'_, str>| resolver.resolve(name).is_ok();
    if names.iter().filter(|name| !name.trim().is_empty()).count() < FEW || names.iter().any(is_known) {
        return unusable;
    }
    let hint = Wording::from("say what the columns of somebody else's file mean, with ")
        .name(Setting::Map)
        .say(" COLUMN=FIELD; of a file of Partner Center's in another language, with ")
        .name(Setting::Format)
        .say(" portal-csv besides");
    let foreign = context.problem(mark.line, 1, "no column is known by its name").hint(hint);
    Unusable::of([vec![foreign], unusable.problems().to_vec()].concat()).unwrap_or(unusable)
}

/// Returns the text of a cell, whatever its encoding.
pub(super) fn text(cell: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(cell).map_or_else(|_| WINDOWS_1252.decode_without_bom_handling(cell).0, Cow::Borrowed)
}

/// Returns the problem of a header that is none of Partner Center's, where the user says that it is.
fn unrecognised(context: &InputContext<'_>, mark: RecordSpan) -> Unusable {
    let message = "the header is none of Partner Center's: it lacks Deal Name or Partner Referral Status";
    let hint = Wording::from("a change file is read with ")
        .name(Setting::Format)
        .say(" csv; of a file in another language, say what its columns mean, with ")
        .name(Setting::Map)
        .say(" COLUMN=FIELD");
    context.problem(mark.line, 1, message).hint(hint).into()
}
