//! What becomes of a change that meets trouble on its way: every fault × how the change is protected ×
//! what it does. Outcome, requests on the wire, and the referral afterwards.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::rc::Rc;

use serde_json::{Value, json};
use support::place::Place;
use support::program::Started;
use support::referrals::{EDITED, id, referral, timeless};
use support::sandbox::Sandbox;
use support::tap::{Seen, Tap};
use support::waiting::until;

/// What a change does.
const KINDS: [&str; 3] = ["status", "notes", "member"];

/// A token command that prints another token each time it is asked.
const TOKENS: &str = "echo x >> asked; echo token-$(($(wc -l < asked)))";

/// How a change is protected.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Planned from live referrals: `If-Match` carries their eTags.
    Live,
    /// Planned from a snapshot without eTags: the values from before are known, and no `If-Match` is sent. A list
    /// would be replaced as a whole then, so that none is changed.
    Snapshot,
    /// Planned without looking (`--state none`): nothing is known, and no `If-Match` is sent.
    Blind,
}

/// A fault, and what it leads to: for status, notes and member, or for all three alike, as
/// `OUTCOME PATCHes+GETs STATE`. The state is `before`, `ours`, `theirs` where somebody else edited the
/// notes, or `both`.
struct Case {
    faults: &'static [&'static str],
    live: &'static [&'static str],
    snapshot: &'static [&'static str],
    blind: &'static [&'static str],
}

/// In doubt, and not written.
const fn lost(faults: &'static [&'static str]) -> Case {
    Case {
        faults,
        live: &["applied 2+1 ours"],
        snapshot: &["applied 2+1 ours"],
        blind: &["unknown 1+1 before"],
    }
}

/// In doubt, and written.
const fn arrived(faults: &'static [&'static str]) -> Case {
    const ONCE: &[&str] = &["applied 1+1 ours"];
    Case { faults, live: ONCE, snapshot: ONCE, blind: ONCE }
}

/// In doubt, written, and read back at the second try.
const fn read_again(faults: &'static [&'static str]) -> Case {
    const TWICE: &[&str] = &["applied 1+2 ours"];
    Case { faults, live: TWICE, snapshot: TWICE, blind: TWICE }
}

/// Known not to be written, for a reason that passes.
const fn again(faults: &'static [&'static str]) -> Case {
    const TWICE: &[&str] = &["applied 2+0 ours"];
    Case { faults, live: TWICE, snapshot: TWICE, blind: TWICE }
}

/// The service says no.
const fn no(faults: &'static [&'static str]) -> Case {
    const REFUSED: &[&str] = &["refused 1+0 before"];
    Case { faults, live: REFUSED, snapshot: REFUSED, blind: REFUSED }
}

const CASES: [Case; 36] = [
    lost(&["patch=500"]),
    arrived(&["patch=500+applied"]),
    lost(&["patch=502"]),
    lost(&["patch=html"]),
    arrived(&["patch=html+applied"]),
    lost(&["patch=hang"]),
    arrived(&["patch=hang+applied"]),
    lost(&["patch=cut"]),
    arrived(&["patch=cut+applied"]),
    lost(&["patch=503:1"]),
    arrived(&["patch=503:1+applied"]),
    lost(&["patch=503"]),
    arrived(&["patch=503+applied"]),
    lost(&["patch=504"]),
    arrived(&["patch=504+applied"]),
    again(&["patch=429:1"]),
    again(&["patch=429"]),
    again(&["patch=509"]),
    again(&["patch=423"]),
    again(&["patch=401"]),
    // The service says yes: it is looked at once more before that counts for nothing.
    Case {
        faults: &["patch=garbage"],
        live: &["applied 2+2 ours"],
        snapshot: &["applied 2+2 ours"],
        blind: &["unknown 1+5 before"],
    },
    arrived(&["patch=garbage+applied"]),
    no(&["patch=400"]),
    no(&["patch=403"]),
    no(&["patch=404"]),
    no(&["patch=422"]),
    // Somebody else writes just before us.
    Case {
        faults: &["patch=edited"],
        live: &["conflict 1+1 theirs"],
        snapshot: &["applied 1+0 both"],
        blind: &["applied 1+0 both"],
    },
    // Ours is lost, and somebody else writes before we look.
    Case {
        faults: &["patch=500", "get=edited"],
        live: &["conflict 1+5 theirs"],
        snapshot: &["applied 2+1 both", "conflict 1+5 theirs", "applied 2+1 both"],
        blind: &["unknown 1+1 theirs"],
    },
    // Ours is written, and somebody else writes before we look.
    Case {
        faults: &["patch=hang+applied", "get=edited"],
        live: &["applied 1+1 both", "conflict 1+5 theirs", "applied 1+1 both"],
        snapshot: &["applied 1+1 both", "conflict 1+5 theirs", "applied 1+1 both"],
        blind: &["applied 1+1 both", "unknown 1+1 theirs", "applied 1+1 both"],
    },
    // Reading back fails at first.
    Case {
        faults: &["patch=500+applied", "get#1-2=500"],
        live: &["applied 1+3 ours"],
        snapshot: &["applied 1+3 ours"],
        blind: &["applied 1+3 ours"],
    },
    read_again(&["patch=500+applied", "get=401"]),
    read_again(&["patch=500+applied", "get=423"]),
    read_again(&["patch=500+applied", "get=429:1"]),
    read_again(&["patch=500+applied", "get=503:1"]),
    // One trouble after another.
    Case {
        faults: &["patch#1=423", "patch#2=500", "patch#3=429:1"],
        live: &["applied 4+1 ours"],
        snapshot: &["applied 4+1 ours"],
        blind: &["unknown 2+1 before"],
    },
    Case {
        faults: &["patch#1=500", "patch#2=cut+applied"],
        live: &["applied 2+2 ours"],
        snapshot: &["applied 2+2 ours"],
        blind: &["unknown 1+1 before"],
    },
];

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

/// Two runs in which every referral meets its own trouble. Those that get no answer at all have a run of their own:
/// it is the only one in which a request is given up for the time it takes.
fn check(mode: Mode) {
    run_all(mode, false, "10m");
    run_all(mode, true, "10s");
}

fn run_all(mode: Mode, hangs: bool, timeout: &str) {
    let seed: Vec<Value> =
        (0..CASES.len() * KINDS.len()).map(|number| referral(number, "New", "Received")).collect();
    let (home, mut options, mut lines) = (Place::new(), Vec::new(), String::new());
    for (number, (case, kind)) in numbered(hangs) {
        for fault in case.faults {
            options.extend(["--fault".to_owned(), about(fault, number)]);
        }
        lines += &format!("{}\n", row(number, kind));
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
    for ((number, (case, kind)), outcome) in numbered(hangs).zip(&outcomes) {
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

impl Case {
    /// Whether the first attempt is in doubt.
    fn is_looked_into(&self) -> bool {
        !["423", "429", "429:1", "509", "401"].iter().any(|no| self.faults[0].ends_with(&format!("={no}")))
    }

    fn wanted(&self, mode: Mode, kind: &str) -> String {
        let wanted = match mode {
            Mode::Live => self.live,
            Mode::Snapshot => self.snapshot,
            Mode::Blind => self.blind,
        };
        if mode == Mode::Snapshot && kind == "member" {
            return "invalid 0+0 before".to_owned();
        }
        let at = KINDS.iter().position(|known| *known == kind).unwrap();
        let wanted = wanted.get(at).unwrap_or(&wanted[0]);
        // Of two who write the notes, only the last can be seen.
        if kind == "notes" { wanted.replace("both", "ours") } else { (*wanted).to_owned() }
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

/// Requests that were in flight together are throttled together. That is one throttle, for which the run
/// pauses once; it is no reason to give up, nor to wait for longer.
#[test]
fn a_burst_of_throttles_is_one() {
    const COUNT: usize = 60;
    let (home, service) = begin(COUNT, &[&format!("patch#1-{COUNT}=429")]);
    let tap = Tap::on(&service);
    send(&home, &tap, &["--plan"]).wait().expect(0);
    tap.hold(&["PATCH"]);
    let resumed = resume(&home, &tap, &["--concurrency", "64"]);
    tap.has_seen_patches(COUNT);
    tap.release();
    resumed.wait().expect(0);
    let run = home.run_of("run");
    assert_eq!(run.outcomes(), format!("{COUNT} applied"));
    assert_eq!((run.count("/requests/throttled"), run.count("/requests/patch")), (60, 120));
    let paused = run.summary()["seconds"]["paused_by_server"].as_f64().unwrap();
    assert!(paused < 30.0, "a pause of one second became {paused} s");
}

/// A token that expires while requests are in flight is renewed once for all of them.
#[test]
fn an_expired_token_is_renewed_once() {
    let (home, service) = begin(40, &[]);
    let tap = Tap::on(&service);
    send(&home, &tap, &["--plan"]).wait().expect(0);
    tap.expire("token-2");
    tap.hold(&["PATCH"]);
    let resumed = resume(&home, &tap, &["--concurrency", "8", "--token-command", "sh token.sh"]);
    tap.has_seen_patches(8);
    tap.release();
    resumed.wait().expect(0);
    let with = |token: &str| tap.seen().iter().filter(|seen| seen.token == token).count();
    assert_eq!((with("token-1"), with("token-2"), with("token-3")), (1, 8, 40), "list, refused, sent");
    assert_eq!(home.run_of("run").count("/requests/token"), 3);
    assert_eq!(home.run_of("run").outcomes(), "40 applied");
}

/// A token that is refused, and the next one too, ends the run and costs no row anything.
#[test]
fn a_token_that_stays_refused_stops_the_run() {
    let (home, service) = begin(10, &[]);
    let tap = Tap::on(&service);
    send(&home, &tap, &["--plan"]).wait().expect(0);
    tap.expire("token-2");
    tap.expire("token-3");
    let ended = resume(&home, &tap, &["--token-command", "sh token.sh"]).wait().expect(4);
    assert!(ended.stderr.contains("stopped: the service does not take the token"), "{}", ended.stderr);
    assert!(ended.last_line().starts_with("next: referral-bulk resume "), "{}", ended.stderr);
    let run = home.run_of("run");
    assert_eq!(run.outcomes(), "10 unsent");
    assert_eq!(run.count("/requests/token"), 3, "one for the plan, one that is refused, one more");
    assert_eq!(service.referrals().values().filter(|referral| referral["status"] == "New").count(), 10);

    resume(&home, &tap, &["--token-command", "sh token.sh"]).wait().expect(0);
    assert_eq!(run.outcomes(), "10 applied");
}

/// A request can be carried out long after nobody waits for it any more. It is not carried out twice: where
/// another one is on its way by then, the version keeps that out; where nothing guards it, none is sent.
#[test]
fn a_request_that_arrives_late_is_carried_out_once() {
    for (state, code, outcome, sent) in [("live", 0, "1 applied", 2), ("none", 3, "1 unknown", 1)] {
        let (home, service) = begin(1, &[]);
        home.write("changes.jsonl", format!("{}\n", row(0, "member")));
        let tap = Tap::on(&service);
        tap.let_patches_through(0);
        let sending = send(&home, &tap, &["--state", state]);
        tap.has_seen_patches(1);
        tap.hang_up_on_patch(1);
        // It is read back, and not there: what follows comes before it, or doesn't come at all.
        let ended = match state {
            "live" => {
                tap.has_seen_patches(2);
                arrives_late(&tap, &service);
                tap.release();
                sending.wait()
            }
            _ => {
                let ended = sending.wait();
                arrives_late(&tap, &service);
                ended
            }
        };
        ended.expect(code);
        tap.all_answered();
        let mut wanted = referral(0, "New", "Received");
        change(&mut wanted, "member");
        assert_eq!(timeless(&service.referrals()[&id(0)]), timeless(&wanted), "{state}");
        assert_eq!((home.run_of("run").outcomes().as_str(), tap.count("PATCH")), (outcome, sent), "{state}");
    }
}

/// The first PATCH is passed on by now, and carried out.
fn arrives_late(tap: &Tap, service: &Sandbox) {
    tap.let_patches_through(1);
    until("the late request", || {
        let after = &service.referrals()[&id(0)];
        (after["team"].as_array().unwrap().len() > 1).then_some(())
    });
}

/// Referrals that are New, a change file that accepts them, and a service.
fn begin(count: usize, faults: &[&str]) -> (Rc<Place>, Sandbox) {
    let home = Place::new();
    let seed: Vec<Value> = (0..count).map(|number| referral(number, "New", "Received")).collect();
    let lines: String = (0..count).map(|number| format!("{}\n", row(number, "status"))).collect();
    home.write("changes.jsonl", &lines);
    home.write("token.sh", TOKENS);
    let options: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let service = Sandbox::seeded(&home, &seed, &options);
    (home, service)
}

fn send(home: &Place, tap: &Tap, more: &[&str]) -> Started {
    let endpoint = tap.endpoint();
    let mut arguments = vec!["apply", "changes.jsonl", "--out", "run", "--endpoint", &endpoint, "--yes"];
    arguments.extend(["--rate", "100000/s", "--progress", "none", "--token-command", "sh token.sh"]);
    arguments.extend(["--timeout", "10m"]);
    arguments.extend(more);
    home.start(&arguments)
}

fn resume(home: &Place, tap: &Tap, more: &[&str]) -> Started {
    let endpoint = tap.endpoint();
    let mut arguments = vec!["resume", "run", "--endpoint", &endpoint, "--yes"];
    arguments.extend(["--rate", "100000/s", "--progress", "none", "--timeout", "10m"]);
    arguments.extend(more);
    home.start(&arguments)
}
