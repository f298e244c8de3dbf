//! `summary.json`: the outcome of a run in numbers, for programs.

use std::collections::BTreeSet;
use std::io::Write;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::account::{InputInfo, Phase, RunStats};
use crate::domain::approval::Approval;
use crate::domain::characters::visible_json;
use crate::domain::consent::{Consent, Way};
use crate::domain::outcome::Outcome;
use crate::domain::priority::SendingOrder;
use crate::domain::waves::WavePlan;

use super::atomic_file::{AtomicFile, Filed, ReportError};
use super::audit::AuditSummary;
use super::books::Tally;
use super::manifest::{AFTER_SUM, BEFORE_SUM, FileSummary, NAME, in_hex};
use super::shelf::Shelf;

/// The summary, member by member as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// The version of this format. Members may be added without raising it.
    #[schemars(extend("const" = Summary::VERSION))]
    pub version: u32,
    /// The run's directory, as the user would name it.
    pub run: String,
    /// `apply` or `migrate`.
    pub command: String,
    /// How far the run came.
    pub state: State,
    /// The exit code of the process.
    pub exit_code: u8,
    /// The inputs in the order in which they were given.
    pub inputs: Vec<InputSummary>,
    /// Rows by outcome.
    pub rows: Rows,
    /// The number of applied rows of which the service keeps a value in another form; left out where it is 0.
    #[serde(skip_serializing_if = "is_none")]
    pub kept_otherwise: u64,
    /// Referrals that the rows name.
    pub referrals: Referrals,
    /// Requests by kind.
    pub requests: Requests,
    /// Where the time went.
    pub seconds: Seconds,
    /// SHA-256 of `plan.jsonl` in hexadecimal; `None` where planning did not come to its end.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub plan_sha256: Option<String>,
    /// The consent to send; `None` where it was not asked for yet, or was not needed.
    pub consent: Option<ConsentSummary>,
    /// What second persons approved, the first one first; left out where nobody did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalSummary>,
    /// Why the run was made, in the user's words.
    pub reason: Option<String>,
    /// The order in which changes are sent; left out where that is the order of the inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SendingOrder")]
    pub order: Option<SendingOrder>,
    /// The waves in which changes are sent; left out where the user asked for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "WavePlan")]
    pub waves: Option<WavePlan>,
    /// The reports of the run.
    pub files: Vec<FileSummary>,
    /// The totals over the payloads of `migrate`. They follow from the plan alone, and stay the same when the
    /// run is carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AuditSummary")]
    pub audit: Option<AuditSummary>,
}

/// The consent that was given before anything was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConsentSummary {
    /// When it was given.
    pub at: Timestamp,
    /// In which ways.
    pub how: BTreeSet<Way>,
    /// The SHA-256 of the plan that it names, in hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub plan_sha256: String,
    /// The number of referrals that this plan closes, which can't be undone.
    pub closing: u64,
    /// The account that gave it, which is the one that sends; left out where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub by: Option<String>,
}

/// A second person's yes to the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApprovalSummary {
    /// When it was given.
    pub at: Timestamp,
    /// Who gave it, by name.
    pub by: String,
    /// The account at the service of who gave it; left out where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub account: Option<String>,
    /// The SHA-256 of the plan that it names, in hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub plan_sha256: String,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing was sent yet.
    Planned,
    /// Every referral has its outcome.
    Finished,
    /// It stopped before every referral had an outcome.
    Stopped,
    /// It stopped before its plan was complete.
    #[serde(rename = "stopped")]
    #[schemars(skip)]
    Unplanned,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InputSummary {
    /// Its path, as the user gave it.
    pub path: String,
    /// The SHA-256 of its bytes in hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// The number of its data rows.
    pub rows: u64,
}

/// Rows by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "each is the outcome of that name")]
pub struct Rows {
    /// The sum of all others.
    pub total: u64,
    pub applied: u64,
    pub unchanged: u64,
    pub planned: u64,
    pub conflict: u64,
    pub invalid: u64,
    pub refused: u64,
    pub failed: u64,
    pub partial: u64,
    pub unknown: u64,
    pub unsent: u64,
}

/// Referrals that the rows name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Referrals {
    /// All of them.
    pub total: u64,
    /// Those that the plan would change, whatever came of it later; `None` where there is no whole plan.
    pub to_change: Option<u64>,
    /// Of those, the ones that the plan would close for good.
    pub to_close: Option<u64>,
    /// Those that were changed, including those changed in part.
    pub changed: u64,
    /// Of those, the ones that were closed.
    pub closed: u64,
}

/// Requests by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Requests {
    /// The sum of `get`, `list`, `patch` and `token`.
    pub total: u64,
    /// GETs of one referral.
    pub get: u64,
    /// List pages.
    pub list: u64,
    /// PATCHes.
    pub patch: u64,
    /// Requests for a token.
    pub token: u64,
    /// Of all, those that were answered by asking to slow down.
    pub throttled: u64,
    /// Of all, those that repeated an earlier one.
    pub retried: u64,
}

/// Where the time went, in seconds with three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Seconds {
    /// Wall time of planning and sending.
    pub total: f64,
    /// Of that, the time spent waiting for the rate limit alone.
    pub waiting_for_rate: f64,
    /// Of that, the pauses that the server asked for.
    pub paused_by_server: f64,
    /// Of that, the time in which nothing was sent because one request failed after another; left out where it
    /// is 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub held_back: f64,
}

impl Summary {
    /// The version of the format of `summary.json`. Members may be added without raising it.
    pub const VERSION: u32 = 1;

    /// Returns the summary of a command that sent and planned nothing. `run` is the directory that it left; empty
    /// where there is none.
    pub fn of_nothing(command: &str, run: &str, exit_code: u8) -> Self {
        let stats = RunStats::default();
        Self {
            version: Self::VERSION,
            run: run.to_owned(),
            command: command.to_owned(),
            state: State::Stopped,
            exit_code,
            inputs: Vec::new(),
            rows: Rows::default(),
            kept_otherwise: 0,
            referrals: Referrals::default(),
            requests: (&stats).into(),
            seconds: (&stats).into(),
            plan_sha256: None,
            consent: None,
            approvals: Vec::new(),
            reason: None,
            order: None,
            waves: None,
            files: Vec::new(),
            audit: None,
        }
    }

    /// Returns the summary as one line of JSON, without the line's end. Its last member is the SHA-256 of the
    /// text before it.
    pub fn to_json_line(&self) -> String {
        let line = serde_json::to_string(self).expect("numbers, texts and lists of them serialise");
        // The line also goes to standard output, which may be a terminal.
        let mut line = visible_json(&line).into_owned();
        // The closing brace goes behind the checksum.
        line.pop();
        let sum = in_hex(Sha256::digest(&line));
        line + BEFORE_SUM + &sum + AFTER_SUM
    }

    /// Writes `summary.json`, which is that line.
    ///
    /// # Errors
    /// Where writing into the run's directory fails. An earlier file stays as it is then.
    pub fn write(&self, shelf: &Shelf) -> Result<Filed, ReportError> {
        let mut file = AtomicFile::begin(shelf.dir(), NAME)?;
        let line = self.to_json_line() + "\n";
        match file.write_all(line.as_bytes()) {
            Ok(()) => file.put(shelf),
            Err(source) => Err(ReportError::Write { path: file.path().to_owned(), source }),
        }
    }
}

impl From<Phase> for State {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Planned => Self::Planned,
            Phase::Finished => Self::Finished,
            Phase::Stopped => Self::Stopped,
            Phase::Planning => Self::Unplanned,
        }
    }
}

impl From<&InputInfo> for InputSummary {
    fn from(input: &InputInfo) -> Self {
        Self { path: input.path.clone(), sha256: input.sha256.clone(), rows: input.rows }
    }
}

impl From<&Consent> for ConsentSummary {
    fn from(consent: &Consent) -> Self {
        let Consent { at, how, plan_sha256, closing, accounts, .. } = consent;
        Self {
            at: *at,
            how: how.clone(),
            plan_sha256: plan_sha256.clone(),
            closing: *closing,
            by: accounts.name().map(str::to_owned),
        }
    }
}

impl From<&Approval> for ApprovalSummary {
    fn from(approval: &Approval) -> Self {
        let Approval { at, name, accounts, plan_sha256, .. } = approval;
        let account = accounts.service.clone();
        Self { at: *at, by: name.clone(), account, plan_sha256: plan_sha256.clone() }
    }
}

impl From<&Tally> for Rows {
    fn from(books: &Tally) -> Self {
        Self {
            total: books.total(),
            applied: books.count(Outcome::Applied),
            unchanged: books.count(Outcome::Unchanged),
            planned: books.count(Outcome::Planned),
            conflict: books.count(Outcome::Conflict),
            invalid: books.count(Outcome::Invalid),
            refused: books.count(Outcome::Refused),
            failed: books.count(Outcome::Failed),
            partial: books.count(Outcome::Partial),
            unknown: books.count(Outcome::Unknown),
            unsent: books.count(Outcome::Unsent),
        }
    }
}

impl From<&RunStats> for Requests {
    fn from(figures: &RunStats) -> Self {
        let RunStats { get, list, patch, token, throttled, retried, .. } = *figures;
        let total = [list, patch, token].into_iter().fold(get, u64::saturating_add);
        Self { total, get, list, patch, token, throttled, retried }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_none(rows: &u64) -> bool {
    *rows == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_zero(seconds: &f64) -> bool {
    *seconds == 0.0
}

impl From<&RunStats> for Seconds {
    fn from(figures: &RunStats) -> Self {
        let rounded = |seconds: f64| (seconds * 1000.0).round() / 1000.0;
        Self {
            total: rounded(figures.seconds),
            waiting_for_rate: rounded(figures.waiting_for_rate),
            paused_by_server: rounded(figures.paused_by_server),
            held_back: rounded(figures.held_back),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::audit::{BytesSummary, FieldCount};
    use super::super::manifest::is_as_written;
    use super::super::testing::{books, consent, row, summary};
    use super::*;

    #[test]
    fn it_is_one_line_in_the_order_of_the_contract() {
        let rows: Vec<_> =
            Outcome::ALL.into_iter().zip(1..).map(|(outcome, at)| row(at, 0, outcome)).collect();
        let mut summary = summary(&books(&rows));
        summary.exit_code = 3;
        let file =
            |path: &str, rows, sum: &str| FileSummary { path: path.to_owned(), rows, sha256: sum.to_owned() };
        summary.consent = Some(consent());
        summary.files = vec![file("error.csv", Some(3), "ef01"), file("plan.jsonl", None, "ab12")];
        let wanted = concat!(
            r#"{"version":1,"run":"reports/r 1","command":"apply","state":"finished","exit_code":3,"#,
            r#""inputs":[{"path":"changes.csv","sha256":"sha of changes.csv","rows":10}],"#,
            r#""rows":{"total":10,"applied":1,"unchanged":1,"planned":1,"conflict":1,"invalid":1,"#,
            r#""refused":1,"failed":1,"partial":1,"unknown":1,"unsent":1},"#,
            r#""referrals":{"total":12,"to_change":10,"to_close":8,"changed":9,"closed":7},"#,
            r#""requests":{"total":12,"get":1,"list":1,"patch":10,"token":0,"throttled":0,"retried":2},"#,
            r#""seconds":{"total":5.1,"waiting_for_rate":4.2,"paused_by_server":0.0},"#,
            r#""plan_sha256":"ab12","consent":{"at":"2026-01-02T03:04:05Z","how":["yes","confirm-closing"],"#,
            r#""plan_sha256":"ab12","closing":8},"reason":null,"#,
            r#""files":[{"path":"error.csv","rows":3,"sha256":"ef01"},{"path":"plan.jsonl","rows":null,"sha256":"ab12"}]"#,
        );
        let wanted = format!(r#"{wanted},"sha256":"{}"}}"#, in_hex(Sha256::digest(wanted)));
        assert_eq!(summary.to_json_line(), wanted);

        let dir = tempfile::tempdir().unwrap();
        let path = summary.write(&Shelf::take(dir.path(), || {})).unwrap().path;
        assert_eq!(path, dir.path().join("summary.json"));
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{wanted}\n"));
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_kept_otherwise_is_counted_beside_the_outcomes() {
        let mut rows = [row(1, 0, Outcome::Applied), row(2, 0, Outcome::Applied)];
        rows[1].verdict.code = "kept-otherwise".to_owned();
        let line = summary(&books(&rows)).to_json_line();
        assert!(line.contains(r#""unsent":0},"kept_otherwise":1,"referrals":{"#), "{line}");
    }

    #[test]
    fn a_migration_has_an_audit() {
        let audit = AuditSummary {
            payloads: 3,
            classes: [1, 2, 0, 0, 0, 0, 0],
            bytes: BytesSummary { payloads: 3, put: 9_000, patch: 120, saved: Some(0.9866) },
            changed: vec![FieldCount { field: "/details/notes".to_owned(), payloads: 2 }],
            overwritten: Vec::new(),
        };
        let summary = Summary { audit: Some(audit), ..summary(&books(&[])) };
        let wanted = concat!(
            r#""plan_sha256":"ab12","consent":null,"reason":null,"files":[],"audit":{"payloads":3,"#,
            r#""classes":{"no-change":1,"safe":2,"stale":0,"closed":0,"not-expressible":0,"invalid":0,"#,
            r#""not-compared":0},"bytes":{"payloads":3,"put":9000,"patch":120,"saved":0.9866},"#,
            r#""changed":[{"field":"/details/notes","payloads":2}],"overwritten":[]},"sha256":""#,
        );
        let line = summary.to_json_line();
        assert!(line.contains(wanted), "{line}");
    }

    #[test]
    fn it_knows_whether_it_is_as_it_was_written() {
        let text = summary(&books(&[])).to_json_line() + "\n";
        let reformatted = text.replace(",\"", ", \"");
        let other_sum = text.replace(BEFORE_SUM, r#","sha256":"0"#);
        for (text, wanted) in [
            (text.as_str(), true),
            (&text.replace("apply", "hello"), false),
            (&reformatted, false),
            (&other_sum, false),
            (text.trim_end(), false),
            (&text.repeat(2), false),
            ("{\"version\":1}\n", false),
            ("", false),
        ] {
            assert_eq!(is_as_written(text), wanted, "{text}");
        }
    }

    #[test]
    fn every_phase_has_its_state() {
        for (phase, wanted) in [
            (Phase::Planning, "stopped"),
            (Phase::Planned, "planned"),
            (Phase::Stopped, "stopped"),
            (Phase::Finished, "finished"),
        ] {
            assert_eq!(serde_json::to_value(State::from(phase)).unwrap(), wanted);
        }
    }
}
