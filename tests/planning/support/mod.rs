//! Random referrals and random wishes, and an independent model of what a wish makes of a referral.
//!
//! Nothing here is shared with the program but the types that go in: the model has its own table of
//! fields, its own idea of when two values mean the same, and its own arithmetic.

pub mod based;
pub mod json;
pub mod model;
pub mod referrals;
pub mod wishes;
