//! The process boundary: arguments, environment and streams go in, an exit code comes out.

fn main() {}
