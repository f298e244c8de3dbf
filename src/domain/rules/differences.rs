//! The differences between a wanted change and the current referral.

use serde_json::value::RawValue;

use super::catalogue::Rule;
use super::findings::LeveledFindings;
use super::joined::joined;
use super::provisos::{self, AsShown};
use super::three_way::{Compared, PlacedChange};
use crate::domain::change::{Append, Desired, Joining, Located};
use crate::domain::equality;
use crate::domain::fields::{Field, Kind, Path};
use crate::domain::finding::Location;
use crate::domain::instant::Instant;
use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::reasons::{UNREASON, UNREASONED};
use crate::domain::setting::Setting;
use crate::domain::snapshot::{PathState, Snapshot, Unseen};
use crate::domain::status::Standing;
use crate::domain::value::{self, Condition, Wanted, element_key};
use crate::domain::wording::Wording;

/// Returns the changes that turn the current referral into the wanted one, in the order of sending.
///
/// `current` is `None` where the referral was not read. Values that already mean what is wanted are left out. So are
/// changes that depend on an unseen member, each with a note in `findings`. What is left has been compared with the
/// base of the run.
pub(super) fn differences(
    desired: &Desired,
    current: Option<&Snapshot<'_>>,
    shown: &AsShown,
    findings: &mut LeveledFindings<'_>,
) -> Compared {
    let changes = DesiredComparison { desired, current, shown, findings }.all();
    Compared::new(changes, &desired.bases)
}

/// A wanted change, compared with the current referral.
struct DesiredComparison<'a, 'r, 'f> {
    desired: &'a Desired,
    current: Option<&'a Snapshot<'r>>,
    /// The cells that show what the referral has.
    shown: &'a AsShown,
    findings: &'a mut LeveledFindings<'f>,
}

impl DesiredComparison<'_, '_, '_> {
    /// Returns all changes, the stage last.
    fn all(&mut self) -> Vec<PlacedChange> {
        let mut changes: Vec<PlacedChange> = Vec::new();
        let desired = self.desired;
        let stage = self.stage_change();
        for Located { value: (path, wanted), place } in &desired.sets {
            if self.shown.is_so(*place, path) {
                continue;
            }
            if wanted.condition() == Condition::Closing && !self.takes_reason(path, *place) {
                continue;
            }
            match self.set(path, wanted) {
                Ok(change) => changes.extend(change),
                Err(Unseen) => self.note_unseen(path, path.pointer()),
            }
        }
        for field in Field::all().filter(|field| field.is_list()) {
            let elements = desired.appends.iter().filter(|append| append.value.field == field);
            let (appends, others): (Vec<_>, Vec<_>) =
                elements.partition(|append| append.value.joining == Joining::Append);
            let unseen = !appends.is_empty() && self.append(field, &appends, &mut changes) == Err(Unseen)
                || !others.is_empty() && self.join(field, &others, &mut changes) == Err(Unseen);
            if unseen {
                self.note_unseen(&Path::Known(field), field.pointer());
            }
        }
        changes.iter().for_each(|PlacedChange { change, .. }| self.find_cleared(change));
        changes.iter().for_each(|PlacedChange { change, .. }| self.find_unguarded(change));
        changes.iter_mut().for_each(|PlacedChange { change, .. }| self.note_image(change));
        changes.sort_by(|one, other| one.change.path.cmp(&other.change.path));
        changes.extend(stage);
        changes
    }

    /// Whether the referral is in a stage that takes a reason, or is to be. Where it isn't, or that is unknown, it is
    /// told.
    fn takes_reason(&mut self, path: &Path, place: Location) -> bool {
        let stage = match (&self.desired.stage, self.current) {
            (Some(stage), _) => Ok(Some(stage.value)),
            (None, Some(current)) => current.standing().map(|standing| standing.stage()),
            (None, None) => Err(Unseen),
        };
        match stage {
            Ok(Some(stage)) if stage.takes_reason() => return true,
            Ok(_) => {
                self.findings.add(Rule::PortalReadOnly, place, format!("{path}: {UNREASONED}"), UNREASON)
            }
            Err(Unseen) => self.note_unseen(path, Field::Status.pointer()),
        }
        false
    }

    /// Returns the change that sets a field; `None` if the field already means what is wanted.
    fn set(&mut self, path: &Path, wanted: &Wanted) -> Result<Option<PlacedChange>, Unseen> {
        let kind = path.kind();
        let current = self.current;
        let before = current.map_or(Ok(None), |current| current.at(path).known())?;
        let after = match kind {
            Kind::Members | Kind::Solutions if !wanted.is_clear() => {
                equality::overlay(kind, before, wanted.raw())
            }
            _ => wanted.raw().to_owned(),
        };
        if self.mind_hidden(kind, before, wanted.raw()).is_err() {
            // A member that is shown and would be cleared is reported now: reading the rest cannot change that.
            let before = before.map(ToOwned::to_owned);
            self.find_cleared(&Change {
                path: path.clone(),
                before,
                after,
                appended: Vec::new(),
                base: None,
                is_whole: false,
            });
            return Err(Unseen);
        }
        let is_day = wanted.condition() == Condition::OtherDay;
        let is_so = || equality::same(kind, before, &after) || is_day && is_same_day(before, &after);
        if self.current.is_some() && is_so() {
            return Ok(None);
        }
        self.placed(path, before, after).map(Some)
    }

    /// Appends elements to a list: to the one that the same change sets, or else to the current one.
    fn append(
        &mut self,
        field: Field,
        appends: &[&Located<Append>],
        changes: &mut Vec<PlacedChange>,
    ) -> Result<(), Unseen> {
        let kind = field.kind();
        let path = Path::Known(field);
        let set = changes.iter().position(|set| set.change.path == path).map(|at| changes.remove(at).change);
        let current = self.current;
        let before = current.map_or(Ok(None), |current| current.at(&path).known())?;
        let base = set.as_ref().map(|change| change.after.clone()).or_else(|| before.map(ToOwned::to_owned));
        let list = base.as_deref().and_then(json::elements).unwrap_or_default();
        let is_own = set.is_some() || current.is_none_or(Snapshot::is_whole);
        let added = self.missing(kind, &list, appends, is_own)?;
        if set.is_none() && added.is_empty() {
            return Ok(());
        }
        let unlooked = current.is_none() && set.is_none();
        let whole: Vec<&RawValue> = list.into_iter().chain(added.iter().map(|element| &**element)).collect();
        let whole = json::raw(&whole);
        let after = match set {
            // The appended elements may be on the current list with more members, which must survive, and
            // the resulting list may be equal to the current one.
            Some(_) => {
                self.mind_hidden(kind, before, &whole)?;
                equality::overlay(kind, before, &whole)
            }
            None if unlooked => json::raw(&added),
            None => whole,
        };
        if before.is_some() && equality::same(kind, before, &after) {
            return Ok(());
        }
        // `add …/-` fails where there is no list, so elements are sent as an append only to a list that is known
        // to exist, or in a referral that was not read.
        let grows = set.is_none() && (unlooked || before.is_some());
        let PlacedChange { change, path_state } = self.placed(&path, before, after)?;
        let appended = if grows { added } else { Vec::new() };
        changes.push(PlacedChange { change: Change { appended, ..change }, path_state });
        Ok(())
    }

    /// Puts elements of a file that shows the list as it was into the list as it is: to the one that the same change
    /// makes, or else to the current one. Where any of it is changed, the list is set as a whole, and what the file lacks
    /// stays in it.
    fn join(
        &mut self,
        field: Field,
        elements: &[&Located<Append>],
        changes: &mut Vec<PlacedChange>,
    ) -> Result<(), Unseen> {
        let (kind, path) = (field.kind(), Path::Known(field));
        let Some(current) = self.current else {
            // Without a look nobody knows which of the elements are on the list already. What was edited is known by
            // a base alone; else they are those of a download.
            if self.desired.bases.iter().any(|base| base.path == path) {
                return Err(Unseen);
            }
            let (message, hint) = provisos::unlooked(&path);
            self.findings.add(Rule::PortalReadOnly, elements[0].place, message, hint);
            return Ok(());
        };
        let before = current.at(&path).known()?;
        let set = changes.iter().position(|set| set.change.path == path).map(|at| changes.remove(at).change);
        let base = set.as_ref().map(|set| &*set.after).or(before);
        let list = base.and_then(json::elements).unwrap_or_default();
        let added = self.desired.appends.iter().filter(|append| append.value.field == field);
        let added = added.filter(|append| append.value.joining == Joining::Append);
        let added = added.map(|append| append.value.key.as_str());
        let shown: Vec<&str> = self.shown.keys(&path).chain(added).collect();
        let joined = joined(&list, elements, &shown);
        // What is as in the base is no wish, and what can't be read may be any element: then not all is known here of what
        // the file has in the list.
        let is_compared =
            self.shown.is_unread(&path) || self.desired.bases.iter().any(|base| base.path == path);
        let told = joined.told.into_iter();
        for (place, rule, message) in told.filter(|(_, rule, _)| !is_compared || *rule != Rule::OmittedKept) {
            self.findings.add(
                rule,
                place,
                message,
                "to change the list otherwise, set it as a whole in a change file",
            );
        }
        if equality::same(kind, before, &joined.list) {
            return Ok(());
        }
        if set.is_none() && !list.is_empty() && !joined.is_updated {
            // What is only added overwrites nothing, whatever else the elements of the list have.
            let placed = self.placed(&path, before, joined.list)?;
            let change = Change { appended: joined.added, ..placed.change };
            changes.push(PlacedChange { change, ..placed });
            return Ok(());
        }
        self.mind_hidden(kind, before, &joined.list)?;
        changes.push(self.placed(&path, before, joined.list)?);
        Ok(())
    }

    /// Returns the elements that a list lacks. An element that is on it with other data becomes a finding.
    ///
    /// # Errors
    /// [`Unseen`] if an element seems to differ, and the list may be shown in part.
    fn missing(
        &mut self,
        kind: Kind,
        list: &[&RawValue],
        appends: &[&Located<Append>],
        is_whole: bool,
    ) -> Result<Vec<Box<RawValue>>, Unseen> {
        let mut missing = Vec::new();
        for Located { value: Append { field, key, element, .. }, place } in appends {
            let is_known = |known: &&RawValue| element_key(kind, known).is_ok_and(|known| known == *key);
            if !list.iter().any(is_known) {
                missing.push(element.clone());
            } else if !equality::holds(kind, list, element) {
                if !is_whole {
                    return Err(Unseen);
                }
                let message = format!("{key} is on {} already, with other data", field.pointer());
                let hint = "to change an element, give the whole list";
                self.findings.add(Rule::MemberExists, *place, message, hint);
            }
        }
        Ok(missing)
    }

    /// Returns the changes of status and substatus; none if the referral is in the wanted stage.
    fn stage_change(&mut self) -> Vec<PlacedChange> {
        let Some(Located { value: wanted, place }) = &self.desired.stage else {
            return Vec::new();
        };
        let standing = self.current.map_or(Ok(None), |current| current.standing().map(Some));
        let is_there = |standing: Option<Standing>| standing.and_then(|at| at.stage()) == Some(*wanted);
        if standing.is_ok_and(is_there) {
            return Vec::new();
        }
        let mut changes = Vec::new();
        for (field, name) in [(Field::Status, wanted.status().name()), (Field::Substatus, wanted.substatus())]
        {
            let path = Path::Known(field);
            match self.before(&path).and_then(|before| self.placed(&path, before, json::raw(name))) {
                Ok(change) => changes.push(change),
                Err(Unseen) => self.findings.incomplete.change(*place, field.pointer()),
            }
        }
        // Status and substatus are sent together or not at all.
        if changes.len() == 2 { changes } else { Vec::new() }
    }

    /// Returns the current value; `None` where there is none, or the referral was not read.
    fn before(&self, path: &Path) -> Result<Option<&RawValue>, Unseen> {
        self.current.map_or(Ok(None), |current| current.at(path).known())
    }

    /// Adds to a change the state of its place.
    fn placed(
        &self,
        path: &Path,
        before: Option<&RawValue>,
        after: Box<RawValue>,
    ) -> Result<PlacedChange, Unseen> {
        let path_state =
            self.current.map_or_else(|| Ok(PathState::unlooked()), |current| current.path_state(path))?;
        let before = before.map(ToOwned::to_owned);
        Ok(PlacedChange {
            change: Change {
                path: path.clone(),
                before,
                after,
                appended: Vec::new(),
                base: None,
                is_whole: false,
            },
            path_state,
        })
    }

    /// Checks that a wanted value doesn't depend on members that a part of a referral doesn't show.
    fn mind_hidden(&self, kind: Kind, before: Option<&RawValue>, wanted: &RawValue) -> Result<(), Unseen> {
        let is_whole = self.current.is_none_or(Snapshot::is_whole);
        if is_whole || !equality::may_be_hidden(kind, before, wanted) { Ok(()) } else { Err(Unseen) }
    }

    /// Notes an unseen member that the change of a path depends on.
    fn note_unseen(&mut self, path: &Path, pointer: &Pointer) {
        let place = self.place_of(path);
        let is_shown = self.current.is_some_and(|current| matches!(current.at(path).known(), Ok(Some(_))));
        if path.pointer() != pointer {
            return self.findings.incomplete.change(place, pointer);
        }
        if is_shown {
            return self.findings.incomplete.part(place, pointer);
        }
        let hidden = self.current.map(|current| current.unseen_at(path));
        self.findings.incomplete.change(place, hidden.as_ref().unwrap_or(pointer));
    }

    /// Returns the place in the input that sets a path.
    fn place_of(&self, path: &Path) -> Location {
        let set = self.desired.sets.iter().find(|set| set.value.0 == *path).map(|set| set.place);
        let append = || self.desired.appends.iter().find(|append| Path::Known(append.value.field) == *path);
        set.or_else(|| append().map(|append| append.place)).unwrap_or(self.desired.place)
    }

    /// Notes the version as unseen where a list or an object would be replaced without one.
    ///
    /// A list that is replaced as a whole overwrites what others added to it meanwhile, unless the change is bound to
    /// the version in which the list was seen. An append overwrites nothing, so any version will do.
    fn find_unguarded(&mut self, change: &Change) {
        let unguarded = self.current.is_some_and(|current| !current.is_whole() && current.etag().is_none());
        let grows = !change.appended.is_empty() && self.desired.etag.is_some();
        if unguarded && !grows && !change.path.kind().is_scalar() {
            let etag = Pointer::parse("/eTag").expect("a name behind a slash is a pointer");
            self.note_unseen(&change.path, &etag);
        }
    }

    /// Notes whether elements that a change drops from a list were seen as a whole, as its way back needs them.
    fn note_image(&mut self, change: &mut Change) {
        let Some(current) = self.current.filter(|_| change.drops_elements()) else { return };
        change.is_whole = current.is_whole();
        if !change.is_whole {
            self.findings.incomplete.image();
        }
    }

    /// Reports a `null` within a value that would clear something without leave to: it needs the same leave as
    /// a `null` in place of the value.
    fn find_cleared(&mut self, change: &Change) {
        let Some(set) = self.desired.sets.iter().find(|set| set.value.0 == change.path) else { return };
        let nothing_there = self.current.is_some() && change.before.is_none();
        if set.value.1.may_clear() || set.value.1.is_clear() || nothing_there {
            return;
        }
        let before = change.before.as_deref();
        if let Some(name) = equality::cleared(change.path.kind(), before, &change.after) {
            let message = format!("{}: {name} would be cleared", change.path);
            let hint = Wording::from("allow it with ").name(Setting::Clear);
            let hint = hint.say("; to leave it alone, leave it out");
            self.findings.add(Rule::Clear, set.place, message, hint);
        }
    }
}

/// Whether two times lie on the same day in UTC.
fn is_same_day(one: Option<&RawValue>, other: &RawValue) -> bool {
    let day = |raw| value::as_instant(raw).map(Instant::date);
    one.and_then(day).is_some_and(|one| day(other) == Some(one))
}
