//! What may have been written, or is held against somebody else: read back, and concluded from.
//!
//! A read may lag behind a write, by seconds. So what a look that comes at once doesn't show is not yet known
//! not to be there. Sending again is safe all the same where an eTag binds the change: then only one of two
//! attempts can match. Everything that ends the item, and rests on the change not being there, waits for looks
//! that come later; and where an answer says that the version moved while looks show the one that was sent,
//! they contradict each other: then nothing is sent any more, and nobody is blamed.

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
use crate::engine::service::Api;
use crate::engine::settle::{Reconciliation, match_written, reconcile};
use crate::engine::shown;
use crate::ledger::AttemptResult;
use crate::pace::retry::MAX_TRIES;

/// How often an item is made again for a referral that others keep changing.
const MOST_REBASES: u32 = 3;

/// How often it is looked again before a look counts as the last word: after half a second, and then ever
/// later, 7.5 seconds in all.
const LOOKS: u32 = 4;

/// The same where the service said yes and shows nothing, before it is sent again.
const LOOKS_AFTER_YES: u32 = 1;

impl<A: Api> ItemTask<'_, A> {
    /// Finds out whether a doubtful attempt was applied. Nothing is sent for the item before.
    pub(super) async fn read_back(&mut self, doubt: &Doubt) -> Step {
        let why = doubt.why.as_str();
        let mut looks = 0;
        loop {
            let reply = match self.context.read_to_settle(self.item.id, self.slot).await {
                Ok(reply) => reply,
                Err(None) => return Step::Leave,
                Err(Some(failure)) => return self.unread(why, &failure),
            };
            let Some(now) = shown::by_get(self.item.id, &reply) else {
                return self.unknown(why, &another_thing());
            };
            let reconciliation = reconcile(&self.item, &now);
            info!(?reconciliation, looks, "read back");
            if looks >= self.looks(reconciliation, doubt, &now) {
                return self.conclude(reconciliation, doubt, &now, reply.status).await;
            }
            looks += 1;
            if !self.context.look_later(why, looks, &self.request_state).await {
                return Step::Leave;
            }
        }
    }

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
            Reconciliation::Partial => self.found_in_part(why, now, status),
            Reconciliation::Conflict if doubt.is_about(now) => {
                self.kept(&match_written(&Arc::clone(&self.item), now), Some(status), now.etag().cloned())
            }
            Reconciliation::NotApplied => self.send_again(why, now).await,
            Reconciliation::Contradictory => self.contradicted(why, None),
            Reconciliation::Conflict if self.is_known(now) => self.contradicted(why, None),
            Reconciliation::Conflict => {
                let message =
                    format!("{why}; read back, the referral is neither as planned from nor as wanted");
                self.in_conflict(Verdict::new(Outcome::Conflict, "changed-meanwhile", message), now).await
            }
            Reconciliation::CannotTell => self.untold(why, None),
        }
    }

    /// Nobody knows before what it was sent, and not all of it is there.
    fn untold(&self, why: &str, status: Option<u16>) -> Step {
        let message = format!(
            "{why}; read back, not all of it is there, and nothing tells whether sending it again would overwrite or \
             repeat something"
        );
        self.over(Verdict::new(Outcome::Unknown, "in-doubt", message).with_status(status), None, None)
    }

    /// How often to look again before this reading counts.
    fn looks(&self, reconciliation: Reconciliation, doubt: &Doubt, now: &Snapshot<'_>) -> u32 {
        let is_sent_again =
            reconciliation == Reconciliation::NotApplied && self.request_state.tries < MAX_TRIES;
        match reconciliation {
            Reconciliation::Applied | Reconciliation::Partial => 0,
            Reconciliation::Conflict if doubt.is_about(now) => 0,
            _ if is_sent_again && self.can_be_bound(now) => u32::from(doubt.said_yes) * LOOKS_AFTER_YES,
            // That nobody knows stays true, whatever comes later.
            Reconciliation::CannotTell if !doubt.said_yes => 0,
            // It is the end, or what is sent again may be made twice.
            _ => LOOKS,
        }
    }

    /// Whether a version guards what is sent next for a referral that was read back so.
    fn can_be_bound(&self, now: &Snapshot<'_>) -> bool {
        self.item.etag.is_some() || now.etag().is_some()
    }

    /// It was read back and is not there. That stays in doubt on record: a look may have come too early.
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
            // It is as planned from at this version. Should the look lag behind, or anybody change it, the
            // change is not made again.
            self.item = Arc::new(Item { etag: now.etag().cloned(), ..Item::clone(&self.item) });
        }
        if self.context.back_off(why, &self.request_state).await { Step::Send } else { Step::Leave }
    }

    /// The service won't have it. After a doubtful attempt that may be our own doing; on a conflict, the
    /// report shows what is there now, unless that is what was sent.
    pub(super) async fn recheck(&mut self, verdict: Verdict) -> Step {
        let mut looks = 0;
        loop {
            // Once it shows the version that was sent, the answer is in doubt itself.
            let is_open = self.doubted || looks > 0;
            let reply = match self.context.read_to_settle(self.item.id, self.slot).await {
                Ok(reply) => reply,
                // The next process looks instead.
                Err(None) => return Step::Leave,
                Err(Some(failure)) if is_open => return self.unread(verdict.message.as_str(), &failure),
                Err(_) => return self.over(verdict, None, None),
            };
            let now = match shown::by_get(self.item.id, &reply) {
                Some(now) => now,
                None if is_open => return self.unknown(verdict.message.as_str(), &another_thing()),
                None => return self.over(verdict, None, None),
            };
            let reconciliation = reconcile(&self.item, &now);
            match reconciliation {
                Reconciliation::Applied if is_open => {
                    return self.applied(Some(reply.status), now.etag().cloned());
                }
                Reconciliation::Partial if is_open => {
                    return self.found_in_part(verdict.message.as_str(), &now, reply.status);
                }
                _ => {}
            }
            // Where no version was sent, the one that is found may be one for a rebase.
            let is_as_planned = reconciliation == Reconciliation::NotApplied
                && (self.doubted || self.item.etag.is_some() || self.context.rebase.is_none());
            let is_as_sent = self.is_known(&now) || is_as_planned;
            if looks == LOOKS || !is_as_sent && !self.doubted {
                return self.refused(verdict, reconciliation, is_as_sent, &now).await;
            }
            self.doubt_refusal(&verdict);
            looks += 1;
            if !self.context.look_later(verdict.message.as_str(), looks, &self.request_state).await {
                return Step::Leave;
            }
        }
    }

    /// The service won't have it, and nothing of it is there.
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
        } else if self.doubted && reconciliation == Reconciliation::CannotTell {
            self.untold(verdict.message.as_str(), verdict.status)
        } else if is_conflict {
            self.in_conflict(verdict, now).await
        } else {
            self.over(verdict, now.etag().cloned(), None)
        }
    }

    /// Puts on record that it isn't known what the last attempt came to: should the process end now, the next
    /// one reads the referral back before anything else.
    fn doubt_refusal(&self, verdict: &Verdict) {
        let result = match verdict.outcome {
            Outcome::Conflict => AttemptResult::Contradicted,
            _ => AttemptResult::InDoubt,
        };
        if let Some(attempt) = self.attempt {
            self.note(attempt, result, verdict.status, Some(verdict.code.clone()));
        }
    }

    /// Whether a referral shows a version that the item was bound to: then the look shows nobody else's work.
    fn is_known(&self, now: &Snapshot<'_>) -> bool {
        let ours = self.item.etag.iter().chain(&self.earlier);
        now.etag().is_some_and(|etag| ours.into_iter().any(|known| known == etag))
    }

    /// Read back, some of it is there.
    fn found_in_part(&self, why: &str, now: &Snapshot<'_>, status: u16) -> Step {
        let how = format!("{why}; read back, only some of it is there");
        self.partial(&how, &self.item.not_taken(now), Some(status), now.etag().cloned())
    }

    /// What was answered and what is read don't fit together, however often it is read.
    fn contradicted(&self, why: &str, status: Option<u16>) -> Step {
        let still = match self.item.etag {
            Some(_) => "at the version that was sent",
            None => "as it was planned from",
        };
        let message = format!(
            "{why}; read back {} times, the referral is still {still}, so nothing tells what became of it",
            LOOKS + 1
        );
        self.over(Verdict::new(Outcome::Unknown, "in-doubt", message).with_status(status), None, None)
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
                let before = std::mem::replace(&mut self.item, Arc::new(item));
                self.earlier.extend(before.etag.clone());
                self.rebases += 1;
                if self.context.back_off(verdict.message.as_str(), &self.request_state).await {
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

    fn conflict(&self, verdict: Verdict, now: &Snapshot<'_>) -> Step {
        let theirs: BTreeMap<&str, Option<&RawValue>> = self
            .item
            .changes
            .iter()
            .map(|change| (change.path.pointer().as_str(), now.at(&change.path).known().ok().flatten()))
            .collect();
        self.over(verdict, now.etag().cloned(), Some(json::raw(&theirs)))
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
        let verdict = Verdict::new(Outcome::Unknown, "in-doubt", message).with_status(failure.status());
        self.over(verdict, None, None)
    }
}

fn another_thing() -> Failure {
    Failure::NoAnswer { message: "the answer holds another thing than the referral".to_owned() }
}
