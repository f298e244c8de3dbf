//! Plan, apply and account for bulk changes to Partner Center referrals.

pub mod domain;
pub mod plan;
