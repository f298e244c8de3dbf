//! Planning against a snapshot, beside reading the same files and nothing else.

use std::fs::{self, File};
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use super::figures::{Figure, Goal, Unit};
use super::measure::Used;
use super::server::Server;
use super::{Bench, PROGRAM, data, summary, text};

/// What both files of every measurement were read into by others.
const PARSING: &str = "csv and serde_json parsing both files, nothing else";

/// The most memory that planning so many rows may take, in bytes.
const ROOM: f64 = 200e6;

/// Rows of a change file, in the order of the snapshot and in none, and many more of them; with keys, in an order, and
/// in a workbook.
pub fn figures(bench: &Bench) -> Result<Vec<Figure>> {
    let (rows, many) = (bench.options.referrals, bench.options.many);
    let snapshot = bench.file("snapshot.jsonl");
    data::snapshot(&snapshot, rows)?;
    let changes = |name: &str, in_order| {
        let path = bench.file(name);
        data::changes(&path, rows, in_order).map(|()| path)
    };
    let (ordered, shuffled) = (changes("changes.csv", true)?, changes("shuffled.csv", false)?);
    let parsing = parse(bench, [&ordered, &snapshot])?;
    let (in_order, in_none) =
        (plan(bench, &ordered, &snapshot, &[])?, plan(bench, &shuffled, &snapshot, &[])?);
    let mut figures = beside_parsing(&format!("planning {rows} rows in no order"), &in_none, &parsing, 2.0);
    figures.extend(beside_parsing(
        &format!("planning {rows} rows in the snapshot's order"),
        &in_order,
        &parsing,
        2.0,
    ));
    figures.extend(with_options(bench, &ordered, &snapshot, &in_order)?);
    figures.extend(of_workbook(bench, &snapshot)?);
    figures.extend(of_many(bench, many, &in_none)?);
    Ok(figures)
}

/// Payloads, in the order of the snapshot and in none.
pub fn of_payloads(bench: &Bench) -> Result<Vec<Figure>> {
    let payloads = bench.options.payloads;
    let referrals = bench.file("referrals.jsonl");
    data::long_snapshot(&referrals, payloads)?;
    let mut figures = Vec::new();
    for (in_order, how) in [(true, "the snapshot's order"), (false, "no order")] {
        let archive = bench.file("payloads.jsonl");
        data::payloads(&archive, payloads, in_order)?;
        let parsing = parse(bench, [&archive, &referrals])?;
        let planning = repeated(bench, "migrate", &archive, &referrals, &[])?;
        let what = format!("planning {payloads} payloads of 3 kB in {how}");
        figures.extend(beside_parsing(&what, &planning, &parsing, 2.0));
        fs::remove_file(archive)?;
    }
    fs::remove_file(referrals)?;
    Ok(figures)
}

fn with_options(bench: &Bench, changes: &Path, snapshot: &Path, plain: &Used) -> Result<Vec<Figure>> {
    let keyed = bench.file("keyed.csv");
    data::keyed_changes(&keyed, bench.options.referrals)?;
    let matching = plan(bench, &keyed, snapshot, &["--match", "externalReferenceId"])?;
    let ordering = plan(bench, changes, snapshot, &["--priority", "/details/dealValue:desc"])?;
    let of = |what: &str, used: &Used| {
        Figure::new(format!("CPU of planning {what}"), used.cpu / plain.cpu, Unit::Ratio, Goal::AtMost(1.3))
            .beside("the same rows without")
    };
    Ok(vec![of("with `--match`", &matching), of("with `--priority`", &ordering)])
}

fn of_workbook(bench: &Bench, snapshot: &Path) -> Result<Vec<Figure>> {
    let workbook = bench.file("changes.xlsx");
    data::workbook(&workbook, bench.options.referrals)?;
    let parsing = parse(bench, [&workbook, snapshot])?;
    let planning = plan(bench, &workbook, snapshot, &[])?;
    let what = "CPU of planning the rows of a workbook";
    let ratio = Figure::new(what, planning.cpu / parsing.cpu, Unit::Ratio, Goal::AtMost(3.0));
    Ok(vec![ratio.beside("calamine and serde_json parsing both files, nothing else")])
}

/// Plans many rows, with a state and without one; by the first the cost of a row is held against that of few.
fn of_many(bench: &Bench, many: u64, few: &Used) -> Result<Vec<Figure>> {
    let (snapshot, changes) = (bench.file("many.jsonl"), bench.file("many.csv"));
    data::snapshot(&snapshot, many)?;
    data::changes(&changes, many, false)?;
    let parsing = parse(bench, [&changes, &snapshot])?;
    let planning = plan(bench, &changes, &snapshot, &[])?;
    fs::remove_file(&snapshot)?;
    let blind = plan(bench, &changes, Path::new("none"), &[])?;
    let what = format!("planning {many} rows in no order");
    let mut figures = beside_parsing(&what, &planning, &parsing, 2.0);
    let rows = bench.options.referrals;
    let factor = many as f64 / rows as f64;
    figures.push(
        Figure::new(
            format!("CPU of {what}"),
            planning.cpu / few.cpu,
            Unit::Ratio,
            Goal::AtMost(factor * 1.05),
        )
        .beside(format!("planning {rows} rows")),
    );
    let peak = Figure::new(
        format!("peak memory of {what}"),
        planning.peak as f64 / 1e6,
        Unit::Megabytes,
        Goal::AtMost(ROOM / 1e6),
    );
    let without = format!("peak memory of planning {many} rows with `--state none`");
    figures.push(peak.among_few());
    figures.push(Figure::new(without, blind.peak as f64 / 1e6, Unit::Megabytes, Goal::AtMost(ROOM / 1e6)));
    fs::remove_file(changes)?;
    Ok(figures)
}

fn beside_parsing(what: &str, planning: &Used, parsing: &Used, most: f64) -> Vec<Figure> {
    let ratio =
        Figure::new(format!("CPU of {what}"), planning.cpu / parsing.cpu, Unit::Ratio, Goal::AtMost(most));
    vec![
        ratio.beside(PARSING).among_few(),
        Figure::new("that is", planning.cpu, Unit::Seconds, Goal::None)
            .beside(format!("{:.1} s", parsing.cpu)),
        Figure::new(
            "peak memory of it",
            planning.peak as f64 / 1e6,
            Unit::Megabytes,
            Goal::AtMost(ROOM / 1e6),
        ),
    ]
}

fn parse(bench: &Bench, files: [&Path; 2]) -> Result<Used> {
    bench.rounds(|| {
        warm(files)?;
        bench.measured(&[&bench.me, "parse", &text(files[0]), &text(files[1])])
    })
}

/// Plans changes as often as is measured. The runs are removed.
fn plan(bench: &Bench, changes: &Path, state: &Path, options: &[&str]) -> Result<Used> {
    repeated(bench, "apply", changes, state, options)
}

fn repeated(bench: &Bench, command: &str, input: &Path, state: &Path, options: &[&str]) -> Result<Used> {
    let run = bench.file("planned");
    bench.rounds(|| {
        let used = plan_into(bench, &bench.server, command, [input, state], &run, options)?;
        let summary = summary(&run)?;
        fs::remove_dir_all(&run)?;
        match summary["rows"]["planned"].as_u64() {
            Some(1..) => Ok(used),
            _ => Err(Error::other(format!("nothing was planned: {summary}"))),
        }
    })
}

/// Plans an input against a state into a run.
pub fn plan_into(
    bench: &Bench,
    server: &Server,
    command: &str,
    [input, state]: [&Path; 2],
    run: &Path,
    options: &[&str],
) -> Result<Used> {
    warm([input, state])?;
    let (input, state, run) = (text(input), text(state), text(run));
    let mut words = vec![PROGRAM, command, &input, "--plan", "--state", &state, "--out", &run];
    words.extend(["--endpoint", &server.url, "--summary", "none", "--progress", "none"]);
    words.extend(options);
    bench.measured(&words)
}

/// Has the system read the files, so that no one of those that are measured reads them from the disk.
fn warm(files: [&Path; 2]) -> Result<()> {
    let is_there = |path: &&Path| path.exists();
    files
        .into_iter()
        .filter(is_there)
        .try_for_each(|file| std::io::copy(&mut File::open(file)?, &mut std::io::sink()).map(drop))
}

/// Plans so many rows in the order of the snapshot, to be sent to a server, and keeps the run. Both files are removed.
pub fn planned(bench: &Bench, server: &Server, rows: u64, name: &str) -> Result<PathBuf> {
    let (changes, snapshot, run) = (bench.file("kept.csv"), bench.file("kept.jsonl"), bench.file(name));
    data::changes(&changes, rows, true)?;
    data::snapshot(&snapshot, rows)?;
    plan_into(bench, server, "apply", [&changes, &snapshot], &run, &[])?;
    fs::remove_file(snapshot)?;
    Ok(run)
}
