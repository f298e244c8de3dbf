//! The row files: every input row goes into exactly one, in the format of its input.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::account::{InputInfo, RowAccount};
use crate::domain::finding::Location;
use crate::domain::format::Format;
use crate::domain::outcome::Bucket;
use crate::domain::text_form::TextForm;

use super::atomic_file::{ReportError, remove_stale};
use super::csv::{Columns, CsvFile};
use super::files::{ALWAYS, Extensions, ROW_FORMS};
use super::form::SharedForms;
use super::jsonl::JsonlFile;
use super::names::{InputNames, UnknownInput};
use super::outcomes::Outcomes;
use super::portal::PortalErrors;
use super::row_file::{FiledRows, RowFile, name};
use super::shelf::Shelf;
use super::written::Written;
use super::xlsx::{WorkbookForm, XlsxFile};

/// The row files of a run and `outcomes.jsonl` while they are written. They have other names until
/// [`RowReports::finish`].
pub struct RowReports {
    shelf: Shelf,
    names: InputNames,
    /// The format of every input.
    formats: Vec<Format>,
    csv: Option<BucketFiles>,
    xlsx: Option<BucketFiles>,
    jsonl: Option<BucketFiles>,
    portal: PortalErrors,
    outcomes: Outcomes,
}

impl RowReports {
    /// Begins the files beside those of an earlier report. A run without inputs gets CSV files. `created` is when
    /// the run was planned.
    ///
    /// # Errors
    /// Where a file can't be created in the run's directory, which must exist.
    pub fn begin(shelf: &Shelf, inputs: &[InputInfo], created: Timestamp) -> Result<Self, ReportError> {
        let dir = shelf.dir();
        let formats: Vec<Format> = inputs.iter().map(|input| input.format).collect();
        let forms = SharedForms::of(inputs);
        let has = Extensions::of(inputs);
        let begin = |has: bool, form: &dyn Fn() -> RowFileForm| {
            has.then(|| BucketFiles::begin(dir, form())).transpose()
        };
        let is_text = |format: Format| format.is_table() && format != Format::Xlsx;
        let csv = || RowFileForm::Csv(Arc::new(Columns::of(inputs, is_text, forms.csv())));
        let xlsx = || {
            let columns = Columns::of(inputs, |format| format == Format::Xlsx, TextForm::default());
            let sheet = inputs.iter().find_map(|input| input.sheet.clone());
            RowFileForm::Xlsx(Arc::new(WorkbookForm { columns, sheet, created }))
        };
        let jsonl = || RowFileForm::Jsonl(forms.jsonl());
        Ok(Self {
            shelf: shelf.clone(),
            names: InputNames::of(inputs),
            csv: begin(has.csv, &csv)?,
            xlsx: begin(has.xlsx, &xlsx)?,
            jsonl: begin(has.jsonl, &jsonl)?,
            portal: PortalErrors::begin(shelf, inputs),
            outcomes: Outcomes::begin(dir)?,
            formats,
        })
    }

    /// Adds the next row of the run.
    ///
    /// # Errors
    /// Where writing fails, or the row names an input that the run does not have. The report can't be used
    /// then, and has to be begun again.
    pub fn row(&mut self, row: &RowAccount) -> Result<(), ReportError> {
        let format = self.format_of(row.place)?;
        self.outcomes.row(row, &self.names)?;
        self.portal.row(row)?;
        let files = match format {
            Format::Csv | Format::PortalCsv => &mut self.csv,
            Format::Xlsx => &mut self.xlsx,
            Format::Jsonl | Format::Json | Format::Http => &mut self.jsonl,
        };
        let files = files.as_mut().expect("there are files for the form of every input");
        files.of(self.shelf.dir(), row.verdict.outcome.bucket())?.row(row)
    }

    /// Puts all files in their places, adds them to `written`, and removes a pending file of an earlier report
    /// for which this one has no rows.
    ///
    /// # Errors
    /// Where writing fails. Files that were complete by then are in their places, and in `written`.
    pub fn finish(self, written: &mut Written) -> Result<(), ReportError> {
        let row_files = [self.csv, self.xlsx, self.jsonl].into_iter().flatten().flat_map(|form| form.files);
        for file in row_files.flatten() {
            let FiledRows { filed, rows, bucket } = file.finish(&self.shelf)?;
            written.report(filed, Some(rows), Some(bucket));
        }
        for extension in ROW_FORMS {
            let stale = name(Bucket::Pending, extension);
            if !written.files().iter().any(|file| file.path.ends_with(&stale)) {
                written.keep(remove_stale(&self.shelf, &stale)?.into_iter().collect());
            }
        }
        self.portal.finish(written)?;
        written.add(self.outcomes.finish(&self.shelf)?);
        Ok(())
    }

    /// Returns the format of the input that a place lies in.
    fn format_of(&self, place: Location) -> Result<Format, UnknownInput> {
        let unknown = UnknownInput { input: place.input, inputs: self.formats.len() };
        self.formats.get(place.input as usize).copied().ok_or(unknown)
    }
}

/// The format and form of row files.
enum RowFileForm {
    Csv(Arc<Columns>),
    Xlsx(Arc<WorkbookForm>),
    Jsonl(TextForm),
}

/// The row files of one format, by bucket. The pending one is begun by its first row.
struct BucketFiles {
    form: RowFileForm,
    files: [Option<Box<dyn RowFile + Send>>; 4],
}

impl BucketFiles {
    fn begin(dir: &Path, form: RowFileForm) -> Result<Self, ReportError> {
        let mut files = Self { form, files: Default::default() };
        for bucket in ALWAYS {
            files.of(dir, bucket)?;
        }
        Ok(files)
    }

    /// Returns the file of a bucket, and begins it where it is not there yet.
    fn of(&mut self, dir: &Path, bucket: Bucket) -> Result<&mut Box<dyn RowFile + Send>, ReportError> {
        let file = &mut self.files[bucket as usize];
        match file {
            Some(file) => Ok(file),
            None => {
                let begun: Box<dyn RowFile + Send> = match &self.form {
                    RowFileForm::Csv(columns) => Box::new(CsvFile::begin(dir, bucket, Arc::clone(columns))?),
                    RowFileForm::Xlsx(form) => Box::new(XlsxFile::begin(dir, bucket, Arc::clone(form))?),
                    RowFileForm::Jsonl(form) => Box::new(JsonlFile::begin(dir, bucket, form)?),
                };
                Ok(file.insert(begun))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::super::books::Tally;
    use super::super::testing::{cells, csv_input, full_row, jsonl_input, raw, row, tell, warning};
    use super::*;
    use crate::domain::account::{RowText, UNSOUND};
    use crate::domain::finding::Finding;
    use crate::domain::outcome::Outcome;
    use crate::domain::rules::Rule;

    /// Reports the rows; returns the reports that stand in the directory afterwards.
    fn files(dir: &Path, inputs: &[InputInfo], rows: &[RowAccount]) -> BTreeMap<String, String> {
        let mut reports = RowReports::begin(&Shelf::take(dir, || {}), inputs, Timestamp::UNIX_EPOCH).unwrap();
        rows.iter().for_each(|row| reports.row(row).unwrap());
        let mut written = Written::default();
        reports.finish(&mut written).unwrap();
        tell(dir, &written);
        let found: BTreeMap<String, String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
            .filter(|(name, _)| name != "summary.json")
            .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
            .collect();
        let told: Vec<&Path> = written.files().iter().map(|file| file.path.as_path()).collect();
        assert_eq!(told.len(), found.len(), "{told:?}");
        assert!(told.iter().all(|path| path.exists()), "{told:?}");
        found
    }

    fn check(inputs: &[InputInfo], rows: &[RowAccount], wanted: &[(&str, &str)]) {
        let dir = tempfile::tempdir().unwrap();
        let found = files(dir.path(), inputs, rows);
        for (name, wanted) in wanted {
            assert_eq!(found.get(*name).map(String::as_str), Some(*wanted), "{name}");
        }
    }

    fn names(found: &BTreeMap<String, String>) -> Vec<&str> {
        found.keys().map(String::as_str).collect()
    }

    /// One row of every outcome, some of which know all there is to know.
    fn every_outcome(input: u32, text: impl Fn(u64) -> RowText) -> Vec<RowAccount> {
        let rows = Outcome::ALL.into_iter().zip(1..).map(|(outcome, ordinal)| {
            let full = matches!(outcome, Outcome::Applied | Outcome::Conflict | Outcome::Unknown);
            let mut row = if full { full_row(ordinal, input, outcome) } else { row(ordinal, input, outcome) };
            row.theirs = row
                .theirs
                .or_else(|| (outcome == Outcome::Partial).then(|| raw("{\"/statusReason\": null}")));
            RowAccount { text: text(ordinal), ..row }
        });
        rows.collect()
    }

    #[test]
    fn every_outcome_as_csv() {
        let inputs = [csv_input("a.csv", &["id", "notes"], 10)];
        let rows = every_outcome(0, |ordinal| cells(&[&ordinal.to_string(), "=a, \"b\""]));
        check(&inputs, &rows, &[
            ("success.csv", "\
id,notes,result.outcome,result.code,result.message,result.status,result.request_id,result.etag,result.at
1,\"=a, \"\"b\"\"\",applied,applied-code,\"applied, as it were\",412,00000000-0000-0001-0000-000000000002,\"\"\"v2\"\"\",2026-01-02T03:04:06.5Z
2,\"=a, \"\"b\"\"\",unchanged,unchanged-code,\"unchanged, as it were\",,,,
3,\"=a, \"\"b\"\"\",planned,planned-code,\"planned, as it were\",,,,
"),
            ("conflict.csv", "\
id,notes,result.outcome,result.code,result.message,result.status,result.request_id,result.etag,result.at,result.base,result.ours,result.theirs,result.name,result.customer
4,\"=a, \"\"b\"\"\",conflict,conflict-code,\"conflict, as it were\",412,00000000-0000-0001-0000-000000000002,\"\"\"v2\"\"\",2026-01-02T03:04:06.5Z,\"{\"\"/status\"\":\"\"New\"\",\"\"/details/dealValue\"\":0.10}\",\"{\"\"/status\"\":\"\"Active\"\"}\",\"{\"\"/status\"\":\"\"Closed\"\"}\",Fabrikam rollout,Fabrikam
"),
            ("error.csv", "\
id,notes,result.outcome,result.code,result.message,result.status,result.request_id,result.etag,result.at
5,\"=a, \"\"b\"\"\",invalid,invalid-code,\"invalid, as it were\",,,,
6,\"=a, \"\"b\"\"\",refused,refused-code,\"refused, as it were\",,,,
7,\"=a, \"\"b\"\"\",failed,failed-code,\"failed, as it were\",,,,
8,\"=a, \"\"b\"\"\",partial,partial-code,\"partial, as it were\",,,,
"),
            ("pending.csv", "\
id,notes,result.outcome,result.code,result.message,result.status,result.request_id,result.etag,result.at
9,\"=a, \"\"b\"\"\",unknown,unknown-code,\"unknown, as it were\",412,00000000-0000-0001-0000-000000000002,\"\"\"v2\"\"\",2026-01-02T03:04:06.5Z
10,\"=a, \"\"b\"\"\",unsent,unsent-code,\"unsent, as it were\",,,,
"),
            ("outcomes.jsonl", r#"{"file":"a.csv","line":2,"id":"00000000-0000-0000-0000-000000000001","name":"Fabrikam rollout","customer":"Fabrikam","outcome":"applied","code":"applied-code","message":"applied, as it were","status":412,"attempts":2,"request_ids":["00000000-0000-0001-0000-000000000001","00000000-0000-0001-0000-000000000002"],"first_sent":"2026-01-02T03:04:05Z","at":"2026-01-02T03:04:06.5Z"}
{"file":"a.csv","line":3,"id":"00000000-0000-0000-0000-000000000002","outcome":"unchanged","code":"unchanged-code","message":"unchanged, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}
{"file":"a.csv","line":4,"id":"00000000-0000-0000-0000-000000000003","outcome":"planned","code":"planned-code","message":"planned, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}
{"file":"a.csv","line":5,"id":"00000000-0000-0000-0000-000000000004","name":"Fabrikam rollout","customer":"Fabrikam","outcome":"conflict","code":"conflict-code","message":"conflict, as it were","status":412,"attempts":2,"request_ids":["00000000-0000-0001-0000-000000000001","00000000-0000-0001-0000-000000000002"],"first_sent":"2026-01-02T03:04:05Z","at":"2026-01-02T03:04:06.5Z"}
{"file":"a.csv","line":6,"id":"00000000-0000-0000-0000-000000000005","outcome":"invalid","code":"invalid-code","message":"invalid, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}
{"file":"a.csv","line":7,"id":"00000000-0000-0000-0000-000000000006","outcome":"refused","code":"refused-code","message":"refused, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}
{"file":"a.csv","line":8,"id":"00000000-0000-0000-0000-000000000007","outcome":"failed","code":"failed-code","message":"failed, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}
{"file":"a.csv","line":9,"id":"00000000-0000-0000-0000-000000000008","outcome":"partial","code":"partial-code","message":"partial, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null,"kept":{"/statusReason":null}}
{"file":"a.csv","line":10,"id":"00000000-0000-0000-0000-000000000009","name":"Fabrikam rollout","customer":"Fabrikam","outcome":"unknown","code":"unknown-code","message":"unknown, as it were","status":412,"attempts":2,"request_ids":["00000000-0000-0001-0000-000000000001","00000000-0000-0001-0000-000000000002"],"first_sent":"2026-01-02T03:04:05Z","at":"2026-01-02T03:04:06.5Z"}
{"file":"a.csv","line":11,"id":"00000000-0000-0000-0000-00000000000a","outcome":"unsent","code":"unsent-code","message":"unsent, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"at":null}
"#),
        ]);
    }

    #[test]
    fn every_outcome_as_json_lines_with_its_digits() {
        let rows = every_outcome(0, |ordinal| {
            RowText::Line(format!(
                r#" {{"id" : {ordinal}, "result":1,"result.code":2, "v": 0.10,"w":[1e400, 1]}}"#
            ))
        });
        check(
            &[jsonl_input("a.jsonl", 10)],
            &rows,
            &[
                (
                    "success.jsonl",
                    r#"{"id":1,"v":0.10,"w":[1e400, 1],"result.outcome":"applied","result.code":"applied-code","result.message":"applied, as it were","result.status":412,"result.request_id":"00000000-0000-0001-0000-000000000002","result.etag":"\"v2\"","result.at":"2026-01-02T03:04:06.5Z"}
{"id":2,"v":0.10,"w":[1e400, 1],"result.outcome":"unchanged","result.code":"unchanged-code","result.message":"unchanged, as it were","result.status":null,"result.request_id":null,"result.etag":null,"result.at":null}
{"id":3,"v":0.10,"w":[1e400, 1],"result.outcome":"planned","result.code":"planned-code","result.message":"planned, as it were","result.status":null,"result.request_id":null,"result.etag":null,"result.at":null}
"#,
                ),
                (
                    "conflict.jsonl",
                    r#"{"id":4,"v":0.10,"w":[1e400, 1],"result.outcome":"conflict","result.code":"conflict-code","result.message":"conflict, as it were","result.status":412,"result.request_id":"00000000-0000-0001-0000-000000000002","result.etag":"\"v2\"","result.at":"2026-01-02T03:04:06.5Z","result.base":{"/status":"New","/details/dealValue":0.10},"result.ours":{"/status":"Active"},"result.theirs":{"/status":"Closed"},"result.name":"Fabrikam rollout","result.customer":"Fabrikam"}
"#,
                ),
                (
                    "error.jsonl",
                    r#"{"id":5,"v":0.10,"w":[1e400, 1],"result.outcome":"invalid","result.code":"invalid-code","result.message":"invalid, as it were","result.status":null,"result.request_id":null,"result.etag":null,"result.at":null}
{"id":6,"v":0.10,"w":[1e400, 1],"result.outcome":"refused","result.code":"refused-code","result.message":"refused, as it were","result.status":null,"result.request_id":null,"result.etag":null,"result.at":null}
{"id":7,"v":0.10,"w":[1e400, 1],"result.outcome":"failed","result.code":"failed-code","result.message":"failed, as it were","result.status":null,"result.request_id":null,"result.etag":null,"result.at":null}
{"id":8,"v":0.10,"w":[1e400, 1],"result.outcome":"partial","result.code":"partial-code","result.message":"partial, as it were","result.status":null,"result.request_id":null,"result.etag":null,"result.at":null}
"#,
                ),
                (
                    "pending.jsonl",
                    r#"{"id":9,"v":0.10,"w":[1e400, 1],"result.outcome":"unknown","result.code":"unknown-code","result.message":"unknown, as it were","result.status":412,"result.request_id":"00000000-0000-0001-0000-000000000002","result.etag":"\"v2\"","result.at":"2026-01-02T03:04:06.5Z"}
{"id":10,"v":0.10,"w":[1e400, 1],"result.outcome":"unsent","result.code":"unsent-code","result.message":"unsent, as it were","result.status":null,"result.request_id":null,"result.etag":null,"result.at":null}
"#,
                ),
            ],
        );
    }

    #[test]
    fn lines_of_other_forms_are_kept_whole() {
        let tail = concat!(
            r#""result.outcome":"invalid","result.code":"invalid-code","result.message":"invalid, as it were","#,
            r#""result.status":null,"result.request_id":null,"result.etag":null,"result.at":null}"#
        );
        for (line, wanted) in [
            ("{}", "{"),
            ("no \"json\"", r#"{"input":"no \"json\"","#),
            ("[1]", r#"{"input":"[1]","#),
            (r#"{"a":1,}"#, r#"{"input":"{\"a\":1,}","#),
            (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2,"#),
            ("{\"a\":{\n \"b\" : \" 1\\n\"\r\n}\n}", r#"{"a":{"b":" 1\n"},"#),
            (r#"{"r\u0065sult.at":1,"results":2}"#, r#"{"results":2,"#),
        ] {
            let mut row = row(1, 0, Outcome::Invalid);
            row.text = RowText::Line(line.to_owned());
            check(&[jsonl_input("-", 1)], &[row], &[("error.jsonl", &format!("{wanted}{tail}\n"))]);
        }
    }

    #[test]
    fn ragged_rows_lose_nothing_and_stay_ragged() {
        let header = "id,a,b,result.outcome,result.code,result.message,result.status,result.request_id,result.etag,result.at";
        let result = "invalid,invalid-code,\"invalid, as it were\",,,";
        let place = row(1, 0, Outcome::Invalid).place;
        let of = |rule| vec![Finding::deny(rule, place, "no")];
        let elsewhere = Location { line: 99, ..place };
        for (text, findings, wanted) in [
            (cells(&["1", "2", "3"]), vec![], format!("1,2,3,{result},")),
            (cells(&["1", "2"]), of(Rule::RaggedRow), format!("1,2,,{result},,{UNSOUND}")),
            (cells(&["1", "2"]), vec![], format!("1,2,,{result},")),
            (cells(&[]), of(Rule::RaggedRow), format!(",,,{result},,{UNSOUND}")),
            (cells(&["1", "2", "3", "4", "5"]), of(Rule::RaggedRow), format!("1,2,3,{result},,4,5")),
            (cells(&["1", "2", "3", "", "5"]), of(Rule::RaggedRow), format!("1,2,3,{result},,,5")),
            (cells(&["1", "2", "3", "", " "]), of(Rule::Size), format!("1,2,3,{result},,{UNSOUND}")),
            (cells(&["1", "2", "\u{fffd}"]), of(Rule::Encoding), format!("1,2,\u{fffd},{result},")),
            (cells(&["1", "2", "cut"]), of(Rule::Size), format!("1,2,cut,{result},,{UNSOUND}")),
            (cells(&["1", "2", "3"]), of(Rule::Type), format!("1,2,3,{result},")),
            // A finding about another row for the same referral.
            (
                cells(&["1", "2", "3"]),
                vec![Finding::deny(Rule::Size, elsewhere, "no")],
                format!("1,2,3,{result},"),
            ),
            (RowText::Line("no record".to_owned()), vec![], format!("no record,,,{result},")),
        ] {
            let row = RowAccount { text, findings, ..row(1, 0, Outcome::Invalid) };
            let inputs = [csv_input("a.csv", &["id", "a", "b"], 1)];
            check(&inputs, &[row], &[("error.csv", &format!("{header}\n{wanted}\n"))]);
        }
    }

    /// What stands under no name is refused for that already, and needs no mark.
    #[test]
    fn content_without_a_name_is_given_back_where_it_stood() {
        let place = row(1, 0, Outcome::Invalid).place;
        for (text, wanted) in
            [(cells(&["1", "x", "3"]), "1,x,3,invalid"), (cells(&["1", " ", "3"]), "1, ,3,invalid")]
        {
            let findings = vec![Finding::deny(Rule::RaggedRow, place, "no")];
            let row = RowAccount { text, findings, ..row(1, 0, Outcome::Invalid) };
            let dir = tempfile::tempdir().unwrap();
            let found = files(dir.path(), &[csv_input("a.csv", &["id", "", "b"], 1)], &[row]);
            let line = found["error.csv"].lines().nth(1).unwrap();
            assert!(line.starts_with(wanted), "{line}");
            assert_eq!(line.ends_with(UNSOUND), !line.contains('x'), "{line}");
        }
    }

    #[test]
    fn a_line_that_could_not_be_decoded_keeps_its_mark() {
        for (line, rule, wanted) in [
            ("{\"notes\":\"caf\u{fffd}\"}", Rule::Encoding, "{\"notes\":\"caf\u{fffd}\","),
            (
                "{\"a\":1,\"result\":\"\u{fffd}\"}",
                Rule::Encoding,
                r#"{"input":"{\"a\":1,\"result\":\"�\"}","#,
            ),
            ("{\"a\":\"\u{fffd}\",\"result.x\":\"\u{fffd}\"}", Rule::Encoding, "{\"a\":\"\u{fffd}\","),
            ("{\"a\":\"\\ufffd\",\"result.x\":1}", Rule::Encoding, r#"{"a":"\ufffd","#),
            ("{\"a\":1,\"result\":\"\u{fffd}\"}", Rule::Type, "{\"a\":1,"),
        ] {
            let mut row = row(1, 0, Outcome::Invalid);
            row.text = RowText::Line(line.to_owned());
            row.findings = vec![Finding::deny(rule, row.place, "no")];
            let dir = tempfile::tempdir().unwrap();
            let found = files(dir.path(), &[jsonl_input("a.jsonl", 1)], &[row]);
            let wanted = format!("{wanted}\"result.outcome\":\"invalid\",");
            assert!(found["error.jsonl"].starts_with(&wanted), "{}", found["error.jsonl"]);
        }
    }

    #[test]
    fn what_a_server_says_is_defused_and_what_the_user_wrote_is_not() {
        let mut row = full_row(1, 0, Outcome::Refused);
        row.text = cells(&["-5"]);
        row.verdict.code = "@code".to_owned();
        row.verdict.message = "=HYPERLINK(1)".into();
        row.request_ids.clear();
        let wanted = "n,result.outcome,result.code,result.message,result.status,result.request_id,result.etag,result.at\n\
            -5,refused,'@code,'=HYPERLINK(1),412,,\"\"\"v2\"\"\",2026-01-02T03:04:06.5Z\n";
        check(&[csv_input("a.csv", &["n"], 1)], &[row], &[("error.csv", wanted)]);
    }

    #[test]
    fn several_inputs_share_the_files_of_their_form() {
        let inputs = [
            csv_input("a.csv", &["id", "notes"], 1),
            jsonl_input("b.jsonl", 1),
            csv_input("c.csv", &["status", "id"], 1),
        ];
        let mut rows =
            [row(1, 0, Outcome::Applied), row(2, 1, Outcome::Applied), row(3, 2, Outcome::Unchanged)];
        rows[0].text = cells(&["1", "n"]);
        rows[0].findings = vec![Finding { hint: Some("do so".into()), ..warning(Rule::EarlyWin) }];
        rows[0].id = None;
        rows[1].text = RowText::Line("{}".to_owned());
        rows[2].text = cells(&["Closed", "3"]);
        let dir = tempfile::tempdir().unwrap();
        let found = files(dir.path(), &inputs, &rows);
        assert_eq!(
            names(&found),
            [
                "conflict.csv",
                "conflict.jsonl",
                "error.csv",
                "error.jsonl",
                "outcomes.jsonl",
                "success.csv",
                "success.jsonl"
            ]
        );
        let own: Vec<String> = found["success.csv"]
            .lines()
            .map(|line| line.split(',').take(4).collect::<Vec<_>>().join(","))
            .collect();
        assert_eq!(own, ["id,notes,status,result.outcome", "1,n,,applied", "3,,Closed,unchanged"]);
        assert_eq!(found["success.jsonl"].lines().count(), 1);
        assert_eq!(found["error.jsonl"], "");
        let first = found["outcomes.jsonl"].lines().next().unwrap();
        let wanted = concat!(
            r#"{"file":"a.csv","line":2,"id":null,"outcome":"applied","code":"applied-code","#,
            r#""message":"applied, as it were","status":null,"attempts":0,"request_ids":[],"first_sent":null,"#,
            r#""at":null,"findings":[{"rule":"early-win","level":"warn","file":"a.csv","line":2,"column":3,"#,
            r#""message":"early-win is worth a look","hint":"do so"}]}"#
        );
        assert_eq!(first, wanted);
        let places: Vec<bool> = ["b.jsonl", "c.csv"]
            .iter()
            .zip(found["outcomes.jsonl"].lines().skip(1))
            .map(|(file, line)| line.starts_with(&format!("{{\"file\":\"{file}\"")))
            .collect();
        assert_eq!(places, [true, true]);
    }

    #[test]
    fn the_three_files_always_exist_and_a_stale_pending_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        for (inputs, extension) in
            [(vec![], "csv"), (vec![csv_input("a", &["id"], 0)], "csv"), (vec![jsonl_input("a", 0)], "jsonl")]
        {
            let dir = tempfile::tempdir().unwrap();
            let found = files(dir.path(), &inputs, &[]);
            let three = ["conflict", "error"].map(|stem| format!("{stem}.{extension}"));
            let wanted =
                [&three[..], &["outcomes.jsonl".to_owned(), format!("success.{extension}")]].concat();
            assert_eq!(names(&found), wanted);
        }
        let inputs = [csv_input("a.csv", &["id"], 1)];
        let before = files(dir.path(), &inputs, &[row(1, 0, Outcome::Unsent)]);
        assert!(before.contains_key("pending.csv"));
        let after = files(dir.path(), &inputs, &[row(1, 0, Outcome::Applied)]);
        assert!(!after.contains_key("pending.csv"));
    }

    #[test]
    fn nobody_but_the_owner_reads_them_and_nothing_is_seen_before_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = [csv_input("a.csv", &["id"], 1), jsonl_input("b.jsonl", 0)];
        let mut reports =
            RowReports::begin(&Shelf::take(dir.path(), || {}), &inputs, Timestamp::UNIX_EPOCH).unwrap();
        reports.row(&row(1, 0, Outcome::Unsent)).unwrap();
        assert!(!dir.path().join("success.csv").exists());
        let mut written = Written::default();
        reports.finish(&mut written).unwrap();
        assert_eq!(written.files().len(), 8);
        for file in written.files() {
            let mode = fs::metadata(&file.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.path.display());
        }
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            9,
            "the record is there until the summary tells of them"
        );
    }

    #[test]
    fn a_row_of_another_run_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut reports = RowReports::begin(
            &Shelf::take(dir.path(), || {}),
            &[csv_input("a.csv", &["id"], 1)],
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let error = reports.row(&row(1, 1, Outcome::Applied)).unwrap_err();
        assert!(matches!(error, ReportError::UnknownInput(UnknownInput { input: 1, inputs: 1 })), "{error}");
    }

    /// Inputs of either form, and rows of any outcome and content, with a fitting number of cells.
    fn runs() -> impl Strategy<Value = (Vec<InputInfo>, Vec<RowAccount>)> {
        let header = prop::collection::vec("[a-d]|notes, \"x\"", 1..4);
        let inputs = prop::collection::vec((any::<bool>(), header), 1..4);
        let cell = prop_oneof![any::<String>(), "[=+@\t\r\n\"', -]{0,3}"];
        let rows = prop::collection::vec((0..3_usize, 0..9_usize, prop::collection::vec(cell, 3)), 0..20);
        (inputs, rows).prop_map(|(inputs, rows)| {
            let mut inputs: Vec<InputInfo> = inputs
                .into_iter()
                .map(|(csv, header)| {
                    let header: Vec<&str> = header.iter().map(String::as_str).collect();
                    if csv { csv_input("a.csv", &header, 0) } else { jsonl_input("b.jsonl", 0) }
                })
                .collect();
            let mut accounts = Vec::new();
            for ((input, outcome, mut cells), ordinal) in rows.into_iter().zip(1..) {
                let input = input % inputs.len();
                let info = &mut inputs[input];
                info.rows += 1;
                cells.truncate(info.columns.len());
                let text = match info.format {
                    Format::Csv | Format::PortalCsv | Format::Xlsx => RowText::Cells(cells),
                    Format::Jsonl | Format::Json | Format::Http => RowText::Line(ordinal.to_string()),
                };
                let input = u32::try_from(input).unwrap();
                accounts.push(RowAccount { text, ..row(ordinal, input, Outcome::ALL[outcome]) });
            }
            (inputs, accounts)
        })
    }

    /// The own cells of a row, each with its header and how often that header stood before it.
    fn own_cells(header: &[String], cells: &[String]) -> Vec<(String, usize, String)> {
        let nth = |at: usize| header[..at].iter().filter(|other| **other == header[at]).count();
        let mut own: Vec<_> = (0..header.len())
            .filter(|at| !header[*at].starts_with("result.") && !cells[*at].is_empty())
            .map(|at| (header[at].clone(), nth(at), cells[at].clone()))
            .collect();
        own.sort();
        own
    }

    proptest! {
        #[test]
        fn every_row_is_told_once_and_own_cells_come_back((inputs, rows) in runs()) {
            let dir = tempfile::tempdir().unwrap();
            let mut reports = RowReports::begin(&Shelf::take(dir.path(), || {}), &inputs, Timestamp::UNIX_EPOCH).unwrap();
            rows.iter().for_each(|row| reports.row(row).unwrap());
            let mut written = Written::default();
            reports.finish(&mut written).unwrap();
            let mut books = Tally::new(inputs.len());
            rows.iter().for_each(|row| books.add(row));
            prop_assert_eq!(books.balance(&inputs), Ok(()));
            let fed = rows.len() as u64;
            prop_assert_eq!(Outcome::ALL.iter().map(|outcome| books.count(*outcome)).sum::<u64>(), fed);
            prop_assert_eq!(written.files().iter().filter_map(|file| file.rows).sum::<u64>(), fed);

            let mut lines = 0;
            for file in written.files() {
                let Some(bucket) = file.bucket else { continue };
                let format = if file.path.extension().unwrap() == "csv" { Format::Csv } else { Format::Jsonl };
                let in_file: Vec<&RowAccount> = rows
                    .iter()
                    .filter(|row| inputs[row.place.input as usize].format == format)
                    .filter(|row| row.verdict.outcome.bucket() == bucket)
                    .collect();
                let text = fs::read_to_string(&file.path).unwrap();
                if format == Format::Jsonl {
                    lines += text.lines().count();
                    prop_assert_eq!(text.lines().count(), in_file.len());
                    continue;
                }
                let mut reader = csv::Reader::from_reader(text.as_bytes());
                let owned = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
                let header = owned(reader.headers().unwrap());
                let records: Vec<Vec<String>> = reader.records().map(|record| owned(&record.unwrap())).collect();
                lines += records.len();
                prop_assert_eq!(records.len(), in_file.len());
                for (record, row) in records.iter().zip(in_file) {
                    let RowText::Cells(cells) = &row.text else { panic!("a row of a CSV has cells") };
                    let own = own_cells(&inputs[row.place.input as usize].columns, cells);
                    prop_assert_eq!(own_cells(&header, record), own);
                }
            }
            prop_assert_eq!(lines as u64, fed);
            let outcomes = fs::read_to_string(dir.path().join("outcomes.jsonl")).unwrap();
            prop_assert_eq!(outcomes.lines().count() as u64, fed);
        }
    }
}
