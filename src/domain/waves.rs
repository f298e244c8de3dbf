//! Waves: a plan that is sent in parts, each of which is read back before the next one goes.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::verification::StandingCounts;

/// The sizes of waves as the user asks for them, such as `5,5%,rest`. Whatever they leave comes in one more wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Waves(Vec<WaveSize>);

/// The size of one wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WaveSize {
    /// This number of referrals.
    Count(u64),
    /// A share of all that are to be changed, in ten-thousandths of a percent; rounded up.
    Share(u64),
    /// All that are left.
    Rest,
}

/// Ten-thousandths of a percent in the whole.
const WHOLE: u64 = 100 * SCALE;
const SCALE: u64 = 10_000;

/// The reason why a text names no waves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WavesError {
    /// A size is none.
    #[error("{0} is no size of a wave")]
    Size(String),
    /// A wave would be empty.
    #[error("a wave of {0} sends nothing")]
    Empty(String),
    /// Something comes after the rest.
    #[error("nothing is left behind the rest")]
    BehindRest,
}

impl FromStr for Waves {
    type Err = WavesError;

    fn from_str(text: &str) -> Result<Self, WavesError> {
        let sizes: Vec<WaveSize> =
            text.split(',').map(|size| WaveSize::parse(size.trim())).collect::<Result<_, _>>()?;
        match sizes.iter().rev().skip(1).any(|size| *size == WaveSize::Rest) {
            true => Err(WavesError::BehindRest),
            false => Ok(Self(sizes)),
        }
    }
}

impl TryFrom<String> for Waves {
    type Error = WavesError;

    fn try_from(text: String) -> Result<Self, WavesError> {
        text.parse()
    }
}

impl From<Waves> for String {
    fn from(waves: Waves) -> Self {
        waves.to_string()
    }
}

/// As it is parsed.
impl fmt::Display for Waves {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, size) in self.0.iter().enumerate() {
            out.write_str(if number == 0 { "" } else { "," })?;
            match size {
                WaveSize::Count(count) => write!(out, "{count}")?,
                WaveSize::Share(share) => {
                    let fraction = format!("{:04}", share % SCALE);
                    let fraction = fraction.trim_end_matches('0');
                    let point = if fraction.is_empty() { "" } else { "." };
                    write!(out, "{}{point}{fraction}%", share / SCALE)?;
                }
                WaveSize::Rest => out.write_str("rest")?,
            }
        }
        Ok(())
    }
}

impl WaveSize {
    fn parse(text: &str) -> Result<Self, WavesError> {
        let no_size =
            || WavesError::Size(if text.is_empty() { "nothing".to_owned() } else { text.to_owned() });
        if text.eq_ignore_ascii_case("rest") {
            return Ok(Self::Rest);
        }
        let size = match text.strip_suffix('%') {
            Some(share) => {
                Self::Share(share_of(share.trim()).filter(|share| *share <= WHOLE).ok_or_else(no_size)?)
            }
            None => Self::Count(digits(text).ok_or_else(no_size)?),
        };
        match size {
            Self::Count(0) | Self::Share(0) => Err(WavesError::Empty(text.to_owned())),
            size => Ok(size),
        }
    }

    /// Returns the number of referrals of this wave, of `total` of which `left` are in no wave yet.
    fn of(self, total: u64, left: u64) -> u64 {
        match self {
            Self::Count(count) => count.min(left),
            Self::Share(share) => {
                let share = (u128::from(total) * u128::from(share)).div_ceil(u128::from(WHOLE));
                u64::try_from(share).unwrap_or(left).min(left)
            }
            Self::Rest => left,
        }
    }
}

/// Parses a number of ASCII digits alone.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Parses a percentage with at most four digits behind the point.
fn share_of(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 4 {
        return None;
    }
    digits(whole)?.checked_mul(SCALE)?.checked_add(digits(&format!("{fraction:0<4}"))?)
}

/// The waves of a plan: where each ends in the order of sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct WavePlan {
    /// The place of the last referral of each wave, counted from 1. Each is greater than the one before.
    ends: Vec<u64>,
}

impl WavePlan {
    /// Returns the waves of a plan that changes `total` referrals.
    pub fn of(waves: &Waves, total: u64) -> Self {
        let mut ends = Vec::new();
        let mut end = 0;
        for size in waves.0.iter().chain([&WaveSize::Rest]) {
            let size = size.of(total, total - end);
            if size > 0 {
                end += size;
                ends.push(end);
            }
        }
        Self { ends }
    }

    /// Returns the waves, the first one first.
    pub fn all(&self) -> impl Iterator<Item = Wave> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let waves = (1..).zip(begins.zip(&self.ends));
        waves.map(|(number, (before, end))| Wave { number, first: before + 1, last: *end })
    }

    /// Returns the number of waves.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Returns the number of the wave of the referral that has this place, counted from 1.
    pub fn number_of(&self, place: u64) -> u32 {
        let before = self.ends.partition_point(|end| *end < place);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// One wave of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wave {
    /// Its number, counted from 1.
    pub number: u32,
    /// The place of its first referral in the order of sending, counted from 1.
    pub first: u64,
    /// The place of its last one.
    pub last: u64,
}

impl Wave {
    /// Returns the number of its referrals.
    pub fn size(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// What came of a wave: the outcomes of its referrals, and how those stand that it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaveResult {
    /// The number of referrals by outcome, where there are any.
    pub outcomes: Vec<(Outcome, u64)>,
    /// How those stand that it changed.
    pub standings: StandingCounts,
    /// The number of those that could not be looked at.
    pub left: u64,
}

impl WaveResult {
    /// Whether all of it stands: what it changed is all there and as it was sent, nothing of it is in doubt, and it
    /// changed something, since a wave that changed nothing shows nothing.
    pub fn stands(&self) -> bool {
        let Self { outcomes: _, standings, left } = self;
        let is_whole = self.of(Outcome::Partial) == 0 && self.of(Outcome::Unknown) == 0;
        let is_there = standings.still_ours == standings.total() && *left == 0;
        is_whole && is_there && self.of(Outcome::Applied) > 0
    }

    /// Returns the number of referrals of an outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes.iter().filter(|(found, _)| *found == outcome).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waves_are_what_is_typed() {
        for (text, shown) in [
            ("5,5%,rest", "5,5%,rest"),
            (" 1 , 2.50 % , REST ", "1,2.5%,rest"),
            ("rest", "rest"),
            ("7", "7"),
            ("100%", "100%"),
            ("0.0001%", "0.0001%"),
        ] {
            let waves: Waves = text.parse().unwrap();
            assert_eq!(waves.to_string(), shown);
            assert_eq!(serde_json::from_str::<Waves>(&format!("\"{shown}\"")).unwrap(), waves);
        }
        for (text, told) in [
            ("", "nothing is no size of a wave"),
            ("5,,rest", "nothing is no size of a wave"),
            ("many", "many is no size of a wave"),
            ("-1", "-1 is no size of a wave"),
            ("+1", "+1 is no size of a wave"),
            ("1.5", "1.5 is no size of a wave"),
            ("101%", "101% is no size of a wave"),
            ("%", "% is no size of a wave"),
            (".5%", ".5% is no size of a wave"),
            ("5.%", "5.% is no size of a wave"),
            ("1.00001%", "1.00001% is no size of a wave"),
            ("99999999999999999999", "99999999999999999999 is no size of a wave"),
            ("0,rest", "a wave of 0 sends nothing"),
            ("0.0%", "a wave of 0.0% sends nothing"),
            ("rest,5", "nothing is left behind the rest"),
            ("rest,rest", "nothing is left behind the rest"),
        ] {
            assert_eq!(text.parse::<Waves>().unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn a_plan_is_cut_where_they_say() {
        for (waves, total, ends) in [
            ("5,5%,rest", 1_203, &[5, 66, 1_203][..]),
            ("1,5%,rest", 12, &[1, 2, 12]),
            ("5,5%,rest", 5, &[5]),
            ("5,5%,rest", 6, &[5, 6]),
            ("5,50", 100, &[5, 55, 100]),
            ("2,2,2", 5, &[2, 4, 5]),
            ("2.2%", 1_000, &[22, 1_000]),
            ("7%,7%", 100, &[7, 14, 100]),
            ("rest", 9, &[9]),
            ("1,rest", 0, &[]),
            ("100%,rest", u64::MAX, &[u64::MAX]),
        ] {
            let plan = WavePlan::of(&waves.parse().unwrap(), total);
            assert_eq!(plan.ends, ends, "{waves} of {total}");
        }
    }

    proptest! {
        #[test]
        fn every_place_is_in_one_wave(sizes in prop::collection::vec(1_u64..40, 0..6), total in 0_u64..200) {
            let text: Vec<String> = sizes.iter().map(u64::to_string).chain(["rest".to_owned()]).collect();
            let plan = WavePlan::of(&text.join(",").parse().unwrap(), total);
            let mut places = 1..=total;
            for wave in plan.all() {
                prop_assert_eq!(wave.size(), (wave.first..=wave.last).count() as u64);
                for place in wave.first..=wave.last {
                    prop_assert_eq!(places.next(), Some(place));
                    prop_assert_eq!(plan.number_of(place), wave.number);
                }
            }
            prop_assert_eq!(places.next(), None);
            prop_assert_eq!(plan.all().count(), plan.count());
        }
    }

    #[test]
    fn a_wave_stands_where_all_that_it_changed_does() {
        use Outcome::{Applied, Conflict, Partial, Refused, Unknown};
        let ours = |count| StandingCounts { still_ours: count, ..StandingCounts::default() };
        let changed = StandingCounts { changed_since: 1, ..ours(4) };
        let gone = StandingCounts { gone: 1, ..ours(4) };
        let unread = StandingCounts { not_readable: 1, ..ours(4) };
        for (outcomes, standings, left, wanted) in [
            (vec![(Applied, 5)], ours(5), 0, true),
            (vec![(Applied, 5), (Conflict, 1), (Refused, 2)], ours(5), 0, true),
            (vec![(Applied, 5)], changed, 0, false),
            (vec![(Applied, 5)], gone, 0, false),
            (vec![(Applied, 5)], unread, 0, false),
            (vec![(Applied, 5)], ours(4), 1, false),
            (vec![(Applied, 4), (Partial, 1)], ours(5), 0, false),
            (vec![(Applied, 4), (Unknown, 1)], ours(4), 0, false),
            (vec![(Conflict, 1)], ours(0), 0, false),
            (vec![], ours(0), 0, false),
        ] {
            let result = WaveResult { outcomes, standings, left };
            assert_eq!(result.stands(), wanted, "{result:?}");
        }
    }
}
