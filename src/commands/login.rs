//! `login`: signs somebody in, keeps that, and looks whether the service lets them at the referrals.

use std::collections::BTreeMap;

use super::credentials::{SIGN_IN_TIMEOUT, SecretSource, sign_ins, store_failed};
use super::environment::Environment;
use super::error::CommandError;
use super::first_look::{self, Unseen};
use super::next_command::{CommandLine, spelled};
use super::sign_in_way::{self, NotSignedIn, Wanted};
use crate::api::{
    self, Auth, Authority, ClientId, Endpoint, Grant, Kept, NewSignIn, Registration, Remedy, Scope, SignInId,
    SignInMethod, SignInService, SignIns, StoreChoice, StorePlace, Tenant,
};
use crate::domain::characters::{visible, visible_path};
use crate::domain::exit::Exit;
use crate::domain::setting::{Choice, Setting};

/// The options of `login`.
#[derive(Debug)]
pub struct LoginOptions {
    /// The sign-in service.
    pub authority: Authority,
    /// The tenant to sign in to.
    pub tenant: Tenant,
    /// The app registration.
    pub client_id: ClientId,
    /// What is asked for.
    pub scope: Scope,
    /// The secret of the app registration, where it has one.
    pub secret: Option<SecretSource>,
    /// How to sign in; `None` leaves it to the program.
    pub method: Option<SignInMethod>,
    /// The account to propose.
    pub account: Option<String>,
    /// Where to keep the sign-in.
    pub store: StoreChoice,
    /// The profile that somebody signs in for; `None` for the one that counts where none is named.
    pub profile: Option<String>,
    /// The service that the sign-in is for.
    pub endpoint: Endpoint,
    /// Where a source of tokens stands that goes before every sign-in.
    pub goes_before: Option<String>,
    /// The choices that the user typed.
    pub typed: Vec<Choice>,
    /// The environment variables, which tell whether a browser is likely to open.
    pub variables: BTreeMap<String, String>,
}

/// Signs somebody in.
///
/// # Errors
/// Returns an error where nobody is signed in, or that can't be kept.
pub async fn run(options: LoginOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let console = environment.console;
    let registration = Registration {
        authority: options.authority.clone(),
        tenant: options.tenant.clone(),
        client_id: options.client_id.clone(),
        scope: options.scope.clone(),
        secret: options.secret.as_ref().map(SecretSource::read).transpose()?,
    };
    let id = SignInId::new(options.profile.as_deref(), &registration);
    let sign_ins = sign_ins(environment)?;
    let place = place(&sign_ins, &options, environment).await?;
    // A record that can't be read is replaced by this sign-in.
    let before = sign_ins.find(&id).ok().flatten();
    let claims = before.as_ref().and_then(|record| record.challenge.clone());
    if claims.is_some() {
        console.say("note: a policy demanded more of the last sign-in, and this one asks for just that");
    }
    let account = options.account.clone().or_else(|| before?.account?.user_name);
    let method = options.method.unwrap_or_else(|| likely_method(&options));
    let service = SignInService::new(registration, SIGN_IN_TIMEOUT, environment.clock)
        .map_err(|error| CommandError::could_not_run(error.to_string()))?;
    let wanted = Wanted {
        account: account.as_deref(),
        claims,
        variables: &options.variables,
        by_code: again_with(Setting::DeviceCode, &options),
    };
    let mut grant = sign_in_way::sign_in(method, &service, wanted, environment)
        .await
        .map_err(|error| not_signed_in(error, &service, &options))?;
    let auth = Auth::granted(&grant);
    let is_kept = place.is_some();
    if let Some(place) = place {
        let kept = keep(&sign_ins, id.clone(), &mut grant, (method, place), &options, environment).await?;
        tell(&grant, &options, Some((&sign_ins, &kept)), environment);
    } else {
        tell(&grant, &options, None, environment);
    }
    let looked = first_look::look(options.endpoint.clone(), auth, environment).await;
    let exit = match looked {
        Ok(exit) => exit,
        Err(Unseen { trouble, demanded: Some(claims) }) if is_kept => {
            sign_ins.challenged(&id, claims).await.map_err(|error| store_failed(&error, None))?;
            let again = again(&options);
            return Err(trouble.hint(format!(
                "a policy demands more of a sign-in, and the next one asks for just that: {again}"
            )));
        }
        Err(Unseen { trouble, .. }) => return Err(trouble),
    };
    if is_kept && exit == Exit::Done {
        console.say(&format!("next: {}", check(&options)));
    }
    Ok(exit)
}

/// Returns the command that checks whether all is ready for a run with this sign-in.
fn check(options: &LoginOptions) -> CommandLine {
    let counts = |choice: &&Choice| [Setting::Profile, Setting::Endpoint].contains(&choice.setting);
    CommandLine::check(options.typed.iter().filter(counts).cloned().collect())
}

/// Returns how to sign in where the user doesn't say: with a browser, where one is likely to open.
fn likely_method(options: &LoginOptions) -> SignInMethod {
    if api::is_browser_likely(&options.variables) { SignInMethod::Browser } else { SignInMethod::DeviceCode }
}

/// Finds a place to keep the sign-in before anybody signs in, and says which it is. `None` where it is to be kept
/// nowhere.
async fn place(
    sign_ins: &SignIns,
    options: &LoginOptions,
    environment: &Environment<'_>,
) -> Result<Option<StorePlace>, CommandError> {
    let console = environment.console;
    if let Some(source) = &options.goes_before {
        console
            .say(&format!("note: {source} goes before every sign-in: as long as it is set, runs use that"));
    }
    if options.store == StoreChoice::None {
        console.say("note: this sign-in is kept nowhere: it ends with this command");
        return Ok(None);
    }
    let place = sign_ins.probe(options.store).await.map_err(|error| store_failed(&error, None))?;
    if let Some(why) = &place.instead_of_keyring {
        console.say(&format!("note: the sign-in will be kept in a file that you alone can read: {why}"));
    }
    Ok(Some(place))
}

/// Keeps a sign-in.
async fn keep(
    sign_ins: &SignIns,
    id: SignInId,
    grant: &mut Grant,
    (method, place): (SignInMethod, StorePlace),
    options: &LoginOptions,
    environment: &Environment<'_>,
) -> Result<StorePlace, CommandError> {
    let Some(token) = grant.refresh.take() else {
        return Err(CommandError::could_not_run(
            "the sign-in service gave nothing that could be kept (no refresh token)",
        )
        .hint(
            "the app registration, or a policy, doesn't allow it: ask an administrator about offline_access",
        ));
    };
    let new = NewSignIn {
        id,
        scope: options.scope.clone(),
        endpoint: options.endpoint.clone(),
        account: grant.account.clone(),
        method,
        signed_in: (environment.clock)(),
    };
    sign_ins.keep(new, token, &place).await.map_err(|error| store_failed(&error, Some(again(options))))
}

/// Says who is signed in.
fn tell(
    grant: &Grant,
    options: &LoginOptions,
    kept: Option<(&SignIns, &StorePlace)>,
    environment: &Environment<'_>,
) {
    let console = environment.console;
    let account = grant
        .account
        .as_ref()
        .map_or("somebody".to_owned(), |account| visible(&account.to_string()).into_owned());
    let tenant = grant.account.as_ref().and_then(|account| account.tenant.as_deref());
    let tenant = match tenant.filter(|id| *id != options.tenant.as_str()) {
        Some(id) => format!("{} ({})", options.tenant, visible(id)),
        None => options.tenant.to_string(),
    };
    let place = match kept {
        Some((_, StorePlace { kept: Kept::Keyring, .. })) => "; kept in the system's keyring".to_owned(),
        Some((sign_ins, StorePlace { kept: Kept::File, .. })) => {
            format!("; kept in a file below {}", visible_path(sign_ins.dir()))
        }
        None => String::new(),
    };
    console.say(&format!("signed in: {account}, in the tenant {tenant}{place}"));
    if let Some(ahead) = grant.clock_ahead {
        let minutes = ahead.as_mins().abs();
        let way = if ahead.is_negative() { "behind" } else { "ahead of" };
        console.say(&format!(
            "warning: this machine's clock is {minutes} minutes {way} the sign-in service's: set it, since times in \
             plans and reports come from it"
        ));
    }
}

/// Returns the command that signs in again in the same way.
fn again(options: &LoginOptions) -> CommandLine {
    CommandLine::login(options.typed.clone())
}

/// Returns the command that signs in again, in this of the two ways.
fn again_with(way: Setting, options: &LoginOptions) -> CommandLine {
    let is_way = |choice: &&Choice| [Setting::Browser, Setting::DeviceCode].contains(&choice.setting);
    let others = options.typed.iter().filter(|choice| !is_way(choice)).cloned();
    CommandLine::login(others.chain([Choice::bare(way)]).collect())
}

/// Returns why nobody is signed in, what that means, and what to type.
fn not_signed_in(error: NotSignedIn, service: &SignInService, options: &LoginOptions) -> CommandError {
    let error = match error {
        NotSignedIn::Interrupted => return sign_in_way::interrupted(),
        NotSignedIn::Failed(error) => error,
    };
    let advice = error.advice(None);
    let hint = spelled(&advice.hint(service.registration()));
    let command = match advice.remedy {
        Remedy::Browser => again_with(Setting::Browser, options),
        Remedy::DeviceCode => again_with(Setting::DeviceCode, options),
        _ => again(options),
    };
    CommandError::could_not_run(format!("nobody is signed in: {error}; {}", advice.meaning))
        .hint(format!("{hint}: {command}"))
}
