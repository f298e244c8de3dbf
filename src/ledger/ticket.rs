//! Tickets: the right to send an item once, which only the ledger's writer issues.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::exchange::Journaled;
use crate::domain::item::Item;
use crate::domain::referral::{ETag, ReferralId};

/// The number of one attempt at sending an item, given by the ledger: a later attempt has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(i64);

impl AttemptId {
    /// Makes the id of the attempt that a backend keeps under this number.
    pub(super) fn numbered(number: i64) -> Self {
        Self(number)
    }

    /// Returns the number that a backend keeps the attempt under.
    pub(super) fn number(self) -> i64 {
        self.0
    }
}

/// The right to send an item once, which shows that its intent is on record. Only the ledger's writer makes
/// one, and the sender takes it by value, so that it can't be used twice.
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
    /// Issues the ticket for an intent that is on record. Only the writer may call this, which
    /// `tests/architecture.rs` checks.
    pub(super) fn issue(attempt: AttemptId, item: Arc<Item>, client_request_id: Uuid) -> Self {
        Self { attempt, item, client_request_id }
    }

    /// Returns the attempt that the ticket is for, with which its answer is recorded later.
    pub fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// Gives the ticket up and returns its attempt, which is not made.
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
