//! Secrets by chance: what nobody else can know of a sign-in that has just begun.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::error::SignInError;

/// The number of random bytes in a secret: the length that PKCE recommends (RFC 7636, section 4.1).
const BYTES: usize = 32;

/// Makes a secret of 32 random bytes, in base64 for URLs.
///
/// # Errors
/// Returns [`SignInError::NoChance`] where the system gives none.
pub(super) fn secret() -> Result<SecretString, SignInError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| SignInError::NoChance(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}
