//! Reads response bodies up to a limit, which counts bytes after decompression.
//!
//! Of a body that is too long only the beginning is kept, and the rest of its memory is freed at once: a run
//! may hold several such bodies at a time, and its memory is bounded.

use reqwest::Response;

/// The largest buffer, in bytes, that is allocated because of an announced length.
const ANNOUNCED: usize = 64 << 10;
/// The number of bytes kept of a body that is too long, which is more than any message shows.
const BEGINNING: usize = 64 << 10;

/// A response body, or its beginning.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// The limit in bytes, where the body was longer and was not read to its end.
    pub(super) longer_than: Option<usize>,
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// Returns an error where the connection or the compression breaks off before the end of the body or the
/// limit.
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
