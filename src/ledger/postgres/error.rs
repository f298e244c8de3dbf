//! Why a shared ledger cannot be used. What helps is said by the commands, from the kind of the error.

use std::error::Error;
use std::io;

use tokio_postgres::error::SqlState;

use super::passfile::Ignored;
use super::untrusted::found_wrong;
use super::version::FORMAT;
use crate::domain::characters::visible;
use crate::domain::wording::Wording;

/// A reason why a shared ledger cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PostgresError {
    /// The name of a server has no address.
    #[error("{server}: there is no such host")]
    NoSuchHost {
        /// The server.
        server: String,
    },
    /// Nothing listens there.
    #[error("{server}: nothing accepts a connection there")]
    Refused {
        /// The server.
        server: String,
    },
    /// A server couldn't be reached, or the connection to it broke.
    #[error("{server}: {why}")]
    Unreachable {
        /// The server.
        server: String,
        /// The system's own words.
        why: String,
    },
    /// A server didn't answer in time.
    #[error("{server}: no answer within {seconds} s")]
    TimedOut {
        /// The server.
        server: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A server has no TLS.
    #[error("{server} offers no TLS, so nothing was sent there")]
    NoTls {
        /// The server.
        server: String,
    },
    /// A server's certificate isn't trusted, or the TLS handshake failed.
    #[error("{server}: {why}, so nothing was sent there")]
    Untrusted {
        /// The server.
        server: String,
        /// What is wrong.
        why: String,
    },
    /// The certificates that a server's has to be signed by can't be read.
    #[error("the certificates to trust cannot be read: {why}")]
    NoRoots {
        /// What is wrong.
        why: String,
    },
    /// The server wants a password, and there is none.
    #[error("{server} wants a password for {user}{}", .ignored.as_ref().map(|ignored| format!(" ({ignored})")).unwrap_or_default())]
    NoPassword {
        /// The server.
        server: String,
        /// The role that connects.
        user: String,
        /// A password file that was passed over.
        ignored: Option<Ignored>,
    },
    /// The password couldn't be had.
    #[error("{}", .0.as_str())]
    PasswordCommand(Wording),
    /// The server doesn't let the role in: a wrong password, no such role, or no leave to log in.
    #[error("{server} does not let {user} in: {why}")]
    Denied {
        /// The server.
        server: String,
        /// The role that connects.
        user: String,
        /// The server's own words.
        why: String,
    },
    /// There is no database of the name.
    #[error("{server} has no database {database}")]
    NoSuchDatabase {
        /// The server.
        server: String,
        /// The database.
        database: String,
    },
    /// The server takes no writes: it is a standby, or was made read-only.
    #[error("{server} takes no writes: it is a standby, or read-only")]
    ReadOnly {
        /// The server.
        server: String,
    },
    /// The URL names no role, and neither does the environment.
    #[error("nothing says as which role to connect")]
    NoUser,
    /// The database holds no ledger.
    #[error("the database {database} holds no ledger yet")]
    Absent {
        /// The database.
        database: String,
    },
    /// The database holds a ledger already.
    #[error("the database {database} holds a ledger already, of format {format}")]
    Exists {
        /// The database.
        database: String,
        /// Its format.
        format: i32,
    },
    /// The schema belongs to something else.
    #[error("the schema referral_bulk of the database {database} is no ledger of this program")]
    Foreign {
        /// The database.
        database: String,
    },
    /// The ledger has a newer format than this program knows.
    #[error(
        "the ledger was upgraded by a newer version of this program: its format is {found}, this version knows {FORMAT}"
    )]
    Newer {
        /// The ledger's format.
        found: i32,
    },
    /// The ledger has an older format than this program works with.
    #[error("the ledger has format {found}, and this version works with format {FORMAT}")]
    Older {
        /// The ledger's format.
        found: i32,
    },
    /// The role may not do what was asked.
    #[error("{user} may not do that: {why}")]
    Forbidden {
        /// The role.
        user: String,
        /// The server's own words.
        why: String,
    },
    /// The ledger has no run of the name.
    #[error("the ledger has no run \"{}\"", visible(.run))]
    NoSuchRun {
        /// The name.
        run: String,
        /// The names of the runs that there are, not all of them where they are many.
        known: Vec<String>,
    },
    /// Workers hold a run.
    #[error("the run \"{}\" is being worked on by {}", visible(.run), .workers.join(", "))]
    Held {
        /// The run's name.
        run: String,
        /// The workers, each with its host and the time until which its lease holds.
        workers: Vec<String>,
    },
    /// Another process upgrades, makes or locks the ledger.
    #[error("another process holds what is needed for that: {why}")]
    Locked {
        /// The server's own words.
        why: String,
    },
    /// The server refused a statement for another reason.
    #[error("the database refused: {why}")]
    Server {
        /// The server's own words.
        why: String,
    },
    /// The connection was lost.
    #[error("the connection to the database was lost: {why}")]
    Lost {
        /// What is known of it.
        why: String,
    },
}

/// Where and as whom a connection is made, as errors name it.
#[derive(Debug, Clone)]
pub(super) struct Attempted {
    pub(super) server: String,
    pub(super) user: String,
    pub(super) database: String,
}

impl PostgresError {
    /// Makes the error of a connection that came to nothing.
    pub(super) fn connecting(
        error: &tokio_postgres::Error,
        attempted: &Attempted,
        ignored: Option<Ignored>,
    ) -> Self {
        let Attempted { server, user, database } = attempted.clone();
        if let Some(code) = error.code() {
            return match *code {
                SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                    Self::Denied { server, user, why: words(error) }
                }
                // The database is there, and the role may not connect to it.
                SqlState::INSUFFICIENT_PRIVILEGE => Self::Denied { server, user, why: words(error) },
                SqlState::INVALID_CATALOG_NAME => Self::NoSuchDatabase { server, database },
                _ => Self::Unreachable { server, why: words(error) },
            };
        }
        if let Some(why) = found_wrong(error) {
            return Self::Untrusted { server, why };
        }
        let source = error.source();
        match source.and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Self::Refused { server },
            // The driver's own way to say so.
            Some(io::ErrorKind::PermissionDenied) if is_read_only(error) => Self::ReadOnly { server },
            _ => match source.map(ToString::to_string).as_deref() {
                Some("password missing") => Self::NoPassword { server, user, ignored },
                Some("server does not support TLS") => Self::NoTls { server },
                _ => Self::Unreachable { server, why: words(error) },
            },
        }
    }

    /// Whether a server answered, so that it is known to be there.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Unreachable { .. } | Self::TimedOut { .. })
    }

    /// Makes the error of a statement.
    pub(super) fn of(error: &tokio_postgres::Error, user: &str) -> Self {
        let (why, user) = (words(error), user.to_owned());
        match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Self::Forbidden { user, why },
            Some(&SqlState::LOCK_NOT_AVAILABLE) => Self::Locked { why },
            Some(&SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN) => Self::Lost { why },
            Some(_) => Self::Server { why },
            None => Self::Lost { why },
        }
    }
}

/// Whether the driver found a server that takes no writes.
fn is_read_only(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|source| source.to_string() == "database does not allow writes")
}

/// Returns what went wrong, in the server's own words where it said any. They are foreign text.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    let said = error.as_db_error().map(|said| match said.detail() {
        Some(detail) => format!("{} ({detail})", said.message()),
        None => said.message().to_owned(),
    });
    visible(&said.unwrap_or_else(|| error.to_string())).into_owned()
}
