//! What is looked up of the referrals of an export, and what the file says then.

use std::collections::BTreeMap;
use std::fs;

use futures::FutureExt;

use super::*;
use crate::domain::cell_text::TableForm;
use crate::domain::instant::Instant;
use crate::domain::rules::Levels;
use crate::report::{ExportForm, ExportHeader};

/// A referral of which a list, or its single read, shows these members besides its id and its version.
fn shown(number: usize, members: &str) -> String {
    let id = id(number);
    let rest = if members.is_empty() { String::new() } else { format!(",{members}") };
    format!(r#"{{"id":"{id}","eTag":"\"v1\"","status":"Active","substatus":"Accepted"{rest}}}"#)
}

fn id(number: usize) -> ReferralId {
    format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap()
}

fn deal(value: &str) -> String {
    format!(r#""details":{{"dealValue":{value}}}"#)
}

fn closing(date: &str) -> String {
    format!(r#""details":{{"dealValue":1,"closingDateTime":{date}}}"#)
}

/// What came of an export.
#[derive(Debug, PartialEq)]
struct Told {
    /// The referrals that were read by themselves, in the order of the requests.
    looked_up: Vec<usize>,
    /// The deal value of each referral in the file.
    file: Vec<(usize, String)>,
    /// What could not be read, and whether it is in the file all the same.
    unread: Vec<(usize, bool)>,
    undecided: Vec<usize>,
    /// In how many referrals the column was not seen.
    unseen: u64,
}

fn number(id: ReferralId) -> usize {
    id.to_string().rsplit('-').next().unwrap().parse().unwrap()
}

/// Exports the deal value. `singles` are what GETs show; those that lack there are refused.
fn exported(criteria: &Criteria, is_named: bool, listed: &[String], singles: &[(usize, String)]) -> Told {
    let dir = tempfile::tempdir().unwrap();
    let named: &[&str] = if is_named { &["dealValue"] } else { &[] };
    let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
    let columns = ExportColumns::new(TableForm::Csv, &named, &[], Levels::default()).unwrap();
    let names: Vec<String> = columns.names().map(str::to_owned).collect();
    let value = names.iter().position(|name| name == "dealValue").unwrap();
    let form = ExportForm::Csv(ExportHeader { names, guarded: "export.guarded", between: "; " });
    let path = dir.path().join("a.csv");
    let file = ExportFile::begin(&path, form).unwrap();
    let mut harvest = Harvest::begin(criteria, Some(&columns), file, Vec::new());
    for text in listed {
        harvest.listed(&Snapshot::in_part(text).unwrap()).unwrap();
    }
    let singles: BTreeMap<usize, &str> =
        singles.iter().map(|(number, text)| (*number, text.as_str())).collect();
    let mut looked_up = Vec::new();
    let mut look = |harvest: &mut Harvest<'_>| {
        for id in harvest.wanted() {
            looked_up.push(number(id));
            match singles.get(&number(id)) {
                Some(text) => drop(at_once(harvest.seen(&Snapshot::whole(text).unwrap(), true)).unwrap()),
                None => at_once(harvest.unreadable(id, &refused())).unwrap(),
            }
        }
        assert_eq!(harvest.remaining(), 0);
    };
    look(&mut harvest);
    if harvest.probe() {
        look(&mut harvest);
    }
    if harvest.follow_up() {
        look(&mut harvest);
    }
    let Harvested { file, unread, undecided, unseen, .. } = harvest.end();
    file.finish(false).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    // No cell of these holds a comma.
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        (number(cells[0].parse().unwrap()), cells[value].to_owned())
    });
    Told {
        looked_up,
        file: rows.collect(),
        unread: unread.iter().map(|unread| (number(unread.id), unread.is_kept)).collect(),
        undecided: undecided.into_iter().map(number).collect(),
        unseen: unseen.iter().find(|gap| gap.column == "dealValue").map_or(0, |gap| gap.referrals),
    }
}

/// Returns what comes of something that waits for nothing.
fn at_once<T>(asked: impl Future<Output = T>) -> T {
    asked.now_or_never().expect("it waits for nothing")
}

fn refused() -> Failure {
    Failure::NoAnswer { message: "it is gone".to_owned() }
}

#[test]
fn what_a_list_leaves_open_is_looked_up_and_nothing_else() {
    let all = Criteria::default;
    let before = || Criteria { closing_before: Instant::parse("2026-12-31"), ..Criteria::default() };
    let five = || (1..=5).map(|number| shown(number, "")).collect::<Vec<_>>();
    let each = |value: &str| (1..=5).map(|number| (number, shown(number, &deal(value)))).collect::<Vec<_>>();
    let told = |looked_up: &[usize], file: &[(usize, &str)]| Told {
        looked_up: looked_up.to_vec(),
        file: file.iter().map(|(number, value)| (*number, (*value).to_owned())).collect(),
        unread: Vec::new(),
        undecided: Vec::new(),
        unseen: 0,
    };
    for (what, criteria, is_named, listed, singles, wanted) in [
        (
            "all is shown",
            all(),
            true,
            vec![shown(2, &deal("2")), shown(1, &deal("1"))],
            vec![],
            told(&[], &[(2, "2"), (1, "1")]),
        ),
        (
            "twice the same",
            all(),
            true,
            vec![shown(1, &deal("1")), shown(2, &deal("2")), shown(1, &deal("1"))],
            vec![],
            told(&[], &[(1, "1"), (2, "2")]),
        ),
        (
            "two pages differ, so its own read counts, in its place",
            all(),
            true,
            vec![shown(1, &deal("1")), shown(2, &deal("2")), shown(1, &deal("7"))],
            vec![(1, shown(1, &deal("8")))],
            told(&[1], &[(1, "8"), (2, "2")]),
        ),
        (
            "two pages differ, and it is gone",
            all(),
            true,
            vec![shown(1, &deal("1")), shown(2, &deal("2")), shown(1, &deal("7"))],
            vec![],
            Told { unread: vec![(1, false)], ..told(&[1], &[(2, "2")]) },
        ),
        (
            "a null that a criterion hangs on",
            before(),
            true,
            vec![
                shown(1, &closing("null")),
                shown(2, &closing("null")),
                shown(3, &closing("\"2026-12-30\"")),
                shown(4, &closing("\"2027-01-01\"")),
            ],
            vec![(1, shown(1, &closing("\"2026-12-30\""))), (2, shown(2, &closing("null")))],
            told(&[1, 2], &[(1, "1"), (3, "1")]),
        ),
        (
            "a date that is none",
            before(),
            true,
            vec![shown(1, &closing("\"soon\""))],
            vec![(1, shown(1, &closing("\"soon\"")))],
            Told { undecided: vec![1], ..told(&[1], &[]) },
        ),
        (
            "a column that was named",
            all(),
            true,
            five(),
            each("3"),
            told(&[1, 2, 3, 4, 5], &[(1, "3"), (2, "3"), (3, "3"), (4, "3"), (5, "3")]),
        ),
        (
            "a column that goes along, which lists leave out",
            all(),
            false,
            five(),
            each("3"),
            told(&[1, 2, 3, 4, 5], &[(1, "3"), (2, "3"), (3, "3"), (4, "3"), (5, "3")]),
        ),
        (
            "a column that goes along, and is empty",
            all(),
            false,
            five(),
            (1..=5).map(|number| (number, shown(number, ""))).collect(),
            Told { unseen: 2, ..told(&[1, 2, 3], &[(1, ""), (2, ""), (3, ""), (4, ""), (5, "")]) },
        ),
        (
            "one of the first three is gone",
            all(),
            false,
            five(),
            each("3").into_iter().skip(1).collect(),
            Told {
                unread: vec![(1, true)],
                unseen: 1,
                ..told(&[1, 2, 3, 4, 5], &[(1, ""), (2, "3"), (3, "3"), (4, "3"), (5, "3")])
            },
        ),
    ] {
        assert_eq!(exported(&criteria, is_named, &listed, &singles), wanted, "{what}");
    }
}
