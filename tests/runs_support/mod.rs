//! Whole runs with the real program: what the tests of runs share.
//!
//! | file | what it does |
//! |---|---|
//! | [`program`] | starts the program, signals it, and reads what it leaves behind |
//! | [`service`] | a sandbox in a process of its own |
//! | [`tap`] | sits between the two: sees every request on the wire, holds them back, cuts the line |
//! | [`referrals`] | made-up referrals to begin with |
//! | [`screen`] | a terminal that the program runs at, and what is to be seen on it |
//!
//! Nothing here knows how the program works inside: it is typed at, and asked over HTTP.

pub mod program;
pub mod referrals;
#[cfg(unix)]
pub mod screen;
pub mod service;
pub mod tap;

use std::thread::sleep;
use std::time::Duration;

/// Asks again and again until there is an answer; panics after a time that no machine needs, however busy.
pub fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    const STEP: Duration = Duration::from_millis(5);
    for _ in 0..180_000 {
        if let Some(answer) = answer() {
            return answer;
        }
        sleep(STEP);
    }
    panic!("waited a quarter of an hour in vain: {what}");
}
