//! The token of a run, and when another one is fetched.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::RwLock;
use tokio::time::Instant;
use tracing::info;

use super::oauth::ClaimsChallenge;
use super::outside;
use super::source::{Auth, TokenSource};
use super::store::{Renewal, Unrenewed};
use super::token::{Issued, Token};
use crate::domain::exchange::{Failure, NeededSignIn};
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// How long before its end a token is replaced: longer than any request takes.
const AHEAD: Duration = Duration::from_mins(5);
/// The least time between two tokens fetched ahead of their end, for sources whose tokens end soon.
const SELDOM: Duration = Duration::from_mins(1);

/// Identifies a token of a run: the number of times that the token had been renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(pub u64);

/// The token of a run, fetched when it is first needed.
pub(in crate::api) struct Tokens {
    source: TokenSource,
    /// Locked for writing while a token is fetched, so that requests wait for the new one instead of being sent with
    /// the refused one. Otherwise it is read, by any number at once: a lock that goes from each to the next would look
    /// taken for as long as anybody asks whether there is a token.
    held: RwLock<Held>,
    renewals: AtomicU64,
    /// The last generation that the service accepted.
    taken: AtomicU64,
    /// How often a file was read or a command run.
    requests: AtomicU64,
    /// The last generation that was asked for with what a policy demanded; the maximum where there is none.
    satisfied: AtomicU64,
    /// What a policy demanded of a token last.
    demanded: std::sync::Mutex<Option<ClaimsChallenge>>,
    clock: fn() -> Timestamp,
}

/// The token that a run has.
enum Held {
    /// None was needed yet.
    Nothing,
    /// The token, and when another is to be fetched ahead of its end, where that is known.
    Token(Token, Option<Instant>),
    /// None can be obtained. The source is not asked again, since it would fail in the same way.
    Lost(Failure),
}

impl Held {
    /// Whether nothing is to be fetched: there is a token that doesn't end soon, or there will be none.
    fn is_settled(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Token(_, renew_at) => !is_due(*renew_at),
            Self::Lost(_) => true,
        }
    }
}

impl Tokens {
    pub(in crate::api) fn new(auth: Auth, clock: fn() -> Timestamp) -> Self {
        Self {
            source: auth.0,
            held: RwLock::new(Held::Nothing),
            renewals: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            satisfied: AtomicU64::new(u64::MAX),
            demanded: std::sync::Mutex::default(),
            clock,
        }
    }

    /// Returns whether [`Self::current`] would return at once.
    pub(in crate::api) fn is_there(&self) -> bool {
        self.held.try_read().is_ok_and(|held| held.is_settled())
    }

    /// Returns the token to send and its generation; fetches one where there is none, or where the present
    /// one ends soon.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where none can be obtained.
    pub(in crate::api) async fn current(&self) -> Result<(Token, Generation), Failure> {
        let held = self.held.read().await;
        if held.is_settled() {
            return self.token(&held);
        }
        drop(held);
        let mut held = self.held.write().await;
        match &mut *held {
            Held::Nothing => {
                *held = self.fetch().await.unwrap_or_else(|unfetched| Held::Lost(unfetched.failure))
            }
            Held::Token(_, renew_at) if is_due(*renew_at) => match self.fetch().await {
                // The present token is still good. If the service refuses it later, that is reported then.
                Err(Unfetched { is_transient: false, .. }) => *renew_at = None,
                Err(Unfetched { is_transient: true, .. }) => *renew_at = Instant::now().checked_add(SELDOM),
                Ok(fetched) => self.replace(&mut held, fetched),
            },
            Held::Token(..) | Held::Lost(_) => {}
        }
        self.token(&held)
    }

    /// Returns the token that is held, and its generation.
    fn token(&self, held: &Held) -> Result<(Token, Generation), Failure> {
        match held {
            Held::Token(token, _) => Ok((token.clone(), self.generation())),
            Held::Lost(failure) => Err(failure.clone()),
            Held::Nothing => unreachable!("a token was fetched, or it is known that there is none"),
        }
    }

    /// Fetches another token, unless another caller has done so since `seen`.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where none can be obtained.
    pub(in crate::api) async fn renew(&self, seen: Generation) -> Result<(), Failure> {
        let mut held = self.held.write().await;
        if let Held::Lost(failure) = &*held {
            return Err(failure.clone());
        }
        if self.generation() != seen {
            return Ok(());
        }
        let renewed = match self.source {
            TokenSource::Fixed(_) => {
                let lost = "the token was refused, and there is no way to get another: \
                            set PARTNER_CENTER_TOKEN anew, or use ";
                Err(Unfetched::from(Wording::from(lost).name(Setting::TokenCommand)))
            }
            TokenSource::File(_) | TokenSource::Command(_) | TokenSource::SignedIn(_) => self.fetch().await,
        };
        self.replace_or_lose(&mut held, renewed)
    }

    /// Fetches a token that has what a policy demanded of the present one, unless another caller has done so since
    /// `seen`. That is tried once; what the policy demands is kept for the next sign-in where it doesn't help. Returns
    /// `false` where the source can't be asked for that, or it isn't known what is demanded.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where there is none that satisfies the policy.
    pub(in crate::api) async fn satisfy(&self, seen: Generation) -> Result<bool, Failure> {
        let TokenSource::SignedIn(sign_in) = &self.source else { return Ok(false) };
        let mut held = self.held.write().await;
        if let Held::Lost(failure) = &*held {
            return Err(failure.clone());
        }
        if self.generation() != seen {
            return Ok(true);
        }
        let Some(claims) = self.demanded() else { return Ok(false) };
        let is_satisfied = self.satisfied.load(Ordering::Relaxed) == seen.0;
        let renewed =
            if is_satisfied { None } else { Some(self.renew_sign_in(sign_in, Some(claims.clone())).await) };
        let renewed = match renewed {
            Some(Err(unfetched)) if unfetched.is_transient => Err(unfetched),
            Some(Ok(token)) => Ok(token),
            refused => Err(Self::unsatisfied(sign_in, claims, refused.and_then(Result::err)).await),
        };
        self.replace_or_lose(&mut held, renewed)?;
        self.satisfied.store(self.generation().0, Ordering::Relaxed);
        Ok(true)
    }

    /// Keeps what a policy demands for the next sign-in, and returns why there is no token that satisfies it.
    async fn unsatisfied(
        sign_in: &Renewal,
        claims: ClaimsChallenge,
        refused: Option<Unfetched>,
    ) -> Unfetched {
        let mut message = Wording::from(
            "a conditional-access policy wants another sign-in (insufficient_claims), as the present one does not have what it demands",
        );
        let mut needs_sign_in = NeededSignIn::Any;
        let mut claims = claims;
        if let Some(Unfetched { failure, demanded, .. }) = refused {
            claims = demanded.unwrap_or(claims);
            message = message.say("; ").append(&failure.wording());
            needs_sign_in = failure.needs_sign_in().unwrap_or(needs_sign_in);
        }
        if let Err(error) = sign_in.challenged(claims).await {
            message =
                message.say(format!("; what it demands could not be noted for the next sign-in: {error}"));
        }
        let needs_sign_in = Some(needs_sign_in);
        Unfetched {
            failure: Failure::NoToken { message, needs_sign_in },
            is_transient: false,
            demanded: None,
        }
    }

    /// Puts a token in the place of the present one.
    fn replace(&self, held: &mut Held, token: Held) {
        *held = token;
        self.renewals.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts a token in the place of the present one, which is good no more.
    fn replace_or_lose(&self, held: &mut Held, fetched: Result<Held, Unfetched>) -> Result<(), Failure> {
        match fetched {
            Ok(token) => {
                self.replace(held, token);
                Ok(())
            }
            Err(Unfetched { failure, .. }) => {
                *held = Held::Lost(failure.clone());
                Err(failure)
            }
        }
    }

    /// Returns whether [`Self::renew`] can bring another token.
    pub(in crate::api) fn can_renew(&self) -> bool {
        !matches!(self.source, TokenSource::Fixed(_))
    }

    pub(in crate::api) fn generation(&self) -> Generation {
        Generation(self.renewals.load(Ordering::Relaxed))
    }

    /// Records that the service accepted a token.
    pub(in crate::api) fn note_taken(&self, token: Generation) {
        self.taken.fetch_max(token.0, Ordering::Relaxed);
    }

    /// Returns whether the service ever accepted this token or a later one. The first one counts as accepted,
    /// since it is unknown how old it was.
    pub(in crate::api) fn was_taken(&self, token: Generation) -> bool {
        token.0 <= self.taken.load(Ordering::Relaxed)
    }

    /// Records what a policy demanded of the token.
    pub(in crate::api) fn note_demanded(&self, claims: ClaimsChallenge) {
        *self.demanded.lock().unwrap_or_else(PoisonError::into_inner) = Some(claims);
    }

    /// Returns what a policy demanded of the token last.
    pub(in crate::api) fn demanded(&self) -> Option<ClaimsChallenge> {
        self.demanded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how often a file was read, a command run or the sign-in service asked.
    pub(in crate::api) fn requests(&self) -> u64 {
        match &self.source {
            TokenSource::SignedIn(sign_in) => sign_in.requests(),
            _ => self.requests.load(Ordering::Relaxed),
        }
    }

    async fn fetch(&self) -> Result<Held, Unfetched> {
        let text = match &self.source {
            TokenSource::SignedIn(sign_in) => return self.renew_sign_in(sign_in, None).await,
            TokenSource::Fixed(token) => Ok(token.clone()),
            TokenSource::File(path) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                outside::read(path.clone()).await
            }
            TokenSource::Command(command) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                command.run().await
            }
        };
        let issued = text.and_then(|text| {
            let read = Issued::read(&text, (self.clock)());
            read.map_err(|problem| Wording::from(format!("{} {problem}", self.source.name())))
        });
        issued.map(|issued| self.fetched(issued)).map_err(|problem| {
            info!("token could not be fetched");
            Unfetched::from(problem)
        })
    }

    /// Renews the sign-in that is kept, with what a policy demands. Where the sign-in service says that only then,
    /// that is asked for once, as it may need nobody.
    async fn renew_sign_in(
        &self,
        sign_in: &Renewal,
        claims: Option<ClaimsChallenge>,
    ) -> Result<Held, Unfetched> {
        let is_first = claims.is_none();
        let mut renewed = sign_in.renew(claims, (self.clock)()).await;
        let demanded = renewed.as_ref().err().filter(|_| is_first).and_then(Unrenewed::claims).cloned();
        if demanded.is_some() {
            renewed = sign_in.renew(demanded, (self.clock)()).await;
        }
        renewed.map(|issued| self.fetched(issued)).map_err(|unrenewed| {
            info!(transient = unrenewed.is_transient(), "the sign-in could not be renewed");
            let (message, needs_sign_in) = (unrenewed.wording(), unrenewed.needs_sign_in());
            let failure = Failure::NoToken { message, needs_sign_in };
            Unfetched {
                failure,
                is_transient: unrenewed.is_transient(),
                demanded: unrenewed.claims().cloned(),
            }
        })
    }

    fn fetched(&self, Issued { token, lifetime }: Issued) -> Held {
        info!(lifetime = lifetime.map(|time| time.as_secs()), "token fetched");
        Held::Token(token, self.renew_at(lifetime))
    }

    /// Returns when to fetch another token ahead of this one's end. The lifetime in a file counts from when
    /// it is read, though it may have been written long before; then the service's 401 tells that its token
    /// has ended.
    fn renew_at(&self, lifetime: Option<Duration>) -> Option<Instant> {
        let lifetime = lifetime.filter(|_| !matches!(self.source, TokenSource::Fixed(_)))?;
        Instant::now().checked_add(lifetime.saturating_sub(AHEAD).max(SELDOM))
    }
}

fn is_due(renew_at: Option<Instant>) -> bool {
    renew_at.is_some_and(|at| at <= Instant::now())
}

/// The reason why no token was fetched.
struct Unfetched {
    failure: Failure,
    /// Whether one may be had a little later.
    is_transient: bool,
    /// What a policy demands of the next sign-in, where the sign-in service says so.
    demanded: Option<ClaimsChallenge>,
}

impl From<Wording> for Unfetched {
    fn from(message: Wording) -> Self {
        Self {
            failure: Failure::NoToken { message, needs_sign_in: None },
            is_transient: false,
            demanded: None,
        }
    }
}

/// A refresh token that is being exchanged is put back before the process ends.
impl Drop for Tokens {
    fn drop(&mut self) {
        if let TokenSource::SignedIn(sign_in) = &self.source {
            sign_in.wait_for_end();
        }
    }
}
