//! The directory in which the program keeps, for one user, what outlives a run: where somebody is signed in, and
//! what was learnt of a service.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The name of the directory among those of other programs.
const NAME: &str = "referral-bulk";

/// Returns the user's directory; `None` where the environment doesn't tell where the user's files are.
///
/// On Unix it is `$XDG_STATE_HOME/referral-bulk`, or `~/.local/state/referral-bulk`, as the XDG Base Directory
/// Specification has it; a relative path counts as none. On macOS it is `~/Library/Application
/// Support/referral-bulk`, on Windows `%LOCALAPPDATA%\referral-bulk`.
pub fn state_dir(variables: &BTreeMap<String, String>) -> Option<PathBuf> {
    let absolute =
        |name: &str| variables.get(name).map(PathBuf::from).filter(|directory| directory.is_absolute());
    let home = |below: &str| absolute("HOME").map(|home| home.join(below));
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else {
        let system = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/state" };
        absolute("XDG_STATE_HOME").or_else(|| home(system))
    };
    base.map(|base| base.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn the_directory_is_the_users() {
        for (variables, wanted) in [
            (&[("HOME", "/home/ada")][..], Some("/home/ada/.local/state/referral-bulk")),
            (&[("HOME", "/home/ada"), ("XDG_STATE_HOME", "/s")], Some("/s/referral-bulk")),
            (&[("HOME", "/home/ada"), ("XDG_STATE_HOME", "")], Some("/home/ada/.local/state/referral-bulk")),
            (&[("HOME", "/home/ada"), ("XDG_STATE_HOME", "s")], Some("/home/ada/.local/state/referral-bulk")),
            (&[("XDG_STATE_HOME", "/s")], Some("/s/referral-bulk")),
            (&[("HOME", "ada")], None),
            (&[], None),
        ] {
            let variables =
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(state_dir(&variables), wanted.map(PathBuf::from), "{variables:?}");
        }
    }
}
