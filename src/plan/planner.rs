//! The planner: keeps what rows want of each referral until its current state is known, then makes its item.

use std::collections::{HashMap, HashSet};

use super::aside::{Aside, InMemory};
use super::judging::{Judging, Planned, unknown};
use super::kept_rows::{KeptRow, KeptRows};
use super::merge::{Merged, can_contradict_itself};
use super::proof;
use crate::domain::account::input_name;
use crate::domain::change::{Desired, Draft, Rejected};
use crate::domain::fields::{Field, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::id_list::{Added, IdList};
use crate::domain::item::Item;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::snapshot::Snapshot;

/// The rows for one referral, kept until its current state is known.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// The number of its item.
    number: u64,
    /// The last of its rows.
    last: u32,
    /// Whether its item was made.
    done: bool,
    /// Whether its rows may decide its item by themselves: they may contradict each other, or ask for nothing.
    may_be_decided: bool,
}

/// All rows for one referral, brought back and merged.
struct Gathered {
    /// Where they begin.
    rows: Vec<Location>,
    /// Where those begin that are no valid change.
    rejected: Vec<Location>,
    merged: Merged,
}

/// What an input as a whole leaves open about its rows.
struct Doubt {
    /// The input.
    input: u32,
    /// Whether it is about dates, rather than numbers.
    of_dates: bool,
    why: String,
}

/// Cells of Partner Center files that were compared with the referrals as they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// All of them.
    pub cells: u32,
    /// Those that differ.
    pub differing: u32,
}

impl Compared {
    /// Counts the cells of a referral's rows, where any of them shows members that it can't change: only those of
    /// Partner Center files do. The cells of one list count once.
    fn of(desired: &Desired, planned: &Planned) -> Self {
        if desired.shown.is_empty() {
            return Self::default();
        }
        let lists: HashSet<Field> = desired.appends.iter().map(|append| append.value.field).collect();
        let stage = usize::from(desired.stage.is_some());
        let cells = desired.sets.len() + desired.shown.len() + lists.len() + stage;
        let Item { changes, findings, .. } = &planned.item;
        // Status and substatus go together.
        let changes = changes.iter().filter(|change| change.path != Path::Known(Field::Substatus)).count();
        let read_only = findings.iter().filter(|finding| finding.rule == Rule::PortalReadOnly).count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { cells: count(cells), differing: count(changes + read_only) }
    }
}

/// Collects rows by referral, and makes one item per referral. What rows want lies aside meanwhile.
pub struct Planner<A: Aside = InMemory> {
    judging: Judging,
    /// The referrals, ordered by their first row.
    ids: IdList,
    /// The group of each. A group stays in place when it is done: referrals are read in no particular order, so freeing
    /// single groups would leave gaps that are of little use.
    groups: Vec<Group>,
    rows: KeptRows<A>,
    /// What inputs leave open, in their order.
    doubts: Vec<Doubt>,
    /// The number of groups that are not done.
    remaining: usize,
    /// Whether a referral is left alone that no row asks anything for.
    leaves_alone: bool,
    /// What was compared for each group, where that is anything.
    compared: HashMap<usize, Compared>,
}

impl Planner<InMemory> {
    /// Makes a planner without rows, that keeps them in memory.
    pub fn new(judging: Judging) -> Self {
        Self::aside(judging, InMemory::default())
    }
}

impl<A: Aside> Planner<A> {
    /// Makes a planner without rows, that puts them there.
    pub fn aside(judging: Judging, place: A) -> Self {
        Self {
            judging,
            ids: IdList::default(),
            groups: Vec::new(),
            rows: KeptRows::new(place),
            doubts: Vec::new(),
            remaining: 0,
            leaves_alone: false,
            compared: HashMap::new(),
        }
    }

    /// Sets whether a referral is unchanged, and need not be read, for which no row asks for anything: with a base,
    /// that is the case of every row that nobody edited. Else such a referral is read, so that its id is checked.
    pub fn leave_what_asks_for_nothing(&mut self, leaves_alone: bool) {
        self.leaves_alone = leaves_alone;
    }

    /// Adds a row; `row` is its ordinal in the run. Returns the number of the item that it belongs to.
    ///
    /// # Errors
    /// Where there is no room for it.
    pub fn add(&mut self, row: u64, draft: Draft) -> Result<u64, A::Error> {
        let may_be_decided = draft.asks_for_nothing() || can_contradict_itself(&draft);
        let (id, place) = (draft.id, draft.place);
        self.keep(row, may_be_decided, id, KeptRow { place, is_rejected: false, draft: Some(draft.into()) })
    }

    /// Adds a rejected row, and returns the number of the item that it belongs to; `None` if the row names no
    /// referral. Nothing is sent for its referral. What could be read of the row is judged with the others, so that
    /// one pass finds everything.
    ///
    /// # Errors
    /// Where there is no room for it.
    pub fn add_rejected(&mut self, row: u64, rejected: Rejected) -> Result<Option<u64>, A::Error> {
        let Some(id) = rejected.id else { return Ok(None) };
        let kept = KeptRow { place: rejected.place, is_rejected: true, draft: rejected.partial };
        self.keep(row, true, id, kept).map(Some)
    }

    /// Rejects every row of an input (counted from 0) that has a number with a point or a comma in it, since the
    /// input as a whole leaves open which is its decimal sign. `why` explains that. All rows of the input were added
    /// by then, and none of a later one.
    pub fn doubt_numbers(&mut self, input: u32, why: &str) {
        self.doubts.push(Doubt { input, of_dates: false, why: why.to_owned() });
    }

    /// Rejects every row of an input (counted from 0) that names a day in a column of a Partner Center file, since
    /// the input as a whole leaves open which part of a date is the month. `why` explains that. All rows of the input
    /// were added by then, and none of a later one.
    pub fn doubt_dates(&mut self, input: u32, why: &str) {
        self.doubts.push(Doubt { input, of_dates: true, why: why.to_owned() });
    }

    /// Keeps a row with the others of its referral, and returns the number of their item.
    fn keep(
        &mut self,
        row: u64,
        may_be_decided: bool,
        id: ReferralId,
        kept: KeptRow,
    ) -> Result<u64, A::Error> {
        match self.ids.add(id) {
            Added::There(at) => {
                let group = &mut self.groups[at];
                group.last = self.rows.keep(kept, Some(group.last))?;
                group.may_be_decided = true;
                Ok(group.number)
            }
            Added::New(_) => {
                let last = self.rows.keep(kept, None)?;
                self.remaining += 1;
                self.groups.push(Group { number: row, last, done: false, may_be_decided });
                Ok(row)
            }
        }
    }

    /// Brings the rows of a group back, and merges them in the order in which they were read.
    fn gather(&mut self, at: usize) -> Result<Gathered, A::Error> {
        let id = self.ids.ids()[at];
        let kept = self.rows.back_to_first(self.groups[at].last, id)?;
        let mut gathered = Gathered { rows: Vec::new(), rejected: Vec::new(), merged: Merged::new(id) };
        let mut doubts = self.doubts.iter().peekable();
        for KeptRow { place, is_rejected, draft } in kept {
            while let Some(doubt) = doubts.next_if(|doubt| doubt.input < place.input) {
                gathered.doubt(doubt);
            }
            gathered.rows.push(place);
            if is_rejected {
                gathered.rejected.push(place);
            }
            if let Some(draft) = draft {
                gathered.merged.add(*draft, &self.judging.inputs);
            }
        }
        doubts.for_each(|doubt| gathered.doubt(doubt));
        Ok(gathered)
    }

    /// Makes the items that can be decided without reading their referral, ordered by their first row: those whose
    /// rows contradict each other or could not be read, and with a base those whose rows are as in the base.
    ///
    /// # Errors
    /// Where rows don't come back.
    pub fn decided(&mut self) -> Result<Vec<Planned>, A::Error> {
        let mut decided = Vec::new();
        for at in 0..self.groups.len() {
            if !self.groups[at].may_be_decided && self.doubts.is_empty() {
                continue;
            }
            let mut gathered = self.gather(at)?;
            let no_rows = gathered.merged.has_no_rows().then(Vec::new);
            if let Some(findings) = gathered.merged.desired(&self.judging.inputs).err().or(no_rows) {
                decided.push(self.reject(at, &gathered, findings));
            } else if self.leaves_alone && gathered.merged.asks_for_nothing() {
                decided.push(self.leave_alone(at, &gathered));
            }
        }
        Ok(decided)
    }

    /// Makes the item of a group that asks for nothing.
    fn leave_alone(&mut self, at: usize, gathered: &Gathered) -> Planned {
        if !gathered.rejected.is_empty() {
            return self.reject(at, gathered, Vec::new());
        }
        self.take_out(at);
        let verdict = Verdict::new(Outcome::Unchanged, "as-in-base", "nothing of it differs from the base");
        self.judging.nothing_to_send(self.groups[at].number, self.ids.ids()[at], verdict, Vec::new())
    }

    /// Returns the referrals that must still be read, ordered by their first row.
    pub fn wanted(&self) -> Vec<ReferralId> {
        let groups = self.ids.ids().iter().zip(&self.groups);
        groups.filter(|(_, group)| !group.done).map(|(id, _)| *id).collect()
    }

    /// Returns the number of referrals that must still be read.
    pub fn remaining(&self) -> usize {
        self.remaining
    }

    /// Whether a referral is among those that must still be read.
    pub fn wants(&self, id: ReferralId) -> bool {
        self.find(id).is_some()
    }

    /// Whether the rows of every referral that must still be read change a place that is hidden.
    ///
    /// # Errors
    /// Where rows don't come back.
    pub fn all_hang_on(&mut self, is_hidden: impl Fn(&Pointer) -> bool) -> Result<bool, A::Error> {
        for at in 0..self.groups.len() {
            if self.groups[at].done {
                continue;
            }
            let mut gathered = self.gather(at)?;
            let hangs_on = gathered.merged.desired(&self.judging.inputs).is_ok_and(|desired| {
                let sets = desired.sets.iter().any(|set| is_hidden(set.value.0.pointer()));
                sets || desired.appends.iter().any(|append| is_hidden(append.value.field.pointer()))
            });
            if !hangs_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the position of a referral that must still be read.
    fn find(&self, id: ReferralId) -> Option<usize> {
        self.ids.position(id).filter(|at| !self.groups[*at].done)
    }

    /// Makes the item of a referral from its current state; `current` is `None` where referrals are not read. The
    /// referral is done then, unless `keep` says that the item will be made again from a better state.
    ///
    /// # Errors
    /// Where its rows don't come back.
    pub fn plan(
        &mut self,
        id: ReferralId,
        current: Option<&Snapshot<'_>>,
        keep: impl FnOnce(&Planned) -> bool,
    ) -> Result<Option<Planned>, A::Error> {
        let Some(at) = self.find(id) else { return Ok(None) };
        let mut gathered = self.gather(at)?;
        let desired = match gathered.merged.desired(&self.judging.inputs) {
            Ok(desired) => desired,
            Err(findings) => return Ok(Some(self.reject(at, &gathered, findings))),
        };
        let planned = self.judging.plan(self.groups[at].number, desired, current, proof::prove);
        self.note_compared(at, current.map(|_| Compared::of(desired, &planned)).unwrap_or_default());
        if !gathered.rejected.is_empty() {
            if !planned.incomplete.is_empty() && keep(&planned) {
                return Ok(Some(planned));
            }
            // A warning may be a consequence of the cell that is invalid, so only what denies is kept.
            let denied = planned.item.findings.into_iter().filter(Finding::is_deny).collect();
            return Ok(Some(self.reject(at, &gathered, denied)));
        }
        if !keep(&planned) {
            self.take_out(at);
        }
        Ok(Some(planned))
    }

    /// Notes what was compared for a group, in place of what was before.
    fn note_compared(&mut self, at: usize, compared: Compared) {
        if compared == Compared::default() {
            self.compared.remove(&at);
        } else {
            self.compared.insert(at, compared);
        }
    }

    /// Returns how many cells of Partner Center files were compared with the referrals, and how many of them differ.
    pub fn compared(&self) -> Compared {
        let add = |sum: Compared, group: &Compared| Compared {
            cells: sum.cells.saturating_add(group.cells),
            differing: sum.differing.saturating_add(group.differing),
        };
        self.compared.values().fold(Compared::default(), add)
    }

    /// Marks a referral to be read again, if the state that its item was made from turned out to be unreliable.
    pub fn reopen(&mut self, id: ReferralId) {
        let group = self.ids.position(id).map(|at| &mut self.groups[at]);
        if let Some(group) = group.filter(|group| group.done) {
            group.done = false;
            self.remaining += 1;
        }
    }

    /// Makes the item of a referral that could not be read.
    pub fn absent(&mut self, id: ReferralId, verdict: Verdict) -> Option<Planned> {
        let at = self.find(id)?;
        self.take_out(at);
        Some(self.judging.nothing_to_send(self.groups[at].number, id, verdict, Vec::new()))
    }

    /// Makes the item of a referral that a snapshot file doesn't hold. `engagement_of` is a
    /// referral whose engagement has this id, if there is one.
    ///
    /// # Errors
    /// Where its rows don't come back.
    pub fn not_in_snapshot(
        &mut self,
        id: ReferralId,
        engagement_of: Option<ReferralId>,
    ) -> Result<Option<Planned>, A::Error> {
        let Some(at) = self.find(id) else { return Ok(None) };
        let gathered = self.gather(at)?;
        let first = gathered.rows.first().copied();
        Ok(first.map(|place| self.reject(at, &gathered, vec![unknown(id, place, engagement_of)])))
    }

    /// Makes the invalid item of a group. Its valid rows are held back, too: each gets a finding that names an
    /// invalid row.
    fn reject(&mut self, at: usize, gathered: &Gathered, mut findings: Vec<Finding>) -> Planned {
        self.take_out(at);
        let same_row = |one: Location, other: Location| (one.input, one.line) == (other.input, other.line);
        let culprit =
            findings.first().map(|finding| finding.place).or_else(|| gathered.rejected.first().copied());
        let whole = findings.iter().any(|finding| finding.rule == Rule::UnknownReferral);
        for row in gathered.rows.iter().filter(|_| !whole) {
            let has_own = findings.iter().any(|finding| finding.is_deny() && same_row(finding.place, *row))
                || gathered.rejected.iter().any(|place| same_row(*place, *row));
            if let (false, Some(culprit)) = (has_own, culprit) {
                let message = format!("another row for this referral is invalid: {}", self.line(culprit));
                let finding = Finding::deny(Rule::Held, *row, message);
                findings
                    .push(finding.hint("a referral is changed as a whole or not at all: correct that row"));
            }
        }
        let mut verdict = Verdict::invalid(&findings);
        if findings.is_empty() {
            // The findings are on record with the rows.
            let lines: Vec<String> = gathered.rejected.iter().map(|place| self.line(*place)).collect();
            verdict.message = format!("what was read is no change: {}", lines.join(", ")).into();
        }
        self.judging.nothing_to_send(self.groups[at].number, self.ids.ids()[at], verdict, findings)
    }

    /// Marks a group as done.
    fn take_out(&mut self, at: usize) {
        self.groups[at].done = true;
        self.remaining -= 1;
    }

    /// Names a row by its input and line.
    fn line(&self, place: Location) -> String {
        let name = self.judging.inputs.get(place.input as usize).map_or("input", |path| input_name(path));
        format!("{name}:{}", place.line)
    }
}

impl Gathered {
    /// Rejects what an input leaves open.
    fn doubt(&mut self, Doubt { input, of_dates, why }: &Doubt) {
        if *of_dates {
            self.merged.doubt_dates(*input, why);
        } else {
            self.merged.doubt_numbers(*input, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::value::RawValue;
    use uuid::Uuid;

    use super::*;
    use crate::domain::change::{Append, Joining, Located};
    use crate::domain::fields::{Field, Path};
    use crate::domain::item::Effect;
    use crate::domain::rules::Levels;
    use crate::domain::status::{ClosedSubstatus, Stage};
    use crate::domain::value::{Wanted, element_key};

    const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
    const OTHER: &str = "5a1e0001-0000-4000-8000-000000000002";
    const ANN: &str = r#"{"email":"ann@example.com","firstName":"Ann"}"#;

    fn id(text: &str) -> ReferralId {
        text.parse().unwrap()
    }

    fn place(line: u64) -> Location {
        Location { input: 0, line, column: 1 }
    }

    fn planner() -> Planner {
        Planner::new(Judging {
            levels: Levels::default(),
            now: "2026-11-20T12:00:00Z".parse().unwrap(),
            new_id: Uuid::nil,
            inputs: vec!["changes.csv".to_owned()],
        })
    }

    fn draft(referral: &str, line: u64) -> Draft {
        Draft {
            id: id(referral),
            place: place(line),
            etag: None,
            status: None,
            substatus: None,
            sets: Vec::new(),
            appends: Vec::new(),
            shown: Vec::new(),
            provisos: Vec::new(),
            bases: Vec::new(),
        }
    }

    fn set(referral: &str, line: u64, field: Field, json: &str) -> Draft {
        let wanted = Wanted::from_json(field.kind(), serde_json::from_str(json).unwrap()).unwrap();
        let set = Located { value: (Path::Known(field), wanted), place: place(line) };
        Draft { sets: vec![set], ..draft(referral, line) }
    }

    fn append(referral: &str, line: u64, field: Field, json: &str) -> Draft {
        let element: Box<RawValue> = serde_json::from_str(json).unwrap();
        let key = element_key(field.kind(), &element).unwrap();
        let append = Located {
            value: Append { field, key, element, joining: Joining::Append, sign: None },
            place: place(line),
        };
        Draft { appends: vec![append], ..draft(referral, line) }
    }

    fn rejected(line: u64, partial: Option<Draft>) -> Rejected {
        let findings = vec![Finding::deny(Rule::Type, place(line), "bad")];
        Rejected { id: Some(id(ID)), place: place(line), findings, partial: partial.map(Box::new) }
    }

    fn referral(members: &str) -> String {
        let comma = if members.is_empty() { "" } else { "," };
        format!(r#"{{"id":"{ID}","eTag":"\"v1\"","status":"Active","substatus":"Accepted"{comma}{members}}}"#)
    }

    /// What is found, in the order of the lines.
    fn found(planned: &Planned) -> Vec<(u64, Rule, &str)> {
        let mut found: Vec<_> = planned
            .item
            .findings
            .iter()
            .map(|finding| (finding.place.line, finding.rule, finding.message.as_str()))
            .collect();
        found.sort_by_key(|finding| (finding.0, finding.2));
        found
    }

    fn orders<T: Clone>(items: &[T; 3]) -> [[T; 3]; 6] {
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
            .map(|order| order.map(|at| items[at].clone()))
    }

    #[test]
    fn contradicting_rows_name_each_other_and_hold_the_third_in_any_order() {
        let rows = [
            set(ID, 2, Field::DealValue, "1"),
            set(ID, 3, Field::SalesStage, "\"Close\""),
            set(ID, 4, Field::DealValue, "2"),
        ];
        for order in orders(&rows) {
            let mut planner = planner();
            planner.add(1, set(OTHER, 9, Field::DealValue, "2")).unwrap();
            for (row, draft) in (2..).zip(order.clone()) {
                assert_eq!(planner.add(row, draft), Ok(2));
            }
            let decided = planner.decided().unwrap();
            assert_eq!(decided.len(), 1);
            let planned = &decided[0];
            let culprit = order.iter().find(|row| row.place.line != 3).unwrap().place.line;
            assert_eq!(
                found(planned),
                [
                    (2, Rule::Contradiction, "/details/dealValue is given another value in line 4"),
                    (
                        3,
                        Rule::Held,
                        format!("another row for this referral is invalid: changes.csv:{culprit}").as_str()
                    ),
                    (4, Rule::Contradiction, "/details/dealValue is given another value in line 2"),
                ]
            );
            let verdict = planned.verdict.as_ref().unwrap();
            assert_eq!((verdict.outcome, verdict.code.as_str()), (Outcome::Invalid, "contradiction"));
            assert_eq!((planned.item.number, planned.item.patch.get()), (2, "[]"));
            assert_eq!(planner.wanted(), [id(OTHER)]);
        }
    }

    #[test]
    fn a_rejected_row_holds_its_siblings_in_any_order() {
        let held = "another row for this referral is invalid: changes.csv:3";
        let good = [set(ID, 2, Field::DealValue, "1"), set(ID, 4, Field::SalesStage, "\"Close\"")];
        let bad = || rejected(3, Some(draft(ID, 3)));
        for order in orders(&[Some(0), None, Some(1)]) {
            let mut planner = planner();
            for (row, which) in (1..).zip(order) {
                match which {
                    Some(at) => assert_eq!(planner.add(row, good[at].clone()), Ok(1)),
                    None => assert_eq!(planner.add_rejected(row, bad()), Ok(Some(1))),
                }
            }
            assert_eq!(planner.decided().unwrap().len(), 0, "what is left of the row is judged too");
            let planned = planner.plan(id(ID), Some(&snapshot(&referral(""))), |_| true).unwrap().unwrap();
            assert_eq!(found(&planned), [(2, Rule::Held, held), (4, Rule::Held, held)]);
            let verdict = planned.verdict.unwrap();
            assert_eq!((verdict.outcome, verdict.code.as_str()), (Outcome::Invalid, "held"));
            assert_eq!(planned.item.patch.get(), "[]");
            assert_eq!(planner.remaining(), 0);
        }
    }

    #[test]
    fn rejected_rows_that_say_nothing_need_no_look() {
        let mut planner = planner();
        assert_eq!(planner.add_rejected(1, rejected(2, None)), Ok(Some(1)));
        assert_eq!(planner.add_rejected(2, rejected(3, None)), Ok(Some(1)));
        assert_eq!(planner.add_rejected(3, Rejected { id: None, ..rejected(4, None) }), Ok(None));
        let decided = planner.decided().unwrap();
        assert_eq!(decided.len(), 1);
        assert_eq!(found(&decided[0]), []);
        assert_eq!(decided[0].verdict.as_ref().unwrap().outcome, Outcome::Invalid);
        assert_eq!(planner.remaining(), 0);
    }

    #[test]
    fn a_row_that_a_rule_denies_is_found_beside_a_rejected_one() {
        let mut planner = planner();
        let back = Stage::New(crate::domain::status::NewSubstatus::Received);
        let back = Located { value: back, place: place(2) };
        planner.add(1, Draft { substatus: Some(back), ..draft(ID, 2) }).unwrap();
        planner.add_rejected(2, rejected(3, Some(set(ID, 3, Field::DealValue, "1")))).unwrap();
        planner.add(3, set(ID, 4, Field::SalesStage, "\"Close\"")).unwrap();
        let planned = planner.plan(id(ID), Some(&snapshot(&referral(""))), |_| false).unwrap().unwrap();
        assert_eq!(
            found(&planned),
            [
                (2, Rule::Transition, "a referral that is Active/Accepted cannot become New/Received"),
                (4, Rule::Held, "another row for this referral is invalid: changes.csv:2"),
            ]
        );
    }

    fn snapshot(text: &str) -> Snapshot<'_> {
        Snapshot::whole(text).unwrap()
    }

    #[test]
    fn rows_become_one_document_in_the_order_of_the_service() {
        let won = Located { value: Stage::Closed(ClosedSubstatus::Won), place: place(2) };
        let rows = [
            Draft { substatus: Some(won), ..draft(ID, 2) },
            set(ID, 3, Field::DealValue, "12500.50"),
            set(ID, 4, Field::Solutions, r#"[{"id":"S1"}]"#),
            append(ID, 5, Field::Team, ANN),
            set(ID, 6, Field::DealValue, "12500.5"),
            set(ID, 7, Field::StatusReason, "\"a, \\\"b\\\"\""),
        ];
        let document = |current: Option<&str>| {
            let mut planner = planner();
            for (row, draft) in (1..).zip(rows.clone()) {
                assert_eq!(planner.add(row, draft), Ok(1));
            }
            let current = current.map(|text| snapshot(text));
            let planned = planner.plan(id(ID), current.as_ref(), |_| false).unwrap().unwrap();
            assert_eq!(planned.item.effect, Effect::OneWay);
            let operations: Vec<Box<RawValue>> = serde_json::from_str(planned.item.patch.get()).unwrap();
            operations.iter().map(|operation| operation.get().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            document(None),
            [
                r#"{"op":"add","path":"/statusReason","value":"a, \"b\""}"#,
                r#"{"op":"add","path":"/details/dealValue","value":12500.50}"#,
                r#"{"op":"add","path":"/details/requirements/solutions","value":[{"id":"S1"}]}"#,
                &format!(r#"{{"op":"add","path":"/team/-","value":{ANN}}}"#),
                r#"{"op":"add","path":"/status","value":"Closed"}"#,
                r#"{"op":"add","path":"/substatus","value":"Won"}"#,
            ]
        );
        assert_eq!(
            document(Some(&referral(r#""statusReason":null,"details":null,"team":[]"#))),
            [
                r#"{"op":"replace","path":"/details","value":{}}"#,
                r#"{"op":"add","path":"/details/requirements","value":{}}"#,
                r#"{"op":"replace","path":"/statusReason","value":"a, \"b\""}"#,
                r#"{"op":"add","path":"/details/dealValue","value":12500.50}"#,
                r#"{"op":"add","path":"/details/requirements/solutions","value":[{"id":"S1"}]}"#,
                &format!(r#"{{"op":"add","path":"/team/-","value":{ANN}}}"#),
                r#"{"op":"replace","path":"/status","value":"Closed"}"#,
                r#"{"op":"replace","path":"/substatus","value":"Won"}"#,
            ]
        );
    }

    #[test]
    fn a_list_and_what_is_appended_to_it() {
        let bo = r#"{"email":"bo@example.com"}"#;
        let full = r#"{"email":"ANN@example.com","firstName":"Ann","title":"CTO"}"#;
        let anna = r#"{"email":"ann@example.com","firstName":"Anna"}"#;
        let whole = |members: &[&str]| set(ID, 2, Field::Team, &format!("[{}]", members.join(",")));
        let add = |member| append(ID, 3, Field::Team, member);
        let exists = "ann@example.com is on /team already, with other data";
        for (team, rows, wanted, warned) in [
            // appended alone
            (format!("[{full}]"), vec![add(ANN)], String::new(), false),
            (format!("[{full}]"), vec![add(anna)], String::new(), true),
            (format!("[{bo}]"), vec![add(ANN), add(ANN)], format!("add /team/- {ANN}"), false),
            ("[]".into(), vec![add(ANN)], format!("add /team/- {ANN}"), false),
            ("null".into(), vec![add(ANN)], format!("replace /team [{ANN}]"), false),
            // beside the whole list
            (format!("[{bo}]"), vec![whole(&[bo]), add(ANN)], format!("add /team/- {ANN}"), false),
            (format!("[{bo}]"), vec![whole(&[ANN]), add(ANN)], format!("replace /team [{ANN}]"), false),
            (format!("[{bo}]"), vec![whole(&[ANN]), add(anna)], format!("replace /team [{ANN}]"), true),
            (format!("[{bo}]"), vec![whole(&[]), add(ANN)], format!("replace /team [{ANN}]"), false),
            (format!("[{full}]"), vec![whole(&[]), add(bo)], format!("replace /team [{bo}]"), false),
            // what is there already, with what the service knows about it
            (format!("[{bo},{full}]"), vec![whole(&[bo]), add(full)], String::new(), false),
            (format!("[{full}]"), vec![whole(&[]), add(full)], String::new(), false),
            (
                format!("[{full}]"),
                vec![whole(&[bo]), add(ANN)],
                format!(
                    r#"replace /team [{bo},{{"email":"ann@example.com","firstName":"Ann","title":"CTO"}}]"#
                ),
                false,
            ),
        ] {
            let mut planner = planner();
            for (row, draft) in (1..).zip(rows.clone()) {
                planner.add(row, draft).unwrap();
            }
            let text = referral(&format!(r#""team":{team}"#));
            let planned = planner.plan(id(ID), Some(&snapshot(&text)), |_| false).unwrap().unwrap();
            let operations: Vec<serde_json::Map<String, serde_json::Value>> =
                serde_json::from_str(planned.item.patch.get()).unwrap();
            let got: Vec<String> = operations
                .iter()
                .map(|operation| {
                    let text = |name: &str| operation[name].as_str().unwrap();
                    format!("{} {} {}", text("op"), text("path"), operation["value"])
                })
                .collect();
            assert_eq!(got.join(" "), wanted, "{team}, {rows:?}");
            let is_unchanged = planned.verdict.is_some_and(|verdict| verdict.outcome == Outcome::Unchanged);
            assert_eq!(is_unchanged, wanted.is_empty());
            let warnings: Vec<_> =
                planned.item.findings.iter().map(|finding| finding.message.as_str()).collect();
            assert_eq!(warnings, if warned { vec![exists] } else { vec![] });
        }
    }

    #[test]
    fn a_null_within_a_value_clears_nothing_without_leave() {
        let team = format!(r#""team":[{}]"#, r#"{"email":"ann@example.com","title":"CTO","x":null}"#);
        let of = |name| format!("/team: {name} of ann@example.com would be cleared");
        for (current, wanted, refused) in [
            (Some(&*team), r#"{"email":"ann@example.com","title":null}"#, Some("title")),
            (Some(&*team), r#"{"email":"ann@example.com","x":null,"y":null}"#, None),
            (Some(&*team), r#"{"email":"bo@example.com","title":null}"#, None),
            (Some(""), r#"{"email":"ann@example.com","title":null}"#, None),
            (Some(r#""team":null"#), r#"{"email":"ann@example.com","title":null}"#, None),
            (None, r#"{"email":"ann@example.com","title":null}"#, Some("title")),
            (None, r#"{"email":"ann@example.com"}"#, None),
        ] {
            for keeping in [true, false] {
                let mut row = set(ID, 2, Field::Team, &format!("[{wanted}]"));
                if keeping {
                    row.sets[0].value.1 = row.sets[0].value.1.clone().keeping();
                }
                let mut planner = planner();
                planner.add(1, row).unwrap();
                let text = current.map(referral);
                let current = text.as_deref().map(snapshot);
                let planned = planner.plan(id(ID), current.as_ref(), |_| false).unwrap().unwrap();
                let denied: Vec<&str> = (planned.item.findings.iter())
                    .filter(|finding| finding.is_deny())
                    .map(|finding| finding.message.as_str())
                    .collect();
                let message = refused.filter(|_| keeping).map(of);
                assert_eq!(denied, message.iter().collect::<Vec<_>>(), "{text:?} {wanted}");
                assert_eq!(planned.item.patch.get() == "[]", !denied.is_empty() || planned.verdict.is_some());
            }
        }
    }

    #[test]
    fn items_are_numbered_by_their_first_row_and_wanted_in_that_order() {
        let ids: Vec<String> =
            (1..=9).rev().map(|at| format!("5a1e0001-0000-4000-8000-00000000000{at}")).collect();
        let mut planner = planner();
        for (row, referral) in (1..).zip(ids.iter().chain(&ids)) {
            let number = planner.add(row, set(referral, row, Field::DealValue, "1")).unwrap();
            assert_eq!(number, if row > 9 { row - 9 } else { row });
        }
        assert_eq!(planner.wanted(), ids.iter().map(|referral| id(referral)).collect::<Vec<_>>());
        assert_eq!(planner.remaining(), 9);
        assert!(planner.absent(id(&ids[4]), Verdict::new(Outcome::Refused, "404", "gone")).is_some());
        assert!(planner.absent(id(&ids[4]), Verdict::new(Outcome::Refused, "404", "gone")).is_none());
        assert_eq!(planner.remaining(), 8);
        assert!(!planner.wants(id(&ids[4])));
    }

    #[test]
    fn a_state_that_is_not_the_last_word_is_planned_again() {
        let mut planner = planner();
        planner.add(1, set(ID, 2, Field::DealValue, "1")).unwrap();
        let bare = format!(r#"{{"id":"{ID}","status":"Active","substatus":"Accepted"}}"#);
        let first = planner
            .plan(id(ID), Some(&snapshot(&bare)), |planned| planned.item.etag.is_none())
            .unwrap()
            .unwrap();
        assert_eq!(first.item.etag, None);
        assert!(planner.wants(id(ID)));
        let second = planner.plan(id(ID), Some(&snapshot(&referral(""))), |_| false).unwrap().unwrap();
        assert_eq!(second.item.etag.unwrap().as_str(), "\"v1\"");
        assert!(!planner.wants(id(ID)));
        assert!(planner.plan(id(ID), None, |_| false).unwrap().is_none());
    }

    #[test]
    fn a_list_is_replaced_as_a_whole_where_nothing_guards_it() {
        let mut planner = planner();
        planner.add(1, append(ID, 2, Field::Team, ANN)).unwrap();
        let bare = format!(r#"{{"id":"{ID}","team":[{{"email":"bo@example.com","x":1.0}}]}}"#);
        let planned = planner.plan(id(ID), Some(&snapshot(&bare)), |_| false).unwrap().unwrap();
        assert_eq!(
            planned.item.patch.get(),
            format!(
                r#"[{{"op":"replace","path":"/team","value":[{{"email":"bo@example.com","x":1.0}},{ANN}]}}]"#
            )
        );
        assert!(planned.item.is_repeatable());
    }

    #[test]
    fn a_referral_that_a_snapshot_lacks_may_be_an_engagement() {
        for (engagement_of, hint) in [
            (None, "take a newer snapshot, or plan against the API with --state live".to_owned()),
            (
                Some(id(OTHER)),
                format!("this is the engagementId of referral {OTHER}: give the referral's own id"),
            ),
        ] {
            let mut planner = planner();
            planner.add(1, set(ID, 2, Field::DealValue, "1")).unwrap();
            planner.add(2, set(ID, 3, Field::SalesStage, "\"Close\"")).unwrap();
            let planned = planner.not_in_snapshot(id(ID), engagement_of).unwrap().unwrap();
            let message = format!("the snapshot holds no referral {ID}");
            assert_eq!(found(&planned), [(2, Rule::UnknownReferral, message.as_str())]);
            let told = planned.item.findings[0].hint.as_ref().map(crate::commands::next_command::spelled);
            assert_eq!(told.as_ref(), Some(&hint));
            let verdict = planned.verdict.unwrap();
            assert_eq!((verdict.outcome, verdict.code.as_str()), (Outcome::Invalid, "unknown-referral"));
            assert!(planner.not_in_snapshot(id(ID), engagement_of).unwrap().is_none());
        }
    }

    #[test]
    fn a_conflict_tells_what_was_found_and_no_base_that_nobody_saw() {
        let mut planner = planner();
        let etag = crate::domain::referral::ETag::from_input("v0").unwrap();
        let bound = set(ID, 2, Field::DealValue, "7.0");
        planner.add(1, Draft { etag: Some(Located { value: etag, place: place(2) }), ..bound }).unwrap();
        let text = referral(r#""details":{"dealValue":5.10}"#);
        let planned = planner.plan(id(ID), Some(&snapshot(&text)), |_| false).unwrap().unwrap();
        assert_eq!(planned.verdict.unwrap().outcome, Outcome::Conflict);
        assert_eq!(planned.theirs.unwrap().get(), r#"{"/details/dealValue":5.10}"#);
        assert_eq!(planned.item.etag.unwrap().as_str(), "\"v0\"");
        let change = &planned.item.changes[0];
        assert_eq!(
            (change.before.as_deref().map(RawValue::get), change.base.is_none()),
            (Some("5.10"), true)
        );
        assert_eq!(planned.item.patch.get(), "[]");
    }

    #[test]
    fn a_referral_of_an_unheard_of_shape_is_left_alone() {
        for members in [r#""details":"none""#, r#""details":[]"#, r#""details":7"#] {
            let mut planner = planner();
            planner.add(1, set(ID, 2, Field::DealValue, "1")).unwrap();
            planner.add(2, set(ID, 3, Field::SalesStage, "\"Close\"")).unwrap();
            let text = referral(members);
            let planned = planner.plan(id(ID), Some(&snapshot(&text)), |_| false).unwrap().unwrap();
            assert_eq!(
                found(&planned).iter().map(|found| found.1).collect::<Vec<_>>(),
                [Rule::Operation],
                "{members}"
            );
            assert_eq!(planned.verdict.unwrap().code, "operation");
            assert_eq!(planned.item.patch.get(), "[]");
        }
    }

    #[test]
    fn what_is_decided_comes_in_the_order_of_its_rows() {
        let judging = Judging {
            levels: Levels::default(),
            now: Timestamp::UNIX_EPOCH,
            new_id: Uuid::nil,
            inputs: vec!["a.csv".to_owned()],
        };
        let mut planner = Planner::new(judging);
        for row in 1..=50 {
            let place = Location { input: 0, line: row + 1, column: 1 };
            // The ids run against the rows.
            let id = Uuid::from_u128(u128::from(1_000 - row)).to_string().parse().ok();
            planner.add_rejected(row, Rejected { id, place, findings: Vec::new(), partial: None }).unwrap();
        }
        let numbers: Vec<u64> =
            planner.decided().unwrap().iter().map(|planned| planned.item.number).collect();
        assert_eq!(numbers, (1..=50).collect::<Vec<u64>>());
        assert_eq!(planner.remaining(), 0);
    }
}
