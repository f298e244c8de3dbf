//! A text that grows, in parts: as a single one it would be copied each time that it outgrows its room, and be there twice
//! meanwhile.

/// The bytes at which a part is full.
const CHUNK: usize = 1 << 18;

/// The rows of a page as they are written, in parts. None lies in two of them.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl Chunks {
    /// Returns how many bytes there are.
    pub(super) fn bytes(&self) -> usize {
        self.all().map(Vec::len).sum()
    }

    /// Iterates over the parts in their order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.full.iter().chain([&self.last])
    }

    /// Takes the last part, to which a row is added, or an empty one where that is full.
    pub(super) fn take_last(&mut self) -> Vec<u8> {
        let last = std::mem::take(&mut self.last);
        if last.len() < CHUNK {
            return last;
        }
        self.full.push(last);
        Vec::new()
    }

    /// Puts the part back that was taken, with what was added to it.
    pub(super) fn put_back(&mut self, last: Vec<u8>) {
        self.last = last;
    }
}
