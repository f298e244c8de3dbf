//! What `check` found out, for programs.

use jiff::Timestamp;
use serde::Serialize;

use super::filters::FilterFact;
use super::list_shape::ListShape;
use crate::commands::config_show::SettingRow;
use crate::commands::ledger::LedgerFacts;

/// What was found out about one subject.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Facts {
    /// The settings of where and how to send.
    Settings {
        /// Each with its value and origin.
        settings: Vec<SettingRow>,
    },
    /// What the token says of itself.
    SignIn {
        /// Who signed in.
        account: Option<String>,
        /// The tenant that issued it.
        tenant: Option<String>,
        /// The services that it is for.
        audience: Vec<String>,
        /// When it ends.
        ends: Option<Timestamp>,
        /// Whether a user signed in, rather than an app by itself; `None` where the token doesn't say.
        user: Option<bool>,
        /// What it permits.
        permits: Vec<String>,
    },
    /// How the service is reached.
    Endpoint {
        /// Whether over TLS.
        tls: bool,
        /// The version of HTTP.
        protocol: &'static str,
        /// The status of the first answer.
        status: u16,
    },
    /// What is readable.
    Role {
        /// The number of referrals on the first page of the list.
        readable: u64,
    },
    /// By how much the service's clock is ahead of this machine's.
    Clock {
        /// In seconds.
        ahead: i64,
    },
    /// How long answers take.
    Latency {
        /// The number of answers.
        answers: usize,
        /// The median, in milliseconds.
        median: u64,
        /// The longest, in milliseconds.
        longest: u64,
    },
    /// What list pages show.
    Lists(ListShape),
    /// What is filtered as it is asked for.
    Filters {
        /// Each with what came of it.
        filters: Vec<FilterFact>,
    },
    /// What the service says of limits.
    Rate {
        /// The headers that say something of it, each with its last value.
        headers: Vec<RateHeader>,
        /// The number of answers that asked for a pause.
        throttled: usize,
        /// The rate, in requests a second, that a run with `--rate auto` begins with, where one is remembered.
        begins_at: Option<f64>,
    },
    /// What was found out about a shared ledger.
    Ledger(LedgerFacts),
}

/// A header that says something of limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RateHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}
