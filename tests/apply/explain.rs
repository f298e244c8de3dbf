//! `explain`: the life of a row, from what was read to every request that was made for it.

use super::*;

const THIRD: &str = "5a1e0001-0000-4000-8000-000000000016";
const FOURTH: &str = "5a1e0001-0000-4000-8000-000000000023";

fn explained(place: &Rc<Place>, what: &str) -> Value {
    let ran = Test::at(place, &format!("explain run {what} --json")).told_elsewhere().run();
    assert_eq!(ran.stdout.matches('\n').count(), 1);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Sends rows one by one to a sandbox of the samples that has these faults.
fn sent(file: &str, faults: &[String], options: &str, code: i32) -> Rc<Place> {
    let faults: Vec<String> = faults.iter().map(|fault| format!("--fault {fault}")).collect();
    let sandbox = Sandbox::start(&faults.join(" "));
    let pace = "--rate 1000/s --concurrency 1 --timeout 10m --out run --summary none --progress none";
    let rules = "--rule early-win=allow --rule closing-date-past=allow";
    Test::new(&format!("apply a.csv --yes {pace} {rules} {options}"))
        .file("a.csv", file)
        .service(&sandbox.base)
        .code(code)
        .told_elsewhere()
        .run()
        .place
}

#[test]
fn a_row_is_told_from_its_line_to_its_outcome() {
    let file = format!(
        "id,notes,substatus\n{ACTIVE},Called on Monday,\n{OTHER},Asked for a quote,\n{OTHER},,Won\n\
         {NEW},,Sold\n{THIRD},Called,\n{FOURTH},Written,\n"
    );
    let faults = [
        format!("patch@{ACTIVE}#1=429:1"),
        format!("patch@{OTHER}#1=edited"),
        format!("patch@{THIRD}#1=500"),
        format!("patch@{FOURTH}#1=423"),
    ];
    let place = sent(&file, &faults, "--confirm-closing 1 --reason 'quarter end'", 3);
    for (what, name) in [
        ("2", "throttled"),
        ("a.csv:3", "conflict"),
        ("5", "invalid"),
        (THIRD, "read_back"),
        ("a.csv:7", "backed_off"),
    ] {
        Test::at(&place, &format!("explain run {what}")).snapshot(&format!("explain_{name}"), []).run();
    }
    Test::at(&place, "explain run 2 --json").snapshot("explain_json", []).run();
    // All rows of a referral, or the one that is meant.
    let lines = |what: &str| -> Vec<u64> {
        let told = explained(&place, what);
        let lives = told["lives"].as_array().unwrap();
        assert_eq!(lives.len(), 1);
        lives[0]["rows"].as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap()).collect()
    };
    let url = format!("https://example.com/referrals/{}", OTHER.to_uppercase());
    for (what, wanted) in [
        (OTHER, &[3, 4][..]),
        (&url, &[3, 4]),
        ("4", &[4]),
        ("./a.csv:3", &[3]),
        (&format!("{}/a.csv:3", place.root().display()), &[3]),
        ("a.csv:3:1", &[3]),
        ("a.csv:3:2", &[3]),
        ("5a1e0001-0000-4000-8000-000000000027", &[3, 4]),
    ] {
        assert_eq!(lines(what), wanted, "{what}");
    }
}

#[test]
fn a_row_that_was_rebased_or_left_alone_is_told() {
    let file = format!("id,externalReferenceId\n{ACTIVE},CRM-1\n");
    let place = sent(&file, &[format!("patch@{ACTIVE}#1=edited")], "--on-conflict rebase", 0);
    Test::at(&place, "explain run 2").snapshot("explain_rebased", []).run();
    let told = explained(&place, "2");
    let attempts = told["lives"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    assert_ne!(attempts[0]["if_match"], attempts[1]["if_match"]);
    assert_eq!(attempts[0]["next"], "recheck");
    let steps = told["lives"][0]["steps"].as_array().unwrap();
    let kinds: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["looked", "rebased"]);
    assert_eq!((&steps[1]["from"], &steps[1]["to"]), (&attempts[0]["if_match"], &attempts[1]["if_match"]));
    let file = format!("id,notes\n{ACTIVE},Signed the contract\n");
    let place = sent(&file, &[], "", 0);
    Test::at(&place, "explain run 2").snapshot("explain_applied", []).run();
}

#[test]
fn an_attempt_that_was_taken_in_part_is_told_so() {
    let file = format!("id,notes,salesStage\n{ACTIVE},Called,Propose\n{OTHER},Called,\n");
    let place = sent(&file, &[format!("patch@{ACTIVE}=ignores:/details")], "", 3);
    for (line, wanted) in
        [("2", "answered 200: it was taken in part\n"), ("3", "answered 200: it was written\n")]
    {
        let ran = Test::at(&place, &format!("explain run {line}")).told_elsewhere().run();
        assert!(ran.stdout.contains(wanted), "{}", ran.stdout);
    }
}

#[test]
fn a_plan_is_told_as_far_as_it_goes() {
    let file = format!("id,notes\n{ACTIVE},Called\n");
    let place =
        Test::new(&format!("apply - --format csv {QUIET} --plan")).stdin(file).told_elsewhere().run().place;
    Test::at(&place, "explain run -:2").snapshot("explain_plan", []).run();
    let told = explained(&place, "2");
    assert_eq!(told, explained(&place, "-:2"));
    assert_eq!(told["run"]["phase"], "planned");
    assert_eq!(told["lives"][0]["rows"][0]["outcome"], "planned");
    assert_eq!(told["lives"][0]["attempts"], serde_json::json!([]));
}

#[test]
fn what_names_no_row_is_told_with_what_is_nearest() {
    let file = format!("id,notes\n{ACTIVE},\"one\r\ntwo\"\n\n{OTHER},three\n");
    let place =
        Test::new(&format!("apply a.csv {QUIET} --plan")).file("a.csv", file).told_elsewhere().run().place;
    let near = ACTIVE.replace("15", "51");
    let far = "5a1e0001-ffff-4fff-8fff-ffffffffffff";
    for (what, code, wanted) in [
        (
            near.as_str(),
            1,
            format!(
                "error: no row of the run names {near}\nhint: did you mean {ACTIVE} (a.csv:2) or {OTHER} (a.csv:5)?\n"
            ),
        ),
        (
            far,
            1,
            format!(
                "error: no row of the run names {far}\n\
                 hint: every referral of the run is shown by: referral-bulk show run --all\n"
            ),
        ),
        (
            "1",
            1,
            "error: no row begins on a.csv:1: it lies before the first one, as the header does\n\
             hint: the nearest row begins on a.csv:2\n"
                .to_owned(),
        ),
        (
            "3",
            1,
            "error: no row begins on a.csv:3: it belongs to the one that begins on line 2\n\
             hint: the nearest rows begin on a.csv:2 and a.csv:5\n"
                .to_owned(),
        ),
        (
            "a.csv:4",
            1,
            "error: no row begins on a.csv:4: it is empty, or belongs to the row that begins before it\n\
             hint: the nearest rows begin on a.csv:2 and a.csv:5\n"
                .to_owned(),
        ),
        (
            "6",
            1,
            "error: no row begins on a.csv:6: it lies behind the beginning of the last one\n\
             hint: the nearest row begins on a.csv:5\n"
                .to_owned(),
        ),
        (
            "b.csv:2",
            1,
            "error: the run was not planned from \"b.csv\"\nhint: did you mean a.csv?\n".to_owned(),
        ),
        (
            "elsewhere.xlsx:2",
            1,
            "error: the run was not planned from \"elsewhere.xlsx\"\nhint: it was planned from a.csv\n".to_owned(),
        ),
        (
            "a.csv",
            2,
            "error: \"a.csv\" names no row\n\
             hint: give the referral's id, the file and the line where the row begins as in changes.csv:15, or its line \
             alone\n"
                .to_owned(),
        ),
    ] {
        Test::at(&place, &format!("explain run {what}")).code(code).stderr(&wanted).run();
    }
}

#[test]
fn a_line_of_several_files_is_asked_for() {
    let place = Test::new(&format!("apply in/a.csv b.csv other/a.csv {QUIET} --plan"))
        .file("in/a.csv", notes(&[ACTIVE]))
        .file("b.csv", notes(&[OTHER]))
        .file("other/a.csv", notes(&[NEW]))
        .told_elsewhere()
        .run()
        .place;
    for (what, code, wanted) in [
        (
            "2",
            2,
            "error: line 2 can be of any of 3 files\nhint: say of which: in/a.csv:2, b.csv:2, other/a.csv:2\n",
        ),
        (
            "a.csv:2",
            2,
            "error: 2 files of the run end in that name\nhint: say which: in/a.csv:2, other/a.csv:2\n",
        ),
    ] {
        Test::at(&place, &format!("explain run {what}")).code(code).stderr(wanted).run();
    }
    for (what, wanted) in [("in/a.csv:2", ACTIVE), ("b.csv:2", OTHER), ("other/a.csv:2", NEW)] {
        assert_eq!(explained(&place, what)["lives"][0]["rows"][0]["id"], wanted, "{what}");
    }
}

/// Rows of the other inputs: elements of an array on one line, payloads in a folder, a sheet.
#[test]
fn rows_of_every_form_are_named_by_where_they_begin() {
    let line = |id: &str| format!("{{\"id\":\"{id}\",\"notes\":\"x\"}}\n");
    let book = Test::new(&format!("apply quarter-end.xlsx {QUIET} --plan"))
        .file("quarter-end.xlsx", std::fs::read("samples/quarter-end.xlsx").unwrap())
        .told_elsewhere()
        .run()
        .place;
    let by_line = explained(&book, "3");
    for what in ["quarter-end.xlsx:B3", "quarter-end.xlsx:aa3", "quarter-end.xlsx:3", "quarter-end.xlsx:3:2"]
    {
        assert_eq!(explained(&book, what), by_line, "{what}");
    }
    let lines =
        "error: \"a.jsonl\" is no workbook, whose cells have such names\nhint: name a line: a.jsonl:3\n";
    let place = Test::new(&format!("apply a.jsonl {QUIET} --plan"))
        .file("a.jsonl", format!("\n{}{}", line(ACTIVE), line(OTHER)))
        .told_elsewhere()
        .run()
        .place;
    Test::at(&place, "explain run a.jsonl:B3").code(2).stderr(lines).run();
    let told = explained(&place, "3");
    let row = &told["lives"][0]["rows"][0];
    assert_eq!((&row["id"], &row["text"]), (&OTHER.into(), &line(OTHER).trim_end().into()));
    let element = |id: &str| format!("{{\"id\":\"{id}\"}}");
    let place = Test::new(&format!("migrate in {QUIET} --plan"))
        .file("in/x.json", format!("[{},{}]", element(ACTIVE), element(OTHER)))
        .file("in/y.json", element(ACTIVE))
        .code(3)
        .told_elsewhere()
        .run()
        .place;
    let ids = |what: &str| -> Vec<(u64, String)> {
        let told = explained(&place, what);
        let lives = told["lives"].as_array().unwrap();
        let rows = lives.iter().flat_map(|life| life["rows"].as_array().unwrap());
        rows.map(|row| (row["row"].as_u64().unwrap(), row["id"].as_str().unwrap().to_owned())).collect()
    };
    let of = |rows: &[(u64, &str)]| -> Vec<(u64, String)> {
        rows.iter().map(|(row, id)| (*row, (*id).to_owned())).collect()
    };
    for (what, wanted) in [
        ("x.json:1", &[(1, ACTIVE), (2, OTHER)][..]),
        ("in/x.json:1:2", &[(1, ACTIVE)]),
        ("in/y.json:1", &[(3, ACTIVE)]),
        // A second payload for a referral has no part in the first one's change.
        (ACTIVE, &[(1, ACTIVE), (3, ACTIVE)]),
        (OTHER, &[(2, OTHER)]),
    ] {
        assert_eq!(ids(what), of(wanted), "{what}");
    }
}
