//! The app registration that signs in, and what it asks for.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::authority::{Authority, Tenant};

/// What the API for referrals is asked for: all that the registration was given.
const API: &str = "https://api.partner.microsoft.com/.default";
/// What every sign-in asks for besides: a refresh token, and who signed in.
const ALWAYS: [&str; 3] = ["offline_access", "openid", "profile"];

/// The app registration that signs in for a person: what a profile says of it.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The sign-in service.
    pub authority: Authority,
    /// The tenant that is signed in to.
    pub tenant: Tenant,
    /// The registration's id in that tenant.
    pub client_id: ClientId,
    /// What is asked for.
    pub scope: Scope,
    /// The secret of a registration that has one.
    pub secret: Option<ClientSecret>,
}

/// The secret of an app registration. `Debug` doesn't show it.
#[derive(Debug, Clone)]
pub struct ClientSecret(SecretString);

impl ClientSecret {
    /// Takes a secret as it was set, without the white space around it. `None` where there is none.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}').trim();
        (!text.is_empty()).then(|| Self(text.to_owned().into()))
    }

    /// Returns the secret itself, for the sign-in service alone.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The id of an app registration: the application or client id, a GUID at Entra ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId(String);

/// The reason why a text is no client id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no client id: write the \"Application (client) ID\" of your app registration, a GUID")]
pub struct ClientIdError;

impl ClientId {
    /// Parses a client id.
    ///
    /// # Errors
    /// Returns an error where it is empty, or holds anything else than letters, digits, `-`, `_` and `.`.
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        let (text, plain) = (text.trim(), |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let is_one = !text.is_empty() && text.chars().all(plain);
        if is_one { Ok(Self(text.to_owned())) } else { Err(ClientIdError) }
    }

    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The scopes that a sign-in asks for, with a space between. A refresh token and the account are always among
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(String);

/// The reason why a text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the scope names nothing of an API: write it like {API}")]
pub struct ScopeError;

impl Scope {
    /// Parses scopes with white space between, and adds those that every sign-in asks for.
    ///
    /// # Errors
    /// Returns an error where it names nothing of an API, or holds characters that no scope has.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let is_plain = |word: &&str| word.chars().all(|c| c.is_ascii_graphic() && !"\"\\".contains(c));
        if !words.iter().all(is_plain) || words.iter().all(|word| ALWAYS.contains(word)) {
            return Err(ScopeError);
        }
        words
            .extend(ALWAYS.into_iter().filter(|always| !text.split_whitespace().any(|word| word == *always)));
        Ok(Self(words.join(" ")))
    }

    /// Returns the scopes with a space between.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::parse(API).expect("the scope of the API is one")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_and_the_account_are_always_asked_for() {
        let wanted = "https://api.partner.microsoft.com/.default offline_access openid profile";
        assert_eq!(Scope::default().as_str(), wanted);
        for (text, wanted) in [
            (wanted, Some(wanted)),
            (" api://x/.default\nopenid ", Some("api://x/.default openid offline_access profile")),
            ("", None),
            ("openid profile", None),
            ("api://x/\"y", None),
            ("é", None),
        ] {
            assert_eq!(Scope::parse(text).ok().as_ref().map(Scope::as_str), wanted, "{text}");
        }
    }

    #[test]
    fn a_client_id_is_a_word() {
        for (text, wanted) in [
            (" 11111111-1111-4111-8111-111111111111 ", Some("11111111-1111-4111-8111-111111111111")),
            ("peer-client", Some("peer-client")),
            ("", None),
            ("a b", None),
            ("a/b", None),
        ] {
            assert_eq!(ClientId::parse(text).ok().as_ref().map(ClientId::as_str), wanted, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let registration = Registration {
            authority: Authority::global(),
            tenant: Tenant::parse("contoso.example.com").unwrap(),
            client_id: ClientId::parse("peer-client").unwrap(),
            scope: Scope::default(),
            secret: ClientSecret::of(" S3CRET\n"),
        };
        assert!(!format!("{registration:?}").contains("S3CRET"));
        assert_eq!(registration.secret.as_ref().map(ClientSecret::expose), Some("S3CRET"));
        assert!(ClientSecret::of("\n").is_none());
    }
}
