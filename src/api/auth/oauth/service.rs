//! The requests to the sign-in service: forms by POST, answered with JSON (RFC 6749, sections 4.1.3 and 6, and
//! RFC 8628).
//!
//! What always holds:
//! - One call is one POST, or the same again where the service was busy; redirects are not followed.
//! - What is sent goes to the authority, over TLS or on loopback.
//! - No secret that was sent, and nothing of a body but what a refusal says, is in any error.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use tracing::debug;

use super::answer::{self, DeviceAnswer};
use super::claims::ClaimsChallenge;
use super::error::SignInError;
use super::refusal::{SignInRefusal, SignInStep};
use super::registration::{ClientSecret, Registration};
use super::retry::{Waited, patiently};
use super::tokens::{Grant, RefreshToken};
use crate::api::transport::{self, ClientError, describe};
use crate::api::{body, reply};

/// The most bytes that are read of an answer.
const LARGEST: usize = 256 * 1024;

/// The sign-in service, for one app registration. Clones share connections.
#[derive(Clone)]
pub struct SignInService(Arc<Inner>);

struct Inner {
    client: reqwest::Client,
    registration: Registration,
    timeout: Duration,
    clock: fn() -> Timestamp,
}

/// What a browser brought, with what it is checked against.
pub(super) struct Redemption<'a> {
    pub(super) code: &'a SecretString,
    /// What the code was asked for with, in a hash (RFC 7636).
    pub(super) verifier: &'a SecretString,
    pub(super) redirect_uri: &'a str,
    pub(super) nonce: &'a SecretString,
    pub(super) claims: Option<&'a ClaimsChallenge>,
}

/// The members of a form.
type Form<'a> = Vec<(&'static str, &'a str)>;

impl SignInService {
    /// Sets up a client of the service. Nothing is sent yet. `timeout` is that of each request.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(
        registration: Registration,
        timeout: Duration,
        clock: fn() -> Timestamp,
    ) -> Result<Self, ClientError> {
        let client = transport::builder(registration.authority.is_local(), timeout)
            .build()
            .map_err(transport::not_set_up)?;
        Ok(Self(Arc::new(Inner { client, registration, timeout, clock })))
    }

    /// Returns the app registration.
    pub fn registration(&self) -> &Registration {
        &self.0.registration
    }

    /// Exchanges the refresh token for new tokens, with what a policy demands of them. Of the two refresh tokens only
    /// the new one may be good from then on.
    ///
    /// # Errors
    /// See [`SignInError`]; with [`SignInError::is_over`], somebody has to sign in again.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        claims: Option<&ClaimsChallenge>,
    ) -> Result<Grant, SignInError> {
        self.refresh_until(token, claims, pending()).await
    }

    /// Exchanges the refresh token as [`Self::refresh`] does. Where nobody waits any more, a request that was sent is
    /// awaited, and none is made again.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub(in crate::api::auth) async fn refresh_for(
        &self,
        token: &RefreshToken,
        claims: Option<&ClaimsChallenge>,
        waited: &mut Waited,
    ) -> Result<Grant, SignInError> {
        self.refresh_until(token, claims, waited.end()).await
    }

    async fn refresh_until(
        &self,
        token: &RefreshToken,
        claims: Option<&ClaimsChallenge>,
        given_up: impl Future<Output = ()>,
    ) -> Result<Grant, SignInError> {
        let mut form = self.form("refresh_token", claims);
        form.extend([("refresh_token", token.expose()), ("scope", self.0.registration.scope.as_str())]);
        let request = async || self.post(SignInStep::Refresh, &form, &[token.expose()]).await;
        let text = patiently(request, given_up).await?;
        answer::of_refresh(&text, &self.0.registration, (self.0.clock)())
    }

    /// Exchanges the code that a browser brought for tokens.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub(super) async fn redeem(&self, redemption: &Redemption<'_>) -> Result<Grant, SignInError> {
        let Redemption { code, verifier, redirect_uri, nonce, claims } = redemption;
        let (code, verifier) = (code.expose_secret(), verifier.expose_secret());
        let mut form = self.form("authorization_code", *claims);
        form.extend([("code", code), ("code_verifier", verifier), ("redirect_uri", *redirect_uri)]);
        form.push(("scope", self.0.registration.scope.as_str()));
        // A code is good for one exchange. Where the answer was lost another would fail, and might revoke the tokens.
        let text = self.post(SignInStep::Redeem, &form, &[code, verifier]).await?;
        answer::of_sign_in(&text, &self.0.registration, Some(nonce.expose_secret()), (self.0.clock)())
    }

    /// Asks for a device code.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub(super) async fn device_code(
        &self,
        claims: Option<&ClaimsChallenge>,
    ) -> Result<DeviceAnswer, SignInError> {
        let mut form = self.client(claims);
        form.push(("scope", self.0.registration.scope.as_str()));
        let request = async || self.post(SignInStep::DeviceCode, &form, &[]).await;
        let text = patiently(request, pending()).await?;
        answer::of_device_code(&text)
    }

    /// Asks once whether somebody has signed in with a device code.
    ///
    /// # Errors
    /// Returns a refusal where nobody has yet; see [`SignInError`].
    pub(super) async fn poll(
        &self,
        device_code: &SecretString,
        claims: Option<&ClaimsChallenge>,
    ) -> Result<Grant, SignInError> {
        let mut form = self.form("urn:ietf:params:oauth:grant-type:device_code", claims);
        form.push(("device_code", device_code.expose_secret()));
        let text = self.post(SignInStep::Poll, &form, &[device_code.expose_secret()]).await?;
        answer::of_sign_in(&text, &self.0.registration, None, (self.0.clock)())
    }

    /// Returns the members of every form.
    fn client<'a>(&'a self, claims: Option<&'a ClaimsChallenge>) -> Form<'a> {
        let Registration { client_id, secret, .. } = &self.0.registration;
        let secret = secret.as_ref().map(|secret| ("client_secret", secret.expose()));
        let claims = claims.map(|claims| ("claims", claims.as_str()));
        [("client_id", client_id.as_str())].into_iter().chain(secret).chain(claims).collect()
    }

    /// Returns the members of every form that asks for tokens.
    fn form<'a>(&'a self, grant_type: &'a str, claims: Option<&'a ClaimsChallenge>) -> Form<'a> {
        let mut form = self.client(claims);
        form.push(("grant_type", grant_type));
        form
    }

    /// Sends a form once, and returns the body of the answer where it is a success. `sent` are the secrets in it,
    /// without that of the registration.
    async fn post(
        &self,
        step: SignInStep,
        form: &[(&str, &str)],
        sent: &[&str],
    ) -> Result<SecretString, SignInError> {
        let page =
            if step == SignInStep::DeviceCode { "oauth2/v2.0/devicecode" } else { "oauth2/v2.0/token" };
        let Registration { authority, tenant, secret, .. } = &self.0.registration;
        let request = request(authority.page(tenant, page), form);
        let response = self.0.client.execute(request).await.map_err(|error| self.unanswered(error))?;
        let status = response.status().as_u16();
        debug!(?step, status, "the sign-in service answered");
        let retry_after = self.pause(&response);
        let read = body::read(response, LARGEST).await.map_err(|error| self.unanswered(error))?;
        let text = SecretString::from(String::from_utf8_lossy(&read.bytes).into_owned());
        let sent: Vec<&str> = sent.iter().copied().chain(secret.as_ref().map(ClientSecret::expose)).collect();
        match status {
            200..=299 if read.longer_than.is_none() => Ok(text),
            200..=299 => Err(SignInError::BadAnswer(format!("more than {LARGEST} bytes"))),
            _ => Err(match SignInRefusal::read(step, status, text.expose_secret(), &sent) {
                Some(refusal) => SignInError::Refused(Box::new(refusal)),
                None => without_words(status, retry_after, text.expose_secret()),
            }),
        }
    }

    /// Returns the pause that an answer asks for.
    fn pause(&self, response: &Response) -> Option<Duration> {
        let texts = response.headers().get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
        reply::longest_pause(texts, (self.0.clock)())
    }

    /// Returns the error of a request without an answer.
    fn unanswered(&self, error: reqwest::Error) -> SignInError {
        let error = error.without_url();
        if error.is_connect() || error.is_builder() {
            let message = describe(&error);
            let is_tls = is_tls(&message);
            return SignInError::Unreachable { message, is_tls };
        }
        if error.is_timeout() {
            return SignInError::NoAnswer { message: format!("none within {:?}", self.0.timeout) };
        }
        SignInError::NoAnswer { message: describe(&error) }
    }
}

/// Shows where it is, and nothing of the registration's secret.
impl fmt::Debug for SignInService {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SignInService").field("registration", &self.0.registration).finish_non_exhaustive()
    }
}

fn request(url: Url, form: &[(&str, &str)]) -> Request {
    let mut request = Request::new(Method::POST, url);
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    *request.body_mut() = Some(encoded(form).into());
    request
}

/// Encodes a form, which is written as the query of a URL is.
fn encoded(form: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://localhost").expect("this is a URL");
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap_or_default().to_owned()
}

/// Returns the error of an answer that is neither tokens nor a refusal of the protocol.
fn without_words(status: u16, retry_after: Option<Duration>, text: &str) -> SignInError {
    let form = if text.trim_start().starts_with('<') { "a page" } else { "something else than JSON" };
    match status {
        429 | 500..=599 => SignInError::Unavailable { status, retry_after },
        300..=399 => SignInError::BadAnswer(format!("HTTP {status}, which leads elsewhere")),
        _ => SignInError::BadAnswer(format!("HTTP {status} with {form}")),
    }
}

/// Returns whether a connection failed at its encryption, by the words of the TLS library.
fn is_tls(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["certificate", "tls", "handshake", "corrupt message"].iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::{Authority, ClientId, Scope, Tenant};
    use super::*;

    #[test]
    fn a_form_is_escaped() {
        let form = encoded(&[("a", "b c+d&e=f"), ("é", "\"%")]);
        assert_eq!(form, "a=b+c%2Bd%26e%3Df&%C3%A9=%22%25");
    }

    #[test]
    fn a_proxy_that_opens_tls_is_told_from_a_network_that_is_down() {
        for (message, wanted) in [
            ("error sending request: client error (Connect): invalid peer certificate: UnknownIssuer", true),
            ("client error (Connect): received fatal alert: HandshakeFailure", true),
            ("client error (Connect): received corrupt message of type InvalidContentType", true),
            ("client error (Connect): tls handshake eof", true),
            ("client error (Connect): dns error: failed to lookup address information", false),
            ("client error (Connect): tcp connect error: Connection refused (os error 111)", false),
        ] {
            assert_eq!(is_tls(message), wanted, "{message}");
        }
    }

    fn service(authority: &str) -> SignInService {
        let registration = Registration {
            authority: Authority::parse(authority).unwrap(),
            tenant: Tenant::parse("contoso.example.com").unwrap(),
            client_id: ClientId::parse("app-1").unwrap(),
            scope: Scope::default(),
            secret: None,
        };
        let now = || "2026-11-20T12:00:00Z".parse().unwrap();
        SignInService::new(registration, Duration::from_secs(60), now).unwrap()
    }

    /// What answers here speaks no TLS, as some proxies that block.
    #[tokio::test]
    async fn a_connection_that_is_not_encrypted_is_told_as_such() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
            // Hangs up when the client has.
            while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
        };
        let (service, code) = (service(&format!("https://{address}")), "device-code".into());
        let (answered, ()) = tokio::join!(service.poll(&code, None), answers);
        let error = answered.unwrap_err();
        assert!(matches!(error, SignInError::Unreachable { is_tls: true, .. }), "{error}");
        drop(listener);
        let error = service.poll(&code, None).await.unwrap_err();
        assert!(matches!(error, SignInError::Unreachable { is_tls: false, .. }), "{error}");
    }

    #[test]
    fn an_answer_without_words_is_told_by_its_status() {
        for (status, text, wanted) in [
            (200, "x", "what answered is no sign-in service: HTTP 200 with something else than JSON"),
            (302, "", "what answered is no sign-in service: HTTP 302, which leads elsewhere"),
            (403, " <html>", "what answered is no sign-in service: HTTP 403 with a page"),
            (429, "", "the sign-in service is not available: HTTP 429"),
            (500, "<html>", "the sign-in service is not available: HTTP 500"),
            (599, "", "the sign-in service is not available: HTTP 599"),
        ] {
            assert_eq!(without_words(status, None, text).to_string(), wanted);
        }
    }
}
