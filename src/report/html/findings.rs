//! The findings of a run by rule: how many rows each is about, what it means, and where the first is.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use askama::Template;

use super::facts::PageFacts;
use crate::domain::account::FullRow;
use crate::domain::finding::{Finding, Location};
use crate::domain::rules::Rule;
use crate::report::format::grouped;
use crate::report::names::InputNames;

/// The findings of a run. They grow with the number of rules, not of rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    found: BTreeMap<(Level, Rule), Found>,
}

/// What a finding leads to. What keeps a row from being sent is told first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Denied,
    Warned,
}

impl Level {
    fn of(finding: &Finding) -> Self {
        if finding.is_deny() { Self::Denied } else { Self::Warned }
    }
}

/// The rows that one rule has something to say of.
#[derive(Debug, Clone, Copy)]
struct Found {
    rows: u64,
    first: Location,
}

impl Findings {
    /// Adds the next row of the run. Of a rule that says several things of it, it counts once.
    pub(super) fn add(&mut self, row: &FullRow) {
        let findings = &row.account.findings;
        let matter = |finding: &Finding| (Level::of(finding), finding.rule);
        for (at, finding) in findings.iter().enumerate() {
            if findings[..at].iter().any(|earlier| matter(earlier) == matter(finding)) {
                continue;
            }
            let first = Found { rows: 0, first: finding.place };
            self.found.entry(matter(finding)).or_insert(first).rows += 1;
        }
    }

    /// Returns the part of the page; nothing where nothing was found.
    ///
    /// # Errors
    /// Where the template can't be rendered.
    pub(super) fn html(&self, facts: &PageFacts<'_>) -> askama::Result<String> {
        if self.found.is_empty() {
            return Ok(String::new());
        }
        let names: InputNames = facts.summary.inputs.iter().map(|input| input.path.clone()).collect();
        let mut found: Vec<_> = self.found.iter().collect();
        found.sort_by_key(|((level, rule), found)| (*level, Reverse(found.rows), *rule));
        let line = |((level, rule), found): (&(Level, Rule), &Found)| Line {
            rule: rule.id(),
            is_denied: *level == Level::Denied,
            rows: grouped(found.rows),
            about: (facts.spelled)(&rule.about()),
            first: facts.texts.plain(&names.place(found.first)),
        };
        FindingsPart { lines: found.into_iter().map(line).collect() }.render()
    }
}

#[derive(Template)]
#[template(path = "findings.html", config = "src/report/html/askama.toml")]
struct FindingsPart {
    lines: Vec<Line>,
}

struct Line {
    rule: &'static str,
    is_denied: bool,
    rows: String,
    about: String,
    first: String,
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Facts, full};
    use super::*;
    use crate::domain::account::Phase;
    use crate::domain::outcome::Outcome;
    use crate::report::testing::warning;

    fn html(rows: &[FullRow]) -> String {
        let facts = Facts::of(Phase::Finished);
        let mut findings = Findings::default();
        rows.iter().for_each(|row| findings.add(row));
        findings.html(&facts.facts()).unwrap()
    }

    fn found(ordinal: u64, findings: Vec<Finding>) -> FullRow {
        let mut row = full(ordinal, Outcome::Invalid, None);
        row.account.findings = findings;
        row
    }

    #[test]
    fn what_is_denied_comes_first_and_then_what_most_rows_have() {
        let place = Location { input: 0, line: 9, column: 2 };
        let rows = [
            found(1, vec![warning(Rule::EarlyWin), warning(Rule::EarlyWin), warning(Rule::Unseen)]),
            found(2, vec![warning(Rule::EarlyWin), Finding::deny(Rule::Type, place, "no number")]),
            found(3, Vec::new()),
            // The same rule at both levels.
            found(4, vec![Finding::deny(Rule::EarlyWin, place, "early")]),
        ];
        insta::assert_snapshot!(html(&rows), @r##"
        <section class="part" id="findings" aria-labelledby="findings-title">
        <header><h2 id="findings-title" tabindex="-1">Findings</h2><p>By rule. What is denied is not sent; a warning only tells.</p></header>
        <div class="stack"><table class="grid cards"><thead><tr><th scope="col">Rule</th><th scope="col">Level</th><th scope="col" class="n">Rows</th><th scope="col" class="across">About</th><th scope="col" class="last">First at</th></tr></thead>
        <tbody><tr><th scope="row"><a class="mono" href="#rows" data-filter="rule:early-win">early-win</a></th><td data-th="Level"><span class="level o-refused"><svg class="g" aria-hidden="true"><use href="#g-deny"/></svg>denied</span></td><td class="n" data-th="Rows">1</td><td class="across" data-th="About">Won within 72 hours of creation may cost the deal registration</td><td class="last" data-th="First at"><code>changes.csv:9</code></td></tr>
        <tr><th scope="row"><a class="mono" href="#rows" data-filter="rule:type">type</a></th><td data-th="Level"><span class="level o-refused"><svg class="g" aria-hidden="true"><use href="#g-deny"/></svg>denied</span></td><td class="n" data-th="Rows">1</td><td class="across" data-th="About">the value is not of the field&#39;s type</td><td class="last" data-th="First at"><code>changes.csv:9</code></td></tr>
        <tr><th scope="row"><a class="mono" href="#rows" data-filter="rule:early-win">early-win</a></th><td data-th="Level"><span class="level o-partial"><svg class="g" aria-hidden="true"><use href="#g-warn"/></svg>warned</span></td><td class="n" data-th="Rows">2</td><td class="across" data-th="About">Won within 72 hours of creation may cost the deal registration</td><td class="last" data-th="First at"><code>changes.csv:2</code></td></tr>
        <tr><th scope="row"><a class="mono" href="#rows" data-filter="rule:unseen">unseen</a></th><td data-th="Level"><span class="level o-partial"><svg class="g" aria-hidden="true"><use href="#g-warn"/></svg>warned</span></td><td class="n" data-th="Rows">1</td><td class="across" data-th="About">planned without looking at the referral (&#60;state&#62; none), so its transition cannot be judged</td><td class="last" data-th="First at"><code>changes.csv:2</code></td></tr>
        </tbody></table></div>
        </section>
        "##);
        assert_eq!(html(&rows[2..3]), "");
    }

    #[test]
    fn every_rule_fits_and_says_what_it_means() {
        let all: Vec<Finding> = Rule::all().map(warning).collect();
        let number = all.len();
        let page = html(&[found(1, all)]);
        assert_eq!(page.matches("<tr>").count(), number + 1);
        assert!(!page.contains("data-th=\"About\"></td>") && !page.contains("{}"), "{page}");
        assert!(page.contains("&#60;allow-path&#62;"), "{page}");
    }

    #[test]
    fn a_hostile_file_name_stays_text() {
        let mut facts = Facts::of(Phase::Finished);
        facts.summary.inputs[0].path = "</code><script>x.csv".to_owned();
        let mut findings = Findings::default();
        findings.add(&found(1, vec![warning(Rule::EarlyWin)]));
        let page = findings.html(&facts.facts()).unwrap();
        assert!(!page.contains("<script") && page.contains("&#60;script&#62;x.csv:2"), "{page}");
    }
}
