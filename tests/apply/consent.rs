//! Who may change what: nothing is sent to a service before somebody consented to it, and closing,
//! which cannot be taken back, takes a consent of its own.

use crate::support::case::{Ran, Test};
use crate::support::checksums;
use crate::support::place::Place;
use crate::support::redact::redact;
use crate::support::sandbox::Sandbox;
use crate::support::terminal::{self, Does};

const ACTIVE: &str = "5a1e0001-0000-4000-8000-000000000027";
const OTHER: &str = "5a1e0001-0000-4000-8000-000000000028";

/// One referral is changed.
const CHANGE: &str = "id,status,substatus,statusReason,details.notes\n\
    5a1e0001-0000-4000-8000-000000000027,,,,Called on Monday\n";
/// One referral is changed, two are closed.
const CLOSE: &str = "id,status,substatus,statusReason,details.notes\n\
    5a1e0001-0000-4000-8000-000000000027,,,,Called on Monday\n\
    5a1e0001-0000-4000-8000-000000000028,Closed,Lost,No budget,\n\
    5a1e0001-0000-4000-8000-000000000029,Closed,Lost,No budget,\n";

const APPLY: &str = "apply a.csv --rate 1000/s --out run --summary none --progress none";

/// What keeps a plan from being carried out where nobody can be asked, and what to type next.
fn refusal(message: &str, flags: &str) -> String {
    let next = "referral-bulk resume run --rate 1000/s";
    format!("error: {message}\nhint: look at run/plan.jsonl, then: {next} {flags}\n")
}

#[test]
fn without_a_terminal_consent_comes_in_flags() {
    let unasked = Some(("the plan changes 1 referral, and nobody is there to ask", "--yes"));
    let wrong =
        Some(("--confirm-closing says 7, and the plan closes 0 referrals", "--yes --confirm-closing 0"));
    let closing = Some((
        "the plan closes 2 referrals, which cannot be undone, and nobody is there to ask",
        "--yes --confirm-closing 2",
    ));
    let unasked_closing =
        Some(("the plan changes 3 referrals, and nobody is there to ask", "--yes --confirm-closing 2"));
    let wrong_closing =
        Some(("--confirm-closing says 7, and the plan closes 2 referrals", "--yes --confirm-closing 2"));
    for (file, flags, refused) in [
        (CHANGE, "", unasked),
        (
            CHANGE,
            "--confirm-closing 0",
            Some(("the plan changes 1 referral, and nobody is there to ask", "--yes --confirm-closing 0")),
        ),
        (CHANGE, "--confirm-closing 7", wrong),
        (CHANGE, "--yes", None),
        (CHANGE, "--yes --confirm-closing 0", None),
        (CHANGE, "--yes --confirm-closing 7", wrong),
        (CLOSE, "", closing),
        (CLOSE, "--confirm-closing 2", unasked_closing),
        (CLOSE, "--confirm-closing 7", wrong_closing),
        (CLOSE, "--yes", closing),
        (CLOSE, "--yes --confirm-closing 2", None),
        (CLOSE, "--yes --confirm-closing 7", wrong_closing),
    ] {
        let sandbox = Sandbox::start("");
        let before = sandbox.referrals();
        let test = Test::new(&format!("{APPLY} {flags}")).file("a.csv", file).service(&sandbox.base);
        let rows = file.lines().count() - 1;
        match refused {
            None => {
                let ran = test.run();
                assert_eq!(ran.outcomes("run"), format!("{rows} applied"), "{flags}");
                assert_eq!(sandbox.referral(ACTIVE)["details"]["notes"], "Called on Monday");
                let closed = if rows > 1 { "Closed" } else { "Active" };
                assert_eq!(sandbox.referral(OTHER)["status"], closed);
            }
            Some((message, with)) => {
                let ran = test.code(2).stderr(&refusal(message, with)).run();
                assert_eq!(ran.outcomes("run"), format!("{rows} planned"), "{flags}");
                assert!(sandbox.referrals() == before, "something was sent: {flags}");
                // The command that was named is all that it takes.
                let next = format!("resume run {with} --summary none --progress none");
                let ran = ran.then(&next).service(&sandbox.base).run();
                assert_eq!(ran.outcomes("run"), format!("{rows} applied"), "{flags}");
            }
        }
    }
}

#[test]
fn resume_asks_for_the_same() {
    let sandbox = Sandbox::start("");
    let before = sandbox.referrals();
    let planned = Test::new(&format!("{APPLY} --plan")).file("a.csv", CLOSE).service(&sandbox.base);
    let planned = planned.stderr("next: referral-bulk resume run --rate 1000/s\n").run();
    let closing = "the plan closes 2 referrals, which cannot be undone, and nobody is there to ask";
    for (flags, message) in [
        ("", closing),
        ("--yes", closing),
        ("--confirm-closing 2", "the plan changes 3 referrals, and nobody is there to ask"),
        ("--yes --confirm-closing 3", "--confirm-closing says 3, and the plan closes 2 referrals"),
    ] {
        let ran = planned
            .then(&format!("resume run --rate 1000/s --summary none --progress none {flags}"))
            .service(&sandbox.base)
            .code(2)
            .stderr(&refusal(message, "--yes --confirm-closing 2"))
            .run();
        assert_eq!(ran.outcomes("run"), "3 planned", "{flags}");
        assert!(sandbox.referrals() == before, "something was sent: {flags}");
    }
    let resume = "resume run --rate 1000/s --summary none --progress none --yes --confirm-closing 2";
    let ran = planned.then(resume).service(&sandbox.base).run();
    assert_eq!(ran.outcomes("run"), "3 applied");
}

/// The number is taken from the plan's summary, whether that is printed or read from its file.
#[test]
fn a_script_consents_to_what_its_plan_says() {
    for (file, closes) in [(CHANGE, 0), (CLOSE, 2)] {
        let sandbox = Sandbox::start("");
        let apply = "apply a.csv --plan --rate 1000/s --out run --summary json --progress none";
        let planned = Test::new(apply).file("a.csv", file).service(&sandbox.base).told_elsewhere().run();
        let printed: serde_json::Value = serde_json::from_str(&planned.stdout).unwrap();
        let rows = file.lines().count() - 1;
        let referrals = |changed: usize, closed: usize| {
            let to_change = rows;
            serde_json::json!({"total": rows, "to_change": to_change, "to_close": closes, "changed": changed, "closed": closed})
        };
        assert_eq!(printed["referrals"], referrals(0, 0));
        assert_eq!(planned.summary("run")["referrals"], referrals(0, 0));
        let number = &printed["referrals"]["to_close"];
        let resume = "resume run --rate 1000/s --summary none --progress none --yes --confirm-closing";
        let sent = planned.then(&format!("{resume} {number}")).service(&sandbox.base).run();
        assert_eq!(sent.summary("run")["referrals"], referrals(rows, closes));
        let reported = sent.then("report run --summary none").run();
        assert_eq!(reported.summary("run")["referrals"], referrals(rows, closes));
    }
}

/// Nobody consents to a plan that isn't complete: its number is none.
#[test]
fn a_plan_that_was_cut_off_has_no_number() {
    let ran = Test::new("apply a.csv --out run --summary json").code(1).told_elsewhere().run();
    let printed: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(printed["referrals"]["to_close"].is_null(), "{printed}");
    let typed = format!("resume run --yes --confirm-closing {}", printed["referrals"]["to_close"]);
    ran.then(&typed).code(2).told_elsewhere().run();
}

/// However much of it is left, a run that was consented to once needs no more words; those that are given are
/// right for the plan or for what is left of it.
#[test]
fn what_was_consented_to_is_not_asked_for_again() {
    let refused = "error: --confirm-closing says 7, and the plan closes 2 referrals, of which 1 is left\n\
                   hint: look at run/plan.jsonl, then: referral-bulk resume run --rate 1000/s --confirm-closing 1\n";
    for (flags, refused) in [
        ("", None),
        ("--yes", None),
        ("--confirm-closing 2", None),
        ("--confirm-closing 1", None),
        ("--yes --confirm-closing 2", None),
        ("--confirm-closing 7", Some(refused)),
        ("--yes --confirm-closing 7", Some(refused)),
    ] {
        let sandbox = Sandbox::start("--fault patch#2=400");
        let stopped = Test::new(&format!("{APPLY} --concurrency 1 --max-errors 1 --yes --confirm-closing 2"))
            .file("a.csv", CLOSE)
            .service(&sandbox.base)
            .code(4)
            .stderr(
                "stopped: 1 row was refused, failed or taken in part, and --max-errors allows no more\n\
                 hint: error.csv holds 1 row to be corrected and fed back\n\
                 next: referral-bulk resume run --rate 1000/s --concurrency 1 --max-errors 1\n",
            )
            .run();
        assert_eq!(stopped.outcomes("run"), "1 applied, 1 refused, 1 unsent");
        let before = sandbox.referrals();
        let resume = format!("resume run --rate 1000/s --summary none --progress none {flags}");
        let resumed = stopped.then(&resume).service(&sandbox.base);
        match refused {
            None => {
                let resumed = resumed.code(3).told_elsewhere().run();
                assert_eq!(resumed.outcomes("run"), "2 applied, 1 refused", "{flags}");
            }
            Some(words) => {
                let resumed = resumed.code(2).stderr(words).run();
                assert_eq!(resumed.outcomes("run"), "1 applied, 1 refused, 1 unsent", "{flags}");
                assert!(sandbox.referrals() == before, "something was sent: {flags}");
            }
        }
    }
}

/// Reports tell what was consented to, and a plan that nobody consented to has nothing to tell.
#[test]
fn a_consent_is_told() {
    let sandbox = Sandbox::start("");
    let consent = |run: &Ran| run.summary("run")["consent"].clone();
    let planned = Test::new(&format!("{APPLY} --plan")).file("a.csv", CLOSE).service(&sandbox.base);
    let planned = planned.told_elsewhere().run();
    assert!(consent(&planned).is_null());
    let resume = "resume run --rate 1000/s --progress none --yes --confirm-closing 2";
    let sent = planned.then(resume).service(&sandbox.base).told_elsewhere().run();
    let told = consent(&sent);
    assert_eq!(told["how"], serde_json::json!(["yes", "confirm-closing"]));
    assert_eq!((&told["closing"], &told["plan_sha256"]), (&2.into(), &sent.summary("run")["plan_sha256"]));
    assert!(
        sent.stdout().contains("\nconsent: [TIME], --yes and --confirm-closing, to closing 2 referrals\n")
    );
    let reported = sent.then("report run --summary none").run();
    assert_eq!(consent(&reported), told);
    let rehearsed = Test::new(&format!("{APPLY} --sandbox")).file("a.csv", CLOSE).run();
    assert!(consent(&rehearsed).is_null());
}

/// A consent that doesn't fit what would be sent is none.
#[test]
fn a_consent_to_something_else_does_not_count() {
    let another_plan = format!("'{}'", "0".repeat(64));
    for (member, value, other) in [
        ("plan_sha256", another_plan.as_str(), "is to another plan than run/plan.jsonl is now"),
        ("target", "'https://example.com/v1.0'", "is to sending to https://example.com/v1.0, not to "),
        ("user", "4294967294", "was given by another user"),
    ] {
        let sandbox = Sandbox::start("--fault patch#2=400");
        let stopped = Test::new(&format!("{APPLY} --concurrency 1 --max-errors 1 --yes --confirm-closing 2"));
        let stopped = stopped.file("a.csv", CLOSE).service(&sandbox.base).code(4).told_elsewhere().run();
        {
            let ledger = rusqlite::Connection::open(stopped.place.path("run/run.sqlite")).unwrap();
            let meddle = format!("UPDATE consent SET consent = json_set(consent, '$.{member}', {value})");
            assert_eq!(ledger.execute(&meddle, []).unwrap(), 1);
            checksums::renew(&ledger).unwrap();
        }
        let before = sandbox.referrals();
        let resume = "resume run --rate 1000/s --summary none --progress none";
        let refused = stopped.then(resume).service(&sandbox.base).code(2).told_elsewhere().run();
        let said = refused.stderr();
        assert!(said.starts_with("note: the consent on record ") && said.contains(other), "{said}");
        let right = "then: referral-bulk resume run --rate 1000/s --yes --confirm-closing 1\n";
        assert!(said.ends_with(right), "{said}");
        assert!(sandbox.referrals() == before, "something was sent");
        let resumed = refused.then(&format!("{resume} --yes --confirm-closing 1")).service(&sandbox.base);
        assert_eq!(resumed.code(3).told_elsewhere().run().outcomes("run"), "2 applied, 1 refused");
    }
}

#[test]
fn a_rehearsal_and_a_plan_that_changes_nothing_need_no_consent() {
    Test::new(&format!("{APPLY} --sandbox")).file("a.csv", CLOSE).run();
    let sandbox = Sandbox::start("");
    let unchanged = "id,status,substatus\n5a1e0001-0000-4000-8000-000000000027,Active,Accepted\n";
    let ran = Test::new(APPLY).file("a.csv", unchanged).service(&sandbox.base).run();
    assert_eq!(ran.outcomes("run"), "1 unchanged");
}

#[test]
fn an_answer_on_standard_input_that_is_no_terminal_is_none() {
    let sandbox = Sandbox::start("");
    let before = sandbox.referrals();
    Test::new(APPLY)
        .file("a.csv", CHANGE)
        .stdin("y\n")
        .service(&sandbox.base)
        .code(2)
        .stderr(&refusal("the plan changes 1 referral, and nobody is there to ask", "--yes"))
        .run();
    assert!(sandbox.referrals() == before);
}

#[test]
fn at_a_terminal_a_person_is_asked() {
    use Does::{Interrupts, Types};

    let change = "This changes 1 referral at http://127.0.0.1:[PORT]/v1.0. Type y to go on: ";
    let close = "This closes 2 referrals, which cannot be undone. Type 2 to go on: ";
    let other = "error: that is another number: nothing was sent\n";
    let none = "error: nothing was sent\n";
    let gone = "error: the plan changes 1 referral, and nobody is there to ask\n";
    let gone_closing =
        "error: the plan closes 2 referrals, which cannot be undone, and nobody is there to ask\n";
    for (file, flags, question, does, says) in [
        (CHANGE, "", change, Types("y\n"), None),
        (CHANGE, "", change, Types("YES\n"), None),
        (CHANGE, "", change, Types("n\n"), Some(none)),
        (CHANGE, "", change, Types("\n"), Some(none)),
        (CHANGE, "", change, Types("1\n"), Some(none)),
        (CHANGE, "", change, Types("\u{4}"), Some(gone)),
        (CHANGE, "", change, Interrupts, Some("nothing was sent\n")),
        (CLOSE, "", close, Types("2\n"), None),
        (CLOSE, "--yes", close, Types(" 2 \n"), None),
        (CLOSE, "", close, Types("3\n"), Some(other)),
        (CLOSE, "", close, Types("22\n"), Some(other)),
        (CLOSE, "", close, Types("-2\n"), Some(other)),
        (CLOSE, "", close, Types("y\n"), Some(other)),
        (CLOSE, "--yes", close, Types("y\n"), Some(other)),
        (CLOSE, "", close, Types("yes\n"), Some(other)),
        (CLOSE, "", close, Types("\n"), Some(other)),
        (CLOSE, "", close, Types("\u{4}"), Some(gone_closing)),
        (CLOSE, "", close, Interrupts, Some("nothing was sent\n")),
    ] {
        let told = format!("{flags} {does:?}");
        let sandbox = Sandbox::start("");
        let before = sandbox.referrals();
        let place = Place::new();
        place.write("a.csv", file);
        let seen = terminal::run(&place, &format!("{APPLY} {flags}"), &sandbox.base, Some(does));
        assert_eq!(seen.code, Some(if says.is_none() { 0 } else { 2 }), "{told}: {}", seen.terminal);
        assert_eq!(seen.stdout, "", "{told}");
        let shown = redact(&seen.terminal, place.root());
        let (plan, shown) = shown.split_at(shown.find(question).unwrap_or_else(|| panic!("{told}: {shown}")));
        assert!(is_preview(plan), "{told}: {plan}");
        assert!(shown.contains(says.unwrap_or("")), "{told}: {shown}");
        if matches!(does, Interrupts) {
            let said = "error: interrupted: nothing was sent\n\
                        hint: carry it out later with: referral-bulk resume run --rate 1000/s\n";
            assert_eq!(shown, format!("{question}\n{said}"), "{told}");
        }
        assert_eq!(sandbox.referrals() == before, says.is_some(), "{told}");
    }
}

/// Whether this tells a plan, and nothing else: whoever is asked has seen what it changes.
fn is_preview(plan: &str) -> bool {
    let begins = plan.starts_with("closed for good, which cannot be undone\n")
        || plan.starts_with("what else changes\n");
    begins
        && plan.contains("\nwhat changes of each referral\n")
        && plan.contains(" → ")
        && !plan.contains("This ")
}

#[test]
fn what_a_person_refused_is_carried_out_later() {
    let sandbox = Sandbox::start("");
    let place = Place::new();
    place.write("a.csv", CLOSE);
    let seen = terminal::run(&place, APPLY, &sandbox.base, Some(Does::Types("3\n")));
    let shown = redact(&seen.terminal, place.root());
    let (plan, shown) = shown.split_at(shown.find("This closes").unwrap());
    assert!(is_preview(plan), "{plan}");
    assert_eq!(
        shown,
        "This closes 2 referrals, which cannot be undone. Type 2 to go on: 3\n\
         error: that is another number: nothing was sent\n\
         hint: carry it out later with: referral-bulk resume run --rate 1000/s\n"
    );
    let resume = "resume run --rate 1000/s --summary none --progress none";
    let seen = terminal::run(&place, resume, &sandbox.base, Some(Does::Types("2\n")));
    assert_eq!(seen.code, Some(0));
    let question = "This closes 2 referrals, which cannot be undone. Type 2 to go on: 2\n";
    assert_eq!(seen.terminal.strip_suffix(question), Some(plan), "{}", seen.terminal);
    assert_eq!(sandbox.referral(OTHER)["status"], "Closed");
}

/// As after a loss of power: who was asked once is not asked once more.
#[test]
fn a_person_who_said_yes_is_not_asked_twice() {
    let sandbox = Sandbox::start("--fault patch#2=400");
    let place = Place::new();
    place.write("a.csv", CLOSE);
    let apply = format!("{APPLY} --concurrency 1 --max-errors 1");
    let seen = terminal::run(&place, &apply, &sandbox.base, Some(Does::Types("2\n")));
    assert_eq!(seen.code, Some(4), "{}", seen.terminal);
    let resume = "resume run --rate 1000/s --summary none --progress none";
    let seen = terminal::run(&place, resume, &sandbox.base, None);
    assert_eq!(seen.code, Some(3), "{}", seen.terminal);
    assert_eq!(sandbox.referral(OTHER)["status"], "Active", "it was refused");
}

#[test]
fn at_a_terminal_flags_spare_the_question() {
    let sandbox = Sandbox::start("");
    let place = Place::new();
    place.write("a.csv", CLOSE);
    let seen = terminal::run(&place, &format!("{APPLY} --yes --confirm-closing 2"), &sandbox.base, None);
    assert_eq!((seen.code, seen.terminal.as_str()), (Some(0), ""));
}

/// `--confirm-closing` covers the closings; the other changes are asked for.
#[test]
fn consent_to_closing_is_not_consent_to_everything() {
    let sandbox = Sandbox::start("");
    let place = Place::new();
    place.write("a.csv", CLOSE);
    let command = format!("{APPLY} --confirm-closing 2");
    let seen = terminal::run(&place, &command, &sandbox.base, Some(Does::Types("y\n")));
    assert_eq!(seen.code, Some(0), "{}", seen.terminal);
    assert!(seen.terminal.contains("\n\nThis changes 3 referrals at "), "{}", seen.terminal);
}
