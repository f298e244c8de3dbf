//! What is seen of a referral: a list or a snapshot leaves members out of it or shows them as null, and its
//! version stands in one of several places.

use referral_bulk::domain::exchange::Reply;
use referral_bulk::domain::referral::ETag;
use serde_json::{Map, Value};

use super::rng::Rng;

/// Where the service's answers carry the version of a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ETagsIn {
    Body,
    OData,
    Header,
}

/// What lists and snapshots leave out.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    pub etags_in: ETagsIn,
    /// Whether lists leave anything out at all; then what, by the referral.
    omissions: Option<u64>,
}

impl Sight {
    pub fn draw(rng: &mut Rng) -> Self {
        let etags_in = rng.pick(&[ETagsIn::Body, ETagsIn::Body, ETagsIn::OData, ETagsIn::Header]);
        Self { etags_in, omissions: rng.chance(50).then(|| rng.below(1 << 32)) }
    }

    /// Lists show everything.
    pub fn of_all() -> Self {
        Self { etags_in: ETagsIn::Body, omissions: None }
    }

    /// Whether lists show everything, with versions.
    pub fn is_of_all(self) -> bool {
        self.omissions.is_none() && self.etags_in != ETagsIn::Header
    }

    /// A referral as a list or a snapshot shows it, of which there may be several. Answers whether anything
    /// is left out.
    pub fn in_part(self, number: u64, which: u64, referral: &mut Value) -> bool {
        let Some(omissions) = self.omissions else { return false };
        let Value::Object(members) = referral else { return false };
        let kind = (omissions + number * 7 + which) % 9;
        match kind {
            0 => drop(members.remove("details")),
            1 => drop(members.insert("details".to_owned(), Value::Null)),
            2 => ["notes", "dealValue"].into_iter().for_each(|name| within(members, "details", name)),
            3 => drop(members.remove("team")),
            4 => drop(members.insert("team".to_owned(), Value::Null)),
            5 => within(members, "team", "lastName"),
            6 => drop(members.remove("status")),
            7 => drop(members.remove("statusReason")),
            _ => return false,
        }
        true
    }

    /// An answer with the version where the service has it.
    pub fn dressed(self, reply: Reply) -> Reply {
        let Ok(Value::Object(mut body)) = serde_json::from_str(&reply.body) else { return reply };
        if self.etags_in == ETagsIn::Body {
            return reply;
        }
        let elements = body.get_mut("value").and_then(Value::as_array_mut).into_iter().flatten();
        elements.filter_map(Value::as_object_mut).for_each(|element| drop(self.moved(element)));
        let etag = self.moved(&mut body);
        Reply { body: Value::Object(body).to_string(), etag, ..reply }
    }

    /// Takes the version of a referral to its place. Answers with it where that is the header.
    fn moved(self, members: &mut Map<String, Value>) -> Option<ETag> {
        let etag = members.remove("eTag")?;
        if self.etags_in == ETagsIn::OData {
            members.insert("@odata.etag".to_owned(), etag);
            return None;
        }
        etag.as_str().and_then(|etag| ETag::from_service(etag).ok())
    }
}

/// Leaves a member out of an object, or of each element of a list.
fn within(members: &mut Map<String, Value>, outer: &str, name: &str) {
    match members.get_mut(outer) {
        Some(Value::Object(inner)) => drop(inner.remove(name)),
        Some(Value::Array(elements)) => elements
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(|element| drop(element.remove(name))),
        _ => {}
    }
}
