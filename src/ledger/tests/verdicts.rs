//! The books balance: any plan, settled in any way, tells every row exactly once, with the verdict
//! that a plain model gives it.

use std::collections::{BTreeMap, HashMap};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tempfile::tempdir;

use super::super::{LedgerError, Next, open};
use super::*;
use crate::domain::account::Phase;

#[derive(Debug, Clone)]
struct RowPlan {
    referral: Option<usize>,
    own: Option<Outcome>,
}

#[derive(Debug, Clone)]
struct ItemPlan {
    at_planning: Option<Outcome>,
    attempts: Vec<Option<AttemptResult>>,
    while_sending: Option<Outcome>,
}

const REFERRALS: usize = 6;

fn row_plan() -> impl Strategy<Value = RowPlan> {
    (option::of(0..REFERRALS), option::weighted(0.2, select(&Outcome::ALL[..])))
        .prop_map(|(referral, own)| RowPlan { referral, own })
}

fn item_plan() -> impl Strategy<Value = ItemPlan> {
    let results = [
        AttemptResult::Applied,
        AttemptResult::Refused,
        AttemptResult::Mismatched,
        AttemptResult::Contradicted,
        AttemptResult::NotApplied,
        AttemptResult::Throttled,
        AttemptResult::InDoubt,
    ];
    (
        option::weighted(0.3, select(&Outcome::ALL[..])),
        vec(option::of(select(results.to_vec())), 0..4),
        option::of(select(&Outcome::ALL[..])),
    )
        .prop_map(|(at_planning, attempts, while_sending)| ItemPlan {
            at_planning,
            attempts,
            while_sending,
        })
}

/// What is expected of a row: its outcome, and the attempts at its item.
type Expected = (Outcome, u32);

struct Model {
    rows: Vec<RowPlan>,
    /// By number: the ordinal of the first row.
    items: BTreeMap<u64, ItemPlan>,
    numbers: HashMap<usize, u64>,
}

impl Model {
    fn of(rows: Vec<RowPlan>, plans: Vec<ItemPlan>) -> Self {
        let (mut items, mut numbers) = (BTreeMap::new(), HashMap::new());
        for (ordinal, row) in (1..).zip(&rows) {
            if let Some(referral) = row.referral {
                let number = *numbers.entry(referral).or_insert(ordinal);
                items.entry(number).or_insert_with(|| plans[referral].clone());
            }
        }
        Self { rows, items, numbers }
    }

    fn item_of(&self, row: &RowPlan) -> Option<u64> {
        row.referral.map(|referral| self.numbers[&referral])
    }

    fn expected(&self, row: &RowPlan, sent: bool) -> Expected {
        let item = self.item_of(row).map(|number| &self.items[&number]);
        let tried = item.filter(|item| sent && item.at_planning.is_none());
        let attempts = tried.map(|item| item.attempts.as_slice()).unwrap_or_default();
        let outcome = if item.is_none() && row.own.is_none() {
            Outcome::Invalid
        } else if let Some(own) = row.own {
            own
        } else if let Some(planned) = item.and_then(|item| item.at_planning) {
            planned
        } else if !sent {
            Outcome::Planned
        } else if let Some(late) = tried.and_then(|item| item.while_sending) {
            late
        } else if matches!(
            attempts.last(),
            Some(
                None | Some(
                    AttemptResult::InDoubt
                        | AttemptResult::Applied
                        | AttemptResult::Mismatched
                        | AttemptResult::Contradicted
                )
            )
        ) {
            Outcome::Unknown
        } else {
            Outcome::Unsent
        };
        (outcome, u32::try_from(attempts.len()).unwrap())
    }

    fn plan(&self, dir: &Path) -> Ledger {
        let mut planning = create(dir, &about()).unwrap();
        for (ordinal, planned) in (1..).zip(&self.rows) {
            let item = self.item_of(planned);
            let own = planned.own.or((item.is_none()).then_some(Outcome::Invalid));
            let verdict = own.map(|outcome| Verdict::new(outcome, "own", ""));
            planning.row(&RowRecord { verdict, ..row(ordinal, item) }).unwrap();
        }
        for (number, plan) in &self.items {
            planning.item(&item(*number), plan.at_planning.map(settled).as_ref(), None).unwrap();
        }
        planning.seal(&RunStats::default()).unwrap()
    }

    async fn send(&self, ledger: Ledger) {
        let (journal, backlog) = ledger.start(clock()).unwrap();
        let mut after = 0;
        while let [left] = backlog.outstanding(after, 1).unwrap().as_slice() {
            after = left.item.number;
            assert_eq!(left.next, Next::Send);
            let plan = &self.items[&after];
            for result in &plan.attempts {
                let ticket = journal.intend(&left.item).await.unwrap();
                if let Some(result) = result {
                    journal.answered(ticket.attempt(), answer(*result));
                }
            }
            if let Some(outcome) = plan.while_sending {
                journal.settled(after, settled(outcome)).await.unwrap();
            }
        }
        journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    }

    fn check(&self, dir: &Path, sent: bool) {
        let told = rows(dir);
        let ordinals: Vec<u64> = told.iter().map(|row| row.row).collect();
        assert_eq!(ordinals, (1..=self.rows.len() as u64).collect::<Vec<_>>());
        for (told, planned) in told.iter().zip(&self.rows) {
            let expected = self.expected(planned, sent);
            assert_eq!((told.verdict.outcome, told.attempts), expected, "row {} {planned:?}", told.row);
            assert_eq!(told.request_ids.len() as u32, told.attempts);
            assert_eq!(told.first_sent.is_some(), told.attempts > 0);
            let of_conflict = told.base.is_some();
            assert_eq!(of_conflict, told.ours.is_some());
            assert!(!of_conflict || told.verdict.outcome == Outcome::Conflict);
        }
    }

    fn check_rest(&self, dir: &Path) {
        let open_items =
            || self.items.values().filter(|item| item.at_planning.is_none() && item.while_sending.is_none());
        let ledger = open(dir).unwrap();
        assert_eq!(ledger.plan_totals().unwrap().remaining, open_items().count() as u64);
        if open_items().count() == 0 {
            assert!(matches!(ledger.start(clock()), Err(LedgerError::Finished { .. })));
            return;
        }
        let (_journal, backlog) = ledger.start(clock()).unwrap();
        let left = backlog.outstanding(0, usize::MAX).unwrap();
        assert_eq!(left.len(), open_items().count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_row_is_told_once(rows in vec(row_plan(), 0..40), items in vec(item_plan(), REFERRALS)) {
        let folder = tempdir().unwrap();
        let model = Model::of(rows, items);
        let ledger = model.plan(folder.path());
        model.check(folder.path(), false);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(model.send(ledger));
        model.check(folder.path(), true);
        model.check_rest(folder.path());
    }
}
