//! A directory of its own to run the program in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::redact::redact;
use super::run_dir::Run;

/// A directory to run the program in, removed at the end.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Rc<Self> {
        Rc::new(Self(tempfile::tempdir().unwrap()))
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// Where something in it is.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join(name)
    }

    /// A run in it.
    pub fn run_of(&self, name: &str) -> Run {
        Run::at(self.path(name))
    }

    /// Writes a file, and the directories on the way to it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A file as it is.
    pub fn raw(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A file without what differs from run to run.
    pub fn read(&self, name: &str) -> String {
        redact(&self.raw(name), self.root())
    }

    /// All files below, by name.
    pub fn files(&self) -> BTreeMap<String, PathBuf> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.root().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.root()).unwrap().to_str().unwrap().to_owned();
                    files.insert(name, path);
                }
            }
        }
        files
    }
}
