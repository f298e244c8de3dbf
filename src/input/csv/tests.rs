//! CSV files, row by row.

mod cells;
mod lines;

use super::super::Options;
use super::super::tests::{ID, findings, only, options, read_bytes};
use super::super::watch::{self, MAX_CELL, MAX_CELLS};
use super::*;
use crate::domain::account::{RowText, UNSOUND};
use crate::domain::format::Format;
use crate::domain::level::Level;
use crate::domain::pointer::Pointer;
use crate::domain::rules::Rule;
use crate::domain::wording::Wording;

fn csv() -> Options {
    options(Format::Csv)
}

fn clearing() -> Options {
    Options { clear: true, ..csv() }
}

fn cells(row: &Record) -> Vec<&str> {
    match &row.text {
        RowText::Cells(cells) => cells.iter().map(String::as_str).collect(),
        other => panic!("{other:?}"),
    }
}
