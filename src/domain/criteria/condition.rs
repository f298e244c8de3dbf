//! A condition on the members of a referral, and whether a referral meets it.
//!
//! Conditions mean what OData says (URL Conventions 4.01, section 5.1.1): letter case counts, `null` equals `null`
//! alone and is neither less nor greater than anything.

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
                with_value(referral, member, |value| Some(comparison.holds(literal.order(value)?)))
            }
            Self::Text(member, part, wanted) => with_value(referral, member, |value| {
                let Some(value) = value else { return Some(false) };
                let text = json::string(value)?;
                Some(match part {
                    TextPart::Anywhere => text.contains(wanted.as_str()),
                    TextPart::Beginning => text.starts_with(wanted.as_str()),
                    TextPart::End => text.ends_with(wanted.as_str()),
                })
            }),
            Self::Flag(member) => with_value(referral, member, |value| value.map_or(Some(false), boolean)),
            Self::Not(inner) => inner.judge(referral).negated(),
            Self::All(inner) => Truth::all(inner.iter().map(|inner| inner.judge(referral))),
            Self::Any(inner) => Truth::any(inner.iter().map(|inner| inner.judge(referral))),
        }
    }
}

/// Returns the answer to a question about a member's value, `None` for `null`. Unseen where the member is, and where
/// the question has no answer: a value that can't be read may be any.
fn with_value(
    referral: &Snapshot<'_>,
    member: &Pointer,
    answer: impl FnOnce(Option<&RawValue>) -> Option<bool>,
) -> Truth {
    let answer = match referral.find(member, Kind::Text) {
        Presence::Value(value) => answer(Some(value)),
        // Lists may show `null` for what they leave out, and here a referral would be left out for it.
        Presence::Null if !referral.is_whole() => None,
        Presence::Null | Presence::Absent => answer(None),
        Presence::Unseen => None,
    };
    answer.map_or(Truth::Unseen, Truth::from)
}

impl ComparedValue {
    /// Returns how a value compares with this, which is no order where one of the two is `null`; `None` where the
    /// value is of another type, such as a date that is none.
    fn order(&self, value: Option<&RawValue>) -> Option<Option<Ordering>> {
        let Some(value) = value else { return Some((*self == Self::Null).then_some(Ordering::Equal)) };
        match self {
            Self::Null => Some(None),
            Self::Boolean(wanted) => boolean(value).map(|value| Some(value.cmp(wanted))),
            Self::Number(wanted) => number(value).map(|value| Some(value.cmp(wanted))),
            Self::Text(wanted) => json::string(value).map(|value| Some(value.as_ref().cmp(wanted))),
            Self::Instant(wanted) => {
                Instant::parse(&json::string(value)?).map(|value| Some(value.cmp(wanted)))
            }
        }
    }
}

/// Returns the value of `true` or `false`.
fn boolean(value: &RawValue) -> Option<bool> {
    value.get().parse().ok()
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
