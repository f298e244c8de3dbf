//! The only printer.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::commands::{Console, Problem};

/// Standard output, standard error, and the person in front of them if there is one.
pub struct Terminal {
    stdout: Mutex<Box<dyn Write + Send>>,
    stderr: Mutex<Box<dyn Write + Send>>,
    /// Where a person's answers come from; `None` where nobody is there.
    person: Option<Mutex<BufReader<Box<dyn Read + Send>>>>,
    asking: AtomicBool,
}

impl Terminal {
    /// Prints to these. `person` is the terminal to ask at, where there is one.
    pub fn new(
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        person: Option<Box<dyn Read + Send>>,
    ) -> Self {
        Self {
            stdout: Mutex::new(stdout),
            stderr: Mutex::new(stderr),
            person: person.map(|input| Mutex::new(BufReader::new(input))),
            asking: AtomicBool::new(false),
        }
    }

    /// Prints what keeps a command from going on.
    pub fn problem(&self, problem: &Problem) {
        let place = problem.place.as_ref().map_or(String::new(), |place| format!("\n  --> {place}"));
        let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
        self.say(&format!("error: {}{place}{hint}", problem.message));
    }

    /// Whether a question stands unanswered.
    pub fn is_asking(&self) -> bool {
        self.asking.load(Ordering::SeqCst)
    }
}

/// Writes as much as the other side takes: a reader that went away is no reason to fail.
fn write(stream: &Mutex<Box<dyn Write + Send>>, text: &str) {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.flush();
}

impl Console for Terminal {
    fn data(&self, text: &str) {
        write(&self.stdout, text);
    }

    fn say(&self, text: &str) {
        write(&self.stderr, &format!("{text}\n"));
    }

    fn ask(&self, question: &str) -> Option<String> {
        let mut person = self.person.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the question is to be seen: whoever interrupts then answers it.
        self.asking.store(true, Ordering::SeqCst);
        write(&self.stderr, question);
        let mut answer = String::new();
        let read = person.read_line(&mut answer);
        self.asking.store(false, Ordering::SeqCst);
        read.is_ok_and(|bytes| bytes > 0).then_some(answer)
    }
}
