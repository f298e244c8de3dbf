//! Decides whether a request uses a new connection, or one that was kept alive.
//!
//! Kept connections save time, but a dead one can't be told from a live one, and a proxy may reset every
//! connection that is used twice. So after a connection broke under a request, the requests that follow use
//! new connections, above all its repetition and the read that finds out what became of it. Later a kept one
//! is tried again. Each time that this costs a request, the time until the next such trial is longer, so few
//! requests are lost however long the run is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::{ClientBuilder, Request, Response};

/// The number of requests that use new connections after the first break.
const FIRST: u64 = 16;

/// The factor by which that number grows with each further break.
const GROWTH: u64 = 4;

/// Two pools of connections: one keeps them alive, the other never does.
#[derive(Debug)]
pub(super) struct Connections {
    kept: reqwest::Client,
    new: reqwest::Client,
    trust: Mutex<Trust>,
}

/// The kind of connection that a request was sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionKind {
    /// One that may have been used before. The number is how many breaks there had been.
    Kept(u32),
    /// A new connection.
    New,
}

impl Connections {
    /// Creates both pools, each set up by `builder`.
    ///
    /// # Errors
    /// Returns an error where TLS can't be set up.
    pub(super) fn new(builder: impl Fn() -> ClientBuilder) -> Result<Self, reqwest::Error> {
        // A pool that keeps no idle connection makes a new one for every request.
        let new = builder().pool_max_idle_per_host(0).build()?;
        Ok(Self { kept: builder().build()?, new, trust: Mutex::default() })
    }

    /// Sends a request, once, and returns the kind of connection with the response.
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

    /// Records that a connection broke under a request, or brought no answer in time.
    pub(super) fn broke(&self, connection: ConnectionKind) {
        self.trust().broke(connection);
    }

    /// Every change leaves the state whole, so a poisoned lock holds nothing wrong.
    fn trust(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether kept connections are used at present.
#[derive(Debug, Default)]
struct Trust {
    /// The number of breaks. Kept connections that break together count as one.
    breaks: u32,
    /// The number of requests that use new connections from now on.
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
        // A server that resets every connection that is used twice.
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
