//! The right to send an item once, which only the ledger's writer gives.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::exchange::Journaled;
use crate::domain::item::Item;
use crate::domain::referral::{ETag, ReferralId};

/// One attempt at sending an item, as numbered by the ledger: a later one has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(i64);

impl AttemptId {
    /// The attempt that a backend keeps by this number.
    pub(super) fn numbered(number: i64) -> Self {
        Self(number)
    }

    /// The number that a backend keeps it by.
    pub(super) fn number(self) -> i64 {
        self.0
    }
}

/// The right to send an item once: its intent is on record. Only the ledger's writer makes one, and
/// whoever sends takes it by value.
///
/// ```compile_fail,E0451
/// # use std::sync::Arc;
/// # use referral_bulk::{domain::item::Item, ledger::{AttemptId, Ticket}};
/// fn forge(attempt: AttemptId, item: Arc<Item>) -> Ticket {
///     Ticket { attempt, item, client_request_id: uuid::Uuid::nil() }
/// }
/// ```
///
/// ```compile_fail,E0624
/// # use std::sync::Arc;
/// # use referral_bulk::{domain::item::Item, ledger::{AttemptId, Ticket}};
/// fn forge(attempt: AttemptId, item: Arc<Item>) -> Ticket {
///     Ticket::issue(attempt, item, uuid::Uuid::nil())
/// }
/// ```
///
/// ```compile_fail,E0277
/// # use referral_bulk::ledger::Ticket;
/// fn twice(ticket: &Ticket) -> Ticket {
///     Ticket::clone(ticket)
/// }
/// ```
#[derive(Debug)]
pub struct Ticket {
    attempt: AttemptId,
    item: Arc<Item>,
    client_request_id: Uuid,
}

impl Ticket {
    /// Gives the right, for an intent that is on record. For the writer alone, which `tests/architecture.rs` sees
    /// to.
    pub(super) fn issue(attempt: AttemptId, item: Arc<Item>, client_request_id: Uuid) -> Self {
        Self { attempt, item, client_request_id }
    }

    /// The attempt that it is for, to say later what became of it.
    pub fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// The attempt that is not made with it.
    pub(super) fn into_attempt(self) -> AttemptId {
        self.attempt
    }
}

impl Journaled for Ticket {
    fn id(&self) -> ReferralId {
        self.item.id
    }

    fn etag(&self) -> Option<&ETag> {
        self.item.etag.as_ref()
    }

    fn document(&self) -> &str {
        self.item.patch.get()
    }

    fn request_id(&self) -> Uuid {
        self.item.request_id
    }

    fn client_request_id(&self) -> Uuid {
        self.client_request_id
    }
}
