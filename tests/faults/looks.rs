//! Faults that meet a look.

use super::service::{Script, Service};
use super::tables::{ANSWERS, Bound, KINDS, NO_ANSWERS, NOES};
use super::{APPLY, arguments, changes, check, patience, run_all, told};
use crate::support::place::Place;
use crate::support::raw::faults::Fault::{self, *};
use crate::support::referrals::id;
use crate::support::waiting::each;

/// The change met a proxy that reaches nobody, and looking meets something else.
fn on_looks(bound: Bound) {
    let mut scripts = Vec::new();
    for (faults, looks) in [(&NO_ANSWERS[..], 2), (&ANSWERS[..], 1)] {
        for look in faults {
            for is_carried_out in [false, true] {
                let change = Some((Page("502 Bad Gateway"), is_carried_out));
                let wanted = match (is_carried_out, bound) {
                    (true, _) => format!("applied 1+{looks} ours"),
                    (false, Bound::Yes) => format!("applied 2+{looks} ours"),
                    (false, Bound::No) => format!("unknown 1+{looks} before"),
                };
                scripts.push((Script { change, look: Some(*look), always: false }, wanted));
            }
        }
    }
    check(&scripts, bound);
}

#[test]
fn on_reading_back_under_if_match() {
    on_looks(Bound::Yes);
}

#[test]
fn on_reading_back_what_is_bound_to_nothing() {
    on_looks(Bound::No);
}

/// What never ends, and what says that asking again is of no use, leaves unknown what cannot be read back, and
/// failed what is known not to be written.
#[test]
fn again_and_again() {
    let again = |change, look| Script { change: Some(change), look, always: true };
    let lost = (Page("502 Bad Gateway"), false);
    let arrived = (Page("502 Bad Gateway"), true);
    let mut cases = Vec::new();
    for bound in [Bound::Yes, Bound::No] {
        let given_up = if bound == Bound::Yes { "failed 5+9 before" } else { "unknown 1+1 before" };
        for fault in [Reset, ResetUnread, Close, HalfBody, Garbage, lost.0] {
            cases.push((bound, again((fault, false), None), given_up));
        }
        for look in [Reset, HalfHead, WrongEncoding, Page("200 OK")] {
            cases.push((bound, again(arrived, Some(look)), "unknown 1+5 ours"));
        }
        for look in NOES {
            cases.push((bound, again(arrived, Some(look)), "unknown 1+1 ours"));
            cases.push((bound, again(lost, Some(look)), "unknown 1+1 before"));
        }
    }
    // A change of each kind, two in one run: where more can't be read back, it would be an outage.
    let halves: Vec<_> = cases.iter().flat_map(|case| [(case, [0, 1]), (case, [2, 3])]).collect();
    each(&halves, |((bound, script, wanted), faulty)| {
        let mut scripts = [Script::default(); 4];
        faulty.iter().for_each(|number| scripts[*number] = *script);
        let service = Service::start(&scripts);
        let (home, ended) = run_all(&service, *bound, "");
        let ended = ended.expect(3);
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        for number in *faulty {
            let got = told(&service.state.api(), &outcomes[number], number, *bound);
            let wanted = match (*wanted, script.look) {
                // It still is not there, again and again.
                ("unknown 1+1 before", None) if KINDS[number] == "fill" => "failed 5+9 before",
                (wanted, _) => wanted,
            };
            assert_eq!(got, wanted, "{bound:?} {script:?} on {}: {}", KINDS[number], ended.stderr);
        }
    });
}

/// What meets a GET of the plan is made up for before anything is sent, or the row says so.
#[test]
fn on_planning_one_by_one() {
    let mut rows: Vec<(Fault, &str)> = Vec::new();
    rows.extend(NO_ANSWERS.map(|fault| (fault, "applied 1+2 ours")));
    rows.extend(ANSWERS.map(|fault| (fault, "applied 1+1 ours")));
    rows.extend([
        (Early("400 Bad Request"), "refused 0+1 before"),
        (Redirect("301 Moved Permanently"), "refused 0+1 before"),
        (Redirect("307 Temporary Redirect"), "refused 0+1 before"),
        (Page("404 Not Found"), "refused 0+1 before"),
    ]);
    let (lasting, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(fault, _)| fault.lasts());
    each(&lasting.chunks(2).collect::<Vec<_>>(), |rows| plan_one_by_one(rows, 0));
    plan_one_by_one(&others, 3);
}

fn plan_one_by_one(rows: &[(Fault, &'static str)], code: i32) {
    let all: Vec<_> = rows.iter().flat_map(|row| KINDS.map(|_| *row)).collect();
    let scripts: Vec<Script> =
        all.iter().map(|(fault, _)| Script { look: Some(*fault), ..Script::default() }).collect();
    let service = Service::start(&scripts);
    service.state.api().list_nothing();
    // Some of them are not to be closed, since nobody could look at them.
    let closing = all.iter().filter(|(_, wanted)| wanted.starts_with("applied")).count() / 4;
    let home = Place::new();
    changes(&home, all.len());
    let timeout = patience(rows.iter().map(|(fault, _)| *fault));
    let more = format!("--concurrency 128 --confirm-closing {closing} {timeout}");
    home.run(&arguments(APPLY, &service.endpoint, "live", &more)).expect(code);
    let outcomes = home.run_of("run").lines("outcomes.jsonl");
    let mut wrong = Vec::new();
    for (number, (fault, wanted)) in all.iter().enumerate() {
        let got = told(&service.state.api(), &outcomes[number], number, Bound::Yes);
        if got != *wanted {
            wrong.push(format!("{fault:?} on {}: {got}, wanted {wanted}", KINDS[number % 4]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(service.state.api().count("GET", ""), 1);
}

/// A page of the list that isn't answered is asked for again; where that is of no use, the referrals are
/// asked for one by one.
#[test]
fn on_planning_from_the_list() {
    let mut cases: Vec<(Fault, (usize, usize))> = Vec::new();
    cases.extend(NO_ANSWERS.map(|fault| (fault, (2, 0))));
    cases.extend(ANSWERS.map(|fault| (fault, (1, 0))));
    cases.extend(NOES.map(|fault| (fault, (1, 4))));
    each(&cases, |(fault, wanted)| {
        let service = Service::start(&[Script::default(); 4]);
        *service.state.list.lock().unwrap() = Some(*fault);
        let (home, ended) = run_all(&service, Bound::Yes, patience([*fault]));
        let ended = ended.expect(0);
        let api = service.state.api();
        let gets: usize = (0..4).map(|number| api.count("GET", &id(number))).sum();
        assert_eq!((api.count("GET", ""), gets), *wanted, "{fault:?}: {}", ended.stderr);
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        for (number, outcome) in outcomes.iter().enumerate() {
            let got = told(&api, outcome, number, Bound::Yes);
            assert_eq!(got, format!("applied 1+{} ours", gets / 4), "{fault:?} on {}", KINDS[number]);
        }
    });
}
