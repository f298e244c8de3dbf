//! One item's life: from its turn to its outcome.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::context::{Context, Effort, Event, Next};
use super::deadline::Deadline;
use super::flights::Flight;
use super::outage::of_its_own;
use super::service::Api;
use super::settle::{Reading, weigh};
use super::slots::Slot;
use super::stop::Reason;
use crate::domain::account::Settled;
use crate::domain::exchange::{Failure, Reply};
use crate::domain::item::Item;
use crate::domain::json;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::pointer::Pointer;
use crate::domain::referral::{ETag, Snapshot};
use crate::ledger::{self, AttemptAnswer, AttemptId, AttemptResult, Journal, LedgerError};
use crate::pace::circuit::Purpose;
use crate::pace::retry::MAX_TRIES;

/// How often an item is made again for a referral that others keep changing.
const MOST_REBASES: u32 = 3;

/// How an item ended in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The item of this number has its outcome.
    Settled(u64, Outcome),
    /// The run stopped first; the ledger knows how far it came.
    Left,
}

/// What comes next in an item's life.
enum Step {
    /// Send the document.
    Send,
    /// An attempt is in doubt: read the referral back.
    Doubt(String),
    /// The service won't have it: because the referral has another version, or for another reason that
    /// may be the work of an earlier attempt. Look once more before it is over.
    Recheck(Verdict),
    /// It is over.
    Over(Box<Settled>),
    /// The run stopped.
    Leave,
}

struct Life<'a, A> {
    context: &'a Context<'a, A>,
    journal: &'a Journal,
    item: Arc<Item>,
    slot: &'a Slot,
    effort: Effort<'a>,
    deadline: Deadline,
    sent_before: bool,
    /// Whether an earlier attempt may have been applied, so that a mismatch may be our own doing.
    doubted: bool,
    /// The attempt that is in doubt, where this process made it.
    in_doubt: Option<AttemptId>,
    /// What the last attempt was answered with.
    last_status: Option<u16>,
    /// How often the item was made again for a newer version of its referral.
    rebases: u32,
}

/// Lives one item's life.
///
/// # Errors
/// Where the ledger cannot be written; nothing more may be sent then.
pub async fn live<A: Api>(
    context: &Context<'_, A>,
    journal: &Journal,
    outstanding: ledger::Outstanding,
    deadline: Deadline,
) -> Result<Ended, LedgerError> {
    let (doubt, slot, id) = (doubt(&outstanding), context.slots.slot(), outstanding.item.id);
    if !context.begin(&slot).await {
        return Ok(Ended::Left);
    }
    let mut life = Life {
        context,
        journal,
        slot: &slot,
        effort: Effort::new(Purpose::Change, Some(id), &slot),
        item: outstanding.item,
        deadline,
        sent_before: outstanding.sent,
        // What an earlier process read back and didn't find can arrive late.
        doubted: outstanding.doubted,
        in_doubt: None,
        last_status: None,
        rebases: 0,
    };
    let mut step = doubt.map_or(Step::Send, |why| Step::Doubt(why.to_owned()));
    loop {
        step = match step {
            Step::Send => life.send().await?,
            Step::Doubt(why) => life.read_back(&why).await,
            Step::Recheck(verdict) => life.recheck(verdict).await,
            Step::Leave => return Ok(Ended::Left),
            Step::Over(settled) => {
                let outcome = settled.verdict.outcome;
                context.is_over(id);
                journal.settled(life.item.number, *settled).await?;
                (context.observe)(Event::Settled(outcome));
                return Ok(Ended::Settled(life.item.number, outcome));
            }
        };
    }
}

/// Why an item may have been sent by an earlier process, where that has to be found out first.
fn doubt(outstanding: &ledger::Outstanding) -> Option<&'static str> {
    match outstanding.next {
        ledger::Next::Send => None,
        ledger::Next::Settle if outstanding.lost => {
            Some("run.sqlite-wal was lost, which may have told that it was sent")
        }
        ledger::Next::Settle => Some("the run ended before the answer"),
    }
}

impl<A: Api> Life<'_, A> {
    /// Slot, gate, limiter, intent, request, answer: in this order. While the intent waited for the disk the
    /// gate may have been shut, the run stopped, or its time have come.
    async fn send(&mut self) -> Result<Step, LedgerError> {
        if !self.context.turn(&mut self.effort).await || self.deadline.has_come(self.context.stop) {
            return Ok(Step::Leave);
        }
        let ticket = {
            let _under_way = self.context.flights.begin(Flight::Intent(self.item.id));
            self.journal.intend(&self.item).await?
        };
        if !self.context.keep_turn(&mut self.effort).await || self.deadline.has_come(self.context.stop) {
            self.journal.withdrawn(ticket);
            return Ok(Step::Leave);
        }
        let attempt = ticket.attempt();
        self.context.count_patch(self.sent_before);
        self.sent_before = true;
        let answer = {
            let _under_way = self.context.flights.begin(Flight::Patch(self.item.id));
            self.context.api.patch(ticket).await
        };
        match answer {
            Ok(reply) => {
                self.context.answered(&self.effort);
                Ok(self.succeeded(attempt, &reply))
            }
            Err(failure) => Ok(self.failed(attempt, &failure).await),
        }
    }

    /// An answer that says yes is compared with what was wanted. One that shows nothing, as a 204, leaves a
    /// doubt: every PATCH asks to be shown the referral, and anything that stands before the service can say
    /// yes.
    fn succeeded(&mut self, attempt: AttemptId, reply: &Reply) -> Step {
        self.last_status = Some(reply.status);
        match self.referral(reply) {
            Some(now) if self.item.is_carried_by(&now) => {
                self.note(attempt, AttemptResult::Applied, Some(reply.status), None);
                self.applied(Some(reply.status), now.etag().cloned().or_else(|| reply.etag.clone()))
            }
            Some(now) if let Some(fields) = self.item.kept_otherwise(&now) => {
                self.note(attempt, AttemptResult::Applied, Some(reply.status), None);
                let message = format!("the service keeps it in another form: {}", named(&fields));
                let verdict = Verdict::new(Outcome::Applied, "kept-otherwise", message);
                self.over(verdict.with_status(Some(reply.status)), now.etag().cloned(), None)
            }
            _ => {
                self.note(attempt, AttemptResult::InDoubt, Some(reply.status), None);
                self.doubt(attempt);
                Step::Doubt(format!("the answer {} does not carry the change", reply.status))
            }
        }
    }

    async fn failed(&mut self, attempt: AttemptId, failure: &Failure) -> Step {
        self.last_status = failure.status();
        let next = self.context.after(failure, &mut self.effort).await;
        let result = match next {
            Next::ReadBack => AttemptResult::InDoubt,
            Next::AgainFreely if failure.status() != Some(401) => AttemptResult::Throttled,
            Next::Again | Next::AgainFreely | Next::GiveUp | Next::Stopped => AttemptResult::NotApplied,
            Next::Conflict | Next::Refused => AttemptResult::Refused,
        };
        // That it is refused now may be an earlier attempt's work, which arrived after all.
        let recheck = self.doubted && matches!(next, Next::Conflict | Next::Refused | Next::GiveUp);
        let result = if recheck { AttemptResult::InDoubt } else { result };
        self.note(attempt, result, failure.status(), Some(failure.code()));
        let message = of_its_own(failure).unwrap_or_else(|| failure.message().to_owned());
        let verdict = |outcome| Verdict::new(outcome, failure.code(), &message).with_status(failure.status());
        match next {
            Next::Again | Next::AgainFreely => Step::Send,
            Next::ReadBack => {
                self.doubt(attempt);
                Step::Doubt(failure.message().to_owned())
            }
            Next::Conflict => Step::Recheck(verdict(Outcome::Conflict)),
            Next::Refused if self.doubted => Step::Recheck(verdict(Outcome::Refused)),
            Next::Refused => self.over(verdict(Outcome::Refused), None, None),
            Next::GiveUp => match failure {
                Failure::NotSent { message } => self.unreachable(message),
                _ if self.doubted => Step::Recheck(verdict(Outcome::Failed)),
                _ => self.over(verdict(Outcome::Failed), None, None),
            },
            Next::Stopped => Step::Leave,
        }
    }

    fn doubt(&mut self, attempt: AttemptId) {
        self.doubted = true;
        self.in_doubt = Some(attempt);
    }

    /// Finds out whether a doubtful attempt was applied. Nothing is sent for the item before.
    async fn read_back(&mut self, why: &str) -> Step {
        let reply = match self.context.read_to_settle(self.item.id, self.slot).await {
            Ok(reply) => reply,
            Err(None) => return Step::Leave,
            Err(Some(failure)) => return self.unread(why, &failure),
        };
        let Some(now) = self.referral(&reply) else { return self.unknown(why, &another_thing()) };
        match weigh(&self.item, &now) {
            Reading::Applied => self.applied(Some(reply.status), now.etag().cloned()),
            Reading::NotApplied if self.effort.tries >= MAX_TRIES => {
                let message = format!(
                    "given up after {} attempts, the last: {why}; read back afterwards, none was applied",
                    self.effort.tries
                );
                let verdict = Verdict::new(Outcome::Failed, "gave-up", message).with_status(self.last_status);
                self.over(verdict, now.etag().cloned(), None)
            }
            Reading::NotApplied => {
                if let Some(attempt) = self.in_doubt.take() {
                    self.note(attempt, AttemptResult::NotApplied, self.last_status, None);
                }
                if self.context.back_off(why, &self.effort).await { Step::Send } else { Step::Leave }
            }
            Reading::Conflict => {
                let message =
                    format!("{why}; read back, the referral is neither as planned from nor as wanted");
                self.in_conflict(Verdict::new(Outcome::Conflict, "changed-meanwhile", message), &now).await
            }
            Reading::CannotTell => {
                let message = format!(
                    "{why}; read back, it is not there, and nothing tells whether sending it again would \
                     overwrite or repeat something"
                );
                self.over(Verdict::new(Outcome::Unknown, "in-doubt", message), None, None)
            }
        }
    }

    /// The service won't have it. After a doubtful attempt that may be our own doing; on a conflict, the
    /// report shows what is there now.
    async fn recheck(&mut self, verdict: Verdict) -> Step {
        let reply = match self.context.read_to_settle(self.item.id, self.slot).await {
            Ok(reply) => reply,
            Err(None) if self.doubted => return Step::Leave,
            Err(Some(failure)) if self.doubted => return self.unread(&verdict.message, &failure),
            Err(_) => return self.over(verdict, None, None),
        };
        match self.referral(&reply) {
            Some(now) if self.doubted && self.item.is_shown_by(&now) => {
                self.applied(Some(reply.status), now.etag().cloned())
            }
            Some(now) if verdict.outcome == Outcome::Conflict => self.in_conflict(verdict, &now).await,
            Some(now) => self.over(verdict, now.etag().cloned(), None),
            None if self.doubted => self.unknown(&verdict.message, &another_thing()),
            None => self.over(verdict, None, None),
        }
    }

    /// The item's own referral, where the answer holds that and nothing else.
    fn referral<'r>(&self, reply: &'r Reply) -> Option<Snapshot<'r>> {
        Snapshot::parse(&reply.body).ok().filter(|now| now.id() == self.item.id)
    }

    fn applied(&self, status: Option<u16>, etag: Option<ETag>) -> Step {
        let verdict = if self.rebases == 0 {
            Verdict::new(Outcome::Applied, "applied", "")
        } else {
            let message = "somebody else changed the referral meanwhile, and nothing that this touches";
            Verdict::new(Outcome::Applied, "rebased", message)
        };
        self.over(verdict.with_status(status), etag, None)
    }

    /// Somebody else changed the referral. Where the user wants that, and nothing is overwritten by it, the
    /// same change is sent again for the new version.
    async fn in_conflict(&mut self, mut verdict: Verdict, now: &Snapshot<'_>) -> Step {
        let Some(rebase) = self.context.rebase else { return self.conflict(verdict, now) };
        let rebased = match self.rebases {
            // It would be made twice where somebody undid it since.
            _ if self.doubted => Err("an attempt whose answer is not known may have been made".to_owned()),
            MOST_REBASES => Err(format!("it was changed {MOST_REBASES} times more")),
            _ => rebase(&self.item, now),
        };
        match rebased {
            Ok(item) => {
                self.item = Arc::new(item);
                self.rebases += 1;
                if self.context.back_off(&verdict.message, &self.effort).await {
                    Step::Send
                } else {
                    Step::Leave
                }
            }
            Err(why) => {
                verdict.message = format!("{}; not sent again: {why}", verdict.message);
                self.conflict(verdict, now)
            }
        }
    }

    fn conflict(&self, verdict: Verdict, now: &Snapshot<'_>) -> Step {
        let theirs: BTreeMap<&str, Option<&RawValue>> = self
            .item
            .changes
            .iter()
            .map(|change| (change.path.pointer().as_str(), now.at(&change.path)))
            .collect();
        self.over(verdict, now.etag().cloned(), Some(json::raw(&theirs)))
    }

    /// Nothing is wrong with this row: whatever comes next would fail in the same way.
    fn unreachable(&self, message: &str) -> Step {
        self.context.stop.now(Reason::Unreachable(message.to_owned()));
        Step::Leave
    }

    /// Reading back a doubtful attempt failed. Where it could not even be asked, it can be later.
    fn unread(&self, why: &str, failure: &Failure) -> Step {
        match failure {
            Failure::NotSent { message } => self.unreachable(message),
            failure => self.unknown(why, failure),
        }
    }

    fn unknown(&self, why: &str, failure: &Failure) -> Step {
        let message = format!("{why}; reading back did not settle it: {}", failure.message());
        self.over(
            Verdict::new(Outcome::Unknown, "in-doubt", message).with_status(failure.status()),
            None,
            None,
        )
    }

    fn over(&self, verdict: Verdict, etag: Option<ETag>, theirs: Option<Box<RawValue>>) -> Step {
        Step::Over(Box::new(Settled { verdict, etag, theirs, at: (self.context.clock)() }))
    }

    fn note(&self, attempt: AttemptId, result: AttemptResult, status: Option<u16>, code: Option<String>) {
        self.journal.answered(attempt, AttemptAnswer { result, status, code, at: (self.context.clock)() });
    }
}

fn named(fields: &[&Pointer]) -> String {
    fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(", ")
}

fn another_thing() -> Failure {
    Failure::NoAnswer { message: "the answer holds another thing than the referral".to_owned() }
}

/// Whether an outcome counts against `--max-errors`.
pub fn is_error(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Refused | Outcome::Failed | Outcome::Partial)
}

/// The reason to stop that an unwritable ledger is.
pub fn ledger_failed(error: &LedgerError) -> Reason {
    Reason::Ledger(error.to_string())
}
