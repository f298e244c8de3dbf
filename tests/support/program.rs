//! The program as a user has it: a command line, an exit code, and what it says.
//!
//! Nothing else starts it. Whoever does gets a [`Command`] from [`program`] or [`through`], and what comes of it as
//! [`Ended`], which has passed [`said::check`].

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{PoisonError, RwLock};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::place::Place;
use super::said;
use super::waiting::{PATIENCE, until};

/// The token that tests sign in with; it must be found nowhere afterwards.
pub const TOKEN: &str = "eyJ0eXAiOiJKV1Qi.tests-s3cr3t-t0ken.value";

const PROGRAM: &str = env!("CARGO_BIN_EXE_referral-bulk");

/// The program, with nothing in its environment.
pub fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear();
    command
}

/// Another program that starts this one, whose file is named behind the words given here, with nothing but a path in
/// its environment.
pub fn through<S: AsRef<str>>(other: &str, words: &[S]) -> Command {
    let mut command = Command::new(other);
    command.args(words.iter().map(AsRef::as_ref)).arg(PROGRAM).env_clear();
    command.envs(path());
    command
}

/// Where programs are found.
fn path() -> Option<(&'static str, OsString)> {
    std::env::var_os("PATH").map(|path| ("PATH", path))
}

/// Held by all that start a process, and by whoever must be alone.
static STARTING: RwLock<()> = RwLock::new(());

/// Starts a process.
pub fn start(command: &mut Command) -> Child {
    let _among_others = STARTING.read().unwrap_or_else(PoisonError::into_inner);
    command.spawn().unwrap()
}

/// Does something while no process is started. One that is has a copy of all that is open here until its program has
/// begun, and with it the lock of a run that a test looks into at that moment.
pub fn alone<T>(does: impl FnOnce() -> T) -> T {
    let _alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    does()
}

/// How a process ended, and what it printed.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// A process that is over.
    #[track_caller]
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self::saying(output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// The same, where its streams were read apart.
    #[track_caller]
    pub fn saying(code: Option<i32>, stdout: String, stderr: String) -> Self {
        said::check(&stdout, &stderr);
        Self { code, stdout, stderr }
    }

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

/// Runs a command to its end, with these bytes as its standard input.
#[track_caller]
pub fn run(command: Command, stdin: impl Into<Vec<u8>>) -> Ended {
    let command = assert_cmd::Command::from_std(command).write_stdin(stdin).timeout(PATIENCE).output();
    Ended::of(command.unwrap())
}

/// Runs the program where nothing but its own answer counts: the exit code, standard output and
/// standard error.
#[track_caller]
pub fn plainly(place: &Place, line: &str) -> (Option<i32>, String, String) {
    let mut command = program();
    command.args(shlex::split(line).unwrap()).current_dir(place.root());
    let Ended { code, stdout, stderr } = run(command, "");
    (code, stdout, stderr)
}

/// A process that was started.
pub struct Started {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
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
        Ended::saying(status.code(), read(&self.stdout), read(&self.stderr))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // One that has ended already needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processes that go on beside the test. They have a path and a token.
impl Place {
    /// Runs the program to its end.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Ended {
        self.start(arguments).wait()
    }

    /// Starts the program.
    pub fn start<S: AsRef<str>>(&self, arguments: &[S]) -> Started {
        self.start_with(program(), arguments)
    }

    /// Starts the program in a folder of this directory.
    pub fn start_inside<S: AsRef<str>>(&self, folder: &str, arguments: &[S]) -> Started {
        self.start_with(through("env", &["-C", self.path(folder).to_str().unwrap()]), arguments)
    }

    /// Starts the program where it may not write more than so many KiB into any one file, as on a disk
    /// that fills up.
    pub fn start_cramped<S: AsRef<str>>(&self, kib: u64, arguments: &[S]) -> Started {
        // The shell's unit is half a KiB. The signal that comes with the limit is ignored, so that the
        // program gets an error instead, as it would from a full disk.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
        self.start_with(through("sh", &["-c", &script]), arguments)
    }

    /// Starts the program where it may read a directory and change nothing in it, and waits for it. For the
    /// system's own user nothing is read-only, so that it is started as somebody else then.
    pub fn run_where_read_only<S: AsRef<str>>(&self, directory: &Path, arguments: &[S]) -> Ended {
        const NOBODY: u32 = 65_534;
        let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let mut command = program();
        if fs::metadata(self.root()).unwrap().uid() == 0 {
            let there = self.path("program");
            // Copied by a process of its own: what is open for writing here, when another test starts a process, is open
            // there for a moment, too, and can't be started then.
            assert!(Command::new("cp").args([Path::new(PROGRAM), &there]).status().unwrap().success());
            mode(self.root(), 0o755);
            command = Command::new("setpriv");
            command.args([&format!("--reuid={NOBODY}"), "--clear-groups", there.to_str().unwrap()]);
            for entry in fs::read_dir(directory).unwrap() {
                chown(entry.unwrap().path(), Some(NOBODY), None).unwrap();
            }
            chown(directory, Some(NOBODY), None).unwrap();
        }
        mode(directory, 0o500);
        let ended = self.start_with(command, arguments).wait();
        mode(directory, 0o700);
        ended
    }

    /// Starts what [`through`] gives, with these arguments for the program.
    pub fn start_with<S: AsRef<str>>(&self, mut command: Command, arguments: &[S]) -> Started {
        command.args(arguments.iter().map(AsRef::as_ref));
        self.start_command(command)
    }

    /// Starts any program in the way that the program is started.
    pub fn start_command(&self, mut command: Command) -> Started {
        command.env("PARTNER_CENTER_TOKEN", TOKEN);
        self.start_without_token(command)
    }

    /// Starts any program without a token.
    pub fn start_without_token(&self, mut command: Command) -> Started {
        let output = |name: &str| {
            let file = tempfile::Builder::new().prefix(name).tempfile_in(self.root()).unwrap();
            file.keep().unwrap()
        };
        let ((stdout, out_path), (stderr, err_path)) = (output("stdout"), output("stderr"));
        command.current_dir(self.root()).envs(path());
        command.stdin(Stdio::null()).stdout::<File>(stdout).stderr::<File>(stderr);
        let child = start(&mut command);
        Started { child, stdout: out_path, stderr: err_path }
    }
}
