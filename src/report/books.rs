//! The tally of a run: how many rows have which outcome, why, and whether every row is accounted for.

use std::collections::BTreeMap;

use crate::domain::account::{InputInfo, RowAccount};
use crate::domain::finding::{Finding, Location};
use crate::domain::level::Level;
use crate::domain::outcome::Outcome;
use crate::domain::rules::Rule;

use super::example::Example;
use super::held_rows::HeldRows;

/// The number of codes that are counted apart for one outcome. Codes come from the server, too, which must not
/// be able to fill the memory.
const MOST_CODES: usize = 100;

/// The code under which all further ones are counted.
const OTHER_CODES: &str = "(other codes)";

/// The tally of a run's rows. It grows with the number of different reasons, not of rows.
#[derive(Debug, Clone)]
pub struct Tally {
    counts: [u64; Outcome::ALL.len()],
    by_input: Vec<u64>,
    last: u64,
    misplaced: Option<Imbalance>,
    failures: [BTreeMap<String, RowGroup>; Outcome::ALL.len()],
    warnings: BTreeMap<Matter, RowGroup>,
    kept_otherwise: Option<RowGroup>,
    held: HeldRows,
}

/// The rows of a group, and the first of them.
#[derive(Debug, Clone)]
struct RowGroup {
    rows: u64,
    first: Example,
}

/// Rows that went wrong for one reason.
#[derive(Debug, Clone, Copy)]
pub struct FailureGroup<'a> {
    /// Their outcome: conflict, invalid, refused, failed, partial or unknown.
    pub outcome: Outcome,
    /// The code that they share.
    pub code: &'a str,
    /// How many there are.
    pub rows: u64,
    /// The first of them.
    pub first: &'a Example,
}

/// Rows for which one rule warns, of one column where each column is a matter of its own.
#[derive(Debug, Clone, Copy)]
pub struct WarningGroup<'a> {
    /// The rule.
    pub rule: Rule,
    /// How many rows there are; a row that is warned of twice counts once.
    pub rows: u64,
    /// The first of them.
    pub first: &'a Example,
}

/// Why the rows do not balance. It is always a defect, of this program or of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Imbalance {
    /// The data rows of an input differ in number from its rows that have an outcome.
    #[error("{path} has {rows} data rows, and {accounted} of them are accounted for")]
    Input {
        /// The input, as the user named it.
        path: String,
        /// Its data rows.
        rows: u64,
        /// Its rows that have an outcome.
        accounted: u64,
    },
    /// A row is missing, or has two outcomes.
    #[error("row {found} is accounted for where row {due} is due")]
    Order {
        /// The row that was next.
        due: u64,
        /// The row that came instead.
        found: u64,
    },
    /// A row belongs to an input that the run does not have.
    #[error("row {row} is of input {input}, and the run has no such input")]
    Stray {
        /// The row.
        row: u64,
        /// The input's number, counted from 0.
        input: u32,
    },
    /// Payloads are missing in the audit, or counted twice.
    #[error("the inputs hold {rows} payloads, and the audit has {audited}")]
    Audit {
        /// The inputs' data rows.
        rows: u64,
        /// The sum of all classes.
        audited: u64,
    },
}

impl Tally {
    /// Begins the tally of a run with this number of inputs.
    pub fn new(inputs: usize) -> Self {
        Self {
            counts: [0; Outcome::ALL.len()],
            by_input: vec![0; inputs],
            last: 0,
            misplaced: None,
            failures: Default::default(),
            warnings: BTreeMap::new(),
            kept_otherwise: None,
            held: HeldRows::default(),
        }
    }

    /// Adds the next row of the run.
    pub fn add(&mut self, row: &RowAccount) {
        self.check_order(row.row);
        match self.by_input.get_mut(row.place.input as usize) {
            Some(rows) => *rows += 1,
            None => self.misplace(Imbalance::Stray { row: row.row, input: row.place.input }),
        }
        let outcome = row.verdict.outcome;
        self.counts[outcome as usize] += 1;
        if outcome.is_unsuccessful() {
            self.count_failure(row);
        }
        self.held.add(row);
        if row.verdict.is_kept_otherwise() {
            let first = || RowGroup::of(row, row.verdict.message.as_str(), row.place);
            self.kept_otherwise.get_or_insert_with(first).rows += 1;
        }
        self.count_warnings(row);
    }

    /// Returns the number of rows with an outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.counts[outcome as usize]
    }

    /// Returns the number of rows: the sum over all outcomes.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Checks that every data row of every input has exactly one outcome.
    ///
    /// # Errors
    /// The first imbalance. A run with one ends with exit code 5.
    pub fn balance(&self, inputs: &[InputInfo]) -> Result<(), Imbalance> {
        let counted = self.by_input.iter().copied().chain(std::iter::repeat(0));
        for (input, accounted) in inputs.iter().zip(counted) {
            if input.rows != accounted {
                return Err(Imbalance::Input { path: input.path.clone(), rows: input.rows, accounted });
            }
        }
        self.misplaced.clone().map_or(Ok(()), Err)
    }

    /// Returns the rows that went wrong, grouped by outcome and code, the largest group first.
    pub fn failures(&self) -> Vec<FailureGroup<'_>> {
        let mut groups: Vec<FailureGroup<'_>> = Outcome::ALL
            .into_iter()
            .zip(&self.failures)
            .flat_map(|(outcome, codes)| codes.iter().map(move |(code, group)| (outcome, code, group)))
            .map(|(outcome, code, RowGroup { rows, first })| FailureGroup {
                outcome,
                code,
                rows: *rows,
                first,
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.rows));
        groups
    }

    /// Returns how many rows were applied with a value that the service keeps in another form, and the first of
    /// them; `None` where there is none.
    pub fn kept_otherwise(&self) -> Option<(u64, &Example)> {
        self.kept_otherwise.as_ref().map(|RowGroup { rows, first }| (*rows, first))
    }

    /// Returns the first rows that are held back or went wrong.
    pub(super) fn held(&self) -> &HeldRows {
        &self.held
    }

    /// Returns the rows that were warned of, grouped by rule, the largest group first.
    pub fn warnings(&self) -> Vec<WarningGroup<'_>> {
        let mut groups: Vec<WarningGroup<'_>> = self
            .warnings
            .iter()
            .map(|((rule, _), RowGroup { rows, first })| WarningGroup { rule: *rule, rows: *rows, first })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.rows));
        groups
    }

    /// Checks that this row is the next one. Equal totals can hide a row that is counted twice behind one that
    /// is missing; ordinals can't.
    fn check_order(&mut self, found: u64) {
        let due = self.last.saturating_add(1);
        if found != due {
            self.misplace(Imbalance::Order { due, found });
        }
        self.last = found;
    }

    /// Keeps the first imbalance.
    fn misplace(&mut self, row: Imbalance) {
        self.misplaced.get_or_insert(row);
    }

    fn count_failure(&mut self, row: &RowAccount) {
        let codes = &mut self.failures[row.verdict.outcome as usize];
        if let Some(group) = codes.get_mut(&row.verdict.code) {
            group.rows += 1;
            return;
        }
        let code = if codes.len() < MOST_CODES { &row.verdict.code } else { OTHER_CODES };
        codes
            .entry(code.to_owned())
            .or_insert_with(|| RowGroup::of(row, row.verdict.message.as_str(), row.place))
            .rows += 1;
    }

    fn count_warnings(&mut self, row: &RowAccount) {
        let warnings = row.findings.iter().filter(|finding| finding.level == Level::Warn);
        for (at, finding) in warnings.clone().enumerate() {
            let matter = matter(finding);
            if warnings.clone().take(at).any(|earlier| self::matter(earlier) == matter) {
                continue;
            }
            let group = self.warnings.entry(matter);
            group.or_insert_with(|| RowGroup::of(row, &finding.message, finding.place)).rows += 1;
        }
    }
}

/// What a warning is counted under: its rule, and its column where each column of an input is a matter of its own.
type Matter = (Rule, Option<(u32, u32)>);

fn matter(finding: &Finding) -> Matter {
    let place = finding.place;
    let by_column = finding.rule == Rule::PortalReadOnly;
    (finding.rule, by_column.then_some((place.input, place.column)))
}

impl RowGroup {
    fn of(row: &RowAccount, message: &str, place: Location) -> Self {
        Self { rows: 0, first: Example::of(row, message, place) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{csv_input, row, warning};
    use super::*;

    fn books(rows: &[RowAccount]) -> Tally {
        let mut books = Tally::new(2);
        rows.iter().for_each(|row| books.add(row));
        books
    }

    #[test]
    fn an_imbalance_is_detected() {
        let inputs = [csv_input("a.csv", &["id"], 2), csv_input("b.csv", &["id"], 1)];
        let input =
            |path: &str, rows, accounted| Err(Imbalance::Input { path: path.to_owned(), rows, accounted });
        // Ordinal and input of each row that is accounted for.
        for (rows, wanted) in [
            (&[(1, 0), (2, 0), (3, 1)][..], Ok(())),
            (&[], input("a.csv", 2, 0)),
            (&[(1, 0), (2, 0)], input("b.csv", 1, 0)),
            (&[(1, 0), (2, 0), (3, 0), (4, 1)], input("a.csv", 2, 3)),
            (&[(1, 0), (1, 0), (3, 1)], Err(Imbalance::Order { due: 2, found: 1 })),
            (&[(2, 0), (3, 0), (4, 1)], Err(Imbalance::Order { due: 1, found: 2 })),
            (&[(1, 0), (2, 0), (3, 1), (4, 2)], Err(Imbalance::Stray { row: 4, input: 2 })),
            (&[(1, 0), (9, 0), (3, 1)], Err(Imbalance::Order { due: 2, found: 9 })),
        ] {
            let rows: Vec<RowAccount> =
                rows.iter().map(|(ordinal, input)| row(*ordinal, *input, Outcome::Applied)).collect();
            assert_eq!(books(&rows).balance(&inputs), wanted, "{wanted:?}");
        }
        assert_eq!(books(&[]).balance(&[]), Ok(()));
        // As a damaged ledger may tell it.
        let mut last = Tally::new(1);
        [u64::MAX, 1].into_iter().for_each(|ordinal| last.check_order(ordinal));
        assert_eq!(last.balance(&[]), Err(Imbalance::Order { due: 1, found: u64::MAX }));
    }

    #[test]
    fn failures_are_grouped_by_outcome_and_code() {
        let mut rows: Vec<RowAccount> = Outcome::ALL.into_iter().map(|outcome| row(1, 0, outcome)).collect();
        rows.push(row(2, 1, Outcome::Refused));
        rows[6].verdict.code = "http-500".to_owned();
        let books = books(&rows);
        let failures: Vec<_> =
            books.failures().iter().map(|group| (group.outcome, group.code.to_owned(), group.rows)).collect();
        assert_eq!(
            failures,
            [
                (Outcome::Refused, "refused-code".to_owned(), 2),
                (Outcome::Conflict, "conflict-code".to_owned(), 1),
                (Outcome::Invalid, "invalid-code".to_owned(), 1),
                (Outcome::Failed, "http-500".to_owned(), 1),
                (Outcome::Partial, "partial-code".to_owned(), 1),
                (Outcome::Unknown, "unknown-code".to_owned(), 1),
            ]
        );
        let first = &books.failures()[0].first;
        assert_eq!((first.message.as_str(), first.place.input), ("refused, as it were", 0));
        assert_eq!(books.total(), 11);
        assert_eq!(books.count(Outcome::Refused), 2);
    }

    #[test]
    fn what_is_kept_otherwise_is_applied_and_told() {
        let mut rows =
            [row(1, 0, Outcome::Applied), row(2, 0, Outcome::Applied), row(3, 0, Outcome::Refused)];
        assert_eq!(books(&rows).kept_otherwise(), None);
        rows.iter_mut().for_each(|row| row.verdict.code = "kept-otherwise".to_owned());
        let books = books(&rows);
        let first = books.kept_otherwise().map(|(rows, first)| (rows, first.message.as_str()));
        assert_eq!(first, Some((2, "applied, as it were")));
        assert_eq!((books.count(Outcome::Applied), books.failures().len()), (2, 1));
    }

    #[test]
    fn a_server_that_invents_codes_cannot_fill_the_memory() {
        let rows: Vec<RowAccount> = (0..1_000)
            .map(|at| {
                let mut row = row(at + 1, 0, Outcome::Refused);
                row.verdict.code = format!("code-{at}");
                row
            })
            .collect();
        let books = books(&rows);
        let failures = books.failures();
        assert_eq!(failures.len(), MOST_CODES + 1);
        assert_eq!((failures[0].code, failures[0].rows), (OTHER_CODES, 900));
    }

    #[test]
    fn warnings_count_rows() {
        let mut twice = row(1, 0, Outcome::Applied);
        twice.findings = vec![warning(Rule::ClosedEdit), warning(Rule::ClosedEdit), warning(Rule::EarlyWin)];
        let mut denied = row(2, 0, Outcome::Invalid);
        denied.findings = vec![crate::domain::finding::Finding::deny(Rule::Type, denied.place, "no")];
        let mut once = row(3, 0, Outcome::Applied);
        once.findings = vec![warning(Rule::EarlyWin)];
        let books = books(&[twice, denied, once]);
        let warnings: Vec<_> = books.warnings().iter().map(|group| (group.rule, group.rows)).collect();
        assert_eq!(warnings, [(Rule::EarlyWin, 2), (Rule::ClosedEdit, 1)]);
    }
}
