//! The ledger: one item, its span, its attempts and its outcome, the workers' leases, and the statements that change
//! them.
//!
//! A statement is carried out as a whole, as in the database. Whatever may happen between two statements is up to the
//! search.

use crate::rules::{Rules, Safeguard};

/// One of the two workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    A,
    B,
}

/// What a worker shows with each statement: the number of its row, and its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    pub id: usize,
    pub key: u8,
}

/// A worker's row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseRow {
    pub key: u8,
    /// It was fenced.
    pub has_ended: bool,
}

/// The id that a worker makes up for a request, which the service is sent too. No two requests share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u8);

/// What became of an attempt, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The service said yes.
    Applied,
    /// The service said that the referral has another version.
    Mismatched,
    /// A look showed the version that was sent.
    NotApplied,
    /// It was never sent.
    Withdrawn,
}

/// An attempt: an intent, and what became of it. It is open without a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub request: RequestId,
    pub result: Option<Evidence>,
    /// What was heard of it after it had a result.
    pub late: Option<Evidence>,
}

/// An outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    Applied,
    Conflict,
    Unknown,
}

/// What an outcome follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grounds {
    /// What the service answered.
    Answer,
    /// What a look showed.
    Look,
}

/// What a worker keeps in mind of what it read in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Known {
    /// An attempt of whomever may have been applied, or may still be.
    pub may_have_been_made: bool,
    /// The timeline that the run had.
    pub timeline: u8,
}

/// What is to be done next for the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// Nothing: it has its outcome.
    Nothing,
    /// Its outcome is to be written.
    Outcome(Verdict, Grounds),
    /// The referral is to be looked at; then this attempt can be closed.
    Look(Option<RequestId>),
    /// It can be sent.
    Intent,
}

/// What a worker asks of the ledger, in one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statement {
    Claim,
    Fence(usize),
    Take(usize),
    /// Fences and takes at once.
    FenceAndTake(usize),
    Intent {
        request: RequestId,
        known: Known,
        /// Lease and span were asked for before.
        was_asked: bool,
    },
    /// Puts on record what became of an attempt.
    Record(RequestId, Evidence),
    /// The same, unless that is on record.
    Close(RequestId, Evidence),
    Outcome(Known, Verdict, Grounds),
    FenceOthers,
    /// Takes the database as it is for the run's.
    Adopt,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// By their ids.
    pub leases: Vec<LeaseRow>,
    /// The id of the lease that has the span.
    pub span: Option<usize>,
    pub attempts: Vec<Attempt>,
    pub outcome: Option<Verdict>,
    pub is_stopped: bool,
    /// The database's timeline, which a promotion changes.
    pub timeline: u8,
    /// The timeline that the run was written on.
    pub run_timeline: u8,
    /// What stood here may have been lost.
    pub has_lost: bool,
}

impl Ledger {
    pub fn new() -> Self {
        Self {
            leases: Vec::new(),
            span: None,
            attempts: Vec::new(),
            outcome: None,
            is_stopped: false,
            timeline: 1,
            run_timeline: 1,
            has_lost: false,
        }
    }

    /// Carries a statement out. Returns whether it found what it asks for, and so changed something.
    pub fn carry_out(&mut self, statement: Statement, by: Lease, rules: &Rules) -> bool {
        match statement {
            Statement::Claim => self.is_held(by, rules) && self.span.is_none() && self.give_span(by),
            Statement::Fence(id) => self.fence(id),
            Statement::Take(id) => {
                self.is_held(by, rules)
                    && self.span == Some(id)
                    && self.may_be_taken_from(id, rules)
                    && self.give_span(by)
            }
            Statement::FenceAndTake(id) => {
                self.is_held(by, rules) && self.span == Some(id) && self.fence(id) && self.give_span(by)
            }
            Statement::Intent { request, known, was_asked } => {
                let may = (was_asked || self.has_item(by, rules)) && self.has_room_for_intent(known, rules);
                if may {
                    self.attempts.push(Attempt { request, result: None, late: None });
                }
                may
            }
            Statement::Record(request, evidence) => self.record(request, evidence),
            Statement::Close(request, evidence) => self.close(request, evidence),
            Statement::Outcome(known, verdict, grounds) => {
                let may = self.may_decide(by, known, (verdict, grounds), rules);
                if may {
                    self.outcome = Some(verdict);
                }
                may
            }
            Statement::FenceOthers => self.fence_others(by, rules),
            Statement::Adopt => self.adopt(rules),
        }
    }

    /// Whether a lease is one that was given out and not fenced. That it has expired ends nothing, so no clock decides.
    pub fn is_held(&self, by: Lease, rules: &Rules) -> bool {
        self.leases
            .get(by.id)
            .is_some_and(|row| !row.has_ended && (row.key == by.key || !rules.has(Safeguard::LeaseHasKey)))
    }

    /// Whether the lease is held and has the span.
    pub fn has_item(&self, by: Lease, rules: &Rules) -> bool {
        (self.is_held(by, rules) || !rules.has(Safeguard::IntentAsksForLease))
            && (self.span == Some(by.id) || !rules.has(Safeguard::IntentAsksForSpan))
    }

    /// Whether others may fence a worker: its lease may have expired at any moment.
    pub fn may_be_fenced(&self, id: usize) -> bool {
        self.leases.get(id).is_some_and(|row| !row.has_ended)
    }

    pub fn may_be_taken_from(&self, id: usize, rules: &Rules) -> bool {
        let has_ended = self.leases.get(id).is_some_and(|row| row.has_ended);
        has_ended || !rules.has(Safeguard::FencesBeforeTaking)
    }

    /// Whether the database is the one that the run was written to, as far as anybody looks.
    pub fn is_the_runs(&self, rules: &Rules) -> bool {
        self.timeline == self.run_timeline || !rules.has(Safeguard::TimelineIsNoticed)
    }

    /// Reads what is on record of the item.
    pub fn read(&self, rules: &Rules) -> (Known, Due) {
        let may_arrive = |attempt: &Attempt| match attempt.result {
            None | Some(Evidence::Applied) => true,
            Some(Evidence::NotApplied) => rules.has(Safeguard::UnseenMayArrive),
            Some(Evidence::Mismatched | Evidence::Withdrawn) => false,
        };
        let may_have_been_made = self.has_lost || self.attempts.iter().any(may_arrive);
        let known = Known { may_have_been_made, timeline: self.run_timeline };
        (known, self.due(known))
    }

    /// A yes decides; what is open is looked at; so is everything where something was lost; what was refused isn't sent
    /// again.
    fn due(&self, known: Known) -> Due {
        let mut attempts = self.attempts.iter();
        let is_no = |attempt: &Attempt| attempt.result == Some(Evidence::Mismatched);
        if self.outcome.is_some() {
            Due::Nothing
        } else if self.has_yes() {
            Due::Outcome(Verdict::Applied, Grounds::Answer)
        } else if let Some(open) = attempts.clone().find(|attempt| attempt.result.is_none()) {
            Due::Look(Some(open.request))
        } else if attempts.any(is_no) && !known.may_have_been_made {
            Due::Outcome(Verdict::Conflict, Grounds::Answer)
        } else if self.has_lost || self.attempts.iter().any(is_no) {
            Due::Look(None)
        } else {
            Due::Intent
        }
    }

    /// Whether it is on record that the service said yes.
    pub fn has_yes(&self) -> bool {
        let yes = Some(Evidence::Applied);
        self.attempts.iter().any(|attempt| attempt.result == yes || attempt.late == yes)
    }

    fn give_span(&mut self, to: Lease) -> bool {
        self.span = Some(to.id);
        true
    }

    fn fence(&mut self, id: usize) -> bool {
        let may = self.may_be_fenced(id);
        if may {
            self.leases[id].has_ended = true;
        }
        may
    }

    fn has_room_for_intent(&self, known: Known, rules: &Rules) -> bool {
        (!self.is_stopped || !rules.has(Safeguard::IntentAsksForStop))
            && (self.outcome.is_none() || !rules.has(Safeguard::IntentAsksForOutcome))
            && (self.attempts.iter().all(|attempt| attempt.result.is_some())
                || !rules.has(Safeguard::OneOpenIntent))
            && self.is_on_timeline(known, Safeguard::IntentAsksForTimeline, rules)
    }

    fn may_decide(&self, by: Lease, known: Known, outcome: (Verdict, Grounds), rules: &Rules) -> bool {
        let follows_from_refusal = outcome == (Verdict::Conflict, Grounds::Answer);
        let asks = rules.has(Safeguard::OutcomeAsksForLease)
            && (rules.has(Safeguard::RefusalAsksForLease) || !follows_from_refusal);
        (!asks || self.is_held(by, rules))
            && (outcome.0 == Verdict::Applied
                || !self.has_yes()
                || !rules.has(Safeguard::OutcomeAsksForEvidence))
            && (self.outcome.is_none() || !rules.has(Safeguard::OneOutcome))
            && self.is_on_timeline(known, Safeguard::OutcomeAsksForTimeline, rules)
    }

    /// Whether the database is the run's, and was so when the item was read.
    fn is_on_timeline(&self, known: Known, asks: Safeguard, rules: &Rules) -> bool {
        let was_read_here = known.timeline == self.run_timeline || !rules.has(Safeguard::ReadingHasTimeline);
        !rules.has(asks) || self.is_the_runs(rules) && was_read_here
    }

    fn record(&mut self, request: RequestId, evidence: Evidence) -> bool {
        let attempt = self.attempts.iter_mut().find(|attempt| attempt.request == request);
        attempt.is_some_and(|attempt| {
            let place = if attempt.result.is_none() { &mut attempt.result } else { &mut attempt.late };
            *place = Some(evidence);
            true
        })
    }

    fn close(&mut self, request: RequestId, evidence: Evidence) -> bool {
        let mut attempts = self.attempts.iter();
        attempts.any(|attempt| attempt.request == request && attempt.result.is_none())
            && self.record(request, evidence)
    }

    fn fence_others(&mut self, by: Lease, rules: &Rules) -> bool {
        let others = self.leases.iter_mut().enumerate().filter(|(id, _)| *id != by.id);
        let fenced = others.filter(|_| rules.has(Safeguard::OthersAreFencedAfterLoss));
        fenced.for_each(|(_, row)| row.has_ended = true);
        true
    }

    fn adopt(&mut self, rules: &Rules) -> bool {
        let may = self.timeline != self.run_timeline;
        if may {
            self.run_timeline = self.timeline;
            self.has_lost = rules.has(Safeguard::LossIsRemembered);
        }
        may
    }
}
