//! Tokens from outside of this program: how a token file and the output of a token command are read.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use encoding_rs::{Encoding, UTF_8};
use secrecy::SecretString;
use tokio::io::AsyncReadExt;

use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// The most bytes that are read from a source: more than any token with the JSON around it has.
const LONGEST: u64 = 64 * 1024;
/// The longest time that a token command may take. One that takes longer is probably waiting for input.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);
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
    secret(bytes, "the token file")
}

/// Runs a token command. Its standard error is dropped: a command that fails may print secrets there.
pub(super) async fn run(program: &str, arguments: &[String]) -> Result<SecretString, Wording> {
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            let unstarted = format!("the token command cannot be started ({error}): check ");
            Wording::from(unstarted).name(Setting::TokenCommand)
        })?;
    let output = child.stdout.take().expect("standard output is a pipe");
    let finish = async {
        let mut bytes = Vec::new();
        output.take(LONGEST + 1).read_to_end(&mut bytes).await?;
        // The end of a command that prints too much is not awaited, since it may never come: its output is
        // refused in any case.
        if bytes.len() as u64 > LONGEST {
            return Ok((bytes, None));
        }
        Ok((bytes, Some(child.wait().await?)))
    };
    let (bytes, status) = tokio::time::timeout(COMMAND_TIMEOUT, finish)
        .await
        .map_err(|_| format!("the token command did not end within {COMMAND_TIMEOUT:?}: it must not ask"))?
        .map_err(|error: std::io::Error| format!("the token command was lost ({error})"))?;
    match status {
        Some(status) if !status.success() => {
            Err(format!("the token command failed ({status}): run it by itself to see why").into())
        }
        _ => secret(bytes, "the output of the token command"),
    }
}

fn secret(bytes: Vec<u8>, name: &str) -> Result<SecretString, Wording> {
    if bytes.len() as u64 > LONGEST {
        return Err(format!("{name} is longer than any token").into());
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
