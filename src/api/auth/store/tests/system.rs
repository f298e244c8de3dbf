//! The real keyring of a session.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::{Home, Strict, id, new_sign_in, now, token};
use crate::api::auth::store::keyring::Keyring;
use crate::api::auth::store::system_keyring::SystemKeyring;
use crate::api::auth::store::{Kept, StoreChoice};

#[tokio::test]
#[ignore = "needs a session with an unlocked secret service"]
async fn a_sign_in_lies_in_the_keyring_of_the_system() {
    let mut home = Home::new();
    home.keyring = Keyring::new(Arc::new(SystemKeyring), Duration::from_secs(60));
    let sign_ins = home.sign_ins();
    // As long as those of Entra ID are, and longer.
    for refresh in ["short".to_owned(), "x".repeat(4_000), "y".repeat(20_000)] {
        let place = sign_ins.probe(StoreChoice::Keyring).await.unwrap();
        assert_eq!((place.kept, &place.instead_of_keyring), (Kept::Keyring, &None));
        sign_ins.keep(new_sign_in("a"), token(&refresh), &place).await.unwrap();
        let service = Strict::with(&refresh);
        for _ in 0..3 {
            home.renewal("a", &service).renew(None, now()).await.unwrap();
        }
        let status = sign_ins.status(&id("a")).await.unwrap().unwrap();
        assert_eq!((status.record.kept, status.is_there, status.file), (Kept::Keyring, Ok(true), None));
        assert!(!home.files().contains_key("token"));
    }
    assert_eq!(sign_ins.forget(&id("a")).await.unwrap().tokens, [Kept::Keyring]);
    assert_eq!(sign_ins.forget(&id("a")).await.unwrap().tokens, []);
}
