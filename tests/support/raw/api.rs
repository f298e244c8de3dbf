//! Referrals that a service holds, and every change that took effect.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::line::Request;

/// How many referrals a page of the list has.
const PAGE: usize = 100;

/// A service's memory.
#[derive(Debug, Default)]
pub struct Api {
    referrals: BTreeMap<String, Value>,
    /// Every document that took effect, in order.
    applied: Vec<Applied>,
    /// Every request that was looked at, carried out or not.
    asked: Vec<Asked>,
    /// Whether the list shows none of the referrals.
    lists_nothing: bool,
}

/// A document that took effect.
#[derive(Debug, Clone)]
pub struct Applied {
    pub id: String,
    pub document: Value,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// The referral's id; empty for the list.
    pub id: String,
    /// Its `client-request-id`.
    pub call: String,
    pub if_match: Option<String>,
    pub document: Value,
}

/// What a request is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: &'static str,
    pub body: String,
}

impl Api {
    pub fn new(referrals: impl IntoIterator<Item = Value>) -> Self {
        let named = |referral: Value| (referral["id"].as_str().unwrap().to_owned(), referral);
        Self { referrals: referrals.into_iter().map(named).collect(), ..Self::default() }
    }

    /// From now on the list is empty, and every referral has to be asked for by its id.
    pub fn list_nothing(&mut self) {
        self.lists_nothing = true;
    }

    pub fn referral(&self, id: &str) -> &Value {
        &self.referrals[id]
    }

    /// The documents that took effect on a referral.
    pub fn applied(&self, id: &str) -> Vec<&Value> {
        self.applied.iter().filter(|applied| applied.id == id).map(|applied| &applied.document).collect()
    }

    /// Every document that took effect, in order.
    pub fn all_applied(&self) -> &[Applied] {
        &self.applied
    }

    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// How many requests of a method there were for a referral; for the list where the id is empty.
    pub fn count(&self, method: &str, id: &str) -> usize {
        self.asked.iter().filter(|asked| asked.method == method && asked.id == id).count()
    }

    /// Writes a request down. Nothing is done for it.
    pub fn note(&mut self, request: &Request) {
        let header = |name: &str| request.header(name).map(ToOwned::to_owned);
        self.asked.push(Asked {
            method: request.method.clone(),
            id: request.id().to_owned(),
            call: header("client-request-id").unwrap_or_default(),
            if_match: header("if-match"),
            document: serde_json::from_str(&request.body).unwrap_or_default(),
        });
    }

    /// Somebody else sets a member of a referral.
    pub fn edit(&mut self, id: &str, pointer: &str, value: Value) {
        let referral = self.referrals.get_mut(id).unwrap();
        *referral.pointer_mut(pointer).unwrap() = value;
        referral["eTag"] = json!("\"theirs\"");
    }

    /// As if the last request had not been made. It must not have been carried out.
    pub fn forget_last(&mut self) {
        self.asked.pop();
    }

    /// Does what is asked for.
    pub fn carry_out(&mut self, request: &Request) -> Answer {
        let id = request.id();
        match (request.method.as_str(), self.referrals.get_mut(id)) {
            ("GET", _) if id.is_empty() => Answer::ok(&self.page(request.skip())),
            ("GET", Some(referral)) => Answer::ok(referral),
            ("PATCH", Some(referral)) => {
                let if_match = request.header("if-match");
                if if_match.is_some_and(|wanted| referral["eTag"] != wanted) {
                    return Answer { status: "412 Precondition Failed", body: String::new() };
                }
                let document: Value = serde_json::from_str(&request.body).unwrap();
                let patch: json_patch::Patch = serde_json::from_value(document.clone()).unwrap();
                if json_patch::patch(referral, &patch).is_err() {
                    return Answer { status: "400 Bad Request", body: String::new() };
                }
                let version = self.applied.iter().filter(|applied| applied.id == id).count() + 1;
                referral["eTag"] = json!(format!("\"version-{version}\""));
                self.applied.push(Applied { id: id.to_owned(), document });
                Answer::ok(referral)
            }
            _ => Answer { status: "404 Not Found", body: String::new() },
        }
    }

    fn page(&self, skip: usize) -> Value {
        let all = if self.lists_nothing { 0 } else { self.referrals.len() };
        let value: Vec<&Value> = self.referrals.values().take(all).skip(skip).take(PAGE).collect();
        let next = skip + value.len();
        let mut page = json!({ "value": value });
        if next < all {
            page["@odata.nextLink"] = json!(format!("https://example.com/referrals?$skip={next}"));
        }
        page
    }
}

impl Answer {
    fn ok(body: &Value) -> Self {
        Self { status: "200 OK", body: body.to_string() }
    }

    /// Its bytes. The connection stays open after them.
    pub fn bytes(&self) -> Vec<u8> {
        let Self { status, body } = self;
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }
}
