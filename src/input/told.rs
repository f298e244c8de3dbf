//! What a report told of a row that is fed back. Reports add it in columns, or members, that change nothing.

use crate::domain::finding::{Finding, Location};
use crate::domain::json::{self, Object};
use crate::domain::outcome::Outcome;
use crate::domain::referral::ETag;
use crate::domain::rules::Rule;

/// Whether a member was added by a report.
pub(super) fn is_result(name: &str) -> bool {
    name == "result" || name.starts_with("result.")
}

/// What is wrong with a line of a report that stands for one that could not be read: its text is the member
/// `input`, and nothing else is the row's own.
pub(super) fn stand_in(place: Location, members: &Object<'_>) -> Option<Finding> {
    let mut own = members.iter().filter(|(name, _)| !is_result(name));
    let (Some(("input", text)), None) = (own.next(), own.next()) else { return None };
    let is_one = EarlierResult::of_members(members).outcome().is_some() && json::string(text).is_some();
    let message = "this stands for a line that could not be read, whose text is in \"input\"";
    let hint = "write the corrected object in its place, or take the line out";
    is_one.then(|| Finding::deny(Rule::Json, place, message).hint(hint))
}

/// What was told of one row.
#[derive(Debug, Clone, Default)]
pub(super) struct EarlierResult {
    outcome: Option<Outcome>,
    etag: Option<ETag>,
}

impl EarlierResult {
    /// What the members of a line tell.
    pub fn of_members(members: &Object<'_>) -> Self {
        let mut told = Self::default();
        for (name, value) in members.iter().filter(|(name, _)| is_result(name)) {
            json::string(value).iter().for_each(|text| told.take(name, text));
        }
        told
    }

    /// Takes a column or member, if it is one that counts. Text that tells nothing is none.
    pub fn take(&mut self, name: &str, text: &str) {
        match name.trim() {
            name if name.eq_ignore_ascii_case("result.outcome") => {
                self.outcome = Outcome::parse(&text.trim().to_ascii_lowercase());
            }
            name if name.eq_ignore_ascii_case("result.etag") => {
                self.etag = ETag::from_input(text).ok();
            }
            _ => {}
        }
    }

    /// What became of it.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// The version that it is bound to by now, where it names one. Of a row that was taken in part that is the one
    /// that this led to: the one that it names was made stale by nobody else. Of a legacy payload it is not: that
    /// holds all of its referral, as it was before.
    pub fn moved_to(&self) -> Option<&ETag> {
        self.etag.as_ref().filter(|_| self.outcome == Some(Outcome::Partial))
    }
}
