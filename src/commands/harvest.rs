//! Gathers the referrals of an export: which of them are chosen, and what the file says of each.
//!
//! Lists may show referrals in part, and one referral twice. What a criterion, or a column that was asked for,
//! hangs on and was not seen is looked up, by a GET of that referral alone. So is a referral that two pages show in
//! different ways.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::cell_text::CellText;
use crate::domain::criteria::{Criteria, Truth};
use crate::domain::exchange::Failure;
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;
use crate::engine::fetch::{Coverage, Survey};
use crate::input::export::{ExportCell, ExportColumns};
use crate::report::{ExportFile, ExportSlot, ReportError, WrittenCell};

/// The number of referrals that tell whether lists leave out what referrals have.
const MOST_PROBED: usize = 3;

/// The referrals of an export, while they are gathered.
pub struct Harvest<'a> {
    criteria: &'a Criteria,
    /// The columns of a change file; `None` for a snapshot.
    columns: Option<&'a ExportColumns>,
    file: ExportFile,
    /// The referrals that have to be read by themselves, in order, each once; and those of them that still have to.
    order: Vec<ReferralId>,
    ordered: HashSet<ReferralId>,
    open: HashSet<ReferralId>,
    /// Those that were read by themselves, or could not be: there is nothing more to learn of them.
    settled: HashSet<ReferralId>,
    sightings: HashMap<ReferralId, Sighting>,
    gaps: HashMap<ReferralId, Gaps>,
    unread: Vec<Unread>,
    /// The referrals that were read by themselves, and of which the criteria can't be judged all the same.
    undecided: Vec<ReferralId>,
    /// Whether a referral that was read by itself had what its list entry lacks.
    lists_hide: bool,
}

/// A referral as it was shown.
struct Sighting {
    /// The hash of the text that it was taken from.
    hash: u64,
    slot: ExportSlot,
    /// Whether it is chosen, and so is in the file.
    is_chosen: bool,
    /// Whether two pages show it in different ways, so that only a GET tells how it is.
    is_contested: bool,
}

/// The columns that are left empty for a referral although it has, or may have, something there.
#[derive(Debug, Default)]
struct Gaps {
    unseen: Vec<usize>,
    unsaid: Vec<usize>,
}

/// A referral that could not be read.
#[derive(Debug)]
pub struct Unread {
    /// The referral.
    pub id: ReferralId,
    /// Why.
    pub failure: Failure,
    /// Whether the file holds it all the same, as its list entry shows it.
    pub is_kept: bool,
}

/// A column with empty cells that don't say that there is nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Gap {
    /// The column's name.
    pub column: String,
    /// The number of referrals.
    pub referrals: u64,
    /// One of them.
    pub example: ReferralId,
}

/// What came of gathering.
pub struct Harvested {
    /// The file, which is written when it is finished.
    pub file: ExportFile,
    /// The number of referrals that the service showed.
    pub shown: u64,
    /// Those that could not be read.
    pub unread: Vec<Unread>,
    /// Those of which the criteria can't be judged, since a value can't be read: a date that is none, for one.
    pub undecided: Vec<ReferralId>,
    /// The columns that lists show of some referrals only.
    pub unseen: Vec<Gap>,
    /// The columns that hold what a cell can't say.
    pub unsaid: Vec<Gap>,
}

impl<'a> Harvest<'a> {
    /// Begins with no referral. `ids` are those that are to be looked at, where it isn't all of them.
    pub fn begin(
        criteria: &'a Criteria,
        columns: Option<&'a ExportColumns>,
        file: ExportFile,
        ids: Vec<ReferralId>,
    ) -> Self {
        let ordered: HashSet<ReferralId> = ids.iter().copied().collect();
        Self {
            criteria,
            columns,
            file,
            order: ids,
            open: ordered.clone(),
            ordered,
            settled: HashSet::new(),
            sightings: HashMap::new(),
            gaps: HashMap::new(),
            unread: Vec::new(),
            undecided: Vec::new(),
            lists_hide: false,
        }
    }

    /// Takes an element of the list.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn listed(&mut self, referral: &Snapshot<'_>) -> Result<(), ReportError> {
        let id = referral.id();
        let coverage = match self.sightings.contains_key(&id) {
            true => self.seen_again(referral)?,
            false => self.take(referral, false)?,
        };
        if coverage == Coverage::Incomplete {
            self.ask_for(id);
        }
        Ok(())
    }

    /// Asks for a referral to be read by itself.
    fn ask_for(&mut self, id: ReferralId) {
        if self.settled.contains(&id) {
            return;
        }
        self.open.insert(id);
        if self.ordered.insert(id) {
            self.order.push(id);
        }
    }

    /// Asks for some of the referrals of which the list doesn't show all that the file could say, if there are
    /// such: they tell whether lists leave out what referrals have.
    pub fn probe(&mut self) -> bool {
        let first: Vec<ReferralId> = self.unseen().take(MOST_PROBED).collect();
        first.iter().for_each(|id| self.ask_for(*id));
        !first.is_empty()
    }

    /// Asks for all such referrals, if it has shown that lists leave out what they have.
    pub fn follow_up(&mut self) -> bool {
        let all: Vec<ReferralId> = if self.lists_hide { self.unseen().collect() } else { Vec::new() };
        all.iter().for_each(|id| self.ask_for(*id));
        !all.is_empty()
    }

    /// Returns the referrals in the file of which something was not seen, and may be, in order.
    fn unseen(&self) -> impl Iterator<Item = ReferralId> {
        let mut ids: Vec<(ExportSlot, ReferralId)> = self
            .gaps
            .iter()
            .filter(|(id, gaps)| !gaps.unseen.is_empty() && !self.settled.contains(id))
            .filter_map(|(id, _)| Some((self.sightings.get(id)?.slot, *id)))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id)
    }

    /// Compares a referral that a list shows again with what it showed before.
    fn seen_again(&mut self, referral: &Snapshot<'_>) -> Result<Coverage, ReportError> {
        let Some(sighting) = self.sightings.get_mut(&referral.id()) else {
            return self.take(referral, false);
        };
        if sighting.hash == hash(referral) {
            return Ok(Coverage::Unwanted);
        }
        sighting.is_contested = true;
        sighting.is_chosen = false;
        self.file.take_out(sighting.slot);
        self.gaps.remove(&referral.id());
        Ok(Coverage::Incomplete)
    }

    /// Takes a referral as it is shown: as a whole, or on a list.
    fn take(&mut self, referral: &Snapshot<'_>, is_last_word: bool) -> Result<Coverage, ReportError> {
        let id = referral.id();
        let slot = match self.sightings.get(&id) {
            Some(sighting) => sighting.slot,
            None => self.file.slot(),
        };
        let chosen = self.criteria.judge(referral);
        let covered = match chosen {
            Truth::Yes => self.write(slot, referral, is_last_word)?,
            Truth::No => true,
            Truth::Unseen => false,
        };
        if is_last_word && chosen == Truth::Unseen {
            self.undecided.push(id);
        }
        let is_chosen = chosen == Truth::Yes && covered;
        if !is_chosen {
            self.file.take_out(slot);
            self.gaps.remove(&id);
        }
        let is_contested = false;
        self.sightings.insert(id, Sighting { hash: hash(referral), slot, is_chosen, is_contested });
        Ok(if covered || is_last_word { Coverage::Complete } else { Coverage::Incomplete })
    }

    /// Writes a referral. Returns false where it has to be read by itself first.
    fn write(
        &mut self,
        slot: ExportSlot,
        referral: &Snapshot<'_>,
        is_last_word: bool,
    ) -> Result<bool, ReportError> {
        let Some(columns) = self.columns else {
            self.file.snapshot(slot, referral.json())?;
            return Ok(true);
        };
        let cells = columns.cells(referral);
        let mut gaps = Gaps::default();
        for (at, cell) in cells.iter().enumerate() {
            match cell {
                ExportCell::Unseen if columns.is_asked_for(at) && !is_last_word => return Ok(false),
                ExportCell::Unseen => gaps.unseen.push(at),
                ExportCell::Unsaid => gaps.unsaid.push(at),
                ExportCell::Text(_) | ExportCell::Shown(_) => {}
            }
        }
        let before = self.gaps.remove(&referral.id());
        if is_last_word && let Some(before) = before {
            let says_more = |at: &usize| {
                !matches!(cells[*at], ExportCell::Text(CellText::Empty) | ExportCell::Shown(CellText::Empty))
            };
            self.lists_hide |= before.unseen.iter().any(says_more);
        }
        if !(gaps.unseen.is_empty() && gaps.unsaid.is_empty()) {
            self.gaps.insert(referral.id(), gaps);
        }
        let written: Vec<WrittenCell<'_>> = cells.iter().map(written).collect();
        self.file.row(slot, &written)?;
        Ok(true)
    }

    /// Ends the gathering.
    pub fn end(self) -> Harvested {
        let names: Vec<&str> = self.columns.iter().flat_map(|columns| columns.names()).collect();
        let (unseen, unsaid) = {
            let gaps = |of: fn(&Gaps) -> &Vec<usize>| self.gaps_by_column(&names, of);
            (gaps(|gaps| &gaps.unseen), gaps(|gaps| &gaps.unsaid))
        };
        let Self { file, sightings, unread, undecided, .. } = self;
        Harvested { file, shown: sightings.len() as u64, unread, undecided, unseen, unsaid }
    }

    fn gaps_by_column(&self, names: &[&str], of: fn(&Gaps) -> &Vec<usize>) -> Vec<Gap> {
        let mut found: Vec<Option<(u64, ExportSlot, ReferralId)>> = vec![None; names.len()];
        for (id, gaps) in &self.gaps {
            let Some(Sighting { slot, .. }) = self.sightings.get(id) else { continue };
            for at in of(gaps) {
                let (count, first, example) = found[*at].unwrap_or((0, *slot, *id));
                let (first, example) = if *slot < first { (*slot, *id) } else { (first, example) };
                found[*at] = Some((count + 1, first, example));
            }
        }
        let gap = |(name, found): (&&str, Option<(u64, ExportSlot, ReferralId)>)| {
            let (referrals, _, example) = found?;
            Some(Gap { column: (*name).to_owned(), referrals, example })
        };
        names.iter().zip(found).filter_map(gap).collect()
    }
}

/// Returns a cell as it is written.
fn written(cell: &ExportCell) -> WrittenCell<'_> {
    match cell {
        ExportCell::Text(text) => WrittenCell { text, is_read: true },
        ExportCell::Shown(text) => WrittenCell { text, is_read: false },
        ExportCell::Unseen | ExportCell::Unsaid => WrittenCell { text: &CellText::Empty, is_read: true },
    }
}

fn hash(referral: &Snapshot<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    referral.json().hash(&mut hasher);
    hasher.finish()
}

impl Survey for Harvest<'_> {
    type Error = ReportError;

    fn wanted(&self) -> Vec<ReferralId> {
        self.order.iter().copied().filter(|id| self.open.contains(id)).collect()
    }

    fn remaining(&self) -> usize {
        self.open.len()
    }

    async fn seen(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<Coverage, ReportError> {
        let id = referral.id();
        if last_word {
            self.open.remove(&id);
            self.settled.insert(id);
            return self.take(referral, true);
        }
        if !self.open.contains(&id) {
            if !self.sightings.contains_key(&id) {
                return Ok(Coverage::Unwanted);
            }
            let coverage = self.seen_again(referral)?;
            if coverage == Coverage::Incomplete {
                self.open.insert(id);
            }
            return Ok(coverage);
        }
        if self.sightings.get(&id).is_some_and(|sighting| sighting.is_contested) {
            return Ok(Coverage::Incomplete);
        }
        let coverage = self.take(referral, false)?;
        if coverage == Coverage::Complete {
            self.open.remove(&id);
        }
        Ok(coverage)
    }

    async fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), ReportError> {
        self.open.remove(&id);
        self.settled.insert(id);
        let is_kept = self.sightings.get(&id).is_some_and(|sighting| sighting.is_chosen);
        self.unread.push(Unread { id, failure: failure.clone(), is_kept });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
