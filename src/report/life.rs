//! The life of rows as people read it, from top to bottom in the order of time: the run, what was read, what it was
//! taken to mean, what the rules say, what was to be sent, who agreed, every request, what became of it, and how it
//! stood when that was verified last.

use serde_json::value::RawValue;

use crate::domain::account::{InputInfo, ItemAccount, Phase, RowAccount, RowText};
use crate::domain::approval::{Accounts, Approval};
use crate::domain::characters::{visible, visible_json};
use crate::domain::consent::Consent;
use crate::domain::finding::{Finding, Location};
use crate::domain::item::Item;
use crate::domain::json;
use crate::domain::life::{ItemLife, Life};
use crate::domain::outcome::Outcome;
use crate::domain::run_spec::RunSpec;
use crate::domain::step::StepKind;
use crate::domain::subject::Subject;
use crate::domain::verification::Verified;
use crate::domain::wording::Wording;

use super::change_text::Extent;
use super::findings::compacted;
use super::format::counted;
use super::life_course::{CourseEvent, course};
use super::life_words::{after, answered, looked, rebased, then};
use super::referral_text::{ReferralWriter, effect};
use super::text::{title, title_under_way, wave_sizes};

/// What is told of a run before the life of one of its rows.
#[derive(Debug)]
pub struct LifeOf<'a> {
    /// The run's name.
    pub run: &'a str,
    /// How it was planned.
    pub spec: &'a RunSpec,
    /// How far it has come.
    pub phase: Phase,
    /// Whether a process is at work on it.
    pub is_at_work: bool,
    /// Whether records of it are lost, or may be.
    pub is_lossy: bool,
    /// Its inputs.
    pub inputs: &'a [InputInfo],
    /// Every consent that was given.
    pub consents: &'a [Consent],
    /// Every approval that was given.
    pub approvals: &'a [Approval],
}

/// A part of the text: a heading, and lines below it.
type Section = (String, Vec<String>);

impl LifeOf<'_> {
    /// Whether a process goes on with the run, so that what is on record is not the last word.
    pub fn is_under_way(&self) -> bool {
        self.is_at_work && self.phase != Phase::Finished
    }

    /// Returns the line that tells which run this is, and how far it came; then how it was planned.
    pub fn heading(&self) -> String {
        let Self { run, spec, phase, .. } = self;
        let heading = if self.is_under_way() {
            title_under_way(&spec.command, run)
        } else {
            title(&spec.command, run, (*phase).into())
        };
        let mut facts = vec![
            ("planned", format!("{}, by version {}", spec.created, visible(&spec.program))),
            ("sends to", visible(&spec.target).into_owned()),
            ("correlation id", spec.correlation_id.to_string()),
        ];
        facts.extend(spec.reason.as_ref().map(|reason| ("reason", visible(reason).into_owned())));
        facts.extend(spec.order.as_ref().map(|order| ("order", order.to_string())));
        facts.extend(spec.waves.as_ref().map(|waves| ("waves", wave_sizes(waves))));
        heading + &written(&[("run".to_owned(), aligned(facts))])
    }

    /// Returns the life of rows that belong together, as text of several lines. `spell` writes settings as they are
    /// typed.
    pub fn text(&self, life: &Life, spell: impl Fn(&Wording) -> String) -> String {
        let writer = ReferralWriter::of(&self.spec.asked.state, self.inputs);
        let mut sections: Vec<Section> = life.rows.iter().map(|row| self.source(row, &writer)).collect();
        sections.extend(life.item.as_ref().map(|item| self.meaning(item, &life.rows, &writer)));
        sections.push(("findings".to_owned(), findings(life, &writer)));
        sections.extend(life.item.as_ref().map(|item| ("document".to_owned(), document(&item.account.item))));
        if life.item.as_ref().is_some_and(|item| item.account.planned.is_none()) {
            sections.push(("consent".to_owned(), self.agreed(spell)));
        }
        sections.extend(life.item.as_ref().map(|item| ("sending".to_owned(), sending(item, &life.rows))));
        let outcomes = life.rows.iter().flat_map(|row| outcome(row, &writer)).collect();
        sections.push(("outcome".to_owned(), outcomes));
        let verified = life.item.as_ref().and_then(|item| item.verified.as_ref());
        sections.push(("verified".to_owned(), verified.map(standing).unwrap_or_default()));
        sections.retain(|(_, lines)| !lines.is_empty());
        written(&sections)
    }

    /// Returns what was read of a row.
    fn source(&self, row: &RowAccount, writer: &ReferralWriter) -> Section {
        let input = self.inputs.get(row.place.input as usize);
        let columns = input.map(|input| input.columns.as_slice()).unwrap_or_default();
        let sheet = input.and_then(|input| input.sheet.as_ref());
        let sheet = sheet.map(|sheet| format!(", sheet \"{}\"", visible(sheet))).unwrap_or_default();
        let heading = format!("row {} of the run, {}{sheet}", row.row, writer.names.place(row.place));
        let mut lines = match &row.text {
            RowText::Line(line) => vec![visible_json(line).into_owned()],
            RowText::Cells(_) | RowText::Sheet(_) => cells(columns, &row.text.cells()),
        };
        if let Some(input) = input {
            lines.push(format!("of a file with SHA-256 {}", input.sha256));
        }
        (heading, lines)
    }

    /// Returns what the rows of an item were taken to mean.
    fn meaning(&self, life: &ItemLife, rows: &[RowAccount], writer: &ReferralWriter) -> Section {
        let ItemAccount { item, rows: places, matched, subject, turn, wave, audit, .. } = &life.account;
        let mut facts = vec![("referral", item.id.to_string())];
        facts.extend(subject.as_ref().and_then(|subject| facts_of(subject)));
        facts.extend(
            matched
                .first()
                .map(|matched| ("found by", format!("{} \"{}\"", matched.way.name(), visible(&matched.key)))),
        );
        facts.extend(stage(subject.as_ref()).map(|stage| ("stood at", stage)));
        facts.extend(item.etag.as_ref().map(|etag| {
            let how = if item.is_bound { "as the input says" } else { "as it was seen" };
            ("version", format!("{}, {how}", etag.as_str()))
        }));
        let others: Vec<Location> =
            places.iter().copied().filter(|place| rows.iter().all(|row| row.place != *place)).collect();
        facts.extend((!others.is_empty()).then(|| ("merged with", writer.places(&others, Extent::Excerpt))));
        facts.extend(turn.map(|turn| ("place in order", turn.to_string())));
        facts.extend(wave.map(|wave| ("wave", wave.to_string())));
        facts.extend(
            audit
                .as_ref()
                .map(|audit| ("payload", format!("{}: {}", audit.class.name(), audit.class.meaning()))),
        );
        facts.push(("the plan", effect(&life.account).to_owned()));
        let mut lines = aligned(facts);
        lines.extend(
            writer.changes(&life.account, Extent::Whole).iter().map(|line| line.trim_start().to_owned()),
        );
        ("taken to mean".to_owned(), lines)
    }

    /// Returns who agreed to what, and who approved it, in the order of time.
    fn agreed(&self, spell: impl Fn(&Wording) -> String) -> Vec<String> {
        let scope = |changing: u64, closing: u64| {
            format!("{} to change, {} of them to close", counted(changing, "referral"), closing)
        };
        let mut lines: Vec<(jiff::Timestamp, String)> = Vec::new();
        for consent in self.consents {
            let Consent { at, how, plan_sha256, changing, closing, target, user, accounts } = consent;
            let how: Vec<String> = how.iter().map(|way| spell(&way.wording())).collect();
            let line = format!(
                "{at} {}{}: to plan {plan_sha256}, {}, at {}",
                how.join(" and "),
                holder(&Accounts { user: accounts.user.or(*user), ..accounts.clone() }),
                scope(*changing, *closing),
                visible(target)
            );
            lines.push((*at, line));
        }
        for Approval { at, name, accounts, plan_sha256, changing, closing } in self.approvals {
            let line = format!(
                "{at} approved by {}{}: plan {plan_sha256}, {}",
                visible(name),
                holder(accounts),
                scope(*changing, *closing)
            );
            lines.push((*at, line));
        }
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

/// Returns the accounts of a process, as in ` (account ann@example.com, user ann, user 1000)`.
fn holder(accounts: &Accounts) -> String {
    let account = accounts.service.as_ref().map(|name| format!("account {}", visible(name)));
    let user = accounts.machine.as_ref().map(|name| format!("user {}", visible(name)));
    let parts: Vec<String> = account.into_iter().chain(user).chain(accounts.number()).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

fn facts_of(subject: &Subject) -> Option<(&'static str, String)> {
    let name = subject.name.as_ref().map(|name| format!("“{name}”"));
    let parts: Vec<String> = name.into_iter().chain(subject.customer.clone()).collect();
    (!parts.is_empty()).then(|| ("known as", parts.join(", ")))
}

/// Returns where a referral stood when it was planned: stage, value and closing date, as far as they were seen.
fn stage(subject: Option<&Subject>) -> Option<String> {
    let Subject { status, substatus, value, currency, closing, .. } = subject?;
    let stage: Vec<&str> = status.iter().chain(substatus).map(String::as_str).collect();
    let value: Vec<&str> = value.iter().chain(currency).map(String::as_str).collect();
    let closing = closing.as_ref().map(|closing| format!("closing {closing}"));
    let parts = [stage.join(" / "), value.join(" "), closing.unwrap_or_default()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Returns the cells of a row by their columns. A ragged row has more or fewer of them.
fn cells(columns: &[String], cells: &[&str]) -> Vec<String> {
    let name = |at: usize| match columns.get(at) {
        Some(name) => visible(name).into_owned(),
        None => format!("cell {}", at + 1),
    };
    let quoted = |cell: &&str| visible_json(json::raw(cell).get()).into_owned();
    let facts: Vec<(String, String)> =
        cells.iter().enumerate().map(|(at, cell)| (name(at), quoted(cell))).collect();
    aligned(facts.iter().map(|(name, cell)| (name.as_str(), cell.clone())).collect())
}

/// Returns all findings about the rows and their item, each once.
fn findings(life: &Life, writer: &ReferralWriter) -> Vec<String> {
    let of_item = life.item.iter().flat_map(|item| &item.account.item.findings);
    let mut all: Vec<&Finding> = Vec::new();
    for finding in of_item.chain(life.rows.iter().flat_map(|row| &row.findings)) {
        if !all.contains(&finding) {
            all.push(finding);
        }
    }
    all.iter().map(|finding| writer.finding(finding, Extent::Whole).trim_start().to_owned()).collect()
}

/// Returns the document of an item that is to be sent.
fn document(item: &Item) -> Vec<String> {
    if item.changes.is_empty() {
        return Vec::new();
    }
    let guard = item.etag.as_ref().map(|etag| format!(", If-Match {}", etag.as_str())).unwrap_or_default();
    vec![format!("request-id {}{guard}", item.request_id), on_one_line(&item.patch)]
}

/// Returns every attempt and every step in between.
fn sending(life: &ItemLife, rows: &[RowAccount]) -> Vec<String> {
    let (mut lines, mut count) = (Vec::new(), 0);
    let is_partial = rows.iter().any(|row| row.verdict.outcome == Outcome::Partial);
    for event in course(life) {
        match event {
            CourseEvent::Attempt { attempt, waits, next } => {
                count += 1;
                let guard = attempt.etag.as_ref();
                let guard = guard.map(|etag| format!(", If-Match {}", etag.as_str())).unwrap_or_default();
                lines.push(format!(
                    "{} attempt {count}{}: client-request-id {}{guard}",
                    attempt.at,
                    after(&waits),
                    attempt.client_request_id
                ));
                let document = attempt.document.as_deref();
                lines.extend(
                    document.map(|document| format!("  with another document: {}", on_one_line(document))),
                );
                let next = next.map(|next| format!("; {}", then(next))).unwrap_or_default();
                lines.push(match &attempt.answer {
                    Some(answer) => format!("  {} {}{next}", answer.at, answered(answer, is_partial)),
                    None => format!("  no answer is on record{next}"),
                });
            }
            CourseEvent::Step(taken) => lines.push(format!("{} {}", taken.at, told(&taken.kind))),
        }
    }
    lines
}

/// Returns a step of its own in words.
fn told(kind: &StepKind) -> String {
    match kind {
        StepKind::Waited(waits) => format!("waited{}", after(waits).replacen(" after", "", 1)),
        StepKind::Decided { next } => then(*next).to_owned(),
        StepKind::Looked(look) => format!("looked{}: {}", after(&look.waits), looked(look)),
        StepKind::Listed { etag } => format!("a list page shows the change, at {}", etag.as_str()),
        StepKind::Rebased { from, to } => rebased(from.as_ref(), to.as_ref()),
        StepKind::Withdrawn => "the run was stopped before it was sent: that intent is withdrawn".to_owned(),
    }
}

/// Returns what became of a row, with the values that stand against it.
fn outcome(row: &RowAccount, writer: &ReferralWriter) -> Vec<String> {
    let verdict = &row.verdict;
    let at = row.at.map_or_else(String::new, |at| format!(" at {at}"));
    let code = match verdict.outcome {
        Outcome::Planned => String::new(),
        outcome if verdict.code == outcome.name() => String::new(),
        _ => format!(" ({})", visible(&verdict.code)),
    };
    let message = visible(verdict.message.as_str());
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    let place = writer.names.place(row.place);
    let mut lines = vec![format!("{place} {}{code}{at}{message}", verdict.outcome.name())];
    lines.extend(row.etag.as_ref().map(|etag| format!("  its version then: {}", etag.as_str())));
    for (what, values) in [("base", &row.base), ("ours", &row.ours), ("theirs", &row.theirs)] {
        let values = values.as_deref();
        lines.extend(values.map(|values| format!("  {what}: {}", on_one_line(values))));
    }
    lines
}

/// Returns what a verification found last, with the fields that have another value now.
fn standing(verified: &Verified) -> Vec<String> {
    let Verified { standing, fields, etag, updated, message, at } = verified;
    let version = etag.as_ref().map(|etag| format!(", at {}", etag.as_str())).unwrap_or_default();
    let updated = updated.as_ref().map(|at| format!(", updated {}", visible(at))).unwrap_or_default();
    let message = if message.is_empty() { String::new() } else { format!(": {}", visible(message)) };
    let mut lines = vec![format!("{at} {}{version}{updated}{message}", standing.name())];
    lines.extend(fields.iter().map(|field| {
        let now = field.now.as_deref().map_or_else(|| "nothing".to_owned(), on_one_line);
        format!(
            "  {}: wrote {}, now {now}",
            visible(field.path.pointer().as_str()),
            on_one_line(&field.wrote)
        )
    }));
    lines
}

/// Returns a JSON value on one line, with hidden characters escaped.
fn on_one_line(raw: &RawValue) -> String {
    visible_json(compacted(raw).get()).into_owned()
}

/// Returns facts with their names in a column.
fn aligned(facts: Vec<(&str, String)>) -> Vec<String> {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    facts.into_iter().map(|(name, fact)| format!("{name:width$}  {fact}")).collect()
}

/// Returns the sections as text, each behind an empty line.
fn written(sections: &[Section]) -> String {
    let mut text = String::new();
    for (heading, lines) in sections {
        text.push('\n');
        text.push_str(heading);
        text.push('\n');
        for line in lines {
            text.push_str("  ");
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
