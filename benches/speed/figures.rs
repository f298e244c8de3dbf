//! What was measured, beside its yardstick and its goal, and the tables that show it. The tests of the documents read it,
//! too.

use serde::{Deserialize, Serialize};

/// The figures of a part of the bench, and how they were measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    pub part: String,
    pub how: String,
    pub figures: Vec<Figure>,
}

/// One figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    what: String,
    yardstick: String,
    value: f64,
    unit: Unit,
    goal: Goal,
    /// Whether the README shows it.
    is_among_few: bool,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A ratio, or a number of requests for one referral.
    Ratio,
    /// A number of things.
    Count,
    /// Seconds.
    Seconds,
    /// Microseconds.
    Microseconds,
    /// 10⁶ bytes.
    Megabytes,
    /// A share, of which 1 is all.
    Percent,
}

/// What a value is to be.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Nothing: it says what another figure is made of.
    None,
}

impl Figure {
    /// Returns a figure without a yardstick that only the long table shows.
    pub fn new(what: impl Into<String>, value: f64, unit: Unit, goal: Goal) -> Self {
        Self { what: what.into(), yardstick: String::new(), value, unit, goal, is_among_few: false }
    }

    /// Names what it is beside.
    pub fn beside(self, yardstick: impl Into<String>) -> Self {
        Self { yardstick: yardstick.into(), ..self }
    }

    /// Has the README show it, too.
    pub fn among_few(self) -> Self {
        Self { is_among_few: true, ..self }
    }

    fn is_met(&self) -> Option<bool> {
        match self.goal {
            Goal::AtMost(most) => Some(self.value <= most),
            Goal::AtLeast(least) => Some(self.value >= least),
            Goal::None => None,
        }
    }

    fn row(&self) -> String {
        let Self { what, yardstick, value, unit, goal, .. } = self;
        let measured = unit.written(*value);
        let measured = if self.is_met() == Some(false) { format!("**{measured}**") } else { measured };
        let goal = match goal {
            Goal::AtMost(most) => format!("≤ {}", unit.written(*most)),
            Goal::AtLeast(least) => format!("≥ {}", unit.written(*least)),
            Goal::None => String::new(),
        };
        format!("| {what} | {yardstick} | {measured} | {goal} |\n")
    }
}

impl Unit {
    fn written(self, value: f64) -> String {
        match self {
            Self::Ratio => format!("{value:.2}"),
            Self::Count => grouped(value),
            Self::Seconds if value < 1.0 => format!("{:.0} ms", value * 1e3),
            Self::Seconds => format!("{value:.1} s"),
            Self::Microseconds => format!("{value:.1} µs"),
            Self::Megabytes => format!("{value:.0} MB"),
            Self::Percent => format!("{:.1} %", value * 1e2),
        }
    }
}

/// Writes a number of things with a comma before every three digits.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the table of these figures.
pub fn table<'f>(figures: impl IntoIterator<Item = &'f Figure>) -> String {
    let mut table = "| what | beside | measured | goal |\n|---|---|---:|---:|\n".to_owned();
    figures.into_iter().for_each(|figure| table += &figure.row());
    table
}

/// Returns the table of all figures, with how they were measured, and that of those that most people ask for.
pub fn tables(record: &[Measured]) -> (String, String) {
    let figures = || record.iter().flat_map(|measured| &measured.figures);
    let how = |measured: &Measured| format!("- `{}`: {}\n", measured.part, measured.how);
    let hows: String = record.iter().map(how).collect();
    (format!("{}\n{hows}", table(figures())), table(figures().filter(|figure| figure.is_among_few)))
}
