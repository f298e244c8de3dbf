//! `referral-bulk sandbox` in a process of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::program::Home;

/// A sandbox that is served until this is dropped.
pub struct Service {
    child: Child,
    address: SocketAddr,
}

impl Service {
    /// Serves these referrals. The options are those of the command line.
    pub fn start<S: AsRef<str>>(home: &Home, seed: &[Value], options: &[S]) -> Self {
        let lines: String = seed.iter().map(|referral| format!("{referral}\n")).collect();
        home.write("seed.jsonl", &lines);
        let mut child = Command::new(env!("CARGO_BIN_EXE_referral-bulk"))
            .args(["sandbox", "seed.jsonl", "--port", "0", "--strict"])
            .args(options.iter().map(AsRef::as_ref))
            .current_dir(home.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/v1.0"));
        let address = address.unwrap_or_else(|| panic!("no address: {line:?}")).parse().unwrap();
        Self { child, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the program finds it.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1.0", self.address)
    }

    /// Every referral as it stands, by id, asked for page by page.
    pub fn referrals(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        loop {
            let page = self.get(&format!("/v1.0/engagements/referrals?$skip={}", all.len()));
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
        self.get(&format!("/v1.0/engagements/referrals/{id}"))
    }

    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let id = uuid::Uuid::new_v4();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\nclient-request-id: {id}\r\n\
             content-type: application/json\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended already needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
