//! How long to wait before a request to the sign-in service is made again, and for whom.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::oneshot;

use super::error::SignInError;

/// The delays before the second and every later try of a request whose repetition does no harm.
const BACK_OFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_secs(30))
    .with_max_times(4);
/// The most that is waited before requests, in all. Whoever needs the tokens waits meanwhile, so that a service that
/// asks for more is told to be busy.
const LONGEST_PAUSES: Duration = Duration::from_secs(30);

/// Somebody who waits for an answer. Nobody does any more once this is dropped.
#[derive(Debug)]
pub(in crate::api::auth) struct Waiter {
    _waits: oneshot::Sender<Infallible>,
}

/// Tells whether somebody waits for an answer.
#[derive(Debug)]
pub(in crate::api::auth) struct Waited(oneshot::Receiver<Infallible>);

impl Waiter {
    /// Returns somebody who waits, and what tells of that.
    pub(in crate::api::auth) fn new() -> (Self, Waited) {
        let (waits, waited) = oneshot::channel();
        (Self { _waits: waits }, Waited(waited))
    }
}

impl Waited {
    /// Returns whether somebody waits now.
    pub(in crate::api::auth) fn is_by_somebody(&mut self) -> bool {
        matches!(self.0.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }

    /// Waits until nobody waits any more.
    pub(super) async fn end(&mut self) {
        // Nothing is ever sent: this is the end of whoever could.
        let _ = (&mut self.0).await;
    }
}

/// Makes a request, and again while the service is busy or can't be reached. Nothing more is sent once `given_up` has
/// ended; a request that was sent is awaited all the same.
///
/// # Errors
/// Returns the last error.
pub(super) async fn patiently<T>(
    mut request: impl AsyncFnMut() -> Result<T, SignInError>,
    given_up: impl Future<Output = ()>,
) -> Result<T, SignInError> {
    let mut given_up = pin!(given_up);
    let (mut delays, mut left) = (BACK_OFF.build(), LONGEST_PAUSES);
    loop {
        let error = match request().await {
            Ok(answer) => return Ok(answer),
            Err(error) if !error.is_transient() => return Err(error),
            Err(error) => error,
        };
        let Some(delay) = delays.next() else { return Err(error) };
        let pause = delay.max(error.retry_after().unwrap_or_default());
        let Some(rest) = left.checked_sub(pause) else { return Err(error) };
        left = rest;
        tokio::select! {
            biased;
            () = &mut given_up => return Err(error),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_waited_out_and_nothing_else() {
        let lost = || SignInError::NoAnswer { message: String::new() };
        let unreachable = |is_tls| SignInError::Unreachable { message: String::new(), is_tls };
        let busy = |seconds| SignInError::Unavailable { status: 503, retry_after: seconds };
        for (answers, times, wanted) in [
            (vec![], vec![0], true),
            (vec![lost(), unreachable(false)], vec![0, 1, 3], true),
            (vec![busy(Some(Duration::from_secs(10)))], vec![0, 10], true),
            (vec![busy(Some(Duration::from_secs(30)))], vec![0, 30], true),
            (vec![busy(Some(Duration::from_secs(31)))], vec![0], false),
            (vec![busy(Some(Duration::MAX))], vec![0], false),
            (
                vec![busy(Some(Duration::from_secs(16))), busy(Some(Duration::from_secs(14)))],
                vec![0, 16, 30],
                true,
            ),
            (
                vec![busy(Some(Duration::from_secs(16))), busy(Some(Duration::from_secs(15)))],
                vec![0, 16],
                false,
            ),
            (vec![busy(None), lost(), lost(), lost()], vec![0, 1, 3, 7, 15], true),
            (vec![busy(None), lost(), lost(), lost(), lost()], vec![0, 1, 3, 7, 15], false),
            (vec![unreachable(true)], vec![0], false),
            (vec![SignInError::BadAnswer(String::new())], vec![0], false),
        ] {
            let (begin, mut answers, mut asked) = (Instant::now(), answers.into_iter(), Vec::new());
            let request = async || {
                asked.push(begin.elapsed().as_secs());
                answers.next().map_or(Ok(()), Err)
            };
            let ended = patiently(request, std::future::pending());
            assert_eq!((ended.await.is_ok(), asked), (wanted, times));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_more_is_sent_once_nobody_waits() {
        // The time at which nobody waits any more, how long each request takes, how often it was made, and the end.
        for (leaves, takes, times, end) in [(0, 0, 1, 0), (2, 0, 2, 2), (5, 20, 1, 20), (30, 20, 2, 41)] {
            let (begin, (waiter, mut waited)) = (Instant::now(), Waiter::new());
            let leaving = async {
                tokio::time::sleep(Duration::from_secs(leaves)).await;
                drop(waiter);
            };
            let mut asked = 0;
            let request = async || -> Result<(), SignInError> {
                asked += 1;
                tokio::time::sleep(Duration::from_secs(takes)).await;
                Err(SignInError::NoAnswer { message: String::new() })
            };
            assert!(waited.is_by_somebody());
            let (ended, ()) = tokio::join!(patiently(request, waited.end()), leaving);
            let took = begin.elapsed().as_secs().max(leaves);
            assert_eq!((ended.is_err(), asked, took), (true, times, end.max(leaves)), "{leaves} {takes}");
            assert!(!waited.is_by_somebody());
        }
    }
}
