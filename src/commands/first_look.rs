//! The first look at the referrals after somebody signed in: whether the service takes the token, and lets this
//! account see any.

use std::time::Duration;

use super::check::endpoint::role;
use super::check::inquiry::ListSeen;
use super::environment::Environment;
use super::error::CommandError;
use super::next_command::spelled;
use crate::api::{Auth, ClaimsChallenge, Client, ClientSettings, Endpoint};
use crate::domain::characters::visible;
use crate::domain::exchange::{Failure, Refusal};
use crate::domain::exit::Exit;

/// The timeout of the request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The code of a token without a second factor.
const NO_FACTOR: &str = "900421";

/// The reason why the service shows this account nothing: somebody is signed in, and no run could begin.
#[derive(Debug)]
pub struct Unseen {
    /// What to tell.
    pub trouble: CommandError,
    /// What a policy demands of the next sign-in, where it was that.
    pub demanded: Option<ClaimsChallenge>,
}

/// Asks for the first page of referrals, and says what came.
///
/// # Errors
/// See [`Unseen`].
pub async fn look(endpoint: Endpoint, auth: Auth, environment: &Environment<'_>) -> Result<Exit, Unseen> {
    let settings =
        ClientSettings { timeout: TIMEOUT, correlation_id: (environment.new_id)(), clock: environment.clock };
    let client = Client::new(endpoint.clone(), auth, settings).map_err(|error| Unseen {
        trouble: CommandError::could_not_run(error.to_string()),
        demanded: None,
    })?;
    let looked = tokio::select! {
        biased;
        () = environment.stop.wait() => return Ok(Exit::Stopped),
        looked = client.list(None) => looked,
    };
    match looked {
        Ok(page) => {
            let role = role(&ListSeen::Page(page));
            let told = [role.seen.join("; "), spelled(&role.means)];
            environment.console.say(&format!("role: {}", visible(&told.join(": "))));
            role.todo.iter().for_each(|todo| environment.console.say(&format!("hint: {}", spelled(todo))));
            Ok(Exit::Done)
        }
        Err(failure) => Err(Unseen { trouble: unseen(&endpoint, &failure), demanded: client.demanded() }),
    }
}

/// Says why the service shows nothing, and what to do. The sign-in itself stands.
fn unseen(endpoint: &Endpoint, failure: &Failure) -> CommandError {
    let what = format!("signed in, but {endpoint} shows no referrals: {}", failure.message());
    let hint = match failure {
        Failure::Answered(Refusal { codes, .. }) if codes.iter().any(|code| code == NO_FACTOR) => {
            "the service wants a sign-in with another factor (MFA): have it required for this account, and sign in again"
        }
        Failure::Answered(Refusal { status: 403, .. }) => {
            "have this account given the role Referrals admin, or Referrals user, in Partner Center; then try again"
        }
        Failure::Answered(Refusal { status: 401, .. }) => {
            "the service doesn't take this token: see that the app registration has the delegated permission \
             user_impersonation of Microsoft Partner Center, with an administrator's consent"
        }
        _ => "check the endpoint and the network; the sign-in itself is done",
    };
    CommandError::could_not_run(what).hint(hint)
}
