//! The bearer token, and how it is read from its source, with its lifetime.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

use super::echo;
use super::token_claims::TokenClaims;
use crate::api::refusal;
use crate::domain::json::{self, Object};

/// The least length of a text that is treated as a secret, in bytes: any real token is longer.
const SHORTEST_SECRET: usize = 16;

/// A well-formed bearer token. `Debug` doesn't show it.
#[derive(Debug, Clone)]
pub(in crate::api) struct Token(SecretString);

impl Token {
    /// Returns the value of `Authorization`, marked as sensitive so that `Debug` hides it.
    pub(in crate::api) fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0.expose_secret()))
            .expect("a token was checked to be printable ASCII");
        value.set_sensitive(true);
        value
    }

    /// Returns the bare token.
    pub(in crate::api) fn bare(&self) -> SecretString {
        self.0.clone()
    }

    /// Returns what the token says of itself; `None` where it is no JWT.
    pub(in crate::api) fn claims(&self) -> Option<TokenClaims> {
        TokenClaims::read(self.0.expose_secret())
    }

    /// Replaces the token in a text of the service by `[token]`.
    pub(in crate::api) fn redact(&self, text: &str) -> String {
        let (mut redacted, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((before, after)) = self.split(rest) {
            redacted.push_str(before);
            redacted.push_str("[token]");
            rest = after;
        }
        redacted + rest
    }

    /// Returns whether a text of the service repeats the token.
    pub(in crate::api) fn is_in(&self, text: &str) -> bool {
        self.split(text).is_some()
    }

    /// Returns the text before and after the token. Short tokens are not looked for: those given to a sandbox
    /// are no secret, and could be part of any other word.
    fn split<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let token = Some(self.0.expose_secret()).filter(|token| token.len() >= SHORTEST_SECRET)?;
        echo::split(text, token)
    }
}

/// A token as its source provides it.
#[derive(Debug)]
pub(in crate::api) struct Issued {
    /// The token.
    pub(in crate::api) token: Token,
    /// How long it is valid, where the source says so.
    pub(in crate::api) lifetime: Option<Duration>,
}

impl Issued {
    /// Reads a text that is the token, or the JSON that a token endpoint or a command-line tool answers with.
    /// A time of expiry is compared with `now`.
    ///
    /// # Errors
    /// Returns the end of a sentence that begins with the name of the source.
    pub(in crate::api) fn read(text: &SecretString, now: Timestamp) -> Result<Self, String> {
        let text = text.expose_secret().trim_start_matches('\u{feff}').trim();
        if !text.starts_with('{') {
            return Ok(Self { token: token(unquoted(text))?, lifetime: None });
        }
        let object = Object::parse(text).ok_or("begins like a JSON object and is none")?;
        let member = object.get("access_token").or_else(|| object.get("accessToken"));
        let found = member.and_then(json::string).ok_or_else(|| {
            error(&object, text).unwrap_or_else(|| {
                "is a JSON object without an \"access_token\" or \"accessToken\" in it".to_owned()
            })
        })?;
        Ok(Self { token: token(&found)?, lifetime: lifetime(&object, now) })
    }
}

/// Removes the quotes around a text, as printed by a tool that writes JSON or a word for a shell.
fn unquoted(text: &str) -> &str {
    let within = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\'')).map_or(text, str::trim)
}

/// Describes the error that a sign-in service returns in place of a token: its code and message, as in RFC
/// 6749, section 5.2, or in the form of the API's errors. Nothing else of the object is shown.
fn error(object: &Object<'_>, text: &str) -> Option<String> {
    object.get("error")?;
    let words: Vec<String> = refusal::words(text).into_iter().flatten().collect();
    Some(format!("holds no token but an error: {}", words.join(": ")))
}

/// Returns the lifetime of a token. Token endpoints say how many seconds are left; tools that keep tokens say
/// when it ends, in seconds since 1970 or as a time with its zone. A time without a zone is ambiguous, and is
/// ignored.
fn lifetime(object: &Object<'_>, now: Timestamp) -> Option<Duration> {
    let either = |one, other| object.get(one).or_else(|| object.get(other));
    if let Some(seconds) = either("expires_in", "expiresIn").and_then(whole_number) {
        return Some(Duration::from_secs(seconds));
    }
    let end = either("expires_on", "expiresOn")?;
    let seconds = whole_number(end).and_then(|seconds| i64::try_from(seconds).ok());
    let end: Timestamp = match seconds {
        Some(seconds) => Timestamp::from_second(seconds).ok()?,
        None => json::string(end)?.parse().ok()?,
    };
    Some(Duration::try_from(end.duration_since(now)).unwrap_or_default())
}

/// Reads a whole number, in quotes or without: both occur.
fn whole_number(raw: &RawValue) -> Option<u64> {
    raw.get().trim_matches('"').parse().ok()
}

fn token(token: &str) -> Result<Token, String> {
    if token.is_empty() {
        return Err("is empty: a bearer token was expected".to_owned());
    }
    if token.contains(char::is_whitespace) {
        return Err("holds whitespace: give the bare token, without \"Bearer\" before it".to_owned());
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("holds characters that no token has".to_owned());
    }
    Ok(Token(SecretString::from(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJ0eXAi.s3cr3t-t0ken_value.x";

    #[test]
    fn how_long_a_token_is_good_for() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        for (members, wanted) in [
            ("", None),
            (r#","expires_in":3599"#, Some(3599)),
            (r#","expires_in":"3599","expires_on":0"#, Some(3599)),
            (r#","expiresIn":60"#, Some(60)),
            (r#","expires_in":-1"#, None),
            (r#","expires_in":null,"expires_on":"1795176060""#, Some(60)),
            (r#","expires_on":1795176060"#, Some(60)),
            (r#","expires_on":1"#, Some(0)),
            (r#","expires_on":18446744073709551615"#, None),
            (r#","expiresOn":"2026-11-20T13:00:00+00:30""#, Some(1800)),
            (r#","expiresOn":"2026-11-20 13:00:00.000000""#, None),
            (r#","expiresOn":"2026-11-20 13:00:00.000000","expires_on":1795176060"#, Some(60)),
            (r#","expiresOn":[]"#, None),
        ] {
            let text = format!(r#"{{"accessToken":"{TOKEN}"{members}}}"#);
            let issued = Issued::read(&text.into(), now).unwrap();
            assert_eq!(issued.lifetime.map(|lifetime| lifetime.as_secs()), wanted, "{members}");
        }
        assert_eq!(Issued::read(&TOKEN.into(), now).unwrap().lifetime, None);
    }

    #[test]
    fn a_token_is_taken_out_however_it_is_written() {
        let escaped: String = TOKEN.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let opaque = "EwB4/A8l6+BAAU\"s3cr3t\\t0ken==";
        let marked = "EwB4<A8l6>&BAAU'%2Fs3cr3t=";
        for (token, text, wanted) in [
            (TOKEN, TOKEN.to_owned(), "[token]"),
            (TOKEN, format!("é {TOKEN}{TOKEN}x"), "é [token][token]x"),
            (TOKEN, format!("e{TOKEN} {}", &TOKEN[1..]), &format!("e[token] {}", &TOKEN[1..])),
            (TOKEN, format!("\"{escaped}\\n\""), "\"[token]\\n\""),
            (TOKEN, escaped.to_uppercase().replace("\\U", "\\u"), "[token]"),
            (TOKEN, escaped.replace('\\', "\\\\"), "[token]"),
            (TOKEN, format!("{}\\u", &TOKEN[..20]), &format!("{}\\u", &TOKEN[..20])),
            (TOKEN, format!("{}\\u00é", &TOKEN[..20]), &format!("{}\\u00é", &TOKEN[..20])),
            (TOKEN, format!("{}%é", &TOKEN[..20]), &format!("{}%é", &TOKEN[..20])),
            (TOKEN, format!("&{TOKEN}"), "&[token]"),
            (opaque, serde_json::to_string(opaque).unwrap(), "\"[token]\""),
            (opaque, r#"EwB4\/A8l6\u002BBAAU\u0022s3cr3t\\t0ken\u003d="#.to_owned(), "[token]"),
            (opaque, r#"EwB4\\/A8l6\\u002BBAAU\\\"s3cr3t\\t0ken=="#.to_owned(), "[token]"),
            (opaque, "?a=EwB4%2FA8l6%2bBAAU%22s3cr3t%5Ct0ken%3D%3D&b".to_owned(), "?a=[token]&b"),
            (opaque, "EwB4&#x2F;A8l6&#43;BAAU&quot;s3cr3t\\t0ken&#X3d;=".to_owned(), "[token]"),
            (marked, "<EwB4&lt;A8l6&gt;&amp;BAAU&apos;%2Fs3cr3t=>".to_owned(), "<[token]>"),
            (marked, marked.to_owned(), "[token]"),
            ("sandbox", "the sandbox".to_owned(), "the sandbox"),
        ] {
            let token = Token(token.into());
            assert_eq!(token.redact(&text), wanted, "{text}");
            assert_eq!(token.is_in(&text), text != wanted, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in r"([\\\\%&#;ueyJx0-9/é]|eyJ){0,60}") {
            let token = Token("eyJ/eyJ%eyJ\\eyJ&eyJ".into());
            proptest::prop_assert_eq!(token.is_in(&text), token.redact(&text) != text);
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let token = Token(TOKEN.into());
        let shown = format!("{token:?} {:?}", token.header());
        assert!(!shown.contains(TOKEN), "{shown}");
        assert_eq!(token.redact(&format!("bad {TOKEN}, {TOKEN}!")), "bad [token], [token]!");
        assert_eq!(Token("test".into()).redact("a test"), "a test");
    }
}
