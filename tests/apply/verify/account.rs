//! An account that somebody else edits behind the program's back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

use crate::support::referrals::{id, referral};
use crate::support::waiting::until;
use crate::support::wire::{Request, Wire, answer};

/// How many referrals a page holds.
const PAGE: usize = 100;

/// What lists show.
#[derive(Debug, Clone, Copy)]
pub struct Lists {
    /// The outermost member that they leave out; none where it is empty.
    pub omits: &'static str,
    /// Whether they show eTags.
    pub etags: bool,
}

pub struct Account {
    wire: Wire,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    referrals: BTreeMap<String, Value>,
    lists: Lists,
    version: usize,
    forbidden: BTreeSet<String>,
    /// Whose changes are answered with 500, carried out or not.
    doubtful: BTreeSet<String>,
    /// What the service makes of a change: it is shown the referral before and after.
    keeps: fn(&Value, &mut Value),
    /// The status that answers everything.
    closed: Option<u16>,
    /// A referral as it is shown again on every page but the first.
    again: Option<Value>,
    /// A referral as the next so many looks show it.
    lagging: Option<(String, Value, usize)>,
    asked: Vec<(String, bool)>,
    /// How many list pages are answered before all is held.
    pages_left: Option<usize>,
    held: usize,
}

impl Account {
    pub fn of(referrals: usize) -> Self {
        let referrals = (0..referrals).map(|number| (id(number), referral(number, "Active", "Accepted")));
        let state = State {
            referrals: referrals.collect(),
            lists: Lists { omits: "", etags: true },
            version: 0,
            forbidden: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            keeps: |_, _| {},
            closed: None,
            again: None,
            lagging: None,
            asked: Vec::new(),
            pages_left: None,
            held: 0,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        Self { wire: Wire::serve(move |request| serving.answer(request)), shared }
    }

    pub fn base(&self) -> String {
        self.wire.base.clone()
    }

    pub fn referral(&self, number: usize) -> Value {
        self.change(|state| state.referrals[&id(number)].clone())
    }

    /// Edits a referral as somebody else would.
    pub fn edit(&self, number: usize, edit: impl FnOnce(&mut Value)) {
        self.change(|state| {
            let mut referral = state.referrals[&id(number)].clone();
            edit(&mut referral);
            state.write(referral);
        });
    }

    pub fn remove(&self, number: usize) {
        self.change(|state| drop(state.referrals.remove(&id(number))));
    }

    /// Lets the list leave a referral out, and nobody read it.
    pub fn forbid(&self, number: usize) {
        self.change(|state| assert!(state.forbidden.insert(id(number))));
    }

    /// Answers changes of a referral with 500, and lets nobody read it back.
    pub fn doubt(&self, number: usize) {
        self.change(|state| assert!(state.doubtful.insert(id(number))));
    }

    /// Lets everybody read what [`Self::doubt`] hides.
    pub fn show_all(&self) {
        self.change(|state| state.doubtful.clear());
    }

    /// Lets the service make something else of changes: it is shown the referral before and after.
    pub fn keep(&self, keeps: fn(&Value, &mut Value)) {
        self.change(|state| state.keeps = keeps);
    }

    /// Answers everything with a status.
    pub fn forbid_all(&self, status: u16) {
        self.change(|state| state.closed = Some(status));
    }

    pub fn list_so(&self, lists: Lists) {
        self.change(|state| state.lists = lists);
    }

    /// Shows a referral once more on every page but the first, edited so.
    pub fn show_again_on_every_page(&self, number: usize, edit: impl FnOnce(&mut Value)) {
        let mut referral = self.referral(number);
        edit(&mut referral);
        self.change(|state| state.again = Some(referral));
    }

    /// Shows a referral so at the next looks.
    pub fn lag(&self, number: usize, shown: Value, looks: usize) {
        self.change(|state| state.lagging = Some((id(number), shown, looks)));
    }

    /// Holds everything once so many pages were answered.
    pub fn hold_after_pages(&self, pages: usize) {
        self.change(|state| state.pages_left = Some(pages));
    }

    /// Waits until a request is held.
    pub fn is_held(&self) {
        until("a request that is held", || self.change(|state| (state.held > 0).then_some(())));
    }

    pub fn release(&self) {
        self.change(|state| state.pages_left = None);
        self.shared.changed.notify_all();
    }

    pub fn forget(&self) {
        self.change(|state| state.asked.clear());
    }

    /// How many requests of a method there were.
    pub fn asked(&self, method: &str) -> usize {
        self.change(|state| state.asked.iter().filter(|(asked, _)| asked == method).count())
    }

    /// How many GETs of one referral there were.
    pub fn asked_singly(&self) -> usize {
        self.change(|state| state.asked.iter().filter(|(method, single)| method == "GET" && *single).count())
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.shared.state.lock().unwrap())
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Vec<u8> {
        let mut state = self.state.lock().unwrap();
        let is_list = request.about() == "referrals";
        state.asked.push((request.method.clone(), !is_list));
        if let Some(left) = state.pages_left {
            state.pages_left = Some(left.saturating_sub(usize::from(is_list)));
            if left == 0 {
                state.held += 1;
                state = self.changed.wait_while(state, |state| state.pages_left.is_some()).unwrap();
            }
        }
        if let Some(status) = state.closed {
            return answer(&format!("{status} x"), "", r#"{"error":{"code":"closed","message":"closed"}}"#);
        }
        match request.method.as_str() {
            "PATCH" => state.patch(request),
            _ if is_list => state.page(request.skip()),
            _ => state.single(request.about()),
        }
    }
}

impl State {
    fn write(&mut self, mut referral: Value) -> Value {
        self.version += 1;
        referral["eTag"] = json!(format!("\"v{}\"", self.version));
        referral["updatedDateTime"] = json!(format!("2099-01-01T00:00:00.{:07}Z", self.version));
        let id = referral["id"].as_str().unwrap().to_owned();
        self.referrals.insert(id, referral.clone());
        referral
    }

    fn patch(&mut self, request: &Request) -> Vec<u8> {
        let document: json_patch::Patch = serde_json::from_str(&request.body).unwrap();
        let mut referral = self.referrals[request.about()].clone();
        assert_eq!(request.header("if-match"), referral["eTag"].as_str());
        let before = referral.clone();
        json_patch::patch(&mut referral, &document).unwrap();
        (self.keeps)(&before, &mut referral);
        if self.doubtful.contains(request.about()) {
            self.write(referral);
            return answer("500 x", "", "");
        }
        let referral = self.write(referral);
        answer("200 OK", "", referral.to_string())
    }

    fn single(&mut self, id: &str) -> Vec<u8> {
        let is_hidden = self.doubtful.contains(id) && self.version > 0;
        if self.forbidden.contains(id) || is_hidden {
            return answer("403 x", "", r#"{"error":{"code":"Forbidden","message":"not on the team"}}"#);
        }
        match self.referrals.get(id).cloned() {
            Some(referral) => answer("200 OK", "", self.shown(referral).to_string()),
            None => answer("404 x", "", r#"{"error":{"code":"NotFound","message":"no such referral"}}"#),
        }
    }

    fn page(&mut self, skip: usize) -> Vec<u8> {
        let there: Vec<Value> = self
            .referrals
            .iter()
            .filter(|(id, _)| !self.forbidden.contains(*id))
            .map(|(_, referral)| referral.clone())
            .collect();
        let next = (skip + PAGE < there.len())
            .then(|| format!("https://example.com/referrals?$skip={}", skip + PAGE));
        let again = self.again.clone().filter(|_| skip > 0);
        let Lists { omits, etags } = self.lists;
        let elements: Vec<Value> = there
            .into_iter()
            .skip(skip)
            .take(PAGE)
            .map(|referral| self.shown(referral))
            .chain(again)
            .map(|mut element| {
                let members = element.as_object_mut().unwrap();
                members.remove(omits);
                if !etags {
                    members.remove("eTag");
                }
                element
            })
            .collect();
        let mut page = json!({ "value": elements });
        if let Some(next) = next {
            page["@odata.nextLink"] = json!(next);
        }
        answer("200 OK", "", page.to_string())
    }

    /// A referral as a look shows it.
    fn shown(&mut self, referral: Value) -> Value {
        match &mut self.lagging {
            Some((id, shown, looks)) if *looks > 0 && referral["id"] == id.as_str() => {
                *looks -= 1;
                shown.clone()
            }
            _ => referral,
        }
    }
}
