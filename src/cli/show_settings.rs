//! Makes the settings of `show` and `explain`: which referrals and rows are meant by what was typed.

use super::args;
use crate::commands::named_referrals::ReferralName;
use crate::commands::row_name::RowName;
use crate::commands::{CommandError, ReferralFilter, explain, show};
use crate::domain::excerpt::excerpt;
use crate::domain::outcome::Outcome;
use crate::domain::rules::Rule;
use crate::domain::status::Status;

/// Makes the settings of `show`.
///
/// # Errors
/// A usage error where a referral, status, outcome or rule is named that there can't be.
pub fn show(typed: args::ShowArgs) -> Result<show::ShowOptions, CommandError> {
    let args::ShowArgs { run, ids, all, json, effect, field, status, outcome, rule } = typed;
    let as_told = || "give it as plan.jsonl does, a GUID, or how that begins".to_owned();
    let names = each(&ids, "ID", ReferralName::parse, as_told)?;
    let filter = ReferralFilter {
        ids: None,
        effects: effect.into_iter().map(Into::into).collect(),
        fields: Vec::new(),
        statuses: each(&status, "--status", status_named, || listed(Status::ALL.map(Status::name)))?,
        outcomes: each(&outcome, "--outcome", outcome_named, || listed(Outcome::ALL.map(Outcome::name)))?,
        rules: each(&rule, "--rule", Rule::parse, || listed(Rule::all().map(Rule::id)))?,
    };
    Ok(show::ShowOptions { run, names, filter, fields: field, all, json })
}

/// Makes the settings of `explain`.
///
/// # Errors
/// A usage error where what was typed names no row.
pub fn explain(typed: args::ExplainArgs) -> Result<explain::ExplainOptions, CommandError> {
    let args::ExplainArgs { run, what, json } = typed;
    let wrong = || {
        CommandError::usage(format!("{} names no row", excerpt(&what))).hint(
            "give the referral's id, the file and the line where the row begins as in changes.csv:15, or its line alone",
        )
    };
    let what = RowName::parse(&what).ok_or_else(wrong)?;
    Ok(explain::ExplainOptions { run, what, json })
}

/// Reads every value of an argument.
fn each<T, C: FromIterator<T>>(
    typed: &[String],
    argument: &str,
    read: impl Fn(&str) -> Option<T>,
    hint: impl Fn() -> String,
) -> Result<C, CommandError> {
    let wrong = |text: &String| {
        CommandError::usage(format!("{argument}: there is no {}", excerpt(text))).hint(hint())
    };
    typed.iter().map(|text| read(text.trim()).ok_or_else(|| wrong(text))).collect()
}

fn status_named(name: &str) -> Option<Status> {
    Status::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(name))
}

fn outcome_named(name: &str) -> Option<Outcome> {
    Outcome::parse(&name.to_ascii_lowercase())
}

fn listed(names: impl IntoIterator<Item = &'static str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    format!("one of {}", names.join(", "))
}
