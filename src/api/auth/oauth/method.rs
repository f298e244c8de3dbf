//! The ways to sign in.

use serde::{Deserialize, Serialize};

/// How somebody signed in. A policy may forbid one of them, also later: a session that began with a device code stays
/// marked as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInMethod {
    /// In a browser on this machine.
    Browser,
    /// With a code that was typed on any machine.
    DeviceCode,
}
