//! A service that fails as a whole: it is left alone, asked with one request, and the run goes on or stops.
//! And one that says nothing at all: the run says what it waits for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::case::{Ran, Test};
use crate::support::place::Place;
use crate::support::sandbox::Sandbox;
use crate::support::schemas::Schema;
use crate::support::tap::Tap;
use crate::support::wire::{self, Request, Wire};

const ROWS: usize = 40;

fn id(number: usize) -> String {
    format!("5a1e0001-0000-4000-8000-{number:012}")
}

fn referral(id: &str, notes: &str, version: usize) -> Value {
    json!({
        "id": id, "eTag": format!("\"{id}-{version}\""), "status": "Active", "substatus": "Accepted",
        "details": { "notes": notes },
    })
}

/// A service in which every change counts, and what is wrong with it.
struct Service {
    wire: Wire,
    /// How often each referral was changed.
    changes: Arc<Mutex<BTreeMap<String, usize>>>,
    is_well: Arc<AtomicBool>,
}

impl Service {
    /// Every request that `meets` something gets that for an answer, as long as the service isn't well. Whether
    /// a change is made all the same is the second part. It is told the request, and how many came before.
    fn that(meets: impl Fn(&Request, usize) -> Option<(&'static str, bool)> + Send + Sync + 'static) -> Self {
        let (changes, is_well) = (Arc::new(Mutex::new(BTreeMap::new())), Arc::new(AtomicBool::new(false)));
        let (counts, well) = (Arc::clone(&changes), Arc::clone(&is_well));
        let asked = Mutex::new(0);
        let wire = Wire::serve(move |request| {
            let turn = {
                let mut asked = asked.lock().unwrap();
                *asked += 1;
                *asked - 1
            };
            let met = if well.load(Ordering::SeqCst) { None } else { meets(request, turn) };
            let (status, is_made) = met.unwrap_or(("200 OK", true));
            let id = request.about();
            let mut counts = counts.lock().unwrap();
            let version: &mut usize = counts.entry(id.to_owned()).or_default();
            *version += usize::from(request.method == "PATCH" && is_made);
            if status != "200 OK" {
                return wire::answer(status, "", "");
            }
            let notes = if *version > 0 { "Called" } else { "Quiet" };
            wire::answer(status, "", referral(id, notes, *version).to_string())
        });
        Self { wire, changes, is_well }
    }

    fn heal(&self) {
        self.is_well.store(true, Ordering::SeqCst);
    }

    fn count(&self, method: &str) -> usize {
        self.wire.ids(method).len()
    }

    /// Every change was made once.
    #[track_caller]
    fn is_done(&self) {
        let wanted: BTreeMap<String, usize> = (0..ROWS).map(|number| (id(number), 1)).collect();
        assert_eq!(*self.changes.lock().unwrap(), wanted);
    }

    fn apply(&self, code: i32, more: &str) -> Ran {
        let (rows, state) = files();
        Test::new(&format!("{APPLY} {more}"))
            .file("a.csv", rows)
            .file("state.jsonl", state)
            .service(&self.wire.base)
            .code(code)
            .told_elsewhere()
            .run()
    }

    fn resume(&self, ran: &Ran) -> Ran {
        ran.then(&format!("resume run --yes {PLAINLY}")).service(&self.wire.base).told_elsewhere().run()
    }
}

const APPLY: &str =
    "apply a.csv --state state.jsonl --out run --yes --rate 1000/s --summary none --progress none";
const PLAINLY: &str = "--rate 1000/s --summary none --progress none";

/// The change file, and the referrals as they are to begin with.
fn files() -> (String, String) {
    let rows: String = (0..ROWS).map(|number| format!("{},Called\n", id(number))).collect();
    let state = (0..ROWS).map(|number| format!("{}\n", referral(&id(number), "Quiet", 0))).collect();
    (format!("id,notes\n{rows}"), state)
}

/// What was said of it, a line each.
fn said(ran: &Ran) -> Vec<&str> {
    let told =
        ["warning: one", "warning: the service", "warning: no answer", "note: the service", "stopped:"];
    ran.stderr.lines().filter(|line| told.iter().any(|told| line.starts_with(told))).collect()
}

/// For how many seconds requests were held back, which is no more than the run took in all.
fn held_back(ran: &Ran) -> f64 {
    let seconds = &ran.summary("run")["seconds"];
    let [held_back, total] = ["held_back", "total"].map(|name| seconds[name].as_f64());
    let (held_back, total) = (held_back.unwrap_or_default(), total.unwrap());
    assert!(held_back <= total, "{seconds}");
    held_back
}

#[test]
fn an_outage_that_passes_leaves_nothing_behind() {
    // Changes arrive, their answers get lost, and nothing can be read back until the program holds back.
    let service = Service::that(|request, turn| {
        (turn >= 5).then_some(("502 Bad Gateway", request.method == "PATCH" && turn % 2 == 0))
    });
    let (home, (rows, state)) = (Place::new(), files());
    home.write("a.csv", &rows);
    home.write("state.jsonl", &state);
    let line = format!("{APPLY} --endpoint {}", service.wire.base).replace("progress none", "progress json");
    let started = home.start(&line.split(' ').collect::<Vec<_>>());
    started.says("all wait 5 s, then one asks again");
    let asked = service.wire.asked().len();
    service.heal();
    let ended = started.wait().expect(0);
    let events = Schema::of("progress").check_lines(&ended.stderr);
    let told: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let [held, warned, released, noted] = ["held", "warning", "released", "note"]
        .map(|name| told.iter().position(|told| *told == name).unwrap_or_else(|| panic!("{}", ended.stderr)));
    assert!(held < warned && warned < released && released < noted, "{told:?}");
    assert_eq!(events[held]["seconds"], 5.0);
    assert_eq!(events[noted]["text"], "the service answers again: all go on");
    assert!(asked <= 5 + 4 + 8, "{asked} requests");
    assert_eq!(home.run_of("run").outcomes(), "40 applied");
    service.is_done();
}

#[test]
fn an_outage_that_lasts_stops_the_run_and_is_settled_later() {
    let service = Service::that(|_, turn| (turn >= 5).then_some(("502 Bad Gateway", turn % 2 == 0)));
    let ran = service.apply(4, "");
    let again = |wait| {
        format!(
            "warning: one request after another gets no good answer (HTTP 502 without a body); all wait {wait} s, then one asks again"
        )
    };
    assert_eq!(
        said(&ran),
        [
            again(5).as_str(),
            &again(10),
            &again(20),
            "stopped: nothing can be read back to settle what was sent: HTTP 502 without a body"
        ]
    );
    assert!(held_back(&ran) >= 35.0, "{}", held_back(&ran));
    let report = ran.then("report run").code(4).told_elsewhere().run();
    let told = format!("paused by the server, {:.1} held back by failures\n", held_back(&ran));
    assert!(report.stdout.contains(&told), "{}", report.stdout);
    let asked = service.wire.asked().len();
    assert!(asked < 40, "{asked} requests");
    let sent = service.count("PATCH");
    assert_eq!(ran.outcomes("run"), format!("5 applied, {} unknown, {} unsent", sent - 5, ROWS - sent));
    service.heal();
    let resumed = service.resume(&ran);
    assert_eq!(resumed.outcomes("run"), "40 applied");
    assert!(held_back(&resumed) >= 35.0, "what was counted is added to");
    service.is_done();
}

#[test]
fn changes_that_all_fail_stop_the_run() {
    let service = Service::that(|request, turn| {
        (request.method == "PATCH" && turn >= 5).then_some(("500 Internal Server Error", false))
    });
    let ran = service.apply(4, "--concurrency 6");
    let said = said(&ran);
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].starts_with("warning: one change after another gets no good answer ("), "{said:?}");
    assert!(said[3].starts_with("stopped: the service gives no good answer any more: "), "{said:?}");
    let failed = service.count("PATCH") - 5;
    // 10 in a row, three by themselves, and those that were on their way.
    assert!((13..=13 + 6).contains(&failed), "{failed}");
    service.heal();
    let outcomes = ran.outcomes("run");
    assert!(outcomes.starts_with("5 applied"), "{outcomes}");
    let resumed = service.resume(&ran);
    assert_eq!(resumed.outcomes("run"), "40 applied");
    service.is_done();
}

#[test]
fn changes_that_are_all_forbidden_stop_the_run() {
    let service = Service::that(|request, _| (request.method == "PATCH").then_some(("403 Forbidden", false)));
    let ran = service.apply(4, "");
    assert_eq!(
        said(&ran),
        [
            "warning: one change after another is forbidden (HTTP 403 without a body); all wait 5 s, then one asks again",
            "stopped: one request after another was forbidden: HTTP 403 without a body"
        ]
    );
    assert!(held_back(&ran) >= 5.0, "{}", held_back(&ran));
    let sent = service.count("PATCH");
    assert!((26..=26 + 4).contains(&sent), "{sent}");
    assert_eq!(ran.outcomes("run"), format!("{sent} refused, {} unsent", ROWS - sent));
}

/// One referral that never answers is its own matter.
#[test]
fn a_single_referral_stops_nothing() {
    let service = Service::that(|request, _| {
        request.path.ends_with(&id(7)).then_some(("500 Internal Server Error", true))
    });
    let ran = service.apply(3, "");
    assert_eq!((said(&ran), held_back(&ran)), (Vec::new(), 0.0));
    assert_eq!(ran.outcomes("run"), "39 applied, 1 unknown");
    service.is_done();
}

#[test]
fn a_run_that_stands_still_says_what_it_waits_for() {
    let (home, seed) = (Place::new(), [0, 1].map(|number| referral(&id(number), "Quiet", 0)));
    let rows: String = (0..2).map(|number| format!("{},Called\n", id(number))).collect();
    home.write("a.csv", format!("id,notes\n{rows}"));
    let sandbox = Sandbox::seeded(&home, &seed, &[] as &[&str]);
    let tap = Tap::on(&sandbox);
    tap.let_patches_through(1);
    let apply = "apply a.csv --state none --out run --yes --concurrency 1 --timeout 10m";
    let command = format!("{apply} {PLAINLY} --endpoint {}", tap.endpoint());
    let sending = home.start(&command.split(' ').collect::<Vec<_>>());
    sending.says("warning: no answer for 10 s");
    tap.release();
    let ended = sending.wait().expect(0);
    // How late the machine is to notice it is its own affair, and whether it says so once more.
    let waiting = format!("; waiting for PATCH {} (for ", id(1));
    let told = ended.stderr.lines().filter(|line| line.starts_with("warning: "));
    let told: Vec<&str> = told.collect();
    assert!(told[0].contains(&waiting) && told[0].ends_with(" s)"), "{}", ended.stderr);
    assert!(told.iter().all(|line| line.starts_with("warning: no answer for ")), "{}", ended.stderr);
    assert_eq!(home.run_of("run").outcomes(), "2 applied");
}
