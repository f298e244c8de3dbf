//! What must hold whatever the bytes: one check for each fuzz target.
//!
//! A check panics where something doesn't hold. The targets in `fuzz/` feed it what a fuzzer makes up, and
//! `tests/corpora.rs` feeds it what was kept of that, and seeds made by hand.
//!
//! | file | checks of |
//! |---|---|
//! | `changes` | CSV and JSONL change files |
//! | `payloads` | legacy payloads as JSON, JSON lines, and requests |
//! | `answers` | what the service answers, and how long it asks to wait |
//! | `ledgers` | a run's ledger that something happened to |
//! | `documents` | the document for any referral and any rows, against another implementation of RFC 6902 |
//! | `reading` | what the first two have in common |
//! | `checksums` | those of a ledger's records, made once more |
//! | `sha256` | hashes of files |

mod answers;
mod changes;
#[path = "../support/checksums.rs"]
mod checksums;
mod documents;
mod ledgers;
mod payloads;
mod reading;
#[path = "../support/sha256.rs"]
mod sha256;

use referral_bulk::domain::format::Format;

/// Takes any bytes.
pub type Check = fn(&[u8]);

/// Every check by the name of its target, which is the name of its directory in `fuzz/corpus` too.
pub const CHECKS: [(&str, Check); 8] = [
    ("csv", changes::csv),
    ("jsonl", changes::jsonl),
    ("payloads", payloads::json),
    ("http", payloads::http),
    ("reply", answers::reply),
    ("retry_after", answers::retry_after),
    ("ledger", ledgers::damaged),
    ("patch", documents::patch),
];

/// Runs what takes too long for a fuzzer: a file that is read in blocks lies across the end of one.
pub fn check_late(target: &str, bytes: &[u8]) {
    match target {
        "csv" => changes::late(Format::Csv, bytes),
        "jsonl" => changes::late(Format::Jsonl, bytes),
        "payloads" => {
            [Format::Json, Format::Jsonl].into_iter().for_each(|format| payloads::late(format, bytes))
        }
        "http" => payloads::late(Format::Http, bytes),
        _ => {}
    }
}

/// Runs the check of a target.
pub fn check(target: &str, bytes: &[u8]) {
    let (_, check) = CHECKS.iter().find(|(name, _)| *name == target).expect("a target has a check");
    check(bytes);
}
