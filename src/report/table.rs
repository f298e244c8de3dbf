//! Tables and sections of text for the terminal.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::example::Example;
use super::format::{counted, short_message};

/// The longest message that is shown in full, in characters.
pub(super) const MESSAGE: usize = 90;

/// Returns a table under its title, with the number of groups beyond those shown; `None` where there is no
/// group. `more` is the noun for these.
pub(super) fn section(title: &str, table: &Table, groups: usize, more: &str) -> Option<String> {
    let hidden = groups.saturating_sub(table.row_count()) as u64;
    let mut text = format!("{title}\n{}", lines(table));
    if hidden > 0 {
        let _ = writeln!(text, "and {}", counted(hidden, more));
    }
    (groups > 0).then_some(text)
}

/// Returns a table without lines.
pub(super) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Adds a count with its name, and what it is made of.
pub(super) fn add(table: &mut Table, name: &str, count: String, detail: &str) {
    table.add_row([Cell::new(name), number(count), Cell::new(detail)]);
}

/// Returns a cell that is aligned as numbers are.
pub(super) fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Returns a table as text.
pub(super) fn lines(table: &Table) -> String {
    table.trim_fmt() + "\n"
}

/// Returns the message of an example on one line, with what people know its referral by.
pub(super) fn told(example: &Example) -> String {
    let message = short_message(&example.message, MESSAGE);
    match &example.title {
        Some(title) => format!("{message} ({title})"),
        None => message,
    }
}
