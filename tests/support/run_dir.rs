//! What a run's directory holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Every outcome, in the order of the contract.
pub const OUTCOMES: [&str; 10] = [
    "applied",
    "unchanged",
    "planned",
    "conflict",
    "invalid",
    "refused",
    "failed",
    "partial",
    "unknown",
    "unsent",
];

/// A run's directory.
pub struct Run(PathBuf);

impl Run {
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    pub fn summary(&self) -> Value {
        serde_json::from_str(&self.text("summary.json")).unwrap()
    }

    /// A number of the summary, by pointer.
    #[track_caller]
    pub fn count(&self, pointer: &str) -> u64 {
        let summary = self.summary();
        summary.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer} in {summary}"))
    }

    /// The lines of a JSONL report.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        self.text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The records of a CSV report, by column.
    pub fn records(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let text = self.text(name);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let named = |record: csv::StringRecord| {
            header.iter().zip(&record).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
        };
        reader.records().map(|record| named(record.unwrap())).collect()
    }

    /// The outcomes that occur, with how many rows have them: `3 applied, 1 failed`.
    #[track_caller]
    pub fn outcomes(&self) -> String {
        outcomes(&self.summary())
    }
}

/// The outcomes that occur in a summary, with how many rows have them. Fails where they don't add up to the total.
#[track_caller]
pub fn outcomes(summary: &Value) -> String {
    let rows = &summary["rows"];
    let counts = OUTCOMES.map(|name| (name, rows[name].as_u64().unwrap()));
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    assert_eq!(Some(total), rows["total"].as_u64(), "{summary}");
    let told = counts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}"));
    told.collect::<Vec<_>>().join(", ")
}
