//! Lines that are no rows.

use super::*;

/// A file, what comes of its rows, and what is noted of it.
#[test]
fn are_skipped_and_counted_or_have_an_outcome() {
    let nameless = "skipped 2 columns without name and content, the first is C";
    let short = "1 row ends before the last column, the first in line 2: what is missing is taken as empty";
    let empty = "skipped 2 rows without content, the first in line 2";
    let cases = [
        ("id,notes,,\nGOOD,x,,\n", "1 planned", &[nameless][..]),
        ("id,notes,dealValue\nGOOD,x\nBAD,y,1\n", "2 planned", &[short]),
        ("id,notes\n,\nGOOD,x\n \n", "1 planned", &[empty]),
        ("id,notes\nGOOD,x,,\n", "1 planned", &[]),
        ("id, notes\nGOOD, \"x\" \n", "1 planned", &[]),
        // Three rows of which a quote took in two.
        ("id,dealValue,notes\nGOOD,5,\"x\nBAD,6,y\nGOOD,7,z\"\n", "3 invalid", &[]),
        // One whose line was broken.
        ("id,notes,dealValue\nGOOD,x\ny,1\nBAD,z,1\n", "1 planned, 2 invalid", &[]),
    ];
    each(&cases, |(text, outcomes, notes)| {
        let code = if outcomes.contains("invalid") { 3 } else { 0 };
        let text = text.replace("GOOD", GOOD).replace("BAD", BAD);
        let planning = "--plan --state referrals.jsonl --summary none --progress none";
        let test = Test::new(&format!("apply a.csv --out run {planning}")).sample("referrals.jsonl");
        let ran = test.file("a.csv", &text).code(code).told_elsewhere().run();
        assert_eq!(ran.outcomes("run"), *outcomes, "{text}");
        let noted = ran.stderr.lines().filter_map(|line| line.strip_prefix("note: a.csv: "));
        assert_eq!(noted.collect::<Vec<_>>(), *notes, "{text}");
        if *outcomes == "1 planned" {
            assert!(ran.place.raw("run/plan.jsonl").contains(r#""value":"x""#), "{text}");
        }
        if *outcomes == "3 invalid" {
            let again = ran.then(&format!("apply run/error.csv --out again {planning}"));
            assert_eq!(again.code(3).told_elsewhere().run().outcomes("again"), "3 invalid", "{text}");
        }
    });
}
