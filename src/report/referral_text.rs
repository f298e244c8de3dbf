//! One referral of a plan for people: whose deal it is, what would be done to it field by field, and what the rules
//! say of it.

use crate::domain::account::{InputInfo, ItemAccount, RowStanding};
use crate::domain::characters::visible;
use crate::domain::finding::{Finding, Location};
use crate::domain::item::Effect;
use crate::domain::level::Level;
use crate::domain::outcome::Outcome;
use crate::domain::run_spec::StateSource;
use crate::domain::subject::Subject;

use super::change_text::{self, Extent, NoValue};
use super::format::{counted, short_message};
use super::names::InputNames;
use super::table::MESSAGE;

/// The rows of a referral whose places an excerpt tells.
const PLACES: usize = 3;

/// Writes referrals of one run for people.
#[derive(Debug, Clone)]
pub(super) struct ReferralWriter {
    pub(super) names: InputNames,
    /// What a change without a value from before means in this run.
    pub(super) no_value: NoValue,
}

impl ReferralWriter {
    pub(super) fn of(state: &StateSource, inputs: &[InputInfo]) -> Self {
        let no_value = if *state == StateSource::None { NoValue::NotSeen } else { NoValue::Nothing };
        Self { names: InputNames::of(inputs), no_value }
    }

    /// Returns a referral as lines: its title, its id and rows, each change, each finding, and the outcomes of its rows
    /// where they are known by now.
    pub(super) fn lines(&self, account: &ItemAccount, rows: &[RowStanding], extent: Extent) -> Vec<String> {
        let title = account.subject.as_ref().and_then(|subject| title(subject, extent));
        let indent = if title.is_some() { "  " } else { "" };
        let mut lines: Vec<String> = title.into_iter().collect();
        let (id, places) = (account.item.id, self.places(&account.rows, extent));
        lines.push(format!("{indent}{id}, {places}: {}", effect(account)));
        lines.extend(self.changes(account, extent));
        lines.extend(account.item.findings.iter().map(|finding| self.finding(finding, extent)));
        let came = rows.iter().filter(|row| row.verdict.outcome != Outcome::Planned);
        let most = if extent == Extent::Excerpt { PLACES } else { usize::MAX };
        lines.extend(came.take(most).map(|row| self.outcome(row, extent)));
        lines
    }

    /// Returns a row that has no part in the change of any referral, as lines.
    pub(super) fn row_lines(&self, name: &str, row: &RowStanding, findings: &[Finding]) -> Vec<String> {
        let mut lines = vec![format!("{name}, {}: no part of any change", self.names.place(row.place))];
        lines.extend(findings.iter().map(|finding| self.finding(finding, Extent::Whole)));
        lines.push(self.outcome(row, Extent::Whole));
        lines
    }

    /// Returns where the rows of a referral begin.
    pub(super) fn places(&self, rows: &[Location], extent: Extent) -> String {
        let most = if extent == Extent::Excerpt { PLACES } else { rows.len() };
        let places: Vec<String> = rows.iter().take(most).map(|place| self.names.place(*place)).collect();
        match rows.len() - places.len() {
            0 => places.join(", "),
            more => format!("{} and {}", places.join(", "), counted(more as u64, "more row")),
        }
    }

    /// Returns a line for each change, the names of the fields in a column. A list that is told as a whole takes more.
    pub(super) fn changes(&self, account: &ItemAccount, extent: Extent) -> Vec<String> {
        let changes = &account.item.changes;
        let names: Vec<_> = changes.iter().map(|change| visible(change.path.pointer().as_str())).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        let mut lines = Vec::new();
        for (change, name) in changes.iter().zip(&names) {
            for (at, told) in change_text::told(change, self.no_value, extent).iter().enumerate() {
                let name = if at == 0 { name } else { "" };
                lines.push(format!("  {name:width$}  {told}"));
            }
        }
        lines
    }

    /// Returns what became of a row.
    fn outcome(&self, RowStanding { place, verdict, at, .. }: &RowStanding, extent: Extent) -> String {
        let (place, outcome) = (self.names.place(*place), verdict.outcome.name());
        let at = at.map_or_else(String::new, |at| format!(" at {at}"));
        let message = match extent {
            Extent::Excerpt => short_message(verdict.message.as_str(), MESSAGE),
            Extent::Whole => visible(verdict.message.as_str()).into_owned(),
        };
        let message = if message.is_empty() { message } else { format!(": {message}") };
        format!("  {place} {outcome}{at}{message}")
    }

    pub(super) fn finding(&self, finding: &Finding, extent: Extent) -> String {
        let level = if finding.level == Level::Deny { "error" } else { "warning" };
        let message = finding.sentence();
        let message = match extent {
            Extent::Excerpt => short_message(&finding.message, MESSAGE),
            Extent::Whole => visible(message.as_str()).into_owned(),
        };
        format!("  {level}[{}] {}: {message}", finding.rule, self.names.place(finding.place))
    }
}

/// Returns in words what the plan does to a referral as a whole.
pub(super) fn effect(account: &ItemAccount) -> &'static str {
    match account.planned.as_ref().map(|verdict| verdict.outcome) {
        None if account.item.effect == Effect::OneWay => "closes for good",
        None => "changes",
        Some(Outcome::Unchanged) => "stays as it is",
        Some(_) => "held back",
    }
}

/// Returns name and customer, in full where all is to be told.
fn title(subject: &Subject, extent: Extent) -> Option<String> {
    match extent {
        Extent::Excerpt => subject.title(),
        Extent::Whole => {
            let name = subject.name.as_ref().map(|name| format!("“{name}”"));
            let parts: Vec<String> = name.into_iter().chain(subject.customer.clone()).collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        }
    }
}
