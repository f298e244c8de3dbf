//! The API as the engine sees it.

use std::future::Future;

use crate::api::{Client, Generation, Page, PageLink};
use crate::domain::exchange::{Failure, Reply};
use crate::domain::referral::ReferralId;
use crate::ledger::Ticket;

/// Every request a run can make. A PATCH takes a [`Ticket`] by value, and the ledger alone has
/// tickets to give, so a change that isn't on disk cannot be sent.
pub trait Api: Sync {
    /// Reads one referral.
    fn get(&self, id: ReferralId) -> impl Future<Output = Result<Reply, Failure>> + Send;

    /// Reads a page of the list: the first, or the one that a page linked to.
    fn list(&self, page: Option<&PageLink>) -> impl Future<Output = Result<Page, Failure>> + Send;

    /// Sends a document, once.
    fn patch(&self, ticket: Ticket) -> impl Future<Output = Result<Reply, Failure>> + Send;

    /// Which token requests are sent with now.
    fn generation(&self) -> Generation;

    /// Whether a request would go out without waiting for a token.
    fn has_token(&self) -> bool;

    /// Sees to it that there is a token, as far as one can be had.
    fn fetch_token(&self) -> impl Future<Output = ()> + Send;

    /// Whether the service ever took a token of this generation; of the first it counts as if it had.
    fn was_taken(&self, token: Generation) -> bool;

    /// Whether there is a way to another token.
    fn can_renew(&self) -> bool;

    /// Gets another token, unless somebody did since `seen`.
    fn renew(&self, seen: Generation) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl Api for Client {
    async fn get(&self, id: ReferralId) -> Result<Reply, Failure> {
        Client::get(self, id).await
    }

    async fn list(&self, page: Option<&PageLink>) -> Result<Page, Failure> {
        Client::list(self, page).await
    }

    async fn patch(&self, ticket: Ticket) -> Result<Reply, Failure> {
        Client::patch(self, ticket).await
    }

    fn generation(&self) -> Generation {
        Client::generation(self)
    }

    fn has_token(&self) -> bool {
        Client::has_token(self)
    }

    async fn fetch_token(&self) {
        Client::fetch_token(self).await;
    }

    fn was_taken(&self, token: Generation) -> bool {
        Client::was_taken(self, token)
    }

    fn can_renew(&self) -> bool {
        Client::can_renew(self)
    }

    async fn renew(&self, seen: Generation) -> Result<(), Failure> {
        Client::renew(self, seen).await
    }
}
