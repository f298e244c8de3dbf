//! One run of the program, as a user would type it, and what is wanted of it.
//!
//! [`Test`] is the builder. The program runs in a directory of its own, with an empty environment, and what it says
//! and leaves behind is compared to the letter. What differs from run to run (times, new GUIDs, seconds, ports, the
//! directory) is [redacted](redact). Whatever a test is about, every run is held to what [always] holds.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;

use super::place::Place;
use super::program::{Ended, TOKEN, program, run};
use super::redact::redact;
use super::samples::sample;
use super::{always, run_dir};

/// One run of the program, and what is wanted of it. What isn't said is wanted to be empty; the exit
/// code, 0.
pub struct Test {
    place: Rc<Place>,
    /// Where it runs, from there.
    folder: String,
    command: Vec<String>,
    stdin: Vec<u8>,
    variables: Vec<(String, String)>,
    code: i32,
    stdout: String,
    stderr: String,
    files: Vec<(String, String)>,
    snapshot: Option<(String, Vec<String>)>,
    told_elsewhere: bool,
}

impl Test {
    /// A run in a new directory. The command is split as a shell would.
    pub fn new(command: &str) -> Self {
        Self::at(&Place::new(), command)
    }

    /// A run in a directory that is there already.
    pub fn at(place: &Rc<Place>, command: &str) -> Self {
        Self {
            place: Rc::clone(place),
            folder: String::new(),
            command: shlex::split(command).unwrap(),
            stdin: Vec::new(),
            variables: Vec::new(),
            code: 0,
            stdout: String::new(),
            stderr: String::new(),
            files: Vec::new(),
            snapshot: None,
            told_elsewhere: false,
        }
    }

    /// Runs in a folder of the place, which is made where it isn't there.
    pub fn inside(mut self, folder: &str) -> Self {
        fs::create_dir_all(self.place.path(folder)).unwrap();
        self.folder = folder.to_owned();
        self
    }

    /// Puts a file there beforehand.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.place.write(name, content);
        self
    }

    /// Puts a folder where a file is to be, which its owner alone can look into.
    pub fn folder_in_the_way(self, name: &str) -> Self {
        let path = self.place.path(name);
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
        self
    }

    /// Puts a sample there beforehand, under its own name.
    pub fn sample(self, name: &str) -> Self {
        let content = sample(name);
        self.file(name, content)
    }

    pub fn stdin(mut self, content: impl AsRef<[u8]>) -> Self {
        self.stdin = content.as_ref().to_vec();
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Signs in, and sends to a service.
    pub fn service(self, base: &str) -> Self {
        self.env("PARTNER_CENTER_TOKEN", TOKEN).env("REFERRAL_BULK_ENDPOINT", base)
    }

    pub fn code(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    pub fn stdout(mut self, text: &str) -> Self {
        self.stdout = text.to_owned();
        self
    }

    pub fn stderr(mut self, text: &str) -> Self {
        self.stderr = text.to_owned();
        self
    }

    /// What a file is to hold afterwards.
    pub fn holds(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    /// Compares both streams, the names of all files, and the content of those named, with a stored
    /// snapshot in place of what the test says.
    pub fn snapshot<const N: usize>(mut self, name: &str, files: [&str; N]) -> Self {
        self.snapshot = Some((name.to_owned(), files.map(ToOwned::to_owned).to_vec()));
        self
    }

    /// Leaves it to the caller to compare both streams.
    pub fn told_elsewhere(mut self) -> Self {
        self.told_elsewhere = true;
        self
    }

    /// Runs the program and compares.
    #[track_caller]
    pub fn run(self) -> Ran {
        let before = always::summaries(&self.place);
        let mut command = program();
        command.args(&self.command).current_dir(self.place.path(&self.folder));
        command.envs(self.variables.iter().cloned());
        let Ended { code, stdout, stderr } = run(command, self.stdin.clone());
        let ran = Ran {
            place: Rc::clone(&self.place),
            folder: self.folder.clone(),
            code: code.expect("the program was not killed"),
            stdout,
            stderr,
        };
        always::check(&ran, &before);
        self.compare(&ran);
        ran
    }

    #[track_caller]
    fn compare(&self, ran: &Ran) {
        let (stdout, stderr) = (ran.stdout(), ran.stderr());
        let shown = format!("$ {}\n{stdout}\n{stderr}", self.command.join(" "));
        assert_eq!(ran.code, self.code, "the exit code of {shown}");
        for (name, content) in &self.files {
            similar(&self.place.read(name), content, name);
        }
        if self.told_elsewhere {
            return;
        }
        let Some((name, files)) = &self.snapshot else {
            similar(&stdout, &self.stdout, &format!("standard output of {shown}"));
            similar(&stderr, &self.stderr, &format!("standard error of {shown}"));
            return;
        };
        let mut text = format!("$ referral-bulk {}\nexit {}\n", self.command.join(" "), ran.code);
        let names = self.place.files().into_keys().collect::<Vec<_>>().join("\n");
        let names = redact(&names, self.place.root());
        let _ = write!(text, "\n==== stdout\n{stdout}\n==== stderr\n{stderr}\n==== files\n{names}\n");
        for file in files {
            let _ = write!(text, "\n==== {file}\n{}", self.place.read(file));
        }
        golden(name, &text);
    }
}

/// Compares a text with a stored one of this test file.
#[track_caller]
pub fn golden(name: &str, text: &str) {
    let name = format!("{}__{name}", env!("CARGO_CRATE_NAME"));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[track_caller]
fn similar(got: &str, wanted: &str, what: &str) {
    assert!(got == wanted, "{what}\n---- wanted\n{wanted}\n---- got\n{got}");
}

/// A run that is over.
pub struct Ran {
    pub place: Rc<Place>,
    /// Where it ran, from there.
    pub folder: String,
    pub code: i32,
    /// As it came.
    pub stdout: String,
    /// As it came.
    pub stderr: String,
}

impl Ran {
    /// What standard output says, but for what differs from run to run.
    pub fn stdout(&self) -> String {
        redact(&self.stdout, self.place.root())
    }

    /// What standard error says, but for what differs from run to run.
    pub fn stderr(&self) -> String {
        redact(&self.stderr, self.place.root())
    }

    /// The next run in the same directory.
    pub fn then(&self, command: &str) -> Test {
        Test::at(&self.place, command)
    }

    /// The command that it says to type next, without the program's name.
    #[track_caller]
    pub fn next(&self) -> &str {
        let last = self.stderr.lines().last().unwrap_or_default();
        let next = last.strip_prefix("next: ").and_then(|next| next.split_once("referral-bulk "));
        next.unwrap_or_else(|| panic!("no next command: {}", self.stderr)).1
    }

    /// `summary.json` of a run.
    pub fn summary(&self, run: &str) -> serde_json::Value {
        serde_json::from_str(&self.place.raw(&format!("{run}/summary.json"))).unwrap()
    }

    /// The outcomes that occur in a run, with how many rows have them.
    pub fn outcomes(&self, run: &str) -> String {
        run_dir::outcomes(&self.summary(run))
    }
}
