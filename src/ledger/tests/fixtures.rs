//! A run to try things with, and where it is kept.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;
use tempfile::{TempDir, tempdir};
use uuid::Uuid;

use crate::domain::account::{InputInfo, RowAccount, RowRecord, RowText, RunStats, Settled};
use crate::domain::approval::Accounts;
use crate::domain::audit::{Audit, Class};
use crate::domain::characters::visible_path;
use crate::domain::consent::{Consent, Way};
use crate::domain::day_doubt::DateColumns;
use crate::domain::fields::{Field, Path as FieldPath};
use crate::domain::finding::Location;
use crate::domain::format::Format;
use crate::domain::item::{Change, Effect, Item};
use crate::domain::key::{MatchField, MatchWay, Matched};
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::Levels;
use crate::domain::run_spec::{OnConflict, PlanSpec, RunSpec, StateSource};
use crate::domain::subject::Subject;
use crate::domain::text_form::TextForm;
use crate::ledger::memory::Memory;
use crate::ledger::{Address, AttemptAnswer, AttemptResult, Clock, Ledger, LedgerError, create, read};

/// Where the runs of one test are kept, by their names.
pub(in crate::ledger) enum Home {
    Directory(TempDir),
    Memory(RefCell<BTreeMap<String, Memory>>),
}

impl Home {
    pub(in crate::ledger) fn directory() -> Self {
        Self::Directory(tempdir().unwrap())
    }

    pub(in crate::ledger) fn memory() -> Self {
        Self::Memory(RefCell::default())
    }

    /// Where the run of this name is kept, or will be.
    pub(in crate::ledger) fn run(&self, name: &str) -> Address {
        match self {
            Self::Directory(folder) => Address::Directory(folder.path().join(name)),
            Self::Memory(runs) => {
                let mut runs = runs.borrow_mut();
                let memory = runs.entry(name.to_owned()).or_insert_with(|| Memory::new(name));
                Address::Memory(memory.clone())
            }
        }
    }

    /// What errors call it.
    pub(in crate::ledger) fn told(&self, name: &str) -> String {
        match self {
            Self::Directory(folder) => visible_path(&folder.path().join(name)),
            Self::Memory(_) => name.to_owned(),
        }
    }
}

pub(in crate::ledger) fn at(second: i64) -> Timestamp {
    Timestamp::new(1_800_000_000 + second, 123_456_789).unwrap()
}

pub(in crate::ledger) fn clock() -> Clock {
    Arc::new(|| at(0))
}

pub(in crate::ledger) fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

pub(in crate::ledger) fn etag(text: &str) -> ETag {
    ETag::from_input(text).unwrap()
}

pub(in crate::ledger) fn referral(number: u64) -> ReferralId {
    Uuid::from_u64_pair(7, number).to_string().parse().unwrap()
}

pub(in crate::ledger) fn place(line: u64) -> Location {
    Location { input: 0, line, column: 1 }
}

pub(in crate::ledger) fn about() -> RunSpec {
    RunSpec {
        program: "1.2.3".to_owned(),
        command: "apply".to_owned(),
        created: at(-60),
        correlation_id: Uuid::from_u128(9),
        target: "sandbox".to_owned(),
        asked: PlanSpec {
            files: vec!["changes.csv".to_owned()],
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
            matching: Some(MatchField::ExternalReferenceId),
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

/// An item that sets the notes; one with an even number closes its referral.
pub(in crate::ledger) fn item(number: u64) -> Item {
    Item {
        number,
        id: referral(number),
        etag: Some(etag("v1")),
        is_bound: number.is_multiple_of(3),
        request_id: Uuid::from_u64_pair(8, number),
        patch: raw(r#"[{"op":"replace","path":"/details/notes","value":"new"}]"#),
        changes: vec![Change {
            path: FieldPath::Known(Field::Notes),
            before: Some(raw("\"old\"")),
            after: raw("\"new\""),
            appended: Vec::new(),
            base: None,
            is_whole: false,
        }],
        effect: if number.is_multiple_of(2) { Effect::OneWay } else { Effect::Reversible },
        findings: Vec::new(),
    }
}

/// The audit of a payload that became such an item.
pub(in crate::ledger) fn audit() -> Audit {
    Audit {
        class: Class::Stale,
        put_bytes: 3_000,
        patch_bytes: 58,
        changed: vec![Field::Notes.pointer().clone()],
        overwritten: vec![Field::Notes.pointer().clone(), Field::Team.pointer().clone()],
    }
}

/// What people know such a referral by.
pub(in crate::ledger) fn subject() -> Subject {
    Subject {
        name: Some("Fabrikam \"rollout\"".to_owned()),
        customer: Some("Fabrikam Ltd".to_owned()),
        status: Some("Active".to_owned()),
        substatus: Some("Accepted".to_owned()),
        value: Some("10000.00".to_owned()),
        currency: None,
        closing: Some("2026-12-31T00:00:00Z".to_owned()),
        engagement: Some(referral(99)),
    }
}

/// A row that begins one line below its ordinal, as under a header.
pub(in crate::ledger) fn row(row: u64, item: Option<u64>) -> RowRecord {
    RowRecord {
        row,
        place: place(row + 1),
        id: item.map(referral),
        text: RowText::Cells(vec![format!("row {row}"), "a \"cell\"\0\n".to_owned()]),
        item,
        verdict: None,
        findings: Vec::new(),
        matched: None,
    }
}

/// The key by which the row of an item is matched.
pub(in crate::ledger) fn matched(row: u64) -> Matched {
    Matched { key: format!("CRM-{row}\""), way: MatchWay::ExternalReferenceId }
}

/// What a user consented to when `second` had come.
pub(in crate::ledger) fn consent(second: i64) -> Consent {
    Consent {
        at: at(second),
        how: [Way::Yes, Way::ConfirmClosing].into(),
        plan_sha256: "ab".repeat(32),
        changing: 3,
        closing: 1,
        target: "https://api.example.com/v1.0".to_owned(),
        user: Some(1_000),
        accounts: Accounts { service: Some("ada@example.com".to_owned()), machine: None, user: Some(7) },
    }
}

pub(in crate::ledger) fn settled(outcome: Outcome) -> Settled {
    let verdict = Verdict::new(outcome, format!("by-{}", outcome.name()), "because");
    Settled { verdict, etag: None, theirs: None, at: at(5) }
}

pub(in crate::ledger) fn answer(result: AttemptResult) -> AttemptAnswer {
    AttemptAnswer { result, status: Some(200), code: None, at: at(1) }
}

pub(in crate::ledger) fn input(path: &str) -> InputInfo {
    InputInfo {
        path: path.to_owned(),
        sha256: "00ff".to_owned(),
        rows: 6,
        format: Format::Csv,
        is_portal: false,
        dates: DateColumns::default(),
        form: TextForm::default(),
        columns: vec!["id".to_owned(), "Ünïcode".to_owned()],
        sheet: None,
    }
}

/// What a process did that got so many referrals in so many seconds.
pub(in crate::ledger) fn stats_of(get: u64, seconds: f64) -> RunStats {
    RunStats { get, list: 1, patch: 99, throttled: 2, seconds, ..RunStats::default() }
}

/// A run with one row an item, all to be sent.
pub(in crate::ledger) async fn planned(at: impl Into<Address>, items: u64) -> Ledger {
    let mut planning = create(at, &about()).await.unwrap();
    for number in 1..=items {
        planning.row(&row(number, Some(number))).unwrap();
        planning.item(&item(number), None, None, None).unwrap();
    }
    planning.seal(&RunStats::default()).await.unwrap()
}

/// All rows of a run, as a reader tells them.
pub(in crate::ledger) async fn rows(at: impl Into<Address>) -> Vec<RowAccount> {
    let mut told = Vec::new();
    read(at)
        .await
        .unwrap()
        .rows::<LedgerError>(&mut |row| {
            told.push(row);
            Ok(())
        })
        .await
        .unwrap();
    told
}
