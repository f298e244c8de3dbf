//! Whether answers take longer since the rate is higher. Pure.

use std::time::Duration;

/// By how much the fastest answer of a round may be slower than that of an earlier one: twice as slow, and this.
const SLACK: Duration = Duration::from_millis(50);

/// How much slower answers may have become, each time that they were found slower, before it is forgotten that
/// they were faster. So a service that got slower for another reason is followed.
const FORGOTTEN: Duration = Duration::from_millis(5);

/// The latency of answers, round by round. The fastest answer of a round counts: a single slow one says nothing,
/// and where requests queue all of them are slow.
#[derive(Debug, Default)]
pub(super) struct Latency {
    fastest: Option<Duration>,
    lowest: Option<Duration>,
}

impl Latency {
    /// Returns the latency of the fastest round so far.
    pub(super) fn lowest(&self) -> Option<Duration> {
        self.lowest
    }

    /// Begins a round.
    pub(super) fn begin(&mut self) {
        self.fastest = None;
    }

    /// Records how long an answer of this round took.
    pub(super) fn record(&mut self, latency: Duration) {
        self.fastest = Some(self.fastest.map_or(latency, |fastest| fastest.min(latency)));
    }

    /// Ends a round, and returns whether its answers took much longer than those of an earlier one.
    pub(super) fn has_grown(&mut self) -> bool {
        let Some(fastest) = self.fastest.take() else { return false };
        let lowest = self.lowest.map_or(fastest, |lowest| lowest.min(fastest));
        let has_grown = fastest > lowest * 2 + SLACK;
        self.lowest = Some(if has_grown { lowest.mul_f64(1.1) + FORGOTTEN } else { lowest });
        has_grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of one answer each, in milliseconds: which of them count as slower.
    #[test]
    fn a_round_is_slower_where_its_fastest_answer_is() {
        let ms = Duration::from_millis;
        for (rounds, wanted) in [
            (&[100, 100, 250, 251, 100][..], &[false, false, false, true, false][..]),
            (&[2, 50, 54, 55], &[false, false, false, true]),
            // A better round is the measure from then on.
            (&[400, 100, 400], &[false, false, true]),
            // What stays slow is believed by and by.
            (&[100, 300, 300, 300, 300], &[false, true, true, false, false]),
            (&[0, 0, 51], &[false, false, true]),
        ] {
            let mut latency = Latency::default();
            let grown: Vec<bool> = rounds
                .iter()
                .map(|fastest| {
                    latency.begin();
                    latency.record(ms(*fastest));
                    latency.record(ms(60_000));
                    latency.has_grown()
                })
                .collect();
            assert_eq!(grown, wanted, "{rounds:?}");
        }
        assert!(!Latency::default().has_grown(), "no answer says nothing");
    }
}
