//! The payloads of a JSON text: an array's elements, or objects one after the other.
//!
//! Only what can be told apart for certain is told apart. A payload ends where its brackets are closed by
//! their own kind, and is handed out once what has to stand behind it does: a comma and the next object, the
//! end of the array, the end of the text. Where something else does, it may be half of one, and takes with
//! it all that follows. So a payload that is no JSON leaves its neighbours alone as long as its brackets and
//! quotes pair, and what a bracket too many cuts off never passes for payloads of its own.
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

/// How much is read at a time.
const BLOCK: usize = 256 * 1024;

/// Of a payload that is too large, so much is kept.
const BEGINNING: usize = 1024;

/// Finds one payload after the other.
pub(super) struct ElementReader<R> {
    text: R,
    window: Vec<u8>,
    /// Of the window, so much has been dealt with.
    done: usize,
    /// Where in the text that is.
    position: Position,
    /// How far has been looked, from there.
    at: usize,
    /// What was found and not handed out yet, in the order of the text.
    found: VecDeque<FoundValue>,
    state: ElementState,
    in_array: bool,
    /// Whether a value came before in this array.
    after_value: bool,
    /// How many arrays were begun, and objects outside of them.
    texts: u64,
    has_array: bool,
    open: Option<Position>,
    /// What was found behind the last value.
    slips: Vec<(Position, LenientSyntax)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ElementState {
    Begin,
    /// Before a value.
    At(ValueKind),
    Ended,
}

/// What a value is by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    Object,
    /// An element that is no payload.
    Other,
}

/// What stands behind a value.
enum Following {
    Value(ValueKind),
    End,
    Fault(SyntaxFault),
}

/// How far a value goes.
enum Extent {
    /// To where has been looked.
    Whole(TextSpan),
    /// Nobody can tell.
    Unknown,
    /// Nobody can tell, and it is too large to be looked at again.
    Lost(TextSpan, Option<SyntaxFault>),
}

/// Some of the text.
enum TextSpan {
    /// From and to a place in the window, counted from what has been dealt with.
    Window(usize, usize),
    /// The beginning of what is too large, and where that is.
    Beginning(Vec<u8>, Position),
}

/// What was found, and what stood before it.
struct FoundValue {
    slips: Vec<(Position, LenientSyntax)>,
    what: FoundKind,
}

enum FoundKind {
    Value(ValueKind, TextSpan),
    Rest { first: Option<TextSpan>, fault: Option<SyntaxFault>, all: TextSpan, cut: bool },
}

/// Something that may not stand where it does.
#[derive(Debug)]
pub(super) struct SyntaxFault {
    pub at: Position,
    /// What stands there, shown short.
    pub found: String,
    /// What should.
    pub due: &'static str,
}

/// What was found.
pub(super) enum ElementPart<'a> {
    /// A payload, or another value.
    Payload(Piece<'a>),
    /// All that is left of the text: nobody can tell what of it belongs together.
    Rest {
        /// The payload with which it begins, if it does.
        first: Option<Piece<'a>>,
        /// What may not stand behind that; else it is for the parser to say what is wrong.
        fault: Option<&'a SyntaxFault>,
        all: Piece<'a>,
    },
}

impl<R: BufRead> ElementReader<R> {
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
            slips: Vec::new(),
        }
    }

    /// Goes to the next payload. False at the end of the text.
    pub fn next(&mut self) -> io::Result<bool> {
        self.found.pop_front();
        if self.found.is_empty() {
            self.gather()?;
        }
        Ok(!self.found.is_empty())
    }

    /// What was found last; nothing at the end of the text.
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

    /// What was found before that, or at the end of the text behind all, and JSON does not have.
    pub fn take_slips(&mut self) -> Vec<(Position, LenientSyntax)> {
        let found = self.found.front_mut().map(|found| &mut found.slips);
        std::mem::take(found.unwrap_or(&mut self.slips))
    }

    /// Whether there was an array so far, which may have been empty.
    pub fn has_array(&self) -> bool {
        self.has_array
    }

    /// Whether the text is more than one array or object.
    pub fn has_several(&self) -> bool {
        self.texts > 1
    }

    /// Where the text ended within an array, if it did.
    pub fn open(&self) -> Option<Position> {
        self.open
    }

    /// Finds the next payload, and the values that are none behind it. Until another payload begins, or all
    /// ends in good order, those may be the other half of it.
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

    /// Takes the value that begins here. False where that took all that is left.
    fn value(&mut self, kind: ValueKind) -> io::Result<bool> {
        let (from, slips) = (self.at, std::mem::take(&mut self.slips));
        match self.extent()? {
            Extent::Whole(bytes) if kind == ValueKind::Object || self.is_json(&bytes) => {
                self.found.push_back(FoundValue { slips, what: FoundKind::Value(kind, bytes) });
                self.after_value = true;
                return Ok(true);
            }
            Extent::Lost(all, fault) => {
                let what = FoundKind::Rest { first: None, fault, all, cut: true };
                self.found.push_back(FoundValue { slips, what });
                self.end()?;
            }
            _ => {
                (self.at, self.slips) = (from, slips);
                let is_behind = !self.found.is_empty();
                let fault = if is_behind { Some(self.fault(self.due(true))?) } else { None };
                self.rest(fault)?;
            }
        }
        Ok(false)
    }

    /// Takes all that is left of the text, from what was found last on: a fault behind a payload may be in it.
    fn rest(&mut self, fault: Option<SyntaxFault>) -> io::Result<()> {
        let (mut from, mut first, mut slips) = (self.at, None, std::mem::take(&mut self.slips));
        // What is too large has been dealt with, and is told by itself.
        if let Some(FoundValue {
            what: FoundKind::Value(kind, TextSpan::Window(start, end)),
            slips: before,
        }) = self.found.front_mut()
        {
            from = *start;
            first = Some(TextSpan::Window(*start, *end)).filter(|_| *kind == ValueKind::Object);
            slips = std::mem::take(before);
            self.found.clear();
        }
        while self.window.len() - self.done - from <= MAX_LINE && self.fill()? {}
        let to = self.window.len() - self.done;
        let all = TextSpan::Window(from, to);
        self.found.push_back(FoundValue {
            slips,
            what: FoundKind::Rest { first, fault, all, cut: to - from > MAX_LINE },
        });
        self.end()
    }

    /// Reads the text to its end, and finds no more in it.
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

    /// Passes over the rest of a value that is too large.
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

    /// Whether an element that is no payload is JSON.
    fn is_json(&self, bytes: &TextSpan) -> bool {
        serde_json::from_slice::<&RawValue>(self.piece(bytes, false).bytes).is_ok()
    }

    /// Goes to the next value, over whatever may stand between two of them.
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
                    self.slips.extend(comma.take().map(|at| (self.place(at), LenientSyntax::Comma)));
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

    fn due(&self, is_due: bool) -> &'static str {
        match (self.in_array, is_due) {
            (false, _) => "the file should end, or another payload begin",
            (true, false) => "a comma should, or the end of the array",
            (true, true) => "a payload should",
        }
    }

    fn bracket(&mut self, opening: bool) {
        self.in_array = opening;
        self.has_array = true;
        self.texts += u64::from(opening);
        self.after_value = false;
    }

    /// The text ends here.
    fn is_open(&mut self) {
        if self.in_array {
            self.open = Some(self.here());
        }
    }

    /// Passes over white space and comments.
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
                    self.slip(at, LenientSyntax::Comment);
                }
                _ => return Ok(None),
            }
        }
    }

    /// Passes over a comment. False where it is none: it is never closed, or holds half a text.
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

    fn slip(&mut self, at: Position, slip: LenientSyntax) {
        // More than a few of a kind say no more than the first.
        if self.slips.len() < 100 {
            self.slips.push((at, slip));
        }
    }

    /// What stands here should not.
    fn fault(&mut self, due: &'static str) -> io::Result<SyntaxFault> {
        const SHOWN: usize = 20;
        self.peek(SHOWN * 4)?;
        let rest = &self.window[self.done + self.at..];
        let rest = String::from_utf8_lossy(&rest[..rest.len().min(SHOWN * 4)]);
        let shown: String = rest.chars().take_while(|c| !matches!(c, '\r' | '\n')).take(SHOWN).collect();
        Ok(SyntaxFault { at: self.here(), found: excerpt(&shown), due })
    }

    fn here(&self) -> Position {
        self.place(self.at)
    }

    /// The place so far behind what has been dealt with.
    fn place(&self, at: usize) -> Position {
        self.position.behind(&self.window[self.done..][..at])
    }

    /// A byte so far from here; nothing behind the end of the text.
    fn peek(&mut self, behind: usize) -> io::Result<Option<u8>> {
        while self.window.len() <= self.done + self.at + behind && self.fill()? {}
        Ok(self.window.get(self.done + self.at + behind).copied())
    }

    /// Reads more into the window. False at the end of the text.
    fn fill(&mut self) -> io::Result<bool> {
        self.window.drain(..self.done);
        self.done = 0;
        let read = self.text.by_ref().take(BLOCK as u64).read_to_end(&mut self.window)?;
        Ok(read > 0)
    }

    /// What has been looked at has been dealt with.
    fn pass(&mut self) {
        self.position = self.here();
        self.done += std::mem::take(&mut self.at);
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

    /// The payloads with their places and what stands before each; what can't be told apart, from where it
    /// may be half of a payload, with the fault; and at last what stands behind all.
    fn split(text: &str, buffer: usize) -> Vec<String> {
        let mut elements = ElementReader::of(BufReader::with_capacity(buffer, text.as_bytes()));
        let mut told = Vec::new();
        let slips = |slips: Vec<(Position, LenientSyntax)>| -> String {
            let told =
                |(at, slip): (Position, LenientSyntax)| format!("<{slip:?} {}:{}>", at.line, at.column);
            slips.into_iter().map(told).collect()
        };
        while elements.next().unwrap() {
            let before = slips(elements.take_slips());
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
        told.extend(Some(slips(elements.take_slips())).filter(|slips| !slips.is_empty()));
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
