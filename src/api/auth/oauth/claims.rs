//! Claims challenges: what a policy demands of a token, which only another sign-in can give.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use crate::api::reply;
use crate::domain::json::Object;

/// The most bytes of a challenge; real ones have some hundred.
const LONGEST: usize = 8 * 1024;

/// Base64 with padding or without: services write either.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a policy demands of the next sign-in: a JSON object, which is handed to the sign-in service as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsChallenge(String);

impl ClaimsChallenge {
    /// Reads a challenge as the sign-in service takes it. `None` where it is no JSON object, or longer than any.
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() <= LONGEST && Object::parse(text).is_some();
        is_one.then(|| Self(text.to_owned()))
    }

    /// Reads a challenge as a header holds it, in either alphabet of base64.
    fn decode(text: &str) -> Option<Self> {
        let standard: String = text.trim().chars().map(standard).collect();
        let bytes = BASE64.decode(standard).ok()?;
        Self::parse(&String::from_utf8(bytes).ok()?)
    }

    /// Returns the JSON object.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns a character of the alphabet for URLs as the standard one has it.
fn standard(c: char) -> char {
    match c {
        '-' => '+',
        '_' => '/',
        c => c,
    }
}

/// Returns the claims that an API demands in the headers of a refusal (`WWW-Authenticate: Bearer
/// error="insufficient_claims", claims="…"`), where it does.
pub(in crate::api) fn claims_in(headers: &HeaderMap) -> Option<ClaimsChallenge> {
    let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(reply::insufficient_claims).find_map(|claims| ClaimsChallenge::decode(&claims))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    /// Encodes to `eyJhIjoiPz8/Pj4+In0=`, which holds what the alphabets differ in.
    const CLAIMS: &str = r#"{"a":"???>>>"}"#;
    const PADDED: &str = "eyJhIjoiPz8/Pj4+In0=";

    fn read(headers: &[&str]) -> Option<String> {
        let mut map = HeaderMap::new();
        for text in headers {
            map.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(text.as_bytes()).unwrap());
        }
        claims_in(&map).map(|claims| claims.as_str().to_owned())
    }

    #[test]
    fn the_claims_of_a_challenge_are_read() {
        let of = |claims: &str| format!(r#"Bearer error="insufficient_claims", claims="{claims}""#);
        let (padded, yes) = (of(PADDED), Some(CLAIMS.to_owned()));
        for (headers, wanted) in
            [
                (vec![padded.as_str()], yes.clone()),
                (vec![&of("eyJhIjoiPz8/Pj4+In0")], yes.clone()),
                (vec![&of("eyJhIjoiPz8_Pj4-In0=")], yes.clone()),
                (vec![&of("eyJhIjoiPz8_Pj4-In0")], yes.clone()),
                (vec![&of(&format!(" {PADDED} "))], yes.clone()),
                (
                    vec![&padded.replace(
                        "Bearer ",
                        r#"bEARER realm="", authorization_uri="https://x.example.com/", "#,
                    )],
                    yes.clone(),
                ),
                (vec![&padded.replace("error", "ERROR").replace("claims=", "Claims=")], yes.clone()),
                (vec![r#"Basic realm="a""#, "Negotiate", &padded], yes.clone()),
                (vec![&format!(r#"Basic realm="a", {padded}"#)], yes.clone()),
                (vec![&of("%%%"), &padded], yes.clone()),
                (vec!["Bearer realm=\"\u{e9}\"", &padded], yes.clone()),
                (vec![], None),
                (vec![&of("")], None),
                (vec![&of("W10=")], None),
                (vec![&of("eyJhIjo")], None),
                (vec![&of("eyJh IjoiPz8/Pj4+In0=")], None),
                (vec![&padded.replace("insufficient_claims", "invalid_token")], None),
                (vec![&padded.replace("Bearer", "Basic")], None),
                (vec![&format!(r#"Bearer claims="{PADDED}""#)], None),
                (vec![r#"Bearer error="insufficient_claims""#], None),
            ]
        {
            assert_eq!(read(&headers), wanted, "{headers:?}");
        }
    }

    #[test]
    fn a_challenge_is_an_object_of_bounded_size() {
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(LONGEST));
        for (text, is_one) in
            [("{}", true), (CLAIMS, true), ("[]", false), ("", false), ("{\"a\":}", false), (&long, false)]
        {
            assert_eq!(ClaimsChallenge::parse(text).is_some(), is_one, "{text:.20}");
        }
    }
}
