//! What planners, workers and readers may do, statement by statement; and what the tables refuse by themselves.

use crate::postgres_support::cluster::Database;
use crate::with_ledger;

/// A run that is being sent, with one of everything; its id is 1.
pub const RUN: &str = "
    INSERT INTO referral_bulk.run
        (name, tenant, endpoint, format, phase, about, items, plan_sha256, consented_sha256)
        VALUES ('q4', 'contoso', 'https://api.example/v1.0', 1, 'sending', '{}', 1, 'aa', 'aa');
    INSERT INTO referral_bulk.input VALUES (1, 0, true, '{}');
    INSERT INTO referral_bulk.row (run, number, input, line, cell, item, findings, text)
        VALUES (1, 1, 0, 2, 1, 1, '[]', '{}'), (1, 2, 0, 3, 1, NULL, '[]', '{}');
    INSERT INTO referral_bulk.matched VALUES (1, 1, '{}');
    INSERT INTO referral_bulk.item (run, number, referral, effect, bound, request_id, findings, changes, patch)
        VALUES (1, 1, gen_random_uuid(), 'update', true, gen_random_uuid(), '[]', '[]', '[]');
    INSERT INTO referral_bulk.subject VALUES (1, 1, '{}');
    INSERT INTO referral_bulk.turn VALUES (1, 1, 1, true);
    INSERT INTO referral_bulk.consent VALUES (1, 1, '{}');
    INSERT INTO referral_bulk.approval VALUES (1, 1, '{}');
    INSERT INTO referral_bulk.worker (key, name, host, version, expires_at)
        VALUES (gen_random_uuid(), 'w1', 'one.example', '0.1.0', clock_timestamp() + interval '30 s');
    INSERT INTO referral_bulk.span VALUES (1, 1, 1, 1);
    INSERT INTO referral_bulk.quota (tenant, spacing) VALUES ('contoso', interval '0.5 s');
    INSERT INTO referral_bulk.attempt (run, item, worker, at, client_request_id)
        VALUES (1, 1, 1, clock_timestamp(), gen_random_uuid());
    INSERT INTO referral_bulk.outcome (run, item, worker, outcome, code, message, at)
        VALUES (1, 1, 1, 'applied', '', '', clock_timestamp());
    INSERT INTO referral_bulk.step (run, item, step) VALUES (1, 1, '{}');
    INSERT INTO referral_bulk.session (run, worker, figures) VALUES (1, 1, '{}');
    INSERT INTO referral_bulk.verification VALUES (1, 1, '{}');
    INSERT INTO referral_bulk.verified VALUES (1, 1, 1, '{}')";

/// Statements, and which of planner, worker and reader may do them.
const MAY: [(&str, [bool; 3]); 55] = [
    (
        "SELECT * FROM {}.run, {}.row, {}.item, {}.attempt, {}.outcome, {}.worker, {}.quota",
        [true, true, true],
    ),
    (
        "SELECT * FROM {}.ledger, {}.consent, {}.approval, {}.step, {}.session, {}.verified",
        [true, true, true],
    ),
    // The plan.
    (
        "INSERT INTO {}.run (name, tenant, endpoint, format, about) VALUES ('x', 't', 'e', 1, '{}')",
        [true, false, false],
    ),
    ("UPDATE {}.run SET about = '{}'", [true, false, false]),
    ("UPDATE {}.run SET plan_sha256 = 'bb', consented_sha256 = 'bb'", [true, false, false]),
    ("UPDATE {}.run SET consented_sha256 = 'aa'", [true, false, false]),
    ("UPDATE {}.run SET items = 2", [true, false, false]),
    ("UPDATE {}.run SET name = 'other'", [true, false, false]),
    ("UPDATE {}.run SET tenant = 'other'", [true, false, false]),
    ("UPDATE {}.run SET endpoint = 'https://other.example'", [true, false, false]),
    ("UPDATE {}.run SET max_errors = NULL", [true, false, false]),
    ("UPDATE {}.run SET finish_by = NULL", [true, false, false]),
    ("DELETE FROM {}.run", [false, false, false]),
    ("INSERT INTO {}.input VALUES (1, 1, true, '{}')", [true, false, false]),
    ("UPDATE {}.input SET read = false", [true, false, false]),
    ("DELETE FROM {}.input", [true, false, false]),
    ("UPDATE {}.row SET text = ''", [false, false, false]),
    ("DELETE FROM {}.row", [true, false, false]),
    ("UPDATE {}.item SET patch = '[]'", [false, false, false]),
    ("DELETE FROM {}.item", [true, false, false]),
    ("INSERT INTO {}.subject VALUES (1, 2, '{}')", [true, false, false]),
    ("INSERT INTO {}.matched VALUES (1, 2, '{}')", [true, false, false]),
    ("INSERT INTO {}.turn VALUES (1, 2, 2, true)", [true, false, false]),
    ("UPDATE {}.turn SET place = 3", [false, false, false]),
    ("INSERT INTO {}.consent VALUES (1, 2, '{}')", [true, false, false]),
    ("UPDATE {}.consent SET consent = '{}'", [false, false, false]),
    ("DELETE FROM {}.consent", [false, false, false]),
    ("INSERT INTO {}.approval VALUES (1, 2, '{}')", [true, false, false]),
    ("DELETE FROM {}.approval", [false, false, false]),
    ("INSERT INTO {}.quota (tenant, spacing) VALUES ('t', interval '1 s')", [true, false, false]),
    // Carrying it out.
    ("UPDATE {}.run SET next_item = 2", [true, true, false]),
    ("UPDATE {}.run SET errors = 1, stop = '{}', phase = 'finished'", [true, true, false]),
    ("UPDATE {}.run SET timeline = '00000002', lost = '{}'", [true, true, false]),
    (
        "INSERT INTO {}.worker (key, name, host, version, expires_at) VALUES (gen_random_uuid(), '', '', '', now())",
        [false, true, false],
    ),
    ("UPDATE {}.worker SET expires_at = now(), ended_at = now(), ended_by = 1", [false, true, false]),
    ("UPDATE {}.worker SET key = gen_random_uuid()", [false, false, false]),
    ("INSERT INTO {}.span VALUES (1, 2, 3, 1)", [false, true, false]),
    ("UPDATE {}.span SET worker = NULL", [false, true, false]),
    ("UPDATE {}.span SET last = 9", [false, false, false]),
    ("DELETE FROM {}.span", [false, false, false]),
    (
        "UPDATE {}.quota SET next_slot = now(), closed_until = now(), epoch = 1, version = 1, controller = ''",
        [false, true, false],
    ),
    ("UPDATE {}.quota SET tenant = 'other'", [false, false, false]),
    (
        "INSERT INTO {}.attempt (run, item, worker, at, client_request_id) VALUES (1, 2, 1, now(), gen_random_uuid())",
        [false, true, false],
    ),
    (
        "UPDATE {}.attempt SET result = 'applied', status = 200, code = '', answered_at = now(), late = ''",
        [false, true, false],
    ),
    ("UPDATE {}.attempt SET at = now()", [false, false, false]),
    ("DELETE FROM {}.attempt", [false, false, false]),
    (
        "INSERT INTO {}.outcome (run, item, outcome, code, message, at) VALUES (1, 2, 'invalid', '', '', now())",
        [true, true, false],
    ),
    ("UPDATE {}.outcome SET outcome = 'applied'", [false, false, false]),
    ("DELETE FROM {}.outcome", [false, false, false]),
    ("INSERT INTO {}.session (run, figures) VALUES (1, '{}')", [true, true, false]),
    ("INSERT INTO {}.verification VALUES (1, 2, '{}')", [false, true, false]),
    ("INSERT INTO {}.step (run, item, step) VALUES (1, 1, '{}')", [false, true, false]),
    ("UPDATE {}.verified SET verification = 1, verified = '{}'", [false, true, false]),
    // The ledger itself.
    ("UPDATE {}.ledger SET format = 2", [false, false, false]),
    ("CREATE TABLE {}.mine ()", [false, false, false]),
];

/// Whether a role may do something, which is taken back. What else goes wrong fails the test.
fn may(database: &Database<'_>, role: &str, statement: &str) -> bool {
    let statement = statement.replace("{}.", "referral_bulk.");
    match database.tried(&format!("BEGIN; SET LOCAL ROLE {role}; {statement}; ROLLBACK")) {
        Ok(_) => true,
        Err(error) if error.contains("permission denied") => false,
        // It was let through to where references are looked after.
        Err(error) if error.contains("violates foreign key") => true,
        Err(error) => panic!("{role}: {statement}: {error}"),
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn each_group_may_do_what_it_is_for_and_nothing_else() {
    let database = with_ledger();
    database.sql(RUN);
    let groups = ["referral_bulk_planner", "referral_bulk_worker", "referral_bulk_reader"];
    let stranger = database.role("stranger", "");
    let mut wrong = Vec::new();
    for (statement, wanted) in MAY {
        for (group, wanted) in groups.into_iter().zip(wanted) {
            if may(&database, group, statement) != wanted {
                wrong.push(format!("{group}: {statement}: wanted {wanted}"));
            }
        }
        assert!(may(&database, &database.name, statement), "the owner may: {statement}");
        assert!(!may(&database, &stranger, statement), "a stranger may not: {statement}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each table has rows in it for the statements above to meet, and none was forgotten there.
#[test]
#[ignore = "needs PostgreSQL"]
fn every_table_is_among_those_that_are_tried() {
    let database = with_ledger();
    let tables = database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'referral_bulk'");
    let tried = MAY.map(|(statement, _)| statement).concat();
    for table in tables.lines() {
        assert!(tried.contains(&format!("{{}}.{table}")), "{table} is never tried");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn tables_refuse_what_must_never_be() {
    let database = with_ledger();
    database.sql(RUN);
    for (statement, wanted) in [
        (
            "INSERT INTO referral_bulk.attempt (run, item, worker, at, client_request_id)
                 VALUES (1, 1, 2, now(), gen_random_uuid())",
            "one_open",
        ),
        (
            "INSERT INTO referral_bulk.outcome (run, item, outcome, code, message, at)
                 VALUES (1, 1, 'failed', '', '', now())",
            "outcome_pkey",
        ),
        (
            "INSERT INTO referral_bulk.item (run, number, referral, effect, bound, request_id, findings, changes, patch)
                 SELECT run, 2, referral, effect, bound, request_id, findings, changes, patch FROM referral_bulk.item",
            "item_of_referral",
        ),
        ("UPDATE referral_bulk.run SET consented_sha256 = NULL", "consented_first"),
        ("UPDATE referral_bulk.run SET plan_sha256 = 'bb'", "consented_first"),
        ("UPDATE referral_bulk.run SET phase = 'planned', plan_sha256 = NULL", "sealed_first"),
        ("INSERT INTO referral_bulk.ledger VALUES (true, 'referral-bulk', 1, 1, gen_random_uuid())", "ledger_pkey"),
    ] {
        let error = database.tried(statement).expect_err(statement);
        assert!(error.contains(wanted), "{statement}\n{error}");
    }
    // Once an attempt has its result, another one may be made.
    database.sql("UPDATE referral_bulk.attempt SET result = 'refused'");
    database.sql(
        "INSERT INTO referral_bulk.attempt (run, item, worker, at, client_request_id)
             VALUES (1, 1, 1, now(), gen_random_uuid())",
    );
}
