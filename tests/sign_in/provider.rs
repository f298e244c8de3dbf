//! The provider in a process of its own, and what a test may do to it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::page::post;
use crate::support::program::start;

/// The tenant and the app that the provider knows.
pub const TENANT: &str = "partner.example";
pub const CLIENT: &str = "11111111-aaaa-4aaa-8aaa-111111111111";

/// Whose words the provider uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dress {
    /// Entra ID's names and numbers.
    Entra,
    /// Those of the RFCs alone.
    Strict,
}

pub const BOTH: [Dress; 2] = [Dress::Entra, Dress::Strict];

/// What may differ from one provider to the other.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub dress: Dress,
    /// The secret of the app.
    pub secret: Option<&'static str>,
}

impl Options {
    pub const fn of(dress: Dress) -> Self {
        Self { dress, secret: None }
    }
}

/// A request to one of the pages of the protocol.
#[derive(Debug, Clone, Deserialize)]
pub struct Seen {
    pub page: String,
    #[serde(default)]
    pub form: Value,
    pub status: u16,
    /// The tokens that were issued.
    #[serde(default)]
    pub issued: Value,
}

/// A provider that serves until it is dropped.
pub struct Provider {
    child: Child,
    /// Open until the end, since the library writes notices there.
    _notices: BufReader<ChildStdout>,
    pub authority: String,
}

impl Provider {
    pub fn start(options: Options) -> Self {
        let Options { dress, secret } = options;
        let mut command = Command::new("node");
        command.arg(server()).env("TENANT", TENANT).env("CLIENT_ID", CLIENT).env("INTERVAL", "1");
        command.env("SCOPE", "https://api.partner.microsoft.com/.default");
        command.env("ACCESS_TTL", "3600").env("DEVICE_TTL", "900");
        command.env("STRICT", if dress == Dress::Strict { "1" } else { "" });
        command.env("SECRET", secret.unwrap_or_default());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = start(&mut command);
        let mut notices = BufReader::new(child.stdout.take().unwrap());
        let line = notices.by_ref().lines().map(Result::unwrap).find(|line| line.starts_with('{'));
        let line = line.unwrap_or_else(|| panic!("the provider did not start: see tests/sign_in/main.rs"));
        let said: Value = serde_json::from_str(&line).unwrap();
        Self { child, _notices: notices, authority: said["authority"].as_str().unwrap().to_owned() }
    }

    /// Somebody enters a device code, and agrees.
    pub fn approve(&self, user_code: &str) {
        self.decide(user_code, "approve");
    }

    /// Somebody enters a device code, and declines.
    pub fn deny(&self, user_code: &str) {
        self.decide(user_code, "deny");
    }

    /// A device code comes to its end.
    pub fn expire(&self, user_code: &str) {
        self.decide(user_code, "expire");
    }

    fn decide(&self, user_code: &str, action: &str) {
        self.ask("device", json!({ "user_code": user_code, "action": action }));
    }

    /// The next requests to a page get this answer, in the dress of Entra ID with these numbers where it has one.
    pub fn answer(&self, page: &str, times: u64, status: u16, body: Value, codes: &[u32]) {
        let codes = (!codes.is_empty()).then_some(codes);
        self.ask(
            "answer",
            json!({ "page": page, "times": times, "status": status, "body": body, "codes": codes }),
        );
    }

    /// Every sign-in is revoked.
    pub fn revoke(&self) {
        self.ask("revoke", json!({}));
    }

    /// What was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        serde_json::from_str(&self.ask("seen", json!({}))).unwrap()
    }

    /// What one page was asked so far.
    pub fn seen_by(&self, page: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.page == page).collect()
    }

    /// Every secret that crossed the wire so far: tokens, codes and what goes with them.
    pub fn secrets(&self) -> Vec<String> {
        let sent = ["code", "code_verifier", "device_code", "refresh_token", "client_secret"];
        let issued = ["access_token", "refresh_token", "id_token"];
        let of = |value: &Value, names: &[&str]| -> Vec<String> {
            names.iter().filter_map(|name| value[*name].as_str().map(str::to_owned)).collect()
        };
        self.seen()
            .iter()
            .flat_map(|seen| [of(&seen.form, &sent), of(&seen.issued, &issued)].concat())
            .collect()
    }

    fn ask(&self, what: &str, json: Value) -> String {
        post(&format!("{}/_test/{what}", self.authority), &json.to_string())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The provider's program, beside what it was installed with.
fn server() -> &'static Path {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("sign-in-provider");
        assert!(
            folder.join("node_modules").is_dir(),
            "the provider is to be installed: see tests/sign_in/main.rs"
        );
        let path = folder.join("server.js");
        fs::write(&path, include_str!("provider/server.js")).unwrap();
        path
    })
}
