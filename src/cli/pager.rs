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

/// A pager that runs, for whoever is to end it meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct RunningPager(u32);

impl RunningPager {
    /// Asks it to end, or ends it whatever it is doing.
    #[cfg(unix)]
    pub fn end(self, at_once: bool) {
        use rustix::process::{Pid, Signal, kill_process};
        let signal = if at_once { Signal::KILL } else { Signal::TERM };
        if let Some(process) = self.0.try_into().ok().and_then(Pid::from_raw) {
            // One that is gone needs no end.
            let _ = kill_process(process, signal);
        }
    }

    /// Does nothing: there is no signal to ask it with.
    #[cfg(not(unix))]
    pub fn end(self, _: bool) {}
}

/// How the terminal was set before a pager had it.
#[cfg(unix)]
#[derive(Debug)]
struct TerminalModes(rustix::termios::Termios);

#[cfg(unix)]
impl TerminalModes {
    fn now() -> Option<Self> {
        rustix::termios::tcgetattr(rustix::stdio::stdout()).ok().map(Self)
    }

    fn restore(&self) {
        // A terminal that is gone needs no modes.
        let when = rustix::termios::OptionalActions::Drain;
        let _ = rustix::termios::tcsetattr(rustix::stdio::stdout(), when, &self.0);
    }
}

/// How the terminal was set: elsewhere a pager that was ended leaves nothing behind.
#[cfg(not(unix))]
#[derive(Debug)]
struct TerminalModes;

#[cfg(not(unix))]
impl TerminalModes {
    fn now() -> Option<Self> {
        None
    }

    fn restore(&self) {}
}

/// A pager that may be running.
#[derive(Debug)]
pub struct Pager {
    program: String,
    arguments: Vec<String>,
    running: Option<Child>,
    modes: Option<TerminalModes>,
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
        Some(Self { program, arguments: words.collect(), running: None, modes: None })
    }

    /// Starts it; `None` where it can't be started.
    pub fn start(&mut self) -> Option<RunningPager> {
        self.modes = TerminalModes::now();
        let started = Command::new(&self.program).args(&self.arguments).stdin(Stdio::piped()).spawn();
        self.running = started.ok();
        self.running.as_ref().map(|child| RunningPager(child.id()))
    }

    /// Hands text over to it.
    ///
    /// # Errors
    /// Where it doesn't take it, as when the user has left it.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stdin = self.running.as_mut().and_then(|child| child.stdin.as_mut());
        stdin.map_or(Ok(()), |stdin| stdin.write_all(bytes))
    }

    /// Says that there is no more, and waits until the user leaves it. Where a signal ended it, the terminal is set as
    /// it was before.
    pub fn finish(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            // How a pager ends says nothing about what it showed. One that a signal ended has no exit code.
            let was_ended = child.wait().is_ok_and(|status| status.code().is_none());
            self.modes.take().iter().filter(|_| was_ended).for_each(TerminalModes::restore);
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
        assert!(pager.start().is_none());
        pager.write(b"text").unwrap();
        pager.finish();
    }
}
