//! A run that is there: its totals, and what of it is still to be sent.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{CachedStatement, Row};

use super::crash_points::Watch;
use super::holder::Holder;
use super::lock::{self, Lock};
use super::records::{EnumText, ITEM, Json, Version, item, number};
use super::schema::Store;
use super::wal::{self, Loss, Lost};
use crate::domain::account::{InputInfo, Phase, RunSpec};
use crate::domain::consent::Consent;
use crate::domain::item::{Change, Item};
use crate::domain::referral::ETag;
use crate::ledger::journal::Journal;
use crate::ledger::outstanding::{Last, Next, last, may_arrive, next};
use crate::ledger::writer::ManualWriter;
use crate::ledger::{Clock, LedgerError};

/// A run that no other process writes, and that nothing is being sent of.
#[derive(Debug)]
pub struct Ledger {
    pub(in crate::ledger) store: Store,
    pub(in crate::ledger) lock: Lock,
    pub(in crate::ledger) about: RunSpec,
    pub(in crate::ledger) phase: Phase,
    lost: Option<Lost>,
    /// What was consented to now, and goes on record when it is begun to send.
    consent: Option<Consent>,
}

/// The items of a started run that have no outcome, in pages. It can be sent to another thread, and
/// not be shared between two.
#[derive(Debug)]
pub struct Backlog {
    store: Store,
    lost: Option<Lost>,
}

/// How much a run is. What remains is what a resumed run would still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanTotals {
    /// Input rows, the bad ones included.
    pub rows: u64,
    /// Referrals that rows are about, where they got that far: one item each.
    pub items: u64,
    /// Items that planning left to be sent.
    pub to_send: u64,
    /// Of those, the ones that close their referral, which can't be taken back.
    pub closing: u64,
    /// Items that have no outcome yet.
    pub remaining: u64,
    /// Of those, the ones that close their referral.
    pub remaining_closing: u64,
}

/// An item without an outcome, and what is to be done about it.
#[derive(Debug, Clone)]
pub struct Outstanding {
    /// The item as it was last sent: after a rebase that is another eTag, and maybe another document,
    /// than the plan's. Where it was never sent, as it was planned.
    pub item: Arc<Item>,
    /// What comes next.
    pub next: Next,
    /// Whether it was sent before.
    pub sent: bool,
    /// Whether any of its attempts may have been made, or may be yet.
    pub doubted: bool,
    /// Whether that is so because the run's log is lost, which may have told of another attempt.
    pub lost: bool,
    /// What the last attempt was answered with, where that is on record.
    pub status: Option<u16>,
    /// The same, as a word to group by.
    pub code: Option<String>,
    /// The versions that it was bound to so far.
    pub versions: Vec<ETag>,
}

/// Opens a run to carry on with it, and locks it.
///
/// # Errors
/// [`LedgerError::Absent`], [`LedgerError::Busy`], [`LedgerError::Foreign`], [`LedgerError::Newer`]
/// and [`LedgerError::Damaged`] as they say; every page of the file is looked at. [`LedgerError::Linked`] and
/// [`LedgerError::Copied`] where it may be at work somewhere else.
pub fn open(dir: &Path) -> Result<Ledger, LedgerError> {
    Store::expect(dir)?;
    let lock = Lock::take(dir)?;
    let store = Store::open(dir)?;
    let (about, phase) = store.checked_run()?;
    let lost = wal::lost(&store, lock::found(dir)?)?;
    Ok(Ledger::new(store, lock, about, phase, lost))
}

impl Ledger {
    pub(in crate::ledger) fn new(
        store: Store,
        lock: Lock,
        about: RunSpec,
        phase: Phase,
        lost: Option<Lost>,
    ) -> Self {
        Self { store, lock, about, phase, lost, consent: None }
    }

    /// Puts this on record with the first thing that is written when it is begun to send: before any intent.
    #[must_use]
    pub fn consented(self, consent: Option<Consent>) -> Self {
        Self { consent, ..self }
    }

    /// What was consented to when it was last begun to send.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        self.store.consent()
    }

    /// Tells this watch of every step from now on.
    #[must_use]
    pub fn watched(mut self, watch: Option<Watch>) -> Self {
        self.store.watch = watch;
        self
    }

    /// What was said about the run when it was planned.
    pub fn about(&self) -> &RunSpec {
        &self.about
    }

    /// How far it had come when it was opened.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether its log was lost, and with it what was sent last: every item without an outcome is then one
    /// that may have been sent.
    pub fn loss(&self) -> Option<Loss> {
        self.lost.map(|lost| lost.when)
    }

    /// The inputs that it was planned from, in their order.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        self.store.inputs()
    }

    /// How much it is, and how much of it is left.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn plan_totals(&self) -> Result<PlanTotals, LedgerError> {
        totals(&self.store)
    }

    /// How many rows its items have that are left.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn remaining_rows(&self) -> Result<u64, LedgerError> {
        let count = "SELECT count(*) FROM row JOIN item ON item.number = row.item
                     LEFT JOIN outcome ON outcome.item = item.number WHERE outcome.item IS NULL";
        self.store.told(self.store.connection.query_row(count, [], |row| number(row, 0)))
    }

    /// Begins to send: from now on the run is one that began and did not end. The journal's thread
    /// runs, and holds the run's lock, until it is finished or its last handle is dropped.
    ///
    /// # Errors
    /// [`LedgerError::Unplanned`] and [`LedgerError::Finished`] where there is nothing that may be
    /// sent; [`LedgerError::Busy`] where somebody reads it for longer than is waited for; else where the
    /// ledger can't be written.
    pub fn start(self, clock: Clock) -> Result<(Journal, Backlog), LedgerError> {
        let (backlog, writing, lock) = self.begin()?;
        let journal = Journal::begin(writing, lock, clock)?;
        Ok((journal, backlog))
    }

    /// As [`Ledger::start`], without a thread: nothing is written but when the last of the three is told to.
    ///
    /// # Errors
    /// As [`Ledger::start`].
    pub fn start_by_hand(self, clock: Clock) -> Result<(Journal, Backlog, ManualWriter), LedgerError> {
        let (backlog, writing, lock) = self.begin()?;
        let (journal, by_hand) = Journal::by_hand(writing, lock, clock)?;
        Ok((journal, backlog, by_hand))
    }

    /// What is left, and what is needed to write.
    fn begin(self) -> Result<(Backlog, Store, Lock), LedgerError> {
        let Self { mut store, mut lock, phase, lost, consent, .. } = self;
        match phase {
            Phase::Planned | Phase::Stopped => {}
            Phase::Planning => return Err(LedgerError::Unplanned { dir: store.dir.clone() }),
            Phase::Finished => return Err(LedgerError::Finished { dir: store.dir.clone() }),
        }
        let writing = store.again()?;
        let lost = wal::begin(&mut store, lost, consent.as_ref())?;
        lock.say(&Holder::of(&store.dir)?)?;
        Ok((Backlog { store, lost }, writing, lock))
    }
}

impl Backlog {
    /// The next items that have no outcome, by number: those greater than `after`, at most `limit`.
    /// An empty page is the last.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn outstanding(&self, after: u64, limit: usize) -> Result<Vec<Outstanding>, LedgerError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.store.told(self.page(after.cast_signed(), limit))
    }

    /// How many input rows an item has.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn rows(&self, item: u64) -> Result<u64, LedgerError> {
        let count = "SELECT count(*) FROM row WHERE item = ?1";
        let item = item.cast_signed();
        self.store.told(self.store.connection.query_row(count, [item], |row| number(row, 0)))
    }

    fn page(&self, after: i64, limit: i64) -> rusqlite::Result<Vec<Outstanding>> {
        let mut items = self.store.connection.prepare_cached(&format!(
            "SELECT {ITEM}, last.id, last.result, last.etag, last.patch, last.changes,
                    last.status, last.code
             FROM item LEFT JOIN outcome ON outcome.item = item.number
                       LEFT JOIN attempt AS last
                       ON last.id = (SELECT max(id) FROM attempt WHERE attempt.item = item.number)
             WHERE outcome.item IS NULL AND item.number > ?1 ORDER BY item.number LIMIT ?2"
        ))?;
        let mut attempts = self
            .store
            .connection
            .prepare_cached("SELECT result, code IS NOT NULL, etag FROM attempt WHERE item = ?1")?;
        let one = |row: &Row<'_>| {
            let mut left = outstanding(row, self.lost)?;
            // What was lost is never found again, so the doubt stays with whatever had no outcome then.
            left.doubted = self.lost.is_some();
            if left.sent {
                tell_attempts(&mut attempts, &mut left)?;
            }
            Ok(left)
        };
        items.query_map([after, limit], one)?.collect()
    }
}

/// Adds what all attempts at an item tell of it: whether any of them may have been made, or may be yet, and what
/// they were bound to.
fn tell_attempts(attempts: &mut CachedStatement<'_>, left: &mut Outstanding) -> rusqlite::Result<()> {
    let mut rows = attempts.query([left.item.number.cast_signed()])?;
    while let Some(row) = rows.next()? {
        let result = row.get::<_, Option<EnumText<_>>>(0)?.map(|EnumText(result)| result);
        left.doubted |= may_arrive(result, row.get(1)?);
        left.versions.extend(row.get::<_, Option<Version>>(2)?.map(|Version(etag)| etag));
    }
    Ok(())
}

/// How much a run is, and how much of it is left.
pub(in crate::ledger) fn totals(store: &Store) -> Result<PlanTotals, LedgerError> {
    store.told(store.connection.query_row(
        "SELECT (SELECT count(*) FROM row),
                count(*),
                count(*) FILTER (WHERE outcome.planned IS NOT 1),
                count(*) FILTER (WHERE outcome.planned IS NOT 1 AND effect = 'one-way'),
                count(*) FILTER (WHERE outcome.item IS NULL),
                count(*) FILTER (WHERE outcome.item IS NULL AND effect = 'one-way')
         FROM item LEFT JOIN outcome ON outcome.item = item.number",
        [],
        |row| {
            Ok(PlanTotals {
                rows: number(row, 0)?,
                items: number(row, 1)?,
                to_send: number(row, 2)?,
                closing: number(row, 3)?,
                remaining: number(row, 4)?,
                remaining_closing: number(row, 5)?,
            })
        },
    ))
}

/// Reads an item from the columns of [`ITEM`], and its last attempt from those that follow, null where
/// there is none.
fn outstanding(row: &Row<'_>, lost: Option<Lost>) -> rusqlite::Result<Outstanding> {
    let mut item = item(row)?;
    let versions = item.etag.iter().cloned().collect();
    let mut attempt = None;
    if let Some(id) = row.get(9)? {
        attempt = Some((id, row.get::<_, Option<EnumText<_>>>(10)?.map(|EnumText(result)| result)));
        item.etag = row.get::<_, Option<Version>>(11)?.map(|Version(etag)| etag);
        if let Some(Json(patch)) = row.get(12)? {
            item.patch = patch;
        }
        if let Some(Json(changes)) = row.get::<_, Option<Json<Vec<Change>>>>(13)? {
            item.changes = changes;
        }
    }
    let last = last(attempt, lost.map(|lost| lost.after));
    Ok(Outstanding {
        item: Arc::new(item),
        next: next(last),
        sent: attempt.is_some(),
        doubted: false,
        lost: last == Last::Lost,
        status: row.get(14)?,
        code: row.get(15)?,
        versions,
    })
}
