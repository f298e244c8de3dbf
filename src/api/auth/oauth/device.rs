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

#[cfg(test)]
mod tests {
    use super::super::refusal::{SignInRefusal, SignInStep};
    use super::*;

    fn refused(status: u16, error: &str) -> SignInError {
        let body = format!(r#"{{"error":"{error}"}}"#);
        let refusal = SignInRefusal::read(SignInStep::Poll, status, &body, &[]).unwrap();
        SignInError::Refused(Box::new(refusal))
    }

    fn lost() -> SignInError {
        SignInError::NoAnswer { message: "reset".to_owned() }
    }

    fn unavailable(seconds: u64) -> SignInError {
        SignInError::Unavailable { status: 503, retry_after: Some(Duration::from_secs(seconds)) }
    }

    /// Plays answers, one for each question; returns the seconds at which questions were asked, and how it ended.
    async fn play(lifetime: u64, interval: u64, answers: Vec<SignInError>) -> (Vec<u64>, String) {
        let (begin, mut answers, mut asked) = (Instant::now(), answers.into_iter(), Vec::new());
        let end = begin + Duration::from_secs(lifetime);
        let poll = async || {
            asked.push(begin.elapsed().as_secs());
            answers.next().map_or(Ok(()), Err)
        };
        let ended = until_signed_in(end, Duration::from_secs(interval), poll).await;
        let ended = ended.map_or_else(|error| error.to_string(), |()| "tokens".to_owned());
        (asked, format!("{ended} after {}", begin.elapsed().as_secs()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_from_each_answer() {
        let pending = || refused(400, "authorization_pending");
        let slower = || refused(400, "slow_down");
        let no = |error: &str, after: u64| {
            format!("the sign-in service refused the sign-in with the device code: {error} after {after}")
        };
        let expired =
            |after: u64| format!("nobody signed in with the device code before it expired after {after}");
        for (interval, lifetime, answers, asked, ended) in [
            (5, 900, vec![], vec![5], "tokens after 5".to_owned()),
            (5, 900, vec![pending(), pending()], vec![5, 10, 15], "tokens after 15".to_owned()),
            (
                1,
                900,
                vec![pending(), slower(), pending(), slower()],
                vec![1, 2, 8, 14, 25],
                "tokens after 25".to_owned(),
            ),
            (
                5,
                900,
                vec![lost(), lost(), lost(), lost(), lost()],
                vec![5, 15, 35, 75, 135, 195],
                "tokens after 195".to_owned(),
            ),
            (5, 900, vec![lost(), lost(), pending()], vec![5, 15, 35, 40], "tokens after 40".to_owned()),
            (5, 900, vec![refused(500, "server_error")], vec![5, 15], "tokens after 15".to_owned()),
            (5, 900, vec![refused(503, "what")], vec![5, 15], "tokens after 15".to_owned()),
            (
                5,
                900,
                vec![refused(400, "temporarily_unavailable")],
                vec![5, 15],
                "tokens after 15".to_owned(),
            ),
            (5, 900, vec![unavailable(30)], vec![5, 35], "tokens after 35".to_owned()),
            (5, 900, vec![unavailable(3)], vec![5, 15], "tokens after 15".to_owned()),
            (
                5,
                900,
                vec![pending(), refused(400, "authorization_declined")],
                vec![5, 10],
                no("authorization_declined", 10),
            ),
            (5, 900, vec![refused(400, "access_denied")], vec![5], no("access_denied", 5)),
            (5, 900, vec![refused(400, "expired_token")], vec![5], no("expired_token", 5)),
            (5, 900, vec![refused(400, "bad_verification_code")], vec![5], no("bad_verification_code", 5)),
            (5, 900, vec![refused(400, "invalid_grant")], vec![5], no("invalid_grant", 5)),
            (5, 900, vec![refused(401, "invalid_client")], vec![5], no("invalid_client", 5)),
            (5, 12, vec![pending(), pending(), pending()], vec![5, 10], expired(12)),
            (60, 30, vec![], vec![], expired(30)),
            (
                5,
                900,
                vec![SignInError::BadAnswer("a page".to_owned())],
                vec![5],
                "what answered is no sign-in service: a page after 5".to_owned(),
            ),
        ] {
            let told = answers.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(play(lifetime, interval, answers).await, (asked, ended), "{told:?}");
        }
    }
}
