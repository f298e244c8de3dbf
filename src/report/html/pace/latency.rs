//! How long answers took: counted in widening classes, and once more by what is shown of a time, so that a median or the
//! slowest is exact in every digit that it has. What is kept doesn't grow with the number of answers.

use std::collections::BTreeMap;

use crate::report::format::grouped;

/// Where the classes of the chart begin, in milliseconds. The last has no end.
pub(super) const CLASSES: [u64; 13] = [0, 50, 100, 150, 200, 250, 300, 400, 500, 700, 1_000, 2_000, 4_000];

/// How long answers took.
#[derive(Debug, Clone, Default)]
pub(super) struct Latency {
    answers: u64,
    classes: [u64; CLASSES.len()],
    /// The answers by their time, rounded as it is shown: at most 900 of them for each power of ten.
    rounded: BTreeMap<u64, u64>,
}

/// A part of all answers, for which a time is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Half of them.
    Median,
    /// Nine in ten.
    Ninety,
    /// Ninety-nine in a hundred.
    NinetyNine,
    /// All of them.
    Slowest,
}

impl Share {
    /// Every share, the smallest first.
    pub(super) const ALL: [Self; 4] = [Self::Median, Self::Ninety, Self::NinetyNine, Self::Slowest];

    /// Returns its name on the page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::Ninety => "90 %",
            Self::NinetyNine => "99 %",
            Self::Slowest => "slowest",
        }
    }

    /// Returns the share in hundredths.
    fn hundredths(self) -> u64 {
        match self {
            Self::Median => 50,
            Self::Ninety => 90,
            Self::NinetyNine => 99,
            Self::Slowest => 100,
        }
    }

    /// Returns the fewest answers of which the share says something that the slowest one doesn't.
    fn fewest(self) -> u64 {
        match self {
            Self::Median | Self::Slowest => 1,
            Self::Ninety => 10,
            Self::NinetyNine => 100,
        }
    }
}

impl Latency {
    /// Adds an answer that took so many milliseconds.
    pub(super) fn add(&mut self, took: u64) {
        self.answers += 1;
        self.classes[class(took)] += 1;
        *self.rounded.entry(rounded(took)).or_default() += 1;
    }

    /// Returns the number of answers.
    pub(super) fn answers(&self) -> u64 {
        self.answers
    }

    /// Returns the number of answers in each class.
    pub(super) fn classes(&self) -> [u64; CLASSES.len()] {
        self.classes
    }

    /// Returns the time within which a share of the answers came, in milliseconds and rounded as it is shown; `None`
    /// where there are too few to tell.
    pub(super) fn within(&self, share: Share) -> Option<u64> {
        if self.answers < share.fewest() {
            return None;
        }
        let rank = (u128::from(self.answers) * u128::from(share.hundredths())).div_ceil(100);
        let mut passed = 0;
        let mut times = self.rounded.iter();
        let found = times.find(|(_, answers)| {
            passed += u128::from(**answers);
            passed >= rank
        });
        found.map(|(took, _)| *took)
    }
}

/// Returns the number of the class that a time belongs to.
pub(super) fn class(took: u64) -> usize {
    CLASSES.partition_point(|begins| *begins <= took) - 1
}

/// Rounds a time to three digits, those that are shown. To round keeps the order, so the median of rounded times is the
/// rounded median.
fn rounded(took: u64) -> u64 {
    let mut unit = 1;
    while took / unit >= 1_000 {
        unit *= 10;
    }
    (took / unit + u64::from(took % unit * 2 >= unit && unit > 1)).saturating_mul(unit)
}

/// Returns a rounded time with the digits that are known: `347 ms`, `1.10 s`, `30.5 s`, `240 s`.
pub(super) fn shown(took: u64) -> String {
    match took {
        0..1_000 => format!("{took} ms"),
        1_000..10_000 => format!("{}.{:02} s", took / 1_000, took % 1_000 / 10),
        10_000..100_000 => format!("{}.{} s", took / 1_000, took % 1_000 / 100),
        _ => format!("{} s", grouped(took / 1_000)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_have_three_digits() {
        for (took, wanted) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1.00 s"),
            (1_004, "1.00 s"),
            (1_005, "1.01 s"),
            (9_994, "9.99 s"),
            (9_995, "10.0 s"),
            (30_049, "30.0 s"),
            (30_050, "30.1 s"),
            (99_950, "100 s"),
            (1_234_567, "1,230 s"),
        ] {
            assert_eq!(shown(rounded(took)), wanted, "{took}");
        }
        // As a clock that jumps may have it.
        assert_eq!(rounded(u64::MAX), 18_400_000_000_000_000_000);
    }

    #[test]
    fn of_a_few_answers_no_hundredth_is_told() {
        let mut latency = Latency::default();
        assert_eq!(Share::ALL.map(|share| latency.within(share)), [None; 4]);
        (1..=9).for_each(|took| latency.add(took));
        assert_eq!(Share::ALL.map(|share| latency.within(share)), [Some(5), None, None, Some(9)]);
        (10..=100).for_each(|took| latency.add(took));
        assert_eq!(Share::ALL.map(|share| latency.within(share)), [50, 90, 99, 100].map(Some));
    }

    #[test]
    fn every_time_has_its_class() {
        for (took, wanted) in [(0, 0), (49, 0), (50, 1), (999, 9), (1_000, 10), (3_999, 11), (u64::MAX, 12)] {
            assert_eq!(class(took), wanted, "{took}");
        }
    }

    proptest! {
        /// What is told of any answers is what sorting them tells, rounded to three digits, and no class is short of one.
        #[test]
        fn shares_are_those_of_sorted_times(
            mut times in proptest::collection::vec(prop_oneof![0_u64..2_000, 0_u64..400_000], 1..400),
        ) {
            let mut latency = Latency::default();
            times.iter().for_each(|took| latency.add(*took));
            times.sort_unstable();
            for (share, part) in Share::ALL.into_iter().zip([0.5, 0.9, 0.99, 1.0]) {
                let rank = (times.len() as f64 * part - 1e-9).ceil() as usize;
                let exact = times[rank - 1];
                let digits = if exact < 1_000 { 0 } else { exact.ilog10() - 2 };
                let unit = 10_u64.pow(digits) as f64;
                let wanted = ((exact as f64 / unit + 0.5).floor() * unit) as u64;
                let enough = times.len() as u64 >= share.fewest();
                prop_assert_eq!(latency.within(share), enough.then_some(wanted), "{:?} {}", share, exact);
            }
            for (at, count) in latency.classes().into_iter().enumerate() {
                let ends = CLASSES.get(at + 1).copied().unwrap_or(u64::MAX);
                let within = times.iter().filter(|took| **took >= CLASSES[at] && **took < ends).count();
                prop_assert_eq!(count, within as u64);
            }
            prop_assert!(latency.rounded.len() <= 2_700);
        }
    }
}
