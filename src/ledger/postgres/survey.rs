//! What a database says of itself that a shared ledger depends on. Nothing is changed for it.

use super::connect::SharedLedger;
use super::error::PostgresError;
use super::format::LedgerMark;
use super::url::Protection;

/// The oldest version of PostgreSQL that a ledger can be in, as the server numbers it.
pub const OLDEST_VERSION: i32 = 130_000;

/// What a database says of itself.
#[derive(Debug)]
pub struct Survey {
    /// Whether the connection is encrypted; else it stays on this machine.
    pub encrypted: bool,
    /// The version of PostgreSQL, as the server numbers it: 150018 is 15.18.
    pub version: i32,
    /// The version in words.
    pub version_name: String,
    /// Whether the server takes no writes since it follows another one.
    pub in_recovery: bool,
    /// What the server does so that a crash takes nothing back.
    pub durability: Durability,
    /// The isolation that sessions have unless they ask for another.
    pub isolation: String,
    /// The ledger, or why it can't be used.
    pub ledger: Result<LedgerMark, PostgresError>,
    /// What the role may do, where there is a ledger that it may look at.
    pub rights: Option<Rights>,
}

/// What a server does so that a crash takes nothing back, by its own settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    /// Whether it waits for the disk at all (`fsync`).
    pub fsync: bool,
    /// Whether a page that a crash wrote by half can be made whole (`full_page_writes`).
    pub full_page_writes: bool,
    /// What a commit waits for (`synchronous_commit`).
    pub synchronous_commit: String,
    /// Whether pages carry checksums (`data_checksums`).
    pub checksums: bool,
    /// The standbys that a commit waits for (`synchronous_standby_names`); empty for none.
    pub standbys: String,
}

/// What a role may do with a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// It owns the tables: it may upgrade the ledger and forget runs.
    pub owns: bool,
    /// It may make plans.
    pub plans: bool,
    /// It may carry plans out.
    pub works: bool,
    /// It may read.
    pub reads: bool,
}

const SETTINGS: &str = "
    SELECT current_setting('server_version_num')::integer, current_setting('server_version'), pg_is_in_recovery(),
           current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on',
           current_setting('synchronous_commit'), current_setting('data_checksums') = 'on',
           current_setting('synchronous_standby_names'),
           (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_isolation')";

const RIGHTS: &str = "
    SELECT (SELECT pg_has_role(current_user, c.relowner, 'USAGE') FROM pg_class c
            WHERE c.oid = 'referral_bulk.run'::regclass),
           has_table_privilege('referral_bulk.run', 'INSERT') AND has_table_privilege('referral_bulk.item', 'INSERT')
             AND has_table_privilege('referral_bulk.consent', 'INSERT'),
           has_table_privilege('referral_bulk.worker', 'INSERT')
             AND has_table_privilege('referral_bulk.attempt', 'INSERT')
             AND has_column_privilege('referral_bulk.attempt', 'result', 'UPDATE')
             AND has_table_privilege('referral_bulk.outcome', 'INSERT'),
           has_table_privilege('referral_bulk.run', 'SELECT')";

impl SharedLedger {
    /// Asks the server what a ledger depends on.
    ///
    /// # Errors
    /// Returns an error where the server doesn't answer.
    pub async fn survey(&self) -> Result<Survey, PostgresError> {
        let rows = self.client.query_typed(SETTINGS, &[]).await.map_err(|error| self.failed(&error))?;
        let row = &rows[0];
        let ledger = match self.mark().await {
            Err(error @ PostgresError::Lost { .. }) => return Err(error),
            ledger => ledger,
        };
        let rights = if ledger.is_ok() { Some(self.rights().await?) } else { None };
        Ok(Survey {
            encrypted: self.protection == Protection::Tls,
            version: row.get(0),
            version_name: row.get(1),
            in_recovery: row.get(2),
            durability: Durability {
                fsync: row.get(3),
                full_page_writes: row.get(4),
                synchronous_commit: row.get(5),
                checksums: row.get(6),
                standbys: row.get(7),
            },
            isolation: row.get::<_, Option<String>>(8).unwrap_or_default(),
            ledger: ledger.and_then(LedgerMark::writable),
            rights,
        })
    }

    async fn rights(&self) -> Result<Rights, PostgresError> {
        let rows = self.client.query_typed(RIGHTS, &[]).await.map_err(|error| self.failed(&error))?;
        let row = &rows[0];
        Ok(Rights { owns: row.get(0), plans: row.get(1), works: row.get(2), reads: row.get(3) })
    }
}
