//! `show`: a plan and a run for people, and as lines for programs.

use super::*;

/// A run of the quarter's end, planned or sent, and what `show` says of it.
fn quarter_end(more: &str) -> Rc<Place> {
    let ran = Test::new(&format!("apply quarter-end.csv {QUIET} {more}"))
        .sample("quarter-end.csv")
        .told_elsewhere()
        .run();
    ran.place
}

fn shown(place: &Rc<Place>, words: &str) -> Ran {
    Test::at(place, &format!("show run {words}")).told_elsewhere().run()
}

#[test]
fn a_plan_is_an_overview_with_the_first_ten() {
    let place = quarter_end("--plan");
    let before = place.raw("run/plan.jsonl");
    Test::at(&place, "show run").snapshot("show_plan", []).run();
    assert_eq!(place.raw("run/plan.jsonl"), before);
}

#[test]
fn what_was_sent_is_told_with_its_outcomes() {
    let place = quarter_end("");
    let said = shown(&place, "").stdout;
    assert!(
        said.starts_with("apply run: finished\n24 rows: 23 applied, 1 unchanged\n23 referrals: "),
        "{said}"
    );
    assert_eq!(said.matches(" applied at ").count(), 10, "{said}");
    let all = shown(&place, "--all").stdout;
    assert_eq!(
        (all.matches(" applied at ").count(), all.matches(" unchanged at ").count()),
        (23, 1),
        "{all}"
    );
}

/// What is printed are the lines of the plan, with what became of them.
#[test]
fn as_json_a_line_is_that_of_the_plan_with_the_outcomes() {
    let place = quarter_end("--plan");
    let plan = json_lines(&place.raw("run/plan.jsonl"));
    let without = |mut line: Value, names: &[&str]| {
        names.iter().for_each(|name| drop(line.as_object_mut().unwrap().remove(*name)));
        line
    };
    let planned = json_lines(&shown(&place, "--json").stdout);
    let planned: Vec<_> = planned.into_iter().map(|line| without(line, &["outcomes"])).collect();
    assert_eq!(planned, plan);
    Test::at(&place, "resume run --rate 1000/s --summary none --progress none").told_elsewhere().run();
    let later = ["outcomes", "outcome", "code", "message"];
    let sent = json_lines(&shown(&place, "--json").stdout);
    for (line, planned) in sent.into_iter().zip(plan) {
        let rows = json_lines(&place.raw("run/outcomes.jsonl"));
        let rows: Vec<_> = rows.iter().filter(|row| row["id"] == line["id"]).collect();
        let told = line["outcomes"].as_array().unwrap();
        assert_eq!(told.len(), rows.len());
        for (told, row) in told.iter().zip(rows) {
            for member in told.as_object().unwrap().keys() {
                assert_eq!(told[member], row[member], "{member} of {line}");
            }
        }
        assert_eq!(line["outcome"], told[0]["outcome"]);
        assert_eq!(without(line, &later), without(planned, &later));
    }
}

#[test]
fn single_referrals_are_told_in_full() {
    let place = quarter_end("--plan");
    let (one, other) = ("5a1e0001-0000-4000-8000-000000000027", "5a1e0001-0000-4000-8000-000000000019");
    Test::at(&place, &format!("show run {one} https://example.com/referrals/{other}"))
        .snapshot("show_two", [])
        .run();
    let missing = "5a1e0001-0000-4000-8000-0000000000ff";
    let ran = Test::at(&place, &format!("show run {one} {missing}")).code(1).told_elsewhere().run();
    assert!(ran.stdout.contains(one), "{}", ran.stdout);
    assert_eq!(
        ran.stderr,
        format!(
            "error: no row of the run names {missing}\n\
             hint: every referral of the run is shown by: referral-bulk show run --all\n"
        )
    );
}

/// Whether a filter is to take the referral of a line.
type Takes<'a> = &'a dyn Fn(&Value) -> bool;

#[test]
fn filters_take_what_they_name() {
    let place = quarter_end("--plan");
    let plan = json_lines(&place.raw("run/plan.jsonl"));
    let changes = |line: &Value, field: &str| {
        line["changes"].as_array().unwrap().iter().any(|change| change["path"] == field)
    };
    let states: std::collections::BTreeMap<String, String> = json_lines(&sample("referrals.jsonl"))
        .iter()
        .map(|line| (line["id"].as_str().unwrap().to_owned(), line["status"].as_str().unwrap().to_owned()))
        .collect();
    let is = |line: &Value, status: &str| states[line["id"].as_str().unwrap()] == status;
    let warned = |line: &Value, rule: &str| {
        line["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == rule)
    };
    let cases: [(&str, Takes<'_>); 10] = [
        ("--all", &|_| true),
        ("--effect one-way", &|line| line["effect"] == "one-way"),
        ("--effect closing", &|line| line["effect"] == "one-way"),
        ("--effect unchanged --effect reversible", &|line| line["effect"] != "one-way"),
        ("--field dealValue", &|line| changes(line, "/details/dealValue")),
        ("--field 'Close Date' --field /team", &|line| {
            changes(line, "/details/closingDateTime") || changes(line, "/team")
        }),
        ("--status new", &|line| is(line, "New")),
        ("--status Active --effect one-way", &|line| is(line, "Active") && line["effect"] == "one-way"),
        ("--outcome unchanged", &|line| line["outcome"] == "unchanged"),
        ("--rule set-expired", &|line| warned(line, "set-expired")),
    ];
    for (words, takes) in cases {
        let wanted: Vec<_> = plan.iter().filter(|line| takes(line)).map(|line| line["id"].clone()).collect();
        assert!(!wanted.is_empty(), "{words}");
        let lines = json_lines(&shown(&place, &format!("{words} --json")).stdout);
        assert_eq!(lines.iter().map(|line| line["id"].clone()).collect::<Vec<_>>(), wanted, "{words}");
        let text = shown(&place, words).stdout;
        let ids: Vec<_> = wanted.iter().filter(|id| text.contains(id.as_str().unwrap())).collect();
        assert_eq!(ids.len(), wanted.len(), "{words}: {text}");
    }
    let ran = shown(&place, "--outcome failed");
    assert_eq!(ran.stderr, "note: no referral of this run is like that\n");
}

/// Rows that name no referral have a part in the run, too.
#[test]
fn rows_without_a_referral_are_shown() {
    let place = Test::new(&format!("apply a.csv {QUIET} --plan"))
        .file("a.csv", format!("{}nobody,x\n", notes(&[ACTIVE])))
        .code(3)
        .told_elsewhere()
        .run()
        .place;
    let all = shown(&place, "--all").stdout;
    assert!(all.contains("\nno referral, a.csv:3: no part of any change\n  error[id] a.csv:3: "), "{all}");
    let lines = json_lines(&shown(&place, "--outcome invalid --json").stdout);
    assert_eq!((lines.len(), &lines[0]["id"], &lines[0]["code"]), (1, &Value::Null, &Value::from("id")));
}

#[test]
fn what_cannot_be_shown_is_told() {
    let place = quarter_end("--plan");
    for (words, code, said) in [
        ("show nowhere", 1, "error: nowhere holds no run"),
        (
            "show run nobody",
            2,
            "error: ID: there is no \"nobody\"\nhint: give it as plan.jsonl does, a GUID\n",
        ),
        (
            "show run --field dealvalu",
            2,
            "error: there is no field \"dealvalu\"\nhint: did you mean details.dealValue?\n",
        ),
        (
            "show run --status gone",
            2,
            "error: --status: there is no \"gone\"\nhint: one of New, Active, Closed\n",
        ),
        (
            "show run --outcome gone",
            2,
            "error: --outcome: there is no \"gone\"\nhint: one of applied, unchanged, ",
        ),
        ("show run --rule gone", 2, "error: --rule: there is no \"gone\"\nhint: one of "),
    ] {
        let ran = Test::at(&place, words).code(code).told_elsewhere().run();
        assert!(ran.stderr.starts_with(said), "{words}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{words}");
    }
}

/// A reader that has seen enough is no error.
#[test]
fn whoever_stops_reading_is_let_go() {
    let place = quarter_end("--plan");
    let mut show = unchecked(&place, "show run --all");
    let (reading, writing) = std::io::pipe().unwrap();
    drop(reading);
    let ended = Ended::of(show.stdout(writing).output().unwrap()).expect(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_plan_that_was_made_without_the_referrals_says_so() {
    let said = Test::new("apply a.csv --plan --state none --out run")
        .file("a.csv", notes(&[ACTIVE]))
        .told_elsewhere()
        .run()
        .stdout;
    assert!(said.contains("\nno referral was looked at: nobody knows what stands there before\n"), "{said}");
    assert!(said.contains("\n  /details/notes  not seen → \"Called on Monday\"\n"), "{said}");
}
