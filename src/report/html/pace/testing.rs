//! Attempts and waits for the tests of the pace.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::attempt::{PaceRecord, Try};
use crate::domain::step::Waits;

/// Half past three on the last afternoon of the year.
pub(super) const BEGUN: i64 = 1_798_731_000_000;

pub(super) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(BEGUN + milliseconds).unwrap()
}

/// An attempt, in milliseconds from the beginning, that took so long; with the status 0 it was never answered.
pub(super) fn attempt(begun: i64, took: i64, status: u16) -> PaceRecord {
    let status = Some(status).filter(|status| *status > 0);
    let answered = status.map(|_| at(begun + took));
    PaceRecord::Attempt(Try { client_request_id: Uuid::nil(), at: at(begun), status, answered })
}

pub(super) fn waited(until: i64, [rate, pause, held_back, back_off]: [u64; 4]) -> PaceRecord {
    let ms = Duration::from_millis;
    let waits = Waits { rate: ms(rate), pause: ms(pause), held_back: ms(held_back), back_off: ms(back_off) };
    PaceRecord::Waits { at: at(until), waits }
}
