//! E-mail addresses, by which members of a team are told apart.

use email_address::{EmailAddress, Options};

use super::excerpt::excerpt;
use super::type_error::TypeError;

/// Whether a text is an address and nothing beside it.
///
/// # Errors
/// Where it is none, or more than one.
pub(super) fn check(text: &str) -> Result<(), TypeError> {
    match bare(text) {
        Some(address) if address == text => Ok(()),
        Some(address) => Err(TypeError::new(
            format!("{} is more than an e-mail address", excerpt(text)),
            format!("write it as {address}, with nothing beside it"),
        )),
        None => Err(no_address(text)),
    }
}

/// What tells a member from others: the address in a text, in lower case.
///
/// # Errors
/// Where there is none.
pub(super) fn key(text: &str) -> Result<String, TypeError> {
    bare(text).map(|address| address.to_lowercase()).ok_or_else(|| no_address(text))
}

fn no_address(text: &str) -> TypeError {
    TypeError::new(format!("{} is no e-mail address", excerpt(text)), "write it as name@example.com")
}

/// The address in a text, which may hold a name beside it, as in `Kim Park <kim@example.com>`, or be a link.
fn bare(text: &str) -> Option<String> {
    const LINK: &str = "mailto:";
    let is_link = text.get(..LINK.len()).is_some_and(|start| start.eq_ignore_ascii_case(LINK));
    let text = if is_link { &text[LINK.len()..] } else { text };
    let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    let options = Options::default().with_display_text();
    EmailAddress::parse_with_options(text, options).ok().map(|address| address.email())
}
