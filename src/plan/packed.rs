//! Rows as bytes, in which they wait for their referrals, and back.
//!
//! Only this process reads them again, so the form has no version. A number takes as many bytes as it needs, a text
//! is its length and its bytes, a value its JSON.

use serde_json::value::RawValue;

use crate::domain::change::{Append, BaseValue, Draft, Joining, Located};
use crate::domain::decimal::DecimalSign;
use crate::domain::fields::{Field, Path};
use crate::domain::finding::Location;
use crate::domain::pointer::Pointer;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::status::{Stage, Status};
use crate::domain::value::{Condition, Wanted};

const SIGNS: [Option<DecimalSign>; 3] = [None, Some(DecimalSign::Point), Some(DecimalSign::Comma)];
const CONDITIONS: [Condition; 3] = [Condition::Always, Condition::OtherDay, Condition::Closing];
const JOININGS: [Joining; 3] = [Joining::Append, Joining::Update, Joining::First];

/// Whether a row can be packed: one that says more than what it wants, as those of Partner Center's files do, is kept
/// as it is.
pub fn is_packable(draft: &Draft) -> bool {
    draft.shown.is_empty() && draft.provisos.is_empty()
}

/// Appends what a row wants, without its id and its place.
pub fn pack(draft: &Draft, bytes: &mut Vec<u8>) {
    let mut packer = Packer { bytes, row: draft.place };
    let Draft { etag, status, substatus, sets, appends, bases, .. } = draft;
    packer.optional(etag.as_ref(), |packer, etag| packer.text(etag.as_str()));
    packer.optional(status.as_ref(), |packer, status| packer.one_of(&Status::ALL, status));
    packer.optional(substatus.as_ref(), |packer, stage| packer.one_of(&Stage::ALL, stage));
    packer.number(sets.len() as u64);
    for Located { value: (path, wanted), place } in sets {
        packer.place(*place);
        packer.path(path);
        packer.byte(u8::from(wanted.may_clear()));
        packer.one_of(&SIGNS, &wanted.sign());
        packer.one_of(&CONDITIONS, &wanted.condition());
        packer.text(wanted.raw().get());
    }
    packer.number(appends.len() as u64);
    for Located { value: Append { field, key, element, joining, sign }, place } in appends {
        packer.place(*place);
        packer.byte(*field as u8);
        packer.text(key);
        packer.text(element.get());
        packer.one_of(&JOININGS, joining);
        packer.one_of(&SIGNS, sign);
    }
    packer.number(bases.len() as u64);
    for BaseValue { path, key, value } in bases {
        packer.path(path);
        packer.byte(u8::from(key.is_some()));
        packer.text(key.as_deref().unwrap_or_default());
        packer.text(value.get());
    }
}

/// Appends the place of a row.
pub fn pack_place(place: Location, bytes: &mut Vec<u8>) {
    Packer { bytes, row: Location { line: 0, ..place } }.place(place);
}

/// Appends a number.
pub fn pack_number(number: u64, bytes: &mut Vec<u8>) {
    Packer { bytes, row: NOWHERE }.number(number);
}

const NOWHERE: Location = Location { input: 0, line: 0, column: 0 };

struct Packer<'b> {
    bytes: &'b mut Vec<u8>,
    /// Where the row begins: its cells are on the same line, nearly always.
    row: Location,
}

impl Packer<'_> {
    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.byte((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn place(&mut self, place: Location) {
        self.number(place.input.into());
        self.number(place.line.wrapping_sub(self.row.line));
        self.number(place.column.into());
    }

    fn path(&mut self, path: &Path) {
        match path {
            Path::Known(field) => self.byte(*field as u8 + 1),
            Path::Opted(pointer) => {
                self.byte(0);
                self.text(pointer.as_str());
            }
        }
    }

    fn one_of<T: PartialEq>(&mut self, all: &[T], value: &T) {
        let at = all.iter().position(|one| one == value).expect("all values are listed");
        self.byte(u8::try_from(at).expect("they are few"));
    }

    fn optional<T>(&mut self, value: Option<&Located<T>>, pack: impl FnOnce(&mut Self, &T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(Located { value, place }) = value {
            self.place(*place);
            pack(self, value);
        }
    }
}

/// Takes values out of bytes, in the order in which they were packed. Each is `None` where the bytes are not what was
/// packed.
pub struct Unpacker<'b> {
    rest: &'b [u8],
    row: Location,
}

impl<'b> Unpacker<'b> {
    /// Begins at the first byte.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, row: NOWHERE }
    }

    /// Takes the place of the row.
    pub fn row_place(&mut self) -> Option<Location> {
        self.row = self.place()?;
        Some(self.row)
    }

    /// Takes what the row wants, which is the rest.
    pub fn draft(mut self, id: ReferralId) -> Option<Draft> {
        let etag = self.optional(|unpacker| ETag::from_service(unpacker.text()?).ok())?;
        let status = self.optional(|unpacker| unpacker.one_of(&Status::ALL))?;
        let substatus = self.optional(|unpacker| unpacker.one_of(&Stage::ALL))?;
        let sets = self.list(|unpacker| {
            let (place, path) = (unpacker.place()?, unpacker.path()?);
            let may_clear = unpacker.byte()? == 1;
            let (sign, condition) = (unpacker.one_of(&SIGNS)?, unpacker.one_of(&CONDITIONS)?);
            let wanted = Wanted::restored(unpacker.value()?, may_clear, sign, condition);
            Some(Located { value: (path, wanted), place })
        })?;
        let appends = self.list(|unpacker| {
            let (place, field) = (unpacker.place()?, unpacker.field()?);
            let (key, element) = (unpacker.text()?.to_owned(), unpacker.value()?);
            let (joining, sign) = (unpacker.one_of(&JOININGS)?, unpacker.one_of(&SIGNS)?);
            Some(Located { value: Append { field, key, element, joining, sign }, place })
        })?;
        let bases = self.list(|unpacker| {
            let (path, has_key) = (unpacker.path()?, unpacker.byte()? == 1);
            let key = unpacker.text()?;
            Some(BaseValue { path, key: has_key.then(|| key.into()), value: unpacker.value()? })
        })?;
        let (place, shown, provisos) = (self.row, Vec::new(), Vec::new());
        let is_all = self.rest.is_empty();
        let draft = Draft { id, place, etag, status, substatus, sets, appends, shown, provisos, bases };
        is_all.then_some(draft)
    }

    /// Takes a byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// Takes a number.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    fn value(&mut self) -> Option<Box<RawValue>> {
        RawValue::from_string(self.text()?.to_owned()).ok()
    }

    fn place(&mut self) -> Option<Location> {
        let input = u32::try_from(self.number()?).ok()?;
        let line = self.row.line.wrapping_add(self.number()?);
        Some(Location { input, line, column: u32::try_from(self.number()?).ok()? })
    }

    fn field(&mut self) -> Option<Field> {
        Field::all().nth(self.byte()?.into())
    }

    fn path(&mut self) -> Option<Path> {
        match self.byte()?.checked_sub(1) {
            Some(field) => Field::all().nth(field.into()).map(Path::Known),
            None => Pointer::parse(self.text()?).ok().map(Path::Opted),
        }
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::from(self.byte()?)).copied()
    }

    /// Takes a value that may not be there: the inner `None`.
    fn optional<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<Located<T>>> {
        if self.byte()? == 0 {
            return Some(None);
        }
        let place = self.place()?;
        Some(Some(Located { value: take(self)?, place }))
    }

    fn list<T>(&mut self, mut take: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = usize::try_from(self.number()?).ok()?;
        // No element takes less than a byte.
        let mut list = Vec::with_capacity(length.min(self.rest.len()));
        for _ in 0..length {
            list.push(take(self)?);
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use uuid::Uuid;

    use super::*;

    fn place() -> impl Strategy<Value = Location> {
        let far = prop_oneof![0_u64..9, any::<u64>()];
        (0_u32..4, far, prop_oneof![0_u32..200, any::<u32>()]).prop_map(|(input, line, column)| Location {
            input,
            line,
            column,
        })
    }

    fn located<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Located<T>> {
        (value, place()).prop_map(|(value, place)| Located { value, place })
    }

    fn field() -> impl Strategy<Value = Field> {
        proptest::sample::select(Field::all().collect::<Vec<_>>())
    }

    fn path() -> impl Strategy<Value = Path> {
        let opted = "(/[a-z~0é]{0,9}){1,3}".prop_filter_map("no pointer", |text| Pointer::parse(&text).ok());
        prop_oneof![field().prop_map(Path::Known), opted.prop_map(Path::Opted)]
    }

    fn value() -> impl Strategy<Value = Box<RawValue>> {
        let values =
            ["null", "12500.50", "1e400", r#""é \ud800\n""#, r#"[ {"email":"a@b.c"} ]"#, "true", "{}"];
        let short = proptest::sample::select(values.to_vec()).prop_map(str::to_owned);
        let long = (100_usize..70_000).prop_map(|length| format!("\"{}\"", "x".repeat(length)));
        prop_oneof![9 => short, 1 => long].prop_map(|text| RawValue::from_string(text).unwrap())
    }

    fn wanted() -> impl Strategy<Value = Wanted> {
        let (signs, conditions) =
            (proptest::sample::select(&SIGNS[..]), proptest::sample::select(&CONDITIONS[..]));
        (value(), any::<bool>(), signs, conditions)
            .prop_map(|(raw, may_clear, sign, condition)| Wanted::restored(raw, may_clear, sign, condition))
    }

    fn append() -> impl Strategy<Value = Append> {
        let (joinings, signs) =
            (proptest::sample::select(&JOININGS[..]), proptest::sample::select(&SIGNS[..]));
        (field(), ".{0,9}", value(), joinings, signs)
            .prop_map(|(field, key, element, joining, sign)| Append { field, key, element, joining, sign })
    }

    fn base() -> impl Strategy<Value = BaseValue> {
        let key = proptest::option::of(".{0,5}".prop_map(String::into_boxed_str));
        (path(), key, value()).prop_map(|(path, key, value)| BaseValue { path, key, value })
    }

    fn draft() -> impl Strategy<Value = Draft> {
        let etag = "(W/)?\"[!#-Z]{1,40}\"".prop_filter_map("no eTag", |text| ETag::from_service(&text).ok());
        let (statuses, stages) =
            (proptest::sample::select(&Status::ALL[..]), proptest::sample::select(&Stage::ALL[..]));
        (
            (place(), any::<u128>()),
            proptest::option::of(located(etag)),
            proptest::option::of(located(statuses)),
            proptest::option::of(located(stages)),
            proptest::collection::vec(located((path(), wanted())), 0..4),
            proptest::collection::vec(located(append()), 0..3),
            proptest::collection::vec(base(), 0..3),
        )
            .prop_map(|((place, id), etag, status, substatus, sets, appends, bases)| Draft {
                id: Uuid::from_u128(id).into(),
                place,
                etag,
                status,
                substatus,
                sets,
                appends,
                shown: Vec::new(),
                provisos: Vec::new(),
                bases,
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(71), ..ProptestConfig::default()
        })]

        #[test]
        fn what_was_packed_comes_back_to_the_letter(draft in draft(), number: u64) {
            let mut bytes = Vec::new();
            pack_number(number, &mut bytes);
            pack_place(draft.place, &mut bytes);
            pack(&draft, &mut bytes);
            let unpacked = |bytes: &[u8]| {
                let mut unpacker = Unpacker::new(bytes);
                let number = unpacker.number()?;
                unpacker.row_place()?;
                Some((number, unpacker.draft(draft.id)?))
            };
            let Some((told, again)) = unpacked(&bytes) else { return Err(TestCaseError::fail("not read back")) };
            prop_assert_eq!(told, number);
            prop_assert_eq!(format!("{again:?}"), format!("{draft:?}"));
            // Less than all of it is no row.
            for length in (0..bytes.len()).step_by(1 + bytes.len() / 50) {
                prop_assert!(unpacked(&bytes[..length]).is_none(), "{} of {}", length, bytes.len());
            }
        }
    }
}
