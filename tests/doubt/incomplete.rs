//! Absence is no evidence: what an element of a list or a snapshot file doesn't show of a referral is neither
//! empty nor absent. Live it costs a GET; against a file it is said. No value is lost by it.

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::referrals::{id, referral, timeless};
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;

const COUNT: usize = 3;

/// What lists leave out, what rows want, and what it leads to.
struct Case {
    sandbox: &'static [&'static str],
    row: Row,
    apply: &'static [&'static str],
    /// Pages and single GETs of the plan.
    wanted: (usize, usize),
    /// The paths of each document, with their operations.
    operations: &'static [&'static str],
}

#[derive(Debug, Clone, Copy)]
enum Row {
    Value,
    Notes,
    Same,
    Append,
    Phone,
    Team,
    NoTeam,
    Won,
    Lost,
}

impl Row {
    fn json(self, number: usize) -> Value {
        let mut row = match self {
            Self::Value => json!({ "details": { "dealValue": 5 } }),
            Self::Notes => json!({ "details": { "notes": "Ours" } }),
            Self::Same => json!({ "details": { "notes": format!("Note {number}") } }),
            Self::Append => json!({ "team.add": "Ann, Lee, +49 30 1, ann@example.com" }),
            Self::Phone => {
                json!({ "team": [{ "email": "zoe@partner.example.com", "phoneNumber": "+1 555 0199" }] })
            }
            Self::Team => {
                json!({ "team": [{ "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee" }] })
            }
            Self::NoTeam => json!({ "team": null }),
            Self::Won => json!({ "substatus": "Won" }),
            Self::Lost => json!({ "substatus": "Lost" }),
        };
        row["id"] = id(number).into();
        row
    }

    /// The change as the test understands it.
    fn change(self, referral: &mut Value) {
        match self {
            Self::Value => referral["details"]["dealValue"] = json!(5),
            Self::Notes => referral["details"]["notes"] = "Ours".into(),
            Self::Same => {}
            Self::Append => referral["team"].as_array_mut().unwrap().push(json!({
                "firstName": "Ann", "lastName": "Lee", "phoneNumber": "+49 30 1", "email": "ann@example.com",
            })),
            Self::Phone => referral["team"][0]["phoneNumber"] = "+1 555 0199".into(),
            Self::Team => {
                referral["team"] =
                    json!([{ "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee" }]);
            }
            Self::NoTeam => referral["team"] = Value::Null,
            Self::Won | Self::Lost => {
                let substatus = if matches!(self, Self::Won) { "Won" } else { "Lost" };
                referral["status"] = "Closed".into();
                referral["substatus"] = substatus.into();
            }
        }
    }
}

const VALUE: &[&str] = &["replace /details/dealValue"];
const STAGE: &[&str] = &["replace /status", "replace /substatus"];
const ALL: (usize, usize) = (1, COUNT);
const NONE: (usize, usize) = (1, 0);

const fn case(
    sandbox: &'static [&'static str],
    row: Row,
    wanted: (usize, usize),
    operations: &'static [&'static str],
) -> Case {
    Case { sandbox, row, apply: &[], wanted, operations }
}

const CASES: [Case; 28] = [
    // What the rows touch is there.
    case(&[], Row::Value, NONE, VALUE),
    case(&["--list-omits", "team"], Row::Value, NONE, VALUE),
    case(&["--list-nulls", "team"], Row::Value, NONE, VALUE),
    case(&["--list-omits", "details.notes", "--list-omits", "consent"], Row::Value, NONE, VALUE),
    // What they touch isn't, or is null where it can't be told from nothing.
    case(&["--list-omits", "details"], Row::Value, ALL, VALUE),
    case(&["--list-nulls", "details"], Row::Value, ALL, VALUE),
    case(&["--list-omits", "details.dealValue"], Row::Value, ALL, VALUE),
    case(&["--list-omits", "details"], Row::Same, ALL, &[]),
    case(&["--list-omits", "details.notes"], Row::Same, ALL, &[]),
    case(&[], Row::Same, NONE, &[]),
    // A rule reads the status of whatever is changed.
    case(&["--list-omits", "status"], Row::Value, ALL, VALUE),
    Case {
        apply: &["--rule", "closed-edit=allow"],
        ..case(&["--list-omits", "status"], Row::Value, NONE, VALUE)
    },
    case(&["--list-omits", "substatus"], Row::Value, NONE, VALUE),
    case(&["--list-omits", "substatus"], Row::Won, ALL, STAGE),
    case(&[], Row::Won, NONE, STAGE),
    case(&["--list-omits", "details.dealValue"], Row::Won, ALL, STAGE),
    case(&["--list-omits", "createdDateTime"], Row::Won, ALL, STAGE),
    case(&["--list-omits", "createdDateTime"], Row::Lost, NONE, STAGE),
    case(&["--list-omits", "statusReason"], Row::Lost, ALL, STAGE),
    // Lists.
    case(&[], Row::Append, NONE, &["add /team/-"]),
    case(&["--list-omits", "team"], Row::Append, ALL, &["add /team/-"]),
    case(&["--list-nulls", "team"], Row::Append, ALL, &["add /team/-"]),
    case(&["--list-omits", "team.title"], Row::Phone, ALL, &["replace /team"]),
    // What is dropped has to be known as a whole, or there is no way back.
    case(&["--list-omits", "team.title"], Row::Team, ALL, &["replace /team"]),
    // Versions.
    case(&["--etags-in", "odata"], Row::Value, NONE, VALUE),
    case(&["--etags-in", "header"], Row::Value, ALL, VALUE),
    case(&["--etags-in", "header"], Row::Append, ALL, &["add /team/-"]),
    case(&["--list-without-etags"], Row::Notes, ALL, &["replace /details/notes"]),
];

#[test]
fn what_a_list_leaves_out_costs_gets_and_no_values() {
    let mut wrong = Vec::new();
    for case in &CASES {
        let got = case.plan_and_send();
        if got != case.wanted {
            wrong.push(format!("{:?} {:?}: {got:?}, wanted {:?}", case.sandbox, case.row, case.wanted));
        }
    }
    assert!(wrong.is_empty(), "pages and GETs\n{}", wrong.join("\n"));
}

impl Case {
    fn plan_and_send(&self) -> (usize, usize) {
        let about = format!("{:?} {:?}", self.sandbox, self.row);
        let home = Place::new();
        let seed: Vec<Value> = (0..COUNT).map(|number| referral(number, "Active", "Accepted")).collect();
        let lines: Vec<String> = (0..COUNT).map(|number| format!("{}\n", self.row.json(number))).collect();
        home.write("changes.jsonl", lines.concat());
        let service = Sandbox::seeded(&home, &seed, self.sandbox);
        let tap = Tap::on(&service);
        let endpoint = tap.endpoint();
        let common = ["--endpoint", &endpoint, "--rate", "100000/s", "--progress", "none", "--yes"];
        let closing = ["--confirm-closing", "3"];
        let is_closing = matches!(self.row, Row::Won | Row::Lost);
        let apply = [&["apply", "changes.jsonl", "--out", "run", "--plan"][..], &common, self.apply].concat();
        home.run(&apply).expect(0);
        let plan = home.run_of("run").lines("plan.jsonl");
        for planned in &plan {
            assert_eq!(operations(planned), self.operations, "{about}: {planned}");
        }
        let (pages, gets) = (tap.seen().len() - single(&tap), single(&tap));

        tap.forget();
        let resume = [&["resume", "run"][..], &common, if is_closing { &closing } else { &[] }].concat();
        home.run(&resume).expect(0);
        let sent = tap.seen();
        assert!(
            sent.iter().all(|seen| seen.method != "PATCH" || seen.if_match.is_some()),
            "{about}: {sent:?}"
        );
        assert_eq!(tap.count("PATCH"), if self.operations.is_empty() { 0 } else { COUNT }, "{about}");
        for (number, before) in seed.iter().enumerate() {
            let mut wanted = before.clone();
            self.row.change(&mut wanted);
            assert_eq!(shown(&service.referral(&id(number))), shown(&wanted), "{about}");
        }
        (pages, gets)
    }
}

/// A referral without what the service sets, wherever that stands.
fn shown(referral: &Value) -> Value {
    let mut referral = timeless(referral);
    referral.as_object_mut().unwrap().remove("@odata.etag");
    referral
}

fn operations(planned: &Value) -> Vec<String> {
    let text = |operation: &Value| {
        let part = |name: &str| operation[name].as_str().unwrap().to_owned();
        format!("{} {}", part("op"), part("path"))
    };
    planned["operations"].as_array().unwrap().iter().map(text).collect()
}

fn single(tap: &Tap) -> usize {
    tap.seen().iter().filter(|seen| seen.method == "GET" && seen.path.contains("/referrals/")).count()
}

/// What a snapshot file shows of a referral, and what becomes of a row against it.
#[test]
fn against_a_file_what_is_not_shown_is_said() {
    const DENIED: &str = "which the change depends on";
    let without = |names: &[&str]| {
        let mut shown = referral(0, "Active", "Accepted");
        for name in names {
            let (around, name) = name.rsplit_once('/').unwrap();
            shown.pointer_mut(around).unwrap().as_object_mut().unwrap().remove(name);
        }
        shown
    };
    let null = |name: &str| {
        let mut shown = referral(0, "Active", "Accepted");
        shown[name] = Value::Null;
        shown
    };
    let denied =
        |names: &str| format!("invalid incomplete-state: the snapshot does not show {names}, {DENIED}");
    let in_part = |name: &str| {
        format!(
            "invalid incomplete-state: the snapshot may show {name} in part, and what it leaves out would be lost"
        )
    };
    let unjudged = |rule: &str, name: &str| {
        format!("planned incomplete-state: rule {rule} cannot be judged: the snapshot does not show {name}")
    };
    for (shown, row, more, wanted) in [
        (without(&[]), Row::Value, "", "planned".to_owned()),
        (without(&["/team"]), Row::Value, "", "planned".to_owned()),
        (without(&["/details"]), Row::Value, "", denied("/details/dealValue")),
        (null("details"), Row::Value, "", denied("/details/dealValue")),
        (without(&["/details/dealValue"]), Row::Value, "", denied("/details/dealValue")),
        (without(&["/details/notes"]), Row::Same, "", denied("/details/notes")),
        (without(&["/team"]), Row::Append, "", denied("/team")),
        (null("team"), Row::Append, "", denied("/team")),
        (null("team"), Row::NoTeam, "--clear", denied("/team")),
        (without(&["/eTag"]), Row::Append, "", denied("/eTag")),
        (without(&["/eTag"]), Row::Team, "", denied("/eTag")),
        (without(&["/eTag"]), Row::Value, "--rule unbound=allow", "planned".to_owned()),
        // A list that the file shows may be a part of it: what it leaves out would be lost.
        (without(&[]), Row::Phone, "", in_part("/team")),
        (without(&[]), Row::Team, "", "planned".to_owned()),
        (without(&["/status"]), Row::Won, "", denied("/status")),
        (without(&["/status", "/substatus"]), Row::Won, "", denied("/status, /substatus")),
        (without(&["/status"]), Row::Value, "", unjudged("closed-edit", "/status")),
        (without(&["/statusReason"]), Row::Lost, "", unjudged("reason-missing", "/statusReason")),
        (
            without(&["/statusReason"]),
            Row::Lost,
            "--rule reason-missing=deny",
            unjudged("reason-missing", "/statusReason").replace("planned", "invalid"),
        ),
        (without(&["/statusReason"]), Row::Lost, "--rule reason-missing=allow", "planned".to_owned()),
        (without(&["/createdDateTime"]), Row::Won, "", unjudged("early-win", "/createdDateTime")),
        (
            without(&["/details/dealValue"]),
            Row::Won,
            "",
            unjudged("deal-value-missing", "/details/dealValue"),
        ),
    ] {
        let home = Place::new();
        home.write("snapshot.jsonl", format!("{shown}\n{}\n", referral(1, "Active", "Accepted")));
        let other = Row::Value.json(1);
        home.write("changes.jsonl", format!("{}\n{other}\n", row.json(0)));
        let arguments =
            "apply changes.jsonl --plan --state snapshot.jsonl --out run --rule reason-missing=warn";
        let arguments: Vec<&str> = arguments.split(' ').chain(more.split_whitespace()).collect();
        let code = if wanted.starts_with("invalid") { 3 } else { 0 };
        home.run(&arguments).expect(code);
        let plan = home.run_of("run").lines("plan.jsonl");
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        let mut told = vec![outcomes[0]["outcome"].as_str().unwrap().to_owned()];
        let findings = plan[0]["findings"].as_array().unwrap();
        let incomplete = findings.iter().filter(|finding| finding["rule"] == "incomplete-state");
        told.extend(
            incomplete.map(|finding| format!("incomplete-state: {}", finding["message"].as_str().unwrap())),
        );
        assert_eq!(told.join(" "), wanted, "{row:?} of {shown}");
        assert_eq!(outcomes[1]["outcome"], "planned", "what doesn't hang on it is planned as ever");
        if code == 3 {
            assert_eq!(plan[0]["operations"], json!([]), "{row:?} of {shown}");
        }
    }
}

/// A change that a row makes to a referral of which list and snapshot show little more than the status.
#[test]
fn a_deal_value_by_a_slim_snapshot() {
    let home = Place::new();
    let slim = json!({ "id": id(0), "eTag": "\"seed-0\"", "status": "Active", "substatus": "Accepted" });
    home.write("slim.jsonl", format!("{slim}\n"));
    home.write("changes.csv", format!("id,dealValue\n{},5\n", id(0)));
    let seed = [referral(0, "Active", "Accepted"), referral(1, "Active", "Accepted")];
    let service = Sandbox::seeded(&home, &seed, &["--list-omits", "details"]);
    let ended = home.run(&[
        "apply",
        "changes.csv",
        "--state",
        "slim.jsonl",
        "--endpoint",
        &service.base,
        "--yes",
        "--out",
        "file",
    ]);
    let ended = ended.expect(3);
    let said = "error[incomplete-state]: the snapshot does not show /details/dealValue, which the change depends on\n  \
                --> changes.csv:2:2\nhint: plan against the API, where the referral is read by itself";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert_eq!(service.referral(&id(0)), seed[0], "nothing was sent");
    // What is proposed next is what the hint says.
    let endpoint = &service.base;
    let plan =
        ["apply", "changes.csv", "--plan", "--state", "slim.jsonl", "--endpoint", endpoint, "--out", "plan"];
    let planned = home.run(&plan).expect(3).stderr;
    let next =
        "next: correct error.csv and feed it back: referral-bulk apply plan/error.csv --plan --endpoint";
    assert!(planned.lines().last().unwrap().starts_with(next), "{planned}");

    home.write("changes.csv", format!("id,dealValue\n{},5\n{},6\n", id(0), id(1)));
    home.run(&["apply", "changes.csv", "--endpoint", &service.base, "--yes", "--out", "live"]).expect(0);
    assert_eq!(home.run_of("live").count("/requests/get"), 2);
    for (number, before) in seed.iter().enumerate() {
        let mut wanted = before.clone();
        wanted["details"]["dealValue"] = json!(5 + number);
        assert_eq!(timeless(&service.referral(&id(number))), timeless(&wanted));
    }
}

/// Nothing tells which of two entries for one referral is right.
#[test]
fn two_entries_for_one_referral_are_refused_by_name() {
    let (one, two) = (referral(0, "Active", "Accepted"), referral(1, "Active", "Accepted"));
    let mut newer = one.clone();
    newer["details"]["notes"] = "Newer".into();
    let entries = format!("{one}\n{two}\n{newer}\n");
    let twice = format!("referral {} stands in it twice: line 1, and line 3", id(0));
    let keep = "hint: nothing tells which of the two is the referral as it stands";
    for (arguments, said) in [
        (
            "apply changes.jsonl --plan --state s.jsonl --out run",
            vec![format!("error: s.jsonl: {twice}"), keep.into()],
        ),
        // Also one that no row is about, and where all that rows are about was found before.
        ("apply other.jsonl --plan --state s.jsonl --out run", vec![format!("error: s.jsonl: {twice}")]),
        (
            "migrate payload.jsonl --plan --state two.jsonl --base s.jsonl --out run",
            vec![format!("error: s.jsonl: {twice}"), keep.into()],
        ),
        (
            "apply changes.jsonl --plan --sandbox=s.jsonl --out run",
            vec![format!(
                "line 3 of the seed: the referral {} stands in the seed twice, first on line 1",
                id(0)
            )],
        ),
    ] {
        let home = Place::new();
        home.write("s.jsonl", &entries);
        home.write("two.jsonl", format!("{one}\n{two}\n"));
        home.write("changes.jsonl", format!("{}\n", Row::Notes.json(0)));
        home.write("other.jsonl", format!("{}\n", Row::Notes.json(1)));
        home.write("payload.jsonl", format!("{newer}\n"));
        let ended = home.run(&arguments.split(' ').collect::<Vec<_>>()).expect(1);
        said.iter().for_each(|said| assert!(ended.stderr.contains(said), "{arguments}: {}", ended.stderr));
    }
}
