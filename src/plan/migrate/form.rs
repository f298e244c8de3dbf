//! Checks that a payload is a referral, and the one that it is compared with.

use std::borrow::Cow;

use crate::domain::change::Payload;
use crate::domain::finding::Finding;
use crate::domain::json::{self, Object};
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::snapshot::Snapshot;

/// Returns the members of a payload for this referral. `known` holds them, if they were parsed before.
///
/// # Errors
/// A finding if it is no object, is nested too deep, or is for another referral.
pub(super) fn members<'a>(
    payload: &'a Payload,
    known: Option<&'a Object<'a>>,
    current: &Snapshot<'_>,
) -> Result<Cow<'a, Object<'a>>, Finding> {
    let deny = |rule, message: String| Finding::deny(rule, payload.place, message);
    if json::is_too_deep(&payload.body) {
        let message = format!("the payload is nested more than {} levels deep", json::MAX_DEPTH);
        return Err(deny(Rule::Size, message).hint("no referral is"));
    }
    let read = || Object::parse(&payload.body).map(Cow::Owned);
    let Some(members) = known.map(Cow::Borrowed).or_else(read) else {
        return Err(
            deny(Rule::Json, "the payload is no JSON object".to_owned()).hint("a PUT holds a whole referral")
        );
    };
    if payload.id != current.id() {
        let message = format!("the payload is for referral {}, not for {}", payload.id, current.id());
        return Err(deny(Rule::Id, message));
    }
    let body_id =
        members.get("id").filter(|id| !json::is_null(id)).map(|id| json::string(id).unwrap_or_default());
    if body_id.as_ref().is_some_and(|body_id| body_id.parse::<ReferralId>().ok() != Some(payload.id)) {
        let message = format!("the payload is addressed to {}, and its \"id\" is another", payload.id);
        return Err(deny(Rule::Id, message).hint("give the id of the referral that the payload is for"));
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::Location;

    #[test]
    fn a_payload_may_be_as_deep_as_a_referral_and_no_deeper() {
        const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
        let text = format!(r#"{{"id":"{ID}"}}"#);
        let current = Snapshot::whole(&text).unwrap();
        for (levels, wanted) in
            [(json::MAX_DEPTH, None), (json::MAX_DEPTH + 1, Some(Rule::Size)), (100_000, Some(Rule::Size))]
        {
            let body = format!(r#"{{"x":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
            let payload = Payload {
                id: ID.parse().unwrap(),
                place: Location { input: 0, line: 1, column: 1 },
                etag: None,
                body: body.into(),
            };
            assert_eq!(
                members(&payload, None, &current).err().map(|finding| finding.rule),
                wanted,
                "{levels}"
            );
        }
    }
}
