//! Where planning puts what rows want until their referrals are seen: not on the heap, where it would be too much.

use std::convert::Infallible;
use std::fmt::Debug;

/// A place for bytes that are needed once more. What is at hand is a file without a name in the run's directory;
/// `plan` knows no files.
pub trait Aside {
    /// Where some of them are.
    type Place: Copy + Debug;
    /// Why they can't be put there, or don't come back.
    type Error;

    /// Puts bytes there.
    ///
    /// # Errors
    /// Where there is no room for them.
    fn put(&mut self, bytes: &[u8]) -> Result<Self::Place, Self::Error>;

    /// Reads bytes back, in place of what `into` holds.
    ///
    /// # Errors
    /// Where they can't be read.
    fn read(&mut self, at: Self::Place, into: &mut Vec<u8>) -> Result<(), Self::Error>;

    /// Returns the error that bytes came back otherwise than they were put there.
    fn garbled(&self) -> Self::Error;
}

/// Memory, for plans of few rows.
#[derive(Debug, Default)]
pub struct InMemory(Vec<Box<[u8]>>);

impl Aside for InMemory {
    type Place = usize;
    type Error = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.push(bytes.into());
        Ok(self.0.len() - 1)
    }

    fn read(&mut self, at: usize, into: &mut Vec<u8>) -> Result<(), Infallible> {
        into.clear();
        into.extend_from_slice(&self.0[at]);
        Ok(())
    }

    fn garbled(&self) -> Infallible {
        unreachable!("memory gives back what it took")
    }
}
