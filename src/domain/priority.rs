//! In which order the changes of a run are sent, as the user asks for it and as it follows from the inputs.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::excerpt::excerpt;
use super::fields::Field;

/// The order of sending that the user asks for: by a column of the input, or by a value of the referrals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// The name of the column, or of the value.
    pub column: String,
    /// Which end comes first.
    pub direction: Direction,
}

/// The end of an order that comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The lowest number, the earliest time, the first letter.
    #[default]
    Asc,
    /// The highest number, the latest time, the last letter.
    Desc,
}

impl Direction {
    /// Returns the name that the setting takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

impl FromStr for Priority {
    type Err = PriorityError;

    /// Parses `COLUMN`, `COLUMN:asc` or `COLUMN:desc`. Any other text behind a colon belongs to the column's name.
    fn from_str(text: &str) -> Result<Self, PriorityError> {
        let (column, direction) = match text.rsplit_once(':') {
            Some((column, end)) if end.trim().eq_ignore_ascii_case("asc") => (column, Direction::Asc),
            Some((column, end)) if end.trim().eq_ignore_ascii_case("desc") => (column, Direction::Desc),
            _ => (text, Direction::default()),
        };
        if column.trim().is_empty() {
            return Err(PriorityError);
        }
        Ok(Self { column: column.to_owned(), direction })
    }
}

/// The error that a text names no column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this names no column")]
pub struct PriorityError;

impl fmt::Display for Priority {
    /// Writes it as it is parsed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.column, self.direction.name())
    }
}

/// What the values of an order are, for all of a run alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderKind {
    /// Numbers, compared to their last digit.
    Numbers,
    /// Points in time; a date alone is its midnight in UTC.
    Dates,
    /// Texts, compared letter by letter; letter case makes no difference.
    Text,
}

impl OrderKind {
    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Dates => "dates",
            Self::Text => "text",
        }
    }
}

/// Where the values of an order come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderedBy {
    /// A column of the inputs, or a member of JSON.
    Column,
    /// The referrals, as they were seen while they were planned.
    Referral,
}

impl OrderedBy {
    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Column => "column",
            Self::Referral => "referral",
        }
    }
}

/// The order in which the changes of a run are sent, as it follows from the inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct SendingOrder {
    /// Where the values come from.
    pub by: OrderedBy,
    /// The name of the column, or of the referrals' value.
    pub name: String,
    /// What the values are.
    pub kind: OrderKind,
    /// Which end comes first.
    pub direction: Direction,
    /// The number of changes without a value, which come last in file order; `None` until all are planned.
    pub without: Option<u64>,
    /// The number of changes whose referral was seen without a hint of its value: they come last too, and are not among
    /// those without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub unseen: Option<u64>,
}

impl SendingOrder {
    /// Returns the value of the referrals that it goes by, if it does.
    pub fn field(&self) -> Option<Field> {
        (self.by == OrderedBy::Referral).then(|| referral_value(&self.name))?
    }
}

impl fmt::Display for SendingOrder {
    /// Tells people, as in `by the column "Priority" (numbers, lowest first); 3 without a value come last`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            OrderedBy::Column => write!(out, "by the column {}", excerpt(&self.name))?,
            OrderedBy::Referral => write!(out, "by the referrals' {}", self.name)?,
        }
        let first = match (self.kind, self.direction) {
            (OrderKind::Numbers, Direction::Asc) => "lowest first",
            (OrderKind::Numbers, Direction::Desc) => "highest first",
            (OrderKind::Dates, Direction::Asc) => "earliest first",
            (OrderKind::Dates, Direction::Desc) => "latest first",
            (OrderKind::Text, Direction::Asc) => "from A to Z",
            (OrderKind::Text, Direction::Desc) => "from Z to A",
        };
        write!(out, " ({}, {first})", self.kind.name())?;
        match self.without {
            None | Some(0) => {}
            Some(1) => write!(out, "; 1 without a value comes last")?,
            Some(without) => write!(out, "; {without} without a value come last")?,
        }
        match self.unseen {
            None | Some(0) => Ok(()),
            Some(1) => write!(out, "; 1 whose value was not shown comes last"),
            Some(unseen) => write!(out, "; {unseen} whose value was not shown come last"),
        }
    }
}

/// The values of referrals that changes can be sent in the order of.
pub const REFERRAL_VALUES: [Field; 2] = [Field::DealValue, Field::ClosingDateTime];

/// Returns the value of the referrals of a name, which may be written as a pointer or a path; letter case and spaces
/// make no difference.
pub fn referral_value(name: &str) -> Option<Field> {
    let plain = |text: &str| text.trim_start_matches('/').replace(['.', '/'], "/").to_lowercase();
    let typed: String = plain(&name.chars().filter(|c| !c.is_whitespace()).collect::<String>());
    REFERRAL_VALUES.into_iter().find(|field| {
        let pointer = plain(field.pointer().as_str());
        pointer == typed || pointer.rsplit('/').next() == Some(typed.as_str())
    })
}

/// Returns the last name of a field, which people call it by.
pub fn short_name(field: Field) -> String {
    field.pointer().as_str().rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_stands_behind_the_last_colon() {
        use Direction::{Asc, Desc};
        for (text, wanted) in [
            ("Priority", Some(("Priority", Asc))),
            ("Priority:asc", Some(("Priority", Asc))),
            ("Priority:DESC", Some(("Priority", Desc))),
            ("Due: date:desc", Some(("Due: date", Desc))),
            ("Due: date", Some(("Due: date", Asc))),
            ("a:desc:asc", Some(("a:desc", Asc))),
            ("Priority:", Some(("Priority:", Asc))),
            ("Priority:down", Some(("Priority:down", Asc))),
            ("", None),
            (" :desc", None),
            (":asc", None),
        ] {
            let read = text.parse::<Priority>().ok();
            let told = read.as_ref().map(|read| (read.column.as_str(), read.direction));
            assert_eq!(told, wanted, "{text}");
            if let Some(read) = read {
                assert_eq!(read.to_string().parse(), Ok(read));
            }
        }
    }

    #[test]
    fn two_values_of_referrals_have_names() {
        for (name, wanted) in [
            ("dealValue", Some(Field::DealValue)),
            ("Deal Value", Some(Field::DealValue)),
            ("details.dealValue", Some(Field::DealValue)),
            ("/details/dealValue", Some(Field::DealValue)),
            ("closingdatetime", Some(Field::ClosingDateTime)),
            ("/details/closingDateTime", Some(Field::ClosingDateTime)),
            ("/dealValue", Some(Field::DealValue)),
            ("details", None),
            ("currency", None),
            ("", None),
        ] {
            assert_eq!(referral_value(name), wanted, "{name}");
        }
        let names: Vec<String> = REFERRAL_VALUES.into_iter().map(short_name).collect();
        assert_eq!(names, ["dealValue", "closingDateTime"]);
    }

    #[test]
    fn an_order_is_told() {
        use {Direction::*, OrderKind::*, OrderedBy::*};
        for (by, kind, direction, without, wanted) in [
            (Column, Numbers, Asc, None, "by the column \"Due\" (numbers, lowest first)"),
            (Column, Text, Desc, Some(0), "by the column \"Due\" (text, from Z to A)"),
            (
                Column,
                Dates,
                Asc,
                Some(1),
                "by the column \"Due\" (dates, earliest first); 1 without a value comes last",
            ),
            (
                Referral,
                Numbers,
                Desc,
                Some(3),
                "by the referrals' Due (numbers, highest first); 3 without a value come last",
            ),
            (Column, Text, Asc, None, "by the column \"Due\" (text, from A to Z)"),
            (Column, Dates, Desc, None, "by the column \"Due\" (dates, latest first)"),
        ] {
            let order = SendingOrder { by, name: "Due".to_owned(), kind, direction, without, unseen: None };
            assert_eq!(order.to_string(), wanted);
        }
        let order = |without, unseen| SendingOrder {
            by: Referral,
            name: "Due".to_owned(),
            kind: Dates,
            direction: Asc,
            without,
            unseen,
        };
        let told = "by the referrals' Due (dates, earliest first)";
        for (without, unseen, wanted) in [
            (0, 1, "; 1 whose value was not shown comes last"),
            (2, 3, "; 2 without a value come last; 3 whose value was not shown come last"),
        ] {
            assert_eq!(order(Some(without), Some(unseen)).to_string(), format!("{told}{wanted}"));
        }
    }
}
