//! Approvals: a second person's yes to a plan, for those who must have one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A second person's yes to a plan, which is kept with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// When it was given.
    pub at: Timestamp,
    /// Who gave it: the name that was typed, else that of an account.
    pub name: String,
    /// The accounts of the process in which it was given.
    pub accounts: Accounts,
    /// The SHA-256 of the plan (`plan.jsonl`) that it was given to, in hexadecimal.
    pub plan_sha256: String,
    /// The number of referrals that the plan changes.
    pub changing: u64,
    /// The number of them that it closes, which cannot be undone.
    pub closing: u64,
}

/// The accounts that a process acts as: at the service, and on the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// The account whose tokens are sent, as its tokens or the sign-in name it; `None` where neither does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The name of the user of the operating system; `None` where nothing tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The number of that user; `None` on systems without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
}

impl Accounts {
    /// Returns the name to call the holder by: that of the account at the service, else that of the user.
    pub fn name(&self) -> Option<&str> {
        self.service.as_deref().or(self.machine.as_deref())
    }

    /// Returns what the user is called by number.
    pub fn number(&self) -> Option<String> {
        self.user.map(|number| format!("user {number}"))
    }
}

impl Approval {
    /// Whether it was given by the account that sends, so that it is no second person's.
    ///
    /// Where both accounts at the service are known, they tell. Otherwise the name does, which may be that of either
    /// of the sender's accounts.
    pub fn is_by(&self, sender: &Accounts) -> bool {
        let is_same = |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
        let names = [sender.service.clone(), sender.machine.clone(), sender.number()];
        let is_named = names.iter().flatten().any(|account| is_same(account, &self.name));
        match (&self.accounts.service, &sender.service) {
            (Some(one), Some(other)) => is_same(one, other) || is_named,
            _ => is_named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts([service, machine]: [&str; 2]) -> Accounts {
        let known = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Accounts { service: known(service), machine: known(machine), user: Some(1_000) }
    }

    #[test]
    fn a_second_person_is_told_from_the_one_who_sends() {
        let (ada, dana) = ("ada@contoso.example.com", "dana@contoso.example.com");
        for (name, approver, sender, wanted) in [
            // Their accounts at the service tell, whatever name was typed.
            (dana, [dana, "dana"], [ada, "ada"], false),
            ("Dana", [ada, "dana"], [ada, "ada"], true),
            ("Dana", ["ADA@contoso.example.com", ""], [ada, ""], true),
            ("ada", [dana, ""], [ada, "ada"], true),
            // Where one of them is not known, the name does.
            ("Dana", ["", "ops"], ["", "ops"], false),
            ("ops", ["", "ops"], ["", "ops"], true),
            (" OPS ", ["", "other"], ["", "ops"], true),
            (ada, ["", "dana"], [ada, "ops"], true),
            ("Dana", ["", "ops"], [ada, "ops"], false),
            ("Dana", [dana, "ops"], ["", "ops"], false),
            ("Dana", ["", ""], ["", ""], false),
            ("user 1000", ["", ""], ["", "ops"], true),
            ("user 1001", ["", ""], ["", "ops"], false),
        ] {
            let approval = Approval {
                at: Timestamp::UNIX_EPOCH,
                name: name.to_owned(),
                accounts: accounts(approver),
                plan_sha256: String::new(),
                changing: 1,
                closing: 0,
            };
            assert_eq!(approval.is_by(&accounts(sender)), wanted, "{name}, {approver:?} and {sender:?}");
        }
    }
}
