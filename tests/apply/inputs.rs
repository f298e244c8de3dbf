//! Where inputs come from, and how they are read.

use super::*;

#[test]
fn an_engagement_is_no_referral() {
    let engagement = "e6000001-0000-4000-8000-000000000015";
    let text = notes(&[ACTIVE, engagement]);
    let ran = Test::new(&format!("apply a.csv {QUIET}")).file("a.csv", text).code(3).told_elsewhere().run();
    let told = ran.place.raw("run/outcomes.jsonl");
    let hint = format!("this is the engagementId of referral {ACTIVE}: give the referral's own id");
    assert!(told.lines().nth(1).unwrap().contains(&hint), "{told}");
}

#[test]
fn standard_input_is_a_file_too() {
    Test::new(&format!("apply - --format csv {REHEARSE}"))
        .stdin(notes(&[ACTIVE, "5a1e"]))
        .code(3)
        .snapshot("stdin_csv", ["run/error.csv", "run/outcomes.jsonl", "run/summary.json"])
        .run();
    let ran = Test::new(&format!("apply - --format jsonl {QUIET}"))
        .stdin(format!("{{\"id\":\"{ACTIVE}\",\"salesStage\":\"Develop\"}}"))
        .run();
    assert_eq!(ran.outcomes("run"), "1 applied");
}

/// What needs no look at the referrals is told in the order of the file, in every run.
#[test]
fn what_is_wrong_is_told_in_the_order_of_the_file() {
    let rows: String =
        (1..=10).map(|n| format!("5a1e0001-0000-4000-8000-0000000000{n:02},Closed\n")).collect();
    let place = Place::new();
    place.write("a.csv", format!("id,status\n{rows}"));
    let (code, _, said) = plainly(&place, "apply a.csv --plan --state none --out run");
    assert_eq!(code, Some(3));
    let places: Vec<&str> = said.lines().filter(|line| line.starts_with("  --> ")).collect();
    let wanted: Vec<String> = (2..=11).map(|line| format!("  --> a.csv:{line}:2")).collect();
    assert_eq!(places, wanted);
}

#[test]
fn reports_are_fed_back() {
    let first = Test::new(&format!("apply quarter-end-mistakes.csv {QUIET}"))
        .sample("quarter-end-mistakes.csv")
        .code(3)
        .snapshot("feed_back_first", [])
        .run();
    assert_eq!(first.outcomes("run"), "6 applied, 1 conflict, 7 invalid, 1 refused");
    // As they are, the same rows go wrong in the same way.
    let again =
        first.then("apply run/error.csv run/conflict.csv --sandbox --rate 1000/s --out again --summary none");
    let again =
        again.code(3).snapshot("feed_back_uncorrected", ["again/error.csv", "again/conflict.csv"]).run();
    assert_eq!(again.outcomes("again"), "1 conflict, 7 invalid, 1 refused");
    // Corrected, they are applied.
    let corrections = [
        ("020,,New,Pending", "020,,Active,Accepted"),
        ("033,,Active,Accepted", "033,,Closed,Won"),
        ("021,,Closed,Accepted", "021,,Closed,Won"),
        ("000000000099,,Closed,Lost", "000000000016,,Closed,Lost"),
        (",12000,GBP", ",10000,GBP"),
        ("\"12,500\"", "12500"),
        ("EURO", "EUR"),
        ("e7a90001-0000-4000-8000-00000000dead", "e7a90001-0000-4000-8000-000000000024"),
    ];
    for name in ["run/error.csv", "run/conflict.csv"] {
        let mut text = first.place.raw(name);
        for (wrong, right) in corrections {
            // Only the first: what follows in the same line is what the report said of it.
            text = text.replacen(wrong, right, 1);
        }
        first.place.write(name, text);
    }
    let corrected =
        first.then("apply run/error.csv run/conflict.csv --sandbox --rate 1000/s --out right --summary none");
    let corrected = corrected.snapshot("feed_back_corrected", ["right/success.csv"]).run();
    // Two of the rows ask for what is so already, once they are right.
    assert_eq!(corrected.outcomes("right"), "7 applied, 2 unchanged");
}

/// The hint names what there is to do in the very file, and who does that has nothing in conflict any more.
#[test]
fn rows_in_conflict_are_fed_back_as_the_hint_says() {
    const STALE: &str = "e7a90001-0000-4000-8000-00000000dead";
    let csv = notes(&[ACTIVE]);
    let bound = format!("Id, ETAG ,notes\n{ACTIVE},{STALE},Called\n");
    let of_column = format!("id,If-Match,notes\n{ACTIVE}, ,Called\n");
    let json = |etag: &str| format!("{{\"id\":\"{ACTIVE}\",{etag}\"details\":{{\"notes\":\"Called\"}}}}\n");
    let (free, held) = (json(""), json(&format!("\"eTag\":\"{STALE}\",")));
    let member = format!("\"eTag\":\"{STALE}\",");
    for (form, content, remedy, wrong) in [
        ("csv", csv.as_str(), "", ""),
        ("csv", &of_column, "", ""),
        ("csv", &bound, ", empty its eTag", STALE),
        ("jsonl", &free, "", ""),
        ("jsonl", &held, ", take out its eTag", &member),
    ] {
        let sandbox = Sandbox::start("");
        let command = "--rate 1000/s --summary none --progress none";
        let plan = Test::new(&format!("apply a.{form} --plan --out run {command}"));
        let plan = plan.file(&format!("a.{form}"), content).service(&sandbox.base);
        let code = if wrong.is_empty() { 0 } else { 3 };
        let ran = plan.code(code).told_elsewhere().run();
        if wrong.is_empty() {
            let theirs = format!("id,details.notes\n{ACTIVE},Somebody else's\n");
            let other = ran.then(&format!("apply b.csv --yes --out other {command}")).file("b.csv", theirs);
            other.service(&sandbox.base).run();
        }
        let resumed = ran.then(&format!("resume run --yes {command}")).service(&sandbox.base).code(3);
        let resumed = resumed.told_elsewhere().run();
        let next = format!(
            "next: see in conflict.{form} what others changed, keep what still holds{remedy} and feed it back: \
                 referral-bulk apply run/conflict.{form} "
        );
        assert!(resumed.stderr().lines().last().unwrap().starts_with(&next), "{}", resumed.stderr());

        let conflict = format!("run/conflict.{form}");
        let text = ran.place.raw(&conflict);
        ran.place.write(&conflict, text.replacen(wrong, "", 1));
        let again = ran.then(&format!("apply {conflict} --yes --out again {command}")).service(&sandbox.base);
        assert_eq!(again.told_elsewhere().run().outcomes("again"), "1 applied");
    }
}

/// But for the rows of two referrals: there it lacks what they would change.
#[test]
fn a_snapshot_file_is_a_state_too() {
    let ran = Test::new("apply quarter-end.csv --plan --state referrals.jsonl --out run --summary none")
        .sample("quarter-end.csv")
        .sample("referrals.jsonl")
        .code(3)
        .told_elsewhere()
        .run();
    let told = "plan for https://api.partner.microsoft.com/v1.0: 20 referrals to change, 9 of them closed for \
             good; nothing to send for 3 others – see run/plan.jsonl\n\
             warning[set-expired]: 1 row, the first at quarter-end.csv:10: the service expires referrals by \
             itself (“Device refresh – Blue Kite Logistics”, Blue Kite Logistics)\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(ran.outcomes("run"), "1 unchanged, 21 planned, 2 invalid");
    assert_eq!(ran.summary("run")["requests"]["total"], 0);
    let live = Test::new(&format!("apply quarter-end.csv --plan {QUIET}"))
        .sample("quarter-end.csv")
        .stderr(
            "warning[set-expired]: 1 row, the first at quarter-end.csv:10: the service expires referrals by itself (“Device refresh – Blue Kite Logistics”, Blue Kite Logistics)\n\
                 next: referral-bulk resume run --rate 1000/s\n",
        )
        .run();
    let plan = |ran: &Ran| json_lines(&ran.place.raw("run/plan.jsonl"));
    let mut unseen = Vec::new();
    for (here, there) in plan(&ran).into_iter().zip(plan(&live)) {
        if here["code"] == "incomplete-state" {
            assert_eq!((&here["id"], &here["operations"]), (&there["id"], &Value::Array(Vec::new())));
            unseen.push(there["operations"][0]["path"].as_str().unwrap().to_owned());
        } else {
            assert_eq!(here, there);
        }
    }
    assert_eq!(
        unseen,
        ["/details", "/team"],
        "what only a look at the whole referral can show to be missing"
    );
}

#[test]
fn what_a_snapshot_lacks_is_invalid() {
    Test::new("apply a.csv --plan --state referrals.jsonl --out run")
        .sample("referrals.jsonl")
        .file(
            "a.csv",
            notes(&[ACTIVE, "5a1e0001-0000-4000-8000-000000000099", "e6000001-0000-4000-8000-000000000003"]),
        )
        .code(3)
        .snapshot("state_unknown", ["run/error.csv"])
        .run();
}

#[test]
fn a_state_that_cannot_be_read_is_told() {
    Test::new("apply a.csv --plan --state nothing.jsonl --out run")
        .file("a.csv", notes(&[ACTIVE]))
        .code(1)
        .stderr(
            "error: cannot read nothing.jsonl: No such file or directory (os error 2)\n\
                 hint: --state takes live, none, or a file of referrals: JSONL, a JSON array, or list pages\n",
        )
        .run();
    let ran = Test::new("apply a.csv --plan --state a.csv --out run")
        .file("a.csv", notes(&[ACTIVE]))
        .code(1)
        .stderr(
            "error: a.csv: line 1: no JSON object\n\
                 hint: --state takes live, none, or a file of referrals: JSONL, a JSON array, or list pages\n",
        )
        .run();
    assert_eq!(ran.place.files().into_keys().collect::<Vec<_>>(), ["a.csv"]);
}
