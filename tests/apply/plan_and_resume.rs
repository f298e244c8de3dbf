//! Planning now and carrying out later.

use super::*;

#[test]
fn a_plan_is_carried_out_later_exactly() {
    let planned = Test::new(&format!("apply quarter-end.csv --plan {REHEARSE}"))
        .sample("quarter-end.csv")
        .snapshot("plan_quarter_end", ["run/success.csv", "run/summary.json"])
        .run();
    assert_eq!(planned.summary("run")["requests"]["patch"], 0);
    let plan = plan_as_summarised(&planned);

    let resumed = planned.then("resume run --rate 1000/s").snapshot("resume_quarter_end", ROW_FILES).run();
    assert_eq!(plan_as_summarised(&resumed), plan, "carrying a plan out does not change it");
    assert_eq!(resumed.outcomes("run"), "23 applied, 1 unchanged");

    resumed.then("resume run").snapshot("resume_finished", []).run();
}

/// The plan's SHA-256 as the summary tells it, which is that of the file.
fn plan_as_summarised(ran: &Ran) -> String {
    let told = ran.summary("run")["plan_sha256"].as_str().unwrap().to_owned();
    assert_eq!(told, sha256(ran.place.raw("run/plan.jsonl")));
    told
}

#[test]
fn inputs_are_told_by_their_sha256() {
    let text = notes(&[ACTIVE]);
    let ran = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", &text).run();
    assert_eq!(ran.summary("run")["inputs"][0]["sha256"], sha256(&text));
}

#[test]
fn what_is_no_run_is_no_run() {
    for command in ["resume", "report"] {
        for run in ["nothing", "empty", "a.csv"] {
            let place = Place::new();
            fs::create_dir(place.path("empty")).unwrap();
            Test::at(&place, &format!("{command} {run}"))
                .file("a.csv", "id\n")
                .code(1)
                .stderr(&format!("error: {run} holds no run\n"))
                .run();
            assert_eq!(fs::read_dir(place.path("empty")).unwrap().count(), 0);
        }
    }
}

#[test]
fn a_broken_ledger_is_told() {
    for command in ["resume", "report"] {
        Test::new(&format!("{command} run"))
            .file("run/run.sqlite", "no database at all")
            .code(1)
            .stderr(
                "error: run/run.sqlite is damaged: file is not a database\n\
                     hint: nothing more is sent from it: put the run's directory back from a copy, or plan the \
                     same input again with another --out, which finds unchanged what was written already\n",
            )
            .run();
    }
}

#[test]
fn a_plan_goes_where_it_was_made_for() {
    let sandbox = Sandbox::start("");
    let before = sandbox.referrals();
    let planned = Test::new("apply a.csv --plan --rate 1000/s --out run --summary none")
        .file("a.csv", notes(&[ACTIVE]))
        .service(&sandbox.base)
        .stderr(
            "plan for http://127.0.0.1:[PORT]/v1.0: 1 referral to change – see run/plan.jsonl\n\
                 next: referral-bulk resume run --rate 1000/s\n",
        )
        .run();
    let elsewhere = "http://127.0.0.1:9/v1.0";
    let refused = "error: the run was planned for http://127.0.0.1:[PORT]/v1.0, not for ";
    let hint = "hint: leave out where to send: the run remembers it\n";
    planned
        .then(&format!("resume run --yes --endpoint {elsewhere}"))
        .service(&sandbox.base)
        .code(2)
        .stderr(&format!("{refused}http://127.0.0.1:[PORT]/v1.0\n{hint}"))
        .run();
    planned.then("resume run --sandbox").code(2).stderr(&format!("{refused}sandbox\n{hint}")).run();
    assert_eq!(sandbox.referrals(), before);
    planned
        .then("resume run --yes --rate 1000/s --summary none --progress none")
        .service(&sandbox.base)
        .run();
    assert_eq!(sandbox.referral(ACTIVE)["details"]["notes"], "Called on Monday");
}

/// Where other runs go by default says nothing about a run that was planned already.
#[test]
fn a_plan_goes_where_it_was_made_for_whatever_is_set_since() {
    let elsewhere = Wire::serve(|_| wire::answer("204 No Content", "", ""));
    let profile = format!("[profile.default]\nendpoint = \"{}\"\n", elsewhere.base);
    for (variable, file, flags) in
        [("set", "", ""), ("", profile.as_str(), ""), ("set", &profile, ""), ("set", &profile, "typed")]
    {
        let sandbox = Sandbox::start("");
        let planned = Test::new("apply a.csv --plan --rate 1000/s --out run --summary none")
            .file("a.csv", notes(&[ACTIVE]))
            .service(&sandbox.base)
            .stderr(
                "plan for http://127.0.0.1:[PORT]/v1.0: 1 referral to change – see run/plan.jsonl\n\
                     next: referral-bulk resume run --rate 1000/s\n",
            )
            .run();
        let resume = "resume run --yes --rate 1000/s --summary none --progress none";
        let flags = if flags.is_empty() { String::new() } else { format!("--endpoint {}", sandbox.base) };
        let resumed = planned
            .then(&format!("{resume} {flags}"))
            .file("referral-bulk.toml", file)
            .service(if variable.is_empty() { "" } else { &elsewhere.base })
            .stderr(if file.is_empty() { "" } else { USED })
            .run();
        assert_eq!(resumed.outcomes("run"), "1 applied", "{variable} {file} {flags}");
        assert_eq!(sandbox.referral(ACTIVE)["details"]["notes"], "Called on Monday");
    }
    let rehearsed = Test::new(&format!("apply a.csv --plan {QUIET}")).file("a.csv", notes(&[ACTIVE]));
    let rehearsed = rehearsed.stderr("next: referral-bulk resume run --rate 1000/s\n").run();
    let resumed = rehearsed
        .then("resume run --rate 1000/s --summary none --progress none")
        .file("referral-bulk.toml", profile)
        .service(&elsewhere.base)
        .stderr(USED)
        .run();
    assert_eq!(resumed.outcomes("run"), "1 applied");
    assert_eq!(elsewhere.asked().len(), 0);
}

#[test]
fn a_rehearsal_is_not_carried_out_for_real() {
    let planned = Test::new(&format!("apply a.csv --plan {QUIET}")).file("a.csv", notes(&[ACTIVE]));
    let planned = planned.stderr("next: referral-bulk resume run --rate 1000/s\n").run();
    planned
        .then("resume run --endpoint http://127.0.0.1:9/v1.0 --yes")
        .code(2)
        .stderr(
            "error: the run was planned for sandbox, not for http://127.0.0.1:[PORT]/v1.0\n\
                 hint: leave out where to send: the run remembers it\n",
        )
        .run();
}

#[test]
fn a_plan_without_a_look_needs_no_service() {
    Test::new("apply a.csv --plan --state none --out run")
        .file("a.csv", notes(&[ACTIVE]))
        .snapshot("plan_state_none", ["run/plan.jsonl"])
        .run();
}
