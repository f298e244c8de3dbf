//! Text for people that names settings without saying how they are typed.
//!
//! The code that finds a problem knows which setting would help, and not how the user gives it. So a hint names the
//! [`Setting`], and `commands::next_command` spells it before the hint is shown or recorded. Text that was read from
//! a record is plain: its settings are spelled already.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::characters::{is_hidden, visible};
use super::setting::Setting;

/// Text for people, with the settings that it names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wording {
    /// The text, in which each setting stands by its name.
    text: String,
    /// The settings in order, each with the byte offset at which its name begins.
    settings: Vec<(usize, Setting)>,
}

/// A part of a text: words, or a setting.
enum Part<'a> {
    Words(&'a str),
    Setting(Setting),
}

impl Wording {
    /// Appends words.
    #[must_use]
    pub fn say(mut self, words: impl AsRef<str>) -> Self {
        self.text.push_str(words.as_ref());
        self
    }

    /// Appends a setting.
    #[must_use]
    pub fn name(mut self, setting: Setting) -> Self {
        self.settings.push((self.text.len(), setting));
        self.text.push_str(setting.name());
        self
    }

    /// Appends another text with its settings.
    #[must_use]
    pub fn append(mut self, other: &Self) -> Self {
        let start = self.text.len();
        self.settings.extend(other.settings.iter().map(|(at, setting)| (start + at, *setting)));
        self.say(&other.text)
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the text with settings by their names. It is for people only if it names none.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the text with settings as the user types them.
    pub fn spelled(&self, spell: impl Fn(Setting) -> String) -> String {
        let mut text = String::with_capacity(self.text.len());
        for part in self.parts() {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Setting(setting) => text.push_str(&spell(setting)),
            }
        }
        text
    }

    /// Makes the text safe for a terminal, whatever an input put into it: hidden characters become visible, and it is
    /// cut off after `most` characters.
    pub(super) fn presentable(self, most: usize) -> Self {
        if self.text.len() <= most && !self.text.contains(is_hidden) {
            return self;
        }
        let (mut shown, mut room) = (Self::default(), most);
        for part in self.parts() {
            let whole = match part {
                Part::Words(words) => words,
                Part::Setting(setting) => setting.name(),
            };
            let cut: String = whole.chars().take(room).collect();
            if let (Part::Setting(setting), true) = (&part, cut == whole) {
                shown = shown.name(*setting);
            } else {
                shown = shown.say(visible(&cut));
            }
            if cut.len() < whole.len() {
                return shown.say("…");
            }
            room -= cut.chars().count();
        }
        shown
    }

    /// Iterates over the words and settings of the text in order.
    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut from = 0;
        let named = self.settings.iter().flat_map(move |(at, setting)| {
            let words = &self.text[from..*at];
            from = at + setting.name().len();
            [Part::Words(words), Part::Setting(*setting)]
        });
        let end = self.settings.last().map_or(0, |(at, setting)| at + setting.name().len());
        named.chain([Part::Words(&self.text[end..])])
    }
}

impl From<String> for Wording {
    fn from(text: String) -> Self {
        Self { text, settings: Vec::new() }
    }
}

impl From<&String> for Wording {
    fn from(text: &String) -> Self {
        Self::from(text.clone())
    }
}

impl From<&str> for Wording {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Writes the text, with settings by their names.
impl Serialize for Wording {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Wording {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wording() -> Wording {
        Wording::from("allow it with ").name(Setting::Clear).say(" or ").name(Setting::AllowPath).say(" /a")
    }

    #[test]
    fn settings_are_spelled_where_they_are_named() {
        let spell = |setting: Setting| format!("[{}!]", setting.name());
        let plain = Wording::from("nothing named");
        let both = plain.clone().say("; ").append(&wording());
        for (wording, neutral, spelled) in [
            (Wording::default(), "", ""),
            (plain, "nothing named", "nothing named"),
            (Wording::default().name(Setting::Yes), "yes", "[yes!]"),
            (wording(), "allow it with clear or allow-path /a", "allow it with [clear!] or [allow-path!] /a"),
            (
                both,
                "nothing named; allow it with clear or allow-path /a",
                "nothing named; allow it with [clear!] or [allow-path!] /a",
            ),
        ] {
            assert_eq!(wording.as_str(), neutral);
            assert_eq!(wording.spelled(spell), spelled);
            assert_eq!(Wording::from(spelled).spelled(spell), spelled, "it names none any more");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_what_is_hidden_is_marked() {
        for (most, wanted) in [
            (3, "all…"),
            (14, "allow it with …"),
            (16, "allow it with cl…"),
            (19, "allow it with CLEAR…"),
            (36, "allow it with CLEAR or ALLOW-PATH /a"),
        ] {
            let shown = wording().presentable(most).spelled(|setting| setting.name().to_uppercase());
            assert_eq!(shown, wanted, "{most}");
        }
        let hidden = Wording::from("a\u{202e}b ").name(Setting::Clear).say("\u{1b}").presentable(100);
        assert_eq!(hidden.spelled(|_| "X".to_owned()), "a\u{fffd}b X\u{fffd}");
    }

    #[test]
    fn a_record_holds_its_text() {
        let json = serde_json::to_string(&wording()).unwrap();
        assert_eq!(json, "\"allow it with clear or allow-path /a\"");
        assert_eq!(serde_json::from_str::<Wording>(&json).unwrap(), Wording::from(wording().as_str()));
    }
}
