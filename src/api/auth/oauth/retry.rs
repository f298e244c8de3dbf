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
