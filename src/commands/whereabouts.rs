//! Resolves the relative paths that a run has on record: the run may be resumed or reported from another
//! directory than the one it was planned in.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::target::Target;
use crate::domain::account::InputInfo;
use crate::domain::run_spec::{RunSpec, StateSource};

/// The input name that stands for standard input.
pub const STDIN: &str = "-";

/// The way from the directory that a run was planned in to the current one.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// The directory that the run was planned in, where that is not the current one.
    planned_in: Option<PathBuf>,
}

impl Whereabouts {
    /// Returns the whereabouts of a run as seen from the current directory of this process.
    pub fn of(about: &RunSpec, environment: &Environment<'_>) -> Self {
        let planned_in = about.directory.as_ref().map(PathBuf::from);
        Self { planned_in: planned_in.filter(|directory| directory != environment.directory) }
    }

    /// Returns a run's specification with its paths resolved: they lead from here to where they led when it
    /// was planned.
    pub fn about(&self, about: &RunSpec) -> RunSpec {
        let mut about = about.clone();
        about.target = Target::moved(&about.target, |seed| self.path(seed));
        let asked = &mut about.asked;
        asked.files.iter_mut().for_each(|file| *file = self.input(file));
        if let StateSource::File(snapshot) = &mut asked.state {
            *snapshot = self.path(snapshot);
        }
        asked.base.iter_mut().for_each(|base| base.path = self.path(&base.path));
        if let Some(migrating) = &mut asked.migrating {
            migrating.base.iter_mut().for_each(|base| base.path = self.path(&base.path));
            migrating.patches.iter_mut().for_each(|file| *file = self.new_file(file));
        }
        about
    }

    /// Returns the inputs of a run with their paths resolved in the same way.
    pub fn inputs(&self, inputs: Vec<InputInfo>) -> Vec<InputInfo> {
        inputs.into_iter().map(|input| InputInfo { path: self.input(&input.path), ..input }).collect()
    }

    /// Returns an input's name, resolved in the same way unless it stands for standard input.
    pub fn input(&self, name: &str) -> String {
        let path = self.path(Path::new(name));
        path.to_str().filter(|_| name != STDIN).unwrap_or(name).to_owned()
    }

    /// Resolves the path of a file that is to be read.
    fn path(&self, path: &Path) -> PathBuf {
        self.moved(path, Path::exists)
    }

    /// Resolves the path of a file that is to be created: its directory has to be there.
    fn new_file(&self, path: &Path) -> PathBuf {
        self.moved(path, |there| there.parent().is_some_and(Path::exists))
    }

    /// Returns the path as it leads from the directory of planning, unless `is_there` finds only the recorded path. So a
    /// user who moved a directory with all that is in it finds its files by their old relative names, and of a file that
    /// is nowhere it is told where it lay. A path that isn't UTF-8 is not used, because a run records paths as text.
    fn moved(&self, path: &Path, is_there: impl Fn(&Path) -> bool) -> PathBuf {
        let there = self.planned_in.as_ref().map(|directory| directory.join(path));
        let there = there.filter(|there| there.to_str().is_some());
        there.filter(|there| is_there(there) || !is_there(path)).unwrap_or_else(|| path.to_owned())
    }
}
