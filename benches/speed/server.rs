//! The servers that the program is measured against, each in a process of its own.
//!
//! One is the least that can answer a PATCH as the service does: 200 and the changed referral, which is what
//! `Prefer: return=representation` asks for. Every answer is made beforehand, and nothing is checked,
//! so that the two cores belong to whoever is measured. The other is the program's own sandbox.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{PROGRAM, data};

/// Longer than any request here.
const LARGEST_REQUEST: usize = 64 << 10;

type Answers = HashMap<String, Vec<u8>>;

/// A server, ended when it is dropped.
pub struct Server {
    process: Child,
    told: Option<BufReader<ChildStdout>>,
    /// The base URL.
    pub url: String,
}

impl Server {
    /// Answers every request for one of so many referrals, and refuses the token from a number of answers on.
    pub fn that_refuses_after(referrals: u64, answers: u64) -> io::Result<Self> {
        Self::at("127.0.0.1:0", referrals, answers)
    }

    /// Ends this one, and does the same at its address: a run goes on where it was planned for.
    pub fn again(self, referrals: u64, answers: u64) -> io::Result<Self> {
        let address = self.url.trim_start_matches("http://").trim_end_matches("/v1.0").to_owned();
        drop(self);
        Self::at(&address, referrals, answers)
    }

    fn at(address: &str, referrals: u64, answers: u64) -> io::Result<Self> {
        let words = ["serve", address, &referrals.to_string(), &answers.to_string()];
        Self::start(Command::new(std::env::current_exe()?).args(words))
    }

    /// Serves the referrals of a snapshot as the service does, with these options of the sandbox.
    pub fn of_sandbox(snapshot: &Path, options: &[&str]) -> io::Result<Self> {
        Self::start(Command::new(PROGRAM).arg("sandbox").arg(snapshot).args(["--port", "0"]).args(options))
    }

    fn start(command: &mut Command) -> io::Result<Self> {
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut told = process.stdout.take().map(BufReader::new);
        let mut url = String::new();
        if let Some(told) = &mut told {
            told.read_line(&mut url)?;
        }
        Ok(Self { process, told, url: url.trim().to_owned() })
    }

    /// Waits until the server has seen its first request.
    pub fn wait_for_first(&mut self) -> io::Result<()> {
        self.told.as_mut().map_or(Ok(0), |told| told.read_line(&mut String::new())).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, and then there is nothing to end.
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// Serves so many referrals at an address until the process is ended. Prints its base URL as a line, and another line when it sees
/// its first request.
pub fn serve(address: &str, referrals: u64, answers: u64) -> io::Result<()> {
    let prepared = Arc::new((0..referrals).map(|number| (data::id(number), answer(number))).collect());
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("http://{}/v1.0", listener.local_addr()?);
        io::stdout().flush()?;
        let left = Rc::new(Left { answers: Cell::new(answers), is_first: Cell::new(true) });
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                loop {
                    let (stream, _) = listener.accept().await?;
                    stream.set_nodelay(true)?;
                    tokio::task::spawn_local(connection(stream, Arc::clone(&prepared), Rc::clone(&left)));
                }
            })
            .await
    })
}

/// What is left to be answered.
struct Left {
    answers: Cell<u64>,
    is_first: Cell<bool>,
}

impl Left {
    /// Takes note of a request. Returns whether it is answered.
    fn take(&self) -> io::Result<bool> {
        if self.is_first.replace(false) {
            println!("first");
            io::stdout().flush()?;
        }
        let left = self.answers.get();
        self.answers.set(left.saturating_sub(1));
        Ok(left > 0)
    }
}

const UNKNOWN: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const REFUSED: &[u8] = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";

fn answer(number: u64) -> Vec<u8> {
    let body = data::after(number);
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Answers one request after another. A client that breaks off ends its connection and nothing else.
async fn connection(mut stream: TcpStream, answers: Arc<Answers>, left: Rc<Left>) -> io::Result<()> {
    let mut buffer = vec![0; LARGEST_REQUEST];
    let mut filled = 0;
    loop {
        match request(&buffer[..filled]) {
            Some((length, id)) => {
                let answer = match left.take()? {
                    true => answers.get(id).map_or(UNKNOWN, Vec::as_slice),
                    false => REFUSED,
                };
                stream.write_all(answer).await?;
                buffer.copy_within(length..filled, 0);
                filled -= length;
            }
            None => match stream.read(&mut buffer[filled..]).await? {
                0 => return Ok(()),
                more => filled += more,
            },
        }
    }
}

/// The first whole request in a buffer: how long it is, and which referral it is about.
fn request(buffer: &[u8]) -> Option<(usize, &str)> {
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&buffer[..end]).ok()?;
    let path = head.split(' ').nth(1)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let body: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
    (buffer.len() >= end + body).then(|| (end + body, path.rsplit('/').next().unwrap_or_default()))
}
