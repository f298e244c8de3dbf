//! Reads a referral back where an attempt may have been applied, or was refused for its version, and decides
//! what follows.
//!
//! A read may lag behind a write, by seconds. So a change that an immediate read doesn't show may have been
//! made all the same. Sending it again is safe where an eTag binds it, since only one of the two attempts can
//! match. A conclusion that ends the item, and rests on the change not being there, waits for later reads.
//! Where the service refuses the version that was sent, and reads go on showing that very version, the two
//! contradict each other: then nothing more is sent, and the outcome is unknown rather than a conflict.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use tracing::info;

use super::{Doubt, ItemTask, Step};
use crate::domain::exchange::Failure;
use crate::domain::item::Item;
use crate::domain::json;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::snapshot::Snapshot;
use crate::domain::step::StepKind;
use crate::engine::service::Api;
use crate::engine::settle::{Reconciliation, match_written, reconcile};
use crate::engine::shown;
use crate::ledger::AttemptResult;
use crate::pace::retry::MAX_TRIES;

/// The number of times an item is made anew for a referral that others keep changing.
const MOST_REBASES: u32 = 3;

/// The number of further reads before a read counts as final: after 0.5, 1, 2 and 4 seconds, 7.5 seconds in
/// all.
const FURTHER_READS: u32 = 4;

/// The number of further reads before a change is sent again whose answer was a success that doesn't show it.
const FURTHER_READS_AFTER_SUCCESS: u32 = 1;

impl<A: Api> ItemTask<'_, A> {
    /// Finds out whether an attempt in doubt was applied. Nothing is sent for the item before.
    pub(super) async fn read_back(&mut self, doubt: &Doubt) -> Step {
        let why = doubt.why.as_str();
        let mut reads = 0;
        loop {
            let reply = match self.look().await {
                Ok(reply) => reply,
                Err(None) => return Step::Leave,
                Err(Some(failure)) => return self.read_back_failed(why, &failure),
            };
            let Some(now) = shown::by_get(self.item.id, &reply) else {
                self.looked_in_vain(&reply);
                return self.unknown(why, &not_the_referral());
            };
            let reconciliation = reconcile(&self.item, &now);
            info!(?reconciliation, reads, "referral read back");
            let is_final = reads >= self.further_reads(reconciliation, doubt, &now);
            self.looked(reconciliation, &now, &reply, !is_final);
            if is_final {
                return self.conclude(reconciliation, doubt, &now, reply.status).await;
            }
            reads += 1;
            if !self.context.wait_to_read_back(why, reads, &mut self.request_state).await {
                return Step::Leave;
            }
        }
    }

    /// Ends the item, or sends it again, by the result of the last read.
    async fn conclude(
        &mut self,
        reconciliation: Reconciliation,
        doubt: &Doubt,
        now: &Snapshot<'_>,
        status: u16,
    ) -> Step {
        let why = doubt.why.as_str();
        match reconciliation {
            Reconciliation::Applied => self.applied(Some(status), now.etag().cloned()),
            Reconciliation::Partial => self.partly_found(why, now, status),
            Reconciliation::Conflict if doubt.is_about(now) => {
                self.kept(&match_written(&Arc::clone(&self.item), now), Some(status), now.etag().cloned())
            }
            Reconciliation::NotApplied => {
                if self.is_unconfirmed {
                    self.pool.not_found();
                }
                self.send_again(why, now).await
            }
            Reconciliation::Contradictory => self.contradicted(why, None),
            Reconciliation::Conflict if self.is_known(now) => self.contradicted(why, None),
            Reconciliation::Conflict => {
                let message =
                    format!("{why}; read back, the referral is neither as planned from nor as wanted");
                self.in_conflict(Verdict::new(Outcome::Conflict, "changed-meanwhile", message), now).await
            }
            Reconciliation::CannotTell => self.cannot_tell(why, None),
        }
    }

    /// Ends the item as unknown: it is not known from which state it was sent, and not all of it is there.
    fn cannot_tell(&self, why: &str, status: Option<u16>) -> Step {
        let message = format!(
            "{why}; read back, not all of it is there, and nothing tells whether sending it again would overwrite or \
             repeat something"
        );
        self.over(Verdict::new(Outcome::Unknown, "in-doubt", message).with_status(status), None, None)
    }

    /// Returns the number of further reads before this result counts.
    fn further_reads(&self, reconciliation: Reconciliation, doubt: &Doubt, now: &Snapshot<'_>) -> u32 {
        let is_sent_again =
            reconciliation == Reconciliation::NotApplied && self.request_state.tries < MAX_TRIES;
        match reconciliation {
            Reconciliation::Applied | Reconciliation::Partial => 0,
            Reconciliation::Conflict if doubt.is_about(now) => 0,
            _ if is_sent_again && self.can_be_bound(now) => {
                u32::from(doubt.was_success) * FURTHER_READS_AFTER_SUCCESS
            }
            // A later read could not tell either.
            Reconciliation::CannotTell if !doubt.was_success => 0,
            // This result ends the item, or leads to a repetition that no eTag guards.
            _ => FURTHER_READS,
        }
    }

    /// Returns whether an eTag can guard what is sent next.
    fn can_be_bound(&self, now: &Snapshot<'_>) -> bool {
        self.item.etag.is_some() || now.etag().is_some()
    }

    /// Sends a change again that was read back and is not there, unless it was tried often enough. In the
    /// ledger the earlier attempt stays in doubt, since the read may have come too early.
    async fn send_again(&mut self, why: &str, now: &Snapshot<'_>) -> Step {
        if self.request_state.tries >= MAX_TRIES {
            let message = format!(
                "given up after {} attempts, the last: {why}; read back afterwards, none was applied",
                self.request_state.tries
            );
            let verdict = Verdict::new(Outcome::Failed, "gave-up", message).with_status(self.last_status);
            return self.over(verdict, now.etag().cloned(), None);
        }
        if self.item.etag.is_none() && now.etag().is_some() {
            // The referral is as planned from at this version. Bound to it, the change is not made again
            // where the read lagged behind, or where another user changes the referral meanwhile.
            self.item = Arc::new(Item { etag: now.etag().cloned(), ..Item::clone(&self.item) });
        }
        if self.context.back_off(why, &mut self.request_state).await { Step::Send } else { Step::Leave }
    }

    /// Reads back a referral whose change the service refused. After an attempt in doubt the reason may be
    /// that attempt; on a conflict, the report shows the values that the referral has now.
    pub(super) async fn recheck(&mut self, verdict: Verdict) -> Step {
        let mut reads = 0;
        loop {
            // After a read that shows the version that was sent, the refusal itself is in doubt.
            let is_open = self.may_have_been_applied || reads > 0;
            let reply = match self.look().await {
                Ok(reply) => reply,
                // The next process reads back instead.
                Err(None) => return Step::Leave,
                Err(Some(failure)) if is_open => {
                    return self.read_back_failed(verdict.message.as_str(), &failure);
                }
                Err(_) => return self.over(verdict, None, None),
            };
            let now = match shown::by_get(self.item.id, &reply) {
                Some(now) => now,
                None => {
                    self.looked_in_vain(&reply);
                    return if is_open {
                        self.unknown(verdict.message.as_str(), &not_the_referral())
                    } else {
                        self.over(verdict, None, None)
                    };
                }
            };
            let reconciliation = reconcile(&self.item, &now);
            match reconciliation {
                Reconciliation::Applied if is_open => {
                    self.looked(reconciliation, &now, &reply, false);
                    return self.applied(Some(reply.status), now.etag().cloned());
                }
                Reconciliation::Partial if is_open => {
                    self.looked(reconciliation, &now, &reply, false);
                    return self.partly_found(verdict.message.as_str(), &now, reply.status);
                }
                _ => {}
            }
            // Where no version was sent, the one that is found may allow a rebase.
            let is_as_planned = reconciliation == Reconciliation::NotApplied
                && (self.may_have_been_applied || self.item.etag.is_some() || self.context.rebase.is_none());
            let is_as_sent = self.is_known(&now) || is_as_planned;
            let is_final = reads == FURTHER_READS || !is_as_sent && !self.may_have_been_applied;
            self.looked(reconciliation, &now, &reply, !is_final);
            if is_final {
                return self.refused(verdict, reconciliation, is_as_sent, &now).await;
            }
            self.doubt_refusal(&verdict);
            reads += 1;
            if !self.context.wait_to_read_back(verdict.message.as_str(), reads, &mut self.request_state).await
            {
                return Step::Leave;
            }
        }
    }

    /// Ends an item that the service refused and of which nothing is there, or rebases it.
    async fn refused(
        &mut self,
        verdict: Verdict,
        reconciliation: Reconciliation,
        is_as_sent: bool,
        now: &Snapshot<'_>,
    ) -> Step {
        let is_conflict = verdict.outcome == Outcome::Conflict;
        if is_as_sent && (is_conflict || reconciliation == Reconciliation::Contradictory) {
            self.contradicted(verdict.message.as_str(), verdict.status)
        } else if self.may_have_been_applied && reconciliation == Reconciliation::CannotTell {
            self.cannot_tell(verdict.message.as_str(), verdict.status)
        } else if is_conflict {
            self.in_conflict(verdict, now).await
        } else {
            self.over(verdict, now.etag().cloned(), None)
        }
    }

    /// Records that the result of the last attempt is in doubt. If the process ends now, the next one reads
    /// the referral back before anything else.
    fn doubt_refusal(&self, verdict: &Verdict) {
        let result = match verdict.outcome {
            Outcome::Conflict => AttemptResult::Contradicted,
            _ => AttemptResult::InDoubt,
        };
        if let Some(attempt) = self.attempt {
            self.note(attempt, result, verdict.status, Some(verdict.code.clone()));
        }
    }

    /// Returns whether a referral has a version that the item was bound to: then no other user has changed it
    /// since.
    fn is_known(&self, now: &Snapshot<'_>) -> bool {
        let ours = self.item.etag.iter().chain(&self.earlier_etags);
        now.etag().is_some_and(|etag| ours.into_iter().any(|known| known == etag))
    }

    /// Ends an item of which some was found when its referral was read back.
    fn partly_found(&self, why: &str, now: &Snapshot<'_>, status: u16) -> Step {
        let how = format!("{why}; read back, only some of it is there");
        self.partial(&how, &self.item.not_taken(now), Some(status), now.etag().cloned())
    }

    /// Ends an item whose answer and reads contradict each other, however often it is read.
    fn contradicted(&self, why: &str, status: Option<u16>) -> Step {
        let still = match self.item.etag {
            Some(_) => "at the version that was sent",
            None => "as it was planned from",
        };
        let message = format!(
            "{why}; read back {} times, the referral is still {still}, so nothing tells what became of it",
            FURTHER_READS + 1
        );
        self.over(Verdict::new(Outcome::Unknown, "in-doubt", message).with_status(status), None, None)
    }

    /// Acts on a referral that another user changed. Where the user of the run wants a rebase, and it
    /// overwrites nothing, the same change is sent again for the new version; else the item ends as a
    /// conflict.
    async fn in_conflict(&mut self, mut verdict: Verdict, now: &Snapshot<'_>) -> Step {
        let Some(rebase) = self.context.rebase else { return self.conflict(verdict, now) };
        let rebased = match self.rebases {
            // If an attempt in doubt was applied and another user undid it since, a rebase would make it
            // twice.
            _ if self.may_have_been_applied => {
                Err("an attempt whose answer is not known may have been made".to_owned())
            }
            MOST_REBASES => Err(format!("it was changed {MOST_REBASES} times more")),
            _ => rebase(&self.item, now),
        };
        match rebased {
            Ok(item) => {
                let before = std::mem::replace(&mut self.item, Arc::new(item));
                self.earlier_etags.extend(before.etag.clone());
                self.rebases += 1;
                let (from, to) = (before.etag.clone(), self.item.etag.clone());
                self.journal.stepped(self.item.number, self.attempt, StepKind::Rebased { from, to });
                if self.context.back_off(verdict.message.as_str(), &mut self.request_state).await {
                    Step::Send
                } else {
                    Step::Leave
                }
            }
            Err(why) => {
                verdict.message = verdict.message.say(format!("; not sent again: {why}"));
                self.conflict(verdict, now)
            }
        }
    }

    /// Ends the item as a conflict, with the values that the referral has now.
    fn conflict(&self, verdict: Verdict, now: &Snapshot<'_>) -> Step {
        let theirs: BTreeMap<&str, Option<&RawValue>> = self
            .item
            .changes
            .iter()
            .map(|change| (change.path.pointer().as_str(), now.at(&change.path).known().ok().flatten()))
            .collect();
        self.over(verdict, now.etag().cloned(), Some(json::raw(&theirs)))
    }

    /// Acts on a failure to read back. Where no connection could be made the run stops, and `resume` reads
    /// back.
    fn read_back_failed(&self, why: &str, failure: &Failure) -> Step {
        match failure {
            Failure::NotSent { message } => self.unreachable(message),
            failure => self.unknown(why, failure),
        }
    }

    /// Ends the item as unknown, since reading back didn't settle it.
    fn unknown(&self, why: &str, failure: &Failure) -> Step {
        let message = format!("{why}; reading back did not settle it: {}", failure.message());
        let verdict = Verdict::new(Outcome::Unknown, "in-doubt", message).with_status(failure.status());
        self.over(verdict, None, None)
    }
}

fn not_the_referral() -> Failure {
    Failure::NoAnswer { message: "the answer holds something other than the referral".to_owned() }
}
