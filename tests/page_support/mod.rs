//! What the programs share that have pages looked at in a browser.
//!
//! | file | what it does |
//! |---|---|
//! | [`browser`] | hands pages to a headless Chromium, and has it say what holds |
//! | [`quarter_end`] | a run on which everything happens that can |
//!
//! A browser needs Node.js, Debian's `chromium`, and what `tests/page/browser/package.json` names, below `target`,
//! which `.ci/run` sees to: `mkdir -p target/page-browser && cp tests/page/browser/package*.json target/page-browser/ &&
//! npm ci --prefix target/page-browser --ignore-scripts`. None is ever downloaded by npm.

pub mod browser;
pub mod quarter_end;
