//! Hidden characters: those that control a display instead of being shown, their names, and text without them.
//!
//! Text from outside is shown in many places: an answer of the service, the name of a file, a cell, a
//! column, the output of a command. Some characters in it would move a terminal's cursor, reverse the direction
//! of the text that follows, or stay invisible, so that two different texts look alike. This module alone
//! decides which characters these are.

use std::borrow::Cow;
use std::path::Path;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Whether a character controls the display or is invisible: controls, line and paragraph separators, directional
/// marks, interlinear annotations, and all that Unicode lets a program show as nothing
/// (`Default_Ignorable_Code_Point`: zero-width characters, the soft hyphen, fillers, variation selectors, tags).
///
/// Joiners and variation selectors belong into words of some scripts and into emoji, so text with them is not
/// wrong. It is still shown with a mark in their place.
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let separates = matches!(c, '\u{2028}' | '\u{2029}');
    let annotates = matches!(c, '\u{fff9}'..='\u{fffb}');
    c.is_control()
        || separates
        || annotates
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Names a character for a message, as in `U+200B zero width space`; those that are rare in files by their number
/// alone.
pub fn name(c: char) -> String {
    let number = format!("U+{:04X}", u32::from(c));
    match common_name(c) {
        Some(name) => format!("{number} {name}"),
        None => number,
    }
}

/// Returns the Unicode name of a character that is met in files; controls, which have none, by their common names.
fn common_name(c: char) -> Option<&'static str> {
    Some(match c {
        '\0' => "null",
        '\t' => "tab",
        '\n' => "line feed",
        '\r' => "carriage return",
        '\u{1b}' => "escape",
        '\u{a0}' => "no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{61c}' => "arabic letter mark",
        '\u{180e}' => "mongolian vowel separator",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{200e}' => "left-to-right mark",
        '\u{200f}' => "right-to-left mark",
        '\u{2010}' => "hyphen",
        '\u{2011}' => "non-breaking hyphen",
        '\u{2012}' => "figure dash",
        '\u{2013}' => "en dash",
        '\u{2014}' => "em dash",
        '\u{2015}' => "horizontal bar",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{202a}' => "left-to-right embedding",
        '\u{202b}' => "right-to-left embedding",
        '\u{202c}' => "pop directional formatting",
        '\u{202d}' => "left-to-right override",
        '\u{202e}' => "right-to-left override",
        '\u{2060}' => "word joiner",
        '\u{2066}' => "left-to-right isolate",
        '\u{2067}' => "right-to-left isolate",
        '\u{2068}' => "first strong isolate",
        '\u{2069}' => "pop directional isolate",
        '\u{2212}' => "minus sign",
        '\u{feff}' => "zero width no-break space",
        '\u{ff0d}' => "fullwidth hyphen-minus",
        '\u{fffd}' => "replacement character",
        _ => return None,
    })
}

/// Whether there is nothing in a text but what ASCII shows: letters, digits, signs and spaces. Most texts are such, and
/// it is told much faster than what any of their characters is.
pub fn is_plain(text: &str) -> bool {
    // All bytes are looked at, since many can be at a time where none of them ends it.
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// Returns a text with U+FFFD in place of every hidden character.
pub fn visible(text: &str) -> Cow<'_, str> {
    with_marks(text, is_hidden)
}

/// Returns a text of several lines with U+FFFD in place of every hidden character except line feeds and tabs.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    with_marks(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// Returns JSON of one line that means the same, with every hidden character of its texts escaped.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_hidden(c) {
            let units =
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            safe.push_str(&units);
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Returns a path for a message: on one line, with U+FFFD in place of hidden characters.
pub fn visible_path(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}

/// Replaces the characters that `is_marked` selects by U+FFFD.
fn with_marks(text: &str, is_marked: impl Fn(char) -> bool) -> Cow<'_, str> {
    if is_plain(text) || !text.contains(&is_marked) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_marked(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_hides_is_known() {
        for hidden in [
            '\0'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{ad}'..='\u{ad}',
            '\u{34f}'..='\u{34f}',
            '\u{61c}'..='\u{61c}',
            '\u{115f}'..='\u{1160}',
            '\u{180b}'..='\u{180f}',
            '\u{200b}'..='\u{200f}',
            '\u{2028}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{3164}'..='\u{3164}',
            '\u{fe00}'..='\u{fe0f}',
            '\u{feff}'..='\u{feff}',
            '\u{fff9}'..='\u{fffb}',
            '\u{e0000}'..='\u{e0fff}',
        ] {
            for c in hidden {
                assert!(is_hidden(c), "{}", name(c));
            }
        }
        for c in " ~\u{a0}é–日\u{3000}\u{600}\u{6dd}\u{2010}\u{2212}\u{fffd}\u{1f600}\u{e000}\u{301}".chars()
        {
            assert!(!is_hidden(c), "{}", name(c));
        }
    }

    #[test]
    fn hidden_characters_are_called_by_number_and_name() {
        for (c, wanted) in [
            ('\u{200b}', "U+200B zero width space"),
            ('\u{1b}', "U+001B escape"),
            ('\u{1}', "U+0001"),
            ('\u{e0041}', "U+E0041"),
        ] {
            assert_eq!(name(c), wanted);
        }
    }

    #[test]
    fn text_is_shown_with_marks() {
        for (text, wanted, lines) in [
            ("Zoë – 日本", "Zoë – 日本", "Zoë – 日本"),
            ("a\u{1b}[31mb", "a\u{fffd}[31mb", "a\u{fffd}[31mb"),
            ("a\u{202e}b\u{200b}\nc", "a\u{fffd}b\u{fffd}\u{fffd}c", "a\u{fffd}b\u{fffd}\nc"),
            ("a\tb\r\n", "a\u{fffd}b\u{fffd}\u{fffd}", "a\tb\u{fffd}\n"),
        ] {
            assert_eq!(visible(text), wanted);
            assert_eq!(visible_lines(text), lines);
        }
        let json = "{\"a\":\"x\u{202e}\u{e0041}\u{7f}\"}";
        let safe = visible_json(json);
        assert_eq!(safe, r#"{"a":"x\u202e\udb40\udc41\u007f"}"#);
        let parse = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(parse(&safe), parse(json));
        assert_eq!(visible_path(Path::new("my  runs/\u{1b}[2J\n")), "my  runs/\u{fffd}[2J\u{fffd}");
    }
}
