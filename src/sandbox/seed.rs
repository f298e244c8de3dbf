//! Reads the referrals that a sandbox starts with.

use std::collections::HashMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::store::ReferralStore;

/// The sample referrals that come with the program.
pub(super) const SAMPLES: &str = include_str!("../../samples/referrals.jsonl");

/// The reason why a seed can't be used, with its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the seed: {reason}")]
pub struct SeedError {
    line: usize,
    reason: SeedProblem,
}

/// What is wrong with a seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum SeedProblem {
    #[error("no JSON: {0}")]
    NoJson(String),
    #[error("neither a referral nor a list page: a JSON object is wanted")]
    NoObject,
    #[error("a referral without an \"id\" that is a GUID")]
    NoId,
    #[error("the referral {0} stands in the seed twice, first on line {1}")]
    Twice(Uuid, usize),
}

/// Reads JSONL, a JSON array, or list pages, of which there may be one on each line.
pub(super) fn read(text: &str) -> Result<ReferralStore, SeedError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = SeedReader { text, store: ReferralStore::default(), starts: HashMap::new() };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(whole) => reader.take(whole)?,
        Err(_) if text.trim_start().starts_with('[') => return Err(no_json(text, 1)),
        Err(_) => reader.take_lines()?,
    }
    Ok(reader.store)
}

fn no_json(text: &str, first_line: usize) -> SeedError {
    let error = serde_json::from_str::<&RawValue>(text).map(drop).err();
    let line = first_line + error.as_ref().map_or(0, |error| error.line().saturating_sub(1));
    let reason = error.map_or_else(String::new, |error| error.to_string());
    SeedError { line, reason: SeedProblem::NoJson(reason) }
}

/// A seed while it is read.
struct SeedReader<'a> {
    text: &'a str,
    store: ReferralStore,
    /// The offset at which each referral begins in the text.
    starts: HashMap<Uuid, usize>,
}

impl<'a> SeedReader<'a> {
    fn take_lines(&mut self) -> Result<(), SeedError> {
        let lines = self.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (at, line) in lines {
            let raw: &'a RawValue = serde_json::from_str(line).map_err(|_| no_json(line, at + 1))?;
            self.take(raw)?;
        }
        Ok(())
    }

    /// Takes a referral, an array of them, or a page that holds such an array.
    fn take(&mut self, raw: &'a RawValue) -> Result<(), SeedError> {
        #[derive(serde::Deserialize)]
        struct SeedPage<'a> {
            #[serde(borrow)]
            value: Vec<&'a RawValue>,
        }
        let elements = match raw.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok(),
            Some(b'{') => serde_json::from_str::<SeedPage<'_>>(raw.get()).ok().map(|page| page.value),
            _ => return Err(self.error(raw, SeedProblem::NoObject)),
        };
        match elements {
            Some(elements) => elements.into_iter().try_for_each(|element| self.take_referral(element)),
            None => self.take_referral(raw),
        }
    }

    fn take_referral(&mut self, raw: &'a RawValue) -> Result<(), SeedError> {
        // Raw JSON is checked for its syntax only; a number that is too large is noticed here.
        let value = serde_json::from_str(raw.get())
            .map_err(|error| self.error(raw, SeedProblem::NoJson(error.to_string())))?;
        let Value::Object(referral) = value else {
            return Err(self.error(raw, SeedProblem::NoObject));
        };
        let id = id_of(&referral).ok_or_else(|| self.error(raw, SeedProblem::NoId))?;
        if self.store.insert(id, referral).is_err() {
            let first = self.line(self.starts.get(&id).copied().unwrap_or_default());
            return Err(self.error(raw, SeedProblem::Twice(id, first)));
        }
        self.starts.insert(id, self.start(raw));
        Ok(())
    }

    fn error(&self, raw: &RawValue, reason: SeedProblem) -> SeedError {
        SeedError { line: self.line(self.start(raw)), reason }
    }

    fn start(&self, raw: &RawValue) -> usize {
        raw.get().as_ptr() as usize - self.text.as_ptr() as usize
    }

    /// Returns the line of an offset in the text, counted from 1.
    fn line(&self, start: usize) -> usize {
        1 + self.text[..start].matches('\n').count()
    }
}

fn id_of(referral: &Map<String, Value>) -> Option<Uuid> {
    referral.get("id")?.as_str().and_then(|id| Uuid::try_parse(id).ok())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;
    use serde_json::json;

    use super::super::patch::PatchDocument;
    use super::*;

    const QUARTER_END: &str = include_str!("../../samples/quarter-end.csv");
    const QUARTER_END_LINES: &str = include_str!("../../samples/quarter-end.jsonl");
    const MISTAKES: &str = include_str!("../../samples/quarter-end-mistakes.csv");
    const INVALID: &str = include_str!("../../samples/invalid.csv");

    const A: &str = "5a1e0001-0000-4000-8000-00000000000a";
    const B: &str = "5a1e0001-0000-4000-8000-00000000000b";

    fn check(text: &str, wanted: Result<usize, &str>) {
        let got = read(text).map(|store| store.referrals().len()).map_err(|error| error.to_string());
        assert_eq!(got, wanted.map_err(ToOwned::to_owned), "{text}");
    }

    #[test]
    fn seeds_come_in_three_forms() {
        let (a, b) = (format!("{{\"id\":\"{A}\"}}"), format!("{{\"id\":\"{B}\"}}"));
        check("", Ok(0));
        check(&format!("\u{feff}{a}\r\n\r\n{b}\r\n"), Ok(2));
        check(&a, Ok(1));
        check(&format!("[{a},\n{b}]"), Ok(2));
        check(&format!("{{\"@odata.count\":2,\"value\":[{a},{b}]}}"), Ok(2));
        check(&format!("{{\"value\":[{a}]}}\n{{\"value\":[{b}]}}\n"), Ok(2));
        check("[]", Ok(0));
    }

    #[test]
    fn what_is_wrong_with_a_seed_and_on_which_line() {
        let a = format!("{{\"id\":\"{A}\"}}");
        let no_id = "line 3 of the seed: a referral without an \"id\" that is a GUID";
        let twice = format!("line 2 of the seed: the referral {A} stands in the seed twice, first on line 1");
        check(&format!("{a}\n\n{{\"id\":\"R-1\"}}"), Err(no_id));
        check(&format!("[\n{a},\n{{\"name\":\"x\"}}]"), Err(no_id));
        check(&format!("{a}\n{}", a.to_uppercase().replace("ID", "id")), Err(&twice));
        check(
            &format!("{a}\n{{\"id\":"),
            Err("line 2 of the seed: no JSON: EOF while parsing a value at line 1 column 6"),
        );
        check(&format!("[{a},\n}}]"), Err("line 2 of the seed: no JSON: expected value at line 2 column 1"));
        check(
            &format!("{a}\n7"),
            Err("line 2 of the seed: neither a referral nor a list page: a JSON object is wanted"),
        );
    }

    #[test]
    fn every_referral_has_a_version_in_quotes() {
        let lost = format!("[{{\"id\":\"{A}\",\"eTag\":\"v1\"}},{{\"id\":\"{B}\",\"eTag\":null}}]");
        let store = read(&lost).unwrap();
        let etags: Vec<&str> = store.referrals().filter_map(super::super::store::etag_of).collect();
        assert_eq!(etags[0], "\"v1\"");
        assert!(etags[1].len() == 38 && etags[1].starts_with('"'), "{}", etags[1]);
    }

    fn samples() -> BTreeMap<String, Value> {
        let store = read(SAMPLES).unwrap();
        let id = |referral: &Value| referral["id"].as_str().unwrap().to_owned();
        store.referrals().map(|referral| (id(referral), referral.clone())).collect()
    }

    /// Returns the ids of a CSV file's rows, in order; a ragged row still has its first cell.
    fn ids(csv: &str) -> Vec<String> {
        let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(csv.as_bytes());
        assert_eq!(reader.headers().unwrap().get(0), Some("id"));
        reader.records().map(|record| record.unwrap()[0].to_owned()).collect()
    }

    #[test]
    fn the_samples_show_every_kind_of_referral() {
        let samples = samples();
        assert_eq!(samples.len(), 40);
        let stages: BTreeSet<String> = samples
            .values()
            .map(|referral| {
                let text = |name: &str| referral[name].as_str().unwrap().to_owned();
                text("status") + "/" + &text("substatus")
            })
            .collect();
        assert_eq!(
            Vec::from_iter(&stages),
            [
                "Active/Accepted",
                "Closed/Declined",
                "Closed/Expired",
                "Closed/Lost",
                "Closed/Won",
                "New/Pending",
                "New/Received"
            ]
        );
        let any = |kind: fn(&Value) -> bool| samples.values().any(kind);
        assert!(any(|referral| referral.get("team").is_none()));
        assert!(any(|referral| referral.get("team").is_some_and(Value::is_null)));
        assert!(any(|referral| referral.get("details").is_none()));
        assert!(any(|referral| referral["details"].get("notes").is_some_and(Value::is_null)));
        let engagements: BTreeSet<&str> =
            samples.values().filter_map(|referral| referral["engagementId"].as_str()).collect();
        assert_eq!(engagements.len(), 39, "two referrals share an engagement");
    }

    #[test]
    fn what_the_sample_changes_name_is_in_the_samples() {
        let samples = samples();
        let known = |ids: Vec<String>| ids.into_iter().filter(|id| samples.contains_key(id)).count();
        assert_eq!((ids(QUARTER_END).len(), known(ids(QUARTER_END))), (24, 24));
        assert_eq!((ids(MISTAKES).len(), known(ids(MISTAKES))), (15, 14), "one id is unknown on purpose");
        assert_eq!((ids(INVALID).len(), known(ids(INVALID))), (23, 21), "one is unknown, one no GUID");
        let lines: Vec<String> = QUARTER_END_LINES
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(lines, ids(QUARTER_END), "both files hold the same rows");
    }

    #[test]
    fn the_service_takes_every_line_of_the_quarter_end() {
        let mut store = read(SAMPLES).unwrap();
        for line in QUARTER_END_LINES.lines() {
            let mut row: Value = serde_json::from_str(line).unwrap();
            let id = id_of(row.as_object().unwrap());
            row.as_object_mut().unwrap().remove("id");
            let operations = operations(store.get(id).unwrap(), row);
            let document = PatchDocument::parse(operations.to_string().as_bytes()).unwrap();
            let changed = store.change(id, None, document, Timestamp::UNIX_EPOCH);
            assert_eq!(changed.map(drop), Ok(()), "{line}");
        }
    }

    /// Turns a row into operations: `add` for each value that it sets, status and substatus together.
    fn operations(current: &Value, mut row: Value) -> Value {
        if !row["patch"].is_null() {
            return row["patch"].take();
        }
        match (row["status"].as_str(), row["substatus"].as_str()) {
            (Some("Active"), None) => row["substatus"] = "Accepted".into(),
            (None, Some("Lost")) => row["status"] = "Closed".into(),
            (None, None) => {
                drop(["status", "substatus"].map(|name| row.as_object_mut().unwrap().remove(name)))
            }
            _ => {}
        }
        let mut operations = Vec::new();
        for (name, value) in row.as_object().unwrap() {
            if name == "details" {
                if current["details"].is_null() {
                    operations.push(json!({ "op": "add", "path": "/details", "value": {} }));
                }
                for (name, value) in value.as_object().unwrap() {
                    operations
                        .push(json!({ "op": "add", "path": format!("/details/{name}"), "value": value }));
                }
            } else {
                operations.push(json!({ "op": "add", "path": format!("/{name}"), "value": value }));
            }
        }
        Value::Array(operations)
    }
}
