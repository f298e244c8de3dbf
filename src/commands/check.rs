//! `check`: tells whether all is ready for a run, what is to be mended first, and what is to be known of the service.
//!
//! Nothing here can change a referral: there is no run, no ledger, and so no ticket that a change could be sent
//! with.

use serde::Serialize;

use self::facts::Facts;
use self::inquiry::{Inquiry, inquire};
use self::line::{CheckLine, FirstToMend, Level, ready, say_mend, text};
use super::config_show::{self, SettingRow};
use super::connection;
use super::environment::{Console, Environment};
use super::error::{CommandError, ErrorKind};
use super::next_command::{CommandLine, flag};
use super::options::Sending;
use super::remembered_rate;
use super::target::Target;
use crate::domain::exchange::NeededSignIn;
use crate::domain::exit::Exit;
use crate::domain::setting::Setting;
use crate::engine::StopReason;

mod asker;
pub(super) mod endpoint;
pub(super) mod facts;
mod filters;
pub(super) mod inquiry;
mod keeping;
pub(super) mod line;
mod list_shape;
mod service;
mod sign_in;
mod times;

/// The options of `check`.
#[derive(Debug)]
pub struct CheckOptions {
    /// The settings of where and how to send.
    pub settings: Vec<SettingRow>,
    /// The target that is asked.
    pub target: Target,
    /// How requests are sent.
    pub sending: Sending,
    /// Whether to print one JSON object.
    pub json: bool,
}

/// The form of the JSON object, for programs that read it.
#[derive(Serialize)]
struct Printed<'a> {
    version: u32,
    target: String,
    /// Whether a run can go, as far as it was asked.
    ready: bool,
    /// Whether the user interrupted, so that not all of it was asked.
    interrupted: bool,
    lines: &'a [CheckLine],
    /// What to mend first.
    mend: Option<FirstToMend<'a>>,
}

/// Asks, and tells what came of it.
///
/// # Errors
/// Returns an error where a client can't be set up, the sandbox has no seed, or the user interrupted: what was seen
/// until then is told all the same.
pub async fn run(mut options: CheckOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    config_show::tell_sign_in(&mut options.settings, &options.target, environment);
    let inquiry = inquire(&options.target, &options.sending, environment).await?;
    let lines = lines(&options, &inquiry, environment);
    let kept = keeping::keep(&options.target, &inquiry, environment);
    let first = lines.iter().find(|line| line.level == Level::Mend);
    let (mend, next) = next(&options, first, &inquiry, environment);
    let next = next.to_string();
    let interrupted = environment.stop.reason() == Some(StopReason::Interrupted);
    let came = Came {
        ready: !interrupted && first.is_none() && inquiry.is_readable(),
        interrupted,
        lines: &lines,
        first: first.map(|line| (line, next.as_str())),
    };
    came.print(&options, environment.console);
    kept.iter().for_each(|note| environment.console.say(&format!("note: {note}")));
    if interrupted {
        return Err(CommandError::new(ErrorKind::Stopped, "interrupted: not all of it was asked"));
    }
    let console = environment.console;
    let Some(first) = first else {
        console.say(&ready("a run can go", &lines));
        return Ok(Exit::Done);
    };
    say_mend(first, console);
    if options.sending.token_command {
        console.say(&format!("hint: give the same {} again", flag(Setting::TokenCommand)));
    }
    console.say(&format!("next: {mend}: {next}"));
    Ok(Exit::CouldNotRun)
}

/// Returns what to do next, and the command for it: to sign in, where that mends it, or to check again.
fn next(
    options: &CheckOptions,
    first: Option<&CheckLine>,
    inquiry: &Inquiry,
    environment: &Environment<'_>,
) -> (&'static str, CommandLine) {
    let sign_in = first.filter(|line| line.subject == sign_in::SUBJECT);
    let needed = sign_in.and_then(|_| inquiry.mending_sign_in());
    match needed.and_then(|needed| connection::sign_in_again(&options.target, needed, environment)) {
        Some(sign_in) => ("sign in, and check again after that", sign_in),
        None => ("mend that, then", again(options, environment)),
    }
}

/// Returns the command that checks again.
fn again(options: &CheckOptions, environment: &Environment<'_>) -> CommandLine {
    let mut choices: Vec<_> = Target::choice(&options.target.name()).into_iter().collect();
    choices.extend(options.sending.repeat((environment.clock)()));
    CommandLine::check(choices)
}

/// Returns what is told, in the order in which a run needs it.
fn lines(options: &CheckOptions, inquiry: &Inquiry, environment: &Environment<'_>) -> Vec<CheckLine> {
    let CheckOptions { target, sending, .. } = options;
    let answers = inquiry.log.answers();
    let needed = inquiry.mending_sign_in().unwrap_or(NeededSignIn::Any);
    let sign_in_again = connection::sign_in_again(target, needed, environment);
    let now = times::service_time((environment.clock)(), &answers);
    vec![
        settings(options),
        sign_in::line(inquiry, now, sign_in_again.as_ref()),
        endpoint::line(target, inquiry),
        endpoint::role(&inquiry.list),
        times::clock(&answers),
        times::latency(&answers, inquiry.is_all_answered(), sending),
        service::lists(inquiry),
        service::filters(inquiry),
        service::rate(
            &answers,
            sending,
            remembered_rate::beginning(target, inquiry.token.tenant(), environment),
        ),
    ]
}

/// Returns the line about the settings. One that a run would refuse has ended the command before.
fn settings(options: &CheckOptions) -> CheckLine {
    let shown = |row: &SettingRow| {
        let SettingRow { name, value, origin, over, .. } = row;
        let over = if over.is_empty() { String::new() } else { format!(", over {}", over.join(", ")) };
        format!("{name}: {} ({origin}{over})", value.as_deref().unwrap_or("none"))
    };
    let seen = options.settings.iter().map(shown).collect();
    let means = "a run that is given the same uses these";
    let facts = Facts::Settings { settings: options.settings.clone() };
    CheckLine { seen, ..CheckLine::ok("settings", "", means) }.facts(facts)
}

/// What came of all that was asked.
struct Came<'a> {
    /// Whether a run can go: never where too little was answered to tell.
    ready: bool,
    /// Whether the user interrupted.
    interrupted: bool,
    lines: &'a [CheckLine],
    /// The line to mend first, with the command to type then.
    first: Option<(&'a CheckLine, &'a str)>,
}

impl Came<'_> {
    /// Prints the lines.
    fn print(&self, options: &CheckOptions, console: &dyn Console) {
        let Self { ready, interrupted, lines, first } = *self;
        if !options.json {
            console.data(&text(lines));
            return;
        }
        let mend = first.map(|(line, next)| FirstToMend::new(line, next));
        let target = options.target.name();
        let printed = Printed { version: 1, target, ready, interrupted, lines, mend };
        let line = serde_json::to_string(&printed).expect("texts, numbers and lists of them serialise");
        console.data(&format!("{}\n", crate::domain::characters::visible_json(&line)));
    }
}
