//! In virtual time, against a service that is a function of how often it was asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::api::Generation;
use crate::api::{Auth, Client, Endpoint, Settings};
use crate::domain::exchange::Refusal;
use crate::ledger::Ticket;
use crate::pace::Found;
use crate::pace::circuit::FailureKind;

/// What a service says to the request of this number, counted from 1.
type Says = fn(usize) -> Result<Reply, Failure>;

struct Service {
    says: Says,
    asked: AtomicUsize,
    /// A referral that is answered in its own way, always.
    poisoned: Option<(ReferralId, Failure)>,
    takes: Duration,
    /// It has the token, and nothing is sent by it.
    client: Client,
}

impl Api for Service {
    async fn get(&self, id: ReferralId) -> Result<Reply, Failure> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        // So that others are asked meanwhile.
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

/// A service, and a run that has begun to ask it.
struct World {
    service: Service,
    pace: Pace,
    stop: Stop,
    tally: Arc<RequestCounts>,
    begun: Instant,
}

fn world(rate: &str, says: Says) -> World {
    let settings = Settings { timeout: Duration::from_secs(1), correlation_id: Uuid::nil(), clock };
    let client = Client::new(Endpoint::official(), Auth::fixed("a token".into()), settings).unwrap();
    World {
        service: Service { says, asked: AtomicUsize::new(0), poisoned: None, takes: Duration::ZERO, client },
        pace: Pace::new(rate.parse().unwrap()),
        stop: Stop::default(),
        tally: Arc::default(),
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
            tally: Arc::clone(&self.tally),
            rebase: None,
        }
    }

    /// How often the service was asked, and how many seconds have passed.
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

/// A place for whoever is tested alone.
fn somewhere() -> &'static Slot {
    Box::leak(Box::new(Slots::new(1).slot()))
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
async fn a_service_that_does_nothing_but_throttle_stops_the_run() {
    let world = world("1000/s", |_| answer(429));
    assert_eq!(status(world.context().read(id()).await), None);
    assert_eq!(world.stop.reason(), Some(Reason::Throttled));
    // A pause after each but the last: 1, 2, 4, 8, 16, 32, and then a minute each.
    assert_eq!(world.so_far(), (51, 63 + 44 * 60));
    assert_eq!((world.tally.figures().throttled, world.tally.figures().get), (51, 51));
}

#[tokio::test(start_paused = true)]
async fn one_answer_in_between_begins_the_count_anew() {
    for between in [200, 403, 404] {
        let says: Says = match between {
            200 => |turn| answer(if turn % 51 == 0 { 200 } else { 429 }),
            403 => |turn| answer(if turn % 51 == 0 { 403 } else { 429 }),
            _ => |turn| answer(if turn % 51 == 0 { 404 } else { 429 }),
        };
        let world = world("1000/s", says);
        for _ in 0..3 {
            assert_eq!(status(world.context().read(id()).await), Some(between));
        }
        assert_eq!(world.stop.reason(), None);
        assert_eq!(world.so_far().0, 153);
    }
}

#[tokio::test(start_paused = true)]
async fn changes_that_are_forbidden_one_after_another_stop_the_run() {
    let world = world("1000/s", |_| answer(403));
    let context = world.context();
    let write = async |status: u16| {
        let failure = answer(status).unwrap_err();
        let mut request_state = change();
        assert!(context.turn(&mut request_state).await);
        context.after(&failure, &mut request_state).await
    };
    for _ in 0..100 {
        assert_eq!(status(context.read(id()).await), Some(403));
    }
    assert_eq!(world.stop.reason(), None, "not to see a referral is nothing unusual");
    for _ in 0..3 {
        for _ in 0..24 {
            assert_eq!(write(403).await, Next::Refused);
        }
        assert_eq!(write(404).await, Next::Refused);
    }
    assert_eq!(world.stop.reason(), None);
    for stopped in [false, true] {
        let before = world.so_far().1;
        for _ in 0..25 {
            assert_eq!(write(403).await, Next::Refused);
        }
        assert_eq!((world.stop.reason(), world.so_far().1 - before), (None, 0));
        // One more goes out after a pause, and decides.
        assert_eq!(write(if stopped { 403 } else { 404 }).await, Next::Refused);
        assert_eq!(world.so_far().1 - before, 5);
    }
    assert_eq!(world.stop.reason(), Some(Reason::Forbidden("HTTP 403".to_owned())));
}

/// However many workers meet a refusal, and whenever: a token that was fetched anew and is refused before it
/// was ever taken stops the run, and no third one is fetched.
#[tokio::test]
async fn a_new_token_that_is_refused_stops_the_run() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a-token-of-enough-characters").unwrap();
    let mut world = world("100000/s", |_| answer(401));
    let settings = Settings { timeout: Duration::from_secs(1), correlation_id: Uuid::nil(), clock };
    let auth = Auth::file(file.path().to_owned());
    world.service.client = Client::new(Endpoint::official(), auth, settings).unwrap();
    let context = world.context();
    let refused = answer(401).unwrap_err();
    let mut first = change();
    assert!(context.turn(&mut first).await);
    assert_eq!(context.after(&refused, &mut first).await, Next::AgainFreely);
    // Another worker's first request goes out with the new token before the first worker's second.
    let mut second = change();
    assert!(context.turn(&mut second).await);
    assert_eq!(context.after(&refused, &mut second).await, Next::AgainFreely);
    assert!(context.turn(&mut second).await);
    assert_eq!(context.after(&refused, &mut second).await, Next::Stopped);
    assert!(matches!(world.stop.reason(), Some(Reason::Token(_))), "{:?}", world.stop.reason());
    assert_eq!((world.service.client.token_requests(), second.tries), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_lost_is_repeated_ever_later() {
    for (tries, seconds) in [(0, 0.0), (1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (9, 30.0)] {
        let world = world("1000/s", |_| answer(200));
        let request_state = RequestState { tries, ..change() };
        assert!(world.context().back_off("lost", &request_state).await);
        assert_eq!(world.begun.elapsed().as_secs_f64(), seconds, "after {tries} tries");
        world.stop.now(Reason::Interrupted);
        assert!(!world.context().back_off("lost", &request_state).await);
        assert_eq!(world.begun.elapsed().as_secs_f64(), seconds, "a stop ends it");
    }
}

/// What settles something in flight waits for the rate after a stop, and not for the server.
#[tokio::test(start_paused = true)]
async fn a_stop_ends_what_is_waited_for() {
    for (what, mut request_state, paused, granted, seconds) in [
        ("a change, at a low rate", change(), false, false, 0),
        ("a change, in a pause", change(), true, false, 0),
        ("reading back, at a low rate", read_back(), false, true, 60),
        ("reading back, in a pause", read_back(), true, false, 0),
    ] {
        let world = world("1/m", |_| answer(200));
        let context = world.context();
        let mut first = change();
        assert!(context.turn(&mut first).await);
        if paused {
            world.pace.throttled(first.turn.unwrap().0, Some(Duration::from_secs(600)));
        }
        let (turn, ()) = tokio::join!(context.turn(&mut request_state), async {
            tokio::task::yield_now().await;
            world.stop.now(Reason::Interrupted);
        });
        assert_eq!((turn, request_state.tries), (granted, u32::from(granted)), "{what}");
        assert_eq!(world.so_far(), (0, seconds), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_reading_back_goes_on_and_other_reading_ends() {
    let cases: [(Says, Option<u16>, (usize, u64)); 3] = [
        (|_| answer(200), Some(200), (1, 0)),
        (|turn| answer(if turn < 3 { 500 } else { 200 }), Some(200), (3, 1)),
        // A pause is not begun any more.
        (|_| answer(429), None, (1, 0)),
    ];
    for (says, settled, so_far) in cases {
        let world = world("1000/s", says);
        world.stop.now(Reason::Interrupted);
        assert_eq!(status(world.context().read(id()).await), None);
        assert_eq!(world.so_far(), (0, 0));
        assert_eq!(status(world.context().read_to_settle(id(), somewhere()).await), settled);
        assert_eq!(world.so_far(), so_far);
    }
}

/// What waits for its turn to read back hears of a pause, and so does what comes later.
#[tokio::test(start_paused = true)]
async fn after_a_stop_nothing_is_read_back_in_a_pause() {
    let world = world("1/m", |turn| answer(if turn == 1 { 429 } else { 200 }));
    let context = world.context();
    world.stop.now(Reason::Interrupted);
    let (throttled, waiting) =
        tokio::join!(context.read_to_settle(id(), somewhere()), context.read_to_settle(id(), somewhere()));
    let later = context.read_to_settle(id(), somewhere()).await;
    assert_eq!([throttled, waiting, later].map(status), [None; 3]);
    assert_eq!(world.so_far(), (1, 0));
}

fn referral(number: usize) -> ReferralId {
    format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap()
}

/// Eight workers read back while the service fails so often. What they come to, how often it was asked, and
/// how many seconds that took.
async fn outage(says: Says) -> (Vec<Option<u16>>, usize, u64, Option<Reason>) {
    let world = world("1000/s", says);
    let context = world.context();
    assert!(context.read(id()).await.is_ok(), "it was there once");
    let readings = (1..=8).map(|number| context.read_to_settle(referral(number), somewhere()));
    let settled = futures::future::join_all(readings).await.into_iter().map(status).collect();
    (settled, world.so_far().0 - 1, world.so_far().1, world.stop.reason())
}

/// An outage that ends in time leaves nothing unsettled behind, and is asked little.
#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_for() {
    let failing: [(Says, usize, u64); 3] = [
        (|turn| answer(if (2..=6).contains(&turn) { 500 } else { 200 }), 13, 5),
        (|turn| answer(if (2..=8).contains(&turn) { 502 } else { 200 }), 15, 35),
        (|turn| if (2..=6).contains(&turn) { not_sent() } else { answer(200) }, 13, 5),
    ];
    for (says, asked, seconds) in failing {
        assert_eq!(outage(says).await, (vec![Some(200); 8], asked, seconds, None));
    }
}

/// One that lasts stops the run, and leaves in doubt what is.
#[tokio::test(start_paused = true)]
async fn an_outage_is_not_waited_for_long() {
    let (settled, asked, seconds, reason) = outage(|turn| answer(if turn > 1 { 504 } else { 200 })).await;
    assert_eq!((settled, asked, seconds), (vec![None; 8], 5 + 3, 35));
    assert_eq!(reason, Some(Reason::Unreadable("HTTP 504".to_owned())));
    let (settled, asked, seconds, reason) =
        outage(|turn| if turn > 1 { not_sent() } else { answer(200) }).await;
    assert_eq!((settled, asked, seconds), (vec![None; 8], 5 + 3, 35));
    assert_eq!(reason, Some(Reason::Unreachable("refused".to_owned())));
}

/// A referral that always fails is its own matter: others are answered in between.
#[tokio::test(start_paused = true)]
async fn one_referral_is_no_outage() {
    let world = world("1000/s", |turn| answer(if turn % 2 == 0 { 200 } else { 500 }));
    let context = world.context();
    for _ in 0..20 {
        assert_eq!(status(context.read_to_settle(id(), somewhere()).await), Some(200));
    }
    assert_eq!(world.stop.reason(), None);
}

fn not_sent() -> Result<Reply, Failure> {
    Err(Failure::NotSent { message: "refused".to_owned() })
}

/// What had its turn and waited for the disk since goes out at once where nothing happened meanwhile, has
/// another turn after a pause, and stays where the run was stopped.
#[tokio::test(start_paused = true)]
async fn a_turn_is_kept_unless_the_gate_was_shut() {
    for (what, paused, stopped, kept, seconds) in [
        ("nothing", false, false, true, 0),
        ("a pause", true, false, true, 10),
        ("a stop", false, true, false, 0),
        ("both", true, true, false, 0),
    ] {
        let world = world("1000/s", |_| answer(200));
        let context = world.context();
        let mut request_state = change();
        assert!(context.turn(&mut request_state).await);
        if paused {
            world.pace.throttled(request_state.turn.unwrap().0, Some(Duration::from_secs(10)));
        }
        if stopped {
            world.stop.now(Reason::Interrupted);
        }
        assert_eq!(context.keep_turn(&mut request_state).await, kept, "{what}");
        assert_eq!(world.so_far(), (0, seconds), "{what}");
        assert!(!kept || request_state.tries == 1, "{what}: it is charged once");
    }
}

/// Those for whom the gate was shut leave one after another.
#[tokio::test(start_paused = true)]
async fn turns_that_a_pause_took_come_at_the_rate() {
    let world = world("1/s", |_| answer(200));
    let context = world.context();
    let mut efforts = [change(), change(), change()];
    for request_state in &mut efforts {
        assert!(context.turn(request_state).await);
    }
    world.pace.throttled(efforts[2].turn.unwrap().0, Some(Duration::from_secs(10)));
    let left = efforts.iter_mut().map(async |request_state| {
        assert!(context.keep_turn(request_state).await);
        world.so_far().1
    });
    // The rate is half of what it was.
    assert_eq!(futures::future::join_all(left).await, [12, 14, 16]);
}

/// What had its turn while the circuit opened waits as all others do; and a probe that a pause took goes out
/// after it, as the probe that it is.
#[tokio::test(start_paused = true)]
async fn turns_that_the_circuit_took_come_with_the_probe() {
    let world = world("1000/s", |_| answer(200));
    let context = world.context();
    let mut waiting = change();
    assert!(context.turn(&mut waiting).await);
    for _ in 0..25 {
        let mut request_state = change();
        assert!(context.turn(&mut request_state).await);
        assert_eq!(context.after(&answer(403).unwrap_err(), &mut request_state).await, Next::Refused);
    }
    assert!(context.keep_turn(&mut waiting).await);
    assert_eq!((world.so_far().1, waiting.permit), (5, Permit::Probe(1)));
    world.pace.throttled(waiting.turn.unwrap().0, Some(Duration::from_secs(10)));
    assert!(context.keep_turn(&mut waiting).await);
    assert_eq!((world.so_far().1, waiting.permit, waiting.tries), (15, Permit::Probe(2), 1));
}

/// Changes that are held back, since nothing can be read back, leave their places to whoever reads back to see
/// whether that is better.
#[tokio::test(start_paused = true)]
async fn what_is_held_back_has_no_place() {
    let world = world("1000/s", |_| answer(200));
    let (context, circuit) = (world.context_for(1), world.pace.circuit());
    circuit.answered(Purpose::Look);
    for number in 1..=5 {
        circuit.failed(Purpose::ReadBack, FailureKind::Unanswered, Some(referral(number)), Permit::Free);
    }
    let slots = [context.slots.slot(), context.slots.slot()];
    let mut held = RequestState::new(Purpose::Change, Some(referral(1)), &slots[0]);
    let mut probe = RequestState::new(Purpose::ReadBack, Some(referral(2)), &slots[1]);
    assert!(context.begin(&slots[0]).await);
    let (changed, looked) = tokio::join!(
        async {
            assert!(context.turn(&mut held).await);
            world.so_far().1
        },
        async {
            assert!(context.turn(&mut probe).await);
            context.answered(&probe);
            slots[1].leave();
            world.so_far().1
        }
    );
    assert_eq!((changed, looked), (5, 5));
}

/// A token that is long in coming holds back a change before its turn, where a stop ends the wait.
#[tokio::test]
async fn a_stop_ends_the_wait_for_a_token() {
    let mut world = world("1000/s", |_| answer(200));
    let settings = Settings { timeout: Duration::from_secs(1), correlation_id: Uuid::nil(), clock };
    let auth = Auth::command(&"sleep 1000".to_owned().into()).unwrap();
    world.service.client = Client::new(Endpoint::official(), auth, settings).unwrap();
    let context = world.context();
    let mut request_state = change();
    let (granted, ()) = tokio::join!(context.turn(&mut request_state), async {
        tokio::task::yield_now().await;
        world.stop.now(Reason::Interrupted);
    });
    assert_eq!((granted, request_state.tries), (false, 0));
    assert!(!world.service.client.has_token());
}

/// A referral that always meets the same, among others that are answered well: it alone pays for it, however
/// many are asked for at a time, and wherever it stands.
#[tokio::test(start_paused = true)]
async fn one_referral_has_its_trouble_for_itself() {
    const COUNT: usize = 40;
    let after = |status, seconds| {
        let mut failure = answer(status).unwrap_err();
        if let Failure::Answered(refusal) = &mut failure {
            refusal.retry_after = Some(Duration::from_secs(seconds));
        }
        failure
    };
    let bare = |status| answer(status).unwrap_err();
    // What it is answered; how often at most, and for how many seconds all wait, where others follow; how often
    // where none does.
    let cases = [
        (after(429, 3), 6, 3, 55),
        (bare(429), 6, 1, 55),
        (bare(509), 6, 1, 55),
        (after(503, 3), 6, 3, 55),
        (bare(503), 5, 0, 5),
        (bare(401), 2, 0, 1),
    ];
    for (failure, most, pause, most_at_last) in cases {
        for (concurrency, place) in [(1, 1), (1, 20), (1, COUNT), (8, 1), (8, 20), (4, COUNT)] {
            let mut world = world("100/s", |_| answer(200));
            world.service.poisoned = Some((referral(place), failure.clone()));
            world.service.takes = Duration::from_millis(30);
            let context = world.context_for(concurrency);
            let read = async |number| (number, status(context.read(referral(number)).await));
            let looked: Vec<(usize, Option<u16>)> = futures::stream::iter(1..=COUNT)
                .map(read)
                .buffer_unordered(context.slots.lives())
                .collect()
                .await;
            let case = format!("{failure:?} at {concurrency}, {place}");
            let others = looked.iter().filter(|(number, status)| *number != place && *status == Some(200));
            assert_eq!(others.count(), COUNT - 1, "{case}: {looked:?}");
            assert!(looked.contains(&(place, failure.status())), "{case}: {looked:?}");
            assert_eq!(world.stop.reason(), None, "{case}");
            let (asked, paused) = (world.so_far().0 - (COUNT - 1), world.pace.figures().paused_by_server);
            if place == COUNT {
                assert_eq!(asked, most_at_last, "{case}");
            } else {
                assert_eq!((asked, paused.as_secs()), (most, pause), "{case}");
                assert_eq!(world.pace.found(), Found { per_second: 100.0, throttled: false }, "{case}");
            }
        }
    }
}

/// Without others nobody is blamed: what is throttled for ever, or refused with a new token, stops the run.
#[tokio::test(start_paused = true)]
async fn where_there_are_no_others_the_run_stops() {
    for (status_, asked) in [(429, 51), (401, 1)] {
        let mut world = world("1000/s", |_| answer(200));
        world.service.poisoned = Some((id(), answer(status_).unwrap_err()));
        assert_eq!(status(world.context().read(id()).await), None);
        assert!(world.stop.is_set());
        assert_eq!(world.so_far().0, asked, "{status_}");
    }
}

/// What a service answers that isn't ready may have been done: the pause is everybody's, costs no try, and the
/// referral is read back when it is over. So it is where the run ends meanwhile.
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
            world.stop.now(Reason::Interrupted);
        }
        assert_eq!(
            (context.after(&unready, &mut request_state).await, request_state.tries),
            (Next::ReadBack, 0)
        );
        let read = status(context.read_to_settle(id(), somewhere()).await);
        assert_eq!((read, world.so_far().1), if stopped { (None, 0) } else { (Some(200), 7) });
    }
    let world = world("1000/s", |_| answer(200));
    let context = world.context();
    let mut look = RequestState::new(Purpose::Look, Some(id()), somewhere());
    assert!(context.turn(&mut look).await);
    assert_eq!(context.after(&unready, &mut look).await, Next::AgainFreely, "a look is asked again");
}
