//! Keeping, renewing and forgetting a sign-in, with fakes of the sign-in service and of the keyring.

mod exchanges;
mod fixtures;
mod keeping;
mod places;
mod sources;
