//! Reads error bodies. Any bytes are accepted; nothing here can fail.
//!
//! Three shapes are documented (docs/api-facts.md, "Status codes"), and OAuth and problem+json add two. They
//! differ in names only: an object has a code and a message, may say what is wrong with which field
//! (`reasons`), and may hold a deeper object of the same kind.

use std::time::Duration;

use serde_json::value::RawValue;

use super::reasons::{self, member};
use crate::domain::characters::is_hidden;
use crate::domain::exchange::Refusal;
use crate::domain::json::{self, Object};

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;
/// The longest code; real ones are a few words long.
const LONGEST_CODE: usize = 100;
/// The number of nested objects that are read; real ones nest three deep.
const DEEPEST: usize = 16;

/// Names of members that hold a deeper error, in any letter case: the service spells some names in two ways.
const INNER: [&str; 2] = ["error", "innerError"];

/// Reads the answer to a request that was refused. The errors of its challenges come before the codes of its
/// body.
pub(super) fn read(
    status: u16,
    challenges: &[String],
    body: &[u8],
    retry_after: Option<Duration>,
) -> Refusal {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let (deeper, message) = Object::parse(text).map(|object| walk(object)).unwrap_or_default();
    let mut codes: Vec<String> = challenges.iter().filter_map(|text| code(text)).take(DEEPEST).collect();
    codes.extend(deeper);
    let message = message.unwrap_or_else(|| describe(status, text));
    Refusal {
        status,
        code: codes.last().cloned(),
        codes,
        message: bounded(&message, LONGEST_MESSAGE),
        retry_after,
    }
}

/// Returns the deepest code and the message of a JSON error, and nothing else that it holds.
pub(super) fn words(text: &str) -> [Option<String>; 2] {
    let (codes, message) = Object::parse(text).map(|object| walk(object)).unwrap_or_default();
    [codes.last().cloned(), message.map(|message| bounded(&message, LONGEST_MESSAGE))]
}

/// Returns the first characters of a text, in one line; hidden characters become U+FFFD.
pub(super) fn bounded(text: &str, longest: usize) -> String {
    let plain = |c: char| {
        if c.is_whitespace() {
            ' '
        } else if is_hidden(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    match text.char_indices().nth(longest) {
        None => text.chars().map(plain).collect(),
        Some(_) => text.chars().take(longest - 1).map(plain).chain(['…']).collect(),
    }
}

/// Returns the deepest code and the message of an error that came in a successful answer. `None` where the
/// body is no error, or is a referral.
pub fn error_in(body: &str) -> Option<String> {
    let text = body.trim_start_matches('\u{feff}').trim();
    let object = Object::parse(text).filter(|object| object.get("id").is_none())?;
    let (codes, message) = walk(object);
    let messages: Vec<String> = codes.into_iter().next_back().into_iter().chain(message).collect();
    (!messages.is_empty()).then(|| bounded(&messages.join(": "), LONGEST_MESSAGE))
}

/// Returns all codes from the outermost to the deepest, and the messages beside them, each once, joined in
/// the same order.
fn walk(outermost: Object<'_>) -> (Vec<String>, Option<String>) {
    let (mut codes, mut messages) = (Vec::new(), Vec::<String>::new());
    let mut next = Some(outermost);
    for _ in 0..DEEPEST {
        let Some(object) = next else { break };
        // In OAuth, `error` is the code itself; elsewhere it is the object that holds the code.
        let code = member(&object, "code").or_else(|| member(&object, "error"));
        codes.extend(code.and_then(code_text));
        for text in reasons::message(&object).into_iter().chain(reasons::of(&object)) {
            if !messages.iter().any(|earlier| earlier.contains(&text)) {
                messages.push(text);
            }
        }
        next = INNER.iter().find_map(|name| member(&object, name).and_then(Object::from_raw));
    }
    (codes, joined(&messages))
}

/// Joins sentences, without the full stops between them.
fn joined(messages: &[String]) -> Option<String> {
    let (last, others) = messages.split_last()?;
    let others = others.iter().map(|text| text.trim_end_matches('.'));
    Some(others.chain([last.as_str()]).collect::<Vec<_>>().join("; "))
}

/// Returns the text of a code, which some bodies write as a number.
fn code_text(raw: &RawValue) -> Option<String> {
    let is_number = raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
    code(&if is_number { raw.get().into() } else { json::string(raw)? })
}

fn code(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| bounded(text, LONGEST_CODE))
}

/// Describes a body that has no message.
fn describe(status: u16, text: &str) -> String {
    let what = if text.is_empty() {
        "without a body".to_owned()
    } else if text.starts_with('<') {
        title(text).map_or_else(
            || "with a page in place of an answer".to_owned(),
            |title| format!("with a page in place of an answer: \"{title}\""),
        )
    } else {
        format!("without a message: {text}")
    };
    let hint =
        if (300..400).contains(&status) { "; redirects are not followed, check the endpoint" } else { "" };
    format!("HTTP {status} {what}{hint}")
}

/// Returns the title of an HTML page.
fn title(html: &str) -> Option<&str> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let length = lower[start..].find("</title>")?;
    Some(html[start..start + length].trim()).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, codes: &[&str], message: &str) {
        let got = read(status, &[], body.as_bytes(), None);
        assert_eq!(got.codes, codes, "{body}");
        assert_eq!(got.code.as_deref(), codes.last().copied(), "{body}");
        assert_eq!(got.message, message, "{body}");
        assert_eq!(got.status, status);
    }

    #[test]
    fn documented_bodies_are_understood() {
        for (status, body, codes, message) in [
            (
                412,
                r#"{"error":{"code":"preconditionFailed","message":"stale","target":"eTag",
                    "innerError":{"code":"resourceModified","innererror":{"code":99918,"message":"deeper"}}}}"#,
                &["preconditionFailed", "resourceModified", "99918"][..],
                "eTag: stale; deeper",
            ),
            (
                400,
                r#"{"Message":"The request is invalid.","ModelState":{"details.dealValue":["Out of range."]}}"#,
                &[],
                "The request is invalid; details.dealValue: Out of range.",
            ),
            (
                400,
                r#"{"title":"Validation failed.","status":400,"errors":{"/details/currency":["is unknown"]}}"#,
                &[],
                "Validation failed; /details/currency: is unknown",
            ),
            (
                422,
                r#"{"error":{"code":"invalid","message":"See below","details":[
                    {"code":"range","target":"/details/dealValue","message":"too low"},
                    {"target":"/status","message":"/status is closed"}],
                    "innererror":{"code":"deep","message":"inner text"}}}"#,
                &["invalid", "deep"],
                "See below; /details/dealValue: too low; /status is closed; inner text",
            ),
            (
                400,
                r#"{"error":{"message":"wrong","innererror":{"message":"wrong","errors":{"a":["b\u001b[2J"]}}}}"#,
                &[],
                "wrong; a: b\u{fffd}[2J",
            ),
            (
                429,
                r#"{"statusCode":429,"message":"Rate limit is exceeded."}"#,
                &[],
                "Rate limit is exceeded.",
            ),
            (400, r#"{"code":2055,"description":"changed","data":[],"source":"x"}"#, &["2055"], "changed"),
            (401, r#"{"error":{"code":"900421","message":"no MFA"}}"#, &["900421"], "no MFA"),
            (400, r#"{"error":"invalid_grant","error_description":"over"}"#, &["invalid_grant"], "over"),
            (404, r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"gone"}"#, &[], "gone"),
            (404, r#"{"title":"Not Found"}"#, &[], "Not Found"),
            (400, "\u{feff} {\"Error\":{\"Code\":\"a\",\"Message\":\"b\"}} ", &["a"], "b"),
            (400, r#"{"error":{"message":"","innererror":{"message":"inside"}}}"#, &[], "inside"),
            (
                400,
                r#"{"error":{"code":"","message":null}}"#,
                &[],
                "HTTP 400 without a message: {\"error\":{\"code\":\"\",\"message\":null}}",
            ),
            (
                400,
                r#"{"code":true,"message":{"value":"x"}}"#,
                &[],
                "HTTP 400 without a message: {\"code\":true,\"message\":{\"value\":\"x\"}}",
            ),
            (500, "", &[], "HTTP 500 without a body"),
            (502, "  \r\n", &[], "HTTP 502 without a body"),
            (
                502,
                "<html><head><TITLE> Bad Gateway </TITLE>",
                &[],
                "HTTP 502 with a page in place of an answer: \"Bad Gateway\"",
            ),
            (503, "<html>", &[], "HTTP 503 with a page in place of an answer"),
            (
                400,
                "upstream\tsaid\u{1b}[31m no",
                &[],
                "HTTP 400 without a message: upstream said\u{fffd}[31m no",
            ),
            (400, "[1,2]", &[], "HTTP 400 without a message: [1,2]"),
            (307, "", &[], "HTTP 307 without a body; redirects are not followed, check the endpoint"),
        ] {
            check(status, body, codes, message);
        }
    }

    #[test]
    fn challenges_come_before_the_codes_of_the_body() {
        for (challenges, body, codes) in [
            (&["insufficient_claims"][..], "", &["insufficient_claims"][..]),
            (&["a", " ", "b"], r#"{"error":{"code":"c","innerError":{"code":"d"}}}"#, &["a", "b", "c", "d"]),
            (&[], r#"{"code":"c"}"#, &["c"]),
        ] {
            let challenges: Vec<String> = challenges.iter().map(|text| (*text).to_owned()).collect();
            let got = read(403, &challenges, body.as_bytes(), None);
            assert_eq!(
                (got.codes, got.code.as_deref()),
                (codes.iter().map(|code| (*code).to_owned()).collect(), codes.last().copied())
            );
        }
        let many = vec!["é".repeat(10_000); 1_000];
        let got = read(401, &many, b"", None);
        assert_eq!((got.codes.len(), got.codes[0].chars().count()), (DEEPEST, LONGEST_CODE));
    }

    #[test]
    fn a_yes_may_hold_an_error() {
        for (body, wanted) in [
            (r#"{"error":{"code":"Busy","message":"try later"}}"#, Some("Busy: try later")),
            (r#"{"code":"x","innerError":{"code":"y"}}"#, Some("y")),
            ("\u{feff}{\"statusCode\":500,\"message\":\"oh\"}", Some("oh")),
            (r#"{"title":"Bad","errors":{"/a":["no"]}}"#, Some("Bad; /a: no")),
            (r#"{"id":"5a1e","message":"of a referral"}"#, None),
            (r#"{"value":[]}"#, None),
            ("{}", None),
            ("", None),
            ("<html>", None),
        ] {
            assert_eq!(error_in(body).as_deref(), wanted, "{body}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let long = format!(r#"{{"code":"{0}","message":"{0}"}}"#, "é".repeat(10_000));
        let got = read(400, &[], long.as_bytes(), None);
        assert_eq!(got.message.chars().count(), LONGEST_MESSAGE);
        assert!(got.message.ends_with("é…"));
        assert_eq!(got.codes[0].chars().count(), LONGEST_CODE);

        let deep = format!("{}{{}}{}", r#"{"code":1,"innerError":"#.repeat(5_000), "}".repeat(5_000));
        assert_eq!(read(400, &[], deep.as_bytes(), None).codes.len(), DEEPEST);
        let exact = "x".repeat(LONGEST_MESSAGE);
        assert_eq!(bounded(&exact, LONGEST_MESSAGE), exact);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(status in 100_u16..600, body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let got = read(status, &[], &body, None);
            prop_assert!(got.message.chars().count() <= LONGEST_MESSAGE);
            prop_assert!(!got.message.chars().any(is_hidden));
        }

        #[test]
        fn anything_like_an_error_is_taken(
            body in r#"[{\["]{0,3}"?(error|code|message|innerError)?"?:?[{"0-9<>a-z\\ué,}\]]{0,40}"#,
        ) {
            let got = read(400, &[], body.as_bytes(), None);
            prop_assert!(!got.message.is_empty());
            prop_assert_eq!(got.code.as_ref(), got.codes.last());
        }
    }
}
