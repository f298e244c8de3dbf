//! `ledger init` and `ledger upgrade`: tables and groups.

use std::sync::Mutex;

use crate::postgres_support::cluster::Cluster;
use crate::support::waiting::each;
use crate::{ledger, says, shared, with_ledger};

#[test]
#[ignore = "needs PostgreSQL"]
fn a_ledger_is_made_once_and_upgrading_it_changes_nothing() {
    let database = shared().database();
    let url = database.url();
    let made = ledger(&format!("init --ledger {url}")).run();
    says(&made, &["made: a ledger of format 1 in the database ", "GRANT referral_bulk_planner"]);
    assert_eq!(made.next(), format!("ledger check --ledger {url}"));
    let mark = "SELECT application, format, least_writer, identity FROM referral_bulk.ledger";
    let before = database.sql(mark);
    assert!(before.starts_with("referral-bulk|1|1|"), "{before}");
    let again = ledger(&format!("init --ledger {url}")).code(1).run();
    says(&again, &["holds a ledger already, of format 1", "ledger check --ledger"]);
    for _ in 0..2 {
        let upgraded = ledger(&format!("upgrade --ledger {url}")).run();
        says(&upgraded, &["nothing to upgrade: the ledger has format 1"]);
    }
    assert_eq!(database.sql(mark), before);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn of_several_that_make_one_at_a_time_one_does() {
    let url = shared().database().url();
    let codes = Mutex::new(Vec::new());
    each(&[(); 4], |()| {
        // One of them makes it, and says so; each of the others says that there is one.
        let ran = std::panic::catch_unwind(|| ledger(&format!("init --ledger {url}")).run().code);
        codes.lock().unwrap().push(ran.is_ok());
    });
    let made = codes.into_inner().unwrap().into_iter().filter(|made| *made).count();
    assert_eq!(made, 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn where_something_else_is_nothing_is_made() {
    let database = shared().database();
    database.sql("CREATE SCHEMA referral_bulk; CREATE TABLE referral_bulk.ledger (format text)");
    database.sql(&format!("GRANT USAGE ON SCHEMA referral_bulk TO {}", database.name));
    for what in ["init", "upgrade"] {
        let ran = ledger(&format!("{what} --ledger {}", database.url())).code(1).run();
        says(&ran, &["the schema referral_bulk of the database ", " is no ledger of this program"]);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn another_format_is_told_and_left_alone() {
    let database = with_ledger();
    let url = database.url();
    database.sql("UPDATE referral_bulk.ledger SET format = 7, least_writer = 7");
    let upgraded = ledger(&format!("upgrade --ledger {url}")).code(1).run();
    says(&upgraded, &["upgraded by a newer version of this program: its format is 7, this version knows 1"]);
    let checked = ledger(&format!("check --ledger {url}")).code(1).run();
    says(&checked, &["its format is 7, this version knows 1", "hint: use that version here, too"]);
    // A later one that an earlier program may write.
    database.sql("UPDATE referral_bulk.ledger SET least_writer = 1");
    ledger(&format!("check --ledger {url}")).run();
    assert_eq!(database.sql("SELECT format, least_writer FROM referral_bulk.ledger"), "7|1");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn who_may_not_make_one_is_told_what_is_missing() {
    let database = shared().database();
    let role = database.role("guest", "");
    let refused = ledger(&format!("init --ledger {}", database.url_as(&role))).code(1).run();
    says(&refused, &["may not do that: permission denied for database", "GRANT CREATE ON DATABASE"]);
    let absent = ledger(&format!("upgrade --ledger {}", database.url())).code(1).run();
    says(&absent, &["holds no ledger yet", "make it: referral-bulk ledger init --ledger"]);
    let owned = with_ledger();
    let guest = owned.role("reader", "referral_bulk_reader");
    let refused = ledger(&format!("upgrade --ledger {}", owned.url_as(&guest))).code(1).run();
    says(&refused, &["may not do that", "connect as the role that owns the ledger"]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn who_may_make_no_groups_prints_what_an_administrator_carries_out() {
    let cluster = Cluster::start();
    let database = cluster.database();
    database.sql(&format!("ALTER ROLE {} NOCREATEROLE", database.name));
    let made = ledger(&format!("init --ledger {}", database.url())).run();
    let groups = ["planner", "worker", "reader"];
    let sql: String =
        groups.iter().map(|group| format!("CREATE ROLE referral_bulk_{group} NOLOGIN;\n")).collect();
    assert_eq!(made.stdout, sql);
    says(&made, &["made: a ledger", "warning: this role may not make the groups"]);
    assert_eq!(made.next(), format!("ledger upgrade --ledger {}", database.url()));
    database.sql(&made.stdout);
    let upgraded = ledger(&format!("upgrade --ledger {}", database.url())).run();
    assert_eq!(
        (upgraded.stdout.as_str(), upgraded.next()),
        ("", format!("ledger check --ledger {}", database.url()).as_str())
    );
    let reader = database.role("reader", "referral_bulk_reader");
    ledger(&format!("check --ledger {}", database.url_as(&reader))).run();
    // Nothing is left of it.
    let directory = cluster.directory().to_owned();
    drop(cluster);
    assert!(!directory.exists());
}
