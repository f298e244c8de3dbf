//! How a row names its referral where it doesn't do so by the id: its key goes in, the referral comes out.

use super::key_index::RowNames;
use super::row::RowBuilder;
use super::value_target::ValueTarget;
use crate::domain::excerpt::excerpt;
use crate::domain::finding::{Finding, Location};
use crate::domain::key::{Key, Matched};
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::suspect;

const AS_TEXT: &str =
    "format the column as text in the spreadsheet, and take the key from where it came from";

impl RowBuilder<'_> {
    /// Puts in the key. One that a spreadsheet has rewritten, or that is a word for nothing, is refused whatever
    /// is done about such a text elsewhere: it would lead to another referral, or to all that have none.
    pub fn key(&mut self, place: Location, text: &str) {
        if let Some((rule, what)) = no_key(text) {
            self.excuse_id();
            let finding = Finding::deny(rule, place, format!("the key {} is {what}", excerpt(text)));
            return self.add_finding(finding.hint(AS_TEXT));
        }
        let Some(key) = Key::new(text) else { return };
        match &self.names.key {
            Some((_, other)) if other.as_str() != key.as_str() => {
                let finding = Finding::deny(Rule::Id, place, "the row has two keys");
                self.add_finding(finding.hint("keep one of them"));
            }
            _ => self.names.key = Some((place, key)),
        }
    }

    /// Puts in what Microsoft's connector writes into a CRM: the id of the referral, or that of its engagement.
    pub fn identifier(&mut self, place: Location, text: &str) {
        match text.parse::<ReferralId>() {
            Ok(id) => self.names.identifier = Some((place, id)),
            Err(error) => {
                self.excuse_id();
                let hint = suspect::remedy(text).unwrap_or("it is a GUID, or a URL that ends in one");
                self.add_finding(Finding::deny(Rule::Id, place, error.to_string()).hint(hint));
            }
        }
    }

    /// Finds the referral that the row is about, where rows name those by a key and the index is there. Returns the
    /// key that led to it. That there is none, or that there are several, is a finding.
    pub fn resolve(&mut self) -> Option<Matched> {
        let index = self.options.matching.as_ref()?.index.as_ref()?;
        if self.is_excused {
            return None;
        }
        self.names_referral = true;
        match index.resolve(self.place, &self.names) {
            Ok((id, matched, warned)) => {
                self.id = Some(id);
                warned.into_iter().for_each(|finding| self.add_note(finding));
                Some(matched)
            }
            Err(finding) => {
                // Which referral the row is about is open, whatever id stands in it.
                self.id = None;
                self.add_finding(finding);
                None
            }
        }
    }
}

/// Returns a row with what it names its referral by, of its cells.
pub(super) fn named(
    mut names: RowBuilder<'_>,
    cells: impl Iterator<Item = (Location, ValueTarget, String)>,
) -> RowBuilder<'_> {
    for (place, target, text) in cells.filter(|(.., text)| !text.trim().is_empty()) {
        match target {
            ValueTarget::Key => names.key(place, &text),
            ValueTarget::Identifier => names.identifier(place, &text),
            ValueTarget::Id => names.id(place, &text),
            _ => {}
        }
    }
    names
}

/// Returns the referral that a row is about by its names, and where it says so. Where it isn't about one, the row tells
/// why when it is read.
pub(super) fn found(mut names: RowBuilder<'_>) -> Option<(Location, ReferralId)> {
    names.resolve()?;
    let RowNames { key, identifier, .. } = &names.names;
    let place = identifier.map(|(place, _)| place).or_else(|| key.as_ref().map(|(place, _)| *place));
    Some((place?, names.id?))
}

/// Returns why a text is no key, with the rule for such texts.
fn no_key(text: &str) -> Option<(Rule, &'static str)> {
    let text = text.trim();
    if suspect::is_error_value(text) {
        return Some((Rule::SpreadsheetError, "what a spreadsheet shows where a formula failed"));
    }
    if suspect::is_empty_word(text) {
        return Some((Rule::EmptyWord, "a word for nothing"));
    }
    let is_rewritten = suspect::is_rewritten_number(text);
    is_rewritten.then_some((Rule::RewrittenNumber, "a number as a spreadsheet rewrites it, with digits gone"))
}
