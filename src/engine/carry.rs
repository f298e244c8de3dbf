//! Carries out the outstanding items of a run: reads them from the ledger in pages, and runs a task for each,
//! as many at a time as the concurrency allows.

use futures::StreamExt;
use jiff::Timestamp;
use tracing::{Instrument, info, info_span};

use super::context::Context;
use super::deadline::Deadline;
use super::item_task::{ItemEnd, is_error, ledger_failed, run_item};
use super::service::Api;
use super::stop::StopReason;
use crate::domain::account::Phase;
use crate::ledger::{Backlog, Journal, LedgerError, Outstanding};

/// The number of items read from the ledger at a time: enough to keep every worker busy while the next page
/// is read, few enough that memory doesn't grow with the run.
const PAGE: usize = 256;

/// The limits at which a run stops by itself.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The number of refused, failed or partial rows that stops the run.
    pub max_errors: u64,
    /// The time after which nothing is sent.
    pub finish_by: Option<Timestamp>,
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
    let mut failure = None;
    let mut left = false;
    // Here concurrency begins: as many tasks as there are places, each of which waits for its turn by itself,
    // and some more that wait for a place. They get it in the order in which they are claimed, which is that of the
    // plan. No two items concern the same referral, so one that is held up, and comes later, holds nobody up.
    let tasks = outstanding(backlog)
        .take_while(|_| std::future::ready(!context.stop.is_set()))
        .map(|item| async move {
            match item {
                Ok(item) => {
                    let referral = info_span!("referral", id = %item.item.id);
                    run_item(context, journal, item, deadline).instrument(referral).await
                }
                Err(error) => Err(error),
            }
        })
        .buffer_unordered(context.slots.tasks());
    let ends = deadline.wait(context.stop);
    let stalled = context.watch();
    futures::pin_mut!(tasks, ends, stalled);
    loop {
        // Biased, so that a second interrupt and the deadline take effect before any further item is taken.
        let ended = tokio::select! {
            biased;
            // What is in flight is dropped; its intents in the ledger leave it in doubt.
            () = context.stop.left() => break,
            () = &mut ends, if !context.stop.is_set() => continue,
            ended = tasks.next() => ended,
            () = &mut stalled => break,
        };
        match ended {
            None => break,
            Some(Ok(ItemEnd::Settled(item, outcome))) if is_error(outcome) => {
                match backlog.rows_of(item).await {
                    Ok(rows) => {
                        *errors += rows;
                        if *errors >= limits.max_errors {
                            context.stop.now(StopReason::TooManyErrors(*errors));
                        }
                    }
                    // The loop goes on: what is in flight is awaited all the same.
                    Err(error) => {
                        context.stop.now(ledger_failed(&error));
                        failure = Some(error);
                    }
                }
            }
            Some(Ok(ItemEnd::Settled(..))) => {}
            Some(Ok(ItemEnd::Left)) => left = true,
            Some(Err(error)) => {
                context.stop.now(ledger_failed(&error));
                failure = Some(error);
            }
        }
    }
    context.stop.note();
    info!("sending ended");
    match failure {
        Some(error) => Err(error),
        None if left || context.stop.is_set() && backlog.is_any_left().await? => Ok(Phase::Stopped),
        None => Ok(Phase::Finished),
    }
}

/// Streams the outstanding items as they are claimed. The stream ends after an error.
fn outstanding(backlog: &Backlog) -> impl futures::Stream<Item = Result<Outstanding, LedgerError>> {
    let start = Some(Vec::new().into_iter());
    futures::stream::unfold(start, move |page| async move {
        let mut page: std::vec::IntoIter<Outstanding> = page?;
        if page.len() == 0 {
            page = match backlog.claim(PAGE).await {
                Ok(next) => next.into_iter(),
                Err(error) => return Some((Err(error), None)),
            };
        }
        let item = page.next()?;
        Some((Ok(item), Some(page)))
    })
}
