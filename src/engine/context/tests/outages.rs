//! Outages, and what is one referral's own trouble.

use super::*;

/// Lets eight workers read back from a service that fails for a while. Returns the status that each ended
/// with, the number of requests, how many seconds that took, and why the run stopped.
async fn outage(says: Says) -> (Vec<Option<u16>>, usize, u64, Option<StopReason>) {
    let world = world("1000/s", says);
    let context = world.context();
    assert!(context.read(id()).await.is_ok(), "it was there once");
    let readings = (1..=8).map(|number| settle(&context, referral(number)));
    let settled = futures::future::join_all(readings).await.into_iter().map(status).collect();
    (settled, world.so_far().0 - 1, world.so_far().1, world.stop.reason())
}

/// An outage that ends in time leaves nothing in doubt, and costs few requests.
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

/// An outage that lasts stops the run, and leaves items in doubt.
#[tokio::test(start_paused = true)]
async fn an_outage_is_not_waited_for_long() {
    let (settled, asked, seconds, reason) = outage(|turn| answer(if turn > 1 { 504 } else { 200 })).await;
    assert_eq!((settled, asked, seconds), (vec![None; 8], 5 + 3, 35));
    assert_eq!(reason, Some(StopReason::Unreadable("HTTP 504".to_owned())));
    let (settled, asked, seconds, reason) =
        outage(|turn| if turn > 1 { not_sent() } else { answer(200) }).await;
    assert_eq!((settled, asked, seconds), (vec![None; 8], 5 + 3, 35));
    assert_eq!(reason, Some(StopReason::Unreachable("refused".to_owned())));
}

/// A referral that always fails opens no circuit, since others are answered in between.
#[tokio::test(start_paused = true)]
async fn one_referral_is_no_outage() {
    let world = world("1000/s", |turn| answer(if turn % 2 == 0 { 200 } else { 500 }));
    let context = world.context();
    for _ in 0..20 {
        assert_eq!(status(settle(&context, id()).await), Some(200));
    }
    assert_eq!(world.stop.reason(), None);
}

/// A referral that always gets the same refusal, among others that succeed, alone pays for it, whatever the
/// concurrency and its place among them.
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
    // The answer; the number of requests for it, and the seconds that all wait, where others follow; the
    // number of requests where none follows.
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
                .buffer_unordered(context.slots.tasks())
                .collect()
                .await;
            let case = format!("{failure:?} at {concurrency}, {place}");
            let others = looked.iter().filter(|(number, status)| *number != place && *status == Some(200));
            assert_eq!(others.count(), COUNT - 1, "{case}: {looked:?}");
            assert!(looked.contains(&(place, failure.status())), "{case}: {looked:?}");
            assert_eq!(world.stop.reason(), None, "{case}");
            let (asked, paused) = (world.so_far().0 - (COUNT - 1), world.pace.wait_times().paused_by_server);
            if place == COUNT {
                assert_eq!(asked, most_at_last, "{case}");
            } else {
                assert_eq!((asked, paused.as_secs()), (most, pause), "{case}");
                assert_eq!(
                    world.pace.found_rate(),
                    FoundRate { per_second: 100.0, throttled: false },
                    "{case}"
                );
            }
        }
    }
}
