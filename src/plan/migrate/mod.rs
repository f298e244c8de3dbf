//! From a legacy PUT payload to the PATCH that does what the PUT would have done.
//!
//! A PUT carries a whole referral, so what its author meant is the difference from the referral as it
//! stands. What PATCH can express of it becomes a [`Wish`](crate::domain::change::Wish), and goes the
//! way of every change file's row: judged, written, proved. What it can't is said in a finding.
//!
//! | file | what it does |
//! |---|---|
//! | `migration` | takes one payload through all of these |
//! | `form` | whether the payload is a referral at all, and the right one |
//! | `walk`, `pairs` | compare payload and referral member by member |
//! | `alike` | says when two values mean the same |
//! | `stage`, `list`, `deep` | compare status and substatus, lists, and what lies within a value |
//! | `difference` | what differs, and what can be done about it |
//! | `stale` | whether the payload was made from another version, and what it would have overwritten |
//! | `wish` | makes the wish |
//! | `notes` | says what is left, as findings |
//! | `proof` | has the document proved, and explains what still differs |

mod alike;
mod deep;
mod difference;
mod form;
mod list;
mod migration;
mod notes;
mod pairs;
mod proof;
mod stage;
mod stale;
mod walk;
mod wish;

use std::collections::BTreeSet;

pub use difference::Left;

use self::migration::Migration;
use super::judging::{Judging, Planned};
use crate::domain::json::Object;
use crate::domain::payload::Payload;
use crate::domain::pointer::Pointer;
use crate::domain::snapshot::Snapshot;

/// What the user allows payloads to do.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The unconfirmed paths that may be patched.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether what a payload empties is emptied.
    pub clear: bool,
    /// What is taken from payloads that are stale: fields, or what holds them.
    pub take: BTreeSet<Pointer>,
}

/// What a payload comes to.
pub struct Migrated {
    /// Its item, and what it adds to the audit.
    pub planned: Planned,
    /// Where the payload differs from what the document makes of the referral, and which rule says so.
    /// The findings tell it to people, unless a rule's level keeps them from it.
    pub left: Vec<Left>,
}

/// Makes the item of a payload for a referral as it stands. `members` are those of its body, where somebody
/// has read them. `base` is the referral as it was when the payload was made, where anybody knows; `number` is
/// the payload's ordinal in the run.
pub fn migrate(
    payload: &Payload,
    members: Option<&Object<'_>>,
    current: &Snapshot<'_>,
    base: Option<&Snapshot<'_>>,
    terms: &Terms,
    judging: &Judging,
    number: u64,
) -> Migrated {
    Migration { payload, members, current, base, terms, judging, number }.run()
}
