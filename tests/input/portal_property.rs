//! A file of Partner Center's, edited and saved in whatever form, plans what the same changes plan as a change file.
//!
//! The expectation is made beside the file, from the same edits: as JSON lines, which know nothing of cells, headers,
//! separators or encodings.

use std::convert::Infallible;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};
use referral_bulk::domain::format::Format;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::reasons;
use referral_bulk::domain::run_spec::MappedColumn;
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::input::{self, Options};
use referral_bulk::plan::{Judging, Planner};
use serde_json::{Map, Value, json};

use crate::portal::{Deal, id, shown, written};
use crate::support::samples::sample_referral;

/// The column of a reason, under the name that the second generation has for it.
const REASON: &str = "Declined/Lost/Error reason";

/// The columns of single values, with the fields that they go to.
const MAPPED: [(&str, &str); 12] = [
    ("Referral ID", "id"),
    ("Partner Referral Status", "status"),
    ("Partner Referral Substatus", "substatus"),
    (REASON, "statusReason"),
    ("Sales Stage", "salesStage"),
    ("Estimated Deal Value", "dealValue"),
    ("Currency", "currency"),
    ("Estimated Close Date", "closingDateTime"),
    ("CRM ID", "externalReferenceId"),
    ("Marketing Campaign ID", "campaignId"),
    ("Notes", "notes"),
    ("Share with Microsoft sales team", "/consent/consentToShareReferralWithMicrosoftSellers"),
];

/// One edit: the cells that somebody writes, and the members of a line that ask for the same.
#[derive(Debug, Clone)]
struct Edit {
    cells: Vec<(&'static str, String)>,
    members: Vec<(&'static str, Value)>,
}

fn edit(column: &'static str, cell: impl Into<String>, member: &'static str, value: Value) -> Edit {
    Edit { cells: vec![(column, cell.into())], members: vec![(member, value)] }
}

/// An edit of a text, with an apostrophe or without where a spreadsheet could run it.
fn text(column: &'static str, member: &'static str, of: &'static str) -> BoxedStrategy<Edit> {
    (of, any::<bool>())
        .prop_filter("a blank cell leaves alone", |(text, _)| !text.trim().is_empty())
        .prop_map(move |(text, is_guarded)| {
            let guard = if is_guarded && text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
            edit(column, format!("{guard}{text}"), member, json!(text))
        })
        .boxed()
}

/// An edit of the stage: its words, or the second of them alone, with the number of a reason where it takes one.
fn stage() -> BoxedStrategy<Edit> {
    let stages = vec![
        ("New", "Received", false),
        ("Active", "Accepted", false),
        ("Closed", "Won", false),
        ("Closed", "Lost", true),
        ("Closed", "Declined", true),
    ];
    (select(stages), 1..=8_u8, any::<bool>())
        .prop_map(|((status, substatus, takes_reason), reason, is_short)| {
            let status = if is_short { "" } else { status };
            let mut edit = edit("Partner Referral Substatus", substatus, "substatus", json!(substatus));
            edit.cells.push(("Partner Referral Status", status.to_owned()));
            if takes_reason {
                edit.cells.push((REASON, reason.to_string()));
                edit.members.push(("statusReason", json!(reasons::TABLE[usize::from(reason) - 1])));
            }
            edit
        })
        .boxed()
}

/// An edit of an amount, written with a point or with a comma.
fn amount() -> BoxedStrategy<Edit> {
    (1..9_999_999_u32, 0..100_u8, 0..3_u8)
        .prop_map(|(whole, cents, form)| {
            let (millions, rest) = (whole / 1_000, whole % 1_000);
            let cell = match form {
                0 => format!("{whole}.{cents:02}"),
                1 => format!("{whole},{cents:02}"),
                _ if millions == 0 => whole.to_string(),
                _ => format!("{millions}.{rest:03},{cents:02}"),
            };
            let cents = if form == 2 && millions == 0 { 0 } else { cents };
            let value: Value = serde_json::from_str(&format!("{whole}.{cents:02}")).unwrap();
            edit("Estimated Deal Value", cell, "dealValue", value)
        })
        .prop_filter("its thousands may be in groups of three at most", |edit| {
            edit.cells[0]
                .1
                .split('.')
                .next()
                .is_some_and(|first| first.len() <= 3 || !edit.cells[0].1.contains(','))
                || !edit.cells[0].1.contains('.')
        })
        .boxed()
}

/// An edit of the closing date, with or without zeros in front; no sample closes so late.
fn date() -> BoxedStrategy<Edit> {
    (2041..2049_u16, 1..=12_u8, 1..=28_u8, any::<bool>())
        .prop_map(|(year, month, day, is_short)| {
            let cell = if is_short {
                format!("{month}/{day}/{year}")
            } else {
                format!("{month:02}/{day:02}/{year}")
            };
            edit(
                "Estimated Close Date",
                cell,
                "closingDateTime",
                json!(format!("{year}-{month:02}-{day:02}T00:00:00Z")),
            )
        })
        .boxed()
}

/// An edit of the team: somebody who is added, or another phone of the first.
fn team(referral: &Value) -> BoxedStrategy<Edit> {
    let team = referral["team"].as_array().unwrap().clone();
    ("[A-Zäöü][a-zé]{1,8}", "[+][0-9 ]{5,9}[0-9]", any::<bool>())
        .prop_map(move |(name, phone, is_added)| {
            if is_added {
                let email = "somebody.new@partner.example.com";
                let cell = format!("{name}, Ek, {phone}, {email}");
                let member =
                    json!({"firstName": name, "lastName": "Ek", "phoneNumber": phone, "email": email});
                return edit("Team member 3", cell, "/team/-", member);
            }
            let mut team = team.clone();
            let part = |name: &str| team[0][name].as_str().unwrap();
            let cell = format!(
                "{},{}, {phone},{}",
                part("firstName"),
                part("lastName"),
                part("email").to_uppercase()
            );
            team[0]["phoneNumber"] = json!(phone);
            edit("Team member 1", cell, "team", Value::Array(team))
        })
        .boxed()
}

/// An edit of the solutions: one that is added, or a quantity of the first.
fn solutions(referral: &Value) -> BoxedStrategy<Edit> {
    let list = referral["details"]["requirements"]["solutions"].as_array().unwrap().clone();
    (any::<bool>(), 1..500_u16, select(vec!["EUR", "USD"]))
        .prop_map(move |(is_added, quantity, currency)| {
            if is_added {
                let cell = format!("SOL-NEW, {currency}, 75, {quantity}");
                let solution =
                    json!({"id": "SOL-NEW", "currency": currency, "price": 75, "quantity": quantity});
                return edit("Solution 3", cell, "/details/requirements/solutions/-", solution);
            }
            let mut list = list.clone();
            let cell = format!("{},,,{quantity}", list[0]["id"].as_str().unwrap());
            list[0]["quantity"] = json!(quantity);
            edit("Solution 1", cell, "/details/requirements/solutions", Value::Array(list))
        })
        .boxed()
}

/// Some of all edits of a referral.
fn edits(referral: &Value) -> BoxedStrategy<Vec<Edit>> {
    let some = |edit: BoxedStrategy<Edit>| proptest::option::weighted(0.4, edit);
    let single = (
        some(stage()),
        some(amount()),
        some(date()),
        some(
            (select(vec![10, 20, 40, 60, 80, 100]), select(vec!["", "%", " %"]))
                .prop_map(|(stage, sign)| {
                    edit("Sales Stage", format!("{stage}{sign}"), "salesStage", json!(stage.to_string()))
                })
                .boxed(),
        ),
        some(
            select(vec!["EUR", "USD", "JPY"])
                .prop_map(|code| edit("Currency", code, "currency", json!(code)))
                .boxed(),
        ),
        some(text("CRM ID", "externalReferenceId", "[-0-9A-Z]{1,12}")),
        some(text("Marketing Campaign ID", "campaignId", "[-=@0-9a-z;,]{1,12}")),
        some(text("Notes", "notes", "[-=+@a-zA-Zäöüßé ,;\"\t\n]{1,24}")),
        some(
            Just(edit(
                "Share with Microsoft sales team",
                "yes",
                "/consent/consentToShareReferralWithMicrosoftSellers",
                json!(true),
            ))
            .boxed(),
        ),
    );
    (single, some(team(referral)), some(solutions(referral)))
        .prop_map(|((stage, amount, date, sales, currency, crm, campaign, notes, share), team, solutions)| {
            let all = [stage, amount, date, sales, currency, crm, campaign, notes, share, team, solutions];
            all.into_iter().flatten().collect()
        })
        .boxed()
}

/// How a file is saved.
#[derive(Debug, Clone)]
struct Form {
    separator: u8,
    encoding: &'static str,
    is_unix: bool,
    /// Which generation's name the column of reasons has, and how names are set.
    generation: usize,
    has_stars: bool,
    is_upper: bool,
    /// Whether the names are in another language, and the user says what they mean.
    is_foreign: bool,
}

fn form() -> impl Strategy<Value = Form> {
    let encodings = vec!["UTF-8", "UTF-8 with mark", "UTF-16LE", "UTF-16BE", "Windows-1252"];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), proptest::bool::weighted(0.2));
    (select(b",;\t".to_vec()), select(encodings), 0..3_usize, flags).prop_map(
        |(separator, encoding, generation, (is_unix, has_stars, is_upper, is_foreign))| Form {
            separator,
            encoding,
            is_unix,
            generation,
            has_stars,
            is_upper,
            is_foreign,
        },
    )
}

impl Form {
    /// Returns the name of a column as the file has it.
    fn name(&self, name: &str) -> String {
        if self.is_foreign {
            return MAPPED
                .iter()
                .find(|(known, _)| *known == name)
                .map_or(name, |(_, field)| field)
                .chars()
                .rev()
                .collect();
        }
        let reasons = ["Declined/Lost reason", REASON, "Decline/Lost/Error reason"];
        let name = if name == REASON { reasons[self.generation] } else { name };
        let name = if self.is_upper { name.to_uppercase() } else { name.to_owned() };
        if self.has_stars { format!("{name} *") } else { name }
    }

    /// Returns the bytes of a text.
    fn bytes(&self, text: &str) -> Vec<u8> {
        let text = if self.is_unix { text.replace("\r\n", "\n") } else { text.to_owned() };
        let marked = format!("\u{feff}{text}");
        match self.encoding {
            "UTF-8 with mark" => marked.into_bytes(),
            "UTF-16LE" => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16BE" => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            "Windows-1252" => match encoding_rs::WINDOWS_1252.encode(&text) {
                (bytes, _, false) => bytes.into_owned(),
                // What this encoding lacks is not saved in it.
                _ => text.into_bytes(),
            },
            _ => text.into_bytes(),
        }
    }
}

/// What a file comes to for a referral: the outcome that is known beforehand, and the operations.
fn planned(bytes: &[u8], options: &Options, referral: &str) -> (Option<Outcome>, Value, Vec<String>) {
    let mut planner = Planner::new(Judging {
        levels: options.levels.clone(),
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
        new_id: uuid::Uuid::nil,
        inputs: vec!["-".to_owned()],
    });
    let mut findings = Vec::new();
    let mut take = |record: input::Record| {
        match record.parsed {
            Ok(draft) => drop(planner.add(1, draft).unwrap()),
            Err(rejected) => {
                findings.extend(rejected.findings.iter().map(|finding| finding.message.clone()));
                planner.add_rejected(1, rejected).unwrap();
            }
        }
        Ok::<_, Infallible>(())
    };
    let read = input::read("-", Some(&mut &bytes[..]), 0, options, &mut take);
    let read = read.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!((read.contradiction, read.date_contradiction), (None, None));
    let snapshot = Snapshot::whole(referral).unwrap();
    let planned = planner.plan(snapshot.id(), Some(&snapshot), |_| false).unwrap().unwrap();
    findings.extend(planned.item.findings.iter().map(|finding| finding.message.clone()));
    let operations = serde_json::from_str(planned.item.patch.get()).unwrap();
    (planned.verdict.map(|verdict| verdict.outcome), operations, findings)
}

/// The same edits as a line of a change file.
fn line(id: &Value, edits: &[Edit]) -> String {
    let mut members = Map::new();
    members.insert("id".to_owned(), id.clone());
    let given = edits.iter().flat_map(|edit| &edit.members);
    members.extend(given.map(|(name, value)| ((*name).to_owned(), value.clone())));
    format!("{}\n", Value::Object(members))
}

/// An edited file of one deal: some cells of others are emptied, and its columns stand in some order.
fn portal_file(referral: &Value, edits: &[Edit], form: &Form, order: &[u16]) -> (Vec<u8>, Options) {
    let mut deal: Deal = shown(referral);
    let mut edited: Vec<&str> = vec!["Referral ID", "Deal Name"];
    for (column, cell) in edits.iter().flat_map(|edit| &edit.cells) {
        deal.insert((*column).to_owned(), cell.clone());
        edited.push(column);
    }
    // The number of a sample has a point, and an edited one may have a comma.
    let chance = |at: usize| order[at % order.len()];
    let mut cells: Vec<(u16, String, String)> = Vec::new();
    for (at, (name, cell)) in deal.into_iter().enumerate() {
        let is_mapped = MAPPED.iter().any(|(known, _)| *known == name);
        if form.is_foreign && !is_mapped {
            continue;
        }
        let is_emptied = chance(at) % 5 == 0 && !edited.contains(&name.as_str());
        let cell = if is_emptied { String::new() } else { cell };
        cells.push((chance(at * 7 + 3), form.name(&name), cell));
    }
    cells.sort();
    let (header, row) = cells.into_iter().map(|(_, name, cell)| (name, cell)).unzip();
    let mapped = |(name, field): (&str, &str)| MappedColumn {
        column: form.name(name),
        field: field.to_owned(),
        from_settings: false,
    };
    let mapped = if form.is_foreign { MAPPED.into_iter().map(mapped).collect() } else { Vec::new() };
    let options = Options { format: Some(Format::PortalCsv), mapped, ..Options::default() };
    (form.bytes(&written(&[header, row], form.separator)), options)
}

/// A sample with a team and solutions, and edits of it.
fn edited_referral() -> impl Strategy<Value = (Value, Vec<Edit>)> {
    let samples: Vec<Value> = (1..=30).map(|number| sample_referral(&id(number))).collect();
    let has = |referral: &Value, pointer: &str| {
        referral.pointer(pointer).and_then(Value::as_array).is_some_and(|list| (1..3).contains(&list.len()))
    };
    let whole = |referral: &Value| {
        has(referral, "/team")
            && has(referral, "/details/requirements/solutions")
            && referral["details"].get("dealValue").is_some()
            && referral["consent"].is_object()
    };
    let samples: Vec<Value> = samples.into_iter().filter(whole).collect();
    assert!(samples.len() > 3, "{}", samples.len());
    select(samples).prop_flat_map(|referral| {
        let edits = edits(&referral);
        (Just(referral), edits)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150, failure_persistence: None, rng_seed: RngSeed::Fixed(4127), ..ProptestConfig::default()
    })]

    #[test]
    fn an_edited_file_plans_what_the_same_changes_plan(
        (referral, edits) in edited_referral(),
        form in form(),
        order in proptest::collection::vec(any::<u16>(), 40),
    ) {
        let is_single = |edit: &Edit| edit.cells.iter().all(|(column, _)| MAPPED.iter().any(|(known, _)| known == column));
        let edits: Vec<Edit> = edits.into_iter().filter(|edit| !form.is_foreign || is_single(edit)).collect();
        let (bytes, options) = portal_file(&referral, &edits, &form, &order);
        let text = referral.to_string();
        let (outcome, operations, findings) = planned(&bytes, &options, &text);
        let jsonl = Options { format: Some(Format::Jsonl), ..Options::default() };
        let wanted = planned(line(&referral["id"], &edits).as_bytes(), &jsonl, &text);
        prop_assert_eq!((outcome, operations), (wanted.0, wanted.1), "{:?}\n{:?}", findings, wanted.2);
    }
}

/// Most of what is made up so is sound and changes something, so that the comparison above means something.
#[test]
fn most_edits_change_something() {
    let mut runner = TestRunner::deterministic();
    let jsonl = Options { format: Some(Format::Jsonl), ..Options::default() };
    let changing = (0..30).filter(|_| {
        let (referral, edits) = edited_referral().new_tree(&mut runner).unwrap().current();
        let (outcome, operations, _) =
            planned(line(&referral["id"], &edits).as_bytes(), &jsonl, &referral.to_string());
        outcome.is_none() && operations.as_array().is_some_and(|operations| !operations.is_empty())
    });
    let changing = changing.count();
    assert!(changing > 15, "{changing}");
}
