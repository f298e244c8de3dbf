//! Decides how a plan begins to look at referrals, by what was learnt of the service: with list pages, or with single
//! reads where those can't spare any.

use std::time::Duration;

use super::environment::Environment;
use super::learnt::{self, LearntLists, ServiceKey};
use super::source::Source;
use super::survey::Surveyor;
use super::target::Target;
use crate::api::Client;
use crate::domain::characters::visible_path;
use crate::engine::fetch::{Beginning, Survey};
use crate::ledger::LedgerError;
use crate::report::{counted, roughly};

/// How old a hint may be.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// Returns how to begin, and says so where it is not the usual way.
///
/// # Errors
/// Returns an error where what the inputs want can't be read again.
pub async fn of<W: Source>(
    surveyor: &mut Surveyor<'_, W>,
    client: &Client,
    target: &Target,
    environment: &Environment<'_>,
) -> Result<Beginning, LedgerError> {
    // A single referral takes one request either way.
    if surveyor.remaining() < 2 {
        return Ok(Beginning::Pages);
    }
    let Some((lists, age)) = hint(client, target, environment).await else { return Ok(Beginning::Pages) };
    let pages = lists.pages().unwrap_or_default();
    let why = if !lists.any_etags {
        "lists do not show the eTags that changes are bound to".to_owned()
    } else if surveyor.all_hang_on(&|pointer| lists.hides(pointer))? {
        "lists leave out what every row hangs on".to_owned()
    } else if surveyor.remaining() < usize::try_from(pages).unwrap_or(usize::MAX) && lists.show_names() {
        format!("lists have {}, which are more than the referrals to be read", counted(pages, "page"))
    } else {
        return Ok(Beginning::Pages);
    };
    environment.console.say(&format!(
        "note: {why}, as was learnt {} ago: referrals are read one by one, as long as each of them is to be changed",
        roughly(age)
    ));
    Ok(Beginning::Singles)
}

/// Keeps how many referrals there are, once a list was read to its end. That it can't be kept costs nothing.
pub async fn keep_total(client: &Client, target: &Target, referrals: u64, environment: &Environment<'_>) {
    let Target::Service(endpoint, _) = target else { return };
    let Some(state_dir) = environment.state_dir.filter(|dir| learnt::is_anything_kept(dir)) else { return };
    let Ok(claims) = client.token_claims().await else { return };
    let tenant = claims.and_then(|claims| claims.tenant);
    let key = ServiceKey { endpoint: endpoint.as_str(), tenant: tenant.as_deref() };
    let _ = learnt::keep_total(state_dir, key, referrals);
}

/// Returns what was learnt of the lists of a service, and how long ago, where that is not too long.
async fn hint(
    client: &Client,
    target: &Target,
    environment: &Environment<'_>,
) -> Option<(LearntLists, Duration)> {
    let Target::Service(endpoint, _) = target else { return None };
    let state_dir = environment.state_dir.filter(|dir| learnt::is_anything_kept(dir))?;
    let claims = tokio::select! {
        biased;
        () = environment.stop.wait() => return None,
        claims = client.token_claims() => claims.ok()?,
    };
    let tenant = claims.and_then(|claims| claims.tenant);
    let key = ServiceKey { endpoint: endpoint.as_str(), tenant: tenant.as_deref() };
    match learnt::read(state_dir, key) {
        Ok(learnt) => {
            let learnt = learnt?;
            let age = (environment.clock)().duration_since(learnt.learned_at);
            let age = Duration::try_from(age).ok().filter(|age| *age <= LONGEST)?;
            Some((learnt.lists, age))
        }
        Err(why) => {
            let file = visible_path(&key.file(state_dir));
            environment
                .console
                .say(&format!("note: what was learnt of the service is not used: {file}: {why}"));
            None
        }
    }
}
