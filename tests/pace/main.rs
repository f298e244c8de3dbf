//! How fast it goes, and what a service that refuses or fails does to that.
//!
//! | file | what it holds |
//! |---|---|
//! | `rate` | finding what a service bears |
//! | `remembered` | beginning with what was borne before, or with what is told |
//! | `alone` | one referral that is refused among others that are not |
//! | `outage` | a service that fails as a whole |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "a table is asked for")]

mod alone;
mod outage;
mod rate;
mod remembered;
#[path = "../support/mod.rs"]
mod support;
