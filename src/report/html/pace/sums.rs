//! The fold over a run's attempts and waits.

use jiff::Timestamp;

use super::bins::Bins;
use super::latency::Latency;
use super::spans::Spans;
use crate::domain::attempt::{PaceRecord, Try};
use crate::domain::step::Waits;

/// The status that asks to slow down.
const TOO_MANY_REQUESTS: u16 = 429;

/// What a run's attempts and waits come to. It doesn't grow with their number.
#[derive(Debug, Clone)]
pub(super) struct PaceSums {
    pub(super) changes: u64,
    pub(super) throttled: u64,
    pub(super) unanswered: u64,
    pub(super) drawn: Bins,
    pub(super) listed: Bins,
    pub(super) latency: Latency,
    /// The times in which the service had asked to wait.
    pub(super) pauses: Spans,
    /// The times in which the circuit breaker held requests back.
    pub(super) held: Spans,
    /// The times in which a request was under way, or waited for anything.
    pub(super) busy: Spans,
    sent: Option<(Timestamp, Timestamp)>,
}

impl Default for PaceSums {
    fn default() -> Self {
        Self {
            changes: 0,
            throttled: 0,
            unanswered: 0,
            drawn: Bins::drawn(),
            listed: Bins::listed(),
            latency: Latency::default(),
            pauses: Spans::default(),
            held: Spans::default(),
            busy: Spans::default(),
            sent: None,
        }
    }
}

impl PaceSums {
    /// Adds the next attempt or wait on record.
    pub(super) fn add(&mut self, record: PaceRecord) {
        match record {
            PaceRecord::Attempt(made) => self.attempt(made),
            PaceRecord::Waits { at, waits } => self.waits(at, waits),
        }
    }

    /// Returns when the first change was put on record to be sent, and when the last answer came, as far as that is on
    /// record; `None` where nothing was sent.
    pub(super) fn sent(&self) -> Option<(Timestamp, Timestamp)> {
        self.sent
    }

    fn attempt(&mut self, Try { at, answered, status, .. }: Try) {
        let is_throttled = status == Some(TOO_MANY_REQUESTS);
        let begun = at.as_millisecond();
        self.changes += 1;
        self.throttled += u64::from(is_throttled);
        self.drawn.add(begun, is_throttled);
        self.listed.add(begun, is_throttled);
        let last = answered.map_or(at, |answered| answered.max(at));
        self.busy.add(begun, last.as_millisecond());
        let (first, latest) = self.sent.unwrap_or((at, last));
        self.sent = Some((first.min(at), latest.max(last)));
        // An answer that came before its question tells of a clock that was set back, and not how long it took.
        let took = answered.filter(|_| status.is_some());
        let took = took.and_then(|answered| u64::try_from(answered.duration_since(at).as_millis()).ok());
        match took {
            Some(took) => self.latency.add(took),
            None => self.unanswered += 1,
        }
    }

    /// Adds what a request waited for until then: of its own accord, then for the circuit breaker and for a pause, then
    /// for the rate.
    fn waits(&mut self, at: Timestamp, waits: Waits) {
        let Waits { rate, pause, held_back, back_off } = waits;
        let [rate, pause, held_back, back_off] = [rate, pause, held_back, back_off]
            .map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 8));
        let over = at.as_millisecond();
        let turn = over.saturating_sub(rate);
        self.pauses.add(turn.saturating_sub(pause), turn);
        let paused = turn.saturating_sub(pause);
        self.held.add(paused.saturating_sub(held_back), paused);
        self.busy.add(paused.saturating_sub(held_back).saturating_sub(back_off), over);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, attempt, waited};
    use super::*;

    fn sums(records: &[PaceRecord]) -> PaceSums {
        let mut sums = PaceSums::default();
        records.iter().for_each(|record| sums.add(*record));
        sums
    }

    #[test]
    fn sending_lasts_from_the_first_intent_to_the_last_answer() {
        for (records, from, to) in [
            (vec![attempt(7, 0, 0)], 7, 7),
            (vec![attempt(7, 90, 200), attempt(20, 5, 200)], 7, 97),
            // A clock that was set back meanwhile.
            (vec![attempt(7, -90, 200)], 7, 7),
        ] {
            assert_eq!(sums(&records).sent(), Some((at(from), at(to))), "{records:?}");
        }
    }

    #[test]
    fn how_long_an_answer_took_is_not_guessed() {
        let sums = sums(&[attempt(0, 5, 200), attempt(0, -5, 200), attempt(0, 0, 0)]);
        assert_eq!((sums.changes, sums.latency.answers(), sums.unanswered), (3, 1, 2));
    }

    #[test]
    fn waits_end_one_after_the_other() {
        let begun = at(0).as_millisecond();
        let sums = sums(&[waited(10_000, [1_000, 2_000, 3_000, 500])]);
        let spans =
            |spans: &Spans| spans.iter().map(|span| (span.from - begun, span.to - begun)).collect::<Vec<_>>();
        assert_eq!(spans(&sums.pauses), [(7_000, 9_000)]);
        assert_eq!(spans(&sums.held), [(4_000, 7_000)]);
        assert_eq!(spans(&sums.busy), [(3_500, 10_000)]);
        assert_eq!(sums.sent(), None);
    }
}
