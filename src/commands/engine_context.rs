//! What the engine works with, for whichever command asks for it.

use std::sync::Arc;

use super::environment::Environment;
use super::options::Sending;
use crate::api::Client;
use crate::engine::in_flight::Flights;
use crate::engine::{Context, Event, RequestCounts, Slots};
use crate::pace::Pace;

/// Returns the context that the engine works with, whether it reads or sends, for a run or without one. This context makes no item
/// again after a conflict.
pub fn engine_context<'a>(
    client: &'a Client,
    pace: &'a Pace,
    sending: &Sending,
    environment: &Environment<'a>,
    observe: &'a (dyn Fn(Event) + Sync),
) -> Context<'a, Client> {
    Context {
        api: client,
        pace,
        stop: environment.stop,
        clock: environment.clock,
        slots: Slots::new(sending.concurrency),
        timeout: sending.timeout,
        flights: Flights::default(),
        observe,
        counts: Arc::new(RequestCounts::default()),
        rebase: None,
    }
}
