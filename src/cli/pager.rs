//! The pager: shows long output page by page, where standard output is a terminal.
//!
//! It is `$PAGER`, or `less` where that is not set; an empty `$PAGER` is none. It is started without a shell. One that
//! can't be started is done without, and one that the user leaves early is no error.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

/// The environment variable that names the pager.
const PAGER: &str = "PAGER";

/// The pager where none is named: `less`, which ends by itself where all fits on the screen, and leaves what it showed.
const DEFAULT: [&str; 2] = ["less", "-FRX"];

/// A pager that may be running.
#[derive(Debug)]
pub struct Pager {
    program: String,
    arguments: Vec<String>,
    running: Option<Child>,
}

impl Pager {
    /// Returns the pager that the environment asks for; `None` where it asks for none, or for one that can't be read.
    pub fn of(variables: &BTreeMap<String, String>) -> Option<Self> {
        let words = match variables.get(PAGER) {
            Some(named) => shlex::split(named)?,
            None => DEFAULT.map(str::to_owned).to_vec(),
        };
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty())?;
        Some(Self { program, arguments: words.collect(), running: None })
    }

    /// Starts it. Returns whether it runs.
    pub fn start(&mut self) -> bool {
        let started = Command::new(&self.program).args(&self.arguments).stdin(Stdio::piped()).spawn();
        self.running = started.ok();
        self.running.is_some()
    }

    /// Hands text over to it.
    ///
    /// # Errors
    /// Where it doesn't take it, as when the user has left it.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stdin = self.running.as_mut().and_then(|child| child.stdin.as_mut());
        stdin.map_or(Ok(()), |stdin| stdin.write_all(bytes))
    }

    /// Says that there is no more, and waits until the user leaves it.
    pub fn finish(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            // How a pager ends says nothing about what it showed.
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_pager() {
        for (named, wanted) in [
            (None, Some("less -FRX")),
            (Some(""), None),
            (Some("  "), None),
            (Some("cat"), Some("cat")),
            (Some("'my pager' -x 'a b'"), Some("my pager -x a b")),
            (Some("'half"), None),
        ] {
            let variables = named.map(|named| (PAGER.to_owned(), named.to_owned())).into_iter().collect();
            let words = Pager::of(&variables)
                .map(|Pager { program, arguments, .. }| [vec![program], arguments].concat().join(" "));
            assert_eq!(words.as_deref(), wanted, "{named:?}");
        }
    }

    #[test]
    fn one_that_is_not_there_is_done_without() {
        let variables = BTreeMap::from([(PAGER.to_owned(), "/nowhere/pager".to_owned())]);
        let mut pager = Pager::of(&variables).unwrap();
        assert!(!pager.start());
        pager.write(b"text").unwrap();
        pager.finish();
    }
}
