//! The service that a run talks to: the real one, or a sandbox inside this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{CommandError, Environment};
use crate::api::{Auth, Client, Endpoint, Settings};
use crate::domain::characters::visible_path;
use crate::report::quoted;
use crate::sandbox::{Config, Sandbox};

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

    /// What a run remembers, with a source of tokens where it is a service.
    ///
    /// # Errors
    /// Where it remembers something that is no target of this version.
    pub fn remembered(name: &str, auth: Option<Auth>) -> Result<Self, CommandError> {
        match name.strip_prefix(SANDBOX) {
            Some("") => Ok(Self::Sandbox(None)),
            Some(rest) if rest.starts_with('=') => Ok(Self::Sandbox(Some(PathBuf::from(&rest[1..])))),
            _ => match Endpoint::parse(name) {
                Ok(endpoint) => Ok(Self::Service(endpoint, auth)),
                Err(error) => {
                    Err(CommandError::could_not_run(format!("the run was planned for {name}: {error}")))
                }
            },
        }
    }

    /// The flags that name the target a run remembers; none for the official service.
    pub fn flags(name: &str) -> Option<String> {
        match name.strip_prefix(SANDBOX) {
            Some("") => Some("--sandbox".to_owned()),
            Some(seed) => Some(format!("--sandbox={}", quoted(seed.trim_start_matches('=')))),
            None if name == Endpoint::official().as_str() => None,
            None => Some(format!("--endpoint {}", quoted(name))),
        }
    }

    /// The flag that names the target a run remembers, where nothing but the user's word lets a token go there.
    pub fn to_name(name: &str) -> Option<String> {
        let endpoint = Endpoint::parse(name).ok().filter(|endpoint| !endpoint.is_local());
        endpoint.and_then(|_| Self::flags(name))
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

const SANDBOX: &str = "sandbox";

/// Whether what a run remembers is a sandbox.
pub fn is_sandbox(name: &str) -> bool {
    name.strip_prefix(SANDBOX).is_some_and(|seed| seed.is_empty() || seed.starts_with('='))
}

/// Connects. A sandbox is served from a thread of its own until the process ends.
///
/// # Errors
/// Where there is no token, or the sandbox has no seed or no port.
pub fn connect(
    target: &Target,
    timeout: Duration,
    correlation_id: Uuid,
    environment: &Environment<'_>,
) -> Result<Client, CommandError> {
    let (endpoint, auth) = match target {
        Target::Sandbox(seed) => {
            (serve(seed.as_deref(), environment)?, Auth::fixed(SANDBOX.to_owned().into()))
        }
        Target::Service(endpoint, Some(auth)) => (endpoint.clone(), auth.clone()),
        Target::Service(endpoint, None) => {
            return Err(CommandError::could_not_run(format!("there is no token for {endpoint}"))
                .hint("set PARTNER_CENTER_TOKEN, or name a source with --token-command or --token-file"));
        }
    };
    let settings = Settings { timeout, correlation_id, clock: environment.clock };
    Client::new(endpoint, auth, settings).map_err(|error| CommandError::could_not_run(error.to_string()))
}

/// Makes a sandbox from a snapshot file, or from the samples.
///
/// # Errors
/// Where the file can't be read, or holds something else than referrals.
pub fn sandbox(
    seed: Option<&Path>,
    config: Config,
    environment: &Environment<'_>,
) -> Result<Sandbox, CommandError> {
    let clock = Arc::new(environment.clock);
    let Some(path) = seed else { return Ok(Sandbox::with_samples(config, clock)) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        CommandError::could_not_run(format!("cannot read {}: {error}", visible_path(path)))
    })?;
    Sandbox::from_text(&text, config, clock).map_err(|error| {
        CommandError::could_not_run(format!("{}: {error}", visible_path(path)))
            .hint("a sandbox is seeded from referrals: JSONL, a JSON array, or a list page")
    })
}

fn serve(seed: Option<&Path>, environment: &Environment<'_>) -> Result<Endpoint, CommandError> {
    // It is this program's own client that asks.
    let config = Config { strict: true, ..Config::default() };
    let sandbox = sandbox(seed, config, environment)?;
    let failed =
        |error: std::io::Error| CommandError::could_not_run(format!("the sandbox cannot be served: {error}"));
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    std::thread::Builder::new()
        .name("sandbox".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                // A sandbox that can't accept any more shows itself as a failed request.
                if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                    let _ = sandbox.serve(listener, std::future::pending()).await;
                }
            });
        })
        .map_err(failed)?;
    Endpoint::parse(&format!("http://127.0.0.1:{port}/v1.0"))
        .map_err(|error| CommandError::could_not_run(error.to_string()))
}
