//! Counts the requests that were made, by kind.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::account::RunStats;

/// The number of requests made so far, by kind; all workers share it.
#[derive(Debug, Default)]
pub struct RequestCounts {
    /// GETs of one referral.
    pub get: Counter,
    /// List pages.
    pub list: Counter,
    /// PATCHes.
    pub patch: Counter,
    /// Throttled answers.
    pub throttled: Counter,
    /// Requests that repeated an earlier one.
    pub retried: Counter,
}

impl RequestCounts {
    /// Returns the counts so far. Times and tokens are counted elsewhere and are zero here.
    pub fn stats(&self) -> RunStats {
        RunStats {
            get: self.get.read(),
            list: self.list.read(),
            patch: self.patch.read(),
            throttled: self.throttled.read(),
            retried: self.retried.read(),
            ..RunStats::default()
        }
    }
}

/// A counter that all workers add to.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
