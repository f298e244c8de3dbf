//! Subjects: what people know a referral by, and where it stood. Nobody knows a deal by its GUID.
//!
//! A subject is for reading, and for the order in which changes are sent: nothing else is decided by it. It holds what
//! the state that an item was planned from showed, and is never read for its own sake: a member that was not seen is
//! left out.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::characters::visible;
use super::excerpt::beginning;
use super::fields::{Field, Path};
use super::json::{self, Object};
use super::number;
use super::referral::ReferralId;
use super::snapshot::Snapshot;

/// The longest text of a subject in characters; longer ones are cut off.
const LONGEST: usize = 300;

/// The name, customer, stage, value and closing date of a deal, as far as they were seen when its item was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// The name of the deal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The status, which may be one that this program doesn't know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The substatus, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substatus: Option<String>,
    /// The deal's value, with the digits that the service wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The currency of that value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When it is to be closed, as the service wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing: Option<String>,
    /// The engagement that the referral belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engagement: Option<ReferralId>,
}

impl Subject {
    /// Returns the subject that a referral shows; `None` where it shows nothing of one.
    pub fn of(referral: &Snapshot<'_>) -> Option<Self> {
        let field = |field| referral.at(&Path::Known(field)).known().ok().flatten();
        let members = referral.members();
        let customer = members.get("customerProfile");
        let subject = Self {
            name: members.get("name").and_then(label),
            customer: customer.and_then(|customer| Object::member_of(customer, "name")).and_then(label),
            status: field(Field::Status).and_then(label),
            substatus: field(Field::Substatus).and_then(label),
            value: field(Field::DealValue).and_then(amount),
            currency: field(Field::Currency).and_then(label),
            closing: field(Field::ClosingDateTime).and_then(label),
            engagement: referral.engagement(),
        };
        (subject != Self::default()).then_some(subject)
    }

    /// Returns name and customer for a message, as in `“Fabrikam rollout”, Fabrikam`; `None` where neither is known.
    pub fn title(&self) -> Option<String> {
        let name = self.name.as_deref().map(|name| format!("“{}”", beginning(name)));
        let customer = self.customer.as_deref().map(beginning);
        let parts: Vec<String> = name.into_iter().chain(customer).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// Returns the names of deal and customer, as far as they are known.
pub fn names(subject: Option<&Subject>) -> [Option<&str>; 2] {
    [
        subject.and_then(|subject| subject.name.as_deref()),
        subject.and_then(|subject| subject.customer.as_deref()),
    ]
}

/// Returns a text of the service with its hidden characters marked; `None` where it says nothing.
fn label(raw: &RawValue) -> Option<String> {
    let text = json::string(raw).filter(|text| !text.trim().is_empty())?;
    if text.len() <= LONGEST {
        return Some(visible(&text).into_owned());
    }
    let mut shown: String = visible(&text).chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    Some(shown)
}

/// Returns the digits of a number, or of a text that holds one.
fn amount(raw: &RawValue) -> Option<String> {
    number::as_number(raw)?;
    let digits = json::string(raw).unwrap_or_else(|| raw.get().into());
    (digits.len() <= LONGEST).then(|| digits.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

    fn of(members: &str) -> Option<Subject> {
        Subject::of(&Snapshot::in_part(&format!(r#"{{"id":"{ID}"{members}}}"#)).unwrap())
    }

    #[test]
    fn what_was_not_seen_is_left_out() {
        let some = |text: &str| Some(text.to_owned());
        let none = Subject::default();
        for (members, wanted) in [
            ("", none.clone()),
            (r#","name":null,"customerProfile":null,"details":null,"status":"""#, none.clone()),
            (r#","name":" ","customerProfile":{"team":[]},"details":{"dealValue":null}"#, none.clone()),
            (r#","name":5,"customerProfile":"Fabrikam""#, none.clone()),
            (r#","name":"Rollout""#, Subject { name: some("Rollout"), ..none.clone() }),
            (
                r#","customerProfile":{"name":"Fab\u001b[31mrikam"}"#,
                Subject { customer: some("Fab\u{fffd}[31mrikam"), ..none.clone() },
            ),
            (
                r#","status":"Active","substatus":"Dormant""#,
                Subject { status: some("Active"), substatus: some("Dormant"), ..none.clone() },
            ),
            (
                r#","details":{"dealValue":125000.50,"currency":"EUR"}"#,
                Subject { value: some("125000.50"), currency: some("EUR"), ..none.clone() },
            ),
            (r#","details":{"dealValue":"1e4"}"#, Subject { value: some("1e4"), ..none.clone() }),
            (r#","details":{"dealValue":"much"}"#, none.clone()),
        ] {
            assert_eq!(of(members), (wanted != none).then_some(wanted), "{members}");
        }
    }

    #[test]
    fn long_texts_are_cut_off() {
        let name = of(&format!(r#","name":"{}""#, "x".repeat(1_000))).unwrap().name.unwrap();
        assert_eq!(name, "x".repeat(LONGEST) + "…");
    }

    #[test]
    fn a_deal_is_called_by_what_is_known_of_it() {
        for (members, wanted) in [
            (r#","name":"Rollout","customerProfile":{"name":"Fabrikam"}"#, Some("“Rollout”, Fabrikam")),
            (r#","name":"Rollout""#, Some("“Rollout”")),
            (r#","customerProfile":{"name":"Fabrikam"}"#, Some("Fabrikam")),
            (r#","status":"New""#, None),
        ] {
            assert_eq!(of(members).unwrap().title().as_deref(), wanted, "{members}");
        }
    }

    #[test]
    fn what_is_on_record_comes_back() {
        let subject = of(r#","name":"Rollout","details":{"dealValue":1.50}"#).unwrap();
        let text = serde_json::to_string(&subject).unwrap();
        assert_eq!(text, r#"{"name":"Rollout","value":"1.50"}"#);
        assert_eq!(serde_json::from_str::<Subject>(&text).unwrap(), subject);
    }
}
