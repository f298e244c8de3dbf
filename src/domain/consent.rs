//! What a user consented to before anything of a run was sent.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::setting::Setting;
use super::wording::Wording;

/// A consent to a plan. It is kept with the run, so that nobody is asked twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// When it was given.
    pub at: Timestamp,
    /// How: by one or more of these.
    pub how: BTreeSet<Way>,
    /// To which plan: the SHA-256 of `plan.jsonl`, in hexadecimal.
    pub plan_sha256: String,
    /// How many referrals that plan changes.
    pub changing: u64,
    /// Of those, how many it closes for good.
    pub closing: u64,
    /// Where it is carried out, as the run remembers it.
    pub target: String,
    /// Who gave it: the user's number in the system, where there is such.
    pub user: Option<u32>,
}

/// How a consent was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A person was asked, and said so.
    Asked,
    /// `--yes`, to what can be taken back.
    Yes,
    /// `--confirm-closing`, to closing as many as the plan closes.
    ConfirmClosing,
}

impl Way {
    /// What the user did, for people.
    pub fn wording(self) -> Wording {
        match self {
            Self::Asked => Wording::from("asked"),
            Self::Yes => Wording::default().name(Setting::Yes),
            Self::ConfirmClosing => Wording::default().name(Setting::ConfirmClosing),
        }
    }
}
