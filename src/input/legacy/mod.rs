//! Legacy PUT payloads: from files of several formats to one [`Payload`](crate::domain::change::Payload) or
//! [`Rejected`](crate::domain::change::Rejected) each.
//!
//! | file | what |
//! |---|---|
//! | `folder` | a directory → its files |
//! | `form` | which format a file has, by its extension and its beginning |
//! | `elements` | a JSON array, or objects one after the other → their texts |
//! | `scanner` | where a JSON value ends |
//! | `rejection` | why none of the payloads of a file is taken |
//! | `http` | an `.http` file → its requests |
//! | `piece` | a payload's text, and where in the file each part of it stands |
//! | `lenient` | comments and commas that JSON does not have |
//! | `normalise` | member names in PascalCase, numbers for status and substatus |
//! | `payload` | one text → one payload |
//! | `member`, `members` | a member; the members that are the id, the version and the status |
//! | `read`, `record` | one file from its beginning to its end; a payload and a file once read |
//!
//! What always holds: every payload reaches the sink exactly once, in file order. However large the file, only
//! one payload of it is in memory. Of a request's headers, only `If-Match` is kept.
//!
//! Half a payload is never taken for a whole one. A line of JSON lines and the body of a request stand by
//! themselves: each is one whole object or nothing. In an array, a payload is separated from its neighbours
//! where its brackets and quotes pair, and a comma and the next object, or the end, follow. Where something
//! else follows, it counts as half a payload, and so does everything behind it. Objects one after the other,
//! over lines of their own, are taken where every one of them is valid JSON.

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
mod rejection;
mod scanner;

pub use folder::files;
pub use read::{again, read};
pub use record::{PayloadFile, PayloadRecord};
pub use rejection::FileRejection;

#[cfg(test)]
mod tests;
