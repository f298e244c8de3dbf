//! `sandbox`: serves a local Partner API to rehearse against.

use std::path::PathBuf;

use super::connection;
use super::environment::Environment;
use super::error::CommandError;
use crate::domain::exit::Exit;
use crate::sandbox::SandboxConfig;

/// The options of `sandbox`.
#[derive(Debug)]
pub struct SandboxOptions {
    /// The snapshot with the referrals at the start; `None` stands for the samples.
    pub seed: Option<PathBuf>,
    /// The port on loopback; 0 lets the system choose.
    pub port: u16,
    /// The sandbox's behaviour.
    pub config: SandboxConfig,
}

/// Serves until the process is interrupted.
///
/// # Errors
/// Returns an error where the seed can't be read or the port is taken.
pub async fn run(options: SandboxOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let sandbox = connection::sandbox(options.seed.as_deref(), options.config, environment)?;
    let failed = |error: std::io::Error| {
        CommandError::could_not_run(format!("cannot serve on 127.0.0.1:{}", options.port))
            .because(error)
            .hint("choose another port, or 0 for any free one")
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    // The address is data: a script that starts a sandbox on any free port reads it here.
    environment.console.data(&format!("http://127.0.0.1:{port}/v1.0\n"));
    environment
        .console
        .say(&format!("serving {} referrals; any bearer token will do", sandbox.referrals().len()));
    environment.console.say("press Ctrl-C to end");
    let stop = environment.stop.clone();
    tokio::select! {
        served = sandbox.serve(listener, async move { stop.wait().await }) => served.map_err(failed)?,
        () = environment.stop.left() => {}
    }
    Ok(Exit::Done)
}
