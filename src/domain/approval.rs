//! Approvals: a second person's yes to a plan, for those who must have one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A second person's yes to a plan, which is kept with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// When it was given.
    pub at: Timestamp,
    /// Who gave it.
    pub by: Approver,
    /// The SHA-256 of the plan (`plan.jsonl`) that it was given to, in hexadecimal.
    pub plan_sha256: String,
    /// The number of referrals that the plan changes.
    pub changing: u64,
    /// The number of them that it closes, which cannot be undone.
    pub closing: u64,
}

/// The person who approves a plan, as far as this program can tell who that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// The name, as it is told: the one that was given, else that of the account.
    pub name: String,
    /// The accounts that the process had when it approved.
    pub accounts: Accounts,
}

/// The accounts by which a process is known: at the service, and on the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// Who is signed in to the service: the user's sign-in name, or an app's id; `None` where that can't be told
    /// without a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The name of the user on the machine; `None` where the system doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
}
