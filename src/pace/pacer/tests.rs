//! Turns, pauses and the times they took, on tokio's paused clock.

use tokio::time::{advance, sleep};

use super::*;

/// Which worker had a turn, and how many milliseconds after the beginning.
type Log = Arc<StdMutex<Vec<(usize, u128)>>>;

fn pace(rate: &str) -> Arc<Pace> {
    Arc::new(Pace::new(rate.parse().unwrap()))
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Lets `count` workers ask for a turn each, in order, and logs when each got it.
fn workers(pace: &Arc<Pace>, start: Instant, count: usize) -> (Log, tokio::task::JoinSet<()>) {
    let log = Log::default();
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..count {
        let (pace, log) = (Arc::clone(pace), Arc::clone(&log));
        tasks.spawn(async move {
            pace.turn().await;
            log.lock().unwrap().push((worker, start.elapsed().as_millis()));
        });
    }
    (log, tasks)
}

#[tokio::test(start_paused = true)]
async fn turns_come_at_their_rate_and_in_order() {
    for (rate, interval) in [("2/s", 500), ("1/m", 60_000), ("120/m", 500), ("100/s", 10)] {
        let (pace, start) = (pace(rate), Instant::now());
        let (log, tasks) = workers(&pace, start, 50);
        tasks.join_all().await;
        let wanted: Vec<_> = (0..50).map(|worker| (worker, worker as u128 * interval)).collect();
        assert_eq!(*log.lock().unwrap(), wanted, "{rate}");
        let waits = WaitTimes {
            waiting_for_rate: start.elapsed(),
            paused_by_server: Duration::ZERO,
            ..WaitTimes::default()
        };
        assert_eq!(pace.wait_times(), waits, "{rate}: wall time, not the sum over the workers");
    }
}

#[tokio::test(start_paused = true)]
async fn idle_time_is_not_saved_up() {
    let (pace, start) = (pace("2/s"), Instant::now());
    pace.turn().await;
    advance(s(60)).await;
    for _ in 0..3 {
        pace.turn().await;
    }
    assert_eq!(start.elapsed(), s(61));
    assert_eq!(pace.wait_times().waiting_for_rate, s(1));
}

#[tokio::test(start_paused = true)]
async fn high_rates_are_kept_although_timers_are_coarse() {
    for (rate, turns) in [
        ("100000/s", 100_000_u32),
        ("20000/s", 20_000),
        ("1000/s", 1_000),
        ("400/s", 400),
        ("300/s", 300),
        ("130/s", 130),
    ] {
        let (pace, start) = (pace(rate), Instant::now());
        for _ in 0..turns {
            pace.turn().await;
        }
        let taken = start.elapsed();
        assert!(ms(990) <= taken && taken <= ms(1001), "{rate}: {taken:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_everybody_back() {
    let (pace, start) = (pace("2/s"), Instant::now());
    let turn = pace.turn().await;
    let (log, tasks) = workers(&pace, start, 3);
    sleep(ms(600)).await;
    assert_eq!(pace.wait_reason(), WaitReason::Rate);
    assert_eq!(pace.throttled(turn, Some(s(10))), Pause { length: s(10), in_a_row: 1 });
    assert_eq!(pace.wait_reason(), WaitReason::Server { until: start + ms(10_600) });
    tasks.join_all().await;
    // The rate is half of what it was.
    assert_eq!(*log.lock().unwrap(), [(0, 500), (1, 10_600), (2, 11_600)]);
    assert_eq!(
        pace.wait_times(),
        WaitTimes { waiting_for_rate: ms(1_600), paused_by_server: s(10), ..WaitTimes::default() }
    );
    assert_eq!(pace.wait_reason(), WaitReason::Nothing);
}

#[tokio::test(start_paused = true)]
async fn overlapping_pauses_end_with_the_latest() {
    let (pace, start) = (pace("100/s"), Instant::now());
    let turn = pace.turn().await;
    assert_eq!(pace.throttled(turn, Some(s(10))).length, s(10));
    advance(s(4)).await;
    assert_eq!(pace.throttled(turn, Some(s(2))).length, s(2), "ends earlier: nothing changes");
    let (log, tasks) = workers(&pace, start, 2);
    sleep(s(4)).await;
    assert_eq!(pace.throttled(turn, Some(s(5))).length, s(5), "ends later: the gate stays shut");
    assert_eq!(pace.wait_times().paused_by_server, s(8), "what is over by now");
    tasks.join_all().await;
    assert_eq!(*log.lock().unwrap(), [(0, 13_000), (1, 13_020)], "one episode halves the rate once");
    assert_eq!(
        pace.wait_times(),
        WaitTimes { waiting_for_rate: ms(20), paused_by_server: s(13), ..WaitTimes::default() }
    );
    advance(s(100)).await;
    assert_eq!(pace.throttled(turn, Some(s(1))).length, s(1));
    advance(s(100)).await;
    assert_eq!(pace.wait_times().paused_by_server, s(14), "the time between two pauses is none");
}

#[test]
fn pauses_are_capped_and_grow_by_themselves() {
    for (asked, in_a_row, taken) in [
        (Some(s(7)), 1, s(7)),
        (Some(ms(1)), 2, ms(1)),
        (Some(ms(1)), 3, s(1)),
        (Some(s(3)), 4, s(3)),
        (Some(ms(1)), 6, s(8)),
        (Some(s(1)), 7, s(10)),
        (Some(s(1)), u32::MAX, s(10)),
        (Some(s(60)), 20, s(60)),
        (Some(MAX_PAUSE), 1, MAX_PAUSE),
        (Some(s(601)), 1, MAX_PAUSE),
        (Some(Duration::MAX), 1, MAX_PAUSE),
        (None, 0, s(1)),
        (None, 1, s(1)),
        (None, 2, s(2)),
        (None, 6, s(32)),
        (None, 7, s(60)),
        (None, u32::MAX, s(60)),
        (Some(Duration::ZERO), 3, s(4)),
    ] {
        assert_eq!(length(asked, in_a_row), taken, "{asked:?} {in_a_row}");
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_are_taken_and_counted_until_something_is_let_through() {
    let (pace, mut at) = (pace("1000/s"), Instant::now());
    for (asked, length, in_a_row) in [
        (Some(Duration::MAX), MAX_PAUSE, 1),
        (None, s(2), 2),
        (Some(Duration::ZERO), s(4), 3),
        (Some(s(7)), s(7), 4),
        (None, s(16), 5),
    ] {
        let turn = pace.turn().await;
        assert_eq!(at.elapsed(), Duration::ZERO, "nobody waits for longer than the pause");
        assert_eq!(pace.throttled(turn, asked), Pause { length, in_a_row });
        at = Instant::now() + length;
        sleep(length).await;
    }
    let turn = pace.turn().await;
    pace.answered(turn);
    let turn = pace.turn().await;
    assert_eq!(pace.throttled(turn, None), Pause { length: s(1), in_a_row: 1 });
}

/// 32 workers, each of which is throttled at every turn.
#[tokio::test(start_paused = true)]
async fn a_storm_is_not_fed() {
    let (pace, start) = (pace("1000/s"), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    let log: Arc<StdMutex<Vec<u64>>> = Arc::default();
    for _ in 0..32 {
        let (pace, log) = (Arc::clone(&pace), Arc::clone(&log));
        tasks.spawn(async move {
            loop {
                let turn = pace.turn().await;
                log.lock().unwrap().push(start.elapsed().as_secs());
                sleep(ms(200)).await;
                pace.throttled(turn, None);
            }
        });
    }
    sleep(s(600)).await;
    tasks.shutdown().await;
    let mut log = log.lock().unwrap().clone();
    let all = log.len();
    log.dedup();
    // After two pauses, one request between pauses that grow: how it begins, and then every minute.
    assert_eq!(log[..7], [0, 1, 3, 7, 15, 32, 64]);
    assert_eq!((log[7], log.len(), all), (124, 15, 15 + 2 * 31));
}

#[tokio::test(start_paused = true)]
async fn a_fixed_rate_is_lowered_and_comes_back() {
    let (pace, start) = (pace("2/s"), Instant::now());
    let mut rates = Vec::new();
    for number in 0_u32.. {
        let turn = pace.turn().await;
        let now = start.elapsed().as_secs();
        if number == 40 {
            pace.throttled(turn, Some(s(5)));
        } else {
            pace.answered(turn);
        }
        let rate = pace.controller().rate();
        if rates.last().is_none_or(|(_, last)| *last != rate) {
            rates.push((now, rate));
        }
        if now > 3600 {
            break;
        }
    }
    assert_eq!(rates.first(), Some(&(0, 2.0)));
    assert!(rates.iter().all(|(_, rate)| *rate <= 2.0), "never above what was asked for: {rates:?}");
    assert!((1.0..1.99).contains(&rates[1].1), "{rates:?}");
    let (back, rate) = *rates.last().unwrap();
    assert!(rate == 2.0 && back < 700, "{rates:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lower_rate_is_kept_and_a_higher_one_wakes_who_waits() {
    let (pace, start) = (pace("1/s"), Instant::now());
    let turn = pace.turn().await;
    pace.throttled(turn, Some(s(10)));
    let again = pace.turn().await;
    pace.throttled(again, Some(s(10)));
    let probe = pace.turn().await;
    assert_eq!(start.elapsed(), s(20));
    let (log, tasks) = workers(&pace, start, 2);
    sleep(ms(100)).await;
    pace.answered(probe);
    tasks.join_all().await;
    assert_eq!(*log.lock().unwrap(), [(0, 22_000), (1, 24_000)]);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_takes_nobodys_turn() {
    let (pace, start) = (pace("2/s"), Instant::now());
    pace.turn().await;
    tokio::time::timeout(ms(200), pace.turn()).await.unwrap_err();
    assert_eq!(pace.wait_reason(), WaitReason::Nothing);
    assert_eq!(pace.wait_times().waiting_for_rate, ms(200));
    pace.turn().await;
    assert_eq!(start.elapsed(), ms(500));
    assert_eq!(pace.wait_times().waiting_for_rate, ms(500));
}
