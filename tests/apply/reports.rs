//! Reports: their form, and that they can be made again.

use super::*;

/// A report that can't be written hides neither what was done nor how it ended.
#[test]
fn what_cannot_be_written_is_told_and_written_later() {
    for name in ["success.csv", "conflict.csv", "error.csv", "outcomes.jsonl", "summary.json"] {
        let planned = Test::new(&format!("apply a.csv --plan {QUIET}")).file("a.csv", notes(&[ACTIVE]));
        let planned = planned.stderr("next: referral-bulk resume run --rate 1000/s\n").run();
        let in_the_way = planned.place.path("run").join(name);
        fs::remove_file(&in_the_way).unwrap();
        fs::create_dir(&in_the_way).unwrap();
        let ended = unchecked(&planned.place, "resume run --summary json --progress none").output();
        let Ended { code, stdout, stderr } = Ended::of(ended.unwrap());
        let told: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&told["exit_code"], &told["rows"]["applied"]), (&1.into(), &1.into()), "{told}");
        // Without the summary nobody knows whose the reports of the plan are.
        let kept = |report: &str| {
            let now = report.replace('.', ".edited-1.");
            format!("note: run/{report} may hold somebody's changes: it is kept as run/{now}\n")
        };
        let rows = ["success.csv", "conflict.csv", "error.csv", "outcomes.jsonl"];
        let notes: String = match name {
            "summary.json" => rows.iter().chain(&["report.html"]).map(|report| kept(report)).collect(),
            _ => String::new(),
        };
        // Nothing behind the first that fails, but for the summary, which is written in any case.
        let unwritten = match rows.iter().position(|row| *row == name) {
            Some(first) => &rows[first..],
            None => &[name],
        };
        let wanted = format!(
            "{notes}error: cannot write run/{name}: Is a directory (os error 21)\n\
                 hint: not written: {}; see to space and permissions in the run's directory, then: \
                 referral-bulk report run\n",
            unwritten.join(", ")
        );
        assert_eq!((code, stderr), (Some(1), wanted), "{name}");
        // What is there by such a name would tell of the plan, as if nothing had been sent.
        for report in unwritten {
            assert!(!planned.place.path("run").join(report).is_file(), "{report} is left");
        }
        fs::remove_dir(&in_the_way).unwrap();
        let ran = planned.then("report run --summary none").run();
        assert_eq!(ran.outcomes("run"), "1 applied");
    }
}

#[test]
fn they_can_be_made_again() {
    let ran = Test::new(&format!("apply quarter-end-mistakes.csv {REHEARSE}"))
        .sample("quarter-end-mistakes.csv")
        .code(3)
        .snapshot("mistakes", ROW_FILES)
        .run();
    let read = || ROW_FILES.map(|name| ran.place.raw(name));
    let written = read();
    for name in ROW_FILES {
        fs::remove_file(ran.place.path(name)).unwrap();
    }
    let again = ran.then("report run").code(3).snapshot("report_mistakes", []).run();
    assert_eq!(read(), written);
    assert_eq!(again.stdout, ran.stdout);
}

#[test]
fn a_run_keeps_its_directory_to_itself() {
    let ran = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", notes(&[ACTIVE])).run();
    let before = ran.place.raw("run/summary.json");
    ran.then(&format!("apply a.csv {QUIET}"))
        .code(2)
        .stderr(
            "error: run holds a run already\n\
                 hint: name another directory with --out, or see what became of that run: referral-bulk report run\n",
        )
        .run();
    assert_eq!(ran.place.raw("run/summary.json"), before);
}

#[test]
fn without_a_name_it_is_named_by_the_time() {
    let ran = Test::new("apply a.csv --sandbox --rate 1000/s")
        .file("a.csv", notes(&[ACTIVE]))
        .snapshot("unnamed", []);
    // The snapshot's list of files has the time redacted like everything else.
    let ran = ran.run();
    let name = ran.place.files().into_keys().find(|name| name.ends_with("/summary.json")).unwrap();
    let wanted = regex::Regex::new(r"^reports/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-apply/summary\.json$").unwrap();
    assert!(wanted.is_match(&name), "{name}");
}

#[test]
fn a_mixed_run_reports_in_both_forms() {
    let line = format!("{{\"id\":\"{OTHER}\",\"details\":{{\"notes\":\"From a line\"}}}}\n{{\"id\":7}}\n");
    Test::new(&format!("apply a.csv b.jsonl c.csv {REHEARSE}"))
        .file("a.csv", notes(&[ACTIVE, "5a1e"]))
        .file("b.jsonl", line)
        .file("c.csv", format!("Referral ID,CRM\n{NEW},x\n").replace("CRM", "externalReferenceId"))
        .code(3)
        .snapshot(
            "mixed",
            [
                "run/success.csv",
                "run/success.jsonl",
                "run/error.csv",
                "run/error.jsonl",
                "run/outcomes.jsonl",
                "run/plan.jsonl",
                "run/summary.json",
            ],
        )
        .run();
}

#[test]
fn rows_of_two_files_for_one_referral_become_one_document() {
    let ran = Test::new(&format!("apply a.csv b.csv {QUIET}"))
        .file("a.csv", notes(&[ACTIVE]))
        .file("b.csv", format!("id,salesStage\n{ACTIVE},Develop\n"))
        .run();
    assert_eq!(ran.outcomes("run"), "2 applied");
    assert_eq!(ran.summary("run")["requests"]["patch"], 1);
}
