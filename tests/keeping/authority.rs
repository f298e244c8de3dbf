//! A sign-in service on loopback that takes each refresh token once, and revokes all where one comes again. Whoever
//! asks for a device code is signed in at once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// What tokens of this service begin with.
pub const REFRESH: &str = "0.AXoA-kept.refresh-s3cr3t";
pub const ACCESS: &str = "eyJ0eXAi.kept-access-s3cr3t";

/// The service, until its test ends.
pub struct Authority {
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<AuthorityState>,
    changed: Condvar,
}

#[derive(Default)]
pub struct AuthorityState {
    /// How many refresh tokens were issued; the last is good.
    pub issued: usize,
    pub used: BTreeSet<String>,
    pub is_revoked: bool,
    /// The body that refreshes are refused with, and its status.
    pub refuses: Option<(u16, Value)>,
    /// The tenant that the id tokens are of; without any there are none.
    pub tenant: Option<&'static str>,
    /// How often a refresh token came.
    pub asked: usize,
    /// Whether answers to refreshes are held back: before the token is taken, or after that.
    pub held: Option<Hold>,
    /// The pause that it asks for instead of taking a refresh token, in seconds.
    pub busy: Option<u32>,
    /// How many answers are held back now.
    pub waiting: usize,
}

/// When an answer is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Before the refresh token is taken.
    Before,
    /// Once it was.
    After,
}

impl Authority {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::<Shared>::default();
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(stream));
            }
        });
        Self { url, shared }
    }

    pub fn look<T>(&self, look: impl FnOnce(&mut AuthorityState) -> T) -> T {
        self.shared.look(look)
    }

    /// Waits until a refresh token came.
    pub fn was_asked(&self) {
        let state = self.shared.state.lock().unwrap();
        drop(self.shared.changed.wait_while(state, |state| state.asked == 0).unwrap());
    }

    /// Waits until an answer is held back.
    pub fn holds_one(&self) {
        let state = self.shared.state.lock().unwrap();
        drop(self.shared.changed.wait_while(state, |state| state.waiting == 0).unwrap());
    }
}

impl Shared {
    fn look<T>(&self, look: impl FnOnce(&mut AuthorityState) -> T) -> T {
        let looked = look(&mut self.state.lock().unwrap());
        self.changed.notify_all();
        looked
    }

    /// Answers one request and closes. A client that is gone by then is no concern of the service.
    fn serve(&self, mut stream: TcpStream) {
        let Some((path, form)) = request(&stream) else { return };
        let (status, body) =
            if path.ends_with("/devicecode") { (200, device_code()) } else { self.tokens(&form) };
        let body = if status == 429 { String::new() } else { body.to_string() };
        let busy = self.state.lock().unwrap().busy;
        let pause = busy.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
        let head =
            format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nconnection: close\r\n{pause}");
        let _ = stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    fn tokens(&self, form: &str) -> (u16, Value) {
        let refresh = form.split('&').find_map(|pair| pair.strip_prefix("refresh_token="));
        let Some(refresh) = refresh else {
            return (200, self.state.lock().unwrap().issue());
        };
        let is_busy = self.look(|state| {
            state.asked += 1;
            state.busy.is_some()
        });
        if is_busy {
            return (429, Value::Null);
        }
        self.hold(Hold::Before);
        let answer = {
            let mut state = self.state.lock().unwrap();
            if let Some(refusal) = &state.refuses {
                return refusal.clone();
            }
            let is_good = refresh == self::refresh(state.issued) && !state.is_revoked;
            if is_good && state.used.insert(refresh.to_owned()) {
                (200, state.issue())
            } else {
                state.is_revoked = true;
                (400, json!({ "error": "invalid_grant", "error_description": "it was used already" }))
            }
        };
        self.hold(Hold::After);
        answer
    }

    fn hold(&self, hold: Hold) {
        let mut state = self.state.lock().unwrap();
        if state.held == Some(hold) {
            state.waiting += 1;
            self.changed.notify_all();
            state = self.changed.wait_while(state, |state| state.held == Some(hold)).unwrap();
            state.waiting -= 1;
        }
    }
}

impl AuthorityState {
    fn issue(&mut self) -> Value {
        self.issued += 1;
        let number = self.issued;
        let id_token = self.tenant.map(|tenant| {
            let claims = json!({ "aud": "app", "exp": 4_102_444_800_u64, "tid": tenant });
            format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
        });
        json!({
            "id_token": id_token,
            "token_type": "Bearer", "expires_in": 3600,
            "access_token": format!("{ACCESS}-{number}"), "refresh_token": refresh(number),
        })
    }
}

/// The refresh token of this number, which is as long as real ones get.
pub fn refresh(number: usize) -> String {
    format!("{REFRESH}-{number}-{}", "x".repeat(3_000))
}

fn device_code() -> Value {
    json!({
        "device_code": "device-s3cr3t", "user_code": "ABCD-EFGH", "verification_uri": "http://localhost/device",
        "expires_in": 900, "interval": 1,
    })
}

/// The path and the body of a request.
fn request(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim().to_ascii_lowercase().strip_prefix("content-length:") {
            Some(value) => length = value.trim().parse().ok()?,
            None if header.trim().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, String::from_utf8(body).ok()?))
}
