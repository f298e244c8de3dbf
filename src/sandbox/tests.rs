//! Tests of the sandbox over a socket, byte by byte.

mod changes;
mod definition;
mod faults;
mod lists;
mod requests;

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

const A: &str = "5a1e0001-0000-4000-8000-00000000000a";
const B: &str = "5a1e0001-0000-4000-8000-00000000000b";
const PATH: &str = "/v1.0/engagements/referrals";
const ETAG: &str = "\"e7a90001-0000-4000-8000-00000000000a\"";
const NOTES: &str = r#"[{"op":"add","path":"/details/notes","value":"mine"}]"#;
const TOKEN: (&str, &str) = ("Authorization", "Bearer rehearsal");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const FULL: (&str, &str) = ("Prefer", "return=representation");

/// The value that marks a header that is to be left out, though every request has it.
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

async fn serve(config: SandboxConfig) -> Server {
    let seed = json!([
        {"id": A, "eTag": ETAG, "status": "Active", "substatus": "Accepted", "statusReason": null,
         "details": {"notes": "theirs"}, "createdDateTime": "2026-01-02T00:00:00Z"},
        {"id": B, "status": "New", "substatus": "Received", "createdDateTime": "2026-01-01T00:00:00Z"},
    ]);
    serve_seed(&seed.to_string(), config).await
}

async fn serve_seed(seed: &str, config: SandboxConfig) -> Server {
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

fn faulty(faults: &[&str]) -> SandboxConfig {
    SandboxConfig {
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..SandboxConfig::default()
    }
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

    /// Returns the referral [`A`] as it is now.
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
