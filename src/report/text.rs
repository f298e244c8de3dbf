//! The summary of a run for the terminal.

use std::fmt::Write;

use comfy_table::Cell;

use crate::domain::audit::Class;
use crate::domain::characters::{visible, visible_path};
use crate::domain::outcome::Outcome;
use crate::domain::priority::SendingOrder;
use crate::domain::waves::WavePlan;
use crate::domain::wording::Wording;

use super::audit::{AuditSummary, BytesSummary, FieldCount};
use super::books::{Tally, WarningGroup};
use super::example::Example;
use super::format::{counted, grouped, one_line};
use super::html::NAME as PAGE;
use super::names::InputNames;
use super::overview::Overview;
use super::plan::PlanCounts;
use super::summary::{ApprovalSummary, ConsentSummary, Seconds, State, Summary};
use super::table::{add, lines, number, plain_table, section, told};
use super::written::Written;

/// The number of groups of failures or warnings that are shown.
const MOST_GROUPS: usize = 10;

/// The longest name of a field that is shown in full, in characters.
const FIELD: usize = 90;

/// The longest code that is shown in full, in characters.
const CODE: usize = 40;

/// A plan that was not begun: its counts, and its overview where that was not shown already.
#[derive(Debug, Clone, Copy)]
pub struct PlanShown<'a> {
    /// The referrals by what the plan does to them.
    pub counts: PlanCounts,
    /// What it would change.
    pub overview: Option<&'a Overview>,
}

/// Returns the summary as text of several lines: how far the run came, its counts, what a plan would change, the
/// audit of legacy payloads, what went wrong, the warnings, and the files. `plan` is the plan, where nothing of it was
/// sent.
pub fn text(summary: &Summary, books: &Tally, plan: Option<PlanShown<'_>>, written: &Written) -> Wording {
    let names = names(summary);
    let mut parts = vec![figures(summary, plan.map(|plan| plan.counts))];
    // The audit of payloads tells by itself which fields change.
    let with_fields = summary.audit.is_none();
    parts.extend(plan.and_then(|plan| plan.overview).into_iter().flat_map(|plan| plan.sections(with_fields)));
    parts.extend(summary.audit.iter().flat_map(audit));
    parts.extend(failures(books, &names));
    parts.extend(plan.and_then(|_| books.held().table(&names)));
    parts.extend(kept_otherwise(books, &names));
    parts.extend(warning_table(books, &names));
    parts.extend(files(written));
    parts.iter().fold(heading(summary), |text, part| text.say("\n").say(part))
}

/// Returns command, run and state, with consent, reason and the order of sending.
fn heading(summary: &Summary) -> Wording {
    let mut heading = Wording::from(title(&summary.command, &summary.run, summary.state));
    if let Some(consent) = &summary.consent {
        heading = heading.say("consent: ").append(&consented(consent)).say("\n");
    }
    for ApprovalSummary { at, by, account, plan_sha256 } in &summary.approvals {
        let account = account.as_ref().filter(|account| *account != by);
        let account = account.map_or(String::new(), |account| format!(" (account {})", visible(account)));
        let other = if summary.plan_sha256.as_ref() == Some(plan_sha256) { "" } else { ", for another plan" };
        heading = heading.say(format!("approved: {at}, by {}{account}{other}\n", visible(by)));
    }
    if let Some(reason) = &summary.reason {
        heading = heading.say(format!("reason: {}\n", visible(reason)));
    }
    if let Some(order) = &summary.order {
        heading = heading.say(order_line(order));
    }
    match &summary.waves {
        Some(waves) => heading.say(waves_line(waves)),
        None => heading,
    }
}

/// Returns a line with the waves in which changes are sent, such as `waves: 1, 60 and 1,142 referrals, each read back
/// before the next`.
pub fn waves_line(waves: &WavePlan) -> String {
    format!("waves: {}, each read back before the next\n", wave_sizes(waves))
}

/// Returns the sizes of waves, such as `1, 60 and 1,142 referrals`.
pub(super) fn wave_sizes(waves: &WavePlan) -> String {
    const MOST: usize = 10;
    let mut sizes: Vec<String> = waves.all().take(MOST).map(|wave| grouped(wave.size())).collect();
    let left = waves.count() - sizes.len();
    if left > 0 {
        sizes.push(format!("{} more", counted(left as u64, "wave")));
    }
    let last = sizes.pop().unwrap_or_default();
    let listed = if sizes.is_empty() { last } else { format!("{} and {last}", sizes.join(", ")) };
    let what = if left > 0 { "" } else { " referrals" };
    format!("{listed}{what}")
}

/// Returns a line with the order in which changes are sent.
pub fn order_line(order: &SendingOrder) -> String {
    format!("order of sending: {order}\n")
}

/// Returns a line with the command that made a run, the run, and how far it came.
pub fn title(command: &str, run: &str, state: State) -> String {
    let state = match state {
        State::Unplanned => "planning stopped, nothing was sent",
        State::Planned => "planned, nothing was sent",
        State::Finished => "finished",
        State::Stopped => "stopped before the end",
    };
    titled(command, run, state)
}

/// Returns the same line for a run that a process is at work on: it has come so far, and has not stopped.
pub fn title_under_way(command: &str, run: &str) -> String {
    titled(command, run, "under way")
}

fn titled(command: &str, run: &str, state: &str) -> String {
    format!("{command} {}: {state}\n", visible(run))
}

/// Returns when and how a plan was consented to, and the number of referrals to close.
fn consented(ConsentSummary { at, how, closing, by, .. }: &ConsentSummary) -> Wording {
    let by = by.as_ref().map_or(String::new(), |by| format!("by {}, ", visible(by)));
    let mut consented = Wording::from(format!("{at}, {by}"));
    for (number, way) in how.iter().enumerate() {
        consented = consented.say(if number == 0 { "" } else { " and " }).append(&way.wording());
    }
    match closing {
        0 => consented,
        closing => consented.say(format!(", to closing {}", counted(*closing, "referral"))),
    }
}

/// Returns the table of rows, referrals, requests and seconds.
fn figures(summary: &Summary, plan: Option<PlanCounts>) -> String {
    let mut table = plain_table();
    let rows = &summary.rows;
    add(&mut table, "rows", grouped(rows.total), "");
    let counts = [
        rows.applied,
        rows.unchanged,
        rows.planned,
        rows.conflict,
        rows.invalid,
        rows.refused,
        rows.failed,
        rows.partial,
        rows.unknown,
        rows.unsent,
    ];
    for (outcome, count) in Outcome::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
        add(&mut table, &format!("  {}", outcome.name()), grouped(count), "");
    }
    add(&mut table, "referrals", grouped(summary.referrals.total), &referrals(summary, plan));
    add(&mut table, "requests", grouped(summary.requests.total), &requests(summary));
    add(&mut table, "seconds", format!("{:.1}", summary.seconds.total), &spent(summary.seconds));
    lines(&table)
}

/// Returns where the time went. That one request fails after another is rare, and shown only where it happened.
fn spent(seconds: Seconds) -> String {
    let Seconds { waiting_for_rate, paused_by_server, held_back, .. } = seconds;
    let held_back =
        if held_back > 0.0 { format!(", {held_back:.1} held back by failures") } else { String::new() };
    format!(
        "{waiting_for_rate:.1} waiting for the rate, {paused_by_server:.1} paused by the server{held_back}"
    )
}

fn referrals(summary: &Summary, plan: Option<PlanCounts>) -> String {
    match plan.filter(|_| summary.state == State::Planned) {
        Some(plan) => planned(plan),
        None => listed([
            (true, summary.referrals.changed, "changed"),
            (false, summary.referrals.closed, "of them closed"),
        ]),
    }
}

/// Returns the referrals of a plan in words, as in `22 to be sent, 10 of them closing for good`.
pub fn planned(plan: PlanCounts) -> String {
    listed([
        (true, plan.to_send, "to be sent"),
        (false, plan.closing, "of them closing for good"),
        (false, plan.unchanged, "unchanged"),
        (false, plan.held_back(), "held back"),
    ])
}

fn requests(summary: &Summary) -> String {
    let requests = &summary.requests;
    let mut text = listed([
        (false, requests.get, "get"),
        (false, requests.list, "list"),
        (false, requests.patch, "patch"),
        (false, requests.token, "token"),
        (false, requests.throttled, "throttled"),
        (false, requests.retried, "retried"),
    ]);
    if summary.referrals.changed > 0 {
        #[expect(clippy::cast_precision_loss, reason = "a ratio of two decimals")]
        let each = requests.total as f64 / summary.referrals.changed as f64;
        let _ = write!(text, "; {each:.2} per changed referral");
    }
    text
}

/// Returns counts with their names, such as `9 changed, 7 of them closed`. A count of 0 is left out unless its
/// first member is true.
fn listed<const N: usize>(parts: [(bool, u64, &str); N]) -> String {
    let told = parts.into_iter().filter(|(always, count, _)| *always || *count > 0);
    told.map(|(_, count, what)| format!("{} {what}", grouped(count))).collect::<Vec<_>>().join(", ")
}

/// Returns the audit of legacy payloads, section by section.
fn audit(audit: &AuditSummary) -> impl Iterator<Item = String> {
    let overwritten =
        fields("what stale payloads would have overwritten, whatever their class", &audit.overwritten);
    let changed = fields("what the patches change", &audit.changed);
    [classes(audit), bytes(audit.bytes), overwritten, changed].into_iter().flatten()
}

fn classes(audit: &AuditSummary) -> Option<String> {
    let mut table = plain_table();
    table.set_header(["payloads", "class", "meaning"]);
    let classes = Class::ALL.into_iter().zip(audit.classes).filter(|(_, payloads)| *payloads > 0);
    for (class, payloads) in classes {
        table.add_row([number(grouped(payloads)), Cell::new(class.name()), Cell::new(class.meaning())]);
    }
    section("what the payloads come to", &table, table.row_count(), "class")
}

fn bytes(BytesSummary { payloads, put, patch, saved }: BytesSummary) -> Option<String> {
    let saved = format!("{:.2} % saved", saved? * 100.0);
    let of = format!("of {} that get a PATCH, or need none", counted(payloads, "payload"));
    let mut table = plain_table();
    add(&mut table, "as PUT", grouped(put), &of);
    add(&mut table, "as PATCH", grouped(patch), &saved);
    section("bytes", &table, table.row_count(), "row")
}

fn fields(title: &str, fields: &[FieldCount]) -> Option<String> {
    let mut table = plain_table();
    table.set_header(["payloads", "field"]);
    for FieldCount { field, payloads } in fields.iter().take(MOST_GROUPS) {
        table.add_row([number(grouped(*payloads)), Cell::new(one_line(field, FIELD))]);
    }
    section(title, &table, fields.len(), "more field")
}

fn failures(books: &Tally, names: &InputNames) -> Option<String> {
    let groups = books.failures();
    let mut table = plain_table();
    table.set_header(["rows", "outcome", "code", "first at", "first message"]);
    for group in groups.iter().take(MOST_GROUPS) {
        table.add_row([
            number(grouped(group.rows)),
            Cell::new(group.outcome.name()),
            Cell::new(one_line(group.code, CODE)),
            Cell::new(names.place(group.first.place)),
            Cell::new(told(group.first)),
        ]);
    }
    section("what went wrong", &table, groups.len(), "more reason")
}

fn kept_otherwise(books: &Tally, names: &InputNames) -> Option<String> {
    let (rows, first) = books.kept_otherwise()?;
    let mut table = plain_table();
    table.set_header(["rows", "first at", "first message"]);
    table.add_row([number(grouped(rows)), Cell::new(names.place(first.place)), Cell::new(told(first))]);
    section("what was applied in another form", &table, table.row_count(), "more reason")
}

/// Returns a line for each group of rows that the service did not take as they were sent, for users who don't
/// read the summary.
pub fn not_as_sent(summary: &Summary, books: &Tally) -> Vec<String> {
    let names = names(summary);
    let line = |rows: u64, how: &str, first: &Example| {
        let (rows, place) = (counted(rows, "row"), names.place(first.place));
        format!("{rows} {how}, the first at {place}: {}", told(first))
    };
    let partial = books.failures().into_iter().filter(|group| group.outcome == Outcome::Partial);
    let partial = partial.map(|group| line(group.rows, "taken in part", group.first));
    let otherwise = books.kept_otherwise().map(|(rows, first)| line(rows, "applied in another form", first));
    partial.chain(otherwise).collect()
}

/// Returns a line for each group of rows that were warned of, for users who don't read the summary: `[rule]: 2
/// rows, the first at changes.csv:7: …`.
pub fn warnings(summary: &Summary, books: &Tally) -> Vec<String> {
    let names = names(summary);
    let line = |group: &WarningGroup<'_>| {
        let (rows, first) = (counted(group.rows, "row"), names.place(group.first.place));
        let message = told(group.first);
        format!("[{}]: {rows}, the first at {first}: {message}", group.rule)
    };
    books.warnings().iter().map(line).collect()
}

fn names(summary: &Summary) -> InputNames {
    summary.inputs.iter().map(|input| input.path.clone()).collect()
}

fn warning_table(books: &Tally, names: &InputNames) -> Option<String> {
    let groups = books.warnings();
    let mut table = plain_table();
    table.set_header(["rows", "rule", "first at", "first message"]);
    for group in groups.iter().take(MOST_GROUPS) {
        table.add_row([
            number(grouped(group.rows)),
            Cell::new(group.rule.id()),
            Cell::new(names.place(group.first.place)),
            Cell::new(told(group.first)),
        ]);
    }
    section("what was warned of", &table, groups.len(), "more reason")
}

fn files(written: &Written) -> Option<String> {
    let mut table = plain_table();
    let mut files: Vec<_> = written.files().iter().collect();
    // The page is for people, who read this.
    files.sort_by_key(|file| !file.path.ends_with(PAGE));
    for file in files {
        let path = visible_path(&file.path);
        table.add_row([path, file.rows.map(|rows| counted(rows, "row")).unwrap_or_default()]);
    }
    section("files", &table, written.files().len(), "more file")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::atomic_file::Filed;
    use super::super::audit::Audits;
    use super::super::testing::{books, row, summary, warning};
    use super::super::written::WrittenFile;
    use super::*;
    use crate::commands::next_command::spelled;
    use crate::domain::outcome::{Bucket, Verdict};
    use crate::domain::rules::Rule;

    fn written() -> Written {
        let row_file = |name: &str, bucket, rows| WrittenFile {
            path: PathBuf::from("reports/r 1").join(name),
            rows: Some(rows),
            bucket: Some(bucket),
            sha256: None,
        };
        let files = [row_file("success.csv", Bucket::Success, 1), row_file("error.csv", Bucket::Error, 2)];
        let mut written: Written = files.into_iter().collect();
        written.add(Filed { path: "reports/r 1/summary.json".into(), sha256: String::new(), kept: None });
        written
    }

    #[test]
    fn a_finished_run() {
        let mut rows = vec![
            row(1, 0, Outcome::Refused),
            row(2, 0, Outcome::Applied),
            row(3, 0, Outcome::Refused),
            row(4, 0, Outcome::Invalid),
        ];
        rows[0].verdict.message = "\u{1b}[31mno\n way".into();
        rows[1].findings = vec![warning(Rule::EarlyWin)];
        let books = books(&rows);
        let mut summary = summary(&books);
        summary.reason = Some("spring cleaning".to_owned());
        let text = spelled(&text(&summary, &books, None, &written()));
        insta::assert_snapshot!(text, @r"
        apply reports/r 1: finished
        reason: spring cleaning

         rows         4
           applied    1
           invalid    1
           refused    2
         referrals   12  9 changed, 7 of them closed
         requests    12  1 get, 1 list, 10 patch, 2 retried; 1.33 per changed referral
         seconds    5.1  4.2 waiting for the rate, 0.0 paused by the server

        what went wrong
         rows  outcome  code          first at       first message
            2  refused  refused-code  changes.csv:2  �[31mno way
            1  invalid  invalid-code  changes.csv:5  invalid, as it were

        what was warned of
         rows  rule       first at       first message
            1  early-win  changes.csv:2  early-win is worth a look

        files
         reports/r 1/success.csv   1 row
         reports/r 1/error.csv     2 rows
         reports/r 1/summary.json

        ");
    }

    #[test]
    fn what_was_not_taken_as_it_was_sent() {
        let mut rows =
            vec![row(1, 0, Outcome::Partial), row(2, 0, Outcome::Applied), row(3, 0, Outcome::Applied)];
        rows[0].verdict.message =
            "the service took only some of it: /statusReason: sent \"No\", kept null".into();
        rows[2].verdict = Verdict::kept_otherwise("the service keeps it in another form: /details/notes: …");
        let books = books(&rows);
        let summary = summary(&books);
        assert_eq!(
            not_as_sent(&summary, &books),
            [
                "1 row taken in part, the first at changes.csv:2: \
                 the service took only some of it: /statusReason: sent \"No\", kept null",
                "1 row applied in another form, the first at changes.csv:4: \
                 the service keeps it in another form: /details/notes: …",
            ]
        );
        let text = spelled(&text(&summary, &books, None, &Written::default()));
        insta::assert_snapshot!(text, @r#"
        apply reports/r 1: finished

         rows         3
           applied    2
           partial    1
         referrals   12  9 changed, 7 of them closed
         requests    12  1 get, 1 list, 10 patch, 2 retried; 1.33 per changed referral
         seconds    5.1  4.2 waiting for the rate, 0.0 paused by the server

        what went wrong
         rows  outcome  code          first at       first message
            1  partial  partial-code  changes.csv:2  the service took only some of it: /statusReason: sent "No", kept null

        what was applied in another form
         rows  first at       first message
            1  changes.csv:4  the service keeps it in another form: /details/notes: …

        "#);
    }

    #[test]
    fn time_that_was_held_back_is_told_where_there_was_any() {
        for (held_back, told) in [(0.0, ""), (35.04, ", 35.0 held back by failures")] {
            let seconds = Seconds { total: 41.0, waiting_for_rate: 4.2, paused_by_server: 0.0, held_back };
            let wanted = format!("4.2 waiting for the rate, 0.0 paused by the server{told}");
            assert_eq!(spent(seconds), wanted);
        }
    }

    #[test]
    fn a_plan() {
        let books = books(&[row(1, 0, Outcome::Planned), row(2, 0, Outcome::Unchanged)]);
        let mut summary = summary(&books);
        summary.state = State::Planned;
        summary.referrals = super::super::summary::Referrals { total: 1_210, ..Default::default() };
        let plan = PlanCounts { total: 1_210, to_send: 1_205, closing: 1_203, unchanged: 4 };
        let plan = PlanShown { counts: plan, overview: None };
        let text = spelled(&text(&summary, &books, Some(plan), &Written::default()));
        insta::assert_snapshot!(text, @r"
        apply reports/r 1: planned, nothing was sent

         rows             2
           unchanged      1
           planned        1
         referrals    1,210  1,205 to be sent, 1,203 of them closing for good, 4 unchanged, 1 held back
         requests        12  1 get, 1 list, 10 patch, 2 retried
         seconds        5.1  4.2 waiting for the rate, 0.0 paused by the server

        ");
    }

    #[test]
    fn many_reasons_are_cut_short() {
        let rows: Vec<_> = (1..=12)
            .map(|at| {
                let mut row = row(at, 0, Outcome::Failed);
                row.verdict.code = format!("code-{at:02}");
                row
            })
            .collect();
        let text = spelled(&text(&summary(&books(&rows)), &books(&rows), None, &Written::default()));
        assert!(text.contains("code-10") && !text.contains("code-11"), "{text}");
        assert!(text.ends_with("and 2 more reasons\n"), "{text}");
    }

    #[test]
    fn a_migration() {
        let field = |field: &str, payloads| FieldCount { field: field.to_owned(), payloads };
        let audit = AuditSummary {
            payloads: 1_210,
            classes: [4, 1_200, 3, 1, 0, 1, 1],
            bytes: BytesSummary { payloads: 1_204, put: 3_612_000, patch: 72_300, saved: Some(0.9799) },
            changed: (0..11).map(|at| field(&format!("/field{at:02}"), 1_200 - at)).collect(),
            overwritten: vec![field("/details/notes", 3), field("/a\u{1b}[31m\nb", 1)],
        };
        let books = books(&[row(1, 0, Outcome::Planned)]);
        let summary = Summary { audit: Some(audit), ..summary(&books) };
        let text = spelled(&text(&summary, &books, None, &Written::default()));
        insta::assert_snapshot!(text, @r"
        apply reports/r 1: finished

         rows         1
           planned    1
         referrals   12  9 changed, 7 of them closed
         requests    12  1 get, 1 list, 10 patch, 2 retried; 1.33 per changed referral
         seconds    5.1  4.2 waiting for the rate, 0.0 paused by the server

        what the payloads come to
         payloads  class         meaning
                4  no change     the referral is so already
            1,200  safe          a PATCH carries every difference that is to be sent
                3  stale         made from another version than the current one, or from an unknown one
                1  closed        differs, and the referral is closed
                1  invalid       no referral, against a rule, or a second payload for its referral
                1  not compared  there was no referral to compare it with

        bytes
         as PUT    3,612,000  of 1,204 payloads that get a PATCH, or need none
         as PATCH     72,300  97.99 % saved

        what stale payloads would have overwritten, whatever their class
         payloads  field
                3  /details/notes
                1  /a�[31m b

        what the patches change
         payloads  field
            1,200  /field00
            1,199  /field01
            1,198  /field02
            1,197  /field03
            1,196  /field04
            1,195  /field05
            1,194  /field06
            1,193  /field07
            1,192  /field08
            1,191  /field09
        and 1 more field

        ");
    }

    #[test]
    fn a_migration_of_nothing() {
        let books = books(&[]);
        let summary = Summary { audit: Some((&Audits::default()).into()), ..summary(&books) };
        let text = spelled(&text(&summary, &books, None, &Written::default()));
        assert_eq!(text.lines().count(), 6, "{text}");
    }
}
