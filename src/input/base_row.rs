//! One row of the base of a run: the file that a change file was made from.
//!
//! A row of the base is kept as it was written and as it was read: what was written tells that a cell is untouched,
//! whatever it holds; what was read tells that a value is the same in another form, and what a field had been.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::account::RowText;
use crate::domain::equality;
use crate::domain::fields::{Kind, Path};
use crate::domain::json::{self, Object};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::value;

/// What the cells of a file are read for.
#[derive(Debug, Clone, Default)]
pub enum ReadAs {
    /// Changes: every cell with a value is one.
    #[default]
    Changes,
    /// Changes of a base: the cells that differ from it.
    ChangesOf(Arc<dyn BaseRows>),
    /// The base itself, which changes nothing.
    Base,
    /// A list of referrals: nothing but their ids.
    Ids,
}

/// The rows of a base, found by referral.
pub trait BaseRows: fmt::Debug + Send + Sync {
    /// Returns what the base has for a referral; `None` where it lacks that.
    fn row(&self, id: ReferralId) -> Option<BaseRow>;

    /// Takes note that a row changes a field for which the base has no column or member.
    fn lacks(&self, path: &Path);
}

/// The cells of a base's columns, by the names of these.
pub type ColumnNumbers = HashMap<String, usize>;

/// A row of a base.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BaseRow {
    /// The line on which it begins; 0 where it is an element of an array.
    line: u64,
    etag: Option<ETag>,
    /// The values of fields, `null` where a field has none.
    values: Vec<(Path, Box<RawValue>)>,
    /// The fields whose values can't be read.
    unreadable: Vec<Path>,
    /// The numbers that were written with a point or a comma.
    signed: Vec<Path>,
    /// The elements to append to lists.
    appends: Vec<(Path, Box<RawValue>)>,
    /// Whether it is a whole referral, as the service shows one.
    is_referral: bool,
    text: RowText,
    /// What the user has seen that fields have had since, by the conflict report of an earlier run.
    #[serde(skip)]
    reviewed: Vec<(Path, Box<RawValue>)>,
    #[serde(skip)]
    columns: Arc<ColumnNumbers>,
}

/// What a base says of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum BaseCell<'a> {
    /// Its value; `null` where it has none.
    Value(&'a RawValue),
    /// It can't be read.
    Unreadable,
    /// The base has no column or member for it.
    NotShown,
}

impl BaseRow {
    /// Begins the row of a line, without any value.
    pub(super) fn new(line: u64) -> Self {
        Self {
            line,
            etag: None,
            values: Vec::new(),
            unreadable: Vec::new(),
            signed: Vec::new(),
            appends: Vec::new(),
            is_referral: false,
            text: RowText::Cells(Vec::new()),
            reviewed: Vec::new(),
            columns: Arc::default(),
        }
    }

    /// Makes a row of a whole referral.
    pub(super) fn of_referral(json: &str, etag: Option<&ETag>) -> Self {
        let text = RowText::Line(json.to_owned());
        Self { is_referral: true, text, etag: etag.cloned(), ..Self::new(0) }
    }

    /// Reads a row that was kept as a text by [`Self::kept`]. `None` where that is none.
    pub fn restored(text: &str, columns: &Arc<ColumnNumbers>) -> Option<Self> {
        let row: Self = serde_json::from_str(text).ok()?;
        Some(Self { columns: Arc::clone(columns), ..row })
    }

    /// Returns the text by which the row is kept.
    pub fn kept(&self) -> String {
        json::raw(self).get().to_owned()
    }

    /// Returns the line on which it begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Holds every number to be unreadable that depends on the decimal sign of its file.
    #[must_use]
    pub fn doubting_numbers(mut self) -> Self {
        self.values.retain(|(path, _)| !self.signed.contains(path));
        self.unreadable.append(&mut self.signed);
        self
    }

    /// Holds every date to be unreadable, since the file leaves open which part of one is the month.
    #[must_use]
    pub fn doubting_dates(mut self) -> Self {
        let is_date = |path: &Path| path.kind() == Kind::DateTime;
        self.unreadable
            .extend(self.values.iter().map(|(path, _)| path).filter(|path| is_date(path)).cloned());
        self.values.retain(|(path, _)| !is_date(path));
        self
    }

    /// Whether two rows say the same of every field.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let covers = |one: &Self, other: &Self| {
            one.values.iter().all(|(path, value)| match other.value(path) {
                BaseCell::Value(known) => equality::same(path.kind(), Some(known), value),
                BaseCell::Unreadable | BaseCell::NotShown => false,
            })
        };
        let same_rest = self.unreadable.is_empty() && other.unreadable.is_empty() || self.text == other.text;
        let has_all =
            |one: &Self, other: &Self| one.appends.iter().all(|(list, it)| other.has_append(list, it));
        let same_lists = has_all(self, other) && has_all(other, self);
        same_rest && same_lists && covers(self, other) && covers(other, self)
    }

    pub(super) fn set_text(&mut self, text: RowText) {
        self.text = text;
    }

    pub(super) fn set_etag(&mut self, etag: ETag) {
        self.etag = Some(etag);
    }

    /// Keeps the value of a field; of two, the first.
    pub(super) fn keep(&mut self, path: &Path, value: &RawValue, is_signed: bool) {
        if self.values.iter().all(|(known, _)| known != path) {
            self.values.push((path.clone(), value.to_owned()));
            self.signed.extend(is_signed.then(|| path.clone()));
        }
    }

    /// Puts a value in the place of the one that was kept for a field.
    pub(super) fn replace(&mut self, path: &Path, value: Box<RawValue>) {
        self.values
            .iter_mut()
            .filter(|(known, _)| known == path)
            .for_each(|known| known.1.clone_from(&value));
    }

    /// Keeps an element that was to be appended to a list.
    pub(super) fn keep_append(&mut self, list: Path, element: &RawValue) {
        self.appends.push((list, element.to_owned()));
    }

    /// Takes note that the value of a field can't be read.
    pub(super) fn doubt(&mut self, path: &Path) {
        self.unreadable.push(path.clone());
    }

    /// Takes what a user has seen in a conflict report for what the fields had: an object of values by pointer.
    pub(super) fn review(&mut self, seen: Vec<(Path, Box<RawValue>)>) {
        self.reviewed = seen;
    }

    /// Returns the version that the row is bound to, or that the referral had.
    pub(super) fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }

    /// Whether the base has an element of a list, with at least what this one has.
    pub(super) fn has_append(&self, list: &Path, element: &RawValue) -> bool {
        self.elements(list).is_some_and(|known| equality::holds(list.kind(), &known, element))
    }

    /// Returns the elements that the base has in a list, or was to get into it; `None` where it doesn't show any.
    fn elements(&self, list: &Path) -> Option<Vec<&RawValue>> {
        let shown = match self.value(list) {
            BaseCell::Value(value) => Some(json::elements(value).unwrap_or_default()),
            BaseCell::Unreadable | BaseCell::NotShown => None,
        };
        let given: Vec<&RawValue> =
            self.appends.iter().filter(|(path, _)| path == list).map(|(_, element)| &**element).collect();
        if shown.is_none() && given.is_empty() {
            return None;
        }
        Some(shown.into_iter().flatten().chain(given).collect())
    }

    /// Returns what the element of a key has to have for a change of it to be sent: `null` where the list has to have
    /// none of this key. `None` where the base doesn't show the list.
    pub(super) fn expected_element(&self, list: &Path, key: &str) -> Option<Box<RawValue>> {
        let reviewed = self.reviewed.iter().find(|(path, _)| path == list);
        let elements = match reviewed {
            Some((_, seen)) => json::elements(seen).unwrap_or_default(),
            None => self.elements(list)?,
        };
        let is_it =
            |element: &&RawValue| value::element_key(list.kind(), element).is_ok_and(|known| known == key);
        Some(elements.into_iter().find(is_it).unwrap_or(RawValue::NULL).to_owned())
    }

    /// Returns the cell of a column of this name.
    pub(super) fn cell(&self, column: &str) -> Option<&str> {
        match &self.text {
            RowText::Cells(cells) => cells.get(*self.columns.get(column)?).map(String::as_str),
            RowText::Sheet(cells) => cells.get(*self.columns.get(column)?).map(|cell| cell.text.as_str()),
            RowText::Line(_) => None,
        }
    }

    /// Returns the JSON object that it was read from.
    pub(super) fn object(&self) -> Option<Object<'_>> {
        match &self.text {
            RowText::Line(line) => Object::parse(line),
            RowText::Cells(_) | RowText::Sheet(_) => None,
        }
    }

    /// Returns what the base says of a field.
    ///
    /// What a referral doesn't show counts as empty. So where it had a value after all, that is at worst taken for
    /// somebody's change, and nothing is overwritten.
    pub(super) fn value(&self, path: &Path) -> BaseCell<'_> {
        if let Some((_, value)) = self.values.iter().find(|(known, _)| known == path) {
            return BaseCell::Value(value);
        }
        if self.unreadable.contains(path) {
            return BaseCell::Unreadable;
        }
        match self.object().map(|object| object.at(path.pointer())) {
            Some(Some(value)) => BaseCell::Value(value),
            Some(None) if self.is_referral => BaseCell::Value(RawValue::NULL),
            Some(None) | None => BaseCell::NotShown,
        }
    }

    /// Returns what a field has to have for a change of it to be sent.
    pub(super) fn expected(&self, path: &Path) -> BaseCell<'_> {
        match self.reviewed.iter().find(|(known, _)| known == path) {
            Some((_, seen)) => BaseCell::Value(seen),
            None => self.value(path),
        }
    }
}
