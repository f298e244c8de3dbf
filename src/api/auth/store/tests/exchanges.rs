//! The exchange of refresh tokens: by whom, how many at once, and what follows where it fails.

use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};
use secrecy::SecretSlice;

use super::fixtures::{Drawer, Home, Says, Strict, id, now};
use crate::api::auth::oauth::ClaimsChallenge;
use crate::api::auth::store::keyring::{KeyringError, Vault};
use crate::api::auth::store::lock::{PATIENCE, SignInLock};
use crate::api::auth::store::{Kept, StoreChoice, StoreError};

async fn kept(choice: StoreChoice) -> (Home, Arc<Strict>) {
    let home = Home::new();
    home.keep("a", "refresh", choice).await;
    (home, Strict::with("refresh"))
}

fn header(issued: &crate::api::auth::token::Issued) -> String {
    issued.token.header().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_refresh_token_is_exchanged_once() {
    for choice in [StoreChoice::File, StoreChoice::Keyring] {
        let (home, service) = kept(choice).await;
        for number in 1..=3 {
            let renewal = home.renewal("a", &service);
            let issued = renewal.renew(None, now()).await.unwrap();
            assert_eq!(header(&issued), format!("Bearer access-{number}"));
            assert_eq!((renewal.requests(), format!("{renewal:?}").contains("refresh-")), (1, false));
        }
        let record = home.sign_ins().find(&id("a")).unwrap().unwrap();
        assert_eq!(record.renewed, Some(now()));
    }
}

#[tokio::test]
async fn where_no_new_refresh_token_comes_the_present_one_stays() {
    for choice in [StoreChoice::File, StoreChoice::Keyring] {
        let (home, service) = kept(choice).await;
        service.says(Says::NoRefreshToken);
        home.renewal("a", &service).renew(None, now()).await.unwrap();
        assert_eq!(service.look(|state| state.good.clone()), "refresh");
        home.renewal("a", &service).renew(None, now()).await.unwrap();
        assert!(!home.files().contains_key("token.new"));
    }
}

#[tokio::test]
async fn a_failed_exchange_changes_nothing() {
    for (says, transient, over) in [
        (Says::Refused("invalid_grant"), false, true),
        (Says::Refused("interaction_required"), false, true),
        (Says::Refused("invalid_client"), false, false),
        (Says::Refused("temporarily_unavailable"), true, false),
        (Says::Unreachable, true, false),
    ] {
        let (home, service) = kept(StoreChoice::File).await;
        let before = home.files();
        service.says(says);
        let renewal = home.renewal("a", &service);
        let told = renewal.renew(None, now()).await.unwrap_err();
        assert_eq!((told.is_transient(), told.needs_sign_in().is_some()), (transient, over), "{told:?}");
        assert_eq!(home.files(), before);
        renewal.renew(None, now()).await.unwrap();
        assert_eq!(renewal.requests(), 2);
    }
}

#[tokio::test]
async fn nobody_is_asked_where_nobody_is_signed_in() {
    let (home, service) = (Home::new(), Strict::with("refresh"));
    let renewal = home.renewal("a", &service);
    let told = renewal.renew(None, now()).await.unwrap_err();
    assert_eq!(told.wording().as_str(), "nobody is signed in: sign in again");
    assert!(told.needs_sign_in().is_some());
    assert_eq!(renewal.requests(), 0);
    home.keep("a", "refresh", StoreChoice::Keyring).await;
    home.sign_ins().forget(&id("a")).await.unwrap();
    assert!(renewal.renew(None, now()).await.is_err(), "somebody signed out meanwhile");
}

#[tokio::test]
async fn what_a_policy_demands_is_noted_for_the_next_sign_in() {
    let (home, service) = kept(StoreChoice::File).await;
    let claims = ClaimsChallenge::parse(r#"{"access_token":{"acrs":{"essential":true}}}"#).unwrap();
    let renewal = home.renewal("a", &service);
    let challenge = || home.sign_ins().find(&id("a")).unwrap().unwrap().challenge;
    renewal.challenged(claims.clone()).await.unwrap();
    assert_eq!(challenge(), Some(claims.clone()));
    renewal.renew(None, now()).await.unwrap();
    assert_eq!(challenge(), Some(claims.clone()), "an exchange without it says nothing of it");
    renewal.renew(Some(claims.clone()), now()).await.unwrap();
    assert_eq!(challenge(), None);
    assert_eq!(service.look(|state| state.claims.clone()), [None, Some(claims.as_str().to_owned())]);
    renewal.challenged(claims).await.unwrap();
    home.keep("a", "anew", StoreChoice::File).await;
    assert_eq!(challenge(), None, "the next sign-in was asked for it");
    let nobody = home.renewal("b", &service);
    nobody.challenged(ClaimsChallenge::parse("{}").unwrap()).await.unwrap();
    assert_eq!(home.sign_ins().find(&id("b")), Ok(None));
}

/// A run is stopped while the service answers: what it answers is kept all the same, before the process ends.
#[tokio::test]
async fn an_exchange_that_began_comes_to_its_end() {
    let (home, service) = kept(StoreChoice::File).await;
    let (answer, held) = channel();
    service.says(Says::Held(Arc::new(Mutex::new(held))));
    let renewal = home.renewal("a", &service);
    {
        let mut renewing = Box::pin(renewal.renew(None, now()));
        // Until the service was asked, which happens on another thread.
        while service.look(|state| state.claims.is_empty()) {
            assert!(futures::poll!(renewing.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(home.files()["token"], "refresh\n");
    let answered = std::thread::spawn(move || answer.send(()).unwrap());
    renewal.wait_for_end();
    answered.join().unwrap();
    assert_eq!(home.files()["token"], "refresh-1\n");
    renewal.wait_for_end();
}

/// A keyring that works once somebody has let it.
struct Asking(Drawer, Mutex<Receiver<()>>);

impl Vault for Asking {
    fn read(&self, entry: &str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
        if entry == id("a").key().as_str() {
            self.1.lock().unwrap().recv().unwrap();
        }
        self.0.read(entry)
    }

    fn write(&self, entry: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.0.write(entry, secret)
    }

    fn delete(&self, entry: &str) -> Result<bool, KeyringError> {
        self.0.delete(entry)
    }
}

/// A run is stopped while the keyring asks for its password.
#[tokio::test]
async fn an_exchange_that_was_not_sent_is_given_up() {
    let (unlock, locked) = channel();
    let home = Home::with_vault(Arc::new(Asking(Drawer::default(), Mutex::new(locked))));
    home.keep("a", "refresh", StoreChoice::Keyring).await;
    let service = Strict::with("refresh");
    let renewal = home.renewal("a", &service);
    assert!(futures::poll!(Box::pin(renewal.renew(None, now()))).is_pending());
    renewal.wait_for_end();
    unlock.send(()).unwrap();
    drop(home.sign_ins().hold(&id("a")).await.unwrap());
    assert_eq!((service.look(|state| state.claims.len()), renewal.requests()), (0, 0));
    unlock.send(()).unwrap();
    renewal.renew(None, now()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_sign_in_too_long_is_named() {
    let (home, service) = kept(StoreChoice::File).await;
    let path = home.path("a", "lock");
    let lock = SignInLock::take(&path).await.unwrap();
    let begun = tokio::time::Instant::now();
    let told = home.renewal("a", &service).renew(None, now()).await.unwrap_err();
    assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < PATIENCE + Duration::from_secs(1));
    assert!(told.is_transient());
    let wanted = format!("another process has held the sign-in for 120 s ({}): ", path.to_str().unwrap());
    assert!(told.wording().as_str().starts_with(&wanted), "{told:?}");
    assert_eq!(
        home.sign_ins().forget(&id("a")).await,
        Err(StoreError::Busy { lock: path.clone(), waited: PATIENCE })
    );
    // The lock's file is removed, as by somebody who tidies up, and another process takes a new one.
    fs::remove_file(&path).unwrap();
    home.renewal("a", &service).renew(None, now()).await.unwrap();
    drop(lock);
    home.renewal("a", &service).renew(None, now()).await.unwrap();
}

#[tokio::test]
async fn a_disk_without_room_is_noticed_before_the_token_is_given_away() {
    let (home, service) = kept(StoreChoice::File).await;
    // A directory of this name is in the way of the new token, as a full disk is.
    fs::create_dir(home.path("a", "token.new")).unwrap();
    let told = home.renewal("a", &service).renew(None, now()).await.unwrap_err();
    assert!(!told.is_transient(), "{told:?}");
    assert_eq!(service.look(|state| (state.exchanges, state.claims.len())), (0, 0));
    fs::remove_dir(home.path("a", "token.new")).unwrap();
    home.renewal("a", &service).renew(None, now()).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Runs of several processes, each with handles of its own on the files, on threads that take turns as they like:
    /// whatever some of their exchanges meet, no refresh token is used a second time, and each run has its own tokens.
    #[test]
    fn runs_at_the_same_time_never_use_a_token_twice(
        runs in collection::vec(1_usize..6, 2..6),
        says in collection::vec(any::<u8>(), 0..8),
        in_file in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        let choice = if in_file { StoreChoice::File } else { StoreChoice::Auto };
        let (home, service) = runtime.block_on(kept(choice));
        for says in &says {
            service.says([Says::NoRefreshToken, Says::Refused("temporarily_unavailable"), Says::Unreachable][usize::from(says % 3)].clone());
        }
        let tasks: Vec<_> = runs.iter().map(|exchanges| {
            let (renewal, exchanges) = (home.renewal("a", &service), *exchanges);
            runtime.spawn(async move {
                let mut had = Vec::new();
                while had.len() < exchanges {
                    match renewal.renew(None, now()).await {
                        Ok(issued) => had.push(header(&issued)),
                        Err(error) => assert!(error.is_transient(), "{error:?}"),
                    }
                }
                had
            })
        }).collect();
        let mut had: Vec<String> = runtime.block_on(futures::future::join_all(tasks)).into_iter().flat_map(Result::unwrap).collect();
        prop_assert!(!service.look(|state| state.is_revoked));
        let all = had.len();
        had.sort();
        had.dedup();
        prop_assert_eq!((had.len(), all), (all, runs.iter().sum()));
        let status = runtime.block_on(home.sign_ins().status(&id("a"))).unwrap().unwrap();
        prop_assert_eq!(status.is_there, Ok(true));
        prop_assert_eq!(status.record.kept, if in_file { Kept::File } else { Kept::Keyring });
    }
}
