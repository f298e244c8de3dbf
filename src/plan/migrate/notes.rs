//! The findings about a payload: what differs and is not sent, and what is stale or suspicious.

use serde_json::value::RawValue;

use super::difference::{Difference, Leftover};
use super::stale::{BaseMatch, OverwriteKind, Overwritten, Stale};
use crate::domain::excerpt::excerpt_json;
use crate::domain::fields::{self, Field, Resolved};
use crate::domain::finding::{Finding, Location};
use crate::domain::level::Level;
use crate::domain::referral::ETag;
use crate::domain::rules::{Levels, Rule};
use crate::domain::setting::Setting;
use crate::domain::suspect::{self, Suspicion};
use crate::domain::wording::Wording;

/// The findings about one payload so far.
pub(super) struct Notes<'a> {
    levels: &'a Levels,
    place: Location,
    pub list: Vec<Finding>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(levels: &'a Levels, place: Location) -> Self {
        Self { levels, place, list: Vec::new() }
    }

    /// Adds a finding at the level of its rule, unless that is `allow`.
    fn add(&mut self, rule: Rule, message: String, hint: impl Into<Wording>) {
        let (level, hint) = (self.levels.of(rule), hint.into());
        if level != Level::Allow {
            let finding = Finding { level, ..Finding::deny(rule, self.place, message) };
            self.list.push(if hint.is_empty() { finding } else { finding.hint(hint) });
        }
    }

    /// Reports the differences that are not sent, by their rules.
    pub(super) fn left(&mut self, left: &[Leftover], differences: &[Difference<'_>]) {
        for left in left.iter().filter(|left| left.rule == Rule::NotMigratable) {
            self.not_migratable(left, differences);
        }
        for left in left.iter().filter(|left| left.rule == Rule::NullClear) {
            self.kept(left);
        }
        for (rule, says, hint) in [
            (
                Rule::OmittedKept,
                "left out of the payload, and kept",
                Wording::from("an explicit null and ").name(Setting::Clear).say(" empty a field"),
            ),
            (Rule::ServerManagedDiffers, "written by the service alone, and not sent", Wording::default()),
            (Rule::OrderOnly, "the same but for the order, and not sent", Wording::default()),
        ] {
            if let Some(names) = names(left, rule) {
                self.add(rule, format!("{says}: {names}"), hint);
            }
        }
    }

    /// Reports a difference at a path that isn't documented as patchable.
    fn not_migratable(&mut self, left: &Leftover, differences: &[Difference<'_>]) {
        let difference = differences.iter().find(|difference| difference.pointer == left.pointer);
        let values = difference.map(|difference| {
            let (now, given) = (shown(difference.current), shown(Some(difference.given)));
            format!(": the referral has {now}, the payload {given}")
        });
        let message = format!("no PATCH is documented for {left}{}", values.unwrap_or_default());
        let hint = Wording::default()
            .name(Setting::AllowPath)
            .say(format!(" {} sends it all the same, ", left.pointer))
            .name(Setting::Rule)
            .say(format!(" {}=warn sends the rest without it", Rule::NotMigratable));
        self.add(Rule::NotMigratable, message, hint);
    }

    /// Reports a field that the payload empties and that keeps its value.
    fn kept(&mut self, left: &Leftover) {
        let hint = match fields::resolve(&left.pointer) {
            Resolved::Field(Field::Status | Field::Substatus) => Wording::from("no referral is without it"),
            Resolved::Field(_) => Wording::default().name(Setting::Clear).say(" empties it"),
            _ => Wording::default()
                .name(Setting::Clear)
                .say(" with ")
                .name(Setting::AllowPath)
                .say(format!(" {} empties it", left.pointer)),
        };
        self.add(
            Rule::NullClear,
            format!("{left} is emptied in the payload, at least in part, and keeps its value"),
            hint,
        );
    }

    /// Reports a stale payload of which nothing is sent.
    pub(super) fn refused(
        &mut self,
        stale: &Stale,
        base_match: &BaseMatch,
        differences: &[Difference<'_>],
        overwritten: &[Overwritten<'_, '_>],
    ) {
        let is_own = |difference: &&Difference<'_>| {
            !overwritten.iter().any(|other| other.difference.pointer == difference.pointer)
        };
        let carried = || differences.iter().filter(|difference| difference.is_carried());
        let own = take(carried().filter(is_own));
        // Only the user can tell which of these values is right, so the hint offers to send all of them.
        let all = match take(carried()) {
            None => Wording::from("there is no field that ").name(Setting::Take).say(" could send"),
            Some(all) => Wording::from("to overwrite all the same: ").append(&all),
        };
        let hint = match (own, base_match) {
            (Some(own), _) => Wording::from("what nobody else changed since can be sent: ").append(&own),
            (None, BaseMatch::None) => {
                let base = Wording::default().name(Setting::Base);
                base.say(" SNAPSHOT tells whose values are newer; ").append(&all)
            }
            (None, BaseMatch::Other(etag)) => of_another_version(etag).say("; ").append(&all),
            (None, BaseMatch::MadeFrom) => all,
        };
        self.list.push(Finding::deny(stale.rule(), self.place, stale.message()).hint(hint));
    }

    /// Reports a stale payload from which the user takes fields by name. The level of the rule is fixed, but
    /// here the user has decided, so the finding only warns.
    pub(super) fn taken(&mut self, stale: &Stale, base_match: &BaseMatch, left: &[Leftover]) {
        let message = match names(left, stale.rule()) {
            Some(names) => format!("{}; not taken: {names}", stale.message()),
            None => stale.message(),
        };
        let finding = Finding::deny(stale.rule(), self.place, message);
        let sent = Wording::from("what ").name(Setting::Take);
        let sent = sent.say(" names is sent, bound to the current eTag");
        let finding = finding.hint(match base_match {
            BaseMatch::Other(etag) => sent.say("; ").append(&of_another_version(etag)),
            BaseMatch::None | BaseMatch::MadeFrom => sent,
        });
        self.list.push(Finding { level: Level::Warn, ..finding });
    }

    /// Reports what the PUT would have overwritten, field by field.
    pub(super) fn overwritten(&mut self, overwritten: &[Overwritten<'_, '_>]) {
        for Overwritten { difference, how } in overwritten {
            let Difference { pointer, given, current, .. } = difference;
            let (now, given) = (shown(*current), shown(Some(given)));
            let message = match how {
                OverwriteKind::PutBack => {
                    format!("{pointer}: the PUT would have put {given} back in place of the newer {now}")
                }
                OverwriteKind::Both => {
                    format!("{pointer}: the PUT would have overwritten {now}, which is newer, with {given}")
                }
                OverwriteKind::Unknown => {
                    format!("{pointer}: the PUT would have overwritten {now} with {given}")
                }
            };
            self.add(Rule::WouldOverwrite, message, "");
        }
    }

    /// Reports suspicious texts among those that are to be sent.
    pub(super) fn suspects(&mut self, wanted: &[&Difference<'_>]) {
        for difference in wanted {
            for Suspicion { rule, message, hint } in
                difference.new_texts().filter_map(|text| suspect::suspicion(&text))
            {
                self.add(rule, format!("{}: {message}", difference.pointer), hint);
            }
        }
    }

    /// Reports that the referral is closed while the payload differs from it.
    pub(super) fn closed(&mut self) {
        let hint = "the service may refuse any edit of it";
        self.add(Rule::ClosedEdit, "the referral is closed".to_owned(), hint);
    }

    /// Reports a difference that was to be sent and is missing from the document: a defect of this program.
    pub(super) fn lost(&mut self, difference: &Difference<'_>) {
        let message = format!("the document fails its proof: it lacks {}", difference.pointer);
        let finding = Finding::deny(Rule::Proof, self.place, message);
        self.list
            .push(finding.hint("nothing was sent; please report this payload and its referral as a defect"));
    }
}

/// The setting that takes each of these fields, ready for a shell; `None` where there are none.
fn take<'d>(differences: impl Iterator<Item = &'d Difference<'d>>) -> Option<Wording> {
    // No shell can be given what `shlex` won't quote.
    let quoted = differences.filter_map(|difference| shlex::try_quote(difference.pointer.as_str()).ok());
    quoted.fold(None, |taken: Option<Wording>, pointer| {
        let before = taken.map_or_else(Wording::default, |taken| taken.say(" "));
        Some(before.name(Setting::Take).say(" ").say(pointer))
    })
}

/// Explains why the base of another version says nothing about a payload.
fn of_another_version(base: &ETag) -> Wording {
    let words = format!(" has the referral at eTag {base}, which the payload was not made from");
    Wording::default().name(Setting::Base).say(words)
}

/// Lists the places of a rule's differences; `None` where there are none.
fn names(left: &[Leftover], rule: Rule) -> Option<String> {
    let names: Vec<String> = left.iter().filter(|left| left.rule == rule).map(Leftover::to_string).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn shown(raw: Option<&RawValue>) -> String {
    raw.map_or_else(|| "nothing".to_owned(), excerpt_json)
}
