//! The rules that a change is judged by.
//!
//! [`catalogue`] names them, with their default levels; [`transitions`] holds the documented table
//! of statuses as data; `differences` says what is wanted and not there yet; [`judge()`] asks every
//! rule about it. [`judge()`] alone builds an [`Approved`], so whatever is planned has passed here. What
//! would follow from a member that nobody has seen is not decided: see [`Incomplete`].

pub mod catalogue;
mod differences;
mod findings;
mod incomplete;
mod judge;
pub mod transitions;

pub use catalogue::{Levels, Rule};
pub use differences::PlacedChange;
pub use incomplete::Incomplete;
pub use judge::{Approved, Judged, Judgement, judge};
