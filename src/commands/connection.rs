//! Connects to what a run talks to: the real service, or a sandbox inside this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::credentials::Credentials;
use super::environment::Environment;
use super::error::CommandError;
use super::next_command::CommandLine;
use super::target::Target;
use crate::api::{AnswerLog, Auth, Client, ClientSettings, Endpoint};
use crate::domain::characters::visible_path;
use crate::domain::exchange::NeededSignIn;
use crate::domain::run_spec::SANDBOX;
use crate::input::{self, GzipError};
use crate::sandbox::{Sandbox, SandboxConfig};

/// Connects to the target of a run. A sandbox is served from a thread of its own until the process ends.
///
/// # Errors
/// Returns an error where there is no token, or the sandbox has no seed or no port.
pub fn connect(
    target: &Target,
    timeout: Duration,
    correlation_id: Uuid,
    environment: &Environment<'_>,
) -> Result<Client, CommandError> {
    connect_logged(target, timeout, correlation_id, None, environment)
}

/// Connects as [`connect`] does; what answers show besides their status and body goes into the log.
///
/// # Errors
/// As [`connect`].
pub fn connect_logged(
    target: &Target,
    timeout: Duration,
    correlation_id: Uuid,
    log: Option<AnswerLog>,
    environment: &Environment<'_>,
) -> Result<Client, CommandError> {
    let (endpoint, auth) = match target {
        Target::Sandbox(seed) => {
            (serve(seed.as_deref(), environment)?, Auth::fixed(SANDBOX.to_owned().into()))
        }
        Target::Service(endpoint, Some(credentials)) => {
            (endpoint.clone(), credentials.auth(endpoint, environment)?)
        }
        Target::Service(endpoint, None) => return Err(without_source(endpoint)),
    };
    let settings = ClientSettings { timeout, correlation_id, clock: environment.clock };
    Client::logged(endpoint, auth, settings, log)
        .map_err(|error| CommandError::could_not_run(error.to_string()))
}

/// Returns the command that signs in again as is needed, where the tokens for a target come from a sign-in.
pub fn sign_in_again(
    target: &Target,
    needed: NeededSignIn,
    environment: &Environment<'_>,
) -> Option<CommandLine> {
    match target {
        Target::Service(endpoint, Some(Credentials::Kept(kept))) => {
            Some(kept.again(endpoint, needed, environment))
        }
        Target::Service(..) | Target::Sandbox(_) => None,
    }
}

/// Describes who is signed in for a target, where its tokens come from a sign-in.
pub fn signed_in(target: &Target, environment: &Environment<'_>) -> Option<String> {
    match target {
        Target::Service(endpoint, Some(Credentials::Kept(kept))) => kept.who(endpoint, environment),
        Target::Service(..) | Target::Sandbox(_) => None,
    }
}

/// Returns the id of the tenant that is signed in to for a target, where its tokens come from a sign-in that told it.
pub fn signed_in_tenant(target: &Target, environment: &Environment<'_>) -> Option<String> {
    match target {
        Target::Service(endpoint, Some(Credentials::Kept(kept))) => kept.tenant(endpoint, environment),
        Target::Service(..) | Target::Sandbox(_) => None,
    }
}

/// Returns why there is no token for a target, where nothing says where one comes from and nobody is signed in.
pub fn nobody_signed_in(target: &Target, environment: &Environment<'_>) -> Option<CommandError> {
    match target {
        Target::Service(endpoint, Some(Credentials::Kept(kept))) => kept.trouble(endpoint, environment),
        Target::Service(endpoint, None) => Some(without_source(endpoint)),
        Target::Service(_, Some(Credentials::Named(_))) | Target::Sandbox(_) => None,
    }
}

fn without_source(endpoint: &Endpoint) -> CommandError {
    CommandError::could_not_run(format!("there is no token for {endpoint}"))
}

/// Returns what to do where no token can be obtained, besides what the reason says. `needed` is the sign-in that would
/// help, where one would; `untouched` says what did not happen.
pub fn about_token(
    target: &Target,
    needed: Option<NeededSignIn>,
    untouched: &str,
    environment: &Environment<'_>,
) -> String {
    match (target, needed.and_then(|needed| sign_in_again(target, needed, environment))) {
        (_, Some(again)) => format!("{untouched}; sign in again: {again}"),
        (Target::Service(_, Some(Credentials::Kept(_))), None) => untouched.to_owned(),
        (_, None) => format!("check where the token comes from; {untouched}"),
    }
}

/// Makes a sandbox from a snapshot file, or from the samples.
///
/// # Errors
/// Returns an error where the file can't be read, or holds anything else than referrals.
pub fn sandbox(
    seed: Option<&Path>,
    config: SandboxConfig,
    environment: &Environment<'_>,
) -> Result<Sandbox, CommandError> {
    let clock = Arc::new(environment.clock);
    let Some(path) = seed else { return Ok(Sandbox::with_samples(config, clock)) };
    let text = input::read_text(path).map_err(|error| {
        let remedy = GzipError::of(&error).map(GzipError::remedy);
        let trouble =
            CommandError::could_not_run(format!("cannot read {}", visible_path(path))).because(error);
        remedy.into_iter().fold(trouble, CommandError::hint)
    })?;
    Sandbox::from_text(&text, config, clock).map_err(|error| {
        CommandError::could_not_run(visible_path(path))
            .because(error)
            .hint("a sandbox is seeded from referrals: JSONL, a JSON array, or a list page")
    })
}

fn serve(seed: Option<&Path>, environment: &Environment<'_>) -> Result<Endpoint, CommandError> {
    // The sandbox can be strict, because only this program's own client sends requests to it.
    let config = SandboxConfig { strict: true, ..SandboxConfig::default() };
    let sandbox = sandbox(seed, config, environment)?;
    let failed =
        |error: std::io::Error| CommandError::could_not_run("the sandbox cannot be served").because(error);
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    std::thread::Builder::new()
        .name("sandbox".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                // A sandbox that can't accept connections any more shows as a failed request.
                if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                    let _ = sandbox.serve(listener, std::future::pending()).await;
                }
            });
        })
        .map_err(failed)?;
    Endpoint::parse(&format!("http://127.0.0.1:{port}/v1.0"))
        .map_err(|error| CommandError::could_not_run(error.to_string()))
}
