//! `--rate auto` finds what a service bears, however that is counted, and follows it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

#[path = "support/rates.rs"]
mod rates;

use support::Test;
use support::sandbox::Sandbox;

const ROWS: &str = include_str!("../samples/quarter-end.csv");

#[test]
fn hidden_quotas_are_found_and_kept() {
    let runs = rates::run_all();
    assert!(rates::missed(&runs).is_empty(), "{:#?}\n{}", rates::missed(&runs), rates::table(&runs));
}

#[test]
fn a_run_is_the_same_every_time() {
    let scenario = rates::SCENARIOS[0];
    assert_eq!(rates::run(scenario), rates::run(scenario));
}

/// The real program, whose first steps are too fast for this service, which counts refusals too.
#[test]
fn a_quota_costs_no_row_anything() {
    let rows: Vec<&str> = ROWS.lines().take(9).collect();
    for (rate, note) in [
        ("auto", "note: --rate auto met the service's limit, and ended at "),
        ("100/s", "note: the service throttled the run at 100/s; it ended at "),
    ] {
        let sandbox = Sandbox::start("--quota 1/s");
        let flags = "--out run --progress none --yes --confirm-closing 8";
        let ran = Test::new(&format!("apply a.csv --rate {rate} {flags}"))
            .file("a.csv", rows.join("\n"))
            .service(&sandbox.base)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "8 applied", "{rate}: {}", ran.stderr);
        assert!(ran.summary("run")["requests"]["throttled"].as_u64() > Some(0), "{rate}");
        assert!(ran.stderr.contains(note), "{rate}: {}", ran.stderr);
    }
}

#[test]
fn auto_can_be_set_and_is_repeated() {
    let plan =
        "apply a.csv --sandbox --plan --out run --summary none --progress none --rule set-expired=allow";
    Test::new(&format!("{plan} --rate auto"))
        .file("a.csv", ROWS)
        .stderr("next: referral-bulk resume run --rate auto\n")
        .run();
    Test::new("apply a.csv --sandbox --out run --summary none --progress none")
        .file("a.csv", "id,notes\n5a1e0001-0000-4000-8000-000000000015,Called\n")
        .file("referral-bulk.toml", "[profile.default]\nrate = \"auto\"\n")
        .stderr("note: --rate auto met no limit, and ended at 2.0/s\n")
        .run();
}
