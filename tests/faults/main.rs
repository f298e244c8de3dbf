//! Faults below HTTP, and answers that are none: every fault × when it happens × what the change does ×
//! whether `If-Match` goes along. Outcome, requests on the wire, and the referral afterwards.
//!
//! Faults that a service makes in good HTTP are in `tests/doubt/settle.rs`, bodies that have no end in
//! `tests/api/traffic.rs`.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod changes;
mod connections;
mod looks;
mod service;
#[path = "../support/mod.rs"]
mod support;
mod tables;

use std::rc::Rc;

use serde_json::{Value, json};
use service::{Script, Service, seed};
use tables::{Bound, KINDS, of_kind};

use crate::support::place::Place;
use crate::support::program::Ended;
use crate::support::raw::api::Api;
use crate::support::raw::faults::Fault::{self};
use crate::support::referrals::id;
use crate::support::waiting::each;

/// A change file over so many referrals, of all kinds in turn.
fn changes(home: &Place, count: usize) {
    let row = |number: usize| {
        let mut row = match KINDS[number % 4] {
            "replace" => json!({ "details": { "notes": "Ours" } }),
            "fill" => json!({ "campaignId": "C-1" }),
            "append" => json!({ "team.add": "Ann, Lee, +49 30 1, ann@example.com" }),
            _ => json!({ "status": "Closed", "substatus": "Lost", "statusReason": "No budget" }),
        };
        row["id"] = json!(id(number));
        format!("{row}\n")
    };
    home.write("changes.jsonl", (0..count).map(row).collect::<String>());
    home.write("snapshot.jsonl", (0..count).map(|number| format!("{}\n", seed(number))).collect::<String>());
}

/// The operations of a change's document, as `OP PATH`.
fn operations(number: usize, bound: Bound) -> Vec<String> {
    let set = if bound == Bound::Yes { "replace" } else { "add" };
    match KINDS[number % 4] {
        "replace" => vec![format!("{set} /details/notes")],
        "fill" => vec![format!("{set} /campaignId")],
        "append" => vec!["add /team/-".to_owned()],
        _ => ["/statusReason", "/status", "/substatus"].map(|path| format!("{set} {path}")).to_vec(),
    }
}

fn arguments(command: &str, endpoint: &str, state: &str, more: &str) -> Vec<String> {
    let state = if command.starts_with("apply") { format!("--state {state}") } else { String::new() };
    let rate = if more.contains("--rate") { "" } else { "--rate 100000/s" };
    let timeout = if more.contains("--timeout") { "" } else { "--timeout 10m" };
    let common = "--yes --max-errors 1000 --progress none --summary none";
    let line = format!("{command} --endpoint {endpoint} {common} {timeout} {rate} {state} {more}");
    line.split_whitespace().map(ToOwned::to_owned).collect()
}

const APPLY: &str = "apply changes.jsonl --out run";

/// For how long a request is waited for: no longer than it must be where something lasts, and there for as long as no
/// machine needs for anything else.
fn patience(faults: impl IntoIterator<Item = Fault>) -> &'static str {
    if faults.into_iter().any(Fault::lasts) { "--timeout 10s" } else { "" }
}

/// One run over all referrals of a service, each of which meets its own fault.
fn run_all(service: &Service, bound: Bound, more: &str) -> (Rc<Place>, Ended) {
    let (home, count) = (Place::new(), service.state.scripts.lock().unwrap().len());
    changes(&home, count);
    let state = if bound == Bound::Yes { "live" } else { "none" };
    let closing = (0..count).filter(|number| KINDS[number % 4] == "close").count();
    let concurrency = if more.contains("--concurrency") { "" } else { "--concurrency 128" };
    let more = format!("{concurrency} --confirm-closing {closing} {more}");
    let ended = home.run(&arguments(APPLY, &service.endpoint, state, &more));
    (home, ended)
}

/// What became of a referral: `OUTCOME PATCHes+GETs STATE`.
fn told(api: &Api, outcome: &Value, number: usize, bound: Bound) -> String {
    let id = id(number);
    assert_eq!(outcome["id"], json!(id));
    let (patches, gets) = (api.count("PATCH", &id), api.count("GET", &id));
    assert_eq!(outcome["attempts"], patches, "attempts on record and on the wire: {outcome}");
    let seeded = format!("\"seed-{number}\"");
    let asked = api.asked();
    let mut looked = false;
    for asked in asked.iter().filter(|asked| asked.id == id) {
        // What was read back is bound to the version that was found.
        let is_bound = bound == Bound::Yes || looked;
        match asked.method.as_str() {
            "PATCH" => assert_eq!(asked.if_match.as_ref(), is_bound.then_some(&seeded), "{asked:?}"),
            _ => looked = true,
        }
    }
    let state = match api.applied(&id)[..] {
        [] => {
            assert_eq!(*api.referral(&id), seed(number));
            "before"
        }
        [document] => {
            let text = |operation: &Value, name: &str| operation[name].as_str().unwrap().to_owned();
            let done = document.as_array().unwrap().iter();
            let done: Vec<String> = done.map(|one| text(one, "op") + " " + &text(one, "path")).collect();
            assert_eq!(done, operations(number, bound));
            "ours"
        }
        _ => "more than once",
    };
    format!("{} {patches}+{gets} {state}", outcome["outcome"].as_str().unwrap())
}

/// Runs over referrals that meet these, each of which is wanted to come to this, and compares. So many that
/// they fail in a row would be an outage of the service.
fn check(scripts: &[(Script, String)], bound: Bound) {
    // What lasts is with its like: nothing else depends on how long a request is waited for.
    let (lasting, others): (Vec<_>, Vec<_>) =
        scripts.iter().partition(|(script, _)| script.faults().any(Fault::lasts));
    let parts: Vec<_> = lasting.chunks(2).chain(others.chunks(2)).collect();
    each(&parts, |part| check_part(part, bound));
}

fn check_part(scripts: &[&(Script, String)], bound: Bound) {
    // Every fault meets a change of each kind.
    let all: Vec<&(Script, String)> = scripts.iter().flat_map(|one| KINDS.map(|_| *one)).collect();
    let service = Service::start(&all.iter().map(|(script, _)| *script).collect::<Vec<_>>());
    let (home, ended) =
        run_all(&service, bound, patience(all.iter().flat_map(|(script, _)| script.faults())));
    assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.stderr);
    let (api, outcomes) = (service.state.api(), home.run_of("run").lines("outcomes.jsonl"));
    let mut wrong = Vec::new();
    for (number, (script, wanted)) in all.into_iter().enumerate() {
        let got = told(&api, &outcomes[number], number, bound);
        let wanted = of_kind(wanted, KINDS[number % 4]);
        if got != wanted {
            wrong.push(format!("{script:?} on {}: {got}, wanted {wanted}", KINDS[number % 4]));
        }
    }
    assert!(wrong.is_empty(), "{bound:?}\n{}", wrong.join("\n"));
    // Nothing was asked for elsewhere, and the list once a page.
    let pages = if bound == Bound::Yes { outcomes.len().div_ceil(100) } else { 0 };
    assert_eq!((api.count("GET", ""), api.count("PATCH", "")), (pages, 0));
    let requests = [("PATCH", "/requests/patch"), ("GET", "/requests/get")];
    for (method, figure) in requests {
        let on_wire = api.asked().iter().filter(|one| one.method == method && !one.id.is_empty()).count();
        assert_eq!(home.run_of("run").count(figure), on_wire as u64, "{method}");
    }
}
