//! Which referrals of a run are shown.

use std::collections::BTreeSet;

use crate::domain::account::{ItemAccount, RowAccount, RowStanding};
use crate::domain::finding::Finding;
use crate::domain::item::Effect;
use crate::domain::outcome::Outcome;
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::status::Status;

/// A choice of referrals. Of each kind any one may hold, and every kind that names something has to.
#[derive(Debug, Clone, Default)]
pub struct ReferralFilter {
    /// The referrals by id; all, where `None`.
    pub ids: Option<BTreeSet<ReferralId>>,
    /// What the plan does to them.
    pub effects: Vec<Effect>,
    /// Fields that the plan changes.
    pub fields: Vec<Pointer>,
    /// The status that they had when they were planned.
    pub statuses: Vec<Status>,
    /// What became of any of their rows.
    pub outcomes: Vec<Outcome>,
    /// Rules that say something of them.
    pub rules: Vec<Rule>,
}

impl ReferralFilter {
    /// Whether it takes every referral.
    pub fn is_empty(&self) -> bool {
        let Self { ids, effects, fields, statuses, outcomes, rules } = self;
        ids.is_none()
            && effects.is_empty()
            && fields.is_empty()
            && statuses.is_empty()
            && outcomes.is_empty()
            && rules.is_empty()
    }

    /// Whether it takes a referral, with its rows as they stand.
    pub fn takes(&self, account: &ItemAccount, rows: &[RowStanding]) -> bool {
        let item = &account.item;
        let status = account.subject.as_ref().and_then(|subject| Status::parse(subject.status.as_ref()?));
        let changes = |field: &Pointer| item.changes.iter().any(|change| change.path.pointer() == field);
        let came = |outcome: &Outcome| rows.iter().any(|row| row.verdict.outcome == *outcome);
        self.ids.as_ref().is_none_or(|ids| ids.contains(&item.id))
            && any(&self.effects, |effect| item.effect == *effect)
            && any(&self.fields, changes)
            && any(&self.statuses, |wanted| status == Some(*wanted))
            && any(&self.outcomes, came)
            && self.takes_findings(&item.findings)
    }

    /// Whether it takes a row that has no part in any referral's change.
    pub fn takes_row(&self, row: &RowAccount) -> bool {
        self.ids.as_ref().is_none_or(|ids| row.id.is_some_and(|id| ids.contains(&id)))
            && self.effects.is_empty()
            && self.fields.is_empty()
            && self.statuses.is_empty()
            && any(&self.outcomes, |outcome| row.verdict.outcome == *outcome)
            && self.takes_findings(&row.findings)
    }

    fn takes_findings(&self, findings: &[Finding]) -> bool {
        any(&self.rules, |rule| findings.iter().any(|finding| finding.rule == *rule))
    }
}

/// Whether one of these holds, or nothing is asked for.
fn any<T>(wanted: &[T], holds: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(holds)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{id, planned_item, row, warning};
    use super::*;
    use crate::domain::fields::Field;

    #[test]
    fn every_kind_has_to_hold_and_of_each_any() {
        let mut item = planned_item(1, Effect::OneWay, &[(Field::Notes, "", "1")], None);
        item.item.findings = vec![warning(Rule::EarlyWin)];
        let rows = [RowStanding::from(row(1, 0, Outcome::Applied))];
        let all = ReferralFilter::default;
        let pointer = |field: Field| field.pointer().clone();
        for (filter, wanted) in [
            (all(), true),
            (ReferralFilter { ids: Some([id(1), id(2)].into()), ..all() }, true),
            (ReferralFilter { ids: Some([id(2)].into()), ..all() }, false),
            (ReferralFilter { ids: Some(BTreeSet::new()), ..all() }, false),
            (ReferralFilter { effects: vec![Effect::Unchanged, Effect::OneWay], ..all() }, true),
            (ReferralFilter { effects: vec![Effect::Reversible], ..all() }, false),
            (ReferralFilter { fields: vec![pointer(Field::Notes)], ..all() }, true),
            (ReferralFilter { fields: vec![pointer(Field::Team)], ..all() }, false),
            (ReferralFilter { statuses: vec![Status::Active], ..all() }, true),
            (ReferralFilter { statuses: vec![Status::Closed], ..all() }, false),
            (ReferralFilter { outcomes: vec![Outcome::Failed, Outcome::Applied], ..all() }, true),
            (ReferralFilter { outcomes: vec![Outcome::Planned], ..all() }, false),
            (ReferralFilter { rules: vec![Rule::EarlyWin], ..all() }, true),
            (ReferralFilter { rules: vec![Rule::Type], ..all() }, false),
            (ReferralFilter { effects: vec![Effect::OneWay], statuses: vec![Status::New], ..all() }, false),
        ] {
            assert_eq!(filter.takes(&item, &rows), wanted, "{filter:?}");
        }
    }

    #[test]
    fn rows_without_a_part_in_a_change_have_outcomes_and_findings_alone() {
        let mut row = row(1, 0, Outcome::Invalid);
        row.findings = vec![warning(Rule::EarlyWin)];
        let all = ReferralFilter::default;
        for (filter, wanted) in [
            (all(), true),
            (ReferralFilter { ids: Some([id(2)].into()), ..all() }, false),
            (ReferralFilter { effects: vec![Effect::Unchanged], ..all() }, false),
            (ReferralFilter { outcomes: vec![Outcome::Invalid], ..all() }, true),
            (ReferralFilter { rules: vec![Rule::Type], ..all() }, false),
        ] {
            assert_eq!(filter.takes_row(&row), wanted, "{filter:?}");
        }
    }
}
