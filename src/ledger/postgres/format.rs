//! The format of a shared ledger: its tables, and how they are made and brought up.
//!
//! A format is a file of plain SQL that makes it of the one before. All that a ledger lacks is done in one transaction,
//! under a lock that one process at a time has, so that it happens whole or not at all, and once.

use tokio_postgres::{Client, GenericClient, Transaction};
use uuid::Uuid;

use super::connect::SharedLedger;
use super::error::PostgresError;
use super::version::FORMAT;

/// The oldest format whose programs may write a ledger of this one.
const LEAST_WRITER: i32 = 1;

/// How each format is made of the one before.
const STEPS: [(i32, &str); FORMAT as usize] = [(1, include_str!("sql/format-1.sql"))];

/// The lock under which tables are made and brought up: `RBlk`, as a ledger in a file is marked.
const LOCK: i64 = i32::from_be_bytes(*b"RBlk") as i64;

/// What a database holds in the place of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// Something else.
    Other,
    /// A ledger.
    Ledger(LedgerMark),
}

/// What a ledger says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerMark {
    /// Its format.
    pub format: i32,
    /// The oldest format whose programs may write it.
    pub least_writer: i32,
    /// What tells it from every other ledger, a copy of which has the same.
    pub identity: Uuid,
}

impl LedgerMark {
    /// Makes sure that this program may write the ledger.
    ///
    /// # Errors
    /// Returns an error where the format is an older one, or a newer one that it doesn't know.
    pub(super) fn writable(self) -> Result<Self, PostgresError> {
        match self.format {
            found if self.least_writer > FORMAT => Err(PostgresError::Newer { found }),
            found if found < FORMAT => Err(PostgresError::Older { found }),
            _ => Ok(self),
        }
    }
}

/// Looks what a database holds.
///
/// # Errors
/// Returns an error where the role may not look.
pub(super) async fn look(client: &impl GenericClient) -> Result<Found, tokio_postgres::Error> {
    let there = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'referral_bulk'),
                        (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                         JOIN pg_namespace n ON n.oid = c.relnamespace
                         WHERE n.nspname = 'referral_bulk' AND c.relname = 'ledger' AND c.relkind = 'r'
                           AND a.attname IN ('application', 'format', 'least_writer', 'identity'))";
    let there = client.query_typed(there, &[]).await?;
    let (schema, columns): (bool, i64) = (there[0].get(0), there[0].get(1));
    if columns < 4 {
        return Ok(if schema { Found::Other } else { Found::Nothing });
    }
    let mark = "SELECT format, least_writer, identity FROM referral_bulk.ledger
                WHERE application = 'referral-bulk'";
    let marks = client.query_typed(mark, &[]).await?;
    Ok(marks.first().map_or(Found::Other, |mark| {
        let (format, least_writer, identity) = (mark.get(0), mark.get(1), mark.get(2));
        Found::Ledger(LedgerMark { format, least_writer, identity })
    }))
}

impl SharedLedger {
    /// Returns what the ledger says of itself.
    ///
    /// # Errors
    /// Returns an error where there is none, or the role may not look.
    pub async fn mark(&self) -> Result<LedgerMark, PostgresError> {
        let found = look(&self.client).await.map_err(|error| self.failed(&error))?;
        found.ledger(self.database())
    }
}

impl Found {
    /// Returns the ledger that was found.
    pub(super) fn ledger(self, database: &str) -> Result<LedgerMark, PostgresError> {
        let database = database.to_owned();
        match self {
            Self::Nothing => Err(PostgresError::Absent { database }),
            Self::Other => Err(PostgresError::Foreign { database }),
            Self::Ledger(mark) => Ok(mark),
        }
    }
}

/// Begins a transaction in which tables may be made, once no other process makes any.
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    Ok(transaction)
}

/// Makes the tables of a new ledger.
pub(super) async fn make(transaction: &Transaction<'_>, identity: Uuid) -> Result<(), tokio_postgres::Error> {
    bring_up(transaction, 0).await?;
    let mark = format!(
        "INSERT INTO referral_bulk.ledger (application, format, least_writer, identity)
         VALUES ('referral-bulk', {FORMAT}, {LEAST_WRITER}, '{identity}')"
    );
    transaction.batch_execute(&mark).await
}

/// Brings the tables of an older ledger up.
pub(super) async fn upgrade(transaction: &Transaction<'_>, from: i32) -> Result<(), tokio_postgres::Error> {
    bring_up(transaction, from).await?;
    let mark = format!("UPDATE referral_bulk.ledger SET format = {FORMAT}, least_writer = {LEAST_WRITER}");
    transaction.batch_execute(&mark).await
}

/// Carries out what each format behind this one adds.
async fn bring_up(transaction: &Transaction<'_>, from: i32) -> Result<(), tokio_postgres::Error> {
    for (_, step) in STEPS.into_iter().filter(|(format, _)| *format > from) {
        transaction.batch_execute(step).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_made_of_the_one_before() {
        let formats: Vec<i32> = STEPS.iter().map(|(format, _)| *format).collect();
        assert_eq!(formats, (1..=FORMAT).collect::<Vec<_>>());
    }

    #[test]
    fn a_ledger_is_written_by_who_knows_its_format() {
        let mark = |format, least_writer| LedgerMark { format, least_writer, identity: Uuid::nil() };
        let told = |mark: LedgerMark| mark.writable().map(drop).map_err(|error| error.to_string());
        assert_eq!(told(mark(FORMAT, FORMAT)), Ok(()));
        // A later format that adds only what an earlier program need not know.
        assert_eq!(told(mark(FORMAT + 1, FORMAT)), Ok(()));
        let newer = "the ledger was upgraded by a newer version of this program: its format is 9, this version knows 1";
        assert_eq!(told(mark(9, FORMAT + 1)), Err(newer.to_owned()));
        let older = "the ledger has format 0, and this version works with format 1";
        assert_eq!(told(mark(0, 0)), Err(older.to_owned()));
    }
}
