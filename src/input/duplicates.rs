//! Names that stand twice in one JSON object.
//!
//! Most parsers take the last of the values and some the first (RFC 8259, section 4), so what such an object
//! means is unclear. The outermost members are known from parsing; one pass over the bytes of their values
//! finds the others at every level, without parsing anything a second time.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::domain::json::Object;

/// Up to this many names are compared one by one, which is faster than hashing for the few of an object.
const FEW: usize = 64;

/// A name that stands in its object already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RepeatedName {
    /// The name, unescaped.
    pub name: String,
    /// The offset of its value in the text, in bytes.
    pub value: usize,
}

/// Returns every repeated name in the text of an object, in order. `members` must have been parsed from that
/// very text.
pub(super) fn duplicates(text: &str, members: &Object<'_>) -> Vec<RepeatedName> {
    let offset = |value: &RawValue| value.get().as_ptr() as usize - text.as_ptr() as usize;
    let mut search = DuplicateSearch { text, names: Vec::new(), levels: Vec::new(), found: Vec::new() };
    let outermost = members.iter().map(|(name, value)| (Cow::Borrowed(name), offset(value)));
    repeated(text, &outermost.collect::<Vec<_>>(), &mut search.found);
    for (_, value) in members.iter().filter(|(_, value)| value.get().starts_with(['{', '['])) {
        let start = offset(value);
        search.within(start, start + value.get().len());
    }
    search.found.sort_by_key(|duplicate| duplicate.value);
    search.found
}

/// The state of one pass over a text.
struct DuplicateSearch<'t> {
    text: &'t str,
    /// The names of all open objects, and the offset behind each.
    names: Vec<(Cow<'t, str>, usize)>,
    /// For every open bracket, the index in `names` at which the names of its object begin; `None` for an
    /// array.
    levels: Vec<Option<usize>>,
    found: Vec<RepeatedName>,
}

impl DuplicateSearch<'_> {
    /// Searches the object or array at these offsets, and everything nested in it.
    fn within(&mut self, start: usize, end: usize) {
        let Self { text, names, levels, found } = self;
        let bytes = &text.as_bytes()[..end];
        let (mut at, mut name_follows) = (start, false);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'{' => levels.push(Some(names.len())),
                b'[' => levels.push(None),
                b'}' | b']' => {
                    if let Some(Some(first)) = levels.pop() {
                        repeated(text, &names[first..], found);
                        names.truncate(first);
                    }
                }
                b'"' => {
                    let (end, is_escaped) = string_end(bytes, at);
                    if name_follows {
                        names.push((name(&text[at..end], is_escaped), end));
                    }
                    at = end;
                    name_follows = false;
                    continue;
                }
                b',' => {}
                _ => {
                    at += 1;
                    continue;
                }
            }
            name_follows = matches!(byte, b'{' | b',') && levels.last().is_some_and(Option::is_some);
            at += 1;
        }
    }
}

/// Returns the offset behind the closing quote of the string that begins here, and whether it holds an escape.
fn string_end(bytes: &[u8], begin: usize) -> (usize, bool) {
    let (mut at, mut is_escaped) = (begin + 1, false);
    loop {
        at += plain(&bytes[at.min(bytes.len())..]);
        match bytes.get(at) {
            Some(b'"') => return (at + 1, is_escaped),
            Some(_) => (at, is_escaped) = (at + 2, true),
            None => return (bytes.len(), is_escaped),
        }
    }
}

/// Returns the number of bytes before the first quote or backslash. Most bytes of a referral stand within
/// quotes, so eight are looked at at a time.
fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ every(b'"')) | zeros(word ^ every(b'\\'));
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let in_rest = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
    words.len() * 8 + in_rest
}

/// Returns a word of this byte eight times.
const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Returns a word in which the top bit of every zero byte is set; only the lowest that is set can be relied on.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(every(0x01)) & !word & every(0x80)
}

/// Returns the name within quotes, unescaped.
fn name(quoted: &str, is_escaped: bool) -> Cow<'_, str> {
    if is_escaped {
        return serde_json::from_str(quoted).map_or(Cow::Borrowed(quoted), Cow::Owned);
    }
    Cow::Borrowed(&quoted[1..quoted.len() - 1])
}

/// Adds the names of one object that stand in it twice.
fn repeated(text: &str, names: &[(Cow<'_, str>, usize)], found: &mut Vec<RepeatedName>) {
    let (mut marks, mut seen) = (0_u128, HashSet::new());
    for (at, (name, end)) in names.iter().enumerate() {
        let mark = mark(name);
        // A name is compared only where an earlier one has the same mark.
        let stands_twice = if names.len() <= FEW {
            marks & mark != 0 && names[..at].iter().any(|(other, _)| other == name)
        } else {
            !seen.insert(name)
        };
        marks |= mark;
        if stands_twice {
            let between = text[*end..].bytes().take_while(|byte| byte.is_ascii_whitespace() || *byte == b':');
            found.push(RepeatedName { name: name.clone().into_owned(), value: end + between.count() });
        }
    }
}

/// Returns one of 128 bits by which a name is pre-sorted: equal names share it and few others do, so hardly any
/// names are compared.
fn mark(name: &str) -> u128 {
    let (first, last) = (name.bytes().next().unwrap_or(0), name.bytes().next_back().unwrap_or(0));
    1 << ((name.len() * 31 + usize::from(first) * 7 + usize::from(last)) % 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &[(&str, &str)]) {
        let got = duplicates(text, &Object::parse(text).unwrap());
        let got: Vec<_> = got.iter().map(|found| (found.name.as_str(), &text[found.value..][..1])).collect();
        assert_eq!(got, wanted, "{text}");
    }

    #[test]
    fn they_are_found_at_every_level_and_nowhere_else() {
        check(r#"{"a":1,"b":2}"#, &[]);
        check(r#"{"a":1,"a":2}"#, &[("a", "2")]);
        check("{\"a\" : 1,\n\"a\" :\n 2 , \"a\":3}", &[("a", "2"), ("a", "3")]);
        check(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#, &[]);
        check(r#"{"x":{"y":[{"a":1,"a":"s"}],"y":[]},"x":{}}"#, &[("a", "\""), ("y", "["), ("x", "{")]);
        check(r#"{"a":"a","b":["a","a"],"c":"\"a\":1,\"a\""}"#, &[]);
        check(r#"{"a":1,"\u0061":2}"#, &[("a", "2")]);
        check(r#"{"":1,"":2}"#, &[("", "2")]);
        check(r#"{"a\\":1,"a":2,"{":3,"}":4}"#, &[]);
        // Strings of any length, with a quote or a backslash at any place of a word.
        for length in 0..20 {
            let (name, mark) = ("é!#[]".repeat(length), "n".repeat(length));
            check(&format!(r#"{{"{name}":"{mark}\\","{mark}\"{name}":1,"{name}":2}}"#), &[(&name, "2")]);
        }
        let wide = |last: &str| {
            let names: Vec<String> = (0..200).map(|number| format!("\"n{number}\":0")).collect();
            format!("{{{},\"{last}\":7}}", names.join(","))
        };
        check(&wide("n200"), &[]);
        check(&wide("n5"), &[("n5", "7")]);
    }
}
