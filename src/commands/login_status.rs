//! `login --status`: tells who is signed in, and where that is kept. No token is shown, and nothing is sent.

use std::fmt::Write;

use serde::Serialize;

use super::credentials::{KeptSignIn, sign_ins, store_failed};
use super::environment::Environment;
use super::error::CommandError;
use super::next_command::CommandLine;
use crate::api::{Kept, SignInMethod, SignInStatus};
use crate::domain::characters::{visible, visible_path};
use crate::domain::exit::Exit;
use crate::domain::setting::Choice;

/// The options of `login --status`.
#[derive(Debug)]
pub struct StatusOptions {
    /// Whose sign-in, where only that of a profile is asked for.
    pub sign_in: KeptSignIn,
    /// The choices that the user typed, but for what is shown.
    pub typed: Vec<Choice>,
    /// Where a source of tokens stands that goes before every sign-in.
    pub goes_before: Option<String>,
    /// Whether to print one JSON object.
    pub json: bool,
}

/// The form of the JSON object, for programs that read it.
#[derive(Serialize)]
struct Printed<'a> {
    version: u32,
    goes_before: Option<&'a str>,
    sign_ins: Vec<Told>,
}

/// What is told of a sign-in.
#[derive(Debug, Serialize)]
struct Told {
    /// The profile that somebody signed in for.
    profile: String,
    account: Option<String>,
    name: Option<String>,
    tenant: String,
    tenant_id: Option<String>,
    client_id: String,
    authority: String,
    scope: String,
    endpoint: String,
    method: &'static str,
    signed_in: String,
    renewed: Option<String>,
    kept: &'static str,
    file: Option<String>,
    /// Whether the refresh token is there; `null` where that can't be told.
    is_there: Option<bool>,
    /// Why that can't be told.
    trouble: Option<String>,
    /// Whether a policy demands more of the next sign-in.
    challenged: bool,
}

/// Tells the sign-ins of the profile. It is done where there is one, and the refresh token of each is there.
///
/// # Errors
/// Returns an error where they can't be read.
pub async fn run(options: &StatusOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let (sign_ins, console) = (sign_ins(environment)?, environment.console);
    let mut all = Vec::new();
    for status in sign_ins.all().await.map_err(|error| store_failed(&error, None))? {
        match status {
            Ok(status) if options.sign_in.fits(&status.record) => all.push(Told::of(&status)),
            Ok(_) => {}
            Err(error) => console.say(&format!("warning: {}", store_failed(&error, None))),
        }
    }
    let goes_before = options.goes_before.as_deref();
    let profile = profile_name(options.sign_in.profile.as_deref());
    let is_nobody = all.is_empty();
    let is_usable = |told: &Told| told.is_there == Some(true);
    let exit = if !is_nobody && all.iter().all(is_usable) { Exit::Done } else { Exit::CouldNotRun };
    if options.json {
        let line = serde_json::to_string(&Printed { version: 1, goes_before, sign_ins: all })
            .expect("texts and lists of them serialise");
        console.data(&format!("{line}\n"));
    } else {
        all.iter().for_each(|told| console.data(&told.text()));
    }
    if let Some(source) = goes_before {
        console.say(&format!("note: {source} goes before every sign-in: runs use that"));
    }
    if is_nobody {
        console.say(&format!("nobody is signed in for {profile}"));
        console.say(&format!("next: {}", CommandLine::login(options.typed.clone())));
    }
    Ok(exit)
}

/// Returns what a profile is called in messages.
pub fn profile_name(profile: Option<&str>) -> String {
    match profile {
        Some(name) => format!("the profile {}", visible(name)),
        None => "the profile default".to_owned(),
    }
}

impl Told {
    fn of(status: &SignInStatus) -> Self {
        let SignInStatus { record, is_there, file } = status;
        let account = record.account.as_ref();
        Self {
            profile: record.id.profile.clone().unwrap_or_else(|| "default".to_owned()),
            account: account.map(ToString::to_string),
            name: account.and_then(|account| account.name.clone()),
            tenant: record.id.tenant.to_string(),
            tenant_id: account.and_then(|account| account.tenant.clone()),
            client_id: record.id.client_id.to_string(),
            authority: record.id.authority.to_string(),
            scope: record.scope.to_string(),
            endpoint: record.endpoint.to_string(),
            method: match record.method {
                SignInMethod::Browser => "browser",
                SignInMethod::DeviceCode => "device-code",
            },
            signed_in: record.signed_in.to_string(),
            renewed: record.renewed.map(|time| time.to_string()),
            kept: match record.kept {
                Kept::Keyring => "keyring",
                Kept::File => "file",
            },
            file: file.as_deref().map(visible_path),
            is_there: is_there.as_ref().ok().copied(),
            trouble: is_there.as_ref().err().map(ToString::to_string),
            challenged: record.challenge.is_some(),
        }
    }

    /// Returns the lines for people.
    fn text(&self) -> String {
        let who = self.account.as_deref().unwrap_or("somebody");
        let tenant = match &self.tenant_id {
            Some(id) if *id != self.tenant => format!("{} ({id})", self.tenant),
            _ => self.tenant.clone(),
        };
        let kept = match (&self.file, self.is_there, &self.trouble) {
            (_, _, Some(trouble)) => format!("{}, which can't be read: {trouble}", self.kept),
            (_, Some(false), _) => format!("{}, and gone: sign in again", self.kept),
            (Some(file), ..) => format!("{file} (0600)"),
            (None, ..) => "the system's keyring".to_owned(),
        };
        let renewed = self.renewed.as_deref().unwrap_or("never");
        let demanded = if self.challenged { "more, which the next login asks for" } else { "nothing more" };
        let method = if self.method == "browser" { "in a browser on this machine" } else { "with a code" };
        let mut text = String::new();
        for (name, value) in [
            ("signed in", who.to_owned()),
            ("tenant", tenant),
            ("profile", self.profile.clone()),
            ("client id", self.client_id.clone()),
            ("for", self.endpoint.clone()),
            ("since", format!("{}, {method}", self.signed_in)),
            ("renewed", renewed.to_owned()),
            ("kept in", kept),
            ("policies ask", demanded.to_owned()),
        ] {
            writeln!(text, "{name:<13} {}", visible(&value)).expect("writing to a string never fails");
        }
        text
    }
}
