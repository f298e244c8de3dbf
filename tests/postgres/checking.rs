//! `ledger check`: what is told, and what to mend.

use serde_json::{Value, json};

use crate::{ledger, says, shared, with_ledger};

#[test]
#[ignore = "needs PostgreSQL"]
fn each_subject_is_told_to_people_and_to_programs() {
    let database = with_ledger();
    let url = database.url();
    let ran = ledger(&format!("check --ledger {url}")).run();
    for wanted in [
        "ok    server    PostgreSQL ",
        "ok    tls       not encrypted\n                → the connection doesn't leave this machine",
        "ok    ledger    format 1",
        "ok    role      ",
        " may make plans, carry plans out, read, upgrade the ledger and forget runs",
        "note  crash     fsync is off\n                full_page_writes is on\n                synchronous_commit is on",
        "to do: set them to on at the server",
        "ok    checksum  data_checksums is on",
        "note  standby   no commit waits for a standby (synchronous_standby_names is empty)",
        "ok    reads     default_transaction_isolation is \"read committed\"",
    ] {
        assert!(ran.stdout.contains(wanted), "no {wanted:?} in\n{}", ran.stdout);
    }
    assert_eq!(ran.stderr, "ready: the ledger can be used, with 2 notes\n");
    let ran = ledger(&format!("check --json --ledger {url}")).run();
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["ready"], &told["mend"], &told["ledger"]), (&json!(true), &Value::Null, &json!(url)));
    let subjects = told["lines"].as_array().unwrap().iter().map(|line| line["subject"].as_str().unwrap());
    let wanted = ["server", "tls", "ledger", "role", "crash", "checksum", "standby", "reads"];
    assert_eq!(subjects.collect::<Vec<_>>(), wanted);
    let facts = |at: usize| &told["lines"][at]["facts"];
    assert_eq!(facts(3), &json!({"owns": true, "plans": true, "works": true, "reads": true}));
    assert_eq!(facts(4), &json!({"fsync": false, "full_page_writes": true, "synchronous_commit": "on"}));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_the_server_was_told_otherwise_is_a_note() {
    let database = with_ledger();
    let name = &database.name;
    for (setting, wanted) in [
        ("synchronous_commit = 'off'", "synchronous_commit is off\n"),
        (
            "default_transaction_isolation = 'serializable'",
            "note  reads     default_transaction_isolation is \"ser",
        ),
    ] {
        database.sql(&format!("ALTER ROLE {name} SET {setting}"));
        let ran = ledger(&format!("check --ledger {}", database.url())).run();
        assert!(ran.stdout.contains(wanted), "no {wanted:?} in\n{}", ran.stdout);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_is_to_be_mended_comes_with_how() {
    let empty = shared().database();
    let absent = ledger(&format!("check --ledger {}", empty.url())).code(1).run();
    says(
        &absent,
        &["error: ledger: the database ", " holds no ledger yet", "hint: make it: referral-bulk ledger init"],
    );
    assert_eq!(absent.next(), format!("ledger check --ledger {}", empty.url()));
    let told = ledger(&format!("check --json --ledger {}", empty.url())).code(1).run();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&told["ready"], &told["mend"]["subject"]), (&json!(false), &json!("ledger")));
    let database = with_ledger();
    let guest = database.role("guest", "");
    let stranger = ledger(&format!("check --ledger {}", database.url_as(&guest))).code(1).run();
    says(
        &stranger,
        &["error: ledger: ", "may not do that: permission denied", "GRANT referral_bulk_reader TO"],
    );
    let reader = database.role("reader", "referral_bulk_reader");
    let reader = ledger(&format!("check --ledger {}", database.url_as(&reader))).run();
    assert!(reader.stdout.contains("_reader may read\n"), "{}", reader.stdout);
    assert!(reader.stdout.contains("note  role "), "{}", reader.stdout);
}
