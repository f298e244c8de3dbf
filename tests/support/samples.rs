//! The project's samples.

use std::fs;
use std::path::Path;

/// A sample of the project.
pub fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    fs::read_to_string(path).unwrap()
}

/// One of the samples' referrals.
pub fn sample_referral(id: &str) -> serde_json::Value {
    let samples = sample("referrals.jsonl");
    let mut samples = samples.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    samples.find(|referral| referral["id"] == id).unwrap()
}

/// A change file that gives each of these referrals the same notes.
pub fn notes_csv(ids: &[&str]) -> String {
    ids.iter().fold("id,notes\n".to_owned(), |text, id| text + &format!("{id},Called\n"))
}
