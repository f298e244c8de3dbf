//! A referral that is always throttled, or refused as if for the token, among others that go well: it alone
//! pays for it, while planning, while sending and in reading back, and ends by name.

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;
use crate::support::waiting::each;

const ROWS: usize = 40;

/// The place of the one that is always answered the same, and enough others behind it.
const POISONED: usize = 5;

/// How a referral is found, or how its change is answered at first.
#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    /// Its change is answered so.
    Sending,
    /// The read before the plan is.
    Planning,
    /// The change gets no good answer, and the read that finds out what became of it is answered so.
    ReadingBack,
}

/// When; what it is answered; `OUTCOME CODE STATUS`; and for how many seconds all wait at most.
const CASES: [(At, &str, &str, f64); 14] = [
    (At::Sending, "429:1", "failed http-429 429", 1.0),
    (At::Sending, "429", "failed http-429 429", 1.0),
    (At::Sending, "503:1", "failed gave-up 503", 1.0),
    (At::Sending, "503", "failed gave-up 503", 0.0),
    (At::Sending, "401", "refused Unauthorized 401", 0.0),
    (At::Planning, "429:1", "failed http-429 429", 1.0),
    (At::Planning, "429", "failed http-429 429", 1.0),
    (At::Planning, "503:1", "failed http-503 503", 1.0),
    (At::Planning, "503", "failed http-503 503", 0.0),
    (At::Planning, "401", "refused Unauthorized 401", 0.0),
    (At::ReadingBack, "429:1", "unknown in-doubt 429", 1.0),
    (At::ReadingBack, "503:1", "unknown in-doubt 503", 1.0),
    (At::ReadingBack, "503", "unknown in-doubt 503", 0.0),
    (At::ReadingBack, "401", "unknown in-doubt 401", 0.0),
];

#[test]
fn it_alone_pays_for_its_trouble() {
    let cases: Vec<_> = CASES.iter().flat_map(|case| [1, 8].map(|concurrency| (case, concurrency))).collect();
    let wrong: Vec<String> = each(&cases, |(case, concurrency)| check(case, *concurrency)).concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check((at, what, wanted, pause): &(At, &str, &str, f64), concurrency: usize) -> Vec<String> {
    let (home, poisoned) = (Place::new(), id(POISONED));
    let seed: Vec<Value> = (0..ROWS).map(|number| referral(number, "Active", "Accepted")).collect();
    let rows =
        (0..ROWS).map(|number| format!("{}\n", json!({ "id": id(number), "details": { "notes": "Ours" } })));
    home.write("changes.jsonl", rows.collect::<String>());
    let mut options = match at {
        At::Sending => vec![format!("patch@{poisoned}#*={what}")],
        At::Planning => vec![format!("get@{poisoned}#*={what}")],
        At::ReadingBack => vec![format!("patch@{poisoned}=502"), format!("get@{poisoned}#*={what}")],
    };
    options = options.into_iter().map(|fault| format!("--fault={fault}")).collect();
    if *at == At::Planning {
        options.push("--list-without-etags".to_owned());
    }
    let service = Sandbox::seeded(&home, &seed, &options);
    let (concurrency, endpoint) = (concurrency.to_string(), &service.base);
    let ended = home.run(&[
        "apply",
        "changes.jsonl",
        "--out",
        "run",
        "--endpoint",
        endpoint,
        "--yes",
        "--rate",
        "200/s",
        "--concurrency",
        &concurrency,
        "--progress",
        "none",
    ]);
    let (run, after) = (home.run_of("run"), service.referrals());
    let mut wrong = Vec::new();
    let mut hold = |holds: bool, what: String| wrong.extend((!holds).then_some(what));
    hold(ended.code == Some(3), format!("exit {:?}", ended.code));
    for (number, outcome) in run.lines("outcomes.jsonl").iter().enumerate() {
        let status = outcome["status"].as_u64().map_or("-".to_owned(), |status| status.to_string());
        let text = |name: &str| outcome[name].as_str().unwrap_or_default().to_owned();
        let got = format!("{} {} {status}", text("outcome"), text("code"));
        let is_ours = after[&id(number)]["details"]["notes"] == "Ours";
        if number == POISONED {
            hold(got == *wanted && !is_ours, format!("{got}, wanted {wanted}: {}", text("message")));
        } else {
            hold(got == "applied applied 200" && is_ours, format!("{number}: {got}"));
        }
    }
    let paused = run.summary()["seconds"]["paused_by_server"].as_f64().unwrap();
    hold(paused <= pause + 0.1, format!("all waited for {paused} s"));
    let what = format!("{at:?} {what} at {concurrency}");
    wrong.into_iter().map(|wrong| format!("{what}: {wrong}\n{}", ended.stderr)).collect()
}
