//! Every form of input with every fault that it can have.

use super::super::options::Options;
use super::super::record::Read;
use super::*;
use crate::domain::account::{Format, RowText};
use crate::domain::change::Rejected;
use crate::domain::finding::{Finding, Location};
use crate::domain::level::Level;
use crate::domain::rules::Rule;
use crate::domain::wording::Wording;

const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
const OTHER: &str = "5a1e0001-0000-4000-8000-000000000002";

/// A text with its settings as they are typed.
fn spelled(wording: &Wording) -> String {
    wording.spelled(|setting| format!("--{}", setting.name()))
}

fn options(format: Format) -> Options {
    Options { format: Some(format), ..Options::default() }
}

fn read_bytes(bytes: &[u8], options: &Options) -> (Vec<PayloadRecord>, Result<Read, String>) {
    let mut records = Vec::new();
    let mut take = |record| {
        records.push(record);
        Ok::<(), std::convert::Infallible>(())
    };
    let end = read("-", Some(&mut &*bytes), 0, options, &mut take).map_err(|error| error.to_string());
    let end = end.map(|Ended { read, condemned }| {
        assert_eq!(read.info.rows, records.len() as u64);
        condemned
            .iter()
            .for_each(|condemned| records.iter_mut().for_each(|record| condemn(record, condemned)));
        read
    });
    (records, end)
}

/// What becomes of a payload whose file is not taken.
fn condemn(record: &mut PayloadRecord, condemned: &Condemned) {
    if let Ok(payload) = &record.parsed {
        let findings = vec![condemned.finding(record.place)];
        record.parsed = Err(Rejected { id: Some(payload.id), place: record.place, findings, partial: None });
        record.notes.clear();
    }
}

fn records(text: &str, options: &Options) -> Vec<PayloadRecord> {
    let (records, end) = read_bytes(text.as_bytes(), options);
    assert!(end.is_ok(), "{text}: {end:?}");
    records
}

/// Findings as `rule@line:column message; hint`, a line each.
fn told(findings: &[Finding]) -> String {
    let told = |finding: &Finding| {
        let Location { line, column, .. } = finding.place;
        let warns = if finding.is_deny() { "" } else { "warn " };
        format!("{warns}{}@{line}:{column} {}", finding.rule, spelled(&finding.sentence()))
    };
    findings.iter().map(told).collect::<Vec<_>>().join("\n")
}

/// What a payload came to: the last digit of its id, its eTag, and what was found.
fn outcome(record: &PayloadRecord) -> String {
    let Location { line, column, .. } = record.place;
    let (what, findings) = match &record.parsed {
        Ok(payload) => {
            assert_eq!(payload.place, record.place);
            assert!(!record.notes.iter().any(Finding::is_deny));
            let etag = payload.etag.as_ref().map_or(String::new(), |etag| format!(" {}", etag.value));
            (format!("ok {}{etag}", &payload.id.to_string()[35..]), &record.notes)
        }
        Err(rejected) => {
            assert!(record.notes.is_empty() && rejected.findings.iter().any(Finding::is_deny));
            let id = rejected.id.map_or(String::new(), |id| format!(" {}", &id.to_string()[35..]));
            (format!("rejected{id}"), &rejected.findings)
        }
    };
    format!("{line}:{column} {what}\n{}", told(findings)).trim_end().to_owned()
}

fn check(format: Format, text: &str, wanted: &str) {
    let text = text.replace("{ID}", ID).replace("{OTHER}", OTHER);
    let got: Vec<String> = records(&text, &options(format)).iter().map(outcome).collect();
    assert_eq!(got.join("\n"), wanted, "{text}");
}

fn body(record: &PayloadRecord) -> &str {
    record.parsed.as_ref().unwrap_or_else(|rejected| panic!("{rejected:?}")).body.as_ref()
}

fn line(record: &PayloadRecord) -> &str {
    let RowText::Line(line) = &record.text else { panic!() };
    line
}

/// What one line of JSON lines comes to; columns count from behind `{"id":"…",`.
fn check_members(members: &str, wanted: &str) {
    let line = format!("{{\"id\":\"{ID}\",{members}}}");
    let got = outcome(&records(&line, &options(Format::Jsonl))[0]);
    let mut shifted = Vec::new();
    for line in got.lines() {
        match line.split_once("@1:") {
            Some((rule, rest)) => {
                let (column, message) = rest.split_once(' ').unwrap();
                shifted.push(format!("{rule}@{} {message}", column.parse::<i64>().unwrap() - 45));
            }
            None => shifted.push(line.strip_prefix("1:1 ").unwrap().to_owned()),
        }
    }
    assert_eq!(shifted.join("\n"), wanted, "{members}");
}

#[test]
fn members_of_a_payload() {
    for (members, wanted) in [
        (r#""eTag":"\"v1\"""#, "ok 1 \"v1\""),
        (r#""eTag":"v1""#, "ok 1 \"v1\""),
        (r#""eTag":"""#, "ok 1"),
        (r#""eTag":null"#, "ok 1"),
        (r#""eTag":"*""#, "ok 1\nwarn legacy-header@8 eTag: * stands for any version, and binds to none"),
        (r#""eTag":5"#, "rejected 1\ntype@8 eTag: 5 is no JSON string; copy the eTag as the service gave it"),
        (
            r##""eTag":"#N/A""##,
            "rejected 1\ntype@8 eTag: \"#N/A\" is no eTag; mend the formula in the spreadsheet, or empty the cell",
        ),
        (
            r#""eTag":"null""#,
            "rejected 1\ntype@8 eTag: \"null\" is no eTag; to leave it as it is, leave it out, or the cell empty",
        ),
        (
            r#""eTag":"a b""#,
            "rejected 1\ntype@8 eTag: an eTag holds printable ASCII characters only; \
             copy the eTag as the service gave it, or leave it out",
        ),
        (r#""status":"Paused","substatus":null"#, "ok 1"),
        (r#""status":1"#, "ok 1\nwarn legacy-number@10 status 1 is read as New"),
        (
            r#""status":3,"substatus":7"#,
            "ok 1\nwarn legacy-number@10 status 3 is read as Closed\n\
             warn legacy-number@24 substatus 7 is read as Expired",
        ),
        (r#""status":0"#, "rejected 1\ntype@10 0 is no status; known are 1 New, 2 Active, 3 Closed"),
        (r#""status":1.0"#, "rejected 1\ntype@10 1.0 is no status; known are 1 New, 2 Active, 3 Closed"),
        (r#""status":-1"#, "rejected 1\ntype@10 -1 is no status; known are 1 New, 2 Active, 3 Closed"),
        (
            r#""substatus":8"#,
            "rejected 1\ntype@13 8 is no substatus; known are 1 Pending, 2 Received, 3 Accepted, 4 Won, \
             5 Lost, 6 Declined, 7 Expired",
        ),
        (
            r#""substatus":"None""#,
            "rejected 1\ntype@13 None is no substatus that a referral can have; leave it out to leave it as it is",
        ),
        (r#""status":{}"#, "rejected 1\ntype@10 status: {} is no JSON string; put it in quotes"),
        (
            r#""a":{"b":1,"b":2}"#,
            "rejected 1\nduplicate-key@16 \"b\" stands twice in one object; keep one of them",
        ),
        (r#""result":{"id":5},"result.outcome":"x""#, "ok 1"),
        (r#""id":"x""#, "rejected 1\nduplicate-key@6 \"id\" stands twice in one object; keep one of them"),
        (
            r#""Name":"x""#,
            "ok 1\nwarn legacy-case@8 member names begin with capitals, as \"Name\" does, and are read as \"name\" is",
        ),
        (
            r#""Id":"x""#,
            "rejected 1\nwarn legacy-case@6 member names begin with capitals, as \"Id\" does, and are read as \"id\" is\n\
             duplicate-key@-44 \"id\" stands twice in one object; keep one of them",
        ),
        (r#""a":1,"#, "ok 1\nwarn lenient-json@6 a comma too many"),
        (r#""a":[1,],"b":[2,],"#, "ok 1\nwarn lenient-json@7 a comma too many (the first of 3)"),
        (r#""a"/* x */:1"#, "ok 1\nwarn lenient-json@4 a comment"),
        (r#""é":tru"#, "rejected\njson@8 the payload is no valid JSON: expected ident; correct it there"),
        (
            r#""a":1 // x"#,
            "rejected\njson@11 the payload is no valid JSON: EOF while parsing an object; it is cut off: give it whole",
        ),
        (
            r#""a":1 # x"#,
            "rejected\njson@7 the payload is no valid JSON: expected `,` or `}`; correct it there",
        ),
    ] {
        check_members(members, wanted);
    }
}

#[test]
fn payloads_that_name_no_referral() {
    const NONE: &str = "id@1:1 the payload names no referral; give the referral's GUID as id";
    for (text, wanted) in [
        ("{}", NONE),
        (r#"{"id":null}"#, NONE),
        (r#"{"input":"{\"id\":"}"#, NONE),
        (
            r#"{"input":"{\"id\":","result.outcome":"invalid"}"#,
            "json@1:1 this stands for a line that could not be read, whose text is in \"input\"; \
             write the corrected object in its place, or take the line out",
        ),
        (r#"{"id":5}"#, "id@1:7 the id 5 is no JSON string; give the referral's GUID in quotes"),
        (r#"{"id":"R-1"}"#, "id@1:7 \"R-1\" is no GUID; a referral's id is a GUID"),
        (
            r#"{"id":"https://x/{ID}"}"#,
            "id@1:7 \"https://x/5a1e0001-0000-4000-8000-000000…\" is no GUID; a referral's id is a GUID",
        ),
        (
            r#"{"engagementId":"{ID}"}"#,
            "id@1:17 engagementId is not the referral's id, and there is no id; \
             several referrals can share one engagement: give the referral's own id",
        ),
    ] {
        for format in [Format::Jsonl, Format::Json] {
            check(format, text, &format!("1:1 rejected\n{wanted}"));
        }
    }
}

#[test]
fn what_is_no_object_is_a_finding_in_every_form() {
    type Form = (Format, fn(&str) -> String, &'static str);
    let forms: [Form; 3] = [
        (Format::Jsonl, str::to_owned, "1:1"),
        (Format::Json, |text| format!("[\n {text}\n]"), "2:2"),
        (Format::Http, |text| format!("PUT https://x/referrals/{ID}\n\n{text}"), "3:1"),
    ];
    for (text, what) in [
        ("5", "a single value"),
        ("\"text\"", "a single value"),
        ("null", "a single value"),
        ("[]", "an array"),
        ("[{}]", "an array"),
    ] {
        for (format, form, at) in forms {
            if (format, what) == (Format::Json, "an array") {
                continue;
            }
            let got = records(&form(text), &options(format));
            let wanted = format!(
                "json@{at} the payload is {what}, not an object; a payload is a referral as a JSON object"
            );
            assert_eq!(told(&got[0].parsed.as_ref().unwrap_err().findings), wanted);
            assert_eq!(got.len(), 1);
        }
    }
    let many: String = (0..1_000).map(|number| format!(",\"n{number}\":0")).collect();
    for (format, form, at) in forms {
        let got = records(&form(&format!("{{\"id\":\"{ID}\"{many}}}")), &options(format));
        let wanted = format!("size@{at} the payload has more than 1000 members; a referral has a few dozen");
        assert_eq!(told(&got[0].parsed.as_ref().unwrap_err().findings), wanted);
    }
    let nested = format!("{{\"id\":\"{ID}\",\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for (format, form, at) in forms {
        let got = records(&form(&nested), &options(format));
        let wanted =
            format!("size@{at} the JSON is nested more than 64 levels deep; a referral nests five levels");
        assert_eq!(told(&got[0].parsed.as_ref().unwrap_err().findings), wanted);
    }
}

#[test]
fn a_damaged_payload_leaves_the_next_one_alone_where_they_can_be_told_apart() {
    const CUT: &str = "it is cut off: give it whole";
    for (format, text, wanted) in [
        (
            Format::Jsonl,
            "{\"id\":\"{ID}\",\"a\":\"x\n{\"id\":\"{OTHER}\"}\n",
            format!("1:1 rejected\njson@1:51 the payload is no valid JSON: EOF while parsing a string; {CUT}\n2:1 ok 2"),
        ),
        (
            Format::Jsonl,
            "{\"id\":\"{ID}\"},\"a\":{}}\n{\"id\":\"{OTHER}\"}",
            "1:1 rejected\njson@1:46 the payload is no valid JSON: trailing characters; correct it there\n2:1 ok 2".to_owned(),
        ),
        (
            Format::Json,
            "[{\"id\":\"{ID}\",\"a\":tru},{\"id\":\"{OTHER}\"}]",
            "1:2 rejected\njson@1:54 the payload is no valid JSON: expected ident; correct it there\n1:56 ok 2".to_owned(),
        ),
        // What a damaged payload holds is no payload, wherever it stands on its line.
        (
            Format::Json,
            "[\n{\n\"id\":\"{ID}\",\n\"a\":tru,\n\"b\":[\n{\"id\":\"{OTHER}\"},\n{\"id\":\"{OTHER}\"}\n]\n}\n]",
            "2:1 rejected\njson@4:8 the payload is no valid JSON: expected ident; correct it there".to_owned(),
        ),
        (
            Format::Http,
            "PUT https://x/referrals/{ID}\n\n{\"id\":\n\n###\nPUT https://x/referrals/{OTHER}\n\n{\"id\":\"{OTHER}\"}",
            format!(
                "1:1 rejected 1\njson@3:6 the payload is no valid JSON: EOF while parsing a value; {CUT}\n6:1 ok 2"
            ),
        ),
    ] {
        check(format, text, &wanted);
    }
}

/// What may stand behind a payload is its other half, and what follows that may be anything.
#[test]
fn half_a_payload_is_none() {
    const HALF: &str =
        "what is before it may be half of a payload, so nothing is taken from there on: correct it";
    const END: &str = "stands where the file should end, or another payload begin";
    const CUT: &str =
        "the payload is no valid JSON: EOF while parsing an object; it is cut off: give it whole";
    for (text, wanted) in [
        // A brace too many, and the closing of a referral would go without its deal value.
        (
            "{\"id\":\"{ID}\",\n\"status\":\"Closed\"},\n\"details\":{\"dealValue\":1}}",
            format!("1:1 rejected 1\njson@2:19 \",\" {END}; {HALF}"),
        ),
        (
            "[{\"id\":\"{ID}\"},\"details\":{\"id\":\"{OTHER}\"}},{\"id\":\"{OTHER}\"}]",
            format!(
                "1:2 rejected 1\njson@1:57 \":{{\"id\":\"5a1e0001-000\" \
                 stands where a comma should, or the end of the array; {HALF}"
            ),
        ),
        (
            "{\"id\":\"{ID}\"}}\n{\"id\":\"{OTHER}\"}",
            format!("1:1 rejected 1\njson@1:46 \"}}\" {END}; {HALF}"),
        ),
        ("[{\"id\":\"{ID}\"}]\n<html>", format!("1:2 rejected 1\njson@2:1 \"<html>\" {END}; {HALF}")),
        // The payload before is told from the two that can't be told apart.
        (
            "[{\"id\":\"{ID}\"},{\"id\":\"{ID}\"}\n{\"id\":\"{OTHER}\"}]",
            format!(
                "1:2 ok 1\n1:48 rejected 1\njson@2:1 \"{{\"id\":\"5a1e0001-0000\" \
                 stands where a comma should, or the end of the array; {HALF}"
            ),
        ),
        (
            "[\n  {\n    \"id\": \"{ID}\"\n  {\n    \"id\": \"{OTHER}\"\n  }\n]",
            "2:3 rejected\njson@4:3 the payload is no valid JSON: expected `,` or `}`; correct it there".to_owned(),
        ),
        (
            "[\n{\"id\":\"{OTHER}\"},\n{\"id\":\"{ID}\",\"a\":\"x,\n{\"id\":\"{OTHER}\"}\n]",
            "2:1 ok 2\n3:1 rejected\njson@3:52 the payload is no valid JSON: control character \
             (\\u0000-\\u001F) found while parsing a string; correct it there"
                .to_owned(),
        ),
        // Objects one after the other, over lines of their own, count where all of them are whole.
        (
            "{\n\"id\":\"{ID}\"}\n{\n\"id\":\"{OTHER}\"",
            format!(
                "1:1 rejected 1\njson@1:1 the file is more than one array or object, and what stands at 4:43 is \
                 no JSON, so nobody can tell what belongs together; \
                 correct it there, or write one payload a line into a .jsonl file\n3:1 rejected\njson@4:43 {CUT}"
            ),
        ),
        // An array that is never closed is not what was written.
        (
            "[{\"id\":\"{ID}\"},\n",
            "1:2 rejected 1\ncut-off@1:2 the array that holds it is never closed before the file ends in line 2; \
             give the file whole; --rule cut-off=warn takes what is whole of it\n2:1 rejected\n\
             json@2:1 the array is never closed: the file may have been cut off; give the file whole"
                .to_owned(),
        ),
        (
            "[",
            "1:2 rejected\njson@1:2 the array is never closed: the file may have been cut off; give the file whole"
                .to_owned(),
        ),
    ] {
        check(Format::Json, text, &wanted);
    }
}

#[test]
fn of_an_array_that_is_never_closed_what_is_whole_is_taken_where_the_user_wants_it() {
    for (text, wanted) in [
        ("[{\"id\":\"{ID}\"},", ["ok 1", "rejected"]),
        ("[{\"id\":\"{ID}\"}", ["ok 1", "rejected"]),
        ("[{\"id\":\"{ID}\"},{\"id\":\"{OTHER}\",\"a\":[", ["ok 1", "rejected"]),
        ("[{\"id\":\"{ID}\"}", ["ok 1", "rejected"]),
    ] {
        for level in [Level::Warn, Level::Allow] {
            let mut options = options(Format::Json);
            options.levels.set(Rule::CutOff, level).unwrap();
            let got = records(&text.replace("{ID}", ID).replace("{OTHER}", OTHER), &options);
            let got: Vec<String> = got.iter().map(outcome).collect();
            assert_eq!(got.len(), wanted.len());
            assert!(got.iter().zip(wanted).all(|(got, wanted)| got.contains(wanted)), "{text}: {got:?}");
        }
    }
}

#[test]
fn slips_are_told_where_they_are() {
    for (format, text, wanted) in [
        (
            Format::Jsonl,
            "// x\n{\"id\":\"{ID}\",}\n",
            "2:1 ok 1\nwarn lenient-json@1:1 a comment\nwarn lenient-json@2:45 a comma too many",
        ),
        (Format::Jsonl, "\u{feff}{\"id\":\"{ID}\"}", "1:1 ok 1\nwarn lenient-json@1:1 a byte order mark"),
        (
            Format::Json,
            "[\n // é\n {\n  \"id\": \"{ID}\", // x\n  \"a\": [1,],\n }, /* y */\n {\"id\": \"{OTHER}\"}\n]",
            "3:2 ok 1\nwarn lenient-json@2:2 a comment\nwarn lenient-json@5:10 a comma too many (the first of 2)\n\
             warn lenient-json@4:49 a comment\n7:2 ok 2\nwarn lenient-json@6:5 a comment",
        ),
        (
            Format::Http,
            "PUT https://x/referrals/{ID}\n\n{\n  \"id\": \"{ID}\",\n}",
            "1:1 ok 1\nwarn lenient-json@4:47 a comma too many",
        ),
    ] {
        check(format, text, wanted);
    }
    for (text, wanted) in
        [("[{\"id\":\"{ID}\"},\n]", "-:1: a comma too many"), ("{\"id\":\"{ID}\"}\n// x", "-:2: a comment")]
    {
        let (_, end) = read_bytes(text.replace("{ID}", ID).as_bytes(), &options(Format::Json));
        assert_eq!(end.unwrap().notes, [wanted], "{text}");
    }
}

const PUT: &str = "PUT https://api.partner.microsoft.com/v1.0/engagements/referrals/{ID} HTTP/1.1";

#[test]
fn requests_of_every_sort() {
    for (text, wanted) in [
        // As it is printed, and as editors write it.
        ("{PUT}\nIf-Match: \"v1\"\n\n{\"id\":\"{ID}\",\"eTag\":\"\\\"v1\\\"\"}", "1:1 ok 1 \"v1\""),
        ("{PUT}\nif-match:v1\n\n{\"id\":\"{ID}\",\"eTag\":\"v1\"}", "1:1 ok 1 \"v1\""),
        (
            "### x\n# @name y\n@z = 1\n// c\n\nput /v1.0/engagements/referrals/{ID}\n// c\n\n\n{\"id\":\"{ID}\"}",
            "6:1 ok 1",
        ),
        ("{PUT}\nHost: x\n{\"id\":\n\"{ID}\"}", "1:1 ok 1"),
        ("{PUT}\n\n{\"id\":\"{ID}\"}\n\n> {% x() %}\n<> y.json\nHTTP/1.1 200 OK\n\n{}", "1:1 ok 1"),
        ("{PUT}\n\n{\"id\":\"{ID}\"}\n{PUT}\n\n{\"id\":\"{ID}\"}\n###\n###\n", "1:1 ok 1\n4:1 ok 1"),
        // What is no header may be part of the body, and makes half of what follows.
        (
            "{PUT}\n\"status\": \"Closed\",\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\nrequest@2:1 this line is neither a header nor an empty line; \
             correct it: an empty line stands between headers and body",
        ),
        (
            "{PUT}\n\n{\"id\":\"{ID}\"}\n<html></html>",
            "1:1 rejected 1\njson@4:1 the payload is no valid JSON: trailing characters; correct it there",
        ),
        // What the payload lacks.
        (
            "{PUT}\nIf-Match: v1\n\n{\"id\":\"{ID}\",\"eTag\":null}",
            "1:1 ok 1 \"v1\"\nwarn legacy-header@2:1 the payload has no eTag: the one in If-Match is taken",
        ),
        (
            "{PUT}\n\n{}",
            "1:1 ok 1\nwarn legacy-header@1:1 the payload has no id: the one in the URL is taken",
        ),
        (
            "{PUT}\nIf-Match: *\n\n{\"id\":\"{ID}\",\"eTag\":\"v1\"}",
            "1:1 ok 1 \"v1\"\nwarn legacy-header@2:1 If-Match: * stands for any version, and binds to none",
        ),
        // Contradictions.
        (
            "{PUT}\nIf-Match: v2\n\n{\"id\":\"{ID}\",\"eTag\":\"v1\"}",
            "1:1 rejected 1\nrequest@2:1 If-Match is \"v2\", and the body's eTag \"v1\"; \
             keep the one that the payload was made from",
        ),
        (
            "{PUT}\nIf-Match: v2\nIf-Match: v1\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\nrequest@3:1 there are two If-Match headers; keep the one that the payload was made from\n\
             warn legacy-header@2:1 the payload has no eTag: the one in If-Match is taken",
        ),
        (
            "{PUT}\n\n{\"id\":\"{OTHER}\"}",
            "1:1 rejected 1\nid@3:7 the id is not the one in the URL, which is {ID}; correct the one that is wrong",
        ),
        (
            "{PUT}\nIf-Match: \"v1\", \"v2\"\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\ntype@2:1 If-Match: an eTag has no quotes or backslashes within it; \
             copy the eTag as the service gave it, or leave it out",
        ),
        // No PUT of a referral.
        (
            "GET https://x/referrals/{ID}\n\n###\n{PUT}\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected\nrequest@1:1 GET is no PUT of a referral; leave the request out: \
             only a PUT has something to migrate\n4:1 ok 1",
        ),
        (
            "https://x/referrals/{ID}\n",
            "1:1 rejected\nrequest@1:1 GET is no PUT of a referral; leave the request out: \
             only a PUT has something to migrate",
        ),
        (
            "PATCH https://x/referrals/{ID}\n\n[]",
            "1:1 rejected\nrequest@1:1 PATCH is no PUT of a referral; \
             it is a PATCH already: apply takes JSON lines with its operations as \"patch\"",
        ),
        (
            "PUT https://x/customers/{ID}\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\nrequest@1:1 the URL names no referral; \
             the URL of a referral ends in /engagements/referrals/ and the referral's id",
        ),
        (
            "PUT https://x/referrals/R-1/\n\n{\"id\":\"{ID}\"}",
            "1:1 rejected 1\nid@1:1 the URL's id \"R-1\" is no GUID; \
             the URL of a referral ends in /engagements/referrals/ and the referral's id",
        ),
        (
            "PUT https://x/referrals/{{id}}\n\n{}",
            "1:1 rejected\nrequest@1:1 the URL holds the variable \"{{id}}\", which is not filled in; \
             write the referral's id in its place",
        ),
        (
            "{\"id\":\"{ID}\"}",
            "1:1 rejected\nrequest@1:1 this is no request line; \
             a request begins with its method and URL, as in PUT https://… HTTP/1.1",
        ),
        (
            "{PUT}\nX: y\n",
            "1:1 rejected 1\nrequest@1:1 the request has no body; \
             a PUT carries the whole referral as JSON, behind an empty line",
        ),
        (
            "{PUT}\n\n< ./body.json\n",
            "1:1 rejected 1\nrequest@3:1 the body of the request is in another file; give that file to migrate instead",
        ),
        ("", ""),
    ] {
        if !text.is_empty() {
            check(Format::Http, &text.replace("{PUT}", PUT), &wanted.replace("{ID}", ID));
        }
    }
}

#[test]
fn no_token_comes_out_of_a_request() {
    let secrets = [
        "Authorization: Bearer s3cret\n\n{\"id\":\"x\"}",
        "AUTHORIZATION : bearer s3cret\n\n{\"id\":",
        "\nAuthorization: Bearer s3cret\n{}",
        "\nBearer s3cret\n",
        "Authorization: Bearer\n s3cret\n\n{\"id\":\"{ID}\"}",
        "Cookie: s3cret\n\n{\"id\":\"{ID}\"}",
        "\n{\"id\":\"{ID}\"}\nAuthorization: Bearer s3cret",
    ];
    let lines =
        ["PUT https://me:s3cret@x/referrals/{ID}?t=s3cret", "GET https://x/?s3cret", "Authorization: s3cret"];
    for line in lines {
        for secret in secrets {
            let text = format!("{line}\n{secret}\n").replace("{ID}", ID);
            let (records, end) = read_bytes(text.as_bytes(), &options(Format::Http));
            let told = format!("{records:?} {end:?}");
            assert!(!told.contains("s3cret"), "{text}: {told}");
            assert_eq!(records.len(), 1, "{text}");
        }
    }
}

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
        assert!(super::super::super::domain::json::Object::parse(self::line(&records[0])).is_none());
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

mod any {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    /// Values as referrals hold them; numbers that need all of their digits are checked elsewhere.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-zé\"\\\\/*,:{}\\[\\]#\n\t ]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[b-h][a-hA-Hé]{0,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn payload() -> impl Strategy<Value = Value> {
        let names = ["name", "details", "customerProfile", "team", "salesStage", "x", "@odata.context"];
        let members = prop::collection::btree_map(prop::sample::select(names.to_vec()), value(), 0..6);
        (members, 1..4_usize, 1..8_usize).prop_map(|(members, status, substatus)| {
            let mut all = Map::new();
            all.insert("id".to_owned(), ID.into());
            all.insert("eTag".to_owned(), "\"v1\"".into());
            all.insert("status".to_owned(), normalise::status_of(&status.to_string()).into());
            all.insert("substatus".to_owned(), normalise::substatus_of(&substatus.to_string()).into());
            all.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
            Value::Object(all)
        })
    }

    /// The same as a .NET integration would have written it.
    fn pascal(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let pascal = |(name, value): (&String, &Value)| {
                    let first = name.chars().next().unwrap().to_ascii_uppercase();
                    (format!("{first}{}", &name[first.len_utf8()..]), self::pascal(value))
                };
                Value::Object(members.iter().map(pascal).collect())
            }
            Value::Array(elements) => elements.iter().map(pascal).collect(),
            other => other.clone(),
        }
    }

    /// Pretty JSON with a comment on every line, and a comma behind every last element.
    fn slovenly(pretty: &str) -> String {
        let mut lines: Vec<String> = pretty.lines().map(str::to_owned).collect();
        for at in 1..lines.len() {
            let closes = lines[at].trim_start().starts_with(['}', ']']);
            if closes && !lines[at - 1].ends_with(['{', '[']) {
                lines[at - 1].push(',');
            }
        }
        lines.iter().map(|line| format!("{line} // \"}}\"\n/* \"{{ *]\" */\n")).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_payload_is_the_same_in_every_form(payload in payload()) {
            let (compact, pretty) = (payload.to_string(), format!("{payload:#}"));
            let put = format!("PUT https://x/referrals/{ID}\nIf-Match: \"v1\"\n");
            let large = pascal(&payload);
            let numbers = {
                let mut members = payload.as_object().unwrap().clone();
                let position = |name: &str, of: fn(&str) -> Option<&'static str>| {
                    (1..8).find(|number: &usize| of(&number.to_string()) == payload[name].as_str()).unwrap()
                };
                members.insert("status".to_owned(), position("status", normalise::status_of).into());
                members.insert("substatus".to_owned(), position("substatus", normalise::substatus_of).into());
                Value::Object(members)
            };
            for (format, text, copies) in [
                (Format::Jsonl, format!("{compact}\n\n{compact}"), 2),
                (Format::Jsonl, numbers.to_string(), 1),
                (Format::Jsonl, large.to_string(), 1),
                (Format::Json, compact.clone(), 1),
                (Format::Json, pretty.clone(), 1),
                (Format::Json, format!("{pretty}\n{pretty}\n"), 2),
                (Format::Json, format!("[{compact},{compact}]"), 2),
                (Format::Json, format!("{:#}", Value::from(vec![payload.clone(), payload.clone()])), 2),
                (Format::Json, slovenly(&pretty), 1),
                (Format::Json, slovenly(&format!("{:#}", Value::from(vec![large.clone(), payload.clone()]))), 2),
                (Format::Http, format!("{put}\n{compact}\n###\n{put}\n{pretty}\n"), 2),
                (Format::Http, format!("{put}Authorization: Bearer x\n\n{}", slovenly(&format!("{large:#}"))), 1),
            ] {
                let records = records(&text, &options(format));
                prop_assert_eq!(records.len(), copies, "{}", text);
                for record in &records {
                    let read: Value = serde_json::from_str(body(record)).unwrap();
                    prop_assert_eq!(&read, &payload, "{}", text);
                    let again = super::records(line(record), &options(Format::Jsonl));
                    prop_assert_eq!(again.len(), 1);
                    prop_assert_eq!(body(&again[0]).parse::<Value>().unwrap(), read);
                }
            }
        }

        #[test]
        fn bytes_never_lead_to_a_panic_and_every_payload_comes_once(
            words in prop::collection::vec(prop_oneof![
                Just(format!("{{\"id\":\"{ID}\"}}")),
                Just(format!("PUT https://x/referrals/{ID}\n\n")),
                Just("###\n".to_owned()),
                Just("If-Match: *\n".to_owned()),
                Just("// x\n".to_owned()),
                "[a{}\\[\\]\":,;\t\n\r 0é\\\\/*#@<>]{0,6}",
            ], 0..30),
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            for format in [Format::Jsonl, Format::Json, Format::Http] {
                for bytes in [words.concat().as_bytes(), &bytes[..]] {
                    let (records, _) = read_bytes(bytes, &options(format));
                    let places: Vec<Location> = records.iter().map(|record| record.place).collect();
                    // Half a character takes no column.
                    prop_assert!(places.is_sorted(), "{:?}", places);
                    for record in &records {
                        outcome(record);
                    }
                }
            }
        }
    }
}
