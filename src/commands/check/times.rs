//! The lines of `check` about time: the service's clock beside this machine's, and how long answers take.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::facts::Facts;
use super::line::CheckLine;
use crate::api::Observed;
use crate::commands::options::Sending;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;
use crate::pace::Pacing;
use crate::report::roughly;

const CLOCK: &str = "clock";
const LATENCY: &str = "latency";

/// By how many seconds two clocks may differ without anything being said of it.
const SAME: u64 = 10;
/// The seconds from which on tokens are taken for valid, or ended, that are not.
const TOO_MUCH: u64 = 300;

/// Returns by how many seconds the service's clock is ahead of this machine's; `None` where no answer has a date.
///
/// The date has whole seconds. It is compared with the middle between sending and answer, where that was quickest.
pub fn ahead(answers: &[Observed]) -> Option<i64> {
    let dated = answers.iter().filter_map(|answer| Some((answer, answer.date?)));
    let (answer, date) = dated.min_by_key(|(answer, _)| answer.latency)?;
    let half = SignedDuration::try_from(answer.latency / 2).unwrap_or_default();
    let middle = answer.sent.checked_add(half).ok()?;
    let within_second = SignedDuration::from_millis(500);
    let ahead = date.duration_since(middle).saturating_add(within_second);
    Some(ahead.round(jiff::Unit::Second).unwrap_or(ahead).as_secs())
}

/// Returns the time by the service's clock.
pub fn service_time(now: Timestamp, answers: &[Observed]) -> Timestamp {
    let ahead = SignedDuration::from_secs(ahead(answers).unwrap_or_default());
    now.checked_add(ahead).unwrap_or(now)
}

/// Returns the line about the clock.
pub fn clock(answers: &[Observed]) -> CheckLine {
    let Some(ahead) = ahead(answers) else {
        let seen = match answers.is_empty() {
            true => "not known: there was no answer",
            false => "not known: the service's answers have no date",
        };
        return CheckLine::note(CLOCK, seen, "when a token ends is told by this machine's clock alone");
    };
    let off = Duration::from_secs(ahead.unsigned_abs());
    let side = if ahead < 0 { "ahead of" } else { "behind" };
    let seen = format!("this machine's clock is {} {side} the service's", roughly(off));
    let line = match ahead.unsigned_abs() {
        0..=SAME => CheckLine::ok(
            CLOCK,
            "this machine's clock agrees with the service's",
            "when a token ends, and when a pause is over, is told rightly",
        ),
        off if off < TOO_MUCH => CheckLine::note(
            CLOCK,
            seen,
            "a token may end that much earlier or later than it seems; pauses are counted by the service's clock",
        )
        .todo("set the clock of this machine"),
        _ => CheckLine::mend(
            CLOCK,
            seen,
            "a token that seems to be good may be refused, and one that is good taken for ended; an end by \
             the clock comes at another time",
            Wording::from("set the clock of this machine, time zone included, before a run with ")
                .name(Setting::FinishBy)
                .say(" or a sign-in"),
        ),
    };
    line.facts(Facts::Clock { ahead })
}

/// Returns the line about how long answers take.
pub fn latency(answers: &[Observed], sending: &Sending) -> CheckLine {
    let mut times: Vec<Duration> = answers.iter().map(|answer| answer.latency).collect();
    times.sort_unstable();
    let (Some(median), Some(longest)) = (times.get(times.len() / 2), times.last()) else {
        return CheckLine::note(
            LATENCY,
            "not known: there was no answer",
            "how fast a run can be is not known",
        );
    };
    let milliseconds = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let facts =
        Facts::Latency { answers: times.len(), median: milliseconds(median), longest: milliseconds(longest) };
    let seen = format!(
        "answers come after {} ms, the slowest of {} after {} ms",
        milliseconds(median),
        times.len(),
        milliseconds(longest)
    );
    let in_flight = sending.concurrency;
    let most =
        u64::try_from(in_flight).unwrap_or(u64::MAX).saturating_mul(1000) / milliseconds(median).max(1);
    let line = if *longest > sending.timeout / 2 {
        CheckLine::note(
            LATENCY,
            seen,
            "an answer that takes a little longer counts as lost, and is asked for again",
        )
        .todo(Wording::from("give requests longer: ").name(Setting::Timeout))
    } else {
        match sending.pacing {
            Pacing::Fixed(rate)
                if rate.requests_within(Duration::from_secs(60)) > most.saturating_mul(60) =>
            {
                let means = format!(
                    "with {in_flight} in flight a run comes to about {most}/s, less than the rate of {rate}"
                );
                CheckLine::note(LATENCY, seen, means)
                    .todo(Wording::from("have more in flight: ").name(Setting::Concurrency))
            }
            Pacing::Fixed(rate) => CheckLine::ok(
                LATENCY,
                seen,
                format!("with {in_flight} in flight the rate of {rate} is what a run waits for"),
            ),
            Pacing::Auto => CheckLine::ok(
                LATENCY,
                seen,
                format!("with {in_flight} in flight a run comes to about {most}/s at most"),
            ),
        }
    };
    line.facts(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::check::line::Level;

    fn answer(sent: &str, latency: u64, date: Option<&str>) -> Observed {
        Observed {
            status: 200,
            sent: sent.parse().unwrap(),
            latency: Duration::from_millis(latency),
            date: date.map(|date| date.parse().unwrap()),
            protocol: "HTTP/1.1",
            limits: Vec::new(),
        }
    }

    #[test]
    fn clocks_are_compared_by_the_quickest_answer() {
        const NOON: &str = "2026-03-01T12:00:00.500Z";
        for (answers, wanted, level) in [
            (vec![], None, Level::Note),
            (vec![answer(NOON, 10, None)], None, Level::Note),
            (vec![answer(NOON, 10, Some("2026-03-01T12:00:00Z"))], Some(0), Level::Ok),
            (vec![answer(NOON, 4_000, Some("2026-03-01T12:00:02Z"))], Some(0), Level::Ok),
            (
                vec![
                    answer(NOON, 4_000, Some("2026-03-01T12:00:09Z")),
                    answer(NOON, 10, Some("2026-03-01T12:00:00Z")),
                ],
                Some(0),
                Level::Ok,
            ),
            (vec![answer(NOON, 10, Some("2026-03-01T12:00:10Z"))], Some(10), Level::Ok),
            (vec![answer(NOON, 10, Some("2026-03-01T11:59:40Z"))], Some(-20), Level::Note),
            (vec![answer(NOON, 10, Some("2026-03-01T12:04:59Z"))], Some(299), Level::Note),
            (vec![answer(NOON, 10, Some("2026-03-01T12:05:00Z"))], Some(300), Level::Mend),
            (vec![answer(NOON, 10, Some("2026-03-01T11:00:00Z"))], Some(-3600), Level::Mend),
        ] {
            assert_eq!(ahead(&answers), wanted, "{answers:?}");
            assert_eq!(clock(&answers).level, level, "{answers:?}");
        }
        let late = [answer(NOON, 10, Some("2026-03-01T11:00:00Z"))];
        assert_eq!(clock(&late).seen, ["this machine's clock is 60 min ahead of the service's"]);
        let now = NOON.parse().unwrap();
        assert_eq!(service_time(now, &late).to_string(), "2026-03-01T11:00:00.5Z");
    }
}
