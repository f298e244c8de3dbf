//! The line of one referral in `plan.jsonl`, and the same joined with how its rows stand.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, Value};
use uuid::Uuid;

use crate::domain::account::{ItemAccount, RowStanding};
use crate::domain::finding::Location;
use crate::domain::item::{Change, Effect};
use crate::domain::key::Matched;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::pointer::Pointer;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::subject;

use super::audit::PayloadAudit;
use super::findings::{LocatedFindings, on_one_line};
use super::match_line::MatchLine;
use super::names::InputNames;

/// The plan for one referral.
#[derive(Serialize, JsonSchema)]
pub(super) struct PlanLine<'a> {
    /// The referral.
    id: ReferralId,
    /// The name of the deal; left out where it was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    name: Option<&'a str>,
    /// The customer; left out where it was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    customer: Option<&'a str>,
    /// The key that led from the rows to the referral; left out where rows give its id.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MatchLine<'_>")]
    matched: Option<MatchLine<'a>>,
    /// The rows that ask for it.
    rows: RowPlaces<'a>,
    /// Where it stands in the order of sending, counted from 1; left out where that is the order of the inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    turn: Option<u64>,
    /// The wave that it is sent in, counted from 1; left out where the plan has no waves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    wave: Option<u32>,
    /// The JSON Patch document that is sent.
    #[schemars(with = "Vec<PatchOperation>")]
    operations: Cow<'a, RawValue>,
    /// What the document changes, field by field.
    changes: ChangeList<'a>,
    /// The version that the change is bound to, as the service spells it; null where it is bound to none.
    #[serde(rename = "eTag")]
    etag: Option<&'a ETag>,
    /// What rules say of the change.
    findings: LocatedFindings<'a>,
    /// What it does to the referral.
    effect: Effect,
    /// Whether another change can set the old values again.
    reversible: bool,
    /// Of `migrate`, the audit of the payload; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PayloadAudit<'_>")]
    audit: Option<PayloadAudit<'a>>,
    /// What becomes of its rows, as far as planning tells.
    outcome: Outcome,
    /// Why it is not sent, in a stable word to group by; left out where it is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    code: Option<&'a str>,
    /// The same for people; left out where it is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    message: Option<&'a str>,
    /// How each row stands; not in `plan.jsonl`, which tells nothing that came later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    outcomes: Option<RowOutcomes<'a>>,
}

/// One operation of a JSON Patch document (RFC 6902). The API takes no others.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "documents are written from their raw text; this tells their form")]
struct PatchOperation {
    /// What is done.
    op: PatchOperationKind,
    /// Where.
    path: Pointer,
    /// The new value.
    value: Value,
}

/// What an operation does.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "as with the operation")]
enum PatchOperationKind {
    /// Sets a field that is there.
    Replace,
    /// Sets a field that is not there, or appends to a list.
    Add,
}

impl<'a> PlanLine<'a> {
    /// Returns the line of a referral as it was planned.
    pub(super) fn planned(account: &'a ItemAccount, names: &'a InputNames) -> Self {
        Self::of(account, account.planned.as_ref(), None, names)
    }

    /// Returns the same with the outcome that it has by now, and that of each of its rows.
    pub(super) fn standing(
        account: &'a ItemAccount,
        standings: &'a [RowStanding],
        names: &'a InputNames,
    ) -> Self {
        let verdict = standings.first().map(|row| &row.verdict).or(account.planned.as_ref());
        Self::of(account, verdict, Some(RowOutcomes { standings, names }), names)
    }

    fn of(
        account: &'a ItemAccount,
        verdict: Option<&'a Verdict>,
        outcomes: Option<RowOutcomes<'a>>,
        names: &'a InputNames,
    ) -> Self {
        let item = &account.item;
        let outcome = verdict.map_or(Outcome::Planned, |verdict| verdict.outcome);
        let why = verdict.filter(|_| outcome != Outcome::Planned);
        let [name, customer] = subject::names(account.subject.as_ref());
        Self {
            id: item.id,
            name,
            customer,
            matched: account.matched.first().map(|matched| MatchLine::of(matched, Some(item.id))),
            rows: RowPlaces { rows: &account.rows, keys: &account.matched, names },
            turn: account.turn,
            wave: account.wave,
            operations: on_one_line(&item.patch),
            changes: ChangeList(&item.changes),
            etag: item.etag.as_ref(),
            findings: LocatedFindings { findings: &item.findings, names },
            effect: item.effect,
            reversible: item.effect != Effect::OneWay,
            audit: account.audit.as_ref().map(PayloadAudit::from),
            outcome,
            code: why.map(|verdict| verdict.code.as_str()),
            message: why.map(|verdict| verdict.message.as_str()),
            outcomes,
        }
    }
}

/// The places where the rows of a referral begin.
pub(super) struct RowPlaces<'a> {
    pub(super) rows: &'a [Location],
    /// The keys of the rows, where they name their referral by one; they may give it in two forms.
    pub(super) keys: &'a [Matched],
    pub(super) names: &'a InputNames,
}

/// The place where a row begins.
#[derive(Serialize, JsonSchema)]
struct RowPlace<'a> {
    /// The input, as the user gave it.
    file: &'a str,
    /// The line of it, counted from 1.
    line: u64,
    /// The key by which the row names its referral; left out where it gives the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    key: Option<&'a str>,
}

impl JsonSchema for RowPlaces<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RowPlaces".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Vec<RowPlace<'_>>>::json_schema(generator)
    }
}

impl Serialize for RowPlaces<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.rows.len()))?;
        // A row that was rejected for its key has none on record, and then it can't be told whose the others are.
        let are_all = self.keys.len() == self.rows.len();
        for (at, place) in self.rows.iter().enumerate() {
            let file = self.names.file(*place).map_err(S::Error::custom)?;
            let key = self.keys.get(at).filter(|_| are_all).map(|matched| matched.key.as_str());
            sequence.serialize_element(&RowPlace { file, line: place.line, key })?;
        }
        sequence.end()
    }
}

struct ChangeList<'a>(&'a [Change]);

/// A field, before and after.
#[derive(Serialize, JsonSchema)]
struct BeforeAfter<'a> {
    /// The field.
    #[schemars(with = "Pointer")]
    path: &'a str,
    /// What is there; null where there is nothing, or it was not seen.
    before: Option<Cow<'a, RawValue>>,
    /// What is to be there; of an append, the elements that are added.
    after: Cow<'a, RawValue>,
    /// What the file of `--base` has; null where it has nothing, left out where there is none, or it doesn't show the
    /// field.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Option<Cow<'a, RawValue>>>,
}

impl JsonSchema for ChangeList<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Changes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Vec<BeforeAfter<'_>>>::json_schema(generator)
    }
}

impl Serialize for ChangeList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|change| BeforeAfter {
            path: change.path.pointer().as_str(),
            before: change.before.as_deref().map(on_one_line),
            after: on_one_line(&change.after),
            base: change.base.as_ref().map(|base| base.value.as_deref().map(on_one_line)),
        }))
    }
}

/// How rows stand, with the members that they have in `outcomes.jsonl`.
pub(super) struct RowOutcomes<'a> {
    pub(super) standings: &'a [RowStanding],
    pub(super) names: &'a InputNames,
}

impl Serialize for RowOutcomes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct RowOutcome<'a> {
            file: &'a str,
            line: u64,
            outcome: Outcome,
            code: &'a str,
            message: &'a str,
            status: Option<u16>,
            attempts: usize,
            request_ids: &'a [Uuid],
            first_sent: Option<Timestamp>,
            at: Option<Timestamp>,
        }
        let mut sequence = serializer.serialize_seq(Some(self.standings.len()))?;
        for RowStanding { place, verdict, request_ids, first_sent, at, .. } in self.standings {
            sequence.serialize_element(&RowOutcome {
                file: self.names.file(*place).map_err(S::Error::custom)?,
                line: place.line,
                outcome: verdict.outcome,
                code: &verdict.code,
                message: verdict.message.as_str(),
                status: verdict.status,
                attempts: request_ids.len(),
                request_ids,
                first_sent: *first_sent,
                at: *at,
            })?;
        }
        sequence.end()
    }
}
