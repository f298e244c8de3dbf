//! The table of all rows: its part of the page with the tools above it. The rows themselves are shown by the page's
//! script, from the data block.

use std::collections::BTreeMap;

use askama::Template;

use super::closing::closing;
use super::facts::PageFacts;
use super::kind::Kind;
use super::texts::Texts;
use super::words::{no_rows, rows_of};
use crate::domain::account::FullRow;
use crate::domain::outcome::Outcome;
use crate::domain::rules::Rule;
use crate::report::format::{counted, grouped};
use crate::report::outcomes;

/// The codes, closings and statuses that are counted apart: they come from the service or from files, which must be
/// able neither to fill the memory nor to make a list that nobody can read.
const MOST: usize = 100;

/// What rows can be narrowed to, with the number of rows of each. It doesn't grow with the number of rows.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    texts: Texts,
    any_closing: u64,
    closings: Counts<String>,
    codes: Counts<String>,
    rules: Counts<Rule>,
    statuses: Counts<u16>,
}

/// Rows by something that many of them share.
#[derive(Debug, Clone)]
struct Counts<K> {
    rows: BTreeMap<K, u64>,
    /// Whether there was more than is counted apart.
    is_short: bool,
}

impl<K: Ord> Default for Counts<K> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), is_short: false }
    }
}

impl<K: Ord> Counts<K> {
    fn add(&mut self, key: K) {
        if self.rows.len() < MOST || self.rows.contains_key(&key) {
            *self.rows.entry(key).or_default() += 1;
        } else {
            self.is_short = true;
        }
    }
}

impl Tools {
    pub(super) fn new(texts: Texts) -> Self {
        Self {
            texts,
            any_closing: 0,
            closings: Counts::default(),
            codes: Counts::default(),
            rules: Counts::default(),
            statuses: Counts::default(),
        }
    }

    /// Adds the next row of the run.
    pub(super) fn add(&mut self, row: &FullRow) {
        let account = &row.account;
        if let Some(closing) = closing(row) {
            self.any_closing += 1;
            self.closings.add(self.texts.free(&closing));
        }
        let verdict = &account.verdict;
        // The script shows no code that says the same as the outcome.
        if verdict.code != verdict.outcome.name() {
            match self.codes.rows.get_mut(&verdict.code) {
                Some(rows) => *rows += 1,
                None => self.codes.add(self.texts.free(&verdict.code)),
            }
        }
        if let Some(status) = verdict.status {
            self.statuses.add(status);
        }
        for (at, finding) in account.findings.iter().enumerate() {
            if account.findings[..at].iter().all(|earlier| earlier.rule != finding.rule) {
                self.rules.add(finding.rule);
            }
        }
    }

    /// Returns the part of the page. `kept` is the number of rows that the data block has, the first ones; `paper` is
    /// the table for print.
    ///
    /// # Errors
    /// Where the template can't be rendered.
    pub(super) fn html(&self, facts: &PageFacts<'_>, kept: u64, paper: &str) -> askama::Result<String> {
        let is_plan = Kind::of(facts.phase) == Kind::Plan;
        let rows = &facts.summary.rows;
        let chip = |outcome: Outcome| (outcome.name(), grouped(rows_of(rows, outcome)));
        let there = Outcome::ALL.into_iter().filter(|outcome| rows_of(rows, *outcome) > 0);
        let rest = rows.total.saturating_sub(kept);
        RowsPart {
            is_plan,
            empty: if rows.total == 0 { no_rows(facts.summary) } else { String::new() },
            rest: if rest == 0 { String::new() } else { counted(rest, "more row") },
            first: counted(kept, "row"),
            lines: outcomes::NAME,
            groups: self.groups(),
            chips: there.map(chip).collect(),
            total: grouped(rows.total),
            count: kept + 1,
            heads: heads(is_plan),
            paper,
        }
        .render()
    }

    fn groups(&self) -> Vec<Group> {
        let closings = (self.any_closing > 0).then(|| NarrowOption {
            filter: "closing:".to_owned(),
            label: "any closing".to_owned(),
            rows: counted(self.any_closing, "row"),
        });
        let mut groups = [
            // The part that tells of closings counts referrals, which several rows may name.
            group("Closings", "closing", &self.closings, String::clone, |rows| counted(rows, "row")),
            group("Code", "code", &self.codes, String::clone, grouped),
            group("Rule", "rule", &self.rules, |rule| rule.id().to_owned(), grouped),
            group("HTTP status", "http", &self.statuses, u16::to_string, grouped),
        ];
        groups[0].options.splice(0..0, closings);
        groups.into_iter().filter(|group| !group.options.is_empty()).collect()
    }
}

/// Returns what rows can be narrowed to of one kind, in the order of the names.
fn group<K>(
    label: &str,
    kind: &str,
    counts: &Counts<K>,
    name: impl Fn(&K) -> String,
    told: impl Fn(u64) -> String,
) -> Group {
    let mut options: Vec<(String, u64)> = counts.rows.iter().map(|(key, rows)| (name(key), *rows)).collect();
    options.sort_unstable();
    let options = options.into_iter().map(|(name, rows)| NarrowOption {
        filter: format!("{kind}:{name}"),
        label: name,
        rows: told(rows),
    });
    let short = if counts.is_short { format!(" (the first {MOST})") } else { String::new() };
    Group { label: format!("{label}{short}"), options: options.collect() }
}

/// Returns the columns of the table.
fn heads(is_plan: bool) -> Vec<Head> {
    let change = if is_plan { "What would change" } else { "What changed" };
    let heads = [
        ("row", "Row", false),
        ("name", "Referral", false),
        ("outcome", "Outcome", false),
        ("change", change, false),
        ("code", "Code and message", false),
        ("http", "HTTP", true),
        ("time", "Time", true),
    ];
    let shown = if is_plan { 5 } else { heads.len() };
    let head = |(number, (sort, name, is_number))| Head { number, sort, name, is_number };
    (2..).zip(heads).take(shown).map(head).collect()
}

#[derive(Template)]
#[template(path = "rows.html", config = "src/report/html/askama.toml")]
struct RowsPart<'a> {
    is_plan: bool,
    /// That the inputs have no rows; empty where they have some.
    empty: String,
    /// The rows that the page doesn't have, in words; empty where it has all.
    rest: String,
    first: String,
    /// The file that has all of them.
    lines: &'static str,
    groups: Vec<Group>,
    /// The outcomes that there are, with their rows.
    chips: Vec<(&'static str, String)>,
    total: String,
    /// The lines of the table, its head among them.
    count: u64,
    heads: Vec<Head>,
    /// The table for print, which another template rendered.
    paper: &'a str,
}

struct Group {
    label: String,
    options: Vec<NarrowOption>,
}

struct NarrowOption {
    filter: String,
    label: String,
    rows: String,
}

struct Head {
    number: usize,
    sort: &'static str,
    name: &'static str,
    is_number: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Facts, change, full};
    use super::*;
    use crate::domain::account::{ItemChange, Phase};
    use crate::domain::fields::Field;
    use crate::domain::item::Effect;
    use crate::report::testing::warning;

    fn html(phase: Phase, counts: &[(Outcome, u64)], rows: &[FullRow], kept: u64) -> String {
        let facts = Facts::of(phase).with(counts);
        let mut tools = Tools::new(facts.texts);
        rows.iter().for_each(|row| tools.add(row));
        tools.html(&facts.facts(), kept, "<div class=\"paper\"></div>").unwrap()
    }

    /// Returns a row that closes its referral, or doesn't, with this verdict and findings of these rules.
    fn row(
        ordinal: u64,
        how: Option<&str>,
        outcome: Outcome,
        (code, status): (&str, u16),
        rules: &[Rule],
    ) -> FullRow {
        let mut row = full(ordinal, outcome, None);
        row.account.verdict.code = code.to_owned();
        row.account.verdict.status = Some(status).filter(|status| *status > 0);
        row.account.findings = rules.iter().map(|rule| warning(*rule)).collect();
        row.change = how.map(|how| {
            let how = serde_json::to_string(how).unwrap();
            let changes =
                vec![change(Field::Status, r#""Active""#, r#""Closed""#), change(Field::Substatus, "", &how)];
            ItemChange { changes, effect: Effect::OneWay }
        });
        row
    }

    #[test]
    fn a_run_can_be_narrowed_to_what_it_has() {
        let rows = [
            row(1, Some("Won"), Outcome::Applied, ("applied", 200), &[Rule::EarlyWin, Rule::EarlyWin]),
            row(2, Some("Lost"), Outcome::Refused, ("http-403", 403), &[]),
            row(3, None, Outcome::Invalid, ("type", 0), &[Rule::Type]),
        ];
        let counts = [(Outcome::Applied, 1), (Outcome::Refused, 1), (Outcome::Invalid, 1_201)];
        insta::assert_snapshot!(html(Phase::Finished, &counts, &rows, 1_203), @r##"
        <section class="part wide" id="rows" aria-labelledby="rows-title">
        <header><h2 id="rows-title" tabindex="-1">Rows</h2><p>Every row of the input, with what became of it.<span class="screen"> Open one for its fields, request ids and findings.</span></p></header>
        <div class="stack"><form class="tools" id="tools" role="search" aria-label="Rows">
        <label class="find">Search<input type="search" id="find" placeholder="Id, name, code, value, request id" autocomplete="off" spellcheck="false"><kbd aria-hidden="true">/</kbd></label>
        <label class="narrow">Narrow to<select id="narrow"><option value="">anything</option><optgroup label="Closings"><option value="closing:">any closing (2 rows)</option><option value="closing:Lost">Lost (1 row)</option><option value="closing:Won">Won (1 row)</option></optgroup><optgroup label="Code"><option value="code:http-403">http-403 (1)</option><option value="code:type">type (1)</option></optgroup><optgroup label="Rule"><option value="rule:early-win">early-win (1)</option><option value="rule:type">type (1)</option></optgroup><optgroup label="HTTP status"><option value="http:200">200 (1)</option><option value="http:403">403 (1)</option></optgroup></select></label>
        <label class="order">Sort by<select id="order"><option value="row">Row</option><option value="name">Referral</option><option value="outcome">Outcome</option><option value="change">What changed</option><option value="code">Code and message</option><option value="http">HTTP</option><option value="time">Time</option></select></label>
        <button type="button" class="button" id="csv">Download these rows as CSV</button></form>
        <div class="chips" role="group" aria-label="Outcomes"><button type="button" class="chip" data-outcome="" aria-pressed="true">all <span>1,203</span></button>
        <button type="button" class="chip o-applied" data-outcome="applied" aria-pressed="false"><svg class="g" aria-hidden="true"><use href="#g-applied"/></svg>applied <span>1</span></button>
        <button type="button" class="chip o-invalid" data-outcome="invalid" aria-pressed="false"><svg class="g" aria-hidden="true"><use href="#g-invalid"/></svg>invalid <span>1,201</span></button>
        <button type="button" class="chip o-refused" data-outcome="refused" aria-pressed="false"><svg class="g" aria-hidden="true"><use href="#g-refused"/></svg>refused <span>1</span></button>
        </div>
        <div class="status"><p role="status"><b id="count"></b><span class="sr" id="said"></span></p><p class="keys"><kbd>/</kbd> search <kbd>↑</kbd><kbd>↓</kbd> from row to row <kbd>Enter</kbd> opens <kbd>Esc</kbd> goes back</p></div>
        <div class="table" id="table" role="table" aria-labelledby="rows-title" aria-rowcount="1204" aria-colcount="9">
        <div role="rowgroup" class="thead"><div role="row" class="tr" aria-rowindex="1"><div role="columnheader" aria-colindex="1"><span class="sr">Open</span></div>
        <div role="columnheader" aria-colindex="2" data-sort="row" aria-sort="ascending"><button type="button">Row</button></div>
        <div role="columnheader" aria-colindex="3" data-sort="name" aria-sort="none"><button type="button">Referral</button></div>
        <div role="columnheader" aria-colindex="4" data-sort="outcome" aria-sort="none"><button type="button">Outcome</button></div>
        <div role="columnheader" aria-colindex="5" data-sort="change" aria-sort="none"><button type="button">What changed</button></div>
        <div role="columnheader" aria-colindex="6" data-sort="code" aria-sort="none"><button type="button">Code and message</button></div>
        <div role="columnheader" aria-colindex="7" class="n" data-sort="http" aria-sort="none"><button type="button">HTTP</button></div>
        <div role="columnheader" aria-colindex="8" class="n" data-sort="time" aria-sort="none"><button type="button">Time</button></div>
        <div role="columnheader" aria-colindex="9" class="sr">In full</div></div></div>
        <div role="rowgroup" class="tbody" id="list"></div></div>
        <div class="paper"></div></div>
        </section>
        "##);
    }

    #[test]
    fn a_plan_has_fewer_columns() {
        insta::assert_snapshot!(html(Phase::Planned, &[(Outcome::Planned, 1)], &[], 1), @r##"
        <section class="part wide" id="rows" aria-labelledby="rows-title">
        <header><h2 id="rows-title" tabindex="-1">Rows</h2><p>Every row of the input, with what would become of it.<span class="screen"> Open one for its fields and findings.</span></p></header>
        <div class="stack"><form class="tools" id="tools" role="search" aria-label="Rows">
        <label class="find">Search<input type="search" id="find" placeholder="Id, name, code, value, request id" autocomplete="off" spellcheck="false"><kbd aria-hidden="true">/</kbd></label>
        <label class="narrow">Narrow to<select id="narrow"><option value="">anything</option></select></label>
        <label class="order">Sort by<select id="order"><option value="row">Row</option><option value="name">Referral</option><option value="outcome">Outcome</option><option value="change">What would change</option><option value="code">Code and message</option></select></label>
        <button type="button" class="button" id="csv">Download these rows as CSV</button></form>
        <div class="chips" role="group" aria-label="Outcomes"><button type="button" class="chip" data-outcome="" aria-pressed="true">all <span>1</span></button>
        <button type="button" class="chip o-planned" data-outcome="planned" aria-pressed="false"><svg class="g" aria-hidden="true"><use href="#g-planned"/></svg>planned <span>1</span></button>
        </div>
        <div class="status"><p role="status"><b id="count"></b><span class="sr" id="said"></span></p><p class="keys"><kbd>/</kbd> search <kbd>↑</kbd><kbd>↓</kbd> from row to row <kbd>Enter</kbd> opens <kbd>Esc</kbd> goes back</p></div>
        <div class="table" id="table" role="table" aria-labelledby="rows-title" aria-rowcount="2" aria-colcount="7">
        <div role="rowgroup" class="thead"><div role="row" class="tr" aria-rowindex="1"><div role="columnheader" aria-colindex="1"><span class="sr">Open</span></div>
        <div role="columnheader" aria-colindex="2" data-sort="row" aria-sort="ascending"><button type="button">Row</button></div>
        <div role="columnheader" aria-colindex="3" data-sort="name" aria-sort="none"><button type="button">Referral</button></div>
        <div role="columnheader" aria-colindex="4" data-sort="outcome" aria-sort="none"><button type="button">Outcome</button></div>
        <div role="columnheader" aria-colindex="5" data-sort="change" aria-sort="none"><button type="button">What would change</button></div>
        <div role="columnheader" aria-colindex="6" data-sort="code" aria-sort="none"><button type="button">Code and message</button></div>
        <div role="columnheader" aria-colindex="7" class="sr">In full</div></div></div>
        <div role="rowgroup" class="tbody" id="list"></div></div>
        <div class="paper"></div></div>
        </section>
        "##);
    }

    #[test]
    fn a_page_that_holds_only_the_first_rows_says_where_the_others_are() {
        let page = html(Phase::Finished, &[(Outcome::Applied, 1_000_000)], &[], 50_000);
        let note = " This page holds the first 50,000 rows; <b>950,000 more rows</b> stand in <code>outcomes.jsonl</code>.";
        assert!(page.contains(note) && page.contains("aria-rowcount=\"50001\""), "{page}");
        assert!(page.contains("all <span>1,000,000</span>"), "{page}");
    }

    #[test]
    fn a_service_that_invents_codes_fills_neither_memory_nor_page() {
        let rows: Vec<FullRow> = (1..=1_000)
            .map(|number| {
                let code = format!("\"><script>{number}</script>");
                row(number, Some(&code), Outcome::Refused, (&code, 0), &[])
            })
            .collect();
        let page = html(Phase::Finished, &[(Outcome::Refused, 1_000)], &rows, 1_000);
        assert_eq!(page.matches("<option value=\"code:").count(), MOST);
        assert_eq!(page.matches("<option value=\"closing:").count(), MOST + 1);
        assert!(page.contains("<optgroup label=\"Code (the first 100)\">"), "{page}");
        assert!(page.contains("any closing (1,000 rows)") && !page.contains("<script"), "{page}");
    }

    proptest! {
        /// The number behind each thing that rows can be narrowed to is that of the rows which the script would show.
        #[test]
        fn numbers_are_those_that_the_script_finds(
            drawn in proptest::collection::vec((0_usize..4, 0_usize..3, 0_usize..3, 0_usize..4), 0..50),
        ) {
            let (ways, codes, statuses) = (["Won", "Lost", ""], ["refused", "http-403", "a:b"], [0, 403, 404]);
            let rules = [Rule::EarlyWin, Rule::Type, Rule::EarlyWin];
            let rows: Vec<FullRow> = (1..)
                .zip(&drawn)
                .map(|(number, (way, code, status, found))| {
                    let verdict = (codes[*code], statuses[*status]);
                    row(number, ways.get(*way).copied(), Outcome::Refused, verdict, &rules[..*found])
                })
                .collect();
            let page = html(Phase::Finished, &[(Outcome::Refused, rows.len() as u64)], &rows, rows.len() as u64);
            let passes = |filter: &str, (way, code, status, found): &(usize, usize, usize, usize)| {
                let (kind, wanted) = filter.split_once(':').unwrap();
                match kind {
                    "closing" => ways.get(*way).is_some_and(|way| !way.is_empty() && (wanted.is_empty() || *way == wanted)),
                    "code" => codes[*code] == wanted && wanted != "refused",
                    "http" => statuses[*status].to_string() == wanted && wanted != "0",
                    _ => rules[..*found].iter().any(|rule| rule.id() == wanted),
                }
            };
            for filter in ["closing:", "closing:Won", "closing:Lost", "code:refused", "code:http-403", "code:a:b", "http:0",
                "http:403", "http:404", "rule:early-win", "rule:type"]
            {
                let count = drawn.iter().filter(|drawn| passes(filter, drawn)).count();
                let option = format!("<option value=\"{filter}\">");
                let told = page.split_once(&option).map(|(_, rest)| {
                    rest.split_once(" (").unwrap().1.split([' ', ')']).next().unwrap().parse::<usize>().unwrap()
                });
                prop_assert_eq!(told.unwrap_or(0), count, "{}", filter);
            }
        }
    }
}
