//! The two ways to sign in, as a person at a terminal sees them: a browser on this machine, or a code for a browser
//! anywhere.

use std::collections::BTreeMap;

use futures::{Stream, stream};

use super::environment::{Console, Environment};
use super::error::{CommandError, ErrorKind};
use super::next_command::CommandLine;
use crate::api::{
    self, BrowserSignIn, ClaimsChallenge, DeviceSignIn, Grant, NoCallback, SignInError, SignInMethod,
    SignInService,
};

/// The reason why nobody was signed in.
pub enum NotSignedIn {
    /// The user interrupted.
    Interrupted,
    /// The sign-in failed.
    Failed(SignInError),
}

impl From<SignInError> for NotSignedIn {
    fn from(error: SignInError) -> Self {
        Self::Failed(error)
    }
}

/// Who is to sign in, and what is demanded of that.
pub struct Wanted<'a> {
    /// The account that is proposed.
    pub account: Option<&'a str>,
    /// What a policy demands.
    pub claims: Option<ClaimsChallenge>,
    /// The environment variables, by which the browser is found.
    pub variables: &'a BTreeMap<String, String>,
    /// The command that signs in by a code.
    pub by_code: CommandLine,
}

/// Lets a person sign in, and waits until that is done.
///
/// # Errors
/// See [`NotSignedIn`].
pub async fn sign_in(
    method: SignInMethod,
    service: &SignInService,
    wanted: Wanted<'_>,
    environment: &Environment<'_>,
) -> Result<Grant, NotSignedIn> {
    let signing_in = async {
        match method {
            SignInMethod::Browser => in_browser(service, wanted, environment.console).await,
            SignInMethod::DeviceCode => by_code(service, wanted, environment.console).await,
        }
    };
    tokio::select! {
        biased;
        () = environment.stop.wait() => Err(NotSignedIn::Interrupted),
        granted = signing_in => granted.map_err(NotSignedIn::Failed),
    }
}

/// Signs in with a browser on this machine. The address is always printed: what opens browsers may say that it did
/// where nothing opened.
async fn in_browser(
    service: &SignInService,
    wanted: Wanted<'_>,
    console: &dyn Console,
) -> Result<Grant, SignInError> {
    let sign_in = BrowserSignIn::begin(service, wanted.account, wanted.claims).await?;
    console.say("sign in with the browser that opens now, or open this address in one on this machine:");
    console.say(&format!("  {}", sign_in.url()));
    if console.is_attended() {
        console.say("if that browser ends at a page that it can't show, paste the address of that page here");
    }
    let url = sign_in.url().to_owned();
    let opening = async {
        if let Err(not_opened) = api::open_browser(&url, wanted.variables).await {
            console.say(&format!("note: {not_opened}"));
            console.say(&format!("hint: sign in with a browser on any machine: {}", wanted.by_code));
        }
        std::future::pending::<()>().await;
    };
    let tell = |other: NoCallback| console.say(&format!("note: {other}"));
    tokio::select! {
        granted = sign_in.wait(lines(console), tell) => granted,
        () = opening => unreachable!("what opens the browser has no end of its own"),
    }
}

/// Signs in with a code that somebody types into a browser on any machine.
async fn by_code(
    service: &SignInService,
    wanted: Wanted<'_>,
    console: &dyn Console,
) -> Result<Grant, SignInError> {
    let sign_in = DeviceSignIn::begin(service, wanted.claims).await?;
    console.say("to sign in, open this address in a browser on any machine:");
    console.say(&format!("  {}", sign_in.verification_uri()));
    let minutes = sign_in.left().as_secs().div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    console.say(&format!("and enter this code there, within {minutes} {unit}:"));
    console.say(&format!("  {}", sign_in.user_code()));
    sign_in.wait().await
}

/// Returns the lines that a person types, as they come; none where nobody is there.
fn lines(console: &dyn Console) -> impl Stream<Item = String> {
    stream::unfold((), move |()| async move { Some((console.next_line()?.await.ok()?, ())) })
}

/// The error of a sign-in that the user interrupted.
pub fn interrupted() -> CommandError {
    CommandError::new(ErrorKind::Stopped, "interrupted: nobody was signed in, and nothing has changed")
}
