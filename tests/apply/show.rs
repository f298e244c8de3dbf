//! `show`: a plan and a run for people, and as lines for programs.

use serde_json::json;

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

/// A referral may be named by how its id begins, or by its engagement, as long as that leaves no doubt.
#[test]
fn a_referral_is_named_by_as_much_as_leaves_no_doubt() {
    let mut seed: Vec<Value> = (1..=12).map(|number| referral(number, "Active", "Accepted")).collect();
    for (number, referral) in seed.iter_mut().enumerate() {
        referral["engagementId"] = format!("e600000{}-0000-4000-8000-000000000001", number % 3).into();
    }
    let lines: String = seed.iter().map(|referral| format!("{referral}\n")).collect();
    let rows: String = (1..=12).map(|number| format!("{},x\n", id(number))).collect();
    let test = Test::new("apply a.csv --state s.jsonl --plan --out run --summary none --progress none");
    let test = test.file("s.jsonl", lines).file("a.csv", format!("id,notes\n{rows}nobody,x\n"));
    let place = test.code(3).told_elsewhere().run().place;
    let whole = |numbers: &[usize]| numbers.iter().map(|number| id(*number)).collect::<Vec<_>>();
    let (first, url) = (id(1), format!("https://example.com/{}", id(2)));
    let engagement = "e6000001-0000-4000-8000-000000000001";
    for (names, code, wanted, said) in [
        (first.clone(), 0, whole(&[1]), ""),
        (first.to_uppercase(), 0, whole(&[1]), ""),
        (format!("{url} {first}"), 0, whole(&[1, 2]), ""),
        (first[..36].to_owned(), 0, whole(&[1]), ""),
        (engagement.to_owned(), 0, whole(&[2, 5, 8, 11]), ""),
        ("e6000001".to_owned(), 0, whole(&[2, 5, 8, 11]), ""),
        (
            "E60".to_owned(),
            2,
            vec![],
            "error: \"e60\" could mean any of the ids of 3 engagements\nhint: write more of it: e6000000-",
        ),
        (
            "5".to_owned(),
            2,
            vec![],
            "error: \"5\" could mean any of the ids of 12 referrals\nhint: write more of it: ",
        ),
        ("dddd".to_owned(), 1, vec![], "error: no row of the run names dddd\nhint: every referral"),
        (
            format!("{first} dddd"),
            1,
            whole(&[1]),
            "error: no row of the run names dddd\nhint: every referral",
        ),
        (format!("{first} --effect one-way"), 0, vec![], "note: [ID1] is in this run, and not like that\n"),
        (
            format!("{first} {url} --effect closing"),
            0,
            vec![],
            "note: [ID1], [ID2] are in this run, and not like that\n",
        ),
        (format!("{first} {url} --effect reversible"), 0, whole(&[1, 2]), ""),
    ] {
        let ran = Test::at(&place, &format!("show run {names} --json")).code(code).told_elsewhere().run();
        let shown: Vec<Value> = json_lines(&ran.stdout).into_iter().map(|line| line["id"].clone()).collect();
        assert_eq!(shown, wanted, "{names}: {}", ran.stderr);
        let said = said.replace("[ID1]", &id(1)).replace("[ID2]", &id(2));
        assert!(
            ran.stderr.starts_with(&said) && ran.stderr.is_empty() == said.is_empty(),
            "{names}: {}",
            ran.stderr
        );
    }
    let ran = Test::at(&place, "show run 5").code(2).told_elsewhere().run();
    assert!(ran.stderr.contains(&format!("{} (“Deal 1”), ", id(1))), "{}", ran.stderr);
    assert!(ran.stderr.trim_end().ends_with(" and 2 more"), "{}", ran.stderr);
}

/// What is held back is named, with its deal and why: nobody looks for it in a file.
#[test]
fn what_is_held_back_is_told_row_by_row() {
    let seed: String =
        (1..=3).map(|number| format!("{}\n", referral(number, "Active", "Accepted"))).collect();
    let long = "x".repeat(60);
    let bad: String = (0..10).map(|_| "nobody,,\n".to_owned()).collect();
    let input = format!("id,eTag,notes\n{},stale,{long}\n{},,\\N\n{},,fine\n{bad}", id(1), id(2), id(3));
    let test = Test::new("apply a.csv --state s.jsonl --plan --out run --progress none");
    let ran = test.file("s.jsonl", seed).file("a.csv", input).code(3).told_elsewhere().run();
    let begins =
        |line: &str, words: &str| line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(words);
    for text in [ran.stdout.clone(), shown(&ran.place, "").stdout] {
        let at = text.find("held back or gone wrong, row by row\n").unwrap_or_else(|| panic!("{text}"));
        let lines: Vec<&str> = text[at..].lines().skip(2).take(11).map(str::trim).collect();
        assert!(begins(lines[0], "a.csv:2 conflict “Deal 1” the row is bound"), "{text}");
        assert!(
            lines[0].ends_with("the row is bound to eTag \"stale\", the referral is at \"seed-1\""),
            "{text}"
        );
        assert!(begins(lines[1], "a.csv:3 invalid “Deal 2” /details/notes would be cleared"), "{text}");
        assert!(begins(lines[2], "a.csv:5 invalid not known \"nobody\" is no GUID"), "{text}");
        assert_eq!(lines[10], "and 2 more rows", "{text}");
    }
}

/// A text that is cut off keeps both its quotes.
#[test]
fn excerpts_keep_their_quotes() {
    let mut seed = referral(1, "Active", "Accepted");
    seed["details"]["notes"] = "t".repeat(60).into();
    let long = |letter: &str| letter.repeat(60);
    let test = Test::new("apply a.csv --base was.csv --state s.jsonl --plan --out run --progress none");
    let test = test
        .file("s.jsonl", format!("{seed}\n"))
        .file("was.csv", format!("id,notes\n{},{}\n", id(1), long("b")));
    let ran =
        test.file("a.csv", format!("id,notes\n{},{}\n", id(1), long("o"))).code(3).told_elsewhere().run();
    let cut = |letter: &str| format!("\"{}…\"", letter.repeat(40));
    let message =
        format!("/details/notes: the base has {}, the referral {}, the row {}", cut("b"), cut("t"), cut("o"));
    assert!(ran.stderr.contains(&message), "{}", ran.stderr);
    for text in [ran.stdout.clone(), shown(&ran.place, "").stdout] {
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("the base has")).collect();
        assert!(!lines.is_empty(), "{text}");
        assert!(lines.iter().all(|line| line.matches('"').count() % 2 == 0), "{text}");
    }
}

/// How far a run has come is told while it goes on.
#[test]
fn a_run_that_is_being_sent_is_shown_as_it_stands() {
    let home = Place::new();
    let seed: Vec<Value> = (0..4).map(|number| referral(number, "Active", "Accepted")).collect();
    let service = Sandbox::seeded::<&str>(&home, &seed, &[]);
    let tap = Tap::on(&service);
    tap.let_patches_through(2);
    home.write("a.csv", notes(&[&id(0), &id(1), &id(2), &id(3)]));
    let endpoint = tap.endpoint();
    let command = format!(
        "apply a.csv --out run --yes --endpoint {endpoint} --rate 1000/s --concurrency 1 --timeout 10m --progress none"
    );
    let sending = home.start(&command.split(' ').collect::<Vec<_>>());
    tap.has_seen_patches(3);
    let applied = || shown(&home, "--outcome applied --json").stdout.lines().count();
    crate::support::waiting::until("two are on record", || (applied() == 2).then_some(()));
    let ran = shown(&home, "");
    assert!(ran.stdout.starts_with("apply run: under way\n4 rows: 2 applied, "), "{}", ran.stdout);
    assert_eq!(ran.stderr, "note: another process is at work on this run: this is how far it has come\n");
    let phase = || {
        let ran = Test::at(&home, "explain run 2 --json").told_elsewhere().run();
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        (told["run"]["phase"].clone(), told["run"]["at_work"].clone())
    };
    assert_eq!(phase(), (json!("under-way"), json!(true)));
    tap.release();
    sending.wait().expect(0);
    assert_eq!(phase(), (json!("finished"), json!(false)));
    let ran = shown(&home, "");
    assert!(ran.stdout.starts_with("apply run: finished\n4 rows: 4 applied\n"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
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
            "error: ID: there is no \"nobody\"\nhint: give it as plan.jsonl does, a GUID, or how that begins\n",
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
