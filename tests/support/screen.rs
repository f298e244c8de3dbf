//! A terminal that the program runs at, and what is to be seen on it: the bytes that come are carried out as a
//! terminal carries them out.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::place::Place;
use super::program::{Ended, TOKEN, program, start};
use super::waiting::until;

const ROWS: u16 = 40;

/// The program at a terminal.
pub struct Screen {
    child: Child,
    keyboard: File,
    /// The program's side, as long as it runs.
    terminal: OwnedFd,
    shown: Arc<Mutex<Shown>>,
    reading: JoinHandle<()>,
}

struct Shown {
    raw: Vec<u8>,
    parser: vt100::Parser,
}

impl Screen {
    /// Starts the program at a terminal so many columns wide; 0 where it doesn't tell. It has these variables, and a
    /// token.
    pub fn start(home: &Place, command: &str, columns: u16, variables: &[(&str, &str)]) -> Self {
        let rows = if columns == 0 { 0 } else { ROWS };
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        let mut run = program();
        run.args(command.split_whitespace()).current_dir(home.root());
        run.envs(variables.iter().copied()).env("PARTNER_CENTER_TOKEN", TOKEN);
        run.stdin(Stdio::from(pty.slave.try_clone().unwrap()));
        run.stdout(Stdio::from(pty.slave.try_clone().unwrap()));
        run.stderr(Stdio::from(pty.slave.try_clone().unwrap()));
        let child = start(&mut run);
        drop(run);
        let columns = if columns == 0 { 80 } else { columns };
        let parser = vt100::Parser::new(ROWS, columns, 1_000);
        let shown = Arc::new(Mutex::new(Shown { raw: Vec::new(), parser }));
        let keyboard = File::from(pty.master);
        let (mut output, sharing) = (keyboard.try_clone().unwrap(), Arc::clone(&shown));
        let reading = thread::spawn(move || {
            let mut block = [0; 4096];
            // Where the program is gone, Linux answers with an error in place of the end.
            while let Ok(count @ 1..) = output.read(&mut block) {
                let shown = &mut *sharing.lock().unwrap();
                shown.raw.extend_from_slice(&block[..count]);
                shown.parser.process(&block[..count]);
            }
        });
        Self { child, keyboard, terminal: pty.slave, shown, reading }
    }

    /// What is to be seen, line by line, as wide as the terminal.
    pub fn text(&self) -> String {
        text(&self.shown.lock().unwrap())
    }

    /// All that came, to the byte.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap().raw).into_owned()
    }

    /// Waits until this is to be seen, wherever its lines break.
    pub fn shows(&self, text: &str) {
        let wanted = unbroken(text);
        until(&format!("{text:?} on the screen"), || unbroken(&self.text()).contains(&wanted).then_some(()));
    }

    /// Waits until what stands there now was drawn a few times more.
    pub fn is_drawn_again(&self, part: &str) {
        let count = || self.raw().matches(part).count();
        let before = count();
        until(&format!("{part:?} once more"), || (count() >= before + 5).then_some(()));
    }

    /// Types something. What a key stands for is not done: nobody's terminal is this.
    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Whether the terminal shows what is typed.
    pub fn echoes(&self) -> bool {
        let modes = nix::sys::termios::tcgetattr(&self.terminal).unwrap();
        modes.local_flags.contains(nix::sys::termios::LocalFlags::ECHO)
    }

    /// Makes the terminal another width.
    pub fn resize(&self, columns: u16) {
        let terminal = Stdio::from(self.terminal.try_clone().unwrap());
        let mut stty = Command::new("stty");
        let done = stty.args(["cols", &columns.to_string()]).stdin(terminal).status().unwrap();
        assert!(done.success());
        self.shown.lock().unwrap().parser.screen_mut().set_size(ROWS, columns);
    }

    /// Waits for its end. Answers the exit code, what is to be seen then, and all that came.
    pub fn wait(self) -> (Option<i32>, String, String) {
        let Self { mut child, terminal, shown, reading, .. } = self;
        let status = until("the end of the process", || child.try_wait().unwrap());
        drop(terminal);
        reading.join().unwrap();
        let shown = shown.lock().unwrap();
        let all = String::from_utf8_lossy(&shown.raw).into_owned();
        let ended = Ended::saying(status.code(), String::new(), all);
        (ended.code, text(&shown), ended.stderr)
    }
}

fn text(shown: &Shown) -> String {
    let screen = shown.parser.screen();
    let rows = screen.rows(0, screen.size().1).map(|row| row.trim_end().to_owned() + "\n");
    rows.collect::<String>().trim_end().to_owned()
}

/// A text without what lines are broken at.
pub fn unbroken(text: &str) -> String {
    text.split_whitespace().collect()
}
