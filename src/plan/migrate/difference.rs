//! What comparing a payload with the referral comes to.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::domain::fields::{Field, Kind, Path};
use crate::domain::finding::Finding;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::rules::{Incomplete, Rule};

/// All that differs.
#[derive(Default)]
pub(super) struct PayloadDiff<'a> {
    /// Where the payload wants something else than the referral says.
    pub differences: Vec<Difference<'a>>,
    /// What differs without being wanted.
    pub remarks: Vec<Leftover>,
    /// Why the payload is no referral.
    pub problems: Vec<Finding>,
    /// What was not seen of the referral, and would have to be.
    pub incomplete: Incomplete,
}

/// A place where the payload wants something else.
pub(super) struct Difference<'a> {
    pub pointer: Pointer,
    pub kind: Kind,
    /// The payload's value.
    pub given: &'a RawValue,
    /// The referral's, `None` where it is absent.
    pub current: Option<&'a RawValue>,
    pub resolution: Resolution,
}

/// What a PATCH can do about a difference.
pub(super) enum Resolution {
    /// Set the value.
    Set(Path, Box<RawValue>),
    /// Put elements at the end of the list.
    Append(Field, Vec<Box<RawValue>>),
    /// Set status and substatus, which go together.
    Stage,
    /// Nothing, by a rule. Where only parts of the value are concerned, as a person would name them.
    Left(Rule, Vec<String>),
}

/// A difference between payload and referral that the document leaves, and the rule that says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// The rule that explains it.
    pub rule: Rule,
    /// The place.
    pub pointer: Pointer,
    /// Which part of the value, where it is about a part: `title of ann@example.com`.
    pub part: Option<String>,
}

impl Leftover {
    pub(super) fn new(rule: Rule, pointer: &Pointer) -> Self {
        Self { rule, pointer: pointer.clone(), part: None }
    }

    /// One for each part, or one for the whole where no part is named.
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
    /// The texts that would be sent here, and that the referral doesn't hold already.
    pub fn new_texts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let sent: &[Box<RawValue>] = match &self.resolution {
            Resolution::Set(_, value) => std::slice::from_ref(value),
            Resolution::Append(_, elements) => elements,
            Resolution::Stage | Resolution::Left(..) => &[],
        };
        let known = self.current.map(json::texts).unwrap_or_default();
        sent.iter().flat_map(|value| json::texts(value)).filter(move |text| !known.contains(text))
    }

    /// Whether a PATCH can do what the payload wants here.
    pub fn is_carried(&self) -> bool {
        !matches!(self.resolution, Resolution::Left(..))
    }
}
