//! Requests are the cost: how many a plan makes, of which kind, and how many a run adds. A plan makes
//! nothing but GET.

#![expect(clippy::single_range_in_vec_init, reason = "a stretch of a list is one range")]

use std::ops::Range;

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;
use crate::support::wire::{self, Wire};

/// An account, and which of its referrals rows want something of.
struct Case {
    what: &'static str,
    /// How many referrals there are.
    account: usize,
    /// Those that are changed, by their place in the list.
    changed: &'static [Range<usize>],
    /// Those that are so already.
    same: &'static [Range<usize>],
    /// How many rows are about referrals that are not there.
    absent: usize,
    /// Whether list pages carry eTags.
    etags: bool,
    /// Pages and single GETs of the plan.
    wanted: (u64, u64),
}

const CASE: Case =
    Case { what: "", account: 0, changed: &[], same: &[], absent: 0, etags: true, wanted: (0, 0) };

const CASES: [Case; 21] = [
    Case { what: "one is asked for alone", account: 250, changed: &[7..8], wanted: (0, 1), ..CASE },
    Case { what: "one that is so already", account: 250, same: &[7..8], wanted: (0, 1), ..CASE },
    Case { what: "one that is not there", account: 250, absent: 1, wanted: (0, 1), ..CASE },
    Case { what: "two on the first page", account: 250, changed: &[7..8, 90..91], wanted: (1, 0), ..CASE },
    Case {
        what: "two, one of them far back",
        account: 250,
        changed: &[7..8, 240..241],
        wanted: (1, 1),
        ..CASE
    },
    Case { what: "most of a small account", account: 40, changed: &[0..24], wanted: (1, 0), ..CASE },
    Case { what: "all of a small account", account: 40, changed: &[0..40], wanted: (1, 0), ..CASE },
    Case { what: "three, all far back", account: 1000, changed: &[900..903], wanted: (1, 3), ..CASE },
    Case { what: "ten, all far back", account: 1000, changed: &[900..910], wanted: (2, 10), ..CASE },
    // Four pages in vain cost no more than a tenth of what they might have spared.
    Case { what: "thirty, all far back", account: 1000, changed: &[900..930], wanted: (4, 30), ..CASE },
    Case { what: "a hundred, all far back", account: 1000, changed: &[900..1000], wanted: (10, 0), ..CASE },
    Case { what: "all of three pages", account: 250, changed: &[0..250], wanted: (3, 0), ..CASE },
    Case { what: "all of two full pages", account: 200, changed: &[0..200], wanted: (2, 0), ..CASE },
    Case { what: "all are so already", account: 250, same: &[0..250], wanted: (3, 0), ..CASE },
    Case {
        what: "the last page isn't asked for where nothing is left",
        account: 500,
        changed: &[0..60, 120..130],
        wanted: (2, 0),
        ..CASE
    },
    Case {
        what: "a few that are not there",
        account: 40,
        changed: &[0..24],
        absent: 3,
        wanted: (1, 3),
        ..CASE
    },
    Case { what: "an empty account", account: 0, absent: 5, wanted: (1, 5), ..CASE },
    Case {
        what: "without eTags, what is sent is asked for",
        account: 40,
        changed: &[0..6],
        same: &[6..30],
        etags: false,
        wanted: (1, 6),
        ..CASE
    },
    Case {
        what: "without eTags, what isn't sent is not",
        account: 250,
        same: &[0..250],
        etags: false,
        wanted: (3, 0),
        ..CASE
    },
    // A page that spares no GET is one too many.
    Case {
        what: "without eTags, nothing but changes",
        account: 250,
        changed: &[0..9],
        etags: false,
        wanted: (1, 9),
        ..CASE
    },
    Case { what: "one without eTags", account: 250, changed: &[7..8], etags: false, wanted: (0, 1), ..CASE },
];

#[test]
fn a_plan_makes_the_fewest_requests() {
    let mut wrong = Vec::new();
    for case in &CASES {
        let got = case.plan_and_send();
        if got != case.wanted {
            wrong.push(format!("{}: {got:?} pages and GETs, wanted {:?}", case.what, case.wanted));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Case {
    fn plan_and_send(&self) -> (u64, u64) {
        let home = Place::new();
        let seed: Vec<Value> =
            (0..self.account).map(|number| referral(number, "Active", "Accepted")).collect();
        home.write("changes.jsonl", self.lines());
        let options: &[&str] = if self.etags { &[] } else { &["--list-without-etags"] };
        let service = Sandbox::seeded(&home, &seed, options);
        let tap = Tap::on(&service);
        let endpoint = tap.endpoint();
        let common = ["--endpoint", &endpoint, "--rate", "100000/s", "--progress", "none", "--yes"];
        let apply = [&["apply", "changes.jsonl", "--out", "run", "--plan"][..], &common].concat();
        home.run(&apply).expect(if self.absent > 0 { 3 } else { 0 });

        let (run, seen) = (home.run_of("run"), tap.seen());
        assert!(seen.iter().all(|seen| seen.method == "GET"), "{}: {seen:?}", self.what);
        let pages: Vec<&str> =
            seen.iter().filter(|seen| !is_single(&seen.path)).map(|seen| seen.path.as_str()).collect();
        // The link names another path by plain http: its query alone is taken.
        let due = (0..pages.len()).map(|page| match page {
            0 => "/v1.0/engagements/referrals".to_owned(),
            page => format!("/v1.0/engagements/referrals?$skip={page}00"),
        });
        assert_eq!(pages, due.collect::<Vec<_>>(), "{}", self.what);
        let got = (run.count("/requests/list"), run.count("/requests/get"));
        assert_eq!(got, (pages.len() as u64, (seen.len() - pages.len()) as u64), "{}", self.what);
        assert_eq!(run.count("/requests/total"), seen.len() as u64, "{}", self.what);

        // What is to be sent is sent once, under If-Match, and nothing is asked for again.
        tap.forget();
        home.run(&[&["resume", "run"][..], &common].concat()).expect(if self.absent > 0 { 3 } else { 0 });
        let changed = self.changed.iter().map(ExactSizeIterator::len).sum::<usize>();
        assert_eq!((tap.count("PATCH"), tap.seen().len()), (changed, changed), "{}", self.what);
        assert!(tap.seen().iter().all(|patch| patch.if_match.is_some()), "{}", self.what);
        got
    }

    fn lines(&self) -> String {
        let row = |number: usize, stage: &str| json!({ "id": id(number), "details": { "notes": stage } });
        let changed = self.changed.iter().cloned().flatten().map(|number| row(number, "Ours"));
        let same = self.same.iter().cloned().flatten().map(|number| row(number, &format!("Note {number}")));
        let absent = (0..self.absent).map(|number| row(900_000 + number, "Ours"));
        changed.chain(same).chain(absent).map(|row| format!("{row}\n")).collect()
    }
}

fn is_single(path: &str) -> bool {
    path.contains("/referrals/")
}

/// A service that links its page to itself, and knows two referrals that are on no page.
#[test]
fn a_list_that_goes_round_in_circles_ends() {
    let page = json!({
        "value": [referral(0, "Active", "Accepted")],
        "@odata.nextLink": "http://api.partner.microsoft.com/v1.0/referrals?$skiptoken=again",
    });
    let service = serve(move |path| match path.rsplit_once('/').unwrap().1 {
        list if list.starts_with("referrals") => page.to_string(),
        id => {
            let number = usize::from_str_radix(&id[24..], 16).unwrap();
            referral(number, "Active", "Accepted").to_string()
        }
    });
    let home = Place::new();
    // So many rows that pages in vain are borne for long.
    let lines = (0..200).map(|number| format!("{}\n", json!({ "id": id(number), "salesStage": "Close" })));
    home.write("changes.jsonl", lines.collect::<String>());
    home.run(&[
        "apply",
        "changes.jsonl",
        "--plan",
        "--out",
        "run",
        "--endpoint",
        &service.base,
        "--rate",
        "100000/s",
    ])
    .expect(0);
    let asked = asked_of(&service);
    let lists: Vec<&String> = asked.iter().filter(|path| !is_single(path)).collect();
    assert_eq!(
        lists,
        ["/v1.0/engagements/referrals", "/v1.0/engagements/referrals?$skiptoken=again"],
        "the first page, the one it links to, and no more"
    );
    assert_eq!(asked.len(), 2 + 199);
    assert_eq!(home.run_of("run").outcomes(), "200 planned");
}

/// A referral that moves from page to page while they are asked for is on two of them. Where both show the same,
/// nothing is asked for again; where they don't, only a GET tells how it stands.
#[test]
fn a_referral_that_two_pages_show_otherwise_is_read_by_itself() {
    let with = |etag: &str, notes: &str| {
        let mut shown = referral(1, "Active", "Accepted");
        shown["eTag"] = json!(etag);
        shown["details"]["notes"] = json!(notes);
        shown
    };
    let note = with("\"v1\"", "Note");
    let ours = with("\"v1\"", "Ours");
    for (first, again, gets) in [
        (&note, &note, 0),
        (&note, &with("\"v2\"", "Note"), 1),
        (&note, &with("\"v1\"", "Other"), 1),
        (&note, &with("\"v2\"", "Ours"), 1),
        // What is so already on the first page was decided by it.
        (&ours, &with("\"v2\"", "Note"), 1),
    ] {
        let page = json!({
            "value": [referral(0, "Active", "Accepted"), first],
            "@odata.nextLink": "http://api.partner.microsoft.com/v1.0/referrals?$skiptoken=2",
        });
        let rest = (2..6).map(|number| referral(number, "Active", "Accepted"));
        let second: Vec<Value> = [again.clone()].into_iter().chain(rest).collect();
        let second = json!({ "value": second });
        let now = with("\"v9\"", "Now");
        let service = serve(move |path| match path.rsplit_once('/').unwrap().1 {
            "referrals" => page.to_string(),
            list if list.starts_with("referrals?") => second.to_string(),
            _ => now.to_string(),
        });
        let home = Place::new();
        let row =
            |number: usize| format!("{}\n", json!({ "id": id(number), "details": { "notes": "Ours" } }));
        // Enough of them for the second page to pay.
        home.write("changes.jsonl", (0..6).map(row).collect::<String>());
        home.run(&["apply", "changes.jsonl", "--plan", "--out", "run", "--endpoint", &service.base])
            .expect(0);
        let (run, asked) = (home.run_of("run"), asked_of(&service));
        assert_eq!(asked.iter().filter(|path| is_single(path)).count(), gets, "{again}");
        let planned = &run.lines("plan.jsonl")[1];
        assert_eq!(planned["outcome"], "planned", "{again}");
        assert_eq!(planned["eTag"], if gets == 0 { "\"v1\"" } else { "\"v9\"" }, "{again}");
        assert_eq!(planned["changes"][0]["before"], if gets == 0 { "Note" } else { "Now" }, "{again}");
    }
}

/// A list that cannot be read is no reason to give up: everything can be asked for one by one.
#[test]
fn without_a_list_everything_is_asked_for_alone() {
    for (fault, lists) in [("list#*=500", 5), ("list#*=403", 1), ("list#*=garbage", 5)] {
        let home = Place::new();
        let seed: Vec<Value> = (0..4).map(|number| referral(number, "Active", "Accepted")).collect();
        let lines = (0..3).map(|number| format!("{}\n", json!({ "id": id(number), "salesStage": "Close" })));
        home.write("changes.jsonl", lines.collect::<String>());
        let service = Sandbox::seeded(&home, &seed, &["--fault", fault]);
        home.run(&[
            "apply",
            "changes.jsonl",
            "--plan",
            "--out",
            "run",
            "--endpoint",
            &service.base,
            "--rate",
            "100000/s",
        ])
        .expect(0);
        let run = home.run_of("run");
        assert_eq!((run.count("/requests/list"), run.count("/requests/get")), (lists, 3), "{fault}");
        assert_eq!(run.outcomes(), "3 planned");
    }
}

/// Answers every GET with what `body` says of its path, and anything else with a status that no test
/// bears.
fn serve(body: impl Fn(&str) -> String + Send + Sync + 'static) -> Wire {
    Wire::serve(move |request| {
        let status = if request.method == "GET" { "200 OK" } else { "418 Not For A Plan" };
        wire::answer(status, "", body(&request.path))
    })
}

/// The paths that it was asked for.
fn asked_of(service: &Wire) -> Vec<String> {
    service.asked().into_iter().map(|request| request.head.path).collect()
}
