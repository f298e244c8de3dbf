//! Carries out the outstanding items of a run: reads them from the ledger in pages, and runs a task for each,
//! as many at a time as the concurrency allows.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tracing::{Instrument, info, info_span};

use super::confirm::confirm;
use super::context::Context;
use super::deadline::Deadline;
use super::event::Event;
use super::item_task::{ItemEnd, is_error, ledger_failed, run_item};
use super::pool::Pool;
use super::service::Api;
use super::stop::StopReason;
use crate::domain::account::Phase;
use crate::ledger::{Backlog, Due, Journal, LedgerError, Outstanding};

/// The number of items read from the ledger at a time: enough to keep every worker busy while the next page
/// is read, few enough that memory doesn't grow with the run.
const PAGE: usize = 256;

/// The limits at which a run stops by itself, and at which it confirms what was answered.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The number of refused, failed or partial rows that stops the run.
    pub max_errors: u64,
    /// The time after which nothing is sent.
    pub finish_by: Option<Timestamp>,
    /// The number of items, answered with a yes alone, that are enough to confirm them by pages of the list:
    /// [`ENOUGH`](super::pool::ENOUGH).
    pub enough: usize,
}

/// Carries out everything that is outstanding and handed out, or as much as can be before the run stops. Returns how
/// far the run has come; where the backlog hands out a part alone, "finished" says so of that part. `errors` is the
/// number of rows that were refused, failed or taken in part, to which it adds.
///
/// # Errors
/// Returns an error where the ledger cannot be read or written. Everything in flight has ended by then.
pub async fn carry_out<A: Api>(
    context: &Context<'_, A>,
    backlog: &Backlog,
    journal: &Journal,
    limits: Limits,
    errors: &mut u64,
) -> Result<Phase, LedgerError> {
    info!("sending begins");
    let deadline = Deadline::new(limits.finish_by, context.clock);
    let pool = Pool::new(limits.enough);
    let mut source = Source { backlog, pool: &pool, page: Vec::new().into_iter(), is_over: false };
    let mut ended = Ended { context, backlog, pool: &pool, limits, errors, failure: None, left: false };
    // Here concurrency begins: as many tasks as there are places, each of which waits for its turn by itself,
    // and some more that wait for a place. They get it in the order in which they are claimed, which is that of the
    // plan. No two items concern the same referral, so one that is held up, and comes later, holds nobody up. What was
    // answered with a yes alone is confirmed beside them, one pass at a time.
    let (mut tasks, mut passes) = (FuturesUnordered::new(), FuturesUnordered::new());
    let ends = deadline.wait(context.stop);
    let (stalled, whole) = (context.watch(), backlog.whole());
    futures::pin_mut!(ends, stalled, whole);
    let mut is_checked = false;
    let mut unconfirmed = 0;
    loop {
        while tasks.len() < context.slots.tasks() && !context.stop.is_set() {
            match source.next().await {
                Ok(Some(item)) => {
                    let referral = info_span!("referral", id = %item.item.id);
                    tasks.push(run_item(context, journal, &pool, item, deadline).instrument(referral));
                }
                Ok(None) => break,
                Err(error) => ended.failed(error),
            }
        }
        // Where the ledger fails, nothing can be confirmed, however the run was stopped before.
        if passes.is_empty()
            && ended.failure.is_none()
            && let Some(pass) = pool.due(tasks.is_empty(), context.stop.reason())
        {
            passes.push(confirm(context, backlog, journal, &pool, pass));
        }
        if std::mem::replace(&mut unconfirmed, pool.len()) != pool.len() {
            context.tell(Event::Unconfirmed(pool.len() as u64));
        }
        if tasks.is_empty() && passes.is_empty() {
            break;
        }
        // Biased, so that a second interrupt and the deadline take effect before any further item is taken.
        tokio::select! {
            biased;
            // What is in flight is dropped; its intents in the ledger leave it in doubt.
            () = context.stop.left() => break,
            () = &mut ends, if !context.stop.is_set() => {}
            checked = &mut whole, if !is_checked => {
                is_checked = true;
                checked.unwrap_or_else(|error| ended.failed(error));
            }
            Some(end) = tasks.next() => ended.item(end).await,
            // The loop goes on after an error: what is in flight is awaited all the same.
            Some(passed) = passes.next() => passed.unwrap_or_else(|error| ended.failed(error)),
            () = &mut stalled => break,
        }
    }
    if !is_checked {
        // Nothing is finished before all of the ledger is checked, and a stop doesn't wait for it.
        tokio::select! {
            biased;
            checked = whole => {
                is_checked = true;
                checked.unwrap_or_else(|error| ended.failed(error));
            }
            () = context.stop.wait() => {}
        }
    }
    backlog.stop_checking();
    context.stop.note();
    info!("sending ended");
    let left = ended.left || pool.len() > 0;
    match ended.failure {
        Some(error) => Err(error),
        None if left || !is_checked || context.stop.is_set() && backlog.is_any_left().await? => {
            Ok(Phase::Stopped)
        }
        None => Ok(Phase::Finished),
    }
}

/// What has come of the items so far.
struct Ended<'a, A> {
    context: &'a Context<'a, A>,
    backlog: &'a Backlog,
    pool: &'a Pool,
    limits: Limits,
    /// The number of rows that were refused, failed or taken in part.
    errors: &'a mut u64,
    failure: Option<LedgerError>,
    /// Whether the run stopped before any of them had its outcome.
    left: bool,
}

impl<A: Api> Ended<'_, A> {
    /// Takes the end of an item's task. Stops the run where too many went wrong.
    async fn item(&mut self, end: Result<ItemEnd, LedgerError>) {
        match end {
            Ok(ItemEnd::Settled(item, outcome)) if is_error(outcome) => {
                match self.backlog.rows_of(item).await {
                    Ok(rows) => {
                        *self.errors += rows;
                        if *self.errors >= self.limits.max_errors {
                            self.context.stop.now(StopReason::TooManyErrors(*self.errors));
                        }
                    }
                    Err(error) => self.failed(error),
                }
            }
            Ok(ItemEnd::Settled(..)) => {}
            Ok(ItemEnd::Answered(referral, item)) => self.pool.add(referral, item),
            Ok(ItemEnd::Left) => self.left = true,
            Err(error) => self.failed(error),
        }
    }

    /// Stops the run, since the ledger can't be read or written.
    fn failed(&mut self, error: LedgerError) {
        self.context.stop.now(ledger_failed(&error));
        self.failure = Some(error);
    }
}

/// The outstanding items, as they are claimed.
struct Source<'a> {
    backlog: &'a Backlog,
    pool: &'a Pool,
    page: std::vec::IntoIter<Outstanding>,
    /// Whether the last item was claimed.
    is_over: bool,
}

impl Source<'_> {
    /// Returns the next item that needs a task of its own: first those that no page of the list could confirm. What an
    /// earlier process left to be confirmed joins the others that are.
    async fn next(&mut self) -> Result<Option<Outstanding>, LedgerError> {
        while let Some(number) = self.pool.next_doubt() {
            if let Some(item) = self.backlog.outstanding(number).await? {
                return Ok(Some(item));
            }
        }
        loop {
            match self.page.next() {
                Some(item) if item.due == Due::Confirm => self.pool.add(item.item.id, item.item.number),
                Some(item) => return Ok(Some(item)),
                None if self.is_over => return Ok(None),
                None => {
                    self.page = self.backlog.claim(PAGE).await?.into_iter();
                    self.is_over = self.page.len() == 0;
                }
            }
        }
    }
}
