//! Counts the instructions of three fixed workloads with callgrind, and holds them against those on record.
//!
//! How long something takes depends on the machine, and on what else it does; how many instructions it takes hardly
//! does. So a change that makes the program dearer is noticed where it is made, on any machine and however busy. Of the
//! requests the server's answers come when they come, so their count differs from one time to the next, by less than
//! a fifth of what is let pass.
//!
//! What is counted is the program as it is built for the tests, so that the gate builds nothing but this. The counts are
//! therefore no measure of what users get: only how they grow means something.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sending::Plan;
use super::server::Server;
use super::{PROGRAM, data, summary, text, yardsticks};

/// The counts on record, in millions, by workload.
type Record = BTreeMap<String, f64>;

/// Where they stand.
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.json");

/// The share by which a count may grow before the record has to be changed with it.
const GROWTH: f64 = 0.05;

/// Rows that are planned, and requests that are made of them.
const ROWS: u64 = 1_000;

/// Payloads that are planned.
const PAYLOADS: u64 = 500;

/// Counts, and compares with the record, or writes it.
///
/// # Errors
/// Where valgrind can't be run, a workload doesn't end well, or takes more instructions than are let pass.
pub fn count(is_to_record: bool) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("instructions-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let counted = Workloads::made(folder.path())?.count()?;
    if is_to_record {
        let mut text = serde_json::to_string_pretty(&counted)?;
        text.push('\n');
        return fs::write(RECORD, text);
    }
    let record: Record = serde_json::from_slice(&fs::read(RECORD)?)?;
    println!("| millions of instructions | counted | on record | |");
    println!("|---|---:|---:|---:|");
    for (name, count) in &counted {
        let recorded = record.get(name).copied().unwrap_or_default();
        println!("| {name} | {count:.1} | {recorded:.1} | {:+.1} % |", 100.0 * (count / recorded - 1.0));
    }
    verdict(&counted, &record)
}

/// Fails where a count has grown by more than is let pass, and where the two tell of different workloads.
fn verdict(counted: &Record, record: &Record) -> Result<()> {
    let again = "cargo bench --locked --profile dev --bench speed -- instructions --record";
    if !counted.keys().eq(record.keys()) {
        return Err(Error::other(format!("other workloads are on record: {again}")));
    }
    let grown: Vec<&str> = counted
        .iter()
        .filter(|(name, count)| **count > record[*name] * (1.0 + GROWTH))
        .map(|(name, _)| name.as_str())
        .collect();
    if grown.is_empty() {
        return Ok(());
    }
    Err(Error::other(format!(
        "{} takes over {:.0} % more instructions than are on record. If that is worth it, say so in the commit, and record \
         it with it: {again}",
        grown.join(", "),
        100.0 * GROWTH
    )))
}

/// The files of the workloads.
struct Workloads {
    folder: PathBuf,
    server: Server,
}

impl Workloads {
    fn made(folder: &Path) -> Result<Self> {
        let workloads =
            Self { folder: folder.to_owned(), server: Server::that_refuses_after(ROWS, u64::MAX)? };
        data::snapshot(&workloads.file("snapshot.jsonl"), ROWS)?;
        data::changes(&workloads.file("changes.csv"), ROWS, false)?;
        data::long_snapshot(&workloads.file("referrals.jsonl"), PAYLOADS)?;
        data::payloads(&workloads.file("payloads.jsonl"), PAYLOADS, false)?;
        Ok(workloads)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn count(&self) -> Result<Record> {
        let planning = self.plan("apply", "changes.csv", "snapshot.jsonl", "run")?;
        let migrating = self.plan("migrate", "payloads.jsonl", "referrals.jsonl", "migrated")?;
        Ok(Record::from([
            (format!("plan {ROWS} rows in no order"), planning),
            (format!("plan {PAYLOADS} payloads in no order"), migrating),
            (format!("carry out the plan of {ROWS} rows"), self.carry_out()?),
        ]))
    }

    fn plan(&self, command: &str, input: &str, state: &str, run: &str) -> Result<f64> {
        let (input, state, run) = (text(&self.file(input)), text(&self.file(state)), text(&self.file(run)));
        let mut words = vec![command, &input, "--plan", "--state", &state, "--out", &run];
        words.extend(["--endpoint", &self.server.url, "--summary", "none", "--progress", "none"]);
        self.counted(&words)
    }

    fn carry_out(&self) -> Result<f64> {
        let run = self.file("run");
        let planned = &summary(&run)?["rows"]["planned"];
        let closing = Plan::of(&run, &self.file("requests.tsv"))?.closing.to_string();
        let name = text(&run);
        let mut words = vec!["resume", &name, "--endpoint", &self.server.url];
        words.extend(["--rate", "100000/s", "--concurrency", "32", "--timeout", "10m", "--yes"]);
        words.extend(["--confirm-closing", &closing, "--summary", "none", "--progress", "none"]);
        let count = self.counted(&words)?;
        let applied = &summary(&run)?["rows"]["applied"];
        if applied.is_u64() && applied == planned {
            Ok(count)
        } else {
            Err(Error::other(format!("{applied} of {planned} were applied")))
        }
    }

    /// Runs the program under callgrind, and returns how many instructions it took, in millions.
    fn counted(&self, words: &[&str]) -> Result<f64> {
        let log = self.file("log");
        let status = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM])
            .args(words)
            .env("PARTNER_CENTER_TOKEN", yardsticks::TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .status()
            .map_err(|error| Error::other(format!("valgrind: {error}")))?;
        let said = fs::read_to_string(log)?;
        let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.parse::<f64>().ok());
        match count {
            Some(count) if status.success() => Ok((count / 1e5).round() / 10.0),
            _ => Err(Error::other(format!("{status}\n{said}"))),
        }
    }
}
