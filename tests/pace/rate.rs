//! `--rate auto` finds what a service bears, however that is counted, and follows it.

use serde_json::json;

use crate::support::case::Test;
use crate::support::place::Place;
use crate::support::rates;
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;
use crate::support::waiting::each;

const ROWS: &str = include_str!("../../samples/quarter-end.csv");

/// What people read of it says the same.
#[test]
fn hidden_quotas_are_found_and_kept() {
    const RUNNING: &str = include_str!("../../docs/running.md");
    let runs = rates::run_all();
    let table = rates::table(&runs);
    assert!(rates::missed(&runs).is_empty(), "{:#?}\n{table}", rates::missed(&runs));
    let (_, shown) = RUNNING.split_once("<!-- BEGIN rates -->\n").unwrap();
    assert!(
        shown.starts_with(&format!("{}\n<!-- END rates -->", table.trim_end())),
        "docs/running.md should hold, as rates:\n{table}\n`cargo test --test docs -- --ignored` writes it again"
    );
}

/// Prints what is reached, beside what was asked for: `cargo test --test pace what_is_reached -- --ignored --nocapture`.
#[test]
#[ignore = "it prints a table"]
fn what_is_reached() {
    let runs = rates::run_all();
    println!("{}", rates::table_with_goals(&runs));
}

/// Whatever the quota, the latency and what is in flight: most of it is used from the first request on, and what is
/// throttled is bounded by what is in flight at the start, and is little afterwards.
#[test]
fn any_quota_is_found() {
    each(&(0..40).collect::<Vec<u64>>(), |number| {
        let scenario = rates::any(*number);
        let shares = rates::run(scenario);
        let throttled = shares.throttled.0 / 100.0 * (scenario.changes as f64 + 1.0);
        let is_well = shares.given_up == 0
            && shares.used.0 >= 75.0
            && shares.used.1 >= 70.0
            && shares.throttled.1 <= 1.5
            && throttled <= (scenario.concurrency * 4 + 8) as f64;
        assert!(is_well, "{scenario:#?} {shares:#?}");
    });
}

/// Of half a minute, the doubling and two or three pauses cost a seventh.
#[test]
fn windows_of_a_second_are_found_whatever_the_quota() {
    each(&rates::windows(), |scenario| {
        let shares = rates::run(*scenario);
        let is_well = shares.used.0 >= 82.5 && shares.used.1 >= 95.0 && shares.throttled.0 <= 2.0;
        assert!(is_well, "{scenario:#?} {shares:#?}");
    });
}

#[test]
fn a_run_is_the_same_every_time() {
    let scenario = rates::SCENARIOS[0];
    assert_eq!(rates::run(scenario), rates::run(scenario));
}

/// The real program, whose first steps are too fast for this service: one that says so and counts refusals too,
/// and one that refuses as nginx does. So many changes come at once, however busy the machine is.
#[test]
fn a_quota_costs_no_row_anything() {
    const COUNT: usize = 8;
    let rates = [
        ("auto", "note: --rate auto met the service's limit, and ended at "),
        ("100/s", "note: the service throttled the run at 100/s; it ended at "),
    ];
    let cases = [("1/s", 2), ("1/s:503", 4)].map(|quota| rates.map(|rate| (quota, rate))).concat();
    each(&cases, |((quota, at_once), (rate, note))| {
        let home = Place::new();
        let seed: Vec<_> = (0..COUNT).map(|number| referral(number, "Active", "Accepted")).collect();
        let row = |number| format!("{}\n", json!({ "id": id(number), "details": { "notes": "Ours" } }));
        home.write("changes.jsonl", (0..COUNT).map(row).collect::<String>());
        let service = Sandbox::seeded(&home, &seed, &["--quota", quota]);
        let tap = Tap::on(&service);
        tap.hold(&["PATCH"]);
        let endpoint = tap.endpoint();
        let pace = ["--rate", rate, "--timeout", "10m", "--progress", "none", "--yes"];
        let apply = ["apply", "changes.jsonl", "--out", "run", "--endpoint", &endpoint];
        let sending = home.start(&[&apply[..], &pace].concat());
        tap.has_seen_patches(*at_once);
        tap.release();
        let ended = sending.wait().expect(0);
        let run = home.run_of("run");
        assert_eq!(run.outcomes(), format!("{COUNT} applied"), "{quota} {rate}: {}", ended.stderr);
        assert!(run.count("/requests/throttled") > 0, "{quota} {rate}");
        assert!(ended.stderr.contains(note), "{quota} {rate}: {}", ended.stderr);
    });
}

/// What limits the number of requests at a time, and says 503, gets fewer at a time: no row pays for it.
#[test]
fn a_limit_at_a_time_costs_no_row_anything() {
    const COUNT: usize = 24;
    let home = Place::new();
    let seed: Vec<_> = (0..COUNT).map(|number| referral(number, "Active", "Accepted")).collect();
    let row = |number| format!("{}\n", json!({ "id": id(number), "details": { "notes": "Ours" } }));
    home.write("changes.jsonl", (0..COUNT).map(row).collect::<String>());
    let service = Sandbox::seeded(&home, &seed, &["--at-once", "2", "--fault", "any#*=slow:50"]);
    let endpoint = &service.base;
    let apply = ["apply", "changes.jsonl", "--out", "run", "--endpoint", endpoint, "--yes"];
    let pace = ["--rate", "1000/s", "--concurrency", "8", "--timeout", "10m", "--progress", "none"];
    let ended = home.run(&[&apply[..], &pace].concat());
    let run = home.run_of("run");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(run.outcomes(), format!("{COUNT} applied"), "{}", ended.stderr);
    assert!(run.count("/requests/throttled") > 0);
}

#[test]
fn auto_can_be_set_and_is_repeated() {
    let plan =
        "apply a.csv --sandbox --plan --out run --summary none --progress none --rule set-expired=allow";
    Test::new(&format!("{plan} --rate auto"))
        .file("a.csv", ROWS)
        .stderr("next: referral-bulk resume run --rate auto\n")
        .run();
    let home = Place::new();
    home.write("a.csv", "id,notes\n5a1e0001-0000-4000-8000-000000000015,Called\n");
    home.write("referral-bulk.toml", "[profile.default]\nrate = \"auto\"\n");
    let ended =
        home.run(&["apply", "a.csv", "--sandbox", "--out", "run", "--summary", "none", "--progress", "none"]);
    // At how much depends on whether the change had to wait, and so on the machine.
    let note = "note: --rate auto met no limit, and ended at ";
    assert!(ended.expect(0).stderr.contains(note));
}
