//! The documented table of transitions: which status may follow which.
//!
//! This table is the rule `transition`. What other official pages add is advice, and each piece of it a rule of
//! its own; see [`super::catalogue`].

use crate::domain::status::Status::{self, Active, Closed, New};

/// The statuses that each status may become.
pub const TABLE: [(Status, &[Status]); 3] =
    [(New, &[New, Active, Closed]), (Active, &[Active, Closed]), (Closed, &[Closed])];

/// Returns the statuses that a status may become.
pub fn from(status: Status) -> &'static [Status] {
    match status {
        New => TABLE[0].1,
        Active => TABLE[1].1,
        Closed => TABLE[2].1,
    }
}

/// Whether the table allows a transition.
pub fn allows(from_status: Status, to: Status) -> bool {
    from(from_status).contains(&to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_they_are_looked_up() {
        for (status, followers) in TABLE {
            assert_eq!(from(status), followers);
        }
    }
}
