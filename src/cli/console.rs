//! The console: the only module that prints or asks.
//!
//! Messages are printed above a progress bar: the bar is removed before and drawn again after each, so that drawing
//! it never overwrites a message. For a program that follows the run (`--progress json`), each is printed as an event.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

use super::event_stream::EventStream;
use super::pager::{Pager, RunningPager};
use crate::commands::{Bar, Console, ProgressEvent, Reply, Summary, VerifiedSummary};
use crate::domain::characters::visible_lines;
use crate::domain::exit::Exit;

/// The input that the user's answers are read from. It is shared with the thread that reads a line.
type Person = Arc<Mutex<BufReader<Box<dyn Read + Send>>>>;

/// Standard output, standard error, and the user at the terminal, if there is one.
pub struct Terminal {
    stdout: Mutex<Box<dyn Write + Send>>,
    stderr: Mutex<Box<dyn Write + Send>>,
    /// The events that standard error consists of, where a program reads them.
    events: Option<EventStream>,
    /// The progress bar on the terminal, if there is one.
    bar: Mutex<Option<Bar>>,
    /// The source of the user's answers; `None` where there is no terminal to ask at.
    person: Option<Person>,
    /// Takes the answer to the question that is being asked, if one is.
    asking: Mutex<Option<mpsc::Sender<Reply>>>,
    /// What to print if the process leaves now: the command that carries on.
    parting: Mutex<String>,
    /// The directory of the run that the process would leave now.
    left: Mutex<String>,
    /// The summary of the run, where there is one.
    summary: Mutex<Option<String>>,
    /// The next command, which is held back until all else is said; `None` where it is said at once.
    held: Mutex<Option<Vec<String>>>,
    /// Whether anything was written for standard output.
    has_data: AtomicBool,
    /// Whether the process leaves whatever the command is doing.
    has_parted: AtomicBool,
    /// The first error of writing to standard output.
    lost: Mutex<Option<io::Error>>,
    /// The pager that data goes through while it runs.
    pager: Mutex<Option<Pager>>,
    /// The pager while it runs, for whoever ends it: the other one is locked as long as it is waited for.
    running: Mutex<Option<RunningPager>>,
}

impl Terminal {
    /// Makes a console of these streams. `person` is the input to read answers from, if there is a user to ask.
    pub fn new(
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        person: Option<Box<dyn Read + Send>>,
    ) -> Self {
        Self {
            stdout: Mutex::new(stdout),
            stderr: Mutex::new(stderr),
            events: None,
            bar: Mutex::default(),
            person: person.map(|input| Arc::new(Mutex::new(BufReader::new(input)))),
            asking: Mutex::default(),
            parting: Mutex::default(),
            left: Mutex::default(),
            summary: Mutex::default(),
            held: Mutex::default(),
            has_data: AtomicBool::new(false),
            has_parted: AtomicBool::new(false),
            lost: Mutex::new(None),
            pager: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// Adds a pager for long output.
    #[must_use]
    pub fn with_pager(self, pager: Option<Pager>) -> Self {
        Self { pager: Mutex::new(pager), ..self }
    }

    /// Lets standard error consist of events.
    #[must_use]
    pub fn with_events(self, events: Option<EventStream>) -> Self {
        Self { events, ..self }
    }

    /// Whether the user is at the pager, who gets the keys and signals of the terminal as well.
    pub fn is_paging(&self) -> bool {
        self.running().is_some()
    }

    fn running(&self) -> MutexGuard<'_, Option<RunningPager>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the pager, if one runs: asks it to, or ends it at once. Whoever waits for it goes on then.
    pub fn end_pager(&self, at_once: bool) {
        self.running().iter().for_each(|pager| pager.end(at_once));
    }

    /// Whether anything was written for standard output, even if it is not through yet.
    pub fn has_data(&self) -> bool {
        self.has_data.load(Ordering::Relaxed)
    }

    /// Whether the last message of the process was printed, or is being printed, while the command was still at work.
    pub fn has_parted(&self) -> bool {
        self.has_parted.load(Ordering::Relaxed)
    }

    /// Takes the error of writing to standard output, if there was one. A closed pipe is none: its reader has what it
    /// wants.
    pub fn lost(&self) -> Option<io::Error> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        lost.filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Returns the directory of the run that the process would leave now; empty where there is none.
    pub fn left(&self) -> String {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the summary of the run, as JSON on one line, where there is one.
    pub fn accounted(&self) -> Option<String> {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Holds the next command back from now on: it is to be the last line, and more is to come.
    pub fn hold_next(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }

    /// Says the next command that was held back, if there is one.
    pub fn release_next(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        held.into_iter().flatten().for_each(|next| self.say(&next));
    }

    /// Says a line that another program printed, as it is.
    pub fn pass_on(&self, text: &str) {
        self.utter(text, || ProgressEvent::Output { text: visible_lines(text).into_owned() });
    }

    /// Says a line of diagnostics.
    pub fn diagnose(&self, line: &str) {
        self.utter(line, || ProgressEvent::Diagnostic { text: visible_lines(line).into_owned() });
    }

    /// Tells how the command ended, where a program reads events. It is the last event.
    pub fn end(&self, exit: Exit) {
        self.events.iter().for_each(|events| self.tell(&events.end(exit)));
    }

    /// Prints words to standard error; for a program, as this event.
    fn utter(&self, words: &str, event: impl FnOnce() -> ProgressEvent) {
        // If standard error cannot be written, there is nowhere to report that.
        let _ = self.write(&self.stderr, &self.rendered(words, event));
    }

    /// Returns words for standard error as they are printed: as a line, or as this event. An event of no words is none.
    fn rendered(&self, words: &str, event: impl FnOnce() -> ProgressEvent) -> String {
        match &self.events {
            None => format!("{}\n", visible_lines(words)),
            Some(_) if words.is_empty() => String::new(),
            Some(events) => events.line(&self.left(), &event()).unwrap_or_default(),
        }
    }

    /// Returns what to print if the process leaves now.
    pub fn parting(&self) -> String {
        self.parting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers the question that is being asked with [`Reply::Interrupted`]. Returns whether there was one.
    pub fn interrupt(&self) -> bool {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner).take();
        asking.is_some_and(|reply| reply.send(Reply::Interrupted).is_ok())
    }

    /// Performs an action and prints a message about it, with no other message in between.
    pub fn announce(&self, words: &str, action: impl FnOnce()) {
        let rendered = self.rendered(words, || told(words));
        // If standard error cannot be written, there is nowhere to report that.
        let _ = self.write_after(action, &self.stderr, &rendered);
    }

    /// Prints the last message of the process; the bar is not drawn again.
    pub fn part(&self, words: &str) {
        self.has_parted.store(true, Ordering::Relaxed);
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take();
        bar.iter().for_each(Bar::leave);
        match self.events {
            None => self.say(words),
            // The next command among them is an event of its own.
            Some(_) => words.lines().for_each(|line| self.say(line)),
        }
    }

    fn write(&self, stream: &Mutex<Box<dyn Write + Send>>, text: &str) -> io::Result<()> {
        self.write_after(|| {}, stream, text)
    }

    /// Performs an action and writes, while the bar is removed. That holds for standard output, too: it may be the same
    /// terminal.
    fn write_after(
        &self,
        action: impl FnOnce(),
        stream: &Mutex<Box<dyn Write + Send>>,
        text: &str,
    ) -> io::Result<()> {
        let write = || {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            action();
            stream.write_all(text.as_bytes())?;
            stream.flush()
        };
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bar {
            Some(bar) => bar.aside(write),
            None => write(),
        }
    }
}

/// Makes the event of words that the user is told.
fn told(words: &str) -> ProgressEvent {
    ProgressEvent::told(&visible_lines(words))
}

/// Prints on a thread of its own, and waits for it for a limited time: a terminal or a pipe may block.
pub fn print_within(time: Duration, print: impl FnOnce() + Send + 'static) {
    let (printed, done) = mpsc::channel();
    let printing = std::thread::Builder::new().name("print".to_owned()).spawn(move || {
        print();
        // The receiver is gone if it took too long.
        let _ = printed.send(());
    });
    if printing.is_ok() {
        let _ = done.recv_timeout(time);
    }
}

/// Reads a line of a person's, which cannot be cancelled. `None` at the end of the input.
fn read_line(person: &Person) -> Option<String> {
    let mut answer = String::new();
    let mut person = person.lock().unwrap_or_else(PoisonError::into_inner);
    person.read_line(&mut answer).is_ok_and(|bytes| bytes > 0).then_some(answer)
}

/// Forgets what was typed before a question: nobody can have meant it for an answer.
#[cfg(unix)]
fn forget_typed() {
    // What is no terminal has nothing to forget.
    let _ = rustix::termios::tcflush(rustix::stdio::stdin(), rustix::termios::QueueSelector::IFlush);
}

#[cfg(not(unix))]
fn forget_typed() {}

impl Console for Terminal {
    fn data(&self, text: &str) {
        self.has_data.store(true, Ordering::Relaxed);
        let written = if self.is_paging() {
            let mut pager = self.pager.lock().unwrap_or_else(PoisonError::into_inner);
            pager.as_mut().map_or(Ok(()), |pager| pager.write(visible_lines(text).as_bytes()))
        } else {
            self.write(&self.stdout, &visible_lines(text))
        };
        if let Err(error) = written {
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    fn page(&self) {
        let mut pager = self.pager.lock().unwrap_or_else(PoisonError::into_inner);
        *self.running() = pager.as_mut().and_then(Pager::start);
    }

    fn end_page(&self) {
        if self.is_paging() {
            let mut pager = self.pager.lock().unwrap_or_else(PoisonError::into_inner);
            pager.iter_mut().for_each(Pager::finish);
            *self.running() = None;
        }
    }

    fn is_heard(&self) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn say(&self, text: &str) {
        if let Some(held) = &mut *self.held.lock().unwrap_or_else(PoisonError::into_inner)
            && text.starts_with("next: ")
        {
            return held.push(text.to_owned());
        }
        self.utter(text, || told(text));
    }

    fn tell(&self, event: &ProgressEvent) {
        let line = self.events.as_ref().and_then(|events| events.line(&self.left(), event));
        // If standard error cannot be written, there is nowhere to report that.
        let _ = line.map(|line| self.write(&self.stderr, &line));
    }

    fn is_attended(&self) -> bool {
        self.person.is_some()
    }

    fn next_line(&self) -> Option<oneshot::Receiver<String>> {
        let person = Arc::clone(self.person.as_ref()?);
        let (line, typed) = oneshot::channel();
        // As with questions, the thread is left behind where nobody types anything.
        let reading = std::thread::Builder::new().name("line".to_owned()).spawn(move || {
            // The receiver is gone if something else came first.
            read_line(&person).map(|answer| line.send(answer))
        });
        reading.is_ok().then_some(typed)
    }

    fn stands(&self, bar: Option<Bar>) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    fn account(&self, summary: &Summary) {
        let line = summary.to_json_line() + "\n";
        *self.summary.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
        self.events.iter().for_each(|events| events.account(summary.into()));
    }

    fn account_verified(&self, summary: &VerifiedSummary) {
        self.events.iter().for_each(|events| events.account(summary.into()));
    }

    fn on_leaving(&self, words: &str, run: &Path) {
        words.clone_into(&mut self.parting.lock().unwrap_or_else(PoisonError::into_inner));
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = run.to_string_lossy().into_owned();
    }

    fn ask(&self, question: &str) -> Reply {
        let Some(person) = &self.person else { return Reply::Nobody };
        forget_typed();
        let (reply, replied) = mpsc::channel();
        // Set before the question is printed, so that an interrupt at any time after that answers it.
        *self.asking.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply.clone());
        let asked = match self.events {
            None => visible_lines(question).into_owned(),
            Some(_) => {
                self.rendered(question, || ProgressEvent::Question { text: question.trim_end().to_owned() })
            }
        };
        if self.write(&self.stderr, &asked).is_err() {
            return Reply::Nobody;
        }
        let person = Arc::clone(person);
        // Reading a line cannot be cancelled, so it has a thread of its own, which an interrupt leaves behind.
        let reading = std::thread::Builder::new().name("answer".to_owned()).spawn(move || {
            // The receiver is gone if an interrupt came first.
            let _ = reply.send(read_line(&person).map_or(Reply::Nobody, Reply::Said));
        });
        let reply = reading.ok().and_then(|_| replied.recv().ok()).unwrap_or(Reply::Nobody);
        *self.asking.lock().unwrap_or_else(PoisonError::into_inner) = None;
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was printed.
    #[derive(Clone, Default)]
    struct Printed(Arc<Mutex<Vec<u8>>>);

    impl Write for Printed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn noon() -> jiff::Timestamp {
        "2026-11-30T12:00:00Z".parse().unwrap()
    }

    /// What stands on standard error once this was done, an event or a line each without what is the same in all.
    fn printed(has_events: bool, does: impl FnOnce(&Terminal)) -> Vec<String> {
        let stderr = Printed::default();
        let person: Box<dyn Read + Send> = Box::new(io::Cursor::new(b"y\n".to_vec()));
        let events = has_events.then(|| EventStream::new(String::new(), noon));
        let terminal = Terminal::new(Box::new(io::sink()), Box::new(stderr.clone()), Some(person));
        does(&terminal.with_events(events));
        let printed = String::from_utf8(stderr.0.lock().unwrap().clone()).unwrap();
        let begins = r#"{"version":1,"at":"2026-11-30T12:00:00Z","run":null,"event":"#;
        printed.lines().map(|line| line.strip_prefix(begins).unwrap_or(line).to_owned()).collect()
    }

    /// Whatever says something, says it as events, one a line, where a program reads them.
    #[test]
    fn all_that_is_said_is_an_event_of_its_own() {
        let says = |terminal: &Terminal| {
            terminal.say("note: one\ntwo");
            terminal.announce("stopping", || {});
            // What ends the line of a question that was interrupted.
            terminal.announce("", || {});
            assert_eq!(terminal.ask("Type y to go on: "), Reply::Said("y\n".to_owned()));
            terminal.pass_on("{\"event\":\"finished\"}");
            terminal.diagnose("a\u{1b}[2J");
            terminal.tell(&ProgressEvent::Released);
            terminal.part("leaving at once\nnext: referral-bulk resume r");
            terminal.end(Exit::Stopped);
            terminal.say("note: the work goes on, and nobody is told");
        };
        assert_eq!(
            printed(true, says),
            [
                r#""note","text":"one\ntwo"}"#,
                r#""message","text":"stopping"}"#,
                r#""question","text":"Type y to go on:"}"#,
                r#""output","text":"{\"event\":\"finished\"}"}"#,
                "\"diagnostic\",\"text\":\"a\u{fffd}[2J\"}",
                r#""released"}"#,
                r#""message","text":"leaving at once"}"#,
                r#""next","text":"referral-bulk resume r"}"#,
                concat!(
                    r#""stopped","exit_code":4,"state":null,"rows":null,"referrals":null,"requests":null,"#,
                    r#""next":"referral-bulk resume r"}"#
                ),
            ]
        );
        assert_eq!(
            printed(false, says),
            [
                "note: one",
                "two",
                "stopping",
                "",
                "Type y to go on: {\"event\":\"finished\"}",
                "a\u{fffd}[2J",
                "leaving at once",
                "next: referral-bulk resume r",
                "note: the work goes on, and nobody is told",
            ]
        );
    }

    #[test]
    fn a_command_that_is_held_back_is_an_event_once_it_is_said() {
        let says = |terminal: &Terminal| {
            terminal.hold_next();
            terminal.say("next: referral-bulk resume r");
            terminal.say("note: first");
            terminal.release_next();
        };
        let wanted = [r#""note","text":"first"}"#, r#""next","text":"referral-bulk resume r"}"#];
        assert_eq!(printed(true, says), wanted);
    }
}
