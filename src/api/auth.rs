//! The source of the bearer token, and when another token is fetched from it.
//!
//! What always holds:
//! - A token is held in a [`SecretString`] or in a header marked as sensitive, and nowhere else.
//! - The output of a token command is never shown.
//! - However many requests meet a refused token, or one that is about to expire, one new token is fetched.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use encoding_rs::{Encoding, UTF_8};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::info;

use self::token::Issued;
pub(super) use self::token::Token;
use crate::domain::exchange::Failure;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

mod echo;
pub(super) mod oauth;
mod token;

/// The most bytes that are read from a source: more than any token with the JSON around it has.
const LONGEST: u64 = 64 * 1024;
/// The longest time that a token command may take. One that takes longer is probably waiting for input.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);
/// How long before its end a token is replaced: longer than any request takes.
const AHEAD: Duration = Duration::from_mins(5);
/// The least time between two tokens fetched ahead of their end, for sources whose tokens end soon.
const SELDOM: Duration = Duration::from_mins(1);

/// The source of the bearer token.
#[derive(Clone)]
pub struct Auth(TokenSource);

/// The kinds of sources.
#[derive(Clone)]
enum TokenSource {
    Fixed(SecretString),
    File(PathBuf),
    Command { program: String, arguments: Vec<String> },
}

/// A token command as the user wrote it. Its arguments may hold a secret, so `Debug` hides them.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub struct TokenCommand(SecretString);

impl From<String> for TokenCommand {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// The reason why a text is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenCommandError {
    /// It has a quote that is not closed, or ends with a backslash.
    #[error("the token command has a quote that is not closed")]
    Quotes,
    /// It names no program.
    #[error("the token command is empty")]
    Empty,
}

impl Auth {
    /// Returns a source of this token only, which cannot be renewed.
    pub fn fixed(token: SecretString) -> Self {
        Self(TokenSource::Fixed(token))
    }

    /// Returns a file as source. It holds the token, or the JSON that a token endpoint answers with, and is
    /// read again when the token is refused.
    pub fn file(path: PathBuf) -> Self {
        Self(TokenSource::File(path))
    }

    /// Returns a program as source. It prints the token, or a JSON object with `access_token` or
    /// `accessToken`, and is run again when the token is refused. The text is split as a shell would, and run
    /// without a shell.
    ///
    /// # Errors
    /// See [`TokenCommandError`].
    pub fn command(text: &TokenCommand) -> Result<Self, TokenCommandError> {
        let mut words = shlex::split(text.0.expose_secret()).ok_or(TokenCommandError::Quotes)?.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or(TokenCommandError::Empty)?;
        Ok(Self(TokenSource::Command { program, arguments: words.collect() }))
    }
}

/// Shows the kind of the source only: a command's arguments may hold a secret.
impl fmt::Debug for Auth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.0 {
            TokenSource::Fixed(_) => "Auth(fixed)",
            TokenSource::File(_) => "Auth(file)",
            TokenSource::Command { .. } => "Auth(command)",
        })
    }
}

/// Identifies a token of a run: the number of times that the token had been renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(pub u64);

/// The token of a run, fetched when it is first needed.
pub(super) struct Tokens {
    source: TokenSource,
    /// Locked while a token is fetched, so that requests wait for the new one instead of being sent with
    /// the refused one.
    held: Mutex<Held>,
    renewals: AtomicU64,
    /// The last generation that the service accepted.
    taken: AtomicU64,
    /// How often a file was read or a command run.
    requests: AtomicU64,
    clock: fn() -> Timestamp,
}

/// The token that a run has.
enum Held {
    /// None was needed yet.
    Nothing,
    /// The token, and when another is to be fetched ahead of its end, where that is known.
    Token(Token, Option<Instant>),
    /// None can be obtained. The source is not asked again, since it would fail in the same way.
    Lost(Failure),
}

impl Tokens {
    pub(super) fn new(auth: Auth, clock: fn() -> Timestamp) -> Self {
        Self {
            source: auth.0,
            held: Mutex::new(Held::Nothing),
            renewals: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            clock,
        }
    }

    /// Returns whether [`Self::current`] would return at once.
    pub(super) fn is_there(&self) -> bool {
        self.held.try_lock().is_ok_and(|held| match &*held {
            Held::Nothing => false,
            Held::Token(_, renew_at) => !is_due(*renew_at),
            Held::Lost(_) => true,
        })
    }

    /// Returns the token to send and its generation; fetches one where there is none, or where the present
    /// one ends soon.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where none can be obtained.
    pub(super) async fn current(&self) -> Result<(Token, Generation), Failure> {
        let mut held = self.held.lock().await;
        match &mut *held {
            Held::Nothing => *held = self.fetch().await,
            Held::Token(_, renew_at) if is_due(*renew_at) => {
                match self.fetch().await {
                    // The present token is still good. If the service refuses it later, that is reported
                    // then.
                    Held::Lost(_) => *renew_at = None,
                    fetched => {
                        *held = fetched;
                        self.renewals.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            Held::Token(..) | Held::Lost(_) => {}
        }
        match &*held {
            Held::Token(token, _) => Ok((token.clone(), self.generation())),
            Held::Lost(failure) => Err(failure.clone()),
            Held::Nothing => unreachable!("a token was fetched, or it is known that there is none"),
        }
    }

    /// Fetches another token, unless another caller has done so since `seen`.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where none can be obtained.
    pub(super) async fn renew(&self, seen: Generation) -> Result<(), Failure> {
        let mut held = self.held.lock().await;
        if let Held::Lost(failure) = &*held {
            return Err(failure.clone());
        }
        if self.generation() != seen {
            return Ok(());
        }
        *held = match self.source {
            TokenSource::Fixed(_) => {
                let lost = "the token was refused, and there is no way to get another: \
                            set PARTNER_CENTER_TOKEN anew, or use ";
                Held::Lost(no_token(Wording::from(lost).name(Setting::TokenCommand)))
            }
            TokenSource::File(_) | TokenSource::Command { .. } => self.fetch().await,
        };
        match &*held {
            Held::Lost(failure) => Err(failure.clone()),
            Held::Token(..) | Held::Nothing => {
                self.renewals.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// Returns whether [`Self::renew`] can bring another token.
    pub(super) fn can_renew(&self) -> bool {
        !matches!(self.source, TokenSource::Fixed(_))
    }

    pub(super) fn generation(&self) -> Generation {
        Generation(self.renewals.load(Ordering::Relaxed))
    }

    /// Records that the service accepted a token.
    pub(super) fn note_taken(&self, token: Generation) {
        self.taken.fetch_max(token.0, Ordering::Relaxed);
    }

    /// Returns whether the service ever accepted this token or a later one. The first one counts as accepted,
    /// since it is unknown how old it was.
    pub(super) fn was_taken(&self, token: Generation) -> bool {
        token.0 <= self.taken.load(Ordering::Relaxed)
    }

    /// Returns how often a file was read or a command run.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    async fn fetch(&self) -> Held {
        let text = match &self.source {
            TokenSource::Fixed(token) => Ok(token.clone()),
            TokenSource::File(path) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                read(path.clone()).await
            }
            TokenSource::Command { program, arguments } => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                run(program, arguments).await
            }
        };
        let issued = text.and_then(|text| {
            let read = Issued::read(&text, (self.clock)());
            read.map_err(|problem| Wording::from(format!("{} {problem}", self.source.name())))
        });
        match issued {
            Ok(Issued { token, lifetime }) => {
                info!(lifetime = lifetime.map(|time| time.as_secs()), "token fetched");
                Held::Token(token, self.renew_at(lifetime))
            }
            Err(problem) => {
                info!("token could not be fetched");
                Held::Lost(no_token(problem))
            }
        }
    }

    /// Returns when to fetch another token ahead of this one's end. The lifetime in a file counts from when
    /// it is read, though it may have been written long before; then the service's 401 tells that its token
    /// has ended.
    fn renew_at(&self, lifetime: Option<Duration>) -> Option<Instant> {
        let lifetime = lifetime.filter(|_| !matches!(self.source, TokenSource::Fixed(_)))?;
        Instant::now().checked_add(lifetime.saturating_sub(AHEAD).max(SELDOM))
    }
}

fn is_due(renew_at: Option<Instant>) -> bool {
    renew_at.is_some_and(|at| at <= Instant::now())
}

impl TokenSource {
    fn name(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "the token given",
            Self::File(_) => "the token file",
            Self::Command { .. } => "the output of the token command",
        }
    }
}

fn no_token(message: impl Into<Wording>) -> Failure {
    Failure::NoToken { message: message.into() }
}

/// Reads a token file. It may be a pipe, so it is read on a thread that may block.
async fn read(path: PathBuf) -> Result<SecretString, Wording> {
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
async fn run(program: &str, arguments: &[String]) -> Result<SecretString, Wording> {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TOKEN: &str = "eyJ0eXAi.s3cr3t-t0ken_value.x";

    fn tokens(auth: Auth) -> Tokens {
        Tokens::new(auth, || "2026-11-20T12:00:00Z".parse().unwrap())
    }

    fn shell(script: &str) -> Auth {
        Auth::command(&format!("sh -c {}", shlex::try_quote(script).unwrap()).into()).unwrap()
    }

    async fn header(tokens: &Tokens) -> Result<String, String> {
        match tokens.current().await {
            Ok((token, _)) => Ok(token.header().to_str().unwrap().to_owned()),
            Err(Failure::NoToken { message }) => Err(crate::commands::next_command::spelled(&message)),
            Err(failure) => panic!("{failure:?}"),
        }
    }

    #[test]
    fn commands_are_split_as_a_shell_would() {
        let words = |text: &str| match Auth::command(&text.to_owned().into()).map(|auth| auth.0) {
            Ok(TokenSource::Command { program, arguments }) => Ok([vec![program], arguments].concat()),
            Ok(_) => panic!("no command"),
            Err(error) => Err(error),
        };
        for (text, wanted) in [
            ("az account get-access-token", Ok(vec!["az", "account", "get-access-token"])),
            (r#"'my tool' --a="b c" \$HOME"#, Ok(vec!["my tool", "--a=b c", "$HOME"])),
            ("cmd | other", Ok(vec!["cmd", "|", "other"])),
            ("cmd 'x", Err(TokenCommandError::Quotes)),
            ("  ", Err(TokenCommandError::Empty)),
            ("'' x", Err(TokenCommandError::Empty)),
        ] {
            let wanted = wanted.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(words(text), wanted, "{text}");
        }
    }

    #[tokio::test]
    async fn tokens_are_read_from_text_or_json() {
        let whitespace =
            "the token given holds whitespace: give the bare token, without \"Bearer\" before it";
        let bearer = format!("Bearer {TOKEN}");
        for (text, wanted) in [
            (format!("\u{feff} {TOKEN}\r\n"), Ok(bearer.clone())),
            (format!(r#"{{"access_token":"{TOKEN}","expires_in":3599}}"#), Ok(bearer.clone())),
            (format!(r#"{{"accessToken":"{TOKEN}","expiresOn":"2026-01-01"}}"#), Ok(bearer.clone())),
            (format!("\"{TOKEN}\"\n"), Ok(bearer.clone())),
            (format!("' {TOKEN} '"), Ok(bearer.clone())),
            ("\"\"".to_owned(), Err("the token given is empty: a bearer token was expected")),
            (
                r#"{"error":"invalid_grant","error_description":"AADSTS50076: use\nmulti-factor\u001b","x":"s3cr3t"}"#.to_owned(),
                Err("the token given holds no token but an error: invalid_grant: AADSTS50076: use multi-factor\u{fffd}"),
            ),
            (
                r#"{"error":{"code":"denied","message":"no"}}"#.to_owned(),
                Err("the token given holds no token but an error: denied: no"),
            ),
            (bearer.clone(), Err(whitespace)),
            (" \n".to_owned(), Err("the token given is empty: a bearer token was expected")),
            ("tökén".to_owned(), Err("the token given holds characters that no token has")),
            ("a\u{7}b".to_owned(), Err("the token given holds characters that no token has")),
            (
                "{\"token\":\"x\"}".to_owned(),
                Err("the token given is a JSON object without an \"access_token\" or \"accessToken\" in it"),
            ),
            ("{x".to_owned(), Err("the token given begins like a JSON object and is none")),
        ] {
            let got = header(&tokens(Auth::fixed(text.as_str().into()))).await;
            assert_eq!(got, wanted.map_err(str::to_owned), "{text}");
        }
    }

    #[tokio::test]
    async fn a_fixed_token_cannot_be_renewed() {
        let tokens = tokens(Auth::fixed(TOKEN.into()));
        header(&tokens).await.unwrap();
        let failure = tokens.renew(tokens.generation()).await.unwrap_err();
        let message = crate::commands::next_command::spelled(&failure.wording());
        assert_eq!(
            message,
            "the token was refused, and there is no way to get another: \
             set PARTNER_CENTER_TOKEN anew, or use --token-command"
        );
        assert_eq!(header(&tokens).await.unwrap_err(), message, "a refused token is not sent again");
        assert_eq!(tokens.requests(), 0);
    }

    /// As PowerShell and editors write them.
    #[tokio::test]
    async fn a_file_is_read_in_any_unicode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let little =
            |text: &str| [0xfeff].into_iter().chain(units(text)).flat_map(u16::to_le_bytes).collect();
        let big = |text: &str| [0xfeff].into_iter().chain(units(text)).flat_map(u16::to_be_bytes).collect();
        let lines = format!("{TOKEN}\r\n");
        let half: Vec<u8> = [0xff, 0xfe, b'a'].into();
        let without_mark: Vec<u8> = units(TOKEN).into_iter().flat_map(u16::to_le_bytes).collect();
        for (bytes, wanted) in [
            (little(&lines), Ok(format!("Bearer {TOKEN}"))),
            (big(&format!("\"{TOKEN}\"")), Ok(format!("Bearer {TOKEN}"))),
            (little(&format!(r#"{{"access_token":"{TOKEN}"}}"#)), Ok(format!("Bearer {TOKEN}"))),
            (half, Err("the token file is no UTF-16LE".to_owned())),
            (without_mark, Err("the token file holds characters that no token has".to_owned())),
        ] {
            fs::write(&path, &bytes).unwrap();
            assert_eq!(header(&tokens(Auth::file(path.clone()))).await, wanted, "{bytes:x?}");
        }
    }

    #[tokio::test]
    async fn a_file_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "first\n").unwrap();
        let tokens = tokens(Auth::file(path.clone()));
        assert_eq!(tokens.requests(), 0, "nothing is read before it is needed");
        assert_eq!(header(&tokens).await.unwrap(), "Bearer first");
        fs::write(&path, "second\n").unwrap();
        assert_eq!(header(&tokens).await.unwrap(), "Bearer first");

        let seen = tokens.generation();
        tokens.renew(seen).await.unwrap();
        assert_eq!(header(&tokens).await.unwrap(), "Bearer second");
        tokens.renew(seen).await.unwrap();
        assert_eq!(tokens.requests(), 2, "somebody who saw the first token has the second already");

        fs::remove_file(&path).unwrap();
        let failure = tokens.renew(tokens.generation()).await.unwrap_err();
        assert!(failure.message().starts_with("the token file cannot be read ("), "{failure:?}");
    }

    /// Seconds that a token is said to last; then the seconds after which it is asked for, and how often
    /// the file had been read by then.
    #[tokio::test(start_paused = true)]
    async fn another_token_is_fetched_ahead_of_its_end() {
        for (expires_in, asked) in [
            ("null", &[(0, 1), (86_400, 1)][..]),
            ("3600", &[(0, 1), (3_299, 1), (1, 2), (3_299, 2), (1, 3)]),
            ("360", &[(0, 1), (59, 1), (1, 2), (59, 2), (1, 3)]),
            ("10", &[(0, 1), (59, 1), (1, 2)]),
            ("0", &[(0, 1), (59, 1), (1, 2)]),
            ("18446744073709551615", &[(0, 1), (86_400, 1)]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("token");
            fs::write(&path, format!(r#"{{"access_token":"{TOKEN}","expires_in":{expires_in}}}"#)).unwrap();
            let tokens = tokens(Auth::file(path));
            for (later, reads) in asked {
                tokio::time::advance(Duration::from_secs(*later)).await;
                let all = futures::future::join_all((0..5).map(|_| header(&tokens))).await;
                assert!(all.iter().all(Result::is_ok), "{all:?}");
                assert_eq!(tokens.requests(), *reads, "{expires_in}, {later} s later");
            }
            assert_eq!(tokens.generation(), Generation(tokens.requests() - 1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_still_good_is_kept_where_no_other_can_be_had() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, r#"{"access_token":"first","expires_in":3600}"#).unwrap();
        let tokens = tokens(Auth::file(path.clone()));
        header(&tokens).await.unwrap();
        fs::remove_file(&path).unwrap();
        tokio::time::advance(Duration::from_secs(3_400)).await;
        for _ in 0..3 {
            assert_eq!(header(&tokens).await.unwrap(), "Bearer first");
        }
        assert_eq!((tokens.requests(), tokens.generation()), (2, Generation(0)));
        fs::write(&path, "second").unwrap();
        tokens.renew(tokens.generation()).await.unwrap();
        assert_eq!(header(&tokens).await.unwrap(), "Bearer second");
    }

    #[tokio::test]
    async fn however_many_ask_a_command_runs_once() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let script = format!("echo run >> {0}; echo token-$(wc -l < {0} | tr -d ' ')", runs.display());
        let tokens = tokens(shell(&script));
        let all = futures::future::join_all((0..20).map(|_| header(&tokens))).await;
        assert!(all.iter().all(|got| got.as_deref() == Ok("Bearer token-1")), "{all:?}");

        let seen = tokens.generation();
        let all = futures::future::join_all((0..20).map(|_| tokens.renew(seen))).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert_eq!(header(&tokens).await.unwrap(), "Bearer token-2");
        assert_eq!((fs::read_to_string(&runs).unwrap().lines().count(), tokens.requests()), (2, 2));
    }

    #[tokio::test]
    async fn a_failing_command_says_nothing_of_its_output() {
        for (script, wanted) in [
            (
                format!("echo {TOKEN}; echo {TOKEN} >&2; exit 3"),
                "the token command failed (exit status: 3): run it by itself to see why",
            ),
            (
                format!("echo {TOKEN} {TOKEN}"),
                "the output of the token command holds whitespace: \
                 give the bare token, without \"Bearer\" before it",
            ),
            (
                format!("echo '{{\"a\":\"{TOKEN}\"}}'"),
                "the output of the token command is a JSON object without an \"access_token\" \
                 or \"accessToken\" in it",
            ),
            ("printf '\\377'".to_owned(), "the output of the token command is not UTF-8"),
            ("yes".to_owned(), "the output of the token command is longer than any token"),
            ("true".to_owned(), "the output of the token command is empty: a bearer token was expected"),
        ] {
            let tokens = tokens(shell(&script));
            assert_eq!(header(&tokens).await.unwrap_err(), wanted, "{script}");
            assert_eq!(header(&tokens).await.unwrap_err(), wanted);
            assert_eq!(tokens.requests(), 1, "a command that failed is not run again");
        }
        let missing = tokens(Auth::command(&format!("/no/such/program {TOKEN}").into()).unwrap());
        let message = header(&missing).await.unwrap_err();
        assert!(message.starts_with("the token command cannot be started ("), "{message}");
        assert!(!message.contains(TOKEN), "{message}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_does_not_end_is_given_up() {
        for script in ["exec sleep 1000", "exec sleep 1000 > /dev/null"] {
            let (tokens, begun) = (tokens(shell(script)), Instant::now());
            let told = header(&tokens).await.unwrap_err();
            assert_eq!(told, "the token command did not end within 120s: it must not ask");
            assert_eq!(begun.elapsed(), COMMAND_TIMEOUT);
        }
    }

    #[tokio::test]
    async fn nothing_shows_a_token() {
        let sources = [
            Auth::fixed(TOKEN.into()),
            Auth::file(format!("/{TOKEN}").into()),
            Auth::command(&format!("echo {TOKEN}").into()).unwrap(),
        ];
        for auth in sources {
            let shown = format!("{auth:?}");
            let tokens = tokens(auth);
            let token = tokens.current().await;
            let header = token.as_ref().map(|(token, _)| token.header());
            let all = format!("{shown} {token:?} {header:?} {:?}", tokens.renew(Generation(0)).await);
            assert!(!all.contains(TOKEN), "{all}");
        }
    }
}
