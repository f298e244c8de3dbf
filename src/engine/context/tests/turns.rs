//! Turns to send: who keeps one, who waits for another.

use super::*;

/// A request that had its turn and has waited for the disk since is sent at once where nothing happened
/// meanwhile, waits for another turn after a pause, and is not sent where the run was stopped.
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
            world.stop.now(StopReason::Interrupted);
        }
        assert_eq!(context.keep_turn(&mut request_state).await, kept, "{what}");
        assert_eq!(world.so_far(), (0, seconds), "{what}");
        assert!(!kept || request_state.tries == 1, "{what}: it is charged once");
    }
}

/// Requests that the gate held back are sent one after another.
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

/// A request that had its turn when the circuit opened waits like all others; and a probe that a pause held
/// back is sent after it, still as the probe.
#[tokio::test(start_paused = true)]
async fn turns_that_the_circuit_took_come_with_the_probe() {
    let world = world("1000/s", |_| answer(200));
    let context = world.context();
    let mut waiting = change();
    assert!(context.turn(&mut waiting).await);
    for _ in 0..25 {
        let mut request_state = change();
        assert!(context.turn(&mut request_state).await);
        assert_eq!(context.after(&answer(403).unwrap_err(), &mut request_state).await, AfterFailure::Refused);
    }
    assert!(context.keep_turn(&mut waiting).await);
    assert_eq!((world.so_far().1, waiting.permit), (5, Permit::Probe(1)));
    world.pace.throttled(waiting.turn.unwrap().0, Some(Duration::from_secs(10)));
    assert!(context.keep_turn(&mut waiting).await);
    assert_eq!((world.so_far().1, waiting.permit, waiting.tries), (15, Permit::Probe(2), 1));
}

/// Changes that are held back, since nothing can be read back, leave their places to the probe that reads
/// back.
#[tokio::test(start_paused = true)]
async fn what_is_held_back_has_no_place() {
    let world = world("1000/s", |_| answer(200));
    let (context, circuit) = (world.context_for(1), world.pace.circuit());
    circuit.answered(Purpose::Fetch);
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
