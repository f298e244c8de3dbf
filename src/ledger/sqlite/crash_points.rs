//! The points between which a process can die and leave something else on disk. The program itself does
//! nothing at them; a test that wants a process to die at one of them sets a watch.

/// A point in the ledger's work at which a process may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashPoint {
    /// The next piece of a new ledger is about to be created.
    Founding,
    /// The new ledger is complete, and on disk under its own name.
    Founded,
    /// Part of a plan is about to be committed.
    Planning,
    /// That part of the plan is on disk.
    Planned,
    /// The mark that changes will be sent is about to be written.
    Marking,
    /// The mark is on disk in the log, and not in the database yet.
    Marked,
    /// A batch of intents, answers and outcomes is about to be written.
    Writing,
    /// The batch is on disk, and no caller has been told.
    Written,
    /// The callers are told: those that waited for an intent may send.
    Told,
    /// The log is about to be copied into the database.
    Folding,
    /// The log is in the database.
    Folded,
    /// The end of sending is about to be written.
    Closing,
    /// The end of sending is on disk.
    Closed,
}

/// A function that is called at every crash point, on the thread that reaches it.
pub type Watch = fn(CrashPoint);
