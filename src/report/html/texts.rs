//! Texts of a page: every text from outside goes through here before it stands in one.
//!
//! A page is handed on, so personal data is masked unless the user asks for it. Control characters are shown as
//! pictures and those that reverse or hide text as U+FFFD, and a long text is cut off and says so. What stands in a
//! page is escaped by the template, or by JSON.

use serde_json::value::RawValue;

use crate::domain::characters::{is_hidden, is_plain, visible};
use crate::domain::fields::Kind;
use crate::domain::json::{self, Object};
use crate::domain::number::as_number;
use crate::domain::value::as_instant;

use super::super::findings::compacted;
use super::super::format::grouped;
use super::mask::{self, initial, is_dialled, is_local};

/// The longest text in characters.
const LONGEST: usize = 400;

/// The characters of a text that are looked at: what is cut off may belong to an address that begins before.
const WINDOW: usize = 1_200;

/// The longest telephone number in bytes, with what may stand between its digits.
const LONGEST_NUMBER: usize = 40;

/// Makes the texts of one page.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    reveal: bool,
}

impl Texts {
    /// Makes the texts of a page, in which personal data is masked unless it is to be revealed.
    pub fn new(reveal: bool) -> Self {
        Self { reveal }
    }

    /// Whether personal data is written out.
    pub fn reveal(self) -> bool {
        self.reveal
    }

    /// Returns a field's value as people read it: a text without quotes, the members of a team by name and address, a
    /// list of solutions by their ids, and all else as JSON. It is empty where there is none.
    pub fn value(self, kind: Kind, value: Option<&RawValue>) -> String {
        let Some(raw) = value.filter(|raw| !json::is_null(raw)) else { return String::new() };
        if let (Kind::Members | Kind::Solutions, Some(elements)) = (kind, json::elements(raw)) {
            return self.elements(kind, elements);
        }
        let text = json::string(raw).unwrap_or_else(|| compacted(raw).get().to_owned().into());
        // An amount of seven digits is no telephone number.
        if is_of(kind, raw) { self.plain(&text) } else { self.free(&text) }
    }

    /// Returns the elements of a list as people read them.
    pub fn elements<'e>(self, kind: Kind, elements: impl IntoIterator<Item = &'e RawValue>) -> String {
        let told = elements.into_iter().map(|element| self.element(kind, element));
        cut(&told.collect::<Vec<_>>().join("; "))
    }

    fn element(self, kind: Kind, raw: &RawValue) -> String {
        let Some(object) = Object::from_raw(raw) else { return self.free(compacted(raw).get()) };
        let text = |name| object.get(name).and_then(json::string).filter(|text| !text.is_empty());
        match kind {
            Kind::Members => self.member(["firstName", "lastName", "email", "phoneNumber"].map(text)),
            // Solutions are known by their ids; the name says what they are.
            _ => {
                let parts: Vec<String> =
                    ["id", "name"].into_iter().filter_map(text).map(|text| self.free(&text)).collect();
                if parts.is_empty() { self.free(compacted(raw).get()) } else { parts.join(" ") }
            }
        }
    }

    /// Returns a person by name, address and number.
    fn member(self, [first, last, email, phone]: [Option<std::borrow::Cow<'_, str>>; 4]) -> String {
        let name = |name: Option<std::borrow::Cow<'_, str>>| {
            name.map(|name| if self.reveal { shown(&name) } else { initial(&shown(&name)) })
        };
        let names: Vec<String> = [name(first), name(last)].into_iter().flatten().collect();
        let names = (!names.is_empty()).then(|| names.join(" "));
        let email = email.map(|email| self.free(&email));
        let phone = phone.map(|phone| if self.reveal { shown(&phone) } else { mask::MASK.to_owned() });
        let parts: Vec<String> = names.into_iter().chain(email).chain(phone).collect();
        if parts.is_empty() { "somebody without a name".to_owned() } else { parts.join(", ") }
    }

    /// Returns a text of people or of the service: a name of a deal or customer, a note, a reason, who sends or approves.
    pub fn free(self, text: &str) -> String {
        self.masked_by(text, mask::masked)
    }

    /// Returns a message of the program or of the service, which may quote a text and cut it off.
    pub fn message(self, text: &str) -> String {
        self.masked_by(text, mask::masked_message)
    }

    fn masked_by(self, text: &str, masked: fn(&str) -> std::borrow::Cow<'_, str>) -> String {
        if self.reveal {
            return self.plain(text);
        }
        if has_room(text, WINDOW) {
            return told(&masked(text), || text.chars().count(), false);
        }
        told(&masked(beginning(text)), || text.chars().count(), true)
    }

    /// Returns a text that holds no personal data: an id, a field, a checksum; and names of files, which are told as they
    /// are.
    pub fn plain(self, text: &str) -> String {
        cut(text)
    }
}

/// Whether a text has no more than so many characters.
fn has_room(text: &str, most: usize) -> bool {
    text.len() <= most || text.chars().nth(most).is_none()
}

/// Whether a value is what its field holds, and so no text that anybody could have written anything into.
fn is_of(kind: Kind, raw: &RawValue) -> bool {
    match kind {
        Kind::Decimal => as_number(raw).is_some(),
        Kind::DateTime => as_instant(raw).is_some(),
        Kind::Boolean => matches!(raw.get(), "true" | "false"),
        Kind::Text | Kind::Currency | Kind::Members | Kind::Solutions | Kind::Any => false,
    }
}

/// Returns the beginning of a text, without the part at its end that is of an address or may be of a number which goes
/// on.
fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(WINDOW).map_or(text.len(), |(at, _)| at);
    let (window, rest) = text.split_at(end);
    if window.ends_with('@') || rest.trim_start_matches(is_local).starts_with('@') {
        return window.trim_end_matches('@').trim_end_matches(is_local);
    }
    let before = window.trim_end_matches(is_dialled);
    // A longer run is no number that could be dialled.
    if window.len() - before.len() <= LONGEST_NUMBER { before } else { window }
}

/// Returns a text of `all` characters as it is shown. `is_part` says that it is the beginning of a longer one.
fn told(text: &str, all: impl FnOnce() -> usize, is_part: bool) -> String {
    if !is_part && has_room(text, LONGEST) {
        return shown(text);
    }
    let beginning: String = text.chars().take(LONGEST).collect();
    format!("{}… (cut off: {} characters)", shown(&beginning), grouped(all() as u64))
}

/// Cuts off a text that is shown.
fn cut(text: &str) -> String {
    told(text, || text.chars().count(), false)
}

/// Returns a text with its hidden characters made visible.
fn shown(text: &str) -> String {
    // Nearly every text is such, and hundreds of thousands of them may stand in a page.
    if is_plain(text) || !text.contains(is_hidden) {
        return text.to_owned();
    }
    let picture = |c: char| match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '␡',
        _ => c,
    };
    visible(&text.chars().map(picture).collect::<String>()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::raw;
    use super::*;

    fn value(kind: Kind, json: &str) -> [String; 2] {
        [false, true].map(|reveal| Texts::new(reveal).value(kind, Some(&raw(json))))
    }

    #[test]
    fn a_value_is_told_as_people_read_it() {
        for (kind, json, masked, revealed) in [
            (Kind::Text, r#""Closed""#, "Closed", "Closed"),
            (Kind::Text, "null", "", ""),
            (Kind::Text, r#""""#, "", ""),
            (Kind::Decimal, "10000.00", "10000.00", "10000.00"),
            (Kind::Decimal, "12500000", "12500000", "12500000"),
            (Kind::Decimal, r#""+4930123456""#, "•••", "+4930123456"),
            (Kind::Decimal, r#""call 030 1234567""#, "call •••", "call 030 1234567"),
            (
                Kind::DateTime,
                r#""2026-12-31T00:00:00.0000000Z""#,
                "2026-12-31T00:00:00.0000000Z",
                "2026-12-31T00:00:00.0000000Z",
            ),
            (Kind::Boolean, "true", "true", "true"),
            (Kind::Text, r#""a\nb\u202ec\u0000""#, "a␊b\u{fffd}c␀", "a␊b\u{fffd}c␀"),
            (Kind::Text, r#""ask ann@a.example""#, "ask a•••@a.example", "ask ann@a.example"),
            (Kind::Any, "{ \"a\" : [1] }", "{\"a\":[1]}", "{\"a\":[1]}"),
            (
                Kind::Solutions,
                r#"[{"id":"SOL-1","name":"CRM"},{"id":"SOL-2"},7]"#,
                "SOL-1 CRM; SOL-2; 7",
                "SOL-1 CRM; SOL-2; 7",
            ),
            (
                Kind::Members,
                r#"[{"firstName":"Kim","lastName":"Park","email":"kim@p.example","phoneNumber":"5"},{"email":"b@p.example"},{}]"#,
                "K••• P•••, k•••@p.example, •••; b•••@p.example; somebody without a name",
                "Kim Park, kim@p.example, 5; b@p.example; somebody without a name",
            ),
            (Kind::Members, r#""x""#, "x", "x"),
        ] {
            assert_eq!(value(kind, json), [masked, revealed], "{json}");
        }
        assert_eq!(Texts::new(false).value(Kind::Text, None), "");
    }

    #[test]
    fn a_long_text_is_cut_off_and_says_so() {
        let long = "x".repeat(1_000_000);
        let told = Texts::new(false).free(&long);
        assert_eq!(told, format!("{}… (cut off: 1,000,000 characters)", "x".repeat(400)));
        let words = "word ".repeat(100_000);
        let told = Texts::new(false).free(&words);
        assert!(
            told.starts_with("word word") && told.ends_with("d … (cut off: 500,000 characters)"),
            "{told}"
        );
        assert_eq!(
            Texts::new(true).plain(&"y".repeat(401)),
            format!("{}… (cut off: 401 characters)", "y".repeat(400))
        );
        assert_eq!(Texts::new(true).plain(&"y".repeat(400)), "y".repeat(400));
    }

    /// The address goes on behind what is looked at.
    #[test]
    fn nothing_personal_is_left_where_a_text_is_cut_off() {
        let address = format!("{}@a.example ", "longlocalpart".repeat(8));
        for lead in 0..200 {
            let text = format!("{} {}", ".".repeat(lead), address.repeat(40));
            let told = Texts::new(false).free(&text);
            assert!(!told.contains("longlocal"), "{lead}: {told}");
        }
    }
}
