//! The Partner API for referrals, as a client sees it (docs/api-facts.md, "Endpoints" to "Status codes").
//!
//! | part | what it owns |
//! |---|---|
//! | [`Endpoint`] | every path and every header |
//! | [`Auth`] | where the bearer token comes from, when another is fetched, and the token itself |
//! | [`Client`] | the three requests this program makes |
//! | `connections` | which connection a request rides on |
//! | `body` | bodies, of bounded size |
//! | `reply` | status and body → [`Reply`](crate::domain::exchange::Reply), [`Page`] or [`Failure`](crate::domain::exchange::Failure) |
//! | `refusal`, `reasons` | what an error body says, and of which fields |
//! | `challenge` | what `WWW-Authenticate` says beside it |
//!
//! What always holds: one call is one request on the wire, because neither redirects are followed nor
//! anything is sent again here; a PATCH takes a ticket by value; a token goes to the configured host
//! alone, over TLS or on loopback, and stands in no message and no `Debug` output.

mod auth;
mod body;
mod challenge;
mod client;
mod connections;
mod endpoint;
mod reasons;
mod refusal;
mod reply;

pub use auth::{Auth, Generation, TokenCommand, TokenCommandError};
pub use client::{Client, ClientError, ClientSettings};
pub use endpoint::{Endpoint, EndpointError, PageLink};
pub use refusal::error_in;
pub use reply::Page;
