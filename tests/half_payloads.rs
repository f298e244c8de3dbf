//! Half a payload is none: whatever a file holds beside payloads, or lacks of them, nothing is sent of one
//! that may not be whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::convert::Infallible;

use referral_bulk::domain::account::{Format, RowText};
use referral_bulk::input::Options;
use referral_bulk::input::legacy::{self, PayloadRecord};
use serde_json::Value;
use support::case::{Ran, Test};
use support::samples::sample;
use support::sandbox::Sandbox;
use support::waiting::each;

const QUIET: &str = "--yes --confirm-closing 0 --rate 1000/s --out run --summary none --progress none";

const ID: &str = "5a1e0001-0000-4000-8000-000000000015";

/// A payload that gives a referral another reference.
fn referring(number: u32) -> String {
    format!(
        r#"{{"id":"5a1e0001-0000-4000-8000-0000000000{number}","eTag":"\"e7a90001-0000-4000-8000-0000000000{number}\"","externalReferenceId":"NEW-{number}"}}"#
    )
}

/// The payloads of a file that would be migrated, as they were written.
fn sound(format: Format, text: &[u8]) -> Vec<String> {
    sound_lines(format, text).into_iter().map(|(_, written)| written).collect()
}

/// Those with the lines in which they begin.
fn sound_lines(format: Format, text: &[u8]) -> Vec<(u64, String)> {
    let options = Options { format: Some(format), ..Options::default() };
    let mut sound = Vec::new();
    let mut take = |record: PayloadRecord| {
        if let (Ok(_), RowText::Line(line)) = (record.parsed, record.text) {
            sound.push((record.place.line, line));
        }
        Ok::<_, Infallible>(())
    };
    let ended = legacy::read("-", Some(&mut &*text), 0, &options, &mut take);
    // Of a file that is none as a whole, or isn't whole, nothing is taken.
    if ended.is_ok_and(|ended| ended.condemned.is_none()) { sound } else { Vec::new() }
}

/// The last two digits of the ids of those.
fn taken(format: Format, text: &str) -> Vec<u32> {
    let id = |line: &String| {
        let payload: Value = serde_json::from_str(line).unwrap();
        payload["id"].as_str().unwrap()[34..].parse().unwrap()
    };
    sound(format, text.as_bytes()).iter().map(id).collect()
}

/// What became of the rows of a run, as `line outcome code`.
fn findings(ran: &Ran) -> Vec<String> {
    findings_in(ran, "run")
}

fn findings_in(ran: &Ran, run: &str) -> Vec<String> {
    let outcomes = ran.place.raw(&format!("{run}/outcomes.jsonl"));
    let rows = outcomes.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| {
        format!("{} {} {}", row["line"], row["outcome"].as_str().unwrap(), row["code"].as_str().unwrap())
    })
    .collect()
}

/// Migrates a file against a service, and answers with what became of its rows.
fn check(name: &str, text: &str, flags: &str, code: i32, wanted: &[&str]) -> Ran {
    let sandbox = Sandbox::start("");
    let before = sandbox.referrals();
    let test = Test::new(&format!("migrate {name} {QUIET} {flags}")).file(name, text);
    let ran = test.service(&sandbox.base).code(code).told_elsewhere().run();
    assert_eq!(findings(&ran), wanted, "{text}");
    let is_untouched = sandbox.referrals() == before;
    assert_eq!(is_untouched, !wanted.iter().any(|wanted| wanted.contains("applied")), "{text}");
    ran
}

/// One brace too many in line 2 once closed the referral for good, and lost its deal value.
#[test]
fn a_brace_too_many_sends_nothing() {
    let text = format!(
        "{{\"id\":\"{ID}\",\"eTag\":\"\\\"e7a90001-0000-4000-8000-000000000015\\\"\",\n \
         \"status\":\"Closed\",\"substatus\":\"Won\"}},\n \"details\":{{\"dealValue\":125000.50,\"currency\":\"EUR\"}}}}\n"
    );
    for name in ["a.json", "a.jsonl"] {
        let ran = check(name, &text, "", 3, &["1 invalid json"]);
        assert!(ran.stderr().contains(&format!("{name}:2:38")), "{}", ran.stderr());
    }
}

#[test]
fn an_array_that_ends_early_is_told_and_never_a_success() {
    let text = format!("[{},\n", referring(15));
    let condemned = ["1 invalid cut-off", "2 invalid json"];
    check("a.json", &text, "", 3, &condemned);
    check("a.json", &text, "--rule cut-off=deny", 3, &condemned);
    for level in ["warn", "allow"] {
        check(
            "a.json",
            &text,
            &format!("--rule cut-off={level}"),
            3,
            &["1 applied applied", "2 invalid json"],
        );
    }
    check("a.json", "[", "", 3, &["1 invalid json"]);
    check("a.json", &text[..text.len() - 20], "", 3, &["1 invalid json"]);
}

/// Whoever follows the next command to the letter, or feeds the error report back as it is, sends nothing of a
/// payload that may be half of one.
#[test]
fn what_comes_next_sends_nothing_of_half_a_payload() {
    let closing = referring(15)
        .replace("\"externalReferenceId\":\"NEW-15\"", "\"status\":\"Closed\",\"substatus\":\"Won\"");
    for (name, text, rows, fed_back) in [
        // A brace too many.
        ("a.json", format!("{closing},\n\"details\":{{\"dealValue\":1}}}}\n"), 1, &["1 invalid json"][..]),
        ("a.jsonl", format!("{closing},\n\"details\":{{\"dealValue\":1}}}}\n"), 1, &["1 invalid json"]),
        // Sound by itself, and behind it something that may be the other half.
        ("a.json", format!("{closing}\n{{\"dealValue\":1}}}}\n"), 2, &["1 invalid json", "2 invalid json"]),
        ("a.json", format!("[{closing}\n{{\"dealValue\":1}}]\n"), 1, &["1 invalid json"]),
        ("a.http", format!("PUT https://x/referrals/{ID}\n\n{closing}\n}}\n"), 1, &["1 invalid json"]),
    ] {
        let sandbox = Sandbox::start("");
        let before = sandbox.referrals();
        let test = Test::new(&format!("migrate {name} {QUIET}")).file(name, &text);
        let ran = test.service(&sandbox.base).code(3).told_elsewhere().run();
        assert_eq!(ran.outcomes("run"), format!("{rows} invalid"), "{text}");
        let next = format!(
            "next: mend in {name} what may be no whole payload, for no line of the error report can show that, and \
             give it again, which changes only what was not applied: referral-bulk migrate {name} --endpoint {} \
             --rate 1000/s\n",
            sandbox.base
        );
        assert!(ran.stderr.ends_with(&next), "{}", ran.stderr);
        for (given, out) in [(name, "again"), ("run/error.jsonl", "fed-back")] {
            let quiet = QUIET.replace("run", out);
            let again = ran.then(&format!("migrate {given} {quiet}")).service(&sandbox.base).code(3);
            let again = again.told_elsewhere().run();
            assert_eq!(again.outcomes(out), format!("{rows} invalid"), "{given} of {text}");
            if out == "fed-back" {
                assert_eq!(findings_in(&again, out), fed_back, "{text}");
            }
        }
        assert!(sandbox.referrals() == before, "{text}");
    }
}

/// What is mended in the input and given again changes what was not applied, and nothing else.
#[test]
fn a_mended_file_is_given_again() {
    let (a, b) = (referring(15), referring(16));
    let broken = format!("[{a},{}]", b.replace("Id\":", "Id\""));
    let sandbox = Sandbox::start("");
    let test = Test::new(&format!("migrate a.json {QUIET}")).file("a.json", &broken).service(&sandbox.base);
    let ran = test.code(3).told_elsewhere().run();
    assert_eq!(ran.outcomes("run"), "1 applied, 1 invalid");
    let quiet = QUIET.replace("run", "again");
    let again = ran.then(&format!("migrate a.json {quiet}")).file("a.json", format!("[{a},{b}]"));
    let again = again.service(&sandbox.base).told_elsewhere().run();
    assert_eq!(again.outcomes("again"), "1 applied, 1 unchanged");
}

/// What a text that is no payload does to the good ones beside it.
mod beside {
    use super::*;

    /// Texts that are no payload. Two of them are JSON, and no object.
    const TEXTS: [&str; 24] = [
        "<!DOCTYPE html>\n<html><body>504 Gateway Time-out</body></html>",
        "2026-11-29T10:00:00Z INFO sent 12 payloads",
        "ubuntu@host:~/archive$ ",
        "PS C:\\archive> ",
        "null",
        "5",
        "}",
        "]",
        "{",
        "[",
        "\"",
        ",",
        ":",
        "\0\0",
        "\u{feff}",
        "\u{a0}",
        "\u{fffd}\u{fffd}",
        "\"status\":\"Closed\",\"substatus\":\"Won\"}",
        ",\"details\":{\"dealValue\":1}}",
        ":\"Closed\"}",
        "# a comment of another language",
        "// he said \"no",
        "/* never closed",
        "NaN",
    ];

    #[test]
    fn nothing_is_taken_that_a_text_stands_beside() {
        let (a, b) = (referring(15), referring(18));
        for text in TEXTS {
            let is_value = ["null", "5"].contains(&text);
            // Behind, before and between objects one after the other nothing may stand.
            for file in [
                format!("{a}{text}"),
                format!("{a}\n{text}\n"),
                format!("{text}\n{a}"),
                format!("{a}\n{text}\n{b}"),
            ] {
                // A mark before all else is one of the byte order.
                let is_mark = text == "\u{feff}" && file.starts_with(text);
                assert_eq!(taken(Format::Json, &file), vec![15; usize::from(is_mark)], "{file:?}");
            }
            // Of an array, the payload before the one that it stands behind is told apart.
            let wanted: &[u32] = if text == "," { &[18, 15] } else { &[18] };
            assert_eq!(taken(Format::Json, &format!("[{b},{a}{text}]")), wanted, "{text:?}");
            let wanted: &[u32] = match text {
                _ if is_value => &[15, 18],
                "{" => &[15],
                _ => &[],
            };
            assert_eq!(taken(Format::Json, &format!("[{a},{text},{b}]")), wanted, "{text:?}");
            // Lines are judged line by line, and requests one by one.
            assert_eq!(taken(Format::Jsonl, &format!("{a}\n{b}{text}\n")), [15], "{text:?}");
            let put = |id: u32| format!("PUT https://x/referrals/5a1e0001-0000-4000-8000-0000000000{id}\n\n");
            let requests = format!("{}{a}\n###\n{}{b}\n{text}\n", put(15), put(18));
            assert_eq!(taken(Format::Http, &requests), [15], "{text:?}");
        }
    }
}

/// Every edit of one character: each bracket, quote, comma and colon taken out, doubled, or put in at each
/// place. The text that comes of it is still JSON, by another reader, and means what that says; or nothing
/// is taken of the payload that it touches.
mod edits {
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
            format!(
                "PUT https://x/referrals/{}\n\n{payload}\n",
                &payload[payload.find("5a1e").unwrap()..][..36]
            )
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
}
