//! `referral-bulk.toml` in the current directory: profiles, and the levels of rules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::commands::Trouble;

/// The name of the file.
pub const FILE: &str = "referral-bulk.toml";

/// All that the file can say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[profile.NAME]`; `default` holds where no other is named.
    #[serde(default)]
    pub profile: BTreeMap<String, Profile>,
    /// `[rules]`: a level by the rule's id.
    #[serde(default)]
    pub rules: BTreeMap<String, String>,
}

/// One profile. There is no place for a token.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the flag of its name")]
pub struct Profile {
    pub endpoint: Option<String>,
    pub token_command: Option<String>,
    pub token_file: Option<PathBuf>,
    pub rate: Option<String>,
    pub concurrency: Option<u16>,
    pub timeout: Option<String>,
    pub max_errors: Option<String>,
    pub max_changes: Option<u64>,
}

impl Config {
    /// Reads the file of a directory; one that isn't there says nothing.
    ///
    /// # Errors
    /// Where it can't be read, or says something unknown.
    pub fn read(directory: &Path) -> Result<Self, Trouble> {
        let text = match std::fs::read_to_string(directory.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Trouble::usage(format!("cannot read {FILE}: {error}"))),
        };
        toml::from_str(&text)
            .map_err(|error| Trouble::usage(format!("{FILE}: {}", error.to_string().trim_end())))
    }

    /// The profile of a name; where none is named, the one called `default`, or one that says
    /// nothing.
    ///
    /// # Errors
    /// Where the named one isn't there.
    pub fn profile(&self, name: Option<&str>) -> Result<Profile, Trouble> {
        match (name, self.profile.get(name.unwrap_or("default"))) {
            (_, Some(profile)) => Ok(profile.clone()),
            (None, None) => Ok(Profile::default()),
            (Some(name), None) => {
                let known: Vec<&str> = self.profile.keys().map(String::as_str).collect();
                let hint = match known[..] {
                    [] => format!("{FILE} has no profile: add [profile.{name}]"),
                    _ => format!("{FILE} has: {}", known.join(", ")),
                };
                Err(Trouble::usage(format!("there is no profile \"{name}\"")).hint(hint))
            }
        }
    }
}
