//! The pace of a run: what was sent over time, what interrupted it, and how long answers took.
//!
//! What is kept doesn't grow with the number of requests.
//!
//! | file | what |
//! |---|---|
//! | `part` | the part of the page |
//! | `sums` | the fold over attempts and waits |
//! | `bins` | what was sent over time, in bins that widen |
//! | `spans` | times that many requests tell of, joined |
//! | `latency` | how long answers took, by class and by share |
//! | `axis` | the time axis: sessions of work, and breaks between them |
//! | `over_time`, `interruptions` | the chart over time, and what is told of it |
//! | `took` | the chart of how long answers took |
//! | `totals`, `words` | sums, times and rates in words |

mod axis;
mod bins;
mod interruptions;
mod latency;
mod over_time;
mod part;
mod spans;
mod sums;
mod took;
mod totals;
mod words;

pub use part::Pace;

#[cfg(test)]
mod testing;
