//! What helps where a shared ledger can't be used.

use super::options::LedgerOptions;
use crate::commands::error::CommandError;
use crate::commands::next_command::spelled;
use crate::domain::characters::visible;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;
use crate::ledger::postgres::PostgresError;

/// What was about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// To make a ledger.
    Init,
    /// To look at one.
    Check,
    /// To bring one up, or to forget a run.
    Owning,
}

/// Makes the error of a command from the reason why a ledger can't be used.
pub fn trouble(error: PostgresError, doing: Doing, options: &LedgerOptions) -> CommandError {
    let hint = hint(&error, doing, options);
    match error {
        PostgresError::PasswordCommand(_) => CommandError::could_not_run(words(&error)).hint(hint),
        PostgresError::NoUser => CommandError::usage(words(&error)).hint(hint),
        error => CommandError::could_not_run("").because(error).hint(hint),
    }
}

/// Returns what is wrong. What a command came to names settings, which are spelled here.
pub fn words(error: &PostgresError) -> String {
    match error {
        PostgresError::PasswordCommand(wording) => spelled(wording),
        error => error.to_string(),
    }
}

/// Returns what the user can do about it.
pub fn hint(error: &PostgresError, doing: Doing, options: &LedgerOptions) -> Wording {
    use PostgresError as E;
    match error {
        E::NoSuchHost { .. } => Wording::from("check the host's name in the URL of ").name(Setting::Ledger),
        E::Refused { .. } => {
            "see whether PostgreSQL runs there, at that port, and listens on more than its own \
                              machine (listen_addresses)"
                .into()
        }
        E::TimedOut { .. } | E::Unreachable { .. } => {
            "see whether the server runs and takes connections, and whether this machine is let through to it"
                .into()
        }
        E::NoTls { .. } => {
            "switch TLS on at the server (ssl = on, and a certificate for its host name); without it a \
                            connection is for the same machine alone"
                .into()
        }
        E::Untrusted { .. } => {
            "connect by the host name that the certificate is for; where your own authority signed \
                                it, name that one's certificate in the URL: sslrootcert=FILE"
                .into()
        }
        E::NoRoots { .. } => "name a PEM file with the certificate of the authority: sslrootcert=FILE".into(),
        E::NoPassword { .. } => {
            Wording::from("give it in PGPASSWORD, in the file that PGPASSFILE names (~/.pgpass), or by ")
                .name(Setting::LedgerPasswordCommand)
        }
        E::PasswordCommand(_) => Wording::from("check ").name(Setting::LedgerPasswordCommand),
        E::Denied { .. } => {
            "check the role in the URL and its password; pg_hba.conf of the server says who may connect \
                             from where"
                .into()
        }
        E::NoSuchDatabase { .. } => "have it made (CREATE DATABASE), or correct the URL".into(),
        E::ReadOnly { .. } => {
            "name the server that takes writes, or all of them, of which that one is found: \
                               postgres://one.example,two.example/referrals"
                .into()
        }
        E::NoUser => "write it into the URL, as in postgres://user@db.example/referrals".into(),
        _ => of_ledger(error, doing, options),
    }
}

/// Returns what the user can do about what was found in the database.
fn of_ledger(error: &PostgresError, doing: Doing, options: &LedgerOptions) -> Wording {
    use PostgresError as E;
    let again = |what: &str| format!("{}{}", options.again(), options.command(what));
    match error {
        E::Absent { .. } => format!("make it: {}", again("init")).into(),
        E::Exists { .. } => format!("see whether it is ready: {}", again("check")).into(),
        E::Foreign { .. } => "take another database, or see what that schema is".into(),
        E::Newer { .. } => "use that version here, too".into(),
        E::Older { .. } => format!("its owner brings it up: {}", again("upgrade")).into(),
        E::Forbidden { .. } => match doing {
            Doing::Init => "connect as a role that may make a schema: GRANT CREATE ON DATABASE … TO …",
            Doing::Check => "have the role added to a group that may: GRANT referral_bulk_reader TO …",
            Doing::Owning => "connect as the role that owns the ledger: the one that made it",
        }
        .into(),
        E::NoSuchRun { known, .. } if known.is_empty() => "the ledger holds no run at all".into(),
        E::NoSuchRun { known, .. } => format!("its latest runs: {}", visible(&known.join(", "))).into(),
        E::Held { .. } => {
            "wait for its end, or end those processes; the lease of one that is gone runs out by itself"
                .into()
        }
        E::Locked { .. } => "try again once that is done".into(),
        _ => "try again; the server's log says more".into(),
    }
}
