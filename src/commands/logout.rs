//! `logout`: forgets sign-ins.

use super::credentials::{sign_ins, store_failed};
use super::environment::{Console, Environment};
use super::error::{CommandError, ErrorKind, Problem};
use super::login_status::profile_name;
use super::next_command::CommandLine;
use crate::api::{Forgotten, Kept, KeyringError, SignIns};
use crate::domain::characters::visible;
use crate::domain::exit::Exit;
use crate::domain::setting::{Choice, Setting};

/// The options of `logout`.
#[derive(Debug)]
pub struct LogoutOptions {
    /// Whose sign-ins to forget.
    pub whose: Whose,
}

/// The sign-ins to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those of a profile; `None` for the one that counts where none is named.
    Profile(Option<String>),
    /// Those of all profiles.
    Everybody,
}

/// Forgets sign-ins.
///
/// # Errors
/// Returns an error where one can't be removed, or may still lie in the keyring. The others are forgotten all the
/// same.
pub async fn run(options: &LogoutOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let (sign_ins, console) = (sign_ins(environment)?, environment.console);
    let again = options.whose.logout();
    let (mut count, mut troubles) = (0_u64, Vec::new());
    for forgotten in options.whose.forget(&sign_ins).await? {
        match forgotten {
            Ok(forgotten) if forgotten.is_nothing() => {}
            Ok(forgotten) => match &forgotten.left_in_keyring {
                Some(why) => troubles.push(left(&forgotten, why, &again)),
                None => {
                    count += 1;
                    tell(&forgotten, console);
                }
            },
            Err(trouble) => troubles.push(trouble),
        }
    }
    if count > 0 {
        console.say(
            "note: access tokens that were issued stay good until they end, about an hour at most; an administrator \
             can revoke the session at the sign-in service",
        );
    }
    let problems: Vec<Problem> = troubles.into_iter().flat_map(|trouble| trouble.problems).collect();
    if !problems.is_empty() {
        return Err(CommandError::of(ErrorKind::CouldNotRun, problems));
    }
    if count == 0 {
        match &options.whose {
            Whose::Everybody => console.say("nobody is signed in"),
            Whose::Profile(name) => {
                console.say(&format!("nobody is signed in for {}", profile_name(name.as_deref())));
            }
        }
    }
    Ok(Exit::Done)
}

impl Whose {
    /// Forgets the sign-ins. An error stands in the place of one that can't be removed.
    async fn forget(&self, sign_ins: &SignIns) -> Result<Vec<Result<Forgotten, CommandError>>, CommandError> {
        let failed = |error| store_failed(&error, None);
        let Self::Profile(profile) = self else {
            let all = sign_ins.forget_all().await.map_err(failed)?;
            return Ok(all.into_iter().map(|forgotten| forgotten.map_err(failed)).collect());
        };
        let mut all = Vec::new();
        for record in sign_ins.records().map_err(failed)? {
            match record {
                Ok(record) if record.id.profile == *profile => {
                    all.push(sign_ins.forget(&record.id).await.map_err(failed));
                }
                Ok(_) => {}
                Err(error) => all.push(Err(CommandError::could_not_run(format!(
                    "{error}, so that nothing tells whose sign-in it is"
                ))
                .hint(format!("forget it with all others: {}", Self::Everybody.logout())))),
            }
        }
        Ok(all)
    }

    /// Returns the command that forgets them.
    fn logout(&self) -> CommandLine {
        CommandLine::logout(match self {
            Self::Profile(name) => name.iter().map(|name| Choice::of(Setting::Profile, name)).collect(),
            Self::Everybody => vec![Choice::bare(Setting::All)],
        })
    }
}

/// Says what was removed.
fn tell(forgotten: &Forgotten, console: &dyn Console) {
    let places: Vec<&str> = forgotten
        .tokens
        .iter()
        .map(|kept| match kept {
            Kept::Keyring => "the system's keyring",
            Kept::File => "its file",
        })
        .collect();
    let removed = match places[..] {
        [] => "its refresh token was gone already".to_owned(),
        _ => format!("its refresh token is removed from {}", places.join(" and ")),
    };
    console.say(&format!("forgotten: {}: {removed}", named(forgotten)));
}

/// Returns whose sign-in it is, as far as that is known.
fn named(forgotten: &Forgotten) -> String {
    match (&forgotten.record, &forgotten.unread) {
        (Some(record), _) => {
            let who = record.account.as_ref().map_or("somebody".to_owned(), ToString::to_string);
            let profile = profile_name(record.id.profile.as_deref());
            format!("{}, in the tenant {}, for {profile}", visible(&who), record.id.tenant)
        }
        (None, Some(error)) => format!("a sign-in whose record could not be read ({error})"),
        (None, None) => "a sign-in without a record".to_owned(),
    }
}

/// Makes the error that a refresh token may still lie in the keyring.
fn left(forgotten: &Forgotten, why: &KeyringError, again: &CommandLine) -> CommandError {
    let remedy = match why {
        KeyringError::Locked(_) | KeyringError::Silent(_) => "unlock the keyring",
        _ => "see to the keyring",
    };
    let message =
        format!("not forgotten: {}: its refresh token may lie in the keyring, and {why}", named(forgotten));
    CommandError::could_not_run(message).hint(format!("{remedy}, then: {again}"))
}
