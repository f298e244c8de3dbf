//! The one place where things happen at the same time: referrals are looked at, and planned items
//! are carried out.
//!
//! | file | what it does |
//! |---|---|
//! | [`service`] | what the engine needs of an API, as a trait |
//! | [`context`] | what all workers share; one request under pace, with retries where it is a GET |
//! | `event` | what happens meanwhile, for those who show it |
//! | `request_state`, `request_counts` | one request while it is made, and how many were made |
//! | [`slots`] | so many requests at a time, and what was refused goes to the end of the line |
//! | `deadline` | the time that the user set for the last request, by the wall clock |
//! | [`in_flight`] | what is under way, and whether anything of it comes to an end |
//! | `outage` | what a failure says of the service as a whole |
//! | [`fetch`] | finds the state of the wanted referrals in the fewest requests |
//! | [`carry`] | takes outstanding items and lives each one's life, the `item_task` |
//! | `shown` | what an answer shows of the referral that was asked for: whole, or in part |
//! | [`settle`] | what a referral that was read back says about an item in doubt |
//! | [`stop`] | why a run ends early, and whether what is in flight is awaited |
//!
//! Always, for every request that could change something: a slot, then the server's gate, then the
//! limiter, then the intent on disk, then the request; and whatever it led to is written down before
//! anything else is sent for that referral. The gate may be shut, or the run stopped, while the intent
//! waits for the disk: then the request waits for another turn, or stays. A PATCH is never repeated
//! blindly: an item in doubt is read back first.

pub mod carry;
pub mod context;
mod deadline;
mod event;
pub mod fetch;
pub mod in_flight;
mod item_task;
mod outage;
mod request_counts;
mod request_state;
pub mod service;
pub mod settle;
mod shown;
pub mod slots;
pub mod stop;

pub use carry::carry_out;
pub use context::Context;
pub use event::Event;
pub use request_counts::RequestCounts;
pub use service::Api;
pub use slots::Slots;
pub use stop::{Reason, Stop, StopStage};
