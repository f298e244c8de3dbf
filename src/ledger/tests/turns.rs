//! The order in which items are sent, where that is not the order of the inputs.

use std::cmp::Reverse;

use proptest::prelude::*;

use super::fixtures::*;
use crate::domain::account::{ItemAccount, Phase, RowRecord, RowText, RunStats};
use crate::domain::number::Number;
use crate::domain::outcome::Outcome;
use crate::domain::priority::{Direction, OrderKind, OrderedBy, SendingOrder};
use crate::domain::run_spec::RunSpec;
use crate::domain::sort_key::SortKey;
use crate::domain::subject::Subject;
use crate::domain::waves::WavePlan;
use crate::ledger::{
    Backlog, KeySource, LedgerError, OrderKeys, Placed, Planning, WaveSoFar, create, open, read,
};

fn key(text: &str) -> Option<SortKey> {
    Number::parse(text).as_ref().map(SortKey::of_number)
}

async fn waves_are_handed_out_one_by_one(home: Home) {
    let run = home.run("run");
    let mut planning = create(&run, &about()).await.unwrap();
    for number in 1..=6 {
        planning.row(&row(number, Some(number))).unwrap();
        let unchanged = (number == 2).then(|| settled(Outcome::Unchanged));
        planning.item(&item(number), unchanged.as_ref(), None, None).unwrap();
    }
    let keys = OrderKeys { of: KeySource::Inputs, direction: Direction::Asc };
    assert_eq!(planning.put_in_order(keys).await.unwrap(), Placed { items: 5, without: 0 });
    let waves = WavePlan::of(&"1,2,rest".parse().unwrap(), 5);
    planning.amend(RunSpec { waves: Some(waves.clone()), ..about() }).unwrap();
    let ledger = planning.seal(&RunStats::default()).await.unwrap();
    let mut told = Vec::new();
    let each = &mut |item: ItemAccount| {
        told.push((item.item.number, item.turn, item.wave));
        Ok::<_, LedgerError>(())
    };
    read(&run).await.unwrap().items(each).await.unwrap();
    let of = |turn, wave| (Some(turn), Some(wave));
    let places = [of(1, 1), (None, None), of(2, 2), of(3, 2), of(4, 3), of(5, 3)];
    assert_eq!(
        told,
        (1..).zip(places).map(|(number, (turn, wave))| (number, turn, wave)).collect::<Vec<_>>()
    );

    let (journal, backlog) = ledger.start(clock()).await.unwrap();
    for (wave, wanted) in waves.all().zip([&[1][..], &[3, 4], &[5, 6]]) {
        backlog.up_to(wave.last);
        assert_eq!(numbers(&backlog).await, wanted);
        assert_eq!(read(&run).await.unwrap().wave(wave).await.unwrap(), WaveSoFar::default());
    }
    for (number, outcome) in
        [(1, Outcome::Applied), (4, Outcome::Partial), (3, Outcome::Conflict), (6, Outcome::Applied)]
    {
        journal.settled(number, settled(outcome)).await.unwrap();
    }
    journal.synced().await.unwrap();
    let reader = read(&run).await.unwrap();
    for (wave, outcomes, written) in [
        (1, vec![(Outcome::Applied, 1)], vec![referral(1)]),
        (2, vec![(Outcome::Conflict, 1), (Outcome::Partial, 1)], vec![referral(4)]),
        (3, vec![(Outcome::Applied, 1)], vec![referral(6)]),
    ] {
        let wave = waves.all().find(|one| one.number == wave).unwrap();
        let so_far = reader.wave(wave).await.unwrap();
        assert_eq!(so_far.settled() == wave.size(), wave.number < 3);
        assert_eq!(so_far, WaveSoFar { outcomes, written });
    }
}

/// The key of a row is the number in its first cell.
fn keys_of_rows(direction: Direction) -> OrderKeys {
    let of = |_: u32, row: &RowText| key(row.cells()[0]);
    OrderKeys { of: KeySource::Rows(Box::new(of)), direction }
}

pub(in crate::ledger) fn ordered(direction: Direction) -> RunSpec {
    let order = SendingOrder {
        by: OrderedBy::Column,
        name: "Priority".to_owned(),
        kind: OrderKind::Numbers,
        direction,
        without: Some(0),
        unseen: None,
    };
    RunSpec { order: Some(order), ..about() }
}

/// Takes in one row, of an item, with a value.
fn add_row(planning: &mut Planning, number: u64, item: u64, value: &str) {
    let text = RowText::Cells(vec![value.to_owned()]);
    planning.row(&RowRecord { text, ..row(number, Some(item)) }).unwrap();
}

/// The numbers of all items that are left, in the order in which they are handed out, some at a time.
async fn numbers(backlog: &Backlog) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let page = backlog.claim(2).await.unwrap();
        if page.is_empty() {
            return numbers;
        }
        numbers.extend(page.iter().map(|left| left.item.number));
    }
}

async fn items_come_by_the_value_of_their_rows(home: Home) {
    for (direction, wanted) in [(Direction::Asc, [4, 2, 5, 1, 3, 6]), (Direction::Desc, [1, 5, 4, 2, 3, 6])] {
        let run = home.run(direction.name());
        let mut planning = create(&run, &ordered(direction)).await.unwrap();
        // The second row of the fifth item has the higher number, and that of the fourth the lower one.
        let values = ["10", "9.5", "high", "9.75", "9.7", "", "10", "-2"];
        for (number, (item, value)) in (1..).zip([1, 2, 3, 4, 5, 6, 5, 4].into_iter().zip(values)) {
            add_row(&mut planning, number, item, value);
        }
        for number in 1..=6 {
            planning.item(&item(number), None, None, None).unwrap();
        }
        let placed = planning.put_in_order(keys_of_rows(direction)).await.unwrap();
        assert_eq!(placed.without, 2);
        let ledger = planning.seal(&RunStats::default()).await.unwrap();
        let (_journal, backlog) = ledger.start(clock()).await.unwrap();
        assert_eq!(numbers(&backlog).await, wanted, "{direction:?}");
    }
}

async fn items_come_by_what_was_seen_of_their_referrals(home: Home) {
    let run = home.run("run");
    let mut planning = create(&run, &ordered(Direction::Desc)).await.unwrap();
    for (number, value) in (1..).zip([Some("5"), None, Some("1e3"), Some("999")]) {
        add_row(&mut planning, number, number, "7");
        let subject = value.map(|value| Subject { value: Some(value.to_owned()), ..subject() });
        planning.item(&item(number), None, None, subject.as_ref()).unwrap();
    }
    let of = |subject: &Subject| key(subject.value.as_ref()?);
    let keys = OrderKeys { of: KeySource::Subjects(Box::new(of)), direction: Direction::Desc };
    assert_eq!(planning.put_in_order(keys).await.unwrap().without, 1);
    let ledger = planning.seal(&RunStats::default()).await.unwrap();
    let (_journal, backlog) = ledger.start(clock()).await.unwrap();
    assert_eq!(numbers(&backlog).await, [3, 4, 1, 2]);
}

/// Neither an item that planning settled nor one that was settled since has a turn; the others keep theirs.
async fn what_is_left_keeps_its_turn(home: Home) {
    let run = home.run("run");
    let mut planning = create(&run, &ordered(Direction::Desc)).await.unwrap();
    for number in 1..=5 {
        add_row(&mut planning, number, number, &number.to_string());
        let unchanged = (number == 4).then(|| settled(Outcome::Unchanged));
        planning.item(&item(number), unchanged.as_ref(), None, None).unwrap();
    }
    assert_eq!(planning.put_in_order(keys_of_rows(Direction::Desc)).await.unwrap().without, 0);
    let (journal, backlog) = planning.seal(&RunStats::default()).await.unwrap().start(clock()).await.unwrap();
    assert_eq!(backlog.claim(1).await.unwrap()[0].item.number, 5);
    let ticket = journal.intend(&std::sync::Arc::new(item(5))).await.unwrap();
    journal.intend(&std::sync::Arc::new(item(2))).await.unwrap();
    drop(ticket);
    journal.settled(3, settled(Outcome::Applied)).await.unwrap();
    drop((journal, backlog));
    let ledger = open(&run).await.unwrap();
    assert_eq!(ledger.header().phase, Phase::Stopped);
    let (_journal, backlog) = ledger.start(clock()).await.unwrap();
    assert_eq!(numbers(&backlog).await, [5, 2, 1]);
}

/// What was put in order and not sealed is forgotten with the plan.
async fn a_plan_that_is_made_again_is_put_in_order_again(home: Home) {
    let run = home.run("run");
    let mut planning = create(&run, &ordered(Direction::Asc)).await.unwrap();
    for number in 1..=3 {
        add_row(&mut planning, number, number, &number.to_string());
        planning.item(&item(number), None, None, None).unwrap();
    }
    planning.put_in_order(keys_of_rows(Direction::Asc)).await.unwrap();
    planning.abandon(&RunStats::default()).await.unwrap();
    let (mut planning, _) = open(&run).await.unwrap().plan_again().await.unwrap();
    for (number, value) in [(1, "8"), (2, "7")] {
        add_row(&mut planning, number, number, value);
        planning.item(&item(number), None, None, None).unwrap();
    }
    let mut seen = Vec::new();
    planning.each_row(&mut |place, row| seen.push((place.line, row.cells()[0].to_owned()))).unwrap();
    assert_eq!(seen, [(2, "8".to_owned()), (3, "7".to_owned())]);
    planning.put_in_order(keys_of_rows(Direction::Asc)).await.unwrap();
    let (_journal, backlog) =
        planning.seal(&RunStats::default()).await.unwrap().start(clock()).await.unwrap();
    assert_eq!(numbers(&backlog).await, [2, 1]);
}

on_every_backend!(
    waves_are_handed_out_one_by_one,
    items_come_by_the_value_of_their_rows,
    items_come_by_what_was_seen_of_their_referrals,
    what_is_left_keeps_its_turn,
    a_plan_that_is_made_again_is_put_in_order_again,
);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Both backends have the order that a sort of the standard library makes of the best value of each item.
    #[test]
    fn the_order_is_that_of_a_stable_sort(
        rows in prop::collection::vec((0_usize..12, prop::option::of(-4_i32..5)), 1..30),
        descends in any::<bool>(),
    ) {
        let direction = if descends { Direction::Desc } else { Direction::Asc };
        // An item has the number of its first row.
        let first = |of: usize| rows.iter().position(|(item, _)| *item == of).map(|at| at as u64 + 1);
        let mut items: Vec<u64> = (0..12).filter_map(first).collect();
        items.sort_unstable();
        let best = |number: u64| {
            let of = rows[number as usize - 1].0;
            let values = rows.iter().filter(|(item, _)| *item == of).filter_map(|(_, value)| *value);
            if descends { values.max() } else { values.min() }
        };
        let mut wanted = items.clone();
        match direction {
            Direction::Asc => wanted.sort_by_key(|number| (best(*number).is_none(), best(*number))),
            Direction::Desc => wanted.sort_by_key(|number| (best(*number).is_none(), Reverse(best(*number)))),
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for home in [Home::directory(), Home::memory()] {
            let told = runtime.block_on(async {
                let mut planning = create(home.run("run"), &ordered(direction)).await.unwrap();
                for (number, (of, value)) in (1..).zip(&rows) {
                    let value = value.map_or_else(String::new, |value| value.to_string());
                    add_row(&mut planning, number, first(*of).unwrap(), &value);
                }
                for number in &items {
                    planning.item(&item(*number), None, None, None).unwrap();
                }
                let placed = planning.put_in_order(keys_of_rows(direction)).await.unwrap();
                let ledger = planning.seal(&RunStats::default()).await.unwrap();
                let (_journal, backlog) = ledger.start(clock()).await.unwrap();
                (placed.without, numbers(&backlog).await)
            });
            let without = items.iter().filter(|number| best(**number).is_none()).count() as u64;
            prop_assert_eq!(&told, &(without, wanted.clone()));
        }
    }
}
