//! A person at a terminal: a pseudo-terminal as the program's standard input and standard error.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::place::Place;
use super::program::{Ended, TOKEN, program, start};
use super::waiting::PATIENCE;

/// What a person does once the program asks.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// Types this.
    Types(&'static str),
    /// Looks at what lies in the place, and then types this.
    LooksAndTypes(fn(&Place), &'static str),
    /// Interrupts the program.
    Interrupts,
}

/// How a run at a terminal ended.
pub struct Seen {
    pub code: Option<i32>,
    pub stdout: String,
    /// All that was to be seen at the terminal, what was typed included, with plain line ends.
    pub terminal: String,
}

/// Runs the program at a terminal, and answers its first question; `None` where none is expected.
pub fn run(place: &Rc<Place>, command: &str, base: &str, answer: Option<Does>) -> Seen {
    answering(place, command, base, answer)
}

/// Runs the program at a terminal, and answers its questions, one after another; it has to ask all of them.
pub fn answering(
    place: &Rc<Place>,
    command: &str,
    base: &str,
    answers: impl IntoIterator<Item = Does>,
) -> Seen {
    let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None).unwrap();
    let mut run = program();
    run.args(shlex::split(command).unwrap()).current_dir(place.root());
    run.env("TERM", "xterm").env("PARTNER_CENTER_TOKEN", TOKEN).env("REFERRAL_BULK_ENDPOINT", base);
    run.stdin(Stdio::from(pty.slave.try_clone().unwrap())).stdout(Stdio::piped());
    // The last handle of the terminal's other side goes with the program, so that its end is seen.
    run.stderr(Stdio::from(pty.slave));
    let child = start(&mut run);
    drop(run);
    converse(place, child, File::from(pty.master), answers.into_iter().collect())
}

fn converse(place: &Place, mut child: Child, mut terminal: File, mut answers: VecDeque<Does>) -> Seen {
    let program = Pid::from_raw(child.id().try_into().unwrap());
    let over = kill_in_the_end(program);
    let (mut seen, mut block) = (Vec::new(), [0; 4096]);
    // Where the program is gone, Linux answers with an error in place of the end.
    while let Ok(count @ 1..) = terminal.read(&mut block) {
        seen.extend_from_slice(&block[..count]);
        if seen.ends_with(b": ")
            && let Some(does) = answers.pop_front()
        {
            match does {
                Does::Types(text) => terminal.write_all(text.as_bytes()).unwrap(),
                Does::LooksAndTypes(look, text) => {
                    look(place);
                    terminal.write_all(text.as_bytes()).unwrap();
                }
                Does::Interrupts => {
                    kill(program, Signal::SIGINT).unwrap();
                }
            }
        }
    }
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let code = child.wait().unwrap().code();
    drop(over);
    assert!(answers.is_empty(), "the program asked less: {}", String::from_utf8_lossy(&seen));
    let terminal = String::from_utf8(seen).unwrap().replace("\r\n", "\n");
    let Ended { code, stdout, stderr: terminal } = Ended::saying(code, stdout, terminal);
    Seen { code, stdout, terminal }
}

/// Kills a program that waits for an answer nobody will give, unless it is over before.
fn kill_in_the_end(program: Pid) -> Sender<()> {
    let (over, wait) = channel();
    std::thread::spawn(move || {
        if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = kill(program, Signal::SIGKILL);
        }
    });
    over
}
