//! A local Partner API for referrals: what a run is rehearsed against, and what tests ask.
//!
//! It is an independent reading of the documentation, written to catch a client that reads it
//! otherwise: it shares no code with the rest of the crate, and where the documentation is strict it
//! is strict, whatever the client of this crate happens to send. What the service's own definition
//! allows is answered, whoever asks; a [strict](Config::strict) sandbox wants the headers of the
//! documentation too, as this crate's client sends them.
//!
//! | file | owns |
//! |---|---|
//! | `http` | methods, paths and headers; the order in which a request is judged |
//! | `body` | bodies, and what becomes of those that are too large |
//! | `store` | the referrals as they stand, and their versions |
//! | `patch` | JSON Patch (RFC 6902), `add` and `replace` alone |
//! | `rules` | the patchable paths, their types, the table of transitions |
//! | `list` | query options, order and pages |
//! | `filter` | the expressions of a filter |
//! | `members` | the members that the definition declares |
//! | `view` | what lists leave out of a referral, and where its version stands |
//! | `answer` | what goes back, with the service's three shapes of error |
//! | `calls` | the ids of the latest calls |
//! | `quota`, `fault` | how often it answers, and how it fails on demand |
//! | `seed` | what it starts with |
//!
//! What always holds: a document is applied as a whole or not at all; every PATCH that is applied
//! moves the eTag; the eTags follow from the seed and from the changes of each referral alone, so
//! that the same run gives the same eTags whatever the order of its requests. Numbers are kept as
//! floats, as the service's own contract declares them: `10.50` comes back as `10.5`.

mod answer;
mod body;
mod calls;
mod fault;
mod filter;
mod http;
mod list;
mod members;
mod patch;
mod quota;
mod rules;
mod seed;
mod store;
mod view;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::serve::ListenerExt;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use fault::{Fault, FaultError};
pub use quota::{Quota, QuotaError};
pub use seed::SeedError;
pub use view::{ETagsIn, MemberPath, NoMemberPath};

use calls::Calls;
use fault::Faults;
use quota::Gate;
use store::Store;
use view::View;

/// How the sandbox behaves beyond what is documented.
#[derive(Debug, Clone)]
pub struct Config {
    /// How many requests it answers in a span of time; `None` answers all.
    pub quota: Option<Quota>,
    /// How many requests it answers at the same time; `None` answers all. One too many is told 503, as nginx
    /// does with `limit_conn`.
    pub at_once: Option<u32>,
    /// Whether the items of a list carry their `eTag`. Real answers do, the documented sample
    /// doesn't.
    pub list_etags: bool,
    /// Members that the items of a list lack.
    pub list_omits: Vec<MemberPath>,
    /// Members that the items of a list show as `null`.
    pub list_nulls: Vec<MemberPath>,
    /// Where answers carry a referral's version.
    pub etags_in: ETagsIn,
    /// Whether a request needs the headers that the documentation shows in every one: a
    /// `client-request-id` of its own, and JSON as the type even of a GET. The service's definition
    /// knows nothing of the one, and leaves the value of the other open.
    pub strict: bool,
    /// What goes wrong, and when. Where several faults match a request, the first of them happens.
    pub faults: Vec<Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            quota: None,
            at_once: None,
            list_etags: true,
            list_omits: Vec::new(),
            list_nulls: Vec::new(),
            etags_in: ETagsIn::default(),
            strict: false,
            faults: Vec::new(),
        }
    }
}

/// How many requests came in, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests for one referral.
    pub gets: u64,
    /// Requests for a page of referrals.
    pub lists: u64,
    /// Requests to change a referral.
    pub patches: u64,
    /// Requests of another method, or for another path.
    pub others: u64,
    /// Changes that took effect, answered or not.
    pub applied: u64,
    /// Requests answered with 429, by the quota or by a fault, or turned away with 503 by the quota or as one
    /// too many at a time.
    pub throttled: u64,
    /// Requests answered with another 4xx.
    pub refused: u64,
    /// Requests that met a fault.
    pub faulted: u64,
}

impl Counts {
    /// All requests that came in.
    pub fn total(&self) -> u64 {
        self.gets + self.lists + self.patches + self.others
    }
}

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A handle on one sandbox. Clones are handles on the same one.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    view: View,
    strict: bool,
    at_once: Option<u32>,
    state: Mutex<State>,
}

/// All that changes, under one lock that is never held across a wait.
struct State {
    store: Store,
    calls: Calls,
    gate: Option<Gate>,
    /// Requests that have come and are not answered yet.
    in_hand: u32,
    faults: Faults,
    counts: Counts,
}

impl Sandbox {
    /// A sandbox that holds the referrals of a seed: JSONL, a JSON array, or list pages. A referral
    /// without an eTag gets one.
    ///
    /// The clock tells what `updatedDateTime` and its like are set to.
    ///
    /// # Errors
    /// Where the seed is no JSON, or a referral has no id of its own; see [`SeedError`].
    pub fn from_text(seed: &str, config: Config, clock: Clock) -> Result<Self, SeedError> {
        let Config { quota, at_once, list_etags, list_omits, list_nulls, etags_in, strict, faults } = config;
        let state = State {
            store: seed::read(seed)?,
            calls: Calls::default(),
            gate: quota.map(Gate::new),
            in_hand: 0,
            faults: Faults::new(faults),
            counts: Counts::default(),
        };
        let view = View { etags_in, list_without_etags: !list_etags, list_omits, list_nulls };
        let shared = Shared { clock, view, strict, at_once, state: Mutex::new(state) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A sandbox that holds the samples which come with the program.
    pub fn with_samples(config: Config, clock: Clock) -> Self {
        Self::from_text(seed::SAMPLES, config, clock).expect("a test reads the samples")
    }

    /// Serves on a listener until `shutdown` completes; requests in flight are answered first, and
    /// those that hang are cut off.
    ///
    /// # Errors
    /// Where the listener fails for good.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let (closing, watched) = watch::channel(false);
        // Answers are small and waited for one by one: they must not wait to be joined together.
        // A socket that refuses is served all the same, only slower.
        let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
        axum::serve(listener, http::router(self.clone(), watched))
            .with_graceful_shutdown(async move {
                shutdown.await;
                closing.send_replace(true);
            })
            .await
    }

    /// The referrals as they stand, in the order of the seed.
    pub fn referrals(&self) -> Vec<Value> {
        self.state().store.referrals().cloned().collect()
    }

    /// What came in so far.
    pub fn requests(&self) -> Counts {
        self.state().counts
    }

    fn now(&self) -> Timestamp {
        (self.shared.clock)()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock leaves the state half changed, so a panic elsewhere spoils nothing.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
