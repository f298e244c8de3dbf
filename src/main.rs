//! The process boundary: arguments, environment and streams go in, an exit code comes out.
//!
//! Nothing below `main` reads the environment, the clock or the standard streams by itself, so a test can run
//! the whole program with its own.

use std::io::IsTerminal;
use std::process::ExitCode;

use referral_bulk::{Process, run};

/// The allocator of the process. Planning allocates and frees about a hundred small texts per referral, which
/// takes a tenth less CPU time with mimalloc than with the C library's allocator: see docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "this is where the process's own things are passed in")]
fn main() -> ExitCode {
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
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
        // A bar is drawn to the width of the terminal, so one whose size is unknown gets none.
        terminal: console::Term::stderr().size_checked().is_some(),
        pages: stdout.is_terminal(),
        clock: now,
        new_id: uuid::Uuid::new_v4,
        user: user(),
        watch: None,
    })
}

/// Returns the effective user id of the process; `None` on systems that have no such number.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such number")]
fn user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn user() -> Option<u32> {
    None
}

/// Returns the current time, rounded to the millisecond that reports show.
#[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Millisecond).unwrap_or(now)
}
