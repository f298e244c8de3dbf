//! Lists: the query options of the service's definition, and pages of at most a hundred.

use std::cmp::Ordering;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::answer::ErrorAnswer;
use super::filter::Filter;
use super::members::DeclaredMember;
use super::store::ReferralStore;
use super::view::View;

/// The most referrals on a page.
const PAGE: usize = 100;

/// The base of next links, as in the documentation's sample: plain http, and another path than the list's
/// own. A client can use the query only.
const NEXT: &str = "http://api.partner.microsoft.com/v1.0/referrals";

/// The query options of a request for the list.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Query {
    filter: Option<Filter>,
    /// The members to sort by, the most significant first.
    order: Vec<Order>,
    /// The members that are shown; all where none is named.
    select: Vec<DeclaredMember>,
    /// Whether `@odata.count` is the number of all matching referrals.
    counts: bool,
    /// The options that the link to the next page repeats, as they were written.
    carried_on: Vec<(&'static str, String)>,
    /// The most referrals in all, over every page; `None` for no limit.
    top: Option<usize>,
    skip: usize,
}

/// A member to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Order {
    by: DeclaredMember,
    descending: bool,
}

impl Query {
    /// Reads the parameters of a request. Those without a leading `$` are ignored.
    pub(super) fn parse(parameters: Vec<(String, String)>) -> Result<Self, ErrorAnswer> {
        let mut query = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in parameters.into_iter().filter(|(name, _)| name.starts_with('$')) {
            let bad = |inner, message| ErrorAnswer::bad("InvalidQuery", inner, message).about(&name);
            let wrong = |inner, why: String| bad(inner, format!("{name} cannot be \"{value}\": {why}"));
            if seen.contains(&name) {
                return Err(bad("OptionRepeated", format!("{name} stands there twice")));
            }
            let number = || value.parse().map_err(|_| wrong("NotANumber", "write a whole number".to_owned()));
            match name.as_str() {
                "$filter" => {
                    let filter = Filter::parse(&value).map_err(|why| wrong("FilterNotSupported", why))?;
                    query.filter = Some(filter);
                    query.carried_on.push(("$filter", value));
                }
                "$orderby" => {
                    query.order = parse_order(&value).map_err(|why| wrong("OrderNotSupported", why))?;
                    query.carried_on.push(("$orderby", value));
                }
                "$select" => {
                    query.select =
                        parse_selection(&value).map_err(|why| wrong("SelectionNotSupported", why))?;
                    query.carried_on.push(("$select", value));
                }
                "$count" => {
                    let counts = value.parse();
                    query.counts =
                        counts.map_err(|_| wrong("NotABoolean", "write true or false".to_owned()))?;
                    query.carried_on.push(("$count", value));
                }
                "$top" => query.top = Some(number()?),
                "$skip" => query.skip = number()?,
                _ => {
                    let message = format!("{name} is no option of this list: {OPTIONS}");
                    return Err(bad("OptionNotSupported", message));
                }
            }
            seen.push(name);
        }
        Ok(query)
    }

    /// Returns the page as JSON text.
    pub(super) fn page(&self, store: &ReferralStore, view: &View) -> String {
        let size = self.top.map_or(PAGE, |top| top.min(PAGE));
        let mut items: Vec<&Value> = self.all(store).skip(self.skip).take(size.saturating_add(1)).collect();
        let more = items.len() > size;
        items.truncate(size);
        let next = more.then(|| self.next_link(items.len())).flatten();
        // Without `$count`, it is the size of the page, as in the documented sample.
        let count = if self.counts { self.all(store).count() } else { items.len() };
        let shown = |referral: &Value| {
            let whole = view.element(referral);
            if self.select.is_empty() { whole } else { selected(&whole, &self.select) }
        };
        let items: Vec<Value> = items.into_iter().map(shown).collect();
        serde_json::to_string(&ListPage { items: &items, count, next })
            .expect("a page holds JSON values and strings alone")
    }

    /// Returns the referrals of all pages, in order.
    fn all<'a>(&'a self, store: &'a ReferralStore) -> Box<dyn Iterator<Item = &'a Value> + 'a> {
        let fits = |referral: &&Value| self.filter.as_ref().is_none_or(|filter| filter.fits(referral));
        let fitting = store.referrals().filter(fits);
        if self.order.is_empty() {
            return Box::new(fitting);
        }
        let mut all: Vec<&Value> = fitting.collect();
        // The least significant member first: the sort is stable, so each one keeps the order of those before
        // it.
        self.order.iter().rev().for_each(|order| order.sort(&mut all));
        Box::new(all.into_iter())
    }

    /// Returns the link to the next page; `None` where `$top` is reached.
    fn next_link(&self, taken: usize) -> Option<String> {
        let top = self.top.map(|top| top - taken.min(top));
        if top == Some(0) {
            return None;
        }
        let mut link = format!("{NEXT}?$skip={}", self.skip + taken);
        let top = top.map(|top| ("$top", top.to_string()));
        for (name, value) in top.iter().chain(&self.carried_on) {
            link.push_str(&format!("&{name}={}", escaped(value)));
        }
        Some(link)
    }
}

/// The options that a list accepts, for messages.
const OPTIONS: &str = "it takes $filter, $orderby, $select, $top, $skip and $count";

/// Reads `NAME`, `NAME asc` and `NAME desc`, several separated by commas.
fn parse_order(text: &str) -> Result<Vec<Order>, String> {
    let read = |term: &str| {
        let mut words = term.split_whitespace();
        let by = words.next().unwrap_or_default();
        let by = DeclaredMember::named(by).ok_or_else(|| format!("\"{by}\" is no member of a referral"))?;
        let descending = match words.next().map(str::to_ascii_lowercase).as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err("a member is followed by asc or desc".to_owned()),
        };
        match words.next() {
            None => Ok(Order { by, descending }),
            Some(_) => Err("members are separated by commas".to_owned()),
        }
    };
    text.split(',').map(read).collect()
}

/// Reads the members to show, separated by commas.
fn parse_selection(text: &str) -> Result<Vec<DeclaredMember>, String> {
    let read = |name: &str| {
        DeclaredMember::named(name).ok_or_else(|| format!("\"{name}\" is no member of a referral"))
    };
    if text.trim() == "*" { Ok(Vec::new()) } else { text.split(',').map(|name| read(name.trim())).collect() }
}

impl Order {
    /// Sorts referrals by this member. Missing values come first, numbers before texts; times are compared as
    /// times. Equal ones keep their order.
    fn sort(self, referrals: &mut [&Value]) {
        referrals.sort_by(|one, other| {
            let order = compared(self.by.of(one), self.by.of(other));
            if self.descending { order.reverse() } else { order }
        });
    }
}

/// Compares two values; values of different types are ordered by type.
fn compared(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    };
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(one), Value::String(other)) => {
            match (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                _ => one.cmp(other),
            }
        }
        _ => rank(one).cmp(&rank(other)),
    }
}

/// Percent-encodes a query value (RFC 3986, section 2.1).
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("writing to a string never fails");
        }
    }
    escaped
}

/// The body of a page.
struct ListPage<'a> {
    items: &'a [Value],
    count: usize,
    next: Option<String>,
}

impl Serialize for ListPage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_map(None)?;
        page.serialize_entry("@odata.context", "http://api.partner.microsoft.com/v1.0/$metadata#referrals")?;
        page.serialize_entry("@odata.count", &self.count)?;
        page.serialize_entry("value", self.items)?;
        if let Some(next) = &self.next {
            page.serialize_entry("@odata.nextLink", next)?;
        }
        page.end()
    }
}

/// Returns a referral with the selected members only; missing ones are left out.
fn selected(referral: &Value, select: &[DeclaredMember]) -> Value {
    let mut shown = Value::Object(Map::new());
    for member in select {
        let pointer = format!("/{}", member.path());
        let Some(value) = referral.pointer(&pointer) else { continue };
        let mut place = &mut shown;
        for name in member.path().split('/') {
            // Where a member is selected as a whole, the members selected within it are there already.
            place = &mut place[name];
        }
        *place = value.clone();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parameters: &[(&str, &str)]) -> Result<Query, &'static str> {
        let owned = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Query::parse(owned).map_err(|refusal| refusal.inner)
    }

    #[test]
    fn what_may_be_asked() {
        for (parameters, wanted) in [
            (&[][..], None),
            (&[("pageSize", "20")], None),
            (&[("$top", "5"), ("$skip", "100")], None),
            (&[("$filter", "status eq 'Active'")], None),
            (&[("$filter", "direction eq 'Incoming' and substatus eq 'Won'")], None),
            (&[("$orderby", "createdDateTime desc")], None),
            (&[("$orderby", "updatedDateTime")], None),
            (&[("$top", "many")], Some("NotANumber")),
            (&[("$skip", "-1")], Some("NotANumber")),
            (&[("$filter", "status eq 'a' OR details/dealValue lt 123")], None),
            (&[("$orderby", "status, details/dealValue desc")], None),
            (&[("$select", "id,status,details/dealValue")], None),
            (&[("$select", "*"), ("$count", "true")], None),
            (&[("$filter", "stage eq 'x'")], Some("FilterNotSupported")),
            (&[("$filter", "status eq Active")], Some("FilterNotSupported")),
            (&[("$filter", "")], Some("FilterNotSupported")),
            (&[("$orderby", "stage")], Some("OrderNotSupported")),
            (&[("$orderby", "")], Some("OrderNotSupported")),
            (&[("$orderby", "status asc name")], Some("OrderNotSupported")),
            (&[("$orderby", "createdDateTime down")], Some("OrderNotSupported")),
            (&[("$select", "stage")], Some("SelectionNotSupported")),
            (&[("$count", "yes")], Some("NotABoolean")),
            (&[("$expand", "")], Some("OptionNotSupported")),
            (&[("$search", "x")], Some("OptionNotSupported")),
            (&[("$top", "1"), ("$top", "2")], Some("OptionRepeated")),
        ] {
            assert_eq!(parse(parameters).err(), wanted, "{parameters:?}");
        }
    }

    #[test]
    fn the_next_link_carries_the_query_on() {
        let query = parse(&[
            ("$filter", "status eq 'New'"),
            ("$top", "250"),
            ("$orderby", "createdDateTime desc"),
            ("$skip", "100"),
        ])
        .unwrap();
        assert_eq!(
            query.next_link(100).unwrap(),
            "http://api.partner.microsoft.com/v1.0/referrals?$skip=200&$top=150\
             &$filter=status%20eq%20%27New%27&$orderby=createdDateTime%20desc"
        );
        assert_eq!(parse(&[("$top", "100")]).unwrap().next_link(100), None);
    }
}
