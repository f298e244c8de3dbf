//! Commands that print a secret.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use super::kind::SecretKind;
use super::text::{LONGEST, secret};
use crate::domain::wording::Wording;

/// The longest time that a command may take. One that takes longer is probably waiting for input.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);

/// A command as the user wrote it. Its arguments may hold a secret, so `Debug` hides them.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub struct CommandText(SecretString);

impl From<String> for CommandText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// The reason why a text is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandTextError {
    /// It has a quote that is not closed, or ends with a backslash.
    #[error("{} has a quote that is not closed", .0.command())]
    Quotes(SecretKind),
    /// It names no program.
    #[error("{} is empty", .0.command())]
    Empty(SecretKind),
}

/// A command that prints a secret. It is run without a shell.
#[derive(Clone)]
pub struct SecretCommand {
    kind: SecretKind,
    program: String,
    arguments: Vec<String>,
}

/// Shows what it prints only: its arguments may hold a secret.
impl fmt::Debug for SecretCommand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecretCommand({:?})", self.kind)
    }
}

impl SecretCommand {
    /// Splits a text as a shell would.
    ///
    /// # Errors
    /// See [`CommandTextError`].
    pub fn parse(text: &CommandText, kind: SecretKind) -> Result<Self, CommandTextError> {
        let words = shlex::split(text.0.expose_secret()).ok_or(CommandTextError::Quotes(kind))?;
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty());
        let program = program.ok_or(CommandTextError::Empty(kind))?;
        Ok(Self { kind, program, arguments: words.collect() })
    }

    /// Runs the command, and returns what it prints. Its standard error is dropped: a command that fails may print
    /// secrets there.
    ///
    /// # Errors
    /// Returns a message where it can't be started, fails, takes too long, or prints what is no secret.
    pub async fn run(&self) -> Result<SecretString, Wording> {
        let name = self.kind.command();
        let mut child = tokio::process::Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let unstarted = format!("{name} cannot be started ({error}): check ");
                Wording::from(unstarted).name(self.kind.setting())
            })?;
        let output = child.stdout.take().expect("standard output is a pipe");
        let finish = async {
            let mut bytes = Vec::new();
            output.take(LONGEST + 1).read_to_end(&mut bytes).await?;
            // The end of a command that prints too much is not awaited, since it may never come: its output is
            // refused in any case.
            if bytes.len() as u64 > LONGEST {
                return Ok((bytes, None));
            }
            Ok((bytes, Some(child.wait().await?)))
        };
        let (bytes, status) = tokio::time::timeout(COMMAND_TIMEOUT, finish)
            .await
            .map_err(|_| format!("{name} did not end within {COMMAND_TIMEOUT:?}: it must not ask"))?
            .map_err(|error: std::io::Error| format!("{name} was lost ({error})"))?;
        match status {
            Some(status) if !status.success() => {
                Err(format!("{name} failed ({status}): run it by itself to see why").into())
            }
            _ => secret(bytes, &format!("the output of {name}"), self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_as_a_shell_would() {
        use SecretKind::{LedgerPassword, Token};
        for (text, kind, wanted) in [
            ("az account get-access-token", Token, Ok(vec!["az", "account", "get-access-token"])),
            (r#"'my tool' --a="b c" \$HOME"#, LedgerPassword, Ok(vec!["my tool", "--a=b c", "$HOME"])),
            ("cmd | other", Token, Ok(vec!["cmd", "|", "other"])),
            ("cmd 'x", Token, Err("the token command has a quote that is not closed")),
            ("cmd 'x", LedgerPassword, Err("the ledger's password command has a quote that is not closed")),
            ("  ", Token, Err("the token command is empty")),
            ("'' x", Token, Err("the token command is empty")),
        ] {
            let command = SecretCommand::parse(&text.to_owned().into(), kind);
            let words = command.map(|command| [vec![command.program], command.arguments].concat());
            let wanted = wanted.map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(words.map_err(|error| error.to_string()), wanted.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn nothing_shows_the_words_of_a_command() {
        let text = CommandText::from("print S3CRET".to_owned());
        let command = SecretCommand::parse(&text, SecretKind::LedgerPassword).unwrap();
        let shown = format!("{text:?} {command:?}");
        assert!(!shown.contains("S3CRET"), "{shown}");
    }
}
