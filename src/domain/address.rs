//! E-mail addresses: the keys of team members.

use email_address::{EmailAddress, Options};

use super::excerpt::excerpt;
use super::type_error::TypeError;

/// Checks that a text is an e-mail address, without a display name or a `mailto:` link.
///
/// # Errors
/// If it is no address, or holds more than one.
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

/// Returns the key of a team member: the address in a text, in lower case.
///
/// # Errors
/// If there is no address in it.
pub(super) fn key(text: &str) -> Result<String, TypeError> {
    bare(text).map(|address| address.to_lowercase()).ok_or_else(|| no_address(text))
}

/// Makes the error that a text is no address.
fn no_address(text: &str) -> TypeError {
    TypeError::new(format!("{} is no e-mail address", excerpt(text)), "write it as name@example.com")
}

/// Returns the address in a text, which may have a display name, as in `Kim Park <kim@example.com>`, or be a
/// `mailto:` link.
fn bare(text: &str) -> Option<String> {
    const LINK: &str = "mailto:";
    let is_link = text.get(..LINK.len()).is_some_and(|start| start.eq_ignore_ascii_case(LINK));
    let text = if is_link { &text[LINK.len()..] } else { text };
    let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    let options = Options::default().with_display_text();
    EmailAddress::parse_with_options(text, options).ok().map(|address| address.email())
}
