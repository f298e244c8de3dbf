//! What crosses the wire between the program and a service.
//!
//! | file | what it holds |
//! |---|---|
//! | `answers` | whatever a server answers |
//! | `tokens` | where tokens come from, and what follows when one is refused |
//! | `traffic` | ids, tokens that are sent back, and answers that have no end |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod answers;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod traffic;
