//! Compares an item with what an answer or a read shows of its referral. Pure.

use crate::domain::fields::{Field, Path};
use crate::domain::item::{Change, Item, NotTaken};
use crate::domain::referral::ETag;
use crate::domain::snapshot::{Presence, Snapshot};

/// What a successful answer to a PATCH shows of the item.
#[derive(Debug, Clone)]
pub enum AnswerMatch<'i, 's> {
    /// All of it, as it was sent.
    Whole,
    /// All of it; the service keeps these fields in another form.
    Otherwise(Vec<NotTaken<'i, 's>>),
    /// Some of it; these fields are as they were before, or have another value.
    Partly(Vec<NotTaken<'i, 's>>),
    /// Not enough to tell whether it was written.
    Nothing,
    /// None of it, at this version, which is another than the one that was sent. If a read shows the same
    /// version, that is what the service made of the change, and no other user's work.
    NoneOfIt(ETag),
    /// Some of it, at the very version that was sent, although every write moves the version.
    Unmoved,
}

/// Compares an item with the referral in a successful answer to its PATCH. `version` is the eTag of that
/// answer.
///
/// An answer at a version other than the one sent shows the result of the document, whatever other users
/// write meanwhile: a value that is not there was not accepted. A value that is as it was before is not
/// another form of the wanted one; neither is another status or substatus.
pub fn match_answer<'i, 's>(
    item: &'i Item,
    answer: &Snapshot<'s>,
    version: Option<&ETag>,
) -> AnswerMatch<'i, 's> {
    let (sent, carried) = (item.etag.as_ref(), item.is_carried_by(answer));
    if sent.is_some() && sent == version {
        return if item.is_partly_carried_by(answer) { AnswerMatch::Unmoved } else { AnswerMatch::Nothing };
    }
    if carried {
        return AnswerMatch::Whole;
    }
    // Where the answer doesn't show a member, nothing is known of it.
    if !item.is_seen_in(answer) {
        return AnswerMatch::Nothing;
    }
    match (sent, version) {
        (Some(_), Some(_)) if item.is_partly_carried_by(answer) => match_written(item, answer),
        (Some(_), Some(version)) => AnswerMatch::NoneOfIt(version.clone()),
        (None, _) if item.is_partly_shown_by(answer) => AnswerMatch::Partly(item.not_taken(answer)),
        _ => AnswerMatch::Nothing,
    }
}

/// Compares an item with the referral at the version that its own write gave it: returns `Otherwise` where
/// all of the missing fields have another form, `Partly` where some were not written. Of a field that planning
/// had not read nothing tells whether its value is the old one or a new form of what was sent, so it counts as
/// not written.
pub fn match_written<'i, 's>(item: &'i Item, written: &Snapshot<'s>) -> AnswerMatch<'i, 's> {
    let missing = item.not_taken(written);
    let is_stage = |change: &Change| matches!(change.path, Path::Known(Field::Status | Field::Substatus));
    let is_another_form = |one: &NotTaken<'_, '_>| {
        !is_stage(one.change) && item.was_seen(one.change) && !one.change.is_untouched_in(written)
    };
    if missing.iter().all(is_another_form) {
        AnswerMatch::Otherwise(missing)
    } else {
        AnswerMatch::Partly(missing)
    }
}

/// The result of comparing an item in doubt with the referral that was read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciliation {
    /// The referral carries the change.
    Applied,
    /// It carries some of the change, in fields that had other values when it was planned.
    Partial,
    /// It is as it was: the change can be sent again.
    NotApplied,
    /// It carries some of the change at the very version that was sent, although every write moves the
    /// version.
    Contradictory,
    /// It carries none of the change and is not as it was: another user changed it.
    Conflict,
    /// It doesn't carry the change, and nothing tells whether sending it again would overwrite another user's
    /// change, or add an element twice.
    CannotTell,
}

/// Compares an item in doubt with the referral as it is now.
///
/// Where there is an eTag, it decides. If it is the one that was sent, nothing was applied as far as this
/// read shows, and sending again is safe even if the read lags behind or the first request still arrives,
/// since only one of the two can match. Without an eTag only the values can be compared, and only where they
/// were known beforehand. An append that no eTag guards was planned without knowing its list. So a list that
/// lacks the element shows neither that another user changed it nor that the request won't still arrive.
///
/// Where only some of the change is there, either the service accepted only that, or another user has
/// overwritten the rest since, or another user has made the same change in part while ours was lost. The
/// first two are more likely than the last, and in both of them some of the item was written. So the missing
/// fields are reported as such, and not as a conflict, which would say that nothing was written.
pub fn reconcile(item: &Item, now: &Snapshot<'_>) -> Reconciliation {
    if let (Some(sent), Some(current)) = (&item.etag, now.etag())
        && sent == current
    {
        return if item.is_partly_shown_by(now) {
            Reconciliation::Contradictory
        } else {
            Reconciliation::NotApplied
        };
    }
    if item.is_shown_by(now) {
        return Reconciliation::Applied;
    }
    if item.is_partly_shown_by(now) && !item.is_carried_by(now) {
        return Reconciliation::Partial;
    }
    if !item.is_repeatable() {
        return Reconciliation::CannotTell;
    }
    let moved = item.etag.is_some() && now.etag().is_some();
    if moved {
        if item.may_be_partly_in(now) { Reconciliation::CannotTell } else { Reconciliation::Conflict }
    } else if item.is_untouched_in(now) {
        Reconciliation::NotApplied
    } else if item.is_overtaken_in(now) {
        Reconciliation::Conflict
    } else {
        Reconciliation::CannotTell
    }
}

/// What a list page shows of an item that was answered with a yes alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// All of it, at this version.
    Applied(ETag),
    /// The referral as it was before, as far as it is shown: the page may be older than the answer.
    Before,
    /// Not enough, or something else: only a look at the referral alone tells.
    NeedsLook,
}

/// Compares an item that was answered with a yes alone with an element of a list page.
///
/// The element confirms what it shows, by the measure of a look at the referral, and only where it has a version, since
/// the outcome tells that. A `null` on a page shows nothing: a list may leave a member out by it.
pub fn match_listed(item: &Item, listed: &Snapshot<'_>) -> Listed {
    let Some(etag) = listed.etag() else { return Listed::NeedsLook };
    if item.etag.as_ref() == Some(etag) {
        return Listed::Before;
    }
    let shows_value = |change: &Change| matches!(listed.at(&change.path), Presence::Value(_));
    if !item.changes.iter().all(shows_value) {
        return Listed::NeedsLook;
    }
    if reconcile(item, listed) == Reconciliation::Applied {
        return Listed::Applied(etag.clone());
    }
    if item.is_untouched_in(listed) { Listed::Before } else { Listed::NeedsLook }
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
    const CY: &str = r#"{"email":"cy@example.com"}"#;
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
        Change {
            path: Path::Known(field),
            before: before.map(raw),
            after: raw(after),
            appended: Vec::new(),
            base: None,
            is_whole: false,
        }
    }

    /// The results by item and by what is found of it. The columns: the eTag that is read back is the one
    /// that was sent, if any was; it is another one; it is absent.
    const READINGS: &str = "\
set, eTag
  carried   Contradictory Applied       Applied
  untouched NotApplied    Conflict      NotApplied
  resorted  Contradictory Applied       Applied
  half      Contradictory Partial       Partial
  ignored   Contradictory Partial       Partial
  neither   NotApplied    Conflict      Conflict
set, no eTag
  carried   Applied       Applied       Applied
  untouched NotApplied    NotApplied    NotApplied
  resorted  Applied       Applied       Applied
  half      Partial       Partial       Partial
  ignored   Partial       Partial       Partial
  neither   Conflict      Conflict      Conflict
reorder, eTag
  carried   Contradictory Applied       Applied
  untouched NotApplied    Conflict      NotApplied
  neither   NotApplied    Conflict      Conflict
reorder, no eTag
  carried   Applied       Applied       Applied
  untouched NotApplied    NotApplied    NotApplied
  neither   Conflict      Conflict      Conflict
append, eTag
  carried   Contradictory Applied       Applied
  untouched NotApplied    Conflict      NotApplied
  one       Contradictory Partial       Partial
  neither   NotApplied    Conflict      Conflict
append, no eTag, not repeatable
  carried   Applied       Applied       Applied
  lacking   CannotTell    CannotTell    CannotTell
  one       CannotTell    CannotTell    CannotTell
  neither   CannotTell    CannotTell    CannotTell
";

    /// A kind of item, with the states of the referral that reading back may find.
    struct Action {
        name: &'static str,
        changes: Vec<Change>,
        findings: Vec<(&'static str, String)>,
    }

    fn actions() -> [Action; 3] {
        let team = |members: &[&str]| format!(r#""team":[{}]"#, members.join(","));
        let append = |before: Option<&str>, after: &str| Change {
            appended: vec![raw(BO), raw(CY)],
            ..change(Field::Team, before, after)
        };
        [
            Action {
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
                    // The order of members has no meaning, so they carry the change; the rest of it is not
                    // there.
                    ("ignored", format!(r#""salesStage":"Qualify",{}"#, team(&[BO, ANN]))),
                    ("neither", format!(r#""salesStage":"Propose",{}"#, team(&[ANN]))),
                ],
            },
            Action {
                name: "reorder",
                changes: vec![change(Field::Team, Some(&format!("[{ANN},{BO}]")), &format!("[{BO},{ANN}]"))],
                findings: vec![
                    ("carried", team(&[BO, ANN])),
                    ("untouched", team(&[ANN, BO])),
                    ("neither", team(&[ANN])),
                ],
            },
            Action {
                name: "append",
                changes: vec![append(Some(&format!("[{ANN}]")), &format!("[{ANN},{BO},{CY}]"))],
                findings: vec![
                    ("carried", team(&[ANN, BO, CY])),
                    ("untouched", team(&[ANN])),
                    ("one", team(&[ANN, CY])),
                    ("neither", team(&[r#"{"email":"dee@example.com"}"#])),
                ],
            },
        ]
    }

    #[test]
    fn every_reading_has_its_meaning() {
        let mut table = String::new();
        for Action { name, changes, findings } in actions() {
            for sent in [Some("a"), None] {
                // No document appends without an eTag to a list that is known.
                let unseen = name == "append" && sent.is_none();
                let mut changes = changes.clone();
                if unseen {
                    changes[0].before = None;
                    changes[0].after = raw(&format!("[{BO},{CY}]"));
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
                        format!("{:?}", reconcile(&item, &Snapshot::whole(&text).unwrap()))
                    });
                    table += &format!("  {found:<10}{:<14}{:<14}{}\n", readings[0], readings[1], readings[2]);
                }
            }
        }
        assert_eq!(table, READINGS);
    }

    /// What an answer shows, by the versions that were sent and that came with it.
    #[test]
    fn what_an_answer_shows() {
        let changes = || {
            vec![
                change(Field::Notes, Some(r#""x""#), r#""y""#),
                change(Field::StatusReason, None, r#""Budget cut""#),
                change(Field::Status, Some(r#""Active""#), r#""Closed""#),
                change(Field::Substatus, Some(r#""Accepted""#), r#""Lost""#),
            ]
        };
        let closed = r#""status":"Closed","substatus":"Lost""#;
        let all = format!(r#"{closed},"details":{{"notes":"y"}},"statusReason":"Budget cut""#);
        for (members, moved, still, unbound) in [
            (all, "Whole", "Unmoved", "Whole"),
            (
                format!(r#"{closed},"details":{{"notes":"Y"}},"statusReason":"Budget cut""#),
                "Otherwise /details/notes: sent \"y\", kept \"Y\"",
                "Unmoved",
                "Partly /details/notes: sent \"y\", kept \"Y\"",
            ),
            (
                format!(r#"{closed},"details":{{"notes":"y"}},"statusReason":null"#),
                "Partly /statusReason: sent \"Budget cut\", kept nothing",
                "Unmoved",
                "Partly /statusReason: sent \"Budget cut\", kept nothing",
            ),
            (
                format!(r#"{closed},"details":{{"notes":"x"}}"#),
                "Partly /details/notes: sent \"y\", kept \"x\" /statusReason: sent \"Budget cut\", kept nothing",
                "Unmoved",
                "Partly /details/notes: sent \"y\", kept \"x\" /statusReason: sent \"Budget cut\", kept nothing",
            ),
            (
                r#""status":"Closed","substatus":"Expired","details":{"notes":"y"},"statusReason":"Budget cut""#
                    .to_owned(),
                "Partly /substatus: sent \"Lost\", kept \"Expired\"",
                "Unmoved",
                "Partly /substatus: sent \"Lost\", kept \"Expired\"",
            ),
            (
                r#""status":"Active","substatus":"Accepted","details":{"notes":"x"}"#.to_owned(),
                "NoneOfIt",
                "Nothing",
                "Nothing",
            ),
        ] {
            let text = format!(r#"{{"id":"{ID}",{members}}}"#);
            let now = Snapshot::whole(&text).unwrap();
            let etag = |etag: &str| ETag::from_input(etag).unwrap();
            let told = |sent: Option<&str>, version: Option<&str>| {
                let item = item(sent, changes());
                let (name, fields) = match match_answer(&item, &now, version.map(etag).as_ref()) {
                    AnswerMatch::Whole => ("Whole", Vec::new()),
                    AnswerMatch::Nothing => ("Nothing", Vec::new()),
                    AnswerMatch::Unmoved => ("Unmoved", Vec::new()),
                    AnswerMatch::NoneOfIt(version) => {
                        assert_eq!(version, etag("b"));
                        ("NoneOfIt", Vec::new())
                    }
                    AnswerMatch::Otherwise(fields) => ("Otherwise", fields),
                    AnswerMatch::Partly(fields) => ("Partly", fields),
                };
                [name.to_owned()].into_iter().chain(fields.iter().map(ToString::to_string)).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(told(Some("a"), Some("b")), moved, "{members}");
            assert_eq!(told(Some("a"), Some("a")), still, "{members}");
            assert_eq!(told(None, Some("a")), unbound, "{members}");
            let nowhere = if moved == "Whole" { "Whole" } else { "Nothing" };
            assert_eq!(told(Some("a"), None), nowhere, "{members}");
        }
    }

    /// A field that planning had not read may hold its old value just as well.
    #[test]
    fn another_form_is_told_from_the_old_value_by_what_was_seen() {
        let changes =
            || vec![change(Field::SalesStage, None, r#""Propose""#), change(Field::Notes, None, r#""y""#)];
        let text = format!(r#"{{"id":"{ID}","salesStage":"Propose","details":{{"notes":"Y"}}}}"#);
        let now = Snapshot::whole(&text).unwrap();
        let moved = ETag::from_input("b").unwrap();
        for (is_bound, is_otherwise) in [(false, true), (true, false)] {
            let item = Item { is_bound, ..item(Some("a"), changes()) };
            let answer = match_answer(&item, &now, Some(&moved));
            assert_eq!(matches!(answer, AnswerMatch::Otherwise(_)), is_otherwise, "bound: {is_bound}");
            assert_eq!(matches!(answer, AnswerMatch::Partly(_)), !is_otherwise, "bound: {is_bound}");
        }
    }

    #[test]
    fn a_list_that_is_absent_or_empty_lacks_the_element() {
        let append = Change { appended: vec![raw(BO)], ..change(Field::Team, None, &format!("[{BO}]")) };
        for members in ["", r#","team":null"#, r#","team":[]"#] {
            let text = format!(r#"{{"id":"{ID}"{members}}}"#);
            let reconciliation =
                reconcile(&item(None, vec![append.clone()]), &Snapshot::whole(&text).unwrap());
            assert_eq!(reconciliation, Reconciliation::CannotTell, "{text}");
        }
    }

    #[test]
    fn what_a_list_page_confirms() {
        let team = |members: &[&str]| format!(r#""team":[{}]"#, members.join(","));
        let notes = || change(Field::Notes, Some(r#""a""#), r#""b""#);
        let cleared = || change(Field::Notes, Some(r#""a""#), r#""""#);
        let listed = || change(Field::Team, Some(&format!("[{BO}]")), &format!("[{BO},{ANN}]"));
        let applied = |etag: &str| Listed::Applied(ETag::from_input(etag).unwrap());
        for (sent, changes, shown, wanted) in [
            (Some("a"), vec![notes()], r#""eTag":"b","details":{"notes":"b"}"#.to_owned(), applied("b")),
            (None, vec![notes()], r#""eTag":"b","details":{"notes":"b"}"#.to_owned(), applied("b")),
            // Without a version, or with the one that was sent.
            (Some("a"), vec![notes()], r#""details":{"notes":"b"}"#.to_owned(), Listed::NeedsLook),
            (Some("a"), vec![notes()], r#""eTag":"a","details":{"notes":"b"}"#.to_owned(), Listed::Before),
            (Some("a"), vec![notes()], r#""eTag":"a","details":{"notes":"a"}"#.to_owned(), Listed::Before),
            // As it was, at another version: older than the answer, or not taken.
            (Some("a"), vec![notes()], r#""eTag":"b","details":{"notes":"a"}"#.to_owned(), Listed::Before),
            (None, vec![notes()], r#""eTag":"b","details":{"notes":"a"}"#.to_owned(), Listed::Before),
            // Another value, or none that is shown.
            (Some("a"), vec![notes()], r#""eTag":"b","details":{"notes":"c"}"#.to_owned(), Listed::NeedsLook),
            (Some("a"), vec![notes()], r#""eTag":"b","details":{}"#.to_owned(), Listed::NeedsLook),
            (Some("a"), vec![notes()], r#""eTag":"b","details":null"#.to_owned(), Listed::NeedsLook),
            (Some("a"), vec![notes()], r#""eTag":"b""#.to_owned(), Listed::NeedsLook),
            // A null may stand for what is left out.
            (
                Some("a"),
                vec![cleared()],
                r#""eTag":"b","details":{"notes":null}"#.to_owned(),
                Listed::NeedsLook,
            ),
            (Some("a"), vec![cleared()], r#""eTag":"b","details":{"notes":""}"#.to_owned(), applied("b")),
            // All of it, not some.
            (
                Some("a"),
                vec![notes(), listed()],
                format!(r#""eTag":"b","details":{{"notes":"b"}},{}"#, team(&[BO, ANN])),
                applied("b"),
            ),
            (
                Some("a"),
                vec![notes(), listed()],
                format!(r#""eTag":"b","details":{{"notes":"b"}},{}"#, team(&[BO])),
                Listed::NeedsLook,
            ),
            (
                Some("a"),
                vec![notes(), listed()],
                r#""eTag":"b","details":{"notes":"b"},"team":[{"firstName":"Ann"}]"#.to_owned(),
                Listed::NeedsLook,
            ),
        ] {
            let text = format!(r#"{{"id":"{ID}",{shown}}}"#);
            let got = match_listed(&item(sent, changes), &Snapshot::in_part(&text).unwrap());
            assert_eq!(got, wanted, "{sent:?}: {shown}");
        }
    }
}
