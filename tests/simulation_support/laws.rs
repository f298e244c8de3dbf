//! What must always hold of the requests that leave, whatever comes back.

use std::collections::{BTreeMap, BTreeSet};

use referral_bulk::domain::exchange::Failure;
use referral_bulk::domain::item::Item;
use referral_bulk::domain::referral::{ETag, ReferralId};
use referral_bulk::engine::Event;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::kept::Eye;
use super::truth::{holds, is_as_before, is_seen};
use super::world::{Answer, Ask, World};

/// Whether a change may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As far as anybody has told, it was not made.
    Clear,
    /// It may have been made.
    Doubt,
    /// The referral was read back since.
    Read { may_be_sent: bool },
}

/// An item on its way, as seen from outside.
#[derive(Debug)]
pub struct Action {
    pub item: Item,
    /// Whether it was planned for a version.
    pub is_guarded: bool,
    pub standing: Standing,
    /// PATCHes that the program has made.
    pub sent: u64,
    /// Intents on disk whose PATCHes were never made, since the process was killed in between.
    pub lost: u64,
    /// PATCHes that no ledger tells of any more, since its log was lost.
    pub forgotten: u64,
    /// Whether the program has had any reason to doubt.
    pub ever_in_doubt: bool,
    /// The place in the history where it was when it was first sent.
    pub first_sent: Option<usize>,
    /// The places in the history that the program was shown.
    pub reads: Vec<usize>,
    /// Whether anybody has tried to read it back.
    pub looked: bool,
    /// The referral as it was read back last, unless that failed.
    pub last_read: Option<Value>,
    /// What its PATCHes were refused with.
    pub refusals: BTreeSet<u16>,
    /// The versions at which pages of the list have shown it.
    pub listed: BTreeSet<String>,
    /// Whether the last that was heard of it is a yes that doesn't show all of it, as a 204.
    pub is_bare: bool,
    /// Whether the last PATCH was answered so.
    pub was_bare: bool,
    /// Whether this process, or the ledger, was told that it is for another version, and no look has shown another
    /// since than those that it was sent for.
    pub is_contradicted: bool,
    /// When its last PATCH was answered.
    pub answered_at: u64,
    /// Whether the last PATCH was refused as one for another version.
    pub is_refused: bool,
    /// Whether it was read back since the last PATCH.
    pub looked_since: bool,
    /// The versions that it was sent for.
    pub versions: BTreeSet<String>,
    /// Whether the ledger says what came of it.
    pub settled: bool,
}

impl Action {
    pub fn new(item: Item) -> Self {
        Self {
            is_guarded: item.etag.is_some(),
            item,
            standing: Standing::Clear,
            sent: 0,
            lost: 0,
            forgotten: 0,
            ever_in_doubt: false,
            first_sent: None,
            reads: Vec::new(),
            looked: false,
            last_read: None,
            refusals: BTreeSet::new(),
            listed: BTreeSet::new(),
            is_bare: false,
            was_bare: false,
            is_contradicted: false,
            answered_at: 0,
            is_refused: false,
            looked_since: false,
            versions: BTreeSet::new(),
            settled: false,
        }
    }

    /// Whether sending it twice could do it twice.
    pub fn is_blind_append(&self) -> bool {
        !self.is_guarded && self.item.changes.iter().any(|change| !change.appended.is_empty())
    }

    /// Whether a referral, as it was read back, allows the change to be sent once more.
    fn may_be_sent_after(&self, read: &Value) -> bool {
        match &self.item.etag {
            Some(etag) => read["eTag"] == etag.as_str(),
            None => !self.is_blind_append() && is_as_before(read, &self.item.changes),
        }
    }

    /// Whether what nothing bound so far is bound to the version that was read back last, at which all is as
    /// planned from.
    pub fn may_be_bound_to(&self, etag: Option<&ETag>) -> bool {
        let is_it = |read: &Value| {
            etag.is_some_and(|etag| read["eTag"] == etag.as_str()) && is_as_before(read, &self.item.changes)
        };
        self.item.etag.is_none() && self.looked_since && self.last_read.as_ref().is_some_and(is_it)
    }

    /// Whether the change may be bound to another version: the one that was read back last, in which
    /// nothing that it touches is other than planned from.
    pub fn may_be_rebased_to(&self, etag: Option<&ETag>) -> bool {
        self.last_read.as_ref().is_some_and(|read| {
            let is_it = etag.is_some_and(|etag| read["eTag"] == etag.as_str());
            is_it && !self.item.is_bound && is_as_before(read, &self.item.changes)
        })
    }
}

/// Milliseconds that a request may be ahead of the rate: as much as the one before it was late, ten at most,
/// and the tick of a timer.
const CAUGHT_UP: u64 = 11;

/// The throttles in a row after which a referral is blamed where others were let through.
const MOST_THROTTLES: u64 = 50;

/// What a request is about, and whether it is a PATCH.
type About = (Option<ReferralId>, bool);

/// A request that the program waits for.
#[derive(Debug)]
struct Open {
    id: Option<ReferralId>,
    is_patch: bool,
    /// The `client-request-id` of a change.
    request: Option<Uuid>,
}

#[derive(Debug, Default)]
pub struct Laws {
    /// What was broken, in words.
    pub broken: Vec<String>,
    pub deeds: BTreeMap<ReferralId, Action>,
    /// What the ledger says of each row, once it has decided.
    pub words: BTreeMap<(ReferralId, u64), String>,
    /// An eye of its own on the ledger.
    pub ledger: Option<Eye>,
    open: BTreeMap<u64, Open>,
    /// When the requests of this process left.
    departures: Vec<u64>,
    paused: Option<Paused>,
    /// Requests that were throttled, and were not let through since.
    throttled: BTreeSet<About>,
    /// How often what concerns a referral was throttled since anything that does was let through.
    throttled_in_a_row: BTreeMap<Option<ReferralId>, u64>,
    /// Requests that were let through.
    let_through: BTreeSet<About>,
    held: Option<Held>,
    stopped_at: Option<u64>,
    /// Whether the ledger's log was lost, in any process.
    pub log_was_lost: bool,
    /// The last intent that was written while the ledger was there, where it was taken away.
    last_intent: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Paused {
    since: u64,
    until: u64,
}

/// What the process says it holds back, since one request failed after another.
#[derive(Debug, Clone, Copy)]
struct Held {
    changes_alone: bool,
    until: u64,
    /// The one that is made to see whether things are better.
    probe: Option<u64>,
}

impl Laws {
    /// Another process begins.
    pub fn begin_process(&mut self) {
        self.departures.clear();
        self.throttled.clear();
        self.throttled_in_a_row.clear();
        self.let_through.clear();
        (self.paused, self.stopped_at, self.last_intent) = (None, None, None);
        self.held = None;
    }

    /// A plan begins: what was planned before it was given up.
    pub fn begin_plan(&mut self) {
        self.deeds.clear();
        self.words.clear();
    }

    /// The ledger is taken away: what is written from now on nobody will find.
    pub fn rob(&mut self) {
        self.last_intent = self.ledger.as_ref().map(Eye::last_intent);
    }

    /// The ledger's log is lost: outcomes, too, are known only as far as they are in the database.
    pub fn lose_log(&mut self) {
        self.log_was_lost = true;
        self.words.clear();
        self.deeds.values_mut().for_each(|deed| deed.settled = false);
    }

    /// Nobody waits for a request any more: the process was killed, where it had not ended.
    pub fn closed(&mut self, call: u64) {
        if let Some(Open { id: Some(id), is_patch: true, .. }) = self.open.remove(&call)
            && let Some(deed) = self.deeds.get_mut(&id)
        {
            deed.standing = Standing::Doubt;
        }
    }
}

impl World {
    /// An intent waits for the disk before its PATCH leaves, behind all that waits already. What had its turn
    /// leaves so much later.
    fn slack(&self) -> u64 {
        (self.scenario.concurrency as u64 * 3 + 1) * self.scenario.disk.1 + 1
    }

    /// A process has this ledger. Of what an earlier one was told it knows what is on record.
    pub fn begin_ledger(&mut self, ledger: Eye) {
        let mut contradicted = 0;
        for (id, deed) in self.laws.deeds.iter_mut().filter(|(_, deed)| !deed.settled && deed.is_refused) {
            let is_told = ledger.is_refusal_on_record(*id);
            (deed.is_contradicted, deed.is_refused) = (deed.is_contradicted && is_told, is_told);
            contradicted += usize::from(deed.is_contradicted);
        }
        (0..contradicted).for_each(|_| self.count("a process begins with a contradiction"));
        self.laws.ledger = Some(ledger);
    }

    pub fn laws_on_leaving(&mut self, call: u64, ask: &Ask) {
        let is_patch = matches!(ask, Ask::Patch { .. });
        self.law_of_slots(ask);
        self.law_of_pauses();
        self.law_of_the_circuit(call, is_patch);
        self.law_of_rate();
        self.law_of_stops(ask);
        match ask {
            Ask::Patch { id, etag, document, client_request_id } => {
                self.law_of_intents(*id, *client_request_id);
                self.law_of_sending(*id, etag.as_ref(), document);
                self.journal.sent(*id, *client_request_id, etag.as_ref());
            }
            Ask::List(_) => self.journal.listed(),
            Ask::Get(_) => {}
        }
        let request = match ask {
            Ask::Patch { client_request_id, .. } => Some(*client_request_id),
            Ask::Get(_) | Ask::List(_) => None,
        };
        self.laws.open.insert(call, Open { id: ask.id(), is_patch, request });
    }

    fn law_of_slots(&mut self, ask: &Ask) {
        if self.laws.open.len() >= self.scenario.concurrency {
            self.wrong("more requests are in flight than were allowed");
        }
        if ask.id().is_some() && self.laws.open.values().any(|open| open.id == ask.id()) {
            self.wrong("two requests for one referral are in flight");
        }
    }

    fn law_of_pauses(&mut self) {
        if let Some(Paused { since, until }) = self.laws.paused
            && self.now() < until
            && self.now() > since
        {
            self.wrong(format!("it leaves in a pause that began at {since} and lasts until {until}"));
        }
    }

    /// What the process says of itself.
    pub fn laws_on_event(&mut self, event: &Event) {
        self.note(format!("{event:?}"));
        match event {
            Event::Held { why, pause } => {
                let until = self.now() + u64::try_from(pause.as_millis()).unwrap();
                let changes_alone = why.starts_with("one change after another");
                self.count(format!("the circuit opens, for changes alone: {changes_alone}"));
                self.laws.held = Some(Held { changes_alone, until, probe: None });
            }
            Event::Released => {
                self.count("the circuit closes");
                self.laws.held = None;
            }
            _ => {}
        }
    }

    /// What is held back does not leave, but for one request at a time once the pause is over.
    fn law_of_the_circuit(&mut self, call: u64, is_patch: bool) {
        let now = self.now();
        let Some(held) = self.laws.held.as_mut().filter(|held| is_patch || !held.changes_alone) else {
            return;
        };
        let alone = held.probe.is_none_or(|probe| !self.laws.open.contains_key(&probe));
        held.probe = Some(call);
        if now < held.until || !alone {
            let until = held.until;
            self.wrong(format!("it leaves while all wait until {until}, alone: {alone}"));
        }
    }

    fn law_of_rate(&mut self) {
        let (now, slack, (_, interval)) = (self.now(), self.slack(), self.scenario.rate);
        self.laws.departures.push(now);
        let Some(interval) = interval else { return };
        let before: Vec<u64> = self.laws.departures.iter().rev().skip(1).take(20).copied().collect();
        for (count, before) in (1..).zip(before) {
            if count * interval > (now - before + slack + CAUGHT_UP) * 1_000 {
                self.wrong(format!(
                    "{} requests left since {before}, which is more than the rate",
                    count + 1
                ));
                return;
            }
        }
    }

    /// To be called whenever the process did something: a stop counts from then on.
    pub fn look_for_stop(&mut self) {
        if self.laws.stopped_at.is_none() && self.is_stopping() {
            self.laws.stopped_at = Some(self.now());
        }
    }

    fn law_of_stops(&mut self, ask: &Ask) {
        let now = self.now();
        let Some(stopped_at) = self.laws.stopped_at else { return };
        match ask {
            Ask::Patch { .. } if now > stopped_at => self.wrong("it is sent after the stop"),
            Ask::Get(id) if !self.may_have_been_sent(*id) => {
                self.wrong("it is read after the stop, and was never sent");
            }
            Ask::List(_) if !self.laws.deeds.values().any(|deed| deed.was_bare && !deed.settled) => {
                self.wrong("the list is asked for after the stop, and nothing is to be confirmed");
            }
            Ask::Patch { .. } | Ask::Get(_) | Ask::List(_) => {}
        }
    }

    /// Whether a referral was sent anything, as far as the program can know.
    fn may_have_been_sent(&self, id: ReferralId) -> bool {
        self.laws.deeds.get(&id).is_some_and(|deed| self.laws.log_was_lost || deed.sent + deed.lost > 0)
    }

    /// Every PATCH has an intent on disk.
    fn law_of_intents(&mut self, id: ReferralId, client_request_id: Uuid) {
        let ledger = self.laws.ledger.as_ref();
        let intent = ledger.and_then(|ledger| ledger.open_intent(id, client_request_id));
        match (intent, self.laws.last_intent) {
            (None, _) => self.wrong("it has no intent on disk"),
            (Some(intent), Some(last)) if intent > last => {
                self.wrong("its intent was written where nobody will find it");
            }
            _ => {}
        }
    }

    /// A PATCH is what was planned, and is never repeated blindly.
    fn law_of_sending(&mut self, id: ReferralId, etag: Option<&ETag>, document: &str) {
        let latest = self.truth(id).latest();
        let Some(deed) = self.laws.deeds.get_mut(&id) else {
            return self.wrong("nothing was planned for it");
        };
        let is_same = deed.item.patch.get() == document;
        if is_same && deed.may_be_bound_to(etag) {
            deed.item.etag = etag.cloned();
        }
        let planned = deed.item.etag.as_ref() == etag && is_same;
        // What may have been made, and undone by somebody since, would be made twice.
        let is_clear = deed.standing == Standing::Clear;
        let rebased = self.scenario.rebase && !planned && is_clear && deed.may_be_rebased_to(etag);
        if rebased {
            deed.item.etag = etag.cloned();
            deed.item.patch = RawValue::from_string(document.to_owned()).unwrap();
        }
        let allowed = matches!(deed.standing, Standing::Clear | Standing::Read { may_be_sent: true });
        let (settled, contradicted) = (deed.settled, deed.is_contradicted);
        deed.versions.extend(etag.map(|etag| etag.as_str().to_owned()));
        deed.sent += 1;
        deed.first_sent.get_or_insert(latest);
        let standing = deed.standing;
        let was_bindable = deed.last_read.as_ref().is_some_and(|read| read["eTag"].is_string());
        if matches!(standing, Standing::Read { .. }) && was_bindable && etag.is_none() {
            self.wrong("it is bound to no version, although a look has shown one");
        }
        if !planned && !rebased {
            self.wrong("it is not what was planned, or is bound to another version");
        }
        if settled {
            self.wrong("it has its outcome already");
        }
        if contradicted {
            self.wrong("it is sent once more, although no look shows another version than was refused");
        }
        if !allowed {
            self.wrong(format!("it is sent again blindly: {standing:?}"));
        }
    }

    /// A request for which there is no token does not leave, and its intent stays.
    pub fn laws_on_unsent(&mut self, ask: &Ask) {
        if let Ask::Patch { id, .. } = ask
            && let Some(deed) = self.laws.deeds.get_mut(id)
        {
            deed.sent += 1;
        }
    }

    pub fn laws_on_answer(&mut self, call: u64, answer: &Answer) {
        let Some(Open { id, is_patch, request }) = self.laws.open.remove(&call) else { return };
        self.note_pause((id, is_patch), answer);
        let Some(id) = id else { return self.listed(answer) };
        self.journal.heard(id, request, answer);
        if is_patch && answer.is_ok() {
            self.process.changed.insert(id);
        }
        let shown = match answer {
            Ok(reply) => {
                serde_json::from_str::<Value>(&reply.body).ok().filter(|body| body["id"] == id.to_string())
            }
            Err(_) => None,
        };
        let version = shown.as_ref().and_then(|body| {
            self.truth(id).versions.iter().position(|version| version.state["eTag"] == body["eTag"])
        });
        let now = self.now();
        let Some(deed) = self.laws.deeds.get_mut(&id) else { return };
        if is_patch {
            deed.answered_at = now;
            let open = is_open(answer);
            deed.standing = if open { Standing::Doubt } else { Standing::Clear };
            let is_moved =
                |body: &Value| deed.item.etag.as_ref().is_none_or(|sent| body["eTag"] != sent.as_str());
            let is_shown = shown.as_ref().is_some_and(|body| is_seen(body, &deed.item.changes));
            let confirmed =
                is_shown && shown.is_some_and(|body| is_moved(&body) && holds(&body, &deed.item.changes));
            deed.is_refused = is_for_another_version(answer);
            deed.is_contradicted = deed.is_refused;
            deed.looked_since = false;
            deed.was_bare = answer.is_ok() && !is_shown;
            deed.is_bare = deed.was_bare;
            deed.ever_in_doubt |= open && !confirmed;
            deed.refusals.extend(answer.as_ref().err().and_then(Failure::status));
            return;
        }
        deed.looked = true;
        deed.last_read.clone_from(&shown);
        if let Some(body) = shown {
            deed.reads.extend(version);
            deed.is_bare &= !holds(&body, &deed.item.changes);
            deed.looked_since = true;
            deed.is_contradicted &= body["eTag"].as_str().is_some_and(|etag| deed.versions.contains(etag));
            let is_as_planned = deed.item.etag.is_none() && is_as_before(&body, &deed.item.changes);
            deed.ever_in_doubt |= deed.is_contradicted || deed.is_refused && is_as_planned;
            // The latest look counts: an earlier one may have lagged behind.
            if deed.standing != Standing::Clear {
                deed.standing = Standing::Read { may_be_sent: deed.may_be_sent_after(&body) };
            }
        }
    }

    /// A page of the list is shown. What it shows of a change is shown, if a version comes with it that isn't the one that
    /// was sent; what it doesn't is not.
    fn listed(&mut self, answer: &Answer) {
        let sight = self.scenario.sight;
        let Ok(reply) = answer.clone().map(|reply| sight.dressed(reply)) else { return };
        let page: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let mut confirmed = 0;
        for shown in page["value"].as_array().into_iter().flatten() {
            let id = shown["id"].as_str().and_then(|id| id.parse().ok());
            let Some(deed) = id.and_then(|id: ReferralId| self.laws.deeds.get_mut(&id)) else { continue };
            let etag = ["eTag", "@odata.etag"].iter().find_map(|name| shown[*name].as_str());
            let Some(etag) = etag else { continue };
            deed.listed.insert(etag.to_owned());
            let is_moved = deed.item.etag.as_ref().is_none_or(|sent| sent.as_str() != etag);
            if deed.is_bare
                && is_moved
                && is_seen(shown, &deed.item.changes)
                && holds(shown, &deed.item.changes)
            {
                deed.is_bare = false;
                confirmed += 1;
            }
        }
        (0..confirmed).for_each(|_| self.count("a list page shows what was answered"));
    }

    /// The server asks to be left alone: 429, 509, or 503 that says for how long. Where it asks the same
    /// request again, and others were let through, it may be that one's own matter.
    fn note_pause(&mut self, about: About, answer: &Answer) {
        let refusal = answer.as_ref().err().and_then(|failure| match failure {
            Failure::Answered(refusal) => Some(refusal),
            _ => None,
        });
        let asked = refusal.and_then(|refusal| refusal.retry_after);
        let asked = asked.map(|asked| u64::try_from(asked.as_millis()).unwrap());
        if !matches!(
            (refusal.map(|refusal| refusal.status), asked),
            (Some(429 | 509), _) | (Some(503), Some(_))
        ) {
            // A server in trouble, or one that isn't heard, says nothing of how much it bears: what is throttled
            // before and after recurs.
            if answer.is_ok() || refusal.is_some_and(|refusal| refusal.status < 500) {
                self.laws.throttled.remove(&about);
                self.laws.throttled_in_a_row.remove(&about.0);
                self.laws.let_through.insert(about);
            }
            return;
        }
        let has_others = self.laws.let_through.iter().any(|(id, _)| *id != about.0);
        let in_a_row = self.laws.throttled_in_a_row.entry(about.0).or_default();
        *in_a_row += 1;
        // After so many in a row, reads and changes together, the referral is blamed for the first of either kind, too.
        let recurs = *in_a_row > MOST_THROTTLES;
        if (!self.laws.throttled.insert(about) || recurs) && about.0.is_some() && has_others {
            return;
        }
        let now = self.now();
        let until = now + asked.filter(|asked| *asked > 0).unwrap_or(1_000).min(600_000);
        let paused = self.laws.paused.filter(|paused| now < paused.until);
        let paused = paused.map_or(Paused { since: now, until }, |earlier| Paused {
            until: earlier.until.max(until),
            ..earlier
        });
        self.laws.paused = Some(paused);
    }
}

/// Whether a change may have been made, going by the answer to its PATCH.
fn is_open(answer: &Answer) -> bool {
    match answer {
        Ok(_) | Err(Failure::NoAnswer { .. }) => true,
        Err(Failure::NotSent { .. } | Failure::NoToken { .. }) => false,
        Err(Failure::Answered(refusal)) => match refusal.status {
            509 => false,
            status => status == 408 || status >= 500,
        },
    }
}

/// Whether an answer says that the referral has another version.
fn is_for_another_version(answer: &Answer) -> bool {
    let Err(Failure::Answered(refusal)) = answer else { return false };
    matches!(refusal.status, 409 | 412) || refusal.codes.iter().any(|code| code == "2055")
}
