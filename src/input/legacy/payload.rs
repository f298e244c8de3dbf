//! The text of one payload → the payload, or what is wrong with it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::super::context::InputContext;
use super::super::duplicates::{RepeatedName, duplicates};
use super::super::earlier_result::{self, EarlierResult};
use super::super::lines::beginning;
use super::super::order_member;
use super::elements::SyntaxFault;
use super::http::PutRequest;
use super::lenient::{LenientSyntax, blanked};
use super::member::PayloadMember;
use super::normalise::{camel, camel_value, is_pascal, object_of};
use super::piece::{PayloadLocator, Piece, Position, count};
use super::record::PayloadRecord;
use crate::domain::account::RowText;
use crate::domain::change::Payload;
use crate::domain::change::{Located, Rejected};
use crate::domain::excerpt::excerpt;
use crate::domain::finding::{Finding, Location};
use crate::domain::json::{self, MAX_DEPTH, Object};
use crate::domain::level::Level;
use crate::domain::oddity::{Oddity, oddities};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::Rule;
use crate::domain::wording::Wording;

/// The number of repeated names of one payload that get a finding.
const MAX_DUPLICATES: usize = 20;

/// The most members that a payload may have. A referral has a few dozen.
const MAX_MEMBERS: usize = 1_000;

/// The number of bytes that the reports keep of a text that can't be separated into payloads.
const KEPT: usize = 64 * 1024;

/// The hint where a payload may be half of one.
const HALF: &str =
    "what is before it may be half of a payload, so nothing is taken from there on: correct it";

/// Reads one payload and collects its findings.
pub(super) struct PayloadReader<'a> {
    context: &'a InputContext<'a>,
    /// Where the payload begins.
    pub place: Location,
    /// The request that carries it, in an `.http` file.
    pub request: Option<&'a PutRequest>,
    findings: Vec<Finding>,
    /// The referral that it names.
    pub id: Option<ReferralId>,
    /// Its text for the reports, on one line where it is valid JSON.
    line: String,
    /// Its result in an earlier run, where the input is a report of that run.
    earlier: EarlierResult,
}

/// The members of a payload, and what they say of it.
struct PayloadMembers<'t> {
    members: Vec<PayloadMember<'t>>,
    /// Whether their names are in PascalCase.
    is_pascal: bool,
    id: Option<ReferralId>,
    etag: Option<Located<ETag>>,
}

impl PayloadMembers<'_> {
    /// Returns the payload as it counts. Most payloads are the very text that their members were read from, and
    /// are not written anew.
    fn body(&self, text: &str, written: &Object<'_>) -> Box<str> {
        let as_written = !self.is_pascal
            && self.members.len() == written.len()
            && self.members.iter().all(|member| member.replacement.is_none());
        if as_written && written.is_compact(text) {
            return text.into();
        }
        object_of(self.members.iter().map(|member| (&*member.name, member.value()))).into()
    }
}

impl<'a> PayloadReader<'a> {
    /// Begins the payload at a place, or the one in the body of a request.
    pub fn new(context: &'a InputContext<'a>, place: Location, request: Option<&'a PutRequest>) -> Self {
        let findings = request.map(|request| request.findings.clone()).unwrap_or_default();
        let id = request.and_then(|request| request.id);
        Self { context, place, request, findings, id, line: String::new(), earlier: EarlierResult::default() }
    }

    /// Adds the finding for syntax that JSON does not have. `times` is how often it occurs.
    pub fn add_lenient(&mut self, place: Location, syntax: LenientSyntax, times: usize) {
        let times = if times > 1 { format!(" (the first of {times})") } else { String::new() };
        self.warn(Rule::LenientJson, place, format!("{syntax}{times}"));
    }

    /// Reads the payload.
    pub fn read(mut self, piece: &Piece<'_>, transcoded: bool) -> PayloadRecord {
        let payload = match piece.text(self.context, transcoded) {
            Ok(text) => self.text(text, piece),
            Err((finding, shown)) => {
                self.findings.push(finding);
                self.line = without_token(&shown);
                None
            }
        };
        self.finish(payload)
    }

    /// Reads the text from which on payloads can't be separated: a payload, if it begins with one, and the
    /// fault behind it. Nothing of it is taken, but the record says which referral that payload is about.
    pub fn rest(
        mut self,
        first: Option<&Piece<'_>>,
        fault: Option<&SyntaxFault>,
        all: &Piece<'_>,
        transcoded: bool,
    ) -> PayloadRecord {
        let Some(SyntaxFault { at, found, due }) = fault else { return self.read(all, transcoded) };
        match first.map(|first| (first, first.text(self.context, transcoded))) {
            Some((first, Ok(text))) => drop(self.text(text, first)),
            Some((_, Err((finding, _)))) => self.findings.push(finding),
            None => {}
        }
        let place = self.context.place(at.line, at.column);
        self.deny(Rule::Json, place, format!("{found} stands where {due}"), HALF);
        self.line = without_token(&String::from_utf8_lossy(all.bytes));
        if self.line.len() > KEPT {
            self.line = format!("{}… [cut: {found} at line {}]", beginning(all.bytes), at.line);
        }
        self.finish(None)
    }

    /// Reads a payload again that was found sound before.
    pub fn again(mut self, text: &str, members: &Object<'_>) -> Option<Payload> {
        if json::is_too_deep(text) {
            return None;
        }
        let start = Position { line: self.place.line, column: 1 };
        let at = PayloadLocator { context: self.context, start, text, parsed: text };
        let list = self.list(&at, members);
        Some(Payload { id: list.id?, place: self.place, body: list.body(text, members), etag: list.etag })
    }

    /// Returns the record of the payload.
    pub fn finish(self, payload: Option<Payload>) -> PayloadRecord {
        let Self { place, request, findings, id, line, earlier, .. } = self;
        let sound = payload.filter(|_| !findings.iter().any(Finding::is_deny));
        // With its request line in front, a refused request is no JSON object: fed back, it must not pass for a payload.
        let line = match request.filter(|_| sound.is_none()) {
            Some(request) => format!("{} {line}", request.shown).trim_end().to_owned(),
            None => line,
        };
        let (parsed, notes) = match sound {
            Some(payload) => (Ok(payload), findings),
            None => (Err(Rejected { id, place, findings, partial: None }), Vec::new()),
        };
        PayloadRecord { place, text: RowText::Line(line), parsed, notes, earlier_outcome: earlier.outcome() }
    }

    /// Reads a text that was decoded.
    fn text(&mut self, text: &str, piece: &Piece<'_>) -> Option<Payload> {
        let at = PayloadLocator { context: self.context, start: piece.start, text, parsed: text };
        if json::is_too_deep(text) {
            self.line = without_token(text);
            let message = format!("the JSON is nested more than {MAX_DEPTH} levels deep");
            self.deny(Rule::Size, at.at(0), message, "a referral nests five levels");
            return None;
        }
        match Object::read(text) {
            Ok(members) => {
                self.line = one_line(text);
                self.members(&at, &members)
            }
            Err(error) => self.lenient(at, &error),
        }
    }

    /// Reads a text that is not valid JSON, where lenient syntax is the only reason.
    fn lenient(&mut self, at: PayloadLocator<'_>, error: &serde_json::Error) -> Option<Payload> {
        self.line = without_token(at.text);
        let Some((clean, lenient)) = blanked(at.text) else {
            self.findings.push(no_object(&at, error));
            return None;
        };
        let at = PayloadLocator { parsed: &clean, ..at };
        let members = match Object::read(&clean) {
            Ok(members) => members,
            Err(error) => {
                self.findings.push(no_object(&at, &error));
                return None;
            }
        };
        for kind in [LenientSyntax::Comma, LenientSyntax::Comment] {
            let mut those = lenient.iter().filter(|(_, syntax)| *syntax == kind);
            if let Some((offset, syntax)) = those.next() {
                self.add_lenient(at.at(*offset), *syntax, 1 + those.count());
            }
        }
        // The reports give a refused payload back with its comments, and a sound one as JSON.
        let as_written = std::mem::replace(&mut self.line, one_line(&clean));
        let payload = self.members(&at, &members);
        if self.findings.iter().any(Finding::is_deny) {
            self.line = as_written;
        }
        payload
    }

    /// Makes a payload of its members.
    fn members(&mut self, at: &PayloadLocator<'_>, members: &Object<'_>) -> Option<Payload> {
        if members.len() > MAX_MEMBERS {
            let message = format!("the payload has more than {MAX_MEMBERS} members");
            self.deny(Rule::Size, at.at(0), message, "a referral has a few dozen");
            return None;
        }
        self.earlier = EarlierResult::of_members(members);
        if let Some(finding) = earlier_result::stand_in(at.at(0), members) {
            self.findings.push(finding);
            return None;
        }
        let list = self.list(at, members);
        if list.members.iter().any(|member| member.from_request) {
            let written = list.members.iter().map(|member| (member.written, member.written()));
            self.line = one_line(object_of(written).get());
        }
        let body = list.body(at.parsed, members);
        if list.is_pascal {
            // Two names may have become one, such as `Id` and `id`, so the text as written would not show it.
            let found = Object::parse(&body).map(|members| duplicates(&body, &members));
            self.duplicates(found.unwrap_or_default(), |_| at.at(0));
        } else {
            self.duplicates(duplicates(at.parsed, members), |offset| at.at(offset));
        }
        for (offset, oddity) in oddities(at.parsed) {
            let rule = if oddity == Oddity::Number { Rule::Type } else { Rule::Encoding };
            self.deny(rule, at.at(offset), oddity.to_string(), oddity.hint());
        }
        Some(Payload { id: list.id?, place: self.place, etag: list.etag, body })
    }

    /// Returns the members as they count, with the id and the eTag that they hold.
    fn list<'t>(&mut self, at: &PayloadLocator<'_>, members: &'t Object<'_>) -> PayloadMembers<'t> {
        // What is there for the order of sending alone is no part of the referral.
        let order = self.context.options.order.as_deref();
        let is_foreign = |name: &str| {
            earlier_result::is_result(name) || order.is_some_and(|order| order_member::is_own(order, name))
        };
        let pascal = members.iter().find(|(name, _)| is_pascal(name) && !is_foreign(name));
        let mut list = Vec::with_capacity(members.len() + 2);
        for (written, value) in members.iter() {
            if is_foreign(written) {
                continue;
            }
            let (name, replacement) = match pascal {
                Some(_) => (camel(written), camel_value(value)),
                None => (Cow::Borrowed(written), None),
            };
            list.push(PayloadMember { written, name, value, replacement, from_request: false });
        }
        if let Some((name, value)) = pascal {
            let message = format!(
                "member names begin with capitals, as {} does, and are read as {} is",
                excerpt(name),
                excerpt(&camel(name)),
            );
            self.warn(Rule::LegacyCase, at.of(value), message);
        }
        self.read_numbers(at, &mut list);
        let id = self.identity(at, &mut list);
        let etag = self.version(at, &mut list);
        PayloadMembers { members: list, is_pascal: pascal.is_some(), id, etag }
    }

    /// Adds the findings for repeated names.
    fn duplicates(&mut self, found: Vec<RepeatedName>, place_of: impl Fn(usize) -> Location) {
        for RepeatedName { name, value } in found.into_iter().take(MAX_DUPLICATES) {
            let message = format!("{} stands twice in one object", excerpt(&name));
            self.deny(Rule::DuplicateKey, place_of(value), message, "keep one of them");
        }
    }

    /// Adds a finding that denies the payload.
    pub fn deny(
        &mut self,
        rule: Rule,
        place: Location,
        message: impl Into<String>,
        hint: impl Into<Wording>,
    ) {
        self.findings.push(Finding::deny(rule, place, message).hint(hint));
    }

    /// Adds a finding at the level that the user gave its rule.
    pub fn warn(&mut self, rule: Rule, place: Location, message: String) {
        let level = self.context.options.levels.of(rule);
        if level != Level::Allow {
            self.findings.push(Finding { level, ..Finding::deny(rule, place, message) });
        }
    }
}

/// Returns the finding for a text that is no payload.
fn no_object(at: &PayloadLocator<'_>, error: &serde_json::Error) -> Finding {
    let start = at.parsed.trim_start();
    if !start.starts_with('{') && serde_json::from_str::<&RawValue>(start).is_ok() {
        let what = if start.starts_with('[') { "an array" } else { "a single value" };
        let finding = Finding::deny(Rule::Json, at.at(0), format!("the payload is {what}, not an object"));
        return finding.hint("a payload is a referral as a JSON object");
    }
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or_default();
    let finding =
        Finding::deny(Rule::Json, at.of_error(error), format!("the payload is no valid JSON: {told}"));
    finding.hint(if error.is_eof() { "it is cut off: give the whole payload" } else { "correct it there" })
}

/// Returns JSON on one line. A line break can only stand between its tokens, so it can be left out.
fn one_line(text: &str) -> String {
    // Counting bytes is vectorised and much faster than splitting, and most payloads have no line break.
    if count(text.as_bytes(), |byte| matches!(byte, b'\n' | b'\r')) == 0 {
        return text.to_owned();
    }
    text.split(['\n', '\r']).map(|line| line.trim_matches([' ', '\t'])).collect()
}

/// Returns a text that could not be read, without what may be a token: a header may have got into it.
fn without_token(text: &str) -> String {
    const WORDS: [&str; 2] = ["authorization", "bearer"];
    let shown = |line: &str| {
        let lower = line.to_ascii_lowercase();
        match WORDS.iter().filter_map(|word| Some(lower.find(word)? + word.len())).min() {
            Some(end) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        }
    };
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}
