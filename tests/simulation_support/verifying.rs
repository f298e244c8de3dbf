//! What a verification says of a run long after its end, held against the service's own journal: somebody else has
//! edited some of the referrals meanwhile, and some are gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use referral_bulk::domain::item::Change;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::verification::{StandingCounts, Verification, Verified, VerifiedStanding};
use referral_bulk::engine::in_flight::Flights;
use referral_bulk::engine::verify::{VerifiedCounts, VerifiedSink, verify};
use referral_bulk::engine::{Context, Slots, Stop};
use referral_bulk::ledger::{self, LedgerError, SentItem, VerifiedPart};
use referral_bulk::pace::Pace;
use serde_json::{Map, Value};

use super::clock;
use super::fault::TIMEOUT;
use super::kept::Kept;
use super::service::Service;
use super::truth::holds;
use super::world::World;

/// What was told of each item, by its number; the last word counts.
#[derive(Default)]
struct ToldOf(BTreeMap<u64, (SentItem, Verified)>);

impl VerifiedSink for ToldOf {
    type Error = LedgerError;

    async fn verified(
        &mut self,
        sent: &SentItem,
        verified: Verified,
        _: VerifiedCounts,
    ) -> Result<(), LedgerError> {
        self.0.insert(sent.item.number, (sent.clone(), verified));
        Ok(())
    }
}

/// Verifies a run that is finished, and puts on record what was found.
pub async fn verify_later(kept: &Kept, world: &Arc<Mutex<World>>) {
    let process = {
        let mut world = world.lock().unwrap();
        world.change_later();
        world.begin_to_look()
    };
    // Looks that lag behind show what was edited just now as it was before.
    tokio::time::sleep(Duration::from_secs(600)).await;
    let (rate, concurrency) = {
        let scenario = &world.lock().unwrap().scenario;
        (scenario.rate.0, scenario.concurrency)
    };
    let (service, pace, stop) = (Service::new(world), Pace::new(rate.parse().unwrap()), Stop::default());
    let context = Context {
        api: &service,
        pace: &pace,
        stop: &stop,
        clock,
        slots: Slots::new(concurrency),
        timeout: Duration::from_millis(TIMEOUT),
        flights: Flights::default(),
        observe: &|_| {},
        counts: Arc::default(),
        rebase: None,
    };
    let reader = ledger::read(kept.address()).await.unwrap();
    let written = reader.written_ids().await.unwrap();
    let (count, mut told) = (written.len() as u64, ToldOf::default());
    let found = verify(&context, &reader, written, &mut told).await.unwrap();
    drop(reader);
    keep(kept, &told, found).await;
    let world = &mut *world.lock().unwrap();
    world.process = process;
    world.law_of_verifying(count, found, &told);
}

/// Puts on record what was found, and compares what is told of it then.
async fn keep(kept: &Kept, told: &ToldOf, found: VerifiedCounts) {
    let verification = Verification {
        at: clock(),
        ended: Some(clock()),
        wave: None,
        counts: found.counts,
        left: found.left,
        in_doubt: 0,
        get: 0,
        list: 0,
    };
    let items = told.0.iter().map(|(number, (_, verified))| (*number, verified.clone())).collect();
    let part = VerifiedPart { number: 1, verification, items };
    ledger::open(kept.address()).await.unwrap().keep_verified(&part).await.unwrap();
    let mut again = Vec::new();
    let each = &mut |item: ledger::VerifiedItem| {
        again.push(format!("{} {:?}", item.number, item.verified));
        Ok(())
    };
    ledger::read(kept.address()).await.unwrap().verified::<LedgerError>(each).await.unwrap();
    let wanted: Vec<String> =
        told.0.iter().map(|(number, (_, verified))| format!("{number} {verified:?}")).collect();
    assert_eq!(again, wanted);
}

impl World {
    /// Somebody else edits some of the referrals, and takes some away.
    fn change_later(&mut self) {
        let (ids, now) = (self.numbers.keys().copied().collect::<Vec<_>>(), self.now());
        for id in ids {
            match self.rng.below(6) {
                0 | 1 => self.edit(id, now),
                2 if self.rng.chance(50) => drop(self.gone.insert(id)),
                _ => {}
            }
        }
    }

    /// Every written referral was told of, and as it stands.
    fn law_of_verifying(&mut self, written: u64, found: VerifiedCounts, told: &ToldOf) {
        let mut counts = StandingCounts::default();
        for (sent, verified) in told.0.values() {
            counts.add(verified.standing);
            self.count(format!("verified: {}", verified.standing.name()));
            if let Some(why) = self.misjudged(sent, verified) {
                let (id, standing) = (sent.item.id, verified.standing.name());
                let fields: Vec<_> = verified.fields.iter().map(|field| field.path.to_string()).collect();
                self.wrong(format!("{id} is told to be {standing} {fields:?}: {why}"));
            }
        }
        if counts != found.counts || counts.total() != written || found.left > 0 {
            self.wrong(format!("{written} referrals were written, and {found:?} told"));
        }
    }

    /// Why it can't be said that a referral stands so.
    fn misjudged(&self, sent: &SentItem, verified: &Verified) -> Option<String> {
        if self.gone.contains(&sent.item.id) {
            return (verified.standing != VerifiedStanding::Gone).then(|| "it is gone".to_owned());
        }
        let now = self.truth(sent.item.id).now();
        let others: Vec<&Change> =
            ours(sent).filter(|change| !holds(now, std::slice::from_ref(*change))).collect();
        let standing = match others.as_slice() {
            [] => VerifiedStanding::StillOurs,
            _ => VerifiedStanding::ChangedSince,
        };
        let wanted: Vec<String> = others.iter().map(|change| change.path.to_string()).collect();
        let told: Vec<String> = verified.fields.iter().map(|field| field.path.to_string()).collect();
        if verified.standing != standing || told != wanted {
            return Some(format!("changed are {wanted:?} in {now}"));
        }
        let is_there = |field: &referral_bulk::domain::verification::FieldNow| {
            let there = now.pointer(field.path.pointer().as_str()).unwrap_or(&Value::Null);
            let told = field.now.as_ref().map_or(Value::Null, |now| serde_json::from_str(now.get()).unwrap());
            *there == told
        };
        (!verified.fields.iter().all(is_there)).then(|| format!("other values are there in {now}"))
    }
}

/// The changes that the service took, by what is on record of it.
fn ours(sent: &SentItem) -> impl Iterator<Item = &Change> {
    let settled = sent.settled.as_ref().unwrap();
    let theirs = settled.theirs.as_ref().map(|theirs| serde_json::from_str(theirs.get()).unwrap());
    let theirs: Map<String, Value> =
        theirs.filter(|_| settled.verdict.outcome == Outcome::Partial).unwrap_or_default();
    sent.item.changes.iter().filter(move |change| !theirs.contains_key(change.path.pointer().as_str()))
}
