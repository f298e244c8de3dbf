//! Payloads: their members, what is no object, what is damaged, and what is half.

use super::*;

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
            "rejected\njson@11 the payload is no valid JSON: EOF while parsing an object; it is cut off: give the whole payload",
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
    const CUT: &str = "it is cut off: give the whole payload";
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
        "the payload is no valid JSON: EOF while parsing an object; it is cut off: give the whole payload";
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
                 no JSON, so it can't be told what belongs together; \
                 correct it there, or write one payload a line into a .jsonl file\n3:1 rejected\njson@4:43 {CUT}"
            ),
        ),
        // An array that is never closed is not what was written.
        (
            "[{\"id\":\"{ID}\"},\n",
            "1:2 rejected 1\ncut-off@1:2 the array that holds it is never closed before the file ends in line 2; \
             give the whole file; --rule cut-off=warn takes the payloads before its end\n2:1 rejected\n\
             json@2:1 the array is never closed: the file may have been cut off; give the whole file"
                .to_owned(),
        ),
        (
            "[",
            "1:2 rejected\njson@1:2 the array is never closed: the file may have been cut off; give the whole file"
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
