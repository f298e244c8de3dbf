//! The token of a run, and when another one is fetched.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::info;

use super::oauth::ClaimsChallenge;
use super::outside;
use super::source::{Auth, TokenSource};
use super::token::{Issued, Token};
use crate::domain::exchange::Failure;
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
    /// Locked while a token is fetched, so that requests wait for the new one instead of being sent with
    /// the refused one.
    held: Mutex<Held>,
    renewals: AtomicU64,
    /// The last generation that the service accepted.
    taken: AtomicU64,
    /// How often a file was read or a command run.
    requests: AtomicU64,
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

impl Tokens {
    pub(in crate::api) fn new(auth: Auth, clock: fn() -> Timestamp) -> Self {
        Self {
            source: auth.0,
            held: Mutex::new(Held::Nothing),
            renewals: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            demanded: std::sync::Mutex::default(),
            clock,
        }
    }

    /// Returns whether [`Self::current`] would return at once.
    pub(in crate::api) fn is_there(&self) -> bool {
        self.held.try_lock().is_ok_and(|held| match &*held {
            Held::Nothing => false,
            Held::Token(_, renew_at) => !is_due(*renew_at),
            Held::Lost(_) => true,
        })
    }

    /// Returns the token to send and its generation; fetches one where there is none, or where the present
    /// one ends soon.
    ///
    /// # Errors
    /// Returns [`Failure::NoToken`] where none can be obtained.
    pub(in crate::api) async fn current(&self) -> Result<(Token, Generation), Failure> {
        let mut held = self.held.lock().await;
        match &mut *held {
            Held::Nothing => *held = self.fetch().await,
            Held::Token(_, renew_at) if is_due(*renew_at) => {
                match self.fetch().await {
                    // The present token is still good. If the service refuses it later, that is reported
                    // then.
                    Held::Lost(_) => *renew_at = None,
                    fetched => {
                        *held = fetched;
                        self.renewals.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            Held::Token(..) | Held::Lost(_) => {}
        }
        match &*held {
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
        let mut held = self.held.lock().await;
        if let Held::Lost(failure) = &*held {
            return Err(failure.clone());
        }
        if self.generation() != seen {
            return Ok(());
        }
        *held = match self.source {
            TokenSource::Fixed(_) => {
                let lost = "the token was refused, and there is no way to get another: \
                            set PARTNER_CENTER_TOKEN anew, or use ";
                Held::Lost(no_token(Wording::from(lost).name(Setting::TokenCommand)))
            }
            TokenSource::File(_) | TokenSource::Command { .. } => self.fetch().await,
        };
        match &*held {
            Held::Lost(failure) => Err(failure.clone()),
            Held::Token(..) | Held::Nothing => {
                self.renewals.fetch_add(1, Ordering::Relaxed);
                Ok(())
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

    /// Returns how often a file was read or a command run.
    pub(in crate::api) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    async fn fetch(&self) -> Held {
        let text = match &self.source {
            TokenSource::Fixed(token) => Ok(token.clone()),
            TokenSource::File(path) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                outside::read(path.clone()).await
            }
            TokenSource::Command { program, arguments } => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                outside::run(program, arguments).await
            }
        };
        let issued = text.and_then(|text| {
            let read = Issued::read(&text, (self.clock)());
            read.map_err(|problem| Wording::from(format!("{} {problem}", self.source.name())))
        });
        match issued {
            Ok(Issued { token, lifetime }) => {
                info!(lifetime = lifetime.map(|time| time.as_secs()), "token fetched");
                Held::Token(token, self.renew_at(lifetime))
            }
            Err(problem) => {
                info!("token could not be fetched");
                Held::Lost(no_token(problem))
            }
        }
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

fn no_token(message: impl Into<Wording>) -> Failure {
    Failure::NoToken { message: message.into() }
}
