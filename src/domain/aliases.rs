//! Other names of fields: columns of Partner Center's own files, of CRM exports and of lists made by hand.
//!
//! A name is an alias only if it means the same field wherever it is used. One that may mean several fields, or
//! that looks like a field and is none, is listed so that it can be refused with an explanation.

use super::fields::Field;

/// The meaning of an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The referral's id.
    Id,
    /// A field.
    Field(Field),
    /// Any of these fields, so the name is refused rather than guessed at.
    Any(&'static [&'static str]),
    /// No field of a change file, so the name is refused: the reason, and what to do.
    Nothing(&'static str),
}

/// The aliases by their meaning. Names compare by their letters and digits alone.
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

/// Returns the meaning of an alias; `None` for a name that isn't listed.
pub fn meaning(name: &str) -> Option<Meaning> {
    let typed = folded(name);
    let (meaning, _) = TABLE.iter().find(|(_, names)| names.iter().any(|known| folded(known) == typed))?;
    Some(*meaning)
}

/// Returns the letters and digits of a name, in lower case: what names of columns are compared by.
pub fn folded(name: &str) -> String {
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
