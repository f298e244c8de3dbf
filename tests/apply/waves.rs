//! `--waves`: a plan is sent in parts, each is read back, and the next one goes only if all of it stands.

use nix::sys::signal::Signal;

use super::*;
use crate::support::terminal::{self, Does};
use crate::support::waiting::until;

const SEND: &str = "--yes --rate 1000/s --concurrency 1 --out run --summary none --progress none";

const FELL: &str = "warning: the last wave did not stand when it was read back; how all stands now is told by: \
                    referral-bulk verify run\n";

/// Active referrals that have one with each number, with notes.
fn seed(count: usize) -> Vec<Value> {
    (1..=count)
        .map(|number| {
            let mut referral = referral(number, "Active", "Accepted");
            referral["details"]["notes"] = "as it was".into();
            referral
        })
        .collect()
}

fn csv(numbers: impl IntoIterator<Item = usize>) -> String {
    let rows = numbers.into_iter().map(|number| format!("{},Called\n", id(number)));
    format!("id,details.notes\n{}", rows.collect::<String>())
}

/// The methods, and the numbers of the referrals, of the requests that came, but for those of planning.
fn requests(tap: &Tap) -> String {
    let number = |path: &str| (0..100).find(|number| path.ends_with(&id(*number)));
    let told = tap.seen().into_iter().map(|seen| match (seen.method.as_str(), number(&seen.path)) {
        ("PATCH", Some(number)) => format!("{number}"),
        (_, Some(number)) => format!("get{number}"),
        _ => "list".to_owned(),
    });
    told.collect::<Vec<_>>().join(" ")
}

#[test]
fn each_wave_is_read_back_before_the_next() {
    let place = Place::new();
    let sandbox = Sandbox::seeded(&place, &seed(7), &[""; 0]);
    let tap = Tap::on(&sandbox);
    let ran = Test::at(&place, &format!("apply a.csv {SEND} --waves 1,2,rest"))
        .file("a.csv", csv(1..=6))
        .service(&tap.endpoint())
        .stderr(
            "wave 1 of 3: 1 applied; read back: 1 still-ours\n\
             wave 2 of 3: 2 applied; read back: 2 still-ours\n\
             wave 3 of 3: 3 applied; read back: 3 still-ours\n",
        )
        .run();
    assert_eq!(requests(&tap), "list 1 get1 2 3 list 4 5 6 list");
    assert_eq!(ran.outcomes("run"), "6 applied");
    let plan = place.read("run/plan.jsonl");
    let waves = plan.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["wave"].clone());
    assert_eq!(waves.collect::<Vec<_>>(), [1, 2, 2, 3, 3, 3]);
    let summary = ran.summary("run");
    assert_eq!(summary["waves"], serde_json::json!({"ends": [1, 3, 6]}));
    assert_eq!(summary["requests"]["get"], 1);
    assert_eq!(summary["requests"]["list"], 3);
    let verified = place.read("run/verify.jsonl");
    assert_eq!(verified.lines().count(), 6);
    assert_eq!(ran.code, 0);
}

#[test]
fn a_plan_says_its_waves_beforehand() {
    let ran = Test::new("apply a.csv --plan --sandbox --rate 1000/s --out run --progress none --waves '1, 50%'")
        .file("a.csv", "id,details.notes\n5a1e0001-0000-4000-8000-000000000027,x\n5a1e0001-0000-4000-8000-000000000028,y\n5a1e0001-0000-4000-8000-000000000029,z\n")
        .told_elsewhere()
        .run();
    let told = "waves: 1 and 2 referrals, each read back before the next\n";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    for command in ["report run --progress none", "show run"] {
        let shown = ran.then(command).told_elsewhere().run();
        assert!(shown.stdout.contains(told), "{}", shown.stdout);
    }
    let resumed = ran.then("resume run --rate 1000/s --progress plain --summary none").told_elsewhere().run();
    assert!(resumed.stderr.contains(told), "{}", resumed.stderr);
    assert!(
        resumed.stderr.contains("wave 2 of 2: 2 applied; read back: 2 still-ours\n"),
        "{}",
        resumed.stderr
    );
}

/// Somebody changes what the second wave has written, or it goes away, or it can't be looked at.
#[test]
fn a_wave_that_does_not_stand_is_the_last_until_somebody_resumes() {
    let second = id(2);
    for (fault, found, why) in [
        (format!("get@{second}=edited"), "1 changed-since", "1 referral changed since"),
        (format!("get@{second}#*=404"), "1 gone", "1 referral gone"),
        (format!("get@{second}#*=403"), "1 not-readable", "1 referral not readable"),
    ] {
        let place = Place::new();
        let sandbox = Sandbox::seeded(&place, &seed(4), &["--fault".to_owned(), fault.clone()]);
        let tap = Tap::on(&sandbox);
        let ran = Test::at(&place, &format!("apply a.csv {SEND} --waves 1,1,rest"))
            .file("a.csv", csv(1..=4))
            .service(&tap.endpoint())
            .code(4)
            .stderr(&format!(
                "wave 1 of 3: 1 applied; read back: 1 still-ours\n\
                 wave 2 of 3: 1 applied; read back: {found}\n\
                 hint: the first of them is told by: referral-bulk explain run [GUID]; all are in run/verify.csv\n\
                 hint: look at it before you resume: that lets wave 3 go all the same\n\
                 stopped: wave 2 does not stand: {why}\n\
                 next: referral-bulk resume run --rate 1000/s --concurrency 1\n"
            ))
            .run();
        assert_eq!(ran.outcomes("run"), "2 applied, 2 unsent", "{fault}");
        assert_eq!(tap.count("PATCH"), 2);
        tap.forget();
        let resumed = ran
            .then("resume run --rate 1000/s --concurrency 1 --summary none --progress none")
            .service(&tap.endpoint())
            .stderr(
                "note: wave 2 did not stand when it was read back; you resume, so wave 3 goes\n\
                 wave 3 of 3: 2 applied; read back: 2 still-ours\n",
            )
            .run();
        assert_eq!(resumed.outcomes("run"), "4 applied", "{fault}");
        assert_eq!(requests(&tap), "3 4 list", "{fault}");
    }
}

/// A first wave of one that isn't applied shows nothing, and what was taken in part does not stand.
#[test]
fn a_wave_that_came_to_nothing_is_no_reason_to_go_on() {
    let first = id(1);
    for (fault, told, why) in [
        (format!("patch@{first}=400"), "1 refused; nothing of it was changed", "nothing of it was changed"),
        (
            format!("patch@{first}=edited"),
            "1 conflict; nothing of it was changed",
            "nothing of it was changed",
        ),
        (
            format!("patch@{first}=ignores:/details/notes"),
            "1 partial; read back: 1 still-ours",
            "1 referral taken in part",
        ),
    ] {
        let place = Place::new();
        let sandbox = Sandbox::seeded(&place, &seed(3), &["--fault".to_owned(), fault.clone()]);
        let ran = Test::at(&place, &format!("apply a.csv {SEND} --waves 1,rest"))
            .file("a.csv", csv(1..=3))
            .service(&sandbox.base)
            .code(4)
            .told_elsewhere()
            .run();
        for wanted in [
            format!("wave 1 of 2: {told}\n"),
            "hint: look at it before you resume: that lets wave 2 go all the same\n".to_owned(),
            format!("stopped: wave 1 does not stand: {why}\n"),
        ] {
            assert!(ran.stderr.contains(&wanted), "{fault}: {}", ran.stderr);
        }
        assert!(ran.outcomes("run").contains("2 unsent"), "{fault}");
    }
}

/// The last wave is read back too; nothing is left to stop then.
#[test]
fn a_last_wave_that_does_not_stand_is_told() {
    let place = Place::new();
    let fault = format!("get@{}=edited", id(2));
    let sandbox = Sandbox::seeded(&place, &seed(2), &["--fault".to_owned(), fault]);
    let ran = Test::at(&place, &format!("apply a.csv {SEND} --waves 1,rest"))
        .file("a.csv", csv(1..=2))
        .service(&sandbox.base)
        .code(3)
        .stderr(
            "wave 1 of 2: 1 applied; read back: 1 still-ours\n\
             wave 2 of 2: 1 applied; read back: 1 changed-since\n\
             hint: the first of them is told by: referral-bulk explain run [GUID]; all are in run/verify.csv\n\
             warning: the last wave did not stand when it was read back; how all stands now is told by: referral-bulk verify run\n",
        )
        .run();
    assert_eq!(ran.outcomes("run"), "2 applied");
    assert_eq!(ran.summary("run")["exit_code"], 3);
    ran.then("report run --summary none").code(3).stderr(FELL).run();
    // With the profile that the tokens come from.
    place.write("referral-bulk.toml", "[profile.a]\n");
    let resumed = ran.then("resume run --profile a --summary none").service(&sandbox.base).code(3);
    let resumed = resumed.told_elsewhere().run();
    assert!(resumed.stderr.contains("referral-bulk verify run --profile a\n"), "{}", resumed.stderr);
}

#[test]
fn somebody_at_the_terminal_lets_each_wave_go() {
    for (answer, code, outcomes) in [("y\n", 0, "3 applied"), ("n\n", 4, "1 applied, 2 unsent")] {
        let place = Place::new();
        let sandbox = Sandbox::seeded(&place, &seed(3), &[""; 0]);
        place.write("a.csv", csv(1..=3));
        let command = "apply a.csv --rate 1000/s --out run --summary none --progress none --waves 1,rest";
        let seen =
            terminal::answering(&place, command, &sandbox.base, [Does::Types("y\n"), Does::Types(answer)]);
        assert_eq!(seen.code, Some(code), "{}", seen.terminal);
        assert!(
            seen.terminal.contains(
                "wave 1 of 2: 1 applied; read back: 1 still-ours\nThe next wave changes 2 referrals. Type y to go on: "
            ),
            "{}",
            seen.terminal
        );
        let reported = Test::at(&place, "report run --summary none").code(code).told_elsewhere().run();
        assert_eq!(reported.outcomes("run"), outcomes);
    }
}

#[test]
fn waves_that_are_none_are_told_before_anything_happens() {
    for (waves, told) in [
        ("0", "--waves 0: a wave of 0 sends nothing"),
        ("rest,1", "--waves rest,1: nothing is left behind the rest"),
        ("'5;rest'", "--waves '5;rest': 5;rest is no size of a wave"),
    ] {
        Test::new(&format!("apply a.csv --sandbox --waves {waves}"))
            .code(2)
            .stderr(&format!(
                "error: {told}\nhint: write numbers or shares of referrals, the last of them rest, as in --waves 1,5%,rest\n"
            ))
            .run();
    }
}

/// A process is killed while it reads a wave back: the next one reads that wave back before it sends anything.
#[test]
fn a_wave_that_was_not_read_back_is_so_first() {
    let place = Place::new();
    let sandbox = Sandbox::seeded(&place, &seed(4), &[""; 0]);
    let tap = Tap::on(&sandbox);
    let endpoint = tap.endpoint();
    Test::at(&place, "apply a.csv --plan --out run --waves 1,2,rest --summary none --progress none")
        .file("a.csv", csv(1..=4))
        .service(&endpoint)
        .told_elsewhere()
        .run();
    tap.hold(&["GET"]);
    let resume = format!("resume run --endpoint {endpoint} --yes --rate 1000/s --concurrency 1");
    let sending = place.start(&resume.split(' ').collect::<Vec<_>>());
    until("a look", || {
        tap.seen().iter().any(|seen| seen.is_about(&id(1)) && seen.method == "GET").then_some(())
    });
    sending.signal(Signal::SIGKILL);
    drop(sending);
    tap.release();
    tap.all_answered();
    tap.forget();
    let resumed = Test::at(&place, "resume run --rate 1000/s --concurrency 1 --summary none --progress none")
        .service(&endpoint)
        .stderr(
            "wave 1 of 3: 1 applied; read back: 1 still-ours\n\
             wave 2 of 3: 2 applied; read back: 2 still-ours\n\
             wave 3 of 3: 1 applied; read back: 1 still-ours\n",
        )
        .run();
    assert_eq!(requests(&tap), "get1 2 3 list 4 get4");
    assert_eq!(resumed.outcomes("run"), "4 applied");
}

/// Whoever interrupts the program while it reads the last wave back has not seen its end: it is read back later.
#[test]
fn a_last_wave_that_was_not_read_back_is_left_to_do() {
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let place = Place::new();
        let sandbox = Sandbox::seeded(&place, &seed(2), &[""; 0]);
        let tap = Tap::on(&sandbox);
        let endpoint = tap.endpoint();
        Test::at(&place, "apply a.csv --plan --out run --waves rest --summary none --progress none")
            .file("a.csv", csv(1..=2))
            .service(&endpoint)
            .told_elsewhere()
            .run();
        tap.forget();
        tap.hold(&["GET"]);
        let resume = format!("resume run --endpoint {endpoint} --yes --rate 1000/s --concurrency 1");
        let sending = place.start(&resume.split(' ').collect::<Vec<_>>());
        until("a look", || (tap.count("GET") > 0).then_some(()));
        sending.signal(signal);
        if signal == Signal::SIGINT {
            // The second one doesn't wait for the answer.
            sending.says("stopping");
            sending.signal(signal);
            assert_eq!(sending.wait().code, Some(4));
        } else {
            drop(sending);
        }
        tap.release();
        tap.all_answered();
        tap.forget();
        let report = Test::at(&place, "report run --summary none").code(4).told_elsewhere().run();
        assert_eq!((report.outcomes("run"), report.next()), ("2 applied".to_owned(), "resume run"));
        let resumed = report
            .then("resume run --rate 1000/s --concurrency 1 --summary none --progress none")
            .service(&endpoint)
            .stderr("wave 1 of 1: 2 applied; read back: 2 still-ours\n")
            .run();
        assert_eq!(requests(&tap), "list", "{signal}");
        assert_eq!(resumed.summary("run")["state"], "finished");
    }
}

/// What was typed before a question was there is no answer to it.
#[test]
fn keys_typed_ahead_let_no_wave_go() {
    let place = Place::new();
    let sandbox = Sandbox::seeded(&place, &seed(3), &[""; 0]);
    place.write("a.csv", csv(1..=3));
    let command = "apply a.csv --rate 1000/s --out run --summary none --progress none --waves 1,rest";
    let seen =
        terminal::answering(&place, command, &sandbox.base, [Does::Types("y\ny\ny\n"), Does::Types("n\n")]);
    assert_eq!(seen.code, Some(4), "{}", seen.terminal);
    assert!(seen.terminal.contains("stopped: wave 2 is not wanted now\n"), "{}", seen.terminal);
}
