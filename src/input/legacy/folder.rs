//! A directory of payloads → its files.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::error::{Problem, Unusable};
use super::super::gzip::inner;
use crate::domain::characters::visible_path;

/// Returns the files that a path of the command line stands for. For a directory these are all `.json` files in
/// it, compressed ones too (`.json.gz`), at any depth, in the order of their paths; else it is the path itself.
/// `-` is standard input.
///
/// # Errors
/// Where a directory can't be read or holds no such file, or a file's name is not UTF-8.
pub fn files(path: &str) -> Result<Vec<String>, Unusable> {
    let folder = Path::new(path);
    if path == "-" || !folder.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut search = FolderSearch { seen: BTreeSet::new(), found: Vec::new() };
    search.folder(folder)?;
    if search.found.is_empty() {
        let problem = problem(folder, "the folder holds no .json file");
        return Err(problem.hint("give the files one by one if their names end otherwise").into());
    }
    search.found.sort();
    let text = |file: PathBuf| {
        file.into_os_string().into_string().map_err(|name| {
            problem(Path::new(&name), "the file's name is not UTF-8").hint("rename the file").into()
        })
    };
    search.found.into_iter().map(text).collect()
}

/// The state of searching one directory.
struct FolderSearch {
    /// The directories that were searched, so that a link back to one of them is not followed.
    seen: BTreeSet<PathBuf>,
    found: Vec<PathBuf>,
}

impl FolderSearch {
    /// Adds the files of a directory and of those nested in it.
    fn folder(&mut self, folder: &Path) -> Result<(), Unusable> {
        // A list instead of recursion: directories may be nested deeper than the stack allows.
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            let unreadable = |error: io::Error| problem(&folder, format!("cannot read the folder: {error}"));
            if !self.seen.insert(fs::canonicalize(&folder).map_err(unreadable)?) {
                continue;
            }
            let entries = fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            let mut paths: Vec<PathBuf> =
                entries.map_err(unreadable)?.iter().map(fs::DirEntry::path).collect();
            // Sorted, so that a directory that has several names, by links, is found by the same one every time.
            paths.sort_by(|one, other| other.cmp(one));
            for path in paths {
                if path.is_dir() {
                    waiting.push(path);
                } else if is_json(&path) {
                    self.found.push(path);
                }
            }
        }
        Ok(())
    }
}

/// Returns whether a path is that of a payload file. Pipes are left out: opening one waits for another process
/// to write.
fn is_json(path: &Path) -> bool {
    let is_named = inner(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    is_named && path.metadata().map_or(true, |about| about.is_file())
}

/// Returns a problem of a path.
fn problem(path: &Path, message: impl Into<String>) -> Problem {
    Problem { place: visible_path(path), message: message.into(), hint: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, empty ones.
    fn folder_of(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn found(folder: &Path) -> Result<Vec<String>, String> {
        let path = folder.to_str().unwrap();
        let short = |text: String| text.replace(path, "");
        files(path)
            .map(|files| files.into_iter().map(short).collect())
            .map_err(|error| short(error.to_string()))
    }

    #[test]
    fn a_folder_stands_for_its_json_files_in_order() {
        let folder = folder_of(&[
            "b.json",
            "a/2.json",
            "a/10.JSON",
            "a/b/c.json.gz",
            "x.jsonl",
            "json",
            "gz",
            "é.json",
        ]);
        let wanted = ["/a/10.JSON", "/a/2.json", "/a/b/c.json.gz", "/b.json", "/é.json"];
        assert_eq!(found(folder.path()).unwrap(), wanted);
        let file = folder.path().join("x.jsonl");
        assert_eq!(files(file.to_str().unwrap()).unwrap(), [file.to_str().unwrap()]);
        assert_eq!(files("-").unwrap(), ["-"]);
        assert_eq!(files("missing").unwrap(), ["missing"]);
    }

    #[test]
    fn a_folder_without_json_is_an_error_with_a_remedy() {
        let folder = folder_of(&["a/x.txt"]);
        assert_eq!(
            found(folder.path()).unwrap_err(),
            "the folder holds no .json file\n  --> \nhint: give the files one by one if their names end otherwise"
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_never_in_circles() {
        use std::os::unix::fs::symlink;
        let folder = folder_of(&["a/1.json", "b/2.json"]);
        let elsewhere = folder_of(&["3.json"]);
        symlink("..", folder.path().join("a/up")).unwrap();
        symlink("loop", folder.path().join("loop")).unwrap();
        symlink("../b", folder.path().join("a/z")).unwrap();
        symlink(elsewhere.path(), folder.path().join("c")).unwrap();
        symlink(elsewhere.path().join("3.json"), folder.path().join("d.json")).unwrap();
        assert_eq!(found(folder.path()).unwrap(), ["/a/1.json", "/a/z/2.json", "/c/3.json", "/d.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_text_is_said() {
        use std::os::unix::ffi::OsStrExt;
        let folder = folder_of(&[]);
        let name = std::ffi::OsStr::from_bytes(b"\xff.json");
        fs::write(folder.path().join(name), "").unwrap();
        let told = found(folder.path()).unwrap_err();
        assert!(
            told.starts_with("the file's name is not UTF-8") && told.ends_with("rename the file"),
            "{told}"
        );
    }
}
