//! The command that `--on-finish` names: it is told what came of a run, at every end of it.
//!
//! It comes last: all files are written and nobody holds the run any more, so it may report the run, or carry on with it.
//! Whatever becomes of it is a warning at most. What it prints goes to standard error, since standard output is for the
//! summary.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command as Program};
use tokio::time::timeout;

use super::args::{Command, RunArgs};
use super::console::Terminal;
use super::origin::Origin;
use super::signing_in::CLIENT_SECRET;
use super::sources::{Surroundings, TOKEN};
use crate::commands::{CommandError, Console, finish};
use crate::domain::exit::Exit;
use crate::engine::{Stop, StopStage};

/// The longest time that the command is waited for. One that takes longer probably waits for something itself.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// The time that the rest of its output is waited for once it has ended. What it left running may hold its streams.
const REST: Duration = Duration::from_secs(1);

/// The longest line of its output that is printed as one.
const LONGEST_LINE: usize = 64 * 1024;

/// A command that is told of a run's end.
#[derive(Debug)]
pub struct OnFinish {
    /// The name of the command that makes or carries out the run.
    of: &'static str,
    program: String,
    arguments: Vec<String>,
}

impl Surroundings<'_> {
    /// Returns the command that is to be told of the end of this one, from the flag or else the profile.
    ///
    /// # Errors
    /// A usage error if it is no command.
    pub fn on_finish(&self, command: &Command) -> Result<Option<OnFinish>, CommandError> {
        let (of, RunArgs { target, on_finish, .. }) = match command {
            Command::Apply(typed) => ("apply", &typed.options),
            Command::Migrate(typed) => ("migrate", &typed.options),
            Command::Resume(typed) => ("resume", &typed.options),
            _ => return Ok(None),
        };
        // A profile that isn't there is told by whoever needs it.
        let profile = self.config.profile(target.profile.as_deref()).unwrap_or_default();
        let set = self.finishing(on_finish.as_deref(), target, &profile);
        set.map(|set| OnFinish::of(of, &set.value, set.origin)).transpose()
    }
}

/// Reads a command as a shell would split it.
///
/// # Errors
/// A usage error, which doesn't show the command: it may name what is nobody else's business.
pub fn words(text: &str, origin: Origin<'_>) -> Result<(String, Vec<String>), CommandError> {
    let refused = |why: &str| {
        origin
            .error(why)
            .hint("write a program and its arguments, as a shell takes them, as in \"./notify ops\"")
    };
    let mut words =
        shlex::split(text).ok_or_else(|| refused("it has a quote that is not closed"))?.into_iter();
    let program = words.next().filter(|program| !program.is_empty());
    Ok((program.ok_or_else(|| refused("it names no program"))?, words.collect()))
}

impl OnFinish {
    fn of(of: &'static str, text: &str, origin: Origin<'_>) -> Result<Self, CommandError> {
        let (program, arguments) = words(text, origin)?;
        Ok(Self { of, program, arguments })
    }

    /// Runs the command with the summary of the run on its standard input, and waits for its end. An interrupt ends the
    /// waiting.
    pub fn run(self, exit: Exit, stop: &Stop, console: &Terminal) {
        let summary = console.accounted().unwrap_or_else(|| finish::nothing(self.of, &console.left(), exit));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let told = match runtime {
            Ok(runtime) => runtime.block_on(self.told(&summary, stop, console)),
            Err(error) => Err(format!("cannot be started: {error}")),
        };
        if let Err(why) = told {
            let what = "the run is as it was told, and so is the exit code";
            console.say(&format!("warning: the command of --on-finish {why}; {what}"));
        }
    }

    async fn told(self, summary: &str, stop: &Stop, console: &Terminal) -> Result<(), String> {
        let mut program = Program::new(&self.program);
        program.args(&self.arguments).env_remove(TOKEN).env_remove(CLIENT_SECRET);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = program.spawn().map_err(|error| format!("cannot be started: {error}"))?;
        let finish = waited_for(&mut child, summary, console);
        tokio::select! {
            ended = timeout(LIMIT, finish) => ended.unwrap_or_else(|_| {
                Err(format!("did not end within {} minutes, and was ended", LIMIT.as_secs() / 60))
            }),
            () = interrupted(stop) => Err("was interrupted".to_owned()),
        }
    }
}

/// Waits for one more interrupt than there were before.
async fn interrupted(stop: &Stop) {
    match stop.stage() {
        StopStage::Going => stop.wait().await,
        StopStage::Stopping | StopStage::Leaving => stop.left().await,
    }
}

/// Hands the summary over, passes on what is printed, and returns how the command ended.
async fn waited_for(child: &mut Child, summary: &str, console: &Terminal) -> Result<(), String> {
    let mut input = child.stdin.take().expect("standard input is a pipe");
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let feed = async {
        // Who doesn't read it doesn't want it.
        let _ = input.write_all(summary.as_bytes()).await;
        drop(input);
        std::future::pending::<()>().await;
    };
    let printed = async { tokio::join!(print(output, console), print(errors, console)) };
    tokio::pin!(printed);
    let mut is_printed = false;
    let ended = {
        tokio::pin!(feed);
        loop {
            tokio::select! {
                ended = child.wait() => break ended,
                _ = &mut printed, if !is_printed => is_printed = true,
                () = &mut feed => {}
            }
        }
    };
    if !is_printed {
        // What it left running may print later, or never.
        let _ = timeout(REST, &mut printed).await;
    }
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("failed ({status})")),
        Err(error) => Err(format!("was lost: {error}")),
    }
}

/// Prints what comes out of a stream, line by line.
async fn print(stream: Option<impl AsyncRead + Unpin>, console: &Terminal) {
    let Some(mut stream) = stream else { return };
    let mut held = Vec::new();
    while stream.read_buf(&mut held).await.is_ok_and(|bytes| bytes > 0) {
        while let Some(end) = held.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            console.pass_on(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
        }
        if held.len() > LONGEST_LINE {
            console.pass_on(&String::from_utf8_lossy(&std::mem::take(&mut held)));
        }
    }
    if !held.is_empty() {
        console.pass_on(&String::from_utf8_lossy(&held));
    }
}
