//! How a worker reads: one referral or a page of the list, again as often as follows from the failures.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{AfterFailure, Context};
use crate::api::{Page, PageLink};
use crate::domain::exchange::{Failure, Reply};
use crate::domain::referral::ReferralId;
use crate::domain::step::Waits;
use crate::engine::in_flight::Flight;
use crate::engine::request_counts::Counter;
use crate::engine::request_state::RequestState;
use crate::engine::service::Api;
use crate::engine::slots::Slot;
use crate::pace::circuit::Purpose;

impl<A: Api> Context<'_, A> {
    /// Reads one referral once there is a place for it; tries are repeated as [`decide`](crate::pace::retry::decide) says.
    ///
    /// # Errors
    /// Returns the last failure, or `None` where the run was stopped first.
    pub async fn read(&self, id: ReferralId) -> Result<Reply, Option<Failure>> {
        let slot = self.slots.slot();
        if !self.begin(&slot).await {
            return Err(None);
        }
        let read = self.get(id, &mut RequestState::new(Purpose::Fetch, Some(id), &slot)).await;
        self.forget(id);
        read
    }

    /// Reads one referral as [`Self::read`] does, unless `holds` is false by the time that there is a place for it: then
    /// nothing is asked.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_while(
        &self,
        id: ReferralId,
        holds: &AtomicBool,
    ) -> Option<Result<Reply, Option<Failure>>> {
        let slot = self.slots.slot();
        if !self.begin(&slot).await {
            return Some(Err(None));
        }
        if !holds.load(Ordering::Relaxed) {
            return None;
        }
        let read = self.get(id, &mut RequestState::new(Purpose::Fetch, Some(id), &slot)).await;
        self.forget(id);
        Some(read)
    }

    /// Reads one referral to settle an item in doubt, also after the run was stopped. Adds what was waited for.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_to_settle(
        &self,
        id: ReferralId,
        slot: &Slot,
        waits: &mut Waits,
    ) -> Result<Reply, Option<Failure>> {
        let mut request_state = RequestState::new(Purpose::ReadBack, Some(id), slot);
        let read = self.get(id, &mut request_state).await;
        waits.add(request_state.take_waits());
        read
    }

    async fn get(
        &self,
        id: ReferralId,
        request_state: &mut RequestState<'_>,
    ) -> Result<Reply, Option<Failure>> {
        let request = async || {
            let _under_way = self.flights.begin(Flight::Get(id));
            self.api.get(id).await
        };
        self.repeat(&self.counts.get, request_state, request).await
    }

    /// Reads a page of the list, the first where there is no link; tries are repeated as [`decide`](crate::pace::retry::decide) says.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn page(&self, link: Option<&PageLink>) -> Result<Page, Option<Failure>> {
        self.page_for(Purpose::Fetch, link).await
    }

    /// Reads a page of the list as [`Self::page`] does, for this purpose.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn page_for(&self, purpose: Purpose, link: Option<&PageLink>) -> Result<Page, Option<Failure>> {
        let slot = self.slots.slot();
        let mut request_state = RequestState::new(purpose, None, &slot);
        let request = async || {
            let _under_way = self.flights.begin(Flight::List);
            self.api.list(link).await
        };
        self.repeat(&self.counts.list, &mut request_state, request).await
    }

    /// Makes a GET, and makes it again as long as that is what follows from its failures.
    async fn repeat<T>(
        &self,
        counter: &Counter,
        request_state: &mut RequestState<'_>,
        request: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<T, Option<Failure>> {
        let mut again = false;
        loop {
            if !self.turn(request_state).await {
                return Err(None);
            }
            counter.add();
            if std::mem::replace(&mut again, true) {
                self.counts.retried.add();
            }
            match request().await {
                Ok(answer) => {
                    self.answered(request_state);
                    return Ok(answer);
                }
                Err(failure) => self.read_again(failure, request_state).await?,
            }
        }
    }

    /// Waits before a GET is repeated.
    ///
    /// # Errors
    /// Returns the failure where the GET is not to be repeated, or `None` where the run was stopped first.
    async fn read_again(
        &self,
        failure: Failure,
        request_state: &mut RequestState<'_>,
    ) -> Result<(), Option<Failure>> {
        match self.after(&failure, request_state).await {
            AfterFailure::Again | AfterFailure::AgainUncharged => Ok(()),
            AfterFailure::Stopped => Err(None),
            AfterFailure::ReadBack
            | AfterFailure::Conflict
            | AfterFailure::Refused
            | AfterFailure::GiveUp => Err(Some(failure)),
        }
    }
}
