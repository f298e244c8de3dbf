//! What the tests share that run the program, each thing in one place.
//!
//! | file | what it does |
//! |---|---|
//! | [`place`] | a directory of its own to run in |
//! | [`program`] | starts the program, signals it, and takes what it says: nothing else starts it |
//! | [`said`] | what holds of all that the program says: above all, what it says to type next can be typed |
//! | [`case`] | one run and what is wanted of it: exit code, streams and files, to the letter |
//! | [`always`] | what holds after every such run |
//! | [`run_dir`] | what a run's directory holds |
//! | [`schemas`] | the JSON Schemas, held against what the program writes |
//! | [`sandbox`] | `referral-bulk sandbox` in a process of its own |
//! | [`terminal`], [`screen`] | a person who is asked at a terminal; a terminal, and what is to be seen on it |
//! | [`line`](mod@line) | connections, byte by byte |
//! | [`wire`] | a server that answers with any bytes whatever |
//! | [`tls`] | a server whose certificate nobody trusts |
//! | [`tap`] | sits between program and service: sees every request, holds them back, cuts the line |
//! | [`raw`] | a service that a test kills processes at, or lets fail below HTTP |
//! | [`rates`] | a service with a hidden quota, in virtual time |
//! | [`samples`], [`referrals`] | referrals of the project, and made-up ones |
//! | [`checksums`] | those of a ledger's records, made once more |
//! | [`sha256`], [`random`], [`redact`], [`waiting`] | hashes; chance from a seed; what differs from run to run; patience |
//!
//! Nothing here knows how the program works inside: it is typed at, and asked over HTTP.

#![expect(dead_code, reason = "every test file uses a part of this")]

pub mod always;
pub mod case;
pub mod checksums;
pub mod line;
pub mod place;
pub mod program;
pub mod random;
pub mod rates;
pub mod raw;
pub mod redact;
pub mod referrals;
pub mod run_dir;
pub mod said;
pub mod samples;
pub mod sandbox;
pub mod schemas;
pub mod screen;
pub mod sha256;
pub mod tap;
pub mod terminal;
pub mod tls;
pub mod waiting;
pub mod wire;
