//! What `ledger check` found out, for programs.

use serde::Serialize;
use uuid::Uuid;

/// What was found out about one subject of a shared ledger.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum LedgerFacts {
    /// The server.
    Server {
        /// The version, as PostgreSQL numbers it: 150018 is 15.18.
        version: i32,
        /// The name of the database.
        database: String,
        /// The role that connected.
        user: String,
        /// Whether it takes no writes, since it follows another one.
        in_recovery: bool,
    },
    /// The connection.
    Tls {
        /// Whether it is encrypted.
        tls: bool,
    },
    /// The ledger.
    Ledger {
        /// Its format.
        format: i32,
        /// What tells it from every other one.
        identity: Uuid,
    },
    /// What the role may do.
    Role {
        /// Upgrade the ledger, and forget runs.
        owns: bool,
        /// Make plans.
        plans: bool,
        /// Carry plans out.
        works: bool,
        /// Read.
        reads: bool,
    },
    /// What the server does before it says that something is written.
    Crash {
        /// The setting `fsync`.
        fsync: bool,
        /// The setting `full_page_writes`.
        full_page_writes: bool,
        /// The setting `synchronous_commit`.
        synchronous_commit: String,
    },
    /// Checksums of pages.
    Checksum {
        /// The setting `data_checksums`.
        data_checksums: bool,
    },
    /// The standbys that commits wait for.
    Standby {
        /// The setting `synchronous_standby_names`.
        synchronous_standby_names: String,
    },
    /// The isolation of sessions.
    Isolation {
        /// The setting `default_transaction_isolation`.
        default_transaction_isolation: String,
    },
}
