//! The line of one referral in `plan.jsonl`, and the same joined with how its rows stand.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::account::{ItemAccount, RowStanding};
use crate::domain::finding::Location;
use crate::domain::item::{Change, Effect};
use crate::domain::key::Matched;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::subject;

use super::audit::PayloadAudit;
use super::findings::{LocatedFindings, on_one_line};
use super::match_line::MatchLine;
use super::names::InputNames;

/// The line of one referral.
#[derive(Serialize)]
pub(super) struct PlanLine<'a> {
    id: ReferralId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a str>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    matched: Option<MatchLine<'a>>,
    rows: RowPlaces<'a>,
    /// Where it stands in an order of sending that is not that of the inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<u64>,
    /// The wave that it is sent in, where the plan has waves.
    #[serde(skip_serializing_if = "Option::is_none")]
    wave: Option<u32>,
    operations: Cow<'a, RawValue>,
    changes: ChangeList<'a>,
    #[serde(rename = "eTag")]
    etag: Option<&'a ETag>,
    findings: LocatedFindings<'a>,
    effect: Effect,
    reversible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<PayloadAudit<'a>>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    /// How each row stands; not in `plan.jsonl`, which tells nothing that came later.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcomes: Option<RowOutcomes<'a>>,
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

impl Serialize for RowPlaces<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct RowPlace<'a> {
            file: &'a str,
            line: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            key: Option<&'a str>,
        }
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

impl Serialize for ChangeList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct BeforeAfter<'a> {
            path: &'a str,
            before: Option<Cow<'a, RawValue>>,
            after: Cow<'a, RawValue>,
            /// Null where the base has nothing; left out where there is none, or it doesn't show the field.
            #[serde(skip_serializing_if = "Option::is_none")]
            base: Option<Option<Cow<'a, RawValue>>>,
        }
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
