//! The life of rows as one JSON object, for programs.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::account::{Phase, RowAccount, RowText};
use crate::domain::approval::{Accounts, Approval};
use crate::domain::attempt::{AttemptAccount, AttemptResult};
use crate::domain::characters::visible_json;
use crate::domain::consent::{Consent, Way};
use crate::domain::json;
use crate::domain::life::{ItemLife, Life};
use crate::domain::outcome::Outcome;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::step::{NextMove, StepTaken, Waits};
use crate::domain::verification::Verified;

use super::findings::{LocatedFindings, compacted};
use super::life::LifeOf;
use super::life_course::{CourseEvent, course};
use super::match_line::MatchLine;
use super::names::{InputNames, UnknownInput};
use super::plan_line::PlanLine;

/// The version of the object's form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Explained<'a> {
    version: u32,
    run: RunMember<'a>,
    consents: Vec<ConsentMember<'a>>,
    approvals: Vec<ApprovalMember<'a>>,
    lives: Vec<LifeMember<'a>>,
}

#[derive(Serialize)]
struct RunMember<'a> {
    path: &'a str,
    command: &'a str,
    phase: PhaseNow,
    at_work: bool,
    lossy: bool,
    program: &'a str,
    planned_at: Timestamp,
    target: &'a str,
    correlation_id: Uuid,
    reason: Option<&'a str>,
}

/// How far a run has come, as far as that can be said while it goes on.
#[derive(Serialize)]
#[serde(untagged)]
enum PhaseNow {
    /// It goes on, and is at rest in no phase.
    UnderWay(UnderWay),
    At(Phase),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum UnderWay {
    UnderWay,
}

#[derive(Serialize)]
struct ConsentMember<'a> {
    at: Timestamp,
    how: &'a BTreeSet<Way>,
    plan_sha256: &'a str,
    changing: u64,
    closing: u64,
    target: &'a str,
    #[serde(flatten)]
    holder: Holder<'a>,
}

/// The accounts of a process.
#[derive(Serialize)]
struct Holder<'a> {
    account: Option<&'a str>,
    user_name: Option<&'a str>,
    user: Option<u32>,
}

#[derive(Serialize)]
struct ApprovalMember<'a> {
    at: Timestamp,
    name: &'a str,
    #[serde(flatten)]
    holder: Holder<'a>,
    plan_sha256: &'a str,
    changing: u64,
    closing: u64,
}

#[derive(Serialize)]
struct LifeMember<'a> {
    rows: Vec<RowMember<'a>>,
    /// The line of `plan.jsonl`.
    plan: Option<PlanLine<'a>>,
    request_id: Option<Uuid>,
    /// Whether the input names the version that the change is bound to.
    bound_by_input: Option<bool>,
    attempts: Vec<AttemptMember<'a>>,
    steps: Vec<&'a StepTaken>,
    /// What a verification found last.
    verified: Option<&'a Verified>,
}

#[derive(Serialize)]
struct RowMember<'a> {
    row: u64,
    file: &'a str,
    file_sha256: Option<&'a str>,
    sheet: Option<&'a str>,
    line: u64,
    id: Option<ReferralId>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    matched: Option<MatchLine<'a>>,
    /// Of a row of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    cells: Option<Vec<CellMember<'a>>>,
    /// Of a row of any other input.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    findings: LocatedFindings<'a>,
    outcome: Outcome,
    code: &'a str,
    message: &'a str,
    status: Option<u16>,
    at: Option<Timestamp>,
    etag: Option<&'a ETag>,
    base: Option<Box<RawValue>>,
    ours: Option<Box<RawValue>>,
    theirs: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct CellMember<'a> {
    column: Option<&'a str>,
    value: &'a str,
}

#[derive(Serialize)]
struct AttemptMember<'a> {
    /// Its number among all attempts of the run.
    attempt: u64,
    at: Timestamp,
    client_request_id: Uuid,
    if_match: Option<&'a ETag>,
    /// The document, where a rebase made another than the plan's.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Cow<'a, RawValue>>,
    waited_ms: Waits,
    answered_at: Option<Timestamp>,
    status: Option<u16>,
    code: Option<&'a str>,
    result: Option<AttemptResult>,
    next: Option<NextMove>,
}

impl LifeOf<'_> {
    /// Returns the lives of rows as one JSON object on a line.
    ///
    /// # Errors
    /// Where a row lies in an input that the run does not have.
    pub fn json(&self, lives: &[Life]) -> Result<String, UnknownInput> {
        let names = InputNames::of(self.inputs);
        let places = lives.iter().flat_map(|life| {
            let findings = life.rows.iter().flat_map(|row| &row.findings).map(|finding| finding.place);
            let item = life.item.iter().flat_map(|item| {
                let findings = item.account.item.findings.iter().map(|finding| finding.place);
                item.account.rows.iter().copied().chain(findings)
            });
            life.rows.iter().map(|row| row.place).chain(findings).chain(item)
        });
        for place in places {
            names.file(place)?;
        }
        let members: Result<Vec<_>, _> = lives.iter().map(|life| self.life(life, &names)).collect();
        let explained = Explained {
            version: VERSION,
            run: self.run_member(),
            consents: self.consents.iter().map(consent).collect(),
            approvals: self.approvals.iter().map(approval).collect(),
            lives: members?,
        };
        Ok(visible_json(json::raw(&explained).get()).into_owned() + "\n")
    }

    fn phase_now(&self) -> PhaseNow {
        if self.is_under_way() { PhaseNow::UnderWay(UnderWay::UnderWay) } else { PhaseNow::At(self.phase) }
    }

    fn run_member(&self) -> RunMember<'_> {
        RunMember {
            path: self.run,
            command: &self.spec.command,
            phase: self.phase_now(),
            at_work: self.is_at_work,
            lossy: self.is_lossy,
            program: &self.spec.program,
            planned_at: self.spec.created,
            target: &self.spec.target,
            correlation_id: self.spec.correlation_id,
            reason: self.spec.reason.as_deref(),
        }
    }

    fn life<'a>(&'a self, life: &'a Life, names: &'a InputNames) -> Result<LifeMember<'a>, UnknownInput> {
        let item = life.item.as_ref();
        let rows: Result<Vec<_>, _> = life.rows.iter().map(|row| self.row(row, names)).collect();
        let (attempts, steps) = item.map(carried_out).unwrap_or_default();
        Ok(LifeMember {
            rows: rows?,
            plan: item.map(|item| PlanLine::planned(&item.account, names)),
            request_id: item.map(|item| item.account.item.request_id),
            bound_by_input: item.map(|item| item.account.item.is_bound),
            attempts,
            steps,
            verified: item.and_then(|item| item.verified.as_ref()),
        })
    }

    fn row<'a>(&'a self, row: &'a RowAccount, names: &'a InputNames) -> Result<RowMember<'a>, UnknownInput> {
        let input = self.inputs.get(row.place.input as usize);
        let columns = input.map(|input| input.columns.as_slice()).unwrap_or_default();
        let cell = |(at, value)| CellMember { column: columns.get(at).map(String::as_str), value };
        let is_line = matches!(row.text, RowText::Line(_));
        let cells = || row.text.cells().into_iter().enumerate().map(cell).collect();
        Ok(RowMember {
            row: row.row,
            file: names.file(row.place)?,
            file_sha256: input.map(|input| input.sha256.as_str()),
            sheet: input.and_then(|input| input.sheet.as_deref()),
            line: row.place.line,
            id: row.id,
            matched: row.matched.as_ref().map(|matched| MatchLine::of(matched, row.id)),
            cells: (!is_line).then(cells),
            text: match &row.text {
                RowText::Line(line) => Some(line),
                RowText::Cells(_) | RowText::Sheet(_) => None,
            },
            findings: LocatedFindings { findings: &row.findings, names },
            outcome: row.verdict.outcome,
            code: &row.verdict.code,
            message: row.verdict.message.as_str(),
            status: row.verdict.status,
            at: row.at,
            etag: row.etag.as_ref(),
            base: row.base.as_deref().map(compacted),
            ours: row.ours.as_deref().map(compacted),
            theirs: row.theirs.as_deref().map(compacted),
        })
    }
}

fn consent(consent: &Consent) -> ConsentMember<'_> {
    let Consent { at, how, plan_sha256, changing, closing, target, user, accounts } = consent;
    let holder = Holder { user: accounts.user.or(*user), ..holder(accounts) };
    ConsentMember { at: *at, how, plan_sha256, changing: *changing, closing: *closing, target, holder }
}

fn approval(approval: &Approval) -> ApprovalMember<'_> {
    let Approval { at, name, accounts, plan_sha256, changing, closing } = approval;
    let holder = holder(accounts);
    ApprovalMember { at: *at, name, holder, plan_sha256, changing: *changing, closing: *closing }
}

fn holder(accounts: &Accounts) -> Holder<'_> {
    let Accounts { service, machine, user } = accounts;
    Holder { account: service.as_deref(), user_name: machine.as_deref(), user: *user }
}

/// Returns the attempts at an item, each with what was waited for and what followed, and the other steps.
fn carried_out(life: &ItemLife) -> (Vec<AttemptMember<'_>>, Vec<&StepTaken>) {
    let (mut attempts, mut steps) = (Vec::new(), Vec::new());
    for event in course(life) {
        match event {
            CourseEvent::Attempt { attempt, waits, next } => attempts.push(member(attempt, waits, next)),
            CourseEvent::Step(taken) => steps.push(taken),
        }
    }
    (attempts, steps)
}

fn member(attempt: &AttemptAccount, waited_ms: Waits, next: Option<NextMove>) -> AttemptMember<'_> {
    let AttemptAccount { number, at, client_request_id, etag, document, answer } = attempt;
    let answer = answer.as_ref();
    AttemptMember {
        attempt: *number,
        at: *at,
        client_request_id: *client_request_id,
        if_match: etag.as_ref(),
        operations: document.as_deref().map(|document| Cow::Owned(compacted(document))),
        waited_ms,
        answered_at: answer.map(|answer| answer.at),
        status: answer.and_then(|answer| answer.status),
        code: answer.and_then(|answer| answer.code.as_deref()),
        result: answer.map(|answer| answer.result),
        next,
    }
}
