//! Speed and memory, against what must be met, and beside the least that does the same.
//!
//! ```sh
//! cargo bench                       # 100,000 referrals, the median of three rounds
//! cargo bench -- --referrals 20000 --rounds 1 --concurrency 64
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `data` | makes the snapshots, the change files and the archives of payloads |
//! | `server` | answers PATCHes, in a process of its own |
//! | `verifying` | verifies a run against the sandbox |
//! | `reporting` | writes the reports of a large run again |
//! | `yardsticks` | sends, parses or writes the same and does nothing else, in a process of its own |
//! | `measure` | what one process used, in a process of its own |
//!
//! The program is measured as it is shipped: the release binary, whole runs, reports included.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

mod data;
mod measure;
mod reporting;
mod server;
mod verifying;
mod yardsticks;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Error, Result, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use measure::{Used, measured};
use reporting::Reporting;
use serde::Deserialize;
use serde_json::value::RawValue;
use verifying::Verifying;

/// The program, built as it is shipped.
const PROGRAM: &str = env!("CARGO_BIN_EXE_referral-bulk");

/// How the bench is run.
struct Options {
    referrals: u64,
    rounds: usize,
    concurrency: usize,
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let number = |text: &str| text.parse::<usize>().map_err(Error::other);
    match word(0) {
        "serve" => server::serve(number(word(1))? as u64),
        "send" => yardsticks::send(word(1), Path::new(word(2)), number(word(3))?),
        "parse" => yardsticks::parse(&words[1..]),
        "write" => yardsticks::write(number(word(1))? as u64, Path::new(word(2))),
        "measure" => measure::measure(&words[1..]),
        _ => {
            let mut options = Options { referrals: 100_000, rounds: 3, concurrency: 128 };
            for pair in words.windows(2) {
                match pair[0].as_str() {
                    "--referrals" => options.referrals = number(&pair[1])? as u64,
                    "--rounds" => options.rounds = number(&pair[1])?.max(1),
                    "--concurrency" => options.concurrency = number(&pair[1])?,
                    _ => {}
                }
            }
            bench(&options)
        }
    }
}

fn bench(options: &Options) -> Result<()> {
    // Beside the build and not in the system's temporary directory, which may lie in memory: there a
    // synced write costs nothing.
    let folder = tempfile::Builder::new().prefix("speed-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let bench = Bench {
        snapshot: folder.path().join("snapshot.jsonl"),
        changes: folder.path().join("changes.csv"),
        shuffled: folder.path().join("shuffled.csv"),
        keyed: folder.path().join("keyed.csv"),
        workbook: folder.path().join("changes.xlsx"),
        referrals: folder.path().join("referrals.jsonl"),
        payloads: folder.path().join("payloads.jsonl"),
        shuffled_payloads: folder.path().join("shuffled.jsonl"),
        folder: folder.path().to_owned(),
        me: std::env::current_exe()?.to_string_lossy().into_owned(),
        server: Server::of_changes(options.referrals)?,
        concurrency: options.concurrency.to_string(),
    };
    data::snapshot(&bench.snapshot, options.referrals)?;
    data::changes(&bench.changes, options.referrals, true)?;
    data::changes(&bench.shuffled, options.referrals, false)?;
    data::keyed_changes(&bench.keyed, options.referrals)?;
    data::workbook(&bench.workbook, options.referrals)?;
    data::long_snapshot(&bench.referrals, options.referrals)?;
    data::payloads(&bench.payloads, options.referrals, true)?;
    data::payloads(&bench.shuffled_payloads, options.referrals, false)?;

    let migrating = bench.migrating(options)?;
    let workbook = bench.of_workbook(options)?;
    let exporting = bench.exporting(options)?;
    let explaining = bench.explaining(options)?;
    let verifying = verifying::verify(&bench)?;
    let (mut matching, mut ordering) = (Vec::new(), Vec::new());
    let (mut planning, mut shuffled, mut parsing) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.rounds {
        parsing.push(bench.parse([&bench.changes, &bench.snapshot])?);
        planning.push(bench.plan(
            "apply",
            [&bench.changes, &bench.snapshot],
            &bench.run(options.rounds + round),
        )?);
        shuffled.push(bench.plan("apply", [&bench.shuffled, &bench.snapshot], &bench.run(round))?);
        matching.push(bench.plan_so(&bench.keyed, &["--match", "externalReferenceId"])?);
        ordering.push(bench.plan_so(&bench.changes, &["--priority", "/details/dealValue:desc"])?);
    }
    let plan = Plan::of(&bench.run(0), &bench.requests())?;
    let (mut carrying, mut sending, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    let mut undoing = Vec::new();
    for round in 0..options.rounds {
        sending.push(bench.send()?);
        let run = bench.run(round);
        let planned = total_seconds(&summary(&run)?)?;
        carrying.push(bench.resume(&run, plan.closing)?);
        seconds.push(summed(&run, plan.requests)? - planned);
        undoing.push(bench.undo(&run, plan.requests)?);
    }

    report(&Figures {
        options,
        plan,
        planning: median(planning),
        shuffled: median(shuffled),
        parsing: median(parsing),
        carrying: median(carrying),
        sending: median(sending),
        seconds: middle(seconds, |seconds| *seconds),
        undoing: median(undoing),
        matching: median(matching),
        ordering: median(ordering),
        migrating,
        workbook,
        exporting,
        explaining,
        verifying,
    });
    Ok(())
}

struct Bench {
    folder: PathBuf,
    snapshot: PathBuf,
    changes: PathBuf,
    shuffled: PathBuf,
    /// The same rows, which name their referrals by a key.
    keyed: PathBuf,
    /// The same rows as a workbook.
    workbook: PathBuf,
    /// The referrals that the payloads are about.
    referrals: PathBuf,
    payloads: PathBuf,
    shuffled_payloads: PathBuf,
    me: String,
    server: Server,
    concurrency: String,
}

impl Bench {
    fn run(&self, round: usize) -> PathBuf {
        self.folder.join(format!("run-{round}"))
    }

    fn requests(&self) -> PathBuf {
        self.folder.join("requests.tsv")
    }

    fn measured(&self, words: &[&str]) -> Result<Used> {
        measured(&self.folder.join("log"), words)
    }

    fn parse(&self, files: [&Path; 2]) -> Result<Used> {
        warm(files)?;
        self.measured(&[&self.me, "parse", &text(files[0]), &text(files[1])])
    }

    /// Plans changes or payloads against a snapshot.
    fn plan(&self, command: &str, [input, snapshot]: [&Path; 2], run: &Path) -> Result<Used> {
        warm([input, snapshot])?;
        let (input, snapshot, run) = (text(input), text(snapshot), text(run));
        let mut words = vec![PROGRAM, command, &input, "--plan", "--state", &snapshot, "--out", &run];
        words.extend(["--endpoint", &self.server.url, "--summary", "none", "--progress", "none"]);
        self.measured(&words)
    }

    /// Plans changes with one more option. The run is removed.
    fn plan_so(&self, changes: &Path, option: &[&str]) -> Result<Used> {
        warm([changes, &self.snapshot])?;
        let run = self.folder.join("optional");
        let (changes, snapshot, out) = (text(changes), text(&self.snapshot), text(&run));
        let mut words = vec![PROGRAM, "apply", &changes, "--plan", "--state", &snapshot, "--out", &out];
        words.extend(["--endpoint", &self.server.url, "--summary", "none", "--progress", "none"]);
        words.extend(option);
        let used = self.measured(&words)?;
        fs::remove_dir_all(&run)?;
        Ok(used)
    }

    /// Exports all referrals into a change file. They are served by the program's own sandbox, in another process.
    fn exporting(&self, options: &Options) -> Result<Exporting> {
        let sandbox = Server::of_lists(&self.snapshot)?;
        let out = self.folder.join("exported.csv");
        let token = format!("PARTNER_CENTER_TOKEN={}", yardsticks::TOKEN);
        let file = text(&out);
        let words = ["/usr/bin/env", &token, PROGRAM, "export", "--out", &file, "--endpoint", &sandbox.url];
        let words = [&words[..], &["--rate", "100000/s", "--progress", "none"]].concat();
        let (mut rounds, mut requests) = (Vec::new(), 0);
        for _ in 0..options.rounds {
            rounds.push(self.measured(&words)?);
            requests = requests.max(self.told_requests()?);
            let rows = BufReader::new(File::open(&out)?).lines().count() as u64 - 1;
            if rows < options.referrals {
                return Err(Error::other(format!("{rows} rows were exported")));
            }
            fs::remove_file(&out)?;
        }
        Ok(Exporting { requests, used: median(rounds) })
    }

    /// Plans ten times as many rows, explains one in their middle, by its line and by its referral, and writes their
    /// reports again. The run is removed.
    fn explaining(&self, options: &Options) -> Result<Explaining> {
        let rows = options.referrals * 10;
        let (changes, snapshot) = (self.folder.join("many.csv"), self.folder.join("many.jsonl"));
        data::changes(&changes, rows, true)?;
        data::snapshot(&snapshot, rows)?;
        let run = self.folder.join("explained");
        self.plan("apply", [&changes, &snapshot], &run)?;
        let at = usize::try_from(rows / 2).map_err(Error::other)?;
        let row = BufReader::new(File::open(&changes)?).lines().nth(at).transpose()?;
        let row = row.ok_or_else(|| Error::other("there is no such row"))?;
        let id = row.split(',').next().unwrap_or_default().to_owned();
        let line = (rows / 2 + 1).to_string();
        let (mut by_line, mut by_id) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            by_line.push(self.measured(&[PROGRAM, "explain", &text(&run), &line])?);
            by_id.push(self.measured(&[PROGRAM, "explain", &text(&run), &id, "--json"])?);
        }
        let reporting = reporting::report(self, &run, rows, options.rounds)?;
        fs::remove_dir_all(&run)?;
        fs::remove_file(&changes).and_then(|()| fs::remove_file(&snapshot))?;
        let by_time = |rounds: Vec<Used>| middle(rounds, |round| round.seconds);
        Ok(Explaining { rows, by_line: by_time(by_line), by_id: by_time(by_id), reporting })
    }

    /// Returns how many requests the command that was measured last says that it made.
    fn told_requests(&self) -> Result<u64> {
        let said = fs::read_to_string(self.folder.join("log"))?;
        let number = said.split(" request").next().and_then(|before| before.rsplit(' ').next());
        let number: String = number.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
        number.parse().map_err(|_| Error::other(format!("no requests are told: {said}")))
    }

    /// Plans payloads, and only parses them. Every run is looked at, and removed: it is as large as both
    /// files.
    fn migrating(&self, options: &Options) -> Result<Migrating> {
        let (mut planning, mut shuffled, mut parsing) = (Vec::new(), Vec::new(), Vec::new());
        let run = self.folder.join("migrated");
        let plan = |payloads: &Path| {
            let used = self.plan("migrate", [payloads, &self.referrals], &run)?;
            let summary = summary(&run)?;
            fs::remove_dir_all(&run)?;
            Ok::<_, Error>((used, summary["rows"]["planned"].as_u64().unwrap_or_default()))
        };
        let mut planned = 0;
        for _ in 0..options.rounds {
            parsing.push(self.parse([&self.payloads, &self.referrals])?);
            let (used, changed) = plan(&self.payloads)?;
            planning.push(used);
            planned = changed;
            shuffled.push(plan(&self.shuffled_payloads)?.0);
        }
        Ok(Migrating {
            planned,
            planning: median(planning),
            shuffled: median(shuffled),
            parsing: median(parsing),
        })
    }

    /// Plans the rows of a workbook, and only parses it and the snapshot; then the workbook alone.
    fn of_workbook(&self, options: &Options) -> Result<OfWorkbook> {
        let (mut planning, mut parsing, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        let run = self.folder.join("from-workbook");
        for _ in 0..options.rounds {
            parsing.push(self.parse([&self.workbook, &self.snapshot])?);
            alone.push(self.measured(&[&self.me, "parse", &text(&self.workbook)])?);
            planning.push(self.plan("apply", [&self.workbook, &self.snapshot], &run)?);
            fs::remove_dir_all(&run)?;
        }
        Ok(OfWorkbook { planning: median(planning), parsing: median(parsing), alone: median(alone) })
    }

    fn send(&self) -> Result<Used> {
        self.measured(&[&self.me, "send", &self.server.url, &text(&self.requests()), &self.concurrency])
    }

    fn resume(&self, run: &Path, closing: u64) -> Result<Used> {
        let (run, closing) = (text(run), closing.to_string());
        let mut words = vec!["/usr/bin/env", "", PROGRAM, "resume", &run, "--endpoint", &self.server.url];
        let token = format!("PARTNER_CENTER_TOKEN={}", yardsticks::TOKEN);
        words[1] = &token;
        words.extend(["--rate", "100000/s", "--concurrency", &self.concurrency]);
        words.extend(["--yes", "--confirm-closing", &closing, "--summary", "none", "--progress", "none"]);
        self.measured(&words)
    }
}

impl Bench {
    /// Writes the change file that takes a run back. Since the run closes referrals, not all of it goes back.
    fn undo(&self, run: &Path, changed: u64) -> Result<Used> {
        let (file, name) = (self.folder.join("back.jsonl"), text(run));
        let undo = format!(
            "{PROGRAM} undo '{name}' --out '{}' --force --summary json >'{name}.undo'; test $? = 3",
            text(&file)
        );
        let used = self.measured(&["/bin/sh", "-c", &undo])?;
        let told: serde_json::Value = serde_json::from_slice(&fs::read(format!("{name}.undo"))?)?;
        if told["referrals"]["total"] != changed {
            return Err(Error::other(format!("not all of it was taken back: {told}")));
        }
        Ok(used)
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The server, ended with the bench.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    /// Answers PATCHes.
    fn of_changes(referrals: u64) -> Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).args(["serve", &referrals.to_string()]))
    }

    /// Answers GETs of lists, with the program's own sandbox.
    fn of_lists(snapshot: &Path) -> Result<Self> {
        Self::start(Command::new(PROGRAM).arg("sandbox").arg(snapshot).args(["--port", "0"]))
    }

    fn start(command: &mut Command) -> Result<Self> {
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut url)?;
        }
        Ok(Self { process, url: url.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, and then there is nothing to end.
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// What a plan comes to.
#[derive(Clone, Copy)]
struct Plan {
    requests: u64,
    closing: u64,
}

impl Plan {
    /// Reads a run's plan, and writes its requests for the yardstick.
    fn of(run: &Path, requests: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Line {
            id: String,
            operations: Box<RawValue>,
            #[serde(rename = "eTag")]
            etag: Option<String>,
            effect: String,
            outcome: String,
        }
        let mut file = BufWriter::new(File::create(requests)?);
        let mut plan = Self { requests: 0, closing: 0 };
        for line in BufReader::new(File::open(run.join("plan.jsonl"))?).lines() {
            let line: Line = serde_json::from_str(&line?)?;
            if line.outcome == "planned" {
                plan.requests += 1;
                plan.closing += u64::from(line.effect == "one-way");
                writeln!(file, "{}\t{}\t{}", line.id, line.etag.unwrap_or_default(), line.operations)?;
            }
        }
        file.flush()?;
        Ok(plan)
    }
}

/// How long the run took so far by its own account, planning included; it must have sent everything.
fn summed(run: &Path, requests: u64) -> Result<f64> {
    let summary = summary(run)?;
    if summary["rows"]["applied"] != requests || summary["requests"]["patch"] != requests {
        return Err(Error::other(format!("not all of it was applied: {summary}")));
    }
    total_seconds(&summary)
}

fn summary(run: &Path) -> Result<serde_json::Value> {
    Ok(serde_json::from_slice(&fs::read(run.join("summary.json"))?)?)
}

fn total_seconds(summary: &serde_json::Value) -> Result<f64> {
    summary["seconds"]["total"].as_f64().ok_or_else(|| Error::other("the summary tells no seconds"))
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

/// What planning payloads took.
struct Migrating {
    /// How many of them want something else than the referral says.
    planned: u64,
    planning: Used,
    shuffled: Used,
    parsing: Used,
}

/// What explaining one row of many took, and writing the reports of all of them.
struct Explaining {
    rows: u64,
    by_line: Used,
    by_id: Used,
    reporting: Reporting,
}

/// What exporting all referrals took.
struct Exporting {
    requests: u64,
    used: Used,
}

/// What planning the rows of a workbook took.
struct OfWorkbook {
    planning: Used,
    /// What parsing took of both files, with calamine.
    parsing: Used,
    /// What reading the workbook alone took, with calamine.
    alone: Used,
}

struct Figures<'a> {
    options: &'a Options,
    plan: Plan,
    planning: Used,
    shuffled: Used,
    parsing: Used,
    carrying: Used,
    sending: Used,
    seconds: f64,
    /// Writing the change file that takes the run back.
    undoing: Used,
    /// Planning rows that name their referrals by a key.
    matching: Used,
    /// Planning rows that are sent in the order of a value of the referrals.
    ordering: Used,
    migrating: Migrating,
    workbook: OfWorkbook,
    exporting: Exporting,
    explaining: Explaining,
    verifying: Verifying,
}

/// Has the system read the files, so that no one of those that are measured reads them from the disk.
fn warm(files: [&Path; 2]) -> Result<()> {
    files
        .into_iter()
        .try_for_each(|file| std::io::copy(&mut File::open(file)?, &mut std::io::sink()).map(drop))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(figures: &Figures<'_>) {
    let Figures {
        options,
        plan,
        planning,
        shuffled,
        parsing,
        carrying,
        sending,
        seconds,
        undoing,
        matching,
        ordering,
        migrating,
        workbook,
        exporting,
        explaining,
        verifying,
    } = figures;
    let requests = plan.requests as f64;
    let (rate, each) = (requests / seconds, |used: &Used| used.cpu / requests * 1e6);
    let sent = carrying.cpu / sending.cpu;
    println!();
    println!(
        "{} rows and referrals, {} PATCHes, {} in flight, median of {}",
        options.referrals, plan.requests, options.concurrency, options.rounds
    );
    println!();
    println!("| figure | measured | target | |");
    println!("|---|---:|---:|---|");
    println!("| journaled PATCHes a second | {rate:.0} | ≥ 8,000 | {} |", met(rate >= 8_000.0));
    println!("| the same, whole process with its reports | {:.0} | | |", requests / carrying.seconds);
    println!("| bare loop, requests a second | {:.0} | | |", requests / sending.seconds);
    println!("| CPU per PATCH, whole process with its reports | {:.1} µs | | |", each(carrying));
    println!("| CPU per request of the bare loop | {:.1} µs | | |", each(sending));
    println!("| CPU of carrying out ÷ bare loop | {sent:.2} | ≤ 3 | {} |", met(sent <= 3.0));
    println!("| CPU of only parsing both files | {:.2} s | | |", parsing.cpu);
    report_planning("planning, rows in the snapshot's order", planning, parsing, (3.0, 150.0));
    report_planning("planning, rows in no order", shuffled, parsing, (3.0, 150.0));
    report_beside("planning, rows that name their referrals by a key", matching, planning, 1.3);
    report_beside("planning, in the order of a value of the referrals", ordering, planning, 1.3);
    println!("| CPU of calamine reading the workbook | {:.2} s | | |", workbook.alone.cpu);
    println!("| CPU of only parsing workbook and snapshot | {:.2} s | | |", workbook.parsing.cpu);
    report_planning("planning, rows of a workbook", &workbook.planning, &workbook.parsing, (3.0, 400.0));
    let most = options.referrals.div_ceil(100) + 2;
    let (made, held) = (exporting.requests, exporting.used.peak as f64 / 1e6);
    println!("| export: requests | {made} | ≤ {most} | {} |", met(made <= most));
    println!("| export: wall time | {:.2} s | | |", exporting.used.seconds);
    println!("| export: CPU | {:.2} s | | |", exporting.used.cpu);
    println!("| export: peak memory | {held:.1} MB | ≤ 60 MB | {} |", met(held <= 60.0));
    for (how, used) in [("its line", &explaining.by_line), ("its referral", &explaining.by_id)] {
        let (rows, took) = (explaining.rows, used.seconds * 1e3);
        println!(
            "| explain, of {rows} rows one by {how} | {took:.0} ms | ≤ 100 ms | {} |",
            met(took <= 100.0)
        );
    }
    report_reporting(&explaining.reporting);
    let (changed, held) = (verifying.changed as f64, verifying.used.peak as f64 / 1e6);
    let each = verifying.requests as f64 * 100.0 / changed;
    println!(
        "| verify: requests for 100 of {changed} changes | {each:.2} | ≤ 1.05 | {} |",
        met(each <= 1.05)
    );
    println!("| verify: CPU | {:.2} s | | |", verifying.used.cpu);
    println!("| verify: peak memory | {held:.1} MB | ≤ 60 MB | {} |", met(held <= 60.0));
    println!("| payloads that want a change | {} | | |", migrating.planned);
    println!("| CPU of only parsing payloads and referrals | {:.2} s | | |", migrating.parsing.cpu);
    report_planning(
        "payloads in the snapshot's order",
        &migrating.planning,
        &migrating.parsing,
        (2.5, 150.0),
    );
    report_planning("payloads in no order", &migrating.shuffled, &migrating.parsing, (2.5, 150.0));
    let held = undoing.peak as f64 / 1e6;
    println!("| undo: wall time | {:.2} s | | |", undoing.seconds);
    println!("| undo: CPU | {:.2} s | | |", undoing.cpu);
    println!("| undo: peak memory | {held:.1} MB | ≤ 60 MB | {} |", met(held <= 60.0));
    let held = carrying.peak as f64 / 1e6;
    println!("| peak memory of carrying out | {held:.1} MB | ≤ 60 MB | {} |", met(held <= 60.0));
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report_planning(what: &str, used: &Used, parsing: &Used, (most, room): (f64, f64)) {
    let (ratio, held) = (used.cpu / parsing.cpu, used.peak as f64 / 1e6);
    println!("| {what}: wall time | {:.2} s | | |", used.seconds);
    println!("| {what}: CPU | {:.2} s | | |", used.cpu);
    println!("| {what}: CPU ÷ only parsing | {ratio:.2} | ≤ {most} | {} |", met(ratio <= most));
    println!("| {what}: peak memory | {held:.1} MB | ≤ {room} MB | {} |", met(held <= room));
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report_reporting(reporting: &Reporting) {
    let Reporting { rows, bytes, page, used, writing } = reporting;
    let (ratio, held) = (used.cpu / writing.cpu, used.peak as f64 / 1e6);
    println!("| reports of {rows} rows: bytes, and those of the page | {bytes}, {page} | | |");
    println!("| reports of {rows} rows: CPU | {:.2} s | | |", used.cpu);
    println!("| CPU of only writing as many bytes with csv | {:.2} s | | |", writing.cpu);
    println!("| reports of {rows} rows: CPU ÷ only writing | {ratio:.2} | ≤ 2 | {} |", met(ratio <= 2.0));
    println!("| reports of {rows} rows: peak memory | {held:.1} MB | ≤ 100 MB | {} |", met(held <= 100.0));
}

/// Reports what planning with an option took, beside planning the same rows without it.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report_beside(what: &str, used: &Used, plain: &Used, most: f64) {
    let (ratio, held) = (used.cpu / plain.cpu, used.peak as f64 / 1e6);
    println!("| {what}: CPU | {:.2} s | | |", used.cpu);
    println!("| {what}: CPU ÷ planning by id | {ratio:.2} | ≤ {most} | {} |", met(ratio <= most));
    println!("| {what}: peak memory | {held:.1} MB | | |");
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "**missed**" }
}
