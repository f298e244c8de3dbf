//! The result of comparing a payload with its referral.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::domain::fields::{Field, Kind, Path};
use crate::domain::finding::Finding;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::rules::{Incomplete, Rule};

/// All differences between a payload and its referral.
#[derive(Default)]
pub(super) struct PayloadDiff<'a> {
    /// The places where the payload wants another value than the referral has.
    pub differences: Vec<Difference<'a>>,
    /// What differs without being wanted, such as members that the payload leaves out.
    pub remarks: Vec<Leftover>,
    /// The reasons why the payload is no referral.
    pub problems: Vec<Finding>,
    /// The unseen members of the referral that the comparison depends on.
    pub incomplete: Incomplete,
}

/// A place where the payload wants another value.
pub(super) struct Difference<'a> {
    pub pointer: Pointer,
    pub kind: Kind,
    /// The payload's value.
    pub given: &'a RawValue,
    /// The referral's value; `None` where it is absent.
    pub current: Option<&'a RawValue>,
    pub resolution: Resolution,
}

/// What a PATCH does about a difference.
pub(super) enum Resolution {
    /// It sets the value.
    Set(Path, Box<RawValue>),
    /// It adds elements at the end of the list.
    Append(Field, Vec<Box<RawValue>>),
    /// It sets status and substatus, which go together.
    Stage,
    /// Nothing, by a rule. If only parts of the value are concerned, these are named for messages.
    Left(Rule, Vec<String>),
}

/// A difference between payload and referral that is not sent, with the rule that says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// The rule that explains it.
    pub rule: Rule,
    /// The place.
    pub pointer: Pointer,
    /// The part of the value that differs, as in `title of ann@example.com`; `None` for all of it.
    pub part: Option<String>,
}

impl Leftover {
    pub(super) fn new(rule: Rule, pointer: &Pointer) -> Self {
        Self { rule, pointer: pointer.clone(), part: None }
    }

    /// Makes one for each part, or one for the whole value if no part is named.
    pub(super) fn each(rule: Rule, pointer: &Pointer, parts: &[String]) -> Vec<Self> {
        if parts.is_empty() {
            return vec![Self::new(rule, pointer)];
        }
        let part = |part: &String| Self { part: Some(part.clone()), ..Self::new(rule, pointer) };
        parts.iter().map(part).collect()
    }
}

impl std::fmt::Display for Leftover {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.part {
            Some(part) => write!(out, "{} ({part})", self.pointer),
            None => self.pointer.fmt(out),
        }
    }
}

impl Difference<'_> {
    /// Iterates over the texts that would be sent here and that the referral doesn't have already.
    pub fn new_texts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let sent: &[Box<RawValue>] = match &self.resolution {
            Resolution::Set(_, value) => std::slice::from_ref(value),
            Resolution::Append(_, elements) => elements,
            Resolution::Stage | Resolution::Left(..) => &[],
        };
        let known = self.current.map(json::texts).unwrap_or_default();
        sent.iter().flat_map(|value| json::texts(value)).filter(move |text| !known.contains(text))
    }

    /// Whether a PATCH does what the payload wants here.
    pub fn is_carried(&self) -> bool {
        !matches!(self.resolution, Resolution::Left(..))
    }
}
