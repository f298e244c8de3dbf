//! `run.log`: the diagnostics of a run, which tell what the program did and decided, for later investigation.
//!
//! Lines that are written before the run has a directory wait in memory. A line that cannot be written costs
//! the run nothing: the run's record is the ledger, not this file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk;
use crate::domain::characters::visible_path;

/// The file's name in a run's directory.
pub const RUN_LOG: &str = "run.log";

/// The most bytes that wait for the run's directory. A command that never has one keeps no more.
const MOST_WAITING: usize = 64 * 1024;

/// The diagnostics of this process. Clones write to the same file.
#[derive(Debug, Clone, Default)]
pub struct RunLog(Arc<Mutex<Sink>>);

/// The destination of lines.
#[derive(Debug)]
enum Sink {
    /// Memory: there is no file yet.
    Waiting(Vec<u8>),
    /// The run's file.
    Open(PathBuf, File),
    /// None any more: the file could not be written, for this reason, which is not told yet.
    Lost(PathBuf, io::Error),
    /// None any more, which was told.
    Told,
}

impl Default for Sink {
    fn default() -> Self {
        Self::Waiting(Vec::new())
    }
}

impl RunLog {
    /// Writes to the run's file from now on, after what earlier processes wrote; the lines that waited come
    /// first.
    pub fn open(&self, run: &Path) {
        let path = run.join(RUN_LOG);
        let mut sink = self.sink();
        let Sink::Waiting(waiting) = &*sink else { return };
        let opened =
            disk::open_privately(File::options().append(true).create(true), &path).and_then(|mut file| {
                file.write_all(waiting)?;
                Ok(file)
            });
        *sink = match opened {
            Ok(file) => Sink::Open(path, file),
            Err(error) => Sink::Lost(path, error),
        };
    }

    /// Returns once, as a note for the user, that lines can't be kept, where they can't.
    pub fn take_loss(&self) -> Option<String> {
        let mut sink = self.sink();
        let Sink::Lost(path, error) = &*sink else { return None };
        let note = format!("note: diagnostics are not kept: cannot write {}: {error}", visible_path(path));
        *sink = Sink::Told;
        Some(note)
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes whole lines. Writing never fails: see [`RunLog::take_loss`].
impl Write for RunLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut sink = self.sink();
        match &mut *sink {
            Sink::Waiting(waiting) if waiting.len() + line.len() <= MOST_WAITING => {
                waiting.extend_from_slice(line);
            }
            Sink::Waiting(_) | Sink::Lost(..) | Sink::Told => {}
            Sink::Open(path, file) => {
                if let Err(error) = file.write_all(line) {
                    *sink = Sink::Lost(std::mem::take(path), error);
                }
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_waited_comes_first_and_an_earlier_process_before_it() {
        let run = tempfile::tempdir().unwrap();
        for process in ["one", "two"] {
            let log = RunLog::default();
            writeln!(log.clone(), "{process} early").unwrap();
            log.open(run.path());
            writeln!(log.clone(), "{process} late").unwrap();
            log.open(&run.path().join("elsewhere"));
            assert!(matches!(&*log.sink(), Sink::Open(..)));
        }
        let path = run.path().join(RUN_LOG);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one early\none late\ntwo early\ntwo late\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_cannot_be_written_is_said_and_nothing_more() {
        let run = tempfile::tempdir().unwrap();
        let log = RunLog::default();
        log.open(&run.path().join("missing"));
        writeln!(log.clone(), "a line").unwrap();
        let note = log.take_loss().unwrap();
        assert_eq!(log.take_loss(), None);
        let path = run.path().join("missing").join(RUN_LOG);
        let wanted = format!("note: diagnostics are not kept: cannot write {}: ", path.display());
        assert!(note.starts_with(&wanted), "{note}");
    }

    #[test]
    fn a_command_without_a_run_keeps_little() {
        let log = RunLog::default();
        for _ in 0..3 {
            log.clone().write_all(&[b'x'; MOST_WAITING / 2]).unwrap();
        }
        let Sink::Waiting(waiting) = &*log.sink() else { panic!() };
        assert_eq!(waiting.len(), MOST_WAITING);
    }
}
