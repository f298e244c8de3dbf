//! Status and substatus of a referral, which always go together.
//!
//! A [`Stage`] holds only the substatuses that belong to its status, so an illegal pair has no
//! value. Names from the service that this program doesn't know are a [`Standing::Other`], which can
//! be shown and never sent.

use std::fmt;

use super::finding::{Finding, Location};
use super::rules::Rule;

/// A status and its substatus, as the documentation's table pairs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Not answered yet.
    New(NewSubstatus),
    /// Accepted and being worked on. Its only substatus is `Accepted`.
    Active,
    /// Ended: no documented transition leads out of it.
    Closed(ClosedSubstatus),
}

/// The substatuses of a new referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NewSubstatus {
    /// Sent, and not yet seen by the receiving side.
    Pending,
    /// Seen by the receiving side.
    Received,
}

/// The substatuses of a closed referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClosedSubstatus {
    /// The deal was made.
    Won,
    /// The deal was not made.
    Lost,
    /// The receiving side declined it.
    Declined,
    /// It was not answered in time; the service sets this by itself.
    Expired,
}

/// A status alone, as a change file may give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// See [`Stage::New`].
    New,
    /// See [`Stage::Active`].
    Active,
    /// See [`Stage::Closed`].
    Closed,
}

impl Status {
    /// Every status, in the order in which a referral goes through them.
    pub const ALL: [Self; 3] = [Self::New, Self::Active, Self::Closed];

    /// Returns the name in the API's JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Active => "Active",
            Self::Closed => "Closed",
        }
    }

    /// Parses a name, ignoring letter case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(name))
    }

    /// Iterates over the stages of this status.
    pub fn stages(self) -> impl Iterator<Item = Stage> {
        Stage::ALL.into_iter().filter(move |stage| stage.status() == self)
    }

    /// Returns the finding that it stands without a substatus, and has several.
    pub fn alone(self, place: Location) -> Finding {
        let message = format!("{} alone leaves open which substatus is meant", self.name());
        let hint = format!("give a substatus: {}", self.substatuses());
        Finding::deny(Rule::SubstatusPair, place, message).hint(hint)
    }

    /// Lists its substatuses for a message.
    fn substatuses(self) -> String {
        let names: Vec<&str> = self.stages().map(Stage::substatus).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl Stage {
    /// Every documented pair.
    pub const ALL: [Self; 7] = [
        Self::New(NewSubstatus::Pending),
        Self::New(NewSubstatus::Received),
        Self::Active,
        Self::Closed(ClosedSubstatus::Won),
        Self::Closed(ClosedSubstatus::Lost),
        Self::Closed(ClosedSubstatus::Declined),
        Self::Closed(ClosedSubstatus::Expired),
    ];

    /// Returns the status of this stage.
    pub fn status(self) -> Status {
        match self {
            Self::New(_) => Status::New,
            Self::Active => Status::Active,
            Self::Closed(_) => Status::Closed,
        }
    }

    /// Returns the name of the substatus in the API's JSON.
    pub fn substatus(self) -> &'static str {
        match self {
            Self::New(NewSubstatus::Pending) => "Pending",
            Self::New(NewSubstatus::Received) => "Received",
            Self::Active => "Accepted",
            Self::Closed(ClosedSubstatus::Won) => "Won",
            Self::Closed(ClosedSubstatus::Lost) => "Lost",
            Self::Closed(ClosedSubstatus::Declined) => "Declined",
            Self::Closed(ClosedSubstatus::Expired) => "Expired",
        }
    }

    /// Returns the stage that a substatus implies, ignoring letter case. Each belongs to exactly one status.
    pub fn of_substatus(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.substatus().eq_ignore_ascii_case(name))
    }

    /// Returns the finding that its substatus doesn't belong to a status that was given with it.
    pub fn mismatch(self, status: Status, place: Location) -> Finding {
        let message = format!("substatus {} does not belong to status {}", self.substatus(), status.name());
        let hint = format!("{} takes {}", status.name(), status.substatuses());
        Finding::deny(Rule::SubstatusPair, place, message).hint(hint)
    }

    /// Whether the status is `Closed`, out of which no documented transition leads.
    pub fn is_closed(self) -> bool {
        self.status() == Status::Closed
    }

    /// Whether a referral in it has a reason for its end.
    pub fn takes_reason(self) -> bool {
        matches!(self, Self::Closed(ClosedSubstatus::Lost | ClosedSubstatus::Declined))
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.status().name(), self.substatus())
    }
}

/// Status and substatus as the service gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// One of the documented pairs.
    Known(Stage),
    /// A known status, with a substatus that is absent, unknown, or of another status.
    Partly(Status, String),
    /// A status that this program doesn't know, so no transition out of it can be judged.
    Other(String, String),
}

impl Standing {
    /// Parses the pair of names from the service; an absent one is the empty text.
    pub fn of(status: &str, substatus: &str) -> Self {
        let Some(known) = Status::parse(status) else {
            return Self::Other(status.to_owned(), substatus.to_owned());
        };
        match Stage::of_substatus(substatus) {
            Some(stage) if stage.status() == known => Self::Known(stage),
            _ => Self::Partly(known, substatus.to_owned()),
        }
    }

    /// Returns the status, if it is a known one.
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Known(stage) => Some(stage.status()),
            Self::Partly(status, _) => Some(*status),
            Self::Other(..) => None,
        }
    }

    /// Returns the pair, if it is a documented one.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::Known(stage) => Some(*stage),
            Self::Partly(..) | Self::Other(..) => None,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, substatus) = match self {
            Self::Known(stage) => return stage.fmt(out),
            Self::Partly(status, substatus) => (status.name(), substatus),
            Self::Other(status, substatus) => (status.as_str(), substatus),
        };
        match (status, substatus.as_str()) {
            ("", "") => out.write_str("no status"),
            (status, "") => out.write_str(status),
            (status, substatus) => write!(out, "{status}/{substatus}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_substatus_names_one_stage() {
        for stage in Stage::ALL {
            assert_eq!(Stage::of_substatus(&stage.substatus().to_uppercase()), Some(stage));
            assert_eq!(Standing::of(stage.status().name(), stage.substatus()), Standing::Known(stage));
        }
        assert_eq!(Stage::of_substatus("None"), None);
        assert_eq!(Status::parse("None"), None);
    }

    #[test]
    fn what_the_service_invents_can_be_shown() {
        assert_eq!(Standing::of("Closed", "Accepted").to_string(), "Closed/Accepted");
        assert_eq!(Standing::of("Closed", "Accepted").status(), Some(Status::Closed));
        assert_eq!(Standing::of("Paused", "").to_string(), "Paused");
        assert_eq!(Standing::of("", "").to_string(), "no status");
        assert_eq!(Standing::of("Paused", "").status(), None);
    }
}
