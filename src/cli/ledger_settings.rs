//! Makes the settings of a shared ledger: where it is, and where its password comes from.

use std::borrow::Cow;
use std::path::PathBuf;

use super::args::{self, LedgerArgs};
use super::config::{DEFAULT_PROFILE, Profile};
use super::origin::{FILE, Origin, Sourced, Table};
use super::sources::Surroundings;
use crate::commands::CommandError;
use crate::commands::ledger::{CheckOptions, ForgetOptions, LedgerOptions};
use crate::domain::setting::{Choice, Setting};
use crate::domain::wording::Wording;
use crate::ledger::postgres::{LedgerServer, LedgerUrl, LedgerUrlError, PasswordSource};
use crate::secrets::{CommandText, SecretCommand, SecretKind};

/// The environment variable that holds the URL of a shared ledger.
pub const LEDGER: &str = "REFERRAL_BULK_LEDGER";

/// PostgreSQL's own environment variable for a password.
const PASSWORD: &str = "PGPASSWORD";

/// PostgreSQL's own environment variable for the file with passwords.
const PASSWORD_FILE: &str = "PGPASSFILE";

/// Where the password of a shared ledger comes from. A command, and a password itself, are never shown.
#[derive(Clone)]
pub enum LedgerPasswordSetting<'a> {
    /// A program that prints it.
    Command(&'a CommandText),
    /// The password itself.
    Given(&'a str),
    /// A file that may hold it.
    File(PathBuf),
}

/// What is set of a shared ledger, as it is written.
pub struct LedgerSettings<'a> {
    /// Where it is.
    pub url: Option<Sourced<'a>>,
    /// Where the password comes from.
    pub password: Option<Sourced<'a, LedgerPasswordSetting<'a>>>,
}

impl Surroundings<'_> {
    /// Returns what flags, the environment and the profile say of a shared ledger.
    pub(super) fn ledger_settings<'a>(
        &'a self,
        typed: &'a LedgerArgs,
        profile: &'a Profile,
    ) -> LedgerSettings<'a> {
        let key = |key: &'static str| {
            let table = Table::Profile(typed.profile.as_deref().unwrap_or(DEFAULT_PROFILE));
            self.config.origin(table, key)
        };
        let command = |text: &'a Option<CommandText>| text.as_ref().map(LedgerPasswordSetting::Command);
        // Blanks belong to a password.
        let given = self.variables.get(PASSWORD).filter(|password| !password.is_empty());
        let file = self.variable(PASSWORD_FILE).map(PathBuf::from);
        let own_file = self.own_password_file();
        LedgerSettings {
            url: Sourced::first([
                (Origin::Flag("--ledger"), typed.ledger.as_deref().map(Cow::Borrowed)),
                (Origin::Variable(LEDGER), self.variable(LEDGER).map(Cow::Borrowed)),
                (key("ledger"), profile.ledger.as_deref().map(Cow::Borrowed)),
            ]),
            password: Sourced::first([
                (Origin::Flag("--ledger-password-command"), command(&typed.ledger_password_command)),
                (Origin::Variable(PASSWORD), given.map(|given| LedgerPasswordSetting::Given(given))),
                (key("ledger-password-command"), command(&profile.ledger_password_command)),
                (Origin::Variable(PASSWORD_FILE), file.map(LedgerPasswordSetting::File)),
                (Origin::Default, own_file.map(LedgerPasswordSetting::File)),
            ]),
        }
    }

    /// Returns the file in which PostgreSQL's own programs look for passwords where none is named.
    fn own_password_file(&self) -> Option<PathBuf> {
        let (directory, file) =
            if cfg!(windows) { ("APPDATA", "postgresql/pgpass.conf") } else { ("HOME", ".pgpass") };
        self.variable(directory).map(|directory| PathBuf::from(directory).join(file))
    }

    /// Makes the settings of `ledger init` and `ledger upgrade`.
    ///
    /// # Errors
    /// A usage error if no ledger is named, or a value is invalid. Nothing was connected to by then.
    pub fn ledger(&self, typed: &LedgerArgs) -> Result<LedgerOptions, CommandError> {
        let profile = self.config.profile(typed.profile.as_deref())?;
        let set = self.ledger_settings(typed, &profile);
        let url = set.url.as_ref().ok_or_else(unnamed)?;
        let choices = [
            typed.ledger.as_ref().map(|url| Choice::of(Setting::Ledger, url)),
            typed.profile.as_ref().map(|name| Choice::of(Setting::Profile, name)),
        ];
        Ok(LedgerOptions {
            server: LedgerServer {
                url: ledger_url(url)?,
                password: set.password.as_ref().map(password).transpose()?.unwrap_or_default(),
                fallback_user: self.user_name(),
            },
            typed: choices.into_iter().flatten().collect(),
            password_command: typed.ledger_password_command.is_some(),
        })
    }

    /// Makes the settings of `ledger check`.
    ///
    /// # Errors
    /// As [`Self::ledger`].
    pub fn ledger_check(&self, typed: &args::LedgerCheckArgs) -> Result<CheckOptions, CommandError> {
        Ok(CheckOptions { ledger: self.ledger(&typed.ledger)?, json: typed.json })
    }

    /// Makes the settings of `ledger forget`.
    ///
    /// # Errors
    /// As [`Self::ledger`].
    pub fn ledger_forget(&self, typed: args::LedgerForgetArgs) -> Result<ForgetOptions, CommandError> {
        Ok(ForgetOptions { ledger: self.ledger(&typed.ledger)?, run: typed.run, yes: typed.yes })
    }
}

/// Parses the URL of a ledger. An invalid one isn't shown: it may hold a password.
pub(super) fn ledger_url(set: &Sourced<'_>) -> Result<LedgerUrl, CommandError> {
    LedgerUrl::parse(&set.value).map_err(|error| {
        let refused = set.origin.error(&error);
        match error {
            LedgerUrlError::Password => refused.hint(
                Wording::from("give it in PGPASSWORD, in the file that PGPASSFILE names (~/.pgpass), or by ")
                    .name(Setting::LedgerPasswordCommand),
            ),
            LedgerUrlError::Plain => {
                refused.hint("switch TLS on at the server, with a certificate for its host name")
            }
            _ => refused,
        }
    })
}

/// Takes where the password comes from. An invalid command isn't shown: it may hold a secret.
pub(super) fn password(set: &Sourced<'_, LedgerPasswordSetting<'_>>) -> Result<PasswordSource, CommandError> {
    Ok(match &set.value {
        LedgerPasswordSetting::Given(password) => PasswordSource::given(password),
        LedgerPasswordSetting::File(path) => PasswordSource::File(path.clone()),
        LedgerPasswordSetting::Command(text) => {
            let command = SecretCommand::parse(text, SecretKind::LedgerPassword);
            PasswordSource::Command(command.map_err(|error| {
                set.origin.error(error).hint(
                    "write a program and its arguments, as a shell takes them, as in \"pass show ledger\"",
                )
            })?)
        }
    })
}

/// Makes the error that no ledger is named.
fn unnamed() -> CommandError {
    CommandError::usage("no shared ledger is named").hint(
        Wording::from("name its database with ")
            .name(Setting::Ledger)
            .say(" postgres://user@db.example/referrals, in ")
            .say(LEDGER)
            .say(format!(", or as ledger in a profile of {FILE}")),
    )
}
