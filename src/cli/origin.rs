//! A setting's value and who said it, so that an error blames the right place.

use std::fmt;

use super::config::FILE;
use crate::commands::CommandError;

/// A value, and who said it.
#[derive(Debug, Clone, Copy)]
pub struct Sourced<'a> {
    /// As it was written.
    pub value: &'a str,
    /// Who wrote it.
    pub origin: Origin<'a>,
}

/// Who said something.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A flag, by its name with both hyphens.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
    /// A key of a profile of the file.
    Key {
        /// The profile's name.
        profile: &'a str,
        /// The key's name.
        key: &'static str,
    },
}

impl<'a> Sourced<'a> {
    /// What the flag says; else the file; else the default, which is right and blames nobody.
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

    /// That the value is wrong. What was typed is shown; of the file's values none is, since a token may
    /// stand there by mistake.
    pub fn wrong(&self, why: impl fmt::Display) -> CommandError {
        match self.origin {
            Origin::Flag(flag) => CommandError::usage(format!("{flag} {}: {why}", self.value)),
            origin => origin.error(why),
        }
    }
}

impl Origin<'_> {
    /// That something is wrong with what was said here.
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
