//! The points between which a process can die and leave something else on disk. The program passes them
//! without a word; a test that wants a process to die at one of them watches.

/// A point in the ledger's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashPoint {
    /// Another piece of a new ledger is about to be made.
    Founding,
    /// It is whole, and on disk under its own name.
    Founded,
    /// Part of a plan is about to be committed.
    Planning,
    /// It is on disk.
    Planned,
    /// It is about to be written that changes will be sent.
    Marking,
    /// It is on disk, and not in the database yet.
    Marked,
    /// Intents, answers and outcomes are about to be written.
    Writing,
    /// They are on disk, and nobody knows.
    Written,
    /// Who waited for an intent may send.
    Told,
    /// The log is about to be brought into the database.
    Folding,
    /// It is.
    Folded,
    /// The end of the sending is about to be written.
    Closing,
    /// It is on disk.
    Closed,
}

/// Who is told of every step, from the thread that makes it.
pub type Watch = fn(CrashPoint);
