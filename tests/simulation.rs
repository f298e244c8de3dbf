//! Whole runs by the thousand, each from a seed: planned, carried out, killed, resumed, accounted for. A seed
//! that fails is printed with all that happened, and repeats to the letter:
//!
//! ```text
//! REFERRAL_BULK_SEED=1234 cargo test --test simulation -- --nocapture
//! REFERRAL_BULK_SEEDS=50000 cargo test --test simulation          # on each backend
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "whoever repeats a seed wants to read what happens in it")]

mod simulation_support;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use simulation_support::{Backend, READ_AHEAD, Told, run};

/// An absolute number of seeds for each backend, unless the environment says otherwise. In memory more of them fit
/// into the same time.
const SEEDS: [(Backend, u64); 2] = [(Backend::Sqlite, 2_000), (Backend::Memory, 4_000)];

/// What has to happen in that many seeds, lest they show nothing: words that begin a line of the tally.
const HAPPENS: [&str; 101] = [
    "a step is told",
    "PATCH: NotSent",
    "PATCH: Reset None",
    "PATCH: Reset Now",
    "PATCH: Reset Late",
    "PATCH: TimeOut None",
    "PATCH: TimeOut Now",
    "PATCH: TimeOut Late",
    "PATCH: Half None",
    "PATCH: Half Now",
    "PATCH: ServerError None",
    "PATCH: ServerError Now",
    "PATCH: ProxyPage None",
    "PATCH: ProxyPage Now",
    "PATCH: Garbage",
    "PATCH: AnotherReferral",
    "PATCH: Stale None",
    "PATCH: Stale Now",
    "PATCH: Hollow",
    "PATCH: Echo None",
    "PATCH: Echo Now",
    "PATCH: Ignored",
    "PATCH: Unready None",
    "PATCH: Unready Now",
    "a look that lags behind",
    "a list that lags behind",
    "a list that takes no order",
    "a list page shows what was answered",
    "a list page has confirmed it",
    "a page confirms all but one",
    "PATCH: Overwritten",
    "PATCH: Conflict",
    "PATCH: Refused",
    "PATCH: Locked",
    "PATCH: Throttled",
    "PATCH: Unauthorized",
    "GET: Reset",
    "GET: ServerError",
    "GET: Throttled",
    "GET: AnotherReferral",
    "the circuit opens, for changes alone: false",
    "the circuit opens, for changes alone: true",
    "the circuit closes",
    "a referral that is shown in part",
    "stopped: Unreachable",
    "stopped: Unreadable",
    "an expired token",
    "a refresh that fails",
    "a quota that is used up",
    "a 503 for load",
    "poisoned: 401",
    "poisoned: 429",
    "poisoned: 503",
    "poisoned: 509",
    "one referral is poisoned, and others are changed",
    "poisoned, and it ends by name",
    "the others are compared",
    "refused, poisoned",
    "Kill at: PATCH before it leaves",
    "Kill at: PATCH after it left",
    "Kill at: an answer arrives",
    "Kill at: before a transaction",
    "Kill at: after a transaction",
    "Kill at: GET after it left",
    "Kill by the clock",
    "Kill at: list after it left",
    "Kill at: before the inputs are kept",
    "Kill at: after the inputs are kept",
    "Kill at: before the plan is sealed",
    "Kill at: after the plan is sealed",
    "stopped while planning",
    "killed while planning",
    "Interrupt at: PATCH after it left",
    "Interrupt by the clock",
    "Lose at: PATCH before it leaves",
    "Lose at: PATCH after it left",
    "Lose at: an answer arrives",
    "Lose at: after a transaction",
    "a process begins with a contradiction",
    "Rob at: PATCH after it left",
    "Rob at: after a transaction",
    "applied, applied",
    "applied, rebased",
    "partial, partly-taken",
    "unchanged",
    "conflict",
    "invalid",
    "invalid, incomplete-state",
    "refused",
    "failed",
    "unknown",
    "verified: still-ours",
    "verified: changed-since",
    "verified: gone",
    "taken back",
    "the way back is a conflict",
    "stays: closed",
    "stays: transition",
    "stays: did-not-exist",
    "stays: not-seen",
    "stays: in-doubt",
];

/// What only a ledger in files can lose.
const HAPPENS_TO_FILES: [&str; 1] = ["a log that is missed"];

#[test]
fn what_is_promised_holds_whatever_happens_in_files() {
    holds(Backend::Sqlite);
}

#[test]
fn what_is_promised_holds_whatever_happens_in_memory() {
    holds(Backend::Memory);
}

fn holds(backend: Backend) {
    let (_, usual) = SEEDS.into_iter().find(|(kept, _)| *kept == backend).unwrap();
    let one = variable("REFERRAL_BULK_SEED");
    let seeds = one.map_or(0..variable("REFERRAL_BULK_SEEDS").unwrap_or(usual), |seed| seed..seed + 1);
    let count = seeds.end - seeds.start;
    let (tally, failed) = all(seeds, backend);
    for (what, count) in &tally {
        println!("{count:>8} {what}");
    }
    let files = HAPPENS_TO_FILES.into_iter().filter(|_| backend == Backend::Sqlite);
    let happened = |what: &str| tally.keys().any(|happened| happened.starts_with(what));
    let missing: Vec<_> = HAPPENS.into_iter().chain(files).filter(|what| !happened(what)).collect();
    assert!(count < usual || missing.is_empty(), "it never happened: {missing:?}");
    if let Some(seed) = one {
        println!("{}", alone(seed, backend).trace.join("\n"));
    }
    let Some((seed, first)) = failed.first_key_value() else { return };
    let list: Vec<String> = failed.iter().map(|(seed, told)| format!("{seed}: {}", told.broken[0])).collect();
    panic!(
        "{}\n\nseed {seed}, {backend:?}:\n{}\n\n{} of {count} seeds failed:\n{}",
        first.trace.join("\n"),
        first.broken.join("\n"),
        failed.len(),
        list.join("\n")
    );
}

/// Runs seeds on all processors. Answers how often what happened, and with the seeds that failed.
fn all(seeds: Range<u64>, backend: Backend) -> (BTreeMap<String, u64>, BTreeMap<u64, Told>) {
    let (next, all) = (AtomicU64::new(seeds.start), Mutex::new((BTreeMap::new(), BTreeMap::new())));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !seeds.contains(&seed) {
                return;
            }
            let told = alone(seed, backend);
            let (tally, failed) = &mut *all.lock().unwrap();
            for (what, count) in &told.tally {
                *tally.entry(what.clone()).or_insert(0) += count;
            }
            if !told.broken.is_empty() {
                failed.insert(seed, told);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
            scope.spawn(work);
        }
    });
    all.into_inner().unwrap()
}

/// A plan that begins with single reads, as it does where pages are thought to spare none.
#[test]
fn what_is_promised_holds_where_a_plan_reads_ahead() {
    let (_, failed) = all(READ_AHEAD..READ_AHEAD + 600, Backend::Memory);
    let told: Vec<String> = failed.iter().map(|(seed, told)| format!("{seed}: {}", told.broken[0])).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn a_seed_repeats_to_the_letter() {
    for (backend, seed) in SEEDS.into_iter().flat_map(|(backend, _)| (0..40).map(move |seed| (backend, seed)))
    {
        is_the_same(&alone(seed, backend), &alone(seed, backend), seed);
    }
}

/// Nothing that a run does hangs on what keeps its ledger, unless that loses what was written.
#[test]
fn a_seed_goes_the_same_way_whatever_keeps_its_ledger() {
    let mut same = 0;
    for seed in 0..200 {
        let in_memory = alone(seed, Backend::Memory);
        if !in_memory.tally.keys().any(|what| what.starts_with("Lose")) {
            is_the_same(&alone(seed, Backend::Sqlite), &in_memory, seed);
            same += 1;
        }
    }
    assert!(same > 100, "{same} seeds lose nothing");
}

/// Whether the same happened twice, in the same order.
fn is_the_same(once: &Told, again: &Told, seed: u64) {
    let differs = once.trace.iter().zip(&again.trace).find(|(one, other)| one != other);
    assert_eq!(differs, None, "seed {seed}");
    assert_eq!(once.trace.len(), again.trace.len(), "seed {seed}");
}

/// A seed in a folder of its own, where it is kept in files.
fn alone(seed: u64, backend: Backend) -> Told {
    run(seed, backend, tempfile::tempdir_in(memory()).unwrap().path())
}

/// Where files lie in memory, if there is such a place. What a process leaves that is killed does not depend on
/// it: that is what the system holds, synced or not.
fn memory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

#[expect(clippy::disallowed_methods, reason = "how many seeds is said to the test from outside")]
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}
