//! What is true: every referral with its whole history. It shares nothing with the program: it has its own
//! JSON Patch, its own eTags, and its own idea of whether a referral holds a change.

use referral_bulk::domain::item::Change;
use referral_bulk::domain::referral::ReferralId;
use serde_json::{Map, Value, json};

/// Who made a version of a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// It was there before the run.
    Seed,
    /// Somebody else.
    Others,
    /// The run. `late` where the program had given up waiting for it by then.
    Ours { late: bool },
}

#[derive(Debug, Clone)]
pub struct Version {
    /// Virtual milliseconds.
    pub at: u64,
    pub by: By,
    pub state: Value,
}

/// A referral, the first version first.
#[derive(Debug, Clone)]
pub struct Truth {
    number: usize,
    pub versions: Vec<Version>,
}

impl Truth {
    pub fn new(number: usize, mut state: Value) -> Self {
        state["eTag"] = etag(number, 0).into();
        Self { number, versions: vec![Version { at: 0, by: By::Seed, state }] }
    }

    pub fn number(&self) -> u64 {
        self.number as u64
    }

    pub fn id(&self) -> ReferralId {
        id(self.number).parse().unwrap()
    }

    pub fn now(&self) -> &Value {
        &self.versions.last().unwrap().state
    }

    /// The state at a time, as a read that lags behind shows it.
    pub fn at(&self, at: u64) -> &Value {
        let known = self.versions.iter().take_while(|version| version.at <= at).last();
        &known.unwrap_or(&self.versions[0]).state
    }

    /// When it was last changed by a time.
    pub fn changed_at(&self, at: u64) -> u64 {
        self.versions.iter().take_while(|version| version.at <= at).last().map_or(0, |version| version.at)
    }

    /// The place of the current version in the history.
    pub fn latest(&self) -> usize {
        self.versions.len() - 1
    }

    pub fn etag(&self) -> &str {
        self.now()["eTag"].as_str().unwrap()
    }

    /// Applies a document as a whole, or says why not.
    pub fn patch(&mut self, document: &str, at: u64, by: By) -> Result<(), String> {
        let mut state = self.now().clone();
        let operations: Vec<Value> = serde_json::from_str(document).map_err(|error| error.to_string())?;
        for operation in &operations {
            let (op, path) = (operation["op"].as_str(), operation["path"].as_str());
            operate(&mut state, op.unwrap_or(""), path.unwrap_or(""), operation["value"].clone())?;
        }
        self.push(state, at, by);
        Ok(())
    }

    /// Somebody else sets a value.
    pub fn edit(&mut self, pointer: &str, value: Value, at: u64) {
        let mut state = self.now().clone();
        if state["details"].is_null() {
            state["details"] = Value::Object(Map::new());
        }
        operate(&mut state, "add", pointer, value).unwrap();
        self.push(state, at, By::Others);
    }

    fn push(&mut self, mut state: Value, at: u64, by: By) {
        state["eTag"] = etag(self.number, self.versions.len()).into();
        self.versions.push(Version { at, by, state });
    }

    /// The run's own versions.
    pub fn ours(&self) -> impl Iterator<Item = (usize, &Version)> {
        self.versions.iter().enumerate().filter(|(_, version)| matches!(version.by, By::Ours { .. }))
    }
}

fn etag(number: usize, version: usize) -> String {
    format!("\"referral-{number}-version-{version}\"")
}

fn operate(state: &mut Value, op: &str, path: &str, value: Value) -> Result<(), String> {
    let (parent, name) = path.rsplit_once('/').ok_or("no path")?;
    let parent = state.pointer_mut(parent).ok_or_else(|| format!("{path} has no parent"))?;
    match (parent, op) {
        (Value::Array(list), "add") if name == "-" => list.push(value),
        (Value::Object(members), "add") => drop(members.insert(name.to_owned(), value)),
        (Value::Object(members), "replace") if members.contains_key(name) => {
            members.insert(name.to_owned(), value);
        }
        (Value::Null, "add") => return Err(format!("{path} is in null")),
        _ => return Err(format!("{op} {path} cannot be done")),
    }
    Ok(())
}

/// Whether a referral holds all changes of a document.
pub fn holds(state: &Value, changes: &[Change]) -> bool {
    changes.iter().all(|change| {
        let there = state.pointer(change.path.pointer().as_str()).unwrap_or(&Value::Null);
        if change.appended.is_empty() {
            return same(there, &parsed(change.after.get()));
        }
        let list = there.as_array().cloned().unwrap_or_default();
        change.appended.iter().all(|element| list.contains(&parsed(element.get())))
    })
}

/// Whether an answer to a change says of each of its fields what stands there. What it leaves out, or shows as
/// null where a list belongs, may be there all the same.
pub fn is_seen(answer: &Value, changes: &[Change]) -> bool {
    changes.iter().all(|change| {
        let is_list = parsed(change.after.get()).is_array();
        let there = answer.pointer(change.path.pointer().as_str());
        there.is_some_and(|there| !(is_list && there.is_null()))
    })
}

/// Whether a referral holds any of the changes where it was planned from another value.
pub fn holds_some(state: &Value, changes: &[Change]) -> bool {
    changes.iter().any(|change| {
        let is_news = change.before.is_some() && !is_as_before(state, std::slice::from_ref(change));
        is_news && holds(state, std::slice::from_ref(change))
    })
}

/// What a document took away.
pub struct Lost {
    pub what: String,
    /// Whether it is a member of an element that stays on its list.
    pub is_of_list: bool,
}

/// What a document took away that no change of it names: a value, a member of an element that stays on its
/// list, or an object that it made in the place of another one.
pub fn lost(before: &Value, after: &Value, changes: &[Change], document: &str) -> Option<Lost> {
    let named: Vec<&str> = changes.iter().map(|change| change.path.pointer().as_str()).collect();
    let operations: Vec<Value> = serde_json::from_str(document).unwrap();
    let made = operations.iter().filter_map(|operation| operation["path"].as_str()).find(|path| {
        let is_around = named.iter().any(|named| named.starts_with(&format!("{path}/")));
        is_around && before.pointer(path).is_some_and(|there| !there.is_null())
    });
    let made = made.map(|path| Lost { what: format!("it makes {path}, which is there"), is_of_list: false });
    made.or_else(|| lost_within("", before, after, &named))
}

fn lost_within(at: &str, before: &Value, after: &Value, named: &[&str]) -> Option<Lost> {
    if at == "/eTag" {
        return None;
    }
    match (before, after) {
        _ if named.contains(&at) => lost_of_list(before, after)
            .map(|what| Lost { what: format!("{at} loses {what}"), is_of_list: true }),
        (Value::Object(before), Value::Object(after)) => before.iter().find_map(|(name, before)| {
            let after = after.get(name).unwrap_or(&Value::Null);
            lost_within(&format!("{at}/{name}"), before, after, named)
        }),
        _ => (!same(before, after))
            .then(|| Lost { what: format!("{at} was {before}, and no row names it"), is_of_list: false }),
    }
}

/// What an element that stays on a list had and has no more.
fn lost_of_list(before: &Value, after: &Value) -> Option<String> {
    let known = |list: &'_ Value| list.as_array().cloned().unwrap_or_default();
    let after = known(after);
    known(before).into_iter().find_map(|was| {
        let is = after.iter().find(|is| is["email"] == was["email"])?;
        let gone = was.as_object()?.keys().find(|name| is.get(name.as_str()).is_none())?;
        Some(format!("{gone} of {}", was["email"]))
    })
}

/// Whether a referral has the values that the changes were planned from.
pub fn is_as_before(state: &Value, changes: &[Change]) -> bool {
    changes.iter().all(|change| {
        let there = state.pointer(change.path.pointer().as_str()).unwrap_or(&Value::Null);
        same(there, &change.before.as_ref().map_or(Value::Null, |before| parsed(before.get())))
    })
}

/// A text or a list that is empty is as good as none.
pub fn same(one: &Value, other: &Value) -> bool {
    let unset = |value: &Value| value.is_null() || *value == json!("") || *value == json!([]);
    one == other || unset(one) && unset(other)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The `number`th referral.
pub fn referral(number: usize, status: &str, substatus: &str) -> Value {
    json!({
        "id": id(number),
        "engagementId": format!("e6000000-0000-4000-8000-{number:012x}"),
        "name": format!("Deal {number}"),
        "status": status,
        "substatus": substatus,
        "statusReason": "",
        "salesStage": null,
        "details": { "notes": format!("Note {number}"), "dealValue": 1000 + number, "currency": "EUR" },
        "team": [],
        "consent": Map::new(),
    })
}

pub fn id(number: usize) -> String {
    format!("51310000-0000-4000-8000-{number:012x}")
}
