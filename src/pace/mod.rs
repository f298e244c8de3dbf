//! When a request may go out, and what a failed one leads to.
//!
//! | part | what it owns |
//! |---|---|
//! | [`Pacing`], [`Rate`] | how fast to go, as the user writes it |
//! | `controller` | how fast to go, from what was let through and what was not: pure |
//! | `gate` | the pause that the server asked for, one for the whole run |
//! | [`blame`] | whether a refusal is everybody's, or one referral's own: pure |
//! | [`circuit`] | the pause that the run takes by itself where one request after another fails |
//! | [`Pace`] | whose turn it is, of all workers of a run |
//! | `limiter` | the rate limit, on tokio's clock |
//! | `meter` | the time that went into waiting for the rate, or into being held back |
//! | [`width`] | how many at a time, where their number is refused: pure |
//! | [`retry`] | what follows from a failure: a pure decision |
//!
//! What always holds: turns come in the order in which they were asked for, nobody's turn comes while
//! the gate is shut, reads and writes share one rate, because the service counts them together, and no
//! rate is higher than the user's.

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

pub use controller::{RateCheckpoint, Turn};
pub use pacer::{FoundRate, MAX_PAUSE, Pace, Pause, WaitReason, WaitTimes};
pub use rate::{Pacing, Rate, RateError};
