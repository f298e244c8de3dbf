//! The checks of `tests/fuzz_support`, built for the fuzz targets.

#[path = "../../tests/fuzz_support/mod.rs"]
mod fuzz_support;

pub use fuzz_support::{CHECKS, check, check_late};
