//! How far a run has come, while it runs: a bar on a terminal, plain lines elsewhere, events for programs, or nothing.
//!
//! There is no clock here. The caller says how much time has passed, as often as it likes, and gets a plain
//! line every few seconds, or an event every second. The bar draws itself, and shows the same.

mod bar;
mod event;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::outcome::Outcome;

use super::format::{counted, grouped, one_line, roughly};
pub use bar::Bar;
pub use event::{
    EndAccount, EndFigures, EventLine, OutcomeCounts, PlannedFigures, ProgressEvent, ProgressFigures,
    ProgressWork, Remark, ThrottledScope, WaitingFigures, WaitingReason, WaveFigures,
};

/// The time between two plain lines.
const INTERVAL: Duration = Duration::from_secs(5);

/// The time between two events that tell how far the work has come.
const EVENT_INTERVAL: Duration = Duration::from_secs(1);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on standard error, which must be a terminal.
    Bar,
    /// Lines of text, which [`Progress::tick`] returns.
    Plain,
    /// Events, one JSON object a line, which [`Progress::tick`] returns; all else that is told to people comes as
    /// events, too.
    Json,
    /// No progress.
    None,
}

/// What sending waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The rate limit that was chosen.
    Rate,
    /// A pause that the server asked for.
    Server {
        /// How long it still lasts.
        remaining: Duration,
    },
    /// The next probe: one request failed after another, and the service is left alone for a while.
    Probe {
        /// How long until it is sent.
        remaining: Duration,
    },
    /// The answer to the probe, for which all other requests wait.
    Answer,
    /// The end of the requests in flight: the run is stopping.
    End,
}

/// How the time went so far, and how fast the run may go on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Course {
    /// The time since the beginning.
    pub elapsed: Duration,
    /// Of that, the time in which nothing could be sent: pauses that the server asked for, and those that the
    /// circuit breaker made.
    pub idle: Duration,
    /// The rate limit at present, in requests per second.
    pub limit: f64,
}

/// The longest line of the bar, in characters: one less than a terminal of the usual 80 columns has.
const LINE: usize = 79;

/// The progress of planning or of sending, shared by all tasks that work on it.
pub struct Progress {
    work: Work,
    mode: ProgressMode,
    bar: Bar,
    state: Mutex<ProgressState>,
}

/// What the run is doing.
#[derive(Debug, Clone, Copy)]
enum Work {
    Planning,
    Listing,
    Sending { total: u64 },
}

/// The counts and the time so far.
#[derive(Default)]
struct ProgressState {
    outcomes: [u64; Outcome::ALL.len()],
    retried: u64,
    /// The number of referrals that were answered, and wait to be confirmed.
    unconfirmed: u64,
    rows_read: u64,
    /// The number of referrals whose state was read.
    looked_at: u64,
    waiting: Option<Waiting>,
    message: String,
    course: Course,
    /// The time elapsed when the last plain line or event was returned.
    last_line_at: Duration,
}

/// What is to be told of the progress.
#[derive(Debug, Clone, PartialEq)]
pub enum ToldProgress {
    /// A plain line.
    Line(String),
    /// An event.
    Event(Box<ProgressEvent>),
}

impl Progress {
    /// Begins the progress of sending `total` referrals. A bar is shown from [`Self::begin`] on.
    pub fn new(mode: ProgressMode, total: u64) -> Self {
        Self::of(Work::Sending { total }, mode)
    }

    /// Begins the progress of planning, whose total is not known.
    pub fn planning(mode: ProgressMode) -> Self {
        Self::of(Work::Planning, mode)
    }

    /// Begins the progress of reading referrals for a file. How many there are is not known.
    pub fn listing(mode: ProgressMode) -> Self {
        Self::of(Work::Listing, mode)
    }

    fn of(work: Work, mode: ProgressMode) -> Self {
        let bar = if mode == ProgressMode::Bar { Bar::on_terminal(work.total()) } else { Bar::hidden() };
        Self { work, mode, bar, state: Mutex::default() }
    }

    /// Shows the bar, if there is one, and returns a handle for others who write to the terminal.
    pub fn begin(&self) -> Option<Bar> {
        (self.mode == ProgressMode::Bar).then(|| {
            // Its text is set before it is shown, so that it never stands there empty.
            self.change(|_| {});
            self.bar.begin();
            self.bar.clone()
        })
    }

    /// Counts a referral that has its outcome.
    pub fn done(&self, outcome: Outcome) {
        self.change(|state| state.outcomes[outcome as usize] += 1);
        self.bar.advance();
    }

    /// Sets the number of referrals that were answered with a yes alone, and wait to be confirmed.
    pub fn unconfirmed(&self, referrals: u64) {
        if self.state().unconfirmed != referrals {
            self.change(|state| state.unconfirmed = referrals);
        }
    }

    /// Sets the number of rows read in all.
    pub fn rows_read(&self, rows: u64) {
        self.change(|state| state.rows_read = rows);
    }

    /// Sets the number of referrals looked at in all.
    pub fn looked_at(&self, referrals: u64) {
        self.change(|state| state.looked_at = referrals);
    }

    /// Sets what is waited for; `None` where nothing is.
    pub fn waiting(&self, waiting: Option<Waiting>) {
        self.change(|state| state.waiting = waiting);
    }

    /// Sets the number of requests in all that repeated an earlier one, as the summary counts them.
    pub fn retried(&self, requests: u64) {
        self.change(|state| state.retried = requests);
    }

    /// Shows a message beside the counts, until the next one.
    pub fn message(&self, text: &str) {
        self.change(|state| state.message = one_line(text, 80));
    }

    /// Returns the number of referrals by outcome, where no report can tell it: `7 of 12 referrals, 6 applied,
    /// 1 refused`.
    pub fn outcomes(&self) -> String {
        let state = self.state();
        let done: u64 = state.outcomes.iter().sum();
        let of = match self.work {
            Work::Planning | Work::Listing => String::new(),
            Work::Sending { total } => format!(" of {}", counted(total, "referral")),
        };
        let outcomes = Outcome::ALL.into_iter().zip(state.outcomes).filter(|(_, count)| *count > 0);
        let outcomes = outcomes.map(|(outcome, count)| format!("{} {}", grouped(count), outcome.name()));
        joined([format!("{}{of}", grouped(done))].into_iter().chain(outcomes))
    }

    /// Removes the bar from the terminal.
    pub fn finish(&self) {
        self.bar.leave();
    }

    /// Updates the time and the rate, and returns the plain line or the event that is due; `None` in other modes, and
    /// where the last one was returned a moment ago.
    pub fn tick(&self, course: Course) -> Option<ToldProgress> {
        self.change(|state| state.course = course);
        let mut state = self.state();
        let interval = match self.mode {
            ProgressMode::Plain => INTERVAL,
            ProgressMode::Json => EVENT_INTERVAL,
            ProgressMode::Bar | ProgressMode::None => return None,
        };
        if course.elapsed < state.last_line_at + interval {
            return None;
        }
        state.last_line_at = course.elapsed;
        Some(match self.mode {
            ProgressMode::Json => ToldProgress::Event(Box::new(self.event(&state))),
            _ => ToldProgress::Line(self.plain_line(&state)),
        })
    }

    /// Updates the time and the rate when the work has ended, and returns the event that tells how far it came; `None`
    /// in other modes.
    pub fn conclude(&self, course: Course) -> Option<ProgressEvent> {
        self.change(|state| {
            state.course = course;
            state.waiting = None;
        });
        (self.mode == ProgressMode::Json).then(|| self.event(&self.state()))
    }

    fn plain_line(&self, state: &ProgressState) -> String {
        match self.work {
            Work::Planning => joined(["planning".to_owned()].into_iter().chain([planning(state)])),
            Work::Listing => listing(state),
            Work::Sending { total } => joined([sending(state, total)].into_iter().chain(asides(state))),
        }
    }

    fn event(&self, state: &ProgressState) -> ProgressEvent {
        let Course { elapsed, idle, limit } = state.course;
        let (work, done) = match self.work {
            Work::Planning => (ProgressWork::Planning, state.looked_at),
            Work::Listing => (ProgressWork::Reading, state.looked_at),
            Work::Sending { .. } => (ProgressWork::Sending, state.outcomes.iter().sum()),
        };
        let is_sending = work == ProgressWork::Sending;
        let total = self.work.total();
        let behind = done + state.unconfirmed;
        let per_second = per_second(behind, state.course).filter(|_| standstill(state).is_none());
        let left = total.zip(per_second).and_then(|(total, rate)| time_left(behind, total, rate));
        ProgressEvent::Progress(ProgressFigures {
            work,
            rows_read: (work == ProgressWork::Planning).then_some(state.rows_read),
            done,
            total,
            outcomes: is_sending.then(|| OutcomeCounts::of(|outcome| state.outcomes[outcome as usize])),
            unconfirmed: is_sending.then_some(state.unconfirmed),
            retried: state.retried,
            seconds: in_seconds(elapsed),
            idle_seconds: in_seconds(idle),
            per_second: per_second.map(rounded),
            limit: rounded(limit),
            seconds_left: left.map(in_seconds),
            waiting: state.waiting.map(WaitingFigures::from),
            message: state.message.clone(),
        })
    }

    /// Changes the state and, where there is a bar, what it shows.
    fn change(&self, change: impl FnOnce(&mut ProgressState)) {
        let mut state = self.state();
        change(&mut state);
        if self.mode == ProgressMode::Bar {
            let (prefix, message) = match self.work {
                // The spinner and a space stand before it.
                Work::Planning => (String::new(), one_line(&planning(&state), LINE - 2)),
                Work::Listing => (String::new(), one_line(&listing(&state), LINE - 2)),
                Work::Sending { total } => (sending(&state, total), one_line(&joined(asides(&state)), LINE)),
            };
            drop(state);
            self.bar.say(prefix, message);
        }
    }

    /// Returns the state. A thread that panicked while it held the lock leaves whole counters, so that is
    /// ignored.
    fn state(&self) -> MutexGuard<'_, ProgressState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn total(self) -> Option<u64> {
        match self {
            Self::Planning | Self::Listing => None,
            Self::Sending { total } => Some(total),
        }
    }
}

/// Returns how far planning is, or why it stands still.
fn planning(state: &ProgressState) -> String {
    let counts = [
        format!("{} read", counted(state.rows_read, "row")),
        format!("{} looked at", counted(state.looked_at, "referral")),
    ];
    joined(counts.into_iter().chain(standstill(state)).chain(asides(state)))
}

/// Returns how many referrals were read, or why none are at the moment.
fn listing(state: &ProgressState) -> String {
    let count = format!("{} read", counted(state.looked_at, "referral"));
    joined([count].into_iter().chain(standstill(state)).chain(asides(state)))
}

/// Returns how many referrals have their outcome, how fast, and how long it will take; or why it stands still.
fn sending(state: &ProgressState, total: u64) -> String {
    let done: u64 = state.outcomes.iter().sum();
    let count = format!("{} of {}", grouped(done), counted(total, "referral"));
    let unconfirmed =
        (state.unconfirmed > 0).then(|| format!("{} to be confirmed", grouped(state.unconfirmed)));
    let count = joined([count].into_iter().chain(unconfirmed));
    if let Some(standstill) = standstill(state) {
        return joined([count, standstill]);
    }
    let behind = done + state.unconfirmed;
    let Some(per_second) = per_second(behind, state.course) else { return count };
    let left = time_left(behind, total, per_second).map(|left| format!("about {} left", roughly(left)));
    joined([count, format!("{per_second:.1}/s")].into_iter().chain(left))
}

/// Returns how long it takes until all are done at this rate, where that can be told.
fn time_left(done: u64, total: u64, per_second: f64) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "a forecast of two digits")]
    Duration::try_from_secs_f64(total.saturating_sub(done) as f64 / per_second).ok()
}

impl From<Waiting> for WaitingFigures {
    fn from(waiting: Waiting) -> Self {
        let (reason, remaining) = match waiting {
            Waiting::Rate => (WaitingReason::Rate, None),
            Waiting::Server { remaining } => (WaitingReason::Server, Some(remaining)),
            Waiting::Probe { remaining } => (WaitingReason::Probe, Some(remaining)),
            Waiting::Answer => (WaitingReason::Answer, None),
            Waiting::End => (WaitingReason::End, None),
        };
        Self { reason, seconds: remaining.map(in_seconds) }
    }
}

/// Returns a time in seconds with three decimals.
pub fn in_seconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64())
}

/// Returns a number with three decimals.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Returns why nothing is sent at the moment, unless the rate limit alone is the reason. How long the rest will
/// take is unknown then.
fn standstill(state: &ProgressState) -> Option<String> {
    Some(match state.waiting? {
        Waiting::Rate => return None,
        Waiting::Server { remaining } => format!("paused by the server for another {}", roughly(remaining)),
        Waiting::Probe { remaining } => format!("held back, asking again in {}", roughly(remaining)),
        Waiting::Answer => "held back until the service answers".to_owned(),
        Waiting::End => "stopping".to_owned(),
    })
}

/// Returns the number of referrals per second that get their outcome while requests can be sent, and no more
/// than the rate limit allows now. `None` before the first.
fn per_second(done: u64, course: Course) -> Option<f64> {
    let Course { elapsed, idle, limit } = course;
    let busy = elapsed.saturating_sub(idle).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate of two digits")]
    let rate = (done > 0 && busy > 0.0).then(|| done as f64 / busy);
    rate.map(|rate| rate.min(limit)).filter(|rate| *rate > 0.0)
}

/// Returns what went wrong so far, whether the rate limit is waited for, and the last message.
fn asides(state: &ProgressState) -> impl Iterator<Item = String> {
    let trouble =
        Outcome::ALL.into_iter().zip(state.outcomes).filter(|(outcome, _)| outcome.is_unsuccessful());
    let trouble = trouble.map(|(outcome, count)| (count, outcome.name()));
    let counts: Vec<String> = trouble
        .chain([(state.retried, "retried")])
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{} {name}", grouped(count)))
        .collect();
    let waiting = (state.waiting == Some(Waiting::Rate)).then(|| "waiting for the rate".to_owned());
    let message = (!state.message.is_empty()).then(|| state.message.clone());
    counts.into_iter().chain(waiting).chain(message)
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use indicatif::{ProgressDrawTarget, TermLike};

    use super::*;

    fn line(progress: &Progress, seconds: u64) -> Option<String> {
        told(progress, Course { elapsed: Duration::from_secs(seconds), idle: Duration::ZERO, limit: 2.0 })
    }

    /// What is told then, where nothing was told before.
    fn told(progress: &Progress, course: Course) -> Option<String> {
        progress.change(|state| state.last_line_at = Duration::ZERO);
        progress.tick(course).map(|told| match told {
            ToldProgress::Line(line) => line,
            ToldProgress::Event(event) => panic!("{event:?}"),
        })
    }

    #[test]
    fn sending_tells_rate_forecast_trouble_and_waiting() {
        let progress = Progress::new(ProgressMode::Plain, 1_200);
        assert_eq!(line(&progress, 4), None);
        assert_eq!(line(&progress, 5).unwrap(), "0 of 1,200 referrals");
        (0..19).for_each(|_| progress.done(Outcome::Applied));
        progress.done(Outcome::Refused);
        progress.retried(1);
        let seconds = Duration::from_secs;
        for (waiting, wanted) in [
            (None, "2.0/s, about 10 min left, 1 refused, 1 retried"),
            (Some(Waiting::Rate), "2.0/s, about 10 min left, 1 refused, 1 retried, waiting for the rate"),
            (
                Some(Waiting::Server { remaining: Duration::from_millis(58_200) }),
                "paused by the server for another 59 s, 1 refused, 1 retried",
            ),
            (
                Some(Waiting::Probe { remaining: seconds(5) }),
                "held back, asking again in 5 s, 1 refused, 1 retried",
            ),
            (Some(Waiting::Answer), "held back until the service answers, 1 refused, 1 retried"),
            (Some(Waiting::End), "stopping, 1 refused, 1 retried"),
        ] {
            progress.waiting(waiting);
            assert_eq!(line(&progress, 10).unwrap(), format!("20 of 1,200 referrals, {wanted}"));
        }
        progress.waiting(None);
        progress.unconfirmed(40);
        assert_eq!(
            line(&progress, 10).unwrap(),
            "20 of 1,200 referrals, 40 to be confirmed, 2.0/s, about 10 min left, 1 refused, 1 retried"
        );
        progress.unconfirmed(0);
        progress.message("no answer in time: asking again");
        assert!(line(&progress, 10).unwrap().ends_with(", 1 retried, no answer in time: asking again"));
    }

    /// What was done in the time in which anything could be done, and no faster than it may go on.
    #[test]
    fn a_forecast_knows_of_pauses_and_of_the_rate() {
        for (elapsed, idle, limit, wanted) in [
            (20, 0, 100.0, "100 of 1,000 referrals, 5.0/s, about 3 min left"),
            (20, 0, 1.0, "100 of 1,000 referrals, 1.0/s, about 15 min left"),
            (320, 300, 100.0, "100 of 1,000 referrals, 5.0/s, about 3 min left"),
            (300, 300, 100.0, "100 of 1,000 referrals"),
            (20, 0, 0.0, "100 of 1,000 referrals"),
        ] {
            let progress = Progress::new(ProgressMode::Plain, 1_000);
            (0..100).for_each(|_| progress.done(Outcome::Applied));
            let [elapsed, idle] = [elapsed, idle].map(Duration::from_secs);
            assert_eq!(told(&progress, Course { elapsed, idle, limit }).unwrap(), wanted);
        }
    }

    #[test]
    fn what_became_of_the_referrals_is_known_without_a_ledger() {
        let progress = Progress::new(ProgressMode::None, 1_200);
        assert_eq!(progress.outcomes(), "0 of 1,200 referrals");
        (0..1_100).for_each(|_| progress.done(Outcome::Applied));
        progress.done(Outcome::Refused);
        assert_eq!(progress.outcomes(), "1,101 of 1,200 referrals, 1,100 applied, 1 refused");
    }

    #[test]
    fn planning_tells_what_was_read_and_looked_at() {
        let progress = Progress::planning(ProgressMode::Plain);
        progress.rows_read(1_234);
        progress.looked_at(1);
        progress.message("changes.csv\u{1b}[2J");
        assert_eq!(
            line(&progress, 5).unwrap(),
            "planning, 1,234 rows read, 1 referral looked at, changes.csv\u{fffd}[2J"
        );
    }

    #[test]
    fn a_line_is_written_every_few_seconds() {
        let progress = Progress::new(ProgressMode::Plain, 2);
        let course = |second| Course { elapsed: Duration::from_secs(second), ..Course::default() };
        let told: Vec<_> = (0..=12).filter_map(|second| progress.tick(course(second))).collect();
        assert_eq!(told, vec![ToldProgress::Line("0 of 2 referrals".to_owned()); 2]);
    }

    /// The same calls lead to the same events, a second apart at least, and one more when the work has ended.
    #[test]
    fn events_come_every_second_and_at_the_end() {
        let told = || {
            let progress = Progress::new(ProgressMode::Json, 8);
            let mut told = Vec::new();
            for quarter in 0..=10_u32 {
                if quarter % 2 == 1 {
                    progress.done(Outcome::Applied);
                }
                if quarter == 6 {
                    progress.waiting(Some(Waiting::Server { remaining: Duration::from_millis(1_500) }));
                    progress.message("no answer in time");
                }
                let elapsed = Duration::from_millis(250) * quarter;
                let course = Course { elapsed, idle: Duration::ZERO, limit: 2.0 };
                told.extend(progress.tick(course));
            }
            let course = Course { elapsed: Duration::from_secs(3), idle: Duration::ZERO, limit: 2.0 };
            let last = progress.conclude(course).unwrap();
            told.push(ToldProgress::Event(Box::new(last)));
            let text = |told: &ToldProgress| match told {
                ToldProgress::Event(event) => serde_json::to_string(event).unwrap(),
                ToldProgress::Line(line) => panic!("{line}"),
            };
            told.iter().map(text).collect::<Vec<_>>()
        };
        let event = |applied: u64, seconds: f64, rest: &str| {
            format!(
                "{{\"event\":\"progress\",\"work\":\"sending\",\"done\":{applied},\"total\":8,\"outcomes\":{{\"applied\":{applied},\
                 \"unchanged\":0,\"planned\":0,\"conflict\":0,\"invalid\":0,\"refused\":0,\"failed\":0,\"partial\":0,\
                 \"unknown\":0,\"unsent\":0}},\"unconfirmed\":0,\"retried\":0,\"seconds\":{seconds:?},\"idle_seconds\":0.0,{rest}}}"
            )
        };
        let paused = "\"per_second\":null,\"limit\":2.0,\"seconds_left\":null,\
                      \"waiting\":{\"for\":\"server\",\"seconds\":1.5},\"message\":\"\"";
        let going = |per_second: f64, left: f64| {
            format!("\"per_second\":{per_second:?},\"limit\":2.0,\"seconds_left\":{left:?},\"waiting\":null")
        };
        let message = ",\"message\":\"no answer in time\"";
        assert_eq!(
            told(),
            [
                event(2, 1.0, &going(2.0, 3.0)),
                event(4, 2.0, &paused.replace("\"message\":\"\"", &message[1..])),
                event(5, 3.0, &(going(1.667, 1.8) + message)),
            ]
        );
        assert_eq!(told(), told());
    }

    #[test]
    fn events_of_reading_have_no_outcomes_and_no_total() {
        for (progress, work) in [
            (Progress::planning(ProgressMode::Json), r#""work":"planning","rows_read":7,"done":3"#),
            (Progress::listing(ProgressMode::Json), r#""work":"reading","done":3"#),
        ] {
            progress.rows_read(7);
            progress.looked_at(3);
            let told = serde_json::to_string(&progress.conclude(Course::default()).unwrap()).unwrap();
            let wanted = format!("{{\"event\":\"progress\",{work},\"total\":null,\"retried\":0,");
            assert!(told.starts_with(&wanted), "{told}");
        }
        for mode in [ProgressMode::Bar, ProgressMode::Plain, ProgressMode::None] {
            assert_eq!(Progress::new(mode, 2).conclude(Course::default()), None, "{mode:?}");
        }
    }

    #[test]
    fn other_modes_write_no_lines() {
        for mode in [ProgressMode::Bar, ProgressMode::None] {
            for progress in [Progress::new(mode, 2), Progress::planning(mode)] {
                progress.done(Outcome::Failed);
                assert_eq!(line(&progress, 100), None);
                let bar = progress.begin();
                assert_eq!(bar.is_some(), mode == ProgressMode::Bar);
                assert_eq!(bar.map(|bar| bar.aside(|| 7)), (mode == ProgressMode::Bar).then_some(7));
                progress.finish();
            }
        }
    }

    /// A terminal of some width, and what is to be seen on it. What is too long for a line goes on in the next.
    #[derive(Debug, Clone, Default)]
    struct Screen {
        width: u16,
        seen: Arc<Mutex<Seen>>,
    }

    #[derive(Debug, Default)]
    struct Seen {
        lines: Vec<Vec<char>>,
        line: usize,
        column: usize,
    }

    impl Screen {
        fn put(&self, c: char) {
            let mut seen = self.seen.lock().unwrap();
            let (wraps, returns) = (seen.column == usize::from(self.width), c == '\r');
            if wraps && !returns {
                seen.line += 1;
            }
            if wraps || returns {
                seen.column = 0;
            }
            if returns {
                return;
            }
            let Seen { lines, line, column } = &mut *seen;
            lines.resize_with(lines.len().max(*line + 1), Vec::new);
            let line = &mut lines[*line];
            line.resize(line.len().max(*column + 1), ' ');
            line[*column] = c;
            *column += 1;
        }

        /// The lines, and of a bar how wide it is.
        fn lines(&self) -> Vec<String> {
            let line = |line: &Vec<char>| {
                let bar = line.iter().take_while(|c| "█░".contains(**c)).count();
                let words = line[bar..].iter().collect::<String>().trim_end().to_owned();
                if bar == 0 { words } else { format!("[{bar}]{words}") }
            };
            self.seen.lock().unwrap().lines.iter().map(line).collect()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            self.width
        }

        fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
            self.seen.lock().unwrap().line -= lines;
            Ok(())
        }

        fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
            self.seen.lock().unwrap().line += lines;
            Ok(())
        }

        fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
            self.seen.lock().unwrap().column += columns;
            Ok(())
        }

        fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
            self.seen.lock().unwrap().column -= columns;
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            self.write_str("\r")?;
            self.move_cursor_down(1)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            text.chars().for_each(|c| self.put(c));
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            let mut seen = self.seen.lock().unwrap();
            let line = seen.line;
            if let Some(line) = seen.lines.get_mut(line) {
                line.clear();
            }
            seen.column = 0;
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn on_a_screen(work: Work, width: u16) -> (Progress, Screen) {
        let screen = Screen { width, ..Screen::default() };
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let bar = Bar::on(target, work.total());
        (Progress { work, mode: ProgressMode::Bar, bar, state: Mutex::default() }, screen)
    }

    #[test]
    fn the_bar_says_the_same_and_fits_a_terminal() {
        for (width, bar) in [(80, "[24]"), (120, "[64]")] {
            let (progress, screen) = on_a_screen(Work::Sending { total: 12_000 }, width);
            (0..1_199).for_each(|_| progress.done(Outcome::Applied));
            progress.done(Outcome::Failed);
            progress.retried(3);
            progress.waiting(Some(Waiting::Rate));
            let course = Course { elapsed: Duration::from_secs(600), idle: Duration::ZERO, limit: 2.0 };
            assert_eq!(progress.tick(course), None);
            progress.bar.0.tick();
            assert_eq!(
                screen.lines(),
                [
                    format!("{bar} 1,200 of 12,000 referrals, 2.0/s, about 1 h 30 min left").as_str(),
                    "1 failed, 3 retried, waiting for the rate"
                ]
            );
            progress.message("the service answered 502 without a body, and nobody knows what was done");
            progress.bar.0.tick();
            assert_eq!(
                screen.lines()[1],
                "1 failed, 3 retried, waiting for the rate, the service answered 502 without a …"
            );
            progress.finish();
        }
    }

    #[test]
    fn planning_fits_a_terminal_too() {
        let (progress, screen) = on_a_screen(Work::Planning, 80);
        progress.rows_read(1_234_567);
        progress.looked_at(1_234_567);
        progress.waiting(Some(Waiting::Server { remaining: Duration::from_secs(59) }));
        progress.bar.0.tick();
        let lines = screen.lines();
        let wanted = "1,234,567 rows read, 1,234,567 referrals looked at, paused by the server for…";
        assert!(lines.len() == 1 && lines[0].ends_with(wanted), "{lines:?}");
        progress.finish();
    }
}
