//! Solutions and team members, each in one cell: parts separated by commas.
//!
//! Whether a part may hold a comma is documented nowhere, so a cell with more parts than there are is refused.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::decimal::{AmountError, DecimalSign};
use crate::domain::excerpt::excerpt;
use crate::domain::fields::Kind;
use crate::domain::json;
use crate::domain::type_error::TypeError;
use crate::domain::value::{self, Wanted};

/// An element of a list, as a cell gives it.
#[derive(Debug)]
pub(super) struct ListCell {
    /// The key that tells it from other elements.
    pub key: String,
    /// The element itself, a JSON object.
    pub element: Box<RawValue>,
    /// The only decimal sign that a number in it can have been written with.
    pub sign: Option<DecimalSign>,
}

/// Reads a solution: `id, currency, price, quantity`, of which only the id is required. `amount` reads the price as
/// the file writes numbers.
///
/// # Errors
/// If a part is not of its type, or there are too many, or the price may be two numbers.
pub(super) fn solution(
    text: &str,
    amount: impl FnOnce(&str) -> Result<Wanted, AmountError>,
) -> Result<ListCell, AmountError> {
    #[derive(Serialize)]
    struct NewSolution<'a> {
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        currency: Option<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        price: Option<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        quantity: Option<Box<RawValue>>,
    }
    const FORM: &str =
        "write id, currency, price, quantity, as in SOL-1,EUR,1250.50,3; only the id is required";
    if text.contains(';') {
        let message = format!("{} is no solution: its parts are separated by semicolons", excerpt(text));
        return Err(AmountError::Wrong(TypeError::new(message, FORM)));
    }
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let part = |at: usize| parts.get(at).copied().filter(|part| !part.is_empty());
    let id = part(0)
        .filter(|_| parts.len() <= 4)
        .ok_or_else(|| AmountError::Wrong(no_solution(text, parts.len(), FORM)))?;
    let raw = |wanted: &Wanted| wanted.raw().to_owned();
    let currency = part(1).map(|text| Wanted::from_text(Kind::Currency, text)).transpose();
    let currency = currency.map_err(AmountError::Wrong)?.as_ref().map(raw);
    if part(3).is_some_and(|text| text.contains(|c: char| !c.is_ascii_digit())) {
        let message = format!("{} is no whole quantity of a solution", excerpt(parts[3]));
        return Err(AmountError::Wrong(TypeError::new(message, FORM)));
    }
    let quantity = part(3).map(|text| Wanted::amount(text, None)).transpose().map_err(as_in_a_cell)?;
    let price = part(2).map(amount).transpose().map_err(as_in_a_cell)?;
    let sign = price.as_ref().and_then(Wanted::sign);
    let (price, quantity) = (price.as_ref().map(raw), quantity.as_ref().map(raw));
    let element = json::raw(&NewSolution { id, currency, price, quantity });
    let key = value::checked_element(Kind::Solutions, &element).map_err(AmountError::Wrong)?;
    Ok(ListCell { key, element, sign })
}

/// Makes the error that a cell is no solution.
fn no_solution(text: &str, parts: usize, form: &'static str) -> TypeError {
    let why = if parts > 4 { format!("it has {parts} parts") } else { "it has no id".to_owned() };
    TypeError::new(format!("{} is no solution: {why}", excerpt(text)), form)
}

/// Says how a number is written within a cell whose commas separate parts: it can have no decimal comma.
fn as_in_a_cell(error: AmountError) -> AmountError {
    const FORM: &str = "write price and quantity as in 1250.50 and 3; commas separate the parts, so where the file's \
                        numbers have a decimal comma, a price here has no decimals";
    match error {
        AmountError::Wrong(error) => AmountError::Wrong(TypeError::new(error.message, FORM)),
        doubtful @ AmountError::Doubtful(_) => doubtful,
    }
}

/// Reads a team member: `first, last, phone, e-mail`, all of which are required.
///
/// # Errors
/// If a part is missing, or there are too many, or the last is no address.
pub(super) fn member(text: &str) -> Result<ListCell, TypeError> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let filled = parts.iter().filter(|part| !part.is_empty()).count();
    let mut members = if (parts.len(), filled) == (4, 4) && !text.contains(';') {
        value::members(text)?
    } else {
        Vec::new()
    };
    let member = members.pop().map(|(key, element)| ListCell { key, element, sign: None });
    member.ok_or_else(|| {
        TypeError::new(
            format!("{} is no team member: it has {filled} of four parts in {}", excerpt(text), parts.len()),
            "write first name, last name, phone, e-mail, with commas between; empty the cell to leave the member as \
             it is",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(read: Result<ListCell, AmountError>) -> String {
        match read {
            Ok(ListCell { key, element, .. }) => format!("{key} {element}"),
            Err(AmountError::Wrong(error)) => format!("! {}", error.message),
            Err(AmountError::Doubtful(error)) => format!("? {}", error.message),
        }
    }

    #[test]
    fn a_solution_has_an_id_and_up_to_three_more_parts() {
        for (cell, wanted) in [
            ("SOL-1", r#"SOL-1 {"id":"SOL-1"}"#),
            ("SOL-1,,,", r#"SOL-1 {"id":"SOL-1"}"#),
            (
                "SOL-1, EUR, 1250.50, 3",
                r#"SOL-1 {"id":"SOL-1","currency":"EUR","price":1250.50,"quantity":3}"#,
            ),
            ("SOL-1,EUR,,2", r#"SOL-1 {"id":"SOL-1","currency":"EUR","quantity":2}"#),
            ("SOL-1,EUR,1,250.50,3", r#"! "SOL-1,EUR,1,250.50,3" is no solution: it has 5 parts"#),
            (
                "SOL-77;EUR;12;3",
                r#"! "SOL-77;EUR;12;3" is no solution: its parts are separated by semicolons"#,
            ),
            (",EUR,5,1", r#"! ",EUR,5,1" is no solution: it has no id"#),
            ("SOL-1,euro,5,1", r#"! "euro" is no currency code"#),
            ("SOL-1,EUR,five,1", r#"! "five" is no decimal number"#),
            ("SOL-1,EUR,12.500,1", "? \"12.500\" may be 12.5 or 12500"),
            ("SOL-1,EUR,12 500,1", r#"SOL-1 {"id":"SOL-1","currency":"EUR","price":12500,"quantity":1}"#),
            ("SOL-1,EUR,5,1.5", r#"! "1.5" is no whole quantity of a solution"#),
        ] {
            assert_eq!(text(solution(cell, |price| Wanted::amount(price, None))), wanted, "{cell}");
        }
    }

    #[test]
    fn a_member_has_four_parts() {
        for (cell, wanted) in [
            (
                "Ann, Lee, +1 555 0100, Ann@example.com",
                r#"ann@example.com {"firstName":"Ann","lastName":"Lee","phoneNumber":"+1 555 0100","email":"Ann@example.com"}"#,
            ),
            ("Ann,Lee,,ann@example.com", "! "),
            ("Ann,Lee,ann@example.com", "! "),
            ("Ann,Lee,1,2,ann@example.com", "! "),
            ("Ann,Lee,1,ann", "! "),
            ("Ann,Lee,1,ann@example.com;Bo,Ek,2,bo@example.com", "! "),
        ] {
            let got = text(member(cell).map_err(AmountError::Wrong));
            assert!(got == wanted || wanted == "! " && got.starts_with(wanted), "{cell}: {got}");
        }
    }
}
