//! The progress bar on the last lines of the terminal, and how others write to the terminal meanwhile.

use std::io;
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

/// The time after which a bar moves by itself, so that users see that the program is alive.
const STEADY: Duration = Duration::from_millis(200);

/// The most drawings per second.
const DRAWN: u8 = 20;

/// The lines while sending: the bar takes what its text leaves of the first line; the second is for failures
/// and messages.
const SENDING: &str = "{wide_bar} {prefix}\n{wide_msg}";

/// The line while planning.
const PLANNING: &str = "{spinner} {wide_msg}";

/// A bar, which has the last lines of the terminal for itself. Clones are handles on the same bar.
#[derive(Debug, Clone)]
pub struct Bar(pub(super) ProgressBar);

impl Bar {
    /// Returns a bar that is never shown.
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Returns a bar on standard error, if that is a terminal. Without a total it is a spinner.
    pub(super) fn on_terminal(total: Option<u64>) -> Self {
        let terminal = Term::buffered_stderr();
        if !terminal.is_term() {
            return Self::hidden();
        }
        Self::on(ProgressDrawTarget::term_like_with_hz(Box::new(BarTerminal(terminal)), DRAWN), total)
    }

    pub(super) fn on(terminal: ProgressDrawTarget, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, terminal);
        let template = if total.is_some() { SENDING } else { PLANNING };
        bar.set_style(ProgressStyle::with_template(template).expect("the templates above are well-formed"));
        Self(bar)
    }

    /// Lets the bar move by itself.
    pub(super) fn begin(&self) {
        self.0.enable_steady_tick(STEADY);
    }

    pub(super) fn say(&self, prefix: String, message: String) {
        self.0.set_prefix(prefix);
        self.0.set_message(message);
    }

    pub(super) fn advance(&self) {
        self.0.inc(1);
    }

    /// Calls `write` while the bar is off the terminal. Afterwards the bar stands below what was written.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.0.suspend(write)
    }

    /// Removes the bar from the terminal for good.
    pub fn leave(&self) {
        self.0.finish_and_clear();
    }
}

/// A terminal on which keys that a user presses, such as `^C`, move nothing.
///
/// Between two drawings the cursor rests at the beginning of the last line: behind its end, any character that
/// the terminal echoes would begin another line. What is left below of lines that were longer before the
/// terminal was made narrower is cleared, too, but from the second column on: tmux keeps a copy of what is
/// cleared from the corner of the screen.
#[derive(Debug)]
struct BarTerminal(Term);

impl TermLike for BarTerminal {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)?;
        self.0.clear_line()?;
        clear_behind_the_first_column(&self.0)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}

#[cfg(unix)]
fn clear_behind_the_first_column(terminal: &Term) -> io::Result<()> {
    terminal.write_str("\u{1b}[C\u{1b}[J\r")
}

#[cfg(not(unix))]
fn clear_behind_the_first_column(terminal: &Term) -> io::Result<()> {
    terminal.clear_to_end_of_screen()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek};

    use super::*;

    /// tmux takes that for a screen that is cleared as a whole, and adds what stood there to what can be scrolled
    /// back to, with every drawing.
    #[test]
    fn nothing_is_cleared_from_the_corner_of_the_screen_on() {
        let mut file = tempfile::tempfile().unwrap();
        let handle = |file: &File| file.try_clone().unwrap();
        let stage = BarTerminal(Term::read_write_pair(handle(&file), handle(&file)));
        stage.move_cursor_up(1).unwrap();
        stage.flush().unwrap();
        let mut written = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut written).unwrap();
        let (before, _) = written.split_once("\u{1b}[J").unwrap();
        assert!(before.ends_with("\u{1b}[2K\u{1b}[C"), "{written:?}");
    }
}
