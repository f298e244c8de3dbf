//! How Partner Center's files write what a referral has, as far as is known.
//!
//! A cell is compared with this as text where it can't be read as a value, or not as the one that it shows: a download
//! gives back whatever somebody once put into the referral, and that asks for nothing.

use serde_json::value::RawValue;

use super::fields::Kind;
use super::json::{self, Object};
use super::value;

/// The members of a team member in the order of a cell's parts.
const MEMBER: [&str; 4] = ["firstName", "lastName", "phoneNumber", "email"];

/// The members of a solution in the order of a cell's parts, as far as they are known.
const SOLUTION: [&str; 4] = ["id", "currency", "price", "quantity"];

/// Returns a cell's text without the apostrophe that keeps a spreadsheet from running it.
pub fn undefused(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(text)
}

/// Whether a cell shows the value that a referral has; `None` where it has none.
pub fn shows(kind: Kind, value: Option<&RawValue>, cell: &str) -> bool {
    let Some(value) = value.filter(|raw| !json::is_null(raw)) else { return cell.trim().is_empty() };
    [cell, undefused(cell)].into_iter().any(|cell| match kind {
        Kind::Members | Kind::Solutions => shown_element(kind, value, cell).is_some(),
        Kind::Boolean => {
            let word = if value.get() == "true" { "yes" } else { "no" };
            cell.trim().eq_ignore_ascii_case(word)
        }
        Kind::DateTime => is_day_of(value, cell) || is_text_of(value, cell),
        Kind::Text | Kind::Currency | Kind::Decimal | Kind::Any => is_text_of(value, cell),
    })
}

/// Returns the element of a list that a cell shows.
pub fn shown_element<'v>(kind: Kind, list: &'v RawValue, cell: &str) -> Option<&'v RawValue> {
    let parts: Vec<&str> = undefused(cell.trim()).split(',').map(str::trim).collect();
    let is_it = |element: &&RawValue| {
        let Some(object) = Object::from_raw(element) else { return false };
        let text = |name: &str| object.get(name).filter(|raw| !json::is_null(raw)).map(text_of);
        let written = |names: &[&str]| {
            let texts: Vec<String> = names.iter().map(|name| text(name).unwrap_or_default()).collect();
            let filled: Vec<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
            [texts, filled].into_iter().any(|texts| {
                let text = texts.join(",");
                !text.trim_matches([',', ' ']).is_empty()
                    && text.split(',').map(str::trim).eq(parts.iter().copied())
            })
        };
        match kind {
            Kind::Members => written(&MEMBER),
            _ => written(&SOLUTION) || written(&SOLUTION[..1]),
        }
    };
    json::elements(list)?.into_iter().find(is_it)
}

/// Whether a cell holds the text of a value, but for its line ends and the blanks around it.
fn is_text_of(value: &RawValue, cell: &str) -> bool {
    let plain = |text: &str| text.trim().replace("\r\n", "\n");
    plain(&text_of(value)) == plain(cell)
}

/// Whether a cell holds the day of a time in UTC, as `12/31/2026`.
fn is_day_of(value: &RawValue, cell: &str) -> bool {
    value::as_instant(value).is_some_and(|time| time.date().strftime("%m/%d/%Y").to_string() == cell.trim())
}

/// Returns the text of a JSON value.
fn text_of(value: &RawValue) -> String {
    json::string(value).map_or_else(|| value.get().to_owned(), |text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_what_there_is() {
        const TEAM: &str = r#"[{"firstName":"Ann","lastName":"Lee, Jr.","phoneNumber":null,"email":"ann@example.com","title":"x"},{"firstName":"Bo","lastName":"Ek","phoneNumber":"+1 555","email":null}]"#;
        const SOLUTIONS: &str = r#"[{"id":"S,1","name":"One"},{"id":"S2","currency":"eur","price":12.500,"quantity":3},{"name":"None"}]"#;
        for (kind, value, cell, wanted) in [
            (Kind::Text, "null", "", true),
            (Kind::Text, "", " ", true),
            (Kind::Text, "", "x", false),
            (Kind::Text, r##""#N/A""##, "#N/A", true),
            (Kind::Text, r#""\\N""#, "\\N", true),
            (Kind::Text, r#""=1+1""#, "'=1+1", true),
            (Kind::Text, r#""'=1+1""#, "'=1+1", true),
            (Kind::Text, r#""=1+1""#, "=1+1", true),
            (Kind::Text, r#""'x""#, "x", false),
            (Kind::Text, r#""a\nb""#, "a\r\nb ", true),
            (Kind::Text, r#""a""#, "A", false),
            (Kind::Text, "5", "5", true),
            (Kind::Currency, r#""eur""#, "eur", true),
            (Kind::Currency, r#""EUR""#, "eur", false),
            (Kind::Decimal, "12.563", "12.563", true),
            (Kind::Decimal, r#""10 apples""#, "10 apples", true),
            (Kind::Decimal, "12.563", "12,563", false),
            (Kind::Boolean, "true", "Yes", true),
            (Kind::Boolean, "true", "No", false),
            (Kind::Boolean, "false", "no", true),
            (Kind::DateTime, r#""2026-12-31T23:59:59Z""#, "12/31/2026", true),
            (Kind::DateTime, r#""2026-12-31T23:59:59Z""#, "31/12/2026", false),
            (Kind::DateTime, r#""soon""#, "soon", true),
            (Kind::Members, TEAM, "Ann, Lee, Jr., , ann@example.com", true),
            (Kind::Members, TEAM, "Ann,Lee,Jr.,,ann@example.com", true),
            (Kind::Members, TEAM, "Ann, Lee, Jr., ann@example.com", true),
            (Kind::Members, TEAM, "Bo, Ek, +1 555,", true),
            (Kind::Members, TEAM, "Bo, Ek, +1 555", true),
            (Kind::Members, TEAM, "Bo, Ek, +1 556, ", false),
            (Kind::Members, TEAM, "bo, Ek, +1 555, ", false),
            (Kind::Members, TEAM, "", false),
            (Kind::Solutions, SOLUTIONS, "S,1", true),
            (Kind::Solutions, SOLUTIONS, "S2, eur, 12.500, 3", true),
            (Kind::Solutions, SOLUTIONS, "S2", true),
            (Kind::Solutions, SOLUTIONS, "S2, eur, 12.5, 3", false),
            (Kind::Solutions, SOLUTIONS, ",,,", false),
        ] {
            let raw: Option<Box<RawValue>> =
                (!value.is_empty()).then(|| serde_json::from_str(value).unwrap());
            assert_eq!(shows(kind, raw.as_deref(), cell), wanted, "{kind:?} {value} {cell}");
        }
    }
}
