//! The source of the bearer token, as the user names it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use super::oauth::{Grant, SignInService};
use super::store::{Renewal, SignInId, SignIns};
use crate::secrets::{CommandText, CommandTextError, SecretCommand, SecretKind};

/// The source of the bearer token.
#[derive(Clone)]
pub struct Auth(pub(super) TokenSource);

/// The kinds of sources.
#[derive(Clone)]
pub(super) enum TokenSource {
    Fixed(SecretString),
    File(PathBuf),
    Command(SecretCommand),
    SignedIn(Renewal),
}

impl Auth {
    /// Returns a source of this token only, which cannot be renewed.
    pub fn fixed(token: SecretString) -> Self {
        Self(TokenSource::Fixed(token))
    }

    /// Returns a source of the access token of a sign-in only, which cannot be renewed.
    pub fn granted(grant: &Grant) -> Self {
        Self::fixed(grant.access.token.bare())
    }

    /// Returns a sign-in that is kept as source. It is renewed with the refresh token that lies there, ahead of each
    /// token's end and where one is refused. `interrupted` tells whether the user wants the program to end.
    pub fn signed_in(
        sign_ins: SignIns,
        id: SignInId,
        service: SignInService,
        interrupted: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let interrupted = Arc::new(interrupted);
        Self(TokenSource::SignedIn(Renewal::new(sign_ins, id, Box::new(service), interrupted)))
    }

    /// Returns a file as source. It holds the token, or the JSON that a token endpoint answers with, and is
    /// read again when the token is refused.
    pub fn file(path: PathBuf) -> Self {
        Self(TokenSource::File(path))
    }

    /// Returns a program as source. It prints the token, or a JSON object with `access_token` or
    /// `accessToken`, and is run again when the token is refused. The text is split as a shell would, and run
    /// without a shell.
    ///
    /// # Errors
    /// See [`CommandTextError`].
    pub fn command(text: &CommandText) -> Result<Self, CommandTextError> {
        SecretCommand::parse(text, SecretKind::Token).map(|command| Self(TokenSource::Command(command)))
    }
}

/// Shows the kind of the source only: a command's arguments may hold a secret.
impl fmt::Debug for Auth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.0 {
            TokenSource::Fixed(_) => "Auth(fixed)",
            TokenSource::File(_) => "Auth(file)",
            TokenSource::Command(_) => "Auth(command)",
            TokenSource::SignedIn(_) => "Auth(signed in)",
        })
    }
}

impl TokenSource {
    /// Returns what it is called in a sentence.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "the token given",
            Self::File(_) => "the token file",
            Self::Command(_) => "the output of the token command",
            Self::SignedIn(_) => "the sign-in",
        }
    }
}
