//! Migration: turns a legacy PUT payload into the PATCH that does what the PUT would have done.
//!
//! A PUT carries a whole referral, so what its author wanted to change is the difference from the current referral.
//! What PATCH can express of that becomes a [`Desired`](crate::domain::change::Desired) change, and is judged,
//! written and proved like every row of a change file. What PATCH cannot express is reported in a finding.
//!
//! | file | what it does |
//! |---|---|
//! | `migration` | takes one payload through all of these |
//! | `form` | checks that the payload is a referral, and the right one |
//! | `terms` | holds what the user allows payloads to do |
//! | `compare` | compares payload and referral: the members, then the stage |
//! | `diff`, `pairs` | compare the members one by one |
//! | `stage`, `list`, `deep` | compare status and substatus, lists, and what lies within a value |
//! | `equivalence` | decides when two values mean the same |
//! | `difference` | holds what differs, and what a PATCH can do about it |
//! | `stale` | finds payloads made from another version, and what they would have overwritten |
//! | `target` | makes the desired change |
//! | `notes` | makes findings of what differs and is not sent |
//! | `proof` | proves that the findings list all that still differs |

mod compare;
mod deep;
mod diff;
mod difference;
mod equivalence;
mod form;
mod list;
mod migration;
mod notes;
mod pairs;
mod proof;
mod stage;
mod stale;
mod target;
mod terms;

pub use difference::Leftover;
pub use migration::{Migrated, migrate};
pub use terms::Terms;
