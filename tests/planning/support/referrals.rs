//! Random referrals, as a service may give them.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use referral_bulk::domain::fields::Kind;

use super::json::Json;

pub const ID: &str = "5a1e0001-0000-4000-8000-000000000001";

/// So many different members, and solutions, exist.
const PEOPLE: usize = 5;

const FIRST_NAMES: [&str; 3] = ["Zoë", "Li", "北京 🚀"];

/// A referral: every member absent, null or present, in any order, among members nobody knows.
pub fn referral() -> impl Strategy<Value = Json> {
    let stages = select(vec![
        ("New", "Pending"),
        ("New", "Received"),
        ("Active", "Accepted"),
        ("active", "ACCEPTED"),
        ("Closed", "Won"),
        ("Closed", "Declined"),
        ("Closed", "Unheard of"),
        ("Active", ""),
        ("Paused", "Waiting"),
    ]);
    let etags = select(vec![r#""v1""#, r#""v1""#, "v2", r#"W/"v3""#, "*", "é", ""]).prop_map(Json::text);
    let details = object(vec![
        ("notes", text()),
        ("dealValue", served(Kind::Decimal)),
        ("currency", served(Kind::Currency)),
        ("closingDateTime", served(Kind::DateTime)),
        ("requirements", object(vec![("solutions", served(Kind::Solutions)), ("industries", exotic())])),
        ("unheard of", exotic()),
    ]);
    let consent = object(vec![
        ("consentToShareReferralWithMicrosoftSellers", any::<bool>().prop_map(Json::Bool).boxed()),
        ("consentToContact", any::<bool>().prop_map(Json::Bool).boxed()),
        ("consentToToShareInfoWithOthers", any::<bool>().prop_map(Json::Bool).boxed()),
    ]);
    let customer = object(vec![
        ("team", served(Kind::Members)),
        ("name", text()),
        ("ids", exotic()),
        ("address", object(vec![("city", text()), ("postalCode", text())])),
    ]);
    let unheard = object(vec![("m~n", object(vec![("deep \"ü\"", exotic()), ("", exotic())]))]);
    let members = object(vec![
        ("eTag", etags.boxed()),
        ("statusReason", text()),
        ("salesStage", text()),
        ("campaignId", text()),
        ("externalReferenceId", text()),
        ("referralProgram", text()),
        ("name", text()),
        ("target", exotic()),
        ("details", details),
        ("consent", consent),
        ("customerProfile", customer),
        ("inviteContext", object(vec![("notes", text())])),
        ("team", served(Kind::Members)),
        ("unheard/of", unheard),
        ("createdDateTime", Just(Json::text("2026-11-18T12:00:00.1234567Z")).boxed()),
        ("@odata.type", exotic()),
    ]);
    (members, stages, 0..3_u8).prop_map(|(mut referral, (status, substatus), form)| {
        if let Json::Object(members) = &mut referral {
            members.insert(members.len() / 2, ("id".to_owned(), Json::text(ID)));
            members.insert(0, ("status".to_owned(), Json::text(status)));
            match form {
                0 => members.push(("substatus".to_owned(), Json::text(substatus))),
                1 => members.insert(1, ("substatus".to_owned(), Json::text(substatus))),
                _ => {}
            }
        }
        referral
    })
}

/// An object whose members may each be absent or null.
fn object(members: Vec<(&'static str, BoxedStrategy<Json>)>) -> BoxedStrategy<Json> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| {
            prop_oneof![2 => Just(None), 1 => Just(Some(Json::Null)), 4 => value.prop_map(Some)]
                .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        })
        .collect();
    members
        .prop_map(|members| members.into_iter().flatten().collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(Json::Object)
        .boxed()
}

/// A value that a service may give for a field of a kind.
fn served(kind: Kind) -> BoxedStrategy<Json> {
    match kind {
        Kind::Text => text(),
        Kind::Any => exotic(),
        Kind::Boolean => any::<bool>().prop_map(Json::Bool).boxed(),
        Kind::Currency => select(vec!["USD", "EUR", "usd", ""]).prop_map(Json::text).boxed(),
        Kind::DateTime => prop_oneof![
            select(vec!["", "2026-12-31T00:00:00.0000000Z", "2026-11-30T08:15:00.5000000Z"])
                .prop_map(Json::text),
            "2026-1[0-2]-[0-2][1-9]T0[0-9]:00:00(\\.[0-9]{1,7})?Z".prop_map(Json::Text),
        ]
        .boxed(),
        Kind::Decimal => (prop_oneof![odd_number(), digits()], any::<bool>())
            .prop_map(|(digits, quoted)| if quoted { Json::Text(digits) } else { Json::Number(digits) })
            .boxed(),
        Kind::Members => list(server_member, any::<bool>()),
        Kind::Solutions => list(server_solution, Just(false)),
    }
}

/// Different elements in any order, one without anything to tell it by among them if `odd` says so.
fn list(
    element: fn(usize) -> BoxedStrategy<Json>,
    odd: impl Strategy<Value = bool> + 'static,
) -> BoxedStrategy<Json> {
    let elements = subsequence((0..PEOPLE).collect::<Vec<_>>(), 0..=PEOPLE)
        .prop_shuffle()
        .prop_flat_map(move |chosen| chosen.into_iter().map(element).collect::<Vec<_>>());
    (elements, odd)
        .prop_map(|(mut elements, odd)| {
            if odd {
                elements.push(Json::object([("firstName", Json::text("nobody")), ("email", Json::text(""))]));
            }
            Json::List(elements)
        })
        .boxed()
}

/// An element's address, in one of several letter cases.
pub fn address(person: usize) -> impl Strategy<Value = Json> {
    select(vec![format!("p{person}@example.com"), format!("P{person}@Example.com")]).prop_map(Json::Text)
}

fn server_member(person: usize) -> BoxedStrategy<Json> {
    let preference = object(vec![
        ("locale", Just(Json::text("de-de")).boxed()),
        ("disableNotifications", any::<bool>().prop_map(Json::Bool).boxed()),
    ]);
    let rest = object(vec![
        ("firstName", select(FIRST_NAMES.to_vec()).prop_map(Json::text).boxed()),
        ("phoneNumber", text()),
        ("title", text()),
        ("contactPreference", preference),
        ("isEmailValid", any::<bool>().prop_map(Json::Bool).boxed()),
    ]);
    with(rest, "email", address(person))
}

fn server_solution(which: usize) -> BoxedStrategy<Json> {
    let rest = object(vec![
        ("type", select(vec!["None", "Category", "Name"]).prop_map(Json::text).boxed()),
        ("weight", odd_number().prop_map(Json::Number).boxed()),
    ]);
    let (name, value) = solution_key(which);
    with(rest, name, Just(Json::Text(value)))
}

/// Solutions with an id, and some that only have a name.
pub fn solution_key(which: usize) -> (&'static str, String) {
    if which % 3 == 2 { ("name", format!("Solution {which}")) } else { ("id", format!("S{which}")) }
}

fn with(
    object: BoxedStrategy<Json>,
    name: &'static str,
    value: impl Strategy<Value = Json> + 'static,
) -> BoxedStrategy<Json> {
    (object, value)
        .prop_map(move |(mut object, value)| {
            object.put(&format!("/{name}"), value);
            object
        })
        .boxed()
}

pub fn text() -> BoxedStrategy<Json> {
    prop_oneof![
        select(vec!["", "", "Zoë 北京", "a \"b\", c\\d", "line\nbreak\t", "🚀🚀", "  padded "])
            .prop_map(Json::text),
        "[ -~]{1,8}".prop_map(Json::Text),
    ]
    .boxed()
}

/// A decimal number without an exponent, as a person may give it.
pub fn digits() -> BoxedStrategy<String> {
    prop_oneof![
        select(vec!["50000", "50000.00", "0", "0.10", "100", "12345678901234567890.12"])
            .prop_map(str::to_owned),
        "-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,6})?",
    ]
    .boxed()
}

fn odd_number() -> BoxedStrategy<String> {
    select(vec!["5e4", "1E+2", "0.10", "-0", "50000.00", "1.5e-3", "12345678901234567890.12"])
        .prop_map(str::to_owned)
        .boxed()
}

/// Anything.
pub fn exotic() -> BoxedStrategy<Json> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Json::Bool),
        odd_number().prop_map(Json::Number),
        text(),
        Just(Json::Null)
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let names = subsequence(vec!["a", "b/c", "d~e", "ü", ""], 0..=3);
        let members = proptest::collection::vec(inner.clone(), 3);
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Json::List),
            (names, members).prop_map(|(names, values)| {
                Json::Object(names.into_iter().map(str::to_owned).zip(values).collect())
            }),
        ]
    })
    .boxed()
}
