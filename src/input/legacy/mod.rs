//! Legacy PUT payloads: from files of several forms to one [`Payload`](crate::domain::change::Payload) or
//! [`Rejected`](crate::domain::change::Rejected) each.
//!
//! | file | what |
//! |---|---|
//! | `folder` | a folder → its files |
//! | `form` | which form a file has, by its extension and its beginning |
//! | `elements` | a JSON array, or objects one after the other → their texts |
//! | `scanner` | where a JSON value ends |
//! | `condemned` | what a file as a whole says of its payloads |
//! | `http` | an `.http` file → its requests |
//! | `piece` | a payload's text, and where in the file each part of it stands |
//! | `lenient` | comments and commas that JSON does not have |
//! | `normalise` | member names in PascalCase, numbers for words |
//! | `payload` | one text → one payload |
//! | `member`, `members` | a member; those that are the id, the version, the status |
//! | `read`, `record` | one file from its beginning to its end, and what comes of a payload |
//!
//! What always holds: every payload reaches the sink exactly once, in file order; and however large the file,
//! only one payload of it is in memory. Of a request's headers, `If-Match` alone is kept.
//!
//! Half a payload is none. A line of JSON lines and the body of a request stand by themselves, and are one
//! object each or nothing. Of an array, a payload is told from its neighbours where its brackets and quotes
//! pair and a comma and the next object, or the end, follow; where something else does, it is taken for half
//! of one, and so is all behind it. Objects one after the other, over lines of their own, count where every
//! one of them is JSON.

mod condemned;
mod elements;
mod folder;
mod form;
mod http;
mod lenient;
mod member;
mod members;
mod normalise;
mod payload;
mod piece;
mod read;
mod record;
mod scanner;

pub use condemned::Condemned;
pub use folder::files;
pub use read::{again, read};
pub use record::{Ended, PayloadRecord};

#[cfg(test)]
mod tests;
