//! Change files: from bytes to one [`Draft`](crate::domain::change::Draft) or
//! [`Rejected`](crate::domain::change::Rejected) a row.
//!
//! | file | what |
//! |---|---|
//! | `read` | one file from its beginning to its end |
//! | `options`, `record`, `context` | how a file is read, what comes of a row, and what every part needs to know |
//! | [`error`] | why a file as a whole is no change file |
//! | `form` | what sort of file is said to be here, and whether it is one |
//! | `decode` | bytes → text: hash, byte order marks, UTF-16, line ends |
//! | `separator` | what separates the cells of a CSV |
//! | `watch` | looks at a CSV on its way to the parser: unclosed quotes, sizes, line numbers |
//! | `names` | what a typed column or member name means, and the nearest known one |
//! | `likeness` | how like two names are |
//! | `header` | a CSV's header → its columns |
//! | `no_header` | what a first line is that is none |
//! | `csv` | a CSV's records, one after the other |
//! | `sheet` | a record of cells under its header → a row |
//! | `shape` | whether a record is a row as the header describes it, and what else it may be |
//! | `taken` | rows that a quote took in |
//! | `oddities` | what is odd about a CSV and no mistake |
//! | `cell` | one cell → its row |
//! | `jsonl` | lines → rows |
//! | `lines` | the lines of a text, bounded |
//! | `object` | the members of a JSONL line |
//! | `patch` | the operations of a JSONL line |
//! | `assign` | one JSON value → its row |
//! | `duplicates` | names that stand twice in one JSON object |
//! | `row` | one row while it is being read: values in, a draft or its findings out |
//! | [`legacy`] | legacy PUT payloads: whole referrals, from files of four forms |
//! | `snapshot` | referrals as they stood |
//! | `told` | what a report told of a row that is fed back |
//!
//! What always holds: every data row reaches the sink exactly once, in file order, with everything
//! that is wrong with it and not only the first thing; and however large the file, only a row's worth
//! of it is in memory. A file that is unusable as a whole may have delivered rows before that shows.

mod assign;
mod cell;
mod context;
mod csv;
mod decode;
mod duplicates;
pub mod error;
mod form;
mod header;
mod jsonl;
pub mod legacy;
mod likeness;
mod lines;
mod names;
mod no_header;
mod object;
mod oddities;
mod options;
mod patch;
mod read;
mod record;
mod row;
mod separator;
mod shape;
mod sheet;
mod snapshot;
mod taken;
mod told;
mod watch;

pub use context::sha256;
pub use error::{InputError, Problem, Unusable};
pub use likeness::{is_same_name, nearest_of};
pub use names::is_etag;
pub use options::Options;
pub use read::read;
pub use record::{Read, Record};
pub use snapshot::{SnapshotError, read_pinned_snapshot, read_snapshot};

#[cfg(test)]
mod tests;
