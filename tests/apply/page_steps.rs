//! What the page of a run says to do next: followed to the letter, it loses no row and makes no change twice.

use regex::Regex;

use crate::support::case::{Ran, Test};
use crate::support::sandbox::Sandbox;

const QUIET: &str = "--summary none --progress none";

/// The steps of a run's page: what is to be done, and the command without the program's name.
fn steps(ran: &Ran, run: &str) -> Vec<(String, String)> {
    let page = ran.place.raw(&format!("{run}/report.html"));
    let step = Regex::new(
        r#"<li><span>([^<]*)</span><span class="cmd"><code>(.*?)</code><button [^>]*data-copy="([^"]*)""#,
    )
    .unwrap();
    let plain = |text: &str| {
        let marks = [("&#39;", "'"), ("&#34;", "\""), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
        marks.into_iter().fold(text.to_owned(), |text, (mark, plain)| text.replace(mark, plain))
    };
    let steps = step.captures_iter(&page).map(|found| {
        // Each argument is an element, so that a line breaks between them.
        let shown = found[2].replace("<span class=\"arg\">", "").replace("</span>", "");
        assert_eq!(shown, found[3], "what is shown is what is copied");
        let command = plain(&shown);
        (plain(&found[1]), command.strip_prefix("referral-bulk ").unwrap().to_owned())
    });
    steps.collect()
}

/// The steps as lines.
fn told(steps: &[(String, String)]) -> Vec<String> {
    steps.iter().map(|(what, command)| format!("{what}: {command}")).collect()
}

/// The command of a step, as the terminal names it: with what was typed of how to send, which is not on record.
fn typed((_, command): &(String, String)) -> String {
    format!("{command} --rate 1000/s")
}

/// The rows of a run, whatever became of them.
fn rows(ran: &Ran, run: &str) -> u64 {
    ran.summary(run)["rows"]["total"].as_u64().unwrap()
}

const VERIFY: &str = "See later whether all that it wrote still stands: verify run";
const UNDO: &str = "If it has to be taken back: make the change file that does, as far as that can be: undo run --out run-back.jsonl";

/// Follows what is to be done once a run is finished, which changes nothing. The run ended with this code.
fn look_back(ran: &Ran, steps: &[(String, String)], code: i32, sandbox: &Sandbox) {
    let before = sandbox.referrals();
    let [(_, verify), (_, undo)] = steps else { panic!("{steps:?}") };
    ran.then(&format!("{verify} --rate 1000/s {QUIET}")).service(&sandbox.base).told_elsewhere().run();
    ran.then("report run --summary none").code(code).told_elsewhere().run();
    let page = ran.place.raw("run/report.html");
    assert!(page.contains("all as the run wrote them"), "verified once, told from then on");
    // Closings stay.
    ran.then(&format!("{undo} --summary none")).code(3).told_elsewhere().run();
    assert!(ran.place.path("run-back.jsonl").is_file());
    assert_eq!(sandbox.referrals(), before);
}

#[test]
fn a_plan_is_carried_out_looked_at_and_could_be_taken_back() {
    let sandbox = Sandbox::start("");
    let before = sandbox.referrals();
    let planned = Test::new(&format!("apply quarter-end.csv --plan --rate 1000/s --out run {QUIET}"))
        .sample("quarter-end.csv")
        .service(&sandbox.base)
        .told_elsewhere()
        .run();
    let closing = planned.summary("run")["referrals"]["to_close"].as_u64().unwrap();
    let next = steps(&planned, "run");
    let wanted = format!("Carry it out; it asks for the number of closings: type {closing}: resume run");
    assert_eq!(told(&next), [wanted]);
    assert_eq!(planned.next(), typed(&next[0]));

    // Without a number there is nobody to ask, and the page says the same.
    planned
        .then(&format!("{} {QUIET}", typed(&next[0])))
        .service(&sandbox.base)
        .code(2)
        .told_elsewhere()
        .run();
    assert_eq!(sandbox.referrals(), before);
    assert_eq!(steps(&planned, "run"), next);

    let answer = format!("{} --yes --confirm-closing {closing} {QUIET}", typed(&next[0]));
    let sent = planned.then(&answer).service(&sandbox.base).told_elsewhere().run();
    assert_eq!(sent.summary("run")["requests"]["patch"], sent.summary("run")["referrals"]["to_change"]);
    let next = steps(&sent, "run");
    assert_eq!(told(&next), [VERIFY, UNDO]);
    look_back(&sent, &next, 0, &sandbox);
}

#[test]
fn rows_that_went_wrong_are_fed_back_and_none_is_lost() {
    let sandbox = Sandbox::start("");
    let apply = "apply quarter-end-mistakes.csv --rate 1000/s --out run --yes --confirm-closing 3";
    let ran = Test::new(&format!("{apply} {QUIET}"))
        .sample("quarter-end-mistakes.csv")
        .service(&sandbox.base)
        .code(3)
        .told_elsewhere()
        .run();
    let (next, after) = (steps(&ran, "run"), sandbox.referrals());
    let endpoint = format!("--endpoint {}", sandbox.base);
    assert_eq!(
        told(&next),
        [
            format!("Correct error.csv and feed it back: apply run/error.csv {endpoint}"),
            format!(
                "See in conflict.csv what others changed, keep what still holds, empty its eTag and feed it back: \
                 apply run/conflict.csv {endpoint}"
            ),
            VERIFY.to_owned(),
            UNDO.to_owned(),
        ]
    );
    assert_eq!(ran.next(), typed(&next[0]));
    // As they are, they end as they did.
    for (step, (run, wanted)) in next.iter().zip([("errors", 8), ("conflicts", 1)]) {
        let test = ran.then(&format!("{} --yes --out {run} {QUIET}", typed(step)));
        let again = test.service(&sandbox.base).code(3).told_elsewhere().run();
        assert_eq!(rows(&again, run), wanted);
        assert_eq!(again.summary(run)["requests"]["patch"], 0);
        assert_eq!(sandbox.referrals(), after);
    }
    look_back(&ran, &next[2..], 3, &sandbox);
}

#[test]
fn a_run_that_stopped_is_gone_on_with() {
    let sandbox = Sandbox::start("");
    let apply = "apply quarter-end-mistakes.csv --rate 1000/s --out run --yes --confirm-closing 3";
    let stopped = Test::new(&format!("{apply} --finish-by 2020-01-01T00:00:00Z {QUIET}"))
        .sample("quarter-end-mistakes.csv")
        .service(&sandbox.base)
        .code(4)
        .told_elsewhere()
        .run();
    let next = steps(&stopped, "run");
    assert_eq!(stopped.next(), typed(&next[0]));
    let answer = format!("{} --yes --confirm-closing 3 {QUIET}", typed(&next[0]));
    let sent = stopped.then(&answer).service(&sandbox.base).code(3).told_elsewhere().run();
    assert_eq!((rows(&sent, "run"), &sent.summary("run")["requests"]["patch"]), (15, &6.into()));
    // What was to be corrected before still is.
    let commands =
        |steps: &[(String, String)]| steps.iter().map(|(what, _)| what.clone()).collect::<Vec<_>>();
    let after = steps(&sent, "run");
    assert_eq!(commands(&next[1..]), commands(&after[..after.len() - 2]));
}
