//! Whether lists are filtered as they are asked to be: of each condition that matters one page is asked for, and its
//! elements are judged here.

use serde::{Serialize, Serializer};

use super::list_shape::elements;
use crate::api::{Page, PageLink};
use crate::domain::criteria::{Criteria, Truth};
use crate::domain::exchange::Failure;
use crate::domain::fields::{Field, Path};
use crate::domain::instant::Instant;
use crate::domain::json;
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;
use crate::domain::status::{Stage, Status};

/// A condition that the list can be filtered by.
pub struct Question {
    /// What it is about.
    pub about: &'static str,
    /// What it asks, where some of the referrals on the first page meet it and some don't.
    asked: Option<Asked>,
    /// The link to the first page of what it lets through; `None` where it is not asked.
    pub link: Option<PageLink>,
}

struct Asked {
    criteria: Criteria,
    filter: String,
}

/// What came of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterVerdict {
    /// All that was shown meets it, and nothing that does was missing.
    Honoured,
    /// Something was shown that doesn't meet it.
    Ignored,
    /// Something was missing that meets it.
    Incomplete,
    /// The service refuses it.
    Refused,
    /// It was answered in a way that tells nothing of it.
    Failed,
    /// The first page holds none that meet it, or none that don't.
    Untold,
}

impl FilterVerdict {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Honoured => "honoured",
            Self::Ignored => "ignored",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Untold => "untold",
        }
    }
}

impl Serialize for FilterVerdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What came of a condition, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilterFact {
    /// What it is about.
    pub about: &'static str,
    /// What was asked, where anything was.
    pub filter: Option<String>,
    /// What came of it.
    pub verdict: FilterVerdict,
    /// What the service said, where it refused or failed.
    pub said: Option<String>,
}

/// What came of a condition.
pub type FilterSeen = FilterFact;

impl FilterFact {
    /// Judges the answer to a question. `unfiltered` is the first page of the whole list.
    pub fn of(question: Question, unfiltered: &Page, answer: Option<Result<Page, Failure>>) -> Self {
        let about = question.about;
        let (Some(Asked { criteria, filter }), Some(answer)) = (question.asked, answer) else {
            return Self { about, filter: None, verdict: FilterVerdict::Untold, said: None };
        };
        let (verdict, said) = match answer {
            Ok(page) => (judged(&criteria, unfiltered, &page), None),
            Err(failure) => {
                let is_refused = matches!(failure.status(), Some(400 | 414 | 422 | 501));
                let verdict = if is_refused { FilterVerdict::Refused } else { FilterVerdict::Failed };
                (verdict, Some(failure.message().to_owned()))
            }
        };
        Self { about, filter: Some(filter), verdict, said }
    }
}

fn judged(criteria: &Criteria, unfiltered: &Page, filtered: &Page) -> FilterVerdict {
    let shown: Vec<(ReferralId, Truth)> = truths(criteria, filtered);
    if shown.iter().any(|(_, fits)| *fits == Truth::No) {
        return FilterVerdict::Ignored;
    }
    let fitting = truths(criteria, unfiltered).into_iter().filter(|(_, fits)| *fits == Truth::Yes);
    let is_missing = |id: ReferralId| shown.iter().all(|(shown, _)| *shown != id);
    // What isn't on this page may be on the next, where there is one.
    let is_last = filtered.next.is_none() || shown.is_empty();
    if is_last && fitting.into_iter().any(|(id, _)| is_missing(id)) {
        return FilterVerdict::Incomplete;
    }
    if shown.iter().any(|(_, fits)| *fits == Truth::Yes) {
        FilterVerdict::Honoured
    } else {
        FilterVerdict::Untold
    }
}

/// Returns the referrals of a page, and whether each meets the criteria.
fn truths(criteria: &Criteria, page: &Page) -> Vec<(ReferralId, Truth)> {
    let seen = elements(page).into_iter().filter_map(|element| Snapshot::in_part(element).ok());
    seen.map(|referral| (referral.id(), criteria.judge(&referral))).collect()
}

/// Returns what to ask, so that the answers tell whether they are filtered. `page` is the first page of the list.
pub fn questions(page: &Page) -> [Question; 5] {
    let statuses = Status::ALL.map(|status| Criteria { statuses: vec![status], ..Criteria::default() });
    let pairs =
        [[Status::New, Status::Active], [Status::New, Status::Closed], [Status::Active, Status::Closed]];
    let pairs = pairs.map(|pair| Criteria { statuses: pair.to_vec(), ..Criteria::default() });
    let substatuses = Stage::ALL.map(|stage| Criteria { substatuses: vec![stage], ..Criteria::default() });
    let updated = instants(page, |referral| referral.members().get("updatedDateTime"));
    let updated = updated.into_iter().map(|since| {
        let criteria = Criteria { updated_since: Some(since), ..Criteria::default() };
        (criteria, Some(format!("updatedDateTime ge {since}")))
    });
    let closing =
        instants(page, |referral| referral.at(&Path::Known(Field::ClosingDateTime)).known().ok().flatten());
    let closing = closing.into_iter().map(|before| {
        let criteria = Criteria { closing_before: Some(before), ..Criteria::default() };
        (criteria, Some(format!("details/closingDateTime lt {before}")))
    });
    let plain = |criteria: Criteria| (criteria, None);
    [
        question("status", statuses.into_iter().map(plain), page),
        question("several statuses", pairs.into_iter().map(plain), page),
        question("substatus", substatuses.into_iter().map(plain), page),
        question("updatedDateTime", updated, page),
        question("closingDateTime", closing, page),
    ]
}

/// Takes the criteria that part a page most evenly. With each stands how a service is asked, where that is not
/// [`Criteria::asked`].
fn question(
    about: &'static str,
    candidates: impl Iterator<Item = (Criteria, Option<String>)>,
    page: &Page,
) -> Question {
    let parted = |(criteria, filter): (Criteria, Option<String>)| {
        let truths = truths(&criteria, page);
        let count = |wanted| truths.iter().filter(|(_, fits)| *fits == wanted).count();
        let smaller = count(Truth::Yes).min(count(Truth::No));
        let filter = filter.or_else(|| criteria.asked()).filter(|_| smaller > 0)?;
        Some((smaller, Asked { criteria, filter }))
    };
    let asked = candidates.filter_map(parted).max_by_key(|(smaller, _)| *smaller).map(|(_, asked)| asked);
    let link = asked.as_ref().and_then(|asked| PageLink::filtered(&asked.filter));
    Question { about, asked, link }
}

/// Returns the points in time that a page shows in a member.
fn instants(
    page: &Page,
    of: impl for<'p> Fn(&Snapshot<'p>) -> Option<&'p serde_json::value::RawValue>,
) -> Vec<Instant> {
    let seen = elements(page).into_iter().filter_map(|element| Snapshot::in_part(element).ok());
    seen.filter_map(|referral| Instant::parse(&json::string(of(&referral)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::exchange::Refusal;

    fn page(statuses: &[(u128, &str)], more: bool) -> Page {
        let element = |(id, status): &(u128, &str)| {
            let id = Uuid::from_u128(*id);
            format!(
                r#"{{"id":"{id}","status":"{status}","updatedDateTime":"2026-11-0{}T00:00:00Z"}}"#,
                id.as_u128()
            )
        };
        let elements: Vec<String> = statuses.iter().map(element).collect();
        let next = more.then(|| PageLink::filtered("x").unwrap());
        Page {
            text: format!(r#"{{"value":[{}]}}"#, elements.join(",")),
            next,
            client_request_id: Uuid::nil(),
        }
    }

    fn refused(status: u16) -> Failure {
        let message = "no".to_owned();
        Failure::Answered(Refusal { status, code: None, codes: Vec::new(), message, retry_after: None })
    }

    #[test]
    fn an_answer_tells_whether_it_is_filtered() {
        use FilterVerdict::{Failed, Honoured, Ignored, Incomplete, Refused, Untold};
        const ALL: &[(u128, &str)] = &[(1, "New"), (2, "New"), (3, "New"), (4, "Active"), (5, "Active")];
        for (answer, wanted) in [
            (Ok(page(&ALL[3..], false)), Honoured),
            (Ok(page(&ALL[3..4], true)), Honoured),
            (Ok(page(&[(9, "Active"), (4, "Active"), (5, "Active")], false)), Honoured),
            (Ok(page(&ALL[3..4], false)), Incomplete),
            (Ok(page(&[], false)), Incomplete),
            (Ok(page(&[], true)), Incomplete),
            (Ok(page(ALL, false)), Ignored),
            (Ok(page(&ALL[..1], true)), Ignored),
            (Err(refused(400)), Refused),
            (Err(refused(501)), Refused),
            (Err(refused(500)), Failed),
            (Err(refused(403)), Failed),
        ] {
            let [status, ..] = questions(&page(ALL, false));
            assert_eq!(status.asked.as_ref().unwrap().filter, "status eq 'Active'");
            let told = format!("{answer:?}");
            let seen = FilterSeen::of(status, &page(ALL, false), Some(answer));
            assert_eq!(seen.verdict, wanted, "{told}");
            assert_eq!(seen.said.is_some(), matches!(wanted, Refused | Failed));
        }
        let same = page(&ALL[..3], false);
        let [status, several, substatus, updated, closing] = questions(&same);
        for question in [status, several, substatus, closing] {
            assert!(question.link.is_none());
            assert_eq!(FilterSeen::of(question, &same, None).verdict, Untold);
        }
        assert_eq!(updated.asked.unwrap().filter, "updatedDateTime ge 2026-11-03T00:00:00Z");
    }
}
