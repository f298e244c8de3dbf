//! The format of a file: what the user or its extension says it is, and whether its beginning agrees.
//!
//! A file of another format would yield as many findings as it has lines. It is reported once instead, as a
//! file that can't be used.

use std::path::Path;

use serde_json::value::RawValue;

use super::context::InputContext;
use super::error::Unusable;
use super::gzip::inner;
use super::names::NameResolver;
use super::workbook::is_archive;
use crate::domain::format::Format;
use crate::domain::referral::ReferralId;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// What to do with a spreadsheet of another kind.
const SAVE_AS_XLSX: &str = "open it in the spreadsheet program and save it as .xlsx";

/// What to do with a compressed file.
const UNPACK: &str = "unpack it first";

/// Returns the format that the user names, or else the one that the file's extension stands for.
///
/// # Errors
/// Where neither tells a format of change files.
pub(super) fn declared(context: &InputContext<'_>) -> Result<Format, Unusable> {
    let say_format = || {
        let say = Wording::from("say ").name(Setting::Format).say(" csv, ").name(Setting::Format);
        say.say(" jsonl or ").name(Setting::Format).say(" xlsx")
    };
    if let Some(format) = context.options.format {
        return Ok(format);
    }
    if context.path == "-" {
        return Err(
            context.unusable("standard input has no extension that tells its form", Some(say_format()))
        );
    }
    let name = inner(context.path);
    let extension = name.extension().unwrap_or_default().to_string_lossy();
    if let Some(format) = format_named(&name) {
        return Ok(format);
    }
    let hint: Wording = match extension.to_ascii_lowercase().as_str() {
        "" => {
            return Err(context.unusable("the file has no extension that tells its form", Some(say_format())));
        }
        "xlsb" | "xls" | "ods" | "numbers" => SAVE_AS_XLSX.into(),
        "zip" | "zst" | "xz" | "bz2" | "7z" => UNPACK.into(),
        "json" => as_json_lines(),
        _ => say_format(),
    };
    Err(context.unusable(format!("the extension .{extension} tells no known form"), Some(hint)))
}

/// Returns the format of change files that a file's extension stands for.
pub fn format_named(name: &Path) -> Option<Format> {
    match name.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => Some(Format::Csv),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "xlsx" | "xlsm" => Some(Format::Xlsx),
        _ => None,
    }
}

/// Returns the hint for JSON that is not one object a line.
fn as_json_lines() -> Wording {
    Wording::from("write one JSON object a line, and say ").name(Setting::Format).say(" jsonl")
}

/// Files that are no text: how each begins, what it is, and what to do with it.
const OTHERS: [(&[u8], &str, &str); 7] = [
    (b"\xd0\xcf\x11\xe0", "it looks like a spreadsheet of an old kind", SAVE_AS_XLSX),
    (b"\x1f\x8b", "it is compressed with gzip twice", UNPACK),
    (b"\x28\xb5\x2f\xfd", "it is compressed (Zstandard)", UNPACK),
    (b"\xfd7zXZ", "it is compressed (xz)", UNPACK),
    (b"%PDF-", "it is a PDF document", "export the table as CSV from where the document was made"),
    (b"SQLite format 3", "it is a database", "to go on with a run, name its directory: resume RUN"),
    (b"\0\0\xfe\xff", "it looks like UTF-32", "save it as UTF-8"),
];

/// Refuses a file whose beginning shows that it is no text, or a web page.
pub(super) fn refuse_others(context: &InputContext<'_>, head: &[u8]) -> Result<(), Unusable> {
    if is_archive(head) {
        let message = "the file is not text: it is a ZIP archive, as a workbook is too";
        let hint =
            Wording::from("if it is a workbook, name it .xlsx, or say ").name(Setting::Format).say(" xlsx");
        return Err(context.unusable(message, Some(hint)));
    }
    if let Some((_, what, hint)) = OTHERS.iter().find(|(start, ..)| head.starts_with(start)) {
        return Err(context.unusable(format!("the file is not text: {what}"), Some((*hint).into())));
    }
    if head.trim_ascii_start().starts_with(b"<") {
        let hint = "a page that asks to sign in may have been saved in its place: download the file again";
        return Err(context.unusable("the file is a web page, or XML", Some(hint.into())));
    }
    Ok(())
}

/// Returns why a file with NUL bytes near its beginning is refused. `marked` tells that it has a byte order
/// mark.
pub(super) fn binary(context: &InputContext<'_>, head: &[u8], marked: bool) -> Unusable {
    let start = &head[..head.len().min(64)];
    let nuls = |parity: usize| start.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let units = start.len() / 2;
    let is_utf_16 =
        [(0, 1), (1, 0)].into_iter().any(|(one, other)| nuls(one) * 2 > units && nuls(other) == 0);
    if is_utf_16 && !marked {
        let message = "the file looks like UTF-16 without a byte order mark";
        return context
            .unusable(message, Some("save it as UTF-8, or as UTF-16 with a byte order mark".into()));
    }
    let hint = "give a CSV or JSONL file in UTF-8, or in UTF-16 with a byte order mark";
    context.unusable("the file is not text: it begins with NUL bytes", Some(hint.into()))
}

/// Refuses JSON where CSV is expected, CSV where JSON lines are expected, and JSON that is not one object a
/// line.
pub(super) fn compare(context: &InputContext<'_>, format: Format, head: &[u8]) -> Result<(), Unusable> {
    let head = head.trim_ascii_start();
    let end = head.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(head.len());
    let line = String::from_utf8_lossy(&head[..end]);
    let line = line.trim();
    let say = |form: &str| Wording::from("say ").name(Setting::Format).say(form);
    let (message, hint) = match format {
        Format::Csv | Format::PortalCsv if line.starts_with('{') => {
            ("the file holds JSON, not CSV", say(" jsonl"))
        }
        Format::Csv | Format::PortalCsv if line.starts_with('[') => {
            ("the file holds JSON, not CSV", as_json_lines())
        }
        Format::Jsonl if is_spread(line) && end < head.len() => (
            "the JSON is spread over several lines",
            "write one JSON object a line, as jq -c does (jq -c '.[]' for the objects of an array)".into(),
        ),
        Format::Jsonl if is_header(context, line) => {
            ("the file holds CSV, not one JSON object a line", say(" csv"))
        }
        Format::Csv | Format::PortalCsv | Format::Xlsx | Format::Jsonl | Format::Json | Format::Http => {
            return Ok(());
        }
    };
    Err(context.unusable(message, Some(hint)))
}

/// Returns whether a first line begins a JSON value that later lines continue.
fn is_spread(line: &str) -> bool {
    let goes_on = |line| serde_json::from_str::<&RawValue>(line).is_err_and(|error| error.is_eof());
    line == "{" || line == "[" || line.starts_with("[{") && goes_on(line)
}

/// Returns whether a first line names columns, or holds a referral's id as a data row does.
fn is_header(context: &InputContext<'_>, line: &str) -> bool {
    if line.starts_with(['{', '[']) {
        return false;
    }
    let names = NameResolver::new(context.options);
    line.split([',', ';', '\t'])
        .take(100)
        .map(|cell| cell.trim().trim_matches('"'))
        .any(|cell| names.resolve(cell).is_ok() || cell.parse::<ReferralId>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::tests::{ID, gzip, options, read_bytes};
    use super::*;

    #[test]
    fn the_form_is_told_by_the_extension_or_the_user() {
        for (path, wanted) in [
            ("a.csv", Some(Format::Csv)),
            ("a.TSV", Some(Format::Csv)),
            ("a.txt", Some(Format::Csv)),
            ("a.jsonl", Some(Format::Jsonl)),
            ("dir.csv/a.ndjson", Some(Format::Jsonl)),
            ("a.xlsx", Some(Format::Xlsx)),
            ("a.XLSM.gz", Some(Format::Xlsx)),
            ("a.xls", None),
            ("a.csv.gz", Some(Format::Csv)),
            ("a.jsonl.GZ", Some(Format::Jsonl)),
            ("a.gz", None),
            ("a.gz.gz", None),
            ("a", None),
            ("-", None),
        ] {
            let [by_default, said] = [Options::default(), options(Format::Jsonl)];
            let context = InputContext::new(path, 0, &by_default);
            assert_eq!(declared(&context).ok(), wanted, "{path}");
            let context = InputContext::new(path, 0, &said);
            assert_eq!(declared(&context).ok(), Some(Format::Jsonl), "{path}");
        }
    }

    #[test]
    fn files_of_another_form_are_one_mistake() {
        let utf_16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
        let utf_32: Vec<u8> = "\u{feff}id,status".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let text = |text: &str| text.replace("ID", ID).into_bytes();
        for (bytes, format, wanted) in [
            (b"PK\x03\x04\x14\0\0\0".to_vec(), Format::Csv, "it is a ZIP archive, as a workbook is too"),
            (b"PK\x03\x04\x14\0\0\0".to_vec(), Format::Jsonl, "it is a ZIP archive, as a workbook is too"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1".to_vec(), Format::Csv, "it looks like a spreadsheet of an old kind"),
            (gzip(&gzip(b"id\n")), Format::Csv, "it is compressed with gzip twice"),
            (gzip(b"id\n")[..9].to_vec(), Format::Csv, "its compressed data ends early"),
            (b"\x28\xb5\x2f\xfd\x04".to_vec(), Format::Csv, "it is compressed (Zstandard)"),
            (b"\xfd7zXZ\0".to_vec(), Format::Jsonl, "it is compressed (xz)"),
            (b"%PDF-1.7\n".to_vec(), Format::Csv, "it is a PDF document"),
            (b"SQLite format 3\0".to_vec(), Format::Csv, "it is a database"),
            (b"\0\0\xfe\xff\0\0\0i".to_vec(), Format::Csv, "it looks like UTF-32"),
            (utf_32, Format::Csv, "begins with NUL bytes"),
            (utf_16("id,status\n", u16::to_le_bytes), Format::Csv, "UTF-16 without a byte order mark"),
            (utf_16("id,status\n", u16::to_be_bytes), Format::Csv, "UTF-16 without a byte order mark"),
            (utf_16("{\"id\":\"ü\"}", u16::to_le_bytes), Format::Jsonl, "UTF-16 without a byte order mark"),
            (b"\0\0\0\0\0\0".to_vec(), Format::Csv, "begins with NUL bytes"),
            (text("\n <!DOCTYPE html><html>"), Format::Csv, "the file is a web page, or XML"),
            (text("{\"id\":\"ID\"}\n"), Format::Csv, "the file holds JSON, not CSV"),
            (text("\n [{\"id\":\"ID\"}]"), Format::Csv, "the file holds JSON, not CSV"),
            (text("{\n\"id\":\"ID\"}\n"), Format::Jsonl, "the JSON is spread over several lines"),
            (text("[\n{\"id\":\"ID\"}\n]"), Format::Jsonl, "the JSON is spread over several lines"),
            (
                text("[{\"id\":\"ID\"},\r\n{\"id\":\"ID\"}]"),
                Format::Jsonl,
                "the JSON is spread over several lines",
            ),
            (text("id,status\nID,Active\n"), Format::Jsonl, "the file holds CSV, not one JSON object a line"),
            (text("\"referralId\";x\n"), Format::Jsonl, "the file holds CSV, not one JSON object a line"),
            (text("Deal Value\tx\n"), Format::Jsonl, "the file holds CSV, not one JSON object a line"),
            (text("ID,Active\n"), Format::Jsonl, "the file holds CSV, not one JSON object a line"),
        ] {
            let (rows, end) = read_bytes(&bytes, &options(format));
            assert!(rows.is_empty(), "{wanted}");
            let problems = end.unwrap_err();
            assert!(problems[0].message.contains(wanted), "{:?} {wanted}", problems[0]);
            assert!(problems[0].hint.is_some(), "{wanted}");
            assert_eq!((problems.len(), problems[0].place.as_str()), (1, "standard input"));
        }
    }

    #[test]
    fn one_bad_line_makes_no_file_of_another_form() {
        for text in
            ["text\n{}\n", "{\"id\":\"x\"\n{}\n", "[]\n{}\n", "[{}]\n{}", "null\n{}\n", "{", "[", "}\n{\n"]
        {
            let (rows, end) = read_bytes(text.as_bytes(), &options(Format::Jsonl));
            assert!(end.is_ok(), "{text}");
            assert_eq!(rows.len(), text.lines().count(), "{text}");
        }
    }
}
