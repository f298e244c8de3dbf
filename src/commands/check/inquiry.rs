//! Asks the service what `check` tells of: GETs alone, a handful of them, each at the pace of a run.

use super::asker::Asker;
use super::filters::{self, FilterSeen, FilterVerdict};
use super::list_shape::{self, Compared};
use crate::api::{AnswerLog, Client, ClientSettings, Page, TokenClaims, knock};
use crate::commands::options::Sending;
use crate::commands::target::Target;
use crate::commands::{CommandError, Environment, connection};
use crate::domain::exchange::{Failure, NeededSignIn};
use crate::pace::Pace;

/// All that was asked, and what came of it.
pub struct Inquiry {
    /// What is known of the token.
    pub token: TokenSeen,
    /// What the first request for the list came to.
    pub list: ListSeen,
    /// What one element of the list shows beside its single read.
    pub compared: Compared,
    /// What came of each condition that the list was filtered by.
    pub filters: Vec<FilterSeen>,
    /// What the answers show besides.
    pub log: AnswerLog,
}

impl Inquiry {
    /// Whether the list was read, which takes a sign-in, a service and a role.
    pub fn is_readable(&self) -> bool {
        matches!(self.list, ListSeen::Page(_))
    }

    /// Whether whatever was asked got a whole answer that is what was asked for.
    pub fn is_all_answered(&self) -> bool {
        self.is_readable()
            && self.unread().is_none()
            && self.filters.iter().all(|filter| filter.verdict != FilterVerdict::Failed)
    }

    /// Returns why the list was not read, or, where it was, the referral whose single read was asked for.
    pub fn unread(&self) -> Option<&Failure> {
        match (&self.list, &self.compared) {
            (ListSeen::Failed(failure), _) | (ListSeen::Page(_), Compared::Failed(_, failure)) => {
                Some(failure)
            }
            (ListSeen::Page(_) | ListSeen::Knocked(_) | ListSeen::Unasked, _) => None,
        }
    }

    /// Returns the sign-in that can mend what is wrong with the token; `None` where it takes something else.
    pub fn mending_sign_in(&self) -> Option<NeededSignIn> {
        match (&self.token, self.unread()) {
            (TokenSeen::Failed(failure), _) | (_, Some(failure @ Failure::NoToken { .. })) => {
                failure.needs_sign_in()
            }
            _ => Some(NeededSignIn::Any),
        }
    }
}

/// What is known of the token.
#[derive(Debug)]
pub enum TokenSeen {
    /// Nothing says where one comes from, and nobody is signed in.
    Missing(CommandError),
    /// Its source gives none.
    Failed(Failure),
    /// The sandbox takes any.
    Unneeded,
    /// It is no JWT, so that nothing can be told of it.
    Opaque,
    /// What it says of itself.
    Claims(TokenClaims),
    /// It was not fetched, since the user interrupted.
    Unasked,
}

impl TokenSeen {
    /// Returns the tenant that issued the token, where that is known.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Claims(claims) => claims.tenant.as_deref(),
            Self::Missing(_) | Self::Failed(_) | Self::Unneeded | Self::Opaque | Self::Unasked => None,
        }
    }
}

/// What a request for the first page of the list came to.
pub enum ListSeen {
    /// The page.
    Page(Page),
    /// A refusal, or no answer.
    Failed(Failure),
    /// An answer to a request without a token, or why there was none. That it is refused says nothing.
    Knocked(Result<(), Failure>),
    /// The user interrupted before.
    Unasked,
}

/// Asks all of it, as far as one thing doesn't stand against the next.
///
/// # Errors
/// Returns an error where a client can't be set up, or the sandbox has no seed.
pub async fn inquire(
    target: &Target,
    sending: &Sending,
    environment: &Environment<'_>,
) -> Result<Inquiry, CommandError> {
    let log = AnswerLog::default();
    let id = (environment.new_id)();
    let settings = ClientSettings { timeout: sending.timeout, correlation_id: id, clock: environment.clock };
    let alone = async |token| {
        let Target::Service(endpoint, _) = target else { return unasked(token, ListSeen::Unasked, &log) };
        let list = tokio::select! {
            biased;
            () = environment.stop.wait() => ListSeen::Unasked,
            knocked = knock(endpoint, &settings, &log) => ListSeen::Knocked(knocked),
        };
        unasked(token, list, &log)
    };
    if let Some(nobody) = connection::nobody_signed_in(target, environment) {
        return Ok(alone(TokenSeen::Missing(nobody)).await);
    }
    let client = connection::connect_logged(target, sending.timeout, id, Some(log.clone()), environment)?;
    let token = tokio::select! {
        biased;
        () = environment.stop.wait() => TokenSeen::Unasked,
        token = token(target, &client) => token,
    };
    Ok(match token {
        TokenSeen::Failed(_) => alone(token).await,
        TokenSeen::Unasked => unasked(token, ListSeen::Unasked, &log),
        token => {
            let pace = Pace::new(sending.pacing);
            let asker = Asker { client: &client, pace: &pace, stop: environment.stop };
            ask(&asker, token, &log).await
        }
    })
}

/// Returns an inquiry that ended early.
fn unasked(token: TokenSeen, list: ListSeen, log: &AnswerLog) -> Inquiry {
    Inquiry { token, list, compared: Compared::Not, filters: Vec::new(), log: log.clone() }
}

async fn token(target: &Target, client: &Client) -> TokenSeen {
    if target.is_sandbox() {
        return TokenSeen::Unneeded;
    }
    match client.token_claims().await {
        Ok(Some(claims)) => TokenSeen::Claims(claims),
        Ok(None) => TokenSeen::Opaque,
        Err(failure) => TokenSeen::Failed(failure),
    }
}

/// Asks for the list, for one of its elements, and for the list filtered in several ways.
async fn ask(asker: &Asker<'_>, token: TokenSeen, log: &AnswerLog) -> Inquiry {
    let client = asker.client;
    let page = match asker.ask(async || client.list(None).await).await {
        Ok(page) => page,
        Err(Some(failure)) => return unasked(token, ListSeen::Failed(failure), log),
        Err(None) => return unasked(token, ListSeen::Unasked, log),
    };
    let compared = match list_shape::fullest(&page) {
        Some((id, element)) => match asker.ask(async || client.get(id).await).await {
            Ok(reply) => Compared::of(id, element, &reply),
            Err(Some(failure)) => Compared::Failed(id, failure),
            Err(None) => Compared::Not,
        },
        None => Compared::Not,
    };
    let mut filters = Vec::new();
    for question in filters::questions(&page) {
        let answer = match &question.link {
            Some(link) => match asker.ask(async || client.list(Some(link)).await).await {
                Ok(page) => Some(Ok(page)),
                Err(Some(failure)) => Some(Err(failure)),
                Err(None) => break,
            },
            None => None,
        };
        filters.push(FilterSeen::of(question, &page, answer));
    }
    Inquiry { token, list: ListSeen::Page(page), compared, filters, log: log.clone() }
}
