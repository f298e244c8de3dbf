//! What the sign-in service says when it refuses (RFC 6749, section 5.2, and Entra ID's additions).

use std::fmt;

use serde_json::value::RawValue;

use super::claims::ClaimsChallenge;
use super::redact::redact;
use crate::api::refusal::bounded;
use crate::domain::json::{self, Object};

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;
/// The longest word or id that is kept, in characters.
const LONGEST_WORD: usize = 100;
/// The most numbers that are kept of one answer.
const MOST_CODES: usize = 10;
/// What Entra ID's numbers begin with where they stand in a text.
const AADSTS: &str = "AADSTS";
/// The numbers that say that it is busy or broken for the moment.
const BUSY: [u32; 5] = [50033, 90006, 90012, 90024, 90033];

/// A step of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInStep {
    /// The page in the browser on which somebody signs in.
    Authorize,
    /// The exchange of the browser's code for tokens.
    Redeem,
    /// The request for a device code.
    DeviceCode,
    /// The question whether somebody has signed in with the device code.
    Poll,
    /// The exchange of the refresh token for new tokens.
    Refresh,
}

impl SignInStep {
    /// Returns what the service was asked for.
    fn what(self) -> &'static str {
        match self {
            Self::Authorize => "the sign-in in the browser",
            Self::Redeem => "the code that the browser brought",
            Self::DeviceCode => "a device code",
            Self::Poll => "the sign-in with the device code",
            Self::Refresh => "to renew the sign-in",
        }
    }
}

/// The refusal of the sign-in service. No secret that was sent is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRefusal {
    /// The step that was refused.
    pub step: SignInStep,
    /// The HTTP status; `None` where the browser brought the refusal.
    pub status: Option<u16>,
    /// The error of the protocol, such as `invalid_grant`.
    pub error: String,
    /// Entra ID's numbers. They change, and so choose no more than the hint.
    pub codes: Vec<u32>,
    /// The first line of the description.
    pub message: Option<String>,
    /// The id by which an administrator finds the sign-in in their log.
    pub correlation_id: Option<String>,
    /// What is wrong within the error, in the words of the service.
    pub suberror: Option<String>,
    /// What a policy demands of the next sign-in.
    pub claims: Option<ClaimsChallenge>,
}

impl SignInRefusal {
    /// Reads the body of a refusal. `None` where it is none. `sent` are the secrets that it might repeat.
    pub(super) fn read(step: SignInStep, status: u16, body: &str, sent: &[&str]) -> Option<Self> {
        let object = Object::parse(body.trim_start_matches('\u{feff}').trim())?;
        let text = |name: &str| object.get(name).and_then(json::string);
        let description = text("error_description");
        let codes = object.get("error_codes").map(numbers).unwrap_or_default();
        Some(Self {
            status: Some(status),
            codes: if codes.is_empty() { number_in(description.as_deref()) } else { codes },
            correlation_id: text("correlation_id").and_then(|id| word(&id, sent)),
            suberror: text("suberror").and_then(|suberror| word(&suberror, sent)),
            claims: text("claims")
                .filter(|claims| redact(claims, sent) == **claims)
                .and_then(|claims| ClaimsChallenge::parse(&claims)),
            ..Self::told(step, &text("error")?, description.as_deref(), sent)?
        })
    }

    /// Reads the refusal that a browser brings in the address of the redirect.
    pub(super) fn told(
        step: SignInStep,
        error: &str,
        description: Option<&str>,
        sent: &[&str],
    ) -> Option<Self> {
        let line = description.map(|text| text.trim().lines().next().unwrap_or_default().trim());
        let message = line.map(|line| bounded(&redact(line, sent), LONGEST_MESSAGE));
        Some(Self {
            step,
            status: None,
            error: word(error, sent)?,
            codes: number_in(description),
            message: message.filter(|message| !message.is_empty()),
            correlation_id: None,
            suberror: None,
            claims: None,
        })
    }

    /// Returns whether the sign-in that was kept is over, so that somebody has to sign in again.
    pub fn is_over(&self) -> bool {
        const OVER: [&str; 4] =
            ["invalid_grant", "interaction_required", "login_required", "consent_required"];
        self.step == SignInStep::Refresh && OVER.contains(&self.error.as_str()) && !self.is_transient()
    }

    /// Returns whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self.status, Some(500..=599 | 429))
            || ["temporarily_unavailable", "server_error"].contains(&self.error.as_str())
            || self.codes.iter().any(|code| BUSY.contains(code))
    }
}

impl fmt::Display for SignInRefusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the sign-in service refused {}: {}", self.step.what(), self.error)?;
        if let Some(suberror) = &self.suberror {
            write!(out, " ({suberror})")?;
        }
        match &self.message {
            Some(message) => write!(out, ": {message}"),
            None => Ok(()),
        }
    }
}

/// Returns a word of the service, fit to be shown.
fn word(text: &str, sent: &[&str]) -> Option<String> {
    let text = redact(text.trim(), sent);
    (!text.is_empty()).then(|| bounded(&text, LONGEST_WORD))
}

fn numbers(raw: &RawValue) -> Vec<u32> {
    let all = json::elements(raw).unwrap_or_default();
    all.into_iter().filter_map(|number| number.get().parse().ok()).take(MOST_CODES).collect()
}

/// Returns Entra ID's number in the text of a description, as in `AADSTS50076: …`.
fn number_in(description: Option<&str>) -> Vec<u32> {
    let after = description.and_then(|text| text.split_once(AADSTS)).map(|(_, after)| after);
    let digits = after.map(|after| &after[..after.bytes().take_while(u8::is_ascii_digit).count()]);
    digits.and_then(|digits| digits.parse().ok()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(step: SignInStep, status: u16, body: &str) -> Option<SignInRefusal> {
        SignInRefusal::read(step, status, body, &["0.AXoA/refresh-token", "app~secret"])
    }

    #[test]
    fn everything_that_counts_is_read() {
        let body = r#"{"error":"invalid_grant","error_description":"AADSTS50076: Use MFA.\r\nTrace ID: 1\r\nTime: 2",
            "error_codes":[50076,7,"x"],"timestamp":"t","trace_id":"1","correlation_id":" c-1 ",
            "suberror":"basic_action","claims":"{\"access_token\":{}}","error_uri":"https://x.example.com/"}"#;
        let refusal = read(SignInStep::Refresh, 400, body).unwrap();
        assert_eq!(
            refusal,
            SignInRefusal {
                step: SignInStep::Refresh,
                status: Some(400),
                error: "invalid_grant".to_owned(),
                codes: vec![50076, 7],
                message: Some("AADSTS50076: Use MFA.".to_owned()),
                correlation_id: Some("c-1".to_owned()),
                suberror: Some("basic_action".to_owned()),
                claims: ClaimsChallenge::parse(r#"{"access_token":{}}"#),
            }
        );
        assert_eq!(
            refusal.to_string(),
            "the sign-in service refused to renew the sign-in: invalid_grant (basic_action): AADSTS50076: Use MFA."
        );
    }

    #[test]
    fn a_refusal_has_an_error() {
        for (body, wanted) in [
            (r#"{"error":"slow_down"}"#, Some(("slow_down", None, vec![]))),
            ("\u{feff} {\"error\":\"a\"} ", Some(("a", None, vec![]))),
            (r#"{"error":"a\nb","error_description":"\n\n"}"#, Some(("a b", None, vec![]))),
            (
                r#"{"error":"a","error_description":"x\u001b[1m AADSTS7000218: y"}"#,
                Some(("a", Some("x\u{fffd}[1m AADSTS7000218: y"), vec![7_000_218])),
            ),
            (
                r#"{"error":"a","error_description":"AADSTS: AADSTS1","error_codes":[]}"#,
                Some(("a", Some("AADSTS: AADSTS1"), vec![])),
            ),
            (r#"{"error":"a","error_codes":"50076","claims":"[]","suberror":""}"#, Some(("a", None, vec![]))),
            (r#"{"error":{"code":"a"}}"#, None),
            (r#"{"error":""}"#, None),
            (r#"{"message":"no"}"#, None),
            ("<html>", None),
            ("", None),
        ] {
            let refusal = read(SignInStep::Poll, 400, body);
            let got = refusal.as_ref().map(|it| (it.error.as_str(), it.message.as_deref(), it.codes.clone()));
            assert_eq!(got, wanted, "{body}");
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        for member in ["error", "error_description", "correlation_id", "suberror", "claims"] {
            let mut body = serde_json::json!({ "error": "e" });
            body[member] = r#"{"a":"app~secret 0.AXoA%2Frefresh-token"}"#.into();
            let shown = format!("{:?}", read(SignInStep::Refresh, 400, &body.to_string()).unwrap());
            assert!(!shown.contains("app~secret") && !shown.contains("refresh-token"), "{shown}");
        }
    }

    /// The status; the error; a number; whether the sign-in is over, by step; whether it passes.
    #[test]
    fn the_error_says_whether_it_is_over() {
        for (status, error, code, is_over, is_transient) in [
            (400, "invalid_grant", 70008, true, false),
            (400, "invalid_grant", 0, true, false),
            (400, "interaction_required", 50076, true, false),
            (400, "login_required", 0, true, false),
            (400, "consent_required", 65001, true, false),
            (400, "invalid_client", 70008, false, false),
            (401, "invalid_client", 7000215, false, false),
            (400, "temporarily_unavailable", 0, false, true),
            (400, "server_error", 0, false, true),
            (400, "invalid_grant", 50033, false, true),
            (400, "x", 90006, false, true),
            (400, "x", 90012, false, true),
            (400, "x", 90024, false, true),
            (400, "x", 90033, false, true),
            (503, "invalid_grant", 0, false, true),
            (429, "x", 0, false, true),
            (400, "x", 0, false, false),
        ] {
            let body = format!(r#"{{"error":"{error}","error_codes":[{code}]}}"#);
            let of = |step| read(step, status, &body).unwrap();
            assert_eq!(of(SignInStep::Refresh).is_over(), is_over, "{body}");
            assert_eq!(of(SignInStep::Refresh).is_transient(), is_transient, "{body}");
            for step in [SignInStep::Authorize, SignInStep::Redeem, SignInStep::DeviceCode, SignInStep::Poll]
            {
                assert!(!of(step).is_over(), "{step:?}");
            }
        }
    }
}
