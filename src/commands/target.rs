//! What a run talks to, and how it is remembered: a service, or a sandbox inside the process.

use std::path::{Path, PathBuf};

use crate::api::{Auth, Endpoint, EndpointError};
use crate::domain::setting::{Choice, Setting};

/// What a run is to talk to.
#[derive(Debug, Clone)]
pub enum Target {
    /// A sandbox in this process, seeded from a snapshot or from the samples.
    Sandbox(Option<PathBuf>),
    /// A service, and where its token comes from. Without a source nothing can be sent.
    Service(Endpoint, Option<Auth>),
}

impl Target {
    /// How a run remembers it.
    pub fn name(&self) -> String {
        match self {
            Self::Sandbox(None) => SANDBOX.to_owned(),
            Self::Sandbox(Some(seed)) => format!("{SANDBOX}={}", seed.to_string_lossy()),
            Self::Service(endpoint, _) => endpoint.to_string(),
        }
    }

    /// Which sort of target it is, in a word that holds nothing of an address or a path.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sandbox(_) => SANDBOX,
            Self::Service(endpoint, _) if *endpoint == Endpoint::official() => "official",
            Self::Service(endpoint, _) if endpoint.is_local() => "loopback",
            Self::Service(..) => "other",
        }
    }

    /// What a run remembers, with a source of tokens where it is a service.
    ///
    /// # Errors
    /// Where it remembers something that is no target of this version.
    pub fn remembered(name: &str, auth: Option<Auth>) -> Result<Self, EndpointError> {
        match name.strip_prefix(SANDBOX) {
            Some("") => Ok(Self::Sandbox(None)),
            Some(rest) if rest.starts_with('=') => Ok(Self::Sandbox(Some(PathBuf::from(&rest[1..])))),
            _ => Ok(Self::Service(Endpoint::parse(name)?, auth)),
        }
    }

    /// The choice of the target that a run remembers; none for the official service.
    pub fn choice(name: &str) -> Option<Choice> {
        match name.strip_prefix(SANDBOX) {
            Some("") => Some(Choice::bare(Setting::Sandbox)),
            Some(seed) => Some(Choice::of(Setting::Sandbox, seed.trim_start_matches('='))),
            None if name == Endpoint::official().as_str() => None,
            None => Some(Choice::of(Setting::Endpoint, name)),
        }
    }

    /// The choice of the target that a run remembers, where nothing but the user's word lets a token go there.
    pub fn choice_to_confirm(name: &str) -> Option<Choice> {
        let endpoint = Endpoint::parse(name).ok().filter(|endpoint| !endpoint.is_local());
        endpoint.and_then(|_| Self::choice(name))
    }

    /// What a run remembers, with another path to what a sandbox is seeded from.
    pub fn moved(name: &str, path: impl Fn(&Path) -> PathBuf) -> String {
        match Self::remembered(name, None) {
            Ok(Self::Sandbox(Some(seed))) => Self::Sandbox(Some(path(&seed))).name(),
            _ => name.to_owned(),
        }
    }

    /// Whether writing to it needs no consent.
    pub fn is_sandbox(&self) -> bool {
        matches!(self, Self::Sandbox(_))
    }
}

/// How a run remembers a sandbox.
pub(super) const SANDBOX: &str = "sandbox";

/// Whether what a run remembers is a sandbox.
pub fn is_sandbox(name: &str) -> bool {
    name.strip_prefix(SANDBOX).is_some_and(|seed| seed.is_empty() || seed.starts_with('='))
}
