//! Verification: whether what a run wrote still stands in the referrals, long after it was written.
//!
//! Only what the run wrote is compared: every field of an item that was applied, and of one that was taken in part
//! the fields that were taken. What a list page doesn't show is neither ours nor changed, and a page may be older than
//! what was written: then a look at the referral alone decides. A value that the service keeps in another form than
//! it was sent in is ours as long as it has that form.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::account::Settled;
use super::equality;
use super::exchange::Failure;
use super::fields::{Kind, Path};
use super::instant::Instant;
use super::item::{Change, Item};
use super::json::{self, Object};
use super::outcome::Outcome;
use super::pointer::Pointer;
use super::referral::ETag;
use super::snapshot::{Presence, Snapshot};
use super::value;

/// How a referral stands by now that a run wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifiedStanding {
    /// Every field that the run wrote has the value that it wrote.
    StillOurs,
    /// A field that the run wrote has another value.
    ChangedSince,
    /// The referral is not there any more, or not visible to this user.
    Gone,
    /// The referral could not be read.
    NotReadable,
}

impl VerifiedStanding {
    /// Every standing, in the order in which reports list them.
    pub const ALL: [Self; 4] = [Self::StillOurs, Self::ChangedSince, Self::Gone, Self::NotReadable];

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::StillOurs => "still-ours",
            Self::ChangedSince => "changed-since",
            Self::Gone => "gone",
            Self::NotReadable => "not-readable",
        }
    }
}

/// A field that no longer has the value that a run wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FieldNow {
    /// The field.
    pub path: Path,
    /// What the run wrote; of an append, the elements that it added.
    pub wrote: Box<RawValue>,
    /// What is there now; `None` where there is nothing.
    pub now: Option<Box<RawValue>>,
}

/// What was found of one referral that a run wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verified {
    /// How it stands.
    pub standing: VerifiedStanding,
    /// The fields that have another value than the run wrote, in the order of the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldNow>,
    /// The version that it has now, where that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<ETag>,
    /// When the service last updated it, in UTC, where that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// What else there is to say, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When it was looked at.
    pub at: Timestamp,
}

impl Verified {
    /// Records that a referral could not be read.
    pub fn unread(failure: &Failure, at: Timestamp) -> Self {
        let (standing, message) = match failure.status() {
            Some(404 | 410) => (
                VerifiedStanding::Gone,
                format!("not there any more, or not visible to this user ({})", failure.message()),
            ),
            _ => (VerifiedStanding::NotReadable, failure.message().to_owned()),
        };
        Self::without_look(standing, message, at)
    }

    /// Records that a referral was not read, for this reason.
    pub fn not_read(message: impl Into<String>, at: Timestamp) -> Self {
        Self::without_look(VerifiedStanding::NotReadable, message.into(), at)
    }

    fn without_look(standing: VerifiedStanding, message: String, at: Timestamp) -> Self {
        Self { standing, fields: Vec::new(), etag: None, updated: None, message, at }
    }
}

/// The number of referrals by how they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(default)]
pub struct StandingCounts {
    /// Those of which every field has the value that the run wrote.
    pub still_ours: u64,
    /// Those of which a field has another value than the run wrote.
    pub changed_since: u64,
    /// Those that are not there any more, or not visible to this user.
    pub gone: u64,
    /// Those that could not be read.
    pub not_readable: u64,
}

impl StandingCounts {
    /// Counts a referral.
    pub fn add(&mut self, standing: VerifiedStanding) {
        *self.count(standing) += 1;
    }

    /// Takes a referral out that was counted.
    pub fn take_out(&mut self, standing: VerifiedStanding) {
        *self.count(standing) -= 1;
    }

    fn count(&mut self, standing: VerifiedStanding) -> &mut u64 {
        match standing {
            VerifiedStanding::StillOurs => &mut self.still_ours,
            VerifiedStanding::ChangedSince => &mut self.changed_since,
            VerifiedStanding::Gone => &mut self.gone,
            VerifiedStanding::NotReadable => &mut self.not_readable,
        }
    }

    /// Returns the number of those that stand so.
    pub fn of(&self, standing: VerifiedStanding) -> u64 {
        match standing {
            VerifiedStanding::StillOurs => self.still_ours,
            VerifiedStanding::ChangedSince => self.changed_since,
            VerifiedStanding::Gone => self.gone,
            VerifiedStanding::NotReadable => self.not_readable,
        }
    }

    /// Returns the number of all that were verified.
    pub fn total(&self) -> u64 {
        VerifiedStanding::ALL.into_iter().map(|standing| self.of(standing)).sum()
    }
}

/// One verification of a run: when it was, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// When it began.
    pub at: Timestamp,
    /// When it ended; `None` while it is under way, and where its process was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// The wave after which it was made, counted from 1; `None` where a user asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u32>,
    /// How the referrals stand.
    pub counts: StandingCounts,
    /// The number of referrals that were to be looked at, and were not.
    #[serde(default)]
    pub left: u64,
    /// The number of referrals that may have been written, of which the run doesn't know: nothing can be compared.
    #[serde(default)]
    pub in_doubt: u64,
    /// The number of GETs of one referral.
    #[serde(default)]
    pub get: u64,
    /// The number of list pages read.
    #[serde(default)]
    pub list: u64,
}

impl Verification {
    /// Whether all that the run wrote was looked at and still stands.
    pub fn is_all_ours(&self) -> bool {
        self.left == 0 && self.in_doubt == 0 && self.counts.still_ours == self.counts.total()
    }
}

/// How closely a referral is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// On a list page, which may leave something out and be older than the last write.
    Page,
    /// By itself. The read may be older than the last write.
    Single,
    /// By itself, as often as it makes sense.
    Last,
}

/// What came of comparing a referral with what was written.
#[derive(Debug)]
pub enum Comparison {
    /// How it stands.
    Told(Box<Verified>),
    /// Nothing yet: a look at the referral alone is needed.
    NeedsSingle,
    /// Nothing yet: what was shown may be older than what was written, so it has to be read again.
    NeedsAnother,
}

/// Compares what was written with what a look shows of its referral.
///
/// A version that is the one on record says that unseen fields are ours, unless what is seen contradicts that: then a
/// page is not believed. Neither is what may be from before the write, however it is read, until the last look.
pub fn compare(item: &Item, settled: &Settled, now: &Snapshot<'_>, look: Look, at: Timestamp) -> Comparison {
    let written: Vec<Ours<'_>> = ours(item, settled);
    let seen: Vec<(&Ours<'_>, SeenNow<'_>)> = written.iter().map(|ours| (ours, ours.seen_in(now))).collect();
    let others: Vec<(&Ours<'_>, Option<&RawValue>)> = seen
        .iter()
        .filter_map(
            |(ours, seen)| if let SeenNow::Other(value) = seen { Some((*ours, *value)) } else { None },
        )
        .collect();
    let is_unseen = seen.iter().any(|(_, seen)| matches!(seen, SeenNow::Unseen));
    let is_same_version = settled.etag.is_some() && settled.etag.as_ref() == now.etag();
    let may_be_older = !others.is_empty() && may_be_older(item, settled, now, &others);
    let told = |message| {
        let standing =
            if others.is_empty() { VerifiedStanding::StillOurs } else { VerifiedStanding::ChangedSince };
        let fields = others.iter().map(|(ours, value)| ours.now(*value)).collect();
        let (etag, updated) = (now.etag().cloned(), updated(now).map(|time| time.to_string()));
        Comparison::Told(Box::new(Verified { standing, fields, etag, updated, message, at }))
    };
    match look {
        Look::Page if others.is_empty() && (!is_unseen || is_same_version) => told(String::new()),
        Look::Page if others.is_empty() || is_unseen || is_same_version || may_be_older => {
            Comparison::NeedsSingle
        }
        Look::Single if may_be_older => Comparison::NeedsAnother,
        Look::Page | Look::Single | Look::Last => {
            told(remarks(&others, written.is_empty(), is_same_version, may_be_older))
        }
    }
}

/// Returns what there is to say of fields that have another value, or of a referral without a field of ours.
fn remarks(
    others: &[(&Ours<'_>, Option<&RawValue>)],
    is_nothing_ours: bool,
    is_same_version: bool,
    may_be_older: bool,
) -> String {
    let forms =
        others.iter().filter(|(ours, _)| ours.is_form_unknown).map(|(ours, _)| ours.change.path.pointer());
    let forms: Vec<&str> = forms.map(Pointer::as_str).collect();
    let mut remarks = Vec::new();
    if is_nothing_ours {
        remarks.push("the service took none of what was sent, so there is nothing to compare".to_owned());
    }
    if may_be_older {
        remarks.push("however often it is read, it is as it was before the run wrote it".to_owned());
    } else if is_same_version && !others.is_empty() {
        remarks.push(
            "its eTag is the one that the run's change gave it, although the value is another".to_owned(),
        );
    }
    if !forms.is_empty() {
        remarks.push(format!(
            "the service kept {} in another form than it was sent in, which this run has not on record: that may be all \
             that differs",
            forms.join(", ")
        ));
    }
    remarks.join("; ")
}

/// A field that was written.
struct Ours<'i> {
    change: &'i Change,
    /// The form in which the service kept it, where that was another than it was sent in.
    kept: Option<Box<RawValue>>,
    /// Whether the service kept a field of the item in another form, of which nothing is on record.
    is_form_unknown: bool,
}

/// What a look shows of a field that was written.
enum SeenNow<'s> {
    /// The value that was written.
    Ours,
    /// Nothing that would tell.
    Unseen,
    /// Another value.
    Other(Option<&'s RawValue>),
}

/// Returns the fields of an item that were written.
fn ours<'i>(item: &'i Item, settled: &Settled) -> Vec<Ours<'i>> {
    let theirs = settled.theirs.as_deref().and_then(Object::from_raw).unwrap_or_default();
    let is_form_unknown = settled.verdict.is_kept_otherwise() && settled.theirs.is_none();
    let of = |change: &'i Change| {
        let kept = theirs.get(change.path.pointer().as_str());
        let is_ours = match settled.verdict.outcome {
            Outcome::Applied => true,
            Outcome::Partial => kept.is_none(),
            Outcome::Unchanged
            | Outcome::Planned
            | Outcome::Conflict
            | Outcome::Invalid
            | Outcome::Refused
            | Outcome::Failed
            | Outcome::Unknown
            | Outcome::Unsent => false,
        };
        is_ours.then(|| Ours { change, kept: kept.map(ToOwned::to_owned), is_form_unknown })
    };
    item.changes.iter().filter_map(of).collect()
}

impl Ours<'_> {
    fn seen_in<'s>(&self, now: &Snapshot<'s>) -> SeenNow<'s> {
        let (path, kind) = (&self.change.path, self.change.path.kind());
        let presence = now.at(path);
        let Ok(value) = presence.known() else { return SeenNow::Unseen };
        let is_kept_form = self.kept.as_deref().is_some_and(|kept| equality::carries(kind, value, kept));
        if is_kept_form || self.change.is_carried_by(now) {
            return SeenNow::Ours;
        }
        // A part may leave members out by showing them as null, and members of elements.
        let tells = now.is_whole() || kind.is_scalar() && matches!(presence, Presence::Value(_));
        if tells { SeenNow::Other(value) } else { SeenNow::Unseen }
    }

    /// Returns the field with the value that it has instead of ours.
    fn now(&self, value: Option<&RawValue>) -> FieldNow {
        let wrote = match self.change.appended.as_slice() {
            [] => self.change.after.clone(),
            appended => json::raw(appended),
        };
        FieldNow { path: self.change.path.clone(), wrote, now: value.map(ToOwned::to_owned) }
    }
}

/// Whether what is shown may be from before the write: it has the version that the change was bound to, or no other
/// values than those from before, and nothing shows that it is newer.
fn may_be_older(
    item: &Item,
    settled: &Settled,
    now: &Snapshot<'_>,
    others: &[(&Ours<'_>, Option<&RawValue>)],
) -> bool {
    if now.etag().is_some() && now.etag() == item.etag.as_ref() && item.etag != settled.etag {
        return true;
    }
    let is_as_before =
        |(ours, _): &(&Ours<'_>, _)| item.was_seen(ours.change) && ours.change.is_untouched_in(now);
    // A change that was made anew for a newer version may have been planned from a version that isn't known here.
    let is_known_as_newer = now.etag().is_some() && item.etag.is_some() && settled.verdict.code == "applied";
    others.iter().all(is_as_before) && !is_known_as_newer && !is_updated_after(now, settled.at)
}

/// Returns when the service last updated a referral, where a look shows that.
fn updated(now: &Snapshot<'_>) -> Option<Instant> {
    let pointer = Pointer::parse("/updatedDateTime").ok()?;
    now.find(&pointer, Kind::DateTime).known().ok().flatten().and_then(value::as_instant)
}

fn is_updated_after(now: &Snapshot<'_>, at: Timestamp) -> bool {
    Instant::parse(&at.to_string()).is_some_and(|at| updated(now).is_some_and(|updated| updated > at))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::exchange::Refusal;
    use crate::domain::fields::Field;
    use crate::domain::item::Effect;
    use crate::domain::outcome::Verdict;

    const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
    const ANN: &str = r#"{"email":"ann@example.com","title":"Lead"}"#;
    const BO: &str = r#"{"email":"bo@example.com"}"#;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn etag(text: &str) -> ETag {
        ETag::from_input(text).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn change(field: Field, before: Option<&str>, after: &str, appended: &[&str]) -> Change {
        Change {
            path: Path::Known(field),
            before: before.map(raw),
            after: raw(after),
            appended: appended.iter().map(|element| raw(element)).collect(),
            base: None,
            is_whole: false,
        }
    }

    /// Notes from `x` to `y`, a deal value where there was none, and Ann appended to a team of Bo.
    fn item(etag_sent: Option<&str>) -> Item {
        Item {
            number: 1,
            id: ID.parse().unwrap(),
            etag: etag_sent.map(etag),
            is_bound: false,
            request_id: Uuid::nil(),
            patch: json::raw::<[u8]>(&[]),
            changes: vec![
                change(Field::Notes, Some(r#""x""#), r#""y""#, &[]),
                change(Field::DealValue, None, "10.50", &[]),
                change(Field::Team, Some(&format!("[{BO}]")), &format!("[{BO},{ANN}]"), &[ANN]),
            ],
            effect: Effect::Reversible,
            findings: Vec::new(),
        }
    }

    fn settled(verdict: Verdict, version: Option<&str>, theirs: Option<&str>) -> Settled {
        Settled { verdict, etag: version.map(etag), theirs: theirs.map(raw), at: at(0) }
    }

    fn applied() -> Settled {
        settled(Verdict::new(Outcome::Applied, "applied", ""), Some("v2"), None)
    }

    fn word(item: &Item, settled: &Settled, members: &str, look: Look) -> String {
        let text = format!(r#"{{"id":"{ID}"{members}}}"#);
        let now = match look {
            Look::Page => Snapshot::in_part(&text),
            Look::Single | Look::Last => Snapshot::whole(&text),
        };
        match compare(item, settled, &now.unwrap(), look, at(9)) {
            Comparison::NeedsSingle => "single".to_owned(),
            Comparison::NeedsAnother => "another".to_owned(),
            Comparison::Told(told) => {
                let value = |now: &Option<Box<RawValue>>| {
                    now.as_ref().map_or("nothing".to_owned(), |now| now.get().to_owned())
                };
                let fields = told.fields.iter().map(|field| format!(" {}={}", field.path, value(&field.now)));
                format!("{}{}", told.standing.name(), fields.collect::<String>())
            }
        }
    }

    #[test]
    fn what_a_look_says_of_what_was_written() {
        let team = |members: &str| format!(r#","team":[{members}]"#);
        let both = team(&format!("{BO},{ANN}"));
        let details =
            |notes: &str, value: &str| format!(r#","details":{{"notes":{notes},"dealValue":{value}}}"#);
        let ours = details(r#""y""#, "10.5") + &both;
        let other = details(r#""z""#, "10.5") + &both;
        let before = details(r#""x""#, "null") + &team(BO);
        let (v1, v2, v3) = (r#","eTag":"v1""#, r#","eTag":"v2""#, r#","eTag":"v3""#);
        let later = r#","eTag":"v3","updatedDateTime":"2027-01-15T08:00:05Z""#;
        let changed = r#"changed-since /details/notes="z""#;
        let reverted = r#"changed-since /details/notes="x" /details/dealValue=nothing /team=[{"email":"bo@example.com"}]"#;
        for (members, page, single, last) in [
            // All of it is there, whatever the version.
            (ours.clone() + v2, "still-ours", "still-ours", "still-ours"),
            (ours.clone() + v3, "still-ours", "still-ours", "still-ours"),
            (ours.clone(), "still-ours", "still-ours", "still-ours"),
            // Another value, at another version, at the one on record, at the one from before, and at none.
            (other.clone() + v3, changed, changed, changed),
            (other.clone() + v2, "single", changed, changed),
            (other.clone() + v1, "single", "another", changed),
            (other.clone(), changed, changed, changed),
            // As it was before: a page shows neither a null nor the elements of a list for sure.
            (before.clone() + v3, "single", reverted, reverted),
            (before.clone() + v1, "single", "another", reverted),
            (before.clone(), "single", "another", reverted),
            (before + later, "single", reverted, reverted),
            // What a page doesn't show is ours where the version is, and else unknown.
            (v2.to_owned(), "still-ours", reverted_of_nothing(), reverted_of_nothing()),
            (v3.to_owned(), "single", reverted_of_nothing(), reverted_of_nothing()),
            (
                details(r#""y""#, "10.5") + v3,
                "single",
                "changed-since /team=nothing",
                "changed-since /team=nothing",
            ),
            (
                details(r#""z""#, "10.5") + v3,
                "single",
                "changed-since /details/notes=\"z\" /team=nothing",
                "changed-since /details/notes=\"z\" /team=nothing",
            ),
            // An element of a page that lacks a member.
            (
                details(r#""y""#, "10.5") + &team(r#"{"email":"ann@example.com"}"#) + v3,
                "single",
                r#"changed-since /team=[{"email":"ann@example.com"}]"#,
                r#"changed-since /team=[{"email":"ann@example.com"}]"#,
            ),
            (
                details(r#""y""#, "10.5") + &team(r#"{"email":"ann@example.com"}"#) + v2,
                "still-ours",
                r#"changed-since /team=[{"email":"ann@example.com"}]"#,
                r#"changed-since /team=[{"email":"ann@example.com"}]"#,
            ),
            // Others may add members to the list.
            (
                details(r#""y""#, "1.05e1") + &team(&format!(r#"{ANN},{{"email":"cy@example.com"}}"#)) + v3,
                "still-ours",
                "still-ours",
                "still-ours",
            ),
        ] {
            let words = [Look::Page, Look::Single, Look::Last]
                .map(|look| word(&item(Some("v1")), &applied(), &members, look));
            assert_eq!(words, [page, single, last], "{members}");
        }
    }

    /// What a whole referral without any of the fields says.
    fn reverted_of_nothing() -> &'static str {
        "changed-since /details/notes=nothing /details/dealValue=nothing /team=nothing"
    }

    #[test]
    fn only_what_was_taken_is_ours() {
        let partial =
            |theirs| settled(Verdict::new(Outcome::Partial, "partly-taken", ""), Some("v2"), Some(theirs));
        let otherwise = |theirs| settled(Verdict::kept_otherwise("kept"), Some("v2"), theirs);
        let all = format!(r#","eTag":"v3","details":{{"notes":"Y","dealValue":10.5}},"team":[{ANN}]"#);
        let none = r#"{"/details/notes":"x","/details/dealValue":null,"/team":[]}"#;
        for (settled, wanted, message) in [
            (applied(), "changed-since /details/notes=\"Y\"", ""),
            (partial(r#"{"/details/notes":"x"}"#), "still-ours", ""),
            (partial(r#"{"/details/dealValue":null}"#), "changed-since /details/notes=\"Y\"", ""),
            (partial(none), "still-ours", "the service took none of what was sent"),
            (otherwise(Some(r#"{"/details/notes":"Y"}"#)), "still-ours", ""),
            (otherwise(Some(r#"{"/details/notes":"YY"}"#)), "changed-since /details/notes=\"Y\"", ""),
            (
                otherwise(None),
                "changed-since /details/notes=\"Y\"",
                "the service kept /details/notes in another form",
            ),
        ] {
            for look in [Look::Page, Look::Last] {
                assert_eq!(word(&item(Some("v1")), &settled, &all, look), wanted, "{settled:?}");
            }
            let text = format!(r#"{{"id":"{ID}"{all}}}"#);
            let now = Snapshot::whole(&text).unwrap();
            let Comparison::Told(told) = compare(&item(Some("v1")), &settled, &now, Look::Last, at(9)) else {
                panic!("the last look tells")
            };
            assert!(told.message.starts_with(message), "{}", told.message);
            assert_eq!(told.message.is_empty(), message.is_empty(), "{}", told.message);
        }
    }

    /// Nothing says which versions a change was bound to before it was made anew.
    #[test]
    fn a_change_that_was_made_anew_may_be_older_at_any_version() {
        let members = format!(r#","eTag":"v0","details":{{"notes":"x","dealValue":null}},"team":[{BO}]"#);
        let rebased = settled(Verdict::new(Outcome::Applied, "rebased", ""), Some("v2"), None);
        assert_eq!(word(&item(Some("v1")), &rebased, &members, Look::Single), "another");
        let later = members + r#","updatedDateTime":"2027-01-15T08:00:05Z""#;
        assert!(word(&item(Some("v1")), &rebased, &later, Look::Single).starts_with("changed-since"));
    }

    #[test]
    fn what_cannot_be_read_has_its_standing() {
        let refused = |status| {
            Failure::Answered(Refusal {
                status,
                code: None,
                codes: Vec::new(),
                message: "no".to_owned(),
                retry_after: None,
            })
        };
        for (failure, standing) in [
            (refused(404), VerifiedStanding::Gone),
            (refused(410), VerifiedStanding::Gone),
            (refused(403), VerifiedStanding::NotReadable),
            (refused(400), VerifiedStanding::NotReadable),
            (refused(500), VerifiedStanding::NotReadable),
            (Failure::NoAnswer { message: "cut off".to_owned() }, VerifiedStanding::NotReadable),
        ] {
            let verified = Verified::unread(&failure, at(9));
            assert_eq!(verified.standing, standing, "{failure:?}");
            assert!(verified.message.contains(failure.message()));
        }
    }

    #[test]
    fn what_is_on_record_comes_back() {
        let verified = Verified {
            standing: VerifiedStanding::ChangedSince,
            fields: vec![FieldNow { path: Path::Known(Field::Notes), wrote: raw(r#""y""#), now: None }],
            etag: Some(etag("v3")),
            updated: Some("2027-01-15T08:00:05Z".to_owned()),
            message: String::new(),
            at: at(9),
        };
        let text = serde_json::to_string(&verified).unwrap();
        let wanted = concat!(
            r#"{"standing":"changed-since","fields":[{"path":"/details/notes","wrote":"y","now":null}],"#,
            r#""etag":"\"v3\"","updated":"2027-01-15T08:00:05Z","at":"2027-01-15T08:00:09Z"}"#
        );
        assert_eq!(text, wanted);
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Verified>(&text).unwrap()).unwrap(), wanted);
    }

    #[test]
    fn counts_add_up() {
        let mut counts = StandingCounts::default();
        VerifiedStanding::ALL.into_iter().for_each(|standing| counts.add(standing));
        assert_eq!(VerifiedStanding::ALL.map(|standing| counts.of(standing)), [1, 1, 1, 1]);
        assert_eq!(counts.total(), 4);
        counts.take_out(VerifiedStanding::Gone);
        assert_eq!((counts.gone, counts.total()), (0, 3));
    }
}
