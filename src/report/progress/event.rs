//! The events of `--progress json`: what happens in a command, for programs that follow it.
//!
//! An event is one JSON object on one line of standard error. Nothing is told here that people aren't told: what
//! they are told in words comes as a text, and what programs need of it as numbers and words of this program.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::characters::visible_json;
use crate::domain::exit::Exit;
use crate::domain::outcome::Outcome;
use crate::domain::verification::StandingCounts;

use super::super::summary::{Referrals, Requests, Rows, State, Summary};
use super::super::verified_text::{VerifiedFigures, VerifiedSummary};

/// One line of the event stream: what happened, when, and in which run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EventLine<'a> {
    /// The version of this format. Events and members may be added without raising it.
    #[schemars(extend("const" = EventLine::VERSION))]
    version: u32,
    /// When it happened, in UTC.
    at: Timestamp,
    /// The run's directory, as the user would name it; null where there is no run, or none yet.
    run: Option<&'a str>,
    /// What happened.
    #[serde(flatten)]
    event: &'a ProgressEvent,
}

impl<'a> EventLine<'a> {
    /// The version of this format.
    const VERSION: u32 = 1;

    /// Makes the line of an event.
    pub fn new(at: Timestamp, run: Option<&'a str>, event: &'a ProgressEvent) -> Self {
        Self { version: Self::VERSION, at, run, event }
    }

    /// Returns it as JSON on one line, without the line's end.
    pub fn to_json_line(&self) -> String {
        let line = serde_json::to_string(self).expect("numbers and texts serialise");
        // Standard error may be a terminal.
        visible_json(&line).into_owned()
    }
}

/// Something that happened in a command.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum ProgressEvent {
    /// The command begins. This is the first event.
    Started {
        /// The command, such as `apply`.
        command: String,
        /// The version of the program.
        program: &'static str,
    },
    /// The run is there, and its inputs are read to make the plan.
    Planning {
        /// The inputs, as the user named them.
        inputs: Vec<String>,
    },
    /// The plan is whole. Nothing of it was sent by this command yet.
    Planned(PlannedFigures),
    /// Sending begins, or goes on.
    Sending {
        /// The number of referrals that are left to be changed.
        referrals: u64,
    },
    /// How far the work has come. It comes at most once a second, and at the end of each piece of work.
    Progress(ProgressFigures),
    /// A request was answered by asking to slow down. The summary counts these as `requests.throttled`.
    Throttled {
        /// What waits for it.
        scope: ThrottledScope,
    },
    /// All requests wait, since the service asks to slow down.
    Paused {
        /// For how long.
        seconds: f64,
        /// Whether the service asked for a longer pause than the program takes at once.
        capped: bool,
    },
    /// One request failed after another, so all are held back until one of them, which asks again, is answered.
    Held {
        /// The time until it is sent.
        seconds: f64,
    },
    /// The service answers again, and the requests that were held back go on.
    Released,
    /// No answer has come for a while.
    Quiet {
        /// For how long.
        seconds: f64,
        /// What is waited for.
        waiting: String,
    },
    /// A wave was sent and read back.
    Wave(WaveFigures),
    /// The command stops before its end: nothing new is sent, and what is under way is awaited.
    Stopping {
        /// Why, for people.
        text: String,
    },
    /// Something to know.
    Note {
        /// What it says.
        text: String,
    },
    /// Something to look at.
    Warning(Remark),
    /// What keeps the command from being carried out, or a row from being sent.
    Error(Remark),
    /// What helps.
    Hint {
        /// What it says.
        text: String,
    },
    /// What to type next. The last of them stands in the last event, too.
    Next {
        /// The command, which may have words in front that say what it does.
        text: String,
    },
    /// Anything else that people are told.
    Message {
        /// What it says.
        text: String,
    },
    /// A question to the person at the terminal, who answers there. Where there is no terminal, nobody is asked.
    Question {
        /// What is asked.
        text: String,
    },
    /// A line of diagnostics, which `-v` asks for.
    Diagnostic {
        /// The line.
        text: String,
    },
    /// A line that the command of `--on-finish` printed.
    Output {
        /// The line.
        text: String,
    },
    /// The command has ended. This is the last event.
    Finished(EndFigures),
    /// The command has ended, and the run has not come to its end: `resume` carries on with it. This is the last event.
    Stopped(EndFigures),
}

/// A warning or an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Remark {
    /// The id of the rule that it comes from; left out where it comes from none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    rule: Option<String>,
    /// What it says; in further lines, where, and what helps.
    text: String,
}

/// What a whole plan comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedFigures {
    /// Where the plan is sent to: the API's base URL, or `sandbox`.
    pub target: String,
    /// The path of `plan.jsonl`.
    pub plan: String,
    /// The number of input rows, those that are held back included.
    pub rows: u64,
    /// The referrals that the plan changes.
    pub to_change: u64,
    /// Of those, the ones that it closes for good.
    pub to_close: u64,
    /// Of those that it changes, the ones that are left to be sent.
    pub left: u64,
    /// Of those that are left, the ones that it closes for good.
    pub left_to_close: u64,
}

/// What a throttle makes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThrottledScope {
    /// All requests.
    Run,
    /// The requests for one referral.
    Referral,
}

/// How far the work has come.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProgressFigures {
    /// What is done.
    pub work: ProgressWork,
    /// The number of rows read so far; left out where none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub rows_read: Option<u64>,
    /// The number of referrals that are done with: looked at, or while sending, those that have their outcome.
    pub done: u64,
    /// The number of them all; null where it is not known.
    pub total: Option<u64>,
    /// Those that are done with by outcome; left out unless they are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OutcomeCounts")]
    pub outcomes: Option<OutcomeCounts>,
    /// The number of those that the service answered with a yes alone, which is to be confirmed before they are done
    /// with; left out unless they are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub unconfirmed: Option<u64>,
    /// The number of requests that repeated an earlier one.
    pub retried: u64,
    /// The time since this work began.
    pub seconds: f64,
    /// Of that, the time in which nothing could be sent: the service asked for a pause, or did not answer.
    pub idle_seconds: f64,
    /// The number of referrals that are done with, or only to be confirmed, in a second in which requests can be sent;
    /// null as long as none are, and while nothing can be sent.
    pub per_second: Option<f64>,
    /// The rate limit at present, in requests a second.
    pub limit: f64,
    /// The time that is left, roughly; null where it can't be told.
    pub seconds_left: Option<f64>,
    /// What is waited for; null where nothing is.
    pub waiting: Option<WaitingFigures>,
    /// Why a request is repeated; left out where none is at the moment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// What a command works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProgressWork {
    /// Referrals are read to make a plan.
    Planning,
    /// Referrals are read: for an export, or to see how they stand.
    Reading,
    /// Changes are sent.
    Sending,
}

/// Referrals by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "each is the outcome of that name")]
pub struct OutcomeCounts {
    pub applied: u64,
    pub unchanged: u64,
    pub planned: u64,
    pub conflict: u64,
    pub invalid: u64,
    pub refused: u64,
    pub failed: u64,
    pub partial: u64,
    pub unknown: u64,
    pub unsent: u64,
}

impl OutcomeCounts {
    /// Counts by a function that returns the number of referrals of an outcome.
    pub fn of(count: impl Fn(Outcome) -> u64) -> Self {
        Self {
            applied: count(Outcome::Applied),
            unchanged: count(Outcome::Unchanged),
            planned: count(Outcome::Planned),
            conflict: count(Outcome::Conflict),
            invalid: count(Outcome::Invalid),
            refused: count(Outcome::Refused),
            failed: count(Outcome::Failed),
            partial: count(Outcome::Partial),
            unknown: count(Outcome::Unknown),
            unsent: count(Outcome::Unsent),
        }
    }
}

/// What sending waits for, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct WaitingFigures {
    /// What is waited for.
    #[serde(rename = "for")]
    pub reason: WaitingReason,
    /// How long that lasts; null where it can't be told.
    pub seconds: Option<f64>,
}

/// What sending waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WaitingReason {
    /// The rate limit.
    Rate,
    /// A pause that the service asked for.
    Server,
    /// The time at which one request asks again, after one failed after another.
    Probe,
    /// The answer to that request.
    Answer,
    /// The end of the requests under way: the command is stopping.
    End,
}

/// What came of a wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaveFigures {
    /// Its number, counted from 1.
    pub number: u32,
    /// The number of waves.
    pub of: u64,
    /// Its referrals by outcome.
    pub outcomes: OutcomeCounts,
    /// How those stand that it changed, when they were read back.
    pub standings: StandingCounts,
    /// Whether all of it stands, so that the next one may go.
    pub stands: bool,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EndFigures {
    /// The exit code of the process.
    pub exit_code: u8,
    /// What the command has told of its run; null members where it has no account of one to give.
    #[serde(flatten)]
    pub account: EndAccount,
    /// What to type next; null where there is nothing.
    pub next: Option<String>,
}

/// What a command told of its run, as the summary has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct EndAccount {
    /// How far the run came, or the verification.
    pub state: Option<State>,
    /// Rows by outcome.
    pub rows: Option<Rows>,
    /// Referrals that the rows name.
    pub referrals: Option<Referrals>,
    /// Requests by kind.
    pub requests: Option<Requests>,
    /// Of `verify`, the referrals that the run wrote by how they stand; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "VerifiedFigures")]
    pub verified: Option<VerifiedFigures>,
}

impl From<&Summary> for EndAccount {
    fn from(summary: &Summary) -> Self {
        let Summary { state, rows, referrals, requests, .. } = *summary;
        Self {
            state: Some(state),
            rows: Some(rows),
            referrals: Some(referrals),
            requests: Some(requests),
            verified: None,
        }
    }
}

impl From<&VerifiedSummary> for EndAccount {
    fn from(summary: &VerifiedSummary) -> Self {
        Self { state: Some(summary.state), verified: Some(summary.referrals), ..Self::default() }
    }
}

impl ProgressEvent {
    /// Makes the event of a command's end.
    pub fn ended(end: EndFigures) -> Self {
        let is_unfinished = matches!(end.account.state, Some(State::Stopped | State::Unplanned));
        // A command that stopped may have had no account to give.
        let is_stopped = is_unfinished || end.exit_code == Exit::Stopped.code();
        if is_stopped { Self::Stopped(end) } else { Self::Finished(end) }
    }

    /// Makes the event of words that people are told: what they begin with says what they are.
    pub fn told(words: &str) -> Self {
        let text = |rest: &str| rest.to_owned();
        if let Some(rest) = words.strip_prefix("warning") {
            return remark(rest).map_or_else(|| Self::message(words), Self::Warning);
        }
        if let Some(rest) = words.strip_prefix("error") {
            return remark(rest).map_or_else(|| Self::message(words), Self::Error);
        }
        match words.split_once(": ") {
            Some(("note", rest)) => Self::Note { text: text(rest) },
            Some(("hint", rest)) => Self::Hint { text: text(rest) },
            Some(("next", rest)) => Self::Next { text: text(rest) },
            _ => Self::message(words),
        }
    }

    fn message(words: &str) -> Self {
        Self::Message { text: words.to_owned() }
    }
}

/// Reads what stands behind `warning` or `error`: the rule in brackets, if any, a colon, and the text.
fn remark(rest: &str) -> Option<Remark> {
    if let Some(text) = rest.strip_prefix(": ") {
        return Some(Remark { rule: None, text: text.to_owned() });
    }
    let (rule, text) = rest.strip_prefix('[')?.split_once("]: ")?;
    Some(Remark { rule: Some(rule.to_owned()), text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &ProgressEvent) -> String {
        let at = "2026-11-30T09:00:00.25Z".parse().unwrap();
        EventLine::new(at, Some("reports/r 1"), event).to_json_line()
    }

    #[test]
    fn words_become_events_by_what_they_begin_with() {
        for (words, wanted) in [
            ("note: all is well", r#""event":"note","text":"all is well""#),
            ("warning: slow: very", r#""event":"warning","text":"slow: very""#),
            ("warning[unseen]: 2 rows", r#""event":"warning","rule":"unseen","text":"2 rows""#),
            ("error: no\n  --> a.csv:1", r#""event":"error","text":"no\n  --> a.csv:1""#),
            ("error[id]: no\nhint: x", r#""event":"error","rule":"id","text":"no\nhint: x""#),
            ("hint: look", r#""event":"hint","text":"look""#),
            ("next: referral-bulk resume r", r#""event":"next","text":"referral-bulk resume r""#),
            ("errors everywhere", r#""event":"message","text":"errors everywhere""#),
            ("warning[open", r#""event":"message","text":"warning[open""#),
            ("notes: none", r#""event":"message","text":"notes: none""#),
            ("note", r#""event":"message","text":"note""#),
            ("a\u{1b}[2J\u{202e}\"b", r#""event":"message","text":"a\u001b[2J\u202e\"b""#),
            ("", r#""event":"message","text":"""#),
        ] {
            let told = line(&ProgressEvent::told(words));
            let wanted =
                format!(r#"{{"version":1,"at":"2026-11-30T09:00:00.25Z","run":"reports/r 1",{wanted}}}"#);
            assert_eq!(told, wanted, "{words:?}");
        }
    }

    #[test]
    fn a_command_that_did_not_come_to_its_end_stopped() {
        for (exit_code, state, is_stopped) in [
            (0, None, false),
            (0, Some(State::Planned), false),
            (0, Some(State::Finished), false),
            (1, None, false),
            (1, Some(State::Stopped), true),
            (2, Some(State::Planned), false),
            (3, Some(State::Finished), false),
            (4, None, true),
            (4, Some(State::Stopped), true),
            (4, Some(State::Unplanned), true),
            (5, Some(State::Finished), false),
        ] {
            let account = EndAccount { state, ..EndAccount::default() };
            let ended = ProgressEvent::ended(EndFigures { exit_code, account, next: None });
            assert_eq!(matches!(ended, ProgressEvent::Stopped(_)), is_stopped, "{exit_code} {state:?}");
        }
    }
}
