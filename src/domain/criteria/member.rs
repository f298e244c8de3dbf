//! The members that a condition may name, and what each may be compared with.
//!
//! A comparison with a value of another type holds for no referral, and its opposite for all of them. Nobody means
//! that, so it is refused.

use super::condition::{ComparedValue, Comparison};
use super::error::{ConditionError, SAMPLE};
use crate::domain::excerpt::{beginning, excerpt};
use crate::domain::fields::{self, Field, Kind, Resolved};
use crate::domain::pointer::Pointer;
use crate::domain::status::{Stage, Status};

/// A member of a referral, with the type of its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ComparedMember {
    pub pointer: Pointer,
    kind: MemberType,
}

/// The type of a member's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MemberType {
    Text,
    /// One of the words for a status.
    Status,
    /// One of the words for a substatus.
    Substatus,
    Number,
    Boolean,
    Time,
    /// Any scalar: nobody documents which.
    Open,
    /// A list or an object.
    Nested,
}

/// Members that can't be changed, and others besides those of `domain::fields`, with their types.
const OTHERS: [(&str, MemberType); 25] = [
    ("/id", MemberType::Text),
    ("/engagementId", MemberType::Text),
    ("/organizationId", MemberType::Text),
    ("/organizationName", MemberType::Text),
    ("/createdDateTime", MemberType::Time),
    ("/updatedDateTime", MemberType::Time),
    ("/expirationDateTime", MemberType::Time),
    ("/acceptedDateTime", MemberType::Time),
    ("/closedDateTime", MemberType::Time),
    ("/eTag", MemberType::Text),
    ("/links", MemberType::Nested),
    ("/direction", MemberType::Text),
    ("/quality", MemberType::Open),
    ("/isSpam", MemberType::Boolean),
    ("/tags", MemberType::Nested),
    ("/registrationStatus", MemberType::Text),
    ("/registrations", MemberType::Nested),
    ("/trackingInfo", MemberType::Nested),
    ("/lastModifiedVia", MemberType::Text),
    ("/lastRunId", MemberType::Text),
    ("/createdVia", MemberType::Text),
    ("/mpnId", MemberType::Text),
    ("/favorite", MemberType::Boolean),
    ("/callToAction", MemberType::Text),
    ("/referralSource", MemberType::Text),
];

impl ComparedMember {
    /// Returns the member of a path such as `details/dealValue`, whose letter case counts.
    ///
    /// # Errors
    /// Where there is none, or none that a condition can be about.
    pub(super) fn named(path: &str) -> Result<Self, ConditionError> {
        let typed = format!("/{path}");
        if !known().any(|known| known == typed) {
            let message = format!("{} is no member of a referral", excerpt(path));
            return Err(ConditionError::new(message, nearest_member(path)));
        }
        let pointer =
            Pointer::parse(&typed).map_err(|error| ConditionError::new(error.to_string(), SAMPLE))?;
        match MemberType::of(&pointer) {
            MemberType::Nested => Err(ConditionError::new(
                format!("{path} is a list or an object, which no condition compares"),
                "name a member that is a text, a number, a time, true or false",
            )),
            kind => Ok(Self { pointer, kind }),
        }
    }

    /// Makes sure that the member can be compared so. `typed` is the value as the user wrote it.
    ///
    /// # Errors
    /// Where it is a value of another type, or one that the member never has.
    pub(super) fn compared(
        &self,
        (operator, comparison): (&str, Comparison),
        value: &ComparedValue,
        typed: &str,
    ) -> Result<(), ConditionError> {
        let path = self.path();
        let wrong = |why: String, hint: String| {
            let place = format!("{path} {operator} {}", beginning(typed));
            Err(ConditionError::new(format!("{place}: {why}"), hint))
        };
        if !self.kind.takes(value) {
            let why = format!("{path} is {}, and never {}", self.kind.shown(), shown(value));
            return wrong(why, self.kind.hint().to_owned());
        }
        let is_ordered = !matches!(comparison, Comparison::Eq | Comparison::Ne);
        if is_ordered && matches!(value, ComparedValue::Null | ComparedValue::Boolean(_)) {
            let why = "nothing is less or greater than null, true or false".to_owned();
            return wrong(why, "compare it with eq or ne".to_owned());
        }
        let words: Vec<&str> = match self.kind {
            MemberType::Status => Status::ALL.map(Status::name).to_vec(),
            MemberType::Substatus => Stage::ALL.map(Stage::substatus).to_vec(),
            _ => return Ok(()),
        };
        match value {
            ComparedValue::Text(word) if !words.contains(&word.as_str()) => {
                wrong(format!("this is no {path} that is known"), nearest_word(path, word, &words))
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that the member is true or false.
    ///
    /// # Errors
    /// Where it is something else.
    pub(super) fn into_flag(self) -> Result<Self, ConditionError> {
        match self.kind {
            MemberType::Boolean | MemberType::Open => Ok(self),
            kind => {
                let message =
                    format!("{} stands alone, and is {}, not true or false", self.path(), kind.shown());
                Err(ConditionError::new(message, SAMPLE))
            }
        }
    }

    /// Makes sure that the member is a text.
    ///
    /// # Errors
    /// Where it is something else.
    pub(super) fn into_text(self) -> Result<Self, ConditionError> {
        match self.kind {
            MemberType::Text | MemberType::Status | MemberType::Substatus | MemberType::Open => Ok(self),
            kind => {
                let message = format!("{} is {}, in which no text is looked for", self.path(), kind.shown());
                Err(ConditionError::new(message, kind.hint()))
            }
        }
    }

    fn path(&self) -> &str {
        &self.pointer.as_str()[1..]
    }
}

impl MemberType {
    fn of(pointer: &Pointer) -> Self {
        let of_kind = |kind| match kind {
            Kind::Text | Kind::Currency => Self::Text,
            Kind::Decimal => Self::Number,
            Kind::DateTime => Self::Time,
            Kind::Boolean => Self::Boolean,
            Kind::Members | Kind::Solutions | Kind::Any => Self::Nested,
        };
        match fields::resolve(pointer) {
            Resolved::Field(Field::Status) => Self::Status,
            Resolved::Field(Field::Substatus) => Self::Substatus,
            Resolved::Field(field) => of_kind(field.kind()),
            _ => fields::unconfirmed_kind(pointer.as_str()).map(of_kind).unwrap_or_else(|| {
                let other = OTHERS.iter().find(|(known, _)| *known == pointer.as_str());
                other.map_or(Self::Open, |(_, kind)| *kind)
            }),
        }
    }

    /// Whether a member of this type can have this value. Any may be `null`.
    fn takes(self, value: &ComparedValue) -> bool {
        match value {
            ComparedValue::Null => true,
            ComparedValue::Boolean(_) => matches!(self, Self::Boolean | Self::Open),
            ComparedValue::Number(_) => matches!(self, Self::Number | Self::Open),
            ComparedValue::Instant(_) => matches!(self, Self::Time | Self::Open),
            ComparedValue::Text(_) => {
                matches!(self, Self::Text | Self::Status | Self::Substatus | Self::Open)
            }
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Text | Self::Status | Self::Substatus => "a text",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Time => "a time",
            Self::Open | Self::Nested => "something else",
        }
    }

    /// Returns how to write a value of this type.
    fn hint(self) -> &'static str {
        match self {
            Self::Text | Self::Status | Self::Substatus => "put a text in single quotes",
            Self::Number => "write a number without quotes, as in 10000",
            Self::Boolean => "write true or false without quotes",
            Self::Time => "write a time without quotes, as in 2026-12-31 or 2026-12-31T17:00:00Z",
            Self::Open | Self::Nested => SAMPLE,
        }
    }
}

fn shown(value: &ComparedValue) -> &'static str {
    match value {
        ComparedValue::Null => "null",
        ComparedValue::Boolean(_) => "true or false",
        ComparedValue::Number(_) => "a number",
        ComparedValue::Text(_) => "a text",
        ComparedValue::Instant(_) => "a time",
    }
}

fn known() -> impl Iterator<Item = String> {
    let others = OTHERS.iter().map(|(pointer, _)| (*pointer).to_owned());
    fields::known_pointers().chain(others)
}

/// The similarity from which on one name is taken for a mistyped other.
const LIKELY: f64 = 0.6;

/// Returns the hint with the member that was probably meant.
fn nearest_member(path: &str) -> String {
    let last = |path: &str| path.rsplit(['/', '.']).next().unwrap_or_default().to_owned();
    let nearest = known()
        .map(|known| (likeness(&last(&known), &last(path)), known))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest {
        Some((likeness, known)) if likeness >= LIKELY => format!("did you mean {}?", &known[1..]),
        _ => "name it as the service does, as in status or details/dealValue".to_owned(),
    }
}

/// Returns the hint with the word that was probably meant, and how to ask for one that is none of them.
fn nearest_word(path: &str, typed: &str, words: &[&str]) -> String {
    let nearest = words
        .iter()
        .map(|word| (likeness(word, typed.trim()), word))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest {
        Some((likeness, word)) if likeness >= LIKELY => format!("did you mean '{word}'?"),
        _ => format!("known are {}; another is found by contains({path},'…')", words.join(", ")),
    }
}

fn likeness(one: &str, other: &str) -> f64 {
    // Comparing takes time with the product of both lengths.
    let start: String = other.chars().take(100).collect();
    strsim::normalized_damerau_levenshtein(&one.to_lowercase(), &start.to_lowercase())
}
