//! A server that answers with any bytes whatever, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What it is about: the last part of the path, a referral's id or `referrals`.
    pub fn about(&self) -> &str {
        self.path.split('?').next().unwrap().rsplit('/').next().unwrap()
    }
}

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
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let base = format!("http://{}/v1.0", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                // A client that goes away early is no failure of the server.
                std::thread::spawn(move || drop(converse(stream, &*answer, &log)));
            }
        });
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

fn converse(
    mut stream: TcpStream,
    answer: &(impl Fn(&Request, &mut TcpStream) -> std::io::Result<()> + ?Sized),
    log: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let request = read(&stream)?;
    log.lock().unwrap().push(request.clone());
    answer(&request, &mut stream)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // What the client still sends is read, so that closing does not take the answer back.
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace().map(ToOwned::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    Ok(Request { method, path, headers, body: String::from_utf8(body).unwrap() })
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
