//! Asks the service a question, and once more where that may help: a check makes a handful of requests, and ends.

use std::time::Duration;

use crate::api::Client;
use crate::domain::exchange::{Failure, Operation};
use crate::engine::Stop;
use crate::pace::Pace;
use crate::pace::retry::{Decision, TokenProblem, decide};

/// The longest pause that is waited for where the service asks for one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The pause where the service asks for one and doesn't say how long.
const UNSAID_PAUSE: Duration = Duration::from_secs(1);

/// Asks at the pace of a run.
pub struct Asker<'a> {
    /// Makes the requests.
    pub client: &'a Client,
    /// Gives each its turn.
    pub pace: &'a Pace,
    /// Tells whether the user interrupted.
    pub stop: &'a Stop,
}

impl Asker<'_> {
    /// Makes a request, and makes it again where the token is renewed, a short pause is asked for, or the answer got
    /// lost.
    ///
    /// # Errors
    /// Returns the failure of the last one; `None` where the user interrupted.
    pub async fn ask<T>(&self, request: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Option<Failure>> {
        tokio::select! {
            biased;
            () = self.stop.wait() => Err(None),
            asked = self.twice(request) => asked.map_err(Some),
        }
    }

    async fn twice<T>(&self, request: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
        let token = self.client.generation();
        self.pace.turn().await;
        let failure = match request().await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        match decide(Operation::Read, &failure, 1) {
            Decision::Renew if self.client.can_renew() => self.client.renew(token).await?,
            Decision::Stop(TokenProblem::ClaimsRequired) => {
                if !self.client.satisfy(token).await? {
                    return Err(failure);
                }
            }
            Decision::Pause { asked, .. } if asked.unwrap_or(UNSAID_PAUSE) <= LONGEST_PAUSE => {
                tokio::time::sleep(asked.unwrap_or(UNSAID_PAUSE)).await;
            }
            // Where there is no connection now, there is none a moment later.
            Decision::Again { after } if !matches!(failure, Failure::NotSent { .. }) => {
                tokio::time::sleep(after).await;
            }
            _ => return Err(failure),
        }
        self.pace.turn().await;
        request().await
    }
}
