//! Connections, byte by byte.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Deref;
use std::sync::Arc;
use std::thread;

/// The head of a request.
#[derive(Debug, Clone)]
pub struct Head {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// As it came, with the empty line at its end.
    text: String,
}

/// A whole request.
#[derive(Debug, Clone)]
pub struct Request {
    pub head: Head,
    pub body: String,
}

impl Deref for Request {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

impl Request {
    /// Its bytes, as they came.
    pub fn bytes(&self) -> Vec<u8> {
        [self.head.text.as_bytes(), self.body.as_bytes()].concat()
    }
}

/// A connection that a client made.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// Serves every connection on a thread of its own, as long as the test process lives. Answers where.
pub fn serve(converse: impl Fn(Connection) + Send + Sync + 'static) -> SocketAddr {
    serve_on(TcpListener::bind(("127.0.0.1", 0)).unwrap(), converse)
}

/// The same, where a listener is there already.
pub fn serve_on(listener: TcpListener, converse: impl Fn(Connection) + Send + Sync + 'static) -> SocketAddr {
    let (address, converse) = (listener.local_addr().unwrap(), Arc::new(converse));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let converse = Arc::clone(&converse);
            thread::spawn(move || converse(Connection::new(stream)));
        }
    });
    address
}

impl Head {
    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let mut words = lines.next().unwrap_or_default().split(' ').map(ToOwned::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self { method, path, headers: lines.filter_map(header).collect(), text: text.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The id of the referral that it is about; empty for the list.
    pub fn id(&self) -> &str {
        self.path.split('?').next().unwrap().strip_prefix("/v1.0/engagements/referrals/").unwrap_or_default()
    }

    /// What it is about: the last part of the path, a referral's id or `referrals`.
    pub fn about(&self) -> &str {
        self.path.split('?').next().unwrap().rsplit('/').next().unwrap()
    }

    /// How many referrals of the list come before those asked for.
    pub fn skip(&self) -> usize {
        self.path.split_once("$skip=").map_or(0, |(_, skip)| skip.parse().unwrap())
    }

    fn length(&self) -> usize {
        self.header("content-length").map_or(0, |length| length.parse().unwrap())
    }
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// The next request's head; `None` at the end of the connection.
    pub fn head(&mut self) -> Option<Head> {
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut text).ok()? == 0 {
                return None;
            }
        }
        Some(Head::parse(&text))
    }

    /// The next request's head, which the system still takes for unread.
    pub fn peek(&mut self) -> Option<Head> {
        let mut bytes = [0; 4096];
        loop {
            let count = self.stream.get_ref().peek(&mut bytes).ok().filter(|count| *count > 0)?;
            let text = String::from_utf8_lossy(&bytes[..count]);
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                return Some(Head::parse(head));
            }
            thread::yield_now();
        }
    }

    /// The body that belongs to a head.
    pub fn body(&mut self, head: Head) -> Option<Request> {
        let mut body = vec![0; head.length()];
        self.stream.read_exact(&mut body).ok()?;
        Some(Request { head, body: String::from_utf8(body).unwrap() })
    }

    /// The next request; `None` at the end of the connection.
    pub fn request(&mut self) -> Option<Request> {
        let head = self.head()?;
        self.body(head)
    }

    /// What is written to the client, and read from it, by other means.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.stream.get_mut()
    }

    /// Writes; fails where the client is gone.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Waits until the client closes.
    pub fn wait_for_the_end(&mut self) {
        // However it ends.
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }

    /// Closes in good order: what was written arrives, and what the client still sends is read.
    pub fn close(mut self) {
        // A client that is gone already is as good.
        if self.stream.get_ref().shutdown(Shutdown::Write).is_ok() {
            self.wait_for_the_end();
        }
    }

    /// Writes and closes, so that the client gets both at once: whoever has read the answer can know of the end.
    pub fn write_and_close(self, bytes: &[u8]) {
        // What is corked up leaves when the connection is closed, in one segment.
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(self.stream.get_ref()).set_tcp_cork(true).unwrap();
        let mut connection = self;
        // A client that is gone already is as good.
        let _ = connection.write(bytes);
        connection.close();
    }

    /// Breaks off: the client gets a reset.
    pub fn reset(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _inside = runtime.enter();
        let stream = self.stream.into_inner();
        stream.set_nonblocking(true).unwrap();
        tokio::net::TcpStream::from_std(stream).unwrap().set_zero_linger().unwrap();
    }
}
