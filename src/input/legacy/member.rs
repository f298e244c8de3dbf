//! One member of a payload.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A member of a payload, as written and as it counts.
pub(super) struct PayloadMember<'a> {
    /// Its name as it was written.
    pub written: &'a str,
    /// Its name as the API spells it.
    pub name: Cow<'a, str>,
    /// Its value as it was written.
    pub value: &'a RawValue,
    /// The value that counts instead.
    pub replacement: Option<Box<RawValue>>,
    /// Whether the replacement comes from the request that carries the payload.
    pub from_request: bool,
}

impl PayloadMember<'_> {
    /// Returns the value that counts.
    pub fn value(&self) -> &RawValue {
        self.replacement.as_deref().unwrap_or(self.value)
    }

    /// Returns the value that the reports give back.
    pub fn written(&self) -> &RawValue {
        if self.from_request { self.value() } else { self.value }
    }
}

/// Adds a member from the request that the payload itself lacks.
pub(super) fn take_from_request(list: &mut Vec<PayloadMember<'_>>, name: &'static str, value: Box<RawValue>) {
    match list.iter_mut().find(|member| member.name == name) {
        Some(member) => (member.replacement, member.from_request) = (Some(value), true),
        None => list.push(PayloadMember {
            written: name,
            name: Cow::Borrowed(name),
            value: RawValue::NULL,
            replacement: Some(value),
            from_request: true,
        }),
    }
}

/// Returns whether a value says nothing: null, or the empty text.
pub(super) fn is_blank(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "\"\"")
}
