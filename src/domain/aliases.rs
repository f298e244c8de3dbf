//! What people call the fields: the columns of Partner Center's own files, of CRM exports and of lists made by
//! hand, by the field that each means.
//!
//! A name stands here only if it means one thing wherever it is seen. One that may mean several, or that looks
//! like a field and is none, is refused with what it may be.

use super::fields::Field;

/// What such a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The referral's id.
    Id,
    /// A field.
    Field(Field),
    /// Any of these, so it is refused: nobody guesses.
    Any(&'static [&'static str]),
    /// Nothing that a change file can say, so it is refused: why not, and what to do.
    Nothing(&'static str),
}

/// The names, as people write them, by what they mean. Letters and digits are all that counts of a name.
pub const TABLE: [(Meaning, &[&str]); 14] = [
    (Meaning::Id, &["Referral Identifier"]),
    (Meaning::Field(Field::Status), &["Referral Status", "Partner Referral Status"]),
    (Meaning::Field(Field::Substatus), &["Sub-status", "Referral Substatus", "Partner Referral Substatus"]),
    (
        Meaning::Field(Field::StatusReason),
        &["Reason", "Close Reason", "Closing Reason", "Lost Reason", "Loss Reason", "Decline Reason"],
    ),
    (Meaning::Field(Field::DealValue), &["Est. Deal Value", "Estimated Deal Value", "Deal Amount", "Amount"]),
    (Meaning::Field(Field::Currency), &["Currency Code", "Deal Currency"]),
    (
        Meaning::Field(Field::ClosingDateTime),
        &[
            "Close Date",
            "Closing Date",
            "Est. Close Date",
            "Est. Closing Date",
            "Estimated Close Date",
            "Estimated Closing Date",
            "Expected Close Date",
            "Expected Closing Date",
        ],
    ),
    (
        Meaning::Field(Field::ExternalReferenceId),
        &["CRM ID", "CRM Reference", "External ID", "External Reference"],
    ),
    (Meaning::Field(Field::CampaignId), &["Campaign", "Marketing Campaign", "Marketing Campaign ID"]),
    (Meaning::Any(&["salesStage", "status", "substatus"]), &["Stage", "Deal Stage"]),
    (Meaning::Any(&["id", "externalReferenceId"]), &["Deal ID", "Opportunity ID", "Record ID"]),
    (
        Meaning::Nothing(
            "the service writes by itself when it was closed; the date to come is closingDateTime",
        ),
        &["Closed Date", "Date Closed", "Actual Close Date"],
    ),
    (
        Meaning::Nothing("that is Microsoft's own side of the deal; the partner's are status and substatus"),
        &["Microsoft Referral Status", "Microsoft Referral Substatus"],
    ),
    (
        Meaning::Nothing(
            "Partner Center's file has numbers there: write the reason out, in a column statusReason",
        ),
        &["Declined/Lost reason", "Declined/Lost/Error reason", "Decline/Lost/Error reason"],
    ),
];

/// What a name means that no path spells. `None` where nobody is known to use it.
pub fn meaning(name: &str) -> Option<Meaning> {
    let typed = folded(name);
    let (meaning, _) = TABLE.iter().find(|(_, names)| names.iter().any(|known| folded(known) == typed))?;
    Some(*meaning)
}

/// What counts of a name: its letters and digits, in lower case.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_known_however_they_are_set() {
        for (name, wanted) in [
            ("Close Date", Some(Meaning::Field(Field::ClosingDateTime))),
            ("close_date", Some(Meaning::Field(Field::ClosingDateTime))),
            ("EST CLOSE DATE", Some(Meaning::Field(Field::ClosingDateTime))),
            ("Reason *", Some(Meaning::Field(Field::StatusReason))),
            ("CRM-ID", Some(Meaning::Field(Field::ExternalReferenceId))),
            ("Stage", Some(Meaning::Any(&["salesStage", "status", "substatus"]))),
            ("Close", None),
            ("", None),
            ("***", None),
        ] {
            assert_eq!(meaning(name), wanted, "{name}");
        }
    }

    #[test]
    fn a_name_stands_in_the_table_once() {
        let names: Vec<String> =
            TABLE.iter().flat_map(|(_, names)| *names).map(|name| folded(name)).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
