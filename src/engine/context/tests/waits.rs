//! What requests are told to have waited for.

use super::*;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const NONE: Waits = Waits {
    rate: Duration::ZERO,
    pause: Duration::ZERO,
    held_back: Duration::ZERO,
    back_off: Duration::ZERO,
};

#[tokio::test(start_paused = true)]
async fn turns_are_waited_for_at_the_rate() {
    let world = world("2/s", |_| answer(200));
    let context = world.context();
    let mut request_state = change();
    let mut waited = Vec::new();
    for _ in 0..3 {
        assert!(context.turn(&mut request_state).await);
        waited.push(request_state.take_waits());
    }
    assert_eq!(waited, [NONE, Waits { rate: ms(500), ..NONE }, Waits { rate: ms(500), ..NONE }]);
    assert_eq!(request_state.take_waits(), NONE, "they are told once");
}

/// A pause counts as that alone, also where the rate would have been waited for meanwhile.
#[tokio::test(start_paused = true)]
async fn a_pause_is_no_wait_for_the_rate() {
    let world = world("2/s", |turn| {
        let mut said = answer(if turn == 1 { 429 } else { 200 });
        if let Err(Failure::Answered(refusal)) = &mut said {
            refusal.retry_after = Some(Duration::from_secs(3));
        }
        said
    });
    let mut waits = Waits::default();
    let context = world.context();
    context.read_to_settle(id(), somewhere(), &mut waits).await.unwrap();
    assert_eq!((waits.pause, waits.held_back, waits.back_off), (ms(3_000), ms(0), ms(0)));
    assert_eq!(world.begun.elapsed(), waits.pause + waits.rate);
}

#[tokio::test(start_paused = true)]
async fn back_off_adds_up() {
    let world = world("1000/s", |_| answer(200));
    let context = world.context();
    let mut request_state = RequestState { tries: 1, ..change() };
    assert!(context.back_off("lost", &mut request_state).await);
    assert!(context.wait_to_read_back("lost", 2, &mut request_state).await);
    assert_eq!(request_state.take_waits(), Waits { back_off: ms(1_500), ..NONE });
}

/// Eight read back from a service that fails: those that the circuit breaker held back say so.
#[tokio::test(start_paused = true)]
async fn who_was_held_back_says_so() {
    let world = world("1000/s", |turn| answer(if (2..=6).contains(&turn) { 500 } else { 200 }));
    let context = world.context();
    assert!(context.read(id()).await.is_ok(), "it was there once");
    let readings = (1..=8_u32).map(async |number| {
        let id = format!("5a1e0001-0000-4000-8000-{number:012x}").parse().unwrap();
        let mut waits = Waits::default();
        let read = context.read_to_settle(id, somewhere(), &mut waits).await;
        (status(read), waits)
    });
    let ended = futures::future::join_all(readings).await;
    let held: Duration = ended.iter().map(|(_, waits)| waits.held_back).sum();
    assert!(ended.iter().all(|(status, _)| *status == Some(200)), "{ended:?}");
    assert!(held >= Duration::from_secs(1), "{ended:?}");
    assert!(ended.iter().all(|(_, waits)| waits.held_back <= world.pace.wait_times().held_back), "{ended:?}");
}
