//! Carries out one item, from its turn to its outcome. `doubt` settles attempts whose result is unknown,
//! `recorded` puts on record what is no attempt and no outcome.

mod doubt;
mod recorded;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use tracing::{debug, info};

use super::context::{AfterFailure, Context};
use super::deadline::Deadline;
use super::event::Event;
use super::in_flight::Flight;
use super::outage::own_failure;
use super::pool::Pool;
use super::request_state::RequestState;
use super::service::Api;
use super::settle::{AnswerMatch, match_answer};
use super::shown;
use super::slots::Slot;
use super::stop::StopReason;
use crate::api::error_in;
use crate::domain::account::Settled;
use crate::domain::exchange::{Failure, Reply};
use crate::domain::item::{Item, NotTaken};
use crate::domain::json;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::snapshot::Snapshot;
use crate::domain::step::StepKind;
use crate::ledger::{self, AttemptAnswer, AttemptId, AttemptResult, Journal, LedgerError};
use crate::pace::circuit::Purpose;

/// How an item ended in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemEnd {
    /// The item of this number has its outcome.
    Settled(u64, Outcome),
    /// The item of this number was answered with a yes alone, which waits to be confirmed.
    Answered(ReferralId, u64),
    /// The run stopped first; what the item came to so far is in the ledger.
    Left,
}

/// The next step of an item's task.
enum Step {
    /// Send the document.
    Send,
    /// An attempt is in doubt: read the referral back.
    Doubt(Doubt),
    /// The service refused the change: because the referral has another version, or for another reason that
    /// an earlier attempt may have caused. Read the referral back before this verdict counts.
    Recheck(Verdict),
    /// Record the outcome.
    Over(Box<Settled>),
    /// End without an outcome: what the service said yes to is confirmed later.
    Confirm,
    /// End without an outcome: the run is stopped.
    Leave,
}

/// Why it is unknown whether an attempt was applied.
#[derive(Debug, Clone)]
struct Doubt {
    /// The reason, for the outcome's message.
    why: String,
    /// Whether the answer was a success: then a read that doesn't show the change is more likely to lag
    /// behind.
    was_success: bool,
    /// The version at which that answer showed none of the change.
    version_without_change: Option<ETag>,
}

impl Doubt {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), was_success: false, version_without_change: None }
    }

    /// Returns whether a read shows the version that the successful answer came with, and so what the service
    /// made of the change.
    fn is_about(&self, now: &Snapshot<'_>) -> bool {
        now.etag().is_some_and(|etag| self.version_without_change.as_ref() == Some(etag))
    }
}

/// The state of an item's task in this process.
struct ItemTask<'a, A> {
    context: &'a Context<'a, A>,
    journal: &'a Journal,
    pool: &'a Pool,
    item: Arc<Item>,
    slot: &'a Slot,
    request_state: RequestState<'a>,
    deadline: Deadline,
    /// Whether it was sent before, in this process or an earlier one.
    sent_before: bool,
    /// Whether an earlier attempt may have been applied, so that a version mismatch may be its effect.
    may_have_been_applied: bool,
    /// The last attempt of this process.
    attempt: Option<AttemptId>,
    /// The HTTP status that answered the last attempt.
    last_status: Option<u16>,
    /// Whether it was answered with a yes alone, and isn't known to be applied.
    is_unconfirmed: bool,
    /// How often the item was made anew for a newer version of its referral, in this process.
    rebases: u32,
    /// Whether an earlier process made it anew.
    was_rebased: bool,
    /// The eTags that it was bound to before.
    earlier_etags: Vec<ETag>,
}

/// Carries out one item, until it has its outcome or the run stops.
///
/// # Errors
/// Returns an error where the ledger cannot be written; nothing more may be sent then.
pub async fn run_item<A: Api>(
    context: &Context<'_, A>,
    journal: &Journal,
    pool: &Pool,
    outstanding: ledger::Outstanding,
    deadline: Deadline,
) -> Result<ItemEnd, LedgerError> {
    let mut step = first(&outstanding);
    let (slot, id) = (context.slots.slot(), outstanding.item.id);
    if !context.begin(&slot).await {
        return Ok(ItemEnd::Left);
    }
    let mut task = ItemTask {
        context,
        journal,
        pool,
        slot: &slot,
        request_state: RequestState::new(Purpose::Change, Some(id), &slot),
        item: Arc::clone(&outstanding.item),
        deadline,
        sent_before: outstanding.sent,
        // An attempt that an earlier process read back and didn't find may still arrive at the service.
        may_have_been_applied: outstanding.doubted,
        attempt: None,
        last_status: outstanding.status,
        is_unconfirmed: outstanding.due == ledger::Due::Confirm,
        rebases: 0,
        was_rebased: outstanding.is_rebased(),
        earlier_etags: outstanding.versions,
    };
    loop {
        step = match step {
            Step::Send => task.send().await?,
            Step::Doubt(doubt) => {
                info!(was_success = doubt.was_success, "attempt in doubt: the referral is read back");
                task.read_back(&doubt).await
            }
            Step::Recheck(verdict) => {
                info!(
                    outcome = verdict.outcome.name(),
                    status = verdict.status,
                    "refusal rechecked: the referral is read back"
                );
                task.recheck(verdict).await
            }
            Step::Leave => return Ok(ItemEnd::Left),
            Step::Confirm => {
                context.forget(id);
                return Ok(ItemEnd::Answered(id, task.item.number));
            }
            Step::Over(settled) => {
                let outcome = settled.verdict.outcome;
                if task.is_unconfirmed {
                    pool.settled(outcome);
                }
                context.forget(id);
                journal.settled(task.item.number, *settled).await?;
                context.tell(Event::Settled(outcome));
                return Ok(ItemEnd::Settled(task.item.number, outcome));
            }
        };
    }
}

/// Returns the first step of an item that an earlier process may have begun.
fn first(outstanding: &ledger::Outstanding) -> Step {
    match outstanding.due {
        ledger::Due::Send => Step::Send,
        ledger::Due::Settle if outstanding.lost => {
            Step::Doubt(Doubt::new("the ledger's last records are lost, and this change may have been sent"))
        }
        ledger::Due::Settle => Step::Doubt(Doubt::new("the run ended before the answer")),
        ledger::Due::Confirm => {
            let status = outstanding.status.map(|status| format!(" {status}")).unwrap_or_default();
            Step::Doubt(Doubt {
                was_success: true,
                ..Doubt::new(format!("the answer{status} does not carry the change"))
            })
        }
        ledger::Due::Recheck => {
            let code = outstanding.code.as_deref().unwrap_or("conflict");
            let message = "an earlier process was told that the referral has another version";
            Step::Recheck(Verdict::new(Outcome::Conflict, code, message).with_status(outstanding.status))
        }
    }
}

impl<A: Api> ItemTask<'_, A> {
    /// Sends the item: waits for its turn, records the intent, sends the request and records the result.
    ///
    /// The turn and the deadline are checked once more after the intent was recorded, because the gate may
    /// have been shut, or the run stopped, while the intent was written to disk.
    async fn send(&mut self) -> Result<Step, LedgerError> {
        if !self.context.turn(&mut self.request_state).await || self.deadline.has_come(self.context.stop) {
            return Ok(Step::Leave);
        }
        let ticket = {
            let _under_way = self.context.flights.begin(Flight::Intent(self.item.id));
            self.journal.intend_after(self.request_state.take_waits(), &self.item).await?
        };
        if !self.context.keep_turn(&mut self.request_state).await || self.deadline.has_come(self.context.stop)
        {
            self.journal.withdrawn(ticket);
            self.journal.stepped(self.item.number, None, StepKind::Withdrawn);
            return Ok(Step::Leave);
        }
        let attempt = ticket.attempt();
        // While the intent was written, a pause may have begun.
        let waits = self.request_state.take_waits();
        if waits.are_noteworthy() {
            self.journal.stepped(self.item.number, Some(attempt), StepKind::Waited(waits));
        }
        debug!(?attempt, "intent recorded");
        self.attempt = Some(attempt);
        self.context.count_patch(self.sent_before);
        self.sent_before = true;
        let answer = {
            let _under_way = self.context.flights.begin(Flight::Patch(self.item.id));
            self.context.api.patch(ticket).await
        };
        match answer {
            Ok(reply) => {
                self.context.answered(&self.request_state);
                Ok(self.succeeded(attempt, &reply))
            }
            Err(failure) => Ok(self.failed(attempt, &failure).await),
        }
    }

    /// Compares a successful answer with the item. An answer that doesn't show the referral, such as a 204,
    /// leaves open what became of the attempt: every PATCH asks for the referral, and a proxy in front of the
    /// service could have answered. It waits to be confirmed, or the referral is read back at once. An answer that
    /// shows the referral at the version that was sent, which every change moves, leaves the attempt in doubt.
    fn succeeded(&mut self, attempt: AttemptId, reply: &Reply) -> Step {
        self.last_status = Some(reply.status);
        let status = Some(reply.status);
        let now = shown::by_patch(self.item.id, reply);
        let version = now.as_ref().and_then(Snapshot::etag).or(reply.etag.as_ref()).cloned();
        let item = Arc::clone(&self.item);
        let told =
            now.as_ref().map_or(AnswerMatch::Nothing, |now| match_answer(&item, now, version.as_ref()));
        self.is_unconfirmed = false;
        let (result, step) = match told {
            AnswerMatch::Whole => (AttemptResult::Applied, self.applied(status, version)),
            AnswerMatch::Otherwise(_) | AnswerMatch::Partly(_) => {
                (AttemptResult::Applied, self.kept(&told, status, version))
            }
            AnswerMatch::Nothing | AnswerMatch::Unmoved | AnswerMatch::NoneOfIt(_) => {
                // What was in doubt before is settled by itself.
                let may_wait = !self.may_have_been_applied;
                self.may_have_been_applied = true;
                let why = not_shown(&told, reply);
                if matches!(told, AnswerMatch::Nothing)
                    && is_yes_alone(&item, now.as_ref(), version.as_ref(), reply)
                {
                    self.is_unconfirmed = true;
                    self.note(attempt, AttemptResult::Answered, status, None);
                    return if may_wait && self.pool.may_wait() {
                        Step::Confirm
                    } else {
                        Step::Doubt(Doubt { was_success: true, ..Doubt::new(why) })
                    };
                }
                let version_without_change =
                    if let AnswerMatch::NoneOfIt(version) = told { Some(version) } else { None };
                (
                    AttemptResult::InDoubt,
                    Step::Doubt(Doubt { why, was_success: true, version_without_change }),
                )
            }
        };
        self.note(attempt, result, status, None);
        step
    }

    /// Records a failed attempt, once what follows from it has been waited for.
    async fn failed(&mut self, attempt: AttemptId, failure: &Failure) -> Step {
        self.last_status = failure.status();
        let next = self.context.after(failure, &mut self.request_state).await;
        let result = match next {
            AfterFailure::ReadBack => AttemptResult::InDoubt,
            // A refused token is sent again without charge too, but is no throttle.
            AfterFailure::AgainUncharged if failure.status() != Some(401) => AttemptResult::Throttled,
            AfterFailure::Again
            | AfterFailure::AgainUncharged
            | AfterFailure::GiveUp
            | AfterFailure::Stopped => AttemptResult::NotApplied,
            AfterFailure::Conflict => AttemptResult::Mismatched,
            AfterFailure::Refused => AttemptResult::Refused,
        };
        // The result of this attempt says nothing of an earlier one, which may have been applied all the
        // same. So the ledger keeps the item in doubt.
        let is_open = self.may_have_been_applied && result != AttemptResult::Mismatched;
        let result = if is_open { AttemptResult::InDoubt } else { result };
        self.note(attempt, result, failure.status(), Some(failure.code()));
        self.decided(attempt, &next, failure);
        let message = own_failure(failure).unwrap_or_else(|| failure.message().to_owned());
        let verdict = |outcome| Verdict::new(outcome, failure.code(), &message).with_status(failure.status());
        match next {
            AfterFailure::Again | AfterFailure::AgainUncharged => Step::Send,
            AfterFailure::ReadBack => {
                self.may_have_been_applied = true;
                Step::Doubt(Doubt::new(failure.message()))
            }
            AfterFailure::Conflict => Step::Recheck(verdict(Outcome::Conflict)),
            AfterFailure::Refused if self.may_have_been_applied => Step::Recheck(verdict(Outcome::Refused)),
            AfterFailure::Refused => self.over(verdict(Outcome::Refused), None, None),
            AfterFailure::GiveUp => match failure {
                Failure::NotSent { message } => self.unreachable(message),
                _ if self.may_have_been_applied => Step::Recheck(verdict(Outcome::Failed)),
                _ => self.over(verdict(Outcome::Failed), None, None),
            },
            AfterFailure::Stopped => Step::Leave,
        }
    }

    /// Ends the item as applied.
    fn applied(&self, status: Option<u16>, etag: Option<ETag>) -> Step {
        let verdict = applied_verdict(self.was_rebased || self.rebases > 0);
        self.over(verdict.with_status(status), etag, None)
    }

    /// Ends an item of which the service keeps something in another form, or not at all.
    fn kept(&self, kept: &AnswerMatch<'_, '_>, status: Option<u16>, version: Option<ETag>) -> Step {
        match kept {
            AnswerMatch::Otherwise(fields) => {
                let message = format!("the service keeps it in another form: {}", listed(fields));
                let forms = Some(by_pointer(fields));
                self.over(Verdict::kept_otherwise(message).with_status(status), version, forms)
            }
            AnswerMatch::Partly(fields) => {
                let is_all = fields.len() == self.item.changes.len();
                let how = if is_all {
                    "the service said yes and took none of it"
                } else {
                    "the service took only some of it"
                };
                self.partial(how, fields, status, version)
            }
            _ => self.applied(status, version),
        }
    }

    /// Ends the item as partly applied. The fields that were not written are reported and not sent again: the
    /// service would not accept them then either, or another user has changed them on purpose. A closing
    /// among the fields that were written counts as a closing.
    fn partial(
        &self,
        how: &str,
        fields: &[NotTaken<'_, '_>],
        status: Option<u16>,
        etag: Option<ETag>,
    ) -> Step {
        let message = format!("{how}: {}", listed(fields));
        let verdict = Verdict::new(Outcome::Partial, "partly-taken", message).with_status(status);
        self.over(verdict, etag, Some(by_pointer(fields)))
    }

    /// Stops the run, since no connection can be made. The item gets no outcome: nothing is wrong with its
    /// row.
    fn unreachable(&self, message: &str) -> Step {
        self.context.stop.now(StopReason::Unreachable(message.to_owned()));
        Step::Leave
    }

    /// Ends the item with a verdict. `theirs` holds the values that stand in the referral instead.
    fn over(&self, verdict: Verdict, etag: Option<ETag>, theirs: Option<Box<RawValue>>) -> Step {
        Step::Over(Box::new(Settled { verdict, etag, theirs, at: (self.context.clock)() }))
    }

    /// Records the result of an attempt in the ledger.
    fn note(&self, attempt: AttemptId, result: AttemptResult, status: Option<u16>, code: Option<String>) {
        self.journal.answered(attempt, AttemptAnswer { result, status, code, at: (self.context.clock)() });
    }
}

/// Returns the verdict of an item that was applied.
pub(super) fn applied_verdict(is_rebased: bool) -> Verdict {
    if is_rebased {
        let message = "somebody else changed the referral meanwhile, and nothing that this touches";
        Verdict::new(Outcome::Applied, "rebased", message)
    } else {
        Verdict::new(Outcome::Applied, "applied", "")
    }
}

/// Whether a successful answer says yes and no more: it has no body, or one that is the referral without all that was
/// changed. One that shows that, or the very version that was sent, says more, and so does any other body.
fn is_yes_alone(item: &Item, shown: Option<&Snapshot<'_>>, version: Option<&ETag>, reply: &Reply) -> bool {
    match shown {
        _ if version.is_some() && version == item.etag.as_ref() => false,
        Some(shown) => !item.is_seen_in(shown),
        None => reply.body.trim().is_empty(),
    }
}

/// Lists fields with the value that was sent and the value that the referral has.
fn listed(fields: &[NotTaken<'_, '_>]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Returns the values that the referral has in these fields, by pointer.
fn by_pointer(fields: &[NotTaken<'_, '_>]) -> Box<RawValue> {
    let values: BTreeMap<&str, Option<&RawValue>> =
        fields.iter().map(|field| (field.change.path.pointer().as_str(), field.kept)).collect();
    json::raw(&values)
}

/// Describes a successful answer that doesn't show the change.
fn not_shown(shown: &AnswerMatch<'_, '_>, reply: &Reply) -> String {
    let status = reply.status;
    match (shown, error_in(&reply.body)) {
        (AnswerMatch::Unmoved, _) => {
            format!(
                "the answer {status} shows the change at the version that was sent, which every change moves"
            )
        }
        (_, Some(error)) => format!("the answer {status} holds an error: {error}"),
        (_, None) => format!("the answer {status} does not carry the change"),
    }
}

/// Returns whether an outcome counts against `--max-errors`.
pub fn is_error(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Refused | Outcome::Failed | Outcome::Partial)
}

/// Returns the reason to stop where the ledger cannot be read or written.
pub fn ledger_failed(error: &LedgerError) -> StopReason {
    StopReason::Ledger(error.to_string())
}
