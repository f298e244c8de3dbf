//! Fetches referrals and carries out planned items, many at a time. This is the only module in which
//! requests run concurrently.
//!
//! | file | what it does |
//! |---|---|
//! | [`fetch`] | fetches the state of the wanted referrals in the fewest requests |
//! | [`verify`] | finds out, with GETs alone, whether what a run wrote still stands |
//! | [`keeper`] | puts what that finds on record |
//! | [`wave`] | reads a wave back before the next one goes |
//! | [`list_all`] | reads the whole list, for whoever needs all of it |
//! | [`carry`] | takes outstanding items from the ledger and runs a task for each |
//! | `item_task` | carries one item out, from its turn to its outcome |
//! | [`pool`] | the items that the service answered with a yes alone, until they are confirmed |
//! | `confirm` | confirms them in bulk, by pages of the list |
//! | [`settle`] | compares an answer, or a referral that was read back, with an item |
//! | [`context`] | what all workers share; one request at the run's pace, with retries where it is a GET |
//! | `request_state`, `request_counts` | one request with its tries, and how many requests were made |
//! | `shown` | reads the referral in an answer: whole, or in part |
//! | `outage` | what a failure says of the service as a whole |
//! | [`slots`] | the limit on requests in flight, and the queue for them |
//! | [`in_flight`] | what is under way, and whether any of it still comes to an end |
//! | `deadline` | the time that the user set for the last request, by the wall clock |
//! | [`stop`] | why a run ends early, and whether requests in flight are awaited |
//! | `event` | what happens, for the progress display and the diagnostics |
//! | [`service`] | what the engine needs of an API, as a trait |
//!
//! What always holds for a PATCH: it waits for a slot, then for the gate, then for the rate limit; its intent
//! is on disk before it is sent; and its result is recorded before anything else is sent for that referral.
//! While the intent is written the gate may be shut or the run stopped: then the request waits for another
//! turn, or is not sent. A PATCH is never repeated blindly: an item in doubt is read back first.

pub mod carry;
mod confirm;
pub mod context;
mod deadline;
mod event;
pub mod fetch;
pub mod in_flight;
mod item_task;
pub mod keeper;
pub mod list_all;
mod outage;
pub mod pool;
mod request_counts;
mod request_state;
pub mod service;
pub mod settle;
mod shown;
pub mod slots;
pub mod stop;
pub mod verify;
pub mod wave;

pub use carry::carry_out;
pub use context::Context;
pub use event::Event;
pub use request_counts::RequestCounts;
pub use service::Api;
pub use slots::Slots;
pub use stop::{Stop, StopReason, StopStage};
