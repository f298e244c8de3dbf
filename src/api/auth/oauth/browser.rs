//! The sign-in in the browser: an authorization code with PKCE, on a loopback address (RFC 6749, section 4.1,
//! RFC 7636 and RFC 8252).

use std::pin::pin;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::{Stream, StreamExt};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::callback::{self, Callback, NoCallback};
use super::chance;
use super::claims::ClaimsChallenge;
use super::error::SignInError;
use super::listener::Listener;
use super::registration::Registration;
use super::service::{Redemption, SignInService};
use super::tokens::Grant;

/// How long the browser is waited for: what a code lasts, too.
const PATIENCE: Duration = Duration::from_mins(10);

/// A sign-in that waits for the browser to come back.
#[derive(Debug)]
pub struct BrowserSignIn {
    service: SignInService,
    listener: Listener,
    url: Url,
    redirect_uri: String,
    secrets: Secrets,
    claims: Option<ClaimsChallenge>,
    end: Instant,
}

/// What nobody else knows of a sign-in.
#[derive(Debug)]
struct Secrets {
    /// Comes back with the browser: so what it brings belongs to this sign-in.
    state: SecretString,
    /// Comes back in the id token: so the tokens belong to this sign-in.
    nonce: SecretString,
    /// Goes with the code: so nobody else can have tokens for it.
    verifier: SecretString,
}

impl BrowserSignIn {
    /// Begins to listen. `user_name` is the account that is proposed, and `claims` are what a policy demands of the
    /// sign-in.
    ///
    /// # Errors
    /// Returns [`SignInError::NoPort`] where nothing can be listened on.
    pub async fn begin(
        service: &SignInService,
        user_name: Option<&str>,
        claims: Option<ClaimsChallenge>,
    ) -> Result<Self, SignInError> {
        let listener = Listener::bind().await?;
        let secrets =
            Secrets { state: chance::secret()?, nonce: chance::secret()?, verifier: chance::secret()? };
        // Entra ID ignores the port of `localhost` alone, and not the path.
        let redirect_uri = format!("http://localhost:{}/", listener.port());
        let url = url(service.registration(), &redirect_uri, &secrets, user_name, claims.as_ref());
        let (service, end) = (service.clone(), Instant::now() + PATIENCE);
        Ok(Self { service, listener, url, redirect_uri, secrets, claims, end })
    }

    /// Returns the address to open.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Waits for ten minutes until the browser comes back, or until one of the `pasted` lines is the address that it
    /// could not open; says of each other line what it is with `tell`.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn wait(
        self,
        pasted: impl Stream<Item = String>,
        tell: impl FnMut(NoCallback),
    ) -> Result<Grant, SignInError> {
        let Self { service, listener, redirect_uri, secrets, claims, end, .. } = self;
        let state = secrets.state.expose_secret();
        let come = async {
            tokio::select! {
                callback = listener.callback(state) => callback,
                callback = of_lines(pasted, state, tell) => callback,
            }
        };
        let callback = tokio::time::timeout_at(end, come).await;
        match callback.map_err(|_| SignInError::NobodyCame(PATIENCE))? {
            Callback::Refused(refusal) => Err(SignInError::Refused(Box::new(refusal))),
            Callback::Code(code) => {
                let Secrets { nonce, verifier, .. } = &secrets;
                let (redirect_uri, claims) = (redirect_uri.as_str(), claims.as_ref());
                service.redeem(&Redemption { code: &code, verifier, redirect_uri, nonce, claims }).await
            }
        }
    }
}

/// Waits for a line that is the address of the redirect, forever where there is none.
async fn of_lines(
    lines: impl Stream<Item = String>,
    state: &str,
    mut tell: impl FnMut(NoCallback),
) -> Callback {
    let mut lines = pin!(lines);
    while let Some(line) = lines.next().await {
        match callback::pasted(&line, state) {
            Ok(callback) => return callback,
            Err(_) if line.trim().is_empty() => {}
            Err(other) => tell(other),
        }
    }
    std::future::pending().await
}

/// Returns the address of the page on which somebody signs in.
fn url(
    registration: &Registration,
    redirect_uri: &str,
    secrets: &Secrets,
    user_name: Option<&str>,
    claims: Option<&ClaimsChallenge>,
) -> Url {
    let Registration { authority, tenant, client_id, scope, .. } = registration;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(secrets.verifier.expose_secret()));
    let mut url = authority.page(tenant, "oauth2/v2.0/authorize");
    url.query_pairs_mut()
        .append_pair("client_id", client_id.as_str())
        .append_pair("response_type", "code")
        .append_pair("response_mode", "query")
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", scope.as_str())
        .append_pair("state", secrets.state.expose_secret())
        .append_pair("nonce", secrets.nonce.expose_secret())
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        // Or the account that the browser happens to be signed in with is taken without a word.
        .append_pair("prompt", "select_account")
        .extend_pairs(user_name.map(|name| ("login_hint", name)))
        .extend_pairs(claims.map(|claims| ("claims", claims.as_str())));
    url
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::super::{Authority, ClientId, Scope, Tenant};
    use super::*;

    fn service() -> SignInService {
        let registration = Registration {
            authority: Authority::parse("http://127.0.0.1:9").unwrap(),
            tenant: Tenant::parse("contoso.example.com").unwrap(),
            client_id: ClientId::parse("app-1").unwrap(),
            scope: Scope::default(),
            secret: None,
        };
        SignInService::new(registration, Duration::from_secs(5), || "2026-11-20T12:00:00Z".parse().unwrap())
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_that_never_comes_back_is_given_up() {
        let service = service();
        let (begin, sign_in) = (Instant::now(), BrowserSignIn::begin(&service, None, None).await.unwrap());
        let ended = sign_in.wait(stream::iter(["nonsense".to_owned()]), |_| ()).await.unwrap_err();
        assert_eq!(ended.to_string(), "no browser came back with a sign-in within 10 minutes");
        assert_eq!(begin.elapsed().as_secs(), 600);
    }

    /// The verifier is the one secret that never leaves before the code does.
    #[tokio::test]
    async fn the_address_and_debug_do_not_show_the_verifier() {
        let claims = ClaimsChallenge::parse(r#"{"a":"&#+ ="}"#);
        let sign_in = BrowserSignIn::begin(&service(), Some("ada+b@x.example"), claims).await.unwrap();
        let verifier = sign_in.secrets.verifier.expose_secret();
        assert!(!format!("{} {sign_in:?}", sign_in.url()).contains(verifier));
        let url = Url::parse(sign_in.url()).unwrap();
        let of = |name: &str| url.query_pairs().find(|(other, _)| other == name).unwrap().1.into_owned();
        assert_eq!(url.path(), "/contoso.example.com/oauth2/v2.0/authorize");
        assert_eq!(
            (of("claims"), of("login_hint")),
            (r#"{"a":"&#+ ="}"#.to_owned(), "ada+b@x.example".to_owned())
        );
        assert_eq!(of("code_challenge"), URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
        assert_eq!(of("redirect_uri"), format!("http://localhost:{}/", sign_in.listener.port()));
    }
}
