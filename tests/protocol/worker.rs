//! What a worker does, step by step. Between two of them it may be paused for any length of time.

use crate::ledger::{Due, Evidence, Grounds, Known, Lease, LeaseRow, RequestId, Statement, Verdict, Who};
use crate::rules::{Rules, Safeguard};
use crate::service::{Answer, Message, Shown};
use crate::step::{Does, How, Step};
use crate::truth::Wrong;
use crate::world::{Ways, World};

/// A worker that has registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Worker {
    pub lease: Lease,
    pub stage: Stage,
}

/// What allows a worker to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub request: RequestId,
    /// The intent was on record once.
    pub is_on_record: bool,
}

/// How far a worker is, and what it has in mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It knows of no span that it has.
    Idle,
    /// It has fenced a worker, and takes what that one held. (Only without `TakesFromAnybodyFenced`.)
    HasFenced(usize),
    /// It has begun to fence a worker, with what it reads. (Only without `ReadsAfterFence`.)
    Snapped(usize, Known, Due),
    /// It has the span, and has to read what is on record.
    Holding,
    /// The item can be sent.
    Ready(Known),
    /// It was told that it may write an intent. (Only without `IntentLocksLease`.)
    Asked(Known),
    Ticketed(Known, Ticket),
    /// Its clock said that the lease is good. The next thing that it does is to send.
    Checked(Known, Ticket),
    Withdrawing(RequestId),
    Waiting(Known, RequestId),
    Told(Known, RequestId, Answer),
    /// The referral is to be looked at; then this attempt can be closed.
    Doubting(Known, Option<RequestId>),
    Closing(RequestId),
    Deciding(Known, Verdict, Grounds),
    /// It has fenced all others, since the database is not the run's.
    Recovering,
}

impl Due {
    /// The stage of a worker that has read it.
    fn stage(self, known: Known) -> Stage {
        match self {
            Self::Nothing => Stage::Idle,
            Self::Outcome(verdict, grounds) => Stage::Deciding(known, verdict, grounds),
            Self::Look(open) => Stage::Doubting(known, open),
            Self::Intent => Stage::Ready(known),
        }
    }
}

/// Where a statement leads to.
#[derive(Clone, Copy)]
struct Next {
    done: Stage,
    /// `None`: to wherever the reason leads, for which the worker asks.
    refused: Option<Stage>,
    /// The worker hears nothing of it.
    lost: Stage,
}

impl Next {
    fn or_ask(done: Stage, lost: Stage) -> Self {
        Self { done, refused: None, lost }
    }
}

impl World {
    pub fn set(&mut self, who: Who, stage: Stage) {
        if let Some(worker) = &mut self.workers[who as usize] {
            worker.stage = stage;
        }
    }

    /// The worker learns why a statement was refused.
    fn learn_why(&mut self, who: Who, lease: Lease, rules: &Rules) {
        if !self.ledger.is_held(lease, rules) {
            self.workers[who as usize] = None;
        } else if !self.ledger.is_the_runs(rules) {
            self.set(who, Stage::Idle);
        } else {
            self.set(who, Stage::Holding);
        }
    }
}

impl Ways<'_> {
    pub fn of_worker(&mut self, who: Who) {
        let Some(Worker { lease, stage }) = self.world.workers[who as usize] else {
            return self.register(who);
        };
        match stage {
            Stage::Idle => self.look_for_work(who, lease),
            Stage::HasFenced(id) => self.take(who, id),
            Stage::Snapped(id, known, due) => {
                let next = Next::or_ask(due.stage(known), Stage::Idle);
                self.state(who, Does::FenceAndTake, Statement::FenceAndTake(id), next);
            }
            Stage::Holding => self.read_item(who, lease),
            Stage::Ready(known) if !self.rules.has(Safeguard::IntentLocksLease) => {
                self.ask_for_lease(who, lease, known);
            }
            Stage::Ready(known) | Stage::Asked(known) => self.write_intent(who, known),
            Stage::Ticketed(known, ticket) => self.check_lease(who, known, ticket),
            Stage::Withdrawing(request) => {
                self.close(who, Does::Withdraw, request, Evidence::Withdrawn);
            }
            Stage::Checked(known, ticket) => self.send(who, known, ticket),
            Stage::Waiting(known, request) => self.wait(who, known, request),
            Stage::Told(known, request, answer) => self.record(who, known, (request, answer)),
            Stage::Doubting(known, open) => self.look(who, known, open),
            Stage::Closing(request) => self.close(who, Does::Close, request, Evidence::NotApplied),
            Stage::Deciding(known, verdict, grounds) => {
                let statement = Statement::Outcome(known, verdict, grounds);
                self.state(who, Does::WriteOutcome, statement, Next::or_ask(Stage::Idle, Stage::Holding));
            }
            Stage::Recovering => self.adopt(who),
        }
    }

    fn does(&mut self, who: Who, does: Does, change: impl FnOnce(&mut World)) {
        self.add(Step::new(Some(who), does, How::Done), change);
    }

    fn goes(&mut self, who: Who, does: Does, to: Stage) {
        self.does(who, does, |after| after.set(who, to));
    }

    /// A statement is answered, or its answer is lost, or the statement itself comes later, or never.
    fn state(&mut self, who: Who, does: Does, statement: Statement, next: Next) {
        let Some(Worker { lease, .. }) = self.world.workers[who as usize] else { return };
        let rules = self.rules;
        let is_done = self.world.ledger.clone().carry_out(statement, lease, rules);
        let how = if is_done { How::Done } else { How::Refused };
        self.add(Step::new(Some(who), does, how), |after| {
            after.carry_out(statement, lease, rules);
            match (is_done, next.refused) {
                (true, _) => after.set(who, next.done),
                (false, Some(refused)) => after.set(who, refused),
                (false, None) => after.learn_why(who, lease, rules),
            }
        });
        if self.world.left.unanswered == 0 {
            return;
        }
        self.add(Step::new(Some(who), does, How::Unanswered), |after| {
            after.left.unanswered -= 1;
            after.carry_out(statement, lease, rules);
            after.set(who, next.lost);
        });
        self.add(Step::new(Some(who), does, How::Delayed), |after| {
            after.left.unanswered -= 1;
            after.given_up = Some((lease, statement));
            after.set(who, next.lost);
        });
    }

    fn register(&mut self, who: Who) {
        if !self.world.may_register(who, self.rules) {
            return;
        }
        self.does(who, Does::Register, |after| {
            let (id, key) = (after.ledger.leases.len(), after.left.leases);
            after.left.leases -= 1;
            after.ledger.leases.push(LeaseRow { key, has_ended: false });
            after.workers[who as usize] = Some(Worker { lease: Lease { id, key }, stage: Stage::Idle });
        });
    }

    fn look_for_work(&mut self, who: Who, lease: Lease) {
        let (world, rules) = (self.world, self.rules);
        let ledger = &world.ledger;
        if !ledger.is_held(lease, rules) {
            // It finds out when it renews.
            return self.does(who, Does::LearnOfFence, |after| after.workers[who as usize] = None);
        }
        if !ledger.is_the_runs(rules) {
            let next = Next::or_ask(Stage::Recovering, Stage::Idle);
            return self.state(who, Does::FenceOthers, Statement::FenceOthers, next);
        }
        if ledger.outcome.is_some() {
            return;
        }
        match ledger.span {
            None => {
                let next = Next::or_ask(Stage::Holding, Stage::Idle);
                self.state(who, Does::Claim, Statement::Claim, next);
            }
            Some(id) if id == lease.id => {
                if rules.has(Safeguard::AsksForItsSpans) {
                    self.goes(who, Does::AskForSpans, Stage::Holding);
                }
            }
            Some(id) => self.take_over(who, lease, id),
        }
    }

    /// First the fence, then, in another statement, the span.
    fn take_over(&mut self, who: Who, lease: Lease, holder: usize) {
        let (world, rules) = (self.world, self.rules);
        let takes_from_anybody = rules.has(Safeguard::TakesFromAnybodyFenced);
        if takes_from_anybody && world.ledger.may_be_taken_from(holder, rules) {
            self.take(who, holder);
        }
        if !rules.has(Safeguard::ReadsAfterFence) && world.ledger.may_be_fenced(holder) {
            let (known, due) = world.ledger.read(rules);
            return self.goes(who, Does::Snap, Stage::Snapped(holder, known, due));
        }
        if !rules.has(Safeguard::FencesBeforeTaking) {
            return;
        }
        let others = (0..world.ledger.leases.len()).filter(|id| *id != lease.id);
        for id in others.filter(|id| world.ledger.may_be_fenced(*id)) {
            let done = if takes_from_anybody { Stage::Idle } else { Stage::HasFenced(id) };
            let next = Next { done, refused: Some(Stage::Idle), lost: Stage::Idle };
            self.state(who, Does::Fence, Statement::Fence(id), next);
        }
    }

    fn take(&mut self, who: Who, from: usize) {
        let next = Next { done: Stage::Holding, refused: Some(Stage::Idle), lost: Stage::Idle };
        self.state(who, Does::Take, Statement::Take(from), next);
    }

    fn read_item(&mut self, who: Who, lease: Lease) {
        let ledger = &self.world.ledger;
        let (known, due) = ledger.read(self.rules);
        let to = if ledger.span == Some(lease.id) { due.stage(known) } else { Stage::Idle };
        self.goes(who, Does::ReadItem, to);
    }

    fn ask_for_lease(&mut self, who: Who, lease: Lease, known: Known) {
        let rules = self.rules;
        if self.world.ledger.has_item(lease, rules) {
            self.goes(who, Does::AskForLease, Stage::Asked(known));
        } else {
            let step = Step::new(Some(who), Does::AskForLease, How::Refused);
            self.add(step, |after| after.learn_why(who, lease, rules));
        }
    }

    /// An intent whose answer is lost is no ticket.
    fn write_intent(&mut self, who: Who, known: Known) {
        let request = RequestId(self.world.requests);
        let was_asked = !self.rules.has(Safeguard::IntentLocksLease);
        let statement = Statement::Intent { request, known, was_asked };
        let done = Stage::Ticketed(known, Ticket { request, is_on_record: true });
        let lost = if self.rules.has(Safeguard::TicketBeforeSending) {
            Stage::Holding
        } else {
            Stage::Checked(known, Ticket { request, is_on_record: false })
        };
        let begun = self.steps.len();
        self.state(who, Does::WriteIntent, statement, Next::or_ask(done, lost));
        let made = self.steps[begun..].iter_mut().filter(|(step, _)| step.how != How::Refused);
        made.for_each(|(_, after)| after.requests += 1);
    }

    /// The lease may have expired at any moment, as far as the worker's clock tells: so often and no more, lest the search
    /// go on for ever. That the clock finds it good says nothing, since the worker can be paused before it sends.
    fn check_lease(&mut self, who: Who, known: Known, ticket: Ticket) {
        self.goes(who, Does::CheckLease, Stage::Checked(known, ticket));
        if self.world.left.withdrawals > 0 && self.rules.has(Safeguard::LeaseBeforeSending) {
            let step = Step::new(Some(who), Does::CheckLease, How::Refused);
            self.add(step, |after| {
                after.left.withdrawals -= 1;
                after.set(who, Stage::Withdrawing(ticket.request));
            });
        }
    }

    fn send(&mut self, who: Who, known: Known, ticket: Ticket) {
        let request = ticket.request;
        self.does(who, Does::Send, |after| {
            let mut attempts = after.ledger.attempts.iter();
            if !ticket.is_on_record && !attempts.any(|attempt| attempt.request == request) {
                after.breaches.insert(Wrong::SentUnrecorded);
            }
            after.service.on_the_way.insert(request, Message::Request(who));
            after.set(who, Stage::Waiting(known, request));
        });
    }

    /// A worker that gives up has to look, as whoever takes over from it.
    fn wait(&mut self, who: Who, known: Known, request: RequestId) {
        let doubting = Stage::Doubting(Known { may_have_been_made: true, ..known }, Some(request));
        let coming = self.world.service.on_the_way.get(&request).copied();
        if let Some(Message::Answer(_, answer)) = coming {
            self.does(who, Does::Hear, |after| {
                after.service.on_the_way.remove(&request);
                after.set(who, Stage::Told(known, request, answer));
            });
        }
        if coming.is_none() {
            self.goes(who, Does::GiveUp, doubting);
        } else if self.world.left.losses > 0 {
            self.does(who, Does::GiveUpEarly, |after| {
                after.left.losses -= 1;
                if let Some(Message::Answer(..)) = coming {
                    after.service.on_the_way.remove(&request);
                }
                after.set(who, doubting);
            });
        }
    }

    /// An answer is evidence, which anybody may give at any time. After a refusal an earlier attempt may be the reason.
    fn record(&mut self, who: Who, known: Known, (request, answer): (RequestId, Answer)) {
        let (evidence, next) = match answer {
            Answer::Yes => (Evidence::Applied, Stage::Deciding(known, Verdict::Applied, Grounds::Answer)),
            Answer::OtherVersion if known.may_have_been_made => {
                (Evidence::Mismatched, Stage::Doubting(known, None))
            }
            Answer::OtherVersion => {
                (Evidence::Mismatched, Stage::Deciding(known, Verdict::Conflict, Grounds::Answer))
            }
        };
        let next = Next { done: next, refused: Some(next), lost: Stage::Holding };
        self.state(who, Does::Record, Statement::Record(request, evidence), next);
    }

    /// What binds nothing may still arrive, whatever a look shows.
    fn look(&mut self, who: Who, known: Known, open: Option<RequestId>) {
        let known = Known { may_have_been_made: true, ..known };
        let is_bound = self.rules.scenario.is_bound;
        let decides = |verdict| Stage::Deciding(known, verdict, Grounds::Look);
        let can_be_sent = open.map_or(Stage::Ready(known), Stage::Closing);
        let to = match self.world.service.look() {
            Shown::Ours => decides(Verdict::Applied),
            Shown::AsPlanned if is_bound => can_be_sent,
            Shown::Theirs if is_bound => decides(Verdict::Conflict),
            _ if self.rules.has(Safeguard::UnboundIsSentOnce) => decides(Verdict::Unknown),
            _ => can_be_sent,
        };
        self.goes(who, Does::Look, to);
    }

    /// Where somebody else closed it, what they know counts: so the item is read again in any case.
    fn close(&mut self, who: Who, does: Does, request: RequestId, evidence: Evidence) {
        let next = Next { done: Stage::Holding, refused: Some(Stage::Holding), lost: Stage::Holding };
        self.state(who, does, Statement::Close(request, evidence), next);
    }

    fn adopt(&mut self, who: Who) {
        let next = Next { done: Stage::Idle, refused: Some(Stage::Idle), lost: Stage::Idle };
        self.state(who, Does::Adopt, Statement::Adopt, next);
    }
}
