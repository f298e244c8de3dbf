//! Signing in at an OpenID provider that works as Entra ID does, as an app that acts for a person
//! (docs/sign-in.md).
//!
//! | file | what it holds |
//! |---|---|
//! | `authority` | the sign-in service's address, and the tenant |
//! | `registration` | the app registration that signs in, and what it asks for |
//! | `service`, `retry` | the requests to the sign-in service, and when one is made again |
//! | `answer`, `tokens`, `id_token` | what it issues: tokens, and who is signed in |
//! | `refusal`, `error`, `redact` | what it says when it refuses, and what else can go wrong, without any secret |
//! | `advice`, `remedy` | what that means to the person, and what they can do |
//! | `claims` | what a policy demands of the next sign-in |
//! | `browser`, `callback`, `listener`, `chance` | the sign-in in the browser, and how it comes back |
//! | `opener` | the start of the browser |
//! | `method` | which of the two it was |
//! | `device` | the sign-in with a code that is entered elsewhere |

mod advice;
mod answer;
mod authority;
mod browser;
mod callback;
mod chance;
mod claims;
mod device;
mod error;
mod id_token;
mod listener;
mod method;
mod opener;
mod redact;
mod refusal;
mod registration;
mod remedy;
mod retry;
mod service;
mod tokens;

pub use advice::Advice;
pub use authority::{Authority, AuthorityError, Tenant, TenantError};
pub use browser::BrowserSignIn;
pub use callback::NoCallback;
pub use claims::ClaimsChallenge;
pub(in crate::api) use claims::claims_in;
pub use device::DeviceSignIn;
pub use error::SignInError;
pub use id_token::{IdTokenError, Minutes, SignedInAccount};
pub use method::SignInMethod;
pub use opener::{NotOpened, is_browser_likely, open_browser};
pub use refusal::{SignInRefusal, SignInStep};
pub use registration::{ClientId, ClientIdError, ClientSecret, Registration, Scope, ScopeError};
pub use remedy::Remedy;
pub(super) use retry::{Waited, Waiter};
pub use service::SignInService;
pub use tokens::{Grant, RefreshToken};
