//! The table of columns of Partner Center's co-sell file, in the generations that are known of it.
//!
//! Its lists of columns are documented for the first two; of the third only the names are known. Columns are
//! recognised by name, in any order. A file of leads has columns of the same names.

use std::fmt;

use crate::domain::aliases::folded;
use crate::domain::change::Counterpart;
use crate::domain::fields::Field;

/// A generation of the file's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// Of 2021.
    A,
    /// Of August 2023.
    B,
    /// Of March 2026.
    C,
}

/// As in `2023-08`.
impl fmt::Display for Generation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::A => "2021",
            Self::B => "2023-08",
            Self::C => "2026-03",
        })
    }
}

/// A column of the file.
#[derive(Debug, Clone, Copy)]
pub struct PortalColumn {
    /// Its name.
    pub name: &'static str,
    /// How much of a header cell the name is.
    pub naming: Naming,
    /// The first generation that has it under this name.
    pub since: Generation,
    /// What its cells go to.
    pub goes_to: GoesTo,
}

impl PortalColumn {
    /// Returns its name in quotes, or its names where there are several.
    pub(super) fn quoted(&self) -> String {
        let name = self.name;
        match self.naming {
            Naming::Numbered => format!("one of \"{name} 1\" to \"{name} {MOST}\""),
            Naming::Whole | Naming::Beginning => format!("\"{name}\""),
        }
    }
}

/// How much of a header cell a column's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// All of it.
    Whole,
    /// All but the number behind it, from 1 to [`MOST`].
    Numbered,
    /// Its beginning.
    Beginning,
}

/// The most columns of a sort that differ in their number alone.
pub const MOST: u8 = 50;

/// What the cells of a column go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoesTo {
    /// The referral that the row is about.
    Id,
    /// A field, whose values are written as in any change file.
    Field(Field),
    /// A field, or a member that is compared, whose values are written in the file's own way.
    Own(PortalTarget),
    /// `/name`, where the user opted into it; else it is compared.
    Name,
    /// The list of solutions.
    Solutions,
    /// The team.
    Team,
    /// Nothing: no member of the referral is known for it.
    Nothing,
}

/// What a cell is for that is written in the file's own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortalTarget {
    /// The wanted status.
    Status,
    /// The wanted substatus.
    Substatus,
    /// The number of a reason.
    Reason,
    /// The sales stage, which may have a percent sign.
    SalesStage,
    /// The closing date, as a day.
    CloseDate,
    /// The consent to share with Microsoft's sellers.
    Share,
    /// A solution, by the number of its column.
    Solution(u8),
    /// A team member, by the number of its column.
    TeamMember(u8),
    /// A part of the customer's contact.
    Contact(ContactPart),
    /// A member that can't be changed, and the name of its column.
    Shown(&'static str, Counterpart),
}

impl PortalTarget {
    /// Returns the field that a cell may change; `None` where it can't change any.
    pub fn field(self) -> Option<Field> {
        Some(match self {
            Self::Status => Field::Status,
            Self::Substatus => Field::Substatus,
            Self::Reason => Field::StatusReason,
            Self::SalesStage => Field::SalesStage,
            Self::CloseDate => Field::ClosingDateTime,
            Self::Share => Field::ShareConsent,
            Self::Solution(_) => Field::Solutions,
            Self::TeamMember(_) => Field::Team,
            Self::Contact(_) => Field::CustomerTeam,
            Self::Shown(..) => return None,
        })
    }

    /// Whether a cell is one element of its field's list, or a part of one.
    pub fn is_partial(self) -> bool {
        matches!(self, Self::Solution(_) | Self::TeamMember(_) | Self::Contact(_))
    }
}

/// A part of the customer's contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the column of that name")]
pub enum ContactPart {
    FirstName,
    LastName,
    PhoneNumber,
    EMail,
}

const fn column(name: &'static str, since: Generation, goes_to: GoesTo) -> PortalColumn {
    PortalColumn { name, naming: Naming::Whole, since, goes_to }
}

const fn own(name: &'static str, since: Generation, target: PortalTarget) -> PortalColumn {
    column(name, since, GoesTo::Own(target))
}

const fn compared(name: &'static str, since: Generation, counterpart: Counterpart) -> PortalColumn {
    own(name, since, PortalTarget::Shown(name, counterpart))
}

const fn nothing(name: &'static str, since: Generation) -> PortalColumn {
    column(name, since, GoesTo::Nothing)
}

const fn several(naming: Naming, name: &'static str, since: Generation, goes_to: GoesTo) -> PortalColumn {
    PortalColumn { name, naming, since, goes_to }
}

/// The columns of all generations. Names compare by their letters and digits alone.
pub const TABLE: &[PortalColumn] = {
    use Counterpart::{Day, Id, Text};
    use Generation::{A, B, C};
    use Naming::{Beginning, Numbered};
    &[
        nothing("Errors", A),
        compared("Engagement ID", A, Id("/engagementId")),
        column("Referral ID", A, GoesTo::Id),
        column("Deal Name", A, GoesTo::Name),
        compared("Customer Name", A, Text("/customerProfile/name")),
        compared("Customer Address Line 1", A, Text("/customerProfile/address/addressLine1")),
        compared("Customer Address Line 2", A, Text("/customerProfile/address/addressLine2")),
        compared("Customer City", A, Text("/customerProfile/address/city")),
        compared("Customer State", A, Text("/customerProfile/address/state")),
        compared("Customer Postal Code", A, Text("/customerProfile/address/postalCode")),
        compared("Customer Country", A, Text("/customerProfile/address/country")),
        nothing("Customer D-U-N-S ID", A),
        own("Customer Contact First Name", A, PortalTarget::Contact(ContactPart::FirstName)),
        own("Customer Contact Last Name", A, PortalTarget::Contact(ContactPart::LastName)),
        own("Customer Contact Phone number", A, PortalTarget::Contact(ContactPart::PhoneNumber)),
        own("Customer Contact Email Address", A, PortalTarget::Contact(ContactPart::EMail)),
        own("Partner Referral Status", A, PortalTarget::Status),
        own("Partner Referral Substatus", A, PortalTarget::Substatus),
        nothing("Microsoft Referral Status", A),
        nothing("Microsoft Referral Substatus", C),
        own("Declined/Lost reason", A, PortalTarget::Reason),
        own("Declined/Lost/Error reason", B, PortalTarget::Reason),
        own("Decline/Lost/Error reason", C, PortalTarget::Reason),
        own("Sales Stage", A, PortalTarget::SalesStage),
        column("Estimated Deal Value", A, GoesTo::Field(Field::DealValue)),
        column("Currency", A, GoesTo::Field(Field::Currency)),
        nothing("Estimated ACR Value", C),
        own("Estimated Close Date", A, PortalTarget::CloseDate),
        column("CRM ID", A, GoesTo::Field(Field::ExternalReferenceId)),
        column("Marketing Campaign ID", A, GoesTo::Field(Field::CampaignId)),
        column("Notes", A, GoesTo::Field(Field::Notes)),
        nothing("Microsoft help required?", A),
        nothing("What specific help from Microsoft?", A),
        nothing("Notes to Microsoft", A),
        own("Share with Microsoft sales team", A, PortalTarget::Share),
        several(Beginning, "Consent to share", A, GoesTo::Nothing),
        nothing("CLA Number", B),
        nothing("Device Category", B),
        nothing("Silicon Type", B),
        nothing("Azure Certified Device", B),
        nothing("Attach Services", B),
        nothing("Microsoft MSX ID", B),
        nothing("Migrated PSC Deal ID", B),
        compared("PartnerID (formerly MPN ID)", B, Id("/mpnId")),
        compared("MPN Id", C, Id("/mpnId")),
        compared("Created Date", C, Day("/createdDateTime")),
        nothing("Marketplace Purchase Intent", B),
        nothing("Customer Domain Name", B),
        nothing("Partner Role", C),
        nothing("Solution Area", C),
        nothing("Solution Play", C),
        several(Beginning, "Final Matched Customer Account", B, GoesTo::Nothing),
        several(Beginning, "Managed", B, GoesTo::Nothing),
        several(Beginning, "UnManaged", B, GoesTo::Nothing),
        several(Beginning, "DUNS", B, GoesTo::Nothing),
        several(Beginning, "Matched", C, GoesTo::Nothing),
        several(Beginning, "Moodys", C, GoesTo::Nothing),
        nothing("Confidence", C),
        nothing("LeadCreationDateTime", B),
        several(Numbered, "Solution", A, GoesTo::Solutions),
        several(Numbered, "Team member", A, GoesTo::Team),
        several(Numbered, "Microsoft team member", B, GoesTo::Nothing),
    ]
};

/// A column of the table under which a header cell is found, with the number behind its name, if it has one.
pub(super) fn find(name: &str) -> Option<(&'static PortalColumn, u8)> {
    let typed = folded(name);
    let with = |naming: Naming| TABLE.iter().filter(move |column| column.naming == naming);
    if let Some(column) = with(Naming::Whole).find(|column| folded(column.name) == typed) {
        return Some((column, 0));
    }
    let stem = typed.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = typed[stem.len()..].parse().ok().filter(|number| (1..=MOST).contains(number));
    let numbered = number.and_then(|number| {
        let column = with(Naming::Numbered).find(|column| folded(column.name) == stem)?;
        Some((column, number))
    });
    let beginning = || {
        with(Naming::Beginning).find(|column| typed.starts_with(&folded(column.name))).map(|found| (found, 0))
    };
    numbered.or_else(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_however_its_name_is_set() {
        for (name, wanted) in [
            ("Referral ID", Some(("Referral ID", 0))),
            ("referral_id *", Some(("Referral ID", 0))),
            ("Customer D-U-N-S id", Some(("Customer D-U-N-S ID", 0))),
            ("What specific help from Microsoft ?", Some(("What specific help from Microsoft?", 0))),
            ("Solution 1", Some(("Solution", 1))),
            ("Solution 50 *", Some(("Solution", 50))),
            ("Solution 51", None),
            ("Solution 0", None),
            ("Solution", None),
            ("Team member 3", Some(("Team member", 3))),
            ("Microsoft team member 3", Some(("Microsoft team member", 3))),
            ("Solution Area *", Some(("Solution Area", 0))),
            ("Managed Account Match 1", Some(("Managed", 0))),
            ("UnManaged Account Match 2", Some(("UnManaged", 0))),
            ("Final Matched Customer Account *", Some(("Final Matched Customer Account", 0))),
            ("Consent to share Customer/Partner contact", Some(("Consent to share", 0))),
            ("Owner", None),
            ("", None),
        ] {
            assert_eq!(find(name).map(|(column, number)| (column.name, number)), wanted, "{name}");
        }
    }

    #[test]
    fn a_name_stands_in_the_table_once() {
        for (at, column) in TABLE.iter().enumerate() {
            let same = |other: &PortalColumn| folded(other.name) == folded(column.name);
            assert_eq!(TABLE.iter().position(same), Some(at), "{}", column.name);
        }
    }
}
