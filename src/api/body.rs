//! Bodies of bounded size: what is counted is what comes out of decompression.

use reqwest::Response;

/// The most room that is made for a body because of the length that it announces.
const ANNOUNCED: usize = 64 << 10;

/// A body, or its beginning.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Whether it is all of it; what lay beyond the limit was not read.
    pub(super) whole: bool,
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
            return Ok(Body { bytes, whole: false });
        }
    }
    Ok(Body { bytes, whole: true })
}
