//! Of which kind the values of an order are, for all of a run alike: numbers where every value is one, points in time
//! where every value is one, and texts where no more than half are either.
//!
//! One odd value among numbers or dates is a mistake in it, and never makes texts of them all.

use super::ordering::{Meaning, OrderValue};
use crate::domain::decimal::{self, DecimalSign};
use crate::domain::excerpt::excerpt;
use crate::domain::finding::Location;
use crate::domain::priority::OrderKind;
use crate::domain::type_error::TypeError;

/// What to do about an odd value.
const MEND: &str = "write it as they are, or nothing: what has no value comes last";

/// What the values of a column are, as far as they were seen.
#[derive(Debug, Default)]
pub struct OrderKinds {
    numbers: Tally,
    times: Tally,
    words: Tally,
    doubtful: u64,
    doubt: Option<OrderDoubt>,
    /// The input that the signs below are of, and the first number of it with a decimal point and with a comma.
    input: u32,
    point: Option<Sample>,
    comma: Option<Sample>,
}

/// How many values are of one kind, and the first of them.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
    first: Option<Sample>,
}

/// A value that was seen, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Where its row begins.
    pub place: Location,
    /// The value, cut short for a message.
    pub shown: String,
}

/// What the values of a column turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// Their kind; `None` where no row gives a value.
    pub kind: Option<OrderKind>,
    /// For text: the first value because of which it is.
    pub because: Option<Sample>,
}

/// A value because of which the kind of a column can't be told.
#[derive(Debug)]
pub struct OrderDoubt {
    /// The value.
    pub sample: Sample,
    /// What is wrong with it, and what would help.
    pub why: TypeError,
}

impl Tally {
    fn add(&mut self, sample: impl FnOnce() -> Sample) {
        self.count += 1;
        self.first.get_or_insert_with(sample);
    }
}

impl OrderKinds {
    /// Takes in a value of the row that begins at `place`. Rows come in the order of the inputs.
    pub fn add(&mut self, place: Location, value: &OrderValue) {
        let sample = || Sample { place, shown: excerpt(&value.text) };
        if self.input != place.input {
            (self.input, self.point, self.comma) = (place.input, None, None);
        }
        match &value.meaning {
            Meaning::Number(_, sign) => {
                self.numbers.add(sample);
                match sign {
                    Some(DecimalSign::Point) => _ = self.point.get_or_insert_with(sample),
                    Some(DecimalSign::Comma) => _ = self.comma.get_or_insert_with(sample),
                    None => {}
                }
                if let (Some(point), Some(comma)) = (&self.point, &self.comma) {
                    let message = format!(
                        "how the file writes numbers is in doubt: {} on line {}, {} on line {}",
                        point.shown, point.place.line, comma.shown, comma.place.line
                    );
                    let why = TypeError { message, hint: Some(decimal::say_sign()) };
                    self.doubt.get_or_insert_with(|| OrderDoubt { sample: sample(), why });
                }
            }
            Meaning::Time(_) => self.times.add(sample),
            Meaning::Word => self.words.add(sample),
            Meaning::Doubtful(why) => {
                self.doubtful += 1;
                self.doubt.get_or_insert_with(|| OrderDoubt { sample: sample(), why: why.clone() });
            }
        }
    }

    /// Returns what all values are.
    ///
    /// # Errors
    /// Where one can be read in two ways, or most are numbers or dates and some are not, or some are numbers and others
    /// dates: the first value of each sort that has to be mended, by their place.
    pub fn conclude(self) -> Result<Seen, Vec<OrderDoubt>> {
        let Self { numbers, times, words, doubtful, doubt, .. } = self;
        let are_few = words.count < numbers.count + times.count + doubtful;
        let odd = words.first.clone().filter(|_| are_few).map(|word| {
            let message = format!("most values are numbers or dates, and {} is neither", word.shown);
            OrderDoubt { why: TypeError::new(message, MEND), sample: word }
        });
        let kind = match (&numbers.first, &times.first) {
            (Some(_), None) => Some(OrderKind::Numbers),
            (None, Some(_)) => Some(OrderKind::Dates),
            _ => None,
        };
        let mut doubts: Vec<OrderDoubt> = doubt.into_iter().chain(odd).collect();
        if doubts.is_empty() && words.first.is_none() {
            doubts.extend(of_two_kinds(numbers, times));
        }
        doubts.sort_by_key(|doubt| doubt.sample.place);
        match (doubts.is_empty(), words.first) {
            (false, _) => Err(doubts),
            (true, Some(word)) => Ok(Seen { kind: Some(OrderKind::Text), because: Some(word) }),
            (true, None) => Ok(Seen { kind, because: None }),
        }
    }
}

/// Returns what is wrong where some values are numbers and others dates: the fewer ones are odd, or else those that come
/// later.
fn of_two_kinds(numbers: Tally, times: Tally) -> Option<OrderDoubt> {
    let (number, time) = (numbers.first?, times.first?);
    let odd_number = (numbers.count, time.place) < (times.count, number.place);
    let (odd, odd_kind, other, other_kind) =
        if odd_number { (number, "number", time, "date") } else { (time, "date", number, "number") };
    let line = other.place.line;
    let message = format!("{} is a {odd_kind}, and {} on line {line} a {other_kind}", odd.shown, other.shown);
    Some(OrderDoubt { sample: odd, why: TypeError::new(message, MEND) })
}
