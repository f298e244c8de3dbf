//! Makes sure of the user's consent to what is about to be sent: closing a referral cannot be undone.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;

use super::environment::{Console, Environment, Reply};
use super::error::CommandError;
use super::next_command::{CommandLine, flag};
use super::next_step;
use super::options::{GivenConsent, MaxChanges, RunContext};
use super::target::Target;
use crate::domain::approval::Accounts;
use crate::domain::characters::visible;
use crate::domain::consent::{Consent, Way};
use crate::domain::priority::SendingOrder;
use crate::domain::setting::{Choice, Setting};
use crate::domain::waves::WavePlan;
use crate::ledger::PlanTotals;
use crate::report::{
    Overview, PlannedFigures, ProgressEvent, ProgressMode, counted, grouped, order_line, waves_line,
};

/// The message after an interrupt in place of an answer.
const INTERRUPTED: &str = "interrupted: nothing was sent";

/// A plan that is about to be carried out.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// How many referrals the plan changes and closes, and how many of those are left.
    pub totals: &'a PlanTotals,
    /// The SHA-256 of `plan.jsonl`, in hexadecimal.
    pub sha256: &'a str,
    /// The consent on record, where there is one.
    pub consented: Option<&'a Consent>,
    /// What the plan would change.
    pub preview: &'a Preview,
}

/// What a plan would change, in words, for the person who is asked to consent.
#[derive(Debug)]
pub struct Preview {
    words: String,
    is_shown: Cell<bool>,
}

impl Preview {
    /// Makes the preview of a plan, with how to see what of it is left out.
    pub fn of(overview: Option<&Overview>, run: &Path) -> Self {
        let hint = overview
            .filter(|overview| overview.hidden() > 0)
            .map(|_| format!("hint: {}", next_step::see_all(run)));
        let words: Vec<String> = overview.map(Overview::text).into_iter().chain(hint).collect();
        Self { words: words.join("\n"), is_shown: Cell::new(false) }
    }

    /// Whether it was shown.
    pub fn is_shown(&self) -> bool {
        self.is_shown.get()
    }

    fn show(&self, console: &dyn Console) {
        console.say(&self.words);
        self.is_shown.set(true);
    }
}

/// Makes sure that the user consents to what is about to be sent, and returns the consent to record; `None`
/// where none is needed beyond what is on record. A recorded consent to the same plan, target and user is not
/// asked for again, however much of the plan is left. A sandbox needs no consent, but a number that was given
/// and is wrong is an error there too. `accounts` are those that this process acts as.
///
/// # Errors
/// Returns a usage error where consent is missing, was given for another number, or there are more changes
/// than are allowed. Nothing was sent then; the plan stays.
pub fn consent(
    plan: Plan<'_>,
    accounts: Accounts,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<Option<Consent>, CommandError> {
    let (totals, target) = (plan.totals, run_context.target);
    let given = run_context.sending.consent;
    let is_wanted = !target.is_sandbox() && totals.remaining > 0;
    let on_record = plan
        .consented
        .filter(|_| is_wanted)
        .map(|consent| other_than(consent, plan, run_context, environment));
    let is_missing = is_wanted && on_record != Some(Ok(()));
    let asking = Asking { totals, preview: plan.preview, is_missing, run_context, environment };
    if let Some(too_low) = too_low(totals, given) {
        return Err(asking.refused(too_low));
    }
    if let Some(wrong) = wrong_number(totals, given) {
        return Err(asking.refused(wrong));
    }
    if !is_missing {
        return Ok(None);
    }
    if let Some(Err(other)) = on_record {
        environment.console.say(&format!("note: {other}: it does not count"));
    }
    let how = asking.ask()?;
    Ok(Some(Consent {
        at: (environment.clock)(),
        how,
        plan_sha256: plan.sha256.to_owned(),
        changing: totals.to_send,
        closing: totals.closing,
        target: target.name(),
        user: environment.user,
        accounts,
    }))
}

/// Whether a person is about to be asked for consent, and so may look at the plan first.
pub fn will_ask(
    totals: &PlanTotals,
    consented: Option<&Consent>,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> bool {
    let GivenConsent { yes, closing, .. } = run_context.sending.consent;
    let is_given = if totals.remaining_closing > 0 { closing.is_some() } else { yes };
    let is_wanted = !run_context.target.is_sandbox() && totals.remaining > 0 && consented.is_none();
    is_wanted && !is_given && environment.console.is_attended()
}

/// Compares a consent on record with what is about to be sent.
///
/// # Errors
/// Returns how it differs: in the plan, the target or the user.
fn other_than(
    consent: &Consent,
    plan: Plan<'_>,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<(), String> {
    if consent.plan_sha256 != plan.sha256 {
        let file = run_context.plan_file();
        return Err(format!("the consent on record is to another plan than {file} is now"));
    }
    is_of(consent, run_context, environment)
}

/// Compares the target and the user of a consent on record with those of this process.
///
/// # Errors
/// Returns how it differs.
pub fn is_of(
    consent: &Consent,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<(), String> {
    let target = run_context.target.name();
    if consent.target != target {
        return Err(format!(
            "the consent on record is to sending to {}, not to {target}",
            visible(&consent.target)
        ));
    }
    if consent.user != environment.user {
        return Err("the consent on record was given by another user".to_owned());
    }
    Ok(())
}

/// Returns a message where there are more changes than are allowed.
fn too_low(totals: &PlanTotals, given: GivenConsent) -> Option<String> {
    let MaxChanges { most, said } = given.max_changes.filter(|given| totals.remaining > given.most)?;
    Some(format!("the plan changes {}, and {said} allows {most}", counted(totals.remaining, "referral")))
}

/// Returns a message where `--confirm-closing` gives neither the number of referrals that the plan closes nor
/// the number of those that are left.
fn wrong_number(totals: &PlanTotals, given: GivenConsent) -> Option<String> {
    let number = given.closing?;
    if number == totals.closing || number == totals.remaining_closing {
        return None;
    }
    let what = counted(totals.closing, "referral");
    let left = match totals.remaining_closing {
        left if left == totals.closing => String::new(),
        left => {
            format!(", of which {} left", if left == 1 { "1 is".to_owned() } else { format!("{left} are") })
        }
    };
    let flag = flag(Setting::ConfirmClosing);
    Some(format!("{flag} says {number}, and the plan closes {what}{left}"))
}

/// A question for consent, and what it is about.
#[derive(Clone, Copy)]
struct Asking<'a> {
    totals: &'a PlanTotals,
    preview: &'a Preview,
    /// Whether no consent on record makes the question unnecessary.
    is_missing: bool,
    run_context: RunContext<'a>,
    environment: &'a Environment<'a>,
}

impl Asking<'_> {
    /// Asks what the options don't answer, and returns the ways in which the user consents.
    ///
    /// # Errors
    /// Returns a usage error where the user says no or interrupts, or no person is there to ask.
    fn ask(self) -> Result<BTreeSet<Way>, CommandError> {
        let GivenConsent { yes, closing, .. } = self.run_context.sending.consent;
        let is_closing = self.totals.remaining_closing > 0;
        let answer = if is_closing && closing.is_none() {
            self.ask_closing()
        } else if yes {
            Answer::Yes(Way::Yes)
        } else {
            self.ask_changing()
        };
        match answer {
            Answer::Yes(way) => {
                let confirmed = closing.filter(|_| is_closing).map(|_| Way::ConfirmClosing);
                let yes = yes.then_some(Way::Yes);
                Ok(std::iter::once(way).chain(yes).chain(confirmed).collect())
            }
            Answer::No(message) => Err(CommandError::usage(message)
                .hint(format!("carry it out later with: {}", self.resume(Vec::new())))),
            Answer::Nobody(message) => Err(self.refused(message)),
        }
    }

    /// Asks a person, where one is there, who has been shown what the plan would change.
    fn ask_after_showing(self, question: &str) -> Reply {
        let console = self.environment.console;
        if console.is_attended() {
            self.preview.show(console);
        }
        console.ask(question)
    }

    /// Asks for the number of referrals that are closed.
    fn ask_closing(self) -> Answer {
        let count = self.totals.remaining_closing;
        let what = counted(count, "referral");
        let question = format!("This closes {what}, which cannot be undone. Type {count} to go on: ");
        match self.ask_after_showing(&question) {
            Reply::Said(answer) if answer.trim().replace(',', "") == count.to_string() => {
                Answer::Yes(Way::Asked)
            }
            Reply::Said(_) => Answer::No("that is another number: nothing was sent"),
            Reply::Interrupted => Answer::No(INTERRUPTED),
            Reply::Nobody => Answer::Nobody(format!(
                "the plan closes {what}, which cannot be undone, and nobody is there to ask"
            )),
        }
    }

    /// Asks for yes or no.
    fn ask_changing(self) -> Answer {
        let what = counted(self.totals.remaining, "referral");
        let question =
            format!("This changes {what} at {}. Type y to go on: ", self.run_context.target.name());
        match self.ask_after_showing(&question) {
            Reply::Said(answer) if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") => {
                Answer::Yes(Way::Asked)
            }
            Reply::Said(_) => Answer::No("nothing was sent"),
            Reply::Interrupted => Answer::No(INTERRUPTED),
            Reply::Nobody => Answer::Nobody(format!("the plan changes {what}, and nobody is there to ask")),
        }
    }

    /// Returns the error that the plan is not carried out with these options, with the command that would be
    /// right.
    fn refused(self, message: String) -> CommandError {
        let RunContext { sending, .. } = self.run_context;
        let command = self.resume(self.right_choices());
        let again = match sending.token_command {
            true => format!(", with the same {} again", flag(Setting::TokenCommand)),
            false => String::new(),
        };
        let plan = self.run_context.plan_file();
        CommandError::usage(message).hint(format!("look at {plan}, then{again}: {command}"))
    }

    /// Returns the command that resumes the run with the `right` choices.
    fn resume(self, right: Vec<Choice>) -> CommandLine {
        // A limit that is too low is not repeated beside the sufficient one.
        let is_repeated = |typed: &Choice| {
            typed.setting != Setting::MaxChanges || right.iter().all(|right| right.setting != typed.setting)
        };
        let typed = self.run_context.sending.repeat((self.environment.clock)());
        let mut choices: Vec<Choice> = typed.into_iter().filter(is_repeated).collect();
        // Once the run is consented to, its target is on record, and need not be confirmed.
        let target = self.run_context.target.name();
        choices.extend(Target::choice_to_confirm(&target).filter(|_| self.is_missing));
        choices.extend(right);
        CommandLine::resume(self.run_context.run, choices)
    }

    /// Returns the choices that would have been right in place of the given ones.
    fn right_choices(self) -> Vec<Choice> {
        let (totals, given) = (self.totals, self.run_context.sending.consent);
        let counted = |setting, count: u64| Choice::of(setting, count.to_string());
        let mut right = Vec::new();
        if too_low(totals, given).is_some() {
            right.push(counted(Setting::MaxChanges, totals.remaining));
        }
        if self.is_missing {
            right.push(Choice::bare(Setting::Yes));
        }
        if given.closing.is_some() || self.is_missing && totals.remaining_closing > 0 {
            right.push(counted(Setting::ConfirmClosing, totals.remaining_closing));
        }
        right
    }
}

/// The answer to a question; after anything but yes with the message for the user.
enum Answer {
    Yes(Way),
    No(&'static str),
    Nobody(String),
}

/// Warns of what would keep a plan from being carried out, where it is only planned now.
pub fn warn_ahead(totals: &PlanTotals, run_context: RunContext<'_>, environment: &Environment<'_>) {
    if let Some(too_low) = too_low(totals, run_context.sending.consent) {
        environment.console.say(&format!("warning: {too_low}"));
    }
}

/// Says what is about to be sent, to which target, and in which file it can be read.
pub fn announce(
    totals: &PlanTotals,
    order: Option<&SendingOrder>,
    waves: Option<&WavePlan>,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) {
    if run_context.showing.progress == ProgressMode::None {
        return;
    }
    let (what, plan) = (sentence(totals), run_context.plan_file());
    let PlanTotals { rows, to_send, closing, remaining, remaining_closing, .. } = *totals;
    environment.console.tell(&ProgressEvent::Planned(PlannedFigures {
        target: run_context.target.name(),
        plan: plan.clone(),
        rows,
        to_change: to_send,
        to_close: closing,
        left: remaining,
        left_to_close: remaining_closing,
    }));
    environment.console.say(&format!("plan for {}: {what} – see {plan}", run_context.target.name()));
    if let Some(order) = order.filter(|_| totals.remaining > 0) {
        environment.console.say(order_line(order).trim_end());
    }
    if let Some(waves) = waves.filter(|_| totals.remaining > 0) {
        environment.console.say(waves_line(waves).trim_end());
    }
}

/// Describes a plan in one sentence.
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
