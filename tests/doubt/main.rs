//! What was not seen, got lost, or was taken in part.
//!
//! | file | what it holds |
//! |---|---|
//! | `looks` | changes whose answer got lost, and what looks show then |
//! | `settle` | every fault in HTTP, and what it comes to |
//! | `incomplete` | what a list or a snapshot does not show |
//! | `confirmed` | changes that are answered with a yes alone, which pages of the list confirm |
//! | `partly` | what the service takes in part |
//! | `rebase` | what somebody else changed meanwhile |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod confirmed;
mod incomplete;
mod looks;
mod partly;
mod rebase;
mod settle;
#[path = "../support/mod.rs"]
mod support;
