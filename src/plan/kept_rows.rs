//! The rows of a plan, kept aside until their referrals are seen.

use super::aside::Aside;
use super::packed::{self, Unpacker};
use crate::domain::change::Draft;
use crate::domain::finding::Location;
use crate::domain::referral::ReferralId;

/// A row as it was read.
#[derive(Debug)]
pub(super) struct KeptRow {
    /// Where it begins.
    pub place: Location,
    /// Whether it is no valid change.
    pub is_rejected: bool,
    /// What it wants, as far as that could be read.
    pub draft: Option<Box<Draft>>,
}

/// All rows of a plan. Of each, only its place is in memory.
#[derive(Debug)]
pub(super) struct KeptRows<A: Aside> {
    aside: A,
    /// The place of each row.
    places: Vec<A::Place>,
    /// The rows that can't be packed.
    unpacked: Vec<Draft>,
    /// The bytes of the row that is written, or was read.
    bytes: Vec<u8>,
}

/// What follows on the place of a row.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// Nothing.
    Nothing,
    /// What it wants.
    Packed,
    /// Where in memory that is.
    Unpacked,
}

impl Form {
    const ALL: [Self; 3] = [Self::Nothing, Self::Packed, Self::Unpacked];
}

impl<A: Aside> KeptRows<A> {
    pub fn new(aside: A) -> Self {
        Self { aside, places: Vec::new(), unpacked: Vec::new(), bytes: Vec::new() }
    }

    /// Keeps a row. `earlier` is the last one for the same referral. Returns by what it is found.
    pub fn keep(&mut self, row: KeptRow, earlier: Option<u32>) -> Result<u32, A::Error> {
        let KeptRow { place, is_rejected, draft } = row;
        self.bytes.clear();
        packed::pack_number(earlier.map_or(0, |earlier| u64::from(earlier) + 1), &mut self.bytes);
        packed::pack_place(place, &mut self.bytes);
        self.bytes.push(u8::from(is_rejected));
        match draft {
            None => self.bytes.push(Form::Nothing as u8),
            Some(draft) if packed::is_packable(&draft) => {
                self.bytes.push(Form::Packed as u8);
                packed::pack(&draft, &mut self.bytes);
            }
            Some(draft) => {
                self.bytes.push(Form::Unpacked as u8);
                packed::pack_number(self.unpacked.len() as u64, &mut self.bytes);
                self.unpacked.push(*draft);
            }
        }
        let number = u32::try_from(self.places.len()).expect("memory holds fewer places than 2^32");
        self.places.push(self.aside.put(&self.bytes)?);
        Ok(number)
    }

    /// Returns a row and all earlier ones for the same referral, the first one first.
    pub fn back_to_first(&mut self, last: u32, id: ReferralId) -> Result<Vec<KeptRow>, A::Error> {
        let (mut rows, mut next) = (Vec::new(), Some(last));
        while let Some(row) = next {
            self.aside.read(self.places[row as usize], &mut self.bytes)?;
            let (row, earlier) = self.row(id).ok_or_else(|| self.aside.garbled())?;
            rows.push(row);
            next = earlier;
        }
        rows.reverse();
        Ok(rows)
    }

    /// Returns the row that was read, and which one came before it; `None` where it is not what was written.
    fn row(&self, id: ReferralId) -> Option<(KeptRow, Option<u32>)> {
        let mut unpacker = Unpacker::new(&self.bytes);
        let earlier = match unpacker.number()? {
            0 => None,
            earlier => Some(u32::try_from(earlier - 1).ok()?),
        };
        let place = unpacker.row_place()?;
        let is_rejected = unpacker.byte()? == 1;
        let draft = match Form::ALL.get(usize::from(unpacker.byte()?))? {
            Form::Nothing => None,
            Form::Packed => Some(Box::new(unpacker.draft(id)?)),
            Form::Unpacked => {
                Some(Box::new(self.unpacked.get(usize::try_from(unpacker.number()?).ok()?)?.clone()))
            }
        };
        Some((KeptRow { place, is_rejected, draft }, earlier))
    }
}
