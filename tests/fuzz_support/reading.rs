//! Reading a file in parts of any size, and what must hold of everything that is told about it.

use std::convert::Infallible;
use std::io;

use referral_bulk::commands::next_command::spelled;
use referral_bulk::domain::account::RowText;
use referral_bulk::domain::finding::{Finding, Location};
use referral_bulk::domain::rules::Rule;
use referral_bulk::input::{InputError, Problem, Read};

use super::sha256::sha256;

/// The sizes of the parts that a file is read in. All of them lead to the same.
pub const PARTS: [usize; 3] = [1, 7, 4096];

/// The longest text that a person is shown about one thing, in characters.
const LONGEST: usize = 1_001;

/// Gives bytes in parts of a size, as a pipe may.
pub struct InParts<'b> {
    pub left: &'b [u8],
    pub size: usize,
}

impl io::Read for InParts<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.size.min(room.len()).min(self.left.len());
        let (part, left) = self.left.split_at(length);
        room[..length].copy_from_slice(part);
        self.left = left;
        Ok(length)
    }
}

/// How reading a file ended, if nobody but the file had a say in it.
pub fn ended(end: Result<Read, InputError<Infallible>>) -> Result<Read, Vec<Problem>> {
    end.map_err(|error| match error {
        InputError::Unusable(unusable) => unusable.problems().to_vec(),
        InputError::Sink(never) => match never {},
    })
}

/// What is told of the file as a whole fits its bytes and its records.
pub fn whole_is_told(end: &Result<Read, Vec<Problem>>, bytes: &[u8], records: usize) {
    match end {
        Ok(read) => {
            assert_eq!(read.info.rows, records as u64, "rows are counted as they are given out");
            assert_eq!(read.info.sha256, sha256(bytes), "the checksum is of all bytes");
            read.notes.iter().for_each(|note| is_for_people(note));
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "a file is refused for a reason");
            for problem in problems {
                is_for_people(&problem.message);
                is_for_people(&problem.place);
                problem.hint.iter().for_each(|hint| is_for_people(&spelled(hint)));
            }
        }
    }
}

/// A record begins in the file, and not before the one before. What is no character takes no column, so it
/// may begin at the same place.
pub fn place_is_in(bytes: &[u8], place: Location, before: Option<Location>) {
    let lines = 1 + bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    assert_eq!(place.input, 0);
    assert!((1..=lines as u64).contains(&place.line), "line {} of {lines}", place.line);
    assert!((1..=bytes.len() + 1).contains(&(place.column as usize)), "column {}", place.column);
    assert!(before.is_none_or(|before| before <= place), "{place:?} is before {before:?}");
}

/// Findings are for people, and stand in the file, not before their record.
pub fn findings_are_told(findings: &[Finding], bytes: &[u8], record: Location) {
    for finding in findings {
        is_for_people(&finding.message);
        finding.hint.iter().for_each(|hint| is_for_people(&spelled(hint)));
        place_is_in(bytes, finding.place, None);
        assert!(finding.place.line >= record.line, "{finding:?} is before its record");
    }
}

/// A text that is shown: there is one, it is not endless, and it doesn't steer a terminal.
pub fn is_for_people(text: &str) {
    assert!(!text.is_empty(), "nothing is said");
    assert!(text.chars().count() <= LONGEST, "{} characters are said", text.chars().count());
    assert!(!text.contains(char::is_control), "{text:?} would steer a terminal");
}

/// What is kept of a record is no more than what was read, but for a few words where it was cut.
pub fn text_is_bounded(texts: &[RowText], bytes: &[u8]) {
    let length = |text: &RowText| match text {
        RowText::Cells(cells) => cells.iter().map(String::len).sum(),
        RowText::Sheet(cells) => cells.iter().map(|cell| cell.text.len()).sum(),
        RowText::Line(line) => line.len(),
    };
    let kept: usize = texts.iter().map(length).sum();
    // A byte that is no text becomes a mark of three bytes.
    assert!(kept <= 3 * bytes.len() + 100 * texts.len(), "{kept} bytes are kept of {}", bytes.len());
}

/// So much of a file is looked at to see what it is.
const BLOCK: usize = 64 << 10;

/// A file behind so many blank lines that it lies half within what is looked at first, and how many that
/// are; where blank lines leave it what it is.
pub fn behind_blank_lines(bytes: &[u8]) -> Option<(Vec<u8>, u64)> {
    let is_plain = !bytes.contains(&b'\r') && !bytes.contains(&0) && !bytes.is_empty();
    let marks = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"];
    let is_marked = marks.iter().any(|mark| bytes.starts_with(mark));
    let lines = BLOCK.saturating_sub(bytes.len() / 2);
    (is_plain && !is_marked).then(|| ([&vec![b'\n'; lines], bytes].concat(), lines as u64))
}

/// A place as it would be without so many lines before it. What is about the file as a whole stays at its
/// beginning.
pub fn moved(place: Location, lines: u64) -> Location {
    Location { line: if place.line > lines { place.line - lines } else { place.line }, ..place }
}

/// What was found where. Messages may name other lines.
pub fn found(findings: &[Finding], lines: u64) -> Vec<(Rule, Location)> {
    findings.iter().map(|finding| (finding.rule, moved(finding.place, lines))).collect()
}
