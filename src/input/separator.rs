//! What separates the cells of a CSV: the line before the header says it, or else the header shows it.

use super::context::InputContext;
use super::error::Unusable;
use crate::domain::text_form::{LineEnd, Separator};

/// A line such as `sep=;`, which spreadsheets do not take as part of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeparatorLine {
    /// The separator that it names.
    pub separator: Separator,
    /// What ends the line; `None` where it is the last of the file.
    pub line_end: Option<LineEnd>,
    /// The number of bytes up to its end, with the blank lines before it.
    pub length: usize,
    /// The number of lines up to its end.
    pub lines: u64,
}

/// Returns the first line that isn't blank, where it names the separator. Letter case doesn't matter. Some
/// programs write the line as they write cells: in quotes, or followed by as many separators as a row has.
///
/// # Errors
/// Where the line names no single character that can separate cells.
pub(super) fn declared(context: &InputContext<'_>, head: &[u8]) -> Result<Option<SeparatorLine>, Unusable> {
    let (start, blank) = after_blank_lines(head);
    let line = &head[start..];
    let line = &line[..line.iter().position(|byte| is_line_end(*byte)).unwrap_or(line.len())];
    let opened = line.strip_prefix(b"\"").unwrap_or(line);
    let Some((key, value)) = opened.split_at_checked(b"sep=".len()) else { return Ok(None) };
    if !key.eq_ignore_ascii_case(b"sep=") {
        return Ok(None);
    }
    let separator = value.first().and_then(|sign| Separator::of(*sign)).filter(|separator| {
        let is_filling = |byte: &u8| *byte == separator.byte() || matches!(byte, b'"' | b' ');
        value.iter().all(is_filling)
    });
    let Some(separator) = separator else {
        let message = "the line that says what separates the cells names no single sign";
        let problem = context.problem(blank + 1, 1, message);
        return Err(problem
            .hint("write it as in sep=; or remove it: commas, semicolons and tabs are detected")
            .into());
    };
    let end = start + line.len();
    let line_end = line_end_at(head, end);
    let length = end + line_end.map_or(0, |end| end.text().len());
    Ok(Some(SeparatorLine { separator, line_end, length, lines: blank + 1 }))
}

/// Returns where the first line begins that isn't empty, and the number of lines before it.
fn after_blank_lines(head: &[u8]) -> (usize, u64) {
    let (mut at, mut lines) = (0, 0);
    while let Some(end) = line_end_at(head, at) {
        at += end.text().len();
        lines += 1;
    }
    (at, lines)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Returns the line end at an offset, if there is one.
pub(super) fn line_end_at(text: &[u8], at: usize) -> Option<LineEnd> {
    match (text.get(at)?, text.get(at + 1)) {
        (b'\n', _) => Some(LineEnd::Lf),
        (b'\r', Some(b'\n')) => Some(LineEnd::CrLf),
        (b'\r', _) => Some(LineEnd::Cr),
        _ => None,
    }
}

/// Returns the separator that occurs most often in a line outside of quotes; the comma where none occurs.
pub(super) fn most_frequent(line: &[u8]) -> Separator {
    let mut quoted = false;
    let mut counts = Separator::USUAL.map(|separator| (separator, 0_usize));
    for &byte in line {
        quoted ^= byte == b'"';
        let fits = |(separator, _): &&mut (Separator, usize)| !quoted && separator.byte() == byte;
        counts.iter_mut().filter(fits).for_each(|(_, count)| *count += 1);
    }
    // Reversed, since `max_by_key` takes the last of equal counts and the first usual separator should win.
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(Separator::COMMA, |(separator, _)| separator)
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::*;

    #[test]
    fn a_line_about_the_separator_is_known_by_its_beginning() {
        let lf = Some(LineEnd::Lf);
        for (head, wanted) in [
            ("sep=;\nid;x", Ok(Some((";", lf, 6, 1)))),
            ("SEP=;\r\nid;x", Ok(Some((";", Some(LineEnd::CrLf), 7, 1)))),
            ("Sep=,\rid", Ok(Some((",", Some(LineEnd::Cr), 6, 1)))),
            ("\"sep=;\"\nid", Ok(Some((";", lf, 8, 1)))),
            ("sep=\t\nid", Ok(Some(("\t", lf, 6, 1)))),
            ("sep=|\nid", Ok(Some(("|", lf, 6, 1)))),
            ("sep=;;;\nid", Ok(Some((";", lf, 8, 1)))),
            ("\"sep=;\";;\nid", Ok(Some((";", lf, 10, 1)))),
            ("sep=; \nid", Ok(Some((";", lf, 7, 1)))),
            ("sep=;", Ok(Some((";", None, 5, 1)))),
            ("\r\n\n\rsep=;\nid", Ok(Some((";", lf, 10, 4)))),
            ("sep\nid", Ok(None)),
            ("separator=;\nid", Ok(None)),
            ("id,sep=;\n", Ok(None)),
            ("", Ok(None)),
            ("sep=\nid", Err("standard input:1:1")),
            ("\nsep=\\t\nid", Err("standard input:2:1")),
            ("sep=;,\nid", Err("standard input:1:1")),
            ("sep=a\nid", Err("standard input:1:1")),
            ("sep=\"\"\nid", Err("standard input:1:1")),
            ("sep=\u{3b1}\nid", Err("standard input:1:1")),
        ] {
            let options = Options::default();
            let context = InputContext::new("-", 0, &options);
            let got = declared(&context, head.as_bytes());
            let got = got.map(|said| {
                said.map(|said| {
                    (char::from(said.separator).to_string(), said.line_end, said.length, said.lines)
                })
            });
            let got = got.map_err(|unusable| unusable.problems()[0].place.clone());
            let wanted = wanted
                .map(|said| said.map(|(sign, end, length, lines)| (sign.to_owned(), end, length, lines)));
            assert_eq!(got, wanted.map_err(ToOwned::to_owned), "{head:?}");
        }
    }

    #[test]
    fn the_header_tells_the_separator_otherwise() {
        for (line, wanted) in [
            ("id", ','),
            ("id;status", ';'),
            ("id\tstatus", '\t'),
            ("id;\"a,b,c\"", ';'),
            ("a;b,c", ','),
            ("", ','),
        ] {
            assert_eq!(char::from(most_frequent(line.as_bytes())), wanted, "{line}");
        }
    }
}
