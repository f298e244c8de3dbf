//! Sums of money, by currency and to the last digit.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::format::{counted, grouped, grouped_digits};

/// The number of currencies that are summed apart. A service that invents codes must not be able to fill the memory.
const MOST: usize = 50;

/// The name under which amounts of all further currencies are counted.
const OTHERS: &str = "other currencies";

/// Amounts summed by currency, and the number of those that aren't known or aren't there.
#[derive(Debug, Clone, Default)]
pub(super) struct Money {
    /// The empty text stands for amounts without a currency.
    sums: ByCurrency<Sum>,
    without: u64,
}

/// Sums of each currency, as many as are summed apart.
#[derive(Debug, Clone)]
pub(super) struct ByCurrency<S>(BTreeMap<String, S>);

/// The amounts of one currency.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) amounts: u64,
    /// `None` where the amounts can't be added up exactly, or must not be.
    pub(super) total: Option<Decimal>,
}

impl<S> Default for ByCurrency<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S> ByCurrency<S> {
    /// Returns the sums of a currency, which `begun` makes; once there are as many currencies as are summed apart,
    /// those of all others together, which `others` makes.
    pub(super) fn of(
        &mut self,
        currency: &str,
        begun: impl FnOnce() -> S,
        others: impl FnOnce() -> S,
    ) -> &mut S {
        if self.0.contains_key(currency) || self.0.len() < MOST {
            self.0.entry(currency.to_owned()).or_insert_with(begun)
        } else {
            self.0.entry(OTHERS.to_owned()).or_insert_with(others)
        }
    }

    /// Iterates over the currencies by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &S)> {
        self.0.iter().map(|(currency, sums)| (currency.as_str(), sums))
    }
}

impl Money {
    /// Adds an amount as JSON writes it.
    pub(super) fn add(&mut self, amount: Option<&str>, currency: Option<&str>) {
        let Some(amount) = amount.and_then(exact) else {
            self.without += 1;
            return;
        };
        self.sums.of(currency.unwrap_or_default(), Sum::begun, Sum::default).add(amount);
    }

    /// Returns the sums in words, as in `125,000.50 EUR, 48,000 USD, and 12 without a value`. `lacking` says what the
    /// others are.
    pub(super) fn told(&self, lacking: &str) -> String {
        let sum = |(currency, sum): (&str, &Sum)| match (sum.total, currency) {
            (Some(total), "") => format!("{} without a currency", grouped_digits(&total.to_string())),
            (Some(total), currency) => format!("{} {currency}", grouped_digits(&total.to_string())),
            (None, currency) => format!("{} of {currency}", counted(sum.amounts, "value")),
        };
        let sums: Vec<String> = self.sums.iter().map(sum).collect();
        let told = sums.join(", ");
        match (self.without, sums.is_empty()) {
            (0, _) => told,
            (_, true) => lacking.to_owned(),
            (without, false) => format!("{told}, and {} {lacking}", grouped(without)),
        }
    }
}

impl Sum {
    /// Returns the sum of no amounts.
    pub(super) fn begun() -> Self {
        Self { amounts: 0, total: Some(Decimal::ZERO) }
    }

    /// Adds an amount. A sum that would lose a digit is none any more.
    pub(super) fn add(&mut self, amount: Decimal) {
        self.amounts += 1;
        self.total = self.total.and_then(|total| {
            // Where a sum doesn't fit, digits behind the point are rounded away.
            let scale = total.scale().max(amount.scale());
            total.checked_add(amount).filter(|sum| sum.scale() == scale)
        });
    }
}

/// Returns the exact value of a JSON number; `None` where it has more digits than can be kept.
pub(super) fn exact(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_apart_by_currency() {
        const LONG: &str = "7922816251426433759354395033.5";
        for (amounts, wanted) in [
            (&[][..], ""),
            (&[(None, None)], "without a value"),
            (&[(None, Some("EUR")), (Some("much"), Some("EUR"))], "without a value"),
            (&[(Some("0.1"), Some("EUR")), (Some("0.20"), Some("EUR"))], "0.30 EUR"),
            (
                &[(Some("125000.50"), Some("EUR")), (Some("48000"), Some("USD")), (None, None)],
                "125,000.50 EUR, 48,000 USD, and 1 without a value",
            ),
            (&[(Some("1e4"), Some("JPY")), (Some("-2500"), Some("JPY"))], "7,500 JPY"),
            (&[(Some("5"), None)], "5 without a currency"),
            (&[(Some(LONG), Some("USD")), (Some("0.01"), Some("USD"))], "2 values of USD"),
            (&[(Some(LONG), Some("USD")), (Some(LONG), Some("USD"))], "2 values of USD"),
            (&[(Some("1e400"), Some("USD"))], "without a value"),
        ] {
            let mut money = Money::default();
            amounts.iter().for_each(|(amount, currency)| money.add(*amount, *currency));
            assert_eq!(money.told("without a value"), wanted, "{amounts:?}");
        }
    }

    #[test]
    fn a_service_that_invents_currencies_cannot_fill_the_memory() {
        let mut money = Money::default();
        for number in 0..1_000 {
            money.add(Some("1"), Some(&format!("C{number:03}")));
        }
        assert_eq!(money.sums.iter().count(), MOST + 1);
        assert!(money.told("").ends_with(", 950 values of other currencies"), "{money:?}");
    }
}
