//! Tests in virtual time, against a service whose answer is a function of the number of the request.

mod outages;
mod stops;
mod turns;
mod waits;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::api::{Auth, Client, ClientSettings, Endpoint, Generation};
use crate::api::{Page, PageLink};
use crate::domain::exchange::Refusal;
use crate::domain::exchange::Reply;
use crate::ledger::Ticket;
use crate::pace::FoundRate;
use crate::pace::circuit::FailureKind;

/// The answer to the request of this number, counted from 1.
type Says = fn(usize) -> Result<Reply, Failure>;

struct Service {
    says: Says,
    asked: AtomicUsize,
    /// A referral that always gets this failure.
    poisoned: Option<(ReferralId, Failure)>,
    takes: Duration,
    /// Holds the token; nothing is sent through it.
    client: Client,
}

impl Api for Service {
    async fn get(&self, id: ReferralId) -> Result<Reply, Failure> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        // So that other requests are made meanwhile.
        tokio::time::sleep(self.takes).await;
        match &self.poisoned {
            Some((poisoned, failure)) if *poisoned == id => Err(failure.clone()),
            _ => (self.says)(turn),
        }
    }

    async fn list(&self, _: Option<&PageLink>) -> Result<Page, Failure> {
        Ok(Page { text: "{\"value\":[]}".to_owned(), next: None, client_request_id: Uuid::nil() })
    }

    async fn patch(&self, _: Ticket) -> Result<Reply, Failure> {
        unreachable!("no test has a ticket")
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

/// A service, and a run against it.
struct World {
    service: Service,
    pace: Pace,
    stop: Stop,
    counts: Arc<RequestCounts>,
    begun: Instant,
}

fn world(rate: &str, says: Says) -> World {
    let settings = ClientSettings { timeout: Duration::from_secs(1), correlation_id: Uuid::nil(), clock };
    let client = Client::new(Endpoint::official(), Auth::fixed("a token".into()), settings).unwrap();
    World {
        service: Service { says, asked: AtomicUsize::new(0), poisoned: None, takes: Duration::ZERO, client },
        pace: Pace::new(rate.parse().unwrap()),
        stop: Stop::default(),
        counts: Arc::default(),
        begun: Instant::now(),
    }
}

impl World {
    fn context(&self) -> Context<'_, Service> {
        self.context_for(8)
    }

    fn context_for(&self, concurrency: usize) -> Context<'_, Service> {
        Context {
            api: &self.service,
            pace: &self.pace,
            stop: &self.stop,
            clock,
            slots: Slots::new(concurrency),
            timeout: Duration::from_secs(1),
            flights: Flights::default(),
            observe: &|_| {},
            counts: Arc::clone(&self.counts),
            rebase: None,
        }
    }

    /// Returns how many requests the service has got, and how many seconds have passed.
    fn so_far(&self) -> (usize, u64) {
        (self.service.asked.load(Ordering::Relaxed), self.begun.elapsed().as_secs())
    }
}

fn clock() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn id() -> ReferralId {
    "5a1e0001-0000-4000-8000-000000000001".parse().unwrap()
}

fn change() -> RequestState<'static> {
    RequestState::new(Purpose::Change, Some(id()), somewhere())
}

fn read_back() -> RequestState<'static> {
    RequestState::new(Purpose::ReadBack, Some(id()), somewhere())
}

/// Returns the slot of the only task.
fn somewhere() -> &'static Slot {
    Box::leak(Box::new(Slots::new(1).slot()))
}

/// Reads a referral back, at the place of the only task.
async fn settle(context: &Context<'_, Service>, id: ReferralId) -> Result<Reply, Option<Failure>> {
    context.read_to_settle(id, somewhere(), &mut Waits::default()).await
}

fn answer(status: u16) -> Result<Reply, Failure> {
    if status == 200 {
        return Ok(Reply { status, body: "{}".to_owned(), etag: None, client_request_id: Uuid::nil() });
    }
    let message = format!("HTTP {status}");
    Err(Failure::Answered(Refusal { status, code: None, codes: Vec::new(), message, retry_after: None }))
}

fn status(answer: Result<Reply, Option<Failure>>) -> Option<u16> {
    match answer {
        Ok(reply) => Some(reply.status),
        Err(Some(failure)) => failure.status(),
        Err(None) => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_lost_is_repeated_ever_later() {
    for (tries, seconds) in [(0, 0.0), (1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (9, 30.0)] {
        let world = world("1000/s", |_| answer(200));
        let mut request_state = RequestState { tries, ..change() };
        assert!(world.context().back_off("lost", &mut request_state).await);
        assert_eq!(world.begun.elapsed().as_secs_f64(), seconds, "after {tries} tries");
        world.stop.now(StopReason::Interrupted);
        assert!(!world.context().back_off("lost", &mut request_state).await);
        assert_eq!(world.begun.elapsed().as_secs_f64(), seconds, "a stop ends it");
    }
}

/// A change that is answered 503 with `Retry-After` may have been applied: all requests pause, no try is
/// charged, and the referral is read back afterwards, also where the run is stopped meanwhile.
#[tokio::test(start_paused = true)]
async fn what_was_not_ready_is_waited_for_and_read_back() {
    let mut unready = answer(503).unwrap_err();
    if let Failure::Answered(refusal) = &mut unready {
        refusal.retry_after = Some(Duration::from_secs(7));
    }
    for stopped in [false, true] {
        let world = world("1000/s", |_| answer(200));
        let context = world.context();
        let mut request_state = change();
        assert!(context.turn(&mut request_state).await);
        if stopped {
            world.stop.now(StopReason::Interrupted);
        }
        assert_eq!(
            (context.after(&unready, &mut request_state).await, request_state.tries),
            (AfterFailure::ReadBack, 0)
        );
        let read = status(settle(&context, id()).await);
        assert_eq!((read, world.so_far().1), if stopped { (None, 0) } else { (Some(200), 7) });
    }
    let world = world("1000/s", |_| answer(200));
    let context = world.context();
    let mut look = RequestState::new(Purpose::Fetch, Some(id()), somewhere());
    assert!(context.turn(&mut look).await);
    assert_eq!(
        context.after(&unready, &mut look).await,
        AfterFailure::AgainUncharged,
        "a look is asked again"
    );
}

fn not_sent() -> Result<Reply, Failure> {
    Err(Failure::NotSent { message: "refused".to_owned() })
}

fn referral(number: usize) -> ReferralId {
    format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap()
}
