//! Verifies what a run wrote, in the fewest requests: list pages as long as they pay, and single reads of what no page
//! tells for sure.
//!
//! Only GETs are made. In memory are the ids of the referrals alone; what was written is looked up in the ledger when
//! its referral is seen. A run that is being sent meanwhile, or by this process, doesn't matter: nothing here depends
//! on what else the run does.

use std::collections::HashMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use tracing::{debug, info};

use super::context::Context;
use super::event::Event;
use super::fetch::{Beginning, Coverage, Survey, fetch_referrals, fetch_singly};
use super::request_state::RequestState;
use super::service::Api;
use super::stop::StopReason;
use crate::domain::exchange::Failure;
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;
use crate::domain::verification::{Comparison, Look, StandingCounts, Verified, VerifiedStanding, compare};
use crate::ledger::{LedgerError, Reader, SentItem};
use crate::pace::circuit::Purpose;

/// The number of further reads of a referral that may be older than what was written: after 0.5, 1, 2 and 4 seconds.
const FURTHER_READS: u32 = 4;

/// The receiver of what a verification finds.
pub trait VerifiedSink {
    /// The reason why the verification cannot go on.
    type Error: From<LedgerError>;

    /// Takes what was found of an item; `so_far` is what came of the verification with it. Where an item comes a second
    /// time, only that counts.
    ///
    /// # Errors
    /// Returns an error where the verification cannot go on.
    fn verified(
        &mut self,
        sent: &SentItem,
        verified: Verified,
        so_far: VerifiedCounts,
    ) -> impl Future<Output = Result<(), Self::Error>>;
}

/// What came of a verification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifiedCounts {
    /// How the referrals stand.
    pub counts: StandingCounts,
    /// The number of referrals that were not looked at, since the run was stopped.
    pub left: u64,
}

/// Verifies these referrals, each of which the run must have [written](Reader::written_ids). Ends early where
/// `context.stop` is set.
///
/// Where neither the list nor any of the first referrals may be read, that is told of all of them, and the others are
/// not asked for. Where the service doesn't even have a list, nothing is told, and the run is stopped.
///
/// # Errors
/// Returns the errors of the sink, and where the ledger can't be read.
pub async fn verify<A: Api, S: VerifiedSink>(
    context: &Context<'_, A>,
    reader: &Reader,
    referrals: Vec<ReferralId>,
    sink: &mut S,
) -> Result<VerifiedCounts, S::Error> {
    let mut verifier = Verifier::begin(reader, referrals, context.clock, sink);
    let there = fetch_referrals(context, &mut verifier, Beginning::Pages).await?;
    if there && (verifier.is_there || !context.stop.is_set()) {
        verifier.tell_gone().await?;
    }
    verifier.read_further(context).await?;
    if let Some(StopReason::Forbidden(why)) = context.stop.reason() {
        let message = format!("not asked for, since the list and the first referrals were refused: {why}");
        verifier.give_up(|_| true, &message).await?;
    }
    let contested =
        "two list pages show it in different ways, and it was not read by itself before this was stopped";
    verifier.give_up(|open| open.is_contested, contested).await?;
    let found = verifier.so_far();
    info!(?found, "verified");
    Ok(found)
}

/// Compares the referrals of a verification as they are seen.
struct Verifier<'a, S> {
    reader: &'a Reader,
    sink: &'a mut S,
    clock: fn() -> Timestamp,
    /// The referrals in the order of the run.
    order: Vec<ReferralId>,
    states: HashMap<ReferralId, Seen>,
    /// The number of referrals that were not told of.
    open: usize,
    /// How closely single reads look.
    look: Look,
    /// Whether the service showed any referral.
    is_there: bool,
    /// Referrals that are gone, if the service is there at all.
    gone: Vec<(ReferralId, Verified)>,
    counts: StandingCounts,
}

/// What was seen of a referral.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// Not enough.
    Open(Open),
    /// It was told of by a list page, whose text for it has this hash.
    OnPage(VerifiedStanding, u64),
    /// It was told of by itself, or is gone or unreadable.
    Told,
}

/// What is known of a referral that was not told of.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    /// Whether two list pages show it in different ways: only a GET tells how it is.
    is_contested: bool,
}

impl<'a, S: VerifiedSink> Verifier<'a, S> {
    fn begin(reader: &'a Reader, order: Vec<ReferralId>, clock: fn() -> Timestamp, sink: &'a mut S) -> Self {
        let states: HashMap<ReferralId, Seen> =
            order.iter().map(|id| (*id, Seen::Open(Open::default()))).collect();
        Self {
            reader,
            sink,
            clock,
            open: states.len(),
            order,
            states,
            look: Look::Single,
            is_there: false,
            gone: Vec::new(),
            counts: StandingCounts::default(),
        }
    }

    /// Compares a referral that was not told of. What was not written isn't compared.
    async fn compare(&mut self, referral: &Snapshot<'_>, look: Look) -> Result<Coverage, S::Error> {
        let id = referral.id();
        let sent = self.reader.sent_item(id).await?;
        let Some((sent, settled)) = sent.as_ref().and_then(|sent| Some((sent, sent.settled.as_ref()?)))
        else {
            self.close(id, Seen::Told);
            return Ok(Coverage::Unwanted);
        };
        match compare(&sent.item, settled, referral, look, (self.clock)()) {
            Comparison::NeedsSingle | Comparison::NeedsAnother => Ok(Coverage::Incomplete),
            Comparison::Told(verified) => {
                debug!(referral = %id, standing = verified.standing.name(), "referral compared");
                let seen = match look {
                    Look::Page => Seen::OnPage(verified.standing, hash(referral)),
                    Look::Single | Look::Last => Seen::Told,
                };
                self.close(id, seen);
                self.counts.add(verified.standing);
                let so_far = self.so_far();
                self.sink.verified(sent, *verified, so_far).await?;
                Ok(Coverage::Complete)
            }
        }
    }

    /// Returns what came of it so far.
    fn so_far(&self) -> VerifiedCounts {
        VerifiedCounts { counts: self.counts, left: (self.open + self.gone.len()) as u64 }
    }

    /// Records that a referral is no longer wanted.
    fn close(&mut self, id: ReferralId, seen: Seen) {
        if let Some(Seen::Open(_)) = self.states.insert(id, seen) {
            self.open -= 1;
        }
    }

    /// Compares a referral that is on the list again with what the list showed before: while pages are requested,
    /// referrals move from one to another. Where the two differ, it has to be read by itself.
    fn seen_again(&mut self, referral: &Snapshot<'_>, standing: VerifiedStanding, before: u64) -> Coverage {
        if before == hash(referral) {
            return Coverage::Unwanted;
        }
        self.counts.take_out(standing);
        self.states.insert(referral.id(), Seen::Open(Open { is_contested: true }));
        self.open += 1;
        Coverage::Incomplete
    }

    /// Tells of a referral that no look shows.
    async fn tell_unseen(&mut self, id: ReferralId, verified: Verified) -> Result<(), S::Error> {
        let Some(sent) = self.reader.sent_item(id).await? else { return Ok(()) };
        self.counts.add(verified.standing);
        let so_far = self.so_far();
        self.sink.verified(&sent, verified, so_far).await
    }

    /// Tells of the referrals that are gone, once it is known that the service is there.
    async fn tell_gone(&mut self) -> Result<(), S::Error> {
        for (id, verified) in std::mem::take(&mut self.gone) {
            self.tell_unseen(id, verified).await?;
        }
        Ok(())
    }

    /// Reads again, ever later, what may have been shown as it was before it was written.
    async fn read_further<A: Api>(&mut self, context: &Context<'_, A>) -> Result<(), S::Error> {
        let slot = context.slots.slot();
        let mut request_state = RequestState::new(Purpose::Fetch, None, &slot);
        let why = "what is read may be older than what was written";
        for nth in 1..=FURTHER_READS {
            if self.open == 0 || context.stop.is_set() {
                break;
            }
            if !context.wait_to_read_back(why, nth, &mut request_state).await {
                break;
            }
            info!(
                referrals = self.open,
                nth, "read again: what was shown may be older than what was written"
            );
            self.look = if nth == FURTHER_READS { Look::Last } else { Look::Single };
            let wanted = self.order.len();
            fetch_singly(context, self, &|left| context.tell(Event::Looked((wanted - left) as u64))).await?;
            self.tell_gone().await?;
        }
        Ok(())
    }

    /// Tells of those that were not told of, and are such, that they were not read.
    async fn give_up(&mut self, is_such: impl Fn(Open) -> bool, message: &str) -> Result<(), S::Error> {
        for id in self.wanted() {
            if matches!(self.states.get(&id), Some(Seen::Open(open)) if is_such(*open)) {
                self.close(id, Seen::Told);
                self.tell_unseen(id, Verified::not_read(message, (self.clock)())).await?;
            }
        }
        Ok(())
    }
}

impl<S: VerifiedSink> Survey for Verifier<'_, S> {
    type Error = S::Error;

    fn wanted(&self) -> Vec<ReferralId> {
        let is_open = |id: &&ReferralId| matches!(self.states.get(id), Some(Seen::Open(_)));
        self.order.iter().filter(is_open).copied().collect()
    }

    fn remaining(&self) -> usize {
        self.open
    }

    async fn seen(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<Coverage, S::Error> {
        self.is_there = true;
        match self.states.get(&referral.id()) {
            None | Some(Seen::Told) => Ok(Coverage::Unwanted),
            Some(Seen::OnPage(standing, before)) => {
                let (standing, before) = (*standing, *before);
                Ok(self.seen_again(referral, standing, before))
            }
            Some(Seen::Open(Open { is_contested: true })) if !last_word => Ok(Coverage::Incomplete),
            Some(Seen::Open(_)) => {
                let look = if last_word { self.look } else { Look::Page };
                self.compare(referral, look).await
            }
        }
    }

    async fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), S::Error> {
        self.close(id, Seen::Told);
        let verified = Verified::unread(failure, (self.clock)());
        if verified.standing == VerifiedStanding::Gone {
            // Where the service has no list either, its address is wrong, and nothing is gone.
            self.gone.push((id, verified));
            return Ok(());
        }
        self.tell_unseen(id, verified).await
    }
}

fn hash(referral: &Snapshot<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    referral.json().hash(&mut hasher);
    hasher.finish()
}
