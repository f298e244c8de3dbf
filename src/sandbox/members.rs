//! The members of a referral that the service's definition declares, which `$filter`, `$orderby` and
//! `$select` may name.

use serde_json::Value;

/// The paths of the declared members.
const DECLARED: [&str; 60] = [
    "acceptedDateTime",
    "callToAction",
    "campaignId",
    "closedDateTime",
    "consent",
    "consent/consentToContact",
    "consent/consentToShareReferralWithMicrosoftSellers",
    // The service's own spelling.
    "consent/consentToToShareInfoWithOthers",
    "createdDateTime",
    "customerProfile",
    "customerProfile/address",
    "customerProfile/address/addressLine1",
    "customerProfile/address/addressLine2",
    "customerProfile/address/city",
    "customerProfile/address/country",
    "customerProfile/address/postalCode",
    "customerProfile/address/region",
    "customerProfile/address/state",
    "customerProfile/name",
    "customerProfile/size",
    "customerProfile/team",
    "details",
    "details/closingDateTime",
    "details/currency",
    "details/customerAction",
    "details/customerRequestedContact",
    "details/dealValue",
    "details/notes",
    "details/requirements",
    "direction",
    "eTag",
    "engagementId",
    "expirationDateTime",
    "externalReferenceId",
    "favorite",
    "id",
    "inviteContext",
    "isSpam",
    "lastModifiedVia",
    "lastRunId",
    "links",
    "mpnId",
    "name",
    "organizationId",
    "organizationName",
    "qualification",
    "quality",
    "referralProgram",
    "referralSource",
    "registrationStatus",
    "registrations",
    "salesStage",
    "status",
    "statusReason",
    "substatus",
    "tags",
    "target",
    "team",
    "type",
    "updatedDateTime",
];

/// A member that the service's definition declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeclaredMember(&'static str);

impl DeclaredMember {
    /// Returns the member of a path such as `details/dealValue`; `None` where none is declared.
    pub(super) fn named(path: &str) -> Option<Self> {
        DECLARED.into_iter().find(|declared| *declared == path).map(Self)
    }

    /// Returns its path.
    pub(super) fn path(self) -> &'static str {
        self.0
    }

    /// Returns the value that a referral has for it; `null` where it has none.
    pub(super) fn of(self, referral: &Value) -> &Value {
        self.0.split('/').fold(referral, |value, name| value.get(name).unwrap_or(&Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_found_by_their_path() {
        let referral = json!({ "status": "New", "details": { "dealValue": 5 }, "consent": null });
        for (path, wanted) in [
            ("status", Some(json!("New"))),
            ("details/dealValue", Some(json!(5))),
            ("details/notes", Some(json!(null))),
            ("consent/consentToContact", Some(json!(null))),
            ("customerProfile/address/city", Some(json!(null))),
            ("Status", None),
            ("details.dealValue", None),
            ("", None),
        ] {
            assert_eq!(
                DeclaredMember::named(path).map(|member| member.of(&referral).clone()),
                wanted,
                "{path}"
            );
        }
    }
}
