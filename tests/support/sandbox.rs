//! `referral-bulk sandbox` in a process of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::place::Place;
use super::program::{Ended, program, start};

/// A sandbox that serves until it is dropped.
pub struct Sandbox {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// The base of its API, as it printed it.
    pub base: String,
}

impl Sandbox {
    /// Starts one with the samples on a free port, with more arguments, and waits until it has said where it serves.
    pub fn start(arguments: &str) -> Self {
        let mut command = program();
        command.args(["sandbox", "--port", "0", "--strict"]).args(shlex::split(arguments).unwrap());
        Self::serve(command.stderr(Stdio::piped()))
    }

    /// Starts one with these referrals, which are laid down in a place. The options are those of the command line.
    pub fn seeded<S: AsRef<str>>(place: &Place, seed: &[Value], options: &[S]) -> Self {
        let lines: String = seed.iter().map(|referral| format!("{referral}\n")).collect();
        place.write("seed.jsonl", &lines);
        let mut command = program();
        command.args(["sandbox", "seed.jsonl", "--port", "0", "--strict"]).current_dir(place.root());
        command.args(options.iter().map(AsRef::as_ref));
        Self::serve(command.stderr(Stdio::null()))
    }

    fn serve(command: &mut Command) -> Self {
        let mut child = start(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut base = String::new();
        stdout.read_line(&mut base).unwrap();
        assert!(base.starts_with("http://127.0.0.1:"), "{base}");
        Self { child, stdout, base: base.trim_end().to_owned() }
    }

    pub fn address(&self) -> SocketAddr {
        self.base
            .strip_prefix("http://")
            .and_then(|rest| rest.strip_suffix("/v1.0"))
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Every referral as it stands, by id, asked for page by page.
    pub fn referrals(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        loop {
            let page = self.get(&format!("engagements/referrals?$skip={}", all.len()));
            let page = page["value"].as_array().unwrap().clone();
            if page.is_empty() {
                return all;
            }
            all.extend(
                page.into_iter().map(|referral| (referral["id"].as_str().unwrap().to_owned(), referral)),
            );
        }
    }

    /// A referral as it stands, asked for by itself.
    pub fn referral(&self, id: &str) -> Value {
        self.get(&format!("engagements/referrals/{id}"))
    }

    /// One GET, one connection.
    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let id = uuid::Uuid::new_v4();
        let head = format!(
            "GET /v1.0/{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a-test-looks\r\nclient-request-id: {id}\r\n\
             content-type: application/json\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}: {body}");
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
        serde_json::from_str(body).unwrap()
    }

    /// Ends it as a service manager would; answers its exit code and what it said after the address.
    pub fn terminate(mut self) -> Ended {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let (mut out, mut said) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        Ended::saying(self.child.wait().unwrap().code(), out, said)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // One that has ended by itself is as good as one that is ended here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
