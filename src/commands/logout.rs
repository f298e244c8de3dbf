//! `logout`: forgets sign-ins.

use super::credentials::{sign_ins, store_failed};
use super::environment::{Console, Environment};
use super::error::CommandError;
use super::login_status::profile_name;
use crate::api::{Forgotten, Kept, Record};
use crate::domain::characters::visible;
use crate::domain::exit::Exit;

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

impl Whose {
    fn is(&self, record: &Record) -> bool {
        match self {
            Self::Profile(profile) => record.id.profile == *profile,
            Self::Everybody => true,
        }
    }
}

/// Forgets sign-ins.
///
/// # Errors
/// Returns an error where one can't be removed. The others are forgotten all the same.
pub async fn run(options: &LogoutOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let (sign_ins, console) = (sign_ins(environment)?, environment.console);
    let failed = |error| store_failed(&error, None);
    let (mut count, mut trouble) = (0_u64, None);
    for record in sign_ins.records().map_err(failed)? {
        match record {
            Ok(record) if options.whose.is(&record) => match sign_ins.forget(&record.id).await {
                Ok(forgotten) => {
                    count += 1;
                    tell(&record, &forgotten, console);
                }
                Err(error) => trouble = Some(failed(error)),
            },
            Ok(_) => {}
            // Whose it is can't be told.
            Err(error) => trouble = Some(failed(error)),
        }
    }
    if count > 0 {
        console.say(
            "note: access tokens that were issued stay good until they end, about an hour at most; an administrator \
             can revoke the session at the sign-in service",
        );
    }
    match (trouble, count) {
        (Some(trouble), _) => Err(trouble),
        (None, 0) => {
            match &options.whose {
                Whose::Everybody => console.say("nobody is signed in"),
                Whose::Profile(name) => {
                    console.say(&format!("nobody is signed in for {}", profile_name(name.as_deref())));
                }
            }
            Ok(Exit::Done)
        }
        (None, _) => Ok(Exit::Done),
    }
}

/// Says what was removed.
fn tell(record: &Record, forgotten: &Forgotten, console: &dyn Console) {
    let who = record.account.as_ref().map_or("somebody".to_owned(), ToString::to_string);
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
    let (who, profile) = (visible(&who), profile_name(record.id.profile.as_deref()));
    console.say(&format!("forgotten: {who}, in the tenant {}, for {profile}: {removed}", record.id.tenant));
    if let Some(why) = &forgotten.left_in_keyring {
        console.say(&format!(
            "warning: the keyring could not be asked, and may still hold the refresh token: {why}"
        ));
    }
}
