//! How a file writes what a cell alone leaves open: numbers, dates and letters.
//!
//! What the cells have shown so far is kept here, and the end of the file says whether they agree.

use ::csv::ByteRecord;

use super::cell::Numbers;
use super::context::InputContext;
use super::error::Unusable;
use super::portal::Days;
use crate::domain::decimal::DecimalSign;
use crate::domain::excerpt::excerpt;
use crate::domain::finding::Location;
use crate::domain::text_form::Separator;

/// What helps where nothing tells how letters are written.
const AGAIN: &str = "open the file where it was made, and save it as CSV (UTF-8)";

/// How a file writes numbers, dates and letters, as far as its cells have shown.
pub(super) struct Notation {
    pub numbers: Numbers,
    /// The dates of a file of Partner Center's own.
    pub days: Days,
    pub letters: Letters,
}

impl Notation {
    /// Begins a file of text. `said` is the decimal sign that the user named, if any.
    pub fn of_text(said: Option<DecimalSign>, separator: Separator) -> Self {
        let numbers = Numbers::new(said, separator);
        Self { numbers, days: Days::default(), letters: Letters::default() }
    }
}

/// The encoding of letters outside ASCII in a file without a byte order mark, by the lines on which they were first
/// seen.
#[derive(Debug, Default)]
pub(super) struct Letters {
    /// A cell that is valid UTF-8.
    pub utf_8: Option<u64>,
    /// A cell that isn't, and was read as Windows-1252.
    pub windows_1252: Option<u64>,
    /// A byte that no letter of Windows-1252 has, and the place of its cell.
    undefined: Option<(Location, u8)>,
}

impl Letters {
    /// Looks at the names of a header, whose letters are those of the cells below. `is_marked` tells that the file says it
    /// is UTF-8.
    ///
    /// # Errors
    /// If it says so, and a name isn't.
    pub fn look_at_names(
        &mut self,
        context: &InputContext<'_>,
        (names, line): (&ByteRecord, u64),
        is_marked: bool,
    ) -> Result<(), Unusable> {
        for (at, name) in names.iter().enumerate() {
            match std::str::from_utf8(name) {
                Ok(text) if text.is_ascii() => {}
                Ok(_) => _ = self.utf_8.get_or_insert(line),
                Err(_) if is_marked => {
                    let shown = String::from_utf8_lossy(name);
                    let message = format!("the column name {} is not valid UTF-8", excerpt(&shown));
                    return Err(context.problem(line, at + 1, message).hint(AGAIN).into());
                }
                Err(_) => {
                    self.windows_1252.get_or_insert(line);
                    self.look_for_undefined(context.place(line, at + 1), name);
                }
            }
        }
        Ok(())
    }

    /// Looks for a byte that no letter of Windows-1252 has in a cell that is read so.
    pub fn look_for_undefined(&mut self, place: Location, cell: &[u8]) {
        const UNDEFINED: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];
        let byte = cell.iter().copied().find(|byte| UNDEFINED.contains(byte));
        self.undefined = self.undefined.or(byte.map(|byte| (place, byte)));
    }

    /// Returns whether the file was read as Windows-1252.
    ///
    /// # Errors
    /// If only some of its cells are UTF-8, or it has what Windows-1252 hasn't: then nothing tells what any of them means.
    pub fn are_windows_1252(&self, context: &InputContext<'_>) -> Result<bool, Unusable> {
        let Some(line) = self.windows_1252 else { return Ok(false) };
        if let Some((place, byte)) = self.undefined {
            let message = format!(
                "the cell holds the byte 0x{byte:02x}, which is no letter in UTF-8 nor in Windows-1252"
            );
            let problem = context.problem(place.line, place.column as usize, message);
            return Err(problem.hint(AGAIN).into());
        }
        let Some(other) = self.utf_8 else { return Ok(true) };
        let message = format!("line {other} holds letters in UTF-8, and line {line} in another encoding");
        let problem = context.problem(line, 1, message);
        Err(problem.hint(AGAIN).into())
    }
}
