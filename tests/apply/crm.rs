//! Exports of three CRMs as they come, with the options that the document shows.

use super::*;

const PLAN: &str =
    "--match externalReferenceId --plan --state crm-referrals.jsonl --summary none --progress none";

fn binary(name: &str) -> Vec<u8> {
    fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)).unwrap()
}

/// The last digit of each referral with what is sent of it, in the order of the plan.
fn planned(ran: &Ran, run: &str) -> String {
    let told = ran.place.run_of(run).lines("plan.jsonl").into_iter().map(|line| {
        let operations = line["operations"].as_array().unwrap().iter();
        let values: Vec<String> = operations.map(|operation| operation["value"].to_string()).collect();
        format!("{} {}", line["id"].as_str().unwrap().chars().last().unwrap(), values.join(" "))
    });
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn an_export_is_matched_and_only_what_is_mapped_is_read() {
    for (file, mapped, wanted, outcomes, told) in [
        (
            "crm-dynamics.xlsx",
            "--map 'Est. Close Date=closingDateTime' --map 'Est. Revenue=dealValue'",
            r#"1 97500 "2030-06-30T00:00:00Z", 2 475000 "2028-09-30T00:00:00Z", 3 66250.5 "2030-09-30T00:00:00Z""#,
            "3 planned, 1 invalid",
            &[
                "3 columns are hidden, and read all the same: A (Do Not Modify) Opportunity",
                "error[no-match]",
                "crm-dynamics.xlsx:A5",
            ][..],
        ),
        (
            "crm-salesforce.csv",
            "--map 'Close Date=closingDateTime' --map Amount=dealValue",
            r#"4 52500.0 "2027-03-31T00:00:00Z", 5 125000.5 "2027-06-30T00:00:00Z", 6 "2027-04-15T00:00:00Z""#,
            "3 planned, 1 invalid",
            &[
                "note: crm-salesforce.csv: lines 7, 9, 10 are the footer of a report, and no data\n",
                "error[no-match]",
                "\"0065e00000AbCdEAAV\" is like it",
            ],
        ),
        (
            "crm-hubspot.csv",
            "--map Amount=dealValue",
            "7 97500",
            "1 planned, 1 invalid",
            &["error[ambiguous-match]: 2 referrals have the key \"18234567891\""],
        ),
    ] {
        let test =
            Test::new(&format!("apply {file} {mapped} {PLAN} --out run")).sample("crm-referrals.jsonl");
        let ran = test.file(file, binary(file)).code(3).told_elsewhere().run();
        assert_eq!(
            (planned(&ran, "run").as_str(), ran.outcomes("run").as_str()),
            (wanted, outcomes),
            "{file}"
        );
        for told in told {
            assert!(ran.stderr().contains(told), "{told}: {}", ran.stderr());
        }
        // What failed is judged again as it was, and what was planned asks for the same, footer or none.
        let extension = file.rsplit('.').next().unwrap();
        let again = format!("apply run/success.{extension} {mapped} {PLAN} --out again");
        assert_eq!(planned(&ran.then(&again).told_elsewhere().run(), "again"), wanted, "{file}");
        let failed = format!("apply run/error.{extension} {mapped} {PLAN} --out failed");
        assert_eq!(
            ran.then(&failed).code(3).told_elsewhere().run().outcomes("failed"),
            "1 invalid",
            "{file}"
        );
    }
}

/// A report of Salesforce that its footer says is longer is told to be cut.
#[test]
fn a_footer_that_counts_more_records_is_told() {
    let text = sample("crm-salesforce.csv").replace("(4 records)", "(1,204 records)");
    let test = Test::new(&format!("apply a.csv --map Amount=dealValue {PLAN} --out run")).file("a.csv", text);
    let ran = test.sample("crm-referrals.jsonl").code(3).told_elsewhere().run();
    let told = "no data; it counts 1204 records, and the file has 4: is all of the report here?\n";
    assert!(ran.stderr().contains(told), "{}", ran.stderr());
}
