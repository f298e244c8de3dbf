//! A line of what `check` tells: what was seen, what that means for a run, and what to do.

use std::fmt::Write;

use serde::{Serialize, Serializer};

use super::facts::Facts;
use crate::commands::environment::Console;
use crate::commands::next_command::spelled;
use crate::domain::characters::visible;
use crate::domain::wording::Wording;
use crate::report::counted;

/// How a run fares with what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A run can go.
    Ok,
    /// A run can go, and there is something to know.
    Note,
    /// A run can't go before this is mended.
    Mend,
}

impl Level {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Mend => "mend",
        }
    }
}

/// What is told about one subject.
#[derive(Debug, Serialize)]
pub struct CheckLine {
    /// The subject, such as `sign-in`.
    pub subject: &'static str,
    /// How a run fares with it.
    pub level: Level,
    /// What was seen, one matter each.
    pub seen: Vec<String>,
    /// What that means for a run.
    #[serde(serialize_with = "as_typed")]
    pub means: Wording,
    /// What to do, where there is anything.
    #[serde(serialize_with = "some_as_typed")]
    pub todo: Option<Wording>,
    /// The same for programs, where anything is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
}

impl CheckLine {
    /// A line about what a run can go with.
    pub fn ok(subject: &'static str, seen: impl Into<String>, means: impl Into<Wording>) -> Self {
        let (seen, means) = (vec![seen.into()], means.into());
        Self { subject, level: Level::Ok, seen, means, todo: None, facts: None }
    }

    /// A line about something to know.
    pub fn note(subject: &'static str, seen: impl Into<String>, means: impl Into<Wording>) -> Self {
        Self { level: Level::Note, ..Self::ok(subject, seen, means) }
    }

    /// A line about what is to be mended, and how.
    pub fn mend(
        subject: &'static str,
        seen: impl Into<String>,
        means: impl Into<Wording>,
        todo: impl Into<Wording>,
    ) -> Self {
        Self { level: Level::Mend, ..Self::ok(subject, seen, means) }.todo(todo)
    }

    /// Says what to do.
    #[must_use]
    pub fn todo(mut self, todo: impl Into<Wording>) -> Self {
        self.todo = Some(todo.into());
        self
    }

    /// Adds what programs read.
    #[must_use]
    pub fn facts(mut self, facts: impl Into<Option<Facts>>) -> Self {
        self.facts = facts.into();
        self
    }
}

/// What to mend first, and what to type then, in the form for programs that read it.
#[derive(Serialize)]
pub struct FirstToMend<'a> {
    subject: &'static str,
    seen: &'a [String],
    todo: Option<String>,
    next: String,
}

impl<'a> FirstToMend<'a> {
    /// A line about what is to be mended, and the command that follows.
    pub fn new(line: &'a CheckLine, next: &str) -> Self {
        let CheckLine { subject, seen, todo, .. } = line;
        Self { subject, seen, todo: todo.as_ref().map(spelled), next: next.to_owned() }
    }
}

/// Says what is to be mended, and how.
pub fn say_mend(line: &CheckLine, console: &dyn Console) {
    console.say(&format!("error: {}: {}", line.subject, visible(&line.seen.join("; "))));
    line.todo.iter().for_each(|todo| console.say(&format!("hint: {}", visible(&spelled(todo)))));
}

/// Returns that something is ready, where no line is about what is to be mended, and how much there is to know.
pub fn ready(what: &str, lines: &[CheckLine]) -> String {
    match lines.iter().filter(|line| line.level == Level::Note).count() as u64 {
        0 => format!("ready: {what}"),
        notes => format!("ready: {what}, with {}", counted(notes, "note")),
    }
}

/// Returns the lines for people: level and subject, what was seen, what it means, and what to do.
pub fn text(lines: &[CheckLine]) -> String {
    let widest = lines.iter().map(|line| line.subject.len()).max().unwrap_or_default();
    let indent = " ".repeat(widest + 8);
    let mut text = String::new();
    for CheckLine { subject, level, seen, means, todo, .. } in lines {
        let mut told: Vec<String> = seen.iter().map(|seen| visible(seen).into_owned()).collect();
        told.push(format!("→ {}", visible(&spelled(means))));
        told.extend(todo.as_ref().map(|todo| format!("to do: {}", visible(&spelled(todo)))));
        let rest = told.split_off(1);
        writeln!(text, "{:4}  {subject:widest$}  {}", level.name(), told.concat())
            .expect("writing to a string never fails");
        for told in rest {
            writeln!(text, "{indent}{told}").expect("writing to a string never fails");
        }
    }
    text
}

fn as_typed<S: Serializer>(wording: &Wording, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&spelled(wording))
}

fn some_as_typed<S: Serializer>(wording: &Option<Wording>, serializer: S) -> Result<S::Ok, S::Error> {
    wording.as_ref().map(spelled).serialize(serializer)
}
