//! The API as the engine sees it: a trait, so that simulations and tests can stand in for the service.

use std::future::Future;

use crate::api::{Client, Generation, Page, PageLink};
use crate::domain::exchange::{Failure, Reply};
use crate::domain::limit_signal::LimitSignal;
use crate::domain::referral::ReferralId;
use crate::ledger::Ticket;

/// The requests that a run can make. A PATCH takes a [`Ticket`] by value, which only the ledger issues, so a
/// change whose intent isn't on disk cannot be sent.
pub trait Api: Sync {
    /// Reads one referral.
    fn get(&self, id: ReferralId) -> impl Future<Output = Result<Reply, Failure>> + Send;

    /// Reads a page of the list: the first, or the one that the page before linked to.
    fn list(&self, page: Option<&PageLink>) -> impl Future<Output = Result<Page, Failure>> + Send;

    /// Sends the JSON Patch document of a ticket, once.
    fn patch(&self, ticket: Ticket) -> impl Future<Output = Result<Reply, Failure>> + Send;

    /// Returns the generation of the token that requests are sent with now.
    fn generation(&self) -> Generation;

    /// Returns whether a request would be sent without waiting for a token.
    fn has_token(&self) -> bool;

    /// Fetches a token where there is none, or where the present one ends soon.
    fn fetch_token(&self) -> impl Future<Output = ()> + Send;

    /// Takes what the service said last of how much may be asked for.
    fn take_limits(&self) -> Option<LimitSignal> {
        None
    }

    /// Returns whether the service ever accepted a token of this generation. For the first generation this is
    /// assumed.
    fn was_taken(&self, token: Generation) -> bool;

    /// Returns whether the source of the token can provide another one.
    fn can_renew(&self) -> bool;

    /// Fetches another token, unless another worker has done so since `seen`.
    fn renew(&self, seen: Generation) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Fetches a token that has what a policy demanded of the present one, unless another worker has done so since
    /// `seen`. Returns `false` where the source of the token can't be asked for that.
    fn satisfy(&self, _seen: Generation) -> impl Future<Output = Result<bool, Failure>> + Send {
        async { Ok(false) }
    }
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

    fn take_limits(&self) -> Option<LimitSignal> {
        Client::take_limits(self)
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

    async fn satisfy(&self, seen: Generation) -> Result<bool, Failure> {
        Client::satisfy(self, seen).await
    }
}
