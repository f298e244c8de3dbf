//! Keeps what was measured last of every part, and writes the tables of it into the documents that show them.

use std::fmt::Write as _;
use std::fs;
use std::io::{Error, ErrorKind, Result};

use super::figures::{Measured, tables};

/// The record, and the documents with all figures and with those that most people ask for.
const RECORD: &str = "benches/figures.json";
const ALL: (&str, &str) = ("docs/performance.md", "figures");
const FEW: (&str, &str) = ("README.md", "figures");

/// Records what was measured of a part, and writes the tables of all that is on record. `parts` are the parts of the
/// bench in the order of the tables.
///
/// # Errors
/// Where the record or a document can't be read or written, or has no place for its table.
pub fn keep(parts: &[&str], measured: Measured) -> Result<()> {
    let mut record: Vec<Measured> = match fs::read(path(RECORD)) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    record.retain(|kept| kept.part != measured.part);
    record.push(measured);
    record.sort_by_key(|kept| parts.iter().position(|part| *part == kept.part));
    fs::write(path(RECORD), serde_json::to_string_pretty(&record)? + "\n")?;
    let (all, few) = tables(&record);
    put(ALL, &all)?;
    put(FEW, &few)
}

fn path(file: &str) -> String {
    format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Puts a text between the marks of a document.
fn put((document, name): (&str, &str), text: &str) -> Result<()> {
    let (begin, end) = (format!("<!-- BEGIN {name} -->\n"), format!("<!-- END {name} -->"));
    let before = fs::read_to_string(path(document))?;
    let place = before.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let (head, tail) = place.ok_or_else(|| Error::other(format!("{document} has no place for {name}")))?;
    let mut after = String::new();
    let written = write!(after, "{head}{begin}{}\n{end}{tail}", text.trim_end());
    written.expect("writing to a string cannot fail");
    fs::write(path(document), after)
}
