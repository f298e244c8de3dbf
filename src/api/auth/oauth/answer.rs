//! Reads the answers of the sign-in service that are a success.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::error::SignInError;
use super::id_token::{self, Identity};
use super::registration::Registration;
use super::tokens::{Grant, RefreshToken};
use crate::api::auth::token::Issued;
use crate::api::refusal::bounded;
use crate::domain::json::{self, Object};

/// The lifetime of a device code whose answer doesn't say it: Entra ID's.
const DEVICE_LIFETIME: Duration = Duration::from_mins(15);
/// The longest lifetime that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);
/// The time between two questions where the answer doesn't say it (RFC 8628, section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// The longest time between two questions that is believed.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);
/// The longest code or address that is shown, in characters.
const LONGEST_SHOWN: usize = 500;

/// The answer to a request for a device code.
#[derive(Debug, Clone)]
pub(super) struct DeviceAnswer {
    pub(super) device_code: SecretString,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    pub(super) lifetime: Duration,
    pub(super) interval: Duration,
}

/// Reads the tokens of a sign-in. `nonce` is the one that was sent, where one was.
///
/// # Errors
/// See [`SignInError`].
pub(super) fn of_sign_in(
    text: &SecretString,
    registration: &Registration,
    nonce: Option<&str>,
    now: Timestamp,
) -> Result<Grant, SignInError> {
    let object = object(text)?;
    let id_token = object.get("id_token").and_then(json::string);
    let identity = id_token
        .map(|token| id_token::read(&token, registration.client_id.as_str(), nonce, now))
        .transpose()?;
    grant(text, &object, identity, now)
}

/// Reads the tokens of a refresh. Its id token is for display, so one that can't be accepted is left out: that
/// this machine's clock is off must not end a run.
///
/// # Errors
/// See [`SignInError`].
pub(super) fn of_refresh(
    text: &SecretString,
    registration: &Registration,
    now: Timestamp,
) -> Result<Grant, SignInError> {
    let object = object(text)?;
    let id_token = object.get("id_token").and_then(json::string);
    let identity =
        id_token.and_then(|token| id_token::read(&token, registration.client_id.as_str(), None, now).ok());
    grant(text, &object, identity, now)
}

fn grant(
    text: &SecretString,
    object: &Object<'_>,
    identity: Option<Identity>,
    now: Timestamp,
) -> Result<Grant, SignInError> {
    object.get("access_token").ok_or_else(|| bad("JSON without an access token"))?;
    let access = Issued::read(text, now).map_err(|_| bad("an access token that cannot be sent"))?;
    let refresh = match object.get("refresh_token").filter(|raw| !json::is_null(raw)) {
        None => None,
        Some(raw) => {
            let token = json::string(raw).and_then(|token| RefreshToken::from_bytes(token.as_bytes()));
            Some(token.ok_or_else(|| bad("a refresh token that cannot be sent"))?)
        }
    };
    let clock_ahead = identity.as_ref().and_then(|identity| identity.clock_ahead);
    Ok(Grant { access, refresh, account: identity.map(|identity| identity.account), clock_ahead })
}

/// Reads the answer to a request for a device code.
///
/// # Errors
/// See [`SignInError`].
pub(super) fn of_device_code(text: &SecretString) -> Result<DeviceAnswer, SignInError> {
    let object = object(text)?;
    let word = |name: &str| {
        let word = object.get(name).and_then(json::string);
        word.filter(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic() || c == ' '))
    };
    let seconds = |name: &str| {
        let number = object.get(name).and_then(|raw| raw.get().trim_matches('"').parse().ok());
        number.map(Duration::from_secs)
    };
    let is_link = |uri: &str| uri.starts_with("https://") || uri.starts_with("http://");
    let needs = |name| bad(&format!("a device code without a proper {name}"));
    Ok(DeviceAnswer {
        device_code: word("device_code").ok_or_else(|| needs("device_code"))?.into_owned().into(),
        user_code: bounded(&word("user_code").ok_or_else(|| needs("user_code"))?, LONGEST_SHOWN),
        verification_uri: word("verification_uri")
            .filter(|uri| is_link(uri) && uri.len() <= LONGEST_SHOWN)
            .ok_or_else(|| needs("verification_uri"))?
            .into_owned(),
        lifetime: seconds("expires_in").unwrap_or(DEVICE_LIFETIME).min(LONGEST_LIFETIME),
        interval: seconds("interval").unwrap_or(INTERVAL).clamp(Duration::from_secs(1), LONGEST_INTERVAL),
    })
}

fn object(text: &SecretString) -> Result<Object<'_>, SignInError> {
    let text = text.expose_secret().trim_start_matches('\u{feff}').trim();
    Object::parse(text).ok_or_else(|| bad("a success without JSON in it"))
}

fn bad(what: &str) -> SignInError {
    SignInError::BadAnswer(what.to_owned())
}
