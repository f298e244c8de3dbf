//! Columns of somebody else's files that the user gives a meaning.

use serde_json::Value;

use crate::support::case::{Test, golden};
use crate::support::place::Place;

const GOOD: &str = "5a1e0001-0000-4000-8000-000000000015";
const PLAN: &str = "apply export.csv --plan --state referrals.jsonl --out run --summary none --progress none";

/// An export with columns that would mean something else, or nothing, by their own names.
fn export() -> String {
    format!(
        "Ref,Est. Close Date,Amount,Stage,Owner = Lead,notes\n{GOOD},2099-01-31,many,Won,Kim,Not to be sent\n"
    )
}

/// What a plan would send, by path.
fn planned(place: &Place, run: &str) -> String {
    let plan: Value = serde_json::from_str(&place.raw(&format!("{run}/plan.jsonl"))).unwrap();
    let told = |change: &Value| format!("{} {}", change["path"].as_str().unwrap(), change["after"]);
    plan["changes"].as_array().unwrap().iter().map(told).collect::<Vec<_>>().join(", ")
}

#[test]
fn only_what_is_mapped_is_read_wherever_it_is_said() {
    const REF: &str = "--map Ref=id";
    const DATE: &str = "/details/closingDateTime \"2099-01-31T00:00:00Z\"";
    let columns =
        "[columns]\n\"est. close date\" = \"closingDateTime\"\nref = \"id\"\n\"In no file\" = \"status\"\n";
    let profile = "[profile.default.columns]\nRef = \"referralId\"\n\"Owner = Lead\" = \"campaignId\"\n";
    for (settings, options, wanted) in [
        ("", format!("{REF} --map 'Est. Close Date=closingDateTime'"), DATE.to_owned()),
        ("", format!("{REF} --map 'EST.CLOSEDATE = Close Date'"), DATE.to_owned()),
        ("", format!("{REF} --map 'Owner = Lead=/salesStage'"), "/salesStage \"Kim\"".to_owned()),
        (columns, String::new(), DATE.to_owned()),
        (columns, "--map 'Est. Close Date=campaignId'".to_owned(), "/campaignId \"2099-01-31\"".to_owned()),
        (
            columns,
            "--ignore-column 'Est. Close Date' --map Owner=notes --map 'Owner = Lead=salesStage'"
                .replace("--map Owner=notes ", ""),
            "/salesStage \"Kim\"".to_owned(),
        ),
        // What the settings say of a column that this export lacks is about another one.
        (
            "[columns]\n\"Old Date\" = \"closingDateTime\"\nRef = \"id\"\n",
            "--map 'Est. Close Date=closingDateTime'".to_owned(),
            DATE.to_owned(),
        ),
        (&format!("{columns}{profile}"), String::new(), format!("/campaignId \"Kim\", {DATE}")),
    ] {
        let ran = Test::new(&format!("{PLAN} {options}")).sample("referrals.jsonl");
        let ran = ran.file("export.csv", export()).file("referral-bulk.toml", settings);
        let ran = ran.told_elsewhere().run();
        assert_eq!(planned(&ran.place, "run"), wanted, "{settings} {options}");
        let report = ran.place.raw("run/success.csv");
        assert!(report.contains(",2099-01-31,many,Won,Kim,Not to be sent,planned,"), "{report}");
    }
}

/// A change file that has none of the columns is read as ever, beside one that has.
#[test]
fn a_file_without_mapped_columns_is_read_as_ever() {
    let other = "5a1e0001-0000-4000-8000-000000000027";
    let test = Test::new(
        "apply export.csv own.csv --plan --state referrals.jsonl --out run --summary none --progress none --map Ref=id --map 'Est. Close Date=closingDateTime'",
    );
    let test = test.sample("referrals.jsonl").file("export.csv", export());
    let ran = test.file("own.csv", format!("id,notes\n{other},Called\n")).told_elsewhere().run();
    let plan = ran.place.raw("run/plan.jsonl");
    let paths: Vec<Value> = plan.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let paths: Vec<&str> = paths.iter().map(|line| line["changes"][0]["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/details/closingDateTime", "/details/notes"]);
}

#[test]
fn what_cannot_be_mapped_is_told_before_anything_happens() {
    let told = [
        ("", "--map Ref"),
        ("", "--map =status"),
        ("", "--map Ref=id --map 'Est. Close Date=closingDatTime'"),
        ("", "--map Ref=id --map Owner=Stage"),
        ("", "--map Ref=id --map Owner=createdDateTime"),
        ("", "--map Ref=id --map Owner=name"),
        ("", "--map Ref=id --map Amount=notes --map Stage=details.notes"),
        ("", "--map Ref=id --map ref=status"),
        ("", "--map Ref=id --ignore-column ref"),
        ("", "--map Ref=id --map 'Est Close Date=closingDateTime'"),
        ("", "--map Ref=id --map Priority=notes"),
        ("", "--map 'Est. Close Date=closingDateTime'"),
        ("[columns]\nRef = \"id\"\nAmount = \"closingDatTime\"\n", ""),
        ("[columns]\nRef = \"id\"\nAmount = \"notes\"\nStage = \"details.notes\"\n", ""),
        ("[columns]\n\"\" = \"id\"\n", ""),
    ]
    .map(|(settings, options)| {
        let test = Test::new(&format!("{PLAN} {options}")).sample("referrals.jsonl");
        let test = test.file("export.csv", export()).file("referral-bulk.toml", settings);
        let is_header = options == "--map 'Est. Close Date=closingDateTime'" || settings.contains("Stage");
        let ran = test.code(if is_header { 1 } else { 2 }).told_elsewhere().run();
        assert!(!ran.place.path("run").exists(), "{options}");
        let settings = settings.replace('\n', " ");
        format!("$ {settings}{options}\n{}", ran.stderr())
    });
    golden("mapped_columns", &told.join("\n"));
}

/// A date that is mended in the report comes back under the same meaning, also where the settings file said it.
#[test]
fn the_next_command_says_again_what_columns_mean() {
    for (settings, options) in [
        ("", "--map Ref=id --map 'Est. Close Date=closingDateTime'"),
        ("[columns]\nRef = \"id\"\n\"Est. Close Date\" = \"closingDateTime\"\nOther = \"status\"\n", ""),
    ] {
        let test = Test::new(&format!("{PLAN} {options}")).sample("referrals.jsonl");
        let test = test.file("export.csv", export().replace("2099-01-31", "soon"));
        let ran = test.file("referral-bulk.toml", settings).code(3).told_elsewhere().run();
        let next = ran.stderr.lines().last().unwrap().rsplit_once("referral-bulk ").unwrap().1.to_owned();
        assert!(next.contains("--map 'Est. Close Date=closingDateTime'"), "{next}");
        ran.place.write("referral-bulk.toml", "");
        let mended = ran.place.raw("run/error.csv").replace(",soon,", ",2099-01-31,");
        ran.place.write("run/error.csv", mended);
        let again = ran.then(&format!("{next} --out again --summary none --progress none"));
        let again = again.told_elsewhere().run();
        assert_eq!(
            planned(&again.place, "again"),
            "/details/closingDateTime \"2099-01-31T00:00:00Z\"",
            "{settings}"
        );
    }
}

/// JSON lines have no columns; the note keeps anybody from waiting for an effect.
#[test]
fn of_json_lines_nothing_is_mapped() {
    let line = format!("{{\"id\":\"{GOOD}\",\"salesStage\":\"Propose\"}}\n");
    let test = Test::new(
        "apply a.jsonl --plan --state referrals.jsonl --out run --summary none --progress none --map salesStage=notes",
    );
    let ran = test.sample("referrals.jsonl").file("a.jsonl", line).told_elsewhere().run();
    assert_eq!(planned(&ran.place, "run"), "/salesStage \"Propose\"");
    let note = "note: a.jsonl: JSON lines have no columns, so --map says nothing of them\n";
    assert!(ran.stderr().contains(note), "{}", ran.stderr());
}
