//! What is known of a sign-in beside its refresh token. There is no secret in it.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::choice::{Kept, StoreChoice};
use super::error::StoreError;
use super::identity::SignInId;
use super::own_files;
use crate::api::auth::oauth::{
    Authority, ClaimsChallenge, ClientId, Scope, SignInMethod, SignedInAccount, Tenant,
};
use crate::api::endpoint::Endpoint;
use crate::disk;

/// The form of the records that are written.
const VERSION: u64 = 1;
/// The most bytes of a record: a challenge has some thousand at most.
const LONGEST: u64 = 64 * 1024;

/// The record of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose sign-in it is.
    pub id: SignInId,
    /// What was asked for.
    pub scope: Scope,
    /// The service that it is for: its tokens are sent nowhere else.
    pub endpoint: Endpoint,
    /// Who signed in, where the service said so.
    pub account: Option<SignedInAccount>,
    /// How.
    pub method: SignInMethod,
    /// When.
    pub signed_in: Timestamp,
    /// When the refresh token was last exchanged.
    pub renewed: Option<Timestamp>,
    /// Where the user wanted it kept.
    pub choice: StoreChoice,
    /// Where it is kept.
    pub kept: Kept,
    /// What a policy demands of the next sign-in.
    pub challenge: Option<ClaimsChallenge>,
}

/// A record as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u64,
    profile: Option<String>,
    authority: String,
    tenant: String,
    client_id: String,
    scope: String,
    endpoint: String,
    account: Option<WrittenAccount>,
    method: SignInMethod,
    signed_in: Timestamp,
    renewed: Option<Timestamp>,
    choice: StoreChoice,
    kept: Kept,
    challenge: Option<String>,
}

/// An account as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenAccount {
    name: Option<String>,
    user_name: Option<String>,
    tenant: Option<String>,
    object_id: Option<String>,
}

/// The form of a record, whatever else it holds.
#[derive(Deserialize)]
struct Form {
    version: u64,
}

impl Record {
    /// Reads a record. `None` where there is none.
    ///
    /// # Errors
    /// Returns an error where it can't be read or understood, or anybody else could have written it.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = own_files::read(path, LONGEST)? else { return Ok(None) };
        let damaged = || StoreError::Damaged { path: path.to_owned() };
        match serde_json::from_slice(&bytes) {
            Ok(Form { version: VERSION }) => {}
            Ok(Form { version }) if version > VERSION => {
                return Err(StoreError::Newer { path: path.to_owned(), version });
            }
            _ => return Err(damaged()),
        }
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        Self::understood(written).map(Some).ok_or_else(damaged)
    }

    fn understood(written: Written) -> Option<Self> {
        let challenge = match written.challenge {
            Some(text) => Some(ClaimsChallenge::parse(&text)?),
            None => None,
        };
        let account = written.account.map(|account| {
            let WrittenAccount { name, user_name, tenant, object_id } = account;
            SignedInAccount { name, user_name, tenant, object_id }
        });
        Some(Self {
            id: SignInId {
                profile: written.profile,
                authority: Authority::parse(&written.authority).ok()?,
                tenant: Tenant::parse(&written.tenant).ok()?,
                client_id: ClientId::parse(&written.client_id).ok()?,
            },
            scope: Scope::parse(&written.scope).ok()?,
            endpoint: Endpoint::parse(&written.endpoint).ok()?,
            account,
            method: written.method,
            signed_in: written.signed_in,
            renewed: written.renewed,
            choice: written.choice,
            kept: written.kept,
            challenge,
        })
    }

    /// Writes the record in the place of any other. It is on disk afterwards.
    ///
    /// # Errors
    /// Returns an error where it can't be written.
    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        let Self { id, scope, endpoint, account, method, signed_in, renewed, choice, kept, challenge } = self;
        let account = account.clone().map(|account| {
            let SignedInAccount { name, user_name, tenant, object_id } = account;
            WrittenAccount { name, user_name, tenant, object_id }
        });
        let written = Written {
            version: VERSION,
            profile: id.profile.clone(),
            authority: id.authority.as_str().to_owned(),
            tenant: id.tenant.as_str().to_owned(),
            client_id: id.client_id.as_str().to_owned(),
            scope: scope.as_str().to_owned(),
            endpoint: endpoint.as_str().to_owned(),
            account,
            method: *method,
            signed_in: *signed_in,
            renewed: *renewed,
            choice: *choice,
            kept: *kept,
            challenge: challenge.as_ref().map(|challenge| challenge.as_str().to_owned()),
        };
        let mut text = serde_json::to_string_pretty(&written).expect("a record is made of texts and numbers");
        text.push('\n');
        let put = || {
            let new = path.with_extension("json.new");
            let mut options = File::options();
            let mut file = disk::open_privately(options.write(true).create(true).truncate(true), &new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            disk::rename(&new, path)
        };
        put().map_err(|error| StoreError::file(path, &error))
    }
}
