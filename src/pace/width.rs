//! How many requests at a time: fewer, where it is their number that is refused, and not their rate. Pure.
//!
//! What stands before a service may let so many requests through at a time and refuse the others (nginx does
//! with `limit_conn`), with the words that it has for a rate. What became of requests tells the two apart:
//! where their number is too high, what left among few is let through, and what left among more is refused,
//! as often as not at least. A rate that is too high is refused among few as well.
//!
//! More are tried again one by one, each after a long time in which all went well; the time doubles when
//! that was one too many.

/// So many have to be refused before anything is concluded.
const REFUSED: u32 = 3;

/// And so many, among fewer, be let through.
const LET_THROUGH: u32 = 8;

/// So many are remembered; then half of them are forgotten.
const REMEMBERED: u32 = 256;

/// So many have to be let through at the limit before one more is tried.
const PATIENCE: u32 = 256;

/// How many may be in flight.
#[derive(Debug)]
pub struct Width {
    most: usize,
    limit: usize,
    /// By how many were in flight when a request left, itself included, counted from one.
    by_in_flight: Vec<AnswerCounts>,
    /// Let through at the limit since it was set.
    at_limit: u32,
    patience: u32,
    /// Whether the limit was found and then raised by one.
    is_raised: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct AnswerCounts {
    let_through: u32,
    refused: u32,
}

impl Width {
    /// Nothing is known, and so many are allowed.
    pub fn new(most: usize) -> Self {
        let by_in_flight = vec![AnswerCounts::default(); most];
        Self { most, limit: most, by_in_flight, at_limit: 0, patience: PATIENCE, is_raised: false }
    }

    /// How many may be in flight.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A request that left as one of so many in flight was let through.
    pub fn let_through(&mut self, among: usize) {
        self.counts_among(among).let_through += 1;
        if self.by_in_flight.iter().map(|seen| seen.let_through + seen.refused).sum::<u32>() > REMEMBERED {
            for seen in &mut self.by_in_flight {
                *seen = AnswerCounts { let_through: seen.let_through / 2, refused: seen.refused / 2 };
            }
        }
        self.at_limit += u32::from(among >= self.limit);
        if self.limit < self.most && self.at_limit >= self.patience {
            self.set(self.limit + 1);
            self.is_raised = true;
        }
    }

    /// A request that left as one of so many in flight was refused.
    pub fn refused(&mut self, among: usize) {
        // It left before the limit was set.
        if among > self.limit {
            return;
        }
        self.at_limit = 0;
        self.counts_among(among).refused += 1;
        if self.is_raised && among == self.limit {
            self.patience = self.patience.saturating_mul(2);
            self.is_raised = false;
            return self.set(self.limit - 1);
        }
        let Some(fewer) = self.by_in_flight.iter().position(|seen| seen.refused > 0).filter(|at| *at > 0)
        else {
            return;
        };
        let (few, many) = self.by_in_flight.split_at(fewer);
        let few: u32 = few.iter().map(|seen| seen.let_through).sum();
        let let_through: u32 = many.iter().map(|seen| seen.let_through).sum();
        let refused: u32 = many.iter().map(|seen| seen.refused).sum();
        if refused >= REFUSED && refused >= let_through && few >= LET_THROUGH {
            self.set(fewer);
        }
    }

    fn set(&mut self, limit: usize) {
        self.limit = limit.max(1);
        self.at_limit = 0;
        self.by_in_flight.fill(AnswerCounts::default());
    }

    /// More than the most are counted with them.
    fn counts_among(&mut self, among: usize) -> &mut AnswerCounts {
        let at = among.clamp(1, self.most) - 1;
        &mut self.by_in_flight[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests that leave among so many in flight; refused is whoever is one of more than `bears`.
    fn run(width: &mut Width, bears: usize, amongs: impl IntoIterator<Item = usize>) {
        for among in amongs {
            let among = among.min(width.limit());
            if among > bears { width.refused(among) } else { width.let_through(among) }
        }
    }

    #[test]
    fn a_number_that_is_refused_is_found() {
        for bears in 1..8 {
            let mut width = Width::new(8);
            run(&mut width, bears, (0..10).flat_map(|_| 1..=8));
            assert_eq!(width.limit(), bears);
        }
        let mut width = Width::new(8);
        run(&mut width, 8, (0..1_000).map(|turn| turn % 8 + 1));
        assert_eq!(width.limit(), 8);
    }

    #[test]
    fn a_rate_that_is_refused_is_no_number() {
        // Every third, whatever the number; all but one of a storm of eight; among few only.
        let stories: [&dyn Fn(usize) -> (usize, bool); 3] =
            [&|turn| (turn % 8 + 1, turn.is_multiple_of(3)), &|turn| (8, !turn.is_multiple_of(8)), &|turn| {
                (turn % 8 + 1, turn % 8 < 2)
            }];
        for story in stories {
            let mut width = Width::new(8);
            for (among, is_refused) in (0..500).map(story) {
                if is_refused { width.refused(among) } else { width.let_through(among) }
            }
            assert_eq!(width.limit(), 8);
        }
    }

    #[test]
    fn more_are_tried_ever_later() {
        let (mut width, mut tried) = (Width::new(8), Vec::new());
        run(&mut width, 2, (0..10).flat_map(|_| 1..=8));
        for turn in 0..2_000 {
            run(&mut width, 2, [8]);
            if width.limit() > 2 {
                tried.push(turn);
            }
        }
        let times: Vec<i32> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(times, [513, 1025], "one is refused each time: {tried:?}");
        // What is borne again is used again.
        run(&mut width, 8, (0..40_000).map(|_| 8));
        assert_eq!(width.limit(), 8);
    }

    #[test]
    fn what_left_before_the_limit_was_set_says_nothing() {
        let mut width = Width::new(8);
        run(&mut width, 4, (0..10).flat_map(|_| 1..=8));
        (0..20).for_each(|_| width.refused(7));
        assert_eq!(width.limit(), 4);
    }
}
