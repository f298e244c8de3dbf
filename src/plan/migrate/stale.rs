//! Stale payloads: those made from another version than the current one, and what their PUT would have overwritten.

use serde_json::value::RawValue;

use super::difference::Difference;
use super::equivalence::is_alike;
use super::list;
use crate::domain::change::Payload;
use crate::domain::fields::Kind;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::referral::ETag;
use crate::domain::rules::Rule;
use crate::domain::snapshot::Snapshot;

/// The versions of a stale payload: it was made from another version than the current one, or from an unknown one.
pub(super) struct Stale {
    made_from: Option<ETag>,
    current: Option<ETag>,
}

/// A place where the PUT would have overwritten the referral's value.
pub(super) struct Overwritten<'d, 'a> {
    pub difference: &'d Difference<'a>,
    pub how: OverwriteKind,
}

/// What the base shows about an overwritten value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OverwriteKind {
    /// Only the referral's value changed since the base: the PUT would have restored the old value.
    PutBack,
    /// Both the referral's and the payload's value differ from the base.
    Both,
    /// There is no base, or it doesn't show the place, so it is unknown whose value is newer.
    Unknown,
}

/// Whether there is a base, and whether it is the version that the payload was made from.
pub(super) enum BaseMatch {
    /// There is none.
    None,
    /// The base is at this other version, so it says nothing about the payload.
    Other(ETag),
    /// The payload was made from it, as far as their eTags show.
    MadeFrom,
}

impl Stale {
    /// Returns `None` for a payload that was made from the current version. If the referral has no eTag, a payload
    /// with one counts as fresh: the service compares it with `If-Match`.
    pub(super) fn of(payload: &Payload, current: &Snapshot<'_>) -> Option<Self> {
        let made_from = payload.etag.as_ref().map(|etag| &etag.value);
        let is_fresh = made_from.is_some_and(|etag| current.etag().is_none_or(|current| current == etag));
        (!is_fresh).then(|| Self { made_from: made_from.cloned(), current: current.etag().cloned() })
    }

    /// Returns the rule that a stale payload breaks.
    pub(super) fn rule(&self) -> Rule {
        if self.made_from.is_some() { Rule::StaleEtag } else { Rule::MissingEtag }
    }

    /// Describes the versions for a finding.
    pub(super) fn message(&self) -> String {
        match (&self.made_from, &self.current) {
            (Some(etag), Some(current)) => {
                format!("the payload was made from eTag {etag}, the referral is at {current}")
            }
            (None, Some(current)) => format!("the payload has no eTag, the referral is at {current}"),
            (_, None) => "the payload has no eTag".to_owned(),
        }
    }

    /// Returns the places where the PUT would have overwritten a newer value, judged by the base. Without a base of
    /// the payload's version, these are all places that differ.
    pub(super) fn overwritten<'d, 'a>(
        &self,
        differences: &'d [Difference<'a>],
        base: Option<&Snapshot<'_>>,
    ) -> Vec<Overwritten<'d, 'a>> {
        let base = base.filter(|base| self.was_made_from(base));
        let how = |difference: &Difference<'_>| {
            let Some(base) = base else { return Some(OverwriteKind::Unknown) };
            // A member that the base doesn't show may have had any value.
            let Ok(was) = base.find(&difference.pointer, difference.kind).known() else {
                return Some(OverwriteKind::Unknown);
            };
            if !differs(difference, was, difference.current) {
                return None;
            }
            Some(if differs(difference, was, Some(difference.given)) {
                OverwriteKind::Both
            } else {
                OverwriteKind::PutBack
            })
        };
        differences
            .iter()
            .filter_map(|difference| Some(Overwritten { difference, how: how(difference)? }))
            .collect()
    }

    /// Returns how the base relates to the payload.
    pub(super) fn base_match(&self, base: Option<&Snapshot<'_>>) -> BaseMatch {
        match base {
            None => BaseMatch::None,
            Some(base) if self.was_made_from(base) => BaseMatch::MadeFrom,
            Some(base) => base.etag().cloned().map_or(BaseMatch::None, BaseMatch::Other),
        }
    }

    /// Whether the payload can have been made from the base: one of them has no eTag, or both are equal.
    fn was_made_from(&self, base: &Snapshot<'_>) -> bool {
        self.made_from.as_ref().zip(base.etag()).is_none_or(|(made_from, base)| made_from == base)
    }
}

/// Whether two values at the place of a difference are not equivalent.
fn differs(at: &Difference<'_>, one: Option<&RawValue>, other: Option<&RawValue>) -> bool {
    match at.kind {
        Kind::Members | Kind::Solutions => {
            let one = one.and_then(json::elements).unwrap_or_default();
            let other = other.and_then(json::elements).unwrap_or_default();
            !list::is_alike(at.kind, &one, &other)
        }
        kind => !is_alike(at.pointer.as_str(), kind, one, other.unwrap_or(RawValue::NULL)),
    }
}

/// Returns the places of overwritten values.
pub(super) fn pointers(overwritten: &[Overwritten<'_, '_>]) -> Vec<Pointer> {
    overwritten.iter().map(|overwritten| overwritten.difference.pointer.clone()).collect()
}
