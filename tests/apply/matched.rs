//! Rows that name their referrals by a key: which referral each is about, and at what cost that is found out.

use serde_json::json;

use super::*;

const PLAN: &str = "--plan --out run --rate 1000/s --summary none --progress none";

/// Referrals as `number key` each, where `-` is null and `?` is not there; several may share an engagement,
/// which is the number's tens.
fn seed(of: &[(usize, &str)]) -> Vec<Value> {
    of.iter()
        .map(|(number, key)| {
            let mut referral = referral(*number, "Active", "Accepted");
            referral["engagementId"] = format!("e6000000-0000-4000-8000-{:012x}", number / 10).into();
            match *key {
                "?" => {}
                "-" => referral["externalReferenceId"] = Value::Null,
                key => referral["externalReferenceId"] = key.into(),
            }
            referral
        })
        .collect()
}

fn engagement(number: usize) -> String {
    format!("e6000000-0000-4000-8000-{number:012x}")
}

fn lines(seed: &[Value]) -> String {
    seed.iter().map(|referral| format!("{referral}\n")).collect()
}

/// What became of each row: the number of its referral, or the code of what is wrong with it.
fn told(place: &Place) -> String {
    let told = json_lines(&place.raw("run/outcomes.jsonl")).into_iter().map(|row| {
        match row["outcome"].as_str().unwrap() {
            "invalid" => row["code"].as_str().unwrap().to_owned(),
            _ => {
                let id = row["id"].as_str().unwrap();
                assert_eq!(row["match"]["id"], row["id"]);
                let number = (0..100).find(|number| self::id(*number) == id).unwrap();
                format!("{number} {}", row["match"]["way"].as_str().unwrap())
            }
        }
    });
    told.collect::<Vec<_>>().join(", ")
}

struct Case {
    what: &'static str,
    seed: &'static [(usize, &'static str)],
    field: &'static str,
    input: String,
    /// What the rows are about, where the service is asked.
    live: &'static str,
    /// The same for a snapshot file, where that differs.
    file: Option<&'static str>,
    /// Pages and single GETs.
    requests: (u64, u64),
}

/// The same deal as Dynamics 365 and as the service write it.
const GUID: &str = "6f1e0001-0000-4000-8000-0000000000ab";
const BRACED: &str = "{6F1E0001-0000-4000-8000-0000000000AB}";

fn cases() -> Vec<Case> {
    let external = "externalReferenceId";
    let case = |what, seed, field, input: &str, live, requests| {
        let input = input.to_owned();
        Case { what, seed, field, input, live, file: None, requests }
    };
    let of_engagements = format!(
        "Engagement ID,notes\n{},x\n{},x\n{},x\n{},x\n",
        engagement(1),
        engagement(2),
        engagement(3),
        engagement(3).to_uppercase()
    );
    let identified = format!(
        "Referral Identifier,CRM ID,notes\n{},A,x\n{},,x\n{},A,x\n{},B,x\n,B,x\n{},,x\n,,x\n",
        id(1),
        engagement(2),
        engagement(2),
        id(1),
        id(99)
    );
    let with_ids = format!("id,CRM ID,notes\n{},A,a\n{},A,b\n{},A,c\n,A,d\n", id(1), id(2), id(3));
    vec![
        case(
            "one each",
            &[(1, "A"), (2, "B"), (3, "-"), (4, "C")],
            external,
            "externalReferenceId,notes\nB,x\n A ,y\n",
            "2 externalReferenceId, 1 externalReferenceId",
            (1, 0),
        ),
        case(
            "none, or nothing",
            &[(1, "A"), (2, ""), (3, "-"), (4, "0042")],
            external,
            "CRM ID,notes\nD,x\na,x\n,x\n 42,x\n\\N,x\nNULL,x\n#N/A,x\n1.00E+10,x\n1234567890123450000,x\n",
            "no-match, no-match, no-match, no-match, no-match, empty-word, spreadsheet-error, rewritten-number, \
             rewritten-number",
            (1, 0),
        ),
        case(
            "several",
            &[(1, "A"), (2, "A"), (3, "B")],
            external,
            "Record ID,notes\nA,x\nB,y\n",
            "ambiguous-match, 3 externalReferenceId",
            (1, 0),
        ),
        case(
            "the keys of Salesforce",
            &[(1, "0065e00000AbCdEAAV"), (2, "0065e00000aBcDeAAK"), (3, "0065e00000XyZxY")],
            external,
            "Opportunity ID,notes\n0065e00000AbCdE,x\n0065e00000aBcDeAAK,y\n0065e00000XyZxYAAV,z\n0065e00000ABCDE,w\n",
            "1 externalReferenceId, 2 externalReferenceId, 3 externalReferenceId, no-match",
            (1, 0),
        ),
        case(
            "keys as long as those of Salesforce",
            &[(1, "INV202600000123001"), (2, "0065e00000AbCdEAAW"), (3, "0065e00000XyZxYAAV")],
            external,
            "External ID,notes\nINV202600000123,x\n0065e00000AbCdE,y\n0065e00000XyZxY,z\n",
            "no-match, no-match, 3 externalReferenceId",
            (1, 0),
        ),
        case(
            "the keys of Dynamics",
            &[(1, GUID), (2, "x")],
            external,
            &format!("(Do Not Modify) Opportunity,notes\n{BRACED},x\n"),
            "1 externalReferenceId",
            (1, 0),
        ),
        case(
            "engagements",
            &[(10, "A"), (11, "B"), (20, "C"), (30, "D")],
            "engagementId",
            &of_engagements,
            "ambiguous-match, 20 engagementId, 30 engagementId, 30 engagementId",
            (1, 0),
        ),
        case(
            "what the connector wrote goes before the CRM's own",
            &[(1, "A"), (20, "B")],
            external,
            &identified,
            "1 id, 20 engagementId, contradiction, contradiction, 20 externalReferenceId, no-match, no-match",
            (1, 0),
        ),
        case(
            "an id beside the key has to agree, and tells which is meant",
            &[(1, "A"), (2, "A"), (3, "B")],
            external,
            &with_ids,
            "1 externalReferenceId, 2 externalReferenceId, contradiction, ambiguous-match",
            (1, 0),
        ),
        case(
            "a row that ends early above a key that no referral has may be the first half of that one",
            &[(1, "A"), (2, "B"), (3, "C"), (4, "D")],
            external,
            "CRM ID,notes,dealValue\nA,half\nrest,5\nB,x\nC,y,5\nD,half\n\nrest,of it,5\n",
            "ragged-row, no-match, 2 externalReferenceId, 3 externalReferenceId, ragged-row, no-match",
            (1, 0),
        ),
        Case {
            file: Some("unseen-key, no-match"),
            ..case(
                "those that aren't shown with a key are read by themselves",
                &[(1, "A"), (2, "?"), (3, "?")],
                external,
                "CRM ID,notes\nA,x\nB,y\n",
                "1 externalReferenceId, no-match",
                (1, 2),
            )
        },
    ]
}

#[test]
fn rows_are_about_what_their_keys_say() {
    for Case { what, seed, field, input, live, file, requests } in cases() {
        let seed = lines(&self::seed(seed));
        for (source, wanted) in [("--sandbox=seed.jsonl", live), ("--state seed.jsonl", file.unwrap_or(live))]
        {
            let code = if wanted.contains('-') { 3 } else { 0 };
            let test = Test::new(&format!("apply a.csv --match {field} {source} {PLAN}"));
            let ran = test.file("seed.jsonl", &seed).file("a.csv", &input).code(code).told_elsewhere().run();
            assert_eq!(told(&ran.place), wanted, "{what}, {source}: {}", ran.stderr);
            if source.starts_with("--sandbox") {
                let made = &ran.summary("run")["requests"];
                let made = (made["list"].as_u64().unwrap(), made["get"].as_u64().unwrap());
                assert_eq!(made, (requests.0, requests.1), "{what}");
            }
        }
    }
}

/// A workbook's header is told by its key column, too, and no row below it is lost.
#[test]
fn rows_of_a_workbook_are_about_what_their_keys_say() {
    let seed = lines(&seed(&[(1, "A"), (2, "B")]));
    for (what, rows, options, wanted) in [
        ("plain", &["CRM ID|notes", "A|x", "B|x"][..], "", "1 externalReferenceId, 2 externalReferenceId"),
        ("a title", &["Deals of May", "CRM ID|notes", "B|x"], "", "2 externalReferenceId"),
        (
            "mapped",
            &["(Do Not Modify) Opportunity|Topic|CRM key", "{X}|x|B", "{Y}|y|C"],
            "--map 'CRM key=externalReferenceId' --map Topic=notes",
            "2 externalReferenceId, no-match",
        ),
    ] {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in (0..).zip(rows) {
            for (column, cell) in (0..).zip(cells.split('|')) {
                sheet.write_string(row, column, cell).unwrap();
            }
        }
        let code = if wanted.contains("no-") { 3 } else { 0 };
        let test = Test::new(&format!(
            "apply a.xlsx --match externalReferenceId {options} --state seed.jsonl {PLAN}"
        ));
        let test = test.file("seed.jsonl", &seed).file("a.xlsx", book.save_to_buffer().unwrap());
        let ran = test.code(code).told_elsewhere().run();
        assert_eq!(told(&ran.place), wanted, "{what}: {}", ran.stderr);
    }
}

/// Of a JSON line, an id beside the key has to be that of the same referral, as in a table; and no operation changes
/// what rows are matched by.
#[test]
fn json_lines_are_about_what_their_keys_say() {
    let seed = lines(&seed(&[(1, "A"), (2, "B")]));
    let with_id =
        |number, key| json!({"id": id(number), "externalReferenceId": key, "notes": "x"}).to_string();
    let renamed = json!({"externalReferenceId": "A",
        "patch": [{"op": "replace", "path": "/externalReferenceId", "value": "C"}]});
    for (line, wanted) in [
        (with_id(1, "A"), "1 externalReferenceId"),
        (with_id(1, "B"), "contradiction"),
        (with_id(1, "C"), "no-match"),
        (json!({"id": id(1), "notes": "x"}).to_string(), "no-match"),
        (renamed.to_string(), "operation"),
    ] {
        let code = if wanted.starts_with('1') { 0 } else { 3 };
        let test = Test::new(&format!("apply a.jsonl --match externalReferenceId --state seed.jsonl {PLAN}"));
        let ran = test.file("seed.jsonl", &seed).file("a.jsonl", &line).code(code).told_elsewhere().run();
        assert_eq!(told(&ran.place), wanted, "{line}: {}", ran.stderr);
    }
}

/// No page is asked for twice, and no referral that the list shows.
#[test]
fn matching_costs_the_list_and_no_more() {
    let seed: Vec<Value> = (0..250)
        .map(|number| {
            let mut referral = referral(number, "Active", "Accepted");
            referral["externalReferenceId"] = format!("CRM-{number}").into();
            referral
        })
        .collect();
    for (rows, options, wanted) in [
        (vec![0], "", (3, 0)),
        (vec![249], "", (3, 0)),
        ((0..250).collect(), "", (3, 0)),
        // What is to be sent needs its version.
        (vec![0, 101, 202], "--list-without-etags", (3, 3)),
        (vec![0, 101, 202], "--list-omits details", (3, 3)),
    ] {
        let home = Place::new();
        let sandbox = Sandbox::seeded(&home, &seed, &shlex::split(options).unwrap());
        let text: String = rows.iter().map(|row: &usize| format!("CRM-{row},Called\n")).collect();
        let test = Test::at(&home, &format!("apply a.csv --match externalReferenceId {PLAN}"));
        let test = test.file("a.csv", format!("CRM ID,notes\n{text}")).service(&sandbox.base);
        let ran = test.told_elsewhere().run();
        let made = &ran.summary("run")["requests"];
        let made = (made["list"].as_u64().unwrap(), made["get"].as_u64().unwrap());
        assert_eq!((made, ran.outcomes("run")), (wanted, format!("{} planned", rows.len())), "{options}");
    }
}

/// Lists may write `null` for what they leave out. One that shows a key elsewhere doesn't leave it out; of any other, a
/// look at the referral tells.
#[test]
fn a_null_of_a_list_is_no_key_only_where_the_list_shows_one() {
    let keys = "CRM ID,notes\nA,x\nB,y\n".to_owned();
    let engagements = format!("Engagement ID,notes\n{},x\n{},y\n", engagement(1), engagement(3));
    let identified = |id: &str| format!("Referral Identifier,notes\n{id},x\n");
    let (external, by_engagement) = ("externalReferenceId", "engagementId");
    let few: Vec<(usize, &str)> = vec![(1, "A"), (2, "A"), (11, "-"), (20, "B")];
    let many: Vec<(usize, &str)> =
        (0..101).map(|number| (number, if number == 0 { "A" } else { "-" })).collect();
    for (seed, shown, field, input, wanted, looks) in [
        (&few, "", external, &keys, "ambiguous-match, 20 externalReferenceId", 0),
        (
            &few,
            "--list-nulls externalReferenceId",
            external,
            &keys,
            "ambiguous-match, 20 externalReferenceId",
            4,
        ),
        (
            &few,
            "--list-omits externalReferenceId",
            external,
            &keys,
            "ambiguous-match, 20 externalReferenceId",
            4,
        ),
        (&few, "--list-nulls engagementId", by_engagement, &engagements, "11 engagementId, no-match", 4),
        (&few, "--list-nulls engagementId", external, &identified(&engagement(2)), "20 engagementId", 4),
        (&few, "--list-omits engagementId", external, &identified(&engagement(2)), "20 engagementId", 4),
        // Nobody has to know an engagement, or a key, where the row names the referral itself.
        (&few, "--list-omits engagementId", external, &identified(&id(2)), "2 id", 0),
        (&few, "--list-nulls externalReferenceId", external, &identified(&id(2)), "2 id", 0),
        (&many, "", external, &keys, "0 externalReferenceId, no-match", 0),
        (&many, "--list-nulls externalReferenceId", external, &keys, "no-match, no-match", 0),
    ] {
        let home = Place::new();
        let sandbox = Sandbox::seeded(&home, &self::seed(seed), &shlex::split(shown).unwrap());
        let code = if wanted.contains('-') { 3 } else { 0 };
        let test = Test::at(&home, &format!("apply a.csv --match {field} {PLAN}"));
        let test = test.file("a.csv", input).service(&sandbox.base).code(code);
        let ran = test.told_elsewhere().run();
        assert_eq!(told(&ran.place), wanted, "{shown} {field}: {}", ran.stderr);
        // What was looked at to find out is looked at again to change it.
        let again =
            if looks == 0 { 0 } else { wanted.matches(|c: char| c.is_ascii_digit()).count().min(1) as u64 };
        let made = ran.summary("run")["requests"]["get"].as_u64().unwrap();
        assert_eq!(made, looks + again, "{shown} {field}");
    }
}

/// Beside a key, too, a cell that is missing at a row's end is an empty one.
#[test]
fn a_key_that_is_missing_at_a_rows_end_is_an_empty_one() {
    let seed = lines(&seed(&[(1, "A"), (2, "B")]));
    for (input, wanted) in [
        ("notes,CRM ID\nx\ny,A\n".to_owned(), "no-match, 1 externalReferenceId"),
        ("notes,CRM ID\nx,B\ny\n".to_owned(), "2 externalReferenceId, no-match"),
        (format!("id,notes,CRM ID\n{},x\n{},y,A\n", id(1), id(1)), "no-match, 1 externalReferenceId"),
        (
            "CRM ID,notes,salesStage\nA,x\nB,y,Propose\n".to_owned(),
            "1 externalReferenceId, 2 externalReferenceId",
        ),
    ] {
        let code = if wanted.contains("no-") { 3 } else { 0 };
        let test = Test::new(&format!("apply a.csv --match externalReferenceId --state seed.jsonl {PLAN}"));
        let ran = test.file("seed.jsonl", &seed).file("a.csv", &input).code(code).told_elsewhere().run();
        assert_eq!(told(&ran.place), wanted, "{input}: {}", ran.stderr);
        let says = ran.stderr.contains("error[no-match]: the row has no externalReferenceId to match by");
        assert_eq!(says, code == 3, "{input}: {}", ran.stderr);
    }
}

/// A hint is something that somebody can do: nobody writes an engagement into a referral.
#[test]
fn what_no_referral_has_is_told_by_its_own_name() {
    let seed = lines(&seed(&[(1, "A"), (2, "A")]));
    for (field, input, said) in [
        (
            "engagementId",
            format!("Engagement ID,notes\n{},x\n", engagement(9)),
            format!(
                "no referral has the engagementId \"{}\"\n  --> a.csv:2:1\nhint: correct it, or remove",
                engagement(9)
            ),
        ),
        (
            "externalReferenceId",
            format!("CRM ID,Referral Identifier,notes\nA,{},x\n", id(99)),
            format!(
                "neither a referral nor an engagement has the id \"{}\"\n  --> a.csv:2:2\nhint: correct it, or remove",
                id(99)
            ),
        ),
        (
            "externalReferenceId",
            format!("Referral Identifier,notes\n{},x\n", engagement(0)),
            format!("2 referrals have the engagement \"{}\": {} (", engagement(0), id(1)),
        ),
    ] {
        let test = Test::new(&format!("apply a.csv --match {field} --state seed.jsonl {PLAN}"));
        let ran = test.file("seed.jsonl", &seed).file("a.csv", &input).code(3).told_elsewhere().run();
        assert!(ran.stderr.contains(&said), "{input}: {}", ran.stderr);
    }
}

/// What is said of a row that is about none or several, to the letter; and what helps.
#[test]
fn of_several_the_id_tells_which_is_meant() {
    let mut seed = seed(&[(1, "A"), (2, "A"), (3, "00B")]);
    seed[1]["salesStage"] = "Propose".into();
    seed[1]["name"] = "Deal \u{1b}[31m of a name so long that nobody wants to read all of it".into();
    let test = Test::new(&format!("apply a.csv --match externalReferenceId --state seed.jsonl {PLAN}"));
    let test = test.file("seed.jsonl", lines(&seed));
    let ran = test.file("a.csv", "CRM ID,notes\nA,x\nB,y\nC,z\n").code(3).told_elsewhere().run();
    golden("matched_none_or_several", &ran.stderr());
    let mended = ran
        .place
        .raw("run/error.csv")
        .replace("CRM ID,notes,", "CRM ID,notes,id,")
        .replace("A,x,", &format!("A,x,{},", id(2)))
        .replace("B,y,", "00B,y,,")
        .replace("C,z,", "A,z,,");
    ran.place.write("run/error.csv", mended);
    let next = format!("{} --out again --summary none --progress none", ran.next());
    let again = ran.then(&next).code(3).told_elsewhere().run();
    assert_eq!(again.outcomes("again"), "2 planned, 1 invalid", "{}", again.stderr);
}

/// Two forms of one key make one document, and each row's own is on record.
#[test]
fn rows_of_one_referral_become_one_document_whatever_their_keys() {
    let input = "Opportunity ID,notes,Amount\n0065e00000AbCdE,Called,\n0065e00000AbCdEAAV,,5\n";
    let seed = lines(&seed(&[(1, "0065e00000AbCdEAAV"), (2, "x")]));
    let test = Test::new(
        "apply a.csv --match externalReferenceId --sandbox=seed.jsonl --rate 1000/s --out run --yes --summary none --progress none",
    );
    let ran = test.file("seed.jsonl", seed).file("a.csv", input).told_elsewhere().run();
    assert_eq!(ran.outcomes("run"), "2 applied");
    let plan = json_lines(&ran.place.raw("run/plan.jsonl"));
    assert_eq!(plan.len(), 1);
    assert_eq!(
        plan[0]["match"],
        json!({"key": "0065e00000AbCdE", "way": "externalReferenceId", "id": id(1)})
    );
    let keys: Vec<&Value> = plan[0]["rows"].as_array().unwrap().iter().map(|row| &row["key"]).collect();
    assert_eq!(keys, ["0065e00000AbCdE", "0065e00000AbCdEAAV"]);
    // Reports are made of the ledger alone.
    let outcomes = ran.place.raw("run/outcomes.jsonl");
    ran.place.write("seed.jsonl", "");
    let again = ran.then("report run --summary none").told_elsewhere().run();
    assert_eq!(again.place.raw("run/outcomes.jsonl"), outcomes);
}

/// The rows of a base are found by the key, too, as it was exported.
#[test]
fn a_base_has_the_same_keys() {
    const SHORT: &str = "0065e00000AbCdE";
    let seed = seed(&[(1, "A"), (2, "B"), (3, "D"), (4, "D"), (5, "0065e00000AbCdEAAV"), (6, "-")]);
    let referrals = lines(&seed);
    let with_id = format!("id,CRM ID,notes\n{},D,Mine\n", id(3));
    let json = json!({"externalReferenceId": "A", "notes": "Mine"}).to_string();
    let same_json = json!({"externalReferenceId": "A", "notes": "Note 1"}).to_string();
    let header = "CRM ID,notes\n";
    let table = |rows: &str| format!("{header}{rows}");
    for (base, text, file, input, wanted) in [
        ("b.csv", table("A,Note 1\nB,Note 2\n"), "a.csv", table("A,Mine\nB,Note 2\n"), "planned, as-in-base"),
        ("b.csv", table("A,Old\nB,Note 2\n"), "a.csv", table("A,Mine\n"), "changed-since-base"),
        (
            "b.csv",
            table("A,Note 1\n"),
            "a.csv",
            table("A,Mine\nB,Mine\nZ,Mine\n"),
            "planned, not-in-base, no-match",
        ),
        (
            "b.csv",
            table(&format!("{SHORT},Note 5\n")),
            "a.csv",
            table("0065e00000AbCdEAAV,Mine\n"),
            "planned",
        ),
        ("b.csv", table("A,Note 1\n,x\nZ,x\n#N/A,x\n"), "a.csv", table("A,Mine\n"), "planned"),
        // Where several have the key, the row that says which is meant has the base's row of that key.
        ("b.csv", table("D,Note 3\n"), "a.csv", with_id.clone(), "planned"),
        ("b.csv", table("D,Old\n"), "a.csv", with_id.clone(), "changed-since-base"),
        ("b.csv", table("D,Note 3\n"), "a.csv", table("D,Mine\n"), "ambiguous-match"),
        ("b.csv", format!("id,{header}{},D,Old\n{},D,Note 3\n", id(4), id(3)), "a.csv", with_id, "planned"),
        ("b.csv", table("A,Note 1\n"), "a.jsonl", json.clone(), "planned"),
        ("b.csv", table("A,Old\n"), "a.jsonl", json, "changed-since-base"),
        ("b.csv", table("A,Note 1\n"), "a.jsonl", same_json, "as-in-base"),
        ("b.jsonl", referrals.clone(), "a.csv", table("A,Mine\nB,Note 2\n"), "planned, as-in-base"),
    ] {
        let command =
            format!("apply {file} --match externalReferenceId --base {base} --state seed.jsonl {PLAN}");
        let code = if wanted.replace("as-in-base", "").contains('-') { 3 } else { 0 };
        let test = Test::new(&command).file("seed.jsonl", &referrals).file(base, &text).file(file, &input);
        let ran = test.code(code).told_elsewhere().run();
        let rows = json_lines(&ran.place.raw("run/outcomes.jsonl"));
        let codes: Vec<&str> = rows.iter().map(|row| row["code"].as_str().unwrap()).collect();
        assert_eq!(codes.join(", "), wanted, "{text}{input}{}", ran.stderr);
    }
    // What is fed back goes by the same keys and the same base.
    let home = Place::new();
    let sandbox = Sandbox::seeded::<&str>(&home, &seed, &[]);
    home.write("b.csv", table("A,Old\nB,Note 2\n"));
    home.write("a.csv", table("A,Mine\nB,Mine too\n"));
    let quiet = "--rate 1000/s --summary none --progress none";
    let command = format!("apply a.csv --match externalReferenceId --base b.csv --out run --yes {quiet}");
    let ran = Test::at(&home, &command).service(&sandbox.base).code(3).told_elsewhere().run();
    assert_eq!(ran.outcomes("run"), "1 applied, 1 conflict");
    let next = format!("{} --out again --yes {quiet}", ran.next().replace(" --rate 1000/s", ""));
    assert!(next.contains("--base b.csv") && next.contains("--match externalReferenceId"), "{next}");
    let again = ran.then(&next).service(&sandbox.base).told_elsewhere().run();
    assert_eq!(again.outcomes("again"), "1 applied", "{}", again.stderr);
    let noted = |number| sandbox.referral(&id(number))["details"]["notes"].clone();
    assert_eq!([noted(1), noted(2)], ["Mine", "Mine too"]);
}

/// The key is what says which referral it is, so nothing changes it; JSON lines and standard input are read so, too.
#[test]
fn keys_come_in_every_form() {
    let seed = lines(&seed(&[(1, "A"), (2, "B")]));
    let json = "{\"externalReferenceId\":\"B\",\"salesStage\":\"Propose\"}\n";
    let mapped = "--map Deal=externalReferenceId --map Comment=notes";
    for (input, form, options) in [
        (json, "jsonl", ""),
        ("externalReferenceId;notes\nB;x\n", "csv", ""),
        ("CRM ID,Deal,Comment,Amount,id\nA,B,x,5,\n", "csv", mapped),
    ] {
        for file in ["a", "-"] {
            let name = if file == "-" { "-".to_owned() } else { format!("a.{form}") };
            let command = format!(
                "apply {name} --format {form} --match externalReferenceId {options} --state seed.jsonl {PLAN}"
            );
            let test = Test::new(&command).file("seed.jsonl", &seed).file(&format!("a.{form}"), input);
            let ran = test.stdin(input).told_elsewhere().run();
            assert_eq!(told(&ran.place), "2 externalReferenceId", "{input}");
            let plan = json_lines(&ran.place.raw("run/plan.jsonl")).remove(0);
            assert_eq!(plan["changes"].as_array().unwrap().len(), 1, "{plan}");
        }
    }
}

/// Nobody knows then which referrals have the key.
#[test]
fn a_list_that_cannot_be_read_is_no_list_without_matches() {
    let mut told = Vec::new();
    for (page, second) in [
        ("403 Forbidden", "{\"error\":{\"code\":\"forbidden\",\"message\":\"no role\"}}"),
        ("200 OK", "{\"value\":[{\"name\":\"no id\"}]}"),
        ("200 OK", "{\"value\":[],\"@odata.nextLink\":\"https://example.com/?page=2\"}"),
    ] {
        let wire = Wire::serve(move |_| wire::answer(page, "", second));
        let test = Test::new(&format!("apply a.csv --match externalReferenceId {PLAN}"));
        let test = test.file("a.csv", "CRM ID,notes\nA,x\n").service(&wire.base).code(1);
        let ran = test.told_elsewhere().run();
        assert!(!ran.place.path("run").exists());
        told.push(ran.stderr());
    }
    golden("matched_no_list", &told.join("\n"));
}

#[test]
fn what_cannot_be_matched_is_told_before_anything_happens() {
    let told = [
        ("--match externalReferenceId --state none", "CRM ID,notes\nA,x\n", 2),
        ("--match externalReferenceId", "Deal,notes\nA,x\n", 1),
        ("--match externalReferenceId", "id,notes\nA,x\n", 1),
        ("--match engagementId", "CRM ID,notes\nA,x\n", 1),
        ("--match externalReferenceId", "Referral ID,Deal Name,Partner Referral Status,CRM ID\n", 1),
        ("--match externalReferenceId --map Deel=externalReferenceId", "CRM ID,notes\nA,x\n", 2),
        ("--match name", "CRM ID,notes\nA,x\n", 2),
        (
            "--match externalReferenceId --map 'Close Dat=closingDateTime' --map Zzz=notes",
            "CRM ID,Topic,Close Date\nA,x,2027-01-31\n",
            1,
        ),
    ]
    .map(|(options, input, code)| {
        let test = Test::new(&format!("apply a.csv --sandbox {options} {PLAN}")).file("a.csv", input);
        let ran = test.code(code).told_elsewhere().run();
        assert!(!ran.place.path("run").exists(), "{options}");
        format!("$ {options}\n{}", ran.stderr())
    });
    golden("matched_settings", &told.join("\n"));
}

/// The match is found out again, also where the first was cut off.
#[test]
fn a_plan_that_was_cut_off_is_matched_again() {
    let home = Place::new();
    let sandbox = Sandbox::seeded::<&str>(&home, &seed(&[(1, "A"), (2, "B")]), &[]);
    let tap = Tap::on(&sandbox);
    tap.hold(&["GET"]);
    home.write("a.csv", "CRM ID,notes\nB,x\n");
    let endpoint = tap.endpoint();
    let command = format!(
        "apply a.csv --match externalReferenceId --plan --out run --endpoint {endpoint} --rate 1000/s --progress none"
    );
    let words: Vec<&str> = command.split(' ').collect();
    let planning = home.start(&words);
    crate::support::waiting::until("the list is asked for", || (tap.count("GET") > 0).then_some(()));
    planning.signal(nix::sys::signal::Signal::SIGINT);
    planning.says("stopping:");
    tap.release();
    planning.wait().expect(4);
    let resume = Test::at(
        &home,
        &format!("resume run --endpoint {endpoint} --rate 1000/s --summary none --progress none"),
    );
    let ran = resume.env("PARTNER_CENTER_TOKEN", TOKEN).told_elsewhere().run();
    assert_eq!(told(&ran.place), "2 externalReferenceId");
}
