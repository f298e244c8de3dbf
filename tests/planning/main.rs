//! Documents, rules and payloads as properties, without a service.
//!
//! | file | what it holds |
//! |---|---|
//! | `documents` | the document for any referral and any rows |
//! | `inverse` | the way back from any change to any referral |
//! | `payloads` | the document for any legacy payload |
//! | `rules` | every pair of stages, every level, every piece of advice |
//! | `three_way` | a file against the base that it was made from, in every form of both |
//! | `support` | referrals, wishes, and the model that says what is wanted |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod documents;
mod inverse;
mod payloads;
mod rules;
mod support;
mod three_way;
