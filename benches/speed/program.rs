//! The program itself: how large it is, and how soon it answers.

use std::fs;
use std::io::Result;

use super::figures::{Figure, Goal, Unit};
use super::{Bench, PROGRAM, middle};

/// How often it is asked for help, which takes so little time that one measurement says little.
const TIMES: usize = 21;

/// The size of the binary, and the time that its help takes.
pub fn figures(bench: &Bench) -> Result<Vec<Figure>> {
    let size = fs::metadata(PROGRAM)?.len();
    let times =
        (0..TIMES).map(|_| Ok(bench.measured(&[PROGRAM, "--help"])?.seconds)).collect::<Result<Vec<_>>>()?;
    Ok(vec![
        Figure::new("size of the program", size as f64 / 1e6, Unit::Megabytes, Goal::AtMost(20.0))
            .among_few(),
        Figure::new("`--help`", middle(times, |time| *time), Unit::Seconds, Goal::AtMost(0.010)).among_few(),
    ])
}
