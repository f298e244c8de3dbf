//! Whatever a file holds: a clear message at the right place, no panic, books that balance, and nothing sent for a
//! row that is not sound.
//!
//! How a run ends and what becomes of its rows stands in the tables; the words are in the snapshots.
//!
//! | file | what it holds |
//! |---|---|
//! | `whole_files` | files that are no change files |
//! | `lines_that_are_no_rows` | lines that are none |
//! | `rows` | rows that are not sound |
//! | `compressed` | files that are compressed |
//! | `cells` | cells as people and spreadsheets write them |
//! | `mapped` | columns that the user gives a meaning |
//! | `forms` | reports in the form of their input |
//! | `half_payloads` | what may be half a legacy payload |
//! | `hidden` | text that would steer a terminal, or hide |
//! | `portal` | files of Partner Center's own |
//! | `portal_property` | files of these, edited and saved in whatever form, against the same changes |
//! | `portal_untouched` | cells of these that show what the referral has, whatever they look like |
//! | `workbooks` | workbooks, as spreadsheet programs write them |
//! | `hostile` | any names, values and shapes |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cells;
mod compressed;
mod forms;
mod half_payloads;
mod hidden;
mod hostile;
mod lines_that_are_no_rows;
mod mapped;
mod portal;
mod portal_property;
mod portal_untouched;
mod rows;
#[path = "../support/mod.rs"]
mod support;
mod whole_files;
mod workbooks;

use serde_json::json;

use crate::support::case::{Test, golden};
use crate::support::place::Place;
use crate::support::samples::sample_referral;
use crate::support::waiting::each;
use crate::support::wire::{self, Wire};

/// The row beside the bad one; it is applied in any case.
const GOOD: &str = "5a1e0001-0000-4000-8000-000000000015";
/// The referral that bad rows are about.
const BAD: &str = "5a1e0001-0000-4000-8000-000000000027";
/// What the service says its engagement is.
const ENGAGEMENT: &str = "e6000001-0000-4000-8000-000000000027";

const APPLY: &str = "--rate 1000/s --out run --summary none --progress none --yes";

/// A service that knows the two referrals, and takes whatever it is sent.
fn service() -> Wire {
    let page = json!({ "value": [sample_referral(GOOD), sample_referral(BAD)] }).to_string();
    Wire::serve(move |request| match (request.method.as_str(), request.about()) {
        ("PATCH", id) => wire::carry_out(request, sample_referral(id)),
        (_, GOOD) => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
        (_, BAD) => wire::answer("200 OK", "", sample_referral(BAD).to_string()),
        (_, "referrals") => wire::answer("200 OK", "", &page),
        _ => wire::answer("404 Not Found", "", ""),
    })
}
