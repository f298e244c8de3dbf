//! What the rows ask for, as the simulation understands them.

use referral_bulk::domain::account::RowAccount;
use referral_bulk::domain::referral::ReferralId;
use serde_json::{Value, json};

use super::ms;
use super::world::World;

impl World {
    /// The rows for a referral that are JSON.
    fn rows_of(&self, id: ReferralId) -> Vec<Value> {
        let rows = self.scenario.rows.iter().filter_map(|row| serde_json::from_str::<Value>(row).ok());
        rows.filter(|row| row["id"] == id.to_string()).collect()
    }

    /// Why it can't be said that a referral was as its rows want it.
    pub fn never_so(&self, id: ReferralId, row: &RowAccount) -> Option<&'static str> {
        let (rows, told) = (self.rows_of(id), row.at.map_or(u64::MAX, ms));
        let mut seen = self.truth(id).versions.iter().take_while(|version| version.at <= told);
        (!seen.any(|version| is_as_asked(&version.state, &rows))).then_some("it never was so")
    }

    /// Who was taken from the list of a referral, though no row gives the list as a whole.
    pub fn taken_off(&self, id: ReferralId, before: &Value, after: &Value) -> Option<String> {
        if self.rows_of(id).iter().any(|row| row.get("team").is_some()) {
            return None;
        }
        let left = people(&after["team"]);
        people(&before["team"]).into_iter().find(|email| !left.contains(email))
    }
}

fn is_as_asked(state: &Value, rows: &[Value]) -> bool {
    let given: Vec<&Value> = rows.iter().filter_map(|row| row.get("team")).collect();
    let added = rows.iter().filter_map(|row| row["patch"].as_array()).flatten();
    let added: Vec<Value> = added.map(|operation| operation["value"].clone()).collect();
    let (there, added) = (people(&state["team"]), people(&Value::Array(added)));
    // Rows that give the list say who is on it, and those that add to it no more than who is on it as well.
    let is_listed = match given.last() {
        Some(list) => {
            let wanted = people(list).into_iter().chain(added.iter().cloned());
            wanted.collect::<std::collections::BTreeSet<_>>() == there.iter().cloned().collect()
                && has_all(&state["team"], list)
        }
        None => added.iter().all(|email| there.contains(email)),
    };
    let is_member = |name: &str| matches!(name, "id" | "eTag" | "team" | "patch");
    is_listed
        && rows.iter().all(|row| {
            let members = row.as_object().unwrap().iter().filter(|(name, _)| !is_member(name));
            members.into_iter().all(|(name, wanted)| holds(&state[name], wanted))
        })
}

/// Whether each person of one list is on another with all that the first says of them.
fn has_all(list: &Value, wanted: &Value) -> bool {
    let there = list.as_array().cloned().unwrap_or_default();
    wanted.as_array().unwrap().iter().all(|person| {
        there
            .iter()
            .any(|there| person.as_object().unwrap().iter().all(|(name, value)| there[name] == *value))
    })
}

/// Whether a value is there, or all members of it. An empty text is as good as none.
fn holds(there: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(members) => members.iter().all(|(name, wanted)| holds(&there[name], wanted)),
        _ => there == wanted || *wanted == json!("") && there.is_null(),
    }
}

fn people(list: &Value) -> Vec<String> {
    let people = list.as_array().into_iter().flatten();
    people.filter_map(|person| person["email"].as_str().map(ToOwned::to_owned)).collect()
}
