//! Payloads that somebody edited by hand.

use std::ops::RangeInclusive;

use super::*;

const SIGNS: &[u8] = b"{}[]\",:";

/// A text with one edit, and where.
struct Edit {
    text: Vec<u8>,
    at: usize,
}

/// All edits of a text; within its strings only those of quotes, if anything else would just be text.
fn edits(text: &str, in_strings: bool) -> impl Iterator<Item = Edit> {
    let bytes = text.as_bytes();
    let is_inside = inside(bytes);
    (0..=bytes.len()).flat_map(move |at| {
        let signs = SIGNS.iter().filter(|sign| in_strings || **sign == b'"' || !is_inside[at]);
        let put_in = signs.map(|sign| [&bytes[..at], &[*sign], &bytes[at..]].concat());
        let is_sign = bytes.get(at).is_some_and(|byte| SIGNS.contains(byte));
        let taken_out = is_sign.then(|| [&bytes[..at], &bytes[at + 1..]].concat());
        put_in.chain(taken_out).map(move |text| Edit { text, at }).collect::<Vec<_>>()
    })
}

/// Whether each place of a text, and its end, is within a string.
fn inside(text: &[u8]) -> Vec<bool> {
    let (mut is_inside, mut is_escaped) = (false, false);
    let mut all = vec![false];
    for byte in text {
        is_inside ^= *byte == b'"' && !is_escaped;
        is_escaped = is_inside && *byte == b'\\' && !is_escaped;
        all.push(is_inside);
    }
    all
}

/// The objects of a text by another reader, which knows the tolerances: a mark of the byte order, comments,
/// and a comma behind a last member or element. Nothing where it isn't JSON to the end.
fn meaning(text: &[u8]) -> Option<Vec<Value>> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = without_tolerances(text.strip_prefix('\u{feff}').unwrap_or(text));
    let values: Vec<Value> =
        serde_json::Deserializer::from_str(&plain).into_iter().collect::<Result<_, _>>().ok()?;
    let texts = values.into_iter().map(|value| match value {
        Value::Array(elements) => elements,
        other => vec![other],
    });
    Some(texts.flatten().collect())
}

fn without_tolerances(text: &str) -> String {
    let is_inside = inside(text.as_bytes());
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_text = is_inside[text.len() - rest.len()] || c == '"';
        let comment = match rest.get(..2).filter(|_| !is_text) {
            Some("//") => rest.find('\n').or(Some(rest.len())),
            Some("/*") => rest.find("*/").map(|end| end + 2),
            _ => None,
        };
        let length = comment.unwrap_or(c.len_utf8());
        if comment.is_none() {
            if !is_text && matches!(c, ']' | '}') {
                let kept = plain.trim_end().strip_suffix(',').map(str::len);
                plain.truncate(kept.unwrap_or(plain.len()));
            }
            plain.push(c);
        }
        rest = &rest[length..];
    }
    plain
}

/// A file, and where in it each of its payloads is.
struct File {
    format: Format,
    text: String,
    payloads: Vec<(RangeInclusive<usize>, Value)>,
}

impl File {
    fn of(format: Format, text: &str, payloads: &[String]) -> Self {
        let mut from = 0;
        let found = payloads.iter().map(|payload| {
            let start = from + text[from..].find(payload.as_str()).unwrap();
            from = start + payload.len();
            (start..=from, serde_json::from_str(&without_tolerances(payload)).unwrap())
        });
        Self { format, text: text.to_owned(), payloads: found.collect() }
    }

    /// What may be taken after an edit: the payloads that it doesn't touch, and whatever the text means now.
    /// What a comma or a request line tells it from, it doesn't touch.
    fn may_be_taken(&self, edit: &Edit) -> Vec<Value> {
        let is_touched = |range: &RangeInclusive<usize>| range.contains(&edit.at);
        let is_within = self.payloads.iter().any(|(range, _)| is_touched(range));
        let is_apart = |range: &RangeInclusive<usize>| {
            let between = match edit.at < *range.start() {
                true => &self.text[edit.at..*range.start()],
                false => &self.text[*range.end()..edit.at],
            };
            between.contains(',') || between.contains("PUT ")
        };
        let next = self.payloads.iter().take_while(|(range, _)| *range.end() < edit.at).count();
        let others = self.payloads.iter().enumerate().filter(|(at, (range, _))| match is_within {
            true => !is_touched(range),
            false => is_apart(range) || !(*at == next || at + 1 == next),
        });
        let others = others.map(|(_, (_, payload))| payload.clone());
        others.chain(self.meant(&edit.text)).collect()
    }

    fn meant(&self, text: &[u8]) -> Vec<Value> {
        match self.format {
            Format::Json => meaning(text).unwrap_or_default(),
            Format::Http => {
                let bodies = String::from_utf8_lossy(text).into_owned();
                let bodies = bodies.split("###").filter_map(|request| request.split_once("\n\n"));
                bodies.filter_map(|(_, body)| meaning(body.as_bytes())).flatten().collect()
            }
            _ => text.split(|byte| *byte == b'\n').filter_map(meaning).flatten().collect(),
        }
    }

    /// Makes every edit, and counts those after which something is taken of what was touched.
    fn check(&self, in_strings: bool) -> usize {
        let whole = sound(self.format, self.text.as_bytes());
        assert_eq!(whole.len(), self.payloads.len(), "{}", self.text);
        let mut meant = 0;
        for edit in edits(&self.text, in_strings) {
            let taken = sound(self.format, &edit.text);
            if taken.is_empty() {
                continue;
            }
            let may = self.may_be_taken(&edit);
            for line in &taken {
                let payload: Value = serde_json::from_str(line).unwrap();
                let shown = String::from_utf8_lossy(&edit.text);
                assert!(may.contains(&payload), "{payload} is taken of\n{shown}");
                meant += usize::from(!self.payloads.iter().any(|(_, whole)| *whole == payload));
            }
        }
        meant
    }
}

/// A small payload with all that there is: nesting, lists, texts that hold signs, an address.
fn small(number: u32) -> String {
    let id = format!("5a1e0001-0000-4000-8000-0000000000{number}");
    let nested = r#""details":{"dealValue":1.50,"notes":"a, \"b\": {c} // d"},"team":[{"email":"a@example.com"},{"x":[1,2]}]"#;
    format!(r#"{{"id":"{id}","links":{{"self":"https://x/y"}},{nested},"status":null}}"#)
}

fn pretty(payload: &str) -> String {
    format!("{:#}", serde_json::from_str::<Value>(payload).unwrap())
}

#[test]
fn of_one_payload_as_a_file() {
    let (small, pretty) = (small(15), pretty(&small(15)));
    for text in [&small, &pretty] {
        for format in [Format::Json, Format::Jsonl] {
            if format == Format::Json || text == &small {
                assert!(File::of(format, text, std::slice::from_ref(text)).check(true) > 0);
            }
        }
    }
}

#[test]
fn of_several_payloads_in_every_form() {
    let compact: Vec<String> = [15, 16, 18].map(small).into();
    let open: Vec<String> = compact.iter().map(|payload| pretty(payload)).collect();
    let slovenly: Vec<String> =
        open.iter().map(|payload| payload.replace("null\n}", "null, // e \"f\"\n}")).collect();
    let put = |payload: &String| {
        format!("PUT https://x/referrals/{}\n\n{payload}\n", &payload[payload.find("5a1e").unwrap()..][..36])
    };
    let requests: Vec<String> = open.iter().map(put).collect();
    for (format, text, payloads) in [
        (Format::Json, format!("[{}]", compact.join(",")), &compact),
        (Format::Json, format!("[\n{}\n]\n", open.join(",\n")), &open),
        (Format::Json, format!("[\n{},\n]\n", slovenly.join(", /* g */\n")), &slovenly),
        (Format::Json, open.join("\n"), &open),
        (Format::Json, compact.join(""), &compact),
        (Format::Jsonl, compact.join("\n"), &compact),
        (Format::Http, requests.join("\n###\n"), &open),
    ] {
        File::of(format, &text, payloads).check(false);
    }
}

/// So many edits are made at a time.
const AT_A_TIME: usize = 1_000;

/// Many edits of a payload are the lines of one file, since lines are judged one by one.
#[test]
fn of_samples_as_lines() {
    let samples = sample("legacy-puts.jsonl");
    let payloads: Vec<&str> = samples.lines().collect();
    each(&payloads, |payload| {
        let mut edits = edits(payload, false).map(|edit| edit.text).peekable();
        while edits.peek().is_some() {
            let lines: Vec<Vec<u8>> = edits.by_ref().take(AT_A_TIME).collect();
            for (line, written) in sound_lines(Format::Jsonl, &lines.join(&b'\n')) {
                let meant = meaning(&lines[usize::try_from(line).unwrap() - 1]);
                let payload: Value = serde_json::from_str(&written).unwrap();
                assert_eq!(meant, Some(vec![payload]), "line {line}, of {written}");
            }
        }
    });
}

#[test]
fn of_the_request_that_is_documented() {
    let requests = sample("put-request.http");
    let request = requests.split("\n###").next().unwrap();
    let body = request[request.find("\n{").unwrap() + 1..].trim_end();
    assert!(body.contains(",\n}"), "the documentation's comma too many");
    File::of(Format::Http, request, &[body.to_owned()]).check(false);
}
