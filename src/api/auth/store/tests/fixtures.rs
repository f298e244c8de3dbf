//! A strict sign-in service, keyrings of every kind, and a user's directory.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretSlice;
use tempfile::TempDir;

use crate::api::Endpoint;
use crate::api::auth::oauth::{
    Authority, ClaimsChallenge, ClientId, Grant, RefreshToken, Registration, Scope, SignInError,
    SignInMethod, SignInRefusal, SignInStep, SignedInAccount, Tenant, Waited,
};
use crate::api::auth::store::keyring::{Keyring, KeyringError, Vault};
use crate::api::auth::store::renewal::{Exchange, Renewal};
use crate::api::auth::store::{NewSignIn, SignInId, SignIns, StoreChoice, StorePlace};
use crate::api::auth::token::Issued;
use crate::domain::wording::Wording;

/// The time by the clock of these tests.
pub(super) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

pub(super) fn token(text: &str) -> RefreshToken {
    RefreshToken::from_bytes(text.as_bytes()).unwrap()
}

pub(super) fn id(profile: &str) -> SignInId {
    let registration = Registration {
        authority: Authority::parse("https://login.example.com").unwrap(),
        tenant: Tenant::parse("contoso.example.com").unwrap(),
        client_id: ClientId::parse("app").unwrap(),
        scope: Scope::default(),
        secret: None,
    };
    SignInId::new(Some(profile), &registration)
}

/// A sign-in that is to be kept.
pub(super) fn new_sign_in(profile: &str) -> NewSignIn {
    let account = SignedInAccount {
        name: Some("Ada Example".to_owned()),
        user_name: Some("ada@contoso.example.com".to_owned()),
        tenant: Some("contoso".to_owned()),
        object_id: None,
    };
    NewSignIn {
        id: id(profile),
        scope: Scope::default(),
        endpoint: Endpoint::official(),
        account: Some(account),
        method: SignInMethod::Browser,
        signed_in: now(),
    }
}

/// A user's state directory.
pub(super) struct Home {
    pub(super) root: TempDir,
    pub(super) keyring: Keyring,
}

impl Home {
    /// A directory beside a keyring that works.
    pub(super) fn new() -> Self {
        Self::with_vault(Arc::new(Drawer::default()))
    }

    pub(super) fn with_vault(vault: Arc<dyn Vault>) -> Self {
        Self { root: tempfile::tempdir().unwrap(), keyring: Keyring::new(vault, Duration::from_secs(60)) }
    }

    /// The sign-ins, as another process opens them.
    pub(super) fn sign_ins(&self) -> SignIns {
        SignIns::with_keyring(&self.root.path().join("state"), self.keyring.clone())
    }

    /// The files that there are, by name, without what names the sign-in.
    pub(super) fn files(&self) -> BTreeMap<String, String> {
        let Ok(found) = fs::read_dir(self.sign_ins().dir()) else { return BTreeMap::new() };
        let file = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().unwrap();
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            (name.split_once('.').unwrap().1.to_owned(), text)
        };
        found.map(|entry| file(entry.unwrap())).collect()
    }

    /// The path of a file of the sign-in of a profile.
    pub(super) fn path(&self, profile: &str, extension: &str) -> PathBuf {
        self.sign_ins().dir().join(format!("{}.{extension}", id(profile).key()))
    }

    /// Keeps a sign-in where the choice leads to.
    pub(super) async fn keep(&self, profile: &str, refresh: &str, choice: StoreChoice) -> StorePlace {
        let place = self.sign_ins().probe(choice).await.unwrap();
        self.sign_ins().keep(new_sign_in(profile), token(refresh), &place).await.unwrap()
    }

    /// The renewal of a sign-in, as another process has it.
    pub(super) fn renewal(&self, profile: &str, service: &Arc<Strict>) -> Renewal {
        Renewal::new(self.sign_ins(), id(profile), Box::new(Arc::clone(service)), Arc::new(|| false))
    }
}

/// A sign-in service that takes each refresh token once, and revokes all where one comes again.
#[derive(Default)]
pub(super) struct Strict(Mutex<StrictState>);

#[derive(Default)]
pub(super) struct StrictState {
    /// The refresh token that is good now.
    pub(super) good: String,
    used: HashSet<String>,
    pub(super) is_revoked: bool,
    pub(super) exchanges: u32,
    /// The claims of each exchange.
    pub(super) claims: Vec<Option<String>>,
    /// What the next exchanges are answered with.
    pub(super) next: Vec<Says>,
}

/// The answer to an exchange.
#[derive(Clone)]
pub(super) enum Says {
    /// A new access token and no refresh token.
    NoRefreshToken,
    /// A refusal.
    Refused(&'static str),
    /// A refusal with what a policy demands.
    Demands(&'static str),
    /// The tokens of another tenant.
    OtherTenant,
    /// Nothing: it can't be reached.
    Unreachable,
    /// The answer waits until something is sent.
    Held(Arc<Mutex<std::sync::mpsc::Receiver<()>>>),
}

impl Strict {
    pub(super) fn with(good: &str) -> Arc<Self> {
        let strict = Self::default();
        strict.look(|state| state.good = good.to_owned());
        Arc::new(strict)
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&mut StrictState) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    pub(super) fn says(&self, says: Says) {
        self.look(|state| state.next.push(says));
    }
}

pub(super) fn refused(error: &str) -> SignInError {
    demands(error, None)
}

fn demands(error: &str, claims: Option<ClaimsChallenge>) -> SignInError {
    SignInError::Refused(Box::new(SignInRefusal {
        step: SignInStep::Refresh,
        status: Some(400),
        error: error.to_owned(),
        codes: vec![],
        message: None,
        correlation_id: None,
        suberror: None,
        claims,
    }))
}

impl Exchange for Arc<Strict> {
    fn told(&self, error: &SignInError, method: SignInMethod) -> Wording {
        format!("{error} ({method:?})").into()
    }

    fn exchange(
        &self,
        token: &RefreshToken,
        claims: Option<&ClaimsChallenge>,
        _: &mut Waited,
    ) -> Result<Grant, SignInError> {
        let says = self.look(|state| {
            state.claims.push(claims.map(|claims| claims.as_str().to_owned()));
            (!state.next.is_empty()).then(|| state.next.remove(0))
        });
        match &says {
            Some(Says::Refused(error)) => return Err(refused(error)),
            Some(Says::Unreachable) => {
                return Err(SignInError::Unreachable { message: "no route".to_owned(), is_tls: false });
            }
            Some(Says::Held(until)) => until.lock().unwrap().recv().unwrap(),
            Some(Says::Demands(claims)) => {
                return Err(demands("interaction_required", ClaimsChallenge::parse(claims)));
            }
            Some(Says::NoRefreshToken | Says::OtherTenant) | None => {}
        }
        self.look(|state| {
            if state.is_revoked || state.used.contains(token.expose()) || token.expose() != state.good {
                state.is_revoked = true;
                return Err(refused("invalid_grant"));
            }
            state.exchanges += 1;
            let number = state.exchanges;
            let refresh = (!matches!(says, Some(Says::NoRefreshToken))).then(|| format!("refresh-{number}"));
            if let Some(refresh) = &refresh {
                state.used.insert(std::mem::replace(&mut state.good, refresh.clone()));
            }
            let access = format!(r#"{{"access_token":"access-{number}","expires_in":3600}}"#);
            Ok(Grant {
                access: Issued::read(&access.into(), now()).unwrap(),
                refresh: refresh.as_deref().map(self::token),
                account: None,
                tenant: matches!(says, Some(Says::OtherTenant)).then(|| "fabrikam".to_owned()),
                clock_ahead: None,
            })
        })
    }
}

/// A keyring that works, with what it holds.
#[derive(Default)]
pub(super) struct Drawer(pub(super) Mutex<BTreeMap<String, Vec<u8>>>);

impl Vault for Drawer {
    fn read(&self, entry: &str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
        Ok(self.0.lock().unwrap().get(entry).map(|bytes| bytes.clone().into()))
    }

    fn write(&self, entry: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.0.lock().unwrap().insert(entry.to_owned(), secret.to_owned());
        Ok(())
    }

    fn delete(&self, entry: &str) -> Result<bool, KeyringError> {
        Ok(self.0.lock().unwrap().remove(entry).is_some())
    }
}

/// A keyring with a fault, before a drawer.
pub(super) struct Faulty {
    pub(super) drawer: Drawer,
    pub(super) fault: Mutex<Option<Fault>>,
}

/// What is wrong with a keyring.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// It never answers.
    Silent,
    /// It takes what it is given and has nothing.
    Forgets,
    /// It is locked.
    Locked,
    /// Its library panics.
    Panics,
    /// It takes nothing of more bytes.
    Short(usize),
    /// It can't be written.
    ReadOnly,
}

impl Faulty {
    pub(super) fn with(fault: Option<Fault>) -> Arc<Self> {
        Arc::new(Self { drawer: Drawer::default(), fault: Mutex::new(fault) })
    }

    pub(super) fn now(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    fn falter(&self, writing: Option<usize>) -> Result<(), KeyringError> {
        let fault = *self.fault.lock().unwrap();
        match (fault, writing) {
            (Some(Fault::Silent), _) => loop {
                std::thread::park();
            },
            (Some(Fault::Locked), _) => Err(KeyringError::Locked("no".to_owned())),
            (Some(Fault::Panics), _) => panic!("a keyring's library gave up, as this test wants it to"),
            (Some(Fault::Short(most)), Some(bytes)) if bytes > most => Err(KeyringError::TooLong(bytes)),
            (Some(Fault::ReadOnly), Some(_)) => Err(KeyringError::Failed("read-only".to_owned())),
            _ => Ok(()),
        }
    }
}

impl Vault for Faulty {
    fn read(&self, entry: &str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
        self.falter(None)?;
        let forgets = matches!(*self.fault.lock().unwrap(), Some(Fault::Forgets));
        if forgets { Ok(None) } else { self.drawer.read(entry) }
    }

    fn write(&self, entry: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.falter(Some(secret.len()))?;
        self.drawer.write(entry, secret)
    }

    fn delete(&self, entry: &str) -> Result<bool, KeyringError> {
        self.falter(None)?;
        self.drawer.delete(entry)
    }
}
