//! A local Partner API for referrals: what a run is rehearsed against, and what tests ask.
//!
//! It is an independent reading of the documentation, written to catch a client that reads it
//! otherwise: it shares no code with the rest of the crate, and where the documentation is strict it
//! is strict, whatever the client of this crate happens to send. What the service's own definition
//! allows is answered, whoever asks; a [strict](Config::strict) sandbox wants the headers of the
//! documentation too, as this crate's client sends them.
//!
//! | file | owns |
//! |---|---|
//! | `http` | methods, paths and headers; the order in which a request is judged |
//! | `body` | bodies, and what becomes of those that are too large |
//! | `service` | what there is of it: its settings, its state, what came in |
//! | `store` | the referrals as they stand, and their versions |
//! | `patch` | JSON Patch (RFC 6902), `add` and `replace` alone |
//! | `rules` | the patchable paths, their types, the table of transitions |
//! | `list` | query options, order and pages |
//! | `filter` | the expressions of a filter |
//! | `members` | the members that the definition declares |
//! | `view` | what lists leave out of a referral, and where its version stands |
//! | `answer` | what goes back, with the service's three shapes of error |
//! | `calls` | the ids of the latest calls |
//! | `quota`, `fault` | how often it answers, and how it fails on demand |
//! | `seed` | what it starts with |
//! | `times` | times as the service writes them |
//!
//! What always holds: a document is applied as a whole or not at all; every PATCH that is applied
//! moves the eTag; the eTags follow from the seed and from the changes of each referral alone, so
//! that the same run gives the same eTags whatever the order of its requests. Numbers are kept as
//! floats, as the service's own contract declares them: `10.50` comes back as `10.5`.

mod answer;
mod body;
mod calls;
mod fault;
mod filter;
mod http;
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
pub use quota::{Quota, QuotaError};
pub use seed::SeedError;
pub use service::{Counts, Sandbox, SandboxConfig};
pub use view::{ETagsIn, MemberPath, MemberPathError};

#[cfg(test)]
mod tests;
