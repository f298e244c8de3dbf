//! What stops a run, and what a stop ends.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_service_that_does_nothing_but_throttle_stops_the_run() {
    let world = world("1000/s", |_| answer(429));
    assert_eq!(status(world.context().read(id()).await), None);
    assert_eq!(world.stop.reason(), Some(StopReason::Throttled));
    // A pause after each but the last: 1, 2, 4, 8, 16, 32, and then a minute each.
    assert_eq!(world.so_far(), (51, 63 + 44 * 60));
    assert_eq!((world.counts.stats().throttled, world.counts.stats().get), (51, 51));
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
            assert_eq!(write(403).await, AfterFailure::Refused);
        }
        assert_eq!(write(404).await, AfterFailure::Refused);
    }
    assert_eq!(world.stop.reason(), None);
    for stopped in [false, true] {
        let before = world.so_far().1;
        for _ in 0..25 {
            assert_eq!(write(403).await, AfterFailure::Refused);
        }
        assert_eq!((world.stop.reason(), world.so_far().1 - before), (None, 0));
        // One more goes out after a pause, and decides.
        assert_eq!(write(if stopped { 403 } else { 404 }).await, AfterFailure::Refused);
        assert_eq!(world.so_far().1 - before, 5);
    }
    assert_eq!(world.stop.reason(), Some(StopReason::Forbidden("HTTP 403".to_owned())));
}

/// However many workers meet a refusal, and whenever: a new token that is refused before it was ever accepted
/// stops the run, and no third one is fetched.
#[tokio::test]
async fn a_new_token_that_is_refused_stops_the_run() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a-token-of-enough-characters").unwrap();
    let mut world = world("100000/s", |_| answer(401));
    let settings = ClientSettings { timeout: Duration::from_secs(1), correlation_id: Uuid::nil(), clock };
    let auth = Auth::file(file.path().to_owned());
    world.service.client = Client::new(Endpoint::official(), auth, settings).unwrap();
    let context = world.context();
    let refused = answer(401).unwrap_err();
    let mut first = change();
    assert!(context.turn(&mut first).await);
    assert_eq!(context.after(&refused, &mut first).await, AfterFailure::AgainUncharged);
    // Another worker's first request goes out with the new token before the first worker's second.
    let mut second = change();
    assert!(context.turn(&mut second).await);
    assert_eq!(context.after(&refused, &mut second).await, AfterFailure::AgainUncharged);
    assert!(context.turn(&mut second).await);
    assert_eq!(context.after(&refused, &mut second).await, AfterFailure::Stopped);
    assert!(
        matches!(world.stop.reason(), Some(StopReason::Token { sign_in: None, .. })),
        "{:?}",
        world.stop.reason()
    );
    assert_eq!((world.service.client.token_requests(), second.tries), (2, 0));
}

/// After a stop, a request that settles an item in doubt waits for the rate, and not for a pause.
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
            world.stop.now(StopReason::Interrupted);
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
        world.stop.now(StopReason::Interrupted);
        assert_eq!(status(world.context().read(id()).await), None);
        assert_eq!(world.so_far(), (0, 0));
        assert_eq!(status(settle(&world.context(), id()).await), settled);
        assert_eq!(world.so_far(), so_far);
    }
}

/// A pause ends the wait of a request that reads back, and so does one that begins before it.
#[tokio::test(start_paused = true)]
async fn after_a_stop_nothing_is_read_back_in_a_pause() {
    let world = world("1/m", |turn| answer(if turn == 1 { 429 } else { 200 }));
    let context = world.context();
    world.stop.now(StopReason::Interrupted);
    let (throttled, waiting) = tokio::join!(settle(&context, id()), settle(&context, id()));
    let later = settle(&context, id()).await;
    assert_eq!([throttled, waiting, later].map(status), [None; 3]);
    assert_eq!(world.so_far(), (1, 0));
}

/// A token that takes long to fetch holds a change back before its turn, where a stop ends the wait.
#[tokio::test]
async fn a_stop_ends_the_wait_for_a_token() {
    let mut world = world("1000/s", |_| answer(200));
    let settings = ClientSettings { timeout: Duration::from_secs(1), correlation_id: Uuid::nil(), clock };
    let auth = Auth::command(&"sleep 1000".to_owned().into()).unwrap();
    world.service.client = Client::new(Endpoint::official(), auth, settings).unwrap();
    let context = world.context();
    let mut request_state = change();
    let (granted, ()) = tokio::join!(context.turn(&mut request_state), async {
        tokio::task::yield_now().await;
        world.stop.now(StopReason::Interrupted);
    });
    assert_eq!((granted, request_state.tries), (false, 0));
    assert!(!world.service.client.has_token());
}

/// Without other requests no referral is blamed: an endless throttle, or a new token that is refused, stops
/// the run.
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
