//! The lines of `check` about time: the service's clock beside this machine's, and how long answers take.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::facts::Facts;
use super::line::CheckLine;
use crate::api::{Dated, Observed};
use crate::commands::options::Sending;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;
use crate::pace::Pacing;
use crate::report::{counted, roughly};

const CLOCK: &str = "clock";
const LATENCY: &str = "latency";

/// By how many seconds two clocks may differ without anything being said of it.
const SAME: u64 = 10;
/// The seconds from which on tokens are taken for valid, or ended, that are not.
const TOO_MUCH: u64 = 300;

/// Returns a time in the sizes that people read: a day and more in days, a year and more in years.
pub fn plainly(time: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    const YEAR: u64 = 365 * DAY;
    match time.as_secs() {
        seconds if seconds >= 2 * YEAR => format!("about {}", counted(seconds / YEAR, "year")),
        seconds if seconds >= 2 * DAY => format!("about {}", counted(seconds / DAY, "day")),
        _ => roughly(time),
    }
}

/// Returns by how many seconds the service's clock is ahead of this machine's; `None` where no answer has a date.
///
/// The date has whole seconds. It is compared with the middle between sending and answer, where that was quickest.
pub fn ahead(answers: &[Observed]) -> Option<i64> {
    let dated = answers.iter().filter_map(|answer| match answer.date {
        Dated::At(date) => Some((answer, date)),
        Dated::Cached | Dated::Unreadable | Dated::Untold => None,
    });
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
        let is = |date| answers.iter().any(|answer| answer.date == date);
        let seen = if answers.is_empty() {
            "not known: there was no answer"
        } else if is(Dated::Cached) {
            "not known: a cache in between answered, with the date of another time"
        } else if is(Dated::Unreadable) {
            "not known: the date of the service's answers can't be read"
        } else {
            "not known: the service's answers have no date"
        };
        return CheckLine::note(CLOCK, seen, "when a token ends is told by this machine's clock alone");
    };
    let off = Duration::from_secs(ahead.unsigned_abs());
    let side = if ahead < 0 { "ahead of" } else { "behind" };
    let seen = format!("this machine's clock is {} {side} the service's", plainly(off));
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
pub fn latency(answers: &[Observed], is_all_answered: bool, sending: &Sending) -> CheckLine {
    const UNKNOWN: &str = "how fast a run can be is not known";
    let mut times: Vec<Duration> = answers.iter().filter_map(|answer| answer.whole).collect();
    times.sort_unstable();
    let (Some(median), Some(longest)) = (times.get(times.len() / 2), times.last()) else {
        let seen = match answers.is_empty() {
            true => "not known: there was no answer",
            false => "not known: no answer came to its end",
        };
        return CheckLine::note(LATENCY, seen, UNKNOWN);
    };
    let is_sound = |answer: &Observed| answer.whole.is_some() && (200..=299).contains(&answer.status);
    let is_telling = is_all_answered && times.len() > 1 && answers.iter().all(is_sound);
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
    } else if !is_telling {
        let means = match times.len() {
            1 => "one answer does not tell how fast a run can be",
            _ => "not everything was answered: how fast a run can be is not known",
        };
        CheckLine::note(LATENCY, seen, means)
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
            whole: Some(Duration::from_millis(latency)),
            date: date.map_or(Dated::Untold, |date| Dated::At(date.parse().unwrap())),
            is_page: false,
            protocol: "HTTP/1.1",
            limits: Vec::new(),
        }
    }

    #[test]
    fn times_are_told_in_sizes_that_people_read() {
        for (seconds, wanted) in [
            (0, "0 s"),
            (60, "60 s"),
            (3_600, "60 min"),
            (47 * 3_600, "47 h 0 min"),
            (48 * 3_600, "about 2 days"),
            (729 * 86_400, "about 729 days"),
            (730 * 86_400, "about 2 years"),
            (281_082 * 3_600, "about 32 years"),
            (2_300_243_048, "about 72 years"),
        ] {
            assert_eq!(plainly(Duration::from_secs(seconds)), wanted);
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
