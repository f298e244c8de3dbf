//! What reports call the inputs.

use crate::domain::account::InputInfo;
use crate::domain::characters::visible;
use crate::domain::finding::Location;

/// An account names an input that the run does not have: a defect, or a damaged ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("input {input} is named, and the run has {inputs}: the account and the inputs are of different runs")]
pub struct UnknownInput {
    /// The input's number, counted from 0.
    pub input: u32,
    /// How many inputs the run has.
    pub inputs: usize,
}

/// The paths of the inputs as the user gave them, by number.
#[derive(Debug, Clone)]
pub(super) struct InputNames(Vec<String>);

impl InputNames {
    pub(super) fn of(inputs: &[InputInfo]) -> Self {
        inputs.iter().map(|input| input.path.clone()).collect()
    }

    /// Returns the path of the input that a place lies in, for files that programs read.
    pub(super) fn file(&self, place: Location) -> Result<&str, UnknownInput> {
        let unknown = UnknownInput { input: place.input, inputs: self.0.len() };
        self.0.get(place.input as usize).map(String::as_str).ok_or(unknown)
    }

    /// Returns a place for people: `changes.csv:15`.
    pub(super) fn place(&self, place: Location) -> String {
        let name = match self.file(place) {
            Ok("-") => "standard input".to_owned(),
            Ok(path) => visible(path).into_owned(),
            Err(unknown) => format!("input {}", unknown.input),
        };
        format!("{name}:{}", place.line)
    }
}

impl FromIterator<String> for InputNames {
    fn from_iter<I: IntoIterator<Item = String>>(paths: I) -> Self {
        Self(paths.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_by_path_and_line() {
        let names: InputNames = ["a b.csv".to_owned(), "-".to_owned()].into_iter().collect();
        for (input, wanted) in [(0, "a b.csv:7"), (1, "standard input:7"), (2, "input 2:7")] {
            assert_eq!(names.place(Location { input, line: 7, column: 1 }), wanted);
        }
        let unknown = names.file(Location { input: 2, line: 1, column: 1 }).unwrap_err();
        assert_eq!(unknown, UnknownInput { input: 2, inputs: 2 });
    }
}
