//! `migrate`: legacy PUT payloads become changes.
//!
//! | file | what it holds |
//! |---|---|
//! | `runs` | from the file to the service |
//! | `cases` | payloads and what each comes to |
//! | `options` | what can be asked for |
//! | `base` | referrals as they were when the payloads were made |
//! | `samples` | the samples, as a model tells them |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod base;
mod cases;
mod options;
mod runs;
mod samples;
#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use support::samples::sample;

/// The payload that a sample would have been PUT as.
fn payload(number: usize) -> Value {
    let samples = sample("referrals.jsonl");
    serde_json::from_str(samples.lines().nth(number - 1).unwrap()).unwrap()
}

/// A file of JSON lines.
fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}
