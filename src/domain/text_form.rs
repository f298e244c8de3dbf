//! The form of a text file: its encoding, its line ends, and the separator of its cells.
//!
//! Reports give rows back in the form in which they were read, so that the program that wrote the input can
//! open them too.

use serde::{Deserialize, Serialize};

/// The form of a text file. The default is UTF-8 without a byte order mark, commas and line feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextForm {
    /// The encoding, with or without a byte order mark.
    pub encoding: Encoding,
    /// The line end.
    pub line_end: LineEnd,
    /// The separator of the cells of a CSV; the default for other formats.
    pub separator: Separator,
    /// Whether a line before the header names the separator, as in `sep=;`.
    pub says_separator: bool,
}

/// The encoding of a file, with its byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    #[default]
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Marked,
    /// UTF-16, little endian, with a byte order mark.
    Utf16Le,
    /// UTF-16, big endian, with a byte order mark.
    Utf16Be,
}

/// The line end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    /// A line feed.
    #[default]
    Lf,
    /// A carriage return and a line feed.
    CrLf,
    /// A carriage return alone.
    Cr,
}

impl LineEnd {
    /// Returns its characters.
    pub fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
            Self::Cr => "\r",
        }
    }
}

/// The separator of the cells of a CSV: a tab, or an ASCII punctuation character other than the quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Separator(u8);

impl Separator {
    /// The comma, which is the default.
    pub const COMMA: Self = Self(b',');
    /// The semicolon, which spreadsheets write where the comma is the decimal sign.
    pub const SEMICOLON: Self = Self(b';');
    /// The tab, which text has that was copied from a table.
    pub const TAB: Self = Self(b'\t');
    /// The separators that can be detected from a header.
    pub const USUAL: [Self; 3] = [Self::COMMA, Self::SEMICOLON, Self::TAB];

    /// Returns the separator of this byte, if it can separate cells.
    pub fn of(byte: u8) -> Option<Self> {
        (byte == b'\t' || byte.is_ascii_punctuation() && byte != b'"').then_some(Self(byte))
    }

    /// Returns the byte.
    pub fn byte(self) -> u8 {
        self.0
    }

    /// Returns the name for messages.
    pub fn name(self) -> String {
        match self {
            Self::COMMA => "commas".to_owned(),
            Self::TAB => "tabs".to_owned(),
            Self(sign) => format!("'{}'", char::from(sign)),
        }
    }
}

impl Default for Separator {
    fn default() -> Self {
        Self::COMMA
    }
}

impl From<Separator> for char {
    fn from(separator: Separator) -> Self {
        char::from(separator.0)
    }
}

impl TryFrom<char> for Separator {
    type Error = &'static str;

    fn try_from(sign: char) -> Result<Self, Self::Error> {
        u8::try_from(sign).ok().and_then(Self::of).ok_or("no sign that separates cells")
    }
}

impl TextForm {
    /// Lists, for messages, what deviates from the default form.
    pub fn deviations(&self) -> Vec<String> {
        let encoding = match self.encoding {
            Encoding::Utf8 => None,
            Encoding::Utf8Marked => Some("UTF-8 with byte order mark".to_owned()),
            Encoding::Utf16Le => Some("UTF-16LE".to_owned()),
            Encoding::Utf16Be => Some("UTF-16BE".to_owned()),
        };
        let separator = match (self.separator, self.says_separator) {
            (Separator::COMMA, false) => None,
            (separator, false) => Some(format!("separated by {}", separator.name())),
            (separator, true) => Some(format!("separated by {}, as its first line says", separator.name())),
        };
        let line_end = match self.line_end {
            LineEnd::Lf => None,
            LineEnd::CrLf => Some("CRLF line ends".to_owned()),
            LineEnd::Cr => Some("CR line ends".to_owned()),
        };
        [encoding, separator, line_end].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_comes_back_from_where_it_is_kept() {
        for encoding in [Encoding::Utf8, Encoding::Utf8Marked, Encoding::Utf16Le, Encoding::Utf16Be] {
            for line_end in [LineEnd::Lf, LineEnd::CrLf, LineEnd::Cr] {
                for separator in Separator::USUAL {
                    let form = TextForm { encoding, line_end, separator, says_separator: true };
                    let kept = serde_json::to_string(&form).unwrap();
                    assert_eq!(serde_json::from_str::<TextForm>(&kept).unwrap(), form, "{kept}");
                }
            }
        }
    }

    #[test]
    fn a_sign_separates_what_it_cannot_be_part_of() {
        let signs: String = (0..=u8::MAX).filter_map(Separator::of).map(char::from).collect();
        assert_eq!(signs, "\t!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
        for kept in ["\"\\\"\"", "\"a\"", "\"é\"", "\"\\n\"", "\"\""] {
            assert!(serde_json::from_str::<Separator>(kept).is_err(), "{kept}");
        }
    }
}
