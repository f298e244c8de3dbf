//! Shows the page of a run in a browser, which is started by whatever opens files on this system.
//!
//! Whether one opened can't be known: launchers succeed having opened nothing. So the file is always named too, and it is
//! no error where none can be started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::signing_in::CLIENT_SECRET;
use super::sources::TOKEN;
use crate::api;
use crate::commands::{Console, PAGE_FILE};
use crate::domain::characters::visible_path;

/// A page that is to be shown.
#[derive(Debug)]
pub struct PageOpener {
    page: PathBuf,
    /// Whether a browser that is started here is likely to be seen.
    is_likely: bool,
}

impl PageOpener {
    /// Makes the opener of a run's page.
    pub fn of(run: &Path, variables: &BTreeMap<String, String>) -> Self {
        Self { page: run.join(PAGE_FILE), is_likely: api::is_browser_likely(variables) }
    }

    /// Starts a browser, without waiting for it to end.
    pub fn open(&self, console: &dyn Console) {
        let page = visible_path(&self.page);
        // Whatever the run is called, no program takes the path for an option.
        let found = self.page.canonicalize().unwrap_or_else(|_| self.page.clone());
        if !self.is_likely {
            console.say(&format!("note: no browser can be shown here: open {page} where there is one"));
        } else if open::commands(found).into_iter().any(starts) {
            console.say(&format!("note: showing {page} in a browser"));
        } else {
            console.say(&format!("warning: nothing that opens {page} can be started: open it by hand"));
        }
    }
}

/// Whether a program can be started. It gets none of the secrets of this one.
fn starts(mut program: Command) -> bool {
    program.env_remove(TOKEN).env_remove(CLIENT_SECRET);
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok()
}
