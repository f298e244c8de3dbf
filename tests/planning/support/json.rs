//! JSON as a tree that keeps the order of members and the digits of numbers.

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    /// The digits as written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn elements(&self) -> &[Self] {
        if let Self::List(elements) = self { elements } else { &[] }
    }

    /// The value that a pointer names, of objects in objects.
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        names(pointer).iter().try_fold(self, |here, name| here.get(name))
    }

    /// Sets what a pointer names; objects around it are made where there is nothing.
    pub fn put(&mut self, pointer: &str, value: Self) {
        let mut here = self;
        for name in names(pointer) {
            if *here == Self::Null {
                *here = Self::Object(Vec::new());
            }
            let Self::Object(members) = here else { panic!("{pointer} leads through {here}") };
            let at = members.iter().position(|(key, _)| *key == name).unwrap_or_else(|| {
                members.push((name, Self::Null));
                members.len() - 1
            });
            here = &mut members[at].1;
        }
        *here = value;
    }
}

fn names(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => value.fmt(out),
            Self::Number(digits) => out.write_str(digits),
            Self::Text(text) => quote(text, out),
            Self::List(elements) => {
                out.write_str("[")?;
                for (at, element) in elements.iter().enumerate() {
                    write!(out, "{}{element}", if at > 0 { ", " } else { "" })?;
                }
                out.write_str("]")
            }
            Self::Object(members) => {
                out.write_str("{")?;
                for (at, (name, value)) in members.iter().enumerate() {
                    out.write_str(if at > 0 { ",\n " } else { "" })?;
                    quote(name, out)?;
                    write!(out, ": {value}")?;
                }
                out.write_str("}")
            }
        }
    }
}

/// Writes a JSON string. Texts of an even length have what is not ASCII escaped, as some services do.
fn quote(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quoted = serde_json::Value::from(text).to_string();
    if text.chars().count() % 2 == 1 {
        return out.write_str(&quoted);
    }
    for c in quoted.chars() {
        if c.is_ascii() {
            write!(out, "{c}")?;
        } else {
            c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))?;
        }
    }
    Ok(())
}
