//! Somebody who is signed in, and works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use crate::authority::{ACCESS, Authority, REFRESH};
use crate::support::place::Place;
use crate::support::program::{self, Ended, Started, through};
use crate::support::sandbox::Sandbox;

/// A person's files, where they sign in, and the service.
pub struct Desk {
    pub place: Rc<Place>,
    pub authority: Authority,
    pub sandbox: Sandbox,
    /// What else there is in the environment.
    pub variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// Somebody who keeps sign-ins as they say.
    pub fn new(store: &str) -> Self {
        let (place, authority, sandbox) = (Place::new(), Authority::start(), Sandbox::start(""));
        let settings = format!(
            "[profile.default]\ntenant = \"contoso.example.com\"\nclient-id = \"app\"\nauthority = \"{}\"\n\
             endpoint = \"{}\"\nstore = \"{store}\"\nrate = \"200/s\"\n",
            authority.url, sandbox.base,
        );
        place.write("referral-bulk.toml", settings);
        let state = place.path("state").to_str().unwrap().to_owned();
        Self { place, authority, sandbox, variables: vec![("XDG_STATE_HOME", state)] }
    }

    /// Runs a command to its end.
    pub fn run(&self, line: &str) -> Ended {
        self.end(program::program(), line)
    }

    /// Runs a command through another program.
    pub fn through(&self, other: &str, words: &[&str], line: &str) -> Ended {
        self.end(through(other, words), line)
    }

    fn end(&self, mut command: Command, line: &str) -> Ended {
        command.args(shlex::split(line).unwrap()).current_dir(self.place.root());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let ended = program::run(command, "");
        for secret in [REFRESH, ACCESS, "device-s3cr3t"] {
            assert!(!ended.stderr.contains(secret) && !ended.stdout.contains(secret), "{}", ended.stderr);
        }
        ended
    }

    /// Starts a command.
    pub fn start(&self, line: &str) -> Started {
        let mut command = program::through("env", &["-u", "PARTNER_CENTER_TOKEN"]);
        command.args(shlex::split(line).unwrap());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        self.place.start_command(command)
    }

    pub fn login(&self) -> Ended {
        self.run("login --device-code").expect(0)
    }

    /// The file of the sign-in with this ending, where there is one.
    pub fn file(&self, ending: &str) -> Option<PathBuf> {
        let found = fs::read_dir(self.place.path("state/referral-bulk/sign-ins")).ok()?;
        let ends = |path: &PathBuf| path.to_str().unwrap().ends_with(ending);
        found.map(|entry| entry.unwrap().path()).find(ends)
    }

    /// The files below the directory that hold a refresh token or an access token.
    pub fn with_tokens(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        look(self.place.root(), &mut found);
        found
    }
}

fn look(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, found);
        } else if path.is_file() {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            if [REFRESH, ACCESS].iter().any(|secret| text.contains(secret)) {
                found.push(path);
            }
        }
    }
}
