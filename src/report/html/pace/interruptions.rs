//! What interrupted a run: pauses that the service asked for, times in which requests were held back, and breaks. The
//! longest ones have a number, and a line that tells of them; the others are told as a sum.

use std::cmp::Reverse;

use super::axis::{Axis, Position};
use super::spans::{NOTEWORTHY, Span, Spans};
use super::words::{length, moment};
use crate::report::format::grouped;

/// The most interruptions that have a number, and the most breaks that have a line.
const MOST_NUMBERED: usize = 9;

/// The most that are drawn. The shortest of more could not be seen.
const MOST_DRAWN: usize = 200;

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The service had asked for it.
    Pause,
    /// The circuit breaker was open.
    Held,
}

impl Kind {
    /// Returns the class that draws it.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Held => "held",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Pause => "the service asked for a pause, and requests waited",
            Self::Held => "requests were held back, since one after another had failed",
        }
    }
}

/// One interruption, as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interruption {
    pub(super) kind: Kind,
    pub(super) x: Position,
    pub(super) width: Position,
}

/// The number of an interruption, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Badge {
    pub(super) x: Position,
    pub(super) number: usize,
}

/// All of them, as they are drawn and told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Interruptions {
    /// How many there were, breaks not among them.
    pub(super) number: u64,
    pub(super) drawn: Vec<Interruption>,
    pub(super) badges: Vec<Badge>,
    /// Where the breaks are.
    pub(super) breaks: Vec<Position>,
    /// What is told of them, each with its mark.
    pub(super) lines: Vec<(String, String)>,
}

impl Interruptions {
    pub(super) fn of(pauses: &Spans, held: &Spans, axis: &Axis, with_day: bool) -> Self {
        let of_kind = |kind: Kind, spans: &Spans| {
            let told = spans.iter().filter(|span| span.length() >= NOTEWORTHY);
            told.map(move |span| (kind, span)).collect::<Vec<_>>()
        };
        let mut all = [of_kind(Kind::Pause, pauses), of_kind(Kind::Held, held)].concat();
        all.sort_by_key(|(_, span)| Reverse(span.length()));
        let left: Vec<_> = all.split_off(all.len().min(MOST_DRAWN));
        let others = [pauses.others(), held.others()];
        let mut interruptions =
            Self { number: (all.len() + left.len()) as u64 + others[0].0 + others[1].0, ..Self::default() };
        let numbered = all.len().min(MOST_NUMBERED);
        let rest = all[numbered..].iter().chain(&left).map(|(_, span)| (1, span.length())).chain(others);
        let (rest, rest_length) =
            rest.fold((0_u64, 0_i64), |sum, one| (sum.0 + one.0, sum.1.saturating_add(one.1)));
        let mut longest = all[..numbered].to_vec();
        longest.sort_by_key(|(_, span)| *span);
        all.sort_by_key(|(_, span)| *span);
        interruptions.draw(&all, axis);
        for (number, (kind, span)) in (1..).zip(longest) {
            let x = Position(axis.x(span.from).0.midpoint(axis.x(span.to).0));
            interruptions.badges.push(Badge { x, number });
            let line =
                format!("{}, {}: {}", moment(span.from, with_day), length(span.length()), kind.sentence());
            interruptions.lines.push((number.to_string(), line));
        }
        if rest > 0 {
            let others = if rest == 1 { "interruption" } else { "interruptions" };
            let line = format!("{} shorter {others}, together {}", grouped(rest), length(rest_length));
            interruptions.lines.push(("+".to_owned(), line));
        }
        interruptions.tell_breaks(axis);
        interruptions
    }

    /// Whether any of this kind is drawn.
    pub(super) fn has(&self, class: &str) -> bool {
        self.drawn.iter().any(|drawn| drawn.kind.class() == class)
    }

    fn draw(&mut self, all: &[(Kind, Span)], axis: &Axis) {
        for (kind, span) in all {
            let x = axis.x(span.from);
            let width = Position(axis.x(span.to).0 - x.0);
            self.drawn.push(Interruption { kind: *kind, x, width });
        }
    }

    fn tell_breaks(&mut self, axis: &Axis) {
        let mut breaks: Vec<Span> = axis.breaks().collect();
        let middle = |span: &Span| Position(axis.x(span.from).0.midpoint(axis.x(span.to).0));
        self.breaks = breaks.iter().map(middle).collect();
        breaks.sort_by_key(|span| Reverse(span.length()));
        let mut told: Vec<Span> = breaks.iter().copied().take(MOST_NUMBERED).collect();
        told.sort_unstable();
        for span in told {
            let (from, to) = (moment(span.from, true), moment(span.to, true));
            let line = format!("from {from} to {to}, {}: nothing was sent", length(span.length()));
            self.lines.push(("//".to_owned(), line));
        }
        let rest = breaks.get(MOST_NUMBERED..).unwrap_or_default();
        if !rest.is_empty() {
            let sum = length(rest.iter().map(|span| span.length()).sum());
            self.lines.push((
                "//".to_owned(),
                format!("{} shorter breaks, together {sum}", grouped(rest.len() as u64)),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bins::Bins;
    use super::*;

    /// Returns what is told of interruptions that begin each minute of a run and last so many milliseconds.
    fn told(pauses: &[i64], held: &[i64]) -> Interruptions {
        let (mut bins, mut busy) = (Bins::drawn(), Spans::default());
        busy.add(0, 60_000 * pauses.len().max(held.len()) as i64 + 60_000);
        let spans = |lengths: &[i64]| {
            let mut spans = Spans::default();
            (0..)
                .zip(lengths)
                .for_each(|(minute, length)| spans.add(minute * 60_000, minute * 60_000 + length));
            spans
        };
        let axis = Axis::of(&mut bins, &busy).unwrap();
        Interruptions::of(&spans(pauses), &spans(held), &axis, false)
    }

    #[test]
    fn the_longest_have_numbers_in_the_order_of_time() {
        let told = told(&[12_000, 0, 99, 30_000], &[0, 5_500]);
        let lines: Vec<String> = told.lines.iter().map(|(mark, line)| format!("{mark} {line}")).collect();
        assert_eq!(
            lines,
            [
                "1 00:00:00, 12 s: the service asked for a pause, and requests waited",
                "2 00:01:00, 5.5 s: requests were held back, since one after another had failed",
                "3 00:03:00, 30 s: the service asked for a pause, and requests waited",
            ]
        );
        assert_eq!((told.number, told.drawn.len(), told.badges.len()), (3, 3, 3));
        assert!(told.has("pause") && told.has("held"));
    }

    #[test]
    fn the_others_are_told_as_a_sum() {
        let lengths: Vec<i64> = (0..12).map(|number| 1_000 + number * 500).collect();
        let ten = told(&lengths[..10], &[]);
        assert_eq!(ten.lines[9], ("+".to_owned(), "1 shorter interruption, together 1 s".to_owned()));
        let twelve = told(&lengths, &[]);
        let rest = "3 shorter interruptions, together 4.5 s".to_owned();
        assert_eq!((twelve.number, twelve.badges.len(), &twelve.lines[9].1), (12, MOST_NUMBERED, &rest));
        // So many that some are neither kept nor drawn, but all counted.
        let many = told(&vec![2_000; 3_000], &vec![1_000; 500]);
        assert_eq!((many.number, many.drawn.len(), many.lines.len()), (3_500, MOST_DRAWN, 10));
        assert_eq!(many.lines[9].1, "3,491 shorter interruptions, together 1 h 48 min");
    }

    #[test]
    fn breaks_are_told_by_day_and_the_shortest_as_a_sum() {
        let (mut bins, mut busy) = (Bins::drawn(), Spans::default());
        let mut begun = 0;
        for hours in [5, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1] {
            busy.add(begun, begun + 10_000);
            begun += 10_000 + hours * 3_600_000;
        }
        let axis = Axis::of(&mut bins, &busy).unwrap();
        let told = Interruptions::of(&Spans::default(), &Spans::default(), &axis, true);
        assert_eq!((told.number, told.breaks.len(), told.lines.len()), (0, 11, 10));
        let line = |at: usize| format!("{} {}", told.lines[at].0, told.lines[at].1);
        assert_eq!(line(0), "// from 1 Jan, 00:00:10 to 1 Jan, 05:00:10, 5 h: nothing was sent");
        assert_eq!(line(9), "// 2 shorter breaks, together 3 h");
    }
}
