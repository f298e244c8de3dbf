//! The address of the sign-in service, and the tenant that is signed in to.

use std::fmt;

use reqwest::Url;
use uuid::Uuid;

use crate::api::endpoint::{Endpoint, EndpointError};

/// The authority of the global cloud.
const GLOBAL: &str = "https://login.microsoftonline.com";

/// The base URL of the sign-in service, without the tenant and without a slash at its end. Codes, refresh tokens
/// and a secret may be sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority(Endpoint);

/// The reason why a text is no authority. The text itself is not repeated, as it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// It cannot be read as a URL with a host.
    #[error("the authority is no URL: write it like {GLOBAL}")]
    NoUrl,
    /// Its scheme is neither http nor https.
    #[error("the authority begins neither with https:// nor, for this machine alone, with http://")]
    Scheme,
    /// It is plain http to another machine, so whoever listens could sign in.
    #[error("the authority is plain http, which is for localhost, 127.0.0.0/8 and [::1] alone: use https")]
    Plain,
    /// It holds a user name, a password, a query or a fragment.
    #[error("the authority holds more than scheme, host and path: write it like {GLOBAL}")]
    More,
}

impl Authority {
    /// Parses a base URL. Slashes at its end are dropped.
    ///
    /// # Errors
    /// Returns an error where no secret must be sent there; see [`AuthorityError`].
    pub fn parse(text: &str) -> Result<Self, AuthorityError> {
        Endpoint::parse(text).map(Self).map_err(|error| match error {
            EndpointError::NoUrl => AuthorityError::NoUrl,
            EndpointError::Scheme => AuthorityError::Scheme,
            EndpointError::Plain => AuthorityError::Plain,
            EndpointError::UserInfo | EndpointError::Query => AuthorityError::More,
        })
    }

    /// Returns the authority of the global cloud.
    pub fn global() -> Self {
        Self::parse(GLOBAL).expect("the authority of the global cloud is one")
    }

    /// Returns the base URL without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns whether it is on this machine, the only place that requests may be sent to unencrypted.
    pub fn is_local(&self) -> bool {
        self.0.is_local()
    }

    /// Returns the URL of a tenant's page of the OAuth protocol, such as `oauth2/v2.0/token`.
    pub fn page(&self, tenant: &Tenant, page: &str) -> Url {
        let text = format!("{}/{}/{page}", self.as_str(), tenant.as_str());
        Url::parse(&text).expect("a URL with a tenant below it is a URL")
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The id or the domain of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant(String);

/// The reason why a text names no tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// It stands for any tenant, in which an app of one's own isn't registered.
    #[error(
        "\"{0}\" stands for any tenant: name yours, by its id or its domain, such as contoso.example.com"
    )]
    Any(String),
    /// It is neither an id nor a domain.
    #[error("\"{0}\" is no tenant: write its id, a GUID, or its domain, such as contoso.example.com")]
    Form(String),
}

impl Tenant {
    /// Parses the id or the domain of a tenant.
    ///
    /// # Errors
    /// See [`TenantError`].
    pub fn parse(text: &str) -> Result<Self, TenantError> {
        let (text, plain) = (text.trim(), |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.');
        if ["common", "organizations", "consumers"].contains(&text.to_ascii_lowercase().as_str()) {
            return Err(TenantError::Any(text.to_owned()));
        }
        let is_one = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain);
        if is_one { Ok(Self(text.to_owned())) } else { Err(TenantError::Form(text.to_owned())) }
    }

    /// Returns whether the tenant with this id is another one. Where the domain of this one is known alone, that can't
    /// be told, and so it is none.
    pub(super) fn is_other(&self, id: &str) -> bool {
        Uuid::try_parse(self.as_str()).is_ok_and(|asked| Uuid::try_parse(id) != Ok(asked))
    }

    /// Returns the id or the domain.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_secrets_may_be_sent_to_is_an_authority() {
        for (text, wanted) in [
            ("https://login.microsoftonline.com/", Ok("https://login.microsoftonline.com")),
            ("https://login.example.com/a/", Ok("https://login.example.com/a")),
            ("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080")),
            ("http://login.example.com", Err(AuthorityError::Plain)),
            ("ftp://login.example.com", Err(AuthorityError::Scheme)),
            ("login.example.com", Err(AuthorityError::NoUrl)),
            ("https://ada:pw@login.example.com", Err(AuthorityError::More)),
            ("https://login.example.com/?a=b", Err(AuthorityError::More)),
        ] {
            let parsed = Authority::parse(text);
            assert_eq!(parsed.as_ref().map(Authority::as_str), wanted.as_ref().copied(), "{text}");
        }
        let tenant = Tenant::parse("contoso.example.com").unwrap();
        let page = Authority::global().page(&tenant, "oauth2/v2.0/token");
        assert_eq!(page.as_str(), "https://login.microsoftonline.com/contoso.example.com/oauth2/v2.0/token");
    }

    #[test]
    fn a_tenant_is_another_one_by_its_id() {
        const ID: &str = "aaaaaaaa-2222-4333-8444-555555555555";
        for (asked, came, wanted) in [
            (ID, ID, false),
            (ID, "AAAAAAAA-2222-4333-8444-555555555555", false),
            (ID, "11111111-2222-4333-8444-555555555555", true),
            (ID, "contoso.example.com", true),
            ("contoso.example.com", ID, false),
        ] {
            assert_eq!(Tenant::parse(asked).unwrap().is_other(came), wanted, "{asked} {came}");
        }
    }

    #[test]
    fn a_tenant_is_an_id_or_a_domain() {
        for text in ["contoso.example.com", "11111111-1111-4111-8111-111111111111", "peer-tenant"] {
            assert_eq!(Tenant::parse(&format!(" {text} ")).unwrap().as_str(), text);
        }
        for text in ["common", "Organizations", "consumers"] {
            assert_eq!(Tenant::parse(text), Err(TenantError::Any(text.to_owned())));
        }
        for text in ["", "a/b", "../x", ".", "a b", "é", "a?b", "-"] {
            assert_eq!(Tenant::parse(text), Err(TenantError::Form(text.to_owned())), "{text}");
        }
    }
}
