//! The names by which a user means rows of a run: the id of their referral, or the place at which they begin.

use std::path::{Component, Path, PathBuf};

use super::named_referrals::ReferralName;
use crate::domain::account::{InputInfo, input_name};
use crate::domain::sheet_cell::cell_named;

/// What was typed for rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowName {
    /// A referral.
    Referral(ReferralName),
    /// A line of the only input.
    Line(u64),
    /// A line of a file. It may be read in two ways: what stands between the last two colons can be a line, and part of
    /// the file's name.
    Place(Vec<TypedPlace>),
}

/// A place as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedPlace {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u64,
    /// The column, where there is one.
    pub column: Option<u32>,
    /// Whether it is named as spreadsheets name a cell: `B7`.
    pub is_cell: bool,
}

impl RowName {
    /// Reads a name; `None` for a text that is neither a line, nor ends in one, nor is how an id begins.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(name @ ReferralName::Whole(_)) = ReferralName::parse(text) {
            return Some(Self::Referral(name));
        }
        if let Some(line) = number(text) {
            return Some(Self::Line(line));
        }
        let places = places(text);
        if !places.is_empty() {
            return Some(Self::Place(places));
        }
        ReferralName::parse(text).map(Self::Referral)
    }
}

/// Reads a line's number; lines are counted from 1.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number > 0)
}

/// Returns the places that a text can mean: `FILE:LINE`, and `FILE:LINE:COLUMN` or `FILE:CELL` as messages name them.
fn places(text: &str) -> Vec<TypedPlace> {
    let Some((file, last)) = text.rsplit_once(':') else { return Vec::new() };
    if file.is_empty() {
        return Vec::new();
    }
    if let Some((line, column)) = cell_named(last) {
        return vec![TypedPlace { file: file.to_owned(), line, column: Some(column), is_cell: true }];
    }
    let Some(last) = number(last) else { return Vec::new() };
    let mut places = vec![TypedPlace { file: file.to_owned(), line: last, column: None, is_cell: false }];
    if let Some((shorter, line)) = file.rsplit_once(':')
        && let (Some(line), Ok(column), false) = (number(line), u32::try_from(last), shorter.is_empty())
    {
        places.push(TypedPlace { file: shorter.to_owned(), line, column: Some(column), is_cell: false });
    }
    places
}

/// Returns the inputs that a typed file can mean, by number: those of that very name; else the file that lies there; else
/// those whose path ends so. `directory` is the one that the user is in now, `planned_in` the one that the inputs' names
/// start from.
pub fn inputs_named(
    file: &str,
    inputs: &[InputInfo],
    directory: &Path,
    planned_in: Option<&Path>,
) -> Vec<u32> {
    let those = |is_meant: &dyn Fn(&str) -> bool| -> Vec<u32> {
        (0_u32..).zip(inputs).filter(|(_, input)| is_meant(&input.path)).map(|(number, _)| number).collect()
    };
    let exact = those(&|path| path == file || input_name(path) == file);
    if !exact.is_empty() {
        return exact;
    }
    let typed = cleaned(&directory.join(file));
    let there = those(&|path| {
        path != "-" && planned_in.is_some_and(|planned_in| cleaned(&planned_in.join(path)) == typed)
    });
    if !there.is_empty() {
        return there;
    }
    let typed = parts(file);
    those(&|path| !typed.is_empty() && parts(path).ends_with(&typed))
}

/// Returns a path without `.` and, as far as they can be, `..`. Links are not looked at: the file may be gone.
fn cleaned(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(cleaned.components().next_back(), Some(Component::Normal(_))) =>
            {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

/// Returns the parts of a path, whichever system wrote it.
fn parts(path: &str) -> Vec<&str> {
    path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::csv_input;

    const ID: &str = "5a1e0001-0000-4000-8000-0000000000af";

    #[test]
    fn rows_are_named_by_referral_line_or_place() {
        let whole = || Some(RowName::Referral(ReferralName::Whole(ID.parse().unwrap())));
        let begins = |text: &str| Some(RowName::Referral(ReferralName::Beginning(text.to_owned())));
        let at =
            |file: &str, line, column| TypedPlace { file: file.to_owned(), line, column, is_cell: false };
        let cell = |file: &str, line, column| TypedPlace { is_cell: true, ..at(file, line, Some(column)) };
        let place = |places: &[TypedPlace]| Some(RowName::Place(places.to_vec()));
        for (text, wanted) in [
            (ID, whole()),
            (&ID.to_uppercase(), whole()),
            (&format!(" https://partner.example.com:443/referrals/{ID} "), whole()),
            ("15", Some(RowName::Line(15))),
            ("0", begins("0")),
            ("007", Some(RowName::Line(7))),
            ("5a1e", begins("5a1e")),
            ("5A1E0001-", begins("5a1e0001-")),
            ("99999999999999999999", begins("99999999999999999999")),
            ("a.csv:15", place(&[at("a.csv", 15, None)])),
            ("-:15", place(&[at("-", 15, None)])),
            (r"C:\in\a.csv:15", place(&[at(r"C:\in\a.csv", 15, None)])),
            ("a.csv:15:3", place(&[at("a.csv:15", 3, None), at("a.csv", 15, Some(3))])),
            ("a:b.csv:15", place(&[at("a:b.csv", 15, None)])),
            ("standard input:2", place(&[at("standard input", 2, None)])),
            ("book.xlsx:B7", place(&[cell("book.xlsx", 7, 2)])),
            (r"C:\in\book.xlsx:aa12", place(&[cell(r"C:\in\book.xlsx", 12, 27)])),
            ("book.xlsx:B0", None),
            ("book.xlsx:B", None),
            ("book.xlsx:7B", None),
            (":B7", None),
            ("a.csv", None),
            ("a.csv:", None),
            ("a.csv:0", None),
            ("a.csv:-1", None),
            ("a.csv:+1", None),
            ("a.csv:x", None),
            (":15", None),
            ("", None),
        ] {
            assert_eq!(RowName::parse(text), wanted, "{text}");
        }
    }

    #[test]
    fn files_are_named_as_they_were_or_by_their_end() {
        let paths = ["a.csv", "in/a.csv", "in/b.csv", "/data/x/c.csv", "-", r"D:\in\d.csv", "in/b:2.csv"];
        let inputs: Vec<InputInfo> = paths.iter().map(|path| csv_input(path, &[], 0)).collect();
        for (file, wanted) in [
            ("a.csv", &[0][..]),
            ("./a.csv", &[0]),
            ("/home/ann/a.csv", &[0]),
            ("../ann/a.csv", &[0]),
            ("in/a.csv", &[1]),
            ("/home/ann/in/../in/a.csv", &[1]),
            ("b.csv", &[2]),
            ("x/c.csv", &[3]),
            ("c.csv", &[3]),
            ("/elsewhere/c.csv", &[]),
            ("-", &[4]),
            ("standard input", &[4]),
            ("d.csv", &[5]),
            (r"in\d.csv", &[5]),
            ("b:2.csv", &[6]),
            ("e.csv", &[]),
            ("v", &[]),
            ("", &[]),
        ] {
            let (here, planned_in) = (Path::new("/home/ann"), Some(Path::new("/home/ann")));
            assert_eq!(inputs_named(file, &inputs, here, planned_in), wanted, "{file}");
        }
        let elsewhere = Path::new("/home/bo");
        assert_eq!(inputs_named("../ann/in/a.csv", &inputs, elsewhere, Some(Path::new("/home/ann"))), [1]);
        assert_eq!(inputs_named("x/../a.csv", &inputs, elsewhere, None), [0_u32; 0]);
        let twice = [csv_input("x/a.csv", &[], 0), csv_input("y/a.csv", &[], 0)];
        assert_eq!(inputs_named("a.csv", &twice, elsewhere, None), [0, 1]);
    }
}
