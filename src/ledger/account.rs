//! Turns the records of a row, or of an item, into what reports show of it. Pure.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::model::RunHeader;
use super::outstanding::last;
use super::verdict::{self, Resolved};
use crate::domain::account::{FullRow, ItemAccount, ItemChange, RowAccount, RowRecord};
use crate::domain::attempt::{AttemptResult, Try};
use crate::domain::audit::Audit;
use crate::domain::finding::{Finding, Location};
use crate::domain::item::{Change, Effect, Item};
use crate::domain::json;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::subject::Subject;

/// The records of a row.
#[derive(Debug)]
pub(super) struct RowFacts {
    /// The row as it was read and judged.
    pub(super) record: RowRecord,
    /// The item that the row belongs to, where one was made.
    pub(super) item: Option<ItemFacts>,
    /// The attempts at that item.
    pub(super) attempts: Attempts,
}

/// The records of a row's item.
#[derive(Debug, Default)]
pub(super) struct ItemFacts {
    pub(super) findings: Vec<Finding>,
    /// The place where the item's first row begins, if that is on record.
    pub(super) first: Option<Location>,
    pub(super) audit: Option<Audit>,
    pub(super) subject: Option<Subject>,
    /// The item's outcome, if it has one.
    pub(super) resolved: Option<Resolved>,
    /// The item's changes; needed only where it came out as a conflict, and where rows are told in full.
    pub(super) changes: Option<Vec<Change>>,
}

/// The attempts at an item, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts {
    tries: Vec<Try>,
    latest: Option<(i64, Option<AttemptResult>)>,
}

impl Attempts {
    /// Adds the next attempt.
    pub(super) fn add(&mut self, number: i64, made: Try, result: Option<AttemptResult>) {
        self.tries.push(made);
        self.latest = Some((number, result));
    }
}

/// Returns all that reports say of a row, with what its item is to change.
pub(super) fn full_row(mut facts: RowFacts, effect: Option<Effect>, header: &RunHeader) -> FullRow {
    let tries = facts.attempts.tries.clone();
    let changes = facts.item.as_mut().and_then(|item| match &item.resolved {
        // The row tells both sides of a conflict.
        Some(resolved) if resolved.settled.verdict.outcome == Outcome::Conflict => item.changes.clone(),
        Some(_) | None => item.changes.take(),
    });
    let change = changes.zip(effect).map(|(changes, effect)| ItemChange { changes, effect });
    FullRow { account: row(facts, header), change, tries }
}

/// What an item has that its first row, told in full, doesn't tell.
#[derive(Debug)]
pub(super) struct ItemRest {
    pub(super) id: ReferralId,
    pub(super) etag: Option<ETag>,
    pub(super) is_bound: bool,
    pub(super) request_id: Uuid,
    pub(super) patch: Box<RawValue>,
    /// The findings about the item, and those about the row alone.
    pub(super) findings: [Vec<Finding>; 2],
    /// The verdict of planning where nothing is to be sent.
    pub(super) planned: Option<Verdict>,
    pub(super) turn: Option<u64>,
}

/// Returns the account of an item with its first row, once that was told; `None` where the row tells of no item.
pub(super) fn item_of(first: FullRow, rest: ItemRest, header: &RunHeader) -> Option<ItemAccount> {
    let FullRow { account: row, change, .. } = first;
    let (number, ItemChange { changes, effect }) = row.item.zip(change)?;
    let ItemRest { id, etag, is_bound, request_id, patch, findings: [findings, own], planned, turn } = rest;
    let mut account = ItemAccount {
        item: Item { number, id, etag, is_bound, request_id, patch, changes, effect, findings },
        rows: Vec::new(),
        planned,
        audit: row.audit,
        subject: row.subject,
        matched: row.matched.into_iter().collect(),
        turn,
        wave: wave(header, turn),
    };
    add_row(&mut account, row.place, own);
    Some(account)
}

/// Returns what reports say of a row.
pub(super) fn row(facts: RowFacts, header: &RunHeader) -> RowAccount {
    let RowFacts { record, item, attempts } = facts;
    let RowRecord { row, place, id, text, item: number, verdict: own, findings, matched } = record;
    let is_audited = header.spec.asked.migrating.is_some();
    let no_item =
        || ItemFacts { audit: is_audited.then(|| verdict::audit(own.is_some())), ..ItemFacts::default() };
    let ItemFacts { findings: about_item, first, audit, subject, resolved, changes } =
        item.unwrap_or_else(no_item);
    let last = last(attempts.latest, header.lost_after());
    let verdict = verdict::verdict(own, resolved.as_ref(), &about_item, place, header.phase, last);
    let findings = verdict::findings(findings, about_item, place, first);
    let changes = changes.filter(|_| verdict.outcome == Outcome::Conflict);
    let is_told = changes.is_some() || verdict.outcome == Outcome::Partial;
    let side =
        |side: fn(&Change) -> Option<&RawValue>| changes.as_ref().map(|changes| by_pointer(changes, side));
    // What planning found in conflict was never planned from.
    let base = match &resolved {
        Some(Resolved { planned: true, .. }) => side(|change| change.base.as_ref()?.value.as_deref()),
        Some(_) | None => side(|change| change.before.as_deref()),
    };
    let ours = side(|change| Some(&change.after));
    let (etag, theirs, at) = match resolved {
        Some(Resolved { settled, .. }) => {
            (settled.etag, settled.theirs.filter(|_| is_told), Some(settled.at))
        }
        None => (None, None, None),
    };
    RowAccount {
        row,
        item: number,
        place,
        id,
        text,
        verdict,
        findings,
        etag,
        attempts: u32::try_from(attempts.tries.len()).unwrap_or(u32::MAX),
        request_ids: attempts.tries.iter().map(|made| made.client_request_id).collect(),
        first_sent: attempts.tries.first().map(|made| made.at),
        at,
        base,
        ours,
        theirs,
        audit,
        subject,
        matched,
    }
}

/// Returns the number of the wave that an item with this place in the order of sending is in.
pub(super) fn wave(header: &RunHeader, turn: Option<u64>) -> Option<u32> {
    Some(header.spec.waves.as_ref()?.number_of(turn?))
}

/// Adds a row to the account of its item: the place where it begins, and the findings about the row itself.
pub(super) fn add_row(account: &mut ItemAccount, place: Location, own: Vec<Finding>) {
    account.rows.push(place);
    for finding in own {
        if !account.item.findings.contains(&finding) {
            account.item.findings.push(finding);
        }
    }
}

/// Returns one side of a conflict: an object of values by pointer, null where the field was absent.
fn by_pointer(changes: &[Change], side: fn(&Change) -> Option<&RawValue>) -> Box<RawValue> {
    let object: BTreeMap<_, _> = changes.iter().map(|change| (change.path.pointer(), side(change))).collect();
    json::raw(&object)
}
