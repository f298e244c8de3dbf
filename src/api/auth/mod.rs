//! The bearer token: where it comes from, and when another one is fetched.
//!
//! | part | what it owns |
//! |---|---|
//! | [`Auth`] | the source of the token |
//! | `outside` | how a token file is read; [commands](crate::secrets) that print a token have a place of their own |
//! | [`Tokens`] | the token of a run, and when another one is fetched |
//! | [`Token`] | the token itself, and how it is read from a text |
//! | [`TokenClaims`] | what a token says of itself, for people |
//! | `echo` | where a service repeats it |
//! | [`oauth`] | signing in |
//! | [`store`] | keeping a sign-in |
//!
//! What always holds:
//! - A token is held in a [`SecretString`](secrecy::SecretString) or in a header marked as sensitive, and nowhere
//!   else.
//! - The output of a token command is never shown.
//! - However many requests meet a refused token, or one that is about to expire, one new token is fetched.

mod echo;
pub(super) mod oauth;
mod outside;
mod source;
pub(super) mod store;
mod token;
mod token_claims;
mod tokens;

pub use source::Auth;
pub(super) use token::Token;
pub use token_claims::{ActsFor, TokenClaims};
pub use tokens::Generation;
pub(super) use tokens::Tokens;

#[cfg(test)]
mod tests;
