//! What an answer says of how much may be asked for, where the service says so.

use std::time::Duration;

/// The longest span of time over which a limit is spread evenly. What is granted for longer may be used up sooner.
const LONGEST: Duration = Duration::from_secs(120);

/// What an answer says of how much may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitSignal {
    /// How many requests are granted, and within which time.
    pub policy: Option<(u64, Duration)>,
    /// How many of them are left.
    pub remaining: Option<u64>,
    /// The time until there are more.
    pub reset: Option<Duration>,
}

impl LimitSignal {
    /// Returns how long to wait, where nothing more is granted before. A second is none to wait for: times are told in
    /// whole seconds, and it may as well be a hundredth.
    pub fn wait(self) -> Option<Duration> {
        self.reset.filter(|reset| self.remaining == Some(0) && *reset > Duration::from_secs(1))
    }

    /// Returns the rate that the service says it grants, in requests a second: never zero, and none for limits of a
    /// longer time.
    pub fn rate(self) -> Option<f64> {
        let left = self.remaining.zip(self.reset);
        let (requests, within) = self.policy.or(left)?;
        let is_told = requests > 0 && within >= Duration::from_secs(1) && within <= LONGEST;
        is_told.then(|| requests as f64 / within.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_signal_says() {
        let s = Duration::from_secs;
        for (policy, remaining, reset, wait, rate) in [
            (None, None, None, None, None),
            (Some((100, s(60))), Some(99), Some(s(55)), None, Some(100.0 / 60.0)),
            (None, Some(99), Some(s(55)), None, Some(99.0 / 55.0)),
            (None, Some(0), Some(s(55)), Some(s(55)), None),
            (None, Some(0), None, None, None),
            (None, Some(0), Some(s(0)), None, None),
            (None, Some(0), Some(s(1)), None, None),
            (None, Some(0), Some(s(2)), Some(s(2)), None),
            (Some((0, s(60))), None, None, None, None),
            (Some((40, s(0))), None, None, None, None),
            (Some((u64::MAX, s(1))), None, None, None, Some(u64::MAX as f64)),
            (Some((5_000, s(3600))), Some(4_999), Some(s(3600)), None, None),
            (None, Some(1), Some(Duration::MAX), None, None),
        ] {
            let signal = LimitSignal { policy, remaining, reset };
            assert_eq!((signal.wait(), signal.rate()), (wait, rate), "{signal:?}");
        }
    }
}
