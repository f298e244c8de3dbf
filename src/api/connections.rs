//! Connections, and whether a request rides on one that was used before.
//!
//! Keeping connections alive saves time, and nothing tells that one is dead, or that what stands before the
//! service resets whatever is used twice. So where one broke under a request, those that follow go out on
//! new connections: the repetition and the look at what became of it first of all. After a while a kept one
//! is tried again, and each time that costs a request the while is longer; so few are lost, however long
//! the run is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::{ClientBuilder, Request, Response};

/// So many requests go out on new connections after the first that broke.
const FIRST: u64 = 16;

/// And so many times more after each further one.
const GROWTH: u64 = 4;

/// Two pools of connections: one keeps them, the other never does.
#[derive(Debug)]
pub(super) struct Connections {
    kept: reqwest::Client,
    new: reqwest::Client,
    trust: Mutex<Trust>,
}

/// Which connection a request went out on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionKind {
    /// One that may have been used before, when so many had broken.
    Kept(u32),
    /// A new one.
    New,
}

impl Connections {
    /// Both pools, each set up by `builder`.
    ///
    /// # Errors
    /// Where TLS can't be set up.
    pub(super) fn new(builder: impl Fn() -> ClientBuilder) -> Result<Self, reqwest::Error> {
        let new = builder().pool_max_idle_per_host(0).build()?;
        Ok(Self { kept: builder().build()?, new, trust: Mutex::default() })
    }

    /// Sends a request, once, and says what it rode on.
    pub(super) async fn execute(
        &self,
        request: Request,
    ) -> (ConnectionKind, Result<Response, reqwest::Error>) {
        let connection = self.trust().take();
        let pool = match connection {
            ConnectionKind::Kept(_) => &self.kept,
            ConnectionKind::New => &self.new,
        };
        (connection, pool.execute(request).await)
    }

    /// A connection broke under a request, or brought no answer in time.
    pub(super) fn broke(&self, connection: ConnectionKind) {
        self.trust().broke(connection);
    }

    /// Every change leaves the state whole, so a poisoned lock holds nothing wrong.
    fn trust(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far kept connections are trusted.
#[derive(Debug, Default)]
struct Trust {
    /// How often one broke. Those that rode along when it did count with it.
    breaks: u32,
    /// Requests that go out on new connections from now on.
    left: u64,
}

impl Trust {
    fn take(&mut self) -> ConnectionKind {
        match self.left.checked_sub(1) {
            None => ConnectionKind::Kept(self.breaks),
            Some(left) => {
                self.left = left;
                ConnectionKind::New
            }
        }
    }

    fn broke(&mut self, connection: ConnectionKind) {
        if connection == ConnectionKind::Kept(self.breaks) {
            self.left = FIRST.saturating_mul(GROWTH.saturating_pow(self.breaks));
            self.breaks += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_each_break_new_connections_serve_for_longer() {
        let (mut trust, mut kept) = (Trust::default(), Vec::new());
        // A server that resets what is used twice.
        for request in 0..2_000 {
            let connection = trust.take();
            if connection != ConnectionKind::New {
                kept.push(request);
                trust.broke(connection);
            }
        }
        assert_eq!(kept, [0, 17, 82, 339, 1364], "the share of those lost goes to nothing");
    }

    #[test]
    fn what_breaks_together_breaks_once_and_new_ones_say_nothing_of_kept_ones() {
        let mut trust = Trust::default();
        let rides = [trust.take(), trust.take(), trust.take()];
        rides.into_iter().for_each(|connection| trust.broke(connection));
        assert_eq!((trust.breaks, trust.left), (1, FIRST));
        trust.broke(ConnectionKind::New);
        assert_eq!((trust.breaks, trust.left), (1, FIRST));
        assert_eq!(trust.take(), ConnectionKind::New);
    }
}
