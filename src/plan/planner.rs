//! The planner: keeps what is wanted of each referral until its state is known, then makes its item.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::merge;
use super::patch::{self, Document};
use super::proof;
use crate::domain::change::{Draft, Rejected, Wish};
use crate::domain::finding::{Finding, Place};
use crate::domain::item::{Change, Effect, Item};
use crate::domain::json;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ReferralId, Snapshot};
use crate::domain::rules::{self, Approved, Judged, Levels, Rule};

/// What a plan is judged by.
pub struct Judging {
    /// The level of every rule.
    pub levels: Levels,
    /// The time that rules about dates compare with.
    pub now: Timestamp,
    /// Makes the GUIDs by which the service can tell a repeated change.
    pub new_id: fn() -> Uuid,
    /// The names of the run's inputs.
    pub inputs: Vec<String>,
}

/// All rows for one referral, waiting for its state.
struct Group {
    number: u64,
    rows: Vec<Place>,
    drafts: Vec<Draft>,
    rejected: Vec<Place>,
}

/// An item as planned.
pub struct Planned {
    /// The item; its document is `[]` where nothing is to be sent.
    pub item: Item,
    /// Why nothing is to be sent; `None` where the document is.
    pub verdict: Option<Verdict>,
    /// On a conflict, the values that were found, an object by pointer.
    pub theirs: Option<Box<RawValue>>,
}

/// Collects rows by referral.
pub struct Planner {
    judging: Judging,
    groups: HashMap<ReferralId, Group>,
}

impl Planner {
    /// A planner that has seen no row yet.
    pub fn new(judging: Judging) -> Self {
        Self { judging, groups: HashMap::new() }
    }

    /// Takes a row; `row` is its ordinal in the run. Answers the number of the item it belongs to.
    pub fn add(&mut self, row: u64, draft: Draft) -> u64 {
        let group = self.group(draft.id, row);
        group.rows.push(draft.place);
        group.drafts.push(draft);
        group.number
    }

    /// Takes a row that is no change, but names a referral: nothing is sent for that referral. What
    /// could be read of the row is judged with the others, so that one pass finds everything.
    pub fn add_rejected(&mut self, row: u64, rejected: Rejected) -> Option<u64> {
        let group = self.group(rejected.id?, row);
        group.rows.push(rejected.place);
        group.rejected.push(rejected.place);
        group.drafts.extend(rejected.partial.map(|draft| *draft));
        Some(group.number)
    }

    fn group(&mut self, id: ReferralId, row: u64) -> &mut Group {
        self.groups.entry(id).or_insert_with(|| Group {
            number: row,
            rows: Vec::new(),
            drafts: Vec::new(),
            rejected: Vec::new(),
        })
    }

    /// Items that can be decided without looking at their referral, ordered by their first row: their
    /// rows contradict each other, or say nothing. They are taken out.
    pub fn decided(&mut self) -> Vec<Planned> {
        let mut decided: Vec<(u64, ReferralId, Vec<Finding>)> = self
            .groups
            .iter()
            .filter_map(|(id, group)| {
                let silent = group.drafts.is_empty().then(Vec::new);
                let findings = merge::merge(*id, &group.drafts, &self.judging.inputs).err().or(silent)?;
                Some((group.number, *id, findings))
            })
            .collect();
        decided.sort_unstable_by_key(|(number, ..)| *number);
        decided.into_iter().filter_map(|(_, id, findings)| self.reject(id, findings)).collect()
    }

    /// The referrals that must be looked at, ordered by their first row.
    pub fn wanted(&self) -> Vec<ReferralId> {
        let mut wanted: Vec<(u64, ReferralId)> =
            self.groups.iter().map(|(id, group)| (group.number, *id)).collect();
        wanted.sort_unstable();
        wanted.into_iter().map(|(_, id)| id).collect()
    }

    /// How many referrals must still be looked at.
    pub fn remaining(&self) -> usize {
        self.groups.len()
    }

    /// Whether a referral is among those that must be looked at.
    pub fn wants(&self, id: ReferralId) -> bool {
        self.groups.contains_key(&id)
    }

    /// Makes the item of a referral from its state, `None` where nobody is to look. It is taken out
    /// unless `keep` says that this state is not the last word.
    pub fn plan(
        &mut self,
        id: ReferralId,
        current: Option<&Snapshot<'_>>,
        keep: impl FnOnce(&Planned) -> bool,
    ) -> Option<Planned> {
        let group = self.groups.get(&id)?;
        let wish = match merge::merge(id, &group.drafts, &self.judging.inputs) {
            Ok(wish) => wish,
            Err(findings) => return self.reject(id, findings),
        };
        let planned = self.judge(group, &wish, current);
        if !group.rejected.is_empty() {
            // A warning could follow from the very cell that is bad; what denies stands by itself.
            let denied = planned.item.findings.into_iter().filter(Finding::is_deny).collect();
            return self.reject(id, denied);
        }
        if !keep(&planned) {
            self.groups.remove(&id);
        }
        Some(planned)
    }

    /// Makes the item of a referral that could not be looked at.
    pub fn absent(&mut self, id: ReferralId, verdict: Verdict) -> Option<Planned> {
        let group = self.groups.remove(&id)?;
        Some(self.nothing_to_send(id, &group, verdict, Vec::new()))
    }

    /// Makes the item of a referral that a snapshot file doesn't hold. `engagement_of` is a
    /// referral whose engagement has this id, where there is one.
    pub fn not_in_snapshot(&mut self, id: ReferralId, engagement_of: Option<ReferralId>) -> Option<Planned> {
        let place = self.groups.get(&id)?.rows.first().copied()?;
        let message = format!("the snapshot holds no referral {id}");
        let hint = match engagement_of {
            Some(referral) => {
                format!("this is the engagementId of referral {referral}: give the referral's own id")
            }
            None => "export the referrals anew, or plan against the API".to_owned(),
        };
        let finding = Finding::deny(Rule::UnknownReferral, place, message).hint(hint);
        self.reject(id, vec![finding])
    }

    /// Takes a group out as invalid. Rows that nothing is wrong with are held: each gets a finding
    /// that names a row that is.
    fn reject(&mut self, id: ReferralId, mut findings: Vec<Finding>) -> Option<Planned> {
        let group = self.groups.remove(&id)?;
        let same_row = |one: Place, other: Place| (one.input, one.line) == (other.input, other.line);
        let culprit =
            findings.first().map(|finding| finding.place).or_else(|| group.rejected.first().copied());
        let whole = findings.iter().any(|finding| finding.rule == Rule::UnknownReferral);
        for row in group.rows.iter().filter(|_| !whole) {
            let has_own = findings.iter().any(|finding| finding.is_deny() && same_row(finding.place, *row))
                || group.rejected.iter().any(|place| same_row(*place, *row));
            if let (false, Some(culprit)) = (has_own, culprit) {
                let message = format!("another row for this referral is invalid: {}", self.line(culprit));
                let finding = Finding::deny(Rule::Held, *row, message);
                findings
                    .push(finding.hint("a referral is changed as a whole or not at all: correct that row"));
            }
        }
        let verdict = Verdict::invalid(&findings);
        Some(self.nothing_to_send(id, &group, verdict, findings))
    }

    fn line(&self, place: Place) -> String {
        let name = self.judging.inputs.get(place.input as usize).map_or("input", String::as_str);
        format!("{name}:{}", place.line)
    }

    fn judge(&self, group: &Group, wish: &Wish, current: Option<&Snapshot<'_>>) -> Planned {
        let (judged, findings) = rules::judge(wish, current, &self.judging.levels, self.judging.now);
        match judged {
            Judged::Unchanged => {
                let verdict = Verdict::new(Outcome::Unchanged, "unchanged", "the referral is so already");
                let mut planned = self.nothing_to_send(wish.id, group, verdict, findings);
                planned.item.effect = Effect::Unchanged;
                planned.item.etag = current.and_then(Snapshot::etag).cloned();
                planned
            }
            Judged::Rejected(verdict, changes) => {
                let theirs = (verdict.outcome == Outcome::Conflict).then(|| found(&changes));
                let mut planned = self.nothing_to_send(wish.id, group, verdict, findings);
                planned.item.etag = wish.etag.as_ref().map(|etag| etag.value.clone());
                if theirs.is_some() {
                    // The row was bound to another version, whose values nobody here has seen.
                    planned.item.changes =
                        changes.into_iter().map(|change| Change { before: None, ..change }).collect();
                }
                planned.theirs = theirs;
                planned
            }
            Judged::Approved(approved) => self.approved(group, wish, &approved, current, findings),
        }
    }

    fn approved(
        &self,
        group: &Group,
        wish: &Wish,
        approved: &Approved,
        current: Option<&Snapshot<'_>>,
        mut findings: Vec<Finding>,
    ) -> Planned {
        let document = patch::document(approved, current);
        let proved = current.map_or(Ok(()), |current| proof::prove(&document, current));
        if let Err(why) = proved {
            let finding =
                Finding::deny(Rule::Proof, wish.place, format!("the document does not hold: {why}"))
                    .hint("nothing was sent; please report this row and its referral as a defect");
            findings.push(finding);
            let verdict = Verdict::invalid(&findings);
            return self.nothing_to_send(approved.id(), group, verdict, findings);
        }
        let Document { patch, changes } = document;
        let effect = if approved.closes() { Effect::OneWay } else { Effect::Reversible };
        let item = Item {
            number: group.number,
            id: approved.id(),
            etag: approved.etag().cloned(),
            request_id: (self.judging.new_id)(),
            patch,
            changes,
            effect,
            findings,
        };
        Planned { item, verdict: None, theirs: None }
    }

    fn nothing_to_send(
        &self,
        id: ReferralId,
        group: &Group,
        verdict: Verdict,
        findings: Vec<Finding>,
    ) -> Planned {
        let item = Item {
            number: group.number,
            id,
            etag: None,
            request_id: (self.judging.new_id)(),
            patch: json::raw::<[u8]>(&[]),
            changes: Vec::new(),
            effect: Effect::Unchanged,
            findings,
        };
        Planned { item, verdict: Some(verdict), theirs: None }
    }
}

/// The values that were found where a change was wanted, by pointer.
fn found(changes: &[Change]) -> Box<RawValue> {
    let values: std::collections::BTreeMap<&str, Option<&RawValue>> =
        changes.iter().map(|change| (change.path.pointer().as_str(), change.before.as_deref())).collect();
    json::raw(&values)
}
