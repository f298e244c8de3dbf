//! Diagnostics: events about what the program does and decides. They go to the run's log (`run.log`), and with `-v`
//! to standard error as well.
//!
//! Events are free of secrets and personal data where they are recorded, so nothing has to be removed where they
//! are printed: they hold numbers, ids of referrals and requests, statuses, and words of this program, and no text
//! of a service or an input. Events of libraries are ignored, since theirs hold headers.

use std::io::{self, Write};
use std::sync::Arc;

use jiff::Timestamp;
use tracing::{Dispatch, Level};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::prelude::*;

use super::console::Terminal;
use crate::commands::RunLog;

/// The target of this program's own events.
const OWN: &str = env!("CARGO_CRATE_NAME");

/// Returns the subscriber of this process's events. `verbosity` is the number of `-v`: decisions for one, every request
/// for two. The run's log gets what is printed, and decisions in any case.
pub fn dispatch(verbosity: u8, log: RunLog, console: Arc<Terminal>, clock: fn() -> Timestamp) -> Dispatch {
    let level = if verbosity > 1 { Level::DEBUG } else { Level::INFO };
    let console = (verbosity > 0).then_some(console);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_timer(ProcessClock(clock))
        .with_writer(move || EventWriter { log: log.clone(), console: console.clone() })
        .with_filter(Targets::new().with_target(OWN, level));
    tracing_subscriber::registry().with(lines).into()
}

/// The clock that the process was given.
struct ProcessClock(fn() -> Timestamp);

impl FormatTime for ProcessClock {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{:.3}", (self.0)())
    }
}

/// Writes whole lines to the run's log and to the console.
struct EventWriter {
    log: RunLog,
    console: Option<Arc<Terminal>>,
}

impl Write for EventWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(console) = &self.console {
            console.diagnose(String::from_utf8_lossy(line).trim_end());
        }
        self.log.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.log.flush()
    }
}
