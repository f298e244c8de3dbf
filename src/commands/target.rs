//! The target of a run, and how the run records it: a service, or a sandbox inside the process.

use std::path::{Path, PathBuf};

use super::credentials::Credentials;
use crate::api::{Endpoint, EndpointError};
use crate::domain::run_spec::SANDBOX;
use crate::domain::setting::{Choice, Setting};

/// The target that a run sends its requests to.
#[derive(Debug, Clone)]
pub enum Target {
    /// A sandbox in this process, seeded from a snapshot or from the samples.
    Sandbox(Option<PathBuf>),
    /// A service, and where its tokens come from. Where nothing says so, nothing can be sent.
    Service(Endpoint, Option<Credentials>),
}

impl Target {
    /// Returns the name by which a run records the target.
    pub fn name(&self) -> String {
        match self {
            Self::Sandbox(None) => SANDBOX.to_owned(),
            Self::Sandbox(Some(seed)) => format!("{SANDBOX}={}", seed.to_string_lossy()),
            Self::Service(endpoint, _) => endpoint.to_string(),
        }
    }

    /// Returns the sort of target, in a word that holds nothing of an address or a path.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sandbox(_) => SANDBOX,
            Self::Service(endpoint, _) if *endpoint == Endpoint::official() => "official",
            Self::Service(endpoint, _) if endpoint.is_local() => "loopback",
            Self::Service(..) => "other",
        }
    }

    /// Returns the target of a recorded name. A service gets its tokens from `credentials`.
    ///
    /// # Errors
    /// Returns an error where the name is no target of this version.
    pub fn remembered(name: &str, credentials: Option<Credentials>) -> Result<Self, EndpointError> {
        match name.strip_prefix(SANDBOX) {
            Some("") => Ok(Self::Sandbox(None)),
            Some(rest) if rest.starts_with('=') => Ok(Self::Sandbox(Some(PathBuf::from(&rest[1..])))),
            _ => Ok(Self::Service(Endpoint::parse(name)?, credentials)),
        }
    }

    /// Returns the choice of a recorded target; `None` for the official service.
    pub fn choice(name: &str) -> Option<Choice> {
        match name.strip_prefix(SANDBOX) {
            Some("") => Some(Choice::bare(Setting::Sandbox)),
            Some(seed) => Some(Choice::of(Setting::Sandbox, seed.trim_start_matches('='))),
            None if name == Endpoint::official().as_str() => None,
            None => Some(Choice::of(Setting::Endpoint, name)),
        }
    }

    /// Returns the choice of a recorded target, where a token is sent there only if the user names it.
    pub fn choice_to_confirm(name: &str) -> Option<Choice> {
        let endpoint = Endpoint::parse(name).ok().filter(|endpoint| !endpoint.is_local());
        endpoint.and_then(|_| Self::choice(name))
    }

    /// Returns a recorded name with another path to the snapshot that a sandbox is seeded from.
    pub fn moved(name: &str, path: impl Fn(&Path) -> PathBuf) -> String {
        match Self::remembered(name, None) {
            Ok(Self::Sandbox(Some(seed))) => Self::Sandbox(Some(path(&seed))).name(),
            _ => name.to_owned(),
        }
    }

    /// Returns whether the target is a sandbox, where writing needs no consent.
    pub fn is_sandbox(&self) -> bool {
        matches!(self, Self::Sandbox(_))
    }
}
