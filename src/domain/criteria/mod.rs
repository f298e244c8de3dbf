//! Criteria by which referrals are chosen, such as the status, or a condition in the notation of OData.
//!
//! A service may filter a list by some of them. Whether it does, and how, is hardly documented, so each referral
//! is judged here as well: one that meets a criterion, one that doesn't, and one of which that was not seen.
//!
//! | file | what it does |
//! |---|---|
//! | `choice` | the criteria of a choice together, and what of them a service is asked for |
//! | `condition` | a condition on the members of a referral, and whether one meets it |
//! | `error` | the error that a text is no condition |
//! | `member` | the members that a condition may name, and what each may be compared with |
//! | `parser` | reads a condition from its text |
//! | `truth` | yes, no, or unseen |

mod choice;
mod condition;
mod error;
mod member;
mod parser;
mod truth;

pub use choice::{Criteria, OwnCondition};
pub use error::ConditionError;
pub use truth::Truth;
