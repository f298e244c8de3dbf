//! What the sign-in service issues: an access token, and a refresh token that the next one is had for.

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};

use super::id_token::SignedInAccount;
use crate::api::auth::token::Issued;

/// The most bytes of a refresh token; real ones have one to four thousand.
const LONGEST: usize = 32 * 1024;

/// What another access token is had for, without anybody signing in: who has it is signed in. `Debug` doesn't
/// show it.
#[derive(Debug, Clone)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// Reads a refresh token. `None` where it is none: empty, longer than any, or with other characters than
    /// printable ones of ASCII.
    pub(in crate::api) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let is_one = (1..=LONGEST).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        let text = str::from_utf8(bytes).ok().filter(|_| is_one)?;
        Some(Self(SecretString::from(text)))
    }

    /// Returns the token itself, to be sent to the sign-in service, or to be kept.
    pub(in crate::api) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What a sign-in or a refresh gave.
#[derive(Debug)]
pub struct Grant {
    /// The access token, with how long it is good for.
    pub(in crate::api) access: Issued,
    /// The refresh token that is to be kept from now on; `None` where the service gave none, and the present one
    /// goes on.
    pub refresh: Option<RefreshToken>,
    /// Who is signed in, where the service says so.
    pub account: Option<SignedInAccount>,
    /// The id of the tenant that the tokens are of, where the service says so.
    pub(in crate::api) tenant: Option<String>,
    /// How far this machine's clock is ahead of the sign-in service's, where that is further than a token allows;
    /// negative where it is behind.
    pub clock_ahead: Option<SignedDuration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_printable_and_hidden() {
        for (bytes, is_one) in [
            (&b"0.AXoA-opaque_refresh.token"[..], true),
            (b"M.C5+/=!*$", true),
            (b"", false),
            (b"a b", false),
            (b"a\n", false),
            (b"\xff", false),
            ("é".as_bytes(), false),
            (&[b'x'; LONGEST], true),
            (&[b'x'; LONGEST + 1], false),
        ] {
            let token = RefreshToken::from_bytes(bytes);
            assert_eq!(token.as_ref().map(|token| token.expose().as_bytes()), is_one.then_some(bytes));
            let shown = format!("{token:?}");
            assert!(!is_one || !shown.contains(str::from_utf8(bytes).unwrap()), "{shown}");
        }
    }
}
