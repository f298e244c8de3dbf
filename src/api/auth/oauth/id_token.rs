//! The id token: who signed in. It is for display, and no decision rests on it.
//!
//! Its signature is not checked: it came over TLS from the token endpoint (OpenID Connect Core, 3.1.3.7).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use crate::api::refusal::bounded;
use crate::domain::json::{self, Object};

/// How far two clocks may be apart: what services allow for, too.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 200;

/// Who is signed in, as the sign-in service names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInAccount {
    /// The person's name.
    pub name: Option<String>,
    /// The name that they sign in with, mostly an address; it can change, and be given to somebody else.
    pub user_name: Option<String>,
    /// The id of the tenant.
    pub tenant: Option<String>,
    /// The id of the account, which never changes.
    pub object_id: Option<String>,
}

/// Shows the name that the person signs in with, or what there is in its place.
impl fmt::Display for SignedInAccount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [&self.user_name, &self.name, &self.object_id];
        out.write_str(names.into_iter().flatten().next().map_or("an account without a name", |name| name))
    }
}

/// The reason why an id token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// It can't be read.
    #[error("an id token that cannot be read")]
    Form,
    /// It was made for another app.
    #[error("an id token for another app")]
    Audience,
    /// It answers another sign-in.
    #[error("an id token of another sign-in")]
    Nonce,
    /// It ended before it came, by this machine's clock.
    #[error("an id token that ended {0} ago by this machine's clock")]
    Ended(Minutes),
}

/// A length of time, shown in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes(SignedDuration);

impl fmt::Display for Minutes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_mins();
        write!(out, "{minutes} minute{}", if minutes == 1 { "" } else { "s" })
    }
}

/// What an id token tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) account: SignedInAccount,
    /// How far this machine's clock is ahead of the service's, where that is more than a few minutes.
    pub(super) clock_ahead: Option<SignedDuration>,
}

/// Reads an id token that has just been issued. `nonce` is the one that was sent, where one was.
///
/// # Errors
/// Returns an error where it was made for another app or sign-in, or has ended.
pub(super) fn read(
    token: &str,
    client_id: &str,
    nonce: Option<&str>,
    now: Timestamp,
) -> Result<Identity, IdTokenError> {
    let payload = payload(token).ok_or(IdTokenError::Form)?;
    let claims = Object::parse(&payload).ok_or(IdTokenError::Form)?;
    let text = |name: &str| claims.get(name).and_then(json::string);
    if !is_for(claims.get("aud").ok_or(IdTokenError::Audience)?, client_id) {
        return Err(IdTokenError::Audience);
    }
    if nonce.is_some() && text("nonce").as_deref() != nonce {
        return Err(IdTokenError::Nonce);
    }
    let end = claims.get("exp").and_then(time).ok_or(IdTokenError::Form)?;
    let over = now.duration_since(end);
    if over > SKEW {
        return Err(IdTokenError::Ended(Minutes(over)));
    }
    let ahead = claims.get("iat").and_then(time).map(|issued| now.duration_since(issued));
    let shown = |names: &[&str]| {
        let name = names.iter().filter_map(|name| text(name)).find(|name| !name.trim().is_empty());
        name.map(|name| bounded(name.trim(), LONGEST_NAME))
    };
    Ok(Identity {
        account: SignedInAccount {
            name: shown(&["name"]),
            user_name: shown(&["preferred_username", "upn", "email"]),
            tenant: shown(&["tid"]),
            object_id: shown(&["oid", "sub"]),
        },
        clock_ahead: ahead.filter(|ahead| ahead.abs() > SKEW),
    })
}

/// Returns the id of the tenant that an id token is of, whatever else is wrong with the token.
pub(super) fn tenant(token: &str) -> Option<String> {
    let payload = payload(token)?;
    let id = json::string(Object::parse(&payload)?.get("tid")?)?;
    Some(id.trim()).filter(|id| !id.is_empty()).map(|id| bounded(id, LONGEST_NAME))
}

/// Returns the claims of a token: the second of its three parts.
fn payload(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes =
        URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok().filter(|_| parts.next().is_none())?;
    String::from_utf8(bytes).ok()
}

/// Returns whether an audience, one text or a list, names this client.
fn is_for(audience: &RawValue, client_id: &str) -> bool {
    let names = |raw: &RawValue| json::string(raw).as_deref() == Some(client_id);
    names(audience) || json::elements(audience).is_some_and(|all| all.into_iter().any(names))
}

/// Reads a number of seconds since 1970, which may have a fraction.
fn time(raw: &RawValue) -> Option<Timestamp> {
    let seconds: f64 = raw.get().parse().ok()?;
    let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(since).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn token(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("signature"))
    }

    fn seconds(later: i64) -> i64 {
        NOW.parse::<Timestamp>().unwrap().as_second() + later
    }

    fn read_claims(claims: &str) -> Result<Identity, IdTokenError> {
        read(&token(claims), "app", Some("n0nce"), NOW.parse().unwrap())
    }

    /// The claims of a good token, with some of them replaced or added.
    fn claims(other: &[(&str, String)]) -> String {
        let mut all = serde_json::Map::new();
        let good = [
            ("aud", r#""app""#.to_owned()),
            ("nonce", r#""n0nce""#.to_owned()),
            ("iat", seconds(0).to_string()),
            ("exp", seconds(3600).to_string()),
        ];
        for (name, value) in good.into_iter().chain(other.iter().cloned()) {
            all.insert(name.to_owned(), serde_json::from_str(&value).unwrap());
        }
        serde_json::Value::Object(all).to_string()
    }

    #[test]
    fn only_a_token_of_this_sign_in_is_accepted() {
        let text = |text: &str| format!("\"{text}\"");
        let over = |seconds| IdTokenError::Ended(Minutes(SignedDuration::from_secs(seconds)));
        for (other, wanted) in [
            (vec![], Ok(())),
            (vec![("aud", r#"["other","app"]"#.to_owned())], Ok(())),
            (vec![("aud", text("other"))], Err(IdTokenError::Audience)),
            (vec![("aud", "[]".to_owned())], Err(IdTokenError::Audience)),
            (vec![("aud", "null".to_owned())], Err(IdTokenError::Audience)),
            (vec![("nonce", text("other"))], Err(IdTokenError::Nonce)),
            (vec![("nonce", "null".to_owned())], Err(IdTokenError::Nonce)),
            (vec![("exp", seconds(-300).to_string())], Ok(())),
            (vec![("exp", format!("{}.5", seconds(0)))], Ok(())),
            (vec![("exp", seconds(-301).to_string())], Err(over(301))),
            (vec![("exp", text("soon"))], Err(IdTokenError::Form)),
            (vec![("exp", "1e99".to_owned())], Err(IdTokenError::Form)),
        ] {
            let got = read_claims(&claims(&other)).map(|_| ());
            assert_eq!(got, wanted, "{other:?}");
        }
        let good = token(&claims(&[]));
        assert!(read(&good, "app", None, NOW.parse().unwrap()).is_ok());
        for broken in ["", "a", "a.b.c", "..", &good[1..good.rfind('.').unwrap()], &format!("{good}.x")] {
            assert_eq!(read(broken, "app", None, NOW.parse().unwrap()), Err(IdTokenError::Form), "{broken}");
        }
        let told = IdTokenError::Ended(Minutes(SignedDuration::from_mins(65))).to_string();
        assert_eq!(told, "an id token that ended 65 minutes ago by this machine's clock");
    }

    #[test]
    fn a_clock_that_is_off_is_noticed() {
        for (issued, wanted) in
            [(0, None), (-300, None), (300, None), (-301, Some(301)), (3_600, Some(-3_600))]
        {
            let identity = read_claims(&claims(&[("iat", seconds(issued).to_string())])).unwrap();
            assert_eq!(identity.clock_ahead.map(|ahead| ahead.as_secs()), wanted, "{issued}");
        }
    }

    #[test]
    fn an_account_is_shown_by_what_it_has() {
        let text = |text: &str| serde_json::to_string(text).unwrap();
        for (other, wanted) in [
            (vec![], "an account without a name"),
            (vec![("sub", text("s"))], "s"),
            (vec![("sub", text("s")), ("oid", text("o"))], "o"),
            (vec![("name", text("Ada Example")), ("oid", text("o"))], "Ada Example"),
            (vec![("name", text("Ada")), ("upn", text(" ada@example.com "))], "ada@example.com"),
            (vec![("upn", text("u")), ("preferred_username", text("p"))], "p"),
            (vec![("preferred_username", text(" ")), ("email", text("e"))], "e"),
            (vec![("name", text("a\u{1b}[31m\nb"))], "a\u{fffd}[31m b"),
        ] {
            let identity = read_claims(&claims(&other)).unwrap();
            assert_eq!(identity.account.to_string(), wanted, "{other:?}");
        }
        let long = read_claims(&claims(&[("name", text(&"x".repeat(1_000))), ("tid", text("t"))])).unwrap();
        assert_eq!(long.account.name.unwrap().chars().count(), LONGEST_NAME);
        assert_eq!(long.account.tenant.as_deref(), Some("t"));
    }
}
