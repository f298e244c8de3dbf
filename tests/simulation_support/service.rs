//! The simulated service as the engine sees it.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use referral_bulk::api::{Generation, Page, PageLink};
use referral_bulk::domain::exchange::{Failure, Reply};
use referral_bulk::domain::referral::ReferralId;
use referral_bulk::engine::Api;
use referral_bulk::ledger::Ticket;
use serde_json::Value;
use tokio::time::sleep;
use uuid::Uuid;

use super::answer;
use super::world::{Ask, Listing, World};

/// A handle on the world, for one process.
pub struct Service {
    world: Arc<Mutex<World>>,
    /// One token is fetched at a time.
    fetching: tokio::sync::Mutex<()>,
}

/// A request that somebody waits for, until this is dropped.
struct Waiting<'a> {
    service: &'a Service,
    call: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.service.world().drop_call(self.call);
    }
}

impl Service {
    pub fn new(world: &Arc<Mutex<World>>) -> Self {
        Self { world: Arc::clone(world), fetching: tokio::sync::Mutex::default() }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Never ends where the process is killed meanwhile.
    async fn exchange(&self, ask: Ask) -> Result<Reply, Failure> {
        let call = {
            let mut world = self.world();
            if world.token_is_lost() {
                world.laws_on_unsent(&ask);
                return Err(answer::no_token());
            }
            world.begin_call(ask)
        };
        let Some(call) = call else { return pending().await };
        let _waiting = Waiting { service: self, call: call.number };
        sleep(Duration::from_millis(call.takes)).await;
        let answer = self.world().end_call(call);
        match answer {
            Some(answer) => answer,
            None => pending().await,
        }
    }
}

impl Api for Service {
    async fn get(&self, id: ReferralId) -> Result<Reply, Failure> {
        self.exchange(Ask::Get(id)).await
    }

    async fn list(&self, page: Option<&PageLink>) -> Result<Page, Failure> {
        let listing = page.map_or(Listing::default(), Listing::of);
        let Reply { body, .. } = self.exchange(Ask::List(listing)).await?;
        let next = serde_json::from_str::<Value>(&body).ok().and_then(|body| body["next"].as_u64());
        let next = next.map(|skip| Listing { skip: usize::try_from(skip).unwrap(), ..listing }.link());
        Ok(Page { text: body, next, client_request_id: Uuid::nil() })
    }

    async fn patch(&self, ticket: Ticket) -> Result<Reply, Failure> {
        self.exchange(Ask::of_ticket(&ticket)).await
    }

    fn generation(&self) -> Generation {
        Generation(self.world().token())
    }

    /// A request takes no time to find one: only a refusal has one fetched.
    fn has_token(&self) -> bool {
        true
    }

    async fn fetch_token(&self) {}

    /// A refresh brings a good token, or none.
    fn was_taken(&self, _: Generation) -> bool {
        true
    }

    fn can_renew(&self) -> bool {
        true
    }

    async fn renew(&self, seen: Generation) -> Result<(), Failure> {
        let _fetching = self.fetching.lock().await;
        if self.world().token_is_lost() {
            return Err(answer::no_token());
        }
        if self.generation() != seen {
            return Ok(());
        }
        sleep(Duration::from_millis(30)).await;
        self.world().renew()
    }
}
