//! Which of Partner Center's files a header belongs to.

use std::borrow::Cow;

use crate::domain::aliases::folded;

/// A file that Partner Center writes and that has a column of referral ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum PortalFile {
    /// Co-sell deals: the template, a download, or a processed file with its errors.
    CoSell,
    /// Leads.
    Leads,
    /// Deal registrations, which are no referrals.
    Registrations,
    /// The download of Insights, which shows deals and changes none.
    Insights,
}

/// The columns that tell each file, in the order in which they are looked for. Any one of the groups does.
const TOLD_BY: [(PortalFile, &[&[&str]]); 4] = [
    (PortalFile::CoSell, &[&["Deal Name", "Partner Referral Status"]]),
    (
        PortalFile::Leads,
        &[&["Referral ID", "Marketplace Purchase Intent"], &["Referral ID", "LeadCreationDateTime"]],
    ),
    (PortalFile::Registrations, &[&["Registration Type", "Contract Value"]]),
    (PortalFile::Insights, &[&["Deal Type", "Deal Direction"]]),
];

/// Returns the file that a header with these names belongs to; `None` where it is none of Partner Center's.
pub(in super::super) fn recognise(names: &[Cow<'_, str>]) -> Option<PortalFile> {
    let typed: Vec<String> = names.iter().map(|name| folded(name)).collect();
    let has = |name: &&str| typed.contains(&folded(name));
    let tells = |groups: &[&[&str]]| groups.iter().any(|names| names.iter().all(&has));
    TOLD_BY.into_iter().find(|(_, groups)| tells(groups)).map(|(file, _)| file)
}

impl PortalFile {
    /// Returns what it holds, for messages.
    pub(in super::super) fn what(self) -> &'static str {
        match self {
            Self::CoSell => "co-sell deals",
            Self::Leads => "leads",
            Self::Registrations => "deal registrations",
            Self::Insights => "the deals of Insights",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_by_its_columns() {
        for (header, wanted) in [
            ("Errors,Referral ID,Deal Name,Partner Referral Status", Some(PortalFile::CoSell)),
            ("partner referral status *,DEAL NAME *,x", Some(PortalFile::CoSell)),
            ("Referral ID,Partner Referral Status", None),
            ("Referral ID,Marketplace Purchase Intent", Some(PortalFile::Leads)),
            ("LeadCreationDateTime,Referral ID", Some(PortalFile::Leads)),
            ("Marketplace Purchase Intent", None),
            ("Referral ID,Registration Type,Contract Value", Some(PortalFile::Registrations)),
            ("Referral ID,Deal Type,Deal Direction,Estimated Deal value (USD)", Some(PortalFile::Insights)),
            ("id,status", None),
        ] {
            let names: Vec<Cow<'_, str>> = header.split(',').map(Cow::Borrowed).collect();
            assert_eq!(recognise(&names), wanted, "{header}");
        }
    }
}
