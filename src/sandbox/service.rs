//! A sandbox's settings, its state, and the counts of the requests it got.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::calls::Calls;
use super::fault::{Fault, Faults};
use super::quota::{Quota, QuotaCounter, QuotaHeaders};
use super::seed::{self, SeedError};
use super::store::ReferralStore;
use super::view::{ETagsIn, MemberPath, View};

/// The settings of a sandbox: how it behaves beyond what is documented.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// The limit on the rate of requests; `None` answers all.
    pub quota: Option<Quota>,
    /// The headers that tell of that limit with every answer; `None` tells nothing.
    pub quota_headers: Option<QuotaHeaders>,
    /// The limit on requests at the same time; `None` answers all. Requests beyond it are answered 503, as
    /// nginx does with `limit_conn`.
    pub at_once: Option<u32>,
    /// Whether the items of a list carry their `eTag`. Real answers do, the documented sample
    /// doesn't.
    pub list_etags: bool,
    /// Members that the items of a list don't have.
    pub list_omits: Vec<MemberPath>,
    /// Members that the items of a list show as `null`.
    pub list_nulls: Vec<MemberPath>,
    /// Where answers carry a referral's version.
    pub etags_in: ETagsIn,
    /// Whether a request needs the headers that the documentation shows in every request: a
    /// `client-request-id` of its own, and JSON as the content type even of a GET. The service's definition
    /// doesn't mention the first, and leaves the value of the second open.
    pub strict: bool,
    /// The faults. Where several match a request, the first one happens.
    pub faults: Vec<Fault>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            quota: None,
            quota_headers: None,
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

/// The number of requests, by kind and by how they were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// GETs of one referral.
    pub gets: u64,
    /// GETs of a list page.
    pub lists: u64,
    /// PATCHes.
    pub patches: u64,
    /// Requests of another method, or for another path.
    pub others: u64,
    /// Changes that were applied, whether answered or not.
    pub applied: u64,
    /// Requests answered with 429, by the quota or by a fault, and those answered with 503 by the quota or by
    /// the limit on requests at a time.
    pub throttled: u64,
    /// Requests answered with another 4xx.
    pub refused: u64,
    /// Requests that met a fault.
    pub faulted: u64,
}

impl Counts {
    /// Returns the number of all requests.
    pub fn total(&self) -> u64 {
        self.gets + self.lists + self.patches + self.others
    }
}

/// The clock that the service sets times by.
type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A handle on one sandbox. Clones are handles on the same one.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) shared: Arc<SharedService>,
}

/// What all handles on a sandbox share.
pub(super) struct SharedService {
    clock: WallClock,
    pub view: View,
    pub strict: bool,
    pub at_once: Option<u32>,
    pub quota_headers: Option<QuotaHeaders>,
    state: Mutex<ServiceState>,
}

/// The state that changes, under one lock that is never held across an await.
pub(super) struct ServiceState {
    pub store: ReferralStore,
    pub calls: Calls,
    pub quota: Option<QuotaCounter>,
    /// The number of requests that are not answered yet.
    pub in_hand: u32,
    pub faults: Faults,
    pub counts: Counts,
}

impl Sandbox {
    /// Creates a sandbox with the referrals of a seed: JSONL, a JSON array, or list pages. A referral
    /// without an eTag gets one.
    ///
    /// `updatedDateTime` and the other times that the service sets are set by the clock.
    ///
    /// # Errors
    /// Returns an error where the seed is no JSON, or a referral has no id of its own; see [`SeedError`].
    pub fn from_text(seed: &str, config: SandboxConfig, clock: WallClock) -> Result<Self, SeedError> {
        let SandboxConfig { quota, quota_headers, at_once, list_etags, .. } = config;
        let SandboxConfig { list_omits, list_nulls, etags_in, strict, faults, .. } = config;
        let state = ServiceState {
            store: seed::read(seed)?,
            calls: Calls::default(),
            quota: quota.map(QuotaCounter::new),
            in_hand: 0,
            faults: Faults::new(faults),
            counts: Counts::default(),
        };
        let view = View { etags_in, list_without_etags: !list_etags, list_omits, list_nulls };
        let shared = SharedService { clock, view, strict, at_once, quota_headers, state: Mutex::new(state) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Creates a sandbox with the sample referrals that come with the program.
    pub fn with_samples(config: SandboxConfig, clock: WallClock) -> Self {
        Self::from_text(seed::SAMPLES, config, clock).expect("a test reads the samples")
    }

    /// Returns the referrals as they are now, in the order of the seed.
    pub fn referrals(&self) -> Vec<Value> {
        self.state().store.referrals().cloned().collect()
    }

    /// Returns the number of requests so far.
    pub fn requests(&self) -> Counts {
        self.state().counts
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.shared.clock)()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ServiceState> {
        // Nothing under the lock leaves the state half changed, so a panic elsewhere spoils nothing.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
