//! Legacy payloads: whatever is in a file, every payload is told, is told the same however it is read, and
//! is read again from what was told. A token never gets that far.

use std::collections::HashSet;
use std::convert::Infallible;

use referral_bulk::domain::account::RowText;
use referral_bulk::domain::change::Payload;
use referral_bulk::domain::format::Format;
use referral_bulk::domain::json::{Object, elements};
use referral_bulk::input::legacy::{self, PayloadRecord};
use referral_bulk::input::{Options, Problem, Read};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};

use super::reading::{
    InParts, PARTS, behind_blank_lines, ended, findings_are_told, found, is_for_people, moved, place_is_in,
    text_is_bounded, whole_is_told,
};

/// What stands for a token in files of requests.
const TOKEN: &str = "s3cr3t-t0ken";

/// Payloads as a JSON text, as JSON lines, and as what the beginning says.
pub fn json(bytes: &[u8]) {
    let json = payloads(Some(Format::Json), bytes);
    if let Some(objects) = objects(bytes) {
        assert_eq!(json.0.len(), objects.max(1), "the objects of the text");
    }
    let lines = payloads(Some(Format::Jsonl), bytes);
    if let (Some(used), Ok(_)) = (lines_used(bytes), lines.1) {
        assert_eq!(lines.0.len(), used, "the lines of the text");
    }
}

/// Payloads as the bodies of requests.
pub fn http(bytes: &[u8]) {
    let _ = payloads(Some(Format::Http), bytes);
}

/// The payloads of a file behind so many blank lines that it lies across the end of what is looked at first.
pub fn late(format: Format, bytes: &[u8]) {
    let Some((late, lines)) = behind_blank_lines(bytes) else { return };
    let options = Options { format: Some(format), ..Options::default() };
    let shown = |(records, end): Reading, before: u64| {
        let shown = |record: &PayloadRecord| {
            let (place, findings) = match &record.parsed {
                Ok(_) => (record.place, &record.notes),
                Err(rejected) => (record.place, &rejected.findings),
            };
            let payload = record.parsed.as_ref().ok().map(wants);
            (moved(place, before), payload, found(findings, before), record.text.clone())
        };
        (records.iter().map(shown).collect::<Vec<_>>(), end.is_ok())
    };
    assert_eq!(shown(read(&late, 4096, &options), lines), shown(read(bytes, 4096, &options), 0));
}

/// What reading a file came to.
type Reading = (Vec<PayloadRecord>, Result<Read, Vec<Problem>>);

fn payloads(format: Option<Format>, bytes: &[u8]) -> Reading {
    let options = Options { format, ..Options::default() };
    let reading = read(bytes, usize::MAX, &options);
    is_sound(&reading, bytes, &options);
    for size in PARTS {
        let in_parts = read(bytes, size, &options);
        assert_eq!(format!("{in_parts:?}"), format!("{reading:?}"), "in parts of {size}");
    }
    let told = format!("{reading:?}");
    assert!(!told.contains(TOKEN) || !has_token_in_headers_alone(bytes), "the token is in {told}");
    is_the_same_fed_back(&reading.0);
    reading
}

fn read(bytes: &[u8], size: usize, options: &Options) -> Reading {
    let (mut records, mut stdin) = (Vec::new(), InParts { left: bytes, size });
    let mut take = |record| {
        records.push(record);
        Ok::<_, Infallible>(())
    };
    let end = legacy::read("-", Some(&mut stdin), 0, options, &mut take);
    (records, ended(end.map(|end| end.read)))
}

fn is_sound((records, end): &Reading, bytes: &[u8], options: &Options) {
    whole_is_told(end, bytes, records.len());
    let mut before = None;
    for record in records {
        place_is_in(bytes, record.place, before);
        before = Some(record.place);
        let RowText::Line(line) = &record.text else { panic!("a payload has no cells: {record:?}") };
        match &record.parsed {
            Ok(payload) => {
                assert_eq!(payload.place, record.place);
                assert!(!record.notes.iter().any(|note| note.is_deny()), "{record:?}");
                assert!(!line.contains('\n'), "{line:?} is more than a line");
                // What was found on the way may stand before the payload: a comment, or a header.
                record.notes.iter().for_each(|note| is_for_people(&note.message));
                is_a_referral(payload, bytes);
                let again = legacy::again(line, &Object::parse(line).unwrap(), record.place, options);
                assert_eq!(again.as_ref().map(wants), Some(wants(payload)), "from {line}");
            }
            Err(rejected) => {
                assert!(rejected.findings.iter().any(|finding| finding.is_deny()), "{rejected:?}");
                let behind: Vec<_> =
                    rejected.findings.iter().filter(|finding| finding.is_deny()).cloned().collect();
                findings_are_told(&behind, bytes, record.place);
                let lines = Options { format: Some(Format::Jsonl), ..options.clone() };
                let (again, _) = read(line.as_bytes(), usize::MAX, &lines);
                // A request that isn't sound is kept as it was written, over as many lines.
                let is_kept =
                    line.contains(['\n', '\r']) || again.iter().all(|record| record.parsed.is_err());
                assert!(is_kept, "{line:?} was {rejected:?}, and is sound");
            }
        }
    }
    let texts: Vec<RowText> = records.iter().map(|record| record.text.clone()).collect();
    text_is_bounded(&texts, bytes);
}

/// A JSON object with no name twice in it, and all numbers as they were written.
fn is_a_referral(payload: &Payload, bytes: &[u8]) {
    assert!(payload.body.starts_with('{'));
    no_name_stands_twice(serde_json::from_str(&payload.body).unwrap());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let written: HashSet<&str> = numbers(text).into_iter().collect();
    for number in numbers(&payload.body) {
        assert!(text.contains(number) || written.contains(number), "{number} is not in the file");
    }
}

fn no_name_stands_twice(raw: &RawValue) {
    if let Some(object) = Object::from_raw(raw) {
        let mut names = HashSet::new();
        for (name, value) in object.iter() {
            assert!(names.insert(name.to_owned()), "{name:?} stands twice");
            no_name_stands_twice(value);
        }
    }
    elements(raw).into_iter().flatten().for_each(no_name_stands_twice);
}

/// The numbers of a JSON text.
fn numbers(text: &str) -> Vec<&str> {
    let outside = |c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E'));
    let (mut numbers, mut rest) = (Vec::new(), text);
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[start..];
        let length = match rest.strip_prefix('"') {
            Some(inside) => {
                let mut escaped = false;
                let end = inside.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                end.map_or(rest.len(), |end| end + 2)
            }
            None => rest.find(outside).unwrap_or(rest.len()),
        };
        if !rest.starts_with('"') {
            numbers.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    numbers
}

/// How many objects there are, where the text is an array of objects or objects and nothing else.
fn objects(bytes: &[u8]) -> Option<usize> {
    type Objects = Vec<Map<String, Value>>;
    let array = serde_json::from_slice::<Objects>(bytes).ok();
    let list = || Deserializer::from_slice(bytes).into_iter().collect::<Result<Objects, _>>().ok();
    let is_array = array.is_some();
    let count = array.or_else(list)?.len();
    // An empty array holds no payload, and a text without anything in it is one that is missing.
    if is_array && count == 0 { None } else { Some(count) }
}

/// How many lines hold something, where lines end in the plain way.
fn lines_used(bytes: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_plain = !text.contains(['\r', '\u{feff}', '\0']) && !text.is_empty();
    let used = |line: &&str| !line.trim_ascii().is_empty() && !line.trim_ascii().starts_with("//");
    is_plain.then(|| text.split('\n').filter(used).count())
}

/// Whether tokens stand where requests have them, and nowhere else.
fn has_token_in_headers_alone(bytes: &[u8]) -> bool {
    let text = text_of(bytes).to_ascii_lowercase();
    text.split(['\n', '\r'])
        .filter(|line| line.contains(TOKEN))
        .all(|line| line.trim_start().starts_with("authorization:"))
}

/// The text of a file, which may be in UTF-16.
fn text_of(bytes: &[u8]) -> String {
    let units = |unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|two| unit([two[0], two[1]]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Sound payloads, as they were told, are the payloads of a file of their own.
fn is_the_same_fed_back(records: &[PayloadRecord]) {
    let sound = records.iter().filter_map(|record| Some((&record.text, record.parsed.as_ref().ok()?)));
    let (texts, payloads): (Vec<_>, Vec<_>) = sound.unzip();
    let lines = texts.into_iter().map(|text| match text {
        RowText::Line(line) => format!("{line}\n"),
        cells => panic!("a payload has no cells: {cells:?}"),
    });
    let file: String = lines.collect();
    let options = Options { format: Some(Format::Jsonl), ..Options::default() };
    let (again, _) = read(file.as_bytes(), usize::MAX, &options);
    if payloads.is_empty() {
        return;
    }
    assert_eq!(again.len(), payloads.len(), "payloads were lost or made up");
    for (payload, again) in payloads.into_iter().zip(again) {
        assert_eq!(again.parsed.as_ref().map(wants).ok(), Some(wants(payload)));
    }
}

/// What a payload asks for, wherever it stands.
fn wants(payload: &Payload) -> String {
    let etag = payload.etag.as_ref().map(|etag| &etag.value);
    format!("{} {etag:?} {}", payload.id, compacted(&payload.body))
}

/// A JSON text without blanks between its parts.
fn compacted(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let stays = |c: &char| {
        let stays = in_string || !c.is_ascii_whitespace();
        in_string ^= *c == '"' && !escaped;
        escaped = in_string && *c == '\\' && !escaped;
        stays
    };
    text.chars().filter(stays).collect()
}
