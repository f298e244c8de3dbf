//! The sign-in with a device code (RFC 8628): somebody enters a code on any machine that has a browser.

use std::time::Duration;

use tokio::time::Instant;

use super::answer::DeviceAnswer;
use super::claims::ClaimsChallenge;
use super::error::SignInError;
use super::service::SignInService;
use super::tokens::Grant;

/// What is added to the time between two questions where the service asks to slow down (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The longest time between two questions, however often they failed.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// A sign-in that waits for somebody to enter its code.
#[derive(Debug)]
pub struct DeviceSignIn {
    service: SignInService,
    answer: DeviceAnswer,
    claims: Option<ClaimsChallenge>,
    end: Instant,
}

impl DeviceSignIn {
    /// Asks for a code. `claims` are what a policy demands of the sign-in.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn begin(
        service: &SignInService,
        claims: Option<ClaimsChallenge>,
    ) -> Result<Self, SignInError> {
        let answer = service.device_code(claims.as_ref()).await?;
        let end = Instant::now() + answer.lifetime;
        Ok(Self { service: service.clone(), answer, claims, end })
    }

    /// Returns the code to enter.
    pub fn user_code(&self) -> &str {
        &self.answer.user_code
    }

    /// Returns the address at which to enter it.
    pub fn verification_uri(&self) -> &str {
        &self.answer.verification_uri
    }

    /// Returns how long the code is good for from now on.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Waits until somebody has signed in, or the code has expired.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn wait(&self) -> Result<Grant, SignInError> {
        let poll = async || self.service.poll(&self.answer.device_code, self.claims.as_ref()).await;
        until_signed_in(self.end, self.answer.interval, poll).await
    }
}

/// What follows from an answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Ask again after the same time.
    Wait,
    /// Ask less often from now on.
    SlowDown,
    /// Ask again after twice the time.
    Double,
    /// Nobody will sign in with this code.
    Stop,
}

fn next(error: &SignInError) -> Next {
    match error {
        SignInError::Refused(refusal) => match refusal.error.as_str() {
            "authorization_pending" => Next::Wait,
            "slow_down" => Next::SlowDown,
            _ if refusal.is_transient() => Next::Double,
            _ => Next::Stop,
        },
        SignInError::Unreachable { .. } | SignInError::NoAnswer { .. } | SignInError::Unavailable { .. } => {
            Next::Double
        }
        _ => Next::Stop,
    }
}

/// Asks again and again until there are tokens, an answer that ends it, or no time left.
async fn until_signed_in<T>(
    end: Instant,
    mut interval: Duration,
    mut poll: impl AsyncFnMut() -> Result<T, SignInError>,
) -> Result<T, SignInError> {
    let mut wait = interval;
    while Instant::now() + wait < end {
        tokio::time::sleep(wait).await;
        let error = match poll().await {
            Ok(tokens) => return Ok(tokens),
            Err(error) => error,
        };
        wait = match next(&error) {
            Next::Wait => interval,
            Next::SlowDown => {
                interval += SLOWER;
                interval
            }
            Next::Double => {
                (wait * 2).max(error.retry_after().unwrap_or_default()).min(LONGEST_WAIT).max(interval)
            }
            Next::Stop => return Err(error),
        };
    }
    tokio::time::sleep_until(end).await;
    Err(SignInError::CodeExpired)
}
