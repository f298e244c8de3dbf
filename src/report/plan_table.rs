//! `plan.csv`: what a run would do, for people with a spreadsheet: a line per changed field, in the order of the run.
//!
//! A referral that changes nothing and of which the rules say something, or that is held back, has one line without a
//! field, so that whoever looks through the plan sees it. Like `plan.jsonl` the file holds nothing that came after the
//! planning. It has the form of the input, and no cell of it runs as a formula.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;

use csv::QuoteStyle;
use serde_json::value::RawValue;

use crate::domain::account::{InputInfo, ItemAccount};
use crate::domain::characters::{visible_json, visible_lines};
use crate::domain::finding::Finding;
use crate::domain::formula::{defused, defused_json};
use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::outcome::Outcome;
use crate::domain::subject;

use super::atomic_file::{AtomicFile, Filed, ReportError};
use super::csv::{says_separator, writer};
use super::findings::compacted;
use super::form::{FormedFile, SharedForms};
use super::names::InputNames;
use super::shelf::Shelf;

/// The file's name in a run's directory.
pub(super) const NAME: &str = "plan.csv";

const HEADER: [&str; 10] =
    ["id", "name", "customer", "file", "line", "field", "before", "after", "effect", "findings"];

/// `plan.csv` while it is written.
pub(super) struct PlanTable {
    path: PathBuf,
    writer: csv::Writer<FormedFile>,
}

impl PlanTable {
    /// Begins the file. It has another name until [`PlanTable::finish`].
    pub(super) fn begin(shelf: &Shelf, inputs: &[InputInfo]) -> Result<Self, ReportError> {
        let form = SharedForms::of(inputs).csv();
        let file = AtomicFile::begin(shelf.dir(), NAME)?;
        let path = file.path().to_owned();
        let begun = || {
            let mut file = FormedFile::begin(file, &form)?;
            file.write_all(says_separator(&form).as_bytes())?;
            let mut writer = writer(&form, QuoteStyle::Necessary).from_writer(file);
            writer.write_record(HEADER)?;
            Ok(writer)
        };
        let begun: io::Result<_> = begun();
        begun
            .map(|writer| Self { path: path.clone(), writer })
            .map_err(|source| ReportError::Write { path, source })
    }

    /// Adds the next referral of the run.
    pub(super) fn item(&mut self, account: &ItemAccount, names: &InputNames) -> Result<(), ReportError> {
        let findings = told(account);
        let changes: Vec<Option<&Change>> = match account.item.changes.as_slice() {
            [] if findings.is_empty() => Vec::new(),
            [] => vec![None],
            changes => changes.iter().map(Some).collect(),
        };
        let (file, line) = match account.rows.first() {
            Some(first) => (names.file(*first)?, first.line.to_string()),
            None => ("", String::new()),
        };
        let id = account.item.id.to_string();
        let [name, customer] = subject::names(account.subject.as_ref()).map(Option::unwrap_or_default);
        for change in changes {
            let field = change.map_or("", |change| change.path.pointer().as_str());
            let cells = [
                Cow::Borrowed(id.as_str()),
                defused(name),
                defused(customer),
                defused(file),
                Cow::Borrowed(&line),
                defused(field),
                cell(change.and_then(|change| change.before.as_deref())),
                cell(change.map(|change| &*change.after)),
                Cow::Borrowed(account.item.effect.name()),
                defused(&findings),
            ];
            let written = self.writer.write_record(cells.iter().map(|cell| cell.as_bytes()));
            written.map_err(|error| ReportError::Write { path: self.path.clone(), source: error.into() })?;
        }
        Ok(())
    }

    /// Puts the file in its place.
    pub(super) fn finish(self, shelf: &Shelf) -> Result<Filed, ReportError> {
        let Self { path, writer } = self;
        let whole = writer.into_inner().map_err(|error| ReportError::Write {
            path,
            source: io::Error::new(error.error().kind(), error.error().to_string()),
        })?;
        whole.into_atomic().put(shelf)
    }
}

/// Returns what the rules say of a referral, and why it is held back where they don't.
fn told(account: &ItemAccount) -> String {
    let said = |finding: &Finding| format!("{}: {}", finding.rule, finding.message);
    let findings: Vec<String> = account.item.findings.iter().map(said).collect();
    match &account.planned {
        Some(verdict) if findings.is_empty() && verdict.outcome != Outcome::Unchanged => {
            format!("{}: {}", verdict.code, verdict.message.as_str())
        }
        _ => findings.join(" | "),
    }
}

/// Returns a value as a cell: texts without quotes, lists and objects as JSON on one line, nothing as an empty cell.
pub(super) fn cell(value: Option<&RawValue>) -> Cow<'_, str> {
    let Some(value) = value.filter(|value| !json::is_null(value)) else { return Cow::Borrowed("") };
    if let Some(text) = json::string(value) {
        return Cow::Owned(defused(&visible_lines(&text)).into_owned());
    }
    match value.get().as_bytes().first() {
        Some(b'[' | b'{') => Cow::Owned(defused_json(&visible_json(compacted(value).get()))),
        // A number, true or false runs nothing.
        _ => Cow::Borrowed(value.get()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::{csv_input, planned_item, subject, warning};
    use super::*;
    use crate::domain::fields::Field;
    use crate::domain::item::Effect;
    use crate::domain::outcome::Verdict;
    use crate::domain::rules::Rule;
    use crate::domain::subject::Subject;
    use crate::domain::text_form::{Encoding, LineEnd, Separator, TextForm};

    fn written(items: &[ItemAccount], form: TextForm) -> String {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::take(dir.path(), || {});
        let inputs = [InputInfo { form, ..csv_input("a.csv", &["id"], 0) }];
        let mut table = PlanTable::begin(&shelf, &inputs).unwrap();
        items.iter().for_each(|item| table.item(item, &InputNames::of(&inputs)).unwrap());
        table.finish(&shelf).unwrap();
        fs::read_to_string(dir.path().join(NAME)).unwrap()
    }

    #[test]
    fn a_line_for_each_field_and_for_whoever_is_held_back() {
        let changes = [
            (Field::Notes, r#""=old""#, "\"a\\nb\\u001b;-1\""),
            (Field::DealValue, "-5", "null"),
            (Field::ShareConsent, "", "true"),
            (Field::Team, "[ 1 ]", r#"[{"email":"=1"}]"#),
        ];
        let mut changed = planned_item(1, Effect::OneWay, &changes, None);
        changed.item.findings = vec![warning(Rule::EarlyWin), warning(Rule::ClosedEdit)];
        changed.subject = Some(Subject { name: Some("@SUM(A1)".to_owned()), customer: None, ..subject() });
        let verdict = |outcome| Some(Verdict::new(outcome, "some-code", "some message"));
        let mut unchanged = planned_item(3, Effect::Unchanged, &[], verdict(Outcome::Unchanged));
        unchanged.item.findings = vec![warning(Rule::MemberExists)];
        let items = [
            changed,
            planned_item(2, Effect::Unchanged, &[], verdict(Outcome::Unchanged)),
            unchanged,
            planned_item(4, Effect::Unchanged, &[], verdict(Outcome::Conflict)),
        ];
        let findings = "early-win: early-win is worth a look | closed-edit: closed-edit is worth a look";
        let one = "00000000-0000-0000-0000-000000000001,'@SUM(A1),,a.csv,2";
        assert_eq!(
            written(&items, TextForm::default()),
            format!(
                "id,name,customer,file,line,field,before,after,effect,findings\n\
                 {one},/details/notes,'=old,\"a\nb\u{fffd};'-1\",one-way,{findings}\n\
                 {one},/details/dealValue,-5,,one-way,{findings}\n\
                 {one},/consent/consentToShareReferralWithMicrosoftSellers,,true,one-way,{findings}\n\
                 {one},/team,[1],\"[{{\"\"email\"\":\"\"=1\"\"}}]\",one-way,{findings}\n\
                 00000000-0000-0000-0000-000000000003,Fabrikam rollout,Fabrikam,a.csv,4,,,,unchanged,\
                 member-exists: member-exists is worth a look\n\
                 00000000-0000-0000-0000-000000000004,Fabrikam rollout,Fabrikam,a.csv,5,,,,unchanged,\
                 some-code: some message\n"
            )
        );
    }

    #[test]
    fn it_opens_where_the_input_does() {
        let form = TextForm {
            encoding: Encoding::Utf8Marked,
            line_end: LineEnd::CrLf,
            separator: Separator::SEMICOLON,
            says_separator: true,
        };
        let wanted = "\u{feff}sep=;\r\nid;name;customer;file;line;field;before;after;effect;findings\r\n";
        assert_eq!(written(&[], form), wanted);
    }
}
