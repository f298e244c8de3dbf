//! Signing in at an OpenID provider that works as Entra ID does, as an app that acts for a person
//! (docs/sign-in.md).
//!
//! | file | what it holds |
//! |---|---|
//! | `authority` | the sign-in service's address, and the tenant |
//! | `registration` | the app registration that signs in, and what it asks for |

mod authority;
mod registration;

pub use authority::{Authority, AuthorityError, Tenant, TenantError};
pub use registration::{ClientId, ClientIdError, ClientSecret, Registration, Scope, ScopeError};
