//! Change files that are made from referrals, to be looked through and filled in: their columns and cells.
//!
//! Every cell is read back before it is written, by what reads change files. So a file that is given back as it
//! was made asks for nothing: a cell that would say something else than its referral is left empty, which leaves
//! the field as it is, and is told.
//!
//! | file | what it does |
//! |---|---|
//! | `column` | what one column holds, by the name that the user gives it |
//! | `columns` | the columns of a file: those that are asked for, and those that are filled for every referral |
//! | `cell` | one cell of a referral |
//! | `read_back` | what a reader of change files makes of a cell |

mod cell;
mod column;
mod columns;
mod read_back;

pub use cell::ExportCell;
pub use column::ColumnError;
pub use columns::{ExportColumns, Fill};
