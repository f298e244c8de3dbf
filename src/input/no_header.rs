//! What a file's first line is where it is no header: a title or a comment above the table, or a line that was
//! saved as one quoted cell.

use ::csv::ByteRecord;

use super::context::InputContext;
use super::error::Problem;
use super::names::NameResolver;
use super::shape::is_comment;
use super::sheet::is_blank;
use super::value_target::ValueTarget;
use super::watch::RecordSpan;
use crate::domain::text_form::{Separator, TextForm};

/// The number of records behind the first in which the header is looked for.
const DEPTH: usize = 20;

/// Returns what the first record is where it is no header; `None` where it is a header with mistakes.
/// `following` are the records behind it.
pub(super) fn explain(
    context: &InputContext<'_>,
    form: TextForm,
    (mark, first): (RecordSpan, ByteRecord),
    following: impl Iterator<Item = (RecordSpan, ByteRecord)>,
) -> Option<Problem> {
    let names = NameResolver::new(context.options);
    if has_id(&names, &first) {
        return None;
    }
    let following: Vec<(RecordSpan, ByteRecord)> = following.take(DEPTH).collect();
    if let Some(separator) = separator_within(&names, &first) {
        return Some(in_one_cell(context, form, mark.line, separator, &following));
    }
    let is_header = |cells: &ByteRecord| has_id(&names, cells) || separator_within(&names, cells).is_some();
    let header = following.iter().find(|(_, cells)| is_header(cells)).map(|(mark, _)| mark.line);
    let known = |cell: &[u8]| std::str::from_utf8(cell).is_ok_and(|name| names.resolve(name).is_ok());
    let text = first.iter().find(|cell| !is_blank(cell)).map(String::from_utf8_lossy)?;
    let looks_like = if is_comment(text.trim()) { "a comment" } else { "a title above the table" };
    let message = format!("line {} is no header: it looks like {looks_like}", mark.line);
    let problem = context.problem(mark.line, 1, message);
    match header {
        Some(header) if header == mark.line + 1 => {
            Some(problem.hint(format!("remove it: the columns' names stand in line {header}")))
        }
        Some(header) => {
            let last = header - 1;
            Some(
                problem
                    .hint(format!("remove all up to line {last}: the columns' names stand in line {header}")),
            )
        }
        None if is_comment(text.trim()) && !first.iter().any(known) => {
            Some(problem.hint("the first line names the columns, as in id,status,substatus"))
        }
        None => None,
    }
}

/// Returns the problem of a header in one cell that holds the names of all columns.
fn in_one_cell(
    context: &InputContext<'_>,
    form: TextForm,
    line: u64,
    separator: Separator,
    following: &[(RecordSpan, ByteRecord)],
) -> Problem {
    let (own, other) = (form.separator.name(), separator.name());
    if form.says_separator && separator != form.separator {
        let message = format!("the header is separated by {other}, and the line before it says {own}");
        return context.problem(line, 1, message).hint("correct that line, or remove it");
    }
    let are_all = following.iter().all(|(_, cells)| cells.len() == 1);
    let what = if are_all { "every line is one quoted cell" } else { "the header is one quoted cell" };
    let hint = format!(
        "a spreadsheet that separates cells otherwise has read and saved the file: have it import the text with \
         {other} between cells, or take away the quotes around each line"
    );
    context.problem(line, 1, what).hint(hint)
}

/// Returns whether a cell names the id's column.
fn has_id(names: &NameResolver<'_>, cells: &ByteRecord) -> bool {
    cells.iter().any(|cell| std::str::from_utf8(cell).is_ok_and(|name| is_id(names, name)))
}

/// Returns whether a name is that of the id's column.
fn is_id(names: &NameResolver<'_>, name: &str) -> bool {
    match names.matching() {
        None => names.resolve(name) == Ok(ValueTarget::Id),
        Some(_) => matches!(names.resolve(name), Ok(ValueTarget::Key | ValueTarget::Identifier)),
    }
}

/// Returns what separates the names of columns in the only cell of a record, one of which is the id's.
fn separator_within(names: &NameResolver<'_>, cells: &ByteRecord) -> Option<Separator> {
    let mut filled = cells.iter().filter(|cell| !is_blank(cell));
    let (cell, None) = (filled.next()?, filled.next()) else { return None };
    let text = std::str::from_utf8(cell).ok()?;
    let has_id = |separator: &Separator| {
        let sign = char::from(*separator);
        text.contains(sign) && text.split(sign).any(|name| is_id(names, name.trim_matches(['"', ' '])))
    };
    Separator::USUAL.into_iter().find(has_id)
}
