//! Judging: decides, from a wanted change and the current referral, what may be sent.

use jiff::{SignedDuration, Timestamp};

use super::catalogue::Rule;
use super::differences::differences;
use super::findings::LeveledFindings;
use super::incomplete::Incomplete;
use super::levels::Levels;
use super::three_way::{Compared, Moved, PlacedChange};
use super::{provisos, shown, transitions};
use crate::domain::change::Desired;
use crate::domain::equality;
use crate::domain::excerpt::excerpt;
use crate::domain::fields::{Field, Kind, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::formula::is_guarded_copy;
use crate::domain::instant::Instant;
use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::level::Level;
use crate::domain::lost::{is_lossy_copy, is_without_zeros};
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::pointer::Pointer;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::setting::Setting;
use crate::domain::snapshot::{Snapshot, Unseen};
use crate::domain::status::{ClosedSubstatus, NewSubstatus, Stage, Standing, Status};
use crate::domain::wording::Wording;

/// The time after a referral's creation within which winning it may cost the deal registration.
const EARLY: SignedDuration = SignedDuration::from_hours(72);

/// How a text can be a copy of one that the referral has, and not quite the same.
struct Copied {
    rule: Rule,
    /// Whether the first text is such a copy of the second.
    is_of: fn(&str, &str) -> bool,
    /// What the copy has that its original has not, or the other way round.
    with: &'static str,
    hint: &'static str,
}

const COPIES: [Copied; 2] = [
    Copied {
        rule: Rule::LostCharacters,
        is_of: is_lossy_copy,
        with: "characters lost",
        hint: "save the file as UTF-8, which Excel calls CSV UTF-8, from one that still has them",
    },
    Copied {
        rule: Rule::KeptGuard,
        is_of: is_guarded_copy,
        with: "the ' that an export puts in front",
        hint: "keep the column export.guarded, which says where it is no part of the text",
    },
];

/// Changes that differ from the current referral and that the rules allow. Only [`judge()`] builds one.
#[derive(Debug, Clone)]
pub struct Approved {
    id: ReferralId,
    etag: Option<ETag>,
    changes: Vec<PlacedChange>,
    closes: bool,
}

impl Approved {
    /// Returns the referral's id.
    pub fn id(&self) -> ReferralId {
        self.id
    }

    /// Returns the version that the judgement holds for.
    pub fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }

    /// Returns the changes in the order in which they are to be sent: status and substatus last, and
    /// always together. There is at least one.
    pub fn into_changes(self) -> Vec<Change> {
        plain(self.changes)
    }

    /// Returns the changes as [`Self::into_changes`] does, each with the state of its place in the referral.
    pub fn into_placed(self) -> Vec<PlacedChange> {
        self.changes
    }

    /// Whether it closes a referral that isn't closed, or that was not read.
    pub fn closes(&self) -> bool {
        self.closes
    }
}

/// The result of judging.
#[derive(Debug, Clone)]
pub enum Judged {
    /// The changes may be sent.
    Approved(Approved),
    /// The referral is as wanted already.
    Unchanged,
    /// Nothing is sent, for the reason of the verdict. The changes hold both sides of a conflict.
    Rejected(Verdict, Vec<Change>),
}

/// A judgement with its findings.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The result.
    pub judged: Judged,
    /// The findings, in the order of the rules.
    pub findings: Vec<Finding>,
    /// The unseen members that it depends on. A caller that can read the whole referral has to, and judges again.
    pub incomplete: Incomplete,
}

/// Judges a wanted change of one referral against its current state; `current` is `None` where it was not read.
///
/// Values that already mean what is wanted are dropped before any rule is asked. The change is approved if no
/// finding denies it. If the referral was seen in part, nothing that depends on an unseen member is approved or
/// called unchanged: the findings name these members.
pub fn judge(
    desired: &Desired,
    current: Option<&Snapshot<'_>>,
    levels: &Levels,
    now: Timestamp,
) -> Judgement {
    let mut evaluator = Evaluator { desired, current, now, findings: LeveledFindings::new(levels) };
    let as_shown = provisos::settle(desired, current, &mut evaluator.findings);
    let changes = differences(desired, current, &as_shown, &mut evaluator.findings);
    shown::compare(desired, current, &mut evaluator.findings);
    let judged = evaluator.verdict(changes, as_shown.denies());
    let LeveledFindings { list: findings, incomplete, .. } = evaluator.findings;
    Judgement { judged, findings, incomplete }
}

/// Returns the changes without their places.
fn plain(changes: Vec<PlacedChange>) -> Vec<Change> {
    changes.into_iter().map(|PlacedChange { change, .. }| change).collect()
}

/// Asks the rules about one wanted change, and collects their findings.
pub(super) struct Evaluator<'a, 'r> {
    pub(super) desired: &'a Desired,
    pub(super) current: Option<&'a Snapshot<'r>>,
    pub(super) now: Timestamp,
    pub(super) findings: LeveledFindings<'a>,
}

impl Evaluator<'_, '_> {
    fn find(&mut self, rule: Rule, place: Location, message: String, hint: impl Into<Wording>) {
        self.findings.add(rule, place, message, hint);
    }

    /// Asks every rule about the changes, and returns the result. `is_unreadable` says that something is wrong with a
    /// cell, whatever the changes are.
    fn verdict(&mut self, compared: Compared, is_unreadable: bool) -> Judged {
        let is_denied = |finding: &Finding| finding.rule == Rule::PortalReadOnly && finding.is_deny();
        let is_denied = is_unreadable || self.findings.list.iter().any(is_denied);
        if compared.is_empty() && !self.findings.incomplete.holds_back() && !is_denied {
            return Judged::Unchanged;
        }
        if let Some(verdict) = self.stale() {
            return Judged::Rejected(verdict, compared.told());
        }
        let changes = match compared.unmoved() {
            Ok(changes) => changes,
            Err(moved) => return self.moved(moved),
        };
        let step = self.step(&changes);
        self.ask_about_stage(step);
        self.ask_about_fields(&changes, step);
        self.ask_about_protection();
        let unseen = self.findings.incomplete.findings();
        self.findings.list.extend(unseen);
        if self.findings.list.iter().any(Finding::is_deny) {
            return Judged::Rejected(Verdict::invalid(&self.findings.list), plain(changes));
        }
        let closes = step.is_some_and(|to| to.is_closed()) && !self.is_closed();
        Judged::Approved(Approved { id: self.desired.id, etag: self.etag(), closes, changes })
    }

    /// Whether the referral is known to be closed. A status that was not seen counts as open: a change of the
    /// status is approved only where it was seen.
    fn is_closed(&self) -> bool {
        self.current.is_some_and(|current| current.status() == Ok(Some(Status::Closed)))
    }

    /// Returns status and substatus; `None` where they were not read, or not seen.
    fn standing(&self) -> Option<Standing> {
        self.current.and_then(|current| current.standing().ok())
    }

    /// Returns the version that the change will be bound to: the row's own, or else the current one.
    fn etag(&self) -> Option<ETag> {
        let bound = self.desired.etag.as_ref().map(|etag| &etag.value);
        let current = self.current.and_then(Snapshot::etag);
        // If both are the same version, the service's own spelling is sent: that is the one it knows.
        bound.filter(|bound| current != Some(*bound)).or(current).cloned()
    }

    /// Returns the verdict of a row that is bound to another version than the current one.
    fn stale(&mut self) -> Option<Verdict> {
        let bound = self.desired.etag.as_ref()?;
        let current = self.current?.etag()?;
        if bound.value == *current {
            return None;
        }
        let message = format!("the row is bound to eTag {}, the referral is at {current}", bound.value);
        let finding = Finding::deny(Rule::StaleEtag, bound.place, message.clone())
            .hint("somebody changed the referral: look at it, then give its new eTag or none");
        self.findings.list.push(finding);
        Some(Verdict::new(Outcome::Conflict, Rule::StaleEtag.id(), message))
    }

    /// Returns the verdict of changes that touch what somebody else changed since the base.
    fn moved(&mut self, moved: Moved) -> Judged {
        let conflicts: Vec<(Location, String)> =
            moved.conflicts().map(|(change, said)| (self.place_of(&change.path), said)).collect();
        let hint = Wording::from(
            "somebody changed it since: see in the conflict report what, keep what still holds, and feed it back with the \
             same ",
        )
        .name(Setting::Base);
        let messages: Vec<&str> = conflicts.iter().map(|(_, said)| said.as_str()).collect();
        let verdict = Verdict::new(Outcome::Conflict, Rule::ChangedSinceBase.id(), messages.join(" | "));
        for (place, said) in conflicts {
            self.findings.list.push(Finding::deny(Rule::ChangedSinceBase, place, said).hint(hint.clone()));
        }
        Judged::Rejected(verdict, moved.told())
    }

    /// Returns the stage that the changes lead to, if they change it.
    fn step(&self, changes: &[PlacedChange]) -> Option<Stage> {
        let moves = changes.iter().any(|moved| moved.change.path == Path::Known(Field::Status));
        self.desired.stage.as_ref().filter(|_| moves).map(|stage| stage.value)
    }

    /// Asks the rules about the current and the wanted stage.
    fn ask_about_stage(&mut self, step: Option<Stage>) {
        if self.current.is_some_and(|current| current.status() == Err(Unseen)) {
            self.findings.unjudged(Rule::ClosedEdit, self.desired.place, &Path::Known(Field::Status));
        }
        let standing = self.standing();
        self.ask_about_step(standing.as_ref(), self.is_closed(), step);
    }

    /// Asks the rules about a step from where the referral stands; `None` where that was not seen.
    pub(super) fn ask_about_step(
        &mut self,
        standing: Option<&Standing>,
        is_closed: bool,
        step: Option<Stage>,
    ) {
        if is_closed {
            let message = "the referral is closed".to_owned();
            self.find(Rule::ClosedEdit, self.desired.place, message, "the service may refuse any edit of it");
        }
        let (Some(to), Some(place)) = (step, self.desired.stage.as_ref().map(|stage| stage.place)) else {
            return;
        };
        self.ask_about_transition(standing, to, place);
        if to == Stage::Closed(ClosedSubstatus::Expired) {
            let message = "the service expires referrals by itself".to_owned();
            self.find(Rule::SetExpired, place, message, "Declined or Lost says who ended it");
        }
    }

    /// Asks the rules about the transition from one stage to another.
    fn ask_about_transition(&mut self, standing: Option<&Standing>, to: Stage, place: Location) {
        let Some(from) = standing else {
            let message = format!("the referral was not read, so whether it may become {to} is unknown");
            return self.find(Rule::Unseen, place, message, "plan against the API or a snapshot");
        };
        let Some(status) = from.status() else {
            let message = format!("a referral that stands at {from} is not in the table of transitions");
            let hint = Wording::default().name(Setting::Rule).say(" transition=warn sends it all the same");
            return self.find(Rule::Transition, place, message, hint);
        };
        if !transitions::allows(status, to.status()) {
            let message = format!("a referral that is {from} cannot become {to}");
            let followers: Vec<&str> = transitions::from(status).iter().map(|status| status.name()).collect();
            let hint = match status {
                Status::Closed => "closing cannot be undone".to_owned(),
                status => format!("{} may become {}", status.name(), followers.join(" or ")),
            };
            return self.find(Rule::Transition, place, message, hint);
        }
        match (status, to) {
            (Status::New, Stage::New(NewSubstatus::Pending)) if from.stage().is_some() => {
                self.find(Rule::BackwardsSubstatus, place, format!("{from} goes back to {to}"), "");
            }
            (Status::New, Stage::Closed(ClosedSubstatus::Won | ClosedSubstatus::Lost)) => {
                let message = format!("{from} becomes {to} without having been accepted");
                self.find(Rule::CloseUnaccepted, place, message, "accept it first (Active), or decline it");
            }
            (Status::Active, Stage::Closed(ClosedSubstatus::Declined)) => {
                let message = "an accepted referral is declined".to_owned();
                self.find(Rule::DeclineAccepted, place, message, "Lost is what the portal offers");
            }
            _ => {}
        }
    }

    /// Asks the rules about fields that a closing needs, and about each change.
    pub(super) fn ask_about_fields(&mut self, changes: &[PlacedChange], step: Option<Stage>) {
        let place = self.desired.stage.as_ref().map_or(self.desired.place, |stage| stage.place);
        if let Some(Stage::Closed(how)) = step {
            let unreasoned = matches!(how, ClosedSubstatus::Lost | ClosedSubstatus::Declined)
                && self.lacks(changes, Field::StatusReason, Rule::ReasonMissing, place);
            if unreasoned {
                let message = format!("closed as {} without a statusReason", Stage::Closed(how).substatus());
                self.find(Rule::ReasonMissing, place, message, "give statusReason");
            }
            if how == ClosedSubstatus::Won {
                self.ask_about_win(changes, place);
            }
        }
        for PlacedChange { change, .. } in changes {
            self.ask_about_change(change);
        }
    }

    /// Asks the rules about winning a referral.
    fn ask_about_win(&mut self, changes: &[PlacedChange], place: Location) {
        if self.lacks(changes, Field::DealValue, Rule::DealValueMissing, place) {
            let message = "won without a deal value".to_owned();
            self.find(Rule::DealValueMissing, place, message, "give details.dealValue");
        }
        let path =
            Path::Opted(Pointer::parse("/createdDateTime").expect("a name behind a slash is a pointer"));
        let seen =
            self.current.map_or(Ok(None), |current| current.find(path.pointer(), Kind::DateTime).known());
        let created = seen.unwrap_or_else(|Unseen| {
            self.findings.unjudged(Rule::EarlyWin, place, &path);
            None
        });
        let created = created.and_then(json::string).and_then(|text| text.parse::<Timestamp>().ok());
        // A creation in the future means that the clocks differ: then nothing is known about the referral's age.
        let young = |created: Timestamp| created <= self.now && self.now.duration_since(created) < EARLY;
        if created.is_some_and(young) {
            let message = "won within 72 hours of creation".to_owned();
            self.find(
                Rule::EarlyWin,
                place,
                message,
                "the deal registration may be lost; wait, or accept that",
            );
        }
    }

    /// Asks the rules about the change of one field.
    fn ask_about_change(&mut self, change: &Change) {
        let place = self.place_of(&change.path);
        match &change.path {
            Path::Known(Field::ClosingDateTime) => {
                let today = Instant::day_of(self.now);
                let date = crate::domain::value::as_instant(&change.after).map(Instant::date);
                if let Some(date) = date.filter(|date| *date < today) {
                    self.find(Rule::ClosingDatePast, place, format!("the closing date {date} is past"), "");
                }
            }
            Path::Known(Field::ShareConsent) => {
                let had = change.before.as_ref().is_some_and(|before| before.get() == "true");
                if had && change.after.get() != "true" {
                    let message = "the consent to share with Microsoft sellers is withdrawn".to_owned();
                    self.find(Rule::ConsentWithdrawn, place, message, "");
                }
            }
            Path::Known(Field::ExternalReferenceId | Field::CampaignId) => {
                self.ask_about_lost_zeros(change, place);
            }
            Path::Opted(pointer) if self.findings.level(Rule::UnconfirmedPath) == Level::Warn => {
                let message = format!("{} is not documented as patchable", excerpt(pointer.as_str()));
                self.find(Rule::UnconfirmedPath, place, message, "the service may refuse the whole change");
            }
            Path::Known(_) | Path::Opted(_) => {}
        }
        self.ask_about_copies(change, place);
    }

    /// Asks whether a text is a copy of one that the referral has, and not quite the same.
    fn ask_about_copies(&mut self, change: &Change, place: Location) {
        let had = change.before.as_deref().map(json::texts).unwrap_or_default();
        if had.is_empty() {
            return;
        }
        // What was there before is no copy of something else that was.
        let texts = json::texts(&change.after);
        let texts: Vec<_> = texts.into_iter().filter(|text| !had.contains(text)).collect();
        for copy in COPIES {
            for text in &texts {
                if let Some(whole) = had.iter().find(|had| (copy.is_of)(text, had)) {
                    let (text, whole) = (excerpt(text), excerpt(whole));
                    let message = format!("{}: {text} is {whole} with {}", change.path, copy.with);
                    self.find(copy.rule, place, message, copy.hint);
                }
            }
        }
    }

    /// Asks whether a reference is the referral's own, taken for a number.
    fn ask_about_lost_zeros(&mut self, change: &Change, place: Location) {
        let (Some(had), Some(text)) =
            (change.before.as_deref().and_then(json::string), json::string(&change.after))
        else {
            return;
        };
        if is_without_zeros(&text, &had) {
            let message =
                format!("{}: {} is {} without its leading zeros", change.path, excerpt(&text), excerpt(&had));
            let hint = "format the column as text in the spreadsheet, and enter the value again";
            self.find(Rule::LostZeros, place, message, hint);
        }
    }

    /// Asks whether an eTag protects the change from overwriting a concurrent edit.
    fn ask_about_protection(&mut self) {
        if self.etag().is_none() {
            let message =
                "no eTag binds the change: a concurrent edit would be overwritten unnoticed".to_owned();
            self.find(
                Rule::Unbound,
                self.desired.place,
                message,
                "plan against the API, or give an eTag column",
            );
        }
    }

    /// Whether a field will be empty once the changes are made. If the referral was not read, only a change that
    /// empties the field counts. If the field was not seen, it notes that `rule` can't be judged.
    fn lacks(&mut self, changes: &[PlacedChange], field: Field, rule: Rule, place: Location) -> bool {
        let path = Path::Known(field);
        let value = match changes.iter().find(|set| set.change.path == path) {
            Some(set) => Ok(Some(&*set.change.after)),
            None => match self.current {
                Some(current) => current.at(&path).known(),
                None => return false,
            },
        };
        let Ok(value) = value else {
            self.findings.unjudged(rule, place, &path);
            return false;
        };
        equality::same(path.kind(), value, &json::raw(&()))
    }

    /// Returns the place in the input that sets a path.
    fn place_of(&self, path: &Path) -> Location {
        if matches!(path, Path::Known(Field::Status | Field::Substatus)) {
            return self.desired.stage.as_ref().map_or(self.desired.place, |stage| stage.place);
        }
        let set = self.desired.sets.iter().find(|set| set.value.0 == *path);
        set.map_or(self.desired.place, |set| set.place)
    }
}
