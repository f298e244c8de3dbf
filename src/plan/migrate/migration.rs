//! Takes one payload through the migration: compares it, and makes its item.

use super::compare::compare;
use super::diff::{DiffContext, is_within};
use super::difference::{Difference, Leftover, PayloadDiff, Resolution};
use super::notes::Notes;
use super::proof::{self, Remainder};
use super::stale::{self, Stale};
use super::terms::Terms;
use super::{form, target};
use crate::domain::audit::{Audit, Class};
use crate::domain::change::Desired;
use crate::domain::change::Payload;
use crate::domain::fields::Field;
use crate::domain::finding::Finding;
use crate::domain::item::Change;
use crate::domain::json::Object;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::pointer::Pointer;
use crate::domain::rules::{self, Judged, Judgement, Rule};
use crate::domain::snapshot::Snapshot;
use crate::domain::status::Status;
use crate::plan::judging::{Judging, Planned};
use crate::plan::patch::Document;
use crate::plan::proof::prove;

/// A migrated payload.
pub struct Migrated {
    /// Its item, with the audit of the payload.
    pub planned: Planned,
    /// The differences between the payload and the changed referral, each with the rule that explains it. The findings
    /// report them too, except for rules at level `allow`.
    pub left: Vec<Leftover>,
}

/// Makes the item of a payload for the current referral.
///
/// `members` are those of its body, if they were parsed before. `base` is the referral as it was when the payload was
/// made, if the user has it. `number` is the payload's ordinal in the run.
pub fn migrate(
    payload: &Payload,
    members: Option<&Object<'_>>,
    current: &Snapshot<'_>,
    base: Option<&Snapshot<'_>>,
    terms: &Terms,
    judging: &Judging,
    number: u64,
) -> Migrated {
    Migration { payload, members, current, base, terms, judging, number }.run()
}

/// A payload with everything that it is judged by.
pub(super) struct Migration<'a, 'r, 'b> {
    pub payload: &'a Payload,
    /// The members of the payload, if they were parsed before.
    pub members: Option<&'a Object<'a>>,
    pub current: &'a Snapshot<'r>,
    pub base: Option<&'a Snapshot<'b>>,
    pub terms: &'a Terms,
    pub judging: &'a Judging,
    pub number: u64,
}

/// A payload that was compared with its referral.
struct ComparedPayload<'f, 'a> {
    given: &'f Object<'a>,
    found: &'f PayloadDiff<'a>,
    stale: Option<Stale>,
}

impl Migration<'_, '_, '_> {
    /// Compares the payload with the referral, and makes its item.
    pub(super) fn run(&self) -> Migrated {
        // Most payloads of an archive change nothing, so equal texts end the comparison at once. In a referral
        // that was seen in part, though, a null may hide a value.
        let is_plain = self.current.is_whole() || !self.payload.body.contains("null");
        if is_plain && self.payload.id == self.current.id() && *self.payload.body == *self.current.json() {
            return self.unchanged(PayloadDiff::default());
        }
        let given = match form::members(self.payload, self.members, self.current) {
            Ok(given) => given,
            Err(finding) => return self.malformed(vec![finding]),
        };
        let (found, _) = compare(&given, self.current, &[], self.by());
        if !found.problems.is_empty() {
            return self.malformed(found.problems);
        }
        if found.differences.is_empty() {
            return if found.incomplete.holds_back() { self.unseen(&found) } else { self.unchanged(found) };
        }
        let compared =
            ComparedPayload { given: &given, found: &found, stale: Stale::of(self.payload, self.current) };
        let (taken, _) = self.split(&compared, &found);
        // A conflict reports the values of both sides, so a stale payload goes on although nothing of it is sent.
        let is_refused = compared.stale.is_some() && taken.is_empty();
        if found.incomplete.holds_back() && !is_refused {
            return self.unseen(&found);
        }
        let wanted = if is_refused { split(&found, |_| None).0 } else { taken };
        let etag = self.payload.etag.clone().filter(|_| compared.stale.is_none());
        match (target::desired(self.payload, etag, &given, &wanted, &self.judging.inputs), &compared.stale) {
            (Err(findings), _) => self.malformed(findings),
            (Ok(desired), Some(stale)) if is_refused => self.conflict(&compared, stale, &desired),
            (Ok(desired), _) => self.plan(&compared, &desired),
        }
    }

    /// Makes the result of a payload that is no referral, or another one.
    fn malformed(&self, findings: Vec<Finding>) -> Migrated {
        let planned = self.judging.reject(self.number, self.payload.id, findings);
        self.migrated(planned, Class::Invalid, Vec::new(), Vec::new())
    }

    /// Makes the result of a payload that cannot be compared, since not all of the referral was seen.
    fn unseen(&self, found: &PayloadDiff<'_>) -> Migrated {
        let mut planned = self.judging.reject(self.number, self.payload.id, found.incomplete.findings());
        planned.incomplete = found.incomplete.clone();
        self.migrated(planned, Class::NotCompared, Vec::new(), Vec::new())
    }

    /// Makes the result of a payload that changes nothing, whatever version it was made from.
    fn unchanged(&self, found: PayloadDiff<'_>) -> Migrated {
        let PayloadDiff { remarks, incomplete, .. } = found;
        let mut notes = self.notes();
        notes.left(&remarks, &[]);
        notes.list.extend(incomplete.findings());
        let planned = self.settled(self.nothing_differs(), notes.list);
        self.migrated(Planned { incomplete, ..planned }, Class::NoChange, remarks, Vec::new())
    }

    /// Makes the result of a stale payload. It may overwrite another user's change, so nothing of it is sent.
    fn conflict(&self, compared: &ComparedPayload<'_, '_>, stale: &Stale, desired: &Desired) -> Migrated {
        let (_, left) = self.split(compared, compared.found);
        let overwritten = stale.overwritten(&compared.found.differences, self.base);
        let mut notes = self.notes();
        notes.refused(stale, &stale.base_match(self.base), &compared.found.differences, &overwritten);
        notes.overwritten(&overwritten);
        notes.left(&left, &compared.found.differences);
        let Judging { levels, now, .. } = self.judging;
        let Judgement { judged, mut incomplete, .. } =
            rules::judge(desired, Some(self.current), levels, *now);
        incomplete.join(compared.found.incomplete.clone());
        self.mind_closed(&mut notes);
        let verdict = Verdict::new(Outcome::Conflict, stale.rule().id(), stale.message());
        let planned = self.judging.nothing_to_send(self.number, self.payload.id, verdict, notes.list);
        let mut planned = planned.in_conflict(changes(judged), &[]);
        planned.item.etag = self.payload.etag.as_ref().map(|etag| etag.value.clone());
        planned.incomplete = incomplete;
        let class = if self.is_closed() { Class::Closed } else { Class::Stale };
        self.migrated(planned, class, left, stale::pointers(&overwritten))
    }

    /// Makes the result of a payload of which something is to be sent.
    fn plan(&self, compared: &ComparedPayload<'_, '_>, desired: &Desired) -> Migrated {
        let (wanted, left) = self.split(compared, compared.found);
        let mut notes = self.notes();
        let overwritten = match &compared.stale {
            Some(stale) => stale.overwritten(&compared.found.differences, self.base),
            None => Vec::new(),
        };
        if let Some(stale) = &compared.stale {
            notes.taken(stale, &stale.base_match(self.base), &left);
        }
        notes.overwritten(&overwritten);
        notes.left(&left, &compared.found.differences);
        notes.suspects(&wanted);
        let mut planned = self.judging.plan(self.number, desired, Some(self.current), |document, current| {
            self.prove(compared, document, current, &left)
        });
        notes.list.extend(planned.item.findings.iter().cloned());
        notes.list.extend(compared.found.incomplete.findings());
        let mut incomplete = std::mem::take(&mut planned.incomplete);
        incomplete.join(compared.found.incomplete.clone());
        let is_unchanged =
            planned.verdict.as_ref().is_some_and(|verdict| verdict.outcome == Outcome::Unchanged);
        if is_unchanged && !wanted.is_empty() {
            notes.lost(wanted[0]);
        }
        if is_unchanged {
            let message = "nothing of what differs is sent: see the findings";
            planned.verdict = Some(Verdict::new(Outcome::Unchanged, "unchanged", message));
        }
        self.mind_closed(&mut notes);
        let planned = Planned { incomplete, ..self.settled(planned, notes.list) };
        let class = self.class(&planned, compared, wanted.is_empty());
        self.migrated(planned, class, left, stale::pointers(&overwritten))
    }

    /// Applies the document to the referral, and compares the result with the payload.
    fn prove(
        &self,
        compared: &ComparedPayload<'_, '_>,
        document: &Document,
        current: &Snapshot<'_>,
        listed: &[Leftover],
    ) -> Result<(), String> {
        prove(document, current)?;
        let changes = &document.changes;
        proof::invents_nothing(changes, current, compared.given)?;
        let (found, met) = compare(compared.given, current, changes, self.by());
        let (unsent, left) = self.split(compared, &found);
        proof::explain(changes, Remainder { met, unsent, left }, listed)
    }

    /// Splits the differences into those that are wanted and those that are left, with the rules that say so.
    fn split<'f, 'a>(
        &self,
        compared: &ComparedPayload<'_, '_>,
        found: &'f PayloadDiff<'a>,
    ) -> (Vec<&'f Difference<'a>>, Vec<Leftover>) {
        split(found, |difference| {
            let stale = compared.stale.as_ref()?;
            (!self.takes(difference)).then(|| stale.rule())
        })
    }

    /// Whether the user takes this value from a stale payload. Status and substatus are taken together.
    fn takes(&self, difference: &Difference<'_>) -> bool {
        let is_named =
            |pointer: &Pointer| self.terms.take.iter().any(|take| is_within(pointer, take.as_str()));
        match difference.resolution {
            Resolution::Stage => is_named(Field::Status.pointer()) || is_named(Field::Substatus.pointer()),
            _ => is_named(&difference.pointer),
        }
    }

    fn by(&self) -> DiffContext<'_> {
        DiffContext { terms: self.terms, levels: &self.judging.levels, place: self.payload.place }
    }

    fn notes(&self) -> Notes<'_> {
        Notes::new(&self.judging.levels, self.payload.place)
    }

    fn is_closed(&self) -> bool {
        self.current.status() == Ok(Some(Status::Closed))
    }

    /// Adds the finding that the referral is closed, unless there is one: the service may refuse any edit of it, so the
    /// user is told whether or not the payload's is sent.
    fn mind_closed(&self, notes: &mut Notes<'_>) {
        if self.is_closed() && !notes.list.iter().any(|finding| finding.rule == Rule::ClosedEdit) {
            notes.closed();
        }
    }

    /// Gives the item its findings: one that denies keeps it from being sent.
    fn settled(&self, mut planned: Planned, findings: Vec<Finding>) -> Planned {
        if findings.iter().any(Finding::is_deny) {
            let etag = planned.item.etag;
            planned = self.judging.reject(self.number, self.payload.id, findings);
            planned.item.etag = etag;
        } else {
            planned.item.findings = findings;
        }
        planned
    }

    /// Makes the item of a payload that differs in nothing.
    fn nothing_differs(&self) -> Planned {
        let verdict = Verdict::new(Outcome::Unchanged, "unchanged", "the referral is so already");
        let mut planned = self.judging.nothing_to_send(self.number, self.payload.id, verdict, Vec::new());
        planned.item.etag = self.current.etag().cloned();
        planned
    }

    /// Returns the class of a payload that differs; see [`Class`] for the order.
    fn class(&self, planned: &Planned, compared: &ComparedPayload<'_, '_>, wants_nothing: bool) -> Class {
        let is_lost = |difference: &Difference<'_>| {
            matches!(difference.resolution, Resolution::Left(Rule::NotMigratable, _))
        };
        let is_rejected = planned.verdict.as_ref().is_some_and(|verdict| verdict.outcome == Outcome::Invalid);
        if planned.item.findings.iter().any(|finding| finding.rule == Rule::Proof) {
            Class::Invalid
        } else if planned.incomplete.holds_back() {
            Class::NotCompared
        } else if self.is_closed() {
            Class::Closed
        } else if compared.stale.is_some() {
            Class::Stale
        } else if compared.found.differences.iter().any(is_lost) {
            Class::NotExpressible
        } else if is_rejected {
            Class::Invalid
        } else if wants_nothing {
            Class::NoChange
        } else {
            Class::Safe
        }
    }

    /// Adds the audit to a planned item.
    fn migrated(
        &self,
        mut planned: Planned,
        class: Class,
        left: Vec<Leftover>,
        overwritten: Vec<Pointer>,
    ) -> Migrated {
        let is_sent = planned.verdict.is_none();
        let changes = planned.item.changes.iter().filter(|_| is_sent);
        planned.audit = Some(Audit {
            class,
            put_bytes: self.payload.body.len() as u64,
            patch_bytes: if is_sent { planned.item.patch.get().len() as u64 } else { 0 },
            changed: changes.map(|change| change.path.pointer().clone()).collect(),
            overwritten,
        });
        Migrated { planned, left }
    }
}

/// Splits the differences into those that are wanted and those that are left: by their own rule, or by the one that
/// `refused` returns.
fn split<'f, 'a>(
    found: &'f PayloadDiff<'a>,
    refused: impl Fn(&Difference<'a>) -> Option<Rule>,
) -> (Vec<&'f Difference<'a>>, Vec<Leftover>) {
    let (mut wanted, mut left) = (Vec::new(), Vec::new());
    for difference in &found.differences {
        match (&difference.resolution, refused(difference)) {
            (Resolution::Left(rule, parts), _) => {
                left.extend(Leftover::each(*rule, &difference.pointer, parts))
            }
            (_, Some(rule)) => left.push(Leftover::new(rule, &difference.pointer)),
            (_, None) => wanted.push(difference),
        }
    }
    left.extend(found.remarks.iter().cloned());
    (wanted, left)
}

/// Returns the changes of a judgement, whatever its result.
fn changes(judged: Judged) -> Vec<Change> {
    match judged {
        Judged::Approved(approved) => approved.into_changes(),
        Judged::Unchanged => Vec::new(),
        Judged::Rejected(_, changes) => changes,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::domain::fields::Path;
    use crate::domain::finding::Location;
    use crate::domain::rules::Levels;

    const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
    const CURRENT: &str = r#"{"id":"5a1e0001-0000-4000-8000-000000000001","eTag":"\"v1\"","name":"A",
        "salesStage":"Qualify","campaignId":"C1","details":{"notes":"as it is","dealValue":1,"currency":"EUR"},
        "team":[{"email":"ann@example.com","title":"CTO","phoneNumber":"1"}]}"#;
    const BODY: &str = r#"{"name":"B","salesStage":null,"details":{"notes":"as it is","dealValue":2,"currency":"EUR"},
        "team":[{"email":"ann@example.com","phoneNumber":"2"}]}"#;
    const VALUE: (&str, &str) = ("/details/dealValue", "2");
    const TEAM: (&str, &str) = ("/team", r#"[{"email":"ann@example.com","title":"CTO","phoneNumber":"2"}]"#);

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn path(pointer: &str) -> Path {
        serde_json::from_str(&format!("\"{pointer}\"")).unwrap()
    }

    /// A document of these operations that claims to make these changes.
    fn document(operations: &[(&str, &str)], claims: &[(&str, &str)]) -> Document {
        let operation =
            |(path, value): &(&str, &str)| format!(r#"{{"op":"replace","path":"{path}","value":{value}}}"#);
        let operations: Vec<String> = operations.iter().map(operation).collect();
        let change = |(pointer, value): &(&str, &str)| Change {
            path: path(pointer),
            before: None,
            after: raw(value),
            appended: Vec::new(),
            base: None,
            is_whole: false,
        };
        Document {
            patch: raw(&format!("[{}]", operations.join(","))),
            changes: claims.iter().map(change).collect(),
        }
    }

    /// Proves a document as that of the payload above; `list` may forge what is said to be left.
    fn proved(document: &Document, list: fn(&mut Vec<Leftover>)) -> Result<(), String> {
        let place = Location { input: 0, line: 1, column: 1 };
        let id = ID.parse().unwrap();
        let payload = Payload { id, place, etag: None, body: BODY.into() };
        let current = Snapshot::whole(CURRENT).unwrap();
        let terms = Terms::default();
        let judging = Judging {
            levels: Levels::default(),
            now: jiff::Timestamp::UNIX_EPOCH,
            new_id: uuid::Uuid::nil,
            inputs: vec!["archive.jsonl".to_owned()],
        };
        let migration = Migration {
            payload: &payload,
            members: None,
            current: &current,
            base: None,
            terms: &terms,
            judging: &judging,
            number: 1,
        };
        let given = Object::parse(&payload.body).unwrap();
        let (found, _) = compare(&given, &current, &[], migration.by());
        let compared = ComparedPayload { given: &given, found: &found, stale: None };
        let (_, mut left) = migration.split(&compared, &found);
        list(&mut left);
        migration.prove(&compared, document, &current, &left)
    }

    #[test]
    fn the_right_document_is_proved() {
        assert_eq!(proved(&document(&[VALUE, TEAM], &[VALUE, TEAM]), |_| ()), Ok(()));
    }

    #[test]
    fn a_doctored_document_is_caught() {
        let wrong = ("/details/dealValue", "3");
        let digits = ("/details/dealValue", "2.0000000000000000000001");
        let bare = ("/team", r#"[{"email":"ann@example.com","phoneNumber":"2"}]"#);
        let other = ("/team", r#"[{"email":"ann@example.com","title":"CEO","phoneNumber":"2"}]"#);
        let more = (
            "/team",
            r#"[{"email":"ann@example.com","title":"CTO","phoneNumber":"2"},{"email":"bo@example.com"}]"#,
        );
        for (operations, claims, why) in [
            (vec![wrong, TEAM], vec![VALUE, TEAM], "another referral than wanted"),
            (vec![VALUE, TEAM], vec![wrong, TEAM], "another referral than wanted"),
            (vec![VALUE], vec![VALUE, TEAM], "another referral than wanted"),
            (
                vec![VALUE, TEAM, ("/details/notes", "\"x\"")],
                vec![VALUE, TEAM],
                "another referral than wanted",
            ),
            (vec![wrong, TEAM], vec![wrong, TEAM], "/details/dealValue would not be what"),
            (vec![digits, TEAM], vec![digits, TEAM], "/details/dealValue would not be what"),
            (vec![VALUE], vec![VALUE], "/team would not be what"),
            (vec![], vec![], "/details/dealValue would not be what"),
            (
                vec![VALUE, more],
                vec![VALUE, more],
                "it sets /team/email to a value that neither the payload nor the referral has",
            ),
            (vec![VALUE, bare], vec![VALUE, bare], "/team (title of ann@example.com) would not differ"),
            (
                vec![VALUE, TEAM, ("/campaignId", "\"C2\"")],
                vec![VALUE, TEAM, ("/campaignId", "\"C2\"")],
                "it changes /campaignId",
            ),
            (
                vec![VALUE, TEAM, ("/name", "\"B\"")],
                vec![VALUE, TEAM, ("/name", "\"B\"")],
                "it changes /name",
            ),
            (
                vec![VALUE, TEAM, ("/salesStage", "null")],
                vec![VALUE, TEAM, ("/salesStage", "null")],
                "/salesStage would not differ",
            ),
            (
                vec![VALUE, TEAM, ("/details/notes", "\"x\"")],
                vec![VALUE, TEAM, ("/details/notes", "\"x\"")],
                "/details/notes would not be what",
            ),
            (
                vec![VALUE, other],
                vec![VALUE, other],
                "it sets /team/title to a value that neither the payload nor the referral has",
            ),
        ] {
            let told = proved(&document(&operations, &claims), |_| ()).unwrap_err();
            assert!(told.contains(why), "{operations:?}: {told}");
        }
    }

    #[test]
    fn what_no_finding_says_and_what_one_says_wrongly_is_caught() {
        let right = document(&[VALUE, TEAM], &[VALUE, TEAM]);
        let told = proved(&right, |left| left.retain(|left| left.rule != Rule::NotMigratable)).unwrap_err();
        assert_eq!(told, "/name would still differ, and no finding says so");
        let told = proved(&right, |left| left.push(Leftover::new(Rule::OrderOnly, Field::Team.pointer())))
            .unwrap_err();
        assert_eq!(told, "/team would not differ, as a finding says");
    }
}
