//! Merges objects within a value: a member of a team, a solution, or an object that may be set as a whole.
//!
//! A payload may have fewer members of an object than the service has. What the payload leaves out stays, and what
//! it empties stays unless clearing is allowed. So the result is always the service's own object with
//! the payload's values in it.

use serde_json::value::RawValue;

use super::equivalence::{has_value, is_annotation, is_deeply_alike, is_nothing, is_same_text, takes_away};
use crate::domain::json::{self, Object};

/// Merges the payload's values into the service's objects, and collects what is kept.
pub(super) struct ObjectMerge {
    /// Whether the payload may clear values.
    pub clear: bool,
    /// The outermost member that counts as equal in any case: the key by which the two were paired.
    pub key: Option<&'static str>,
    /// The paths of members that have a value and are left out of the payload.
    pub omitted: Vec<String>,
    /// The paths of members that have a value, which the payload empties in whole or in part, and that are kept.
    pub kept: Vec<String>,
    /// Whether the payload empties a member that the referral doesn't show.
    pub empties_unseen: bool,
}

impl ObjectMerge {
    pub(super) fn new(clear: bool) -> Self {
        Self { clear, key: None, omitted: Vec::new(), kept: Vec::new(), empties_unseen: false }
    }

    /// Returns the merged object; `None` where the current one stays. `within` is the path to it for messages, with a
    /// dot at its end.
    pub(super) fn object(
        &mut self,
        within: &str,
        current: &RawValue,
        given: &RawValue,
    ) -> Option<Box<RawValue>> {
        if is_same_text(current, given) {
            return None;
        }
        let (was, wanted) = (Object::from_raw(current)?, Object::from_raw(given)?);
        let mut merged: Vec<(&str, Box<RawValue>)> = Vec::new();
        let mut changed = false;
        for (name, current) in was.iter() {
            let new = match wanted.get(name) {
                None => {
                    self.leave_out(within, name, current);
                    None
                }
                Some(given) => self.member(within, name, current, given),
            };
            changed |= new.is_some();
            merged.push((name, new.unwrap_or_else(|| current.to_owned())));
        }
        for (name, given) in wanted.iter().filter(|(name, _)| was.get(name).is_none()) {
            self.empties_unseen |= !has_value(given) && !is_annotation(name);
            if !is_nothing(given) && !is_annotation(name) {
                changed = true;
                merged.push((name, given.to_owned()));
            }
        }
        changed.then(|| written(&merged))
    }

    /// Notes a member that the payload leaves out, if it has a value.
    fn leave_out(&mut self, within: &str, name: &str, current: &RawValue) {
        if !is_annotation(name) && has_value(current) {
            self.omitted.push(format!("{within}{name}"));
        }
    }

    /// Returns the merged value of a member; `None` where the current one stays.
    fn member(
        &mut self,
        within: &str,
        name: &str,
        current: &RawValue,
        given: &RawValue,
    ) -> Option<Box<RawValue>> {
        let is_key = within.is_empty() && self.key == Some(name);
        if is_key || is_annotation(name) || is_same_text(current, given) {
            return None;
        }
        if Object::from_raw(current).is_some() && Object::from_raw(given).is_some() {
            return self.object(&format!("{within}{name}."), current, given);
        }
        if is_deeply_alike(current, given) {
            return None;
        }
        if !has_value(given) && !has_value(current) {
            return None;
        }
        if takes_away(current, given) && !self.clear {
            self.kept.push(format!("{within}{name}"));
            return None;
        }
        Some(given.to_owned())
    }
}

/// Writes an object from its members.
fn written(members: &[(&str, Box<RawValue>)]) -> Box<RawValue> {
    let members: Vec<String> =
        members.iter().map(|(name, raw)| format!("{}:{}", json::raw(*name).get(), raw.get())).collect();
    RawValue::from_string(format!("{{{}}}", members.join(",")))
        .expect("members of JSON objects form a JSON object")
}
