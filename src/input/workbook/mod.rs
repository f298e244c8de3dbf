//! Workbooks of Excel (`.xlsx`, `.xlsm`): one sheet of cells, each with its type.
//!
//! | file | what |
//! |---|---|
//! | `read` | the sheet's header, then its rows, one after the other |
//! | `copy` | the file's bytes in a file of its own, since a workbook is read from its end |
//! | `kind` | what a file is that is no workbook, and what to do with it |
//! | `package` | the parts of a workbook, none of which is read before its size is known |
//! | `catalogue` | the sheets of a workbook, and which of them is read |
//! | `survey` | what a person doesn't see of a sheet, and whether it is sound |
//! | `cell_value` | the value of a cell → its type and text |
//! | `rows` | a sheet's cells → rows |
//!
//! Values come from calamine, which reads a sheet cell by cell; shared strings alone are held in memory. What it
//! doesn't tell, such as what is hidden, and what it would trust, such as sizes and references, is looked at
//! before, in a pass over the same bytes.

mod catalogue;
mod cell_value;
mod copy;
mod kind;
mod package;
mod read;
mod rows;
mod survey;

pub(super) use kind::is_archive;
pub(super) use read::read;

#[cfg(test)]
mod tests;
