//! What the service answers with a yes alone, as with a 204, is confirmed by pages of the list: how many requests that
//! takes, whatever the list shows, and that nothing is called applied before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::line::Request;
use crate::support::place::Place;
use crate::support::raw::api::Api;
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;
use crate::support::waiting::{each, until};
use crate::support::wire::{self, Wire};

/// How many changes each run has.
const COUNT: usize = 12;

/// A member of a group of changes that a case is about.
const ODD: usize = 5;

/// How the list is shown, once changes are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lists {
    /// All of it as it is.
    Whole,
    /// Without so many of the changed referrals.
    Without(usize),
    /// Without this member of each.
    Lacking(&'static str),
    /// With null in place of what was changed.
    Nulled,
    /// As it was before anything was changed, so many times.
    Behind(usize),
    /// Not at all.
    Forbidden,
    /// In no order that is asked for.
    Unordered,
}

/// What is done with a change.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Changes {
    /// All are made.
    Made,
    /// One is not made when it comes first.
    OneLost,
    /// One is made, and somebody else changes the referral again.
    OneOverwritten,
    /// None is made.
    None,
}

/// What a service answers with a yes alone.
struct Quiet {
    yes: &'static str,
    lists: Lists,
    changes: Changes,
    api: Mutex<Api>,
    /// The list before anything was changed.
    before: Value,
    listed: AtomicUsize,
    /// Whether changes are sent by now.
    sent: AtomicUsize,
}

impl Quiet {
    fn new(yes: &'static str, lists: Lists, changes: Changes) -> Arc<Self> {
        let all = || (0..COUNT).map(|number| referral(number, "Active", "Accepted"));
        Arc::new(Self {
            yes,
            lists,
            changes,
            api: Mutex::new(Api::new(all())),
            before: json!({ "value": all().collect::<Vec<_>>() }),
            listed: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
        })
    }

    fn answer(&self, request: &Request) -> Vec<u8> {
        let mut api = self.api.lock().unwrap();
        api.note(request);
        if request.method == "PATCH" {
            return self.change(&mut api, request);
        }
        let is_list = request.id().is_empty();
        let answer = api.carry_out(request);
        if !is_list || self.sent.load(Ordering::SeqCst) == 0 {
            return wire::answer(answer.status, "", answer.body);
        }
        let is_ordered = request.head.path.contains("$orderby=updatedDateTime%20desc");
        let mut page: Value = serde_json::from_str(&answer.body).unwrap();
        let listed = page["value"].as_array_mut().unwrap();
        match self.lists {
            Lists::Whole => {}
            Lists::Without(count) => drop(listed.drain(..count)),
            Lists::Lacking(member) => {
                listed.iter_mut().for_each(|one| drop(one.as_object_mut().unwrap().remove(member)));
            }
            Lists::Nulled => listed.iter_mut().for_each(|one| one["details"]["notes"] = Value::Null),
            Lists::Behind(times) => {
                if self.listed.fetch_add(1, Ordering::SeqCst) < times {
                    page = self.before.clone();
                }
            }
            Lists::Forbidden => return wire::answer("403 Forbidden", "", "{}"),
            Lists::Unordered if is_ordered => return wire::answer("400 Bad Request", "", "{}"),
            Lists::Unordered => {}
        }
        wire::answer("200 OK", "", page.to_string())
    }

    fn change(&self, api: &mut Api, request: &Request) -> Vec<u8> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        let is_odd = request.id() == id(ODD);
        let is_first = api.count("PATCH", request.id()) == 1;
        let is_made = match self.changes {
            Changes::Made | Changes::OneOverwritten => true,
            Changes::OneLost => !(is_odd && is_first),
            Changes::None => false,
        };
        if is_made {
            let answer = api.carry_out(request);
            if answer.status != "200 OK" {
                return wire::answer(answer.status, "", answer.body);
            }
        }
        if is_odd && self.changes == Changes::OneOverwritten {
            api.edit(request.id(), "/details/notes", "Theirs".into());
        }
        wire::answer(self.yes, "", "")
    }

    /// PATCHes, GETs of one referral, and pages since changes are sent.
    fn counted(&self, planned: usize) -> [usize; 3] {
        let api = self.api.lock().unwrap();
        let asked = &api.asked()[planned..];
        let count = |is: &dyn Fn(&str, bool) -> bool| {
            asked.iter().filter(|asked| is(&asked.method, asked.id.is_empty())).count()
        };
        [
            count(&|method, _| method == "PATCH"),
            count(&|method, is_list| method == "GET" && !is_list),
            count(&|method, is_list| method == "GET" && is_list),
        ]
    }
}

/// A run that is planned, and will be sent one change after another.
struct World {
    home: std::rc::Rc<Place>,
    service: Arc<Quiet>,
    common: Vec<String>,
    planned: usize,
}

impl World {
    fn planned(service: Arc<Quiet>, options: &[&str]) -> Self {
        let (home, serving) = (Place::new(), Arc::clone(&service));
        let wire = Wire::serve(move |request| serving.answer(request));
        let row = |number| json!({ "id": id(number), "details": { "notes": format!("Ours {number}") } });
        home.write(
            "changes.jsonl",
            (0..COUNT).map(|number| format!("{}\n", row(number))).collect::<String>(),
        );
        let common = ["--endpoint", &wire.base, "--rate", "100000/s", "--progress", "none", "--yes"];
        let common: Vec<String> = common.iter().chain(options).map(ToString::to_string).collect();
        let apply = ["apply", "changes.jsonl", "--out", "run", "--plan"].map(ToOwned::to_owned);
        home.run(&[&apply[..], &common].concat()).expect(0);
        let planned = service.api.lock().unwrap().asked().len();
        assert_eq!(planned, 1, "a page");
        Self { home, service, common, planned }
    }

    fn resume(&self) -> Vec<String> {
        let resume = ["resume", "run", "--concurrency", "1"].map(ToOwned::to_owned);
        [&resume[..], &self.common].concat()
    }
}

/// How many requests it takes, and what it comes to.
#[test]
fn a_yes_alone_is_confirmed_by_what_the_list_shows() {
    use Changes::{Made, OneLost, OneOverwritten};
    const NO_CONTENT: &str = "204 No Content";
    let all = "12 applied";
    // The first is looked at by itself, whatever there is to come.
    let cases = [
        (NO_CONTENT, Lists::Whole, Made, all, [12, 1, 1]),
        ("200 OK", Lists::Whole, Made, all, [12, 1, 1]),
        ("202 Accepted", Lists::Whole, Made, all, [12, 1, 1]),
        (NO_CONTENT, Lists::Without(4), Made, all, [12, 4, 1]),
        (NO_CONTENT, Lists::Without(12), Made, all, [12, 12, 4]),
        (NO_CONTENT, Lists::Lacking("details"), Made, all, [12, 12, 1]),
        (NO_CONTENT, Lists::Lacking("eTag"), Made, all, [12, 12, 1]),
        (NO_CONTENT, Lists::Nulled, Made, all, [12, 12, 1]),
        (NO_CONTENT, Lists::Behind(1), Made, all, [12, 1, 2]),
        (NO_CONTENT, Lists::Behind(99), Made, all, [12, 12, 3]),
        (NO_CONTENT, Lists::Forbidden, Made, all, [12, 12, 2]),
        (NO_CONTENT, Lists::Unordered, Made, all, [12, 1, 2]),
        (NO_CONTENT, Lists::Whole, OneLost, all, [13, 4, 1]),
        (NO_CONTENT, Lists::Whole, OneOverwritten, "11 applied, 1 conflict", [12, 6, 1]),
    ];
    each(&cases, |(yes, lists, changes, outcomes, requests)| {
        let world = World::planned(Quiet::new(yes, *lists, *changes), &[]);
        let ended = world.home.run(&world.resume());
        let what = format!("{yes}, {lists:?}, {changes:?}: {}", ended.stderr);
        let run = world.home.run_of("run");
        assert_eq!(run.outcomes(), *outcomes, "{what}");
        assert_eq!(world.service.counted(world.planned), *requests, "{what}");
        let told = ["patch", "get", "list"].map(|kind| run.count(&format!("/requests/{kind}")));
        let [patch, get, list] = requests.map(|count| count as u64);
        assert_eq!(told, [patch, get, list + 1], "{what}");
        for (number, outcome) in run.lines("outcomes.jsonl").iter().enumerate() {
            let held = world.service.api.lock().unwrap().referral(&id(number)).clone();
            if outcome["outcome"] == "applied" {
                assert_eq!(held["details"]["notes"], format!("Ours {number}"), "{what}");
            }
        }
    });
}

/// A service that says yes and does nothing is noticed by the first.
#[test]
fn a_service_that_does_nothing_is_noticed_by_the_first() {
    let quiet = Quiet::new("204 No Content", Lists::Whole, Changes::None);
    let world = World::planned(quiet, &["--max-errors", "1"]);
    let ended = world.home.run(&world.resume()).expect(4);
    assert!(ended.stderr.contains("--max-errors allows no more"), "{}", ended.stderr);
    assert_eq!(world.home.run_of("run").outcomes(), "1 failed, 11 unsent");
    assert_eq!(world.service.counted(world.planned), [5, 13, 0], "{}", ended.stderr);
}

/// What a killed process was answered the next one confirms, and sends nothing of it again.
#[test]
fn what_a_killed_process_was_answered_the_next_one_confirms() {
    let seed: Vec<Value> = (0..COUNT).map(|number| referral(number, "Active", "Accepted")).collect();
    let home = Place::new();
    let service = Sandbox::seeded(&home, &seed, &["--fault", "patch#*=bare+applied"]);
    let tap = Tap::on(&service);
    let row = |number| json!({ "id": id(number), "details": { "notes": "Ours" } });
    home.write("changes.jsonl", (0..COUNT).map(|number| format!("{}\n", row(number))).collect::<String>());
    let endpoint = tap.endpoint();
    let common = ["--endpoint", &endpoint, "--rate", "100000/s", "--progress", "none", "--yes"];
    home.run(&[&["apply", "changes.jsonl", "--out", "run", "--plan"][..], &common].concat()).expect(0);
    tap.forget();
    tap.hold(&["GET"]);
    let resume = [&["resume", "run"][..], &common].concat();
    let sending = home.start(&resume);
    tap.has_seen_patches(COUNT);
    tap.all_answered();
    // The first is looked at, and the list is asked for: both wait.
    until("the list", || (tap.count("GET") >= 1).then_some(()));
    let run = home.run_of("run");
    // Answers are on record a moment after they came.
    until("the answers on record", || {
        home.run(&["report", "run", "--summary", "none"]);
        let rows = run.lines("outcomes.jsonl");
        (rows.iter().filter(|row| row["code"] == "unconfirmed").count() >= COUNT - 1).then_some(())
    });
    sending.signal(Signal::SIGKILL);
    assert_eq!(sending.wait().code, None);
    home.run(&["report", "run", "--summary", "none"]).expect(4);
    assert_eq!(run.outcomes(), "12 unknown");
    tap.release();
    tap.all_answered();
    tap.forget();
    home.run(&resume).expect(0);
    assert_eq!(run.outcomes(), "12 applied");
    assert_eq!(tap.count("PATCH"), 0, "nothing is sent again");
    // A page; and the first by itself, where it was on record as in doubt by then, since it was being looked at.
    assert!((1..=2).contains(&tap.count("GET")), "{} reads", tap.count("GET"));
}

/// Who stops a run is not kept waiting: what is answered is confirmed by a page, and the rest is left.
#[test]
fn a_run_that_stops_confirms_what_a_page_shows() {
    let seed: Vec<Value> = (0..COUNT).map(|number| referral(number, "Active", "Accepted")).collect();
    for signals in [1, 2] {
        let home = Place::new();
        let service = Sandbox::seeded(&home, &seed, &["--fault", "patch#*=bare+applied"]);
        let tap = Tap::on(&service);
        let row = |number| json!({ "id": id(number), "details": { "notes": "Ours" } });
        home.write(
            "changes.jsonl",
            (0..COUNT).map(|number| format!("{}\n", row(number))).collect::<String>(),
        );
        let endpoint = tap.endpoint();
        let common = ["--endpoint", &endpoint, "--rate", "100000/s", "--progress", "none", "--yes"];
        let common = [&common[..], &["--concurrency", "1"]].concat();
        home.run(&[&["apply", "changes.jsonl", "--out", "run", "--plan"][..], &common].concat()).expect(0);
        tap.forget();
        tap.let_patches_through(6);
        let resume = [&["resume", "run"][..], &common].concat();
        let sending = home.start(&resume);
        tap.has_seen_patches(7);
        let looks = tap.count("GET");
        assert_eq!(looks, 1, "the first is looked at by itself");
        if signals == 2 {
            tap.hold(&["GET"]);
        }
        sending.signal(Signal::SIGINT);
        sending.says("stopping:");
        tap.let_patches_through(7);
        if signals == 2 {
            until("the list", || (tap.count("GET") > looks).then_some(()));
            sending.signal(Signal::SIGINT);
        }
        let ended = sending.wait().expect(4);
        assert!(
            ended.last_line().starts_with("next: resume") || ended.stderr.contains("next: "),
            "{}",
            ended.stderr
        );
        let outcomes = home.run_of("run").outcomes();
        let wanted = ["7 applied, 5 unsent", "1 applied, 6 unknown, 5 unsent"][signals - 1];
        assert_eq!(outcomes, wanted, "{}", ended.stderr);
        tap.release();
        tap.all_answered();
        home.run(&resume).expect(0);
        assert_eq!(home.run_of("run").outcomes(), "12 applied");
        assert_eq!(tap.count("PATCH"), COUNT, "none was sent twice");
    }
}

/// A hundredth for the plan, and about another for the confirmations.
#[test]
fn a_change_costs_little_more_than_itself() {
    const MANY: usize = 1_200;
    let seed: Vec<Value> = (0..MANY).map(|number| referral(number, "Active", "Accepted")).collect();
    let cases: [(&[&str], usize); 2] = [(&["--fault", "patch#*=bare+applied"], 1_050), (&[], 1_030)];
    each(&cases, |(options, most)| {
        let home = Place::new();
        let service = Sandbox::seeded(&home, &seed, options);
        let tap = Tap::on(&service);
        let row = |number| json!({ "id": id(number), "details": { "notes": "Ours" } });
        home.write("changes.jsonl", (0..MANY).map(|number| format!("{}\n", row(number))).collect::<String>());
        let endpoint = tap.endpoint();
        let apply = ["apply", "changes.jsonl", "--out", "run", "--endpoint", &endpoint, "--rate", "100000/s"];
        home.run(&[&apply[..], &["--progress", "none", "--yes"]].concat()).expect(0);
        assert_eq!(home.run_of("run").outcomes(), "1200 applied");
        let (patches, all) = (tap.count("PATCH"), tap.seen().len());
        assert_eq!(patches, MANY);
        assert!(all * 1_000 <= most * MANY, "{all} requests for {MANY} changes, {options:?}");
    });
}
