//! The files of Partner Center's own: what its columns mean, and how their cells are read.
//!
//! Such a file is known by its header, whatever it is called and wherever its cells come from. Every filled cell of
//! it reads as a wish, since it shows the whole deal: what it can't change is compared with the referral instead.
//!
//! | file | what |
//! |---|---|
//! | [`columns`] | the table of columns: since when there is each, and what it goes to |
//! | `recognise` | which of Partner Center's files a header belongs to |
//! | `header` | a header of such a file → its columns |
//! | `row` | the cells of one row, of which some count together only |
//! | `words` | stages, sales stages, Yes and No |
//! | `days` | dates, whose order of month and day the file as a whole has to bear out |
//! | `lists` | solutions and team members, each in one cell |

pub mod columns;
mod days;
mod header;
mod lists;
mod recognise;
mod row;
mod words;

pub(super) use columns::PortalTarget;
pub(super) use days::{Days, day};
pub(super) use header::{PortalHeader, as_in_english, resolve};
pub(super) use recognise::recognise;
pub(super) use row::PortalRow;

#[cfg(test)]
mod tests;
