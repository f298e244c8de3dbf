//! Where the tokens for a service come from: a source that the user names, else a sign-in that `login` keeps.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::error::CommandError;
use super::next_command::{CommandLine, flag, spelled};
use crate::api::{
    Auth, Authority, ClientId, ClientSecret, Endpoint, Record, Registration, Scope, SignInService, SignIns,
    StoreChoice, StoreError, Tenant,
};
use crate::domain::characters::{visible, visible_path};
use crate::domain::exchange::NeededSignIn;
use crate::domain::setting::{Choice, Setting};

/// The timeout of each request to the sign-in service.
pub const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(30);

/// Where tokens come from.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A source that the user names.
    Named(Auth),
    /// What `login` keeps.
    Kept(Box<KeptSignIn>),
}

/// Which of the kept sign-ins is meant: that of a profile, where what the profile says fits it.
#[derive(Debug, Clone)]
pub struct KeptSignIn {
    /// The profile's name; `None` for the one that counts where none is named.
    pub profile: Option<String>,
    /// The sign-in service, where it is set.
    pub authority: Option<Authority>,
    /// The tenant, where it is set.
    pub tenant: Option<Tenant>,
    /// The app registration, where it is set.
    pub client_id: Option<ClientId>,
    /// The secret of the app registration, where it has one.
    pub secret: Option<SecretSource>,
    /// The place where a sign-in is kept, where it is set.
    pub store: Option<StoreChoice>,
    /// The service that a sign-in is for where no other is typed.
    pub endpoint: Endpoint,
}

/// Where the secret of an app registration comes from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// The secret itself.
    Given(ClientSecret),
    /// A file that holds it.
    File(PathBuf),
}

impl SecretSource {
    /// Returns the secret.
    ///
    /// # Errors
    /// Returns an error where its file can't be read, or holds none.
    pub fn read(&self) -> Result<ClientSecret, CommandError> {
        let path = match self {
            Self::Given(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let what = format!("the file of the app registration's secret, {}", visible_path(path));
        let text = std::fs::read_to_string(path)
            .map_err(|error| CommandError::could_not_run(format!("cannot read {what}")).because(error))?;
        ClientSecret::of(&text).ok_or_else(|| CommandError::could_not_run(format!("{what}, is empty")))
    }
}

impl Credentials {
    /// Returns the source of tokens for a service.
    ///
    /// # Errors
    /// Returns an error where no source is named and nobody is signed in for the service.
    pub fn auth(&self, endpoint: &Endpoint, environment: &Environment<'_>) -> Result<Auth, CommandError> {
        match self {
            Self::Named(auth) => Ok(auth.clone()),
            Self::Kept(kept) => kept.auth(endpoint, environment),
        }
    }
}

impl KeptSignIn {
    fn auth(&self, endpoint: &Endpoint, environment: &Environment<'_>) -> Result<Auth, CommandError> {
        let sign_ins = match sign_ins(environment) {
            Ok(sign_ins) => sign_ins,
            Err(_) => return Err(self.nobody(endpoint, None)),
        };
        let record = self.record(&sign_ins, endpoint)?;
        let registration = Registration {
            authority: record.id.authority.clone(),
            tenant: record.id.tenant.clone(),
            client_id: record.id.client_id.clone(),
            scope: record.scope.clone(),
            secret: self.secret.as_ref().map(SecretSource::read).transpose()?,
        };
        if let Some(who) = self.who(endpoint, environment) {
            environment.console.say(&format!("note: {who}"));
        }
        let service = SignInService::new(registration, SIGN_IN_TIMEOUT, environment.clock)
            .map_err(|error| CommandError::could_not_run(error.to_string()))?;
        let stop = environment.stop.clone();
        Ok(Auth::signed_in(sign_ins, record.id, service, move || stop.is_interrupted()))
    }

    /// Describes who is signed in for a service, where somebody is.
    pub fn who(&self, endpoint: &Endpoint, environment: &Environment<'_>) -> Option<String> {
        let record = self.record(&sign_ins(environment).ok()?, endpoint).ok()?;
        let account = record.account.as_ref().map_or("somebody".to_owned(), ToString::to_string);
        Some(format!("{} is signed in, in the tenant {}", visible(&account), record.id.tenant))
    }

    /// Returns the id of the tenant that is signed in to for a service, where the sign-in told it.
    pub fn tenant(&self, endpoint: &Endpoint, environment: &Environment<'_>) -> Option<String> {
        self.record(&sign_ins(environment).ok()?, endpoint).ok()?.account?.tenant
    }

    /// Returns why there is no sign-in for a service, where there is none.
    pub fn trouble(&self, endpoint: &Endpoint, environment: &Environment<'_>) -> Option<CommandError> {
        let record = match sign_ins(environment) {
            Ok(sign_ins) => self.record(&sign_ins, endpoint),
            Err(_) => Err(self.nobody(endpoint, None)),
        };
        record.err()
    }

    /// Returns the record of the sign-in for a service.
    ///
    /// # Errors
    /// Returns an error where there is none, or several are meant.
    pub fn record(&self, sign_ins: &SignIns, endpoint: &Endpoint) -> Result<Record, CommandError> {
        let all = sign_ins.records().map_err(|error| store_failed(&error, None))?;
        // One that can't be read is told by `login --status`; it may be another profile's.
        let mut fitting: Vec<Record> = all.into_iter().flatten().filter(|record| self.fits(record)).collect();
        let elsewhere = fitting.iter().find(|record| record.endpoint != *endpoint).cloned();
        fitting.retain(|record| record.endpoint == *endpoint);
        match fitting.len() {
            0 => Err(self.nobody(endpoint, elsewhere)),
            1 => Ok(fitting.remove(0)),
            _ => {
                let tenants: Vec<String> = fitting
                    .iter()
                    .map(|record| format!("{} (client id {})", record.id.tenant, record.id.client_id))
                    .collect();
                let message = format!("several sign-ins may be meant: {}", tenants.join(", "));
                Err(CommandError::could_not_run(message)
                    .hint("say which in the profile: tenant = \"…\", client-id = \"…\""))
            }
        }
    }

    /// Whether a record is that of the profile, and what the profile says fits it.
    pub fn fits(&self, record: &Record) -> bool {
        let Self { profile, authority, tenant, client_id, secret: _, store: _, endpoint: _ } = self;
        record.id.profile == *profile
            && authority.as_ref().is_none_or(|set| *set == record.id.authority)
            && tenant.as_ref().is_none_or(|set| is_same(set.as_str(), record.id.tenant.as_str()))
            && client_id.as_ref().is_none_or(|set| is_same(set.as_str(), record.id.client_id.as_str()))
    }

    /// Makes the error that nobody is signed in for a service. `elsewhere` is the sign-in for another one.
    fn nobody(&self, endpoint: &Endpoint, elsewhere: Option<Record>) -> CommandError {
        let other = elsewhere.map_or(String::new(), |record| {
            format!(", and the sign-in of this profile is for {} alone", record.endpoint)
        });
        CommandError::could_not_run(format!("there is no token for {endpoint}{other}")).hint(format!(
            "sign in: {}; or set PARTNER_CENTER_TOKEN, or name a source with {} or {}",
            self.login(endpoint, None, NeededSignIn::Any),
            flag(Setting::TokenCommand),
            flag(Setting::TokenFile)
        ))
    }

    /// Returns the command that signs in for a service again, as is needed.
    pub fn again(
        &self,
        endpoint: &Endpoint,
        needed: NeededSignIn,
        environment: &Environment<'_>,
    ) -> CommandLine {
        // Whatever is wrong with the record, the profile may say enough.
        let record = sign_ins(environment).ok().and_then(|all| self.record(&all, endpoint).ok());
        self.login(endpoint, record.as_ref(), needed)
    }

    /// Returns the command that signs in for a service, as is needed. What the profile doesn't say of the app
    /// registration, and of where it is kept, is taken from the record of an earlier sign-in.
    fn login(&self, endpoint: &Endpoint, record: Option<&Record>, needed: NeededSignIn) -> CommandLine {
        let of = |setting, value: &str| Choice::of(setting, value);
        let id = record.map(|record| &record.id);
        let choices = [
            self.profile.as_ref().map(|name| of(Setting::Profile, name)),
            id.filter(|_| self.tenant.is_none()).map(|id| of(Setting::Tenant, id.tenant.as_str())),
            id.filter(|_| self.client_id.is_none()).map(|id| of(Setting::ClientId, id.client_id.as_str())),
            id.filter(|id| self.authority.is_none() && id.authority != Authority::global())
                .map(|id| of(Setting::Authority, id.authority.as_str())),
            record
                .filter(|record| record.scope != Scope::default())
                .map(|record| of(Setting::Scope, record.scope.as_str())),
            record
                .filter(|record| self.store.is_none() && record.choice != StoreChoice::default())
                .map(|record| of(Setting::Store, record.choice.name())),
            (*endpoint != self.endpoint).then(|| of(Setting::Endpoint, endpoint.as_str())),
            (needed == NeededSignIn::Browser).then(|| Choice::bare(Setting::Browser)),
        ];
        CommandLine::login(choices.into_iter().flatten().collect())
    }
}

/// Whether two ids or domains are the same: capitals make no difference.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Returns the sign-ins that are kept for this user.
///
/// # Errors
/// Returns an error where the environment doesn't tell where the user's files are.
pub fn sign_ins(environment: &Environment<'_>) -> Result<SignIns, CommandError> {
    environment.state_dir.map(SignIns::in_state_dir).ok_or_else(|| {
        let set = if cfg!(windows) { "LOCALAPPDATA" } else { "HOME" };
        CommandError::could_not_run("nothing tells where your files are, and so where a sign-in is kept")
            .hint(format!("set {set} in the environment"))
    })
}

/// Makes the error that a sign-in can't be kept, found or used; `again` is the command that signs in.
pub fn store_failed(error: &StoreError, again: Option<CommandLine>) -> CommandError {
    let remedy = spelled(&error.remedy());
    let remedy = match again.filter(|_| error.is_mended_by_sign_in()) {
        Some(again) => format!("{remedy}: {again}"),
        None => remedy,
    };
    CommandError::could_not_run(error.to_string()).hint(remedy)
}
