//! Responses: bodies, headers, and the service's three shapes of error.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};

/// An error answer: the reason why a request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorAnswer {
    pub status: StatusCode,
    /// The outer code, which names the kind of error.
    pub code: &'static str,
    /// The inner code, which names the exact error.
    pub inner: &'static str,
    pub message: String,
    /// The member or header that it concerns.
    pub target: Option<String>,
}

impl ErrorAnswer {
    /// Returns an error that concerns no member or header.
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        inner: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code, inner, message: message.into(), target: None }
    }

    /// Returns an error with status 400.
    pub(super) fn bad(code: &'static str, inner: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, inner, message)
    }

    /// Returns the same error with the member or header that it concerns.
    #[must_use]
    pub(super) fn about(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }

    /// Returns the error that a fault with this status simulates.
    pub(super) fn pretended(status: StatusCode) -> Self {
        let (code, inner) = match status.as_u16() {
            400 => ("BadRequest", "BadArgument"),
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", "Forbidden"),
            404 => ("NotFound", "ReferralNotFound"),
            409 => ("Conflict", "resourceModified"),
            412 => ("preconditionFailed", "resourceModified"),
            423 => ("Locked", "ResourceLocked"),
            _ => ("RequestFailed", "RequestFailed"),
        };
        let reason = status.canonical_reason().unwrap_or("Error");
        Self::new(status, code, inner, format!("{reason}, as the sandbox was told to answer"))
    }

    /// Returns the body. The real API has three shapes of error: one for tokens and roles, one for throttling
    /// and server errors, and that of the referrals service itself.
    fn body(&self) -> Value {
        match self.status.as_u16() {
            401 | 403 => json!({
                "code": self.code,
                "description": self.message,
                "data": [],
                "source": "PartnerApiSandbox",
            }),
            429 | 500.. => json!({ "statusCode": self.status.as_u16(), "message": self.message }),
            _ => json!({ "error": {
                "code": self.code,
                "message": self.message,
                "target": self.target,
                "innerError": { "code": self.inner },
            }}),
        }
    }
}

/// An answer before it goes onto the wire.
#[derive(Debug, Clone)]
pub(super) struct HttpAnswer {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub body: Bytes,
    pub etag: Option<String>,
    pub retry_after: Option<u64>,
    pub allow: Option<&'static str>,
    /// Whether the connection is closed after it.
    pub closes: bool,
}

impl HttpAnswer {
    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { status, content_type, body, etag: None, retry_after: None, allow: None, closes: false }
    }

    /// Returns an answer with a JSON body.
    pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    /// Returns a 204.
    pub(super) fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT, "", Bytes::new())
    }

    /// Returns the page of a gateway whose service doesn't answer.
    pub(super) fn html() -> Self {
        const PAGE: &str = "<html><head><title>502 Bad Gateway</title></head>\
            <body><center><h1>502 Bad Gateway</h1></center></body></html>";
        Self::new(StatusCode::BAD_GATEWAY, "text/html", PAGE)
    }

    /// Returns the page of nginx for requests beyond a limit.
    pub(super) fn busy() -> Self {
        const PAGE: &str = "<html><head><title>503 Service Temporarily Unavailable</title></head>\
            <body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "text/html", PAGE)
    }

    /// Returns an answer whose content type is JSON and whose body is not.
    pub(super) fn garbage() -> Self {
        Self::json(StatusCode::OK, "{\"id\":<<<not json")
    }

    /// Returns a 200 whose body is an error.
    pub(super) fn error_in_yes() -> Self {
        let error = json!({ "error": {
            "code": "RequestFailed",
            "message": "something went wrong, and the status doesn't say so",
            "innerError": { "code": "BackendUnavailable" },
        }});
        Self::json(StatusCode::OK, error.to_string())
    }

    /// Returns the answer with an `ETag` header.
    #[must_use]
    pub(super) fn with_etag(mut self, etag: Option<&str>) -> Self {
        self.etag = etag.map(ToOwned::to_owned);
        self
    }

    /// Returns the answer with a `Retry-After` header.
    #[must_use]
    pub(super) fn with_retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }

    /// Returns the answer with an `Allow` header.
    #[must_use]
    pub(super) fn with_allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// Returns the answer as a complete response.
    pub(super) fn whole(self) -> Response {
        let body = Body::from(self.body.clone());
        self.response(body)
    }

    /// Returns a response with status 200 that announces the whole body, sends half of it, and then drops the
    /// connection.
    pub(super) fn half(mut self) -> Response {
        self.status = StatusCode::OK;
        let half = self.body.slice(..self.body.len() / 2);
        let length = self.body.len();
        // Yielding between the half and the drop lets the half be sent.
        let drop = stream::once(async {
            tokio::task::yield_now().await;
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        });
        let body = Body::from_stream(stream::iter([Ok(half)]).chain(drop));
        let mut response = self.response(body);
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        response
    }

    /// Returns a response that drops the connection before its first byte.
    pub(super) fn none() -> Response {
        let drop = stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset))]);
        Response::new(Body::from_stream(drop))
    }

    fn response(self, body: Body) -> Response {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if !self.content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        // An eTag from a seed may hold characters that no header may. Then it is in the body only.
        if let Some(Ok(etag)) = self.etag.map(HeaderValue::try_from) {
            headers.insert(ETAG, etag);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(methods) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        if self.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<ErrorAnswer> for HttpAnswer {
    fn from(refusal: ErrorAnswer) -> Self {
        // After a body that is too large the connection is not used again.
        let closes = refusal.status == StatusCode::PAYLOAD_TOO_LARGE;
        Self { closes, ..Self::json(refusal.status, refusal.body().to_string()) }
    }
}
