//! The protocol of a run that several machines carry out, in every order in which its steps can come.
//!
//! Two workers share one ledger in a database, and one item: a change to one referral. The change must be made once,
//! and the ledger must say what became of it, although workers stop for any length of time at any moment, messages are
//! late or lost, and nobody can ask the service whether a request is still on its way to it. What such a fault does
//! depends on the moment, and there are too many moments to think of. So all of them are tried: a small model of
//! ledger, service and workers is taken from its first state to all that can be reached, one step at a time, and each
//! state is held to what is promised. What is found comes with a shortest way to it.
//!
//! | file | what it holds |
//! |---|---|
//! | `rules` | what may happen, and the safeguards that can be taken away |
//! | `ledger` | leases, the span, attempts, the outcome; the statements that change them |
//! | `service` | the referral; requests and answers on their way |
//! | `worker` | what a worker does, from registering to the outcome |
//! | `world` | all of it together, and what happens by itself |
//! | `step` | the steps, in words |
//! | `truth` | what has to hold |
//! | `search` | the search, and who can still go on |
//! | `variants` | the protocol without one safeguard or another, and what is wrong then |
//!
//! # The protocol
//!
//! A worker **registers**: its row is its lease. It **claims** the span in which the item lies, **reads** the item and its
//! attempts, and **writes an intent**, which opens an attempt. Only if the ledger says that the intent is on record, and
//! the lease is good by the worker's own clock, it **sends** the change, bound to the version that was planned from. The
//! **answer** is evidence, which anybody may record at any time: as the attempt's result, or beside it where it has
//! one. The **outcome** is a decision, for which the lease has to be held.
//!
//! A lease that has expired may be **fenced** by the other worker, which ends it. Only then, in another statement, the
//! span is **taken** and the item read. What is open is **looked at** at the service: with our change it is applied, at
//! the version that was planned from it is sent again, at another one it is a conflict. A refusal for another version is
//! a conflict only where no earlier attempt can be the reason; else the look decides. A change that is bound to no
//! version isn't sent again, since both might be made: its outcome is unknown unless a look shows it.
//!
//! A standby that takes the database's place may lack what was written last. It is known by its timeline: neither
//! an intent nor an outcome is written until a worker has fenced all others and put on record that something may be lost.
//! From then on each item is looked at before it is sent, and what was read before counts for nothing.
//!
//! # What may happen
//!
//! A worker can be paused between any two steps, for any length of time, and so can a statement on its way to the ledger
//! and a request on its way to the service. Leases expire at any moment. Requests and answers are lost, workers give up
//! waiting, answers of the ledger are lost, with the statement carried out or not, or later; somebody else edits the
//! referral, in another field or in ours; the run is stopped; the database is replaced by a standby that has fallen behind
//! at any earlier moment. A worker that is killed is one that is never heard of again; one that begins anew registers
//! again. How often each fault happens is limited (`Left`), and not all of them come in one search, lest it have no end.
//!
//! # What has to hold
//!
//! `truth` lists what must never be. Besides, the item gets its outcome: from every state, whichever worker goes on alone
//! brings it there, in whatever order its steps come, once nothing more goes wrong. The other may be gone for good.
//!
//! # What is not in it
//!
//! One item stands for all, since nothing in the ledger joins two of them but their span. Looks show the referral as it
//! is; that reads of the service may lag behind is a matter of `simulation`. Each statement is carried out as a whole,
//! which the ledger's own tests have to show of the database. Two databases that both take themselves for the first are
//! left out.
//!
//! ```text
//! cargo test --test protocol -- --nocapture   # the number of states, and a way to everything that is found
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "whoever asks for it wants to read the ways to what is found")]

mod ledger;
mod rules;
mod search;
mod service;
mod step;
mod truth;
mod variants;
mod worker;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rules::{Rules, Safeguard};
use search::{Found, search};
use truth::Wrong;
use variants::{Comes, SCENARIOS, VARIANTS};

/// The least number of states of a scenario. With fewer, something that may happen doesn't.
const LEAST_STATES: usize = 2_000;

/// What has to happen somewhere, lest the search show nothing: words of steps.
const HAPPENS: [&str; 49] = [
    "a statement that was given up is carried out",
    "asks its clock whether the lease has expired",
    "asks its clock whether the lease has expired, in vain",
    "asks whether it has a span",
    "claims the span",
    "claims the span, and gives that up while it is on its way",
    "claims the span, and hears no answer",
    "closes an attempt that the look didn't show",
    "closes an attempt that the look didn't show, and gives that up while it is on its way",
    "closes an attempt that the look didn't show, and hears no answer",
    "closes an attempt that the look didn't show, in vain",
    "fences a worker whose lease has expired",
    "fences a worker whose lease has expired, and gives that up while it is on its way",
    "fences a worker whose lease has expired, and hears no answer",
    "fences all others, since the database is another",
    "gives up waiting for an answer that is still to come",
    "hears the answer",
    "its request arrives at the service",
    "its request is lost",
    "looks at the referral",
    "reads the item and its attempts",
    "records the answer",
    "records the answer, and gives that up while it is on its way",
    "records the answer, and hears no answer",
    "records the answer, in vain",
    "registers",
    "renews its lease in vain: it was fenced",
    "sends",
    "somebody else edits the referral",
    "takes the database for the run's",
    "takes the database for the run's, in vain",
    "takes the span",
    "takes the span, and gives that up while it is on its way",
    "takes the span, and hears no answer",
    "the answer to it is lost",
    "the run is stopped",
    "the standby receives nothing from here on",
    "the standby takes the database's place",
    "waits in vain for an answer that is lost",
    "withdraws its intent",
    "withdraws its intent, in vain",
    "writes an intent",
    "writes an intent, and gives that up while it is on its way",
    "writes an intent, and hears no answer",
    "writes an intent, in vain",
    "writes the outcome",
    "writes the outcome, and gives that up while it is on its way",
    "writes the outcome, and hears no answer",
    "writes the outcome, in vain",
];

#[test]
fn as_designed_nothing_goes_wrong() {
    let found = all(&SCENARIOS.map(|scenario| Rules { scenario, without: &[] }));
    let mut happened = BTreeSet::new();
    for (scenario, found) in SCENARIOS.iter().zip(found) {
        println!("{}: {} states", scenario.name, found.states);
        assert!(found.wrong.is_empty(), "{}:\n{}", scenario.name, ways(&found));
        assert!(found.states > LEAST_STATES, "{}: {} states", scenario.name, found.states);
        happened.extend(found.happened);
    }
    let missing: Vec<&str> = HAPPENS.into_iter().filter(|words| !happened.contains(*words)).collect();
    assert!(missing.is_empty(), "never happens: {missing:?}");
}

#[test]
fn without_a_safeguard_it_goes_wrong_or_another_one_holds() {
    let rules = VARIANTS.map(|variant| Rules { scenario: variant.scenario, without: variant.without });
    for (variant, found) in VARIANTS.iter().zip(all(&rules)) {
        let name = format!("without {:?}, {}", variant.without, variant.scenario.name);
        println!("{name}: {} states\n{}", found.states, ways(&found));
        let wanted = match variant.comes {
            Comes::Found(wrong) => wrong,
            Comes::Covered(by) => {
                println!("  covered by {by}");
                &[]
            }
        };
        let wrong: Vec<Wrong> = found.wrong.keys().copied().collect();
        assert_eq!(wrong, wanted, "{name}:\n{}", ways(&found));
    }
}

#[test]
fn each_safeguard_is_taken_away_alone() {
    let alone: BTreeSet<usize> = VARIANTS
        .iter()
        .filter(|variant| variant.without.len() == 1)
        .map(|variant| variant.without[0] as usize)
        .collect();
    assert!(alone.into_iter().eq(0..=Safeguard::LAST as usize));
}

/// Searches beside one another, as many at a time as there are processors, since each takes a lot of memory.
fn all(rules: &[Rules]) -> Vec<Found> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    let search_on = || {
        while let Some((number, rules)) = rules.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            let is_found = search(rules);
            found.lock().unwrap().insert(number, is_found);
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        (0..threads).for_each(|_| drop(scope.spawn(search_on)));
    });
    found.into_inner().unwrap().into_values().collect()
}

/// What was found, and a shortest way to each.
fn ways(found: &Found) -> String {
    let way = |(what, way): (&Wrong, &Vec<String>)| format!("  {what:?}:\n    {}\n", way.join("\n    "));
    found.wrong.iter().map(way).collect()
}
