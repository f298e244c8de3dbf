//! The sandbox: a local Partner API for referrals, to rehearse runs against and to test with.
//!
//! It implements the documentation independently, in order to catch a client that reads it differently. So it
//! shares no code with the rest of the crate, and is as strict as the documentation, whatever this crate's
//! client happens to send. Any request is answered that the service's own definition allows. A
//! [strict](SandboxConfig::strict) sandbox also requires the headers of the documentation, as this crate's
//! client sends them.
//!
//! | file | owns |
//! |---|---|
//! | `http` | the order in which a request is checked, carried out and answered |
//! | `incoming` | a request with its parts parsed: its operation, its headers |
//! | `body` | request bodies, also those that are too large |
//! | `service` | its settings, its state, and the counts of requests |
//! | `store` | the referrals as they are now, and their versions |
//! | `patch` | JSON Patch (RFC 6902), `add` and `replace` only |
//! | `rules` | the patchable paths, their types, the table of transitions |
//! | `list` | query options, order and pages |
//! | `filter` | the expressions of `$filter` |
//! | `members` | the members that the service's definition declares |
//! | `view` | what lists leave out of a referral, and where answers carry its version |
//! | `answer` | responses, with the service's three shapes of error |
//! | `calls` | the ids of the latest requests |
//! | `quota` | the limit on its rate of requests |
//! | `fault` | how it fails on demand |
//! | `seed` | the referrals that it starts with |
//! | `times` | times in the service's notation |
//!
//! What always holds:
//! - A document is applied as a whole or not at all.
//! - Every PATCH that is applied moves the eTag.
//! - The eTags follow from the seed and from the changes of each referral alone, so the same run gives the
//!   same
//!   eTags, whatever the order of its requests.
//! - Numbers are kept as floats, as the service's own contract declares them: `10.50` comes back as `10.5`.

mod answer;
mod body;
mod calls;
mod fault;
mod filter;
mod http;
mod incoming;
mod list;
mod members;
mod patch;
mod quota;
mod rules;
mod seed;
mod service;
mod store;
mod times;
mod view;

pub use fault::{Fault, FaultError};
pub use quota::{Quota, QuotaError, QuotaHeaders, QuotaHeadersError};
pub use seed::SeedError;
pub use service::{Counts, Sandbox, SandboxConfig};
pub use view::{ETagsIn, MemberPath, MemberPathError};

#[cfg(test)]
mod tests;
