//! The pictures of a page that the documentation shows, taken anew:
//!
//! ```text
//! cargo test --locked --test page_pictures -- --ignored
//! ```
//!
//! What it needs is said in tests/page_support/mod.rs. It takes two minutes, since the service on the pictures is as slow
//! as a real one, and `.ci/run` leaves it out.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "what was taken is told")]

#[expect(dead_code, reason = "nothing is checked here")]
mod page_support;
mod support;

use std::fs;
use std::path::Path;

use page_support::browser::node;
use page_support::quarter_end::QuarterEnd;

/// What all four may weigh together.
const MOST_BYTES: u64 = 600_000;

/// What happens to the service as a whole: it asks for patience, twice.
const WORST_DAY: [&str; 2] = ["patch#61-64=429:6", "patch#150-152=429:12"];

#[test]
#[ignore = "writes docs/images, and needs Node.js and Chromium"]
fn of_a_quarters_end_are_taken() {
    let quarter = QuarterEnd::begin(10, &WORST_DAY);
    quarter.plan().expect(3);
    quarter.approve();
    quarter.send(&["--rate", "8/s"]).expect(3);
    println!("{}", quarter.ran().outcomes());
    let page = quarter.directory().join("report.html");
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    fs::create_dir_all(&images).unwrap();
    node("pictures.js", &[page.to_str().unwrap(), images.to_str().unwrap()], "");
    let weigh = |name| fs::metadata(images.join(name)).unwrap().len();
    let all: u64 = ["report-light.png", "report-dark.png", "report-phone.png", "report-print.png"]
        .map(weigh)
        .iter()
        .sum();
    assert!(all <= MOST_BYTES, "{all} bytes");
}
