//! A service where every referral meets something else.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

use crate::support::line::{Connection, Head, Request, serve};
use crate::support::raw::api::{Answer, Api};
use crate::support::raw::faults::Fault::{self, *};
use crate::support::referrals::{id, referral};

/// What a referral's requests meet, each once; `always`, all of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script {
    pub change: Option<(Fault, bool)>,
    /// A GET after the first change, or before any where there is no fault for that.
    pub look: Option<Fault>,
    pub always: bool,
}

/// A service where every referral's requests meet something else.
pub struct Service {
    pub state: Arc<State>,
    pub endpoint: String,
}

pub struct State {
    pub api: Mutex<Api>,
    pub scripts: Mutex<BTreeMap<String, Script>>,
    pub list: Mutex<Option<Fault>>,
}

impl State {
    pub fn new(scripts: &[Script]) -> Arc<Self> {
        let api = Api::new((0..scripts.len()).map(seed));
        let scripts = scripts.iter().enumerate().map(|(number, script)| (id(number), *script)).collect();
        Arc::new(Self { api: Mutex::new(api), scripts: Mutex::new(scripts), list: Mutex::default() })
    }

    pub fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().unwrap()
    }

    /// Serves one connection to its end.
    pub fn converse(&self, mut connection: Connection) -> io::Result<()> {
        while let Some(head) = connection.peek() {
            let meets = self.meets(&head);
            if let Some((fault, _)) = meets
                && fault.is_before_reading()
            {
                let request = Request { head, body: String::new() };
                self.api().note(&request);
                if fault != ResetUnread {
                    connection.head();
                }
                let looked = self.answer(&request, false);
                return fault.meet(connection, &looked);
            }
            let Some(request) = connection.request() else { break };
            self.api().note(&request);
            let Some((fault, is_carried_out)) = meets else {
                let answer = self.api().carry_out(&request);
                connection.write(answer.bytes())?;
                continue;
            };
            let answer = self.answer(&request, is_carried_out);
            return fault.meet(connection, &answer);
        }
        Ok(())
    }

    /// The answer to a request; to a change that is not carried out, that to a look.
    pub fn answer(&self, request: &Request, is_carried_out: bool) -> Answer {
        let mut request = request.clone();
        if !is_carried_out {
            request.head.method = "GET".to_owned();
        }
        self.api().carry_out(&request)
    }

    /// What a request meets, and whether it is carried out all the same.
    pub fn meets(&self, head: &Head) -> Option<(Fault, bool)> {
        if head.id().is_empty() {
            return self.list.lock().unwrap().take().map(|fault| (fault, false));
        }
        let mut scripts = self.scripts.lock().unwrap();
        let script = scripts.get_mut(head.id()).unwrap();
        let before = *script;
        let meets = match (head.method.as_str(), script.change) {
            ("PATCH", _) => script.change.take(),
            (_, None) => script.look.take().map(|fault| (fault, false)),
            // What is looked at before the change is the plan's.
            (_, Some(_)) => None,
        };
        if before.always && before.look.is_none() {
            *script = before;
        } else if before.always {
            script.look = before.look;
        }
        meets
    }
}

impl Service {
    pub fn start(scripts: &[Script]) -> Self {
        Self::of(State::new(scripts))
    }

    pub fn of(state: Arc<State>) -> Self {
        let serving = Arc::clone(&state);
        let address = serve(move |connection| drop(serving.converse(connection)));
        Self { state, endpoint: endpoint(address) }
    }
}

pub fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}/v1.0")
}

/// A referral that a list shows with all that the changes are about: none has to be looked at by itself.
pub fn seed(number: usize) -> Value {
    let mut seed = referral(number, "New", "Received");
    seed["campaignId"] = Value::Null;
    seed
}

impl Script {
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        self.change.map(|(fault, _)| fault).into_iter().chain(self.look)
    }
}
