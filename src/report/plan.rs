//! `plan.jsonl`: what a run would do, one line per referral, in the order of the run.
//!
//! A line holds what planning decided and nothing that came later, so the file is the same before and after the
//! run, byte for byte, and its checksum names the plan.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::domain::account::{InputInfo, ItemAccount};
use crate::domain::item::Effect;
use crate::domain::outcome::Outcome;

use super::atomic_file::{AtomicFile, BUFFER, Filed, ReportError};
use super::names::InputNames;
use super::plan_line::PlanLine;
use super::plan_table::PlanTable;
use super::shelf::Shelf;

/// The file's name in a run's directory.
pub const NAME: &str = "plan.jsonl";

/// The referrals of a plan, by what the plan does to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanCounts {
    /// All that the rows name.
    pub total: u64,
    /// Those that would be sent.
    pub to_send: u64,
    /// Of those, the ones that would be closed, which can't be undone.
    pub closing: u64,
    /// Those that are as wanted already.
    pub unchanged: u64,
}

impl PlanCounts {
    /// Adds a referral.
    pub fn add(&mut self, account: &ItemAccount) {
        self.total += 1;
        match outcome(account) {
            Outcome::Planned => {
                self.to_send += 1;
                self.closing += u64::from(account.item.effect == Effect::OneWay);
            }
            Outcome::Unchanged => self.unchanged += 1,
            _ => {}
        }
    }

    /// Returns the number of referrals for which nothing is sent because something is wrong with them.
    pub fn held_back(&self) -> u64 {
        self.total - self.to_send - self.unchanged
    }
}

/// `plan.jsonl` and `plan.csv` while they are written.
pub struct PlanReport {
    path: PathBuf,
    names: InputNames,
    writer: BufWriter<AtomicFile>,
    table: PlanTable,
    shelf: Shelf,
}

/// The files of a plan, in their places.
#[derive(Debug)]
pub struct FiledPlan {
    /// `plan.jsonl`, whose checksum names the plan.
    pub lines: Filed,
    /// `plan.csv`, which says the same to people.
    pub table: Filed,
}

impl PlanReport {
    /// Begins the files. They have other names until [`PlanReport::finish`].
    ///
    /// # Errors
    /// Where the file can't be created in the run's directory, which must exist.
    pub fn begin(shelf: &Shelf, inputs: &[InputInfo]) -> Result<Self, ReportError> {
        let file = AtomicFile::begin(shelf.dir(), NAME)?;
        let path = file.path().to_owned();
        let writer = BufWriter::with_capacity(BUFFER, file);
        let table = PlanTable::begin(shelf, inputs)?;
        Ok(Self { path, names: InputNames::of(inputs), writer, table, shelf: shelf.clone() })
    }

    /// Adds the next referral of the run.
    ///
    /// # Errors
    /// Where writing fails, or a row lies in an input that the run does not have. The report can't be used
    /// then, and has to be begun again.
    pub fn item(&mut self, account: &ItemAccount) -> Result<(), ReportError> {
        // Checked first: found while serialising, an unknown input would look like a failure to write.
        for place in account.rows.iter().chain(account.item.findings.iter().map(|finding| &finding.place)) {
            self.names.file(*place)?;
        }
        let written = serde_json::to_writer(&mut self.writer, &PlanLine::planned(account, &self.names));
        let written = written.map_err(io::Error::from).and_then(|()| self.writer.write_all(b"\n"));
        written.map_err(|source| ReportError::Write { path: self.path.clone(), source })?;
        self.table.item(account, &self.names)
    }

    /// Puts both files in their places.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn finish(self) -> Result<FiledPlan, ReportError> {
        let Self { path, writer, table, shelf, .. } = self;
        let file =
            writer.into_inner().map_err(|error| ReportError::Write { path, source: error.into_error() })?;
        Ok(FiledPlan { lines: file.put(&shelf)?, table: table.finish(&shelf)? })
    }
}

/// Returns the outcome of planning.
fn outcome(account: &ItemAccount) -> Outcome {
    account.planned.as_ref().map_or(Outcome::Planned, |verdict| verdict.outcome)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use uuid::Uuid;

    use sha2::{Digest, Sha256};

    use super::super::testing::{csv_input, id, raw, subject, warning};
    use super::*;
    use crate::domain::audit::{Audit, Class};
    use crate::domain::fields::{Field, Path as FieldPath};
    use crate::domain::finding::Location;
    use crate::domain::item::{Change, Item};
    use crate::domain::outcome::Verdict;
    use crate::domain::referral::ETag;
    use crate::domain::rules::Rule;

    fn place(input: u32, line: u64) -> Location {
        Location { input, line, column: 1 }
    }

    fn account(number: u64, effect: Effect, planned: Option<Verdict>) -> ItemAccount {
        let item = Item {
            number,
            id: id(number),
            etag: None,
            is_bound: false,
            request_id: Uuid::nil(),
            patch: raw("[]"),
            changes: Vec::new(),
            effect,
            findings: Vec::new(),
        };
        ItemAccount {
            item,
            rows: vec![place(0, number + 1)],
            planned,
            audit: None,
            subject: None,
            matched: Vec::new(),
            turn: None,
            wave: None,
        }
    }

    /// A plan of everything that a plan can hold.
    fn accounts() -> Vec<ItemAccount> {
        let mut full = account(1, Effect::OneWay, None);
        full.rows.push(place(1, 7));
        full.item.etag = Some(ETag::from_input("v1").unwrap());
        full.item.patch = raw("[{\"op\":\"add\", \"path\":\"/details/dealValue\",\n\"value\":10.00}]");
        full.item.changes = vec![
            Change {
                path: FieldPath::Known(Field::DealValue),
                before: None,
                after: raw("10.00"),
                appended: Vec::new(),
                base: None,
                is_whole: false,
            },
            Change {
                path: FieldPath::Known(Field::Status),
                before: Some(raw(r#""Active""#)),
                after: raw(r#""Closed""#),
                appended: Vec::new(),
                base: None,
                is_whole: false,
            },
        ];
        full.item.findings = vec![warning(Rule::EarlyWin)];
        full.subject = Some(subject());
        let verdict = |outcome| Some(Verdict::new(outcome, "some-code", "some \"message\""));
        vec![
            full,
            account(2, Effect::Reversible, None),
            account(3, Effect::Unchanged, verdict(Outcome::Unchanged)),
            account(4, Effect::OneWay, verdict(Outcome::Invalid)),
            account(5, Effect::Reversible, verdict(Outcome::Conflict)),
        ]
    }

    fn write(dir: &Path) -> (String, PlanCounts) {
        let inputs = [csv_input("a.csv", &["id"], 0), csv_input("b.csv", &["id"], 0)];
        let mut report = PlanReport::begin(&Shelf::take(dir, || {}), &inputs).unwrap();
        let mut counts = PlanCounts::default();
        for account in accounts() {
            report.item(&account).unwrap();
            counts.add(&account);
        }
        (report.finish().unwrap().lines.sha256, counts)
    }

    #[test]
    fn a_line_tells_what_would_be_done_and_why_not() {
        let dir = tempfile::tempdir().unwrap();
        let (_, counts) = write(dir.path());
        let wanted = concat!(
            r#"{"id":"00000000-0000-0000-0000-000000000001","name":"Fabrikam rollout","customer":"Fabrikam","#,
            r#""rows":[{"file":"a.csv","line":2},{"file":"b.csv","line":7}],"#,
            r#""operations":[{"op":"add","path":"/details/dealValue","value":10.00}],"#,
            r#""changes":[{"path":"/details/dealValue","before":null,"after":10.00},"#,
            r#"{"path":"/status","before":"Active","after":"Closed"}],"#,
            r#""eTag":"\"v1\"","findings":[{"rule":"early-win","level":"warn","file":"a.csv","line":2,"column":3,"#,
            r#""message":"early-win is worth a look","hint":null}],"#,
            r#""effect":"one-way","reversible":false,"outcome":"planned"}"#,
            "\n",
            r#"{"id":"00000000-0000-0000-0000-000000000002","rows":[{"file":"a.csv","line":3}],"#,
            r#""operations":[],"changes":[],"eTag":null,"findings":[],"#,
            r#""effect":"reversible","reversible":true,"outcome":"planned"}"#,
            "\n",
            r#"{"id":"00000000-0000-0000-0000-000000000003","rows":[{"file":"a.csv","line":4}],"#,
            r#""operations":[],"changes":[],"eTag":null,"findings":[],"#,
            r#""effect":"unchanged","reversible":true,"outcome":"unchanged","#,
            r#""code":"some-code","message":"some \"message\""}"#,
            "\n",
            r#"{"id":"00000000-0000-0000-0000-000000000004","rows":[{"file":"a.csv","line":5}],"#,
            r#""operations":[],"changes":[],"eTag":null,"findings":[],"#,
            r#""effect":"one-way","reversible":false,"outcome":"invalid","#,
            r#""code":"some-code","message":"some \"message\""}"#,
            "\n",
            r#"{"id":"00000000-0000-0000-0000-000000000005","rows":[{"file":"a.csv","line":6}],"#,
            r#""operations":[],"changes":[],"eTag":null,"findings":[],"#,
            r#""effect":"reversible","reversible":true,"outcome":"conflict","#,
            r#""code":"some-code","message":"some \"message\""}"#,
            "\n",
        );
        assert_eq!(fs::read_to_string(dir.path().join(NAME)).unwrap(), wanted);
        assert_eq!(counts, PlanCounts { total: 5, to_send: 2, closing: 1, unchanged: 1 });
        assert_eq!(counts.held_back(), 2);
    }

    #[test]
    fn a_line_of_a_legacy_payload_tells_its_part_in_the_audit() {
        let dir = tempfile::tempdir().unwrap();
        let audit = Audit {
            class: Class::NotExpressible,
            put_bytes: 3_000,
            patch_bytes: 0,
            changed: Vec::new(),
            overwritten: vec![Field::Notes.pointer().clone()],
        };
        let mut report =
            PlanReport::begin(&Shelf::take(dir.path(), || {}), &[csv_input("a.csv", &["id"], 0)]).unwrap();
        report.item(&ItemAccount { audit: Some(audit), ..account(1, Effect::Reversible, None) }).unwrap();
        report.finish().unwrap();
        let wanted = concat!(
            r#""effect":"reversible","reversible":true,"audit":{"class":"not-expressible","put_bytes":3000,"#,
            r#""patch_bytes":0,"overwritten":["/details/notes"]},"outcome":"planned"}"#,
            "\n",
        );
        let line = fs::read_to_string(dir.path().join(NAME)).unwrap();
        assert!(line.ends_with(wanted), "{line}");
    }

    #[test]
    fn the_checksum_is_of_the_bytes_and_the_same_every_time() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let sums = dirs.each_ref().map(|dir| write(dir.path()).0);
        let path = dirs[0].path().join(NAME);
        let hash: String =
            Sha256::digest(fs::read(&path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sums, [hash.clone(), hash]);
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_plan_without_referrals_is_an_empty_file() {
        let dir = tempfile::tempdir().unwrap();
        let sum =
            PlanReport::begin(&Shelf::take(dir.path(), || {}), &[]).unwrap().finish().unwrap().lines.sha256;
        assert_eq!(sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(fs::read_to_string(dir.path().join(NAME)).unwrap(), "");
    }

    #[test]
    fn a_row_of_another_run_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut report = PlanReport::begin(&Shelf::take(dir.path(), || {}), &[]).unwrap();
        let error = report.item(&account(1, Effect::Reversible, None)).unwrap_err();
        assert!(matches!(error, ReportError::UnknownInput(_)), "{error}");
    }
}
