//! A page for each kind of run: it opens without a word from the browser, its numbers are those of summary.json, axe
//! finds nothing, and it fits on a phone.

use std::fs;
use std::rc::Rc;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::page_support::browser::{Looked, look};
use crate::support::place::Place;
use crate::support::program::Ended;
use crate::support::referrals::{id, referral};
use crate::support::samples::sample;
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;

const CHECKS: [&str; 1] = ["kind"];

/// What the program is typed to leave a page in `run`, with exit codes, and what the page's headline says of it.
type Kind = (&'static str, &'static [(&'static str, i32)]);

/// With the samples, against a sandbox of the run's own.
const OF_SAMPLES: [Kind; 16] = [
    ("a plan", &[("apply quarter-end.csv --plan --sandbox --out run", 0)]),
    ("a plan with mistakes", &[("apply quarter-end-mistakes.csv --plan --sandbox --out run", 3)]),
    ("a plan that looked at nothing", &[("apply quarter-end.csv --plan --state none --out run", 0)]),
    ("a finished run", &[("apply quarter-end-mistakes.csv --sandbox --rate 1000/s --out run", 3)]),
    ("a migration's plan", &[("migrate legacy-puts.jsonl --plan --sandbox --out run", 3)]),
    ("a finished migration", &[("migrate legacy-puts.jsonl --sandbox --rate 1000/s --out run", 3)]),
    ("a portal's file", &[("apply portal-a.csv --sandbox --rate 1000/s --out run", 0)]),
    ("a workbook", &[("apply quarter-end.xlsx --sandbox --rate 1000/s --out run", 0)]),
    ("lines of JSON", &[("apply quarter-end.jsonl --sandbox --rate 1000/s --out run", 0)]),
    ("several inputs", &[("apply portal-a.csv portal-b.csv --sandbox --plan --out run", 0)]),
    ("no rows", &[("apply none.csv --sandbox --out run", 0)]),
    ("one row", &[("apply one.csv --sandbox --out run", 0)]),
    ("nothing but invalid rows", &[("apply invalid.csv --sandbox --out run", 3)]),
    ("everything revealed", &[("apply one.csv --sandbox --reveal --out run", 0)]),
    ("waves", &[("apply quarter-end.jsonl --sandbox --rate 1000/s --waves 1,2,rest --out run", 0)]),
    ("a page that is made again", &[("apply one.csv --sandbox --out run", 0), ("report run", 0)]),
];

/// With two open referrals at a service of their own, which `$SERVICE` stands for.
const OF_TWO: [Kind; 6] = [
    ("a rebased row", &[("apply value.csv $SERVICE --on-conflict rebase --out run", 0)]),
    ("a conflict", &[("apply value.csv $SERVICE --out run", 3)]),
    (
        "a plan that nobody approved yet",
        &[("apply close.csv $SERVICE --profile four-eyes --plan --out run", 0)],
    ),
    (
        "a plan that is approved",
        &[
            ("apply close.csv $SERVICE --profile four-eyes --plan --out run", 0),
            ("approve run --approver Kim", 0),
            ("report run", 0),
        ],
    ),
    (
        "a run that is verified",
        &[("apply notes.csv $SERVICE --out run", 0), ("verify run", 0), ("report run", 0)],
    ),
    (
        "what takes a run back",
        &[
            ("apply notes.csv $SERVICE --out first", 0),
            ("undo first --out back.jsonl", 0),
            ("apply back.jsonl $SERVICE --out run", 0),
        ],
    ),
];

#[test]
#[ignore = "needs Node.js and Chromium"]
fn of_samples_are_in_order() {
    let gallery = Gallery::new();
    for (name, commands) in OF_SAMPLES {
        let place = Place::new();
        for file in ["quarter-end.csv", "quarter-end-mistakes.csv", "quarter-end.jsonl", "legacy-puts.jsonl"]
        {
            place.write(file, sample(file));
        }
        for file in ["portal-a.csv", "portal-b.csv", "quarter-end.xlsx"] {
            fs::copy(format!("{}/samples/{file}", env!("CARGO_MANIFEST_DIR")), place.path(file)).unwrap();
        }
        place.write("none.csv", "id,notes\n");
        place.write("one.csv", "id,notes\n5a1e0001-0000-4000-8000-000000000027,Called\n");
        place.write(
            "invalid.csv",
            "id,notes\nnobody,Called\n5a1e0001-0000-4000-8000-0000000000ff,\nnobody,\n",
        );
        for (command, code) in commands {
            typed(&place, command).expect(*code);
        }
        gallery.hang(name, &place);
    }
    gallery.look();
}

#[test]
#[ignore = "needs Node.js and Chromium"]
fn of_a_service_are_in_order() {
    let gallery = Gallery::new();
    for (name, commands) in OF_TWO {
        let place = two();
        let edited = if commands[0].0.contains("value.csv") { "--fault patch=edited" } else { "" };
        let service = Sandbox::seeded(&place, &seed(2), &shlex::split(edited).unwrap());
        for (command, code) in commands {
            let there = format!("--endpoint {} --yes --rate 1000/s", service.base);
            typed(&place, &command.replace("$SERVICE", &there)).expect(*code);
        }
        gallery.hang(name, &place);
    }
    gallery.look();
}

#[test]
#[ignore = "needs Node.js and Chromium"]
fn that_stopped_are_in_order() {
    let gallery = Gallery::new();
    let notes: String = (0..9).map(|number| format!("{},Called\n", id(number))).collect();
    let place = || {
        let place = Place::new();
        place.write("changes.csv", format!("id,notes\n{notes}"));
        place
    };
    let send = |service: &str| {
        format!("apply changes.csv --endpoint {service} --yes --rate 1000/s --concurrency 1 --out run")
    };

    let at = place();
    let service = Sandbox::seeded(&at, &seed(9), &["--fault", "patch#2-9=403"]);
    typed(&at, &format!("{} --max-errors 1", send(&service.base))).expect(4);
    gallery.hang("stopped by errors", &at);

    for (name, method, count) in [("interrupted", "PATCH", 3), ("interrupted while it planned", "GET", 1)] {
        let at = place();
        let service = Sandbox::seeded(&at, &seed(9), &[""; 0]);
        let tap = Tap::on(&service);
        if method == "GET" {
            tap.hold(&["GET"]);
        } else {
            tap.let_patches_through(count - 1);
        }
        let words =
            shlex::split(&format!("{} --timeout 10m --progress none", send(&tap.endpoint()))).unwrap();
        let running = at.start(&words);
        crate::support::waiting::until("it has asked", || (tap.count(method) >= count).then_some(()));
        running.signal(Signal::SIGINT);
        running.says("stopping:");
        tap.release();
        running.wait().expect(4);
        gallery.hang(name, &at);
    }
    gallery.look();
}

fn seed(count: usize) -> Vec<Value> {
    (0..count).map(|number| referral(number, "Active", "Accepted")).collect()
}

/// Change files for two referrals.
fn two() -> Rc<Place> {
    let place = Place::new();
    place.write("notes.csv", format!("id,notes\n{},Called\n", id(0)));
    place.write("value.csv", format!("id,dealValue\n{},4711\n", id(0)));
    place.write("close.csv", format!("id,substatus,statusReason\n{},Won,\n{},Lost,Budget\n", id(0), id(1)));
    place.write("referral-bulk.toml", "[profile.four-eyes]\nrequire-approval = true\n");
    place
}

#[track_caller]
fn typed(place: &Place, command: &str) -> Ended {
    place.run(&shlex::split(command).unwrap())
}

/// Pages of runs, with the files that they are compared with.
struct Gallery {
    place: Rc<Place>,
    hung: std::cell::RefCell<Vec<String>>,
}

impl Gallery {
    fn new() -> Self {
        Self { place: Place::new(), hung: std::cell::RefCell::default() }
    }

    fn hang(&self, name: &str, from: &Place) {
        let there = self.place.path(name);
        fs::create_dir(&there).unwrap();
        for file in ["report.html", "summary.json", "outcomes.jsonl", "plan.jsonl"] {
            let path = from.path("run").join(file);
            if path.exists() || file == "report.html" {
                fs::copy(path, there.join(file)).unwrap();
            }
        }
        self.hung.borrow_mut().push(name.to_owned());
    }

    #[track_caller]
    fn look(&self) {
        let hung = self.hung.borrow();
        look(&hung.iter().map(|name| Looked::at(&self.place.path(name), &CHECKS)).collect::<Vec<_>>());
    }
}
