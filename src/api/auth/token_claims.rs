//! What an access token says of itself, where it is a JWT (RFC 7519): whose it is, for which service, until when.
//!
//! It is for people alone. No signature is checked and nothing is decided by it: the service is who takes a token or
//! refuses it. The token itself never leaves this module's parent.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::api::refusal;
use crate::domain::json::{self, Object};

/// The longest text that is kept of a claim, in characters.
const LONGEST: usize = 200;
/// The most texts that are kept of a claim that is a list.
const MOST: usize = 20;

/// The claims that name the account, the one that says most first.
const ACCOUNT: [&str; 4] = ["upn", "preferred_username", "unique_name", "name"];

/// What an access token says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenClaims {
    /// The services that it is for (`aud`); hardly ever more than one.
    pub audience: Vec<String>,
    /// The tenant that issued it (`tid`).
    pub tenant: Option<String>,
    /// Who signed in.
    pub account: Option<String>,
    /// When it ends (`exp`).
    pub ends: Option<Timestamp>,
    /// Whom it acts for.
    pub acts_for: ActsFor,
    /// What it permits: its scopes (`scp`), or an app's roles.
    pub permits: Vec<String>,
}

/// Whom a token acts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActsFor {
    /// A user who signed in.
    User,
    /// An app by itself, without a user.
    App,
    /// Neither is said.
    Untold,
}

impl TokenClaims {
    /// Reads the claims of a token; `None` where it is no JWT whose claims can be read.
    pub(super) fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        let claims = String::from_utf8(claims).ok()?;
        let claims = Object::parse(&claims)?;
        let text = |name| claims.get(name).and_then(json::string).map(|text| shown(&text));
        let scopes = words(text("scp").as_deref());
        let (account, roles) = (ACCOUNT.into_iter().find_map(text), texts(claims.get("roles")));
        // Newer tokens say outright that they are an app's own; others have roles in place of scopes, and no user.
        let acts_for = match text("idtyp").as_deref() {
            Some("app") => ActsFor::App,
            _ if !scopes.is_empty() || account.is_some() => ActsFor::User,
            _ if !roles.is_empty() => ActsFor::App,
            _ => ActsFor::Untold,
        };
        Some(Self {
            audience: texts(claims.get("aud")),
            tenant: text("tid"),
            account,
            ends: claims.get("exp").and_then(instant),
            acts_for,
            permits: scopes.into_iter().chain(roles).collect(),
        })
    }
}

/// Returns the text of a claim, or the texts of one that is a list.
fn texts(raw: Option<&RawValue>) -> Vec<String> {
    raw.map(json::texts).unwrap_or_default().iter().take(MOST).map(|text| shown(text)).collect()
}

fn words(text: Option<&str>) -> Vec<String> {
    text.into_iter().flat_map(str::split_whitespace).map(ToOwned::to_owned).collect()
}

/// Reads seconds since 1970, which may have a fraction (RFC 7519, section 2).
fn instant(raw: &RawValue) -> Option<Timestamp> {
    let seconds = raw.get().split('.').next()?;
    Timestamp::from_second(seconds.parse().ok()?).ok()
}

fn shown(text: &str) -> String {
    refusal::bounded(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_tells_whose_it_is() {
        const USER: &str = r#""aud":"https://api.partner.microsoft.com","scp":"user_impersonation openid""#;
        for (claims, account, tenant, ends, acts_for, permits) in [
            (
                format!(r#"{{{USER},"upn":"kim@example.com","name":"Kim","tid":"t-1","exp":1795176060}}"#),
                Some("kim@example.com"),
                Some("t-1"),
                Some(1_795_176_060),
                ActsFor::User,
                &["user_impersonation", "openid"][..],
            ),
            (
                format!(r#"{{{USER},"name":"Kim\u202e","exp":1795176060.5}}"#),
                Some("Kim\u{fffd}"),
                None,
                Some(1_795_176_060),
                ActsFor::User,
                &["user_impersonation", "openid"],
            ),
            (
                format!(r#"{{{USER},"idtyp":"app","exp":"soon","upn":7}}"#),
                None,
                None,
                None,
                ActsFor::App,
                &["user_impersonation", "openid"],
            ),
            (
                r#"{"roles":["Referrals.Read"],"exp":1e99}"#.to_owned(),
                None,
                None,
                None,
                ActsFor::App,
                &["Referrals.Read"],
            ),
            (
                r#"{"upn":"kim@example.com","roles":["Referrals.Read"]}"#.to_owned(),
                Some("kim@example.com"),
                None,
                None,
                ActsFor::User,
                &["Referrals.Read"],
            ),
            (r#"{"exp":1795176060}"#.to_owned(), None, None, Some(1_795_176_060), ActsFor::Untold, &[]),
        ] {
            let read = TokenClaims::read(&token(&claims)).unwrap();
            let got = (read.account.as_deref(), read.tenant.as_deref(), read.acts_for);
            assert_eq!(got, (account, tenant, acts_for), "{claims}");
            assert_eq!(read.ends.map(Timestamp::as_second), ends, "{claims}");
            assert_eq!(read.permits, permits, "{claims}");
        }
        let several = TokenClaims::read(&token(r#"{"aud":["a","b"]}"#)).unwrap();
        assert_eq!(several.audience, ["a", "b"]);
    }

    #[test]
    fn what_is_no_such_token_tells_nothing() {
        for text in [
            "sandbox",
            "",
            "a.b",
            "a.b.c",
            &token("[]"),
            &token("{"),
            &format!("{}.d", token("{}")),
            "eyJ0eXAi.s3cr3t-t0ken_value.x",
        ] {
            assert_eq!(TokenClaims::read(text), None, "{text}");
        }
        assert!(TokenClaims::read(&token("{}")).is_some());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in r"[A-Za-z0-9._=-]{0,80}") {
            let _ = TokenClaims::read(&text);
        }
    }
}
