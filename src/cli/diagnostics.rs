//! Diagnostics: what the program does and decides, on standard error where the user asks for it, and always in the
//! run's own file.
//!
//! What an event carries is free of secrets and of personal data where it is recorded, so there is nothing to take
//! out where it is printed: numbers, ids of referrals and requests, statuses, and words of this program's own.
//! Nothing that a service or an input says is among it. What the libraries below have to say, and what they say
//! holds headers, is not listened to.

use std::io::{self, Write};
use std::sync::Arc;

use jiff::Timestamp;
use tracing::{Dispatch, Level};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::prelude::*;

use super::console::Terminal;
use crate::commands::{Console, RunLog};

/// This program's own events, and nobody else's.
const OWN: &str = env!("CARGO_CRATE_NAME");

/// Who takes the events of this process. `verbosity` is how often `-v` was given: decisions for once, every request
/// for twice. The run's file has what is shown, and the decisions in any case.
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

/// Takes whole lines: into the run's file, and above a bar that stands on the terminal.
struct EventWriter {
    log: RunLog,
    console: Option<Arc<Terminal>>,
}

impl Write for EventWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(console) = &self.console {
            console.say(String::from_utf8_lossy(line).trim_end());
        }
        self.log.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.log.flush()
    }
}
