//! Exit codes of commands.

use super::outcome::Outcome;
use super::setting::Setting;
use super::wording::Wording;

/// The exit code of a command. The numbers are part of the public contract: scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All that was asked is done.
    Done = 0,
    /// The command could not run.
    CouldNotRun = 1,
    /// Wrong usage, or consent missing or wrong.
    Usage = 2,
    /// The run finished, and some rows did not succeed.
    SomeFailed = 3,
    /// The run stopped before its end.
    Stopped = 4,
    /// The books do not balance.
    Unbalanced = 5,
}

impl Exit {
    /// Every exit code, in order.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::CouldNotRun, Self::Usage, Self::SomeFailed, Self::Stopped, Self::Unbalanced];

    /// Returns the number that the process exits with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Describes the exit code in one line.
    pub fn about(self) -> Wording {
        match self {
            Self::Done => {
                let done = Wording::from("all that was asked is done (or, with ").name(Setting::Plan);
                done.say(", every row could be)")
            }
            Self::CouldNotRun => {
                Wording::from("could not run: unreadable input, no token, no connection, a broken ledger")
            }
            Self::Usage => Wording::from("usage, or consent missing or wrong; nothing was sent"),
            Self::SomeFailed => {
                "finished, and some rows are conflict, invalid, refused, failed, partial or unknown".into()
            }
            Self::Stopped => {
                let stopped = Wording::from("stopped before the end (interrupt, ").name(Setting::MaxErrors);
                stopped.say(", ").name(Setting::FinishBy).say(", token refused): resume carries on")
            }
            Self::Unbalanced => Wording::from("the books do not balance: a defect"),
        }
    }

    /// Returns the exit code of a run that finished, or was only planned, from the outcomes of its rows.
    pub fn of_outcomes(mut outcomes: impl Iterator<Item = Outcome>) -> Self {
        if outcomes.any(Outcome::is_unsuccessful) { Self::SomeFailed } else { Self::Done }
    }
}
