//! Confirms in bulk what the service answered with a yes alone, as with a 204: such an answer shows nothing, and whatever
//! stands before the service can give it.
//!
//! A list page confirms up to a hundred changes for one request. So items that were answered so gather in the
//! [pool](super::pool), and a pass over the list confirms them once there are enough. The list is asked for in an order
//! in which what was changed last comes first; that is a hint: a service that takes no such order, or doesn't keep it,
//! costs a few pages more, and any element that is seen is as good as any other. What a page shows as it was before may
//! be older than the answer, and waits. What it shows in part, or otherwise than it was sent, is read by itself and
//! settled as any other doubt. When nothing is left to send, so is all that no page has shown.
//!
//! What was not confirmed when the run stops is due on record, and `resume` confirms it before it sends anything for that
//! referral.

use tracing::{debug, info};

use super::context::Context;
use super::event::Event;
use super::fetch::{Coverage, ListPages, PageYield, pays, take_page};
use super::item_task::applied_verdict;
use super::pool::{Answered, Pass, Pool, may_look_after};
use super::request_state::RequestState;
use super::service::Api;
use super::settle::{Listed, match_listed};
use super::stop::Stop;
use crate::domain::account::Settled;
use crate::domain::exchange::Failure;
use crate::domain::outcome::Outcome;
use crate::domain::referral::ETag;
use crate::domain::snapshot::Snapshot;
use crate::domain::step::StepKind;
use crate::ledger::{Backlog, Due, Journal, LedgerError, Outstanding};
use crate::pace::circuit::Purpose;

/// The number of items that have to be confirmed by a page for the next one to be worth its request before the end,
/// as long as those that were not seen can wait for a later pass.
const WORTH: usize = 10;

/// The number of further readings of the list before the end, each after a while, where it may lag behind.
const FURTHER_READINGS: u32 = 2;

/// Confirms what has gathered by pages of the list.
///
/// # Errors
/// Where the ledger can't be read or written.
pub(super) async fn confirm<A: Api>(
    context: &Context<'_, A>,
    backlog: &Backlog,
    journal: &Journal,
    pool: &Pool,
    pass: Pass,
) -> Result<(), LedgerError> {
    let due = pool.begin();
    // What is looked up has to be on record first.
    journal.synced().await?;
    let mut confirmer = Confirmer { context, backlog, journal, pool, unseen: due };
    match pass {
        Pass::Early | Pass::Parting => _ = confirmer.read(Extent::Worthwhile).await?,
        // Where it is the only one, its own answer shows it whole for the same price.
        Pass::Whole if due > 1 => confirmer.read_all().await?,
        Pass::Whole => {}
    }
    info!(?pass, due, unseen = confirmer.unseen, "what was answered is confirmed");
    pool.end(pass, confirmer.unseen);
    Ok(())
}

/// How far the list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// As long as each page confirms many, and then for the last few.
    Worthwhile,
    /// As long as it takes fewer requests than single reads.
    Sparing,
}

/// What came of reading the list.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    /// Whether any item was on it.
    any: bool,
    /// Whether that is all of it.
    is_all: bool,
    /// Whether a page could not be read.
    is_broken: bool,
}

/// Confirms items as the list shows their referrals.
struct Confirmer<'a, A> {
    context: &'a Context<'a, A>,
    backlog: &'a Backlog,
    journal: &'a Journal,
    pool: &'a Pool,
    /// The number of items of this pass that no page has told anything of.
    unseen: usize,
}

impl<A: Api> Confirmer<'_, A> {
    /// Reads the list so often and so far that few items are left for single reads.
    async fn read_all(&mut self) -> Result<(), LedgerError> {
        let slot = self.context.slots.slot();
        let mut waiting = RequestState::new(Purpose::Fetch, None, &slot);
        let why = "the list may be older than what was written";
        let mut last = Reading::default();
        for nth in 0..=FURTHER_READINGS {
            if self.unseen < WORTH || nth > 0 && !self.context.wait_to_read_back(why, nth, &mut waiting).await
            {
                break;
            }
            last = self.read(Extent::Worthwhile).await?;
            if last.is_broken {
                return Ok(());
            }
        }
        if self.unseen > 1 && !last.is_all {
            last = self.read(Extent::Sparing).await?;
        }
        let is_lost = !last.any && !last.is_broken;
        if self.unseen > 1 && is_lost && self.pool.give_up_order() {
            self.read(Extent::Sparing).await?;
        }
        Ok(())
    }

    /// Reads the list from its first page on.
    async fn read(&mut self, extent: Extent) -> Result<Reading, LedgerError> {
        let mut pages = ListPages::new(Purpose::ReadBack, self.pool.first_page());
        let (mut dry_pages, mut reading) = (0, Reading::default());
        while self.unseen > 0 && may_look(self.context.stop) {
            let page = match pages.next(self.context).await {
                Ok(Some(page)) => page,
                // A service may refuse to put its list in order.
                Err(Some(Failure::Answered(_))) if pages.are_unread() && self.pool.give_up_order() => {
                    pages = ListPages::new(Purpose::ReadBack, None);
                    continue;
                }
                Ok(None) => break,
                Err(_) => {
                    reading.is_broken = true;
                    break;
                }
            };
            let seen = async |referral: &Snapshot<'_>| self.seen(referral).await;
            let PageYield { found, spared } = take_page(&page.text, seen).await?;
            debug!(found, spared, unseen = self.unseen, "list page read to confirm");
            reading.any |= found > 0;
            reading.is_all = pages.are_over();
            dry_pages = if spared > 0 { 0 } else { dry_pages + 1 };
            let is_few = self.unseen < WORTH;
            let is_sparing = extent == Extent::Sparing && !self.context.stop.is_set();
            if !(spared >= WORTH || (is_few || is_sparing) && pays(dry_pages, self.unseen)) {
                break;
            }
        }
        Ok(reading)
    }

    /// Takes a referral from a list page.
    async fn seen(&mut self, referral: &Snapshot<'_>) -> Result<Coverage, LedgerError> {
        let id = referral.id();
        let Some(Answered { number, since }) = self.pool.find(id) else { return Ok(Coverage::Unwanted) };
        // What was answered since the pass began may not be on record yet.
        let outstanding = self.backlog.outstanding(number).await?;
        let Some(outstanding) = outstanding.filter(|outstanding| outstanding.due == Due::Confirm) else {
            return Ok(Coverage::Unwanted);
        };
        let covered = match match_listed(&outstanding.item, referral) {
            Listed::Before => return Ok(Coverage::Incomplete),
            Listed::NeedsLook => {
                self.pool.doubt(id);
                Coverage::Incomplete
            }
            Listed::Applied(etag) => {
                self.applied(&outstanding, etag).await?;
                Coverage::Complete
            }
        };
        self.unseen -= usize::from(self.pool.is_due(since));
        Ok(covered)
    }

    /// Ends an item as applied that a page shows.
    async fn applied(&self, outstanding: &Outstanding, etag: ETag) -> Result<(), LedgerError> {
        let Outstanding { item, status, .. } = outstanding;
        debug!(referral = %item.id, "a list page shows the change");
        let verdict = applied_verdict(outstanding.is_rebased()).with_status(*status);
        let at = (self.context.clock)();
        self.journal.stepped(item.number, None, StepKind::Listed { etag: etag.clone() });
        self.journal.settled(item.number, Settled { verdict, etag: Some(etag), theirs: None, at }).await?;
        self.pool.take_out(item.id);
        self.context.tell(Event::Settled(Outcome::Applied));
        Ok(())
    }
}

/// Whether anything may be looked at to confirm it.
fn may_look(stop: &Stop) -> bool {
    stop.reason().is_none_or(|reason| may_look_after(&reason))
}
