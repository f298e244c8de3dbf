//! Fetches the state of the wanted referrals in the fewest requests.
//!
//! A list page holds up to a hundred referrals, a GET one, and the length of the list is unknown. So pages
//! are read as long as they pay: a page that spares at least one GET pays for itself, and pages that spare
//! none are accepted up to a tenth of the number of remaining GETs. The other referrals are read one by one.
//! So are those that a page shows without an eTag that is needed to change them, or without a member that
//! their rows depend on: a member that a list element lacks is unknown.
//!
//! Where the service shows neither the list nor any of the first referrals, fetching stops early instead of
//! asking for thousands more.

use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::{Instrument, debug, info, info_span};

use super::context::Context;
use super::event::Event;
use super::service::Api;
use super::shown;
use super::stop::StopReason;
use crate::api::{Page, PageLink};
use crate::domain::exchange::{Failure, Reply};
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;
use crate::pace::circuit::Purpose;

/// The referrals to fetch, and the receiver of what is found.
pub trait Survey {
    /// The reason why the survey cannot go on.
    type Error;

    /// Returns the referrals that are still wanted.
    fn wanted(&self) -> Vec<ReferralId>;

    /// Returns how many referrals are still wanted.
    fn remaining(&self) -> usize;

    /// Takes a referral from a list page or from the answer to a GET. `last_word` is false for a page: a GET
    /// could still bring its eTag, or members that the page doesn't show.
    ///
    /// # Errors
    /// Returns an error where the survey cannot go on.
    fn seen(
        &mut self,
        referral: &Snapshot<'_>,
        last_word: bool,
    ) -> impl Future<Output = Result<Coverage, Self::Error>>;

    /// Takes a referral that was read by itself before any list page, unless a page could have spared that: then it
    /// stays wanted.
    ///
    /// # Errors
    /// Returns an error where the survey cannot go on.
    fn seen_ahead(&mut self, referral: &Snapshot<'_>) -> impl Future<Output = Result<Coverage, Self::Error>> {
        let _ = referral;
        async { Ok(Coverage::Incomplete) }
    }

    /// Records that a referral could not be read.
    ///
    /// # Errors
    /// Returns an error where the survey cannot go on.
    fn unreadable(
        &mut self,
        id: ReferralId,
        failure: &Failure,
    ) -> impl Future<Output = Result<(), Self::Error>>;
}

/// The number of referrals without an answer, where the list has none either, that shows that the endpoint is
/// wrong or that the user lacks a role.
const MOST_ABSENT: usize = 10;

/// How fetching begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With list pages, as long as they pay.
    Pages,
    /// With single reads, since list pages are thought to spare none. That holds as long as every referral that is
    /// read turns out to be one that a page could not have spared; from the first other one on, it is as with
    /// [`Beginning::Pages`], for all that are still wanted. So the reads that were under way then are what a wrong
    /// guess costs.
    Singles,
}

/// Whether the list can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListAccess {
    /// It can be read, or was not asked for, or could not be read for a reason that may pass.
    There,
    /// The service answered 404.
    Missing,
    /// The service answered 403.
    Forbidden,
}

/// Whether what was seen of a referral suffices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// The referral is not wanted.
    Unwanted,
    /// It does not: the referral is still wanted, since a GET could bring more.
    Incomplete,
    /// It does: the referral was wanted, and no longer is.
    Complete,
}

/// The body of a list page.
#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

/// Fetches every wanted referral. Ends early, with referrals still wanted, where the run is stopped. Returns
/// `false` where neither the list nor any of the referrals was found.
///
/// # Errors
/// Returns the errors of the survey's methods.
pub async fn fetch_referrals<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    beginning: Beginning,
) -> Result<bool, S::Error> {
    let fetched = tokio::select! {
        biased;
        () = context.stop.left() => Ok(true),
        looked = fetch_all(context, survey, beginning) => looked,
        () = context.watch() => Ok(true),
    };
    context.stop.note();
    fetched
}

/// Fetches every wanted referral by itself, where the list was read before. Ends early, with referrals still
/// wanted, where the run is stopped.
///
/// # Errors
/// Returns the errors of the survey's methods.
pub async fn fetch_singly<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    observe: &impl Fn(usize),
) -> Result<(), S::Error> {
    let fetched = tokio::select! {
        biased;
        () = context.stop.left() => Ok(true),
        looked = read_singly(context, survey, ListAccess::There, observe) => looked,
        () = context.watch() => Ok(true),
    };
    context.stop.note();
    fetched.map(drop)
}

async fn fetch_all<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    beginning: Beginning,
) -> Result<bool, S::Error> {
    let wanted = survey.remaining();
    let observe = |remaining: usize| context.tell(Event::Looked((wanted - remaining) as u64));
    if beginning == Beginning::Singles {
        read_ahead(context, survey, &observe).await?;
        info!(wanted, left = survey.remaining(), "read ahead of the list");
    }
    // A single referral takes one request either way, and its own answer shows it whole. One that is left of several
    // is looked for on the list as it would be with the others: a page may tell what is wrong with its id.
    let list = if wanted > 1 && survey.remaining() > 0 {
        read_pages(context, survey, &observe).await?
    } else {
        ListAccess::There
    };
    info!(wanted, left = survey.remaining(), list = ?list, "list pages read");
    read_singly(context, survey, list, &observe).await
}

/// Reads referrals one by one, until one of them turns out to be one that a list page could have spared, or can't be
/// read.
async fn read_ahead<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    observe: &impl Fn(usize),
) -> Result<(), S::Error> {
    let holds = AtomicBool::new(true);
    let mut answers = futures::stream::iter(survey.wanted())
        .take_while(|_| std::future::ready(holds.load(Ordering::Relaxed)))
        .map(|id| {
            let holds = &holds;
            async move { (id, context.read_while(id, holds).instrument(info_span!("referral", %id)).await) }
        })
        .buffer_unordered(context.slots.tasks());
    while let Some((id, answer)) = answers.next().await {
        // What waited for its place until the guess was wrong was not asked for.
        let Some(answer) = answer else { continue };
        let covered = match answer {
            Ok(reply) => match shown::by_get(id, &reply) {
                Some(referral) => survey.seen_ahead(&referral).await?,
                None => Coverage::Incomplete,
            },
            Err(Some(Failure::NotSent { message })) => {
                context.stop.now(StopReason::Unreachable(message));
                Coverage::Incomplete
            }
            Err(_) => Coverage::Incomplete,
        };
        if covered == Coverage::Incomplete {
            holds.store(false, Ordering::Relaxed);
        }
        observe(survey.remaining());
    }
    Ok(())
}

/// Reads list pages as long as they pay.
async fn read_pages<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    observe: &impl Fn(usize),
) -> Result<ListAccess, S::Error> {
    let mut pages = ListPages::new(Purpose::Fetch, None);
    let mut dry_pages = 0;
    // Wanted referrals that were on no page so far. One that was on a page and is still wanted needs a GET:
    // no further page can spare that.
    let mut unseen = survey.remaining();
    loop {
        // A page that can't be read costs only requests: everything can be read one by one.
        let page = match pages.next(context).await {
            Ok(Some(page)) => page,
            Err(Some(failure)) if pages.are_unread() => {
                return Ok(match failure.status() {
                    Some(404) => ListAccess::Missing,
                    Some(403) => ListAccess::Forbidden,
                    _ => ListAccess::There,
                });
            }
            Ok(None) | Err(_) => return Ok(ListAccess::There),
        };
        let seen = async |referral: &Snapshot<'_>| survey.seen(referral, false).await;
        let PageYield { found, spared } = take_page(&page.text, seen).await?;
        debug!(found, spared, "list page read");
        observe(survey.remaining());
        dry_pages = if spared > 0 { 0 } else { dry_pages + 1 };
        unseen = unseen.saturating_sub(found);
        if !pays(dry_pages, unseen) {
            return Ok(ListAccess::There);
        }
    }
}

/// The pages of a list, read one after another.
#[derive(Debug)]
pub(super) struct ListPages {
    purpose: Purpose,
    /// The page that was asked for last, or is asked for first.
    link: Option<PageLink>,
    /// What the page that was read last links to; `None` before the first, and after the last.
    next: Option<PageLink>,
    has_begun: bool,
    /// A service whose links form a cycle has no last page.
    seen_links: HashSet<PageLink>,
}

impl ListPages {
    /// Begins to read for this purpose: the whole list, or from this link on.
    pub(super) fn new(purpose: Purpose, first: Option<PageLink>) -> Self {
        let seen_links = first.iter().cloned().collect();
        Self { purpose, link: first, next: None, has_begun: false, seen_links }
    }

    /// Whether not even the first page was read.
    pub(super) fn are_unread(&self) -> bool {
        !self.has_begun
    }

    /// Whether the last page was read.
    pub(super) fn are_over(&self) -> bool {
        self.has_begun && self.next.is_none()
    }

    /// Reads the next page; `None` where there is none. Stops the run where no connection can be made.
    ///
    /// # Errors
    /// As [`Context::page`].
    pub(super) async fn next<A: Api>(
        &mut self,
        context: &Context<'_, A>,
    ) -> Result<Option<Page>, Option<Failure>> {
        if self.has_begun {
            let Some(next) = self.next.take().filter(|next| self.seen_links.insert(next.clone())) else {
                return Ok(None);
            };
            self.link = Some(next);
        }
        let page = context.page_for(self.purpose, self.link.as_ref()).await.inspect_err(|failure| {
            if let Some(Failure::NotSent { message }) = failure {
                context.stop.now(StopReason::Unreachable(message.clone()));
            }
        })?;
        self.has_begun = true;
        self.next = page.next.clone();
        Ok(Some(page))
    }
}

/// Returns whether another page is worth its request.
pub(super) fn pays(dry_pages: usize, unseen: usize) -> bool {
    unseen > 1 && dry_pages * 10 <= unseen
}

/// What a list page contributed.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageYield {
    /// The number of wanted referrals on it.
    pub(super) found: usize,
    /// The number of GETs that it spared.
    pub(super) spared: usize,
}

/// Hands the referrals of a list page to `seen`, and returns what the page contributed by that.
pub(super) async fn take_page<E>(
    text: &str,
    mut seen: impl AsyncFnMut(&Snapshot<'_>) -> Result<Coverage, E>,
) -> Result<PageYield, E> {
    let mut page_yield = PageYield { found: 0, spared: 0 };
    let Ok(listing) = serde_json::from_str::<Listing<'_>>(text) else { return Ok(page_yield) };
    for element in listing.value {
        if let Ok(referral) = Snapshot::in_part(element.get()) {
            let seen = seen(&referral).await?;
            page_yield.found += usize::from(seen != Coverage::Unwanted);
            page_yield.spared += usize::from(seen == Coverage::Complete);
        }
    }
    Ok(page_yield)
}

/// Reads the referrals that are still wanted one by one.
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
                take_answer(id, &reply, survey).await?;
            }
            Err(None) => {}
            // No connection could be made, however often it was tried: other requests would fail in the same
            // way.
            Err(Some(Failure::NotSent { message })) => context.stop.now(StopReason::Unreachable(message)),
            Err(Some(failure)) => {
                absent += 1;
                there |= list.otherwise(&failure);
                if !there && absent == MOST_ABSENT {
                    context.stop.now(list.reason(&failure));
                }
                survey.unreadable(id, &failure).await?;
            }
        }
        observe(survey.remaining());
    }
    Ok(there || list != ListAccess::Missing)
}

impl ListAccess {
    /// Returns whether the failure to read a referral differs from that of the list, which shows that the
    /// service is there.
    fn otherwise(self, failure: &Failure) -> bool {
        match self {
            Self::There => true,
            Self::Missing => failure.status() != Some(404),
            Self::Forbidden => failure.status() != Some(403),
        }
    }

    fn reason(self, failure: &Failure) -> StopReason {
        match self {
            Self::Forbidden => StopReason::Forbidden(failure.message().to_owned()),
            Self::There | Self::Missing => StopReason::NothingThere,
        }
    }
}

async fn take_answer<S: Survey>(id: ReferralId, reply: &Reply, survey: &mut S) -> Result<(), S::Error> {
    match shown::by_get(id, reply) {
        Some(referral) => survey.seen(&referral, true).await.map(drop),
        None => {
            let message = format!("the answer {} holds something other than the referral", reply.status);
            survey.unreadable(id, &Failure::NoAnswer { message }).await
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
