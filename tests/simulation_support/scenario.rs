//! What a seed stands for: referrals, rows, how they are looked at, and all that will go wrong.

use serde_json::{Value, json};

use super::fault::Fault;
use super::rng::Rng;
use super::sight::Sight;
use super::truth::{id, referral};

/// How the plan comes to know the referrals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It asks the service, for list pages first.
    Live,
    /// It asks the service, for single referrals first, as long as each is to be changed.
    LiveAhead,
    /// From a snapshot, which may be old by now.
    Snapshot,
    /// From a snapshot without eTags.
    WithoutEtags,
    /// Not at all.
    Blind,
}

/// The seeds from this one on read ahead of the list where they ask the service.
pub const READ_AHEAD: u64 = 1 << 32;

impl Look {
    /// Whether it asks the service.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::LiveAhead)
    }
}

/// How a process ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// At once: whatever isn't on disk is lost.
    Kill,
    /// It takes on nothing new. Whoever says so twice kills it.
    Interrupt,
    /// As a kill, and what is in the ledger's log alone is lost, too.
    Lose,
    /// Its ledger is taken away, so that it cannot write any more.
    Rob,
}

/// When a process ends before its time.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// At the step of this number: a request is about to leave, has left, is answered; a transaction is about
    /// to be written, is written.
    Step(u64),
    /// After so many milliseconds.
    After(u64),
}

/// How often the service answers.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    pub requests: usize,
    /// In so many milliseconds.
    pub window: u64,
    /// What it says to those that are too many.
    pub says: Says,
}

/// What a quota says to those that are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// To slow down, and for how long to wait.
    HowLong,
    /// To slow down.
    SlowDown,
    /// 503, as nginx does.
    Busy,
}

/// A referral whose requests, or changes, are always answered the same, and come to nothing.
#[derive(Debug, Clone, Copy)]
pub struct Poison {
    pub number: usize,
    pub changes_alone: bool,
    pub status: u16,
    pub seconds: Option<u64>,
}

impl Poison {
    fn draw(referrals: usize, rng: &mut Rng) -> Self {
        let number = usize::try_from(rng.below(referrals as u64)).unwrap();
        let answers = [(429, None), (429, Some(2)), (509, None), (503, Some(2)), (503, None), (401, None)];
        let (status, seconds) = rng.pick(&answers);
        Self { number, changes_alone: rng.chance(50), status, seconds }
    }
}

/// A time in which all requests, or all changes, meet the same.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    pub from: u64,
    pub until: u64,
    pub fault: Fault,
    pub changes_alone: bool,
}

impl Outage {
    fn draw(rng: &mut Rng) -> Self {
        let from = rng.between(0, 1_500);
        let faults = [Fault::ServerError, Fault::ProxyPage, Fault::TimeOut, Fault::Reset, Fault::NotSent];
        Self {
            from,
            until: from + rng.pick(&[1_000, 8_000, 40_000, 400_000]),
            fault: rng.pick(&faults),
            changes_alone: rng.chance(60),
        }
    }
}

/// What the service makes of an order that is asked of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It keeps it.
    Kept,
    /// It doesn't mind it.
    Ignored,
    /// It refuses to list anything in an order.
    Refused,
}

/// How the service lists its referrals.
#[derive(Debug, Clone, Copy)]
pub struct Lists {
    /// Referrals on a page at most.
    pub page: usize,
    pub order: Order,
    /// Whether nothing is ever missing: no referral, and no version.
    pub are_whole: bool,
    /// Milliseconds that they lag behind, where that is more than other reads do.
    pub lag: u64,
}

#[derive(Debug, Clone)]
pub struct Scenario {
    pub referrals: Vec<Value>,
    /// JSON Lines.
    pub rows: Vec<String>,
    pub look: Look,
    /// What is seen of a referral.
    pub sight: Sight,
    /// As the user writes it, and the microseconds between two requests, where that is said.
    pub rate: (&'static str, Option<u64>),
    pub concurrency: usize,
    pub max_errors: u64,
    /// Whether a change is sent again for a version that somebody else made.
    pub rebase: bool,
    /// Milliseconds after the beginning of sending.
    pub finish_by: Option<u64>,
    /// One of these happens to so many requests of a hundred.
    pub faults: (Vec<Fault>, u64),
    pub outage: Option<Outage>,
    /// Around so many PATCHes of a hundred somebody else edits the referral.
    pub edits: u64,
    /// Between looking and sending, so many referrals of a hundred are edited.
    pub early_edits: u64,
    /// Milliseconds that reads lag behind writes.
    pub lag: u64,
    pub lists: Lists,
    /// So many yeses to a PATCH of a hundred show nothing.
    pub bare: u64,
    /// The number of those that are enough for the list to be read.
    pub enough: usize,
    /// Of each way, in milliseconds.
    pub latency: (u64, u64),
    /// Of a transaction, in milliseconds.
    pub disk: (u64, u64),
    /// Records in a transaction at most.
    pub batch: usize,
    pub quota: Option<Quota>,
    pub poison: Option<Poison>,
    /// Milliseconds that a token is good for.
    pub token_life: Option<u64>,
    /// So many refreshes of a hundred fail.
    pub lost_refreshes: u64,
    /// The processes that end before their time while they plan, in their order. After them one is let be.
    pub plan_endings: Vec<Option<(Ending, Moment)>>,
    /// The same, while they send.
    pub endings: Vec<Option<(Ending, Moment)>>,
}

impl Scenario {
    pub fn draw(rng: &mut Rng) -> Self {
        let referrals: Vec<Value> =
            (0..rng.pick(&[1, 1, 2, 3, 5, 8, 12, 24])).map(|at| a_referral(at, rng)).collect();
        let rows = (0..referrals.len()).flat_map(|at| rows(at, &referrals[at], rng)).collect();
        let trouble = rng.pick(&[0, 10, 30, 50, 80]);
        let kinds = rng.pick(&[1, 2, 4, Fault::ALL.len() as u64]);
        let latency = rng.pick(&[(0, 0), (1, 20), (20, 300), (1, 4_000)]);
        let scenario = Self {
            rows,
            look: rng.pick(&[
                Look::Live,
                Look::Live,
                Look::Live,
                Look::Snapshot,
                Look::WithoutEtags,
                Look::Blind,
            ]),
            sight: Sight::draw(rng),
            rate: rng.pick(&[
                ("1000/s", Some(1_000)),
                ("100/s", Some(10_000)),
                ("20/s", Some(50_000)),
                ("3/s", Some(333_333)),
                ("auto", None),
            ]),
            concurrency: rng.pick(&[1, 2, 4, 8]),
            max_errors: rng.pick(&[u64::MAX, u64::MAX, u64::MAX, 1, 3]),
            rebase: rng.chance(40),
            finish_by: rng.chance(5).then(|| rng.between(0, 5_000)),
            faults: ((0..kinds).map(|_| rng.pick(&Fault::ALL)).collect(), trouble),
            outage: rng.chance(20).then(|| Outage::draw(rng)),
            edits: rng.pick(&[0, 0, 10, 30]),
            early_edits: rng.pick(&[0, 0, 10, 50]),
            lag: rng.pick(&[0, 0, 0, 0, 700, 5_000, 60_000]),
            latency,
            disk: rng.pick(&[(0, 0), (1, 3), (2, 40)]),
            batch: rng.pick(&[1, 2, 5, 1_000]),
            quota: rng.chance(20).then(|| Quota {
                requests: rng.pick(&[2, 10, 30]),
                window: rng.pick(&[1_000, 10_000]),
                says: rng.pick(&[Says::HowLong, Says::SlowDown, Says::Busy]),
            }),
            poison: rng.chance(15).then(|| Poison::draw(referrals.len(), rng)),
            token_life: rng.chance(15).then(|| rng.pick(&[50, 1_000, 20_000])),
            lost_refreshes: rng.pick(&[0, 20, 60]),
            plan_endings: (0..rng.pick(&[0, 0, 0, 1, 1, 2]))
                .map(|_| plan_ending(referrals.len(), rng))
                .collect(),
            endings: (0..rng.pick(&[0, 1, 1, 2, 3, 6])).map(|_| ending(referrals.len(), rng)).collect(),
            lists: Lists {
                page: rng.pick(&[2, 5, 100]),
                order: rng.pick(&[Order::Kept, Order::Kept, Order::Ignored, Order::Refused]),
                are_whole: rng.chance(40),
                lag: rng.pick(&[0, 0, 2_000, 60_000]),
            },
            bare: rng.pick(&[0, 50, 50, 100, 100]),
            enough: rng.pick(&[1, 2, 5, 250]),
            referrals,
        };
        // Where all goes wrong, nobody sees that one referral, or the load, is the only one to blame.
        let is_busy = scenario.quota.is_some_and(|quota| quota.says == Says::Busy);
        if rng.chance(4) {
            scenario.made_plain().let_be().made_quiet()
        } else if scenario.poison.is_some() && rng.chance(40) {
            scenario.made_plain().let_be()
        } else if is_busy && rng.chance(40) || rng.chance(10) {
            scenario.made_plain()
        } else {
            scenario
        }
    }
}

impl Scenario {
    /// Whether nothing goes wrong but what a quota or a poisoned referral make. That no token is to be had for one
    /// that is refused is another trouble, and ends the run.
    pub fn is_plain(&self) -> bool {
        let nobody_else = self.edits == 0 && self.early_edits == 0;
        let no_limits = self.max_errors == u64::MAX && self.finish_by.is_none();
        let tokens = self.token_life.is_none() && self.lost_refreshes == 0;
        self.faults.1 == 0
            && self.outage.is_none()
            && self.lag + self.lists.lag == 0
            && nobody_else
            && no_limits
            && tokens
    }

    fn made_plain(self) -> Self {
        Self {
            max_errors: u64::MAX,
            finish_by: None,
            faults: (self.faults.0, 0),
            outage: None,
            edits: 0,
            early_edits: 0,
            lag: 0,
            lists: Lists { lag: 0, ..self.lists },
            token_life: None,
            lost_refreshes: 0,
            ..self
        }
    }

    /// Every yes shows nothing, and lists show everything, on one page.
    fn made_quiet(self) -> Self {
        Self {
            poison: None,
            look: Look::Live,
            sight: Sight::of_all(),
            lists: Lists { page: 100, are_whole: true, ..self.lists },
            bare: 100,
            enough: 250,
            ..self
        }
    }

    /// Whether nothing goes wrong, every yes shows nothing, and lists show everything.
    pub fn is_quiet(&self) -> bool {
        let is_let_be = self.endings.is_empty() && self.poison.is_none() && self.quota.is_none();
        let are_clear = self.lists.are_whole && self.lists.page == 100 && self.sight.is_of_all();
        is_let_be && self.is_plain() && are_clear && self.bare == 100 && self.enough == 250
    }

    /// No quota, and processes that all come to their own end.
    fn let_be(self) -> Self {
        Self { quota: None, plan_endings: Vec::new(), endings: Vec::new(), ..self }
    }
}

fn ending(referrals: usize, rng: &mut Rng) -> Option<(Ending, Moment)> {
    let most = rng.pick(&[4, 12, referrals as u64 * 6]);
    let moment = if rng.chance(80) {
        Moment::Step(rng.between(1, most))
    } else {
        let latest = rng.pick(&[50, 2_000, 60_000]);
        Moment::After(rng.between(0, latest))
    };
    let ending = rng.pick(&[
        Ending::Kill,
        Ending::Kill,
        Ending::Kill,
        Ending::Lose,
        Ending::Interrupt,
        Ending::Interrupt,
        Ending::Rob,
    ]);
    (!rng.chance(10)).then_some((ending, moment))
}

/// The ledger of a plan is one that nobody needs yet: it isn't taken away.
fn plan_ending(referrals: usize, rng: &mut Rng) -> Option<(Ending, Moment)> {
    let moment = if rng.chance(80) {
        Moment::Step(rng.between(1, 6 + referrals as u64 * 3))
    } else {
        Moment::After(rng.between(0, 2_000))
    };
    Some((rng.pick(&[Ending::Kill, Ending::Kill, Ending::Interrupt]), moment))
}

fn a_referral(number: usize, rng: &mut Rng) -> Value {
    let stage = [("New", "Received"), ("Active", "Accepted"), ("Active", "Accepted"), ("Closed", "Lost")];
    let (status, substatus) = rng.pick(&stage);
    let mut referral = referral(number, status, substatus);
    match rng.below(4) {
        0 => referral["details"]["notes"] = Value::Null,
        1 => drop(referral["details"].as_object_mut().unwrap().remove("notes")),
        _ => {}
    }
    match rng.below(4) {
        0 => drop(referral.as_object_mut().unwrap().remove("team")),
        1 => {}
        _ => referral["team"] = json!([person("zoe")]),
    }
    if rng.chance(10) {
        referral.as_object_mut().unwrap().remove("details");
    }
    referral
}

/// The rows for one referral.
fn rows(number: usize, referral: &Value, rng: &mut Rng) -> Vec<String> {
    let mut rows = vec![row(number, referral, rng)];
    if rng.chance(15) {
        rows.push(row(number, referral, rng));
    }
    if rng.chance(15) {
        let etag = rng.pick(&[0, 0, 7]);
        rows[0]["eTag"] = format!("\"referral-{number}-version-{etag}\"").into();
    }
    let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    if rng.chance(3) {
        rows.push("{\"id\": broken".to_owned());
    }
    rows
}

fn row(number: usize, referral: &Value, rng: &mut Rng) -> Value {
    let id = id(number);
    let add = |name: &str| json!({ "op": "add", "path": "/team/-", "value": person(name) });
    match rng.below(18) {
        0 | 1 => json!({ "id": id, "details": { "notes": format!("Ours {number}") } }),
        2 => json!({ "id": id, "details": { "dealValue": 5000 + number, "currency": "USD" } }),
        3 | 4 => json!({ "id": id, "status": "Active", "substatus": "Accepted" }),
        5 | 6 => json!({ "id": id, "status": "Closed", "substatus": "Lost", "statusReason": "Ours" }),
        7..=9 => json!({ "id": id, "patch": [add("ann")] }),
        10 => json!({ "id": id, "patch": [add("ann"), add("bo")] }),
        11 => json!({ "id": id, "salesStage": "Ours", "details": { "notes": format!("Ours {number}") } }),
        12 => {
            json!({ "id": id, "details": { "notes": referral["details"]["notes"].as_str().unwrap_or("Ours") } })
        }
        // What is said of a member who is there leaves the rest of what is known about them.
        13 | 14 => {
            json!({ "id": id, "team": [{ "email": "zoe@example.com", "phoneNumber": "+1 555 0199" }] })
        }
        15 => json!({ "id": id, "team": [] }),
        16 => json!({ "id": id, "details": { "notes": "" } }),
        _ => json!({ "id": id, "details": { "dealValue": "much" } }),
    }
}

pub fn person(name: &str) -> Value {
    json!({
        "firstName": name, "lastName": "Lee", "phoneNumber": "+1 555 0100", "email": format!("{name}@example.com"),
    })
}

/// What somebody else does to a referral: a place, and the value it gets. Some of it is what the rows want too.
pub fn edit(number: usize, turn: usize, rng: &mut Rng) -> (&'static str, Value) {
    match rng.below(8) {
        0..=2 => ("/details/notes", format!("Theirs {turn}").into()),
        3 => ("/details/notes", format!("Ours {number}").into()),
        4 => ("/details/dealValue", (90_000 + turn).into()),
        5 => ("/salesStage", format!("Theirs {turn}").into()),
        6 => ("/team", json!([person(rng.pick(&["cy", "zoe"]))])),
        _ => ("/externalReferenceId", format!("Theirs {turn}").into()),
    }
}
