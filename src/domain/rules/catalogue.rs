//! The catalogue of rules: the id of each, its default level, and the reason for it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::level::Level;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// A rule. Its id is what users type and reports show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the table below says what each is about")]
pub enum Rule {
    Transition,
    ClosedEdit,
    BackwardsSubstatus,
    CloseUnaccepted,
    SetExpired,
    DeclineAccepted,
    ReasonMissing,
    EarlyWin,
    ClosingDatePast,
    DealValueMissing,
    ConsentWithdrawn,
    UnconfirmedPath,
    MemberExists,
    PortalReadOnly,
    Unseen,
    Unbound,
    LenientJson,
    LegacyCase,
    LegacyNumber,
    LegacyHeader,
    SpreadsheetError,
    EmptyWord,
    RewrittenNumber,
    MisreadText,
    LostCharacters,
    LostZeros,
    KeptGuard,
    HiddenCharacter,
    CutOff,
    SubstatusPair,
    ReadOnlyPath,
    Clear,
    Id,
    Type,
    DecimalSign,
    DateOrder,
    RaggedRow,
    Encoding,
    Size,
    Json,
    DuplicateKey,
    Operation,
    Request,
    Contradiction,
    Held,
    UnknownReferral,
    IncompleteState,
    StaleEtag,
    Proof,
    MissingEtag,
    NotMigratable,
    NullClear,
    OmittedKept,
    ServerManagedDiffers,
    WouldOverwrite,
    OrderOnly,
    EmptiedCell,
    NotInBase,
    BaseUnreadable,
    ChangedSinceBase,
    UnseenKey,
    NoMatch,
    AmbiguousMatch,
}

/// An entry of the catalogue.
struct RuleEntry {
    rule: Rule,
    id: &'static str,
    default: Level,
    fixed: bool,
    /// With `{}` in the place of the setting that it names.
    about: &'static str,
    names: Option<Setting>,
}

impl RuleEntry {
    const fn naming(self, setting: Setting) -> Self {
        Self { names: Some(setting), ..self }
    }
}

/// Makes the entry of a rule whose level the user can set.
const fn settable(rule: Rule, id: &'static str, default: Level, about: &'static str) -> RuleEntry {
    RuleEntry { rule, id, default, fixed: false, about, names: None }
}

/// Makes the entry of a rule that always denies.
const fn fixed(rule: Rule, id: &'static str, about: &'static str) -> RuleEntry {
    RuleEntry { rule, id, default: Level::Deny, fixed: true, about, names: None }
}

/// The number of rules.
pub(super) const COUNT: usize = 63;

/// The rules in the order of [`Rule`], by which they are looked up.
const TABLE: [RuleEntry; COUNT] = [
    settable(
        Rule::Transition,
        "transition",
        Level::Deny,
        "the documented table of statuses: New may become Active or Closed, Active may become Closed, nothing leads back",
    ),
    settable(
        Rule::ClosedEdit,
        "closed-edit",
        Level::Warn,
        "the table lists Closed → Closed, but four official pages say that closed referrals take no further edit",
    ),
    settable(Rule::BackwardsSubstatus, "backwards-substatus", Level::Warn, "Received → Pending goes back"),
    settable(
        Rule::CloseUnaccepted,
        "close-unaccepted",
        Level::Warn,
        "New → Won or Lost: the portal offers only to accept or decline a new referral",
    ),
    settable(
        Rule::SetExpired,
        "set-expired",
        Level::Warn,
        "the service expires referrals by itself, after 14 days unanswered",
    ),
    settable(
        Rule::DeclineAccepted,
        "decline-accepted",
        Level::Warn,
        "the portal does not offer to decline an active referral",
    ),
    settable(Rule::ReasonMissing, "reason-missing", Level::Warn, "Lost and Declined want a statusReason"),
    settable(
        Rule::EarlyWin,
        "early-win",
        Level::Warn,
        "Won within 72 hours of creation may cost the deal registration",
    ),
    settable(Rule::ClosingDatePast, "closing-date-past", Level::Warn, "the closing date lies in the past"),
    settable(Rule::DealValueMissing, "deal-value-missing", Level::Warn, "Won without a deal value"),
    settable(
        Rule::ConsentWithdrawn,
        "consent-withdrawn",
        Level::Warn,
        "the consent to share with Microsoft sellers is withdrawn",
    ),
    settable(
        Rule::UnconfirmedPath,
        "unconfirmed-path",
        Level::Deny,
        "not one of the 18 documented paths; opt in one by one with {}",
    )
    .naming(Setting::AllowPath),
    settable(
        Rule::MemberExists,
        "member-exists",
        Level::Warn,
        "a member to append is on the list already, with other data; the list is left as it is",
    ),
    settable(
        Rule::PortalReadOnly,
        "portal-read-only",
        Level::Warn,
        "a column of a Partner Center file differs from the referral, and can't be changed; nothing of it is sent",
    ),
    settable(
        Rule::Unseen,
        "unseen",
        Level::Warn,
        "planned without looking at the referral ({} none), so its transition cannot be judged",
    )
    .naming(Setting::State),
    settable(
        Rule::Unbound,
        "unbound",
        Level::Warn,
        "no eTag binds the change, so a concurrent edit would be overwritten unnoticed",
    ),
    settable(
        Rule::LenientJson,
        "lenient-json",
        Level::Warn,
        "a legacy payload holds what JSON does not: a comment, a comma too many, a byte order mark",
    ),
    settable(
        Rule::LegacyCase,
        "legacy-case",
        Level::Warn,
        "the member names of a legacy payload begin with capitals, as .NET writes them, and are read as camelCase",
    ),
    settable(
        Rule::LegacyNumber,
        "legacy-number",
        Level::Warn,
        "a legacy payload holds status or substatus as a number, as old exports do, and the word is taken for it",
    ),
    settable(
        Rule::LegacyHeader,
        "legacy-header",
        Level::Warn,
        "the eTag of a legacy payload comes from its If-Match header or its id from the URL, or If-Match: * binds it to no version",
    ),
    settable(
        Rule::SpreadsheetError,
        "spreadsheet-error",
        Level::Deny,
        "a text is what a spreadsheet shows where a formula failed, such as #N/A, #REF! or #WERT!",
    ),
    settable(
        Rule::EmptyWord,
        "empty-word",
        Level::Warn,
        "a text is a word by which programs say that there is nothing, such as NULL, nan or n/a",
    ),
    settable(
        Rule::RewrittenNumber,
        "rewritten-number",
        Level::Warn,
        "a text is a number as a spreadsheet rewrites one that is too long for it, such as 4.68769E+17",
    ),
    settable(
        Rule::MisreadText,
        "misread-text",
        Level::Warn,
        "a text looks like UTF-8 that was taken for Windows-1252, such as MÃ¼ller",
    ),
    settable(
        Rule::LostCharacters,
        "lost-characters",
        Level::Deny,
        "a text is the referral's own with question marks in place of characters, as a spreadsheet saves those that \
         its encoding lacks",
    ),
    settable(
        Rule::LostZeros,
        "lost-zeros",
        Level::Deny,
        "a CRM id or campaign id is the referral's own without its leading zeros, as a spreadsheet saves what it takes \
         for a number",
    ),
    settable(
        Rule::KeptGuard,
        "kept-guard",
        Level::Deny,
        "a text is the referral's own with the ' in front of =, +, -, @ or a control by which an export keeps \
         spreadsheets from running it, or export.guarded names a column that isn't there",
    ),
    settable(
        Rule::HiddenCharacter,
        "hidden-character",
        Level::Warn,
        "a text holds a character that cannot be seen, such as a zero width space",
    ),
    settable(
        Rule::CutOff,
        "cut-off",
        Level::Deny,
        "an array of legacy payloads is never closed, so the file may have been cut off; with warn the payloads that are whole are sent, and what is missing stays a finding",
    ),
    fixed(
        Rule::SubstatusPair,
        "substatus-pair",
        "a substatus belongs to exactly one status, and Closed or New alone leave open which",
    ),
    fixed(Rule::ReadOnlyPath, "read-only-path", "the service alone writes this member"),
    fixed(Rule::Clear, "clear", "clearing a field needs {}: null, an empty text or an empty list")
        .naming(Setting::Clear),
    fixed(Rule::Id, "id", "a row names its referral by a GUID, which is not the engagementId"),
    fixed(Rule::Type, "type", "the value is not of the field's type"),
    fixed(
        Rule::DecimalSign,
        "decimal-sign",
        "a number can be read in two ways, or the file's numbers contradict each other; {} settles it",
    )
    .naming(Setting::Decimal),
    fixed(
        Rule::DateOrder,
        "date-order",
        "a Partner Center file has a date with the day in front, or a workbook has dates beside texts that only the month in front makes dates, so none of its dates in MM/DD/YYYY can be trusted, also when a report of some of its rows is fed back",
    ),
    fixed(
        Rule::RaggedRow,
        "ragged-row",
        "cells may stand under the wrong columns: there are more than the header has, a quote or a line end is out of place",
    ),
    fixed(Rule::Encoding, "encoding", "the row is not valid text"),
    fixed(Rule::Size, "size", "a cell, a line or a nesting is too large"),
    fixed(Rule::Json, "json", "the line is no JSON object of a known form"),
    fixed(Rule::DuplicateKey, "duplicate-key", "a JSON object names a member twice"),
    fixed(
        Rule::Operation,
        "operation",
        "an operation other than add and replace, or a path that cannot be patched so",
    ),
    fixed(
        Rule::Request,
        "request",
        "a request of an .http file is no PUT of a referral, or its header contradicts its body",
    ),
    fixed(
        Rule::Contradiction,
        "contradiction",
        "two rows, or two columns or operations of one row, give one field different values",
    ),
    fixed(
        Rule::Held,
        "held",
        "another row for the same referral is invalid, and one referral is changed as a whole or not at all",
    ),
    fixed(Rule::UnknownReferral, "unknown-referral", "the snapshot holds no referral of this id"),
    fixed(
        Rule::IncompleteState,
        "incomplete-state",
        "the change depends on members that the snapshot lacks, or shows as null where an object or a list belongs; a warning where no more than a rule at warn does",
    ),
    fixed(
        Rule::StaleEtag,
        "stale-etag",
        "the row is bound to a version that is no longer the current one (outcome: conflict)",
    ),
    fixed(
        Rule::Proof,
        "proof",
        "the document, applied to the referral, would not give what the row asks for: a defect of this program",
    ),
    fixed(
        Rule::MissingEtag,
        "missing-etag",
        "a PUT payload without an eTag: the PUT would have failed, or overwritten newer work (outcome: conflict)",
    ),
    settable(
        Rule::NotMigratable,
        "not-migratable",
        Level::Deny,
        "a PUT payload differs at a path that is not documented as patchable; opt in one by one with {}",
    )
    .naming(Setting::AllowPath),
    settable(
        Rule::NullClear,
        "null-clear",
        Level::Warn,
        "a PUT payload empties a field that has a value; the value is kept unless {} is given",
    )
    .naming(Setting::Clear),
    settable(
        Rule::OmittedKept,
        "omitted-kept",
        Level::Warn,
        "a PUT payload leaves out members that have a value, or a Partner Center file team members or solutions; they are kept",
    ),
    settable(
        Rule::ServerManagedDiffers,
        "server-managed-differs",
        Level::Warn,
        "a PUT payload holds other values of members that the service alone writes; they are not sent",
    ),
    settable(
        Rule::WouldOverwrite,
        "would-overwrite",
        Level::Warn,
        "what a stale PUT payload would have overwritten, field by field; {} tells whose value is newer",
    )
    .naming(Setting::Base),
    settable(
        Rule::OrderOnly,
        "order-only",
        Level::Warn,
        "a list of a PUT payload differs in nothing but its order, which is not sent",
    ),
    settable(
        Rule::EmptiedCell,
        "emptied-cell",
        Level::Warn,
        "a cell is empty that has a value in the file of {}; an empty cell leaves its field alone, and \\N clears it",
    )
    .naming(Setting::Base),
    fixed(
        Rule::NotInBase,
        "not-in-base",
        "the file of {} lacks the referral of the row, so which of its cells are changes is unknown",
    )
    .naming(Setting::Base),
    fixed(
        Rule::BaseUnreadable,
        "base-unreadable",
        "a cell differs from one in the file of {} whose value can't be read, so whether somebody else changed it is unknown",
    )
    .naming(Setting::Base),
    fixed(
        Rule::ChangedSinceBase,
        "changed-since-base",
        "a field that the row changes has another value now than in the file of {} (outcome: conflict)",
    )
    .naming(Setting::Base),
    settable(
        Rule::UnseenKey,
        "unseen-key",
        Level::Deny,
        "one referral has the key of a row ({}), and others are not shown with theirs, so it may not be the only one",
    )
    .naming(Setting::Match),
    fixed(Rule::NoMatch, "no-match", "no referral has the key of the row ({}), or the row has none")
        .naming(Setting::Match),
    fixed(Rule::AmbiguousMatch, "ambiguous-match", "several referrals have the key of the row ({})")
        .naming(Setting::Match),
];

impl Rule {
    /// Iterates over all rules in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.rule)
    }

    fn row(self) -> &'static RuleEntry {
        &TABLE[self as usize]
    }

    /// Returns the id that users type and reports show.
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// Parses an id.
    pub fn parse(id: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.id == id).map(|row| row.rule)
    }

    /// Returns the level that the rule has unless the user sets another.
    pub fn default_level(self) -> Level {
        self.row().default
    }

    /// Whether its level is fixed.
    pub fn is_fixed(self) -> bool {
        self.row().fixed
    }

    /// What it is about, in one line.
    pub fn about(self) -> Wording {
        let RuleEntry { about, names, .. } = self.row();
        match (about.split_once("{}"), names) {
            (Some((before, behind)), Some(setting)) => Wording::from(before).name(*setting).say(behind),
            _ => Wording::from(*about),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_its_rules_and_ids_are_their_names() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.rule as usize, at, "{}", row.id);
            assert_eq!(serde_json::to_value(row.rule).unwrap(), row.id);
            assert_eq!(Rule::parse(row.id), Some(row.rule));
        }
    }

    #[test]
    fn a_description_names_one_setting_at_most_and_has_a_place_for_it() {
        for row in &TABLE {
            assert_eq!(row.about.matches("{}").count(), usize::from(row.names.is_some()), "{}", row.id);
        }
    }
}
