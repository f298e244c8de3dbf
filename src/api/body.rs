//! Bodies of bounded size: what is counted is what comes out of decompression. Of one that is too long little
//! is kept, and that before it is asked for again: three of them at once are memory that a run has not.

use reqwest::Response;

/// The most room that is made for a body because of the length that it announces.
const ANNOUNCED: usize = 64 << 10;
/// The most that is kept of a body that is too long, which is more than anybody is shown of it.
const BEGINNING: usize = 64 << 10;

/// A body, or its beginning.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// The limit, in bytes, where the body was longer; then it was not read any further.
    pub(super) longer_than: Option<usize>,
}

/// Reads a body up to a number of bytes.
///
/// # Errors
/// Where the connection or the compression breaks off before the body's end or the limit.
pub(super) async fn read(mut response: Response, limit: usize) -> Result<Body, reqwest::Error> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default().min(ANNOUNCED));
    while let Some(chunk) = response.chunk().await? {
        let room = limit - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            bytes.truncate(BEGINNING);
            bytes.shrink_to_fit();
            return Ok(Body { bytes, longer_than: Some(limit) });
        }
    }
    Ok(Body { bytes, longer_than: None })
}
