//! Change files: whatever is in one, every row is told, and is told the same however it is read.

use std::convert::Infallible;
use std::path::Path;

use referral_bulk::domain::account::{InputInfo, RowAccount, RowText};
use referral_bulk::domain::change::Draft;
use referral_bulk::domain::fields::Kind;
use referral_bulk::domain::format::Format;
use referral_bulk::domain::outcome::{Outcome, Verdict};
use referral_bulk::domain::pointer::Pointer;
use referral_bulk::domain::reasons;
use referral_bulk::domain::text_form::{Encoding, TextForm};
use referral_bulk::input::{self, Options, Problem, Read, Record};
use referral_bulk::report::{RowReports, Shelf, Written};
use serde_json::Value;

use super::reading::{
    InParts, PARTS, behind_blank_lines, ended, findings_are_told, found, moved, place_is_in, text_is_bounded,
    whole_is_told,
};

/// A CSV change file.
pub fn csv(bytes: &[u8]) {
    change_file(Format::Csv, bytes);
}

/// A JSONL change file.
pub fn jsonl(bytes: &[u8]) {
    change_file(Format::Jsonl, bytes);
}

/// The rows of a file behind so many blank lines that it lies across the end of what is looked at first.
pub fn late(format: Format, bytes: &[u8]) {
    let Some((late, lines)) = behind_blank_lines(bytes) else { return };
    let options = Options { format: Some(format), ..Options::default() };
    let shown = |(records, end): Reading, before: u64| {
        let shown = |record: &Record| {
            let findings = record.parsed.as_ref().err().map(|rejected| found(&rejected.findings, before));
            let draft = record.parsed.as_ref().ok().map(wants);
            (moved(record.place, before), draft, findings, record.text.clone())
        };
        (records.iter().map(shown).collect::<Vec<_>>(), end.is_ok())
    };
    assert_eq!(shown(read(&late, 4096, &options), lines), shown(read(bytes, 4096, &options), 0));
}

/// What reading a file came to.
type Reading = (Vec<Record>, Result<Read, Vec<Problem>>);

fn change_file(format: Format, bytes: &[u8]) {
    let strict = Options { format: Some(format), ..Options::default() };
    let paths = ["/name", "/customerProfile/name", "/target", "/unheard~1of/m~0n"];
    let allow_paths = paths.into_iter().map(|path| Pointer::parse(path).expect("a pointer")).collect();
    let lenient = Options { allow_paths, clear: true, ..strict.clone() };
    let whole = format!("{:?}", read(bytes, usize::MAX, &strict));
    for size in PARTS {
        assert_eq!(format!("{:?}", read(bytes, size, &strict)), whole, "in parts of {size}");
    }
    for options in [strict, lenient] {
        let reading = read(bytes, usize::MAX, &options);
        is_sound(&reading, bytes);
        if let (records, Ok(Read { info, .. })) = reading {
            is_the_same_fed_back(&records, info, &options);
        }
    }
}

fn read(bytes: &[u8], size: usize, options: &Options) -> Reading {
    let (mut records, mut stdin) = (Vec::new(), InParts { left: bytes, size });
    let mut take = |record| {
        records.push(record);
        Ok::<_, Infallible>(())
    };
    let end = input::read("-", Some(&mut stdin), 0, options, &mut take);
    (records, ended(end))
}

fn is_sound((records, end): &Reading, bytes: &[u8]) {
    whole_is_told(end, bytes, records.len());
    let may_be_portal = end.as_ref().map_or(true, |read| read.info.is_portal);
    let mut before = None;
    for record in records {
        assert_eq!(record.place.column, 1);
        place_is_in(bytes, record.place, before);
        assert_ne!(before, Some(record.place), "a row has a line of its own");
        before = Some(record.place);
        match &record.parsed {
            Ok(draft) => {
                assert_eq!(draft.place, record.place);
                says_what_was_read(draft, &record.text, may_be_portal);
            }
            Err(rejected) => {
                assert!(rejected.findings.iter().any(|finding| finding.is_deny()), "{rejected:?}");
                findings_are_told(&rejected.findings, bytes, record.place);
                assert!(rejected.findings.iter().all(|finding| finding.place.line == record.place.line));
                let partial = rejected.partial.as_deref();
                assert!(partial.is_none_or(|partial| Some(partial.id) == rejected.id));
            }
        }
    }
    let texts: Vec<RowText> = records.iter().map(|record| record.text.clone()).collect();
    text_is_bounded(&texts, bytes);
}

/// Digits are sent as they were written, and words too, but for what a file of Partner Center's has in their place.
fn says_what_was_read(draft: &Draft, text: &RowText, may_be_portal: bool) {
    for (path, wanted) in draft.sets.iter().map(|set| &set.value).filter(|(_, wanted)| !wanted.is_clear()) {
        let raw = wanted.raw().get();
        match (path.kind(), text) {
            (Kind::Decimal, RowText::Cells(cells)) => {
                let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
                assert!(cells.iter().any(|cell| digits(cell) == digits(raw)), "{raw} is in no cell");
            }
            // What is escaped is another text with the same meaning.
            (Kind::Decimal, RowText::Line(line)) => assert!(line.contains('\\') || line.contains(raw)),
            (Kind::Text, RowText::Cells(cells)) => {
                let word: String = serde_json::from_str(raw).expect("a text is a JSON string");
                let is_in = |cell: &String| may_be_portal && cell.contains(&word);
                let is_reason = may_be_portal && reasons::TABLE.contains(&word.as_str());
                let is_said = cells.contains(&word) || cells.iter().any(is_in) || is_reason;
                assert!(is_said, "{word:?} is in no cell");
            }
            _ => {}
        }
    }
    if let RowText::Line(line) = text {
        assert!(
            serde_json::from_str::<Value>(line)
                .map_or_else(|error| is_range(&error), |line| line.is_object())
        );
    }
}

/// Numbers may be larger than those of the parser that is compared with.
fn is_range(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

/// What the reports give back is read as it was: what was sound asks for the same, and what was not does
/// not become so by itself.
fn is_the_same_fed_back(records: &[Record], info: InputInfo, options: &Options) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let form = info.format.is_table().then_some(info.form);
    let file = report(folder.path(), records, info);
    let bytes = std::fs::read(file).expect("the report was written");
    is_the_same_read(&bytes, records, options);
    if let Some(saved) = saved_by_a_spreadsheet(&bytes, form) {
        is_the_same_read(&saved, records, options);
    }
}

/// A CSV as a spreadsheet saves it: every row as long as the longest, with CRLF; where its text can be told
/// without decoding it.
fn saved_by_a_spreadsheet(bytes: &[u8], form: Option<TextForm>) -> Option<Vec<u8>> {
    let TextForm { separator, says_separator, .. } = form?;
    let mut table = match form?.encoding {
        Encoding::Utf8 => bytes,
        Encoding::Utf8Marked => bytes.strip_prefix(b"\xef\xbb\xbf").expect("the report is marked"),
        Encoding::Utf16Le | Encoding::Utf16Be => return None,
    };
    if says_separator {
        let end = table.iter().position(|byte| matches!(byte, b'\n' | b'\r')).expect("a line");
        table = &table[end..];
    }
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).delimiter(separator.byte()).from_reader(table);
    let rows: Vec<_> = reader.into_byte_records().map(|row| row.expect("bytes can be read")).collect();
    let width = rows.iter().map(csv::ByteRecord::len).max().unwrap_or_default();
    let mut writer = csv::WriterBuilder::new();
    let mut writer =
        writer.terminator(csv::Terminator::CRLF).delimiter(separator.byte()).from_writer(Vec::new());
    for mut row in rows {
        (row.len()..width).for_each(|_| row.push_field(b""));
        writer.write_byte_record(&row).expect("bytes can be written");
    }
    let saved = writer.into_inner().expect("all is written");
    Some(if says_separator { [b"sep=", &[separator.byte()][..], b"\r\n", &saved].concat() } else { saved })
}

fn is_the_same_read(bytes: &[u8], records: &[Record], options: &Options) {
    let (again, end) = read(bytes, usize::MAX, options);
    assert!(end.is_ok(), "a report is no change file: {end:?}");
    assert_eq!(again.len(), records.len(), "rows were lost or made up");
    for (record, again) in records.iter().zip(again) {
        match (&record.parsed, &again.parsed) {
            (Ok(draft), Ok(again)) => assert_eq!(wants(again), wants(draft)),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(rejected)) => panic!("{:?} was sound and is {rejected:?}", record.text),
            (Err(rejected), Ok(_)) => panic!("{:?} was {rejected:?} and is sound", record.text),
        }
    }
}

/// Writes a report in which every record failed, and tells where.
fn report(folder: &Path, records: &[Record], info: InputInfo) -> std::path::PathBuf {
    let extension = if info.format.is_table() { "csv" } else { "jsonl" };
    let mut reports = RowReports::begin(&Shelf::take(folder, || {}), &[info], jiff::Timestamp::UNIX_EPOCH)
        .expect("reports are begun");
    for (row, record) in (1..).zip(records) {
        reports.row(&account(row, record)).expect("a row is written");
    }
    reports.finish(&mut Written::default()).expect("reports are written");
    folder.join(format!("error.{extension}"))
}

fn account(row: u64, record: &Record) -> RowAccount {
    let (id, findings) = match &record.parsed {
        Ok(draft) => (Some(draft.id), Vec::new()),
        Err(rejected) => (rejected.id, rejected.findings.clone()),
    };
    RowAccount {
        row,
        item: Some(row),
        place: record.place,
        id,
        text: record.text.clone(),
        verdict: Verdict::new(Outcome::Failed, "gave-up", "=given up, \"it\" said"),
        etag: None,
        attempts: 0,
        request_ids: Vec::new(),
        first_sent: None,
        at: None,
        base: None,
        ours: None,
        theirs: None,
        findings,
        audit: None,
        matched: None,
        subject: None,
    }
}

/// What a row asks for, wherever it stands.
fn wants(draft: &Draft) -> String {
    let sets: Vec<_> = draft.sets.iter().map(|set| &set.value).collect();
    let appends: Vec<_> = draft.appends.iter().map(|append| &append.value).collect();
    let etag = draft.etag.as_ref().map(|etag| &etag.value);
    let status = draft.status.as_ref().map(|status| status.value);
    let substatus = draft.substatus.as_ref().map(|substatus| substatus.value);
    format!("{} {etag:?} {status:?} {substatus:?} {sets:?} {appends:?}", draft.id)
}
