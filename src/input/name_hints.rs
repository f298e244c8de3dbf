//! What is said about a name that means no field, and what the user can do.

use std::borrow::Cow;

use crate::domain::characters::is_hidden;
use crate::domain::excerpt::{beginning, excerpt};
use crate::domain::fields::Field;
use crate::domain::pointer::Pointer;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// Returns the message for a name that looks like a field and is none.
pub(super) fn no_field(name: &str) -> String {
    format!("{} is no field that can be changed", excerpt(name))
}

/// Returns the hint for a name that addresses one element of a list.
pub(super) fn whole_list(list: &Pointer) -> String {
    let whole = format!("give the whole list in {}", beginning(list.as_str()));
    if Field::all().any(|field| field.is_list() && field.pointer() == list) {
        return format!("{whole}, or append with {list}/-");
    }
    whole
}

/// Returns the hint that says how to have an unconfirmed path patched.
pub(super) fn opt_in(pointer: &Pointer) -> Wording {
    let opt_in = Wording::from("opt in with ").name(Setting::AllowPath);
    match typed(pointer.as_str()) {
        Some(typed) => opt_in.say(" ").say(typed),
        None => opt_in.say(" and this path"),
    }
}

/// Returns the hint that says how to keep a column out of the change.
pub(super) fn leave_alone(name: &str) -> Wording {
    let keep = Wording::from("keep it out of the change with ").name(Setting::IgnoreColumn);
    match typed(name) {
        Some(typed) => keep.say(" ").say(typed),
        None => keep.say(" and this name"),
    }
}

/// A word as it can be typed, where it can be shown as it stands.
fn typed(word: &str) -> Option<Cow<'_, str>> {
    const LONGEST: usize = 200;
    shlex::try_quote(word).ok().filter(|_| word.len() <= LONGEST && !word.contains(is_hidden))
}
