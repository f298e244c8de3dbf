//! The books balance: any plan, settled in any way, tells every row exactly once, with the verdict
//! that a plain model gives it.

use std::collections::{BTreeMap, HashMap};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixtures::*;
use crate::domain::account::{Phase, RowRecord, RunStats};
use crate::domain::outcome::{Outcome, Verdict};
use crate::ledger::{Address, AttemptResult, Due, Ledger, LedgerError, create, open};

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

    async fn plan(&self, run: &Address) -> Ledger {
        let mut planning = create(run, &about()).await.unwrap();
        for (ordinal, planned) in (1..).zip(&self.rows) {
            let item = self.item_of(planned);
            let own = planned.own.or((item.is_none()).then_some(Outcome::Invalid));
            let verdict = own.map(|outcome| Verdict::new(outcome, "own", ""));
            planning.row(&RowRecord { verdict, ..row(ordinal, item) }).unwrap();
        }
        for (number, plan) in &self.items {
            planning.item(&item(*number), plan.at_planning.map(settled).as_ref(), None, None).unwrap();
        }
        planning.seal(&RunStats::default()).await.unwrap()
    }

    async fn send(&self, ledger: Ledger) {
        let (journal, backlog) = ledger.start(clock()).await.unwrap();
        while let [left] = backlog.claim(1).await.unwrap().as_slice() {
            let number = left.item.number;
            assert_eq!(left.due, Due::Send);
            let plan = &self.items[&number];
            for result in &plan.attempts {
                let ticket = journal.intend(&left.item).await.unwrap();
                if let Some(result) = result {
                    journal.answered(ticket.attempt(), answer(*result));
                }
            }
            if let Some(outcome) = plan.while_sending {
                journal.settled(number, settled(outcome)).await.unwrap();
            }
        }
        journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    }

    async fn check(&self, run: &Address, sent: bool) {
        let told = rows(run).await;
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

    async fn check_rest(&self, run: &Address) {
        let open_items =
            || self.items.values().filter(|item| item.at_planning.is_none() && item.while_sending.is_none());
        let ledger = open(run).await.unwrap();
        assert_eq!(ledger.plan_totals().await.unwrap().remaining, open_items().count() as u64);
        if open_items().count() == 0 {
            assert!(matches!(ledger.start(clock()).await, Err(LedgerError::Finished { .. })));
            return;
        }
        let (_journal, backlog) = ledger.start(clock()).await.unwrap();
        let left = backlog.claim(usize::MAX).await.unwrap();
        assert_eq!(left.len(), open_items().count());
    }
}

/// Plans, sends and looks at what is told, on every backend.
async fn holds(home: Home, model: &Model) {
    let run = home.run("run");
    let ledger = model.plan(&run).await;
    model.check(&run, false).await;
    model.send(ledger).await;
    model.check(&run, true).await;
    model.check_rest(&run).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_row_is_told_once(rows in vec(row_plan(), 0..40), items in vec(item_plan(), REFERRALS)) {
        let model = Model::of(rows, items);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for home in [Home::directory(), Home::memory()] {
            runtime.block_on(holds(home, &model));
        }
    }
}
