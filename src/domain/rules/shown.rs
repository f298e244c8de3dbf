//! What a row shows of members that it can't change, compared with the referral.
//!
//! A member that was not seen is not compared: a warning is not worth a request. Where the rule denies, it is, as for
//! every rule that denies.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::catalogue::Rule;
use super::findings::LeveledFindings;
use crate::domain::change::{Counterpart, Desired, Located, Shown};
use crate::domain::excerpt::excerpt;
use crate::domain::fields::{Kind, Path};
use crate::domain::instant::Instant;
use crate::domain::json;
use crate::domain::level::Level;
use crate::domain::pointer::Pointer;
use crate::domain::setting::Setting;
use crate::domain::snapshot::Snapshot;
use crate::domain::value;
use crate::domain::wording::Wording;

/// Adds a finding for each cell that differs from the referral. `current` is `None` where it was not read.
pub(super) fn compare(desired: &Desired, current: Option<&Snapshot<'_>>, findings: &mut LeveledFindings<'_>) {
    let level = findings.level(Rule::PortalReadOnly);
    let Some(current) = current.filter(|_| level != Level::Allow) else { return };
    for Located { value: Shown { column, counterpart, text }, place } in &desired.shown {
        let pointer =
            Pointer::parse(counterpart.pointer()).expect("the table of columns holds valid pointers");
        let path = Path::Opted(pointer);
        let Ok(found) = current.find(path.pointer(), Kind::Text).known() else {
            if level == Level::Deny {
                findings.unjudged(Rule::PortalReadOnly, *place, &path);
            }
            continue;
        };
        if let Some(shown) = differing(*counterpart, found, text) {
            let message = format!("column \"{column}\" says {}, the referral {shown}", excerpt(text));
            findings.add(Rule::PortalReadOnly, *place, message, remedy(&path));
        }
    }
}

/// Returns what the referral has, for a message, where a cell says something else.
fn differing(counterpart: Counterpart, found: Option<&RawValue>, text: &str) -> Option<String> {
    let there: Cow<'_, str> = match (counterpart, found) {
        (Counterpart::Flag(_), found) => {
            let is_set = found.is_some_and(|raw| raw.get() == "true");
            if is_set { "Yes".into() } else { "No".into() }
        }
        (Counterpart::Day(_), Some(raw)) => {
            let day = value::as_instant(raw)?.date();
            return (Instant::parse(text)?.date() != day).then(|| day.to_string());
        }
        (Counterpart::Text(_) | Counterpart::Id(_), Some(raw)) => {
            json::string(raw).unwrap_or_else(|| raw.get().into())
        }
        (_, None) => "".into(),
    };
    let is_same = match counterpart {
        Counterpart::Text(_) => words(&there).eq(words(text)),
        Counterpart::Id(_) | Counterpart::Day(_) | Counterpart::Flag(_) => {
            there.trim().eq_ignore_ascii_case(text.trim())
        }
    };
    let shown = || if there.trim().is_empty() { "nothing".to_owned() } else { excerpt(&there) };
    (!is_same).then(shown)
}

/// Returns the words of a text: a program that saved the file may have set its blanks and line ends otherwise.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Returns what would help.
fn remedy(path: &Path) -> Wording {
    let pointer = path.pointer().as_str();
    if pointer == "/name" {
        return Wording::from("to have it sent, opt in with ").name(Setting::AllowPath).say(" ").say(pointer);
    }
    Wording::from("it is not sent: take a new download, or change it in Partner Center")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_the_referral() {
        for (counterpart, found, text, wanted) in [
            (Counterpart::Text("/name"), r#""A  b""#, "A\nb ", None),
            (Counterpart::Text("/name"), r#""A b""#, "a b", Some("\"A b\"")),
            (Counterpart::Text("/name"), "", "x", Some("nothing")),
            (Counterpart::Text("/name"), r#""""#, "x", Some("nothing")),
            (Counterpart::Text("/name"), "12", "12", None),
            (Counterpart::Id("/mpnId"), r#""ab""#, "AB", None),
            (Counterpart::Id("/mpnId"), r#""ab""#, "AC", Some("\"ab\"")),
            (Counterpart::Day("/createdDateTime"), r#""2026-06-18T23:11:00.1Z""#, "2026-06-18", None),
            (
                Counterpart::Day("/createdDateTime"),
                r#""2026-06-19T00:11:00Z""#,
                "2026-06-18",
                Some("2026-06-19"),
            ),
            (Counterpart::Day("/createdDateTime"), r#""?""#, "2026-06-18", None),
            (Counterpart::Flag("/x"), "true", "No", Some("\"Yes\"")),
            (Counterpart::Flag("/x"), "false", "No", None),
            (Counterpart::Flag("/x"), "", "No", None),
        ] {
            let found: Option<Box<RawValue>> =
                (!found.is_empty()).then(|| serde_json::from_str(found).unwrap());
            let got = differing(counterpart, found.as_deref(), text);
            assert_eq!(got.as_deref(), wanted, "{counterpart:?} {found:?} {text}");
        }
    }
}
