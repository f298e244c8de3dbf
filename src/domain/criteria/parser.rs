//! Reads a condition from its text: comparisons, three text functions, `and`, `or`, `not` and parentheses, in the
//! notation of OData (URL Conventions 4.01, section 5.1.1).
//!
//! What is not known here is refused, although a service might know it: nothing could say then whether the
//! service did what it was asked.

use rust_decimal::Decimal;

use super::condition::{ComparedValue, Comparison, Condition, TextPart};
use super::error::{ConditionError, SAMPLE};
use super::member::ComparedMember;
use crate::domain::excerpt::{beginning, excerpt};
use crate::domain::instant::Instant;

/// The deepest nesting of parentheses and `not`.
const DEEPEST: usize = 32;

/// The most words of a condition.
const MOST_WORDS: usize = 1_000;

/// A word of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConditionWord<'t> {
    /// A name, an operator, a number or a time.
    Bare(&'t str),
    /// A text within quotes, in which a quote is doubled.
    Quoted(&'t str),
    /// A parenthesis or a comma.
    Sign(char),
}

impl<'t> ConditionWord<'t> {
    /// Takes the first word of a text, which is not blank; returns it with the rest.
    fn split(text: &'t str) -> Result<(Self, &'t str), ConditionError> {
        if let Some(rest) = text.strip_prefix('\'') {
            let Some(end) = end_of_quote(rest) else {
                return Err(ConditionError::new(
                    format!("the quote of {} is never closed", excerpt(text)),
                    "put a text in single quotes, and double a quote within it",
                ));
            };
            return Ok((Self::Quoted(&rest[..end]), &rest[end + 1..]));
        }
        if let Some(sign @ ('(' | ')' | ',')) = text.chars().next() {
            return Ok((Self::Sign(sign), &text[1..]));
        }
        let end = text.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '\''));
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        Ok((Self::Bare(word), rest))
    }

    fn shown(self) -> String {
        match self {
            Self::Bare(word) => excerpt(word),
            Self::Quoted(text) => format!("'{}'", beginning(text)),
            Self::Sign(sign) => format!("\"{sign}\""),
        }
    }
}

/// Returns where the quote ends that a text begins within: at the first quote that isn't doubled.
fn end_of_quote(text: &str) -> Option<usize> {
    let mut quotes = text.match_indices('\'').map(|(at, _)| at).peekable();
    while let Some(at) = quotes.next() {
        if quotes.next_if_eq(&(at + 1)).is_none() {
            return Some(at);
        }
    }
    None
}

/// Parses a condition.
///
/// # Errors
/// Where the text is none, or is more than is known here.
pub(super) fn parse(text: &str) -> Result<Condition, ConditionError> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let (token, behind) = ConditionWord::split(rest)?;
        tokens.push(token);
        rest = behind.trim_start();
    }
    if tokens.len() > MOST_WORDS {
        let message = format!("it has more than {MOST_WORDS} words");
        return Err(ConditionError::new(message, "ask for less at a time"));
    }
    let mut parser = ConditionParser { tokens, at: 0, depth: 0 };
    let condition = parser.any()?;
    match parser.next() {
        None => Ok(condition),
        other => Err(unexpected(other, "\"and\", \"or\" or the end")),
    }
}

fn unexpected(found: Option<ConditionWord<'_>>, wanted: &str) -> ConditionError {
    let found = found.map_or("the end".to_owned(), ConditionWord::shown);
    ConditionError::new(format!("{found} stands where {wanted} belongs"), SAMPLE)
}

/// A reader of words, one after the other.
struct ConditionParser<'t> {
    tokens: Vec<ConditionWord<'t>>,
    at: usize,
    depth: usize,
}

impl<'t> ConditionParser<'t> {
    fn peek(&self) -> Option<ConditionWord<'t>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<ConditionWord<'t>> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    /// Takes the next word where it is this one, in any letter case. Returns whether it was.
    fn takes(&mut self, word: &str) -> bool {
        let is_it =
            matches!(self.peek(), Some(ConditionWord::Bare(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is_it);
        is_it
    }

    fn sign(&mut self, wanted: char) -> Result<(), ConditionError> {
        match self.next() {
            Some(ConditionWord::Sign(sign)) if sign == wanted => Ok(()),
            other => Err(unexpected(other, &format!("\"{wanted}\""))),
        }
    }

    /// Parses conditions that `or` joins.
    fn any(&mut self) -> Result<Condition, ConditionError> {
        let mut all = vec![self.all()?];
        while self.takes("or") {
            all.push(self.all()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::Any(all) })
    }

    /// Parses conditions that `and` joins, which binds more tightly than `or`.
    fn all(&mut self) -> Result<Condition, ConditionError> {
        let mut all = vec![self.one()?];
        while self.takes("and") {
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    /// Parses one condition, or more of them within parentheses.
    fn one(&mut self) -> Result<Condition, ConditionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let message = format!("it is nested more than {DEEPEST} deep");
            return Err(ConditionError::new(message, "ask for less at a time"));
        }
        let condition = match self.next() {
            Some(ConditionWord::Sign('(')) => {
                let inner = self.any()?;
                self.sign(')')?;
                inner
            }
            Some(ConditionWord::Bare(word)) if word.eq_ignore_ascii_case("not") => {
                Condition::Not(Box::new(self.one()?))
            }
            Some(ConditionWord::Bare(word)) => self.about(word)?,
            other => return Err(unexpected(other, "a condition")),
        };
        self.depth -= 1;
        Ok(condition)
    }

    /// Parses the rest of a condition that begins with a member or a function.
    fn about(&mut self, word: &str) -> Result<Condition, ConditionError> {
        if self.peek() == Some(ConditionWord::Sign('(')) {
            return self.function(word);
        }
        let member = ComparedMember::named(word)?;
        let operator = match self.peek() {
            Some(ConditionWord::Bare(word))
                if !["and", "or"].iter().any(|other| word.eq_ignore_ascii_case(other)) =>
            {
                word
            }
            _ => return Ok(Condition::Flag(member.into_flag()?.pointer)),
        };
        let comparison = comparison(operator)?;
        self.at += 1;
        let (value, typed) = match self.next() {
            Some(ConditionWord::Quoted(text)) => (ComparedValue::Text(unquoted(text)), format!("'{text}'")),
            Some(ConditionWord::Bare(word)) => (literal(word)?, word.to_owned()),
            other => return Err(unexpected(other, "a value")),
        };
        member.compared((operator, comparison), &value, &typed)?;
        Ok(Condition::Compare(member.pointer, comparison, value))
    }

    fn function(&mut self, name: &str) -> Result<Condition, ConditionError> {
        let part = match name.to_ascii_lowercase().as_str() {
            "contains" => TextPart::Anywhere,
            "startswith" => TextPart::Beginning,
            "endswith" => TextPart::End,
            _ => {
                return Err(ConditionError::new(
                    format!("the function {} is not known here", excerpt(name)),
                    "contains, startswith and endswith are",
                ));
            }
        };
        self.sign('(')?;
        let member = match self.next() {
            Some(ConditionWord::Bare(word)) => ComparedMember::named(word)?.into_text()?.pointer,
            other => return Err(unexpected(other, "a member")),
        };
        self.sign(',')?;
        let text = match self.next() {
            Some(ConditionWord::Quoted(text)) => unquoted(text),
            other => return Err(unexpected(other, "a text in single quotes")),
        };
        self.sign(')')?;
        Ok(Condition::Text(member, part, text))
    }
}

/// Returns a quoted text as it is meant.
fn unquoted(text: &str) -> String {
    text.replace("''", "'")
}

fn comparison(word: &str) -> Result<Comparison, ConditionError> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "eq" => Comparison::Eq,
        "ne" => Comparison::Ne,
        "lt" => Comparison::Lt,
        "le" => Comparison::Le,
        "gt" => Comparison::Gt,
        "ge" => Comparison::Ge,
        _ => {
            return Err(ConditionError::new(
                format!("{} is no comparison", excerpt(word)),
                "write eq, ne, lt, le, gt or ge",
            ));
        }
    })
}

/// Returns the value of a word without quotes.
fn literal(word: &str) -> Result<ComparedValue, ConditionError> {
    match word.to_ascii_lowercase().as_str() {
        "null" => return Ok(ComparedValue::Null),
        "true" => return Ok(ComparedValue::Boolean(true)),
        "false" => return Ok(ComparedValue::Boolean(false)),
        _ => {}
    }
    if let Ok(number) = Decimal::from_str_exact(word).or_else(|_| Decimal::from_scientific(word)) {
        return Ok(ComparedValue::Number(number));
    }
    Instant::parse(word).map(ComparedValue::Instant).ok_or_else(|| {
        ConditionError::new(
            format!("{} is no value", excerpt(word)),
            "put a text in single quotes; a date is 2026-12-31, a time 2026-12-31T17:00:00Z",
        )
    })
}
