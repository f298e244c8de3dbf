//! A run's ledger that something happened to: it is refused by its name, or it tells the account that it told
//! before. One that a defect wrote, so that all its checksums fit, is refused or tells an account that adds up.
//! Looking at it never changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use jiff::Timestamp;
use referral_bulk::commands::{
    Bar, Console, Environment, ProgressMode, Reply, RunLog, Showing, SummaryForm, report,
};
use referral_bulk::domain::account::{InputInfo, Phase, RowAccount, RowRecord, RowText, RunStats, Settled};
use referral_bulk::domain::day_doubt::DateColumns;
use referral_bulk::domain::exit::Exit;
use referral_bulk::domain::fields::{Field, Path as FieldPath};
use referral_bulk::domain::finding::{Finding, Location};
use referral_bulk::domain::format::Format;
use referral_bulk::domain::item::{Change, Effect, Item};
use referral_bulk::domain::outcome::{Outcome, Verdict};
use referral_bulk::domain::referral::{ETag, ReferralId};
use referral_bulk::domain::rules::{Levels, Rule};
use referral_bulk::domain::run_spec::{OnConflict, PlanSpec, RunSpec, StateSource};
use referral_bulk::domain::subject::Subject;
use referral_bulk::domain::text_form::TextForm;
use referral_bulk::engine::Stop;
use referral_bulk::ledger::{self, AttemptAnswer, AttemptResult, LedgerError, PlanTotals, ReferralTotals};
use referral_bulk::report::Tally;
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::checksums;

const FILE: &str = "run.sqlite";

/// The most that happens to one ledger.
const MOST: usize = 16;

/// What happened to a ledger, a line each. The first says which run it was:
///
/// ```text
/// planning | planned | stopped | finished
/// set TABLE COLUMN ROW null | integer N | real N | text … | blob HEX
/// delete TABLE ROW
/// bytes OFFSET HEX
/// cut LENGTH
/// ```
pub fn damaged(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let Some(run) = lines.next().and_then(|name| RUNS.iter().position(|(known, _)| *known == name)) else {
        return;
    };
    let happened: Vec<&str> = lines.take(MOST).collect();
    let ledger = whole(run);
    runtime().block_on(async {
        unnoticed(ledger, &happened).await;
        noticed_or_told(ledger, &happened).await;
    });
}

/// Nothing here waits for anything but the disk.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

/// Whatever happens with checksums that fit is refused by its name, or told so that it adds up.
async fn noticed_or_told(ledger: &[u8], happened: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join(FILE);
    fs::write(&file, ledger).expect("the ledger is written");
    in_tables(&file, happened, Checksums::Fit);
    in_bytes(&file, happened);
    let before = fs::read(&file).expect("the ledger is there");
    let told = account(folder.path()).await;
    reports(folder.path(), &told).await;
    assert!(fs::read(&file).expect("the ledger is there") == before, "looking at it changed it");
    match (ledger::open(folder.path()).await, told) {
        (Ok(ledger), Ok(told)) => {
            assert_eq!(ledger.header().phase, told.phase);
            assert_eq!(ledger.plan_totals().await.expect("it was read before"), told.totals);
        }
        (Err(error), _) => is_by_name(&error, folder.path()),
        // What is needed for a report and not for sending.
        (Ok(_), Err(_)) => {}
    }
}

/// Nothing that happens to values or bytes goes unnoticed: whoever may send is told what was told before.
async fn unnoticed(ledger: &[u8], happened: &[&str]) {
    // That a record is gone altogether shows in no other one.
    let happened: Vec<&str> = happened.iter().copied().filter(|line| !line.starts_with("delete ")).collect();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join(FILE);
    fs::write(&file, ledger).expect("the ledger is written");
    let before = read_all(folder.path()).await.expect("the ledger is whole").account;
    in_tables(&file, &happened, Checksums::AsWritten);
    in_bytes(&file, &happened);
    if ledger::open(folder.path()).await.is_ok() {
        let after = read_all(folder.path()).await.expect("it was opened").account;
        assert!(before == after, "what was changed is taken for what was written: {before} {after}");
    }
}

/// Whether the checksums are those of what is there or of what was written.
#[derive(Clone, Copy, PartialEq)]
enum Checksums {
    Fit,
    AsWritten,
}

/// What happens to the tables.
fn in_tables(file: &Path, happened: &[&str], checksums: Checksums) {
    let connection = Connection::open(file).expect("the ledger is opened");
    let lax = "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
    connection.execute_batch(lax).expect("nothing is checked");
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    for line in happened {
        let words: Vec<&str> = line.splitn(5, ' ').collect();
        // What the tables don't have, or don't take, doesn't happen.
        let _ = match words[..] {
            ["set", table, column, row, value] if is_name(table) && is_name(column) => {
                let Some(value) = value_of(value) else { continue };
                let is_text = matches!(value, Value::Blob(_)) && line.contains(" text ");
                let new = if is_text { "CAST(?1 AS TEXT)" } else { "?1" };
                let update = format!("UPDATE {table} SET {column} = {new} WHERE rowid = ?2");
                connection.execute(&update, (value, row.parse::<i64>().unwrap_or_default()))
            }
            ["delete", table, row] if is_name(table) => {
                let delete = format!("DELETE FROM {table} WHERE rowid = ?1");
                connection.execute(&delete, [row.parse::<i64>().unwrap_or_default()])
            }
            _ => continue,
        };
    }
    if checksums == Checksums::Fit {
        checksums::renew(&connection).expect("the function is taken");
    }
}

fn value_of(text: &str) -> Option<Value> {
    let (kind, text) = text.split_once(' ').unwrap_or((text, ""));
    Some(match kind {
        "null" => Value::Null,
        "integer" => Value::Integer(text.parse().ok()?),
        "real" => Value::Real(text.parse().ok()?),
        "text" => Value::Text(text.to_owned()),
        "blob" => Value::Blob(hex(text)?),
        _ => return None,
    })
}

/// What happens to the file.
fn in_bytes(file: &Path, happened: &[&str]) {
    let mut bytes = fs::read(file).expect("the ledger is there");
    for line in happened {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match words[..] {
            ["bytes", offset, new] => {
                let (Ok(offset), Some(new)) = (offset.parse::<usize>(), hex(new)) else { continue };
                if let Some(old) = bytes.get_mut(offset..).and_then(|rest| rest.get_mut(..new.len())) {
                    old.copy_from_slice(&new);
                }
            }
            ["cut", length] => bytes.truncate(length.parse().unwrap_or(usize::MAX)),
            _ => {}
        }
    }
    fs::write(file, bytes).expect("the ledger is written");
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let byte = |two: &[u32]| u8::try_from(two[0] * 16 + two.get(1)?).ok();
    digits.chunks(2).map(byte).collect()
}

/// What a reader tells.
struct Told {
    phase: Phase,
    totals: PlanTotals,
    /// Whether every row of every input is accounted for.
    balanced: bool,
    /// Whether there is an audit beside the books, which has to balance too.
    migrating: bool,
    /// All of it, to the letter.
    account: String,
}

/// Reads all of a ledger. Where that succeeds, what it tells adds up.
async fn account(run: &Path) -> Result<Told, LedgerError> {
    let told = read_all(run).await;
    if let Err(error) = &told {
        is_by_name(error, run);
    }
    told
}

async fn read_all(run: &Path) -> Result<Told, LedgerError> {
    let reader = ledger::read(run).await?;
    let (phase, inputs, totals) =
        (reader.header().phase, reader.inputs().await?, reader.plan_totals().await?);
    let (referrals, figures) = (reader.referrals().await?, reader.stats().await?);
    let mut account =
        format!("{:?} {phase:?} {inputs:?} {totals:?} {referrals:?} {figures:?}", reader.header().spec);
    let mut books = Tally::new(inputs.len());
    let (mut rows, mut last, mut attempts) = (0, None, 0);
    reader
        .rows::<LedgerError>(&mut |row| {
            rows += 1;
            assert!(last.is_none_or(|last: i64| last < row.row.cast_signed()), "row {} comes again", row.row);
            last = Some(row.row.cast_signed());
            attempts += u64::from(row.attempts);
            row_adds_up(&row, phase);
            books.add(&row);
            account.push_str(&format!("\n{row:?}"));
            Ok(())
        })
        .await?;
    let (mut items, mut rows_of_items) = (BTreeSet::new(), 0);
    reader
        .items::<LedgerError>(&mut |item| {
            assert!(items.insert(item.item.number), "item {} comes again", item.item.number);
            account.push_str(&format!("\n{item:?}"));
            rows_of_items += item.rows.len() as u64;
            Ok(())
        })
        .await?;
    account.push_str(&format!("\n{:?}", reader.verifications().await?));
    reader
        .verified::<LedgerError>(&mut |item| {
            assert!(items.contains(&item.number), "{item:?} is none");
            account.push_str(&format!("\n{item:?}"));
            Ok(())
        })
        .await?;
    assert_eq!(books.total(), rows, "every row has one outcome");
    totals_add_up(&totals, &referrals);
    assert_eq!(totals.items, items.len() as u64);
    assert!(rows_of_items <= totals.rows, "{rows_of_items} rows have an item, of {totals:?}");
    assert!(if phase == Phase::Planning { rows <= totals.rows } else { rows == totals.rows });
    assert!(attempts == 0 || figures.patch > 0, "{attempts} attempts, {figures:?}");
    let balanced = books.balance(&inputs).is_ok();
    if balanced {
        assert_eq!(inputs.iter().map(|input| input.rows).sum::<u64>(), rows, "the books balance");
    }
    let migrating = reader.header().spec.asked.migrating.is_some();
    Ok(Told { phase, totals, balanced, migrating, account })
}

fn row_adds_up(row: &RowAccount, phase: Phase) {
    let RowAccount { verdict, attempts, request_ids, first_sent, base, ours, theirs, .. } = row;
    assert_eq!(*attempts as usize, request_ids.len());
    assert_eq!(first_sent.is_some(), *attempts > 0);
    let is_conflict = verdict.outcome == Outcome::Conflict;
    assert!(is_conflict || base.is_none() && ours.is_none() && theirs.is_none(), "{verdict:?}");
    let is_begun = matches!(phase, Phase::Stopped | Phase::Finished);
    assert!(is_begun || *attempts == 0, "nothing was sent");
}

fn totals_add_up(totals: &PlanTotals, referrals: &ReferralTotals) {
    let PlanTotals { items, to_send, closing, remaining, remaining_closing, .. } = *totals;
    assert!(to_send <= items && closing <= to_send, "{totals:?}");
    assert!(
        remaining <= to_send && remaining_closing <= remaining && remaining_closing <= closing,
        "{totals:?}"
    );
    let ReferralTotals { total, changed, closed } = *referrals;
    assert_eq!(total, items);
    assert!(changed <= total && closed <= changed, "{referrals:?}");
}

/// An error says which ledger it is about.
fn is_by_name(error: &LedgerError, run: &Path) {
    let told = error.to_string();
    assert!(told.contains(&run.display().to_string()), "{told} does not name the ledger");
    assert!(!told.contains(char::is_control), "{told:?} would steer a terminal");
}

/// The reports of the run are made, or there is a reason; and it is said where the books don't balance.
async fn reports(run: &Path, told: &Result<Told, LedgerError>) {
    let (quiet, stop) = (Quiet, Stop::default());
    let stdin: Mutex<Box<dyn io::Read + Send>> = Mutex::new(Box::new(io::empty()));
    let host = Environment {
        console: &quiet,
        stdin: &stdin,
        stop: &stop,
        clock: || Timestamp::UNIX_EPOCH,
        new_id: Uuid::nil,
        user: None,
        user_name: None,
        directory: Path::new(""),
        state_dir: None,
        run_log: &RunLog::default(),
        watch: None,
    };
    let showing = Showing { summary: SummaryForm::Text, progress: ProgressMode::None, reveal: false };
    let made = report::run(&report::ReportOptions { run: run.to_owned(), showing }, &host).await;
    match (&made, told) {
        (Ok(exit), Ok(told)) => {
            let unbalanced = *exit == Exit::Unbalanced;
            assert!(if told.balanced { !unbalanced || told.migrating } else { unbalanced }, "{exit:?}");
        }
        (Ok(_), Err(error)) => panic!("reports were made of what can't be read: {error}"),
        (Err(trouble), _) => {
            assert!(!trouble.problems.is_empty());
            for problem in &trouble.problems {
                let hints: Vec<&str> = problem.hints.iter().map(|hint| hint.as_str()).collect();
                let told = format!("{problem} {}", hints.join(" "));
                assert!(told.contains(&run.display().to_string()), "{problem:?}");
            }
        }
    }
}

/// A console that nobody looks at.
struct Quiet;

impl Console for Quiet {
    fn stands(&self, _: Option<Bar>) {}

    fn data(&self, text: &str) {
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    fn say(&self, text: &str) {
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    fn is_attended(&self) -> bool {
        false
    }

    fn ask(&self, _: &str) -> Reply {
        Reply::Nobody
    }

    fn on_leaving(&self, _: &str, _: &Path) {}
}

/// The runs that something happens to, and how far each came.
const RUNS: [(&str, Phase); 4] = [
    ("planning", Phase::Planning),
    ("planned", Phase::Planned),
    ("stopped", Phase::Stopped),
    ("finished", Phase::Finished),
];

/// The ledger of a run, as the program writes it.
fn whole(run: usize) -> &'static [u8] {
    static LEDGERS: [OnceLock<Vec<u8>>; RUNS.len()] = [const { OnceLock::new() }; RUNS.len()];
    LEDGERS[run].get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary directory");
        runtime().block_on(write(folder.path(), RUNS[run].1));
        fs::read(folder.path().join(FILE)).expect("the ledger is there")
    })
}

/// Writes a run of two inputs: rows that share an item, one that is no change, one that is so already, one
/// that closes its referral, and a conflict.
fn subject() -> Subject {
    Subject {
        name: Some("Fabrikam rollout".to_owned()),
        value: Some("1.50".to_owned()),
        ..Subject::default()
    }
}

async fn write(run: &Path, phase: Phase) {
    let mut planning = ledger::create(run, &about()).await.expect("a ledger is made");
    for (number, rows) in [(0, 5), (1, 2)] {
        planning.input(number, &input(number, rows)).expect("an input is written");
    }
    for number in 1..=7 {
        planning.row(&row(number)).expect("a row is written");
    }
    let unchanged = Verdict::new(Outcome::Unchanged, "unchanged", "the referral is so already");
    for number in ITEMS {
        let settled = (number == 5).then(|| settled(unchanged.clone()));
        planning.item(&item(number), settled.as_ref(), None, Some(&subject())).expect("an item is written");
    }
    if phase == Phase::Planning {
        return planning.abandon(&RunStats::default()).await.expect("planning ends");
    }
    let sealed = planning.seal(&figures()).await.expect("planning ends");
    if phase == Phase::Planned {
        return;
    }
    let (journal, backlog) = sealed.start(Arc::new(|| at(1))).await.expect("sending begins");
    drop(backlog);
    for number in [1, 3, 6] {
        let ticket = journal.intend(&Arc::new(item(number))).await.expect("an intent is written");
        if number == 3 && phase == Phase::Stopped {
            continue;
        }
        let result = if number == 6 { AttemptResult::Refused } else { AttemptResult::Applied };
        let answer = AttemptAnswer { result, status: Some(200), code: None, at: at(2) };
        journal.answered(ticket.attempt(), answer);
        let verdict = match number {
            6 => Verdict::new(Outcome::Conflict, "changed-meanwhile", "somebody else changed it"),
            _ => Verdict::new(Outcome::Applied, "applied", ""),
        };
        let theirs = (number == 6).then(|| raw(r#"{"/details/notes":"theirs"}"#));
        let settled = Settled { theirs, ..settled(verdict) };
        journal.settled(number, settled).await.expect("an outcome is written");
    }
    if phase == Phase::Finished {
        let refused = settled(Verdict::new(Outcome::Refused, "no", "not for you").with_status(Some(403)));
        journal.settled(7, refused).await.expect("an outcome is written");
    }
    journal.finish(phase, &figures()).await.expect("sending ends");
    // The ids of attempts are new each time, and what happens should not hang on them.
    let connection = Connection::open(run.join(FILE)).expect("the ledger is opened");
    let same = "UPDATE attempt SET client_request_id = '22222222-2222-4222-8222-22222222222' || id";
    connection.execute(same, ()).expect("the attempts are there");
    checksums::renew(&connection).expect("the function is taken");
}

/// The items by their first rows: rows 1 and 2 share one, and row 4 has none.
const ITEMS: [u64; 5] = [1, 3, 5, 6, 7];

fn row(number: u64) -> RowRecord {
    let input = u32::from(number > 5);
    let place = Location { input, line: number + 1, column: 1 };
    let item = match number {
        2 => Some(1),
        4 => None,
        _ => Some(number),
    };
    let findings: Vec<_> = item
        .is_none()
        .then(|| Finding::deny(Rule::Id, place, "the row names no referral"))
        .into_iter()
        .collect();
    let text = match input {
        0 => RowText::Cells(vec![format!("row {number}"), "new".to_owned()]),
        _ => RowText::Line(format!(r#"{{"id":"row {number}","details.notes":"new"}}"#)),
    };
    let verdict = item.is_none().then(|| Verdict::invalid(&findings));
    RowRecord { row: number, place, id: item.map(referral), text, item, verdict, findings, matched: None }
}

fn item(number: u64) -> Item {
    let sent = number != 5;
    let change = Change {
        path: FieldPath::Known(Field::Notes),
        before: Some(raw("\"old\"")),
        after: raw("\"new\""),
        appended: Vec::new(),
        base: None,
        is_whole: false,
    };
    Item {
        number,
        id: referral(number),
        etag: ETag::from_input("v1").ok(),
        is_bound: number == 2,
        request_id: Uuid::from_u64_pair(8, number),
        patch: raw(if sent { r#"[{"op":"replace","path":"/details/notes","value":"new"}]"# } else { "[]" }),
        changes: sent.then_some(change).into_iter().collect(),
        effect: match number {
            5 => Effect::Unchanged,
            3 => Effect::OneWay,
            _ => Effect::Reversible,
        },
        findings: Vec::new(),
    }
}

fn input(number: u32, rows: u64) -> InputInfo {
    let is_csv = number == 0;
    InputInfo {
        path: if is_csv { "changes.csv" } else { "changes.jsonl" }.to_owned(),
        sha256: "0".repeat(64),
        rows,
        is_portal: false,
        dates: DateColumns::default(),
        format: if is_csv { Format::Csv } else { Format::Jsonl },
        form: TextForm::default(),
        columns: if is_csv { vec!["id".to_owned(), "details.notes".to_owned()] } else { Vec::new() },
        sheet: None,
    }
}

fn about() -> RunSpec {
    RunSpec {
        program: "1.2.3".to_owned(),
        command: "apply".to_owned(),
        created: at(0),
        correlation_id: Uuid::from_u128(9),
        target: "sandbox".to_owned(),
        asked: PlanSpec {
            files: vec!["changes.csv".to_owned(), "changes.jsonl".to_owned()],
            format: None,
            state: StateSource::Live,
            levels: Levels::default(),
            allow_paths: BTreeSet::new(),
            clear: false,
            migrating: None,
            on_conflict: OnConflict::Report,
            decimal: None,
            left_alone: Vec::new(),
            mapped: Vec::new(),
            portal_reasons: BTreeMap::new(),
            sheet: None,
            base: None,
            matching: None,
            priority: None,
            waves: None,
        },
        plan_only: false,
        reason: Some("quarter's end".to_owned()),
        directory: None,
        order: None,
        waves: None,
        requires_approval: false,
    }
}

fn figures() -> RunStats {
    RunStats { get: 1, list: 2, patch: 3, token: 1, seconds: 1.5, ..RunStats::default() }
}

fn settled(verdict: Verdict) -> Settled {
    Settled { verdict, etag: ETag::from_input("v2").ok(), theirs: None, at: at(3) }
}

fn referral(number: u64) -> ReferralId {
    Uuid::from_u64_pair(7, number).to_string().parse().expect("a GUID")
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("JSON")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}
