//! The way back as a property: whatever the referral and whatever was made of it, the change file of the way back gives
//! every field its old value, or the field is told as one that can't be taken back, and why is true.

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseResult};
use referral_bulk::domain::account::{InputInfo, Settled};
use referral_bulk::domain::change::Draft;
use referral_bulk::domain::fields::Kind;
use referral_bulk::domain::format::Format;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::outcome::{Outcome, Verdict};
use referral_bulk::domain::pointer::Pointer;
use referral_bulk::domain::referral::ETag;
use referral_bulk::domain::rules::{Levels, Rule};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::domain::subject::Subject;
use referral_bulk::domain::way_back::{Obstacle, StuckField, WayBack};
use referral_bulk::input;
use referral_bulk::plan::{Judging, Planned, Planner, ReturnTerms, SentChange, inverse};
use referral_bulk::report::{UndoFiles, beside};
use serde_json::value::RawValue;

use crate::support::json::Json;
use crate::support::model::{FIELDS, OPTED, Outlook, alike, is_list, key, outlook};
use crate::support::referrals::{ID, referral};
use crate::support::wishes::{rows, spread, wishes};

/// Every rule that can be softened warns, so that whatever is wanted is made.
fn lenient() -> Levels {
    let mut levels = Levels::default();
    for rule in Rule::all().filter(|rule| !rule.is_fixed()) {
        levels.set(rule, Level::Warn).unwrap();
    }
    levels
}

fn plan(rows: Vec<Draft>, current: &str, levels: Levels) -> Planned {
    let mut planner = Planner::new(Judging {
        levels,
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
        new_id: uuid::Uuid::nil,
        inputs: vec!["changes.csv".to_owned()],
    });
    (1..).zip(rows).for_each(|(row, draft)| assert_eq!(planner.add(row, draft), Ok(1)));
    assert_eq!(planner.decided().unwrap().len(), 0);
    let snapshot = Snapshot::whole(current).unwrap();
    planner.plan(ID.parse().unwrap(), Some(&snapshot), |_| false).unwrap().unwrap()
}

/// The rows of the change file that is written of a way back.
fn written(back: &WayBack, levels: &Levels) -> Vec<Draft> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("back.jsonl");
    let inputs: [InputInfo; 0] = [];
    let mut files = UndoFiles::begin(&file, &inputs).unwrap();
    files
        .add(back, Some(&Subject { name: Some("Fabrikam \u{fffd}".to_owned()), ..Subject::default() }), None)
        .unwrap();
    files.finish(false).unwrap();
    let told = std::fs::read_to_string(beside(&file)).unwrap();
    let mut told = csv::Reader::from_reader(told.as_bytes());
    assert_eq!(told.records().map(Result::unwrap).count(), back.stuck.len());
    let options = input::Options {
        format: Some(Format::Jsonl),
        allow_paths: OPTED.iter().map(|(path, _)| Pointer::parse(path).unwrap()).collect(),
        clear: back.fields.iter().any(|field| field.clears),
        levels: levels.clone(),
        ..input::Options::default()
    };
    let mut drafts = Vec::new();
    input::read::<std::convert::Infallible>(file.to_str().unwrap(), None, 0, &options, &mut |record| {
        drafts.push(record.parsed.unwrap_or_else(|rejected| panic!("{:?} of {back:?}", rejected.findings)));
        Ok(())
    })
    .unwrap();
    drafts
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500, failure_persistence: None, rng_seed: RngSeed::Fixed(6914), ..ProptestConfig::default()
    })]

    #[test]
    fn the_way_back_leads_back(referral in referral(), wishes in wishes(), spread in spread()) {
        let text = referral.to_string();
        let planned = plan(rows(&wishes, &spread), &text, lenient());
        if planned.verdict.is_some() {
            return Ok(());
        }
        let outlook = outlook(&referral, &wishes);
        let made = moved(&outlook.referral);
        let settled = Settled {
            verdict: Verdict::new(Outcome::Applied, "applied", ""),
            etag: Some(ETag::from_service("\"made\"").unwrap()),
            theirs: None,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let subject = Subject::of(&Snapshot::whole(&text).unwrap());
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let terms = ReturnTerms { levels: Levels::default(), was_read: true, now };
        let sent = SentChange { item: &planned.item, settled: Some(&settled), subject: subject.as_ref() };
        let back = inverse(sent, &terms);
        tells_every_field_once(&back, &outlook)?;
        for stuck in &back.stuck {
            is_true(stuck, &referral, &made, &outlook)?;
        }
        if back.fields.is_empty() {
            return Ok(());
        }
        prop_assert_eq!(back.etag.as_ref().map(ETag::as_str), Some("\"made\""));
        let mut levels = Levels::default();
        back.let_pass.iter().for_each(|rule| levels.set(*rule, Level::Warn).unwrap());
        let drafts = written(&back, &levels);
        prop_assert_eq!(drafts.len(), 1);
        let again = plan(drafts, &made.to_string(), levels);
        prop_assert!(again.verdict.is_none(), "{:?} of {:?}", again.verdict, back);
        let restored = applied(&made, &again);
        for field in &back.fields {
            let pointer = field.path.pointer().as_str();
            let was = referral.at(pointer).cloned().unwrap_or(Json::Null);
            let is = restored.at(pointer);
            let is_as_before = match pointer {
                "/status" | "/substatus" => is.and_then(Json::as_text).map(str::to_lowercase)
                    == was.as_text().map(str::to_lowercase),
                // Digits are the service's own.
                _ => is_again(field.path.kind(), is, &was),
            };
            prop_assert!(is_as_before, "{} was {}, is {:?}", pointer, was, is);
        }
    }
}

/// The referral at the version that the change made.
fn moved(referral: &Json) -> Json {
    let mut made = referral.clone();
    made.put("/eTag", Json::text("\"made\""));
    made
}

/// What a document makes of a referral, by another implementation of JSON Patch.
fn applied(referral: &Json, planned: &Planned) -> Json {
    #[derive(serde::Deserialize)]
    struct Operation {
        path: String,
        value: Box<RawValue>,
    }
    let mut after = referral.clone();
    for Operation { path, value } in serde_json::from_str::<Vec<Operation>>(planned.item.patch.get()).unwrap()
    {
        match path.strip_suffix("/-") {
            Some(list) => {
                let mut elements = after.at(list).unwrap().elements().to_vec();
                elements.push(json(&value));
                after.put(list, Json::List(elements));
            }
            None => after.put(&path, json(&value)),
        }
    }
    after
}

fn json(raw: &RawValue) -> Json {
    let text = raw.get();
    match text.as_bytes()[0] {
        b'n' => Json::Null,
        b't' | b'f' => Json::Bool(text == "true"),
        b'"' => Json::Text(serde_json::from_str(text).unwrap()),
        b'[' => {
            Json::List(serde_json::from_str::<Vec<&RawValue>>(text).unwrap().into_iter().map(json).collect())
        }
        b'{' => {
            let members = referral_bulk::domain::json::Object::parse(text).unwrap();
            Json::Object(members.iter().map(|(name, value)| (name.to_owned(), json(value))).collect())
        }
        _ => Json::Number(text.to_owned()),
    }
}

/// Whether a field has its old meaning again.
fn is_again(kind: Kind, is: Option<&Json>, was: &Json) -> bool {
    match (kind, was) {
        (Kind::Decimal, Json::Text(digits)) if !digits.is_empty() => {
            alike(kind, is, &Json::Number(digits.clone()))
        }
        _ => alike(kind, is, was),
    }
}

fn tells_every_field_once(back: &WayBack, outlook: &Outlook) -> TestCaseResult {
    let fields = back.fields.iter().map(|field| &field.path);
    let mut told: Vec<String> = fields
        .chain(back.stuck.iter().map(|stuck| &stuck.path))
        .map(|path| path.pointer().to_string())
        .collect();
    told.sort();
    prop_assert_eq!(&told, &outlook.changed);
    Ok(())
}

/// Why a field can't be taken back is so, and it is told what it had.
fn is_true(stuck: &StuckField, before: &Json, after: &Json, outlook: &Outlook) -> TestCaseResult {
    let pointer = stuck.path.pointer().as_str();
    let was = before.at(pointer);
    let told = stuck.before.as_deref().map(json);
    prop_assert_eq!(told.as_ref(), was.filter(|was| **was != Json::Null), "{}", pointer);
    let kind = FIELDS.iter().chain(&OPTED).find(|(known, _)| *known == pointer).map(|(_, kind)| *kind);
    let word =
        |of: &Json, name: &str| of.get(name).and_then(Json::as_text).unwrap_or_default().to_lowercase();
    let holds = match stuck.obstacle {
        Obstacle::Closed => outlook.closes,
        Obstacle::NotThere => was.is_none(),
        Obstacle::NoNull => {
            matches!(kind, Some(Kind::Currency | Kind::Boolean))
                && matches!(was, Some(Json::Null | Json::Text(_)))
        }
        Obstacle::Transition => {
            let order = ["new", "active", "closed"];
            let at = |of| order.iter().position(|status| *status == word(of, "status"));
            at(before) < at(after)
        }
        Obstacle::UnknownStage => {
            let stages = [
                ("new", "pending"),
                ("new", "received"),
                ("active", "accepted"),
                ("closed", "won"),
                ("closed", "lost"),
                ("closed", "declined"),
                ("closed", "expired"),
            ];
            !stages.contains(&(word(before, "status").as_str(), word(before, "substatus").as_str()))
        }
        Obstacle::Denied(Rule::Type) => match (kind.unwrap(), was.unwrap()) {
            // What nothing tells apart, or names two alike, has no place in a change file.
            (kind, Json::List(elements)) if is_list(kind) => {
                elements.iter().any(|element| key(kind, element).is_none())
            }
            (Kind::Currency, Json::Text(code)) => code != "EUR" && code != "USD",
            _ => false,
        },
        _ => false,
    };
    prop_assert!(holds, "{} was {:?}, and {:?}: {}", pointer, was, stuck.obstacle, stuck.message);
    Ok(())
}
