//! Looking: the state of the wanted referrals in the fewest requests.
//!
//! A list page brings up to a hundred referrals and a GET one, but how long the list is nobody says.
//! So the list is read as long as it pays: a page that spared at least one GET has paid for itself,
//! and pages that spared none are borne up to a tenth of what the remaining GETs would cost. What is
//! left is read one by one, and so is whatever the pages gave without an eTag and is to be sent.

use std::collections::HashSet;

use futures::StreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::context::{Context, Event};
use super::service::Api;
use super::stop::Reason;
use crate::domain::exchange::{Failure, Reply};
use crate::domain::referral::{ReferralId, Snapshot};

/// Who wants to know, and what became of it.
pub trait Survey {
    /// Why the survey could not go on.
    type Error;

    /// The referrals that are still wanted.
    fn wanted(&self) -> Vec<ReferralId>;

    /// How many they are.
    fn remaining(&self) -> usize;

    /// Takes a referral from a page or an answer. `last_word` is false where it came from a page,
    /// and a GET could still bring its eTag. Answers whether a referral that was wanted no longer is.
    ///
    /// # Errors
    /// Where the caller cannot go on.
    fn seen(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<bool, Self::Error>;

    /// Takes note that a referral could not be read.
    ///
    /// # Errors
    /// Where the caller cannot go on.
    fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), Self::Error>;
}

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

/// Looks at every wanted referral. Ends early, with referrals still wanted, where the run is
/// stopped.
///
/// # Errors
/// Whatever the survey's methods answer.
pub async fn look<A: Api, S: Survey>(context: &Context<'_, A>, survey: &mut S) -> Result<(), S::Error> {
    let wanted = survey.remaining();
    let observe = |remaining: usize| (context.observe)(Event::Looked((wanted - remaining) as u64));
    if wanted > 1 {
        read_pages(context, survey, &observe).await?;
    }
    read_singly(context, survey, &observe).await
}

async fn read_pages<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    observe: &impl Fn(usize),
) -> Result<(), S::Error> {
    let mut link = None;
    let mut seen_links = HashSet::new();
    let mut dry_pages = 0;
    loop {
        // A page that can't be read is no disaster: everything can be read one by one.
        let page = match context.page(link.as_ref()).await {
            Ok(page) => page,
            Err(Some(Failure::NotSent { message })) => {
                context.stop.now(Reason::Unreachable(message));
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        let spared = take_page(&page.text, survey)?;
        observe(survey.remaining());
        dry_pages = if spared > 0 { 0 } else { dry_pages + 1 };
        let remaining = survey.remaining();
        match page.next {
            Some(next) if pays(dry_pages, remaining) && seen_links.insert(next.clone()) => link = Some(next),
            _ => return Ok(()),
        }
    }
}

/// Whether another page is worth its request.
fn pays(dry_pages: usize, remaining: usize) -> bool {
    remaining > 1 && dry_pages * 10 <= remaining
}

/// Takes the referrals of a page; answers how many GETs it spared.
fn take_page<S: Survey>(text: &str, survey: &mut S) -> Result<usize, S::Error> {
    let Ok(listing) = serde_json::from_str::<Listing<'_>>(text) else { return Ok(0) };
    let mut spared = 0;
    for element in listing.value {
        if let Ok(referral) = Snapshot::parse(element.get())
            && survey.seen(&referral, false)?
        {
            spared += 1;
        }
    }
    Ok(spared)
}

async fn read_singly<A: Api, S: Survey>(
    context: &Context<'_, A>,
    survey: &mut S,
    observe: &impl Fn(usize),
) -> Result<(), S::Error> {
    let mut answers = futures::stream::iter(survey.wanted())
        .map(|id| async move { (id, context.read(id).await) })
        .buffer_unordered(context.concurrency);
    while let Some((id, answer)) = answers.next().await {
        match answer {
            Ok(reply) => take_answer(id, &reply, survey)?,
            Err(None) => {}
            Err(Some(Failure::NotSent { message })) => context.stop.now(Reason::Unreachable(message)),
            Err(Some(failure)) => survey.unreadable(id, &failure)?,
        }
        observe(survey.remaining());
    }
    Ok(())
}

fn take_answer<S: Survey>(id: ReferralId, reply: &Reply, survey: &mut S) -> Result<(), S::Error> {
    match Snapshot::parse(&reply.body) {
        Ok(referral) if referral.id() == id => survey.seen(&referral, true).map(|_| ()),
        _ => {
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
