//! Reads the list of referrals from its first page to its last, for whoever needs all of it.
//!
//! What isn't on the list is taken as not being there, so a list that cannot be read to its end is an error.
//! While pages are read, referrals may be changed and move from one page to another: an element may come
//! twice, also with other values, and it is the caller's part to see that.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::{debug, info};

use super::context::Context;
use super::event::Event;
use super::service::Api;
use super::stop::StopReason;
use crate::api::PageLink;
use crate::domain::exchange::Failure;
use crate::domain::snapshot::{Snapshot, SnapshotError};

/// Why the list was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ListError<E> {
    /// The run was stopped.
    #[error("stopped before the end of the list")]
    Stopped,
    /// The service doesn't give a page.
    #[error("page {page} of the list of referrals cannot be read: {}", failure.message())]
    Page {
        /// The number of the page, counted from 1.
        page: u64,
        /// What the service answered, or why there was no answer.
        failure: Failure,
    },
    /// An element is no referral.
    #[error("element {element} on page {page} of the list is no referral: {why}")]
    Element {
        /// The number of the page, counted from 1.
        page: u64,
        /// The number of the element on the page, counted from 1.
        element: usize,
        /// What is wrong with it.
        why: SnapshotError,
    },
    /// The links from page to page lead back to one that was read.
    #[error("page {page} of the list of referrals links to a page that was read before")]
    Circle {
        /// The number of the page, counted from 1.
        page: u64,
    },
    /// The receiver of the referrals failed.
    #[error("the reader of the list gave up")]
    Sink(E),
}

/// The elements of a list page.
#[derive(Deserialize)]
struct Elements<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

/// Reads every page of the list, and hands each element to `each`, as it is shown there: in part. `first` is
/// the link to the first page, where that is not the one of the whole list; see [`PageLink::filtered`].
/// Returns the number of elements.
///
/// # Errors
/// See [`ListError`]. Where the service cannot be reached at all, the run is stopped for that.
pub async fn list_all<A: Api, E>(
    context: &Context<'_, A>,
    first: Option<PageLink>,
    each: &mut dyn FnMut(&Snapshot<'_>) -> Result<(), E>,
) -> Result<u64, ListError<E>> {
    let listed = tokio::select! {
        biased;
        () = context.stop.left() => Err(ListError::Stopped),
        listed = read_pages(context, first, each) => listed,
        () = context.watch() => Err(ListError::Stopped),
    };
    context.stop.note();
    listed
}

async fn read_pages<A: Api, E>(
    context: &Context<'_, A>,
    first: Option<PageLink>,
    each: &mut dyn FnMut(&Snapshot<'_>) -> Result<(), E>,
) -> Result<u64, ListError<E>> {
    let mut link = first;
    let mut seen_links: HashSet<PageLink> = link.iter().cloned().collect();
    let (mut page, mut count) = (0, 0);
    loop {
        page += 1;
        let answer = match context.page(link.as_ref()).await {
            Ok(answer) => answer,
            Err(None) => return Err(ListError::Stopped),
            Err(Some(Failure::NotSent { message })) => {
                context.stop.now(StopReason::Unreachable(message));
                return Err(ListError::Stopped);
            }
            Err(Some(failure)) => return Err(ListError::Page { page, failure }),
        };
        count += take_page(&answer.text, page, each)?;
        debug!(page, count, "list page read");
        context.tell(Event::Looked(count));
        match answer.next {
            None => {
                info!(pages = page, count, "list read to its end");
                return Ok(count);
            }
            Some(next) if seen_links.insert(next.clone()) => link = Some(next),
            Some(_) => return Err(ListError::Circle { page }),
        }
    }
}

/// Hands over the elements of a page; returns their number.
fn take_page<E>(
    text: &str,
    page: u64,
    each: &mut dyn FnMut(&Snapshot<'_>) -> Result<(), E>,
) -> Result<u64, ListError<E>> {
    let elements = serde_json::from_str::<Elements<'_>>(text).map(|elements| elements.value);
    let elements = elements.map_err(|_| {
        let message = "the answer holds no page of referrals".to_owned();
        ListError::Page { page, failure: Failure::NoAnswer { message } }
    })?;
    for (at, element) in elements.iter().enumerate() {
        let referral = Snapshot::in_part(element.get());
        let referral = referral.map_err(|why| ListError::Element { page, element: at + 1, why })?;
        each(&referral).map_err(ListError::Sink)?;
    }
    Ok(elements.len() as u64)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::api::{Auth, Client, ClientSettings, Endpoint, Generation, Page};
    use crate::domain::exchange::{Refusal, Reply};
    use crate::domain::referral::ReferralId;
    use crate::engine::in_flight::Flights;
    use crate::engine::{RequestCounts, Slots, Stop};
    use crate::ledger::Ticket;
    use crate::pace::Pace;

    /// A list of pages, each a text with the number of the page that it links to.
    struct Pages {
        pages: Vec<Result<(String, Option<usize>), u16>>,
        client: Client,
    }

    /// The link to a page, which names it.
    fn link(page: usize) -> PageLink {
        PageLink::filtered(&page.to_string()).unwrap()
    }

    impl Api for Pages {
        async fn get(&self, _: ReferralId) -> Result<Reply, Failure> {
            unreachable!("no referral is read by itself")
        }

        async fn list(&self, page: Option<&PageLink>) -> Result<Page, Failure> {
            let at = page.map_or(0, |page| (0..9).find(|at| link(*at) == *page).unwrap());
            match &self.pages[at] {
                Ok((text, next)) => {
                    let (text, next) = (text.clone(), next.map(link));
                    Ok(Page { text, next, client_request_id: Uuid::nil() })
                }
                Err(status) => Err(Failure::Answered(Refusal {
                    status: *status,
                    code: None,
                    codes: Vec::new(),
                    message: "no".to_owned(),
                    retry_after: None,
                })),
            }
        }

        async fn patch(&self, _: Ticket) -> Result<Reply, Failure> {
            unreachable!("nothing is changed")
        }

        fn generation(&self) -> Generation {
            self.client.generation()
        }

        fn has_token(&self) -> bool {
            self.client.has_token()
        }

        async fn fetch_token(&self) {
            self.client.fetch_token().await;
        }

        fn was_taken(&self, token: Generation) -> bool {
            self.client.was_taken(token)
        }

        fn can_renew(&self) -> bool {
            self.client.can_renew()
        }

        async fn renew(&self, seen: Generation) -> Result<(), Failure> {
            self.client.renew(seen).await
        }
    }

    fn id(number: u128) -> String {
        Uuid::from_u128(number).to_string()
    }

    fn page(ids: &[u128]) -> String {
        let elements: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{}"}}"#, self::id(*id))).collect();
        format!(r#"{{"value":[{}]}}"#, elements.join(","))
    }

    /// Returns the ids that are handed over, and how the reading ends.
    async fn listed(
        pages: Vec<Result<(String, Option<usize>), u16>>,
        first: Option<usize>,
        stopped: bool,
    ) -> (Vec<String>, Result<u64, String>) {
        fn clock() -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        let settings = ClientSettings { timeout: Duration::from_secs(1), correlation_id: Uuid::nil(), clock };
        let client = Client::new(Endpoint::official(), Auth::fixed("a token".into()), settings).unwrap();
        let (service, pace, stop) =
            (Pages { pages, client }, Pace::new("1000/s".parse().unwrap()), Stop::default());
        if stopped {
            stop.now(StopReason::Interrupted);
        }
        let context = Context {
            api: &service,
            pace: &pace,
            stop: &stop,
            clock,
            slots: Slots::new(1),
            timeout: Duration::from_secs(1),
            flights: Flights::default(),
            observe: &|_| {},
            counts: Arc::new(RequestCounts::default()),
            rebase: None,
        };
        let mut ids = Vec::new();
        let mut each = |referral: &Snapshot<'_>| {
            ids.push(referral.id().to_string());
            Ok::<_, Infallible>(())
        };
        let end = list_all(&context, first.map(link), &mut each).await;
        (ids, end.map_err(|error| error.to_string()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_is_read_to_its_end_or_it_is_none() {
        let refused = "page 2 of the list of referrals cannot be read: no";
        let circle = "page 2 of the list of referrals links to a page that was read before";
        let stranger = r#"{"value":[{"id":"x"}]}"#.to_owned();
        for (pages, first, stopped, wanted, end) in [
            (vec![Ok((page(&[]), None))], None, false, &[][..], Ok(0)),
            (vec![Ok((page(&[1, 2]), Some(1))), Ok((page(&[3]), None))], None, false, &[1, 2, 3], Ok(3)),
            (vec![Ok((page(&[1]), Some(1))), Ok((page(&[1, 2]), None))], None, false, &[1, 1, 2], Ok(3)),
            (vec![Err(400), Ok((page(&[4]), None))], Some(1), false, &[4], Ok(1)),
            (vec![Ok((page(&[1]), Some(1))), Err(403)], None, false, &[1], Err(refused)),
            (vec![Ok((page(&[1]), Some(1))), Ok((page(&[2]), Some(1)))], None, false, &[1, 2], Err(circle)),
            (vec![Ok((page(&[1]), Some(1))), Ok((page(&[2]), Some(1)))], Some(1), false, &[2], Err("page 1")),
            (vec![Ok((stranger, None))], None, false, &[], Err("element 1 on page 1 of the list is no")),
            (vec![Ok(("{}".to_owned(), None))], None, false, &[], Err("page 1 of the list")),
            (vec![Ok((page(&[1]), None))], None, true, &[], Err("stopped before the end of the list")),
        ] {
            let told = format!("{pages:?} from {first:?}");
            let (got, ended) = listed(pages, first, stopped).await;
            assert_eq!(got, wanted.iter().map(|number| id(*number)).collect::<Vec<_>>(), "{told}");
            match (ended, end) {
                (Ok(count), Ok(wanted)) => assert_eq!(count, wanted, "{told}"),
                (Err(message), Err(wanted)) => assert!(message.starts_with(wanted), "{told}: {message}"),
                (ended, end) => panic!("{told}: {ended:?}, wanted {end:?}"),
            }
        }
    }
}
