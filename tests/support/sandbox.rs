//! `referral-bulk sandbox` in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{PROGRAM, http};

/// A sandbox that serves until it is dropped.
pub struct Sandbox {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// The base of its API, as it printed it.
    pub base: String,
}

impl Sandbox {
    /// Starts one on a free port, with more arguments, and waits until it has said where it serves.
    pub fn start(arguments: &str) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["sandbox", "--port", "0", "--strict"])
            .args(shlex::split(arguments).unwrap())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut base = String::new();
        stdout.read_line(&mut base).unwrap();
        assert!(base.starts_with("http://127.0.0.1:"), "{base}");
        Self { child, stdout, base: base.trim_end().to_owned() }
    }

    /// All referrals as they stand.
    pub fn referrals(&self) -> Vec<Value> {
        let (status, body) = http::get(&format!("{}/engagements/referrals", self.base));
        assert_eq!(status, 200, "{body}");
        let page: Value = serde_json::from_str(&body).unwrap();
        assert!(page.get("@odata.nextLink").is_none_or(Value::is_null), "the samples fit on one page");
        page["value"].as_array().unwrap().clone()
    }

    /// One referral as it stands.
    pub fn referral(&self, id: &str) -> Value {
        let (status, body) = http::get(&format!("{}/engagements/referrals/{id}", self.base));
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Ends it as a service manager would; answers its exit code and what it said after the address.
    pub fn terminate(mut self) -> (Option<i32>, String, String) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let (mut out, mut said) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), out, said)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // One that has ended by itself is as good as one that is ended here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
