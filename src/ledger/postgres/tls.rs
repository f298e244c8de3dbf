//! TLS to the database: what this machine trusts, or the certificates that the URL names.

use std::path::Path;

use rustls_tokio_postgres::{MakeRustlsConnect, config_from_ca_cert, config_platform_verifier};

use super::error::PostgresError;

/// Returns what makes TLS connections. Chain and host name of a server's certificate are checked: by what this machine
/// trusts, or by the certificates in a file.
///
/// # Errors
/// Returns an error where the file can't be read, or this machine trusts nothing.
pub(super) fn connector(roots: Option<&Path>) -> Result<MakeRustlsConnect, PostgresError> {
    let config = match roots {
        Some(file) => config_from_ca_cert(file).map_err(|error| error.to_string()),
        None => config_platform_verifier().map_err(|error| error.to_string()),
    };
    config.map(MakeRustlsConnect::new).map_err(|why| PostgresError::NoRoots { why })
}
