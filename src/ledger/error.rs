//! The reasons why a ledger cannot be used, or no longer.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::characters::visible_path;

/// A reason why a ledger cannot be used, or no longer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// A new run was to be created where there is one already.
    #[error("{} holds a run already; name another directory", visible_path(.dir))]
    Exists {
        /// The run's directory.
        dir: PathBuf,
    },
    /// The directory holds no ledger.
    #[error("{} holds no run", visible_path(.dir))]
    Absent {
        /// The directory.
        dir: PathBuf,
    },
    /// A process began to create a ledger there and did not complete it, or hasn't yet.
    #[error("{} holds no run yet: none came as far as to read or send anything", visible_path(.dir))]
    Unmade {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process, or another part of this one, has the run open for writing.
    #[error("the run in {} is being worked on by another process; wait for it to end", visible_path(.dir))]
    Busy {
        /// The run's directory.
        dir: PathBuf,
    },
    /// The ledger's file has a second name (a hard link), under which this one's lock and log aren't seen.
    #[error(
        "{} has another name besides (a hard link), under which another process may be at work; take one of the names away, or make a real copy",
        visible_path(.file)
    )]
    Linked {
        /// The ledger's file.
        file: PathBuf,
    },
    /// The run was copied, and the first copy is still where it was.
    #[error(
        "{} is a copy of the run in {}, and neither knows what is sent from the other; carry on there, or move that one away for good",
        visible_path(.dir), visible_path(.first)
    )]
    Copied {
        /// The copy's directory.
        dir: PathBuf,
        /// The directory of the run that was copied.
        first: PathBuf,
    },
    /// The file has a newer format than this program knows.
    #[error(
        "{} was written by a newer version of this program: its format is {found}, this version knows {known}; use the newer version",
        visible_path(.file)
    )]
    Newer {
        /// The ledger's file.
        file: PathBuf,
        /// The format of the file.
        found: i32,
        /// The newest format that this program knows.
        known: i32,
    },
    /// The file is a database, but none of this program's.
    #[error("{} is no ledger of this program", visible_path(.file))]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// The content of the file can't be what was written.
    #[error("{} is damaged: {detail}", visible_path(.file))]
    Damaged {
        /// The ledger's file.
        file: PathBuf,
        /// What was found wrong.
        detail: String,
    },
    /// The system did not let the ledger be read or written: no space, no permission, or another program
    /// holds it.
    #[error("{}: {detail}", visible_path(.file))]
    Database {
        /// The ledger's file.
        file: PathBuf,
        /// The backend's own error text.
        detail: String,
    },
    /// The ledger was asked for something that it doesn't allow. A defect of this program.
    #[error("{}: {detail}, a defect of this program", visible_path(.file))]
    Defect {
        /// The ledger's file.
        file: PathBuf,
        /// The backend's own error text.
        detail: String,
    },
    /// A file or directory could not be created or examined.
    #[error("{}: {source}", visible_path(.path))]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: Arc<io::Error>,
    },
    /// A plan cannot be completed, since a row would never get an outcome. A defect of this program.
    #[error(
        "row {row} of the run in {} has neither a verdict nor an item, a defect of this program; nothing was sent",
        visible_path(.dir)
    )]
    Loose {
        /// The run's directory.
        dir: PathBuf,
        /// The row's ordinal in the run.
        row: u64,
    },
    /// The run was only partly planned, so nothing of it may be sent.
    #[error(
        "planning the run in {} did not come to its end, so nothing of it may be sent; plan it again into another directory",
        visible_path(.dir)
    )]
    Unplanned {
        /// The run's directory.
        dir: PathBuf,
    },
    /// What the run sent last is lost with its log, so nothing may be added to it: the loss could not be noticed
    /// any more.
    #[error(
        "what the run in {} sent last is not on record, so nothing is added to it; resume it first, which reads back what \
         may have been sent",
        visible_path(.dir)
    )]
    LogLost {
        /// The run's directory.
        dir: PathBuf,
    },
    /// Every item of the run has its outcome.
    #[error("the run in {} is finished; there is nothing left to send", visible_path(.dir))]
    Finished {
        /// The run's directory.
        dir: PathBuf,
    },
    /// A run was to be marked as finished while items have no outcome. A defect of this program; the run
    /// stays stopped.
    #[error(
        "{items} items of the run in {} have no outcome, so it is not finished; resume it",
        visible_path(.dir)
    )]
    Unsettled {
        /// The run's directory.
        dir: PathBuf,
        /// The number of items without an outcome.
        items: u64,
    },
    /// A write of the journal failed. The journal stays closed, so that nothing is sent without an intent.
    #[error("{} could not be written, so nothing more is sent: {}", visible_path(.file), .first.detail())]
    Poisoned {
        /// The ledger's file.
        file: PathBuf,
        /// The error of the first write that failed.
        first: Box<LedgerError>,
    },
    /// The journal was ended before this call.
    #[error("the journal of the run in {} has ended, so nothing more is sent", visible_path(.dir))]
    Ended {
        /// The run's directory.
        dir: PathBuf,
    },
}

impl LedgerError {
    /// Makes the error for a failure of the system, with the path that it is about.
    pub(super) fn file(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.to_owned(), source: Arc::new(error) }
    }

    /// Makes the error that nothing more is written, since `first` went wrong.
    pub(super) fn poisoned(file: PathBuf, first: Self) -> Self {
        Self::Poisoned { file, first: Box::new(first) }
    }

    /// Whether the ledger's file is damaged, so that neither space nor permission would help.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Poisoned { first, .. } => first.is_damage(),
            _ => false,
        }
    }

    /// Returns what went wrong, without the file's name.
    fn detail(&self) -> String {
        match self {
            Self::Damaged { detail, .. } | Self::Database { detail, .. } | Self::Defect { detail, .. } => {
                detail.clone()
            }
            other => other.to_string(),
        }
    }
}

impl From<LedgerError> for io::Error {
    /// Lets code that writes a report while it reads the ledger return one kind of error.
    fn from(error: LedgerError) -> Self {
        Self::other(error)
    }
}
