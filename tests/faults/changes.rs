//! Faults that meet a change.

use super::service::{Script, Service};
use super::tables::{BARE, Bound, CHANGES, KINDS, TRUE};
use super::{check, run_all, told};
use crate::support::waiting::each;

fn on_changes(bound: Bound) {
    let scripts = CHANGES.map(|(fault, is_carried_out, if_bound, if_free)| {
        let script = Script { change: Some((fault, is_carried_out)), ..Script::default() };
        (script, (if bound == Bound::Yes { if_bound } else { if_free }).to_owned())
    });
    check(&scripts, bound);
}

#[test]
fn on_a_change_under_if_match() {
    on_changes(Bound::Yes);
}

#[test]
fn on_a_change_that_is_bound_to_nothing() {
    on_changes(Bound::No);
}

/// A 204 shows nothing: each is looked at, whatever others came to, by itself or on a page of the list.
#[test]
fn on_a_yes_that_shows_nothing() {
    let cases = [Bound::Yes, Bound::No].map(|bound| BARE.map(|case| (bound, case))).concat();
    each(&cases, |(bound, (what, faults, always, if_bound, if_free))| {
        let wanted = if *bound == Bound::Yes { if_bound } else { if_free };
        let scripts = faults.map(|fault| Script { change: Some(fault), look: None, always: *always });
        let service = Service::start(&scripts);
        let (home, ended) = run_all(&service, *bound, "--concurrency 1");
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        for (number, outcome) in outcomes.iter().enumerate() {
            let got = told(&service.state.api(), outcome, number, *bound);
            assert_eq!(got, wanted[number], "{bound:?}: {what}, {}: {}", KINDS[number], ended.stderr);
        }
    });
}

/// However many there are, and however many come at a time.
#[test]
fn on_many_a_yes_that_shows_nothing() {
    const COUNT: usize = 64;
    let service = Service::start(&[Script { change: Some(TRUE), ..Script::default() }; COUNT]);
    let (home, ended) = run_all(&service, Bound::Yes, "--concurrency 8");
    ended.expect(0);
    let looked = ["get", "list"].map(|kind| home.run_of("run").count(&format!("/requests/{kind}")));
    assert_eq!(looked, [1, 2], "the first by itself, the others on a page, as for the plan");
    assert_eq!(home.run_of("run").outcomes(), format!("{COUNT} applied"));
    assert_eq!(service.state.api().all_applied().len(), COUNT);
}
