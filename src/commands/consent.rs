//! Whether the user wants what is about to be sent: closing a referral cannot be undone.

use super::connection::{self, Target};
use super::sending::Order;
use super::{Console, Host, Reply, Trouble};
use crate::ledger::PlanTotals;
use crate::report::{Next, ProgressMode, counted, grouped};

/// What a user consents to beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Consent {
    /// To whatever can be taken back.
    pub yes: bool,
    /// To closing exactly so many referrals.
    pub closing: Option<u64>,
    /// To at most so many changes.
    pub max_changes: Option<MaxChanges>,
}

/// The most changes that a run may begin with.
#[derive(Debug, Clone, Copy)]
pub struct MaxChanges {
    /// So many.
    pub most: u64,
    /// What said it, as people call it.
    pub said: &'static str,
}

const INTERRUPTED: &str = "interrupted: nothing was sent";
const MAX_CHANGES: &str = "--max-changes";

/// Makes sure that the user wants what is about to be sent. A sandbox asks nobody, but a number that
/// was given and is wrong is wrong there too.
///
/// # Errors
/// Where consent is missing or for another number. Nothing was sent then; the plan stays.
pub fn consent(totals: &PlanTotals, order: Order<'_>, host: &Host<'_>) -> Result<(), Trouble> {
    let Order { run, target, sending, .. } = order;
    let Consent { yes, closing, .. } = sending.consent;
    let resume = |flags: &[String]| {
        // A limit that is too low is not repeated beside the one that would do.
        let is_too_low = |typed: &String| {
            typed.starts_with(MAX_CHANGES) && flags.iter().any(|flag| flag.starts_with(MAX_CHANGES))
        };
        let typed = sending.repeat((host.clock)()).into_iter().filter(|typed| !is_too_low(typed));
        Next::resume(run, typed.chain(flags.iter().cloned()).collect()).command()
    };
    let refused = |message: String| {
        let command = resume(&missing(totals, target, sending.consent));
        let again = if sending.token_command { ", with the same --token-command again" } else { "" };
        Err(Trouble::usage(message).hint(format!("look at {}, then{again}: {command}", order.plan_file())))
    };
    if let Some(too_low) = too_low(totals, sending.consent) {
        return refused(too_low);
    }
    if let Some(given) = closing.filter(|given| *given != totals.remaining_closing) {
        let what = counted(totals.remaining_closing, "referral");
        return refused(format!("--confirm-closing says {given}, and the plan closes {what}"));
    }
    if target.is_sandbox() || totals.remaining == 0 {
        return Ok(());
    }
    let asked = if totals.remaining_closing > 0 && closing.is_none() {
        ask_closing(totals, host)
    } else if yes {
        Answer::Yes
    } else {
        ask_changing(totals, target, host)
    };
    match asked {
        Answer::Yes => Ok(()),
        Answer::No(message) => {
            let hint = format!("carry it out later with: {}", resume(&[]));
            Err(Trouble::usage(message).hint(hint))
        }
        Answer::Nobody(message) => refused(message),
    }
}

/// That there are more changes than are allowed, where it is so.
fn too_low(totals: &PlanTotals, given: Consent) -> Option<String> {
    let MaxChanges { most, said } = given.max_changes.filter(|given| totals.remaining > given.most)?;
    Some(format!("the plan changes {}, and {said} allows {most}", counted(totals.remaining, "referral")))
}

/// What a person says to a question, and what to tell them after anything but yes.
enum Answer {
    Yes,
    No(&'static str),
    Nobody(String),
}

fn ask_closing(totals: &PlanTotals, host: &Host<'_>) -> Answer {
    let count = totals.remaining_closing;
    let what = counted(count, "referral");
    let question = format!("This closes {what}, which cannot be undone. Type {count} to go on: ");
    match host.console.ask(&question) {
        Reply::Said(answer) if answer.trim().replace(',', "") == count.to_string() => Answer::Yes,
        Reply::Said(_) => Answer::No("that is another number: nothing was sent"),
        Reply::Interrupted => Answer::No(INTERRUPTED),
        Reply::Nobody => Answer::Nobody(format!(
            "the plan closes {what}, which cannot be undone, and nobody is there to ask"
        )),
    }
}

fn ask_changing(totals: &PlanTotals, target: &Target, host: &Host<'_>) -> Answer {
    let what = counted(totals.remaining, "referral");
    let question = format!("This changes {what} at {}. Type y to go on: ", target.name());
    match host.console.ask(&question) {
        Reply::Said(answer) if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") => Answer::Yes,
        Reply::Said(_) => Answer::No("nothing was sent"),
        Reply::Interrupted => Answer::No(INTERRUPTED),
        Reply::Nobody => Answer::Nobody(format!("the plan changes {what}, and nobody is there to ask")),
    }
}

/// The flags that consent to all that remains, where nobody is asked. `target` is what the run
/// remembers.
fn flags(totals: &PlanTotals, target: &str) -> Vec<String> {
    let mut flags = Vec::new();
    if !connection::is_sandbox(target) && totals.remaining > 0 {
        flags.push("--yes".to_owned());
        if totals.remaining_closing > 0 {
            flags.push(confirm_closing(totals));
        }
    }
    flags
}

/// The flags by which what was consented to once is consented to as far as it remains, where nobody is asked.
pub fn again(left: Option<&PlanTotals>, target: &str, console: &dyn Console) -> Vec<String> {
    let left = left.filter(|_| !console.is_attended());
    left.map_or_else(Vec::new, |left| flags(left, target))
}

/// The flags that would have been right in place of those given.
fn missing(totals: &PlanTotals, target: &Target, given: Consent) -> Vec<String> {
    let mut right = flags(totals, &target.name());
    if too_low(totals, given).is_some() {
        right.insert(0, format!("{MAX_CHANGES} {}", totals.remaining));
    }
    if given.closing.is_some() && !right.contains(&confirm_closing(totals)) {
        right.push(confirm_closing(totals));
    }
    right
}

fn confirm_closing(totals: &PlanTotals) -> String {
    format!("--confirm-closing {}", totals.remaining_closing)
}

/// Says of a plan that is not to be carried out yet what would keep it from that.
pub fn warn_ahead(totals: &PlanTotals, order: Order<'_>, host: &Host<'_>) {
    if let Some(too_low) = too_low(totals, order.sending.consent) {
        host.console.say(&format!("warning: {too_low}"));
    }
}

/// Says what is about to be sent, and where it can be read.
pub fn announce(totals: &PlanTotals, order: Order<'_>, host: &Host<'_>) {
    if order.showing.progress != ProgressMode::None {
        let (what, plan) = (sentence(totals), order.plan_file());
        host.console.say(&format!("plan for {}: {what} – see {plan}", order.target.name()));
    }
}

fn sentence(totals: &PlanTotals) -> String {
    let closing = match totals.remaining_closing {
        0 => String::new(),
        count => format!(", {} of them closed for good", grouped(count)),
    };
    let rest = match totals.items - totals.remaining {
        0 => String::new(),
        count => format!("; nothing to send for {}", counted(count, "other")),
    };
    format!("{} to change{closing}{rest}", counted(totals.remaining, "referral"))
}
