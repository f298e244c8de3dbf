//! The command to type next: the one place that knows how commands and settings are typed.
//!
//! Other modules suggest a next step as a run, files and settings. This module turns them into a line that a
//! POSIX shell takes, and a [`Wording`] into plain text.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::Utf8Chunk;

use crate::domain::characters::is_hidden;
use crate::domain::referral::ReferralId;
use crate::domain::setting::{Choice, Setting};
use crate::domain::wording::Wording;

const PROGRAM: &str = "referral-bulk";

/// Returns a setting as it is typed on the command line.
pub fn flag(setting: Setting) -> String {
    format!("--{}", setting.name())
}

/// Returns a text for people, with its settings as they are typed.
pub fn spelled(wording: &Wording) -> String {
    wording.spelled(flag)
}

/// Returns a setting and its value, quoted for a shell.
fn typed(choice: &Choice) -> String {
    let flag = flag(choice.setting);
    match &choice.value {
        None => flag,
        // The value of this option may be left out, so the next word would be taken for another operand.
        Some(value) if choice.setting == Setting::Sandbox => format!("{flag}={}", quoted(value)),
        Some(value) => format!("{flag} {}", quoted(value)),
    }
}

/// An operand of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// Standard input.
    Stdin,
    /// A file or a directory.
    Path(PathBuf),
}

impl Operand {
    const STDIN: &str = "-";

    /// Returns an input's operand from the name that the user gave it.
    pub fn input(name: &str) -> Self {
        if name == Self::STDIN { Self::Stdin } else { Self::Path(PathBuf::from(name)) }
    }
}

/// A command line, ready to be typed into a POSIX shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The command's name, such as `apply`.
    pub command: String,
    /// The files or directories that it works on.
    pub operands: Vec<Operand>,
    /// The settings that it takes.
    pub choices: Vec<Choice>,
}

impl CommandLine {
    /// Returns the command that carries on with a run.
    pub fn resume(run: &Path, choices: Vec<Choice>) -> Self {
        Self { command: "resume".to_owned(), operands: vec![Operand::Path(run.to_owned())], choices }
    }

    /// Returns the command that writes the reports of a run again.
    pub fn report(run: &Path) -> Self {
        let operands = vec![Operand::Path(run.to_owned())];
        Self { command: "report".to_owned(), operands, choices: Vec::new() }
    }

    /// Returns the command by which a second person approves a plan.
    pub fn approve(run: &Path, choices: Vec<Choice>) -> Self {
        Self { command: "approve".to_owned(), operands: vec![Operand::Path(run.to_owned())], choices }
    }

    /// Returns the command that writes the change file which takes a run back.
    pub fn undo(run: &Path, out: &Path) -> Self {
        let operands = vec![Operand::Path(run.to_owned())];
        Self { command: "undo".to_owned(), operands, choices: vec![Choice::of(Setting::Out, out)] }
    }

    /// Returns the command that shows a run to people.
    pub fn show(run: &Path, choices: Vec<Choice>) -> Self {
        Self { command: "show".to_owned(), operands: vec![Operand::Path(run.to_owned())], choices }
    }

    /// Returns the beginning of the command that tells the life of a row of a run, which is named behind it.
    pub fn explain_in(run: &Path) -> Self {
        Self {
            command: "explain".to_owned(),
            operands: vec![Operand::Path(run.to_owned())],
            choices: Vec::new(),
        }
    }

    /// Returns the command that tells the life of one referral in a run.
    pub fn explain(run: &Path, referral: ReferralId) -> Self {
        let operands = vec![Operand::Path(run.to_owned()), Operand::Path(referral.to_string().into())];
        Self { command: "explain".to_owned(), operands, choices: Vec::new() }
    }

    /// Returns the command that compares what a run wrote with the referrals as they are by now.
    pub fn verify(run: &Path, choices: Vec<Choice>) -> Self {
        Self { command: "verify".to_owned(), operands: vec![Operand::Path(run.to_owned())], choices }
    }

    /// Returns the command that checks whether all is ready.
    pub fn check(choices: Vec<Choice>) -> Self {
        Self { command: "check".to_owned(), operands: Vec::new(), choices }
    }

    /// Returns the command that signs in.
    pub fn login(choices: Vec<Choice>) -> Self {
        Self { command: "login".to_owned(), operands: Vec::new(), choices }
    }

    /// Returns the command that forgets a sign-in.
    pub fn logout(choices: Vec<Choice>) -> Self {
        Self { command: "logout".to_owned(), operands: Vec::new(), choices }
    }

    /// Returns the command that does something with a shared ledger, such as `check`.
    pub fn ledger(what: &str, choices: Vec<Choice>) -> Self {
        Self { command: format!("ledger {what}"), operands: Vec::new(), choices }
    }

    /// Returns the command that deletes what a shared ledger has on record of a run.
    pub fn forget(run: &str, choices: Vec<Choice>) -> Self {
        Self { operands: vec![Operand::Path(run.into())], ..Self::ledger("forget", choices) }
    }

    /// Returns the command that applies change files.
    pub fn apply(files: Vec<Operand>, choices: Vec<Choice>) -> Self {
        Self { command: "apply".to_owned(), operands: files, choices }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PROGRAM} {}", self.command)?;
        for operand in &self.operands {
            match operand {
                Operand::Stdin => write!(out, " {}", Operand::STDIN)?,
                Operand::Path(path) => write!(out, " {}", quoted(path))?,
            }
        }
        self.choices.iter().try_for_each(|choice| write!(out, " {}", typed(choice)))
    }
}

/// Quotes a path, or another word, so that a POSIX shell reads it back and no program takes it for an option.
/// Bytes that are not UTF-8, and characters that can't be seen, are written in `$'…'`, which POSIX has since
/// 2024 and which bash, ksh and zsh always knew.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let bytes = word.as_ref().as_encoded_bytes();
    let here = if bytes.starts_with(b"-") { "./" } else { "" };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.chars().all(plain) => format!("{here}{text}"),
        Ok(text) if !text.contains(is_hidden) => format!("'{here}{}'", text.replace('\'', r"'\''")),
        _ => format!("$'{here}{}'", bytes.utf8_chunks().map(escaped).collect::<String>()),
    }
}

/// Escapes text for use within `$'…'`, with the bytes behind it that are not UTF-8. An octal number has three
/// digits at most in every shell, whatever follows it.
fn escaped(chunk: Utf8Chunk<'_>) -> String {
    let octal = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:03o}")).collect::<String>();
    let character = |c: char| match c {
        '\'' | '\\' => format!("\\{c}"),
        c if is_hidden(c) => octal(c.encode_utf8(&mut [0; 4]).as_bytes()),
        c => c.to_string(),
    };
    chunk.valid().chars().map(character).collect::<String>() + &octal(chunk.invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_what_a_shell_takes() {
        let of = Choice::of;
        for (operands, choices, wanted) in [
            (vec![], vec![], "referral-bulk apply"),
            (
                vec![Operand::input("-"), Operand::input("a b.csv"), Operand::input("-x")],
                vec![Choice::bare(Setting::Clear), of(Setting::Reason, "it's late")],
                r"referral-bulk apply - 'a b.csv' ./-x --clear --reason 'it'\''s late'",
            ),
            (
                vec![],
                vec![Choice::bare(Setting::Sandbox), of(Setting::Rate, "2/s")],
                "referral-bulk apply --sandbox --rate 2/s",
            ),
            (vec![], vec![of(Setting::Sandbox, "my seed")], "referral-bulk apply --sandbox='my seed'"),
        ] {
            assert_eq!(CommandLine::apply(operands, choices).to_string(), wanted);
        }
        let run = Path::new("reports/r 1");
        assert_eq!(CommandLine::report(run).to_string(), "referral-bulk report 'reports/r 1'");
        let flags = vec![of(Setting::FinishBy, "2026-01-02T03:04:05Z")];
        assert_eq!(
            CommandLine::resume(run, flags).to_string(),
            "referral-bulk resume 'reports/r 1' --finish-by 2026-01-02T03:04:05Z"
        );
    }

    #[test]
    fn settings_are_spelled_as_they_are_typed() {
        let wording =
            Wording::from("say ").name(Setting::Format).say(" csv or ").name(Setting::Format).say(" jsonl");
        assert_eq!(spelled(&wording), "say --format csv or --format jsonl");
    }

    #[test]
    fn paths_are_quoted_where_a_shell_needs_it() {
        for (path, wanted) in [
            ("reports/2026-01-02T03-04-05Z-apply", "reports/2026-01-02T03-04-05Z-apply"),
            ("my runs/1", "'my runs/1'"),
            ("it's", r"'it'\''s'"),
            ("$HOME;x", "'$HOME;x'"),
            ("-rf", "./-rf"),
            ("- é", "'./- é'"),
            ("é", "'é'"),
            ("", "''"),
            ("a\nb", r"$'a\012b'"),
            ("\u{1b}[2J 'x\\\u{feff}7", r"$'\033[2J \'x\\\357\273\2777'"),
        ] {
            assert_eq!(quoted(path), wanted, "{path}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn paths_that_are_no_text_are_quoted_byte_by_byte() {
        use std::os::unix::ffi::OsStrExt;
        for (path, wanted) in [
            (&b"r\xff1"[..], r"$'r\3771'"),
            (b"-\xc3", r"$'./-\303'"),
            (b"it's \xc3\xa9\\\xe2\x82/x", r"$'it\'s é\\\342\202/x'"),
        ] {
            assert_eq!(quoted(OsStr::from_bytes(path)), wanted);
        }
    }
}
