//! Limits how many requests are in flight, where their number is refused and not their rate. Pure.
//!
//! A proxy in front of the service may accept a number of concurrent requests and refuse the others, as nginx
//! does with `limit_conn`, with the same answer as for a rate that is too high. The outcomes tell the two
//! apart. Where the number is too high, requests sent with few in flight are let through, and of those sent
//! with more in flight at least half are refused. A rate that is too high is refused with few in flight too.
//!
//! The limit is raised again by one at a time, each time after a long series without a refusal. The series
//! that is needed doubles when the raised limit is refused.

/// The number of refusals before anything is concluded.
const REFUSED: u32 = 3;

/// The number of requests that must have been let through with fewer in flight.
const LET_THROUGH: u32 = 8;

/// The number of answers after which all counts are halved, so that old ones weigh less.
const REMEMBERED: u32 = 256;

/// The number of requests let through at the limit before the limit is first raised by one.
const PATIENCE: u32 = 256;

/// The limit on requests in flight, learned from what is refused.
#[derive(Debug)]
pub struct Width {
    most: usize,
    limit: usize,
    /// What became of requests, by the number in flight when they were sent, themselves included: index 0 is
    /// a request that was alone.
    by_in_flight: Vec<AnswerCounts>,
    /// Requests let through at the limit since it was set.
    at_limit: u32,
    patience: u32,
    /// Whether the limit is one that was raised by one, to see whether it is accepted.
    is_raised: bool,
}

/// The number of answers, by whether the request was refused.
#[derive(Debug, Clone, Copy, Default)]
struct AnswerCounts {
    let_through: u32,
    refused: u32,
}

impl Width {
    /// Returns a limit of `most`, which it never exceeds.
    pub fn new(most: usize) -> Self {
        let by_in_flight = vec![AnswerCounts::default(); most];
        Self { most, limit: most, by_in_flight, at_limit: 0, patience: PATIENCE, is_raised: false }
    }

    /// Returns how many requests may be in flight.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Records that a request was let through that was sent with `among` in flight, itself included.
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

    /// Records that a request was refused that was sent with `among` in flight, itself included.
    pub fn refused(&mut self, among: usize) {
        // It was sent before the present limit was set, and says nothing of it.
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

    /// Returns the counts for a number in flight; numbers above the maximum are counted with the maximum.
    fn counts_among(&mut self, among: usize) -> &mut AnswerCounts {
        let at = among.clamp(1, self.most) - 1;
        &mut self.by_in_flight[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends requests with these numbers in flight; one is refused where more than `bears` are.
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
        // A number that is accepted again is used again.
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
