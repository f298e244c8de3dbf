//! A member of a payload.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A member of the payload.
pub(super) struct PayloadMember<'a> {
    /// Its name as it was written.
    pub written: &'a str,
    /// Its name as the service spells it.
    pub name: Cow<'a, str>,
    pub value: &'a RawValue,
    /// What stands for its value.
    pub instead: Option<Box<RawValue>>,
    /// Whether that comes from the request.
    pub taken: bool,
}

impl PayloadMember<'_> {
    /// Its value as it counts.
    pub fn value(&self) -> &RawValue {
        self.instead.as_deref().unwrap_or(self.value)
    }

    /// Its value as it goes on record.
    pub fn written(&self) -> &RawValue {
        if self.taken { self.value() } else { self.value }
    }
}

/// Takes from the request what the payload lacks.
pub(super) fn take(list: &mut Vec<PayloadMember<'_>>, name: &'static str, value: Box<RawValue>) {
    match list.iter_mut().find(|member| member.name == name) {
        Some(member) => (member.instead, member.taken) = (Some(value), true),
        None => list.push(PayloadMember {
            written: name,
            name: Cow::Borrowed(name),
            value: RawValue::NULL,
            instead: Some(value),
            taken: true,
        }),
    }
}

/// Whether a value says nothing: null, or the empty text.
pub(super) fn is_blank(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "\"\"")
}
