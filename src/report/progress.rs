//! How far a run has come, while it runs: a bar on a terminal, plain lines elsewhere, or nothing.
//!
//! There is no clock here. The bar draws itself; for plain lines the caller says how much time has
//! passed, as often as it likes, and gets a line every few seconds.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::domain::outcome::Outcome;

use super::words::{counted, grouped, one_line, roughly};

/// How much time lies between two plain lines.
const INTERVAL: Duration = Duration::from_secs(5);

/// How often a bar moves by itself, so that people see that the program is alive.
const STEADY: Duration = Duration::from_millis(200);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on standard error, which must be a terminal.
    Bar,
    /// Lines of text, to wherever [`Progress::tick`] is told.
    Plain,
    /// Not at all.
    None,
}

/// What sending waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The rate limit that was chosen.
    Rate,
    /// The server asked for a pause.
    Server {
        /// How long it still lasts.
        remaining: Duration,
    },
    /// One request failed after another: the service is left alone before it is asked again.
    Probe {
        /// How long it is until then.
        remaining: Duration,
    },
}

/// Progress of planning or of sending. It is shared by all that work on it.
pub struct Progress {
    work: Work,
    mode: ProgressMode,
    bar: ProgressBar,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum Work {
    Planning,
    Sending { total: u64 },
}

#[derive(Default)]
struct State {
    outcomes: [u64; Outcome::ALL.len()],
    retried: u64,
    rows_read: u64,
    looked_at: u64,
    waiting: Option<Waiting>,
    message: String,
    told: Duration,
}

impl Progress {
    /// Progress of sending `total` referrals.
    pub fn new(mode: ProgressMode, total: u64) -> Self {
        let bar = shown(mode, Some(total), "{bar:30} {human_pos}/{human_len} {rate} eta {eta} {wide_msg}");
        Self { work: Work::Sending { total }, mode, bar, state: Mutex::default() }
    }

    /// Progress of planning, whose end isn't known.
    pub fn planning(mode: ProgressMode) -> Self {
        let bar = shown(mode, None, "{spinner} {wide_msg}");
        Self { work: Work::Planning, mode, bar, state: Mutex::default() }
    }

    /// A referral has its outcome.
    pub fn done(&self, outcome: Outcome) {
        self.change(|state| state.outcomes[outcome as usize] += 1);
        self.bar.inc(1);
    }

    /// So many rows were read, in all.
    pub fn rows_read(&self, rows: u64) {
        self.change(|state| state.rows_read = rows);
    }

    /// So many referrals were looked at, in all.
    pub fn looked_at(&self, referrals: u64) {
        self.change(|state| state.looked_at = referrals);
    }

    /// What is waited for; `None` where nothing is any more.
    pub fn waiting(&self, waiting: Option<Waiting>) {
        self.change(|state| state.waiting = waiting);
    }

    /// So many requests repeated an earlier one, in all: as the summary counts them, once they are made.
    pub fn retried(&self, requests: u64) {
        self.change(|state| state.retried = requests);
    }

    /// Says something beside the figures, until something else is said.
    pub fn message(&self, text: &str) {
        self.change(|state| state.message = one_line(text, 80));
    }

    /// Lets somebody else write to the terminal while the bar is off it.
    pub fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The plain line that is due so long after the beginning; `None` in other modes, and where the
    /// last line is not long enough ago. Asking changes nothing.
    pub fn plain_line(&self, elapsed: Duration) -> Option<String> {
        let state = self.state();
        let due = self.mode == ProgressMode::Plain && elapsed >= state.told + INTERVAL;
        due.then(|| match self.work {
            Work::Planning => joined(["planning".to_owned()].into_iter().chain([planning(&state)])),
            Work::Sending { total } => sending(&state, total, elapsed),
        })
    }

    /// Writes the plain line that is due, and takes note of it.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn tick(&self, elapsed: Duration, out: &mut impl Write) -> io::Result<()> {
        let Some(line) = self.plain_line(elapsed) else {
            return Ok(());
        };
        self.state().told = elapsed;
        writeln!(out, "{line}")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        if self.mode == ProgressMode::Bar {
            let message = match self.work {
                Work::Planning => planning(&state),
                Work::Sending { .. } => joined(asides(&state)),
            };
            drop(state);
            self.bar.set_message(message);
        }
    }

    /// Counters are whole even where a thread died holding them.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(mode: ProgressMode, total: Option<u64>, template: &str) -> ProgressBar {
    if mode != ProgressMode::Bar {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(template).expect("the templates above are well-formed");
    let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
        // What can't be written on a terminal is not worth ending a run for.
        let _ = write!(out, "{:.1}/s", state.per_sec());
    };
    bar.set_style(style.with_key("rate", rate));
    bar.enable_steady_tick(STEADY);
    bar
}

fn planning(state: &State) -> String {
    let counts = [
        format!("{} read", counted(state.rows_read, "row")),
        format!("{} looked at", counted(state.looked_at, "referral")),
    ];
    joined(counts.into_iter().chain(asides(state)))
}

fn sending(state: &State, total: u64, elapsed: Duration) -> String {
    let done: u64 = state.outcomes.iter().sum();
    let mut parts = vec![format!("{} of {}", grouped(done), counted(total, "referral"))];
    if done > 0 && !elapsed.is_zero() {
        #[expect(clippy::cast_precision_loss, reason = "a forecast of two digits")]
        let (per_second, left) = (done as f64 / elapsed.as_secs_f64(), total.saturating_sub(done) as f64);
        parts.push(format!("{per_second:.1}/s"));
        parts.extend(
            Duration::try_from_secs_f64(left / per_second)
                .map(|left| format!("about {} left", roughly(left))),
        );
    }
    joined(parts.into_iter().chain(asides(state)))
}

/// What went wrong so far, what is waited for, and what was said.
fn asides(state: &State) -> impl Iterator<Item = String> {
    let trouble = Outcome::ALL.into_iter().zip(state.outcomes).filter(|(outcome, _)| outcome.is_trouble());
    let trouble = trouble.map(|(outcome, count)| (count, outcome.name()));
    let counts: Vec<String> = trouble
        .chain([(state.retried, "retried")])
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{} {name}", grouped(count)))
        .collect();
    let waiting = state.waiting.map(|waiting| match waiting {
        Waiting::Rate => "waiting for the rate".to_owned(),
        Waiting::Server { remaining } => format!("paused by the server for another {}", roughly(remaining)),
        Waiting::Probe { remaining } => format!("asking the service again in {}", roughly(remaining)),
    });
    let message = (!state.message.is_empty()).then(|| state.message.clone());
    counts.into_iter().chain(waiting).chain(message)
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(progress: &Progress, seconds: u64) -> Option<String> {
        progress.plain_line(Duration::from_secs(seconds))
    }

    #[test]
    fn sending_tells_rate_forecast_trouble_and_waiting() {
        let progress = Progress::new(ProgressMode::Plain, 1_200);
        assert_eq!(line(&progress, 4), None);
        assert_eq!(line(&progress, 5).unwrap(), "0 of 1,200 referrals");
        (0..19).for_each(|_| progress.done(Outcome::Applied));
        progress.done(Outcome::Refused);
        progress.retried(1);
        for (waiting, wanted) in [
            (None, ""),
            (Some(Waiting::Rate), ", waiting for the rate"),
            (
                Some(Waiting::Server { remaining: Duration::from_millis(58_200) }),
                ", paused by the server for another 59 s",
            ),
            (Some(Waiting::Probe { remaining: Duration::from_secs(5) }), ", asking the service again in 5 s"),
        ] {
            progress.waiting(waiting);
            let wanted =
                format!("20 of 1,200 referrals, 2.0/s, about 10 min left, 1 refused, 1 retried{wanted}");
            assert_eq!(line(&progress, 10).unwrap(), wanted);
        }
        progress.waiting(None);
        progress.message("no answer in time: asking again");
        assert!(line(&progress, 10).unwrap().ends_with(", 1 retried, no answer in time: asking again"));
    }

    #[test]
    fn planning_tells_what_was_read_and_looked_at() {
        let progress = Progress::planning(ProgressMode::Plain);
        progress.rows_read(1_234);
        progress.looked_at(1);
        progress.message("changes.csv\u{1b}[2J");
        assert_eq!(
            line(&progress, 5).unwrap(),
            "planning, 1,234 rows read, 1 referral looked at, changes.csv [2J"
        );
    }

    #[test]
    fn a_line_is_written_every_few_seconds() {
        let progress = Progress::new(ProgressMode::Plain, 2);
        let mut out = Vec::new();
        for second in 0..=12 {
            progress.tick(Duration::from_secs(second), &mut out).unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), "0 of 2 referrals\n".repeat(2));
    }

    #[test]
    fn other_modes_write_no_lines_and_the_bar_says_the_same() {
        for mode in [ProgressMode::Bar, ProgressMode::None] {
            for progress in [Progress::new(mode, 2), Progress::planning(mode)] {
                progress.done(Outcome::Failed);
                assert_eq!(line(&progress, 100), None);
                assert_eq!(progress.suspend(|| 7), 7);
                progress.finish();
            }
        }
        let bar = Progress::new(ProgressMode::Bar, 2);
        bar.done(Outcome::Failed);
        bar.waiting(Some(Waiting::Rate));
        assert_eq!(bar.bar.message(), "1 failed, waiting for the rate");
        assert_eq!((bar.bar.position(), bar.bar.length()), (1, Some(2)));
        bar.finish();
    }
}
