//! Puts on record what is no attempt and no outcome: looks at the referral, and what followed from a failure. Nothing
//! waits for these records, and nothing is decided by them.

use uuid::Uuid;

use super::ItemTask;
use crate::domain::exchange::{Failure, Reply};
use crate::domain::referral::ETag;
use crate::domain::snapshot::Snapshot;
use crate::domain::step::{Found, Look, NextMove, StepKind};
use crate::engine::context::AfterFailure;
use crate::engine::service::Api;
use crate::engine::settle::Reconciliation;
use crate::ledger::AttemptId;

impl<A: Api> ItemTask<'_, A> {
    /// Records what followed from the failure of an attempt.
    pub(super) fn decided(&self, attempt: AttemptId, next: &AfterFailure, failure: &Failure) {
        let next = next_move(next, failure, self.may_have_been_applied);
        self.journal.stepped(self.item.number, Some(attempt), StepKind::Decided { next });
    }

    /// Reads the referral. A failure goes on record.
    pub(super) async fn look(&mut self) -> Result<Reply, Option<Failure>> {
        let read = self.context.read_to_settle(self.item.id, self.slot, &mut self.request_state.waits).await;
        if let Err(Some(failure)) = &read {
            self.record_look(Found::Unreadable, failure.status(), None, None, false);
        }
        read
    }

    /// Records a look that was answered with something else than the referral.
    pub(super) fn looked_in_vain(&mut self, reply: &Reply) {
        self.record_look(
            Found::SomethingElse,
            Some(reply.status),
            Some(reply.client_request_id),
            None,
            false,
        );
    }

    /// Records what a look showed, and whether another one follows.
    pub(super) fn looked(&mut self, found: Reconciliation, now: &Snapshot<'_>, reply: &Reply, again: bool) {
        let (status, request) = (Some(reply.status), Some(reply.client_request_id));
        self.record_look(found.into(), status, request, now.etag().cloned(), again);
    }

    fn record_look(
        &mut self,
        found: Found,
        status: Option<u16>,
        client_request_id: Option<Uuid>,
        etag: Option<ETag>,
        again: bool,
    ) {
        let waits = self.request_state.take_waits();
        let look = Look { found, etag, status, client_request_id, again, waits };
        self.journal.stepped(self.item.number, self.attempt, StepKind::Looked(look));
    }
}

/// Returns what follows from a failure, as it goes on record.
fn next_move(next: &AfterFailure, failure: &Failure, may_have_been_applied: bool) -> NextMove {
    match next {
        AfterFailure::Again => NextMove::SendAgain,
        AfterFailure::AgainUncharged if failure.status() == Some(401) => NextMove::SendWithToken,
        AfterFailure::AgainUncharged => NextMove::SendAfterPause,
        AfterFailure::ReadBack => NextMove::ReadBack,
        AfterFailure::Conflict => NextMove::Recheck,
        AfterFailure::GiveUp if matches!(failure, Failure::NotSent { .. }) => NextMove::Stop,
        AfterFailure::Refused | AfterFailure::GiveUp if may_have_been_applied => NextMove::Recheck,
        AfterFailure::Refused => NextMove::EndRefused,
        AfterFailure::GiveUp => NextMove::GiveUp,
        AfterFailure::Stopped => NextMove::Stop,
    }
}

impl From<Reconciliation> for Found {
    fn from(found: Reconciliation) -> Self {
        match found {
            Reconciliation::Applied => Self::Applied,
            Reconciliation::Partial => Self::Partial,
            Reconciliation::NotApplied => Self::NotApplied,
            Reconciliation::Contradictory => Self::Contradictory,
            Reconciliation::Conflict => Self::Conflict,
            Reconciliation::CannotTell => Self::CannotTell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exchange::Refusal;

    #[test]
    fn what_follows_from_a_failure_goes_on_record() {
        let answered = |status| {
            Failure::Answered(Refusal {
                status,
                code: None,
                codes: Vec::new(),
                message: String::new(),
                retry_after: None,
            })
        };
        let not_sent = || Failure::NotSent { message: String::new() };
        for (next, failure, sure, in_doubt) in [
            (AfterFailure::Again, answered(423), NextMove::SendAgain, NextMove::SendAgain),
            (AfterFailure::AgainUncharged, answered(429), NextMove::SendAfterPause, NextMove::SendAfterPause),
            (AfterFailure::AgainUncharged, answered(401), NextMove::SendWithToken, NextMove::SendWithToken),
            (AfterFailure::ReadBack, answered(500), NextMove::ReadBack, NextMove::ReadBack),
            (AfterFailure::Conflict, answered(412), NextMove::Recheck, NextMove::Recheck),
            (AfterFailure::Refused, answered(400), NextMove::EndRefused, NextMove::Recheck),
            (AfterFailure::GiveUp, answered(423), NextMove::GiveUp, NextMove::Recheck),
            (AfterFailure::GiveUp, not_sent(), NextMove::Stop, NextMove::Stop),
            (AfterFailure::Stopped, answered(429), NextMove::Stop, NextMove::Stop),
        ] {
            let got = [false, true].map(|may_be_applied| next_move(&next, &failure, may_be_applied));
            assert_eq!(got, [sure, in_doubt], "{next:?} {failure:?}");
        }
    }
}
