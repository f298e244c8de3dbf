//! Whatever names, values and shapes inputs and referrals have: what is wrong with them is a finding about
//! them. That a document can't be proved is said of a defect of this program alone.

use std::convert::Infallible;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use referral_bulk::commands::next_command::spelled;
use referral_bulk::domain::format::Format;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::pointer::Pointer;
use referral_bulk::domain::rules::{Levels, Rule};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::input::{self, Options, legacy};
use referral_bulk::plan::{Judging, Planned, Planner, Terms, migrate};

const ID: &str = "5a1e0001-0000-4000-8000-000000000015";

/// Paths that the user opts into; some of them read like places in a list.
const OPTED: [&str; 8] = ["/name", "/custom", "/x/0", "/x/-1", "/x/01", "/x~1y/m~0n", "/x//", "/target"];

/// Where rows set something, as they write it.
const TARGETS: [&str; 16] = [
    "statusReason",
    "dealValue",
    "closingDateTime",
    "currency",
    "team",
    "solutions",
    "/customerProfile/team",
    "/consent/consentToShareReferralWithMicrosoftSellers",
    "/name",
    "/custom",
    "/x/0",
    "/x/-1",
    "/x/01",
    "/x~1y/m~0n",
    "/x//",
    "/target",
];

/// The outermost members of a referral that something of this holds.
const MEMBERS: [&str; 10] =
    ["details", "team", "customerProfile", "consent", "custom", "x", "x/y", "name", "statusReason", "target"];

fn options() -> Options {
    let allow_paths = OPTED.into_iter().map(|path| Pointer::parse(path).unwrap()).collect();
    Options { format: Some(Format::Jsonl), allow_paths, clear: true, levels: levels(), ..Options::default() }
}

/// Every rule that can be softened warns, so that as much as possible gets as far as its proof.
fn levels() -> Levels {
    let mut levels = Levels::default();
    for rule in Rule::all().filter(|rule| !rule.is_fixed()) {
        levels.set(rule, Level::Warn).unwrap();
    }
    levels
}

fn judging() -> Judging {
    Judging {
        levels: levels(),
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
        new_id: uuid::Uuid::nil,
        inputs: vec!["-".to_owned()],
    }
}

/// What a line of a change file comes to; nothing where the line itself is refused.
fn applied(line: &str, referral: Option<&str>) -> Option<Planned> {
    let mut planner = Planner::new(judging());
    let mut row = 0;
    let mut take = |record: input::Record| {
        row += 1;
        if let Ok(draft) = record.parsed {
            planner.add(row, draft).unwrap();
        }
        Ok::<_, Infallible>(())
    };
    input::read("-", Some(&mut line.as_bytes()), 0, &options(), &mut take).ok()?;
    let snapshot = referral.map(|text| Snapshot::whole(text).unwrap());
    planner.plan(ID.parse().unwrap(), snapshot.as_ref(), |_| false).unwrap()
}

/// What a payload comes to; nothing where it is refused by itself.
fn migrated(payload: &str, referral: &str) -> Option<Planned> {
    let mut found = None;
    let mut take = |record: legacy::PayloadRecord| {
        found = record.parsed.ok();
        Ok::<_, Infallible>(())
    };
    legacy::read("-", Some(&mut payload.as_bytes()), 0, &options(), &mut take).ok()?;
    let terms = Terms { allow_paths: options().allow_paths, clear: true, take: Default::default() };
    let current = Snapshot::whole(referral).unwrap();
    Some(migrate(&found?, None, &current, None, &terms, &judging(), 1).planned)
}

fn is_no_defect(planned: &Planned) -> Result<(), TestCaseError> {
    let findings = &planned.item.findings;
    prop_assert!(!findings.iter().any(|finding| finding.rule == Rule::Proof), "{:?}", findings);
    let told: Vec<String> = findings.iter().map(|finding| spelled(&finding.sentence())).collect();
    prop_assert!(!told.iter().any(|told| told.contains("defect")), "{:?}", told);
    Ok(())
}

/// Names that read like something else.
fn name() -> impl Strategy<Value = String> {
    select(vec![
        "0",
        "-1",
        "-",
        "",
        "~",
        "/",
        "a/b",
        "id",
        "email",
        "dealValue",
        "notes",
        "\\u0030",
        "\\ud83d",
        "value",
    ])
    .prop_map(str::to_owned)
}

/// Values that readers and writers of JSON stumble over.
fn scalar() -> impl Strategy<Value = String> {
    select(vec![
        "null",
        "true",
        "0",
        "-0",
        "-0.0",
        "1e400",
        "-1E+999",
        "1e-400",
        "1.0",
        "9007199254740993",
        "18446744073709551616",
        "0.1000000000000000055511151231257827",
        "\"\"",
        "\"a\"",
        "\"\\ud83d\"",
        "\"\\ude00\\ud83d\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u0000\"",
        "\"1e400\"",
        "\"a@example.com\"",
        "\"A@example.com\"",
        "\"EUR\"",
        "\"2026-12-31\"",
        "\"0\"",
        "{}",
        "[]",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    let object = |members: Vec<(String, String)>| {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let member = r#"{"email":"a@example.com","title":"#;
    let leaf =
        prop_oneof![3 => scalar(), 1 => scalar().prop_map(move |title| format!("[{member}{title}}}]"))];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            proptest::collection::vec((name(), inner.clone()), 0..3).prop_map(object),
            proptest::collection::vec(inner, 0..3).prop_map(|elements| format!("[{}]", elements.join(","))),
        ]
    })
}

/// A referral some of whose members are anything.
fn referral() -> impl Strategy<Value = String> {
    let members = proptest::sample::subsequence(MEMBERS.to_vec(), 0..=5);
    let members = members.prop_flat_map(|names| {
        names
            .into_iter()
            .map(|name| value().prop_map(move |value| format!(",\"{name}\":{value}")))
            .collect::<Vec<_>>()
    });
    members.prop_map(|members| {
        format!(
            r#"{{"id":"{ID}","eTag":"\"v1\"","status":"New","substatus":"Received"{}}}"#,
            members.concat()
        )
    })
}

/// A line that sets some of the targets to anything, or appends to lists, as fields or as operations.
fn line() -> impl Strategy<Value = String> {
    let sets = proptest::collection::vec((select(TARGETS.to_vec()), value()), 1..4);
    let append = prop_oneof![
        Just(String::new()),
        Just(r#","team.add":[{"email":"b@example.com"}]"#.to_owned()),
        scalar()
            .prop_map(|odd| format!(r#","/customerProfile/team/-":{{"email":"a@example.com","x":{odd}}}"#)),
    ];
    (sets, append, any::<bool>()).prop_map(|(sets, append, as_operations)| {
        if as_operations {
            let operation = |(path, value): &(&str, String)| {
                let path =
                    if path.starts_with('/') { (*path).to_owned() } else { format!("/details/{path}") };
                format!(r#"{{"op":"add","path":"{path}","value":{value}}}"#)
            };
            let operations: Vec<String> = sets.iter().map(operation).collect();
            return format!(r#"{{"id":"{ID}","patch":[{}]}}"#, operations.join(","));
        }
        let fields: String = sets.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!(r#"{{"id":"{ID}"{fields}{append}}}"#)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000, failure_persistence: None, rng_seed: RngSeed::Fixed(8259), ..ProptestConfig::default()
    })]

    #[test]
    fn no_line_leads_to_a_defect(line in line(), referral in referral(), is_seen: bool) {
        if let Some(planned) = applied(&line, is_seen.then_some(&referral)) {
            is_no_defect(&planned)?;
        }
    }

    #[test]
    fn no_payload_leads_to_a_defect(payload in referral(), referral in referral()) {
        if let Some(planned) = migrated(&payload, &referral) {
            is_no_defect(&planned)?;
        }
    }
}

/// What is found instead, as `rule message`; `sent` where the document is.
#[test]
fn what_has_no_place_or_no_meaning_is_told() {
    let referral = |members: &str| {
        format!(r#"{{"id":"{ID}","eTag":"\"v1\"","status":"New","substatus":"Received",{members}}}"#)
    };
    for (members, wanted, told) in [
        (r#""x":{"0":1}"#, r#""/x/0":2"#, "sent"),
        (r#""x":{}"#, r#""/x/0":2"#, "sent"),
        (r#""name":"a""#, r#""/x/-1":2"#, "sent"),
        (r#""x":[1]"#, r#""/x/0":2"#, "operation /x is a list, and \"0\" is nothing in it by name"),
        (r#""x":[1]"#, r#""/x/-1":2"#, "operation /x is a list, and \"-1\" is nothing in it by name"),
        (
            r#""details":"odd""#,
            r#""notes":"a""#,
            "operation /details is \"odd\" in the referral, where an object belongs",
        ),
        (
            r#""team":"odd""#,
            r#""team.add":[{"email":"a@example.com"}]"#,
            "operation /team is \"odd\" in the referral, where a list belongs",
        ),
        (
            r#""team":[{"email":"b@example.com","x":1e400,"y":"\ud83d"}]"#,
            r#""team.add":[{"email":"a@example.com"}]"#,
            "sent",
        ),
        (r#""name":"a""#, r#""team":[{"email":"a@example.com","x":1e400}]"#, "refused"),
        (r#""name":"a""#, r#""custom":{"x":"\ud83d"}"#, "refused"),
    ] {
        let line = format!(r#"{{"id":"{ID}",{wanted}}}"#);
        let planned = applied(&line, Some(&referral(members)));
        let got = match &planned {
            None => "refused".to_owned(),
            Some(planned) => match planned.item.findings.iter().find(|finding| finding.is_deny()) {
                Some(finding) => format!("{} {}", finding.rule, finding.message),
                None => "sent".to_owned(),
            },
        };
        assert_eq!(got, told, "{wanted} of {members}");
    }
    let unseen = applied(&format!(r#"{{"id":"{ID}","/x/0":1}}"#), None).unwrap();
    assert_eq!(unseen.item.findings.last().unwrap().rule, Rule::Operation);
}
