//! The lives of rows, compared with the books of their run and with every request that was seen on its way.

use serde_json::Value;

use super::Row;
use crate::support::place::Place;
use crate::support::referrals::id;
use crate::support::run_dir::Run;
use crate::support::tap::Seen;

/// Of the rows that went straight through, one in so many is told.
const STRAIGHT: usize = 10;

pub fn lives_are_as_seen(home: &Place, run: &Run, rows: &[Row], seen: &[Seen]) {
    let outcomes = run.lines("outcomes.jsonl");
    let mut told = 0;
    for ((at, row), outcome) in rows.iter().enumerate().zip(&outcomes) {
        if row.class.faults.is_empty() && at % STRAIGHT > 0 {
            continue;
        }
        let line = (at + 2).to_string();
        let ended = home.run(&["explain", "run", &line, "--json"]).expect(0);
        let life: Value = serde_json::from_str(&ended.stdout).unwrap();
        let life = &life["lives"][0];
        let told_row = &life["rows"][0];
        for member in ["line", "file", "id", "outcome", "code", "message", "status", "at"] {
            assert_eq!(told_row[member], outcome[member], "{member} of {life}");
        }
        let of_row = || seen.iter().filter(|seen| seen.path.ends_with(&id(row.number)));
        let changes: Vec<_> = of_row().filter(|seen| seen.method == "PATCH").collect();
        let attempts = life["attempts"].as_array().unwrap();
        let of = |member: &str| attempts.iter().map(|it| it[member].clone()).collect::<Vec<_>>();
        assert_eq!(Value::from(of("client_request_id")), outcome["request_ids"], "{life}");
        let guards = changes.iter().map(|seen| seen.if_match.clone().map_or(Value::Null, Value::from));
        assert_eq!(of("if_match"), guards.collect::<Vec<_>>(), "{life}");
        let documents = attempts.iter().map(|attempt| match &attempt["operations"] {
            Value::Null => life["plan"]["operations"].clone(),
            other => other.clone(),
        });
        let sent = changes.iter().map(|seen| serde_json::from_str::<Value>(&seen.body).unwrap());
        assert_eq!(documents.collect::<Vec<_>>(), sent.collect::<Vec<_>>(), "{life}");
        // A look may take several reads, some of which fail.
        let looks = life["steps"].as_array().unwrap().iter().filter(|step| step["step"] == "looked").count();
        let first = of_row().position(|seen| seen.method == "PATCH");
        let reads = first.map_or(0, |first| of_row().skip(first).filter(|seen| seen.method == "GET").count());
        assert!(looks <= reads && (looks > 0) == (reads > 0), "{looks} looks, {reads} reads: {life}");
        told += 1;
    }
    assert!(told > 60, "{told}");
}
