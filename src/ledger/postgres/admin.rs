//! Making a shared ledger, and bringing one up.

use tokio_postgres::Transaction;
use uuid::Uuid;

use super::connect::SharedLedger;
use super::error::PostgresError;
use super::format::{self, Found, LedgerMark};
use super::roles::{Groups, grant};
use super::version::FORMAT;

/// What was done to a ledger's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The format that it had before; `None` for a new one.
    pub before: Option<i32>,
    /// The format that it has now.
    pub format: i32,
    /// What became of the groups that use it.
    pub groups: Groups,
}

impl SharedLedger {
    /// Makes a ledger in a database that has none.
    ///
    /// # Errors
    /// Returns an error where there is one, or something else in its place, or the role may not make it. Nothing is
    /// changed then.
    pub async fn init(&mut self, identity: Uuid) -> Result<Made, PostgresError> {
        let at = self.at.clone();
        let failed = |error: tokio_postgres::Error| PostgresError::of(&error, &at.user);
        let transaction = format::begin(&mut self.client).await.map_err(failed)?;
        match format::look(&transaction).await.map_err(failed)? {
            Found::Nothing => {}
            Found::Other => return Err(PostgresError::Foreign { database: at.database }),
            Found::Ledger(LedgerMark { format, .. }) => {
                return Err(PostgresError::Exists { database: at.database, format });
            }
        }
        format::make(&transaction, identity).await.map_err(failed)?;
        let groups = grant(&transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Made { before: None, format: FORMAT, groups })
    }

    /// Brings a ledger up to the format of this program, and grants anew what each group may do.
    ///
    /// # Errors
    /// Returns an error where there is none, where it has a newer format, or where the role doesn't own it. Nothing is
    /// changed then.
    pub async fn upgrade(&mut self) -> Result<Made, PostgresError> {
        let at = self.at.clone();
        let failed = |error: tokio_postgres::Error| PostgresError::of(&error, &at.user);
        let transaction = format::begin(&mut self.client).await.map_err(failed)?;
        let mark = format::look(&transaction).await.map_err(failed)?.ledger(&at.database)?;
        // What somebody else grants comes to nothing but a warning of the server's.
        if !owns(&transaction).await.map_err(failed)? {
            let why = "it does not own the ledger's tables".to_owned();
            return Err(PostgresError::Forbidden { user: at.user, why });
        }
        if mark.format > FORMAT {
            return Err(PostgresError::Newer { found: mark.format });
        }
        if mark.format < FORMAT {
            format::upgrade(&transaction, mark.format).await.map_err(failed)?;
        }
        let groups = grant(&transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Made { before: Some(mark.format), format: FORMAT, groups })
    }
}

/// Whether the role that is connected owns the ledger, or is in a group that does.
async fn owns(transaction: &Transaction<'_>) -> Result<bool, tokio_postgres::Error> {
    let owns = "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class
                WHERE oid = 'referral_bulk.ledger'::regclass";
    Ok(transaction.query_typed(owns, &[]).await?[0].get(0))
}
