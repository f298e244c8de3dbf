//! Says before anything is sent whether the changes fit before the time at which sending stops.

use std::time::Duration;

use jiff::Timestamp;

use super::environment::Environment;
use super::next_command::flag;
use super::options::{RunContext, Sending};
use super::progress::per_second_or_minute;
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
        let done = match now.checked_add(needed) {
            Ok(done) => format!(", done by {}", done.strftime("%Y-%m-%d %H:%M UTC")),
            Err(_) => String::new(),
        };
        let times = format!(
            "{changes} at {rate} {take} about {}{done}, and {finish_by} leaves {}",
            roughly(needed),
            roughly(left)
        );
        match to_send.saturating_sub(rate.requests_within(left)) {
            0 => format!("note: {times}"),
            late if late == to_send => {
                format!("warning: {times}: none of them would fit, and they stay for resume")
            }
            late => {
                format!("warning: {times}: the last {} would not fit, and stay for resume", grouped(late))
            }
        }
    }
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
        let long = "note: 5,210 changes at 2/s take about 44 min, done by 2026-12-31 17:43 UTC, and --finish-by leaves";
        let late = "warning: 5,210 changes at 2/s take about 44 min, done by 2026-12-31 17:43 UTC, and --finish-by leaves";
        for (to_send, pacing, deadline, wanted) in [
            (5_210, "2/s", "2026-12-31T18:00:00Z", format!("{long} 60 min")),
            (5_210, "2/s", "2026-12-31T17:43:25Z", format!("{long} 44 min")),
            (
                5_210,
                "2/s",
                "2026-12-31T17:40:50Z",
                format!("{late} 41 min: the last 310 would not fit, and stay for resume"),
            ),
            (
                1,
                "2/m",
                "2026-12-31T17:00:20Z",
                "warning: 1 change at 2/m takes about 30 s, done by 2026-12-31 17:00 UTC, and --finish-by leaves \
                 20 s: none of them would fit, and they stay for resume"
                    .to_owned(),
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
