//! What a spreadsheet would run as a formula, and the text that it doesn't.
//!
//! A cell that begins with `= + - @` is a formula to a spreadsheet. Text from elsewhere gets a guard before it, a
//! `'`, by which every spreadsheet takes it for text. Where the system's settings separate lists by semicolons,
//! spreadsheets split at those even within quotes: what follows one counts as a cell, too.

use std::borrow::Cow;

use super::characters::is_hidden;

/// The sign before a cell that makes a spreadsheet take it for text.
const GUARD: char = '\'';

/// The characters that end a cell for one spreadsheet or another, whatever separates the cells here.
const ENDS: [char; 5] = [',', ';', '\t', '\r', '\n'];

/// Returns text that a spreadsheet takes for text, even where it splits it.
pub fn defused(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let pieces = || text.split_inclusive(ENDS);
    if !pieces().any(is_formula) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for piece in pieces() {
        safe.extend(is_formula(piece).then_some(GUARD));
        safe.push_str(piece);
    }
    Cow::Owned(safe)
}

/// Whether a text begins with a letter or a digit, and nothing in it ends a cell: most texts are such, and it is told by
/// their bytes.
fn is_plain(text: &str) -> bool {
    let ends = |byte: &u8| matches!(byte, b',' | b';' | b'\t' | b'\r' | b'\n');
    // Looking at all bytes, many at a time, is faster than stopping at the first.
    let any_ends = text.as_bytes().iter().fold(false, |any, byte| any | ends(byte));
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && !any_ends
}

/// Returns JSON of the same meaning that a spreadsheet takes for text, even where it splits it. In a string,
/// the character at which it splits is escaped where a formula would follow. A comma between strings must stay,
/// so there the sign behind it is escaped.
pub fn defused_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    let (mut in_string, mut is_escaped, mut is_first) = (false, false, false);
    for (at, c) in json.char_indices() {
        let ends = matches!(c, ',' | ';') && is_formula(&json[at + 1..]);
        let must_escape = in_string && (ends || is_first && is_formula(&json[at..]));
        is_first = if in_string { false } else { ends || is_first && c == '"' };
        if c == '"' && !is_escaped {
            in_string = !in_string;
        }
        is_escaped = c == '\\' && !is_escaped;
        if must_escape {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Takes away what [`defused`] added. It is the inverse for text that [`defused`] returned, unless the text had a
/// guard of its own there before; see [`comes_back`].
pub fn undefused(text: &str) -> Cow<'_, str> {
    let bare = |piece| match str::strip_prefix(piece, GUARD) {
        Some(bare) if is_formula(bare) => bare,
        _ => piece,
    };
    if text.split_inclusive(ENDS).all(|piece| bare(piece) == piece) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_inclusive(ENDS).map(bare).collect())
}

/// Whether a text is the same again once it was defused and that is undone.
pub fn comes_back(text: &str) -> bool {
    undefused(&defused(text)) == text
}

/// Whether a text is a copy of another with guards that [`defused`] gave it; blanks around both count for nothing.
pub fn is_guarded_copy(copy: &str, original: &str) -> bool {
    let (copy, original) = (copy.trim_end(), original.trim_end());
    copy != original && undefused(copy) == original
}

/// Returns whether a spreadsheet may take a cell for a formula. Some skip blanks first, and a quote where they
/// split in the middle of a cell; some take the full-width forms of the signs, which Chinese and Japanese have.
fn is_formula(cell: &str) -> bool {
    let is_passed_over =
        |c: char| matches!(c, ' ' | '\u{a0}' | '\u{3000}' | '"') || (is_hidden(c) && !ENDS.contains(&c));
    let cell = cell.trim_start_matches(is_passed_over);
    cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_defused() {
        for (text, wanted) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("", ""),
            ("plain = text", "plain = text"),
            ("\nx", "'\nx"),
            (" =1", "' =1"),
            ("\u{feff}\u{a0}=1", "'\u{feff}\u{a0}=1"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠SUM(A1)", "'＠SUM(A1)"),
            ("a;=1;b", "a;'=1;b"),
            ("a; \"=1\";;-1", "a;' \"=1\";;'-1"),
            ("a\t@x", "a\t'@x"),
            ("a\n+x", "a\n'+x"),
            ("a;b - c", "a;b - c"),
            ("a,=1", "a,'=1"),
            ("'=1", "'=1"),
            ("\"v1\"", "\"v1\""),
        ] {
            assert_eq!(defused(text), wanted, "{text:?}");
            assert_eq!(undefused(wanted) == text, comes_back(text), "{text:?}");
            assert_eq!(is_guarded_copy(wanted, text), wanted != text, "{text:?}");
            assert!(!is_guarded_copy(text, wanted), "{text:?}");
            assert_eq!(comes_back(text), text != "'=1", "{text:?}");
        }
    }

    #[test]
    fn what_a_spreadsheet_would_run_of_json_is_defused_and_means_the_same() {
        for (json, wanted) in [
            (r#"{"notes":"a;=cmd|'/C calc'!A0;b"}"#, r#"{"notes":"a\u003b=cmd|'/C calc'!A0;b"}"#),
            (r#"{"notes":";\"=1\";@x"}"#, r#"{"notes":";\"=1\"\u003b@x"}"#),
            (r#"{"notes":"a; -1"}"#, r#"{"notes":"a\u003b -1"}"#),
            (r#"{"notes":"=1,=1;b"}"#, r#"{"notes":"=1\u002c=1;b"}"#),
            (r#"{"notes":"a, b","x":[-1,-2]}"#, r#"{"notes":"a, b","x":[-1,-2]}"#),
            (r#"{"x":["a","=1","+\"1,@b"]}"#, r#"{"x":["a","\u003d1","\u002b\"1\u002c@b"]}"#),
            (r#"{"x":["a\\","=1",-5]}"#, r#"{"x":["a\\","\u003d1",-5]}"#),
        ] {
            let safe = defused_json(json);
            assert_eq!(safe, wanted);
            let parse = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
            assert_eq!(parse(&safe), parse(json));
        }
    }
}
