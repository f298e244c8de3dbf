//! The service: what it is asked arrives, takes effect and is answered in virtual time.

use std::collections::{BTreeMap, BTreeSet};

use referral_bulk::api::PageLink;
use referral_bulk::domain::exchange::{Failure, Journaled, Reply};
use referral_bulk::domain::referral::{ETag, ReferralId};
use referral_bulk::engine::{Stop, StopReason};
use tokio::time::Instant;
use uuid::Uuid;

use super::answer;
use super::fault::{Fate, Fault};
use super::journal::Journal;
use super::kept::Kept;
use super::laws::Laws;
use super::rng::Rng;
use super::scenario::{Ending, Look, Moment, READ_AHEAD, Scenario};
use super::truth::{Truth, id};

/// What a request asks for.
#[derive(Debug, Clone)]
pub enum Ask {
    Get(ReferralId),
    List(Listing),
    Patch { id: ReferralId, etag: Option<ETag>, document: String, client_request_id: Uuid },
}

/// Which part of the list is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Listing {
    /// Whether what was changed last is to come first.
    pub is_ordered: bool,
    pub skip: usize,
}

impl Listing {
    /// What a link asks for that the program has.
    pub fn of(link: &PageLink) -> Self {
        if *link == PageLink::latest_first() {
            return Self { is_ordered: true, skip: 0 };
        }
        let mut all = (1..100).flat_map(|skip| [false, true].map(|is_ordered| Self { is_ordered, skip }));
        all.find(|listing| listing.link() == *link).expect("it is a link of ours")
    }

    /// The link to it.
    pub fn link(self) -> PageLink {
        PageLink::filtered(&format!("{self:?}")).unwrap()
    }
}

impl Ask {
    pub fn of_ticket(ticket: &impl Journaled) -> Self {
        Self::Patch {
            id: ticket.id(),
            etag: ticket.etag().cloned(),
            document: ticket.document().to_owned(),
            client_request_id: ticket.client_request_id(),
        }
    }

    pub fn id(&self) -> Option<ReferralId> {
        match self {
            Self::Get(id) | Self::Patch { id, .. } => Some(*id),
            Self::List(_) => None,
        }
    }
}

/// A request that is on its way, or whose answer is.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub number: u64,
    /// Milliseconds until the program hears of it.
    pub takes: u64,
}

/// A request on its way to the service.
#[derive(Debug)]
pub struct Arrival {
    pub call: u64,
    pub ask: Ask,
    pub fate: Fate,
    pub token: u64,
}

pub type Answer = Result<Reply, Failure>;

/// Everything that the program does not know, and a watch on what it does.
pub struct World {
    pub scenario: Scenario,
    pub rng: Rng,
    pub laws: Laws,
    pub journal: Journal,
    pub trace: Vec<String>,
    /// How often what happened.
    pub tally: BTreeMap<String, u64>,
    begun: Instant,
    pub(super) truths: Vec<Truth>,
    pub(super) numbers: BTreeMap<ReferralId, usize>,
    on_the_way: BTreeMap<(u64, u64), Arrival>,
    /// Of requests that somebody waits for, what becomes of them and what is answered.
    pub(super) waiting: BTreeMap<u64, (Fate, Option<Answer>)>,
    calls: u64,
    pub(super) edits: usize,
    /// When requests were answered lately.
    pub(super) answered: Vec<u64>,
    pub(super) token: Token,
    pub(super) process: Process,
    /// Referrals that somebody took away after the run.
    pub(super) gone: BTreeSet<ReferralId>,
}

#[derive(Debug, Default)]
pub(super) struct Token {
    pub(super) generation: u64,
    pub(super) good_until: Option<u64>,
    /// None is to be had any more in this process.
    lost: bool,
}

/// What holds for one process.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub(super) calm: bool,
    /// Where its ledger is.
    kept: Option<Kept>,
    /// Whether its ledger was taken away.
    robbed: bool,
    stop: Option<Stop>,
    steps: u64,
    begun: u64,
    ending: Option<(Ending, Moment)>,
    /// Whether nobody was ever to end it.
    pub(super) is_let_be: bool,
    /// Referrals that it has changed.
    pub(super) changed: BTreeSet<ReferralId>,
    killed: bool,
    /// Whether the ledger's log is lost with it.
    log_lost: bool,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut scenario = Scenario::draw(&mut rng);
        if seed >= READ_AHEAD && scenario.look == Look::Live {
            scenario.look = Look::LiveAhead;
        }
        let truths: Vec<Truth> =
            scenario.referrals.iter().cloned().enumerate().map(|(at, state)| Truth::new(at, state)).collect();
        let numbers = (0..truths.len()).map(|at| (id(at).parse().unwrap(), at)).collect();
        let mut world = Self {
            rng,
            laws: Laws::default(),
            journal: Journal::default(),
            trace: Vec::new(),
            tally: BTreeMap::new(),
            begun: Instant::now(),
            truths,
            numbers,
            on_the_way: BTreeMap::new(),
            waiting: BTreeMap::new(),
            calls: 0,
            edits: 0,
            answered: Vec::new(),
            token: Token::default(),
            process: Process::default(),
            gone: BTreeSet::new(),
            scenario,
        };
        world.token.good_until = world.scenario.token_life;
        world
    }

    /// The same, where no referral is poisoned.
    pub fn without_poison(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.scenario.poison = None;
        world
    }

    /// Virtual milliseconds since the beginning.
    pub fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap()
    }

    pub fn note(&mut self, what: impl AsRef<str>) {
        let line = format!("{:>8} {}", self.now(), what.as_ref());
        self.trace.push(line);
    }

    pub fn count(&mut self, what: impl Into<String>) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    /// Something that must not be.
    pub fn wrong(&mut self, what: impl AsRef<str>) {
        self.note(format!("WRONG: {}", what.as_ref()));
        self.laws.broken.push(what.as_ref().to_owned());
    }

    pub fn truth(&self, id: ReferralId) -> &Truth {
        &self.truths[self.numbers[&id]]
    }

    /// A process begins. In a calm one nothing goes wrong, and nobody ends it.
    pub fn begin_process(&mut self, kept: &Kept, stop: &Stop, calm: bool, ending: Option<(Ending, Moment)>) {
        let (begun, kept) = (self.now(), Some(kept.clone()));
        self.token.lost = false;
        let (stop, is_let_be) = (Some(stop.clone()), ending.is_none());
        self.process = Process { calm, kept, stop, begun, ending, is_let_be, ..Process::default() };
        self.laws.begin_process();
        self.note(format!("a process begins, calm: {calm}, ends: {ending:?}"));
    }

    /// Whoever looks at the referrals begins, with nothing that goes wrong. Answers with the process before.
    pub(super) fn begin_to_look(&mut self) -> Process {
        self.token.lost = false;
        self.laws.begin_process();
        self.note("a verification begins");
        std::mem::replace(&mut self.process, Process { calm: true, ..Process::default() })
    }

    /// The process is over. Answers whether anything of it was lost on its way to the disk.
    pub fn end_process(&mut self) -> bool {
        if self.process.robbed {
            self.kept().put_back();
        }
        self.process.killed || self.process.robbed
    }

    fn kept(&self) -> &Kept {
        self.process.kept.as_ref().expect("a process has a ledger")
    }

    pub fn is_killed(&self) -> bool {
        self.process.killed
    }

    /// Whether the log of its ledger is lost with the process.
    pub fn log_is_lost(&self) -> bool {
        self.process.log_lost
    }

    /// When the process comes to its end by the clock.
    pub fn ends_at(&self) -> Option<u64> {
        match self.process.ending {
            Some((_, Moment::After(time))) => Some(self.process.begun + time),
            _ => None,
        }
    }

    /// A step of the process. It may be its last: then nothing of it is carried on with.
    pub fn step(&mut self, what: &str) -> bool {
        if self.process.killed {
            return false;
        }
        self.process.steps += 1;
        if let Some((ending, Moment::Step(step))) = self.process.ending
            && step == self.process.steps
        {
            self.count(format!("{ending:?} at: {what}"));
            self.strike(ending, what);
        }
        !self.process.killed
    }

    /// Ends the process as it was to be.
    pub fn end_now(&mut self) {
        if let Some((ending, Moment::After(_))) = self.process.ending.take() {
            self.count(format!("{ending:?} by the clock"));
            self.strike(ending, "by the clock");
        }
    }

    fn strike(&mut self, ending: Ending, what: &str) {
        self.note(format!("{ending:?}, {what}"));
        self.process.ending = None;
        match ending {
            Ending::Kill => self.process.killed = true,
            Ending::Lose => (self.process.killed, self.process.log_lost) = (true, self.kept().has_log()),
            Ending::Interrupt => {
                self.process.stop.clone().unwrap().now(StopReason::Interrupted);
                if self.rng.chance(30) {
                    let later = self.process.steps + self.rng.between(1, 8);
                    self.process.ending = Some((Ending::Kill, Moment::Step(later)));
                }
            }
            Ending::Rob => {
                self.process.robbed = true;
                self.laws.rob();
                self.kept().take_away();
            }
        }
    }

    /// Whether the process has been told to stop, by whomever.
    pub fn is_stopping(&self) -> bool {
        self.process.stop.as_ref().is_some_and(Stop::is_set)
    }

    /// A request leaves. `None` where the process ends before or after it.
    pub fn begin_call(&mut self, ask: Ask) -> Option<Call> {
        self.settle();
        let (kind, about) = (kind(&ask), ask.id().map(|id| self.numbers[&id]));
        if !self.step(&format!("{kind} before it leaves")) {
            return None;
        }
        self.calls += 1;
        let (now, number) = (self.now(), self.calls);
        let fate = self.fate(&ask);
        self.note(format!("{kind} {about:?} leaves as {number}: {fate:?}"));
        self.laws_on_leaving(number, &ask);
        if let Some(fault) = fate.fault {
            self.count(format!("{kind}: {fault:?} {:?}", fate.effect));
        }
        if fate.arrives_at_all() {
            let arrival = Arrival { call: number, ask, fate, token: self.token.generation };
            self.on_the_way.insert((now + fate.arrives, number), arrival);
        }
        self.waiting.insert(number, (fate, None));
        if !self.step(&format!("{kind} after it left")) {
            self.drop_call(number);
            return None;
        }
        Some(Call { number, takes: fate.ends })
    }

    fn fate(&mut self, ask: &Ask) -> Fate {
        let (faults, percent) = &self.scenario.faults;
        let percent = if matches!(ask, Ask::Patch { .. }) { *percent } else { percent / 2 };
        let mut fault = (!self.process.calm && self.rng.chance(percent)).then(|| self.rng.pick(faults));
        if let Some(outage) = self.scenario.outage.filter(|_| !self.process.calm)
            && (outage.from..outage.until).contains(&self.now())
            && (matches!(ask, Ask::Patch { .. }) || !outage.changes_alone)
        {
            fault = Some(outage.fault);
        }
        if !matches!(ask, Ask::Patch { .. })
            && matches!(
                fault,
                Some(Fault::Stale | Fault::Echo | Fault::Ignored | Fault::Overwritten | Fault::Conflict)
            )
        {
            fault = None;
        }
        // What is bound to no version can't show that it is at the one from before.
        if matches!(ask, Ask::Patch { etag: None, .. }) && fault == Some(Fault::Echo) {
            fault = None;
        }
        Fate::draw(fault, self.scenario.latency, &mut self.rng)
    }

    /// The program hears of a request. `None` where the process ends at this very moment.
    pub fn end_call(&mut self, call: Call) -> Option<Answer> {
        self.settle();
        if !self.step("an answer arrives") {
            return None;
        }
        let (fate, answer) = self.waiting.remove(&call.number).expect("a call ends once");
        let answer = answer.unwrap_or_else(|| answer::without_arrival(fate));
        let heard = match &answer {
            Ok(reply) => format!("{} {}", reply.status, reply.body),
            Err(failure) => format!("{failure:?}"),
        };
        self.note(format!("{} ends: {heard}", call.number));
        self.laws_on_answer(call.number, &answer);
        let sight = self.scenario.sight;
        Some(answer.map(|reply| sight.dressed(reply)))
    }

    /// Nobody waits for a request any more.
    pub fn drop_call(&mut self, call: u64) {
        self.waiting.remove(&call);
        self.laws.closed(call);
    }

    /// Lets everything take effect that is due by now.
    pub fn settle(&mut self) {
        let now = self.now();
        while let Some(first) = self.on_the_way.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, _), arrival) = first.remove_entry();
            self.arrive(at, arrival);
        }
    }

    /// Which token is sent.
    pub fn token(&self) -> u64 {
        self.token.generation
    }

    pub fn token_is_lost(&self) -> bool {
        self.token.lost
    }

    /// Another token, if one is to be had.
    pub fn renew(&mut self) -> Result<(), Failure> {
        let fails = !self.process.calm && self.rng.chance(self.scenario.lost_refreshes);
        self.note(format!("a token is fetched, in vain: {fails}"));
        self.count(if fails { "a refresh that fails" } else { "a refresh" });
        self.token.lost = fails;
        if fails {
            return Err(answer::no_token());
        }
        self.token.generation += 1;
        self.token.good_until = self.scenario.token_life.map(|life| self.now() + life);
        Ok(())
    }
}

fn kind(ask: &Ask) -> &'static str {
    match ask {
        Ask::Get(_) => "GET",
        Ask::List(_) => "list",
        Ask::Patch { .. } => "PATCH",
    }
}
