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
        .as_deref()
        .map(|token| id_token::read(token, registration.client_id.as_str(), nonce, now))
        .transpose()?;
    let tenant = of_tenant(registration, id_token.as_deref())?;
    grant(text, &object, (identity, tenant), now)
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
    let tenant = of_tenant(registration, id_token.as_deref())?;
    let identity =
        id_token.and_then(|token| id_token::read(&token, registration.client_id.as_str(), None, now).ok());
    grant(text, &object, (identity, tenant), now)
}

/// Returns the tenant that an id token is of, where it says so.
///
/// # Errors
/// Returns an error where another one was asked for.
fn of_tenant(registration: &Registration, id_token: Option<&str>) -> Result<Option<String>, SignInError> {
    let asked = &registration.tenant;
    match id_token.and_then(id_token::tenant) {
        Some(came) if asked.is_other(&came) => {
            Err(SignInError::OtherTenant { asked: asked.to_string(), came })
        }
        tenant => Ok(tenant),
    }
}

fn grant(
    text: &SecretString,
    object: &Object<'_>,
    (identity, tenant): (Option<Identity>, Option<String>),
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
    Ok(Grant { access, refresh, account: identity.map(|identity| identity.account), tenant, clock_ahead })
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

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::super::{Authority, ClientId, Scope, Tenant};
    use super::*;

    const NOW: &str = "2026-11-20T12:00:00Z";
    /// Stands for every secret in these answers.
    const SECRET: &str = "s3cr3t.t0ken-value_1";

    fn registration() -> Registration {
        Registration {
            authority: Authority::global(),
            tenant: Tenant::parse("contoso.example.com").unwrap(),
            client_id: ClientId::parse("app-1").unwrap(),
            scope: Scope::default(),
            secret: None,
        }
    }

    fn id_token(claims: &serde_json::Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    /// Lifetime in seconds, refresh token, account; or the error.
    fn told(grant: Result<Grant, SignInError>) -> Result<(Option<u64>, Option<String>, String), String> {
        let told = |grant: Grant| {
            let refresh = grant.refresh.map(|token| token.expose().to_owned());
            let account = grant.account.map(|account| account.to_string()).unwrap_or_default();
            (grant.access.lifetime.map(|time| time.as_secs()), refresh, account)
        };
        grant.map(told).map_err(|error| error.to_string())
    }

    #[test]
    fn tokens_are_read_or_it_is_told_what_is_wrong() {
        let bad = |what: &str| Err(format!("what answered is no sign-in service: {what}"));
        for (members, wanted) in [
            (r#""access_token":"A""#, Ok((None, None, String::new()))),
            (r#""access_token":"A","expires_in":3599"#, Ok((Some(3599), None, String::new()))),
            (
                r#""access_token":"A","refresh_token":"R.1-_~""#,
                Ok((None, Some("R.1-_~".to_owned()), String::new())),
            ),
            (r#""access_token":"A","refresh_token":null"#, Ok((None, None, String::new()))),
            (r#""access_token":"A","id_token":null"#, Ok((None, None, String::new()))),
            (r#""access_token":"A","refresh_token":"""#, bad("a refresh token that cannot be sent")),
            (r#""access_token":"A","refresh_token":"a b""#, bad("a refresh token that cannot be sent")),
            (r#""access_token":"A","refresh_token":7"#, bad("a refresh token that cannot be sent")),
            (r#""access_token":"a b""#, bad("an access token that cannot be sent")),
            (r#""access_token":null"#, bad("an access token that cannot be sent")),
            (r#""accessToken":"A""#, bad("JSON without an access token")),
            ("", bad("JSON without an access token")),
        ] {
            let text = format!("\u{feff}{{{members}}}\n").into();
            let (registration, now) = (registration(), NOW.parse().unwrap());
            assert_eq!(told(of_sign_in(&text, &registration, None, now)), wanted, "{members}");
            assert_eq!(told(of_refresh(&text, &registration, now)), wanted, "{members}");
        }
        for text in ["", "<html>", "[]", "null", "A"] {
            let told = told(of_sign_in(&text.into(), &registration(), None, NOW.parse().unwrap()));
            assert_eq!(told, bad("a success without JSON in it"), "{text}");
        }
    }

    /// An id token that can't be accepted ends a sign-in, and not a run that renews one.
    #[test]
    fn an_id_token_counts_for_a_sign_in() {
        let now: Timestamp = NOW.parse().unwrap();
        let good = serde_json::json!({
            "aud": "app-1", "nonce": "n", "iat": now.as_second(), "exp": now.as_second() + 3_600, "upn": "ada@x.example"
        });
        let with = |name: &str, value: serde_json::Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        let old =
            "the sign-in service answered with an id token that ended 60 minutes ago by this machine's clock";
        for (claims, wanted) in [
            (good.clone(), Ok("ada@x.example")),
            (
                with("aud", "app-2".into()),
                Err("the sign-in service answered with an id token for another app"),
            ),
            (
                with("nonce", "m".into()),
                Err("the sign-in service answered with an id token of another sign-in"),
            ),
            (with("exp", (now.as_second() - 3_600).into()), Err(old)),
        ] {
            let text = format!(r#"{{"access_token":"A","id_token":"{}"}}"#, id_token(&claims)).into();
            let signed_in = told(of_sign_in(&text, &registration(), Some("n"), now));
            let wanted_account =
                wanted.map(|account| (None, None, account.to_owned())).map_err(str::to_owned);
            assert_eq!(signed_in, wanted_account, "{claims}");
            let renewed = told(of_refresh(&text, &registration(), now)).unwrap();
            let is_shown = wanted.is_ok() || claims["nonce"] == "m";
            assert_eq!(renewed.2, if is_shown { "ada@x.example" } else { "" }, "{claims}");
        }
    }

    #[test]
    fn a_device_code_is_read_or_it_is_told_what_is_wrong() {
        let needs = |name: &str| {
            Err(format!("what answered is no sign-in service: a device code without a proper {name}"))
        };
        let told = |answer: Result<DeviceAnswer, SignInError>| {
            let told = |it: DeviceAnswer| {
                format!(
                    "{} at {} for {} each {}",
                    it.user_code,
                    it.verification_uri,
                    it.lifetime.as_secs(),
                    it.interval.as_secs()
                )
            };
            answer.map(told).map_err(|error| error.to_string())
        };
        const URI: &str = "https://x.example/d";
        for (name, value, wanted) in [
            ("", "0", Ok("AB-12 at https://x.example/d for 900 each 5")),
            ("expires_in", "\"60\"", Ok("AB-12 at https://x.example/d for 60 each 5")),
            ("expires_in", "99999999999", Ok("AB-12 at https://x.example/d for 86400 each 5")),
            ("expires_in", "-1", Ok("AB-12 at https://x.example/d for 900 each 5")),
            ("interval", "1", Ok("AB-12 at https://x.example/d for 900 each 1")),
            ("interval", "0", Ok("AB-12 at https://x.example/d for 900 each 1")),
            ("interval", "86400", Ok("AB-12 at https://x.example/d for 900 each 60")),
            ("interval", "null", Ok("AB-12 at https://x.example/d for 900 each 5")),
            ("user_code", "\"AB 12\"", Ok("AB 12 at https://x.example/d for 900 each 5")),
            ("user_code", "\"\"", Err("user_code")),
            ("user_code", "\"AB\\u001b[2J\"", Err("user_code")),
            ("user_code", "7", Err("user_code")),
            ("device_code", "null", Err("device_code")),
            ("verification_uri", "\"javascript:alert(1)\"", Err("verification_uri")),
            ("verification_uri", "\"https://x.example/\\u202e\"", Err("verification_uri")),
            ("verification_uri", "\"\"", Err("verification_uri")),
        ] {
            let mut body =
                serde_json::json!({ "device_code": SECRET, "user_code": "AB-12", "verification_uri": URI });
            body[name] = serde_json::from_str(value).unwrap();
            let answer = of_device_code(&body.to_string().into());
            assert!(!format!("{answer:?}").contains(SECRET));
            assert_eq!(told(answer), wanted.map(str::to_owned).or_else(needs), "{name}: {value}");
        }
    }

    proptest::proptest! {
        /// Wherever a secret stands in an answer, nothing that is made of it shows it.
        #[test]
        fn no_secret_is_shown(name in "access_token|refresh_token|id_token|device_code|other|token_type", is_broken: bool) {
            let mut body = serde_json::json!({ "access_token": SECRET, "refresh_token": SECRET, "device_code": SECRET });
            body[&name] = if is_broken { format!("{SECRET} {SECRET}") } else { SECRET.to_owned() }.into();
            let (text, registration, now) = (body.to_string().into(), registration(), NOW.parse().unwrap());
            let mut shown = String::new();
            for grant in [of_sign_in(&text, &registration, None, now), of_refresh(&text, &registration, now)] {
                shown += &format!("{grant:?}");
                shown += &grant.err().map(|error| error.to_string()).unwrap_or_default();
            }
            let answer = of_device_code(&text);
            shown += &format!("{answer:?}");
            proptest::prop_assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}
