//! A row beside the base of its run: what is as in the base asks for nothing, and what differs knows what it had been.
//! Of a file that is the base itself, what is read is kept instead.

use serde_json::value::RawValue;

use super::base_row::{BaseCell, BaseRow, BaseRows, ReadAs};
use super::earlier_result::EarlierResult;
use super::options::Options;
use super::value_target::ValueTarget;
use crate::domain::change::{Append, BaseValue, Joining};
use crate::domain::equality;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::{Field, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::json;
use crate::domain::level::Level;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::Rule;
use crate::domain::setting::Setting;
use crate::domain::status::{Stage, Status};
use crate::domain::value;
use crate::domain::wording::Wording;

/// What a row has to do with a base.
#[derive(Debug)]
enum Side {
    /// Nothing: its file has none, or it isn't known yet for which referral it is.
    Alone,
    /// The base lacks its referral, so nothing tells which of its values are changes.
    Lacking,
    /// It is compared with this row of the base.
    Compared(Box<BaseRow>),
    /// It is a row of the base itself.
    OfBase(Box<BaseRow>),
}

/// What the base of the run says of one row.
pub(super) struct BaseSide<'o> {
    options: &'o Options,
    side: Side,
    /// What the base has for the fields that the row changes.
    values: Vec<BaseValue>,
    /// The number of values that are as in the base.
    as_in_base: u64,
}

/// What the base says of a row that was read to its end.
pub(super) struct FinishedSide {
    /// What the base has for the fields that the row changes.
    pub values: Vec<BaseValue>,
    /// The number of values that are as in the base.
    pub as_in_base: u64,
    /// The row as a base has it, of a file that is one.
    pub row: Option<Box<BaseRow>>,
}

impl<'o> BaseSide<'o> {
    /// Begins a row on this line.
    pub fn begin(options: &'o Options, line: u64) -> Self {
        let side = match options.read_as {
            ReadAs::Base => Side::OfBase(Box::new(BaseRow::new(line))),
            ReadAs::Changes | ReadAs::ChangesOf(_) | ReadAs::Ids => Side::Alone,
        };
        Self { options, side, values: Vec::new(), as_in_base: 0 }
    }

    /// Ends the row.
    pub fn finish(self) -> FinishedSide {
        let Self { side, mut values, as_in_base, .. } = self;
        let row = match side {
            Side::OfBase(row) => Some(row),
            Side::Alone | Side::Lacking | Side::Compared(_) => None,
        };
        // With their drafts, they stay in memory until their referrals are fetched.
        values.shrink_to_fit();
        FinishedSide { values, as_in_base, row }
    }

    /// Returns the base that the file was made from.
    fn rows(&self) -> Option<&'o dyn BaseRows> {
        match &self.options.read_as {
            ReadAs::ChangesOf(rows) => Some(rows.as_ref()),
            ReadAs::Changes | ReadAs::Base | ReadAs::Ids => None,
        }
    }

    /// Looks up what the base has for the row's referral, if the file has a base. To be called before any value is put
    /// in. What an earlier conflict report shows counts as seen, and so as what the fields had. Returns the finding
    /// about a referral that the base lacks.
    pub fn compare(&mut self, place: Location, id: ReferralId, earlier: &EarlierResult) -> Option<Finding> {
        let rows = self.rows()?;
        let Some(mut row) = rows.row(id) else {
            let message = format!("the base lacks referral {id}");
            let hint = Wording::from("give in ")
                .name(Setting::Base)
                .say(" the file that this one was made from; to change a referral that was not in it, put its row into a file of its own");
            self.side = Side::Lacking;
            return Some(Finding::deny(Rule::NotInBase, place, message).hint(hint));
        };
        row.review(earlier.seen());
        self.side = Side::Compared(Box::new(row));
        None
    }

    /// Whether the row is one of the base itself.
    pub fn is_base(&self) -> bool {
        matches!(self.side, Side::OfBase(_))
    }

    /// Whether the base lacks the row's referral, so that nothing more can be said of the row.
    pub fn is_lacking(&self) -> bool {
        matches!(self.side, Side::Lacking)
    }

    /// Whether a cell holds what the base's column of the same name holds. Then it asks for nothing, whatever it is.
    pub fn has_cell(&self, column: &str, text: &str) -> bool {
        matches!(&self.side, Side::Compared(row) if row.cell(column) == Some(text))
    }

    /// Returns the row of the base that the row is compared with.
    pub fn row(&self) -> Option<&BaseRow> {
        match &self.side {
            Side::Compared(row) => Some(row),
            Side::Alone | Side::Lacking | Side::OfBase(_) => None,
        }
    }

    /// Counts a cell or member that is as in the base, if it would be a change.
    pub fn count(&mut self, target: &ValueTarget) {
        let is_change = target.path().is_some();
        self.as_in_base += u64::from(is_change);
    }

    /// Puts in an empty cell: it leaves its field alone. Where the base has a value there, that may not be what was
    /// meant, which is the finding, at the level that the user gave its rule.
    pub fn left_empty(&mut self, place: Location, column: &str, target: &ValueTarget) -> Option<Finding> {
        let path = target.path()?;
        let whole = Some(&path).filter(|_| !target.is_partial());
        let had = match &mut self.side {
            Side::Alone | Side::Lacking => return None,
            Side::OfBase(row) => {
                // Status and substatus are never empty, so an empty cell says nothing of them.
                let is_stage = matches!(path, Path::Known(Field::Status | Field::Substatus));
                whole
                    .filter(|_| !is_stage)
                    .into_iter()
                    .for_each(|path| row.keep(path, RawValue::NULL, false));
                return None;
            }
            Side::Compared(row) => match (row.cell(column), whole.map(|path| row.value(path))) {
                (Some(text), _) if !text.trim().is_empty() => excerpt(text.trim()),
                (Some(_), _) => return None,
                (None, Some(BaseCell::Value(value)))
                    if !equality::same(path.kind(), Some(value), RawValue::NULL) =>
                {
                    excerpt_json(value)
                }
                (None, _) => return None,
            },
        };
        let level = self.options.levels.of(Rule::EmptiedCell);
        let message = format!("the cell of {} is empty, and the base has {had}", excerpt(column));
        let hint = Wording::from("an empty cell leaves its field alone: to clear that, write \\N and give ")
            .name(Setting::Clear);
        let is_told = level != Level::Allow;
        is_told.then(|| Finding::new(Rule::EmptiedCell, level, place, message).hint(hint))
    }

    /// Settles the value of a field without a wish: of a base it is kept, and what is as in the base asks for nothing.
    /// Returns whether the value is dealt with. `is_signed` tells a number that was written with a point or a comma.
    pub fn settles(&mut self, path: &Path, value: &RawValue, is_signed: bool) -> bool {
        match &mut self.side {
            Side::Alone => false,
            Side::Lacking => true,
            Side::OfBase(row) => {
                row.keep(path, value, is_signed);
                true
            }
            Side::Compared(row) => {
                let BaseCell::Value(base) = row.value(path) else { return false };
                let is_same = equality::is_unedited(path.kind(), Some(base), value);
                self.as_in_base += u64::from(is_same);
                is_same
            }
        }
    }

    /// Settles a JSON value in the same way, before it is typed: what the service itself shows may be no value of the
    /// field's type.
    pub fn settles_json(&mut self, target: &ValueTarget, value: &RawValue) -> bool {
        let word = |known: Option<&str>| known.map_or_else(|| value.to_owned(), json::raw);
        let text = json::string(value);
        let text = text.as_deref().map(str::trim).unwrap_or_default();
        match target {
            _ if matches!(self.side, Side::Alone) => false,
            ValueTarget::Set(path) => self.settles(path, value, false),
            ValueTarget::Status => {
                let name = word(Status::parse(text).map(Status::name));
                self.settles(&Path::Known(Field::Status), &name, false)
            }
            ValueTarget::Substatus => {
                let name = word(Stage::of_substatus(text).map(Stage::substatus));
                self.settles(&Path::Known(Field::Substatus), &name, false)
            }
            ValueTarget::Id
            | ValueTarget::Key
            | ValueTarget::Identifier
            | ValueTarget::ETag
            | ValueTarget::AddMembers(_)
            | ValueTarget::Append(_)
            | ValueTarget::ReadOnly(_)
            | ValueTarget::Unconfirmed(_)
            | ValueTarget::Portal(_)
            | ValueTarget::Guards
            | ValueTarget::Ignored
            | ValueTarget::LeftAlone => false,
        }
    }

    /// Settles an element of a list in the same way. It is as in the base, too, where that shows the list with it.
    pub fn settles_append(&mut self, Append { field, element, .. }: &Append) -> bool {
        let list = Path::Known(*field);
        match &mut self.side {
            Side::Alone => false,
            Side::Lacking => true,
            Side::OfBase(row) => {
                row.keep_append(list, element);
                true
            }
            Side::Compared(row) => {
                let is_same = row.has_append(&list, element);
                self.as_in_base += u64::from(is_same);
                is_same
            }
        }
    }

    /// Takes down what the base has for an element that takes over what is given of it. One that is only added
    /// overwrites nothing.
    pub fn expect_element(&mut self, Append { field, key, joining, .. }: &Append) {
        let Side::Compared(row) = &self.side else { return };
        let list = Path::Known(*field);
        if *joining == Joining::Update
            && let Some(value) = row.expected_element(&list, key)
        {
            self.values.push(BaseValue { path: list, key: Some(key.as_str().into()), value });
        }
    }

    /// Takes down what the base has for a field that is to be changed. Returns the finding about a value that can't be
    /// read: whether somebody else changed it can't be told.
    pub fn expect(&mut self, place: Location, path: &Path) -> Option<Finding> {
        let Side::Compared(row) = &self.side else { return None };
        match row.expected(path) {
            BaseCell::Value(value) => {
                let value = value.to_owned();
                self.values.push(BaseValue { path: path.clone(), key: None, value });
                None
            }
            BaseCell::Unreadable => {
                let line = row.line();
                let message = format!("{path}: the value that the base has on line {line} can't be read");
                let hint = Wording::from("mend it in the file of ")
                    .name(Setting::Base)
                    .say(", or leave this cell as it is there");
                Some(Finding::deny(Rule::BaseUnreadable, place, message).hint(hint))
            }
            BaseCell::NotShown => {
                self.rows().into_iter().for_each(|rows| rows.lacks(path));
                None
            }
        }
    }

    /// Takes down what the base has for status and substatus, which are changed together where either is.
    pub fn expect_stage(&mut self) {
        let Side::Compared(row) = &self.side else { return };
        for path in [Field::Status, Field::Substatus].map(Path::Known) {
            if self.values.iter().all(|base| base.path != path)
                && let BaseCell::Value(value) = row.expected(&path)
            {
                let value = value.to_owned();
                self.values.push(BaseValue { path, key: None, value });
            }
        }
    }

    /// Settles an eTag. One that is as in the base binds the row to nothing: by that, every edit of the referral would be
    /// a conflict, whichever field it touched.
    pub fn settles_etag(&mut self, etag: &ETag) -> bool {
        match &mut self.side {
            Side::Alone => false,
            Side::Lacking => true,
            Side::OfBase(row) => {
                row.set_etag(etag.clone());
                true
            }
            Side::Compared(row) => row.etag() == Some(etag),
        }
    }

    /// Notes, of a base, that the value of a target can't be read.
    pub fn doubt(&mut self, target: &ValueTarget) {
        if let Side::OfBase(row) = &mut self.side {
            target.path().iter().for_each(|path| row.doubt(path));
        }
    }

    /// Keeps, of a base, no more than the day of a time of which a cell gives no more.
    pub fn keep_day(&mut self, path: &Path, value: &RawValue) {
        if let (Side::OfBase(row), Some(instant)) = (&mut self.side, value::as_instant(value)) {
            row.replace(path, json::raw(&instant.date().to_string()));
        }
    }
}
