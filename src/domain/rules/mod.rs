//! The rules that a change is judged by.
//!
//! | file | what it does |
//! |---|---|
//! | [`catalogue`] | names the rules, with their default levels |
//! | [`levels`] | holds the level of every rule, as the user set it |
//! | [`transitions`] | holds the documented table of statuses as data |
//! | `differences` | finds what is wanted and not there yet |
//! | [`judge()`] | asks every rule about these differences |
//! | [`ask_about_return`] | asks every rule about a change that takes an earlier one back |
//! | `joined` | puts elements into a list and keeps its others |
//! | `shown` | compares what a row shows of members that it can't change |
//! | `provisos` | drops what was found in cells that show what the referral has |
//! | `findings` | collects findings, each at the level of its rule |
//! | `incomplete` | collects the unseen members that a judgement depends on |
//! | `three_way` | tells which of the differences touch what somebody else changed since the base |
//!
//! Always: [`judge()`] alone builds an [`Approved`], so every planned change has passed it. A decision that
//! depends on an unseen member is not made: see [`Incomplete`].

pub mod catalogue;
mod differences;
mod findings;
mod incomplete;
mod joined;
mod judge;
pub mod levels;
mod provisos;
mod returning;
mod shown;
mod three_way;
pub mod transitions;

pub use catalogue::Rule;
pub use incomplete::Incomplete;
pub use judge::{Approved, Judged, Judgement, judge};
pub use levels::Levels;
pub use returning::ask_about_return;
pub use three_way::PlacedChange;
