//! What fuzzers found worth keeping, and seeds made by hand, as ordinary tests: every file below
//! `fuzz/corpus/` goes through the check of its target. `fuzz/README.md` says how to add one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod fuzz_support;

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz_support::{CHECKS, check, check_late};

/// The most that all corpora may weigh together, in bytes.
const LARGEST: u64 = 512 << 10;

#[test]
fn csv() {
    replay("csv");
}

#[test]
fn jsonl() {
    replay("jsonl");
}

#[test]
fn payloads() {
    replay("payloads");
}

#[test]
fn http() {
    replay("http");
}

#[test]
fn reply() {
    replay("reply");
}

#[test]
fn retry_after() {
    replay("retry_after");
}

#[test]
fn ledger() {
    replay("ledger");
}

#[test]
fn patch() {
    replay("patch");
}

/// Checks every file of a corpus, and names those for which something doesn't hold.
#[track_caller]
fn replay(target: &str) {
    let files = files(&folder("corpus").join(target));
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    let holds = |file: &&PathBuf| {
        let bytes = fs::read(file).unwrap();
        let checks = || {
            check(target, &bytes);
            check_late(target, &bytes);
        };
        catch_unwind(checks).is_ok()
    };
    let (_, broken): (Vec<_>, Vec<_>) = files.iter().partition(holds);
    assert!(broken.is_empty(), "said above, of {broken:#?}");
}

/// A target is a check, a file that hands it what the fuzzer makes up, and a corpus.
#[test]
fn every_check_is_a_target_with_a_corpus() {
    let names: BTreeSet<String> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    for folder in [folder("corpus"), folder("fuzz_targets")] {
        assert_eq!(entries(&folder).into_iter().map(stem).collect::<BTreeSet<_>>(), names, "{folder:?}");
    }
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in names {
        let target = fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        let wanted = format!(
            "#![no_main]\n\nlibfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(\"{name}\", bytes));\n"
        );
        assert_eq!(target, wanted);
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not built");
    }
}

#[test]
fn corpora_are_small() {
    let of = |name: &str| files(&folder("corpus").join(name));
    let sizes = CHECKS.iter().flat_map(|(name, _)| of(name)).map(|file| fs::metadata(file).unwrap().len());
    let all: u64 = sizes.sum();
    assert!(all <= LARGEST, "all corpora together have {all} bytes");
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_file()).collect()
}

/// What a folder holds, in the order of its names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
