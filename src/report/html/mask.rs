//! Masks personal data in a text: the local parts of e-mail addresses, telephone numbers, and what a message quotes
//! of team members.
//!
//! A text of people has no form that tells what is personal in it. So more is masked rather than less: any run of
//! seven to fifteen digits that could be dialled counts as a telephone number, unless it is a date.

use std::borrow::Cow;

/// What stands for what is masked.
pub(super) const MASK: &str = "•••";

/// The members of a JSON object that hold a person's name or telephone number, as an excerpt of it may quote them.
const PERSONAL: [&str; 4] = ["firstName", "lastName", "phoneNumber", "phone"];

/// The lists of people, by which a text tells that what it quotes is of a person.
const PEOPLE: [&str; 2] = ["/team", "team.add"];

/// Returns a text with the personal data in it masked.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    let text = match quotes_people(text) {
        true => Cow::Owned(without_quotes(text)),
        false => without_members(text),
    };
    let text = then(text, without_addresses);
    then(text, without_numbers)
}

/// Returns a person's name with its first letter alone.
pub(super) fn initial(name: &str) -> String {
    name.trim().chars().next().map_or_else(String::new, |first| format!("{first}{MASK}"))
}

fn then<'a>(text: Cow<'a, str>, mask: impl Fn(&str) -> Option<String>) -> Cow<'a, str> {
    match mask(&text) {
        Some(masked) => Cow::Owned(masked),
        None => text,
    }
}

/// Whether a text speaks of a list of people.
fn quotes_people(text: &str) -> bool {
    PEOPLE.iter().any(|list| text.contains(list))
}

/// Returns a text without what stands in quotes in it.
fn without_quotes(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut closing = None;
    for c in text.chars() {
        match (closing, c) {
            (Some(quote), _) if c == quote => {
                closing = None;
                masked.push(c);
            }
            (Some(_), _) => {}
            (None, '"' | '“') => {
                closing = Some(if c == '"' { '"' } else { '”' });
                masked.push(c);
                masked.push_str(MASK);
            }
            (None, _) => masked.push(c),
        }
    }
    masked
}

/// Returns a text in which the values of personal members of JSON objects are masked. A value that was cut off is
/// masked to the end.
fn without_members(text: &str) -> Cow<'_, str> {
    PERSONAL.iter().fold(Cow::Borrowed(text), |text, member| {
        let name = format!("\"{member}\"");
        then(text, |text| without_member(text, &name))
    })
}

fn without_member(text: &str, name: &str) -> Option<String> {
    text.contains(name).then(|| {
        let mut parts = text.split(name);
        let mut masked = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            masked.push_str(name);
            let value = part.trim_start_matches([' ', ':']);
            masked.push_str(&part[..part.len() - value.len()]);
            masked.push_str(MASK);
            let length = match value.strip_prefix('"') {
                Some(inner) => end_of_string(inner).map_or(value.len(), |end| end + 1),
                None => value.find([',', '}', ']']).unwrap_or(value.len()),
            };
            masked.push_str(&value[length..]);
        }
        masked
    })
}

/// Returns where the rest of a JSON string begins; `None` where it doesn't end.
fn end_of_string(inner: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Whether a character may be one of the local part of an e-mail address, written without quotes.
pub(super) fn is_local(c: char) -> bool {
    c.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c)
}

/// Returns a text in which the local parts of addresses have their first letter alone; `None` where there is none.
fn without_addresses(text: &str) -> Option<String> {
    if !text.contains('@') {
        return None;
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, domain) = (&rest[..at], &rest[at..]);
        let is_address = domain[1..].starts_with(|c: char| c.is_alphanumeric() || c == '[');
        let local = local_part(before);
        if is_address && !local.is_empty() {
            masked.push_str(&before[..before.len() - local.len()]);
            masked.push_str(&initial(local.trim_start_matches(|c: char| !c.is_alphanumeric())));
        } else {
            masked.push_str(before);
        }
        masked.push('@');
        rest = &domain[1..];
    }
    masked.push_str(rest);
    Some(masked)
}

/// Returns the local part of an address at the end of a text; in quotes, with them.
fn local_part(before: &str) -> &str {
    if let Some(inner) = before.strip_suffix('"')
        && let Some(begin) = inner.rfind('"')
    {
        return &before[begin..];
    }
    let begin = before.char_indices().rev().take_while(|(_, c)| is_local(*c)).last();
    begin.map_or("", |(begin, _)| &before[begin..])
}

/// Whether a character may stand in a telephone number.
pub(super) fn is_dialled(c: char) -> bool {
    c.is_ascii_digit() || "+-./() \u{a0}".contains(c)
}

/// Returns a text in which telephone numbers are masked; `None` where there is none.
fn without_numbers(text: &str) -> Option<String> {
    let mut masked: Option<String> = None;
    let (mut from, mut taken) = (0, 0);
    while let Some(begin) = text[from..].find(|c: char| c.is_ascii_digit() || c == '+').map(|at| from + at) {
        let length = text[begin..].find(|c| !is_dialled(c)).unwrap_or(text.len() - begin);
        let run = text[begin..begin + length].trim_end_matches(|c: char| !c.is_ascii_digit());
        let end = begin + run.len().max(1);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let stands_alone = !text[..begin].ends_with(is_word) && !text[end..].starts_with(is_word);
        if stands_alone && is_number(run) {
            let masked = masked.get_or_insert_with(|| String::with_capacity(text.len()));
            masked.push_str(&text[taken..begin]);
            masked.push_str(MASK);
            taken = end;
        }
        from = end;
    }
    masked.map(|masked| masked + &text[taken..])
}

/// Whether a run of digits and what may stand between them could be dialled.
fn is_number(run: &str) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let is_amount = run.bytes().filter(|byte| !byte.is_ascii_digit()).all(|byte| byte == b'.')
        && run.matches('.').count() == 1;
    (7..=15).contains(&digits) && !is_amount && !has_date(run)
}

/// Whether a run of digits holds a date, as in `2026-12-31` or `31.12.2026`.
fn has_date(run: &str) -> bool {
    run.split([' ', '(', ')', '\u{a0}']).any(|word| {
        ['-', '.', '/'].into_iter().any(|separator| {
            let lengths: Vec<usize> = word.split(separator).map(str::len).collect();
            matches!(lengths[..], [4, 1..=2, 1..=2] | [1..=2, 1..=2, 2 | 4])
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_personal_is_masked_and_nothing_else() {
        for (text, wanted) in [
            ("ask ann.lee@partner.example.com", "ask a•••@partner.example.com"),
            ("<Ann+x@a.example>, b@c.example", "<A•••@a.example>, b•••@c.example"),
            ("\"ann lee\"@a.example", "a•••@a.example"),
            ("ännä@a.example", "ä•••@a.example"),
            ("a @ b, @home, x@", "a @ b, @home, x@"),
            ("call +44 20 7946 0018 today", "call ••• today"),
            ("(030) 901820-0, then", "(•••, then"),
            ("tel. 020 7946 0018.", "tel. •••."),
            ("tel:+15551234567;", "tel:•••;"),
            ("5551234567", "•••"),
            ("until 2026-12-31, 31.12.2026 or 12/31/2026", "until 2026-12-31, 31.12.2026 or 12/31/2026"),
            ("2026-12-31T10:00:00Z", "2026-12-31T10:00:00Z"),
            ("12345.67 EUR, 1234567.50", "12345.67 EUR, 1234567.50"),
            ("12,500,000", "12,500,000"),
            ("12345678-1234-4234-8234-00000000000a", "12345678-1234-4234-8234-00000000000a"),
            ("HTTP 503, 5 attempts", "HTTP 503, 5 attempts"),
            ("REF1234567, 1234567x", "REF1234567, 1234567x"),
        ] {
            assert_eq!(masked(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_a_message_quotes_of_people_is_masked() {
        for (text, wanted) in [
            (r#"/team: sent "Kim Park", kept nothing"#, r#"/team: sent "•••", kept nothing"#),
            (r#"team.add: "Kim, Park, 1" is no member"#, r#"team.add: "•••" is no member"#),
            ("/customerProfile/team: “Kim” and \"Park", "/customerProfile/team: “•••” and \"•••"),
            (r#"sent {"firstName":"Kim","role":"x"}"#, r#"sent {"firstName":•••,"role":"x"}"#),
            (r#"{"lastName" : "P\"k", "phone":123}"#, r#"{"lastName" : •••, "phone":•••}"#),
            (r#"{"firstName":"Kim Pa…"#, r#"{"firstName":•••"#),
            (r#"{"phoneNumber":null}"#, r#"{"phoneNumber":•••}"#),
        ] {
            assert_eq!(masked(text), wanted, "{text}");
        }
        assert_eq!([initial("Kim"), initial(" Øst"), initial("")], ["K•••", "Ø•••", ""]);
    }

    proptest! {
        #[test]
        fn no_local_part_of_several_letters_is_left(before in "[ -~]{0,20}", local in "[a-z]{2,20}", after in ".{0,20}") {
            let text = format!("{before} {local}@partner.example {after}");
            let masked = masked(&text);
            prop_assert!(!masked.contains(&format!("{local}@")), "{masked}");
        }

        #[test]
        fn no_number_that_could_be_dialled_is_left(
            before in "[a-z ,;:]{0,9}[ ,;:]", digits in "[1-9]{9,15}", after in "([ ,;:][a-z ,;:]{0,9})?"
        ) {
            let masked = masked(&format!("{before}{digits}{after}")).into_owned();
            prop_assert_eq!(masked, format!("{before}{MASK}{after}"));
        }
    }
}
