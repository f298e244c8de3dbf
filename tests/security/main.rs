//! Where a run goes and what it leaves behind: requests go to the configured service and nowhere else,
//! whatever an endpoint, an id, a redirect or a link says; files are their owner's alone; and no report runs
//! in a spreadsheet.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod endpoints;
mod files;
mod formulas;
mod ids;
mod links;
mod redirects;
mod runs;
#[path = "../support/mod.rs"]
mod support;

use serde_json::json;

use crate::support::case::Test;
use crate::support::place::Place;
use crate::support::program::{self, TOKEN, through};
use crate::support::samples::{notes_csv, sample, sample_referral};
use crate::support::waiting::{each, until};
use crate::support::wire::{self, Wire};

const ONE: &str = "5a1e0001-0000-4000-8000-000000000015";
const TWO: &str = "5a1e0001-0000-4000-8000-000000000027";
const THREE: &str = "5a1e0001-0000-4000-8000-000000000016";

const QUIET: &str = "--out run --rate 1000/s --summary none --progress none --yes";

/// Somebody else, who would be glad of a token.
fn elsewhere() -> Wire {
    Wire::serve(|_| wire::answer("200 x", "", r#"{"value":[]}"#))
}

/// Host and port.
fn host(service: &Wire) -> &str {
    service.base.strip_prefix("http://").unwrap().strip_suffix("/v1.0").unwrap()
}

fn lines(service: &Wire) -> Vec<String> {
    service.asked().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}
