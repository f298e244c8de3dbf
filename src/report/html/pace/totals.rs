//! What is on record of a run's requests and waits as sums alone.

use std::time::Duration;

use super::super::words::listed;
use super::words::{in_all, length};
use crate::report::format::counted;
use crate::report::summary::{Requests, Seconds, Summary};

/// The sums beside the charts, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Totals {
    /// The requests that aren't drawn, such as `6 reads and 15 list pages`; nothing where there were none.
    pub(super) others: String,
    /// How long planning and sending took.
    pub(super) whole: String,
    /// What requests waited for, such as `3 min 4 s for the rate`; nothing where they waited for nothing.
    pub(super) waited: String,
}

impl Totals {
    pub(super) fn of(summary: &Summary) -> Self {
        let Requests { get, list, token, .. } = summary.requests;
        let others = [(get, "read"), (list, "list page"), (token, "request for a token")];
        let others =
            others.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| match number {
                1 => format!("1 {what}"),
                _ if what.contains(' ') && what.starts_with("request") => {
                    format!("{} for a token", counted(number, "request"))
                }
                _ => counted(number, what),
            });
        let Seconds { total, waiting_for_rate, paused_by_server, held_back } = summary.seconds;
        let waited = [
            (waiting_for_rate, "for the rate"),
            (paused_by_server, "for pauses that the service asked for"),
            (held_back, "because others failed"),
        ];
        let waited = waited.into_iter().map(|(seconds, what)| (milliseconds(seconds), what));
        // What would be told as nothing is left out.
        let waited = waited.filter(|(milliseconds, _)| *milliseconds >= 50);
        Self {
            others: listed(&others.collect::<Vec<_>>()),
            whole: in_all(milliseconds(total)),
            waited: listed(
                &waited.map(|(time, what)| format!("{} {what}", length(time))).collect::<Vec<_>>(),
            ),
        }
    }
}

fn milliseconds(seconds: f64) -> i64 {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{books, summary};

    #[test]
    fn only_what_there_was_is_told() {
        let mut summary = summary(&books(&[]));
        for ([get, list, token], [total, rate, paused, held], others, whole, waited) in [
            ([0, 0, 0], [0.0, 0.0, 0.0, 0.0], "", "under 1 s", ""),
            (
                [1, 0, 0],
                [7.5, 0.049, 2.0, 0.0],
                "1 read",
                "7.5 s",
                "2 s for pauses that the service asked for",
            ),
            (
                [6, 1_015, 2],
                [442.0, 210.4, 42.0, 15.0],
                "6 reads, 1,015 list pages and 2 requests for a token",
                "7 min 22 s",
                "3 min 30 s for the rate, 42 s for pauses that the service asked for and 15 s because others failed",
            ),
            ([0, 0, 1], [f64::NAN, -1.0, 0.0, 0.0], "1 request for a token", "under 1 s", ""),
        ] {
            summary.requests = Requests { get, list, token, ..summary.requests };
            summary.seconds =
                Seconds { total, waiting_for_rate: rate, paused_by_server: paused, held_back: held };
            let wanted =
                Totals { others: others.to_owned(), whole: whole.to_owned(), waited: waited.to_owned() };
            assert_eq!(Totals::of(&summary), wanted);
        }
    }
}
