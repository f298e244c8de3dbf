//! `ledger`: makes, upgrades and checks a shared ledger on PostgreSQL, and forgets a run of one.
//!
//! | file | what it does |
//! |---|---|
//! | `options` | which ledger is meant, and the commands that name it: [`LedgerOptions`] |
//! | `trouble` | what helps where a ledger can't be used |
//! | `making` | `ledger init` and `ledger upgrade` |
//! | `check` | `ledger check`: asks, and tells what came of it |
//! | `lines` | what is told of a ledger, by subject |
//! | `facts` | the same for programs |
//! | `forget` | `ledger forget` |

mod check;
mod facts;
mod forget;
mod lines;
mod making;
mod options;
mod trouble;

pub use check::{CheckOptions, check};
pub use facts::LedgerFacts;
pub use forget::{ForgetOptions, forget};
pub use making::{init, upgrade};
pub use options::LedgerOptions;
