//! Runs the real program as a user would: in a directory of its own, with an empty environment, and
//! compares what it says and leaves behind to the letter.
//!
//! [`Test`] is the builder. What differs from run to run (times, new GUIDs, seconds, ports, the
//! directory) is [redacted](redact). Whatever a test is about, every run is held to what always
//! holds; see [`always`].

#![expect(dead_code, reason = "every test file uses a part of this")]

pub mod always;
pub mod http;
pub mod redact;
pub mod sandbox;
pub mod terminal;
pub mod wire;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redact::redact;

/// The token that tests sign in with; it must be found nowhere afterwards.
pub const TOKEN: &str = "eyJ0eXAiOiJKV1Qi.tests-s3cr3t-t0ken.value";

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_referral-bulk");

/// How long a test waits for what has to come, before it is one that hangs. No machine needs as long, however busy.
pub const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A directory to run the program in, removed at the end.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Rc<Self> {
        Rc::new(Self(tempfile::tempdir().unwrap()))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the directories on the way to it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A file as it is.
    pub fn raw(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A file without what differs from run to run.
    pub fn read(&self, name: &str) -> String {
        redact(&self.raw(name), self.path())
    }

    /// All files below, by name.
    pub fn files(&self) -> BTreeMap<String, PathBuf> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
                    files.insert(name, path);
                }
            }
        }
        files
    }
}

/// A sample of the project.
pub fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    fs::read_to_string(path).unwrap()
}

/// One of the samples' referrals.
pub fn sample_referral(id: &str) -> serde_json::Value {
    let samples = sample("referrals.jsonl");
    let mut samples = samples.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    samples.find(|referral| referral["id"] == id).unwrap()
}

/// A change file that gives each of these referrals the same notes.
pub fn notes_csv(ids: &[&str]) -> String {
    ids.iter().fold("id,notes\n".to_owned(), |text, id| text + &format!("{id},Called\n"))
}

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
        fs::create_dir_all(self.place.path().join(folder)).unwrap();
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
        let path = self.place.path().join(name);
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
        let output = assert_cmd::Command::new(PROGRAM)
            .args(&self.command)
            .current_dir(self.place.path().join(&self.folder))
            .env_clear()
            .envs(self.variables.iter().cloned())
            .write_stdin(self.stdin.clone())
            .timeout(PATIENCE)
            .output()
            .unwrap();
        let ran = Ran {
            place: Rc::clone(&self.place),
            folder: self.folder.clone(),
            code: output.status.code().expect("the program was not killed"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
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
        let names = redact(&names, self.place.path());
        let _ = write!(text, "\n==== stdout\n{stdout}\n==== stderr\n{stderr}\n==== files\n{names}\n");
        for file in files {
            let _ = write!(text, "\n==== {file}\n{}", self.place.read(file));
        }
        golden(name, &text);
    }
}

/// Runs the program where nothing but its own answer counts: the exit code, standard output and
/// standard error.
pub fn plainly(place: &Place, command: &str) -> (Option<i32>, String, String) {
    let output = assert_cmd::Command::new(PROGRAM)
        .args(shlex::split(command).unwrap())
        .current_dir(place.path())
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
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

/// Does the same with every case, several at a time, and gives what came of them in the cases' order.
/// Most of them wait for pauses that the program makes.
pub fn each<C: Sync, R: Send>(cases: &[C], does: impl Fn(&C) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while let Some((at, case)) = take(cases, &next) {
                    let result = does(case);
                    results.lock().unwrap().insert(at, result);
                }
            });
        }
    });
    results.into_inner().unwrap().into_values().collect()
}

fn take<'c, C>(cases: &'c [C], next: &AtomicUsize) -> Option<(usize, &'c C)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    cases.get(at).map(|case| (at, case))
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
        redact(&self.stdout, self.place.path())
    }

    /// What standard error says, but for what differs from run to run.
    pub fn stderr(&self) -> String {
        redact(&self.stderr, self.place.path())
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
        always::outcomes(&self.summary(run))
    }
}
