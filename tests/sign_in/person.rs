//! Somebody who signs in with the program itself, and what they then run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::page::{self, Localhost};
use crate::provider::{CLIENT, Options, Provider, TENANT};
use crate::support::place::Place;
use crate::support::program::{Ended, Started, program};
use crate::support::referrals::{id, referral};
use crate::support::waiting::until;
use crate::support::wire::{self, Request, Wire};

/// A person with a directory, a provider, and a service that takes the provider's tokens.
pub struct Person {
    pub place: Rc<Place>,
    pub provider: Provider,
    pub service: Service,
    said: String,
}

/// How somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Browser,
    Code,
}

impl Person {
    pub fn new(options: Options, rows: usize, uses: usize) -> Self {
        let (place, service) = (Place::new(), Service::start(rows, uses));
        Self { place, provider: Provider::start(options), service, said: String::new() }
    }

    /// The settings of the provider's app.
    pub fn login_line(&self) -> String {
        format!(
            "login --authority {} --tenant {TENANT} --client-id {CLIENT} --store file",
            self.provider.authority
        )
    }

    /// Starts the program.
    pub fn start(&self, line: &str) -> Started {
        let mut command: Command = program();
        command.args(shlex::split(line).unwrap());
        command.env("REFERRAL_BULK_ENDPOINT", &self.service.wire.base);
        command.env("HOME", self.place.root()).env("XDG_STATE_HOME", self.place.path("state"));
        // No browser is opened where the tests run.
        command.env("BROWSER", "w3m");
        self.place.start_without_token(command)
    }

    /// Runs the program to its end.
    pub fn run(&mut self, line: &str) -> Ended {
        let started = self.start(line);
        self.ended(started)
    }

    /// Waits for the end of a program, and keeps in mind what it said.
    pub fn ended(&mut self, started: Started) -> Ended {
        let ended = started.wait();
        self.said += &ended.stdout;
        self.said += &ended.stderr;
        ended
    }

    /// Signs in by a line, in the way that it says; a device code is decided about like this.
    pub fn signs_in(&mut self, line: &str, way: Way, decide: impl FnOnce(&Provider, &str)) -> Ended {
        let started = self.start(line);
        match way {
            Way::Browser => drop(page::open(&printed(&started, "http://"), Localhost::V6)),
            Way::Code => decide(&self.provider, &printed(&started, "")),
        }
        self.ended(started)
    }

    /// Writes a change to each of these referrals.
    pub fn wants(&self, name: &str, rows: impl Iterator<Item = usize>) {
        let lines = rows.map(|row| format!("{}\n", json!({ "id": id(row), "details": { "notes": "Ours" } })));
        self.place.write(name, lines.collect::<String>());
    }

    /// The refresh tokens that were sent, in order; each was taken.
    pub fn refreshes(&self) -> Vec<String> {
        let asked = self.provider.seen_by("token").into_iter();
        let asked = asked.filter(|seen| seen.form["grant_type"] == "refresh_token");
        asked
            .map(|seen| {
                assert_eq!(seen.status, 200, "{seen:?}");
                seen.form["refresh_token"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    /// No secret is anywhere but in the file that is for it, whose content is returned.
    pub fn secrets_are_kept(&self) -> String {
        let mut kept = String::new();
        let mut texts = BTreeMap::from([("what was said".to_owned(), self.said.clone().into_bytes())]);
        for (name, path) in self.place.files() {
            let bytes = fs::read(&path).unwrap();
            if name.starts_with("state/") && name.ends_with(".token") {
                kept = String::from_utf8(bytes).unwrap();
            } else {
                texts.insert(name, bytes);
            }
        }
        let secrets: BTreeSet<String> = self.provider.secrets().into_iter().collect();
        assert!(secrets.len() > 3, "{secrets:?}");
        for (name, bytes) in &texts {
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in {name}");
            }
        }
        kept
    }
}

/// Waits for the line that a login prints by itself, two spaces behind the margin; the last of those that begin like this.
fn printed(login: &Started, begin: &str) -> String {
    let wanted = if begin.is_empty() { 2 } else { 1 };
    until("what login prints", || {
        let said = login.stderr();
        let lines: Vec<&str> =
            said.split_inclusive('\n').filter_map(|line| line.strip_prefix("  ")).collect();
        let whole = lines.len() >= wanted && lines.last()?.ends_with('\n');
        whole.then(|| lines[wanted - 1].trim().to_owned()).filter(|line| line.starts_with(begin))
    })
}

/// A service with referrals, which takes each token a number of times.
pub struct Service {
    pub wire: Wire,
    /// While it is set, changes are refused for what a policy demands.
    pub demands: Arc<AtomicBool>,
}

/// `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
const CHALLENGE: &str = "www-authenticate: Bearer realm=\"\", error=\"insufficient_claims\", \
    claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19\"\r\n";

impl Service {
    fn start(rows: usize, uses: usize) -> Self {
        let all: BTreeMap<String, Value> =
            (0..rows).map(|row| (id(row), referral(row, "Active", "Accepted"))).collect();
        let page = json!({ "value": all.values().collect::<Vec<_>>() }).to_string();
        let demands = Arc::new(AtomicBool::new(false));
        let (demanding, used) = (Arc::clone(&demands), Mutex::new(BTreeMap::<String, usize>::new()));
        let wire = Wire::serve(move |request: &Request| {
            let token = request.header("authorization").unwrap_or_default().to_owned();
            let mut used = used.lock().unwrap();
            let used = used.entry(token).or_default();
            *used += 1;
            match request.method.as_str() {
                _ if *used > uses => wire::answer("401 x", "", ""),
                "PATCH" if demanding.load(Ordering::Relaxed) => wire::answer("401 x", CHALLENGE, ""),
                "PATCH" => wire::carry_out(request, all[request.about()].clone()),
                _ if request.about() == "referrals" => wire::answer("200 x", "", &page),
                _ => wire::answer("200 x", "", all[request.about()].to_string()),
            }
        });
        Self { wire, demands }
    }
}

/// The line that a message says to type next, of this command, without the program's name.
pub fn to_type(said: &str, command: &str) -> String {
    let begin = format!("referral-bulk {command}");
    let line = said.lines().find_map(|line| line.split_once(&begin));
    let (_, rest) = line.unwrap_or_else(|| panic!("nothing says to type {begin}:\n{said}"));
    format!("{command}{}", rest.split(['`', ';']).next().unwrap())
}
