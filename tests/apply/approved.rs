//! A second person's yes: kept with the plan that it was given to, and asked for where a profile wants it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::case::{Ran, Test};
use crate::support::sandbox::Sandbox;

/// One referral is changed, one is closed.
const CHANGES: &str = "id,status,substatus,statusReason,details.notes\n\
    5a1e0001-0000-4000-8000-000000000027,,,,Called on Monday\n\
    5a1e0001-0000-4000-8000-000000000028,Closed,Lost,No budget,\n";
const SETTINGS: &str = "[profile.default]\nrate = \"1000/s\"\nrequire-approval = true\n";
const QUIET: &str = "--summary none --progress none";
const CONSENT: &str = "--yes --confirm-closing 1";
const USED: &str = "note: referral-bulk.toml of the current directory is used: [profile.default]\n";
const UNAPPROVED: &str = "error: the plan is not approved, and nothing of it is sent without a second person's yes\n\
    hint: a second person reads run/report.html or run/plan.jsonl and then: referral-bulk approve run\n";

fn planned(sandbox: &Sandbox) -> Ran {
    let notes = format!(
        "{USED}note: nothing of it is sent before it is approved; a second person reads run/report.html or run/plan.jsonl and then: \
         referral-bulk approve run\nnext: referral-bulk resume run\n"
    );
    Test::new(&format!("apply a.csv --out run --plan {QUIET}"))
        .file("a.csv", CHANGES)
        .file("referral-bulk.toml", SETTINGS)
        .service(&sandbox.base)
        .stderr(&notes)
        .run()
}

/// Returns what `resume` says that is refused.
#[track_caller]
fn refused(run: &Ran, sandbox: &Sandbox, variables: &[(&str, &str)], stderr: &str) {
    let before = sandbox.referrals();
    let mut test = run.then(&format!("resume run {QUIET} {CONSENT}")).service(&sandbox.base);
    for (name, value) in variables {
        test = test.env(name, value);
    }
    test.code(2).stderr(&format!("{USED}{stderr}")).run();
    assert!(sandbox.referrals() == before, "something was sent");
}

/// A token that names its account, and is signed by nobody.
fn token(account: &str) -> String {
    let claims = format!("{{\"upn\":\"{account}\",\"scp\":\"user_impersonation\"}}");
    format!("eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
}

#[test]
fn what_nobody_approved_is_not_sent() {
    let sandbox = Sandbox::start("");
    let before = sandbox.referrals();
    let apply = format!("apply a.csv --out at-once {QUIET} {CONSENT}");
    Test::new(&apply)
        .file("a.csv", CHANGES)
        .file("referral-bulk.toml", SETTINGS)
        .service(&sandbox.base)
        .code(2)
        .stderr(&format!(
            "{USED}{}",
            UNAPPROVED.replace("run/", "at-once/").replace("approve run", "approve at-once")
        ))
        .run();
    assert!(sandbox.referrals() == before, "something was sent");

    let run = planned(&sandbox);
    refused(&run, &sandbox, &[], UNAPPROVED);
    // A rehearsal shows what will be asked for.
    run.then(&format!("apply a.csv --sandbox --out rehearsed {QUIET}"))
        .code(2)
        .stderr(&format!(
            "{USED}{}",
            UNAPPROVED.replace("run/", "rehearsed/").replace("approve run", "approve rehearsed")
        ))
        .run();
}

#[test]
fn what_somebody_else_approved_is_sent_and_both_are_named() {
    let sandbox = Sandbox::start("");
    let run = planned(&sandbox);
    let sha256 = run.summary("run")["plan_sha256"].as_str().unwrap().to_owned();
    let approved =
        "approved by Dana Example: 2 referrals to change, 1 of them closed for good (plan [SHA256])\n";
    run.then("approve run --approver ' Dana Example '")
        .stderr(&format!("{USED}{approved}next: referral-bulk resume run\n"))
        .run();
    run.then("approve run --approver 'Dana Example'")
        .stderr(&format!(
            "{USED}note: Dana Example approved this plan already, at [TIME]: nothing was added\nnext: referral-bulk resume run\n"
        ))
        .run();
    let resume = format!("resume run --progress none {CONSENT}");
    let ran = run.then(&resume).service(&sandbox.base).env("USER", "ada").told_elsewhere().run();
    let heading: Vec<String> = ran.stdout().lines().take(3).map(str::to_owned).collect();
    assert_eq!(
        heading,
        [
            "apply run: finished",
            "consent: [TIME], by ada, --yes and --confirm-closing, to closing 1 referral",
            "approved: [TIME], by Dana Example"
        ]
    );
    let summary = ran.summary("run");
    assert_eq!(summary["consent"]["by"], "ada");
    assert_eq!(summary["approvals"].as_array().unwrap().len(), 1);
    assert_eq!(summary["approvals"][0]["by"], "Dana Example");
    assert_eq!(summary["approvals"][0]["plan_sha256"], sha256.as_str());
    ran.then("approve run --approver Eve")
        .code(2)
        .stderr(&format!(
            "{USED}error: the run in run is finished: there is nothing left to approve\n\
             hint: what became of it is told by: referral-bulk report run\n"
        ))
        .run();
}

#[test]
fn nobody_approves_what_they_send() {
    let (ada, dana) = (token("ada@contoso.example.com"), token("dana@contoso.example.com"));
    let own = |name: &str| {
        format!(
            "error: the plan was approved by {name}, which is the account that sends it, and nothing of it is sent without a \
             second person's yes\nhint: a second person reads run/report.html or run/plan.jsonl and then: referral-bulk approve run\n"
        )
    };
    let (name, secret) = ("USER", "PARTNER_CENTER_TOKEN");
    for (approve, approver, sender, told) in [
        ("", vec![(name, "ops")], vec![(name, "ops")], Some("ops")),
        ("--approver OPS", vec![(name, "dana")], vec![(name, "ops")], Some("OPS")),
        ("--approver Dana", vec![(name, "ops")], vec![(name, "ops")], None),
        ("", vec![(secret, &*ada)], vec![(secret, &*ada)], Some("ada@contoso.example.com")),
        ("--approver Dana", vec![(secret, &*ada)], vec![(secret, &*ada)], Some("Dana")),
        ("", vec![(secret, &*dana)], vec![(secret, &*ada)], None),
    ] {
        let sandbox = Sandbox::start("");
        let run = planned(&sandbox);
        let mut test = run.then(&format!("approve run {approve}")).told_elsewhere();
        for (name, value) in approver {
            test = test.env(name, value);
        }
        test.run();
        match told {
            Some(told) => refused(&run, &sandbox, &sender, &own(told)),
            None => {
                let resume = format!("resume run {QUIET} {CONSENT}");
                let mut test = run.then(&resume).service(&sandbox.base).stderr(USED);
                for (name, value) in sender {
                    test = test.env(name, value);
                }
                assert_eq!(test.run().outcomes("run"), "2 applied");
            }
        }
    }
}

#[test]
fn a_plan_that_was_changed_is_read_again() {
    let sandbox = Sandbox::start("");
    let run = planned(&sandbox);
    let read = run.place.read("run/plan.jsonl");
    run.place.write("run/plan.jsonl", read.replace("Lost", "Won"));
    run.then("approve run --approver Dana")
        .code(2)
        .stderr(&format!(
            "{USED}error: run/plan.jsonl was changed since it was written, so it is not known what was read: nothing is \
             approved\nhint: what the run would do stands there now: read it, and approve that\n"
        ))
        .run();
    assert_eq!(run.place.read("run/plan.jsonl"), read);
    refused(&run, &sandbox, &[], UNAPPROVED);
    run.then("approve run --approver Dana").told_elsewhere().run();
    let resume = format!("resume run {QUIET} {CONSENT}");
    assert_eq!(run.then(&resume).service(&sandbox.base).stderr(USED).run().outcomes("run"), "2 applied");
}

#[test]
fn what_cannot_be_approved_says_why() {
    let sandbox = Sandbox::start("");
    let run = planned(&sandbox);
    for (approve, told) in [
        (
            "approve run --approver ''",
            "error: --approver : this is nobody's name\nhint: write who approves, in 200 characters at most\n",
        ),
        ("approve nowhere --approver Dana", "error: nowhere holds no run\n"),
    ] {
        let code = if approve.contains("nowhere") { 1 } else { 2 };
        run.then(approve).code(code).stderr(&format!("{USED}{told}")).run();
    }
    let unchanged = "id,details.notes\n";
    run.then(&format!("apply b.csv --out empty --plan {QUIET}"))
        .file("b.csv", unchanged)
        .service(&sandbox.base)
        .told_elsewhere()
        .run();
    run.then("approve empty --approver Dana")
        .code(2)
        .stderr(&format!("{USED}error: the plan in empty changes nothing: there is nothing to approve\n"))
        .run();
}

/// What was planned with a profile that wants it is not sent without it, whatever profile sends.
#[test]
fn the_wish_for_a_second_person_stays_with_the_run() {
    let sandbox = Sandbox::start("");
    let settings = SETTINGS.replace("default", "strict");
    let used = USED.replace("default", "strict");
    let run = Test::new(&format!("apply a.csv --out run --plan --profile strict {QUIET}"))
        .file("a.csv", CHANGES)
        .file("referral-bulk.toml", settings)
        .service(&sandbox.base)
        .told_elsewhere()
        .run();
    let before = sandbox.referrals();
    let resume = format!("resume run --rate 1000/s {QUIET} {CONSENT}");
    run.then(&resume).service(&sandbox.base).code(2).stderr(UNAPPROVED).run();
    // The command that follows is told with the profile.
    let approved = run.then("approve run --profile strict --approver Dana").told_elsewhere().run();
    assert_eq!(approved.next(), "resume run --profile strict");
    assert!(approved.stderr.starts_with(&used), "{}", approved.stderr);
    assert!(sandbox.referrals() == before, "something was sent");
    assert_eq!(run.then(&resume).service(&sandbox.base).run().outcomes("run"), "2 applied");
}
