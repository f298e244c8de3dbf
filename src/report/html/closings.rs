//! The closings of a run or a plan: how many there are of each kind, and what became of them. A closing can't be undone,
//! so it has a part of its own.

use std::collections::BTreeMap;

use askama::Template;

use super::closing::{change, closing, left};
use super::facts::PageFacts;
use super::kind::Kind;
use super::texts::Texts;
use super::words::{NONE, Percent, by_number};
use crate::domain::account::FullRow;
use crate::domain::fields::Field;
use crate::domain::item::Effect;
use crate::domain::json::{self, Object};
use crate::domain::level::Level;
use crate::domain::outcome::Outcome;
use crate::domain::status::{ClosedSubstatus, Stage, Status};
use crate::report::format::{counted, grouped};

/// The kinds of closings that are counted apart. A service or a file that invents some must not be able to fill the
/// memory.
const MOST_WAYS: usize = 20;

/// The name under which all further ones are counted.
const OTHER_WAYS: &str = "(others)";

/// The name of closings that leave the substatus as it is, where nobody has seen that.
const UNSAID: &str = "(substatus not seen)";

/// The closings of a run, each referral counted once.
#[derive(Debug, Clone)]
pub(super) struct Closings {
    texts: Texts,
    ways: BTreeMap<String, Way>,
}

/// The closings of one kind.
#[derive(Debug, Clone, Default)]
struct Way {
    /// Whether rows are found by it in the table of rows.
    is_found: bool,
    /// The referrals by what became of them.
    outcomes: [u64; Outcome::ALL.len()],
    /// Those of which the service took some fields, the closing among them.
    closed_in_part: u64,
    from_active: u64,
    from_new: u64,
    warned: u64,
}

impl Closings {
    pub(super) fn new(texts: Texts) -> Self {
        Self { texts, ways: BTreeMap::new() }
    }

    /// Adds the next row of the run, where it is the first of a referral that was to be closed.
    pub(super) fn add(&mut self, row: &FullRow) {
        let closes = row.change.as_ref().is_some_and(|change| change.effect == Effect::OneWay);
        if !closes || !row.is_first() {
            return;
        }
        let outcome = row.account.verdict.outcome;
        let warned = row.account.findings.iter().any(|finding| finding.level == Level::Warn);
        let from = status_before(row);
        let way = self.way(row);
        way.outcomes[outcome as usize] += 1;
        way.closed_in_part += u64::from(outcome == Outcome::Partial && was_closed_in_part(row));
        way.from_active += u64::from(from.as_deref() == Some(Status::Active.name()));
        way.from_new += u64::from(from.as_deref() == Some(Status::New.name()));
        way.warned += u64::from(warned);
    }

    /// Returns the part of the page; nothing where nothing was to be closed, or nobody knows that yet.
    ///
    /// # Errors
    /// Where the template can't be rendered.
    pub(super) fn html(&self, facts: &PageFacts<'_>) -> askama::Result<String> {
        match facts.summary.referrals.to_close {
            None | Some(0) => Ok(String::new()),
            Some(to_close) => self.part(facts, to_close).render(),
        }
    }

    fn way(&mut self, row: &FullRow) -> &mut Way {
        let found = closing(row);
        let seen = || row.account.subject.as_ref().and_then(|subject| subject.substatus.clone());
        let name = found.clone().or_else(|| left(row, Field::Substatus)).or_else(seen);
        let mut name = name.map_or_else(|| UNSAID.to_owned(), |name| self.texts.free(&name));
        if !self.ways.contains_key(&name) && self.ways.len() >= MOST_WAYS {
            name = OTHER_WAYS.to_owned();
        }
        let is_found = found.is_some() && name != OTHER_WAYS;
        let way = self.ways.entry(name).or_default();
        way.is_found |= is_found;
        way
    }

    fn part(&self, facts: &PageFacts<'_>, to_close: u64) -> ClosingsPart {
        let kind = Kind::of(facts.phase);
        let mut all = Way::default();
        self.ways.values().for_each(|way| all.join(way));
        let columns = match kind {
            Kind::Plan => plan_columns(&all),
            Kind::Run => run_columns(&all, facts.consent.is_some()),
        };
        let line = |name: &str, way: &Way| Line {
            name: name.to_owned(),
            filter: if way.is_found { format!("closing:{name}") } else { String::new() },
            cells: columns.iter().map(|(head, number)| cell(head, number(way))).collect(),
        };
        let mut ways: Vec<(&String, &Way)> = self.ways.iter().collect();
        ways.sort_by_key(|(name, _)| place(name));
        let closed = facts.summary.referrals.closed;
        ClosingsPart {
            is_plan: kind == Kind::Plan,
            is_rehearsal: facts.spec.is_rehearsal(),
            is_consented: facts.consent.is_some(),
            noun: by_number(to_close, "referral", "referrals"),
            big: grouped(if kind == Kind::Plan { to_close } else { closed }),
            of: counted(to_close, "closing"),
            meter: Percent::of(closed, to_close).to_string(),
            heads: columns.iter().map(|(head, _)| head.clone()).collect(),
            lines: ways.into_iter().map(|(name, way)| line(name, way)).collect(),
            all: line("All", &all),
            remarks: if kind == Kind::Plan { Vec::new() } else { remarks(&all) },
        }
    }
}

impl Way {
    fn join(&mut self, other: &Self) {
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(sum, count)| *sum += count);
        self.closed_in_part += other.closed_in_part;
        self.from_active += other.from_active;
        self.from_new += other.from_new;
        self.warned += other.warned;
    }

    fn all(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    fn closed(&self) -> u64 {
        self.outcomes[Outcome::Applied as usize] + self.closed_in_part
    }

    /// Returns those of an outcome that were not closed, or may not have been.
    fn left(&self, outcome: Outcome) -> u64 {
        let count = self.outcomes[outcome as usize];
        match outcome {
            Outcome::Applied => 0,
            Outcome::Partial => count - self.closed_in_part,
            _ => count,
        }
    }
}

/// Whether the service took the closing of a row of which it took some fields. It tells what it kept in the others.
fn was_closed_in_part(row: &FullRow) -> bool {
    let kept = row.account.theirs.as_deref().and_then(Object::from_raw);
    kept.is_none_or(|kept| kept.get(Field::Status.pointer().as_str()).is_none())
}

/// Returns the status that a referral had before, if anybody saw it.
fn status_before(row: &FullRow) -> Option<String> {
    let before = change(row, Field::Status).and_then(|change| json::string(change.before.as_deref()?));
    let seen = || row.account.subject.as_ref().and_then(|subject| subject.status.clone());
    before.map(|text| text.into_owned()).or_else(seen)
}

type Column = (String, Box<dyn Fn(&Way) -> u64>);

fn column(head: &str, number: impl Fn(&Way) -> u64 + 'static) -> Column {
    (head.to_owned(), Box::new(number))
}

fn plan_columns(all: &Way) -> Vec<Column> {
    let elsewhere = |way: &Way| way.all() - way.from_active - way.from_new;
    let mut columns = vec![
        column("Referrals", Way::all),
        column("from Active", |way| way.from_active),
        column("from New", |way| way.from_new),
    ];
    columns.extend((elsewhere(all) > 0).then(|| column("from elsewhere, or not seen", elsewhere)));
    columns.push(column("with a warning", |way| way.warned));
    columns
}

fn run_columns(all: &Way, is_consented: bool) -> Vec<Column> {
    let first = if is_consented { "Consented" } else { "In the plan" };
    let mut columns = vec![column(first, Way::all), column("Closed", Way::closed)];
    for outcome in Outcome::ALL.into_iter().filter(|outcome| all.left(*outcome) > 0) {
        let name = outcome.name();
        let head = name.split_at_checked(1).map(|(first, rest)| first.to_uppercase() + rest);
        columns.push(column(&head.unwrap_or_default(), move |way| way.left(outcome)));
    }
    columns
}

/// Returns what the table alone could be misread by.
fn remarks(all: &Way) -> Vec<String> {
    let (partly, otherwise) = (all.closed_in_part, all.left(Outcome::Partial));
    let doubt = all.left(Outcome::Unknown);
    let mut remarks = Vec::new();
    if partly > 0 {
        remarks.push(format!(
            "Of the closed ones, {} {} taken in part: the service took only some fields, the closing among them.",
            grouped(partly),
            by_number(partly, "was", "were"),
        ));
    }
    if otherwise > 0 {
        remarks.push(format!(
            "Of {} the service took other fields and kept the status: {} not closed.",
            counted(otherwise, "referral"),
            by_number(otherwise, "it is", "they are"),
        ));
    }
    if doubt > 0 {
        remarks.push(match doubt {
            1 => "Whether the unknown one is closed is not known.".to_owned(),
            _ => format!("Whether the {} unknown ones are closed is not known.", grouped(doubt)),
        });
    }
    remarks
}

/// Returns the place of a kind in the table: the documented ones first, in their order.
fn place(name: &str) -> (usize, &str) {
    const KNOWN: [ClosedSubstatus; 4] =
        [ClosedSubstatus::Won, ClosedSubstatus::Lost, ClosedSubstatus::Declined, ClosedSubstatus::Expired];
    let known = KNOWN.iter().position(|known| Stage::Closed(*known).substatus() == name);
    (known.unwrap_or(KNOWN.len() + usize::from(name == OTHER_WAYS)), name)
}

fn cell(head: &str, number: u64) -> Cell {
    let text = if number == 0 { NONE.to_owned() } else { grouped(number) };
    Cell { head: head.to_owned(), is_nil: number == 0, text }
}

#[derive(Template)]
#[template(path = "closings.html", config = "src/report/html/askama.toml")]
struct ClosingsPart {
    is_plan: bool,
    is_rehearsal: bool,
    is_consented: bool,
    big: String,
    /// What stands behind the figure of a plan.
    noun: &'static str,
    /// All closings, in words.
    of: String,
    /// How many of a hundred were closed.
    meter: String,
    heads: Vec<String>,
    lines: Vec<Line>,
    all: Line,
    remarks: Vec<String>,
}

struct Line {
    name: String,
    /// The filter that shows its rows; empty where none does.
    filter: String,
    cells: Vec<Cell>,
}

struct Cell {
    head: String,
    is_nil: bool,
    text: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Facts, change, full};
    use super::*;
    use crate::domain::account::{ItemChange, Phase};
    use crate::report::testing::{raw, subject, warning};

    /// Returns a row that closes a referral in this way, and what became of it.
    fn closes(ordinal: u64, from: &str, how: &str, outcome: Outcome) -> FullRow {
        let status = change(Field::Status, &format!("\"{from}\""), r#""Closed""#);
        let substatus = change(Field::Substatus, "", &serde_json::to_string(how).unwrap());
        let change = ItemChange { changes: vec![status, substatus], effect: Effect::OneWay };
        FullRow { change: Some(change), ..full(ordinal, outcome, None) }
    }

    fn html(phase: Phase, rows: &[FullRow], referrals: (u64, u64)) -> String {
        let mut facts = Facts::of(phase);
        facts.summary.referrals.to_close = Some(referrals.0);
        facts.summary.referrals.closed = referrals.1;
        let mut closings = Closings::new(facts.texts);
        rows.iter().for_each(|row| closings.add(row));
        closings.html(&facts.facts()).unwrap()
    }

    #[test]
    fn a_run_tells_what_became_of_each_kind() {
        let mut rows = vec![
            closes(1, "Active", "Won", Outcome::Applied),
            closes(2, "Active", "Lost", Outcome::Applied),
            closes(3, "New", "Declined", Outcome::Conflict),
            closes(4, "Active", "Lost", Outcome::Partial),
            closes(5, "Active", "Won", Outcome::Partial),
            closes(6, "Active", "Won", Outcome::Unknown),
            closes(7, "Active", "Won", Outcome::Applied),
            full(8, Outcome::Applied, Some(Effect::Reversible)),
            full(9, Outcome::Invalid, None),
        ];
        rows[3].account.theirs = Some(raw(r#"{"/statusReason":null}"#));
        rows[4].account.theirs = Some(raw(r#"{"/status":"Active","/substatus":"Accepted"}"#));
        // The second row of a referral.
        rows[6].account.item = Some(1);
        insta::assert_snapshot!(html(Phase::Finished, &rows, (6, 3)), @r##"
        <section class="part" id="closings" aria-labelledby="closings-title">
        <header><h2 id="closings-title" tabindex="-1">Closings</h2><p>Closing a referral cannot be undone, so it takes a consent of its own.</p></header>
        <div class="stack"><div class="count-of"><p class="big">3</p><p><b>of 6 closings in the plan went through.</b></p></div>
        <svg class="meter" role="img" aria-label="3 of 6 closings went through"><rect class="rest" width="100%" height="6"/><rect class="got" width="50.000%" height="6"/></svg>
        <table class="grid cards"><thead><tr><th scope="col">Closed as</th><th scope="col" class="n">In the plan</th><th scope="col" class="n">Closed</th><th scope="col" class="n">Conflict</th><th scope="col" class="n">Partial</th><th scope="col" class="n">Unknown</th></tr></thead>
        <tbody><tr><th scope="row"><a href="#rows" data-filter="closing:Won">Won</a></th><td class="n" data-th="In the plan">3</td><td class="n" data-th="Closed">1</td><td class="n nil" data-th="Conflict">–</td><td class="n" data-th="Partial">1</td><td class="n" data-th="Unknown">1</td></tr>
        <tr><th scope="row"><a href="#rows" data-filter="closing:Lost">Lost</a></th><td class="n" data-th="In the plan">2</td><td class="n" data-th="Closed">2</td><td class="n nil" data-th="Conflict">–</td><td class="n nil" data-th="Partial">–</td><td class="n nil" data-th="Unknown">–</td></tr>
        <tr><th scope="row"><a href="#rows" data-filter="closing:Declined">Declined</a></th><td class="n" data-th="In the plan">1</td><td class="n nil" data-th="Closed">–</td><td class="n" data-th="Conflict">1</td><td class="n nil" data-th="Partial">–</td><td class="n nil" data-th="Unknown">–</td></tr>
        </tbody><tfoot><tr><th scope="row">All</th><td class="n" data-th="In the plan">6</td><td class="n" data-th="Closed">3</td><td class="n" data-th="Conflict">1</td><td class="n" data-th="Partial">1</td><td class="n" data-th="Unknown">1</td></tr></tfoot></table><p class="soft"><small>Of the closed ones, 1 was taken in part: the service took only some fields, the closing among them. Of 1 referral the service took other fields and kept the status: it is not closed. Whether the unknown one is closed is not known.</small></p></div>
        </section>
        "##);
    }

    #[test]
    fn a_plan_tells_from_where_and_what_is_warned_of() {
        let mut rows = vec![
            closes(1, "Active", "Won", Outcome::Planned),
            closes(2, "New", "Expired", Outcome::Planned),
            closes(3, "Archived", "Abandoned", Outcome::Planned),
        ];
        rows[1].account.findings = vec![warning(crate::domain::rules::Rule::SetExpired)];
        insta::assert_snapshot!(html(Phase::Planned, &rows, (3, 0)), @r##"
        <section class="part" id="closings" aria-labelledby="closings-title">
        <header><h2 id="closings-title" tabindex="-1">Closings</h2><p>Closing a referral cannot be undone. What else cannot be taken back, <code>undo</code> lists once it is sent.</p></header>
        <div class="stack"><div class="count-of"><p class="big">3</p><p><b>referrals would be closed, for good.</b> Consent is asked for this number; with another, nothing is sent.</p></div>
        <table class="grid cards"><thead><tr><th scope="col">Closed as</th><th scope="col" class="n">Referrals</th><th scope="col" class="n">from Active</th><th scope="col" class="n">from New</th><th scope="col" class="n">from elsewhere, or not seen</th><th scope="col" class="n">with a warning</th></tr></thead>
        <tbody><tr><th scope="row"><a href="#rows" data-filter="closing:Won">Won</a></th><td class="n" data-th="Referrals">1</td><td class="n" data-th="from Active">1</td><td class="n nil" data-th="from New">–</td><td class="n nil" data-th="from elsewhere, or not seen">–</td><td class="n nil" data-th="with a warning">–</td></tr>
        <tr><th scope="row"><a href="#rows" data-filter="closing:Expired">Expired</a></th><td class="n" data-th="Referrals">1</td><td class="n nil" data-th="from Active">–</td><td class="n" data-th="from New">1</td><td class="n nil" data-th="from elsewhere, or not seen">–</td><td class="n" data-th="with a warning">1</td></tr>
        <tr><th scope="row"><a href="#rows" data-filter="closing:Abandoned">Abandoned</a></th><td class="n" data-th="Referrals">1</td><td class="n nil" data-th="from Active">–</td><td class="n nil" data-th="from New">–</td><td class="n" data-th="from elsewhere, or not seen">1</td><td class="n nil" data-th="with a warning">–</td></tr>
        </tbody><tfoot><tr><th scope="row">All</th><td class="n" data-th="Referrals">3</td><td class="n" data-th="from Active">1</td><td class="n" data-th="from New">1</td><td class="n" data-th="from elsewhere, or not seen">1</td><td class="n" data-th="with a warning">1</td></tr></tfoot></table></div>
        </section>
        "##);
    }

    #[test]
    fn nothing_is_told_where_nothing_is_closed_or_the_plan_is_not_whole() {
        let rows = [closes(1, "Active", "Won", Outcome::Unsent)];
        assert_eq!(html(Phase::Finished, &[], (0, 0)), "");
        let mut facts = Facts::of(Phase::Planning);
        facts.summary.referrals.to_close = None;
        let mut closings = Closings::new(facts.texts);
        rows.iter().for_each(|row| closings.add(row));
        assert_eq!(closings.html(&facts.facts()).unwrap(), "");
    }

    #[test]
    fn a_substatus_that_stays_is_told_as_it_was_seen() {
        let mut row = closes(1, "Active", "", Outcome::Planned);
        row.change.as_mut().unwrap().changes.pop();
        assert!(
            html(Phase::Planned, &[row.clone()], (1, 0))
                .contains("<th scope=\"row\">(substatus not seen)</th>")
        );
        row.account.subject = Some(subject());
        assert!(html(Phase::Planned, &[row], (1, 0)).contains("<th scope=\"row\">Accepted</th>"));
    }

    #[test]
    fn a_file_that_invents_closings_fills_neither_memory_nor_page() {
        let rows: Vec<FullRow> = (1..=1_000)
            .map(|number| {
                closes(number, "Active", &format!("</td><script>{number}</script>"), Outcome::Applied)
            })
            .collect();
        let page = html(Phase::Finished, &rows, (1_000, 1_000));
        assert_eq!(page.matches("<tr>").count(), MOST_WAYS + 3, "{page}");
        assert!(
            page.contains("<th scope=\"row\">(others)</th><td class=\"n\" data-th=\"In the plan\">980</td>")
        );
        assert!(!page.contains("<script"), "{page}");
    }

    proptest! {
        /// Whatever rows there are: each referral that was to be closed is counted once, and closed are those that the
        /// ledger counts as closed.
        #[test]
        fn counts_are_those_of_the_ledger(
            rows in proptest::collection::vec((0_usize..10, 0_usize..3, any::<bool>(), any::<bool>(), 0_usize..5), 0..60),
        ) {
            let effects = [Effect::OneWay, Effect::Reversible, Effect::Unchanged];
            let ways = ["Won", "Lost", "Declined", "Expired", "Abandoned"];
            let (mut closings, mut to_close, mut closed) = (Closings::new(Texts::new(true)), 0_u64, 0_u64);
            for (number, (outcome, effect, is_first, keeps, way)) in (1_u64..).zip(rows) {
                let mut row = closes(number, "Active", ways[way], Outcome::ALL[outcome]);
                row.change.as_mut().unwrap().effect = effects[effect];
                row.account.item = Some(if is_first { number } else { 1_000 });
                row.account.theirs = keeps.then(|| raw(r#"{"/status":"Active"}"#));
                closings.add(&row);
                let counts = is_first && effects[effect] == Effect::OneWay;
                to_close += u64::from(counts);
                let was_closed = match Outcome::ALL[outcome] {
                    Outcome::Applied => true,
                    Outcome::Partial => !keeps,
                    _ => false,
                };
                closed += u64::from(counts && was_closed);
            }
            let mut all = Way::default();
            closings.ways.values().for_each(|way| all.join(way));
            prop_assert_eq!((all.all(), all.closed()), (to_close, closed));
            let left: u64 = Outcome::ALL.into_iter().map(|outcome| all.left(outcome)).sum();
            prop_assert_eq!(all.closed() + left, to_close);
        }
    }
}
