//! How long to wait before a request to the sign-in service is made again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::error::SignInError;

/// The delays before the second and every later try of a request whose repetition does no harm.
const BACK_OFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_secs(30))
    .with_max_times(4);
/// The longest pause that the service may ask for. Requests wait for the tokens meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Makes a request, and again while the service is busy or can't be reached.
///
/// # Errors
/// Returns the last error.
pub(super) async fn patiently<T>(
    mut request: impl AsyncFnMut() -> Result<T, SignInError>,
) -> Result<T, SignInError> {
    let mut delays = BACK_OFF.build();
    loop {
        let error = match request().await {
            Ok(answer) => return Ok(answer),
            Err(error) if !error.is_transient() => return Err(error),
            Err(error) => error,
        };
        let Some(delay) = delays.next() else { return Err(error) };
        let asked = error.retry_after().unwrap_or_default().min(LONGEST_PAUSE);
        tokio::time::sleep(delay.max(asked)).await;
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
            (vec![busy(Some(Duration::MAX))], vec![0, 60], true),
            (vec![busy(None), lost(), lost(), lost()], vec![0, 1, 3, 7, 15], true),
            (vec![busy(None), lost(), lost(), lost(), lost()], vec![0, 1, 3, 7, 15], false),
            (vec![unreachable(true)], vec![0], false),
            (vec![SignInError::BadAnswer(String::new())], vec![0], false),
        ] {
            let (begin, mut answers, mut asked) = (Instant::now(), answers.into_iter(), Vec::new());
            let ended = patiently(async || {
                asked.push(begin.elapsed().as_secs());
                answers.next().map_or(Ok(()), Err)
            });
            assert_eq!((ended.await.is_ok(), asked), (wanted, times));
        }
    }
}
