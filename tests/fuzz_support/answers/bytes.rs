//! An answer made of any bytes, and what may be told of it.

use std::collections::BTreeMap;

use referral_bulk::domain::referral::ETag;
use serde_json::value::RawValue;

use super::TOKEN;

/// The most headers of an answer that are sent.
const HEADERS: usize = 32;

/// How a message is framed is for the connection to say, and is no part of what it says.
const FRAMING: [&str; 6] =
    ["connection", "content-encoding", "content-length", "trailer", "transfer-encoding", "upgrade"];

/// An answer that a service could give.
pub struct Answer<'b> {
    pub status: u16,
    pub headers: Vec<(&'b str, &'b [u8])>,
    pub body: &'b [u8],
}

impl<'b> Answer<'b> {
    pub fn of(bytes: &'b [u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|two| two == b"\n\n");
        let (head, body) = end.map_or((bytes, &b""[..]), |end| (&bytes[..end], &bytes[end + 2..]));
        let mut lines = head.split(|byte| *byte == b'\n');
        let status = std::str::from_utf8(lines.next()?).ok()?.parse().ok()?;
        // Below are answers that another one follows.
        (200..=999).contains(&status).then(|| {
            let body = if matches!(status, 204 | 304) { &[] } else { body };
            Self { status, headers: lines.filter_map(header).take(HEADERS).collect(), body }
        })
    }

    pub fn on_the_wire(&self) -> Vec<u8> {
        let mut wire = format!("HTTP/1.1 {} x\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            wire.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if !matches!(self.status, 204 | 304) {
            wire.extend(format!("content-length: {}\r\n", self.body.len()).into_bytes());
        }
        [&wire, &b"\r\n"[..], self.body].concat()
    }

    pub fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The body without a byte order mark.
    pub fn text(&self) -> &'b [u8] {
        self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body)
    }

    /// The members of the body, where it is a JSON object and nothing else.
    pub fn members(&self) -> Option<BTreeMap<String, Box<RawValue>>> {
        serde_json::from_slice(self.text()).ok()
    }

    /// Whether the token is in what is read of it, as it is.
    pub fn repeats_the_token(&self) -> bool {
        let tag = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("etag"));
        let is_in_tag = tag.is_some_and(|(_, tag)| is_etag(tag) && holds_token(tag));
        is_in_tag || holds_token(self.body)
    }

    /// Whether it may be in there in another form.
    pub fn has_escapes(&self) -> bool {
        let values = self.headers.iter().map(|(_, value)| *value);
        values.chain([self.body]).any(|text| text.iter().any(|byte| b"\\%&".contains(byte)))
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

fn holds_token(bytes: &[u8]) -> bool {
    bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes())
}

fn is_etag(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| ETag::from_service(text).is_ok())
}

/// A header that says something, and not how the message is framed.
fn header(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(&line[..colon]).ok()?;
    let value = line[colon + 1..].trim_ascii();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let frames = FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name));
    (is_name && !frames && value.iter().all(is_in_values)).then_some((name, value))
}

/// Whether a byte can stand in a header's value.
pub fn is_in_values(byte: &u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}
