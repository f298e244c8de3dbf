//! The HTTP client: the three requests that this program makes. It never sends a PUT.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, DATE, ETAG, HeaderMap, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Method, Request, Response, Url};
use tokio::time::Instant;
use tracing::{Instrument, debug, debug_span};
use uuid::Uuid;

use super::auth::oauth::{ClaimsChallenge, claims_in};
use super::auth::{Auth, Generation, Token, TokenClaims, Tokens};
use super::body;
use super::connections::{ConnectionKind, Connections};
use super::endpoint::{self, Endpoint, PageLink};
use super::limits;
use super::observed::AnswerLog;
use super::reply::{self, Page, RawAnswer};
use super::transport::{self, ClientError};
use crate::domain::exchange::{Failure, Journaled, Reply};
use crate::domain::limit_signal::LimitSignal;
use crate::domain::referral::{ETag, ReferralId};

/// The most bytes that are read of a list page, which holds at most a hundred referrals of a few kilobytes.
/// Referrals on a larger page are read one by one.
const LARGEST_PAGE: usize = 16 << 20;
/// The most bytes that are read of any other answer.
const LARGEST_BODY: usize = 4 << 20;

/// The settings of a client, which hold for every request of a run.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Timeout of each request, from the connection to the last byte of the body.
    pub timeout: Duration,
    /// A GUID shared by all requests of the run (`MS-CorrelationId`).
    pub correlation_id: Uuid,
    /// The wall clock, which a date in `Retry-After` is compared with where the answer has no `Date`.
    pub clock: fn() -> Timestamp,
}

/// A client of the Partner API. Clones share connections and the token.
#[derive(Clone)]
pub struct Client(Arc<ClientInner>);

struct ClientInner {
    connections: Connections,
    endpoint: Endpoint,
    tokens: Tokens,
    settings: ClientSettings,
    log: Option<AnswerLog>,
    /// What the service said last of how much may be asked for, until somebody takes it.
    limits: Mutex<Option<LimitSignal>>,
}

impl Client {
    /// Sets up a client. Nothing is sent, and no token is fetched before the first request.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(endpoint: Endpoint, auth: Auth, settings: ClientSettings) -> Result<Self, ClientError> {
        Self::logged(endpoint, auth, settings, None)
    }

    /// Sets up a client that keeps in a log what answers show besides their status and body.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn logged(
        endpoint: Endpoint,
        auth: Auth,
        settings: ClientSettings,
        log: Option<AnswerLog>,
    ) -> Result<Self, ClientError> {
        let connections = Connections::new(|| transport::builder(endpoint.is_local(), settings.timeout))
            .map_err(transport::not_set_up)?;
        let tokens = Tokens::new(auth, settings.clock);
        let limits = Mutex::default();
        Ok(Self(Arc::new(ClientInner { connections, endpoint, tokens, settings, log, limits })))
    }

    /// Returns what the token says of itself, for display; `None` where it is no JWT. Fetches it where there is none
    /// yet.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where none can be obtained.
    pub async fn token_claims(&self) -> Result<Option<TokenClaims>, Failure> {
        Ok(self.0.tokens.current().await?.0.claims())
    }

    /// Gets one referral. The body of the reply is a JSON object.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn get(&self, id: ReferralId) -> Result<Reply, Failure> {
        let (request, call) = self.read(self.0.endpoint.referral(id));
        reply::of_read(self.exchange(request, call, LARGEST_BODY).await?)
    }

    /// Gets one page of the list of referrals, the first where no link is given. The caller stops where a
    /// link comes a second time, since the service's links then form a cycle.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn list(&self, page: Option<&PageLink>) -> Result<Page, Failure> {
        let (request, call) = self.read(self.0.endpoint.referrals(page));
        reply::of_list(self.exchange(request, call, LARGEST_PAGE).await?)
    }

    /// Prepares a GET; returns it with the GUID of this call.
    fn read(&self, url: Url) -> (Request, Uuid) {
        let (mut request, call) = (Request::new(Method::GET, url), Uuid::new_v4());
        *request.headers_mut() = endpoint::headers(self.0.settings.correlation_id, call);
        (request, call)
    }

    /// Sends a change, once. A reply means that the status was a success; its body may be anything.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn patch<P: Journaled>(&self, ticket: P) -> Result<Reply, Failure> {
        let headers = endpoint::write_headers(&ticket, self.0.settings.correlation_id).map_err(|_| {
            not_sent("the eTag of this change cannot be sent: it holds unprintable characters")
        })?;
        let mut request = Request::new(Method::PATCH, self.0.endpoint.referral(ticket.id()));
        *request.headers_mut() = headers;
        *request.body_mut() = Some(ticket.document().to_owned().into());
        reply::of_write(self.exchange(request, ticket.client_request_id(), LARGEST_BODY).await?)
    }

    /// Fetches a new token after a 401, once for all callers that got it with the same token. `seen` is
    /// what [`generation`](Self::generation) returned **before** the refused request was made.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where no token can be obtained, to every caller from then on.
    pub async fn renew(&self, seen: Generation) -> Result<(), Failure> {
        self.0.tokens.renew(seen).await
    }

    /// Fetches a token that has what a policy demanded of the present one, once for all callers that were refused
    /// with it. Returns `false` where the source of the token can't be asked for that.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where there is none that satisfies the policy.
    pub async fn satisfy(&self, seen: Generation) -> Result<bool, Failure> {
        self.0.tokens.satisfy(seen).await
    }

    /// Returns the generation of the token in use.
    pub fn generation(&self) -> Generation {
        self.0.tokens.generation()
    }

    /// Returns whether a request would not wait for a token. That includes a token that cannot be obtained:
    /// the request fails at once then.
    pub fn has_token(&self) -> bool {
        self.0.tokens.is_there()
    }

    /// Fetches a token where there is none, or where the present one ends soon.
    pub async fn fetch_token(&self) {
        // A failure is reported to the requests that need the token.
        let _ = self.0.tokens.current().await;
    }

    /// Returns whether the service ever accepted this token. The first one counts as accepted, since it may
    /// have been old; a later one that is refused before it was ever accepted is no better than the one
    /// before.
    pub fn was_taken(&self, token: Generation) -> bool {
        self.0.tokens.was_taken(token)
    }

    /// Returns whether the source of the token can provide another one.
    pub fn can_renew(&self) -> bool {
        self.0.tokens.can_renew()
    }

    /// Returns what a policy demanded of the token last, where the service refused it for that: the next sign-in is
    /// to be asked for it.
    pub fn demanded(&self) -> Option<ClaimsChallenge> {
        self.0.tokens.demanded()
    }

    /// Takes what the service said last of how much may be asked for.
    pub fn take_limits(&self) -> Option<LimitSignal> {
        self.0.limits.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns how often a token was fetched from its file, its command or the sign-in service.
    pub fn token_requests(&self) -> u64 {
        self.0.tokens.requests()
    }

    /// Sends one request, in a span of its own for the diagnostics. `client_request_id` is new for every
    /// call.
    async fn exchange(
        &self,
        request: Request,
        client_request_id: Uuid,
        largest: usize,
    ) -> Result<RawAnswer, Failure> {
        let span = debug_span!("request", method = %request.method(), id = %client_request_id);
        self.exchange_within(request, client_request_id, largest).instrument(span).await
    }

    async fn exchange_within(
        &self,
        mut request: Request,
        client_request_id: Uuid,
        largest: usize,
    ) -> Result<RawAnswer, Failure> {
        let (token, generation) = self.0.tokens.current().await?;
        request.headers_mut().insert(AUTHORIZATION, token.header());
        let (sent, sent_at) = (Instant::now(), (self.0.settings.clock)());
        let (connection, response) = self.0.connections.execute(request).await;
        let latency = sent.elapsed();
        let milliseconds = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        let log = self.0.log.as_ref();
        let noted = match &response {
            Ok(response) => {
                debug!(status = response.status().as_u16(), milliseconds, ?connection, "answered");
                log.and_then(|log| Some((log, log.note(response, sent_at, latency)?)))
            }
            Err(_) => {
                debug!(milliseconds, ?connection, "no answer");
                None
            }
        };
        let response = response.map_err(|error| self.failure(error, connection))?;
        // 401 refuses the token. 429 and 5xx may come from a proxy, which doesn't check it.
        if matches!(response.status().as_u16(), 200..=400 | 402..=428 | 430..=499) {
            self.0.tokens.note_taken(generation);
        }
        if matches!(response.status().as_u16(), 401 | 403) {
            let claims = claims_in(response.headers()).filter(|claims| !token.is_in(claims.as_str()));
            claims.into_iter().for_each(|claims| self.0.tokens.note_demanded(claims));
        }
        let answer = self.answer(response, connection, client_request_id, largest).await?;
        noted.into_iter().for_each(|(log, noted)| log.note_whole(noted, sent.elapsed()));
        without(&token, answer)
    }

    /// Reads the headers and the body of a response.
    async fn answer(
        &self,
        response: Response,
        connection: ConnectionKind,
        client_request_id: Uuid,
        largest: usize,
    ) -> Result<RawAnswer, Failure> {
        let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        // `Date` and `Retry-After` are both by the service's clock, which may differ from this machine's.
        let now = header(DATE).and_then(reply::date).unwrap_or_else(self.0.settings.clock);
        let pauses = response.headers().get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
        let retry_after = reply::longest_pause(pauses, now);
        let status = response.status().as_u16();
        // A refusal says by itself how long to wait.
        let asked = retry_after.filter(|_| (200..=299).contains(&status));
        if let Some(signal) = limits::signal(response.headers(), asked, now) {
            *self.0.limits.lock().unwrap_or_else(PoisonError::into_inner) = Some(signal);
        }
        Ok(RawAnswer {
            status,
            challenges: if matches!(status, 401 | 403) { challenges(response.headers()) } else { Vec::new() },
            etag: header(ETAG).and_then(|etag| ETag::from_service(etag).ok()),
            retry_after,
            client_request_id,
            body: body::read(response, largest).await.map_err(|error| self.failure(error, connection))?,
        })
    }

    /// Returns the failure of a request without an answer, and notes which connection it broke.
    fn failure(&self, error: reqwest::Error, connection: ConnectionKind) -> Failure {
        let failure = transport::unanswered(error, self.0.settings.timeout, self.0.log.as_ref());
        if matches!(failure, Failure::NoAnswer { .. }) {
            self.0.connections.broke(connection);
        }
        failure
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("endpoint", &self.0.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// Returns why the token was refused, as far as the service says so.
fn challenges(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(reply::token_errors).collect()
}

/// Removes the token from an answer in which the service repeats it. In a refusal, which is shown and
/// recorded, it is replaced. A referral must not be altered, since it may be written back; so a successful
/// answer with the token in it counts as no answer.
fn without(token: &Token, mut answer: RawAnswer) -> Result<RawAnswer, Failure> {
    // Nearly every answer is a text, which is told many times faster than what in it is none.
    let text = str::from_utf8(&answer.body.bytes)
        .map_or_else(|_| String::from_utf8_lossy(&answer.body.bytes), Cow::Borrowed);
    if !(200..=299).contains(&answer.status) {
        answer.body.bytes = token.redact(&text).into_bytes();
        answer.challenges.iter_mut().for_each(|error| *error = token.redact(error));
        return Ok(answer);
    }
    // A body that is too long is discarded anyway.
    let in_body = answer.body.longer_than.is_none() && token.is_in(&text);
    if in_body || answer.etag.as_ref().is_some_and(|etag| token.is_in(etag.as_str())) {
        let message = format!("answered {} with the token in it, which no service may repeat", answer.status);
        return Err(Failure::NoAnswer { message });
    }
    Ok(answer)
}

fn not_sent(message: &str) -> Failure {
    Failure::NotSent { message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::domain::exchange::Refusal;

    const TOKEN: &str = "eyJ0eXAi.s3cr3t-t0ken_value.x";
    const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";
    const RUN: &str = "11111111-1111-4111-8111-111111111111";
    const CHANGE: &str = "22222222-2222-4222-8222-222222222222";
    const ATTEMPT: &str = "33333333-3333-4333-8333-333333333333";
    const REFERRAL: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"id\":\"x\"}";
    /// The timeout for answers that come, however busy the machine is.
    const PATIENT: Duration = Duration::from_secs(60);
    /// The timeout for answers that never come.
    const IMPATIENT: Duration = Duration::from_millis(200);

    /// What the server does with a connection once it has read a whole request.
    #[derive(Clone)]
    enum Script {
        /// Answers, and closes.
        Answer(Vec<u8>),
        /// Answers, and keeps the connection open without another byte.
        Stall(Vec<u8>),
        /// Breaks the connection off.
        Reset,
    }

    fn then(answer: &str) -> Script {
        Script::Answer(answer.into())
    }

    /// A server for as many connections as it has answers; at its end it returns the requests.
    struct Server {
        endpoint: Endpoint,
        requests: JoinHandle<Vec<String>>,
    }

    async fn server(script: Vec<Script>) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = tokio::spawn(async move {
            let (mut requests, mut open) = (Vec::new(), Vec::new());
            for then in script {
                let (mut stream, _) = listener.accept().await.unwrap();
                // A client that ran out of patience has gone by now, and that is no failure of the server.
                requests.push(request(&mut stream).await.unwrap_or_else(|error| error.to_string()));
                match then {
                    Script::Answer(answer) => drop(stream.write_all(&closing(&answer)).await),
                    Script::Stall(answer) => {
                        drop(stream.write_all(&answer).await);
                        open.push(stream);
                    }
                    Script::Reset => stream.set_zero_linger().unwrap(),
                }
            }
            if !open.is_empty() {
                std::future::pending::<()>().await;
            }
            requests
        });
        Server { endpoint: Endpoint::parse(&format!("http://{address}/v1.0")).unwrap(), requests }
    }

    impl Server {
        fn client(&self, timeout: Duration) -> Client {
            client(self.endpoint.clone(), Auth::fixed(TOKEN.into()), timeout)
        }

        /// The requests, with the port and random ids replaced. Fails where fewer came than were scripted.
        async fn requests(self) -> Vec<String> {
            let host = self.endpoint.as_str()["http://".len()..].split('/').next().unwrap().to_owned();
            let requests = self.requests.await.unwrap();
            requests.into_iter().map(|request| request.replace(&host, "HOST")).collect()
        }
    }

    /// Adds `Connection: close` to an answer, so that no client uses the connection again.
    fn closing(answer: &[u8]) -> Vec<u8> {
        match answer.windows(2).position(|two| two == b"\r\n") {
            Some(end) => [&answer[..end], b"\r\nconnection: close", &answer[end..]].concat(),
            None => answer.to_vec(),
        }
    }

    async fn request(stream: &mut TcpStream) -> std::io::Result<String> {
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            text.push(char::from(stream.read_u8().await?));
        }
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).await?;
        Ok(text + std::str::from_utf8(&body).unwrap())
    }

    fn client(endpoint: Endpoint, auth: Auth, timeout: Duration) -> Client {
        let clock = || "2026-03-01T12:00:00Z".parse().unwrap();
        Client::new(endpoint, auth, ClientSettings { timeout, correlation_id: RUN.parse().unwrap(), clock })
            .unwrap()
    }

    fn id() -> ReferralId {
        ID.parse().unwrap()
    }

    struct Change {
        etag: Option<ETag>,
    }

    fn change() -> Change {
        Change { etag: None }
    }

    impl Journaled for Change {
        fn id(&self) -> ReferralId {
            id()
        }
        fn etag(&self) -> Option<&ETag> {
            self.etag.as_ref()
        }
        fn document(&self) -> &str {
            r#"[{"op":"replace","path":"/status","value":"Active"}]"#
        }
        fn request_id(&self) -> Uuid {
            CHANGE.parse().unwrap()
        }
        fn client_request_id(&self) -> Uuid {
            ATTEMPT.parse().unwrap()
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn gzipped(body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    fn no_answer<T: fmt::Debug>(result: Result<T, Failure>) -> String {
        match result {
            Err(Failure::NoAnswer { message }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn heads_are_exactly_these() {
        let page = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"value\":[]}";
        let server = server(vec![then(REFERRAL), then(page), then(REFERRAL), then(REFERRAL)]).await;
        let client = server.client(PATIENT);
        let got = client.get(id()).await.unwrap();
        let list = client.list(None).await.unwrap();
        let written = client.patch(Change { etag: ETag::from_service("\"v1\"").ok() }).await.unwrap();
        client.patch(change()).await.unwrap();
        assert_eq!(written.client_request_id.to_string(), ATTEMPT);
        assert_ne!(got.client_request_id, list.client_request_id);

        let head = |line: &str, first: &str, call: &str, last: &str| {
            let version = env!("CARGO_PKG_VERSION");
            format!(
                "{line} HTTP/1.1\r\n{first}accept: application/json\r\ncontent-type: application/json\r\n\
                 client-request-id: {call}\r\nms-correlationid: {RUN}\r\nauthorization: Bearer {TOKEN}\r\n\
                 user-agent: referral-bulk/{version}\r\naccept-encoding: gzip\r\nhost: HOST\r\n{last}\r\n"
            )
        };
        let ids =
            format!("request-id: {CHANGE}\r\nms-requestid: {CHANGE}\r\nprefer: return=representation\r\n");
        let matched = format!("{ids}if-match: \"v1\"\r\n");
        let document = change().document().to_owned();
        let length = format!("content-length: {}\r\n", document.len());
        let path = format!("/v1.0/engagements/referrals/{ID}");
        assert_eq!(
            server.requests().await,
            [
                head(&format!("GET {path}"), "", &got.client_request_id.to_string(), ""),
                head("GET /v1.0/engagements/referrals", "", &list.client_request_id.to_string(), ""),
                head(&format!("PATCH {path}"), &matched, ATTEMPT, &length) + &document,
                head(&format!("PATCH {path}"), &ids, ATTEMPT, &length) + &document,
            ]
        );
    }

    #[tokio::test]
    async fn answers_become_replies() {
        let server = server(vec![
            then("HTTP/1.1 204 No Content\r\netag: \"v2\"\r\n\r\n"),
            then("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\ngarbage"),
            Script::Answer(gzipped(&gzip(b"{\"id\":\"x\"}"))),
            then("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\ngarbage"),
        ])
        .await;
        let client = server.client(PATIENT);
        let reply = client.patch(change()).await.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
        assert_eq!(reply.etag.unwrap().as_str(), "\"v2\"");
        let reply = client.patch(change()).await.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "garbage"));
        assert_eq!(client.get(id()).await.unwrap().body, "{\"id\":\"x\"}");
        assert_eq!(no_answer(client.get(id()).await), "answered 200 with no referral in it");
    }

    #[tokio::test]
    async fn answers_become_refusals() {
        let body = format!("{{\"error\":{{\"code\":\"x\",\"message\":\"{TOKEN} is bad\"}}}}");
        let length = body.len();
        let server =
            server(vec![then(&format!("HTTP/1.1 401 No\r\ncontent-length: {length}\r\n\r\n{body}"))]).await;
        let client = server.client(PATIENT);
        let refusal = |status, code: Option<&str>, message: &str, retry_after| {
            Failure::Answered(Refusal {
                status,
                code: code.map(str::to_owned),
                codes: code.into_iter().map(str::to_owned).collect(),
                message: message.to_owned(),
                retry_after,
            })
        };
        let got = client.get(id()).await.unwrap_err();
        assert_eq!(got, refusal(401, Some("x"), "[token] is bad", None));
    }

    /// The clock of this machine says noon.
    #[tokio::test]
    async fn a_pause_is_as_long_as_the_service_means_it() {
        for (headers, seconds) in [
            ("retry-after: 7", Some(7)),
            ("retry-after: Sun, 01 Mar 2026 12:00:30 GMT", Some(30)),
            ("date: Sun, 01 Mar 2026 13:00:00 GMT\r\nretry-after: Sun, 01 Mar 2026 13:00:30 GMT", Some(30)),
            ("retry-after: Sun, 01 Mar 2026 11:00:30 GMT\r\ndate: Sun, 01 Mar 2026 11:00:00 GMT", Some(30)),
            ("date: noon\r\nretry-after: Sun, 01 Mar 2026 12:00:30 GMT", Some(30)),
            ("date: Sun, 01 Mar 2026 13:00:00 GMT\r\nretry-after: 5", Some(5)),
            ("retry-after: 5\r\nretry-after: 20", Some(20)),
            ("retry-after: 20\r\nretry-after: soon", Some(20)),
            ("retry-after: 5\r\nretry-after: Sun, 01 Mar 2026 12:00:30 GMT", Some(30)),
            ("retry-after: -1", None),
        ] {
            let answer = format!("HTTP/1.1 429 No\r\n{headers}\r\ncontent-length: 0\r\n\r\n");
            let server = server(vec![then(&answer)]).await;
            let Failure::Answered(refusal) = server.client(PATIENT).get(id()).await.unwrap_err() else {
                panic!("{headers}");
            };
            assert_eq!(refusal.retry_after, seconds.map(Duration::from_secs), "{headers}");
        }
    }

    #[tokio::test]
    async fn redirects_are_answers() {
        let elsewhere = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let there = elsewhere.local_addr().unwrap();
        for status in [301, 302, 303, 307, 308] {
            let answer =
                format!("HTTP/1.1 {status} X\r\nlocation: http://{there}/\r\ncontent-length: 0\r\n\r\n");
            let server = server(vec![then(&answer), then(&answer)]).await;
            let client = server.client(PATIENT);
            assert_eq!(client.get(id()).await.unwrap_err().status(), Some(status));
            assert_eq!(client.patch(change()).await.unwrap_err().status(), Some(status));
        }
        let nobody = elsewhere.accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn what_breaks_after_sending_is_in_doubt() {
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"id\"";
        let cut = &gzip(REFERRAL.as_bytes())[..30];
        let bomb = gzip(&vec![b' '; LARGEST_BODY + 1]);
        assert!(bomb.len() < LARGEST_BODY / 100);
        let too_large = format!("answered 200 with more than {LARGEST_BODY} bytes");
        for (then, timeout, wanted) in [
            (Script::Reset, PATIENT, "error"),
            (Script::Answer(Vec::new()), PATIENT, "error"),
            (Script::Answer(b"nonsense\r\n\r\n".to_vec()), PATIENT, "error"),
            (Script::Answer(half.into()), PATIENT, "error"),
            (Script::Answer(gzipped(cut)), PATIENT, "error"),
            (Script::Answer(gzipped(&bomb)), PATIENT, &too_large),
            (Script::Stall(Vec::new()), IMPATIENT, "no answer within 200ms"),
            (Script::Stall(half.into()), IMPATIENT, "no answer within 200ms"),
        ] {
            let server = server(vec![then.clone(), then]).await;
            let client = server.client(timeout);
            for message in [no_answer(client.patch(change()).await), no_answer(client.get(id()).await)] {
                assert!(message.starts_with(wanted), "{message}\nwanted {wanted}");
                assert!(!message.contains("127.0.0.1") && !message.contains(TOKEN), "{message}");
            }
        }
    }

    #[tokio::test]
    async fn one_call_is_one_request_also_on_a_connection_that_was_used_before() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            request(&mut stream).await.unwrap();
            stream.write_all(REFERRAL.as_bytes()).await.unwrap();
            let second = request(&mut stream).await.unwrap();
            stream.set_zero_linger().unwrap();
            (second, listener)
        });
        let client = client(endpoint, Auth::fixed(TOKEN.into()), PATIENT);
        client.get(id()).await.unwrap();
        no_answer(client.patch(change()).await);
        let (second, listener) = server.await.unwrap();
        assert!(second.starts_with("PATCH "), "{second}");
        let nobody = listener.into_std().unwrap().accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn what_was_never_sent_is_known_to_be_so() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        drop(listener);
        let refused = client(endpoint, Auth::fixed(TOKEN.into()), PATIENT);
        for failure in [refused.get(id()).await.unwrap_err(), refused.patch(change()).await.unwrap_err()] {
            assert!(matches!(failure, Failure::NotSent { .. }), "{failure:?}");
        }

        // A TLS handshake that ends before it begins; the request has not been written by then.
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = Endpoint::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
        let hang_up = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
        let failure = client(endpoint, Auth::fixed(TOKEN.into()), PATIENT).patch(change()).await.unwrap_err();
        hang_up.await.unwrap();
        assert!(matches!(failure, Failure::NotSent { .. }), "{failure:?}");

        // An eTag from a file that somebody edited.
        let etag = serde_json::from_str("\"a\\nb\"").unwrap();
        let failure = refused.patch(Change { etag: Some(etag) }).await.unwrap_err();
        assert!(matches!(&failure, Failure::NotSent { message } if message.contains("eTag")), "{failure:?}");
    }

    #[tokio::test]
    async fn links_are_rebuilt_on_the_endpoint() {
        let page = |link: &str| {
            let body = format!("{{\"value\":[]{link}}}");
            then(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
        };
        let link = ",\"@odata.nextLink\":\"http://evil.example.com/v1.0/referrals?$skip=100&x=a%20b\"";
        let server = server(vec![page(link), page("")]).await;
        let client = server.client(PATIENT);
        let first = client.list(None).await.unwrap();
        assert!(first.text.contains("evil"));
        assert_eq!(client.list(first.next.as_ref()).await.unwrap().next, None);
        let requests = server.requests().await;
        let line = requests[1].lines().next().unwrap();
        assert_eq!(line, "GET /v1.0/engagements/referrals?$skip=100&x=a%20b HTTP/1.1");
    }

    #[tokio::test]
    async fn many_refused_tokens_lead_to_one_new_one() {
        const CALLERS: usize = 8;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "old").unwrap();
        let no = then("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n");
        let script = [vec![no; CALLERS], vec![then(REFERRAL); CALLERS]].concat();
        let server = server(script).await;
        let client = client(server.endpoint.clone(), Auth::file(path.clone()), PATIENT);

        let seen = client.generation();
        let refused = futures::future::join_all((0..CALLERS).map(|_| client.get(id()))).await;
        assert!(refused.iter().all(|got| got.as_ref().is_err_and(|failure| failure.status() == Some(401))));
        std::fs::write(&path, "new").unwrap();
        let renewed = futures::future::join_all((0..CALLERS).map(|_| client.renew(seen))).await;
        assert!(renewed.iter().all(Result::is_ok));
        assert_ne!(client.generation(), seen);
        assert_eq!(client.token_requests(), 2, "the first, and one for all");
        let got = futures::future::join_all((0..CALLERS).map(|_| client.get(id()))).await;
        assert!(got.iter().all(Result::is_ok));

        let requests = server.requests().await;
        let with = |token: &str| requests.iter().filter(|request| request.contains(token)).count();
        assert_eq!((with("Bearer old"), with("Bearer new")), (CALLERS, CALLERS));
    }

    #[tokio::test]
    async fn without_a_token_nothing_is_sent() {
        let client = client(Endpoint::official(), Auth::fixed("".into()), PATIENT);
        for failure in [client.get(id()).await.unwrap_err(), client.patch(change()).await.unwrap_err()] {
            assert!(matches!(failure, Failure::NoToken { .. }), "{failure:?}");
        }
        assert_eq!(
            format!("{client:?}"),
            "Client { endpoint: \"https://api.partner.microsoft.com/v1.0\", .. }"
        );
    }
}
