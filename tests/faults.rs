//! Faults below HTTP, and answers that are none: every fault × when it happens × what the change does ×
//! whether `If-Match` goes along. Outcome, requests on the wire, and the referral afterwards.
//!
//! Faults that a service makes in good HTTP are in `settle.rs`, bodies that have no end in `traffic.rs`.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};

use Fault::*;
use serde_json::{Value, json};
use support::line::{Connection, Head, Request, serve, serve_on};
use support::place::Place;
use support::program::Ended;
use support::raw::api::{Answer, Api};
use support::raw::faults::Fault;
use support::referrals::{id, referral};
use support::waiting::each;

/// What a change does.
const KINDS: [&str; 4] = ["replace", "fill", "append", "close"];

/// Whether the change is bound to the version that it was planned from: by `If-Match`, or not at all because
/// nobody looked (`--state none`).
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    Yes,
    No,
}

/// A fault that meets a change once, whether the change is carried out all the same, and what it comes to
/// bound and free: `OUTCOME PATCHes+GETs STATE`, with the GETs of the plan not counted.
type Row = (Fault, bool, &'static str, &'static str);

/// In doubt, and not carried out.
const fn lost(fault: Fault) -> Row {
    (fault, false, "applied 2+1 ours", "unknown 1+1 before")
}

/// A yes that shows nothing, and is none: it is looked at once more before it is sent again, and four times
/// where it can't be.
const fn untrue(fault: Fault) -> Row {
    (fault, false, "applied 2+2 ours", "unknown 1+5 before")
}

/// In doubt, and carried out.
const fn arrived(fault: Fault) -> Row {
    (fault, true, "applied 1+1 ours", "applied 1+1 ours")
}

/// As good as no fault.
const fn fine(fault: Fault) -> Row {
    (fault, true, "applied 1+0 ours", "applied 1+0 ours")
}

/// A no.
const fn refused(fault: Fault) -> Row {
    (fault, false, "refused 1+0 before", "refused 1+0 before")
}

/// What is wanted of a change of this kind where a change in doubt that was not carried out is wanted to stay
/// unknown. A field that was unset, and still is, was not written: setting it again adds nothing twice.
fn of_kind(wanted: &str, kind: &str) -> String {
    let looks = wanted.strip_prefix("unknown 1+").and_then(|rest| rest.strip_suffix(" before"));
    match looks {
        Some("5") if kind == "fill" => "applied 2+2 ours".to_owned(),
        Some(looks) if kind == "fill" => format!("applied 2+{looks} ours"),
        _ => wanted.to_owned(),
    }
}

/// What meets a PATCH.
const CHANGES: [Row; 40] = [
    lost(ResetUnread),
    lost(Reset),
    arrived(Reset),
    lost(Close),
    arrived(Close),
    lost(HalfStatus),
    arrived(HalfStatus),
    lost(HalfHead),
    arrived(HalfHead),
    lost(HalfBody),
    arrived(HalfBody),
    lost(HalfChunk),
    arrived(HalfChunk),
    lost(Drip),
    arrived(Drip),
    lost(Silence),
    arrived(Silence),
    lost(Garbage),
    arrived(Garbage),
    lost(EndlessHead),
    arrived(EndlessHead),
    lost(EndlessInterim),
    arrived(EndlessInterim),
    lost(WrongEncoding),
    arrived(WrongEncoding),
    // A proxy that reaches nobody, and one that wants somebody to sign in.
    lost(Page("502 Bad Gateway")),
    arrived(Page("502 Bad Gateway")),
    untrue(Page("200 OK")),
    arrived(Page("200 OK")),
    lost(Early("500 Internal Server Error")),
    refused(Early("400 Bad Request")),
    refused(Redirect("301 Moved Permanently")),
    refused(Redirect("302 Found")),
    refused(Redirect("307 Temporary Redirect")),
    refused(Redirect("308 Permanent Redirect")),
    fine(Continue),
    fine(Interims),
    fine(TwoAnswers),
    // The service shows the referral with a 200, as it is asked to.
    untrue(Bare("200 OK")),
    arrived(Bare("200 OK")),
];

/// A yes that shows nothing, and whether it is true.
const TRUE: (Fault, bool) = (Bare("204 No Content"), true);
const UNTRUE: (Fault, bool) = (Bare("204 No Content"), false);

/// 204s of one process, one after another, on a change of each kind; whether that is so at every attempt; and
/// what it comes to bound and free.
type Bares = (&'static str, [(Fault, bool); 4], bool, [&'static str; 4], [&'static str; 4]);

/// One that is true is confirmed at another version, or where it is known what there was before.
const BARE: [Bares; 6] = [
    ("all are true", [TRUE; 4], false, ["applied 1+1 ours"; 4], ["applied 1+1 ours"; 4]),
    (
        "all are true, and have a body all the same",
        [(BodyAfter204, true); 4],
        false,
        ["applied 1+1 ours"; 4],
        ["applied 1+1 ours"; 4],
    ),
    (
        "none is true",
        [UNTRUE; 4],
        false,
        ["applied 2+2 ours"; 4],
        ["unknown 1+5 before", "applied 2+2 ours", "unknown 1+5 before", "unknown 1+5 before"],
    ),
    (
        "none ever is true",
        [UNTRUE; 4],
        true,
        ["failed 5+13 before"; 4],
        ["unknown 1+5 before", "failed 5+13 before", "unknown 1+5 before", "unknown 1+5 before"],
    ),
    (
        "all are true but the first",
        [UNTRUE, TRUE, TRUE, TRUE],
        false,
        ["applied 2+2 ours", "applied 1+1 ours", "applied 1+1 ours", "applied 1+1 ours"],
        ["unknown 1+5 before", "applied 1+1 ours", "applied 1+1 ours", "applied 1+1 ours"],
    ),
    (
        "none is true but the first",
        [TRUE, UNTRUE, UNTRUE, UNTRUE],
        false,
        ["applied 1+1 ours", "applied 2+2 ours", "applied 2+2 ours", "applied 2+2 ours"],
        ["applied 1+1 ours", "applied 2+2 ours", "unknown 1+5 before", "unknown 1+5 before"],
    ),
];

/// What meets a GET and leaves it without an answer, so that it is made again.
const NO_ANSWERS: [Fault; 20] = [
    ResetUnread,
    Reset,
    Close,
    HalfStatus,
    HalfHead,
    HalfBody,
    HalfChunk,
    Drip,
    Silence,
    Garbage,
    EndlessHead,
    EndlessInterim,
    WrongEncoding,
    Page("502 Bad Gateway"),
    Page("200 OK"),
    Early("500 Internal Server Error"),
    BodyAfter204,
    Bare("200 OK"),
    Bare("204 No Content"),
    Bare("408 Request Timeout"),
];

/// What meets a GET that is answered all the same.
const ANSWERS: [Fault; 3] = [Continue, Interims, TwoAnswers];

/// What meets a GET and says that it is of no use to ask again.
const NOES: [Fault; 4] = [
    Early("400 Bad Request"),
    Redirect("301 Moved Permanently"),
    Redirect("307 Temporary Redirect"),
    Page("404 Not Found"),
];

/// What a referral's requests meet, each once; `always`, all of them.
#[derive(Debug, Clone, Copy, Default)]
struct Script {
    change: Option<(Fault, bool)>,
    /// A GET after the first change, or before any where there is no fault for that.
    look: Option<Fault>,
    always: bool,
}

/// A service where every referral's requests meet something else.
struct Service {
    state: Arc<State>,
    endpoint: String,
}

struct State {
    api: Mutex<Api>,
    scripts: Mutex<BTreeMap<String, Script>>,
    list: Mutex<Option<Fault>>,
}

impl State {
    fn new(scripts: &[Script]) -> Arc<Self> {
        let api = Api::new((0..scripts.len()).map(seed));
        let scripts = scripts.iter().enumerate().map(|(number, script)| (id(number), *script)).collect();
        Arc::new(Self { api: Mutex::new(api), scripts: Mutex::new(scripts), list: Mutex::default() })
    }

    fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().unwrap()
    }

    /// Serves one connection to its end.
    fn converse(&self, mut connection: Connection) -> io::Result<()> {
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
    fn answer(&self, request: &Request, is_carried_out: bool) -> Answer {
        let mut request = request.clone();
        if !is_carried_out {
            request.head.method = "GET".to_owned();
        }
        self.api().carry_out(&request)
    }

    /// What a request meets, and whether it is carried out all the same.
    fn meets(&self, head: &Head) -> Option<(Fault, bool)> {
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
    fn start(scripts: &[Script]) -> Self {
        Self::of(State::new(scripts))
    }

    fn of(state: Arc<State>) -> Self {
        let serving = Arc::clone(&state);
        let address = serve(move |connection| drop(serving.converse(connection)));
        Self { state, endpoint: endpoint(address) }
    }
}

fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}/v1.0")
}

/// A referral that a list shows with all that the changes are about: none has to be looked at by itself.
fn seed(number: usize) -> Value {
    let mut seed = referral(number, "New", "Received");
    seed["campaignId"] = Value::Null;
    seed
}

/// A change file over so many referrals, of all kinds in turn.
fn changes(home: &Place, count: usize) {
    let row = |number: usize| {
        let mut row = match KINDS[number % 4] {
            "replace" => json!({ "details": { "notes": "Ours" } }),
            "fill" => json!({ "campaignId": "C-1" }),
            "append" => json!({ "team.add": "Ann, Lee, +49 30 1, ann@example.com" }),
            _ => json!({ "status": "Closed", "substatus": "Lost", "statusReason": "No budget" }),
        };
        row["id"] = json!(id(number));
        format!("{row}\n")
    };
    home.write("changes.jsonl", (0..count).map(row).collect::<String>());
    home.write("snapshot.jsonl", (0..count).map(|number| format!("{}\n", seed(number))).collect::<String>());
}

/// The operations of a change's document, as `OP PATH`.
fn operations(number: usize, bound: Bound) -> Vec<String> {
    let set = if bound == Bound::Yes { "replace" } else { "add" };
    match KINDS[number % 4] {
        "replace" => vec![format!("{set} /details/notes")],
        "fill" => vec![format!("{set} /campaignId")],
        "append" => vec!["add /team/-".to_owned()],
        _ => ["/statusReason", "/status", "/substatus"].map(|path| format!("{set} {path}")).to_vec(),
    }
}

fn arguments(command: &str, endpoint: &str, state: &str, more: &str) -> Vec<String> {
    let state = if command.starts_with("apply") { format!("--state {state}") } else { String::new() };
    let rate = if more.contains("--rate") { "" } else { "--rate 100000/s" };
    let timeout = if more.contains("--timeout") { "" } else { "--timeout 10m" };
    let common = "--yes --max-errors 1000 --progress none --summary none";
    let line = format!("{command} --endpoint {endpoint} {common} {timeout} {rate} {state} {more}");
    line.split_whitespace().map(ToOwned::to_owned).collect()
}

const APPLY: &str = "apply changes.jsonl --out run";

/// For how long a request is waited for: no longer than it must be where something lasts, and there for as long as no
/// machine needs for anything else.
fn patience(faults: impl IntoIterator<Item = Fault>) -> &'static str {
    if faults.into_iter().any(Fault::lasts) { "--timeout 10s" } else { "" }
}

impl Script {
    fn faults(&self) -> impl Iterator<Item = Fault> {
        self.change.map(|(fault, _)| fault).into_iter().chain(self.look)
    }
}

/// One run over all referrals of a service, each of which meets its own fault.
fn run_all(service: &Service, bound: Bound, more: &str) -> (Rc<Place>, Ended) {
    let (home, count) = (Place::new(), service.state.scripts.lock().unwrap().len());
    changes(&home, count);
    let state = if bound == Bound::Yes { "live" } else { "none" };
    let closing = (0..count).filter(|number| KINDS[number % 4] == "close").count();
    let concurrency = if more.contains("--concurrency") { "" } else { "--concurrency 128" };
    let more = format!("{concurrency} --confirm-closing {closing} {more}");
    let ended = home.run(&arguments(APPLY, &service.endpoint, state, &more));
    (home, ended)
}

/// What became of a referral: `OUTCOME PATCHes+GETs STATE`.
fn told(api: &Api, outcome: &Value, number: usize, bound: Bound) -> String {
    let id = id(number);
    assert_eq!(outcome["id"], json!(id));
    let (patches, gets) = (api.count("PATCH", &id), api.count("GET", &id));
    assert_eq!(outcome["attempts"], patches, "attempts on record and on the wire: {outcome}");
    let seeded = format!("\"seed-{number}\"");
    let asked = api.asked();
    let mut looked = false;
    for asked in asked.iter().filter(|asked| asked.id == id) {
        // What was read back is bound to the version that was found.
        let is_bound = bound == Bound::Yes || looked;
        match asked.method.as_str() {
            "PATCH" => assert_eq!(asked.if_match.as_ref(), is_bound.then_some(&seeded), "{asked:?}"),
            _ => looked = true,
        }
    }
    let state = match api.applied(&id)[..] {
        [] => {
            assert_eq!(*api.referral(&id), seed(number));
            "before"
        }
        [document] => {
            let text = |operation: &Value, name: &str| operation[name].as_str().unwrap().to_owned();
            let done = document.as_array().unwrap().iter();
            let done: Vec<String> = done.map(|one| text(one, "op") + " " + &text(one, "path")).collect();
            assert_eq!(done, operations(number, bound));
            "ours"
        }
        _ => "more than once",
    };
    format!("{} {patches}+{gets} {state}", outcome["outcome"].as_str().unwrap())
}

/// Runs over referrals that meet these, each of which is wanted to come to this, and compares. So many that
/// they fail in a row would be an outage of the service.
fn check(scripts: &[(Script, String)], bound: Bound) {
    // What lasts is with its like: nothing else depends on how long a request is waited for.
    let (lasting, others): (Vec<_>, Vec<_>) =
        scripts.iter().partition(|(script, _)| script.faults().any(Fault::lasts));
    let parts: Vec<_> = lasting.chunks(2).chain(others.chunks(2)).collect();
    each(&parts, |part| check_part(part, bound));
}

fn check_part(scripts: &[&(Script, String)], bound: Bound) {
    // Every fault meets a change of each kind.
    let all: Vec<&(Script, String)> = scripts.iter().flat_map(|one| KINDS.map(|_| *one)).collect();
    let service = Service::start(&all.iter().map(|(script, _)| *script).collect::<Vec<_>>());
    let (home, ended) =
        run_all(&service, bound, patience(all.iter().flat_map(|(script, _)| script.faults())));
    assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.stderr);
    let (api, outcomes) = (service.state.api(), home.run_of("run").lines("outcomes.jsonl"));
    let mut wrong = Vec::new();
    for (number, (script, wanted)) in all.into_iter().enumerate() {
        let got = told(&api, &outcomes[number], number, bound);
        let wanted = of_kind(wanted, KINDS[number % 4]);
        if got != wanted {
            wrong.push(format!("{script:?} on {}: {got}, wanted {wanted}", KINDS[number % 4]));
        }
    }
    assert!(wrong.is_empty(), "{bound:?}\n{}", wrong.join("\n"));
    // Nothing was asked for elsewhere, and the list once a page.
    let pages = if bound == Bound::Yes { outcomes.len().div_ceil(100) } else { 0 };
    assert_eq!((api.count("GET", ""), api.count("PATCH", "")), (pages, 0));
    let requests = [("PATCH", "/requests/patch"), ("GET", "/requests/get")];
    for (method, figure) in requests {
        let on_wire = api.asked().iter().filter(|one| one.method == method && !one.id.is_empty()).count();
        assert_eq!(home.run_of("run").count(figure), on_wire as u64, "{method}");
    }
}

fn on_changes(bound: Bound) {
    let scripts = CHANGES.map(|(fault, is_carried_out, if_bound, if_free)| {
        let script = Script { change: Some((fault, is_carried_out)), ..Script::default() };
        (script, (if bound == Bound::Yes { if_bound } else { if_free }).to_owned())
    });
    check(&scripts, bound);
}

#[test]
fn on_a_change_under_if_match() {
    on_changes(Bound::Yes);
}

#[test]
fn on_a_change_that_is_bound_to_nothing() {
    on_changes(Bound::No);
}

/// A 204 shows nothing. Each is read back, whatever others came to.
#[test]
fn on_a_yes_that_shows_nothing() {
    let cases = [Bound::Yes, Bound::No].map(|bound| BARE.map(|case| (bound, case))).concat();
    each(&cases, |(bound, (what, faults, always, if_bound, if_free))| {
        let wanted = if *bound == Bound::Yes { if_bound } else { if_free };
        let scripts = faults.map(|fault| Script { change: Some(fault), look: None, always: *always });
        let service = Service::start(&scripts);
        let (home, ended) = run_all(&service, *bound, "--concurrency 1");
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        for (number, outcome) in outcomes.iter().enumerate() {
            let got = told(&service.state.api(), outcome, number, *bound);
            assert_eq!(got, wanted[number], "{bound:?}: {what}, {}: {}", KINDS[number], ended.stderr);
        }
    });
}

/// However many there are, and however many come at a time.
#[test]
fn on_many_a_yes_that_shows_nothing() {
    const COUNT: usize = 64;
    let service = Service::start(&[Script { change: Some(TRUE), ..Script::default() }; COUNT]);
    let (home, ended) = run_all(&service, Bound::Yes, "--concurrency 8");
    ended.expect(0);
    let looked = home.run_of("run").count("/requests/get");
    assert_eq!(looked, COUNT as u64, "each is read back");
    assert_eq!(home.run_of("run").outcomes(), format!("{COUNT} applied"));
    assert_eq!(service.state.api().all_applied().len(), COUNT);
}

/// The change met a proxy that reaches nobody, and looking meets something else.
fn on_looks(bound: Bound) {
    let mut scripts = Vec::new();
    for (faults, looks) in [(&NO_ANSWERS[..], 2), (&ANSWERS[..], 1)] {
        for look in faults {
            for is_carried_out in [false, true] {
                let change = Some((Page("502 Bad Gateway"), is_carried_out));
                let wanted = match (is_carried_out, bound) {
                    (true, _) => format!("applied 1+{looks} ours"),
                    (false, Bound::Yes) => format!("applied 2+{looks} ours"),
                    (false, Bound::No) => format!("unknown 1+{looks} before"),
                };
                scripts.push((Script { change, look: Some(*look), always: false }, wanted));
            }
        }
    }
    check(&scripts, bound);
}

#[test]
fn on_reading_back_under_if_match() {
    on_looks(Bound::Yes);
}

#[test]
fn on_reading_back_what_is_bound_to_nothing() {
    on_looks(Bound::No);
}

/// What never ends, and what says that asking again is of no use, leaves unknown what cannot be read back, and
/// failed what is known not to be written.
#[test]
fn again_and_again() {
    let again = |change, look| Script { change: Some(change), look, always: true };
    let lost = (Page("502 Bad Gateway"), false);
    let arrived = (Page("502 Bad Gateway"), true);
    let mut cases = Vec::new();
    for bound in [Bound::Yes, Bound::No] {
        let given_up = if bound == Bound::Yes { "failed 5+9 before" } else { "unknown 1+1 before" };
        for fault in [Reset, ResetUnread, Close, HalfBody, Garbage, lost.0] {
            cases.push((bound, again((fault, false), None), given_up));
        }
        for look in [Reset, HalfHead, WrongEncoding, Page("200 OK")] {
            cases.push((bound, again(arrived, Some(look)), "unknown 1+5 ours"));
        }
        for look in NOES {
            cases.push((bound, again(arrived, Some(look)), "unknown 1+1 ours"));
            cases.push((bound, again(lost, Some(look)), "unknown 1+1 before"));
        }
    }
    // A change of each kind, two in one run: where more can't be read back, it would be an outage.
    let halves: Vec<_> = cases.iter().flat_map(|case| [(case, [0, 1]), (case, [2, 3])]).collect();
    each(&halves, |((bound, script, wanted), faulty)| {
        let mut scripts = [Script::default(); 4];
        faulty.iter().for_each(|number| scripts[*number] = *script);
        let service = Service::start(&scripts);
        let (home, ended) = run_all(&service, *bound, "");
        let ended = ended.expect(3);
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        for number in *faulty {
            let got = told(&service.state.api(), &outcomes[number], number, *bound);
            let wanted = match (*wanted, script.look) {
                // It still is not there, again and again.
                ("unknown 1+1 before", None) if KINDS[number] == "fill" => "failed 5+9 before",
                (wanted, _) => wanted,
            };
            assert_eq!(got, wanted, "{bound:?} {script:?} on {}: {}", KINDS[number], ended.stderr);
        }
    });
}

/// What meets a GET of the plan is made up for before anything is sent, or the row says so.
#[test]
fn on_planning_one_by_one() {
    let mut rows: Vec<(Fault, &str)> = Vec::new();
    rows.extend(NO_ANSWERS.map(|fault| (fault, "applied 1+2 ours")));
    rows.extend(ANSWERS.map(|fault| (fault, "applied 1+1 ours")));
    rows.extend([
        (Early("400 Bad Request"), "refused 0+1 before"),
        (Redirect("301 Moved Permanently"), "refused 0+1 before"),
        (Redirect("307 Temporary Redirect"), "refused 0+1 before"),
        (Page("404 Not Found"), "refused 0+1 before"),
    ]);
    let (lasting, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(fault, _)| fault.lasts());
    each(&lasting.chunks(2).collect::<Vec<_>>(), |rows| plan_one_by_one(rows, 0));
    plan_one_by_one(&others, 3);
}

fn plan_one_by_one(rows: &[(Fault, &'static str)], code: i32) {
    let all: Vec<_> = rows.iter().flat_map(|row| KINDS.map(|_| *row)).collect();
    let scripts: Vec<Script> =
        all.iter().map(|(fault, _)| Script { look: Some(*fault), ..Script::default() }).collect();
    let service = Service::start(&scripts);
    service.state.api().list_nothing();
    // Some of them are not to be closed, since nobody could look at them.
    let closing = all.iter().filter(|(_, wanted)| wanted.starts_with("applied")).count() / 4;
    let home = Place::new();
    changes(&home, all.len());
    let timeout = patience(rows.iter().map(|(fault, _)| *fault));
    let more = format!("--concurrency 128 --confirm-closing {closing} {timeout}");
    home.run(&arguments(APPLY, &service.endpoint, "live", &more)).expect(code);
    let outcomes = home.run_of("run").lines("outcomes.jsonl");
    let mut wrong = Vec::new();
    for (number, (fault, wanted)) in all.iter().enumerate() {
        let got = told(&service.state.api(), &outcomes[number], number, Bound::Yes);
        if got != *wanted {
            wrong.push(format!("{fault:?} on {}: {got}, wanted {wanted}", KINDS[number % 4]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(service.state.api().count("GET", ""), 1);
}

/// A page of the list that isn't answered is asked for again; where that is of no use, the referrals are
/// asked for one by one.
#[test]
fn on_planning_from_the_list() {
    let mut cases: Vec<(Fault, (usize, usize))> = Vec::new();
    cases.extend(NO_ANSWERS.map(|fault| (fault, (2, 0))));
    cases.extend(ANSWERS.map(|fault| (fault, (1, 0))));
    cases.extend(NOES.map(|fault| (fault, (1, 4))));
    each(&cases, |(fault, wanted)| {
        let service = Service::start(&[Script::default(); 4]);
        *service.state.list.lock().unwrap() = Some(*fault);
        let (home, ended) = run_all(&service, Bound::Yes, patience([*fault]));
        let ended = ended.expect(0);
        let api = service.state.api();
        let gets: usize = (0..4).map(|number| api.count("GET", &id(number))).sum();
        assert_eq!((api.count("GET", ""), gets), *wanted, "{fault:?}: {}", ended.stderr);
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        for (number, outcome) in outcomes.iter().enumerate() {
            let got = told(&api, outcome, number, Bound::Yes);
            assert_eq!(got, format!("applied 1+{} ours", gets / 4), "{fault:?} on {}", KINDS[number]);
        }
    });
}

/// A run over four referrals that is planned without a request: from a snapshot with eTags, or blindly.
fn send_blind(home: &Place, endpoint: &str, bound: Bound, more: &str) -> Ended {
    changes(home, 4);
    let state = if bound == Bound::Yes { "snapshot.jsonl" } else { "none" };
    home.run(&arguments(APPLY, endpoint, state, &format!("--confirm-closing 1 {more}")))
}

/// Nobody listens. Nothing was sent, and that is known; the run waits for better times.
#[test]
fn where_nobody_listens() {
    each(&[Bound::Yes, Bound::No], |bound| {
        let (home, state) = (Place::new(), State::new(&[Script::default(); 4]));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let ended = send_blind(&home, &endpoint(address), *bound, "").expect(4);
        assert!(ended.stderr.contains("stopped: the service cannot be reached"), "{}", ended.stderr);
        assert_eq!(home.run_of("run").outcomes(), "4 unsent");

        let serving = Arc::clone(&state);
        serve_on(TcpListener::bind(address).unwrap(), move |connection| drop(serving.converse(connection)));
        home.run(&arguments("resume run", &endpoint(address), "", "--confirm-closing 1")).expect(0);
        let api = state.api();
        assert_eq!(home.run_of("run").outcomes(), "4 applied");
        for (number, kind) in KINDS.iter().enumerate() {
            let (patches, gets) = (api.count("PATCH", &id(number)), api.count("GET", &id(number)));
            assert_eq!((patches, gets, api.applied(&id(number)).len()), (1, 0, 1), "{kind}");
        }
    });
    // A plan that cannot look comes to nothing.
    let home = Place::new();
    changes(&home, 4);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ended = home.run(&arguments(APPLY, &endpoint(address), "live", "--confirm-closing 1")).expect(1);
    assert!(ended.stderr.contains("cannot be reached"), "{}", ended.stderr);
    assert!(!home.path("run").exists());
}

/// The service goes away with the change, and nobody listens when it is to be read back. The doubt is kept
/// until somebody does.
#[test]
fn where_nobody_listens_any_more() {
    let mut cases = Vec::new();
    for bound in [Bound::Yes, Bound::No] {
        for is_carried_out in [false, true] {
            cases.extend((0..4).map(|number| (bound, is_carried_out, number)));
        }
    }
    each(&cases, |(bound, is_carried_out, number)| {
        let (home, state) = (Place::new(), State::new(&[Script::default(); 4]));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (once, carried_out) = (Arc::clone(&state), *is_carried_out);
        let serving = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            drop(listener);
            let request = Connection::new(stream).request().unwrap();
            once.api().note(&request);
            if carried_out {
                once.api().carry_out(&request);
            }
        });
        changes(&home, 4);
        let rows = std::fs::read_to_string(home.path("changes.jsonl")).unwrap();
        home.write("changes.jsonl", rows.lines().nth(*number).unwrap());
        let from = if *bound == Bound::Yes { "snapshot.jsonl" } else { "none" };
        let consent = format!("--confirm-closing {}", usize::from(KINDS[*number] == "close"));
        let ended = home.run(&arguments(APPLY, &endpoint(address), from, &consent)).expect(4);
        serving.join().unwrap();
        assert!(ended.stderr.contains("stopped: the service cannot be reached"), "{}", ended.stderr);
        assert_eq!(home.run_of("run").outcomes(), "1 unknown");

        let serving = Arc::clone(&state);
        serve_on(TcpListener::bind(address).unwrap(), move |connection| drop(serving.converse(connection)));
        let ended = home.run(&arguments("resume run", &endpoint(address), "", &consent));
        let wanted = match (is_carried_out, bound) {
            (true, _) => "applied 1+1 ours",
            (false, Bound::Yes) => "applied 2+1 ours",
            (false, Bound::No) => "unknown 1+1 before",
        };
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        let got = told(&state.api(), &outcomes[0], *number, *bound);
        let wanted = of_kind(wanted, KINDS[*number]);
        assert_eq!(got, wanted, "{bound:?} {is_carried_out} {}: {}", KINDS[*number], ended.stderr);
    });
}

/// A connection that breaks before anything is asked on it, when it is accepted; the change's, or the look's.
#[test]
fn on_a_connection_that_is_accepted_and_no_more() {
    let mut cases = Vec::new();
    for bound in [Bound::Yes, Bound::No] {
        for is_reset in [false, true] {
            for broken in [0, 1] {
                cases.extend((0..4).map(|number| (bound, is_reset, broken, number)));
            }
        }
    }
    each(&cases, |(bound, is_reset, broken, number)| {
        let home = Place::new();
        let mut scripts = [Script::default(); 4];
        if *broken == 1 {
            scripts[*number].change = Some((Page("502 Bad Gateway"), true));
        }
        let state = State::new(&scripts);
        let (serving, is_reset, broken) = (Arc::clone(&state), *is_reset, *broken);
        let accepted = Mutex::new(0);
        let address = serve(move |connection| {
            let turn = {
                let mut accepted = accepted.lock().unwrap();
                *accepted += 1;
                *accepted - 1
            };
            match (turn == broken, is_reset) {
                (true, true) => connection.reset(),
                (true, false) => drop(connection),
                (false, _) => drop(serving.converse(connection)),
            }
        });
        changes(&home, 4);
        let rows = std::fs::read_to_string(home.path("changes.jsonl")).unwrap();
        home.write("changes.jsonl", rows.lines().nth(*number).unwrap());
        let from = if *bound == Bound::Yes { "snapshot.jsonl" } else { "none" };
        let consent = format!("--confirm-closing {}", usize::from(KINDS[*number] == "close"));
        let ended = home.run(&arguments(APPLY, &endpoint(address), from, &consent));
        let outcome = &home.run_of("run").lines("outcomes.jsonl")[0];
        let api = state.api();
        let (patches, gets) = (api.count("PATCH", &id(*number)), api.count("GET", &id(*number)));
        let came = format!(
            "{} after {}: {patches}+{gets}, {} times",
            outcome["outcome"].as_str().unwrap(),
            outcome["attempts"],
            api.applied(&id(*number)).len()
        );
        // What broke was no request on the wire, and an attempt on record. Where it broke while the connection
        // came about, it is known that nothing was sent; else it is in doubt.
        let wanted: &[&str] = match (broken, bound, KINDS[*number]) {
            (0, Bound::Yes, _) | (0, _, "fill") => {
                &["applied after 2: 1+0, 1 times", "applied after 2: 1+1, 1 times"]
            }
            (0, Bound::No, _) => &["applied after 2: 1+0, 1 times", "unknown after 1: 0+1, 0 times"],
            _ => &["applied after 1: 1+1, 1 times"],
        };
        let case = format!("{bound:?} {is_reset} {broken} {}", KINDS[*number]);
        assert!(wanted.contains(&came.as_str()), "{case}: {came}, {}", ended.stderr);
    });
}

/// A connection that was kept alive and is closed before the next request: that one is made on another, and
/// nothing is in doubt. Where it breaks under the request, that is a doubt like any other, and not repeated
/// in secret.
#[test]
fn on_a_connection_that_was_kept_alive() {
    let mut cases = Vec::new();
    for bound in [Bound::Yes, Bound::No] {
        cases.extend([None, Some(Reset), Some(ResetUnread), Some(Close)].map(|fault| (bound, fault)));
    }
    each(&cases, |(bound, fault)| {
        let home = Place::new();
        // Each request comes on the connection of the one before, which has just been answered.
        let scripts = fault.map_or([Script::default(); 4], |fault| {
            let broken = Script { change: Some((fault, false)), ..Script::default() };
            [Script::default(), broken, broken, broken]
        });
        let state = State::new(&scripts);
        let (serving, closes) = (Arc::clone(&state), fault.is_none());
        let address = serve(move |mut connection| {
            if closes && let Some(request) = connection.request() {
                serving.api().note(&request);
                let answer = serving.api().carry_out(&request);
                connection.write_and_close(&answer.bytes());
            } else {
                drop(serving.converse(connection));
            }
        });
        // The end of the connection comes with the answer, and is taken in before the next request is due.
        let ended = send_blind(&home, &endpoint(address), *bound, "--concurrency 1 --rate 4/s");
        let outcomes = home.run_of("run").lines("outcomes.jsonl");
        for (number, outcome) in outcomes.iter().enumerate() {
            let wanted = match (fault.is_some() && number > 0, bound) {
                (false, _) => "applied 1+0 ours",
                (true, Bound::Yes) => "applied 2+1 ours",
                (true, Bound::No) => "unknown 1+1 before",
            };
            let got = told(&state.api(), outcome, number, *bound);
            let wanted = of_kind(wanted, KINDS[number]);
            assert_eq!(got, wanted, "{bound:?} {fault:?} {}: {}", KINDS[number], ended.stderr);
        }
    });
}

/// A server that serves one request on a connection and resets it at the next, without having said so. What
/// broke on a kept connection, and the look at what became of it, ride on new ones: of a run one request is
/// in doubt, or as many as there were in flight.
#[test]
fn on_a_server_that_resets_what_is_used_twice() {
    const ROWS: usize = 24;
    each(&[(1, Bound::Yes), (8, Bound::Yes), (1, Bound::No)], |(concurrency, bound)| {
        let (home, state) = (Place::new(), State::new(&[Script::default(); ROWS]));
        let serving = Arc::clone(&state);
        let address = serve(move |mut connection| {
            let Some(request) = connection.request() else { return };
            let answer = {
                let mut api = serving.api();
                api.note(&request);
                api.carry_out(&request)
            };
            if connection.write(answer.bytes()).is_ok() && connection.peek().is_some() {
                connection.reset();
            }
        });
        changes(&home, ROWS);
        let from = if *bound == Bound::Yes { "snapshot.jsonl" } else { "none" };
        let more = format!("--concurrency {concurrency} --confirm-closing {}", ROWS / 4);
        let ended = home.run(&arguments(APPLY, &endpoint(address), from, &more));
        let (run, api) = (home.run_of("run"), state.api());
        let attempts = run.count("/requests/patch");
        let reached = (0..ROWS).map(|number| api.count("PATCH", &id(number))).sum::<usize>() as u64;
        if *bound == Bound::Yes {
            assert_eq!(run.outcomes(), format!("{ROWS} applied"), "{}", ended.stderr);
            assert_eq!(reached, ROWS as u64, "each once");
            assert!((1..=concurrency * 2).contains(&(attempts - reached)), "{attempts} attempts");
        } else {
            // The second row and the eighteenth are additions, which can be repeated.
            assert_eq!(run.outcomes(), format!("{ROWS} applied"), "{}", ended.stderr);
            assert_eq!((attempts, reached), (ROWS as u64 + 2, ROWS as u64));
        }
    });
}
