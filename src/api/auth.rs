//! Where the bearer token comes from, and the token itself.
//!
//! What always holds: a token is inside a [`SecretString`] or a header marked as sensitive, nothing else;
//! what a token command prints is shown to nobody; and however many requests meet a refused token, one new
//! one is fetched.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;

use crate::domain::exchange::Failure;
use crate::domain::json::{self, Object};

/// More than any token, and any JSON around it, is long.
const LONGEST: u64 = 64 * 1024;
/// Less than any real token is long.
const SHORTEST_SECRET: usize = 16;
/// A token command that takes longer waits for somebody who isn't there.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);

/// Where the bearer token comes from.
#[derive(Clone)]
pub struct Auth(Source);

#[derive(Clone)]
enum Source {
    Fixed(SecretString),
    File(PathBuf),
    Command { program: String, arguments: Vec<String> },
}

/// Why a text is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// A quote is opened and not closed, or a backslash ends it.
    #[error("the token command has a quote that is not closed")]
    Quotes,
    /// There is no program to run.
    #[error("the token command is empty")]
    Empty,
}

impl Auth {
    /// This token and no other: it cannot be renewed.
    pub fn fixed(token: SecretString) -> Self {
        Self(Source::Fixed(token))
    }

    /// The token, or the JSON that a token endpoint answers with, in a file that is read again when the
    /// token is refused.
    pub fn file(path: PathBuf) -> Self {
        Self(Source::File(path))
    }

    /// A program that prints the token, or a JSON object with `access_token` or `accessToken`. The text is
    /// split as a shell would, and run without one; it is run again when the token is refused.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn command(text: String) -> Result<Self, CommandError> {
        let mut words = shlex::split(&text).ok_or(CommandError::Quotes)?.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or(CommandError::Empty)?;
        Ok(Self(Source::Command { program, arguments: words.collect() }))
    }
}

/// Says what kind of source it is. A command's arguments may hold a secret of their own.
impl fmt::Debug for Auth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.0 {
            Source::Fixed(_) => "Auth(fixed)",
            Source::File(_) => "Auth(file)",
            Source::Command { .. } => "Auth(command)",
        })
    }
}

/// Tells tokens apart: how many times the token had been renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(u64);

/// A well-formed token.
#[derive(Debug, Clone)]
pub(super) struct Token(SecretString);

impl Token {
    /// The value of `Authorization`, marked so that `Debug` hides it.
    pub(super) fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0.expose_secret()))
            .expect("a token was checked to be printable ASCII");
        value.set_sensitive(true);
        value
    }

    /// A server's text without the token, should it have sent it back, also where JSON escapes parts of
    /// it. The short words that a sandbox takes for tokens are no secret, and could be part of any other
    /// word.
    pub(super) fn redact(&self, text: &str) -> String {
        let token = self.0.expose_secret();
        if token.len() < SHORTEST_SECRET {
            return text.to_owned();
        }
        let (mut redacted, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(first) = rest.chars().next() {
            if let Some(after) = after(rest, token) {
                redacted.push_str("[token]");
                rest = after;
            } else {
                redacted.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        redacted
    }
}

/// What follows on a token at a text's beginning, each character as it is or as JSON can escape it.
fn after<'t>(text: &'t str, token: &str) -> Option<&'t str> {
    token.chars().try_fold(text, |rest, c| after_escaped(rest, c).or_else(|| rest.strip_prefix(c)))
}

/// What follows on a printable character that JSON escapes: writers do so with `/`, `+` and others that
/// opaque tokens are made of.
fn after_escaped(text: &str, c: char) -> Option<&str> {
    let escape = text.strip_prefix('\\')?;
    if let Some(code) = escape.strip_prefix('u') {
        let (digits, rest) = code.split_at_checked(4)?;
        return (u32::from_str_radix(digits, 16) == Ok(u32::from(c))).then_some(rest);
    }
    escape.strip_prefix(c).filter(|_| matches!(c, '"' | '\\' | '/'))
}

/// The token of a run, fetched when it is first needed.
pub(super) struct Tokens {
    source: Source,
    /// Locked while a token is fetched, so that requests wait for the new one instead of going out with
    /// the refused one.
    held: Mutex<Held>,
    renewals: AtomicU64,
    requests: AtomicU64,
}

enum Held {
    Nothing,
    Token(Token),
    /// None can be had; asking again would only repeat what was answered before.
    Lost(Failure),
}

impl Tokens {
    pub(super) fn new(auth: Auth) -> Self {
        Self {
            source: auth.0,
            held: Mutex::new(Held::Nothing),
            renewals: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        }
    }

    /// The token to send.
    pub(super) async fn current(&self) -> Result<Token, Failure> {
        let mut held = self.held.lock().await;
        if matches!(*held, Held::Nothing) {
            *held = self.fetch().await;
        }
        match &*held {
            Held::Token(token) => Ok(token.clone()),
            Held::Lost(failure) => Err(failure.clone()),
            Held::Nothing => unreachable!("a token was fetched, or it is known that there is none"),
        }
    }

    /// Fetches another token, unless somebody did since `seen`.
    pub(super) async fn renew(&self, seen: Generation) -> Result<(), Failure> {
        let mut held = self.held.lock().await;
        if let Held::Lost(failure) = &*held {
            return Err(failure.clone());
        }
        if self.generation() != seen {
            return Ok(());
        }
        *held = match self.source {
            Source::Fixed(_) => Held::Lost(no_token(
                "the token was refused, and there is no way to get another: \
                 set PARTNER_CENTER_TOKEN anew, or use --token-command",
            )),
            Source::File(_) | Source::Command { .. } => self.fetch().await,
        };
        match &*held {
            Held::Lost(failure) => Err(failure.clone()),
            Held::Token(_) | Held::Nothing => {
                self.renewals.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    pub(super) fn generation(&self) -> Generation {
        Generation(self.renewals.load(Ordering::Relaxed))
    }

    /// How often a file was read or a command run.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    async fn fetch(&self) -> Held {
        let text = match &self.source {
            Source::Fixed(token) => Ok(token.clone()),
            Source::File(path) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                read(path.clone()).await
            }
            Source::Command { program, arguments } => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                run(program, arguments).await
            }
        };
        let token = text
            .and_then(|text| token_in(&text).map_err(|problem| format!("{} {problem}", self.source.name())));
        token.map_or_else(|problem| Held::Lost(no_token(problem)), Held::Token)
    }
}

impl Source {
    fn name(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "the token given",
            Self::File(_) => "the token file",
            Self::Command { .. } => "the output of the token command",
        }
    }
}

fn no_token(message: impl Into<String>) -> Failure {
    Failure::NoToken { message: message.into() }
}

/// Reads a token file. It may be a pipe, so this happens on a thread that may block.
async fn read(path: PathBuf) -> Result<SecretString, String> {
    fn text(path: &Path) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
    let bytes = tokio::task::spawn_blocking(move || text(&path))
        .await
        .map_err(|_| "the token file was not read to its end".to_owned())?
        .map_err(|error| format!("the token file cannot be read ({error}): check --token-file"))?;
    secret(bytes, "the token file")
}

/// Runs a token command. Its standard error is dropped: a command that fails may well print there what it
/// was about to send.
async fn run(program: &str, arguments: &[String]) -> Result<SecretString, String> {
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the token command cannot be started ({error}): check --token-command"))?;
    let output = child.stdout.take().expect("standard output is a pipe");
    let finish = async {
        let mut bytes = Vec::new();
        output.take(LONGEST + 1).read_to_end(&mut bytes).await?;
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
            Err(format!("the token command failed ({status}): run it by itself to see why"))
        }
        _ => secret(bytes, "the output of the token command"),
    }
}

fn secret(bytes: Vec<u8>, name: &str) -> Result<SecretString, String> {
    if bytes.len() as u64 > LONGEST {
        return Err(format!("{name} is longer than any token"));
    }
    String::from_utf8(bytes).map(SecretString::from).map_err(|_| format!("{name} is not UTF-8"))
}

/// The token in a text that holds it alone, or in JSON. The error goes on after the text's name.
fn token_in(text: &SecretString) -> Result<Token, String> {
    let text = text.expose_secret().trim_start_matches('\u{feff}').trim();
    let token = if text.starts_with('{') {
        let object = Object::parse(text).ok_or("begins like a JSON object and is none")?;
        let member = object.get("access_token").or_else(|| object.get("accessToken"));
        member
            .and_then(json::string)
            .ok_or("is a JSON object without an \"access_token\" or \"accessToken\" in it")?
    } else {
        text.into()
    };
    if token.is_empty() {
        return Err("is empty: a bearer token was expected".to_owned());
    }
    if token.contains(char::is_whitespace) {
        return Err("holds whitespace: give the bare token, without \"Bearer\" before it".to_owned());
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("holds characters that no token has".to_owned());
    }
    Ok(Token(SecretString::from(token.as_ref())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TOKEN: &str = "eyJ0eXAi.s3cr3t-t0ken_value.x";

    fn tokens(auth: Auth) -> Tokens {
        Tokens::new(auth)
    }

    fn shell(script: &str) -> Auth {
        Auth::command(format!("sh -c {}", shlex::try_quote(script).unwrap())).unwrap()
    }

    async fn header(tokens: &Tokens) -> Result<String, String> {
        match tokens.current().await {
            Ok(token) => Ok(token.header().to_str().unwrap().to_owned()),
            Err(Failure::NoToken { message }) => Err(message),
            Err(failure) => panic!("{failure:?}"),
        }
    }

    #[test]
    fn commands_are_split_as_a_shell_would() {
        let words = |text: &str| match Auth::command(text.to_owned()).map(|auth| auth.0) {
            Ok(Source::Command { program, arguments }) => Ok([vec![program], arguments].concat()),
            Ok(_) => panic!("no command"),
            Err(error) => Err(error),
        };
        for (text, wanted) in [
            ("az account get-access-token", Ok(vec!["az", "account", "get-access-token"])),
            (r#"'my tool' --a="b c" \$HOME"#, Ok(vec!["my tool", "--a=b c", "$HOME"])),
            ("cmd | other", Ok(vec!["cmd", "|", "other"])),
            ("cmd 'x", Err(CommandError::Quotes)),
            ("  ", Err(CommandError::Empty)),
            ("'' x", Err(CommandError::Empty)),
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

    #[test]
    fn a_token_is_taken_out_however_json_writes_it() {
        let redact = |token: &str, text: &str| Token(token.into()).redact(text);
        let escaped: String = TOKEN.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let opaque = "EwB4/A8l6+BAAU\"s3cr3t\\t0ken==";
        for (token, text, wanted) in [
            (TOKEN, TOKEN.to_owned(), "[token]"),
            (TOKEN, format!("é {TOKEN}{TOKEN}x"), "é [token][token]x"),
            (TOKEN, format!("e{TOKEN} {}", &TOKEN[1..]), &format!("e[token] {}", &TOKEN[1..])),
            (TOKEN, format!("\"{escaped}\\n\""), "\"[token]\\n\""),
            (TOKEN, escaped.to_uppercase().replace("\\U", "\\u"), "[token]"),
            (TOKEN, format!("{}\\u", &TOKEN[..20]), &format!("{}\\u", &TOKEN[..20])),
            (TOKEN, format!("{}\\u00é", &TOKEN[..20]), &format!("{}\\u00é", &TOKEN[..20])),
            (opaque, serde_json::to_string(opaque).unwrap(), "\"[token]\""),
            (opaque, r#"EwB4\/A8l6\u002BBAAU\u0022s3cr3t\\t0ken\u003d="#.to_owned(), "[token]"),
            ("sandbox", "the sandbox".to_owned(), "the sandbox"),
        ] {
            assert_eq!(redact(token, &text), wanted, "{text}");
        }
    }

    #[tokio::test]
    async fn a_fixed_token_cannot_be_renewed() {
        let tokens = tokens(Auth::fixed(TOKEN.into()));
        header(&tokens).await.unwrap();
        let failure = tokens.renew(tokens.generation()).await.unwrap_err();
        assert_eq!(
            failure.message(),
            "the token was refused, and there is no way to get another: \
             set PARTNER_CENTER_TOKEN anew, or use --token-command"
        );
        assert_eq!(
            header(&tokens).await.unwrap_err(),
            failure.message(),
            "a refused token is not sent again"
        );
        assert_eq!(tokens.requests(), 0);
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
        let missing = tokens(Auth::command(format!("/no/such/program {TOKEN}")).unwrap());
        let message = header(&missing).await.unwrap_err();
        assert!(message.starts_with("the token command cannot be started ("), "{message}");
        assert!(!message.contains(TOKEN), "{message}");
    }

    #[tokio::test]
    async fn nothing_shows_a_token() {
        let sources = [
            Auth::fixed(TOKEN.into()),
            Auth::file(format!("/{TOKEN}").into()),
            Auth::command(format!("echo {TOKEN}")).unwrap(),
        ];
        for auth in sources {
            let shown = format!("{auth:?}");
            let tokens = tokens(auth);
            let token = tokens.current().await;
            let header = token.as_ref().map(Token::header);
            let all = format!("{shown} {token:?} {header:?} {:?}", tokens.renew(Generation(0)).await);
            assert!(!all.contains(TOKEN), "{all}");
        }
        let token = Token(TOKEN.into());
        assert_eq!(token.redact(&format!("bad {TOKEN}, {TOKEN}!")), "bad [token], [token]!");
        assert_eq!(Token("test".into()).redact("a test"), "a test");
    }
}
