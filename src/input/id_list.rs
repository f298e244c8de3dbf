//! A list of referrals: ids alone, one a line, or any file that a change can be read from, of which nothing but the
//! ids is read.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::base_row::ReadAs;
use super::context::InputContext;
use super::error::{InputError, Problem, Unusable};
use super::gzip;
use super::options::Options;
use super::read::read;
use crate::domain::finding::Finding;
use crate::domain::format::Format;
use crate::domain::referral::ReferralId;
use crate::domain::suspect;

/// The most problems that are told of one file.
const MOST_PROBLEMS: usize = 20;

/// The longest line that can be one of a list of ids.
const LONGEST_LINE: u64 = 4 << 10;

/// The extensions that tell a form.
const EXTENSIONS: [&str; 7] = ["csv", "tsv", "txt", "jsonl", "ndjson", "xlsx", "xlsm"];

/// Reads the ids of a list, each once, in the order of the file.
///
/// # Errors
/// Where the file can't be read, holds no id, or a line of it names no referral: half a list is none.
pub fn read_ids(path: &str) -> Result<Vec<ReferralId>, Unusable> {
    let options = Options { read_as: ReadAs::Ids, ..Options::default() };
    let context = InputContext::new(path, 0, &options);
    let first = first_line(&context).map_err(|error| context.unreadable(&error))?;
    let mut ids = Ids::default();
    if entry(&first).parse::<ReferralId>().is_ok() {
        ids.lines(&context)?;
    } else {
        ids.rows(&context, told_by(path, &first))?;
    }
    ids.end(&context)
}

/// Returns the form of a file whose extension tells none, by its first line.
fn told_by(path: &str, first: &str) -> Option<Format> {
    let name = path.strip_suffix(".gz").unwrap_or(path);
    let extension = Path::new(name).extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let is_told = EXTENSIONS.contains(&extension.as_str());
    let form = if first.trim_start().starts_with('{') { Format::Jsonl } else { Format::Csv };
    (!is_told).then_some(form)
}

/// Opens a file, compressed or not.
fn open<'a>(context: &InputContext<'a>) -> io::Result<BufReader<Box<dyn Read + 'a>>> {
    let file = File::open(context.path)?;
    Ok(BufReader::new(gzip::open(Path::new(context.path), file)?.bytes))
}

/// Returns the first line that isn't blank, or as much of it as a line of ids can have.
fn first_line(context: &InputContext<'_>) -> io::Result<String> {
    let mut reader = open(context)?;
    loop {
        let mut line = Vec::new();
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line).into_owned();
        if read == 0 || !entry(&line).is_empty() {
            return Ok(line);
        }
    }
}

/// Returns what a line of a list says, without what programs put around it.
fn entry(line: &str) -> &str {
    line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | ',' | ';'))
}

/// The ids of a list, and what is wrong with it.
#[derive(Default)]
struct Ids {
    ids: Vec<ReferralId>,
    seen: HashSet<ReferralId>,
    problems: Vec<Problem>,
}

impl Ids {
    fn add(&mut self, id: ReferralId) {
        if self.seen.insert(id) {
            self.ids.push(id);
        }
    }

    fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Reads a file with an id on each line.
    fn lines(&mut self, context: &InputContext<'_>) -> Result<(), Unusable> {
        let reader = open(context).map_err(|error| context.unreadable(&error))?;
        for (number, line) in (1..).zip(reader.split(b'\n')) {
            let line = line.map_err(|error| context.unreadable(&error))?;
            let line = String::from_utf8_lossy(&line);
            match entry(&line) {
                "" => {}
                text => match text.parse() {
                    Ok(id) => self.add(id),
                    Err(error) => {
                        let problem = context.problem(number, 1, format!("{error}"));
                        let hint = suspect::remedy(text)
                            .unwrap_or("a list holds a referral's GUID on each line, and nothing else");
                        self.problem(problem.hint(hint));
                    }
                },
            }
        }
        Ok(())
    }

    /// Reads a file with a column, or a member, that holds the id.
    fn rows(&mut self, context: &InputContext<'_>, format: Option<Format>) -> Result<(), Unusable> {
        let options = Options { format, ..context.options.clone() };
        let mut sink = |record: super::record::Record| {
            match record.parsed {
                Ok(draft) => self.add(draft.id),
                Err(rejected) => {
                    for Finding { place, message, hint, .. } in rejected.findings {
                        let problem = context.problem(place.line, place.column as usize, message);
                        self.problem(Problem { hint, ..problem });
                    }
                }
            }
            Ok::<_, std::convert::Infallible>(())
        };
        match read(context.path, None, 0, &options, &mut sink) {
            Ok(_) => Ok(()),
            Err(InputError::Unusable(unusable)) => Err(unusable),
            Err(InputError::Sink(never)) => match never {},
        }
    }

    fn end(self, context: &InputContext<'_>) -> Result<Vec<ReferralId>, Unusable> {
        match Unusable::of(self.problems) {
            Some(unusable) => Err(unusable),
            None if self.ids.is_empty() => {
                Err(context.unusable("the file names no referral", Some("give the ids of referrals".into())))
            }
            None => Ok(self.ids),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ID;
    use super::*;

    const OTHER: &str = "1c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

    /// The ids of a file, or what is wrong with it.
    fn ids(name: &str, text: &str) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text.replace("ID", ID).replace("OTHER", OTHER)).unwrap();
        let read = read_ids(path.to_str().unwrap());
        read.map(|ids| ids.iter().map(ToString::to_string).collect())
            .map_err(|error| error.to_string().replace(dir.path().to_str().unwrap(), ""))
    }

    #[test]
    fn ids_are_found_in_any_file_that_has_them() {
        for (name, text) in [
            ("a.txt", "ID\nOTHER\n"),
            ("a.txt", "\u{feff}\n \"ID\",\r\n\r\nOTHER;\r\nID"),
            ("list", "https://partner.example.com/referrals/ID\nOTHER"),
            ("a.csv", "Owner,id,Stage\nKim,ID,Won\n,OTHER,\n"),
            ("a.csv", "\"Referral Id\";\"Deal Type\";\"Deal Direction\"\nID;a;b\nOTHER;a;b\n"),
            ("a.tsv", "x\tReferral Identifier\n1\tID\n2\tOTHER\n"),
            ("export", "id,notes\nID,\"a\nb\"\nOTHER,\n"),
            ("a.jsonl", "{\"id\":\"ID\",\"details\":{\"notes\":1}}\n{\"x\":[],\"id\":\"OTHER\"}\n"),
            ("lines", "{\"id\":\"ID\"}\n{\"id\":\"OTHER\"}\n"),
        ] {
            assert_eq!(ids(name, text).unwrap(), [ID, OTHER], "{name}: {text}");
        }
    }

    #[test]
    fn half_a_list_is_none() {
        for (name, text, wanted) in [
            (
                "a.txt",
                "ID\nnobody\n",
                "\"nobody\" is no GUID\n  --> /a.txt:2:1\nhint: a list holds a referral's GUID",
            ),
            ("a.csv", "id,x\nID,1\nR-1,2\n", "\"R-1\" is no GUID\n  --> /a.csv:3:1"),
            ("a.csv", "id,x\nID,1\n,2\n", "the row names no referral\n  --> /a.csv:3:1"),
            ("a.csv", "name,x\nKim,1\n", "no column holds the referral's id"),
            ("a.csv", "id\n", "the file names no referral"),
            ("a.csv", "", "the file is empty"),
            ("a.jsonl", "{\"name\":\"x\"}\n", "the row names no referral"),
        ] {
            let told = ids(name, text).unwrap_err();
            assert!(told.contains(wanted), "{name}: {told}");
        }
        let missing = read_ids("/no/such/list").unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the file"), "{missing}");
    }
}
