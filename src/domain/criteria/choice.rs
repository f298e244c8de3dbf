//! The criteria of a choice together, and what of them a service is asked for.

use super::condition::{ComparedValue, Comparison, Condition};
use super::error::ConditionError;
use super::parser::parse;
use super::truth::Truth;
use crate::domain::fields::Field;
use crate::domain::instant::Instant;
use crate::domain::pointer::Pointer;
use crate::domain::snapshot::Snapshot;
use crate::domain::status::{Stage, Status};

/// The member that the service writes when a referral changes.
const UPDATED: &str = "/updatedDateTime";

/// A condition that the user wrote, with its text.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnCondition {
    text: String,
    condition: Condition,
}

impl OwnCondition {
    /// Reads a condition in the notation of OData.
    ///
    /// # Errors
    /// Where the text is none.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        Ok(Self { text: text.trim().to_owned(), condition: parse(text)? })
    }
}

/// What a referral has to be like to be chosen. The default chooses every referral.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Criteria {
    /// The statuses, one of which it has; any where there are none.
    pub statuses: Vec<Status>,
    /// The stages whose substatuses it has one of; any where there are none.
    pub substatuses: Vec<Stage>,
    /// When it was changed last, at the earliest.
    pub updated_since: Option<Instant>,
    /// The time before which it is expected to close. A referral without a closing date is not chosen.
    pub closing_before: Option<Instant>,
    /// The user's own condition.
    pub filter: Option<OwnCondition>,
}

impl Criteria {
    /// Returns whether a referral is chosen, as far as it was seen.
    pub fn judge(&self, referral: &Snapshot<'_>) -> Truth {
        let own = self.filter.iter().map(|filter| filter.condition.judge(referral));
        Truth::all(own.chain(self.conditions().iter().map(|condition| condition.judge(referral))))
    }

    /// Returns the criteria besides the user's own condition.
    fn conditions(&self) -> Vec<Condition> {
        let date = |pointer: &Pointer, comparison, instant: Option<Instant>| {
            instant.map(|instant| {
                Condition::Compare(pointer.clone(), comparison, ComparedValue::Instant(instant))
            })
        };
        let updated = Pointer::parse(UPDATED).expect("it is written as a pointer");
        [
            one_of(Field::Status, self.statuses.iter().map(|status| status.name())),
            one_of(Field::Substatus, self.substatuses.iter().map(|stage| stage.substatus())),
            date(&updated, Comparison::Ge, self.updated_since),
            date(Field::ClosingDateTime.pointer(), Comparison::Lt, self.closing_before),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Returns the condition that a service is asked for, in the notation of OData; `None` where it is asked for
    /// all referrals.
    ///
    /// The documentation's samples compare words for equality and join that by `and`. Dates are in none of them,
    /// and a service that compared those in another way would leave out what is chosen, so a service is asked for
    /// a date only where the user's own condition has one.
    pub fn asked(&self) -> Option<String> {
        let words = |field: Field, words: Vec<&str>| {
            let name = &field.pointer().as_str()[1..];
            let each: Vec<String> = words.iter().map(|word| format!("{name} eq '{word}'")).collect();
            match each.len() {
                0 | 1 => each.into_iter().next(),
                _ => Some(format!("({})", each.join(" or "))),
            }
        };
        let own = self.filter.as_ref().map(|filter| &filter.text);
        let statuses = words(Field::Status, self.statuses.iter().map(|status| status.name()).collect());
        let substatuses = self.substatuses.iter().map(|stage| stage.substatus()).collect();
        let parts = [statuses, words(Field::Substatus, substatuses)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match (own, parts.is_empty()) {
            (own, true) => own.cloned(),
            (None, false) => Some(parts.join(" and ")),
            (Some(own), false) => Some(format!("({own}) and {}", parts.join(" and "))),
        }
    }
}

/// Returns the condition that a field holds one of these words; `None` where there are none.
fn one_of<'w>(field: Field, words: impl Iterator<Item = &'w str>) -> Option<Condition> {
    let is = |word: &str| {
        Condition::Compare(field.pointer().clone(), Comparison::Eq, ComparedValue::Text(word.to_owned()))
    };
    let any: Vec<Condition> = words.map(is).collect();
    (!any.is_empty()).then_some(Condition::Any(any))
}

#[cfg(test)]
mod tests {
    use super::super::truth::Truth::{No, Unseen, Yes};
    use super::*;

    const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

    /// A referral with these members besides its id.
    fn referral(members: &str) -> String {
        format!(r#"{{"id":"{ID}"{members}}}"#)
    }

    /// How a choice judges a referral, seen whole and in part.
    fn judged(criteria: &Criteria, members: &str) -> [Truth; 2] {
        let text = referral(members);
        [Snapshot::whole(&text), Snapshot::in_part(&text)].map(|seen| criteria.judge(&seen.unwrap()))
    }

    fn instant(text: &str) -> Option<Instant> {
        Some(Instant::parse(text).unwrap())
    }

    #[test]
    fn what_was_not_seen_is_neither_yes_nor_no() {
        let status = Criteria { statuses: vec![Status::New, Status::Active], ..Criteria::default() };
        let lost = Stage::of_substatus("Lost").unwrap();
        let substatus = Criteria { substatuses: vec![lost], ..status.clone() };
        let before = Criteria { closing_before: instant("2026-12-31"), ..Criteria::default() };
        let since = Criteria { updated_since: instant("2026-11-01T00:00:00+01:00"), ..Criteria::default() };
        for (criteria, members, whole, in_part) in [
            (&Criteria::default(), "", Yes, Yes),
            (&status, r#","status":"Active""#, Yes, Yes),
            (&status, r#","status":"Closed""#, No, No),
            (&status, r#","status":"active""#, No, No),
            (&status, r#","status":null"#, No, Unseen),
            (&status, "", No, Unseen),
            (&substatus, r#","status":"Closed""#, No, No),
            (&substatus, r#","status":"New""#, No, Unseen),
            (&substatus, r#","status":"New","substatus":"Lost""#, Yes, Yes),
            (&before, r#","details":{"closingDateTime":"2026-12-30T23:59:59.9999999Z"}"#, Yes, Yes),
            (&before, r#","details":{"closingDateTime":"2026-12-31T00:59:59+01:00"}"#, Yes, Yes),
            (&before, r#","details":{"closingDateTime":"2026-12-31T00:00:00.0000000Z"}"#, No, No),
            (&before, r#","details":{"closingDateTime":null}"#, No, Unseen),
            (&before, r#","details":{"closingDateTime":"soon"}"#, Unseen, Unseen),
            (&before, r#","details":{"closingDateTime":"2026-12-30T12:00:00"}"#, Unseen, Unseen),
            (&before, r#","details":{"closingDateTime":20261230}"#, Unseen, Unseen),
            (&since, r#","updatedDateTime":null"#, No, Unseen),
            (&since, r#","updatedDateTime":"lately""#, Unseen, Unseen),
            (&before, r#","details":{}"#, No, Unseen),
            (&before, r#","details":null"#, No, Unseen),
            (&before, "", No, Unseen),
            (&since, r#","updatedDateTime":"2026-10-31T23:00:00Z""#, Yes, Yes),
            (&since, r#","updatedDateTime":"2026-10-31T22:59:59.999Z""#, No, No),
            (&since, "", No, Unseen),
        ] {
            assert_eq!(judged(criteria, members), [whole, in_part], "{criteria:?} of {members}");
        }
    }

    #[test]
    fn a_condition_means_what_odata_says() {
        let members = r#","status":"Active","name":"Kim's deal","statusReason":null,"isSpam":true,
            "createdDateTime":"2026-01-02T00:00:00.0000000Z","closedDateTime":"31.12.2025","mpnId":15,
            "details":{"dealValue":12500.5,"currency":"EUR","customerRequestedContact":"yes"}"#;
        for (text, whole, in_part) in [
            ("status eq 'Active'", Yes, Yes),
            ("status ne 'New'", Yes, Yes),
            ("status eq 'New' OR details/dealValue lt 20000", Yes, Yes),
            ("status eq 'New' or status eq 'Active' and details/currency eq 'USD'", No, No),
            ("(status eq 'New' or status eq 'Active') and details/currency eq 'EUR'", Yes, Yes),
            ("not (status eq 'Active')", No, No),
            ("not status eq 'New'", Yes, Yes),
            ("name eq 'Kim''s deal'", Yes, Yes),
            ("contains(name,'deal')", Yes, Yes),
            ("startswith(name, 'Kim') and endswith(name, 'Kim')", No, No),
            ("contains(statusReason,'a')", No, Unseen),
            ("statusReason eq null", Yes, Unseen),
            ("statusReason lt 'z'", No, Unseen),
            ("quality eq null", Yes, Unseen),
            ("substatus ne null", No, Unseen),
            ("startswith(status,'Act')", Yes, Yes),
            ("salesStage eq null", Yes, Unseen),
            ("salesStage ne null", No, Unseen),
            ("salesStage eq null or status eq 'Active'", Yes, Yes),
            ("salesStage eq null and status eq 'New'", No, No),
            ("salesStage eq null and status eq 'Active'", Yes, Unseen),
            ("isSpam", Yes, Yes),
            ("not isSpam or favorite", No, Unseen),
            ("closedDateTime lt 2026-01-01", Unseen, Unseen),
            ("not (closedDateTime lt 2026-01-01)", Unseen, Unseen),
            ("closedDateTime lt 2026-01-01 and status eq 'New'", No, No),
            ("favorite", No, Unseen),
            ("details/customerRequestedContact", Unseen, Unseen),
            ("contains(mpnId,'5')", Unseen, Unseen),
            ("isSpam eq true", Yes, Yes),
            ("isSpam ne false", Yes, Yes),
            ("details/dealValue ge 12500.5", Yes, Yes),
            ("details/dealValue gt 12500.50", No, No),
            ("details/dealValue le 1e5", Yes, Yes),
            ("createdDateTime ge 2026-01-02", Yes, Yes),
            ("createdDateTime lt 2026-01-02T01:00:00+02:00", No, No),
        ] {
            let filter = Some(OwnCondition::parse(text).unwrap());
            let criteria = Criteria { filter, ..Criteria::default() };
            assert_eq!(judged(&criteria, members), [whole, in_part], "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told_with_what_to_write() {
        let deep = format!("{}isSpam", "not ".repeat(40));
        let long = format!("isSpam{}", " or isSpam".repeat(600));
        for (text, message, hint) in [
            ("", "the end stands where a condition belongs", "status eq 'Active'"),
            ("status eq", "the end stands where a value belongs", "status eq 'Active'"),
            ("status eq Active", "\"Active\" is no value", "single quotes"),
            ("status = 'Active'", "\"=\" is no comparison", "eq, ne"),
            ("status eq 'Active", "the quote of \"'Active\" is never closed", "double a quote"),
            ("stauts eq 'Active'", "\"stauts\" is no member of a referral", "did you mean status?"),
            ("dealValue eq 1", "\"dealValue\" is no member of a referral", "did you mean details/dealValue?"),
            ("details.dealValue eq 1", "is no member of a referral", "did you mean details/dealValue?"),
            ("Status eq 'Active'", "\"Status\" is no member of a referral", "did you mean status?"),
            ("name eq 'a' status", "\"status\" stands where \"and\", \"or\" or the end belongs", ""),
            ("(name eq 'a'", "the end stands where \")\" belongs", ""),
            ("year(createdDateTime) eq 2026", "the function \"year\" is not known here", "contains"),
            ("contains(name, deal)", "\"deal\" stands where a text in single quotes belongs", ""),
            (&deep, "it is nested more than 32 deep", "ask for less"),
            (&long, "it has more than 1000 words", "ask for less"),
        ] {
            let error = OwnCondition::parse(text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {error:?}");
            assert!(error.hint.contains(hint), "{text}: {error:?}");
        }
    }

    /// Such a comparison holds for none, and its opposite for all.
    #[test]
    fn a_comparison_that_no_referral_could_decide_is_told() {
        for (text, message, hint) in [
            (
                "details/dealValue ne '50000'",
                "details/dealValue ne '50000': details/dealValue is a number, and never a text",
                "without quotes",
            ),
            ("not (details/dealValue ge '50000')", "details/dealValue ge '50000': ", "without quotes"),
            ("details/dealValue gt 2026-12-31", "is a number, and never a time", "as in 10000"),
            ("isSpam ne 'false'", "isSpam is true or false, and never a text", "true or false"),
            ("isSpam eq 0", "isSpam is true or false, and never a number", "true or false"),
            ("isSpam lt true", "nothing is less or greater than", "eq or ne"),
            ("details/dealValue ge null", "nothing is less or greater than", "eq or ne"),
            ("createdDateTime ge '2026-01-01'", "is a time, and never a text", "as in 2026-12-31"),
            ("createdDateTime ge 2026", "is a time, and never a number", "as in 2026-12-31"),
            ("details/notes eq 1250", "is a text, and never a number", "single quotes"),
            ("name ne 2026-12-31", "is a text, and never a time", "single quotes"),
            ("mpnId eq true", "is a text, and never true or false", "single quotes"),
            ("status eq 'active'", "status eq 'active': this is no status", "did you mean 'Active'?"),
            ("status ne 'Close'", "this is no status that is known", "did you mean 'Closed'?"),
            ("substatus eq 'won'", "this is no substatus that is known", "did you mean 'Won'?"),
            ("substatus eq 'Zzz'", "this is no substatus", "another is found by contains(substatus,'…')"),
            ("status eq 'Won'", "this is no status that is known", "known are New, Active, Closed"),
            ("not status", "status stands alone, and is a text, not true or false", ""),
            ("details/dealValue or isSpam", "details/dealValue stands alone, and is a number", ""),
            ("not contains(details/dealValue,'5')", "details/dealValue is a number, in which no text", ""),
            ("contains(isSpam,'t')", "isSpam is true or false, in which no text", ""),
            ("team eq null", "team is a list or an object, which no condition compares", ""),
            ("not contains(customerProfile/ids,'7')", "customerProfile/ids is a list or an object", ""),
        ] {
            let error = OwnCondition::parse(text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {error:?}");
            assert!(error.hint.contains(hint), "{text}: {error:?}");
        }
    }

    #[test]
    fn a_service_is_asked_for_words_and_for_what_the_user_wrote() {
        let own = |text: &str| Some(OwnCondition::parse(text).unwrap());
        let stage = |name: &str| Stage::of_substatus(name).unwrap();
        for (statuses, substatuses, filter, wanted) in [
            (vec![], vec![], None, None),
            (vec![Status::Active], vec![], None, Some("status eq 'Active'")),
            (
                vec![Status::New, Status::Active],
                vec![],
                None,
                Some("(status eq 'New' or status eq 'Active')"),
            ),
            (
                vec![Status::Closed],
                vec![stage("won")],
                own(" isSpam or favorite "),
                Some("(isSpam or favorite) and status eq 'Closed' and substatus eq 'Won'"),
            ),
            (vec![], vec![], own("isSpam or favorite"), Some("isSpam or favorite")),
        ] {
            let dates = instant("2026-12-31");
            let criteria =
                Criteria { statuses, substatuses, filter, updated_since: dates, closing_before: dates };
            assert_eq!(criteria.asked().as_deref(), wanted);
        }
    }
}
