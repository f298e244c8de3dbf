//! What answers show of a referral: where they carry its version, and what the elements of a list leave out.
//!
//! None of this is documented, and other services do each of these things, so a client has to cope with all.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::store::{Referral, etag_of};

/// The member that holds the version in the service's own answers.
const ETAG: &str = "eTag";

/// The member that holds the version in OData.
const ODATA_ETAG: &str = "@odata.etag";

/// Where answers carry a referral's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ETagsIn {
    /// In the member `eTag`, and in the `ETag` header of answers about one referral. Real answers do so.
    #[default]
    Body,
    /// In the member `@odata.etag` alone.
    OData,
    /// In the `ETag` header alone, so that the elements of a list have none.
    Header,
}

/// A member of a referral by its dotted path, as in `details.dealValue`. Of a list it names a member of each
/// element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPath(Vec<String>);

/// The error for a text that names no member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a member is named as in details or details.dealValue")]
pub struct MemberPathError;

impl FromStr for MemberPath {
    type Err = MemberPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names: Vec<String> = text.split('.').map(ToOwned::to_owned).collect();
        let is_name = |name: &String| !name.is_empty() && !name.contains(['/', ' ']);
        if names.iter().all(is_name) { Ok(Self(names)) } else { Err(MemberPathError) }
    }
}

/// What answers show of referrals.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub etags_in: ETagsIn,
    /// Whether the elements of a list have no version, wherever other answers carry it.
    pub list_without_etags: bool,
    /// The members that the elements of a list don't have.
    pub list_omits: Vec<MemberPath>,
    /// The members that the elements of a list show as `null`.
    pub list_nulls: Vec<MemberPath>,
}

impl View {
    /// Returns the body of an answer with one referral.
    pub(super) fn single(&self, referral: &Value) -> String {
        let mut shown = referral.clone();
        if let Value::Object(members) = &mut shown {
            self.place_etag(members);
        }
        shown.to_string()
    }

    /// Returns the `ETag` header of an answer with one referral.
    pub(super) fn header<'a>(&self, referral: &'a Value) -> Option<&'a str> {
        etag_of(referral).filter(|_| self.etags_in != ETagsIn::OData)
    }

    /// Returns a referral as an element of a list.
    pub(super) fn element(&self, referral: &Value) -> Value {
        let mut shown = referral.clone();
        self.list_omits.iter().for_each(|MemberPath(names)| {
            visit(&mut shown, names, &|members, name| drop(members.remove(name)))
        });
        self.list_nulls.iter().for_each(|MemberPath(names)| {
            visit(&mut shown, names, &|members, name| {
                members.entry(name).and_modify(|value| *value = Value::Null);
            });
        });
        if let Value::Object(members) = &mut shown {
            self.place_etag(members);
            if self.list_without_etags {
                members.retain(|name, _| ![ETAG, ODATA_ETAG].contains(&name.as_str()));
            }
        }
        shown
    }

    /// Moves or removes the version, as the settings say.
    fn place_etag(&self, members: &mut Referral) {
        let etag = match self.etags_in {
            ETagsIn::Body => return,
            ETagsIn::OData => members.remove(ETAG),
            ETagsIn::Header => return drop(members.remove(ETAG)),
        };
        if let Some(etag) = etag {
            members.insert(ODATA_ETAG.to_owned(), etag);
        }
    }
}

/// Calls `act` for the member at a path of names. In lists, that is the member of each element.
fn visit(value: &mut Value, names: &[String], act: &dyn Fn(&mut Map<String, Value>, &str)) {
    match (value, names) {
        (Value::Array(elements), _) => elements.iter_mut().for_each(|element| visit(element, names, act)),
        (Value::Object(members), [name]) => act(members, name),
        (Value::Object(members), [name, rest @ ..]) => {
            if let Some(inner) = members.get_mut(name) {
                visit(inner, rest, act);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_lack_what_they_are_told_to() {
        let referral = json!({
            "id": "a", "eTag": "\"v\"", "details": { "notes": "n", "dealValue": 1 }, "team": [{ "email": "e", "title": "t" }],
        });
        let members =
            |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<MemberPath>>();
        for (omits, nulls, wanted) in [
            (
                &["details"][..],
                &[][..],
                json!({ "id": "a", "eTag": "\"v\"", "team": [{ "email": "e", "title": "t" }] }),
            ),
            (
                &["details.notes", "team.title", "absent.too"],
                &[],
                json!({ "id": "a", "eTag": "\"v\"", "details": { "dealValue": 1 }, "team": [{ "email": "e" }] }),
            ),
            (&["eTag"], &["team", "details", "absent"], json!({ "id": "a", "details": null, "team": null })),
        ] {
            let view = View { list_omits: members(omits), list_nulls: members(nulls), ..View::default() };
            assert_eq!(view.element(&referral), wanted, "{omits:?} {nulls:?}");
            assert_eq!(view.single(&referral), referral.to_string());
        }
        for text in ["", ".", "a.", "/details", "a b"] {
            assert_eq!(text.parse::<MemberPath>(), Err(MemberPathError), "{text}");
        }
    }

    #[test]
    fn a_version_stands_where_it_is_told_to() {
        let referral = json!({ "id": "a", "eTag": "\"v\"" });
        for (etags_in, single, header, element) in [
            (ETagsIn::Body, &referral, true, &referral),
            (
                ETagsIn::OData,
                &json!({ "id": "a", "@odata.etag": "\"v\"" }),
                false,
                &json!({ "id": "a", "@odata.etag": "\"v\"" }),
            ),
            (ETagsIn::Header, &json!({ "id": "a" }), true, &json!({ "id": "a" })),
        ] {
            let view = View { etags_in, ..View::default() };
            assert_eq!(view.single(&referral), single.to_string());
            assert_eq!(view.header(&referral).is_some(), header);
            assert_eq!(&view.element(&referral), element);
            let bare = View { list_without_etags: true, ..view };
            assert_eq!(bare.element(&referral), json!({ "id": "a" }));
        }
    }
}
