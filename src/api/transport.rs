//! What every HTTP client of this program has in common: nothing is sent twice or elsewhere, and what is sent
//! unencrypted stays on this machine.

use std::error::Error;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

use super::endpoint;
use super::observed::AnswerLog;
use super::refusal;
use super::untrusted::Untrusted;
use crate::domain::exchange::Failure;

/// The longest time to make a connection. It is shorter than the timeout of a request, so that where no
/// server answers it is known that nothing was sent.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);
/// The longest description of an error, in characters.
const LONGEST_MESSAGE: usize = 500;

/// The reason why a client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The machine's certificates, or something else that TLS needs, cannot be loaded.
    #[error("the HTTP client cannot be set up: {0}")]
    SetUp(String),
}

/// Returns the settings of a client for a service that is on this machine, or elsewhere.
pub(super) fn builder(is_local: bool, timeout: Duration) -> ClientBuilder {
    let loopback = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
    let builder = reqwest::Client::builder()
        .user_agent(endpoint::USER_AGENT)
        .timeout(timeout)
        .connect_timeout(LONGEST_CONNECT.min(timeout / 2))
        // A request that reqwest repeats by itself would be missing in the ledger.
        .retry(reqwest::retry::never())
        .redirect(Policy::none());
    // What is sent unencrypted must not leave the machine, neither through a proxy nor because a name server
    // says that localhost is elsewhere.
    if is_local { builder.no_proxy().resolve_to_addrs("localhost", &loopback) } else { builder }
}

/// Returns the error of a client that cannot be set up.
pub(super) fn not_set_up(error: reqwest::Error) -> ClientError {
    ClientError::SetUp(describe(&error.without_url()))
}

/// Returns the failure of a request without an answer: whether it was certainly not sent, or may have been applied.
pub(super) fn unanswered(error: reqwest::Error, timeout: Duration, log: Option<&AnswerLog>) -> Failure {
    let error = error.without_url();
    if error.is_builder() || error.is_connect() {
        let untrusted = Untrusted::of(&error);
        log.iter().for_each(|log| log.note_untrusted(untrusted));
        let message = untrusted.map_or_else(|| describe(&error), |untrusted| untrusted.to_string());
        return Failure::NotSent { message };
    }
    if error.is_timeout() {
        return Failure::NoAnswer { message: format!("no answer within {timeout:?}") };
    }
    Failure::NoAnswer { message: describe(&error) }
}

/// Describes an error and its causes, in one line.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    refusal::bounded(&text, LONGEST_MESSAGE)
}
