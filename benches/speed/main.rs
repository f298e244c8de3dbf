//! Speed and memory, beside the least that does the same, and beside what is wanted.
//!
//! ```sh
//! cargo bench                                          # every figure is the median of three rounds
//! cargo bench -- --write                               # the same, on record and in the documents
//! cargo bench -- planning sending --rounds 1           # some of them, quicker and less steady
//! cargo bench --profile dev -- instructions            # instructions of three workloads, against those on record
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `figures` | the tables of what was measured |
//! | `record` | keeps what was measured, and writes the documents |
//! | `planning` | plans change files, workbooks and payloads |
//! | `sending` | carries plans out, and on |
//! | `requests` | counts requests, and finds rates |
//! | `accounts` | exports, explains, verifies and reports |
//! | `program` | looks at the program itself |
//! | `instructions` | counts the instructions of fixed workloads, and holds them against those on record |
//! | `data` | makes the snapshots, the change files and the archives of payloads |
//! | `server` | answers requests, in a process of its own |
//! | `yardsticks` | sends, parses or writes the same and does nothing else, in a process of its own |
//! | `measure` | what one process used, in a process of its own |
//!
//! The program is measured as it is shipped: the release binary, whole runs, reports included.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod accounts;
mod data;
mod figures;
mod instructions;
mod measure;
mod planning;
mod program;
mod record;
mod requests;
mod sending;
mod server;
mod yardsticks;

use std::ffi::OsStr;
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use figures::{Figure, Measured};
use measure::{Used, measured};
use server::Server;

/// The program, built as it is shipped.
const PROGRAM: &str = env!("CARGO_BIN_EXE_referral-bulk");

/// The parts of the bench.
const PARTS: [(&str, Part); 8] = [
    ("program", program::figures),
    ("requests", requests::figures),
    ("rates", requests::of_rates),
    ("planning", planning::figures),
    ("payloads", planning::of_payloads),
    ("sending", sending::figures),
    ("resuming", sending::of_many),
    ("accounts", |bench| Ok([accounts::figures(bench)?, accounts::of_many(bench)?].concat())),
];

type Part = fn(&Bench) -> Result<Vec<Figure>>;

/// How the bench is run.
struct Options {
    /// Rows and referrals of most measurements.
    referrals: u64,
    /// Those of the large ones.
    many: u64,
    payloads: u64,
    rounds: usize,
    concurrency: usize,
    /// The parts that are measured.
    parts: Vec<String>,
    /// Whether what is measured is recorded, and the documents get the tables.
    is_to_write: bool,
}

impl Options {
    fn of(words: &[String]) -> Result<Self> {
        let mut options = Self {
            referrals: 50_000,
            many: 1_000_000,
            payloads: 100_000,
            rounds: 3,
            concurrency: 32,
            parts: Vec::new(),
            is_to_write: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || match words.next().map(|word| word.parse::<u32>()) {
                Some(Ok(number @ 1..)) => Ok(number),
                _ => Err(Error::other(format!("{word} wants a number"))),
            };
            match word.as_str() {
                "--referrals" => options.referrals = number()?.into(),
                "--many" => options.many = number()?.into(),
                "--payloads" => options.payloads = number()?.into(),
                "--rounds" => options.rounds = number()? as usize,
                "--concurrency" => options.concurrency = number()? as usize,
                "--write" => options.is_to_write = true,
                // cargo says so of every bench.
                "--bench" => {}
                part if PARTS.iter().any(|(name, _)| *name == part) => options.parts.push(part.to_owned()),
                other => return Err(Error::other(format!("{other} is neither an option nor a part"))),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let number = |text: &str| text.parse::<usize>().map_err(Error::other);
    match word(0) {
        "serve" => server::serve(word(1), number(word(2))? as u64, number(word(3))? as u64),
        "send" => yardsticks::send(word(1), Path::new(word(2)), number(word(3))?),
        "parse" => yardsticks::parse(&words[1..]),
        "write" => yardsticks::write(number(word(1))? as u64, Path::new(word(2))),
        "measure" => measure::measure(&words[1..]),
        "instructions" => instructions::count(word(1) == "--record"),
        _ => bench(Options::of(&words)?),
    }
}

fn bench(options: Options) -> Result<()> {
    // Beside the build and not in the system's temporary directory, which may lie in memory: there a
    // synced write costs nothing.
    let folder = tempfile::Builder::new().prefix("speed-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let bench = Bench {
        folder: folder.path().to_owned(),
        me: std::env::current_exe()?.to_string_lossy().into_owned(),
        server: Server::that_refuses_after(options.referrals, u64::MAX)?,
        options,
    };
    for (name, part) in PARTS {
        if bench.options.parts.is_empty() || bench.options.parts.iter().any(|wanted| wanted == name) {
            let load_before = load();
            let figures = part(&bench)?;
            let measured = Measured { part: name.to_owned(), how: bench.how(&load_before), figures };
            println!("{}", figures::tables(std::slice::from_ref(&measured)).0);
            if bench.options.is_to_write {
                record::keep(&PARTS.map(|(name, _)| name), measured)?;
            }
        }
    }
    Ok(())
}

/// Returns the load of the machine over the last one, five and fifteen minutes, where the system tells it.
fn load() -> String {
    let told = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    told.split(' ').take(3).collect::<Vec<_>>().join(", ")
}

/// What all measurements share.
struct Bench {
    options: Options,
    folder: PathBuf,
    /// This program, which the measuring processes are.
    me: String,
    /// Answers every request with 200 and the changed referral.
    server: Server,
}

impl Bench {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn measured<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<Used> {
        measured(&self.file("log"), words)
    }

    /// Measures something as often as is asked for, and returns the middle by CPU with the highest peak of all.
    fn rounds(&self, mut measure: impl FnMut() -> Result<Used>) -> Result<Used> {
        (0..self.options.rounds).map(|_| measure()).collect::<Result<Vec<_>>>().map(median)
    }

    /// Says how it was measured.
    fn how(&self, load_before: &str) -> String {
        let Options { rounds, concurrency, .. } = self.options;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        format!(
            "Times and CPU are medians of {rounds}, {concurrency} in flight, {cores} cores. Load of the machine (1, 5 and 15 minutes): {load_before} \
             before, {} after.",
            load()
        )
    }
}

/// The middle one by a figure.
fn middle<T>(mut all: Vec<T>, by: fn(&T) -> f64) -> T {
    all.sort_by(|one, other| by(one).total_cmp(&by(other)));
    all.swap_remove(all.len() / 2)
}

/// The round with the middle CPU, and the highest peak of all.
fn median(rounds: Vec<Used>) -> Used {
    let peak = rounds.iter().map(|round| round.peak).max().unwrap_or_default();
    Used { peak, ..middle(rounds, |round| round.cpu) }
}

fn summary(run: &Path) -> Result<serde_json::Value> {
    Ok(serde_json::from_slice(&fs::read(run.join("summary.json"))?)?)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
