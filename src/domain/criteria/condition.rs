//! A condition on the members of a referral, and whether a referral meets it.
//!
//! Conditions mean what OData says (URL Conventions 4.01, section 5.1.1): letter case counts, `null` equals `null`
//! alone and is neither less nor greater than anything, and values of two types are never equal.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::truth::Truth;
use crate::domain::fields::Kind;
use crate::domain::instant::Instant;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::snapshot::{Presence, Snapshot};

/// A condition on a referral.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// A comparison of a member with a value.
    Compare(Pointer, Comparison, ComparedValue),
    /// A text that a member holds somewhere.
    Text(Pointer, TextPart, String),
    /// A member that is true.
    Flag(Pointer),
    /// The opposite of a condition.
    Not(Box<Self>),
    /// Every one of these conditions.
    All(Vec<Self>),
    /// At least one of these conditions.
    Any(Vec<Self>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// The part of a text that another text is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextPart {
    /// Anywhere.
    Anywhere,
    /// Its beginning.
    Beginning,
    /// Its end.
    End,
}

/// A value that a member is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ComparedValue {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Decimal),
    /// A text.
    Text(String),
    /// A date or a time.
    Instant(Instant),
}

impl Condition {
    /// Returns whether a referral meets the condition, as far as it was seen.
    pub(super) fn judge(&self, referral: &Snapshot<'_>) -> Truth {
        match self {
            Self::Compare(member, comparison, literal) => {
                with_value(referral, member, |value| comparison.holds(literal.order(value)))
            }
            Self::Text(member, part, wanted) => with_value(referral, member, |value| {
                value.and_then(json::string).is_some_and(|text| match part {
                    TextPart::Anywhere => text.contains(wanted.as_str()),
                    TextPart::Beginning => text.starts_with(wanted.as_str()),
                    TextPart::End => text.ends_with(wanted.as_str()),
                })
            }),
            Self::Flag(member) => {
                with_value(referral, member, |value| value.is_some_and(|value| value.get() == "true"))
            }
            Self::Not(inner) => inner.judge(referral).negated(),
            Self::All(inner) => Truth::all(inner.iter().map(|inner| inner.judge(referral))),
            Self::Any(inner) => Truth::any(inner.iter().map(|inner| inner.judge(referral))),
        }
    }
}

/// Returns the answer to a question about a member's value, `None` for `null`; unseen where the member is.
fn with_value(
    referral: &Snapshot<'_>,
    member: &Pointer,
    is_so: impl FnOnce(Option<&RawValue>) -> bool,
) -> Truth {
    // What conditions compare are scalars, of which a list shows `null` where there is no value.
    match referral.find(member, Kind::Text) {
        Presence::Value(value) => is_so(Some(value)).into(),
        Presence::Null | Presence::Absent => is_so(None).into(),
        Presence::Unseen => Truth::Unseen,
    }
}

impl ComparedValue {
    /// Returns how a value compares with this; `None` where the two have no order.
    fn order(&self, value: Option<&RawValue>) -> Option<Ordering> {
        let Some(value) = value else { return (*self == Self::Null).then_some(Ordering::Equal) };
        match self {
            Self::Null => None,
            Self::Boolean(wanted) => {
                (value.get() == if *wanted { "true" } else { "false" }).then_some(Ordering::Equal)
            }
            Self::Number(wanted) => number(value).map(|value| value.cmp(wanted)),
            Self::Text(wanted) => json::string(value).map(|value| value.as_ref().cmp(wanted)),
            Self::Instant(wanted) => Instant::parse(&json::string(value)?).map(|value| value.cmp(wanted)),
        }
    }
}

/// Returns the value of a JSON number, or of a text that holds one: the service writes amounts in either way.
fn number(value: &RawValue) -> Option<Decimal> {
    let text = json::string(value).unwrap_or_else(|| value.get().into());
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

impl Comparison {
    /// Returns whether values in this order compare so.
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Eq => order == Some(Ordering::Equal),
            Self::Ne => order != Some(Ordering::Equal),
            Self::Lt => order == Some(Ordering::Less),
            Self::Le => order.is_some_and(Ordering::is_le),
            Self::Gt => order == Some(Ordering::Greater),
            Self::Ge => order.is_some_and(Ordering::is_ge),
        }
    }
}
