//! What the tests share that need PostgreSQL.
//!
//! | file | what it does |
//! |---|---|
//! | [`cluster`] | a server of the tests' own |

pub mod cluster;
