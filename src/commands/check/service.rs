//! The lines of `check` about what nobody documents: what lists show, which conditions they are filtered by, and what
//! is said of limits.

use super::facts::{Facts, RateHeader};
use super::filters::{FilterFact, FilterSeen, FilterVerdict};
use super::inquiry::{Inquiry, ListSeen};
use super::line::{CheckLine, Level};
use super::list_shape::{Carried, Compared, Difference, ListShape};
use crate::api::Observed;
use crate::commands::options::Sending;
use crate::commands::remembered_rate::Beginning;
use crate::domain::characters::visible;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;
use crate::pace::Pacing;
use crate::report::{counted, grouped};

const LISTS: &str = "lists";
const FILTERS: &str = "filters";
const RATE: &str = "rate";

/// The most members that are named to people.
const MOST_NAMED: usize = 8;

/// Returns the line about what list pages show.
pub fn lists(inquiry: &Inquiry) -> CheckLine {
    let ListSeen::Page(page) = &inquiry.list else {
        return CheckLine::note(LISTS, "not known: there is no list", "what lists leave out is not known");
    };
    let shape = ListShape::of(page, &inquiry.compared);
    let mut seen = vec![size(&shape)];
    if shape.on_page == 0 {
        let means = "what list pages show of referrals can't be told";
        return CheckLine::note(LISTS, seen.remove(0), means).facts(Facts::Lists(shape));
    }
    seen.push(versions(&shape));
    seen.extend(compared(&inquiry.compared));
    if shape.without_id > 0 {
        return useless(seen, shape);
    }
    let costs = costs(&shape, &inquiry.compared);
    let level = if costs.is_some() { Level::Note } else { Level::Ok };
    let means = costs.unwrap_or_else(|| {
        "a plan reads list pages where they take fewer requests than a GET for each referral".into()
    });
    CheckLine { subject: LISTS, level, seen, means, todo: None, facts: Some(Facts::Lists(shape)) }
}

/// Returns the line about a list whose elements can't all be told from each other.
fn useless(mut seen: Vec<String>, shape: ListShape) -> CheckLine {
    let ListShape { on_page, without_id, .. } = shape;
    let all = counted(on_page, "element");
    seen.push(format!("{} of {all} are no objects, or have no id that is a GUID", grouped(without_id)));
    let means = "lists are of no use: whose each element is can't be told; an export stops there, and so does a \
                 run that looks for its referrals on a list";
    let todo = Wording::from("find out what answers there, and whether something in between alters it: ")
        .name(Setting::Endpoint);
    CheckLine { seen, ..CheckLine::mend(LISTS, "", means, todo) }.facts(Facts::Lists(shape))
}

fn size(shape: &ListShape) -> String {
    let all = shape.count.filter(|count| *count > shape.on_page);
    let all = all.map(|all| format!(", of {} by its count", grouped(all))).unwrap_or_default();
    match (shape.on_page, shape.more) {
        (0, _) => "the list is empty".to_owned(),
        (count, true) => format!("a page holds {}{all}", counted(count, "referral")),
        (count, false) => {
            format!(
                "{}{all} on one page, so that it can't be told how many a page holds",
                counted(count, "referral")
            )
        }
    }
}

fn versions(shape: &ListShape) -> String {
    match shape.etags {
        Carried::All => "every element carries its eTag",
        Carried::Some => "some elements carry their eTag",
        Carried::None => "no element carries its eTag",
    }
    .to_owned()
}

/// Describes what one element shows beside its single read.
fn compared(compared: &Compared) -> Vec<String> {
    let difference = match compared {
        Compared::Not => return vec!["no element was compared with its single read".to_owned()],
        Compared::Failed(id, failure) => {
            return vec![format!("{id} is on the list and can't be read by itself: {}", failure.message())];
        }
        Compared::Read(difference) => difference,
    };
    let Difference { referral, left_out, nulled, otherwise, other_version, single_etag } = difference;
    let mut seen = Vec::new();
    for (what, names) in [
        ("an element leaves out", left_out),
        ("an element shows as null", nulled),
        ("an element shows with other values, at the same version,", otherwise),
    ] {
        if !names.is_empty() {
            seen.push(format!("{what} {} (compared: {referral})", named(names)));
        }
    }
    if difference.is_whole() {
        seen.push(format!("an element shows all that its single read does (compared: {referral})"));
    }
    if *other_version {
        seen.push(
            "the element and its single read are of two versions: one of them lags, or it was changed"
                .to_owned(),
        );
    }
    if !single_etag {
        seen.push("a single read has no eTag either".to_owned());
    }
    seen
}

/// Names members, as far as there are few.
fn named(names: &[String]) -> String {
    let first: Vec<_> = names.iter().take(MOST_NAMED).map(|name| visible(name)).collect();
    let more = match names.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    first.join(", ") + &more
}

/// Returns what the lists cost a run; `None` where they cost nothing.
fn costs(shape: &ListShape, compared: &Compared) -> Option<Wording> {
    let mut costs: Vec<&str> = Vec::new();
    match compared {
        Compared::Not => costs.push("what lists leave out is not known"),
        Compared::Failed(..) => costs.push(
            "a run reads referrals by themselves where a list does not suffice, and may stop there; what lists \
             leave out is not known",
        ),
        Compared::Read(_) => {}
    }
    if shape.etags != Carried::All {
        costs.push("a referral that is to be changed is read by itself, which costs a request each");
    }
    if let Some(difference) = &shape.element {
        if !(difference.left_out.is_empty() && difference.nulled.is_empty()) {
            costs.push("a row that hangs on what is left out has its referral read by itself");
        }
        if !difference.otherwise.is_empty() {
            costs.push(
                "what a list shows is not what is there: plan few rows at a time, and look at the plan",
            );
        }
        if difference.other_version {
            costs.push("a look that is late is looked at again before anything is concluded from it");
        }
        if !difference.single_etag {
            costs.push(
                "nothing binds a change to what the plan saw: somebody else's change may be overwritten",
            );
        }
    }
    (!costs.is_empty()).then(|| costs.join("; ").into())
}

/// Returns the line about what lists are filtered by.
pub fn filters(inquiry: &Inquiry) -> CheckLine {
    let filters = &inquiry.filters;
    if filters.is_empty() {
        let why = if inquiry.is_readable() { "it was not asked" } else { "there is no list" };
        let means = "whether an export that asks for less gets less is not known";
        return CheckLine::note(FILTERS, format!("not known: {why}"), means);
    }
    let is = |verdict| filters.iter().any(|filter: &FilterSeen| filter.verdict == verdict);
    let mut costs: Vec<&str> = Vec::new();
    if is(FilterVerdict::Incomplete) {
        costs.push("the service leaves out referrals that meet a condition: an export by it would lack them");
    }
    if is(FilterVerdict::Failed) {
        costs.push(
            "whether it filters by what got no such answer is not known: an export that asks for that may stop \
             there",
        );
    }
    if is(FilterVerdict::Ignored) || is(FilterVerdict::Refused) {
        costs.push(
            "what the service does not filter, an export reads in full and judges itself: more requests",
        );
    }
    if is(FilterVerdict::Untold) {
        costs.push(
            "what can't be told may not be filtered; an export judges every referral itself, whatever comes",
        );
    }
    let level = if costs.is_empty() { Level::Ok } else { Level::Note };
    if costs.is_empty() {
        costs.push(
            "an export asks for less where it is filtered by these; every referral is judged here as well",
        );
    }
    let todo = is(FilterVerdict::Incomplete).then(|| {
        Wording::from("export without such a condition, and choose in the file, or by ").name(Setting::Ids)
    });
    let seen = filters.iter().map(told).collect();
    let facts = Some(Facts::Filters { filters: filters.clone() });
    CheckLine { subject: FILTERS, level, seen, means: costs.join("; ").into(), todo, facts }
}

fn told(fact: &FilterFact) -> String {
    let came = match fact.verdict {
        FilterVerdict::Honoured => "honoured",
        FilterVerdict::Ignored => "ignored: referrals come that do not meet it",
        FilterVerdict::Incomplete => "not honoured: referrals are missing that meet it",
        FilterVerdict::Refused => "refused",
        FilterVerdict::Failed => "not known",
        FilterVerdict::Untold => "can't be told from the referrals on the first page",
    };
    let said = fact.said.as_deref().map(|said| format!(" ({said})")).unwrap_or_default();
    let filter = fact.filter.as_deref().map(|filter| format!(" ({filter})")).unwrap_or_default();
    format!("{}{filter}: {came}{said}", fact.about)
}

/// Returns the line about limits. `beginning` is what is remembered of the rate that the service takes.
pub fn rate(answers: &[Observed], sending: &Sending, beginning: Option<Beginning>) -> CheckLine {
    let mut headers: Vec<RateHeader> = Vec::new();
    for header in answers.iter().flat_map(|answer| &answer.limits) {
        match headers.iter_mut().find(|known| known.name == header.name) {
            Some(known) => known.value.clone_from(&header.value),
            None => headers.push(RateHeader { name: header.name.clone(), value: header.value.clone() }),
        }
    }
    let throttled = answers.iter().filter(|answer| matches!(answer.status, 429 | 503 | 509)).count();
    let mut seen: Vec<String> =
        headers.iter().map(|header| format!("{}: {}", header.name, header.value)).collect();
    if headers.is_empty() {
        seen.push(match answers.is_empty() {
            true => "not known: there was no answer".to_owned(),
            false => "no header says how much may be asked for".to_owned(),
        });
    }
    let beginning = beginning.filter(|_| sending.pacing == Pacing::Auto);
    let rate = match (sending.pacing, beginning) {
        (Pacing::Fixed(rate), _) => {
            format!("a run asks {rate} at most, and less where the service throttles it")
        }
        (Pacing::Auto, None) => "a run looks for the rate that the service takes".to_owned(),
        (Pacing::Auto, Some(Beginning { per_second, borne_at })) => format!(
            "a run looks for the rate that the service takes, and begins at {per_second:.1}/s: it bore that, or more, on \
             {borne_at:.0}"
        ),
    };
    let is_used_up = headers
        .iter()
        .any(|header| header.name.contains("remaining") && header.value.trim().parse::<u64>() == Ok(0));
    let line = match throttled {
        0 if answers.is_empty() => CheckLine::note(RATE, "", rate),
        0 if is_used_up => CheckLine::note(
            RATE,
            "",
            format!("nothing more may be asked for at the moment: a run would be told to wait; {rate}"),
        )
        .todo("begin a run when the limit is renewed"),
        0 => CheckLine::ok(RATE, "", rate),
        _ if answers.iter().all(|answer| !matches!(answer.status, 429 | 509)) => {
            seen.push(format!("{} with 503, unavailable", counted(throttled as u64, "answer")));
            CheckLine::note(
                RATE,
                "",
                format!(
                    "the service was out of order for a moment, or throttles so: which, it does not say; {rate}"
                ),
            )
        }
        _ => {
            seen.push(format!("{} asked for a pause", counted(throttled as u64, "answer")));
            CheckLine::note(
                RATE,
                "",
                format!("others are asking at the same time, or the rate is too high; {rate}"),
            )
            .todo(Wording::from("ask less, or when others don't: ").name(Setting::Rate))
        }
    };
    let begins_at = beginning.map(|beginning| beginning.per_second);
    CheckLine { seen, ..line }.facts(Facts::Rate { headers, throttled, begins_at })
}
