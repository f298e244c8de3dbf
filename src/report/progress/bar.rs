//! The bar itself: what stands on the terminal's last lines, and who has to get out of its way.

use std::io;
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

/// How often a bar moves by itself, so that people see that the program is alive.
const STEADY: Duration = Duration::from_millis(200);

/// How often it is drawn in a second at most.
const DRAWN: u8 = 20;

/// The bar takes what its words leave of the first line; the second is for what went wrong and what was said.
const SENDING: &str = "{wide_bar} {prefix}\n{wide_msg}";

const PLANNING: &str = "{spinner} {wide_msg}";

/// A bar, which has the last lines of the terminal for itself. Clones are handles on the same one.
#[derive(Debug, Clone)]
pub struct Bar(pub(super) ProgressBar);

impl Bar {
    /// One that is not to be seen.
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// One on standard error, where that is a terminal. Without a total, it is a spinner.
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

    /// Lets it move by itself.
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

    /// Lets somebody else write to the terminal meanwhile: it is off the terminal then, and stands below what
    /// was written afterwards.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.0.suspend(write)
    }

    /// Takes it off the terminal for good.
    pub fn leave(&self) {
        self.0.finish_and_clear();
    }
}

/// A terminal on which what somebody types meanwhile, `^C` to begin with, moves nothing: between two drawings the
/// cursor rests at the beginning of the last line and not behind its end, where any character would begin another
/// line. What is left below of lines that were longer once, before the terminal was made narrower, goes too: from
/// the second column on, since tmux keeps a copy of what is cleared from the corner of the screen on.
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
