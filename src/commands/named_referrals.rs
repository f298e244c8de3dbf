//! The referrals of a run that a user names: by id, by its beginning, or by that of their engagement.

use std::collections::{BTreeMap, BTreeSet};

use super::error::CommandError;
use crate::domain::excerpt::excerpt;
use crate::domain::referral::ReferralId;
use crate::domain::subject::Subject;
use crate::ledger::{LedgerError, Reader};
use crate::report::counted;

/// The most ids that are listed where a name could mean any of them.
const MOST_LISTED: usize = 10;

/// What was typed for a referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferralName {
    /// An id, or a URL that ends in one.
    Whole(ReferralId),
    /// How an id begins, in lower case.
    Beginning(String),
}

impl ReferralName {
    /// Reads a name; `None` for a text that no id begins with.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(id) = text.parse() {
            return Some(Self::Whole(id));
        }
        let could_be = !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        could_be.then(|| Self::Beginning(text.to_ascii_lowercase()))
    }

    /// Returns the name as it was typed.
    fn text(&self) -> String {
        match self {
            Self::Whole(id) => id.to_string(),
            Self::Beginning(text) => text.clone(),
        }
    }

    fn fits(&self, id: ReferralId) -> bool {
        match self {
            Self::Whole(named) => *named == id,
            Self::Beginning(text) => id.to_string().starts_with(text.as_str()),
        }
    }
}

/// The referrals that were named, as far as the run has them.
#[derive(Debug, Default)]
pub struct NamedReferrals {
    /// Their ids.
    pub ids: BTreeSet<ReferralId>,
    /// The names that are of none.
    pub unknown: Vec<String>,
}

/// What a name fits so far.
struct Fits<'a> {
    name: &'a ReferralName,
    /// The referrals whose own id it fits, the first of them with what people know each by.
    own: BTreeMap<ReferralId, Option<String>>,
    /// How many these are.
    count: u64,
    /// The referrals of the engagements whose id it fits, of the first of these.
    engaged: BTreeMap<ReferralId, BTreeSet<ReferralId>>,
}

impl Fits<'_> {
    fn add(&mut self, id: ReferralId, subject: Option<&Subject>) {
        if self.name.fits(id) {
            self.count += 1;
            if self.own.len() < MOST_LISTED {
                self.own.insert(id, subject.and_then(Subject::title));
            }
        }
        let engagement = subject.and_then(|subject| subject.engagement);
        if let Some(engagement) = engagement.filter(|engagement| self.name.fits(*engagement))
            && (self.engaged.len() <= MOST_LISTED || self.engaged.contains_key(&engagement))
        {
            self.engaged.entry(engagement).or_default().insert(id);
        }
    }

    /// Returns the referrals that are meant: the one whose own id fits, or else those of the one engagement.
    ///
    /// # Errors
    /// A usage error with those that could be meant.
    fn meant(self) -> Result<BTreeSet<ReferralId>, CommandError> {
        let Self { name, own, count, engaged } = self;
        match (count, engaged.len()) {
            (1, _) => Ok(own.into_keys().collect()),
            (0, 0) => Ok(BTreeSet::new()),
            (0, 1) => Ok(engaged.into_values().flatten().collect()),
            (0, engagements) => {
                let listed = engaged.keys().take(MOST_LISTED).map(ToString::to_string).collect();
                Err(ambiguous(name, "engagement", engagements as u64, listed))
            }
            (referrals, _) => {
                let told = |(id, title): (ReferralId, Option<String>)| match title {
                    Some(title) => format!("{id} ({title})"),
                    None => id.to_string(),
                };
                Err(ambiguous(name, "referral", referrals, own.into_iter().map(told).collect()))
            }
        }
    }
}

/// Finds the referrals that are named.
///
/// # Errors
/// Returns a usage error for a name that could mean several, and an error where the run can't be read.
pub async fn find(names: &[ReferralName], reader: &Reader) -> Result<NamedReferrals, CommandError> {
    let fits = |name| Fits { name, own: BTreeMap::new(), count: 0, engaged: BTreeMap::new() };
    let mut all: Vec<Fits<'_>> = names.iter().map(fits).collect();
    if all.is_empty() {
        return Ok(NamedReferrals::default());
    }
    reader
        .items(&mut |account| {
            all.iter_mut().for_each(|fits| fits.add(account.item.id, account.subject.as_ref()));
            Ok::<_, LedgerError>(())
        })
        .await?;
    // A row may name a referral and have no part in its change.
    reader
        .rows(&mut |row| {
            if let Some(id) = row.id.filter(|_| row.item.is_none()) {
                let lacking = all.iter_mut().filter(|fits| !fits.own.contains_key(&id));
                lacking.for_each(|fits| fits.add(id, row.subject.as_ref()));
            }
            Ok::<_, LedgerError>(())
        })
        .await?;
    let mut named = NamedReferrals::default();
    for fits in all {
        let name = fits.name;
        let meant = fits.meant()?;
        if meant.is_empty() {
            named.unknown.push(name.text());
        }
        named.ids.extend(meant);
    }
    Ok(named)
}

fn ambiguous(name: &ReferralName, what: &str, count: u64, listed: Vec<String>) -> CommandError {
    let more = count.saturating_sub(listed.len() as u64);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let ids = format!("the ids of {}", counted(count, what));
    CommandError::usage(format!("{} could mean any of {ids}", excerpt(&name.text())))
        .hint(format!("write more of it: {}{more}", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_be_named_by_its_beginning() {
        let id: ReferralId = "5a1e0001-0000-4000-8000-0000000000af".parse().unwrap();
        for (text, fits) in [
            ("5a1e0001-0000-4000-8000-0000000000af", Some(true)),
            ("5A1E0001-0000-4000-8000-0000000000AF", Some(true)),
            ("https://example.com/referrals/5a1e0001-0000-4000-8000-0000000000af", Some(true)),
            ("5a1e", Some(true)),
            ("5A1E0001-", Some(true)),
            ("a1e0001", Some(false)),
            ("5a1e0002", Some(false)),
            ("5a1e0001-0000-4000-8000-0000000000af0", Some(false)),
            ("", None),
            ("nobody", None),
            ("5a1e 0001", None),
        ] {
            assert_eq!(ReferralName::parse(text).map(|name| name.fits(id)), fits, "{text}");
        }
    }
}
