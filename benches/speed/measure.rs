//! Measuring one process: how long it took, the CPU it used, the most memory it held.
//!
//! The system adds up what all children of a process have used, and counts the memory of whoever starts
//! a child as the child's own. So every measurement is made by a small process of its own.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Error, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};

/// What a process used from its start to its end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Used {
    /// Wall time in seconds.
    pub seconds: f64,
    /// CPU in user mode and in the kernel, in seconds.
    pub cpu: f64,
    /// The most memory that it held, in bytes.
    pub peak: u64,
}

/// Runs a command in a measuring process. What it says goes to a log.
///
/// # Errors
/// Where it doesn't end well; the error holds the log.
pub fn measured<S: AsRef<OsStr>>(log: &Path, words: &[S]) -> Result<Used> {
    let output = Command::new(std::env::current_exe()?)
        .arg("measure")
        .args(words)
        .stdin(Stdio::null())
        .stderr(File::create(log)?)
        .output()?;
    if !output.status.success() {
        return Err(Error::other(format!("{}\n{}", output.status, std::fs::read_to_string(log)?)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The measuring process: runs the command, prints what it used.
#[expect(clippy::disallowed_methods, reason = "a benchmark is about real time")]
pub fn measure(words: &[String]) -> Result<()> {
    let (program, arguments) = words.split_first().ok_or_else(|| Error::other("nothing to measure"))?;
    let started = Instant::now();
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(Error::other(format!("{program}: {status}")));
    }
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = in_seconds(used.user_time()) + in_seconds(used.system_time());
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let used = Used { seconds, cpu, peak: used.max_rss().unsigned_abs() * unit };
    println!("{}", serde_json::to_string(&used)?);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "no run takes 2^53 seconds")]
fn in_seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}
