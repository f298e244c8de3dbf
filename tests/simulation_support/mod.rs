//! Whole runs in virtual time: the real planner, engine, ledger and settlement against a service that a
//! seed makes up, faults, kills and colleagues included, and that knows what is true.
//!
//! | file | what it holds |
//! |---|---|
//! | `rng` | chance from a seed |
//! | `scenario` | what a seed stands for |
//! | `sight` | what is seen of a referral, and where its version stands |
//! | `truth` | every referral with its history |
//! | `fault`, `answer` | what goes wrong with a request, and what the program hears of it |
//! | `world` | requests on their way, and the steps at which a process may end |
//! | `serving` | what the service does when a request arrives |
//! | `service` | the service as the engine sees it |
//! | `kept` | where the ledger is kept, and what becomes of it from outside |
//! | `planning`, `process` | the program's side: a plan, and the processes that carry it out |
//! | `laws` | what must hold of every request that leaves |
//! | `alone` | what must hold where one referral is poisoned, or a quota says 503 |
//! | `asked` | what the rows ask for, and what nobody asks for |
//! | `account` | what must hold of the books |
//! | `journal` | what happened to each referral, and that the lives of its rows tell just that |
//! | `undone` | what must hold of the way back |
//! | `verifying` | what a verification says long after the run |
//!
//! Everything happens on one thread and in one task, and the ledger is written by hand, in virtual time too.
//! So nothing depends on the machine, and a seed repeats to the letter.

mod account;
mod alone;
mod answer;
mod asked;
mod fault;
mod journal;
mod kept;
mod laws;
mod planning;
mod process;
mod rng;
mod scenario;
mod service;
mod serving;
mod sight;
mod truth;
mod undone;
mod verifying;
mod world;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use referral_bulk::domain::account::Phase;
use referral_bulk::ledger;
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep, timeout};

pub use kept::Backend;
use kept::Kept;
use process::End;
pub use scenario::READ_AHEAD;
use world::World;

/// Longer than any run takes, all pauses included.
const ENOUGH: Duration = Duration::from_secs(60 * 24 * 3_600);

/// What became of a seed.
pub struct Told {
    /// All that happened, in its order.
    pub trace: Vec<String>,
    /// What must not have happened.
    pub broken: Vec<String>,
    /// How often what happened.
    pub tally: BTreeMap<String, u64>,
}

thread_local! {
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The wall clock, which follows the virtual time.
fn clock() -> Timestamp {
    let elapsed = BEGUN.get().expect("a run has begun").elapsed();
    time_at(u64::try_from(elapsed.as_millis()).unwrap())
}

fn time_at(ms: u64) -> Timestamp {
    beginning() + SignedDuration::from_millis(i64::try_from(ms).unwrap())
}

/// The virtual milliseconds of a time.
fn ms(time: Timestamp) -> u64 {
    u64::try_from(time.duration_since(beginning()).as_millis()).unwrap()
}

fn beginning() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

/// Runs a seed, from planning to the last outcome, with all its processes. Where one referral is poisoned and
/// nothing else goes wrong, it is run a second time without that, to see that all others end the same.
pub fn run(seed: u64, backend: Backend, folder: &Path) -> Told {
    let mut world = lived(World::new, seed, Kept::new(backend, folder, "run"));
    if world.is_to_be_compared() {
        let unpoisoned = lived(World::without_poison, seed, Kept::new(backend, folder, "unpoisoned"));
        world.law_of_the_others(&unpoisoned);
    }
    Told {
        trace: std::mem::take(&mut world.trace),
        broken: std::mem::take(&mut world.laws.broken),
        tally: std::mem::take(&mut world.tally),
    }
}

/// Runs the world of a seed to its end, and answers with what it has come to.
fn lived(world: fn(u64) -> World, seed: u64, kept: Kept) -> World {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let world = runtime.block_on(async {
        BEGUN.set(Some(Instant::now()));
        Arc::new(Mutex::new(world(seed)))
    });
    let whole = || runtime.block_on(async { timeout(ENOUGH, whole_run(kept, &world)).await.is_ok() });
    let ended = catch_unwind(AssertUnwindSafe(whole));
    // What was left under way holds the world, too.
    drop(runtime);
    let world = Arc::into_inner(world).expect("nobody else has it any more");
    let mut world = world.into_inner().unwrap_or_else(PoisonError::into_inner);
    let broken = match ended {
        Ok(true) => None,
        Ok(false) => Some("it does not come to an end".to_owned()),
        Err(panic) => Some(panic.downcast_ref::<String>().map_or("a panic", String::as_str).to_owned()),
    };
    world.laws.broken.extend(broken);
    world
}

/// Plans a run, as often as it takes. Answers with where the plan is.
async fn plan(mut kept: Kept, world: &Arc<Mutex<World>>) -> Option<Kept> {
    let mut endings = world.lock().unwrap().scenario.plan_endings.clone().into_iter();
    let mut patient = 3;
    loop {
        let ending = endings.next().unwrap_or_else(|| {
            patient -= 1;
            None
        });
        let calm = patient <= 0;
        let end = planning::plan(&kept, world, calm, ending).await;
        match end {
            planning::End::Sealed => {}
            planning::End::Stopped => {
                let mut world = world.lock().unwrap();
                world.count("stopped while planning");
                world.law_of_planning_on();
            }
            planning::End::Killed(left) => {
                world.lock().unwrap().count("killed while planning");
                kept = left;
            }
        }
        account::check(&kept, false, world).await;
        if ledger::read(kept.address()).await.unwrap().header().phase == Phase::Planned {
            return Some(kept);
        }
        let mut world = world.lock().unwrap();
        if calm {
            world.wrong("nothing goes wrong, and there is no plan");
            return None;
        }
        world.edit_early();
    }
}

async fn whole_run(kept: Kept, world: &Arc<Mutex<World>>) {
    let Some(mut kept) = plan(kept, world).await else { return };
    world.lock().unwrap().journal.begin();
    let mut finished =
        ledger::read(kept.address()).await.unwrap().plan_totals().await.unwrap().remaining == 0;
    let mut endings = world.lock().unwrap().scenario.endings.clone().into_iter();
    world.lock().unwrap().edit_early();
    let mut patient = 3;
    while !finished {
        // After the processes that end before their time a few that don't, and then one without trouble.
        let ending = endings.next().unwrap_or_else(|| {
            patient -= 1;
            None
        });
        let calm = patient <= 0;
        let end = process::carry_on(&kept, world, calm, ending).await;
        let lossy = world.lock().unwrap().end_process();
        match end {
            End::Killed(left) => kept = left,
            End::Ended(Err(error)) if !lossy => {
                world.lock().unwrap().wrong(format!("the ledger failed: {error}"));
            }
            End::Ended(ended) => {
                let mut world = world.lock().unwrap();
                let ended = ended.map_or("the ledger failed".to_owned(), |phase| format!("{phase:?}"));
                world.note(format!("the process has ended: {ended}"));
                world.count(ended);
            }
        }
        account::check(&kept, lossy, world).await;
        finished = ledger::read(kept.address()).await.unwrap().header().phase == Phase::Finished;
        if calm && !finished {
            return world.lock().unwrap().wrong("nothing goes wrong, and the run does not end");
        }
    }
    // What is on its way still, arrives.
    sleep(Duration::from_secs(600)).await;
    {
        let mut world = world.lock().unwrap();
        world.settle();
        account::check_end(&mut world);
    }
    undone::check(&kept, world).await;
    verifying::verify_later(&kept, world).await;
    let mut world = world.lock().unwrap();
    let words: Vec<String> = world.laws.words.values().cloned().collect();
    words.into_iter().for_each(|word| world.count(word));
}
