//! The event stream of `--progress json`: stamps what happens with time and run, from the first event to the last.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::commands::{EndAccount, EndFigures, EventLine, ProgressEvent};
use crate::domain::exit::Exit;

/// The events of one command. The first is `started`, the last `finished` or `stopped`; nothing comes after that.
pub struct EventStream {
    clock: fn() -> Timestamp,
    /// The run that the command line names; empty where it names none.
    named: String,
    state: Mutex<StreamState>,
}

/// What the last event has to tell.
#[derive(Debug, Default)]
struct StreamState {
    account: EndAccount,
    next: Option<String>,
    is_over: bool,
}

impl EventStream {
    /// Begins the events of a command that names this run, or none.
    pub fn new(named: String, clock: fn() -> Timestamp) -> Self {
        Self { clock, named, state: Mutex::default() }
    }

    /// Returns the line of an event, with its end; `None` once the last one is told. `left` is the run that the process
    /// would leave now; empty where there is none.
    pub fn line(&self, left: &str, event: &ProgressEvent) -> Option<String> {
        let mut state = self.state();
        if state.is_over {
            return None;
        }
        match event {
            ProgressEvent::Next { text } => state.next = Some(text.clone()),
            ProgressEvent::Finished(_) | ProgressEvent::Stopped(_) => state.is_over = true,
            _ => {}
        }
        let run = [left, &self.named].into_iter().find(|run| !run.is_empty());
        Some(EventLine::new((self.clock)(), run, event).to_json_line() + "\n")
    }

    /// Keeps what the command tells of its run, for the last event.
    pub fn account(&self, account: EndAccount) {
        self.state().account = account;
    }

    /// Makes the last event of a command that ends so.
    pub fn end(&self, exit: Exit) -> ProgressEvent {
        let StreamState { account, next, .. } = &*self.state();
        ProgressEvent::ended(EndFigures {
            exit_code: exit.code(),
            account: account.clone(),
            next: next.clone(),
        })
    }

    fn state(&self) -> MutexGuard<'_, StreamState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-11-30T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_last_event_has_the_last_command_and_nothing_comes_after_it() {
        let stream = EventStream::new("named".to_owned(), noon);
        let next = |text: &str| ProgressEvent::Next { text: text.to_owned() };
        let begin =
            |run: &str| format!(r#"{{"version":1,"at":"2026-11-30T12:00:00Z","run":"{run}","event":"#);
        assert_eq!(stream.line("", &next("one")).unwrap(), begin("named") + "\"next\",\"text\":\"one\"}\n");
        assert_eq!(
            stream.line("left", &next("two")).unwrap(),
            begin("left") + "\"next\",\"text\":\"two\"}\n"
        );
        let last = stream.line("left", &stream.end(Exit::Stopped)).unwrap();
        let wanted = concat!(
            r#""stopped","exit_code":4,"state":null,"rows":null,"referrals":null,"requests":null,"next":"two"}"#,
            "\n"
        );
        assert_eq!(last, begin("left") + wanted);
        assert_eq!(stream.line("left", &next("three")), None);
    }

    #[test]
    fn a_command_without_a_run_has_none() {
        let stream = EventStream::new(String::new(), noon);
        let line = stream.line("", &ProgressEvent::Released).unwrap();
        assert_eq!(
            line,
            "{\"version\":1,\"at\":\"2026-11-30T12:00:00Z\",\"run\":null,\"event\":\"released\"}\n"
        );
    }
}
