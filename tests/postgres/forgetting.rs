//! `ledger forget`: what goes, what stays, and when nothing does.

use crate::postgres_support::cluster::{Database, PASSWORD};
use crate::rights::RUN;
use crate::support::place::Place;
use crate::support::terminal::{self, Does};
use crate::{ledger, says, with_ledger};

/// How many records each table holds, by name.
fn counted(database: &Database<'_>) -> Vec<String> {
    let tables =
        database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'referral_bulk' ORDER BY 1");
    let counts = tables.lines().map(|table| {
        format!("{table} {}", database.sql(&format!("SELECT count(*) FROM referral_bulk.{table}")))
    });
    counts.collect()
}

/// A ledger with the run `q4`, another run, and the worker's lease in this state.
fn with_runs(lease: &str) -> Database<'static> {
    let database = with_ledger();
    database.sql(RUN);
    database.sql(&format!("UPDATE referral_bulk.worker SET {lease}"));
    database.sql(
        "INSERT INTO referral_bulk.run (name, tenant, endpoint, format, about)
             VALUES ('q3', 'contoso', 'https://api.example/v1.0', 1, '{}');
         INSERT INTO referral_bulk.row (run, number, input, line, cell, findings, text)
             VALUES (2, 1, 0, 2, 1, '[]', '{}')",
    );
    database
}

#[test]
#[ignore = "needs PostgreSQL"]
fn all_of_a_run_goes_and_nothing_else() {
    let database = with_runs("ended_at = now()");
    let ran = ledger(&format!("forget q4 --yes --ledger {}", database.url())).run();
    says(
        &ran,
        &[
            "forgotten: the run \"q4\", with 1 verified item, ",
            ", 1 attempt, ",
            ", 2 rows, 1 input\n",
            "VACUUM",
        ],
    );
    let left: Vec<String> = counted(&database).into_iter().filter(|count| !count.ends_with(" 0")).collect();
    assert_eq!(left, ["ledger 1", "quota 1", "row 1", "run 1", "worker 1"]);
    assert_eq!(database.sql("SELECT name FROM referral_bulk.run"), "q3");
    let again = ledger(&format!("forget q4 --yes --ledger {}", database.url())).code(1).run();
    says(&again, &["the ledger has no run \"q4\"", "hint: its latest runs: q3"]);
    ledger(&format!("forget q3 --yes --ledger {}", database.url())).run();
    let none = ledger(&format!("forget q3 --yes --ledger {}", database.url())).code(1).run();
    says(&none, &["hint: the ledger holds no run at all"]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_a_worker_holds_stays() {
    // The server was started a moment ago: a lease that has run out may be about to be renewed.
    let is_young = "SELECT pg_postmaster_start_time() > clock_timestamp() - interval '25 s'";
    for (lease, goes) in [
        ("expires_at = clock_timestamp() + interval '1 h'", false),
        ("expires_at = clock_timestamp() + interval '1 h', ended_at = clock_timestamp()", true),
    ] {
        let database = with_runs(lease);
        let before = counted(&database);
        let ran =
            ledger(&format!("forget q4 --yes --ledger {}", database.url())).code(i32::from(!goes)).run();
        if !goes {
            says(
                &ran,
                &["the run \"q4\" is being worked on by w1 on one.example, whose lease holds until 20"],
            );
            assert_eq!(counted(&database), before);
        }
    }
    let database = with_runs("expires_at = clock_timestamp() - interval '1 h'");
    if database.sql(is_young) == "t" {
        ledger(&format!("forget q4 --yes --ledger {}", database.url())).code(1).run();
        assert_eq!(database.sql("SELECT count(ended_at) FROM referral_bulk.worker"), "0");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn nothing_goes_without_consent_and_without_being_the_owner() {
    let database = with_runs("ended_at = now()");
    let before = counted(&database);
    let url = database.url();
    let asked = ledger(&format!("forget q4 --ledger {url}")).code(2).run();
    says(
        &asked,
        &[
            "this would delete all that is on record of the run \"q4\" of contoso (sending, 2 rows, 1 attempt)",
            &format!(
                "hint: delete it without being asked: referral-bulk ledger forget q4 --yes --ledger {url}\n"
            ),
        ],
    );
    for group in ["referral_bulk_planner", "referral_bulk_worker", "referral_bulk_reader"] {
        let role = database.role(group, group);
        let ran = ledger(&format!("forget q4 --yes --ledger {}", database.url_as(&role))).code(1).run();
        says(&ran, &["may not do that: permission denied", "connect as the role that owns the ledger"]);
    }
    assert_eq!(counted(&database), before);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_person_types_the_name_of_what_goes() {
    let database = with_runs("ended_at = now()");
    let before = counted(&database);
    let place = Place::new();
    let command = format!("[profile.default]\nledger-password-command = 'echo {PASSWORD}'\n");
    place.write("referral-bulk.toml", command);
    let forget = format!("ledger forget q4 --ledger {}", database.url());
    for (does, code, wanted) in [
        (Does::Types("q3\n"), 2, "that is another name: nothing was deleted"),
        (Does::Types("\n"), 2, "that is another name: nothing was deleted"),
        (Does::Interrupts, 2, "interrupted: nothing was deleted"),
    ] {
        let seen = terminal::run(&place, &forget, "https://api.example/v1.0", Some(does));
        assert_eq!(seen.code, Some(code), "{}", seen.terminal);
        let asks = "which cannot be undone. Type q4 to go on: ";
        assert!(seen.terminal.contains(asks) && seen.terminal.contains(wanted), "{}", seen.terminal);
        assert_eq!(counted(&database), before);
    }
    let seen = terminal::run(&place, &forget, "https://api.example/v1.0", Some(Does::Types("q4\n")));
    assert_eq!(seen.code, Some(0), "{}", seen.terminal);
    assert!(seen.terminal.contains("forgotten: the run \"q4\""), "{}", seen.terminal);
}
