//! The result of an earlier run, where the input is a report of that run. Reports add results to rows in
//! columns, or members, named `result` and `result.*`; in an input they change nothing.

use serde_json::value::RawValue;

use crate::domain::day_doubt::{DatesInDoubt, IN_DOUBT};
use crate::domain::fields::Path;
use crate::domain::finding::{Finding, Location};
use crate::domain::json::{self, Object};
use crate::domain::outcome::Outcome;
use crate::domain::referral::ETag;
use crate::domain::rules::Rule;

/// Returns whether a report added the member of this name.
pub(super) fn is_result(name: &str) -> bool {
    name == "result" || name.starts_with("result.")
}

/// Returns the finding for a report's line that stands for an unreadable one. Such a line holds the text that
/// couldn't be read in the member `input`, and no other member of its own.
pub(super) fn stand_in(place: Location, members: &Object<'_>) -> Option<Finding> {
    let mut own = members.iter().filter(|(name, _)| !is_result(name));
    let (Some(("input", text)), None) = (own.next(), own.next()) else { return None };
    let is_one = EarlierResult::of_members(members).outcome().is_some() && json::string(text).is_some();
    let message = "this stands for a line that could not be read, whose text is in \"input\"";
    let hint = "write the corrected object in its place, or take the line out";
    is_one.then(|| Finding::deny(Rule::Json, place, message).hint(hint))
}

/// The result of one row in an earlier run.
#[derive(Debug, Clone, Default)]
pub(super) struct EarlierResult {
    outcome: Option<Outcome>,
    etag: Option<ETag>,
    theirs: Vec<(Path, Box<RawValue>)>,
    dates: DatesInDoubt,
}

impl EarlierResult {
    /// Reads the result from the members of a line.
    pub fn of_members(members: &Object<'_>) -> Self {
        let mut earlier = Self::default();
        for (name, value) in members.iter().filter(|(name, _)| is_result(name)) {
            match json::string(value) {
                Some(text) => earlier.read(name, &text),
                None => earlier.read(name, value.get()),
            }
        }
        earlier
    }

    /// Reads one column or member, if it is one that counts. A text that is no outcome or eTag counts as none.
    pub fn read(&mut self, name: &str, text: &str) {
        match name.trim() {
            name if name.eq_ignore_ascii_case("result.outcome") => {
                self.outcome = Outcome::parse(&text.trim().to_ascii_lowercase());
            }
            name if name.eq_ignore_ascii_case("result.etag") => {
                self.etag = ETag::from_input(text).ok();
            }
            name if name.eq_ignore_ascii_case("result.theirs") => self.theirs = values(text),
            name if name.eq_ignore_ascii_case(IN_DOUBT) => self.dates = DatesInDoubt::parse(text),
            _ => {}
        }
    }

    /// Returns the values that a conflict report shows to whoever feeds the row back: they are no news any more.
    pub fn seen(&self) -> Vec<(Path, Box<RawValue>)> {
        if self.outcome == Some(Outcome::Conflict) { self.theirs.clone() } else { Vec::new() }
    }

    /// Returns the dates that the report holds to be in doubt.
    pub fn dates(&self) -> &DatesInDoubt {
        &self.dates
    }

    /// Returns the outcome of the row.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Returns the eTag that the earlier run left behind, where the row should be bound to it instead of the
    /// one it names.
    ///
    /// That is so after an outcome of `partial`: the eTag that the row names was made stale by this program's
    /// own change and by nobody else's. Of a legacy payload it is not so: that holds all of its referral as it
    /// was before the change, and would undo it.
    pub fn moved_to(&self) -> Option<&ETag> {
        self.etag.as_ref().filter(|_| self.outcome == Some(Outcome::Partial))
    }
}

/// Returns the values of a JSON object by pointer; none where the text is no such object.
fn values(text: &str) -> Vec<(Path, Box<RawValue>)> {
    let members = Object::parse(text).unwrap_or_default();
    let path = |name: &str| serde_json::from_str::<Path>(json::raw(name).get()).ok();
    members.iter().filter_map(|(name, value)| Some((path(name)?, value.to_owned()))).collect()
}
