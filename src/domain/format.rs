//! The formats of inputs.

use serde::{Deserialize, Serialize};

use super::sheet_cell::cell_name;

/// The format of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CSV: a header line, then one record per row.
    Csv,
    /// CSV with the header of a file of Partner Center's own.
    #[serde(rename = "portal-csv")]
    PortalCsv,
    /// A workbook of Excel, of which one sheet is read.
    Xlsx,
    /// JSON lines: one JSON object per line.
    Jsonl,
    /// A JSON array of objects, or objects of any number of lines each. For legacy payloads only.
    Json,
    /// HTTP requests, as an `.http` file holds them. For legacy payloads only.
    Http,
}

impl Format {
    /// Returns the name by which a user gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::PortalCsv => "portal-csv",
            Self::Xlsx => "xlsx",
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Http => "http",
        }
    }

    /// Whether its rows are records of cells under a header.
    pub fn is_table(self) -> bool {
        match self {
            Self::Csv | Self::PortalCsv | Self::Xlsx => true,
            Self::Jsonl | Self::Json | Self::Http => false,
        }
    }

    /// Returns a place within a file of this format, for people: its line and column, or the name of a cell.
    pub fn place(self, line: u64, column: u32) -> String {
        match (self, column) {
            (_, 0) => line.to_string(),
            (Self::Xlsx, _) => cell_name(line, column),
            (Self::Csv | Self::PortalCsv | Self::Jsonl | Self::Json | Self::Http, _) => {
                format!("{line}:{column}")
            }
        }
    }
}
