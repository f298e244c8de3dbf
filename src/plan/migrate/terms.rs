//! The terms of a migration: what the user allows payloads to do.

use std::collections::BTreeSet;

use crate::domain::pointer::Pointer;

/// What the user allows payloads to do.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The unconfirmed paths that may be patched.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether fields that a payload empties are cleared.
    pub clear: bool,
    /// The fields, or objects around them, that are sent from stale payloads all the same.
    pub take: BTreeSet<Pointer>,
}
