//! A client of the Partner API for referrals (docs/api-facts.md, "Endpoints" to "Status codes").
//!
//! | part | what it owns |
//! |---|---|
//! | [`Endpoint`] | every path and every header |
//! | [`Auth`] | the source of the bearer token, when another one is fetched, and the token itself |
//! | [`Client`] | the three requests that this program makes |
//! | `connections` | whether a request uses a new connection or one that was kept |
//! | `transport` | what every HTTP client has in common |
//! | [`knock()`] | a request without a token |
//! | `limits` | what an answer says of how much may be asked for |
//! | `observed` | what an answer shows besides its status and its body, for `check` |
//! | `untrusted` | why no connection could be made, as far as a certificate is the reason |
//! | `body` | response bodies, of bounded size |
//! | `reply` | status, headers and body → [`Reply`](crate::domain::exchange::Reply), [`Page`] or [`Failure`](crate::domain::exchange::Failure) |
//! | `refusal`, `reasons` | what an error body says, and of which fields |
//!
//! What always holds:
//! - One call is one request on the wire: redirects are not followed, and nothing is sent again here.
//! - A PATCH takes a ticket by value.
//! - A token goes to the configured host only, over TLS or on loopback, and appears in no message and no
//!   `Debug`
//!   output.

mod auth;
mod body;
mod client;
mod connections;
mod endpoint;
mod knock;
mod limits;
mod observed;
mod reasons;
mod refusal;
mod reply;
mod transport;
mod untrusted;

pub use auth::oauth::{
    Advice, Authority, AuthorityError, BrowserSignIn, ClaimsChallenge, ClientId, ClientIdError, ClientSecret,
    DeviceSignIn, Grant, IdTokenError, Minutes, NoCallback, NotOpened, RefreshToken, Registration, Remedy,
    Scope, ScopeError, SignInError, SignInMethod, SignInRefusal, SignInService, SignInStep, SignedInAccount,
    Tenant, TenantError, is_browser_likely, open_browser,
};
pub use auth::store::{
    Exposure, Forgotten, Kept, KeyringError, NewSignIn, Record, SignInId, SignInStatus, SignIns, StoreChoice,
    StoreChoiceError, StoreError, StorePlace,
};
pub use auth::{ActsFor, Auth, Generation, TokenClaims};
pub use client::{Client, ClientSettings};
pub use endpoint::{Endpoint, EndpointError, PageLink};
pub use knock::knock;
pub use observed::{AnswerLog, Dated, LimitHeader, Observed};
pub use refusal::error_in;
pub use reply::Page;
pub use transport::ClientError;
pub use untrusted::Untrusted;
