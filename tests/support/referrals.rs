//! Made-up referrals.

use serde_json::{Value, json};

/// What the sandbox writes into the notes where it plays somebody else.
pub const EDITED: &str = "Edited by somebody else in the meantime";

/// What the service sets by itself whenever a referral changes.
const STAMPS: [&str; 4] = ["eTag", "updatedDateTime", "acceptedDateTime", "closedDateTime"];

/// The id of the `number`th referral.
pub fn id(number: usize) -> String {
    format!("5eed0000-0000-4000-8000-{number:012x}")
}

/// The `number`th referral, at a status, with what the real ones have: members that nobody may touch,
/// a team whose members have more than the program knows, and fields that are unset in every way.
pub fn referral(number: usize, status: &str, substatus: &str) -> Value {
    json!({
        "id": id(number),
        "engagementId": format!("e6000000-0000-4000-8000-{number:012x}"),
        "name": format!("Deal {number}"),
        "createdDateTime": "2026-01-05T09:00:00.0012345Z",
        "updatedDateTime": "2026-02-01T10:11:12.0000001Z",
        "acceptedDateTime": null,
        "closedDateTime": null,
        "status": status,
        "substatus": substatus,
        "statusReason": "",
        "salesStage": null,
        "eTag": format!("\"seed-{number}\""),
        "details": {
            "notes": format!("Note {number}"),
            "dealValue": 1000 + number,
            "currency": "EUR",
            "closingDateTime": "2030-01-31T00:00:00.0000000Z",
            "customerAction": "ContactMe",
        },
        "team": [{
            "firstName": "Zoë",
            "lastName": "Ørsted",
            "title": "Sales Lead",
            "phoneNumber": "+1 555 0141",
            "email": "zoe@partner.example.com",
            "isValid": true,
        }],
        "consent": { "consentToContact": true },
        "links": { "self": { "uri": "https://example.com/", "method": "GET" } },
    })
}

/// A referral without what the service sets by itself.
pub fn timeless(referral: &Value) -> Value {
    let mut referral = referral.clone();
    let members = referral.as_object_mut().unwrap();
    members.retain(|name, _| !STAMPS.contains(&name.as_str()));
    referral
}
