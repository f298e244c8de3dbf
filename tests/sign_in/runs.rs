//! Runs that have their tokens from a sign-in that is kept: through several lifetimes of a token, several at once, and
//! where the sign-in ends on the way.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;

use crate::provider::{CLIENT, Dress, Options, Provider, TENANT};
use crate::support::place::Place;
use crate::support::program::{self, Ended, start};
use crate::support::samples::sample;
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;

/// What a policy demands, and how the header of a challenge has it.
const DECODED: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
const DEMANDED: &str = "eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19";

/// Somebody who works with the program: their files, where they sign in, and the service.
struct Desk {
    place: Rc<Place>,
    provider: Provider,
    tap: Tap,
    sandbox: Sandbox,
    closed_before: usize,
}

impl Desk {
    fn new() -> Self {
        let (place, sandbox) = (Place::new(), Sandbox::start(""));
        let provider = Provider::start(Options::of(Dress::Entra));
        let tap = Tap::on(&sandbox);
        let settings = format!(
            "[profile.default]\ntenant = \"{TENANT}\"\nclient-id = \"{CLIENT}\"\nauthority = \"{}\"\nendpoint = \"{}\"\n\
             store = \"file\"\nrate = \"200/s\"\n",
            provider.authority,
            tap.endpoint(),
        );
        place.write("referral-bulk.toml", &settings);
        place.write("quarter-end.csv", sample("quarter-end.csv"));
        let closed_before = closed(&sandbox);
        Self { place, provider, tap, sandbox, closed_before }
    }

    /// How many referrals are closed now.
    fn closed(&self) -> usize {
        closed(&self.sandbox)
    }

    /// The claims that a page of the provider was asked for.
    fn claims_asked_for(&self, page: &str) -> Vec<String> {
        let asked = self.provider.seen_by(page).into_iter();
        asked.filter_map(|seen| seen.form["claims"].as_str().map(str::to_owned)).collect()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = program::program();
        command.args(shlex::split(line).unwrap()).current_dir(self.place.root());
        command.env("XDG_STATE_HOME", self.place.path("state"));
        command
    }

    fn run(&self, line: &str) -> Ended {
        program::run(self.command(line), "")
    }

    /// Signs in with a device code, which somebody agrees to.
    fn login(&self) -> Ended {
        let mut command = self.command("login --device-code");
        let mut child = start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut stderr, mut stdout) = (String::new(), String::new());
        while !stderr.contains("and enter this code there") {
            assert_ne!(lines.read_line(&mut stderr).unwrap(), 0, "{stderr}");
        }
        let mut code = String::new();
        lines.read_line(&mut code).unwrap();
        self.provider.approve(code.trim());
        stderr.push_str(&code);
        lines.read_to_string(&mut stderr).unwrap();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        Ended::saying(child.wait().unwrap().code(), stdout, stderr)
    }

    /// Fails where a secret that crossed the wire stands in a file, but for the refresh token in its own.
    fn keeps_secrets(&self) {
        let secrets = self.provider.secrets();
        assert!(secrets.len() > 3, "{}", secrets.len());
        let mut left = BTreeSet::new();
        files_below(self.place.root(), &mut |path| {
            let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            let has = secrets.iter().any(|secret| text.contains(secret.as_str()));
            left.extend(has.then(|| path.extension().unwrap_or_default().to_owned()));
        });
        assert_eq!(left, BTreeSet::from(["token".into()]));
    }
}

fn closed(sandbox: &Sandbox) -> usize {
    sandbox.referrals().values().filter(|referral| referral["status"] == "Closed").count()
}

fn files_below(dir: &Path, look: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, look) } else { look(&path) }
    }
}

/// What one of these ran said, with the secrets that must not be in it.
fn says_no_secret(provider: &Provider, ended: &Ended) {
    for secret in provider.secrets() {
        assert!(!ended.stderr.contains(&secret) && !ended.stdout.contains(&secret), "{secret}");
    }
}

#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn a_run_outlives_its_tokens_and_every_refresh_token_is_used_once() {
    let desk = Desk::new();
    desk.login().expect(0);
    desk.tap.forget();
    desk.tap.wear_tokens_out_after(4);
    let run = desk.run("apply quarter-end.csv --yes --confirm-closing 10 --out run").expect(0);
    says_no_secret(&desk.provider, &run);
    let tokens: BTreeSet<String> = desk.tap.seen().into_iter().map(|seen| seen.token).collect();
    assert!(tokens.len() >= 5, "{} tokens for {} requests", tokens.len(), desk.tap.seen().len());
    let used: Vec<String> = desk
        .provider
        .seen_by("token")
        .iter()
        .filter_map(|seen| seen.form["refresh_token"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(used.len(), tokens.len(), "one exchange for each access token");
    assert_eq!(used.iter().collect::<BTreeSet<_>>().len(), used.len(), "a refresh token was used twice");
    desk.keeps_secrets();
}

#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn three_runs_at_once_never_race_for_a_refresh_token() {
    let desk = Desk::new();
    desk.login().expect(0);
    desk.tap.wear_tokens_out_after(3);
    let plan = |number: u8| {
        let mut command =
            desk.command(&format!("apply quarter-end.csv --plan --out run{number} --summary none"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        start(&mut command)
    };
    let runs = [plan(1), plan(2), plan(3)];
    for run in runs {
        let ended = Ended::of(run.wait_with_output().unwrap()).expect(0);
        says_no_secret(&desk.provider, &ended);
    }
    let exchanges = desk.provider.seen_by("token");
    let refused =
        exchanges.iter().filter(|seen| seen.form["refresh_token"].is_string() && seen.status != 200);
    assert_eq!(refused.count(), 0, "the provider revokes a sign-in whose refresh token comes twice");
    desk.run("login --status").expect(0);
    desk.keeps_secrets();
}

#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn what_a_policy_demands_is_asked_for_silently_once() {
    let desk = Desk::new();
    desk.login().expect(0);
    desk.tap.forget();
    desk.tap.demand_after(20, DEMANDED);
    let ended =
        desk.run("apply quarter-end.csv --yes --confirm-closing 10 --out run --summary none").expect(0);
    says_no_secret(&desk.provider, &ended);
    assert_eq!(desk.claims_asked_for("token"), [DECODED]);
}

#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn a_run_stops_where_a_policy_wants_a_sign_in_and_goes_on_after_it() {
    let desk = Desk::new();
    desk.login().expect(0);
    desk.run("apply quarter-end.csv --plan --out run --summary none").expect(0);
    // The token that was had for the claims is challenged as well.
    desk.tap.demand_after(5, DEMANDED);
    let stopped = desk.run("resume run --yes --confirm-closing 10 --summary none").expect(4);
    assert!(stopped.stderr.contains("go on with the run: referral-bulk login\n"), "{}", stopped.stderr);
    assert!(stopped.last_line().starts_with("next: referral-bulk resume run"), "{}", stopped.stderr);
    says_no_secret(&desk.provider, &stopped);
    assert_eq!(desk.claims_asked_for("token"), [DECODED], "asked for silently, and once");
    let status = desk.run("login --status").expect(0);
    assert!(status.stdout.contains("policies ask  more, which the next login asks for"), "{}", status.stdout);
    desk.login().expect(0);
    assert_eq!(desk.claims_asked_for("devicecode"), [DECODED]);
    desk.tap.take_tokens();
    desk.run("resume run --summary none").expect(0);
    assert_eq!(desk.closed(), desk.closed_before + 10);
    desk.keeps_secrets();
}

#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn what_a_policy_demands_of_a_new_sign_in_is_asked_for_by_the_next() {
    let desk = Desk::new();
    desk.tap.demand_after(0, DEMANDED);
    let told = desk.login().expect(1);
    let hint =
        "hint: a policy demands more of a sign-in, and the next one asks for just that: referral-bulk login";
    assert!(told.stderr.contains(hint), "{}", told.stderr);
    says_no_secret(&desk.provider, &told);
    desk.tap.take_tokens();
    desk.login().expect(0);
    assert_eq!(desk.claims_asked_for("devicecode"), [DECODED]);
    let checked = desk.run("check").expect(0);
    let row = format!("token: ada@partner.example is signed in, in the tenant {TENANT} (login)");
    assert!(checked.stdout.contains(&row), "{}", checked.stdout);
}

#[test]
#[ignore = "needs Node.js, which .ci/run installs"]
fn a_revoked_sign_in_stops_a_run_with_the_login_to_type() {
    let desk = Desk::new();
    desk.login().expect(0);
    desk.run("apply quarter-end.csv --plan --out run --summary none").expect(0);
    desk.provider.revoke();
    let stopped = desk.run("resume run --yes --confirm-closing 10 --summary none").expect(4);
    assert!(stopped.stderr.contains("hint: sign in again, and then go on with the run: referral-bulk login"));
    says_no_secret(&desk.provider, &stopped);
    desk.login().expect(0);
    desk.run("resume run --yes --confirm-closing 10 --summary none").expect(0);
    assert_eq!(desk.closed(), desk.closed_before + 10);
    desk.run("logout").expect(0);
    desk.run("login --status").expect(1);
    assert!(desk.provider.secrets().iter().all(|secret| !anywhere(desk.place.root(), secret)));
}

/// Whether a text stands in a file below a directory.
fn anywhere(dir: &Path, text: &str) -> bool {
    let mut found = false;
    files_below(dir, &mut |path| {
        found |= String::from_utf8_lossy(&fs::read(path).unwrap()).contains(text);
    });
    found
}
