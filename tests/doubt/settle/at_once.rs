//! What meets many requests at once, or one that comes late.

use std::rc::Rc;

use serde_json::Value;

use super::{TOKENS, change, row};
use crate::support::place::Place;
use crate::support::program::Started;
use crate::support::referrals::{id, referral, timeless};
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;
use crate::support::waiting::until;

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
