//! Decides which verdict a row gets, the audit of a payload without an item, and which findings are a row's
//! own. Pure.

use super::outstanding::{Due, LastAttempt, due};
use crate::domain::account::{Phase, Settled};
use crate::domain::audit::{Audit, Class};
use crate::domain::finding::{Finding, Location};
use crate::domain::outcome::{Outcome, Verdict};

/// The outcome of an item, and who decided it.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    /// Whether planning decided it, before anything was sent.
    pub(super) planned: bool,
    /// The item's outcome, and why.
    pub(super) settled: Settled,
}

/// Returns the verdict of a row: its own, else its item's, else the one that follows from the run's phase.
///
/// A reader can't tell a run that is being sent from one that stopped: both are [`Phase::Stopped`],
/// and an attempt without a result is `unknown` in both.
pub(super) fn verdict(
    own: Option<Verdict>,
    item: Option<&Resolved>,
    findings: &[Finding],
    place: Location,
    phase: Phase,
    last: LastAttempt,
) -> Verdict {
    if let Some(own) = own {
        return own;
    }
    if let Some(Resolved { planned, settled: Settled { verdict, .. } }) = item {
        let invalid = *planned && verdict.outcome == Outcome::Invalid;
        let own = || findings.iter().filter(|finding| finding.is_deny() && on_line(finding, place));
        return if invalid && own().next().is_some() { Verdict::invalid(own()) } else { verdict.clone() };
    }
    let (outcome, code, message) = match (phase, due(last)) {
        (Phase::Planning, _) => (Outcome::Unsent, "not-planned", "planning stopped before it came this far"),
        (Phase::Planned, _) => (Outcome::Planned, "planned", ""),
        (Phase::Stopped | Phase::Finished, Due::Settle | Due::Recheck) => {
            let message = match last {
                LastAttempt::Ended(_) => "it was sent, and its answer leaves open whether it was applied",
                LastAttempt::Never | LastAttempt::Open => "it was sent and its answer is not on record",
                LastAttempt::Lost => "the ledger's last records are lost, and this change may have been sent",
            };
            (Outcome::Unknown, "in-doubt", message)
        }
        (Phase::Stopped | Phase::Finished, Due::Confirm) => {
            let message =
                "the service said yes without showing it, and the run stopped before that was confirmed";
            (Outcome::Unknown, "unconfirmed", message)
        }
        (Phase::Stopped | Phase::Finished, Due::Send) if last != LastAttempt::Never => {
            (Outcome::Unsent, "unsent", "no attempt was applied, and the run stopped before the next")
        }
        (Phase::Stopped | Phase::Finished, Due::Send) => {
            (Outcome::Unsent, "unsent", "the run stopped before it was sent")
        }
    };
    Verdict::new(outcome, code, message)
}

/// Returns the audit of a payload that has no item: either it has a verdict of its own, or planning did not
/// come as far as comparing it.
pub(super) fn audit(has_verdict: bool) -> Audit {
    Audit::uncompared(if has_verdict { Class::Invalid } else { Class::NotCompared })
}

/// Returns the findings of a row: its own, and those of its item that are about the row's line.
///
/// A finding about the item as a whole has the place where the item's first row begins, and goes to every
/// row.
pub(super) fn findings(
    own: Vec<Finding>,
    item: Vec<Finding>,
    place: Location,
    first: Option<Location>,
) -> Vec<Finding> {
    let mut all = own;
    for finding in item {
        if (on_line(&finding, place) || Some(finding.place) == first) && !all.contains(&finding) {
            all.push(finding);
        }
    }
    all
}

fn on_line(finding: &Finding, place: Location) -> bool {
    (finding.place.input, finding.place.line) == (place.input, place.line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::AttemptResult;
    use crate::domain::level::Level;
    use crate::domain::rules::Rule;

    fn place(input: u32, line: u64, column: u32) -> Location {
        Location { input, line, column }
    }

    fn came(planned: bool, outcome: Outcome) -> Option<Resolved> {
        let verdict = Verdict::new(outcome, "item", "of the item");
        let at = jiff::Timestamp::UNIX_EPOCH;
        Some(Resolved { planned, settled: Settled { verdict, etag: None, theirs: None, at } })
    }

    #[test]
    fn a_row_is_booked_once() {
        use Outcome::{Applied, Conflict, Invalid, Planned, Refused, Unknown, Unsent};
        let own = Some(Verdict::new(Invalid, "own", "of the row"));
        for (own, item, phase, last, outcome, code) in [
            (own.clone(), None, Phase::Planned, LastAttempt::Never, Invalid, "own"),
            (own, came(true, Conflict), Phase::Stopped, LastAttempt::Open, Invalid, "own"),
            (None, came(true, Conflict), Phase::Planned, LastAttempt::Never, Conflict, "item"),
            (None, came(false, Applied), Phase::Stopped, LastAttempt::Open, Applied, "item"),
            (None, came(false, Refused), Phase::Finished, LastAttempt::Never, Refused, "item"),
            (None, came(true, Invalid), Phase::Planning, LastAttempt::Never, Invalid, "contradiction"),
            (None, came(false, Invalid), Phase::Stopped, LastAttempt::Never, Invalid, "item"),
            (None, None, Phase::Planning, LastAttempt::Never, Unsent, "not-planned"),
            (None, None, Phase::Planned, LastAttempt::Never, Planned, "planned"),
            (None, None, Phase::Stopped, LastAttempt::Never, Unsent, "unsent"),
            (None, None, Phase::Stopped, LastAttempt::Ended(AttemptResult::Throttled), Unsent, "unsent"),
            (None, None, Phase::Stopped, LastAttempt::Open, Unknown, "in-doubt"),
            (None, None, Phase::Stopped, LastAttempt::Ended(AttemptResult::Mismatched), Unknown, "in-doubt"),
            (None, None, Phase::Stopped, LastAttempt::Ended(AttemptResult::Answered), Unknown, "unconfirmed"),
            (None, None, Phase::Stopped, LastAttempt::Lost, Unknown, "in-doubt"),
            (None, came(false, Applied), Phase::Stopped, LastAttempt::Lost, Applied, "item"),
        ] {
            let findings = [
                Finding::deny(Rule::Contradiction, place(1, 2, 1), "another input"),
                Finding {
                    level: Level::Warn,
                    ..Finding::deny(Rule::EarlyWin, place(0, 2, 1), "only a warning")
                },
                Finding::deny(Rule::Contradiction, place(0, 2, 3), "line 5 says something else")
                    .hint("keep one"),
                Finding::deny(Rule::Contradiction, place(0, 5, 3), "line 2 says something else"),
            ];
            let told = format!("{own:?} {item:?} {phase:?} {last:?}");
            let got = verdict(own, item.as_ref(), &findings, place(0, 2, 1), phase, last);
            assert_eq!((got.outcome, got.code.as_str()), (outcome, code), "{told}");
            if code == "contradiction" {
                assert_eq!(got.message.as_str(), "line 5 says something else; keep one");
            }
        }
    }

    #[test]
    fn findings_go_to_the_row_they_are_about() {
        let first = place(0, 2, 1);
        let about = |line, column| Finding::deny(Rule::Type, place(0, line, column), "x");
        let item = vec![about(2, 1), about(2, 4), about(5, 4)];
        for (own, line, wanted) in [
            (vec![], 2, vec![about(2, 1), about(2, 4)]),
            (vec![about(5, 4)], 5, vec![about(5, 4), about(2, 1)]),
            (vec![about(9, 2)], 9, vec![about(9, 2), about(2, 1)]),
        ] {
            assert_eq!(findings(own, item.clone(), place(0, line, 1), Some(first)), wanted, "{line}");
        }
    }
}
