//! The password of a shared ledger: where it comes from. It is looked for anew for every connection, since one that a
//! command prints may be good for minutes only.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::passfile::{Asked, Ignored, look_up};
use crate::domain::wording::Wording;
use crate::secrets::SecretCommand;

/// Where the password of a shared ledger comes from. `Debug` shows no secret.
#[derive(Clone, Default)]
pub enum PasswordSource {
    /// Nowhere.
    #[default]
    None,
    /// A command that prints it.
    Command(SecretCommand),
    /// It was given.
    Given(SecretString),
    /// A file in the form of PostgreSQL's own programs. One that isn't there has none.
    File(PathBuf),
}

impl PasswordSource {
    /// Returns a source of this password only.
    pub fn given(password: &str) -> Self {
        Self::Given(password.to_owned().into())
    }

    /// Returns the password for a connection, and why a file was passed over.
    ///
    /// # Errors
    /// Returns a message where the command fails, or prints what is no password.
    pub(super) async fn fetch(
        &self,
        asked: &Asked<'_>,
    ) -> Result<(Option<SecretString>, Option<Ignored>), Wording> {
        match self {
            Self::None => Ok((None, None)),
            Self::Given(password) => Ok((Some(password.clone()), None)),
            Self::Command(command) => Ok((Some(line(&command.run().await?)?), None)),
            Self::File(path) => Ok(match look_up(path, asked) {
                Ok(password) => (password, None),
                Err(ignored) => (None, Some(ignored)),
            }),
        }
    }
}

impl fmt::Debug for PasswordSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::None => "PasswordSource(none)",
            Self::Command(_) => "PasswordSource(command)",
            Self::Given(_) => "PasswordSource(given)",
            Self::File(_) => "PasswordSource(file)",
        })
    }
}

/// Takes the one line that a command printed.
fn line(printed: &SecretString) -> Result<SecretString, Wording> {
    let text = printed.expose_secret();
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err("the ledger's password command printed nothing".into());
    }
    if line.contains('\n') {
        return Err("the ledger's password command printed more than one line".into());
    }
    Ok(line.to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_the_password_on_one_line() {
        for (printed, wanted) in [
            ("s3cret", Ok("s3cret")),
            ("s3cret\n", Ok("s3cret")),
            (" s3 cret \r\n", Ok(" s3 cret ")),
            ("", Err("the ledger's password command printed nothing")),
            ("\n", Err("the ledger's password command printed nothing")),
            (
                "s3cret\nnote: good for 15 minutes\n",
                Err("the ledger's password command printed more than one line"),
            ),
        ] {
            let read = line(&printed.to_owned().into());
            let read = read.map(|password| password.expose_secret().to_owned());
            assert_eq!(read.as_deref().map_err(Wording::as_str), wanted, "{printed:?}");
        }
    }

    #[test]
    fn nothing_shows_a_password() {
        let shown = format!("{:?}", PasswordSource::given("S3CRET"));
        assert!(!shown.contains("S3CRET"), "{shown}");
    }
}
