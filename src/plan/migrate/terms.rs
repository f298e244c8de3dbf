//! What the user allows payloads to do.

use std::collections::BTreeSet;

use crate::domain::pointer::Pointer;

/// What the user allows payloads to do.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The unconfirmed paths that may be patched.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether what a payload empties is emptied.
    pub clear: bool,
    /// What is taken from payloads that are stale: fields, or what holds them.
    pub take: BTreeSet<Pointer>,
}
