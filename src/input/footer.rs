//! The footer of a Salesforce report: lines at the end of the file that are no rows.
//!
//! It is a line of totals that counts records, a note that the report is confidential, and a copyright line of
//! salesforce.com, each with its text in the first cell, on one line, and nothing beside it. Only these words and no
//! others, and only where nothing but they follows up to the end of the file, make a footer: any other line that is no
//! row stays a malformed one.

use std::collections::VecDeque;

use ::csv::ByteRecord;

use super::sheet::is_blank;
use super::watch::RecordSpan;

/// The most records of a footer, blank ones among them.
const MOST: usize = 8;

/// What follows the years of the copyright line, without the point at its end.
const COPYRIGHT_OF: [&str; 4] = [
    "salesforce.com",
    "salesforce.com, inc",
    "salesforce.com. all rights reserved",
    "salesforce.com, inc. all rights reserved",
];

/// The footer of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footer {
    /// The lines that it stands on.
    lines: Vec<u64>,
    /// The number of rows that it tells.
    records: Option<u64>,
}

/// What a record is where a footer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Totals(u64),
    Notice,
    Blank,
}

/// Whether a record may be the first of a footer.
pub(super) fn begins(cells: &ByteRecord, span: RecordSpan) -> bool {
    // Every row is asked, and nearly none begins so.
    cells
        .get(0)
        .is_some_and(|cell| matches!(cell.trim_ascii_start().first(), Some(b'G' | b'C' | b'g' | b'c')))
        && matches!(piece(cells, span), Some(Piece::Totals(_) | Piece::Notice))
}

/// Looks at what follows the first record of a footer. Returns the footer where it goes up to the end of the file,
/// else the records that were looked at, in their order.
///
/// # Errors
/// Those of `next`.
pub(super) fn goes_on<R, E>(
    first: &R,
    mut next: impl FnMut() -> Result<Option<R>, E>,
    seen: impl Fn(&R) -> (ByteRecord, RecordSpan),
) -> Result<Result<Footer, VecDeque<R>>, E> {
    let mut footer = Footer { lines: Vec::new(), records: None };
    let (cells, span) = seen(first);
    footer.add(&cells, span);
    let mut behind = VecDeque::new();
    while let Some(record) = next()? {
        let (cells, span) = seen(&record);
        behind.push_back(record);
        if behind.len() >= MOST || !footer.add(&cells, span) {
            return Ok(Err(behind));
        }
    }
    Ok(Ok(footer))
}

impl Footer {
    /// Adds a record, and returns whether it is one of a footer.
    fn add(&mut self, cells: &ByteRecord, span: RecordSpan) -> bool {
        match piece(cells, span) {
            Some(Piece::Totals(_)) if self.records.is_some() => return false,
            Some(Piece::Totals(records)) => self.records = Some(records),
            Some(Piece::Notice) => {}
            Some(Piece::Blank) => return true,
            None => return false,
        }
        self.lines.push(span.line);
        true
    }

    /// Returns what to tell of it in a file with this number of rows. `line` is what a line is called there.
    pub(super) fn note(&self, rows: u64, line: &str) -> String {
        let numbers: Vec<String> = self.lines.iter().map(u64::to_string).collect();
        let lines = match numbers.as_slice() {
            [one] => format!("{line} {one} is"),
            many => format!("{line}s {} are", many.join(", ")),
        };
        let note = format!("{lines} the footer of a report, and no data");
        match self.records {
            Some(told) if told != rows => {
                format!(
                    "{note}; it counts {told} records, and the file has {rows}: is all of the report here?"
                )
            }
            _ => note,
        }
    }
}

/// Returns what a record is; `None` for a row.
fn piece(cells: &ByteRecord, span: RecordSpan) -> Option<Piece> {
    let text = std::str::from_utf8(cells.get(0).unwrap_or_default()).ok()?;
    // A quote that is closed too late makes one cell of several rows.
    let is_one_line = span.line == span.end && !text.contains(['\r', '\n']);
    if span.cut || span.stray.is_some() || !is_one_line || !cells.iter().skip(1).all(is_blank) {
        return None;
    }
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Some(Piece::Blank);
    }
    if is_confidential(&text) || is_copyright(&text) {
        return Some(Piece::Notice);
    }
    let count = text.strip_prefix("grand total")?;
    let count = count.strip_prefix('s').unwrap_or(count).trim_start().strip_prefix('(')?;
    let count = count.strip_suffix("records)").or_else(|| count.strip_suffix("record)"))?;
    count.trim().replace(',', "").parse().ok().map(Piece::Totals)
}

/// Returns whether a text, in lower case, says that the report is confidential, and nothing else.
fn is_confidential(text: &str) -> bool {
    let between =
        text.strip_prefix("confidential information").and_then(|text| text.strip_suffix("do not distribute"));
    between.is_some_and(|between| between.chars().all(|c| matches!(c, ' ' | '\u{a0}' | '-' | '–' | '—')))
}

/// Returns whether a text, in lower case, is the copyright line of salesforce.com, and nothing else.
fn is_copyright(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["copyright", "(c)" | "©", years, rest @ ..] = words.as_slice() else { return false };
    let is_years = years.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '–'));
    is_years && COPYRIGHT_OF.contains(&rest.join(" ").trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ID, options, read_bytes};
    use super::*;
    use crate::domain::format::Format;

    #[test]
    fn the_words_of_a_footer_are_known() {
        let span = RecordSpan { line: 1, end: 1, cut: false, stray: None };
        for (cells, wanted) in [
            (&["Grand Totals (3 records)"][..], Some(Piece::Totals(3))),
            (&["Grand Total (1 record)", "", " "], Some(Piece::Totals(1))),
            (&["Grand Totals (12,345 records)"], Some(Piece::Totals(12_345))),
            (&["Confidential Information - Do Not Distribute"], Some(Piece::Notice)),
            (&["Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."], Some(Piece::Notice)),
            (&["", "", ""], Some(Piece::Blank)),
            (&["Grand Totals (3 records)", "5000"], None),
            (&["Grand Totals (three records)"], None),
            (&["Grand Hotel"], None),
            (&["Copyright dispute", ""], None),
            (&["Confidential Information"], None),
            (&["Confidential Information\u{a0}– Do Not Distribute "], Some(Piece::Notice)),
            (&["Copyright © 2000–2026 salesforce.com, inc."], Some(Piece::Notice)),
            // What stands within the words, or behind them, may be rows.
            (&["Confidential Information of Kim - Do Not Distribute"], None),
            (&["Confidential Information - Do Not Distribute,x"], None),
            (&["Confidential Information\n- Do Not Distribute"], None),
            (&["Confidential Information - Do Not Distribute\n"], None),
            (&["Confidential Information\rA,x\r- Do Not Distribute"], None),
            (&["Grand Totals\n(3 records)"], None),
            (&["Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved. A,x"], None),
            (&["Copyright (c) 2000-2026 A salesforce.com, inc. All rights reserved."], None),
            (&["Copyright (c) A salesforce.com, inc. All rights reserved."], None),
            (&["Copyright salesforce.com"], None),
            (&["Grand Totals (3 records) A"], None),
            (&["Total"], None),
            (&[ID], None),
        ] {
            let record: ByteRecord = cells.iter().collect();
            assert_eq!(piece(&record, span), wanted, "{cells:?}");
            assert_eq!(begins(&record, span), matches!(wanted, Some(Piece::Totals(_) | Piece::Notice)));
        }
    }

    #[test]
    fn what_spans_several_lines_is_no_footer() {
        let record: ByteRecord = [NOTICE, " "].iter().collect();
        for (end, wanted) in [(1, Some(Piece::Notice)), (2, None)] {
            assert_eq!(piece(&record, RecordSpan { line: 1, end, cut: false, stray: None }), wanted, "{end}");
        }
    }

    const TOTALS: &str = "Grand Totals (1 records)";
    const NOTICE: &str = "Confidential Information - Do Not Distribute";
    const RIGHTS: &str = "\"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.\"";

    #[test]
    fn a_footer_is_skipped_at_the_end_of_the_file_and_nowhere_else() {
        for (behind, rows, note) in [
            (
                vec!["", TOTALS, "", NOTICE, RIGHTS],
                1,
                Some("lines 4, 6, 7 are the footer of a report, and no data"),
            ),
            (vec![TOTALS], 1, Some("line 3 is the footer of a report, and no data")),
            (vec![RIGHTS, ",,", ""], 1, Some("line 3 is the footer of a report, and no data")),
            (
                vec!["", "Grand Totals (12 records)", NOTICE],
                1,
                Some(
                    "lines 4, 5 are the footer of a report, and no data; it counts 12 records, and the file has 1: is \
                     all of the report here?",
                ),
            ),
            (vec![TOTALS, ID], 3, None),
            (
                vec![TOTALS, NOTICE, &format!("{ID},x"), RIGHTS],
                4,
                Some("line 6 is the footer of a report, and no data"),
            ),
            (vec![TOTALS, "Generated by Kim"], 3, None),
            (
                vec![TOTALS, "Grand Totals (2 records)"],
                2,
                Some("line 4 is the footer of a report, and no data"),
            ),
            (vec!["Grand Totals (1 records),5"], 2, None),
            (vec![NOTICE; 9], 2, Some("")),
            (vec!["\"Confidential Information", &format!("{ID},x"), "- Do Not Distribute\""], 3, None),
            (vec!["\"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.", ID, "\""], 2, None),
        ] {
            let text = format!("id,notes\n{ID},x\n{}\n", behind.join("\n"));
            let (read, end) = read_bytes(text.as_bytes(), &options(Format::Csv));
            assert_eq!(read.len(), rows, "{behind:?}");
            let told = end.unwrap().notes.into_iter().find(|note| note.contains("footer"));
            match note {
                Some("") => assert!(told.is_some()),
                note => assert_eq!(
                    told.as_deref().and_then(|told| told.split_once(": ")).map(|(_, told)| told),
                    note,
                    "{behind:?}"
                ),
            }
        }
    }
}
