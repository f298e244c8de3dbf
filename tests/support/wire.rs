//! A server that answers with any bytes whatever, and remembers what it was asked.

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use super::line::Request;
use super::line::serve;
use super::samples::sample_referral;

/// A server on loopback that serves as long as the test process lives.
pub struct Wire {
    /// The base to give as the endpoint.
    pub base: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Wire {
    /// Answers every request by these means: the bytes are written as they are, and the connection is
    /// closed.
    pub fn serve(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::stream(move |request, out| out.write_all(&answer(request)))
    }

    /// The same for an answer that is written bit by bit, and may have no end but the client's.
    pub fn stream(
        answer: impl Fn(&Request, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let address = serve(move |mut connection| {
            let Some(request) = connection.request() else { return };
            log.lock().unwrap().push(request.clone());
            // A client that goes away early is no failure of the server.
            if answer(&request, connection.stream()).is_ok() {
                connection.close();
            }
        });
        let base = format!("http://{address}/v1.0");
        Self { base, asked }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The last part of the path of every request of a method, in order.
    pub fn ids(&self, method: &str) -> Vec<String> {
        let asked = self.asked().into_iter().filter(|request| request.method == method);
        asked.map(|request| request.about().to_owned()).collect()
    }
}

/// The answer of a service that carries a change out: the referral as it is then, at another version.
pub fn carry_out(request: &Request, mut referral: Value) -> Vec<u8> {
    let document: json_patch::Patch = serde_json::from_str(&request.body).unwrap();
    json_patch::patch(&mut referral, &document).unwrap();
    referral["eTag"] = "\"written\"".into();
    answer("200 OK", "", referral.to_string())
}

/// A sound answer. More headers may stand in `headers`, each ended by CRLF.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// What a service says that knows the samples: its list is empty, and to a change, the referral as it is then.
pub fn sound(request: &Request) -> Vec<u8> {
    match (request.method.as_str(), request.about()) {
        ("PATCH", id) => carry_out(request, sample_referral(id)),
        (_, "referrals") => answer("200 x", "", r#"{"value":[]}"#),
        (_, id) => answer("200 x", "", sample_referral(id).to_string()),
    }
}
