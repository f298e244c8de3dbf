//! One process that carries a run on: the real engine and the real ledger, driven step by step in virtual
//! time, until it ends by itself or is killed.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context as Waker, Poll};
use std::time::Duration;

use referral_bulk::domain::account::{Phase, RunStats};
use referral_bulk::domain::item::Item;
use referral_bulk::domain::rules::Levels;
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::engine::carry::Limits;
use referral_bulk::engine::in_flight::Flights;
use referral_bulk::engine::{self, Context, Event, Slots, Stop};
use referral_bulk::ledger::{self, LedgerError, ManualWriter};
use referral_bulk::pace::Pace;
use referral_bulk::plan;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::fault::TIMEOUT;
use super::kept::Kept;
use super::scenario::{Ending, Moment};
use super::service::Service;
use super::world::World;
use super::{clock, time_at};

/// How a process came to its end.
#[derive(Debug)]
pub enum End {
    /// By itself, having come so far.
    Ended(Result<Phase, LedgerError>),
    /// It was killed, and left this.
    Killed(Kept),
}

/// Carries a run on. A calm process meets no trouble, and is let be.
pub async fn carry_on(
    kept: &Kept,
    world: &Arc<Mutex<World>>,
    calm: bool,
    ending: Option<(Ending, Moment)>,
) -> End {
    let stop = Stop::default();
    let (rate, concurrency, limits) = {
        let mut world = world.lock().unwrap();
        world.begin_process(kept, &stop, calm, ending);
        let scenario = &world.scenario;
        let finish_by = scenario.finish_by.filter(|_| !calm).map(|after| time_at(world.now() + after));
        let max_errors = if calm { u64::MAX } else { scenario.max_errors };
        let limits = Limits { max_errors, finish_by, enough: scenario.enough };
        (scenario.rate.0, scenario.concurrency, limits)
    };
    let ledger = ledger::open(kept.address()).await.unwrap();
    let (journal, backlog, by_hand) = ledger.start_by_hand(Arc::new(clock)).await.unwrap();
    world.lock().unwrap().begin_ledger(kept.eye());
    let (service, pace) = (Service::new(world), Pace::new(rate.parse().unwrap()));
    let observe = |event: Event| world.lock().unwrap().laws_on_event(&event);
    let rebase = |item: &Item, now: &Snapshot<'_>| plan::rebase(item, now, &Levels::default(), clock());
    let rebases = world.lock().unwrap().scenario.rebase;
    let context = Context {
        api: &service,
        pace: &pace,
        stop: &stop,
        clock,
        slots: Slots::new(concurrency),
        timeout: Duration::from_millis(TIMEOUT),
        flights: Flights::default(),
        observe: &observe,
        counts: Arc::default(),
        rebase: rebases.then_some(&rebase),
    };
    let work = async {
        let ended = engine::carry_out(&context, &backlog, &journal, limits, &mut 0).await;
        let phase = ended.as_ref().copied().unwrap_or(Phase::Stopped);
        journal.clone().finish(phase, &RunStats::default()).await.and(ended)
    };
    let mut disk = Disk { by_hand, turn: None };
    let ended = drive(work, |waker, world| disk.poll(waker, world), world).await;
    // The ledger is left as it is at this moment, before anybody tidies up.
    let end = match ended {
        Some(ended) => End::Ended(ended),
        None => End::Killed(kept.as_left(world.lock().unwrap().log_is_lost())),
    };
    let mut world = world.lock().unwrap();
    world.laws.ledger = None;
    if matches!(end, End::Ended(Ok(Phase::Stopped))) && stop.reason().is_none() {
        world.wrong("it leaves something undone, and nothing has stopped it");
    }
    world.law_of_other_referrals(stop.reason());
    if let Some(reason) = stop.reason() {
        let reason = format!("{reason:?}");
        world.count(format!("stopped: {}", reason.split('(').next().unwrap()));
    }
    end
}

/// Lets the process work, the disk write and time pass, one after another. `None` where it is killed.
pub async fn drive<T>(
    work: impl Future<Output = T>,
    mut disk: impl FnMut(&mut Waker<'_>, &mut World) -> Poll<()>,
    world: &Arc<Mutex<World>>,
) -> Option<T> {
    let mut work = pin!(work);
    let ends_at = world.lock().unwrap().ends_at();
    let mut end = ends_at.map(|at| {
        let begun = Instant::now() - Duration::from_millis(world.lock().unwrap().now());
        Box::pin(sleep_until(begun + Duration::from_millis(at)))
    });
    poll_fn(|waker| {
        loop {
            if end.as_mut().is_some_and(|end| end.as_mut().poll(waker).is_ready()) {
                end = None;
                world.lock().unwrap().end_now();
            }
            let worked = work.as_mut().poll(waker);
            let mut world = world.lock().unwrap();
            world.look_for_stop();
            if world.is_killed() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(ended) = worked {
                return Poll::Ready(Some(ended));
            }
            let written = disk(waker, &mut world);
            if world.is_killed() {
                return Poll::Ready(None);
            }
            if written.is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// The ledger's writer, which takes its time.
struct Disk {
    by_hand: ManualWriter,
    /// Until the next transaction is on disk.
    turn: Option<Pin<Box<Sleep>>>,
}

impl Disk {
    /// Writes what waits once its time has come. There may be nothing that waits: only writing tells.
    fn poll(&mut self, waker: &mut Waker<'_>, world: &mut World) -> Poll<()> {
        let turn = self.turn.get_or_insert_with(|| {
            let (first, last) = world.scenario.disk;
            Box::pin(sleep(Duration::from_millis(world.rng.between(first, last))))
        });
        if turn.as_mut().poll(waker).is_pending() {
            return Poll::Pending;
        }
        self.turn = None;
        if !world.step("before a transaction") {
            return Poll::Ready(());
        }
        let most = usize::try_from(world.rng.between(1, world.scenario.batch as u64)).unwrap();
        if !self.by_hand.write(most) {
            return Poll::Pending;
        }
        world.note(format!("up to {most} records are written"));
        world.step("after a transaction");
        Poll::Ready(())
    }
}
