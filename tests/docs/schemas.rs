//! The JSON Schemas in `docs/schemas` are those of the types that are written.

use std::fs;

use referral_bulk::report::schemas;

use super::generated::AGAIN;
use super::{entries, read, root};

const SCHEMAS: &str = "docs/schemas";

#[test]
fn the_schemas_are_those_of_what_is_written() {
    let names: Vec<&str> = schemas().iter().map(|(name, _)| *name).collect();
    let mut kept = entries(&root().join(SCHEMAS));
    kept.sort_by_key(|name| names.iter().position(|made| made == name));
    assert_eq!(kept, names, "{AGAIN}");
    for (name, text) in schemas() {
        assert!(text == read(&format!("{SCHEMAS}/{name}")), "{SCHEMAS}/{name} differs: {AGAIN}");
    }
}

/// Writes them again.
pub fn write() {
    let kept = root().join(SCHEMAS);
    let _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(&kept).unwrap();
    for (name, text) in schemas() {
        fs::write(kept.join(name), text).unwrap();
    }
}
