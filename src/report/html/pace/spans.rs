//! Spans of time that many requests tell of, each for itself: what they tell is joined, so that a pause which held forty
//! requests is one.

/// The most spans that are kept. A run with more interruptions than that can't be told one by one anyway.
const MOST: usize = 1_000;

/// The shortest span in milliseconds that is worth telling: a request that passes the gate may wait a moment.
pub(super) const NOTEWORTHY: i64 = 100;

/// A span of time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// When it begins.
    pub(super) from: i64,
    /// When it ends, which is later.
    pub(super) to: i64,
}

impl Span {
    /// Returns its length in milliseconds.
    pub(super) fn length(self) -> i64 {
        self.to - self.from
    }
}

/// Spans that don't touch each other, in the order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans {
    spans: Vec<Span>,
    /// The number of spans that were too many, the shortest ones that are worth telling, and their length together.
    others: (u64, i64),
}

impl Spans {
    /// Adds a span; joins it with those that it touches.
    pub(super) fn add(&mut self, from: i64, to: i64) {
        if from >= to {
            return;
        }
        let first = self.spans.partition_point(|span| span.to < from);
        let behind = self.spans.partition_point(|span| span.from <= to);
        let touched = self.spans.get(first..behind).unwrap_or_default();
        let from = touched.first().map_or(from, |span| span.from.min(from));
        let to = touched.last().map_or(to, |span| span.to.max(to));
        self.spans.splice(first..behind.max(first), [Span { from, to }]);
        if self.spans.len() > MOST {
            self.leave_shortest();
        }
    }

    /// Iterates over the spans in the order of time.
    pub(super) fn iter(&self) -> impl Iterator<Item = Span> {
        self.spans.iter().copied()
    }

    /// Returns how many spans aren't kept, and their length together in milliseconds. They were shorter than those that
    /// are.
    pub(super) fn others(&self) -> (u64, i64) {
        self.others
    }

    /// Leaves the shortest span to the sum. The last one may still grow, so it stays.
    fn leave_shortest(&mut self) {
        let settled = self.spans.len() - 1;
        let shortest = (0..settled).min_by_key(|at| self.spans[*at].length());
        if let Some(at) = shortest {
            let length = self.spans.remove(at).length();
            if length >= NOTEWORTHY {
                self.others = (self.others.0 + 1, self.others.1 + length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(told: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let mut spans = Spans::default();
        told.iter().for_each(|(from, to)| spans.add(*from, *to));
        spans.iter().map(|span| (span.from, span.to)).collect()
    }

    #[test]
    fn what_touches_is_one() {
        for (told, wanted) in [
            (&[][..], &[][..]),
            (&[(5, 5), (7, 6)], &[]),
            (&[(1, 3), (3, 5)], &[(1, 5)]),
            (&[(1, 3), (4, 5)], &[(1, 3), (4, 5)]),
            (&[(4, 5), (1, 3)], &[(1, 3), (4, 5)]),
            (&[(1, 2), (4, 5), (7, 8), (2, 7)], &[(1, 8)]),
            (&[(1, 9), (2, 3)], &[(1, 9)]),
            (&[(2, 3), (1, 9)], &[(1, 9)]),
        ] {
            assert_eq!(spans(told), wanted, "{told:?}");
        }
    }

    #[test]
    fn the_longest_are_kept_and_the_others_summed() {
        let mut spans = Spans::default();
        for number in 0..1_500_i64 {
            let length = if number % 3 == 0 { 110 } else { 200 };
            spans.add(number * 1_000, number * 1_000 + length);
        }
        assert_eq!(spans.others(), (500, 55_000));
        assert!(spans.iter().all(|span| span.length() == 200));
        assert_eq!(spans.iter().count(), MOST);
        (0..2_000).for_each(|number| spans.add(9_000_000 + number * 1_000, 9_000_000 + number * 1_000 + 99));
        // They are not worth telling; but the last one may still grow, so another makes room for it.
        assert_eq!(spans.others(), (501, 55_200));
    }

    proptest! {
        /// The spans cover each moment that any of the told ones covers, and no other.
        #[test]
        fn spans_cover_what_was_told(
            told in proptest::collection::vec((0_i64..200, 0_i64..20), 0..60),
        ) {
            let told: Vec<(i64, i64)> = told.into_iter().map(|(from, length)| (from, from + length)).collect();
            let joined = spans(&told);
            for moment in 0..220 {
                let is_told = |all: &[(i64, i64)]| all.iter().any(|(from, to)| (*from..*to).contains(&moment));
                prop_assert_eq!(is_told(&joined), is_told(&told), "{}", moment);
            }
            prop_assert!(joined.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", joined);
        }
    }
}
