//! The payloads of a JSON text: an array's elements, or objects one after the other.
//!
//! Only one of them is in memory at a time. Where one is damaged, the next ones are found all the same.

use std::io::{self, BufRead, Read};

use super::super::lines::MAX_LINE;
use super::lenient::Slip;
use super::piece::{Piece, Position};
use super::scanner::Scanner;

/// How much is read at a time.
const BLOCK: usize = 256 * 1024;

/// Finds one payload after the other.
pub(super) struct Elements<R> {
    text: R,
    window: Vec<u8>,
    /// Of the window, so much has been dealt with.
    done: usize,
    /// Where in the text that is.
    position: Position,
    /// The length of the payload that was found last; it is still in the window.
    length: usize,
    /// Of a payload that is too large, what its end is looked for with.
    overlong: Option<(Scanner, Position)>,
    /// Whether a payload was damaged. From then on, one that goes on for long is looked at sooner.
    has_damage: bool,
    in_array: bool,
    has_array: bool,
    /// Whether a payload came before in this array or text, and where a comma behind it.
    after_payload: bool,
    comma: Option<Position>,
    /// What was found between the payloads.
    slips: Vec<(Position, Slip)>,
}

impl<R: BufRead> Elements<R> {
    pub fn of(text: R) -> Self {
        Self {
            text,
            window: Vec::new(),
            done: 0,
            position: Position::START,
            length: 0,
            overlong: None,
            has_damage: false,
            in_array: false,
            has_array: false,
            after_payload: false,
            comma: None,
            slips: Vec::new(),
        }
    }

    /// Goes to the next payload. False at the end of the text.
    pub fn next(&mut self) -> io::Result<bool> {
        self.pass(self.length);
        self.length = 0;
        self.pass_overlong()?;
        let found = self.find_start()?;
        if found {
            self.find_end()?;
        }
        Ok(found)
    }

    /// The payload that was found last.
    pub fn piece(&self) -> Piece<'_> {
        let bytes = &self.window[self.done..][..self.length];
        Piece { bytes, start: self.position, cut: self.overlong.is_some() }
    }

    /// The payload that was found last is damaged: where a line shows that the next one begins, it ends
    /// before that. A bracket or a quote that is never closed would take all that follows for its own.
    pub fn end_at_next(&mut self) -> bool {
        let next = self.piece().next_start().filter(|_| self.piece().bytes.starts_with(b"{"));
        let Some(most) = next else { return false };
        self.overlong = None;
        self.has_damage = true;
        let used = without_blanks(&self.window[self.done..][..most]);
        self.length = without_blanks(used.strip_suffix(b",").unwrap_or(used)).len();
        true
    }

    /// What was found between the payloads since this was asked last.
    pub fn take_slips(&mut self) -> Vec<(Position, Slip)> {
        std::mem::take(&mut self.slips)
    }

    /// Whether there was an array so far, which may have been empty.
    pub fn has_array(&self) -> bool {
        self.has_array
    }

    /// Reads more into the window. False at the end of the text.
    fn fill(&mut self) -> io::Result<bool> {
        self.window.drain(..self.done);
        self.done = 0;
        let read = self.text.by_ref().take(BLOCK as u64).read_to_end(&mut self.window)?;
        Ok(read > 0)
    }

    fn pass(&mut self, length: usize) {
        self.position = self.position.behind(&self.window[self.done..][..length]);
        self.done += length;
    }

    /// The byte that is dealt with next, and the one behind it.
    fn peek(&mut self) -> io::Result<Option<(u8, Option<u8>)>> {
        while self.window.len() < self.done + 2 && self.fill()? {}
        Ok(self.window.get(self.done).map(|first| (*first, self.window.get(self.done + 1).copied())))
    }

    /// Passes over what stands between payloads. False at the end of the text.
    fn find_start(&mut self) -> io::Result<bool> {
        while let Some((byte, following)) = self.peek()? {
            match (byte, following) {
                (b' ' | b'\t' | b'\r' | b'\n', _) => self.pass(1),
                (b',', _) => self.pass_comma(),
                (b'/', Some(b'/')) => self.pass_comment(b"\n")?,
                (b'/', Some(b'*')) => self.pass_comment(b"*/")?,
                (b'[', _) if !self.in_array => self.bracket(true),
                (b']', _) if self.in_array => self.bracket(false),
                _ => {
                    if self.in_array && self.after_payload && self.comma.is_none() {
                        self.slip(Slip::NoComma);
                    }
                    return Ok(true);
                }
            }
        }
        if self.in_array {
            self.slip(Slip::Open);
            self.in_array = false;
        }
        Ok(false)
    }

    fn pass_comma(&mut self) {
        if self.in_array && self.after_payload && self.comma.is_none() {
            self.comma = Some(self.position);
        } else {
            self.slip(Slip::Comma);
        }
        self.pass(1);
    }

    fn pass_comment(&mut self, end: &[u8]) -> io::Result<()> {
        self.slip(Slip::Comment);
        self.pass(2);
        while let Some((byte, following)) = self.peek()? {
            let ends = byte == end[0] && (end.len() == 1 || following == Some(end[1]));
            self.pass(if ends { end.len() } else { 1 });
            if ends {
                break;
            }
        }
        Ok(())
    }

    fn bracket(&mut self, opening: bool) {
        if let Some(comma) = self.comma.take().filter(|_| !opening) {
            self.slips.push((comma, Slip::Comma));
        }
        self.in_array = opening;
        self.has_array = true;
        self.after_payload = false;
        self.pass(1);
    }

    fn slip(&mut self, slip: Slip) {
        // More than a few of a kind say no more than the first.
        if self.slips.len() < 100 {
            self.slips.push((self.position, slip));
        }
    }

    fn find_end(&mut self) -> io::Result<()> {
        self.after_payload = true;
        self.comma = None;
        let mut scanner = Scanner::new();
        loop {
            if let Some(end) = scanner.feed(&self.window[self.done + self.length..]) {
                self.limit(self.length + end);
                return Ok(());
            }
            self.length = self.window.len() - self.done;
            let patience = if self.has_damage { BLOCK } else { MAX_LINE };
            if self.length > patience && self.end_at_next() {
                return Ok(());
            }
            if self.length > MAX_LINE {
                self.overlong = Some((scanner, self.position));
                return Ok(());
            }
            if !self.fill()? {
                if !self.end_at_next() {
                    self.limit(self.length);
                }
                return Ok(());
            }
        }
    }

    fn limit(&mut self, length: usize) {
        self.length = without_blanks(&self.window[self.done..][..length]).len();
    }

    /// Passes over the rest of a payload that is too large.
    fn pass_overlong(&mut self) -> io::Result<()> {
        let Some((mut scanner, start)) = self.overlong.take() else { return Ok(()) };
        loop {
            let bytes = &self.window[self.done..];
            let next = Piece { bytes, start, cut: true }.next_start();
            let end = scanner.feed(bytes).into_iter().chain(next).min();
            self.pass(end.unwrap_or(self.window.len() - self.done));
            if end.is_some() || !self.fill()? {
                return Ok(());
            }
        }
    }
}

/// The text without what JSON takes for white space at its end.
fn without_blanks(mut bytes: &[u8]) -> &[u8] {
    while let [before @ .., b' ' | b'\t' | b'\r' | b'\n'] = bytes {
        bytes = before;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// The payloads with their places and what stands before each, and at last what stands behind all.
    fn split(text: &str, buffer: usize) -> Vec<String> {
        let mut elements = Elements::of(BufReader::with_capacity(buffer, text.as_bytes()));
        let mut told = Vec::new();
        let slips = |slips: Vec<(Position, Slip)>| -> String {
            let told = |(at, slip): (Position, Slip)| format!("<{slip:?} {}:{}>", at.line, at.column);
            slips.into_iter().map(told).collect()
        };
        while elements.next().unwrap() {
            let piece = elements.piece();
            let Position { line, column } = piece.start;
            let text = String::from_utf8(piece.bytes.to_vec()).unwrap();
            let before = slips(elements.take_slips());
            told.push(format!("{before}{line}:{column} {text}"));
        }
        told.extend(Some(slips(elements.take_slips())).filter(|slips| !slips.is_empty()));
        told
    }

    fn check(text: &str, wanted: &[&str]) {
        assert_eq!(split(text, 4096), wanted, "{text}");
        assert_eq!(split(text, 1), wanted, "{text}, byte by byte");
    }

    #[test]
    fn payloads_stand_in_arrays_or_one_after_the_other() {
        check("", &[]);
        check(" \n ", &[]);
        check("[]", &[]);
        check("{}", &["1:1 {}"]);
        check("{\n}\n", &["1:1 {\n}"]);
        check("[{},{}]", &["1:2 {}", "1:5 {}"]);
        check("[\n  {\"é\":1}, {}\n]", &["2:3 {\"é\":1}", "2:12 {}"]);
        check("{}{}\n{}", &["1:1 {}", "1:3 {}", "2:1 {}"]);
        check("[{}]\n[{}]", &["1:2 {}", "2:2 {}"]);
        check("[1, \"a,b\" ,null, [{}]]", &["1:2 1", "1:5 \"a,b\"", "1:12 null", "1:18 [{}]"]);
        check("no JSON at all\n", &["1:1 no JSON at all"]);
        check("{}}\n{}", &["1:1 {}", "1:3 }", "2:1 {}"]);
        check("\u{c}\n{}", &["1:1 \u{c}", "2:1 {}"]);
    }

    #[test]
    fn what_stands_between_them_is_told() {
        check("[{},]", &["1:2 {}", "<Comma 1:4>"]);
        check("[{},,{}]", &["1:2 {}", "<Comma 1:5>1:6 {}"]);
        check("[,{}]", &["<Comma 1:2>1:3 {}"]);
        check("[{} {}]", &["1:2 {}", "<NoComma 1:5>1:5 {}"]);
        check("{},{}", &["1:1 {}", "<Comma 1:3>1:4 {}"]);
        check("[{}", &["1:2 {}", "<Open 1:4>"]);
        check("[ // x ]\n{} /* , */ ]", &["<Comment 1:3>2:1 {}", "<Comment 2:4>"]);
        check("/* ** / */{}", &["<Comment 1:1>1:11 {}"]);
        check("{} // é", &["1:1 {}", "<Comment 1:4>"]);
    }

    #[test]
    fn a_damaged_payload_ends_before_the_next_one() {
        check("[\n{\"a\":\"\n,\n{\"b\":1}\n]", &["2:1 {\"a\":\"", "4:1 {\"b\":1}"]);
        check("[\n {\"a\":[\n  {},\n {}]", &["2:2 {\"a\":[\n  {}", "4:2 {}"]);
        check("[[\n{\n]", &["1:2 [\n{\n]", "<Open 3:2>"]);
        // Brackets may be balanced by chance: that is for the parser to find out.
        let mut elements = Elements::of("{\"a\":\"\n{\"b\":\"}\n{}".as_bytes());
        assert!(elements.next().unwrap());
        assert_eq!(elements.piece().bytes, b"{\"a\":\"\n{\"b\":\"}");
        assert!(elements.end_at_next());
        assert_eq!(elements.piece().bytes, b"{\"a\":\"");
        assert!(!elements.end_at_next());
    }

    #[test]
    fn a_payload_that_is_too_large_is_cut_and_the_next_one_found() {
        let large = "x".repeat(MAX_LINE + 3 * BLOCK);
        for (text, next) in [
            (format!("[{{\"a\":\"{large}\"}},\n {{}}]"), Position { line: 2, column: 2 }),
            (format!("[{{\"a\":\"{large},\n{{}}]"), Position { line: 2, column: 1 }),
        ] {
            let mut elements = Elements::of(text.as_bytes());
            assert!(elements.next().unwrap());
            let piece = elements.piece();
            assert!(piece.cut && piece.bytes.len() <= MAX_LINE + BLOCK);
            assert!(elements.next().unwrap());
            let piece = elements.piece();
            assert_eq!((piece.bytes, piece.start, piece.cut), (&b"{}"[..], next, false));
            assert!(!elements.next().unwrap());
        }
    }
}
