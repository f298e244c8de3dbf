//! Whether a referral meets a condition, as far as it was seen.

/// The answer to a question about a referral that may have been seen in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// It hangs on a member that was not seen, or whose value can't be read: a date that is none, for one.
    Unseen,
}

impl Truth {
    /// Returns the opposite; what was not seen stays so.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unseen => Self::Unseen,
        }
    }

    /// Returns whether all of these are so: one that is not decides, whatever of the others was seen.
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for answer in answers {
            match answer {
                Self::No => return Self::No,
                Self::Unseen => all = Self::Unseen,
                Self::Yes => {}
            }
        }
        all
    }

    /// Returns whether any of these is so: one that is decides, whatever of the others was seen.
    pub fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        Self::all(answers.into_iter().map(Self::negated)).negated()
    }
}

impl From<bool> for Truth {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, No, Unseen, Yes};

    #[test]
    fn what_decides_needs_no_other_answer() {
        for (one, other, all, any) in [
            (Yes, Yes, Yes, Yes),
            (Yes, No, No, Yes),
            (Yes, Unseen, Unseen, Yes),
            (No, No, No, No),
            (No, Unseen, No, Unseen),
            (Unseen, Unseen, Unseen, Unseen),
        ] {
            for pair in [[one, other], [other, one]] {
                assert_eq!((Truth::all(pair), Truth::any(pair)), (all, any), "{pair:?}");
            }
        }
        assert_eq!((Truth::all([]), Truth::any([])), (Yes, No));
    }
}
