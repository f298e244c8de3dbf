//! What the service answers, whatever that is: it is told what it was, nothing is claimed that it doesn't
//! bear out, and the token it was asked with is in nothing that is told.
//!
//! The client is asked as the program asks it, over a loopback connection: there is no other way in.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use referral_bulk::api::{Auth, Client, Endpoint, Page, Settings};
use referral_bulk::domain::exchange::{Failure, Journaled, Operation, Refusal, Reply};
use referral_bulk::domain::fields::{Field, Path};
use referral_bulk::domain::item::{Change, Effect, Item};
use referral_bulk::domain::referral::{ETag, ReferralId};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::engine::settle::{Reading, weigh};
use referral_bulk::pace::retry::{Decision, MAX_TRIES, StopReason, Then, decide};
use referral_bulk::pace::{MAX_PAUSE, Pace, Pacing};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::reading::is_for_people;

const TOKEN: &str = "eyJ0eXAi.s3cr3t-t0ken/value+x.x";
const ID: &str = "5a1e0001-0000-4000-8000-000000000001";

/// The most headers of an answer that are sent.
const HEADERS: usize = 32;

/// How a message is framed is for the connection to say, and is no part of what it says.
const FRAMING: [&str; 6] =
    ["connection", "content-encoding", "content-length", "trailer", "transfer-encoding", "upgrade"];

/// An answer as text: its status, its headers a line each, an empty line, its body.
pub fn reply(bytes: &[u8]) {
    let Some(answer) = Answer::of(bytes) else { return };
    with_service(|service| {
        service.will_answer(&answer.on_the_wire());
        let patched = service.runtime.block_on(service.client.patch(Sent));
        let got = service.runtime.block_on(service.client.get(id()));
        let listed = service.runtime.block_on(service.client.list(None));
        assert_eq!(service.take_asked().len(), 3, "a call is a request");
        of_patch(&answer, &patched);
        of_get(&answer, &got);
        of_list(&answer, &listed, service);
        for (operation, failure) in [
            (Operation::Write, patched.as_ref().err()),
            (Operation::Read, got.as_ref().err()),
            (Operation::Read, listed.as_ref().err()),
        ] {
            failure.into_iter().for_each(|failure| is_followed_up(operation, failure, service));
        }
    });
}

/// A value of `Retry-After`, at three times.
pub fn retry_after(bytes: &[u8]) {
    if !bytes.iter().all(is_in_values) {
        return;
    }
    let head = b"HTTP/1.1 429 No\r\ncontent-length: 0\r\nretry-after: ";
    for now in ["1970-01-01T00:00:00Z", "2026-03-01T12:00:00Z", "9999-12-30T00:00:00Z"] {
        let now: Timestamp = now.parse().expect("a time");
        NOW.set(now);
        with_service(|service| {
            service.will_answer(&[head, bytes, b"\r\n\r\n"].concat());
            let failure = service.runtime.block_on(service.client.get(id())).expect_err("429 is no reply");
            let Failure::Answered(refusal) = &failure else { panic!("{failure:?}") };
            is_what_was_asked_for(bytes, now, refusal.retry_after);
            is_followed_up(Operation::Write, &failure, service);
        });
    }
}

/// Seconds are seconds, dates as RFC 9110 has them lie ahead, and whatever else is taken for a date is one.
fn is_what_was_asked_for(bytes: &[u8], now: Timestamp, asked: Option<Duration>) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    // Several headers may be joined into one: the longest counts.
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_seconds = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.iter().all(is_seconds) {
        let seconds = parts.iter().map(|part| part.parse().map_or(Duration::MAX, Duration::from_secs)).max();
        assert_eq!(asked, seconds, "{text}");
    } else if let Some(date) = http_date(text) {
        assert_eq!(asked, Duration::try_from(date.duration_since(now)).ok(), "{text}");
    } else if let Some(asked) = asked {
        let has_date = text.is_ascii() && text.contains(':');
        assert!(has_date || parts.iter().any(is_seconds), "{text:?} is no date");
        assert!(now.checked_add(asked).is_ok(), "{text:?} is beyond all dates");
    }
}

/// A date in one of the three forms that RFC 9110 obliges everybody to take. Two digits of a year are
/// read in other ways by others where they are 69.
fn http_date(text: &str) -> Option<Timestamp> {
    const FORMS: [&str; 3] =
        ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    FORMS.iter().find_map(|form| {
        let date = jiff::civil::DateTime::strptime(form, text).ok()?;
        let is_as_written = date.strftime(form).to_string() == text && date.year() != 1969;
        is_as_written.then(|| date.to_zoned(jiff::tz::TimeZone::UTC).ok())?.map(|date| date.timestamp())
    })
}

/// An answer that a service could give.
struct Answer<'b> {
    status: u16,
    headers: Vec<(&'b str, &'b [u8])>,
    body: &'b [u8],
}

impl<'b> Answer<'b> {
    fn of(bytes: &'b [u8]) -> Option<Self> {
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

    fn on_the_wire(&self) -> Vec<u8> {
        let mut wire = format!("HTTP/1.1 {} x\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            wire.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if !matches!(self.status, 204 | 304) {
            wire.extend(format!("content-length: {}\r\n", self.body.len()).into_bytes());
        }
        [&wire, &b"\r\n"[..], self.body].concat()
    }

    fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The body without a byte order mark.
    fn text(&self) -> &'b [u8] {
        self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body)
    }

    /// The members of the body, where it is a JSON object and nothing else.
    fn members(&self) -> Option<BTreeMap<String, Box<RawValue>>> {
        serde_json::from_slice(self.text()).ok()
    }

    /// Whether the token is in what is read of it, as it is.
    fn repeats_the_token(&self) -> bool {
        let tag = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("etag"));
        let is_in_tag = tag.is_some_and(|(_, tag)| is_etag(tag) && holds_token(tag));
        is_in_tag || holds_token(self.body)
    }

    /// Whether it may be in there in another form.
    fn has_escapes(&self) -> bool {
        let values = self.headers.iter().map(|(_, value)| *value);
        values.chain([self.body]).any(|text| text.iter().any(|byte| b"\\%&".contains(byte)))
    }

    fn has(&self, name: &str) -> bool {
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
fn is_in_values(byte: &u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

fn of_patch(answer: &Answer<'_>, patched: &Result<Reply, Failure>) {
    match patched {
        Err(Failure::NoAnswer { message }) => is_kept_to_itself(answer, message),
        Ok(reply) => {
            assert!(answer.is_success(), "{} is no yes", answer.status);
            assert_eq!(reply.status, answer.status);
            assert!(!answer.repeats_the_token(), "{reply:?}");
            assert_eq!(reply.body, String::from_utf8_lossy(answer.text()));
            assert_eq!(reply.client_request_id, Sent.client_request_id());
            let etag = reply.etag.as_ref().map(ETag::as_str);
            assert!(
                etag.is_none_or(|etag| answer.headers.iter().any(|(_, value)| *value == etag.as_bytes()))
            );
            bears_out(&reply.body);
        }
        Err(failure) => is_refusal(answer, failure),
    }
}

/// An answer that says yes and is none, since the token is in it.
fn is_kept_to_itself(answer: &Answer<'_>, message: &str) {
    assert!(answer.is_success() && message.contains("with the token in it"), "{message}");
    assert!(answer.repeats_the_token() || answer.has_escapes(), "{message}");
    is_for_people(message);
}

/// Nothing is taken for written that isn't there, and nothing for unwritten that doesn't show.
fn bears_out(body: &str) {
    let Ok(now) = Snapshot::whole(body) else { return };
    let Ok(value) = serde_json::from_str::<Value>(body) else { return };
    let notes = value["details"]["notes"].as_str();
    match weigh(&item(), &now) {
        Reading::Applied => assert_eq!(notes.map(str::trim), Some("Called"), "{body}"),
        Reading::NotApplied => {
            assert!(now.etag() == item().etag.as_ref() || notes == Some("Before"), "{body}");
        }
        Reading::Contradictory => {
            assert!(now.etag() == item().etag.as_ref() && notes.map(str::trim) == Some("Called"), "{body}");
        }
        Reading::Partial => panic!("there is one field: {body}"),
        Reading::Conflict | Reading::CannotTell => assert_ne!(notes, Some("Called"), "{body}"),
    }
}

fn of_get(answer: &Answer<'_>, got: &Result<Reply, Failure>) {
    match got {
        Ok(reply) => {
            assert!(answer.is_success() && answer.members().is_some(), "{reply:?} is no referral");
            assert!(!answer.repeats_the_token(), "{reply:?}");
            assert_eq!(reply.body.as_bytes(), answer.text());
        }
        Err(Failure::NoAnswer { message }) if message.contains("with an error in it") => {
            let members = answer.members().expect("an error is an object");
            assert!(answer.is_success() && !members.contains_key("id"), "{message}");
            is_for_people(message);
        }
        Err(Failure::NoAnswer { message }) if answer.members().is_some() => {
            is_kept_to_itself(answer, message);
        }
        Err(Failure::NoAnswer { message }) => {
            assert!(answer.is_success(), "{message}");
            is_for_people(message);
        }
        Err(failure) => is_refusal(answer, failure),
    }
}

fn of_list(answer: &Answer<'_>, listed: &Result<Page, Failure>, service: &Service) {
    let members = answer.members().filter(|_| answer.is_success());
    match listed {
        Ok(page) => {
            assert!(!answer.repeats_the_token(), "{page:?}");
            let members = members.expect("a page is an object");
            assert!(members["value"].get().starts_with('['));
            let link = members.get("@odata.nextLink").filter(|link| link.get() != "null");
            assert_eq!(link.is_some(), page.next.is_some(), "there is more, or there isn't");
            assert_eq!(page.text.as_bytes(), answer.text());
            if page.next.is_some() {
                let _ = service.runtime.block_on(service.client.list(page.next.as_ref()));
                let asked = service.take_asked();
                let is_rebuilt = |line: &String| line.starts_with("GET /v1.0/engagements/referrals?");
                assert!(asked.len() == 1 && asked.iter().all(is_rebuilt), "{asked:?}");
            }
        }
        Err(Failure::NoAnswer { message }) => {
            assert!(answer.is_success());
            is_for_people(message);
        }
        Err(failure) => is_refusal(answer, failure),
    }
}

/// An answer that says no is told as it was, within bounds.
fn is_refusal(answer: &Answer<'_>, failure: &Failure) {
    let Failure::Answered(refusal) = failure else { panic!("{failure:?}") };
    assert!(!answer.is_success(), "{failure:?}");
    assert_eq!(refusal.status, answer.status);
    assert_eq!(refusal.code.as_ref(), refusal.codes.last());
    assert!(refusal.retry_after.is_none() || answer.has("retry-after"));
    assert!(refusal.message.chars().count() <= 500 && refusal.codes.len() <= 32, "{refusal:?}");
    is_for_people(&refusal.message);
    for code in &refusal.codes {
        assert!(code.chars().count() <= 100);
        is_for_people(code);
    }
    is_for_people(&failure.code());
    assert!(!format!("{failure:?}").contains(TOKEN), "the token is told: {failure:?}");
    assert!(!failure.message().contains(TOKEN), "the token is told: {}", failure.message());
}

/// What follows from a failure never sends a change again that may have been written, and no wait is
/// longer than any that makes sense.
fn is_followed_up(operation: Operation, failure: &Failure, service: &Service) {
    for tries in 1..=MAX_TRIES + 1 {
        let decision = decide(operation, failure, tries);
        match (operation, failure) {
            (Operation::Write, Failure::Answered(refusal)) => follows_from(decision, refusal, tries),
            (Operation::Write, Failure::NoAnswer { .. }) => assert_eq!(decision, Decision::ReadBack),
            (Operation::Write, _) => panic!("an answer came: {failure:?}"),
            (Operation::Read, _) => {
                let is_of_writes = matches!(
                    decision,
                    Decision::ReadBack | Decision::Conflict | Decision::Pause { then: Then::ReadBack, .. }
                );
                assert!(!is_of_writes, "{decision:?}");
            }
        }
        match decision {
            Decision::Again { after } => assert!(after <= Duration::from_secs(30), "{after:?}"),
            Decision::Pause { asked, .. } => {
                let taken = service.runtime.block_on(async {
                    let pace = Pace::new(Pacing::Auto);
                    pace.throttled(pace.turn().await, asked).length
                });
                assert!(!taken.is_zero() && taken <= MAX_PAUSE, "{asked:?} is {taken:?}");
                let kept = asked.is_none_or(|asked| asked.is_zero() || taken == asked.min(MAX_PAUSE));
                assert!(kept, "{asked:?} is {taken:?}");
            }
            _ => {}
        }
    }
}

fn follows_from(decision: Decision, refusal: &Refusal, tries: u32) {
    let status = refusal.status;
    let has = |wanted: &str| refusal.codes.iter().any(|code| code.eq_ignore_ascii_case(wanted));
    let is_done_with = (400..=499).contains(&status) && status != 408;
    let follows = match decision {
        Decision::Again { .. } => status == 423 && tries < MAX_TRIES,
        Decision::GiveUp => status == 423 && tries >= MAX_TRIES,
        Decision::Pause { asked, then } => {
            assert_eq!(asked, refusal.retry_after);
            match then {
                Then::Again => matches!(status, 429 | 509),
                Then::ReadBack => status == 503 && asked.is_some(),
            }
        }
        Decision::ReadBack => status == 408 || status >= 500,
        Decision::Conflict => is_done_with && (matches!(status, 409 | 412) || !refusal.codes.is_empty()),
        Decision::Refused => (300..=499).contains(&status),
        Decision::Renew => status == 401,
        Decision::Stop(StopReason::MfaRequired) => is_done_with && has("900421"),
        Decision::Stop(StopReason::ClaimsRequired) => is_done_with && has("insufficient_claims"),
        Decision::Stop(StopReason::NoToken) => false,
    };
    assert!(follows, "{decision:?} does not follow from {refusal:?}");
}

/// A change of the notes, from `Before` to `Called`.
fn item() -> Item {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
    Item {
        number: 1,
        id: id(),
        etag: ETag::from_service("\"v1\"").ok(),
        is_bound: false,
        request_id: Uuid::nil(),
        patch: raw(Sent.document()),
        changes: vec![Change {
            path: Path::Known(Field::Notes),
            before: Some(raw("\"Before\"")),
            after: raw("\"Called\""),
            appended: Vec::new(),
        }],
        effect: Effect::Reversible,
        findings: Vec::new(),
    }
}

fn id() -> ReferralId {
    ID.parse().expect("a GUID")
}

/// The same change as it is sent.
struct Sent;

impl Journaled for Sent {
    fn id(&self) -> ReferralId {
        id()
    }

    fn etag(&self) -> Option<&ETag> {
        None
    }

    fn document(&self) -> &str {
        r#"[{"op":"replace","path":"/details/notes","value":"Called"}]"#
    }

    fn request_id(&self) -> Uuid {
        Uuid::nil()
    }

    fn client_request_id(&self) -> Uuid {
        Uuid::max()
    }
}

thread_local! {
    /// The time that dates are compared with.
    static NOW: Cell<Timestamp> = const { Cell::new(Timestamp::UNIX_EPOCH) };
    /// One service for all that a thread asks.
    static SERVICE: OnceCell<Service> = const { OnceCell::new() };
}

fn with_service(ask: impl FnOnce(&Service)) {
    SERVICE.with(|service| ask(service.get_or_init(Service::begin)));
}

/// A service on this machine, and a client that knows it. Both live on one thread, so that nothing
/// happens by chance.
struct Service {
    runtime: Runtime,
    client: Client,
    exchange: Arc<Mutex<Exchange>>,
}

/// What is answered to whatever is asked, and what was asked.
#[derive(Default)]
struct Exchange {
    answer: Vec<u8>,
    asked: Vec<String>,
}

impl Service {
    fn begin() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let exchange = Arc::<Mutex<Exchange>>::default();
        runtime.spawn(serve(listener, Arc::clone(&exchange)));
        let endpoint = Endpoint::parse(&format!("http://{address}/v1.0")).expect("an endpoint");
        let settings =
            Settings { timeout: Duration::from_secs(60), correlation_id: Uuid::nil(), clock: || NOW.get() };
        let client = Client::new(endpoint, Auth::fixed(TOKEN.into()), settings).expect("a client");
        Self { runtime, client, exchange }
    }

    fn will_answer(&self, wire: &[u8]) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        *exchange = Exchange { answer: wire.to_owned(), asked: Vec::new() };
    }

    fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.exchange.lock().unwrap_or_else(PoisonError::into_inner).asked)
    }
}

async fn serve(listener: TcpListener, exchange: Arc<Mutex<Exchange>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&exchange)));
    }
}

/// Answers until the client has enough of it.
async fn connection(stream: TcpStream, exchange: Arc<Mutex<Exchange>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
        stream.read_exact(&mut body).await?;
        let answer = {
            let mut exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner);
            exchange.asked.push(head.lines().next().unwrap_or_default().to_owned());
            exchange.answer.clone()
        };
        stream.write_all(&answer).await?;
    }
}
