//! Deal values: what they were and what they became, by currency and to the last digit.
//!
//! Of a plan it tells what would change, of a run what the service confirmed: the values that it took, and of a row that
//! it took in part the one that it kept. What can't be compared (a value or a currency that isn't known, a currency
//! that changes as well) is counted and said to be left out; nothing is guessed.

use askama::Template;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::value::RawValue;

use super::super::format::{counted, grouped, grouped_digits};
use super::super::money::{ByCurrency, Sum, exact};
use super::kind::Kind;
use super::texts::Texts;
use super::words::{NONE, by_number};
use crate::domain::account::FullRow;
use crate::domain::equality;
use crate::domain::fields::{Field, Kind as FieldKind, Path};
use crate::domain::item::Change;
use crate::domain::json::{self, Object};
use crate::domain::outcome::Outcome;

/// The deal values that change, summed up.
#[derive(Debug)]
pub(super) struct DealValues {
    kind: Kind,
    sums: ByCurrency<DealSums>,
    left_out: LeftOut,
}

/// The deal values of one currency.
#[derive(Debug, Clone, Copy)]
struct DealSums {
    before: Sum,
    after: Sum,
}

/// The referrals whose deal value changes and can't be compared, by the first reason that holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct LeftOut {
    /// No value before is known: there was none, or it wasn't seen.
    without_before: u64,
    /// There is no value afterwards.
    without_after: u64,
    /// The currency changes, too.
    other_currency: u64,
    /// No currency is known.
    without_currency: u64,
}

/// A deal value that changes.
struct Changing<'r> {
    before: Option<Decimal>,
    after: Option<Decimal>,
    currency: Denomination<'r>,
}

/// The currency of a value before and after.
enum Denomination<'r> {
    Known(std::borrow::Cow<'r, str>),
    Unknown,
    Another,
}

#[derive(Template)]
#[template(path = "money.html", config = "src/report/html/askama.toml")]
struct Section {
    of_which: &'static str,
    lines: Vec<CurrencyLine>,
    left_out: Option<String>,
}

struct CurrencyLine {
    currency: String,
    referrals: String,
    cells: [MoneyCell; 4],
}

struct MoneyCell {
    head: &'static str,
    text: String,
}

impl DealValues {
    /// Begins the sums of a page of this kind.
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, sums: ByCurrency::default(), left_out: LeftOut::default() }
    }

    /// Adds the next row of the run. A referral counts once, whatever rows name it.
    pub(super) fn add(&mut self, row: &FullRow) {
        let Some(Changing { before, after, currency }) = changing(row, self.kind).filter(|_| row.is_first())
        else {
            return;
        };
        let left_out = &mut self.left_out;
        match (before, after, currency) {
            (None, ..) => left_out.without_before += 1,
            (_, None, _) => left_out.without_after += 1,
            (.., Denomination::Another) => left_out.other_currency += 1,
            (.., Denomination::Unknown) => left_out.without_currency += 1,
            (Some(before), Some(after), Denomination::Known(currency)) => {
                let begun = || DealSums { before: Sum::begun(), after: Sum::begun() };
                let others = || DealSums { before: Sum::default(), after: Sum::default() };
                let sums = self.sums.of(&currency, begun, others);
                sums.before.add(before);
                sums.after.add(after);
            }
        }
    }

    /// Returns the section; an empty text where no deal value changes.
    ///
    /// # Errors
    /// Where a template can't be rendered, which is a defect.
    pub(super) fn html(&self, texts: Texts) -> Result<String, askama::Error> {
        let mut sums: Vec<(&str, &DealSums)> = self.sums.iter().collect();
        sums.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.before.amounts));
        let lines: Vec<CurrencyLine> =
            sums.into_iter().map(|(currency, sums)| sums.line(texts.plain(currency))).collect();
        let left_out = self.left_out.told(self.kind);
        if lines.is_empty() && left_out.is_none() {
            return Ok(String::new());
        }
        let of_which = match self.kind {
            Kind::Plan => "Of referrals whose deal value would change.",
            Kind::Run => "Of referrals whose deal value changed, as the service confirmed it.",
        };
        Section { of_which, lines, left_out }.render()
    }
}

impl DealSums {
    fn line(&self, currency: String) -> CurrencyLine {
        let amount = |sum: Option<Decimal>| sum.map_or_else(|| NONE.to_owned(), plain);
        let difference =
            self.after.total.zip(self.before.total).and_then(|(after, before)| after.checked_sub(before));
        let share =
            difference.zip(self.before.total).and_then(|(difference, before)| share(difference, before));
        let cell = |head, text| MoneyCell { head, text };
        CurrencyLine {
            currency,
            referrals: grouped(self.before.amounts),
            cells: [
                cell("Before", amount(self.before.total)),
                cell("After", amount(self.after.total)),
                cell("Difference", difference.map_or_else(|| NONE.to_owned(), signed)),
                cell("in %", share.map_or_else(|| NONE.to_owned(), signed)),
            ],
        }
    }
}

impl LeftOut {
    /// Returns a sentence with each reason; `None` where nothing is left out.
    fn told(self, kind: Kind) -> Option<String> {
        let Self { without_before, without_after, other_currency, without_currency } = self;
        let (gets, changes, is_left) = match kind {
            Kind::Plan => ("would get", "would change", "would be left"),
            Kind::Run => ("got", "changed", by_number(without_after, "is left", "are left")),
        };
        let reasons = [
            (without_before, format!("that {gets} a first deal value, or whose value before is not known")),
            (without_after, format!("that {is_left} without a deal value")),
            (other_currency, format!("whose currency {changes} as well")),
            (without_currency, "whose currency is not known".to_owned()),
        ];
        let told = reasons.into_iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> =
            told.map(|(count, reason)| format!("{} {reason}", counted(count, "referral"))).collect();
        (!told.is_empty()).then(|| format!("Not compared: {}.", told.join("; ")))
    }
}

/// Returns the deal value of a row's referral before and after; `None` where it doesn't change, or didn't.
fn changing(row: &FullRow, kind: Kind) -> Option<Changing<'_>> {
    let change = row.change.as_ref()?;
    let counts = match row.account.verdict.outcome {
        Outcome::Planned => kind == Kind::Plan,
        Outcome::Applied | Outcome::Partial => kind == Kind::Run,
        _ => false,
    };
    let of = |field: Field| change.changes.iter().find(move |change| change.path == Path::Known(field));
    let value = of(Field::DealValue).filter(|_| counts)?;
    let kept = row.account.theirs.as_deref().filter(|_| kind == Kind::Run).and_then(Object::from_raw);
    // What the service has now: what it kept in another way than it was sent, else what was sent.
    let after = |change: &Change| -> Option<Box<RawValue>> {
        let kept = kept.as_ref().and_then(|kept| kept.get(change.path.pointer().as_str()));
        let after = kept.map_or_else(|| change.after.clone(), ToOwned::to_owned);
        (after.get() != "null").then_some(after)
    };
    let now = after(value);
    if equality::same(FieldKind::Decimal, now.as_deref(), value.before.as_deref().unwrap_or(&json::raw(&())))
    {
        return None;
    }
    let subject = row.account.subject.as_ref();
    let seen = subject.and_then(|subject| subject.currency.clone());
    let text = |raw: &RawValue| json::string(raw).map(std::borrow::Cow::into_owned);
    let currency = of(Field::Currency);
    let currency_before =
        currency.and_then(|change| text(change.before.as_deref()?)).or_else(|| seen.clone());
    let currency_after = match currency {
        Some(change) => after(change).as_deref().and_then(text),
        None => seen,
    };
    Some(Changing {
        before: value.before.as_deref().and_then(amount),
        after: now.as_deref().and_then(amount),
        currency: match (currency_before, currency_after) {
            (Some(before), Some(after)) if before == after => Denomination::Known(before.into()),
            (Some(_), Some(_)) => Denomination::Another,
            _ => Denomination::Unknown,
        },
    })
}

/// Returns an amount, which services write as a number or as a text that holds one.
fn amount(raw: &RawValue) -> Option<Decimal> {
    json::string(raw).map_or_else(|| exact(raw.get()), |text| exact(&text))
}

/// Returns a difference in per cent of what was before; `None` of nothing.
fn share(difference: Decimal, before: Decimal) -> Option<Decimal> {
    let share = difference.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(before)?;
    let mut share = share.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero);
    share.rescale(1);
    Some(share)
}

/// Returns a number with commas between thousands and a true minus.
fn plain(number: Decimal) -> String {
    grouped_digits(&number.to_string()).replace('-', "−")
}

/// Returns the same with its sign, whatever it is.
fn signed(number: Decimal) -> String {
    let sign = if number.is_zero() || number.is_sign_negative() { "" } else { "+" };
    format!("{sign}{}", plain(number))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::raw;
    use super::super::testing::{change, full};
    use super::*;
    use crate::domain::item::Effect;

    /// A row whose referral has this currency and gets this deal value.
    fn row(ordinal: u64, outcome: Outcome, currency: &str, [before, after]: [&str; 2]) -> FullRow {
        let mut row = full(ordinal, outcome, Some(Effect::Reversible));
        row.account.subject = Some(super::super::super::testing::subject());
        if let Some(subject) = &mut row.account.subject {
            subject.currency = (!currency.is_empty()).then(|| currency.to_owned());
        }
        if let Some(item) = &mut row.change {
            item.changes = vec![change(Field::DealValue, before, after)];
        }
        row
    }

    /// The lines of the table and what is said beneath it.
    fn told(kind: Kind, rows: &[FullRow]) -> Vec<String> {
        let mut values = DealValues::new(kind);
        rows.iter().for_each(|row| values.add(row));
        let line = |(currency, sums): (&str, &DealSums)| {
            let CurrencyLine { currency, referrals, cells } = sums.line(currency.to_owned());
            format!("{currency} {referrals}: {}", cells.map(|cell| cell.text).join(" | "))
        };
        values.sums.iter().map(line).chain(values.left_out.told(kind)).collect()
    }

    #[test]
    fn values_are_summed_exactly_and_apart_by_currency() {
        let applied = |ordinal, currency, values| row(ordinal, Outcome::Applied, currency, values);
        let rows = [
            applied(1, "EUR", ["0.1", "0.20"]),
            applied(2, "EUR", ["10000.00", "\"12500.50\""]),
            applied(3, "JPY", ["1e4", "7500"]),
            applied(4, "USD", ["0", "100"]),
        ];
        assert_eq!(
            told(Kind::Run, &rows),
            [
                "EUR 2: 10,000.10 | 12,500.70 | +2,500.60 | +25.0",
                "JPY 1: 10,000 | 7,500 | −2,500 | −25.0",
                "USD 1: 0 | 100 | +100 | –",
            ]
        );
    }

    /// Only what the plan would do counts for a plan, and only what the service confirmed for a run.
    #[test]
    fn a_value_counts_where_it_is_confirmed() {
        for outcome in Outcome::ALL {
            let rows = [row(1, outcome, "EUR", ["10", "20"])];
            let counts = |kind| !told(kind, &rows).is_empty();
            assert_eq!(counts(Kind::Plan), outcome == Outcome::Planned, "{outcome:?}");
            let is_done = matches!(outcome, Outcome::Applied | Outcome::Partial);
            assert_eq!(counts(Kind::Run), is_done, "{outcome:?}");
        }
    }

    #[test]
    fn what_the_service_kept_is_what_counts() {
        for (kept, wanted) in [
            ("{}", &["EUR 1: 10 | 20 | +10 | +100.0"][..]),
            (r#"{"/details/dealValue":15.5}"#, &["EUR 1: 10 | 15.5 | +5.5 | +55.0"]),
            (r#"{"/details/dealValue":10.0}"#, &[]),
            (
                r#"{"/details/dealValue":null}"#,
                &["Not compared: 1 referral that is left without a deal value."],
            ),
            (r#"{"/details/notes":"x"}"#, &["EUR 1: 10 | 20 | +10 | +100.0"]),
        ] {
            let mut row = row(1, Outcome::Partial, "EUR", ["10", "20"]);
            row.account.theirs = Some(raw(kept));
            assert_eq!(told(Kind::Run, &[row]), wanted, "{kept}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_said_and_not_guessed() {
        let mut other = row(1, Outcome::Planned, "EUR", ["10", "20"]);
        let mut same = row(2, Outcome::Planned, "EUR", ["10", "20"]);
        let mut first = row(3, Outcome::Planned, "", ["10", "20"]);
        for (row, [before, after]) in [
            (&mut other, ["\"EUR\"", "\"USD\""]),
            (&mut same, ["\"USD\"", "\"USD\""]),
            (&mut first, ["", "\"USD\""]),
        ] {
            row.change.as_mut().unwrap().changes.push(change(Field::Currency, before, after));
        }
        let mut unseen = row(4, Outcome::Planned, "EUR", ["10", "20"]);
        unseen.account.subject = None;
        let rows = [
            other,
            same,
            first,
            unseen,
            row(5, Outcome::Planned, "EUR", ["", "20"]),
            row(6, Outcome::Planned, "EUR", ["\"much\"", "20"]),
            row(7, Outcome::Planned, "EUR", ["10", "null"]),
        ];
        assert_eq!(
            told(Kind::Plan, &rows),
            [
                "USD 1: 10 | 20 | +10 | +100.0",
                "Not compared: 2 referrals that would get a first deal value, or whose value before is not known; \
                 1 referral that would be left without a deal value; 1 referral whose currency would change as well; \
                 2 referrals whose currency is not known.",
            ]
        );
    }

    #[test]
    fn a_referral_counts_once_and_a_field_that_stays_not_at_all() {
        let first = row(1, Outcome::Applied, "EUR", ["10", "20"]);
        let mut second = row(2, Outcome::Applied, "EUR", ["10", "20"]);
        second.account.item = Some(1);
        let other = full(3, Outcome::Applied, Some(Effect::OneWay));
        assert_eq!(told(Kind::Run, &[first, second, other]), ["EUR 1: 10 | 20 | +10 | +100.0"]);
    }

    #[test]
    fn sums_that_would_lose_digits_are_none() {
        const LONG: &str = "7922816251426433759354395033.5";
        let rows = [1, 2].map(|at| row(at, Outcome::Applied, "EUR", [LONG, "0.01"]));
        assert_eq!(told(Kind::Run, &rows), ["EUR 2: – | 0.02 | – | –"]);
    }

    #[test]
    fn invented_currencies_take_no_memory_without_end() {
        let mut values = DealValues::new(Kind::Run);
        for number in 0..1_000 {
            values.add(&row(1, Outcome::Applied, &format!("<b>{number}"), ["1", "2"]));
        }
        assert!(values.sums.iter().count() <= 51);
        let html = values.html(Texts::new(false)).unwrap();
        assert!(
            html.contains(
                "<th scope=\"row\">other currencies</th><td class=\"n\" data-th=\"Referrals\">950</td>"
            ),
            "{html}"
        );
        assert!(!html.contains("<b>"));
    }

    #[test]
    fn a_page_without_deal_values_has_no_section() {
        assert_eq!(DealValues::new(Kind::Run).html(Texts::new(false)).unwrap(), "");
    }

    #[test]
    fn a_currency_and_a_referral_that_is_left_out() {
        let mut values = DealValues::new(Kind::Plan);
        values.add(&row(1, Outcome::Planned, "EUR", ["125000.50", "120000"]));
        values.add(&row(2, Outcome::Planned, "EUR", ["", "120000"]));
        insta::assert_snapshot!(values.html(Texts::new(false)).unwrap(), @r#"
        <section class="part" id="money" aria-labelledby="money-title">
        <header><h2 id="money-title" tabindex="-1">Deal values</h2><p>Of referrals whose deal value would change. Currencies are never added up.</p></header>
        <div class="stack"><table class="grid cards"><thead><tr><th scope="col">Currency</th><th scope="col" class="n">Referrals</th><th scope="col" class="n">Before</th><th scope="col" class="n">After</th><th scope="col" class="n">Difference</th><th scope="col" class="n">in %</th></tr></thead>
        <tbody><tr><th scope="row">EUR</th><td class="n" data-th="Referrals">1</td><td class="n" data-th="Before">125,000.50</td><td class="n" data-th="After">120,000</td><td class="n" data-th="Difference">−5,000.50</td><td class="n" data-th="in %">−4.0</td></tr>
        </tbody></table><p class="soft"><small>Not compared: 1 referral that would get a first deal value, or whose value before is not known.</small></p></div>
        </section>
        "#);
    }
}
