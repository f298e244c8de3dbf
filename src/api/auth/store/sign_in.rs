//! A sign-in as it is handed in to be kept, and as it is told of.

use std::path::PathBuf;

use jiff::Timestamp;

use super::choice::{Kept, StoreChoice};
use super::error::StoreError;
use super::identity::SignInId;
use super::keyring::KeyringError;
use super::record::Record;
use crate::api::auth::oauth::{Scope, SignInMethod, SignedInAccount};
use crate::api::endpoint::Endpoint;

/// The place that a sign-in will be kept in, which was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePlace {
    /// What the user wanted.
    pub choice: StoreChoice,
    /// Where it will be kept.
    pub kept: Kept,
    /// Why it is not the keyring, where that would have been first.
    pub instead_of_keyring: Option<KeyringError>,
}

/// A sign-in that is to be kept.
#[derive(Debug)]
pub struct NewSignIn {
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
}

/// What is known of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInStatus {
    /// Its record.
    pub record: Record,
    /// Whether its refresh token is where the record says; or why that can't be told.
    pub is_there: Result<bool, StoreError>,
    /// The path of the refresh token, where it lies in a file.
    pub file: Option<PathBuf>,
}
