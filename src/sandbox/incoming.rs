//! A request with its parts parsed: which operation it asks for, and whether its headers are as documented.

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use uuid::Uuid;

use super::answer::ErrorAnswer;
use super::calls::Calls;
use super::fault::Subject;
use super::patch::PatchDocument;

const REFERRALS: &str = "/v1.0/engagements/referrals";

/// The header that the service repeats in its answer, so that logs of client and server can be matched.
pub(super) const CLIENT_REQUEST_ID: &str = "client-request-id";

/// A request with its parts parsed.
pub(super) struct IncomingRequest {
    pub call: Call,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Result<Bytes, ErrorAnswer>,
}

/// The operation that a request asks for. An id that is no GUID is `None`, and names no referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Get(Option<Uuid>),
    List,
    Patch(Option<Uuid>),
    /// A deal registration, which has a path of its own in the service's definition.
    Registration,
    /// A known path with a method that it doesn't accept; holds the methods that it does.
    NotAllowed(&'static str),
    Unknown,
}

impl Call {
    pub fn of(method: &Method, path: &str) -> Self {
        let id = match path.strip_prefix(REFERRALS) {
            Some("") if method == Method::GET => return Self::List,
            Some("") => return Self::NotAllowed("GET"),
            Some(rest) => match rest.strip_prefix('/') {
                Some(id) if !id.is_empty() && !id.contains('/') => Uuid::try_parse(id).ok(),
                Some(id) if is_registration(id) && method == Method::PATCH => return Self::Registration,
                _ => return Self::Unknown,
            },
            None => return Self::Unknown,
        };
        match *method {
            Method::GET => Self::Get(id),
            Method::PATCH => Self::Patch(id),
            _ => Self::NotAllowed("GET, PATCH"),
        }
    }

    pub fn subject(self) -> Subject {
        match self {
            Self::Get(id) => Subject::Get(id),
            Self::List => Subject::List,
            Self::Patch(id) => Subject::Patch(id),
            Self::Registration | Self::NotAllowed(_) | Self::Unknown => Subject::Other,
        }
    }
}

impl IncomingRequest {
    /// Returns the document of a PATCH, and its `If-Match`.
    pub fn change(&self) -> Result<(PatchDocument, Option<&str>), ErrorAnswer> {
        check_content_type(&self.headers)?;
        let document = PatchDocument::parse(self.body.as_ref().map_err(Clone::clone)?)?;
        // An `If-Match` with bytes that are no text matches no eTag.
        let if_match = self.headers.get(IF_MATCH).map(|value| value.to_str().unwrap_or_default());
        Ok((document, if_match))
    }
}

pub(super) fn has_token(headers: &HeaderMap) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value
        .split_once(' ')
        .is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("Bearer") && !token.trim().is_empty())
}

/// Returns whether a path is `ID/` or `ID//`, which the service's definition uses for deal registrations.
fn is_registration(path: &str) -> bool {
    let id = path.trim_end_matches('/');
    !id.is_empty() && !id.contains('/') && path.len() - id.len() <= 2
}

/// Checks the headers that the documentation shows in every request: a new `client-request-id`, and a content
/// type even for a GET.
pub(super) fn check_call(request: &IncomingRequest, calls: &mut Calls) -> Result<(), ErrorAnswer> {
    let refused = |inner: &'static str, message: &str, header: &str| {
        Err(ErrorAnswer::bad("InvalidHeader", inner, message).about(header))
    };
    let ids: Vec<_> = request.headers.get_all(CLIENT_REQUEST_ID).iter().collect();
    let [id] = ids[..] else {
        let message = "a call has one client-request-id, a GUID";
        return refused("ClientRequestIdMissing", message, CLIENT_REQUEST_ID);
    };
    let Some(id) = id.to_str().ok().and_then(|id| Uuid::try_parse(id).ok()) else {
        return refused("ClientRequestIdNoGuid", "the client-request-id is no GUID", CLIENT_REQUEST_ID);
    };
    if !calls.is_new(id) {
        let message = "an earlier call had this client-request-id: every call has a new one";
        return refused("ClientRequestIdRepeated", message, CLIENT_REQUEST_ID);
    }
    if matches!(request.call, Call::Get(_) | Call::List) && !is_json(&request.headers) {
        let message = "a GET has a Content-Type too, and it is application/json";
        return refused("ContentTypeMissing", message, "Content-Type");
    }
    Ok(())
}

/// Checks that the content type is `application/json`, as documented, and not the media type of RFC 6902.
fn check_content_type(headers: &HeaderMap) -> Result<(), ErrorAnswer> {
    if is_json(headers) {
        return Ok(());
    }
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let message = "the body of a PATCH must be of type application/json";
    Err(ErrorAnswer::new(status, "UnsupportedMediaType", "UnsupportedMediaType", message)
        .about("Content-Type"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

pub(super) fn wants_representation(headers: &HeaderMap) -> bool {
    headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split([',', ';']).any(|desired| desired.trim().eq_ignore_ascii_case("return=representation"))
    })
}
