//! Masks personal data in a text: the local parts of e-mail addresses, telephone numbers, and what a message quotes
//! of team members.
//!
//! A text of people has no form that tells what is personal in it. So more is masked rather than less: seven digits or
//! more that could be dialled count as a telephone number, unless they are a date, a GUID, a checksum or an amount; and
//! of a word that a message cuts off the first letter is left, since an address may have begun there.

use std::borrow::Cow;

use uuid::Uuid;

/// What stands for what is masked.
pub(super) const MASK: &str = "•••";

/// The members of a JSON object that hold a person's name or telephone number, as an excerpt of it may quote them.
const PERSONAL: [&str; 4] = ["firstName", "lastName", "phoneNumber", "phone"];

/// By these a text tells that what it quotes is of a person.
const PEOPLE: [&str; 3] = ["/team", "team.add", "\"customerProfile"];

/// The field of amounts, by which a text tells that its numbers are such.
const AMOUNTS: &str = "/details/dealValue: ";

/// The words that a telephone number is told by, and that may stand before it without a space.
const DIALLING: [&str; 9] = ["tel", "phone", "fax", "call", "mobile", "mobil", "mob", "cell", "ph"];

/// The fewest digits of a telephone number.
const FEWEST_DIGITS: usize = 7;

/// The most digits of one that stand in a row.
const MOST_DIGITS: usize = 15;

/// Returns a text with the personal data in it masked.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    if is_harmless(text) {
        return Cow::Borrowed(text);
    }
    let text = if PEOPLE.iter().any(|list| text.contains(list)) {
        Cow::Owned(without_quotes(text))
    } else {
        without_members(text)
    };
    let text = then(text, without_addresses);
    then(text, without_numbers)
}

/// Whether it is told at a glance that there is nothing to mask: no sign of an address, none that stands before a value
/// or around one, none of what tells that a text is about people, and too few digits for a telephone number.
fn is_harmless(text: &str) -> bool {
    let mut digits = 0;
    text.chars().all(|c| {
        digits += usize::from(c.is_numeric());
        !matches!(c, '@' | '＠' | '%' | ':' | '=' | '/' | '"' | '.') && digits < FEWEST_DIGITS
    })
}

/// Returns a message of the program or of the service with the personal data in it masked. It may quote a text up to
/// the middle of an address.
pub(super) fn masked_message(text: &str) -> Cow<'_, str> {
    then(masked(text), without_cut_words)
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

/// Whether a character begins or ends what is quoted.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

/// Returns a text without what is quoted in it: from the first quote to the last, since what is quoted may hold quotes
/// itself, and to the end where one of them is missing.
fn without_quotes(text: &str) -> String {
    let mut quotes = text.char_indices().filter(|(_, c)| is_quote(*c));
    let (first, rest) = (quotes.next(), quotes.collect::<Vec<_>>());
    match (first, rest.last()) {
        (None, _) => text.to_owned(),
        (Some((begin, open)), Some((end, close))) if rest.len() % 2 == 1 => {
            format!("{}{open}{MASK}{close}{}", &text[..begin], &text[end + close.len_utf8()..])
        }
        (Some((begin, open)), _) => format!("{}{open}{MASK}", &text[..begin]),
    }
}

/// Returns a text in which the values of personal members of JSON objects are masked, however they are quoted. A value
/// that was cut off is masked to the end.
fn without_members(text: &str) -> Cow<'_, str> {
    PERSONAL.iter().fold(Cow::Borrowed(text), |text, member| then(text, |text| without_member(text, member)))
}

fn without_member(text: &str, name: &str) -> Option<String> {
    text.contains(name).then(|| {
        let mut parts = text.split(name);
        let mut masked = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            masked.push_str(name);
            let value = part.trim_start_matches([' ', ':', '=', '"', '\\', '\'']);
            let before = &part[..part.len() - value.len()];
            masked.push_str(before);
            // A word that only begins like the member's name, or speaks of it.
            if !before.contains([':', '=']) {
                masked.push_str(value);
                continue;
            }
            masked.push_str(MASK);
            let quoted = before.trim_start_matches(['"', '\\', '\'']).contains(['"', '\'']);
            let end = if quoted { end_of_string(value) } else { value.find([',', '}', ']', ';', '\n']) };
            masked.push_str(&value[end.unwrap_or(value.len())..]);
        }
        masked
    })
}

/// Returns where a quoted text ends; `None` where it doesn't. A quote behind a backslash ends it only where that is how
/// all quotes are written, which can't be told: what is quoted then ends too late, at the next one.
fn end_of_string(inner: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether a character may be one of the local part of an e-mail address, written without quotes. Any letter may, with
/// what belongs to it, and what can't be seen.
pub(super) fn is_local(c: char) -> bool {
    !c.is_whitespace() && !"<>()[],;:\"“”„@＠…".contains(c)
}

/// Returns where an at sign begins, however it is written, with its length.
fn at_sign(text: &str) -> Option<(usize, usize)> {
    // Most texts have none: the first bytes of all three are looked for at once.
    text.bytes().find(|byte| matches!(byte, b'@' | b'%' | 0xef))?;
    ["@", "＠", "%40"].into_iter().filter_map(|sign| Some((text.find(sign)?, sign.len()))).min()
}

/// Returns a text in which the local parts of addresses have their first letter alone; `None` where there is none.
fn without_addresses(text: &str) -> Option<String> {
    at_sign(text)?;
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, length)) = at_sign(rest) {
        let (before, sign, after) = (&rest[..at], &rest[at..at + length], &rest[at + length..]);
        let local = local_part(before);
        let is_address = after.starts_with(|c: char| !c.is_whitespace() && (is_local(c) || c == '['));
        let first = local.trim_start_matches(|c: char| !c.is_alphanumeric());
        if is_address && !first.is_empty() {
            masked.push_str(&before[..before.len() - local.len()]);
            masked.push_str(&initial(first));
        } else {
            masked.push_str(before);
        }
        masked.push_str(sign);
        rest = after;
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

/// Returns a text in which words that were cut off have their first letter alone: an address may have begun there. `None`
/// where there is none.
fn without_cut_words(text: &str) -> Option<String> {
    text.contains('…').then(|| {
        let mut parts = text.split('…').peekable();
        let mut masked = String::with_capacity(text.len());
        while let Some(part) = parts.next() {
            let word = local_part(part);
            if parts.peek().is_none() || word.is_empty() {
                masked.push_str(part);
            } else {
                masked.push_str(&part[..part.len() - word.len()]);
                masked.push_str(&initial(word));
            }
            if parts.peek().is_some() {
                masked.push('…');
            }
        }
        masked
    })
}

/// Whether a character may stand in a telephone number.
pub(super) fn is_dialled(c: char) -> bool {
    c.is_numeric() || is_between_digits(c)
}

/// Whether a character may stand between the digits of a telephone number: any space, dash or point.
fn is_between_digits(c: char) -> bool {
    "+-./()_\u{ad}\u{200b}\u{2212}\u{ff0d}\u{ff0b}".contains(c)
        || ('\u{2010}'..='\u{2015}').contains(&c)
        || (c.is_whitespace() && c != '\n')
}

/// Returns a text in which telephone numbers are masked; `None` where there is none.
fn without_numbers(text: &str) -> Option<String> {
    text.find(char::is_numeric)?;
    let has_amounts = text.contains(AMOUNTS);
    let mut masked: Option<String> = None;
    let (mut from, mut taken) = (0, 0);
    while let Some(begin) = text[from..].find(char::is_numeric).map(|at| from + at) {
        let length = text[begin..].find(|c| !is_dialled(c)).unwrap_or(text.len() - begin);
        let run = text[begin..begin + length].trim_end_matches(|c: char| !c.is_numeric());
        let end = begin + run.len();
        from = end;
        if names_a_thing(text, begin, end) {
            from = end_of_word(text, end);
            continue;
        }
        let is_bare = has_amounts && !is_quoted(text, begin);
        for (at, number) in numbers(run) {
            if is_bare && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                continue;
            }
            let masked = masked.get_or_insert_with(|| String::with_capacity(text.len()));
            let at = begin + at;
            let plus =
                text[taken..at].strip_suffix(['+', '＋', '(']).map_or(at, |before| taken + before.len());
            masked.push_str(&text[taken..plus]);
            masked.push_str(MASK);
            taken = at + number.len();
        }
    }
    masked.map(|masked| masked + &text[taken..])
}

/// Whether a place in a text lies between quotes.
fn is_quoted(text: &str, at: usize) -> bool {
    text[..at].chars().filter(|c| is_quote(*c)).count() % 2 == 1
}

/// Whether the word around a run of digits names a thing: a GUID, a checksum, a time with its date, or a reference whose
/// letters stand beside its digits.
fn names_a_thing(text: &str, begin: usize, end: usize) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let first = text[..begin].char_indices().rev().take_while(|(_, c)| is_word(*c)).last();
    let first = first.map_or(begin, |(at, _)| at);
    let word = &text[first..];
    let word = &word[..word.find(|c| !is_word(c)).unwrap_or(word.len())];
    let is_hash = word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash || (word.len() == 36 && Uuid::try_parse(word).is_ok()) {
        return true;
    }
    let run = &text[begin..end];
    let letters = text[..begin].chars().rev().take_while(|c| c.is_alphabetic()).collect::<String>();
    let letters: String = letters.chars().rev().collect::<String>().to_lowercase();
    let is_told = DIALLING.iter().any(|word| letters.ends_with(word));
    let follows = text[end..].chars().next().is_some_and(char::is_alphabetic);
    let is_extension = text[end..].starts_with('x') || text[end..].starts_with("ext");
    let is_one_word = run.chars().all(char::is_numeric) && !text[..begin].ends_with(['+', '＋']);
    is_one_word && ((!letters.is_empty() && !is_told) || (letters.is_empty() && follows && !is_extension))
}

fn end_of_word(text: &str, from: usize) -> usize {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    from + text[from..].find(|c| !is_word(c)).unwrap_or(text.len() - from)
}

/// Returns the telephone numbers in a run of digits and what may stand between them, with their places. Dates part them.
fn numbers(run: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut begun: Option<usize> = None;
    let mut end = 0;
    let mut take = |begun: &mut Option<usize>, end: usize| {
        if let Some(from) = begun.take()
            && is_number(&run[from..end])
        {
            found.push((from, &run[from..end]));
        }
    };
    let mut at = 0;
    for word in run.split(char::is_whitespace) {
        if is_date(word) {
            take(&mut begun, end);
        } else if word.contains(char::is_numeric) {
            begun.get_or_insert(at + word.find(char::is_numeric).unwrap_or_default());
            end = at + word.trim_end_matches(|c: char| !c.is_numeric()).len();
        }
        let behind = at + word.len();
        at = behind + run[behind..].chars().next().map_or(0, char::len_utf8);
    }
    take(&mut begun, end);
    found
}

/// Whether a run of digits and what stands between them could be dialled.
fn is_number(run: &str) -> bool {
    let digits = run.chars().filter(|c| c.is_numeric()).count();
    let is_one = run.chars().all(char::is_numeric);
    digits >= FEWEST_DIGITS && (!is_one || digits <= MOST_DIGITS) && !is_amount(run)
}

/// Whether a run is a number with a fraction of one to three digits.
fn is_amount(run: &str) -> bool {
    run.split_once('.').is_some_and(|(whole, part)| {
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain(whole) && is_plain(part) && part.len() <= 3 && !whole.starts_with("00")
    })
}

/// Whether a word is a date, as in `2026-12-31` or `31.12.2026`.
fn is_date(word: &str) -> bool {
    let number = |text: &str| text.parse::<u16>().ok();
    let is_year = |year: u16| (1900..2200).contains(&year);
    let is_day =
        |[one, other]: [u16; 2]| (1..=31).contains(&one) && (1..=31).contains(&other) && one.min(other) <= 12;
    ['-', '.', '/'].into_iter().any(|separator| {
        let parts: Option<Vec<u16>> = word.split(separator).map(number).collect();
        match parts.as_deref() {
            Some([a, b, c]) => (is_year(*a) && is_day([*b, *c])) || (is_year(*c) && is_day([*a, *b])),
            _ => false,
        }
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
            ("o’brian.a\u{301}b\u{ad}c@a.example", "o•••@a.example"),
            ("ann＠a.example, mailto:ann%40a.example", "a•••＠a.example, mailto:a•••%40a.example"),
            ("ann@\u{200b}a.example", "a•••@\u{200b}a.example"),
            ("a @ b, @home, x@", "a @ b, @home, x@"),
            ("Wait… and see", "Wait… and see"),
        ] {
            assert_eq!(masked(text), wanted, "{text}");
        }
        let quoted = "\"Closed and mail jane.doe.long…\" is no status";
        assert_eq!(masked_message(quoted), "\"Closed and mail j•••…\" is no status");
    }

    #[test]
    fn a_number_that_could_be_dialled_is_masked_in_any_form() {
        for (text, wanted) in [
            ("call +44 20 7946 0018 today", "call ••• today"),
            ("(030) 901820-0, then", "•••, then"),
            ("tel. 020 7946 0018.", "tel. •••."),
            ("tel:+15551234567;", "tel:•••;"),
            ("5551234567", "•••"),
            ("call 2026-11-03 +1 555 010 1001", "call 2026-11-03 •••"),
            ("31.12.2026 030 9018 1015", "31.12.2026 •••"),
            ("5550101027 2026/11/03", "••• 2026/11/03"),
            ("+1 555 010 1004 / +1 555 010 1005", "•••"),
            ("555-010-1007x12", "•••x12"),
            ("tel5550101012", "tel•••"),
            ("+15550101013ext5", "•••ext5"),
            ("555–010–1008, 555‑010‑1009", "•••, •••"),
            ("01 23 45 10\u{202f}10, 030\u{2009}1234\u{a0}567", "•••, •••"),
            ("555.0106, 0049.301234567, 1.555.010.1021", "•••, •••, •••"),
            ("12-34-5678, 555_010_1018", "•••, •••"),
            ("０３０１２３４５６７, ٠٣٠١٢٣٤٥٦٧", "•••, •••"),
        ] {
            assert_eq!(masked(text), wanted, "{text}");
        }
    }

    #[test]
    fn dates_amounts_and_names_of_things_are_no_telephone_numbers() {
        for text in [
            "until 2026-12-31, 31.12.2026 or 12/31/2026",
            "2026-12-31T10:00:00Z, 2026-12-31 10:00",
            "12345.67 EUR, 1234567.50, 12,500,000",
            "12345678-1234-4234-8234-000000000000",
            "eTag “e7a90001-0000-4000-8000-00000000dead”",
            "REF1234567, 1234567a",
            "00000000000000000000000000000000000000000000000000000000deadbeef",
            "HTTP 503, 5 attempts in line 1203",
            "/details/dealValue: sent 1250000, kept 3500000",
        ] {
            assert_eq!(masked(text), text);
        }
        let both = r#"/details/dealValue: sent 1250000, kept 3500000; /details/notes: sent "5551234567", kept nothing"#;
        assert!(!masked(both).contains("5551234567"), "{}", masked(both));
    }

    #[test]
    fn what_a_message_quotes_of_people_is_masked() {
        for (text, wanted) in [
            (r#"/team: sent "Kim Park", kept nothing"#, r#"/team: sent "•••", kept nothing"#),
            (r#"team.add: "Kim, Park, 1" is no member"#, r#"team.add: "•••" is no member"#),
            (r#"/team: ""Peggy, Quentin, x" is no member"#, r#"/team: "•••"#),
            (r#"/team: "Zed" Gus" Ann" is no member"#, r#"/team: "•••" is no member"#),
            ("/customerProfile/team: “Kim” and \"Park", "/customerProfile/team: “•••"),
            (r#"[{"firstName":"Ki… in /team"#, r#"[{"•••"#),
            (r#"{"customerProfile":"Wes Xi"}"#, r#"{"•••"}"#),
            (r#"sent {"firstName":"Kim","role":"x"}"#, r#"sent {"firstName":"•••","role":"x"}"#),
            (r#"{"lastName" : "P\"k", "phone":123}"#, r#"{"lastName" : "•••", "phone":•••}"#),
            (r#"{\"firstName\":\"Olga\",\"a\":1}"#, r#"{\"firstName\":\"•••"#),
            (r#"{"firstName":"Kim Pa…"#, r#"{"firstName":"•••"#),
            (r#"{"phoneNumber":null}"#, r#"{"phoneNumber":•••}"#),
            ("give a phone, firstName and lastName", "give a phone, firstName and lastName"),
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
