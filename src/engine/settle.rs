//! What a referral that was read back says about an item in doubt. Pure.

use crate::domain::item::Item;
use crate::domain::referral::Snapshot;

/// What reading back says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It carries our change.
    Applied,
    /// It is as it was: send again.
    NotApplied,
    /// It is neither: somebody else changed it.
    Conflict,
    /// It doesn't carry our change, and nothing tells whether sending again would overwrite somebody
    /// else's, or add an element twice.
    CannotTell,
}

/// Compares an item in doubt with the referral as it stands now.
///
/// The eTag decides where there is one: if it is the one that was sent, nothing was applied, and
/// sending again is safe even if the first request is still on its way, since only one of the two
/// can match. Without one, the values themselves are all there is; where nobody looked at them
/// beforehand, not even those. An append that no eTag guards was planned without a look at its list, so
/// a list that lacks the element says neither that somebody changed it nor that the request won't
/// arrive yet.
pub fn weigh(item: &Item, now: &Snapshot<'_>) -> Reading {
    if let (Some(sent), Some(current)) = (&item.etag, now.etag())
        && sent == current
    {
        return Reading::NotApplied;
    }
    if item.is_shown_by(now) {
        return Reading::Applied;
    }
    if !item.is_repeatable() {
        return Reading::CannotTell;
    }
    let moved = item.etag.is_some() && now.etag().is_some();
    if moved {
        Reading::Conflict
    } else if item.is_untouched_in(now) {
        Reading::NotApplied
    } else if item.is_overtaken_in(now) {
        Reading::Conflict
    } else {
        Reading::CannotTell
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use uuid::Uuid;

    use super::*;
    use crate::domain::fields::{Field, Path};
    use crate::domain::item::{Change, Effect};
    use crate::domain::json;
    use crate::domain::referral::ETag;

    const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
    const ANN: &str = r#"{"email":"ann@example.com"}"#;
    const BO: &str = r#"{"email":"bo@example.com"}"#;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn item(etag: Option<&str>, changes: Vec<Change>) -> Item {
        Item {
            number: 1,
            id: ID.parse().unwrap(),
            etag: etag.map(|etag| ETag::from_input(etag).unwrap()),
            is_bound: false,
            request_id: Uuid::nil(),
            patch: json::raw::<[u8]>(&[]),
            changes,
            effect: Effect::Reversible,
            findings: Vec::new(),
        }
    }

    fn change(field: Field, before: Option<&str>, after: &str) -> Change {
        Change { path: Path::Known(field), before: before.map(raw), after: raw(after), appended: Vec::new() }
    }

    /// By item and by what is found of it. The columns: the eTag that is read back is the one that was
    /// sent, if any was; it is another one; it is absent.
    const READINGS: &str = "\
set, eTag
  carried   NotApplied  Applied     Applied
  untouched NotApplied  Conflict    NotApplied
  resorted  NotApplied  Applied     Applied
  half      NotApplied  Conflict    Conflict
  neither   NotApplied  Conflict    Conflict
set, no eTag
  carried   Applied     Applied     Applied
  untouched NotApplied  NotApplied  NotApplied
  resorted  Applied     Applied     Applied
  half      Conflict    Conflict    Conflict
  neither   Conflict    Conflict    Conflict
reorder, eTag
  carried   NotApplied  Applied     Applied
  untouched NotApplied  Conflict    NotApplied
  neither   NotApplied  Conflict    Conflict
reorder, no eTag
  carried   Applied     Applied     Applied
  untouched NotApplied  NotApplied  NotApplied
  neither   Conflict    Conflict    Conflict
append, eTag
  carried   NotApplied  Applied     Applied
  untouched NotApplied  Conflict    NotApplied
  neither   NotApplied  Conflict    Conflict
append, no eTag, not repeatable
  carried   Applied     Applied     Applied
  lacking   CannotTell  CannotTell  CannotTell
  neither   CannotTell  CannotTell  CannotTell
";

    /// What an item does, with what reading back may find of it.
    struct Deed {
        name: &'static str,
        changes: Vec<Change>,
        findings: Vec<(&'static str, String)>,
    }

    fn deeds() -> [Deed; 3] {
        let team = |members: &[&str]| format!(r#""team":[{}]"#, members.join(","));
        let append = |before: Option<&str>, after: &str| Change {
            appended: vec![raw(BO)],
            ..change(Field::Team, before, after)
        };
        [
            Deed {
                name: "set",
                changes: vec![
                    change(Field::SalesStage, Some(r#""Qualify""#), r#""Close""#),
                    change(Field::Team, Some(&format!("[{ANN},{BO}]")), &format!("[{BO},{ANN}]")),
                ],
                findings: vec![
                    ("carried", format!(r#""salesStage":"Close",{}"#, team(&[BO, ANN]))),
                    ("untouched", format!(r#""salesStage":"Qualify",{}"#, team(&[ANN, BO]))),
                    ("resorted", format!(r#""salesStage":"Close",{}"#, team(&[ANN, BO]))),
                    ("half", format!(r#""salesStage":"Close",{}"#, team(&[ANN]))),
                    ("neither", format!(r#""salesStage":"Propose",{}"#, team(&[ANN]))),
                ],
            },
            Deed {
                name: "reorder",
                changes: vec![change(Field::Team, Some(&format!("[{ANN},{BO}]")), &format!("[{BO},{ANN}]"))],
                findings: vec![
                    ("carried", team(&[BO, ANN])),
                    ("untouched", team(&[ANN, BO])),
                    ("neither", team(&[ANN])),
                ],
            },
            Deed {
                name: "append",
                changes: vec![append(Some(&format!("[{ANN}]")), &format!("[{ANN},{BO}]"))],
                findings: vec![
                    ("carried", team(&[ANN, BO])),
                    ("untouched", team(&[ANN])),
                    ("neither", team(&[r#"{"email":"cy@example.com"}"#])),
                ],
            },
        ]
    }

    #[test]
    fn every_reading_has_its_meaning() {
        let mut table = String::new();
        for Deed { name, changes, findings } in deeds() {
            for sent in [Some("a"), None] {
                // No document appends without an eTag to a list that was looked at.
                let unseen = name == "append" && sent.is_none();
                let mut changes = changes.clone();
                if unseen {
                    changes[0].before = None;
                    changes[0].after = raw(&format!("[{BO}]"));
                }
                let item = item(sent, changes);
                let repeatable = if item.is_repeatable() { "" } else { ", not repeatable" };
                table +=
                    &format!("{name}, {}{repeatable}\n", if sent.is_some() { "eTag" } else { "no eTag" });
                for (found, members) in &findings {
                    let found = if unseen && *found == "untouched" { "lacking" } else { *found };
                    let readings = [Some("a"), Some("b"), None].map(|current| {
                        let etag = current.map_or(String::new(), |etag| format!(r#""eTag":"{etag}","#));
                        let text = format!(r#"{{"id":"{ID}",{etag}{members}}}"#);
                        format!("{:?}", weigh(&item, &Snapshot::parse(&text).unwrap()))
                    });
                    table += &format!("  {found:<10}{:<12}{:<12}{}\n", readings[0], readings[1], readings[2]);
                }
            }
        }
        assert_eq!(table, READINGS);
    }

    #[test]
    fn a_list_that_is_absent_or_empty_lacks_the_element() {
        let append = Change { appended: vec![raw(BO)], ..change(Field::Team, None, &format!("[{BO}]")) };
        for members in ["", r#","team":null"#, r#","team":[]"#] {
            let text = format!(r#"{{"id":"{ID}"{members}}}"#);
            let reading = weigh(&item(None, vec![append.clone()]), &Snapshot::parse(&text).unwrap());
            assert_eq!(reading, Reading::CannotTell, "{text}");
        }
    }
}
