//! Times and rates of the pace, as people read them.

use jiff::Timestamp;

use crate::report::format::{counted, grouped};

/// Returns a moment in UTC for people: the time of day, and the day with it where the run took several.
pub(super) fn moment(at: i64, with_day: bool) -> String {
    told(at, if with_day { "%-d %b, %H:%M:%S" } else { "%H:%M:%S" })
}

/// Returns a moment in UTC, in milliseconds since 1970, in a form of its own.
pub(super) fn told(at: i64, form: &str) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().strftime(form).to_string()
}

/// Returns a length of time in milliseconds: `0.4 s`, `12 s`, `3 min 4 s`, `17 h 50 min`, `3 days 4 h`.
pub(super) fn length(milliseconds: i64) -> String {
    let tenths = milliseconds.max(0).saturating_add(50) / 100;
    if tenths < 100 && tenths % 10 > 0 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = milliseconds.max(0).saturating_add(500) / 1_000;
    let minutes = seconds.saturating_add(30) / 60;
    let hours = minutes.saturating_add(30) / 60;
    let and = |whole: i64, unit: &str, rest: i64, of: &str| match rest {
        0 => format!("{} {unit}", grouped(whole.unsigned_abs())),
        rest => format!("{} {unit} {rest} {of}", grouped(whole.unsigned_abs())),
    };
    match (seconds, minutes, hours) {
        (..60, ..) => format!("{seconds} s"),
        (..3_600, ..) => and(seconds / 60, "min", seconds % 60, "s"),
        (_, ..2_880, _) => and(minutes / 60, "h", minutes % 60, "min"),
        _ => {
            let days = counted((hours / 24).unsigned_abs(), "day");
            if hours % 24 == 0 { days } else { format!("{days} {} h", hours % 24) }
        }
    }
}

/// Returns how long all of something took. What is too short to be told by tenths is told to be under a second.
pub(super) fn in_all(milliseconds: i64) -> String {
    if milliseconds < 50 { "under 1 s".to_owned() } else { length(milliseconds) }
}

/// A unit of time by which a rate is told, so that it is a number one can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PerTime {
    /// Its length in seconds.
    pub(super) seconds: i64,
    /// Its name, as in `a minute`.
    pub(super) name: &'static str,
}

impl PerTime {
    const ALL: [Self; 4] = [
        Self { seconds: 1, name: "a second" },
        Self { seconds: 60, name: "a minute" },
        Self { seconds: 3_600, name: "an hour" },
        Self { seconds: 86_400, name: "a day" },
    ];

    /// Returns the shortest unit by which so many in so many seconds are one at least.
    pub(super) fn of(number: u64, seconds: i64) -> Self {
        let is_whole = |unit: &Self| i128::from(number) * i128::from(unit.seconds) >= i128::from(seconds);
        Self::ALL.into_iter().find(is_whole).unwrap_or(Self::ALL[3])
    }

    /// Returns the rate of so many in so many seconds, as in `5.2`.
    pub(super) fn rate(self, number: u64, seconds: i64) -> String {
        let per_unit = u128::from(number) * u128::from(self.seconds.unsigned_abs());
        let seconds = u128::from(seconds.unsigned_abs().max(1));
        let tenths = (per_unit * 20 + seconds) / (seconds * 2);
        let tenths = u64::try_from(tenths).unwrap_or(u64::MAX);
        if tenths < 1_000 && !tenths.is_multiple_of(10) {
            format!("{}.{}", tenths / 10, tenths % 10)
        } else {
            grouped(tenths.saturating_add(5) / 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (milliseconds, wanted) in [
            (0, "0 s"),
            (5_000, "5 s"),
            (440, "0.4 s"),
            (9_949, "9.9 s"),
            (9_950, "10 s"),
            (59_499, "59 s"),
            (59_500, "1 min"),
            (184_000, "3 min 4 s"),
            (3_599_400, "59 min 59 s"),
            (3_600_000, "1 h"),
            (64_230_000, "17 h 51 min"),
            (172_800_000, "2 days"),
            (273_600_000, "3 days 4 h"),
            (i64::MAX, "106,751,991,167 days 7 h"),
            (-5, "0 s"),
        ] {
            assert_eq!(length(milliseconds), wanted, "{milliseconds}");
        }
    }

    #[test]
    fn moments_are_in_utc() {
        assert_eq!(moment(1_798_729_331_000, false), "15:02:11");
        assert_eq!(moment(1_798_729_331_000, true), "31 Dec, 15:02:11");
    }

    #[test]
    fn rates_have_a_unit_that_makes_them_readable() {
        for (number, seconds, wanted) in [
            (26, 5, "5.2 a second"),
            (5, 5, "1 a second"),
            (4, 5, "48 a minute"),
            (1, 60, "1 a minute"),
            (2, 3_600, "2 an hour"),
            (1, 172_800, "0.5 a day"),
            (100_055, 1, "100,055 a second"),
            (1_001, 10, "100 a second"),
        ] {
            let unit = PerTime::of(number, seconds);
            assert_eq!(format!("{} {}", unit.rate(number, seconds), unit.name), wanted);
        }
    }
}
