//! What ends a run early, and what is asked of it beforehand.

use super::*;

#[test]
fn no_more_changes_than_allowed() {
    let ran = Test::new(&format!("apply a.csv {QUIET} --max-changes 1"))
        .file("a.csv", notes(&active(2)))
        .code(2)
        .stderr(
            "error: the plan changes 2 referrals, and --max-changes allows 1\n\
                 hint: look at run/plan.jsonl, then: referral-bulk resume run --rate 1000/s --max-changes 2\n",
        )
        .run();
    assert_eq!(ran.outcomes("run"), "2 planned");
    assert_eq!(ran.summary("run")["requests"]["patch"], 0);
    ran.then("resume run --rate 1000/s --summary none --progress none --max-changes 2").run();
    assert_eq!(ran.outcomes("run"), "2 applied");
}

/// A share is one of the rows that are to be sent, however few documents they make.
#[test]
fn a_share_of_errors_is_one_of_rows() {
    for (share, ends, wanted) in [("50%", 3, "2 refused, 4 applied"), ("33%", 4, "2 refused, 4 unsent")] {
        let sandbox = Sandbox::start("--fault patch#1=400");
        let stages = notes(&active(3)).replace("details.notes", "salesStage");
        let command = "apply a.csv b.csv --yes --rate 1000/s --concurrency 1 --out run --summary none";
        let ran = Test::new(&format!("{command} --progress none --max-errors {share}"))
            .file("a.csv", notes(&active(3)))
            .file("b.csv", stages)
            .service(&sandbox.base)
            .code(ends)
            .told_elsewhere()
            .run();
        let told: Vec<String> = ran.outcomes("run").split(", ").map(ToOwned::to_owned).collect();
        assert!(
            wanted.split(", ").all(|outcome| told.iter().any(|told| told == outcome)),
            "{share}: {told:?}"
        );
    }
}

/// A document that is refused costs each of its rows.
#[test]
fn errors_are_counted_in_rows() {
    let sandbox = Sandbox::start("--fault patch#*=400");
    let stages = notes(&active(3)).replace("details.notes", "salesStage");
    let stopped = Test::new(
        "apply a.csv b.csv --yes --rate 1000/s --concurrency 1 --out run --summary none --progress none \
             --max-errors 3",
    )
    .file("a.csv", notes(&active(3)))
    .file("b.csv", stages)
    .service(&sandbox.base)
    .code(4)
    .stderr(
        "stopped: 4 rows were refused, failed or taken in part, and --max-errors allows no more\n\
             hint: error.csv holds 4 rows to be corrected and fed back\n\
             next: referral-bulk resume run --rate 1000/s --concurrency 1 --max-errors 3\n",
    )
    .run();
    assert_eq!(stopped.outcomes("run"), "4 refused, 2 unsent");
}

#[test]
fn so_many_errors_end_a_run_and_resume_carries_on() {
    for limit in ["2", "40%"] {
        let sandbox = Sandbox::start("--fault patch#1-2=400");
        let command =
            "apply a.csv --yes --rate 1000/s --concurrency 1 --out run --summary none --progress none";
        let stopped = Test::new(&format!("{command} --max-errors {limit}"))
            .file("a.csv", notes(&active(5)))
            .service(&sandbox.base)
            .code(4)
            .stderr(&format!(
                "stopped: 2 rows were refused, failed or taken in part, and --max-errors allows no more\n\
                     hint: error.csv holds 2 rows to be corrected and fed back\n\
                     next: referral-bulk resume run --rate 1000/s --concurrency 1 --max-errors {limit}\n"
            ))
            .run();
        assert_eq!(stopped.outcomes("run"), "2 refused, 3 unsent");
        let resumed = stopped
            .then("resume run --yes --rate 1000/s --summary none --progress none")
            .service(&sandbox.base);
        let wanted = "next: correct error.csv and feed it back: \
                          referral-bulk apply run/error.csv --endpoint http://127.0.0.1:[PORT]/v1.0 --rate 1000/s\n";
        let resumed = resumed.code(3).stderr(wanted).run();
        assert_eq!(resumed.outcomes("run"), "3 applied, 2 refused");
    }
}

#[test]
fn a_time_that_is_past_leaves_everything_for_resume() {
    let stopped = Test::new(&format!("apply a.csv {REHEARSE} --finish-by 2020-01-01T00:00:00Z"))
        .file("a.csv", notes(&active(3)))
        .code(4)
        .snapshot("finish_by_past", ["run/pending.csv", "run/summary.json"])
        .run();
    assert_eq!(stopped.summary("run")["requests"]["patch"], 0);
    let resumed =
        stopped.then("resume run --rate 1000/s").snapshot("finish_by_resumed", ["run/success.csv"]).run();
    assert_eq!(resumed.outcomes("run"), "3 applied");
    assert!(!resumed.place.files().contains_key("run/pending.csv"));
}

#[test]
fn a_time_to_come_holds_for_the_next_command_too() {
    let planned = Test::new(&format!("apply a.csv {QUIET} --plan --finish-by 2999-01-01T00:00:00+01:00"))
        .file("a.csv", notes(&active(3)))
        .told_elsewhere()
        .run();
    let next = "resume run --rate 1000/s --finish-by 2998-12-31T23:00:00Z";
    assert_eq!(planned.stderr.lines().last(), Some(format!("next: referral-bulk {next}").as_str()));
    let resumed = planned.then(&format!("{next} --summary none --progress none")).told_elsewhere().run();
    assert_eq!(resumed.outcomes("run"), "3 applied");
}

#[test]
fn where_nothing_is_to_be_sent_nothing_is_said_of_its_time() {
    let row = "id,substatus\n5a1e0001-0000-4000-8000-000000000015,Accepted\n";
    let command = format!("apply a.csv {QUIET} --finish-by 2999-01-01T00:00:00Z");
    let ran = Test::new(&command).file("a.csv", row).run();
    assert_eq!(ran.outcomes("run"), "1 unchanged");
}

#[test]
fn a_number_of_closings_that_is_wrong_is_wrong_in_a_rehearsal_too() {
    Test::new(&format!("apply quarter-end.csv {QUIET} --confirm-closing 3"))
        .file("quarter-end.csv", sample("quarter-end.csv"))
        .code(2)
        .stderr(
            "warning[set-expired]: 1 row, the first at quarter-end.csv:10: the service expires referrals by itself (“Device refresh – Blue Kite Logistics”, Blue Kite Logistics)\n\
                 error: --confirm-closing says 3, and the plan closes 10 referrals\n\
                 hint: look at run/plan.jsonl, then: referral-bulk resume run --rate 1000/s --confirm-closing 10\n",
        )
        .run();
}
