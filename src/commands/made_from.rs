//! `apply --base FILE`: the file that the change files were made from. Its rows lie in a spill file beside the run until
//! the rows for the same referrals are read.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::baseline::check_unchanged;
use super::error::{CommandError, ErrorKind, ONE_OF_TWO, Problem};
use super::next_command::{flag, spelled};
use super::plan_writer::PlanWriter;
use crate::domain::characters::visible_path;
use crate::domain::fields::Path;
use crate::domain::referral::ReferralId;
use crate::domain::run_spec::Base;
use crate::domain::setting::Setting;
use crate::input::{
    self, BaseFileError, BaseRow, BaseRows, ColumnNumbers, Options, ReadAs, ReadBase, SnapshotFileError,
    Unusable,
};
use crate::ledger::{LedgerError, Spill, SpillRef};
use crate::report::counted;

/// The file that the change files of a run were made from.
pub struct MadeFrom {
    rows: Arc<KeptRows>,
    /// The file's name, for messages.
    name: String,
}

/// The rows of the base, and what the change files ask for of them.
#[derive(Debug)]
struct KeptRows {
    kept: Mutex<Kept>,
    columns: Arc<ColumnNumbers>,
    /// Whether the file leaves open how it writes numbers.
    doubts_numbers: bool,
    /// Whether the file leaves open how it writes dates.
    doubts_dates: bool,
}

#[derive(Debug)]
struct Kept {
    spill: Spill,
    at: HashMap<ReferralId, KeptRow>,
    /// The number of rows that were looked up and found.
    found: u64,
    /// The number of rows that were looked up and are not there.
    missing: u64,
    /// The fields that change files change and the base doesn't have.
    lacks: BTreeSet<Path>,
    /// Why a row could not be read again.
    trouble: Option<LedgerError>,
}

/// A row of the base in its spill file.
#[derive(Debug)]
struct KeptRow {
    at: SpillRef,
    line: u64,
    /// Whether a change file has the referral.
    is_asked_for: bool,
}

/// What became of the rows that were compared.
#[derive(Debug, Clone, Copy, Default)]
pub struct ComparedRows {
    /// The rows of all change files.
    pub rows: u64,
    /// Their cells that are as in the base.
    pub as_in_base: u64,
    /// The rows that ask for something, or of which something is to be said.
    pub touched: u64,
}

impl KeptRows {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BaseRows for KeptRows {
    fn row(&self, id: ReferralId) -> Option<BaseRow> {
        let mut kept = self.lock();
        let Kept { spill, at, found, missing, trouble, .. } = &mut *kept;
        let Some(row) = at.get_mut(&id) else {
            *missing += 1;
            return None;
        };
        row.is_asked_for = true;
        *found += 1;
        match spill.text(row.at) {
            Ok(text) => {
                let row = BaseRow::restored(&text, &self.columns)?;
                let row = if self.doubts_numbers { row.doubting_numbers() } else { row };
                Some(if self.doubts_dates { row.doubting_dates() } else { row })
            }
            Err(error) => {
                *trouble = Some(error);
                None
            }
        }
    }

    fn lacks(&self, path: &Path) {
        let mut kept = self.lock();
        if !kept.lacks.contains(path) {
            kept.lacks.insert(path.clone());
        }
    }
}

/// Why reading the base ends early.
enum Trouble {
    Ledger(LedgerError),
    /// Two rows are for one referral, and differ.
    Twice(ReferralId, [u64; 2]),
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl MadeFrom {
    /// Reads the base, as `options` say for the change files. Where the run is stopped meanwhile, some rows are
    /// missing; nothing comes of its plan then.
    ///
    /// # Errors
    /// Returns an error where the file can't be read, has changed since it was read before, has two different rows for
    /// a referral, or the run's directory can't be written.
    pub fn read(base: Base, options: &Options, writer: &mut PlanWriter<'_>) -> Result<Self, CommandError> {
        let stop = writer.environment.stop;
        let (lacks, trouble) = (BTreeSet::new(), None);
        let mut kept =
            Kept { spill: writer.spill()?, at: HashMap::new(), found: 0, missing: 0, lacks, trouble };
        let name = visible_path(&base.path);
        let read = input::read_base(&base.path, options, &mut |id, row| {
            kept.add(id, &row)?;
            Ok(!stop.is_set())
        });
        let read = read.map_err(|error| unreadable(&name, error))?;
        let (columns, doubts_numbers, doubts_dates) = match read {
            Some(ReadBase { sha256, columns, contradiction, date_contradiction }) => {
                check_unchanged(&base, &sha256, "apply")?;
                writer.pin(Base { sha256: Some(sha256), ..base })?;
                (numbered(columns), contradiction.is_some(), date_contradiction.is_some())
            }
            None => (ColumnNumbers::new(), false, false),
        };
        let rows =
            KeptRows { kept: Mutex::new(kept), columns: Arc::new(columns), doubts_numbers, doubts_dates };
        Ok(Self { rows: Arc::new(rows), name })
    }

    /// Returns how change files are read that were made from it.
    pub fn read_as(&self) -> ReadAs {
        ReadAs::ChangesOf(self.rows.clone())
    }

    /// Makes sure that every row that was looked up could be read.
    ///
    /// # Errors
    /// Returns the reason of the first one that could not.
    pub fn check(&self) -> Result<(), LedgerError> {
        self.rows.lock().trouble.take().map_or(Ok(()), Err)
    }

    /// Says what was compared, once all change files were read.
    ///
    /// # Errors
    /// Returns an error where the base has none of their referrals: it is another file then.
    pub fn conclude(&self, compared: ComparedRows, writer: &PlanWriter<'_>) -> Result<(), CommandError> {
        let kept = self.rows.lock();
        let Kept { found, missing, .. } = *kept;
        let name = &self.name;
        if found == 0 && missing > 0 {
            let message = format!("{name} has none of the referrals that the rows are for");
            let base = flag(Setting::Base);
            return Err(CommandError::could_not_run(message)
                .hint(format!("give in {base} the export or download that the rows were made from")));
        }
        for note in self.notes(&kept, compared) {
            writer.environment.console.say(&format!("note: {note}"));
        }
        Ok(())
    }

    fn notes(&self, kept: &Kept, compared: ComparedRows) -> Vec<String> {
        let ComparedRows { rows, as_in_base, touched } = compared;
        let Kept { missing, .. } = *kept;
        let name = &self.name;
        let mut notes = Vec::new();
        if missing > 0 {
            let of = counted(rows, "row");
            let doubt = if missing * 2 > rows { ": is it the file that they were made from?" } else { "" };
            notes.push(format!("{name} lacks the referrals of {missing} of {of}{doubt}"));
        }
        if as_in_base > 0 {
            let (cells, are) = (counted(as_in_base, "cell"), if as_in_base == 1 { "is" } else { "are" });
            let change = if as_in_base == 1 { "changes" } else { "change" };
            notes.push(format!("{cells} {are} as in {name} and {change} nothing"));
        }
        if touched == 0 && rows > 0 {
            notes.push(format!("nothing differs from {name}, so there is nothing to do"));
        }
        if !kept.lacks.is_empty() {
            let fields: Vec<&str> = kept.lacks.iter().map(|path| path.pointer().as_str()).collect();
            let fields = fields.join(", ");
            notes.push(format!(
                "{name} does not have {fields}: what is given for it is sent, whatever the referral has now"
            ));
        }
        let besides = kept.at.values().filter(|row| !row.is_asked_for).count() as u64;
        if besides > 0 {
            notes
                .push(format!("{name} has {} besides, which stay as they are", counted(besides, "referral")));
        }
        notes
    }
}

impl Kept {
    /// Keeps a row. The same once more is fine.
    fn add(&mut self, id: ReferralId, row: &BaseRow) -> Result<(), Trouble> {
        if let Some(KeptRow { at, line, .. }) = self.at.get(&id) {
            let earlier = BaseRow::restored(&self.spill.text(*at)?, &Arc::default());
            return if earlier.is_some_and(|earlier| earlier.agrees_with(row)) {
                Ok(())
            } else {
                Err(Trouble::Twice(id, [*line, row.line()]))
            };
        }
        let at = self.spill.put(&row.kept())?;
        self.at.insert(id, KeptRow { at, line: row.line(), is_asked_for: false });
        Ok(())
    }
}

/// Returns the place of each column by its name. A name that two columns have tells neither of them.
fn numbered(columns: Vec<String>) -> ColumnNumbers {
    let mut numbers = ColumnNumbers::new();
    let mut twice = BTreeSet::new();
    for (at, name) in columns.into_iter().enumerate() {
        if numbers.insert(name.clone(), at).is_some() {
            twice.insert(name);
        }
    }
    numbers.retain(|name, _| !twice.contains(name));
    numbers
}

fn unreadable(name: &str, error: BaseFileError<Trouble>) -> CommandError {
    match error {
        BaseFileError::Unusable(unusable) => broken(&unusable),
        BaseFileError::Sink(trouble) | BaseFileError::Snapshot(SnapshotFileError::Sink(trouble)) => {
            match trouble {
                Trouble::Ledger(error) => error.into(),
                Trouble::Twice(id, [first, second]) => CommandError::could_not_run(format!(
                    "{name}: referral {id} stands in it twice, and not the same: line {first}, and line {second}"
                ))
                .hint(ONE_OF_TWO),
            }
        }
        BaseFileError::Snapshot(error @ SnapshotFileError::Twice { .. }) => {
            CommandError::could_not_run(error.to_string()).hint(ONE_OF_TWO)
        }
        BaseFileError::Snapshot(error) => {
            CommandError::could_not_run(error.to_string()).hint(match error.remedy() {
                Some(remedy) => remedy.to_owned(),
                None => format!(
                    "{} takes the export or download that the rows were made from, or a file of referrals",
                    flag(Setting::Base)
                ),
            })
        }
    }
}

/// Returns the error of a base that can't be used, with a problem for each place.
fn broken(unusable: &Unusable) -> CommandError {
    let base = flag(Setting::Base);
    let problems = unusable.problems().iter().map(|problem| Problem {
        place: Some(problem.place.clone()),
        hints: problem.hint.clone().into_iter().collect(),
        ..Problem::new(format!("{base}: {}", spelled(&problem.message.as_str().into())))
    });
    CommandError::of(ErrorKind::CouldNotRun, problems.collect())
}
