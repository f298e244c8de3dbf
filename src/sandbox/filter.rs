//! Parses and evaluates `$filter` expressions: comparisons, three text functions, `and`, `or`, `not` and
//! parentheses, in the notation of OData (URL Conventions 4.01, section 5.1.1).
//!
//! The service's definition only gives an example (`stringColumn eq 'string' OR numberColumn lt 123`). As
//! there, logical operators may be written in capitals.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::members::DeclaredMember;

/// A condition on a referral.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// A comparison of a member with a literal.
    Compare(DeclaredMember, ComparisonOperator, Literal),
    /// A search for a text in a member.
    Text(DeclaredMember, TextPosition, String),
    /// A member whose value is true.
    Flag(DeclaredMember),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ComparisonOperator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// The part of a text in which another one is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextPosition {
    Anywhere,
    Start,
    End,
}

/// A value in an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    Instant(Timestamp),
}

/// The greatest depth of parentheses and `not`.
const DEEPEST: usize = 32;

/// The greatest number of words in an expression.
const LONGEST: usize = 1_000;

impl Filter {
    /// Parses an expression.
    ///
    /// # Errors
    /// Returns a message that names what cannot be parsed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let words = words(text)?;
        if words.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} words"));
        }
        let mut parser = FilterParser { words, at: 0, depth: 0 };
        let filter = parser.disjunction()?;
        match parser.next() {
            None => Ok(filter),
            Some(word) => {
                Err(format!("{} comes where \"and\", \"or\" or the end was expected", word.shown()))
            }
        }
    }

    /// Returns whether a referral meets the condition.
    pub(super) fn fits(&self, referral: &Value) -> bool {
        match self {
            Self::Compare(member, comparison, literal) => literal.compares(member.of(referral), *comparison),
            Self::Text(member, part, wanted) => member.of(referral).as_str().is_some_and(|text| match part {
                TextPosition::Anywhere => text.contains(wanted.as_str()),
                TextPosition::Start => text.starts_with(wanted.as_str()),
                TextPosition::End => text.ends_with(wanted.as_str()),
            }),
            Self::Flag(member) => *member.of(referral) == Value::Bool(true),
            Self::Not(inner) => !inner.fits(referral),
            Self::And(one, other) => one.fits(referral) && other.fits(referral),
            Self::Or(one, other) => one.fits(referral) || other.fits(referral),
        }
    }
}

impl Literal {
    /// Returns whether a comparison of a value with this literal holds. A value that has no order, or another
    /// type, is neither less, nor greater, nor equal.
    fn compares(&self, value: &Value, comparison: ComparisonOperator) -> bool {
        let order = match (self, value) {
            (Self::Null, Value::Null) => Some(Ordering::Equal),
            (Self::Boolean(wanted), Value::Bool(value)) if value == wanted => Some(Ordering::Equal),
            (Self::Number(wanted), Value::Number(value)) => {
                value.as_f64().and_then(|value| value.partial_cmp(wanted))
            }
            (Self::Text(wanted), Value::String(value)) => Some(value.as_str().cmp(wanted)),
            (Self::Instant(wanted), Value::String(value)) => {
                value.parse::<Timestamp>().ok().map(|value| value.cmp(wanted))
            }
            _ => None,
        };
        match comparison {
            ComparisonOperator::Eq => order == Some(Ordering::Equal),
            ComparisonOperator::Ne => order != Some(Ordering::Equal),
            ComparisonOperator::Lt => order == Some(Ordering::Less),
            ComparisonOperator::Le => order.is_some_and(Ordering::is_le),
            ComparisonOperator::Gt => order == Some(Ordering::Greater),
            ComparisonOperator::Ge => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// A token of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Word {
    /// A name, an operator, a number or a time.
    Bare(String),
    Quoted(String),
    Open,
    Close,
    Comma,
}

impl Word {
    fn shown(&self) -> String {
        match self {
            Self::Bare(text) => format!("\"{text}\""),
            Self::Quoted(text) => format!("'{text}'"),
            Self::Open => "\"(\"".to_owned(),
            Self::Close => "\")\"".to_owned(),
            Self::Comma => "\",\"".to_owned(),
        }
    }

    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Bare(text) if text.eq_ignore_ascii_case(keyword))
    }
}

/// Splits an expression into tokens.
fn words(text: &str) -> Result<Vec<Word>, String> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '(' | ')' | ',' => {
                words.push(match first {
                    '(' => Word::Open,
                    ')' => Word::Close,
                    _ => Word::Comma,
                });
                1
            }
            '\'' => {
                let (text, length) = quoted(rest)?;
                words.push(Word::Quoted(text));
                length
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '\'');
                let length = rest.find(ends).unwrap_or(rest.len());
                words.push(Word::Bare(rest[..length].to_owned()));
                length
            }
        };
        rest = rest[taken..].trim_start();
    }
    Ok(words)
}

/// Reads the quoted text at the beginning; returns it with its length in bytes, quotes included. A quote
/// within is doubled.
fn quoted(text: &str) -> Result<(String, usize), String> {
    let (mut value, mut at) = (String::new(), 1);
    loop {
        let end = text[at..].find('\'').ok_or_else(|| format!("the quote of {text} is never closed"))?;
        value.push_str(&text[at..at + end]);
        at += end + 1;
        if !text[at..].starts_with('\'') {
            return Ok((value, at));
        }
        value.push('\'');
        at += 1;
    }
}

/// A recursive-descent parser of expressions.
struct FilterParser {
    words: Vec<Word>,
    at: usize,
    depth: usize,
}

impl FilterParser {
    fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.at).cloned();
        self.at += usize::from(word.is_some());
        word
    }

    /// Takes the next word where it is this keyword, and returns whether it was.
    fn takes(&mut self, keyword: &str) -> bool {
        let is_it = self.words.get(self.at).is_some_and(|word| word.is(keyword));
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, wanted: &Word) -> Result<(), String> {
        match self.next() {
            Some(word) if word == *wanted => Ok(()),
            other => {
                Err(format!("{} comes where {} was expected", word_or_end(other.as_ref()), wanted.shown()))
            }
        }
    }

    /// Parses conditions joined by `or`.
    fn disjunction(&mut self) -> Result<Filter, String> {
        let mut filter = self.conjunction()?;
        while self.takes("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.conjunction()?));
        }
        Ok(filter)
    }

    /// Parses conditions joined by `and`, which binds more tightly than `or`.
    fn conjunction(&mut self) -> Result<Filter, String> {
        let mut filter = self.operand()?;
        while self.takes("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.operand()?));
        }
        Ok(filter)
    }

    /// Parses a single condition, or an expression in parentheses.
    fn operand(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        let filter = match self.next() {
            Some(Word::Open) => {
                let inner = self.disjunction()?;
                self.expect(&Word::Close)?;
                inner
            }
            Some(word) if word.is("not") => Filter::Not(Box::new(self.operand()?)),
            Some(Word::Bare(name)) => self.condition(&name)?,
            other => {
                return Err(format!("{} comes where a condition was expected", word_or_end(other.as_ref())));
            }
        };
        self.depth -= 1;
        Ok(filter)
    }

    /// Parses a condition that begins with the name of a member or a function.
    fn condition(&mut self, name: &str) -> Result<Filter, String> {
        if self.words.get(self.at) == Some(&Word::Open) {
            return self.function(name);
        }
        let member = member(name)?;
        let comparison = match self.words.get(self.at) {
            Some(Word::Bare(operator)) => match operator.to_ascii_lowercase().as_str() {
                "eq" => ComparisonOperator::Eq,
                "ne" => ComparisonOperator::Ne,
                "lt" => ComparisonOperator::Lt,
                "le" => ComparisonOperator::Le,
                "gt" => ComparisonOperator::Gt,
                "ge" => ComparisonOperator::Ge,
                "and" | "or" => return Ok(Filter::Flag(member)),
                _ => return Err(format!("\"{operator}\" is no comparison: use eq, ne, lt, le, gt or ge")),
            },
            _ => return Ok(Filter::Flag(member)),
        };
        self.at += 1;
        let literal = match self.next() {
            Some(Word::Quoted(text)) => Literal::Text(text),
            Some(Word::Bare(text)) => literal(&text)?,
            other => return Err(format!("{} comes where a value was expected", word_or_end(other.as_ref()))),
        };
        Ok(Filter::Compare(member, comparison, literal))
    }

    fn function(&mut self, name: &str) -> Result<Filter, String> {
        let part = match name.to_ascii_lowercase().as_str() {
            "contains" => TextPosition::Anywhere,
            "startswith" => TextPosition::Start,
            "endswith" => TextPosition::End,
            _ => {
                return Err(format!(
                    "\"{name}\" is no function known here: use contains, startswith or endswith"
                ));
            }
        };
        self.expect(&Word::Open)?;
        let member = match self.next() {
            Some(Word::Bare(name)) => member(&name)?,
            other => {
                return Err(format!("{} comes where a member was expected", word_or_end(other.as_ref())));
            }
        };
        self.expect(&Word::Comma)?;
        let Some(Word::Quoted(text)) = self.next() else {
            return Err(format!("{name} looks for a text: put it in single quotes"));
        };
        self.expect(&Word::Close)?;
        Ok(Filter::Text(member, part, text))
    }
}

/// Returns a word for a message, or the words for the end of the expression.
fn word_or_end(word: Option<&Word>) -> String {
    word.map_or("the end".to_owned(), Word::shown)
}

fn member(name: &str) -> Result<DeclaredMember, String> {
    DeclaredMember::named(name).ok_or_else(|| {
        format!("\"{name}\" is no member of a referral: write it as in status or details/dealValue")
    })
}

fn literal(text: &str) -> Result<Literal, String> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+'));
    let day = format!("{text}T00:00:00Z");
    match text.to_ascii_lowercase().as_str() {
        "null" => return Ok(Literal::Null),
        "true" => return Ok(Literal::Boolean(true)),
        "false" => return Ok(Literal::Boolean(false)),
        _ => {}
    }
    let number =
        || text.parse().ok().filter(|number: &f64| is_number && number.is_finite()).map(Literal::Number);
    let instant = || text.parse().or_else(|_| day.parse()).ok().map(Literal::Instant);
    number().or_else(instant).ok_or_else(|| format!("\"{text}\" is no value: put a text in single quotes"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_referral_meets() {
        let referral = json!({
            "status": "Active", "name": "Kim's deal", "statusReason": null, "favorite": true,
            "createdDateTime": "2026-01-02T00:00:00.0000000Z",
            "details": { "dealValue": 12500.5, "currency": "EUR" },
        });
        for (text, wanted) in [
            ("status eq 'Active'", true),
            ("status eq 'active'", false),
            ("status ne 'New'", true),
            ("status eq 'New' OR details/dealValue lt 20000", true),
            ("status eq 'New' or status eq 'Active' and details/currency eq 'USD'", false),
            ("(status eq 'New' or status eq 'Active') and details/currency eq 'EUR'", true),
            ("not (status eq 'Active')", false),
            ("not status eq 'New'", true),
            ("name eq 'Kim''s deal'", true),
            ("contains(name,'deal')", true),
            ("startswith(name, 'Kim') and endswith(name, 'Kim')", false),
            ("contains(statusReason,'a')", false),
            ("statusReason eq null", true),
            ("salesStage eq null", true),
            ("salesStage ne null", false),
            ("salesStage lt 'z'", false),
            ("favorite", true),
            ("favorite and isSpam", false),
            ("favorite eq true", true),
            ("favorite ne false", true),
            ("details/dealValue ge 12500.5", true),
            ("details/dealValue gt 12500.5", false),
            ("details/dealValue le 1e5", true),
            ("details/dealValue eq '12500.5'", false),
            ("createdDateTime ge 2026-01-02", true),
            ("createdDateTime lt 2026-01-02T01:00:00+02:00", false),
            ("createdDateTime lt '2026-02'", true),
        ] {
            let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.fits(&referral), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_told_in_words() {
        for (text, wanted) in [
            ("", "the end comes where a condition was expected"),
            ("status", ""),
            ("status eq", "the end comes where a value was expected"),
            ("status eq Active", "\"Active\" is no value: put a text in single quotes"),
            ("status = 'Active'", "\"=\" is no comparison: use eq, ne, lt, le, gt or ge"),
            (
                "stage eq 'x'",
                "\"stage\" is no member of a referral: write it as in status or details/dealValue",
            ),
            ("status eq 'a' 'b'", "'b' comes where \"and\", \"or\" or the end was expected"),
            ("status eq 'a", "the quote of 'a is never closed"),
            ("(status eq 'a'", "the end comes where \")\" was expected"),
            (
                "length(name) eq 5",
                "\"length\" is no function known here: use contains, startswith or endswith",
            ),
            ("contains(name)", "\")\" comes where \",\" was expected"),
            ("contains(name,5)", "contains looks for a text: put it in single quotes"),
            ("'a' eq 'a'", "'a' comes where a condition was expected"),
        ] {
            assert_eq!(Filter::parse(text).err().unwrap_or_default(), wanted, "{text}");
        }
        let deep = format!("{}status eq 'a'{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(Filter::parse(&deep).unwrap_err(), "it has more than 1000 words");
        assert_eq!(Filter::parse(&"(".repeat(40)).unwrap_err(), "it is nested more than 32 deep");
    }
}
