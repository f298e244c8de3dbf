//! How the bytes that a program or a file gives become text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use secrecy::SecretString;

use super::kind::SecretKind;
use crate::domain::wording::Wording;

/// The most bytes that are read of a secret: more than any token with the JSON around it has.
pub const LONGEST: u64 = 64 * 1024;

/// Reads the bytes of a secret as text. `name` is what they are called in a sentence.
///
/// # Errors
/// Returns a message where they are too many, or no text.
pub fn secret(bytes: Vec<u8>, name: &str, kind: SecretKind) -> Result<SecretString, Wording> {
    if bytes.len() as u64 > LONGEST {
        return Err(format!("{name} is longer than any {}", kind.name()).into());
    }
    let text = match Encoding::for_bom(&bytes) {
        // PowerShell writes files in UTF-16.
        Some((encoding, mark)) if encoding != UTF_8 => {
            let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
            text.map(Cow::into_owned).ok_or_else(|| format!("{name} is no {}", encoding.name()))
        }
        _ => String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8")),
    };
    text.map(SecretString::from).map_err(Wording::from)
}
