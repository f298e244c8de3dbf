//! What one column of such a file holds, by the name that the user gives it.

use crate::domain::cell_text::CellText;
use crate::domain::excerpt::excerpt;
use crate::domain::fields::{self, Field};
use crate::domain::pointer::Pointer;
use crate::domain::suspect;
use crate::domain::wording::Wording;
use crate::input::name_hints::{no_field, whole_list};
use crate::input::names::NameResolver;
use crate::input::value_target::{Unresolved, ValueTarget};

/// Why a name is no column of a change file, or a value none of its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnError {
    /// What is wrong.
    pub message: String,
    /// What would help.
    pub hint: Wording,
}

impl ColumnError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<Wording>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The name in the header.
    pub name: String,
    /// What its cells hold.
    pub content: Content,
    /// What every cell holds instead; `None` where each shows its referral.
    pub filled: Option<CellText>,
    /// Whether the user named it, so that its cells are worth a request.
    pub is_named: bool,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// What a change file may change, or names the referral by.
    Target(ValueTarget),
    /// A member of the referral for people to read, which changes nothing.
    Shown(Pointer),
    /// Status and substatus as they are, for people to read.
    Stage,
}

/// What the names of columns begin with that change nothing.
const RESULT: &str = "result.";

impl Column {
    /// Returns the column of a name that the user gives. One of a member that can't be changed goes along for
    /// people, under a name by which it changes nothing.
    ///
    /// # Errors
    /// Where no column has this name.
    pub fn named(names: &NameResolver<'_>, typed: &str) -> Result<Self, ColumnError> {
        let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
        let column = |content, name| Ok(Self { name, content, filled: None, is_named: true });
        match names.resolve(&name) {
            Ok(ValueTarget::ReadOnly(pointer)) => column(Content::Shown(pointer.clone()), shown(&pointer)),
            Ok(ValueTarget::Unconfirmed(pointer)) if fields::unconfirmed_kind(pointer.as_str()).is_some() => {
                column(Content::Shown(pointer.clone()), shown(&pointer))
            }
            Ok(ValueTarget::Unconfirmed(pointer)) => {
                let message =
                    format!("{} is no member of a referral that is known", excerpt(pointer.as_str()));
                Err(ColumnError::new(message, nearest(names, &name)))
            }
            Ok(
                ValueTarget::Ignored | ValueTarget::LeftAlone | ValueTarget::Guards | ValueTarget::Portal(_),
            ) => {
                let message = format!("{} is a column that this program adds by itself", excerpt(&name));
                Err(ColumnError::new(message, "leave it out"))
            }
            Ok(ValueTarget::Id) => column(Content::Target(ValueTarget::Id), "id".to_owned()),
            Ok(ValueTarget::ETag) => column(Content::Target(ValueTarget::ETag), "eTag".to_owned()),
            Ok(target) => {
                let name = own_name(&target, name);
                column(Content::Target(target), name)
            }
            Err(unresolved) => Err(unknown(names, &name, &unresolved)),
        }
    }

    /// Returns a column of a field that goes along without being asked for.
    pub fn usual(name: &str, target: ValueTarget) -> Self {
        Self { name: name.to_owned(), content: Content::Target(target), filled: None, is_named: false }
    }

    /// Returns a column for people, which changes nothing.
    pub fn shown(name: &str, content: Content) -> Self {
        Self { name: format!("{RESULT}{name}"), content, filled: None, is_named: false }
    }

    /// Returns what a reader of change files puts its cells into; `None` for a column for people.
    pub fn target(&self) -> Option<&ValueTarget> {
        match &self.content {
            Content::Target(target) => Some(target),
            Content::Shown(_) | Content::Stage => None,
        }
    }
}

/// Returns the name that a column has. A name by which people call a field is put back to the field's own: by
/// some of them, a file would be taken for one of another program.
fn own_name(target: &ValueTarget, typed: String) -> String {
    let pointer = match target {
        ValueTarget::Status => Field::Status.pointer(),
        ValueTarget::Substatus => Field::Substatus.pointer(),
        ValueTarget::Set(path) => path.pointer(),
        _ => return typed,
    };
    let folded: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let path = folded.to_lowercase().replace('.', "/");
    let is_own = pointer.as_str().to_lowercase().ends_with(&format!("/{}", path.trim_start_matches('/')));
    if is_own { typed } else { dotted(pointer) }
}

/// Returns the name of a column that shows a member and changes nothing.
fn shown(pointer: &Pointer) -> String {
    format!("{RESULT}{}", dotted(pointer))
}

fn dotted(pointer: &Pointer) -> String {
    pointer.as_str()[1..].replace('/', ".")
}

/// Explains why a name is no column.
fn unknown(names: &NameResolver<'_>, name: &str, unresolved: &Unresolved) -> ColumnError {
    match unresolved {
        Unresolved::Empty => ColumnError::new("this names no column", "name a field, as in dealValue"),
        Unresolved::Ambiguous(paths) => ColumnError::new(
            format!("{} may be any of {}", excerpt(name), paths.join(", ")),
            "write the one you mean",
        ),
        Unresolved::NoField(why) => ColumnError::new(no_field(name), *why),
        Unresolved::Indexed(list) => ColumnError::new(
            format!("{} names one element of a list, which cannot be changed alone", excerpt(name)),
            whole_list(list),
        ),
        Unresolved::Unknown => match suspect::unseen(name) {
            Some(unseen) => {
                ColumnError::new(format!("unknown column {}: {unseen}", excerpt(name)), "type its name anew")
            }
            None => ColumnError::new(format!("unknown column {}", excerpt(name)), nearest(names, name)),
        },
    }
}

/// Returns the hint with the known name that was probably meant.
fn nearest(names: &NameResolver<'_>, name: &str) -> String {
    match names.nearest(name) {
        Some(known) => format!("did you mean {known}?"),
        None => {
            let fields: Vec<String> = Field::all().map(|field| dotted(field.pointer())).collect();
            format!("known are {}", fields.join(", "))
        }
    }
}
