//! The groups of roles that use a shared ledger, and what each may do.
//!
//! They are roles without login, into which an administrator puts those that have one. They belong to the whole server,
//! while what they may do is granted in each database.

use tokio_postgres::Transaction;

/// The groups: who makes plans, who carries them out, who reads.
const GROUPS: [&str; 3] = ["referral_bulk_planner", "referral_bulk_worker", "referral_bulk_reader"];

/// What each group may do.
const GRANTS: &str = include_str!("sql/grants.sql");

/// What became of the groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// Each of them may do what it is for.
    Granted,
    /// The role that connected may not make them: this SQL, from somebody who may, does. What they may do is granted
    /// behind that.
    Missing {
        /// The SQL.
        sql: String,
    },
}

/// Makes the groups that there aren't, where the role may, and grants what each may do.
pub(super) async fn grant(transaction: &Transaction<'_>) -> Result<Groups, tokio_postgres::Error> {
    let there = "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'referral\\_bulk\\_%'";
    let there = transaction.query_typed(there, &[]).await?;
    let there: Vec<String> = there.iter().map(|row| row.get(0)).collect();
    let missing: Vec<&str> =
        GROUPS.into_iter().filter(|group| there.iter().all(|there| there != group)).collect();
    if !missing.is_empty() {
        let may = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user";
        let may = transaction.query_typed(may, &[]).await?;
        if !may.first().is_some_and(|may| may.get(0)) {
            let sql = missing.iter().map(|group| format!("CREATE ROLE {group} NOLOGIN;\n")).collect();
            return Ok(Groups::Missing { sql });
        }
    }
    for group in missing {
        transaction.batch_execute(&make(group)).await?;
    }
    transaction.batch_execute(GRANTS).await?;
    Ok(Groups::Granted)
}

/// Returns the SQL that makes a group. Whoever makes a ledger in another database of the server at that moment may make
/// it first.
fn make(group: &str) -> String {
    format!(
        "DO $make$ BEGIN CREATE ROLE {group} NOLOGIN;
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $make$"
    )
}
