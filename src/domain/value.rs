//! Wanted values: checked against the type of their field, and kept as the JSON text that will be sent.
//!
//! A value stays text from the file to the wire, because parsing it would lose digits of amounts.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use super::address;
use super::decimal::{self, Amount, AmountError, DecimalSign};
use super::excerpt::{excerpt, excerpt_json};
use super::fields::Kind;
use super::instant::{self, Instant};
use super::json::{self, Object};
use super::type_error::TypeError;

/// A value of its field's type, as the JSON text that will be sent.
#[derive(Debug, Clone)]
pub struct Wanted {
    raw: Box<RawValue>,
    may_clear: bool,
    sign: Option<DecimalSign>,
    condition: Condition,
}

/// The condition under which a wanted value that differs from the referral's is a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// There is none.
    #[default]
    Always,
    /// The day differs, in UTC: the input names a day, and the referral may have any time of it.
    OtherDay,
    /// The referral is closed, or becomes so, in a stage that takes a reason.
    Closing,
}

impl Wanted {
    /// Returns the value that clears a field: `null`.
    pub fn clear() -> Self {
        Self::new(json::raw(&()))
    }

    fn new(raw: Box<RawValue>) -> Self {
        Self { raw, may_clear: true, sign: None, condition: Condition::Always }
    }

    /// Puts a value together again from its parts.
    pub fn restored(
        raw: Box<RawValue>,
        may_clear: bool,
        sign: Option<DecimalSign>,
        condition: Condition,
    ) -> Self {
        Self { raw, may_clear, sign, condition }
    }

    /// Forbids the value to clear anything: a `null` within it is then accepted only where the referral has no
    /// value.
    #[must_use]
    pub fn keeping(self) -> Self {
        Self { may_clear: false, ..self }
    }

    /// Whether a `null` within it may replace a value.
    pub fn may_clear(&self) -> bool {
        self.may_clear
    }

    /// Makes it a change under this condition only.
    #[must_use]
    pub fn on(self, condition: Condition) -> Self {
        Self { condition, ..self }
    }

    /// Returns the condition under which it is a change.
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// Reads a number from the text of a cell. `given` is the decimal sign, if the user gave it.
    ///
    /// # Errors
    /// See [`decimal::read`].
    pub fn amount(text: &str, given: Option<DecimalSign>) -> Result<Self, AmountError> {
        let Amount { digits, sign } = decimal::read(text.trim(), given)?;
        let raw = RawValue::from_string(digits).expect("the digits were read as JSON just now");
        Ok(Self { sign, ..Self::new(raw) })
    }

    /// Returns the only decimal sign that the number can have been written with; `None` for a number with
    /// neither point nor comma, and for any value that isn't a number from a cell.
    pub fn sign(&self) -> Option<DecimalSign> {
        self.sign
    }

    /// Reads the text of a cell. A number is read without knowing the decimal sign; see [`Self::amount`].
    ///
    /// # Errors
    /// If the text is no value of this type.
    pub fn from_text(kind: Kind, text: &str) -> Result<Self, TypeError> {
        Ok(Self::new(match kind {
            Kind::Text | Kind::Any => string(text)?,
            Kind::Decimal => {
                return Self::amount(text, None).map_err(|error| match error {
                    AmountError::Doubtful(error) | AmountError::Wrong(error) => error,
                });
            }
            Kind::Currency => currency(text.trim())?,
            Kind::DateTime => date_time(text.trim())?,
            Kind::Boolean => boolean(text.trim())?,
            Kind::Members | Kind::Solutions => {
                let raw: Box<RawValue> = serde_json::from_str(text).map_err(|_| {
                    TypeError::new(
                        format!("{} is no JSON array", excerpt(text)),
                        "write the whole list as a JSON array, or use team.add to append members",
                    )
                })?;
                list(kind, &raw)?
            }
        }))
    }

    /// Reads a JSON value. An empty text clears a number, a currency or a date, which have no empty value.
    ///
    /// # Errors
    /// If it is no value of this type.
    pub fn from_json(kind: Kind, raw: &RawValue) -> Result<Self, TypeError> {
        if json::is_null(raw) {
            return Ok(Self::clear());
        }
        let mismatch = |wanted: &str| {
            TypeError::new(format!("{} is no {wanted}", excerpt_json(raw)), format!("give a {wanted}"))
        };
        let text = json::string(raw);
        if text.is_none() && raw.get().starts_with('"') {
            readable(raw)?;
        }
        let has_no_empty_form = matches!(kind, Kind::Decimal | Kind::Currency | Kind::DateTime);
        if has_no_empty_form && text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return Ok(Self::clear());
        }
        Ok(Self::new(match (kind, text) {
            (Kind::Text, Some(text)) => string(&text)?,
            (Kind::Text, None) => return Err(mismatch("JSON string")),
            (Kind::Decimal, Some(text)) => json_decimal(&text)?,
            (Kind::Decimal, None)
                if raw.get().starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) =>
            {
                json_decimal(raw.get())?
            }
            (Kind::Decimal, None) => return Err(mismatch("number")),
            (Kind::Currency, Some(text)) => currency(&text)?,
            (Kind::DateTime, Some(text)) => date_time(&text)?,
            (Kind::Currency, None) => return Err(mismatch("currency code in quotes")),
            (Kind::DateTime, None) => return Err(mismatch("date in quotes")),
            (Kind::Boolean, None) if matches!(raw.get(), "true" | "false") => raw.to_owned(),
            (Kind::Boolean, _) => return Err(mismatch("true or false without quotes")),
            (Kind::Members | Kind::Solutions, _) => list(kind, raw)?,
            (Kind::Any, _) => raw.to_owned(),
        }))
    }

    /// Returns the JSON text.
    pub fn raw(&self) -> &RawValue {
        &self.raw
    }

    /// Whether this asks for the field to be cleared.
    pub fn is_clear(&self) -> bool {
        json::is_null(&self.raw)
    }
}

/// Checks that common JSON parsers can read every number and text within a value.
///
/// RFC 8259 (sections 6 and 8.2) allows numbers of any size and lone surrogates, but most parsers refuse them.
///
/// # Errors
/// If a number exceeds the range of a double, or a text holds half a surrogate pair.
pub fn readable(raw: &RawValue) -> Result<(), TypeError> {
    let Err(error) = serde_json::from_str::<serde_json::Value>(raw.get()) else { return Ok(()) };
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or_default();
    let hint = if reason.starts_with("number") {
        "write a number that a double can hold, below 1.8e308"
    } else {
        "an escape such as \\ud800 is one half of a character: write both, or the character itself"
    };
    Err(TypeError::new(format!("{} cannot be read: {reason}", excerpt_json(raw)), hint))
}

/// Checks an element that a user adds to a list, and returns its key; see [`element_key`].
///
/// # Errors
/// As [`element_key`]; also if its e-mail address holds more than an address, or a value in it cannot be read.
pub fn checked_element(kind: Kind, element: &RawValue) -> Result<String, TypeError> {
    let key = element_key(kind, element)?;
    readable(element)?;
    let address = Object::from_raw(element).and_then(|object| object.get("email").and_then(json::string));
    if let Some(address) = address.filter(|_| kind == Kind::Members) {
        no_nul(&address)?;
        address::check(&address)?;
    }
    Ok(key)
}

/// Returns the key that tells an element from the others of its list: a member's e-mail address, in lower case
/// and without a display name; a solution's id, or else its name.
///
/// # Errors
/// If the element is no object, names a member twice, or has no key.
pub fn element_key(kind: Kind, element: &RawValue) -> Result<String, TypeError> {
    let object = Object::from_raw(element).ok_or_else(|| {
        TypeError::new(format!("{} is no JSON object", excerpt_json(element)), "give an object")
    })?;
    if let Some(name) = object.duplicate() {
        return Err(TypeError::new(format!("\"{name}\" occurs twice in an element"), "keep one of them"));
    }
    let text = |name: &str| object.get(name).and_then(json::string).filter(|text| !text.is_empty());
    if kind == Kind::Members {
        let Some(address) = text("email") else {
            return Err(TypeError::new(
                "a member has no \"email\"",
                "members are told apart by e-mail address",
            ));
        };
        no_nul(&address)?;
        return address::key(&address);
    }
    text("id").or_else(|| text("name")).map(|key| key.into_owned()).ok_or_else(|| {
        TypeError::new("a solution has neither \"id\" nor \"name\"", "solutions are told apart by id")
    })
}

/// Reads members of a team from the text of a cell, `First, Last, phone, email` each and separated by `;`, and
/// returns each with its key as a JSON object to append.
///
/// # Errors
/// At the first member that doesn't have four parts, or has no valid address.
pub fn members(text: &str) -> Result<Vec<(String, Box<RawValue>)>, TypeError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct NewMember<'a> {
        first_name: &'a str,
        last_name: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        phone_number: &'a str,
        email: &'a str,
    }
    text.split(';')
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .map(|member| {
            let parts: Vec<&str> = member.split(',').map(str::trim).collect();
            let [first_name, last_name, phone_number, address] = parts[..] else {
                return Err(TypeError::new(
                    format!("\"{member}\" has {} of a member's four parts", parts.len()),
                    "write First, Last, phone, email (the phone may be empty), and ; between members",
                ));
            };
            no_nul(member)?;
            address::check(address)?;
            let member = NewMember { first_name, last_name, phone_number, email: address };
            Ok((address.to_lowercase(), json::raw(&member)))
        })
        .collect()
}

/// Returns the point in time that a JSON string stands for; a date alone is its midnight in UTC.
pub fn as_instant(raw: &RawValue) -> Option<Instant> {
    Instant::parse(&json::string(raw)?)
}

/// Checks that a text holds no NUL character.
fn no_nul(text: &str) -> Result<(), TypeError> {
    if text.contains('\0') {
        return Err(TypeError::new(
            "the value holds a NUL byte",
            "remove it: no field of a referral takes one",
        ));
    }
    Ok(())
}

/// Makes a JSON string of a text.
fn string(text: &str) -> Result<Box<RawValue>, TypeError> {
    no_nul(text)?;
    Ok(json::raw(text))
}

/// Checks that a text is a JSON number without an exponent, and keeps its digits exactly as given.
fn json_decimal(text: &str) -> Result<Box<RawValue>, TypeError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let error = |hint: &str| Err(TypeError::new(format!("{} is no decimal number", excerpt(text)), hint));
    if digits.contains(['e', 'E']) && digits.starts_with(|c: char| c.is_ascii_digit()) {
        return error("write the number out, without an exponent");
    }
    if digits.contains([',', ' ', '\u{a0}', '\u{202f}', '\'']) {
        return error("use a point for decimals and nothing between thousands, as in 12500.50");
    }
    let json_number = serde_json::from_str::<&RawValue>(text)
        .is_ok_and(|_| digits.starts_with(|c: char| c.is_ascii_digit()));
    if !json_number {
        return error("write digits with at most one point between them, as in 12500.50");
    }
    if Decimal::from_str_exact(text).is_err() {
        return error(decimal::MOST_DIGITS);
    }
    Ok(RawValue::from_string(text.to_owned()).expect("it was read as JSON just now"))
}

/// Checks a currency code against ISO 4217.
fn currency(text: &str) -> Result<Box<RawValue>, TypeError> {
    if iso_currency::Currency::from_code(text).is_some() {
        return Ok(json::raw(text));
    }
    let upper = text.to_uppercase();
    let hint = if iso_currency::Currency::from_code(&upper).is_some() {
        format!("write {upper}")
    } else {
        "use an ISO 4217 code such as EUR or USD".to_owned()
    };
    Err(TypeError::new(format!("{} is no currency code", excerpt(text)), hint))
}

/// Parses a date or a time, and writes it in UTC.
fn date_time(text: &str) -> Result<Box<RawValue>, TypeError> {
    match Instant::parse(text) {
        Some(instant) => Ok(json::raw(&instant.to_string())),
        None => Err(TypeError::new(format!("{} is no date", excerpt(text)), instant::hint(text))),
    }
}

/// Parses `true` or `false`, ignoring letter case.
fn boolean(text: &str) -> Result<Box<RawValue>, TypeError> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(json::raw(&true)),
        "false" => Ok(json::raw(&false)),
        _ => {
            Err(TypeError::new(format!("{} is neither true nor false", excerpt(text)), "write true or false"))
        }
    }
}

/// Checks a list of members or solutions: each element has a key, and no two have the same.
fn list(kind: Kind, raw: &RawValue) -> Result<Box<RawValue>, TypeError> {
    let elements = json::elements(raw).ok_or_else(|| {
        TypeError::new(format!("{} is no JSON array", excerpt_json(raw)), "give the whole list as an array")
    })?;
    let mut keys = std::collections::HashSet::new();
    for element in elements {
        let key = element_key(kind, element)?;
        if !keys.insert(key.clone()) {
            return Err(TypeError::new(
                format!("{} stands twice in the list", excerpt(&key)),
                "keep one of them",
            ));
        }
    }
    Ok(raw.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: Kind, text: &str) -> Result<String, String> {
        Wanted::from_text(kind, text).map(|value| value.raw().get().to_owned()).map_err(|error| error.message)
    }

    #[test]
    fn cells_are_typed_by_field() {
        for (kind, given, wanted) in [
            (Kind::Text, "a \"b\", c", Some(r#""a \"b\", c""#)),
            (Kind::Text, "a\0b", None),
            (Kind::Decimal, "10000.50", Some("10000.50")),
            (Kind::Decimal, "0.10", Some("0.10")),
            (Kind::Decimal, "12345678901234567890.12", Some("12345678901234567890.12")),
            (Kind::Decimal, "-5", Some("-5")),
            (Kind::Decimal, "1e400", None),
            (Kind::Decimal, "10,000", None),
            (Kind::Decimal, "10.000", None),
            (Kind::Decimal, "10000,5", Some("10000.5")),
            (Kind::Decimal, "1.234,56", Some("1234.56")),
            (Kind::Decimal, "01", None),
            (Kind::Decimal, ".5", None),
            (Kind::Decimal, "NaN", None),
            (Kind::Decimal, "1234567890123456789012345678901234567890", None),
            (Kind::Currency, "EUR", Some("\"EUR\"")),
            (Kind::Currency, "eur", None),
            (Kind::Currency, "XYZ", None),
            (Kind::DateTime, "2026-12-31", Some("\"2026-12-31T00:00:00Z\"")),
            (Kind::DateTime, "2026-12-31T01:00:00+02:00", Some("\"2026-12-30T23:00:00Z\"")),
            (Kind::DateTime, "2026-12-31T00:00:00", None),
            (Kind::DateTime, "12/31/2026", None),
            (Kind::DateTime, "2026-02-30", None),
            (Kind::DateTime, "9999-12-31", Some("\"9999-12-31T00:00:00Z\"")),
            (Kind::DateTime, "20991231", None),
            (Kind::Boolean, "TRUE", Some("true")),
            (Kind::Boolean, "yes", None),
            (Kind::Members, r#"[{"email":"a@example.com"}]"#, Some(r#"[{"email":"a@example.com"}]"#)),
            (Kind::Members, r#"[{"email":"a@example.com"},{"email":"A@example.com"}]"#, None),
            (Kind::Members, "Ann", None),
            (Kind::Solutions, r#"[{"id":"S1"}]"#, Some(r#"[{"id":"S1"}]"#)),
            (Kind::Solutions, "[{}]", None),
        ] {
            assert_eq!(text(kind, given).ok().as_deref(), wanted, "{kind:?} {given}");
        }
    }

    #[test]
    fn json_values_are_typed_by_field() {
        for (kind, given, wanted) in [
            (Kind::Decimal, "10.50", Some("10.50")),
            (Kind::Decimal, "\"10.50\"", Some("10.50")),
            // An empty text says nothing, and of these there is no empty value.
            (Kind::Decimal, "\"\"", Some("null")),
            (Kind::Currency, "\" \"", Some("null")),
            (Kind::DateTime, "\"\"", Some("null")),
            (Kind::Boolean, "\"\"", None),
            (Kind::Decimal, "1e400", None),
            (Kind::Decimal, "true", None),
            (Kind::Text, "5", None),
            (Kind::Text, "\"5\"", Some("\"5\"")),
            (Kind::Text, "null", Some("null")),
            (Kind::Boolean, "false", Some("false")),
            (Kind::Boolean, "\"false\"", None),
            (Kind::Any, "[1,{}]", Some("[1,{}]")),
            (Kind::Decimal, "\"1.234,56\"", None),
            (Kind::Decimal, "\"12.500\"", Some("12.500")),
            (Kind::Text, "\"\\ud800\"", None),
            (Kind::DateTime, "20261231", None),
        ] {
            let raw: &RawValue = serde_json::from_str(given).unwrap();
            let got = Wanted::from_json(kind, raw).ok().map(|value| value.raw().get().to_owned());
            assert_eq!(got.as_deref(), wanted, "{kind:?} {given}");
        }
    }

    #[test]
    fn members_are_read_from_a_cell() {
        let got = members("Ann, Lee, +49 30 1, ann@example.com; Bo, Ek,, BO@example.org").unwrap();
        assert_eq!(got.len(), 2);
        assert_eq!(
            got[0].1.get(),
            r#"{"firstName":"Ann","lastName":"Lee","phoneNumber":"+49 30 1","email":"ann@example.com"}"#
        );
        assert_eq!(got[1].0, "bo@example.org");
        assert_eq!(got[1].1.get(), r#"{"firstName":"Bo","lastName":"Ek","email":"BO@example.org"}"#);
        assert!(members("Ann, Lee, ann@example.com").is_err());
        assert!(members("Ann, Lee, 1, nobody").is_err());
        assert!(members("Ann, Lee, 1, Ann Lee <ann@example.com>").is_err());
    }

    /// By its key an element is known; what a person writes holds an address and nothing beside it.
    #[test]
    fn a_name_beside_an_address_makes_nobody_else() {
        for (address, key, is_taken) in [
            ("kim@example.com", Some("kim@example.com"), true),
            ("KIM@example.com", Some("kim@example.com"), true),
            ("Kim Park <Kim@example.com>", Some("kim@example.com"), false),
            ("<kim@example.com>", Some("kim@example.com"), false),
            ("mailto:kim@example.com", Some("kim@example.com"), false),
            ("MAILTO:kim@example.com", Some("kim@example.com"), false),
            ("kim@example.com ", None, false),
            ("kim@example.com, lee@example.com", None, false),
            ("Kim Park", None, false),
            ("kim@example.com\0", None, false),
        ] {
            let element = json::raw(&std::collections::BTreeMap::from([("email", address)]));
            assert_eq!(element_key(Kind::Members, &element).ok().as_deref(), key, "{address}");
            assert_eq!(checked_element(Kind::Members, &element).is_ok(), is_taken, "{address}");
        }
    }

    #[test]
    fn what_no_reader_keeps_is_no_value() {
        for (value, is_taken) in [
            (r#"{"email":"a@example.com","x":1e308}"#, true),
            (r#"{"email":"a@example.com","x":1e400}"#, false),
            (r#"{"email":"a@example.com","x":[{"y":-1e999}]}"#, false),
            (r#"{"email":"a@example.com","x":"\ud83d\ude00"}"#, true),
            (r#"{"email":"a@example.com","x":"\ud800"}"#, false),
            (r#"{"email":"a@example.com","\udfff":1}"#, false),
        ] {
            let raw: &RawValue = serde_json::from_str(value).unwrap();
            assert_eq!(checked_element(Kind::Members, raw).is_ok(), is_taken, "{value}");
            assert_eq!(readable(raw).is_ok(), is_taken, "{value}");
        }
    }
}
