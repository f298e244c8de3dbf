//! What one search is about: what may happen in it, and which safeguards are taken away.

/// A part of the protocol that can be taken away, to see what it is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safeguard {
    /// The attempts of a worker that is fenced are read in a statement after the fence. Else one statement fences, and
    /// reads what was on record before it waited for the fence.
    ReadsAfterFence,
    /// A span is taken only from a worker that was fenced. Else it is taken from one that has expired, which nobody
    /// tells that worker.
    FencesBeforeTaking,
    /// A span is taken from whoever is fenced. Else each worker takes what those held that it fenced itself.
    TakesFromAnybodyFenced,
    /// A worker that knows of no span asks whether it has one. Else a claim whose answer is lost is never heard of.
    AsksForItsSpans,
    /// An intent is refused to a worker that was fenced.
    IntentAsksForLease,
    /// An intent is refused to a worker that doesn't have the item's span.
    IntentAsksForSpan,
    /// An intent asks for lease and span in its own statement, which locks the lease. Else it asks first, and is
    /// written without asking again.
    IntentLocksLease,
    /// An intent is refused for an item that has its outcome.
    IntentAsksForOutcome,
    /// An intent is refused once the run is stopped.
    IntentAsksForStop,
    /// An item has one open intent at most.
    OneOpenIntent,
    /// Nothing is sent before the ledger said that the intent is on record.
    TicketBeforeSending,
    /// Nothing is sent by a worker whose lease may have expired, as far as its own clock tells.
    LeaseBeforeSending,
    /// One attempt is one request. Else somebody on the way, such as a proxy, repeats a request whose answer it missed.
    OneRequestAnAttempt,
    /// A change that nothing binds to a version is not sent again.
    UnboundIsSentOnce,
    /// An attempt that a look didn't show may still arrive, so a later refusal is no conflict before another look.
    UnseenMayArrive,
    /// An outcome is refused to a worker that was fenced.
    OutcomeAsksForLease,
    /// So is one that follows from a refusal alone.
    RefusalAsksForLease,
    /// Nothing but `applied` is written for a change of which a yes is on record.
    OutcomeAsksForEvidence,
    /// An item has one outcome: the first.
    OneOutcome,
    /// Somebody looks whether the database is still the one that the run was written to.
    TimelineIsNoticed,
    /// An intent is refused while it isn't.
    IntentAsksForTimeline,
    /// So is an outcome.
    OutcomeAsksForTimeline,
    /// What was read before the ledger lost something counts for nothing afterwards.
    ReadingHasTimeline,
    /// That the ledger has lost something stays on record, so that each item is looked at before it is sent.
    LossIsRemembered,
    /// All other workers are fenced when the ledger has lost something.
    OthersAreFencedAfterLoss,
    /// A worker is known by a key of its own, not by a number alone, which may be given out again after a loss.
    LeaseHasKey,
}

impl Safeguard {
    /// The last one.
    pub const LAST: Self = Self::LeaseHasKey;
}

/// What somebody else does to the referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edit {
    /// Changes another field: the version moves, and our change stays.
    Elsewhere,
    /// Changes the same field: our change is no longer there.
    Over,
}

/// What may still happen, each so many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Left {
    /// Workers that register.
    pub leases: u8,
    /// Requests and answers of the service that are lost, or no longer waited for.
    pub losses: u8,
    /// Statements whose answer is lost.
    pub unanswered: u8,
    /// Intents that are withdrawn since the lease may have expired.
    pub withdrawals: u8,
    /// Edits by somebody else.
    pub edit: Option<Edit>,
    /// Stops of the run.
    pub stops: u8,
    /// Promotions of a standby that lacks what was written last.
    pub promotions: u8,
}

/// What may happen to one item, whose change is bound to its version or not.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub is_bound: bool,
    pub left: Left,
}

/// A scenario, and the safeguards that are taken away in it.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub scenario: Scenario,
    pub without: &'static [Safeguard],
}

impl Rules {
    pub fn has(&self, safeguard: Safeguard) -> bool {
        !self.without.contains(&safeguard)
    }
}
