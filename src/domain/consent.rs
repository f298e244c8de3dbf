//! Consent: what a user agreed to before anything of a run was sent.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approval::Accounts;
use super::setting::Setting;
use super::wording::Wording;

/// A user's consent to a plan. It is kept with the run, so that `resume` doesn't ask again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// When it was given.
    pub at: Timestamp,
    /// The ways in which it was given.
    pub how: BTreeSet<Way>,
    /// The SHA-256 of the plan (`plan.jsonl`) that it was given to, in hexadecimal.
    pub plan_sha256: String,
    /// The number of referrals that the plan changes.
    pub changing: u64,
    /// The number of them that it closes, which cannot be undone.
    pub closing: u64,
    /// Where the plan is sent to: the API's base URL, or `sandbox`.
    pub target: String,
    /// The user id of the process in which it was given; `None` on systems without one.
    pub user: Option<u32>,
    /// The accounts of that process; missing from ledgers of an earlier version.
    #[serde(default)]
    pub accounts: Accounts,
}

/// A way in which consent is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The user was asked at the terminal, and agreed.
    Asked,
    /// The setting `yes`, which covers all changes that can be undone.
    Yes,
    /// The setting `confirm-closing`, with the exact number of referrals that the plan closes.
    ConfirmClosing,
}

impl Way {
    /// Returns the text that describes the way.
    pub fn wording(self) -> Wording {
        match self {
            Self::Asked => Wording::from("asked"),
            Self::Yes => Wording::default().name(Setting::Yes),
            Self::ConfirmClosing => Wording::default().name(Setting::ConfirmClosing),
        }
    }
}
