//! The sides of a conflict in one field: what the row was planned from, and what was found instead.

use serde_json::value::RawValue;

use crate::domain::account::FullRow;
use crate::domain::equality;
use crate::domain::fields::Kind;
use crate::domain::item::{Change, Effect};
use crate::domain::json::{self, Object};
use crate::report::change_text::NoValue;

/// A value as it was seen, or that it was not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    Not,
    As(Option<&'a RawValue>),
}

impl<'a> Seen<'a> {
    pub(super) fn of(value: Option<&'a RawValue>) -> Self {
        Self::As(value.filter(|value| !json::is_null(value)))
    }

    /// Whether it was seen, and means another thing than a value of this type.
    pub(super) fn differs(self, kind: Kind, other: &RawValue) -> bool {
        match self {
            Self::Not => false,
            Self::As(value) => !equality::same(kind, value, other),
        }
    }

    fn value(self) -> Option<&'a RawValue> {
        match self {
            Self::Not => None,
            Self::As(value) => value,
        }
    }
}

/// The sides of a conflict in one field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    /// What the row was planned from, or was made from where it never got that far.
    pub(super) base: Seen<'a>,
    /// What was found.
    pub(super) theirs: Seen<'a>,
    /// Whether the two are known to differ in meaning.
    pub(super) moved: bool,
}

impl<'a> Sides<'a> {
    /// Returns the sides in the field of a change. `theirs` are the values that were found, by pointer; `planned` says
    /// that planning found the conflict.
    pub(super) fn of(
        change: &'a Change,
        theirs: Option<&Object<'a>>,
        planned: bool,
        no_value: NoValue,
    ) -> Self {
        // What planning found in conflict was never planned from: its base is what the row was made from, if that is
        // known.
        let base = match (&change.base, planned) {
            (Some(base), _) => Seen::of(base.value.as_deref()),
            (None, true) => Seen::Not,
            (None, false) => match change.before.as_deref() {
                None if no_value == NoValue::NotSeen => Seen::Not,
                before => Seen::of(before),
            },
        };
        let theirs = theirs.and_then(|theirs| theirs.get(change.path.pointer().as_str()));
        let theirs = theirs.map_or(Seen::Not, |value| Seen::of(Some(value)));
        let moved = match (base, theirs) {
            (Seen::Not, _) | (_, Seen::Not) => false,
            (base, theirs) => {
                let null = json::raw(&());
                theirs.differs(change.path.kind(), base.value().unwrap_or(&null))
            }
        };
        Self { base, theirs, moved }
    }
}

/// Whether planning found the conflict of a row.
pub(super) fn is_of_plan(row: &FullRow) -> bool {
    row.change.as_ref().is_some_and(|change| change.effect == Effect::Unchanged)
}
