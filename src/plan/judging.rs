//! Makes the item of one referral from its desired change: judges it, writes the document, and proves it.

use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::patch::{self, Document};
use super::shape::{self, Misfit};
use crate::domain::audit::Audit;
use crate::domain::change::{BaseValue, Desired};
use crate::domain::finding::{Finding, Location};
use crate::domain::item::{Change, Effect, InBase, Item};
use crate::domain::json;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::{self, Incomplete, Judged, Judgement, Levels, Rule};
use crate::domain::setting::Setting;
use crate::domain::snapshot::Snapshot;
use crate::domain::subject::Subject;
use crate::domain::wording::Wording;

/// What the changes of a run are judged by.
pub struct Judging {
    /// The level of every rule.
    pub levels: Levels,
    /// The current time, which rules about dates compare with.
    pub now: Timestamp,
    /// Makes the GUIDs by which the service can recognise a repeated change.
    pub new_id: fn() -> Uuid,
    /// The names of the run's inputs.
    pub inputs: Vec<String>,
}

/// A planned item.
pub struct Planned {
    /// The item; its document is `[]` where nothing is to be sent.
    pub item: Item,
    /// Why nothing is to be sent; `None` where the document is to be sent.
    pub verdict: Option<Verdict>,
    /// The version at which nothing is to be sent, if the referral was read and judged.
    pub seen: Option<ETag>,
    /// On a conflict, the values that were found, as a JSON object by pointer.
    pub theirs: Option<Box<RawValue>>,
    /// The audit of a legacy payload; `None` for the rows of a change file.
    pub audit: Option<Audit>,
    /// What people know the referral by, where it was seen.
    pub subject: Option<Subject>,
    /// The unseen members that it depends on. If there are any and the whole referral can be read, the item is
    /// to be made again from that.
    pub incomplete: Incomplete,
}

impl Judging {
    /// Makes the item of a desired change. `current` is `None` where the referral was not read.
    /// `prove` returns what is wrong with a document; it is called if there is a referral to apply it to.
    pub(super) fn plan(
        &self,
        number: u64,
        desired: &Desired,
        current: Option<&Snapshot<'_>>,
        prove: impl FnOnce(&Document, &Snapshot<'_>) -> Result<(), String>,
    ) -> Planned {
        let Judgement { judged, findings, incomplete } =
            rules::judge(desired, current, &self.levels, self.now);
        let planned = match judged {
            Judged::Unchanged => {
                // A member who is on the list with other data is not quite what was wanted, so the verdict says so.
                let other = findings.iter().find(|finding| finding.rule == Rule::MemberExists);
                let verdict = match other {
                    Some(finding) => Verdict::new(Outcome::Unchanged, finding.rule.id(), finding.sentence()),
                    None => Verdict::new(Outcome::Unchanged, "unchanged", "the referral is so already"),
                };
                let mut planned = self.nothing_to_send(number, desired.id, verdict, findings);
                planned.item.etag = current.and_then(Snapshot::etag).cloned();
                planned.seen.clone_from(&planned.item.etag);
                planned
            }
            Judged::Rejected(verdict, changes) => {
                let in_conflict = verdict.outcome == Outcome::Conflict;
                let mut planned = self.nothing_to_send(number, desired.id, verdict, findings);
                planned.item.etag = desired.etag.as_ref().map(|etag| etag.value.clone());
                planned.seen = current.and_then(Snapshot::etag).cloned();
                if in_conflict { planned.in_conflict(changes, &desired.bases) } else { planned }
            }
            Judged::Approved(approved) => {
                let (etag, closes) = (approved.etag().cloned(), approved.closes());
                let document = patch::document(approved);
                if let Some(misfit) = shape::misfit(&document, current) {
                    return self.misfitting(number, desired, &misfit, findings);
                }
                match current.map_or(Ok(()), |current| prove(&document, current)) {
                    Ok(()) => {
                        let planned = self.to_send(number, (desired.id, etag, closes), document, findings);
                        planned.bound(desired.etag.is_some())
                    }
                    Err(why) => self.unproved(number, desired, &why, findings),
                }
            }
        };
        Planned { incomplete, ..planned }
    }

    /// Makes the item of a document that is to be sent.
    fn to_send(
        &self,
        number: u64,
        (id, etag, closes): (ReferralId, Option<ETag>, bool),
        document: Document,
        findings: Vec<Finding>,
    ) -> Planned {
        let Document { patch, changes } = document;
        let effect = if closes { Effect::OneWay } else { Effect::Reversible };
        let request_id = (self.new_id)();
        let item = Item { number, id, etag, is_bound: false, request_id, patch, changes, effect, findings };
        Planned {
            item,
            verdict: None,
            seen: None,
            theirs: None,
            audit: None,
            subject: None,
            incomplete: Incomplete::default(),
        }
    }

    /// Rejects a change that has no place in a referral of this shape.
    fn misfitting(
        &self,
        number: u64,
        desired: &Desired,
        misfit: &Misfit<'_>,
        mut findings: Vec<Finding>,
    ) -> Planned {
        let set = desired.sets.iter().find(|set| set.value.0 == *misfit.path);
        let place = set.map_or(desired.place, |set| set.place);
        findings.push(Finding::deny(Rule::Operation, place, misfit.message.clone()).hint(misfit.hint));
        self.reject(number, desired.id, findings)
    }

    /// Rejects a change whose document failed its proof: a defect of this program.
    fn unproved(&self, number: u64, desired: &Desired, why: &str, mut findings: Vec<Finding>) -> Planned {
        let finding =
            Finding::deny(Rule::Proof, desired.place, format!("the document fails its proof: {why}"))
                .hint("nothing was sent; please report this row and its referral as a defect");
        findings.push(finding);
        self.reject(number, desired.id, findings)
    }

    /// Makes the item of a referral for which findings keep everything from being sent.
    pub fn reject(&self, number: u64, id: ReferralId, findings: Vec<Finding>) -> Planned {
        self.nothing_to_send(number, id, Verdict::invalid(&findings), findings)
    }

    /// Makes the item of a referral that a snapshot file doesn't hold. `engagement_of` is a referral whose
    /// engagement has this id, if there is one.
    pub fn not_in_snapshot(
        &self,
        number: u64,
        id: ReferralId,
        place: Location,
        engagement_of: Option<ReferralId>,
    ) -> Planned {
        self.reject(number, id, vec![unknown(id, place, engagement_of)])
    }

    /// Makes the item of a referral for which nothing is sent.
    pub fn nothing_to_send(
        &self,
        number: u64,
        id: ReferralId,
        verdict: Verdict,
        findings: Vec<Finding>,
    ) -> Planned {
        let item = Item {
            number,
            id,
            etag: None,
            is_bound: false,
            request_id: (self.new_id)(),
            patch: json::raw::<[u8]>(&[]),
            changes: Vec::new(),
            effect: Effect::Unchanged,
            findings,
        };
        let incomplete = Incomplete::default();
        Planned {
            item,
            verdict: Some(verdict),
            seen: None,
            theirs: None,
            audit: None,
            subject: None,
            incomplete,
        }
    }
}

impl Planned {
    /// Whether reading the whole referral may change the item: it depends on an unseen member, or would be sent
    /// without an eTag.
    pub fn needs_whole_referral(&self) -> bool {
        let is_unbound = self.verdict.is_none() && self.item.etag.is_none();
        is_unbound || !self.incomplete.is_empty()
    }

    /// Sets whether its version is the one that the input names.
    fn bound(mut self, is_bound: bool) -> Self {
        self.item.is_bound = is_bound;
        self
    }

    /// Adds the sides of a conflict: the values that were found, and the changes that were wanted, with what the base has
    /// where the input has one.
    pub(super) fn in_conflict(mut self, changes: Vec<Change>, bases: &[BaseValue]) -> Self {
        self.theirs = Some(found(&changes));
        let base = |change: &Change| {
            let mut known = bases.iter().filter(|base| base.path == change.path).peekable();
            if known.peek()?.key.is_some() {
                let elements = known.map(|base| &base.value).filter(|value| !json::is_null(value));
                return Some(InBase { value: Some(json::raw(&elements.collect::<Vec<_>>())) });
            }
            let value = known.next()?.value.clone();
            Some(InBase { value: Some(value).filter(|value| !json::is_null(value)) })
        };
        let based = |change: Change| Change { base: base(&change), ..change };
        self.item.changes = changes.into_iter().map(based).collect();
        self
    }
}

/// Makes the finding about a referral that a snapshot file doesn't hold. `engagement_of` is a referral
/// whose engagement has this id, if there is one.
pub(super) fn unknown(id: ReferralId, place: Location, engagement_of: Option<ReferralId>) -> Finding {
    let hint = match engagement_of {
        Some(referral) => {
            format!("this is the engagementId of referral {referral}: give the referral's own id").into()
        }
        None => Wording::from("take a newer snapshot, or plan against the API with ")
            .name(Setting::State)
            .say(" live"),
    };
    Finding::deny(Rule::UnknownReferral, place, format!("the snapshot holds no referral {id}")).hint(hint)
}

/// Returns the values that were found where changes are wanted, as a JSON object by pointer.
fn found(changes: &[Change]) -> Box<RawValue> {
    let values: std::collections::BTreeMap<&str, Option<&RawValue>> =
        changes.iter().map(|change| (change.path.pointer().as_str(), change.before.as_deref())).collect();
    json::raw(&values)
}
