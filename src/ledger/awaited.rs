//! The items that rows wait for while a run is planned: a row whose item doesn't come would stay without an outcome.

/// Bits of a word.
const BITS: u64 = u64::BITS as u64;

/// The items that rows wait for and that have not come. Items are numbered by rows, so a bit is kept for each row.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    /// A bit for the number of each item.
    waiting: Vec<u64>,
    /// How many of them are set.
    count: u64,
    /// Whether there is a row that has neither a verdict nor an item to wait for.
    has_loose: bool,
}

impl Awaited {
    /// Adds the item that a row waits for; `None` where there is none that could come.
    pub(super) fn add(&mut self, item: Option<u64>) {
        let Some(number) = item else {
            self.has_loose = true;
            return;
        };
        let (word, bit) = place(number);
        if self.waiting.len() <= word {
            self.waiting.resize(word + 1, 0);
        }
        self.count += u64::from(self.waiting[word] & bit == 0);
        self.waiting[word] |= bit;
    }

    /// Takes out an item that has come.
    pub(super) fn remove(&mut self, number: u64) {
        let (word, bit) = place(number);
        if let Some(waiting) = self.waiting.get_mut(word).filter(|waiting| **waiting & bit != 0) {
            *waiting &= !bit;
            self.count -= 1;
        }
    }

    /// Whether every row has what it needs.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0 && !self.has_loose
    }
}

fn place(number: u64) -> (usize, u64) {
    let word = usize::try_from(number / BITS).expect("the rows of a run have their places in memory");
    (word, 1 << (number % BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_awaited_until_it_comes() {
        for (added, came, is_empty) in [
            (&[][..], &[][..], true),
            (&[Some(1)], &[], false),
            (&[Some(1)], &[1], true),
            (&[Some(1), Some(1)], &[1], true),
            (&[Some(1), Some(64), Some(65)], &[65, 1], false),
            (&[Some(1), Some(64), Some(65)], &[65, 1, 64], true),
            (&[Some(1)], &[2, 1_000, 1, 1], true),
            (&[None, Some(1)], &[1], false),
        ] {
            let mut awaited = Awaited::default();
            added.iter().for_each(|item| awaited.add(*item));
            came.iter().for_each(|item| awaited.remove(*item));
            assert_eq!(awaited.is_empty(), is_empty, "{added:?} {came:?}");
        }
    }
}
