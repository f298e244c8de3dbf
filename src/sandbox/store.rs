//! The referrals as they are now, and their versions.

use std::collections::HashMap;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::answer::ErrorAnswer;
use super::patch::PatchDocument;
use super::rules;
use super::times::wire_time;

/// The members of one referral.
pub(super) type Referral = Map<String, Value>;

/// Referrals by id, in the order of the seed.
#[derive(Debug, Default)]
pub(super) struct ReferralStore {
    referrals: Vec<Value>,
    places: HashMap<Uuid, usize>,
    /// Each changed referral as it was before its last change.
    earlier: HashMap<Uuid, Value>,
}

/// The error for a second referral with the same id.
#[derive(Debug)]
pub(super) struct DuplicateId;

impl ReferralStore {
    /// Adds a referral. One without an eTag gets one. One whose eTag has lost its quotes, as happens in a
    /// spreadsheet, gets them back, since no `If-Match` could name it without them.
    pub(super) fn insert(&mut self, id: Uuid, mut referral: Referral) -> Result<(), DuplicateId> {
        let etag = match referral.get("eTag").and_then(Value::as_str) {
            Some(etag) if etag.contains('"') => None,
            Some(etag) if !etag.is_empty() => Some(format!("\"{etag}\"")),
            _ => Some(next_etag(id, "")),
        };
        if let Some(etag) = etag {
            referral.insert("eTag".to_owned(), etag.into());
        }
        if self.places.contains_key(&id) {
            return Err(DuplicateId);
        }
        self.places.insert(id, self.referrals.len());
        self.referrals.push(Value::Object(referral));
        Ok(())
    }

    /// Returns all referrals, in the order of the seed.
    pub(super) fn referrals(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.referrals.iter()
    }

    /// Returns the referral of an id, or the 404 that answers for it.
    pub(super) fn get(&self, id: Option<Uuid>) -> Result<&Value, ErrorAnswer> {
        self.place(id).map(|(_, place)| &self.referrals[place])
    }

    /// Returns the referral of an id as it was before its last change, as a read that lags behind shows it.
    pub(super) fn earlier(&self, id: Option<Uuid>) -> Result<&Value, ErrorAnswer> {
        let (id, place) = self.place(id)?;
        Ok(self.earlier.get(&id).unwrap_or(&self.referrals[place]))
    }

    fn place(&self, id: Option<Uuid>) -> Result<(Uuid, usize), ErrorAnswer> {
        id.and_then(|id| Some((id, *self.places.get(&id)?))).ok_or_else(|| {
            let message = "no referral of this id, or none that this user may see";
            ErrorAnswer::new(StatusCode::NOT_FOUND, "NotFound", "ReferralNotFound", message).about("id")
        })
    }

    /// Changes a referral as a whole, or not at all.
    pub(super) fn change(
        &mut self,
        id: Option<Uuid>,
        if_match: Option<&str>,
        document: PatchDocument,
        now: Timestamp,
    ) -> Result<&Value, ErrorAnswer> {
        let (id, place) = self.place(id)?;
        let after = self.changed(Some(id), if_match, document, now)?;
        Ok(self.put(id, place, after))
    }

    /// Returns the referral that a change would result in, without changing it.
    pub(super) fn changed(
        &self,
        id: Option<Uuid>,
        if_match: Option<&str>,
        document: PatchDocument,
        now: Timestamp,
    ) -> Result<Value, ErrorAnswer> {
        let (id, place) = self.place(id)?;
        let before = &self.referrals[place];
        if let Some(wanted) = if_match {
            check_version(wanted, etag_of(before))?;
        }
        let mut after = before.clone();
        let moves = document.moves_status();
        document.apply(&mut after)?;
        if moves {
            rules::check_step(before, &after)?;
        }
        let Value::Object(members) = &mut after else {
            unreachable!("the store holds objects only, and no document can name the whole referral")
        };
        stamp(id, before, members, now);
        Ok(after)
    }

    fn put(&mut self, id: Uuid, place: usize, after: Value) -> &Value {
        let before = std::mem::replace(&mut self.referrals[place], after);
        self.earlier.insert(id, before);
        &self.referrals[place]
    }

    /// Changes the notes of a referral as another user would; does nothing where there is no such referral.
    pub(super) fn edit(&mut self, id: Option<Uuid>, now: Timestamp) {
        let Ok((id, place)) = self.place(id) else { return };
        let before = &self.referrals[place];
        let mut after = before.clone();
        let Value::Object(members) = &mut after else { return };
        let details = members.entry("details").or_insert(Value::Null);
        if !details.is_object() {
            *details = Value::Object(Map::new());
        }
        details["notes"] = "Edited by somebody else in the meantime".into();
        stamp(id, before, members, now);
        self.put(id, place, after);
    }
}

/// Returns the eTag of a referral.
pub(super) fn etag_of(referral: &Value) -> Option<&str> {
    referral.get("eTag").and_then(Value::as_str)
}

/// Checks an `If-Match` (RFC 9110, section 13.1.1): one eTag or several, compared exactly, or `*`.
fn check_version(wanted: &str, current: Option<&str>) -> Result<(), ErrorAnswer> {
    let mut is_quoted = false;
    // A comma within quotes is part of an eTag.
    let mut listed = wanted.split(|c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    });
    let matches =
        wanted.trim() == "*" || listed.any(|one| !one.trim().is_empty() && Some(one.trim()) == current);
    if matches {
        return Ok(());
    }
    let message = "the referral was changed since the version that If-Match names";
    Err(ErrorAnswer::new(StatusCode::PRECONDITION_FAILED, "preconditionFailed", "resourceModified", message)
        .about("If-Match"))
}

/// Sets the members that the service itself sets with every change: times and the eTag.
fn stamp(id: Uuid, before: &Value, after: &mut Referral, now: Timestamp) {
    let time = wire_time(now);
    let became =
        |status: &str| after.get("status").is_some_and(|s| s == status) && before["status"] != status;
    let (closed, accepted) = (became("Closed"), became("Active"));
    if closed {
        after.insert("closedDateTime".to_owned(), time.clone().into());
    }
    if accepted {
        after.insert("acceptedDateTime".to_owned(), time.clone().into());
    }
    after.insert("updatedDateTime".to_owned(), time.into());
    let etag = next_etag(id, etag_of(before).unwrap_or_default());
    after.insert("eTag".to_owned(), etag.into());
}

/// Returns the eTag that follows on another one. It depends on the id and that eTag alone, so that a run can
/// be repeated with the same eTags.
fn next_etag(id: Uuid, before: &str) -> String {
    let digest = Sha256::new().chain_update(id.as_bytes()).chain_update(before).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    format!("\"{}\"", uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
