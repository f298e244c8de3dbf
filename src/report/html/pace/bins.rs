//! What was sent over time, counted in bins that widen when there would be too many: what is kept doesn't grow with the
//! number of changes, nor with the time that a run takes.

use std::collections::BTreeMap;

/// The widths of bins in seconds. Each is a multiple of the one before; beyond the last they double.
type Widths = &'static [i64];

/// The widths of a chart's bins.
const DRAWN: Widths = &[1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

/// The most bins that are kept for a chart.
const MOST_DRAWN: usize = 400;

/// The widths of a table's bins.
const LISTED: Widths = &[60, 600, 3_600, 21_600, 86_400];

/// The most lines of a table.
const MOST_LISTED: usize = 60;

/// The changes that were sent in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sent {
    /// All of them.
    pub(super) all: u64,
    /// Those that were answered by asking to slow down.
    pub(super) throttled: u64,
}

/// One bin of time, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bin {
    /// When it begins.
    pub(super) from: i64,
    /// When it ends.
    pub(super) to: i64,
    /// What was sent meanwhile, which is never nothing.
    pub(super) sent: Sent,
}

/// Counts by bins of equal width. A bin in which nothing was sent is not kept, so a run that is carried on with after
/// days has no more bins than its hours of work.
#[derive(Debug, Clone)]
pub(super) struct Bins {
    widths: Widths,
    most: usize,
    /// How often the bins were widened.
    step: usize,
    bins: BTreeMap<i64, Sent>,
}

impl Bins {
    /// Begins the bins of a chart.
    pub(super) fn drawn() -> Self {
        Self { widths: DRAWN, most: MOST_DRAWN, step: 0, bins: BTreeMap::new() }
    }

    /// Begins the bins of a table.
    pub(super) fn listed() -> Self {
        Self { widths: LISTED, most: MOST_LISTED, step: 0, bins: BTreeMap::new() }
    }

    /// Counts a change that was sent then, in milliseconds since 1970.
    pub(super) fn add(&mut self, at: i64, is_throttled: bool) {
        let bin = self.bins.entry(at.div_euclid(1_000).div_euclid(self.width())).or_default();
        bin.all += 1;
        bin.throttled += u64::from(is_throttled);
        while self.bins.len() > self.most {
            self.widen();
        }
    }

    /// Returns the width of a bin in seconds.
    pub(super) fn width(&self) -> i64 {
        width(self.widths, self.step)
    }

    /// Makes the bins wider by a step: several become one.
    pub(super) fn widen(&mut self) {
        let factor = width(self.widths, self.step + 1) / self.width();
        self.step += 1;
        for (number, sent) in std::mem::take(&mut self.bins) {
            let bin = self.bins.entry(number.div_euclid(factor)).or_default();
            bin.all += sent.all;
            bin.throttled += sent.throttled;
        }
    }

    /// Iterates over the bins in which something was sent, in the order of time.
    pub(super) fn iter(&self) -> impl Iterator<Item = Bin> {
        let width = self.width();
        self.bins.iter().map(move |(number, sent)| Bin {
            from: number * width,
            to: (number + 1) * width,
            sent: *sent,
        })
    }
}

fn width(widths: Widths, step: usize) -> i64 {
    let last = widths.len() - 1;
    let doubled = step.saturating_sub(last);
    widths[step.min(last)] << doubled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_width_is_a_multiple_of_the_one_before() {
        for widths in [DRAWN, LISTED] {
            for step in 0..widths.len() + 8 {
                let (narrow, wide) = (width(widths, step), width(widths, step + 1));
                assert!(wide > narrow && wide % narrow == 0, "{narrow} {wide}");
            }
        }
    }

    #[test]
    fn a_long_run_has_wider_bins_and_not_more() {
        // A change each second, for these seconds.
        for (seconds, width, bins) in
            [(1, 1, 1), (400, 1, 400), (401, 5, 81), (2_001, 10, 201), (1_000_000, 3_600, 278)]
        {
            let mut drawn = Bins::drawn();
            (0..seconds).for_each(|second| drawn.add(second * 1_000, false));
            assert_eq!((drawn.width(), drawn.iter().count()), (width, bins), "{seconds}");
        }
    }

    #[test]
    fn a_break_of_weeks_takes_no_bins() {
        let mut drawn = Bins::drawn();
        for second in (0..200).chain(5_000_000..5_000_200) {
            drawn.add(second * 1_000, false);
        }
        assert_eq!((drawn.width(), drawn.iter().count()), (1, 400));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Whatever comes in whatever order: the bins are those of a naive count by the width that they ended with,
        /// and that is the narrowest with which there are not too many.
        #[test]
        fn bins_are_those_of_a_count_by_their_width(
            sent in proptest::collection::vec((-50_000_000_i64..500_000_000, any::<bool>()), 1..800),
        ) {
            for mut bins in [Bins::drawn(), Bins::listed()] {
                sent.iter().for_each(|(at, is_throttled)| bins.add(*at, *is_throttled));
                let count = |width: i64| {
                    let mut model: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
                    for (at, is_throttled) in &sent {
                        let from = (*at as f64 / 1_000.0 / width as f64).floor() as i64 * width;
                        let bin = model.entry(from).or_default();
                        *bin = (bin.0 + 1, bin.1 + u64::from(*is_throttled));
                    }
                    model
                };
                let widths = (0..).map(|step| width(bins.widths, step));
                let narrowest = widths.into_iter().find(|width| count(*width).len() <= bins.most).unwrap();
                prop_assert_eq!(bins.width(), narrowest);
                let got: BTreeMap<i64, (u64, u64)> =
                    bins.iter().map(|bin| (bin.from, (bin.sent.all, bin.sent.throttled))).collect();
                prop_assert_eq!(got, count(narrowest));
            }
        }
    }
}
