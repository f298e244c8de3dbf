//! A plan, made by the program's own parts from the scenario's rows, by a process that may be killed over it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use referral_bulk::domain::account::{RowRecord, RunStats, Settled};
use referral_bulk::domain::change::Rejected;
use referral_bulk::domain::exchange::Failure;
use referral_bulk::domain::format::Format;
use referral_bulk::domain::outcome::{Outcome, Verdict};
use referral_bulk::domain::referral::ReferralId;
use referral_bulk::domain::rules::Levels;
use referral_bulk::domain::run_spec::{OnConflict, PlanSpec, RunSpec, StateSource};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::domain::subject::Subject;
use referral_bulk::engine::fetch::{Beginning, Coverage, Survey, fetch_referrals};
use referral_bulk::engine::in_flight::Flights;
use referral_bulk::engine::{Context, Slots, Stop};
use referral_bulk::input;
use referral_bulk::ledger::{self, Ledger, LedgerError, Planning};
use referral_bulk::pace::Pace;
use referral_bulk::plan::{Judging, Planned, Planner};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::clock;
use super::fault::TIMEOUT;
use super::kept::Kept;
use super::laws::Action;
use super::process::drive;
use super::scenario::{Ending, Look, Moment};
use super::service::Service;
use super::world::World;

thread_local! {
    static IDS: Cell<u64> = const { Cell::new(0) };
}

fn new_id() -> Uuid {
    IDS.set(IDS.get() + 1);
    Uuid::from_u64_pair(1, IDS.get())
}

/// How a process that plans came to its end.
#[derive(Debug)]
pub enum End {
    /// The plan is complete.
    Sealed,
    /// It was stopped before that.
    Stopped,
    /// It was killed, and left this.
    Killed(Kept),
}

/// Plans a run, or again where planning it did not come to its end. A calm process meets no
/// trouble, and is let be.
pub async fn plan(
    kept: &Kept,
    world: &Arc<Mutex<World>>,
    calm: bool,
    ending: Option<(Ending, Moment)>,
) -> End {
    let stop = Stop::default();
    {
        let mut world = world.lock().unwrap();
        world.begin_process(kept, &stop, calm, ending);
        world.laws.begin_plan();
    }
    IDS.set(0);
    let mut desk = Desk::begin(kept, world).await;
    let ended = drive(desk.plan(&stop), |_, _| Poll::Pending, world).await;
    // The desk outlives the work: the ledger is as it was at that moment.
    ended.unwrap_or_else(|| End::Killed(kept.as_left(false)))
}

struct Desk {
    planner: Planner,
    /// Until the plan is complete.
    planning: Option<Planning>,
    /// Once it is.
    sealed: Option<Ledger>,
    world: Arc<Mutex<World>>,
}

impl Desk {
    async fn begin(kept: &Kept, world: &Arc<Mutex<World>>) -> Self {
        let inputs = vec!["-".to_owned()];
        let planner = Planner::new(Judging { levels: Levels::default(), now: clock(), new_id, inputs });
        let planning = if ledger::is_taken(kept.address()).await {
            ledger::open(kept.address()).await.unwrap().plan_again().await.unwrap().0
        } else {
            ledger::create(kept.address(), &about()).await.unwrap()
        };
        Self { planner, planning: Some(planning), sealed: None, world: Arc::clone(world) }
    }

    fn planning(&mut self) -> &mut Planning {
        self.planning.as_mut().unwrap()
    }

    /// A step of the process, at which it may be killed: then this never ends.
    async fn step(&self, what: &str) {
        let goes_on = self.world.lock().unwrap().step(what);
        if !goes_on {
            pending::<()>().await;
        }
    }

    async fn plan(&mut self, stop: &Stop) -> End {
        self.read();
        self.step("before the inputs are kept").await;
        self.planning().keep().await.unwrap();
        self.step("after the inputs are kept").await;
        self.fetch_referrals(stop).await;
        self.step("before the plan is sealed").await;
        let planning = self.planning.take().unwrap();
        if stop.is_set() {
            planning.abandon(&RunStats::default()).await.unwrap();
            return End::Stopped;
        }
        self.sealed = Some(planning.seal(&RunStats::default()).await.unwrap());
        self.step("after the plan is sealed").await;
        End::Sealed
    }

    fn read(&mut self) {
        let rows = self.world.lock().unwrap().scenario.rows.join("\n");
        let options =
            input::Options { format: Some(Format::Jsonl), clear: true, ..input::Options::default() };
        let mut row = 0;
        let read = input::read("-", Some(&mut rows.as_bytes()), 0, &options, &mut |record| {
            row += 1;
            self.row(row, record)
        });
        self.planning().input(0, &read.unwrap().info).unwrap();
        for planned in self.planner.decided().unwrap() {
            self.write(Some(planned)).unwrap();
        }
    }

    async fn fetch_referrals(&mut self, stop: &Stop) {
        let (how, rate, concurrency) = {
            let scenario = &self.world.lock().unwrap().scenario;
            (scenario.look, scenario.rate.0, scenario.concurrency)
        };
        match how {
            Look::Live | Look::LiveAhead => {
                let (service, pace) = (Service::new(&self.world), Pace::new(rate.parse().unwrap()));
                let context = Context {
                    api: &service,
                    pace: &pace,
                    stop,
                    clock,
                    slots: Slots::new(concurrency),
                    timeout: Duration::from_millis(TIMEOUT),
                    flights: Flights::default(),
                    observe: &|_| {},
                    counts: Arc::default(),
                    rebase: None,
                };
                let beginning = if how == Look::LiveAhead { Beginning::Singles } else { Beginning::Pages };
                fetch_referrals(&context, self, beginning).await.unwrap();
            }
            Look::Snapshot => self.look_at_snapshot(|_| {}),
            Look::WithoutEtags => self.look_at_snapshot(|members| drop(members.remove("eTag"))),
            Look::Blind => {
                for id in self.planner.wanted() {
                    let planned = self.planner.plan(id, None, |_| false).unwrap();
                    self.write(planned).unwrap();
                }
            }
        }
    }

    fn row(&mut self, row: u64, record: input::Record) -> Result<(), LedgerError> {
        let input::Record { place, text, parsed, notes, matched, .. } = record;
        let (id, item, verdict, findings) = match parsed {
            Ok(draft) => (Some(draft.id), Some(self.planner.add(row, draft).unwrap()), None, notes),
            Err(mut rejected) => {
                let findings = std::mem::take(&mut rejected.findings);
                let verdict = Verdict::invalid(&findings);
                let Rejected { id, .. } = rejected;
                (id, self.planner.add_rejected(row, rejected).unwrap(), Some(verdict), findings)
            }
        };
        self.planning().row(&RowRecord { row, place, id, text, item, verdict, findings, matched })
    }

    fn look_at_snapshot(&mut self, change: impl Fn(&mut Map<String, Value>)) {
        let world = Arc::clone(&self.world);
        let states = world.lock().unwrap().a_snapshot();
        for mut state in states {
            change(state.as_object_mut().unwrap());
            self.take(&Snapshot::in_part(&state.to_string()).unwrap(), true).unwrap();
        }
    }

    fn take(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<Coverage, LedgerError> {
        let id = referral.id();
        if !self.planner.wants(id) {
            return Ok(Coverage::Unwanted);
        }
        let planned = self
            .planner
            .plan(id, Some(referral), |planned| !last_word && planned.needs_whole_referral())
            .unwrap();
        if self.planner.wants(id) {
            return Ok(Coverage::Incomplete);
        }
        self.write(planned.map(|planned| Planned { subject: Subject::of(referral), ..planned }))?;
        Ok(Coverage::Complete)
    }

    fn write(&mut self, planned: Option<Planned>) -> Result<(), LedgerError> {
        let Some(Planned { item, verdict, seen, theirs, audit, subject, .. }) = planned else {
            return Ok(());
        };
        let settled = verdict.map(|verdict| Settled { verdict, etag: seen, theirs, at: clock() });
        self.planning().item(&item, settled.as_ref(), audit.as_ref(), subject.as_ref())?;
        let mut world = self.world.lock().unwrap();
        world.note(format!("planned: {} {:?} {} {settled:?}", item.id, item.etag, item.patch));
        world.laws.deeds.insert(item.id, Action::new(item));
        Ok(())
    }
}

impl Survey for Desk {
    type Error = LedgerError;

    fn wanted(&self) -> Vec<ReferralId> {
        self.planner.wanted()
    }

    fn remaining(&self) -> usize {
        self.planner.remaining()
    }

    async fn seen(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<Coverage, LedgerError> {
        self.take(referral, last_word)
    }

    async fn seen_ahead(&mut self, referral: &Snapshot<'_>) -> Result<Coverage, LedgerError> {
        let id = referral.id();
        let planned = self.planner.plan(id, Some(referral), |planned| planned.verdict.is_some()).unwrap();
        if self.planner.wants(id) {
            return Ok(Coverage::Incomplete);
        }
        self.write(planned.map(|planned| Planned { subject: Subject::of(referral), ..planned }))?;
        Ok(Coverage::Complete)
    }

    async fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), LedgerError> {
        let verdict = Verdict::new(Outcome::Failed, failure.code(), failure.message());
        let planned = self.planner.absent(id, verdict);
        self.write(planned)
    }
}

fn about() -> RunSpec {
    RunSpec {
        program: "0.0.0".to_owned(),
        command: "apply".to_owned(),
        created: Timestamp::UNIX_EPOCH,
        correlation_id: Uuid::nil(),
        target: "simulation".to_owned(),
        asked: PlanSpec {
            files: vec!["-".to_owned()],
            format: Some(Format::Jsonl),
            state: StateSource::Live,
            levels: Levels::default(),
            allow_paths: BTreeSet::new(),
            clear: true,
            on_conflict: OnConflict::Report,
            migrating: None,
            decimal: None,
            left_alone: Vec::new(),
            mapped: Vec::new(),
            portal_reasons: BTreeMap::new(),
            sheet: None,
            base: None,
            matching: None,
            priority: None,
            waves: None,
        },
        plan_only: false,
        reason: None,
        directory: None,
        order: None,
        waves: None,
        requires_approval: false,
    }
}
