//! The table on paper: the rows that matter, in full, for print and for where no script runs. All others are counted,
//! and it is said where they are.

use askama::Template;

use super::data::{label, name};
use super::facts::PageFacts;
use super::kind::Kind;
use super::texts::Texts;
use super::words::{is_good, listed, no_rows};
use crate::domain::account::{FullRow, RowAccount};
use crate::domain::fields::{Field, Path};
use crate::domain::finding::Location;
use crate::domain::item::{Change, Effect};
use crate::domain::json::{self, Object};
use crate::domain::outcome::{Bucket, Outcome};
use crate::report::change_text::NoValue;
use crate::report::format::{counted, grouped};
use crate::report::names::InputNames;
use crate::report::outcomes;
use serde_json::value::RawValue;

/// The most rows on paper.
const MOST_ROWS: usize = 1_000;

/// The most bytes of their texts. Rows of a file that makes all of its texts as long as they can be are fewer.
const MOST_BYTES: usize = 4_000_000;

/// The fields of a row that are told.
const MOST_FIELDS: usize = 20;

/// The rows of a run that matter: those that were not applied or not as asked, and in a plan its closings, too.
#[derive(Debug, Clone)]
pub(super) struct Paper {
    texts: Texts,
    kind: Kind,
    /// What a change without a value from before means in this run.
    no_value: NoValue,
    /// The number of rows that matter.
    rows: u64,
    bytes: usize,
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    place: Location,
    outcome: Outcome,
    id: String,
    name: String,
    changes: Vec<ToldChange>,
    /// The number of changes that aren't told, in words; empty where all are.
    others: String,
    /// Empty where it says the same as the outcome.
    code: String,
    status: Option<u16>,
    message: String,
    /// The last request; empty where there was none.
    request: String,
}

/// A change in words.
#[derive(Debug, Clone)]
struct ToldChange {
    label: String,
    before: Told,
    after: Told,
    /// What is there instead, where something else is.
    now: Option<Told>,
}

/// A value in words.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    NotSeen,
    Empty,
    Value(String),
}

impl Paper {
    pub(super) fn new(texts: Texts, kind: Kind, no_value: NoValue) -> Self {
        Self { texts, kind, no_value, rows: 0, bytes: 0, lines: Vec::new() }
    }

    /// Adds the next row of the run, where it matters.
    pub(super) fn add(&mut self, row: &FullRow) {
        let is_one_way = row.change.as_ref().is_some_and(|change| change.effect == Effect::OneWay);
        let closes = self.kind == Kind::Plan && is_one_way;
        if is_good(row.account.verdict.outcome) && !closes {
            return;
        }
        self.rows += 1;
        // From the first one on for which there is no room, none is kept, so that those on paper are the first ones.
        let is_full = self.lines.len() == MOST_ROWS || self.bytes >= MOST_BYTES;
        if !is_full {
            let line = self.line(row);
            self.bytes += line.size();
            self.lines.push(line);
        }
    }

    /// Returns the table.
    ///
    /// # Errors
    /// Where the template can't be rendered.
    pub(super) fn html(&self, facts: &PageFacts<'_>) -> askama::Result<String> {
        let names: InputNames = facts.summary.inputs.iter().map(|input| input.path.clone()).collect();
        let file = |place: Location| match names.file(place) {
            Ok(path) => self.texts.plain(crate::domain::account::input_name(path)),
            Err(_) => String::new(),
        };
        let total = facts.summary.rows.total;
        let told = self.lines.len() as u64;
        PaperTable {
            is_plan: self.kind == Kind::Plan,
            empty: if total == 0 { no_rows(facts.summary) } else { String::new() },
            rows: grouped(self.rows),
            total: counted(total, "row"),
            lines: self.lines.iter().map(|line| (file(line.place), line)).collect(),
            left: if self.rows > told { counted(self.rows - told, "more row") } else { String::new() },
            has_others: total > self.rows,
            others: self.others(total.saturating_sub(self.rows), &self.files(facts)),
        }
        .render()
    }

    /// Returns what is said of rows that don't matter, and where they stand.
    fn others(&self, rows: u64, files: &str) -> String {
        let which = match (rows, self.rows) {
            (1, 0) => "The one row".to_owned(),
            (1, _) => "The other row".to_owned(),
            (_, 0) => format!("All {}", counted(rows, "row")),
            _ => format!("The other {}", counted(rows, "row")),
        };
        let what = match (self.kind, rows) {
            (Kind::Plan, 1) => "closes nothing and is not held back; it stands",
            (Kind::Plan, _) => "close nothing and are not held back; they stand",
            (Kind::Run, 1) => "was applied or already was as wanted; it stands",
            (Kind::Run, _) => "were applied or already were as wanted; they stand",
        };
        format!("{which} {what} in {files}")
    }

    /// Returns the names of the files in which the rows stand that were applied, or are planned.
    fn files(&self, facts: &PageFacts<'_>) -> String {
        if self.kind == Kind::Plan {
            return outcomes::NAME.to_owned();
        }
        let stem = format!("{}.", crate::report::row_file::stem(Bucket::Success));
        let files = facts.summary.files.iter().map(|file| file.path.as_str());
        let mut files: Vec<&str> = files.filter(|path| path.starts_with(&stem)).collect();
        files.push(outcomes::NAME);
        listed(&files)
    }

    fn line(&self, row: &FullRow) -> Line {
        let RowAccount { place, id, verdict, subject, .. } = &row.account;
        let code = self.texts.free(&verdict.code);
        let (changes, left) = self.changes(row);
        Line {
            place: *place,
            outcome: verdict.outcome,
            id: id.map(|id| id.to_string()).unwrap_or_default(),
            name: name(subject.as_ref(), self.texts),
            changes,
            others: if left == 0 { String::new() } else { counted(left as u64, "more field") },
            code: if code == verdict.outcome.name() { String::new() } else { code },
            status: verdict.status,
            message: self.texts.message(verdict.message.as_str()),
            request: row.tries.last().map(|made| made.client_request_id.to_string()).unwrap_or_default(),
        }
    }

    /// Returns the changes of a row in words, status and substatus as one, and how many more there are.
    fn changes(&self, row: &FullRow) -> (Vec<ToldChange>, usize) {
        let changes = row.change.as_ref().map(|change| change.changes.as_slice()).unwrap_or_default();
        let there = row.account.theirs.as_deref().and_then(Object::from_raw);
        let is = |change: &Change, field| change.path == Path::Known(field);
        let stage = |field| changes.iter().find(|change| is(change, field));
        let stage = stage(Field::Status).zip(stage(Field::Substatus));
        let mut told: Vec<ToldChange> = Vec::new();
        if let Some((status, substatus)) = stage {
            told.push(self.change(row, status, there.as_ref()).with(self.change(
                row,
                substatus,
                there.as_ref(),
            )));
        }
        let is_told =
            |change: &&Change| stage.is_some() && (is(change, Field::Status) || is(change, Field::Substatus));
        let others: Vec<&Change> = changes.iter().filter(|change| !is_told(change)).collect();
        let room = MOST_FIELDS - told.len();
        told.extend(others.iter().take(room).map(|change| self.change(row, change, there.as_ref())));
        (told, others.len().saturating_sub(room))
    }

    fn change(&self, row: &FullRow, change: &Change, there: Option<&Object<'_>>) -> ToldChange {
        let kind = change.path.kind();
        let told = |value: Option<&RawValue>| match self.texts.value(kind, value) {
            text if text.is_empty() => Told::Empty,
            text => Told::Value(text.replace("T00:00:00Z", "")),
        };
        let before = match &change.before {
            None if self.no_value == NoValue::NotSeen => Told::NotSeen,
            before => told(before.as_deref()),
        };
        let after = match change.appended.as_slice() {
            [] => told(Some(&change.after)),
            appended => Told::Value(self.texts.elements(kind, appended.iter().map(AsRef::as_ref))),
        };
        let is_sided = matches!(row.account.verdict.outcome, Outcome::Conflict | Outcome::Partial);
        let now = there.filter(|_| is_sided).and_then(|there| there.get(change.path.pointer().as_str()));
        let now = now.map(|value| told(Some(value).filter(|value| !json::is_null(value))));
        ToldChange {
            label: label(&change.path, self.texts),
            now: now.filter(|now| *now != before),
            before,
            after,
        }
    }
}

impl ToldChange {
    /// Joins the change of the status with that of the substatus: `New/Pending → Closed/Won`.
    fn with(self, substatus: Self) -> Self {
        let both = |status: Told, substatus: Told| match (status, substatus) {
            (Told::Value(status), Told::Value(substatus)) => Told::Value(format!("{status}/{substatus}")),
            (Told::Empty, other) | (other, _) => other,
        };
        let now = match (self.now, substatus.now) {
            (Some(status), Some(substatus)) => Some(both(status, substatus)),
            (now, other) => now.or(other),
        };
        Self {
            label: self.label,
            before: both(self.before, substatus.before),
            after: both(self.after, substatus.after),
            now,
        }
    }
}

impl Line {
    /// Returns about how many bytes its texts have.
    fn size(&self) -> usize {
        let value = |told: &Told| if let Told::Value(text) = told { text.len() } else { 0 };
        let change = |change: &ToldChange| {
            let now = change.now.as_ref().map_or(0, value);
            change.label.len() + value(&change.before) + value(&change.after) + now
        };
        let changes: usize = self.changes.iter().map(change).sum();
        self.name.len() + self.code.len() + self.message.len() + changes
    }
}

#[derive(Template)]
#[template(path = "paper.html", config = "src/report/html/askama.toml")]
struct PaperTable<'a> {
    is_plan: bool,
    /// That the inputs have no rows; empty where they have some.
    empty: String,
    rows: String,
    total: String,
    /// Each with the name of its file.
    lines: Vec<(String, &'a Line)>,
    /// The rows that matter and aren't told, in words; empty where all are.
    left: String,
    /// What is said of the rows that don't, where there are any.
    has_others: bool,
    others: String,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::testing::{Facts, change, full};
    use super::*;
    use crate::domain::account::{ItemChange, Phase};
    use crate::domain::attempt::Try;
    use crate::report::manifest::FileSummary;
    use crate::report::testing::{raw, subject};

    fn html(phase: Phase, counts: &[(Outcome, u64)], rows: &[FullRow]) -> String {
        let mut facts = Facts::of(phase).with(counts);
        let file = |path: &str| FileSummary { path: path.to_owned(), rows: None, sha256: String::new() };
        facts.summary.files = ["success.csv", "conflict.csv", "success.jsonl"].map(file).into();
        let mut paper = Paper::new(facts.texts, Kind::of(phase), NoValue::Nothing);
        rows.iter().for_each(|row| paper.add(row));
        paper.html(&facts.facts()).unwrap()
    }

    fn closing(ordinal: u64, outcome: Outcome) -> FullRow {
        let changes = vec![
            change(Field::StatusReason, "", r#""Budget cut""#),
            change(Field::ClosingDateTime, r#""2026-12-31T00:00:00Z""#, "null"),
            change(Field::Status, r#""Active""#, r#""Closed""#),
            change(Field::Substatus, r#""Accepted""#, r#""Lost""#),
        ];
        let change = Some(ItemChange { changes, effect: Effect::OneWay });
        FullRow { change, ..full(ordinal, outcome, None) }
    }

    #[test]
    fn of_a_run_the_rows_that_were_not_applied_are_told_in_full() {
        let mut partial = closing(2, Outcome::Partial);
        partial.account.subject = Some(subject());
        partial.account.theirs = Some(raw(r#"{"/statusReason":"Budget"}"#));
        partial.account.verdict.status = Some(200);
        let at = "2026-12-31T15:02:11Z".parse().unwrap();
        partial.tries = vec![Try { client_request_id: Uuid::nil(), at, status: Some(200), answered: None }];
        let mut invalid = full(3, Outcome::Invalid, None);
        invalid.account.verdict.code = "invalid".to_owned();
        let rows = [closing(1, Outcome::Applied), partial, invalid];
        let counts = [(Outcome::Applied, 1), (Outcome::Partial, 1), (Outcome::Invalid, 1)];
        insta::assert_snapshot!(html(Phase::Finished, &counts, &rows), @r##"
        <div class="paper"><table class="grid"><caption>Rows that were not applied, or not as asked: 2 of 3 rows</caption><thead><tr><th scope="col">Row</th><th scope="col">Referral</th><th scope="col">Outcome</th><th scope="col">Was to change</th><th scope="col">Code, message, last request</th></tr></thead>
        <tbody><tr><td>changes.csv<br>row 3</td><td><b><bdi>Fabrikam rollout</bdi></b><br><span class="mono">00000000-0000-0000-0000-000000000002</span></td><td class="o-partial"><svg class="g" aria-hidden="true"><use href="#g-partial"/></svg> partial</td>
        <td>Stage <bdi>Active/Accepted</bdi> → <bdi>Closed/Lost</bdi><br>Reason <span class="empty">empty</span> → <bdi>Budget cut</bdi>, now <bdi>Budget</bdi><br>Close date <bdi>2026-12-31</bdi> → <span class="empty">empty</span></td><td><span class="mono">partial-code</span> · HTTP 200<br>partial, as it were<br><span class="mono">00000000-0000-0000-0000-000000000000</span></td></tr>
        <tr><td>changes.csv<br>row 4</td><td><span class="mono">00000000-0000-0000-0000-000000000003</span></td><td class="o-invalid"><svg class="g" aria-hidden="true"><use href="#g-invalid"/></svg> invalid</td>
        <td>–</td><td>invalid, as it were</td></tr>
        </tbody></table><p class="soft">The other row was applied or already was as wanted; it stands in success.csv, success.jsonl and outcomes.jsonl in the run’s directory.</p></div>
        "##);
    }

    #[test]
    fn of_a_plan_closings_are_told_too() {
        let counts = [(Outcome::Planned, 2), (Outcome::Unchanged, 1)];
        let other = FullRow {
            change: Some(ItemChange {
                changes: vec![change(Field::Notes, "", "1")],
                effect: Effect::Reversible,
            }),
            ..full(2, Outcome::Planned, None)
        };
        let page = html(
            Phase::Planned,
            &counts,
            &[closing(1, Outcome::Planned), other, full(3, Outcome::Unchanged, None)],
        );
        assert!(page.contains("<caption>Closings and what is held back: 1 of 3 rows</caption>"), "{page}");
        assert!(page.contains("Stage <bdi>Active/Accepted</bdi> → <bdi>Closed/Lost</bdi>"), "{page}");
        let others =
            "The other 2 rows close nothing and are not held back; they stand in outcomes.jsonl in the run";
        assert!(page.contains(others), "{page}");
    }

    #[test]
    fn without_rows_to_tell_there_is_no_table() {
        let applied = [full(1, Outcome::Applied, None), full(2, Outcome::Applied, None)];
        for (phase, counts, rows, wanted) in [
            (Phase::Finished, &[][..], &[][..], "<p class=\"soft\">The input has no rows.</p>"),
            (
                Phase::Finished,
                &[(Outcome::Applied, 2)],
                &applied,
                "All 2 rows were applied or already were as wanted; they stand in success.csv",
            ),
            (
                Phase::Planned,
                &[(Outcome::Unchanged, 1)],
                &[],
                "The one row closes nothing and is not held back; it stands in outcomes.jsonl",
            ),
        ] {
            let page = html(phase, counts, rows);
            assert!(page.contains(wanted) && !page.contains("<table"), "{page}");
        }
    }

    #[test]
    fn a_thousand_rows_are_on_paper_and_the_others_counted() {
        let rows: Vec<FullRow> = (1..=1_500).map(|number| full(number, Outcome::Unsent, None)).collect();
        let page = html(Phase::Stopped, &[(Outcome::Unsent, 1_500)], &rows);
        assert_eq!(page.matches("<tr>").count(), MOST_ROWS + 1);
        assert!(page.contains("not as asked: 1,500 of 1,500 rows</caption>"), "{page}");
        assert!(page.contains("500 more rows like these stand in <code>outcomes.jsonl</code>"), "{page}");
        assert!(!page.contains("The other"), "{page}");
    }

    #[test]
    fn rows_that_are_as_long_as_they_can_be_do_not_fill_the_memory() {
        let long = serde_json::to_string(&"é".repeat(2_000)).unwrap();
        let row = |number| {
            let changes = vec![change(Field::Notes, &long, &long); 50];
            let change = Some(ItemChange { changes, effect: Effect::Reversible });
            FullRow { change, ..full(number, Outcome::Refused, None) }
        };
        let mut paper = Paper::new(Texts::new(false), Kind::Run, NoValue::Nothing);
        (1..=300).for_each(|number| paper.add(&row(number)));
        assert_eq!(
            (paper.rows, paper.lines.len() < 150, paper.bytes < MOST_BYTES + 50_000),
            (300, true, true)
        );
        assert_eq!(paper.lines[0].others, "30 more fields");
    }

    #[test]
    fn hostile_values_stay_text() {
        const HOSTILE: &str = r#""</td><script>alert(1)</script>""#;
        let mut row = full(1, Outcome::Refused, None);
        let changes = vec![change(Field::Notes, HOSTILE, HOSTILE)];
        row.change = Some(ItemChange { changes, effect: Effect::Reversible });
        row.account.verdict.code = "<img src=x>".to_owned();
        row.account.verdict.message = "</p><script>alert(2)</script>".into();
        let page = html(Phase::Finished, &[(Outcome::Refused, 1)], &[row]);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }
}
