//! Accounts for the tests of reports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::account::{InputInfo, ItemAccount, RowAccount, RowText, RunStats};
use crate::domain::consent::Way;
use crate::domain::day_doubt::DateColumns;
use crate::domain::fields::{Field, Path as FieldPath};
use crate::domain::finding::{Finding, Location};
use crate::domain::format::Format;
use crate::domain::item::{Change, Effect, Item};
use crate::domain::level::Level;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::{Levels, Rule};
use crate::domain::run_spec::{OnConflict, PlanSpec, RunSpec, StateSource};
use crate::domain::subject::Subject;
use crate::domain::text_form::TextForm;

use super::books::Tally;
use super::shelf::Shelf;
use super::summary::{ApprovalSummary, ConsentSummary, Referrals, State, Summary};
use super::written::Written;

pub(crate) fn csv_input(path: &str, columns: &[&str], rows: u64) -> InputInfo {
    InputInfo {
        path: path.to_owned(),
        sha256: format!("sha of {path}"),
        rows,
        format: Format::Csv,
        is_portal: false,
        dates: DateColumns::default(),
        form: TextForm::default(),
        columns: columns.iter().map(ToString::to_string).collect(),
        sheet: None,
    }
}

pub(crate) fn jsonl_input(path: &str, rows: u64) -> InputInfo {
    InputInfo { format: Format::Jsonl, ..csv_input(path, &[], rows) }
}

pub(crate) fn id(number: u64) -> ReferralId {
    Uuid::from_u64_pair(0, number).to_string().parse().unwrap()
}

pub(crate) fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

pub(crate) fn cells(cells: &[&str]) -> RowText {
    RowText::Cells(cells.iter().map(ToString::to_string).collect())
}

/// Returns a referral of a plan; its changes are of fields from one value to another, an empty text being none.
pub(crate) fn planned_item(
    number: u64,
    effect: Effect,
    changes: &[(Field, &str, &str)],
    verdict: Option<Verdict>,
) -> ItemAccount {
    let change = |(field, before, after): &(Field, &str, &str)| Change {
        path: FieldPath::Known(*field),
        before: (!before.is_empty()).then(|| raw(before)),
        after: raw(after),
        appended: Vec::new(),
        base: None,
        is_whole: false,
    };
    let item = Item {
        number,
        id: id(number),
        etag: None,
        is_bound: false,
        request_id: Uuid::nil(),
        patch: raw("[]"),
        changes: changes.iter().map(change).collect(),
        effect,
        findings: Vec::new(),
    };
    let place = Location { input: 0, line: number + 1, column: 1 };
    ItemAccount {
        item,
        rows: vec![place],
        planned: verdict,
        audit: None,
        subject: Some(subject()),
        matched: Vec::new(),
        turn: None,
        wave: None,
    }
}

/// Returns what people know a referral by.
pub(crate) fn subject() -> Subject {
    let some = |text: &str| Some(text.to_owned());
    Subject {
        name: some("Fabrikam rollout"),
        customer: some("Fabrikam"),
        status: some("Active"),
        substatus: some("Accepted"),
        value: some("10000.00"),
        currency: some("EUR"),
        closing: some("2026-12-31T00:00:00Z"),
        engagement: None,
    }
}

/// Returns a row of which only what every outcome has is known. Line numbers follow the ordinal.
pub(crate) fn row(ordinal: u64, input: u32, outcome: Outcome) -> RowAccount {
    let name = outcome.name();
    RowAccount {
        row: ordinal,
        item: Some(ordinal),
        place: Location { input, line: ordinal + 1, column: 1 },
        id: Some(id(ordinal)),
        text: cells(&[&id(ordinal).to_string()]),
        verdict: Verdict::new(outcome, format!("{name}-code"), format!("{name}, as it were")),
        etag: None,
        attempts: 0,
        request_ids: Vec::new(),
        first_sent: None,
        at: None,
        base: None,
        ours: None,
        theirs: None,
        findings: Vec::new(),
        audit: None,
        subject: None,
        matched: None,
    }
}

/// Returns a row of which everything is known.
pub(crate) fn full_row(ordinal: u64, input: u32, outcome: Outcome) -> RowAccount {
    let mut row = row(ordinal, input, outcome);
    row.verdict.status = Some(412);
    row.etag = Some(ETag::from_input("v2").unwrap());
    row.attempts = 2;
    row.subject = Some(subject());
    row.request_ids = vec![Uuid::from_u64_pair(1, 1), Uuid::from_u64_pair(1, 2)];
    row.first_sent = Some("2026-01-02T03:04:05Z".parse().unwrap());
    row.at = Some("2026-01-02T03:04:06.5Z".parse().unwrap());
    row.base = Some(raw("{\"/status\": \"New\",\n\"/details/dealValue\":0.10}"));
    row.ours = Some(raw(r#"{"/status":"Active"}"#));
    row.theirs = Some(raw(r#"{"/status":"Closed"}"#));
    row
}

pub(crate) fn warning(rule: Rule) -> Finding {
    Finding {
        rule,
        level: Level::Warn,
        place: Location { input: 0, line: 2, column: 3 },
        message: format!("{rule} is worth a look"),
        hint: None,
    }
}

pub(crate) fn books(rows: &[RowAccount]) -> Tally {
    let mut books = Tally::new(1);
    rows.iter().for_each(|row| books.add(row));
    books
}

/// Writes a summary that lists these files.
pub(crate) fn tell(dir: &Path, written: &Written) {
    let shelf = Shelf::take(dir, || {});
    Summary { files: written.into(), ..summary(&books(&[])) }.write(&shelf).unwrap();
    shelf.complete();
}

/// Returns how a run of `apply` at a service was planned, of one input, `changes.csv`.
pub(crate) fn run_spec() -> RunSpec {
    RunSpec {
        program: "0.1.0".to_owned(),
        command: "apply".to_owned(),
        created: "2026-12-31T14:31:05Z".parse().unwrap(),
        correlation_id: Uuid::nil(),
        target: "https://api.partner.example.com/v1.0".to_owned(),
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
            matching: None,
            priority: None,
            waves: None,
        },
        plan_only: false,
        reason: None,
        directory: None,
        order: None,
        waves: None,
        requires_approval: false,
    }
}

/// Returns a consent that was given with flags.
pub(crate) fn consent() -> ConsentSummary {
    ConsentSummary {
        at: "2026-01-02T03:04:05Z".parse().unwrap(),
        how: [Way::Yes, Way::ConfirmClosing].into(),
        plan_sha256: "ab12".to_owned(),
        closing: 8,
        by: None,
    }
}

/// Returns a second person's approval of this plan.
pub(crate) fn approval(plan_sha256: &str) -> ApprovalSummary {
    ApprovalSummary {
        at: "2026-01-02T03:04:05Z".parse().unwrap(),
        by: "Dana".to_owned(),
        account: None,
        plan_sha256: plan_sha256.to_owned(),
    }
}

/// Returns the summary of a finished run of one input, `changes.csv`.
pub(crate) fn summary(books: &Tally) -> Summary {
    let figures = RunStats {
        get: 1,
        list: 1,
        patch: 10,
        token: 0,
        throttled: 0,
        retried: 2,
        seconds: 5.1004,
        waiting_for_rate: 4.1999,
        paused_by_server: 0.0,
        held_back: 0.0,
    };
    Summary {
        version: Summary::VERSION,
        run: "reports/r 1".to_owned(),
        command: "apply".to_owned(),
        state: State::Finished,
        exit_code: 0,
        inputs: vec![(&csv_input("changes.csv", &["id"], books.total())).into()],
        rows: books.into(),
        kept_otherwise: books.kept_otherwise().map_or(0, |(rows, _)| rows),
        referrals: Referrals { total: 12, to_change: Some(10), to_close: Some(8), changed: 9, closed: 7 },
        requests: (&figures).into(),
        seconds: (&figures).into(),
        plan_sha256: Some("ab12".to_owned()),
        consent: None,
        approvals: Vec::new(),
        reason: None,
        order: None,
        waves: None,
        files: Vec::new(),
        audit: None,
    }
}
