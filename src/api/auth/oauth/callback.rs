//! What the browser brings back: the address of the redirect, with a code or the refusal in it. Pure.

use reqwest::Url;
use secrecy::SecretString;

use super::refusal::{SignInRefusal, SignInStep};

/// The result of the page in the browser.
#[derive(Debug)]
pub(super) enum Callback {
    /// Somebody signed in: the code that tokens are had for, once.
    Code(SecretString),
    /// The service, or the person, refused.
    Refused(SignInRefusal),
}

/// The reason why an address is not the result of this sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCallback {
    /// It is no address of this machine.
    #[error("this is not the address that the browser ended at: it begins with http://localhost")]
    NoAddress,
    /// It belongs to another sign-in, or to none.
    #[error(
        "this address is not of the sign-in that was begun here: open the address above, and sign in there"
    )]
    Another,
    /// There is neither a code nor an error in it.
    #[error("this address is cut off: copy all of it, from http to its end")]
    CutOff,
}

/// Reads the target of a request, such as `/?code=…&state=…`. `state` is the secret that this sign-in was begun with.
///
/// # Errors
/// See [`NoCallback`].
pub(super) fn requested(target: &str, state: &str) -> Result<Callback, NoCallback> {
    let url = target.strip_prefix('/').and_then(|rest| Url::parse(&format!("http://localhost/{rest}")).ok());
    of_url(&url.ok_or(NoCallback::NoAddress)?, state)
}

/// Reads an address that was copied from the browser, where it could not be opened.
///
/// # Errors
/// See [`NoCallback`].
pub(super) fn pasted(text: &str, state: &str) -> Result<Callback, NoCallback> {
    // A terminal may break a long line where it was copied from.
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.trim_matches(['"', '\'', '<', '>']);
    let url = Url::parse(text).map_err(|_| NoCallback::NoAddress)?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "http" || !is_here {
        return Err(NoCallback::NoAddress);
    }
    of_url(&url, state)
}

fn of_url(url: &Url, state: &str) -> Result<Callback, NoCallback> {
    if url.path() != "/" {
        return Err(NoCallback::Another);
    }
    let mut members = Members::default();
    for (name, value) in url.query_pairs() {
        let member = match &*name {
            "state" => &mut members.state,
            "code" => &mut members.code,
            "error" => &mut members.error,
            "error_description" => &mut members.description,
            _ => continue,
        };
        // Of two values neither is known to be the service's.
        if member.replace(value.into_owned()).is_some() {
            return Err(NoCallback::Another);
        }
    }
    match members.state.as_deref() {
        Some(got) if got == state => members.read(state),
        Some(got) if !got.is_empty() && state.starts_with(got) => Err(NoCallback::CutOff),
        Some(_) => Err(NoCallback::Another),
        None if members.code.is_some() => Err(NoCallback::CutOff),
        None => Err(NoCallback::Another),
    }
}

/// What counts of the query of a redirect.
#[derive(Default)]
struct Members {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Members {
    fn read(self, state: &str) -> Result<Callback, NoCallback> {
        let Self { code, error, description, .. } = self;
        let refusal = error.and_then(|error| {
            SignInRefusal::told(SignInStep::Authorize, &error, description.as_deref(), &[state])
        });
        match (refusal, code) {
            (Some(refusal), _) => Ok(Callback::Refused(refusal)),
            (None, Some(code)) if !code.is_empty() => Ok(Callback::Code(code.into())),
            (None, _) => Err(NoCallback::CutOff),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const STATE: &str = "St4te-of_this_sign-in";

    fn told(read: Result<Callback, NoCallback>) -> Result<String, NoCallback> {
        read.map(|callback| match callback {
            Callback::Code(code) => format!("code {}", code.expose_secret()),
            Callback::Refused(refusal) => refusal.to_string(),
        })
    }

    #[test]
    fn only_what_belongs_to_this_sign_in_counts() {
        use NoCallback::{Another, CutOff, NoAddress};
        let no = "the sign-in service refused the sign-in in the browser: access_denied";
        for (target, wanted) in [
            ("/?code=0.A&state=STATE", Ok("code 0.A".to_owned())),
            ("/?state=STATE&session_state=x&code=a%2Bb+c&code_2=d", Ok("code a+b c".to_owned())),
            ("/?error=access_denied&state=STATE", Ok(no.to_owned())),
            (
                "/?error=access_denied&error_description=AADSTS65004%3A+User+declined.%0D%0ATrace&state=STATE",
                Ok(format!("{no}: AADSTS65004: User declined.")),
            ),
            ("/?error=access_denied&error_description=STATE&state=STATE", Ok(format!("{no}: [secret]"))),
            ("/?code=a&error=access_denied&state=STATE", Ok(no.to_owned())),
            ("/?code=a&state=STATEx", Err(Another)),
            ("/?code=a&state=", Err(Another)),
            ("/?code=a", Err(CutOff)),
            ("/?code=a&state=St4te", Err(CutOff)),
            ("/?error=access_denied", Err(Another)),
            ("/?code=&state=STATE", Err(CutOff)),
            ("/?error=&state=STATE", Err(CutOff)),
            ("/?state=STATE", Err(CutOff)),
            ("/?code=a&code=b&state=STATE", Err(Another)),
            ("/?code=a&state=STATE&state=STATE", Err(Another)),
            ("/x?code=a&state=STATE", Err(Another)),
            ("/favicon.ico", Err(Another)),
            ("/", Err(Another)),
            ("", Err(NoAddress)),
            ("*", Err(NoAddress)),
            ("http://localhost/?code=a&state=STATE", Err(NoAddress)),
        ] {
            let target = target.replace("STATE", STATE);
            assert_eq!(told(requested(&target, STATE)), wanted, "{target}");
        }
    }

    #[test]
    fn the_address_that_the_browser_ended_at_can_be_pasted() {
        use NoCallback::{Another, NoAddress};
        let code = || Ok("code 0.A".to_owned());
        for (text, wanted) in [
            ("http://localhost:49152/?code=0.A&state=STATE", code()),
            ("  http://localhost/?code=0.A&state=STATE\n", code()),
            ("\"http://localhost:1/?code=0.A&state=STATE\"", code()),
            ("'http://127.0.0.1:1/?code=0.A&state=STATE'", code()),
            ("<http://[::1]:1/?code=0.A&state=STATE>", code()),
            ("HTTP://LOCALHOST:1/?code=0.A&state=STATE#_=_", code()),
            ("http://localhost:1/?code=0.\r\n  A&state=STATE", code()),
            ("https://localhost:1/?code=0.A&state=STATE", Err(NoAddress)),
            ("http://localhost.example.com/?code=0.A&state=STATE", Err(NoAddress)),
            ("http://example.com/?code=0.A&state=STATE", Err(NoAddress)),
            ("0.A", Err(NoAddress)),
            ("?code=0.A&state=STATE", Err(NoAddress)),
            ("", Err(NoAddress)),
            ("http://localhost:1/?code=0.A&state=other", Err(Another)),
        ] {
            let text = text.replace("STATE", STATE);
            assert_eq!(told(pasted(&text, STATE)), wanted, "{text}");
        }
    }

    proptest::proptest! {
        /// Whoever doesn't know the state brings nothing.
        #[test]
        fn nothing_counts_without_the_state(text in r"(/|http://localhost/|\?|&|=|code|state|error|%[0-9a-f]{2}|[a-zA-Z0-9]){0,20}") {
            proptest::prop_assert!(requested(&text, STATE).is_err());
            proptest::prop_assert!(pasted(&text, STATE).is_err());
        }
    }
}
