//! The time axis of a chart: sessions of work to scale, and between them breaks of a width of their own. A run that is
//! carried on with a day later would else be two lines with an empty day between.
//!
//! Positions are parts of the chart's width, so that it fits any width without a script.

use std::fmt;

use super::bins::Bins;
use super::spans::{Span, Spans};

/// The shortest time without any request that is drawn as a break, in milliseconds.
const SHORTEST_BREAK: i64 = 120_000;

/// The width of a break, and the part of the chart that all of them may take.
const BREAK: Position = Position(250);
const ALL_BREAKS: i64 = 2_500;

/// The most bins that fit beside each other so that each can be seen.
const MOST_BINS: i64 = 120;

/// A place on the axis, or a width, in hundredths of a per cent of the chart's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Position(pub(super) i64);

impl Position {
    /// The whole width.
    pub(super) const WHOLE: Self = Self(10_000);

    /// Returns the part of this width that a number is of a whole.
    pub(super) fn part(self, part: i64, whole: i64) -> Self {
        let width = i128::from(self.0) * i128::from(part) / i128::from(whole.max(1));
        Self(i64::try_from(width).unwrap_or(self.0))
    }
}

/// As SVG takes it: `12.34%`.
impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(hundredths) = *self;
        write!(out, "{}.{:02}%", hundredths / 100, hundredths % 100)
    }
}

/// A time of work without a long break, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    /// When it begins and ends, in milliseconds since 1970.
    pub(super) span: Span,
    /// Where it begins on the axis.
    pub(super) x: Position,
    /// How much of the axis it takes.
    pub(super) width: Position,
}

/// The axis, with its sessions in the order of time. There is at least one.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    sessions: Vec<Session>,
}

impl Axis {
    /// Lays out the sessions in which the bins and spans lie, and makes the bins so wide that each can be seen. `None`
    /// where there is nothing to draw.
    pub(super) fn of(bins: &mut Bins, busy: &Spans) -> Option<Self> {
        loop {
            let sessions = sessions(bins, busy);
            let worked: i64 = sessions.iter().map(|session| session.length()).sum();
            if worked <= bins.width() * 1_000 * MOST_BINS {
                return (!sessions.is_empty()).then(|| Self::laid_out(&sessions));
            }
            bins.widen();
        }
    }

    fn laid_out(sessions: &[Span]) -> Self {
        let breaks = i64::try_from(sessions.len()).unwrap_or(i64::MAX) - 1;
        let between = Position(BREAK.0.min(ALL_BREAKS / breaks.max(1)));
        let room = Position(Position::WHOLE.0 - between.0 * breaks);
        let worked: i64 = sessions.iter().map(|session| session.length()).sum();
        let mut before = 0;
        let laid_out = (0..).zip(sessions).map(|(number, span)| {
            let (left, x) = (number * between.0, room.part(before, worked).0);
            before += span.length();
            let width = room.part(before, worked).0 - x;
            Session { span: *span, x: Position(left + x), width: Position(width) }
        });
        Self { sessions: laid_out.collect() }
    }

    /// Returns the sessions in the order of time.
    pub(super) fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Returns the breaks in the order of time.
    pub(super) fn breaks(&self) -> impl Iterator<Item = Span> {
        self.sessions.windows(2).map(|pair| Span { from: pair[0].span.to, to: pair[1].span.from })
    }

    /// Returns where a moment is, in milliseconds since 1970. What lies in no session is at the edge of the next one.
    pub(super) fn x(&self, at: i64) -> Position {
        let number = self.sessions.partition_point(|session| session.span.to < at);
        match self.sessions.get(number) {
            None => Position::WHOLE,
            Some(Session { span, x, width }) => {
                Position(x.0 + width.part((at - span.from).max(0), span.length()).0)
            }
        }
    }
}

/// Returns the sessions: whatever lies close enough together is one. What counts as a break depends on how long was
/// worked, so that a run that takes days is not cut at each lunch, nor a short one drawn with an empty hour.
fn sessions(bins: &Bins, busy: &Spans) -> Vec<Span> {
    let whole = |span: Span| Span {
        from: span.from.div_euclid(1_000) * 1_000,
        to: (span.to - 1).div_euclid(1_000) * 1_000 + 1_000,
    };
    let bins = bins.iter().map(|bin| Span { from: bin.from * 1_000, to: bin.to * 1_000 });
    let mut worked: Vec<Span> = bins.chain(busy.iter().map(whole)).collect();
    worked.sort_unstable();
    let joined = joined(&worked, 0);
    let active: i64 = joined.iter().map(|span| span.length()).sum();
    self::joined(&joined, SHORTEST_BREAK.max(active / 4))
}

/// Joins spans between which there is no more than a gap of this length.
fn joined(spans: &[Span], gap: i64) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from - last.to <= gap => last.to = last.to.max(span.to),
            _ => joined.push(*span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the sessions of changes that are sent at these seconds, and the width of their bins.
    fn check(seconds: &[i64]) -> (Vec<(i64, i64)>, i64) {
        let mut bins = Bins::drawn();
        seconds.iter().for_each(|second| bins.add(second * 1_000, false));
        let axis = Axis::of(&mut bins, &Spans::default()).unwrap();
        let sessions = axis.sessions().iter().map(|session| session.span);
        (sessions.map(|span| (span.from / 1_000, span.to / 1_000)).collect(), bins.width())
    }

    #[test]
    fn a_break_is_long_for_its_run() {
        for (seconds, sessions, width) in [
            (vec![7], vec![(7, 8)], 1),
            (vec![0, 119], vec![(0, 120)], 1),
            (vec![0, 120], vec![(0, 125)], 5),
            (vec![0, 300], vec![(0, 1), (300, 301)], 1),
            ((0..100).chain(90_000..90_020).collect(), vec![(0, 100), (90_000, 90_020)], 1),
            // An hour in which it rested for five minutes is one hour.
            ((0..1_800).chain(2_100..3_600).collect(), vec![(0, 3_600)], 30),
        ] {
            assert_eq!(check(&seconds), (sessions, width), "{} to {:?}", seconds[0], seconds.last());
        }
        assert!(Axis::of(&mut Bins::drawn(), &Spans::default()).is_none());
    }

    #[test]
    fn places_are_parts_of_the_width() {
        let mut bins = Bins::drawn();
        (0..60).chain(90_000..90_060).for_each(|second| bins.add(second * 1_000, false));
        let axis = Axis::of(&mut bins, &Spans::default()).unwrap();
        let places: Vec<String> = [-5, 0, 30_000, 60_000, 70_000, 90_000_000, 90_060_000, 99_999_999]
            .into_iter()
            .map(|at| axis.x(at).to_string())
            .collect();
        let wanted = ["0.00%", "0.00%", "24.37%", "48.75%", "51.25%", "51.25%", "100.00%", "100.00%"];
        assert_eq!(places, wanted);
        assert_eq!(axis.breaks().collect::<Vec<_>>(), [Span { from: 60_000, to: 90_000_000 }]);
    }

    proptest! {
        /// However a run was cut: its sessions hold every bin, don't overlap, fill the axis, and time goes to the right.
        #[test]
        fn an_axis_holds_all_of_its_run(
            bursts in proptest::collection::vec((0_i64..3_000_000, 1_i64..4_000), 1..30),
        ) {
            let (mut bins, mut busy) = (Bins::drawn(), Spans::default());
            for (from, length) in &bursts {
                (0..*length).step_by(7).for_each(|second| bins.add((from + second) * 1_000, false));
                busy.add(from * 1_000, (from + length) * 1_000 + 1);
            }
            let axis = Axis::of(&mut bins, &busy).unwrap();
            let inside = |from: i64, to: i64| {
                axis.sessions().iter().any(|session| session.span.from <= from && to <= session.span.to)
            };
            prop_assert!(bins.iter().all(|bin| inside(bin.from * 1_000, bin.to * 1_000)));
            prop_assert!(busy.iter().all(|span| inside(span.from, span.to)));
            prop_assert!(axis.breaks().all(|span| span.length() > SHORTEST_BREAK));
            let worked: i64 = axis.sessions().iter().map(|session| session.span.length()).sum();
            prop_assert!(worked <= MOST_BINS * bins.width() * 1_000);
            let mut end = Position(0);
            for session in axis.sessions() {
                prop_assert!(session.x >= end, "{:?}", axis);
                end = Position(session.x.0 + session.width.0);
                prop_assert_eq!(axis.x(session.span.to), end);
            }
            prop_assert_eq!(end, Position::WHOLE);
            let places: Vec<Position> = (0..3_004).map(|at| axis.x(at * 1_000_000)).collect();
            prop_assert!(places.is_sorted());
        }
    }
}
