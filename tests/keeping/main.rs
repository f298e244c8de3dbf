//! What is kept of a sign-in, through whatever becomes of the program, its disk and the keyring.
//!
//! | file | what it holds |
//! |---|---|
//! | `authority` | a sign-in service that takes each refresh token once, and revokes all where one comes again |
//! | `desk` | somebody who is signed in, and works |
//! | `deaths` | processes that die between two steps of a renewal |
//! | `disks` | disks without room, and files that others may read |
//! | `refusals` | renewals that are refused, or bring something else |
//! | `status` | who is said to be signed in |
//! | `keyring` | the secret service of a desktop; needs gnome-keyring and D-Bus, which `.ci/run` installs |

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod authority;
mod deaths;
mod desk;
mod disks;
mod keyring;
mod refusals;
mod status;
#[path = "../support/mod.rs"]
mod support;
