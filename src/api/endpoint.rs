//! Every path and every header of the API (docs/api-facts.md, "Endpoints" and "Headers").

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use reqwest::Url;
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH, InvalidHeaderValue,
};
use uuid::Uuid;

use crate::domain::exchange::Journaled;
use crate::domain::referral::ReferralId;

/// The `User-Agent` of every request.
pub(super) const USER_AGENT: &str = concat!("referral-bulk/", env!("CARGO_PKG_VERSION"));

const OFFICIAL: &str = "https://api.partner.microsoft.com/v1.0";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("ms-correlationid");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const MS_REQUEST_ID: HeaderName = HeaderName::from_static("ms-requestid");
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The base URL of the API with its version, without a slash at its end. A token may be sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// The reason why a text is no endpoint. The text itself is not repeated, as it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It cannot be read as a URL with a host.
    #[error("the endpoint is no URL: write it like {OFFICIAL}")]
    NoUrl,
    /// Its scheme is neither http nor https.
    #[error("the endpoint begins neither with https:// nor, for this machine alone, with http://")]
    Scheme,
    /// It is plain http to another machine, so the token could be read on its way.
    #[error("the endpoint is plain http, which is for localhost, 127.0.0.0/8 and [::1] alone: use https")]
    Plain,
    /// It holds a user name or a password.
    #[error("the endpoint holds a user name or a password: leave it out, the token signs in")]
    UserInfo,
    /// It holds a query or a fragment.
    #[error("the endpoint holds a query or a fragment: leave out everything from the first ? or # on")]
    Query,
}

impl Endpoint {
    /// Parses a base URL. Slashes at its end are dropped.
    ///
    /// # Errors
    /// Returns an error where a token must not be sent there; see [`EndpointError`].
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let mut url = Url::parse(text).map_err(|_| EndpointError::NoUrl)?;
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => return Err(EndpointError::Plain),
            _ => return Err(EndpointError::Scheme),
        }
        // Where a password holds a slash, the URL parser takes what follows for the path and what precedes
        // for the host. The `@` is then in the path.
        if !url.username().is_empty() || url.password().is_some() || url.path().contains('@') {
            return Err(EndpointError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Query);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Returns the endpoint of the real service.
    pub fn official() -> Self {
        Self::parse(OFFICIAL).expect("the official endpoint is an endpoint")
    }

    /// Returns the base URL without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Returns whether it is on this machine, the only place that requests may be sent to unencrypted.
    pub fn is_local(&self) -> bool {
        self.0.host_str().is_some_and(is_loopback)
    }

    /// Returns the URL of one referral, for GET and PATCH.
    pub(super) fn referral(&self, id: ReferralId) -> Url {
        self.below(&["engagements", "referrals", &id.to_string()])
    }

    /// Returns the URL of a page of the list, the first where no link is given.
    pub(super) fn referrals(&self, page: Option<&PageLink>) -> Url {
        let mut url = self.below(&["engagements", "referrals"]);
        url.set_query(page.map(|link| link.0.as_str()));
        url
    }

    fn below(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(segments);
        url
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Returns whether a host is this machine. It is given as in a parsed URL: in lower case, IPv6 in brackets.
fn is_loopback(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6.is_some_and(|address| address.parse() == Ok(Ipv6Addr::LOCALHOST))
}

/// A link to a page of the list: the query of the `@odata.nextLink` that the page before gave.
///
/// The rest of the link is dropped: the documentation's own sample names plain http and another path,
/// and a token is sent to the endpoint only. Two links are equal where they lead to the same page,
/// so the caller can detect a service whose links form a cycle.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageLink(String);

/// The longest query that is accepted, in bytes. RFC 9110 asks servers to take URLs of 8,000 octets, and few
/// take more.
const LONGEST_QUERY: usize = 8_000;

impl PageLink {
    /// Reads a next link. `None` where it has no query, and so leads to no other page, or where its query is
    /// too long for a server to accept.
    pub(super) fn of(next_link: &str) -> Option<Self> {
        let (without_fragment, _) = next_link.split_once('#').unwrap_or((next_link, ""));
        let (_, query) = without_fragment.split_once('?')?;
        (1..=LONGEST_QUERY).contains(&query.len()).then(|| Self(query.to_owned()))
    }

    /// Returns the link to the first page of all referrals, in an order in which those that were updated last come first.
    pub fn latest_first() -> Self {
        Self("$orderby=updatedDateTime%20desc".to_owned())
    }

    /// Returns the link to the first page of the referrals that an OData filter lets through, as the service
    /// understands it. `None` where it is too long for a server to accept.
    pub fn filtered(filter: &str) -> Option<Self> {
        let mut url = Url::parse(OFFICIAL).ok()?;
        url.query_pairs_mut().append_key_only(filter);
        // In a query, a plus sign stands for a space in forms alone; one of the filter's own is escaped by now.
        let query = format!("$filter={}", url.query()?.replace('+', "%20"));
        (query.len() <= LONGEST_QUERY).then_some(Self(query))
    }
}

/// The greatest number of headers of a request, those included that the client adds.
const MOST_HEADERS: usize = 16;

/// Returns the headers of every request. `Authorization` is added later; see `auth`.
pub(super) fn headers(correlation_id: Uuid, client_request_id: Uuid) -> HeaderMap {
    with_common(HeaderMap::with_capacity(MOST_HEADERS), correlation_id, client_request_id)
}

/// Returns the headers of a PATCH.
///
/// # Errors
/// Returns an error where the eTag holds characters that no header may.
pub(super) fn write_headers<P: Journaled>(
    ticket: &P,
    correlation_id: Uuid,
) -> Result<HeaderMap, InvalidHeaderValue> {
    let mut headers = HeaderMap::with_capacity(MOST_HEADERS);
    // The documentation gives the id of a change two names; see docs/api-facts.md, "Headers".
    let change = guid(ticket.request_id());
    headers.insert(REQUEST_ID, change.clone());
    headers.insert(MS_REQUEST_ID, change);
    headers.insert(PREFER, HeaderValue::from_static("return=representation"));
    if let Some(etag) = ticket.etag() {
        headers.insert(IF_MATCH, HeaderValue::from_str(etag.as_str())?);
    }
    Ok(with_common(headers, correlation_id, ticket.client_request_id()))
}

fn with_common(mut headers: HeaderMap, correlation_id: Uuid, client_request_id: Uuid) -> HeaderMap {
    headers.insert(ACCEPT, JSON);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CLIENT_REQUEST_ID, guid(client_request_id));
    headers.insert(CORRELATION_ID, guid(correlation_id));
    headers
}

fn guid(id: Uuid) -> HeaderValue {
    HeaderValue::from_str(&id.to_string()).expect("a GUID is printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

    #[test]
    fn a_token_goes_nowhere_else() {
        use EndpointError::{NoUrl, Plain, Query, Scheme, UserInfo};
        for (text, wanted) in [
            ("https://api.partner.microsoft.com/v1.0", Ok("https://api.partner.microsoft.com/v1.0")),
            ("https://api.partner.microsoft.com/v1.0//", Ok("https://api.partner.microsoft.com/v1.0")),
            ("HTTPS://Example.COM", Ok("https://example.com")),
            ("https://example.com:8443/a/b/", Ok("https://example.com:8443/a/b")),
            ("http://localhost:8080/v1.0", Ok("http://localhost:8080/v1.0")),
            ("http://LOCALHOST/", Ok("http://localhost")),
            ("http://127.0.0.1:1/v1.0/", Ok("http://127.0.0.1:1/v1.0")),
            ("http://127.8.9.10", Ok("http://127.8.9.10")),
            ("http://[::1]:9/v1.0", Ok("http://[::1]:9/v1.0")),
            ("http://localhost.:80/v1.0", Err(Plain)),
            ("http://localhost.example.com", Err(Plain)),
            ("http://127.0.0.1.example.com", Err(Plain)),
            ("http://128.0.0.1", Err(Plain)),
            ("http://[::]", Err(Plain)),
            ("http://[::ffff:127.0.0.1]", Err(Plain)),
            ("http://[::2]", Err(Plain)),
            ("http://[fe80::1]", Err(Plain)),
            // Other notations of an IPv4 address count as what they mean.
            ("http://2130706433/v1.0", Ok("http://127.0.0.1/v1.0")),
            ("http://0x7f.1", Ok("http://127.0.0.1")),
            ("http://3232235777", Err(Plain)),
            ("http://0", Err(Plain)),
            ("HTTP://EXAMPLE.COM", Err(Plain)),
            ("http:example.com", Err(Plain)),
            ("http:\\\\example.com\\v1.0", Err(Plain)),
            (" http://example.com", Err(Plain)),
            ("ht\ntp://example.com", Err(Plain)),
            ("https://localhost@example.com", Err(UserInfo)),
            ("http://localhost:80@example.com", Err(Plain)),
            ("http://user:secret@localhost", Err(UserInfo)),
            ("https://api.partner.microsoft.com\\@example.com", Err(UserInfo)),
            ("https://user:pass/secret@example.com", Err(NoUrl)),
            ("https://pass/secret@example.com", Err(UserInfo)),
            ("https://api.partner.microsoft.com/../a/./b/..", Ok("https://api.partner.microsoft.com/a")),
            ("https://[::1", Err(NoUrl)),
            ("https://exa mple.com", Err(NoUrl)),
            ("http://example.com/v1.0", Err(Plain)),
            ("http://0.0.0.0", Err(Plain)),
            ("http://localhost@example.com", Err(Plain)),
            ("https://user@example.com", Err(UserInfo)),
            ("https://user:secret@example.com/v1.0", Err(UserInfo)),
            ("https://:secret@example.com/v1.0", Err(UserInfo)),
            ("https://example.com/v1.0?x=1", Err(Query)),
            ("https://example.com/v1.0?", Err(Query)),
            ("https://example.com/v1.0#x", Err(Query)),
            ("ftp://example.com", Err(Scheme)),
            ("file:///etc/passwd", Err(Scheme)),
            ("example.com/v1.0", Err(NoUrl)),
            ("https://", Err(NoUrl)),
            ("", Err(NoUrl)),
        ] {
            let got = Endpoint::parse(text);
            assert_eq!(got.as_ref().map(Endpoint::as_str).map_err(|error| *error), wanted, "{text}");
            if let Err(error) = got {
                assert!(!error.to_string().contains("secret"));
            }
        }
    }

    #[test]
    fn paths_lie_below_the_base() {
        for (base, path) in [
            ("https://example.com", "/engagements/referrals"),
            ("https://example.com/v1.0/", "/v1.0/engagements/referrals"),
            ("https://example.com/a%20b", "/a%20b/engagements/referrals"),
        ] {
            let endpoint = Endpoint::parse(base).unwrap();
            assert_eq!(endpoint.referrals(None).as_str(), format!("https://example.com{path}"));
            let id = ID.parse().unwrap();
            assert_eq!(endpoint.referral(id).as_str(), format!("https://example.com{path}/{ID}"));
        }
        assert_eq!(Endpoint::official().to_string(), OFFICIAL);
    }

    #[test]
    fn of_a_next_link_only_the_query_counts() {
        let endpoint = Endpoint::official();
        for (link, wanted) in [
            ("http://api.partner.microsoft.com/v1.0/referrals?$skip=100", Some("$skip=100")),
            ("https://evil.example.com/?a=1&b=%2F?c#d?e", Some("a=1&b=%2F?c")),
            ("/v1.0/referrals?$filter=status eq 'New'", Some("$filter=status%20eq%20%27New%27")),
            ("?x", Some("x")),
            ("https://api.partner.microsoft.com/v1.0/referrals", None),
            ("https://api.partner.microsoft.com/v1.0/referrals?", None),
            ("https://api.partner.microsoft.com/v1.0/referrals#?a", None),
            ("", None),
            ("//evil.example.com/v1.0/referrals?a", Some("a")),
            ("https://user:secret@evil.example.com/../../?a#b", Some("a")),
            ("https://api.partner.microsoft.com@evil.example.com/?a", Some("a")),
            ("/v1.0/../../admin?a=../../b", Some("a=../../b")),
            (
                "?a=1 HTTP/1.1\r\nHost: evil.example.com\r\n\r\n",
                Some("a=1%20HTTP/1.1Host:%20evil.example.com"),
            ),
            ("?é\u{0}\"<>", Some("%C3%A9%00%22%3C%3E")),
            ("?//evil.example.com", Some("//evil.example.com")),
            (&format!("?{}", "a".repeat(LONGEST_QUERY)), Some(&"a".repeat(LONGEST_QUERY))),
            (&format!("?{}", "a".repeat(LONGEST_QUERY + 1)), None),
        ] {
            let url = PageLink::of(link).map(|link| endpoint.referrals(Some(&link)).to_string());
            let wanted = wanted.map(|query| format!("{OFFICIAL}/engagements/referrals?{query}"));
            assert_eq!(url, wanted, "{link}");
        }
        assert_eq!(PageLink::of("http://a/b?c=1"), PageLink::of("https://d/e?c=1#f"));
    }

    #[test]
    fn a_filter_goes_into_the_query_whatever_it_holds() {
        for (filter, wanted) in [
            ("status eq 'New'", Some("status%20eq%20%27New%27")),
            ("a+b=c&d#e?f%", Some("a%2Bb%3Dc%26d%23e%3Ff%25")),
            ("name eq 'Zoë'", Some("name%20eq%20%27Zo%C3%AB%27")),
            (&"x".repeat(LONGEST_QUERY), None),
        ] {
            let url = PageLink::filtered(filter).map(|link| Endpoint::official().referrals(Some(&link)));
            let wanted = wanted.map(|query| format!("{OFFICIAL}/engagements/referrals?$filter={query}"));
            assert_eq!(url.map(|url| url.to_string()), wanted, "{filter}");
        }
    }
}
