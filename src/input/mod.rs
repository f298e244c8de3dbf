//! Change files, legacy payloads and snapshots: from bytes to one [`Draft`](crate::domain::change::Draft) or
//! [`Rejected`](crate::domain::change::Rejected) per row.
//!
//! | file | what |
//! |---|---|
//! | `read` | reads one change file from its beginning to its end |
//! | `options`, `record`, `context` | how a file is read; a row and a file once read; what every part needs to know |
//! | [`error`] | why a file as a whole can't be used |
//! | `form` | which format a file has, by what the user says or its extension, and whether its content agrees |
//! | `gzip` | what a compressed file holds |
//! | `hashing` | the SHA-256 of a file's own bytes, on the way |
//! | `decode` | bytes → text: byte order marks, UTF-16, line ends |
//! | `separator` | which character separates the cells of a CSV |
//! | `watch` | follows the quoting of a CSV in front of the parser: unclosed quotes, sizes, line numbers |
//! | `names` | what the name of a column or member means, and the nearest known name |
//! | `value_target` | what the value of a column or member is for |
//! | `name_hints` | what is said about a name that means no field |
//! | `mapping` | what columns of somebody else's files are mapped to |
//! | `naming`, [`KeyIndex`] | a row's key → its referral, by an index over the referrals as they stand |
//! | `guards` | signs before what a spreadsheet would run, and where they are taken away again |
//! | `header` | a CSV's header → its columns |
//! | `heading` | which sort of header a table has |
//! | [`portal`] | the files of Partner Center's own |
//! | `no_header` | what a first line is where it is no header |
//! | `csv` | a CSV's records, one after the other |
//! | `sheet` | a record of cells under its header → a row |
//! | `shape` | whether a record has the shape that the header says, and what else it may be |
//! | `swallowed` | rows that a quoted cell took in |
//! | `footer` | lines at a file's end that are no rows |
//! | `oddities` | what is unusual about a CSV without being a mistake |
//! | `cell` | one cell → its row |
//! | `cell_type` | whether a typed cell can stand for what its column is for |
//! | `workbook` | one sheet of a workbook → rows |
//! | `notation` | how a file writes numbers, dates and letters |
//! | `id_list` | lists of referrals, of which the ids alone are read |
//! | `jsonl` | JSON lines → rows |
//! | `lines` | the lines of a text, bounded in size |
//! | `line_locator` | where in its line a JSON value stands |
//! | `object` | the members of a JSON line |
//! | `patch` | the operations of a JSON line |
//! | `provisos` | what is found in a cell of a file that shows whole deals, unless the referral has just that |
//! | `assign` | one value → the type of its target → its row |
//! | `duplicates` | names that stand twice in one JSON object |
//! | `row` | one row while it is read, beside the base of the run: typed values in, a draft or its findings out |
//! | [`legacy`] | legacy PUT payloads: whole referrals, from files of four formats |
//! | `snapshot` | snapshot files: referrals as they stood |
//! | [`export`] | change files that are made from referrals: their columns and cells |
//! | `base_file`, `base_row` | the base of a run, which its change files were made from; one row of it |
//! | `base_side` | what the base says of a row while that is read |
//! | `ordering` | the column that changes are sent in the order of, and what its values are |
//! | `earlier_result` | what became of a row in an earlier run, where a report of that run is the input |
//!
//! What always holds: every data row reaches the sink exactly once, in file order, with everything that is
//! wrong with it and not only the first thing. However large the file, only one row of it is in memory at a
//! time. That a file as a whole can't be used may show late, when rows of it were delivered already.

mod assign;
mod base_file;
mod base_row;
mod base_side;
mod cell;
mod cell_type;
mod context;
mod csv;
mod decode;
mod duplicates;
mod earlier_result;
pub mod error;
pub mod export;
mod footer;
mod form;
mod guards;
mod gzip;
mod hashing;
mod header;
mod heading;
mod id_list;
mod jsonl;
mod key_index;
pub mod legacy;
mod line_locator;
mod lines;
mod mapping;
mod name_hints;
mod names;
mod naming;
mod no_header;
mod notation;
mod object;
mod oddities;
mod options;
mod order_kinds;
mod order_member;
mod ordering;
mod patch;
pub mod portal;
mod provisos;
mod read;
mod record;
mod row;
mod separator;
mod shape;
mod sheet;
mod snapshot;
mod swallowed;
mod value_target;
mod watch;
mod workbook;

pub use base_file::{BaseFileError, ReadBase, read_base};
pub use base_row::{BaseRow, BaseRows, ColumnNumbers, ReadAs};
pub use error::{InputError, Problem, Unusable};
pub use form::format_named;
pub use guards::{BETWEEN_NAMES, GUARDED};
pub use gzip::{GzipError, is_gzip};
pub use hashing::sha256;
pub use id_list::read_ids;
pub use key_index::{KeyIndex, NameSight, RowNames, Sight, UnseenNames};
pub use mapping::{MappingError, check_mapping};
pub use names::{field_named, is_etag};
pub use options::{Matching, Options};
pub use order_kinds::{OrderDoubt, OrderKinds, Sample, Seen};
pub use ordering::{ColumnTwice, OrderColumn};
pub use read::read;
pub use record::{Read, Record};
pub use snapshot::{SnapshotFileError, read_pinned_snapshot, read_snapshot, read_text};

#[cfg(test)]
mod tests;
