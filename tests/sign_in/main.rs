//! Signing in at a real OpenID provider: `oidc-provider` from npm, which is certified, in the dress of Entra ID and
//! in that of the RFCs.
//!
//! | file | what it holds |
//! |---|---|
//! | `provider` | the provider in a process of its own, and what a test may do to it |
//! | `page` | somebody in front of a browser: follows redirects, with cookies |
//! | `runs` | runs that have their tokens from a sign-in that is kept |
//! | `flows` | the flows of the protocol: browser, device code, renewal |
//! | `person` | somebody who signs in with the program itself, and what they then run |
//! | `login` | `login`, and the runs after it, in both dresses |
//!
//! It needs Node.js, and the provider below `target`, which `.ci/run` sees to:
//! `mkdir -p target/sign-in-provider && cp tests/sign_in/provider/* target/sign-in-provider/ &&
//! npm ci --prefix target/sign-in-provider --ignore-scripts`

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod flows;
mod login;
mod page;
mod person;
mod provider;
mod runs;
#[path = "../support/mod.rs"]
mod support;
