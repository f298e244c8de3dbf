//! All there is at one moment: the ledger, its standby, the service, both workers, and what may still happen. What
//! happens by itself is here; what workers do is in [`worker`](crate::worker).

use std::collections::BTreeSet;

use crate::ledger::{Lease, Ledger, RequestId, Statement, Verdict, Who};
use crate::rules::{Left, Rules, Safeguard};
use crate::service::{Message, Service};
use crate::step::{Does, How, Step};
use crate::truth::Wrong;
use crate::worker::{Stage, Worker};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub ledger: Ledger,
    /// What the standby has, once it receives nothing any more.
    pub standby: Option<Box<Ledger>>,
    /// A statement that its worker gave up, and that may still be carried out.
    pub given_up: Option<(Lease, Statement)>,
    pub service: Service,
    /// `None` for one that has no lease.
    pub workers: [Option<Worker>; 2],
    pub left: Left,
    /// The number of request ids that were made up.
    pub requests: u8,
    pub breaches: BTreeSet<Wrong>,
}

impl World {
    pub fn new(rules: &Rules) -> Self {
        Self {
            ledger: Ledger::new(),
            standby: None,
            given_up: None,
            service: Service::new(),
            workers: [None, None],
            left: rules.scenario.left,
            requests: 0,
            breaches: BTreeSet::new(),
        }
    }

    /// The item has its outcome, or needs none.
    pub fn is_over(&self) -> bool {
        self.ledger.outcome.is_some() || self.ledger.is_stopped
    }

    /// Whether a worker has a lease that holds, or can register.
    pub fn may_go_on(&self, who: Who, rules: &Rules) -> bool {
        let holds = |worker: Worker| self.ledger.is_held(worker.lease, rules);
        self.may_register(who, rules) || self.workers[who as usize].is_some_and(holds)
    }

    /// In a search there is a limited number of registrations. Nothing tells the workers apart, so it may as well be A
    /// that begins.
    pub fn may_register(&self, who: Who, rules: &Rules) -> bool {
        self.left.leases > 0 && (who == Who::A || self.left.leases < rules.scenario.left.leases)
    }

    /// The steps that can follow, each with what it leads to.
    pub fn steps(&self, rules: &Rules) -> Vec<(Step, World)> {
        let mut ways = Ways { world: self, rules, steps: Vec::new() };
        for who in [Who::A, Who::B] {
            ways.of_worker(who);
        }
        ways.of_the_network();
        ways.of_others();
        ways.of_the_database();
        ways.steps
    }

    /// Carries a statement out, and notes where it should have been refused. Returns whether it was done.
    pub fn carry_out(&mut self, statement: Statement, by: Lease, rules: &Rules) -> bool {
        let before = self.ledger.clone();
        let is_done = self.ledger.carry_out(statement, by, rules);
        if is_done {
            self.breaches.extend(breaches(statement, by, &before));
        }
        is_done
    }

    /// A request arrives. Its answer is on its way then, if somebody waits for it.
    fn arrive(&mut self, who: Who, request: RequestId, rules: &Rules) {
        let answer = self.service.patch(rules);
        if self.is_waited_for(request) {
            self.service.on_the_way.insert(request, Message::Answer(who, answer));
        } else {
            self.service.on_the_way.remove(&request);
        }
    }

    fn is_waited_for(&self, request: RequestId) -> bool {
        let waits = |worker: &Worker| matches!(worker.stage, Stage::Waiting(_, sent) if sent == request);
        self.workers.iter().flatten().any(waits)
    }
}

/// What is wrong with a statement that was carried out, going by what was on record before.
fn breaches(statement: Statement, by: Lease, before: &Ledger) -> Vec<Wrong> {
    let is_holder = before.span == Some(by.id)
        && before.leases.get(by.id).is_some_and(|row| !row.has_ended && row.key == by.key);
    let found = match statement {
        Statement::Intent { .. } => vec![
            (before.is_stopped, Wrong::IntentAfterStop),
            (before.outcome.is_some(), Wrong::IntentAfterOutcome),
        ],
        Statement::Outcome(_, verdict, _) => vec![
            (before.outcome.is_some(), Wrong::SecondOutcome),
            (!is_holder, Wrong::OutcomeByAnother),
            (verdict != Verdict::Applied && before.has_yes(), Wrong::OutcomeAgainstEvidence),
        ],
        _ => Vec::new(),
    };
    found.into_iter().filter_map(|(is_wrong, what)| is_wrong.then_some(what)).collect()
}

/// The steps that can follow on a state, while they are gathered.
pub struct Ways<'w> {
    pub world: &'w World,
    pub rules: &'w Rules,
    pub steps: Vec<(Step, World)>,
}

impl Ways<'_> {
    /// Adds a step, unless it changes nothing.
    pub fn add(&mut self, step: Step, change: impl FnOnce(&mut World)) {
        let mut after = self.world.clone();
        change(&mut after);
        if after != *self.world {
            self.steps.push((step, after));
        }
    }

    /// Requests arrive, and get lost, as do answers.
    fn of_the_network(&mut self) {
        let rules = self.rules;
        for (&request, &message) in &self.world.service.on_the_way {
            let (who, lost) = match message {
                Message::Request(who) => (who, Does::LoseRequest),
                Message::Answer(who, _) => (who, Does::LoseAnswer),
            };
            let step = |does| Step::new(Some(who), does, How::Done);
            if self.world.left.losses > 0 {
                self.add(step(lost), |after| {
                    after.left.losses -= 1;
                    after.service.on_the_way.remove(&request);
                });
            }
            if matches!(message, Message::Request(_)) {
                self.add(step(Does::Arrive), |after| after.arrive(who, request, rules));
                if !rules.has(Safeguard::OneRequestAnAttempt) {
                    self.add(step(Does::ArriveTwice), |after| {
                        after.service.patch(rules);
                        after.arrive(who, request, rules);
                    });
                }
            }
        }
    }

    /// Somebody else edits the referral, or stops the run.
    fn of_others(&mut self) {
        let step = |does| Step::new(None, does, How::Done);
        if let Some(edit) = self.world.left.edit {
            self.add(step(Does::Edit), |after| {
                after.left.edit = None;
                after.service.edit(edit);
            });
        }
        if self.world.left.stops > 0 {
            self.add(step(Does::Stop), |after| {
                after.left.stops -= 1;
                after.ledger.is_stopped = true;
            });
        }
    }

    /// A statement that was given up is carried out. A standby falls behind, and takes the database's place.
    fn of_the_database(&mut self) {
        let rules = self.rules;
        if let Some((lease, statement)) = self.world.given_up {
            let step = Step::new(None, Does::CarryOutLate, How::Done);
            self.add(step, |after| {
                after.given_up = None;
                after.carry_out(statement, lease, rules);
            });
        }
        let step = |does| Step::new(None, does, How::Done);
        match &self.world.standby {
            None if self.world.left.promotions > 0 => self.add(step(Does::FallBehind), |after| {
                after.left.promotions -= 1;
                after.standby = Some(Box::new(after.ledger.clone()));
            }),
            None => {}
            // Whatever was on its way to the database that is gone is gone, too.
            Some(standby) => self.add(step(Does::Promote), |after| {
                after.standby = None;
                after.given_up = None;
                after.ledger = Ledger { timeline: standby.timeline + 1, ..Ledger::clone(standby) };
            }),
        }
    }
}
