//! Where a sign-in is kept, where the keyring works or doesn't.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::fixtures::{Fault, Faulty, Home, Strict, id, new_sign_in, now, token};
use crate::api::auth::store::keyring::{Keyring, KeyringError};
use crate::api::auth::store::{Kept, StoreChoice, StoreError};

/// How long a keyring is given that never answers.
const IMPATIENT: Duration = Duration::from_millis(20);

fn with(fault: Option<Fault>) -> (Home, Arc<Faulty>) {
    let vault = Faulty::with(fault);
    let mut home = Home::with_vault(Arc::clone(&vault) as _);
    if matches!(fault, Some(Fault::Silent)) {
        home.keyring = Keyring::new(Arc::clone(&vault) as _, IMPATIENT);
    }
    (home, vault)
}

#[tokio::test]
async fn the_keyring_is_tried_before_somebody_signs_in() {
    let locked = KeyringError::Locked("no".to_owned());
    let gave_up = KeyringError::Failed("its library gave up".to_owned());
    for (fault, wanted) in [
        (None, None),
        (Some(Fault::Silent), Some(KeyringError::Silent(IMPATIENT))),
        (Some(Fault::Forgets), Some(KeyringError::Forgetful)),
        (Some(Fault::Locked), Some(locked)),
        (Some(Fault::Panics), Some(gave_up)),
        (Some(Fault::ReadOnly), Some(KeyringError::Failed("read-only".to_owned()))),
    ] {
        let (home, vault) = with(fault);
        let auto = home.sign_ins().probe(StoreChoice::Auto).await.unwrap();
        let kept = if wanted.is_none() { Kept::Keyring } else { Kept::File };
        assert_eq!((auto.kept, &auto.instead_of_keyring), (kept, &wanted), "{fault:?}");
        let keyring = home.sign_ins().probe(StoreChoice::Keyring).await;
        assert_eq!(keyring.map(drop).err(), wanted.clone().map(StoreError::Keyring), "{fault:?}");
        let file = home.sign_ins().probe(StoreChoice::File).await.unwrap();
        assert_eq!((file.kept, file.instead_of_keyring), (Kept::File, None));
        let none = home.sign_ins().probe(StoreChoice::None).await;
        assert_eq!(none, Err(StoreError::NothingKept));
        assert!(home.files().is_empty(), "a probe leaves nothing behind");
        assert!(vault.drawer.0.lock().unwrap().is_empty() || wanted.is_some(), "{fault:?}");
        if let Some(error) = wanted {
            assert!(!error.remedy().is_empty() && !error.to_string().is_empty());
        }
    }
}

#[tokio::test]
async fn a_keyring_that_never_answers_is_given_up() {
    let (home, _) = with(Some(Fault::Silent));
    let begun = Instant::now();
    home.keep("a", "refresh", StoreChoice::Auto).await;
    assert!(begun.elapsed() >= IMPATIENT);
    let service = Strict::with("refresh");
    home.renewal("a", &service).renew(None, now()).await.unwrap();
    assert_eq!(home.files()["token"], "refresh-1\n", "the file was chosen, so the keyring isn't asked again");
}

/// As on Windows, whose entries have 2,560 bytes at most.
#[tokio::test]
async fn a_token_that_is_too_long_for_the_keyring_lies_in_a_file() {
    let long = "x".repeat(2561);
    for choice in [StoreChoice::Auto, StoreChoice::Keyring] {
        let (home, _) = with(Some(Fault::Short(2560)));
        let place = home.sign_ins().probe(choice).await.unwrap();
        assert_eq!((place.kept, &place.instead_of_keyring), (Kept::Keyring, &None));
        let kept = home.sign_ins().keep(new_sign_in("a"), token(&long), &place).await;
        if choice == StoreChoice::Auto {
            let kept = kept.unwrap();
            assert_eq!((kept.kept, kept.instead_of_keyring), (Kept::File, Some(KeyringError::TooLong(2561))));
            let service = Strict::with(&long);
            home.renewal("a", &service).renew(None, now()).await.unwrap();
            assert_eq!(home.files()["token"], "refresh-1\n");
        } else {
            assert_eq!(kept, Err(StoreError::Keyring(KeyringError::TooLong(2561))));
            assert_eq!(home.sign_ins().find(&id("a")), Ok(None), "nobody is signed in");
        }
    }
}

/// The keyring fails after the refresh token was exchanged.
#[tokio::test]
async fn a_new_token_is_not_lost_where_the_keyring_fails() {
    let (home, vault) = with(None);
    home.keep("a", "refresh", StoreChoice::Auto).await;
    vault.now(Some(Fault::ReadOnly));
    let service = Strict::with("refresh");
    home.renewal("a", &service).renew(None, now()).await.unwrap();
    assert_eq!(home.files()["token"], "refresh-1\n");
    let status = home.sign_ins().status(&id("a")).await.unwrap().unwrap();
    assert_eq!((status.record.kept, status.is_there), (Kept::File, Ok(true)));
    // Also where the process dies before the record says so, which the one of before stands for.
    let record = home.files()["json"].replace("\"kept\": \"file\"", "\"kept\": \"keyring\"");
    std::fs::write(home.path("a", "json"), record).unwrap();
    vault.now(None);
    home.renewal("a", &service).renew(None, now()).await.unwrap();
    assert!(!service.look(|state| state.is_revoked), "the one in the keyring is used");

    let (home, vault) = with(None);
    home.keep("a", "refresh", StoreChoice::Keyring).await;
    vault.now(Some(Fault::ReadOnly));
    let service = Strict::with("refresh");
    let told = home.renewal("a", &service).renew(None, now()).await.unwrap_err();
    assert!(told.needs_sign_in().is_some() && !told.is_transient());
    assert_eq!(
        told.wording().as_str(),
        "the sign-in was renewed and could not be kept, so it may be over: the system's keyring failed (read-only): \
         see to it, or let the sign-in be kept in a file instead, with store file, and sign in again"
    );
    assert!(!home.files().contains_key("token"), "the user wants it in the keyring or nowhere");
}

#[tokio::test]
async fn a_locked_keyring_is_told() {
    for (fault, transient) in [(Fault::Locked, false), (Fault::Silent, true)] {
        let (mut home, vault) = with(None);
        home.keep("a", "refresh", StoreChoice::Auto).await;
        vault.now(Some(fault));
        home.keyring = Keyring::new(Arc::clone(&vault) as _, IMPATIENT);
        let service = Strict::with("refresh");
        let told = home.renewal("a", &service).renew(None, now()).await.unwrap_err();
        assert_eq!((told.is_transient(), told.needs_sign_in().is_some()), (transient, false), "{fault:?}");
        assert_eq!(service.look(|state| state.exchanges), 0);
        let status = home.sign_ins().status(&id("a")).await.unwrap().unwrap();
        assert!(matches!(status.is_there, Err(StoreError::Keyring(_))), "{status:?}");
        let record = home.files()["json"].clone();
        let mut told = vec![home.sign_ins().forget(&id("a")).await];
        told.extend(home.sign_ins().forget_all().await.unwrap());
        assert_eq!(told.len(), 2);
        for forgotten in told.into_iter().map(Result::unwrap) {
            assert!(forgotten.left_in_keyring.is_some() && forgotten.tokens.is_empty(), "{forgotten:?}");
            assert_eq!(home.files().get("json"), Some(&record), "nothing else tells where the token lies");
        }
    }
}
