//! What may happen, and what comes of it where a safeguard is missing.

use crate::rules::Safeguard::{self, *};
use crate::rules::{Edit, Left, Scenario};
use crate::truth::Wrong::{self, *};
use Comes::{Covered, Found};

/// What may go wrong where nothing else is said.
const LEFT: Left = Left {
    leases: 3,
    losses: 1,
    unanswered: 0,
    withdrawals: 0,
    edit: Some(Edit::Elsewhere),
    stops: 0,
    promotions: 0,
};

/// The change is bound to the version that was planned from.
const BOUND: Scenario = Scenario { name: "bound", is_bound: true, left: LEFT };

const UNBOUND: Scenario = Scenario { name: "unbound", is_bound: false, left: LEFT };

/// Each worker registers once.
const PAIR: Scenario = Scenario { name: "bound, a pair", left: Left { leases: 2, ..LEFT }, ..BOUND };

const WITHDRAWN: Scenario =
    Scenario { name: "bound, intents withdrawn", left: Left { withdrawals: 1, ..LEFT }, ..BOUND };

const OVERWRITTEN: Scenario =
    Scenario { name: "bound, overwritten", left: Left { edit: Some(Edit::Over), ..LEFT }, ..BOUND };

const STOPPED: Scenario =
    Scenario { name: "bound, stopped", left: Left { edit: None, stops: 1, ..LEFT }, ..BOUND };

const UNANSWERED: Scenario = Scenario {
    name: "bound, the ledger unheard",
    left: Left { leases: 2, losses: 0, unanswered: 1, ..LEFT },
    ..BOUND
};

const UNANSWERED_LOST: Scenario = Scenario {
    name: "bound, ledger and service unheard",
    left: Left { losses: 1, ..UNANSWERED.left },
    ..BOUND
};

const UNANSWERED_UNBOUND: Scenario =
    Scenario { name: "unbound, ledger and service unheard", is_bound: false, ..UNANSWERED_LOST };

/// The standby lacks intents, fences, workers, outcomes: whatever was written since it fell behind.
const PROMOTED: Scenario = Scenario {
    name: "bound, on a standby that lacks something",
    left: Left { leases: 2, losses: 0, edit: None, promotions: 1, ..LEFT },
    ..BOUND
};

const PROMOTED_UNBOUND: Scenario =
    Scenario { name: "unbound, on a standby that lacks something", is_bound: false, ..PROMOTED };

const PROMOTED_EDITED: Scenario = Scenario {
    name: "bound, edited, on a standby that lacks something",
    left: Left { edit: Some(Edit::Elsewhere), ..PROMOTED.left },
    ..BOUND
};

const PROMOTED_AGAIN: Scenario = Scenario {
    name: "bound, three leases, on a standby that lacks something",
    left: Left { leases: 3, ..PROMOTED.left },
    ..BOUND
};

const PROMOTED_AGAIN_UNBOUND: Scenario = Scenario {
    name: "unbound, three leases, on a standby that lacks something",
    left: Left { losses: 1, ..PROMOTED_AGAIN.left },
    ..UNBOUND
};

/// Everything that may happen.
pub const SCENARIOS: [Scenario; 9] = [
    WITHDRAWN,
    UNBOUND,
    OVERWRITTEN,
    STOPPED,
    UNANSWERED_LOST,
    UNANSWERED_UNBOUND,
    PROMOTED_EDITED,
    PROMOTED_AGAIN,
    PROMOTED_AGAIN_UNBOUND,
];

/// A protocol that lacks something.
pub struct Variant {
    pub without: &'static [Safeguard],
    pub scenario: Scenario,
    pub comes: Comes,
}

/// What comes of it.
pub enum Comes {
    /// All this is found somewhere, and nothing else.
    Found(&'static [Wrong]),
    /// Nothing, since something else holds.
    Covered(&'static str),
}

const fn variant(without: &'static [Safeguard], scenario: Scenario, comes: Comes) -> Variant {
    Variant { without, scenario, comes }
}

pub const VARIANTS: [Variant; 36] = [
    // Taking over.
    variant(&[ReadsAfterFence], PAIR, Found(&[ConflictThoughMade])),
    variant(&[FencesBeforeTaking], PAIR, Found(&[ConflictThoughMade, OutcomeByAnother])),
    variant(&[TakesFromAnybodyFenced], BOUND, Found(&[NobodyGoesOn])),
    variant(&[AsksForItsSpans], UNANSWERED, Found(&[NobodyGoesOn])),
    // Intents.
    variant(&[IntentAsksForLease], BOUND, Covered("the span: what was fenced is taken before it is read")),
    variant(&[IntentAsksForSpan], BOUND, Covered("the lease: no other way leads to the loss of a span")),
    variant(&[IntentAsksForLease, IntentAsksForSpan], PAIR, Found(&[ConflictThoughMade])),
    variant(&[IntentAsksForLease, IntentAsksForSpan], UNBOUND, Found(&[MadeTwice])),
    variant(&[IntentLocksLease], PAIR, Found(&[ConflictThoughMade])),
    variant(&[IntentAsksForOutcome], UNANSWERED, Found(&[IntentAfterOutcome])),
    variant(&[IntentAsksForStop], STOPPED, Found(&[IntentAfterStop])),
    variant(
        &[OneOpenIntent],
        UNANSWERED,
        Covered("the ticket: of two open intents of one worker, one was not sent"),
    ),
    // Sending.
    variant(&[TicketBeforeSending], UNANSWERED, Found(&[ConflictThoughMade, SentUnrecorded])),
    variant(
        &[LeaseBeforeSending],
        WITHDRAWN,
        Covered("the version that binds the change: a clock may find any lease good"),
    ),
    variant(&[OneRequestAnAttempt], PAIR, Found(&[ConflictThoughMade])),
    variant(&[OneRequestAnAttempt], UNBOUND, Found(&[MadeTwice])),
    variant(&[UnboundIsSentOnce], UNBOUND, Found(&[MadeTwice])),
    // Outcomes.
    variant(&[UnseenMayArrive], PAIR, Found(&[ConflictThoughMade])),
    variant(&[OutcomeAsksForLease], PAIR, Found(&[ConflictThoughMade, OutcomeByAnother])),
    variant(&[RefusalAsksForLease], PAIR, Found(&[ConflictThoughMade, OutcomeByAnother])),
    variant(&[OutcomeAsksForEvidence], OVERWRITTEN, Found(&[OutcomeAgainstEvidence])),
    variant(&[OutcomeAsksForEvidence], UNBOUND, Found(&[OutcomeAgainstEvidence])),
    variant(&[OneOutcome], UNANSWERED, Found(&[SecondOutcome])),
    // A database that has lost something.
    variant(&[TimelineIsNoticed], PROMOTED, Found(&[ConflictThoughMade, OutcomeByAnother])),
    variant(&[TimelineIsNoticed], PROMOTED_UNBOUND, Found(&[MadeTwice, OutcomeByAnother])),
    variant(
        &[IntentAsksForTimeline],
        PROMOTED,
        Covered("the outcome, which asks, and the version that binds"),
    ),
    variant(&[IntentAsksForTimeline], PROMOTED_UNBOUND, Found(&[MadeTwice])),
    variant(&[OutcomeAsksForTimeline], PROMOTED, Found(&[ConflictThoughMade, OutcomeByAnother])),
    variant(&[LossIsRemembered], PROMOTED, Found(&[ConflictThoughMade])),
    variant(&[LossIsRemembered], PROMOTED_UNBOUND, Found(&[MadeTwice])),
    variant(
        &[OthersAreFencedAfterLoss],
        PROMOTED_AGAIN,
        Covered("what was read before, which counts for nothing"),
    ),
    variant(&[ReadingHasTimeline], PROMOTED_AGAIN, Covered("the fence of all others")),
    variant(
        &[OthersAreFencedAfterLoss, ReadingHasTimeline],
        PROMOTED,
        Found(&[ConflictThoughMade, OutcomeByAnother]),
    ),
    variant(
        &[OthersAreFencedAfterLoss, ReadingHasTimeline],
        PROMOTED_UNBOUND,
        Found(&[MadeTwice, OutcomeByAnother]),
    ),
    variant(&[LeaseHasKey], PROMOTED, Found(&[OutcomeByAnother])),
    variant(&[LeaseHasKey, ReadingHasTimeline], PROMOTED, Found(&[ConflictThoughMade, OutcomeByAnother])),
];
