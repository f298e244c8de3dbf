//! The settings of a run, by name. How a setting is typed is for `commands::next_command` to say.

use std::ffi::OsString;

/// A setting that a user may give, on the command line or in the settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// A path that may be patched although it is not documented as patchable.
    AllowPath,
    /// The referrals as they were when legacy payloads were made.
    Base,
    /// Whether fields may be cleared.
    Clear,
    /// Requests in flight.
    Concurrency,
    /// The number of referrals that may be closed.
    ConfirmClosing,
    /// The decimal sign in the numbers of CSV files.
    Decimal,
    /// The base of the API.
    Endpoint,
    /// The time at which a run stops.
    FinishBy,
    /// The form of the inputs.
    Format,
    /// A column that changes nothing.
    IgnoreColumn,
    /// The most changes that a run may begin with.
    MaxChanges,
    /// The number of bad rows at which a run stops.
    MaxErrors,
    /// What follows where somebody else changed a referral after the plan.
    OnConflict,
    /// The run's directory.
    Out,
    /// The new file that the documents of a plan are written to as well.
    Patches,
    /// Whether the run is only planned.
    Plan,
    /// The profile of the settings file.
    Profile,
    /// Requests per second.
    Rate,
    /// Why the run is made.
    Reason,
    /// The level of a rule.
    Rule,
    /// The sandbox as the service, and what it is seeded from.
    Sandbox,
    /// Where the referrals' current state comes from.
    State,
    /// A field that is taken from a stale payload.
    Take,
    /// The timeout of each request.
    Timeout,
    /// The program that prints a token.
    TokenCommand,
    /// The file that holds a token.
    TokenFile,
    /// Consent to whatever can be taken back.
    Yes,
}

impl Setting {
    /// Every setting, by name.
    pub const ALL: [Self; 27] = [
        Self::AllowPath,
        Self::Base,
        Self::Clear,
        Self::Concurrency,
        Self::ConfirmClosing,
        Self::Decimal,
        Self::Endpoint,
        Self::FinishBy,
        Self::Format,
        Self::IgnoreColumn,
        Self::MaxChanges,
        Self::MaxErrors,
        Self::OnConflict,
        Self::Out,
        Self::Patches,
        Self::Plan,
        Self::Profile,
        Self::Rate,
        Self::Reason,
        Self::Rule,
        Self::Sandbox,
        Self::State,
        Self::Take,
        Self::Timeout,
        Self::TokenCommand,
        Self::TokenFile,
        Self::Yes,
    ];

    /// The name, as the settings file spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllowPath => "allow-path",
            Self::Base => "base",
            Self::Clear => "clear",
            Self::Concurrency => "concurrency",
            Self::ConfirmClosing => "confirm-closing",
            Self::Decimal => "decimal",
            Self::Endpoint => "endpoint",
            Self::FinishBy => "finish-by",
            Self::Format => "format",
            Self::IgnoreColumn => "ignore-column",
            Self::MaxChanges => "max-changes",
            Self::MaxErrors => "max-errors",
            Self::OnConflict => "on-conflict",
            Self::Out => "out",
            Self::Patches => "patches",
            Self::Plan => "plan",
            Self::Profile => "profile",
            Self::Rate => "rate",
            Self::Reason => "reason",
            Self::Rule => "rule",
            Self::Sandbox => "sandbox",
            Self::State => "state",
            Self::Take => "take",
            Self::Timeout => "timeout",
            Self::TokenCommand => "token-command",
            Self::TokenFile => "token-file",
            Self::Yes => "yes",
        }
    }
}

/// A setting, and the value that it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The setting.
    pub setting: Setting,
    /// Its value; `None` where the setting says all by itself.
    pub value: Option<OsString>,
}

impl Choice {
    /// A setting that takes no value.
    pub fn bare(setting: Setting) -> Self {
        Self { setting, value: None }
    }

    /// A setting and its value.
    pub fn of(setting: Setting, value: impl Into<OsString>) -> Self {
        Self { setting, value: Some(value.into()) }
    }
}
