//! The rules that a change is judged by.
//!
//! [`catalogue`] names them, with their default levels; [`transitions`] holds the documented table
//! of statuses as data; [`judge()`] applies them. [`judge()`] alone builds an [`Approved`], so whatever
//! is planned has passed here.

pub mod catalogue;
mod judge;
pub mod transitions;

pub use catalogue::{Levels, Rule};
pub use judge::{Approved, Judged, judge};
