//! The requests of an `.http` file, as the API documentation prints them and editors send them.
//!
//! Headers other than `If-Match` are not kept: one of them is the token.

use std::io::{self, BufRead};

use super::super::context::InputContext;
use super::super::lines::{BoundedLines, MAX_LINE};
use super::piece::{Piece, Position};
use crate::domain::change::Located;
use crate::domain::excerpt::excerpt;
use crate::domain::finding::{Finding, Location};
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;

const METHODS: [&str; 9] = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"];

/// One request of the file. Only a PUT of a referral has a payload.
#[derive(Debug)]
pub(super) struct PutRequest {
    /// Where its request line stands.
    pub place: Location,
    /// Its method and URL, without what may be a secret.
    pub shown: String,
    /// The referral that its URL names.
    pub id: Option<ReferralId>,
    /// The eTag that it is bound to, as written in the header `If-Match`.
    pub if_match: Option<Located<String>>,
    /// What is wrong with it, whatever its body holds.
    pub findings: Vec<Finding>,
    is_put: bool,
    body: Vec<u8>,
    body_start: Option<Position>,
    cut: bool,
}

/// Finds one request after the other.
pub(super) struct RequestReader<'a, R> {
    context: &'a InputContext<'a>,
    lines: BoundedLines<R>,
    current: Option<PutRequest>,
    part: RequestPart,
}

/// The part of a request that the next line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestPart {
    /// Before the request line.
    BeforeRequest,
    Headers,
    Body,
    /// Behind the body: the editor's instructions for the answer, or the answer itself.
    AfterBody,
}

impl PutRequest {
    /// Returns the body; `None` where there is none to read.
    pub fn body(&self) -> Option<Piece<'_>> {
        let start = self.body_start.filter(|_| self.is_put)?;
        Some(Piece { bytes: self.body.trim_ascii_end(), start, cut: self.cut })
    }
}

impl<'a, R: BufRead> RequestReader<'a, R> {
    /// Begins before the first request.
    pub fn of(context: &'a InputContext<'a>, text: R) -> Self {
        Self { context, lines: BoundedLines::of(text), current: None, part: RequestPart::BeforeRequest }
    }

    /// Returns the next request. `None` at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<PutRequest>> {
        while self.lines.next()? {
            if let Some(request) = self.line() {
                return Ok(Some(request));
            }
        }
        Ok(self.end())
    }

    /// Takes a line, and returns the request that ends with it.
    fn line(&mut self) -> Option<PutRequest> {
        let bytes = std::mem::take(&mut self.lines.bytes);
        // This text only serves to classify the line. Lines of the body are passed on as the bytes they are.
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(8192)]);
        let line = text.trim();
        let finished = if line.starts_with("###") {
            self.end()
        } else if self.part == RequestPart::BeforeRequest || is_request_line(line) {
            let ignored = line.is_empty() || line.starts_with(['#', '@']) || line.starts_with("//");
            if ignored { None } else { self.begin(line) }
        } else {
            self.take(&bytes, line);
            None
        };
        self.lines.bytes = bytes;
        finished
    }

    /// Ends the current request and returns it.
    fn end(&mut self) -> Option<PutRequest> {
        self.part = RequestPart::BeforeRequest;
        let mut request = self.current.take()?;
        // A request that has a finding already is refused with or without a body.
        if request.body_start.is_none() && request.findings.is_empty() {
            let finding = Finding::deny(Rule::Request, request.place, "the request has no body");
            let hint = "a PUT carries the whole referral as JSON, behind an empty line";
            request.findings.push(finding.hint(hint));
        }
        Some(request)
    }

    /// Begins a request, and returns the one before.
    fn begin(&mut self, line: &str) -> Option<PutRequest> {
        let finished = self.end();
        self.current = Some(request_line(line, self.context.place(self.lines.line, 1)));
        self.part = RequestPart::Headers;
        finished
    }

    /// Takes a line that is part of the current request.
    fn take(&mut self, bytes: &[u8], line: &str) {
        let (position, cut) = (Position { line: self.lines.line, column: 1 }, self.lines.cut);
        let Some(request) = &mut self.current else { return };
        if self.part == RequestPart::Headers && (line.is_empty() || line.starts_with(['{', '['])) {
            self.part = RequestPart::Body;
        }
        match self.part {
            RequestPart::Headers => request.header(bytes, line, self.context.place(position.line, 1)),
            RequestPart::Body if ends_body(line) => {
                if line.starts_with('<') && request.body_start.is_none() {
                    let message = "the body of the request is in another file";
                    let place = self.context.place(position.line, 1);
                    let finding = Finding::deny(Rule::Request, place, message);
                    request.findings.push(finding.hint("give that file to migrate instead"));
                }
                self.part = RequestPart::AfterBody;
            }
            RequestPart::Body => request.add(bytes, line, position, cut),
            RequestPart::BeforeRequest | RequestPart::AfterBody => {}
        }
    }
}

impl PutRequest {
    /// Takes a line of the headers.
    fn header(&mut self, bytes: &[u8], line: &str, place: Location) {
        let continues = bytes.first().is_some_and(u8::is_ascii_whitespace);
        if continues || line.starts_with('#') || line.starts_with("//") {
            return;
        }
        let Some((name, value)) = line.split_once(':').filter(|(name, _)| is_header_name(name.trim())) else {
            // The line is not shown, since it may hold the token.
            let finding =
                Finding::deny(Rule::Request, place, "this line is neither a header nor an empty line");
            return self
                .findings
                .push(finding.hint("correct it: an empty line stands between headers and body"));
        };
        if !name.trim().eq_ignore_ascii_case("if-match") {
            return;
        }
        let value = value.trim().to_owned();
        match &self.if_match {
            Some(other) if other.value != value => {
                let finding = Finding::deny(Rule::Request, place, "there are two If-Match headers");
                self.findings.push(finding.hint("keep the one that the payload was made from"));
            }
            _ => self.if_match = Some(Located { value, place }),
        }
    }

    /// Takes a line of the body.
    fn add(&mut self, bytes: &[u8], line: &str, position: Position, cut: bool) {
        if line.is_empty() && self.body_start.is_none() {
            return;
        }
        self.body_start.get_or_insert(position);
        self.cut |= cut || self.body.len() + bytes.len() > MAX_LINE;
        if !self.cut || self.body.is_empty() {
            self.body.extend_from_slice(bytes);
            self.body.push(b'\n');
        }
    }
}

/// Returns whether a text is a token, as the name of a header has to be (RFC 9110, section 5.6.2).
fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// Returns whether a line ends the body: an instruction of an editor for the answer, or the answer itself.
/// Other lines that begin with `<`, as a web page does, belong to the body and make it invalid.
fn ends_body(line: &str) -> bool {
    const MARKS: [&str; 7] = ["> ", ">{", ">>", "<> ", "< ", "<@", "HTTP/1."];
    MARKS.iter().any(|mark| line.starts_with(mark)) || line.starts_with("HTTP/2") || line == "<"
}

/// Returns whether a line is a method and a URL.
pub(super) fn is_request_line(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let is_method = |word: &str| METHODS.iter().any(|method| method.eq_ignore_ascii_case(word));
    let is_url = |word: &str| word.starts_with(['/', '{']) || word.contains("://");
    words.next().is_some_and(is_method) && words.next().is_some_and(is_url)
}

/// Begins a request with its first line.
fn request_line(line: &str, place: Location) -> PutRequest {
    let mut request = PutRequest {
        place,
        shown: String::new(),
        id: None,
        if_match: None,
        findings: Vec::new(),
        is_put: false,
        body: Vec::new(),
        body_start: None,
        cut: false,
    };
    let mut words = line.split_ascii_whitespace();
    let (method, url) = match words.next() {
        Some(method) if is_request_line(line) => (method.to_ascii_uppercase(), words.next()),
        // Editors take a URL alone for a GET.
        Some(url) if url.contains("://") => ("GET".to_owned(), Some(url)),
        _ => (String::new(), None),
    };
    let Some(url) = url else {
        let finding = Finding::deny(Rule::Request, place, "this is no request line");
        let hint = "a request begins with its method and URL, as in PUT https://… HTTP/1.1";
        request.findings.push(finding.hint(hint));
        return request;
    };
    let url = without_secrets(url);
    request.shown = format!("{method} {url}");
    if method == "PUT" {
        request.is_put = true;
        match referral_of(&url, place) {
            Ok(id) => request.id = Some(id),
            Err(finding) => request.findings.push(finding),
        }
    } else {
        let hint = match method.as_str() {
            "PATCH" => "it is a PATCH already: apply takes JSON lines with its operations as \"patch\"",
            _ => "leave the request out: only a PUT has something to migrate",
        };
        let message = format!("{method} is no PUT of a referral");
        request.findings.push(Finding::deny(Rule::Request, place, message).hint(hint));
    }
    request
}

/// Returns a URL without user, password, query and fragment.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            format!("{scheme}://{}/{path}", host.rsplit('@').next().unwrap_or_default())
        }
        None => url.to_owned(),
    }
}

/// Returns the referral that a URL names.
///
/// # Errors
/// The finding that says why it names none.
fn referral_of(url: &str, place: Location) -> Result<ReferralId, Finding> {
    const FORM: &str = "the URL of a referral ends in /engagements/referrals/ and the referral's id";
    let mut segments = url.trim_end_matches('/').rsplit('/');
    let (last, before) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    if last.contains("{{") {
        let message = format!("the URL holds the variable {}, which is not filled in", excerpt(last));
        return Err(Finding::deny(Rule::Request, place, message).hint("write the referral's id in its place"));
    }
    if !before.eq_ignore_ascii_case("referrals") {
        return Err(Finding::deny(Rule::Request, place, "the URL names no referral").hint(FORM));
    }
    last.parse().map_err(|_| {
        Finding::deny(Rule::Id, place, format!("the URL's id {} is no GUID", excerpt(last))).hint(FORM)
    })
}
