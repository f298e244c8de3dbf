//! The settings of a run. `commands::next_command` alone knows how each is typed.

use std::ffi::OsString;

/// A setting that a user may give, on the command line or in the settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// The account that a sign-in proposes.
    Account,
    /// Whether all referrals are shown.
    All,
    /// A path that may be patched although it is not documented as patchable.
    AllowPath,
    /// The name of a second person who approves a plan.
    Approver,
    /// The base URL of the sign-in service.
    Authority,
    /// The referrals as they were when legacy payloads were made.
    Base,
    /// Whether a browser on this machine signs in.
    Browser,
    /// Whether fields may be cleared.
    Clear,
    /// The id of the app registration that signs in.
    ClientId,
    /// The columns of a file that is made from referrals.
    Columns,
    /// Requests in flight.
    Concurrency,
    /// The number of referrals that may be closed.
    ConfirmClosing,
    /// The decimal sign in the numbers of CSV files.
    Decimal,
    /// Whether a code signs in, which is typed into a browser anywhere.
    DeviceCode,
    /// The base URL of the API.
    Endpoint,
    /// The time at which sending stops.
    FinishBy,
    /// Whether a file of the same name may be replaced.
    Force,
    /// The format of the inputs.
    Format,
    /// The list of the referrals that are meant.
    Ids,
    /// A column to ignore.
    IgnoreColumn,
    /// The shared ledger that is meant.
    Ledger,
    /// The program that prints the password of the shared ledger.
    LedgerPasswordCommand,
    /// What a column of somebody else's file means.
    Map,
    /// The field that rows name their referrals by.
    Match,
    /// The maximum number of changes that a run may begin with.
    MaxChanges,
    /// The number of refused, failed or partial rows at which a run stops.
    MaxErrors,
    /// How a referral is handled that was changed after the plan.
    OnConflict,
    /// The command that is told of a run's end.
    OnFinish,
    /// Whether a file is opened once it is written.
    Open,
    /// The run's directory.
    Out,
    /// The new file that the documents of a plan are written to as well.
    Patches,
    /// Whether the run is only planned.
    Plan,
    /// What changes are sent in the order of.
    Priority,
    /// The profile of the settings file.
    Profile,
    /// Requests per second.
    Rate,
    /// The reason for the run, in the user's words.
    Reason,
    /// Whether personal data is written out in the page of a run.
    Reveal,
    /// The level of a rule.
    Rule,
    /// The use of the sandbox as the service, and what it is seeded from.
    Sandbox,
    /// The permission that a sign-in asks for.
    Scope,
    /// A column that is filled with the same value for every referral.
    Set,
    /// The sheet that is read of a workbook.
    Sheet,
    /// The source of the referrals' current state.
    State,
    /// Whether only the state of the sign-in is shown.
    Status,
    /// The place where a sign-in is kept.
    Store,
    /// A field that is taken from a stale payload.
    Take,
    /// The tenant that is signed in to.
    Tenant,
    /// The timeout of each request.
    Timeout,
    /// The program that prints a token.
    TokenCommand,
    /// The file that holds a token.
    TokenFile,
    /// The parts in which changes are sent, each read back before the next.
    Waves,
    /// Consent to all changes that can be undone.
    Yes,
}

impl Setting {
    /// Every setting, by name.
    pub const ALL: [Self; 52] = [
        Self::Account,
        Self::All,
        Self::AllowPath,
        Self::Approver,
        Self::Authority,
        Self::Base,
        Self::Browser,
        Self::Clear,
        Self::ClientId,
        Self::Columns,
        Self::Concurrency,
        Self::ConfirmClosing,
        Self::Decimal,
        Self::DeviceCode,
        Self::Endpoint,
        Self::FinishBy,
        Self::Force,
        Self::Format,
        Self::Ids,
        Self::IgnoreColumn,
        Self::Ledger,
        Self::LedgerPasswordCommand,
        Self::Map,
        Self::Match,
        Self::MaxChanges,
        Self::MaxErrors,
        Self::OnConflict,
        Self::OnFinish,
        Self::Open,
        Self::Out,
        Self::Patches,
        Self::Plan,
        Self::Priority,
        Self::Profile,
        Self::Rate,
        Self::Reason,
        Self::Reveal,
        Self::Rule,
        Self::Sandbox,
        Self::Scope,
        Self::Set,
        Self::Sheet,
        Self::State,
        Self::Status,
        Self::Store,
        Self::Take,
        Self::Tenant,
        Self::Timeout,
        Self::TokenCommand,
        Self::TokenFile,
        Self::Waves,
        Self::Yes,
    ];

    /// Returns the name, as the settings file spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::All => "all",
            Self::AllowPath => "allow-path",
            Self::Approver => "approver",
            Self::Authority => "authority",
            Self::Base => "base",
            Self::Browser => "browser",
            Self::Clear => "clear",
            Self::ClientId => "client-id",
            Self::Columns => "columns",
            Self::Concurrency => "concurrency",
            Self::ConfirmClosing => "confirm-closing",
            Self::Decimal => "decimal",
            Self::DeviceCode => "device-code",
            Self::Endpoint => "endpoint",
            Self::FinishBy => "finish-by",
            Self::Force => "force",
            Self::Format => "format",
            Self::Ids => "ids",
            Self::IgnoreColumn => "ignore-column",
            Self::Ledger => "ledger",
            Self::LedgerPasswordCommand => "ledger-password-command",
            Self::Map => "map",
            Self::Match => "match",
            Self::MaxChanges => "max-changes",
            Self::MaxErrors => "max-errors",
            Self::OnConflict => "on-conflict",
            Self::OnFinish => "on-finish",
            Self::Open => "open",
            Self::Out => "out",
            Self::Patches => "patches",
            Self::Plan => "plan",
            Self::Priority => "priority",
            Self::Profile => "profile",
            Self::Rate => "rate",
            Self::Reason => "reason",
            Self::Reveal => "reveal",
            Self::Rule => "rule",
            Self::Sandbox => "sandbox",
            Self::Scope => "scope",
            Self::Set => "set",
            Self::Sheet => "sheet",
            Self::State => "state",
            Self::Status => "status",
            Self::Store => "store",
            Self::Take => "take",
            Self::Tenant => "tenant",
            Self::Timeout => "timeout",
            Self::TokenCommand => "token-command",
            Self::TokenFile => "token-file",
            Self::Waves => "waves",
            Self::Yes => "yes",
        }
    }
}

/// A setting with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The setting.
    pub setting: Setting,
    /// Its value; `None` for a setting that takes none.
    pub value: Option<OsString>,
}

impl Choice {
    /// Chooses a setting that takes no value.
    pub fn bare(setting: Setting) -> Self {
        Self { setting, value: None }
    }

    /// Chooses a value of a setting.
    pub fn of(setting: Setting, value: impl Into<OsString>) -> Self {
        Self { setting, value: Some(value.into()) }
    }
}
