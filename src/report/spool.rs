//! Lines that are put aside until their order is known, in a file without a name: only this process can read it, and
//! it is gone with the process, however that ends.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::atomic_file::BUFFER;

/// The place of a line among those that are put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExportSlot(usize);

/// Lines that are put aside. Of each a note is kept in memory besides.
pub(super) struct Spool<N> {
    file: BufWriter<File>,
    written: u64,
    lines: Vec<Option<SpooledLine<N>>>,
    count: u64,
}

/// A line that was put aside.
struct SpooledLine<N> {
    start: u64,
    length: u32,
    note: N,
}

impl<N> Spool<N> {
    /// Begins with no line.
    ///
    /// # Errors
    /// Where nothing can be written in the directory.
    pub(super) fn begin(dir: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(dir)?);
        Ok(Self { file, written: 0, lines: Vec::new(), count: 0 })
    }

    /// Returns the place of another line, behind all others.
    pub(super) fn slot(&mut self) -> ExportSlot {
        self.lines.push(None);
        ExportSlot(self.lines.len() - 1)
    }

    /// Puts a line in its place, instead of what was there.
    ///
    /// # Errors
    /// Where writing fails.
    pub(super) fn put(&mut self, slot: ExportSlot, line: &[u8], note: N) -> io::Result<()> {
        self.file.write_all(line)?;
        let length = u32::try_from(line.len()).map_err(io::Error::other)?;
        let put = SpooledLine { start: self.written, length, note };
        self.count += u64::from(self.lines[slot.0].replace(put).is_none());
        self.written += u64::from(length);
        Ok(())
    }

    /// Takes a line out again.
    pub(super) fn take_out(&mut self, slot: ExportSlot) {
        self.count -= u64::from(self.lines[slot.0].take().is_some());
    }

    /// Returns the number of lines.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the notes of the lines, in order.
    pub(super) fn notes(&self) -> impl Iterator<Item = &N> {
        self.lines.iter().flatten().map(|line| &line.note)
    }

    /// Hands over all lines in their order.
    ///
    /// # Errors
    /// Where a line can't be read, or taken.
    pub(super) fn each(
        &mut self,
        mut take: impl FnMut(&mut Vec<u8>, &N) -> io::Result<()>,
    ) -> io::Result<()> {
        self.file.flush()?;
        let (file, mut at, mut line) = (self.file.get_mut(), u64::MAX, Vec::new());
        for SpooledLine { start, length, note } in self.lines.iter().flatten() {
            if at != *start {
                file.seek(SeekFrom::Start(*start))?;
            }
            line.resize(*length as usize, 0);
            file.read_exact(&mut line)?;
            at = start + u64::from(*length);
            take(&mut line, note)?;
        }
        Ok(())
    }
}
