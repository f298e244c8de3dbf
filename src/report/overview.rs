//! The overview of a plan for people: what would be closed for good, and what else would change stage, with the deals'
//! values; which fields change how often; the first referrals, field by field; what the rules warn of.
//!
//! It is a fold over the items, and holds no more than a few lines of each sort however many there are.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use comfy_table::Cell;

use crate::domain::account::{InputInfo, ItemAccount, RowStanding};
use crate::domain::characters::visible;
use crate::domain::fields::{Field, Path};
use crate::domain::item::{Change, Effect};
use crate::domain::json;
use crate::domain::level::Level;
use crate::domain::rules::Rule;
use crate::domain::run_spec::StateSource;
use crate::domain::status::Standing;
use crate::domain::subject::Subject;

use super::change_text::{Extent, NoValue};
use super::example::Example;
use super::format::{counted, grouped};
use super::money::Money;
use super::plan::PlanCounts;
use super::referral_text::ReferralWriter;
use super::table::{number, plain_table, section, told};

/// The referrals that are told field by field.
const FIRST: u64 = 10;

/// The changes of stage that are counted apart. A service that invents stages must not be able to fill the memory.
const MOST_MOVES: usize = 100;

/// The fields that are counted apart.
const MOST_FIELDS: usize = 50;

/// What stands for all further stages.
const OTHERS: &str = "(others)";

/// The overview of a plan, while its items are added and afterwards.
#[derive(Debug, Clone)]
pub struct Overview {
    writer: ReferralWriter,
    counts: PlanCounts,
    moves: BTreeMap<StageMove, Moved>,
    fields: BTreeMap<String, u64>,
    /// The first referrals, as text.
    first: Vec<String>,
    warnings: BTreeMap<Rule, (u64, Example)>,
}

/// A change from one stage to another, or a change at a stage that stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct StageMove {
    /// Whether it closes the referral, which can't be undone.
    closes: bool,
    from: String,
    to: String,
}

/// The referrals that make such a change.
#[derive(Debug, Clone, Default)]
struct Moved {
    referrals: u64,
    values: Money,
}

impl Overview {
    /// Begins the overview of a plan that was made from this state of the referrals.
    pub fn begin(state: &StateSource, inputs: &[InputInfo]) -> Self {
        Self {
            writer: ReferralWriter::of(state, inputs),
            counts: PlanCounts::default(),
            moves: BTreeMap::new(),
            fields: BTreeMap::new(),
            first: Vec::new(),
            warnings: BTreeMap::new(),
        }
    }

    /// Adds the next referral of the run, with its rows as they stand; without any, where nothing was sent yet.
    pub fn add(&mut self, account: &ItemAccount, rows: &[RowStanding]) {
        self.counts.add(account);
        self.add_warnings(account);
        if account.planned.is_some() {
            return;
        }
        self.add_move(account);
        for change in &account.item.changes {
            // Nearly every field was met before, and is shown as it is.
            if let Some(referrals) = self.fields.get_mut(change.path.pointer().as_str()) {
                *referrals += 1;
                continue;
            }
            let name = visible(change.path.pointer().as_str()).into_owned();
            let is_apart = self.fields.contains_key(&name) || self.fields.len() < MOST_FIELDS;
            *self.fields.entry(if is_apart { name } else { OTHERS.to_owned() }).or_default() += 1;
        }
        if self.counts.to_send <= FIRST {
            self.first.push(self.writer.lines(account, rows, Extent::Excerpt).join("\n"));
        }
    }

    /// Returns the number of referrals that would be sent and are not told field by field.
    pub fn hidden(&self) -> u64 {
        self.counts.to_send.saturating_sub(FIRST)
    }

    /// Whether any referral is not told field by field.
    pub fn is_short(&self) -> bool {
        self.counts.total > self.first.len() as u64
    }

    /// Returns the referrals by what the plan does to them.
    pub fn counts(&self) -> PlanCounts {
        self.counts
    }

    fn add_move(&mut self, account: &ItemAccount) {
        let subject = account.subject.as_ref();
        let closes = account.item.effect == Effect::OneWay;
        let (from, to) = stages(account);
        let mut made = StageMove { closes, from, to };
        if self.moves.len() >= MOST_MOVES && !self.moves.contains_key(&made) {
            made = StageMove { closes, from: OTHERS.to_owned(), to: OTHERS.to_owned() };
        }
        let moved = self.moves.entry(made).or_default();
        moved.referrals += 1;
        let seen = |of: fn(&Subject) -> &Option<String>| subject.and_then(|subject| of(subject).as_deref());
        let value = left(account, Field::DealValue, seen(|subject| &subject.value));
        let currency = left(account, Field::Currency, seen(|subject| &subject.currency));
        moved.values.add(value.as_deref(), currency.as_deref());
    }

    fn add_warnings(&mut self, account: &ItemAccount) {
        let findings = &account.item.findings;
        for (at, finding) in findings.iter().enumerate().filter(|(_, finding)| finding.level == Level::Warn) {
            if findings[..at].iter().any(|earlier| earlier.rule == finding.rule) {
                continue;
            }
            let example = || Example {
                message: finding.message.clone(),
                place: finding.place,
                id: Some(account.item.id),
                title: account.subject.as_ref().and_then(Subject::title),
            };
            self.warnings.entry(finding.rule).or_insert_with(|| (0, example())).0 += 1;
        }
    }

    /// Returns the sections on what would change; `fields` says whether with the number of times that each field
    /// changes.
    pub(super) fn sections(&self, fields: bool) -> Vec<String> {
        let unseen = (self.writer.no_value == NoValue::NotSeen && self.counts.to_send > 0)
            .then(|| "no referral was looked at: nobody knows what stands there before\n".to_owned());
        let closings = self.moves_table("closed for good, which cannot be undone", true);
        let others = self.moves_table("what else changes", false);
        let fields = if fields { self.fields_table() } else { None };
        [unseen, closings, others, fields, self.first_referrals()].into_iter().flatten().collect()
    }

    /// Returns all of it as text, for whoever is asked to consent.
    pub fn text(&self) -> String {
        let mut sections = self.sections(true);
        sections.extend(self.warnings_table());
        sections.join("\n")
    }

    fn moves_table(&self, title: &str, closing: bool) -> Option<String> {
        let mut moves: Vec<_> = self.moves.iter().filter(|(made, _)| made.closes == closing).collect();
        moves.sort_by_key(|(_, moved)| Reverse(moved.referrals));
        let mut table = plain_table();
        table.set_header(["referrals", "from", "to", "deal value"]);
        for (StageMove { from, to, .. }, Moved { referrals, values }) in &moves {
            table.add_row([
                number(grouped(*referrals)),
                Cell::new(from),
                Cell::new(to),
                Cell::new(values.told(self.writer.no_value.of_value())),
            ]);
        }
        section(title, &table, moves.len(), "more change")
    }

    fn fields_table(&self) -> Option<String> {
        let mut fields: Vec<_> = self.fields.iter().collect();
        fields.sort_by_key(|(_, referrals)| Reverse(**referrals));
        let mut table = plain_table();
        table.set_header(["referrals", "field"]);
        for (field, referrals) in &fields {
            table.add_row([number(grouped(**referrals)), Cell::new(field)]);
        }
        section("which fields change", &table, fields.len(), "more field")
    }

    fn first_referrals(&self) -> Option<String> {
        let shown = self.first.len() as u64;
        let title = match self.hidden() {
            0 => "what changes of each referral".to_owned(),
            _ => format!("what changes of the first {shown} of {}", counted(self.counts.to_send, "referral")),
        };
        (shown > 0).then(|| format!("{title}\n{}\n", self.first.join("\n")))
    }

    fn warnings_table(&self) -> Option<String> {
        let mut warnings: Vec<_> = self.warnings.iter().collect();
        warnings.sort_by_key(|(_, (referrals, _))| Reverse(*referrals));
        let mut table = plain_table();
        table.set_header(["referrals", "rule", "first at", "first message"]);
        for (rule, (referrals, first)) in &warnings {
            table.add_row([
                number(grouped(*referrals)),
                Cell::new(rule.id()),
                Cell::new(self.writer.names.place(first.place)),
                Cell::new(told(first)),
            ]);
        }
        section("what is warned of", &table, warnings.len(), "more reason")
    }
}

/// Returns the stage of a referral before, and the one that the plan leaves it at, in words.
fn stages(account: &ItemAccount) -> (String, String) {
    let seen = |of: fn(&Subject) -> &Option<String>, field| {
        let before = change(account, field).and_then(|change| json::string(change.before.as_deref()?));
        let before = before.map(|text| visible(&text).into_owned());
        before.or_else(|| account.subject.as_ref().and_then(|subject| of(subject).clone()))
    };
    let status = seen(|subject| &subject.status, Field::Status);
    let substatus = seen(|subject| &subject.substatus, Field::Substatus);
    let stage = |status: Option<&str>, substatus: Option<&str>| {
        Standing::of(status.unwrap_or_default(), substatus.unwrap_or_default()).to_string()
    };
    let is_seen = status.is_some() || substatus.is_some();
    let (status, substatus) = (status.as_deref(), substatus.as_deref());
    let from = if is_seen { stage(status, substatus) } else { NoValue::NotSeen.words().to_owned() };
    let moves = [Field::Status, Field::Substatus].into_iter().any(|field| change(account, field).is_some());
    let to = if moves {
        let (status, substatus) =
            (left(account, Field::Status, status), left(account, Field::Substatus, substatus));
        stage(status.as_deref(), substatus.as_deref())
    } else {
        "stays so".to_owned()
    };
    (from, to)
}

/// Returns the change that an item makes to a field.
fn change(account: &ItemAccount, field: Field) -> Option<&Change> {
    account.item.changes.iter().find(|change| change.path == Path::Known(field))
}

/// Returns the text that a plan leaves in a field, which now has the text that was `seen`.
fn left(account: &ItemAccount, field: Field, seen: Option<&str>) -> Option<String> {
    match change(account, field) {
        None => seen.map(str::to_owned),
        Some(change) if json::is_null(&change.after) => None,
        Some(change) => {
            let text = json::string(&change.after).unwrap_or_else(|| change.after.get().into());
            Some(visible(&text).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{csv_input, planned_item, subject, warning};
    use super::*;
    use crate::domain::outcome::{Outcome, Verdict};

    fn overview(state: StateSource, items: &[ItemAccount]) -> Overview {
        let mut overview = Overview::begin(&state, &[csv_input("a.csv", &["id"], 0)]);
        items.iter().for_each(|item| overview.add(item, &[]));
        overview
    }

    fn closing(number: u64, to: &str) -> ItemAccount {
        let changes =
            [(Field::Status, r#""Active""#, r#""Closed""#), (Field::Substatus, r#""Accepted""#, to)];
        planned_item(number, Effect::OneWay, &changes, None)
    }

    #[test]
    fn closings_come_first_with_what_the_deals_are_worth() {
        let mut warned = closing(1, r#""Won""#);
        warned.item.findings = vec![warning(Rule::EarlyWin), warning(Rule::EarlyWin)];
        let mut poor = closing(2, r#""Won""#);
        poor.subject = Some(Subject { value: None, ..subject() });
        let value = [(Field::DealValue, "10000.00", "0.05"), (Field::Currency, r#""EUR""#, r#""USD""#)];
        let cleared = [(Field::DealValue, "10000.00", "null"), (Field::Notes, "", r#""Zoë\u001b""#)];
        let mut unnamed = planned_item(6, Effect::Reversible, &[(Field::Notes, "", "1")], None);
        unnamed.subject = None;
        let refused = Some(Verdict::new(Outcome::Invalid, "code", "message"));
        let items = [
            planned_item(5, Effect::Reversible, &value, None),
            warned,
            poor,
            closing(3, r#""Lost""#),
            planned_item(4, Effect::Reversible, &cleared, None),
            unnamed,
            planned_item(7, Effect::Unchanged, &[], refused),
        ];
        let overview = overview(StateSource::Live, &items);
        assert_eq!((overview.hidden(), overview.is_short()), (0, true));
        insta::assert_snapshot!(overview.text(), @r#"
        closed for good, which cannot be undone
         referrals  from             to           deal value
                 2  Active/Accepted  Closed/Won   10,000.00 EUR, and 1 without a value
                 1  Active/Accepted  Closed/Lost  10,000.00 EUR

        what else changes
         referrals  from             to        deal value
                 2  Active/Accepted  stays so  0.05 USD, and 1 without a value
                 1  not seen         stays so  without a value

        which fields change
         referrals  field
                 3  /status
                 3  /substatus
                 2  /details/dealValue
                 2  /details/notes
                 1  /details/currency

        what changes of each referral
        “Fabrikam rollout”, Fabrikam
          00000000-0000-0000-0000-000000000005, a.csv:6: changes
          /details/dealValue  10000.00 → 0.05
          /details/currency   "EUR" → "USD"
        “Fabrikam rollout”, Fabrikam
          00000000-0000-0000-0000-000000000001, a.csv:2: closes for good
          /status     "Active" → "Closed"
          /substatus  "Accepted" → "Won"
          warning[early-win] a.csv:2: early-win is worth a look
          warning[early-win] a.csv:2: early-win is worth a look
        “Fabrikam rollout”, Fabrikam
          00000000-0000-0000-0000-000000000002, a.csv:3: closes for good
          /status     "Active" → "Closed"
          /substatus  "Accepted" → "Won"
        “Fabrikam rollout”, Fabrikam
          00000000-0000-0000-0000-000000000003, a.csv:4: closes for good
          /status     "Active" → "Closed"
          /substatus  "Accepted" → "Lost"
        “Fabrikam rollout”, Fabrikam
          00000000-0000-0000-0000-000000000004, a.csv:5: changes
          /details/dealValue  10000.00 → nothing
          /details/notes      nothing → "Zoë�"
        00000000-0000-0000-0000-000000000006, a.csv:7: changes
          /details/notes  nothing → 1

        what is warned of
         referrals  rule       first at  first message
                 1  early-win  a.csv:2   early-win is worth a look (“Fabrikam rollout”, Fabrikam)
        "#);
    }

    #[test]
    fn what_was_not_seen_is_not_told_as_nothing() {
        let changes = [(Field::Substatus, "", r#""Lost""#), (Field::Status, "", r#""Closed""#)];
        let mut item = planned_item(1, Effect::OneWay, &changes, None);
        item.subject = None;
        insta::assert_snapshot!(overview(StateSource::None, &[item]).text(), @r#"
        no referral was looked at: nobody knows what stands there before

        closed for good, which cannot be undone
         referrals  from      to           deal value
                 1  not seen  Closed/Lost  not seen

        which fields change
         referrals  field
                 1  /status
                 1  /substatus

        what changes of each referral
        00000000-0000-0000-0000-000000000001, a.csv:2: closes for good
          /substatus  not seen → "Lost"
          /status     not seen → "Closed"
        "#);
    }

    #[test]
    fn ten_referrals_are_told_field_by_field() {
        let items: Vec<_> = (1..=1_200)
            .map(|number| planned_item(number, Effect::Reversible, &[(Field::Notes, "", "1")], None))
            .collect();
        let overview = overview(StateSource::Live, &items);
        let text = overview.text();
        assert_eq!((overview.hidden(), text.matches("nothing → 1").count()), (1_190, 10));
        assert!(text.contains("what changes of the first 10 of 1,200 referrals\n"), "{text}");
    }

    #[test]
    fn a_service_that_invents_stages_cannot_fill_the_memory() {
        let items: Vec<_> = (1..=1_000).map(|number| closing(number, &format!("\"S{number}\""))).collect();
        let overview = overview(StateSource::Live, &items);
        assert_eq!(overview.moves.len(), MOST_MOVES + 1);
        assert_eq!(overview.moves.values().map(|moved| moved.referrals).sum::<u64>(), 1_000);
    }
}
