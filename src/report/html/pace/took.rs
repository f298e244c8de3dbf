//! How long answers took, as a chart, in four figures and as a table.

use askama::Template;

use super::super::words::listed;
use super::axis::Position;
use super::latency::{CLASSES, Latency, Share, class, shown};
use crate::report::format::{counted, grouped};

/// The height of the highest column, in tenths of a pixel, and where the columns stand.
const HIGHEST: u64 = 1_140;
const FLOOR: u64 = 1_600;

/// The gap at each side of a column, in hundredths of a per cent.
const GAP: i64 = 40;

/// The end that the last class is drawn with, in milliseconds, unless an answer took longer.
const LAST_DRAWN: u64 = 60_000;

/// The marks whose names need this much room between them, in hundredths of a per cent.
const NAME: i64 = 2_000;

/// The chart with its figures and its table.
#[derive(Template)]
#[template(path = "pace/took.html", config = "src/report/html/askama.toml")]
pub(super) struct Took {
    /// How many answers there were, in words.
    answers: String,
    /// The changes of which nobody knows how long their answer took, in words; nothing where there are none.
    unanswered: String,
    /// The figures in one sentence.
    said: String,
    columns: Vec<Column>,
    ticks: Vec<Tick>,
    marks: Vec<Mark>,
    figures: Vec<(&'static str, String)>,
    /// The classes that have answers, with their number.
    lines: Vec<(String, String)>,
}

/// One class of times.
struct Column {
    x: Position,
    width: Position,
    y: String,
    height: String,
    class: String,
    answers: String,
}

/// A time below the columns.
struct Tick {
    x: Position,
    label: String,
}

/// A line at a time that a share of the answers took at most.
struct Mark {
    x: Position,
    y: u8,
    name: &'static str,
}

impl Took {
    pub(super) fn of(latency: &Latency, unanswered: u64) -> Self {
        let shares = Share::ALL.map(|share| (share, latency.within(share)));
        let known = shares.into_iter().filter_map(|(share, took)| Some((share, took?)));
        let figures: Vec<_> = known.map(|(share, took)| (share.name(), shown(took))).collect();
        let said: Vec<String> = figures.iter().map(|(name, took)| format!("{name} {took}")).collect();
        let counts = latency.classes();
        let lines = (0..CLASSES.len()).filter(|at| counts[*at] > 0);
        Self {
            answers: counted(latency.answers(), "answer"),
            unanswered: if unanswered == 0 { String::new() } else { grouped(unanswered) },
            said: listed(&said),
            columns: columns(counts),
            ticks: ticks(),
            marks: marks(latency),
            figures,
            lines: lines.map(|at| (name(at), grouped(counts[at]))).collect(),
        }
    }
}

/// Returns where a class begins.
fn edge(at: usize) -> Position {
    Position::WHOLE.part(i64::try_from(at).unwrap_or_default(), 13)
}

fn columns(counts: [u64; CLASSES.len()]) -> Vec<Column> {
    let most = counts.into_iter().max().unwrap_or_default().max(1);
    let tenths = |tenths: u64| format!("{}.{}", tenths / 10, tenths % 10);
    let column = |(at, count): (usize, u64)| {
        let height = u128::from(count) * u128::from(HIGHEST) / u128::from(most);
        let height = u64::try_from(height).unwrap_or(HIGHEST).max(10);
        let (from, to) = (edge(at), edge(at + 1));
        Column {
            x: Position(from.0 + GAP),
            width: Position(to.0 - from.0 - 2 * GAP),
            y: tenths(FLOOR - height),
            height: tenths(height),
            class: name(at),
            answers: grouped(count),
        }
    };
    counts.into_iter().enumerate().filter(|(_, count)| *count > 0).map(column).collect()
}

fn ticks() -> Vec<Tick> {
    let label = |begins: u64| {
        if begins < 1_000 { begins.to_string() } else { format!("{} s", begins / 1_000) }
    };
    let ticks = CLASSES.iter().enumerate().skip(2).step_by(2);
    ticks.map(|(at, begins)| Tick { x: edge(at), label: label(*begins) }).collect()
}

/// Returns the marks of the median and of 99 %, the name of the one above that of the other where they are close.
fn marks(latency: &Latency) -> Vec<Mark> {
    let slowest = latency.within(Share::Slowest).unwrap_or_default();
    let x = |took: u64| {
        let at = class(took);
        let (from, to) = (edge(at), edge(at + 1));
        let ends = CLASSES.get(at + 1).copied().unwrap_or(LAST_DRAWN.max(slowest));
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Position(
            from.0 + Position(to.0 - from.0).part(signed(took - CLASSES[at]), signed(ends - CLASSES[at])).0,
        )
    };
    let mark =
        |share: Share| latency.within(share).map(|took| Mark { x: x(took), y: 30, name: share.name() });
    let (median, most) = (mark(Share::Median), mark(Share::NinetyNine));
    let mut marks: Vec<Mark> = median.into_iter().chain(most).collect();
    if let [median, most] = marks.as_mut_slice()
        && most.x.0 - median.x.0 < NAME
    {
        median.y = 16;
    }
    marks
}

/// Returns the name of a class: `300–400 ms`.
fn name(at: usize) -> String {
    match CLASSES.get(at + 1) {
        Some(ends) => format!("{}–{} ms", grouped(CLASSES[at]), grouped(*ends)),
        None => format!("{} ms and more", grouped(CLASSES[at])),
    }
}
