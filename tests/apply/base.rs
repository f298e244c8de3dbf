//! `apply --base`: the file that the changes were made from tells which cells are changes, and what somebody else
//! changed since.

use std::fs::OpenOptions;
use std::io::Write;

use nix::sys::signal::Signal;
use serde_json::json;

use super::*;
use crate::support::program::Started;
use crate::support::waiting::until;

const HEADER: &str = "id,eTag,status,substatus,dealValue,notes\n";

/// A service with four referrals, and the files of somebody who exported them before two of them were changed.
struct World {
    home: Rc<Place>,
    service: Sandbox,
    tap: Tap,
}

/// The row of a referral as an export has it.
fn row(number: usize, value: &str, notes: &str) -> String {
    format!("{},\"\"\"seed-{number}\"\"\",Active,Accepted,{value},{notes}\n", id(number))
}

impl World {
    fn new() -> Self {
        let home = Place::new();
        let mut seed: Vec<Value> = (0..4).map(|number| referral(number, "Active", "Accepted")).collect();
        for moved in [1, 3] {
            seed[moved]["eTag"] = json!("\"moved\"");
            seed[moved]["details"]["dealValue"] = json!(777);
        }
        let was: String = (0..4)
            .map(|number| row(number, &(1000 + number).to_string(), &format!("Note {number}")))
            .collect();
        home.write("was.csv", format!("{HEADER}{was}"));
        let rows = [
            row(0, "5", "Note 0"),
            row(1, "6", "Note 1"),
            row(2, "much", "Edited"),
            row(3, "1003.00", "Note 3"),
        ];
        home.write("a.csv", format!("{HEADER}{}", rows.concat()));
        let service = Sandbox::seeded(&home, &seed, &[] as &[&str]);
        let tap = Tap::on(&service);
        Self { home, service, tap }
    }

    fn test(&self, command: &str) -> Test {
        let quiet = "--rate 1000/s --summary none --progress none --yes";
        Test::at(&self.home, &format!("{command} {quiet}")).service(&self.tap.endpoint()).told_elsewhere()
    }

    fn start(&self, command: &[&str]) -> Started {
        let endpoint = self.tap.endpoint();
        let common = ["--endpoint", &endpoint, "--progress", "none", "--rate", "1000/s", "--yes"];
        self.home.start(&[command, &common].concat())
    }

    /// The deal values of all referrals.
    fn values(&self) -> String {
        let value = |referral: &Value| referral["details"]["dealValue"].to_string();
        self.service.referrals().values().map(value).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn what_differs_is_sent_and_nothing_that_moved_is_overwritten() {
    let world = World::new();
    let ran = world.test("apply a.csv --base was.csv --out run").code(3).run();
    assert_eq!(ran.outcomes("run"), "1 applied, 1 unchanged, 1 conflict, 1 invalid");
    assert!(
        ran.stderr.starts_with(
            "note: 12 cells are as in was.csv and change nothing\n\
             error[changed-since-base]: /details/dealValue: the base has 1001, the referral 777, the row 6 (“Deal 1”)\n  \
             --> a.csv:3:5\n\
             hint: somebody changed it since: see in the conflict report what, keep what still holds, and feed it back \
             with the same --base\n\
             error[type]: /details/dealValue: \"much\" is no decimal number (“Deal 2”)\n"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(world.values(), "5 777 1002 777");
    let conflict = ran.place.raw("run/conflict.csv");
    let sides =
        r#""{""/details/dealValue"":1001}","{""/details/dealValue"":6}","{""/details/dealValue"":777}""#;
    assert!(conflict.contains(sides), "{conflict}");

    // The corrected row is fed back against the same base: its other cells are no wishes now either.
    let next = ran.next();
    assert!(next.starts_with("apply run/error.csv --base was.csv --endpoint "), "{next}");
    let corrected = ran.place.raw("run/error.csv").replace("much", "8");
    ran.place.write("run/error.csv", corrected);
    let again =
        ran.then(&format!("{next} --out again --yes")).service(&world.service.base).told_elsewhere().run();
    assert_eq!(again.outcomes("again"), "1 applied");
    assert_eq!(world.values(), "5 777 8 777");

    // Whoever feeds the conflict back has seen what is there now.
    let reviewed = world.test("apply run/conflict.csv --base was.csv --out reviewed").run();
    assert_eq!(reviewed.outcomes("reviewed"), "1 applied");
    assert_eq!(world.values(), "5 6 8 777");
    // But not what somebody changed after that.
    let conflict = conflict.replace(",6,Note 1,", ",9,Note 1,");
    let later =
        world.test("apply later.csv --base was.csv --out later").file("later.csv", conflict).code(3).run();
    assert_eq!(later.outcomes("later"), "1 conflict");
    assert!(later.next().starts_with("apply later/conflict.csv --base was.csv "), "{}", later.stderr);
    assert_eq!(world.values(), "5 6 8 777");
}

/// The value from before is the one that is there, whatever the row or its base says of another version.
#[test]
fn what_is_there_is_told_as_before() {
    let world = World::new();
    let (stale, cleared) = (format!("\"{}\"", "stale"), format!("id,dealValue,notes\n{},,\n", id(3)));
    world.home.write("cleared.csv", cleared);
    let state = |etag: &str| format!("id,eTag,dealValue\n{},{etag},6\n", id(3));
    for (number, (file, more, wanted, base)) in [
        (state(&stale), "", "stale-etag", None),
        (format!("id,dealValue\n{},6\n", id(3)), "--base was.csv", "changed-since-base", Some(json!(1003))),
        (
            format!("id,dealValue\n{},6\n", id(3)),
            "--base cleared.csv",
            "changed-since-base",
            Some(Value::Null),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("run{number}");
        let test = world.test(&format!("apply s.csv {more} --plan --out {out}")).file("s.csv", &file);
        let ran = test.code(3).run();
        let plan = json_lines(&ran.place.raw(&format!("{out}/plan.jsonl"))).remove(0);
        assert_eq!(plan["code"], wanted, "{more}: {}", ran.stderr);
        let change = &plan["changes"][0];
        assert_eq!((&change["before"], &change["after"]), (&json!(777), &json!(6)), "{more}: {plan}");
        assert_eq!(change.get("base"), base.as_ref(), "{more}: {plan}");
        let table = ran.place.raw(&format!("{out}/plan.csv"));
        assert!(table.contains(",/details/dealValue,777,6,unchanged,"), "{more}: {table}");
        let shown = Test::at(&ran.place, &format!("show {out} --all")).told_elsewhere().run().stdout;
        assert!(shown.contains("  /details/dealValue  777 → 6\n"), "{more}: {shown}");
        let told = base.as_ref().map_or("\n  error[", |base| {
            if base.is_null() { "the base has nothing\n" } else { "the base has 1003\n" }
        });
        assert!(shown.contains(told), "{more}: {shown}");
        // What the report calls the base is what the row was made from.
        let conflict = ran.place.raw(&format!("{out}/conflict.csv"));
        let sides = format!(
            "\"{{\"\"/details/dealValue\"\":{}}}\",\"{{\"\"/details/dealValue\"\":6}}\",\"{{\"\"/details/dealValue\"\":777}}\"",
            base.unwrap_or_default()
        );
        assert!(conflict.contains(&sides), "{more}: {conflict}");
    }
}

/// No spreadsheet program writes empty cells behind the last one with content, in the base or in the file.
#[test]
fn a_cell_that_is_missing_at_a_rows_end_is_an_empty_one() {
    let seed = format!("{}\n", referral(0, "Active", "Accepted"));
    let (with, without) = ("id,notes\n".to_owned() + &id(0) + ",", "id,notes\n".to_owned() + &id(0));
    for (base, file, wanted, warned) in [
        (format!("{without}\n"), format!("{with}Mine\n"), "1 conflict", false),
        (format!("{with}\n"), format!("{with}Mine\n"), "1 conflict", false),
        (format!("{with}Note 0\n"), format!("{with}Mine\n"), "1 planned", false),
        (format!("{with}Note 0\n"), format!("{without}\n"), "1 unchanged", true),
        (format!("{with}Note 0\n"), format!("{with}\n"), "1 unchanged", true),
        (format!("{without}\n"), format!("{without}\n"), "1 unchanged", false),
    ] {
        let code = if wanted.ends_with("conflict") { 3 } else { 0 };
        let test = Test::new(
            "apply a.csv --base was.csv --state s.jsonl --plan --out run --summary text --progress none",
        );
        let test = test.file("s.jsonl", &seed).file("was.csv", &base).file("a.csv", &file);
        let ran = test.code(code).told_elsewhere().run();
        assert_eq!(ran.outcomes("run"), wanted, "{base}{file}{}", ran.stderr);
        let told = format!("{}{}", ran.stdout(), ran.stderr());
        assert_eq!(told.contains("emptied-cell"), warned, "{base}{file}{told}");
    }
}

/// Rows that nobody touched cost no request, whatever became of their referrals.
#[test]
fn an_untouched_file_asks_for_nothing() {
    let world = World::new();
    let ran = world.test("apply was.csv --base was.csv --out run").run();
    assert_eq!(ran.outcomes("run"), "4 unchanged");
    assert!(
        ran.stderr.starts_with(
            "note: 16 cells are as in was.csv and change nothing\n\
             note: nothing differs from was.csv, so there is nothing to do\n"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(world.tap.seen().len(), 0);
    assert_eq!(world.values(), "1000 777 1002 777");
}

/// Every form of the base tells the same of every form of the file.
#[test]
fn any_form_of_either_will_do() {
    let world = World::new();
    let seed: Vec<Value> = (0..4).map(|number| referral(number, "Active", "Accepted")).collect();
    let lines: String = seed.iter().map(|referral| format!("{referral}\n")).collect();
    let changes: String = (0..4)
        .map(|number| {
            let (id, note) = (id(number), format!("Note {number}"));
            format!(
                "{}\n",
                json!({ "id": id, "eTag": format!("seed-{number}"), "status": "Active",
                "Deal Value": 1000 + number, "substatus": "Accepted", "details": { "notes": note } })
            )
        })
        .collect();
    let was = world.home.raw("was.csv");
    for (name, text) in [
        ("b.jsonl", lines),
        ("b.json", format!("{:#}", json!({ "value": seed }))),
        ("c.jsonl", changes),
        ("b.tsv", was.replace(',', "\t")),
        ("b.csv", was.replace('\n', "\r\n")),
        ("b.download", was.clone()),
    ] {
        world.home.write(name, text);
    }
    let edited = json!({ "id": id(0), "eTag": "seed-0", "dealValue": 5, "notes": "Note 0" });
    let moved = json!({ "id": id(1), "eTag": "seed-1", "details": { "dealValue": "6", "notes": "Note 1" } });
    let kept =
        json!({ "id": id(3), "patch": [{ "op": "replace", "path": "/details/dealValue", "value": 1003 }] });
    world.home.write("a.jsonl", format!("{edited}\n{moved}\n{kept}\n"));
    for file in ["a.csv", "a.jsonl"] {
        for base in ["was.csv", "b.jsonl", "b.json", "c.jsonl", "b.tsv", "b.csv", "b.download"] {
            let out = format!("run-{file}-{base}");
            let ran = world.test(&format!("apply {file} --base {base} --plan --out {out}")).code(3).run();
            let plan = json_lines(&ran.place.raw(&format!("{out}/plan.jsonl")));
            let told = plan.iter().filter(|line| line["id"] != id(2).as_str()).map(|line| {
                let after =
                    line["changes"].as_array().unwrap().iter().map(|change| change["after"].to_string());
                format!("{}{}", line["outcome"].as_str().unwrap(), after.collect::<String>())
            });
            let told = told.collect::<Vec<_>>().join(" ");
            let six = if file == "a.csv" { "6" } else { "\"6\"" };
            let is_same =
                [format!("planned5 conflict{six} unchanged"), "planned5 conflict6 unchanged".to_owned()];
            assert!(is_same.contains(&told), "{file} against {base}: {told}");
        }
    }
}

#[test]
fn what_is_no_base_is_told() {
    const GIVE: &str = "hint: give in --base the export or download that the rows were made from\n";
    const AS_IT_WAS: &str =
        "hint: give the file as it was exported or downloaded, or take this row out of it\n";
    const ONE: &str = "hint: nothing tells which of the two is the referral as it stands: keep one of them, or take \
                       another snapshot\n";
    let (zero, nine) = (id(0), id(9));
    let file = format!("id,notes\n{zero},b\n");
    for (base, text, code, said) in [
        (
            "-",
            String::new(),
            2,
            "error: --base -: this names no file\n\
            hint: name the export or download that the changes were made from, as in deals.csv\n"
                .to_owned(),
        ),
        (
            "gone.csv",
            String::new(),
            1,
            "error: --base: cannot read the file: No such file or directory (os error 2)\n  \
            --> gone.csv\nhint: check its name, and in which directory you are\n"
                .to_owned(),
        ),
        (
            "b.csv",
            "notes\na\n".to_owned(),
            1,
            "error: --base: the only column does not hold the referral's id\n".to_owned(),
        ),
        (
            "b.csv",
            format!("id,notes\n{nine},a\n"),
            1,
            format!("error: b.csv has none of the referrals that the rows are for\n{GIVE}"),
        ),
        (
            "b.csv",
            format!("id,notes\n{zero},a\n{nine},x\n{zero},c\n"),
            1,
            format!(
                "error: b.csv: referral {zero} stands in it twice, and not the same: line 2, and line 4\n{ONE}"
            ),
        ),
        ("b.csv", format!("id,notes\n{zero},a\n{zero},a\n"), 0, String::new()),
        (
            "b.csv",
            format!("id,notes\n{zero},a\nR-1,a\n"),
            1,
            format!("error: --base: \"R-1\" is no GUID\n  --> b.csv:3:1\n{AS_IT_WAS}"),
        ),
        ("b.csv", format!("id,notes\n{zero},a,b\n"), 1, "error: --base: ".to_owned()),
        (
            "b.jsonl",
            format!("{{\"id\":\"{zero}\",\"notes\":\"a\"}}\n{{\"id\":\"{zero}\"}}\n"),
            1,
            format!("error: b.jsonl: referral {zero} stands in it twice: line 1, and line 2\n{ONE}"),
        ),
        ("b.jsonl", "{".to_owned(), 1, "error: b.jsonl:1:1: ".to_owned()),
    ] {
        let test = Test::new(&format!(
            "apply a.csv --base {base} --plan --sandbox=seed.jsonl --out run --summary none"
        ))
        .file("a.csv", &file)
        .file("seed.jsonl", format!("{}\n", referral(0, "Active", "Accepted")));
        let test = if base == "b.csv" || base == "b.jsonl" { test.file(base, &text) } else { test };
        let ran = test.code(if code == 0 { 3 } else { code }).told_elsewhere().run();
        assert!(ran.stderr.starts_with(&said), "{text}: {}", ran.stderr);
        assert_eq!(ran.place.path("run").exists(), code == 0, "{text}");
    }
    Test::new("apply a.csv --base b.csv --state none --out run")
        .code(2)
        .stderr(
            "error: --base with --state none: what somebody else changed since shows in the referrals as they stand alone\n\
             hint: plan against the API, or against a snapshot: --state referrals.jsonl\n",
        )
        .run();
}

#[test]
fn what_the_base_and_the_files_do_not_share_is_counted() {
    let world = World::new();
    let (one, nine) = (id(1), id(9));
    let file = format!("id,notes,salesStage\n{one},b,Propose\n{nine},b,\n");
    let ran = world.test("apply b.csv --base was.csv --plan --out run").file("b.csv", file).code(3).run();
    assert_eq!(ran.outcomes("run"), "1 planned, 1 invalid");
    assert!(
        ran.stderr.starts_with(&format!(
            "note: was.csv lacks the referrals of 1 of 2 rows\n\
             note: was.csv does not have /salesStage: what is given for it is sent, whatever the referral has now\n\
             note: was.csv has 3 referrals besides, which stay as they are\n\
             error[not-in-base]: the base lacks referral {nine}\n  --> b.csv:3:1\n\
             hint: give in --base the file that this one was made from; to change a referral that was not in it, put its \
             row into a file of its own\n"
        )),
        "{}",
        ran.stderr
    );
}

/// A plan that was interrupted is made again from the same base only, wherever somebody stands.
#[test]
fn a_plan_is_not_made_again_from_another_base() {
    let world = World::new();
    world.tap.hold(&["GET"]);
    let planning = world.start(&["apply", "a.csv", "--base", "was.csv", "--out", "run"]);
    until("the first page is asked for", || (world.tap.count("GET") > 0).then_some(()));
    planning.signal(Signal::SIGKILL);
    planning.wait();
    world.tap.release();

    let was = world.home.raw("was.csv");
    world.home.write("was.csv", was.replace("Note 3", "Another note"));
    let refused = world.start(&["resume", "run"]).wait().expect(1);
    let said = "error: was.csv is not what it was when the run was begun\n\
                hint: nothing was sent so far: apply with it as a run of its own\n";
    assert!(refused.stderr.ends_with(said), "{}", refused.stderr);
    world.home.write("was.csv", &was);
    std::fs::rename(world.home.path("was.csv"), world.home.path("moved.csv")).unwrap();
    let lost = world.test("resume ../run").inside("elsewhere").code(1).run();
    let where_it_lay = format!("\n  --> {}/was.csv\n", world.home.root().display());
    assert!(
        lost.stderr.replace("[ROOT]", &world.home.root().to_string_lossy()).contains(&where_it_lay),
        "{}",
        lost.stderr
    );
    std::fs::rename(world.home.path("moved.csv"), world.home.path("was.csv")).unwrap();
    world.home.write("elsewhere/was.csv", "another\n");
    let resumed = world.test("resume ../run").inside("elsewhere").code(3).run();
    assert_eq!(resumed.outcomes("run"), "1 applied, 1 unchanged, 1 conflict, 1 invalid");
    let next = resumed.next();
    assert!(next.starts_with("apply ../run/error.csv --base ") && next.contains("/was.csv --"), "{next}");
    assert_eq!(world.values(), "5 777 1002 777");
}

#[test]
fn an_interrupt_ends_the_reading() {
    let world = World::new();
    let was = world.home.raw("was.csv");
    let pipe = world.home.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let planning = world.start(&["apply", "a.csv", "--base", "pipe", "--out", "run"]);
    // Opening it waits for the other end.
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    writer.write_all(was.as_bytes()).unwrap();
    planning.signal(Signal::SIGINT);
    planning.says("stopping:");
    // The file ends only now.
    drop(writer);
    let ended = planning.wait().expect(4);
    assert!(ended.last_line().starts_with("next: referral-bulk resume run"), "{}", ended.stderr);
    assert_eq!(world.tap.seen().len(), 0);
}
