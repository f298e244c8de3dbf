//! Which source each setting of a profile is taken from: a flag, else the environment, else the settings file, else
//! the default.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::args::{LimitArgs, TargetArgs};
use super::config::{Config, DEFAULT_PROFILE, Profile};
use super::origin::{Origin, Sourced, Table};
use crate::secrets::CommandText;

/// The environment variable that holds a token.
pub const TOKEN: &str = "PARTNER_CENTER_TOKEN";
/// The environment variable that holds the base URL of the API.
pub const ENDPOINT: &str = "REFERRAL_BULK_ENDPOINT";

const DEFAULT_RATE: &str = "2/s";
const DEFAULT_CONCURRENCY: u64 = 4;
const DEFAULT_TIMEOUT: &str = "30s";
const DEFAULT_MAX_ERRORS: &str = "100";

/// The sources of settings other than the command line.
pub struct Surroundings<'a> {
    /// The environment variables.
    pub variables: &'a BTreeMap<String, String>,
    /// The settings file.
    pub config: &'a Config,
    /// Whether standard error is a terminal whose size is known.
    pub terminal: bool,
}

/// Where a token comes from. A command, and a token itself, are never shown.
#[derive(Clone, Copy)]
pub enum TokenSetting<'a> {
    /// A program that prints one.
    Command(&'a CommandText),
    /// A file that holds one.
    File(&'a Path),
    /// The token itself.
    Given(&'a str),
}

/// The settings about speed and limits, as they are written.
pub struct Limits<'a> {
    /// Requests a second or a minute, or `auto`.
    pub rate: Sourced<'a>,
    /// Requests in flight.
    pub concurrency: Sourced<'a, u64>,
    /// The timeout of each request.
    pub timeout: Sourced<'a>,
    /// The number or share of bad rows to stop at.
    pub max_errors: Sourced<'a>,
    /// The maximum number of changes, where there is one.
    pub max_changes: Option<Sourced<'a, u64>>,
}

/// The settings file's key for a setting, in the profile that is used.
struct Keys<'a> {
    surroundings: &'a Surroundings<'a>,
    table: Table<'a>,
}

impl<'a> Keys<'a> {
    fn origin(&self, key: &'static str) -> Origin<'a> {
        self.surroundings.config.origin(self.table, key)
    }

    /// Takes a setting that flag and file have.
    fn take<T>(&self, flag: &'static str, typed: Option<T>, in_file: Option<T>) -> Option<Sourced<'a, T>> {
        let key = flag.trim_start_matches('-');
        Sourced::first([(Origin::Flag(flag), typed), (self.origin(key), in_file)])
    }
}

impl<'s> Surroundings<'s> {
    fn keys<'a>(&'a self, typed: &'a TargetArgs) -> Keys<'a>
    where
        's: 'a,
    {
        let name = typed.profile.as_deref().unwrap_or(DEFAULT_PROFILE);
        Keys { surroundings: self, table: Table::Profile(name) }
    }

    /// Returns a variable's value, without white space around it; an empty one counts as none.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns the name of the user on this machine, where the environment tells it.
    pub(super) fn user_name(&self) -> Option<String> {
        user_name(self.variables)
    }

    /// Returns the base URL of the API, where one is set.
    pub(super) fn endpoint<'a>(&'a self, typed: &'a TargetArgs, profile: &'a Profile) -> Option<Sourced<'a>> {
        Sourced::first([
            (Origin::Flag("--endpoint"), typed.endpoint.as_deref().map(Cow::Borrowed)),
            (Origin::Variable(ENDPOINT), self.variable(ENDPOINT).map(Cow::Borrowed)),
            (self.keys(typed).origin("endpoint"), profile.endpoint.as_deref().map(Cow::Borrowed)),
        ])
    }

    /// Returns where the token comes from, where anything says so.
    pub(super) fn token<'a>(
        &'a self,
        typed: &'a TargetArgs,
        profile: &'a Profile,
    ) -> Option<Sourced<'a, TokenSetting<'a>>> {
        let keys = self.keys(typed);
        Sourced::first([
            (Origin::Flag("--token-command"), typed.token_command.as_ref().map(TokenSetting::Command)),
            (Origin::Flag("--token-file"), typed.token_file.as_deref().map(TokenSetting::File)),
            (Origin::Variable(TOKEN), self.variable(TOKEN).map(TokenSetting::Given)),
            (keys.origin("token-command"), profile.token_command.as_ref().map(TokenSetting::Command)),
            (keys.origin("token-file"), profile.token_file.as_deref().map(TokenSetting::File)),
        ])
    }

    /// Returns the command that is told of a run's end, where one is set.
    pub(super) fn finishing<'a>(
        &'a self,
        typed: Option<&'a str>,
        target: &'a TargetArgs,
        profile: &'a Profile,
    ) -> Option<Sourced<'a>> {
        let text = |text: Option<&'a str>| text.map(Cow::Borrowed);
        self.keys(target).take("--on-finish", text(typed), text(profile.on_finish.as_deref()))
    }

    /// Returns speed and limits.
    pub(super) fn limits<'a>(
        &'a self,
        typed: &'a LimitArgs,
        target: &'a TargetArgs,
        profile: &'a Profile,
    ) -> Limits<'a> {
        let keys = self.keys(target);
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        let pace = &typed.pace;
        let rate = pace.rate.map(|rate| Cow::Owned(rate.to_string()));
        Limits {
            rate: keys
                .take("--rate", rate, text(&profile.rate))
                .unwrap_or_else(|| Sourced::default(DEFAULT_RATE)),
            concurrency: keys
                .take("--concurrency", pace.concurrency.map(u64::from), profile.concurrency)
                .unwrap_or_else(|| Sourced::default(DEFAULT_CONCURRENCY)),
            timeout: keys
                .take("--timeout", text(&pace.timeout), text(&profile.timeout))
                .unwrap_or_else(|| Sourced::default(DEFAULT_TIMEOUT)),
            max_errors: keys
                .take("--max-errors", text(&typed.max_errors), text(&profile.max_errors))
                .unwrap_or_else(|| Sourced::default(DEFAULT_MAX_ERRORS)),
            max_changes: keys.take("--max-changes", typed.max_changes, profile.max_changes),
        }
    }
}

/// Returns the name of the user on this machine, where the environment tells it.
pub fn user_name(variables: &BTreeMap<String, String>) -> Option<String> {
    let names = ["LOGNAME", "USER", "USERNAME"].into_iter().filter_map(|name| variables.get(name));
    names.map(|name| name.trim().to_owned()).find(|name| !name.is_empty())
}
