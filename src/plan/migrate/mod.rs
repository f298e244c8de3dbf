//! From a legacy PUT payload to the PATCH that does what the PUT would have done.
//!
//! A PUT carries a whole referral, so what its author meant is the difference from the referral as it
//! stands. What PATCH can express of it becomes a [`Desired`](crate::domain::change::Desired), and goes the
//! way of every change file's row: judged, written, proved. What it can't is said in a finding.
//!
//! | file | what it does |
//! |---|---|
//! | `migration` | takes one payload through all of these |
//! | `form` | whether the payload is a referral at all, and the right one |
//! | `terms` | what the user allows payloads to do |
//! | `compare` | compares payload and referral: the members, then the stage |
//! | `diff`, `pairs` | compare payload and referral member by member |
//! | `equivalence` | says when two values mean the same |
//! | `stage`, `list`, `deep` | compare status and substatus, lists, and what lies within a value |
//! | `difference` | what differs, and what can be done about it |
//! | `stale` | whether the payload was made from another version, and what it would have overwritten |
//! | `target` | makes the desired change |
//! | `notes` | says what is left, as findings |
//! | `proof` | has the document proved, and explains what still differs |

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
