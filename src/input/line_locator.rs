//! Places within one JSON line: from a value that was parsed out of it, or a byte offset, to line and column.

use serde_json::value::RawValue;

use super::context::InputContext;
use crate::domain::finding::Location;

/// Tells where in its line a JSON value stands. Columns count characters, from 1.
pub(super) struct LineLocator<'a> {
    pub context: &'a InputContext<'a>,
    /// The line, without its end.
    pub text: &'a str,
    /// Its number in the file, counted from 1.
    pub line: u64,
}

impl LineLocator<'_> {
    /// Returns the place of a value, which must borrow from [`Self::text`]: its address tells the offset.
    pub fn of(&self, raw: &RawValue) -> Location {
        self.of_offset((raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize))
    }

    /// Returns the place of what begins at a byte of the line.
    pub fn of_offset(&self, offset: usize) -> Location {
        self.column(self.text.get(..offset).map_or(1, |before| before.chars().count() + 1))
    }

    /// Returns the place of a character, counted from 1.
    pub fn column(&self, column: usize) -> Location {
        self.context.place(self.line, column)
    }

    /// Returns the place of the line as a whole.
    pub fn start(&self) -> Location {
        self.column(1)
    }
}
