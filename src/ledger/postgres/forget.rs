//! Forgetting a run: all that a shared ledger has on record of it is deleted, whole or not at all.
//!
//! Nothing is deleted of a run that a worker may be sending from. A lease that has run out is ended first: the worker
//! that comes back with it finds it ended, and puts nothing on record any more.

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::connect::SharedLedger;
use super::error::PostgresError;
use crate::domain::characters::visible;

/// The tables that hold something of a run, each with what it holds in words, one and several. What refers to another
/// comes before it.
const TABLES: [(&str, [&str; 2]); 15] = [
    ("verified", ["verified item", "verified items"]),
    ("verification", ["verification", "verifications"]),
    ("step", ["step", "steps"]),
    ("outcome", ["outcome", "outcomes"]),
    ("attempt", ["attempt", "attempts"]),
    ("session", ["session", "sessions"]),
    ("span", ["span", "spans"]),
    ("approval", ["approval", "approvals"]),
    ("consent", ["consent", "consents"]),
    ("turn", ["turn", "turns"]),
    ("subject", ["subject", "subjects"]),
    ("item", ["item", "items"]),
    ("matched", ["matched key", "matched keys"]),
    ("row", ["row", "rows"]),
    ("input", ["input", "inputs"]),
];

/// The most names of runs that are told where one isn't found.
const MOST_NAMES: usize = 10;

/// A lease that ran out is ended only where the server is up for longer than this, the length of a lease: after a
/// restart of the server all leases have run out, and their workers are about to renew them.
const LEASE: &str = "30 s";

/// A run on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOnRecord {
    /// Whose referrals it is about.
    pub tenant: String,
    /// How far it has come: `planning`, `planned`, `sending` or `finished`.
    pub phase: String,
    /// The number of its input rows.
    pub rows: u64,
    /// The number of requests that were sent, or were about to be.
    pub attempts: u64,
}

/// A run that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The numbers of records that were deleted, each with what they are; nothing that there was none of.
    pub records: Vec<(u64, &'static str)>,
}

impl SharedLedger {
    /// Returns what is on record of a run.
    ///
    /// # Errors
    /// Returns an error where there is no such run, or no ledger.
    pub async fn run(&self, name: &str) -> Result<RunOnRecord, PostgresError> {
        self.mark().await?.writable()?;
        let query = "SELECT tenant, phase, (SELECT count(*) FROM referral_bulk.row r WHERE r.run = run.id),
                            (SELECT count(*) FROM referral_bulk.attempt a WHERE a.run = run.id)
                     FROM referral_bulk.run WHERE name = $1";
        let found = self.client.query_typed(query, &[(&name, Type::TEXT)]).await;
        let found = found.map_err(|error| self.failed(&error))?;
        let Some(run) = found.first() else {
            let known = names(&self.client).await.map_err(|error| self.failed(&error))?;
            return Err(PostgresError::NoSuchRun { run: name.to_owned(), known });
        };
        Ok(RunOnRecord {
            tenant: run.get(0),
            phase: run.get(1),
            rows: count(run.get(2)),
            attempts: count(run.get(3)),
        })
    }

    /// Deletes all that is on record of a run.
    ///
    /// # Errors
    /// Returns an error where there is no such run, workers hold it, or the role doesn't own the ledger. Nothing is
    /// deleted then.
    pub async fn forget(&mut self, name: &str) -> Result<Forgotten, PostgresError> {
        let user = self.at.user.clone();
        let failed = |error: tokio_postgres::Error| PostgresError::of(&error, &user);
        let transaction = self.client.transaction().await.map_err(failed)?;
        // Nothing more is claimed of the run from here on.
        let lock = "SELECT id FROM referral_bulk.run WHERE name = $1 FOR UPDATE";
        let found = transaction.query_typed(lock, &[(&name, Type::TEXT)]).await.map_err(failed)?;
        let Some(run) = found.first().map(|run| run.get::<_, i64>(0)) else {
            let known = names(&transaction).await.map_err(failed)?;
            return Err(PostgresError::NoSuchRun { run: name.to_owned(), known });
        };
        let workers = holders(&transaction, run).await.map_err(failed)?;
        if !workers.is_empty() {
            return Err(PostgresError::Held { run: name.to_owned(), workers });
        }
        let records = delete(&transaction, run).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Forgotten { records })
    }
}

/// Returns the names of the runs that there are, the latest first.
async fn names(client: &impl tokio_postgres::GenericClient) -> Result<Vec<String>, tokio_postgres::Error> {
    let query = format!("SELECT name FROM referral_bulk.run ORDER BY id DESC LIMIT {MOST_NAMES}");
    Ok(client.query_typed(&query, &[]).await?.iter().map(|run| run.get(0)).collect())
}

/// Ends the leases on a run that ran out, and returns the workers that hold one all the same.
///
/// These are two statements: the first waits for whoever renews a lease at that moment, and the second sees it renewed.
async fn holders(transaction: &Transaction<'_>, run: i64) -> Result<Vec<String>, tokio_postgres::Error> {
    const OF_RUN: &str = "ended_at IS NULL
        AND id IN (SELECT worker FROM referral_bulk.span WHERE run = $1 AND worker IS NOT NULL)";
    let end = format!(
        "UPDATE referral_bulk.worker SET ended_at = clock_timestamp()
         WHERE {OF_RUN} AND expires_at < clock_timestamp()
           AND pg_postmaster_start_time() < clock_timestamp() - interval '{LEASE}'"
    );
    transaction.query_typed(&end, &[(&run, Type::INT8)]).await?;
    let left = format!("SELECT name, host, expires_at FROM referral_bulk.worker WHERE {OF_RUN} ORDER BY id");
    let left = transaction.query_typed(&left, &[(&run, Type::INT8)]).await?;
    let told = left.iter().map(|worker| {
        let (name, host, until): (String, String, Timestamp) = (worker.get(0), worker.get(1), worker.get(2));
        format!("{} on {}, whose lease holds until {until:.0}", visible(&name), visible(&host))
    });
    Ok(told.collect())
}

/// Deletes what every table holds of a run, and returns how much that was.
async fn delete(
    transaction: &Transaction<'_>,
    run: i64,
) -> Result<Vec<(u64, &'static str)>, tokio_postgres::Error> {
    let mut records = Vec::new();
    for (table, [one, several]) in TABLES {
        let delete = format!(
            "WITH gone AS (DELETE FROM referral_bulk.{table} WHERE run = $1 RETURNING true) SELECT count(*) FROM gone"
        );
        let deleted = transaction.query_typed(&delete, &[(&run, Type::INT8)]).await?;
        match count(deleted[0].get(0)) {
            0 => {}
            1 => records.push((1, one)),
            more => records.push((more, several)),
        }
    }
    transaction.batch_execute(&format!("DELETE FROM referral_bulk.run WHERE id = {run}")).await?;
    Ok(records)
}

/// Returns what the database counted.
fn count(counted: i64) -> u64 {
    u64::try_from(counted).unwrap_or_default()
}
