//! Rows that are not sound, among others that are.

use super::*;

/// A bad row's name, the header it stands under, and its bytes.
fn cells() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let cell = |value: &[u8]| [BAD.as_bytes(), b",,", value].concat();
    let text = |value: &str| cell(value.as_bytes());
    let deep = format!("\"{}{}\"", "[".repeat(10_000), "]".repeat(10_000));
    vec![
        ("no decimal", "id,externalReferenceId,dealValue", text("many")),
        ("thousands", "id,externalReferenceId,dealValue", text("\"12,500\"")),
        ("1e400", "id,externalReferenceId,dealValue", text("1e400")),
        ("infinite", "id,externalReferenceId,dealValue", text("inf")),
        ("too many digits", "id,externalReferenceId,dealValue", text(&"9".repeat(60))),
        ("no currency", "id,externalReferenceId,currency", text("EURO")),
        ("no date", "id,externalReferenceId,closingDateTime", text("31.12.2026")),
        ("no such day", "id,externalReferenceId,closingDateTime", text("2026-02-30")),
        ("no boolean", "id,externalReferenceId,consentToShareReferralWithMicrosoftSellers", text("perhaps")),
        ("no status", "id,externalReferenceId,status", text("Activ")),
        ("a substatus as status", "id,externalReferenceId,status", text("Won")),
        ("no substatus", "id,externalReferenceId,substatus", text("Lots")),
        ("Closed alone", "id,externalReferenceId,status", text("Closed")),
        ("None", "id,externalReferenceId,status", text("None")),
        ("no e-mail", "id,externalReferenceId,team.add", text("\"Ann, Lee, , nobody\"")),
        ("no member", "id,externalReferenceId,team.add", text("Ann")),
        ("no JSON", "id,externalReferenceId,/team", text("[{")),
        ("no list", "id,externalReferenceId,/team", text("7")),
        ("JSON nested 10,000 deep", "id,externalReferenceId,/team", text(&deep)),
        ("an appended element nested 10,000 deep", "id,externalReferenceId,/team/-", text(&deep)),
        ("a bad eTag", "id,externalReferenceId,eTag", text("\"\"\"a\nb\"\"\"")),
        ("to clear what cannot be", "id,externalReferenceId,status", text("\\N")),
        ("to clear without --clear", "id,externalReferenceId,notes", text("\\N")),
        ("read-only", "id,externalReferenceId,engagementId", text(ENGAGEMENT)),
        ("unconfirmed", "id,externalReferenceId,name", text("x")),
        ("bad GUID", "id,externalReferenceId,notes", b"5a1e0001-0000-4000-8000-00000000002,,x".to_vec()),
        ("no id", "id,externalReferenceId,notes", b",,x".to_vec()),
        ("ids that differ by a formula", "id,externalReferenceId,notes", format!("={BAD},,x").into_bytes()),
        ("two columns that differ", "id,notes,/details/notes", [BAD, ",1,2"].concat().into()),
        ("two ids that differ", "id,notes,Referral ID", format!("{BAD},,{ENGAGEMENT}").into()),
        ("a comment", "id,externalReferenceId,notes", b"# the rest, later".to_vec()),
        ("a line of totals", "id,externalReferenceId,dealValue", b"Total,,12500".to_vec()),
        ("a footer", "id,externalReferenceId,notes", b"\"Confidential - do not distribute\"".to_vec()),
        ("the header again", "id,externalReferenceId,notes", b"id,externalReferenceId,notes".to_vec()),
        ("other separators", "id,externalReferenceId,notes", format!("{BAD};x;y").into()),
        ("a row in quotes", "id,externalReferenceId,notes", format!("\"{BAD},x,y\"").into()),
        ("content without a name", "id,notes,", text("x")),
        ("too many cells", "id,externalReferenceId,notes", text("x,y")),
        ("text after a quote", "id,externalReferenceId,notes", text("\"x\"y")),
        ("invalid UTF-8", "id,externalReferenceId,notes", cell(b"caf\xe9")),
        ("an id that is not UTF-8", "id,externalReferenceId,notes", b"5a1e\xff,,x".to_vec()),
        ("NUL bytes", "id,externalReferenceId,dealValue", cell(b"1\x002")),
        ("a cell of 20 MB", "id,externalReferenceId,notes", cell(&vec![b'x'; 20 << 20])),
        (
            "a quoted cell of 20 MB with line ends",
            "id,externalReferenceId,notes",
            cell(&[b"\"", &b"x\n".repeat(10 << 20)[..], b"\""].concat()),
        ),
        ("100,000 cells", "id,externalReferenceId,notes", text(&",".repeat(100_000))),
    ]
}

#[test]
fn of_csv_are_found_where_they_stand() {
    check("rows_of_csv", &cells(), "a.csv", |header, row| {
        let good = format!("{header}\n{GOOD},sound,\n");
        [good.as_bytes(), row, b"\n"].concat()
    });
}

fn lines() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let with = |members: &str| format!("{{\"id\":\"{BAD}\",{members}}}").into_bytes();
    let patch = |operation: &str| with(&format!("\"patch\":[{operation}]"));
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let objects = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    vec![
        ("unknown member", "", with(r#""stauts":"Active""#)),
        ("unknown member below", "", with(r#""details":{"note":"x"}"#)),
        ("wrong type", "", with(r#""details":{"dealValue":true}"#)),
        ("a number as text", "", with(r#""details":{"notes":7}"#)),
        ("1e400", "", with(r#""details":{"dealValue":1e400}"#)),
        ("a parent that is no object", "", with(r#""details":"x""#)),
        ("bad GUID", "", br#"{"id":"5a1e","details":{"notes":"x"}}"#.to_vec()),
        ("an id that is a number", "", br#"{"id":7,"details":{"notes":"x"}}"#.to_vec()),
        ("an id that is null", "", br#"{"id":null,"details":{"notes":"x"}}"#.to_vec()),
        ("no id", "", br#"{"details":{"notes":"x"}}"#.to_vec()),
        (
            "engagementId in place of id",
            "",
            format!(r#"{{"engagementId":"{ENGAGEMENT}","status":"Active"}}"#).into(),
        ),
        ("an object without members", "", b"{}".to_vec()),
        ("duplicate keys", "", with(r#""details":{"notes":"x","notes":"y"}"#)),
        ("duplicate keys that agree", "", with(r#""status":"Active","status":"Active""#)),
        ("duplicate ids", "", with(&format!(r#""id":"{GOOD}","salesStage":"x""#))),
        ("the same field under two names", "", with(r#""details":{"notes":"x"},"details.notes":"y""#)),
        ("a field that is null", "", with(r#""details":{"notes":null}"#)),
        ("nested 10,000 deep", "", with(&format!("\"team\":{deep}"))),
        ("objects nested 10,000 deep", "", with(&format!("\"details\":{objects}"))),
        ("nothing but nesting", "", deep.clone().into_bytes()),
        ("nesting that is never closed", "", "[".repeat(10_000).into_bytes()),
        ("remove", "", patch(r#"{"op":"remove","path":"/details/notes"}"#)),
        ("test", "", patch(r#"{"op":"test","path":"/status","value":"New"}"#)),
        ("move", "", patch(r#"{"op":"move","from":"/a","path":"/status"}"#)),
        ("copy", "", patch(r#"{"op":"copy","from":"/a","path":"/status"}"#)),
        ("no operation", "", patch(r#"{"path":"/status","value":"New"}"#)),
        ("an unknown operation", "", patch(r#"{"op":"set","path":"/status","value":"New"}"#)),
        ("an operation that is no text", "", patch(r#"{"op":1,"path":"/status","value":"New"}"#)),
        ("a path that is no pointer", "", patch(r#"{"op":"replace","path":"status","value":"Active"}"#)),
        ("a path with a bad escape", "", patch(r#"{"op":"replace","path":"/details/~2","value":"x"}"#)),
        ("a path that is no text", "", patch(r#"{"op":"replace","path":7,"value":"x"}"#)),
        ("no path", "", patch(r#"{"op":"replace","value":"x"}"#)),
        ("an empty path", "", patch(r#"{"op":"replace","path":"","value":{}}"#)),
        ("no value", "", patch(r#"{"op":"replace","path":"/details/notes"}"#)),
        ("an element by its place", "", patch(r#"{"op":"replace","path":"/team/0","value":{}}"#)),
        ("a read-only path", "", patch(r#"{"op":"replace","path":"/organizationName","value":"x"}"#)),
        ("an unconfirmed path", "", patch(r#"{"op":"replace","path":"/name","value":"x"}"#)),
        (
            "operations that contradict",
            "",
            patch(
                r#"{"op":"replace","path":"/details/notes","value":"x"},{"op":"replace","path":"/details/notes","value":"y"}"#,
            ),
        ),
        (
            "an element appended before its list is set",
            "",
            patch(
                r#"{"op":"add","path":"/team/-","value":{"email":"ann@example.com"}},{"op":"replace","path":"/team","value":[]}"#,
            ),
        ),
        ("an operation that is no object", "", patch("7")),
        ("a patch that is no list", "", with(r#""patch":{"op":"replace"}"#)),
        ("operations and fields", "", with(r#""patch":[],"status":"Active""#)),
        ("no JSON", "", b"id: 7".to_vec()),
        ("half a line", "", format!("{{\"id\":\"{BAD}\"").into()),
        ("a comma too many", "", with(r#""status":"Active","#)),
        ("two objects", "", format!("{{\"id\":\"{BAD}\"}} {{}}").into()),
        ("an array", "", b"[1,2]".to_vec()),
        ("a single value", "", b"7".to_vec()),
        ("half a surrogate pair", "", with(r#""details":{"notes":"\ud800"}"#)),
        (
            "invalid UTF-8",
            "",
            with("\"details\":{\"notes\":\"caf\u{e9}\"}").into_iter().filter(|byte| *byte != 0xc3).collect(),
        ),
        ("NUL bytes", "", with("\"details\":{\"notes\":\"a\0b\"}")),
        ("a NUL that is escaped", "", with(r#""closingDateTime":"2026\u0000""#)),
        ("20 MB", "", with(&format!("\"details\":{{\"notes\":\"{}\"}}", "x".repeat(20 << 20)))),
        (
            "more members than any referral",
            "",
            with(&(0..2_000).map(|n| format!("\"f{n}\":1")).collect::<Vec<_>>().join(",")),
        ),
    ]
}

#[test]
fn of_json_lines_are_found_where_they_stand() {
    check("rows_of_jsonl", &lines(), "a.jsonl", |_, row| {
        let good = format!("{{\"id\":\"{GOOD}\",\"details\":{{\"notes\":\"sound\"}}}}\n");
        [good.as_bytes(), row, b"\n"].concat()
    });
}

/// Applies each row beside a good one: the good one goes through, the other is invalid, and no
/// request of any sort was made that could have changed its referral.
fn check(
    name: &str,
    cases: &[(&'static str, &'static str, Vec<u8>)],
    file: &str,
    write: impl Fn(&str, &[u8]) -> Vec<u8> + Sync,
) {
    let told = each(cases, |(name, header, row)| {
        let service = service();
        let ran = Test::new(&format!("apply {file} {APPLY} --reason '{name}'"))
            .file(file, write(header, row))
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        assert_eq!(ran.stdout, "", "{name}");
        let outcomes = ran.outcomes("run");
        assert_eq!(outcomes, "1 applied, 1 invalid", "{name}: {}", ran.stderr);
        assert_eq!(service.ids("PATCH"), [GOOD], "{name}");
        let line = if file.ends_with("csv") { 3 } else { 2 };
        assert!(!ran.stderr.contains(&format!("{file}:{}:", line - 1)), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("  --> {file}:{line}:")), "{name}: {}", ran.stderr);
        assert!(ran.stderr.len() < 10_000, "{name} is told in {} bytes", ran.stderr.len());
        let next = "next: ";
        let found = ran
            .stderr()
            .lines()
            .take_while(|line| !line.starts_with(next))
            .fold(String::new(), |text, line| text + line + "\n");
        format!("## {name}\n{found}")
    });
    golden(name, &told.join("\n"));
}

#[test]
fn that_ask_for_nothing_are_unchanged() {
    let lines = format!("{{\"id\":\"{GOOD}\",\"patch\":[]}}\n{{\"id\":\"{BAD}\"}}\n");
    let ran = Test::new(&format!("apply a.jsonl b.csv --sandbox {APPLY}"))
        .file("a.jsonl", lines)
        .file("b.csv", format!("id,notes\n{GOOD},\n"))
        .run();
    assert_eq!(ran.outcomes("run"), "3 unchanged");
}

/// An id that no rule can tell from a referral's: the service says that it knows no such referral.
#[test]
fn with_an_engagement_in_place_of_an_id_are_refused() {
    let service = service();
    let ran = Test::new(&format!("apply a.csv {APPLY}"))
        .file("a.csv", format!("id,notes\n{GOOD},sound\n{ENGAGEMENT},x\n"))
        .service(&service.base)
        .code(3)
        .told_elsewhere()
        .run();
    assert_eq!(ran.outcomes("run"), "1 applied, 1 refused");
    assert_eq!(service.ids("PATCH"), [GOOD]);
}

/// What two files with other names for the same columns come to is a file with both columns.
#[test]
fn of_files_with_other_names_can_be_fed_back() {
    let place = Place::new();
    place.write("a.csv", format!("id,dealValue,eTag\n{GOOD},10,\n{BAD},many,\n"));
    place.write("b.csv", format!("Referral ID,/details/dealValue,If-Match\n{GOOD},10,\n{BAD},20,\n"));
    let first = format!("apply a.csv b.csv --sandbox {APPLY}");
    let ran = Test::at(&place, &first).code(3).told_elsewhere().run();
    assert_eq!(ran.outcomes("run"), "2 applied, 2 invalid");
    let mended = place.raw("run/error.csv").replace("many", "20");
    assert!(
        mended.starts_with("id,dealValue,eTag,Referral ID,/details/dealValue,If-Match,result."),
        "{mended}"
    );
    place.write("mended.csv", mended);
    let again = format!("apply mended.csv --sandbox {APPLY}").replace("--out run", "--out two");
    let ran = Test::at(&place, &again).told_elsewhere().run();
    assert_eq!(ran.outcomes("two"), "2 applied");
}

/// A row that could not be read as it was meant must not come back as a sound one.
#[test]
fn that_were_mangled_stay_bad_when_they_are_fed_back() {
    for (name, row) in [
        ("other separators", format!("{BAD};x").into_bytes()),
        ("too many cells", format!("{BAD},x,y").into_bytes()),
        ("text after a quote", format!("{BAD},\"x\"y").into_bytes()),
        ("invalid UTF-8", [BAD.as_bytes(), b",caf\xe9"].concat()),
        ("a cell of 2 MB", [BAD.as_bytes(), b",", &vec![b'x'; 2 << 20]].concat()),
    ] {
        let service = service();
        let text = [b"id,notes\n".as_slice(), &row, b"\n"].concat();
        let first = Test::new(&format!("apply a.csv {APPLY}")).file("a.csv", text).service(&service.base);
        let first = first.code(3).told_elsewhere().run();
        let again = first.then(&format!("apply run/error.csv {APPLY} --out two").replace("--out run", ""));
        let again = again.service(&service.base).code(3).told_elsewhere().run();
        assert_eq!(again.outcomes("two"), "1 invalid", "{name}: {}", again.place.raw("run/error.csv"));
        assert_eq!(service.ids("PATCH"), [""; 0], "{name}");
    }
}
