//! The patchable paths, the types of their values, and the transitions between statuses.

use serde_json::{Map, Value};

use super::answer::ErrorAnswer;
use super::times::in_utc;

/// The type of a patchable member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberType {
    Text,
    Decimal,
    Currency,
    DateTime,
    Boolean,
    Members,
    Solutions,
    /// Status or substatus: a text, never null.
    Stage,
}

/// The 15 members that can be patched. With the ends of the three lists among them they make the 18 patchable
/// paths (docs/api-facts.md, "Patchable paths").
const PATHS: [(&str, MemberType); 15] = [
    ("/status", MemberType::Stage),
    ("/substatus", MemberType::Stage),
    ("/statusReason", MemberType::Text),
    ("/salesStage", MemberType::Text),
    ("/campaignId", MemberType::Text),
    ("/externalReferenceId", MemberType::Text),
    ("/referralProgram", MemberType::Text),
    ("/details/notes", MemberType::Text),
    ("/details/dealValue", MemberType::Decimal),
    ("/details/currency", MemberType::Currency),
    ("/details/closingDateTime", MemberType::DateTime),
    ("/details/requirements/solutions", MemberType::Solutions),
    ("/team", MemberType::Members),
    ("/customerProfile/team", MemberType::Members),
    ("/consent/consentToShareReferralWithMicrosoftSellers", MemberType::Boolean),
];

/// The objects around patchable members, which may be added empty where they are missing.
const PARENTS: [&str; 4] = ["/details", "/details/requirements", "/customerProfile", "/consent"];

/// What a patchable path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathTarget {
    /// A member as a whole.
    DeclaredMember(MemberType),
    /// The end of a list.
    End(MemberType),
    /// An object around patchable members, which may be added where it is missing.
    Parent,
}

/// Returns what a path names, or the refusal where it cannot be patched.
pub(super) fn target(path: &str) -> Result<PathTarget, ErrorAnswer> {
    for (known, of) in PATHS {
        match path.strip_prefix(known) {
            Some("") => return Ok(PathTarget::DeclaredMember(of)),
            Some(rest)
                if matches!(of, MemberType::Members | MemberType::Solutions) && rest.starts_with('/') =>
            {
                if rest == "/-" {
                    return Ok(PathTarget::End(of));
                }
                let message = "elements of a list cannot be addressed: replace the list";
                return Err(ErrorAnswer::bad("InvalidPath", "IndexedPath", message).about(path));
            }
            _ => {}
        }
    }
    if PARENTS.contains(&path) {
        return Ok(PathTarget::Parent);
    }
    Err(ErrorAnswer::bad("InvalidPath", "PathNotPatchable", "this path cannot be patched").about(path))
}

/// Checks a value against the type of its target, and returns it as it will be kept.
pub(super) fn accept(target: PathTarget, path: &str, value: Value) -> Result<Value, ErrorAnswer> {
    let wanted = match target {
        PathTarget::Parent if value.as_object().is_some_and(Map::is_empty) => return Ok(value),
        PathTarget::Parent => "an empty object",
        PathTarget::End(of) if is_element(of, &value) => return Ok(value),
        PathTarget::End(MemberType::Members) => "a member with an e-mail address",
        PathTarget::End(_) => "a solution with an id or a name",
        PathTarget::DeclaredMember(of) => match accept_member(of, value) {
            Ok(value) => return Ok(value),
            Err(wanted) => wanted,
        },
    };
    Err(ErrorAnswer::bad("InvalidValue", "WrongType", format!("the value must be {wanted}")).about(path))
}

/// Returns the value, a time in the service's notation, or else a description of the values that are
/// accepted.
fn accept_member(of: MemberType, value: Value) -> Result<Value, &'static str> {
    let good = match (of, &value) {
        (MemberType::Text, Value::String(_) | Value::Null)
        | (MemberType::Stage, Value::String(_))
        | (MemberType::Decimal, Value::Number(_) | Value::Null)
        | (MemberType::DateTime, Value::Null)
        | (MemberType::Boolean, Value::Bool(_)) => true,
        (MemberType::Decimal, Value::String(text)) => is_decimal(text),
        (MemberType::Currency, Value::String(code)) => {
            code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
        }
        (MemberType::DateTime, Value::String(text)) => {
            return in_utc(text).map(Value::from).ok_or(wanted(of));
        }
        (MemberType::Members | MemberType::Solutions, Value::Array(elements)) => {
            elements.iter().all(|element| is_element(of, element))
        }
        _ => false,
    };
    if good { Ok(value) } else { Err(wanted(of)) }
}

/// Describes the values of a type.
fn wanted(of: MemberType) -> &'static str {
    match of {
        MemberType::Text => "a string or null",
        MemberType::Stage => "a string",
        MemberType::Decimal => "a number, a numeric string or null",
        MemberType::Currency => "a currency code of three capital letters",
        MemberType::DateTime => "a date and time with its offset (RFC 3339), or null",
        MemberType::Boolean => "true or false",
        MemberType::Members => "an array of members, each with an e-mail address",
        MemberType::Solutions => "an array of solutions, each with an id or a name",
    }
}

/// Returns whether a text is digits, with at most a leading minus and one point between them.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    }
}

fn is_element(of: MemberType, element: &Value) -> bool {
    let Value::Object(members) = element else { return false };
    let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let maybe_text = |name: &str| members.get(name).is_none_or(|v| v.is_string() || v.is_null());
    if of == MemberType::Solutions {
        return text("id").or_else(|| text("name")).is_some();
    }
    let preference = members.get("contactPreference").is_none_or(|v| v.is_object() || v.is_null());
    let names = ["firstName", "lastName", "phoneNumber"].into_iter().all(maybe_text);
    preference && names && text("email").is_some_and(is_email)
}

fn is_email(text: &str) -> bool {
    let blank = text.contains(|c: char| c.is_whitespace() || c.is_control());
    let sides = text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    sides && !blank
}

/// The documented table: for each status, the statuses that may follow it and the substatuses that belong to
/// it.
const TABLE: [(&str, &[&str], &[&str]); 3] = [
    ("New", &["New", "Active", "Closed"], &["Pending", "Received"]),
    ("Active", &["Active", "Closed"], &["Accepted"]),
    ("Closed", &["Closed"], &["Won", "Lost", "Declined", "Expired"]),
];

/// Checks a change of status or substatus against the table.
pub(super) fn check_step(before: &Value, after: &Value) -> Result<(), ErrorAnswer> {
    let text = |referral: &Value, name: &str| {
        referral.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (from, to, sub) = (text(before, "status"), text(after, "status"), text(after, "substatus"));
    let followers = TABLE.iter().find(|row| row.0 == from).map_or(&[][..], |row| row.1);
    let substatuses = TABLE.iter().find(|row| row.0 == to).map_or(&[][..], |row| row.2);
    if !followers.contains(&to.as_str()) {
        let message = format!("a referral that is {from} cannot become {to}");
        return Err(
            ErrorAnswer::bad("InvalidStatusTransition", "TransitionNotAllowed", message).about("status")
        );
    }
    if !substatuses.contains(&sub.as_str()) {
        let message = format!("{sub} is no substatus of {to}");
        return Err(ErrorAnswer::bad("InvalidSubstatus", "SubstatusNotOfStatus", message).about("substatus"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_pair_of_stages() {
        let stages = ["New", "Active", "Closed", "None", ""];
        let substatuses = ["Pending", "Received", "Accepted", "Won", "Lost", "Declined", "Expired", "None"];
        // The allowed transitions in full: from, to, substatuses.
        let allowed = [
            ("New", "New", &["Pending", "Received"][..]),
            ("New", "Active", &["Accepted"]),
            ("New", "Closed", &["Won", "Lost", "Declined", "Expired"]),
            ("Active", "Active", &["Accepted"]),
            ("Active", "Closed", &["Won", "Lost", "Declined", "Expired"]),
            ("Closed", "Closed", &["Won", "Lost", "Declined", "Expired"]),
        ];
        for from in stages {
            for to in stages {
                for substatus in substatuses {
                    let step = allowed.iter().find(|step| step.0 == from && step.1 == to);
                    let wanted = match step {
                        None => Err("InvalidStatusTransition"),
                        Some(step) if step.2.contains(&substatus) => Ok(()),
                        Some(_) => Err("InvalidSubstatus"),
                    };
                    let before = json!({ "status": from });
                    let after = json!({ "status": to, "substatus": substatus });
                    let got = check_step(&before, &after).map_err(|refusal| refusal.code);
                    assert_eq!(got, wanted, "{from} to {to}/{substatus}");
                }
            }
        }
        assert!(check_step(&json!({}), &json!({"status": "New", "substatus": "Pending"})).is_err());
        assert!(check_step(&json!({"status": "New"}), &json!({"status": "new"})).is_err(), "letter case");
    }

    #[test]
    fn eighteen_paths_and_four_parents() {
        let ends = PATHS.iter().filter(|(path, _)| target(&format!("{path}/-")).is_ok()).count();
        assert_eq!(PATHS.len() + ends, 18);
        for parent in PARENTS {
            assert_eq!(target(parent), Ok(PathTarget::Parent));
        }
        for (path, wanted) in [
            ("/team/0", "IndexedPath"),
            ("/team/0/email", "IndexedPath"),
            ("/team/", "IndexedPath"),
            ("/details/requirements/solutions/1", "IndexedPath"),
            ("/name", "PathNotPatchable"),
            ("/id", "PathNotPatchable"),
            ("/eTag", "PathNotPatchable"),
            ("/teams", "PathNotPatchable"),
            ("/details/dealValue/-", "PathNotPatchable"),
            ("/details/customerAction", "PathNotPatchable"),
            ("/consent/consentToContact", "PathNotPatchable"),
            ("", "PathNotPatchable"),
            ("/", "PathNotPatchable"),
            ("status", "PathNotPatchable"),
            ("/Status", "PathNotPatchable"),
        ] {
            assert_eq!(target(path).map_err(|refusal| refusal.inner), Err(wanted), "{path}");
        }
    }

    #[test]
    fn values_are_typed_by_path() {
        for (path, value, good) in [
            ("/details/dealValue", json!(12.5), true),
            ("/details/dealValue", json!("-12.50"), true),
            ("/details/dealValue", json!(null), true),
            ("/details/dealValue", json!("12,500"), false),
            ("/details/dealValue", json!("1e3"), false),
            ("/details/dealValue", json!(".5"), false),
            ("/details/dealValue", json!(""), false),
            ("/details/dealValue", json!(true), false),
            ("/details/currency", json!("EUR"), true),
            ("/details/currency", json!("eur"), false),
            ("/details/currency", json!("EURO"), false),
            ("/details/currency", json!(null), false),
            ("/details/closingDateTime", json!(null), true),
            ("/details/closingDateTime", json!("2027-03-31"), false),
            ("/details/closingDateTime", json!("2027-03-31T00:00:00"), false),
            ("/details/closingDateTime", json!(1_800_000_000), false),
            ("/details/notes", json!("x"), true),
            ("/details/notes", json!(null), true),
            ("/details/notes", json!(5), false),
            ("/status", json!(null), false),
            ("/consent/consentToShareReferralWithMicrosoftSellers", json!(false), true),
            ("/consent/consentToShareReferralWithMicrosoftSellers", json!("false"), false),
            ("/consent/consentToShareReferralWithMicrosoftSellers", json!(null), false),
            ("/team", json!([]), true),
            ("/team", json!([{"email": "ann@example.com", "title": "CTO"}]), true),
            ("/team", json!([{"email": "ann@example.com", "phoneNumber": 5}]), false),
            ("/team", json!([{"firstName": "Ann"}]), false),
            ("/team", json!([{"email": "ann"}]), false),
            ("/team", json!(null), false),
            ("/team/-", json!({"email": "ann@example.com", "phoneNumber": null}), true),
            ("/team/-", json!([{"email": "ann@example.com"}]), false),
            ("/details/requirements/solutions", json!([{"id": "SOL-1"}]), true),
            ("/details/requirements/solutions/-", json!({"name": "Backup"}), true),
            ("/details/requirements/solutions/-", json!({"type": "None"}), false),
            ("/details", json!({}), true),
            ("/details", json!({"notes": "x"}), false),
            ("/consent", json!(null), false),
        ] {
            let got = accept(target(path).unwrap(), path, value.clone());
            assert_eq!(got.as_ref().ok(), good.then_some(&value), "{path} {value}");
        }
    }

    #[test]
    fn times_are_kept_as_the_service_writes_them() {
        for (given, kept) in [
            ("2027-03-31T00:00:00Z", "2027-03-31T00:00:00.0000000Z"),
            ("2027-03-31T01:00:00.5+02:00", "2027-03-30T23:00:00.5000000Z"),
            ("9999-12-31T00:00:00Z", "9999-12-31T00:00:00.0000000Z"),
        ] {
            let path = "/details/closingDateTime";
            assert_eq!(accept(target(path).unwrap(), path, json!(given)), Ok(json!(kept)));
        }
    }
}
