//! `report.html` in a headless Chromium: that what it tells is true, and that everybody can use it.
//!
//! | file | what it holds |
//! |---|---|
//! | `kinds` | a page for each kind of run, opened without a word from the browser, with the numbers of summary.json |
//! | `finished` | one page with everything on it: filters, search, keys, screen readers, phone, paper, policy |
//! | `hostile` | what others wrote stays text |
//! | `masked` | whose data is in the file's bytes, and whose is not |
//! | `large` | 50,000 rows |
//! | `lint` | the page's script, and those of these tests |
//!
//! What is checked in the browser stands in `browser/checks/`, a file for each matter. What they need is said in
//! tests/page_support/mod.rs.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "what was measured is told")]

mod finished;
mod hostile;
mod kinds;
mod large;
mod lint;
mod masked;
#[path = "../page_support/mod.rs"]
mod page_support;
#[path = "../support/mod.rs"]
mod support;
