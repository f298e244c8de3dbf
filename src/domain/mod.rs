//! The domain: what a referral is, what may be changed about it, by which rules, and what became of
//! each row.
//!
//! Everything here is pure. There is no I/O, no clock, no HTTP and no SQL: the caller passes in the
//! time and the text. A run builds these types in this order:
//!
//! | type | meaning | built by |
//! |---|---|---|
//! | [`Draft`](change::Draft) | one input row, typed and unjudged | `input` |
//! | [`Snapshot`](snapshot::Snapshot) | a referral as it was seen, whole or in part | the module that read it |
//! | [`Payload`](change::Payload) | one legacy PUT payload, as read | `input` |
//! | [`Desired`](change::Desired) | all rows for one referral, merged | `plan` |
//! | [`Approved`](rules::Approved) | what differs from the referral as it stands, and is allowed | [`rules::judge()`] only |
//! | [`Item`](item::Item) | its JSON Patch document | `plan` |
//! | [`Verdict`](outcome::Verdict) | what became of it | `plan` and `engine` |

pub mod account;
mod address;
pub mod aliases;
pub mod approval;
pub mod attempt;
pub mod audit;
pub mod cell_text;
pub mod change;
pub mod characters;
pub mod consent;
pub mod criteria;
pub mod day_doubt;
pub mod day_first;
pub mod decimal;
pub mod equality;
pub mod excerpt;
pub mod exchange;
pub mod exit;
pub mod fields;
pub mod finding;
pub mod format;
pub mod formula;
pub mod id_list;
pub mod instant;
pub mod item;
pub mod json;
pub mod key;
pub mod level;
pub mod life;
pub mod likeness;
pub mod limit_signal;
pub mod lost;
pub mod number;
pub mod oddity;
pub mod outcome;
pub mod pointer;
pub mod portal_text;
pub mod priority;
pub mod reasons;
pub mod referral;
pub mod rules;
pub mod run_spec;
pub mod setting;
pub mod sheet_cell;
pub mod snapshot;
pub mod sort_key;
pub mod status;
pub mod step;
pub mod subject;
pub mod suspect;
pub mod text_form;
pub mod type_error;
pub mod value;
pub mod verification;
pub mod waves;
pub mod way_back;
pub mod wording;
