//! How far the sending of a run has come: when it went, and which closings are in doubt or left.

use jiff::Timestamp;

use crate::domain::account::FullRow;
use crate::domain::item::Effect;
use crate::domain::outcome::Outcome;

/// When the changes of a run were sent, and what is not known of its closings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SentSoFar {
    /// When the first attempt began, and the last result came.
    times: Option<(Timestamp, Timestamp)>,
    /// The number of referrals of which it is not known whether they were closed.
    pub(super) closings_in_doubt: u64,
}

impl SentSoFar {
    /// Adds the next row of the run.
    pub(super) fn add(&mut self, row: &FullRow) {
        let account = &row.account;
        if let Some(sent) = account.first_sent {
            let done = account.at.unwrap_or(sent).max(sent);
            let (first, last) = self.times.unwrap_or((sent, done));
            self.times = Some((first.min(sent), last.max(done)));
        }
        let closes = row.change.as_ref().is_some_and(|change| change.effect == Effect::OneWay);
        let is_doubtful = closes && row.is_first() && account.verdict.outcome == Outcome::Unknown;
        self.closings_in_doubt += u64::from(is_doubtful);
    }

    /// Returns when the first attempt began and the last result came; `None` where nothing was sent.
    pub(super) fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.times
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::full;
    use super::*;

    #[test]
    fn it_lasts_from_the_first_attempt_to_the_last_result() {
        let at = |time: &str| Some(format!("2026-12-31T{time}Z").parse().unwrap());
        let mut sent = SentSoFar::default();
        assert_eq!(sent.times(), None);
        for (first_sent, done) in [
            (None, at("09:00:00")),
            (at("10:00:05"), at("10:00:06")),
            (at("10:00:01"), None),
            (at("10:00:07"), None),
        ] {
            let mut row = full(1, Outcome::Applied, None);
            (row.account.first_sent, row.account.at) = (first_sent, done);
            sent.add(&row);
        }
        assert_eq!(sent.times(), at("10:00:01").zip(at("10:00:07")));
    }

    #[test]
    fn a_closing_is_in_doubt_once_whatever_rows_ask_for_it() {
        let mut sent = SentSoFar::default();
        for outcome in Outcome::ALL {
            for effect in [Effect::OneWay, Effect::Reversible, Effect::Unchanged] {
                let first = full(1, outcome, Some(effect));
                let mut second = full(2, outcome, Some(effect));
                second.account.item = Some(1);
                sent.add(&first);
                sent.add(&second);
            }
        }
        assert_eq!(sent.closings_in_doubt, 1);
    }
}
