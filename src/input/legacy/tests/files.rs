//! Files: their encoding and size, what goes on record of them, and those that hold nothing.

use super::*;

#[test]
fn bytes_that_are_no_text_and_payloads_that_are_too_large() {
    let good = format!("{{\"id\":\"{ID}\"}}");
    let huge = format!("{{\"id\":\"{ID}\",\"a\":\"{}\"}}", "x".repeat(20 << 20));
    let put = format!("PUT https://x/referrals/{ID}\n\n");
    for (format, before, between, line) in
        [(Format::Jsonl, "", "\n", 1), (Format::Json, "[", ",\n", 1), (Format::Http, &put, "\n###\n", 3)]
    {
        let next = if format == Format::Http { put.as_str() } else { "" };
        let end = if format == Format::Json { "]" } else { "" };
        let mut bytes = format!("{before}{{\"é\":\"").into_bytes();
        bytes.extend_from_slice(b"\xfc\"}");
        bytes.extend_from_slice(format!("{between}{next}{good}{end}").as_bytes());
        let (records, read) = read_bytes(&bytes, &options(format));
        assert_eq!(read.unwrap().info.rows, 2);
        let column = if format == Format::Json { 8 } else { 7 };
        let wanted = format!(
            "encoding@{line}:{column} the payload is not valid UTF-8: byte 0xfc; save the file as UTF-8"
        );
        assert_eq!(told(&records[0].parsed.as_ref().unwrap_err().findings), wanted);
        assert!(crate::domain::json::Object::parse(super::line(&records[0])).is_none());
        assert_eq!(body(&records[1]), good);

        let text = format!("{before}{huge}{between}{next}{good}{end}");
        let (records, read) = read_bytes(text.as_bytes(), &options(format));
        assert_eq!(read.unwrap().info.rows, 2);
        let findings = told(&records[0].parsed.as_ref().unwrap_err().findings);
        assert!(
            findings.ends_with("the payload is larger than 16 MiB; a referral has a few kilobytes"),
            "{findings}"
        );
        assert!(self::line(&records[0]).len() < 400);
        assert_eq!(body(&records[1]), good);
    }
}

#[test]
fn what_goes_on_record_is_one_line_and_reads_the_same_again() {
    for (format, text, wanted, body_wanted) in [
        (
            Format::Jsonl,
            "{ \"id\" : \"{ID}\" , \"a\":0.10}",
            "{ \"id\" : \"{ID}\" , \"a\":0.10}",
            "{\"id\":\"{ID}\",\"a\":0.10}",
        ),
        (
            Format::Json,
            "{\n  // x\n  \"id\": \"{ID}\",\r\n  \"a\": { \"b\": 1,\n  },\n}",
            "{\"id\": \"{ID}\",\"a\": { \"b\": 1}}",
            "{\"id\":\"{ID}\",\"a\":{ \"b\": 1 \n  }}",
        ),
        (
            Format::Jsonl,
            "{\"Id\":\"{ID}\",\"Status\":2,\"Details\":{\"DealValue\":10.50}}",
            "{\"Id\":\"{ID}\",\"Status\":2,\"Details\":{\"DealValue\":10.50}}",
            "{\"id\":\"{ID}\",\"status\":\"Active\",\"details\":{\"dealValue\":10.50}}",
        ),
        (
            Format::Http,
            "PUT https://x/referrals/{ID}\nIf-Match: v1\n\n{\n\"Status\": 2,\n\"eTag\": \"\"}",
            "{\"Status\":2,\"eTag\":\"\\\"v1\\\"\",\"id\":\"{ID}\"}",
            "{\"status\":\"Active\",\"eTag\":\"\\\"v1\\\"\",\"id\":\"{ID}\"}",
        ),
    ] {
        let with_id = |text: &str| text.replace("{ID}", ID);
        let first = records(&with_id(text), &options(format)).remove(0);
        assert_eq!(line(&first), with_id(wanted));
        assert_eq!(body(&first), with_id(body_wanted));
        let again = records(line(&first), &options(Format::Jsonl)).remove(0);
        let value = |record| serde_json::from_str::<serde_json::Value>(body(record)).unwrap();
        assert_eq!(value(&again), value(&first));
        let etag =
            |record: &PayloadRecord| record.parsed.as_ref().unwrap().etag.clone().map(|etag| etag.value);
        assert_eq!(etag(&again), etag(&first));
    }
    // What was refused for its form, or for its request, must not come back as a payload.
    for (format, text) in [
        (Format::Http, "PUT https://x/referrals/{ID}\n\n{\"id\":\"{OTHER}\"}"),
        (Format::Http, "PUT https://x/referrals/{ID}\nIf-Match: v2\n\n{\"id\":\"{ID}\",\"eTag\":\"v1\"}"),
        (Format::Json, "{\"id\":\"{ID}\",\"a\":\"x\ny\"}"),
    ] {
        let record = records(&text.replace("{ID}", ID).replace("{OTHER}", OTHER), &options(format)).remove(0);
        assert!(record.parsed.is_err());
        assert!(serde_json::from_str::<serde_json::Value>(line(&record)).is_err(), "{text}");
    }
}

#[test]
fn warnings_have_the_level_that_the_user_gave_them() {
    let text = format!("{{\"Id\":\"{ID}\",\"Status\":2,}}");
    for rule in [Rule::LenientJson, Rule::LegacyCase, Rule::LegacyNumber] {
        let mut levels = options(Format::Jsonl);
        levels.levels.set(rule, Level::Allow).unwrap();
        let record = records(&text, &levels).remove(0);
        assert!(record.parsed.is_ok() && record.notes.len() == 2);
        assert!(record.notes.iter().all(|finding| finding.rule != rule));
        levels.levels.set(rule, Level::Deny).unwrap();
        let record = records(&text, &levels).remove(0);
        let rejected = record.parsed.as_ref().unwrap_err();
        assert_eq!(rejected.findings.len(), 3);
        assert_eq!(rejected.findings.iter().find(|finding| finding.is_deny()).unwrap().rule, rule);
        assert_eq!(line(&record), text);
    }
}

#[test]
fn files_that_hold_nothing() {
    for (bytes, format, wanted) in [
        (&b""[..], Format::Jsonl, Err("the file is empty")),
        (b"", Format::Http, Err("the file is empty")),
        (b"\0\0\0", Format::Jsonl, Err("the file is not text: it begins with NUL bytes")),
        (
            b"",
            Format::Json,
            Ok("1:1 rejected\njson@1:1 the file is empty; give a file with a payload as JSON"),
        ),
        (
            b"\0\0\0",
            Format::Json,
            Ok(
                "1:1 rejected\njson@1:1 the file is not text: it begins with NUL bytes; give a file with a payload as JSON",
            ),
        ),
        (b"[]", Format::Json, Ok("")),
        (b"### x\n", Format::Http, Ok("")),
        (b"\n\n", Format::Jsonl, Ok("")),
        (
            b" \n",
            Format::Json,
            Ok("1:1 rejected\njson@1:1 the file is empty; give a file with a payload as JSON"),
        ),
    ] {
        let (records, end) = read_bytes(bytes, &options(format));
        match wanted {
            Ok(wanted) => {
                assert_eq!(records.iter().map(outcome).collect::<String>(), wanted);
                let note = wanted.is_empty().then(|| "-: holds no payload".to_owned());
                assert_eq!(end.unwrap().notes, note.into_iter().collect::<Vec<_>>());
            }
            Err(wanted) => assert!(end.unwrap_err().starts_with(wanted)),
        }
    }
}

#[test]
fn the_sample_reads_as_two_payloads() {
    let mut outcomes = Vec::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/put-request.http");
    let end = read::<()>(path, None, 0, &Options::default(), &mut |record| {
        outcomes.push(outcome(&record));
        Ok(())
    });
    assert_eq!(end.unwrap().read.info.format, Format::Http);
    assert_eq!(
        outcomes,
        [
            "3:1 ok 8 \"e7a90001-0000-4000-8000-000000000018\"\nwarn lenient-json@138:53 a comma too many",
            "143:1 ok 7 \"e7a90001-0000-4000-8000-000000000017\"\n\
             warn legacy-header@146:1 the payload has no eTag: the one in If-Match is taken",
        ]
    );
}
