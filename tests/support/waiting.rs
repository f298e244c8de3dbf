//! Patience, and doing several things at a time.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// How long a test waits for what has to come, before it is one that hangs. No machine needs as long, however busy.
pub const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Asks again and again until there is an answer; panics when the patience is over.
#[track_caller]
pub fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    const STEP: Duration = Duration::from_millis(5);
    for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
        if let Some(answer) = answer() {
            return answer;
        }
        sleep(STEP);
    }
    panic!("waited in vain: {what}");
}

/// Does the same with every case, several at a time, and gives what came of them in the cases' order.
/// Most of them wait for pauses that the program makes.
pub fn each<C: Sync, R: Send>(cases: &[C], does: impl Fn(&C) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while let Some((at, case)) = take(cases, &next) {
                    let result = does(case);
                    results.lock().unwrap().insert(at, result);
                }
            });
        }
    });
    results.into_inner().unwrap().into_values().collect()
}

fn take<'c, C>(cases: &'c [C], next: &AtomicUsize) -> Option<(usize, &'c C)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    cases.get(at).map(|case| (at, case))
}
