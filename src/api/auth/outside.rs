//! Tokens from outside of this program: how a token file is read.

use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::domain::setting::Setting;
use crate::domain::wording::Wording;
use crate::secrets::{LONGEST, SecretKind, secret};

/// Reads a token file. It may be a pipe, so it is read on a thread that may block.
pub(super) async fn read(path: PathBuf) -> Result<SecretString, Wording> {
    fn text(path: &Path) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
    let bytes = tokio::task::spawn_blocking(move || text(&path))
        .await
        .map_err(|_| Wording::from("the token file was not read to its end"))?
        .map_err(|error| {
            let unread = format!("the token file cannot be read ({error}): check ");
            Wording::from(unread).name(Setting::TokenFile)
        })?;
    secret(bytes, "the token file", SecretKind::Token)
}
