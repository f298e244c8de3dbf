//! Lists: filters, order, and pages of at most a hundred.

use std::fmt::Write as _;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::answer::Refusal;
use super::store::Store;

/// The most referrals on a page.
const PAGE: usize = 100;

/// Where the documentation's sample says the next page is: plain http, and not the path that the
/// list itself has. Only its query is of use.
const NEXT: &str = "http://api.partner.microsoft.com/v1.0/referrals";

/// The members that a filter may compare.
const FILTERED: [&str; 5] = ["status", "substatus", "direction", "engagementId", "qualification"];

/// What a list was asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Query {
    filter: Vec<(&'static str, String)>,
    filter_text: Option<String>,
    order: Option<Order>,
    /// How many in all, over every page; `None` for all there are.
    top: Option<usize>,
    skip: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Order {
    by: &'static str,
    descending: bool,
}

impl Query {
    /// Reads the parameters of a request. Those without a leading `$` mean nothing.
    pub(super) fn parse(parameters: Vec<(String, String)>) -> Result<Self, Refusal> {
        let mut query = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in parameters.into_iter().filter(|(name, _)| name.starts_with('$')) {
            let wrong =
                |inner| Refusal::bad("InvalidQuery", inner, format!("{name} cannot be {value}")).about(&name);
            if seen.contains(&name) {
                return Err(wrong("OptionRepeated"));
            }
            match name.as_str() {
                "$filter" => {
                    query.filter = parse_filter(&value).ok_or_else(|| wrong("FilterNotSupported"))?;
                    query.filter_text = Some(value);
                }
                "$orderby" => {
                    query.order = Some(parse_order(&value).ok_or_else(|| wrong("OrderNotSupported"))?);
                }
                "$top" => query.top = Some(value.parse().map_err(|_| wrong("NotANumber"))?),
                "$skip" => query.skip = value.parse().map_err(|_| wrong("NotANumber"))?,
                _ => return Err(wrong("OptionNotSupported")),
            }
            seen.push(name);
        }
        Ok(query)
    }

    /// The page as JSON text.
    pub(super) fn page(&self, store: &Store, with_etags: bool) -> String {
        let size = self.top.map_or(PAGE, |top| top.min(PAGE));
        let (items, more) = self.select(store, size);
        let next = more.then(|| self.next_link(items.len())).flatten();
        let page = Page { items: &items, with_etags, next };
        serde_json::to_string(&page).expect("a page holds JSON values and strings alone")
    }

    /// The referrals of the page, and whether others follow it.
    fn select<'a>(&self, store: &'a Store, size: usize) -> (Vec<&'a Value>, bool) {
        let fits = |referral: &&Value| {
            let equals = |(name, wanted): &(&str, String)| {
                referral.get(name).and_then(Value::as_str) == Some(wanted.as_str())
            };
            self.filter.iter().all(equals)
        };
        let mut items: Vec<&Value> = match self.order {
            None => store.referrals().filter(fits).skip(self.skip).take(size.saturating_add(1)).collect(),
            Some(order) => {
                let mut all: Vec<&Value> = store.referrals().filter(fits).collect();
                order.sort(&mut all);
                all.into_iter().skip(self.skip).take(size.saturating_add(1)).collect()
            }
        };
        let more = items.len() > size;
        items.truncate(size);
        (items, more)
    }

    fn next_link(&self, taken: usize) -> Option<String> {
        let top = self.top.map(|top| top - taken.min(top));
        if top == Some(0) {
            return None;
        }
        let mut link = format!("{NEXT}?$skip={}", self.skip + taken);
        let order =
            self.order.map(|order| format!("{} {}", order.by, if order.descending { "desc" } else { "asc" }));
        let others = [
            ("$top", top.map(|top| top.to_string())),
            ("$filter", self.filter_text.clone()),
            ("$orderby", order),
        ];
        for (name, value) in others {
            if let Some(value) = value {
                link.push_str(&format!("&{name}={}", escaped(&value)));
            }
        }
        Some(link)
    }
}

/// Reads `NAME eq 'VALUE'`, several joined by `and`.
fn parse_filter(text: &str) -> Option<Vec<(&'static str, String)>> {
    text.split(" and ")
        .map(|term| {
            let (name, value) = term.trim().split_once(" eq ")?;
            let name = FILTERED.into_iter().find(|known| *known == name.trim())?;
            let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (!value.contains('\'')).then(|| (name, value.to_owned()))
        })
        .collect()
}

fn parse_order(text: &str) -> Option<Order> {
    let mut words = text.split_whitespace();
    let by = words.next()?;
    let by = ["createdDateTime", "updatedDateTime"].into_iter().find(|known| *known == by)?;
    let descending = match words.next() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some(Order { by, descending })
}

impl Order {
    /// Sorts by instant; referrals without one come first, and equal ones keep their order.
    fn sort(self, referrals: &mut [&Value]) {
        referrals.sort_by_cached_key(|referral| {
            let text = referral.get(self.by).and_then(Value::as_str);
            text.and_then(|text| text.parse::<jiff::Timestamp>().ok())
        });
        if self.descending {
            referrals.reverse();
        }
    }
}

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

struct Page<'a> {
    items: &'a [&'a Value],
    with_etags: bool,
    next: Option<String>,
}

impl Serialize for Page<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_map(None)?;
        page.serialize_entry("@odata.context", "http://api.partner.microsoft.com/v1.0/$metadata#referrals")?;
        // The documented sample gives the size of the page, not the number of all.
        page.serialize_entry("@odata.count", &self.items.len())?;
        if self.with_etags {
            page.serialize_entry("value", self.items)?;
        } else {
            let items: Vec<_> = self.items.iter().map(|item| WithoutETag(item)).collect();
            page.serialize_entry("value", &items)?;
        }
        if let Some(next) = &self.next {
            page.serialize_entry("@odata.nextLink", next)?;
        }
        page.end()
    }
}

struct WithoutETag<'a>(&'a Value);

impl Serialize for WithoutETag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = self.0.as_object().into_iter().flatten();
        serializer.collect_map(members.filter(|(name, _)| *name != "eTag"))
    }
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
            (&[("$filter", "status ne 'Active'")], Some("FilterNotSupported")),
            (&[("$filter", "name eq 'x'")], Some("FilterNotSupported")),
            (&[("$filter", "status eq Active")], Some("FilterNotSupported")),
            (&[("$filter", "status eq 'a' or status eq 'b'")], Some("FilterNotSupported")),
            (&[("$filter", "")], Some("FilterNotSupported")),
            (&[("$orderby", "name")], Some("OrderNotSupported")),
            (&[("$orderby", "createdDateTime down")], Some("OrderNotSupported")),
            (&[("$select", "id")], Some("OptionNotSupported")),
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
