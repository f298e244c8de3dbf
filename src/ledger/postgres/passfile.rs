//! The password file of PostgreSQL's own programs: `~/.pgpass`, or the one that `PGPASSFILE` names.
//!
//! A line is `host:port:database:user:password`. `*` stands for anything, a backslash takes the meaning from a colon or
//! a backslash, and the first line that fits counts. As there, a file that others can read isn't read.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::domain::characters::visible_path;

/// The directories in which PostgreSQL looks for its sockets by itself. The file calls them `localhost`.
const SOCKET_DIRECTORIES: [&str; 3] = ["/run/postgresql", "/var/run/postgresql", "/tmp"];

/// The connection that a password is looked for.
#[derive(Debug, Clone)]
pub(super) struct Asked<'a> {
    /// The name of the server, or the directory of its socket.
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// A file that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    file: PathBuf,
    why: String,
}

impl fmt::Display for Ignored {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} is passed over: {}", visible_path(&self.file), self.why)
    }
}

/// Returns the password for a connection; `None` where there is no file, or no line of it fits.
///
/// # Errors
/// Returns why the file is passed over.
pub(super) fn look_up(path: &Path, asked: &Asked<'_>) -> Result<Option<SecretString>, Ignored> {
    let ignored = |why: String| Ignored { file: path.to_owned(), why };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ignored(format!("it cannot be read ({error})"))),
    };
    let about = file.metadata().map_err(|error| ignored(format!("it cannot be examined ({error})")))?;
    trust(&about).map_err(ignored)?;
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    let text = SecretString::from(text);
    read.map_err(|error| ignored(format!("it cannot be read ({error})")))?;
    Ok(text.expose_secret().lines().find_map(|line| password(line, asked)))
}

/// Makes sure that it is a file, and its owner's alone.
fn trust(file: &Metadata) -> Result<(), String> {
    if !file.is_file() {
        return Err("it is no plain file".to_owned());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = file.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(format!("others can read or write it (mode {mode:03o}); chmod 600 keeps it yours"));
        }
    }
    Ok(())
}

/// Returns the password of a line, where the line fits.
fn password(line: &str, asked: &Asked<'_>) -> Option<SecretString> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.starts_with('#') {
        return None;
    }
    let host = if SOCKET_DIRECTORIES.contains(&asked.host) { "localhost" } else { asked.host };
    let mut rest = line;
    for wanted in [host, &asked.port.to_string(), asked.database, asked.user] {
        let (field, behind) = field(rest);
        // An asterisk that a backslash stands before is one.
        let fits = rest.starts_with("*:") || field == wanted;
        rest = behind.filter(|_| fits)?;
    }
    Some(field(rest).0.into()).filter(|password: &SecretString| !password.expose_secret().is_empty())
}

/// Splits at the next colon that has no backslash before it. Returns the text before it without its backslashes, and
/// what follows, where there is such a colon.
fn field(text: &str) -> (String, Option<&str>) {
    let (mut field, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            ':' => return (field, Some(&text[at + 1..])),
            '\\' => field.push(characters.next().map_or('\\', |(_, taken)| taken)),
            _ => field.push(character),
        }
    }
    (field, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked { host: "db.example", port: 5432, database: "referrals", user: "ada" };

    #[test]
    fn a_line_fits_as_in_postgresqls_programs() {
        for (line, asked, wanted) in [
            ("db.example:5432:referrals:ada:s3cret", ASKED, Some("s3cret")),
            ("*:*:*:*:s3cret", ASKED, Some("s3cret")),
            ("*:*:*:ada:s3\\:cr\\\\et", ASKED, Some("s3:cr\\et")),
            ("*:*:*:ada:s3cret:behind", ASKED, Some("s3cret")),
            ("*:*:*:ada:s3cret\r", ASKED, Some("s3cret")),
            ("*:*:*:ada: s3 cret ", ASKED, Some(" s3 cret ")),
            ("#*:*:*:ada:s3cret", ASKED, None),
            ("other:*:*:ada:s3cret", ASKED, None),
            ("*:5433:*:ada:s3cret", ASKED, None),
            ("*:*:other:ada:s3cret", ASKED, None),
            ("*:*:*:dana:s3cret", ASKED, None),
            ("*:*:*:ada:", ASKED, None),
            ("*:*:*:ada", ASKED, None),
            ("\\*:*:*:*:s3cret", ASKED, None),
            ("\\*:*:*:*:s3cret", Asked { host: "*", ..ASKED }, Some("s3cret")),
            ("a\\:b:*:*:*:s3cret", Asked { host: "a:b", ..ASKED }, Some("s3cret")),
            ("localhost:*:*:*:s3cret", Asked { host: "/run/postgresql", ..ASKED }, Some("s3cret")),
            ("localhost:*:*:*:s3cret", Asked { host: "/run/other", ..ASKED }, None),
            ("/run/other:*:*:*:s3cret", Asked { host: "/run/other", ..ASKED }, Some("s3cret")),
            ("", ASKED, None),
        ] {
            let found = password(line, &asked);
            let found = found.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(found, wanted, "{line} for {asked:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_others_can_read_is_passed_over() {
        use std::fs::{self, Permissions};
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pgpass");
        let found = |path: &Path| match look_up(path, &ASKED) {
            Ok(password) => Ok(password.map(|password| password.expose_secret().to_owned())),
            Err(ignored) => Err(ignored.why),
        };
        assert_eq!(found(&file), Ok(None));
        fs::write(&file, "# kept\nother:*:*:*:no\n*:*:*:ada:s3cret\n*:*:*:ada:later\n").unwrap();
        for (mode, wanted) in [
            (0o600, Ok(Some("s3cret".to_owned()))),
            (0o400, Ok(Some("s3cret".to_owned()))),
            (0o640, Err("others can read or write it (mode 640); chmod 600 keeps it yours".to_owned())),
            (0o604, Err("others can read or write it (mode 604); chmod 600 keeps it yours".to_owned())),
        ] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(found(&file), wanted, "{mode:o}");
        }
        assert_eq!(found(dir.path()), Err("it is no plain file".to_owned()));
    }
}
