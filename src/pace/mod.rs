//! Decides when a request may be sent, and what follows from one that failed.
//!
//! | part | what it owns |
//! |---|---|
//! | [`Pace`] | the turns of all workers of a run: gate, then rate limit |
//! | [`Pacing`], [`Rate`] | the rate as the user writes it |
//! | `controller` | the rate that is used, adapted to what the service throttles: pure |
//! | `limiter` | the rate limit itself, on tokio's clock |
//! | `gate` | the pause that the service asked for, one for the whole run |
//! | [`circuit`] | the circuit breaker: the pause that the run takes by itself after a streak of failures |
//! | [`blame`] | whether a refusal concerns the whole run or one referral: pure |
//! | [`width`] | how many requests may be in flight, where their number is what gets refused: pure |
//! | [`retry`] | what follows from a failure: a pure decision |
//! | `meter` | how long requests waited for the rate, or were held back by the circuit breaker |
//!
//! What always holds:
//! - Turns are given in the order in which they were asked for, and none while the gate is shut.
//! - Reads and writes share one rate, because the service counts them together.
//! - No rate is higher than the user's.

pub mod blame;
pub mod circuit;
mod controller;
mod gate;
mod limiter;
mod meter;
mod pacer;
mod rate;
pub mod retry;
pub mod width;

pub use controller::{BorneRate, RateCheckpoint, Turn};
pub use pacer::{FoundRate, MAX_PAUSE, Pace, Pause, WaitReason, WaitTimes};
pub use rate::{Pacing, Rate, RateError};
