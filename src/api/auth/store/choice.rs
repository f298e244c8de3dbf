//! Where the user wants a sign-in kept, and where it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the user wants a sign-in kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreChoice {
    /// In the system's keyring, and where there is none in a file.
    #[default]
    Auto,
    /// In the system's keyring, or not at all.
    Keyring,
    /// In a file that its owner alone can read.
    File,
    /// Nowhere.
    None,
}

/// The reason why a text chooses no store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sign-in is kept by \"auto\", \"keyring\" or \"file\", or by \"none\" not at all")]
pub struct StoreChoiceError;

impl StoreChoice {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Keyring, Self::File, Self::None];

    /// Reads a choice by its name.
    ///
    /// # Errors
    /// Returns an error where there is none of this name.
    pub fn parse(text: &str) -> Result<Self, StoreChoiceError> {
        Self::ALL.into_iter().find(|choice| choice.name() == text).ok_or(StoreChoiceError)
    }

    /// Returns the name, as the settings file spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Keyring => "keyring",
            Self::File => "file",
            Self::None => "none",
        }
    }
}

impl fmt::Display for StoreChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Where a refresh token lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// In the system's keyring.
    Keyring,
    /// In a file beside the record.
    File,
}

impl fmt::Display for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Keyring => "the system's keyring",
            Self::File => "a file that you alone can read",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_read_by_its_name() {
        for choice in StoreChoice::ALL {
            assert_eq!(StoreChoice::parse(choice.name()), Ok(choice));
            assert_eq!(serde_json::to_string(&choice).unwrap(), format!("\"{choice}\""));
        }
        for text in ["", "Auto", "keychain", " file"] {
            assert_eq!(StoreChoice::parse(text), Err(StoreChoiceError), "{text}");
        }
    }
}
