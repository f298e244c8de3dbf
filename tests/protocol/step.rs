//! The steps that the search takes, and their words.

use std::fmt;

use crate::ledger::Who;

/// What happens in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Does {
    // A worker's own.
    Register,
    Claim,
    Fence,
    Take,
    AskForSpans,
    Snap,
    FenceAndTake,
    ReadItem,
    AskForLease,
    WriteIntent,
    CheckLease,
    Withdraw,
    Send,
    Hear,
    GiveUp,
    Record,
    Look,
    Close,
    WriteOutcome,
    LearnOfFence,
    FenceOthers,
    Adopt,
    // What goes wrong, or happens at the other end.
    GiveUpEarly,
    Arrive,
    ArriveTwice,
    LoseRequest,
    LoseAnswer,
    CarryOutLate,
    Edit,
    Stop,
    FallBehind,
    Promote,
}

/// How a step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    Done,
    /// The statement found nothing that it could change.
    Refused,
    /// The statement was carried out, and the worker doesn't hear of it.
    Unanswered,
    /// The worker gives the statement up, and it may be carried out later.
    Delayed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Whose step it is, or whom it befalls.
    pub whose: Option<Who>,
    pub does: Does,
    pub how: How,
}

impl Step {
    pub fn new(whose: Option<Who>, does: Does, how: How) -> Self {
        Self { whose, does, how }
    }

    /// Whether the step happens where nothing goes wrong any more and the other worker does nothing: a step that has to
    /// come, one that may come, or none.
    pub fn alone(self, left: Who) -> Option<Comes> {
        let is_own = self.whose == Some(left);
        match self.does {
            Does::Arrive if is_own => Some(Comes::Surely),
            Does::Arrive | Does::CarryOutLate => Some(Comes::Perhaps),
            Does::GiveUpEarly
            | Does::ArriveTwice
            | Does::LoseRequest
            | Does::LoseAnswer
            | Does::Edit
            | Does::Stop
            | Does::FallBehind
            | Does::Promote => None,
            _ if is_own && matches!(self.how, How::Done | How::Refused) => Some(Comes::Surely),
            _ => None,
        }
    }

    /// What happens, whoever does it.
    pub fn words(self) -> String {
        let how = match self.how {
            How::Done => "",
            How::Refused => ", in vain",
            How::Unanswered => ", and hears no answer",
            How::Delayed => ", and gives that up while it is on its way",
        };
        format!("{}{how}", self.does.words())
    }
}

/// How surely a step comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comes {
    Surely,
    Perhaps,
}

impl fmt::Display for Step {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whose {
            Some(whose) => write!(to, "{whose:?}: {}", self.words()),
            None => write!(to, "   {}", self.words()),
        }
    }
}

impl Does {
    fn words(self) -> &'static str {
        match self {
            Self::Register => "registers",
            Self::Claim => "claims the span",
            Self::Fence => "fences a worker whose lease has expired",
            Self::Take => "takes the span",
            Self::AskForSpans => "asks whether it has a span",
            Self::Snap => "begins a statement, which sees the attempts as they are now",
            Self::FenceAndTake => "ends that statement, which fences and takes the span",
            Self::ReadItem => "reads the item and its attempts",
            Self::AskForLease => "asks whether it has lease and span",
            Self::WriteIntent => "writes an intent",
            Self::CheckLease => "asks its clock whether the lease has expired",
            Self::Withdraw => "withdraws its intent",
            Self::Send => "sends",
            Self::Hear => "hears the answer",
            Self::GiveUp => "waits in vain for an answer that is lost",
            Self::Record => "records the answer",
            Self::Look => "looks at the referral",
            Self::Close => "closes an attempt that the look didn't show",
            Self::WriteOutcome => "writes the outcome",
            Self::LearnOfFence => "renews its lease in vain: it was fenced",
            Self::FenceOthers => "fences all others, since the database is another",
            Self::Adopt => "takes the database for the run's",
            Self::GiveUpEarly => "gives up waiting for an answer that is still to come",
            Self::Arrive => "its request arrives at the service",
            Self::ArriveTwice => "its request is repeated on its way",
            Self::LoseRequest => "its request is lost",
            Self::LoseAnswer => "the answer to it is lost",
            Self::CarryOutLate => "a statement that was given up is carried out",
            Self::Edit => "somebody else edits the referral",
            Self::Stop => "the run is stopped",
            Self::FallBehind => "the standby receives nothing from here on",
            Self::Promote => "the standby takes the database's place",
        }
    }
}
