//! In which order the items of a plan are to be sent, where that is not the order of the inputs.

use std::fmt;

use crate::domain::account::RowText;
use crate::domain::priority::Direction;
use crate::domain::sort_key::SortKey;
use crate::domain::subject::Subject;

/// Says by which keys items are put in order.
pub struct OrderKeys {
    /// Where the keys are taken from.
    pub of: KeySource,
    /// Whether the item with the smallest key or with the largest comes first.
    pub direction: Direction,
}

/// How many items were put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// All that are to be sent: each has a place.
    pub items: u64,
    /// Those among them without a key, which come last.
    pub without: u64,
}

/// Returns the key of a row.
type RowKey = Box<dyn Fn(u32, &RowText) -> Option<SortKey> + Send>;

/// Returns the key of what was seen of a referral.
type SubjectKey = Box<dyn Fn(&Subject) -> Option<SortKey> + Send>;

/// Takes a key from what is on record.
pub enum KeySource {
    /// From a row: the number of its input, counted from 0, and what was read. Of several rows of one item that counts
    /// whose key comes first.
    Rows(RowKey),
    /// From what was seen of the item's referral.
    Subjects(SubjectKey),
    /// From nowhere: the items stay in the order of the inputs.
    Inputs,
}

impl fmt::Debug for OrderKeys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match self.of {
            KeySource::Rows(_) => "rows",
            KeySource::Subjects(_) => "subjects",
            KeySource::Inputs => "inputs",
        };
        out.debug_struct("OrderKeys").field("of", &of).field("direction", &self.direction).finish()
    }
}
