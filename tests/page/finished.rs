//! A quarter's end with rows of every outcome, as a plan and when it is finished: all that can be done with a page, and
//! by everybody.

use std::fs;

use crate::page_support::browser::{Looked, look, typed};
use crate::page_support::quarter_end::{QuarterEnd, RUN};

const FAST: [&str; 6] = ["--rate", "100000/s", "--concurrency", "32", "--timeout", "5s"];

/// What is checked of the finished run.
const ALL: [&str; 14] = [
    "kind",
    "filters",
    "search",
    "sorting",
    "opened",
    "download",
    "keyboard",
    "tree",
    "axe",
    "looks",
    "phone",
    "paper",
    "scriptless",
    "policy",
];

/// What is checked of its plan: what differs from a run.
const OF_A_PLAN: [&str; 6] = ["kind", "filters", "sorting", "opened", "download", "paper"];

#[test]
#[ignore = "needs Node.js and Chromium"]
fn can_be_worked_with_by_everybody() {
    let quarter = QuarterEnd::begin(1, &[]);
    quarter.plan().expect(3);
    // The page of the plan is replaced by that of the run.
    let plan = quarter.place.path("plan");
    fs::create_dir(&plan).unwrap();
    for file in ["report.html", "summary.json", "outcomes.jsonl", "plan.jsonl"] {
        fs::copy(quarter.directory().join(file), plan.join(file)).unwrap();
    }
    quarter.approve();
    quarter.send(&FAST).expect(3);
    let outcomes = quarter.ran().outcomes();
    assert_eq!(outcomes.split(", ").count(), 8, "every outcome that a finished run has: {outcomes}");
    let said = look(&[Looked::at(&plan, &OF_A_PLAN), Looked::at(&quarter.directory(), &ALL)]);
    for command in typed(&said) {
        assert!(command.contains(&format!("explain {RUN} ")), "{command}");
        let words = shlex::split(&command).unwrap();
        quarter.place.run(&words[1..]).expect(0);
    }
}
