//! JSON lines → rows.
//!
//! A line holds fields, nested as in the referral or under the names of CSV columns; or it holds JSON Patch
//! operations. [`super::object`] and [`super::patch`] read those; this module finds the lines and decodes them.

use serde_json::value::RawValue;

use super::context::{InputContext, RowsSummary};
use super::decode::DecodedText;
use super::earlier_result::{EarlierResult, stand_in};
use super::error::InputError;
use super::line_locator::LineLocator;
use super::lines::{BoundedLines, MAX_LINE, beginning};
use super::object::{self, Dictionary};
use super::record::Record;
use super::row::{FinishedRow, RowBuilder};
use crate::domain::account::RowText;
use crate::domain::finding::{Finding, Location};
use crate::domain::json::{self, Object};
use crate::domain::rules::Rule;

/// Reads every line that isn't blank and hands its row to the sink.
pub(super) fn read<E>(
    context: &InputContext<'_>,
    text: DecodedText<'_>,
    sink: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<RowsSummary, InputError<E>> {
    let transcoded = text.is_transcoded();
    let mut lines = BoundedLines::of(text.reader);
    let mut reader = LineReader { context, dictionary: Dictionary::new(context.options), transcoded };
    let mut count = 0;
    while lines.next().map_err(|error| context.unreadable(&error))? {
        if lines.bytes.trim_ascii().is_empty() && !lines.cut {
            continue;
        }
        count += 1;
        sink(reader.record(&lines)).map_err(InputError::Sink)?;
    }
    Ok(RowsSummary { count, ..RowsSummary::default() })
}

/// Makes rows of lines.
struct LineReader<'a> {
    context: &'a InputContext<'a>,
    dictionary: Dictionary<'a>,
    /// Whether the file was UTF-16, in which U+FFFD stands for what could not be decoded.
    transcoded: bool,
}

impl LineReader<'_> {
    /// Makes the row of a line.
    fn record<R>(&mut self, lines: &BoundedLines<R>) -> Record {
        let place = self.context.place(lines.line, 1);
        let mut row = RowBuilder::new(self.context.options, place);
        let mut earlier = EarlierResult::default();
        let text = match self.decode(lines, place) {
            Ok(text) => {
                earlier = self.object(&mut row, text, lines.line);
                text.to_owned()
            }
            Err((finding, text)) => {
                row.add_finding(finding);
                row.excuse_id();
                text
            }
        };
        row.rebind(&earlier);
        let (names, matched) = (row.take_names(), row.resolve());
        let FinishedRow { parsed, notes, as_in_base, base } = row.finish();
        let (text, earlier_outcome) = (RowText::Line(text), earlier.outcome());
        Record { place, text, parsed, notes, names, matched, earlier_outcome, as_in_base, base }
    }

    /// Returns a line's text; or the finding about it, and what the reports can show of it.
    fn decode<'l, R>(
        &self,
        lines: &'l BoundedLines<R>,
        place: Location,
    ) -> Result<&'l str, (Finding, String)> {
        let bytes = lines.bytes.as_slice();
        if lines.cut {
            let message = format!("the line is larger than {} MiB", MAX_LINE / (1024 * 1024));
            let start = beginning(bytes);
            let finding = Finding::deny(Rule::Size, place, message.clone());
            return Err((finding.hint("one referral's change a line"), format!("{start}… [cut: {message}]")));
        }
        let finding = match std::str::from_utf8(bytes) {
            Ok(text) if self.transcoded && text.contains(char::REPLACEMENT_CHARACTER) => {
                Finding::deny(Rule::Encoding, place, "the line holds what is not valid UTF-16")
            }
            Ok(text) => return Ok(text),
            Err(error) => {
                let at = error.valid_up_to();
                let column = String::from_utf8_lossy(&bytes[..at]).chars().count() + 1;
                let message = format!("the line is not valid UTF-8: byte 0x{:02x}", bytes[at]);
                Finding::deny(Rule::Encoding, self.context.place(lines.line, column), message)
            }
        };
        Err((finding.hint("save the file as UTF-8"), String::from_utf8_lossy(bytes).into_owned()))
    }

    /// Puts the members of a line into its row. Returns the result of an earlier run, where the line holds one.
    fn object(&mut self, row: &mut RowBuilder<'_>, text: &str, line: u64) -> EarlierResult {
        let at = LineLocator { context: self.context, text, line };
        let mut earlier = EarlierResult::default();
        if json::is_too_deep(text) {
            row.excuse_id();
            row.refuse_depth(at.start());
            return earlier;
        }
        match Object::read(text) {
            Ok(members) => {
                earlier = EarlierResult::of_members(&members);
                match stand_in(at.start(), &members) {
                    Some(finding) => {
                        row.excuse_id();
                        row.add_finding(finding);
                    }
                    None => {
                        if let Some((place, id)) = object::referral(&mut self.dictionary, &at, &members) {
                            row.compare(place, id, &earlier);
                        }
                        object::fill(row, &mut self.dictionary, &at, &members);
                    }
                }
            }
            Err(error) => {
                row.excuse_id();
                row.add_finding(no_object(&at, &error));
            }
        }
        earlier
    }
}

/// Returns the finding for a line that is no JSON object.
fn no_object(at: &LineLocator<'_>, error: &serde_json::Error) -> Finding {
    const HINT: &str = "write one JSON object a line, as in {\"id\":\"…\",\"status\":\"Active\"}";
    let start = at.text.trim_start();
    if !start.starts_with('{') && serde_json::from_str::<&RawValue>(start).is_ok() {
        let what = if start.starts_with('[') { "an array" } else { "a single value" };
        return Finding::deny(Rule::Json, at.start(), format!("the line is {what}, not an object"))
            .hint(HINT);
    }
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or_default();
    // The parser counts columns in bytes; a person counts characters.
    let read = &at.text.as_bytes()[..error.column().min(at.text.len())];
    let column = String::from_utf8_lossy(read).chars().count().max(1);
    Finding::deny(Rule::Json, at.column(column), format!("the line is no valid JSON: {told}")).hint(HINT)
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::tests::{ID, findings, only, options, read_bytes};
    use super::*;
    use crate::commands::next_command::spelled;
    use crate::domain::format::Format;
    use crate::domain::level::Level;
    use crate::domain::pointer::Pointer;

    fn jsonl() -> Options {
        options(Format::Jsonl)
    }

    /// A line's findings as `rule@column`, or what it asks for.
    fn asked(row: &Record) -> String {
        let Ok(draft) = &row.parsed else { return findings(row) };
        let sets = draft.sets.iter().map(|set| format!("{}={}", set.value.0, set.value.1.raw()));
        let adds = draft.appends.iter().map(|add| format!("{}+{}", add.value.field.pointer(), add.value.key));
        let status = draft.status.iter().map(|status| status.value.name().to_owned());
        let substatus = draft.substatus.iter().map(|stage| stage.value.to_string());
        let etag = draft.etag.iter().map(|etag| etag.value.to_string());
        sets.chain(adds).chain(status).chain(substatus).chain(etag).collect::<Vec<_>>().join(" ")
    }

    /// What a line with an id and these other members comes to; columns count from behind `{"id":"…",`.
    fn check(options: &Options, members: &str, wanted: &str) {
        let line = format!("{{\"id\":\"{ID}\",{members}}}");
        let row = only(&line, options);
        let got = asked(&row);
        let start = line.chars().count() - members.chars().count() - 1;
        let wanted: Vec<String> = wanted
            .split(' ')
            .map(|word| match word.split_once('@') {
                Some((rule, column)) if Rule::parse(rule).is_some() => {
                    format!("{rule}@{}", start + column.parse::<usize>().unwrap())
                }
                _ => word.to_owned(),
            })
            .collect();
        assert_eq!(got, wanted.join(" "), "{members}");
        assert_eq!(row.text, RowText::Line(line));
    }

    #[test]
    fn fields_are_found_however_they_are_written() {
        for (members, wanted) in [
            (r#""status":"Closed","substatus":"Won""#, "Closed Closed/Won"),
            (r#""details":{"dealValue":0.10}"#, "/details/dealValue=0.10"),
            (
                r#""details":{"dealValue":12345678901234567890.12}"#,
                "/details/dealValue=12345678901234567890.12",
            ),
            (r#""details":{"dealValue":"10"}"#, "/details/dealValue=10"),
            (r#""details.dealValue":10"#, "/details/dealValue=10"),
            (r#""/details/dealValue":10"#, "/details/dealValue=10"),
            (r#""Deal Value":10"#, "/details/dealValue=10"),
            (r#""details":{},"eTag":"v1""#, "\"v1\""),
            (r#""If-Match":"\"v1\"""#, "\"v1\""),
            (
                r#""details":{"requirements":{"solutions":[{"id":"S1"}]}}"#,
                "/details/requirements/solutions=[{\"id\":\"S1\"}]",
            ),
            (
                r#""team.add":[{"email":"a@example.com"},{"email":"b@example.com"}]"#,
                "/team+a@example.com /team+b@example.com",
            ),
            (r#""team.add":"Ann, Lee,, a@example.com""#, "/team+a@example.com"),
            (r#""/customerProfile/team/-":{"email":"a@example.com"}"#, "/customerProfile/team+a@example.com"),
            (r#""result":{"id":5,"x":1},"result.code":1"#, ""),
        ] {
            check(&jsonl(), members, wanted);
        }
    }

    #[test]
    fn operations_are_read() {
        for (operations, wanted) in [
            ("", ""),
            (r#"{"op":"replace","path":"/status","value":"Closed"}"#, "Closed"),
            (r#"{"op":"add","path":"/details/dealValue","value":1.50}"#, "/details/dealValue=1.50"),
            (r#"{"op":"add","path":"/team/-","value":{"email":"a@example.com"}}"#, "/team+a@example.com"),
            (
                r#"{"op":"add","path":"/salesStage","value":"10"},{"op":"replace","path":"/salesStage","value":"10"}"#,
                "/salesStage=\"10\"",
            ),
            (
                r#"{"op":"add","path":"/salesStage","value":"1"},{"op":"add","path":"/salesStage","value":"2"}"#,
                "contradiction@97",
            ),
            (
                r#"{"op":"add","path":"/status","value":"New"},{"op":"add","path":"/status","value":"Active"}"#,
                "contradiction@91",
            ),
            (
                r#"{"op":"add","path":"/team","value":[{"email":"b@example.com"}]},{"op":"add","path":"/team/-","value":{"email":"a@example.com"}}"#,
                r#"/team=[{"email":"b@example.com"}] /team+a@example.com"#,
            ),
            (
                r#"{"op":"add","path":"/team/-","value":{"email":"a@example.com"}},{"op":"add","path":"/team","value":[]}"#,
                "contradiction@93",
            ),
            (
                r#"{"op":"add","path":"/customerProfile/team/-","value":{"email":"a@example.com"}},{"op":"add","path":"/team","value":[{"email":"b@example.com"}]}"#,
                r#"/team=[{"email":"b@example.com"}] /customerProfile/team+a@example.com"#,
            ),
            (r#"{"op":"remove","path":"/salesStage"}"#, "operation@16"),
            (r#"{"path":"/salesStage","value":"1"}"#, "operation@10"),
            (r#"{"op":"add","value":"1"}"#, "operation@10"),
            (r#"{"op":"add","path":"salesStage","value":"1"}"#, "operation@29"),
            (r#"{"op":"add","path":5,"value":"1"}"#, "operation@29"),
            (r#"{"op":"add","path":"/team/0","value":{}}"#, "operation@29"),
            (r#"{"op":"replace","path":"/team/-","value":{}}"#, "operation@33"),
            (r#"{"op":"add","path":"/salesStage"}"#, "operation@10"),
            (r#""x""#, "operation@10"),
            (r#"{"op":"add","path":"/closedDateTime","value":"x"}"#, "read-only-path@29"),
            (r#"{"op":"add","path":"/id","value":"x"}"#, "read-only-path@29"),
            (r#"{"op":"add","path":"/Status","value":"x"}"#, "unconfirmed-path@29"),
            (r#"{"op":"add","path":"/name","value":"x"}"#, "unconfirmed-path@29"),
            (r#"{"op":"add","path":"/salesStage","value":null}"#, "clear@51"),
            (r#"{"op":"add","path":"/status","value":null}"#, "type@47"),
            (r#"{"op":"add","op":"add","path":"/salesStage","value":"1"}"#, "duplicate-key@27"),
        ] {
            check(&jsonl(), &format!("\"patch\":[{operations}]"), wanted);
        }
        check(&jsonl(), r#""patch":{}"#, "json@9");
        check(&jsonl(), r#""patch":[],"status":"New""#, "json@21");
        check(&jsonl(), r#""eTag":"v1","patch":[{"op":"add","path":"/status","value":"New"}]"#, "New \"v1\"");
        let many = r#"{"op":"add","path":"/salesStage","value":"1"}"#;
        check(&jsonl(), &format!("\"patch\":[{}]", vec![many; 1_001].join(",")), "size@9");
    }

    #[test]
    fn what_is_wrong_with_a_member_is_told_where_it_stands() {
        for (members, wanted) in [
            (r#""details":{"dealValue":1e400}"#, "type@24"),
            (r#""details":{"dealValue":true}"#, "type@24"),
            (r#""details":5"#, "type@11"),
            (r#""details":null"#, "type@11"),
            (r#""status":"None""#, "type@10"),
            (r#""status":5"#, "type@10"),
            (r#""status":null"#, "type@10"),
            (r#""substatus":null"#, "type@13"),
            (r#""eTag":null"#, "type@8"),
            (r#""eTag":"*""#, "type@8"),
            (r#""eTag":"a","If-Match":"b""#, "duplicate-key@23"),
            (r#""eTag":"a","If-Match":"\"a\"","salesStage":null"#, "clear@44"),
            (r#""salesStage":"é","salesStage":"b""#, "duplicate-key@31"),
            (r#""details":{"notes":"a","notes":"a"}"#, "duplicate-key@32"),
            (r#""dealValue":1,"details":{"dealValue":2}"#, "duplicate-key@38"),
            (r#""dealValue":1,"details":{"dealValue":1.0}"#, "/details/dealValue=1"),
            (r#""team":[{"email":"a@example.com","email":"b@example.com"}]"#, "duplicate-key@42 type@8"),
            (r#""team":"x""#, "type@8"),
            (r#""team.add":5"#, "type@12"),
            (r#""team.add":[{"firstName":"x"}]"#, "type@13"),
            (
                r#""team.add":[{"email":"a@example.com"},{"email":"A@example.com","title":"x"}]"#,
                "contradiction@39",
            ),
            (
                r#""team.add":[{"email":"a@example.com","title":"x"},{"email":"A@example.com"}]"#,
                "contradiction@51",
            ),
            (
                r#""team.add":[{"email":"a@example.com"},{"title":null,"email":"A@example.com"}]"#,
                "/team+a@example.com",
            ),
            (r#""engagementId":"x""#, "read-only-path@16"),
            (r#""links":{"self":{}}"#, "read-only-path@9"),
            (r#""@odata.context":"x""#, "read-only-path@18"),
            (r#""name":"x""#, "unconfirmed-path@8"),
            (r#""customerProfile":{"address":{"city":"x"}}"#, "unconfirmed-path@38"),
            (r#""details":{"dealVlaue":1}"#, "unconfirmed-path@24"),
            (r#""dealVlaue":1"#, "unconfirmed-path@13"),
            (r#""/team/0":{}"#, "operation@11"),
            (r#""details":{"notes":null}"#, "clear@20"),
            (r#""team":[{"email":"Kim Park <kim@example.com>"}]"#, "type@8"),
            (r#""team":[{"email":"kim@example.com","rank":1e400}]"#, "type@8"),
            (r#""team":[{"email":"kim@example.com","title":"\ud800"}]"#, "type@8"),
            (r#""/team/-":{"email":"kim@example.com","rank":[1e400]}"#, "type@11"),
            (r#""solutions":[{"id":"S1","\udfff":1}]"#, "type@13"),
            (r#""details":{"notes":"\ud800"}"#, "type@20"),
            (r#""salesStage":5,"status":"x","details":{"currency":"x"}"#, "type@14 type@25 type@51"),
            (r#""id":"11111111-2222-4333-8444-555555555555""#, "duplicate-key@6 id@6"),
            (r#""referralId":"11111111-2222-4333-8444-555555555555""#, "id@14"),
        ] {
            check(&jsonl(), members, wanted);
        }
        let many: Vec<String> = (0..1_001).map(|number| format!("\"result.{number}\":1")).collect();
        assert!(
            findings(&only(&format!("{{\"id\":\"{ID}\",{}}}", many.join(",")), &jsonl()))
                .starts_with("size@")
        );
    }

    /// Whatever leaves nothing in a field takes away what is there.
    #[test]
    fn whatever_says_nothing_clears() {
        let paths = ["/customerProfile/address", "/customerProfile/ids"];
        let allow_paths = paths.map(|text| Pointer::parse(text).unwrap()).into();
        let keeping = Options { allow_paths, ..jsonl() };
        let clearing = Options { clear: true, ..keeping.clone() };
        for (members, denied, cleared) in [
            (r#""details":{"notes":""}"#, "clear@20", r#"/details/notes="""#),
            (r#""details":{"notes":"\t\n"}"#, "clear@20", r#"/details/notes="\t\n""#),
            (r#""details":{"dealValue":""}"#, "clear@24", "/details/dealValue=null"),
            (r#""details":{"closingDateTime":" "}"#, "clear@30", "/details/closingDateTime=null"),
            (r#""team":[]"#, "clear@8", "/team=[]"),
            (r#""solutions":[]"#, "clear@13", "/details/requirements/solutions=[]"),
            (r#""customerProfile.ids":[]"#, "clear@23", "/customerProfile/ids=[]"),
            (r#""customerProfile.ids":{}"#, "clear@23", "/customerProfile/ids={}"),
            (
                r#""patch":[{"op":"replace","path":"/details/notes","value":""}]"#,
                "clear@58",
                r#"/details/notes="""#,
            ),
            (
                r#""patch":[{"op":"add","path":"/customerProfile/address","value":{}}]"#,
                "clear@64",
                "/customerProfile/address={}",
            ),
            // An object that holds fields says something of those alone that are in it.
            (r#""details":{},"eTag":"v1""#, r#""v1""#, r#""v1""#),
        ] {
            check(&keeping, members, denied);
            check(&clearing, members, cleared);
        }
    }

    #[test]
    fn members_that_are_left_alone_say_nothing() {
        let alone = Options { left_alone: vec!["Owner".to_owned()], ..jsonl() };
        check(&alone, r#""owner":{"name":"Kim"},"salesStage":"1""#, r#"/salesStage="1""#);
        check(&alone, "\"Owner\":\"\u{fffd}\",\"patch\":[]", "");
        check(&jsonl(), r#""Owner":"Kim""#, "unconfirmed-path@9");
    }

    #[test]
    fn clearing_and_opting_in_are_asked_for() {
        let clearing = Options { clear: true, ..jsonl() };
        check(&clearing, r#""details":{"notes":null}"#, "/details/notes=null");
        check(&clearing, r#""patch":[{"op":"replace","path":"/team","value":null}]"#, "/team=null");
        check(&clearing, r#""status":null"#, "type@10");
        let allowed = ["/name", "/custom"].map(|text| Pointer::parse(text).unwrap());
        let allowing = Options { allow_paths: allowed.into(), ..jsonl() };
        check(&allowing, r#""name":"x""#, "/name=\"x\"");
        check(&allowing, r#""custom":{"a":1}"#, "/custom={\"a\":1}");
        check(&allowing, r#""type":"x""#, "unconfirmed-path@8");
        let address = ["/customerProfile/address", "/consent"].map(|text| Pointer::parse(text).unwrap());
        let allowing = Options { allow_paths: address.into(), ..jsonl() };
        for (members, wanted) in [
            // What lies within a path that the user opted into is opted into with it, and merged.
            (r#""customerProfile":{"address":{"city":"x"}}"#, "/customerProfile/address/city=\"x\""),
            (r#""consent":{"consentToContact":true}"#, "/consent/consentToContact=true"),
            (r#""customerProfile":{"address":{"city":null}}"#, "clear@38"),
            (r#""customerProfile":{"name":"x"}"#, "unconfirmed-path@27"),
            (r#""customerProfile":{"address":"x"}"#, "type@30"),
            (r#""customerProfile":{"address":null}"#, "clear@30"),
            (
                r#""patch":[{"op":"add","path":"/customerProfile/address","value":{"city":"x"}}]"#,
                "/customerProfile/address={\"city\":\"x\"}",
            ),
            (r#""patch":[{"op":"add","path":"/customerProfile/address","value":7}]"#, "type@64"),
        ] {
            check(&allowing, members, wanted);
        }
        let mut warning = jsonl();
        warning.levels.set(Rule::UnconfirmedPath, Level::Warn).unwrap();
        check(
            &warning,
            r#""customerProfile":{"address":{"city":"x"}}"#,
            "/customerProfile/address/city=\"x\"",
        );
        check(&warning, r#""details":{"a/b":1.0}"#, "/details/a~1b=1.0");
        check(&warning, r#""patch":[{"op":"add","path":"/any/thing","value":1}]"#, "/any/thing=1");
        check(&warning, r#""links":{}"#, "read-only-path@9");
        for path in ["/customerProfile/ids/-", "/customerProfile/ids/0", "/target/-/name"] {
            let operation = format!(r#""patch":[{{"op":"add","path":"{path}","value":5}}]"#);
            check(&warning, &operation, "operation@29");
            check(&warning, &format!("\"{path}\":5"), &format!("operation@{}", path.len() + 4));
        }
    }

    #[test]
    fn lines_that_are_no_object_are_findings() {
        for (line, wanted) in [
            ("[]", "json@1"),
            ("5", "json@1"),
            ("\"text\"", "json@1"),
            ("null", "json@1"),
            ("text", "json@2"),
            ("{\"é\":tru}", "json@9"),
            ("{\"id\":\"x\"", "json@9"),
            ("{\"id\":\"x\"} {}", "json@12"),
            ("{\"id\":\"x\",}", "json@11"),
            // So a report gives back what was none.
            (r#"{"input":"{\"id\":","result.outcome":"invalid"}"#, "json@1"),
            (r#"{"input":"{\"id\":"}"#, "unconfirmed-path@10 id@1"),
            (r#"{"input":5,"result.outcome":"invalid"}"#, "unconfirmed-path@10 id@1"),
            ("{}", "id@1"),
            ("{\"id\":5}", "id@7"),
            ("{\"id\":null}", "type@7"),
            ("{\"id\":\"R-1\"}", "id@7"),
            ("{\"engagementId\":\"x\"}", "id@17"),
            ("{\"status\":\"New\",\"id\":\"a\0\"}", "json@23"),
        ] {
            assert_eq!(findings(&only(&format!("{line}\n"), &jsonl())), wanted, "{line}");
        }
        let nested = format!("{{\"id\":\"{ID}\",\"a\":{}", "[".repeat(10_000));
        assert_eq!(findings(&only(&nested, &jsonl())), "size@1");
        let nested = format!("{{\"id\":\"{ID}\",\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(findings(&only(&nested, &jsonl())), "size@1");
    }

    #[test]
    fn bytes_that_are_no_text_are_a_finding_of_their_line() {
        let mut bytes = b"{\"\xc3\xa9\":\"\xfc\"}\n".to_vec();
        bytes.extend_from_slice(format!("{{\"id\":\"{ID}\"}}\n").as_bytes());
        let (rows, _) = read_bytes(&bytes, &jsonl());
        assert_eq!(rows.iter().map(findings).collect::<Vec<_>>(), ["encoding@7", "ok"]);
        assert_eq!(rows[0].text, RowText::Line("{\"é\":\"\u{fffd}\"}".to_owned()));
    }

    #[test]
    fn the_mark_of_a_lost_character_is_a_finding_of_its_member() {
        for (members, wanted) in [
            ("\"notes\":\"caf\u{fffd}\"", "encoding@9"),
            (r#""notes":"caf\ufffd""#, "encoding@9"),
            (r#""notes":"caf\\\uFFFD""#, "encoding@9"),
            (r#""notes":"caf\\ufffd""#, r#"/details/notes="caf\\ufffd""#),
            (r#""notes":"caf\ufffc""#, "/details/notes=\"caf\u{fffc}\""),
            ("\"details\":{\"notes\":\"\u{fffd}\"}", "encoding@11"),
            ("\"result.message\":\"\u{fffd}\",\"result\":\"\u{fffd}\"", ""),
            ("\"patch\":[{\"op\":\"add\",\"path\":\"/details/notes\",\"value\":\"\u{fffd}\"}]", "encoding@9"),
        ] {
            check(&jsonl(), members, wanted);
        }
        let row = only(&format!("{{\"id\":\"{ID}\",\"notes\":\"caf\u{fffd}\"}}"), &jsonl());
        let Err(rejected) = &row.parsed else { panic!() };
        assert!(rejected.id.is_some());
        assert_eq!(rejected.findings[0].message, "\"notes\" holds U+FFFD, the mark of a lost character");
    }

    #[test]
    fn a_mistyped_container_is_told_from_a_mistyped_field() {
        for (name, wanted) in [
            ("detials", Some("details")),
            ("custmerProfile", Some("customerProfile")),
            ("consnet", Some("consent")),
            ("statsu", Some("status")),
            ("colour", None),
        ] {
            let row = only(&format!("{{\"id\":\"{ID}\",\"{name}\":{{}}}}"), &jsonl());
            let Err(rejected) = &row.parsed else { panic!("{name}") };
            let hint = &spelled(rejected.findings[0].hint.as_ref().unwrap());
            let guess = hint.strip_prefix("did you mean ").and_then(|rest| rest.split('?').next());
            assert_eq!(guess, wanted, "{name}: {hint}");
        }
    }

    #[test]
    fn a_huge_line_is_a_finding_and_reading_goes_on() {
        let huge = format!("{{\"id\":\"{ID}\",\"salesStage\":\"{}\"}}", "x".repeat(50 * 1024 * 1024));
        let text = format!("\n{huge}\r\n\n{{\"id\":\"{ID}\"}}");
        let (rows, end) = read_bytes(text.as_bytes(), &jsonl());
        assert_eq!(end.unwrap().info.rows, 2);
        assert_eq!(rows.iter().map(findings).collect::<Vec<_>>(), ["size@1", "ok"]);
        assert_eq!(rows.iter().map(|row| row.place.line).collect::<Vec<_>>(), [2, 4]);
        let RowText::Line(shown) = &rows[0].text else { panic!() };
        assert!(shown.len() < 300 && shown.ends_with("… [cut: the line is larger than 16 MiB]"));
    }

    #[test]
    fn lines_are_counted_through_blank_lines_and_every_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let line = format!("{{\"id\":\"{ID}\"}}");
            let text = ["", &line, "  ", &line].join(end);
            let (rows, _) = read_bytes(text.as_bytes(), &jsonl());
            assert_eq!(rows.iter().map(|row| row.place.line).collect::<Vec<_>>(), [2, 4], "{end:?}");
            assert!(rows.iter().all(|row| row.text == RowText::Line(line.clone())));
        }
    }
}
