//! The settings file, `referral-bulk.toml` in the current directory: profiles, and the levels of rules.
//!
//! The file can name a program that prints a token, one that is told of every run's end, and the host that the token is
//! sent to. So it is read only if it belongs to the user or root and nobody else can write it, and messages show none of its values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::key_lines::KeyLines;
use super::origin::{FILE, Origin, Table};
use crate::commands::{CommandError, ErrorKind, Problem};
use crate::domain::characters::visible;
use crate::domain::likeness::nearest_of;
use crate::secrets::CommandText;

/// The name of the profile that is used unless another is named.
pub const DEFAULT_PROFILE: &str = "default";

/// The content of the settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The profiles, `[profile.NAME]`; `default` is used unless another is named.
    #[serde(default)]
    pub profile: BTreeMap<String, Profile>,
    /// The levels of rules, `[rules]`, by the rule's id.
    #[serde(default)]
    pub rules: BTreeMap<String, String>,
    /// What columns of somebody else's files mean, `[columns]`, by the column's name.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// The reasons that Partner Center's files give as numbers, `[portal-reasons]`, by the number.
    #[serde(default, rename = "portal-reasons")]
    pub portal_reasons: BTreeMap<String, String>,
    /// Whether there is such a file.
    #[serde(skip)]
    pub is_there: bool,
    /// On which line each key stands.
    #[serde(skip)]
    pub lines: KeyLines,
}

/// A profile. It has no key for a token, so that none is kept in the file.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the flag of its name")]
pub struct Profile {
    pub endpoint: Option<String>,
    pub token_command: Option<CommandText>,
    pub token_file: Option<PathBuf>,
    pub tenant: Option<String>,
    pub client_id: Option<String>,
    pub client_secret_file: Option<PathBuf>,
    pub authority: Option<String>,
    pub scope: Option<String>,
    pub store: Option<String>,
    pub ledger: Option<String>,
    pub ledger_password_command: Option<CommandText>,
    pub rate: Option<String>,
    pub concurrency: Option<u64>,
    pub timeout: Option<String>,
    pub max_errors: Option<String>,
    pub max_changes: Option<u64>,
    pub require_approval: Option<bool>,
    pub on_finish: Option<String>,
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

/// The tables that a command takes for planning, besides its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TablesForPlanning {
    /// None: it doesn't plan, or has all of that on record.
    None,
    /// The levels of rules.
    Rules,
    /// Those, and what columns and numbers of reasons mean.
    RulesAndColumns,
}

impl Config {
    /// Reads the settings file of a directory; a missing one counts as empty. `user` is the user id of the process.
    ///
    /// # Errors
    /// If it cannot be read, can be written by another user, or has an unknown key or an invalid value.
    pub fn read(directory: &Path, user: Option<u32>) -> Result<Self, CommandError> {
        let unreadable =
            |error: std::io::Error| CommandError::usage(format!("cannot read {FILE}")).because(error);
        let mut file = match File::open(directory.join(FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
        };
        trust(&file.metadata().map_err(unreadable)?, user)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        let config: Self = toml::from_str(&text).map_err(|error| parse_error(&text, &error))?;
        Ok(Self { is_there: true, lines: KeyLines::of(&text), ..config })
    }

    /// Returns a key in a table as the origin of its value.
    pub fn origin<'a>(&self, table: Table<'a>, key: &'a str) -> Origin<'a> {
        Origin::Key { table, key, line: self.lines.line(table, key) }
    }

    /// Returns the profile of a name. If none is named, that is `default`, or an empty one if there is no `default`.
    ///
    /// # Errors
    /// If there is no profile of the name.
    pub fn profile(&self, name: Option<&str>) -> Result<Profile, CommandError> {
        match (name, self.profile.get(name.unwrap_or(DEFAULT_PROFILE))) {
            (_, Some(profile)) => Ok(profile.clone()),
            (None, None) => Ok(Profile::default()),
            (Some(name), None) => {
                let known: Vec<&str> = self.profile.keys().map(String::as_str).collect();
                let hint = match known[..] {
                    [] => format!("{FILE} has no profile: add [profile.{name}]"),
                    _ => format!("{FILE} has: {}", known.join(", ")),
                };
                Err(CommandError::usage(format!("there is no profile \"{name}\"")).hint(hint))
            }
        }
    }
}

impl Config {
    /// Returns the message that the file is used and which tables of it, by a command with this profile, or `default`,
    /// and with what planning takes from it. `None` if the command takes nothing from the file.
    pub fn used(&self, profile: Option<&str>, planning: TablesForPlanning) -> Option<String> {
        let profile = profile.unwrap_or(DEFAULT_PROFILE);
        let profile = self.profile.contains_key(profile).then(|| format!("[profile.{}]", visible(profile)));
        let plans = planning != TablesForPlanning::None;
        let rules = (plans && !self.rules.is_empty()).then(|| "[rules]".to_owned());
        let reads = planning == TablesForPlanning::RulesAndColumns;
        let columns = (reads && !self.columns.is_empty()).then(|| "[columns]".to_owned());
        let reasons = (reads && !self.portal_reasons.is_empty()).then(|| "[portal-reasons]".to_owned());
        let tables: Vec<String> = profile.into_iter().chain(rules).chain(columns).chain(reasons).collect();
        let used = || format!("{FILE} of the current directory is used: {}", tables.join(", "));
        (!tables.is_empty()).then(used)
    }
}

/// Checks that only the user or root can have written the file: it names programs that are run, and the host that the
/// token goes to. In a directory that others can write to, the file may be theirs.
#[cfg(unix)]
fn trust(file: &Metadata, user: Option<u32>) -> Result<(), CommandError> {
    use std::os::unix::fs::MetadataExt;
    user.map_or(Ok(()), |user| trust_owner(file.uid(), file.mode(), user))
}

#[cfg(not(unix))]
fn trust(_: &Metadata, _: Option<u32>) -> Result<(), CommandError> {
    Ok(())
}

/// Checks the file's owner and mode.
#[cfg(unix)]
fn trust_owner(owner: u32, mode: u32, user: u32) -> Result<(), CommandError> {
    if owner != user && owner != 0 {
        let what = format!("{FILE} of the current directory belongs to another user (number {owner})");
        return Err(CommandError::usage(what)
            .hint("check what it says, and copy it to make it your own; or work in another directory"));
    }
    if mode & 0o022 != 0 {
        let what =
            format!("{FILE} of the current directory can be written by others (mode {:03o})", mode & 0o777);
        return Err(CommandError::usage(what).hint(format!("check what it says, then: chmod go-w {FILE}")));
    }
    Ok(())
}

/// The hint for a key that looks like a token.
const TOKEN_HINT: &str = "there is no place for a token: use token-command or token-file, or the environment's \
                          PARTNER_CENTER_TOKEN";

/// The hint for a key that looks like a secret.
const SECRET_HINT: &str = "there is no place for a secret: use client-secret-file, or the environment's \
                           REFERRAL_BULK_CLIENT_SECRET";

/// The hint for a value of the wrong type.
const FORM_HINT: &str = "write texts in quotes and numbers without, below [profile.NAME], as in timeout = \"30s\" and \
                         concurrency = 4";

/// Makes the error about the file's text, with the place. It shows no text of the file other than names of keys: a
/// token may stand in it by mistake.
fn parse_error(text: &str, error: &toml::de::Error) -> CommandError {
    let message = error.message();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let hint = match unknown {
        Some(key) if is_token(key) => Some(TOKEN_HINT.to_owned()),
        Some(key) if is_secret(key) => Some(SECRET_HINT.to_owned()),
        // Above every table, where a profile's keys are unknown.
        Some(key) if message.contains("`profile`") && is_of_profile(key) => {
            Some(format!("write it below [profile.{DEFAULT_PROFILE}], or below another profile"))
        }
        Some(key) => nearest_key(key, message).map(|known| format!("did you mean {known}?")),
        None => (without_value(message) != message).then(|| FORM_HINT.to_owned()),
    };
    let problem = Problem {
        place: error.span().map(|span| place(text, span.start)),
        hints: hint.into_iter().map(Into::into).collect(),
        ..Problem::new(format!("{FILE}: {}", without_value(message)))
    };
    CommandError::of(ErrorKind::Usage, vec![problem])
}

/// Whether a profile has this key, whatever its values look like.
fn is_of_profile(key: &str) -> bool {
    let read: Result<Profile, _> = toml::from_str(&format!("{key:?} = 1"));
    read.map_or_else(|error| !error.message().starts_with("unknown field"), |_| true)
}

/// Returns the known key that an unknown one was probably meant to be, of those that the parser's message lists.
fn nearest_key<'m>(key: &str, message: &'m str) -> Option<&'m str> {
    let listed = message.split("expected").last()?;
    nearest_of(key, listed.split('`').skip(1).step_by(2))
}

/// Removes from a parser's message the value that it may repeat.
fn without_value(message: &str) -> Cow<'_, str> {
    let repeats = ["invalid type: ", "invalid value: ", "invalid length: "];
    if !repeats.iter().any(|start| message.starts_with(start)) {
        return Cow::Borrowed(message);
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => Cow::Owned(format!("a value that does not fit here, expected {expected}")),
        None => Cow::Borrowed("a value that does not fit here"),
    }
}

/// Returns the place of a byte offset, as in `referral-bulk.toml:2:9`, both counted from 1.
fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.matches('\n').count() + 1;
    format!("{FILE}:{line}:{}", before[line_start..].chars().count() + 1)
}

/// Whether a key is a usual name for a token.
fn is_token(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    matches!(key.as_str(), "token" | "access-token" | "bearer-token" | "bearer")
}

/// Whether a key is a usual name for the secret of an app registration.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    matches!(key.as_str(), "secret" | "client-secret" | "app-secret" | "password")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a file: message, place and hint.
    fn told(file: &str) -> (String, String, String) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), file).unwrap();
        let mut trouble = Config::read(dir.path(), None).unwrap_err();
        assert_eq!((trouble.kind, trouble.problems.len()), (ErrorKind::Usage, 1));
        let problem = trouble.problems.remove(0);
        let hints = problem.hints.iter().map(|hint| hint.as_str()).collect();
        (problem.message, problem.place.unwrap_or_default(), hints)
    }

    #[test]
    fn no_value_of_the_file_is_shown() {
        for (file, place, wanted) in [
            ("[profile.default]\ntoken = \"S3CRET\"\n", "2:1", "unknown field `token`, expected "),
            ("# é\r\ntoken = 'S3CRET'", "2:1", "unknown field `token`, expected "),
            ("[profile.default]\nsecret = \"S3CRET\"", "2:1", "unknown field `secret`, expected "),
            ("[profile]\ntoken = \"S3CRET\"", "2:9", "a value that does not fit here, expected "),
            ("[profile.default]\nconcurrency = \"S3CRET, expected S3CRET\"", "2:15", "a value that "),
            ("[profile.default]\nmax-changes = -53", "2:15", "a value that does not fit here, expected u64"),
            ("[profile.default]\nrate = [\"S3CRET\"]", "2:8", "a value that does not fit here, expected "),
            ("rules = \"S3CRET\"", "1:9", "a value that does not fit here, expected a map"),
            ("[profile.default]\ntoken-file = S3CRET", "2:14", ""),
            ("[profile.default]\ntoken-file = \"S3CRET", "2:", ""),
            ("[profile.default]\n\"S3CRET", "2:", ""),
            ("[profile.default]\nrate = \"1/s\"\nrate = \"S3CRET\"", "3:1", "duplicate key"),
        ] {
            let (message, at, hint) = told(file);
            assert!(message.starts_with(&format!("{FILE}: {wanted}")), "{file}: {message}");
            assert!(at.starts_with(&format!("{FILE}:{place}")), "{file}: {at}");
            for shown in [&message, &hint] {
                assert!(!shown.contains("S3CRET") && !shown.contains("53"), "{file}: {shown}");
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_file_is_the_users_own_or_it_is_refused() {
        for (owner, mode, wanted) in [
            (7, 0o100_600, None),
            (7, 0o100_644, None),
            (0, 0o100_644, None),
            (8, 0o100_600, Some("belongs to another user (number 8)")),
            (8, 0o100_666, Some("belongs to another user (number 8)")),
            (7, 0o100_664, Some("can be written by others (mode 664)")),
            (7, 0o100_602, Some("can be written by others (mode 602)")),
            (0, 0o100_666, Some("can be written by others (mode 666)")),
        ] {
            let told = trust_owner(owner, mode, 7).err().map(|trouble| trouble.problems[0].message.clone());
            let wanted = wanted.map(|why| format!("{FILE} of the current directory {why}"));
            assert_eq!(told, wanted, "{owner} {mode:o}");
        }
    }

    #[test]
    fn what_is_used_of_the_file_is_told() {
        use TablesForPlanning::{Rules, RulesAndColumns};
        const BOTH: &str = "[profile.default]\nrate = \"1/s\"\n[profile.big]\n[rules]\nstale = \"warn\"\n";
        for (file, profile, planning, wanted) in [
            ("", None, Rules, None),
            (BOTH, None, Rules, Some("[profile.default], [rules]")),
            (BOTH, None, TablesForPlanning::None, Some("[profile.default]")),
            (BOTH, Some("big"), Rules, Some("[profile.big], [rules]")),
            (BOTH, Some("default"), TablesForPlanning::None, Some("[profile.default]")),
            ("[portal-reasons]\n2 = \"x\"", None, Rules, None),
            ("[portal-reasons]\n2 = \"x\"", None, RulesAndColumns, Some("[portal-reasons]")),
            ("[columns]\na = \"id\"", None, Rules, None),
            ("[columns]\na = \"id\"", None, RulesAndColumns, Some("[columns]")),
            ("[profile.big]", None, Rules, None),
            ("[profile]\n[rules]", None, Rules, None),
            ("[rules]\nstale = \"warn\"", None, Rules, Some("[rules]")),
            ("[rules]\nstale = \"warn\"", None, TablesForPlanning::None, None),
            ("[profile.\"a\\u001b\"]", Some("a\u{1b}"), Rules, Some("[profile.a\u{fffd}]")),
        ] {
            let config: Config = toml::from_str(file).unwrap();
            let wanted = wanted.map(|what| format!("{FILE} of the current directory is used: {what}"));
            assert_eq!(config.used(profile, planning), wanted, "{file} {profile:?} {planning:?}");
        }
    }

    #[test]
    fn debug_shows_no_token_command() {
        use clap::Parser;
        let config: Config = toml::from_str("[profile.default]\ntoken-command = 'echo S3CRET'").unwrap();
        let typed = ["referral-bulk", "apply", "a.csv", "--token-command", "echo S3CRET"];
        let typed = super::super::args::Cli::try_parse_from(typed).unwrap();
        let shown = format!("{config:?} {typed:?}");
        assert!(shown.contains("a.csv") && !shown.contains("S3CRET"), "{shown}");
    }

    #[test]
    fn a_key_above_every_table_is_told_where_it_belongs() {
        for (file, wanted) in [
            ("client-id = 'x'", "write it below [profile.default], or below another profile"),
            ("rate = 'x'", "write it below [profile.default], or below another profile"),
            ("frobnicate = 'x'", ""),
            ("profiles = 'x'", "did you mean profile?"),
            ("[profile.default]\nclient_id = 'x'", "did you mean client-id?"),
        ] {
            assert_eq!(told(file).2, wanted, "{file}");
        }
    }

    #[test]
    fn a_token_is_told_where_it_belongs() {
        for (key, is_told) in [
            ("token", true),
            ("Token", true),
            ("access_token", true),
            ("token_command", false),
            ("tokens-file", false),
            ("endpoints", false),
        ] {
            let (.., hint) = told(&format!("[profile.default]\n{key} = \"x\"\n"));
            assert_eq!(hint.contains("PARTNER_CENTER_TOKEN"), is_told, "{key}: {hint}");
        }
    }
}
