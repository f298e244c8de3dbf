//! The whole program as one function of a process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::{CommandFactory, Parser};
use jiff::Timestamp;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::args::{self, Cli, Command, ConfigCommand, LedgerArgs, LedgerCommand};
use super::config::{Config, TablesForPlanning};
use super::console::{Terminal, print_within};
use super::diagnostics;
use super::event_stream::EventStream;
use super::on_finish::OnFinish;
use super::page_opener::PageOpener;
use super::pager::Pager;
use super::settings;
use super::show_settings;
use super::signals;
use super::signing_in;
use super::sources::{Surroundings, user_name};
use super::state_dir::state_dir;
use crate::commands::apply::ApplyOptions;
use crate::commands::{
    CommandError, Console, Environment, ProgressEvent, RunLog, Watch, apply, approve, check, config_show,
    explain, export, finish, ledger, login, login_status, logout, report, resume, sandbox, show, undo,
    verify,
};
use crate::domain::characters::visible_path;
use crate::domain::exit::Exit;
use crate::engine::Stop;

/// The process: its arguments, its environment, its streams, and whatever else the program uses of it.
pub struct Process {
    /// The command line; the program's name comes first.
    pub arguments: Vec<OsString>,
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// The directory in which `referral-bulk.toml` is looked for.
    pub directory: PathBuf,
    /// Standard input.
    pub stdin: Box<dyn Read + Send>,
    /// Standard output.
    pub stdout: Box<dyn Write + Send>,
    /// Standard error.
    pub stderr: Box<dyn Write + Send>,
    /// The person to ask, where both standard input and standard error are interactive.
    pub person: Option<Box<dyn Read + Send>>,
    /// Whether standard error is a terminal whose size is known.
    pub terminal: bool,
    /// Whether standard output is a terminal, on which long output goes through a pager.
    pub pages: bool,
    /// Returns the wall-clock time.
    pub clock: fn() -> Timestamp,
    /// Creates a new GUID.
    pub new_id: fn() -> Uuid,
    /// The user id in the operating system of the user who runs the program, where there is such.
    pub user: Option<u32>,
    /// A hook on the ledger's steps, for tests that let this process die at one of them; none otherwise.
    pub watch: Option<Watch>,
}

/// A command that is ready to run.
type Work = Box<dyn FnOnce(&Runtime, &Environment<'_>) -> Result<Exit, CommandError> + Send>;

/// Runs the program to its end.
pub fn run(process: Process) -> ExitCode {
    let Process { arguments, variables, directory, stdin, stdout, stderr, person, .. } = process;
    let Process { terminal, pages, clock, new_id, user, watch, .. } = process;
    let pager = if pages { Pager::of(&variables) } else { None };
    let named = args::run_named(&arguments);
    let following = args::tells_events(&arguments);
    let events = following.as_ref().map(|_| EventStream::new(named.clone(), clock));
    let console = Arc::new(Terminal::new(stdout, stderr, person).with_pager(pager).with_events(events));
    if let Some(command) = following {
        console.tell(&ProgressEvent::Started { command, program: env!("CARGO_PKG_VERSION") });
    }
    let awaits_json = args::awaits_json(&arguments);
    let exit = match Cli::try_parse_from(arguments) {
        Ok(cli) => {
            let run_log = RunLog::default();
            let diagnostics =
                diagnostics::dispatch(cli.verbose, run_log.clone(), Arc::clone(&console), clock);
            let (state_dir, user_name) = (state_dir(&variables), user_name(&variables));
            let config = Config::read(&directory, user);
            let none = Config::default();
            let read = config.as_ref().unwrap_or(&none);
            let surroundings = Surroundings { variables: &variables, config: read, terminal };
            let on_finish = surroundings.on_finish(&cli.command);
            let around = Around {
                stdin,
                clock,
                new_id,
                user,
                user_name,
                directory: directory.clone(),
                state_dir,
                watch,
                run_log,
                diagnostics,
            };
            match on_finish {
                Ok(on_finish) => {
                    let ready = match &config {
                        Ok(_) => ready(cli, &surroundings),
                        Err(trouble) => Err(trouble.clone()),
                    };
                    carried_out(ready, on_finish, &console, around)
                }
                Err(trouble) => fail(&trouble, &console),
            }
        }
        Err(error) => usage(&error, &console),
    };
    // A script that waits for a summary gets one, whichever way the command ends.
    if let Some(command) = awaits_json.filter(|_| !console.has_data()) {
        let console = Arc::clone(&console);
        print_within(signals::PATIENCE, move || {
            finish::show_nothing(&command, [&console.left(), &named], exit, clock(), &*console);
        });
    }
    console.release_next();
    let exit = delivered(exit, &console);
    let ending = Arc::clone(&console);
    if console.has_parted() {
        print_within(signals::PATIENCE, move || ending.end(exit));
    } else {
        console.end(exit);
    }
    exit.into()
}

/// Carries a command out, if it is ready, and tells whoever is to be told of its end.
fn carried_out(
    ready: Result<(Work, Option<String>), CommandError>,
    on_finish: Option<OnFinish>,
    console: &Arc<Terminal>,
    around: Around,
) -> Exit {
    if on_finish.is_some() {
        console.hold_next();
    }
    match ready {
        Ok((command, used)) => {
            used.iter().for_each(|used| console.say(&format!("note: {used}")));
            supervise(command, on_finish, Arc::clone(console), around)
        }
        Err(trouble) => {
            let exit = fail(&trouble, console);
            on_finish.into_iter().for_each(|command| command.run(exit, &Stop::default(), console));
            exit
        }
    }
}

/// Returns how the process exits: a command is not done as long as its data has not been delivered.
fn delivered(exit: Exit, console: &Terminal) -> Exit {
    let Some(error) = console.lost() else { return exit };
    let failed =
        fail(&CommandError::could_not_run("cannot write to standard output").because(error), console);
    if exit == Exit::Done { failed } else { exit }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

fn usage(error: &clap::Error, console: &Terminal) -> Exit {
    let text = error.render().to_string();
    if error.use_stderr() {
        console.say(text.trim_end());
        return Exit::Usage;
    }
    console.data(&text);
    Exit::Done
}

fn fail(trouble: &CommandError, console: &Terminal) -> Exit {
    trouble.rendered().for_each(|problem| console.say(&problem));
    trouble.exit()
}

/// Returns the command, and a text for people that tells what it uses of the settings file. A run that goes
/// on has its rules on record; the other commands take no settings.
fn ready(cli: Cli, surroundings: &Surroundings<'_>) -> Result<(Work, Option<String>), CommandError> {
    let config = surroundings.config;
    let begun = |options: ApplyOptions| -> Work {
        Box::new(move |runtime, environment| runtime.block_on(apply::run(options, environment)))
    };
    Ok(match cli.command {
        Command::Apply(typed) => {
            let used =
                config.used(typed.options.target.profile.as_deref(), TablesForPlanning::RulesAndColumns);
            (begun(surroundings.apply(*typed)?), used)
        }
        Command::Migrate(typed) => {
            let used = config.used(typed.options.target.profile.as_deref(), TablesForPlanning::Rules);
            (begun(surroundings.migrate(*typed)?), used)
        }
        Command::Resume(typed) => {
            let used = config.used(typed.options.target.profile.as_deref(), TablesForPlanning::None);
            let options = surroundings.resume(*typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(resume::run(options, environment))
            };
            (Box::new(work), used)
        }
        Command::Report(typed) => {
            let opener = typed.open.then(|| PageOpener::of(&typed.run, surroundings.variables));
            let options = surroundings.report(typed);
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                let exit = runtime.block_on(report::run(&options, environment))?;
                opener.iter().for_each(|opener| opener.open(environment.console));
                Ok(exit)
            };
            (Box::new(work), None)
        }
        Command::Verify(typed) => {
            let used = config.used(typed.target.profile.as_deref(), TablesForPlanning::None);
            let options = surroundings.verify(*typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(verify::run(options, environment))
            };
            (Box::new(work), used)
        }
        Command::Undo(typed) => {
            let options = Surroundings::undo(typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(undo::run(&options, environment))
            };
            (Box::new(work), None)
        }
        Command::Export(typed) => {
            let used = config.used(typed.target.profile.as_deref(), TablesForPlanning::Rules);
            let options = surroundings.export(*typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(export::run(options, environment))
            };
            (Box::new(work), used)
        }
        Command::Show(typed) => {
            let options = show_settings::show(typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(show::run(&options, environment))
            };
            (Box::new(work), None)
        }
        Command::Explain(typed) => {
            let options = show_settings::explain(typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(explain::run(&options, environment))
            };
            (Box::new(work), None)
        }
        Command::Check(typed) => {
            let used = config.used(typed.target.profile.as_deref(), TablesForPlanning::None);
            let options = surroundings.check(&typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(check::run(options, environment))
            };
            (Box::new(work), used)
        }
        Command::Login(typed) => {
            let used = config.used(typed.profile.as_deref(), TablesForPlanning::None);
            if typed.status {
                let options = surroundings.login_status(&typed)?;
                let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                    runtime.block_on(login_status::run(&options, environment))
                };
                return Ok((Box::new(work), used));
            }
            let options = surroundings.login(&typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(login::run(options, environment))
            };
            (Box::new(work), used)
        }
        Command::Logout(typed) => {
            let options = signing_in::logout(typed);
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(logout::run(&options, environment))
            };
            (Box::new(work), None)
        }
        Command::Approve(typed) => {
            let used = config.used(typed.profile.as_deref(), TablesForPlanning::None);
            let options = surroundings.approve(typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(approve::run(options, environment))
            };
            (Box::new(work), used)
        }
        Command::Config { command: ConfigCommand::Show(typed) } => {
            let options = surroundings.config_show(&typed)?;
            (Box::new(move |_, environment| Ok(config_show::run(options, environment))), None)
        }
        Command::Ledger { command } => return ledger(command, surroundings),
        Command::Sandbox(typed) => {
            let options = settings::sandbox(typed);
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(sandbox::run(options, environment))
            };
            (Box::new(work), None)
        }
        Command::Completions { shell } => {
            (Box::new(move |_, environment| Ok(completions(shell, environment.console))), None)
        }
        Command::Man { dir } => (Box::new(move |_, _| man(&dir)), None),
    })
}

/// Returns what is done with a shared ledger, as [`ready`] does.
fn ledger(
    typed: LedgerCommand,
    surroundings: &Surroundings<'_>,
) -> Result<(Work, Option<String>), CommandError> {
    let used =
        |typed: &LedgerArgs| surroundings.config.used(typed.profile.as_deref(), TablesForPlanning::None);
    Ok(match typed {
        LedgerCommand::Init(typed) => {
            let options = surroundings.ledger(&typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(ledger::init(&options, environment))
            };
            (Box::new(work), used(&typed))
        }
        LedgerCommand::Upgrade(typed) => {
            let options = surroundings.ledger(&typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(ledger::upgrade(&options, environment))
            };
            (Box::new(work), used(&typed))
        }
        LedgerCommand::Check(typed) => {
            let options = surroundings.ledger_check(&typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(ledger::check(&options, environment))
            };
            (Box::new(work), used(&typed.ledger))
        }
        LedgerCommand::Forget(typed) => {
            let used = used(&typed.ledger);
            let options = surroundings.ledger_forget(typed)?;
            let work = move |runtime: &Runtime, environment: &Environment<'_>| {
                runtime.block_on(ledger::forget(&options, environment))
            };
            (Box::new(work), used)
        }
    })
}

/// The process around a command, apart from the printer.
struct Around {
    stdin: Box<dyn Read + Send>,
    clock: fn() -> Timestamp,
    new_id: fn() -> Uuid,
    user: Option<u32>,
    user_name: Option<String>,
    directory: PathBuf,
    state_dir: Option<PathBuf>,
    watch: Option<Watch>,
    run_log: RunLog,
    diagnostics: tracing::Dispatch,
}

/// Runs a command on a thread of its own, so that the process can exit at once whatever the command is doing.
fn supervise(command: Work, on_finish: Option<OnFinish>, console: Arc<Terminal>, around: Around) -> Exit {
    let stop = Stop::default();
    let (send_done, done) = tokio::sync::oneshot::channel();
    let work = {
        let (stop, console) = (stop.clone(), Arc::clone(&console));
        move || {
            let Around { stdin, clock, new_id, user, user_name, directory, .. } = around;
            let Around { state_dir, watch, run_log, diagnostics, .. } = around;
            let (console, stdin, directory) = (&*console, &Mutex::new(stdin), &*directory);
            let environment = Environment {
                console,
                stdin,
                stop: &stop,
                clock,
                new_id,
                user,
                user_name: user_name.as_deref(),
                directory,
                state_dir: state_dir.as_deref(),
                run_log: &run_log,
                watch,
            };
            let exit = tracing::dispatcher::with_default(&diagnostics, || run_within(command, &environment))
                .unwrap_or_else(|trouble| fail(&trouble, console));
            on_finish.into_iter().for_each(|command| command.run(exit, &stop, console));
            // The receiver is gone where the process was left first.
            let _ = send_done.send(exit);
        }
    };
    let start = || std::thread::Builder::new().name("work".to_owned()).spawn(work).map(drop);
    let waited = runtime().and_then(|runtime| runtime.block_on(signals::wait(start, done, &stop, &console)));
    waited.unwrap_or_else(|error| {
        fail(&CommandError::could_not_run("the system refused").because(error), &console)
    })
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Runs a command on a runtime of one thread. Requests are waited for, not computed: one thread serves them
/// all, and the ledger has its own.
fn run_within(work: Work, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let runtime =
        runtime().map_err(|error| CommandError::could_not_run("the system refused").because(error))?;
    let ended = work(&runtime, environment);
    // A name that is still being resolved, or a token file that is still being read, is of no use any more.
    runtime.shutdown_background();
    ended
}

fn completions(shell: clap_complete::Shell, console: &dyn Console) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "referral-bulk", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == clap_complete::Shell::Bash {
        // clap_complete 4.6 writes a hyphen in the program's name in one way where it looks up a command, and
        // in another where it names one: without this, no command would be found.
        script = script.replace("referral__subcmd__bulk", "referral__bulk");
    }
    console.data(&script);
    Exit::Done
}

fn man(dir: &Path) -> Result<Exit, CommandError> {
    std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir)).map_err(
        |error| {
            CommandError::could_not_run(format!("cannot write into {}", visible_path(dir))).because(error)
        },
    )?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::setting::Setting;

    /// A setting that a message suggests has to be an option of a command.
    #[test]
    fn every_setting_is_a_flag_of_some_command() {
        let cli = Cli::command();
        let taken: BTreeSet<&str> = cli
            .get_subcommands()
            .flat_map(|command| std::iter::once(command).chain(command.get_subcommands()))
            .flat_map(clap::Command::get_arguments)
            .filter_map(clap::Arg::get_long)
            .collect();
        for setting in Setting::ALL {
            assert!(taken.contains(setting.name()), "no command takes {setting:?}");
        }
        let names: BTreeSet<&str> = Setting::ALL.map(Setting::name).into();
        assert_eq!(names.len(), Setting::ALL.len());
    }
}
