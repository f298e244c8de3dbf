//! Any bytes at all.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

/// Values as referrals hold them; numbers that need all of their digits are checked elsewhere.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zé\"\\\\/*,:{}\\[\\]#\n\t ]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[b-h][a-hA-Hé]{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn payload() -> impl Strategy<Value = Value> {
    let names = ["name", "details", "customerProfile", "team", "salesStage", "x", "@odata.context"];
    let members = prop::collection::btree_map(prop::sample::select(names.to_vec()), value(), 0..6);
    (members, 1..4_usize, 1..8_usize).prop_map(|(members, status, substatus)| {
        let mut all = Map::new();
        all.insert("id".to_owned(), ID.into());
        all.insert("eTag".to_owned(), "\"v1\"".into());
        all.insert("status".to_owned(), normalise::status_of(&status.to_string()).into());
        all.insert("substatus".to_owned(), normalise::substatus_of(&substatus.to_string()).into());
        all.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Value::Object(all)
    })
}

/// The same as a .NET integration would have written it.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let pascal = |(name, value): (&String, &Value)| {
                let first = name.chars().next().unwrap().to_ascii_uppercase();
                (format!("{first}{}", &name[first.len_utf8()..]), self::pascal(value))
            };
            Value::Object(members.iter().map(pascal).collect())
        }
        Value::Array(elements) => elements.iter().map(pascal).collect(),
        other => other.clone(),
    }
}

/// Pretty JSON with a comment on every line, and a comma behind every last element.
fn slovenly(pretty: &str) -> String {
    let mut lines: Vec<String> = pretty.lines().map(str::to_owned).collect();
    for at in 1..lines.len() {
        let closes = lines[at].trim_start().starts_with(['}', ']']);
        if closes && !lines[at - 1].ends_with(['{', '[']) {
            lines[at - 1].push(',');
        }
    }
    lines.iter().map(|line| format!("{line} // \"}}\"\n/* \"{{ *]\" */\n")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_payload_is_the_same_in_every_form(payload in payload()) {
        let (compact, pretty) = (payload.to_string(), format!("{payload:#}"));
        let put = format!("PUT https://x/referrals/{ID}\nIf-Match: \"v1\"\n");
        let large = pascal(&payload);
        let numbers = {
            let mut members = payload.as_object().unwrap().clone();
            let position = |name: &str, of: fn(&str) -> Option<&'static str>| {
                (1..8).find(|number: &usize| of(&number.to_string()) == payload[name].as_str()).unwrap()
            };
            members.insert("status".to_owned(), position("status", normalise::status_of).into());
            members.insert("substatus".to_owned(), position("substatus", normalise::substatus_of).into());
            Value::Object(members)
        };
        for (format, text, copies) in [
            (Format::Jsonl, format!("{compact}\n\n{compact}"), 2),
            (Format::Jsonl, numbers.to_string(), 1),
            (Format::Jsonl, large.to_string(), 1),
            (Format::Json, compact.clone(), 1),
            (Format::Json, pretty.clone(), 1),
            (Format::Json, format!("{pretty}\n{pretty}\n"), 2),
            (Format::Json, format!("[{compact},{compact}]"), 2),
            (Format::Json, format!("{:#}", Value::from(vec![payload.clone(), payload.clone()])), 2),
            (Format::Json, slovenly(&pretty), 1),
            (Format::Json, slovenly(&format!("{:#}", Value::from(vec![large.clone(), payload.clone()]))), 2),
            (Format::Http, format!("{put}\n{compact}\n###\n{put}\n{pretty}\n"), 2),
            (Format::Http, format!("{put}Authorization: Bearer x\n\n{}", slovenly(&format!("{large:#}"))), 1),
        ] {
            let records = records(&text, &options(format));
            prop_assert_eq!(records.len(), copies, "{}", text);
            for record in &records {
                let read: Value = serde_json::from_str(body(record)).unwrap();
                prop_assert_eq!(&read, &payload, "{}", text);
                let again = super::records(line(record), &options(Format::Jsonl));
                prop_assert_eq!(again.len(), 1);
                prop_assert_eq!(body(&again[0]).parse::<Value>().unwrap(), read);
            }
        }
    }

    #[test]
    fn bytes_never_lead_to_a_panic_and_every_payload_comes_once(
        words in prop::collection::vec(prop_oneof![
            Just(format!("{{\"id\":\"{ID}\"}}")),
            Just(format!("PUT https://x/referrals/{ID}\n\n")),
            Just("###\n".to_owned()),
            Just("If-Match: *\n".to_owned()),
            Just("// x\n".to_owned()),
            "[a{}\\[\\]\":,;\t\n\r 0é\\\\/*#@<>]{0,6}",
        ], 0..30),
        bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for format in [Format::Jsonl, Format::Json, Format::Http] {
            for bytes in [words.concat().as_bytes(), &bytes[..]] {
                let (records, _) = read_bytes(bytes, &options(format));
                let places: Vec<Location> = records.iter().map(|record| record.place).collect();
                // Half a character takes no column.
                prop_assert!(places.is_sorted(), "{:?}", places);
                for record in &records {
                    outcome(record);
                }
            }
        }
    }
}
