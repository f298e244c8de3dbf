//! The words of the page: outcomes, lists, times and shares, as people read them.

use std::fmt;

use jiff::Timestamp;

use super::super::format::{counted, grouped};
use super::super::summary::{Rows, Summary};
use crate::domain::outcome::Outcome;

/// The value of a cell that has none.
pub(super) const NONE: &str = "–";

/// The outcomes that are as wanted: nobody has to look at their rows.
const GOOD: [Outcome; 3] = [Outcome::Applied, Outcome::Unchanged, Outcome::Planned];

/// Whether rows of an outcome are as wanted.
pub(super) fn is_good(outcome: Outcome) -> bool {
    GOOD.contains(&outcome)
}

/// Returns in a few words what an outcome means for its row.
pub(super) fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "written, and confirmed",
        Outcome::Unchanged => "it already was so; nothing sent",
        Outcome::Planned => "would be written",
        Outcome::Conflict => "changed by others; nothing overwritten",
        Outcome::Invalid => "a rule or its form; nothing sent",
        Outcome::Refused => "the service said no",
        Outcome::Failed => "given up after retries; not applied",
        Outcome::Partial => "the service took some of its fields",
        Outcome::Unknown => "sent, and no answer settled it",
        Outcome::Unsent => "the run stopped first",
    }
}

/// Returns a number of rows of an outcome, as in `7 conflicts` and `2 unknown`.
pub(super) fn named(outcome: Outcome, rows: u64) -> String {
    match outcome {
        Outcome::Conflict => counted(rows, "conflict"),
        Outcome::Invalid => counted(rows, "invalid row"),
        Outcome::Refused => counted(rows, "refusal"),
        Outcome::Failed => counted(rows, "failure"),
        Outcome::Partial => format!("{} partly taken", grouped(rows)),
        Outcome::Unsent => format!("{} not sent", grouped(rows)),
        Outcome::Applied | Outcome::Unchanged | Outcome::Planned | Outcome::Unknown => {
            format!("{} {}", grouped(rows), outcome.name())
        }
    }
}

/// Returns the number of rows of an outcome.
pub(super) fn rows_of(rows: &Rows, outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Applied => rows.applied,
        Outcome::Unchanged => rows.unchanged,
        Outcome::Planned => rows.planned,
        Outcome::Conflict => rows.conflict,
        Outcome::Invalid => rows.invalid,
        Outcome::Refused => rows.refused,
        Outcome::Failed => rows.failed,
        Outcome::Partial => rows.partial,
        Outcome::Unknown => rows.unknown,
        Outcome::Unsent => rows.unsent,
    }
}

/// Returns the outcomes that rows have, with their numbers, in the order of reports.
pub(super) fn outcomes_of(rows: &Rows) -> Vec<(Outcome, u64)> {
    let counts = Outcome::ALL.into_iter().map(|outcome| (outcome, rows_of(rows, outcome)));
    counts.filter(|(_, rows)| *rows > 0).collect()
}

/// Joins parts of a sentence: `a`, `a and b`, `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(parts: &[T]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [others @ .., last] => {
            let others: Vec<&str> = others.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", others.join(", "), last.as_ref())
        }
    }
}

/// Returns a text that begins with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Returns a text that begins with a small letter.
pub(super) fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// Returns `one` for a single thing, else `several`.
pub(super) fn by_number<'a>(number: u64, one: &'a str, several: &'a str) -> &'a str {
    if number == 1 { one } else { several }
}

/// Returns that the inputs have no rows, as a sentence.
pub(super) fn no_rows(summary: &Summary) -> String {
    let input = by_number(summary.inputs.len() as u64, "input has", "inputs have");
    format!("The {input} no rows.")
}

/// Returns a time to the minute: `31 December 2026, 15:07 UTC`.
pub(super) fn to_the_minute(time: Timestamp) -> String {
    time.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// Returns a time to the second: `31 Dec 2026, 15:07:28 UTC`.
pub(super) fn to_the_second(time: Timestamp) -> String {
    time.strftime("%-d %b %Y, %H:%M:%S UTC").to_string()
}

/// Returns a stretch of time: `31 Dec 2026, 15:02:11 to 15:07:28 UTC`. A day is named again only where it is another.
pub(super) fn from_to(from: Timestamp, to: Timestamp) -> String {
    let day = |time: Timestamp| time.strftime("%-d %b %Y").to_string();
    let begun = from.strftime("%-d %b %Y, %H:%M:%S");
    if day(from) == day(to) {
        format!("{begun} to {} UTC", to.strftime("%H:%M:%S"))
    } else {
        format!("{begun} to {}", to_the_second(to))
    }
}

/// A part of a whole, in thousandths of a percent, which charts are drawn by. It is written as in `12.345`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Percent(pub(super) u64);

impl Percent {
    /// All of it.
    pub(super) const WHOLE: Self = Self(100_000);

    /// Returns a part of a whole; nothing of nothing. What is left of a thousandth is cut off.
    pub(super) fn of(part: u64, whole: u64) -> Self {
        let thousandths = (u128::from(part) * u128::from(Self::WHOLE.0)).checked_div(u128::from(whole));
        Self(u64::try_from(thousandths.unwrap_or(0)).unwrap_or(Self::WHOLE.0))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_named_in_one_and_in_several() {
        let told = Outcome::ALL.map(|outcome| format!("{}; {}", named(outcome, 1), named(outcome, 2_000)));
        assert_eq!(
            told,
            [
                "1 applied; 2,000 applied",
                "1 unchanged; 2,000 unchanged",
                "1 planned; 2,000 planned",
                "1 conflict; 2,000 conflicts",
                "1 invalid row; 2,000 invalid rows",
                "1 refusal; 2,000 refusals",
                "1 failure; 2,000 failures",
                "1 partly taken; 2,000 partly taken",
                "1 unknown; 2,000 unknown",
                "1 not sent; 2,000 not sent",
            ]
        );
    }

    #[test]
    fn parts_are_listed_as_in_a_sentence() {
        for (parts, wanted) in
            [(&[][..], ""), (&["a"], "a"), (&["a", "b"], "a and b"), (&["a", "b", "c"], "a, b and c")]
        {
            assert_eq!(listed(parts), wanted);
        }
    }

    #[test]
    fn a_stretch_of_time_names_its_day_once() {
        for (from, to, wanted) in [
            ("2026-12-31T15:02:11Z", "2026-12-31T15:07:28.9Z", "31 Dec 2026, 15:02:11 to 15:07:28 UTC"),
            (
                "2026-12-31T23:59:59Z",
                "2027-01-01T00:00:01Z",
                "31 Dec 2026, 23:59:59 to 1 Jan 2027, 00:00:01 UTC",
            ),
        ] {
            assert_eq!(from_to(from.parse().unwrap(), to.parse().unwrap()), wanted);
        }
    }

    #[test]
    fn shares_are_exact_and_never_more_than_the_whole() {
        for (part, whole, wanted) in [
            (0, 0, "0.000"),
            (0, 7, "0.000"),
            (1, 3, "33.333"),
            (2, 3, "66.666"),
            (7, 7, "100.000"),
            (1, 1_000_000, "0.000"),
            (u64::MAX, u64::MAX, "100.000"),
            (u64::MAX - 1, u64::MAX, "99.999"),
        ] {
            assert_eq!(Percent::of(part, whole).to_string(), wanted, "{part} of {whole}");
        }
    }
}
