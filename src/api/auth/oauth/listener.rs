//! Listens on loopback for the one request with which the browser comes back.
//!
//! Whatever else comes (favicons, scanners, requests that are slow or without end) is answered with 400 or
//! dropped, is bounded in bytes and time, and holds nobody up.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures::StreamExt;
use futures::future::select_all;
use futures::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::callback::{self, Callback};
use super::error::SignInError;

/// The most bytes of a request: browsers send all cookies of `localhost`, which others may have set.
const LONGEST_REQUEST: usize = 64 * 1024;
/// The longest time that a connection may take.
const LONGEST_TIME: Duration = Duration::from_secs(10);
/// The most connections at a time. Browsers open some ahead, and send nothing on them.
const MOST_CONNECTIONS: usize = 64;
/// The number of ports that are tried until one is free on both addresses.
const TRIES: usize = 20;
/// The wait after a connection that could not be accepted, for instance since too many files are open.
const BREATH: Duration = Duration::from_millis(100);

/// A port of this machine that is listened on, on 127.0.0.1 and on `::1` where both are there: browsers try
/// either for `localhost`.
#[derive(Debug)]
pub(super) struct Listener {
    port: u16,
    sockets: Vec<TcpListener>,
}

impl Listener {
    /// Listens on a free port.
    ///
    /// # Errors
    /// Returns [`SignInError::NoPort`] where neither address has one.
    pub(super) async fn bind() -> Result<Self, SignInError> {
        let no_port = |error: io::Error| SignInError::NoPort(error.to_string());
        let mut taken = None;
        for _ in 0..TRIES {
            let first = match bind(Ipv4Addr::LOCALHOST, 0).await {
                Ok(first) => first,
                Err(_) => {
                    let only = bind(Ipv6Addr::LOCALHOST, 0).await.map_err(no_port)?;
                    return Self::on(vec![only]).map_err(no_port);
                }
            };
            let port = first.local_addr().map_err(no_port)?.port();
            match bind(Ipv6Addr::LOCALHOST, port).await {
                Ok(second) => return Self::on(vec![first, second]).map_err(no_port),
                // Somebody else would get what browsers send there.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken = Some(error),
                Err(_) => return Self::on(vec![first]).map_err(no_port),
            }
        }
        Err(no_port(taken.unwrap_or_else(|| io::ErrorKind::AddrInUse.into())))
    }

    fn on(sockets: Vec<TcpListener>) -> io::Result<Self> {
        Ok(Self { port: sockets[0].local_addr()?.port(), sockets })
    }

    /// Returns the port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the request that brings the result of the sign-in with this state, however long that takes.
    pub(super) async fn callback(self, state: &str) -> Callback {
        let mut open = FuturesUnordered::new();
        loop {
            tokio::select! {
                stream = self.accept(), if open.len() < MOST_CONNECTIONS => open.push(serve(stream, state)),
                Some(ended) = open.next() => if let Some(callback) = ended {
                    return callback;
                },
            }
        }
    }

    /// Accepts the next connection, on either address.
    async fn accept(&self) -> TcpStream {
        loop {
            let all = self.sockets.iter().map(|socket| Box::pin(socket.accept()));
            match select_all(all).await.0 {
                Ok((stream, _)) => return stream,
                Err(_) => tokio::time::sleep(BREATH).await,
            }
        }
    }
}

async fn bind(address: impl Into<IpAddr>, port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((address.into(), port)).await
}

/// Answers one connection; returns what it brought, where it is the result of the sign-in.
async fn serve(mut stream: TcpStream, state: &str) -> Option<Callback> {
    let read = tokio::time::timeout(LONGEST_TIME, request_line(&mut stream)).await.ok()?.ok()?;
    let target = read.as_deref().and_then(target);
    let callback = target.and_then(|target| callback::requested(target, state).ok());
    let answer = match &callback {
        Some(Callback::Code(_)) => page("200 OK", SIGNED_IN),
        Some(Callback::Refused(_)) => page("200 OK", REFUSED),
        None => page("400 Bad Request", NOTHING_HERE),
    };
    let write = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    // What came counts, whether or not the browser wants to show something.
    let _ = tokio::time::timeout(LONGEST_TIME, write).await;
    callback
}

/// Reads a request to the end of its headers, and returns its first line. `None` where it is too long.
async fn request_line(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..read]);
        if bytes.len() > LONGEST_REQUEST {
            return Ok(None);
        }
    }
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8(line.to_vec()).ok())
}

/// Returns the target of a GET.
fn target(line: &str) -> Option<&str> {
    let (target, version) = line.strip_prefix("GET ")?.split_once(' ')?;
    version.starts_with("HTTP/1.").then_some(target)
}

/// Returns an answer with a page in which nothing of the request is repeated.
fn page(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
         connection: close\r\ncache-control: no-store\r\nreferrer-policy: no-referrer\r\n\
         content-security-policy: default-src 'none'\r\nx-content-type-options: nosniff\r\n\r\n{body}"
    )
}

/// The page after a sign-in. Whether tokens can be had for it is not known yet.
const SIGNED_IN: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>referral-bulk</title>\n\
    <h1>You can close this page</h1>\n<p>referral-bulk goes on in the terminal.</p></html>\n";
/// The page after a refusal.
const REFUSED: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>referral-bulk</title>\n\
    <h1>You are not signed in</h1>\n<p>The terminal in which referral-bulk runs says why, and what to do. \
    You can close this page.</p></html>\n";
/// The page for everybody else.
const NOTHING_HERE: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>referral-bulk</title>\n\
    <h1>There is nothing here</h1>\n<p>referral-bulk waits for a sign-in, and this is none.</p></html>\n";

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use secrecy::ExposeSecret;

    use super::*;

    const STATE: &str = "St4te-of_this_sign-in";
    const GOOD: &str = "GET /?code=c0de&state=St4te-of_this_sign-in HTTP/1.1\r\nhost: localhost\r\n\r\n";

    /// Sends bytes on a connection of its own, and returns all that comes back.
    async fn send(address: SocketAddr, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The listener may have hung up by now, having read enough.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    async fn listening() -> (SocketAddr, tokio::task::JoinHandle<Callback>) {
        let listener = Listener::bind().await.unwrap();
        let address = (Ipv4Addr::LOCALHOST, listener.port()).into();
        (address, tokio::spawn(async move { listener.callback(STATE).await }))
    }

    #[tokio::test]
    async fn it_goes_on_until_the_sign_in_comes_back() {
        let (address, waiting) = listening().await;
        // Some send nothing, or never end.
        let silent = TcpStream::connect(address).await.unwrap();
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(&GOOD.as_bytes()[..20]).await.unwrap();
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(LONGEST_REQUEST));
        for request in [
            "GET /favicon.ico HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET /?code=c0de&state=other HTTP/1.1\r\n\r\n",
            "GET /x?code=c0de&state=St4te-of_this_sign-in HTTP/1.1\r\n\r\n",
            "POST /?code=c0de&state=St4te-of_this_sign-in HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
            "HEAD /?code=c0de&state=St4te-of_this_sign-in HTTP/1.1\r\n\r\n",
            "GET /?code=c0de&state=St4te-of_this_sign-in\r\n\r\n",
            "GET  HTTP/1.1\r\n\r\n",
            "\u{16}\u{3}\u{1} hello\r\n\r\n",
            "\r\n\r\n",
        ] {
            let answer = send(address, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{request}: {answer}");
            assert!(answer.ends_with(NOTHING_HERE), "{answer}");
        }
        send(address, long.as_bytes()).await;
        assert!(!waiting.is_finished());
        let answer = send(address, GOOD.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(SIGNED_IN), "{answer}");
        assert!(!answer.contains("c0de") && !answer.contains(STATE), "{answer}");
        let Callback::Code(code) = waiting.await.unwrap() else { panic!("no code") };
        assert_eq!(code.expose_secret(), "c0de");
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
        drop((silent, half));
    }

    #[tokio::test]
    async fn a_refusal_has_a_page_of_its_own() {
        let (address, waiting) = listening().await;
        let request = GOOD.replace("code=c0de", "error=access_denied&error_description=%3Cscript%3E");
        let answer = send(address, request.as_bytes()).await;
        assert!(answer.ends_with(REFUSED) && !answer.contains("script"), "{answer}");
        let Callback::Refused(refusal) = waiting.await.unwrap() else { panic!("no refusal") };
        assert_eq!(refusal.error, "access_denied");
    }

    #[tokio::test]
    async fn both_addresses_of_localhost_are_listened_on() {
        let has_both = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok();
        let listener = Listener::bind().await.unwrap();
        let all: Vec<SocketAddr> = listener.sockets.iter().map(|it| it.local_addr().unwrap()).collect();
        assert!(all.iter().all(|address| address.ip().is_loopback() && address.port() == listener.port()));
        assert_eq!(all.len(), if has_both { 2 } else { 1 });
        let last = *all.last().unwrap();
        let waiting = tokio::spawn(async move { listener.callback(STATE).await });
        assert!(send(last, GOOD.as_bytes()).await.ends_with(SIGNED_IN));
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn many_that_hold_connections_open_hold_nobody_up() {
        let (address, waiting) = listening().await;
        let mut open = Vec::new();
        for _ in 0..MOST_CONNECTIONS - 1 {
            open.push(TcpStream::connect(address).await.unwrap());
        }
        assert!(send(address, GOOD.as_bytes()).await.ends_with(SIGNED_IN));
        waiting.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_never_finished_is_hung_up_on() {
        let (address, waiting) = listening().await;
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(&GOOD.as_bytes()[..20]).await.unwrap();
        let mut answer = Vec::new();
        assert_eq!(half.read_to_end(&mut answer).await.unwrap_or_default(), 0, "{answer:?}");
        assert!(!waiting.is_finished());
    }
}
