//! The payloads of a JSON text: the elements of an array, or objects one after the other.
//!
//! Payloads are separated only where that is certain. A payload ends where each of its brackets is closed by
//! its own kind. It is handed out once what has to follow it does: a comma and the next object, the end of the
//! array, the end of the text. Where something else follows, the payload may be half of one, and takes with it
//! everything behind. So a payload that is not valid JSON does no harm to its neighbours as long as its
//! brackets and quotes pair, and what a bracket too many cuts off never passes for a payload of its own.
//!
//! Only one payload is in memory at a time.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use serde_json::value::RawValue;

use super::super::lines::MAX_LINE;
use super::lenient::{LenientSyntax, Quotes};
use super::piece::{Piece, Position};
use super::scanner::{ScanResult, Scanner};
use crate::domain::excerpt::excerpt;

/// The number of bytes that are read at a time.
const BLOCK: usize = 256 * 1024;

/// The number of bytes that are kept of a payload that is too large.
const BEGINNING: usize = 1024;

/// Finds one payload after the other. It reads into a window of the text, which slides.
pub(super) struct ElementReader<R> {
    text: R,
    /// The part of the text that was read and is still needed.
    window: Vec<u8>,
    /// The number of bytes of the window that have been dealt with.
    done: usize,
    /// The place in the text of the first byte that has not been dealt with.
    position: Position,
    /// How far has been looked from there, in bytes.
    at: usize,
    /// What was found and not handed out yet, in order.
    found: VecDeque<FoundValue>,
    state: ElementState,
    in_array: bool,
    /// Whether a value came before in this array.
    after_value: bool,
    /// The number of arrays that were begun, and of objects outside of them.
    texts: u64,
    /// Whether there was an array.
    has_array: bool,
    /// Where the text ended within an array.
    open: Option<Position>,
    /// The syntax found behind the last value that JSON does not have.
    lenient: Vec<(Position, LenientSyntax)>,
}

/// How far the text has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ElementState {
    /// Before the first value.
    Begin,
    /// Before a value.
    At(ValueKind),
    /// Behind the last value.
    Ended,
}

/// What a value is by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    /// A payload.
    Object,
    /// Another JSON value, which is no payload.
    Other,
}

/// What follows a value.
enum Following {
    Value(ValueKind),
    End,
    Fault(SyntaxFault),
}

/// How far a value goes.
enum Extent {
    /// To where has been looked.
    Whole(TextSpan),
    /// It can't be told.
    Unknown,
    /// It can't be told, and the value is too large to be looked at again.
    Lost(TextSpan, Option<SyntaxFault>),
}

/// A part of the text.
enum TextSpan {
    /// From one offset to another in the window, counted from what has been dealt with.
    Window(usize, usize),
    /// The beginning of a value that is too large, and its place.
    Beginning(Vec<u8>, Position),
}

/// What was found, and the lenient syntax before it.
struct FoundValue {
    lenient: Vec<(Position, LenientSyntax)>,
    what: FoundKind,
}

/// What was found.
enum FoundKind {
    /// One value.
    Value(ValueKind, TextSpan),
    /// All that is left of the text; see [`ElementPart::Rest`].
    Rest { first: Option<TextSpan>, fault: Option<SyntaxFault>, all: TextSpan, cut: bool },
}

/// Something that may not stand where it does.
#[derive(Debug)]
pub(super) struct SyntaxFault {
    pub at: Position,
    /// What stands there, cut short.
    pub found: String,
    /// What should stand there.
    pub due: &'static str,
}

/// A payload, or what can't be separated into payloads.
pub(super) enum ElementPart<'a> {
    /// A payload, or another value in its place.
    Payload(Piece<'a>),
    /// All that is left of the text: it can't be told what of it belongs together.
    Rest {
        /// The payload with which it begins, if it does.
        first: Option<Piece<'a>>,
        /// What may not stand behind that payload; without it the parser says what is wrong.
        fault: Option<&'a SyntaxFault>,
        all: Piece<'a>,
    },
}

impl<R: BufRead> ElementReader<R> {
    /// Begins before the first payload.
    pub fn of(text: R) -> Self {
        Self {
            text,
            window: Vec::new(),
            done: 0,
            position: Position::START,
            at: 0,
            found: VecDeque::new(),
            state: ElementState::Begin,
            in_array: false,
            after_value: false,
            texts: 0,
            has_array: false,
            open: None,
            lenient: Vec::new(),
        }
    }

    /// Goes to the next payload. Returns false at the end of the text.
    pub fn next(&mut self) -> io::Result<bool> {
        self.found.pop_front();
        if self.found.is_empty() {
            self.gather()?;
        }
        Ok(!self.found.is_empty())
    }

    /// Returns what was found last; `None` at the end of the text.
    pub fn part(&self) -> Option<ElementPart<'_>> {
        Some(match &self.found.front()?.what {
            FoundKind::Value(_, bytes) => ElementPart::Payload(self.piece(bytes, false)),
            FoundKind::Rest { first, fault, all, cut } => ElementPart::Rest {
                first: first.as_ref().map(|bytes| self.piece(bytes, false)),
                fault: fault.as_ref(),
                all: self.piece(all, *cut),
            },
        })
    }

    /// Returns the bytes of a span with their place.
    fn piece<'p>(&'p self, bytes: &'p TextSpan, cut: bool) -> Piece<'p> {
        match bytes {
            TextSpan::Window(from, to) => {
                let window = &self.window[self.done..];
                let bytes = without_blanks(&window[*from..*to]);
                Piece { bytes, start: self.position.behind(&window[..*from]), cut }
            }
            TextSpan::Beginning(bytes, start) => Piece { bytes, start: *start, cut: true },
        }
    }

    /// Returns the syntax that JSON does not have, and that was found before the last value; at the end of the
    /// text, behind all values.
    pub fn take_lenient(&mut self) -> Vec<(Position, LenientSyntax)> {
        let found = self.found.front_mut().map(|found| &mut found.lenient);
        std::mem::take(found.unwrap_or(&mut self.lenient))
    }

    /// Returns whether there was an array so far, which may have been empty.
    pub fn has_array(&self) -> bool {
        self.has_array
    }

    /// Returns whether the text is more than one array or object.
    pub fn has_several(&self) -> bool {
        self.texts > 1
    }

    /// Returns where the text ended within an array, if it did.
    pub fn open(&self) -> Option<Position> {
        self.open
    }

    /// Finds the next payload, and the values behind it that are none. Until another payload begins, or the
    /// text ends in good order, those may be the other half of it.
    fn gather(&mut self) -> io::Result<()> {
        let first = match self.state {
            ElementState::Begin => match self.between()? {
                Following::Value(kind) => kind,
                Following::End => return self.end(),
                Following::Fault(_) => return self.rest(None),
            },
            ElementState::At(kind) => kind,
            ElementState::Ended => return Ok(()),
        };
        self.pass();
        let mut kind = first;
        loop {
            if !self.value(kind)? {
                return Ok(());
            }
            match self.between()? {
                Following::Value(next) if next == ValueKind::Object || first == ValueKind::Other => {
                    self.state = ElementState::At(next);
                    return Ok(());
                }
                Following::Value(next) => kind = next,
                Following::End => return self.end(),
                Following::Fault(fault) => return self.rest(Some(fault)),
            }
        }
    }

    /// Takes the value that begins here. Returns false where that took everything that is left.
    fn value(&mut self, kind: ValueKind) -> io::Result<bool> {
        let (from, lenient) = (self.at, std::mem::take(&mut self.lenient));
        match self.extent()? {
            Extent::Whole(bytes) if kind == ValueKind::Object || self.is_json(&bytes) => {
                self.found.push_back(FoundValue { lenient, what: FoundKind::Value(kind, bytes) });
                self.after_value = true;
                return Ok(true);
            }
            Extent::Lost(all, fault) => {
                let what = FoundKind::Rest { first: None, fault, all, cut: true };
                self.found.push_back(FoundValue { lenient, what });
                self.end()?;
            }
            _ => {
                (self.at, self.lenient) = (from, lenient);
                let is_behind = !self.found.is_empty();
                let fault = if is_behind { Some(self.fault(self.due(true))?) } else { None };
                self.rest(fault)?;
            }
        }
        Ok(false)
    }

    /// Takes everything that is left of the text, from the value found last on: the cause of a fault behind it
    /// may lie within it.
    fn rest(&mut self, fault: Option<SyntaxFault>) -> io::Result<()> {
        let (mut from, mut first, mut lenient) = (self.at, None, std::mem::take(&mut self.lenient));
        // A value that is too large has left the window; it gets a finding of its own.
        if let Some(FoundValue {
            what: FoundKind::Value(kind, TextSpan::Window(start, end)),
            lenient: before,
        }) = self.found.front_mut()
        {
            from = *start;
            first = Some(TextSpan::Window(*start, *end)).filter(|_| *kind == ValueKind::Object);
            lenient = std::mem::take(before);
            self.found.clear();
        }
        while self.window.len() - self.done - from <= MAX_LINE && self.fill()? {}
        let to = self.window.len() - self.done;
        let all = TextSpan::Window(from, to);
        self.found.push_back(FoundValue {
            lenient,
            what: FoundKind::Rest { first, fault, all, cut: to - from > MAX_LINE },
        });
        self.end()
    }

    /// Reads the text to its end, for its checksum, without looking for more.
    fn end(&mut self) -> io::Result<()> {
        io::copy(&mut self.text, &mut io::sink())?;
        self.state = ElementState::Ended;
        Ok(())
    }

    /// Goes behind the value that begins here.
    fn extent(&mut self) -> io::Result<Extent> {
        let (mut scanner, from) = (Scanner::new(), self.at);
        loop {
            match scanner.feed(&self.window[self.done + self.at..]) {
                ScanResult::End(length) => {
                    self.at += length;
                    return Ok(Extent::Whole(TextSpan::Window(from, self.at)));
                }
                ScanResult::Broken(_) => return Ok(Extent::Unknown),
                ScanResult::More => self.at = self.window.len() - self.done,
            }
            if self.at - from > MAX_LINE {
                return if from == 0 { self.large(scanner) } else { Ok(Extent::Unknown) };
            }
            if !self.fill()? {
                self.is_open();
                return Ok(Extent::Unknown);
            }
        }
    }

    /// Skips the rest of a value that is too large.
    fn large(&mut self, mut scanner: Scanner) -> io::Result<Extent> {
        let beginning = TextSpan::Beginning(self.window[self.done..][..BEGINNING].to_vec(), self.position);
        loop {
            self.pass();
            if !self.fill()? {
                self.is_open();
                return Ok(Extent::Lost(beginning, None));
            }
            match scanner.feed(&self.window[self.done..]) {
                ScanResult::More => self.at = self.window.len() - self.done,
                ScanResult::End(length) => {
                    self.at = length;
                    self.pass();
                    return Ok(Extent::Whole(beginning));
                }
                ScanResult::Broken(length) => {
                    self.at = length;
                    let fault = self.fault("a payload of more than 16 MiB could not go on")?;
                    return Ok(Extent::Lost(beginning, Some(fault)));
                }
            }
        }
    }

    /// Returns whether a value that is no payload is valid JSON.
    fn is_json(&self, bytes: &TextSpan) -> bool {
        serde_json::from_slice::<&RawValue>(self.piece(bytes, false).bytes).is_ok()
    }

    /// Goes to the next value, over everything that may stand between two of them.
    fn between(&mut self) -> io::Result<Following> {
        let mut comma = None;
        loop {
            if let Some(fault) = self.blanks()? {
                return Ok(Following::Fault(fault));
            }
            let is_due = !self.after_value || comma.is_some();
            match self.peek(0)? {
                None => {
                    self.is_open();
                    return Ok(Following::End);
                }
                Some(b'[') if !self.in_array => self.bracket(true),
                Some(b']') if self.in_array => {
                    self.lenient.extend(comma.take().map(|at| (self.place(at), LenientSyntax::Comma)));
                    self.bracket(false);
                }
                Some(b',') if self.in_array && !is_due => comma = Some(self.at),
                Some(b'{') if !self.in_array => {
                    self.texts += 1;
                    return Ok(Following::Value(ValueKind::Object));
                }
                Some(b'{') if is_due => return Ok(Following::Value(ValueKind::Object)),
                Some(byte) if self.in_array && is_due && !b",:}]".contains(&byte) => {
                    return Ok(Following::Value(ValueKind::Other));
                }
                Some(_) => return self.fault(self.due(is_due)).map(Following::Fault),
            }
            self.at += 1;
        }
    }

    /// Returns what should stand here, for people.
    fn due(&self, is_due: bool) -> &'static str {
        match (self.in_array, is_due) {
            (false, _) => "the file should end, or another payload begin",
            (true, false) => "a comma should, or the end of the array",
            (true, true) => "a payload should",
        }
    }

    /// Takes the bracket that opens or closes an array.
    fn bracket(&mut self, opening: bool) {
        self.in_array = opening;
        self.has_array = true;
        self.texts += u64::from(opening);
        self.after_value = false;
    }

    /// Takes note of the end of the text.
    fn is_open(&mut self) {
        if self.in_array {
            self.open = Some(self.here());
        }
    }

    /// Skips white space and comments.
    fn blanks(&mut self) -> io::Result<Option<SyntaxFault>> {
        loop {
            if self.found.is_empty() {
                self.pass();
            } else if self.at > 2 * MAX_LINE {
                return self.fault(self.due(false)).map(Some);
            }
            match (self.peek(0)?, self.peek(1)?) {
                (Some(b' ' | b'\t' | b'\r' | b'\n'), _) => self.at += 1,
                (Some(b'/'), Some(second @ (b'/' | b'*'))) => {
                    let (start, at) = (self.at, self.here());
                    if !self.comment(second == b'*')? {
                        self.at = start;
                        return self.fault(self.due(false)).map(Some);
                    }
                    self.syntax(at, LenientSyntax::Comment);
                }
                _ => return Ok(None),
            }
        }
    }

    /// Skips a comment. Returns false where it is none: it is never closed, or its quotes don't pair.
    fn comment(&mut self, is_block: bool) -> io::Result<bool> {
        let mut quotes = Quotes::default();
        self.at += 2;
        loop {
            match (self.peek(0)?, self.peek(1)?) {
                (None, _) => return Ok(!is_block && quotes.pair()),
                (Some(b'*'), Some(b'/')) if is_block => {
                    self.at += 2;
                    return Ok(quotes.pair());
                }
                (Some(b'\n'), _) if !is_block => return Ok(quotes.pair()),
                (Some(byte), _) => quotes.take(byte),
            }
            self.at += 1;
        }
    }

    /// Takes note of syntax that JSON does not have.
    fn syntax(&mut self, at: Position, syntax: LenientSyntax) {
        // More of them would say nothing new.
        if self.lenient.len() < 100 {
            self.lenient.push((at, syntax));
        }
    }

    /// Returns the fault for what stands here, and should not.
    fn fault(&mut self, due: &'static str) -> io::Result<SyntaxFault> {
        const SHOWN: usize = 20;
        self.peek(SHOWN * 4)?;
        let rest = &self.window[self.done + self.at..];
        let rest = String::from_utf8_lossy(&rest[..rest.len().min(SHOWN * 4)]);
        let shown: String = rest.chars().take_while(|c| !matches!(c, '\r' | '\n')).take(SHOWN).collect();
        Ok(SyntaxFault { at: self.here(), found: excerpt(&shown), due })
    }

    /// Returns the place up to which has been looked.
    fn here(&self) -> Position {
        self.place(self.at)
    }

    /// Returns the place this many bytes behind what has been dealt with.
    fn place(&self, at: usize) -> Position {
        self.position.behind(&self.window[self.done..][..at])
    }

    /// Returns the byte at this distance from here; `None` behind the end of the text.
    fn peek(&mut self, behind: usize) -> io::Result<Option<u8>> {
        while self.window.len() <= self.done + self.at + behind && self.fill()? {}
        Ok(self.window.get(self.done + self.at + behind).copied())
    }

    /// Reads more into the window. Returns false at the end of the text.
    fn fill(&mut self) -> io::Result<bool> {
        self.window.drain(..self.done);
        self.done = 0;
        let read = self.text.by_ref().take(BLOCK as u64).read_to_end(&mut self.window)?;
        Ok(read > 0)
    }

    /// Counts what has been looked at as dealt with.
    fn pass(&mut self) {
        self.position = self.here();
        self.done += std::mem::take(&mut self.at);
    }
}

/// Returns the text without the white space at its end that JSON allows.
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

    /// The payloads with their places and what stands before each; what can't be told apart, from where it
    /// may be half of a payload, with the fault; and at last what stands behind all.
    fn split(text: &str, buffer: usize) -> Vec<String> {
        let mut elements = ElementReader::of(BufReader::with_capacity(buffer, text.as_bytes()));
        let mut told = Vec::new();
        let lenient = |lenient: Vec<(Position, LenientSyntax)>| -> String {
            let told =
                |(at, syntax): (Position, LenientSyntax)| format!("<{syntax:?} {}:{}>", at.line, at.column);
            lenient.into_iter().map(told).collect()
        };
        while elements.next().unwrap() {
            let before = lenient(elements.take_lenient());
            let (piece, more) = match elements.part().unwrap() {
                ElementPart::Payload(piece) => (piece, String::new()),
                ElementPart::Rest { first, fault, all } => {
                    let fault = fault
                        .map(|SyntaxFault { at, found, .. }| format!(" {found} {}:{}", at.line, at.column))
                        .unwrap_or_default();
                    (all, format!(" <rest behind {}{fault}>", first.map_or(0, |first| first.bytes.len())))
                }
            };
            let Position { line, column } = piece.start;
            let text = String::from_utf8(piece.bytes.to_vec()).unwrap();
            told.push(format!("{before}{line}:{column} {text}{more}"));
        }
        told.extend(Some(lenient(elements.take_lenient())).filter(|lenient| !lenient.is_empty()));
        told.extend(elements.open().map(|at| format!("<open {}:{}>", at.line, at.column)));
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
        check("[{}]{}", &["1:2 {}", "1:5 {}"]);
        check("[1, \"a,b\" ,null, [{}]]", &["1:2 1", "1:5 \"a,b\"", "1:12 null", "1:18 [{}]"]);
        check("[{}, 1,{}, null]", &["1:2 {}", "1:6 1", "1:8 {}", "1:12 null"]);
    }

    #[test]
    fn what_stands_between_them_is_told() {
        check("[{},]", &["1:2 {}", "<Comma 1:4>"]);
        check("[ // x ]\n{} /* , */ ]", &["<Comment 1:3>2:1 {}", "<Comment 2:4>"]);
        check("[{} /* a */, // b\n {}]", &["1:2 {}", "<Comment 1:5><Comment 1:14>2:2 {}"]);
        check("/* ** / */{}", &["<Comment 1:1>1:11 {}"]);
        check("{} // é", &["1:1 {}", "<Comment 1:4>"]);
    }

    /// What may be the other half of a payload takes that with it, and all that follows.
    #[test]
    fn what_may_not_stand_there_takes_its_neighbour_and_the_rest() {
        for (text, wanted) in [
            ("{},{}", &["1:1 {},{} <rest behind 2 \",{}\" 1:3>"][..]),
            ("{}}\n{}", &["1:1 {}}\n{} <rest behind 2 \"}\" 1:3>"]),
            ("{} 5", &["1:1 {} 5 <rest behind 2 \"5\" 1:4>"]),
            ("{} ,\"a\":{}}", &["1:1 {} ,\"a\":{}} <rest behind 2 \",\"a\":{}}\" 1:4>"]),
            ("[{}]\n5", &["1:2 {}]\n5 <rest behind 2 \"5\" 2:1>"]),
            ("[{},{} {}]", &["1:2 {}", "1:5 {} {}] <rest behind 2 \"{}]\" 1:8>"]),
            ("[{},,{}]", &["1:2 {},,{}] <rest behind 2 \",{}]\" 1:5>"]),
            ("[{}:{}]", &["1:2 {}:{}] <rest behind 2 \":{}]\" 1:4>"]),
            // Where names and values stand that are no elements, the payload before them was cut short.
            ("[{},\"a\":{}},{}]", &["1:2 {},\"a\":{}},{}] <rest behind 2 \":{}},{}]\" 1:8>"]),
            ("[{}, 1, tru, {}]", &["1:2 {}, 1, tru, {}] <rest behind 2 \"tru, {}]\" 1:9>"]),
            ("[1,\"a\":{}]", &["1:2 1", "1:4 \"a\":{}] <rest behind 0 \":{}]\" 1:7>"]),
            ("[{} // \"\n]", &["1:2 {} // \"\n] <rest behind 2 \"// \"\" 1:5>"]),
            ("{} /* x", &["1:1 {} /* x <rest behind 2 \"/* x\" 1:4>"]),
        ] {
            check(text, wanted);
        }
    }

    #[test]
    fn what_is_no_value_is_for_the_parser() {
        check("no JSON at all\n", &["1:1 no JSON at all <rest behind 0>"]);
        check("\u{c}\n{}", &["1:1 \u{c}\n{} <rest behind 0>"]);
        check("[,{}]", &["1:2 ,{}] <rest behind 0>"]);
        check("[{\"a\":[},{}]", &["1:2 {\"a\":[},{}] <rest behind 0>"]);
        check(
            "[{},\n{\"a\":\"\n},\n{\"b\":1}\n]",
            &["1:2 {}", "2:1 {\"a\":\"\n},\n{\"b\":1}\n] <rest behind 0>"],
        );
        // Broken as it is, it ends where it seems to.
        check("[{\"a\" 1},{}]", &["1:2 {\"a\" 1}", "1:10 {}"]);
    }

    #[test]
    fn an_array_that_is_never_closed_is_told() {
        check("[{}", &["1:2 {}", "<open 1:4>"]);
        check("[{},\n", &["1:2 {}", "<open 2:1>"]);
        check("[", &["<open 1:2>"]);
        check("[{},{\"a\":", &["1:2 {}", "1:5 {\"a\": <rest behind 0>", "<open 1:10>"]);
        check("{\"a\":", &["1:1 {\"a\": <rest behind 0>"]);
    }

    #[test]
    fn a_payload_that_is_too_large_is_cut_and_the_next_one_found() {
        let large = "x".repeat(MAX_LINE + 3 * BLOCK);
        for (text, next) in [
            (format!("[{{\"a\":\"{large}\"}},\n {{}}]"), Some((2, 2))),
            (format!("{{\"a\":\"{large}\"}}\n{{}}"), Some((2, 1))),
            (format!("[{{\"a\":\"{large},\n{{}}]"), None),
            (format!("[{{\"a\":\"{large}"), None),
        ] {
            let mut elements = ElementReader::of(text.as_bytes());
            assert!(elements.next().unwrap());
            let found = elements.part().unwrap();
            assert_eq!(matches!(found, ElementPart::Rest { .. }), next.is_none());
            let (ElementPart::Payload(piece) | ElementPart::Rest { all: piece, .. }) = found;
            assert!(piece.cut && piece.bytes.len() <= BEGINNING);
            assert_eq!(elements.next().unwrap(), next.is_some());
            if let Some((line, column)) = next {
                let Some(ElementPart::Payload(piece)) = elements.part() else { panic!() };
                assert_eq!((piece.bytes, piece.start), (&b"{}"[..], Position { line, column }));
                assert!(!elements.next().unwrap());
            }
        }
    }
}
