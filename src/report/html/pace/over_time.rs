//! The changes that were sent over time, as a chart, in words and as a table.

use std::fmt::Write;

use askama::Template;

use super::axis::{Axis, Position, Session};
use super::bins::{Bin, Bins};
use super::interruptions::Interruptions;
use super::sums::PaceSums;
use super::words::{PerTime, in_all, length, moment, told};
use crate::report::format::{counted, grouped};

/// The shortest time of sending that is drawn, in milliseconds. Of less a sentence tells as much.
const SHORTEST_DRAWN: i64 = 5_000;

/// The most labels below the axis.
const MOST_TICKS: i64 = 8;

/// The room that a time of day takes below the axis, and one with its day, in hundredths of a per cent.
const TIME: i64 = 800;
const DAY: i64 = 1_600;

/// The steps between labels, in seconds; beyond the last they double.
const STEPS: [i64; 16] =
    [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 345_600];

/// The chart with what it is told by, and its table.
#[derive(Template)]
#[template(path = "pace/over_time.html", config = "src/report/html/askama.toml")]
pub(super) struct OverTime {
    /// What the chart shows, in words.
    told: String,
    /// The same for who doesn't see it.
    label: String,
    /// Whether it took too short a time for a chart.
    is_short: bool,
    rules: [Rule; 2],
    panels: Vec<Panel>,
    interruptions: Interruptions,
    ticks: Vec<Tick>,
    has_throttled: bool,
    table: Table,
}

/// A horizontal line at a rate.
struct Rule {
    y: u8,
    label: String,
}

/// A session, in units of its own: seconds to the right, and changes by the width of a bin downwards.
struct Panel {
    x: Position,
    width: Position,
    /// How many seconds it is wide, and how many units high.
    right: i64,
    bottom: i64,
    /// The steps of the line, from its beginning at the bottom.
    line: String,
    caps: Vec<Cap>,
}

/// The throttled ones on top of a bin.
struct Cap {
    x: i64,
    width: i64,
    y: i64,
    height: i64,
}

/// A label below the axis.
struct Tick {
    x: Position,
    anchor: &'static str,
    label: String,
}

/// The same numbers as a table.
struct Table {
    title: String,
    head: String,
    lines: Vec<[String; 3]>,
}

impl OverTime {
    /// Returns the chart; `None` where nothing was sent.
    pub(super) fn of(sums: &PaceSums) -> Option<Self> {
        let (first, last) = sums.sent()?;
        let (first, last) = (first.as_millisecond(), last.as_millisecond());
        let mut bins = sums.drawn.clone();
        let axis = Axis::of(&mut bins, &sums.busy)?;
        let with_day = told(first, "%F") != told(last, "%F");
        let scale = Scale::of(&bins);
        let interruptions = Interruptions::of(&sums.pauses, &sums.held, &axis, with_day);
        let told = caption(sums, &axis, scale, last - first);
        let label = format!(
            "Changes sent {} from {} to {}: {told}, {}.",
            scale.unit.name,
            moment(first, with_day),
            moment(last, with_day),
            counted(interruptions.number, "interruption"),
        );
        Some(Self {
            told,
            label,
            is_short: last - first < SHORTEST_DRAWN,
            rules: [
                Rule { y: 100, label: grouped(scale.top / 2) },
                Rule { y: 40, label: format!("{} {}", grouped(scale.top), scale.unit.name) },
            ],
            panels: panels(&axis, &bins, scale),
            ticks: ticks(&axis, with_day),
            interruptions,
            has_throttled: sums.throttled > 0,
            table: Table::of(&sums.listed, with_day),
        })
    }
}

/// How high a rate is drawn.
#[derive(Clone, Copy)]
struct Scale {
    unit: PerTime,
    /// The rate at the top, by that unit.
    top: u64,
    /// The width of a bin in seconds.
    width: i64,
    /// The most changes in a bin.
    most: u64,
}

impl Scale {
    fn of(bins: &Bins) -> Self {
        let (most, width) = (bins.iter().map(|bin| bin.sent.all).max().unwrap_or(1), bins.width());
        let unit = PerTime::of(most, width);
        let highest = u128::from(most) * u128::from(unit.seconds.unsigned_abs());
        let tops = [2, 4, 6, 8]
            .into_iter()
            .chain((1..19).flat_map(|digits| [1, 2, 5].map(|top| top * 10_u64.pow(digits))));
        let is_enough = |top: &u64| u128::from(*top) * u128::from(width.unsigned_abs()) >= highest;
        Self { unit, top: tops.into_iter().find(is_enough).unwrap_or(u64::MAX), width, most }
    }

    /// Returns the units from the top to the bottom of a panel: changes in a bin times the seconds of the unit of time.
    fn bottom(self) -> i64 {
        i64::try_from(self.top).unwrap_or(i64::MAX).saturating_mul(self.width)
    }

    /// Returns how many units high so many changes in a bin are.
    fn height(self, changes: u64) -> i64 {
        i64::try_from(changes).unwrap_or(i64::MAX).saturating_mul(self.unit.seconds)
    }
}

/// Returns what the chart shows, in words without a full stop.
fn caption(sums: &PaceSums, axis: &Axis, scale: Scale, whole: i64) -> String {
    let mut told = format!("{} in {}", counted(sums.changes, "change"), in_all(whole));
    let breaks: Vec<i64> = axis.breaks().map(|span| span.length()).collect();
    if !breaks.is_empty() {
        let together = if breaks.len() == 1 { "" } else { " together" };
        let (breaks, rest) = (counted(breaks.len() as u64, "break"), length(breaks.iter().sum()));
        let _ = write!(told, ", with {breaks} of {rest}{together}");
    }
    if sums.throttled > 0 {
        let _ = write!(told, "; {} of them throttled (429)", grouped(sums.throttled));
    }
    let rate = scale.unit.rate(scale.most, scale.width);
    let over = if scale.width > scale.unit.seconds {
        format!(" over {}", length(scale.width * 1_000))
    } else {
        String::new()
    };
    let _ = write!(told, "; at most {rate} {}{over}", scale.unit.name);
    told
}

fn panels(axis: &Axis, bins: &Bins, scale: Scale) -> Vec<Panel> {
    let panel = |session: &Session| {
        let begins = session.span.from / 1_000;
        let within = |bin: &Bin| begins <= bin.from && bin.to * 1_000 <= session.span.to;
        let bins: Vec<Bin> = bins.iter().filter(within).collect();
        let (bottom, mut line, mut caps, mut end) = (scale.bottom(), String::new(), Vec::new(), begins);
        for Bin { from, to, sent } in bins {
            let (x, until) = (from - begins, to - begins);
            if from > end {
                let _ = write!(line, "V{bottom}H{x}");
            }
            let answered = scale.height(sent.all - sent.throttled);
            let _ = write!(line, "V{}H{until}", bottom - answered);
            if sent.throttled > 0 {
                let height = scale.height(sent.throttled);
                caps.push(Cap { x, width: to - from, y: bottom - answered - height, height });
            }
            end = to;
        }
        let right = session.span.length() / 1_000;
        if end - begins < right {
            let _ = write!(line, "V{bottom}H{right}");
        }
        Panel { x: session.x, width: session.width, right, bottom, line, caps }
    };
    axis.sessions().iter().map(panel).collect()
}

/// Returns the labels below the axis: round times, and where there are several sessions, when each begins.
fn ticks(axis: &Axis, with_day: bool) -> Vec<Tick> {
    let worked: i64 = axis.sessions().iter().map(|session| session.span.length()).sum();
    let doubled = (1..).map(|times| STEPS[STEPS.len() - 1] << times);
    let fits = |step: &i64| worked / 1_000 / step <= MOST_TICKS;
    let step = STEPS.into_iter().chain(doubled.take(16)).find(fits).unwrap_or(i64::MAX / 1_000);
    let form = if step < 60 { "%H:%M:%S" } else { "%H:%M" };
    let (mut ticks, mut free) = (Vec::new(), i64::MIN);
    for Session { span, x, .. } in axis.sessions() {
        if axis.sessions().len() > 1 && x.0 >= free {
            let label = told(span.from, if with_day { "%-d %b, %H:%M" } else { form });
            free = x.0 + if with_day { DAY } else { TIME };
            ticks.push(Tick { x: *x, anchor: "start", label });
        }
        // A label is as wide to both sides of its mark.
        let step = step.saturating_mul(1_000);
        let mut at = span.from.div_euclid(step).saturating_add(1).saturating_mul(step);
        while at < span.to {
            let x = axis.x(at);
            if x.0 - TIME / 2 >= free && x.0 <= Position::WHOLE.0 - TIME / 2 {
                let form = if at % 86_400_000 == 0 { "%-d %b" } else { form };
                ticks.push(Tick { x, anchor: "middle", label: told(at, form) });
                free = x.0 + TIME / 2;
            }
            at += step;
        }
    }
    ticks
}

impl Table {
    fn of(bins: &Bins, with_day: bool) -> Self {
        let width = bins.width();
        let (title, head) = match width {
            60 => ("By the minute".to_owned(), "Minute (UTC)".to_owned()),
            600 => ("By ten minutes".to_owned(), "Ten minutes from (UTC)".to_owned()),
            3_600 => ("By the hour".to_owned(), "Hour (UTC)".to_owned()),
            86_400 => ("By the day".to_owned(), "Day (UTC)".to_owned()),
            _ => (format!("By {}", length(width * 1_000)), format!("{} from (UTC)", length(width * 1_000))),
        };
        let form = match (width >= 86_400, with_day) {
            (true, _) => "%-d %b %Y",
            (false, true) => "%-d %b, %H:%M",
            (false, false) => "%H:%M",
        };
        let line =
            |bin: Bin| [told(bin.from * 1_000, form), grouped(bin.sent.all), grouped(bin.sent.throttled)];
        Self { title, head, lines: bins.iter().map(line).collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::spans::Spans;
    use super::super::testing::attempt;
    use super::*;

    fn chart(records: impl IntoIterator<Item = (i64, u16)>) -> OverTime {
        let mut sums = PaceSums::default();
        records.into_iter().for_each(|(begun, status)| sums.add(attempt(begun, 20, status)));
        OverTime::of(&sums).unwrap()
    }

    #[test]
    fn a_rate_has_a_unit_and_a_top_that_one_can_read() {
        // So many changes, one each so many milliseconds.
        for (changes, every, told, top) in [
            (1, 1, "1 change in under 1 s; at most 1 a second", "2 a second"),
            (600, 100, "600 changes in 1 min; at most 10 a second", "10 a second"),
            (100_000, 1, "100,000 changes in 1 min 40 s; at most 1,000 a second", "1,000 a second"),
            (100, 40_000, "100 changes in 1 h 6 min; at most 2 a minute", "2 a minute"),
            (
                48,
                3_600_000,
                "48 changes in 47 h, with 47 breaks of 46 h 59 min together; at most 1 a second",
                "2 a second",
            ),
        ] {
            let chart = chart((0..changes).map(|number| (number * every, 200)));
            assert_eq!(
                (chart.told.as_str(), chart.rules[1].label.as_str()),
                (told, top),
                "{changes} {every}"
            );
        }
    }

    #[test]
    fn a_short_run_is_told_in_a_sentence() {
        for (every, is_short) in [(1, true), (4_900, true), (4_990, false), (60_000, false)] {
            let page = chart([(0, 200), (every, 200)]).render().unwrap();
            assert_eq!(page.contains("<svg"), !is_short, "{page}");
            assert_eq!(
                page.contains("0 interruptions. It was too short for a chart.</figcaption>"),
                is_short
            );
        }
    }

    #[test]
    fn what_was_throttled_stands_on_what_was_answered() {
        let chart = chart([(0, 200), (10, 429), (20, 429), (1_000, 429), (3_000, 200)]);
        let [panel] = chart.panels.as_slice() else { panic!("it is one session") };
        assert_eq!((panel.right, panel.bottom, panel.line.as_str()), (4, 4, "V3H1V4H2V4H3V3H4"));
        let caps: Vec<_> = panel.caps.iter().map(|cap| (cap.x, cap.width, cap.y, cap.height)).collect();
        assert_eq!(caps, [(0, 1, 1, 2), (1, 1, 3, 1)]);
        assert!(chart.has_throttled && chart.told.contains("; 3 of them throttled (429);"), "{}", chart.told);
    }

    #[test]
    fn a_table_says_what_its_lines_are() {
        for (every, title, first) in [
            (1_000, "By the minute", "15:30"),
            (60_000, "By ten minutes", "15:30"),
            (600_000, "By the hour", "31 Dec, 15:00"),
            (7_200_000, "By 6 h", "31 Dec, 12:00"),
            (43_200_000, "By the day", "31 Dec 2026"),
            (100_000_000, "By 2 days", "31 Dec 2026"),
        ] {
            let table = chart((0..100).map(|number| (number * every, 200))).table;
            assert_eq!((table.title.as_str(), table.lines[0][0].as_str()), (title, first), "{every}");
            assert!(table.lines.len() <= 60);
        }
    }

    proptest! {
        /// However long a run is, and however it was cut: no label stands on another, or leaves the chart.
        #[test]
        fn labels_do_not_touch(bursts in proptest::collection::vec((0_i64..400_000_000, 1_i64..9_000_000), 1..20)) {
            let (mut bins, mut busy) = (Bins::drawn(), Spans::default());
            for (begun, length) in bursts {
                bins.add(begun, false);
                busy.add(begun, begun + length);
            }
            let axis = Axis::of(&mut bins, &busy).unwrap();
            for with_day in [false, true] {
                let mut end = i64::MIN;
                for tick in ticks(&axis, with_day) {
                    let width = if tick.label.contains(',') { DAY } else { TIME };
                    let left = if tick.anchor == "start" { tick.x.0 } else { tick.x.0 - width / 2 };
                    prop_assert!(left >= end && tick.x <= Position::WHOLE, "{} at {}", tick.label, tick.x);
                    end = left + width;
                }
            }
        }
    }
}
