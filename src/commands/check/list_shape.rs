//! What list pages show of referrals: how many, at which version, and what they leave out that a single read shows.

use serde::Serialize;
use serde_json::Value;

use crate::api::Page;
use crate::domain::exchange::{Failure, Reply};
use crate::domain::json::{self, Object};
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::{Snapshot, etag_in};

/// The most members that are named; a list that leaves out more is told as far as that.
const MOST_NAMED: usize = 100;

/// What list pages show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListShape {
    /// The number of elements on the first page.
    pub on_page: u64,
    /// How many of them are no referrals: they have no `id` that is a GUID, or are no objects.
    pub without_id: u64,
    /// Whether there are more pages.
    pub more: bool,
    /// What the page says is the number of all referrals, or of those on it: nobody documents which.
    pub count: Option<u64>,
    /// Which elements carry a version.
    pub etags: Carried,
    /// What one element shows beside its single read; `None` where none was compared.
    pub element: Option<Difference>,
}

/// How many of the elements carry something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Carried {
    /// Every one.
    All,
    /// Some.
    Some,
    /// None; also where there is no element.
    None,
}

/// What a list element shows of a referral, beside the single read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The referral.
    pub referral: ReferralId,
    /// Members that the single read has and the element lacks, as in `team.title`.
    pub left_out: Vec<String>,
    /// Members with a value that the element shows as `null`.
    pub nulled: Vec<String>,
    /// Members that the element shows with another value, at the same version.
    pub otherwise: Vec<String>,
    /// Whether the two are of different versions: it was changed in between, or one of them lags behind.
    pub other_version: bool,
    /// Whether the single read carries a version.
    pub single_etag: bool,
}

/// What came of comparing one element with its single read.
#[derive(Debug)]
pub enum Compared {
    /// There was nothing to compare, or the user interrupted.
    Not,
    /// The referral could not be read by itself.
    Failed(ReferralId, Failure),
    /// What the element shows beside it.
    Read(Difference),
}

/// Returns the elements of a page as they are written.
pub fn elements(page: &Page) -> Vec<&str> {
    let members = Object::parse(&page.text);
    let value = members.as_ref().and_then(|members| members.get("value")).and_then(json::elements);
    value.unwrap_or_default().into_iter().map(|element| element.get()).collect()
}

/// Returns how many elements of a page are referrals: those whose `id` is a GUID.
pub fn referrals(page: &Page) -> u64 {
    elements(page).into_iter().filter(|element| Snapshot::in_part(element).is_ok()).count() as u64
}

/// Returns the element that shows most, since what others lack may not be there.
pub fn fullest(page: &Page) -> Option<(ReferralId, &str)> {
    let read = |element| Some((Snapshot::in_part(element).ok()?.id(), element));
    elements(page).into_iter().filter_map(read).max_by_key(|(_, element)| element.len())
}

impl ListShape {
    /// Returns what a page shows.
    pub fn of(page: &Page, compared: &Compared) -> Self {
        let elements = elements(page);
        // As the element is written, whatever else is wrong with it.
        let carries =
            |element: &&&str| Object::parse(element).is_some_and(|members| etag_in(&members).is_some());
        let etags = match elements.iter().filter(carries).count() {
            0 => Carried::None,
            all if all == elements.len() => Carried::All,
            _ => Carried::Some,
        };
        let count = Object::parse(&page.text)
            .and_then(|members| members.get("@odata.count").and_then(|count| count.get().parse().ok()));
        let element = match compared {
            Compared::Read(difference) => Some(difference.clone()),
            Compared::Not | Compared::Failed(..) => None,
        };
        let on_page = elements.len() as u64;
        Self {
            on_page,
            without_id: on_page.saturating_sub(referrals(page)),
            more: page.next.is_some(),
            count,
            etags,
            element,
        }
    }
}

impl Compared {
    /// Compares an element with the answer to a GET of its referral.
    pub fn of(id: ReferralId, element: &str, reply: &Reply) -> Self {
        let message = || format!("the answer {} holds something other than the referral", reply.status);
        let failed = || Self::Failed(id, Failure::NoAnswer { message: message() });
        let (Ok(listed), Ok(single)) = (Snapshot::in_part(element), Snapshot::in_part(&reply.body)) else {
            return failed();
        };
        let single = single.or_etag(reply.etag.as_ref());
        let (Ok(shown), Ok(whole)) =
            (serde_json::from_str::<Value>(element), serde_json::from_str::<Value>(&reply.body))
        else {
            return failed();
        };
        let other_version = match (listed.etag(), single.etag()) {
            (Some(listed), Some(single)) => listed != single,
            _ => shown["updatedDateTime"] != whole["updatedDateTime"] && !shown["updatedDateTime"].is_null(),
        };
        let mut difference = Difference {
            referral: id,
            left_out: Vec::new(),
            nulled: Vec::new(),
            otherwise: Vec::new(),
            other_version,
            single_etag: single.etag().is_some(),
        };
        difference.compare("", &shown, &whole);
        if other_version {
            difference.otherwise.clear();
        }
        for names in [&mut difference.left_out, &mut difference.nulled, &mut difference.otherwise] {
            names.sort_unstable();
            names.dedup();
            names.truncate(MOST_NAMED);
        }
        Self::Read(difference)
    }
}

impl Difference {
    /// Whether the element shows all that the single read does.
    pub fn is_whole(&self) -> bool {
        self.left_out.is_empty() && self.nulled.is_empty() && self.otherwise.is_empty()
    }

    /// Compares what two texts show of a member. Names of elements in a list are those of their members.
    fn compare(&mut self, path: &str, shown: &Value, whole: &Value) {
        match (shown, whole) {
            (Value::Object(shown), Value::Object(whole)) => {
                for (name, whole) in whole.iter().filter(|(name, _)| !is_about_itself(name)) {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    match shown.get(name) {
                        Some(shown) => self.compare(&path, shown, whole),
                        None => self.left_out.push(path),
                    }
                }
            }
            (Value::Array(shown), Value::Array(whole)) if shown.len() == whole.len() => {
                for (shown, whole) in shown.iter().zip(whole) {
                    self.compare(path, shown, whole);
                }
            }
            (Value::Null, whole) if !whole.is_null() => self.nulled.push(path.to_owned()),
            (Value::Number(shown), Value::Number(whole)) if shown.as_f64() == whole.as_f64() => {}
            (shown, whole) if shown == whole => {}
            _ => self.otherwise.push(path.to_owned()),
        }
    }
}

/// Whether a member is about the answer rather than the referral.
fn is_about_itself(name: &str) -> bool {
    name == "eTag" || name.starts_with("@odata.")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::referral::ETag;

    const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

    fn referral(members: &str) -> String {
        format!(r#"{{"id":"{ID}"{members}}}"#)
    }

    fn difference(listed: &str, single: &str) -> Difference {
        let body = referral(single);
        let etag = ETag::from_service("\"1\"").ok();
        let reply = Reply { status: 200, body, etag, client_request_id: Uuid::nil() };
        match Compared::of(ID.parse().unwrap(), &referral(listed), &reply) {
            Compared::Read(difference) => difference,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_an_element_lacks_is_named() {
        const WHOLE: &str = r#","status":"New","details":{"notes":"x","dealValue":1},"team":[{"email":"a@b.c","title":"T"},{"email":"d@e.f","title":"U"}],"name":null"#;
        for (listed, left_out, nulled, otherwise) in [
            (WHOLE, "", "", ""),
            (&WHOLE.replace("1}", "1.0}"), "", "", ""),
            (&format!(r#"{WHOLE},"more":1"#), "", "", ""),
            (
                r#","status":"New","team":[{"email":"a@b.c"},{"email":"d@e.f"}]"#,
                "details name team.title",
                "",
                "",
            ),
            (r#","status":null,"details":null,"team":[],"name":null"#, "", "details status", "team"),
            (&WHOLE.replace("\"x\"", "\"y\""), "", "", "details.notes"),
        ] {
            let got = difference(listed, WHOLE);
            let lists = [&got.left_out, &got.nulled, &got.otherwise].map(|names| names.join(" "));
            assert_eq!(lists, [left_out, nulled, otherwise], "{listed}");
            assert_eq!(got.is_whole(), lists.concat().is_empty());
            assert!(!got.other_version && got.single_etag);
        }
    }

    #[test]
    fn values_of_another_version_are_not_compared() {
        let got = difference(r#","eTag":"\"0\"","status":"New""#, r#","status":"Active","team":[]"#);
        assert!(got.other_version);
        assert_eq!((got.left_out.join(" "), got.otherwise.len()), ("team".to_owned(), 0));
        let got = difference(r#","eTag":"\"1\"","status":"New""#, r#","status":"Active""#);
        assert_eq!((got.other_version, got.otherwise.join(" ")), (false, "status".to_owned()));
    }

    #[test]
    fn a_page_tells_how_many_and_at_which_version() {
        const OTHER: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6f";
        let etag = r#""eTag":"\"1\"","#;
        for (first, second, wanted) in
            [(etag, etag, Carried::All), (etag, "", Carried::Some), ("", "", Carried::None)]
        {
            let text = format!(
                r#"{{"value":[{{{first}"id":"{ID}"}},{{{second}"id":"{OTHER}","name":"longer"}}],"@odata.count":7}}"#
            );
            let page = Page { text, next: None, client_request_id: Uuid::nil() };
            let shape = ListShape::of(&page, &Compared::Not);
            assert_eq!((shape.on_page, shape.count, shape.etags), (2, Some(7), wanted));
            assert_eq!((shape.without_id, referrals(&page)), (0, 2));
            assert_eq!(fullest(&page).unwrap().0.to_string(), OTHER, "it shows more");
        }
    }

    #[test]
    fn what_has_no_id_is_no_referral_and_may_carry_its_version() {
        for (elements, on_page, without_id, etags) in [
            (r#"{"eTag":"\"1\"","name":"x"}"#.to_owned(), 1, 1, Carried::All),
            (format!(r#"{{"id":"7","eTag":"\"1\""}},{{"id":"{ID}"}}"#), 2, 1, Carried::Some),
            (format!(r#"{{"id":"{ID}","eTag":null}}"#), 1, 0, Carried::None),
            (r#"1,"x",null,[]"#.to_owned(), 4, 4, Carried::None),
            (String::new(), 0, 0, Carried::None),
        ] {
            let text = format!(r#"{{"value":[{elements}]}}"#);
            let page = Page { text, next: None, client_request_id: Uuid::nil() };
            let shape = ListShape::of(&page, &Compared::Not);
            let got = (shape.on_page, shape.without_id, shape.etags);
            assert_eq!(got, (on_page, without_id, etags), "{elements}");
        }
    }
}
