//! What becomes of a change that meets trouble on its way: every fault × how the change is protected ×
//! what it does. Outcome, requests on the wire, and the referral afterwards.

mod at_once;
mod cases;

use cases::{CASES, Case, KINDS, Mode};
use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::referrals::{EDITED, id, referral, timeless};
use crate::support::sandbox::Sandbox;
use crate::support::tap::{Seen, Tap};

/// A token command that prints another token each time it is asked.
const TOKENS: &str = "echo x >> asked; echo token-$(($(wc -l < asked)))";

#[test]
fn under_if_match() {
    check(Mode::Live);
}

#[test]
fn without_an_etag() {
    check(Mode::Snapshot);
}

#[test]
fn without_having_looked() {
    check(Mode::Blind);
}

/// The number of referrals without trouble behind each that has some, so that ten failures in a row don't come about,
/// which would be an outage of the service: the requests of a run get their turn in no fixed order.
const SOUND: usize = 3;

/// Two runs in which every referral meets its own trouble. Those that get no answer at all have a run of their own:
/// it is the only one in which a request is given up for the time it takes.
fn check(mode: Mode) {
    run_all(mode, false, "10m");
    run_all(mode, true, "10s");
}

fn run_all(mode: Mode, hangs: bool, timeout: &str) {
    let troubled = CASES.len() * KINDS.len();
    let seed: Vec<Value> =
        (0..troubled * (1 + SOUND)).map(|number| referral(number, "New", "Received")).collect();
    let (home, mut options, mut lines) = (Place::new(), Vec::new(), String::new());
    for (number, (case, kind)) in numbered(hangs) {
        for fault in case.faults {
            options.extend(["--fault".to_owned(), about(fault, number)]);
        }
        lines += &format!("{}\n", row(number, kind));
        for sound in 0..SOUND {
            lines += &format!("{}\n", row(troubled + number * SOUND + sound, "notes"));
        }
    }
    home.write("changes.jsonl", &lines);
    let without_etags = seed.iter().map(|referral| {
        let mut referral = referral.clone();
        referral.as_object_mut().unwrap().remove("eTag");
        format!("{referral}\n")
    });
    home.write("snapshot.jsonl", without_etags.collect::<String>());
    home.write("token.sh", TOKENS);

    let service = Sandbox::seeded(&home, &seed, &options);
    let tap = Tap::on(&service);
    let endpoint = tap.endpoint();
    let mut arguments = vec![
        "apply",
        "changes.jsonl",
        "--out",
        "run",
        "--endpoint",
        &endpoint,
        "--yes",
        "--rate",
        "100000/s",
        "--concurrency",
        "128",
        "--timeout",
        timeout,
        "--token-command",
        "sh token.sh",
        "--progress",
        "none",
    ];
    match mode {
        Mode::Live => {}
        Mode::Snapshot => arguments.extend(["--state", "snapshot.jsonl"]),
        Mode::Blind => arguments.extend(["--state", "none"]),
    }
    home.run(&arguments).expect(3);

    let (run, seen, after) = (home.run_of("run"), tap.seen(), service.referrals());
    let outcomes = run.lines("outcomes.jsonl");
    let mut wrong = Vec::new();
    for ((number, (case, kind)), outcome) in numbered(hangs).zip(outcomes.iter().step_by(1 + SOUND)) {
        let wanted = case.wanted(mode, kind);
        let got = told(number, kind, outcome, &seen, &seed[number], &after[&id(number)]);
        if got != wanted {
            wrong.push(format!("{:?} on {kind}: {got}, wanted {wanted}", case.faults));
        }
        let matched = seen.iter().filter(|seen| seen.method == "PATCH" && seen.is_about(&id(number)));
        let etag = format!("\"seed-{number}\"");
        for (again, patch) in matched.enumerate() {
            match mode {
                Mode::Live => assert_eq!(patch.if_match.as_ref(), Some(&etag), "{patch:?}"),
                // What was read back is bound to the version that was found.
                _ if again > 0 => {
                    assert!(patch.if_match.is_some() || !case.is_looked_into(), "{patch:?}");
                }
                _ => assert_eq!(patch.if_match, None, "{patch:?}"),
            }
        }
    }
    assert!(wrong.is_empty(), "{mode:?}\n{}", wrong.join("\n"));

    let on_wire = |method: &str, list: bool| {
        let is_list = |seen: &Seen| seen.path.split('?').next().unwrap().ends_with("/referrals");
        seen.iter().filter(|seen| seen.method == method && is_list(seen) == list).count() as u64
    };
    assert_eq!(run.count("/requests/patch"), on_wire("PATCH", false));
    assert_eq!(run.count("/requests/get"), on_wire("GET", false));
    assert_eq!(run.count("/requests/list"), on_wire("GET", true));
    if hangs {
        return;
    }
    let asked = std::fs::read_to_string(home.path("asked")).unwrap().lines().count();
    assert_eq!(run.count("/requests/token"), asked as u64);
    // Six referrals met a 401, maybe at the same time.
    assert!((2..=7).contains(&asked), "asked for a token {asked} times");
    // And the 503s that don't say for how long, but for the first: those show that they are many.
    let kinds = KINDS.len() as u64 - u64::from(mode == Mode::Snapshot);
    let throttled = 7 * kinds + u64::from(mode != Mode::Blind) * kinds;
    let bare =
        CASES.iter().filter(|case| case.faults[0].starts_with("patch=503") && !case.faults[0].contains(':'));
    let most = throttled + bare.count() as u64 * kinds;
    assert!((throttled..=most).contains(&run.count("/requests/throttled")), "{}", run.summary());
}

/// The cases that get no answer at some time, or those that always do, with their numbers among all.
fn numbered(hangs: bool) -> impl Iterator<Item = (usize, (&'static Case, &'static str))> {
    let all = CASES.iter().flat_map(|case| KINDS.iter().map(move |kind| (case, *kind))).enumerate();
    all.filter(move |(_, (case, _))| case.faults.iter().any(|fault| fault.contains("=hang")) == hangs)
}

/// A fault that meets one referral alone: `patch#2=500` becomes `patch@ID#2=500`.
fn about(fault: &str, number: usize) -> String {
    let at = fault.find(['#', '=']).unwrap();
    format!("{}@{}{}", &fault[..at], id(number), &fault[at..])
}

fn row(number: usize, kind: &str) -> Value {
    match kind {
        "status" => json!({ "id": id(number), "status": "Active", "substatus": "Accepted" }),
        "notes" => json!({ "id": id(number), "details": { "notes": "Ours" } }),
        _ => json!({ "id": id(number), "team.add": "Ann, Lee, +49 30 1, ann@example.com" }),
    }
}

/// What became of a referral, in the words of [`Case`].
fn told(number: usize, kind: &str, outcome: &Value, seen: &[Seen], before: &Value, after: &Value) -> String {
    let count =
        |method: &str| seen.iter().filter(|seen| seen.method == method && seen.is_about(&id(number))).count();
    let (patches, gets) = (count("PATCH"), count("GET"));
    assert_eq!(outcome["id"], id(number));
    assert_eq!(outcome["attempts"], patches, "attempts on record and on the wire: {outcome}");
    let states = [
        ("before", [false, false]),
        ("ours", [false, true]),
        ("theirs", [true, false]),
        ("both", [true, true]),
    ];
    let state = states.into_iter().find(|(_, [theirs, ours])| {
        let mut wanted = before.clone();
        if *theirs {
            wanted["details"]["notes"] = EDITED.into();
        }
        if *ours {
            change(&mut wanted, kind);
        }
        timeless(&wanted) == timeless(after)
    });
    let state = match state {
        Some((state, _)) => state,
        None => return format!("{} with {}", outcome["outcome"], timeless(after)),
    };
    format!("{} {patches}+{gets} {state}", outcome["outcome"].as_str().unwrap())
}

/// The change as the test understands it.
fn change(referral: &mut Value, kind: &str) {
    match kind {
        "status" => {
            referral["status"] = "Active".into();
            referral["substatus"] = "Accepted".into();
        }
        "notes" => referral["details"]["notes"] = "Ours".into(),
        _ => referral["team"].as_array_mut().unwrap().push(json!({
            "firstName": "Ann", "lastName": "Lee", "phoneNumber": "+49 30 1", "email": "ann@example.com",
        })),
    }
}
