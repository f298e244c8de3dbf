//! The exchange of a refresh token that is kept for new tokens, one process at a time.
//!
//! The token is read, exchanged and put back under the lock of the sign-in, and never held in memory between two
//! exchanges: another process may have exchanged it meanwhile, and has an access token of its own. Putting the new one
//! back is the first that is done once the answer is read; what could go wrong with that is tried before. A process
//! that dies in between loses the sign-in where the service takes each refresh token once, and somebody has to sign in
//! again: that cannot be undone from here.
//!
//! An exchange that was sent goes on to its end on a thread of its own, also where nobody waits for its tokens any
//! more, and whoever lets go of a [`Renewal`] waits for that end: for as long as a request may take, and once the user
//! has interrupted the program for [`LONGEST_AFTER_INTERRUPT`]. Where the service is slower than that, the new refresh
//! token is lost with its answer, and somebody has to sign in again: who interrupts a program wants it to end. What
//! wasn't sent yet is not sent any more once nobody waits for it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use super::error::StoreError;
use super::identity::SignInId;
use super::keyring::KeyringError;
use super::record::Record;
use super::sign_ins::{HeldSignIn, Ready, SignIns};
use crate::api::auth::oauth::{
    ClaimsChallenge, Grant, RefreshToken, SignInError, SignInMethod, SignInService, Waited, Waiter,
};
use crate::api::auth::token::Issued;
use crate::domain::exchange::NeededSignIn;
use crate::domain::wording::Wording;

/// How long the end of an exchange is waited for that nobody needs any more: as long as a request may take.
const LONGEST_END: Duration = Duration::from_secs(30);
/// How long it is waited for once the user has interrupted the program.
const LONGEST_AFTER_INTERRUPT: Duration = Duration::from_secs(5);
/// How often it is looked meanwhile whether the user has.
const INTERVAL: Duration = Duration::from_millis(50);

/// Tells whether the user has interrupted the program.
pub(in crate::api::auth) type Interrupted = Arc<dyn Fn() -> bool + Send + Sync>;

/// A service that exchanges refresh tokens. It is asked on a thread that may block.
pub(in crate::api::auth) trait Exchange: Send + Sync {
    /// Exchanges a refresh token for new tokens, with what a policy demands of them. Once nobody waits for them, a
    /// request that was sent is awaited, and none is made again.
    fn exchange(
        &self,
        token: &RefreshToken,
        claims: Option<&ClaimsChallenge>,
        waited: &mut Waited,
    ) -> Result<Grant, SignInError>;

    /// Describes why it did not to the user, and what to do about it. `method` is how they signed in.
    fn told(&self, error: &SignInError, method: SignInMethod) -> Wording;
}

impl Exchange for SignInService {
    fn exchange(
        &self,
        token: &RefreshToken,
        claims: Option<&ClaimsChallenge>,
        waited: &mut Waited,
    ) -> Result<Grant, SignInError> {
        // The runtime of the run may be at its end.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let unasked =
            |error: std::io::Error| SignInError::Unreachable { message: error.to_string(), is_tls: false };
        runtime.map_err(unasked)?.block_on(self.refresh_for(token, claims, waited))
    }

    fn told(&self, error: &SignInError, method: SignInMethod) -> Wording {
        let advice = error.advice(Some(method));
        let told = Wording::from(format!("{error}: {}; ", advice.meaning));
        told.append(&advice.hint(self.registration()))
    }
}

/// Renews a sign-in that is kept. Clones are handles on the same.
#[derive(Clone)]
pub(in crate::api::auth) struct Renewal {
    inner: Arc<RenewalInner>,
    exchanges: Arc<Exchanges>,
    interrupted: Interrupted,
}

struct RenewalInner {
    sign_ins: SignIns,
    id: SignInId,
    service: Box<dyn Exchange>,
}

/// The reason why a sign-in was not renewed.
#[derive(Debug, Clone)]
pub(in crate::api::auth) enum Unrenewed {
    /// The service refused, or could not be asked.
    Service {
        error: SignInError,
        /// What that means to the user.
        told: Wording,
        /// How they signed in.
        method: SignInMethod,
    },
    /// There is no sign-in to renew, or it can't be read.
    Store(StoreError),
    /// It was renewed, and the new refresh token could not be kept.
    NotKept(StoreError),
}

impl Unrenewed {
    /// Returns whether it may succeed a little later.
    pub(in crate::api::auth) fn is_transient(&self) -> bool {
        match self {
            Self::Service { error, .. } => error.is_transient(),
            Self::Store(StoreError::Busy { .. } | StoreError::Keyring(KeyringError::Silent(_))) => true,
            Self::Store(_) | Self::NotKept(_) => false,
        }
    }

    /// Returns the sign-in that would mend it, where one would.
    pub(in crate::api::auth) fn needs_sign_in(&self) -> Option<NeededSignIn> {
        match self {
            Self::Service { error, method, .. } => error.needs_sign_in(*method),
            Self::Store(error) => error.is_mended_by_sign_in().then_some(NeededSignIn::Any),
            Self::NotKept(_) => Some(NeededSignIn::Any),
        }
    }

    /// Returns what a policy demands of a renewal, where that is why there was none.
    pub(in crate::api::auth) fn claims(&self) -> Option<&ClaimsChallenge> {
        match self {
            Self::Service { error, .. } => error.claims(),
            Self::Store(_) | Self::NotKept(_) => None,
        }
    }

    /// Describes it to the user.
    pub(in crate::api::auth) fn wording(&self) -> Wording {
        let with_remedy =
            |error: &StoreError| Wording::from(error.to_string()).say(": ").append(&error.remedy());
        match self {
            Self::Service { told, .. } => told.clone(),
            Self::Store(error) => with_remedy(error),
            Self::NotKept(error) => {
                Wording::from("the sign-in was renewed and could not be kept, so it may be over: ")
                    .append(&with_remedy(error))
                    .say(", and sign in again")
            }
        }
    }
}

impl Renewal {
    /// Returns the renewal of a sign-in at a service.
    pub(in crate::api::auth) fn new(
        sign_ins: SignIns,
        id: SignInId,
        service: Box<dyn Exchange>,
        interrupted: Interrupted,
    ) -> Self {
        let inner = RenewalInner { sign_ins, id, service };
        Self { inner: Arc::new(inner), exchanges: Arc::default(), interrupted }
    }

    /// Renews the sign-in, with what a policy demands of the new tokens, and returns the access token.
    ///
    /// # Errors
    /// See [`Unrenewed`].
    pub(in crate::api::auth) async fn renew(
        &self,
        claims: Option<ClaimsChallenge>,
        now: Timestamp,
    ) -> Result<Issued, Unrenewed> {
        let held = self.inner.sign_ins.hold(&self.inner.id).await.map_err(Unrenewed::Store)?;
        let (inner, exchanges) = (Arc::clone(&self.inner), Arc::clone(&self.exchanges));
        // Dropped with this call, whichever way that ends.
        let (_waiter, mut waited) = Waiter::new();
        let work = move || {
            let (token, record) = inner.token(&held).map_err(Unrenewed::Store)?;
            let ready = held.ready(record.kept).map_err(Unrenewed::Store)?;
            let Some(under_way) = Exchanges::begin(&exchanges, &mut waited) else {
                ready.give_back();
                return Err(Unrenewed::Store(StoreError::Ended));
            };
            let renewed = inner.exchange(&held, (&token, record, ready), claims.as_ref(), now, &mut waited);
            // Let go of before the end is told, so that the next process can go on when this one has ended.
            drop(held);
            drop(under_way);
            renewed
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(renewed) => renewed,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Unrenewed::Store(StoreError::Ended)),
        }
    }

    /// Keeps what a policy demands of the next sign-in.
    ///
    /// # Errors
    /// Returns an error where it can't be kept.
    pub(in crate::api::auth) async fn challenged(&self, claims: ClaimsChallenge) -> Result<(), StoreError> {
        self.inner.sign_ins.challenged(&self.inner.id, claims).await
    }

    /// Returns how often the service was asked.
    pub(in crate::api::auth) fn requests(&self) -> u64 {
        self.exchanges.asked.load(Ordering::Relaxed)
    }

    /// Waits for an exchange that was sent, but not for ever.
    pub(in crate::api::auth) fn wait_for_end(&self) {
        let mut left = LONGEST_END;
        let mut under_way = self.exchanges.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while *under_way > 0 && !left.is_zero() {
            if (self.interrupted)() {
                left = left.min(LONGEST_AFTER_INTERRUPT);
            }
            let waited =
                self.exchanges.ended.wait_timeout_while(under_way, INTERVAL, |under_way| *under_way > 0);
            under_way = waited.unwrap_or_else(PoisonError::into_inner).0;
            left = left.saturating_sub(INTERVAL);
        }
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Renewal").field("id", &self.inner.id).finish_non_exhaustive()
    }
}

impl RenewalInner {
    /// Reads the refresh token and the record, which then says where the token lies.
    fn token(&self, held: &HeldSignIn) -> Result<(RefreshToken, Record), StoreError> {
        let mut record = held.record()?.ok_or(StoreError::NobodySignedIn)?;
        let (token, kept) = held.token(&record)?;
        record.kept = kept;
        Ok((token, record))
    }

    /// Exchanges the refresh token under the lock.
    fn exchange(
        &self,
        held: &HeldSignIn,
        (token, mut record, ready): (&RefreshToken, Record, Ready),
        claims: Option<&ClaimsChallenge>,
        now: Timestamp,
        waited: &mut Waited,
    ) -> Result<Issued, Unrenewed> {
        let exchanged = self.service.exchange(token, claims, waited);
        let grant = match exchanged.and_then(|grant| of_same_tenant(&record, grant)) {
            Ok(grant) => grant,
            Err(error) => {
                ready.give_back();
                if let Some(claims) = error.claims() {
                    record.challenge = Some(claims.clone());
                    if held.put_record(&record).is_err() {
                        info!("what the next sign-in is to be asked for could not be written");
                    }
                }
                let told = self.service.told(&error, record.method);
                return Err(Unrenewed::Service { error, told, method: record.method });
            }
        };
        match &grant.refresh {
            Some(new) => {
                let (kept, failed) = held.put(new, ready, record.choice).map_err(Unrenewed::NotKept)?;
                if failed.is_some() {
                    info!("the keyring failed, so the sign-in is kept in a file");
                }
                record.kept = kept;
            }
            None => ready.give_back(),
        }
        record.renewed = Some(now);
        if claims.is_some() {
            record.challenge = None;
        }
        // The tokens are good without it, and where the refresh token lies is found out in any case.
        if held.put_record(&record).is_err() {
            info!("the record of the sign-in could not be written");
        }
        Ok(grant.access)
    }
}

/// Returns what was granted, where it is not known to be another tenant's than the sign-in was.
fn of_same_tenant(record: &Record, grant: Grant) -> Result<Grant, SignInError> {
    let before = record.account.as_ref().and_then(|account| account.tenant.as_deref());
    match (before, &grant.tenant) {
        (Some(before), Some(came)) if !before.eq_ignore_ascii_case(came) => {
            Err(SignInError::OtherTenant { asked: before.to_owned(), came: came.clone() })
        }
        _ => Ok(grant),
    }
}

/// The exchanges of a process that were sent.
#[derive(Default)]
struct Exchanges {
    asked: AtomicU64,
    under_way: Mutex<usize>,
    ended: Condvar,
}

/// An exchange that is under way until this is dropped.
struct UnderWay(Arc<Exchanges>);

impl Exchanges {
    /// Begins an exchange; `None` where nobody waits for it. Whoever waits for the end of one sees this one, or this one
    /// sees that nobody waits for it.
    fn begin(exchanges: &Arc<Self>, waited: &mut Waited) -> Option<UnderWay> {
        let mut under_way = exchanges.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        waited.is_by_somebody().then(|| {
            *under_way += 1;
            exchanges.asked.fetch_add(1, Ordering::Relaxed);
            UnderWay(Arc::clone(exchanges))
        })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.ended.notify_all();
    }
}
