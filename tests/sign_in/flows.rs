//! The flows of the protocol, both dresses alike.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use futures::{FutureExt, stream};
use referral_bulk::api::{
    Authority, BrowserSignIn, ClaimsChallenge, ClientId, ClientSecret, DeviceSignIn, Grant, NoCallback,
    Registration, Remedy, Scope, SignInError, SignInService, Tenant,
};
use serde_json::json;

use crate::page::{self, Localhost};
use crate::provider::{BOTH, CLIENT, Dress, Options, Provider, TENANT};
use crate::support::waiting::PATIENCE;

/// A service with a registration as the provider knows it, with this secret.
fn service_with(provider: &Provider, secret: Option<&str>) -> SignInService {
    let registration = Registration {
        authority: Authority::parse(&provider.authority).unwrap(),
        tenant: Tenant::parse(TENANT).unwrap(),
        client_id: ClientId::parse(CLIENT).unwrap(),
        scope: Scope::default(),
        secret: secret.and_then(ClientSecret::of),
    };
    SignInService::new(registration, PATIENCE, || SystemTime::now().try_into().unwrap()).unwrap()
}

fn service(provider: &Provider) -> SignInService {
    service_with(provider, None)
}

fn claims() -> ClaimsChallenge {
    ClaimsChallenge::parse(r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#).unwrap()
}

/// Signs in with a browser that takes `localhost` for this address.
async fn in_browser(
    service: &SignInService,
    localhost: Localhost,
    user_name: Option<&str>,
) -> Result<Grant, SignInError> {
    let sign_in = BrowserSignIn::begin(service, user_name, None).await.unwrap();
    let url = sign_in.url().to_owned();
    let open = tokio::task::spawn_blocking(move || page::open(&url, localhost));
    let open = open.map(|page| Ok::<_, Infallible>(page.unwrap()));
    let wait = sign_in.wait(stream::pending(), |_| panic!("nothing was pasted")).map(Ok);
    let Ok((page, grant)) = tokio::try_join!(open, wait);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("You can close this page") || grant.is_err(), "{page:?}");
    grant
}

/// Signs in with a device code, which somebody else decides about.
async fn by_device_code(service: &SignInService, decide: impl FnOnce(&str)) -> Result<Grant, SignInError> {
    let sign_in = DeviceSignIn::begin(service, None).await?;
    assert!(sign_in.verification_uri().starts_with("http://127.0.0.1:"), "{}", sign_in.verification_uri());
    assert!(sign_in.left() > Duration::ZERO);
    decide(sign_in.user_code());
    sign_in.wait().await
}

fn error(ended: Result<Grant, SignInError>) -> (String, Remedy) {
    let error = ended.unwrap_err();
    let code = match &error {
        SignInError::Refused(refusal) => refusal.error.clone(),
        other => other.to_string(),
    };
    (code, error.advice(None).remedy)
}

/// The refresh token of a grant.
macro_rules! refresh {
    ($service:expr, $grant:expr) => {
        $service.refresh($grant.refresh.as_ref().unwrap(), None)
    };
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn a_browser_signs_in_on_both_addresses_of_localhost() {
    for dress in BOTH {
        let provider = Provider::start(Options::of(dress));
        let service = service(&provider);
        for (localhost, hint) in [(Localhost::V4, None), (Localhost::V6, Some("grace@partner.example"))] {
            let grant = in_browser(&service, localhost, hint).await.unwrap();
            let account = grant.account.as_ref().unwrap();
            assert_eq!(account.user_name.as_deref(), hint.or(Some("ada@partner.example")));
            assert_eq!(account.tenant.as_deref(), Some(TENANT));
            assert_eq!(grant.clock_ahead, None);
            let renewed = refresh!(service, grant).await.unwrap();
            assert_eq!(renewed.account, grant.account);
        }
        let asked = provider.seen_by("authorize");
        let form = &asked.last().unwrap().form;
        for (name, wanted) in [
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("scope", "https://api.partner.microsoft.com/.default offline_access openid profile"),
            ("code_challenge_method", "S256"),
            ("prompt", "select_account"),
            ("login_hint", "grace@partner.example"),
        ] {
            assert_eq!(form[name], wanted, "{form}");
        }
        for name in ["state", "nonce", "code_challenge"] {
            let values: Vec<&str> = asked.iter().filter_map(|seen| seen.form[name].as_str()).collect();
            assert!(
                values.iter().all(|value| value.len() == 43) && values[0] != values[1],
                "{name}: {values:?}"
            );
        }
        let redeemed = &provider.seen_by("token")[0].form;
        assert_eq!(redeemed["redirect_uri"], asked[0].form["redirect_uri"]);
        assert!(redeemed.get("client_secret").is_none(), "{redeemed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn the_address_that_no_browser_could_open_is_pasted() {
    let provider = Provider::start(Options::of(Dress::Entra));
    let service = service(&provider);
    let sign_in = BrowserSignIn::begin(&service, None, Some(claims())).await.unwrap();
    let (url, mut told) = (sign_in.url().to_owned(), Vec::new());
    let address = tokio::task::spawn_blocking(move || page::address_at_the_end(&url)).await.unwrap();
    let lines =
        ["what is this?", "", &address[..address.len() / 2], "http://localhost/?code=a&state=b", &address];
    let lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    let grant = sign_in.wait(stream::iter(lines), |other| told.push(other)).await.unwrap();
    assert_eq!(grant.account.unwrap().user_name.as_deref(), Some("ada@partner.example"));
    assert_eq!(told, [NoCallback::NoAddress, NoCallback::CutOff, NoCallback::Another]);
    for seen in provider.seen() {
        assert_eq!(seen.form["claims"], claims().as_str(), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn a_refusal_in_the_browser_is_told() {
    for dress in BOTH {
        let provider = Provider::start(Options::of(dress));
        let service = service(&provider);
        let declined = in_browser(&service, Localhost::V4, Some("deny@partner.example")).await;
        assert_eq!(error(declined), ("access_denied".to_owned(), Remedy::Accept), "{dress:?}");
        let description = "AADSTS50105: Not assigned.\r\nTrace ID: x";
        let body = json!({ "error": "interaction_required", "error_description": description });
        provider.answer("authorize", 1, 302, body, &[]);
        let refused = in_browser(&service, Localhost::V6, None).await;
        assert_eq!(error(refused), ("interaction_required".to_owned(), Remedy::Assign));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn a_device_code_signs_in() {
    for dress in BOTH {
        let provider = Provider::start(Options::of(dress));
        let service = service(&provider);
        let grant = by_device_code(&service, |code| provider.approve(code)).await.unwrap();
        assert_eq!(grant.account.as_ref().unwrap().user_name.as_deref(), Some("ada@partner.example"));
        refresh!(service, grant).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn a_device_code_that_nobody_will_enter_ends() {
    for (dress, declined) in [(Dress::Entra, "authorization_declined"), (Dress::Strict, "access_denied")] {
        let provider = Provider::start(Options::of(dress));
        let service = service(&provider);
        let denied = by_device_code(&service, |code| provider.deny(code));
        let expired = by_device_code(&service, |code| provider.expire(code));
        let (denied, expired) = tokio::join!(denied, expired);
        assert_eq!(error(denied).0, declined, "{dress:?}");
        assert_eq!(error(expired), ("expired_token".to_owned(), Remedy::SignIn), "{dress:?}");
    }
}

/// Every use gives another refresh token, and the one before is good for nothing but to end all.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn a_refresh_token_is_used_once() {
    for dress in BOTH {
        let provider = Provider::start(Options::of(dress));
        let service = service(&provider);
        let first = in_browser(&service, Localhost::V4, None).await.unwrap();
        let second = refresh!(service, first).await.unwrap();
        let third = refresh!(service, second).await.unwrap();
        let reused = refresh!(service, first).await.unwrap_err();
        assert!(reused.is_over() && !reused.is_transient(), "{reused}");
        assert!(refresh!(service, third).await.unwrap_err().is_over());
        let sent: Vec<String> = provider.secrets();
        let shown = format!("{first:?} {second:?} {third:?} {reused:?} {reused} {service:?}");
        assert!(sent.iter().all(|secret| !shown.contains(secret)), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn a_sign_in_that_was_revoked_is_over() {
    for dress in BOTH {
        let provider = Provider::start(Options::of(dress));
        let service = service(&provider);
        let grant = in_browser(&service, Localhost::V4, None).await.unwrap();
        provider.revoke();
        let revoked = refresh!(service, grant).await.unwrap_err();
        assert!(revoked.is_over(), "{revoked}");
        assert_eq!(revoked.advice(None).remedy, Remedy::SignIn);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn a_policy_that_demands_claims_is_told_with_them() {
    for dress in BOTH {
        let provider = Provider::start(Options::of(dress));
        let service = service(&provider);
        let grant = in_browser(&service, Localhost::V4, None).await.unwrap();
        let body = json!({ "error": "interaction_required", "suberror": "message_only", "claims": claims().as_str() });
        provider.answer("token", 1, 400, body, &[50076]);
        let SignInError::Refused(refusal) = refresh!(service, grant).await.unwrap_err() else {
            panic!("no refusal")
        };
        assert!(refusal.is_over());
        assert_eq!(refusal.claims, Some(claims()));
        assert_eq!(refusal.suberror.as_deref(), Some("message_only"));
        assert_eq!(refusal.codes, if dress == Dress::Entra { &[50076][..] } else { &[] });
        assert_eq!(refusal.correlation_id.is_some(), dress == Dress::Entra);
        let answered = service.refresh(grant.refresh.as_ref().unwrap(), Some(&claims())).await;
        assert!(answered.is_ok(), "{answered:?}");
        assert_eq!(provider.seen_by("token").last().unwrap().form["claims"], claims().as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn a_service_that_is_busy_is_asked_again() {
    let provider = Provider::start(Options::of(Dress::Entra));
    let service = service(&provider);
    let grant = in_browser(&service, Localhost::V4, None).await.unwrap();
    provider.answer("token", 1, 503, json!("<html>busy</html>"), &[]);
    provider.answer("token", 1, 400, json!({ "error": "temporarily_unavailable" }), &[90033]);
    refresh!(service, grant).await.unwrap();
    let statuses: Vec<u16> = provider.seen_by("token").iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [200, 503, 400, 200]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn an_app_with_a_secret_needs_the_right_one() {
    const SECRET: &str = "an~app-secret_of.40-characters/and+more==";
    for dress in BOTH {
        let provider = Provider::start(Options { secret: Some(SECRET), ..Options::of(dress) });
        let good = service_with(&provider, Some(SECRET));
        let grant = in_browser(&good, Localhost::V4, None).await.unwrap();
        refresh!(good, grant).await.unwrap();
        by_device_code(&good, |code| provider.approve(code)).await.unwrap();
        let bad = service_with(&provider, Some("another~secret-of_the.app"));
        let refused = in_browser(&bad, Localhost::V4, None).await;
        let shown = format!("{refused:?}");
        assert!(!shown.contains("another~secret"), "{shown}");
        // Entra ID's number says that it is the secret; the RFC's word alone leaves that open.
        let remedy = if dress == Dress::Entra { Remedy::Secret } else { Remedy::Client };
        assert_eq!(error(refused), ("invalid_client".to_owned(), remedy), "{dress:?}");
    }
}

/// What answers in place of the service is told apart from it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, which .ci/run installs"]
async fn what_is_no_answer_of_the_protocol_is_told() {
    let provider = Provider::start(Options::of(Dress::Entra));
    let service = service(&provider);
    let grant = in_browser(&service, Localhost::V4, None).await.unwrap();
    for (status, body, told) in [
        (200, json!("<html>log in to the hotel</html>"), "a success without JSON in it"),
        (200, json!({ "token_type": "Bearer" }), "JSON without an access token"),
        (302, json!("<html>"), "HTTP 302, which leads elsewhere"),
        (403, json!("<html>"), "HTTP 403 with a page"),
        (404, json!({ "message": "no" }), "HTTP 404 with something else than JSON"),
    ] {
        provider.answer("token", 1, status, body, &[]);
        let ended = refresh!(service, grant).await.unwrap_err();
        assert_eq!(ended.to_string(), format!("what answered is no sign-in service: {told}"));
        assert_eq!(ended.advice(None).remedy, Remedy::Address);
    }
}
