//! What `migrate` takes beside the payloads, and gives beside the run: `--patches`, the documents as a
//! change file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{lines, payload};
use crate::support::case::{Ran, Test};
use crate::support::place::Place;
use crate::support::referrals;
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;
use crate::support::waiting::{each, until};

const QUIET: &str = "--rate 1000/s --out run --summary none --progress none";

/// A payload for everything that a document can do, and one that wants nothing, in no order.
fn every_kind() -> String {
    let mut appended = payload(15);
    appended["details"]["dealValue"] = json!(4711);
    appended["team"].as_array_mut().unwrap().push(json!({
        "firstName": "Kim", "lastName": "Park", "email": "kim.park@partner.example.com"
    }));
    let mut replaced = payload(16);
    replaced["team"][0]["phoneNumber"] = json!("+1 555 0199");
    let mut cleared = payload(18);
    cleared["salesStage"] = json!(null);
    cleared["customerProfile"]["team"] = json!([]);
    let mut closed = payload(17);
    for (name, value) in [("status", "Closed"), ("substatus", "Lost"), ("statusReason", "No budget")] {
        closed[name] = json!(value);
    }
    let mut parents = payload(12);
    parents["details"] = json!({ "dealValue": 1200, "requirements": { "solutions": [{ "id": "SOL-01" }] } });
    let mut taken = payload(22);
    taken["eTag"] = json!("\"older\"");
    taken["salesStage"] = json!("Propose");
    taken["details"]["dealValue"] = json!(99);
    lines(&[closed, appended, replaced, payload(19), cleared, parents, taken])
}

const FLAGS: &str = "--clear --take /salesStage";

/// What the lines of a plan that would be sent hold, to the last digit.
#[derive(Debug, PartialEq, Deserialize)]
struct Document {
    id: String,
    #[serde(rename = "eTag")]
    etag: Option<String>,
    operations: Text,
    effect: String,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Text(Box<RawValue>);

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

fn documents(place: &Place, run: &str) -> Vec<Document> {
    let plan = place.raw(&format!("{run}/plan.jsonl"));
    let sent = plan.lines().filter(|line| line.contains(r#""outcome":"planned""#));
    sent.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The command that a plan with `--patches` gives for its file.
fn offered(ran: &Ran) -> String {
    let offers = "hint: apply takes the same changes in place of this plan: referral-bulk ";
    let offer = ran.stderr.lines().find_map(|line| line.strip_prefix(offers));
    offer.unwrap_or_else(|| panic!("no command for the patches: {}", ran.stderr)).to_owned()
}

fn mode(place: &Place, name: &str) -> u32 {
    fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_documents_of_a_plan_are_a_change_file() {
    let ran = Test::new(&format!(
        "migrate a.jsonl --plan --sandbox=referrals.jsonl {FLAGS} --patches p.jsonl --out run"
    ))
    .sample("referrals.jsonl")
    .file("a.jsonl", every_kind())
    .snapshot("plan", ["p.jsonl"])
    .run();
    assert_eq!(mode(&ran.place, "p.jsonl"), 0o600);
    let again = ran.then(&format!("{} --plan --out again --summary none", offered(&ran)));
    again.told_elsewhere().run();
    let planned = documents(&ran.place, "run");
    assert_eq!(planned.len(), 6);
    assert_eq!(documents(&ran.place, "again"), planned);
}

#[derive(Deserialize)]
struct Case {
    name: String,
    current: Box<RawValue>,
    payload: Box<RawValue>,
    #[serde(default)]
    flags: Vec<String>,
    outcome: String,
}

/// The object with the id and the eTag that it doesn't say, as `tests/migrate/cases.rs` has it.
fn filled(object: &RawValue) -> String {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(object.get()).unwrap();
    let missing = [("id", r#""5a1e0001-0000-4000-8000-000000000001""#), ("eTag", r#""\"v1\"""#)];
    let missing = missing.into_iter().filter(|(name, _)| !members.contains_key(*name));
    let given = members.iter().map(|(name, value)| (name.as_str(), value.get()));
    let all: Vec<String> = missing.chain(given).map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}\n", all.join(",").replace('\n', " "))
}

#[test]
fn apply_makes_the_same_documents_of_every_worked_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrate/cases");
    let files = fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let cases: Vec<Case> = files.flat_map(|text| serde_json::from_str::<Vec<Case>>(&text).unwrap()).collect();
    // The sandbox gives every referral a version.
    let has_version = |case: &Case| !case.current.get().contains(r#""eTag": null"#);
    let is_sent = |case: &Case| case.outcome == "planned" && has_version(case);
    let sent: Vec<Case> = cases.into_iter().filter(is_sent).collect();
    assert!(sent.len() >= 30, "{} cases", sent.len());
    each(&sent, |case| {
        let flags = case.flags.join(" ");
        let ran =
            Test::new(&format!("migrate a.jsonl --plan --sandbox=b.jsonl {flags} --patches p.jsonl {QUIET}"))
                .file("a.jsonl", filled(&case.payload))
                .file("b.jsonl", filled(&case.current))
                .told_elsewhere()
                .run();
        let again = ran.then(&format!("{} --plan --out again --summary none", offered(&ran)));
        again.told_elsewhere().run();
        assert_eq!(documents(&ran.place, "again"), documents(&ran.place, "run"), "{}", case.name);
    });
}

/// The referrals without the times that the service sets. Their eTags follow from what was done to them.
fn timeless(sandbox: &Sandbox) -> Vec<Value> {
    let mut referrals: Vec<Value> = sandbox.referrals().into_values().collect();
    for referral in &mut referrals {
        for name in ["updatedDateTime", "acceptedDateTime", "closedDateTime"] {
            referral.as_object_mut().unwrap().remove(name);
        }
    }
    referrals
}

#[test]
fn sent_by_apply_they_lead_to_the_same_referrals() {
    let (one, other) = (Sandbox::start(""), Sandbox::start(""));
    let consent = "--yes --confirm-closing 1";
    let ran = Test::new(&format!("migrate a.jsonl {FLAGS} --patches p.jsonl {consent} {QUIET}"))
        .file("a.jsonl", every_kind())
        .service(&one.base)
        .told_elsewhere()
        .run();
    assert_eq!(ran.outcomes("run"), "6 applied, 1 unchanged");
    assert_eq!(ran.stderr.matches("hint").count(), 0, "it was sent already: {}", ran.stderr);
    let flags = "--clear --rate 1000/s --summary none";
    let applied = ran.then(&format!("apply p.jsonl {flags} {consent} --out applied"));
    let applied = applied.service(&other.base).told_elsewhere().run();
    assert_eq!(applied.outcomes("applied"), "6 applied");
    assert_eq!(timeless(&other), timeless(&one));
}

#[test]
fn what_clears_a_field_is_refused_without_clear() {
    let ran = Test::new(&format!("migrate a.jsonl --plan --sandbox {FLAGS} --patches p.jsonl {QUIET}"))
        .file("a.jsonl", every_kind())
        .told_elsewhere()
        .run();
    let offer = offered(&ran);
    assert_eq!(offer, "apply p.jsonl --clear --sandbox --rate 1000/s");
    let careless = offer.replace(" --clear", "");
    let careless = ran.then(&format!("{careless} --plan --out again --summary none"));
    let careless = careless.code(3).told_elsewhere().run();
    assert_eq!(careless.outcomes("again"), "5 planned, 1 invalid");
    assert!(careless.stderr.contains("error[clear]"), "{}", careless.stderr);
}

#[test]
fn where_the_file_cannot_be_put_nothing_is_asked_for() {
    const NO_DIRECTORY: &str = "hint: make the directory first, or name another file with --patches\n";
    for (file, said) in [
        (
            "mine.jsonl",
            "error: mine.jsonl is there already\nhint: name another file with --patches\n".to_owned(),
        ),
        ("there", "error: there is there already\nhint: name another file with --patches\n".to_owned()),
        ("gone/p.jsonl", format!("error: gone/p.jsonl: its directory is not there\n{NO_DIRECTORY}")),
        ("a.jsonl/p.jsonl", format!("error: a.jsonl/p.jsonl: its directory is not there\n{NO_DIRECTORY}")),
        (
            "run/plan.jsonl",
            "error: run/plan.jsonl is a name that the run gives to a file of its own\n\
             hint: name another file with --patches\n"
                .to_owned(),
        ),
        (
            "run/run.sqlite-journal",
            "error: run/run.sqlite-journal is a name that the run gives to a file of its own\n\
             hint: name another file with --patches\n"
                .to_owned(),
        ),
        (
            "run/report.html",
            "error: run/report.html is a name that the run gives to a file of its own\n\
             hint: name another file with --patches\n"
                .to_owned(),
        ),
        (
            "-",
            "error: --patches ./-: this names no file\n\
             hint: standard output is for the summary: name a new file, as in patches.jsonl\n"
                .to_owned(),
        ),
    ] {
        // Nobody answers there: whoever asks for anything ends with 1.
        let ran = Test::new(&format!("migrate a.jsonl --yes --patches {file} {QUIET}"))
            .file("a.jsonl", lines(&[payload(15)]))
            .file("mine.jsonl", "mine")
            .file("there/mine", "mine")
            .service("http://127.0.0.1:9/v1.0")
            .code(2)
            .stderr(&said)
            .run();
        let files: Vec<String> = ran.place.files().into_keys().collect();
        assert_eq!(files, ["a.jsonl", "mine.jsonl", "there/mine"], "{file}");
        assert_eq!(ran.place.raw("mine.jsonl"), "mine");
    }
}

#[test]
fn a_file_that_comes_to_be_there_meanwhile_stays() {
    let sandbox = Sandbox::start("");
    let mut changed = payload(15);
    changed["details"]["dealValue"] = json!(4711);
    let before = sandbox.referrals();
    // The token is asked for when the file was looked for, and before anything is planned.
    let token = r#"--token-command "sh -c 'echo mine > p.jsonl; echo token'""#;
    let ran = Test::new(&format!(
        "migrate a.jsonl --yes --patches p.jsonl --endpoint {} {token} {QUIET}",
        sandbox.base
    ))
    .file("a.jsonl", lines(&[changed]))
    .code(2)
    .stderr(
        "error: p.jsonl is there already\n\
         hint: the plan is kept, and nothing was sent: referral-bulk resume run carries it out without the file; \
         to have the file, migrate again with another --patches and another --out\n",
    )
    .run();
    assert_eq!(ran.place.raw("p.jsonl"), "mine\n");
    assert_eq!(ran.outcomes("run"), "1 planned");
    assert!(sandbox.referrals() == before, "something was sent");
    let resumed = ran.then(&format!("resume run --yes --rate 1000/s --endpoint {} {token}", sandbox.base));
    let resumed = resumed.told_elsewhere().run();
    assert_eq!(resumed.outcomes("run"), "1 applied");
    assert!(!resumed.stdout.contains("p.jsonl"), "{}", resumed.stdout);
}

#[test]
fn without_a_change_the_file_is_empty() {
    let ran = Test::new("migrate a.jsonl --plan --sandbox --patches p.jsonl --out run")
        .file("a.jsonl", lines(&[payload(15)]))
        .told_elsewhere()
        .run();
    assert_eq!(ran.place.raw("p.jsonl"), "");
    assert_eq!(mode(&ran.place, "p.jsonl"), 0o600);
    assert!(ran.stdout.contains("\n p.jsonl             0 rows\n"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("hint"), "{}", ran.stderr);
}

/// It is there before anybody is asked, for them to look at.
#[test]
fn it_is_written_also_where_consent_is_refused() {
    let sandbox = Sandbox::start("");
    let ran = Test::new(&format!("migrate a.jsonl {FLAGS} --patches run/patches.txt {QUIET}"))
        .file("a.jsonl", every_kind())
        .service(&sandbox.base)
        .code(2)
        .told_elsewhere()
        .run();
    assert!(ran.stderr.contains("nobody is there to ask"), "{}", ran.stderr);
    let file = ran.place.raw("run/patches.txt");
    assert_eq!(file.lines().count(), 6);
    let resumed = ran.then("resume run --yes --confirm-closing 1 --rate 1000/s --summary none");
    let resumed = resumed.service(&sandbox.base).told_elsewhere().run();
    assert_eq!(resumed.outcomes("run"), "6 applied, 1 unchanged");
    assert_eq!(resumed.place.raw("run/patches.txt"), file);
}

#[test]
fn a_file_of_another_ending_is_offered_with_its_form() {
    let ran = Test::new(&format!("migrate a.jsonl --plan --sandbox {FLAGS} --patches 'my patches' {QUIET}"))
        .file("a.jsonl", every_kind())
        .told_elsewhere()
        .run();
    let offer = offered(&ran);
    assert!(offer.starts_with("apply 'my patches' --format jsonl --clear "), "{offer}");
    let again = ran.then(&format!("{offer} --plan --out again --summary none")).told_elsewhere().run();
    assert_eq!(again.outcomes("again"), "6 planned");
}

#[test]
fn a_plan_that_was_interrupted_writes_it_once_it_is_complete() {
    let home = Place::new();
    let seed: Vec<Value> = (0..3).map(|number| referrals::referral(number, "Active", "Accepted")).collect();
    let mut payloads = seed.clone();
    payloads.iter_mut().for_each(|payload| payload["details"]["dealValue"] = json!(7));
    home.write("a.jsonl", lines(&payloads));
    let service = Sandbox::seeded(&home, &seed, &[] as &[&str]);
    let tap = Tap::on(&service);
    tap.hold(&["GET"]);
    let endpoint = tap.endpoint();
    let common = ["--endpoint", &endpoint, "--progress", "none"];
    let planning = home.start(
        &[&["migrate", "a.jsonl", "--plan", "--patches", "p.jsonl", "--out", "run"], &common[..]].concat(),
    );
    until("the first page is asked for", || (tap.count("GET") > 0).then_some(()));
    planning.signal(Signal::SIGINT);
    planning.says("stopping:");
    tap.release();
    let stopped = planning.wait().expect(4);
    assert!(!home.path("p.jsonl").exists() && !stopped.stdout.contains("p.jsonl"), "{}", stopped.stdout);

    home.write("p.jsonl", "mine");
    let resume = [&["resume", "run"], &common[..]].concat();
    let refused = home.run(&resume).expect(2);
    assert_eq!(
        refused.stderr,
        "error: p.jsonl is there already\n\
         hint: the run was begun with this --patches: see that it can be made, then resume again\n"
    );
    fs::remove_file(home.path("p.jsonl")).unwrap();
    let planned = home.run(&resume).expect(0);
    assert!(planned.stdout.contains("\n p.jsonl             3 rows\n"), "{}", planned.stdout);
    let file = fs::read_to_string(home.path("p.jsonl")).unwrap();
    assert_eq!(file.lines().count(), 3);

    // What was planned is sent, and the file stays as it is.
    let sent = home.run(&[&resume[..], &["--yes"]].concat()).expect(0);
    assert_eq!(home.run_of("run").outcomes(), "3 applied");
    assert!(!sent.stdout.contains("p.jsonl"), "{}", sent.stdout);
    assert_eq!(fs::read_to_string(home.path("p.jsonl")).unwrap(), file);
}
