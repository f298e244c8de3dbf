//! Looking: the state of the wanted referrals in the fewest requests.
//!
//! A list page brings up to a hundred referrals and a GET one, but how long the list is nobody says.
//! So the list is read as long as it pays: a page that spared at least one GET has paid for itself,
//! and pages that spared none are borne up to a tenth of what the remaining GETs would cost. What is
//! left is read one by one, and so is whatever the pages gave without an eTag and is to be sent, or without a
//! member that its rows hang on: what an element of a list lacks, nobody has seen.
//!
//! A service that shows neither the list nor any referral shows none: nobody is kept waiting for
//! thousands of answers that say so.

use std::collections::HashSet;

use futures::StreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::{Instrument, debug, info, info_span};

use super::context::Context;
use super::event::Event;
use super::service::Api;
use super::shown;
use super::stop::Reason;
use crate::domain::exchange::{Failure, Reply};
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;

/// Who wants to know, and what became of it.
pub trait Survey {
    /// Why the survey could not go on.
    type Error;

    /// The referrals that are still wanted.
    fn wanted(&self) -> Vec<ReferralId>;

    /// How many they are.
    fn remaining(&self) -> usize;

    /// Takes a referral from a page or an answer. `last_word` is false where it came from a page,
    /// and a GET could still bring its eTag, or what the page doesn't show.
    ///
    /// # Errors
    /// Where the caller cannot go on.
    fn seen(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<Coverage, Self::Error>;

    /// Takes note that a referral could not be read.
    ///
    /// # Errors
    /// Where the caller cannot go on.
    fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), Self::Error>;
}

/// So many referrals that are not to be had, where the list isn't either, tell that the address is wrong
/// or that a role is missing.
const MOST_ABSENT: usize = 10;

/// What became of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListAccess {
    /// It was read, or not asked for, or could not be read this time.
    There,
    /// The service knows no such thing.
    Missing,
    /// The user may not read it.
    Forbidden,
}

/// What a look at a referral was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Nobody asked for it.
    Unwanted,
    /// It was wanted, and still is: a GET could bring more.
    Incomplete,
    /// It was wanted, and no longer is.
    Complete,
}

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

/// Looks at every wanted referral. Ends early, with referrals still wanted, where the run is
/// stopped. `false` where neither the list nor any of the referrals was found.
///
/// # Errors
/// Whatever the survey's methods answer.
pub async fn fetch_referrals<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
) -> Result<bool, S::Error> {
    tokio::select! {
        biased;
        () = context.stop.left() => Ok(true),
        looked = fetch_all(context, survey) => looked,
        () = context.watch() => Ok(true),
    }
}

async fn fetch_all<A: Api, S: Survey>(context: &Context<'_, A>, survey: &mut S) -> Result<bool, S::Error> {
    let wanted = survey.remaining();
    let observe = |remaining: usize| context.tell(Event::Looked((wanted - remaining) as u64));
    let list = if wanted > 1 { read_pages(context, survey, &observe).await? } else { ListAccess::There };
    info!(wanted, left = survey.remaining(), list = ?list, "the list was read as far as it pays");
    read_singly(context, survey, list, &observe).await
}

async fn read_pages<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    observe: &impl Fn(usize),
) -> Result<ListAccess, S::Error> {
    let mut link = None;
    let mut seen_links = HashSet::new();
    let mut dry_pages = 0;
    // What is not on the pages so far. Those that are there and still wanted no page can spare.
    let mut unseen = survey.remaining();
    loop {
        // A page that can't be read is no disaster: everything can be read one by one.
        let page = match context.page(link.as_ref()).await {
            Ok(page) => page,
            Err(Some(Failure::NotSent { message })) => {
                context.stop.now(Reason::Unreachable(message));
                return Ok(ListAccess::There);
            }
            Err(Some(failure)) if link.is_none() => {
                return Ok(match failure.status() {
                    Some(404) => ListAccess::Missing,
                    Some(403) => ListAccess::Forbidden,
                    _ => ListAccess::There,
                });
            }
            Err(_) => return Ok(ListAccess::There),
        };
        let PageYield { found, spared } = take_page(&page.text, survey)?;
        debug!(found, spared, "a page was read");
        observe(survey.remaining());
        dry_pages = if spared > 0 { 0 } else { dry_pages + 1 };
        unseen = unseen.saturating_sub(found);
        match page.next {
            Some(next) if pays(dry_pages, unseen) && seen_links.insert(next.clone()) => link = Some(next),
            _ => return Ok(ListAccess::There),
        }
    }
}

/// Whether another page is worth its request.
fn pays(dry_pages: usize, unseen: usize) -> bool {
    unseen > 1 && dry_pages * 10 <= unseen
}

/// What a page was good for.
struct PageYield {
    /// Wanted referrals on it.
    found: usize,
    /// GETs that it spared.
    spared: usize,
}

fn take_page<S: Survey>(text: &str, survey: &mut S) -> Result<PageYield, S::Error> {
    let mut page_yield = PageYield { found: 0, spared: 0 };
    let Ok(listing) = serde_json::from_str::<Listing<'_>>(text) else { return Ok(page_yield) };
    for element in listing.value {
        if let Ok(referral) = Snapshot::in_part(element.get()) {
            let seen = survey.seen(&referral, false)?;
            page_yield.found += usize::from(seen != Coverage::Unwanted);
            page_yield.spared += usize::from(seen == Coverage::Complete);
        }
    }
    Ok(page_yield)
}

async fn read_singly<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    list: ListAccess,
    observe: &impl Fn(usize),
) -> Result<bool, S::Error> {
    let mut answers = futures::stream::iter(survey.wanted())
        .map(|id| async move { (id, context.read(id).instrument(info_span!("referral", %id)).await) })
        .buffer_unordered(context.slots.tasks());
    let (mut absent, mut there) = (0, list == ListAccess::There);
    while let Some((id, answer)) = answers.next().await {
        match answer {
            Ok(reply) => {
                there = true;
                take_answer(id, &reply, survey)?;
            }
            Err(None) => {}
            Err(Some(Failure::NotSent { message })) => context.stop.now(Reason::Unreachable(message)),
            Err(Some(failure)) => {
                absent += 1;
                there |= list.otherwise(&failure);
                if !there && absent == MOST_ABSENT {
                    context.stop.now(list.reason(&failure));
                }
                survey.unreadable(id, &failure)?;
            }
        }
        observe(survey.remaining());
    }
    Ok(there || list != ListAccess::Missing)
}

impl ListAccess {
    /// Whether a failure to read a referral tells another story than the list did.
    fn otherwise(self, failure: &Failure) -> bool {
        match self {
            Self::There => true,
            Self::Missing => failure.status() != Some(404),
            Self::Forbidden => failure.status() != Some(403),
        }
    }

    fn reason(self, failure: &Failure) -> Reason {
        match self {
            Self::Forbidden => Reason::Forbidden(failure.message().to_owned()),
            Self::There | Self::Missing => Reason::NothingThere,
        }
    }
}

fn take_answer<S: Survey>(id: ReferralId, reply: &Reply, survey: &mut S) -> Result<(), S::Error> {
    match shown::by_get(id, reply) {
        Some(referral) => survey.seen(&referral, true).map(drop),
        None => {
            let message = format!("the answer {} holds another thing than the referral", reply.status);
            survey.unreadable(id, &Failure::NoAnswer { message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_long_as_it_pays() {
        for (dry_pages, remaining, wanted) in [
            (0, 0, false),
            (0, 1, false),
            (0, 2, true),
            (1, 2, false),
            (1, 9, false),
            (1, 10, true),
            (2, 19, false),
            (2, 20, true),
            (50, 5000, true),
            (501, 5000, false),
        ] {
            assert_eq!(pays(dry_pages, remaining), wanted, "{dry_pages} dry pages, {remaining} remaining");
        }
    }
}
