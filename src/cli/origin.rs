//! The origin of a setting's value: a flag, a variable or the settings file. Error messages name it.

use std::fmt;

use super::config::FILE;
use crate::commands::CommandError;

/// A value with its origin.
#[derive(Debug, Clone, Copy)]
pub struct Sourced<'a> {
    /// The value as it was written.
    pub value: &'a str,
    /// Where it comes from.
    pub origin: Origin<'a>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A flag, by its name with both hyphens.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A key of a profile in the settings file.
    Key {
        /// The profile's name.
        profile: &'a str,
        /// The key's name.
        key: &'static str,
    },
}

impl<'a> Sourced<'a> {
    /// Takes the value of the flag, or else of the file, or else the default. The default has the flag as its origin,
    /// which no message will show: it is always valid.
    pub fn of(
        typed: Option<&'a str>,
        in_file: Option<&'a str>,
        flag: Origin<'a>,
        key: Origin<'a>,
        default: &'a str,
    ) -> Self {
        match (typed, in_file) {
            (None, Some(value)) => Self { value, origin: key },
            (typed, _) => Self { value: typed.unwrap_or(default), origin: flag },
        }
    }

    /// Makes the error that the value is wrong. The message shows what was typed, but no value of the file: a token
    /// may stand there by mistake.
    pub fn wrong(&self, why: impl fmt::Display) -> CommandError {
        match self.origin {
            Origin::Flag(flag) => CommandError::usage(format!("{flag} {}: {why}", self.value)),
            origin => origin.error(why),
        }
    }
}

impl Origin<'_> {
    /// Makes the error that something is wrong with the value from here, without showing the value.
    pub fn error(self, why: impl fmt::Display) -> CommandError {
        CommandError::usage(format!("{self}: {why}"))
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => out.write_str(name),
            Self::Key { profile, key } => write!(out, "{FILE}: {key} of [profile.{profile}]"),
        }
    }
}
