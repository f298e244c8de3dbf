//! The program as a user has it: a command line, an exit code, and files.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::until;

/// A directory of its own to run the program in.
pub struct Home(tempfile::TempDir);

/// How a process ended, and what it printed.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A process that was started.
pub struct Started {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// A run's directory.
pub struct Run(PathBuf);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders on the way to it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn run_of(&self, name: &str) -> Run {
        Run(self.path(name))
    }

    /// Runs the program to its end.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Ended {
        self.start(arguments).wait()
    }

    /// Starts the program.
    pub fn start<S: AsRef<str>>(&self, arguments: &[S]) -> Started {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referral-bulk"));
        command.args(arguments.iter().map(AsRef::as_ref));
        self.start_command(command)
    }

    /// Starts the program in a folder of this directory.
    pub fn start_inside<S: AsRef<str>>(&self, folder: &str, arguments: &[S]) -> Started {
        let mut command = Command::new("env");
        let folder = self.path(folder);
        command.args(["-C", folder.to_str().unwrap(), env!("CARGO_BIN_EXE_referral-bulk")]);
        command.args(arguments.iter().map(AsRef::as_ref));
        self.start_command(command)
    }

    /// Starts the program where it may not write more than so many KiB into any one file, as on a disk
    /// that fills up.
    pub fn start_cramped<S: AsRef<str>>(&self, kib: u64, arguments: &[S]) -> Started {
        let mut command = Command::new("sh");
        // The shell's unit is half a KiB. The signal that comes with the limit is ignored, so that the
        // program gets an error instead, as it would from a full disk.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
        command.args(["-c", &script, env!("CARGO_BIN_EXE_referral-bulk")]);
        command.args(arguments.iter().map(AsRef::as_ref));
        self.start_command(command)
    }

    /// Starts the program where it may read a directory and change nothing in it, and waits for it. For the
    /// system's own user nothing is read-only, so that it is started as somebody else then.
    pub fn run_where_read_only<S: AsRef<str>>(&self, directory: &Path, arguments: &[S]) -> Ended {
        const NOBODY: u32 = 65_534;
        let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let program = env!("CARGO_BIN_EXE_referral-bulk");
        let mut command = Command::new(program);
        if fs::metadata(self.0.path()).unwrap().uid() == 0 {
            let there = self.path("program");
            fs::copy(program, &there).unwrap();
            mode(self.0.path(), 0o755);
            command = Command::new("setpriv");
            command.args([&format!("--reuid={NOBODY}"), "--clear-groups", there.to_str().unwrap()]);
            for entry in fs::read_dir(directory).unwrap() {
                chown(entry.unwrap().path(), Some(NOBODY), None).unwrap();
            }
            chown(directory, Some(NOBODY), None).unwrap();
        }
        mode(directory, 0o500);
        command.args(arguments.iter().map(AsRef::as_ref));
        let ended = self.start_command(command).wait();
        mode(directory, 0o700);
        ended
    }

    /// Starts any program in the way that the program is started.
    pub fn start_command(&self, mut command: Command) -> Started {
        let output = |name: &str| {
            let file = tempfile::Builder::new().prefix(name).tempfile_in(self.0.path()).unwrap();
            file.keep().unwrap()
        };
        let ((stdout, out_path), (stderr, err_path)) = (output("stdout"), output("stderr"));
        let child = command
            .current_dir(self.0.path())
            .env_remove("REFERRAL_BULK_ENDPOINT")
            .env("PARTNER_CENTER_TOKEN", "token-of-the-tests")
            .stdin(Stdio::null())
            .stdout::<File>(stdout)
            .stderr::<File>(stderr)
            .spawn()
            .unwrap();
        Started { child, stdout: out_path, stderr: err_path }
    }
}

impl Started {
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has printed to standard error so far.
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// Waits until it has printed this.
    pub fn says(&self, text: &str) {
        until(&format!("{text:?} on standard error"), || self.stderr().contains(text).then_some(()));
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let status = until("the end of the process", || self.child.try_wait().unwrap());
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        Ended { code: status.code(), stdout: read(&self.stdout), stderr: read(&self.stderr) }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // One that has ended already needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Fails unless it ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The last line of standard error.
    pub fn last_line(&self) -> &str {
        self.stderr.lines().last().unwrap_or_default()
    }
}

impl Run {
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    pub fn summary(&self) -> Value {
        serde_json::from_str(&self.text("summary.json")).unwrap()
    }

    /// A number of the summary, by pointer.
    #[track_caller]
    pub fn count(&self, pointer: &str) -> u64 {
        let summary = self.summary();
        summary.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer} in {summary}"))
    }

    /// The lines of a JSONL report.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        self.text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The records of a CSV report, by column.
    pub fn records(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let text = self.text(name);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let named = |record: csv::StringRecord| {
            header.iter().zip(&record).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
        };
        reader.records().map(|record| named(record.unwrap())).collect()
    }

    /// The outcomes of the summary that are not zero, in its order: `applied 3, failed 1`. Fails where
    /// they don't add up to the total.
    #[track_caller]
    pub fn outcomes(&self) -> String {
        const NAMES: [&str; 10] = [
            "applied",
            "unchanged",
            "planned",
            "conflict",
            "invalid",
            "refused",
            "failed",
            "partial",
            "unknown",
            "unsent",
        ];
        let counts = NAMES.map(|name| (name, self.count(&format!("/rows/{name}"))));
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), self.count("/rows/total"));
        let told = counts.iter().filter(|(_, count)| *count > 0);
        told.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    }
}
