//! The process boundary: arguments, environment and streams go in, an exit code comes out.

use std::io::IsTerminal;
use std::process::ExitCode;

use referral_bulk::{Process, run};

/// Planning makes and drops a hundred small texts a referral: it takes a tenth less CPU with this one than
/// with the C library's. See docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "this is where the process's own things are passed in")]
fn main() -> ExitCode {
    let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
    let interactive = stderr.is_terminal() && stdin.is_terminal();
    run(Process {
        arguments: std::env::args_os().collect(),
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        directory: std::env::current_dir().unwrap_or_default(),
        // Both are handles of the one buffered standard input.
        person: interactive.then(|| Box::new(std::io::stdin()) as Box<dyn std::io::Read + Send>),
        stdin: Box::new(stdin),
        stdout: Box::new(std::io::stdout()),
        stderr: Box::new(stderr),
        // Where nobody says how wide it is, nothing can be drawn on it.
        terminal: console::Term::stderr().size_checked().is_some(),
        clock: now,
        new_id: uuid::Uuid::new_v4,
        user: user(),
        watch: None,
    })
}

/// Whose rights the process has.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such number")]
fn user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn user() -> Option<u32> {
    None
}

/// Milliseconds are as exact as anybody reads a report.
#[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Millisecond).unwrap_or(now)
}
