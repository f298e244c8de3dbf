//! A page of as many rows as one may have.

use std::fmt::Write;

use serde_json::json;

use crate::page_support::browser::{Looked, look};
use crate::support::place::Place;
use crate::support::random::Random;
use crate::support::referrals::{id, referral};

/// How many rows are planned, and how often each then stands in the page: unoptimised, the program takes half a minute
/// for as many as the page may have.
const ROWS: usize = 2_500;
const TIMES: usize = 20;

#[test]
#[ignore = "needs Node.js and Chromium"]
fn opens_filters_searches_and_sorts_in_no_time() {
    let place = Place::new();
    let mut random = Random(50_000);
    let mut csv = "id,status,substatus,statusReason,dealValue,closingDateTime,notes\n".to_owned();
    let mut snapshot = String::new();
    for number in 0..ROWS {
        let (id, value) = (id(number), 1_000 + random.below(90_000));
        let mut stood = referral(number, "Active", "Accepted");
        stood["name"] = format!("Data platform {value} – Customer {number} of many").into();
        let _ = writeln!(snapshot, "{stood}");
        let _ = match number % 10 {
            0..6 => writeln!(csv, "{id},Closed,Won,,{value},2027-01-{:02},", 1 + number % 28),
            6..9 => writeln!(csv, "{id},,,,,,Asked for an offer over {value}"),
            _ => writeln!(csv, "{id},Closed,,,,,"),
        };
    }
    place.write("changes.csv", csv);
    place.write("snapshot.jsonl", snapshot);
    place.run(&["apply", "changes.csv", "--plan", "--state", "snapshot.jsonl", "--out", "run"]).expect(3);
    let facts = json!({ "rows": ROWS * TIMES, "times": TIMES });
    println!("{}", look(&[Looked::at(&place.path("run"), &["large"]).knowing(facts)]));
}
