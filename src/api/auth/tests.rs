//! Tokens from every source, and when another one is fetched.

use std::cell::Cell;
use std::fs;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::source::Auth;
use super::tokens::{Generation, Tokens};
use crate::domain::exchange::Failure;
use crate::domain::wording::Wording;
use crate::secrets::COMMAND_TIMEOUT;

const TOKEN: &str = "eyJ0eXAi.s3cr3t-t0ken_value.x";

fn tokens(auth: Auth) -> Tokens {
    Tokens::new(auth, || "2026-11-20T12:00:00Z".parse().unwrap())
}

fn shell(script: &str) -> Auth {
    Auth::command(&format!("sh -c {}", shlex::try_quote(script).unwrap()).into()).unwrap()
}

/// A text with its settings as they are typed.
fn spelled(wording: &Wording) -> String {
    wording.spelled(|setting| format!("--{}", setting.name()))
}

async fn header(tokens: &Tokens) -> Result<String, String> {
    match tokens.current().await {
        Ok((token, _)) => Ok(token.header().to_str().unwrap().to_owned()),
        Err(Failure::NoToken { message, .. }) => Err(spelled(&message)),
        Err(failure) => panic!("{failure:?}"),
    }
}

#[tokio::test]
async fn tokens_are_read_from_text_or_json() {
    let whitespace = "the token given holds whitespace: give the bare token, without \"Bearer\" before it";
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
    let message = spelled(&failure.wording());
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
    let little = |text: &str| [0xfeff].into_iter().chain(units(text)).flat_map(u16::to_le_bytes).collect();
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
            let all = join_all((0..5).map(|_| header(&tokens))).await;
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
    let all = join_all((0..20).map(|_| header(&tokens))).await;
    assert!(all.iter().all(|got| got.as_deref() == Ok("Bearer token-1")), "{all:?}");

    let seen = tokens.generation();
    let all = join_all((0..20).map(|_| tokens.renew(seen))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(header(&tokens).await.unwrap(), "Bearer token-2");
    assert_eq!((fs::read_to_string(&runs).unwrap().lines().count(), tokens.requests()), (2, 2));
}

/// Whoever waits for a token finds it there afterwards, though all the others ask for it at the same time.
#[tokio::test]
async fn a_token_is_there_for_all_who_waited_for_it() {
    const CALLERS: u32 = 40;
    let (tokens, waits) = (tokens(shell("echo token")), Cell::new(0));
    let caller = async || {
        while !tokens.is_there() {
            waits.set(waits.get() + 1);
            assert!(waits.get() <= CALLERS, "it is waited for again and again");
            tokens.current().await.unwrap();
        }
    };
    join_all((0..CALLERS).map(|_| caller())).await;
    assert_eq!((waits.get(), tokens.requests()), (CALLERS, 1));
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
