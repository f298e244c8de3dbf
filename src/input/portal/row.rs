//! The cells of one row of a Partner Center file, put into the row that is read.
//!
//! Some count together only: a reason counts with a closing that takes one, the parts of the customer's contact make
//! one member, and a row without ids would create a deal. They are kept until the row ends.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::cell::{CLEAR, Numbers, no_number};
use super::super::row::RowBuilder;
use super::columns::{ContactPart, PortalTarget};
use super::days::{self, DateError, Days};
use super::lists::{self, ListCell};
use super::words;
use crate::domain::change::{Append, Counterpart, Joining, Shown};
use crate::domain::day_doubt::DatesInDoubt;
use crate::domain::decimal::AmountError;
use crate::domain::fields::{Field, Kind, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::json;
use crate::domain::reasons::{self, UNREASON, UNREASONED};
use crate::domain::rules::Rule;
use crate::domain::sheet_cell::CellType;
use crate::domain::type_error::TypeError;
use crate::domain::value::{self, Condition, Wanted};

/// What cells of a row say that count together only.
#[derive(Debug, Default)]
pub(in super::super) struct PortalRow {
    /// The number of the reason.
    reason: Option<(Location, String)>,
    contact: Contact,
    /// Where the customer's contact begins.
    contact_at: Option<Location>,
    /// Whether the row names an engagement.
    has_engagement: bool,
    /// The dates of the row that an earlier report holds to be in doubt.
    dates_in_doubt: DatesInDoubt,
}

/// The customer's contact, as far as it is given.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Contact {
    #[serde(skip_serializing_if = "String::is_empty")]
    first_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    phone_number: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    email: String,
}

impl PortalRow {
    /// Begins a row of which an earlier report holds these dates to be in doubt.
    pub fn new(dates_in_doubt: DatesInDoubt) -> Self {
        Self { dates_in_doubt, ..Self::default() }
    }

    /// Puts a cell into the row, as its target says. An empty cell leaves the field alone.
    pub fn cell(
        &mut self,
        row: &mut RowBuilder<'_>,
        (days, numbers): (&mut Days, &mut Numbers),
        place: Location,
        target: PortalTarget,
        (kind, text): (CellType, &str),
    ) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if text == CLEAR && clear(row, place, target) {
            return;
        }
        match target {
            PortalTarget::Status => stage(row, place, "status", text, RowBuilder::status),
            PortalTarget::Substatus => stage(row, place, "substatus", text, RowBuilder::substatus),
            PortalTarget::Reason => self.reason = Some((place, text.to_owned())),
            PortalTarget::SalesStage => {
                let read = words::sales_stage(text).and_then(|text| Wanted::from_text(Kind::Text, text));
                set(row, place, Field::SalesStage, text, read);
            }
            PortalTarget::CloseDate => match days.read(text, kind == CellType::Date, &self.dates_in_doubt) {
                Err(DateError::InDoubt(error)) => in_doubt(row, place, error),
                Err(DateError::Wrong(error)) => set(row, place, Field::ClosingDateTime, text, Err(error)),
                Ok(wanted) => set(row, place, Field::ClosingDateTime, text, Ok(wanted)),
            },
            PortalTarget::Share => share(row, place, text),
            PortalTarget::Solution(_) => {
                let read = lists::solution(text, |price| numbers.read(place, price));
                join(row, place, Field::Solutions, text, read);
            }
            PortalTarget::TeamMember(_) => {
                join(row, place, Field::Team, text, lists::member(text).map_err(AmountError::Wrong));
            }
            PortalTarget::Contact(part) => {
                self.contact_at.get_or_insert(place);
                *self.contact.part(part) = text.to_owned();
            }
            PortalTarget::Shown(column, counterpart) => {
                self.has_engagement |= counterpart == Counterpart::Id("/engagementId");
                let shown = match counterpart {
                    Counterpart::Day(_) => days::day(text).map(|day| day.to_string()),
                    _ => Some(text.to_owned()),
                };
                // What can't be compared says nothing that could differ.
                shown
                    .into_iter()
                    .for_each(|text| row.show(place, Shown { column, counterpart, text: text.into() }));
            }
        }
    }

    /// Puts what counts together into the row. `own` are the reasons that the user sets, by their numbers.
    pub fn finish(self, row: &mut RowBuilder<'_>, place: Location, own: &BTreeMap<u8, String>) {
        if let Some((place, text)) = self.reason {
            let since = row.found_so_far();
            match row.wanted_substatus() {
                // Of a base, the reason is what the referral had, whatever its stage.
                Some(stage) if !stage.takes_reason() && !row.base().is_base() => {
                    let message = format!("{}: {UNREASONED}", Field::StatusReason.pointer());
                    row.tell(Rule::PortalReadOnly, place, &message, UNREASON);
                }
                // Without a wanted stage, the one that the referral is in decides.
                _ => {
                    let read =
                        reasons::reason(&text, own).and_then(|reason| Wanted::from_text(Kind::Text, reason));
                    let read = read.map(|wanted| wanted.on(Condition::Closing));
                    set(row, place, Field::StatusReason, &text, read);
                }
            }
            row.provide(place, (&Path::Known(Field::StatusReason), &text), since, false);
        }
        if let Some(place) = self.contact_at {
            let (since, text) = (row.found_so_far(), self.contact.text());
            self.contact.join(row, place);
            row.provide(place, (&Path::Known(Field::CustomerTeam), &text), since, false);
        }
        if row.id.is_some() && !row.base().is_base() {
            row.provide_stage();
        }
        if !row.names_referral() {
            row.excuse_id();
            row.add_finding(no_referral(place, self.has_engagement));
        }
    }
}

/// Returns the finding for a row without the referral's id.
fn no_referral(place: Location, has_engagement: bool) -> Finding {
    let (message, hint) = if has_engagement {
        (
            "the row has an Engagement ID, and no Referral ID: several referrals can share one engagement",
            "give the Referral ID, which a download has",
        )
    } else {
        (
            "the row has neither a Referral ID nor an Engagement ID: in Partner Center it would create a deal",
            "give the Referral ID of the deal to change; new deals are made in Partner Center",
        )
    };
    Finding::deny(Rule::Id, place, message).hint(hint)
}

impl Contact {
    /// Returns the place of a part.
    fn part(&mut self, part: ContactPart) -> &mut String {
        match part {
            ContactPart::FirstName => &mut self.first_name,
            ContactPart::LastName => &mut self.last_name,
            ContactPart::PhoneNumber => &mut self.phone_number,
            ContactPart::EMail => &mut self.email,
        }
    }

    /// Returns it as a cell of a team member has one.
    fn text(&self) -> String {
        let Self { first_name, last_name, phone_number, email } = self;
        [first_name.as_str(), last_name, phone_number, email].join(", ")
    }

    /// Puts the contact into the row, where it has an address: people are told apart by that.
    fn join(self, row: &mut RowBuilder<'_>, place: Location) {
        if self.email.is_empty() {
            let message = "the customer's contact has no e-mail address, and is not sent";
            return row.tell(
                Rule::PortalReadOnly,
                place,
                message,
                "give the address, or empty its other cells",
            );
        }
        let element = json::raw(&self);
        let read = value::checked_element(Field::CustomerTeam.kind(), &element);
        match read {
            Ok(key) => {
                row.append(
                    place,
                    Append { field: Field::CustomerTeam, key, element, joining: Joining::First, sign: None },
                );
            }
            Err(error) => {
                row.mistyped_text(place, Field::CustomerTeam.pointer().as_str(), &self.email, error)
            }
        }
    }
}

/// Puts in a status or a substatus, unless it is a word that only looks like one.
fn stage<'o>(
    row: &mut RowBuilder<'o>,
    place: Location,
    name: &str,
    text: &str,
    put: impl FnOnce(&mut RowBuilder<'o>, Location, &str, Rule),
) {
    match words::no_stage(text) {
        Some(error) => row.mistyped(place, name, error),
        None => put(row, place, text, Rule::Contradiction),
    }
}

/// Sets a field to a value, if it could be read.
fn set(row: &mut RowBuilder<'_>, place: Location, field: Field, text: &str, read: Result<Wanted, TypeError>) {
    match read {
        Ok(wanted) => row.set(place, &Path::Known(field), wanted, Rule::Contradiction),
        Err(error) => row.mistyped_text(place, field.pointer().as_str(), text, error),
    }
}

/// Adds the finding that a date is in doubt.
fn in_doubt(row: &mut RowBuilder<'_>, place: Location, error: TypeError) {
    let message = format!("{}: {}", Field::ClosingDateTime.pointer(), error.message);
    let finding = Finding::deny(Rule::DateOrder, place, message);
    row.add_finding(finding.hint(error.hint.unwrap_or_default()));
}

/// Puts in the consent to share, which goes one way: a No against a Yes is told, and not sent.
fn share(row: &mut RowBuilder<'_>, place: Location, text: &str) {
    const SHARE: &str = "/consent/consentToShareReferralWithMicrosoftSellers";
    match words::yes_or_no(text) {
        Ok(true) => set(row, place, Field::ShareConsent, text, Wanted::from_text(Kind::Boolean, "true")),
        // Of a base, a No is what the referral had.
        Ok(false) if row.base().is_base() => {
            set(row, place, Field::ShareConsent, text, Wanted::from_text(Kind::Boolean, "false"));
        }
        Ok(false) => {
            let (column, counterpart) = ("Share with Microsoft sales team", Counterpart::Flag(SHARE));
            row.show(place, Shown { column, counterpart, text: "No".into() });
        }
        Err(error) => row.mistyped_text(place, SHARE, text, error),
    }
}

/// Puts an element into a list, of which the file may show a part.
fn join(
    row: &mut RowBuilder<'_>,
    place: Location,
    field: Field,
    text: &str,
    read: Result<ListCell, AmountError>,
) {
    match read {
        Ok(ListCell { key, element, sign }) => {
            row.append(place, Append { field, key, element, joining: Joining::Update, sign });
        }
        Err(error) => no_number(row, place, field.pointer().as_str(), text, error),
    }
}

/// Clears the target, where it is one that can be asked to be cleared. Returns false where `\N` is a text like any
/// other.
fn clear(row: &mut RowBuilder<'_>, place: Location, target: PortalTarget) -> bool {
    let Some(field) = target.field() else { return false };
    match target {
        PortalTarget::Reason | PortalTarget::SalesStage | PortalTarget::CloseDate => {
            row.clear(place, &Path::Known(field), Rule::Contradiction);
        }
        _ => row.refuse_clearing(place, field.pointer().as_str()),
    }
    true
}
