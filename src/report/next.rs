//! The command to type next.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::outcome::Bucket;

use super::rows::Written;
use super::summary::{State, Summary};

/// What is left to do after a run, and the command for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send what is planned, settle what is in doubt.
    Resume {
        /// The run's directory.
        run: PathBuf,
    },
    /// Correct the rows that went wrong, and feed them back.
    Correct {
        /// `apply` or `migrate`, as the rows were read the first time.
        command: String,
        /// The flags that say where the run went, so that what is fed back goes there too.
        target: String,
        /// The error files that hold rows.
        files: Vec<PathBuf>,
    },
    /// Feed back the rows of which nobody knows whether they were applied: what was, is found
    /// unchanged.
    Check {
        /// `apply` or `migrate`, as the rows were read the first time.
        command: String,
        /// The flags that say where the run went, so that what is fed back goes there too.
        target: String,
        /// The pending files that hold rows.
        files: Vec<PathBuf>,
    },
    /// Look at what somebody else changed, and feed back the rows that shall still be applied.
    Review {
        /// `apply` or `migrate`, as the rows were read the first time.
        command: String,
        /// The flags that say where the run went, so that what is fed back goes there too.
        target: String,
        /// The conflict files that hold rows.
        files: Vec<PathBuf>,
    },
}

impl Next {
    /// The first of what is left to do; `None` where nothing is. Rows that are still to be sent come
    /// before those that went wrong: a run is brought to its end before another one is made of it.
    /// `target` holds the flags that say where the run went.
    pub fn of(summary: &Summary, run: &Path, written: &Written, target: &str) -> Option<Self> {
        let rows = &summary.rows;
        let is_open = summary.state != State::Finished;
        if is_open && rows.planned + rows.unsent + rows.unknown > 0 {
            return Some(Self::Resume { run: run.to_owned() });
        }
        let files = |bucket: Bucket| -> Option<Vec<PathBuf>> {
            let held =
                written.files().iter().filter(|file| file.bucket == Some(bucket) && file.rows > Some(0));
            let files: Vec<PathBuf> = held.map(|file| file.path.clone()).collect();
            (!files.is_empty()).then_some(files)
        };
        let (command, target) = (summary.command.clone(), target.to_owned());
        if let Some(files) = files(Bucket::Error) {
            return Some(Self::Correct { command, target, files });
        }
        if let Some(files) = files(Bucket::Pending) {
            return Some(Self::Check { command, target, files });
        }
        files(Bucket::Conflict).map(|files| Self::Review { command, target, files })
    }

    /// The command, ready to be typed into a POSIX shell.
    pub fn command(&self) -> String {
        let with = |command: &str, paths: &[PathBuf]| {
            let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
            format!("referral-bulk {command} {}", paths.join(" "))
        };
        match self {
            Self::Resume { run } => with("resume", std::slice::from_ref(run)),
            Self::Correct { command, target, files }
            | Self::Check { command, target, files }
            | Self::Review { command, target, files } => with(command, files) + target,
        }
    }
}

/// What to do, with the command.
impl fmt::Display for Next {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |files: &[PathBuf]| {
            let names = files.iter().filter_map(|file| file.file_name());
            names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" and ")
        };
        let them = |files: &[PathBuf]| if files.len() == 1 { "it" } else { "them" };
        match self {
            Self::Resume { .. } => {}
            Self::Correct { files, .. } => {
                write!(out, "correct {} and feed {} back: ", names(files), them(files))?;
            }
            Self::Check { files, .. } => {
                write!(out, "feed {} back, which changes only what was not applied: ", names(files))?;
            }
            Self::Review { files, .. } => {
                write!(
                    out,
                    "see in {} what others changed, keep what still holds and feed {} back: ",
                    names(files),
                    them(files)
                )?;
            }
        }
        out.write_str(&self.command())
    }
}

/// A path as a POSIX shell reads it back, and as no program takes it for an option.
pub fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if text.starts_with('-') { format!("./{text}") } else { text.into_owned() };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::super::rows::WrittenFile;
    use super::super::testing::{books, row, summary};
    use super::*;
    use crate::domain::outcome::Outcome;

    #[test]
    fn what_is_left_decides() {
        let review = "see in conflict.csv what others changed, keep what still holds and feed it back: \
                      referral-bulk apply 'reports/r 1/conflict.csv'";
        let correct = "correct error.csv and feed it back: referral-bulk apply 'reports/r 1/error.csv'";
        let resume = "referral-bulk resume 'reports/r 1'";
        let check = "feed pending.csv back, which changes only what was not applied: \
                     referral-bulk apply 'reports/r 1/pending.csv'";
        for (outcomes, wanted) in [
            (&[][..], None),
            (&[Outcome::Applied, Outcome::Unchanged], None),
            (&[Outcome::Conflict], Some(review)),
            (&[Outcome::Conflict, Outcome::Invalid], Some(correct)),
            (&[Outcome::Refused], Some(correct)),
            (&[Outcome::Failed], Some(correct)),
            (&[Outcome::Failed, Outcome::Planned], Some(resume)),
            (&[Outcome::Failed, Outcome::Unsent], Some(resume)),
            (&[Outcome::Unsent, Outcome::Unknown], Some(resume)),
            (&[Outcome::Unknown], Some(check)),
            (&[Outcome::Unknown, Outcome::Conflict], Some(check)),
        ] {
            let rows: Vec<_> = outcomes.iter().zip(1..).map(|(outcome, at)| row(at, 0, *outcome)).collect();
            let run = Path::new("reports/r 1");
            let open = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Planned | Outcome::Unsent));
            let state = if open { State::Stopped } else { State::Finished };
            let summary = Summary { state, ..summary(&books(&rows)) };
            let next = Next::of(&summary, run, &written(run, outcomes), "");
            assert_eq!(next.map(|next| next.to_string()).as_deref(), wanted, "{outcomes:?}");
        }
    }

    #[test]
    fn rows_are_fed_back_to_the_command_that_read_them() {
        let files = ["r/error.csv", "r/error.jsonl"].map(PathBuf::from).to_vec();
        let target = " --sandbox".to_owned();
        let next = Next::Correct { command: "migrate".to_owned(), target, files };
        assert_eq!(next.command(), "referral-bulk migrate r/error.csv r/error.jsonl --sandbox");
        assert_eq!(
            next.to_string(),
            "correct error.csv and error.jsonl and feed them back: \
             referral-bulk migrate r/error.csv r/error.jsonl --sandbox"
        );
    }

    /// The row files that such a run has.
    fn written(run: &Path, outcomes: &[Outcome]) -> Written {
        let buckets = [
            (Bucket::Success, "success.csv"),
            (Bucket::Conflict, "conflict.csv"),
            (Bucket::Error, "error.csv"),
            (Bucket::Pending, "pending.csv"),
        ];
        let files = buckets.into_iter().map(|(bucket, name)| {
            let rows = outcomes.iter().filter(|outcome| outcome.bucket() == bucket).count() as u64;
            WrittenFile { path: run.join(name), rows: Some(rows), bucket: Some(bucket) }
        });
        files.collect()
    }

    #[test]
    fn paths_are_quoted_where_a_shell_needs_it() {
        for (path, wanted) in [
            ("reports/2026-01-02T03-04-05Z-apply", "reports/2026-01-02T03-04-05Z-apply"),
            ("my runs/1", "'my runs/1'"),
            ("it's", r"'it'\''s'"),
            ("$HOME;x", "'$HOME;x'"),
            ("-rf", "./-rf"),
            ("é", "'é'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), wanted, "{path}");
        }
    }
}
