//! The only printer. Where a bar stands on the terminal, what is said is printed above it: the bar gets out of the
//! way and stands below it again, so that its next drawing takes nothing away.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use crate::commands::{Bar, Console, Problem, Reply};
use crate::domain::characters::visible_lines;

type Person = Arc<Mutex<BufReader<Box<dyn Read + Send>>>>;

/// Standard output, standard error, and the person in front of them if there is one.
pub struct Terminal {
    stdout: Mutex<Box<dyn Write + Send>>,
    stderr: Mutex<Box<dyn Write + Send>>,
    /// What stands on the terminal.
    bar: Mutex<Option<Bar>>,
    /// Where a person's answers come from; `None` where nobody is there.
    person: Option<Person>,
    /// Where the answer goes to the question that stands unanswered.
    asking: Mutex<Option<mpsc::Sender<Reply>>>,
    /// What to tell whoever leaves now.
    parting: Mutex<String>,
    /// The run that they leave.
    left: Mutex<String>,
    /// Whether there was anything for standard output.
    has_data: AtomicBool,
    /// Why data did not get to standard output.
    lost: Mutex<Option<io::Error>>,
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
            bar: Mutex::default(),
            person: person.map(|input| Arc::new(Mutex::new(BufReader::new(input)))),
            asking: Mutex::default(),
            parting: Mutex::default(),
            left: Mutex::default(),
            has_data: AtomicBool::new(false),
            lost: Mutex::new(None),
        }
    }

    /// Prints what keeps a command from going on.
    pub fn problem(&self, problem: &Problem) {
        let place = problem.place.as_ref().map_or(String::new(), |place| format!("\n  --> {place}"));
        let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
        self.say(&format!("error: {}{place}{hint}", problem.message));
    }

    /// Whether there was anything for standard output, be it still on its way there.
    pub fn has_data(&self) -> bool {
        self.has_data.load(Ordering::Relaxed)
    }

    /// Why data did not get to standard output, if it didn't. A reader that had enough of it, and went
    /// away, is no such reason.
    pub fn lost(&self) -> Option<io::Error> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        lost.filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// The run that whoever leaves now leaves; empty where there is none.
    pub fn left(&self) -> String {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What to tell whoever leaves now.
    pub fn parting(&self) -> String {
        self.parting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers the question that stands unanswered, if one does, for somebody who interrupted.
    pub fn interrupt(&self) -> bool {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner).take();
        asking.is_some_and(|reply| reply.send(Reply::Interrupted).is_ok())
    }

    /// Does something and says so, before anybody else can say anything.
    pub fn announce(&self, words: &str, action: impl FnOnce()) {
        // There is nowhere else to say that nobody listens.
        let _ = self.write_after(action, &self.stderr, &format!("{words}\n"));
    }

    /// Says the last words: no bar stands below them.
    pub fn part(&self, words: &str) {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take();
        bar.iter().for_each(Bar::leave);
        self.say(words);
    }

    fn write(&self, stream: &Mutex<Box<dyn Write + Send>>, text: &str) -> io::Result<()> {
        self.write_after(|| {}, stream, text)
    }

    /// Does something, and writes; the bar is out of the way meanwhile. Standard output may be the same terminal.
    fn write_after(
        &self,
        action: impl FnOnce(),
        stream: &Mutex<Box<dyn Write + Send>>,
        text: &str,
    ) -> io::Result<()> {
        let write = || {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            action();
            stream.write_all(visible_lines(text).as_bytes())?;
            stream.flush()
        };
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bar {
            Some(bar) => bar.aside(write),
            None => write(),
        }
    }
}

/// Prints, and waits so long at most for whoever reads it: a terminal or a pipe may be held up.
pub fn print_within(time: Duration, print: impl FnOnce() + Send + 'static) {
    let (printed, told) = mpsc::channel();
    let printing = std::thread::Builder::new().name("print".to_owned()).spawn(move || {
        print();
        // Nobody listens any more where it took too long.
        let _ = printed.send(());
    });
    if printing.is_ok() {
        let _ = told.recv_timeout(time);
    }
}

impl Console for Terminal {
    fn data(&self, text: &str) {
        self.has_data.store(true, Ordering::Relaxed);
        if let Err(error) = self.write(&self.stdout, text) {
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    fn say(&self, text: &str) {
        // There is nowhere else to say that nobody listens.
        let _ = self.write(&self.stderr, &format!("{text}\n"));
    }

    fn is_attended(&self) -> bool {
        self.person.is_some()
    }

    fn stands(&self, bar: Option<Bar>) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    fn on_leaving(&self, words: &str, run: &Path) {
        words.clone_into(&mut self.parting.lock().unwrap_or_else(PoisonError::into_inner));
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = run.to_string_lossy().into_owned();
    }

    fn ask(&self, question: &str) -> Reply {
        let Some(person) = &self.person else { return Reply::Nobody };
        let (reply, replied) = mpsc::channel();
        // Before the question is to be seen: whoever interrupts then answers it.
        *self.asking.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply.clone());
        if self.write(&self.stderr, question).is_err() {
            return Reply::Nobody;
        }
        let person = Arc::clone(person);
        // Nothing ends the wait for a line, so an interrupt leaves it waiting.
        let reading = std::thread::Builder::new().name("answer".to_owned()).spawn(move || {
            let mut answer = String::new();
            let mut person = person.lock().unwrap_or_else(PoisonError::into_inner);
            let read = person.read_line(&mut answer);
            let said = read.is_ok_and(|bytes| bytes > 0);
            // Nobody listens any more where an interrupt came first.
            let _ = reply.send(if said { Reply::Said(answer) } else { Reply::Nobody });
        });
        let reply = reading.ok().and_then(|_| replied.recv().ok()).unwrap_or(Reply::Nobody);
        *self.asking.lock().unwrap_or_else(PoisonError::into_inner) = None;
        reply
    }
}
