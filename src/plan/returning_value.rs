//! The value by which a change file sets what a field had before.
//!
//! The service's own value can't always be given back as it was written: a change file takes no exponents, and an
//! element that is on a list already keeps the members that a file leaves out. So the value is written another way
//! where that helps, and then read and put into the list as `apply` does it: what doesn't mean the same again is
//! refused.

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::domain::equality;
use crate::domain::fields::{self, Kind, Path};
use crate::domain::json::{self, Object};
use crate::domain::rules::Rule;
use crate::domain::value::{self, Wanted};
use crate::domain::way_back::Obstacle;

/// The levels of a change file around a value.
const AROUND: [&str; 2] = ["[[[", "]]]"];

/// Returns the value to be set so that a field means again what it had before; `before` is `None` for null.
///
/// # Errors
/// Why there is none.
pub(super) fn returning(
    path: &Path,
    before: Option<&RawValue>,
    after: &RawValue,
) -> Result<Box<RawValue>, (Obstacle, String)> {
    let kind = path.kind();
    let given = match (before, kind) {
        (None, Kind::Members | Kind::Solutions) => json::raw::<[u8]>(&[]),
        (None, _) => json::raw(&()),
        (Some(before), Kind::Decimal) => plain(before).unwrap_or_else(|| before.to_owned()),
        (Some(before), Kind::Members | Kind::Solutions) => blanking(kind, before, after),
        (Some(before), _) => before.to_owned(),
    };
    let refused =
        |why: String| (Obstacle::Denied(Rule::Type), format!("the value from before can't be sent: {why}"));
    let wanted = Wanted::from_json(kind, &given).map_err(|error| refused(error.message))?;
    let wanted = wanted.raw();
    if json::is_null(wanted) && matches!(kind, Kind::Currency | Kind::Boolean) {
        return Err((Obstacle::NoNull, Obstacle::NoNull.about().to_owned()));
    }
    fits(path, wanted).map_err(refused)?;
    let becomes = match kind {
        Kind::Members | Kind::Solutions => equality::overlay(kind, Some(after), wanted),
        _ => wanted.to_owned(),
    };
    let null = json::raw(&());
    if !equality::same(kind, before, &becomes)
        && !equality::same(kind, Some(&becomes), before.unwrap_or(&null))
    {
        return Err(refused("set again, it would not mean the same".to_owned()));
    }
    Ok(wanted.to_owned())
}

/// Whether a change file needs leave to clear fields for a value that is set in place of another.
pub(super) fn clears(kind: Kind, after: &RawValue, wanted: &RawValue) -> bool {
    equality::says_nothing(wanted) || equality::cleared(kind, Some(after), wanted).is_some()
}

/// Checks what readers of change files ask of a value beside its type.
fn fits(path: &Path, wanted: &RawValue) -> Result<(), String> {
    if let Path::Opted(pointer) = path
        && let Some(within) = fields::known_within(pointer)
        && !json::is_null(wanted)
        && Object::from_raw(wanted).is_none()
    {
        return Err(format!("it is no JSON object, and {within} lies in it"));
    }
    if json::texts(wanted).iter().any(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
        return Err("it holds U+FFFD, which stands for a lost character in every file".to_owned());
    }
    let kind = path.kind();
    if !kind.is_scalar() && json::is_too_deep(&[AROUND[0], wanted.get(), AROUND[1]].concat()) {
        return Err(format!("it is nested more than {} levels deep", json::MAX_DEPTH));
    }
    match kind {
        Kind::Members | Kind::Solutions => {
            let elements = json::elements(wanted).unwrap_or_default();
            elements.into_iter().try_for_each(|element| value::checked_element(kind, element).map(drop))
        }
        Kind::Any => value::readable(wanted),
        Kind::Text | Kind::Decimal | Kind::Currency | Kind::DateTime | Kind::Boolean => Ok(()),
    }
    .map_err(|error| error.message)
}

/// Returns a number with an exponent as digits alone; `None` for any other value.
fn plain(raw: &RawValue) -> Option<Box<RawValue>> {
    let text = json::string(raw).unwrap_or_else(|| raw.get().into());
    let digits = Decimal::from_scientific(&text).ok().filter(|_| text.contains(['e', 'E']))?;
    RawValue::from_string(digits.to_string()).ok()
}

/// Returns a list with a null for each member that an element has now and didn't have before. Without it, the member
/// would stay.
fn blanking(kind: Kind, before: &RawValue, after: &RawValue) -> Box<RawValue> {
    let Some(elements) = json::elements(before) else { return before.to_owned() };
    let merged = equality::overlay(kind, Some(after), before);
    let merged = json::elements(&merged).unwrap_or_default();
    let blanked = elements.iter().zip(merged).map(|(element, merged)| blanked(element, merged));
    json::raw(&blanked.collect::<Vec<_>>())
}

/// Returns a value with a null for each member, at any level, that it lacks and `merged` has.
fn blanked(value: &RawValue, merged: &RawValue) -> Box<RawValue> {
    let (Some(own), Some(all)) = (Object::from_raw(value), Object::from_raw(merged)) else {
        return value.to_owned();
    };
    let lacking = all.iter().filter(|(name, raw)| own.get(name).is_none() && !json::is_null(raw));
    let lacking = lacking.map(|(name, _)| (name, json::raw(&())));
    let kept = own.iter().map(|(name, raw)| match all.get(name) {
        Some(merged) => (name, blanked(raw, merged)),
        None => (name, raw.to_owned()),
    });
    let members = kept.chain(lacking).map(|(name, raw)| format!("{}:{}", json::raw(name), raw));
    let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    RawValue::from_string(text).expect("members of JSON objects form a JSON object")
}
