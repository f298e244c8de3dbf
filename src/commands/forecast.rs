//! Says before anything is sent whether the changes fit before the time at which sending stops.

use std::time::Duration;

use jiff::Timestamp;

use super::environment::Environment;
use super::next_command::flag;
use super::options::{RunContext, Sending};
use super::progress::per_second_or_minute;
use crate::domain::instant::Instant;
use crate::domain::setting::Setting;
use crate::ledger::PlanTotals;
use crate::pace::Pacing;
use crate::report::{counted, grouped, roughly};

/// Says whether what is to be sent fits before the `--finish-by` time, where there is one.
pub fn tell_time(totals: &PlanTotals, run_context: RunContext<'_>, environment: &Environment<'_>) {
    let Sending { pacing, finish_by, .. } = run_context.sending;
    let (Some(deadline), to_send @ 1..) = (*finish_by, totals.remaining) else { return };
    let found = run_context.pace.found_rate().per_second;
    let forecast = Forecast { to_send, pacing: *pacing, found, now: (environment.clock)(), deadline };
    environment.console.say(&forecast.told());
}

/// What a forecast is made from.
struct Forecast {
    /// The number of changes.
    to_send: u64,
    /// How fast they are sent.
    pacing: Pacing,
    /// The rate at present, in requests per second.
    found: f64,
    now: Timestamp,
    deadline: Timestamp,
}

impl Forecast {
    /// Returns the line for people.
    fn told(&self) -> String {
        let Self { to_send, pacing, found, now, deadline } = *self;
        let (finish_by, changes) = (flag(Setting::FinishBy), counted(to_send, "change"));
        let left = Duration::try_from(deadline.duration_since(now)).unwrap_or_default();
        if left.is_zero() {
            return format!(
                "warning: {finish_by} {deadline} has passed: {changes} would not be sent, and stay for resume"
            );
        }
        let Pacing::Fixed(rate) = pacing else {
            let needed = Duration::try_from_secs_f64(float(to_send) / found).unwrap_or(Duration::MAX);
            let rate = flag(Setting::Rate);
            return format!(
                "note: how long {changes} take is not known, since {rate} auto is yet to find the rate: at {}, where \
                 it stands now, about {}, and {finish_by} leaves {}",
                per_second_or_minute(found),
                roughly(needed),
                roughly(left)
            );
        };
        let needed = rate.time_for(to_send);
        let take = if to_send == 1 { "takes" } else { "take" };
        let times = format!("{changes} at {rate} {take} {}{}", nearly(needed), done(now, needed));
        match to_send.saturating_sub(rate.requests_within(left)) {
            0 => format!("note: {times}; {finish_by} leaves {}", nearly(left)),
            late => {
                let late = match late == to_send {
                    true => "none of them would fit".to_owned(),
                    false => format!("the last {} would not fit", grouped(late)),
                };
                format!("warning: {times}; {late} before {finish_by} {deadline}, and stay for resume")
            }
        }
    }
}

/// Returns a time to the nearest unit that counts: `40 s`, `43 min`, `3 h 5 min`.
fn nearly(time: Duration) -> String {
    let seconds = time.as_nanos().div_ceil(1_000_000_000);
    let minutes = (seconds + 30) / 60;
    match seconds {
        ..90 => format!("{seconds} s"),
        90..5_400 => format!("{minutes} min"),
        _ => format!("{} h {} min", grouped(u64::try_from(minutes / 60).unwrap_or(u64::MAX)), minutes % 60),
    }
}

/// Returns when all is done, as exactly as [`nearly`] is, and with its date where that is another day; nothing where
/// no calendar reaches so far.
fn done(now: Timestamp, needed: Duration) -> String {
    let is_short = needed < Duration::from_secs(90);
    let round = if is_short { Duration::from_nanos(999_999_999) } else { Duration::from_secs(30) };
    let Ok(done) = needed.checked_add(round).map_or(Ok(Timestamp::MAX), |time| now.checked_add(time)) else {
        return String::new();
    };
    let day = |time: Timestamp| Instant::day_of(time);
    let date = if day(done) == day(now) { "" } else { "%Y-%m-%d " };
    let time = if is_short { "%H:%M:%S" } else { "%H:%M" };
    format!(", done by {}", done.strftime(&format!("{date}{time} UTC")))
}

#[expect(clippy::cast_precision_loss, reason = "a forecast of two digits")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_told_with_what_does_not() {
        let all = "5,210 changes at 2/s take 43 min, done by 17:43 UTC;";
        for (to_send, pacing, deadline, wanted) in [
            (5_210, "2/s", "2026-12-31T18:00:00Z", format!("note: {all} --finish-by leaves 60 min")),
            // The same time in another zone.
            (5_210, "2/s", "2027-01-01T03:00:00+09:00", format!("note: {all} --finish-by leaves 60 min")),
            (5_210, "2/s", "2026-12-31T17:43:25Z", format!("note: {all} --finish-by leaves 43 min")),
            (
                5_210,
                "2/s",
                "2026-12-31T17:40:50Z",
                format!(
                    "warning: {all} the last 310 would not fit before --finish-by 2026-12-31T17:40:50Z, and stay for \
                     resume"
                ),
            ),
            (
                1,
                "2/m",
                "2026-12-31T17:00:20Z",
                "warning: 1 change at 2/m takes 30 s, done by 17:00:30 UTC; none of them would fit before \
                 --finish-by 2026-12-31T17:00:20Z, and stay for resume"
                    .to_owned(),
            ),
            (
                72_000,
                "2/s",
                "2027-01-02T17:00:00Z",
                "note: 72,000 changes at 2/s take 10 h 0 min, done by 2027-01-01 03:00 UTC; --finish-by leaves \
                 48 h 0 min"
                    .to_owned(),
            ),
            (
                2,
                "100000/s",
                "2026-12-31T17:00:20Z",
                "note: 2 changes at 100000/s take 1 s, done by 17:00:01 UTC; --finish-by leaves 20 s".to_owned(),
            ),
            (
                3,
                "2/s",
                "2026-12-31T17:00:00Z",
                "warning: --finish-by 2026-12-31T17:00:00Z has passed: 3 changes would not be sent, and stay for \
                 resume"
                    .to_owned(),
            ),
            (
                600,
                "auto",
                "2026-12-31T18:00:00Z",
                "note: how long 600 changes take is not known, since --rate auto is yet to find the rate: at 4.0/s, \
                 where it stands now, about 3 min, and --finish-by leaves 60 min"
                    .to_owned(),
            ),
        ] {
            let now = "2026-12-31T17:00:00Z".parse().unwrap();
            let (pacing, deadline) = (pacing.parse().unwrap(), deadline.parse().unwrap());
            assert_eq!(Forecast { to_send, pacing, found: 4.0, now, deadline }.told(), wanted);
        }
    }
}
