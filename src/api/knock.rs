//! Asks for the list without a token, so that a service's address, certificate and clock can be told where there is none.

use reqwest::{Method, Request};
use tokio::time::Instant;
use uuid::Uuid;

use super::body;
use super::client::ClientSettings;
use super::connections::Connections;
use super::endpoint::{self, Endpoint};
use super::observed::AnswerLog;
use super::transport;
use crate::domain::exchange::Failure;

/// The most bytes that are read of a refusal.
const LARGEST: usize = 64 << 10;

/// Asks for the list without a token, which the service refuses. What the answer shows goes into the log, whatever its
/// status.
///
/// # Errors
/// Returns [`Failure::NotSent`] where no connection can be made, and [`Failure::NoAnswer`] where no answer comes.
pub async fn knock(endpoint: &Endpoint, settings: &ClientSettings, log: &AnswerLog) -> Result<(), Failure> {
    let connections = Connections::new(|| transport::builder(endpoint.is_local(), settings.timeout))
        .map_err(|error| Failure::NotSent { message: transport::not_set_up(error).to_string() })?;
    let mut request = Request::new(Method::GET, endpoint.referrals(None));
    *request.headers_mut() = endpoint::headers(settings.correlation_id, Uuid::new_v4());
    let (sent, sent_at) = (Instant::now(), (settings.clock)());
    let (_, response) = connections.execute(request).await;
    let unanswered = |error| transport::unanswered(error, settings.timeout, Some(log));
    let response = response.map_err(unanswered)?;
    let noted = log.note(&response, sent_at, sent.elapsed());
    body::read(response, LARGEST).await.map_err(unanswered)?;
    noted.into_iter().for_each(|noted| log.note_whole(noted, sent.elapsed()));
    Ok(())
}
