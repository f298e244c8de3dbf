//! The origin of a setting's value: a default, a flag, a variable or the settings file. Error messages name it.

use std::borrow::Cow;
use std::fmt;

use crate::commands::CommandError;
use crate::domain::characters::visible;

/// The name of the settings file.
pub const FILE: &str = "referral-bulk.toml";

/// A value with its origin.
#[derive(Debug, Clone)]
pub struct Sourced<'a, T = Cow<'a, str>> {
    /// The value as it was written.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin<'a>,
    /// The origins of other values, which this one goes before.
    pub over: Vec<Origin<'a>>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The program: it was given nowhere.
    Default,
    /// A flag, by its name with both hyphens.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A key in a table of the settings file.
    Key {
        /// The table, as in `profile.default`.
        table: Table<'a>,
        /// The key's name.
        key: &'a str,
        /// Its line, counted from 1, where that is known.
        line: Option<usize>,
    },
}

/// A table of the settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table<'a> {
    /// `[profile.NAME]`.
    Profile(&'a str),
    /// `[profile.NAME.columns]`.
    ProfileColumns(&'a str),
    /// `[rules]`.
    Rules,
    /// `[columns]`.
    Columns,
    /// `[portal-reasons]`.
    PortalReasons,
}

impl<'a, T> Sourced<'a, T> {
    /// Takes the first value of several sources, of which an earlier one goes before a later one. `None` where no
    /// source has one.
    pub fn first(sources: impl IntoIterator<Item = (Origin<'a>, Option<T>)>) -> Option<Self> {
        let mut given = sources.into_iter().filter_map(|(origin, value)| Some((origin, value?)));
        let (origin, value) = given.next()?;
        Some(Self { value, origin, over: given.map(|(origin, _)| origin).collect() })
    }

    /// Makes the built-in default of a setting.
    pub fn default(value: impl Into<T>) -> Self {
        Self { value: value.into(), origin: Origin::Default, over: Vec::new() }
    }
}

impl<T: fmt::Display> Sourced<'_, T> {
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

    /// Returns the place alone: `default`, a flag, a variable, or the file with its line.
    pub fn place(self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Flag(name) | Self::Variable(name) => name.to_owned(),
            Self::Key { line: Some(line), .. } => format!("{FILE}:{line}"),
            Self::Key { line: None, .. } => FILE.to_owned(),
        }
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.place())?;
        match self {
            Self::Key { table, key, .. } => write!(out, ": {} of {table}", visible(key)),
            Self::Default | Self::Flag(_) | Self::Variable(_) => Ok(()),
        }
    }
}

impl<'a> Table<'a> {
    /// Returns the names of the table and of those that it lies in, outermost first.
    pub fn path(self) -> Vec<&'a str> {
        match self {
            Self::Profile(name) => vec!["profile", name],
            Self::ProfileColumns(name) => vec!["profile", name, "columns"],
            Self::Rules => vec!["rules"],
            Self::Columns => vec!["columns"],
            Self::PortalReasons => vec!["portal-reasons"],
        }
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[{}]", visible(&self.path().join(".")))
    }
}
