//! What is told of a shared ledger, by subject: what was seen, what it means, what to do.

use super::facts::LedgerFacts;
use super::options::LedgerOptions;
use super::trouble::{Doing, hint, words};
use crate::commands::check::facts::Facts;
use crate::commands::check::line::CheckLine;
use crate::ledger::postgres::{
    Durability, LedgerMark, OLDEST_VERSION, PostgresError, Rights, SharedLedger, Survey,
};

/// The subject of the server itself.
pub const SERVER: &str = "server";

/// What a connection that came to nothing means.
const UNREACHED: &str = "nothing more can be told of it";

/// Returns what is told of a ledger, in the order in which it matters.
pub fn lines(survey: &Survey, ledger: &SharedLedger, options: &LedgerOptions) -> Vec<CheckLine> {
    let mut lines = vec![server(survey, ledger), tls(survey), mark(&survey.ledger, options)];
    lines.extend(survey.rights.map(|rights| role(rights, ledger)));
    lines.extend([
        crash(&survey.durability),
        checksum(&survey.durability),
        standby(&survey.durability),
        isolation(survey),
    ]);
    lines
}

/// Returns the line about a server that can't be used.
pub fn unreached(error: &PostgresError, options: &LedgerOptions) -> CheckLine {
    CheckLine::mend(SERVER, words(error), UNREACHED, hint(error, Doing::Check, options))
}

fn server(survey: &Survey, ledger: &SharedLedger) -> CheckLine {
    let seen = format!(
        "PostgreSQL {} at {}, the database {}, as {}",
        survey.version_name,
        ledger.server(),
        ledger.database(),
        ledger.user()
    );
    let line = if survey.version < OLDEST_VERSION {
        let todo = format!("use PostgreSQL {} or newer", OLDEST_VERSION / 10_000);
        CheckLine::mend(SERVER, seen, "this version is too old for a ledger", todo)
    } else if survey.in_recovery {
        let todo = "name the server that takes writes, or all of them, of which that one is found: \
                    postgres://one.example,two.example/referrals";
        CheckLine::mend(SERVER, seen, "it follows another server and takes no writes", todo)
    } else {
        CheckLine::ok(SERVER, seen, "it takes writes")
    };
    line.facts(Facts::Ledger(LedgerFacts::Server {
        version: survey.version,
        database: ledger.database().to_owned(),
        user: ledger.user().to_owned(),
        in_recovery: survey.in_recovery,
    }))
}

fn tls(survey: &Survey) -> CheckLine {
    let (seen, means) = match survey.encrypted {
        true => ("encrypted, and the server's certificate checked", "nobody on the way reads along"),
        false => ("not encrypted", "the connection doesn't leave this machine"),
    };
    CheckLine::ok("tls", seen, means).facts(Facts::Ledger(LedgerFacts::Tls { tls: survey.encrypted }))
}

fn mark(ledger: &Result<LedgerMark, PostgresError>, options: &LedgerOptions) -> CheckLine {
    let subject = "ledger";
    match ledger {
        Ok(mark) => CheckLine::ok(subject, format!("format {}", mark.format), "this version works with it")
            .facts(Facts::Ledger(LedgerFacts::Ledger { format: mark.format, identity: mark.identity })),
        Err(error) => CheckLine::mend(
            subject,
            error.to_string(),
            "nothing can be kept in it",
            hint(error, Doing::Check, options),
        ),
    }
}

fn role(rights: Rights, ledger: &SharedLedger) -> CheckLine {
    let Rights { owns, plans, works, reads } = rights;
    let may = [
        (plans, "make plans"),
        (works, "carry plans out"),
        (reads, "read"),
        (owns, "upgrade the ledger and forget runs"),
    ];
    let may: Vec<&str> = may.into_iter().filter(|(may, _)| *may).map(|(_, what)| what).collect();
    let seen = format!("{} may {}", ledger.user(), may.join(", "));
    let line = if plans && works {
        CheckLine::ok("role", seen, "it may do all that a run takes")
    } else {
        let todo = "have it added to the groups of what it is to do: GRANT referral_bulk_planner, \
                    referral_bulk_worker TO …";
        CheckLine::note("role", seen, "it is for that alone").todo(todo)
    };
    line.facts(Facts::Ledger(LedgerFacts::Role { owns, plans, works, reads }))
}

fn crash(durability: &Durability) -> CheckLine {
    let Durability { fsync, full_page_writes, synchronous_commit, .. } = durability;
    let on = |on: &bool| if *on { "on" } else { "off" };
    let seen = vec![
        format!("fsync is {}", on(fsync)),
        format!("full_page_writes is {}", on(full_page_writes)),
        format!("synchronous_commit is {synchronous_commit}"),
    ];
    let waits = matches!(synchronous_commit.as_str(), "on" | "remote_apply");
    let line = match *fsync && *full_page_writes && waits {
        true => CheckLine::ok("crash", "", "what was said to be written is there after a crash"),
        false => CheckLine::note(
            "crash",
            "",
            "a crash of the server may take back what was said to be written, and with it which changes were sent",
        )
        .todo("set them to on at the server"),
    };
    CheckLine { seen, ..line }.facts(Facts::Ledger(LedgerFacts::Crash {
        fsync: *fsync,
        full_page_writes: *full_page_writes,
        synchronous_commit: synchronous_commit.clone(),
    }))
}

fn checksum(durability: &Durability) -> CheckLine {
    let data_checksums = durability.checksums;
    let line = match data_checksums {
        true => CheckLine::ok("checksum", "data_checksums is on", "a page that a disk changed is noticed"),
        false => CheckLine::note(
            "checksum",
            "data_checksums is off",
            "a page that a disk changed is taken for what was written",
        )
        .todo("switch them on while the server is stopped, with pg_checksums"),
    };
    line.facts(Facts::Ledger(LedgerFacts::Checksum { data_checksums }))
}

fn standby(durability: &Durability) -> CheckLine {
    let names = &durability.standbys;
    let line = match names.is_empty() {
        true => CheckLine::note(
            "standby",
            "no commit waits for a standby (synchronous_standby_names is empty)",
            "a standby that takes over may lack what was written last",
        ),
        false => CheckLine::ok(
            "standby",
            format!("commits wait for {names}"),
            "a standby that takes over has all that was said to be written",
        ),
    };
    line.facts(Facts::Ledger(LedgerFacts::Standby { synchronous_standby_names: names.clone() }))
}

fn isolation(survey: &Survey) -> CheckLine {
    let default = &survey.isolation;
    let seen = format!("default_transaction_isolation is \"{default}\"");
    let line = match default == "read committed" {
        true => CheckLine::ok("reads", seen, "what this program relies on"),
        false => CheckLine::note("reads", seen, "this program asks for \"read committed\" by itself"),
    };
    line.facts(Facts::Ledger(LedgerFacts::Isolation { default_transaction_isolation: default.clone() }))
}
