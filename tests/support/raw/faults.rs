//! Everything that can go wrong on a connection, and what a client sees of it.

use std::io;
use std::thread;
use std::time::Duration;

use super::api::Answer;
use crate::support::line::Connection;

/// What becomes of a request, or of its answer. What breaks off an answer breaks off a good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request lies unread when the connection is reset.
    ResetUnread,
    /// A reset once it is read.
    Reset,
    /// The connection is closed once it is read.
    Close,
    HalfStatus,
    HalfHead,
    HalfBody,
    /// A chunk that is shorter than it says.
    HalfChunk,
    /// A byte of the body now and then.
    Drip,
    /// Nothing at all.
    Silence,
    /// A status, before the request's body is read.
    Early(&'static str),
    /// Bytes that are no HTTP.
    Garbage,
    /// Header after header.
    EndlessHead,
    /// 1xx after 1xx.
    EndlessInterim,
    /// A body that is not compressed as its head says.
    WrongEncoding,
    /// A web page, with this status.
    Page(&'static str),
    /// To another path on the same server, where nothing may ever be asked for.
    Redirect(&'static str),
    /// This status, and no body.
    Bare(&'static str),
    /// 204 with a body all the same.
    BodyAfter204,
    /// A good answer after `100 Continue`.
    Continue,
    /// A good answer after many a 1xx.
    Interims,
    /// A good answer, and another one behind it that says something else.
    TwoAnswers,
}

/// Where redirects lead.
pub const ELSEWHERE: &str = "/elsewhere";

impl Fault {
    /// Whether it happens before the request is read.
    pub fn is_before_reading(self) -> bool {
        matches!(self, Self::ResetUnread | Self::Early(_))
    }

    /// Whether it has no end but the client's patience.
    pub fn lasts(self) -> bool {
        matches!(self, Self::Drip | Self::Silence | Self::EndlessInterim)
    }

    /// Meets a request that was read, for which this would have been the answer.
    pub fn meet(self, mut connection: Connection, good: &Answer) -> io::Result<()> {
        let bytes = good.bytes();
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        match self {
            Self::ResetUnread | Self::Reset => {
                connection.reset();
                return Ok(());
            }
            Self::Close => {}
            Self::HalfStatus => connection.write(&bytes[.."HTTP/1.1 2".len()])?,
            Self::HalfHead => connection.write(&bytes[..head - 6])?,
            Self::HalfBody => connection.write(&bytes[..head.midpoint(bytes.len())])?,
            Self::HalfChunk => {
                connection.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffff\r\n")?;
                connection.write(&good.body)?;
            }
            Self::Drip => {
                connection.write(&bytes[..head])?;
                for byte in &bytes[head..] {
                    connection.write([*byte])?;
                    thread::sleep(Duration::from_millis(200));
                }
            }
            Self::Silence => {
                connection.wait_for_the_end();
                return Ok(());
            }
            Self::Early(status) | Self::Bare(status) => connection.write(bare(status))?,
            Self::Garbage => connection.write("\0\x01\x02 this is no HTTP\r\n\r\n")?,
            Self::EndlessHead => {
                connection.write("HTTP/1.1 200 OK\r\n")?;
                loop {
                    connection.write(format!("x-more: {}\r\n", "x".repeat(4096)))?;
                }
            }
            Self::EndlessInterim => loop {
                connection.write("HTTP/1.1 103 Early Hints\r\n\r\n")?;
                thread::sleep(Duration::from_millis(20));
            },
            Self::WrongEncoding => {
                let head = format!("HTTP/1.1 200 OK\r\n{LAST}content-encoding: gzip\r\n");
                connection.write(with_body(&head, &good.body))?;
            }
            Self::Page(status) => {
                let head = format!("HTTP/1.1 {status}\r\n{LAST}content-type: text/html\r\n");
                connection
                    .write(with_body(&head, "<!doctype html><title>Sign in</title><h1>Welcome</h1>"))?;
            }
            Self::Redirect(status) => {
                let head = format!("HTTP/1.1 {status}\r\n{LAST}location: {ELSEWHERE}\r\n");
                connection.write(with_body(&head, ""))?;
            }
            Self::BodyAfter204 => connection.write(with_body("HTTP/1.1 204 No Content\r\n", &good.body))?,
            Self::Continue => connection.write(format!("HTTP/1.1 100 Continue\r\n\r\n{}", last(good)))?,
            Self::Interims => {
                let interim = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(500);
                connection.write(interim + &last(good))?;
            }
            Self::TwoAnswers => {
                let other = with_body("HTTP/1.1 409 Conflict\r\n", "");
                connection.write([&bytes[..], other.as_bytes()].concat())?;
            }
        }
        connection.close();
        Ok(())
    }
}

/// Announces that the connection ends with the answer. Who makes the next request on one that is about to be
/// closed gets no answer, which would be another fault.
const LAST: &str = "connection: close\r\n";

fn last(answer: &Answer) -> String {
    with_body(&format!("HTTP/1.1 {}\r\n{LAST}", answer.status), &answer.body)
}

fn bare(status: &str) -> String {
    with_body(&format!("HTTP/1.1 {status}\r\n{LAST}"), "")
}

fn with_body(head: &str, body: &str) -> String {
    format!("{head}content-length: {}\r\n\r\n{body}", body.len())
}
