//! Makes the settings of signing in: which app registration signs in, and where that is kept.

use std::borrow::Cow;
use std::path::Path;

use clap::ValueEnum;

use super::args::{self, RegistrationArgs};
use super::config::{Config, DEFAULT_PROFILE, Profile};
use super::origin::{FILE, Origin, Sourced, Table};
use super::sources::Surroundings;
use crate::api::{Authority, ClientId, ClientSecret, Endpoint, Scope, SignInMethod, StoreChoice, Tenant};
use crate::commands::CommandError;
use crate::commands::credentials::{KeptSignIn, SecretSource};
use crate::commands::login::LoginOptions;
use crate::commands::login_status::StatusOptions;
use crate::commands::logout::{LogoutOptions, Whose};
use crate::commands::next_command::CommandLine;
use crate::domain::characters::visible;
use crate::domain::setting::{Choice, Setting};

/// The environment variable that holds the secret of the app registration.
pub const CLIENT_SECRET: &str = "REFERRAL_BULK_CLIENT_SECRET";

/// What is set about signing in, as it is written.
pub struct SignInSettings<'a> {
    /// The tenant's id or domain.
    pub tenant: Option<Sourced<'a>>,
    /// The registration's id.
    pub client_id: Option<Sourced<'a>>,
    /// The secret of the registration, where it has one.
    pub secret: Option<Sourced<'a, SecretSetting<'a>>>,
    /// The base URL of the sign-in service.
    pub authority: Option<Sourced<'a>>,
    /// What is asked for.
    pub scope: Option<Sourced<'a>>,
    /// Where the sign-in is kept.
    pub store: Option<Sourced<'a>>,
}

/// Where the secret of a registration comes from. The secret itself is never shown.
#[derive(Clone, Copy)]
pub enum SecretSetting<'a> {
    /// The secret itself.
    Given(&'a str),
    /// A file that holds it.
    File(&'a Path),
}

impl Surroundings<'_> {
    /// Returns what flags, the environment and the profile say about signing in.
    pub(super) fn sign_in<'a>(
        &'a self,
        typed: &'a RegistrationArgs,
        name: Option<&'a str>,
        profile: &'a Profile,
    ) -> SignInSettings<'a> {
        let table = Table::Profile(name.unwrap_or(DEFAULT_PROFILE));
        let text = |flag: &'static str, typed: &'a Option<String>, in_file: &'a Option<String>| {
            let key = self.config.origin(table, flag.trim_start_matches('-'));
            let sources = [(Origin::Flag(flag), typed), (key, in_file)];
            Sourced::first(sources.map(|(origin, value)| (origin, value.as_deref().map(Cow::Borrowed))))
        };
        let store = typed.store.and_then(|store| store.to_possible_value());
        let store = store.map(|store| Cow::Owned(store.get_name().to_owned()));
        SignInSettings {
            tenant: text("--tenant", &typed.tenant, &profile.tenant),
            client_id: text("--client-id", &typed.client_id, &profile.client_id),
            secret: Sourced::first([
                (Origin::Variable(CLIENT_SECRET), self.variable(CLIENT_SECRET).map(SecretSetting::Given)),
                (
                    self.config.origin(table, "client-secret-file"),
                    profile.client_secret_file.as_deref().map(SecretSetting::File),
                ),
            ]),
            authority: text("--authority", &typed.authority, &profile.authority),
            scope: text("--scope", &typed.scope, &profile.scope),
            store: Sourced::first([
                (Origin::Flag("--store"), store),
                (self.config.origin(table, "store"), profile.store.as_deref().map(Cow::Borrowed)),
            ]),
        }
    }

    /// Returns which kept sign-in a run uses where no other source of tokens is named.
    pub(super) fn kept_sign_in(
        &self,
        name: Option<&str>,
        profile: &Profile,
    ) -> Result<KeptSignIn, CommandError> {
        self.kept_sign_in_as(&RegistrationArgs::default(), name, profile)
    }

    /// Returns which kept sign-in is meant by the profile and what is typed of the registration.
    fn kept_sign_in_as(
        &self,
        typed: &RegistrationArgs,
        name: Option<&str>,
        profile: &Profile,
    ) -> Result<KeptSignIn, CommandError> {
        let set = self.sign_in(typed, name, profile);
        Ok(KeptSignIn {
            profile: name.map(str::to_owned),
            authority: set.authority.as_ref().map(authority).transpose()?,
            tenant: set.tenant.as_ref().map(tenant).transpose()?,
            client_id: set.client_id.as_ref().map(client_id).transpose()?,
            secret: set.secret.as_ref().and_then(secret),
            store: set.store.as_ref().map(store).transpose()?,
            endpoint: self.own_endpoint(name, profile).unwrap_or_else(Endpoint::official),
        })
    }

    /// Makes the settings of `login`.
    ///
    /// # Errors
    /// As [`Surroundings::apply`]; and where there is no tenant or no client id, with how to come by them.
    pub fn login(&self, typed: &args::LoginArgs) -> Result<LoginOptions, CommandError> {
        let name = typed.profile.as_deref();
        let profile = self.config.profile(name)?;
        let target = args::TargetArgs {
            endpoint: typed.endpoint.clone(),
            profile: typed.profile.clone(),
            ..args::TargetArgs::default()
        };
        let endpoint = self.endpoint(&target, &profile).map(|set| {
            // An invalid URL isn't shown: it may hold a password.
            Endpoint::parse(&set.value).map_err(|error| set.origin.error(error))
        });
        let set = self.sign_in(&typed.registration, name, &profile);
        let (Some(tenant), Some(client_id)) = (&set.tenant, &set.client_id) else {
            return Err(unregistered(&set, name, self.config));
        };
        let (tenant, client_id) = (self::tenant(tenant)?, self::client_id(client_id)?);
        let authority = set.authority.as_ref().map(authority).transpose()?;
        Ok(LoginOptions {
            authority: authority.unwrap_or_else(Authority::global),
            tenant,
            client_id,
            scope: set.scope.as_ref().map(scope).transpose()?.unwrap_or_default(),
            secret: set.secret.as_ref().and_then(secret),
            method: match (typed.browser, typed.device_code) {
                (true, _) => Some(SignInMethod::Browser),
                (_, true) => Some(SignInMethod::DeviceCode),
                (false, false) => None,
            },
            account: typed.account.clone(),
            store: set.store.as_ref().map(store).transpose()?.unwrap_or_default(),
            profile: name.map(str::to_owned),
            endpoint: endpoint.transpose()?.unwrap_or_else(Endpoint::official),
            goes_before: self.token(&target, &profile).map(|token| token.origin.to_string()),
            typed: login_choices(typed),
            variables: self.variables.clone(),
        })
    }

    /// Makes the settings of `login --status`.
    ///
    /// # Errors
    /// As [`Surroundings::apply`].
    pub fn login_status(&self, typed: &args::LoginArgs) -> Result<StatusOptions, CommandError> {
        let name = typed.profile.as_deref();
        let profile = self.config.profile(name)?;
        let target = args::TargetArgs { profile: typed.profile.clone(), ..args::TargetArgs::default() };
        Ok(StatusOptions {
            sign_in: self.kept_sign_in_as(&typed.registration, name, &profile)?,
            typed: login_choices(typed),
            goes_before: self.token(&target, &profile).map(|token| token.origin.to_string()),
            json: typed.json,
        })
    }
}

/// Makes the settings of `logout`. Its profile needs to be in no file any more.
pub fn logout(typed: args::LogoutArgs) -> LogoutOptions {
    let whose = if typed.all { Whose::Everybody } else { Whose::Profile(typed.profile) };
    LogoutOptions { whose }
}

/// Parses the tenant.
fn tenant(set: &Sourced<'_>) -> Result<Tenant, CommandError> {
    Tenant::parse(&set.value).map_err(|error| set.wrong(error))
}

/// Parses the client id.
fn client_id(set: &Sourced<'_>) -> Result<ClientId, CommandError> {
    ClientId::parse(&set.value).map_err(|error| set.wrong(error))
}

/// Parses the base URL of the sign-in service. An invalid one isn't shown: it may hold a password.
fn authority(set: &Sourced<'_>) -> Result<Authority, CommandError> {
    Authority::parse(&set.value).map_err(|error| set.origin.error(error))
}

/// Parses what is asked for.
pub(super) fn scope(set: &Sourced<'_>) -> Result<Scope, CommandError> {
    Scope::parse(&set.value).map_err(|error| set.wrong(error))
}

/// Parses where the sign-in is kept.
pub(super) fn store(set: &Sourced<'_>) -> Result<StoreChoice, CommandError> {
    StoreChoice::parse(&set.value).map_err(|error| set.wrong(error))
}

/// Takes the secret of the registration, or the file that holds it. An empty variable is none.
fn secret(set: &Sourced<'_, SecretSetting<'_>>) -> Option<SecretSource> {
    match set.value {
        SecretSetting::Given(secret) => ClientSecret::of(secret).map(SecretSource::Given),
        SecretSetting::File(path) => Some(SecretSource::File(path.to_owned())),
    }
}

/// Returns what was typed, for a next command that signs in again.
fn login_choices(typed: &args::LoginArgs) -> Vec<Choice> {
    let args::RegistrationArgs { tenant, client_id, authority, scope, store } = &typed.registration;
    let store = store.and_then(|store| store.to_possible_value());
    let choices = [
        typed.profile.as_ref().map(|name| Choice::of(Setting::Profile, name)),
        tenant.as_ref().map(|tenant| Choice::of(Setting::Tenant, tenant)),
        client_id.as_ref().map(|id| Choice::of(Setting::ClientId, id)),
        authority.as_ref().map(|url| Choice::of(Setting::Authority, url)),
        scope.as_ref().map(|scope| Choice::of(Setting::Scope, scope)),
        store.map(|store| Choice::of(Setting::Store, store.get_name())),
        typed.endpoint.as_ref().map(|url| Choice::of(Setting::Endpoint, url)),
    ];
    choices.into_iter().flatten().collect()
}

/// Makes the error that no app registration is named, which says how somebody comes by one.
fn unregistered(set: &SignInSettings<'_>, profile: Option<&str>, config: &Config) -> CommandError {
    let missing = match (&set.tenant, &set.client_id) {
        (None, None) => "a tenant and an app registration are needed to sign in, and neither is named",
        (None, _) => "a tenant is needed to sign in, and none is named",
        (_, _) => "an app registration is needed to sign in, and none is named",
    };
    let of = Choice::of;
    let own = profile.map(|name| of(Setting::Profile, name));
    let named = [of(Setting::Tenant, "TENANT"), of(Setting::ClientId, "CLIENT-ID")];
    let login = CommandLine::login(own.into_iter().chain(named).collect());
    let table = profile.unwrap_or(DEFAULT_PROFILE);
    let read = match (config.is_there, config.profile.contains_key(table)) {
        (false, _) => format!("there is no {FILE} in this directory, where it is looked for"),
        (true, true) => format!("{FILE} of this directory is read"),
        (true, false) => {
            let names: Vec<String> = config.profile.keys().map(|name| visible(name).into_owned()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            format!(
                "{FILE} of this directory is read, and has no [profile.{table}]; the profiles in it: {names}"
            )
        }
    };
    CommandError::usage(format!("{missing} ({read})")).hint(format!(
        "an administrator registers an app once in the tenant, for all who use this program:
  1. open https://entra.microsoft.com, then App registrations, New registration; accounts of this tenant alone
  2. Authentication, Add a platform, \"Mobile and desktop applications\": redirect URI http://localhost
  3. Authentication, \"Allow public client flows\": Yes (signing in by a code needs it)
  4. API permissions, Add, \"APIs my organization uses\", Microsoft Partner Center: delegated user_impersonation;
     then \"Grant admin consent\"
  5. Overview shows both ids: \"Application (client) ID\" and \"Directory (tenant) ID\"
  6. write them into {FILE}, below [profile.{}]: tenant = \"…\" and client-id = \"…\"; or type them:
     {login}",
        visible(table),
    ))
}
