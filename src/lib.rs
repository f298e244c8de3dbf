//! Plan, apply and account for bulk changes to Partner Center referrals.

pub mod api;
pub mod domain;
pub mod input;
pub mod ledger;
pub mod pace;
pub mod plan;
pub mod report;
pub mod sandbox;
