//! An API on plain TCP, for tests of what goes wrong below HTTP.
//!
//! | file | what it does |
//! |---|---|
//! | [`api`] | referrals, what a request makes of them, and a log of what took effect |
//! | [`deadly`] | a service that has its client killed at a moment of its choice |
//! | [`faults`] | everything that can go wrong with a request or its answer |
//!
//! It shares nothing with the program but the crate that applies a document.

pub mod api;
pub mod deadly;
pub mod faults;
