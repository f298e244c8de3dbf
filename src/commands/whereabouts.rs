//! Where that lies what a run has on record by a relative path: whoever carries on with it, or reports it, may
//! stand in another directory than whoever planned it.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::target::Target;
use crate::domain::account::{InputInfo, RunSpec, StateSource};

/// What stands for standard input among the inputs.
const STDIN: &str = "-";

/// From where a run was planned to where somebody stands now.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Where it was planned, where that is another place.
    planned_in: Option<PathBuf>,
}

impl Whereabouts {
    /// Those of a run, for whoever has this process.
    pub fn of(about: &RunSpec, environment: &Environment<'_>) -> Self {
        let planned_in = about.directory.as_ref().map(PathBuf::from);
        Self { planned_in: planned_in.filter(|directory| directory != environment.directory) }
    }

    /// What was said of a run, with paths that lead from here to where they led from there.
    pub fn about(&self, about: &RunSpec) -> RunSpec {
        let mut about = about.clone();
        about.target = Target::moved(&about.target, |seed| self.path(seed));
        let asked = &mut about.asked;
        asked.files.iter_mut().for_each(|file| *file = self.input(file));
        if let StateSource::File(snapshot) = &mut asked.state {
            *snapshot = self.path(snapshot);
        }
        if let Some(migrating) = &mut asked.migrating {
            migrating.base.iter_mut().for_each(|base| base.path = self.path(&base.path));
            migrating.patches.iter_mut().for_each(|file| *file = self.new_file(file));
        }
        about
    }

    /// The inputs of a run in the same way.
    pub fn inputs(&self, inputs: Vec<InputInfo>) -> Vec<InputInfo> {
        inputs.into_iter().map(|input| InputInfo { path: self.input(&input.path), ..input }).collect()
    }

    /// An input by its name.
    pub fn input(&self, name: &str) -> String {
        let path = self.path(Path::new(name));
        path.to_str().filter(|_| name != STDIN).unwrap_or(name).to_owned()
    }

    fn path(&self, path: &Path) -> PathBuf {
        self.moved(path, Path::exists)
    }

    /// A file that is to be made.
    fn new_file(&self, path: &Path) -> PathBuf {
        self.moved(path, |there| there.parent().is_some_and(Path::exists))
    }

    /// Who moved a directory with all that is in it finds it by the old names. On record a path is text.
    fn moved(&self, path: &Path, is_there: impl Fn(&Path) -> bool) -> PathBuf {
        let there = self.planned_in.as_ref().map(|directory| directory.join(path));
        there.filter(|there| there.to_str().is_some() && is_there(there)).unwrap_or_else(|| path.to_owned())
    }
}
