//! The service: one referral, and the requests and answers that are on their way.

use std::collections::BTreeMap;

use crate::ledger::{RequestId, Who};
use crate::rules::{Edit, Rules};

/// What the service answers to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The change was made.
    Yes,
    /// The referral has another version than the change is bound to.
    OtherVersion,
}

/// What is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Message {
    /// A request from this worker.
    Request(Who),
    /// An answer to it.
    Answer(Who, Answer),
}

/// What a look at the referral shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The version that was planned from.
    AsPlanned,
    /// Our change.
    Ours,
    /// Another version, without our change.
    Theirs,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Service {
    /// The referral's version. The plan was made from version 0.
    version: u8,
    carries_ours: bool,
    /// How often our change was made.
    pub made: u8,
    pub is_edited: bool,
    /// Somebody else has changed what we had changed.
    pub is_overwritten: bool,
    pub on_the_way: BTreeMap<RequestId, Message>,
}

impl Service {
    pub fn new() -> Self {
        Self {
            version: 0,
            carries_ours: false,
            made: 0,
            is_edited: false,
            is_overwritten: false,
            on_the_way: BTreeMap::new(),
        }
    }

    /// Makes the change, unless it is bound to the version that was planned from, and the referral has another.
    pub fn patch(&mut self, rules: &Rules) -> Answer {
        if rules.scenario.is_bound && self.version != 0 {
            return Answer::OtherVersion;
        }
        self.version += 1;
        self.made += 1;
        self.carries_ours = true;
        Answer::Yes
    }

    pub fn look(&self) -> Shown {
        match (self.carries_ours, self.version) {
            (true, _) => Shown::Ours,
            (false, 0) => Shown::AsPlanned,
            (false, _) => Shown::Theirs,
        }
    }

    /// Somebody else changes the referral.
    pub fn edit(&mut self, edit: Edit) {
        self.version += 1;
        self.is_edited = true;
        if edit == Edit::Over {
            self.is_overwritten = self.carries_ours;
            self.carries_ours = false;
        }
    }
}
