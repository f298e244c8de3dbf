//! The verdict: in plain words what happened, or would happen, with the outcomes as a bar.
//!
//! Every word of it has to be true. Closings count where the service confirmed them; what is in doubt is said to be.
//! One or two kinds of trouble are named in the headline; more are summed there and named beneath.

use askama::Template;

use super::super::format::{counted, grouped};
use super::super::summary::{Referrals, Rows};
use super::bar::bar;
use super::facts::PageFacts;
use super::kind::Kind;
use super::sent::SentSoFar;
use super::words::{
    by_number, capital, is_good, listed, meaning, named, no_rows, outcomes_of, rows_of, to_the_minute,
    uncapital,
};
use crate::domain::account::Phase;
use crate::domain::outcome::Outcome;
use crate::domain::run_spec::StateSource;

/// The verdict on a run.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The headline as plain text.
    pub(super) headline: String,
    /// The section.
    pub(super) html: String,
}

#[derive(Template)]
#[template(path = "verdict.html", config = "src/report/html/askama.toml")]
struct Section<'a> {
    eyebrow: String,
    headline: &'a str,
    lede: Vec<Sentence>,
    bar: Option<String>,
    legend: Vec<LegendItem>,
    none: String,
}

/// A sentence beneath the headline.
struct Sentence {
    text: String,
    is_bold: bool,
}

/// An outcome that rows have.
struct LegendItem {
    name: &'static str,
    rows: String,
    meaning: String,
}

/// Returns the verdict on a run.
///
/// # Errors
/// Where a template can't be rendered, which is a defect.
pub(super) fn verdict(facts: &PageFacts<'_>, sent: &SentSoFar) -> Result<Verdict, askama::Error> {
    let telling = Telling::of(facts, sent);
    let headline = telling.headline();
    let section = Section {
        eyebrow: telling.eyebrow(),
        headline: &headline,
        lede: telling.lede(),
        bar: bar(telling.rows)?,
        legend: telling.legend(),
        none: telling.none(),
    };
    let html = section.render()?;
    Ok(Verdict { headline, html })
}

/// A run that is told of.
struct Telling<'a> {
    facts: &'a PageFacts<'a>,
    sent: &'a SentSoFar,
    rows: &'a Rows,
    /// The outcomes that need a look, with their rows. What was only not sent yet is none.
    troubles: Vec<(Outcome, u64)>,
    /// The rows that need a look.
    trouble: u64,
    /// The referrals that the plan changes and closes.
    to_change: u64,
    to_close: u64,
}

impl<'a> Telling<'a> {
    fn of(facts: &'a PageFacts<'a>, sent: &'a SentSoFar) -> Self {
        let rows = &facts.summary.rows;
        let needs_look = |(outcome, _): &(Outcome, u64)| !is_good(*outcome) && *outcome != Outcome::Unsent;
        let troubles: Vec<_> = outcomes_of(rows).into_iter().filter(needs_look).collect();
        let trouble = troubles.iter().map(|(_, rows)| rows).sum();
        // Without a whole plan, nothing was sent either.
        let Referrals { to_change, to_close, .. } = facts.summary.referrals;
        let (to_change, to_close) = (to_change.unwrap_or(0), to_close.unwrap_or(0));
        Self { facts, sent, rows, troubles, trouble, to_change, to_close }
    }

    /// Returns a number of rows as their kind of input calls them.
    fn counted(&self, rows: u64) -> String {
        counted(rows, if self.facts.spec.asked.migrating.is_some() { "payload" } else { "row" })
    }

    fn eyebrow(&self) -> String {
        let PageFacts { spec, phase, .. } = self.facts;
        let command = self.facts.texts.plain(&spec.command);
        let created = to_the_minute(spec.created);
        let of =
            |what: &str| if spec.is_rehearsal() { format!("{what} of a rehearsal") } else { what.to_owned() };
        match (phase, self.sent.times()) {
            (Phase::Planning, _) => format!("{} of {command}, begun on {created}", of("Plan")),
            (Phase::Planned, _) => format!("{} of {command}, made on {created}", of("Plan")),
            (Phase::Finished, Some((_, last))) => {
                format!("{} of {command}, finished on {}", of("Report"), to_the_minute(last))
            }
            (Phase::Finished, None) => format!("{} of {command}, planned on {created}", of("Report")),
            (Phase::Stopped, Some((_, last))) => {
                format!("{} of {command}, unfinished; last result on {}", of("Report"), to_the_minute(last))
            }
            (Phase::Stopped, None) => {
                format!("{} of {command}, unfinished; planned on {created}", of("Report"))
            }
        }
    }

    fn headline(&self) -> String {
        let told = self.without_rehearsal();
        if !self.facts.spec.is_rehearsal() {
            return told;
        }
        match told.strip_prefix("Unfinished: ") {
            Some(told) => format!("Rehearsal, unfinished: {told}"),
            None => format!("Rehearsal: {}", uncapital(&told)),
        }
    }

    /// Returns the headline, but for the word that it is of a rehearsal.
    fn without_rehearsal(&self) -> String {
        match self.facts.phase {
            Phase::Planning => "Planning is unfinished; nothing has been sent.".to_owned(),
            _ if self.rows.total == 0 => no_rows(self.facts.summary),
            Phase::Planned => self.would(),
            Phase::Stopped => {
                let unsent = (self.rows.unsent > 0).then(|| {
                    format!(
                        "{} {} not sent",
                        self.counted(self.rows.unsent),
                        by_number(self.rows.unsent, "is", "are")
                    )
                });
                let rest: Vec<String> = unsent.into_iter().chain(self.to_look_at()).collect();
                let rest = if rest.is_empty() { String::new() } else { format!("; {}", rest.join(", and ")) };
                format!("Unfinished: {}{rest}.", self.done())
            }
            Phase::Finished => {
                let look = self.to_look_at().map(|look| format!("; {look}")).unwrap_or_default();
                format!("{}{look}.", capital(&self.done()))
            }
        }
    }

    /// Returns what a plan would do, as a sentence.
    fn would(&self) -> String {
        let Self { to_change, to_close, .. } = *self;
        let change = counted(to_change, "referral");
        let becomes = if self.is_unseen() { "be written" } else { "change" };
        let would = match (to_change, to_close) {
            (0, _) if self.trouble == 0 => {
                let verb = by_number(self.rows.total, "is", "are");
                return format!("Nothing would change: {} {verb} as wanted already.", self.all());
            }
            (0, _) => "Nothing would change".to_owned(),
            (_, 0) => format!("{change} would {becomes}"),
            (all, closing) if all == closing => format!("{change} would be closed for good"),
            (_, closing) => {
                format!("{change} would {becomes}, and {} of them would be closed for good", grouped(closing))
            }
        };
        let held_back = match self.trouble {
            0 => String::new(),
            rows => format!("; {} {} held back", self.counted(rows), by_number(rows, "is", "are")),
        };
        format!("{would}{held_back}.")
    }

    /// Whether the plan was made without a look at any referral.
    fn is_unseen(&self) -> bool {
        self.facts.spec.asked.state == StateSource::None
    }

    /// Returns what was done to referrals, as the beginning of a sentence.
    fn done(&self) -> String {
        let Self { to_change, to_close, .. } = *self;
        let Referrals { changed, closed, .. } = self.facts.summary.referrals;
        let of = |done: u64, planned: u64| {
            if done == planned {
                counted(done, "referral")
            } else {
                format!("{} of {}", grouped(done), counted(planned, "referral"))
            }
        };
        let more = changed.saturating_sub(closed);
        match (to_change, to_close) {
            (0, _) if self.trouble == 0 && self.rows.unsent == 0 => {
                let verb = by_number(self.rows.total, "is", "are");
                format!("nothing was to be changed: {} {verb} as wanted already", self.all())
            }
            (0, _) => "nothing was changed".to_owned(),
            (all, 0) => {
                let least = if self.rows.unknown > 0 { "at least " } else { "" };
                format!("{least}{} changed", of(changed, all))
            }
            (_, closings) => {
                if self.sent.closings_in_doubt > 0 {
                    let more = if more > 0 {
                        format!(", and {} changed otherwise", counted(more, "referral"))
                    } else {
                        String::new()
                    };
                    let went =
                        format!("{} of {} went through", grouped(closed), counted(closings, "closing"));
                    return format!("at least {went}{more}");
                }
                let more =
                    if more > 0 { format!(" and {} more changed", grouped(more)) } else { String::new() };
                format!("{} closed{more}", of(closed, closings))
            }
        }
    }

    /// Returns the rows that need a look, as a part of a sentence; `None` where there are none.
    fn to_look_at(&self) -> Option<String> {
        let what = match self.troubles.len() {
            0 => return None,
            1 | 2 => self.named(),
            _ => self.counted(self.trouble),
        };
        Some(format!("{what} {} a look", by_number(self.trouble, "needs", "need")))
    }

    /// Returns the kinds of trouble with their numbers.
    fn named(&self) -> String {
        listed(&self.troubles.iter().map(|(outcome, rows)| named(*outcome, *rows)).collect::<Vec<_>>())
    }

    /// Returns all rows, as the subject of a sentence.
    fn all(&self) -> String {
        match self.rows.total {
            1 => format!("the one {}", self.counted(1).trim_start_matches("1 ")),
            rows => format!("all {}", self.counted(rows)),
        }
    }

    fn lede(&self) -> Vec<Sentence> {
        let plain = |text: String| Sentence { text, is_bold: false };
        let bold = |text: &str| Sentence { text: text.to_owned(), is_bold: true };
        let is_rehearsal = self.facts.spec.is_rehearsal();
        let mut lede = Vec::new();
        match self.facts.phase {
            Phase::Planning => {
                lede.push(plain(format!(
                    "What is told here is of the {} that were taken in; the plan is made anew when the run is resumed.",
                    self.counted(self.rows.total)
                )));
            }
            Phase::Planned => {
                lede.push(bold("Nothing has been sent."));
                if self.is_unseen() && self.to_change > 0 {
                    lede.push(plain(
                        "No referral was read: which of them would change is not known, nor what others have \
                         edited meanwhile."
                            .to_owned(),
                    ));
                }
                if is_rehearsal {
                    lede.push(plain(
                        "Carried out, it is a rehearsal in the sandbox: nothing at Partner Center changes."
                            .to_owned(),
                    ));
                } else if self.to_close > 0 {
                    lede.push(plain("Closing cannot be undone.".to_owned()));
                }
                if self.trouble > 0 {
                    lede.push(plain(format!(
                        "Held back {} {}.",
                        by_number(self.trouble, "is", "are"),
                        self.named()
                    )));
                }
                if self.rows.unchanged > 0 && (self.to_change > 0 || self.trouble > 0) {
                    let verb = by_number(self.rows.unchanged, "is", "are");
                    lede.push(plain(format!(
                        "{} {verb} as wanted already.",
                        self.counted(self.rows.unchanged)
                    )));
                }
            }
            Phase::Stopped | Phase::Finished => {
                if is_rehearsal {
                    lede.push(bold(
                        "This was a rehearsal in the sandbox: nothing at Partner Center was changed.",
                    ));
                }
                lede.extend(self.what_became().into_iter().map(plain));
            }
        }
        lede
    }

    /// Returns what became of the rows of a run, sentence by sentence.
    fn what_became(&self) -> Vec<String> {
        let Rows { total, applied, unchanged, unsent, .. } = *self.rows;
        let mut told = Vec::new();
        if self.troubles.len() > 2 {
            told.push(format!("To look at: {}.", self.named()));
        }
        let others = total - self.trouble - unsent;
        let who = match (others, others == total) {
            (_, true) => capital(&self.all()),
            (1, false) => format!("The other {}", self.counted(1).trim_start_matches("1 ")),
            (_, false) => format!("The other {}", self.counted(others)),
        };
        let was = by_number(others, "was", "were");
        match (applied, unchanged) {
            (0, 0) => {}
            (_, 0) => told.push(format!("{who} {was} applied.")),
            (0, _) if self.to_change == 0 && others == total => {}
            (0, _) => told.push(format!("{who} already {was} as wanted.")),
            _ => told.push(format!("{who} {was} applied or already {was} as wanted.")),
        }
        if self.to_change == 0 {
            told.push("No change was sent.".to_owned());
        }
        if self.facts.summary.kept_otherwise > 0 {
            let rows = self.counted(self.facts.summary.kept_otherwise);
            told.push(format!(
                "Of {rows} that {} applied, the service keeps a value in another form.",
                by_number(self.facts.summary.kept_otherwise, "was", "were")
            ));
        }
        if self.sent.closings_in_doubt > 0 {
            let closings = counted(self.sent.closings_in_doubt, "closing");
            told.push(format!("Whether {closings} went through is not known."));
        }
        if self.facts.phase == Phase::Stopped && unsent == 0 {
            told.push(
                "Every row was sent or needed no sending, and yet the run did not come to its end."
                    .to_owned(),
            );
        }
        told
    }

    fn legend(&self) -> Vec<LegendItem> {
        let item = |(outcome, rows): (Outcome, u64)| LegendItem {
            name: outcome.name(),
            rows: grouped(rows),
            meaning: self.meaning(outcome),
        };
        outcomes_of(self.rows).into_iter().map(item).collect()
    }

    /// Returns what an outcome means here: of a plan, nothing was done yet.
    fn meaning(&self, outcome: Outcome) -> String {
        let is_plan = Kind::of(self.facts.phase) == Kind::Plan;
        match outcome {
            Outcome::Planned if self.to_close > 0 => {
                let closing = by_number(self.to_close, "is", "are");
                format!(
                    "{}; {} {closing} closed for good",
                    meaning(outcome),
                    counted(self.to_close, "referral")
                )
            }
            Outcome::Conflict if is_plan => "changed by others; left alone".to_owned(),
            Outcome::Invalid if is_plan => "a rule or its form; left alone".to_owned(),
            outcome => meaning(outcome).to_owned(),
        }
    }

    /// Returns the outcomes of a run that no row has.
    fn none(&self) -> String {
        if Kind::of(self.facts.phase) == Kind::Plan || self.rows.total == 0 {
            return String::new();
        }
        let none = Outcome::ALL.into_iter().filter(|outcome| rows_of(self.rows, *outcome) == 0);
        let none = none.filter(|outcome| *outcome != Outcome::Planned).map(Outcome::name);
        none.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Facts, full};
    use super::*;
    use crate::domain::item::Effect;

    use Outcome::{
        Applied, Conflict, Failed, Invalid, Partial, Planned, Refused, Unchanged, Unknown, Unsent,
    };

    /// Counts of referrals: to change, to close, changed, closed.
    fn facts(phase: Phase, counts: &[(Outcome, u64)], [change, close, changed, closed]: [u64; 4]) -> Facts {
        let mut facts = Facts::of(phase).with(counts);
        let planned = (phase != Phase::Planning).then_some((change, close));
        facts.summary.referrals = Referrals {
            total: facts.summary.rows.total,
            to_change: planned.map(|(change, _)| change),
            to_close: planned.map(|(_, close)| close),
            changed,
            closed,
        };
        facts
    }

    /// Headline and lede.
    fn told(facts: &Facts, sent: &SentSoFar) -> String {
        let facts = facts.facts();
        let telling = Telling::of(&facts, sent);
        let lede: Vec<String> = telling.lede().into_iter().map(|sentence| sentence.text).collect();
        format!("{}\n{}", telling.headline(), lede.join(" "))
    }

    #[test]
    fn what_became_of_a_run_is_told_as_it_is() {
        for (phase, counts, referrals, wanted) in [
            (
                Phase::Finished,
                &[(Applied, 846), (Unchanged, 31), (Conflict, 9), (Invalid, 22), (Refused, 6), (Unknown, 4)]
                    [..],
                [860, 624, 846, 610],
                "610 of 624 referrals closed and 236 more changed; 41 rows need a look.\nTo look at: 9 conflicts, 22 \
                 invalid rows, 6 refusals and 4 unknown. The other 877 rows were applied or already were as wanted.",
            ),
            (
                Phase::Finished,
                &[(Applied, 12), (Conflict, 1)],
                [13, 13, 12, 12],
                "12 of 13 referrals closed; 1 conflict needs a look.\nThe other 12 rows were applied.",
            ),
            (
                Phase::Finished,
                &[(Applied, 1), (Conflict, 1), (Failed, 2)],
                [4, 0, 1, 0],
                "1 of 4 referrals changed; 1 conflict and 2 failures need a look.\nThe other row was applied.",
            ),
            (
                Phase::Finished,
                &[(Applied, 12)],
                [12, 12, 12, 12],
                "12 referrals closed.\nAll 12 rows were applied.",
            ),
            (Phase::Finished, &[(Applied, 1)], [1, 1, 1, 1], "1 referral closed.\nThe one row was applied."),
            (
                Phase::Finished,
                &[(Applied, 9), (Unchanged, 1)],
                [9, 0, 9, 0],
                "9 referrals changed.\nAll 10 rows were applied or already were as wanted.",
            ),
            (
                Phase::Finished,
                &[(Applied, 1), (Unknown, 1)],
                [2, 0, 1, 0],
                "At least 1 of 2 referrals changed; 1 unknown needs a look.\nThe other row was applied.",
            ),
            (
                Phase::Finished,
                &[(Unchanged, 31)],
                [0, 0, 0, 0],
                "Nothing was to be changed: all 31 rows are as wanted already.\nNo change was sent.",
            ),
            (
                Phase::Finished,
                &[(Unchanged, 1)],
                [0, 0, 0, 0],
                "Nothing was to be changed: the one row is as wanted already.\nNo change was sent.",
            ),
            (
                Phase::Finished,
                &[(Unchanged, 2), (Invalid, 1)],
                [0, 0, 0, 0],
                "Nothing was changed; 1 invalid row needs a look.\nThe other 2 rows already were as wanted. No change was sent.",
            ),
            (
                Phase::Finished,
                &[(Invalid, 3)],
                [0, 0, 0, 0],
                "Nothing was changed; 3 invalid rows need a look.\nNo change was sent.",
            ),
            (
                Phase::Finished,
                &[(Refused, 3)],
                [3, 3, 0, 0],
                "0 of 3 referrals closed; 3 refusals need a look.\n",
            ),
            (Phase::Finished, &[], [0, 0, 0, 0], "The input has no rows.\nNo change was sent."),
            (
                Phase::Stopped,
                &[(Applied, 400), (Unsent, 100)],
                [500, 300, 400, 250],
                "Unfinished: 250 of 300 referrals closed and 150 more changed; 100 rows are not sent.\nThe other 400 rows \
                 were applied.",
            ),
            (
                Phase::Stopped,
                &[(Unsent, 1), (Partial, 1), (Conflict, 1), (Invalid, 1)],
                [3, 0, 1, 0],
                "Unfinished: 1 of 3 referrals changed; 1 row is not sent, and 3 rows need a look.\nTo look at: 1 conflict, \
                 1 invalid row and 1 partly taken.",
            ),
            (
                Phase::Stopped,
                &[(Unsent, 7)],
                [7, 7, 0, 0],
                "Unfinished: 0 of 7 referrals closed; 7 rows are not sent.\n",
            ),
            (
                Phase::Stopped,
                &[(Applied, 7)],
                [7, 0, 7, 0],
                "Unfinished: 7 referrals changed.\nAll 7 rows were applied. Every row was sent or needed no sending, and \
                 yet the run did not come to its end.",
            ),
        ] {
            assert_eq!(
                told(&facts(phase, counts, referrals), &SentSoFar::default()),
                wanted,
                "{phase:?} {counts:?}"
            );
        }
    }

    #[test]
    fn what_a_plan_would_do_is_told_as_it_is() {
        for (phase, counts, referrals, wanted) in [
            (
                Phase::Planned,
                &[(Planned, 596), (Unchanged, 187), (Conflict, 58), (Invalid, 56), (Refused, 3)][..],
                [596, 214],
                "596 referrals would change, and 214 of them would be closed for good; 117 rows are held back.\nNothing \
                 has been sent. Closing cannot be undone. Held back are 58 conflicts, 56 invalid rows and 3 refusals. \
                 187 rows are as wanted already.",
            ),
            (
                Phase::Planned,
                &[(Planned, 2), (Invalid, 1)],
                [2, 2],
                "2 referrals would be closed for good; 1 row is held back.\nNothing has been sent. Closing cannot be \
                 undone. Held back is 1 invalid row.",
            ),
            (Phase::Planned, &[(Planned, 1)], [1, 0], "1 referral would change.\nNothing has been sent."),
            (
                Phase::Planned,
                &[(Unchanged, 5)],
                [0, 0],
                "Nothing would change: all 5 rows are as wanted already.\nNothing has been sent.",
            ),
            (
                Phase::Planned,
                &[(Unchanged, 1), (Invalid, 2)],
                [0, 0],
                "Nothing would change; 2 rows are held back.\nNothing has been sent. Held back are 2 invalid rows. 1 row \
                 is as wanted already.",
            ),
            (Phase::Planned, &[], [0, 0], "The input has no rows.\nNothing has been sent."),
            (
                Phase::Planning,
                &[(Unsent, 40), (Invalid, 2)],
                [0, 0],
                "Planning is unfinished; nothing has been sent.\nWhat is told here is of the 42 rows that were taken \
                 in; the plan is made anew when the run is resumed.",
            ),
        ] {
            let [change, close] = referrals;
            let facts = facts(phase, counts, [change, close, 0, 0]);
            assert_eq!(told(&facts, &SentSoFar::default()), wanted, "{phase:?} {counts:?}");
        }
    }

    #[test]
    fn closings_that_are_in_doubt_are_not_called_open() {
        let mut sent = SentSoFar::default();
        sent.add(&full(1, Unknown, Some(Effect::OneWay)));
        let facts = facts(Phase::Finished, &[(Applied, 2), (Unknown, 1)], [3, 3, 2, 2]);
        assert_eq!(
            told(&facts, &sent),
            "At least 2 of 3 closings went through; 1 unknown needs a look.\nThe other 2 rows were applied. Whether 1 \
             closing went through is not known."
        );
    }

    #[test]
    fn a_rehearsal_is_told_to_be_one() {
        for (phase, counts, wanted, eyebrow) in [
            (
                Phase::Planned,
                &[(Planned, 2)][..],
                "Rehearsal: 2 referrals would be closed for good.\nNothing has been sent. Carried out, it is a rehearsal in the \
                 sandbox: nothing at Partner Center changes.",
                "Plan of a rehearsal of apply, made on 31 December 2026, 14:31 UTC",
            ),
            (
                Phase::Finished,
                &[(Applied, 2)],
                "Rehearsal: 2 referrals closed.\nThis was a rehearsal in the sandbox: nothing at Partner Center was changed. All 2 \
                 rows were applied.",
                "Report of a rehearsal of apply, planned on 31 December 2026, 14:31 UTC",
            ),
        ] {
            let changed = if phase == Phase::Planned { 0 } else { 2 };
            let mut facts = facts(phase, counts, [2, 2, changed, changed]);
            for target in ["sandbox", "sandbox=seed.jsonl"] {
                facts.spec.target = target.to_owned();
                assert_eq!(told(&facts, &SentSoFar::default()), wanted);
                assert_eq!(Telling::of(&facts.facts(), &SentSoFar::default()).eyebrow(), eyebrow);
            }
        }
    }

    #[test]
    fn a_stopped_rehearsal_begins_with_being_one() {
        for (phase, counts, wanted) in [
            (
                Phase::Stopped,
                &[(Applied, 1), (Unsent, 1)][..],
                "Rehearsal, unfinished: 1 of 2 referrals changed; 1 row is not sent.",
            ),
            (Phase::Planned, &[], "Rehearsal: the input has no rows."),
            (Phase::Planning, &[(Unsent, 1)], "Rehearsal: planning is unfinished; nothing has been sent."),
        ] {
            let mut facts = facts(phase, counts, [2, 0, 1, 0]);
            facts.spec.target = "sandbox".to_owned();
            assert_eq!(Telling::of(&facts.facts(), &SentSoFar::default()).headline(), wanted);
        }
    }

    #[test]
    fn a_plan_that_read_nothing_says_so() {
        let mut facts = facts(Phase::Planned, &[(Planned, 3)], [3, 1, 0, 0]);
        facts.spec.asked.state = StateSource::None;
        assert_eq!(
            told(&facts, &SentSoFar::default()),
            "3 referrals would be written, and 1 of them would be closed for good.\nNothing has been sent. No referral \
             was read: which of them would change is not known, nor what others have edited meanwhile. Closing cannot \
             be undone."
        );
    }

    #[test]
    fn the_eyebrow_says_when() {
        let mut sent = SentSoFar::default();
        let mut row = full(1, Applied, None);
        row.account.first_sent = Some("2026-12-31T15:02:11Z".parse().unwrap());
        row.account.at = Some("2026-12-31T15:07:28Z".parse().unwrap());
        sent.add(&row);
        for (phase, sent, wanted) in [
            (Phase::Planning, SentSoFar::default(), "Plan of apply, begun on 31 December 2026, 14:31 UTC"),
            (Phase::Planned, SentSoFar::default(), "Plan of apply, made on 31 December 2026, 14:31 UTC"),
            (Phase::Finished, sent, "Report of apply, finished on 31 December 2026, 15:07 UTC"),
            (
                Phase::Finished,
                SentSoFar::default(),
                "Report of apply, planned on 31 December 2026, 14:31 UTC",
            ),
            (Phase::Stopped, sent, "Report of apply, unfinished; last result on 31 December 2026, 15:07 UTC"),
            (
                Phase::Stopped,
                SentSoFar::default(),
                "Report of apply, unfinished; planned on 31 December 2026, 14:31 UTC",
            ),
        ] {
            assert_eq!(Telling::of(&Facts::of(phase).facts(), &sent).eyebrow(), wanted, "{phase:?}");
        }
    }

    /// Whatever the rows come to, every number of the section is one of the run's own.
    #[test]
    fn every_mixture_of_outcomes_is_told_in_whole_sentences() {
        for phase in [Phase::Planning, Phase::Planned, Phase::Stopped, Phase::Finished] {
            for mixture in 0_u64..1 << Outcome::ALL.len() {
                let has = |at: usize| u64::from(mixture >> at & 1 == 1) * (at as u64 + 1);
                let counts: Vec<_> =
                    Outcome::ALL.into_iter().enumerate().map(|(at, outcome)| (outcome, has(at))).collect();
                let facts = facts(phase, &counts, [mixture % 5, mixture % 3, mixture % 5, mixture % 3]);
                let told = told(&facts, &SentSoFar::default());
                assert!(!told.contains("  ") && !told.contains(" ."), "{told}");
                for sentence in told.lines().filter(|line| !line.is_empty()) {
                    assert!(
                        sentence.ends_with('.')
                            && sentence.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()),
                        "{told}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_run_with_one_conflict() {
        let facts = facts(Phase::Finished, &[(Applied, 3), (Conflict, 1)], [4, 2, 3, 2]);
        let verdict = verdict(&facts.facts(), &SentSoFar::default()).unwrap();
        assert_eq!(verdict.headline, "2 referrals closed and 1 more changed; 1 conflict needs a look.");
        insta::assert_snapshot!(verdict.html, @r##"
        <section class="verdict" aria-labelledby="verdict">
        <p class="eyebrow">Report of apply, planned on 31 December 2026, 14:31 UTC</p><h1 id="verdict">2 referrals closed and 1 more changed; 1 conflict needs a look.</h1><p class="lede">The other 3 rows were applied.</p>
        <svg class="bar" role="img" aria-label="Outcomes of 4 rows: 3 applied and 1 conflict." height="76"><rect class="fill o-applied" data-filter="outcome:applied" x="0.000%" width="75.000%" height="16"><title>3 applied</title></rect><rect class="fill o-conflict" data-filter="outcome:conflict" x="75.000%" width="25.000%" height="16"><title>1 conflict</title></rect><svg y="18" width="100%" height="18" viewBox="0 0 100 18" preserveAspectRatio="none"><path class="wedge" d="M75.000 0H100V18H0z"/></svg><svg class="o-conflict" data-filter="outcome:conflict" x="0.000%" y="36" width="100.000%" height="40"><title>1 conflict</title>
        <rect class="tint" width="100%" height="40"/><rect class="edge" width="100%" height="3"/><use class="glyph" href="#g-conflict" x="11" y="14" width="15" height="15"/><text x="34" y="27">1</text></svg></svg><ul class="legend"><li class="o-applied"><a href="#rows" data-filter="outcome:applied"><svg class="g" aria-hidden="true"><use href="#g-applied"/></svg><b>3</b><span>applied</span><small>written, and confirmed</small></a></li>
        <li class="o-conflict"><a href="#rows" data-filter="outcome:conflict"><svg class="g" aria-hidden="true"><use href="#g-conflict"/></svg><b>1</b><span>conflict</span><small>changed by others; nothing overwritten</small></a></li>
        </ul><p class="none">None of them: unchanged, invalid, refused, failed, partial, unknown, unsent.</p></section>
        "##);
    }

    #[test]
    fn a_plan_of_payloads() {
        let mut facts = facts(Phase::Planned, &[(Planned, 2), (Conflict, 1)], [2, 1, 0, 0]);
        facts.spec.asked.migrating =
            Some(crate::domain::run_spec::Migrating { take: Default::default(), base: None, patches: None });
        let verdict = verdict(&facts.facts(), &SentSoFar::default()).unwrap();
        insta::assert_snapshot!(verdict.html, @r##"
        <section class="verdict" aria-labelledby="verdict">
        <p class="eyebrow">Plan of apply, made on 31 December 2026, 14:31 UTC</p><h1 id="verdict">2 referrals would change, and 1 of them would be closed for good; 1 payload is held back.</h1><p class="lede"><b>Nothing has been sent.</b> Closing cannot be undone. Held back is 1 conflict.</p>
        <svg class="bar" role="img" aria-label="Outcomes of 3 rows: 2 planned and 1 conflict." height="16"><rect class="fill o-planned" data-filter="outcome:planned" x="0.000%" width="66.666%" height="16"><title>2 planned</title></rect><rect class="fill o-conflict" data-filter="outcome:conflict" x="66.666%" width="33.334%" height="16"><title>1 conflict</title></rect></svg><ul class="legend"><li class="o-planned"><a href="#rows" data-filter="outcome:planned"><svg class="g" aria-hidden="true"><use href="#g-planned"/></svg><b>2</b><span>planned</span><small>would be written; 1 referral is closed for good</small></a></li>
        <li class="o-conflict"><a href="#rows" data-filter="outcome:conflict"><svg class="g" aria-hidden="true"><use href="#g-conflict"/></svg><b>1</b><span>conflict</span><small>changed by others; left alone</small></a></li>
        </ul></section>
        "##);
    }
}
