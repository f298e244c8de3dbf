//! Reads request bodies. One that is too large is read to its end and discarded, so that the client can read
//! the answer: closing a connection with unread data in it resets it, and an answer that is on its way is
//! lost.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use axum::http::{HeaderMap, StatusCode};
use futures::StreamExt;

use super::answer::ErrorAnswer;

/// The largest body that is accepted, in bytes.
const LARGEST: usize = 1 << 20;

/// The most bytes that are read of a body. A client that sends more may lose the answer.
const MOST: usize = 256 << 20;

/// Reads a body to its end.
///
/// # Errors
/// Returns the error answer where it is too large or doesn't arrive whole.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, ErrorAnswer> {
    if is_announced(headers) {
        return Err(too_large());
    }
    let (mut whole, mut length) = (Vec::new(), 0);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| {
            ErrorAnswer::bad("MalformedPatch", "BodyMissing", "the body did not arrive whole")
        })?;
        length += piece.len();
        if length <= LARGEST {
            whole.extend_from_slice(&piece);
        } else if length > MOST {
            break;
        }
    }
    if length > LARGEST { Err(too_large()) } else { Ok(whole.into()) }
}

/// Returns whether a body is announced as too large with `Expect: 100-continue`: the client hasn't begun to
/// send it.
fn is_announced(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let length = text(CONTENT_LENGTH).parse::<u64>();
    text(EXPECT).eq_ignore_ascii_case("100-continue") && length.is_ok_and(|length| length > LARGEST as u64)
}

fn too_large() -> ErrorAnswer {
    let message = format!("the body is larger than {LARGEST} bytes");
    ErrorAnswer::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge", "PayloadTooLarge", message)
}
