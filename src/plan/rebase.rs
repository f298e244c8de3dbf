//! Rebasing: makes an item again for a referral that was changed after it was planned.
//!
//! This is done only if the user asked for it (on-conflict `rebase`), and only if nothing that the item touches
//! has changed: then the same change, judged and proved against the current referral, overwrites nothing
//! that another user wrote. An item that closes a referral touches status and substatus, so it is rebased only
//! while the referral is still in the stage that the plan saw.

use jiff::Timestamp;

use super::patch::{self, Document};
use super::proof::prove;
use crate::domain::change::{Append, Desired, Joining, Located};
use crate::domain::fields::{Field, Path};
use crate::domain::finding::Location;
use crate::domain::item::{Change, Effect, Item};
use crate::domain::json;
use crate::domain::rules::{self, Judged, Judgement, Levels};
use crate::domain::snapshot::Snapshot;
use crate::domain::status::Stage;
use crate::domain::value::{Wanted, element_key};

/// Makes the item for the current referral: the same change, bound to the new version.
///
/// # Errors
/// A message that says why it may not be sent: a field that it touches was changed, a rule has a finding that
/// the plan did not have, or the row itself names the version that it is for.
pub fn rebase(item: &Item, current: &Snapshot<'_>, levels: &Levels, now: Timestamp) -> Result<Item, String> {
    if item.is_bound {
        return Err("its row names the version it is for".to_owned());
    }
    let etag = current.etag().ok_or("it came without an eTag")?;
    if item.etag.as_ref() == Some(etag) {
        return Err("it is at the version that was sent".to_owned());
    }
    if let Some(change) = item.changes.iter().find(|change| !change.is_untouched_in(current)) {
        return Err(format!("{} was changed", change.path));
    }
    if !current.is_whole() {
        return Err("not all of it was seen".to_owned());
    }
    let Judgement { judged, findings, .. } = rules::judge(&desired(item)?, Some(current), levels, now);
    let Judged::Approved(approved) = judged else {
        let why = findings.iter().find(|finding| finding.is_deny());
        return Err(why.map_or_else(|| "it is not as planned".to_owned(), |finding| finding.message.clone()));
    };
    // The user consented to the plan's warnings, and to no others.
    if let Some(new) =
        findings.iter().find(|new| item.findings.iter().all(|planned| planned.rule != new.rule))
    {
        return Err(format!("{} (rule {})", new.message, new.rule));
    }
    let closes = approved.closes();
    let document = patch::document(approved);
    prove(&document, current)?;
    let Document { patch, changes } = document;
    if closes != (item.effect == Effect::OneWay) || !are_same(&item.changes, &changes) {
        return Err("the change would be another one".to_owned());
    }
    Ok(Item { etag: Some(etag.clone()), patch, changes, ..item.clone() })
}

/// Returns the desired change that an item was made from.
fn desired(item: &Item) -> Result<Desired, String> {
    let place = Location { input: 0, line: 0, column: 0 };
    let mut desired = Desired {
        id: item.id,
        place,
        etag: None,
        stage: None,
        status_alone: None,
        sets: Vec::new(),
        appends: Vec::new(),
        shown: Vec::new(),
        provisos: Vec::new(),
        bases: Vec::new(),
    };
    let mut words = (None, None);
    for Change { path, after, appended, .. } in &item.changes {
        match path {
            Path::Known(Field::Status) => words.0 = json::string(after),
            Path::Known(Field::Substatus) => words.1 = json::string(after),
            Path::Known(field) if !appended.is_empty() => {
                for element in appended {
                    let key = element_key(field.kind(), element).map_err(|error| error.message)?;
                    let value = Append {
                        field: *field,
                        key,
                        element: element.clone(),
                        joining: Joining::Append,
                        sign: None,
                    };
                    desired.appends.push(Located { value, place });
                }
            }
            path => {
                let wanted = Wanted::from_json(path.kind(), after).map_err(|error| error.message)?;
                desired.sets.push(Located { value: (path.clone(), wanted), place });
            }
        }
    }
    if let (Some(status), Some(substatus)) = words {
        let named = |stage: &Stage| stage.status().name() == status && stage.substatus() == substatus;
        let stage = Stage::ALL.into_iter().find(named).ok_or("its status and substatus are no pair")?;
        desired.stage = Some(Located { value: stage, place });
    }
    Ok(desired)
}

/// Whether two lists of changes set the same fields to the same values.
fn are_same(planned: &[Change], now: &[Change]) -> bool {
    let texts = |change: &Change| {
        let appended = change.appended.iter().map(|element| element.get().to_owned());
        (change.after.get().to_owned(), appended.collect::<Vec<_>>())
    };
    planned.len() == now.len()
        && planned.iter().zip(now).all(|(one, other)| one.path == other.path && texts(one) == texts(other))
}
