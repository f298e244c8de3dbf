//! The sandbox as a client meets it: over a socket, byte by byte.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::*;

mod definition;

const A: &str = "5a1e0001-0000-4000-8000-00000000000a";
const B: &str = "5a1e0001-0000-4000-8000-00000000000b";
const PATH: &str = "/v1.0/engagements/referrals";
const ETAG: &str = "\"e7a90001-0000-4000-8000-00000000000a\"";
const NOTES: &str = r#"[{"op":"add","path":"/details/notes","value":"mine"}]"#;
const TOKEN: (&str, &str) = ("Authorization", "Bearer rehearsal");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const FULL: (&str, &str) = ("Prefer", "return=representation");

/// The value of a header that is not sent, though every call has it.
const LEFT_OUT: &str = "(left out)";

/// No answer takes this long, however busy the machine; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

struct Server {
    sandbox: Sandbox,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

/// An answer as it came over the wire, whole or not.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The inner code of a refusal.
    fn code(&self) -> String {
        self.json()["error"]["innerError"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

async fn serve(config: Config) -> Server {
    let seed = json!([
        {"id": A, "eTag": ETAG, "status": "Active", "substatus": "Accepted", "statusReason": null,
         "details": {"notes": "theirs"}, "createdDateTime": "2026-01-02T00:00:00Z"},
        {"id": B, "status": "New", "substatus": "Received", "createdDateTime": "2026-01-01T00:00:00Z"},
    ]);
    serve_seed(&seed.to_string(), config).await
}

async fn serve_seed(seed: &str, config: Config) -> Server {
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let sandbox = Sandbox::from_text(seed, config, Arc::new(move || now)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { sandbox.serve(listener, async { drop(stopped.await) }).await }
    });
    Server { sandbox, address, stop, served }
}

fn faulty(faults: &[&str]) -> Config {
    Config { faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(), ..Config::default() }
}

impl Server {
    /// Sends a request on a connection of its own; `None` where the connection drops without an
    /// answer.
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Reply> {
        timeout(PATIENCE, exchange(self.address, method, path, headers, body)).await.unwrap()
    }

    async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[TOKEN], "").await.unwrap()
    }

    async fn patch(&self, id: &str, more: &[(&str, &str)], body: &str) -> Reply {
        let headers: Vec<_> = [TOKEN, JSON].iter().chain(more).copied().collect();
        self.send("PATCH", &format!("{PATH}/{id}"), &headers, body).await.unwrap()
    }

    /// The referral [`A`] as it stands.
    fn a(&self) -> Value {
        self.sandbox.referrals().swap_remove(0)
    }

    async fn shut_down(self) {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.served).await.unwrap().unwrap().unwrap();
    }
}

async fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Reply> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    let id = Uuid::new_v4().to_string();
    let every = [("client-request-id", id.as_str()), JSON];
    let every = &every[..if method == "GET" { 2 } else { 1 }];
    let unsaid = every.iter().filter(|(name, _)| headers.iter().all(|(said, _)| said != name));
    for (name, value) in headers.iter().chain(unsaid).filter(|(_, value)| *value != LEFT_OUT) {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let mut socket = TcpStream::connect(address).await.unwrap();
    // A server that refuses a large body may close before it has read all of it.
    drop(socket.write_all(request.as_bytes()).await);
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = socket.read(&mut chunk).await {
        bytes.extend_from_slice(&chunk[..read]);
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply { status, head: head.to_owned(), body: body.to_owned() })
}

#[tokio::test]
async fn a_referral_is_read_with_its_etag() {
    let server = serve(Config::default()).await;
    let reply = server.get(&format!("{PATH}/{A}")).await;
    assert_eq!((reply.status, reply.json()["eTag"].as_str()), (200, Some(ETAG)));
    let upper = server.get(&format!("{PATH}/{}", A.to_uppercase())).await;
    assert_eq!(upper.json(), reply.json());
    let id = ("client-request-id", B);
    let echoed = server.send("GET", &format!("{PATH}/{A}"), &[TOKEN, id], "").await.unwrap();
    assert_eq!((echoed.status, echoed.header(id.0)), (200, Some(B)));
    server.shut_down().await;
}

#[tokio::test]
async fn a_strict_one_wants_an_id_of_every_call_and_a_type_of_a_get() {
    let server = serve(Config { strict: true, ..Config::default() }).await;
    let a = format!("{PATH}/{A}");
    let id = |id: &'static str| ("client-request-id", id);
    let kind = |kind: &'static str| ("Content-Type", kind);
    for (method, path, headers, status, code) in [
        ("GET", a.as_str(), &[id(LEFT_OUT)][..], 400, "ClientRequestIdMissing"),
        ("GET", PATH, &[id(LEFT_OUT)], 400, "ClientRequestIdMissing"),
        ("PATCH", &a, &[JSON, id(LEFT_OUT)], 400, "ClientRequestIdMissing"),
        ("PATCH", &a, &[JSON, id(A), id(B)], 400, "ClientRequestIdMissing"),
        ("PATCH", &a, &[JSON, id("c-1")], 400, "ClientRequestIdNoGuid"),
        ("GET", &a, &[id("")], 400, "ClientRequestIdNoGuid"),
        ("GET", &a, &[kind(LEFT_OUT)], 400, "ContentTypeMissing"),
        ("GET", PATH, &[kind("text/plain")], 400, "ContentTypeMissing"),
        ("GET", &a, &[kind("Application/JSON; charset=utf-8"), id(B)], 200, ""),
        ("GET", &a, &[id(B)], 400, "ClientRequestIdRepeated"),
        ("PATCH", &a, &[JSON, id(B)], 400, "ClientRequestIdRepeated"),
        ("PATCH", &a, &[JSON, id(A)], 204, ""),
    ] {
        let headers: Vec<_> = [TOKEN].iter().chain(headers).copied().collect();
        let reply = server.send(method, path, &headers, NOTES).await.unwrap();
        let got = if status == 400 { reply.code() } else { String::new() };
        assert_eq!((reply.status, got.as_str()), (status, code), "{method} {path} {headers:?}");
    }
    assert_eq!(server.sandbox.requests().applied, 1);
    server.shut_down().await;
}

#[tokio::test]
async fn a_comma_within_an_etag_separates_nothing() {
    let seed = json!({"id": A, "eTag": "\"v1,2\"", "details": {}}).to_string();
    for (if_match, status) in
        [("\"v1,2\"", 204), ("\"x\", \"v1,2\"", 204), ("\"v1", 412), ("2\"", 412), ("\"v1,2\"\"x\"", 412)]
    {
        let server = serve_seed(&seed, Config::default()).await;
        assert_eq!(server.patch(A, &[("If-Match", if_match)], NOTES).await.status, status, "{if_match}");
        server.shut_down().await;
    }
}

#[tokio::test]
async fn what_is_refused_before_anything_is_looked_at() {
    let server = serve(Config::default()).await;
    let a = format!("{PATH}/{A}");
    let large = format!("[{}1]", "1,".repeat(600_000));
    for (method, path, headers, body, status, codes) in [
        ("GET", a.as_str(), &[][..], "", 401, "Unauthorized"),
        ("GET", &a, &[("Authorization", "Bearer ")], "", 401, "Unauthorized"),
        ("GET", &a, &[("Authorization", "Basic abc")], "", 401, "Unauthorized"),
        ("PATCH", &a, &[JSON], NOTES, 401, "Unauthorized"),
        ("GET", "/nowhere", &[], "", 401, "Unauthorized"),
        ("GET", "/nowhere", &[TOKEN], "", 404, "PathNotFound"),
        ("GET", "/v1.0/referrals", &[TOKEN], "", 404, "PathNotFound"),
        ("GET", "/v1.0/engagements/referrals/", &[TOKEN], "", 404, "PathNotFound"),
        ("GET", "/v1.0/engagements/referralsx", &[TOKEN], "", 404, "PathNotFound"),
        ("GET", "/v1.0/engagements/referrals/R-1", &[TOKEN], "", 404, "ReferralNotFound"),
        ("PATCH", "/v1.0/engagements/referrals/R-1", &[TOKEN, JSON], NOTES, 404, "ReferralNotFound"),
        ("PUT", &a, &[TOKEN, JSON], "{}", 405, "MethodNotAllowed"),
        ("DELETE", &a, &[TOKEN], "", 405, "MethodNotAllowed"),
        ("POST", PATH, &[TOKEN, JSON], "{}", 405, "MethodNotAllowed"),
        ("PATCH", &a, &[TOKEN], NOTES, 415, "UnsupportedMediaType"),
        (
            "PATCH",
            &a,
            &[TOKEN, ("Content-Type", "application/json-patch+json")],
            NOTES,
            415,
            "UnsupportedMediaType",
        ),
        ("PATCH", &a, &[TOKEN, JSON], &large, 413, "PayloadTooLarge"),
        ("PATCH", &a, &[TOKEN, JSON], "{}", 400, "NotAnArray"),
        ("PATCH", &a, &[TOKEN, JSON], "", 400, "NotJson"),
    ] {
        let reply = server.send(method, path, headers, body).await.unwrap();
        let code =
            if status == 401 { reply.json()["code"].as_str().unwrap().to_owned() } else { reply.code() };
        assert_eq!((reply.status, code.as_str()), (status, codes), "{method} {path} {headers:?}");
    }
    assert_eq!(server.a()["eTag"], ETAG, "nothing was changed");
    let allow = server.send("PUT", &a, &[TOKEN], "").await.unwrap();
    assert_eq!(allow.header("Allow"), Some("GET, PATCH"));
    server.shut_down().await;
}

#[tokio::test]
async fn a_patch_changes_the_referral_and_moves_its_version() {
    let server = serve(Config::default()).await;
    let plain = server.patch(A, &[], NOTES).await;
    assert_eq!((plain.status, plain.body.as_str()), (204, ""));
    let first = server.a();
    assert_eq!(first["details"]["notes"], "mine");
    assert_eq!(first["updatedDateTime"], "2026-11-20T12:00:00.0000000Z");
    assert_eq!(plain.header("ETag"), first["eTag"].as_str());
    assert_ne!(first["eTag"], ETAG);

    let again = server.patch(A, &[FULL, ("If-Match", first["eTag"].as_str().unwrap())], NOTES).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json(), server.a(), "the answer is the referral as it stands");
    assert_eq!(again.header("ETag"), again.json()["eTag"].as_str());
    assert_ne!(again.json()["eTag"], first["eTag"], "also a change that changes nothing is a new version");

    let charset = [TOKEN, ("Content-Type", "Application/JSON; charset=utf-8")];
    let reply = server.send("PATCH", &format!("{PATH}/{A}"), &charset, NOTES).await.unwrap();
    assert_eq!(reply.status, 204);
    assert_eq!(server.sandbox.requests().applied, 3);
    server.shut_down().await;
}

#[tokio::test]
async fn if_match_guards_against_other_changes() {
    let server = serve(Config::default()).await;
    let bare = ETAG.trim_matches('"');
    for (if_match, status) in
        [("\"e7a90001-0000-4000-8000-00000000dead\"", 412), (bare, 412), ("", 412), ("W/\"x\", \"y\"", 412)]
    {
        let reply = server.patch(A, &[("If-Match", if_match)], NOTES).await;
        assert_eq!(reply.status, status, "{if_match}");
        assert_eq!(reply.json()["error"]["code"], "preconditionFailed");
        assert_eq!(server.a()["eTag"], ETAG);
    }
    let listed = format!("\"x\", {ETAG}");
    assert_eq!(server.patch(A, &[("If-Match", &listed)], NOTES).await.status, 204);
    assert_eq!(server.patch(A, &[("If-Match", ETAG)], NOTES).await.status, 412, "that version is gone");
    assert_eq!(server.patch(A, &[("If-Match", "*")], NOTES).await.status, 204);
    server.shut_down().await;
}

#[tokio::test]
async fn stages_follow_the_table_and_leave_their_time() {
    let server = serve(Config::default()).await;
    let stage = |status: &str, substatus: &str| {
        json!([
            { "op": "replace", "path": "/status", "value": status },
            { "op": "replace", "path": "/substatus", "value": substatus },
        ])
        .to_string()
    };
    for (id, document, status, code) in [
        (A, stage("New", "Pending"), 400, "TransitionNotAllowed"),
        (A, stage("Closed", "Accepted"), 400, "SubstatusNotOfStatus"),
        (
            A,
            r#"[{"op":"replace","path":"/status","value":"Closed"}]"#.to_owned(),
            400,
            "SubstatusNotOfStatus",
        ),
        (A, stage("Closed", "Won"), 204, ""),
        (A, stage("Closed", "Lost"), 204, ""),
        (A, stage("Active", "Accepted"), 400, "TransitionNotAllowed"),
        (B, r#"[{"op":"replace","path":"/substatus","value":"Pending"}]"#.to_owned(), 204, ""),
        (B, stage("Active", "Accepted"), 204, ""),
    ] {
        let reply = server.patch(id, &[], &document).await;
        let got = if status == 400 { reply.code() } else { String::new() };
        assert_eq!((reply.status, got.as_str()), (status, code), "{document}");
    }
    let [a, b] = &server.sandbox.referrals()[..] else { panic!("two referrals") };
    assert_eq!(a["closedDateTime"], "2026-11-20T12:00:00.0000000Z");
    assert_eq!(b["acceptedDateTime"], "2026-11-20T12:00:00.0000000Z");
    assert_eq!(b.get("closedDateTime"), None);
    server.shut_down().await;
}

#[tokio::test]
async fn a_document_is_applied_whole_or_not_at_all() {
    let server = serve(Config::default()).await;
    let before = server.a();
    let document = json!([
        { "op": "replace", "path": "/details/notes", "value": "mine" },
        { "op": "replace", "path": "/statusReason", "value": "because" },
        { "op": "replace", "path": "/details/dealValue", "value": 5 },
    ]);
    let reply = server.patch(A, &[], &document.to_string()).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "TargetMissing"));
    assert_eq!(reply.json()["error"]["target"], "/details/dealValue");
    assert_eq!(server.a(), before);
    server.shut_down().await;
}

#[tokio::test]
async fn the_same_history_gives_the_same_versions() {
    let mut etags = Vec::new();
    for order in [[A, B, A], [A, A, B]] {
        let server = serve(Config::default()).await;
        for id in order {
            let document = r#"[{"op":"add","path":"/salesStage","value":"Close"}]"#;
            assert_eq!(server.patch(id, &[], document).await.status, 204);
        }
        etags.push(server.sandbox.referrals().iter().map(|r| r["eTag"].clone()).collect::<Vec<_>>());
        server.shut_down().await;
    }
    assert_eq!(etags[0], etags[1]);
}

#[tokio::test]
async fn lists_come_in_pages_whose_next_link_must_be_rebuilt() {
    let seed: String = (0..250)
        .map(|n| {
            let status = if n % 2 == 0 { "New" } else { "Active" };
            json!({"id": format!("5a1e0001-0000-4000-8000-{n:012}"), "status": status}).to_string() + "\n"
        })
        .collect();
    let server = serve_seed(&seed, Config::default()).await;
    for (query, sizes) in [
        ("", &[100, 100, 50][..]),
        ("?$top=100", &[100]),
        ("?$top=130", &[100, 30]),
        ("?$top=1000", &[100, 100, 50]),
        ("?$top=0", &[0]),
        ("?$skip=200", &[50]),
        ("?$skip=250", &[0]),
        ("?$filter=status%20eq%20'Active'", &[100, 25]),
        ("?$filter=status+eq+'Gone'", &[0]),
    ] {
        let mut path = format!("{PATH}{query}");
        let mut ids = std::collections::HashSet::new();
        let mut got = Vec::new();
        loop {
            let page = server.get(&path).await.json();
            let items = page["value"].as_array().unwrap();
            assert_eq!(page["@odata.count"], items.len());
            ids.extend(items.iter().map(|item| item["id"].to_string()));
            got.push(items.len());
            let Some(next) = page["@odata.nextLink"].as_str() else { break };
            let query = next.strip_prefix("http://api.partner.microsoft.com/v1.0/referrals").unwrap();
            path = format!("{PATH}{query}");
        }
        assert_eq!(got, sizes, "{query}");
        assert_eq!(ids.len(), sizes.iter().sum::<usize>(), "{query}: none twice");
    }
    assert_eq!(server.get(&format!("{PATH}?$filter=name+is+'x'")).await.status, 400);
    server.shut_down().await;
}

#[tokio::test]
async fn lists_are_ordered_and_may_lack_etags() {
    for (list_etags, query, first) in
        [(true, "", A), (false, "?$orderby=createdDateTime", B), (true, "?$orderby=createdDateTime+desc", A)]
    {
        let server = serve(Config { list_etags, ..Config::default() }).await;
        let page = server.get(&format!("{PATH}{query}")).await.json();
        assert_eq!(page["value"][0]["id"], first, "{query}");
        assert_eq!(page["value"][0].get("eTag").is_some(), list_etags);
        server.shut_down().await;
    }
}

#[tokio::test]
async fn over_the_quota_every_request_waits() {
    let server = serve(Config { quota: Some("2/m".parse().unwrap()), ..Config::default() }).await;
    assert_eq!(server.get(PATH).await.status, 200);
    assert_eq!(server.patch(A, &[], NOTES).await.status, 204);
    let reply = server.patch(A, &[], NOTES).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.json()["statusCode"], 429);
    let seconds: u64 = reply.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let counts = server.sandbox.requests();
    assert_eq!((counts.lists, counts.patches, counts.applied, counts.throttled), (1, 2, 1, 1));
    assert_eq!(counts.total(), 3);
    server.shut_down().await;
}

#[tokio::test]
async fn more_at_a_time_than_are_taken_are_turned_away() {
    let hang = ["patch=hang".parse().unwrap()];
    let server = serve(Config { at_once: Some(1), faults: hang.into(), ..Config::default() }).await;
    let path = format!("{PATH}/{A}");
    let first = server.send("PATCH", &path, &[TOKEN, JSON], NOTES);
    let others = async {
        let met = async {
            while server.sandbox.requests().faulted == 0 {
                tokio::task::yield_now().await
            }
        };
        timeout(PATIENCE, met).await.unwrap();
        assert_eq!(server.get(&path).await.status, 503);
    };
    // The first hangs until its client goes away, and with it goes its place.
    tokio::select! {
        _ = first => panic!("what hangs is not answered"),
        () = others => {}
    }
    let taken = async { while server.get(&path).await.status == 503 {} };
    timeout(PATIENCE, taken).await.unwrap();
    let counts = server.sandbox.requests();
    assert!(counts.throttled > 0, "{counts:?}");
    server.shut_down().await;
}

/// What a PATCH under a fault is answered with, and whether it took effect.
async fn check_fault(fault: &str, wanted: Option<(u16, &str)>, applied: bool) -> Option<Reply> {
    let server = serve(faulty(&[fault])).await;
    let path = format!("{PATH}/{A}");
    let reply = server.send("PATCH", &path, &[TOKEN, JSON, ("If-Match", ETAG)], NOTES).await;
    let got = reply.as_ref().map(|reply| (reply.status, reply.header("Content-Type").unwrap_or_default()));
    assert_eq!(got, wanted, "{fault}");
    assert_eq!(server.a()["details"]["notes"] == "mine", applied, "{fault}");
    assert_eq!(server.sandbox.requests().faulted, 1);
    let whole = server.get(&path).await;
    assert_eq!(whole.status, 200, "{fault} is over after its turn");
    server.shut_down().await;
    reply
}

#[tokio::test]
async fn faults_answer_wrongly() {
    const JSON: &str = "application/json; charset=utf-8";
    check_fault("patch=500", Some((500, JSON)), false).await;
    check_fault("patch=500+applied", Some((500, JSON)), true).await;
    check_fault("any=409", Some((409, JSON)), false).await;
    check_fault("patch=html", Some((502, "text/html")), false).await;
    let throttled = check_fault("patch=429:7", Some((429, JSON)), false).await.unwrap();
    assert_eq!(throttled.header("Retry-After"), Some("7"));
    let unready = check_fault("patch=503:1+applied", Some((503, JSON)), true).await.unwrap();
    assert_eq!(unready.header("Retry-After"), Some("1"));
    for (fault, applied) in [("patch=garbage", false), ("patch=garbage+applied", true)] {
        let garbage = check_fault(fault, Some((200, JSON)), applied).await.unwrap();
        assert!(serde_json::from_str::<Value>(&garbage.body).is_err());
    }
    for (fault, applied) in [("patch=cut", false), ("patch=cut+applied", true)] {
        let cut = check_fault(fault, Some((200, JSON)), applied).await.unwrap();
        let promised: usize = cut.header("Content-Length").unwrap().parse().unwrap();
        assert_eq!(cut.body.len(), promised / 2);
        assert!(promised > 0);
    }
}

/// Answers that say yes, by what they show: the notes and whether the eTag is the one from before.
#[tokio::test]
async fn a_yes_may_be_none() {
    const JSON: &str = "application/json; charset=utf-8";
    for (fault, status, shown, applied) in [
        ("patch=bare", 204, None, false),
        ("patch=bare+applied", 204, None, true),
        ("patch=error", 200, None, false),
        ("patch=error+applied", 200, None, true),
        ("patch=stale", 200, Some(("theirs", true)), false),
        ("patch=stale+applied", 200, Some(("theirs", true)), true),
        ("patch=echo", 200, Some(("mine", true)), false),
        ("patch=echo+applied", 200, Some(("mine", true)), true),
    ] {
        let kind = if status == 204 { "" } else { JSON };
        let reply = check_fault(fault, Some((status, kind)), applied).await.unwrap();
        if let Some((notes, is_old)) = shown {
            let body = reply.json();
            assert_eq!((&body["details"]["notes"], body["eTag"] == ETAG), (&json!(notes), is_old), "{fault}");
        } else if status == 200 {
            assert_eq!(reply.code(), "BackendUnavailable");
        }
    }
    // Who won't have the change doesn't say yes.
    for fault in ["patch=bare+applied", "patch=stale+applied", "patch=echo", "patch=error+applied"] {
        let server = serve(faulty(&[fault])).await;
        assert_eq!(server.patch(A, &[("If-Match", "\"other\"")], NOTES).await.status, 412, "{fault}");
        server.shut_down().await;
    }
}

#[tokio::test]
async fn reads_may_lag_behind_and_members_be_ignored() {
    let server = serve(faulty(&["get#2-3=stale", "patch#2=ignores:/details"])).await;
    let path = format!("{PATH}/{A}");
    let first = server.patch(A, &[FULL], NOTES).await.json();
    let mut etags = Vec::new();
    for notes in ["mine", "theirs", "theirs", "mine"] {
        let shown = server.get(&path).await.json();
        assert_eq!(shown["details"]["notes"], notes);
        etags.push(shown["eTag"].clone());
    }
    assert_eq!(etags, [first["eTag"].clone(), json!(ETAG), json!(ETAG), first["eTag"].clone()]);
    let document = r#"[{"op":"replace","path":"/details/notes","value":"other"},
                       {"op":"replace","path":"/statusReason","value":"taken"}]"#;
    let second = server.patch(A, &[FULL], document).await.json();
    assert_eq!((&second["details"]["notes"], &second["statusReason"]), (&json!("mine"), &json!("taken")));
    assert_ne!(second["eTag"], first["eTag"]);
    server.shut_down().await;
}

#[tokio::test]
async fn somebody_else_edits_first() {
    let reply = check_fault("patch=edited", Some((412, "application/json; charset=utf-8")), false).await;
    assert_eq!(reply.unwrap().code(), "resourceModified");
    let server = serve(faulty(&["patch=edited"])).await;
    assert_eq!(server.patch(A, &[], NOTES).await.status, 204, "without If-Match nothing guards");
    server.shut_down().await;
}

#[tokio::test]
async fn slow_answers_come_all_the_same() {
    let server = serve(faulty(&["list=slow:50"])).await;
    let start = Instant::now();
    assert_eq!(server.get(PATH).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(50));
    server.shut_down().await;
}

#[tokio::test]
async fn hanging_requests_get_no_answer_and_hold_nobody_up() {
    for (fault, applied) in [("patch=hang", 0), ("patch=hang+applied", 1)] {
        let server = serve(faulty(&[fault])).await;
        let path = format!("{PATH}/{A}");
        let address = server.address;
        let hanging =
            tokio::spawn(async move { exchange(address, "PATCH", &path, &[TOKEN, JSON], NOTES).await });
        timeout(PATIENCE, async {
            while server.sandbox.requests().faulted == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
        assert_eq!(server.get(PATH).await.status, 200, "others are served");
        assert!(!hanging.is_finished());
        assert_eq!(server.sandbox.requests().applied, applied);
        server.shut_down().await;
        assert!(timeout(PATIENCE, hanging).await.unwrap().unwrap().is_none());
    }
}

#[tokio::test]
async fn the_samples_are_served() {
    let sandbox = Sandbox::with_samples(Config::default(), Arc::new(|| Timestamp::UNIX_EPOCH));
    assert_eq!(sandbox.referrals().len(), 40);
    assert_eq!(sandbox.requests(), Counts::default());
}
